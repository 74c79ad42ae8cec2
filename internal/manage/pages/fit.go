package pages

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/mandated/mandated/internal/desk"
	"github.com/mandated/mandated/internal/look"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
)

// client are the rows of one: of each mandate that he has given. One that has ended is there only
// if nothing else is.
func (v *visit) client(c desk.Fitted) (rows []look.Row) {
	list := slices.DeleteFunc(slices.Clone(c.Fittings), func(f desk.Fitting) bool { return f.Chain.State.Ended() })
	if len(list) == 0 && len(c.Fittings) > 0 {
		list = []desk.Fitting{lastOf(c.Fittings)}
	}
	for _, f := range list {
		theirs := look.Cell{Text: v.briefly(f.Chain.Scope), Address: "/mandates/" + idText(f.Chain.ID), About: v.say.Say("mandate number", "number", idText(f.Chain.ID)),
			Note: v.say.Say("lasts", "until", v.lastDay(f.Chain.Validity.To), "state", v.stateOf(f.Chain).Text)}
		rows = append(rows, look.Row{{Text: v.party(c.Company)}, theirs, v.ourHalf(f), v.fit(f)})
	}
	if len(list) == 0 {
		rows = []look.Row{{{Text: v.party(c.Company)}, {Text: v.say.Say("nothing now")}, {Text: v.say.Say("nobody now")}, {}}}
	}
	return rows
}

func (v *visit) half(what string, m mandate.Mandate) string {
	return v.say.Say("half", "what", what, "until", v.lastDay(m.Validity.To), "state", v.stateOf(m).Text)
}

// mostNamed is how many things, or people, a row names of one mandate.
const mostNamed = 3

// briefly names the first of the things that a mandate covers, and how many others there are.
func (v *visit) briefly(s mandate.Scope) string {
	all := v.items(s)
	if len(all) <= mostNamed {
		return strings.Join(all, "; ")
	}
	return strings.Join(all[:mostNamed-1], "; ") + "; " + v.say.Say("and others", "n", len(all)-mostNamed+1)
}

// ourHalf are those to whom a client's mandate is assigned.
func (v *visit) ourHalf(f desk.Fitting) (c look.Cell) {
	list := byPerson(f.Assignments)
	if len(list) == 0 {
		return look.Cell{Text: v.say.Say("nobody now")}
	}
	named := map[mandate.PersonID]bool{}
	for i, m := range list {
		if i == mostNamed {
			c.Text = v.say.Say("first of", "n", mostNamed, "all", len(list))
			break
		}
		number := v.say.Say("mandate number", "number", idText(m.ID))
		link := look.Link{Address: "/mandates/" + idText(m.ID), About: number}
		what := v.person(m.Person)
		if named[m.Person.ID] { // two mandates of one person are not two people
			what, link.About = number, what
		}
		named[m.Person.ID] = true
		link.Text = v.half(what, m)
		c.Links = append(c.Links, link)
	}
	return c
}

// byPerson are the mandates that have not ended, those of one person together.
func byPerson(list []mandate.Mandate) []mandate.Mandate {
	list = slices.DeleteFunc(slices.Clone(list), func(m mandate.Mandate) bool { return m.State.Ended() })
	slices.SortStableFunc(list, func(a, b mandate.Mandate) int { return cmp.Compare(a.Person.ID, b.Person.ID) })
	return list
}

// fit says whether the halves fit; if not, what is in the way and what mends it.
func (v *visit) fit(f desk.Fitting) look.Cell {
	link := look.Link{Text: v.say.Say("assign"), Address: assignTo(f.Chain.ID, 0)}
	c := look.Cell{State: v.fitState(f)}
	if f.Misfit != mandate.Fits {
		c.Note = v.say.Say("misfit " + string(f.Misfit))
		link.Text, link.Address = v.mend(f)
		if link.Address == "" {
			c.Note += " " + link.Text
			return c
		}
	}
	link.About = v.say.Say("about", "company", v.party(f.Chain.Grantor), "number", idText(f.Chain.ID))
	c.Links = []look.Link{link}
	return c
}

func (v *visit) fitState(f desk.Fitting) *look.State {
	switch {
	case f.NeedsAttention():
		return &look.State{Kind: look.Warning, Text: v.say.Say("fits not")}
	case f.Misfit != mandate.Fits:
		return &look.State{Text: v.say.Say("fits no more")}
	}
	return &look.State{Kind: look.Done, Text: v.say.Say("fits")}
}

// mend says what mends a misfit, and where that is done; "": not here, or by nobody.
func (v *visit) mend(f desk.Fitting) (text, address string) {
	e := f.Edit
	if e == nil {
		return v.say.Say("mend " + string(f.Misfit)), ""
	}
	switch {
	case e.Act == mandate.ActAsk && e.Kind == mandate.Assignment:
		address = assignTo(f.Chain.ID, e.Mandate)
	case e.Act == mandate.ActAsk:
		address = renewal{old: f.Chain}.at()
	case e.Act == mandate.ActAgree:
		address = "/requests/" + idText(e.Mandate)
	case e.Side == mandate.ReceiverSide:
		address = "/mandates/" + idText(e.Mandate)
	}
	return v.say.Say("mend " + string(e.Act) + " " + string(e.Side)), address
}

// clientsList is such a list as a file, a line for each mandate of a client.
func (v *visit) clientsList() (answer, error) {
	choice := v.choice(v.listingHere())
	heads := []string{v.say.Say("kvk"), v.say.Say("client"), v.say.Say("mandate"), v.say.Say("their half"), v.say.Say("until"), v.say.Say("state"), v.say.Say("our half"), v.say.Say("do they fit"), v.say.Say("in the way"), v.say.Say("to do")}
	return listFile(v, v.say.Say("file clients"), heads, func(l *desk.Look, after register.Place) (rows [][]string, last register.Place, more bool, err error) {
		found, err := l.Fitted(choice, after, perFile, desk.MostLooked)
		for _, c := range found.Clients {
			for _, f := range c.Fittings {
				rows = append(rows, v.clientLine(c.Company, f))
			}
		}
		return rows, found.Next, found.Next != register.Place{}, err
	})
}

func (v *visit) clientLine(o mandate.Organisation, f desk.Fitting) []string {
	var people []string
	for _, m := range byPerson(f.Assignments) {
		people = append(people, v.say.Say("half", "what", v.person(m.Person), "until", v.day(m.Validity.To.Add(-time.Second)), "state", v.stateOf(m).Text))
	}
	line := []string{o.KvK.Text(), o.Name, idText(f.Chain.ID), strings.Join(v.items(f.Chain.Scope), "; "), v.day(f.Chain.Validity.To.Add(-time.Second)), v.stateOf(f.Chain).Text,
		strings.Join(people, "; "), v.fitState(f).Text, "", ""}
	if f.Misfit != mandate.Fits {
		line[8] = v.say.Say("misfit " + string(f.Misfit))
		line[9], _ = v.mend(f)
	}
	return line
}
