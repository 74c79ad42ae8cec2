package decision_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/mandated/mandated/internal/corpus"
	"github.com/mandated/mandated/pkg/decision"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/mandate"
)

// The laws hold in every world, whatever the rules may become. Unlike the model they
// do not say what the answer is, only how answers hang together.
const lawWorlds = 15_000 / corpus.Slower

// A register asks Decide in the middle of somebody's login: there is no input on which
// it may fail. Nor may it deny without saying why, or permit and say two things.
func TestAnyInputHasAnAnswer(t *testing.T) {
	check(t, lawWorlds, func(t *rapid.T) {
		f, r := drawNonsense(t)
		d := decision.Decide(f, r)
		switch {
		case d.Outcome == decision.Deny && (len(d.Options) != 0 || len(d.Reasons) == 0):
			t.Fatalf("a denial has reasons and no options: %+v", d)
		case d.Outcome == decision.Permit && len(d.Options) != 1:
			t.Fatalf("a permission is one option: %+v", d)
		case d.Outcome == decision.Choose && len(d.Options) < 2 && !(r.UserChooses && len(d.Options) == 1 && len(d.Options[0].Services) > 1):
			t.Fatalf("a choice is among several: %+v", d)
		case d.Outcome == decision.Choose && r.Question == decision.Recheck:
			t.Fatalf("nobody is there to choose: %+v", d)
		}
		for _, reason := range d.Reasons {
			if reason.Code.Sentence() == "" {
				t.Fatalf("%q cannot be explained", reason.Code)
			}
		}
		if diff := different(d, decision.Decide(shuffled(t, f), r)); diff != "" {
			t.Fatalf("the order of facts makes a difference:\n%s", diff)
		}
	})
}

// drawNonsense gives facts that no register would hold: parts of several worlds, in
// places where they do not belong, and values that nothing would let in.
func drawNonsense(t *rapid.T) (decision.Facts, decision.Request) {
	w := drawWorld(t)
	for i := range w.mandates {
		w.spoil(t, &w.mandates[i])
	}
	r := w.drawRequest(t)
	f := w.facts(r)
	w.addAny(t, &f)
	switch roll(t, 8, "odd request") {
	case 0:
		r = decision.Request{}
	case 1:
		r.Question = pick(t, "question", "", "demand", decision.Confirm, decision.Recheck)
	case 2:
		r.Represented = etoegang.LegalSubject{}
	case 3:
		r.Intermediary = etoegang.Intermediary{}
	case 4:
		r.Asked, r.Authentication = 200, 200
	case 5:
		f.Person, f.Represented = nil, nil
	case 6:
		f.Service = pick(t, "odd service", &etoegang.Service{}, &etoegang.Service{Public: true}, &etoegang.Service{
			Public: true, Level: 200, EntityTypes: [][]etoegang.EntityType{{}, {""}},
		})
	}
	return f, r
}

// addAny puts mandates where they do not belong.
func (w *world) addAny(t *rapid.T, f *decision.Facts) {
	if len(w.mandates) == 0 {
		return
	}
	any := func() mandate.Mandate { return w.mandates[roll(t, len(w.mandates), "any")] }
	f.Direct = append(f.Direct, any())
	f.Chain = append(f.Chain, any())
	f.Assigned = append(f.Assigned, decision.Assigned{Assignment: any(), Chain: any()})
}

func (w *world) spoil(t *rapid.T, m *mandate.Mandate) {
	switch roll(t, 12, "spoil") {
	case 0:
		m.Scope = nil
	case 1:
		m.Scope[0].Level = pick(t, "odd level", etoegang.NoLevel, etoegang.LoA1, 200)
	case 2:
		m.State = pick(t, "odd state", "", "lost", mandate.Active)
	case 3:
		m.Validity = mandate.Validity{}
	case 4:
		m.Validity.From, m.Validity.To = m.Validity.To, m.Validity.From
	case 5:
		m.Establishments = append(slices.Clone(shops), shops[0], etoegang.EstablishmentNumber{})
	case 6:
		m.Kind = pick(t, "odd kind", "", "gift", mandate.Chain, mandate.Direct)
	case 7:
		m.Grantor = mandate.Organisation{}
	}
}

