package guard

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mandated/mandated/internal/group"
)

// A message is admitted once; the same id of another issuer is another message,
// however the two are cut.
func TestOnce(t *testing.T) {
	onAll(t, func(t *testing.T, s *scene) {
		g := s.guard()
		until := start.Add(time.Minute)
		for _, m := range []struct {
			issuer, id string
			want       error
		}{
			{broker, "_1", nil},
			{broker, "_1", ErrReplayed},
			{broker, "_2", nil},
			{broker + "_", "1", nil},
			{"", broker + "_1", nil},
			{broker, "_1", ErrReplayed},
		} {
			if err := g.Admit(ctx, m.issuer, m.id, until); !errors.Is(err, m.want) {
				t.Errorf("(%q, %q): got %v, want %v", m.issuer, m.id, err, m.want)
			}
		}
	})
}

// At the last moment a copy is still refused; only after it the message is
// forgotten. Fractions of a millisecond count for the guard, never against it.
func TestRememberedToTheLastMoment(t *testing.T) {
	onAll(t, func(t *testing.T, s *scene) {
		g := s.guard()
		until := start.Add(time.Minute + 300*time.Microsecond)
		s.admit(g, "_1", until, nil)
		for _, m := range []time.Time{start.Add(time.Minute), until, until.Add(700 * time.Microsecond)} {
			s.clock.set(m)
			s.admit(g, "_1", until.Add(time.Hour), ErrReplayed)
		}
		s.clock.set(until.Add(s.skew))
		s.admit(g, "_1", until.Add(time.Hour), ErrReplayed)
		s.clock.set(start)
		s.pass(until)
		s.admit(g, "_1", until.Add(time.Hour), nil)
		s.admit(g, "_1", until.Add(time.Hour), ErrReplayed)
	})
}

// A message that is too old to be accepted cannot be remembered in any way that
// helps, so it is refused here too.
func TestLate(t *testing.T) {
	onAll(t, func(t *testing.T, s *scene) {
		g := s.guard()
		s.admit(g, "_1", start, nil)
		s.admit(g, "_2", start.Add(-time.Millisecond), ErrLate)
		if err := g.Keep(ctx, "key", nil, start.Add(-time.Millisecond)); !errors.Is(err, ErrLate) {
			t.Errorf("keeping: %v", err)
		}
	})
}

// Sixteen copies at once at two nodes, again and again: exactly one is admitted, and
// the others hear that they are copies.
func TestSixteenCopies(t *testing.T) {
	onAll(t, func(t *testing.T, s *scene) {
		nodes := []*Guard{s.guard(), s.guard()}
		for round := range 500 {
			var admitted atomic.Int32
			var copies sync.WaitGroup
			for i := range 16 {
				copies.Go(func() {
					err := nodes[i%2].Admit(ctx, broker, fmt.Sprint("_", round), start.Add(time.Minute))
					switch {
					case err == nil:
						admitted.Add(1)
					case !errors.Is(err, ErrReplayed):
						t.Error(err)
					}
				})
			}
			copies.Wait()
			if n := admitted.Load(); n != 1 {
				t.Fatalf("round %d: %d admitted", round, n)
			}
		}
	})
}

// Two nodes are one guard, and a restart forgets nothing.
func TestNodesAndRestarts(t *testing.T) {
	onAll(t, func(t *testing.T, s *scene) {
		a, b := s.guard(), s.guard()
		s.admit(a, "_1", start.Add(time.Minute), nil)
		s.admit(b, "_1", start.Add(time.Minute), ErrReplayed)
		if err := errors.Join(a.Close(), b.Close(), a.Close()); err != nil {
			t.Fatal(err)
		}
		s.admit(s.guard(), "_1", start.Add(time.Minute), ErrReplayed)
	})
}

