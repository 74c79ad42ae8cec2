package decision_test

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/mandated/mandated/internal/corpus"
	"github.com/mandated/mandated/pkg/decision"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/mandate"
)

// model answers as Decide should, written a second time from what the scheme and the
// documentation say: one yes-or-no question for each reason, asked of every link of
// every way, and levels found by trying them all. It is slow, and it shares nothing
// with Decide but the types.
func model(f decision.Facts, r decision.Request) decision.Decision {
	if code := modelService(f.Service, r); code != "" {
		return decision.Decision{Reasons: []decision.Reason{{Code: code}}}
	}
	q := question{Request: r, service: *f.Service, required: r.Asked}
	if r.Asked == etoegang.NoLevel {
		q.required = catalogueLevel(f.Service)
	}
	d := decision.Decision{Required: q.required, Reasons: q.general(f)}
	blocked := len(d.Reasons) > 0

	var holding []way
	told := map[decision.Reason]bool{}
	for _, w := range q.ways(f) {
		reasons := q.reasons(w)
		for _, reason := range reasons {
			told[reason] = true
		}
		if len(reasons) == 0 {
			holding = append(holding, w)
		}
		for _, m := range w.links {
			if !alive[m.State] {
				continue
			}
			d.Until = sooner(r.At, d.Until, m.Validity.From)
			d.Until = sooner(r.At, d.Until, m.Validity.To)
			for _, edge := range []time.Time{m.Validity.From, m.Validity.To} {
				if !edge.After(r.At) && edge.After(d.Since) {
					d.Since = edge
				}
			}
		}
	}
	for _, id := range slices.Sorted(maps.Keys(mandatesOf(told))) {
		for _, code := range decision.Codes() {
			if reason := (decision.Reason{Code: code, Mandate: id}); told[reason] {
				d.Reasons = append(d.Reasons, reason)
			}
		}
	}
	if !blocked {
		d.Options = q.options(holding)
	}
	if q.Chosen {
		q.lessThanChosen(&d)
	}
	switch len(d.Options) {
	case 0:
		d.Outcome = decision.Deny
	case 1:
		d.Outcome = decision.Permit
	default:
		d.Outcome = decision.Choose
	}
	if d.Outcome == decision.Permit && q.Question == decision.Authorize && q.UserChooses && !q.Chosen && len(d.Options[0].Services) > 1 {
		d.Outcome = decision.Choose
	}
	return d
}

type question struct {
	decision.Request
	service  etoegang.Service
	required etoegang.AssuranceLevel
}

// way is how the person, or the intermediary, could act for a company.
type way struct {
	links   []mandate.Mandate // the last is the company's
	via     *mandate.Organisation
	next    etoegang.EntityID // who has to confirm the last link
	onlyFor []etoegang.EstablishmentNumber
	other   *mandate.Organisation // a company whose link is not here at all
}

func (w way) company() mandate.Organisation {
	if w.other != nil {
		return *w.other
	}
	return w.links[len(w.links)-1].Grantor
}

func mandatesOf(told map[decision.Reason]bool) map[mandate.ID]bool {
	ids := map[mandate.ID]bool{}
	for reason := range told {
		ids[reason.Mandate] = true
	}
	return ids
}

// sooner is the moment that comes first after now.
func sooner(now, a, b time.Time) time.Time {
	switch {
	case !b.After(now):
		return a
	case a.IsZero() || b.Before(a):
		return b
	}
	return a
}

// catalogueLevel: loa1 has ended, so nothing needs less than loa2.
func catalogueLevel(s *etoegang.Service) etoegang.AssuranceLevel {
	if s.Level < etoegang.LoA2 {
		return etoegang.LoA2
	}
	return s.Level
}

func modelService(s *etoegang.Service, r decision.Request) decision.Code {
	if s == nil {
		return decision.ServiceUnknown
	}
	if !s.Public && !r.TestNetwork {
		return decision.ServiceNotPublic
	}
	tooHigh := func(l etoegang.AssuranceLevel) bool { return r.Certified != etoegang.NoLevel && l > r.Certified }
	switch r.Asked {
	case etoegang.NoLevel:
		if tooHigh(catalogueLevel(s)) {
			return decision.LevelUnsupported
		}
		return ""
	case etoegang.LoA2, etoegang.LoA2Plus, etoegang.LoA3, etoegang.LoA4:
		if r.Asked > catalogueLevel(s) {
			return decision.LevelAboveCatalogue
		}
		if tooHigh(r.Asked) {
			return decision.LevelUnsupported
		}
		return ""
	}
	return decision.LevelUnsupported
}