// shuffled gives the same facts in another order, lists within mandates as well.
func shuffled(t *rapid.T, f decision.Facts) decision.Facts {
	f.Direct = shuffle(t, f.Direct)
	f.Chain = shuffle(t, f.Chain)
	f.Assigned = shuffle(t, f.Assigned)
	for _, list := range [][]mandate.Mandate{f.Direct, f.Chain} {
		for i := range list {
			list[i].Scope = shuffle(t, list[i].Scope)
			list[i].Establishments = shuffle(t, list[i].Establishments)
		}
	}
	if f.Service != nil && f.Service.Portal() {
		s := *f.Service
		s.Underlying = shuffle(t, s.Underlying)
		f.Service = &s
	}
	return f
}

func shuffle[S ~[]E, E any](t *rapid.T, list S) S {
	list = slices.Clone(list)
	for i := len(list) - 1; i > 0; i-- {
		j := roll(t, i+1, "shuffle")
		list[i], list[j] = list[j], list[i]
	}
	return list
}

// Hot decisions are kept, and signed answers are compared: the same facts must give
// the same answer whatever order a database lists them in, and asking twice must not
// change what was asked about.
func TestSameFactsSameAnswer(t *testing.T) {
	check(t, lawWorlds, func(t *rapid.T) {
		w := drawWorld(t)
		r := w.drawRequest(t)
		f := w.facts(r)
		want := decision.Decide(f, r)
		if diff := different(want, decision.Decide(shuffled(t, f), r)); diff != "" {
			t.Fatalf("the order of facts makes a difference\n%s\n%s", w.describe(r), diff)
		}
		if diff := different(want, decision.Decide(f, r)); diff != "" {
			t.Fatalf("the second answer is another\n%s\n%s", w.describe(r), diff)
		}
	})
}

// A hot decision is served at any moment from Since up to Until without asking anybody again.
// So at every such moment the answer has to be the same, to the last reason and to Until
// itself, and a change ahead has to be announced, whichever mandate brings it: one that is
// considered, one that is passed over, one that no register would hold. It is looked at
// just before, at and just after every edge there is, since nothing can happen elsewhere.
func TestSameAnswerUntilUntil(t *testing.T) {
	seen := map[string]int{}
	check(t, lawWorlds, func(t *rapid.T) {
		w, f, r := drawEdges(t)
		first := decision.Decide(f, r)
		if !first.Until.IsZero() && !first.Until.After(r.At) || first.Since.After(r.At) {
			t.Fatalf("since %v until %v does not hold %v", first.Since, first.Until, r.At)
		}
		for _, at := range momentsAround(f, r.At) {
			other := r
			other.At = at
			then := decision.Decide(f, other)
			if announced := !first.Until.IsZero() && !at.Before(first.Until) || at.Before(first.Since); announced {
				if then.Outcome != first.Outcome {
					seen["another outcome, announced"]++
				}
				continue
			}
			if diff := different(first, then); diff != "" {
				t.Fatalf("at %v, since %v and until %v, the answer is another than at %v\n%s\n%s", at, first.Since, first.Until, r.At, w.describe(r), diff)
			}
			seen["the same, "+first.Outcome.String()]++
			if at.Before(r.At) {
				seen["the same, before"]++
			}
			if first.Until.IsZero() {
				seen["nothing ahead"]++
			}
		}
	})
	t.Log("seen:", seen)
	for _, kind := range []string{"another outcome, announced", "nothing ahead", "the same, before", "the same, Permit", "the same, Choose", "the same, Deny"} {
		atLeast(t, seen, kind, lawWorlds/15)
	}
}

// drawEdges gives facts with as many edges around the moment of the request as there can
// be, in every fourth world with mandates that no register would hold.
func drawEdges(t *rapid.T) (*world, decision.Facts, decision.Request) {
	w := drawWorld(t)
	for range roll(t, 6, "more mandates") {
		w.mandates = append(w.mandates, w.drawMandate(t))
	}
	for i := range w.mandates {
		v := &w.mandates[i].Validity
		v.From = now.Add(time.Duration(roll(t, 20, "from")-15) * time.Second)
		v.To = v.From.Add(time.Duration(8+roll(t, 20, "lasts")) * time.Second)
	}
	r := w.drawRequest(t)
	r.At = r.At.Add(pick(t, "part of a second", 0, 0, time.Nanosecond, time.Second/2, -time.Nanosecond))
	if !oneIn(t, 4, "nonsense") {
		return w, w.facts(r), r
	}
	for i := range w.mandates {
		w.spoil(t, &w.mandates[i])
	}
	f := w.facts(r)
	w.addAny(t, &f)
	return w, f, r
}

