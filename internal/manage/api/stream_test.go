package api

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/mandated/mandated/internal/desk"
	"github.com/mandated/mandated/internal/servers"
	"github.com/mandated/mandated/pkg/mandate"
)

// readLines reads JSON lines, and the last one of its own kind.
func readLines[T, E any](p *program, a answer) (list []T, end E) {
	p.Helper()
	if a.status != 200 || a.cut != nil {
		p.Fatalf("status %d (%v): %s", a.status, a.cut, a.body)
	}
	all := bytes.Split(bytes.TrimSpace(a.body), []byte("\n"))
	for i, line := range all {
		if i == len(all)-1 {
			var l last[E]
			d := json.NewDecoder(bytes.NewReader(line))
			d.DisallowUnknownFields()
			if err := d.Decode(&l); err != nil {
				p.Fatalf("the last line: %v: %s", err, line)
			}
			return list, l.End
		}
		var v T
		if err := json.Unmarshal(line, &v); err != nil {
			p.Fatal(err)
		}
		list = append(list, v)
	}
	return list, end
}

// Whoever keeps a copy and asks for what changed since has, each time, just what he would be
// told if he asked for everything.
func TestACopyThatFollows(t *testing.T) {
	onBoth(t, func(t *testing.T, s *scene) {
		copies := map[*program]map[int64]Mandate{s.bakery: {}, s.office: {}, s.farm: {}}
		since := map[*program]int64{}
		person := 0
		rapid.Check(t, func(r *rapid.T) {
			for range rapid.IntRange(0, 4).Draw(r, "steps") {
				who := rapid.SampledFrom([]*program{s.bakery, s.office}).Draw(r, "who")
				person++
				switch rapid.IntRange(0, 2).Draw(r, "what") {
				case 0:
					w := chain(vat + "@loa3")
					w["until"] = day(rapid.IntRange(1, 400).Draw(r, "days"))
					who.ask("POST", Path+"/mandates", w)
				case 1:
					who.ask("POST", Path+"/mandates", direct(map[*program]desk.Party{s.bakery: bakery, s.office: office}[who], person, vat+"@loa3"))
				case 2:
					step := rapid.SampledFrom([]string{"acceptances", "refusals", "suspensions", "resumptions", "revocations"}).Draw(r, "step")
					who.ask("POST", fmt.Sprintf("%s/mandates/%d/%s", Path, rapid.IntRange(1, person+1).Draw(r, "which"), step), because)
				}
			}
			p := rapid.SampledFrom([]*program{s.bakery, s.office, s.farm}).Draw(r, "follower")
			changes, end := readLines[Change, ChangesEnd](p, p.ask("GET", fmt.Sprintf("%s/changes?since=%d", Path, since[p]), nil))
			last := since[p]
			for _, c := range changes {
				if c.Revision < last || c.Revision <= since[p] || c.Revision > end.Revision {
					t.Fatalf("revision %d after %d, from %d to %d", c.Revision, last, since[p], end.Revision)
				}
				last = c.Revision
				copies[p][c.Mandate.ID] = c.Mandate
			}
			since[p] = end.Revision
			all, whole := readLines[Mandate, ExportEnd](p, p.ask("GET", Path+"/exports", nil))
			if end.Changes != len(changes) || whole.Mandates != len(all) || whole.Revision != end.Revision {
				t.Fatalf("ends: %+v of %d, %+v of %d", end, len(changes), whole, len(all))
			}
			want := map[int64]Mandate{}
			for _, m := range all {
				want[m.ID] = m
			}
			if diff := cmp.Diff(want, copies[p]); diff != "" {
				t.Fatalf("the copy (-what is so, +the copy):\n%s", diff)
			}
		})
	})
}

