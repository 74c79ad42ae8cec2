package api

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mandated/mandated/pkg/mandate"
)

// operation is one of the OpenAPI document.
type operation struct {
	method, path string
	ID           string   `json:"operationId"`
	Roles        []string `json:"x-roles"`
	Tags         []string
	Parameters   []struct {
		Name, In string
		Required bool
		Schema   object
	}
	RequestBody struct {
		Content map[string]struct{ Schema object }
	}
	Responses map[string]struct {
		Headers map[string]any
		Content map[string]any
	}
}

// document reads the OpenAPI document as anybody can.
func (s *scene) document() (all map[string]operation, schemas map[string]object, whole object) {
	s.Helper()
	nobody := s.newProgram(time.Now(), time.Now().Add(time.Hour))
	a := nobody.ask("GET", PathOpenAPI, nil)
	if a.status != 200 {
		s.Fatalf("the document: %d", a.status)
	}
	var d struct {
		Paths      map[string]map[string]operation
		Components struct{ Schemas map[string]object }
	}
	if err := json.Unmarshal(a.body, &d); err != nil {
		s.Fatal(err)
	}
	_ = json.Unmarshal(a.body, &whole)
	all = map[string]operation{}
	for path, methods := range d.Paths {
		for method, o := range methods {
			o.method, o.path = strings.ToUpper(method), path
			all[o.method+" "+path] = o
		}
	}
	return all, d.Components.Schemas, whole
}

// at is where an operation is asked about something with a number, and in that about somebody
// or a company.
func (o operation) at(id, person int64, kvkNumber string) string {
	return Path + strings.NewReplacer("{id}", fmt.Sprint(id), "{person}", fmt.Sprint(person), "{kvkNumber}", kvkNumber).Replace(o.path)
}

// of is what an operation is about, if that has a number.
func (o operation) of() string {
	of, _, numbered := strings.Cut(o.path, "/{")
	if !numbered {
		return ""
	}
	return of[1:]
}

// sent is what an operation is sent, if it is sent anything.
func (o operation) sent(body object) any {
	if o.RequestBody.Content == nil {
		return nil
	}
	return body
}

// who may use what: every operation there is, and nobody else.
var who = map[string]string{
	"GET /me":                                "program reader director staff",
	"GET /mandates":                          "program reader director",
	"POST /mandates":                         "program director staff",
	"GET /mandates/{id}":                     "program reader director staff",
	"GET /mandates/{id}/history":             "program reader director staff",
	"GET /mandates/{id}/use":                 "program reader director staff",
	"POST /mandates/{id}/acceptances":        "program director staff",
	"POST /mandates/{id}/refusals":           "program director staff",
	"POST /mandates/{id}/suspensions":        "program director staff",
	"POST /mandates/{id}/resumptions":        "program director staff",
	"POST /mandates/{id}/revocations":        "program director staff",
	"POST /mandates/{id}/narrowings":         "program director staff",
	"GET /teams":                             "program reader director",
	"POST /teams":                            "program director",
	"GET /teams/{id}":                        "program reader director",
	"PUT /teams/{id}":                        "program director",
	"DELETE /teams/{id}":                     "program director",
	"GET /teams/{id}/clients":                "program reader director",
	"POST /teams/{id}/members":               "program director",
	"DELETE /teams/{id}/members/{person}":    "program director",
	"POST /teams/{id}/clients":               "program director",
	"DELETE /teams/{id}/clients/{kvkNumber}": "program director",
	"POST /teams/{id}/assignments":           "program director",
	"GET /terms":                             "program reader director staff",
	"GET /fees":                              "program reader director staff",
	"GET /requests":                          "program reader director staff",
	"GET /clients":                           "program reader director",
	"GET /representatives":                   "program reader director",
	"POST /people/{person}/offboardings":     "program director",
	"POST /people/{person}/handovers":        "program director",
	"GET /appointments":                      "program reader director staff",
	"GET /services":                          "program reader director staff",
	"GET /changes":                           "program reader director",
	"GET /exports":                           "program reader director",
	"POST /imports":                          "program director",
	"GET /parties":                           "staff",
	"GET /parties/{kvkNumber}":               "staff",
	"GET /parties/{kvkNumber}/appointments":  "staff",
	"GET /parties/{kvkNumber}/mandates":      "staff",
	"PUT /parties/{kvkNumber}/standing":      "staff",
	"POST /parties/{kvkNumber}/stops":        "staff",
	"POST /parties/{kvkNumber}/liftings":     "staff",
	"GET /people/{person}":                   "staff",
	"GET /people/{person}/mandates":          "staff",
	"POST /people/{person}/stops":            "staff",
	"POST /people/{person}/liftings":         "staff",
}

