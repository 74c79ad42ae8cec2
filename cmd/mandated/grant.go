package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/mandated/mandated/internal/desk"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
)

// readSubject reads who a person is at his authentication service. His pseudonym comes out
// of a file, since command lines are seen by others.
func readSubject(authenticator, file string) (s etoegang.ActingSubject, err error) {
	if s.Authenticator, err = etoegang.ParseEntityID(authenticator); err != nil {
		return s, err
	}
	if s.Authenticator.Role() != etoegang.Authenticator {
		return s, fmt.Errorf("%s is no authentication service (AD)", authenticator)
	}
	read := func() ([]byte, error) { return os.ReadFile(file) }
	if file == "-" {
		read = func() ([]byte, error) { return io.ReadAll(io.LimitReader(os.Stdin, 1<<10)) }
	}
	text, err := read()
	if err != nil {
		return s, err
	}
	s.Pseudonym, err = etoegang.ParsePseudonym(strings.TrimSpace(string(text)))
	return s, err
}

type grantCommand struct {
	From          string   `required:"" help:"KvK number of the organisation that gives the mandate." placeholder:"KVK"`
	To            string   `help:"KvK number of the intermediary that receives it: a chain mandate." xor:"receiver" placeholder:"KVK"`
	Person        int64    `help:"Number of the person who receives it: a direct mandate, or with --client an assignment." xor:"receiver" placeholder:"N"`
	Client        int64    `help:"The client's chain mandate that an intermediary assigns to its person." placeholder:"MANDATE"`
	Scope         []string `required:"" help:"What it covers: SERVICE-UUID@loa3, provider:OIN@loa3 or everything@loa3. May be repeated." placeholder:"ITEM"`
	Since         string   `help:"First moment it counts: a date, or a moment with a zone. Default: now." placeholder:"DATE"`
	Until         string   `required:"" help:"First moment it no longer counts." placeholder:"DATE"`
	Establishment []string `help:"Limit a direct mandate to this establishment. May be repeated." placeholder:"NUMBER"`
	Elsewhere     string   `help:"EntityID of the register that holds this chain mandate, if that is another one." placeholder:"URN"`
	Reference     string   `help:"A note of your own, at most 255 bytes."`
}

func (g grantCommand) Run(e *environment) error {
	m, err := g.mandate(e)
	if err != nil {
		return err
	}
	receipt, err := e.change("mandate granted", func(t *register.Tx) error {
		if err := g.parties(t, &m); err != nil {
			return err
		}
		if m, err = t.Grant(m, register.GrantOptions{}); err != nil {
			return err
		}
		return desk.WroteAtDesk(t, m, mandate.ActAsk)
	})
	if err != nil {
		return err
	}
	view := viewOf(m)
	return e.show(map[string]any{"mandate": view, "change": viewReceipt(receipt)}, func() {
		fmt.Fprintf(e.out, "mandate %d: %s -> %s, %s, until %s, %s\n", m.ID, view.Grantor, view.receiver(), m.Scope, date(m.Validity.To), viewReceipt(receipt))
	})
}

// mandate reads everything but the parties, before the register is touched.
func (g grantCommand) mandate(e *environment) (m mandate.Mandate, err error) {
	m = mandate.Mandate{Kind: mandate.Direct, State: mandate.Active, Client: mandate.ID(g.Client), Reference: g.Reference}
	switch {
	case g.To == "" && g.Person == 0:
		return m, errors.New("say who receives the mandate: --to KVK or --person N")
	case g.To != "":
		m.Kind = mandate.Chain
	case g.Client != 0:
		m.Kind = mandate.Assignment
	}
	if m.Scope, err = mandate.ParseScope(strings.Join(g.Scope, " ")); err != nil {
		return m, err
	}
	for _, text := range g.Establishment {
		number, err := etoegang.ParseEstablishmentNumber(text)
		if err != nil {
			return m, err
		}
		m.Establishments = append(m.Establishments, number)
	}
	if g.Elsewhere != "" {
		if m.Register, err = etoegang.ParseEntityID(g.Elsewhere); err != nil {
			return m, err
		}
	}
	since := g.Since
	if since == "" {
		since = e.now().UTC().Format("2006-01-02T15:04:05Z")
	}
	if m.Validity.From, err = mandate.ParseMoment(since); err != nil {
		return m, err
	}
	m.Validity.To, err = mandate.ParseMoment(g.Until)
	return m, err
}

// parties finds the organisations and makes those that are not known yet: their number
// is all that a mandate needs.
func (g grantCommand) parties(t *register.Tx, m *mandate.Mandate) (err error) {
	if m.Grantor, err = organisation(t, g.From); err != nil {
		return err
	}
	if g.To != "" {
		m.Intermediary, err = organisation(t, g.To)
		return err
	}
	person, err := t.Snapshot().PersonNumbered(mandate.PersonID(g.Person))
	if err != nil {
		return err
	}
	if person == nil {
		return fmt.Errorf("there is no person %d: record one with \"mandated person\"", g.Person)
	}
	m.Person = *person
	return nil
}

func organisation(t *register.Tx, number string) (mandate.Organisation, error) {
	kvk, err := etoegang.ParseKvKNumber(number)
	if err != nil {
		return mandate.Organisation{}, err
	}
	known, err := t.Snapshot().Organisation(kvk.LegalSubject())
	if err != nil {
		return mandate.Organisation{}, err
	}
	if known != nil {
		return *known, nil
	}
	return t.PutOrganisation(mandate.Organisation{KvK: kvk, Active: true})
}
