package intake

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
)

func TestEveryKind(t *testing.T) {
	s := newScene(t)
	out := s.load(
		direct("grantor_name=Bakkerij De Gouden Aar B.V.", "grantor_rsin=123456782", "person_name=Joke de Bakker",
			"establishments=000000000012 000000000011", "reference=till, counter 1"),
		chain("intermediary_name=Administratiekantoor Stip", "register="+mr2),
		assignment("person_name=Piet Boek"),
	)
	s.want(out, "granted granted granted")

	list := s.mandates()
	if len(list) != 3 {
		t.Fatalf("%d mandates", len(list))
	}
	d, c, a := list[0], list[1], list[2]
	if d.Kind != mandate.Direct || d.State != mandate.Active || d.Grantor.Name != "Bakkerij De Gouden Aar B.V." ||
		d.Grantor.RSIN.Text() != "123456782" || d.Person.Name != "Joke de Bakker" || len(d.Establishments) != 2 ||
		d.Reference != "till, counter 1" || d.Scope.String() != tax {
		t.Errorf("direct: %+v", d)
	}
	if c.Kind != mandate.Chain || c.Register.String() != mr2 || c.Intermediary.KvK.Text() != office || c.Intermediary.Name == "" {
		t.Errorf("chain: %+v", c)
	}
	if a.Kind != mandate.Assignment || a.Client != c.ID || a.Grantor.KvK.Text() != office || a.Person.Name != "Piet Boek" {
		t.Errorf("assignment: %+v", a)
	}
	if want := must(mandate.ParseMoment("2026-12-01")); !d.Validity.From.Equal(want) {
		t.Errorf("starts %v, want midnight in Amsterdam", d.Validity.From)
	}
	if out.results[2] != (Result{Line: 4, Status: Granted, Mandate: a.ID}) {
		t.Errorf("result %+v", out.results[2])
	}
}

// Importing again changes nothing: not even a revision is used.
func TestAgain(t *testing.T) {
	s := newScene(t)
	lines := []string{
		direct("grantor_name=De Gouden Aar", "person_name=Joke"),
		direct("grantor_name=De Gouden Aar B.V.", "pseudonym="+nym(3)), // names differ within the file
		chain(), assignment(), assignment("pseudonym=" + nym(3)),
	}
	first := s.load(lines...)
	s.want(first, "granted granted granted granted granted")
	second := s.load(lines...)
	s.want(second, "unchanged unchanged unchanged unchanged unchanged")
	if s.revision() != first.Revision || second.Revision != first.Revision {
		t.Errorf("revision %d after the second import, %d after the first", s.revision(), first.Revision)
	}
	for i, r := range second.results {
		if r.Mandate != first.results[i].Mandate {
			t.Errorf("line %d found mandate %d, granted %d", r.Line, r.Mandate, first.results[i].Mandate)
		}
	}
}

// The day after, a line that began today has become one that starts in the past.
// What was granted yesterday is still the same mandate.
func TestAgainTomorrow(t *testing.T) {
	s := newScene(t)
	today := direct("from=2026-11-24", "until=2027-11-24")
	s.want(s.load(today), "granted")
	s.now = noon.AddDate(0, 0, 1)
	s.want(s.load(today), "unchanged")
	s.want(s.load(direct("from=2026-11-24", "until=2027-11-24", "pseudonym="+nym(9))), "refused")
}

// The order in a cell is not part of what a mandate says.
func TestAgainInAnotherOrder(t *testing.T) {
	s := newScene(t)
	s.want(s.load(direct("scope="+tax+" "+uwv, "establishments=000000000001 000000000002")), "granted")
	s.want(s.load(direct("scope="+uwv+"  "+tax, "establishments=000000000002 000000000001")), "unchanged")
	s.want(s.load(direct("scope="+uwv+" "+tax, "establishments=000000000002, 000000000001")), "unchanged")
	s.want(s.load(direct("scope="+uwv+" "+tax, "establishments=000000000002,000000000001")), "unchanged")
}

