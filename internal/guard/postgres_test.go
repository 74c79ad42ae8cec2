package guard

import (
	"context"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mandated/mandated/internal/postgres"
	"github.com/mandated/mandated/internal/servers"
)

// The connection breaks, before or after the database has done what it was asked. Who was
// first is admitted and hears it; his copy is not.
func TestLostConnectionToTheDatabase(t *testing.T) {
	for name, hang := range map[string]func(*servers.Proxy){"before": (*servers.Proxy).Hang, "after": (*servers.Proxy).HangAnswers} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			wire := s.link()
			direct := strings.Replace(s.place, wire.Addr(), fmt.Sprintf("127.0.0.1:%d", servers.Shared(t).Port()), 1)
			g := s.guard()
			for round := range 4 {
				s.admit(g, fmt.Sprint("warm", round), start.Add(time.Minute), nil)
				before := (&scene{t: t, place: direct}).rows("guard_admitted")
				hang(wire)
				answer := make(chan error)
				id := fmt.Sprint("_", round)
				go func() { answer <- g.Admit(ctx, broker, id, start.Add(time.Minute)) }()
				waitFor(t, "the question", func() bool {
					return g.backend.(*databaseStore).group.Waiting() == 1 &&
						(name == "before" || (&scene{t: t, place: direct}).rows("guard_admitted") > before)
				})
				wire.Cut()
				wire.Heal()
				if err := <-answer; err != nil {
					t.Fatal(err)
				}
				s.admit(g, id, start.Add(time.Minute), ErrReplayed)
			}
		})
	}
}

// A value that was given out on a connection that broke is not given again, and is not
// said never to have been there.
func TestLostTake(t *testing.T) {
	s := newScene(t)
	wire := s.link()
	direct := strings.Replace(s.place, wire.Addr(), fmt.Sprintf("127.0.0.1:%d", servers.Shared(t).Port()), 1)
	g := s.guard()
	for _, key := range []string{"warm", "key"} {
		if err := g.Keep(ctx, key, []byte("sealed"), start.Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := g.Take(ctx, "warm"); err != nil {
		t.Fatal(err)
	}
	wire.HangAnswers()
	answer := make(chan error)
	go func() { _, err := g.Take(ctx, "key"); answer <- err }()
	waitFor(t, "the value to be gone", func() bool { return (&scene{t: t, place: direct}).rows("guard_kept") == 0 })
	wire.Cut()
	wire.Heal()
	if err := <-answer; err == nil || errors.Is(err, ErrNotFound) {
		t.Errorf("got %v", err)
	}
}

// The database stays away: an error while the caller still waits, and never an admission.
func TestDatabaseAway(t *testing.T) {
	s := newScene(t)
	wire := s.link()
	g := s.guard()
	wire.Cut()
	short, cancel := context.WithTimeout(ctx, 300*time.Millisecond)
	defer cancel()
	if err := g.Admit(short, broker, "_1", start.Add(time.Minute)); err == nil || errors.Is(err, ErrReplayed) {
		t.Errorf("got %v", err)
	}
	if _, err := g.Take(short, "key"); err == nil || errors.Is(err, ErrNotFound) {
		t.Errorf("got %v", err)
	}
	wire.Heal()
	s.admit(g, "_2", start.Add(time.Minute), nil)
}

// Nodes admit the same messages in large groups at the same time, each in its own
// order and with copies among them: they never wait for each other in a ring, and each message is admitted once.
func TestOverlappingGroups(t *testing.T) {
	s := newScene(t)
	s.onDatabase()
	nodes := []*Guard{s.guard(), s.guard(), s.guard()}
	const rounds, messages = 20, 300
	var admitted atomic.Int32
	for round := range rounds {
		var all sync.WaitGroup
		for _, g := range nodes {
			all.Go(func() {
				var group []*message
				for _, i := range mathrand.Perm(2 * messages) {
					key := hash(fmt.Sprint(round, "-", i%messages))
					group = append(group, &message{key: key, token: newToken(), until: start.Add(time.Minute).UnixMilli()})
				}
				if err := g.backend.(*databaseStore).write(ctx, group); err != nil {
					t.Error(err)
				}
				for _, m := range group {
					if m.refusal == nil {
						admitted.Add(1)
					}
				}
			})
		}
		all.Wait()
	}
	if n := admitted.Load(); n != rounds*messages {
		t.Errorf("%d of %d were admitted", n, rounds*messages)
	}
}

// The database is killed under load, and comes back: what was admitted is remembered, and
// nobody hears of it.
func TestDatabaseKilled(t *testing.T) {
	d := servers.Postgres(t, servers.PostgresOptions{Durable: true})
	s := newScene(t)
	s.place = d.DSN()
	g := s.guard()
	var mu sync.Mutex
	var admitted []string
	count := func() int { mu.Lock(); defer mu.Unlock(); return len(admitted) }
	stop, done := context.WithCancel(ctx)
	var askers sync.WaitGroup
	for i := range 8 {
		askers.Go(func() {
			for n := 0; stop.Err() == nil; n++ {
				id := fmt.Sprint(i, "-", n)
				if err := g.Admit(ctx, broker, id, start.Add(time.Minute)); err != nil {
					t.Error(err)
				}
				mu.Lock()
				admitted = append(admitted, id)
				mu.Unlock()
			}
		})
	}
	for range 3 {
		before := count()
		waitFor(t, "messages before the kill", func() bool { return count() > before+50 })
		d.Kill()
		d.Start()
	}
	before := count()
	waitFor(t, "messages after it", func() bool { return count() > before })
	done()
	askers.Wait()
	for part := range slices.Chunk(admitted, len(admitted)/32+1) {
		askers.Go(func() {
			for _, id := range part {
				s.admit(g, id, start.Add(time.Minute), ErrReplayed)
			}
		})
	}
	askers.Wait()
}

// A standby cannot be a guard, nor a database that a later release has written.
func TestUnfitDatabase(t *testing.T) {
	primary := servers.Postgres(t, servers.PostgresOptions{})
	s := newScene(t)
	s.place = primary.Standby(t).DSN()
	if _, err := s.open(); !errors.Is(err, postgres.ErrStandby) {
		t.Errorf("a standby: %v", err)
	}
	s.place = primary.DSN()
	s.guard()
	if _, err := s.db().Exec(`INSERT INTO guard_schema (version_id, is_applied) VALUES (99, true)`); err != nil {
		t.Fatal(err)
	}
	if _, err := s.open(); err == nil || !strings.Contains(err.Error(), "newer release") {
		t.Errorf("a newer schema: %v", err)
	}
}
