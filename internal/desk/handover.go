package desk

import (
	"context"
	"time"

	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
)

// HandedOver is what became of somebody's assignments.
type HandedOver struct {
	Moved   int // the other has them now, and he no longer
	Waiting int // they wait for a signature; until then he keeps them
	Refused []Refusal
	Receipt register.Receipt
}

// HandOver gives to somebody else what the caller's organisation has assigned to one of its
// people: the same for each client, for the time that is left. It is one change; what the other
// cannot be assigned stays as it is, and is refused. What somebody may not do for the moment,
// the other may not either.
func (d *Desk) HandOver(ctx context.Context, c Caller, why string, from mandate.PersonID, to PersonWish, consent register.Consent) (done HandedOver, err error) {
	done.Receipt, err = d.change(ctx, c, why, func(t *turn) error {
		if err := t.actor.Leads(t.actor.Organisation); err != nil {
			return err
		}
		other, err := t.person(t.actor.Organisation, to)
		if err == nil && other.ID == from {
			err = ErrPerson
		}
		if err != nil {
			return err
		}
		list, err := assignedTo(t.Snapshot(), t.actor, from, t.Now())
		for _, m := range list {
			t.hand(m, other, consent, &done)
		}
		return err
	})
	return done, err
}

// assignedTo are the assignments of somebody that are in force or suspended.
func assignedTo(s *register.Snapshot, actor mandate.Actor, person mandate.PersonID, now time.Time) (list []mandate.Mandate, err error) {
	const page = 500
	f := register.Filter{Organisation: actor.Organisation, Side: mandate.GrantorSide, Kind: mandate.Assignment, Person: person}
	for after, more := mandate.ID(0), true; more && err == nil; {
		var some []mandate.Mandate
		some, more, err = s.Mandates(f, after, page)
		for _, m := range some {
			if after = m.ID; !m.State.Ended() && !m.State.Pending() && m.Validity.To.After(now) {
				list = append(list, m)
			}
		}
	}
	return list, err
}

// hand gives one assignment to somebody else, or leaves it as it is.
func (t *turn) hand(m mandate.Mandate, to mandate.Person, consent register.Consent, done *HandedOver) {
	waits := false
	err := t.Try(func() error {
		next, err := t.begin(mandate.Mandate{Kind: mandate.Assignment, Grantor: m.Grantor, Person: to, Client: m.Client,
			Scope: m.Scope, Establishments: m.Establishments, Reference: m.Reference, Validity: t.forMember(m.Validity)}, Wish{Consent: consent})
		if err != nil {
			return err
		}
		if waits = next.State.Pending(); waits {
			return nil
		}
		if m.State == mandate.Suspended {
			if next, err = t.SetState(next.ID, mandate.Suspended); err == nil {
				err = t.wrote(next, mandate.ActSuspend, register.Consent{}, nil)
			}
			if err != nil {
				return err
			}
		}
		return t.endFor(m, &Offboarded{})
	})
	switch {
	case err != nil:
		done.Refused = append(done.Refused, Refusal{register.Gap{Client: m.Client, Person: to.ID}, err})
	case waits:
		done.Waiting++
	default:
		done.Moved++
	}
}

// Assigned are the assignments that the caller's organisation has given to somebody, in force
// or suspended.
func (l *Look) Assigned(person mandate.PersonID) ([]mandate.Mandate, error) {
	return assignedTo(l.snapshot, l.actor, person, l.desk.register.Now())
}
