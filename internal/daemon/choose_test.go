package daemon_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/mandated/mandated/internal/daemon"
	"github.com/mandated/mandated/internal/journal"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/harness"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
	"github.com/mandated/mandated/pkg/saml"
)

var office = harness.Company("Kantoor Rekenaar", "87654321", "")

// withClients is a scene in which Anna may also act for clients of her office, by name.
func withClients(t *testing.T, o harness.Options, names ...string) *scene {
	t.Helper()
	o.Browser = true
	s := newScene(t, o)
	for i, name := range names {
		s.clientOf(harness.Company(name, fmt.Sprintf("%08d", 55500000+i), ""))
	}
	return s
}

func (s *scene) clientOf(company mandate.Organisation) (chain mandate.ID) {
	s.t.Helper()
	everything := mandate.Scope{mandate.Everything(etoegang.LoA3)}
	chain = s.grantThis(mandate.Mandate{Kind: mandate.Chain, Grantor: company, Intermediary: office, Scope: everything})
	s.grantThis(mandate.Mandate{Kind: mandate.Assignment, Client: chain, Grantor: office, Person: s.anna, Scope: everything})
	return chain
}

func (s *scene) grantThis(m mandate.Mandate) mandate.ID {
	s.t.Helper()
	id, err := s.n.First.Grant(m)
	if err != nil {
		s.t.Fatal(err)
	}
	return id
}

// arrives brings a browser to the register, to the page that it shows.
func (s *scene) arrives(browser *harness.Visitor, v *harness.Visit) *harness.VisitorPage {
	s.t.Helper()
	return s.sees(browser.Open(ctx, v.Address))
}

func (s *scene) sees(page *harness.VisitorPage, err error) *harness.VisitorPage {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
	return page
}

// answered is the broker's part when the user is back.
func (s *scene) answered(v *harness.Visit, page *harness.VisitorPage) *saml.Reply {
	s.t.Helper()
	if page.Back == "" {
		s.t.Fatalf("the user is still at %q: %s", page.Title, page.Text)
	}
	if err := s.n.Broker.Receive(ctx, v, page.Back); err != nil {
		s.t.Fatal(err)
	}
	return v.Reply
}

func (s *scene) outcomes() string {
	s.t.Helper()
	var all []string
	for _, r := range s.records() {
		all = append(all, r.Outcome)
	}
	return strings.Join(all, " ")
}

// An accountant's employee picks the client for whom she works today, and the provider reads
// that client and no other. What she chose last comes first the next time she chooses.
func TestTheUserChooses(t *testing.T) {
	for _, secure := range []bool{true, false} {
		s := withClients(t, harness.Options{TLS: secure}, "Slagerij Vos", "Bloemist Bos")
		v, browser := s.send("état"), s.n.Visitor()
		page := s.arrives(browser, v)
		if page.Title != "Voor welke organisatie logt u in?" || page.Status != http.StatusOK || len(page.Offers) != 3 {
			t.Fatalf("HTTP %d, %q: %s", page.Status, page.Title, page.Text)
		}
		var names []string
		for _, o := range page.Offers {
			names = append(names, o.Name)
		}
		if got := strings.Join(names, ", "); got != bakery.Name+", Bloemist Bos, Slagerij Vos" {
			t.Errorf("offered are %s", got)
		}
		reply := s.answered(v, s.sees(page.Choose(ctx, "Slagerij Vos")))
		company, err := v.Represented()
		if err != nil || !reply.Permitted() || company[0].Text() != "55500000" || reply.Statement.Intermediary().KvK != office.KvK {
			t.Errorf("the provider reads %v, %v: %+v", company, err, reply.Statement)
		}
		if got := s.outcomes(); got != "Choose Permit" {
			t.Errorf("recorded: %s", got)
		}
		if r := s.records()[1]; !r.Chosen || r.Represented == "" || r.Intermediary == "" || r.Assertion != reply.Statement.ID {
			t.Errorf("recorded of the choice: %+v", r)
		}
	}
}

