package desk

import (
	"context"

	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
)

// Offboarded is what became of somebody's mandates.
type Offboarded struct {
	Mandates int // that were in force, or suspended, and are revoked
	Requests int // that waited, and are withdrawn or rejected
	Receipt  register.Receipt
}

// Offboard ends all that the caller's organisation has given to a person, directly or for its
// clients, and all that is being asked for him there, and takes him out of its teams: somebody
// leaves, and nothing may be forgotten. It is one change: all of it ends, or nothing does. What
// has ended before stays as it is. ErrPerson: the organisation has never given him anything, and
// he is in none of its teams.
func (d *Desk) Offboard(ctx context.Context, c Caller, why string, person mandate.PersonID) (done Offboarded, err error) {
	done.Receipt, err = d.change(ctx, c, why, func(t *turn) error {
		if err := t.actor.Leads(t.actor.Organisation); err != nil {
			return err
		}
		return t.offboard(person, &done)
	})
	return done, err
}

func (t *turn) offboard(person mandate.PersonID, done *Offboarded) error {
	const page = 100
	if person == 0 { // to a filter that is everybody
		return ErrPerson
	}
	known, err := t.leaveTeams(person)
	if err != nil {
		return err
	}
	f := register.Filter{Organisation: t.actor.Organisation, Person: person}
	for after := mandate.ID(0); ; {
		list, more, err := t.Snapshot().Mandates(f, after, page)
		if err == nil && !known && after == 0 && len(list) == 0 {
			return ErrPerson
		}
		for _, m := range list {
			if err == nil {
				err = t.endFor(m, done)
			}
			after = m.ID
		}
		if err != nil || !more {
			return err
		}
	}
}

// leaveTeams takes somebody out of all teams that he is in.
func (t *turn) leaveTeams(person mandate.PersonID) (was bool, err error) {
	teams, err := t.Snapshot().TeamsOf(t.actor.Organisation, person)
	for _, team := range teams {
		if err == nil {
			_, err = t.DropMember(team.ID, person)
		}
	}
	return len(teams) > 0, err
}

// endFor ends a mandate of somebody who leaves.
func (t *turn) endFor(m mandate.Mandate, done *Offboarded) (err error) {
	to, act := mandate.Revoked, mandate.ActRevoke
	switch {
	case m.State.Ended():
		return nil
	case m.State.Pending():
		r, err := t.Snapshot().Request(m.ID)
		if err != nil {
			return err
		}
		if to, err = r.Refuse(t.actor); err != nil {
			return err
		}
		act = mandate.ActRefuse
		done.Requests++
	default:
		if err := t.actor.Move(m, to, ""); err != nil {
			return err
		}
		done.Mandates++
	}
	if m, err = t.SetState(m.ID, to); err != nil {
		return err
	}
	return t.wrote(m, act, register.Consent{}, nil)
}
