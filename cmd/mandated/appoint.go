package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/mandated/mandated/internal/daemon"
	"github.com/mandated/mandated/internal/desk"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
)

type staffCommands struct {
	Add  staffAdd  `cmd:"" help:"Appoint somebody who keeps the register, and print his invitation once."`
	List staffList `cmd:"" help:"List who keeps the register."`
}

type appointmentCommands struct {
	Add  appointmentAdd  `cmd:"" help:"Appoint an administrator, director or program of a company."`
	List appointmentList `cmd:"" help:"List a company's appointments."`
	End  appointmentEnd  `cmd:"" help:"End an appointment, of a company or of the staff."`
}

// term is what every appointment has.
type term struct {
	Email    string `help:"Where the holder wants to be written to, until he says otherwise. Not for software." placeholder:"ADDRESS"`
	Language string `enum:"nl,en" default:"nl" help:"The language of those letters: nl or en."`

	Certificate string `help:"PEM file with the certificate or the public key that software shows, and that a director or one of the staff may show in place of logging in." placeholder:"FILE"`

	Name  string `required:"" help:"By which colleagues know who or what this is." placeholder:"TEXT"`
	Level string `default:"loa3" help:"The highest level at which it grants anything."`
	Until string `required:"" help:"First moment it no longer holds: five years from now at most." placeholder:"DATE"`
	Why   string `required:"" help:"The reason, for the history. Name nobody in it." placeholder:"TEXT"`
}

// read fills in an appointment, which begins now.
func (t term) read(now time.Time, a *desk.Appointment) (err error) {
	a.Name = t.Name
	if t.Email != "" {
		a.Contact = mandate.Contact{Email: t.Email, Language: t.Language}
	}
	if a.Level, err = etoegang.ParseLevelName(t.Level); err != nil {
		return err
	}
	a.Validity.From = now.UTC().Truncate(time.Second)
	if a.Validity.To, err = mandate.ParseMoment(t.Until); err != nil || t.Certificate == "" {
		return err
	}
	credential, err := readCredential(t.Certificate, now)
	a.Credentials = []register.Credential{credential}
	return err
}

type staffAdd struct{ term }

func (c staffAdd) Run(e *environment) error {
	return c.appoint(e, desk.Appointment{Role: mandate.Staff})
}

type appointmentAdd struct {
	KvK       string `arg:"" name:"kvk" help:"KvK number of the company, eight digits."`
	Role      string `required:"" enum:"administrator,director,program,reader" help:"administrator, director, program (software that may change mandates) or reader (software that only looks)."`
	Authority string `enum:",alone,jointly,limited" default:"" help:"How far a director binds the company: alone, jointly or limited."`
	term
}

func (c appointmentAdd) Run(e *environment) (err error) {
	a := desk.Appointment{Role: mandate.Role(c.Role), Authority: mandate.Authority(c.Authority)}
	if a.Company, err = etoegang.ParseKvKNumber(c.KvK); err != nil {
		return err
	}
	return c.appoint(e, a)
}

// readCredential reads what software shows.
func readCredential(file string, now time.Time) (c register.Credential, err error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return c, err
	}
	if c, err = desk.ReadCredential(text, now); err != nil {
		return c, fmt.Errorf("%s: %w", file, err)
	}
	return c, nil
}

// appoint makes the appointment and prints the invitation, which nothing keeps.
func (t term) appoint(e *environment, a desk.Appointment) error {
	if err := t.read(e.now(), &a); err != nil {
		return err
	}
	var done desk.Appointed
	if err := e.atDesk(func(ctx context.Context, d *desk.Desk) (err error) {
		done, err = d.AppointAtDesk(ctx, e.author(t.Why), a)
		return err
	}); err != nil {
		return err
	}
	view := map[string]any{"appointment": viewAppointment(done.Appointment), "change": viewReceipt(done.Receipt)}
	if done.Invitation != "" {
		view["invitation"] = done.Invitation
	}
	return e.show(view, func() {
		fmt.Fprintf(e.out, "appointment %d: %s (%s), %s, until %s, %s\n", done.Appointment.ID, done.Appointment.Name, done.Appointment.Role,
			done.Appointment.Level, date(done.Appointment.Validity.To), viewReceipt(done.Receipt))
		if done.Invitation != "" {
			fmt.Fprintf(e.out, "invitation %s\n", done.Invitation)
			fmt.Fprintln(e.err, "Whoever shows this invitation first, logged in for the same company, has the appointment. It is not shown again.")
		}
	})
}

