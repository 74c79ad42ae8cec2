package pages

import (
	"github.com/mandated/mandated/internal/desk"
	"github.com/mandated/mandated/internal/look"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
)

// The register's staff look somebody up: an organisation by its name or number, a person by one
// of his mandates. Neither name nor number stands in an address, only what the register counts
// them by.

func partyAt(id mandate.OrganisationID) string { return "/organisations/" + idText(id) }
func personAt(id mandate.PersonID) string      { return "/people/" + idText(id) }

// aim is why somebody looks for an organisation: on which page, what its words are called, and
// what follows the address of the one that is found.
type aim struct{ at, title, text, then string }

var (
	seeIt  = aim{"/parties", "place /parties", "parties text", ""}
	stopIt = aim{"/stop", "stop title", "stop text", "/stop"}
)

func (v *visit) parties() (answer, error) { return v.partiesPage(seeIt, nil) }

func (v *visit) findParties() (answer, error) { return v.findParty(seeIt) }

// partiesPage has the one field to search with, and whom a search has found.
func (v *visit) partiesPage(to aim, f faults) (a answer, err error) {
	p := v.listingHere()
	said := p.Search
	if f != nil {
		said = v.said("search")
	}
	parts := []look.Part{look.Paragraph{Text: v.say.Say(to.text)}, v.form(to.at, look.Form{
		Search: true, Buttons: []look.Button{{Text: v.say.Say("search")}}, Cancel: v.cancel("/"), Parts: []look.Part{
			look.Field{Name: "search", Label: v.say.Say("search party"), Hint: v.say.Say("search client hint"), Error: f["search"], Input: look.TextInput{Type: "search", Value: said, MaxLength: longestSearch}},
		}})}
	if p.Search != "" {
		err = v.c.Desk.Look(v.ctx(), v.caller(), p.Revision, func(l *desk.Look) error {
			list, next, err := l.Parties(p.Search, p.After, perPage)
			t := v.partyTable(to, list)
			t.Paging = v.listPaging(to.at, p, len(list), next, l.Revision())
			parts = append(parts, t)
			return err
		})
	}
	if err != nil {
		return a, err
	}
	return page(look.Page{Title: v.say.Say(to.title), Parts: parts}, f)
}

func (v *visit) partyTable(to aim, list []mandate.Organisation) look.Table {
	t := look.Table{Caption: v.say.Say("parties found"), Columns: []look.Column{{Title: v.say.Say("company name"), Names: true}, {Title: v.say.Say("kvk")}, {Title: v.say.Say("stop title")}}}
	for _, o := range list {
		name := o.Name
		if name == "" {
			name = v.party(o)
		}
		t.Rows = append(t.Rows, look.Row{{Text: name, About: o.KvK.Text(), Address: partyAt(o.ID) + to.then}, {Text: o.KvK.Text()}, {State: v.stopState(o.Blocked)}})
	}
	return t
}

// stopState is whether the emergency stop holds somebody.
func (v *visit) stopState(holds bool) *look.State {
	if holds {
		return &look.State{Kind: look.Error, Text: v.say.Say("stop on")}
	}
	return &look.State{Kind: look.Info, Text: v.say.Say("stop off")}
}

// findParty leads to the one whom somebody looks for, or to a list of those who could be meant.
func (v *visit) findParty(to aim) (answer, error) {
	search := v.short("search", longestSearch)
	if search == "" {
		return v.partiesPage(to, faults{"search": v.say.Say("wrong no search")})
	}
	var found []mandate.Organisation
	err := v.look(func(l *desk.Look) (err error) { found, _, err = l.Parties(search, register.Place{}, 2); return err })
	switch {
	case err != nil:
		return answer{}, err
	case len(found) == 0:
		return v.partiesPage(to, faults{"search": v.say.Say("wrong nobody found")})
	case len(found) == 1:
		return goTo(partyAt(found[0].ID) + to.then)
	}
	return goTo(v.listAt(to.at, listing{Search: search}))
}

// named is how somebody is called, whoever it is.
func (v *visit) named(e desk.Everything) string {
	if e.Company != nil {
		return v.party(*e.Company)
	}
	return v.person(*e.Person)
}