// What is streamed is of one revision, also when the register moves on between two pages; the
// rest is told the next time.
func TestStreamsAreOfOneRevision(t *testing.T) {
	onBoth(t, func(t *testing.T, s *scene) {
		table := "kind,grantorKvk,authenticator,pseudonym,scope,from,until\n"
		for i := range onePage + 1 {
			table += fmt.Sprintf("direct,%s,%s,%s,%s@loa3,%s,%s\n", bakery.KvK.Text(), ad, pseudonym(i), vat, day(0), day(90))
		}
		results, end := readLines[Result, ImportEnd](s.bakery, s.bakery.ask("POST", Path+"/imports", table, "Content-Type: text/csv", "Idempotency-Key: 1"))
		if end.Granted != onePage+1 {
			t.Fatalf("%+v", end)
		}
		anna := s.administrator(bakery)
		revoke := func(id int64) func() {
			return func() { _ = must(s.desk.Revoke(ctx, anna, "left", mandate.ID(id), nil)) }
		}
		// The first to ask is whoever looks for the newest revision, the second reads the first page.
		meanwhile := func(first, last int64) {
			second := func() { revoke(first)(); revoke(last)() }
			one := func() { s.asked.Store(&second) }
			s.asked.Store(&one)
		}
		meanwhile(results[0].Mandate, results[onePage].Mandate)
		changes, told := readLines[Change, ChangesEnd](s.bakery, s.bakery.ask("GET", Path+"/changes?since=0", nil))
		for _, c := range changes {
			if c.Revision > told.Revision || c.Mandate.State != "active" {
				t.Errorf("mandate %d is %s since %d, up to %d", c.Mandate.ID, c.Mandate.State, c.Revision, told.Revision)
			}
		}
		rest, _ := readLines[Change, ChangesEnd](s.bakery, s.bakery.ask("GET", fmt.Sprintf("%s/changes?since=%d", Path, told.Revision), nil))
		if len(changes) != onePage+1 || len(rest) != 2 || rest[0].Mandate.State != "revoked" {
			t.Errorf("%d changes, then %+v", len(changes), rest)
		}
		meanwhile(results[1].Mandate, results[onePage-1].Mandate)
		all, _ := readLines[Mandate, ExportEnd](s.bakery, s.bakery.ask("GET", Path+"/exports", nil))
		for _, m := range all {
			if ended := m.ID == results[0].Mandate || m.ID == results[onePage].Mandate; ended != (m.State == "revoked") {
				t.Errorf("mandate %d is %s in the export", m.ID, m.State)
			}
		}
		if s.asked.Load() != nil {
			t.Error("nothing happened meanwhile")
		}
	})
}

