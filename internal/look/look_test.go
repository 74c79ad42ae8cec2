package look_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"
	"pgregory.net/rapid"

	"github.com/mandated/mandated/internal/look"
)

// shown is a page as a browser gets it.
type shown struct {
	t      *testing.T
	root   *html.Node
	header http.Header
	body   string
}

// show shows parts on a page at an address, to somebody with that language.
func show(t *testing.T, l look.Language, address string, p look.Page) shown {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, address, nil)
	r.Header.Set("Accept-Language", string(l))
	w := httptest.NewRecorder()
	if p.Title == "" {
		p.Title = "Titel"
	}
	look.Show(w, r, http.StatusOK, p)
	root, err := html.Parse(strings.NewReader(w.Body.String()))
	if err != nil {
		t.Fatal(err)
	}
	return shown{t, root, w.Header(), w.Body.String()}
}

func parts(p ...look.Part) look.Page { return look.Page{Parts: p} }

// all finds elements by the end of a path: "main h1", "a.look-name", "input[name=token]".
func (s shown) all(selector string) (found []*html.Node) {
	steps := strings.Fields(selector)
	for n := range s.root.Descendants() {
		if !fits(n, steps[len(steps)-1]) {
			continue
		}
		left := len(steps) - 2
		for up := n.Parent; up != nil && left >= 0; up = up.Parent {
			if fits(up, steps[left]) {
				left--
			}
		}
		if left < 0 {
			found = append(found, n)
		}
	}
	return found
}

var simple = regexp.MustCompile(`^([a-z0-9]*)(?:\.([a-zA-Z_-]+))?(?:\[([a-z-]+)=([^\]]*)\])?$`)

func fits(n *html.Node, selector string) bool {
	m := simple.FindStringSubmatch(selector)
	if m == nil {
		panic("no selector: " + selector)
	}
	return n.Type == html.ElementNode && (m[1] == "" || n.Data == m[1]) &&
		(m[2] == "" || strings.Contains(" "+value(n, "class")+" ", " "+m[2]+" ")) && (m[3] == "" || value(n, m[3]) == m[4])
}

// one is the only element there.
func (s shown) one(selector string) *html.Node {
	s.t.Helper()
	all := s.all(selector)
	if len(all) != 1 {
		s.t.Fatalf("%d of %s in %s", len(all), selector, s.body)
	}
	return all[0]
}

