package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"time"

	"github.com/mandated/mandated/internal/daemon"
	"github.com/mandated/mandated/internal/desk"
	"github.com/mandated/mandated/internal/postgres"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
)

// load reads the configuration.
func (e *environment) load() (daemon.Config, error) {
	c, err := daemon.LoadConfig(e.config, e.environ)
	if errors.Is(err, fs.ErrNotExist) {
		return c, fmt.Errorf("there is no configuration at %s: name one with --config, or see \"mandated demo --out DIR\" for an example", e.config)
	}
	return c, err
}

// with opens the register of the configuration, lets fn work on it and closes it.
func (e *environment) with(fn func(daemon.Config, *register.Register) error) error {
	return e.opened(daemon.OpenRegister, fn)
}

// look is with for commands that only look: the register is opened for reading.
func (e *environment) look(fn func(daemon.Config, *register.Register) error) error {
	return e.opened(daemon.LookIntoRegister, fn)
}

type opener func(context.Context, daemon.Config, func() time.Time) (*register.Register, error)

func (e *environment) opened(open opener, fn func(daemon.Config, *register.Register) error) error {
	c, err := e.load()
	if err != nil {
		return err
	}
	r, err := open(e.ctx, c, e.now)
	if err != nil {
		return err
	}
	err = fn(c, r)
	if closeErr := r.Close(); err == nil {
		err = closeErr
	}
	return err
}

// read lets fn look at one snapshot of the register.
func (e *environment) read(fn func(*register.Snapshot) error) error {
	return e.look(func(_ daemon.Config, r *register.Register) error { return r.Read(e.ctx, fn) })
}

// change lets fn write in the register, in the name of whoever is logged in here.
func (e *environment) change(why string, fn func(*register.Tx) error) (receipt register.Receipt, err error) {
	err = e.with(func(_ daemon.Config, r *register.Register) error {
		receipt, err = r.Change(e.ctx, e.author(why), fn)
		return err
	})
	return receipt, err
}

// author is who works at this command line.
func (e *environment) author(why string) register.Author {
	name := "unknown"
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	return register.Author{Who: "command line: " + name, Why: why}
}

type registerCommands struct {
	Create registerCreate `cmd:"" help:"Make a new, empty register where the configuration says."`
}

type registerCreate struct{}

func (registerCreate) Run(e *environment) error {
	c, err := e.load()
	if err != nil {
		return err
	}
	place := c.Path(c.Register)
	if !postgres.IsPlace(place) {
		if err := os.MkdirAll(filepath.Dir(place), 0o700); err != nil {
			return err
		}
	}
	r, err := register.Create(e.ctx, place, c.EntityID(), time.Duration(c.Lease), register.Options{Now: e.now})
	if err != nil {
		return fmt.Errorf("making a register at %s: %w", postgres.Shown(place), err)
	}
	fmt.Fprintf(e.err, "made the register of %s at %s\nIts secret is in it and pseudonyms rest on it for its whole life: back it up.\n", c.Entity, postgres.Shown(place))
	return r.Close()
}

type organisationPut struct {
	KvK      string `arg:"" name:"kvk" help:"KvK number, eight digits."`
	Name     string `help:"Name for people; left alone if not given."`
	RSIN     string `name:"rsin" help:"RSIN, nine digits; left alone if not given."`
	Form     string `help:"Legal form: sole-proprietorship, partnership, legal-person or public-body; left alone if not given."`
	Standing string `help:"How it stands in the trade register: normal, moratorium, bankrupt, dissolved or deregistered; left alone if not given."`
	Inactive bool   `help:"Stop every mandate from, to and through it; without this they count again."`
}

func (p organisationPut) Run(e *environment) error {
	kvk, err := etoegang.ParseKvKNumber(p.KvK)
	if err != nil {
		return err
	}
	var o mandate.Organisation
	receipt, err := e.change("organisation recorded", func(t *register.Tx) error {
		known, err := t.Snapshot().Organisation(kvk.LegalSubject())
		if err != nil {
			return err
		}
		if known != nil {
			o = *known
		}
		o.KvK, o.Active = kvk, !p.Inactive
		if p.Name != "" {
			o.Name = p.Name
		}
		if p.RSIN != "" {
			if o.RSIN, err = etoegang.ParseRSIN(p.RSIN); err != nil {
				return err
			}
		}
		if o, err = t.PutOrganisation(o); err != nil {
			return err
		}
		return p.entry(t, o.ID)
	})
	if err != nil {
		return err
	}
	view := organisationView(o)
	return e.show(map[string]any{"organisation": view, "active": o.Active, "blocked": o.Blocked, "change": viewReceipt(receipt)}, func() {
		fmt.Fprintf(e.out, "organisation %d: %s%s, %s\n", o.ID, view, standing(o.Active, o.Blocked), viewReceipt(receipt))
	})
}

// entry writes down what the trade register says, as far as it was told.
func (p organisationPut) entry(t *register.Tx, id mandate.OrganisationID) error {
	entry, err := t.Snapshot().Entry(id)
	if err != nil {
		return err
	}
	if p.Form != "" {
		entry.Form = mandate.LegalForm(p.Form)
	}
	switch p.Standing {
	case "":
	case "normal":
		entry.Standing = mandate.Normal
	default:
		entry.Standing = mandate.Standing(p.Standing)
	}
	o, err := t.Snapshot().OrganisationNumbered(id)
	if err != nil {
		return err
	}
	return desk.PutEntryAtDesk(t, *o, entry)
}

// standing tells what keeps a party from taking part, if anything does.
func standing(active, blocked bool) string {
	switch {
	case blocked && active:
		return " (blocked)"
	case blocked:
		return " (inactive, blocked)"
	case !active:
		return " (inactive)"
	}
	return ""
}

type personPut struct {
	Authenticator string `required:"" help:"EntityID of the authentication service that knows the person." placeholder:"URN"`
	Pseudonym     string `required:"" help:"File with the internal pseudonym there, 64 hexadecimal digits; - reads standard input." placeholder:"FILE"`
	Name          string `help:"Name for people; left alone if not given."`
	Inactive      bool   `help:"Stop every mandate to this person; without this they count again."`
}

func (p personPut) Run(e *environment) error {
	subject, err := readSubject(p.Authenticator, p.Pseudonym)
	if err != nil {
		return err
	}
	var person mandate.Person
	receipt, err := e.change("person recorded", func(t *register.Tx) error {
		known, err := t.Snapshot().Person(subject)
		if err != nil {
			return err
		}
		if known != nil {
			person = *known
		}
		person.Subject, person.Active = subject, !p.Inactive
		if p.Name != "" {
			person.Name = p.Name
		}
		person, err = t.PutPerson(person)
		return err
	})
	if err != nil {
		return err
	}
	return e.show(map[string]any{"person": person.ID, "name": person.Name, "active": person.Active, "blocked": person.Blocked, "change": viewReceipt(receipt)}, func() {
		fmt.Fprintf(e.out, "person %d: %s%s, %s\n", person.ID, person.Name, standing(person.Active, person.Blocked), viewReceipt(receipt))
	})
}