// Everybody tries everything: each operation lets in the roles that it names and nobody
// else, and no operation is missing from the list.
func TestWhoMayUseWhat(t *testing.T) {
	s := newScene(t)
	all, _, _ := s.document()
	listed := map[string]string{}
	for name, o := range all {
		listed[name] = strings.Join(o.Roles, " ")
	}
	if diff := cmp.Diff(who, listed); diff != "" {
		t.Errorf("who may use what (-the list, +the document):\n%s", diff)
	}

	dismissed := s.appoint(bakery, mandate.Program)
	_ = must(s.desk.Dismiss(ctx, s.administrator(bakery), "replaced", dismissed.appointment.ID, true, nil))
	callers := map[string]*program{
		"program": s.bakery, "reader": s.bakerysReader, "director": s.appoint(bakery, mandate.Director), "staff": s.appoint(itself, mandate.Staff), "dismissed": dismissed,
		"unknown": s.newProgram(time.Now().Add(-time.Hour), time.Now().Add(time.Hour)),
		"nobody":  {scene: s, client: s.server.Client()},
		"expired": s.expired(), "stopped": s.stopped(),
	}
	tried := 0
	for name, o := range all {
		path := o.at(999999, 999999, bakery.KvK.Text())
		for role, p := range callers {
			a := p.ask(o.method, path, o.sent(object{}))
			tried++
			switch code := a.problem().Code; {
			case slices.Contains(strings.Fields(who[name]), role):
				if a.status == 401 || a.status == 403 || a.status >= 500 {
					t.Errorf("%s as %s: %d %s", name, role, a.status, a.body)
				}
			case role == "stopped":
				if a.status != 403 || code != "appointment-over" {
					t.Errorf("%s as %s: %d %s", name, role, a.status, code)
				}
			case role == "staff" || who[name] == "staff" && slices.Contains([]string{"program", "reader", "director"}, role):
				if a.status != 403 || code != "role" {
					t.Errorf("%s as %s: %d %s", name, role, a.status, code)
				}
			case role == "reader":
				if a.status != 403 || code != "may-only-read" {
					t.Errorf("%s as %s: %d %s", name, role, a.status, code)
				}
			case a.status != 401 || code != "caller-unknown" || a.header.Get("WWW-Authenticate") == "":
				t.Errorf("%s as %s: %d %s", name, role, a.status, code)
			}
		}
	}
	if tried != len(who)*len(callers) {
		t.Errorf("tried %d", tried)
	}
}