// atDesk lets fn manage mandates.
func (e *environment) atDesk(fn func(context.Context, *desk.Desk) error) error {
	return e.with(func(_ daemon.Config, r *register.Register) error { return fn(e.ctx, desk.New(r, nil)) })
}

// appointmentView is an appointment as programs read it.
type appointmentView struct {
	ID           mandate.AppointmentID    `json:"id"`
	Organisation *partyView               `json:"organisation,omitempty"`
	Role         mandate.Role             `json:"role"`
	Authority    mandate.Authority        `json:"authority,omitempty"`
	Name         string                   `json:"name"`
	Level        string                   `json:"level"`
	From         time.Time                `json:"from"`
	Until        time.Time                `json:"until"`
	State        mandate.AppointmentState `json:"state"`
}

func viewAppointment(a mandate.Appointment) appointmentView {
	v := appointmentView{ID: a.ID, Role: a.Role, Authority: a.Authority, Name: a.Name, Level: a.Level.String(),
		From: a.Validity.From, Until: a.Validity.To, State: a.State}
	if a.Organisation.ID != 0 {
		o := organisationView(a.Organisation)
		v.Organisation = &o
	}
	return v
}

type staffList struct{}

func (staffList) Run(e *environment) error { return e.showAppointments(0) }

type appointmentList struct {
	KvK string `arg:"" name:"kvk" help:"KvK number of the company, eight digits."`
}

func (c appointmentList) Run(e *environment) error {
	kvk, err := etoegang.ParseKvKNumber(c.KvK)
	if err != nil {
		return err
	}
	var known *mandate.Organisation
	if err := e.read(func(s *register.Snapshot) (err error) {
		known, err = s.Organisation(kvk.LegalSubject())
		return err
	}); err != nil {
		return err
	}
	if known == nil {
		return errors.New("the register does not know this company: \"mandated organisation\" records it")
	}
	return e.showAppointments(known.ID)
}

// showAppointments writes all appointments in an organisation, or of the staff.
func (e *environment) showAppointments(o mandate.OrganisationID) error {
	list := []appointmentView{}
	if err := e.read(func(s *register.Snapshot) error {
		return s.EveryAppointment(o, func(a mandate.Appointment) { list = append(list, viewAppointment(a)) })
	}); err != nil {
		return err
	}
	return e.show(list, func() {
		rows := [][]string{{"NUMBER", "NAME", "ROLE", "LEVEL", "UNTIL", "STATE"}}
		for _, a := range list {
			role := string(a.Role)
			if a.Authority != "" {
				role += ", " + string(a.Authority)
			}
			rows = append(rows, []string{fmt.Sprint(a.ID), a.Name, role, a.Level, date(a.Until), string(a.State)})
		}
		e.table(rows)
	})
}

type appointmentEnd struct {
	ID  int64  `arg:"" help:"Number of the appointment."`
	Why string `required:"" help:"The reason, for the history. Name nobody in it." placeholder:"TEXT"`
}

func (c appointmentEnd) Run(e *environment) error {
	var done desk.Appointed
	err := e.atDesk(func(ctx context.Context, d *desk.Desk) (err error) {
		done, err = d.DismissAtDesk(ctx, e.author(c.Why), mandate.AppointmentID(c.ID))
		return err
	})
	if errors.Is(err, register.ErrNotFound) {
		return fmt.Errorf("there is no appointment %d: \"mandated appointment list\" and \"mandated staff list\" show them", c.ID)
	}
	if err != nil {
		return err
	}
	return e.show(map[string]any{"appointment": viewAppointment(done.Appointment), "change": viewReceipt(done.Receipt)}, func() {
		fmt.Fprintf(e.out, "appointment %d is %s, %s\n", done.Appointment.ID, done.Appointment.State, viewReceipt(done.Receipt))
	})
}
