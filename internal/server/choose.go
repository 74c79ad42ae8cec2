package server

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"

	"github.com/mandated/mandated/internal/look"
	"github.com/mandated/mandated/pkg/decision"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/pdp"
	"github.com/mandated/mandated/pkg/register"
	"github.com/mandated/mandated/pkg/saml"
	"github.com/mandated/mandated/pkg/xmlsec"
)

// view is which page of a visit is looked at. It travels in the page's address, sealed.
type view struct {
	Search  string         `json:"s,omitempty"`
	Clients bool           `json:"c,omitempty"` // the list goes on among clients
	After   register.Place `json:"a"`
	Office  *office        `json:"o,omitempty"` // whose clients at other registers are listed
	Pick    *chosen        `json:"p,omitempty"` // of which the services are chosen
	Nothing bool           `json:"n,omitempty"` // none was
	Lost    *lost          `json:"l,omitempty"` // what could be chosen and no longer can
}

// lost is a choice that was refused, and why.
type lost struct {
	Name   string          `json:"n"`
	Codes  []decision.Code `json:"c"`
	Record string          `json:"r"` // of the refusal
}

// chosen is an option as a page offers it.
type chosen struct {
	Organisation   mandate.OrganisationID `json:"o"`
	Name           string                 `json:"n"`
	Company        string                 `json:"k"`
	Intermediary   string                 `json:"i,omitempty"`
	Establishments []string               `json:"e,omitempty"`
	ConfirmAt      string                 `json:"c,omitempty"`
	Services       []string               `json:"s,omitempty"` // behind a portal
}

func chosenOf(o decision.Option, portal bool) chosen {
	c := chosen{Organisation: o.Represented.ID, Name: o.Represented.Name, Company: o.Represented.KvK.Text(), ConfirmAt: o.ConfirmAt.String()}
	if o.Intermediary != nil {
		c.Intermediary = o.Intermediary.KvK.Text()
	}
	for _, n := range o.Establishments {
		c.Establishments = append(c.Establishments, n.Text())
	}
	if portal {
		for _, s := range o.Services {
			c.Services = append(c.Services, s.String())
		}
	}
	return c
}

// into puts the choice into the question that the visit began with. What was sealed by us
// was parsed before.
func (c chosen) into(r *pdp.Request) (err error) {
	company, err := etoegang.ParseKvKNumber(c.Company)
	if err != nil {
		return err
	}
	r.Chosen, r.Represented = true, append(slices.Clone(r.Represented), company.LegalSubject())
	if c.Intermediary != "" {
		if r.Intermediary, err = etoegang.ParseIntermediary(c.Intermediary); err != nil {
			return err
		}
	}
	for _, text := range c.Establishments {
		n, err := etoegang.ParseEstablishmentNumber(text)
		if err != nil {
			return err
		}
		r.Establishments = append(r.Establishments, n)
	}
	if c.ConfirmAt != "" {
		if r.ConfirmAt, err = etoegang.ParseEntityID(c.ConfirmAt); err != nil {
			return err
		}
	}
	for _, text := range c.Services {
		s, err := etoegang.ParseServiceUUID(text)
		if err != nil {
			return err
		}
		r.Services = append(r.Services, s)
	}
	return nil
}

// offer shows a page of a visit. Looking changes nothing.
func (s *Server) offer(w http.ResponseWriter, r *http.Request) {
	e, r := s.newEvent(w, r, onVisit)
	defer e.finish()
	defer e.rescue(func(broken error) { e.page(w, r, pageBroken, broken) })
	g, err := s.guest(r, e)
	if err != nil {
		e.page(w, r, pageOfVisit(err), err)
		return
	}
	defer g.leave()
	var v view
	if token := r.URL.Query().Get("v"); token != "" {
		if err := g.read("view", token, &v); err != nil {
			e.page(w, r, pageUnreadable, err)
			return
		}
	}
	ctx, cancel := context.WithTimeout(r.Context(), patience)
	defer cancel()
	page, err := g.draw(ctx, v, look.LanguageOf(r))
	if err != nil {
		e.page(w, r, pageBroken, err)
		return
	}
	g.leave()
	e.outcome, e.status = "choosing", "page "+page.template
	w.Header().Set("Referrer-Policy", "no-referrer")
	e.show(w, http.StatusOK, "'self' "+g.onward(), page.template+".html", map[string]any{"Language": page.Language, "Page": page, "Text": text{Title: page.Title}})
}

// onward is where forms of a visit lead in the end: from us to the broker, and on to the
// provider. Browsers hold the redirects after a form against form-action, too.
func (g *guest) onward() string {
	to, err := url.Parse(g.in.Consumer.Location)
	if err == nil && to.Scheme == "http" { // on this machine
		return "https: http:"
	}
	return "https:"
}

// choiceForm is how many bytes a form of a visit may have.
const choiceForm = 64 << 10