// What belongs to others does not exist, for each operation that names a mandate, a team or somebody;
// no list of the farm's has a row of anybody else, and what is for the register's staff it cannot use.
func TestOthersRowsDoNotExist(t *testing.T) {
	onBoth(t, func(t *testing.T, s *scene) {
		c := s.bakery.post("/mandates", chain(vat+"@loa3"))
		d := s.bakery.post("/mandates", direct(bakery, 1, vat+"@loa3"))
		g := s.office.post("/mandates", assignment(c.Mandate.ID, 2, vat+"@loa3"))
		w := chain(permits + "@loa3")
		w["from"], w["until"] = day(1), day(30)
		r := s.office.post("/mandates", w)
		team := s.office.makeTeam("The office's own")
		s.office.add(team+"/members", member(2))
		s.office.add(team+"/clients", object{"kvkNumbers": []string{bakery.KvK.Text()}})
		before := get[TeamView](s.office, team)
		ofTeams := map[string]object{"PUT /teams/{id}": {"name": "The farm's"}, "POST /teams/{id}/assignments": because,
			"POST /teams/{id}/members": member(3), "POST /teams/{id}/clients": {"kvkNumbers": []string{bakery.KvK.Text()}}}
		ofPeople := map[string]object{"POST /people/{person}/offboardings": because, "POST /people/{person}/handovers": {"why": "test", "to": member(3), "mandates": []int64{g.Mandate.ID}}}
		all, _, _ := s.document()
		for name, o := range all {
			if who[name] == "staff" {
				a := s.farm.ask(o.method, o.at(0, before.Members[0].Number, bakery.KvK.Text()), o.sent(object{"why": "test", "standing": "bankrupt"}))
				s.farm.refused(name, a, 403, "role")
				s.noOthers(name, a)
				continue
			}
			if o.of() == "people" {
				a := s.farm.ask(o.method, o.at(0, before.Members[0].Number, ""), o.sent(ofPeople[name]))
				s.farm.refused(name, a, 400, "person-unknown")
				s.noOthers(name, a)
				continue
			}
			if o.of() == "" {
				a := s.farm.ask(o.method, Path+o.path+map[bool]string{true: "?since=0"}[o.path == "/changes"], o.sent(object{}))
				s.noOthers(name, a)
				continue
			}
			others, body := []int64{c.Mandate.ID, d.Mandate.ID, g.Mandate.ID, r.Mandate.ID}, because
			if o.of() == "teams" {
				others, body = []int64{before.Team.ID}, ofTeams[name]
			}
			for _, id := range others {
				a := s.farm.ask(o.method, o.at(id, before.Members[0].Number, bakery.KvK.Text()), o.sent(body))
				s.farm.refused(name, a, 404, "not-found")
				s.noOthers(name, a)
			}
		}
		after := get[TeamView](s.office, team)
		after.Revision = before.Revision
		if diff := cmp.Diff(before, after); diff != "" {
			t.Errorf("the office's team (-before, +now):\n%s", diff)
		}
		// The client sees nothing of its intermediary's assignments either.
		s.bakery.refused("the assignment, by the client", s.bakery.ask("GET", Path+fmt.Sprint("/mandates/", g.Mandate.ID), nil), 404, "not-found")
		// To name another's mandate is of no use.
		w = direct(farm, 3, vat+"@loa3")
		w["supersedes"] = c.Mandate.ID
		s.farm.refused("to follow another's", s.farm.ask("POST", Path+"/mandates", w), 404, "not-found")
		w = assignment(c.Mandate.ID, 3, vat+"@loa3")
		w["grantor"] = company(farm)
		s.farm.refused("to pass on another's", s.farm.ask("POST", Path+"/mandates", w), 404, "not-found")
		w = direct(farm, 3, vat+"@loa3")
		w["person"] = object{"number": d.Mandate.Person.Number}
		s.farm.refused("another's person in a team", s.farm.ask("POST", Path+s.farm.makeTeam("Farmers")+"/members", w["person"]), 400, "person-unknown")
		s.farm.refused("another's person by number", s.farm.ask("POST", Path+"/mandates", w), 400, "person-unknown")
		for _, m := range []Single{c, d, g, r} {
			if now := get[Single](map[bool]*program{true: s.bakery, false: s.office}[m.Mandate.ID == d.Mandate.ID], fmt.Sprint("/mandates/", m.Mandate.ID)); now.Mandate.State != m.Mandate.State {
				t.Errorf("mandate %d is %s now", m.Mandate.ID, now.Mandate.State)
			}
		}
	})
}

// noOthers checks that an answer to the farm tells nothing of the bakery and the office.
func (s *scene) noOthers(what string, a answer) {
	s.Helper()
	for _, secret := range []string{bakery.KvK.Text(), office.KvK.Text(), bakery.Name, office.Name, "Employee", "office's", pseudonym(1), pseudonym(2)} {
		if strings.Contains(string(a.body), secret) {
			s.Errorf("%s tells the farm of others: %s", what, a.body)
		}
	}
	if a.status >= 500 {
		s.Errorf("%s: %d %s", what, a.status, a.body)
	}
}

// singular is what a path names of which there is one, and people. All else is a plural, and so no
// verb.
var singular = map[string]bool{"me": true, "use": true, "history": true, "standing": true, "people": true}

