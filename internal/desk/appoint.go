package desk

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
)

// Visitor is somebody who has logged in: for which company, as whom its register knows him
// to us, and at which level.
type Visitor struct {
	Company   etoegang.KvKNumber
	Issuer    etoegang.EntityID // whose pseudonym it is
	Pseudonym string
	Level     etoegang.AssuranceLevel
}

// Account is who the visitor is to the register: a keyed hash, which says nothing of him.
func (d *Desk) Account(v Visitor) (a register.Account) {
	mac := hmac.New(sha256.New, d.register.Key("accounts"))
	for _, part := range []string{v.Company.Text(), v.Issuer.String(), v.Pseudonym} {
		var length [4]byte
		binary.BigEndian.PutUint32(length[:], uint32(len(part)))
		mac.Write(length[:])
		mac.Write([]byte(part))
	}
	copy(a[:], mac.Sum(nil))
	return a
}

// Roles are the appointments that a visitor can use now, by number.
func (d *Desk) Roles(ctx context.Context, v Visitor) (list []mandate.Appointment, err error) {
	err = d.register.Read(ctx, func(s *register.Snapshot) error {
		all, err := s.AppointmentsOf(d.Account(v))
		for _, a := range all {
			if _, err := a.Act(v.Level, d.register.Now()); err == nil {
				list = append(list, a)
			}
		}
		return err
	})
	return list, err
}

// Appointed is an appointment that was made. The invitation is the secret that its holder
// must show once: it is told now and never again.
type Appointed struct {
	Appointment mandate.Appointment
	Invitation  string // of a person
	Receipt     register.Receipt
}

// Appointment is what somebody wants to appoint.
type Appointment struct {
	Company     etoegang.KvKNumber // zero: the register's own staff
	Role        mandate.Role
	Authority   mandate.Authority
	Name        string
	Level       etoegang.AssuranceLevel
	Validity    mandate.Validity
	Credentials []register.Credential // of software, or of whoever acts through it: see ReadCredential
	Contact     mandate.Contact       // where its holder is written to, until he says otherwise
}

// Appoint makes an appointment. A person whom it appoints logs in: that a director or one of the
// staff shows a key in place of that is for who keeps the register to say (AppointAtDesk).
func (d *Desk) Appoint(ctx context.Context, c Caller, why string, a Appointment) (done Appointed, err error) {
	done.Receipt, err = d.change(ctx, c, why, func(t *turn) (err error) {
		made, err := a.made(t.Tx)
		if err != nil {
			return err
		}
		if err := t.actor.MayAppoint(made, t.Now()); err != nil {
			return err
		}
		if len(a.Credentials) > 0 && !made.Role.Software() {
			return register.ErrCredential
		}
		done.Appointment, done.Invitation, err = appoint(t.Tx, made, a.Credentials)
		return err
	})
	return done, err
}

// AppointAtDesk makes an appointment for whoever keeps the register: its command line, from
// which the first of all appointments comes.
func (d *Desk) AppointAtDesk(ctx context.Context, author register.Author, a Appointment) (done Appointed, err error) {
	done.Receipt, err = d.register.Change(ctx, author, func(t *register.Tx) error {
		made, err := a.made(t)
		if err != nil {
			return err
		}
		done.Appointment, done.Invitation, err = appoint(t, made, a.Credentials)
		return err
	})
	return done, err
}

func (a Appointment) made(t *register.Tx) (made mandate.Appointment, err error) {
	made = mandate.Appointment{Role: a.Role, Authority: a.Authority, Name: a.Name, Level: a.Level, Validity: a.Validity}
	if made.Contact, err = readContact(a.Contact); err != nil {
		return made, err
	}
	if !a.Company.IsZero() {
		made.Organisation, err = party(t, Party{KvK: a.Company})
	}
	return made, err
}

func appoint(t *register.Tx, made mandate.Appointment, credentials []register.Credential) (mandate.Appointment, string, error) {
	if err := showsAlone(t.Snapshot(), made, credentials); err != nil {
		return made, "", err
	}
	if len(credentials) > 0 {
		made, err := t.Appoint(made, register.Digest{}, credentials)
		return made, "", err
	}
	secret := rand.Text()
	made, err := t.Appoint(made, sha256.Sum256([]byte(secret)), credentials)
	return made, secret, err
}

// showsAlone tells whether nobody who must be another person shows the same key.
func showsAlone(s *register.Snapshot, made mandate.Appointment, credentials []register.Credential) error {
	if len(credentials) == 0 {
		return nil
	}
	var beside []mandate.Appointment
	err := s.EveryAppointment(made.Organisation.ID, func(a mandate.Appointment) {
		if a.State == mandate.Appointed && made.SignsOnce(a) {
			beside = append(beside, a)
		}
	})
	for _, a := range beside {
		if err != nil {
			return err
		}
		var shown []register.Credential
		shown, err = s.Credentials(a.ID)
		for _, c := range shown {
			if slices.ContainsFunc(credentials, func(mine register.Credential) bool { return bytes.Equal(mine.Public, c.Public) }) {
				return mandate.ErrSamePerson
			}
		}
	}
	return err
}

