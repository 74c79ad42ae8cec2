package pages_test

import (
	"bytes"
	"fmt"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/mandated/mandated/internal/desk"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
)

// uploads sends a list in the form that goes to an address.
func (b *browser) uploads(action, list string) *browser {
	b.Helper()
	to, values := b.form(action)
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	_ = w.WriteField("token", values.Get("token"))
	part := must(w.CreateFormFile("list", "clients.csv"))
	_, _ = part.Write([]byte(list))
	_ = w.Close()
	request := must(http.NewRequest(http.MethodPost, to, &body))
	request.Header.Set("Content-Type", w.FormDataContentType())
	request.Header.Set("Origin", b.at.Scheme+"://"+b.at.Host)
	return b.do(request)
}

// clientList is a list as a Dutch spreadsheet writes it: a client, one with a day of its own,
// one of which the zero in front was lost, the office itself, and the first once more.
const clientList = "\ufeffKvK-nummer;Naam;Tot en met\r\n12345678;;\r\n40000001;Slagerij De Worst;31-12-2026\r\n1234567;Kwijt;\r\n87654321;;\r\n12345678;;\r\n"

// The office asks all clients of a list at once. It reads what becomes of each line before
// anything is asked; after that each client has a letter, and a line in a list for letters of
// its own. The same list again asks nothing twice.
func TestManyAtOnce(t *testing.T) {
	s := newScene(t)
	bob := s.comes("Bob Boekhouder", office, mandate.Administrator)
	baker := s.comes("Bas Bakker", bakery, mandate.Administrator)
	s.offers(s.desk.With(s.terms()))
	for list, wrong := range map[string]string{"": bob.word("wrong no list"), "kvk\n": bob.word("wrong no list"), "naam\nBakker\n": "kvk", "kvk\n" + strings.Repeat("12345678\n", 1001): "more than 1,000 lines"} {
		if bob.visit("/clients/many").uploads("/clients/many", list).is(http.StatusUnprocessableEntity); !strings.Contains(bob.wrongAt("list"), wrong) {
			t.Errorf("beside a list of %d bytes stands %q", len(list), bob.wrongAt("list"))
		}
	}
	bob.visit("/clients/many").uploads("/clients/many", strings.Repeat("1", 1<<20)).is(http.StatusRequestEntityTooLarge).reads(bob.word("wrong big list"))
	bob.click(bob.word("open anew")).reads(bob.word("list text"))

	before := s.revision()
	bob.visit("/clients").click(bob.word("begin many")).uploads("/clients/many", clientList).is(http.StatusOK).fill("sets", "0").next().is(http.StatusOK)
	bob.reads("2 clients will be asked for a mandate", "1 line is not needed", "2 lines cannot be done", "KvK number 12345678 mandates Administratiekantoor Telraam", "VAT return",
		"it costs KvK number 12345678 €20.50", "Slagerij De Worst (KvK number 40000001)", "31 December 2026", "7 digits", bob.word("wrong self"), "Ask 2 clients")
	if s.revision() != before {
		t.Error("it was only a rehearsal")
	}
	bob.next().reads(bob.word("many over"), "2 clients were asked", "2 lines cannot be done", bob.word("wrong self"))
	result := bob.at.Path
	baker.visit(result).is(http.StatusNotFound)
	bob.click(bob.word("print letters")).reads("2 letters come out", "Dear Bakkerij De Korenbloem", "Dear Slagerij De Worst", s.web.URL+"/requests/1", s.web.URL+"/requests/2")
	if n := bob.sheets(); n != 2 {
		t.Errorf("%d letters on paper of their own", n)
	}
	baker.visit(bob.at.Path).is(http.StatusNotFound)
	bob.visit(result).click(bob.word("asked")).reads("Bakkerij De Korenbloem", "Slagerij De Worst", bob.word("print letter"))
	if rows := bob.download("/clients/asked/list", ','); len(rows) != 3 || rows[1][1] != "12345678" || rows[2][5] != "31 December 2026" || rows[1][6] != s.web.URL+"/requests/1" {
		t.Errorf("the list is %q", rows)
	}
	bob.click(bob.word("print letter")).reads("Dear Bakkerij De Korenbloem", "Administratiekantoor Telraam", "VAT return", s.web.URL+"/requests/1", "Answer before", "€20.50")
	baker.visit("/requests/1/letter").is(http.StatusNotFound)
	if r := s.steps(1)[0]; !strings.Contains(r.Consent.Text, "VAT return") {
		t.Errorf("he agreed to %q", r.Consent.Text)
	}

	bob.visit("/clients/many").uploads("/clients/many", clientList).fill("sets", "0").next().reads("0 clients will be asked", "3 lines are not needed")
	baker.visit("/requests/1").press("/requests/1/accept").reads(baker.word("done active"))
	if n := bob.visit(result + "/letters").sheets(); n != 1 {
		t.Errorf("%d letters: who has answered gets none", n)
	}
	bob.visit("/clients/asked")
	if strings.Contains(bob.text(), "Korenbloem") {
		t.Errorf("who has answered is still asked: %s", bob.text())
	}
	bob.visit("/requests/1/letter").is(http.StatusNotFound)
}