// An import that was interrupted leaves whole batches, and is finished by starting
// it again.
func TestInterrupted(t *testing.T) {
	s := newScene(t)
	var lines []string
	for i := range 10 {
		lines = append(lines, direct("pseudonym="+nym(i)))
	}
	stop := errors.New("the power went")
	seen := 0
	summary, err := Import(ctx, s.Register, strings.NewReader(file(lines...)), Options{Author: clerk, Batch: 3}, func(Result) error {
		if seen++; seen == 5 {
			return stop
		}
		return nil
	})
	if !errors.Is(err, stop) || summary.Granted != 6 || len(s.mandates()) != 6 {
		t.Fatalf("%v, %+v, %d mandates: want the two batches begun", err, summary, len(s.mandates()))
	}
	out := s.load(lines...)
	if out.Unchanged != 6 || out.Granted != 4 {
		t.Errorf("%+v", out.Summary)
	}
}

// A bad line is told, and its neighbours come in. Nothing of it stays behind, not
// even the company it named.
func TestBadLineBetweenGoodOnes(t *testing.T) {
	s := newScene(t)
	out := s.load(
		direct(),
		direct("grantor_kvk=33330001", "pseudonym="+nym(5), "until=2026-11-30"),
		chain("grantor_kvk=33330002", "intermediary_kvk=33330002"),
		direct("pseudonym="+nym(6)),
	)
	s.want(out, "granted refused refused granted")
	if s.company("33330001") != nil || s.company("33330002") != nil || s.human(5) != nil {
		t.Error("a refused line left somebody behind")
	}
	if out.results[3].Line != 5 {
		t.Errorf("line %d, want 5", out.results[3].Line)
	}
}

// A line that says something else than the mandate in its way is refused with that
// mandate's number, and its names are not taken over.
func TestCollision(t *testing.T) {
	for name, c := range map[string]struct {
		line, column string
	}{
		"more scope":        {direct("scope="+tax+" "+uwv, "grantor_name=New"), scope},
		"another start":     {direct("from=2026-12-05", "grantor_name=New"), from},
		"another end":       {direct("until=2028-01-01", "grantor_name=New"), until},
		"another reference": {direct("reference=other", "grantor_name=New"), reference},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			first := s.load(direct("grantor_name=Old", "reference=mine"))
			out := s.load(c.line)
			s.want(out, "refused")
			id := first.results[0].Mandate
			if r := out.results[0]; columnOf(r) != c.column || r.Mandate != id || !strings.Contains(said(r), fmt.Sprintf("mandate %d", id)) {
				t.Errorf("%+v", r)
			}
			if s.company(bakery).Name != "Old" {
				t.Error("a refused line changed a name")
			}
		})
	}
}

// The same mandate, still being asked for, is not the mandate in force that the line
// speaks of.
func TestStillAskedFor(t *testing.T) {
	s := newScene(t)
	s.want(s.load(direct("scope="+uwv)), "granted") // registers the parties
	m := s.mandates()[0]
	m.Scope = mandate.Scope{must(mandate.ParseItem(tax))}
	m.State = mandate.Requested
	s.change(func(t *register.Tx) error { _, err := t.Grant(m, register.GrantOptions{}); return err })
	out := s.load(direct())
	s.want(out, "refused")
	if !strings.Contains(said(out.results[0]), "mandate 2") || out.results[0].Mandate != 2 {
		t.Errorf("%+v", out.results[0])
	}
}

// An employee leaves and his mandate is revoked. Whoever imports the old file again
// must not hand it back to him.
func TestRevokedStaysRevoked(t *testing.T) {
	s := newScene(t)
	lines := []string{direct(), chain(), assignment()}
	s.want(s.load(lines...), "granted granted granted")
	s.setState(1, mandate.Revoked)
	s.setState(2, mandate.Revoked) // and with it 3
	out := s.load(lines...)
	s.want(out, "refused refused refused")
	if len(s.mandates()) != 3 || !strings.Contains(said(out.results[0]), "mandate 1") {
		t.Errorf("%d mandates; %s", len(s.mandates()), out.problems())
	}
	s.want(s.load(direct("from=2026-12-02")), "granted") // somebody wrote this on purpose
}