func (q question) aboutPerson() bool {
	return q.Question == decision.Authorize || q.Question == decision.Recheck && !q.Actor.IsZero()
}

// ways lists all that the question is about, but for mandates that nobody looks at any more.
func (q question) ways(f decision.Facts) []way {
	gone := map[mandate.State]bool{"superseded": true, "rejected": true, "withdrawn": true, "request-expired": true}
	return slices.DeleteFunc(q.everyWay(f), func(w way) bool {
		return slices.ContainsFunc(w.links, func(m mandate.Mandate) bool { return gone[m.State] })
	})
}

func (q question) everyWay(f decision.Facts) []way {
	var all []way
	if !q.aboutPerson() {
		for _, m := range f.Chain {
			if m.Register.IsZero() && m.Grantor.Is(q.Represented) && m.Intermediary.KvK == q.Intermediary.KvK {
				all = append(all, way{links: []mandate.Mandate{m}, via: &m.Intermediary})
			}
		}
		return all
	}
	asked := func(company mandate.Organisation) bool {
		return company.Is(q.Represented) || q.Represented.IsZero() && q.Question == decision.Authorize
	}
	again := q.Question == decision.Recheck
	for _, m := range f.Direct {
		if asked(m.Grantor) && (!again || q.Intermediary.IsZero()) {
			all = append(all, way{links: []mandate.Mandate{m}, onlyFor: m.Establishments})
		}
		if company, ok := q.other(f); ok && m.Grantor.KvK == q.Intermediary.KvK && m.Grantor.KvK.Text() != q.Represented.Text() && len(m.Establishments) == 0 {
			all = append(all, way{links: []mandate.Mandate{m}, via: &m.Grantor, next: q.ConfirmAt, other: &company})
		}
	}
	for _, a := range f.Assigned {
		w := way{links: []mandate.Mandate{a.Assignment, a.Chain}, via: &a.Chain.Intermediary, next: a.Chain.Register}
		if w.next.IsZero() && !again {
			w.next = q.ConfirmHere
		}
		if asked(a.Chain.Grantor) && (!again || a.Chain.Intermediary.KvK == q.Intermediary.KvK) {
			all = append(all, w)
		}
	}
	if q.Chosen {
		return slices.DeleteFunc(all, func(w way) bool { return !q.isChosen(w) })
	}
	return all
}

// other is a company that another register is to confirm, whatever is known of it here.
func (q question) other(f decision.Facts) (mandate.Organisation, bool) {
	kvk, err := etoegang.ParseKvKNumber(q.Represented.Text())
	if q.Question != decision.Authorize || !q.Chosen || !q.OwnElsewhere || q.ConfirmAt.IsZero() || q.ConfirmAt == q.ConfirmHere ||
		q.Represented.Type() != etoegang.TypeKvKNr || err != nil {
		return mandate.Organisation{}, false
	}
	if f.Represented != nil {
		return *f.Represented, true
	}
	return mandate.Organisation{KvK: kvk, Active: true}, true
}

// isChosen compares a way with what the user pressed.
func (q question) isChosen(w way) bool {
	via := ""
	if w.via != nil {
		via = w.via.KvK.Text()
	}
	if via != q.Intermediary.KvK.Text() || w.next != q.ConfirmAt || len(w.onlyFor) != len(q.Establishments) {
		return false
	}
	for _, e := range q.Establishments {
		if !slices.Contains(w.onlyFor, e) {
			return false
		}
	}
	return true
}

// targets are the services that count: those that were chosen, or all.
func (q question) targets() (list []etoegang.Target) {
	for _, t := range q.service.Targets() {
		if len(q.Services) == 0 || slices.Contains(q.Services, t.UUID) {
			list = append(list, t)
		}
	}
	return list
}

// lessThanChosen takes away what has not got every service that was chosen.
func (q question) lessThanChosen(d *decision.Decision) {
	for _, s := range q.Services {
		if len(d.Options) == 1 && !slices.Contains(d.Options[0].Services, s) {
			d.Reasons = append(d.Reasons, decision.Reason{Code: decision.ServiceNotCovered, Mandate: d.Options[0].Mandates[0]})
			d.Options = nil
		}
	}
	slices.SortStableFunc(d.Reasons, func(a, b decision.Reason) int { return cmp.Compare(a.Mandate, b.Mandate) })
}

