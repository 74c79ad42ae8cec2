package pages

import (
	"cmp"
	"net/url"
	"slices"
	"strings"

	"github.com/mandated/mandated/internal/desk"
	"github.com/mandated/mandated/internal/look"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
)

// listing is a place in a list of companies: of clients, or of whom the register's staff look for.
// What was searched for and where the list goes on are names of companies, and often of people,
// so an address carries them sealed.
type listing struct {
	Search   string            `json:"s"`
	After    register.Place    `json:"a"`
	Seen     int               `json:"n"` // companies on the pages before
	Revision register.Revision `json:"r"` // all pages of a list are of one
}

func (v *visit) placeOfList() string { return "clients " + v.holder() }

// listAt is the address of a list at such a place of it.
func (v *visit) listAt(path string, p listing) string {
	return path + "?list=" + url.QueryEscape(v.keep.text(p, v.placeOfList()))
}

// listingHere is the place in the list that the address asks for.
func (v *visit) listingHere() (p listing) {
	if text := v.r.FormValue("list"); text != "" && !v.keep.open(text, v.placeOfList(), &p) {
		return listing{} // of somebody else: the list begins anew
	}
	return p
}

// listPaging tells which part of a list is shown, and leads to the next; nil if all fits on one
// page.
func (v *visit) listPaging(path string, p listing, rows int, next register.Place, at register.Revision) *look.Paging {
	if p.Seen == 0 && next == (register.Place{}) {
		return nil
	}
	paging := &look.Paging{First: p.Seen + 1, Last: p.Seen + rows}
	if p.Seen > 0 {
		paging.Begin = v.listAt(path, listing{Search: p.Search})
	}
	if next != (register.Place{}) {
		paging.Next = v.listAt(path, listing{Search: p.Search, After: next, Seen: paging.Last, Revision: at})
	}
	return paging
}

func (v *visit) searchClients() (answer, error) { return v.searchIn("/clients") }

// searchIn leads to what is searched for in a list.
func (v *visit) searchIn(path string) (answer, error) {
	search := v.short("search", longestSearch)
	if search == "" {
		return goTo(path)
	}
	return goTo(v.listAt(path, listing{Search: search}))
}

// clients are those whose intermediary the organisation is, with both halves of what its
// people may do for each.
func (v *visit) clients() (a answer, err error) {
	p := v.listingHere()
	err = v.c.Desk.Look(v.ctx(), v.caller(), p.Revision, func(l *desk.Look) error {
		list, next, err := l.Clients(p.Search, p.After, perPage)
		if err != nil {
			return err
		}
		t := look.Table{Caption: v.say.Say("place /clients"), Unseen: true, Empty: v.noClients(p.Search), Columns: []look.Column{
			{Title: v.say.Say("client"), Names: true}, {Title: v.say.Say("their half")}, {Title: v.say.Say("our half")}, {Title: v.say.Say("do"), Unseen: true},
		}}
		for _, c := range list {
			t.Rows = append(t.Rows, v.client(c))
		}
		t.Paging = v.listPaging("/clients", p, len(list), next, l.Revision())
		a.page = look.Page{Title: v.say.Say("place /clients"), Parts: []look.Part{
			look.Actions{v.action(v.say.Say("begin ask"), "/grant/ask", look.Primary), v.action(v.say.Say("begin many"), manyAt, look.Secondary),
				v.action(v.say.Say("asked"), askedAt, look.Secondary), v.action(v.say.Say("renew many"), renewAt, look.Secondary), v.action(v.say.Say("teams"), "/teams", look.Secondary)},
			v.clientSearch("/clients", p), t,
		}}
		return nil
	})
	return a, err
}

func (v *visit) clientSearch(at string, p listing) look.Form {
	return v.form(at, look.Form{Search: true, Buttons: []look.Button{{Text: v.say.Say("search"), Kind: look.Secondary}}, Parts: []look.Part{
		look.Field{Name: "search", Label: v.say.Say("search client"), Hint: v.say.Say("search client hint"), Optional: true, Input: look.TextInput{Type: "search", Value: p.Search, MaxLength: longestSearch}},
	}})
}

func (v *visit) noClients(search string) *look.Empty {
	if search != "" {
		return &look.Empty{Title: v.say.Say("no client found"), Text: v.say.Say("no client found text"), Links: []look.Action{v.action(v.say.Say("all clients"), "/clients", look.Secondary)}}
	}
	return &look.Empty{Title: v.say.Say("no clients"), Text: v.say.Say("no clients text")}
}

