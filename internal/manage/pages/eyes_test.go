package pages_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/mandated/mandated/internal/corpus"
	"github.com/mandated/mandated/internal/eyes"
	"github.com/mandated/mandated/internal/look"
	"github.com/mandated/mandated/internal/manage/pages"
	"github.com/mandated/mandated/pkg/mandate"
)

// viewer is somebody who looks at the pages in a real browser.
type viewer struct {
	*scene
	page *eyes.Page
	say  look.Words
	name string
	few  bool // looks closely only at pages of which there is one of a kind
}

func (s *scene) looks(o eyes.Options, name string) *viewer {
	s.Helper()
	return &viewer{s, eyes.Open(s.T, o).Go(s.web.URL), pages.Texts.In(look.Language(o.Language)), o.Language + "-" + name, name == "zoomed"}
}

// ofEachKind are pages of which others are like: of companies, and of the register's staff.
var ofEachKind = []string{"overview", "mandate", "revoke", "request", "what-wrong", "check", "clients", "letter",
	"staff", "paper", "party", "dismiss-theirs-wrong", "stop", "journal-found", "peers", "catalogue", "impact"}

// sees looks at the page that is there: it has that heading, fits, and axe finds nothing.
func (v *viewer) sees(shot, title string) {
	v.Helper()
	if got := v.page.Texts("h1"); len(got) != 1 || got[0] != title {
		v.Fatalf("%s: %s is called %q, not %q: %s", v.name, shot, got, title, v.page.Text())
	}
	if slices.Contains([]string{"who", "what", "granted", "dismiss", "out"}, shot) { // another page shows as much
		return
	}
	if v.few && !slices.Contains(ofEachKind, shot) {
		return
	}
	v.page.Fits()
	v.page.Axe()
	v.page.Shot(v.name + "-" + shot)
}

func (v *viewer) goes(path, shot, title string) {
	v.Helper()
	v.page.Go(v.web.URL + path)
	v.sees(shot, title)
}

func (v *viewer) logIn(person string) {
	v.Helper()
	v.page.Go(v.web.URL)
	v.sees("start", "Register of mandates")
	v.page.Click(v.say.Say("log in"))
	v.page.Click(fmt.Sprintf("css=input[name=person][value='%s']", person))
	v.page.Click("css=button[value=choose]")
}

// Every page can be read and used on a phone without script and at 400 %, in both languages, by
// those who see it and those who hear it. At 400 %, where a page is as wide as on a phone, one
// page of each kind is looked at.
func TestEyes(t *testing.T) {
	if corpus.Slower > 1 {
		t.Skip("a browser is looked through without the race detector, which finds nothing in it")
	}
	for name, o := range map[string]eyes.Options{
		"phone": {Language: "nl", Width: 320, Height: 640}, "zoomed": {Language: "en", Zoom: 4, Script: true},
	} {
		s := newScene(t)
		s.lang = o.Language
		baker, bob := s.comes("Bas Bakker", bakery, mandate.Administrator), s.comes("Bob Boekhouder", office, mandate.Administrator)
		s.grants(baker)
		s.assigns(bob, "1")
		s.payroll(bob)
		bob.visit("/grant/ask").fill("kvk", "12345678").press("/grant/ask")
		bob.fill("services", s.sandbox.Network.Services["vat"].UUID.String()).next()
		bob.next()
		_ = s.comes("Rik Register", registry, mandate.Staff)
		s.offers(s.desk.With(s.terms()))

		v := s.looks(o, name)
		v.company()
		v = s.looks(o, name)
		v.office()
		v = s.looks(o, name)
		v.staff()
	}
}