// A value is given once, as it was, to whoever asks first.
func TestKeepAndTake(t *testing.T) {
	onAll(t, func(t *testing.T, s *scene) {
		g, other := s.guard(), s.guard()
		until := start.Add(time.Minute)
		for i, sealed := range [][]byte{[]byte("sealed"), {}, nil, {0, 255, 0}, bytes.Repeat([]byte("x"), 300_000)} {
			key := fmt.Sprint("key", i)
			if err := g.Keep(ctx, key, sealed, until); err != nil {
				t.Fatal(err)
			}
			if err := other.Keep(ctx, key, []byte("another"), until); !errors.Is(err, ErrExists) {
				t.Errorf("kept twice: %v", err)
			}
			if got, err := other.Take(ctx, key); err != nil || !bytes.Equal(got, sealed) {
				t.Errorf("value %d: %q, %v", i, got, err)
			}
			if got, err := g.Take(ctx, key); !errors.Is(err, ErrNotFound) || got != nil {
				t.Errorf("value %d again: %q, %v", i, got, err)
			}
		}
		if _, err := g.Take(ctx, "never kept"); !errors.Is(err, ErrNotFound) {
			t.Errorf("got %v", err)
		}
	})
}

// A value is there up to its last moment, at whichever node and after a restart, and
// gone after it; then its key is free.
func TestValuesExpire(t *testing.T) {
	onAll(t, func(t *testing.T, s *scene) {
		until := start.Add(time.Minute)
		keep := func(key, sealed string, until time.Time) {
			t.Helper()
			g := s.guard()
			if err := errors.Join(g.Keep(ctx, key, []byte(sealed), until), g.Close()); err != nil {
				t.Fatal(err)
			}
		}
		keep("early", "a", until)
		keep("late", "b", until)
		keep("again", "c", until)
		g := s.guard()
		s.clock.set(until)
		if got, err := g.Take(ctx, "early"); err != nil || string(got) != "a" {
			t.Errorf("at its last moment: %q, %v", got, err)
		}
		s.clock.set(until.Add(time.Millisecond))
		if got, err := g.Take(ctx, "late"); !errors.Is(err, ErrNotFound) || got != nil {
			t.Errorf("after it: %q, %v", got, err)
		}
		s.clock.set(start)
		s.pass(until)
		keep("again", "d", until.Add(time.Hour))
		if got, err := g.Take(ctx, "again"); err != nil || string(got) != "d" {
			t.Errorf("the key once more: %q, %v", got, err)
		}
	})
}

// Sixteen who want the same value at once: one gets it.
func TestSixteenTakers(t *testing.T) {
	onAll(t, func(t *testing.T, s *scene) {
		nodes := []*Guard{s.guard(), s.guard()}
		for round := range 100 {
			key := fmt.Sprint("key", round)
			if err := nodes[0].Keep(ctx, key, []byte(key), start.Add(time.Minute)); err != nil {
				t.Fatal(err)
			}
			var given atomic.Int32
			var takers sync.WaitGroup
			for i := range 16 {
				takers.Go(func() {
					got, err := nodes[i%2].Take(ctx, key)
					switch {
					case err == nil && string(got) == key:
						given.Add(1)
					case !errors.Is(err, ErrNotFound):
						t.Error(got, err)
					}
				})
			}
			takers.Wait()
			if n := given.Load(); n != 1 {
				t.Fatalf("round %d: given %d times", round, n)
			}
		}
	})
}

// What is looked at stays, on every node, until it is taken or too late; what replaces
// another value is all that is there.
func TestLookAndReplace(t *testing.T) {
	onAll(t, func(t *testing.T, s *scene) {
		one, other, until := s.guard(), s.guard(), start.Add(time.Minute)
		look := func(g *Guard, want string, wanted error) {
			t.Helper()
			if got, err := g.Look(ctx, "key"); string(got) != want || !errors.Is(err, wanted) {
				t.Errorf("looked and found %q, %v; want %q, %v", got, err, want, wanted)
			}
		}
		look(one, "", ErrNotFound)
		for i, write := range []func(context.Context, string, []byte, time.Time) error{one.Keep, one.Replace, other.Replace} {
			if err := write(ctx, "key", []byte(fmt.Sprint("value ", i)), until); err != nil {
				t.Fatal(err)
			}
			look(one, fmt.Sprint("value ", i), nil)
			look(other, fmt.Sprint("value ", i), nil)
		}
		if err := one.Replace(ctx, "key", nil, start.Add(-time.Second)); !errors.Is(err, ErrLate) {
			t.Errorf("replaced by what is too late: %v", err)
		}
		look(other, "value 2", nil)
		if got, err := other.Take(ctx, "key"); string(got) != "value 2" || err != nil {
			t.Errorf("took %q, %v", got, err)
		}
		look(one, "", ErrNotFound)
		if err := one.Replace(ctx, "key", []byte("last"), until); err != nil {
			t.Fatal(err)
		}
		s.pass(until)
		look(other, "", ErrNotFound)
	})
}

