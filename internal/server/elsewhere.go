package server

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/pdp"
	"github.com/mandated/mandated/pkg/register"
	"github.com/mandated/mandated/pkg/saml"
)

// A client's mandate may stand in another register, of which nobody has told ours. Then the
// user lets us ask the others, and may choose whom they name: discovery finds clients and
// never decides, since the register that holds the mandate is asked when the user has chosen.

// office is an organisation whose clients at other registers a user looks for.
type office struct {
	Name   string `json:"n"`
	KvK    string `json:"k"`
	Number string `json:"f,omitempty"` // only the client with this KvK number
	Skip   int    `json:"s,omitempty"` // how many of the list stand on earlier pages
}

// foundElsewhere is what came of asking, as it is kept for the pages of one visit.
type foundElsewhere struct {
	Clients []foundClient `json:"c"`
	Silent  []string      `json:"s"` // registers that did not answer
	Many    bool          `json:"m"` // more than are kept: none is
	Number  string        `json:"f"` // for which it was asked
}

type foundClient struct {
	Name     string    `json:"n"`
	KvK      string    `json:"k"`
	Register string    `json:"r"`
	Until    time.Time `json:"u"`
}

// MostFound is how many clients are kept of one register for a visit, and mostKept how many
// bytes of all. Who has more looks for a number.
const (
	MostFound = 2000
	mostKept  = 512 << 10
)

// place is where it is kept: the whole list, and what was found last for one number.
func (o office) place(g *guest) string {
	return fmt.Sprintf("found %s %s %t", g.name, o.KvK, o.Number != "")
}

// seek asks the other registers for an office's clients, and shows what they answer.
func (g *guest) seek(w http.ResponseWriter, r *http.Request, form url.Values, e *event) {
	var o office
	if err := g.read("office", form.Get("elsewhere"), &o); err != nil || g.server.c.Discover == nil {
		e.page(w, r, pageUnreadable, errors.Join(errNotOurs, err))
		return
	}
	search := shorten(form.Get("search"))
	if _, err := etoegang.ParseKvKNumber(search); err == nil {
		o.Number, search = search, ""
	} else if form.Has("search") {
		g.turnTo(w, view{Office: &o, Search: search}, e) // in what is kept already
		return
	}
	g.leave() // other registers take their time: nobody who has not asked for that waits for them
	if err := g.server.seeking.enter(r.Context(), g.person()); err != nil {
		e.page(w, r, pageBusy, err)
		return
	}
	if err := g.ask(r.Context(), o, e); err != nil {
		e.page(w, r, pageBroken, err)
		return
	}
	g.turnTo(w, view{Office: &o, Search: search}, e)
}

// person is who the user is, for as long as he waits.
func (g *guest) person() string {
	return g.in.Actor.Authenticator.String() + " " + g.in.Actor.Pseudonym.Text()
}

// ask asks the other registers, and keeps what they answer for the visit. The place that was
// taken for it is given back.
func (g *guest) ask(ctx context.Context, o office, e *event) error {
	defer g.server.seeking.leave()
	filter, service, err := g.filter(ctx, o)
	if err != nil {
		return err
	}
	answer := g.server.c.Discover(ctx, filter)
	if err := ctx.Err(); err != nil { // the user has gone, and nobody was silent
		return err
	}
	e.silent(answer)
	kept := foundElsewhere{Number: o.Number}
	for _, s := range answer.Silent {
		if s.Why == TooMany {
			kept.Many = true
			continue
		}
		p, _ := g.state.Receiver.Directory.Find(s.Register, g.server.c.Now())
		kept.Silent = append(kept.Silent, cmp.Or(p.Name, s.Register.String()))
	}
	for _, relation := range answer.Found {
		if covers(relation, service, filter.Level) && relation.Until.After(g.server.c.Now()) && relation.Represented.Text() != o.KvK {
			kept.Clients = append(kept.Clients, foundClient{relation.Name, relation.Represented.Text(), relation.Register.String(), relation.Until})
		}
	}
	kept.Clients = onceEach(kept.Clients)
	slices.SortStableFunc(kept.Clients, func(a, b foundClient) int { return register.CompareNames(a.Name, b.Name) })
	return g.keepFound(ctx, o, kept)
}

