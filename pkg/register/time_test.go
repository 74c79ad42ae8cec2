package register

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mandated/mandated/internal/servers"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/mandate"
)

// On Monday a mandate is granted, on Tuesday it is revoked, on Wednesday the company
// gets another name. Whoever asks about Monday gets Monday's answer.
func TestTheRegisterRemembersWhatItKnew(t *testing.T) {
	onBoth(t, func(t *testing.T, s *scene) {
		b, g := s.org(1), s.person(1)
		m := s.grant(direct(b, g))
		var monday Revision
		s.read(func(v *Snapshot) { monday = v.Revision() })
		s.clock.advance(24 * time.Hour)
		tuesday := s.setState(m.ID, mandate.Revoked)
		s.clock.advance(24 * time.Hour)
		renamed := b
		renamed.Name = "Later name"
		wednesday := s.change(func(t *Tx) { must(t.PutOrganisation(renamed)) })

		ask := func(v *Snapshot) mandate.Mandate {
			held := must(v.HeldBy(g.Subject, b.KvK.LegalSubject()))
			if len(held.Direct) != 1 {
				t.Fatalf("at revision %d: %+v", v.Revision(), held)
			}
			return held.Direct[0]
		}
		for _, c := range []struct {
			rev   Revision
			state mandate.State
			name  string
		}{
			{monday, mandate.Active, b.Name},
			{tuesday, mandate.Revoked, b.Name},
			{wednesday, mandate.Revoked, renamed.Name},
		} {
			s.readAt(c.rev, func(v *Snapshot) {
				if got := ask(v); got.State != c.state || got.Grantor.Name != c.name {
					t.Errorf("at revision %d: %s by %s", c.rev, got.State, got.Grantor.Name)
				}
			})
		}
		s.readAt(0, func(v *Snapshot) {
			if held := must(v.HeldBy(g.Subject, etoegang.LegalSubject{})); held.Person != nil {
				t.Errorf("before everything: %+v", held)
			}
		})
		for _, never := range []Revision{-1, wednesday + 1} {
			if err := s.ReadAt(ctx, never, func(*Snapshot) error { return nil }); !errors.Is(err, ErrNotFound) {
				t.Errorf("revision %d: %v", never, err)
			}
		}
	})
}

func TestHistoryIsComplete(t *testing.T) {
	onBoth(t, func(t *testing.T, s *scene) {
		m := s.grant(direct(s.org(1), s.person(1)))
		var want []Version
		s.read(func(v *Snapshot) { want = append(want, Version{v.Revision(), noon, desk, m}) })
		for day, to := range []mandate.State{mandate.Suspended, mandate.Active, mandate.LapsedUnused} {
			s.clock.advance(24 * time.Hour)
			author := Author{Who: string(to), Why: "because"}
			receipt, err := s.Change(ctx, author, func(t *Tx) error { _, err := t.SetState(m.ID, to); return err })
			if err != nil {
				t.Fatal(err)
			}
			m.State = to
			want = append(want, Version{receipt.Revision, noon.AddDate(0, 0, day+1), author, m})
		}
		s.read(func(v *Snapshot) {
			if diff := cmp.Diff(want, must(v.History(m.ID)), exact); diff != "" {
				t.Error(diff)
			}
			if _, err := v.History(99); !errors.Is(err, ErrNotFound) {
				t.Errorf("of nothing: %v", err)
			}
		})
		s.readAt(want[1].Revision, func(v *Snapshot) {
			if diff := cmp.Diff(want[:2], must(v.History(m.ID)), exact); diff != "" {
				t.Errorf("as known at its second version:\n%s", diff)
			}
		})
	})
}

