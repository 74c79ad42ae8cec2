package api

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/mandated/mandated/internal/journal"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
)

// The office asks; the bakery agrees to less; the office is told what is still missing, does
// that, and its people can work. The bakery sees that they did and not who they are.
func TestAClientIsWonAndServed(t *testing.T) {
	s := newScene(t)
	asked := s.office.post("/mandates", chain(vat+"@loa3", permits+"@loa3"))
	if asked.Mandate.State != string(mandate.Requested) || asked.Mandate.Side != "receiver" {
		t.Fatalf("asked: %+v", asked)
	}
	theirs, ours := get[Requests](s.office, "/requests"), get[Requests](s.bakery, "/requests")
	if len(ours.Requests) != 1 || ours.Requests[0].Answer != "ours" || ours.Total != 1 || len(theirs.Requests) != 1 || theirs.Requests[0].Answer != "theirs" {
		t.Fatalf("requests: %+v and %+v", ours, theirs)
	}
	id := fmt.Sprint("/mandates/", asked.Mandate.ID)
	s.office.refused("the office agrees with itself", s.office.ask("POST", Path+id+"/acceptances", because), 403, "other-side")
	less := s.bakery.post(id+"/acceptances", object{"why": "only VAT", "scope": []string{vat + "@loa3"}})
	if less.Mandate.State != "active" || less.Mandate.Supersedes != asked.Mandate.ID {
		t.Fatalf("agreed to: %+v", less)
	}

	clients := get[Clients](s.office, "/clients?search=vroeg").Clients
	if len(clients) != 1 || len(clients[0].Chains) != 1 {
		t.Fatalf("clients: %+v", clients)
	}
	c := clients[0].Chains[0]
	if c.Fits || c.Usable || c.Misfit != "assignment-missing" || c.Edit == nil || c.Edit.Turn != "ours" || c.Edit.Kind != "assignment" {
		t.Fatalf("not assigned yet: %+v, %+v", c, c.Edit)
	}
	w := assignment(c.Mandate.ID, 7, c.Edit.Scope...)
	w["until"] = c.Edit.Until.Format(time.RFC3339)
	assigned := s.office.post("/mandates", w)
	if c := get[Clients](s.officesReader, "/clients").Clients[0].Chains[0]; !c.Fits || !c.Usable || len(c.Assignments) != 1 {
		t.Errorf("assigned: %+v", c)
	}

	at := time.Date(2026, 11, 1, 9, 0, 0, 0, time.UTC)
	s.used[mandate.ID(less.Mandate.ID)] = journal.Use{Mandate: mandate.ID(less.Mandate.ID), At: at, Service: vat}
	s.bakery.post("/mandates", direct(bakery, 1, vat+"@loa3"))
	list := get[Representatives](s.bakery, "/representatives")
	if len(list.Representatives) != 2 || list.Total != 2 || list.Representatives[0].LastUsed == nil || !list.Representatives[0].LastUsed.Equal(at) || list.Representatives[1].Mandate.Person.Name != "Employee 1" {
		t.Errorf("representatives: %+v", list)
	}
	use := get[OneUse](s.bakery, fmt.Sprintf("/mandates/%d/use", less.Mandate.ID))
	if use.LastUsed == nil || use.Service != vat || use.Since == nil {
		t.Errorf("use: %+v", use)
	}
	for _, path := range []string{"/mandates", "/representatives", "/requests", "/changes?since=0", "/exports", "/clients", "/appointments",
		fmt.Sprintf("/mandates/%d/history", less.Mandate.ID), fmt.Sprintf("/mandates/%d/use", less.Mandate.ID)} {
		if body := string(s.bakery.ask("GET", Path+path, nil).body); strings.Contains(body, "Employee 7") || strings.Contains(body, pseudonym(7)) {
			t.Errorf("%s names an employee of the office: %s", path, body)
		}
	}

	id = fmt.Sprint("/mandates/", less.Mandate.ID)
	s.bakery.post(id+"/suspensions", because)
	c = get[Clients](s.office, "/clients").Clients[0].Chains[0]
	if c.Misfit != "chain-suspended" || c.Edit.Act != "resume" || c.Edit.Turn != "client" || c.Edit.Mandate != less.Mandate.ID {
		t.Errorf("suspended: %+v, %+v", c, c.Edit)
	}
	s.office.refused("the other side resumes", s.office.ask("POST", Path+id+"/resumptions", because), 403, "other-side")
	s.bakery.post(id+"/resumptions", because)
	s.office.refused("nothing narrower", s.office.ask("POST", Path+id+"/narrowings", because), 409, "not-narrower")
	narrow := s.office.post(id+"/narrowings", object{"why": "shorter", "until": day(100)})
	s.bakery.post(fmt.Sprintf("/mandates/%d/revocations", narrow.Mandate.ID), object{"why": "goodbye"})
	s.bakery.refused("revoke twice", s.bakery.ask("POST", Path+fmt.Sprintf("/mandates/%d/revocations", narrow.Mandate.ID), because), 409, "not-in-force")
	if m := get[Single](s.office, fmt.Sprint("/mandates/", assigned.Mandate.ID)).Mandate; m.State != "superseded" {
		t.Errorf("the assignment is %s", m.State)
	}
	h := get[History](s.office, fmt.Sprintf("/mandates/%d/history", narrow.Mandate.ID))
	if len(h.Steps) != 2 || h.Steps[0].Act != "narrow" || h.Steps[0].Appointment != int64(s.office.appointment.ID) || h.Steps[1].Why != "goodbye" ||
		h.Steps[1].Appointment != 0 || len(h.Versions) != 2 || h.Versions[1].State != "revoked" {
		t.Errorf("history: %+v", h)
	}
	if said := s.log.String(); said != "" {
		t.Errorf("logged: %s", said)
	}
}