// filter is what the other registers are asked, and the service for which.
func (g *guest) filter(ctx context.Context, o office) (f saml.ChainFilter, service *etoegang.Service, err error) {
	if f.Intermediary, err = etoegang.ParseIntermediary(o.KvK); err != nil {
		return f, nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	c, err := g.choices(ctx, pdp.Page{Only: []mandate.OrganisationID{}})
	if err != nil {
		return f, nil, err
	}
	if service = c.Service.Service(); service == nil {
		return f, nil, errors.New("server: a service that was there is no longer in the catalogue")
	}
	if f.Level = g.requires(c); !service.Portal() {
		f.Service = service.UUID
	}
	if client, err := etoegang.ParseKvKNumber(o.Number); err == nil {
		f.Represented = client.LegalSubject()
	}
	return f, service, nil
}

// onceEach leaves of a client with several mandates at one register the one that lasts
// longest: which of them counts is for that register to say.
func onceEach(list []foundClient) []foundClient {
	slices.SortFunc(list, func(a, b foundClient) int {
		return cmp.Or(cmp.Compare(a.KvK, b.KvK), cmp.Compare(a.Register, b.Register), b.Until.Compare(a.Until))
	})
	return slices.CompactFunc(list, func(a, b foundClient) bool { return a.KvK == b.KvK && a.Register == b.Register })
}

// covers tells whether a relation that was found reaches the service, as far as one can tell
// from here. A company without a KvK number cannot be asked about.
func covers(r saml.Relation, service *etoegang.Service, level etoegang.AssuranceLevel) bool {
	if r.Represented.Type() != etoegang.TypeKvKNr {
		return false
	}
	var scope mandate.Scope
	for _, c := range r.Covers {
		scope = append(scope, mandate.Item(c))
	}
	return slices.ContainsFunc(service.Targets(), func(t etoegang.Target) bool { return scope.Level(t) >= level })
}

func (g *guest) keepFound(ctx context.Context, o office, kept foundElsewhere) error {
	plain, err := json.Marshal(kept.Clients)
	if err != nil {
		return err
	}
	if kept.Many || len(plain) > mostKept {
		kept.Clients, kept.Many = nil, true
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	visits := g.server.visits
	return visits.keep(ctx, visits.store.Replace, o.place(g), kept, g.server.c.Now().Add(visits.lasts))
}

// found gives what is kept; nothing if nobody was asked.
func (g *guest) found(ctx context.Context, o office) (kept foundElsewhere, err error) {
	err = g.server.visits.look(ctx, o.place(g), &kept)
	if errors.Is(err, g.server.visits.absent) {
		return kept, nil
	}
	if err == nil && kept.Number != o.Number { // another number was looked for since
		return foundElsewhere{}, nil
	}
	return kept, err
}

// drawElsewhere fills a page with clients at other registers.
func (g *guest) drawElsewhere(ctx context.Context, d *drawing, v view) error {
	o := *v.Office
	kept, err := g.found(ctx, o)
	if err != nil {
		return err
	}
	c, err := g.choices(ctx, pdp.Page{Only: []mandate.OrganisationID{}})
	if err != nil {
		return err
	}
	g.describe(d, c)
	d.Title, d.Back, d.Searches = fmt.Sprintf(d.Say.TitleElsewhere, o.Name), g.address(), true
	d.Silent, d.Many, d.Office = kept.Silent, kept.Many, g.token("office", office{Name: o.Name, KvK: o.KvK})
	matching := slices.DeleteFunc(kept.Clients, func(c foundClient) bool { return !register.Matches(c.Name, c.KvK, v.Search) })
	page := matching[min(o.Skip, len(matching)):min(o.Skip+pageSize, len(matching))]
	var rows []row
	for _, c := range page {
		rows = append(rows, g.foundRow(d, o, c))
	}
	d.add(fmt.Sprintf(d.Say.ClientsOf, o.Name), rows)
	if o.Skip > 0 {
		d.First = g.link(view{Office: &office{Name: o.Name, KvK: o.KvK, Number: o.Number}, Search: v.Search})
	}
	if next := o.Skip + pageSize; next < len(matching) {
		o.Skip = next
		d.Next = g.link(view{Office: &o, Search: v.Search})
	}
	d.Nobody = len(matching) == 0 && !kept.Many
	return nil
}

func (g *guest) foundRow(d *drawing, o office, c foundClient) row {
	name := c.Name
	if name == "" {
		name = d.Say.Nameless
	}
	r := row{Name: name, Number: c.KvK, Notes: []string{d.Say.Elsewhere}}
	if c.Until.Before(g.server.c.Now().AddDate(0, 0, soon)) {
		r.Notes = append(r.Notes, fmt.Sprintf(d.Say.Expiring, d.Language.Date(c.Until)))
	}
	r.Choice = g.token("choice", chosen{Name: name, Company: c.KvK, Intermediary: o.KvK, ConfirmAt: c.Register})
	return r
}

// asksElsewhere gives what a button sends that lets other registers be asked for the clients
// of an organisation that has mandated the user itself; "" if nobody is asked.
func (g *guest) asksElsewhere(one pdp.Choice) string {
	if g.server.c.Discover == nil || len(g.in.Represented) > 0 {
		return ""
	}
	for _, o := range one.Options {
		if o.Intermediary == nil && len(o.Establishments) == 0 {
			return g.token("office", office{Name: o.Represented.Name, KvK: o.Represented.KvK.Text()})
		}
	}
	return ""
}