// general is what stands in the way without being about one mandate.
func (q question) general(f decision.Facts) []decision.Reason {
	unknown := !q.Represented.IsZero() && f.Represented == nil
	if _, other := q.other(f); other && len(q.ways(f)) > 0 {
		unknown = false
	}
	nothing := !unknown && len(q.ways(f)) == 0
	holds := map[decision.Code]bool{
		decision.AuthenticationTooLow: q.Authentication < q.required,
		decision.RepresentedUnknown:   unknown,
		decision.NoMandateToPerson:    nothing && q.aboutPerson(),
		decision.NoMandateToCompany:   nothing && !q.aboutPerson(),
		decision.PartyInactive:        q.aboutPerson() && f.Person != nil && !f.Person.Active,
		decision.PartyBlocked:         q.aboutPerson() && f.Person != nil && f.Person.Blocked,
		decision.AssuranceTooLow:      !q.aboutPerson() && q.Previous < q.required,
	}
	var reasons []decision.Reason
	for _, code := range decision.Codes() {
		if holds[code] {
			reasons = append(reasons, decision.Reason{Code: code})
		}
	}
	return reasons
}

// reasons asks of every link everything that can be wrong with it.
func (q question) reasons(w way) []decision.Reason {
	var reasons []decision.Reason
	for i, m := range w.links {
		for code, wrong := range map[decision.Code]bool{
			decision.PartyInactive:          !m.Grantor.Active || len(w.links) == 1 && w.via != nil && !w.via.Active || w.other != nil && !w.other.Active,
			decision.PartyBlocked:           m.Grantor.Blocked || len(w.links) == 1 && w.via != nil && w.via.Blocked || w.other != nil && w.other.Blocked,
			decision.NotYetGranted:          pending[m.State],
			decision.LapsedUnused:           m.State == "lapsed-unused",
			decision.Revoked:                !pending[m.State] && !alive[m.State] && m.State != "lapsed-unused",
			decision.Suspended:              m.State == "suspended",
			decision.NotYetValid:            alive[m.State] && q.At.Before(m.Validity.From),
			decision.Expired:                alive[m.State] && !q.At.Before(m.Validity.From) && !q.At.Before(m.Validity.To),
			decision.ServiceNotCovered:      q.notCovered(w, i),
			decision.AssuranceTooLow:        q.tooLow(w, i),
			decision.EstablishmentMismatch:  i == len(w.links)-1 && q.mismatch(w),
			decision.IdentifierNotAvailable: i == len(w.links)-1 && w.next.IsZero() && q.identifiers(w, false) == nil,
		} {
			if wrong {
				reasons = append(reasons, decision.Reason{Code: code, Mandate: m.ID})
			}
		}
	}
	return reasons
}

var (
	pending = map[mandate.State]bool{"draft": true, "requested": true, "awaiting-signatures": true, "awaiting-acceptance": true}
	alive   = map[mandate.State]bool{"active": true, "suspended": true}
)

var levels = []etoegang.AssuranceLevel{etoegang.LoA4, etoegang.LoA3, etoegang.LoA2Plus, etoegang.LoA2, etoegang.LoA1}

// covers tells whether m has an item for the service at the level or higher.
func covers(m mandate.Mandate, t etoegang.Target, level etoegang.AssuranceLevel) bool {
	for _, item := range m.Scope {
		everything := item.Service.IsZero() && item.Provider.IsZero()
		service := !item.Service.IsZero() && item.Service == t.UUID
		provider := item.Service.IsZero() && !item.Provider.IsZero() && item.Provider == t.Provider
		if item.Level >= level && (everything || service || provider) {
			return true
		}
	}
	return false
}

// reaches tells whether every link of the way covers the service at the level. What
// another question will be asked about has no level in this one.
func (w way) reaches(t etoegang.Target, level etoegang.AssuranceLevel) bool {
	for i, m := range w.links {
		if i == 1 && !w.next.IsZero() {
			level = etoegang.LoA1
		}
		if !covers(m, t, level) {
			return false
		}
	}
	return true
}

func (q question) reachesAny(w way) bool {
	for _, t := range q.targets() {
		if w.reaches(t, q.required) {
			return true
		}
	}
	return false
}

// coversAny tells whether the link by itself covers one of the services.
func (q question) coversAny(m mandate.Mandate, level etoegang.AssuranceLevel) bool {
	for _, t := range q.targets() {
		if covers(m, t, level) {
			return true
		}
	}
	return false
}

func (q question) notCovered(w way, i int) bool {
	if q.reachesAny(w) {
		return false
	}
	if !q.coversAny(w.links[i], etoegang.LoA1) {
		return true
	}
	// Each link is good for something, but not for the same: then it is told of the
	// first, which can be changed without the company.
	for j := range w.links {
		if q.tooLow(w, j) || !q.coversAny(w.links[j], etoegang.LoA1) {
			return false
		}
	}
	return i == 0
}

