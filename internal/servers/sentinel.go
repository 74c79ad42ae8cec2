package servers

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"
)

// masterName is what the sentinels call what they watch.
const masterName = "mandated"

// The servers of a set beside the master: two sentinels of three must agree.
const replicas, sentinels = 2, 3

// SentinelSet is a master with two replicas, and three sentinels that take it for dead
// after a second and put a replica in its place. Where each sentinel voted for another,
// they vote again after three more seconds: sooner than our software gives up.
type SentinelSet struct {
	t         TB
	nodes     []*RedisServer // the first master, and its replicas
	sentinels []*RedisServer
}

// Sentinel starts a set that is this test's alone, and removes it at the test's end.
func Sentinel(t TB) *SentinelSet {
	t.Helper()
	s := &SentinelSet{t: t}
	for i := range 1 + replicas {
		settings := []string{"repl-ping-replica-period 1", "repl-diskless-sync-delay 0"}
		if i > 0 {
			settings = append(settings, fmt.Sprintf("replicaof 127.0.0.1 %d", s.nodes[0].port))
		}
		s.nodes = append(s.nodes, newRedis(t, RedisOptions{Settings: settings}))
	}
	for range sentinels {
		s.sentinels = append(s.sentinels, newRedis(t, RedisOptions{Settings: []string{
			fmt.Sprintf("sentinel monitor %s 127.0.0.1 %d 2", masterName, s.nodes[0].port),
			"sentinel down-after-milliseconds " + masterName + " 1000",
			"sentinel failover-timeout " + masterName + " 1500",
			"sentinel parallel-syncs " + masterName + " 2",
		}}, "--sentinel"))
	}
	startAll(t, s.nodes)
	startAll(t, s.sentinels)
	s.hurry()
	s.WaitHealthy()
	return s
}

// hurry lets the sentinels look around as often as tests need it: otherwise they hear of
// replicas every ten seconds, and of each other every two. They forget it when they end.
func (s *SentinelSet) hurry() {
	s.t.Helper()
	for _, n := range s.sentinels {
		n.do("SENTINEL", "DEBUG", "info-period", 200, "publish-period", 200, "ping-period", 200)
	}
}

// SentinelAddrs are where the sentinels listen, as host:port.
func (s *SentinelSet) SentinelAddrs() []string { return addrs(s.sentinels) }

// MasterName is what the sentinels call the master they watch.
func (s *SentinelSet) MasterName() string { return masterName }

// Nodes are the master and the replicas, in no promised order.
func (s *SentinelSet) Nodes() []*RedisServer { return s.nodes }

// Sentinels are the servers of SentinelAddrs.
func (s *SentinelSet) Sentinels() []*RedisServer { return s.sentinels }

// Master is whom the sentinels that answer name; a dead one still, until another has its
// place.
func (s *SentinelSet) Master() *RedisServer {
	s.t.Helper()
	var master *RedisServer
	until(s.t, "the master that sentinels name", func() (err error) {
		master, err = s.named()
		return err
	})
	return master
}

func (s *SentinelSet) named() (*RedisServer, error) {
	return agreed(s.sentinels, s.nodes, (*RedisServer).names)
}

// KillMaster kills the master and returns it. The sentinels put a replica in its place
// within a few seconds.
func (s *SentinelSet) KillMaster() *RedisServer {
	s.t.Helper()
	master := s.Master()
	master.Kill()
	return master
}

// Restart starts every server that does not run, and waits until the set is whole: a
// master that was killed comes back as a replica.
func (s *SentinelSet) Restart() {
	s.t.Helper()
	startDead(s.t, s.nodes)
	startDead(s.t, s.sentinels)
	s.hurry()
	s.WaitHealthy()
}

// WaitHealthy waits until the sentinels agree on a master, know each other, and both
// replicas are up to date: one more kill is survived.
func (s *SentinelSet) WaitHealthy() {
	s.t.Helper()
	until(s.t, "waiting for the sentinels", func() error {
		master, err := s.named()
		if err != nil {
			return err
		}
		for _, n := range s.nodes {
			if err := n.follows(master); err != nil {
				return fmt.Errorf("%s: %w", n.Addr(), err)
			}
		}
		for _, n := range s.sentinels {
			if err := n.watches(); err != nil {
				return fmt.Errorf("sentinel %s: %w", n.Addr(), err)
			}
		}
		return nil
	})
}

// follows tells what is missing between a node and the master, which it may be itself.
func (r *RedisServer) follows(master *RedisServer) error {
	info, err := r.ask("INFO", "replication")
	if err != nil {
		return err
	}
	role, online := field(info, "role"), strings.Count(info, "state=online")
	switch {
	case r == master && (role != "master" || online != replicas):
		return fmt.Errorf("a %s with %d replicas", role, online)
	case r != master && (role != "slave" || field(info, "master_port") != strconv.Itoa(master.port)):
		return fmt.Errorf("a %s of another master", role)
	case r != master && field(info, "master_link_status") != "up":
		return fmt.Errorf("a replica without link")
	}
	return nil
}

// names returns the address of the master that a sentinel names.
func (r *RedisServer) names() (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	got, err := r.admin.Do(ctx, "SENTINEL", "GET-MASTER-ADDR-BY-NAME", masterName).StringSlice()
	if err != nil || len(got) != 2 {
		return "", fmt.Errorf("%s names %q: %v", r.Addr(), got, err)
	}
	return net.JoinHostPort(got[0], got[1]), nil
}

// watches tells what a sentinel does not know yet of the master and the others.
func (r *RedisServer) watches() error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	asked := redis.NewMapStringStringCmd(ctx, "SENTINEL", "MASTER", masterName)
	r.admin.Process(ctx, asked)
	seen, err := asked.Result()
	if err != nil {
		return err
	}
	if seen["flags"] != "master" || seen["num-slaves"] != strconv.Itoa(replicas) || seen["num-other-sentinels"] != strconv.Itoa(sentinels-1) {
		return fmt.Errorf("it sees a %s with %s replicas, and %s other sentinels", seen["flags"], seen["num-slaves"], seen["num-other-sentinels"])
	}
	return nil
}
