package pdp_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mandated/mandated/internal/corpus"
	"github.com/mandated/mandated/pkg/catalogue"
	"github.com/mandated/mandated/pkg/decision"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/freshness"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/pdp"
	"github.com/mandated/mandated/pkg/register"
)

// archive reads catalogues out of the register's snapshots, as the daemon does.
type archive struct {
	sync.Mutex
	read map[int64]*catalogue.Catalogue
}

func (a *archive) Of(s *register.Snapshot) (*catalogue.Catalogue, error) {
	if c, ok := a.Loaded(s.CatalogueSequence()); ok {
		return c, nil
	}
	version, err := s.Catalogue(s.CatalogueSequence())
	if err != nil {
		return nil, err
	}
	c, _, err := catalogue.Parse(version.Document, catalogue.Trust{File: true}, version.Issued)
	if err != nil {
		return nil, err
	}
	a.Lock()
	defer a.Unlock()
	if a.read == nil {
		a.read = map[int64]*catalogue.Catalogue{}
	}
	a.read[version.Sequence] = c
	return c, nil
}

func (a *archive) Loaded(sequence int64) (*catalogue.Catalogue, bool) {
	a.Lock()
	defer a.Unlock()
	c, ok := a.read[sequence]
	return c, ok
}

// keeper keeps decisions in a map.
type keeper struct{ kept sync.Map }

func (k *keeper) Memory(key string) (*pdp.Finding, bool) {
	f, ok := k.kept.Load(key)
	if !ok {
		return nil, false
	}
	return f.(*pdp.Finding), true
}

func (k *keeper) Redis(context.Context, string) (*pdp.Finding, bool) { return nil, false }

func (k *keeper) Put(key string, f *pdp.Finding, _ time.Time) { k.kept.Store(key, f) }

// past is an idea of the corpus that was decided, in a register where life goes on.
type past struct {
	t        *testing.T
	idea     corpus.Case
	register *register.Register
	journal  *memory
	config   pdp.Config
}

// blank is the file of an empty register, which takes longer to make than to copy.
var blank = sync.OnceValue(func() []byte {
	folder := must(os.MkdirTemp("", "blank"))
	defer func() { _ = os.RemoveAll(folder) }()
	path := filepath.Join(folder, "register.db")
	first := func() time.Time { return time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC) }
	r := must(register.Create(ctx, path, corpus.Here, time.Millisecond, register.Options{Now: first}))
	if err := r.Close(); err != nil {
		panic(err)
	}
	return must(os.ReadFile(path))
})