func (v *visit) client(c desk.Client) look.Row {
	row := look.Row{{Text: v.party(c.Company)}, {Text: v.say.Say("nothing now")}, {Text: v.say.Say("nobody now")}, {}}
	for _, m := range c.Chains {
		if m.State.Ended() {
			continue
		}
		row[1].Text = ""
		row[1].Links = append(row[1].Links, look.Link{Address: "/mandates/" + idText(m.ID),
			Text: v.say.Say("half", "what", strings.Join(v.items(m.Scope), "; "), "until", v.lastDay(m.Validity.To), "state", v.stateOf(m).Text)})
		if !m.State.Pending() {
			row[3].Links = append(row[3].Links, look.Link{Text: v.say.Say("assign"), About: v.say.Say("about", "company", v.party(c.Company), "number", idText(m.ID)), Address: assignTo(m.ID)})
		}
	}
	named := map[mandate.PersonID]bool{}
	for _, m := range byPerson(c.Assignments) {
		number := v.say.Say("mandate number", "number", idText(m.ID))
		link := look.Link{Address: "/mandates/" + idText(m.ID), About: number}
		what := v.person(m.Person)
		if named[m.Person.ID] { // two mandates of one person are not two people
			what, link.About = number, what
		}
		named[m.Person.ID] = true
		link.Text = v.say.Say("half", "what", what, "until", v.lastDay(m.Validity.To), "state", v.stateOf(m).Text)
		row[2].Text, row[2].Links = "", append(row[2].Links, link)
	}
	return row
}

// byPerson are the mandates that have not ended, those of one person together.
func byPerson(list []mandate.Mandate) []mandate.Mandate {
	list = slices.DeleteFunc(slices.Clone(list), func(m mandate.Mandate) bool { return m.State.Ended() })
	slices.SortStableFunc(list, func(a, b mandate.Mandate) int { return cmp.Compare(a.Person.ID, b.Person.ID) })
	return list
}

// askOffboard asks once more before all that somebody may do here ends.
func (v *visit) askOffboard() (a answer, err error) {
	id := mandate.PersonID(v.number("person"))
	err = v.look(func(l *desk.Look) error {
		list, more, err := l.Mandates(register.Filter{Person: id, Side: mandate.GrantorSide}, 0, perPage)
		if err == nil && (len(list) == 0 || id == 0) {
			err = register.ErrNotFound
		}
		if err != nil {
			return err
		}
		name := v.person(list[0].Person)
		consequences := []string{v.say.Say("offboard all", "name", name), v.say.Say("offboard now", "name", name), v.say.Say("offboard good")}
		var about look.Description
		for _, m := range list {
			if !m.State.Ended() {
				about = append(about, look.Item{Term: v.say.Say("mandate number", "number", idText(m.ID)), Value: look.Cell{Text: strings.Join(v.items(m.Scope), "; "), State: v.stateOf(m)}})
			}
		}
		if more {
			consequences = append(consequences, v.say.Say("offboard more", "number", perPage))
		}
		at := "/people/" + idText(id) + "/offboard"
		a.page = look.Page{Title: v.say.Say("offboard title", "name", name), Parts: []look.Part{look.Confirm{
			Title: v.say.Say("offboard sure", "name", name), Consequences: consequences, About: about,
			Form: v.form(at, look.Form{Buttons: []look.Button{{Text: v.say.Say("offboard", "name", name)}}, Cancel: v.cancel("/mandates")}),
		}, look.Links{{Text: v.say.Say("hand over first", "name", name), Address: "/people/" + idText(id) + "/handover"}}}}
		return nil
	})
	return a, err
}

func (v *visit) offboard() (answer, error) {
	id := mandate.PersonID(v.number("person"))
	if _, err := v.c.Desk.Offboard(v.ctx(), v.caller(), "page: leaves", id); err != nil {
		return answer{}, err
	}
	return goTo("/people/" + idText(id) + "/ended")
}

// offboarded is the end of it.
func (v *visit) offboarded() (answer, error) {
	return answer{page: look.Page{Title: v.say.Say("offboarded"), Parts: []look.Part{
		look.Notice{Kind: look.Done, Title: v.say.Say("offboarded text")},
		look.Links{{Text: v.say.Say("all mandates"), Address: "/mandates"}, {Text: v.say.Say("place /appointments"), Address: "/appointments"}},
		look.Paragraph{Text: v.say.Say("offboarded appointment")},
	}}}, nil
}
