package pages_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/mandated/mandated/internal/manage/pages"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
)

// mostSteps is how much a baker may have to do from the start page until his accountant is
// mandated: every field filled in, every link and every button.
const mostSteps = 12

// The bakery mandates its accountant, who assigns Eva; she logs in at the tax service for the
// bakery, until the bakery stops it. All of it through the sandbox's broker and on the register
// that it asks.
func TestBakery(t *testing.T) {
	s := newOpenScene(t)
	code := s.invites(bakery, mandate.Administrator, "Bas")
	_ = s.browser().logIn("Bas Bakker").visit("/invitation").fill("code", code).press("/invitation")
	vat := s.sandbox.Network.Services["vat"].UUID.String()

	baker := s.browser()
	baker.logIn("Bas Bakker").click(baker.word("begin chain"))
	baker.fill("kvk", "8765 4321").press("/grant/chain").is(http.StatusOK)
	baker.fill("services", vat).next().is(http.StatusOK)
	baker.reads("Bakkerij De Korenbloem (KvK number 12345678) mandates", "KvK number 87654321", "VAT return (Tax service), up to level EH3")
	baker.next().is(http.StatusOK).reads(baker.word("done active"), "Administratiekantoor Telraam")
	granted := strings.TrimPrefix(baker.at.Path, "/mandates/")
	if baker.steps > mostSteps {
		t.Errorf("%d steps", baker.steps)
	}

	bob := s.comes("Bob Boekhouder", office, mandate.Administrator)
	bob.visit("/clients").fill("search", "korenb").press("/clients").reads("Bakkerij De Korenbloem", bob.word("nobody now"))
	if strings.Contains(strings.ToLower(bob.at.String()), "koren") {
		t.Errorf("the address says whom he looks for: %s", bob.at)
	}
	bob.click(bob.word("assign")).is(http.StatusOK)
	eva := s.people["Eva Elshout"]
	bob.fill("person", "new").fill("person-name", "Eva Elshout").fill("authenticator", eva.Authenticator.String()).fill("pseudonym", eva.Pseudonym.Text())
	bob.press("/grant/assign").is(http.StatusOK)
	bob.next().is(http.StatusOK).reads("lets Eva Elshout log in and act for the client Bakkerij De Korenbloem")
	bob.next().reads(bob.word("done active"))
	bob.visit("/clients").fill("search", "1234").press("/clients").reads("Eva Elshout")

	logsIn := func() *browser { // at the tax service of the sandbox
		b := s.browser().visit(s.sandbox.Address + "/vat/")
		form := b.find(func(n *htmlNode) bool { return n.Data == "form" && attr(n, "method") == "post" })
		return b.send(b.form(attr(form, "action"))).as("Eva Elshout")
	}
	logsIn().reads("12345678", "87654321")

	baker.visit("/mandates/" + granted).click(baker.word("revoke")).is(http.StatusOK).reads(baker.word("revoke instead"))
	baker.press("/mandates/"+granted+"/revoke").reads(baker.word("done revoked"), baker.word("state revoked"), baker.word("act revoke"))
	logsIn().reads("You cannot log in for anybody now", "The mandate was withdrawn")
}

// The whole way is in Dutch for whoever reads Dutch, and what he agreed to is kept as he read it.
func TestInDutch(t *testing.T) {
	s := newScene(t)
	s.lang = "nl"
	b := s.comes("Bas Bakker", bakery, mandate.Administrator)
	b.click("Machtig een intermediair").fill("kvk", "87654321").press("/grant/chain")
	b.fill("much", "everything").fill("to-year", "2099").next().is(http.StatusOK)
	b.reads("machtigt KvK-nummer 87654321", "alle diensten van alle dienstverleners", "Dit is de ruimste machtiging")
	b.next().is(http.StatusUnprocessableEntity)
	if got := b.wrongAt("to"); !strings.Contains(got, "uw eigen aanwijzing") {
		t.Errorf("beside the day stands %q", got)
	}
	b.fill("to-year", "2027").next()
	text := b.text()
	b.next().reads("De machtiging geldt nu")
	consent := s.steps(1)[0].Consent
	for _, line := range strings.Split(consent.Text, "\n") {
		if !strings.Contains(text, strings.TrimPrefix(line, "- ")) {
			t.Errorf("%q is kept, and was not read", line)
		}
	}
	if consent.Language != "nl" || len(consent.Text) < 200 {
		t.Errorf("kept is %v", consent)
	}
}

