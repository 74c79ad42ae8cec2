package guard

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/mandated/mandated/internal/servers"
)

var secret = bytes.Repeat([]byte("s"), 32)

// overRedis is a guard on a Redis at that address.
func (s *scene) overRedis(address string) *Guard { return s.over(s.client(address)) }

func (s *scene) over(client redis.UniversalClient) *Guard {
	s.t.Helper()
	g, err := OpenRedis(client, secret, s.clock.now)
	if err != nil {
		s.t.Fatal(err)
	}
	return g
}

// briefly is how long a test lets a guard ask a Redis that will not answer.
func briefly(t *testing.T) context.Context {
	short, cancel := context.WithTimeout(ctx, 300*time.Millisecond)
	t.Cleanup(cancel)
	return short
}

// A Redis that does not do what it must: the message is refused, it is said why, and it is
// never taken for one that was seen.
func TestUnfitRedis(t *testing.T) {
	tells := func(t *testing.T, client redis.UniversalClient, want error) {
		t.Helper()
		g := newScene(t).over(client)
		_, take := g.Take(briefly(t), "key")
		for what, err := range map[string]error{
			"Admit": g.Admit(briefly(t), broker, "_1", start.Add(time.Minute)),
			"Keep":  g.Keep(briefly(t), "key", nil, start.Add(time.Minute)),
			"Take":  take,
		} {
			if want == ErrFull && what == "Take" {
				continue // giving away needs no room
			}
			if !errors.Is(err, want) || errors.Is(err, ErrReplayed) || errors.Is(err, ErrNotFound) {
				t.Errorf("%s: %v", what, err)
			}
		}
	}
	at := func(t *testing.T, r *servers.RedisServer, user, password string) redis.UniversalClient {
		c := redis.NewClient(&redis.Options{Addr: r.Addr(), Username: user, Password: password, Protocol: 2, DisableIdentity: true, ContextTimeoutEnabled: true})
		t.Cleanup(func() { _ = c.Close() })
		return c
	}
	t.Run("no password", func(t *testing.T) {
		tells(t, at(t, servers.Redis(t, servers.RedisOptions{Password: "open"}), "", ""), ErrAccess)
	})
	t.Run("wrong password", func(t *testing.T) {
		tells(t, at(t, servers.Redis(t, servers.RedisOptions{Password: "open"}), "", "sesame"), ErrAccess)
	})
	t.Run("no rights", func(t *testing.T) {
		r := servers.Redis(t, servers.RedisOptions{Users: []string{"reader on >open ~* +get +info"}})
		tells(t, at(t, r, "reader", "open"), ErrAccess)
	})
	t.Run("full", func(t *testing.T) {
		tells(t, at(t, servers.Redis(t, servers.RedisOptions{MaxMemory: "1", Policy: "noeviction"}), "", ""), ErrFull)
	})
	t.Run("a replica", func(t *testing.T) {
		master := servers.Redis(t, servers.RedisOptions{})
		host, port, _ := strings.Cut(master.Addr(), ":")
		r := servers.Redis(t, servers.RedisOptions{Settings: []string{"replicaof " + host + " " + port}})
		tells(t, at(t, r, "", ""), ErrReadOnly)
	})
	t.Run("away", func(t *testing.T) {
		r := servers.Redis(t, servers.RedisOptions{})
		c := at(t, r, "", "")
		r.Kill()
		tells(t, c, ErrUnreachable)
	})
	t.Run("standing still", func(t *testing.T) {
		r := servers.Redis(t, servers.RedisOptions{})
		c := at(t, r, "", "")
		r.Pause()
		tells(t, c, ErrUnreachable)
		r.Resume()
	})
}

// Redis is away for a moment: whoever asks waits for it and hears nothing of that.
func TestRedisComesBack(t *testing.T) {
	r := servers.Redis(t, servers.RedisOptions{AppendOnly: true})
	s := newScene(t)
	g := s.overRedis(r.Addr())
	s.admit(g, "_before", start.Add(time.Minute), nil)
	r.Kill()
	answer := make(chan error)
	go func() { answer <- g.Admit(ctx, broker, "_meanwhile", start.Add(time.Minute)) }()
	r.Start()
	if err := <-answer; err != nil {
		t.Error(err)
	}
	for _, id := range []string{"_before", "_meanwhile"} {
		s.admit(g, id, start.Add(time.Minute), ErrReplayed)
	}
	r.Pause()
	go func() { answer <- g.Admit(ctx, broker, "_paused", start.Add(time.Minute)) }()
	select {
	case err := <-answer:
		t.Errorf("answered by nobody: %v", err)
	case <-time.After(time.Second): // several tries have been sent by now, and wait in the server
	}
	r.Resume()
	if err := <-answer; err != nil {
		t.Error(err)
	}
	s.admit(g, "_paused", start.Add(time.Minute), ErrReplayed)
}

