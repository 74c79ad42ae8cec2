package pages_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/net/html"

	"github.com/mandated/mandated/internal/look"
	"github.com/mandated/mandated/internal/manage/pages"
	"github.com/mandated/mandated/pkg/mandate"
)

// posts are all addresses that take forms, with something in place of each name.
func posts() (list []string) {
	for _, pattern := range pages.Patterns() {
		path, is := strings.CutPrefix(pattern, "POST ")
		if is && path != pages.PathReturn {
			list = append(list, strings.NewReplacer("{id}", "1", "{person}", "1", "{kind}", "chain", "{draft}", "abc", "{organisation}", "1").Replace(path))
		}
	}
	return list
}

// A form does nothing without a session, without its token, with the token of another form or
// of another session, or from another site.
func TestFormsOfOthers(t *testing.T) {
	s := newScene(t)
	bas := s.comes("Bas Bakker", bakery, mandate.Administrator)
	s.grants(bas)
	bea := s.comes("Bea Bakker", bakery, mandate.Administrator)
	staff := s.comes("Rik Register", registry, mandate.Staff)
	_, of := bea.visit("/grant/chain").form("/grant/chain")
	before := s.revision()
	for _, path := range posts() {
		to, who := s.web.URL+path, bas
		if staffOnly(path) {
			who = staff
		}
		if path != "/logout" { // whoever is out already is where that leads
			s.browser().visit("/").send(to, url.Values{"kvk": {"87654321"}}).is(http.StatusForbidden)
		}
		for what, form := range map[string]url.Values{
			"no token": {"kvk": {"87654321"}}, "nonsense": {look.TokenField: {"nonsense"}}, "another session's": {look.TokenField: of["token"], "kvk": {"87654321"}},
		} {
			if who.send(to, form); who.code != http.StatusConflict || !strings.Contains(who.text(), who.word("wrong stale")) {
				t.Errorf("%s with %s: HTTP %d %s", path, what, who.code, who.title())
			}
			if path == "/mandates/1/suspend" { // there is a way on, to where the form is
				who.click(who.word("open anew")).is(http.StatusOK).form(path)
			}
		}
		_, own := who.visit("/role").form("/logout")
		if path != "/logout" {
			who.send(to, own).is(http.StatusConflict)
		}
		request := must(http.NewRequest(http.MethodPost, to, strings.NewReader(own.Encode())))
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		request.Header.Set("Origin", "https://elsewhere.test")
		who.do(request).is(http.StatusForbidden).reads(who.word("wrong crossed"))
		request = must(http.NewRequest(http.MethodPost, to, strings.NewReader(own.Encode())))
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		request.Header.Set("Sec-Fetch-Site", "cross-site")
		who.do(request).is(http.StatusForbidden)
	}
	if s.revision() != before {
		t.Error("one of them has changed something")
	}
}

// Whoever sends a form that is of another time can open it anew, whichever it was: the link leads
// to a page, and nothing of what he had filled in stands in its address.
func TestFormOpensAnew(t *testing.T) {
	s := newScene(t)
	bas := s.comes("Bas Bakker", bakery, mandate.Administrator)
	staff := s.comes("Rik Register", registry, mandate.Staff)
	there := http.NewServeMux()
	for _, pattern := range pages.Patterns() {
		if strings.HasPrefix(pattern, http.MethodGet+" ") {
			there.HandleFunc(pattern, http.NotFound)
		}
	}
	for _, path := range posts() {
		who := bas
		if staffOnly(path) {
			who = staff
		}
		who.send(s.web.URL+path, url.Values{"client": {"12345678"}, "kvk": {"12345678"}}).is(http.StatusConflict)
		link := who.find(func(n *html.Node) bool { return n.Data == "a" && textOf(n) == who.word("open anew") })
		if link == nil {
			t.Fatalf("there is no way on from %s: %s", path, who.text())
		}
		to := attr(link, "href")
		if _, pattern := there.Handler(must(http.NewRequest(http.MethodGet, to, nil))); pattern == "" {
			t.Errorf("from %s it leads to %s, where there is nothing", path, to)
		}
		if strings.Contains(to, "12345678") {
			t.Errorf("from %s a number of somebody goes along: %s", path, to)
		}
	}
}

// untouched is what somebody sends of whom nothing may be read.
type untouched struct{ t *testing.T }

func (u untouched) Read([]byte) (int, error) { u.t.Error("it is read"); return 0, io.EOF }