// nineHundred is a list that is asked in five parts.
func nineHundred() string {
	var list strings.Builder
	list.WriteString("kvk\n")
	for i := range 900 {
		fmt.Fprintln(&list, 40000000+i)
	}
	return list.String()
}

// begins lets the office confirm that list: the first part of it is asked.
func (b *browser) begins(list string) *browser {
	b.Helper()
	b.visit("/clients/many").uploads("/clients/many", list).fill("much", "everything").next()
	return b.next().is(http.StatusOK).reads(b.word("many busy"), "200 ")
}

// Nine hundred clients are asked part by part, by a page that goes on by itself. Whoever leaves
// finds it where it was, and asks the rest as he agreed to it: in that language, also if he reads
// on in another. In the end each was asked once.
func TestManyInParts(t *testing.T) {
	s := newScene(t)
	bob := s.comes("Bob Boekhouder", office, mandate.Administrator)
	bob.begins(nineHundred())
	if bob.head.Get("Refresh") == "" {
		t.Error("the page does not go on by itself")
	}
	place := bob.at.Path
	s.comes("Bas Bakker", bakery, mandate.Administrator).visit(place).is(http.StatusNotFound)
	bob.visit(place+"/letters").reads("100 letters come out", bob.word("letters more", "most", 100))
	if n := len(s.all(register.Filter{Kind: mandate.Chain})); n != 200 {
		t.Errorf("after the first part %d are asked", n)
	}

	bob.leaves(place, "work ") // while the second is done
	s.lang = "nl"
	bob.visit("/").reads(bob.word("work unfinished")).click(bob.word("work go on")).reads(bob.word("many busy"), "600 van 900")
	s.lang = "en"
	bob.visit(place).reads("800 of 900").visit(place).reads(bob.word("many over"), "900 clients were asked")
	if bob.head.Get("Refresh") != "" || strings.Contains(bob.text(), "not needed") {
		t.Errorf("all is done: %s", bob.text())
	}
	last := s.revision()
	bob.visit(place).reads("900 clients were asked")
	if s.revision() != last {
		t.Error("a look at what is over has changed something")
	}
	seen := map[string]bool{}
	asked := s.all(register.Filter{Kind: mandate.Chain, State: mandate.Requested})
	for _, m := range asked {
		seen[m.Grantor.KvK.Text()] = true
	}
	if len(asked) != 900 || len(seen) != 900 {
		t.Errorf("%d are asked, of %d clients", len(asked), len(seen))
	}
	if c := s.steps(asked[500].ID)[0].Consent; c.Language != "en" || !strings.Contains(c.Text, asked[500].Grantor.KvK.Text()) {
		t.Errorf("asked in another language than was agreed to: %q", c)
	}
}

