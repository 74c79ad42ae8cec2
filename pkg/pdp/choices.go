package pdp

import (
	"context"
	"fmt"
	"slices"

	"github.com/mandated/mandated/pkg/catalogue"
	"github.com/mandated/mandated/pkg/decision"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
)

// Page says which part of a person's choices is wanted.
type Page struct {
	// Clients: what came through intermediaries; else what companies gave him themselves.
	Clients bool

	Search string         // see register.Seeking
	After  register.Place // where the page before ended; zero: the beginning
	Size   int            // how many companies

	// Only are companies to look at instead of a page of all: those that he chose last.
	Only []mandate.OrganisationID
}

// Choices is a page of what a person may choose from.
type Choices struct {
	List     []Choice
	Next     register.Place // where the next page begins; zero: this is the last
	Service  catalogue.Instance
	Services []*catalogue.Definition // behind a portal; nil if it is none
}

// Choice is one company: the options that it is, and why what else was found is none.
type Choice struct {
	Company  mandate.Organisation
	Options  []decision.Option
	Reasons  []decision.Reason
	Mandates []mandate.Mandate // that were considered, the person's before the company's
}

// Mandate gives one that was considered, by its number.
func (c Choice) Mandate(id mandate.ID) (m mandate.Mandate, ok bool) {
	for _, m := range c.Mandates {
		if m.ID == id {
			return m, true
		}
	}
	return m, false
}

// Choices reads a page of what a person may choose from, as the register is now, in the
// order of the alphabet. Companies of which nothing bears on the question are left out, so
// that a page may be shorter than asked for without being the last. A company that the
// asker prefers is the only one.
//
// Nothing is decided and nothing recorded: it is for showing. What somebody chooses is
// decided when he has chosen, by Decide. Its errors are those of the register and the
// catalogue; a node whose clock is wrong shows nothing.
func (p *PDP) Choices(ctx context.Context, r Request, page Page) (c Choices, err error) {
	if p.c.Freshness != nil {
		if err := p.c.Freshness.Clock(); err != nil {
			return c, err
		}
	}
	if r.At.IsZero() {
		r.At = p.c.Now()
	}
	err = p.c.Register.Read(ctx, func(s *register.Snapshot) (err error) {
		c, err = p.choices(s, r, page)
		return err
	})
	if err != nil {
		err = fmt.Errorf("reading choices: %w", err)
	}
	return c, err
}

func (p *PDP) choices(s *register.Snapshot, r Request, page Page) (c Choices, err error) {
	var facts decision.Facts
	if err := p.service(s, r, &facts); err != nil {
		return c, err
	}
	if err := p.describeService(s, r, &c); err != nil {
		return c, err
	}
	if facts.Represented, err = company(s, r.Represented); err != nil {
		return c, err
	}
	if facts.Person, err = s.Person(r.Actor); err != nil || facts.Person == nil {
		return c, err
	}
	companies, err := p.companies(s, r, facts, page, &c)
	if err != nil {
		return c, err
	}
	held, err := s.HeldFor(r.Actor, companies)
	if err != nil {
		return c, err
	}
	var whole decision.Facts
	take(&whole, held)
	for _, id := range companies {
		if choice, ok := p.choice(part(facts, whole, page.Clients, id), r); ok {
			c.List = append(c.List, choice)
		}
	}
	return c, nil
}

// describeService finds what the pages tell of the service.
func (p *PDP) describeService(s *register.Snapshot, r Request, c *Choices) error {
	all, err := p.c.Catalogues.Of(s)
	if err != nil {
		return err
	}
	c.Service, _ = all.Find(r.ServiceID, r.ServiceUUID)
	if service := c.Service.Service(); service != nil && service.Portal() {
		for _, target := range service.Targets() {
			if definition, ok := all.Definition(target.UUID); ok {
				c.Services = append(c.Services, definition)
			}
		}
	}
	return nil
}

// companies finds those of the page.
func (p *PDP) companies(s *register.Snapshot, r Request, facts decision.Facts, page Page, c *Choices) (list []mandate.OrganisationID, err error) {
	switch {
	case len(r.Represented) > 0 && facts.Represented == nil:
		return nil, nil
	case len(r.Represented) > 0:
		return []mandate.OrganisationID{facts.Represented.ID}, nil
	case page.Only != nil:
		return page.Only, nil
	}
	kind := mandate.Direct
	if page.Clients {
		kind = mandate.Assignment
	}
	places, more, err := s.Companies(register.Seeking{Person: facts.Person.ID, Kind: kind, Search: page.Search, After: page.After}, page.Size)
	for _, p := range places {
		list = append(list, p.Organisation)
	}
	c.Next = register.Following(places, more)
	return list, err
}

// part is what is known about one company, on one side. A company's options do not depend
// on what is known about any other.
func part(about, whole decision.Facts, clients bool, company mandate.OrganisationID) decision.Facts {
	if clients {
		for _, a := range whole.Assigned {
			if a.Chain.Grantor.ID == company {
				about.Assigned = append(about.Assigned, a)
			}
		}
		return about
	}
	for _, m := range whole.Direct {
		if m.Grantor.ID == company {
			about.Direct = append(about.Direct, m)
		}
	}
	return about
}

// choice decides about one company; false if nothing is known of it.
func (p *PDP) choice(f decision.Facts, r Request) (c Choice, ok bool) {
	c.Mandates = considered(f)
	if len(c.Mandates) == 0 {
		return c, false
	}
	d := decision.Decide(f, p.request(r))
	if slices.Contains(d.Codes(), decision.NoMandateToPerson) { // none of them bears on the question
		return c, false
	}
	c.Company, c.Options, c.Reasons = c.Mandates[len(c.Mandates)-1].Grantor, d.Options, d.Reasons
	return c, true
}
