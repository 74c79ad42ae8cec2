package pages_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
)

// clientele are so many companies that have mandated the office for everything for a year; the
// last up to a level above that of the office's people.
func (s *scene) clientele(n int) {
	s.Helper()
	s.clienteleFor(n, 365)
}

func (s *scene) clienteleFor(n, days int) {
	s.Helper()
	now := s.clock.Now().UTC().Truncate(time.Second)
	_ = must(s.register.Change(ctx, register.Author{Who: "test", Why: "test"}, func(t *register.Tx) error {
		to := must(t.PutOrganisation(office))
		for i := range n {
			from := must(t.PutOrganisation(mandate.Organisation{KvK: must(etoegang.ParseKvKNumber(fmt.Sprint(40000000 + i))), Name: fmt.Sprint("Client ", i), Active: true}))
			level := etoegang.LoA3
			if i == n-1 {
				level = etoegang.LoA4
			}
			_ = must(t.Grant(mandate.Mandate{Kind: mandate.Chain, State: mandate.Active, Grantor: from, Intermediary: to, Scope: mandate.Scope{mandate.Everything(level)},
				Validity: mandate.Validity{From: now, To: now.AddDate(0, 0, days)}}, register.GrantOptions{}))
		}
		return nil
	}))
}

// The office makes a team, puts Eva and all its clients in it, and assigns at once what lacks:
// in two parts, each of which is one look at a page that goes on by itself. What could not be
// assigned is told in words. Who is taken out loses what she had, and is told so before.
func TestTeams(t *testing.T) {
	s := newScene(t)
	bob := s.comes("Bob Boekhouder", office, mandate.Administrator)
	s.clientele(202)
	bob.visit("/clients").click(bob.word("teams")).reads(bob.word("no teams"))
	bob.press("/teams").is(http.StatusUnprocessableEntity)
	if got := bob.wrongAt("name"); !strings.HasSuffix(got, bob.word("wrong team")) {
		t.Errorf("beside the name stands %q", got)
	}
	bob.fill("name", "Payrol").press("/teams").reads(bob.word("done team"), "Team Payrol", bob.word("no members"), bob.word("end team"))
	bob.fill("name", "Payroll").press("/teams/1/name").reads("Team Payroll")

	bob.click(bob.word("add member")).press("/teams/1/join").is(http.StatusUnprocessableEntity)
	eva := s.people["Eva Elshout"]
	bob.fill("person-name", "Eva Elshout").fill("authenticator", eva.Authenticator.String()).fill("pseudonym", eva.Pseudonym.Text())
	bob.press("/teams/1/join").reads(bob.word("done joined"), "Eva Elshout", bob.word("team begins"))

	bob.click(bob.word("add clients")).press("/teams/1/clients").is(http.StatusUnprocessableEntity).reads(bob.word("wrong no client"))
	bob.fill("search", "40000107").press("/teams/1/search").reads("Client 107 ")
	if strings.Contains(bob.at.String(), "40000107") {
		t.Errorf("the address says whom he looks for: %s", bob.at)
	}
	bob.fill("client", "40000107").press("/teams/1/clients").reads(bob.word("done clients"), "1 client", "1 mandate lacks")
	bob.visit("/teams/1/clients").reads(bob.word("list next"), bob.word("in team already"))
	bob.fill("client", "12345678").press("/teams/1/clients").reads(bob.word("wrong not client")) // never gave him any
	to, all := bob.form("/teams/1/clients")
	all.Set("do", "all")
	bob.send(to, all).reads("202 clients", "202 mandates lack", "Client 0")

	bob.click(bob.word("fill team")).reads("lets these employees in team Payroll log in and act", "Eva Elshout", "202 mandates are added")
	agreed := bob.text()
	bob.press("/teams/1/fill").is(http.StatusOK).reads(bob.word("fill busy"), "200 of 202")
	if bob.head.Get("Refresh") == "" {
		t.Error("the page does not go on by itself")
	}
	place := bob.at.Path
	s.comes("Bas Bakker", bakery, mandate.Administrator).visit(place).is(http.StatusNotFound)
	bob.visit(place).reads(bob.word("fill over"), "201 mandates were added", "1 could not be added", "Client 201", bob.word("refused"), bob.word("wrong in person"))
	if bob.head.Get("Refresh") != "" {
		t.Error("the page goes on though all is done")
	}
	bob.visit(place).reads("201 mandates were added").click(bob.word("to team")).reads("1 mandate lacks")
	assigned := s.all(register.Filter{Kind: mandate.Assignment, State: mandate.Active})
	last := assigned[len(assigned)-1]
	if text := s.steps(last.ID)[0].Consent.Text; len(assigned) != 201 || !strings.Contains(text, "team Payroll") || !strings.Contains(agreed, strings.Split(text, "\n")[0]) {
		t.Errorf("%d are assigned, by %q", len(assigned), text)
	}

	bob.visit("/teams/1").click("Take out of the team Eva").reads("Eva Elshout loses 201 mandates for clients at once")
	bob.visit("/teams/1").click("Take out of the team Client 0").reads("The employees in the team lose 1 mandate for Client 0")
	bob.press(bob.at.Path).reads(bob.word("done taken-out"), "201 clients")
	bob.visit("/teams/1").click("Take out of the team Eva").reads("loses 200 mandates").press(bob.at.Path).reads(bob.word("no members"))
	if m := s.mandate(last.ID); m.State != mandate.Revoked {
		t.Errorf("Eva has left, and has %s", m.State)
	}
	bob.press("/teams/1/end").reads(bob.word("done team-ended"), bob.word("no teams"))
	bob.visit("/teams/1").is(http.StatusNotFound)
}

