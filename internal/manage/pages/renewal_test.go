package pages_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/harness"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
)

// The bakery renews its mandate by itself, from the page of that mandate: it chooses a day, reads
// what it agrees to and what that costs more, and the next one takes the place of the old. Eva
// keeps her client.
func TestRenewal(t *testing.T) {
	s := newScene(t)
	baker := s.comes("Bas Bakker", bakery, mandate.Administrator)
	bob := s.comes("Bob Boekhouder", office, mandate.Administrator)
	s.offers(s.desk.With(s.terms()))
	s.grants(baker) // for a year
	s.assigns(bob, "1")

	baker.visit("/mandates/1").click(baker.word("renew")).is(http.StatusOK).reads(office.Name, baker.word("renewal title"))
	baker.fill("to-year", "2099").press("/mandates/1/renew").is(http.StatusOK).press("/mandates/1/renew").is(http.StatusUnprocessableEntity)
	if got := baker.wrongAt("to"); !strings.HasSuffix(got, baker.word("wrong outlasts")) && !strings.HasSuffix(got, baker.word("wrong too long")) {
		t.Errorf("beside the day stands %q", got)
	}
	baker.fill("to-year", "2020").press("/mandates/1/renew").is(http.StatusUnprocessableEntity)
	before := s.revision()
	baker.fill("to-year", s.clock.Now().AddDate(2, 0, 0).Format("2006")).press("/mandates/1/renew").is(http.StatusOK)
	baker.reads(baker.word("check"), "mandates Administratiekantoor Telraam", "all services of all providers", "Mandate 1 ends as soon as this one is in force", "it costs Bakkerij De Korenbloem", "without VAT")
	read := baker.text()
	if s.revision() != before {
		t.Error("he has only read it")
	}
	baker.press("/mandates/1/renew").is(http.StatusOK).reads(baker.word("done active"), "Mandate 3")
	old, next := s.mandate(1), s.mandate(3)
	if old.State != mandate.Superseded || next.State != mandate.Active || next.Supersedes != 1 || !next.Validity.To.After(old.Validity.To) {
		t.Errorf("the old one is %s, the next %s, follows %d and lasts until %s", old.State, next.State, next.Supersedes, next.Validity.To)
	}
	for _, line := range strings.Split(s.steps(3)[0].Consent.Text, "\n") {
		if !strings.Contains(read, strings.TrimPrefix(line, "- ")) {
			t.Errorf("%q is kept, and was not read", line)
		}
	}
	if eva := s.mandate(4); eva.Client != 3 || eva.State != mandate.Active || eva.Person.Name != "Eva Elshout" {
		t.Errorf("Eva has %+v", eva)
	}

	// What has ended is not renewed, what is suspended has no link to it, and staff do it on paper.
	baker.visit("/mandates/1/renew").is(http.StatusConflict)
	baker.visit("/mandates/3").press("/mandates/3/suspend")
	if strings.Contains(baker.text(), baker.word("renew")) {
		t.Errorf("it is suspended: %s", baker.text())
	}
	rik := s.comes("Rik Register", registry, mandate.Staff)
	rik.visit("/mandates/3/renew").is(http.StatusNotFound)
}

// The office can only ask its client for the next one, and renews by itself what it has assigned:
// unless it says otherwise, for as long as the client's mandate lasts.
func TestRenewalAsked(t *testing.T) {
	s := newScene(t)
	baker := s.comes("Bas Bakker", bakery, mandate.Administrator)
	bob := s.comes("Bob Boekhouder", office, mandate.Administrator)
	s.grants(baker)
	s.assigns(bob, "1")
	bob.visit("/mandates/1").click(bob.word("renew")).reads("stays in force until Bakkerij De Korenbloem").press("/mandates/1/renew").reads(bob.word("note ask"))
	bob.press("/mandates/1/renew").reads(bob.word("done requested"))
	if old, next := s.mandate(1), s.mandate(3); old.State != mandate.Active || next.State != mandate.Requested || next.Supersedes != 1 {
		t.Errorf("the old one is %s, the next %s and follows %d", old.State, next.State, next.Supersedes)
	}
	baker.visit("/requests/3").reads("Mandate 1 ends as soon as this one is in force").press("/requests/3/accept").reads(baker.word("done active"))

	bob.visit("/mandates/4/renew").press("/mandates/4/renew").reads("lets Eva Elshout log in and act for the client", "Mandate 4 ends").press("/mandates/4/renew").reads(bob.word("done active"))
	if old, next := s.mandate(4), s.mandate(5); old.State != mandate.Superseded || next.Client != 3 || !next.Validity.To.Equal(s.mandate(3).Validity.To) {
		t.Errorf("the old one is %s, and the next %+v", old.State, next)
	}
}

// The next mandate is what the old one was: for the same establishments, with the same reference.
func TestRenewalIsOfTheSame(t *testing.T) {
	s := newScene(t)
	baker := s.comes("Bas Bakker", bakery, mandate.Administrator)
	now := s.clock.Now().UTC().Truncate(time.Second)
	_ = must(s.register.Change(ctx, register.Author{Who: "test", Why: "test"}, func(t *register.Tx) error {
		m := mandate.Mandate{Kind: mandate.Direct, State: mandate.Active, Grantor: must(t.PutOrganisation(bakery)), Reference: "till 3",
			Person: must(t.PutPerson(mandate.Person{Subject: s.people["Eva Elshout"], Name: "Eva Elshout", Active: true})),
			Scope:  mandate.Scope{mandate.Everything(etoegang.LoA3)}, Establishments: []etoegang.EstablishmentNumber{must(etoegang.ParseEstablishmentNumber("000012345678"))},
			Validity: mandate.Validity{From: now, To: now.AddDate(0, 6, 0)}}
		_ = must(t.Grant(m, register.GrantOptions{}))
		return nil
	}))
	baker.visit("/mandates/1/renew").press("/mandates/1/renew").reads("000012345678").press("/mandates/1/renew").reads(baker.word("done active"))
	old, next := s.mandate(1), s.mandate(2)
	if next.Supersedes != 1 || next.Reference != old.Reference || !slices.Equal(next.Establishments, old.Establishments) {
		t.Errorf("the old one is %+v, the next %+v", old, next)
	}
}

