package api

import (
	"bufio"
	"bytes"
	"flag"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/mandated/mandated/internal/servers"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
)

// rows is how long the streams of the benchmarks are.
var rows = flag.Int("rows", mostLines, "changes of the feed, lines of an upload")

// onDisks measures on each of the two databases, which write through to the disk.
func onDisks(b *testing.B, measure func(*testing.B, *scene)) {
	b.Helper()
	b.Run("SQLite", func(b *testing.B) { measure(b, newScene(b)) })
	b.Run("PostgreSQL", func(b *testing.B) {
		measure(b, newSceneAt(b, servers.Postgres(b, servers.PostgresOptions{Durable: true}).DSN()))
	})
}

// How fast a program that knows nothing reads all changes, and what of them is in memory on the
// way: as much of ten times as many. It is looked at a hundred times, in server and client together,
// beside what was there before.
func BenchmarkChanges(b *testing.B) {
	onDisks(b, func(b *testing.B, s *scene) {
		for _, n := range []int{*rows / 10, *rows} {
			s.employ(n)
			b.Run(fmt.Sprint(n), func(b *testing.B) {
				read := func(look func()) {
					s.bakery.stream(b, n+1, max(1, n/100), look, "GET", Path+"/changes?since=0", nil)
				}
				read(func() {}) // what is opened once is open now
				before, most := live(), uint64(0)
				read(func() { most = max(most, live()) })
				for b.Loop() {
					read(func() {})
				}
				b.ReportMetric(float64(b.N*n)/b.Elapsed().Seconds(), "lines/s")
				b.ReportMetric((float64(most)-float64(before))/1024, "KB-live")
			})
		}
	})
}

// What it takes until every line of a full upload has its answer, and until the first has: the
// caller sees how far it is. Each line is for somebody new.
func BenchmarkImportHTTP(b *testing.B) {
	onDisks(b, func(b *testing.B, s *scene) {
		uploads, first := 0, time.Duration(0)
		for b.Loop() {
			var table bytes.Buffer
			table.WriteString("kind,grantorKvk,authenticator,pseudonym,scope,from,until\n")
			for i := range *rows {
				fmt.Fprintf(&table, "direct,%s,%s,%s,%s@loa3,%s,%s\n", bakery.KvK.Text(), ad, pseudonym(uploads**rows+i), vat, day(0), day(90))
			}
			uploads++
			start := time.Now()
			answered := func() {
				if first == 0 {
					first = time.Since(start)
				}
			}
			end := s.bakery.stream(b, *rows+1, 1, answered, "POST", Path+"/imports", &table, "Content-Type: text/csv", fmt.Sprint("Idempotency-Key: ", uploads))
			if want := fmt.Sprintf(`{"end":{"lines":%d,"granted":%[1]d,`, *rows); !strings.HasPrefix(end, want) {
				b.Fatalf("it ends with %s", end)
			}
		}
		b.ReportMetric(b.Elapsed().Seconds()/float64(b.N), "s/upload")
		b.ReportMetric(first.Seconds(), "s-to-first-line")
		b.ReportMetric(float64(b.N**rows)/b.Elapsed().Seconds(), "lines/s")
	})
}

// employ sees to it that so many people have a mandate of the bakery.
func (s *scene) employ(n int) {
	s.Helper()
	const atOnce = 1000
	now := time.Now().Truncate(time.Second)
	have := get[Mandates](s.bakery, "/mandates?limit=1").Total
	for from := have; from < n; from += atOnce {
		_ = must(s.register.Change(ctx, keeper, func(t *register.Tx) error {
			for i := from; i < min(from+atOnce, n); i++ {
				who := etoegang.ActingSubject{Authenticator: must(etoegang.ParseEntityID(ad)), Pseudonym: must(etoegang.ParsePseudonym(pseudonym(i)))}
				person := must(t.PutPerson(mandate.Person{Subject: who, Name: fmt.Sprint("Employee ", i), Active: true}))
				_ = must(t.Grant(mandate.Mandate{Kind: mandate.Direct, Grantor: s.bakery.appointment.Organisation, Person: person, State: mandate.Active,
					Scope: must(mandate.ParseScope(vat + "@loa3")), Validity: mandate.Validity{From: now, To: now.AddDate(1, 0, 0)}}, register.GrantOptions{}))
			}
			return nil
		}))
	}
}

// stream reads an answer line by line, keeps none but the last, and looks up after each so many.
func (p *program) stream(b *testing.B, lines, each int, look func(), method, path string, body io.Reader, headers ...string) (last string) {
	b.Helper()
	r := must(http.NewRequest(method, p.server.URL+path, body))
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Set(name, value)
	}
	got := must(p.client.Do(r))
	defer func() { _ = got.Body.Close() }()
	n, text := 0, bufio.NewScanner(got.Body)
	for text.Scan() {
		if n++; n == lines {
			last = text.Text()
		}
		if n%each == 0 {
			look()
		}
	}
	if text.Err() != nil || got.StatusCode != http.StatusOK || n != lines || !strings.HasPrefix(last, `{"end":`) {
		b.Fatalf("status %d, %d lines, the last is %s: %v", got.StatusCode, n, last, text.Err())
	}
	return last
}

// live is what memory is in use, when all garbage is collected.
func live() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