// While a part waits the team gets another member and another client. Bob has agreed to neither:
// Tom is assigned nothing, and no more mandates are made than Bob read; the page says that.
func TestTeamGrowsMeanwhile(t *testing.T) {
	s := newScene(t)
	bob := s.comes("Bob Boekhouder", office, mandate.Administrator)
	s.clientele(201)
	tom := s.people["Bea Bakker"]
	s.filling(bob)
	place := bob.at.Path

	s.grants(s.comes("Bas Bakker", bakery, mandate.Administrator)) // mandate 402, after the 201 and the 200
	bob.visit("/teams/1/join").fill("person", "new").fill("person-name", "Tom").fill("authenticator", tom.Authenticator.String()).fill("pseudonym", tom.Pseudonym.Text()).press("/teams/1/join")
	bob.visit("/teams/1/clients").fill("search", "12345678").press("/teams/1/search").fill("client", "12345678").press("/teams/1/clients").reads(bob.word("done clients"))

	bob.visit(place).reads(bob.word("fill over"), "200 mandates were added", "1 could not be added", bob.word("fill grown"))
	for _, m := range s.all(register.Filter{Kind: mandate.Assignment}) {
		if m.Person.Name != "Eva Elshout" || m.Client > 201 {
			t.Errorf("%s has client mandate %d, to which nobody has agreed", m.Person.Name, m.Client)
		}
	}
	bob.click(bob.word("to team")).reads("204 mandates lack") // 202 of Tom's, the bakery's and the one above Eva's level
}

// leaves opens a page and closes it while what has been done for it is about to be kept.
func (b *browser) leaves(address, key string) {
	b.Helper()
	at, cancel := context.WithCancel(ctx)
	defer cancel()
	b.store.replaces = func(name string) {
		if strings.HasPrefix(name, key) {
			cancel()
		}
	}
	defer func() { b.store.replaces = nil }()
	r := httptest.NewRequestWithContext(at, http.MethodGet, b.web.URL+address, nil)
	for _, c := range b.http.Jar.Cookies(b.at) {
		r.AddCookie(c)
	}
	(*b.handler.Load()).ServeHTTP(httptest.NewRecorder(), r)
	if at.Err() == nil {
		b.Fatalf("at %s nothing was kept under %q", address, key)
	}
}

// Who closes the page while a part is done finds that part told when he comes back.
func TestWhoLeavesWhileATeamIsFilled(t *testing.T) {
	s := newScene(t)
	bob := s.comes("Bob Boekhouder", office, mandate.Administrator)
	s.clientele(202)
	s.filling(bob)
	place := bob.at.Path
	bob.leaves(place, "work ")
	bob.visit(place).reads(bob.word("fill over"), "201 mandates were added", "1 could not be added")
}

// filling is a team with Eva and all clients, of which the first part is filled.
func (s *scene) filling(bob *browser) {
	s.Helper()
	eva := s.people["Eva Elshout"]
	bob.visit("/teams").fill("name", "Payroll").press("/teams").click(bob.word("add member"))
	bob.fill("person-name", "Eva Elshout").fill("authenticator", eva.Authenticator.String()).fill("pseudonym", eva.Pseudonym.Text()).press("/teams/1/join")
	to, all := bob.click(bob.word("add clients")).form("/teams/1/clients")
	all.Set("do", "all")
	bob.send(to, all).click(bob.word("fill team")).press("/teams/1/fill").reads("200 of ")
}

// payroll is a team of the office in which somebody lacks what its client has given.
func (s *scene) payroll(bob *browser) {
	s.Helper()
	tom := s.people["Bea Bakker"]
	bob.visit("/teams").fill("name", "Payroll").press("/teams")
	bob.click(bob.word("add member")).fill("person", "new").fill("person-name", "Tom").fill("authenticator", tom.Authenticator.String()).fill("pseudonym", tom.Pseudonym.Text()).press("/teams/1/join")
	bob.click(bob.word("add clients")).fill("client", "12345678").press("/teams/1/clients")
	bob.reads(bob.word("fill team"))
}

func (v *viewer) teams() {
	v.Helper()
	v.goes("/teams", "teams", v.say.Say("teams"))
	v.goes("/teams/1", "team", v.say.Say("team named", "name", "Payroll"))
	v.goes("/teams/1/join", "join", v.say.Say("join title", "name", "Payroll"))
	v.goes("/teams/1/clients", "team-clients", v.say.Say("add clients title", "name", "Payroll"))
	v.goes("/teams/1/members/2", "take-out", v.say.Say("take out title", "who", "Tom", "team", "Payroll"))
	v.goes("/teams/1/fill", "fill", v.say.Say("fill title", "name", "Payroll"))
	v.page.Click(v.say.Say("fill team"))
	v.sees("filled", v.say.Say("fill over"))
}