// The end that stands there already is one that is not refused: for who grants not after his own
// appointment, for who only asks not after the longest that a mandate lasts, and for who passes on
// not after what his client gave.
func TestEndThatIsFilledIn(t *testing.T) {
	s := newScene(t)
	baker := s.comes("Bas Bakker", bakery, mandate.Administrator) // for three years
	bob := s.comes("Bob Boekhouder", office, mandate.Administrator)
	now := s.clock.Now().UTC().Truncate(time.Second)
	_ = must(s.register.Change(ctx, register.Author{Who: "test", Why: "test"}, func(t *register.Tx) error {
		m := mandate.Mandate{Kind: mandate.Chain, State: mandate.Active, Grantor: must(t.PutOrganisation(bakery)), Intermediary: must(t.PutOrganisation(office)), Scope: mandate.Scope{mandate.Everything(etoegang.LoA3)}}
		m.Validity = mandate.Validity{From: now, To: now.AddDate(0, 58, 0)}
		_ = must(t.Grant(m, register.GrantOptions{}))
		m.Grantor, m.Validity.To = must(t.PutOrganisation(harness.Company("Drukkerij Letter", "90123456", ""))), now.AddDate(0, 6, 0)
		_ = must(t.Grant(m, register.GrantOptions{}))
		return nil
	}))
	last := func(end time.Time) string {
		return mandate.InAmsterdam(mandate.StartOfDay(end).Add(-time.Second)).Format("2-1-2006")
	}
	stands := func(b *browser, page string) string {
		_, form := b.visit(page).is(http.StatusOK).form(b.at.Path)
		return form.Get("to-day") + "-" + form.Get("to-month") + "-" + form.Get("to-year")
	}
	if got, want := stands(baker, "/mandates/1/renew"), last(now.AddDate(3, 0, 0)); got != want {
		t.Errorf("the baker, who is appointed until then, is offered %s, not %s", got, want)
	}
	if got, want := stands(bob, "/mandates/1/renew"), last(mandate.AddYears(now, mandate.MaxYears)); got != want {
		t.Errorf("the office, which only asks, is offered %s, not %s", got, want)
	}
	eva := s.people["Eva Elshout"]
	bob.visit("/grant/assign?client=2").fill("person-name", "Eva Elshout").fill("authenticator", eva.Authenticator.String()).fill("pseudonym", eva.Pseudonym.Text()).press("/grant/assign")
	if got, want := stands(bob, bob.at.Path), mandate.InAmsterdam(now.AddDate(0, 6, 0).Add(-time.Second)).Format("2-1-2006"); got != want {
		t.Errorf("for the client, whose mandate ends then, the office is offered %s, not %s", got, want)
	}
	bob.fill("much", "everything").next()
	bob.next().reads(bob.word("done active"))
}

// What a client lets an intermediary do no more, be it revoked or run out, it can ask for again: from
// today, and in no other's place if that has ended. The client, who can give another, renews nothing
// that is over; and what is suspended is not over.
func TestAskingAgain(t *testing.T) {
	s := newScene(t)
	baker := s.comes("Bas Bakker", bakery, mandate.Administrator)
	bob := s.comes("Bob Boekhouder", office, mandate.Administrator)
	now := s.clock.Now().UTC().Truncate(time.Second)
	_ = must(s.register.Change(ctx, register.Author{Who: "test", Why: "test"}, func(t *register.Tx) error {
		m := mandate.Mandate{Kind: mandate.Chain, State: mandate.Active, Grantor: must(t.PutOrganisation(bakery)), Intermediary: must(t.PutOrganisation(office)), Scope: mandate.Scope{mandate.Everything(etoegang.LoA3)}}
		for _, days := range [][2]int{{-40, -20}, {-20, -1}, {0, 800}} {
			m.Validity = mandate.Validity{From: now.AddDate(0, 0, days[0]), To: now.AddDate(0, 0, days[1])}
			_ = must(t.Grant(m, register.GrantOptions{Migrating: true}))
		}
		_ = must(t.SetState(1, mandate.Revoked))
		_ = must(t.SetState(3, mandate.Suspended))
		return nil
	}))
	year := mandate.InAmsterdam(mandate.StartOfDay(mandate.AddYears(now, 1)).Add(-time.Second)).Format("2-1-2006")
	for _, over := range []string{"1", "2"} {
		bob.visit("/mandates/" + over + "/renew").is(http.StatusOK).reads(bob.word("renewal again title"))
		if _, form := bob.form(bob.at.Path); form.Get("to-day")+"-"+form.Get("to-month")+"-"+form.Get("to-year") != year {
			t.Errorf("of %s he is offered %v, not %s", over, form, year)
		}
	}
	baker.visit("/mandates/1/renew").is(http.StatusConflict)
	for _, b := range []*browser{baker, bob} {
		b.visit("/mandates/3/renew").is(http.StatusConflict)
	}
	baker.visit("/mandates/3/revoke").press("/mandates/3/revoke")
	bob.visit("/mandates/3/renew").press("/mandates/3/renew").press("/mandates/3/renew").reads(bob.word("done requested"))
	if next := s.mandate(4); next.Supersedes != 0 || next.State != mandate.Requested {
		t.Errorf("the next is %+v", next)
	}
}