func TestSuspendedIsThere(t *testing.T) {
	s := newScene(t)
	s.load(direct())
	s.setState(1, mandate.Suspended)
	s.want(s.load(direct()), "unchanged")
	if got := s.mandates()[0].State; got != mandate.Suspended {
		t.Errorf("the mandate is %s", got)
	}
}

// Which chain mandate an assignment passes on.
func TestClient(t *testing.T) {
	all, provider := "scope=everything@loa3", "scope=provider:00000003520354760000@loa3"
	for name, c := range map[string]struct {
		chains []string
		line   string
		client mandate.ID // 0: refused
		column string
	}{
		"the only one":             {[]string{chain()}, assignment(), 1, ""},
		"the one with the service": {[]string{chain("scope=" + uwv), chain()}, assignment(), 2, ""},
		"the one in time":          {[]string{chain("until=2027-01-01"), chain("from=2027-01-01")}, assignment("from=2027-02-01"), 2, ""},
		"wide enough":              {[]string{chain(all)}, assignment(), 1, ""},
		"perhaps of the provider":  {[]string{chain(provider)}, assignment(), 1, ""},
		"certainly, not perhaps":   {[]string{chain(provider), chain()}, assignment(), 2, ""},
		"lower level":              {[]string{chain()}, assignment("scope=" + strings.Replace(tax, "loa3", "loa2", 1)), 1, ""},
		"held elsewhere":           {[]string{chain("register=" + mr2)}, assignment(), 1, ""},
		"none":                     {nil, assignment(), 0, clientKvK},
		"of another company":       {[]string{chain("grantor_kvk=" + farm)}, assignment(), 0, clientKvK},
		"more than one":            {[]string{chain(), chain(all)}, assignment(), 0, scope},
		"too narrow":               {[]string{chain("scope=" + uwv)}, assignment(), 0, scope},
		"too low":                  {[]string{chain()}, assignment("scope=" + strings.Replace(tax, "loa3", "loa4", 1)), 0, scope},
		"wider than the client's":  {[]string{chain()}, assignment(all), 0, scope},
		"too early":                {[]string{chain()}, assignment("from=2026-11-30"), 0, from},
		"too long":                 {[]string{chain()}, assignment("until=2027-12-02"), 0, until},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			out := s.load(append(c.chains, c.line)...)
			r := out.results[len(out.results)-1]
			if c.client == 0 {
				if r.Status != Refused || columnOf(r) != c.column {
					t.Errorf("%+v", r)
				}
				return
			}
			list := s.mandates()
			if r.Status != Granted || list[len(list)-1].Client != c.client {
				t.Errorf("%+v, want client mandate %d", r, c.client)
			}
		})
	}
}

// A chain mandate that ended does not count, and one that came later does.
func TestClientAfterEnd(t *testing.T) {
	s := newScene(t)
	s.load(chain())
	s.setState(1, mandate.Revoked)
	s.want(s.load(assignment(), chain("from=2026-12-02"), assignment("from=2026-12-02")), "refused granted granted")
}

// The chain of the client may come later in the file. The second import finds it.
func TestAssignmentBeforeChain(t *testing.T) {
	s := newScene(t)
	out := s.load(assignment(), chain())
	s.want(out, "refused granted")
	if !strings.Contains(said(out.results[0]), "earlier line") {
		t.Error(out.problems())
	}
	s.want(s.load(assignment(), chain()), "granted unchanged")
}