// What passes on a service with all others of its provider fits, by the catalogue of the register.
// What waits as it did elsewhere, without who asked, is listed as everything is.
func TestHalvesByTheCatalogue(t *testing.T) {
	s := newScene(t)
	const service, all = permits + "@loa3", "provider:00000001823288444000@loa3"
	c := s.bakery.post("/mandates", chain(service))
	s.office.post("/mandates", assignment(c.Mandate.ID, 7, all))
	_ = must(s.register.Change(ctx, keeper, func(tx *register.Tx) error {
		m := must(tx.Snapshot().Mandate(mandate.ID(c.Mandate.ID)))
		m.ID, m.State, m.Scope = 0, mandate.Requested, mandate.Scope{must(mandate.ParseItem("everything@loa2"))}
		_, err := tx.Grant(m, register.GrantOptions{})
		return err
	}))
	for _, p := range []*program{s.bakery, s.office} {
		if list := get[Requests](p, "/requests").Requests; len(list) != 1 || list[0].AskedBy != "register" || list[0].Answer != "theirs" || list[0].Expires != nil {
			t.Errorf("requests: %+v", list)
		}
	}
	chains := get[Clients](s.office, "/clients").Clients[0].Chains
	if len(chains) != 2 || !chains[0].Fits || chains[1].Misfit != "chain-requested" {
		t.Errorf("chains: %+v", chains)
	}
}

// The pages of a list of clients are of one revision: who became a client meanwhile is on none of
// them, and does not count. The total is of all, whatever is searched for.
func TestClientsOfOneRevision(t *testing.T) {
	onBoth(t, func(t *testing.T, s *scene) {
		asks := func(n int) {
			w := chain(vat + "@loa3")
			w["grantor"] = object{"kvkNumber": kvk(n).Text(), "name": fmt.Sprint("Client ", n)}
			s.office.post("/mandates", w)
		}
		for _, n := range []int{11, 12, 14} {
			asks(n)
		}
		_ = must(s.register.Change(ctx, keeper, func(tx *register.Tx) error { // known already, and no client yet
			_, err := tx.PutOrganisation(mandate.Organisation{KvK: kvk(13), Name: "Client 13", Active: true})
			return err
		}))
		page := get[Clients](s.office, "/clients?limit=2")
		asks(13)
		var names []string
		for {
			for _, c := range page.Clients {
				names = append(names, c.Company.Name)
			}
			if page.Total != 3 {
				t.Errorf("in all %d", page.Total)
			}
			if page.Next == "" {
				break
			}
			page = get[Clients](s.office, "/clients?limit=2&cursor="+page.Next)
		}
		if got := strings.Join(names, ", "); got != "Client 11, Client 12, Client 14" {
			t.Errorf("the clients: %s", got)
		}
		if found := get[Clients](s.office, "/clients?search=14"); len(found.Clients) != 1 || found.Total != 4 {
			t.Errorf("found %d of %d", len(found.Clients), found.Total)
		}
	})
}