// The register is away in the middle of the work, and the store cannot keep what a part has done.
// Both are told; to look again goes on, nobody is asked twice, and who was asked by this list is
// told as that.
func TestManyGoesOnAfterAFailure(t *testing.T) {
	s := newScene(t)
	bob := s.comes("Bob Boekhouder", office, mandate.Administrator)
	bob.begins(nineHundred())
	place := bob.at.Path
	if err := s.register.Close(); err != nil {
		t.Fatal(err)
	}
	bob.visit(place).is(http.StatusServiceUnavailable).reads(bob.word("wrong busy"))
	s.register = must(register.Open(ctx, s.place, register.Options{Now: s.clock.Now}))
	t.Cleanup(func() { _ = s.register.Close() })
	s.offers(desk.New(s.register, shelf{s}))
	bob.visit(place).reads("400 of 900")

	s.store.lost.Store("replace")
	bob.visit(place).is(http.StatusServiceUnavailable).reads(bob.word("wrong ours"))
	if n := len(s.all(register.Filter{Kind: mandate.Chain})); n != 600 {
		t.Errorf("%d are asked", n)
	}
	s.store.lost.Store("")
	bob.visit(place).reads("600 of 900").visit(place).reads("800 of 900").visit(place).reads(bob.word("many over"), "900 clients were asked")
	if strings.Contains(bob.text(), "not needed") {
		t.Errorf("this very list has asked them all: %s", bob.text())
	}
	if n := len(s.all(register.Filter{Kind: mandate.Chain})); n != 900 {
		t.Errorf("%d are asked", n)
	}
}

// Whoever presses twice has begun one work, and whoever goes back and confirms once more asks the
// rest: what was asked meanwhile is told as being there.
func TestManyConfirmedTwice(t *testing.T) {
	s := newScene(t)
	bob := s.comes("Bob Boekhouder", office, mandate.Administrator)
	check := bob.visit("/clients/many").uploads("/clients/many", nineHundred()).fill("much", "everything").next().at.Path
	to, form := bob.form(check)
	place := bob.send(to, form).reads("200 of 900").at.Path
	if again := bob.send(to, form).reads("400 of 900").at.Path; again != place {
		t.Errorf("pressed twice, it is done at %s and at %s", place, again)
	}
	bob.visit(check).reads("500 clients will be asked").next().reads("200 of 900")
	for range 4 {
		bob.visit(bob.at.Path)
	}
	bob.reads("500 clients were asked", "400 lines are not needed")
}

// What a client would pay has changed while the list is being asked: nobody has agreed to that, so
// those who are left are not asked, and the list says why.
func TestManyAsAgreed(t *testing.T) {
	s := newScene(t)
	bob := s.comes("Bob Boekhouder", office, mandate.Administrator)
	bob.begins(nineHundred())
	place := bob.at.Path
	s.offers(s.desk.With(s.terms()))
	for range 4 {
		bob.visit(place)
	}
	bob.reads("200 clients were asked", "700 lines cannot be done", bob.word("wrong changed"))
}

// sheets is how many letters a page prints.
func (b *browser) sheets() (n int) {
	for e := range b.page.Descendants() {
		if e.Data == "section" {
			n++
		}
	}
	return n
}

// However many clients have to answer, their letters are printed a hundred at a time.
func TestAllLetters(t *testing.T) {
	s := newScene(t)
	bob := s.comes("Bob Boekhouder", office, mandate.Administrator)
	s.asks(1, 130)
	bob.visit("/clients/asked").click(bob.word("print letters")).reads("100 letters come out", bob.word("letters more", "most", 100), "/requests/100")
	if n := bob.sheets(); n != 100 {
		t.Errorf("%d letters on the first page", n)
	}
	bob.click(bob.word("list next")).reads("30 letters come out", "/requests/130")
	if n := bob.sheets(); n != 30 {
		t.Errorf("%d letters on the second page", n)
	}
	if bob.click(bob.word("list begin")); bob.sheets() != 100 {
		t.Error("there is no way back")
	}
}

// What others have asked for is not in the list of whom the office has asked, and does not take
// the places of those who are.
func TestAskedByOthers(t *testing.T) {
	s := newScene(t)
	bob := s.comes("Bob Boekhouder", office, mandate.Administrator)
	now := s.clock.Now().UTC().Truncate(time.Second)
	_ = must(s.register.Change(ctx, register.Author{Who: "test", Why: "test"}, func(t *register.Tx) error {
		m := mandate.Mandate{Kind: mandate.Chain, State: mandate.Requested, Intermediary: must(t.PutOrganisation(office)), Scope: mandate.Scope{mandate.Everything(etoegang.LoA3)}, Validity: mandate.Validity{From: now, To: now.AddDate(1, 0, 0)}}
		for i := range 30 {
			m.Grantor = must(t.PutOrganisation(mandate.Organisation{KvK: must(etoegang.ParseKvKNumber(fmt.Sprint(40000000 + i))), Name: "On paper", Active: true}))
			_ = must(t.Grant(m, register.GrantOptions{Request: &register.Asked{By: mandate.RegisterSide, Expires: m.Validity.To}}))
		}
		return nil
	}))
	s.asks(1, 1)
	bob.visit("/clients/asked").reads("KvK number 12345678")
	if strings.Contains(bob.text(), "On paper") {
		t.Errorf("the office has asked for none of these: %s", bob.text())
	}
}