// choose takes what a page of a visit sends: another search, a choice, or that the user goes.
func (s *Server) choose(w http.ResponseWriter, r *http.Request) {
	e, r := s.newEvent(w, r, onVisit)
	defer e.finish()
	defer e.rescue(func(broken error) { e.page(w, r, pageBroken, broken) })
	r.Body = http.MaxBytesReader(w, r.Body, choiceForm)
	if err := r.ParseForm(); err != nil {
		e.page(w, r, pageUnreadable, errNotOurs)
		return
	}
	g, err := s.guest(r, e)
	if errors.Is(err, errVisitOver) {
		s.again(w, r, e)
		return
	}
	if err != nil {
		e.page(w, r, pageOfVisit(err), err)
		return
	}
	defer g.leave()
	form := r.PostForm
	switch {
	case form.Has("leave"):
		g.goAway(w, r, e)
	case form.Has("choice"):
		g.take(w, r, form, e)
	case form.Has("elsewhere"):
		e.outcome = "choosing"
		g.seek(w, r, form, e)
	case form.Has("search"):
		e.outcome = "choosing"
		g.turnTo(w, view{Search: shorten(form.Get("search"))}, e)
	default:
		e.page(w, r, pageUnreadable, errNotOurs)
	}
}

// longestSearch is more than any name that can be found, in bytes.
const longestSearch = 200

func shorten(text string) string {
	return string([]rune(text[:min(len(text), longestSearch)]))
}

// turnTo sends the browser to another page of the visit, with an address of its own: so the
// browser's back button goes from page to page.
func (g *guest) turnTo(w http.ResponseWriter, v view, e *event) {
	w.Header().Set("Location", g.address()+"?"+url.Values{"v": {g.token("view", v)}}.Encode())
	e.status = "page choose"
	e.send(w, http.StatusSeeOther, "text/plain; charset=utf-8", nil)
}

// take decides on a choice, or asks for which services it is.
func (g *guest) take(w http.ResponseWriter, r *http.Request, form url.Values, e *event) {
	var c chosen
	if err := g.read("choice", form.Get("choice"), &c); err != nil {
		e.page(w, r, pageUnreadable, err)
		return
	}
	if len(c.Services) > 1 {
		offered := c.Services
		c.Services = nil
		for _, s := range form["service"] {
			if slices.Contains(offered, s) && !slices.Contains(c.Services, s) {
				c.Services = append(c.Services, s)
			}
		}
		if len(c.Services) == 0 {
			e.outcome, c.Services = "choosing", offered
			g.turnTo(w, view{Pick: &c, Nothing: form.Has("picked")}, e)
			return
		}
	}
	g.conclude(w, r, c, e)
}

// conclude decides, and sends the user back with the answer. What he may no longer choose
// he is told of, and may choose again.
func (g *guest) conclude(w http.ResponseWriter, r *http.Request, c chosen, e *event) {
	g.leave()
	if err := g.server.deciding.enter(r.Context(), g.in.Query.Issuer.String()); err != nil {
		e.page(w, r, pageBusy, err)
		return
	}
	response, refused, err := g.decide(r.Context(), c, e)
	switch {
	case errors.Is(err, errVisitOver):
		g.server.again(w, r, e)
	case err != nil:
		e.page(w, r, pageOfVisit(err), err)
	case refused != nil:
		g.turnTo(w, view{Lost: refused}, e)
	default:
		g.sendBack(w, r, response, e)
	}
}

// decide gives the response to a choice, which ends the visit; or why it is refused. What
// could not be found out is a response, too.
func (g *guest) decide(ctx context.Context, c chosen, e *event) (*xmlsec.Element, *lost, error) {
	s := g.server
	defer s.deciding.leave()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	d := g.delivery()
	d.chosen = &c
	found, err := d.decide(ctx, e)
	switch {
	case errors.Is(err, errVisitOver):
		return nil, nil, err
	case err != nil:
		if over := d.end(ctx); over != nil {
			return nil, nil, errors.Join(over, err)
		}
		s.c.Metrics.visited("failed")
	case found.Outcome != decision.Permit:
		return nil, &lost{c.Name, found.Codes(), found.ID}, nil
	default:
		s.c.Metrics.visited("chosen")
		g.remember(ctx, c, e)
	}
	response, err := d.respond(ctx, found, err, e)
	return response, nil, err
}

// delivery is the visit's question on its way to the answer.
func (g *guest) delivery() *delivery {
	return &delivery{server: g.server, state: g.state, in: g.in, now: g.server.c.Now(), assertion: saml.NewID(), user: true, visit: g.visit}
}

// goAway ends a visit without a choice: the user cancels, or has read why there is none.
func (g *guest) goAway(w http.ResponseWriter, r *http.Request, e *event) {
	s := g.server
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), patience)
	defer cancel()
	err := s.visits.end(ctx, g.visit)
	if errors.Is(err, errVisitOver) {
		s.again(w, r, e)
		return
	}
	if err != nil {
		e.page(w, r, pageOfVisit(err), err)
		return
	}
	d := g.delivery()
	var response saml.Response
	codes := join(g.Denied)
	switch {
	case codes == "":
		e.outcome = "cancelled"
		response = d.refuse(refusalCancelled, "", e, nil)
	case s.peer(g.state, g.in.Query.Issuer).DenyStatement:
		e.outcome, d.assertion = "left", g.Answer
		response = d.stated(d.statement(pdp.Answer{}, codes), e)
	default:
		e.outcome = "left"
		response = d.refuse(refusalDenied, codes, e, nil)
	}
	g.leave()
	s.c.Metrics.visited(e.outcome)
	signed, err := response.Sign(g.state.Signer)
	if err != nil {
		e.page(w, r, pageBroken, err)
		return
	}
	g.sendBack(w, r, signed, e)
}