// An export is a table that can be uploaded again: then everything is there already. What is
// repeated grants nothing twice, and what was revoked does not come back.
func TestBulk(t *testing.T) {
	onBoth(t, func(t *testing.T, s *scene) {
		const n = 450 // three batches
		var table strings.Builder
		table.WriteString("soort;kvk_gever;authenticatiedienst;pseudoniem;naam_persoon;bereik;van;tot;kenmerk\n")
		for i := range n {
			fmt.Fprintf(&table, "direct;%s;%s;%s;Person %d;%s@loa3;%s;%s;=no formula %d\n", bakery.KvK.Text(), ad, pseudonym(i), i, vat, day(0), day(90), i)
		}
		table.WriteString("direct;12;;;;all;yesterday;;\n")
		fmt.Fprintf(&table, "chain;%s;;;;%s@loa3;%s;%s;\n", bakery.KvK.Text(), vat, day(0), day(90))
		fmt.Fprintf(&table, "direct;%s;%s;%s;;%s@loa3;%s;%s;\n", farm.KvK.Text(), ad, pseudonym(1), vat, day(0), day(90))
		fmt.Fprintf(&table, "direct;%s;%s;%s;;%s@loa3;%s;%s;other\n", bakery.KvK.Text(), ad, pseudonym(n-1), vat, day(0), day(90))
		send := func(text string, query string, headers ...string) answer {
			return s.bakery.ask("POST", Path+"/imports"+query, text, append([]string{"Content-Type: text/csv", "Accept-Language: nl"}, headers...)...)
		}
		s.bakery.refused("without a key", send(table.String(), ""), 400, "idempotency-key-missing")
		s.bakery.refused("as JSON", send(table.String(), "", "Content-Type: application/json", "Idempotency-Key: 0"), 415, "type-unknown")
		s.bakery.refused("by a reader", s.bakerysReader.ask("POST", Path+"/imports", table.String(), "Content-Type: text/csv", "Idempotency-Key: 0"), 403, "may-only-read")
		s.bakery.refused("no table", send("a,b\n1,2\n", "", "Idempotency-Key: 0"), 400, "file-invalid")

		dry, tried := readLines[Result, ImportEnd](s.bakery, send(table.String(), "?dryRun=true"))
		if tried.Granted != n || tried.Refused != 4 || len(dry) != n+4 || !tried.DryRun {
			t.Fatalf("dry run: %+v", tried)
		}
		if m := get[Mandates](s.bakery, "/mandates"); m.Total != 0 {
			t.Fatalf("the dry run has granted %d", m.Total)
		}
		results, end := readLines[Result, ImportEnd](s.bakery, send(table.String(), "?why=moving", "Idempotency-Key: 1"))
		if end.Granted != n || end.Refused != 4 || end.Lines != n+4 {
			t.Fatalf("%+v", end)
		}
		for i, want := range []struct{ code, place string }{{"input-invalid", "kvk_gever"}, {"parties", ""}, {"not-yours", ""}, {"overlap", ""}} {
			r := results[n+i]
			if r.Line != n+i+2 || r.Outcome != refused || r.Problem.Code != want.code || want.place != "" && r.Problem.Errors[0].Location != want.place {
				t.Errorf("line %d: %+v, %+v", r.Line, r, r.Problem)
			}
		}
		if !slices.ContainsFunc(results[n].Problem.Errors, func(m Mistake) bool {
			return m.Location == "bereik" && strings.Contains(m.Message, "waar de machtiging voor is")
		}) {
			t.Errorf("the scope is not explained in his language: %+v", results[n].Problem.Errors)
		}
		if r := results[n+3]; r.Mandate != results[n-1].Mandate {
			t.Errorf("in the way: %+v", r)
		}

		first := results[0].Mandate
		s.bakery.post(fmt.Sprintf("/mandates/%d/revocations", first), because)
		again, end := readLines[Result, ImportEnd](s.bakery, send(table.String(), "?why=moving", "Idempotency-Key: 1"))
		if end.Granted != 0 || end.Unchanged != n-1 || again[0].Problem == nil || again[0].Problem.Code != "ended-before" || again[0].Mandate != first || again[5].Mandate != results[5].Mandate {
			t.Errorf("again: %+v, %+v", end, again[0])
		}
		s.bakery.refused("the key for another upload", send(table.String()+"\n\n", "?why=moving", "Idempotency-Key: 1"), 409, "idempotency-key-reused")
		other, _ := readLines[Result, ImportEnd](s.farm, s.farm.ask("POST", Path+"/imports", table.String()+"\n", "Content-Type: text/csv", "Idempotency-Key: 1"))
		if len(other) != n+4 || other[3].Problem.Code != "not-yours" {
			t.Errorf("the farm's own key: %+v", other[3])
		}

		exported := s.bakery.ask("GET", Path+"/exports?state=active", nil, "Accept: text/csv")
		rows, err := csv.NewReader(bytes.NewReader(exported.body)).ReadAll()
		if err != nil || exported.cut != nil || len(rows) != n {
			t.Fatalf("exported: %d rows, %v, %v", len(rows), err, exported.cut)
		}
		back, end := readLines[Result, ImportEnd](s.bakery, send(string(exported.body), "", "Idempotency-Key: 2"))
		if end.Unchanged != n-1 {
			t.Errorf("the export comes back: %+v, %+v", end, back[0].Problem)
		}
		byHand := "kind;grantorKvk;authenticator;pseudonym;scope;from;until;establishments\n"
		for _, branches := range []string{"000000000001, 000000000002", "000000000002 000000000001", "1,23457E+11", "12"} {
			byHand += fmt.Sprintf("direct;%s;%s;%s;%s@loa3;%s;31-12-%d;%s\n", bakery.KvK.Text(), ad, pseudonym(n), vat, day(0), time.Now().Year()+1, branches)
		}
		typed, end := readLines[Result, ImportEnd](s.bakery, send(byHand, "?dryRun=true"))
		if end.Granted != 1 || end.Unchanged != 1 || end.Refused != 2 || !strings.Contains(typed[2].Problem.Errors[0].Message, "rekenprogramma") {
			t.Errorf("as people write: %+v, %+v", end, typed[2].Problem)
		}
		lines := ""
		for _, m := range get[Mandates](s.bakery, "/mandates?state=active&limit=3").Mandates {
			lines += string(must(json.Marshal(object{"kind": m.Kind, "grantorKvk": m.Grantor.KvKNumber, "person": fmt.Sprint(m.Person.Number),
				"scope": strings.Join(m.Scope, " "), "from": m.From, "until": m.Until, "reference": m.Reference}))) + "\n"
		}
		if _, end := readLines[Result, ImportEnd](s.bakery, send(lines, "", "Content-Type: application/x-ndjson", "Idempotency-Key: 3")); end.Unchanged != 3 {
			t.Errorf("as JSON lines: %+v", end)
		}
		if said := s.log.String(); said != "" {
			t.Errorf("logged: %s", said)
		}
	})
}