// A program finds the clients that people find on the page: who needs attention, and of whom
// something ends.
func TestClientsThatAreLookedFor(t *testing.T) {
	onBoth(t, func(t *testing.T, s *scene) {
		for n, until := range []string{day(300), day(300), day(30)} {
			_ = must(s.register.Change(ctx, keeper, func(tx *register.Tx) error {
				_, err := tx.Grant(mandate.Mandate{Kind: mandate.Chain, State: mandate.Active, Grantor: must(tx.PutOrganisation(mandate.Organisation{KvK: kvk(11 + n), Name: fmt.Sprint("Client ", 11+n), Active: true})),
					Intermediary: *must(tx.Snapshot().Organisation(office.KvK.LegalSubject())), Scope: mandate.Scope{must(mandate.ParseItem(vat + "@loa3"))},
					Validity: mandate.Validity{From: must(mandate.ParseMoment(day(0))), To: must(mandate.ParseMoment(until))}}, register.GrantOptions{})
				return err
			}))
			if last := get[Mandates](s.office, "/mandates?kind=chain").Mandates; n != 1 {
				w := assignment(last[n].ID, 1, vat+"@loa3")
				w["until"] = until
				s.office.post("/mandates", w)
			}
		}
		names := func(query string) string {
			var list []string
			for _, c := range get[Clients](s.office, "/clients?limit=2&"+query).Clients {
				list = append(list, c.Company.Name)
			}
			return strings.Join(list, ", ")
		}
		for query, want := range map[string]string{
			"": "Client 11, Client 12", "attention=true": "Client 12", "endsBefore=" + day(60): "Client 13", "endsBefore=" + day(60) + "&attention=true": "", "search=client&endsBefore=" + day(301): "Client 11, Client 12",
		} {
			if got := names(query); got != want {
				t.Errorf("%s: %q, want %q", query, got, want)
			}
		}
		s.office.refused("no day", s.office.ask("GET", Path+"/clients?endsBefore=soon", nil), 400, "input-invalid")
		next := get[Clients](s.office, "/clients?limit=2").Next
		s.office.refused("the cursor of another list", s.office.ask("GET", Path+"/clients?limit=2&attention=true&cursor="+next, nil), 400, "cursor-invalid")
	})
}

// What the catalogue does not have is refused by its name.
func TestServicesOfTheCatalogue(t *testing.T) {
	s := newScene(t)
	const gone = "99999999-9999-9999-9999-999999999999@loa3"
	a := s.bakery.ask("POST", Path+"/mandates", chain(vat+"@loa3", gone))
	s.bakery.refused("one of two", a, 400, "service-unknown")
	if p := a.problem(); len(p.Errors) != 1 || p.Errors[0].Location != "body.scope" || !strings.Contains(p.Errors[0].Message, gone) {
		t.Errorf("which: %s", a.body)
	}
	if page := get[Mandates](s.bakery, "/mandates"); page.Total != 0 {
		t.Errorf("%d mandates", page.Total)
	}
}