func TestWhichRevisionWasKnownWhen(t *testing.T) {
	onBoth(t, func(t *testing.T, s *scene) {
		s.clock.advance(time.Hour)
		first := s.change(func(t *Tx) { must(t.PutOrganisation(company(1))) })
		second := s.change(func(t *Tx) { must(t.PutOrganisation(company(2))) })
		s.clock.advance(time.Hour)
		third := s.change(func(t *Tx) { must(t.PutOrganisation(company(3))) })

		for _, c := range []struct {
			after time.Duration
			want  Revision
		}{
			{0, 0}, {time.Hour - 1, 0}, {time.Hour, second}, {2*time.Hour - 1, second}, {2 * time.Hour, third}, {9 * time.Hour, third},
		} {
			if got, err := s.RevisionAt(ctx, noon.Add(c.after)); got != c.want || err != nil {
				t.Errorf("after %v: got %d (%v), want %d", c.after, got, err, c.want)
			}
		}
		if _, err := s.RevisionAt(ctx, noon.Add(-1)); !errors.Is(err, ErrNotFound) {
			t.Errorf("before the register existed: %v", err)
		}
		if first+1 != second || second+1 != third {
			t.Errorf("revisions %d, %d, %d are not dense", first, second, third)
		}
	})
}

// A machine whose clock is not the database's writes nothing. Else what it writes would
// date all that follows too: for ten minutes "what is known now" would be what was known
// before, and a revocation no part of it.
func TestAWrongClockWritesNothing(t *testing.T) {
	place := servers.Shared(t).DSN()
	r := must(Create(ctx, place, mr1, lease, Options{}))
	defer r.Close()
	b := company(1)
	must(r.Change(ctx, desk, func(t *Tx) (err error) { b, err = t.PutOrganisation(b); return err }))

	for _, off := range []time.Duration{10 * time.Minute, -10 * time.Minute} {
		now := func() time.Time { return time.Now().Add(off) }
		wrong := must(Open(ctx, place, Options{Now: now}))
		defer wrong.Close()
		_, err := wrong.Change(ctx, desk, func(*Tx) error { t.Error("a change began"); return nil })
		if !errors.Is(err, ErrClock) || !strings.Contains(err.Error(), "NTP") {
			t.Errorf("%v off: %v", off, err)
		}
		if _, err := Create(ctx, servers.Shared(t).DSN(), mr1, lease, Options{Now: now}); !errors.Is(err, ErrClock) {
			t.Errorf("creating, %v off: %v", off, err)
		}
	}
	stopped := b
	stopped.Blocked = true
	receipt := must(r.Change(ctx, desk, func(t *Tx) error { return second(t.PutOrganisation(stopped)) }))
	if got := must(r.RevisionAt(ctx, receipt.Effective)); got != 2 || got != receipt.Revision {
		t.Errorf("known when it was acknowledged: revision %d, and it is %d", got, receipt.Revision)
	}
}

// Clocks are compared between two moments of ours: waiting for one's turn proves nothing.
func TestTogether(t *testing.T) {
	const s = time.Second
	for _, c := range []struct {
		database, took time.Duration
		apart          string
	}{
		{0, 0, ""}, {2 * s, 0, ""}, {-2 * s, 0, ""}, {2*s + 1e6, 0, "2.001s"}, {-10 * time.Minute, 0, "10m0s"},
		{5 * s, 5 * s, ""}, {8 * s, 5 * s, "3s"}, {-3 * s, 5 * s, "3s"},
	} {
		err := together(limits{skew: MostSkew}, noon, noon.Add(c.database), noon.Add(c.took))
		if (err == nil) != (c.apart == "") || err != nil && !strings.Contains(err.Error(), "("+c.apart+" apart)") {
			t.Errorf("the database is at %v after %v: %v", c.database, c.took, err)
		}
	}
	if err := together(limits{}, noon, time.Time{}, noon); err != nil {
		t.Errorf("one clock: %v", err)
	}
}

// A clock that is set back must not make yesterday's revisions look newer than
// today's.
func TestAClockSetBackDoesNotTurnTheOrder(t *testing.T) {
	onBoth(t, func(t *testing.T, s *scene) {
		first := s.change(func(t *Tx) { must(t.PutOrganisation(company(1))) })
		s.clock.advance(-time.Hour)
		second := s.change(func(tx *Tx) {
			if tx.Now() != noon.Add(-time.Hour) {
				t.Errorf("a change has the time of the clock, not %v", tx.Now())
			}
			must(tx.PutOrganisation(company(2)))
		})
		if got := must(s.RevisionAt(ctx, noon)); got != second {
			t.Errorf("got %d, want %d", got, second)
		}
		if changes := must(s.Poll(ctx, first, 10)).Changes; changes[0].At != noon {
			t.Errorf("got %v", changes[0].At)
		}
	})
}