// Names absent do not erase names present; a name in a granted line is the newest; an
// unchanged line only fills in what was not known.
func TestNames(t *testing.T) {
	s := newScene(t)
	s.load(direct())
	s.load(direct("grantor_name=Aar", "person_name=Joke", "grantor_rsin=123456782")) // unchanged
	if o, p := s.company(bakery), s.human(1); o.Name != "Aar" || p.Name != "Joke" || o.RSIN.IsZero() {
		t.Errorf("%q %q: blanks were not filled in", o.Name, p.Name)
	}
	s.load(direct("grantor_name=Oar", "person_name=Jok"), direct("scope="+uwv))
	if o, p := s.company(bakery), s.human(1); o.Name != "Aar" || p.Name != "Joke" || o.RSIN.IsZero() {
		t.Errorf("%q %q: an unchanged or nameless line changed them", o.Name, p.Name)
	}
	s.load(direct("scope=everything@loa3", "grantor_name=Gouden Aar", "person_name=Joke B."))
	if o, p := s.company(bakery), s.human(1); o.Name != "Gouden Aar" || p.Name != "Joke B." {
		t.Errorf("%q %q: a granted line brings its names", o.Name, p.Name)
	}
}

// Nobody becomes another company by a line in a file.
func TestRSIN(t *testing.T) {
	s := newScene(t)
	out := s.load(
		direct("grantor_rsin=123456782"),
		direct("grantor_rsin=111222333", "pseudonym="+nym(2)),
		direct("grantor_rsin=123456782", "grantor_kvk="+farm),
		direct("grantor_rsin=123456782", "pseudonym="+nym(3)),
	)
	s.want(out, "granted refused refused granted")
	if columnOf(out.results[1]) != grantorRSIN || columnOf(out.results[2]) != grantorRSIN || s.company(farm) != nil {
		t.Error(out.problems())
	}
}

// A company or person that was stopped stays stopped.
func TestInactiveStaysInactive(t *testing.T) {
	s := newScene(t)
	s.load(direct())
	s.change(func(t *register.Tx) error {
		o, p := *s.company(bakery), *s.human(1)
		o.Active, p.Active = false, false
		_, err := t.PutOrganisation(o)
		if err == nil {
			_, err = t.PutPerson(p)
		}
		return err
	})
	s.want(s.load(direct("scope="+uwv, "grantor_name=Again", "person_name=Again")), "granted")
	if o, p := s.company(bakery), s.human(1); o.Active || p.Active || o.Name != "Again" {
		t.Errorf("%+v %+v", o, p)
	}
}

// Mandates from another register keep the dates they had there; what ended there is
// simply expired here.
func TestMigrating(t *testing.T) {
	s := newScene(t)
	old := []string{
		direct("from=2019-01-01", "until=2023-12-31"),
		chain("from=2024-01-01", "until=2027-01-01"),
		assignment("from=2024-05-01", "until=2025-05-01"),
	}
	s.want(s.load(old...), "refused refused refused")
	o := Options{Migrating: true}
	s.want(s.try(file(old...), o), "granted granted granted")
	s.want(s.try(file(old...), o), "unchanged unchanged unchanged")
	s.want(s.try(file(direct("from=2010-01-01", "until=2016-01-01")), o), "refused") // six years is too long anywhere
}

// A dry run says what an import would do, line for line, and does nothing. Lines see
// those before them, over the borders of batches too.
func TestDryRun(t *testing.T) {
	s := newScene(t)
	s.load(direct("pseudonym=" + nym(8)))
	text := file(
		direct(), direct(), // twice in the file
		assignment(), chain(), assignment(), assignment(),
		direct("until=2028-01-01"), // collides with the first
		direct("until=2020-01-01"), "nonsense",
		direct("pseudonym="+nym(8)), // was there
	)
	for _, batch := range []int{1, 3, 100} {
		before := s.revision()
		dry := s.try(text, Options{DryRun: true, Batch: batch})
		s.want(dry, "granted unchanged refused granted granted unchanged refused refused refused unchanged")
		if s.revision() != before || dry.Revision != before || len(s.mandates()) != 1 || s.company(office) != nil {
			t.Fatalf("batch %d: the dry run changed something", batch)
		}
	}
	dry := s.try(text, Options{DryRun: true, Batch: 2})
	real := s.try(text, Options{Batch: 4})
	if !reflect.DeepEqual(dry.results, real.results) {
		t.Errorf("dry\n%+v\nreal\n%+v", dry.results, real.results)
	}
}