// organisation is all that the register has of one: how it stands, who manages its mandates, and
// those that it has given and received.
func (v *visit) organisation() (a answer, err error) {
	id := v.whose().Organisation
	err = v.look(func(l *desk.Look) error {
		e, err := l.Everything(v.whose())
		if err != nil {
			return err
		}
		entry, err := l.Entry(id)
		if err != nil {
			return err
		}
		managers, err := v.managers(l, id)
		if err != nil {
			return err
		}
		given, err := v.mandatesOf(l, partyAt(id), "given-", v.say.Say("mandates given"), register.Filter{Organisation: id, Side: mandate.GrantorSide})
		if err != nil {
			return err
		}
		received, err := v.mandatesOf(l, partyAt(id), "received-", v.say.Say("mandates received"), register.Filter{Organisation: id, Side: mandate.ReceiverSide})
		about := append(look.Description{
			{Term: v.say.Say("legal form"), Value: look.Cell{Text: v.say.Say("form " + string(entry.Form))}, Change: "/standing?of=" + idText(id)},
			{Term: v.say.Say("standing label"), Value: look.Cell{Text: v.say.Say("standing " + string(entry.Standing))}},
		}, v.stopAndCount(e, partyAt(id))...)
		a.page = v.partyPage(e, about, managers, given, received)
		return err
	})
	return a, err
}

// onePerson is all that the register has of a person.
func (v *visit) onePerson() (a answer, err error) {
	id := v.whose().Person
	err = v.look(func(l *desk.Look) error {
		e, err := l.Everything(v.whose())
		if err != nil {
			return err
		}
		held, err := v.mandatesOf(l, personAt(id), "", v.say.Say("mandates received"), register.Filter{Person: id})
		about := append(look.Description{{Term: v.say.Say("number in register"), Value: look.Cell{Text: idText(id)}}}, v.stopAndCount(e, personAt(id))...)
		a.page = v.partyPage(e, about, held)
		return err
	})
	return a, err
}

func (v *visit) partyPage(e desk.Everything, parts ...look.Part) look.Page {
	return look.Page{Title: v.named(e), Parts: append(v.happened(), parts...),
		Crumbs: []look.Link{{Text: v.say.Say("place /"), Address: "/"}, {Text: v.say.Say("place /parties"), Address: "/parties"}}}
}

// stopAndCount tells whether the emergency stop holds somebody, and how much he has.
func (v *visit) stopAndCount(e desk.Everything, at string) look.Description {
	stop := look.Item{Term: v.say.Say("stop title"), Value: look.Cell{State: v.stopState(e.Stop != nil)}, Change: at + "/stop"}
	if e.Stop != nil {
		stop.Value.Note = v.say.Say("stop since", "at", v.say.Moment(e.Stop.At), "why", e.Stop.Author.Why)
	}
	return look.Description{stop, {Term: v.say.Say("in force now"), Value: look.Cell{Text: v.say.Number(int64(e.InForce))}}}
}

// mandatesOf is one of the lists of mandates on a page.
func (v *visit) mandatesOf(l *desk.Look, at, name, caption string, f register.Filter) (look.Table, error) {
	place := v.numbered(at, name)
	list, more, err := l.Mandates(f, place.after, perPage)
	if err != nil {
		return look.Table{}, err
	}
	t, err := v.table(list, caption, &look.Empty{Title: v.say.Say("party no mandates", "what", caption)})
	t.Paging = place.paging(len(list), lastOf(list).ID, more)
	return t, err
}

// managers lists who manages the mandates of an organisation.
func (v *visit) managers(l *desk.Look, id mandate.OrganisationID) (look.Table, error) {
	place := v.numbered(partyAt(id), "managers-")
	list, more, err := l.AppointmentsIn(id, mandate.AppointmentID(place.after), perPage)
	t := v.appointmentTable()
	t.Columns = append(t.Columns, look.Column{Title: v.say.Say("do"), Unseen: true})
	t.Empty = &look.Empty{Title: v.say.Say("nobody manages")}
	for _, m := range list {
		if err != nil {
			break
		}
		var row look.Row
		row, err = v.appointmentRow(l, m)
		t.Rows = append(t.Rows, append(row, look.Cell{Links: []look.Link{v.toDismissal(m)}}))
	}
	t.Paging = place.paging(len(list), mandate.ID(lastOf(list).ID), more)
	return t, err
}
