// Package decision answers the one question of a mandate register: may this person,
// perhaps through this intermediary, use this service for this company, at this level
// of assurance, at this moment?
//
// Decide is pure. It gets facts and a request and gives a decision with its reasons;
// the time is part of the request. The same input gives the same output, on every
// machine and in ten years. There is no I/O, no clock, no context, and no way to
// fail: what could not be found out never reaches this package.
//
// The rules follow the scheme's "Vaststellen bevoegdheid" and the HM-MR interface
// specifications, version 1.13; rules.go has them in that order. Mandates only ever
// add up: there are no negative mandates, and what nothing permits is denied.
package decision

import (
	"slices"
	"time"

	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/mandate"
)

// Question is what is being asked.
type Question string

// The kinds of question.
const (
	// Authorize: may this person use the service, and for which company? Asked by a
	// broker of the register that the person named when he logged in.
	Authorize Question = "authorize"
	// Confirm: does this company let this intermediary act for it? Asked by a broker
	// of the second register of a chain.
	Confirm Question = "confirm"
	// Recheck: does what was asserted before still hold? Asked by a service provider.
	// With an Actor it is about the person's half of the answer, without one about
	// the company's.
	Recheck Question = "recheck"
)

// Request is everything that is asked. Who asks has been verified; what is asked is
// not yet judged.
type Request struct {
	Question Question
	At       time.Time // the moment the answer is about

	Asked          etoegang.AssuranceLevel // what the service wants this time; NoLevel: what the catalogue says
	Authentication etoegang.AssuranceLevel // at which the person logged in

	// Actor is the person, for Authorize and for Recheck of his half.
	Actor etoegang.ActingSubject

	// Represented is the company. Confirm and Recheck need it. For Authorize it is
	// the company that the broker prefers: a filter on what is found, never a proof.
	Represented etoegang.LegalSubject

	// Intermediary is the company between them, for Confirm and Recheck. A Recheck
	// without one is about a direct mandate.
	Intermediary etoegang.Intermediary

	// Chosen says that the user has chosen among several options (Authorize; GUC4.4): the
	// one that Represented, Intermediary, Establishments, ConfirmAt and Services name, and
	// no other will do.
	Chosen    bool
	ConfirmAt etoegang.EntityID      // where the company's half is to be confirmed; zero: here
	Services  []etoegang.ServiceUUID // of those behind a portal (GUC4.3); none: all

	// Previous is the level that the first register stated (Confirm, and Recheck of
	// the company's half).
	Previous etoegang.AssuranceLevel

	// Establishments limit what was asserted before (Recheck): a mandate that now
	// reaches less far does not hold it up. Or they are part of what was chosen.
	Establishments []etoegang.EstablishmentNumber

	// ConfirmHere, when set, is this register's own name: a chain whose halves are
	// both here is then answered with an obligation to ask this register again,
	// instead of in one go (setting chain.same_register: confirm).
	ConfirmHere etoegang.EntityID

	// UserChooses says that a user can be asked to choose (Authorize): several services behind
	// a portal are then a Choose, also if there is one company (GUC4.3).
	UserChooses bool

	// OwnElsewhere, when set, lets a person whom an intermediary has mandated itself choose a
	// client of it that another register confirms, without an assignment (GUC4.5; setting
	// chain.elsewhere: mandated).
	OwnElsewhere bool

	// Certified is the highest level that this register may state; NoLevel: any.
	Certified etoegang.AssuranceLevel

	// TestNetwork tells that this is a test network, where services that are not
	// public may be used.
	TestNetwork bool
}

// personsHalf tells whether the person who acts is part of the question.
func (r Request) personsHalf() bool {
	return r.Question == Authorize || r.Question == Recheck && !r.Actor.IsZero()
}

// Facts is what the register and the catalogue know, all of one moment. Mandates may
// be in any state and of any time: judging them is the decision.
type Facts struct {
	Service *etoegang.Service // nil: not in the catalogue

	Person   *mandate.Person   // nil: nobody is registered under that name
	Direct   []mandate.Mandate // to the person
	Assigned []Assigned        // to the person, by an intermediary

	Represented *mandate.Organisation // the company that the request names; nil: unknown here
	Chain       []mandate.Mandate     // between Represented and the request's Intermediary
}

