// Package desk is where people and programs manage mandates: they are asked for, granted,
// signed, narrowed, suspended and ended here, whether a page, a program or the command line
// asks for it.
//
// It owns the order of things: who asks is looked up in the very change that is made, the
// facts that count are gathered, package mandate judges, and mandate, step, evidence and
// history are written in one transaction. It has no rules of its own, and it has never heard
// of HTTP, pages or SAML. Nobody learns here of a mandate that is not his: it is not found.
package desk

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/mandated/mandated/pkg/catalogue"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
)

// Catalogues gives the service catalogue that a snapshot names, by which a mandate is read
// in the change in which it is made.
type Catalogues interface {
	Of(s *register.Snapshot) (*catalogue.Catalogue, error)
}

// Desk manages the mandates of one register. It is safe for use by many goroutines.
type Desk struct {
	register   *register.Register
	catalogues Catalogues
	terms      Terms
}

// New makes the desk of a register.
func New(r *register.Register, catalogues Catalogues) *Desk {
	return &Desk{register: r, catalogues: catalogues}
}

// Caller is who asks: an appointment, and the level at which he has logged in. Programs,
// which show a key, log in at the level of their appointment.
type Caller struct {
	Appointment mandate.AppointmentID
	Level       etoegang.AssuranceLevel
}

// Done is what became of a step.
type Done struct {
	Mandate mandate.Mandate
	Receipt register.Receipt
}

// What can be wrong beside the rules of package mandate.
var (
	// ErrPerson: a mandate for a person whom the organisation does not know.
	ErrPerson = errors.New("the organisation knows nobody with this number: name him by his authentication service and pseudonym")

	// ErrWhy: a step without a reason.
	ErrWhy = errors.New("say why, in at most 255 bytes, without naming anybody")
)

// turn is one change in which one caller does something.
type turn struct {
	*register.Tx
	desk    *Desk
	actor   mandate.Actor
	offered func() (mandate.Offered, error) // who offers which service, by the catalogue in use

	// companies are those gathered so far: no change both asks and alters what counts of them.
	companies map[mandate.OrganisationID]mandate.Company
}

// change lets somebody do something, if his appointment holds in the moment of the change.
func (d *Desk) change(ctx context.Context, c Caller, why string, do func(*turn) error) (register.Receipt, error) {
	if why == "" || len(why) > 255 {
		return register.Receipt{}, ErrWhy
	}
	author := register.Author{Who: fmt.Sprintf("appointment %d", c.Appointment), Why: why}
	return d.register.Change(ctx, author, func(t *register.Tx) error {
		actor, err := act(t.Snapshot(), c, t.Now())
		if err != nil {
			return err
		}
		return do(&turn{Tx: t, desk: d, actor: actor, offered: d.offers(t.Snapshot()), companies: map[mandate.OrganisationID]mandate.Company{}})
	})
}

// act looks up the appointment of a caller. One that does not exist does not hold either.
func act(s *register.Snapshot, c Caller, now time.Time) (mandate.Actor, error) {
	a, err := s.Appointment(c.Appointment)
	if errors.Is(err, register.ErrNotFound) {
		return mandate.Actor{}, mandate.ErrNotAppointed
	}
	if err != nil {
		return mandate.Actor{}, err
	}
	return a.Act(c.Level, now)
}

// company gathers what counts of a grantor when somebody signs for it.
func (t *turn) company(o mandate.OrganisationID) (c mandate.Company, err error) {
	c, known := t.companies[o]
	if known {
		return c, nil
	}
	if c.Entry, err = t.Snapshot().Entry(o); err != nil {
		return c, err
	}
	err = t.Snapshot().EveryAppointment(o, func(a mandate.Appointment) {
		if a.Role == mandate.Director && a.State == mandate.Appointed && a.Validity.Holds(t.Now()) {
			c.Directors = append(c.Directors, a)
		}
	})
	if err == nil {
		t.companies[o] = c
	}
	return c, err
}

// offers is offered, which reads the catalogue once at most, and only if it is asked.
func (d *Desk) offers(s *register.Snapshot) func() (mandate.Offered, error) {
	return sync.OnceValues(func() (mandate.Offered, error) { return d.offered(s) })
}

// offered tells who offers which service, by the catalogue of a snapshot.
func (d *Desk) offered(s *register.Snapshot) (mandate.Offered, error) {
	if s.CatalogueSequence() == 0 {
		return nil, nil
	}
	c, err := d.catalogues.Of(s)
	if err != nil {
		return nil, err
	}
	return func(i mandate.Item) []etoegang.OIN {
		if !i.Service.IsZero() {
			return c.OfferedBy(i.Service)
		}
		if p, known := c.Provider(i.Provider); known {
			return []etoegang.OIN{p.OIN}
		}
		return nil
	}, nil
}

// own gives a mandate that concerns the actor; all others are not found.
func (t *turn) own(id mandate.ID) (mandate.Mandate, error) {
	m, err := t.Snapshot().Mandate(id)
	if err != nil {
		return m, err
	}
	if _, err := t.actor.Side(m); err != nil {
		return mandate.Mandate{}, fmt.Errorf("mandate %d: %w", id, register.ErrNotFound)
	}
	return m, nil
}

// wrote writes down who did what, and who is to be told.
func (t *turn) wrote(m mandate.Mandate, act mandate.Act, consent register.Consent, evidence []mandate.Evidence) error {
	r, err := request(t.Tx, m)
	if err != nil {
		return err
	}
	return t.wroteOf(r, act, consent, evidence)
}

// wroteOf is wrote for what is known as it is asked for.
func (t *turn) wroteOf(r mandate.Request, act mandate.Act, consent register.Consent, evidence []mandate.Evidence) error {
	side, err := t.actor.Side(r.Mandate)
	if err != nil {
		return err
	}
	if err := t.AddStep(r.ID, register.Step{Act: act, Side: side, Appointment: t.actor.Appointment, Consent: consent,
		Catalogue: t.Snapshot().CatalogueSequence(), Evidence: evidence}); err != nil {
		return err
	}
	return tell(t.Tx, r, act, side, t.actor.Appointment)
}
