package servers

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// put and look work behind the back of clients, as the administrator.
func put(t *testing.T, r *RedisServer, value string) {
	t.Helper()
	if err := r.Client().Set(t.Context(), "key", value, 0).Err(); err != nil {
		t.Fatal(err)
	}
}

func look(t *testing.T, r *RedisServer) string {
	t.Helper()
	value, err := r.Client().Get(t.Context(), "key").Result()
	if err != nil && !errors.Is(err, redis.Nil) {
		t.Fatal(err)
	}
	return value
}

// A cache that is killed comes back empty, and one that appends with all it acknowledged;
// an old dump brings back what was true then, also where newer things were appended.
func TestRedisForgetsAndRemembers(t *testing.T) {
	for _, appends := range []bool{false, true} {
		t.Run(fmt.Sprintf("append=%t", appends), func(t *testing.T) {
			r := Redis(t, RedisOptions{AppendOnly: appends})
			put(t, r, "old")
			dump := r.Dump()
			put(t, r, "new")

			r.Kill()
			r.Start()
			if got, want := look(t, r), map[bool]string{true: "new"}[appends]; got != want {
				t.Errorf("after a kill: %q, want %q", got, want)
			}
			r.Restore(dump)
			if got := look(t, r); got != "old" {
				t.Errorf("restored: %q", got)
			}
			r.Stop()
			r.Start()
			if got, want := look(t, r), map[bool]string{true: "old"}[appends]; got != want {
				t.Errorf("restored and stopped: %q, want %q", got, want)
			}
			put(t, r, "newest")
			r.Flush()
			if got := look(t, r); got != "" {
				t.Errorf("flushed: %q", got)
			}
		})
	}
}

// Who may do what is up to the test; this package gets in whatever that is.
func TestRedisDoors(t *testing.T) {
	r := Redis(t, RedisOptions{
		Password: "secret", TLS: true,
		Users: []string{"mandated on >hush ~m:* +get +set", "default off"},
	})
	plain := redis.Options{Addr: r.Addr(), Username: "mandated", Password: "hush", TLSConfig: r.TLSConfig(), MaxRetries: -1}
	with := func(change func(*redis.Options)) error {
		o := plain
		change(&o)
		c := redis.NewClient(&o)
		defer c.Close()
		return c.Set(t.Context(), "m:1", "x", 0).Err()
	}
	if err := with(func(*redis.Options) {}); err != nil {
		t.Errorf("the right door: %v", err)
	}
	for name, c := range map[string]struct {
		change func(*redis.Options)
		want   string
	}{
		"wrong password":   {func(o *redis.Options) { o.Password = "x" }, "WRONGPASS"},
		"user that is off": {func(o *redis.Options) { o.Username, o.Password = "", "secret" }, "WRONGPASS"},
		"without TLS":      {func(o *redis.Options) { o.TLSConfig = nil }, ""},
		"without trust":    {func(o *redis.Options) { o.TLSConfig = &tls.Config{} }, "certificate"},
	} {
		if err := with(c.change); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A full Redis refuses to write, and still answers.
func TestRedisFull(t *testing.T) {
	r := Redis(t, RedisOptions{MaxMemory: "3mb", Policy: "noeviction"})
	put(t, r, "here")
	var err error
	for i := 0; i < 10 && err == nil; i++ {
		err = r.Client().Set(t.Context(), fmt.Sprint(i), strings.Repeat("x", 1<<20), 0).Err()
	}
	if err == nil || !strings.HasPrefix(err.Error(), "OOM") {
		t.Errorf("writing more than fits: %v", err)
	}
	if got := look(t, r); got != "here" {
		t.Errorf("a full Redis has %q", got)
	}
}

// A paused Redis has not forgotten anything: it is late.
func TestRedisPause(t *testing.T) {
	r := Redis(t, RedisOptions{})
	put(t, r, "here")
	r.Pause()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := r.Client().Get(ctx, "key").Err(); err == nil {
		t.Error("a paused Redis answers")
	}
	r.Resume()
	if got := look(t, r); got != "here" {
		t.Errorf("after the pause: %q", got)
	}
}

// Of every shard the master may go: its replica takes its place with what it had, and the
// dead one comes back behind it.
func TestCluster(t *testing.T) {
	t.Parallel()
	c := RedisCluster(t)
	client := redis.NewClusterClient(&redis.ClusterOptions{
		Addrs: c.Addrs(),
		// Nobody tells a client that the node it knows is dead: it has to look.
		ClusterStateReloadInterval: 200 * time.Millisecond,
	})
	defer client.Close()
	const keys = 30
	for i := range keys {
		if err := client.Set(t.Context(), fmt.Sprint(i), "x", 0).Err(); err != nil {
			t.Fatal(err)
		}
	}
	dead := c.KillMaster(1)
	until(t, "the replica takes over", func() error {
		for i := range keys {
			if err := client.Get(t.Context(), fmt.Sprint(i)).Err(); err != nil {
				return err
			}
		}
		return nil
	})
	if heir := c.Master(1); heir == dead {
		t.Error("the dead node is the master still")
	}
	c.Restart()
	if info := fmt.Sprint(dead.do("INFO", "replication")); field(info, "role") != "slave" {
		t.Errorf("the dead node came back as %q", info)
	}
}

// The same under sentinels, found by a client that knows nothing but them.
func TestSentinel(t *testing.T) {
	t.Parallel()
	s := Sentinel(t)
	client := redis.NewFailoverClient(&redis.FailoverOptions{MasterName: s.MasterName(), SentinelAddrs: s.SentinelAddrs()})
	defer client.Close()
	if err := client.Set(t.Context(), "key", "x", 0).Err(); err != nil {
		t.Fatal(err)
	}
	dead := s.KillMaster()
	until(t, "a replica takes over", func() error { return client.Set(t.Context(), "key", "y", 0).Err() })
	heir := s.Master()
	if got := look(t, heir); heir == dead || got != "y" {
		t.Errorf("the new master is the old one: %t; it has %q", heir == dead, got)
	}
	s.Restart()
	if err := dead.Client().Set(t.Context(), "key", "z", 0).Err(); err == nil || !strings.HasPrefix(err.Error(), "READONLY") {
		t.Errorf("writing to the old master: %v", err)
	}
}