// Assigned is a client's chain mandate together with its assignment to a person.
type Assigned struct{ Assignment, Chain mandate.Mandate }

// meets tells whether the two links are one chain, from a company through an intermediary
// to the person who acts.
func (a Assigned) meets(r Request) bool {
	return a.Assignment.Kind == mandate.Assignment && a.Chain.Kind == mandate.Chain &&
		a.Assignment.Client == a.Chain.ID && a.Assignment.Grantor.ID == a.Chain.Intermediary.ID && a.Chain.Intermediary.ID != 0 &&
		a.Assignment.Person.Subject == r.Actor && len(a.Chain.Establishments) == 0
}

// Outcome is the answer in one word. Deny is the zero value.
type Outcome uint8

// The outcomes.
const (
	Deny   Outcome = iota
	Permit         // exactly one option
	Choose         // several options, or services: somebody has to choose
)

func (o Outcome) String() string {
	return [...]string{"Deny", "Permit", "Choose"}[o]
}

// Decision is the answer and all that led to it.
type Decision struct {
	Outcome Outcome

	// Options are the ways in which the person may act: one for Permit, more for Choose, or
	// one with several services; none for Deny. Own organisation first, then by the register's number.
	Options []Option

	// Reasons tell, for every mandate that was considered and does not help, why.
	// After a Deny they are the answer; after a Permit they explain what else was
	// looked at.
	Reasons []Reason

	Required etoegang.AssuranceLevel // the level that every link had to reach

	// Since and Until are the last moment, not after the request's At, and the first
	// later one at which the same facts may give another answer, because a mandate
	// considered begins or ends. Zero: there is none. From Since up to, not including,
	// Until the same facts and request give this very Decision, to the last reason.
	Since, Until time.Time
}

// Option is one way to act.
type Option struct {
	Represented    mandate.Organisation
	Intermediary   *mandate.Organisation // nil: a direct mandate
	Establishments []etoegang.EstablishmentNumber

	// Identifiers name the represented company for the provider: the first set of
	// types in the catalogue that can be filled. Empty when ConfirmAt is set, since
	// then the next register gives them.
	Identifiers []etoegang.LegalSubject

	// Services are the definitions covered: the one asked for, or those behind a
	// portal.
	Services []etoegang.ServiceUUID

	// Used is the level of the mandate, the lowest of all links so far
	// (LevelOfAssuranceUsed). Effective is the lowest of Used and the
	// authentication: what the provider can count on.
	Used, Effective etoegang.AssuranceLevel

	// Mandates are the links that carry the option, the person's first. Unconfirmed are those
	// among them that this register holds and has still to confirm, in a question of its own
	// (Request.ConfirmHere): they were not judged in full.
	Mandates, Unconfirmed []mandate.ID

	// ConfirmAt names the register that has to confirm the company's half before
	// this option means anything; zero when nothing is left to confirm.
	ConfirmAt etoegang.EntityID
}

// Decide answers the request from the facts. It is total and deterministic; the order
// in which facts are listed makes no difference.
func Decide(f Facts, r Request) Decision {
	d := Decision{}
	if code := judgeService(f.Service, r); code != "" {
		d.Reasons = []Reason{{Code: code}}
		return d
	}
	d.Required = required(f.Service, r)

	considered := paths(f, r)
	general := judgeRequest(f, r, d.Required, len(considered) > 0)
	d.Reasons = general
	var holding []found
	for _, p := range considered {
		hit, reasons := consider(p, f.Service, r, d.Required)
		holding = append(holding, hit...)
		d.Reasons = append(d.Reasons, reasons...)
		last, next := p.edges(r.At)
		d.Since, d.Until = latest(d.Since, last), earliest(d.Until, next)
	}
	if len(general) == 0 {
		d.Options = options(holding, r)
	}
	if r.Chosen {
		d.dropNarrower(r.Services)
	}
	d.Reasons = tidy(d.Reasons)
	d.Outcome = Outcome(min(len(d.Options), int(Choose)))
	if d.Outcome == Permit && r.choosesServices(d.Options[0]) {
		d.Outcome = Choose
	}
	return d
}