func value(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

// text is what can be read in an element, one space between words.
func text(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			b.WriteString(d.Data)
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

// reads fails the test if an element does not read so.
func (s shown) reads(selector, want string) {
	s.t.Helper()
	if got := text(s.one(selector)); got != want {
		s.t.Errorf("%s reads %q, want %q", selector, got, want)
	}
}

// Whatever the room says, a page has a language, one heading, landmarks, a way past them and
// a policy under which nothing but our style is loaded and nothing runs.
func TestFrame(t *testing.T) {
	s := show(t, look.Dutch, "/mandates?page=2", look.Page{
		Title: "Machtigingen", Crumbs: []look.Link{{Text: "Overzicht", Address: "/"}},
		Site: look.Site{Name: "Beheer", Home: "/", Nav: []look.NavItem{{Link: look.Link{Text: "Machtigingen", Address: "/mandates"}, Current: true}, {Link: look.Link{Text: "Cijfers", Address: "/figures"}}},
			Footer: []look.Link{{Text: "Toegankelijkheid", Address: "/accessibility"}}},
		FormsTo: []string{"https://broker.test"},
	})
	s.reads("title", "Machtigingen - Beheer")
	s.reads("main h1", "Machtigingen")
	s.reads("nav [aria-current=page]", "Machtigingen")
	if value(s.one("html"), "lang") != "nl" || value(s.one("a.utrecht-skip-link"), "href") != "#"+value(s.one("main"), "id") {
		t.Error("a page without a language or a way past its beginning")
	}
	if len(s.all("script")) != 0 || len(s.all("style")) != 0 || strings.Contains(s.body, " style=") {
		t.Error("there is a script or a style in the page")
	}
	if style := s.one("link[rel=stylesheet]"); value(style, "href") != look.StylePath {
		t.Errorf("the style is at %s", value(style, "href"))
	}
	for name, want := range map[string]string{
		"Content-Security-Policy": "default-src 'none'; style-src 'self'; form-action 'self' https://broker.test; frame-ancestors 'none'; base-uri 'none'",
		"Content-Language":        "nl", "Cache-Control": "no-store", "Vary": "Accept-Language, Cookie", "X-Content-Type-Options": "nosniff",
	} {
		if got := s.header.Get(name); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}

// What a room says is text: it never becomes a part of the page's own language, in whatever
// place it stands.
func TestTextStaysText(t *testing.T) {
	evil := `"><script>alert(1)</script>`
	cell := look.Cell{Text: evil, Address: "javascript:alert(1)", About: evil, Note: evil, Code: true, State: &look.State{Text: evil}, Links: []look.Link{{Text: evil, Address: evil, About: evil}}}
	fields := []look.Part{
		look.Field{Name: evil, Label: evil, Hint: evil, Error: evil, Input: look.TextInput{Value: evil, Type: evil, Autocomplete: evil}},
		look.Field{Name: evil, Label: evil, Input: look.DateInput{Day: evil, Month: evil, Year: evil}}, look.Field{Name: evil, Input: look.RadioInput{{Value: evil, Label: evil, Hint: evil}}},
		look.Field{Name: evil, Input: look.SelectInput{{Value: evil, Label: evil}}}, look.Field{Name: evil, Input: look.AreaInput{Value: evil}}, look.Field{Name: evil, Input: look.FileInput{Accept: evil}},
	}
	form := look.Form{Address: "javascript:alert(1)", Token: evil, Hidden: []look.Hidden{{Name: evil, Value: evil}}, Parts: fields, Buttons: []look.Button{{Text: evil, Name: evil, Value: evil}}}
	s := show(t, look.English, "/?"+url.QueryEscape(evil), look.Page{
		Title: evil, Crumbs: []look.Link{{Text: evil, Address: evil}}, Site: look.Site{Name: evil, Home: "javascript:alert(1)", Account: &look.Account{Name: evil, For: evil, Link: &look.Link{Text: evil, Address: "javascript:alert(1)"}, LogOut: &form}},
		Parts: []look.Part{
			look.Heading{Text: evil}, look.Paragraph{Text: evil, Code: evil}, look.List{Items: []string{evil}}, look.Notice{Title: evil, Text: evil, Items: []string{evil}},
			look.Details{Summary: evil, Parts: []look.Part{look.Paragraph{Text: evil}}}, look.Sheet{Before: evil, Title: evil, Parts: []look.Part{look.Paragraph{Text: evil}}}, look.Steps{Names: []string{evil}}, look.Description{{Term: evil, Value: cell, Change: evil}}, look.Empty{Title: evil},
			look.Progress{What: evil}, look.Confirm{Title: evil, Consequences: []string{evil}, Form: form}, form, look.Actions{{Link: look.Link{Text: evil, Address: evil}}},
			look.Table{Caption: evil, Columns: []look.Column{{Title: evil}}, Rows: []look.Row{{cell}}, Paging: &look.Paging{Next: evil}},
			look.Bars{Title: evil, About: evil, What: evil, Rows: []look.Bar{{Label: evil}}}, look.Stacks{Title: evil, About: evil, What: evil, Parts: []look.State{{Text: evil}}, Rows: []look.Stack{{Label: evil, Note: evil, Values: []int64{1}}}},
		},
	})
	if len(s.all("script")) != 0 || strings.Contains(s.body, `"javascript:`) {
		t.Errorf("it became more than text: %s", s.body)
	}
}

// Who sends a form with mistakes in it hears of them first, comes to each by a link, and
// finds at each field what is wrong with it.
func TestMistakesInAForm(t *testing.T) {
	form := look.Form{Address: "/grant", Token: "once-1", Buttons: []look.Button{{Text: "Ga verder"}}, Parts: []look.Part{
		look.Field{Name: "name", Label: "Naam", Hint: "Voor- en achternaam", Error: "Vul een naam in"},
		look.Field{Name: "start", Label: "Vanaf", Error: "Vul een dag in", Input: look.DateInput{Day: "31", Month: "4"}},
		look.Field{Name: "mail", Label: "E-mail", Optional: true, Input: look.TextInput{Type: "email"}},
		look.Details{Parts: []look.Part{look.Field{Name: "level", Label: "Niveau", Error: "Kies een niveau", Input: look.RadioInput{{Value: "3", Label: "EH3"}, {Value: "4", Label: "EH4"}}}}},
	}}
	s := show(t, look.Dutch, "/grant", parts(form))
	s.reads("title", "Fout: Titel")
	s.reads("[role=alert] h2", "Er zijn 3 dingen niet goed ingevuld")
	for _, link := range s.all("[role=alert] a") {
		if len(s.all("input[id="+strings.TrimPrefix(value(link, "href"), "#")+"]")) != 1 {
			t.Errorf("%q leads to no input", text(link))
		}
	}
	name := s.one("input[name=name]")
	if value(name, "aria-invalid") != "true" || value(name, "aria-describedby") != "f-name-hint f-name-error" {
		t.Errorf("the field does not say what is wrong: %v", name.Attr)
	}
	s.reads("div[id=f-name-error]", "Fout: Vul een naam in")
	s.reads("label[for=f-mail]", "E-mail (niet verplicht)")
	if value(s.one("input[name=start-day]"), "value") != "31" || value(s.one("input[name=start-month]"), "inputmode") != "numeric" {
		t.Error("a day is not asked for again as it was given")
	}
	if value(s.one("input[name=token]"), "value") != "once-1" || value(s.one("main form"), "method") != "post" {
		t.Error("the form has lost its token")
	}
	one := show(t, look.English, "/grant", parts(look.Form{Parts: []look.Part{look.Field{Name: "a", Label: "A", Error: "Wrong"}}}))
	one.reads("[role=alert] h2", "Something is not filled in correctly")
	if good := show(t, look.Dutch, "/", parts(look.Form{Parts: []look.Part{look.Field{Name: "a", Label: "A"}}})); len(good.all("[role=alert]")) != 0 {
		t.Error("a form without mistakes is called wrong")
	}
}

// A form with a file in it says so to the browser, one to search with says that it is one, and
// whatever a grave act is called, its button is one of danger.
func TestForms(t *testing.T) {
	s := show(t, look.Dutch, "/", parts(look.Form{Address: "/up", Parts: []look.Part{look.Field{Name: "f", Label: "F", Input: look.FileInput{}}}}))
	if value(s.one("main form"), "enctype") != "multipart/form-data" {
		t.Error("the file stays behind")
	}
	s = show(t, look.Dutch, "/", parts(look.Form{Address: "/find", Search: true}))
	if f := s.one("main form"); value(f, "role") != "search" {
		t.Errorf("%v", f.Attr)
	}
	buttons := []look.Button{{Text: "Trek in"}}
	s = show(t, look.Dutch, "/", parts(look.Confirm{Title: "Weg is weg", Consequences: []string{"a"}, Form: look.Form{Buttons: buttons, Cancel: &look.Link{Text: "Nee", Address: "/"}}}))
	s.reads("button.utrecht-button--danger", "Trek in")
	s.reads("main a.look-cancel", "Nee")
	if buttons[0].Kind != look.Primary {
		t.Error("the caller's button was changed")
	}
}

// A table is one to those who hear it: with a name, and titles of columns and rows. What it is a
// part of, and where the rest is, stands below.
func TestTable(t *testing.T) {
	table := look.Table{
		Caption: "Machtigingen", Columns: []look.Column{{Title: "Naam", Names: true}, {Title: "Sinds"}, {Title: "Stand"}},
		Rows:   []look.Row{{{Text: "Anna", Address: "/1"}, {Text: "2026"}, {State: &look.State{Kind: look.Done, Text: "Geldig"}}}, {{Text: "Bram"}}},
		Paging: &look.Paging{First: 26, Last: 27, Begin: "/", Next: "/?p=3"},
	}
	s := show(t, look.Dutch, "/", parts(table))
	s.reads("table caption", "Machtigingen")
	s.reads("nav.look-paging p", "26 tot en met 27")
	if n := len(s.all("th[scope=row]")); n != 2 {
		t.Errorf("%d rows have a name", n)
	}
	if n := len(s.all("tbody td")); n != 4 {
		t.Errorf("%d cells: a short row leaves places empty", n)
	}
	if a := s.one("a[rel=next]"); value(a, "href") != "/?p=3" || len(s.all("nav.look-paging li")) != 2 {
		t.Error("the next page is not there, or one that does not exist")
	}
	table.Paging = &look.Paging{First: 1, Last: 25}
	show(t, look.English, "/", parts(table)).reads("nav.look-paging p", "1 to 25")
	table.Rows = nil
	show(t, look.Dutch, "/", parts(table)).reads("main p", "Er is hier niets.")
	table.Empty = &look.Empty{Title: "Nog geen machtigingen"}
	show(t, look.Dutch, "/", parts(table)).reads("main h2", "Nog geen machtigingen")
}

// A page of long work loads itself anew, without script; whoever reads it can make it stop,
// and what is finished stays.
func TestProgress(t *testing.T) {
	p := look.Progress{What: "Inlezen", Done: 12, Of: 40, Every: 5 * time.Second}
	s := show(t, look.Dutch, "/import/7?a=b", parts(p))
	if s.header.Get("Refresh") != "5" || value(s.one("progress"), "value") != "12" || value(s.one("progress"), "max") != "40" {
		t.Errorf("refresh %q", s.header.Get("Refresh"))
	}
	stop := s.one("main a")
	if text(stop) != "Stop met verversen" || value(stop, "href") != "/import/7?a=b&still=1" {
		t.Errorf("%q leads to %s", text(stop), value(stop, "href"))
	}
	s = show(t, look.Dutch, value(stop, "href"), parts(p))
	if links := s.all("main a"); s.header.Get("Refresh") != "" || len(links) != 2 || value(links[1], "href") != "/import/7?a=b" {
		t.Error("it does not stop, or not begin again")
	}
	p.Finished = true
	if s = show(t, look.Dutch, "/import/7", parts(p)); s.header.Get("Refresh") != "" || len(s.all("main a")) != 0 {
		t.Error("what is finished is loaded anew")
	}
}

// A drawing has a title and a description, and whatever it shows stands in the table.
func TestFigures(t *testing.T) {
	s := show(t, look.Dutch, "/", parts(look.Bars{Title: "Gebruik", About: "Btw het meest.", What: "Dienst", Count: "Keren",
		Rows: []look.Bar{{Label: "Btw", Value: 2000}, {Label: "Vergunning", Value: 500}, {Label: "Niets", Value: 0}, {Label: "Minder dan niets", Value: -5}}}))
	s.reads("svg title", "Gebruik")
	s.reads("svg desc", "Btw het meest.")
	var widths []string
	for _, bar := range s.all("rect.look-svg-bar") {
		widths = append(widths, value(bar, "width"))
	}
	if got := strings.Join(widths, " "); got != "72.00% 18.00% 0.00% 0.00%" {
		t.Errorf("the bars are %s wide", got)
	}
	if got := text(s.one("tbody")); got != "Btw 2.000 Vergunning 500 Niets 0 Minder dan niets -5" {
		t.Errorf("the table reads %q", got)
	}
}

// The parts of a bar stand side by side, and their meaning stands below in words; whoever hears the
// page has it from the table.
func TestStacks(t *testing.T) {
	s := show(t, look.English, "/", parts(look.Stacks{Title: "Decisions", About: "By day.", What: "Day",
		Parts: []look.State{{Kind: look.Done, Text: "Permitted"}, {Kind: look.Error, Text: "Broken"}},
		Rows:  []look.Stack{{Label: "Monday", Values: []int64{1500, 500}}, {Label: "Sunday", Note: "in part", Values: []int64{0, 0}}}}))
	var drawn []string
	for _, part := range append(s.all("rect.look-svg-done"), s.all("rect.look-svg-error")...) {
		drawn = append(drawn, value(part, "x")+" "+value(part, "width"))
	}
	if got := strings.Join(drawn, ", "); got != "0.00% 54.00%, 0.00% 0.00%, 54.00% 18.00%, 0.00% 0.00%" {
		t.Errorf("the parts are at %s", got)
	}
	s.reads("ul.look-legend", "Permitted Broken")
	s.reads("thead", "Day Permitted Broken")
	s.reads("tbody", "Monday 1,500 500 Sundayin part 0 0")
	if value(s.one("ul.look-legend"), "aria-hidden") != "true" {
		t.Error("the legend is heard, without what it is of")
	}
}

// Steps that are done are said to be, and the one at hand is marked.
func TestSteps(t *testing.T) {
	s := show(t, look.English, "/", parts(look.Steps{Names: []string{"Who", "What", "Check"}, Now: 2}))
	s.reads("nav.look-steps p", "Step 2 of 3")
	s.reads("li[aria-current=step]", "What")
	s.reads("li.look-step-done", "Who (done)")
}

// A notice says in words what its colour says.
func TestNotices(t *testing.T) {
	for kind, want := range map[look.Kind]string{look.Info: "Let op: Dicht", look.Done: "Gelukt: Dicht", look.Warning: "Waarschuwing: Dicht", look.Error: "Fout: Dicht"} {
		show(t, look.Dutch, "/", parts(look.Notice{Kind: kind, Title: "Dicht"})).reads("main h2", want)
	}
}

// Wherever somebody is, the switch leads to the same place in the other language: on this
// site, and with the rest of the address as it was.
func TestSwitch(t *testing.T) {
	site := look.Switch(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		look.Show(w, r, http.StatusOK, look.Page{Title: "Titel"})
	}))
	visit := func(method, address, cookie string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(method, address, nil)
		r.Header.Set("Accept-Language", "nl")
		if cookie != "" {
			r.AddCookie(&http.Cookie{Name: "language", Value: cookie})
		}
		w := httptest.NewRecorder()
		site.ServeHTTP(w, r)
		return w
	}
	s := show(t, look.Dutch, "/mandates?page=2", look.Page{})
	link := s.one("a[hreflang=en]")
	if value(link, "href") != "/mandates?language=en&page=2" || value(link, "lang") != "en" {
		t.Errorf("the switch leads to %s", value(link, "href"))
	}
	w := visit(http.MethodGet, value(link, "href"), "")
	if w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/mandates?page=2" || len(w.Result().Cookies()) != 1 || w.Result().Cookies()[0].Value != "en" {
		t.Errorf("HTTP %d to %s", w.Code, w.Header().Get("Location"))
	}
	for cookie, want := range map[string]string{"": "nl", "en": "en", "nl": "nl", "de": "nl"} {
		if got := visit(http.MethodGet, "/", cookie).Header().Get("Content-Language"); got != want {
			t.Errorf("with cookie %q it is in %s", cookie, got)
		}
	}
	if w := visit(http.MethodPost, "/?language=en", ""); w.Code != http.StatusOK {
		t.Error("a form was sent elsewhere")
	}
	if w := visit(http.MethodGet, "/?language=de", ""); w.Code != http.StatusOK {
		t.Error("a language that is none led away")
	}
}

// No address, whatever a stranger makes of it, makes the switch lead to another site.
func TestSwitchStaysHere(t *testing.T) {
	site := look.Switch(http.NotFoundHandler())
	rapid.Check(t, func(t *rapid.T) {
		path := rapid.SliceOf(rapid.SampledFrom([]string{"/", `\`, "evil.test", ":", "@", "%2f", "%5c", "a", "?", "https:"})).Draw(t, "path")
		u, err := url.Parse("https://ours.test/" + strings.Join(path, ""))
		if err != nil {
			t.Skip("no address")
		}
		q := u.Query()
		q.Set("language", "en")
		u.RawQuery = q.Encode()
		w := httptest.NewRecorder()
		site.ServeHTTP(w, &http.Request{Method: http.MethodGet, URL: u, Header: http.Header{}})
		// Browsers take a backslash for a slash.
		to, err := u.Parse(strings.ReplaceAll(w.Header().Get("Location"), `\`, "/"))
		if err != nil || to.Host != u.Host || to.Scheme != u.Scheme {
			t.Fatalf("%s leads to %s", u, to)
		}
	})
}
