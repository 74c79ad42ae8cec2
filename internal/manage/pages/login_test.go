package pages_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/mandated/mandated/internal/manage/pages"
	"github.com/mandated/mandated/pkg/mandate"
)

// Whoever logs in and has no role is told what to do; with the code of a letter he has one, and
// the code is good for nobody after him.
func TestInvited(t *testing.T) {
	s := newScene(t)
	b := s.browser().logIn("Bas Bakker")
	b.is(http.StatusOK).reads(b.word("no role"), b.word("no role ask"))
	code := s.invites(bakery, mandate.Administrator, "Bas")
	b.click(b.word("have invitation")).fill("code", "nonsense").press("/invitation").is(http.StatusUnprocessableEntity)
	if got := b.wrongAt("code"); got == "" {
		t.Errorf("beside the code one does not read what is wrong: %s", b.text())
	}
	b.fill("code", code[:10]+"-"+code[10:]).press("/invitation").is(http.StatusOK).reads(b.word("overview", "company", "Bakkerij De Korenbloem (KvK number 12345678)"))

	other := s.browser().logIn("Bea Bakker").visit("/invitation").fill("code", code).press("/invitation")
	other.is(http.StatusUnprocessableEntity).reads(other.word("wrong invitation used"))
	stranger := s.browser().logIn("Bob Boekhouder").visit("/invitation").fill("code", s.invites(bakery, mandate.Administrator, "Bea")).press("/invitation")
	stranger.is(http.StatusUnprocessableEntity).reads(stranger.word("wrong other company"))
}

// A session ends when its user logs out, does nothing for a quarter of an hour, or after a
// working day; and no cookie of before is good after that.
func TestSessionsEnd(t *testing.T) {
	s := newScene(t)
	b := s.comes("Bas Bakker", bakery, mandate.Administrator)
	out := func() { t.Helper(); b.visit("/mandates").is(http.StatusForbidden).reads(b.word("log in first")) }
	in := func() { t.Helper(); b.visit("/mandates").is(http.StatusOK).reads(b.word("no mandates")) }
	in()
	s.clock.advance(pages.Idle * 9 / 10)
	in()
	s.clock.advance(pages.Idle * 9 / 10)
	in()
	s.clock.advance(pages.Idle + 1)
	out()

	s.clock.later.Store(0)
	b = s.browser().logIn("Bas Bakker")
	for range 36 {
		in()
		s.clock.advance(pages.Longest / 36)
	}
	out()

	s.clock.later.Store(0)
	b = s.browser().logIn("Bas Bakker")
	in()
	kept := b.cookies()
	b.press("/logout").is(http.StatusOK).reads(b.word("welcome"))
	out()
	b.http.Jar.SetCookies(b.at, kept)
	out()
}

// Cookies and headers are those of pages that others cannot frame, script or read.
func TestCookiesAndHeaders(t *testing.T) {
	s := newScene(t)
	_ = s.comes("Bas Bakker", bakery, mandate.Administrator)
	b := s.browser().visit("/")
	for name, want := range map[string]string{"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin",
		"Content-Security-Policy": "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"} {
		if got := b.head.Get(name); got != want {
			t.Errorf("%s is %q", name, got)
		}
	}
	set := map[string]*http.Cookie{}
	b.http.CheckRedirect = func(r *http.Request, _ []*http.Request) error {
		for _, line := range r.Response.Header["Set-Cookie"] {
			if c := must(http.ParseSetCookie(line)); c.MaxAge > 0 {
				set[c.Name[:13]] = c
			}
		}
		return nil
	}
	b.click(b.word("log in")).as("Bas Bakker")
	for name, site := range map[string]http.SameSite{"__Host-login-": http.SameSiteNoneMode, "__Host-session": http.SameSiteLaxMode} {
		c := set[name[:13]]
		if c == nil || !c.Secure || !c.HttpOnly || c.SameSite != site || c.Path != "/" || c.Domain != "" {
			t.Errorf("%s is set as %v", name, c)
		}
	}
}

