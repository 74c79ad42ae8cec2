package intake

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mandated/mandated/internal/intake/sheet"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
)

// seeds are files of every kind, right and wrong.
func seeds(f *testing.F) {
	f.Helper()
	for _, name := range examples(f) {
		f.Add(example(f, name))
	}
	for _, text := range []string{
		"", "\n", header, file(direct(), chain(), assignment(), direct("until=2028-01-01")),
		file(`"open`, `stray"`, direct(), ",,,"), "\xff\xfek\x00", "\ufeff" + file(direct()),
		file(direct("person_name=Ren\xe9e")), strings.ReplaceAll(file(direct(), chain()), ",", ";"),
		file(direct("grantor_kvk=1110001"), direct("from=1-12-2026"), direct("until=1/12/27"), chain("from=46387")),
	} {
		f.Add(text)
	}
	for _, spelled := range spellings(rows(direct(), chain(), assignment(), direct("grantor_kvk=1,1E+07"))) {
		f.Add(spelled)
	}
}

// FuzzImport rehearses any file on a register that holds something: it never
// panics, the summary adds up, and nothing changes.
func FuzzImport(f *testing.F) {
	seeds(f)
	r := must(register.Create(ctx, filepath.Join(f.TempDir(), "register.db"), mr, time.Second,
		register.Options{Now: func() time.Time { return noon }}))
	f.Cleanup(func() { _ = r.Close() })
	before := must(Import(ctx, r, strings.NewReader(file(direct(), chain())), Options{Author: clerk}, nil))

	f.Fuzz(func(t *testing.T, text string) {
		var told Summary
		o := Options{Author: clerk, DryRun: true, Migrating: len(text)%2 == 0, Batch: 1 + len(text)%3}
		summary, err := Import(ctx, r, strings.NewReader(text), o, func(result Result) error {
			told.count(result.Status)
			return plausible(result)
		})
		told.Revision = before.Revision
		if summary != told && (err == nil || summary.Lines != 0) {
			t.Errorf("summary %+v, told %+v", summary, told)
		}
		for _, broken := range []error{register.ErrClosed, register.ErrBusy, errImplausible} {
			if errors.Is(err, broken) {
				t.Error(err)
			}
		}
		if err != nil && summary.Lines != 0 {
			t.Errorf("stopped halfway: %v", err)
		}
		if err := r.Read(ctx, func(s *register.Snapshot) error {
			if list, _, err := s.Mandates(register.Filter{}, 0, 10); err != nil || len(list) != 2 || s.Revision() != before.Revision {
				return fmt.Errorf("%d mandates at revision %d (%w)", len(list), s.Revision(), err)
			}
			return nil
		}); err != nil {
			t.Error(err)
		}
	})
}

var errImplausible = errors.New("implausible result")

// plausible tells whether a result says what its status needs.
func plausible(r Result) error {
	switch {
	case r.Line < 1, r.Status == Refused != (r.Problem != nil), r.Status != Refused && r.Mandate == 0:
		return fmt.Errorf("%w: %+v", errImplausible, r)
	case r.Problem != nil:
		return speaks(r.Problem)
	}
	return nil
}

// speaks tells whether a problem says something in both languages, and no number.
func speaks(p *sheet.Problem) error {
	for _, l := range []sheet.Language{sheet.English, sheet.Dutch} {
		if said := p.In(l); len(said) < 20 || digitsIn(said) != "" || strings.Contains(said, "<nil>") {
			return fmt.Errorf("%w: %s: %q", errImplausible, p.Code, said)
		}
	}
	return nil
}

// FuzzLines reads any file as far as it goes without a register: it ends, every line
// has an answer, and what is asked for is complete. (That no line is lost: see FuzzRead
// of package sheet.)
func FuzzLines(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, text string) {
		in, err := openInput(strings.NewReader(text))
		if err != nil {
			return
		}
		last := 0
		for {
			list, err := in.batch(3)
			if err != nil {
				t.Fatal(err)
			}
			if len(list) == 0 {
				return
			}
			for _, w := range list {
				if w.line <= last {
					t.Fatalf("line %d after line %d", w.line, last)
				}
				last = w.line
				if w.problem == nil {
					complete(t, w)
				} else if err := speaks(w.problem); err != nil {
					t.Error(err)
				}
			}
		}
	})
}

// complete tells whether a wish can be judged.
func complete(t *testing.T, w wish) {
	t.Helper()
	m := w.mandate
	whole := !m.Grantor.KvK.IsZero() && len(m.Scope) > 0 && m.State == mandate.Active && len(m.Reference) <= 255
	switch m.Kind {
	case mandate.Direct:
		whole = whole && !m.Person.Subject.IsZero() && w.client.IsZero()
	case mandate.Chain:
		whole = whole && !m.Intermediary.KvK.IsZero() && m.Person.Subject.IsZero() && len(m.Establishments) == 0
	case mandate.Assignment:
		whole = whole && !m.Person.Subject.IsZero() && !w.client.IsZero()
	default:
		whole = false
	}
	if !whole {
		t.Errorf("line %d: %+v", w.line, m)
	}
}