func (v *viewer) company() {
	v.Helper()
	v.logIn("Bas Bakker")
	v.sees("overview", v.say.Say("overview", "company", v.say.Say("named", "name", bakery.Name, "kvk", "12345678")))
	v.goes("/mandates", "mandates", v.say.Say("place /mandates"))
	v.goes("/mandates/1", "mandate", v.say.Say("mandate number", "number", 1))
	v.goes("/mandates/1/revoke", "revoke", v.say.Say("revoke title"))
	v.goes("/mandates/1/narrow", "narrow", v.say.Say("narrow title"))
	v.goes("/mandates/1/renew", "renewal", v.say.Say("renewal title"))
	v.page.Click(v.say.Say("next"))
	v.sees("renewal-check", v.say.Say("check"))
	v.goes("/requests", "requests", v.say.Say("place /requests"))
	v.goes("/requests/3", "request", v.say.Say("request number", "number", 3))

	v.goes("/grant/chain", "who", v.say.Say("who chain"))
	v.page.Click(v.say.Say("next"))
	v.sees("who-wrong", v.say.Say("who chain"))
	v.page.Fill(v.say.Say("kvk chain"), "23456789")
	v.page.Click(v.say.Say("next"))
	v.sees("what", v.say.Say("what"))
	v.page.Click(v.say.Say("next"))
	v.sees("what-wrong", v.say.Say("what"))
	v.page.Click("css=input[name=services] >> nth=0")
	v.page.Click(v.say.Say("next"))
	v.sees("check", v.say.Say("check"))
	v.page.DoubleClick(v.say.Say("confirm chain"))
	v.sees("granted", v.say.Say("mandate number", "number", 4))

	v.goes("/costs", "costs", v.say.Say("place /costs"))
	v.goes("/contact", "contact", v.say.Say("contact"))
	v.page.Fill(v.say.Say("email"), "bas at bakkerij")
	v.page.Click(v.say.Say("save"))
	v.sees("contact-wrong", v.say.Say("contact"))
	v.goes("/appointments", "appointments", v.say.Say("place /appointments"))
	v.goes("/appointments/new", "appoint", v.say.Say("appoint title"))
	v.page.Fill(v.say.Say("appoint name"), "Bea")
	v.page.Click(v.say.Say("appoint"))
	v.sees("letter", v.say.Say("letter"))
	v.goes("/appointments/1/dismiss", "dismiss", v.say.Say("dismiss title", "name", "Bas Bakker"))
	v.page.Click(v.say.Say("dismiss"))
	v.sees("dismiss-last", v.say.Say("dismiss title", "name", "Bas Bakker"))
	v.goes("/nowhere", "nowhere", v.say.Say("not found"))
	v.clock.advance(pages.Fresh + 1)
	v.goes("/appointments/new", "anew", v.say.Say("log in anew"))
	v.clock.later.Store(0)
	v.page.Click(v.say.Say("log out"))
	v.sees("out", "Register of mandates")
}

func (v *viewer) office() {
	v.Helper()
	v.logIn("Bob Boekhouder")
	v.goes("/clients", "clients", v.say.Say("place /clients"))
	v.page.Fill(v.say.Say("search client"), "nobody")
	v.page.Click(v.say.Say("search"))
	v.sees("no-clients", v.say.Say("place /clients"))
	v.goes("/grant/assign?client=1", "assign", v.say.Say("who assign"))
	v.teams()
	v.many()
	v.goes("/people/1/handover", "hand-over", v.say.Say("hand over title", "name", "Eva Elshout"))
	v.goes("/people/1/offboard", "offboard", v.say.Say("offboard title", "name", "Eva Elshout"))
	v.page.Go(v.web.URL + "/login")
	v.page.Click("css=button[value=cancel]")
	v.sees("cancelled", v.say.Say("cancelled"))
}

func (v *viewer) staff() {
	v.Helper()
	v.logIn("Ria Register")
	v.sees("no-role", v.say.Say("no role"))
	v.goes("/invitation", "invitation", v.say.Say("invitation"))
	v.page.Click(v.say.Say("log out"))
	v.scene.works.decided = []pages.Decided{decidedOn(29, 1200, 30, 10), decidedOn(28, 400, 200, 7)}
	v.scene.works.decided[1].Whole = false
	v.logIn("Rik Register")
	v.sees("staff", v.say.Say("overview staff"))
	v.goes("/grant/paper", "paper", v.say.Say("who paper"))
	v.goes("/standing", "standing", v.say.Say("standing title"))
	v.goes("/parties", "parties", v.say.Say("place /parties"))
	v.page.Fill(v.say.Say("search party"), "Nobody at all")
	v.page.Click(v.say.Say("search"))
	v.sees("parties-wrong", v.say.Say("place /parties"))
	v.page.Fill(v.say.Say("search party"), "bakkerij")
	v.page.Click(v.say.Say("search"))
	v.sees("party", v.say.Say("named", "name", bakery.Name, "kvk", "12345678"))
	v.goes("/organisations/1/appointments/1/dismiss", "dismiss-theirs", v.say.Say("dismiss title", "name", "Bas Bakker"))
	v.page.Click(v.say.Say("dismiss"))
	v.sees("dismiss-theirs-wrong", v.say.Say("dismiss title", "name", "Bas Bakker"))
	v.goes("/people/1", "somebody", "Eva Elshout")
	v.goes("/stop", "stop-whom", v.say.Say("stop title"))
	v.goes("/organisations/1/stop", "stop", v.say.Say("stop title"))
	v.works()
	v.goes("/appointments/new", "appoint-staff", v.say.Say("appoint person title"))
}