// A log-in counts once, and only in the browser in which it began.
func TestLogInOnce(t *testing.T) {
	s := newScene(t)
	_ = s.comes("Bas Bakker", bakery, mandate.Administrator)
	b, thief := s.browser(), s.browser()
	b.visit("/").click(b.word("log in"))
	var last string
	b.http.CheckRedirect = func(r *http.Request, _ []*http.Request) error {
		if r.URL.Path == pages.PathReturn {
			last = r.URL.String()
			return http.ErrUseLastResponse
		}
		return nil
	}
	b.as("Bas Bakker")
	if last == "" {
		t.Fatalf("the broker does not lead back: %s", b.text())
	}
	thief.visit(last).is(http.StatusForbidden).reads(thief.word("wrong not begun"))
	b.http.CheckRedirect = nil
	b.visit(last).is(http.StatusOK).reads(b.word("acts nobody"))
	b.visit(last).is(http.StatusForbidden).reads(b.word("wrong not begun"))
}

// Whoever cannot come in because our store does not answer is told that it is us, and so are
// operators; nothing is said of the broker's answer, with which nothing is wrong.
func TestStoreThatIsLost(t *testing.T) {
	s := newScene(t)
	_ = s.comes("Bas Bakker", bakery, mandate.Administrator)
	for _, lost := range []string{"admit", "look"} {
		b := s.browser().visit("/").click(s.browser().word("log in"))
		s.store.lost.Store(lost)
		b.as("Bas Bakker").is(http.StatusServiceUnavailable).reads(b.word("trouble"), b.word("wrong ours"))
		s.store.lost.Store("")
		if log := s.log.String(); strings.Count(log, "level=ERROR") != 1 || !strings.Contains(log, "connection refused") || strings.Contains(log, "not believed") {
			t.Errorf("operators read %q", log)
		}
		s.log.text.Reset()
	}
}

// What is grave asks for a log-in of a moment ago, and goes on after it, in the same role.
func TestGraveActsAskForLogIn(t *testing.T) {
	s := newScene(t)
	b := s.comes("Bas Bakker", bakery, mandate.Administrator)
	b.visit("/appointments/new").is(http.StatusOK)
	before := b.cookies()
	s.clock.advance(pages.Fresh + 1)
	b.fill("name", "Bea").press("/appointments/new").is(http.StatusForbidden).reads(b.word("log in anew"))
	if strings.Contains(b.visit("/appointments").text(), "Bea") {
		t.Error("she was invited all the same")
	}
	b.visit("/appointments/new").is(http.StatusForbidden)
	s.clock.later.Store(0) // the broker's clock is the real one
	b.click(b.word("log in once more")).as("Bas Bakker").is(http.StatusOK)
	if b.title() != b.word("appoint title") {
		t.Errorf("after logging in he is at %q", b.title())
	}
	after := b.cookies()
	b.http.Jar.SetCookies(b.at, before)
	b.visit("/appointments").is(http.StatusForbidden) // the session of before is over
	b.http.Jar.SetCookies(b.at, after)
	b.visit("/appointments/new").is(http.StatusOK)

	s.clock.advance(pages.Fresh + 1)
	b.visit("/appointments/new")
	s.clock.later.Store(0)
	b.click(b.word("log in once more")).as("Bea Bakker")
	if b.reads(b.word("no role")); b.at.Path == "/appointments/new" {
		t.Error("somebody else goes on in his place")
	}
}