func (q question) tooLow(w way, i int) bool {
	confirmedLater := i == 1 && !w.next.IsZero()
	return !q.reachesAny(w) && !confirmedLater && q.coversAny(w.links[i], etoegang.LoA1) && !q.coversAny(w.links[i], q.required)
}

// mismatch: a limit to establishments that the service would not understand, or that
// the answer given before did not have.
func (q question) mismatch(w way) bool {
	if len(w.onlyFor) == 0 {
		return false
	}
	nameless := q.identifiers(w, false) != nil && q.identifiers(w, true) == nil
	if !q.service.Establishments || nameless {
		return true
	}
	if q.Question != decision.Recheck {
		return false
	}
	for _, e := range q.Establishments {
		if !slices.Contains(w.onlyFor, e) {
			return true
		}
	}
	return len(q.Establishments) == 0
}

// identifiers is the first set that can be filled, or nil. A KvK number makes sense of
// an establishment number, so a limited mandate needs it.
func (q question) identifiers(w way, limited bool) []etoegang.LegalSubject {
	own := map[etoegang.EntityType]etoegang.LegalSubject{}
	if kvk := w.company().KvK; !kvk.IsZero() {
		own[etoegang.TypeKvKNr] = kvk.LegalSubject()
	}
	if rsin := w.company().RSIN; !rsin.IsZero() {
		own[etoegang.TypeRSIN] = rsin.LegalSubject()
	}
	for _, set := range q.service.EntityTypes {
		var filled []etoegang.LegalSubject
		kvk := false
		for _, kind := range set {
			kvk = kvk || kind == etoegang.TypeKvKNr
			if id, ok := own[kind]; ok {
				filled = append(filled, id)
			}
		}
		if len(set) > 0 && len(filled) == len(set) && (kvk || !limited) {
			return filled
		}
	}
	return nil
}

// choice is what a person can tell apart.
type choice struct {
	company, via mandate.OrganisationID
	onlyFor      string
	next         etoegang.EntityID
}

func (w way) choice() choice {
	var numbers []string
	for _, e := range w.onlyFor {
		numbers = append(numbers, e.Text())
	}
	slices.Sort(numbers)
	c := choice{company: w.company().ID, onlyFor: strings.Join(numbers, " "), next: w.next}
	if w.via != nil {
		c.via = w.via.ID
	}
	return c
}

func (q question) options(holding []way) []decision.Option {
	all := map[choice][]way{}
	for _, w := range holding {
		all[w.choice()] = append(all[w.choice()], w)
	}
	options := map[choice]decision.Option{}
	for c, ways := range all {
		options[c] = q.option(ways)
	}
	var kept []decision.Option
	for _, c := range slices.SortedFunc(maps.Keys(options), inOrder) {
		if !q.needless(c, options) {
			kept = append(kept, options[c])
		}
	}
	if q.Question == decision.Recheck && len(kept) > 1 {
		kept = kept[:1]
	}
	return kept
}

// needless tells whether another choice says as much or more in a simpler way.
func (q question) needless(c choice, all map[choice]decision.Option) bool {
	for other, o := range all {
		missing := slices.ContainsFunc(all[c].Services, func(s etoegang.ServiceUUID) bool { return !slices.Contains(o.Services, s) })
		if other.company != c.company || other.via != c.via || missing {
			continue
		}
		here := func(e etoegang.EntityID) bool { return e.IsZero() || e == q.ConfirmHere }
		completes := here(other.next) && !here(c.next)
		includes := !q.Represented.IsZero() && other.onlyFor == "" && c.onlyFor != ""
		if completes || includes {
			return true
		}
	}
	return false
}

func inOrder(a, b choice) int {
	return cmp.Or(
		cmp.Compare(min(a.via, 1), min(b.via, 1)), // own organisation first
		cmp.Compare(a.company, b.company),
		cmp.Compare(a.via, b.via),
		cmp.Compare(len(a.onlyFor), len(b.onlyFor)),
		cmp.Compare(a.onlyFor, b.onlyFor),
		cmp.Compare(a.next.String(), b.next.String()),
	)
}

