package server

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/mandated/mandated/internal/look"
	"github.com/mandated/mandated/pkg/catalogue"
	"github.com/mandated/mandated/pkg/decision"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/pdp"
	"github.com/mandated/mandated/pkg/register"
)

// drawing is what a page of a visit shows. Everything in it is text for people.
type drawing struct {
	template string
	Language look.Language
	Say      speech
	Title    string
	level    string // that the service needs, as people know it; "" if that is not known

	Address           string // where forms and links go
	Service, Provider string

	Lost     string      // a company that could be chosen and no longer can
	LostWhy  []explained //
	General  []explained // what stands in the way of every choice
	None     bool        // nothing can be chosen, and this page is all there is
	Code     string      // what the user tells our people, who find the record of the refusal by that; "": nothing was refused
	Search   string
	Searches bool // there is enough to search in
	Nobody   bool // nobody was found

	// Of a list of clients at other registers.
	Office string // token of whose they are; "": it is another list
	Silent []string
	Many   bool
	Back   string
	Groups []group
	First  string // a link, if this is not the first page
	Next   string

	// Of the page on which services are chosen.
	Name, Choice string
	Nothing      bool
	Services     []named
}

// group is a part of the list under a heading.
type group struct {
	Title string
	Rows  []row
}

// row is a company, in one of the ways in which one may act for it.
type row struct {
	Name, Number string
	Notes        []string
	Choice       string // token of the option; "": it cannot be chosen
	Clients      string // token with which its clients at other registers are looked for
	Why          []explained
}

type named struct{ Value, Name, Description string }

// pageSize is how many companies a page lists.
const pageSize = 25

// mostReads bounds how often a page is filled up with more of the list, when much of what
// was read bears on nothing.
const mostReads = 8

// draw reads what a page shows.
func (g *guest) draw(ctx context.Context, v view, language look.Language) (*drawing, error) {
	d := &drawing{template: "choose", Language: language, Say: speeches[language], Address: g.address()}
	if v.Pick != nil {
		return d, g.drawServices(ctx, d, v)
	}
	d.Search = v.Search
	if v.Office != nil {
		return d, g.drawElsewhere(ctx, d, v)
	}
	if err := g.drawList(ctx, d, v); err != nil {
		return d, err
	}
	d.Nobody = v.Search != "" && len(d.Groups) == 0
	if len(d.General) == 0 && len(d.Groups) == 0 && v.Search == "" {
		d.General = d.Say.general(g.Denied, d.level)
	}
	if d.Title = d.Say.Title; d.None {
		d.Title, d.Code = d.Say.TitleNone, ReferenceOf(g.Record)
	}
	if v.Lost != nil {
		d.Lost, d.LostWhy, d.Code = v.Lost.Name, d.Say.general(v.Lost.Codes, d.level), ReferenceOf(v.Lost.Record)
	}
	return d, nil
}

// drawList fills a page of the list: first what the companies gave themselves, then what
// came through intermediaries.
func (g *guest) drawList(ctx context.Context, d *drawing, v view) error {
	read := v
	rows := map[bool][]row{}
	for n := 0; n < mostReads && len(rows[false])+len(rows[true]) < pageSize; n++ {
		c, err := g.choices(ctx, pdp.Page{Clients: read.Clients, Search: read.Search, After: read.After, Size: pageSize - len(rows[false]) - len(rows[true])})
		if err != nil {
			return err
		}
		g.describe(d, c)
		for _, one := range c.List {
			rows[read.Clients] = append(rows[read.Clients], g.rows(d, c, one)...)
		}
		read.After = c.Next
		if c.Next != (register.Place{}) {
			continue
		}
		if read.Clients {
			read = view{}
			break
		}
		read.Clients = true
	}
	if read.Clients && read.After == (register.Place{}) { // the page is full just where the clients would begin
		c, err := g.choices(ctx, pdp.Page{Clients: true, Search: v.Search, Size: 1})
		if err != nil {
			return err
		}
		if len(c.List) == 0 && c.Next == (register.Place{}) {
			read = view{}
		}
	}
	if read.Clients || read.After != (register.Place{}) {
		d.Next = g.link(read)
	}
	if v.Clients || v.After != (register.Place{}) {
		d.First = g.link(view{Search: v.Search})
	}
	d.Searches = d.Next != "" || d.First != "" || v.Search != ""
	return g.drawGroups(ctx, d, v, rows)
}

func (g *guest) drawGroups(ctx context.Context, d *drawing, v view, rows map[bool][]row) error {
	if d.Next != "" && d.First == "" && v.Search == "" {
		last, err := g.drawRecent(ctx, d)
		if err != nil {
			return err
		}
		d.add(d.Say.Recent, last)
	}
	own := d.Say.Own
	if len(rows[false]) > 1 || v.After != (register.Place{}) {
		own = d.Say.Direct
	}
	d.add(own, rows[false])
	d.add(d.Say.Clients, rows[true])
	d.None = d.Next == "" && d.First == "" && v.Search == "" && !slices.ContainsFunc(d.Groups, func(g group) bool {
		return slices.ContainsFunc(g.Rows, func(r row) bool { return r.Choice != "" })
	})
	return nil
}