// What is wrong is told beside its field, in words that help, and what was filled in stays.
func TestWrongAnswers(t *testing.T) {
	s := newScene(t)
	b := s.comes("Bas Bakker", bakery, mandate.Administrator)
	beside := func(field, word string) {
		t.Helper()
		if got := b.is(http.StatusUnprocessableEntity).wrongAt(field); !strings.HasSuffix(got, b.word(word)) {
			t.Errorf("beside %s stands %q, not %q", field, got, b.word(word))
		}
	}
	b.visit("/grant/chain").fill("kvk", "1234").fill("name", "Ons kantoor").press("/grant/chain")
	beside("kvk", "wrong number")
	if _, form := b.form("/grant/chain"); form.Get("name") != "Ons kantoor" || form.Get("kvk") != "1234" {
		t.Errorf("left is %v", form)
	}
	b.fill("kvk", "12345678").press("/grant/chain") // his own
	b.next()
	beside("services", "wrong nothing chosen")
	b.fill("much", "everything").fill("to-day", "31").fill("to-month", "2").next()
	beside("to", "wrong day")
	b.fill("to-day", "1").fill("to-month", "1").fill("to-year", "2020").next()
	beside("to", "wrong order")
	b.fill("to-day", "").fill("to-month", "").fill("to-year", "").next()
	beside("to", "wrong no end")
	b.fill("to-day", "1").fill("to-month", "1").fill("to-year", "2027").fill("level", "loa9").next()
	beside("level", "wrong level")
	b.fill("level", "loa3").next().is(http.StatusOK)
	b.next()
	beside("kvk", "wrong self")
	b.fill("kvk", "00000000").next()
	b.next()
	b.next()
	beside("kvk", "wrong reserved")
	b.fill("kvk", "87654321").next()
	b.next()
	b.next().reads(b.word("done active"))

	b.visit("/grant/chain").fill("kvk", "87654321").press("/grant/chain")
	b.fill("much", "everything").next()
	b.next().is(http.StatusUnprocessableEntity)
	beside("services", "wrong overlap")

	b.visit("/grant/person").fill("person-name", "Eva").fill("authenticator", "somebody").fill("pseudonym", "her").press("/grant/person")
	beside("authenticator", "wrong authenticator")
	beside("pseudonym", "wrong pseudonym")
}

// A client is asked, allows less than was asked a day later, and reads that before he agrees to
// it: also that it begins today.
func TestLessThanAsked(t *testing.T) {
	s := newScene(t)
	s.clock.later.Store(-int64(24 * time.Hour))
	bob := s.comes("Bob Boekhouder", office, mandate.Administrator)
	vat, permit := s.sandbox.Network.Services["vat"].UUID.String(), s.sandbox.Network.Services["permit"].UUID.String()
	bob.click(bob.word("begin ask")).fill("kvk", "12345678").press("/grant/ask")
	bob.fill("services", vat, permit).next().reads(bob.word("note ask"))
	bob.next().reads(bob.word("done requested"))
	bob.visit("/requests").reads(bob.word("requests others"), "Request 1")
	bob.visit("/requests/1").reads(bob.word("withdraw"))

	s.clock.later.Store(0)
	baker := s.comes("Bas Bakker", bakery, mandate.Administrator)
	baker.visit("/").reads("1 request waits for your answer").click(baker.word("answer them")).click("Request 1")
	baker.reads("Permit (Municipality)", "VAT return (Tax service)")
	baker.fill("services").press("/requests/1/accept").is(http.StatusUnprocessableEntity).reads(baker.word("wrong nothing left"))
	baker.fill("services", vat+"@loa3").press("/requests/1/accept").is(http.StatusOK)
	if baker.title() != baker.word("check") || strings.Contains(baker.text(), "Permit") {
		t.Fatalf("before he agrees he reads %s", baker.text())
	}
	today := mandate.StartOfDay(s.clock.Now())
	begins := "from " + baker.say(today)
	baker.reads(begins).press("/requests/1/accept").reads(baker.word("done active"))
	if m := s.mandate(2); len(m.Scope) != 1 || m.State != mandate.Active || m.Supersedes != 1 || !m.Validity.From.Equal(today) {
		t.Errorf("granted is %v, %s", m.Scope, m.State)
	}
	if c := s.steps(2)[0].Consent.Text; strings.Contains(c, "Permit") || !strings.Contains(c, "VAT return") || !strings.Contains(c, begins) {
		t.Errorf("he agreed to %q", c)
	}
	bob = s.browser().logIn("Bob Boekhouder").visit("/requests/1").reads(bob.word("request over"))
	bob.visit("/mandates/2").click(bob.word("narrow")).press("/mandates/2/narrow").is(http.StatusUnprocessableEntity)
	if got := bob.wrongAt("services"); !strings.HasSuffix(got, bob.word("wrong not narrower")) {
		t.Errorf("beside the services stands %q", got)
	}
	bob.fill("to-year", "2026").fill("to-month", "12").fill("to-day", "31").press("/mandates/2/narrow").reads(bob.word("done narrowed"))

	bob.visit("/grant/ask").fill("kvk", "12345678").press("/grant/ask")
	bob.fill("services", permit).next()
	bob.next().reads(bob.word("done requested"))
	refuse := "/requests/" + strings.TrimPrefix(bob.at.Path, "/mandates/") + "/refuse"
	baker.visit(strings.TrimSuffix(refuse, "/refuse")).press(refuse).reads(baker.word("done rejected"))
}

