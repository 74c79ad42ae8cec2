package api

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/mandated/mandated/internal/desk"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
)

// put, and its two neighbours below, change a team; that must succeed.
func (p *program) put(path string, body any) TeamChange { return p.team("PUT", path, body) }

func (p *program) add(path string, body any) TeamChange { return p.team("POST", path, body) }

func (p *program) drop(path string) TeamChange { return p.team("DELETE", path, nil) }

func (p *program) team(method, path string, body any) (v TeamChange) {
	p.Helper()
	p.read(p.ask(method, Path+path, body), http.StatusOK, &v)
	return v
}

// makeTeam makes one, and gives its address below Path.
func (p *program) makeTeam(name string) string {
	p.Helper()
	var v TeamChange
	a := p.ask("POST", Path+"/teams", object{"name": name})
	p.read(a, http.StatusCreated, &v)
	path := fmt.Sprint("/teams/", v.Team.ID)
	if a.header.Get("Location") != address+Path+path || !v.Changed || v.Team.Name != name || v.Revision == 0 {
		p.Errorf("made at %s: %+v", a.header.Get("Location"), v)
	}
	return path
}

// fill assigns what is lacking in a team, until there is no more.
func (p *program) fill(path string) (made int, refused []NotAssigned) {
	p.Helper()
	for next, more := "", true; more; {
		var v Filled
		p.read(p.ask("POST", Path+path+"/assignments", object{"why": "a new team", "cursor": next}), http.StatusOK, &v)
		made, refused = made+v.Made, append(refused, v.Refused...)
		next, more = v.Next, v.Next != ""
	}
	return made, refused
}

func member(n int) object {
	return object{"authenticator": ad, "pseudonym": pseudonym(n), "name": fmt.Sprint("Employee ", n)}
}

// An office's software says who works for which clients, and lets the register assign what
// follows. Whoever leaves loses it, and hears how much.
func TestATeamIsAtWork(t *testing.T) {
	s := newScene(t)
	s.bakery.post("/mandates", chain(vat+"@loa3"))
	other := chain(vat + "@loa3")
	other["grantor"] = company(farm)
	s.farm.post("/mandates", other)
	path := s.office.makeTeam("Shops")
	if done := s.office.put(path, object{"name": "Shops and farms"}); done.Team.Name != "Shops and farms" {
		t.Errorf("renamed: %+v", done)
	}
	second := s.office.makeTeam("Farms")
	if one := get[Teams](s.officesReader, "/teams?limit=1"); len(one.Teams) != 1 || one.Next == "" {
		t.Errorf("the first: %+v", one)
	} else if two := get[Teams](s.office, "/teams?limit=1&cursor="+one.Next); len(two.Teams) != 1 || two.Teams[0].Name != "Farms" || two.Next != "" {
		t.Errorf("the second: %+v", two)
	}

	for n := 1; n <= 2; n++ {
		if done := s.office.add(path+"/members", member(n)); !done.Changed {
			t.Errorf("joined: %+v", done)
		}
	}
	if done := s.office.add(path+"/members", member(2)); done.Changed {
		t.Errorf("joined twice: %+v", done)
	}
	stranger := s.office.ask("POST", Path+path+"/clients", object{"kvkNumbers": []string{bakery.KvK.Text(), kvk(9).Text()}})
	s.office.refused("a stranger", stranger, 400, "not-client")
	if p := stranger.problem(); len(p.Errors) != 1 || p.Errors[0].Location != "body.kvkNumbers[1]" {
		t.Errorf("a stranger: %+v", p)
	}
	both := object{"kvkNumbers": []string{bakery.KvK.Text(), farm.KvK.Text()}}
	if done := s.office.add(path+"/clients", both); done.Added != 2 || !done.Changed {
		t.Errorf("clients: %+v", done)
	}
	first := get[TeamClients](s.office, path+"/clients?limit=1")
	rest := get[TeamClients](s.officesReader, path+"/clients?limit=1&cursor="+first.Next)
	if len(first.Clients) != 1 || len(rest.Clients) != 1 || rest.Next != "" || first.Clients[0] == rest.Clients[0] {
		t.Errorf("clients: %+v, %+v", first, rest)
	}
	s.office.refused("the cursor of another team", s.office.ask("GET", Path+second+"/clients?cursor="+first.Next, nil), 400, "cursor-invalid")

	v := get[TeamView](s.officesReader, path)
	if len(v.Members) != 2 || v.Clients != 2 || v.Lacking != 4 || v.Members[0].Name != "Employee 1" || v.Members[0].Pseudonym != pseudonym(1) {
		t.Fatalf("before: %+v", v)
	}
	if made, refused := s.office.fill(path); made != 4 || len(refused) != 0 {
		t.Errorf("assigned %d, refused %+v", made, refused)
	}
	if list := get[Mandates](s.office, "/mandates?kind=assignment&state=active"); list.Total != 4 || get[TeamView](s.office, path).Lacking != 0 {
		t.Errorf("afterwards: %+v", list)
	}
	anna, tom := fmt.Sprint(path, "/members/", v.Members[0].Number), v.Members[1].Number
	s.office.add(second+"/members", object{"number": tom})
	s.office.add(second+"/clients", object{"kvkNumbers": []string{farm.KvK.Text()}})
	if done := s.office.drop(fmt.Sprint(path, "/members/", tom)); done.Ended != 1 {
		t.Errorf("he keeps the farm by his other team: %+v", done)
	}
	s.office.refused("a team at work", s.office.ask("DELETE", Path+path, nil), 409, "team-at-work")
	if done := s.office.drop(path + "/clients/" + farm.KvK.Text()); done.Ended != 1 || !done.Changed {
		t.Errorf("without the farm: %+v", done)
	}
	if done := s.office.drop(anna); done.Ended != 1 {
		t.Errorf("she leaves: %+v", done)
	}
	if done := s.office.drop(anna); done.Changed || done.Ended != 0 {
		t.Errorf("she leaves twice: %+v", done)
	}
	s.office.drop(path)
	s.office.refused("an ended team", s.office.ask("GET", Path+path, nil), 404, "not-found")
	s.office.refused("a stranger is dropped", s.office.ask("DELETE", Path+second+"/clients/"+kvk(9).Text(), nil), 400, "not-client")
	s.office.refused("nobody joins", s.office.ask("POST", Path+second+"/members", object{"authenticator": ad, "name": "Employee 3"}), 400, "input-invalid")
	s.office.refused("a long name", s.office.ask("PUT", Path+second, object{"name": fmt.Sprintf("%0100d€", 0)[1:]}), 400, "team-name")
	s.office.refused("an address that only ends", s.office.ask("GET", Path+anna, nil), 405, "method-unknown")
	for _, method := range []string{"PUT", "DELETE"} {
		s.office.refused("from another site", s.office.ask(method, Path+second, object{"name": "x"}, "Sec-Fetch-Site: cross-site"), 403, "cross-origin")
	}
	if said := s.log.String(); said != "" {
		t.Errorf("logged: %s", said)
	}
}