// What belongs to one visit is worth nothing in another browser, to somebody who only knows
// its address, or after it is over; and the user does not see what anybody else may choose.
func TestVisitsBelongToTheirBrowser(t *testing.T) {
	s := withClients(t, harness.Options{}, "Slagerij Vos")
	v, browser := s.send(""), s.n.Visitor()
	page := s.arrives(browser, v)
	other := s.n.Visitor()
	if stolen := s.sees(other.Open(ctx, page.Address())); stolen.Status != http.StatusForbidden || len(stolen.Offers) != 0 || strings.Contains(stolen.Text, "Vos") {
		t.Errorf("in another browser: HTTP %d: %s", stolen.Status, stolen.Text)
	}
	// Another user's own visit does not open this one either.
	v2 := s.send("")
	theirs := s.arrives(other, v2)
	if stolen := s.sees(other.Open(ctx, page.Address())); stolen.Status != http.StatusForbidden {
		t.Errorf("in the browser of another visit: HTTP %d", stolen.Status)
	}
	// A choice of one visit is no choice of another.
	swapped := s.sees(theirs.Send(ctx, url.Values{"choice": {page.Offers[0].Token}}))
	if swapped.Status != http.StatusBadRequest {
		t.Errorf("a token of another visit: HTTP %d: %s", swapped.Status, swapped.Text)
	}
	if got := s.outcomes(); got != "Choose Choose" {
		t.Errorf("recorded: %s", got)
	}
	s.answered(v, s.sees(page.Choose(ctx, "Slagerij Vos")))
	for what, again := range map[string]func() (*harness.VisitorPage, error){
		"the back button":          func() (*harness.VisitorPage, error) { return browser.Open(ctx, page.Address()) },
		"the back button's button": func() (*harness.VisitorPage, error) { return other.Open(ctx, page.Address()) },
	} {
		if over := s.sees(again()); over.Status != http.StatusGone || over.Back != "" {
			t.Errorf("%s: HTTP %d, %q", what, over.Status, over.Back)
		}
	}
	if got := s.outcomes(); got != "Choose Choose Permit" {
		t.Errorf("recorded: %s", got)
	}
}

// Of two clicks a browser forgets the first answer: the second leads to where the first would
// have led, and so does whatever else comes from that browser for a while. It is one answer,
// which the broker fetches once.
func TestTheSecondClickLeadsOnToo(t *testing.T) {
	clock := harness.NewClock(time.Now().UTC())
	s := withClients(t, harness.Options{Clock: clock}, "Slagerij Vos")
	v, browser := s.send(""), s.n.Visitor()
	page := s.arrives(browser, v)
	forgotten := s.sees(page.Choose(ctx, "Slagerij Vos"))
	for what, again := range map[string]func() (*harness.VisitorPage, error){
		"the button":          func() (*harness.VisitorPage, error) { return page.Choose(ctx, "Slagerij Vos") },
		"cancelling too late": func() (*harness.VisitorPage, error) { return page.Leave(ctx) },
		"searching":           func() (*harness.VisitorPage, error) { return page.Search(ctx, "vos") },
	} {
		if got := s.sees(again()); got.Back != forgotten.Back || got.Back == "" {
			t.Errorf("%s: HTTP %d: %s", what, got.Status, got.Text)
		}
	}
	if reply := s.answered(v, forgotten); !reply.Permitted() || s.outcomes() != "Choose Permit" {
		t.Errorf("%+v; recorded: %s", reply, s.outcomes())
	}
	clock.Advance(3 * time.Minute)
	if late := s.sees(page.Choose(ctx, "Slagerij Vos")); late.Status != http.StatusGone {
		t.Errorf("much later: HTTP %d, %q", late.Status, late.Back)
	}
}

// Sixteen fingers on one button: one answer leaves, and one Permit is recorded.
func TestDoubleClick(t *testing.T) {
	s := withClients(t, harness.Options{}, "Slagerij Vos")
	v := s.send("")
	page := s.arrives(s.n.Visitor(), v)
	type result struct {
		page *harness.VisitorPage
		err  error
	}
	results := make(chan result)
	for range 16 {
		go func() {
			p, err := page.Choose(ctx, "Slagerij Vos")
			results <- result{p, err}
		}()
	}
	answers := map[string]*harness.VisitorPage{}
	for range 16 {
		r := <-results
		if r.err != nil {
			t.Fatal(r.err)
		}
		answers[r.page.Back] = r.page
	}
	if permits := strings.Count(s.outcomes(), "Permit"); len(answers) != 1 || permits != 1 {
		t.Fatalf("%d answers, %d permits: %s", len(answers), permits, s.outcomes())
	}
	for _, page := range answers {
		s.answered(v, page)
	}
}