// option adds up ways that differ in nothing but their mandates.
func (q question) option(ways []way) decision.Option {
	o := decision.Option{
		Represented:    ways[0].company(),
		Intermediary:   ways[0].via,
		Establishments: slices.Clone(ways[0].onlyFor),
		ConfirmAt:      ways[0].next,
		Used:           etoegang.LoA4,
	}
	slices.SortFunc(o.Establishments, func(a, b etoegang.EstablishmentNumber) int { return cmp.Compare(a.Text(), b.Text()) })
	if o.ConfirmAt.IsZero() {
		o.Identifiers = q.identifiers(ways[0], len(ways[0].onlyFor) > 0)
	}
	services := map[string]etoegang.ServiceUUID{}
	for _, t := range q.targets() {
		services[t.UUID.String()] = t.UUID
	}
	for _, name := range slices.Sorted(maps.Keys(services)) {
		best, level := q.best(ways, services[name])
		if best == nil {
			continue
		}
		o.Services = append(o.Services, services[name])
		o.Used = min(o.Used, level)
		for _, m := range best.links {
			if !slices.Contains(o.Mandates, m.ID) {
				o.Mandates = append(o.Mandates, m.ID)
				if m.Kind == mandate.Chain && m.Register.IsZero() && !o.ConfirmAt.IsZero() {
					o.Unconfirmed = append(o.Unconfirmed, m.ID)
				}
			}
		}
	}
	if q.Certified != etoegang.NoLevel && o.Used > q.Certified {
		o.Used = q.Certified
	}
	o.Effective = min(o.Used, q.Authentication)
	return o
}

// best is the way that reaches the service at the highest level; among equals the one
// with the lowest numbers. What is above the level of the first register is equal.
func (q question) best(ways []way, service etoegang.ServiceUUID) (best *way, level etoegang.AssuranceLevel) {
	for _, level = range levels {
		if !q.aboutPerson() && level > q.Previous {
			continue
		}
		for _, t := range q.targets() {
			for _, w := range ways {
				if level >= q.required && t.UUID == service && w.reaches(t, level) && (best == nil || lowerNumbers(w, *best)) {
					best = &w
				}
			}
		}
		if best != nil {
			break
		}
	}
	return best, level
}

func lowerNumbers(a, b way) bool {
	return slices.CompareFunc(a.links, b.links, func(x, y mandate.Mandate) int { return cmp.Compare(x.ID, y.ID) }) < 0
}

// Two implementations that were written apart and agree on a hundred thousand small
// worlds are unlikely to share a mistake. What the worlds had in them is counted, so
// that the test cannot quietly become one of a hundred thousand dull denials.
func TestDecideAgreesWithModel(t *testing.T) {
	const worlds = 100_000 / corpus.Slower
	seen := map[string]int{}
	check(t, worlds, func(t *rapid.T) {
		w := drawWorld(t)
		r := w.drawRequest(t)
		got, want := decision.Decide(w.facts(r), r), model(w.facts(r), r)
		if diff := different(want, got); diff != "" {
			t.Fatalf("Decide does not say what the model says (-model +Decide)\n%s\n%s", w.describe(r), diff)
		}
		count(seen, r, got)
	})
	t.Log("seen:", seen)
	if t.Failed() {
		return
	}
	for _, code := range decision.Codes() {
		atLeast(t, seen, string(code), worlds/300)
	}
	for _, q := range []decision.Question{decision.Authorize, decision.Confirm, decision.Recheck} {
		atLeast(t, seen, fmt.Sprint(q, decision.Permit), worlds/50)
	}
	atLeast(t, seen, fmt.Sprint(decision.Authorize, decision.Choose), worlds/50)
	for _, kind := range []string{"through", "confirm", "only", "several services"} {
		atLeast(t, seen, kind, worlds/50)
	}
	atLeast(t, seen, "several ways", worlds/500)
}

// count notes what kind of answer this was.
func count(seen map[string]int, r decision.Request, d decision.Decision) {
	seen[fmt.Sprint(r.Question, d.Outcome)]++
	for _, code := range d.Codes() {
		seen[string(code)]++
	}
	for _, o := range d.Options {
		for kind, has := range map[string]bool{
			"through": o.Intermediary != nil, "confirm": !o.ConfirmAt.IsZero(), "only": len(o.Establishments) > 0,
			"several services": len(o.Services) > 1, "several ways": len(o.Mandates) > 1 && o.Intermediary == nil || len(o.Mandates) > 2,
		} {
			if has {
				seen[kind]++
			}
		}
	}
}

func atLeast(t *testing.T, seen map[string]int, kind string, wanted int) {
	if seen[kind] < wanted {
		t.Errorf("the worlds are dull: %q came up %d times, not %d", kind, seen[kind], wanted)
	}
}
