package sandbox_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/mandated/mandated/internal/sandbox"
	"github.com/mandated/mandated/pkg/etoegang"
)

// program is a program that uses the API.
type program struct {
	t *testing.T
	s *sandbox.Sandbox
	c *http.Client
}

func newProgram(t *testing.T, s *sandbox.Sandbox) *program {
	t.Helper()
	return &program{t, s, newBrowser(t, s).http}
}

// asks sends a request and reads the answer's status and body.
func (p *program) asks(method, path, body string, headers ...string) (int, []byte) {
	p.t.Helper()
	request, err := http.NewRequest(method, p.s.Address+path, strings.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
		if headers[i] == "Host" {
			request.Host = headers[i+1]
		}
	}
	response, err := p.c.Do(request)
	if err != nil {
		p.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return response.StatusCode, text
}

// gets reads what a request that must go well is answered.
func gets[T any](p *program, method, path, body string) (into T) {
	p.t.Helper()
	status, text := p.asks(method, path, body)
	if status >= 300 {
		p.t.Fatalf("%s %s %s: HTTP %d: %s", method, path, body, status, text)
	}
	if len(text) > 0 {
		if err := json.Unmarshal(text, &into); err != nil {
			p.t.Fatalf("%s %s: %v: %.300s", method, path, err, text)
		}
	}
	return into
}

// loginRead is a log-in as a program reads it.
type loginRead struct {
	ID, Fault, Page string
	Messages        int
	Troubles        []string
	Stopped         *struct{ Title, Text string }
	Outcome         *struct {
		Status, Message, Problem string
		Read                     bool
		LoggedIn                 bool `json:"logged_in"`
		Attributes               []struct{ Name, Value string }
	}
}

// ending is how a log-in ended, in short.
func (l loginRead) ending() string {
	switch {
	case l.Stopped != nil:
		return "stopped: " + l.Stopped.Title
	case l.Outcome == nil:
		return "nothing"
	case l.Outcome.Problem != "":
		return "problem"
	case !l.Outcome.LoggedIn:
		return strings.TrimSpace(l.Outcome.Status + " " + l.Outcome.Message)
	}
	return strings.Join(l.values("urn:etoegang:core:LegalSubjectID"), " ") + " through " + strings.Join(l.values(etoegang.AttributeIntermediateKvKNr), " ")
}

// values are what the provider reads under names that begin so.
func (l loginRead) values(name string) (list []string) {
	for _, a := range l.Outcome.Attributes {
		if strings.HasPrefix(a.Name, name) {
			list = append(list, a.Value)
		}
	}
	return list
}

func (p *program) logsIn(body string) loginRead {
	p.t.Helper()
	return gets[loginRead](p, "POST", "/api/logins", body)
}

// Every story of the start page can be played without a browser, and ends as it promises.
func TestScenariosByAPI(t *testing.T) {
	p := newProgram(t, open(t))
	want := map[string]string{
		"Anna de Vries": "12345678 123456782 through ", "Bilal Haddad": "12345678 through ", "Carla Smit": "23456789 through 87654321",
		"Dirk Postma": "40001000 through 87654321", "Elif Yilmaz": "34567890 through 87654321",
		"Fatima Bakker": "Responder/AuthnFailed assurance-too-low", "Gerrit Visser": "Responder/AuthnFailed service-not-covered", "Hanna Mulder": "Responder/AuthnFailed expired",
		"Noor Willems": "67890123 through ", "Mila Peeters": "56789012 through 87654321", "Otto Brands": "23456789 through ",
		"Ilse Kok": "Responder/AuthnFailed revoked", "Jaap Meijer": "Responder", "Karim El Amrani": "Requester audience", "Lotte Jansen": "Requester/RequestUnsupported expired",
		"cancelled at the authentication service": "Responder/AuthnFailed", "cancelled at the register": "Responder/AuthnFailed cancelled",
	}
	scenarios := gets[[]struct {
		Name           string
		Story, Outcome map[string]string
		Login          json.RawMessage
	}](p, "GET", "/api/scenarios", "")
	for _, scenario := range scenarios {
		if got := p.logsIn(string(scenario.Login)).ending(); got != want[scenario.Name] || scenario.Story["nl"] == "" || scenario.Outcome["en"] == "" {
			t.Errorf("%s: %q, not %q", scenario.Name, got, want[scenario.Name])
		}
	}
	if len(scenarios) != len(want) {
		t.Errorf("%d scenarios, not %d", len(scenarios), len(want))
	}
}

// However the messages travel, the provider reads the same; and one can choose among
// establishments and services.
func TestLogInChoicesByAPI(t *testing.T) {
	p := newProgram(t, open(t))
	for body, want := range map[string]string{
		`{"provider": "vat", "person": "Elif Yilmaz", "request": "redirect", "answer": "post"}`:           "34567890 through 87654321",
		`{"provider": "vat", "person": "Elif Yilmaz", "request": "post"}`:                                 "34567890 through 87654321",
		`{"provider": "vat", "person": "Anna de Vries", "level": "loa2"}`:                                 "Responder/AuthnFailed authentication-too-low",
		`{"provider": "vat", "person": "Noor Willems", "company": "45678901"}`:                            "45678901 through 87654321",
		`{"provider": "vat", "person": "Dirk Postma", "company": "12345678"}`:                             "Responder/AuthnFailed cancelled",
		`{"provider": "vat", "person": "Otto Brands"}`:                                                    "Responder/AuthnFailed service-not-covered",
		`{"provider": "permit", "person": "Bilal Haddad", "company": "12345678"}`:                         "12345678 through ",
		`{"provider": "portal", "person": "Otto Brands", "company": "23456789", "services": ["subsidy"]}`: "23456789 through ",
	} {
		if got := p.logsIn(body).ending(); got != want {
			t.Errorf("%s: %q", body, got)
		}
	}
	one := p.logsIn(`{"provider": "portal", "person": "Otto Brands", "company": "23456789", "services": ["subsidy"]}`)
	if one.Outcome == nil {
		t.Fatalf("%s", one.ending())
	}
	if got := one.values("urn:etoegang:core:ServiceUUID"); len(got) != 2 || got[1] != p.s.Network.Services["subsidy"].UUID.String() {
		t.Errorf("he chose the subsidy, and the provider reads %v", got)
	}
}

// A test of somebody else's makes a case of its own: a company with an establishment, a person,
// a mandate that limits him to it. It revokes that, and the next log-in is refused.
func TestOwnCaseByAPI(t *testing.T) {
	p := newProgram(t, open(t))
	t.Cleanup(func() { gets[any](p, "POST", "/api/reset", "{}") })
	gets[any](p, "POST", "/api/persons", `{"name": "Pim Pietersen"}`)
	gets[any](p, "POST", "/api/companies", `{"name": "Drukkerij Letter", "kvk": "90123456", "rsin": "111222333"}`)
	made := gets[map[string]any](p, "POST", "/api/mandates", `{"kind": "direct", "register": "first", "company": "90123456", "person": "Pim Pietersen",
		"services": [{"service": "permit", "level": "loa3"}], "establishments": ["000087654321"]}`)
	login := p.logsIn(`{"provider": "permit", "person": "Pim Pietersen"}`)
	if login.ending() != "90123456 through " || !slices.Contains(login.values("urn:etoegang:1.9:ServiceRestriction"), "000087654321") {
		t.Errorf("%s: %+v", login.ending(), login.Outcome)
	}
	listed := gets[[]map[string]any](p, "GET", "/api/mandates?person=Pim+Pietersen", "")
	if len(listed) != 1 || listed[0]["id"] != made["id"] || listed[0]["state"] != "active" {
		t.Errorf("his mandates: %v", listed)
	}
	id := made["id"].(string)
	gets[any](p, "DELETE", "/api/mandates/"+id, "")
	if got := p.logsIn(`{"provider": "permit", "person": "Pim Pietersen"}`).ending(); got != "Responder/AuthnFailed revoked" {
		t.Errorf("after revocation: %s", got)
	}
	if status, text := p.asks("DELETE", "/api/mandates/"+id, ""); status != http.StatusConflict {
		t.Errorf("revoked again: HTTP %d %s", status, text)
	}
}

// A chain whose halves are in two registers is made with three requests.
func TestChainByAPI(t *testing.T) {
	p := newProgram(t, open(t))
	t.Cleanup(func() { gets[any](p, "POST", "/api/reset", "{}") })
	gets[any](p, "POST", "/api/persons", `{"name": "Pim Pietersen"}`)
	gets[any](p, "POST", "/api/companies", `{"name": "Drukkerij Letter", "kvk": "90123456"}`)
	const scope = `"services": [{"service": "vat", "level": "loa3"}]}`
	held := gets[map[string]any](p, "POST", "/api/mandates", `{"kind": "chain", "register": "second", "company": "90123456", "intermediary": "87654321", `+scope)
	client := gets[map[string]any](p, "POST", "/api/mandates", `{"kind": "chain", "register": "first", "company": "90123456", "intermediary": "87654321", "confirmed_by": "second", `+scope)
	gets[any](p, "POST", "/api/mandates", `{"kind": "assignment", "register": "first", "intermediary": "87654321", "person": "Pim Pietersen", "client": "`+client["id"].(string)+`", `+scope)
	if got := p.logsIn(`{"provider": "vat", "person": "Pim Pietersen"}`).ending(); got != "90123456 through 87654321" {
		t.Errorf("%s", got)
	}
	gets[any](p, "DELETE", "/api/mandates/"+held["id"].(string), "")
	if got := p.logsIn(`{"provider": "vat", "person": "Pim Pietersen"}`).ending(); got != "Responder/AuthnFailed revoked" {
		t.Errorf("after the client has revoked at the second register: %s", got)
	}
}

// Each fault comes out in a log-in without a browser as it does in one with.
func TestFaultsByAPI(t *testing.T) {
	p := newProgram(t, open(t))
	for _, m := range mishaps {
		login := p.logsIn(`{"provider": "vat", "person": "` + m.who + `", "fault": "` + m.fault + `"}`)
		if login.Fault != m.fault || login.Outcome != nil && login.Outcome.LoggedIn || (login.Outcome == nil) != (login.Stopped != nil) {
			t.Errorf("%s: %+v", m.fault, login)
		}
	}
	if listed := gets[[]map[string]any](p, "GET", "/api/faults", ""); len(listed) != len(mishaps) {
		t.Errorf("%d faults are listed", len(listed))
	}
}

// A program chooses what goes wrong in whatever log-in comes next, and in one that is under
// way in somebody's browser.
func TestFaultsToComeByAPI(t *testing.T) {
	s := open(t)
	p := newProgram(t, s)
	gets[any](p, "PUT", "/api/faults/next", `{"fault": "expired"}`)
	newBrowser(t, s).logIn(s, "/vat/", "Anna de Vries", "", nil).reads("Requester/RequestUnsupported")
	newBrowser(t, s).logIn(s, "/vat/", "Anna de Vries", "", nil).reads("You are logged in")

	b := newBrowser(t, s).visit(s.Address+"/vat/").press("", nil)
	begun := gets[[]loginRead](p, "GET", "/api/logins", "")[0]
	gets[any](p, "PUT", "/api/logins/"+begun.ID+"/fault", `{"fault": "register-down"}`)
	b.choose("Anna de Vries", "").reads("Status in the answer: Responder ")
	if status, text := p.asks("PUT", "/api/logins/"+begun.ID+"/fault", `{"fault": "expired"}`); status != http.StatusConflict {
		t.Errorf("when it is over: HTTP %d %s", status, text)
	}
	if got := gets[loginRead](p, "GET", "/api/logins/"+begun.ID, ""); got.Fault != "register-down" || len(got.Troubles) != 1 || got.Outcome.Status != "Responder" {
		t.Errorf("%+v", got)
	}
}

// All messages of a log-in can be read, as they were sent and explained.
func TestMessagesByAPI(t *testing.T) {
	p := newProgram(t, open(t))
	login := p.logsIn(`{"provider": "vat", "person": "Elif Yilmaz"}`)
	messages := gets[[]struct {
		Raw       string
		Explained struct {
			Number int
			Title  map[string]string
			Lines  []struct{ XML string }
		}
	}](p, "GET", "/api/logins/"+login.ID+"/messages", "")
	if len(messages) != login.Messages || len(messages) < 12 {
		t.Fatalf("%d messages, not %d", len(messages), login.Messages)
	}
	for i, m := range messages {
		_, raw := p.asks("GET", "/api/logins/"+login.ID+"/messages/"+string(rune('0'+(i+1)/10))+string(rune('0'+(i+1)%10)), "")
		if string(raw) != m.Raw || m.Explained.Number != i+1 || len(m.Explained.Lines) == 0 || xml.Unmarshal(raw, new(struct{})) != nil {
			t.Errorf("message %d: %.200s", i+1, raw)
		}
	}
	newBrowser(t, p.s).visit(login.Page).reads("XACMLAuthzDecisionQuery")
}

// What cannot be done is answered with what is wrong and what to do.
func TestAPIRefuses(t *testing.T) {
	p := newProgram(t, open(t))
	for _, c := range []struct {
		request, body string
		status        int
		detail        string
	}{
		{"POST /api/logins", `{"provider": "vat", "person": "Anna de Vries", "pasword": "x"}`, 400, "unknown field"},
		{"POST /api/logins", `{"provider": "vat", "person": "Anna de Vries"} {}`, 400, "more after"},
		{"POST /api/logins", `{"provider": "vat"`, 400, "EOF"},
		{"POST /api/logins", `{"provider": "` + strings.Repeat("x", 300<<10) + `"}`, 413, "longer than"},
		{"POST /api/logins", `{"provider": "post office", "person": "Anna de Vries"}`, 422, "provider"},
		{"POST /api/logins", `{"provider": "vat", "person": "Nobody"}`, 422, "nobody called"},
		{"POST /api/logins", `{"provider": "vat", "person": "Anna de Vries", "level": "loa9"}`, 422, "level"},
		{"POST /api/logins", `{"provider": "vat", "person": "Anna de Vries", "fault": "gremlins"}`, 422, "fault"},
		{"POST /api/logins", `{"provider": "vat", "person": "Anna de Vries", "cancel": "home"}`, 422, "cancel"},
		{"POST /api/logins", `{"provider": "vat", "person": "Anna de Vries", "request": "pigeon"}`, 422, "request"},
		{"POST /api/logins", `{"provider": "vat", "person": "Anna de Vries", "answer": "pigeon"}`, 422, "answer"},
		{"POST /api/logins", `{"provider": "portal", "person": "Otto Brands", "services": ["pigeons"]}`, 422, "services"},
		{"POST /api/logins", `{"provider": "vat", "person": "Noor Willems"}`, 422, "for whom"},
		{"POST /api/persons", `{"name": ""}`, 422, "is no name"},
		{"POST /api/persons", `{"name": "Anna de Vries"}`, 409, "there already"},
		{"POST /api/companies", `{"name": "X", "kvk": "1234"}`, 422, "kvk"},
		{"POST /api/companies", `{"name": "X", "kvk": "90123456", "rsin": "1"}`, 422, "rsin"},
		{"POST /api/companies", `{"name": "X", "kvk": "12345678"}`, 409, "there already"},
		{"POST /api/companies", `{"name": "X", "kvk": "90123456", "rsin": "123456782"}`, 409, "there already"},
		{"POST /api/mandates", `{"kind": "gift", "services": []}`, 422, "kind"},
		{"POST /api/mandates", `{"kind": "direct", "company": "99999999", "person": "Anna de Vries", "services": []}`, 422, "no company with number"},
		{"POST /api/mandates", `{"kind": "direct", "company": "12345678", "person": "Nobody", "services": []}`, 422, "nobody called"},
		{"POST /api/mandates", `{"kind": "direct", "company": "12345678", "person": "Anna de Vries", "services": []}`, 422, "covers something"},
		{"POST /api/mandates", `{"kind": "direct", "company": "12345678", "person": "Anna de Vries", "services": [{"service": "vat", "level": "loa9"}]}`, 422, "loa9"},
		{"POST /api/mandates", `{"kind": "direct", "company": "12345678", "person": "Anna de Vries", "client": "first-1", "services": []}`, 422, "a direct has no"},
		{"POST /api/mandates", `{"kind": "direct", "register": "third", "company": "12345678", "person": "Anna de Vries", "services": []}`, 422, "register"},
		{"POST /api/mandates", `{"kind": "direct", "id": "first-1", "company": "12345678", "person": "Anna de Vries", "services": []}`, 422, "its id"},
		{"POST /api/mandates", `{"kind": "direct", "company": "12345678", "person": "Anna de Vries", "services": [{"service": "permit", "level": "loa3"}], "establishments": ["1"]}`, 422, "establishments"},
		{"POST /api/mandates", `{"kind": "direct", "company": "12345678", "person": "Anna de Vries", "services": [{"service": "vat", "level": "loa3"}]}`, 422, "already registered"},
		{"POST /api/mandates", `{"kind": "chain", "register": "first", "confirmed_by": "first", "company": "12345678", "intermediary": "87654321", "services": []}`, 422, "not the other register"},
		{"POST /api/mandates", `{"kind": "assignment", "intermediary": "87654321", "person": "Anna de Vries", "client": "second-1", "services": []}`, 422, "no chain"},
		{"GET /api/mandates?register=third", "", 422, "register"},
		{"GET /api/mandates?company=1", "", 422, "company"},
		{"GET /api/mandates?after=x", "", 422, "after"},
		{"DELETE /api/mandates/first-999999", "", 404, "no mandate"},
		{"DELETE /api/mandates/gone", "", 404, "no mandate"},
		{"GET /api/logins/none", "", 404, "no log-in"},
		{"GET /api/logins/none/messages", "", 404, "no log-in"},
		{"GET /api/pigeons", "", 404, "there is no GET /api/pigeons"},
		{"PUT /api/faults/next", `{}`, 422, "fault is missing"},
		{"PUT /api/faults/next", `{"fault": "gremlins"}`, 422, "there is no"},
		{"PUT /api/logins/none/fault", `{"fault": ""}`, 404, "no log-in"},
		{"POST /api/reset", `{"now": true}`, 400, "unknown field"},
	} {
		method, path, _ := strings.Cut(c.request, " ")
		status, text := p.asks(method, path, c.body)
		var problem struct {
			Status              int
			Title, Detail, Next string
		}
		if err := json.Unmarshal(text, &problem); err != nil || status != c.status || problem.Status != c.status ||
			!strings.Contains(problem.Detail, c.detail) || problem.Next == "" || problem.Title == "" {
			t.Errorf("%s %.150s: HTTP %d %s", c.request, c.body, status, text)
		}
	}
}

// A page of another website that a browser shows can ask nothing, under whatever name it has
// reached this machine.
func TestAPIIsNotForOtherSites(t *testing.T) {
	p := newProgram(t, open(t))
	const body = `{"provider": "vat", "person": "Anna de Vries"}`
	for _, c := range []struct {
		status  int
		headers []string
	}{
		{403, []string{"Sec-Fetch-Site", "cross-site"}},
		{403, []string{"Sec-Fetch-Site", "same-site"}},
		{403, []string{"Origin", "https://evil.test"}},
		{403, []string{"Origin", "null"}},
		{403, []string{"Host", "evil.test:443"}},
		{415, []string{"Content-Type", "text/plain"}},
		{415, []string{"Content-Type", "application/x-www-form-urlencoded"}},
		{201, []string{"Sec-Fetch-Site", "same-origin", "Origin", p.s.Address}},
		{201, []string{"Sec-Fetch-Site", "none"}},
		{201, []string{"Content-Type", "application/json; charset=utf-8"}},
	} {
		if status, text := p.asks("POST", "/api/logins", body, c.headers...); status != c.status {
			t.Errorf("%v: HTTP %d %.200s", c.headers, status, text)
		}
		if c.status == 403 {
			if status, _ := p.asks("GET", "/api/persons", "", c.headers...); status != 403 {
				t.Errorf("%v reads: HTTP %d", c.headers, status)
			}
		}
	}
}

// Everything can begin again: what was added is gone, what was revoked is back.
func TestReset(t *testing.T) {
	s := open(t)
	p := newProgram(t, s)
	gets[any](p, "POST", "/api/persons", `{"name": "Pim Pietersen"}`)
	gets[any](p, "POST", "/api/companies", `{"name": "Drukkerij Letter", "kvk": "90123456"}`)
	p.logsIn(`{"provider": "permit", "person": "Bilal Haddad"}`)
	gets[any](p, "PUT", "/api/faults/next", `{"fault": "expired"}`)
	annas := gets[[]map[string]any](p, "GET", "/api/mandates?person=Anna+de+Vries", "")
	gets[any](p, "DELETE", "/api/mandates/"+annas[0]["id"].(string), "")
	gets[any](p, "POST", "/api/reset", "{}")
	_, people := p.asks("GET", "/api/persons", "")
	_, companies := p.asks("GET", "/api/companies?after=90000000", "")
	if bytes.Contains(people, []byte("Pim Pietersen")) || bytes.Contains(companies, []byte("90123456")) || len(s.Log.Logins()) != 0 {
		t.Errorf("%s %s %d", people, companies, len(s.Log.Logins()))
	}
	if got := p.logsIn(`{"provider": "vat", "person": "Anna de Vries"}`).ending(); got != "12345678 123456782 through " {
		t.Errorf("Anna: %s", got)
	}
}

// Whoever logs in while everything begins again comes to nothing, and nothing else does.
func TestResetMeanwhile(t *testing.T) {
	s := open(t)
	stop, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		other := newProgram(t, s)
		for {
			select {
			case <-stop:
				return
			default:
				request, _ := http.NewRequest("POST", s.Address+"/api/logins", strings.NewReader(`{"provider": "vat", "person": "Elif Yilmaz"}`))
				request.Header.Set("Content-Type", "application/json")
				if response, err := other.c.Do(request); err != nil {
					t.Error(err)
				} else {
					_ = response.Body.Close()
				}
			}
		}
	}()
	p := newProgram(t, s)
	for range 3 {
		gets[any](p, "POST", "/api/reset", "{}")
	}
	close(stop)
	<-ended
	if got := p.logsIn(`{"provider": "vat", "person": "Elif Yilmaz"}`).ending(); got != "34567890 through 87654321" {
		t.Errorf("Elif: %s", got)
	}
}