// Between the page and the press of the button the client has withdrawn the mandate. The
// choice is refused, the page says why, and another can be made.
func TestRevokedWhileChoosing(t *testing.T) {
	s := withClients(t, harness.Options{}, "Bloemist Bos")
	chain := s.clientOf(harness.Company("Slagerij Vos", "55500099", ""))
	v, browser := s.send(""), s.n.Visitor()
	page := s.arrives(browser, v)
	if err := s.n.First.Revoke(chain); err != nil {
		t.Fatal(err)
	}
	again := s.sees(page.Choose(ctx, "Slagerij Vos"))
	if again.Back != "" || !strings.Contains(again.Text, "Slagerij Vos kunt u niet meer kiezen") || !strings.Contains(again.Text, "De machtiging is ingetrokken.") {
		t.Fatalf("sent to %q: %s", again.Back, again.Text)
	}
	s.readsCodeOf(again, 1)
	if reply := s.answered(v, s.sees(again.Choose(ctx, "Bloemist Bos"))); !reply.Permitted() {
		t.Errorf("%+v", reply)
	}
	if got := s.outcomes(); got != "Choose Deny Permit" {
		t.Errorf("recorded: %s", got)
	}
}

// Meanwhile nothing at all is left to choose. Whoever calls about that reads out the code of the
// choice that was refused, not of what was still possible before.
func TestAllRevokedWhileChoosing(t *testing.T) {
	s := withClients(t, harness.Options{})
	chain := s.clientOf(harness.Company("Slagerij Vos", "55500099", ""))
	page := s.arrives(s.n.Visitor(), s.send(""))
	for _, id := range []mandate.ID{s.mandate, chain} {
		if err := s.n.First.Revoke(id); err != nil {
			t.Fatal(err)
		}
	}
	again := s.sees(page.Choose(ctx, "Slagerij Vos"))
	if again.Title != "U kunt nu voor niemand inloggen" || s.outcomes() != "Choose Deny" {
		t.Fatalf("%q; recorded: %s", again.Title, s.outcomes())
	}
	s.readsCodeOf(again, 1)
}

// readsCodeOf looks on a page for the code by which our people find that record, and no other.
func (s *scene) readsCodeOf(page *harness.VisitorPage, record int) {
	s.t.Helper()
	id := s.records()[record].ID
	want := id[:4] + "-" + id[4:8] + "-" + id[8:12]
	if got := codes.FindAllString(page.Text, -1); len(got) != 1 || got[0] != want {
		s.t.Errorf("the page has the codes %q, want %s: %s", got, want, page.Text)
	}
}

// codes are what people call records.
var codes = regexp.MustCompile(`[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}`)

// The user cancels, at whichever page, and the broker hears that and nothing else. Who reads
// why there is nothing to choose takes the reasons along.
func TestTheUserLeaves(t *testing.T) {
	s := withClients(t, harness.Options{})
	chain := s.clientOf(harness.Company("Slagerij Vos", "55500000", ""))
	v := s.send("")
	page := s.arrives(s.n.Visitor(), v)
	found := s.sees(page.Search(ctx, "vos"))
	if reply := s.answered(v, s.sees(found.Leave(ctx))); reply.Status != saml.ResponderAuthnFailed || reply.Message != "cancelled" {
		t.Errorf("cancelled: %+v", reply)
	}
	for _, id := range []mandate.ID{s.mandate, chain} { // and with the chain its assignment
		if err := s.n.First.Revoke(id); err != nil {
			t.Fatal(err)
		}
	}
	v = s.send("")
	page = s.arrives(s.n.Visitor(), v)
	if page.Title != "U kunt nu voor niemand inloggen" || !strings.Contains(page.Text, "De machtiging is ingetrokken.") || !strings.Contains(page.Text, "Vraag") {
		t.Fatalf("%q: %s", page.Title, page.Text)
	}
	reply := s.answered(v, s.sees(page.Leave(ctx)))
	if reply.Status != saml.ResponderAuthnFailed || reply.Message != "revoked" {
		t.Errorf("left: %+v", reply)
	}
	if got := s.outcomes(); got != "Choose Deny" {
		t.Errorf("recorded: %s", got)
	}
}

