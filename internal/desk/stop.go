package desk

import (
	"context"

	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
)

// Whose says who is meant: an organisation, or a person.
type Whose struct {
	Organisation mandate.OrganisationID
	Person       mandate.PersonID
}

// Everything is what somebody has: who it is, how many mandates are in force, and since when
// the emergency stop holds him, if it does.
type Everything struct {
	Company *mandate.Organisation
	Person  *mandate.Person
	InForce int
	Stop    *register.Stop
}

// Everything looks that up, for the register's staff. register.ErrNotFound: there is nobody.
func (l *Look) Everything(w Whose) (e Everything, err error) {
	if err := l.actor.Keeps(); err != nil {
		return e, err
	}
	if e.Company, e.Person, err = find(l.snapshot, w); err != nil {
		return e, err
	}
	if e.Company != nil && e.Company.Blocked || e.Person != nil && e.Person.Blocked {
		if e.Stop, err = l.stop(w); err != nil {
			return e, err
		}
	}
	e.InForce, err = l.snapshot.Total(register.Filter{Organisation: w.Organisation, Person: w.Person, State: mandate.Active})
	return e, err
}

func (l *Look) stop(w Whose) (*register.Stop, error) {
	if w.Person != 0 {
		stop, err := l.snapshot.PersonStop(w.Person)
		return &stop, err
	}
	stop, err := l.snapshot.OrganisationStop(w.Organisation)
	return &stop, err
}

// find gives who is meant: one of the two.
func find(s *register.Snapshot, w Whose) (o *mandate.Organisation, p *mandate.Person, err error) {
	if (w.Organisation == 0) == (w.Person == 0) {
		return nil, nil, register.ErrNotFound
	}
	if w.Person != 0 {
		p, err = s.PersonNumbered(w.Person)
	} else {
		o, err = s.OrganisationNumbered(w.Organisation)
	}
	if err == nil && o == nil && p == nil {
		err = register.ErrNotFound
	}
	return o, p, err
}

// Block is the emergency stop, by the register's staff: nothing is permitted to, from or
// through somebody any more, however many mandates he has, until Unblock lifts it. The
// mandates stay as they are. When it returns, nobody answers as before.
func (d *Desk) Block(ctx context.Context, c Caller, why string, w Whose) (register.Receipt, error) {
	return d.block(ctx, c, why, w, true)
}

// Unblock: see Block.
func (d *Desk) Unblock(ctx context.Context, c Caller, why string, w Whose) (register.Receipt, error) {
	return d.block(ctx, c, why, w, false)
}

func (d *Desk) block(ctx context.Context, c Caller, why string, w Whose, blocked bool) (register.Receipt, error) {
	return d.change(ctx, c, why, func(t *turn) error {
		if err := t.actor.Keeps(); err != nil {
			return err
		}
		o, p, err := find(t.Snapshot(), w)
		if err != nil {
			return err
		}
		if o != nil {
			o.Blocked = blocked
			_, err = t.PutOrganisation(*o)
			return err
		}
		p.Blocked = blocked
		_, err = t.PutPerson(*p)
		return err
	})
}
