package register

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

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