// Nobody can tell from the store who asked.
func TestOnlyHashesAreStored(t *testing.T) {
	onAll(t, func(t *testing.T, s *scene) {
		g := s.guard()
		s.admit(g, "_a-very-telling-id", start.Add(time.Minute), nil)
		if err := g.Keep(ctx, "a-secret-handle", []byte("sealed"), start.Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		all := s.found()
		if !bytes.Contains(all, []byte("sealed")) {
			t.Fatalf("looked in the wrong place: %q", all)
		}
		for _, telling := range []string{"telling", "etoegang", "9001", "00000003520354760000", "handle"} {
			if bytes.Contains(all, []byte(telling)) {
				t.Errorf("%q stands in %q", telling, all)
			}
		}
	})
}

// What is past is swept away bit by bit, so neither file nor tables grow for ever. Redis
// does that by itself.
func TestSweeping(t *testing.T) {
	for name, tables := range map[string][]string{"file": {"admitted", "kept"}, "postgres": {"guard_admitted", "guard_kept"}} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			map[string]func(){"file": s.onFile, "postgres": s.onDatabase}[name]()
			g := s.guard()
			for i := range 300 {
				s.clock.set(start.Add(time.Duration(i) * time.Second))
				until := s.clock.now().Add(20 * time.Second)
				s.admit(g, fmt.Sprint(i), until, nil)
				if err := g.Keep(ctx, fmt.Sprint(i), nil, until); err != nil {
					t.Fatal(err)
				}
			}
			for _, table := range tables {
				if n := s.rows(table); n > 30 {
					t.Errorf("%d rows in %s where 21 count", n, table)
				}
			}
		})
	}
}

// A row that expired and happens to be there still must not refuse.
func TestExpiredRowGivesWay(t *testing.T) {
	for name, table := range map[string]string{"file": "admitted", "postgres": "guard_admitted"} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			map[string]func(){"file": s.onFile, "postgres": s.onDatabase}[name]()
			g := s.guard()
			for i := range 10 {
				s.admit(g, fmt.Sprint(i), start.Add(time.Duration(i+1)*time.Second), nil)
			}
			s.clock.set(start.Add(time.Minute))
			s.admit(g, "9", start.Add(time.Hour), nil)
			if n := s.rows(table); n != 8 {
				t.Errorf("%d rows left: two should be swept for one that is admitted", n)
			}
		})
	}
}

// A guard that cannot answer must not be taken for one that says "seen before", nor for
// one that admits, and says so while the caller still waits.
func TestUnusableStoreIsAFaultOfItsOwn(t *testing.T) {
	for name, table := range map[string]string{"file": "admitted", "postgres": "guard_admitted"} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			map[string]func(){"file": s.onFile, "postgres": s.onDatabase}[name]()
			g := s.guard()
			db := s.db()
			if _, err := db.Exec(`ALTER TABLE ` + table + ` RENAME TO gone`); err != nil {
				t.Fatal(err)
			}
			if err := g.Admit(ctx, broker, "_1", start.Add(time.Minute)); err == nil || errors.Is(err, ErrReplayed) {
				t.Errorf("without its table: %v", err)
			}
			if _, err := db.Exec(`ALTER TABLE gone RENAME TO ` + table); err != nil {
				t.Fatal(err)
			}
			s.admit(g, "_1", start.Add(time.Minute), nil)
			if err := g.Close(); err != nil {
				t.Fatal(err)
			}
			s.admit(g, "_2", start.Add(time.Minute), group.ErrClosed)
		})
	}
}

// Who stops waiting hears so, and has not been admitted.
func TestCancelled(t *testing.T) {
	onAll(t, func(t *testing.T, s *scene) {
		late, cancel := context.WithCancel(ctx)
		cancel()
		if err := s.guard().Admit(late, broker, "_1", start.Add(time.Minute)); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	})
}
