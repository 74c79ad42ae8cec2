package intake

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"time"

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
	} {
		f.Add(text)
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
	case r.Line < 2,
		r.Status == Refused && r.Problem == "",
		r.Status != Refused && (r.Mandate == 0 || r.Problem != "" || r.Column != ""),
		digitsIn(r.Problem) != "":
		return fmt.Errorf("%w: %+v", errImplausible, r)
	}
	return nil
}

// FuzzLines reads any file as far as it goes without a register: it ends, lines are
// numbered in order, no line is lost, and what is asked for is complete.
func FuzzLines(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, text string) {
		s, err := openSheet(strings.NewReader(text))
		if err != nil {
			return
		}
		last := 0
		for {
			r, err := s.lines.next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			if r.line <= last || (r.problem == nil) != (len(r.cells) == s.lines.width) {
				t.Fatalf("after line %d: %+v", last, r)
			}
			last = r.line
			if w := s.wish(r); w.problem == nil {
				complete(t, w)
			}
		}
		if ends := strings.Count(text, "\n"); s.lines.line < ends+1 || s.lines.line > ends+2 {
			t.Errorf("at line %d of a file with %d line ends", s.lines.line, ends)
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