// However the file is cut into batches, the results are the same.
func TestBatchesDoNotMatter(t *testing.T) {
	text := example(t, "mandates.csv")
	var want []Result
	for _, batch := range []int{0, 1, 2, 7} {
		s := newScene(t)
		var progress []int
		out := s.try(text, Options{Batch: batch, Migrating: true, Progress: func(n int) { progress = append(progress, n) }})
		if want == nil {
			want = out.results
		}
		if !reflect.DeepEqual(out.results, want) {
			t.Errorf("batch %d: %+v", batch, out.results)
		}
		if len(progress) == 0 || progress[len(progress)-1] != out.Lines {
			t.Errorf("batch %d: progress %v of %d lines", batch, progress, out.Lines)
		}
		if batch == 1 && (len(progress) != out.Lines || out.Revision != register.Revision(out.Granted)) {
			t.Errorf("batches of one: progress %v, revision %d", progress, out.Revision)
		}
	}
}

// A register that cannot be written stops the import. The batches before it are
// there, the one at hand is not, and the summary says so.
func TestBrokenRegister(t *testing.T) {
	s := newScene(t)
	var lines []string
	for i := range 10 {
		lines = append(lines, direct("pseudonym="+nym(i)))
	}
	summary, err := Import(ctx, s.Register, strings.NewReader(file(lines...)), Options{Author: clerk, Batch: 4, Progress: func(n int) {
		if n == 4 {
			_ = s.Register.Close()
		}
	}}, nil)
	if !errors.Is(err, register.ErrClosed) || summary.Lines != 4 || summary.Revision != 1 {
		t.Errorf("%v, %+v", err, summary)
	}
	if !strings.Contains(err.Error(), "lines 6 to 9") {
		t.Errorf("the error does not say where: %v", err)
	}
}

// A register in which another process writes for too long is an error too, and the
// import can be started again.
func TestBusyRegister(t *testing.T) {
	s := newScene(t)
	other := must(register.Open(ctx, s.path, register.Options{}))
	defer other.Close()
	_, err := other.Change(ctx, clerk, func(*register.Tx) error {
		out := s.try(file(direct()), Options{})
		if !errors.Is(out.err, register.ErrBusy) || out.Lines != 0 {
			t.Errorf("%v, %+v", out.err, out.Summary)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	s.want(s.load(direct()), "granted")
}

// An import that is told to stop does so between two batches.
func TestCancelled(t *testing.T) {
	s := newScene(t)
	stopping, stop := context.WithCancel(ctx)
	summary, err := Import(stopping, s.Register, strings.NewReader(file(direct(), chain(), assignment())),
		Options{Author: clerk, Batch: 2, Progress: func(int) { stop() }}, nil)
	if !errors.Is(err, context.Canceled) || summary.Granted != 2 || len(s.mandates()) != 2 {
		t.Errorf("%v, %+v", err, summary)
	}
}

// An import without an author is nobody's.
func TestAuthor(t *testing.T) {
	s := newScene(t)
	if _, err := Import(ctx, s.Register, strings.NewReader(file()), Options{}, nil); !errors.Is(err, register.ErrAuthor) {
		t.Errorf("got %v", err)
	}
}

// A chain that this register holds itself has no other register.
func TestOwnRegister(t *testing.T) {
	s := newScene(t)
	out := s.load(chain("register=" + mr.String()))
	s.want(out, "refused")
	if columnOf(out.results[0]) != otherRegister {
		t.Error(out.problems())
	}
}

// What is imported is found by those who decide.
func TestHeld(t *testing.T) {
	s := newScene(t)
	s.load(direct(), chain(), assignment())
	client := must(etoegang.ParseKvKNumber(bakery)).LegalSubject()
	s.read(func(v *register.Snapshot) {
		if held := must(v.HeldBy(subject(1), client)); len(held.Direct) != 1 {
			t.Errorf("%+v", held)
		}
		if held := must(v.HeldBy(subject(2), client)); len(held.Assigned) != 1 {
			t.Errorf("%+v", held)
		}
	})
}