// The answer is lost, after Redis has done what it was asked. Who was first is admitted
// and hears it; his copy is not. What was kept is there, and what was taken is not given
// again.
func TestLostAnswerOfRedis(t *testing.T) {
	r := servers.Redis(t, servers.RedisOptions{})
	wire := servers.Link(t, r.Addr())
	s := newScene(t)
	far, near := s.overRedis(wire.Addr()), s.overRedis(r.Addr())
	until := start.Add(time.Minute)
	lose := func(done func() bool, ask func() error) error {
		s.admit(far, fmt.Sprint("warm", time.Now()), until, nil) // a connection is there
		wire.HangAnswers()
		answer := make(chan error)
		go func() { answer <- ask() }()
		waitFor(t, "Redis", done)
		wire.Cut()
		wire.Heal()
		return <-answer
	}
	size := func() int { return len(s.keys(r.Client())) }
	before := 0
	grown := func() bool { return size() == before+2 } // with the one that makes the connection
	before = size()
	if err := lose(grown, func() error { return far.Admit(ctx, broker, "_1", until) }); err != nil {
		t.Errorf("admitting: %v", err)
	}
	s.admit(near, "_1", until, ErrReplayed)
	before = size()
	if err := lose(grown, func() error { return far.Keep(ctx, "key", []byte("sealed"), until) }); err != nil {
		t.Errorf("keeping: %v", err)
	}
	gone := func() bool { return size() == before+2 }
	before = size() - 2
	if err := lose(gone, func() error { _, err := far.Take(ctx, "key"); return err }); err == nil {
		t.Error("taken, although the answer was lost")
	}
	if _, err := near.Take(ctx, "key"); !errors.Is(err, ErrNotFound) {
		t.Errorf("afterwards: %v", err)
	}
}

// What stands under our keys is not believed to be ours by its place alone.
func TestForeignKeys(t *testing.T) {
	r := servers.Redis(t, servers.RedisOptions{})
	s := newScene(t)
	g := s.overRedis(r.Addr())
	store := g.backend.(*redisStore)
	for _, c := range []struct {
		name string
		ask  func() error
		want error
	}{
		{store.name("guard", hash(broker, "_1")), func() error { return g.Admit(ctx, broker, "_1", start) }, ErrReplayed},
		{store.name("kept", hash("key")), func() error { _, err := g.Take(ctx, "key"); return err }, errForeign},
	} {
		if err := r.Client().Set(ctx, c.name, "foreign", 0).Err(); err != nil {
			t.Fatal(err)
		}
		if err := c.ask(); !errors.Is(err, c.want) {
			t.Errorf("a foreign value: %v", err)
		}
		if err := errors.Join(r.Client().Del(ctx, c.name).Err(), r.Client().LPush(ctx, c.name, "list").Err()); err != nil {
			t.Fatal(err)
		}
		if err := c.ask(); err == nil || errors.Is(err, ErrNotFound) {
			t.Errorf("a value of another type: %v", err)
		}
	}
	other, err := OpenRedis(s.client(r.Addr()), bytes.Repeat([]byte("t"), 32), s.clock.now)
	if err != nil {
		t.Fatal(err)
	}
	s.admit(other, "_1", start, nil) // another register's key is another key
	if _, err := OpenRedis(s.client(r.Addr()), secret[1:], nil); err == nil {
		t.Error("a short secret was accepted")
	}
}