// momentsAround lists all moments at which facts may change what they say, those beside
// them, and some near and far from the given one.
func momentsAround(f decision.Facts, from time.Time) []time.Time {
	moments := []time.Time{from, from.Add(time.Nanosecond), from.Add(-time.Nanosecond), from.AddDate(50, 0, 0), from.AddDate(-50, 0, 0)}
	around := func(m mandate.Mandate) {
		for _, edge := range []time.Time{m.Validity.From, m.Validity.To} {
			moments = append(moments, edge.Add(-time.Nanosecond), edge, edge.Add(time.Nanosecond))
		}
	}
	for _, m := range slices.Concat(f.Direct, f.Chain) {
		around(m)
	}
	for _, a := range f.Assigned {
		around(a.Assignment)
		around(a.Chain)
	}
	return moments
}

// opened lists for whom what may be done.
func opened(d decision.Decision) map[mandate.OrganisationID][]etoegang.ServiceUUID {
	all := map[mandate.OrganisationID][]etoegang.ServiceUUID{}
	for _, o := range d.Options {
		all[o.Represented.ID] = append(all[o.Represented.ID], o.Services...)
	}
	return all
}

// lost tells whether something that was open before is no longer open.
func lost(before, after decision.Decision) bool {
	now := opened(after)
	for company, services := range opened(before) {
		for _, s := range services {
			if !slices.Contains(now[company], s) {
				return true
			}
		}
	}
	return false
}

// Mandates only add up (there are no negative ones): whoever gets one more must not
// lose anything by it. For a recheck, where one option is enough, only the outcome
// counts.
func TestOneMoreMandateTakesNothingAway(t *testing.T) {
	check(t, lawWorlds, func(t *rapid.T) {
		w := drawWorld(t)
		r := w.drawRequest(t)
		before := decision.Decide(w.facts(r), r)
		w.mandates = append(w.mandates, w.drawMandate(t))
		after := decision.Decide(w.facts(r), r)
		if before.Outcome != decision.Deny && after.Outcome == decision.Deny {
			t.Fatalf("the last mandate turned %v into a denial\n%s", before.Outcome, w.describe(r))
		}
		if r.Question != decision.Recheck && lost(before, after) {
			t.Fatalf("the last mandate took something away: %v became %v\n%s", opened(before), opened(after), w.describe(r))
		}
	})
}

// Revoking, suspending, letting expire and blocking are what people do when somebody
// must be stopped. None of them may open anything.
func TestEndingSomethingOpensNothing(t *testing.T) {
	check(t, lawWorlds, func(t *rapid.T) {
		w := drawWorld(t)
		r := w.drawRequest(t)
		before := decision.Decide(w.facts(r), r)
		what := w.end(t, r.At)
		after := decision.Decide(w.facts(r), r)
		if before.Outcome == decision.Deny && after.Outcome != decision.Deny {
			t.Fatalf("%s turned a denial into %v\n%s", what, after.Outcome, w.describe(r))
		}
		if r.Question != decision.Recheck && lost(after, before) {
			t.Fatalf("%s opened something: %v became %v\n%s", what, opened(before), opened(after), w.describe(r))
		}
	})
}

// end stops a mandate or somebody, in one of the ways that people have for it.
func (w *world) end(t *rapid.T, at time.Time) string {
	way := roll(t, 5, "way to end")
	switch {
	case way == 3:
		somebody := w.drawParty(t)
		w.change(somebody, func(s standing) { *s.active = false })
		return fmt.Sprintf("that %s takes no part any more", somebody)
	case way == 4 || len(w.mandates) == 0:
		somebody := w.drawParty(t)
		w.block(somebody)
		return fmt.Sprintf("blocking %s", somebody)
	}
	m := &w.mandates[roll(t, len(w.mandates), "ended mandate")]
	switch way {
	case 0:
		m.State = pick(t, "ended", mandate.Revoked, mandate.LapsedUnused, mandate.Superseded)
		return "ending a mandate"
	case 1:
		if m.State.CanBecome(mandate.Suspended) {
			m.State = mandate.Suspended
		}
		return "suspending a mandate"
	}
	if m.Validity.To.After(at) {
		m.Validity.To = at
	}
	return "letting a mandate expire"
}