// Nobody has ever mandated him: the page says that in plain words, in his language.
func TestNobodyToActFor(t *testing.T) {
	s := withClients(t, harness.Options{})
	stranger := s.n.NewPerson("Stranger")
	v, err := s.n.Broker.Send(harness.Question{Person: stranger, Service: s.n.Services["vat"]}, "")
	if err != nil {
		t.Fatal(err)
	}
	browser := s.n.Visitor()
	browser.Language = "en"
	page := s.arrives(browser, v)
	if page.Title != "You cannot log in for anybody now" || !strings.Contains(page.Text, "We have no mandate in your name that fits here.") {
		t.Errorf("%q: %s", page.Title, page.Text)
	}
	if reply := s.answered(v, s.sees(page.Leave(ctx))); reply.Message != "no-mandate-to-person" {
		t.Errorf("%+v", reply)
	}
	s.findsRecord(codes.FindString(page.Text))
}

// findsRecord finds the only record by the code that a user reads aloud, and by all else that
// people call it.
func (s *scene) findsRecord(code string) {
	s.t.Helper()
	want := s.records()[0]
	j := must(journal.Open(ctx, s.file("register/journal.db"), journal.Options{}))
	defer func() { _ = j.Close() }()
	for _, name := range []string{code, " " + strings.ToUpper(code) + " ", want.ID, want.Message, want.Assertion} {
		if _, got, err := daemon.FindRecord(ctx, j, name); err != nil || got.ID != want.ID {
			s.t.Errorf("by %q one finds %q: %v", name, got.ID, err)
		}
	}
	for _, name := range []string{"", code[:4], want.Message[:20], `"message":"` + want.Message} {
		if _, _, err := daemon.FindRecord(ctx, j, name); !errors.Is(err, journal.ErrNotFound) {
			s.t.Errorf("by %q: %v", name, err)
		}
	}
}

// What cannot be chosen stands in the list with the reason and the next step, each in words
// that somebody can act on.
func TestWhyNot(t *testing.T) {
	clock := harness.NewClock(time.Date(2026, 11, 24, 11, 0, 0, 0, time.UTC))
	s := withClients(t, harness.Options{Clock: clock}, "Bloemist Bos")
	low := harness.Company("Lage Landen", "55500010", "")
	s.grantThis(mandate.Mandate{Kind: mandate.Direct, Grantor: low, Person: s.anna, Scope: mandate.Scope{mandate.Everything(etoegang.LoA2)}})
	other := harness.Company("Andere Dienst", "55500011", "")
	permit := s.n.Services["permit"]
	s.grantThis(mandate.Mandate{Kind: mandate.Direct, Grantor: other, Person: s.anna, Scope: mandate.Scope{{Service: permit.UUID, Level: etoegang.LoA3}}})
	short := harness.Company("Kort Geldig", "55500012", "")
	s.grantThis(mandate.Mandate{Kind: mandate.Direct, Grantor: short, Person: s.anna, Scope: mandate.Scope{mandate.Everything(etoegang.LoA3)},
		Validity: mandate.Validity{From: clock.Now().Truncate(time.Second), To: clock.Now().AddDate(0, 0, 30).Truncate(time.Second)}})
	page := s.arrives(s.n.Visitor(), s.send(""))
	says := map[string]string{}
	for _, o := range page.Offers {
		says[o.Name] = o.Text
	}
	for name, want := range map[string]string{
		"Lage Landen":   "De machtiging heeft een te laag niveau. Voor deze dienst is EH3 nodig. Vraag de machtigingenbeheerder van Lage Landen om een machtiging op niveau EH3.",
		"Andere Dienst": "De machtiging geldt niet voor deze dienst. Vraag de machtigingenbeheerder van Andere Dienst",
		"Kort Geldig":   "Geldig tot 24 december 2026. Vraag op tijd om verlenging.",
		"Bloemist Bos":  "Via " + office.Name,
	} {
		if !strings.Contains(says[name], want) {
			t.Errorf("of %s it says: %s", name, says[name])
		}
	}
	clock.Advance(40 * 24 * time.Hour)
	page = s.arrives(s.n.Visitor(), s.send(""))
	for _, o := range page.Offers {
		if o.Name == "Kort Geldig" && (o.Token != "" || !strings.Contains(o.Text, "De machtiging is verlopen op 24 december 2026.")) {
			t.Errorf("afterwards: %s", o.Text)
		}
	}
}

