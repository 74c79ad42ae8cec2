package decision_test

import (
	"flag"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/mandated/mandated/pkg/decision"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/mandate"
)

// world is a register and the service asked for, so small that whatever can happen in
// it happens often: three services that mandates may be for, one of them or a portal to
// them asked for, four companies, two persons, up to eight mandates, and every edge
// within a few seconds of the question.
type world struct {
	service   *etoegang.Service // nil: not in the catalogue
	companies []mandate.Organisation
	persons   []mandate.Person
	mandates  []mandate.Mandate

	calm bool // nothing is wrong with anybody: otherwise most answers would be denials
}

// rarely is true once in n times, and never in a calm world.
func (w *world) rarely(t *rapid.T, n int, what string) bool { return !w.calm && oneIn(t, n, what) }

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

var (
	now       = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	here      = must(etoegang.ParseEntityID("urn:etoegang:MR:00000003123456780000:entities:9001"))
	elsewhere = must(etoegang.ParseEntityID("urn:etoegang:MR:00000003876543210000:entities:9002"))
	farAway   = must(etoegang.ParseEntityID("urn:etoegang:MR:00000003876543210000:entities:9003"))
	login     = must(etoegang.ParseEntityID("urn:etoegang:AD:00000003123456780000:entities:9004"))

	taxOffice = must(etoegang.ParseOIN("00000001000000010000"))
	town      = must(etoegang.ParseOIN("00000001000000020000"))

	vat    = uuid(1)
	permit = uuid(2)
	waste  = uuid(3)
	desk   = uuid(4)

	shops = []etoegang.EstablishmentNumber{
		must(etoegang.ParseEstablishmentNumber("000000000001")),
		must(etoegang.ParseEstablishmentNumber("000000000002")),
		must(etoegang.ParseEstablishmentNumber("000000000003")),
	}

	bakery = company(1, "bakery", "12345678", "123456782")
	joiner = company(2, "joiner", "23456789", "") // a sole proprietor
	office = company(3, "office", "87654321", "249566758")
	firm   = company(4, "firm", "76543210", "")

	anna = person(1, "anna")
	bram = person(2, "bram")
)

func uuid(n int) etoegang.ServiceUUID {
	return must(etoegang.ParseServiceUUID(fmt.Sprintf("%08d-0000-4000-8000-000000000000", n)))
}

func company(id mandate.OrganisationID, name, kvk, rsin string) mandate.Organisation {
	o := mandate.Organisation{ID: id, Name: name, KvK: must(etoegang.ParseKvKNumber(kvk)), Active: true}
	if rsin != "" {
		o.RSIN = must(etoegang.ParseRSIN(rsin))
	}
	return o
}

func person(id mandate.PersonID, name string) mandate.Person {
	pseudonym := must(etoegang.ParsePseudonym(fmt.Sprintf("%064x", id)))
	return mandate.Person{ID: id, Name: name, Subject: etoegang.ActingSubject{Authenticator: login, Pseudonym: pseudonym}, Active: true}
}

// check runs a property on n worlds. The flags say the same for all tests of a run, and
// each of ours has a number of its own. No file of a failure is left behind: the seed
// that rapid prints is enough to see it again.
func check(t *testing.T, n int, property func(*rapid.T)) {
	for name, value := range map[string]string{"rapid.checks": fmt.Sprint(n), "rapid.nofailfile": "true"} {
		before := flag.Lookup(name).Value.String()
		defer func() { _ = flag.Set(name, before) }()
		if err := flag.Set(name, value); err != nil {
			t.Fatal(err)
		}
	}
	rapid.Check(t, property)
}

// roll gives a number below n.
func roll(t *rapid.T, n int, what string) int { return dice[n].Draw(t, what) }

var dice = func() (all [21]*rapid.Generator[int]) {
	for n := 1; n < len(all); n++ {
		all[n] = rapid.IntRange(0, n-1)
	}
	return all
}()

func oneIn(t *rapid.T, n int, what string) bool { return roll(t, n, what) == n-1 }

func pick[T any](t *rapid.T, what string, list ...T) T { return list[roll(t, len(list), what)] }

func drawLevel(t *rapid.T, what string) etoegang.AssuranceLevel {
	return pick(t, what, etoegang.LoA3, etoegang.LoA2, etoegang.LoA2Plus, etoegang.LoA4)
}