// A Redis that would forget, or is too old, is refused; what an operator should know of
// the others is said.
func TestCheckRedis(t *testing.T) {
	for _, c := range []struct {
		why     string
		options servers.RedisOptions
		warning string
		err     error
	}{
		{"as it should be", servers.RedisOptions{AppendOnly: true}, "", nil},
		{"nothing on disk", servers.RedisOptions{}, "appendonly", nil},
		{"evicting", servers.RedisOptions{AppendOnly: true, MaxMemory: "10mb", Policy: "allkeys-lru"}, "", ErrEvicts},
		{"a password", servers.RedisOptions{Password: "open"}, "", ErrAccess},
		{"no INFO", servers.RedisOptions{Users: []string{"default on nopass ~* +@all -info"}}, "INFO", nil},
	} {
		t.Run(c.why, func(t *testing.T) {
			r := servers.Redis(t, c.options)
			s := newScene(t)
			warning, err := CheckRedis(ctx, s.client(r.Addr()))
			if !errors.Is(err, c.err) || (warning == "") != (c.warning == "") || !strings.Contains(warning, c.warning) {
				t.Errorf("warning %q, %v", warning, err)
			}
		})
	}
	away := servers.Redis(t, servers.RedisOptions{})
	away.Kill()
	if _, err := CheckRedis(ctx, newScene(t).client(away.Addr())); !errors.Is(err, ErrUnreachable) {
		t.Errorf("away: %v", err)
	}
	for version, want := range map[string]bool{"6.0.16": false, "6.2.0": true, "7.0.15": true, "10.1": true, "5": false, "": false} {
		if recent(version) != want {
			t.Errorf("version %q: %v", version, !want)
		}
	}
}

// A master dies under load. Nobody hears of it, except that it takes a moment; and what
// the replicas had is remembered.
func TestFailOver(t *testing.T) {
	t.Run("sentinel", func(t *testing.T) {
		set := servers.Sentinel(t)
		client := redis.NewUniversalClient(&redis.UniversalOptions{
			Addrs: set.SentinelAddrs(), MasterName: set.MasterName(), Protocol: 2, DisableIdentity: true, ContextTimeoutEnabled: true,
			DialTimeout: 200 * time.Millisecond, ReadTimeout: 200 * time.Millisecond, WriteTimeout: 200 * time.Millisecond,
		})
		failOver(t, client, func() { set.KillMaster() })
	})
	t.Run("cluster", func(t *testing.T) {
		cluster := servers.RedisCluster(t)
		client := redis.NewClusterClient(&redis.ClusterOptions{
			Addrs: cluster.Addrs(), Protocol: 2, DisableIdentity: true, ContextTimeoutEnabled: true, DisableRoutingPolicies: true,
			DialTimeout: 200 * time.Millisecond, ReadTimeout: 200 * time.Millisecond, WriteTimeout: 200 * time.Millisecond,
			ClusterStateReloadInterval: time.Second,
		})
		if warning, err := CheckRedis(ctx, client); err != nil || !strings.Contains(warning, "appendonly") {
			t.Errorf("warning %q, %v", warning, err)
		}
		failOver(t, client, func() { cluster.KillMaster(0) })
	})
}

func failOver(t *testing.T, client redis.UniversalClient, kill func()) {
	defer client.Close()
	s := newScene(t)
	g := s.over(client)
	until := start.Add(time.Hour)
	for i := range 100 {
		s.admit(g, fmt.Sprint("before", i), until, nil)
	}
	waitForReplicas(t, client)
	var askers sync.WaitGroup
	defer askers.Wait() // also after a failure: nobody asks for a scene that is over
	stop, done := context.WithCancel(ctx)
	defer done()
	var mu sync.Mutex
	count := 0
	for i := range 8 {
		askers.Go(func() {
			for n := 0; stop.Err() == nil; n++ {
				s.admit(g, fmt.Sprint(i, "-", n), until, nil)
				mu.Lock()
				count++
				mu.Unlock()
			}
		})
	}
	kill()
	mu.Lock()
	before := count
	mu.Unlock()
	waitFor(t, "service again", func() bool { mu.Lock(); defer mu.Unlock(); return count > before+200 })
	done()
	askers.Wait()
	for i := range 100 {
		s.admit(g, fmt.Sprint("before", i), until, ErrReplayed)
	}
}

// waitForReplicas waits until every master's replicas have what was written.
func waitForReplicas(t *testing.T, client redis.UniversalClient) {
	t.Helper()
	replicated := func(ctx context.Context, master *redis.Client) error {
		n, err := master.Do(ctx, "WAIT", 1, 0).Int()
		if err == nil && n < 1 {
			err = errors.New("no replica has it")
		}
		return err
	}
	var err error
	switch c := client.(type) {
	case *redis.ClusterClient:
		err = c.ForEachMaster(ctx, replicated)
	case *redis.Client:
		err = replicated(ctx, c)
	}
	if err != nil {
		t.Fatal(err)
	}
}
