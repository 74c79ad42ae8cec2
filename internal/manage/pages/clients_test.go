package pages_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mandated/mandated/internal/desk"
	"github.com/mandated/mandated/pkg/catalogue"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
)

// lets makes clients of the office, each of whom permits two services for so many days; all of them
// are assigned to Eva, or only the first so many services.
func (s *scene) lets(days, assigned int, names ...string) {
	s.Helper()
	now := s.clock.Now().UTC().Truncate(time.Second)
	_ = must(s.register.Change(ctx, register.Author{Who: "test", Why: "test"}, func(t *register.Tx) error {
		firm := must(t.PutOrganisation(office))
		eva := must(t.PutPerson(mandate.Person{Subject: s.people["Eva Elshout"], Name: "Eva Elshout", Active: true}))
		scope := mandate.Scope{{Service: s.sandbox.Network.Services["vat"].UUID, Level: etoegang.LoA3}, {Service: must(etoegang.ParseServiceUUID("11111111-2222-3333-4444-000000000000")), Level: etoegang.LoA3}}
		for _, name := range names {
			s.clients++
			client := must(t.PutOrganisation(mandate.Organisation{KvK: must(etoegang.ParseKvKNumber(fmt.Sprint(50000000 + s.clients))), Name: name, Active: true}))
			m := mandate.Mandate{Kind: mandate.Chain, State: mandate.Active, Grantor: client, Intermediary: firm, Scope: scope, Validity: mandate.Validity{From: now, To: now.AddDate(0, 0, days)}}
			m = must(t.Grant(m, register.GrantOptions{}))
			if assigned > 0 {
				_ = must(t.Grant(mandate.Mandate{Kind: mandate.Assignment, State: mandate.Active, Grantor: firm, Client: m.ID, Person: eva, Scope: scope[:assigned], Validity: m.Validity}, register.GrantOptions{}))
			}
		}
		return nil
	}))
}

// named are the clients on the page, in order.
func (b *browser) named() (list []string) {
	for n := range b.page.Descendants() {
		if n.Data == "th" && attr(n, "scope") == "row" {
			name, _, _ := strings.Cut(textOf(n), " (")
			list = append(list, name)
		}
	}
	return list
}

// The office sees of each client whether what its people may do fits, and if not what is in the way
// and what it can do. It can look at those alone, or at what ends soon, and take the list along.
func TestWhatFits(t *testing.T) {
	s := newScene(t)
	baker, bob := s.comes("Bas Bakker", bakery, mandate.Administrator), s.comes("Bob Boekhouder", office, mandate.Administrator)
	s.grants(baker)
	s.assigns(bob, "1")
	baker.visit("/mandates/1").press("/mandates/1/suspend")
	s.lets(300, 2, "Fitting")
	s.lets(300, 1, "Narrow")
	s.lets(30, 2, "Soon")

	lists := map[string][]string{"": {bakery.Name, "Fitting", "Narrow", "Soon"}, "attention": {bakery.Name, "Narrow"}, "ends": {"Soon"}}
	for only, want := range lists {
		bob.visit("/clients").fill("only", only).press("/clients")
		if got := bob.named(); !slices.Equal(got, want) {
			t.Errorf("of %q are listed %q, want %q", only, got, want)
		}
		if _, form := bob.form("/clients"); form.Get("only") != only {
			t.Errorf("chosen was %q, and %q is", only, form.Get("only"))
		}
		rows := bob.download(bob.leads("clients list"), ',')
		if len(rows) != 1+len(want) || rows[1][1] != want[0] {
			t.Errorf("the list of %q is %q", only, rows)
		}
	}
	bob.visit("/clients").fill("only", "attention").fill("search", "nar").press("/clients")
	if got := bob.named(); !slices.Equal(got, []string{"Narrow"}) {
		t.Errorf("of those that need attention is found %q", got)
	}
	bob.visit("/clients").fill("only", "ends").fill("search", "nar").press("/clients").reads(bob.word("renew none"))

	bob.visit("/clients").reads(bob.word("fits"), bob.word("misfit assignment-narrower"), bob.word("misfit chain-suspended")+" "+bob.word("mend resume grantor"))
	rows := bob.download("/clients/list", ',')
	for n, want := range [][]string{{"Suspended", "Eva Elshout (up to and including", bob.word("fits not"), bob.word("misfit chain-suspended"), bob.word("mend resume grantor")},
		{"VAT return", bob.word("fits")}, {bob.word("fits not"), bob.word("misfit assignment-narrower"), bob.word("mend ask receiver")}} {
		for _, text := range want {
			if line := strings.Join(rows[n+1], ","); !strings.Contains(line, text) {
				t.Errorf("in the list is not %q: %s", text, line)
			}
		}
	}
	baker.visit("/clients/list").is(http.StatusOK)
	if text := baker.text(); strings.Contains(text, "Narrow") {
		t.Errorf("the bakery downloads the office's clients: %s", text)
	}
	s.comes("Rik Register", registry, mandate.Staff).visit("/clients/list").is(http.StatusNotFound)
}

// leads is where the link with that text leads.
func (b *browser) leads(word string) string {
	b.Helper()
	link := b.find(func(n *htmlNode) bool { return n.Data == "a" && textOf(n) == b.word(word) })
	if link == nil {
		b.Fatalf("at %s no link says %q: %s", b.at, b.word(word), b.text())
	}
	return attr(link, "href")
}