// Who you are, who else is appointed, what services there are.
func TestLookingUp(t *testing.T) {
	s := newScene(t)
	me := get[Me](s.bakerysReader, "/me")
	if me.Organisation.KvKNumber != bakery.KvK.Text() || me.Appointment.Role != "reader" || me.Revision == 0 {
		t.Errorf("me: %+v", me)
	}
	one := get[Appointments](s.bakery, "/appointments?limit=1")
	two := get[Appointments](s.bakery, "/appointments?limit=1&cursor="+one.Next)
	if len(one.Appointments) != 1 || len(two.Appointments) != 1 || two.Next != "" || one.Appointments[0].Number == two.Appointments[0].Number {
		t.Errorf("appointments: %+v, %+v", one, two)
	}
	all := get[Services](s.farm, "/services")
	if all.Total == 0 || len(all.Services) != all.Total {
		t.Fatalf("services: %+v", all)
	}
	seen := 0
	for next := ""; ; {
		page := get[Services](s.farm, "/services?limit=1&cursor="+next)
		seen += len(page.Services)
		if next = page.Next; next == "" {
			break
		}
	}
	if seen != all.Total {
		t.Errorf("%d of %d services on all pages", seen, all.Total)
	}
	for _, name := range all.Services[0].Names {
		word := strings.ToUpper(name[:4])
		if found := get[Services](s.farm, "/services?search="+strings.ReplaceAll(word, " ", "%20")); found.Total == 0 {
			t.Errorf("%q finds nothing", word)
		}
	}
	if none := get[Services](s.farm, "/services?provider=00000000000000000001"); none.Total != 0 {
		t.Errorf("of nobody: %+v", none)
	}
}

// Refusals say where, what and in which language, and never repeat what was sent.
func TestRefusals(t *testing.T) {
	s := newScene(t)
	with := func(key string, value any) object {
		w := chain(vat + "@loa3")
		w[key] = value
		return w
	}
	for what, c := range map[string]struct {
		a      answer
		status int
		code   string
		place  string
	}{
		"a key that is not known": {s.bakery.ask("POST", Path+"/mandates", with("colour", "red")), 400, "input-invalid", "body.colour"},
		"another spelling":        {s.bakery.ask("POST", Path+"/mandates", with("Offer", true)), 400, "input-invalid", "body.Offer"},
		"a bad item":              {s.bakery.ask("POST", Path+"/mandates", with("scope", []string{vat + "@loa3", "all"})), 400, "input-invalid", "body.scope[1]"},
		"a bad number":            {s.bakery.ask("POST", Path+"/mandates", with("grantor", object{"kvkNumber": "123"})), 400, "input-invalid", "body.grantor.kvkNumber"},
		"a bad date":              {s.bakery.ask("POST", Path+"/mandates", with("from", "tomorrow")), 400, "input-invalid", "body.from"},
		"backdated":               {s.bakery.ask("POST", Path+"/mandates", with("from", "2020-01-01")), 400, "validity", ""},
		"no reason":               {s.bakery.ask("POST", Path+"/mandates", with("why", "")), 400, "input-invalid", "body.why"},
		"a person beside it":      {s.bakery.ask("POST", Path+"/mandates", with("person", object{"number": 1})), 400, "parties", ""},
		"above its level":         {s.bakery.ask("POST", Path+"/mandates", with("scope", []string{vat + "@loa4"})), 403, "in-person", ""},
		"longer than appointed":   {s.bakery.ask("POST", Path+"/mandates", with("until", day(1700))), 403, "outlasts-appointment", ""},
		"between others":          {s.farm.ask("POST", Path+"/mandates", chain(vat+"@loa3")), 404, "not-yours", ""},
		"an unknown parameter":    {s.bakery.ask("GET", Path+"/mandates?sort=id", nil), 400, "input-invalid", "query.sort"},
		"too many at once":        {s.bakery.ask("GET", Path+"/mandates?limit=1001", nil), 400, "input-invalid", "query.limit"},
		"a made-up cursor":        {s.bakery.ask("GET", Path+"/mandates?cursor=AAAA", nil), 400, "cursor-invalid", ""},
		"a later revision":        {s.bakery.ask("GET", Path+"/changes?since=999999", nil), 404, "revision-unknown", ""},
		"no such mandate":         {s.bakery.ask("GET", Path+"/mandates/999999", nil), 404, "not-found", ""},
		"no number":               {s.bakery.ask("GET", Path+"/mandates/one", nil), 400, "input-invalid", "path.id"},
		"no such address":         {s.bakery.ask("GET", Path+"/mandate", nil), 404, "path-unknown", ""},
		"a slash too many":        {s.bakery.ask("GET", Path+"/mandates/", nil), 404, "path-unknown", ""},
		"another method":          {s.bakery.ask("PATCH", Path+"/mandates", nil), 405, "method-unknown", ""},
		"another type":            {s.bakery.ask("POST", Path+"/mandates", "kind: chain", "Content-Type: application/yaml"), 415, "type-unknown", ""},
		"no JSON":                 {s.bakery.ask("POST", Path+"/mandates", "{"), 400, "input-invalid", "body"},
		"too large":               {s.bakery.ask("POST", Path+"/mandates", `{"why":"`+strings.Repeat("x", 1<<20)+`"}`), 413, "too-large", ""},
		"from another site":       {s.bakery.ask("POST", Path+"/mandates", chain(vat+"@loa3"), "Sec-Fetch-Site: cross-site"), 403, "cross-origin", ""},
		"from another origin":     {s.bakery.ask("POST", Path+"/imports", "kind\n", "Content-Type: text/csv", "Origin: https://elsewhere.example"), 403, "cross-origin", ""},
		"an answer in YAML":       {s.bakery.ask("GET", Path+"/exports", nil, "Accept: application/yaml"), 406, "accept-unknown", ""},
	} {
		s.bakery.refused(what, c.a, c.status, c.code)
		if p := c.a.problem(); c.place != "" && (len(p.Errors) == 0 || p.Errors[0].Location != c.place) {
			t.Errorf("%s: %+v, want %s", what, p.Errors, c.place)
		}
	}
	m := s.bakery.post("/mandates", chain(vat+"@loa3"))
	again := s.bakery.ask("POST", Path+"/mandates", chain(vat+"@loa3"), "Accept-Language: nl")
	s.bakery.refused("twice", again, 409, "overlap")
	if p := again.problem(); p.Mandate != m.Mandate.ID || !strings.HasPrefix(p.Title, "Hetzelfde") {
		t.Errorf("twice: %+v", p)
	}
	if s.bakery.ask("GET", Path+"/me", nil).header.Get("API-Version") != APIVersion || again.header.Get("API-Version") != APIVersion {
		t.Error("answers do not tell the version")
	}
	if said := s.log.String(); said != "" {
		t.Errorf("logged: %s", said)
	}
}

