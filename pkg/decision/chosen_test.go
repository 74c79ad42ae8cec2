package decision_test

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/mandated/mandated/pkg/decision"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/mandate"
)

// drawMany gives a world in which a person has much to choose from, and his question.
func drawMany(t *rapid.T) (*world, decision.Request) {
	w := drawWorld(t)
	for range roll(t, 8, "more mandates") {
		w.mandates = append(w.mandates, w.drawMandate(t))
	}
	r := w.drawRequest(t)
	r.Question, r.Actor = decision.Authorize, w.persons[0].Subject
	r.Intermediary, r.Establishments, r.Previous = etoegang.Intermediary{}, nil, etoegang.NoLevel
	r.Chosen, r.ConfirmAt, r.Services = false, etoegang.EntityID{}, nil
	return w, r
}

// What a person is offered he can choose, and gets that and nothing else: the page on which
// he chose and the answer that the provider reads are about the same.
func TestWhatIsOfferedCanBeChosen(t *testing.T) {
	seen := map[string]int{}
	check(t, lawWorlds, func(t *rapid.T) {
		w, r := drawMany(t)
		r.OwnElsewhere = false // with it the same is given, on the ground of another mandate perhaps
		offered := decision.Decide(w.facts(r), r)
		for _, o := range offered.Options {
			chosen := o.Choosing(r, nil)
			d := decision.Decide(w.facts(chosen), chosen)
			if d.Outcome != decision.Permit {
				t.Fatalf("what was offered is refused: %+v\n%s", d, w.describe(r))
			}
			if diff := different(decision.Decision{Options: []decision.Option{o}}, decision.Decision{Options: d.Options}); diff != "" {
				t.Fatalf("another thing than was offered (-offered +given)\n%s\n%s", diff, w.describe(r))
			}
			seen[offered.Outcome.String()]++
			if len(o.Services) > 1 {
				seen["several services"]++
				w.chooseServices(t, r, o)
			}
		}
	})
	t.Log("seen:", seen)
	for _, kind := range []string{"Choose", "Permit", "several services"} {
		atLeast(t, seen, kind, lawWorlds/100)
	}
}

// chooseServices: of the services behind a portal one may choose some. They are given, and
// the level is the lowest of these.
func (w *world) chooseServices(t *rapid.T, r decision.Request, o decision.Option) {
	var some []etoegang.ServiceUUID
	for _, s := range o.Services {
		if len(some) == 0 || roll(t, 2, "wanted") == 0 {
			some = append(some, s)
		}
	}
	chosen := o.Choosing(r, some)
	d := decision.Decide(w.facts(chosen), chosen)
	if d.Outcome != decision.Permit || !slices.Equal(d.Options[0].Services, some) || d.Options[0].Used < o.Used {
		t.Fatalf("chose %v of %+v, got %+v\n%s", some, o, d, w.describe(r))
	}
}

// Between the page and the press of a button anything may happen, and anybody may send any
// choice. What is chosen opens nothing that was not open without it.
func TestChoosingOpensNothing(t *testing.T) {
	seen := map[string]int{}
	check(t, lawWorlds, func(t *rapid.T) {
		w, r := drawMany(t)
		r.Represented, r.OwnElsewhere = etoegang.LegalSubject{}, false
		chosen := w.drawChoice(t, r)
		open, d := opened(decision.Decide(w.facts(r), r)), decision.Decide(w.facts(chosen), chosen)
		seen[d.Outcome.String()]++
		if d.Outcome == decision.Choose {
			t.Fatalf("a choice is no end: %+v\n%s", d, w.describe(chosen))
		}
		for company, services := range opened(d) {
			for _, s := range services {
				if !slices.Contains(open[company], s) {
					t.Fatalf("%v for %d was not open\n%s", s, company, w.describe(chosen))
				}
			}
		}
		for _, o := range d.Options {
			if !o.Represented.Is(chosen.Represented) || o.ConfirmAt != chosen.ConfirmAt ||
				(o.Intermediary == nil) != chosen.Intermediary.IsZero() || len(o.Establishments) != len(chosen.Establishments) {
				t.Fatalf("chose %+v, got %+v", chosen, o)
			}
		}
	})
	t.Log("seen:", seen)
	atLeast(t, seen, "Permit", lawWorlds/100)
	atLeast(t, seen, "Deny", lawWorlds/100)
}

