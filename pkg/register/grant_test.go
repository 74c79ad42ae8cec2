package register

import (
	"errors"
	"testing"
	"time"

	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/mandate"
)

func TestWhatCannotBeGranted(t *testing.T) {
	onBoth(t, func(t *testing.T, s *scene) {
		b, a, g := s.org(1), s.org(2), s.person(1)
		c := s.grant(chain(b, a))
		ended := s.grant(chain(s.org(3), a))
		s.setState(ended.ID, mandate.Revoked)
		stranger := mandate.Organisation{ID: 99}

		for _, c := range []struct {
			why  string
			m    mandate.Mandate
			want error
		}{
			{"not fit to be registered", direct(b, mandate.Person{}), mandate.ErrParties},
			{"an unknown grantor", direct(stranger, g), ErrUnknownParty},
			{"an unknown person", direct(b, mandate.Person{ID: 99}), ErrUnknownParty},
			{"an unknown intermediary", chain(b, stranger), ErrUnknownParty},
			{"an assignment by somebody else", assignment(mandate.Mandate{ID: c.ID, Intermediary: b}, g), ErrClient},
			{"an assignment of a direct mandate or nothing", assignment(mandate.Mandate{ID: 99, Intermediary: a}, g), ErrClient},
			{"an assignment of what has ended", assignment(ended, g), ErrClient},
		} {
			s.refused(c.want, func(t *Tx) error { _, err := t.Grant(c.m, GrantOptions{}); return err })
		}

		old := direct(b, g)
		old.Validity = mandate.Validity{From: noon.AddDate(-1, 0, 0), To: noon.AddDate(1, 0, 0)}
		s.refused(mandate.ErrBackdated, func(t *Tx) error { _, err := t.Grant(old, GrantOptions{}); return err })
		s.change(func(t *Tx) { must(t.Grant(old, GrantOptions{Migrating: true})) })
	})
}

// The same mandate cannot stand in the register twice for the same day: revoking one
// would leave the other. What differs in anything that matters is another mandate.
func TestTheSameMandateTwiceIsRefused(t *testing.T) {
	onBoth(t, func(t *testing.T, s *scene) {
		b, b2, a, g, g2 := s.org(1), s.org(2), s.org(3), s.person(1), s.person(2)
		item := mandate.Item{Service: tax, Level: etoegang.LoA3}
		d := s.grant(direct(b, g, item, mandate.Everything(etoegang.LoA2)))
		c := s.grant(chain(b, a, item))
		c2 := s.grant(chain(b2, a, item))
		as := s.grant(assignment(c, g, item))

		later := d
		later.Validity = mandate.Validity{From: d.Validity.To, To: d.Validity.To.AddDate(1, 0, 0)}
		lastDay := d
		lastDay.Validity.From = d.Validity.To.Add(-time.Second)
		lastDay.Validity.To = d.Validity.To.AddDate(1, 0, 0)
		branch := d
		branch.Establishments = []etoegang.EstablishmentNumber{must(etoegang.ParseEstablishmentNumber("000000000001"))}
		elsewhere := c
		elsewhere.Register = mr2

		for _, c := range []struct {
			why   string
			m     mandate.Mandate
			other mandate.ID // 0: not the same mandate
		}{
			{"the same again", d, d.ID},
			{"one item in common", direct(b, g, mandate.Everything(etoegang.LoA2)), d.ID},
			{"from the last second on", lastDay, d.ID},
			{"from the end on", later, 0},
			{"at another level", direct(b, g, mandate.Item{Service: tax, Level: etoegang.LoA4}), 0},
			{"for another service", direct(b, g, mandate.Item{Service: uwv, Level: etoegang.LoA3}), 0},
			{"to another person", direct(b, g2, item), 0},
			{"from another company", direct(b2, g, item), 0},
			{"for a branch only", branch, 0},
			{"a chain again", c, c.ID},
			{"a chain held elsewhere", elsewhere, 0},
			{"a chain the other way round", chain(a, b, item), 0},
			{"an assignment again", as, as.ID},
			{"an assignment for another client", assignment(c2, g, item), 0},
			{"an assignment to another person", assignment(c, g2, item), 0},
		} {
			_, err := s.Change(ctx, desk, func(t *Tx) error {
				_, err := t.Grant(c.m, GrantOptions{})
				if err == nil {
					err = errUndo
				}
				return err
			})
			var overlap *OverlapError
			switch {
			case c.other == 0 && err != errUndo:
				t.Errorf("%s: got %v, want it granted", c.why, err)
			case c.other != 0 && (!errors.Is(err, ErrOverlap) || !errors.As(err, &overlap) || overlap.Mandate != c.other):
				t.Errorf("%s: got %v, want an overlap with %d", c.why, err, c.other)
			}
		}

		s.setState(d.ID, mandate.Revoked)
		s.grant(d) // what has ended is in nobody's way
	})
}