// Each side can stop a mandate at once; what one has stopped the other cannot let go on.
func TestStop(t *testing.T) {
	s := newScene(t)
	baker := s.comes("Bas Bakker", bakery, mandate.Administrator)
	s.grants(baker)
	baker.press("/mandates/1/suspend").reads(baker.word("done suspended"))
	bob := s.comes("Bob Boekhouder", office, mandate.Administrator)
	bob.visit("/mandates/1").press("/mandates/1/resume").is(http.StatusForbidden).reads(bob.word("wrong other side"))
	baker.press("/mandates/1/resume").reads(baker.word("done resumed"))
	bob.visit("/mandates/1/revoke").press("/mandates/1/revoke").reads(bob.word("done revoked"))
	baker.visit("/mandates/1/revoke").is(http.StatusConflict).reads(baker.word("wrong not in force"))
}

// One person has one name, however she is named the next time, and two mandates of hers are not
// two people; two people of one name can be told apart.
func TestOnePersonOneName(t *testing.T) {
	s := newScene(t)
	baker := s.comes("Bas Bakker", bakery, mandate.Administrator)
	vat, permit := s.sandbox.Network.Services["vat"].UUID.String(), s.sandbox.Network.Services["permit"].UUID.String()
	for _, service := range []string{vat, permit} {
		baker.visit("/grant/chain").fill("kvk", "87654321").press("/grant/chain")
		baker.fill("services", service).next()
		baker.next().reads(baker.word("done active"))
	}
	bob := s.comes("Bob Boekhouder", office, mandate.Administrator)
	assigns := func(client, name string, of etoegang.ActingSubject) *browser {
		bob.visit("/grant/assign?client="+client).fill("person-name", name).fill("authenticator", of.Authenticator.String()).fill("pseudonym", of.Pseudonym.Text())
		if client != "1" {
			bob.fill("person", "new")
		}
		bob.press("/grant/assign")
		return bob.next()
	}
	eva := s.people["Eva Elshout"]
	assigns("1", "Eva Elshout", eva).next().reads(bob.word("done active"))
	assigns("2", "Mrs. Elshout", eva).reads("lets Eva Elshout log in")
	bob.next().reads(bob.word("done active"))
	more := s.mandate(4) // beside what she may do for the bakery's second mandate
	more.Scope = s.mandate(1).Scope
	_ = must(s.register.Change(ctx, register.Author{Who: "test", Why: "test"}, func(t *register.Tx) error {
		_ = must(t.Grant(more, register.GrantOptions{}))
		return nil
	}))
	if n := strings.Count(bob.visit("/clients").text(), "Eva Elshout ("); n != 2 { // once beside each of the bakery's two
		t.Errorf("she is %d people: %s", n, bob.text())
	}
	bob.reads("Mandate 5 (")
	assigns("2", "Eva Elshout", s.people["Bea Bakker"]).next().reads(bob.word("done active"))
	bob.visit("/grant/assign?client=1").reads("Eva Elshout (person 1)", "Eva Elshout (person 2)")
}

