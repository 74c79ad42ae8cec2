package pages

import (
	"net/url"
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
	Only     string            `json:"o"` // of clients: which of them
	After    register.Place    `json:"a"`
	Seen     int               `json:"n"` // rows on the pages before
	Looked   int               `json:"l"` // at so many clients, to find those
	Revision register.Revision `json:"r"` // all pages of a list are of one
}

// The clients that a list has, if not all.
const (
	onlyAttention = "attention"
	onlyEnding    = "ends"
)

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
	if p.After == (register.Place{}) && next == (register.Place{}) {
		return nil
	}
	paging := &look.Paging{First: p.Seen + 1, Last: p.Seen + rows}
	if p.After != (register.Place{}) {
		paging.Begin = v.listAt(path, p.begin())
	}
	if next != (register.Place{}) {
		p.After, p.Seen, p.Revision = next, paging.Last, at
		paging.Next = v.listAt(path, p)
	}
	return paging
}

// begin is the beginning of the same list, as it is now.
func (p listing) begin() listing { return listing{Search: p.Search, Only: p.Only} }

func (v *visit) searchClients() (answer, error) { return v.searchIn("/clients") }

// searchIn leads to what is searched for in a list.
func (v *visit) searchIn(path string) (answer, error) {
	p := listing{Search: v.short("search", longestSearch), Only: v.said("only")}
	if p == (listing{}) {
		return goTo(path)
	}
	return goTo(v.listAt(path, p))
}

// choice are the clients that a list has.
func (v *visit) choice(p listing) desk.Choice {
	c := desk.Choice{Search: p.Search}
	switch p.Only {
	case onlyAttention:
		c.Attention = true
	case onlyEnding:
		c.Ending = register.Ending{After: v.now, Before: v.now.Add(endsSoon)}
	}
	return c
}

// clients are those whose intermediary the organisation is: what each lets it do, who of its
// people does that, whether the two fit, and what mends it if not.
func (v *visit) clients() (a answer, err error) {
	p := v.listingHere()
	err = v.c.Desk.Look(v.ctx(), v.caller(), p.Revision, func(l *desk.Look) error {
		found, err := l.Fitted(v.choice(p), p.After, perPage, desk.MostLooked)
		if err != nil {
			return err
		}
		t := look.Table{Caption: v.say.Say("place /clients"), Unseen: true, Columns: []look.Column{
			{Title: v.say.Say("client"), Names: true}, {Title: v.say.Say("their half")}, {Title: v.say.Say("our half")}, {Title: v.say.Say("do they fit")},
		}}
		for _, c := range found.Clients {
			t.Rows = append(t.Rows, v.client(c)...)
		}
		p.Looked += found.Looked
		t.Paging = v.listPaging("/clients", p, len(t.Rows), found.Next, l.Revision())
		more := found.Next != register.Place{} && len(found.Clients) < perPage
		t.Empty = v.noClients(p, more)
		parts := []look.Part{
			look.Actions{v.action(v.say.Say("begin ask"), "/grant/ask", look.Primary), v.action(v.say.Say("begin many"), manyAt, look.Secondary),
				v.action(v.say.Say("asked"), askedAt, look.Secondary), v.action(v.say.Say("renew many"), renewAt, look.Secondary), v.action(v.say.Say("teams"), "/teams", look.Secondary)},
			v.clientSearch("/clients", p, v.onlyField(p)), t,
		}
		if more {
			parts = append(parts, look.Notice{Title: v.say.Say("looked so far", "n", v.say.Number(int64(p.Looked))), Text: v.say.Say("looked so far text"),
				Links: []look.Link{{Text: v.say.Say("search further"), Address: t.Paging.Next}}})
			t.Paging.Next = "" // it says the same
		}
		if more || len(t.Rows) > 0 {
			parts = append(parts, look.Actions{v.action(v.say.Say("clients list"), v.listAt("/clients/list", p.begin()), look.Secondary)})
		}
		a.page = look.Page{Title: v.say.Say("place /clients"), Parts: parts}
		return nil
	})
	return a, err
}

func (v *visit) clientSearch(at string, p listing, more ...look.Part) look.Form {
	return v.form(at, look.Form{Search: true, Buttons: []look.Button{{Text: v.say.Say("search"), Kind: look.Secondary}}, Parts: append([]look.Part{
		look.Field{Name: "search", Label: v.say.Say("search client"), Hint: v.say.Say("search client hint"), Optional: true, Input: look.TextInput{Type: "search", Value: p.Search, MaxLength: longestSearch}},
	}, more...)})
}

// onlyField chooses which clients are listed.
func (v *visit) onlyField(p listing) look.Field {
	list := look.SelectInput{{Label: v.say.Say("only all"), Chosen: p.Only == ""}}
	for _, only := range []string{onlyAttention, onlyEnding} {
		list = append(list, look.Option{Value: only, Label: v.say.Say("only " + only), Chosen: p.Only == only})
	}
	return look.Field{Name: "only", Label: v.say.Say("only"), Input: list}
}

// noClients is in place of a page without rows; more tells that not all clients were looked at.
func (v *visit) noClients(p listing, more bool) *look.Empty {
	all := []look.Action{v.action(v.say.Say("all clients"), "/clients", look.Secondary)}
	switch {
	case more:
		return &look.Empty{Title: v.say.Say("none so far")}
	case p.After != (register.Place{}):
		return &look.Empty{Title: v.say.Say("none further"), Links: []look.Action{v.action(v.say.Say("list begin"), v.listAt("/clients", p.begin()), look.Secondary)}}
	case p.Only == onlyAttention:
		return &look.Empty{Title: v.say.Say("no attention"), Links: all}
	case p.Only == onlyEnding:
		return &look.Empty{Title: v.say.Say("renew none"), Links: all}
	case p.Search != "":
		return &look.Empty{Title: v.say.Say("no client found"), Text: v.say.Say("no client found text"), Links: all}
	}
	return &look.Empty{Title: v.say.Say("no clients"), Text: v.say.Say("no clients text")}
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