// The emergency stop does what it says and nothing else: every option that passes through
// the blocked party is gone and every other one stays as it was; all other reasons are
// still told; and time counts as before, so that lifting it needs no clock.
func TestBlockingStopsOnePartyAndNothingElse(t *testing.T) {
	seen := map[string]int{}
	check(t, lawWorlds, func(t *rapid.T) {
		w := drawWorld(t)
		r := w.drawRequest(t)
		somebody := w.drawParty(t)
		w.change(somebody, func(s standing) { *s.blocked = false })
		before := decision.Decide(w.facts(r), r)
		w.block(somebody)
		after := decision.Decide(w.facts(r), r)

		want, got := before, after
		want.Options = slices.DeleteFunc(slices.Clone(before.Options), func(o decision.Option) bool { return w.passes(r, o, somebody) })
		want.Outcome = decision.Outcome(min(len(want.Options), int(decision.Choose)))
		if len(want.Options) == 1 && len(want.Options[0].Services) > 1 && r.UserChooses && !r.Chosen && r.Question == decision.Authorize {
			want.Outcome = decision.Choose
		}
		want.Reasons, got.Reasons = exceptBlocked(before.Reasons), exceptBlocked(after.Reasons)
		if diff := different(want, got); diff != "" {
			t.Fatalf("blocking %s did something else\n%s\n%s", somebody, w.describe(r), diff)
		}
		if len(after.Options) < len(before.Options) {
			seen["fewer"]++
			if !slices.Contains(after.Codes(), decision.PartyBlocked) {
				t.Fatalf("blocking %s took something away without a word\n%s", somebody, w.describe(r))
			}
		}
		if len(after.Options) > 0 {
			seen["left"]++
		}
	})
	atLeast(t, seen, "fewer", lawWorlds/20)
	atLeast(t, seen, "left", lawWorlds/20)
}

// If somebody was blocked on every way there is, there is no way: never Permit, never a
// choice among them.
func TestNoOptionSurvivesABlockInEveryOption(t *testing.T) {
	seen := map[string]int{}
	check(t, lawWorlds, func(t *rapid.T) {
		w := drawWorld(t)
		r := w.drawRequest(t)
		before := decision.Decide(w.facts(r), r)
		for _, o := range before.Options {
			w.block(w.drawPartyOf(t, r, o))
		}
		if before.Outcome == decision.Deny {
			return
		}
		seen[string(r.Question)]++
		after := decision.Decide(w.facts(r), r)
		if after.Outcome != decision.Deny || !slices.Contains(after.Codes(), decision.PartyBlocked) {
			t.Fatalf("%v with a blocked party in every option\n%s", after.Outcome, w.describe(r))
		}
	})
	for _, q := range []decision.Question{decision.Authorize, decision.Confirm, decision.Recheck} {
		atLeast(t, seen, string(q), lawWorlds/50)
	}
}

// party is a company or a person of a world.
type party struct {
	company mandate.OrganisationID
	person  mandate.PersonID
}

func (p party) String() string {
	if p.person != 0 {
		return fmt.Sprintf("person %d", p.person)
	}
	return fmt.Sprintf("company %d", p.company)
}

func (w *world) drawParty(t *rapid.T) party {
	if oneIn(t, 4, "a person") {
		return party{person: w.drawPerson(t).ID}
	}
	return party{company: w.companies[roll(t, len(w.companies), "a company")].ID}
}

// drawPartyOf takes one of those through whom the option passes.
func (w *world) drawPartyOf(t *rapid.T, r decision.Request, o decision.Option) party {
	var all []party
	if o.Represented.ID != 0 { // whom the register does not know it cannot block
		all = append(all, party{company: o.Represented.ID})
	}
	if o.Intermediary != nil {
		all = append(all, party{company: o.Intermediary.ID})
	}
	if !r.Actor.IsZero() {
		all = append(all, party{person: w.facts(r).Person.ID})
	}
	return all[roll(t, len(all), "party of the option")]
}

