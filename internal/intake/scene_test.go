package intake

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
)

// The scene of most tests: a real register, at noon on a day in November, and files
// written by hand. Companies and people have numbers that are easy to read.

var (
	ctx   = context.Background()
	mr    = must(etoegang.ParseEntityID("urn:etoegang:MR:00000003520354760000:entities:9001"))
	noon  = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	clerk = register.Author{Who: "desk", Why: "bulk import of November"}
)

const (
	ad     = "urn:etoegang:AD:00000003520354760000:entities:9003"
	mr2    = "urn:etoegang:MR:00000003520354760000:entities:9002"
	tax    = "11111111-2222-3333-4444-555555555555@loa3"
	uwv    = "66666666-7777-8888-9999-000000000000@loa3"
	bakery = "11110001"
	farm   = "11110002"
	office = "22220001"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func nym(n int) string { return fmt.Sprintf("%064x", n) }

// Every column, for lines written as maps of what matters.
var header = strings.Join(Columns(), ",")

// line writes a CSV line out of pairs "column=text".
func line(pairs ...string) string {
	texts := map[string]string{}
	for _, pair := range pairs {
		name, text, _ := strings.Cut(pair, "=")
		texts[name] = text
	}
	var cells []string
	for _, name := range Columns() {
		cells = append(cells, `"`+strings.ReplaceAll(texts[name], `"`, `""`)+`"`)
	}
	return strings.Join(cells, ",")
}

// The lines of most files. Later pairs change earlier ones.
func direct(pairs ...string) string {
	return line(append([]string{"kind=direct", "grantor_kvk=" + bakery, "authenticator=" + ad, "pseudonym=" + nym(1),
		"scope=" + tax, "from=2026-12-01", "until=2027-12-01"}, pairs...)...)
}

func chain(pairs ...string) string {
	return line(append([]string{"kind=chain", "grantor_kvk=" + bakery, "intermediary_kvk=" + office,
		"scope=" + tax, "from=2026-12-01", "until=2027-12-01"}, pairs...)...)
}

func assignment(pairs ...string) string {
	return line(append([]string{"kind=assignment", "grantor_kvk=" + office, "authenticator=" + ad, "pseudonym=" + nym(2),
		"client_kvk=" + bakery, "scope=" + tax, "from=2026-12-01", "until=2027-12-01"}, pairs...)...)
}

// file puts lines under the header of all columns.
func file(lines ...string) string { return header + "\n" + strings.Join(lines, "\n") + "\n" }

type scene struct {
	*testing.T
	*register.Register
	now  time.Time
	path string
}

func newScene(t *testing.T) *scene {
	t.Helper()
	s := &scene{T: t, now: noon, path: filepath.Join(t.TempDir(), "register.db")}
	r, err := register.Create(ctx, s.path, mr, time.Second,
		register.Options{Now: func() time.Time { return s.now }, Wait: 50 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	s.Register = r
	return s
}

// outcome is an import as seen from outside.
type outcome struct {
	Summary
	results []Result
	err     error
}

// try imports text and gives what came of it.
func (s *scene) try(text string, o Options) (out outcome) {
	s.Helper()
	if o.Author == (register.Author{}) {
		o.Author = clerk
	}
	out.Summary, out.err = Import(ctx, s.Register, strings.NewReader(text), o, func(r Result) error {
		out.results = append(out.results, r)
		return nil
	})
	if got := out.Granted + out.Unchanged + out.Refused; got != out.Lines || len(out.results) != out.Lines {
		s.Errorf("the summary does not add up: %+v, %d results", out.Summary, len(out.results))
	}
	return out
}

// load imports lines that may be refused but not fail.
func (s *scene) load(lines ...string) outcome {
	s.Helper()
	out := s.try(file(lines...), Options{})
	if out.err != nil {
		s.Fatal(out.err)
	}
	return out
}

// statuses of all lines, as in "granted refused".
func (o outcome) statuses() string {
	var list []string
	for _, r := range o.results {
		list = append(list, string(r.Status))
	}
	return strings.Join(list, " ")
}

// want compares the statuses of all lines.
func (s *scene) want(out outcome, statuses string) {
	s.Helper()
	if got := out.statuses(); got != statuses || out.err != nil {
		s.Errorf("got %q (%v), want %q\n%s", got, out.err, statuses, out.problems())
	}
}

func (o outcome) problems() string {
	var list []string
	for _, r := range o.results {
		if r.Status == Refused {
			list = append(list, fmt.Sprintf("line %d: %s", r.Line, said(r)))
		}
	}
	return strings.Join(list, "\n")
}

func (s *scene) revision() (revision register.Revision) {
	s.Helper()
	s.read(func(v *register.Snapshot) { revision = v.Revision() })
	return revision
}

func (s *scene) read(fn func(*register.Snapshot)) {
	s.Helper()
	if err := s.Read(ctx, func(v *register.Snapshot) error { fn(v); return nil }); err != nil {
		s.Fatal(err)
	}
}

// mandates are all mandates in the register.
func (s *scene) mandates() (list []mandate.Mandate) {
	s.Helper()
	s.read(func(v *register.Snapshot) {
		for more := true; more; {
			var after mandate.ID
			if len(list) > 0 {
				after = list[len(list)-1].ID
			}
			var page []mandate.Mandate
			var err error
			if page, more, err = v.Mandates(register.Filter{}, after, 500); err != nil {
				s.Fatal(err)
			}
			list = append(list, page...)
		}
	})
	return list
}

func (s *scene) company(kvk string) (found *mandate.Organisation) {
	s.Helper()
	s.read(func(v *register.Snapshot) {
		found = must(v.Organisation(must(etoegang.ParseKvKNumber(kvk)).LegalSubject()))
	})
	return found
}

func (s *scene) human(n int) (found *mandate.Person) {
	s.Helper()
	s.read(func(v *register.Snapshot) { found = must(v.Person(subject(n))) })
	return found
}

func subject(n int) etoegang.ActingSubject {
	return etoegang.ActingSubject{Authenticator: must(etoegang.ParseEntityID(ad)), Pseudonym: must(etoegang.ParsePseudonym(nym(n)))}
}

func (s *scene) change(fn func(*register.Tx) error) {
	s.Helper()
	if _, err := s.Change(ctx, clerk, fn); err != nil {
		s.Fatal(err)
	}
}

func (s *scene) setState(id mandate.ID, to mandate.State) {
	s.Helper()
	s.change(func(t *register.Tx) error { _, err := t.SetState(id, to); return err })
}

// example reads a file of testdata/import.
func example(t testing.TB, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "testdata", "import", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// columnOf is where somebody has to look, empty if nothing is wrong or everything is.
func columnOf(r Result) string {
	if r.Problem == nil {
		return ""
	}
	return r.Problem.Column
}

// said is what somebody reads in English about a line, empty if nothing is wrong.
func said(r Result) string {
	if r.Problem == nil {
		return ""
	}
	return r.Problem.Error()
}
