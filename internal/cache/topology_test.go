package cache

import (
	"fmt"
	"testing"
	"time"

	"github.com/mandated/mandated/internal/servers"
)

// several keys, so many that every part of a cluster has some.
func several() (keys []string) {
	for i := range 60 {
		keys = append(keys, fmt.Sprint(tuple, i))
	}
	return keys
}

// everything waits until each key can be put and found: put is dropped and a look is
// a miss while a part of Redis is not served. Meanwhile nothing wrong is found.
func (s *scene) everything(t *testing.T, value string, old ...string) {
	t.Helper()
	right := map[string]bool{value: true}
	for _, v := range old {
		right[v] = true
	}
	for _, key := range several() {
		eventually(t, "every key to be kept and found", func() bool {
			got, found := s.Redis(ctx, key)
			if found && !right[got] {
				t.Fatalf("%q gives %q", key, got)
			}
			if !found || got != value {
				s.Put(key, value, time.Time{})
			}
			return found && got == value
		})
	}
}

// A cluster, known by one address: values go to all its parts. A master that dies
// costs misses until its replica has its place, and nothing else.
func TestCluster(t *testing.T) {
	cluster := servers.RedisCluster(t)
	s := with(t, ConnectOptions{Addresses: cluster.Addrs()[:1], Cluster: true, Timeout: hasty})
	s.everything(t, "permit")
	for i := range 3 {
		if n := cluster.Master(i).Client().DBSize(ctx).Val(); n == 0 {
			t.Errorf("part %d has no values", i)
		}
	}
	cluster.KillMaster(1)
	s.everything(t, "deny", "permit")
	s.rejected(t, "")
}

// In a cluster too a user needs little: our two commands, and to see who serves what.
func TestClusterUser(t *testing.T) {
	cluster := servers.RedisCluster(t)
	for _, node := range cluster.Nodes() {
		if err := node.Client().Do(ctx, "ACL", "SETUSER", "mandated", "on", ">secret", "~mandated:1:*", "+getrange", "+set", "+cluster|slots").Err(); err != nil {
			t.Fatal(err)
		}
	}
	s := with(t, ConnectOptions{Addresses: cluster.Addrs(), Username: "mandated", Password: "secret", Timeout: hasty})
	s.everything(t, "permit")
	for _, node := range cluster.Nodes() {
		if refused, err := node.Client().ACLLog(ctx, 10).Result(); err != nil || len(refused) != 0 {
			t.Errorf("asked without the right: %+v %v", refused, err)
		}
	}
}

// Behind sentinels: the master dies and another takes its place, under the same name.
func TestSentinel(t *testing.T) {
	set := servers.Sentinel(t)
	s := with(t, ConnectOptions{Addresses: set.SentinelAddrs(), Master: set.MasterName(), Timeout: hasty})
	s.everything(t, "permit")
	set.KillMaster()
	s.everything(t, "deny", "permit")
	s.rejected(t, "")
}

// Asked for a cluster that is none, for sentinels that are not there, or of those that
// do not answer, a cache is without Redis and says so.
func TestWrongTopology(t *testing.T) {
	server := servers.Redis(t, servers.RedisOptions{})
	hung := servers.Link(t, server.Addr())
	hung.Hang()
	for name, c := range map[string]struct {
		o    ConnectOptions
		want failure
	}{
		"no cluster":       {ConnectOptions{Addresses: []string{server.Addr()}, Cluster: true}, failCluster},
		"no sentinel":      {ConnectOptions{Addresses: []string{server.Addr()}, Master: "mandated"}, failOther},
		"nobody":           {ConnectOptions{Addresses: []string{fmt.Sprint("127.0.0.1:", servers.Free(t))}, Cluster: true}, failConnection},
		"nobody to ask it": {ConnectOptions{Addresses: []string{fmt.Sprint("127.0.0.1:", servers.Free(t))}, Master: "mandated"}, failConnection},
		"a hung cluster":   {ConnectOptions{Addresses: []string{hung.Addr()}, Cluster: true, Timeout: hasty}, failTimeout},
		"a hung sentinel":  {ConnectOptions{Addresses: []string{hung.Addr()}, Master: "mandated", Timeout: hasty}, failTimeout},
	} {
		t.Run(name, func(t *testing.T) {
			s := frozen(t, c.o)
			s.readsFail(t, c.want)
			s.writesFail(t, c.want)
		})
	}
}