func (d *drawing) add(title string, rows []row) {
	if len(rows) > 0 {
		d.Groups = append(d.Groups, group{title, rows})
	}
}

// drawRecent lists what the person chose last, if he still can.
func (g *guest) drawRecent(ctx context.Context, d *drawing) (rows []row, err error) {
	list := g.recalled(ctx)
	for _, clients := range []bool{false, true} {
		only := []mandate.OrganisationID{}
		for _, one := range list {
			if one.Clients == clients {
				only = append(only, one.Organisation)
			}
		}
		if len(only) == 0 {
			continue
		}
		c, err := g.choices(ctx, pdp.Page{Clients: clients, Only: only})
		if err != nil {
			return nil, err
		}
		for _, one := range c.List {
			if len(one.Options) > 0 {
				rows = append(rows, g.rows(d, c, one)...)
			}
		}
	}
	return rows, nil
}

func (g *guest) choices(ctx context.Context, page pdp.Page) (pdp.Choices, error) {
	request, err := g.delivery().request(pdp.Trace{})
	if err != nil {
		return pdp.Choices{}, err
	}
	return g.server.c.Decider.Choices(ctx, request, page)
}

// describe tells which service the user wants to use.
func (g *guest) describe(d *drawing, c pdp.Choices) {
	if c.Service.Definition == nil {
		return
	}
	d.Service, d.Provider = c.Service.Definition.Name(string(d.Language)), c.Service.Provider.Name(string(d.Language))
	d.level = ehName(g.requires(c))
}

// requires is the level that the service needs this time.
func (g *guest) requires(c pdp.Choices) etoegang.AssuranceLevel {
	return max(cmp.Or(g.in.Query.Level, c.Service.Service().Level), etoegang.LoA2)
}

// link is the address of another page of the visit.
func (g *guest) link(v view) string { return g.address() + "?v=" + g.token("view", v) }

// rows shows one company: each option, or why there is none.
func (g *guest) rows(d *drawing, c pdp.Choices, one pdp.Choice) (rows []row) {
	for _, o := range one.Options {
		r := row{Name: nameOf(o.Represented, d.Say), Number: o.Represented.KvK.Text(), Choice: g.token("choice", chosenOf(o, len(c.Services) > 0))}
		r.Notes = d.notes(one, o, g)
		rows = append(rows, r)
	}
	if len(rows) > 0 {
		rows[len(rows)-1].Clients = g.asksElsewhere(one)
		return rows
	}
	r := row{Name: nameOf(one.Company, d.Say), Number: one.Company.KvK.Text()}
	for _, reason := range one.Reasons {
		if reason.Mandate == 0 {
			if why := d.Say.of(reason.Code, nil, d.level); !slices.Contains(d.General, why) {
				d.General = append(d.General, why)
			}
			continue
		}
		m, _ := one.Mandate(reason.Mandate)
		if why := d.Say.of(reason.Code, &m, d.level); !slices.Contains(r.Why, why) {
			r.Why = append(r.Why, why)
		}
	}
	return []row{r}
}

func nameOf(o mandate.Organisation, say speech) string {
	if o.Name == "" {
		return say.Nameless
	}
	return o.Name
}

// notes are what one wants to know of an option before choosing it.
func (d *drawing) notes(one pdp.Choice, o decision.Option, g *guest) (notes []string) {
	if o.Intermediary != nil {
		notes = append(notes, fmt.Sprintf(d.Say.Through, nameOf(*o.Intermediary, d.Say)))
	}
	for _, n := range o.Establishments {
		notes = append(notes, fmt.Sprintf(d.Say.Only, n.Text()))
	}
	if !o.ConfirmAt.IsZero() && o.ConfirmAt != g.server.c.Self {
		notes = append(notes, d.Say.Elsewhere)
	}
	now := g.server.c.Now()
	for _, id := range o.Mandates {
		if m, ok := one.Mandate(id); ok && m.Validity.To.Before(now.AddDate(0, 0, soon)) {
			if note := fmt.Sprintf(d.Say.Expiring, d.Language.Date(m.Validity.To)); !slices.Contains(notes, note) {
				notes = append(notes, note)
			}
		}
	}
	return notes
}

// soon is how many days before its end a mandate is marked.
const soon = 60

// drawServices fills the page on which services behind a portal are chosen.
func (g *guest) drawServices(ctx context.Context, d *drawing, v view) error {
	d.template, d.Title, d.Nothing = "services", d.Say.TitleServices, v.Nothing
	d.Name, d.Choice = v.Pick.Name, g.token("choice", v.Pick)
	d.First = g.link(view{})
	c, err := g.choices(ctx, pdp.Page{Clients: v.Pick.Intermediary != "", Only: []mandate.OrganisationID{v.Pick.Organisation}})
	if err != nil {
		return err
	}
	g.describe(d, c)
	for _, uuid := range v.Pick.Services {
		at := slices.IndexFunc(c.Services, func(s *catalogue.Definition) bool { return s.Service.UUID.String() == uuid })
		if at >= 0 {
			d.Services = append(d.Services, named{uuid, c.Services[at].Name(string(d.Language)), c.Services[at].Description(string(d.Language))})
		}
	}
	return nil
}