// The pages of a list show one revision, whatever is written meanwhile.
func TestPagesBelongTogether(t *testing.T) {
	onBoth(t, func(t *testing.T, s *scene) {
		for n := range 7 {
			s.bakery.post("/mandates", direct(bakery, n, vat+"@loa3"))
		}
		before := get[Mandates](s.bakery, "/mandates?kind=direct")
		var got []int64
		next, revision := "", int64(0)
		for page := 0; page == 0 || next != ""; page++ {
			p := get[Mandates](s.bakery, "/mandates?kind=direct&limit=2&cursor="+next)
			if page == 0 {
				revision = p.Revision
			}
			if p.Revision != revision || p.Total != 7 {
				t.Errorf("page %d: revision %d of %d, %d in total", page, p.Revision, revision, p.Total)
			}
			for _, m := range p.Mandates {
				if m.State != "active" {
					t.Errorf("mandate %d is %s on page %d", m.ID, m.State, page)
				}
				got = append(got, m.ID)
			}
			next = p.Next
			if page == 0 {
				for _, m := range before.Mandates {
					s.bakery.post(fmt.Sprintf("/mandates/%d/revocations", m.ID), because)
				}
			}
			s.bakery.post("/mandates", direct(bakery, 100+page, vat+"@loa3"))
		}
		var want []int64
		for _, m := range before.Mandates {
			want = append(want, m.ID)
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("on all pages %v, want %v", got, want)
		}
		cursor := get[Mandates](s.bakery, "/mandates?limit=2").Next
		for what, a := range map[string]answer{
			"another filter": s.bakery.ask("GET", Path+"/mandates?kind=direct&cursor="+cursor, nil),
			"another list":   s.bakery.ask("GET", Path+"/requests?cursor="+cursor, nil),
			"another party":  s.farm.ask("GET", Path+"/mandates?cursor="+cursor, nil),
		} {
			s.bakery.refused(what, a, http.StatusBadRequest, "cursor-invalid")
		}
		if a := s.bakerysReader.ask("GET", Path+"/mandates?limit=2&cursor="+cursor, nil); a.status != 200 {
			t.Errorf("a colleague's cursor: %d", a.status)
		}
	})
}
