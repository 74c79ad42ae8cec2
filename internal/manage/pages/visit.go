package pages

import (
	"context"
	"encoding/hex"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/mandated/mandated/internal/desk"
	"github.com/mandated/mandated/internal/look"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
)

// visit is one request, and what is made of it.
type visit struct {
	*pages
	w       http.ResponseWriter
	r       *http.Request
	say     look.Words
	now     time.Time
	session *session // nil: nobody has logged in
}

// answer is what somebody gets: a page, or another place to go.
type answer struct {
	page   look.Page
	status int    // 0: 200
	to     string // "": the page
	file   *file  // in place of a page
}

func goTo(address string) (answer, error) { return answer{to: address}, nil }

func (v *visit) ctx() context.Context { return v.r.Context() }

// handle does for every request what all have in common: who asks, whether he may, whether
// his form is one of ours that was not sent before, and what an error looks like.
func (p *pages) handle(route route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v := p.visit(w, r)
		r.Body = http.MaxBytesReader(w, r.Body, limitOf(r))
		a, err := v.serve(route)
		if err != nil {
			a = v.explain(err)
		}
		v.answer(a)
	})
}

// visit is one of which nothing is known yet.
func (p *pages) visit(w http.ResponseWriter, r *http.Request) *visit {
	return &visit{pages: p, w: w, r: r, say: texts.In(look.LanguageOf(r)), now: p.c.Now()}
}

func (v *visit) answer(a answer) {
	if a.to != "" {
		v.w.Header().Set("Cache-Control", "no-store")
		v.w.Header().Set("Referrer-Policy", "same-origin")
		v.w.Header().Set("Location", a.to)
		v.w.WriteHeader(http.StatusSeeOther)
		return
	}
	if a.file != nil {
		v.send(*a.file)
		return
	}
	if a.status == 0 {
		a.status = http.StatusOK
	}
	a.page.Site = v.site()
	if v.r.Method != http.MethodGet && a.page.Address == "" {
		a.page.Address = v.formAt() // for the language: every form can be looked at anew
	}
	look.Show(v.w, v.r, a.status, a.page)
}

// serve finds out who asks and lets him have what the route gives.
func (v *visit) serve(route route) (a answer, err error) {
	if err := v.readForm(); err != nil {
		return a, err
	}
	if v.session, err = v.find(); err != nil {
		return a, err
	}
	if a, stop := v.mayNot(route); stop {
		return a, nil
	}
	if err := v.readFile(); err != nil {
		return a, err
	}
	if v.r.Method == http.MethodPost && route.who != anybody {
		return v.once(func() (answer, error) { return route.serve(v) })
	}
	return route.serve(v)
}

// mayNot keeps out who may not see a page, and says what to do.
func (v *visit) mayNot(route route) (a answer, stop bool) {
	role := v.role()
	switch {
	case route.who == anybody:
		return a, false
	case v.session == nil:
		return v.logInFirst(), true
	case route.who == visitors:
		return a, false
	case role == nil:
		return answer{to: "/"}, true
	case route.who == companies && role.Role == mandate.Staff, route.who == staff && role.Role != mandate.Staff:
		return v.explain(register.ErrNotFound), true
	case (route.weight == grave || route.weight == official && v.isStaff()) && v.now.Sub(v.session.LoggedIn) > fresh:
		return v.logInAnew(), true
	}
	return a, false
}

func (v *visit) role() *role {
	if v.session == nil {
		return nil
	}
	return v.session.role
}

func (v *visit) isStaff() bool { r := v.role(); return r != nil && r.Role == mandate.Staff }

// holder is whose something is that is kept: an account in one of its appointments. It is there
// still when he has logged in anew, and not when he goes on in another role.
func (v *visit) holder() string {
	account := v.c.Desk.Account(v.session.visitor())
	return hex.EncodeToString(account[:]) + " " + idText(v.session.role.Appointment)
}

// caller is who asks, to the desk.
func (v *visit) caller() desk.Caller {
	return desk.Caller{Appointment: v.session.role.Appointment, Level: v.session.level()}
}

// look lets the visitor look at the newest revision.
func (v *visit) look(fn func(*desk.Look) error) error {
	return v.c.Desk.Look(v.ctx(), v.caller(), 0, fn)
}

// token is for one form of this session to this address.
type token struct{ Name string }

// Form gives a form its address and its token.
func (v *visit) form(address string, f look.Form) look.Form {
	f.Address = address
	if v.session != nil {
		f.Token = v.keep.text(token{newName()}, "form "+v.session.name+" "+address)
	}
	return f
}

