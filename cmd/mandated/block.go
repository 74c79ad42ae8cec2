package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
)

type blockCommands struct {
	Person       blockPerson       `cmd:"" help:"Permit nothing to this person."`
	Organisation blockOrganisation `cmd:"" help:"Permit nothing for or through this company."`
}

type unblockCommands struct {
	Person       unblockPerson       `cmd:"" help:"Let the mandates to this person count again."`
	Organisation unblockOrganisation `cmd:"" help:"Let the mandates from, to and through this company count again."`
}

// reason is why somebody is blocked, or no longer.
type reason struct {
	Why string `required:"" help:"The reason, for the history. Name nobody in it." placeholder:"TEXT"`
}

type personStop struct {
	ID int64 `arg:"" help:"Number of the person."`
	reason
}

type organisationStop struct {
	KvK string `arg:"" name:"kvk" help:"KvK number, eight digits."`
	reason
}

type (
	blockPerson         struct{ personStop }
	unblockPerson       struct{ personStop }
	blockOrganisation   struct{ organisationStop }
	unblockOrganisation struct{ organisationStop }
)

func (c blockPerson) Run(e *environment) error         { return c.become(e, true) }
func (c unblockPerson) Run(e *environment) error       { return c.become(e, false) }
func (c blockOrganisation) Run(e *environment) error   { return c.become(e, true) }
func (c unblockOrganisation) Run(e *environment) error { return c.become(e, false) }

func (c personStop) become(e *environment, blocked bool) error {
	var p mandate.Person
	receipt, err := e.change(c.Why, func(t *register.Tx) error {
		known, err := t.Snapshot().PersonNumbered(mandate.PersonID(c.ID))
		if err == nil && known == nil {
			err = fmt.Errorf("there is no person %d: \"mandated list\" shows whom mandates are for", c.ID)
		}
		if err != nil {
			return err
		}
		p = *known
		p.Blocked = blocked
		p, err = t.PutPerson(p)
		return err
	})
	if err != nil {
		return err
	}
	view := partyView{Number: int64(p.ID), Name: p.Name}
	return e.stopped("person", view, p.Blocked, receipt)
}

func (c organisationStop) become(e *environment, blocked bool) error {
	kvk, err := etoegang.ParseKvKNumber(c.KvK)
	if err != nil {
		return err
	}
	var o mandate.Organisation
	receipt, err := e.change(c.Why, func(t *register.Tx) error {
		known, err := t.Snapshot().Organisation(kvk.LegalSubject())
		if err == nil && known == nil {
			err = errors.New("no organisation with that KvK number is known here, so it has no mandates: \"mandated organisation\" records it, and then it can be blocked")
		}
		if err != nil {
			return err
		}
		o = *known
		o.Blocked = blocked
		o, err = t.PutOrganisation(o)
		return err
	})
	if err != nil {
		return err
	}
	return e.stopped("organisation", organisationView(o), o.Blocked, receipt)
}

// stopped tells what an emergency stop did.
func (e *environment) stopped(kind string, party partyView, blocked bool, receipt register.Receipt) error {
	return e.show(map[string]any{kind: party, "blocked": blocked, "change": viewReceipt(receipt)}, func() {
		word := "not blocked"
		if blocked {
			word = "blocked"
		}
		fmt.Fprintf(e.out, "%s %d is %s, %s\n", kind, party.Number, word, viewReceipt(receipt))
	})
}

// stopView is a party that is blocked, since when, by whom and why.
type stopView struct {
	partyView
	Revision register.Revision `json:"revision"`
	Since    string            `json:"since"`
	By       string            `json:"by"`
	Why      string            `json:"why"`
}

func viewStop(p partyView, s register.Stop) stopView {
	return stopView{p, s.Revision, s.At.UTC().Format(time.RFC3339), s.Author.Who, s.Author.Why}
}

func (v stopView) row(kind, who string) []string {
	return []string{kind, fmt.Sprint(v.Number), who, v.Since, v.By, v.Why}
}

type blockedCommand struct{}

func (blockedCommand) Run(e *environment) error {
	organisations, persons := []stopView{}, []stopView{}
	err := e.read(func(s *register.Snapshot) error {
		companies, people, err := s.Blocked()
		if err != nil {
			return err
		}
		for _, o := range companies {
			stop, err := s.OrganisationStop(o.ID)
			if err != nil {
				return err
			}
			organisations = append(organisations, viewStop(organisationView(o), stop))
		}
		for _, p := range people {
			stop, err := s.PersonStop(p.ID)
			if err != nil {
				return err
			}
			persons = append(persons, viewStop(partyView{Number: int64(p.ID), Name: p.Name}, stop))
		}
		return nil
	})
	if err != nil {
		return err
	}
	return e.show(map[string]any{"organisations": organisations, "persons": persons}, func() {
		if len(organisations)+len(persons) == 0 {
			fmt.Fprintln(e.out, "nobody is blocked")
			return
		}
		rows := [][]string{{"KIND", "NUMBER", "WHO", "SINCE", "BY", "WHY"}}
		for _, o := range organisations {
			rows = append(rows, o.row("organisation", o.String()))
		}
		for _, p := range persons {
			rows = append(rows, p.row("person", p.Name))
		}
		e.table(rows)
	})
}
