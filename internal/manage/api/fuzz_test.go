package api

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/mandated/mandated/internal/corpus"
	"github.com/mandated/mandated/internal/desk"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
	"pgregory.net/rapid"
)

// drawing draws requests from the OpenAPI document: what it allows, and sometimes what it
// does not.
type drawing struct {
	*rapid.T
	schemas map[string]object
	pool    []string            // texts that mean something in this register
	fitting map[string][]string // and those that fit under a key
	tidy    bool                // draw what is most likely accepted
}

// value draws one for a schema, under a key.
func (d drawing) value(key string, schema object, depth int) any {
	if ref, ok := schema["$ref"].(string); ok {
		schema = d.schemas[ref[strings.LastIndexByte(ref, '/')+1:]]
	}
	if depth > 5 || depth > 0 && !d.tidy && rapid.IntRange(0, 60).Draw(d.T, "odd") == 60 {
		return d.odd()
	}
	if options, ok := schema["enum"].([]any); ok && !(d.tidy && d.fitting[key] != nil) {
		return rapid.SampledFrom(options).Draw(d.T, "one of")
	}
	kind := schema["type"]
	if kinds, ok := kind.([]any); ok { // with null
		kind = kinds[0]
	}
	switch kind {
	case "object":
		o := object{}
		properties, _ := schema["properties"].(object)
		required, _ := schema["required"].([]any)
		for _, name := range slices.Sorted(maps.Keys(properties)) {
			if slices.Contains(required, any(name)) || d.there(name) {
				o[name] = d.value(name, properties[name].(object), depth+1)
			}
		}
		return o
	case "array":
		list := []any{}
		for range rapid.IntRange(map[bool]int{true: 1}[d.tidy], 3).Draw(d.T, "items") {
			list = append(list, d.value(key, schema["items"].(object), depth+1))
		}
		return list
	case "integer":
		if key == "id" && rapid.Bool().Draw(d.T, "an early one") {
			return rapid.IntRange(1, 12).Draw(d.T, "id")
		}
		return rapid.OneOf(rapid.Int64Range(1, 20), rapid.Int64()).Draw(d.T, "number")
	case "boolean":
		return rapid.Bool().Draw(d.T, "yes")
	}
	return d.text(key)
}

func (d drawing) text(key string) string {
	if fitting := d.fitting[key]; fitting != nil && (d.tidy || rapid.IntRange(0, 9).Draw(d.T, "fitting") < 9) {
		return rapid.SampledFrom(fitting).Draw(d.T, key)
	}
	if rapid.IntRange(0, 4).Draw(d.T, "any text") > 0 {
		return rapid.SampledFrom(d.pool).Draw(d.T, "known")
	}
	return rapid.OneOf(rapid.String(), rapid.StringN(250, 300, -1), rapid.StringMatching(`[0-9a-f:@;"'\x00%-]{0,70}`)).Draw(d.T, "text")
}

// there tells whether a key is there that need not be.
func (d drawing) there(key string) bool {
	likely := slices.Contains([]string{"person", "authenticator", "pseudonym", "until"}, key)
	return d.tidy && likely || rapid.IntRange(0, map[bool]int{false: 4, true: 12}[d.tidy]).Draw(d.T, key) == 4
}

// odd is a value of whatever kind.
func (d drawing) odd() any {
	return rapid.SampledFrom([]any{nil, true, -1, 1.5, 1e300, "", "\x00", []any{}, object{}, []any{nil}, object{"a": nil}, json.RawMessage(`[[[[[[[[[[]]]]]]]]]]`),
		json.RawMessage(`99999999999999999999999999`), json.RawMessage(`"\ud800"`), json.RawMessage(`{"why":"a","why":"b"}`)}).Draw(d.T, "odd")
}

// request draws one for an operation.
func (d drawing) request(o operation) (path string, body any, headers []string) {
	path = Path + o.path
	query := url.Values{}
	for _, p := range o.Parameters {
		if !p.Required && !d.there(p.Name) {
			continue
		}
		text := fmt.Sprint(d.value(p.Name, p.Schema, 0))
		switch p.In {
		case "path":
			if strings.Trim(text, ".") == "" { // that would be another address
				text = "-"
			}
			path = strings.ReplaceAll(path, "{"+p.Name+"}", url.PathEscape(text))
		case "query":
			query.Set(p.Name, text)
		case "header":
			if !strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r > '~' }) {
				headers = append(headers, p.Name+": "+text)
			}
		}
	}
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	for kind, content := range o.RequestBody.Content {
		headers = append(headers, "Content-Type: "+kind)
		if kind == "application/json" {
			body = d.value("", content.Schema, 0)
		} else {
			body = d.table()
		}
	}
	return path, body, headers
}