// What somebody uploads is read when it is known that he may: not of a stranger, and not of
// somebody who has no such page.
func TestUploadOfOthers(t *testing.T) {
	s := newScene(t)
	bas := s.comes("Bas Bakker", bakery, mandate.Administrator)
	staff := s.comes("Rik Register", registry, mandate.Staff)
	for path, who := range map[string]*browser{"/clients/many": staff, "/catalogue/look": bas} {
		for code, cookies := range map[int][]*http.Cookie{http.StatusForbidden: nil, http.StatusNotFound: who.cookies()} {
			r := httptest.NewRequest(http.MethodPost, path, untouched{t})
			r.Header.Set("Content-Type", "multipart/form-data; boundary=x")
			for _, c := range cookies {
				r.AddCookie(c)
			}
			w := httptest.NewRecorder()
			if (*s.handler.Load()).ServeHTTP(w, r); w.Code != code {
				t.Errorf("%s: HTTP %d, not %d", path, w.Code, code)
			}
		}
	}
}

func (s *scene) revision() string {
	s.Helper()
	return fmt.Sprint(must(s.register.RevisionAt(ctx, s.clock.Now())))
}

// What belongs to others is not there: neither their mandates nor their people nor what they
// are filling in.
func TestThingsOfOthers(t *testing.T) {
	s := newScene(t)
	bas := s.comes("Bas Bakker", bakery, mandate.Administrator)
	s.grants(bas)
	bob := s.comes("Bob Boekhouder", office, mandate.Administrator)
	s.assigns(bob, "1")
	s.payroll(bob)
	bea := s.comes("Bea Bakker", bakery, mandate.Administrator)
	bea.visit("/grant/chain").fill("kvk", "23456789").press("/grant/chain")
	draft := bea.at.Path

	for _, path := range []string{ // the assignment is the office's affair
		"/mandates/2", "/mandates/2/revoke", "/mandates/2/narrow", "/mandates/2/renew", "/requests/2", "/people/1/offboard", "/mandates/99", "/mandates/x", "/mandates/0", "/mandates/-1",
		"/appointments/2/dismiss", "/grant/assign?client=1", "/grant/assign", "/grant/paper", "/grant/x", "/journal", "/peers", "/catalogue", "/catalogue/1/2", draft, "/drafts/abc/check", "/letters/abc", "/nowhere",
		"/teams/1", "/teams/1/join", "/teams/1/clients", "/teams/1/clients/1", "/teams/1/members/1", "/teams/1/fill", "/people/1/handover", "/requests/1/letter",
		"/parties", "/organisations/1", "/people/1", "/stop",
	} {
		if bas.visit(path); bas.code != http.StatusNotFound {
			t.Errorf("%s: HTTP %d %s", path, bas.code, bas.title())
		}
	}
	// With a form of his own session for that very address he gets no further: the token of one
	// is not that of another, and the desk does not know the mandate as his.
	for _, act := range []string{"suspend", "resume", "revoke", "narrow"} {
		bas.visit("/mandates/1")
		if act == "revoke" || act == "narrow" {
			bas.visit("/mandates/1/" + act)
		}
		if act == "resume" {
			continue // there is no such form now
		}
		_, form := bas.form("/mandates/1/" + act)
		bas.send(s.web.URL+"/mandates/2/"+act, form).is(http.StatusConflict)
	}
	if m := s.mandate(2); m.State != mandate.Active {
		t.Errorf("the office's assignment is %s", m.State)
	}
}

// Who presses twice has pressed once: both see the one mandate that there is.
func TestDoubleClick(t *testing.T) {
	s := newScene(t)
	b := s.comes("Bas Bakker", bakery, mandate.Administrator)
	b.visit("/grant/chain").fill("kvk", "87654321").press("/grant/chain")
	b.fill("much", "everything").next()
	to, form := b.form(b.at.Path)
	var both sync.WaitGroup
	var led [2]string
	for i := range led {
		both.Go(func() {
			request := must(http.NewRequest(http.MethodPost, to, strings.NewReader(form.Encode())))
			request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			request.Header.Set("Accept-Language", b.lang)
			for _, c := range b.http.Jar.Cookies(b.at) {
				request.AddCookie(c)
			}
			client := s.client()
			client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
			if response, err := client.Do(request); err == nil {
				led[i] = fmt.Sprint(response.StatusCode, response.Header.Get("Location"))
				_ = response.Body.Close()
			}
		})
	}
	both.Wait()
	if led[0] != "303/mandates/1?done=active" || led[1] != led[0] {
		t.Errorf("two clicks lead to %q", led)
	}
	b.send(to, form).is(http.StatusOK).reads(b.word("done active")) // and so does going back
	if b.visit("/mandates"); strings.Contains(b.text(), "Mandate 2") {
		t.Errorf("there are two: %s", b.text())
	}
}