// passes tells whether an option passes through a party. Whom the register does not know has no
// number, and is nobody's party.
func (w *world) passes(r decision.Request, o decision.Option, p party) bool {
	if person := w.facts(r).Person; p.company == 0 {
		return person != nil && p.person == person.ID
	}
	return p.company == o.Represented.ID || o.Intermediary != nil && p.company == o.Intermediary.ID
}

// standing is where it stands whether somebody may take part.
type standing struct{ active, blocked *bool }

func (w *world) block(p party) { w.change(p, func(s standing) { *s.blocked = true }) }

// change changes the standing of a party wherever the world has it.
func (w *world) change(p party, how func(standing)) {
	company := func(o *mandate.Organisation) {
		if p.company != 0 && o.ID == p.company {
			how(standing{&o.Active, &o.Blocked})
		}
	}
	person := func(q *mandate.Person) {
		if p.person != 0 && q.ID == p.person {
			how(standing{&q.Active, &q.Blocked})
		}
	}
	for i := range w.companies {
		company(&w.companies[i])
	}
	for i := range w.persons {
		person(&w.persons[i])
	}
	for i := range w.mandates {
		company(&w.mandates[i].Grantor)
		company(&w.mandates[i].Intermediary)
		person(&w.mandates[i].Person)
	}
}

func exceptBlocked(reasons []decision.Reason) []decision.Reason {
	return slices.DeleteFunc(slices.Clone(reasons), func(r decision.Reason) bool { return r.Code == decision.PartyBlocked })
}

// What an answer says has to be true of the mandates it names: each of them works at
// that moment, covers the services at the level, and belongs to the parties named. This
// is the promise to the provider, looked at from his side.
func TestEveryOptionIsBorneOut(t *testing.T) {
	check(t, lawWorlds, func(t *rapid.T) {
		w := drawWorld(t)
		r := w.drawRequest(t)
		f := w.facts(r)
		d := decision.Decide(f, r)
		for _, o := range d.Options {
			if complaint := w.complaint(r, d, o); complaint != "" {
				t.Fatalf("%s: %+v\n%s", complaint, o, w.describe(r))
			}
		}
	})
}

func (w *world) complaint(r decision.Request, d decision.Decision, o decision.Option) string {
	switch {
	case len(o.Mandates) == 0 || len(o.Services) == 0:
		return "an option without a mandate or a service"
	case d.Required < etoegang.LoA2 || o.Used < d.Required || o.Effective < d.Required:
		return "below the level that is required"
	case o.Effective > r.Authentication:
		return "above the level of the login"
	case o.Effective > o.Used:
		return "more effective than what was used"
	case !takesPart(o.Represented) || o.Intermediary != nil && !takesPart(*o.Intermediary):
		return "somebody takes no part or was blocked"
	case !r.Represented.IsZero() && !o.Represented.Is(r.Represented):
		return "another company than the one named"
	case r.Question != decision.Authorize && !r.Intermediary.IsZero() && o.Intermediary.KvK != r.Intermediary.KvK:
		return "another intermediary than the one named"
	case r.Question == decision.Recheck && r.Intermediary.IsZero() && o.Intermediary != nil:
		return "an intermediary that was not there before"
	case len(o.Establishments) > 0 && !w.service.Establishments:
		return "limited to establishments at a service that knows of none"
	case r.Question == decision.Confirm && !o.ConfirmAt.IsZero():
		return "a second intermediary"
	case (len(o.Identifiers) == 0) != !o.ConfirmAt.IsZero():
		return "whoever completes the chain names the company, and nobody else"
	}
	for _, id := range o.Identifiers {
		if !o.Represented.Is(id) {
			return "a number of another company"
		}
	}
	covered := map[etoegang.ServiceUUID]bool{}
	for _, id := range o.Mandates {
		m := w.mandates[id-1]
		if complaint := w.linkComplaint(r, d, o, m); complaint != "" {
			return complaint
		}
		for _, t := range w.service.Targets() {
			if covers(m, t, d.Required) {
				covered[t.UUID] = true
			}
		}
	}
	for _, s := range o.Services {
		if !covered[s] && o.ConfirmAt.IsZero() {
			return "a service that no mandate covers"
		}
	}
	return ""
}

