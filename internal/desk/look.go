package desk

import (
	"context"
	"fmt"
	"time"

	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
)

// Look is what one caller can see of the register, as it was known at one revision: what
// concerns his organisation, and for the register's staff everything. It is for the function
// it was given to, and for one goroutine.
type Look struct {
	desk     *Desk
	snapshot *register.Snapshot
	actor    mandate.Actor
	now      time.Time
	offered  func() (mandate.Offered, error) // who offers which service, by the catalogue of what is looked at
}

func (d *Desk) newLook(s *register.Snapshot, a mandate.Actor, now time.Time) *Look {
	return &Look{d, s, a, now, d.offers(s)}
}

// Look lets somebody look, at the newest revision or, so that the pages of a list belong
// together, at an earlier one. His appointment must hold now, whatever he looks at.
// register.ErrNotFound: there is no such revision.
func (d *Desk) Look(ctx context.Context, c Caller, at register.Revision, fn func(*Look) error) error {
	var actor mandate.Actor
	earlier, now := false, d.register.Now()
	if err := d.register.Read(ctx, func(s *register.Snapshot) (err error) {
		if actor, err = act(s, c, now); err != nil {
			return err
		}
		if earlier = at != 0 && at != s.Revision(); earlier {
			return nil
		}
		return fn(d.newLook(s, actor, now))
	}); err != nil || !earlier {
		return err
	}
	// Not within the other: who holds one place to read and waits for a second keeps decisions
	// from theirs.
	return d.register.ReadAt(ctx, at, func(s *register.Snapshot) error { return fn(d.newLook(s, actor, now)) })
}

// Revision is the one that is looked at.
func (l *Look) Revision() register.Revision { return l.snapshot.Revision() }

// Actor is who looks.
func (l *Look) Actor() mandate.Actor { return l.actor }

// own gives a mandate that concerns the caller; all others are not found.
func (l *Look) own(id mandate.ID) (mandate.Mandate, error) {
	m, err := l.snapshot.Mandate(id)
	if err != nil {
		return m, err
	}
	if _, err := l.actor.Side(m); err != nil {
		return mandate.Mandate{}, fmt.Errorf("mandate %d: %w", id, register.ErrNotFound)
	}
	return m, nil
}

// Mandate gives one mandate.
func (l *Look) Mandate(id mandate.ID) (mandate.Mandate, error) { return l.own(id) }

// Mandates lists those that the caller's organisation has given or received, by number; for
// the staff those of the organisation that the filter names, or of everybody. See
// register.Snapshot.Mandates.
func (l *Look) Mandates(f register.Filter, after mandate.ID, limit int) ([]mandate.Mandate, bool, error) {
	if l.actor.Role != mandate.Staff {
		f.Organisation = l.actor.Organisation
	}
	return l.snapshot.Mandates(f, after, limit)
}

// Total is how many mandates Mandates lists in all.
func (l *Look) Total(f register.Filter) (int, error) {
	if l.actor.Role != mandate.Staff {
		f.Organisation = l.actor.Organisation
	}
	return l.snapshot.Total(f)
}

// Request gives a mandate as it is or was asked for.
func (l *Look) Request(id mandate.ID) (mandate.Request, error) {
	if _, err := l.own(id); err != nil {
		return mandate.Request{}, err
	}
	return l.snapshot.Request(id)
}

// ToAnswer lists the requests that wait now and that the caller can answer, by number, and
// whether there are more; with others those that wait for somebody else: those of the caller's
// organisation, for the staff those that the register asks.
func (l *Look) ToAnswer(others bool, after mandate.ID, limit int) (list []mandate.Request, more bool, err error) {
	asking := register.Asking{Organisation: l.actor.Organisation, Appointment: l.actor.Appointment, Others: others}
	if l.actor.Role == mandate.Staff {
		asking.By = mandate.RegisterSide
	}
	ids, err := l.snapshot.Waiting(asking, after, limit+1)
	if more = len(ids) > limit; more {
		ids = ids[:limit]
	}
	for _, id := range ids {
		if err != nil {
			break
		}
		var r mandate.Request
		if r, err = l.snapshot.Request(id); err == nil && r.State.Pending() { // as it was then
			list = append(list, r)
		}
	}
	return list, more, err
}

// History gives the versions of a mandate, and Steps what was done to it and on what that
// rests. Who did it stands in the steps; of the other side's one learns the side alone.
func (l *Look) History(id mandate.ID) ([]register.Version, error) {
	if _, err := l.own(id); err != nil {
		return nil, err
	}
	versions, err := l.snapshot.History(id)
	for i := range versions {
		if l.actor.Role != mandate.Staff {
			versions[i].Author = register.Author{}
		}
	}
	return versions, err
}

// Steps: see History.
func (l *Look) Steps(id mandate.ID) ([]register.Step, error) {
	m, err := l.own(id)
	if err != nil {
		return nil, err
	}
	side, err := l.actor.Side(m)
	if err != nil {
		return nil, err
	}
	steps, err := l.snapshot.Steps(id)
	for i, step := range steps {
		if l.actor.Role != mandate.Staff && step.Side != side {
			steps[i].Appointment, steps[i].Evidence, steps[i].Author = 0, nil, register.Author{Who: string(step.Side), Why: step.Author.Why}
		}
	}
	return steps, err
}

// Appointments lists those of the caller's organisation, or of the register's staff, by
// number.
func (l *Look) Appointments(after mandate.AppointmentID, limit int) ([]mandate.Appointment, bool, error) {
	return l.snapshot.Appointments(l.actor.Organisation, after, limit)
}

// Organisation is the caller's own, or nil for the register's staff.
func (l *Look) Organisation() (*mandate.Organisation, error) {
	if l.actor.Organisation == 0 {
		return nil, nil
	}
	return l.snapshot.OrganisationNumbered(l.actor.Organisation)
}

// Changed lists the mandates of the caller's organisation that changed after a place: see
// register.Snapshot.Changed.
func (l *Look) Changed(after register.ChangedPlace, limit int) ([]register.Changed, bool, error) {
	return l.snapshot.Changed(l.actor.Organisation, after, limit)
}