// table draws an upload.
func (d drawing) table() string {
	names := rapid.Permutation([]string{"kind", "grantorKvk", "intermediaryKvk", "authenticator", "pseudonym", "client", "scope", "from", "until", "person"}).Draw(d.T, "columns")
	text := strings.Join(names, ",") + "\n"
	for range rapid.IntRange(0, 3).Draw(d.T, "rows") {
		for i := range names {
			if i > 0 {
				text += ","
			}
			text += d.text(names[i])
		}
		text += "\n"
	}
	return text
}

// Whatever a program of the farm's sends, or software of its director, or one that may only read,
// it gets no error of ours, and no row of others.
func TestNothingBreaksOrLeaks(t *testing.T) {
	s := newScene(t)
	director, _ := s.appoint(farm, mandate.Director), s.appoint(farm, mandate.Director)
	nothingBreaks(s, farm, []*program{s.farm, s.farm, director, s.appoint(farm, mandate.Reader)},
		"program GET /mandates", "program GET /mandates/{id}", "program GET /changes", "program POST /mandates", "program POST /imports", "program POST /mandates/{id}/revocations",
		"program POST /teams", "program PUT /teams/{id}", "program DELETE /teams/{id}", "program POST /teams/{id}/members", "program DELETE /teams/{id}/members/{person}",
		"program POST /teams/{id}/clients", "program DELETE /teams/{id}/clients/{kvkNumber}", "program POST /teams/{id}/assignments",
		"program POST /people/{person}/handovers", "program POST /people/{person}/offboardings", "director POST /mandates", "director GET /mandates/{id}",
		"director POST /mandates/{id}/suspensions", "reader GET /mandates/{id}", "reader GET /exports")
}

// Nor does one of the register's staff, who sees everything and may stop anybody, get an error of ours.
func TestNothingBreaksForTheStaff(t *testing.T) {
	s := newScene(t)
	nothingBreaks(s, bakery, []*program{s.appoint(itself, mandate.Staff)},
		"staff GET /mandates/{id}", "staff POST /mandates/{id}/suspensions", "staff POST /mandates/{id}/narrowings", "staff GET /requests",
		"staff GET /parties", "staff GET /parties/{kvkNumber}", "staff GET /parties/{kvkNumber}/mandates", "staff GET /parties/{kvkNumber}/appointments",
		"staff PUT /parties/{kvkNumber}/standing", "staff POST /parties/{kvkNumber}/stops", "staff POST /parties/{kvkNumber}/liftings",
		"staff GET /people/{person}", "staff GET /people/{person}/mandates", "staff POST /people/{person}/stops", "staff POST /people/{person}/liftings")
}