func (w *world) linkComplaint(r decision.Request, d decision.Decision, o decision.Option, m mandate.Mandate) string {
	later := m.Kind == mandate.Chain && !o.ConfirmAt.IsZero()
	switch {
	case m.State != mandate.Active || r.At.Before(m.Validity.From) || !r.At.Before(m.Validity.To):
		return "a mandate that does not work now"
	case !takesPart(m.Grantor):
		return "a grantor who takes no part or was blocked"
	case m.Kind != mandate.Chain && !w.mayAct(m.Person.ID):
		return "a person who takes no part or was blocked"
	case m.Kind != mandate.Chain && m.Person.Subject != r.Actor:
		return "a mandate to somebody else"
	case m.Kind == mandate.Direct && o.Intermediary != nil && r.OwnElsewhere && r.Chosen:
		if o.ConfirmAt.IsZero() || m.Grantor.ID != o.Intermediary.ID || len(m.Establishments) > 0 {
			return "the mandate of an office that is not asked through, or to which nobody must say yes"
		}
	case m.Kind == mandate.Direct && (o.Intermediary != nil || m.Grantor.ID != o.Represented.ID):
		return "a direct mandate of another company"
	case m.Kind == mandate.Chain && (m.Grantor.ID != o.Represented.ID || m.Intermediary.ID != o.Intermediary.ID):
		return "a chain of other companies"
	case m.Kind == mandate.Chain && !m.Register.IsZero() && m.Register != o.ConfirmAt:
		return "hearsay as a statement of our own"
	case m.Kind == mandate.Assignment && m.Grantor.ID != o.Intermediary.ID:
		return "an assignment by another intermediary"
	case m.Kind == mandate.Assignment && !slices.Contains(o.Mandates, m.Client):
		return "an assignment without its client"
	}
	highest := slices.Max(append(slices.Collect(maps.Values(w.levels(m, o))), etoegang.NoLevel))
	switch {
	case highest == etoegang.NoLevel:
		return "a mandate that covers nothing of it"
	case !later && o.Used > highest:
		return "used above the level of a link"
	case !later && highest < d.Required:
		return "a link below the level"
	}
	return ""
}

// levels tells at which level the mandate covers each of the option's services.
func (w *world) levels(m mandate.Mandate, o decision.Option) map[etoegang.Target]etoegang.AssuranceLevel {
	found := map[etoegang.Target]etoegang.AssuranceLevel{}
	for _, t := range w.service.Targets() {
		for _, level := range levels {
			if slices.Contains(o.Services, t.UUID) && covers(m, t, level) {
				found[t] = max(found[t], level)
			}
		}
	}
	return found
}

func takesPart(o mandate.Organisation) bool { return o.Active && !o.Blocked }

func (w *world) mayAct(id mandate.PersonID) bool {
	return slices.ContainsFunc(w.persons, func(p mandate.Person) bool { return p.ID == id && p.Active && !p.Blocked })
}

// A caller that forgets to say whom it asks about must be told no. Each of these asks
// something that Decide could only answer by guessing.
func TestHalfAQuestionIsDenied(t *testing.T) {
	w := smallChain()
	for why, r := range map[string]decision.Request{
		"recheck of no company": {Question: decision.Recheck, Actor: anna.Subject},
		"recheck of no company through an intermediary": {Question: decision.Recheck, Actor: anna.Subject,
			Intermediary: etoegang.Intermediary{KvK: office.KvK}},
		"confirm of no company":      {Question: decision.Confirm, Intermediary: etoegang.Intermediary{KvK: office.KvK}},
		"confirm of no intermediary": {Question: decision.Confirm, Represented: bakery.KvK.LegalSubject()},
		"authorize of nobody":        {Question: decision.Authorize, Represented: bakery.KvK.LegalSubject()},
		"an unknown question":        {Question: "demand", Actor: anna.Subject, Represented: bakery.KvK.LegalSubject()},
		"no question":                {Actor: anna.Subject, Represented: bakery.KvK.LegalSubject()},
		"no moment":                  {Question: decision.Authorize, Actor: anna.Subject, Represented: bakery.KvK.LegalSubject(), At: time.Time{}.Add(1)},
	} {
		if r.At.IsZero() {
			r.At = now
		}
		r.Authentication, r.Previous = etoegang.LoA4, etoegang.LoA4
		f := w.facts(r)
		f.Chain = w.chains() // even if the register searches too widely
		if d := decision.Decide(f, r); d.Outcome != decision.Deny {
			t.Errorf("%s: %v", why, d.Outcome)
		}
	}
}

