// Package look is how the pages look on which people manage mandates, and how all that people
// read speaks: pages, letters, what programs are answered. A room says what stands on a page, in
// values with a type; what it looks like, how it is heard by those who do not see it, and what a
// browser may do with it, is decided here.
//
//	say := texts.In(look.LanguageOf(r))
//	look.Show(w, r, http.StatusOK, look.Page{
//		Site:  site(say),
//		Title: say.Say("mandates"),
//		Parts: []look.Part{look.Table{Caption: say.Say("mandates"), Columns: ..., Rows: ...}},
//	})
//
// A page works without script, by keyboard, in Dutch and in English, in the light and in the
// dark, from 320 pixels on, at 400 % and on paper (WCAG 2.2 AA). It has one style sheet, served
// by [Style], and a Content-Security-Policy that allows nothing else.
//
// The package owns the layout, the parts of pages, their style, the choice of a language and
// how days, numbers and plurals are written. It has never heard of mandates, sessions or
// users: what it shows is text, and addresses come from whoever calls.
package look

import (
	"bytes"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Site is what the pages of a room have in common.
type Site struct {
	Name    string    // of the service, as people know it
	Home    string    // address; "": there is no start page
	Nav     []NavItem // the main places
	Account *Account  // nil: nobody is logged in
	Footer  []Link    // to the accessibility statement, for instance
}

// NavItem is a main place of a site.
type NavItem struct {
	Link
	Current bool // the page is in this place
}

// Account is who is logged in, and how to log out: by a form, since that changes something.
type Account struct {
	Name   string
	For    string // the organisation; "": none
	Link   *Link  // to what he sets for himself; nil: nothing
	LogOut *Form  // its one button; nil: one cannot log out
}

// Page is one page.
type Page struct {
	Site   Site
	Title  string // the heading, and with the name of the site what the browser calls it
	Crumbs []Link // the way to this page, without the page itself
	Parts  []Part

	// Address is where the page can be fetched again, for the language switch. "": where the
	// request went.
	Address string

	// FormsTo are further places to which forms and the redirects after them may lead, as
	// sources of a Content-Security-Policy. They always may lead to this site.
	FormsTo []string
}

// still is the parameter of an address by which a page does not load itself anew.
const still = "still"

// Show writes a page in the language that the request asks for. It is personal: nobody may
// keep it. A mistake in the page's own templates panics.
func Show(w http.ResponseWriter, r *http.Request, status int, p Page) {
	l := LanguageOf(r)
	again := r.URL
	if p.Address != "" {
		if u, err := url.Parse(p.Address); err == nil {
			again = u
		}
	}
	v := &view{Page: p, Language: l, Style: StylePath, Again: address(again), again: again}
	for _, other := range languages {
		v.Languages = append(v.Languages, tongue{other, names[other], with(again, languageParameter, string(other))})
	}
	v.Errors = errorsIn(p.Parts)
	if g := progressIn(p.Parts); g != nil && !g.Finished && g.Every > 0 {
		v.Moves, v.Still = true, again.Query().Has(still)
		if !v.Still {
			w.Header().Set("Refresh", strconv.Itoa(max(1, int(g.Every/time.Second))))
		}
	}
	var page bytes.Buffer
	if err := write(&page, l, "page", v); err != nil {
		panic(err) // a mistake in a template of ours
	}
	describe(w.Header(), l, p.FormsTo)
	w.WriteHeader(status)
	_, _ = w.Write(page.Bytes()) // a reader who left is nobody's problem
}

// describe says what a page is, and what it may do: show our style, and send forms home.
func describe(h http.Header, l Language, formsTo []string) {
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Language", string(l))
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; form-action "+
		strings.Join(append([]string{"'self'"}, formsTo...), " ")+"; frame-ancestors 'none'; base-uri 'none'")
	h.Add("Vary", "Accept-Language, Cookie")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	// Some browsers tell by the origin alone that a form is ours, so that may go along.
	h.Set("Referrer-Policy", "same-origin")
}

// view is what the layout sees.
type view struct {
	Page
	Language  Language
	Languages []tongue
	Style     string
	Errors    []fieldError
	Again     string // address of this page
	Moves     bool   // the page loads itself anew,
	Still     bool   // or would, and has been told not to

	again *url.URL
}

// tongue is a language in the switch.
type tongue struct {
	Language Language
	Name     string
	Address  string
}

// Pause is the address of this page on which it stays as it is, and Resume of the one that
// loads itself anew.
func (v *view) Pause() string  { return with(v.again, still, "1") }
func (v *view) Resume() string { return with(v.again, still, "") }

// BrowserTitle is what the browser calls the page. That something is wrong comes first: it is
// what those hear who do not see the page.
func (v *view) BrowserTitle() string {
	title := v.Title
	if v.Site.Name != "" && v.Site.Name != title {
		title += " - " + v.Site.Name
	}
	if n := len(v.Errors); n > 0 {
		title = ours.In(v.Language).Say("wrong title", "title", title)
	}
	return title
}

// address is a URL without its host: a page links to its own site.
func address(u *url.URL) string {
	// More than one slash at the beginning would lead to another host.
	path := "/" + strings.TrimLeft(u.EscapedPath(), `/\`)
	if u.RawQuery == "" {
		return path
	}
	return path + "?" + u.RawQuery
}

// with is the address with this parameter, or without it if the value is "".
func with(u *url.URL, parameter, value string) string {
	q := u.Query()
	q.Del(parameter)
	if value != "" {
		q.Set(parameter, value)
	}
	return address(&url.URL{Path: u.Path, RawPath: u.RawPath, RawQuery: q.Encode()})
}

// Part is something that stands on a page. All are in this package.
type Part interface {
	write(w *bytes.Buffer, l Language) error
}

// write executes one of our templates.
func write(w *bytes.Buffer, l Language, name string, data any) error {
	return sets[l.known()].ExecuteTemplate(w, name, data)
}

// show is the part as HTML, for templates.
func show(l Language) func(Part) (template.HTML, error) {
	return func(p Part) (template.HTML, error) {
		if p == nil {
			return "", nil
		}
		var b bytes.Buffer
		if err := p.write(&b, l); err != nil {
			return "", fmt.Errorf("%T: %w", p, err)
		}
		return template.HTML(b.String()), nil // made by html/template
	}
}