// In an emergency the register's staff stop all that an organisation or a person has, for a
// reason, after a page that tells how much it is; and lift that later.
func TestEmergencyStop(t *testing.T) {
	s := newScene(t)
	baker := s.comes("Bas Bakker", bakery, mandate.Administrator)
	s.grants(baker)
	bob := s.comes("Bob Boekhouder", office, mandate.Administrator)
	s.assigns(bob, "1")
	rik := s.comes("Rik Register", registry, mandate.Staff)
	rik.click(rik.word("stop title")).fill("search", "55555555").press("/stop").is(http.StatusUnprocessableEntity)
	if got := rik.wrongAt("search"); !strings.HasSuffix(got, rik.word("wrong nobody found")) {
		t.Errorf("beside the number stands %q", got)
	}
	rik.fill("search", "12345678").press("/stop").is(http.StatusOK).reads("1 mandate of Bakkerij De Korenbloem (KvK number 12345678) will count no longer")
	rik.press(rik.at.Path).is(http.StatusUnprocessableEntity)
	if got := rik.wrongAt("why"); !strings.HasSuffix(got, rik.word("wrong why")) {
		t.Errorf("beside the reason stands %q", got)
	}
	rik.fill("why", "break-in").press(rik.at.Path).is(http.StatusOK).reads(rik.word("done stopped"), "holds Bakkerij De Korenbloem", "break-in")
	if m := s.mandate(1); !m.Grantor.Blocked || m.State != mandate.Active {
		t.Errorf("the bakery's mandate: %+v", m)
	}
	baker.visit("/mandates").is(http.StatusForbidden)
	rik.fill("why", "looked into").press(rik.at.Path).is(http.StatusOK).reads(rik.word("done lifted"), "1 mandate of Bakkerij De Korenbloem")
	rik.visit("/mandates/2").click(rik.word("stop all of", "name", "Eva Elshout")).reads("1 mandate of Eva Elshout will count no longer")
	rik.fill("why", "means stolen").press(rik.at.Path).reads(rik.word("done stopped"))
	if m := s.mandate(2); !m.Person.Blocked {
		t.Errorf("Eva's mandate: %+v", m)
	}
	stop := rik.at.Path
	bob.visit(stop).is(http.StatusNotFound)
	rik.visit("/people/99/stop").is(http.StatusNotFound)
	s.clock.advance(pages.Fresh + 1)
	rik.visit(stop).is(http.StatusForbidden).reads(rik.word("log in anew"))
}

// Eva leaves: one page ends all that the office gave her.
func TestOffboard(t *testing.T) {
	s := newScene(t)
	baker := s.comes("Bas Bakker", bakery, mandate.Administrator)
	s.grants(baker)
	bob := s.comes("Bob Boekhouder", office, mandate.Administrator)
	s.assigns(bob, "1")
	bob.visit("/grant/assign?client=1").fill("person-name", "Tom").press("/grant/assign").is(http.StatusUnprocessableEntity)
	if got := bob.wrongAt("person"); !strings.HasSuffix(got, bob.word("wrong two people")) {
		t.Errorf("beside the person stands %q", got)
	}
	bob.visit("/mandates/2").click(bob.word("offboard", "name", "Eva Elshout")).is(http.StatusOK).reads(bob.word("offboard sure", "name", "Eva Elshout"), "Mandate 2")
	bob.press(bob.at.Path).is(http.StatusOK).reads(bob.word("offboarded text"))
	if m := s.mandate(2); m.State != mandate.Revoked {
		t.Errorf("her mandate is %s", m.State)
	}
	baker.visit("/people/1/offboard").is(http.StatusNotFound) // she was never the baker's
}