func (v *viewer) many() {
	v.Helper()
	v.goes("/clients/many", "many", v.say.Say("begin many"))
	v.page.Click(v.say.Say("next"))
	v.sees("many-wrong", v.say.Say("begin many"))
	bob := v.browser().logIn("Bob Boekhouder").visit("/clients/many").uploads("/clients/many", clientList)
	v.goes(bob.fill("much", "everything").next().at.Path, "many-check", v.say.Say("check"))
	v.goes(bob.next().at.Path, "many-done", v.say.Say("many over"))
	v.goes("/clients/renew?all=1", "renew", v.say.Say("renew many"))
	v.goes("/clients/asked", "asked", v.say.Say("asked"))
	v.goes("/clients/asked/letters", "letters", v.say.Say("letters title"))
	v.goes("/requests/3/letter", "request-letter", v.say.Say("letter title"))
	place := bob.begins(nineHundred()).at.Path
	v.goes(place+"?still=1", "many-busy", v.say.Say("many busy"))
}

// What ends soon is renewed by ticking it: the client is asked for the next mandate, and the old
// one holds until he agrees.
func TestRenewMany(t *testing.T) {
	s := newScene(t)
	bob := s.comes("Bob Boekhouder", office, mandate.Administrator)
	baker := s.comes("Bas Bakker", bakery, mandate.Administrator)
	s.grants(baker) // for a year
	bob.visit("/clients").click(bob.word("renew many")).reads(bob.word("renew none")).click(bob.word("renew all")).reads("Bakkerij De Korenbloem")
	bob.press("/clients/renew").is(http.StatusUnprocessableEntity).reads(bob.word("wrong no one"))

	bob.fill("mandate", "1").fill("to-year", s.clock.Now().AddDate(3, 0, 0).Format("2006")).press("/clients/renew").is(http.StatusOK)
	bob.reads(bob.word("check"), "1 client will be asked", "all services of all providers", "Ask 1 client").next().reads("1 client was asked")
	if old, next := s.mandate(1), s.mandate(2); old.State != mandate.Active || next.State != mandate.Requested || next.Supersedes != 1 {
		t.Errorf("the old one is %s, the next %s and follows %d", old.State, next.State, next.Supersedes)
	}
	if bob.visit("/clients/renew?all=1"); strings.Contains(bob.text(), "Korenbloem") { // or the first thousand hide the others for good
		t.Errorf("what is being renewed is to be renewed again: %s", bob.text())
	}
	baker.visit("/requests/2").reads("Mandate 1 ends as soon as this one is in force").press("/requests/2/accept").reads(baker.word("done active"))
	if old := s.mandate(1); old.State != mandate.Superseded {
		t.Errorf("the old one is %s", old.State)
	}
	bob.visit("/clients/renew").reads(bob.word("renew none"))
}

// All that ends soon is renewed in parts, too: each line follows its own mandate, in whichever
// part it is asked for.
func TestRenewManyInParts(t *testing.T) {
	s := newScene(t)
	bob := s.comes("Bob Boekhouder", office, mandate.Administrator)
	s.clienteleFor(250, 30)
	to, all := bob.visit("/clients/renew").form("/clients/renew")
	all.Set("do", "all")
	bob.send(to, all).next().reads(bob.word("many busy"), "200 of 250").visit(bob.at.Path).reads(bob.word("many over"), "249 clients were asked", bob.word("wrong in person"))
	for _, m := range s.all(register.Filter{Kind: mandate.Chain, State: mandate.Requested}) {
		if old := s.mandate(m.Supersedes); old.Grantor != m.Grantor || m.ID != old.ID+250 {
			t.Fatalf("%d follows %d", m.ID, old.ID)
		}
	}
}