// anew gives an empty register.
func anew(t *testing.T, now func() time.Time) *register.Register {
	t.Helper()
	path := filepath.Join(t.TempDir(), "register.db")
	if err := os.WriteFile(path, blank(), 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := register.Open(ctx, path, register.Options{Now: now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	return r
}

func newPast(t *testing.T, c corpus.Case) *past {
	t.Helper()
	now := func() time.Time { return c.Question.At }
	r := anew(t, now)
	if err := c.World.Fill(ctx, r); err != nil {
		t.Fatal(err)
	}
	p := &past{t: t, idea: c, register: r, journal: &memory{}}
	p.publish(c.World.Catalogue(c.Question.At))
	p.config = pdp.Config{
		Register: r, Catalogues: &archive{}, Journal: p.journal, Now: now, Key: r.Key("journal"),
		Certified: c.Question.Certified, ConfirmHere: c.Question.ConfirmHere, TestNetwork: c.Question.TestNetwork,
	}
	return p
}

// ideaCalled finds one idea of the corpus.
func ideaCalled(t *testing.T, name string) corpus.Case {
	t.Helper()
	cases := must(corpus.Load("../../testdata/decisions"))
	i := slices.IndexFunc(cases, func(c corpus.Case) bool { return c.Name == name })
	if i < 0 {
		t.Fatalf("the corpus has no idea called %s", name)
	}
	return cases[i]
}

func (p *past) change(fn func(*register.Tx) error) {
	p.t.Helper()
	if _, err := p.register.Change(ctx, register.Author{Who: "test", Why: "life goes on"}, fn); err != nil {
		p.t.Fatal(err)
	}
}

func (p *past) publish(spec catalogue.Spec) {
	p.t.Helper()
	doc := catalogue.Build(spec).Bytes()
	parsed, _, err := catalogue.Parse(doc, catalogue.Trust{File: true}, spec.Issued)
	if err != nil {
		p.t.Fatal(err)
	}
	p.change(func(t *register.Tx) error {
		return t.PutCatalogue(register.CatalogueVersion{Sequence: parsed.Sequence(), Version: parsed.Version(), Issued: parsed.Issued(), SHA256: parsed.SHA256(), Document: doc})
	})
}

// decide asks the idea's question and gives the record of it.
func (p *past) decide(point *pdp.PDP, request pdp.Request) (record pdp.Record) {
	p.t.Helper()
	answer, err := point.Decide(ctx, request)
	if err != nil {
		p.t.Fatal(err)
	}
	if err := json.Unmarshal(p.journal.records[answer.ID], &record); err != nil {
		p.t.Fatal(err)
	}
	return record
}

// goOn changes everything that the decision can have rested on: what was given is taken
// away, everybody turns into the opposite of what he was, whoever was unknown is
// registered, and every service has other conditions.
func (p *past) goOn() {
	p.t.Helper()
	q := p.idea.Question
	p.change(func(t *register.Tx) error {
		for _, m := range p.idea.World.Mandates {
			known, err := t.Snapshot().Mandate(m.ID)
			if err == nil && known.State.CanBecome(mandate.Revoked) {
				_, err = t.SetState(m.ID, mandate.Revoked)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	p.change(func(t *register.Tx) error {
		for _, o := range p.idea.World.Companies {
			o.Name, o.Active, o.Blocked = "renamed "+o.Name, !o.Active, !o.Blocked
			if _, err := t.PutOrganisation(o); err != nil {
				return err
			}
		}
		for _, g := range p.idea.World.Persons {
			g.Name, g.Active, g.Blocked = "renamed "+g.Name, !g.Active, !g.Blocked
			if _, err := t.PutPerson(g); err != nil {
				return err
			}
		}
		return meet(t, q)
	})
	spec := p.idea.World.Catalogue(q.At)
	spec.Version = "urn:etoegang:1.13:service-catalogue:T:2"
	for i := range spec.Providers {
		for j := range spec.Providers[i].Definitions {
			d := &spec.Providers[i].Definitions[j]
			d.Level, d.EntityTypes = etoegang.LoA4.URN(), [][]string{{string(etoegang.TypeRSIN)}}
		}
	}
	p.publish(spec)
}

// meet registers those asked about who were unknown.
func meet(t *register.Tx, q decision.Request) error {
	put := func(n etoegang.LegalSubject) error {
		if n.Type() != etoegang.TypeKvKNr {
			return nil
		}
		known, err := t.Snapshot().Organisation(n)
		if err != nil || known != nil {
			return err
		}
		_, err = t.PutOrganisation(mandate.Organisation{KvK: must(etoegang.ParseKvKNumber(n.Text())), Active: true})
		return err
	}
	if !q.Actor.IsZero() {
		known, err := t.Snapshot().Person(q.Actor)
		if err != nil {
			return err
		}
		if known == nil {
			if _, err := t.PutPerson(mandate.Person{Subject: q.Actor, Active: true}); err != nil {
				return err
			}
		}
	}
	if err := put(q.Represented); err != nil || q.Intermediary.IsZero() {
		return err
	}
	return put(q.Intermediary.KvK.LegalSubject())
}

// today are settings that differ in everything from those decided by.
func (p *past) today() pdp.Config {
	c := p.config
	c.TestNetwork = !c.TestNetwork
	if c.Certified == etoegang.NoLevel {
		c.Certified = etoegang.LoA2
	} else {
		c.Certified = etoegang.NoLevel
	}
	if c.ConfirmHere.IsZero() {
		c.ConfirmHere = corpus.Here
	} else {
		c.ConfirmHere = etoegang.EntityID{}
	}
	return c
}

// Whatever happens later, a decision can be made again from its record and the history:
// every idea of the corpus, decided by the register and then from what was kept of that.
func TestReplayAgrees(t *testing.T) {
	for _, c := range corpus.Part(must(corpus.Load("../../testdata/decisions"))) {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			p := newPast(t, c)
			hot := p.config
			hot.Hot, hot.Freshness = &keeper{}, freshness.New(p.register, time.Hour, freshness.Machine)
			if err := hot.Freshness.Poll(ctx); err != nil {
				t.Fatal(err)
			}
			point := pdp.New(hot)
			first, second := p.decide(point, requestOf(c)), p.decide(point, requestOf(c))
			if kept := second.Outcome != "Choose"; first.Hot != pdp.FromRegister || (second.Hot == pdp.FromMemory) != kept {
				t.Fatalf("a %s came from %q and then from %q", first.Outcome, first.Hot, second.Hot)
			}
			p.goOn()

			for _, record := range []pdp.Record{first, second} {
				replayed, err := pdp.Replay(ctx, p.today(), p.register, record, pdp.Then)
				if err != nil {
					t.Fatal(err)
				}
				if len(replayed.Differences) > 0 || len(replayed.Notes) > 0 {
					t.Errorf("%s\n%s\n%s", c.Idea, strings.Join(replayed.Differences, "\n"), strings.Join(replayed.Notes, "\n"))
				}
			}
			// Now everything was taken away; that must not look the same.
			replayed, err := pdp.Replay(ctx, p.config, p.register, first, pdp.Now)
			if err != nil {
				t.Fatal(err)
			}
			if first.Outcome != "Deny" && (replayed.Record.Outcome != "Deny" || !slices.Contains(replayed.Differences, "now: outcome Deny")) {
				t.Errorf("after everything was revoked: %s, %q", replayed.Record.Outcome, replayed.Differences)
			}
		})
	}
}

// A record that says anything else than what was decided does not agree.
func TestReplayFindsWhatWasAltered(t *testing.T) {
	for name, alter := range map[string]func(*pdp.Record){
		"outcome":          func(r *pdp.Record) { r.Outcome, r.Options = "Deny", nil },
		"level required":   func(r *pdp.Record) { r.Required = "loa2" },
		"company":          func(r *pdp.Record) { r.Options[0].Represented = "organisation:2" },
		"intermediary":     func(r *pdp.Record) { r.Options[0].Intermediary = "" },
		"level used":       func(r *pdp.Record) { r.Options[0].Used = "loa4" },
		"level effective":  func(r *pdp.Record) { r.Options[0].Effective = "loa4" },
		"mandates":         func(r *pdp.Record) { r.Options[0].Mandates = r.Options[0].Mandates[:1] },
		"order of links":   func(r *pdp.Record) { slices.Reverse(r.Options[0].Mandates) },
		"confirmation":     func(r *pdp.Record) { r.Options[0].ConfirmAt = corpus.Elsewhere.String() },
		"establishments":   func(r *pdp.Record) { r.Options[0].Establishments = []string{"unknown:00"} },
		"an option more":   func(r *pdp.Record) { r.Options = append(r.Options, pdp.RecordOption{Represented: "organisation:9"}) },
		"a reason more":    func(r *pdp.Record) { r.Reasons = append(r.Reasons, pdp.RecordReason{Code: "expired", Mandate: 1}) },
		"until":            func(r *pdp.Record) { later := r.Until.Add(time.Nanosecond); r.Until = &later },
		"without end":      func(r *pdp.Record) { r.Until = nil },
		"catalogue":        func(r *pdp.Record) { r.Catalogue = 7 },
		"past of revision": func(r *pdp.Record) { r.Tag = strings.Repeat("0", 32) },
		"level of log-in":  func(r *pdp.Record) { r.Login = "loa2" },
		"moment":           func(r *pdp.Record) { r.At = r.At.AddDate(20, 0, 0) },
		"settings":         func(r *pdp.Record) { r.Rules.Certified = "loa2" },
		"service":          func(r *pdp.Record) { r.ServiceUUID = "99999999-0000-4000-8000-000000000000" },
		"who":              func(r *pdp.Record) { r.Actor = "unknown:00000000000000000000000000000000" },
	} {
		t.Run(name, func(t *testing.T) {
			p := newPast(t, ideaCalled(t, "chain-permit"))
			record := p.decide(pdp.New(p.config), requestOf(p.idea))
			alter(&record)
			replayed, err := pdp.Replay(ctx, p.config, p.register, record, pdp.Then)
			if err != nil {
				t.Fatal(err)
			}
			if len(replayed.Differences) == 0 {
				t.Error("it agrees")
			}
		})
	}
}

// What is recorded of one revocation: which answer it changed, and why.
func TestReplayWithNow(t *testing.T) {
	p := newPast(t, ideaCalled(t, "chain-permit"))
	record := p.decide(pdp.New(p.config), requestOf(p.idea))
	agrees, err := pdp.Replay(ctx, p.config, p.register, record, pdp.Now)
	if err != nil || len(agrees.Differences) > 0 {
		t.Fatalf("before anything changed: %q, %v", agrees.Differences, err)
	}
	p.change(func(t *register.Tx) error {
		_, err := t.SetState(record.Options[0].Mandates[1], mandate.Revoked)
		return err
	})
	today := p.config
	today.Certified = etoegang.LoA4
	replayed, err := pdp.Replay(ctx, today, p.register, record, pdp.Now)
	if err != nil {
		t.Fatal(err)
	}
	chain := fmt.Sprintf("now: reason revoked of mandate %d", record.Options[0].Mandates[1])
	for _, line := range []string{"then: outcome Permit", "now: outcome Deny", chain} {
		if !slices.Contains(replayed.Differences, line) {
			t.Errorf("%q is missing in %q", line, replayed.Differences)
		}
	}
	if len(replayed.Notes) != 1 || !strings.HasPrefix(replayed.Notes[0], "the settings have changed: ") {
		t.Errorf("of today's settings it notes %q", replayed.Notes)
	}
	if replayed.Record.Revision <= record.Revision || replayed.Record.ID != record.ID {
		t.Errorf("it was decided again as %+v", replayed.Record)
	}
}

// The moment is today's as well: what was permitted then has expired since.
func TestReplayWithNowIsForToday(t *testing.T) {
	p := newPast(t, ideaCalled(t, "chain-permit"))
	record := p.decide(pdp.New(p.config), requestOf(p.idea))
	later := p.config
	later.Now = func() time.Time { return record.At.AddDate(20, 0, 0) }
	replayed, err := pdp.Replay(ctx, later, p.register, record, pdp.Now)
	if err != nil || replayed.Record.Outcome != "Deny" || !replayed.Record.At.Equal(later.Now()) || !slices.Contains(replayed.Differences, "now: reason expired of mandate 1") {
		t.Errorf("%+v, %v", replayed, err)
	}
	replayed, err = pdp.Replay(ctx, later, p.register, record, pdp.Then)
	if err != nil || len(replayed.Differences) > 0 {
		t.Errorf("as it was then: %q, %v", replayed.Differences, err)
	}
}

// Whoever was unknown is taken for nobody, whatever numbers others have: neither for a
// company that has the number we should have thought of, nor for no person at all, who
// would make it another question.
func TestReplayOfStrangers(t *testing.T) {
	c := ideaCalled(t, "recheck-companys-half")
	p := newPast(t, c)
	for _, n := range []string{"99999999", "99999998"} {
		p.change(func(t *register.Tx) error {
			_, err := t.PutOrganisation(mandate.Organisation{KvK: must(etoegang.ParseKvKNumber(n)), Active: true})
			return err
		})
	}
	stranger := requestOf(c)
	stranger.Actor = etoegang.ActingSubject{Authenticator: corpus.Authenticator, Pseudonym: must(etoegang.ParsePseudonym(strings.Repeat("7", 64)))}
	nowhere := requestOf(c)
	nowhere.Represented = []etoegang.LegalSubject{must(etoegang.ParseKvKNumber("88776655")).LegalSubject()}
	through := requestOf(c)
	through.Intermediary = must(etoegang.ParseIntermediary("88776655"))
	for name, request := range map[string]pdp.Request{"the person": stranger, "the company": nowhere, "the intermediary": through} {
		record := p.decide(pdp.New(p.config), request)
		replayed, err := pdp.Replay(ctx, p.config, p.register, record, pdp.Then)
		if err != nil || record.Outcome != "Deny" || len(replayed.Differences) > 0 {
			t.Errorf("%s is unknown: %s, %q, %v", name, record.Outcome, replayed.Differences, err)
		}
		replayed, err = pdp.Replay(ctx, p.config, p.register, record, pdp.Now)
		if err != nil || len(replayed.Notes) != 1 || !strings.Contains(replayed.Notes[0], "taken as unknown still") {
			t.Errorf("%s is unknown: with now it notes %q, %v", name, replayed.Notes, err)
		}
	}
}

// An establishment that no mandate has stays one that no mandate has, also beside a
// mandate for the number that comes first to mind.
func TestReplayOfAnEstablishmentThatIsGone(t *testing.T) {
	c := ideaCalled(t, "recheck-another-shop-now")
	c.World.Mandates[0].Establishments = []etoegang.EstablishmentNumber{must(etoegang.ParseEstablishmentNumber("000000000000"))}
	p := newPast(t, c)
	record := p.decide(pdp.New(p.config), requestOf(c))
	replayed, err := pdp.Replay(ctx, p.config, p.register, record, pdp.Then)
	if err != nil || record.Outcome != "Deny" || len(replayed.Differences) > 0 {
		t.Errorf("%s, %q, %v", record.Outcome, replayed.Differences, err)
	}
}

// Rules that have changed since may decide otherwise, and a reader is told.
func TestReplayByOtherRules(t *testing.T) {
	p := newPast(t, ideaCalled(t, "chain-permit"))
	record := p.decide(pdp.New(p.config), requestOf(p.idea))
	record.Rules.Version = decision.Version + 1
	replayed, err := pdp.Replay(ctx, p.config, p.register, record, pdp.Then)
	if err != nil || len(replayed.Differences) > 0 || len(replayed.Notes) != 1 || !strings.Contains(replayed.Notes[0], "version 2 of the rules") {
		t.Errorf("%q, %q, %v", replayed.Differences, replayed.Notes, err)
	}
}

// Where nothing was decided there is nothing to agree with. If somebody had been looked up
// before it broke, one can still see what he would hear now.
func TestReplayOfNothing(t *testing.T) {
	p := newPast(t, ideaCalled(t, "chain-permit"))
	request := requestOf(p.idea)
	request.Deliver = func(pdp.Answer) error { return errBroken }
	if _, err := pdp.New(p.config).Decide(ctx, request); !errors.Is(err, errBroken) {
		t.Fatal(err)
	}
	record := p.journal.list(t)[0]
	replayed, err := pdp.Replay(ctx, p.config, p.register, record, pdp.Then)
	if err != nil || len(replayed.Differences) > 0 || replayed.Record.Outcome != "Permit" || len(replayed.Notes) != 1 || !strings.Contains(replayed.Notes[0], "disk full") {
		t.Errorf("%+v, %v", replayed, err)
	}

	p.journal.records = nil
	away := p.config
	away.Register = broken{p.register}
	if _, err := pdp.New(away).Decide(ctx, request); !errors.Is(err, errBroken) {
		t.Fatal(err)
	}
	replayed, err = pdp.Replay(ctx, p.config, p.register, p.journal.list(t)[0], pdp.Then)
	if err != nil || replayed.Record.Outcome != "" || len(replayed.Notes) != 2 {
		t.Errorf("with nobody looked up: %+v, %v", replayed, err)
	}
}

// A journal and a register that do not belong together are found out, and so is a record
// that nobody here wrote: an error, never a disagreement about somebody else.
func TestReplayWithoutItsHistory(t *testing.T) {
	p := newPast(t, ideaCalled(t, "chain-permit"))
	good := p.decide(pdp.New(p.config), requestOf(p.idea))
	for name, alter := range map[string]func(*pdp.Record){
		"a revision to come":   func(r *pdp.Record) { r.Revision += 100 },
		"a person to come":     func(r *pdp.Record) { r.Actor = "person:77" },
		"a company to come":    func(r *pdp.Record) { r.Represented = "organisation:77" },
		"an intermediary":      func(r *pdp.Record) { r.Intermediary = "organisation:77" },
		"before it was filled": func(r *pdp.Record) { r.Revision = 0 },
	} {
		record := good
		alter(&record)
		if _, err := pdp.Replay(ctx, p.config, p.register, record, pdp.Then); err == nil || name != "before it was filled" && !errors.Is(err, pdp.ErrNoHistory) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, alter := range map[string]func(*pdp.Record){
		"no level":   func(r *pdp.Record) { r.Login = "high" },
		"no rules":   func(r *pdp.Record) { r.Rules.Certified = "high" },
		"no service": func(r *pdp.Record) { r.Service = "vat" },
		"no person":  func(r *pdp.Record) { r.Actor = "organisation:1" },
		"no number":  func(r *pdp.Record) { r.Represented = "organisation:one" },
	} {
		record := good
		alter(&record)
		if _, err := pdp.Replay(ctx, p.config, p.register, record, pdp.Then); err == nil || errors.Is(err, pdp.ErrNoHistory) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The same numbers in a register with another past: what it says may agree, and is still
// not what was decided on.
func TestReplayOnARestoredBackup(t *testing.T) {
	c := ideaCalled(t, "chain-permit")
	p, restored := newPast(t, c), newPast(t, c)
	record := p.decide(pdp.New(p.config), requestOf(c))
	replayed, err := pdp.Replay(ctx, restored.config, restored.register, record, pdp.Then)
	if err != nil || len(replayed.Differences) != 2 || !strings.HasPrefix(replayed.Differences[0], "recorded: on revision ") {
		t.Errorf("%q, %v", replayed.Differences, err)
	}
}