// errStale: a form that was not made for this session and this address, or is cut off.
var errStale = errors.New("pages: the form is of another time")

// errUnderWay: the same form is being dealt with, and it takes long.
var errUnderWay = errors.New("pages: the form has been sent, and there is no answer to it yet")

// result is where a form has led to; "": nowhere yet.
type result struct{ To string }

// once deals with a form once. Whoever sends it again, by a double click or after going back,
// gets to where the first has led. One with which something was wrong may be sent again.
func (v *visit) once(serve func() (answer, error)) (answer, error) {
	var t token
	if !v.keep.open(v.r.PostFormValue(look.TokenField), "form "+v.session.name+" "+v.r.URL.Path, &t) || t.Name == "" {
		return answer{}, errStale
	}
	place, until := "form "+t.Name, v.session.Until
	for {
		err := v.keep.keep(v.ctx(), place, result{}, until)
		if err == nil {
			break
		}
		if !errors.Is(err, errKept) {
			return answer{}, err
		}
		to, err := v.led(place)
		if !errors.Is(err, errGone) { // or the first was not good: it is this one's turn
			return answer{to: to}, err
		}
	}
	a, err := serve()
	ctx := context.WithoutCancel(v.ctx()) // who left may send the form again
	switch {
	case err == nil && a.to != "":
		err = v.keep.put(ctx, place, result{a.to}, until)
	case !errors.Is(err, register.ErrUnheard) && !errors.Is(err, register.ErrUncertain): // nothing was done
		if e := v.keep.take(ctx, place, &result{}); e != nil && err == nil {
			err = e
		}
	}
	return a, err
}

// patience is how long the second of two clicks waits for what comes of the first.
const patience = 10 * time.Second

// led is where the form that was sent before has led to.
func (v *visit) led(place string) (string, error) {
	ctx, cancel := context.WithTimeout(v.ctx(), patience)
	defer cancel()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for {
		var first result
		if err := v.keep.look(ctx, place, &first); err != nil || first.To != "" {
			return first.To, err
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			return "", errUnderWay
		}
	}
}

// number is a number in the address; 0, which nothing has, if it is none.
func (v *visit) number(name string) int64 {
	n, err := strconv.ParseInt(v.r.PathValue(name), 10, 64)
	if err != nil || n < 1 {
		return 0
	}
	return n
}

func (v *visit) id() mandate.ID { return mandate.ID(v.number("id")) }

// said is what was filled in, without space around it.
func (v *visit) said(name string) string { return strings.TrimSpace(v.r.PostFormValue(name)) }

// short is what was filled in, as far as a field of that many characters holds it.
func (v *visit) short(name string, characters int) string {
	text := []rune(v.said(name))
	return string(text[:min(len(text), characters)])
}

// here is a local address, or "/" for one that leads elsewhere.
func here(address string) string {
	u, err := url.Parse(address)
	if err != nil || len(address) > longestHere || u.Scheme != "" || u.Host != "" || u.Opaque != "" || !strings.HasPrefix(u.Path, "/") ||
		strings.HasPrefix(u.Path, "//") || strings.ContainsAny(address, "\\\r\n") {
		return "/"
	}
	return (&url.URL{Path: u.Path, RawPath: u.RawPath, RawQuery: u.RawQuery}).RequestURI()
}

// site is what all pages have in common.
func (v *visit) site() look.Site {
	site := look.Site{Name: v.c.Name, Home: "/", Footer: v.c.Footer}
	if v.session == nil {
		return site
	}
	out := v.form("/logout", look.Form{Buttons: []look.Button{{Text: v.say.Say("log out"), Kind: look.Secondary}}})
	site.Account = &look.Account{Name: v.companyName(), LogOut: &out}
	role := v.role()
	if role == nil {
		return site
	}
	site.Account.Name, site.Account.For = role.Name, role.For
	site.Account.Link = &look.Link{Text: v.say.Say("contact"), Address: contactAt}
	places := []string{"/", "/mandates", "/requests", "/clients", "/appointments"}
	if v.isStaff() {
		places = []string{"/", "/requests", "/parties", "/appointments", "/journal", "/peers", "/catalogue"}
	}
	if v.hasPrices() {
		places = append(places, "/costs")
	}
	for _, place := range places {
		site.Nav = append(site.Nav, look.NavItem{
			Link:    look.Link{Text: v.say.Say("place " + place), Address: place},
			Current: v.r.URL.Path == place,
		})
	}
	return site
}

func (v *visit) companyName() string {
	if v.session.Name != "" {
		return v.session.Name
	}
	return v.say.Say("number", "kvk", v.session.Company)
}