// A form with a mistake can be put right and sent again, also with the token that it had.
func TestMistakeThenAgain(t *testing.T) {
	s := newScene(t)
	b := s.comes("Bas Bakker", bakery, mandate.Administrator)
	to, form := b.visit("/grant/chain").form("/grant/chain")
	form.Set("kvk", "1")
	b.send(to, form).is(http.StatusUnprocessableEntity)
	form.Set("kvk", "87654321")
	b.send(to, form).is(http.StatusOK)
	if b.title() != b.word("what") {
		t.Errorf("he is at %q", b.title())
	}
}

// What was shown is what is agreed to: where the text would be another now, for instance in
// another language, it is shown again first.
func TestTextThatChanged(t *testing.T) {
	s := newScene(t)
	b := s.comes("Bas Bakker", bakery, mandate.Administrator)
	b.visit("/grant/chain").fill("kvk", "87654321").press("/grant/chain")
	b.fill("much", "everything").next()
	to, form := b.form(b.at.Path)
	b.lang = "nl"
	b.send(to, form).is(http.StatusConflict).reads(b.word("wrong changed"), "machtigt")
	b.next().reads(b.word("done active"))
	if got := s.steps(1)[0].Consent.Language; got != "nl" {
		t.Errorf("he agreed in %q", got)
	}
}

// Nobody lets us keep or show more than a page asks for.
func TestTooMuch(t *testing.T) {
	s := newScene(t)
	b := s.comes("Bas Bakker", bakery, mandate.Administrator)
	for what, form := range map[string]url.Values{
		"a field": {"name": {strings.Repeat("a", 1001)}}, "a name": {strings.Repeat("a", 101): {"x"}}, "all": {"services": slices.Repeat([]string{"abcdefghi"}, 4000)},
	} {
		to, whole := b.visit("/grant/chain").form("/grant/chain")
		whole.Set("kvk", "87654321")
		for name, values := range form {
			whole[name] = values
		}
		if b.send(to, whole); b.code != http.StatusRequestEntityTooLarge || !strings.Contains(b.text(), b.word("wrong too much")) || len(b.text()) > 1000 {
			t.Errorf("%s: HTTP %d %s", what, b.code, b.title())
		}
	}
	b.visit("/mandates?x=" + strings.Repeat("a", 6000)).is(http.StatusRequestEntityTooLarge)
	b.visit("/login?to=/" + strings.Repeat("a", 2001)).as("Bas Bakker")
	if b.at.Path != "/" {
		t.Errorf("he is at an address of %d bytes", len(b.at.Path))
	}
	b.visit("/grant/chain").fill("kvk", "87654321").fill("name", strings.Repeat("é", 101)).press("/grant/chain").is(http.StatusUnprocessableEntity)
	if got := b.wrongAt("name"); !strings.HasSuffix(got, b.word("wrong name")) {
		t.Errorf("beside the name stands %q", got)
	}
	b.visit("/clients").fill("search", strings.Repeat("é", 300)).press("/clients").is(http.StatusOK)
}

// An address to go on to leads nowhere else.
func TestGoingOn(t *testing.T) {
	s := newScene(t)
	_ = s.comes("Bas Bakker", bakery, mandate.Administrator)
	b := s.browser().visit("/mandates").is(http.StatusForbidden)
	b.click(b.word("log in")).as("Bas Bakker")
	if b.at.Path != "/mandates" {
		t.Errorf("he is at %s", b.at)
	}
	// Nor is forgotten what was chosen there, whether he came to look or to send a form.
	bob := s.comes("Bob Boekhouder", office, mandate.Administrator)
	s.grants(s.comes("Bea Bakker", bakery, mandate.Administrator))
	bob.visit("/grant/assign?client=1").press("/grant/assign").is(http.StatusUnprocessableEntity)
	if bob.find(func(n *html.Node) bool {
		return attr(n, "hreflang") == "nl" && strings.Contains(attr(n, "href"), "client=1")
	}) == nil {
		t.Error("in the other language the client is forgotten")
	}
	to, form := bob.form("/grant/assign")
	for _, b := range []*browser{s.browser().visit("/grant/assign?client=1"), s.browser().visit("/").send(to, form)} {
		if b.is(http.StatusForbidden).click(b.word("log in")).as("Bob Boekhouder").is(http.StatusOK); b.at.RequestURI() != "/grant/assign?client=1" {
			t.Errorf("he is at %s", b.at)
		}
	}
	for _, to := range []string{"https://elsewhere.test/", "//elsewhere.test", `/\elsewhere.test`, "mandates", "/x\r\nSet-Cookie: a=b"} {
		b := s.browser()
		b.visit("/login?to=" + url.QueryEscape(to)).as("Bas Bakker")
		if b.at.Host != strings.TrimPrefix(s.web.URL, "https://") || b.at.Path != "/" {
			t.Errorf("%q leads to %s", to, b.at)
		}
	}
}