// Whom an office has mandated itself may also choose clients of it that another register
// confirms. It opens nothing but the question there: the answer says that it must be
// confirmed, and whatever it says for itself the office's own mandate says, too.
func TestChoosingElsewhere(t *testing.T) {
	seen := map[string]int{}
	check(t, lawWorlds, func(t *rapid.T) {
		w, r := drawMany(t)
		r.OwnElsewhere = true
		chosen := w.drawChoice(t, r)
		d := decision.Decide(w.facts(chosen), chosen)
		chosen.OwnElsewhere = false
		if assigned := decision.Decide(w.facts(chosen), chosen); assigned.Outcome == d.Outcome {
			return
		}
		seen[d.Outcome.String()]++
		if d.Outcome != decision.Permit || d.Options[0].ConfirmAt.IsZero() || d.Options[0].ConfirmAt == r.ConfirmHere || len(d.Options[0].Identifiers) > 0 {
			t.Fatalf("elsewhere: %+v\n%s", d, w.describe(chosen))
		}
		own := r
		own.Represented = chosen.Intermediary.KvK.LegalSubject()
		office := decision.Decide(w.facts(own), own)
		for _, s := range d.Options[0].Services {
			if !slices.Contains(opened(office)[d.Options[0].Intermediary.ID], s) && !slices.Contains(office.Codes(), decision.IdentifierNotAvailable) {
				t.Fatalf("%v is not open for the office itself\n%s", s, w.describe(chosen))
			}
		}
	})
	t.Log("seen:", seen)
	atLeast(t, seen, "Permit", lawWorlds/500)
}

// drawChoice gives a choice that often is there, and sometimes is not.
func (w *world) drawChoice(t *rapid.T, r decision.Request) decision.Request {
	o := decision.Option{
		Represented:    w.companies[roll(t, len(w.companies), "company")],
		Establishments: pick(t, "only", nil, nil, nil, shops[:1], shops[:2]),
	}
	if oneIn(t, 2, "through") {
		o.Intermediary = &w.companies[roll(t, len(w.companies), "through")]
		o.ConfirmAt = pick(t, "next", r.ConfirmHere, r.ConfirmHere, elsewhere, here)
	}
	if len(w.mandates) > 0 && !oneIn(t, 4, "any choice") {
		m := w.mandates[roll(t, len(w.mandates), "of mandate")]
		o.Represented, o.Intermediary, o.Establishments, o.ConfirmAt = m.Grantor, nil, m.Establishments, etoegang.EntityID{}
		if m.Kind == mandate.Assignment {
			m = w.mandates[m.Client-1]
		}
		if m.Kind == mandate.Chain {
			o.Represented, o.Intermediary, o.ConfirmAt = m.Grantor, &m.Intermediary, m.Register
			if o.ConfirmAt.IsZero() {
				o.ConfirmAt = r.ConfirmHere
			}
		}
	}
	if len(w.mandates) > 0 && oneIn(t, 4, "client elsewhere") {
		office := w.mandates[roll(t, len(w.mandates), "office of mandate")].Grantor
		o.Intermediary, o.Establishments, o.ConfirmAt = &office, nil, elsewhere
		if oneIn(t, 2, "unknown here") {
			o.Represented = mandate.Organisation{KvK: must(etoegang.ParseKvKNumber("99999999"))}
		}
	}
	var services []etoegang.ServiceUUID
	if w.service != nil && oneIn(t, 4, "services") {
		for _, target := range w.service.Targets()[:1] {
			services = append(services, target.UUID)
		}
	}
	return o.Choosing(r, services)
}

// A list of a hundred thousand clients is read a page at a time. So what a person may do for
// a company must not depend on any other company: the parts, decided each for itself, are
// the whole.
func TestTheWholeIsItsParts(t *testing.T) {
	check(t, lawWorlds, func(t *rapid.T) {
		w, r := drawMany(t)
		r.Represented = etoegang.LegalSubject{}
		f := w.facts(r)
		whole := decision.Decide(f, r)
		var parts decision.Decision
		for company := range w.companies {
			for _, part := range partsOf(f, w.companies[company].ID) {
				d := decision.Decide(part, r)
				parts.Options = append(parts.Options, d.Options...)
				for _, reason := range d.Reasons {
					if reason.Mandate != 0 && !slices.Contains(parts.Reasons, reason) {
						parts.Reasons = append(parts.Reasons, reason)
					}
				}
			}
		}
		if len(parts.Options) != len(whole.Options) {
			t.Fatalf("the parts have %d options, the whole %d\n%s", len(parts.Options), len(whole.Options), w.describe(r))
		}
		for _, o := range whole.Options {
			if !slices.ContainsFunc(parts.Options, func(p decision.Option) bool {
				return different(decision.Decision{Options: []decision.Option{o}}, decision.Decision{Options: []decision.Option{p}}) == ""
			}) {
				t.Fatalf("no part has %+v\n%s", o, w.describe(r))
			}
		}
		for _, reason := range whole.Reasons {
			if reason.Mandate != 0 && !slices.Contains(parts.Reasons, reason) {
				t.Fatalf("no part has %+v\n%s", reason, w.describe(r))
			}
		}
	})
}

// partsOf are the facts about one company: what it gave itself, and what came through
// intermediaries.
func partsOf(f decision.Facts, company mandate.OrganisationID) []decision.Facts {
	direct, assigned := f, f
	direct.Direct, direct.Assigned, assigned.Direct, assigned.Assigned = nil, nil, nil, nil
	for _, m := range f.Direct {
		if m.Grantor.ID == company {
			direct.Direct = append(direct.Direct, m)
		}
	}
	for _, a := range f.Assigned {
		if a.Chain.Grantor.ID == company {
			assigned.Assigned = append(assigned.Assigned, a)
		}
	}
	return []decision.Facts{direct, assigned}
}