// What cannot be assigned is told by number and code, and keeps back nothing else. Who goes on
// with the cursor goes on where he was, on either database.
func TestAssignmentsGoOn(t *testing.T) {
	onBoth(t, func(t *testing.T, s *scene) {
		c := s.bakery.post("/mandates", chain(vat+"@loa3"))
		path := s.office.makeTeam("Everybody")
		s.office.add(path+"/clients", object{"kvkNumbers": []string{bakery.KvK.Text()}})
		const people = mostAssigned + 1
		team := mandate.TeamID(get[Teams](s.office, "/teams").Teams[0].ID)
		_ = must(s.register.Change(ctx, keeper, func(tx *register.Tx) error {
			for n := range people {
				p := must(tx.PutPerson(mandate.Person{Name: fmt.Sprint("Employee ", n), Active: true, Subject: etoegang.ActingSubject{
					Authenticator: must(etoegang.ParseEntityID(ad)), Pseudonym: must(etoegang.ParsePseudonym(pseudonym(n)))}}))
				must(tx.AddMember(team, p.ID))
			}
			return nil
		}))
		low := s.newProgram(time.Now().Add(-time.Hour), time.Now().Add(time.Hour))
		from := time.Now().Truncate(time.Second)
		_ = must(s.desk.AppointAtDesk(ctx, keeper, desk.Appointment{Company: office.KvK, Role: mandate.Program, Name: "low", Level: etoegang.LoA2,
			Validity: mandate.Validity{From: from, To: from.AddDate(4, 0, 0)}, Credentials: []register.Credential{credential(low.certificate.Certificate[0], low.public())}}))
		made, refused := low.fill(path)
		if made != 0 || len(refused) != people || refused[0].Client != c.Mandate.ID || refused[0].Person == 0 || refused[0].Problem.Code != "above-level" {
			t.Fatalf("at a low level: %d made, %d refused, %+v", made, len(refused), refused)
		}

		var first, rest Filled
		s.office.read(s.office.ask("POST", Path+path+"/assignments", because), 200, &first)
		if first.Made != mostAssigned || first.Next == "" || first.Revision == 0 {
			t.Fatalf("at first: %+v", first)
		}
		on := object{"why": "test", "cursor": first.Next}
		s.bakery.refused("another's cursor", s.bakery.ask("POST", Path+s.bakery.makeTeam("Ours")+"/assignments", on), 400, "cursor-invalid")
		s.office.read(s.office.ask("POST", Path+path+"/assignments", on), 200, &rest)
		if rest.Made != people-mostAssigned || rest.Next != "" || rest.Revision <= first.Revision {
			t.Errorf("then: %+v", rest)
		}
		if v := get[TeamView](s.office, path); v.Lacking != 0 || len(v.Members) != people {
			t.Errorf("%d lacking of %d", v.Lacking, len(v.Members))
		}
	})
}