// With many clients one searches and turns pages, and what was chosen last comes first.
func TestManyClients(t *testing.T) {
	names := make([]string, 60)
	for i := range names {
		names[i] = fmt.Sprintf("Klant %c%c Beheer", 'A'+i/26, 'A'+i%26)
	}
	s := withClients(t, harness.Options{}, names...)
	v, browser := s.send(""), s.n.Visitor()
	page := s.arrives(browser, v)
	seen := map[string]int{}
	for turns := 0; ; turns++ {
		for _, o := range page.Offers {
			seen[o.Name]++
		}
		next, err := page.Follow(ctx, "Volgende organisaties")
		if err != nil || turns > 9 {
			break
		}
		page = next
	}
	if len(seen) != 61 {
		t.Errorf("%d companies on all pages", len(seen))
	}
	for name, n := range seen {
		if n != 1 {
			t.Errorf("%s stands there %d times", name, n)
		}
	}
	first := s.sees(page.Follow(ctx, "Naar het begin van de lijst"))
	found := s.sees(first.Search(ctx, "bg beh"))
	if len(found.Offers) != 1 || found.Offers[0].Name != "Klant BG Beheer" {
		t.Fatalf("found %+v", found.Offers)
	}
	if strings.Contains(found.Address(), "bg+beh") || strings.Contains(found.Address(), "search") {
		t.Errorf("what was searched stands in the address: %s", found.Address())
	}
	if none := s.sees(first.Search(ctx, "xyz")); !strings.Contains(none.Text, "Wij vinden geen organisatie") {
		t.Errorf("nothing: %s", none.Text)
	}
	if reply := s.answered(v, s.sees(found.Choose(ctx, "Klant BG Beheer"))); !reply.Permitted() {
		t.Errorf("%+v", reply)
	}
	page = s.arrives(s.n.Visitor(), s.send("")) // another browser: it is the person who chose
	if !strings.Contains(page.Text, "Laatst gekozen Klant BG Beheer") {
		t.Errorf("the page begins: %.300s", page.Text)
	}
}

// A visit goes on at any node, also at one that was started anew, and ends on all of them.
func TestVisitsAreSharedByNodes(t *testing.T) {
	s := withClients(t, harness.Options{Nodes: 2}, "Slagerij Vos")
	v, browser := s.send(""), s.n.Visitor()
	page := s.arrives(browser, v)
	if err := s.n.First.Restart(ctx); err != nil {
		t.Fatal(err)
	}
	replica := s.n.Replicas[0]
	elsewhere := must(url.Parse(page.Address()))
	elsewhere.Host = must(url.Parse(replica.DoorEndpoint)).Host
	there := s.sees(browser.Open(ctx, elsewhere.String()))
	if len(there.Offers) != 2 {
		t.Fatalf("at the other node: HTTP %d: %s", there.Status, there.Text)
	}
	back := s.sees(there.Choose(ctx, "Slagerij Vos"))
	if over := s.sees(browser.Open(ctx, page.Address())); over.Status != http.StatusGone {
		t.Errorf("at the first node the visit is not over: HTTP %d", over.Status)
	}
	v.At(replica)
	if reply := s.answered(v, back); !reply.Permitted() {
		t.Errorf("%+v", reply)
	}
}

// A quarter of an hour is enough to choose; and what is asked late is decided at that moment,
// not when the user arrived.
func TestVisitsEnd(t *testing.T) {
	clock := harness.NewClock(time.Now().UTC())
	s := withClients(t, harness.Options{Clock: clock}, "Slagerij Vos")
	v := s.send("")
	page := s.arrives(s.n.Visitor(), v)
	clock.Advance(14 * time.Minute)
	reply := s.answered(v, s.sees(page.Choose(ctx, "Slagerij Vos")))
	if !reply.Permitted() || reply.Statement.Issued.Before(clock.Now().Add(-time.Second)) {
		t.Errorf("after 14 minutes: %+v", reply.Statement)
	}
	page = s.arrives(s.n.Visitor(), s.send(""))
	clock.Advance(16 * time.Minute)
	if over := s.sees(page.Choose(ctx, "Slagerij Vos")); over.Status != http.StatusGone {
		t.Errorf("after 16 minutes: HTTP %d", over.Status)
	}
}

