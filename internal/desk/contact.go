package desk

import (
	"context"
	"fmt"

	"github.com/mandated/mandated/internal/mail"
	"github.com/mandated/mandated/pkg/mandate"
)

// SetContact lets somebody say where he wants to be written to, and in which language; with the
// zero contact nowhere. It is his own appointment alone that he says it for. mail.ErrAddress,
// mandate.ErrContact: nobody can be written to there.
func (d *Desk) SetContact(ctx context.Context, c Caller, contact mandate.Contact) (done Appointed, err error) {
	if contact, err = readContact(contact); err != nil {
		return done, err
	}
	done.Receipt, err = d.change(ctx, c, "where to be written to", func(t *turn) error {
		if done.Appointment, err = t.SetContact(c.Appointment, contact); err != nil {
			return fmt.Errorf("appointment %d: %w", c.Appointment, err)
		}
		return nil
	})
	return done, err
}

// Appointment is the caller's own.
func (l *Look) Appointment() (mandate.Appointment, error) {
	return l.snapshot.Appointment(l.actor.Appointment)
}

// readContact puts an address as it was typed in the form in which it is kept.
func readContact(c mandate.Contact) (mandate.Contact, error) {
	if c.IsZero() {
		return c, nil
	}
	address, err := mail.ParseAddress(c.Email)
	return mandate.Contact{Email: address, Language: c.Language}, err
}
