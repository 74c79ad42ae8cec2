package intake

import (
	"fmt"
	"io"
	"path/filepath"
	"testing"
	"time"

	"github.com/mandated/mandated/pkg/register"
)

// BenchmarkImport imports at least 100,000 lines into an empty register, on disk:
// clients with a chain mandate to one of 500 offices, two people of their own, and
// two people of the office for them. -benchtime 1000000x makes it a million.
func BenchmarkImport(b *testing.B) {
	for _, again := range []bool{false, true} {
		name := map[bool]string{false: "new", true: "again"}[again]
		b.Run(name, func(b *testing.B) {
			lines := max(b.N, 100_000)
			r := must(register.Create(ctx, filepath.Join(b.TempDir(), "register.db"), mr, time.Second, register.Options{}))
			defer r.Close()
			if again {
				importMany(b, r, lines, Granted)
			}
			b.ResetTimer()
			start := time.Now()
			status := Granted
			if again {
				status = Unchanged
			}
			importMany(b, r, lines, status)
			b.ReportMetric(float64(lines)/time.Since(start).Seconds(), "lines/s")
		})
	}
}

func importMany(b *testing.B, r *register.Register, lines int, want Status) {
	b.Helper()
	summary, err := Import(ctx, r, manyLines(lines), Options{Author: clerk, Migrating: true}, func(r Result) error {
		if r.Status != want {
			return fmt.Errorf("line %d is %s: %s", r.Line, r.Status, said(r))
		}
		return nil
	})
	if err != nil || summary.Lines != lines {
		b.Fatal(summary, err)
	}
}

// manyLines writes a file of any length as it is read.
func manyLines(lines int) io.Reader {
	out, in := io.Pipe()
	go func() {
		_, err := fmt.Fprintln(in, "kind,grantor_kvk,grantor_name,intermediary_kvk,authenticator,pseudonym,client_kvk,scope,from,until")
		for i := 0; i < lines && err == nil; i++ {
			_, err = fmt.Fprintln(in, manyLine(i))
		}
		_ = in.CloseWithError(err)
	}()
	return out
}

func manyLine(i int) string {
	client := i/5 + 1 // number 0 is nobody's
	office, dates := 90_000_000+client%500, tax+",2026-01-01,2030-01-01"
	switch i % 5 {
	case 0:
		return fmt.Sprintf("chain,%08d,Client %d,%08d,,,,%s", client, client, office, dates)
	case 1, 2:
		return fmt.Sprintf("direct,%08d,Client %d,,%s,%s,,%s", client, client, ad, nym(i), dates)
	}
	return fmt.Sprintf("assignment,%08d,,,%s,%s,%08d,%s", office, ad, nym(1<<30+(client*7+i%5)%5000), client, dates)
}