func drawWorld(t *rapid.T) *world {
	w := &world{calm: !oneIn(t, 3, "trouble")}
	w.drawService(t)
	for _, o := range []mandate.Organisation{bakery, joiner, office, firm} {
		o.Active, o.Blocked = !w.rarely(t, 15, "inactive company"), w.rarely(t, 15, "blocked company")
		w.companies = append(w.companies, o)
	}
	for _, p := range []mandate.Person{anna, bram} {
		p.Active, p.Blocked = !w.rarely(t, 15, "inactive person"), w.rarely(t, 15, "blocked person")
		w.persons = append(w.persons, p)
	}
	for range pick(t, "mandates", 1, 2, 3, 4, 5, 6, 4, 5, 5, 6, 7, 8, 0) {
		w.mandates = append(w.mandates, w.drawMandate(t))
	}
	return w
}

func (w *world) drawService(t *rapid.T) {
	targets := []etoegang.Target{{UUID: vat, Provider: taxOffice}, {UUID: permit, Provider: town}, {UUID: waste, Provider: town}}
	if oneIn(t, 4, "waste of both") { // a ServiceUUID that two providers share
		targets = append(targets, etoegang.Target{UUID: waste, Provider: taxOffice})
	}
	if w.rarely(t, 20, "unknown service") {
		return
	}
	s := &etoegang.Service{
		UUID:           desk,
		Provider:       town,
		Level:          pick(t, "catalogue level", etoegang.LoA2, etoegang.LoA2Plus, etoegang.LoA3, etoegang.LoA1, etoegang.LoA2),
		Establishments: !oneIn(t, 3, "no establishments"),
		Public:         !w.rarely(t, 10, "hidden"),
		EntityTypes:    drawSets(t),
	}
	w.service = s
	if which := roll(t, 5, "service"); which < 3 {
		s.UUID, s.Provider = targets[which].UUID, targets[which].Provider
		return
	}
	s.Underlying = targets[:pick(t, "behind the portal", len(targets), len(targets), 3, 2, 1, 0)]
}

func drawSets(t *rapid.T) [][]etoegang.EntityType {
	kvk, rsin, bsn := etoegang.TypeKvKNr, etoegang.TypeRSIN, etoegang.TypeBSN
	return pick(t, "sets",
		[][]etoegang.EntityType{{kvk}},
		[][]etoegang.EntityType{{kvk, rsin}, {kvk}},
		[][]etoegang.EntityType{{rsin}, {kvk}},
		[][]etoegang.EntityType{{kvk}},
		[][]etoegang.EntityType{{kvk, rsin}, {kvk}},
		[][]etoegang.EntityType{{bsn}, {rsin}, {kvk}},
		[][]etoegang.EntityType{{bsn, kvk}, {kvk, rsin}},
		[][]etoegang.EntityType{{rsin}},
		[][]etoegang.EntityType{{bsn}, {rsin, kvk}},
		[][]etoegang.EntityType{{bsn}},
		[][]etoegang.EntityType{{}, {kvk}},
	)
}

// drawMandate gives a mandate that a register could hold in this world.
func (w *world) drawMandate(t *rapid.T) mandate.Mandate {
	m := mandate.Mandate{
		ID:       mandate.ID(len(w.mandates) + 1),
		Kind:     mandate.Direct,
		Scope:    w.drawScope(t),
		State:    w.drawState(t),
		Validity: w.drawValidity(t),
	}
	chains := w.chains()
	switch kind := roll(t, 4, "kind"); {
	case kind == 0:
		m.Grantor, m.Person = w.companies[pick(t, "grantor", 0, 0, 0, 1, 2)], w.drawPerson(t)
		m.Establishments = pick(t, "only", nil, nil, shops[:1], shops[1:2], shops[:2], shops[:3], []etoegang.EstablishmentNumber{shops[1], shops[0]})
	case len(chains) == 0 || kind == 1:
		m.Kind, m.Grantor, m.Intermediary = mandate.Chain, w.companies[pick(t, "client", 0, 0, 0, 1)], w.companies[pick(t, "intermediary", 2, 2, 2, 3)]
		m.Register = pick(t, "register", etoegang.EntityID{}, etoegang.EntityID{}, elsewhere, farAway)
	default:
		chain := chains[roll(t, len(chains), "client's mandate")]
		m.Kind, m.Grantor, m.Person, m.Client = mandate.Assignment, chain.Intermediary, w.drawPerson(t), chain.ID
	}
	return m
}

