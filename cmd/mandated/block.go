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

func (v stopView) row(kind string) []string {
	return []string{kind, fmt.Sprint(v.Number), v.who(), v.Since, v.By, v.Why}
}

// liftedView is an emergency stop that was lifted, when, by whom and why.
type liftedView struct {
	Kind string `json:"kind"`
	stopView
	Until     string `json:"until"`
	LiftedBy  string `json:"lifted_by"`
	LiftedFor string `json:"lifted_for"`
}

func viewLifted(l register.Lifted) liftedView {
	v := liftedView{Kind: "organisation", Until: l.By.At.UTC().Format(time.RFC3339), LiftedBy: l.By.Author.Who, LiftedFor: l.By.Author.Why}
	if l.Company != nil {
		v.stopView = viewStop(organisationView(*l.Company), l.Stop)
	} else {
		v.Kind, v.stopView = "person", viewStop(partyView{Number: int64(l.Person.ID), Name: l.Person.Name}, l.Stop)
	}
	return v
}

type blockedCommand struct {
	All bool `help:"Also the stops that were lifted."`
}

func (c blockedCommand) Run(e *environment) error {
	organisations, persons, lifted := []stopView{}, []stopView{}, []liftedView{}
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
		if !c.All {
			return nil
		}
		before, err := s.LiftedStops()
		for _, l := range before {
			lifted = append(lifted, viewLifted(l))
		}
		return err
	})
	if err != nil {
		return err
	}
	shown := map[string]any{"organisations": organisations, "persons": persons}
	if c.All {
		shown["lifted"] = lifted
	}
	return e.show(shown, func() {
		if len(organisations)+len(persons) == 0 {
			fmt.Fprintln(e.out, "nobody is blocked")
		} else {
			e.table(stopRows(organisations, persons))
		}
		if len(lifted) == 0 {
			return
		}
		rows := [][]string{{"LIFTED", "NUMBER", "WHO", "SINCE", "BY", "WHY", "UNTIL", "BY", "WHY"}}
		for _, l := range lifted {
			rows = append(rows, append(l.row(l.Kind), l.Until, l.LiftedBy, l.LiftedFor))
		}
		e.table(rows)
	})
}

// stopRows are those whom a stop holds, as a table.
func stopRows(organisations, persons []stopView) [][]string {
	rows := [][]string{{"KIND", "NUMBER", "WHO", "SINCE", "BY", "WHY"}}
	for _, o := range organisations {
		rows = append(rows, o.row("organisation"))
	}
	for _, p := range persons {
		rows = append(rows, p.row("person"))
	}
	return rows
}

// who names a company with its number, and a person.
func (v stopView) who() string {
	if v.KvK == "" {
		return v.Name
	}
	return v.String()
}