// An upload that breaks off does nothing.
func TestBrokenUpload(t *testing.T) {
	s := newScene(t)
	row := fmt.Sprintf("direct,%s,%s,%s,%s@loa3,%s,%s\n", bakery.KvK.Text(), ad, pseudonym(1), vat, day(0), day(90))
	text := "kind,grantorKvk,authenticator,pseudonym,scope,from,until\n" + row
	broken := io.MultiReader(strings.NewReader(text), failing{})
	r := must(http.NewRequest("POST", s.server.URL+Path+"/imports", broken))
	r.Header.Set("Content-Type", "text/csv")
	r.Header.Set("Idempotency-Key", "0")
	if got, err := s.bakery.client.Do(r); err == nil {
		_ = got.Body.Close()
	}
	if m := get[Mandates](s.bakery, "/mandates"); m.Total != 0 {
		t.Errorf("%d granted", m.Total)
	}
	long := text + strings.Repeat(strings.Repeat(" ", 60_000)+"\n", 1200)
	s.bakery.refused("too large", s.bakery.ask("POST", Path+"/imports", long, "Content-Type: text/csv", "Idempotency-Key: 1", "Expect: 100-continue"), 413, "too-large")
	s.bakery.refused("too many lines", s.bakery.ask("POST", Path+"/imports", text+strings.Repeat("x,,,,,,\n", mostLines), "Content-Type: text/csv", "Idempotency-Key: 1"), 413, "too-large")
	if _, end := readLines[Result, ImportEnd](s.bakery, s.bakery.ask("POST", Path+"/imports", text, "Content-Type: text/csv", "Idempotency-Key: 1")); end.Granted != 1 {
		t.Errorf("afterwards: %+v", end)
	}
}

// An organisation uploads one file at a time, and never takes the places of all.
func TestUploadsTakeTurns(t *testing.T) {
	s := newScene(t)
	in, out := io.Pipe()
	r := must(http.NewRequest("POST", s.server.URL+Path+"/imports?dryRun=true", in))
	r.Header.Set("Content-Type", "text/csv")
	r.Header.Set("Expect", "100-continue")
	begun := make(chan struct{}) // the server reads
	r = r.WithContext(httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{Got100Continue: func() { close(begun) }}))
	finished := make(chan answer)
	go func() {
		got, err := s.bakery.client.Do(r)
		if err != nil {
			finished <- answer{cut: err}
			return
		}
		defer got.Body.Close()
		body, err := io.ReadAll(got.Body)
		finished <- answer{status: got.StatusCode, body: body, cut: err}
	}()
	const text = "kind,grantorKvk,scope,from,until\n"
	<-begun
	_, _ = io.WriteString(out, text)
	dry := func(p *program) answer {
		return p.ask("POST", Path+"/imports?dryRun=true", text, "Content-Type: text/csv")
	}
	second := dry(s.bakery)
	s.bakery.refused("a second one", second, 429, "busy")
	if second.header.Get("Retry-After") == "" {
		t.Error("a second one is not told when to come back")
	}
	if a := dry(s.farm); a.status != 200 {
		t.Errorf("another organisation: %d %s", a.status, a.body)
	}
	_ = out.Close()
	if a := <-finished; a.status != 200 || a.cut != nil {
		t.Errorf("the first: %+v", a)
	}
	if a := dry(s.bakery); a.status != 200 {
		t.Errorf("afterwards: %d", a.status)
	}
}

// Who reads what fails halfway hears that it was cut off, and does not take a part for the
// whole.
func TestCutOffIsHeard(t *testing.T) {
	said := &servers.Said{}
	a := &api{Config: Config{Log: slog.New(slog.NewTextHandler(said, nil))}, stall: time.Minute}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a.stream(typeLines, func(_ context.Context, l *lines) error {
			_ = l.write(object{"line": 1})
			_ = l.flush()
			return errors.New("the disk is gone")
		}).Body(humago.NewContext(&huma.Operation{}, r, w))
	}))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.Start()
	defer server.Close()
	got := must(http.Get(server.URL))
	defer got.Body.Close()
	if body, err := io.ReadAll(got.Body); err == nil || len(body) == 0 {
		t.Errorf("%q, and %v", body, err)
	}
	if !strings.Contains(said.String(), "the disk is gone") {
		t.Errorf("logged: %s", said)
	}
}

// failing is a body that breaks off.
type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errors.New("broken off") }
