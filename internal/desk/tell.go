package desk

import (
	"fmt"
	"time"

	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
)

// Both sides of a mandate are told what is done to it, in the change in which it is done: so
// nobody is told what did not happen, and nothing happens of which he is not told. What is
// written here are notices. Who is written to, where and when, package notices finds out.

// request gives a mandate as it is asked for, if it is.
func request(t *register.Tx, m mandate.Mandate) (mandate.Request, error) {
	if !m.State.Pending() {
		return mandate.Request{Mandate: m}, nil
	}
	return t.Snapshot().Request(m.ID)
}

// tell writes down who is to be told of an act that is done to a mandate.
func tell(t *register.Tx, r mandate.Request, act mandate.Act, by mandate.Side, author mandate.AppointmentID) error {
	for _, telling := range r.Told(act, by) {
		n := register.Notice{News: telling.What, To: r.Side(telling.To).ID, Mandate: r.ID, Author: author,
			Once: fmt.Sprintf("mandate %d: %s at %d, to %s", r.ID, act, t.Snapshot().Revision(), telling.To)}
		if _, err := t.AddNotice(n); err != nil {
			return err
		}
	}
	return nil
}

// MoveAtDesk suspends a mandate, lets it go on or revokes it for whoever keeps the register,
// at its command line. What waits for somebody's answer is answered, and not moved
// (*register.TransitionError).
func MoveAtDesk(t *register.Tx, id mandate.ID, to mandate.State) (mandate.Mandate, error) {
	m, err := t.Snapshot().Mandate(id)
	switch {
	case err != nil:
		return m, err
	case m.State.Pending():
		return m, &register.TransitionError{Mandate: id, From: m.State, To: to}
	}
	if m, err = t.SetState(id, to); err != nil {
		return m, err
	}
	return m, WroteAtDesk(t, m, map[mandate.State]mandate.Act{
		mandate.Suspended: mandate.ActSuspend, mandate.Active: mandate.ActResume, mandate.Revoked: mandate.ActRevoke}[to])
}

// WroteAtDesk writes down what whoever keeps the register has done to a mandate at its command
// line, and who is to be told, in the change in which he did it.
func WroteAtDesk(t *register.Tx, m mandate.Mandate, act mandate.Act) error {
	return wrote(t, m, act, mandate.RegisterSide)
}

// wrote writes down what was done to a mandate by nobody's appointment.
func wrote(t *register.Tx, m mandate.Mandate, act mandate.Act, side mandate.Side) error {
	r, err := request(t, m)
	if err != nil {
		return err
	}
	if err := t.AddStep(m.ID, register.Step{Act: act, Side: side}); err != nil {
		return err
	}
	return tell(t, r, act, side, 0)
}

// endByRule ends what time has ended.
func endByRule(t *register.Tx, id mandate.ID, to mandate.State, act mandate.Act) error {
	m, err := t.SetState(id, to)
	if err != nil {
		return err
	}
	return wrote(t, m, act, mandate.RuleSide)
}

// unmanaged tells what the staff is to hear of a company that has nobody left to manage its
// mandates, now that an appointment has ended; false if somebody is left. Of those who were
// appointed the newest names the occasion, so that it is one however many go.
func unmanaged(s *register.Snapshot, ended mandate.Appointment, now time.Time) (n register.Notice, nobody bool, err error) {
	if ended.Role.Software() || ended.Organisation.ID == 0 {
		return n, false, nil
	}
	newest, left := ended.ID, false
	err = s.EveryAppointment(ended.Organisation.ID, func(a mandate.Appointment) {
		left = left || a.ID != ended.ID && a.Manages(now)
		if !a.Role.Software() && a.State != mandate.Invited {
			newest = max(newest, a.ID)
		}
	})
	return register.Notice{News: mandate.NewsUnmanaged, Appointment: ended.ID,
		Once: fmt.Sprintf("company %d: nobody left after appointment %d", ended.Organisation.ID, newest)}, !left, err
}

// tellUnmanaged tells the register's staff, if so and if it was not told, and whether it did.
func tellUnmanaged(t *register.Tx, ended mandate.Appointment, author mandate.AppointmentID) (told bool, err error) {
	n, nobody, err := unmanaged(t.Snapshot(), ended, t.Now())
	if err != nil || !nobody {
		return false, err
	}
	n.Author = author
	return t.AddNotice(n)
}

// tellStanding tells a company, the other side of each of its mandates in force, and the
// staff, that the trade register says something else of it. It is one change, as long as the
// company has chain mandates: that of an intermediary with very many clients takes a while.
func tellStanding(t *register.Tx, o mandate.Organisation, author mandate.AppointmentID) error {
	told := map[mandate.OrganisationID]bool{}
	add := func(to mandate.OrganisationID) error {
		if told[to] {
			return nil
		}
		told[to] = true
		_, err := t.AddNotice(register.Notice{News: mandate.NewsStanding, To: to, Company: o.ID, Author: author,
			Once: fmt.Sprintf("company %d: standing at %d, to %d", o.ID, t.Snapshot().Revision(), to)})
		return err
	}
	for _, to := range []mandate.OrganisationID{0, o.ID} {
		if err := add(to); err != nil {
			return err
		}
	}
	for _, state := range []mandate.State{mandate.Active, mandate.Suspended} {
		if err := tellOthers(t, register.Filter{Organisation: o.ID, Kind: mandate.Chain, State: state}, add); err != nil {
			return err
		}
	}
	return nil
}

// tellOthers adds both sides of the mandates that a filter chooses and that have not expired.
func tellOthers(t *register.Tx, f register.Filter, add func(mandate.OrganisationID) error) error {
	const page = 100
	for after := mandate.ID(0); ; {
		list, more, err := t.Snapshot().Mandates(f, after, page)
		for _, m := range list {
			after = m.ID
			if !t.Now().Before(m.Validity.To) {
				continue
			}
			for _, to := range []mandate.OrganisationID{m.Grantor.ID, m.Intermediary.ID} {
				if err := add(to); err != nil {
					return err
				}
			}
		}
		if err != nil || !more {
			return err
		}
	}
}