// Companies come a hundred at a time.
func TestCompaniesByAPI(t *testing.T) {
	p := newProgram(t, open(t))
	seen, after := 0, ""
	for {
		list := gets[[]struct{ KvK string }](p, "GET", "/api/companies?after="+after, "")
		if len(list) == 0 {
			break
		}
		if list[0].KvK <= after || len(list) > 100 {
			t.Fatalf("%d after %s, from %s", len(list), after, list[0].KvK)
		}
		seen, after = seen+len(list), list[len(list)-1].KvK
	}
	if seen != 909 {
		t.Errorf("%d companies", seen)
	}
	if got := gets[[]any](p, "GET", "/api/mandates?company=87654321", ""); len(got) != 100 {
		t.Errorf("%d mandates of the office in one answer", len(got))
	}
}

// The page of the API tells all that it answers, in both languages, and its examples are
// understood: what is wrong with them is never a field.
func TestPageOfTheAPI(t *testing.T) {
	s := open(t)
	p := newProgram(t, s)
	t.Cleanup(func() { gets[any](p, "POST", "/api/reset", "{}") })
	b := newBrowser(t, s).visit(s.Address + "/api/")
	b.reads("curl --cacert " + s.CA)
	for _, r := range s.Routes() {
		b.reads(r.Pattern(), r.What.EN, r.Example)
		if r.What.NL == "" || r.What.NL == r.What.EN {
			t.Errorf("%s: no Dutch", r.Pattern())
		}
		path := strings.NewReplacer("{id}", "none", "{number}", "1").Replace(r.Path)
		status, text := p.asks(r.Method, path, r.Example)
		if status == http.StatusMethodNotAllowed || bytes.Contains(text, []byte("unknown field")) || bytes.Contains(text, []byte("lists what there is.")) && !strings.Contains(r.Path, "{") {
			t.Errorf("%s %s: HTTP %d %s", r.Pattern(), r.Example, status, text)
		}
	}
}