// path is one way along which authority may flow from the company to the person:
// one link, or two with an intermediary between them.
type path struct {
	links       []mandate.Mandate // person's side first
	grantor     mandate.Organisation
	through     *mandate.Organisation
	establish   []etoegang.EstablishmentNumber
	confirmAt   etoegang.EntityID
	informative int // index of the link that another register must confirm, or -1; it may not be known here
}

// paths lists every path that the request is about.
func paths(f Facts, r Request) []path {
	var all []path
	if r.personsHalf() {
		for _, m := range f.Direct {
			if m.Kind == mandate.Direct && m.Person.Subject == r.Actor {
				all = append(all, path{links: []mandate.Mandate{m}, grantor: m.Grantor, establish: m.Establishments, informative: -1})
				if r.choosesElsewhere() && m.Grantor.KvK == r.Intermediary.KvK && len(m.Establishments) == 0 && !m.Grantor.Is(r.Represented) {
					all = append(all, elsewherePath(m, f, r))
				}
			}
		}
		for _, a := range f.Assigned {
			if a.meets(r) {
				all = append(all, chainPath(a, r))
			}
		}
	} else {
		for _, m := range f.Chain {
			if m.Kind == mandate.Chain && m.Register.IsZero() { // only a register that holds a mandate can confirm it
				all = append(all, path{links: []mandate.Mandate{m}, grantor: m.Grantor, through: &m.Intermediary, informative: -1})
			}
		}
	}
	return slices.DeleteFunc(all, func(p path) bool { return !p.bears() || !p.askedFor(r) })
}

// chainPath is the path through an intermediary. What another register holds, or what
// this one was told to confirm in a question of its own, is information here and not a
// statement (HM-MR chain authorization: the first register asserts its own link only).
func chainPath(a Assigned, r Request) path {
	p := path{
		links:       []mandate.Mandate{a.Assignment, a.Chain},
		grantor:     a.Chain.Grantor,
		through:     &a.Chain.Intermediary,
		confirmAt:   a.Chain.Register,
		informative: -1,
	}
	if p.confirmAt.IsZero() && r.Question == Authorize {
		p.confirmAt = r.ConfirmHere
	}
	if !p.confirmAt.IsZero() {
		p.informative = 1
	}
	return p
}

// bears tells whether every link is one that people would look at: not a request that came
// to nothing, nor a mandate whose successor speaks for it.
func (p path) bears() bool {
	return !slices.ContainsFunc(p.links, func(m mandate.Mandate) bool { return !m.State.Bears() })
}

// askedFor tells whether the path is about the parties that the request names.
func (p path) askedFor(r Request) bool {
	switch r.Question {
	case Authorize:
		return (r.Represented.IsZero() || p.grantor.Is(r.Represented)) && (!r.Chosen || p.chosen(r))
	case Confirm, Recheck:
		if !p.grantor.Is(r.Represented) {
			return false
		}
	default:
		return false
	}
	if p.through == nil {
		return r.Intermediary.IsZero()
	}
	return p.through.KvK == r.Intermediary.KvK
}

// unconfirmed are the links of which this register is to be asked once more.
func (p path) unconfirmed() []mandate.ID {
	if p.informative < 0 || p.informative >= len(p.links) || !p.links[p.informative].Register.IsZero() {
		return nil
	}
	return []mandate.ID{p.links[p.informative].ID}
}

func (p path) ids() []mandate.ID {
	ids := make([]mandate.ID, len(p.links))
	for i, m := range p.links {
		ids[i] = m.ID
	}
	return ids
}

// edges are the last moment up to at, and the first one after it, when a link of the path
// begins or ends. Time makes no difference to one that has ended for good or was never
// granted.
func (p path) edges(at time.Time) (last, next time.Time) {
	for _, m := range p.links {
		if m.State != mandate.Active && m.State != mandate.Suspended {
			continue
		}
		for _, edge := range []time.Time{m.Validity.From, m.Validity.To} {
			if edge.After(at) {
				next = earliest(next, edge)
			} else {
				last = latest(last, edge)
			}
		}
	}
	return last, next
}

// latest is the later of two moments, of which zero is the earliest.
func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// earliest is the earlier of two moments, where zero means never.
func earliest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