// nothingBreaks lets callers do what their roles may, again and again, with one company more often
// than with others. Some things must have been accepted, or the drawing is no good.
func nothingBreaks(s *scene, home desk.Party, callers []*program, wanted ...string) {
	s.Helper()
	c := s.bakery.post("/mandates", chain(vat+"@loa3"))
	s.office.post("/mandates", assignment(c.Mandate.ID, 1, vat+"@loa3"))
	s.bakery.post("/mandates", direct(bakery, 2, vat+"@loa3"))
	for i := range 3 {
		s.farm.post("/mandates", direct(farm, 50+i, vat+"@loa3"))
	}
	w := chain(vat + "@loa3")
	w["grantor"], w["intermediary"] = object{"kvkNumber": "10000099"}, company(farm)
	was := s.farm.post("/mandates", w).Mandate.ID
	_ = must(s.register.Change(ctx, keeper, func(t *register.Tx) error { // a client for good, whatever is withdrawn
		_ = must(t.SetState(mandate.ID(was), mandate.Active))
		_ = must(t.SetState(mandate.ID(was), mandate.Revoked))
		return nil
	}))
	s.farm.post("/mandates", w)
	team := s.office.makeTeam("The office's own")
	s.office.add(team+"/members", member(1))
	s.office.add(team+"/clients", object{"kvkNumbers": []string{bakery.KvK.Text()}})
	cursors := []string{get[Mandates](s.farm, "/mandates?limit=1").Next, get[Mandates](s.bakery, "/mandates?limit=1").Next}
	all, schemas, _ := s.document()
	names := map[*program][]string{}
	for _, p := range callers {
		for _, name := range append(slices.Sorted(maps.Keys(all)), "POST /mandates", "POST /mandates", "POST /mandates", "GET /mandates/{id}") { // there is most to get wrong
			if slices.Contains(all[name].Roles, string(p.appointment.Role)) {
				names[p] = append(names[p], name)
			}
		}
	}
	pool := append(cursors, "direct", "chain", "assignment", home.KvK.Text(), "10000099", ad, pseudonym(50), pseudonym(99), vat+"@loa3", "everything@loa2",
		day(0), day(20), day(200), "1", "2", "3", "4", "5", "6", "text/csv", "application/x-ndjson", "true", "why")
	var people []string
	for n := range 40 {
		people = append(people, pseudonym(50+n))
	}
	fitting := map[string][]string{
		"kvkNumber": {home.KvK.Text(), home.KvK.Text(), "10000099"}, "grantorKvk": {home.KvK.Text()}, "intermediaryKvk": {"", "", "10000099"},
		"authenticator": {ad}, "pseudonym": people, "scope": {vat + "@loa3", permits + "@loa2", "everything@loa2"},
		"from": {day(0), day(1)}, "until": {day(20), day(200)}, "kind": {"direct", "direct", "direct", "chain"}, "why": {"because"}, "client": {""}, "person": {""}, "cursor": cursors,
		"kvkNumbers": {"10000099"}, "name": {"Farmers"}, "dated": {day(-1), day(-3)}, "where": {"box 7"}, "sha256": {""},
	}
	made := 0
	aMandate := func() int64 {
		made++
		return s.farm.post("/mandates", direct(farm, 5000+made, vat+"@loa3")).Mandate.ID
	}
	aTeam := func() int64 {
		var v TeamChange
		s.farm.read(s.farm.ask("POST", Path+"/teams", object{"name": "Farmers"}), 201, &v)
		return v.Team.ID
	}
	accepted := map[string]int{}
	rapid.Check(s, func(t *rapid.T) {
		p := rapid.SampledFrom(callers).Draw(t, "caller")
		for _, name := range rapid.Permutation(names[p]).Draw(t, "operations") {
			d := drawing{t, schemas, pool, fitting, rapid.Bool().Draw(t, "tidy")}
			o := all[name]
			path, body, headers := d.request(o)
			if fresh := map[string]func() int64{"mandates": aMandate, "teams": aTeam}[o.of()]; d.tidy && o.method != "GET" && fresh != nil { // that the others have not ended
				path = o.at(fresh(), 1, "10000099")
			}
			a := p.ask(o.method, path, body, headers...)
			if a.status >= 500 || a.cut != nil {
				t.Fatalf("%s %s %v: %d %s (%v)", o.method, path, body, a.status, a.body, a.cut)
			}
			if _, told := o.Responses[fmt.Sprint(a.status)]; !told {
				t.Fatalf("%s %s: the document does not tell of %d: %s", o.method, path, a.status, a.body)
			}
			for _, secret := range []string{bakery.KvK.Text(), office.KvK.Text(), bakery.Name, office.Name, "office's", "Employee 1", "Employee 2", pseudonym(1), pseudonym(2)} {
				if strings.Contains(string(a.body), secret) && p.appointment.Role != mandate.Staff {
					t.Fatalf("%s %s tells the farm %q: %s", o.method, path, secret, a.body)
				}
			}
			if a.status < 300 {
				accepted[string(p.appointment.Role)+" "+o.method+" "+o.path]++
			} else if p := a.problem(); p.Code == "" || p.Title == "" {
				t.Fatalf("%s %s: %d without a problem: %s", o.method, path, a.status, a.body)
			}
		}
	})
	for _, want := range wanted {
		if accepted[want] == 0 && corpus.Slower == 1 { // an eighth is too few to tell
			s.Errorf("%s was never accepted: the drawing is no good", want)
		}
	}
	s.Logf("accepted: %v", accepted)
	if said := s.log.String(); said != "" {
		s.Errorf("logged: %s", said)
	}
}
