package desk

import (
	"context"
	"errors"
	"time"

	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
)

// HandedOver is what became of somebody's assignments.
type HandedOver struct {
	Moved   int // the other has them now, and he no longer
	Waiting int // they wait for a signature, with which he loses them
	Refused []Refusal
	Unknown []mandate.ID // were named, and he has no such assignment that is in force or suspended
	Receipt register.Receipt
}

// HandOver gives to somebody else some of what the caller's organisation has assigned to one of its
// people: the same for each client, for the time that is left. It is one change; what the other
// cannot be assigned stays as it is, and is refused. What somebody may not do for the moment, the
// other may not either. What the other has already is only taken from the one. ErrPerson: the
// organisation knows nobody with this number, or both are one.
func (d *Desk) HandOver(ctx context.Context, c Caller, why string, from mandate.PersonID, some []mandate.ID, to PersonWish, consent register.Consent) (done HandedOver, err error) {
	done.Receipt, err = d.change(ctx, c, why, func(t *turn) error {
		if err := t.actor.Leads(t.actor.Organisation); err != nil {
			return err
		}
		if from == 0 { // as a wish that would be somebody new
			return ErrPerson
		}
		if _, err := t.person(t.actor.Organisation, PersonWish{ID: from}); err != nil {
			return err
		}
		other, err := t.person(t.actor.Organisation, to)
		if err == nil && other.ID == from {
			err = ErrPerson
		}
		for _, id := range some {
			if err != nil {
				return err
			}
			err = t.handNamed(id, from, other, consent, &done)
		}
		return err
	})
	return done, err
}

// handNamed gives to somebody else what has this number, if it is an assignment of the one.
func (t *turn) handNamed(id mandate.ID, from mandate.PersonID, to mandate.Person, consent register.Consent, done *HandedOver) error {
	m, err := t.own(id)
	switch {
	case errors.Is(err, register.ErrNotFound), err == nil && !assigned(m, t.actor, from, t.Now()):
		done.Unknown = append(done.Unknown, id)
		return nil
	case err == nil:
		t.hand(m, to, consent, done)
	}
	return err
}

// assigned tells whether the actor's organisation has assigned that to somebody, and it is in force
// or suspended.
func assigned(m mandate.Mandate, actor mandate.Actor, person mandate.PersonID, now time.Time) bool {
	return m.Kind == mandate.Assignment && m.Grantor.ID == actor.Organisation && m.Person.ID == person &&
		!m.State.Ended() && !m.State.Pending() && m.Validity.To.After(now)
}

// hand gives one assignment to somebody else, or leaves it as it is.
func (t *turn) hand(m mandate.Mandate, to mandate.Person, consent register.Consent, done *HandedOver) {
	waits := false
	err := t.mayHand(m)
	if err == nil {
		err = t.Try(func() error {
			next, err := t.begin(mandate.Mandate{Kind: mandate.Assignment, Grantor: m.Grantor, Person: to, Client: m.Client,
				Scope: m.Scope, Establishments: m.Establishments, Reference: m.Reference, Validity: m.Validity.Left(t.Now())},
				Wish{Consent: consent, handsOver: m.ID})
			if waits = next.State.Pending(); err != nil || waits {
				return err
			}
			_, err = t.takeOver(next, m)
			return err
		})
	}
	var overlap *register.OverlapError
	if errors.As(err, &overlap) {
		err = t.Try(func() (has error) {
			if waits, has = t.hasAlready(overlap.Mandate, m); has != nil || waits {
				return has
			}
			return t.endFor(m, &Offboarded{})
		})
	}
	switch {
	case err != nil:
		done.Refused = append(done.Refused, Refusal{Gap: register.Gap{Client: m.Client, Person: to.ID}, Mandate: m.ID, Err: err})
	case waits:
		done.Waiting++
	default:
		done.Moved++
	}
}

// mayHand tells whether an assignment may go to a colleague. What the register's staff suspended
// stays where it is: the colleague's would be suspended by the company, which lets it go on.
func (t *turn) mayHand(m mandate.Mandate) error {
	if m.State != mandate.Suspended {
		return nil
	}
	by, err := t.Snapshot().SuspendedBy(m.ID)
	if err == nil && by == mandate.RegisterSide {
		err = mandate.ErrOtherSide
	}
	return err
}

// takeOver ends an assignment in whose place that of a colleague has come in force, which is
// suspended if the other was.
func (t *turn) takeOver(next, from mandate.Mandate) (mandate.Mandate, error) {
	if from.State == mandate.Suspended {
		var err error
		if next, err = t.SetState(next.ID, mandate.Suspended); err == nil {
			err = t.wrote(next, mandate.ActSuspend, register.Consent{}, nil)
		}
		if err != nil {
			return next, err
		}
	}
	return next, t.endFor(from, &Offboarded{})
}

// hasAlready tells whether an assignment waits to take over another, or else is all of it and in
// force. *register.OverlapError: neither.
func (t *turn) hasAlready(id mandate.ID, m mandate.Mandate) (waits bool, err error) {
	other, err := t.Snapshot().Mandate(id)
	if err != nil {
		return false, err
	}
	if other.State.Pending() {
		r, err := t.Snapshot().Request(id)
		if err == nil && r.HandsOver != m.ID {
			err = &register.OverlapError{Mandate: id}
		}
		return true, err
	}
	offered, err := t.offered()
	if err != nil {
		return false, err
	}
	m.Person, m.Validity = other.Person, m.Validity.Left(t.Now())
	if other.State != mandate.Active || m.Within(other, offered) != nil {
		return false, &register.OverlapError{Mandate: id}
	}
	return false, nil
}

// Assigned are the assignments that the caller's organisation has given to somebody, in force
// or suspended: at most limit of those after a number, and whether there are more.
func (l *Look) Assigned(person mandate.PersonID, after mandate.ID, limit int) (list []mandate.Mandate, more bool, err error) {
	const page = 500
	if person == 0 { // to a filter that is everybody
		return nil, false, nil
	}
	f := register.Filter{Organisation: l.actor.Organisation, Side: mandate.GrantorSide, Kind: mandate.Assignment, Person: person}
	for next := true; next && len(list) <= limit && err == nil; {
		var some []mandate.Mandate
		some, next, err = l.snapshot.Mandates(f, after, page)
		for _, m := range some {
			if after = m.ID; assigned(m, l.actor, person, l.now) {
				list = append(list, m)
			}
		}
	}
	if more = len(list) > limit; more {
		list = list[:limit]
	}
	return list, more, err
}
