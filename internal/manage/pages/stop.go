package pages

import (
	"github.com/mandated/mandated/internal/desk"
	"github.com/mandated/mandated/internal/look"
	"github.com/mandated/mandated/pkg/mandate"
)

// The emergency page of the register's staff: nothing is permitted to, from or through an
// organisation or a person any more, until they lift the stop.

// askWhom is where one says which organisation it is.
func (v *visit) askWhom() (answer, error) { return v.partiesPage(stopIt, nil) }

func (v *visit) findWhom() (answer, error) { return v.findParty(stopIt) }

// whose is of whom all is to stop, by the address.
func (v *visit) whose() desk.Whose {
	return desk.Whose{Organisation: mandate.OrganisationID(v.number("organisation")), Person: mandate.PersonID(v.number("person"))}
}

func (v *visit) askStop() (answer, error) { return v.stopPage(nil) }

// stopPage asks once more, and tells how much is stopped; where the stop holds, since when and
// why, and asks whether to lift it.
func (v *visit) stopPage(f faults) (answer, error) {
	var e desk.Everything
	err := v.look(func(l *desk.Look) (err error) { e, err = l.Everything(v.whose()); return err })
	if err != nil {
		return answer{}, err
	}
	name := v.named(e)
	title := v.say.Say("stop title")
	confirm := look.Confirm{Title: v.say.Count("stop sure", e.InForce, "name", name),
		Consequences: []string{v.say.Say("stop now"), v.say.Say("stop stays"), v.say.Say("stop back")}, Form: v.reasoned("stop", v.say.Say("stop do"), f)}
	if e.Stop != nil {
		confirm = look.Confirm{Title: v.say.Say("stop holds", "name", name, "at", v.say.Moment(e.Stop.At), "why", e.Stop.Author.Why),
			Consequences: []string{v.say.Count("stop lifted", e.InForce)}, Form: v.reasoned("lift", v.say.Say("stop lift"), f)}
	}
	return page(look.Page{Title: title, Crumbs: []look.Link{{Text: v.say.Say("place /"), Address: "/"}, {Text: title, Address: "/stop"}},
		Parts: append(v.happened(), confirm)}, f)
}

// reasoned is a form that asks for nothing but a reason.
func (v *visit) reasoned(act, button string, f faults) look.Form {
	return v.form(v.r.URL.Path, look.Form{
		Hidden:  []look.Hidden{{Name: "act", Value: act}},
		Parts:   []look.Part{v.whyField(f)},
		Buttons: []look.Button{{Text: button}}, Cancel: v.cancel("/stop"),
	})
}

// whyField asks for a reason.
func (v *visit) whyField(f faults) look.Field {
	return look.Field{Name: "why", Label: v.say.Say("why"), Hint: v.say.Say("why hint"), Error: f["why"], Input: look.TextInput{Value: v.said("why"), MaxLength: 200}}
}

// stop stops somebody, or lifts the stop.
func (v *visit) stop() (answer, error) {
	if v.said("why") == "" {
		return v.stopPage(faults{"why": v.say.Say("wrong why")})
	}
	act, done := v.c.Desk.Block, "stopped"
	switch v.said("act") {
	case "stop":
	case "lift":
		act, done = v.c.Desk.Unblock, "lifted"
	default: // of neither form
		return answer{}, errStale
	}
	_, err := act(v.ctx(), v.caller(), v.said("why"), v.whose())
	if f := v.beside(err, "why"); f != nil {
		return v.stopPage(f)
	}
	if err != nil {
		return answer{}, err
	}
	return goTo(v.r.URL.Path + "?done=" + done)
}

// partiesOf are links for the register's staff to all whom a mandate is between, and to their
// emergency pages.
func (v *visit) partiesOf(m mandate.Mandate) (links look.Links) {
	add := func(name, at string) {
		links = append(links, look.Link{Text: v.say.Say("all of party", "name", name), Address: at}, look.Link{Text: v.say.Say("stop all of", "name", name), Address: at + "/stop"})
	}
	for _, o := range []mandate.Organisation{m.Grantor, m.Intermediary} {
		if o.ID != 0 {
			add(v.party(o), partyAt(o.ID))
		}
	}
	if m.Person.ID != 0 {
		add(v.person(m.Person), personAt(m.Person.ID))
	}
	return links
}