// smallChain is a world in which everything is in order: the bakery mandated the office
// and anna, and the office assigned the bakery to anna.
func smallChain() *world {
	w := &world{
		service: &etoegang.Service{UUID: vat, Provider: taxOffice, Level: etoegang.LoA3, Public: true, Establishments: true,
			EntityTypes: [][]etoegang.EntityType{{etoegang.TypeKvKNr}}},
		companies: []mandate.Organisation{bakery, joiner, office, firm},
		persons:   []mandate.Person{anna, bram},
		mandates: []mandate.Mandate{
			{Kind: mandate.Chain, Grantor: bakery, Intermediary: office},
			{Kind: mandate.Assignment, Grantor: office, Person: anna, Client: 1},
			{Kind: mandate.Direct, Grantor: bakery, Person: anna},
		},
	}
	for i := range w.mandates {
		m := &w.mandates[i]
		m.ID, m.State, m.Scope = mandate.ID(i+1), mandate.Active, mandate.Scope{mandate.Everything(etoegang.LoA4)}
		m.Validity = mandate.Validity{From: now.Add(-time.Hour), To: now.Add(time.Hour)}
	}
	return w
}

// The person stands in the messages of the second question too, and is not its matter:
// naming him there must not turn it into the first question.
func TestConfirmIsAboutTheCompanyOnly(t *testing.T) {
	w := smallChain()
	r := decision.Request{Question: decision.Confirm, At: now, Authentication: etoegang.LoA4, Previous: etoegang.LoA4,
		Represented: bakery.KvK.LegalSubject(), Intermediary: etoegang.Intermediary{KvK: office.KvK}}
	want := decision.Decide(w.facts(r), r)
	r.Actor = anna.Subject
	if diff := different(want, decision.Decide(w.facts(r), r)); diff != "" {
		t.Error(diff)
	}
	w.block(party{person: anna.ID})
	if diff := different(want, decision.Decide(w.facts(r), r)); diff != "" {
		t.Error("her own register answers for the person:", diff)
	}
}

// The two links of a chain have to be links of the same chain. A register that mixed
// them up must not make Decide mix them up as well.
func TestLinksThatDoNotMeetAreNoChain(t *testing.T) {
	r := decision.Request{Question: decision.Authorize, At: now, Authentication: etoegang.LoA4, Actor: anna.Subject}
	for why, spoil := range map[string]func(f *decision.Facts){
		"an assignment by another office":          func(f *decision.Facts) { f.Assigned[0].Assignment.Grantor = firm },
		"an assignment of another client":          func(f *decision.Facts) { f.Assigned[0].Assignment.Client = 7 },
		"an assignment to somebody else":           func(f *decision.Facts) { f.Assigned[0].Assignment.Person = bram },
		"a direct mandate as the company's link":   func(f *decision.Facts) { f.Assigned[0].Chain.Kind = mandate.Direct },
		"a client's link limited to one shop only": func(f *decision.Facts) { f.Assigned[0].Chain.Establishments = shops[:1] },
		"an office that one link knows as blocked": func(f *decision.Facts) { f.Assigned[0].Chain.Intermediary.Blocked = true },
	} {
		f := smallChain().facts(r)
		f.Direct = nil
		if d := decision.Decide(f, r); d.Outcome != decision.Permit {
			t.Fatalf("nothing spoilt: %+v", d)
		}
		spoil(&f)
		if d := decision.Decide(f, r); d.Outcome != decision.Deny {
			t.Errorf("%s: %v", why, d.Outcome)
		}
	}
}

// A state that nobody knows carries nothing: only active mandates do.
func TestUnknownStateCarriesNothing(t *testing.T) {
	cases, err := corpus.Load("../../testdata/decisions")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		f := c.Facts()
		for _, state := range []mandate.State{"", "forgotten", "Active"} {
			for i := range f.Direct {
				f.Direct[i].State = state
			}
			for i := range f.Chain {
				f.Chain[i].State = state
			}
			for i := range f.Assigned {
				f.Assigned[i].Chain.State = state
			}
			if d := decision.Decide(f, c.Question); d.Outcome != decision.Deny {
				t.Errorf("%s with mandates in state %q: %v", c.Name, state, d.Outcome)
			}
		}
	}
}