// An administrator invites another by a letter, and the last one is warned before he goes.
func TestAdministrators(t *testing.T) {
	s := newScene(t)
	bas := s.comes("Bas Bakker", bakery, mandate.Administrator)
	bas.visit("/appointments").click(bas.word("appoint title")).press("/appointments/new").is(http.StatusUnprocessableEntity)
	bas.fill("name", "Bea").fill("to-year", "2031").press("/appointments/new").is(http.StatusUnprocessableEntity)
	if got := bas.wrongAt("to"); !strings.HasSuffix(got, bas.word("wrong outlasts")) {
		t.Errorf("beside the day stands %q", got)
	}
	bas.fill("to-year", "2027").press("/appointments/new").is(http.StatusOK).reads(bas.word("letter once"), "Dear Bea", "/invitation")
	code := textOf(bas.find(func(n *htmlNode) bool { return n.Data == "code" }))
	letter := bas.at.Path
	if strings.Contains(bas.at.String(), code[:5]) {
		t.Error("the code stands in the address")
	}

	bea := s.browser().logIn("Bea Bakker").visit("/invitation").fill("code", strings.ToLower(code)).press("/invitation")
	bea.reads(bea.word("acts nobody"))
	bea.visit(letter).is(http.StatusNotFound)
	bas.visit("/appointments/1/dismiss").press("/appointments/1/dismiss").is(http.StatusOK).reads(bas.word("no role"))
	bea.visit("/appointments/2/dismiss").press("/appointments/2/dismiss").is(http.StatusUnprocessableEntity).reads(bea.word("dismiss last"))
	bea.fill("sure", "yes").press("/appointments/2/dismiss").reads(bea.word("no role"))
	bas.visit("/mandates").is(http.StatusOK)
	if bas.at.Path != "/" {
		t.Errorf("whoever is dismissed is at %s", bas.at)
	}
}

// What comes on paper is recorded by one of the register's staff and confirmed by another.
func TestPaper(t *testing.T) {
	s := newScene(t)
	rik, ria := s.comes("Rik Register", registry, mandate.Staff), s.comes("Ria Register", registry, mandate.Staff)
	rik.click(rik.word("begin paper")).fill("kvk", "12345678").fill("office", "87654321")
	rik.press("/grant/paper").is(http.StatusUnprocessableEntity)
	if got := rik.wrongAt("form"); !strings.HasSuffix(got, rik.word("wrong paper")) {
		t.Errorf("beside the form stands %q", got)
	}
	today := s.clock.Now()
	for field, at := range map[string]int{"form": 0, "extract": -20} {
		d := today.AddDate(0, 0, at)
		rik.fill(field+"-day", d.Format("2")).fill(field+"-month", d.Format("1")).fill(field+"-year", d.Format("2006")).fill(field+"-where", "box 7")
	}
	rik.press("/grant/paper").is(http.StatusOK)
	rik.fill("much", "everything").next().reads(rik.word("note paper"))
	rik.next().is(http.StatusUnprocessableEntity)
	if got := rik.wrongAt("extract"); !strings.HasSuffix(got, rik.word("wrong old extract")) {
		t.Errorf("beside the extract stands %q", got)
	}
	rik.fill("extract-day", today.Format("2")).fill("extract-month", today.Format("1")).fill("extract-year", today.Format("2006")).next()
	rik.next()
	rik.next().reads(rik.word("done awaiting-signatures"))
	rik.visit("/requests/1").reads(rik.word("recorded waits"))
	if rik.find(func(n *htmlNode) bool { return attr(n, "action") == "/requests/1/accept" }) != nil {
		t.Error("who recorded it can confirm it")
	}
	ria.visit("/").click(ria.word("answer them")).click("Request 1").reads("box 7", ria.word("four eyes"))
	ria.press("/requests/1/accept").reads(ria.word("done active"))

	ria.visit("/standing").fill("kvk", "12345678").fill("standing", "bankrupt").press("/standing").is(http.StatusUnprocessableEntity)
	ria.fill("why", "extract of today").press("/standing").reads(ria.word("done written"))
	ria.fill("kvk", "12345678").fill("why", "extract of today").press("/standing").is(http.StatusUnprocessableEntity).reads(ria.word("wrong nothing written"))
	ria.fill("form", "legal-person").press("/standing").reads(ria.word("done written")) // and it is bankrupt still
	bas := s.comes("Bas Bakker", bakery, mandate.Administrator)
	bas.visit("/grant/chain").fill("kvk", "23456789").press("/grant/chain")
	bas.fill("much", "everything").next()
	bas.next().is(http.StatusForbidden).reads(bas.word("wrong standing"))
}