// errUndo ends a change that would have succeeded.
var errUndo = errors.New("undo")

// A refusal leaves the rest of a change alone: an import goes on past a duplicate.
func TestARefusalDoesNotSpoilTheChange(t *testing.T) {
	onBoth(t, func(t *testing.T, s *scene) {
		b, g := s.org(1), s.person(1)
		s.grant(direct(b, g))
		var added mandate.Mandate
		s.change(func(t *Tx) {
			if _, err := t.Grant(direct(b, g), GrantOptions{}); !errors.Is(err, ErrOverlap) {
				s.Errorf("got %v", err)
			}
			added = must(t.Grant(direct(b, g, mandate.Item{Service: tax, Level: etoegang.LoA3}), GrantOptions{}))
		})
		s.read(func(v *Snapshot) { must(v.Mandate(added.ID)) })
	})
}

// Within a change its own earlier steps are seen, however many steps a mandate takes;
// to everybody else there was one.
func TestManyStepsInOneChange(t *testing.T) {
	onBoth(t, func(t *testing.T, s *scene) {
		b, g := s.org(1), s.person(1)
		asked := direct(b, g)
		asked.State = mandate.Requested
		var m mandate.Mandate
		rev := s.change(func(t *Tx) {
			m = must(t.Grant(asked, GrantOptions{}))
			for _, to := range []mandate.State{mandate.AwaitingSignatures, mandate.AwaitingAcceptance, mandate.Active, mandate.Suspended} {
				m = must(t.SetState(m.ID, to))
			}
			if got := must(t.Snapshot().Mandate(m.ID)); got.State != mandate.Suspended {
				s.Errorf("within the change the mandate is %s", got.State)
			}
			for _, name := range []string{"a", "b", "c"} {
				b.Name = name
				must(t.PutOrganisation(b))
			}
		})
		s.read(func(v *Snapshot) {
			history := must(v.History(m.ID))
			if len(history) != 1 || history[0].Revision != rev || history[0].Mandate.State != mandate.Suspended || history[0].Mandate.Grantor.Name != "c" {
				t.Errorf("got %+v", history)
			}
		})
	})
}

func TestAMandateGoesOnlyWhereItsStateAllows(t *testing.T) {
	onBoth(t, func(t *testing.T, s *scene) {
		m := s.grant(direct(s.org(1), s.person(1)))
		s.setState(m.ID, mandate.Suspended)
		s.setState(m.ID, mandate.Active)
		s.setState(m.ID, mandate.Revoked)

		_, err := s.Change(ctx, desk, func(t *Tx) error { _, err := t.SetState(m.ID, mandate.Active); return err })
		var transition *TransitionError
		if !errors.As(err, &transition) || *transition != (TransitionError{m.ID, mandate.Revoked, mandate.Active}) {
			t.Errorf("got %v", err)
		}
		s.refused(ErrNotFound, func(t *Tx) error { _, err := t.SetState(99, mandate.Revoked); return err })
	})
}

// When the client ends the chain mandate, the intermediary's people lose it in the
// same revision; suspending it leaves their assignments for when it returns.
func TestEndingAChainEndsItsAssignments(t *testing.T) {
	onBoth(t, func(t *testing.T, s *scene) {
		b, a := s.org(1), s.org(2)
		c := s.grant(chain(b, a))
		held := s.grant(assignment(c, s.person(1)))
		wanted := assignment(c, s.person(2))
		wanted.State = mandate.Requested
		wanted = s.grant(wanted)
		over := s.grant(assignment(c, s.person(3)))
		s.setState(over.ID, mandate.LapsedUnused)
		other := s.grant(assignment(s.grant(chain(s.org(3), a)), s.person(1)))

		states := func() (list [4]mandate.State) {
			s.read(func(v *Snapshot) {
				for i, m := range []mandate.Mandate{held, wanted, over, other} {
					list[i] = must(v.Mandate(m.ID)).State
				}
			})
			return list
		}
		s.setState(c.ID, mandate.Suspended)
		if got := states(); got != [4]mandate.State{mandate.Active, mandate.Requested, mandate.LapsedUnused, mandate.Active} {
			t.Errorf("after suspending: %v", got)
		}
		rev := s.setState(c.ID, mandate.Revoked)
		if got := states(); got != [4]mandate.State{mandate.Revoked, mandate.Withdrawn, mandate.LapsedUnused, mandate.Active} {
			t.Errorf("after revoking: %v", got)
		}
		s.read(func(v *Snapshot) {
			if history := must(v.History(held.ID)); history[len(history)-1].Revision != rev {
				t.Errorf("the assignment ended in %d, its chain in %d", history[len(history)-1].Revision, rev)
			}
		})
	})
}