// The document says what the API Design Rules want, and what programmers need: anybody's page may
// read it, at both of its addresses.
func TestTheDocument(t *testing.T) {
	s := newScene(t)
	all, schemas, whole := s.document()
	first := s.farm.ask("GET", PathOpenAPI, nil)
	for _, path := range []string{PathOpenAPI, Path + PathOpenAPI} {
		a := s.newProgram(time.Now(), time.Now().Add(time.Hour)).ask("GET", path, nil, "Origin: https://elsewhere.example")
		if a.status != 200 || a.header.Get("Access-Control-Allow-Origin") != "*" || a.header.Get("Content-Type") != "application/json" ||
			a.header.Get("API-Version") != APIVersion || string(a.body) != string(first.body) {
			t.Errorf("%s: %d %v", path, a.status, a.header)
		}
	}
	s.farm.refused("a slash at the end", s.farm.ask("GET", Path+"/me/", nil), 404, "path-unknown")
	info := whole["info"].(object)
	contact := info["contact"].(object)
	server := whole["servers"].([]any)[0].(object)["url"].(string)
	if !strings.HasPrefix(whole["openapi"].(string), "3.1.") || contact["name"] == "" || contact["email"] == "" || contact["url"] == "" || !strings.HasSuffix(server, "/v1") {
		t.Errorf("openapi %v, contact %v, server %s", whole["openapi"], contact, server)
	}
	if server != address+Path || info["version"] != APIVersion || !strings.HasSuffix(server, "/v"+strings.Split(APIVersion, ".")[0]) || info["title"] == "" || info["description"] == "" {
		t.Errorf("server %s, info %v", server, info)
	}
	kebab, camel := regexp.MustCompile(`^(/([a-z]+(-[a-z]+)*|\{[a-z][a-zA-Z]*\}))+$`), regexp.MustCompile(`^[a-z][a-zA-Z0-9]*$`)
	for name, o := range all {
		if !kebab.MatchString(o.path) { // nor has it an empty part, or a slash at its end
			t.Errorf("%s is not kebab-case", o.path)
		}
		if len(o.Tags) != 1 || !strings.HasPrefix(o.path, "/"+o.Tags[0]) {
			t.Errorf("%s stands among %v", name, o.Tags)
		}
		for _, part := range strings.Split(o.path, "/")[1:] {
			if !strings.HasPrefix(part, "{") && !strings.HasSuffix(part, "s") && !singular[part] {
				t.Errorf("%s: %s is no plural", name, part)
			}
		}
		if !map[string]bool{"GET": true, "POST": true, "PUT": true, "DELETE": true}[o.method] || (o.method == "GET" || o.method == "DELETE") && o.RequestBody.Content != nil {
			t.Errorf("%s does not keep to what methods are for", name)
		}
		for _, p := range o.Parameters {
			if p.In == "query" && !camel.MatchString(p.Name) {
				t.Errorf("%s: %s is not camelCase", name, p.Name)
			}
		}
		for status, r := range o.Responses {
			if r.Headers["API-Version"] == nil {
				t.Errorf("%s: %s has no API-Version", name, status)
			}
			if status >= "400" && r.Content["application/problem+json"] == nil {
				t.Errorf("%s: %s is no problem", name, status)
			}
			if (status == "429" || status == "503") != (r.Headers["Retry-After"] != nil) {
				t.Errorf("%s: %s and Retry-After do not go together", name, status)
			}
		}
		for _, status := range []string{"400", "401", "403", "404", "429"} {
			if _, ok := o.Responses[status]; !ok {
				t.Errorf("%s does not tell of %s", name, status)
			}
		}
	}
	if paid := all["GET /fees"].Responses["200"].Content; len(paid) != 2 || paid[typeCSV] == nil || paid["application/json"] == nil || schemas["Fees"] == nil {
		t.Errorf("fees come as %v", paid)
	}
	if schemas["ErrorModel"] != nil {
		t.Error("there are two ways to tell a problem")
	}
	for name, schema := range schemas {
		properties, _ := schema["properties"].(object)
		for _, key := range slices.Sorted(maps.Keys(properties)) {
			if !camel.MatchString(key) {
				t.Errorf("%s.%s is not camelCase", name, key)
			}
		}
	}
}