// From the list one comes to the one change that mends it, filled in: what Eva may do grows to what
// the client permits, in the place of what she has; and what the client has ended is asked for again.
func TestWhatMendsIt(t *testing.T) {
	s := newScene(t)
	bob := s.comes("Bob Boekhouder", office, mandate.Administrator)
	s.lets(300, 1, "Narrow")
	bob.visit("/clients").click(bob.word("mend ask receiver"))
	if _, form := bob.form("/grant/assign"); form.Get("client") != "1" || form.Get("follows") != "2" || form.Get("person") != "1" {
		t.Fatalf("filled in is %v", form)
	}
	if link := bob.find(func(n *htmlNode) bool { return attr(n, "hreflang") == "nl" }); !strings.Contains(attr(link, "href"), "follows=2") {
		t.Errorf("in the other language is forgotten what it follows: %s", attr(link, "href"))
	}
	bob.press("/grant/assign").next().reads("Mandate 2 ends as soon as this one is in force")
	bob.next().reads(bob.word("done active"))
	if m := s.mandate(2); m.State != mandate.Superseded {
		t.Errorf("the narrower one is %s", m.State)
	}
	bob.visit("/clients").reads(bob.word("fits")).fill("only", "attention").press("/clients").reads(bob.word("no attention"))

	baker := s.comes("Bas Bakker", bakery, mandate.Administrator)
	s.grants(baker)
	baker.visit("/mandates/4/revoke").press("/mandates/4/revoke")
	if bob.visit("/clients").fill("only", "attention").press("/clients"); len(bob.named()) > 0 {
		t.Errorf("what has ended needs attention for ever: %s", bob.text())
	}
	bob.visit("/clients").fill("search", "korenb").press("/clients").reads(bob.word("misfit chain-ended"), bob.word("fits no more"))
	bob.click(bob.word("mend ask grantor")).reads(bob.word("renewal again title"), "ask Bakkerij De Korenbloem")
	bob.press("/mandates/4/renew").reads("all services of all providers").press("/mandates/4/renew").reads(bob.word("done requested"))
	bob.visit("/clients").fill("search", "korenb").press("/clients").reads(bob.word("misfit chain-requested"))
	if strings.Contains(bob.text(), bob.word("misfit chain-ended")) {
		t.Errorf("what has ended is still listed beside the next: %s", bob.text())
	}
	bob.click(bob.word("mend agree grantor")).is(http.StatusOK)
	if bob.at.Path != "/requests/5" {
		t.Errorf("he is at %s", bob.at)
	}
	// Somebody else in place of Eva is beside her, and takes nobody's place.
	s.lets(300, 1, "Another")
	tom := s.people["Bea Bakker"]
	bob.visit("/grant/assign?client=6&follows=7").fill("person", "new").fill("person-name", "Tom").fill("authenticator", tom.Authenticator.String()).fill("pseudonym", tom.Pseudonym.Text())
	bob.press("/grant/assign").next()
	bob.next().reads(bob.word("done active"))
	if m := s.mandate(7); m.State != mandate.Active {
		t.Errorf("Eva's is %s", m.State)
	}
	bob.visit("/grant/assign?client=6&follows=3").is(http.StatusNotFound) // of another client
}

// Where hardly any of very many clients needs attention, a page looks at a thousand and says so; the
// list as a file has all of them, or is cut off.
func TestLookingFurther(t *testing.T) {
	s := newScene(t)
	bob := s.comes("Bob Boekhouder", office, mandate.Administrator)
	var names []string
	for n := range 1010 {
		names = append(names, fmt.Sprintf("Client %04d", n))
	}
	s.lets(300, 2, names...)
	s.lets(300, 0, "Zuivel Zonder Hulp")
	doc := []byte("a catalogue")
	_ = must(s.register.Change(ctx, register.Author{Who: "test", Why: "test"}, func(t *register.Tx) error {
		return t.PutCatalogue(register.CatalogueVersion{Sequence: 1, Version: "1", Issued: s.clock.Now(), SHA256: sha256.Sum256(doc), Signer: "test", Document: doc})
	}))

	bob.visit("/clients").fill("only", "attention").press("/clients").reads(bob.word("none so far"), bob.word("looked so far", "n", "1,000"))
	list := bob.leads("clients list")
	bob.click(bob.word("search further"))
	if got := bob.named(); !slices.Equal(got, []string{"Zuivel Zonder Hulp"}) || strings.Contains(bob.text(), bob.word("search further")) {
		t.Errorf("further are %q: %s", got, bob.text())
	}
	if rows := bob.download(list, ','); len(rows) != 2 || rows[1][1] != "Zuivel Zonder Hulp" {
		t.Errorf("the list is %q", rows)
	}
	if rows := bob.download("/clients/list", ','); len(rows) != 1012 {
		t.Errorf("the list of all has %d lines", len(rows))
	}

	looks := 0
	s.offers(desk.New(s.register, lostShelf{s, func() bool { looks++; return looks > 2 }}))
	response := must(bob.http.Get(s.web.URL + "/clients/list"))
	defer func() { _ = response.Body.Close() }()
	if _, err := io.ReadAll(response.Body); err == nil {
		t.Error("a list that failed halfway looks complete")
	}
	if looks != 3 {
		t.Errorf("it failed at part %d", looks)
	}
}

// lostShelf has no catalogue any more as soon as it is lost.
type lostShelf struct {
	*scene
	lost func() bool
}

func (l lostShelf) Of(*register.Snapshot) (*catalogue.Catalogue, error) {
	if l.lost() {
		return nil, errors.New("connection refused")
	}
	return l.edition, nil
}