// The company that the broker prefers is the only one shown; if there is one way to act for
// it, there is nothing to choose.
func TestPreferredCompany(t *testing.T) {
	s := withClients(t, harness.Options{}, "Slagerij Vos", "Bloemist Bos")
	q := s.question()
	q.Company = bakery.KvK
	send := func() *harness.Visit {
		v, err := s.n.Broker.Send(q, "")
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	v := send()
	if reply := s.answered(v, s.arrives(s.n.Visitor(), v)); !reply.Permitted() {
		t.Errorf("%+v", reply)
	}
	s.clientOf(bakery) // now she may also act for it through the office
	var page *harness.VisitorPage
	until(t, "what was decided before is forgotten", func() bool { // what a grant adds may take a lease to show
		v = send()
		page = s.arrives(s.n.Visitor(), v)
		return page.Back == ""
	})
	if len(page.Offers) != 2 || page.Offers[0].Name != bakery.Name || page.Offers[1].Name != bakery.Name {
		t.Fatalf("offered: %+v", page.Offers)
	}
	v.Reply = s.answered(v, s.sees(page.Send(ctx, url.Values{"choice": {page.Offers[1].Token}})))
	if !v.Reply.Permitted() || v.Reply.Statement.Intermediary().KvK != office.KvK {
		t.Errorf("%+v", v.Reply.Statement)
	}
}

// Behind a portal one logs in for several services at once. The user sees which ones he may
// use for the company and takes those that he wants; the level is the lowest of these, and at
// least one there must be.
func TestServicesBehindAPortal(t *testing.T) {
	services := append(harness.DefaultServices(),
		harness.Service{Name: "excise", Provider: "tax service", Level: etoegang.LoA2},
		harness.Service{Name: "portal", Provider: "tax service", Level: etoegang.LoA2, Behind: []string{"vat", "excise"}})
	s := withClients(t, harness.Options{Services: services}, "Slagerij Vos")
	bread := harness.Company("Brood Alleen", "55500055", "")
	s.grantThis(mandate.Mandate{Kind: mandate.Direct, Grantor: bread, Person: s.anna, Scope: harness.For(s.vat, etoegang.LoA4)})
	excise, portal := s.n.Services["excise"], s.n.Services["portal"]
	s.grantThis(mandate.Mandate{Kind: mandate.Direct, Grantor: bread, Person: s.anna, Scope: harness.For(excise, etoegang.LoA2)})
	arrive := func() (*harness.Visit, *harness.VisitorPage) {
		v, err := s.n.Broker.Send(harness.Question{Person: s.anna, Service: portal, Login: etoegang.LoA4}, "")
		if err != nil {
			t.Fatal(err)
		}
		return v, s.sees(s.arrives(s.n.Visitor(), v).Choose(ctx, "Brood Alleen"))
	}
	v, page := arrive()
	if page.Title != "Voor welke diensten logt u in?" || !strings.Contains(page.Text, "vat") || !strings.Contains(page.Text, "excise") {
		t.Fatalf("%q: %s", page.Title, page.Text)
	}
	form := page.Checked()
	if len(form["service"]) != 2 {
		t.Fatalf("ticked: %v", form)
	}
	none := s.sees(page.Send(ctx, url.Values{"choice": form["choice"], "picked": {"1"}}))
	if !strings.Contains(none.Text, "Kies minstens één dienst.") {
		t.Fatalf("without any: %s", none.Text)
	}
	strange := s.sees(page.Send(ctx, url.Values{"choice": form["choice"], "picked": {"1"}, "service": {s.n.Services["permit"].UUID.String()}}))
	if !strings.Contains(strange.Text, "Kies minstens één dienst.") {
		t.Fatalf("one that was not offered: %s", strange.Text)
	}
	reply := s.answered(v, s.sees(none.Send(ctx, form)))
	if used := reply.Statement.Used; !reply.Permitted() || used != etoegang.LoA2 || len(reply.Statement.Opened) != 2 {
		t.Errorf("both: level %v, services %v", used, reply.Statement.Opened)
	}
	v, page = arrive()
	reply = s.answered(v, s.sees(page.Send(ctx, url.Values{"choice": page.Checked()["choice"], "picked": {"1"}, "service": {s.vat.UUID.String()}})))
	if used := reply.Statement.Used; !reply.Permitted() || used != etoegang.LoA4 || len(reply.Statement.Opened) != 1 {
		t.Errorf("one: level %v, services %v", used, reply.Statement.Opened)
	}
	if got := s.outcomes(); got != "Choose Permit Choose Permit" {
		t.Errorf("recorded: %s", got)
	}
}

// Establishments are choices of their own, and the whole company is another.
func TestEstablishmentsAreChoices(t *testing.T) {
	s := withClients(t, harness.Options{})
	permit := s.n.Services["permit"]
	shop := must(etoegang.ParseEstablishmentNumber("000012345678"))
	s.grantThis(mandate.Mandate{Kind: mandate.Direct, Grantor: bakery, Person: s.anna, Scope: harness.For(permit, etoegang.LoA3)})
	s.grantThis(mandate.Mandate{Kind: mandate.Direct, Grantor: bakery, Person: s.anna, Scope: harness.For(permit, etoegang.LoA3), Establishments: []etoegang.EstablishmentNumber{shop}})
	v, err := s.n.Broker.Send(harness.Question{Person: s.anna, Service: permit}, "")
	if err != nil {
		t.Fatal(err)
	}
	page := s.arrives(s.n.Visitor(), v)
	if len(page.Offers) != 2 || !strings.Contains(page.Offers[1].Text, "Alleen voor vestiging 000012345678") {
		t.Fatalf("offered: %+v", page.Offers)
	}
	reply := s.answered(v, s.sees(page.Send(ctx, url.Values{"choice": {page.Offers[1].Token}})))
	if got := reply.Statement.Establishments; len(got) != 1 || got[0] != shop {
		t.Errorf("limited to %v", got)
	}
}

// Rubbish gets a page that says so, and nothing is decided.
func TestRubbishInForms(t *testing.T) {
	s := withClients(t, harness.Options{}, "Slagerij Vos")
	page := s.arrives(s.n.Visitor(), s.send(""))
	token := page.Offers[1].Token
	for what, form := range map[string]url.Values{
		"nothing":       {},
		"no token":      {"choice": {""}},
		"words":         {"choice": {"55500000"}},
		"altered":       {"choice": {token[:20] + "x" + token[21:]}},
		"cut":           {"choice": {token[:40]}},
		"a huge form":   {"search": {strings.Repeat("x", 100_000)}},
		"a broken form": {"%zz": {"%"}},
	} {
		if got := s.sees(page.Send(ctx, form)); got.Status != http.StatusBadRequest || got.Back != "" {
			t.Errorf("%s: HTTP %d: %s", what, got.Status, got.Text)
		}
	}
	for _, query := range []string{"?v=x", "?v=" + token, "?v=%FF"} {
		at := strings.SplitN(page.Address(), "?", 2)[0]
		if got := s.sees(page.Visitor().Open(ctx, at+query)); got.Status != http.StatusBadRequest {
			t.Errorf("%s: HTTP %d", query, got.Status)
		}
	}
	if got := s.outcomes(); got != "Choose" {
		t.Errorf("recorded: %s", got)
	}
}

// A client has replaced its mandate, and Anna was not let have the new one. That is no reason
// to tell her that she has none at all.
func TestSupersededClient(t *testing.T) {
	s := withClients(t, harness.Options{}, "Slagerij Vos")
	chain := s.clientOf(harness.Company("Vernieuwd", "55500099", ""))
	if _, err := s.n.First.Register().Change(ctx, register.Author{Who: "test", Why: "replaced"}, func(tx *register.Tx) error {
		_, err := tx.SetState(chain, mandate.Superseded)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	page := s.arrives(s.n.Visitor(), s.send(""))
	if len(page.Offers) != 2 || strings.Contains(page.Text, "Wat er aan de hand is") || strings.Contains(page.Text, "Vernieuwd") {
		t.Errorf("%s", page.Text)
	}
}