func (w *world) chains() []mandate.Mandate {
	return slices.DeleteFunc(slices.Clone(w.mandates), func(m mandate.Mandate) bool { return m.Kind != mandate.Chain })
}

func (w *world) drawPerson(t *rapid.T) mandate.Person {
	return w.persons[pick(t, "person", 0, 0, 0, 0, 0, 0, 0, 1)]
}

func (w *world) drawScope(t *rapid.T) mandate.Scope {
	var scope mandate.Scope
	for range 1 + pick(t, "items", 0, 1, 0) {
		item := pick(t, "item", mandate.Item{}, mandate.Item{}, mandate.Item{Service: vat}, mandate.Item{Service: permit},
			mandate.Item{Service: waste}, mandate.Item{Provider: town}, mandate.Item{Provider: taxOffice}, mandate.Item{})
		item.Level = drawLevel(t, "level")
		scope = append(scope, item)
	}
	return scope
}

func (w *world) drawState(t *rapid.T) mandate.State {
	if !w.rarely(t, 3, "not active") {
		return mandate.Active
	}
	return pick(t, "state", mandate.Suspended, mandate.Revoked, mandate.Requested, mandate.LapsedUnused, mandate.Superseded,
		mandate.Suspended, mandate.Draft, mandate.AwaitingSignatures, mandate.AwaitingAcceptance, mandate.Rejected,
		mandate.Withdrawn, mandate.RequestExpired)
}

func (w *world) drawValidity(t *rapid.T) mandate.Validity {
	from, lasts := roll(t, 3, "from")-9, 18+roll(t, 3, "lasts")
	if oneIn(t, 4, "edge") || w.rarely(t, 3, "edge") {
		from, lasts = pick(t, "from", 0, -1, 1, 3, -2, -9), pick(t, "lasts", 20, 1, 2, 9, 10)
	}
	until := from + lasts
	return mandate.Validity{From: now.Add(time.Duration(from) * time.Second), To: now.Add(time.Duration(until) * time.Second)}
}

// drawRequest asks anything of the world, mostly about parties that have a mandate.
func (w *world) drawRequest(t *rapid.T) decision.Request {
	r := decision.Request{
		Question:    pick(t, "question", decision.Authorize, decision.Confirm, decision.Recheck, decision.Authorize),
		At:          drawMoment(t),
		Asked:       pick(t, "asked", etoegang.NoLevel, etoegang.LoA2, etoegang.LoA2, etoegang.NoLevel),
		TestNetwork: w.rarely(t, 3, "test network"),
	}
	r.Authentication = pick(t, "login", etoegang.LoA4, etoegang.LoA3, etoegang.LoA4, etoegang.LoA2Plus)
	if w.rarely(t, 4, "odd levels") {
		r.Asked = pick(t, "asked", etoegang.LoA1, etoegang.LoA2Plus, etoegang.LoA3, etoegang.LoA4)
		r.Authentication = pick(t, "login", etoegang.NoLevel, etoegang.LoA1, etoegang.LoA2)
	}
	if oneIn(t, 6, "certified") { // a setting too
		r.Certified = pick(t, "certified", etoegang.LoA3, etoegang.LoA4, etoegang.LoA2Plus)
	}
	if oneIn(t, 4, "confirm here") { // a setting of the register, there for every question
		r.ConfirmHere = here
	}
	r.UserChooses = oneIn(t, 3, "user chooses")
	r.OwnElsewhere = oneIn(t, 3, "own mandate elsewhere") // a setting too
	client, through := w.drawParties(t, r.Question)
	r.Represented = client.KvK.LegalSubject()
	switch {
	case w.rarely(t, 15, "unknown company"):
		r.Represented = must(etoegang.ParseKvKNumber("99999999")).LegalSubject()
	case !client.RSIN.IsZero() && oneIn(t, 4, "by RSIN"):
		r.Represented = client.RSIN.LegalSubject()
	}
	switch r.Question {
	case decision.Authorize:
		r.Actor = w.persons[0].Subject
		switch {
		case oneIn(t, 4, "chosen"):
			return w.drawChoice(t, r)
		case !oneIn(t, 3, "company named"):
			r.Represented = etoegang.LegalSubject{}
		}
	case decision.Confirm:
		r.Intermediary.KvK = through.KvK
		r.Previous = drawLevel(t, "previous")
	case decision.Recheck:
		r.Actor = pick(t, "who", w.persons[0].Subject, w.persons[0].Subject, etoegang.ActingSubject{})
		r.Intermediary.KvK = through.KvK
		r.Previous = drawLevel(t, "previous")
		r.Establishments = pick(t, "only", nil, shops[:1], shops[:2], shops[1:2])
	}
	return r
}