// AcceptInvitation takes up the appointment to which an invitation belongs, for a visitor. Whoever
// shows it first has it.
func (d *Desk) AcceptInvitation(ctx context.Context, v Visitor, secret string) (a mandate.Appointment, err error) {
	account := d.Account(v)
	author := register.Author{Who: "visitor", Why: "an invitation was taken up"}
	_, err = d.register.Change(ctx, author, func(t *register.Tx) (err error) {
		a, err = t.Snapshot().Invited(sha256.Sum256([]byte(secret)))
		switch {
		case errors.Is(err, register.ErrNotFound):
			return mandate.ErrInvited
		case err != nil:
			return err
		}
		if err := a.MayAccept(v.Company, v.Level, t.Now()); err != nil {
			return err
		}
		held, err := t.Snapshot().AppointmentsOf(account)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(held, a.SignsOnce) {
			return mandate.ErrSamePerson
		}
		a, err = t.TakeUp(a.ID, account)
		return err
	})
	return a, err
}

// Dismiss ends an appointment. sure says that the caller knows if nobody is left to manage
// the organisation's mandates; the register's staff are told of it then. They can dismiss
// somebody of any company, on papers.
func (d *Desk) Dismiss(ctx context.Context, c Caller, why string, id mandate.AppointmentID, sure bool, papers []mandate.Evidence) (done Appointed, err error) {
	done.Receipt, err = d.change(ctx, c, why, func(t *turn) error {
		a, err := t.Snapshot().Appointment(id)
		if err != nil {
			return err
		}
		if t.actor.Role != mandate.Staff && a.Organisation.ID != t.actor.Organisation {
			return fmt.Errorf("appointment %d: %w", id, register.ErrNotFound)
		}
		left := false
		if err := t.Snapshot().EveryAppointment(a.Organisation.ID, func(other mandate.Appointment) {
			left = left || other.ID != id && other.Manages(t.Now())
		}); err != nil {
			return err
		}
		if err := t.actor.MayDismiss(a, left, sure, papers); err != nil {
			return err
		}
		return dismiss(t.Tx, &done, id, t.actor.Appointment, papers)
	})
	return done, err
}

// dismiss ends an appointment.
func dismiss(t *register.Tx, done *Appointed, id, author mandate.AppointmentID, papers []mandate.Evidence) error {
	before, err := t.Snapshot().Appointment(id)
	if err != nil {
		return err
	}
	if done.Appointment, err = t.Dismiss(id, papers); err != nil {
		return err
	}
	if !before.Manages(t.Now()) {
		return nil
	}
	_, err = tellUnmanaged(t, done.Appointment, author)
	return err
}

// DismissAtDesk ends an appointment for whoever keeps the register: its command line.
func (d *Desk) DismissAtDesk(ctx context.Context, author register.Author, id mandate.AppointmentID) (done Appointed, err error) {
	done.Receipt, err = d.register.Change(ctx, author, func(t *register.Tx) error { return dismiss(t, &done, id, 0, nil) })
	return done, err
}

// PutEntry writes down what the trade register says of a company: the work of the
// register's staff. amend changes what is written there now, and leaves what it says nothing of.
func (d *Desk) PutEntry(ctx context.Context, c Caller, why string, company etoegang.KvKNumber, amend func(*mandate.Entry)) (register.Receipt, error) {
	return d.change(ctx, c, why, func(t *turn) error {
		if err := t.actor.Keeps(); err != nil {
			return err
		}
		o, err := party(t.Tx, Party{KvK: company})
		if err != nil {
			return err
		}
		e, err := t.Snapshot().Entry(o.ID)
		if err != nil {
			return err
		}
		amend(&e)
		return putEntry(t.Tx, o, e, t.actor.Appointment)
	})
}

// putEntry writes an entry, and tells those concerned if the company stands otherwise.
func putEntry(t *register.Tx, o mandate.Organisation, e mandate.Entry, author mandate.AppointmentID) error {
	before, err := t.Snapshot().Entry(o.ID)
	if err != nil {
		return err
	}
	if err := t.PutEntry(o.ID, e); err != nil || before.Standing == e.Standing {
		return err
	}
	return tellStanding(t, o, author)
}

// PutEntryAtDesk does it in a change of whoever keeps the register: its command line.
func PutEntryAtDesk(t *register.Tx, o mandate.Organisation, e mandate.Entry) error {
	return putEntry(t, o, e, 0)
}