// What the register's staff do for others asks for a fresh log-in, too, whichever way they come
// to it; to suspend a mandate does not. What was filled in before is there after it.
func TestOfficialActsAskForLogIn(t *testing.T) {
	s := newScene(t)
	s.grants(s.comes("Bas Bakker", bakery, mandate.Administrator))
	rik := s.comes("Rik Register", registry, mandate.Staff)
	s.records(rik, "23456789").reads(rik.word("done awaiting-signatures"))
	ria := s.comes("Ria Register", registry, mandate.Staff)
	ria.visit("/grant/paper")
	s.fillsPaper(ria, "34567890").press("/grant/paper").is(http.StatusOK)
	before := s.revision()
	late := func() { s.clock.later.Store(int64(pages.Fresh + 1)) }
	for _, act := range []struct{ at, to string }{
		{"/requests/2", "/requests/2/accept"}, {"/requests/2", "/requests/2/refuse"}, {"/mandates/1/revoke", "/mandates/1/revoke"}, {"/mandates/1/narrow", "/mandates/1/narrow"},
		{"/standing", "/standing"}, {"/appointments/new", "/appointments/new"}, {"/appointments/2/dismiss", "/appointments/2/dismiss"},
		{"/organisations/1/appointments/1/dismiss", "/organisations/1/appointments/1/dismiss"},
	} {
		s.clock.later.Store(0)
		ria.visit(act.at).is(http.StatusOK)
		late()
		if ria.press(act.to); ria.code != http.StatusForbidden || ria.title() != ria.word("log in anew") {
			t.Errorf("%s: HTTP %d %s", act.to, ria.code, ria.title())
		}
		if to := must(url.Parse(attr(ria.find(func(n *htmlNode) bool { return n.Data == "a" && textOf(n) == ria.word("log in once more") }), "href"))).Query().Get("to"); to != act.at {
			t.Errorf("after logging in for %s he is at %s", act.to, to)
		}
	}
	if s.revision() != before {
		t.Error("one of them has changed something")
	}
	ria.visit("/mandates/1").press("/mandates/1/suspend").reads(ria.word("done suspended"))
	ria.press("/mandates/1/resume").is(http.StatusForbidden).reads(ria.word("log in anew"))

	s.clock.later.Store(0)
	ria.visit("/grant/paper")
	s.fillsPaper(ria, "34567890").press("/grant/paper").is(http.StatusOK)
	late()
	ria.fill("much", "everything").next().is(http.StatusForbidden)
	s.clock.later.Store(0)
	ria.click(ria.word("log in once more")).as("Ria Register").reads(ria.word("check"), ria.word("note paper"))
	ria.next().reads(ria.word("done awaiting-signatures"))
}

// Who has several roles chooses one, and goes on to where he wanted to be. What he was filling in
// as one is not there for the other.
func TestRoles(t *testing.T) {
	s := newScene(t)
	_ = s.comes("Bas Bakker", bakery, mandate.Administrator)
	_ = s.comes("Bas Bakker", bakery, mandate.Staff)
	b := s.browser().logIn("Bas Bakker")
	b.reads(b.word("choose role"))
	to, form := b.form("/role")
	form.Set("role", "999")
	b.send(to, form).is(http.StatusForbidden)
	b.visit("/role").fill("role", "2").press("/role").reads(b.word("overview staff"))
	b.visit("/mandates").is(http.StatusNotFound) // that is a company's
	b.visit("/role").fill("role", "1").press("/role").reads(b.word("acts nobody"))
	b.visit("/standing").is(http.StatusNotFound)
	b.visit("/grant/chain").fill("kvk", "87654321").press("/grant/chain").is(http.StatusOK)
	draft := b.at.Path
	b.visit("/appointments/new").fill("name", "Bea").press("/appointments/new").is(http.StatusOK)
	letter := b.at.Path
	b.visit("/role").fill("role", "2").press("/role")
	b.visit(draft).is(http.StatusNotFound)
	b.visit(letter).is(http.StatusNotFound)
	b.visit("/role").fill("role", "1").press("/role")
	b.visit(draft).is(http.StatusOK)
	b.visit(letter).is(http.StatusOK).reads("Dear Bea")

	again := s.browser().visit(draft)
	again.click(again.word("log in")).as("Bas Bakker").reads(again.word("choose role"))
	if again.fill("role", "1").press("/role").is(http.StatusOK); again.at.Path != draft {
		t.Errorf("he is at %s", again.at)
	}
}