func drawMoment(t *rapid.T) time.Time {
	return now.Add(time.Duration(pick(t, "at", 0, 0, 0, 0, 0, 0, 0, -1, 1, 2, 8, 10, 30)) * time.Second)
}

// drawParties finds a company, and an intermediary or none, to ask about.
func (w *world) drawParties(t *rapid.T, q decision.Question) (client, through mandate.Organisation) {
	about := w.mandates
	if chains := w.chains(); q == decision.Confirm && len(chains) > 0 {
		about = chains
	}
	if len(about) == 0 || oneIn(t, 10, "anybody") {
		return w.companies[roll(t, 3, "company")], w.companies[2+roll(t, 2, "through")]
	}
	m := about[roll(t, len(about), "about mandate")]
	if m.Kind == mandate.Assignment {
		m = w.mandates[m.Client-1]
	}
	return m.Grantor, m.Intermediary
}

// facts is what a register that holds this world finds for the request.
func (w *world) facts(r decision.Request) decision.Facts {
	f := decision.Facts{Service: w.service}
	for _, o := range w.companies {
		if o.Is(r.Represented) {
			f.Represented = &o
		}
	}
	for _, p := range w.persons {
		if !r.Actor.IsZero() && p.Subject == r.Actor {
			f.Person = &p
		}
	}
	for _, m := range w.mandates {
		mine := f.Person != nil && m.Person.ID == f.Person.ID
		switch {
		case m.Kind == mandate.Direct && mine:
			f.Direct = append(f.Direct, m)
		case m.Kind == mandate.Assignment && mine:
			f.Assigned = append(f.Assigned, decision.Assigned{Assignment: m, Chain: w.mandates[m.Client-1]})
		case m.Kind == mandate.Chain && m.Grantor.Is(r.Represented) && m.Intermediary.KvK == r.Intermediary.KvK:
			f.Chain = append(f.Chain, m)
		}
	}
	return f
}

// describe tells the world and the request to people.
func (w *world) describe(r decision.Request) string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	second := func(at time.Time) int { return int(at.Sub(now) / time.Second) }
	name := func(kvk string) string {
		for _, o := range w.companies {
			if o.KvK.Text() == kvk || o.RSIN.Text() == kvk && kvk != "" {
				return o.Name
			}
		}
		return kvk
	}
	if s := w.service; s != nil {
		line("service %.8s of %s needs %v by %v establishments %v public %v opens %v", s.UUID, s.Provider, s.Level, s.EntityTypes, s.Establishments, s.Public, s.Underlying)
	}
	for _, o := range w.companies {
		line("company %s active %v blocked %v rsin %v", o.Name, o.Active, o.Blocked, !o.RSIN.IsZero())
	}
	for _, p := range w.persons {
		line("person %s active %v blocked %v", p.Name, p.Active, p.Blocked)
	}
	for _, m := range w.mandates {
		line("mandate %d %s %s to %s%s for %v seconds %d until %d only %v client %d register %v %s", m.ID, m.Kind, m.Grantor.Name, m.Person.Name,
			m.Intermediary.Name, m.Scope, second(m.Validity.From), second(m.Validity.To), texts(m.Establishments), m.Client, m.Register, m.State)
	}
	line("%s person %v company %s through %s at second %d login %v asked %v previous %v only %v confirm-here %v test %v", r.Question, !r.Actor.IsZero(),
		name(r.Represented.Text()), name(r.Intermediary.KvK.Text()), second(r.At), r.Authentication, r.Asked, r.Previous, texts(r.Establishments),
		!r.ConfirmHere.IsZero(), r.TestNetwork)
	return b.String()
}

func texts(list []etoegang.EstablishmentNumber) (out []string) {
	for _, e := range list {
		out = append(out, e.Text())
	}
	return out
}

// different tells in which way two decisions differ, or nothing. An empty list and no
// list are the same answer.
func different(want, got decision.Decision) string {
	if reflect.DeepEqual(want, got) { // the usual case, and the fast one
		return ""
	}
	return gocmp.Diff(want, got, cmpopts.EquateEmpty(), gocmp.Exporter(func(reflect.Type) bool { return true }))
}
