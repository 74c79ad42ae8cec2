// Package pdp is the decision point: it gathers the facts of one moment, lets package
// decision decide, and records the decision before anybody hears of it. It is what
// programs import that want decisions without SAML.
//
// The package owns the order of these steps and the contents of the record. It has no
// rules of its own, and has never heard of SAML, HTTP, or how anything is stored.
package pdp

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/mandated/mandated/pkg/catalogue"
	"github.com/mandated/mandated/pkg/decision"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/freshness"
	"github.com/mandated/mandated/pkg/register"
)

// Register is where mandates are found. *register.Register is one.
type Register interface {
	// Read gives one snapshot begun after the call, in which all facts of a decision
	// are looked up.
	Read(ctx context.Context, fn func(*register.Snapshot) error) error

	// The parties by which the register tells what a change touched.
	PersonParty(etoegang.ActingSubject) register.Party
	SubjectParty(etoegang.LegalSubject) register.Party
	CatalogueParty() register.Party
}

// Catalogues gives service catalogues. It may be asked by many goroutines.
type Catalogues interface {
	// Of gives the catalogue that a snapshot names, and reads what it does not have at
	// hand from that same snapshot. If it cannot, it returns an error: a decision on
	// another catalogue would be about other services.
	Of(s *register.Snapshot) (*catalogue.Catalogue, error)

	// Loaded gives a catalogue that is at hand, by its sequence.
	Loaded(sequence int64) (*catalogue.Catalogue, bool)
}

// Journal keeps records. Append returns nil only when the record is durable.
type Journal interface {
	Append(ctx context.Context, id string, body []byte) error
}

// Hot keeps findings for questions that are asked again. Nothing it gives is believed:
// freshness judges each, so it may lose, mix up or invent whatever it likes.
type Hot interface {
	Memory(key string) (*Finding, bool)                     // what this process kept
	Redis(ctx context.Context, key string) (*Finding, bool) // what any node kept
	Put(key string, f *Finding, until time.Time)            // zero: for as long as it likes
}

// Config is what a decision point is made of. Unless it says otherwise, it is required.
type Config struct {
	Register   Register
	Catalogues Catalogues
	Journal    Journal
	Now        func() time.Time

	// Hot and Freshness let decisions be used again. Without them every question asks
	// the register. Freshness also watches the clock: a node whose clock is not the
	// database's decides nothing.
	Hot       Hot
	Freshness *freshness.Follower

	// Key makes the hashes under which the journal names those whom the register
	// does not know: 32 secret bytes that never change.
	Key []byte

	// ConfirmHere is this register's own name if a chain with both halves here is to
	// be answered in two questions; zero to answer it in one.
	ConfirmHere etoegang.EntityID
	TestNetwork bool // services that are not public may be used

	// OwnElsewhere: whom an intermediary has mandated itself may choose its clients at other
	// registers; see decision.Request.
	OwnElsewhere bool

	// Certified is the highest level that this register may state. NoLevel: any.
	Certified etoegang.AssuranceLevel
}

// PDP is a decision point. It may be used by many goroutines.
type PDP struct {
	c       Config
	flights flights
	rules   string // what in c enters every decision, as part of keys
}

// New makes a decision point.
func New(c Config) *PDP {
	p := &PDP{c: c}
	p.rules = p.settings()
	return p
}

// Request is what is asked, by whom, in the words in which it was asked.
type Request struct {
	Question decision.Question
	Caller   etoegang.EntityID // who asks; zero for the register's own people
	Message  string            // the caller's name for the question, to find it back by
	Trace    Trace             // of which the question is part
	At       time.Time         // the moment to decide for; zero: now

	ServiceID   etoegang.ServiceID
	ServiceUUID etoegang.ServiceUUID
	Asked       etoegang.AssuranceLevel
	Login       etoegang.AssuranceLevel

	Actor          etoegang.ActingSubject
	Represented    []etoegang.LegalSubject // one company, under one or more identifiers
	Intermediary   etoegang.Intermediary
	Previous       etoegang.AssuranceLevel
	Establishments []etoegang.EstablishmentNumber

	// UserChooses says that the user can be asked to choose.
	UserChooses bool

	// What the user has chosen besides Represented, Intermediary and Establishments: see
	// decision.Request.
	Chosen    bool
	ConfirmAt etoegang.EntityID
	Services  []etoegang.ServiceUUID

	// AtLeast is a revision that the asker knows of: no older answer is good for him.
	AtLeast register.Revision

	// What ties the record to the messages around it: the assertion that will carry the
	// answer, those that it rests on, and the provider for whom it is. Each may be left out.
	Assertion string
	RestsOn   []string
	Audience  etoegang.EntityID

	// Deliver prepares what the asker gets with a Permit. If it fails, nothing was
	// permitted and the record says so. Nil: nothing to prepare.
	Deliver func(Answer) error
}

// Trace is a place in a W3C trace context: the trace, the span in which the question is
// answered, and the asker's span, in hexadecimal digits. Each may be empty.
type Trace struct{ ID, Span, Parent string }

// Answer is a decision with where it came from.
type Answer struct {
	decision.Decision
	ID        string // of the journal record
	At        time.Time
	Revision  register.Revision // of which the facts are
	View      register.Revision // up to which they are known to be unchanged
	Hot       Source            // where a kept decision came from; "" if the register was asked
	Catalogue int64
	Instance  catalogue.Instance // the service asked for; zero if it is unknown

	// More: there are companies that were not looked at, since it was clear already that
	// there is something to choose. Options and Reasons are about those that were.
	More bool
}

// ErrNotFoundOut is wrapped by every error of Decide: what is asked could not be found
// out. It is neither a Permit nor a Deny.
var ErrNotFoundOut = errors.New("pdp: could not be found out")

// recordPatience is how long the journal may take for one record. After that nothing was
// found out, although the record may still be written: it says decided, not delivered.
const recordPatience = 3 * time.Second

// ErrBehind is the error of a question that asks for a revision that the register does
// not have: its asker knows another register than this one, or knows wrong.
var ErrBehind = errors.New("pdp: the register does not have the revision asked for")

// Decide answers a request. When it returns an Answer, its record is durable. Every
// error is an ErrNotFoundOut; that too is recorded if the journal can be written.
func (p *PDP) Decide(ctx context.Context, r Request) (Answer, error) {
	if r.At.IsZero() {
		r.At = p.c.Now()
	}
	found, err := p.find(ctx, r)
	return p.conclude(ctx, r, found, err)
}

// DecideAll answers several requests from one snapshot. Answers and errors are those of
// Decide, by the place of their request; each has its own record.
func (p *PDP) DecideAll(ctx context.Context, all []Request) ([]Answer, []error) {
	all = slices.Clone(all)
	now := p.c.Now()
	for i := range all {
		if all[i].At.IsZero() {
			all[i].At = now
		}
	}
	findings, errs := p.findAll(ctx, all)
	answers := make([]Answer, len(all))
	for i, r := range all {
		answers[i], errs[i] = p.conclude(ctx, r, findings[i], errs[i])
	}
	return answers, errs
}

// Probe finds what Decide would, on the same road and without a record. It is for the
// register's own canary, which asks about nobody; nobody else may act on it.
func (p *PDP) Probe(ctx context.Context, r Request) (decision.Decision, Source, error) {
	r.At = p.c.Now()
	found, err := p.find(ctx, r)
	if err != nil {
		return decision.Decision{}, found.source, fmt.Errorf("%w: gathering facts: %w", ErrNotFoundOut, err)
	}
	return found.Decision, found.source, nil
}

// conclude makes what was found an answer, and records it before anybody hears of it.
func (p *PDP) conclude(ctx context.Context, r Request, found used, err error) (Answer, error) {
	answer := Answer{ID: newID(), At: r.At, View: found.view, Hot: found.source}
	if err != nil {
		err = fmt.Errorf("%w: gathering facts: %w", ErrNotFoundOut, err)
	} else {
		err = p.fill(&answer, r, found.Finding)
	}
	if err == nil && answer.Outcome == decision.Permit && r.Deliver != nil {
		if err = r.Deliver(answer); err != nil {
			err = fmt.Errorf("%w: preparing the answer: %w", ErrNotFoundOut, err)
		}
	}
	// The record does not depend on whether the asker is still there.
	recordCtx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordPatience)
	defer cancel()
	if recordErr := p.record(recordCtx, r, found.Finding, answer, err); recordErr != nil {
		return Answer{}, fmt.Errorf("%w: recording: %w", ErrNotFoundOut, recordErr)
	}
	if err != nil {
		return Answer{}, err
	}
	return answer, nil
}

// fill puts a finding into an answer, with the service as its catalogue has it.
func (p *PDP) fill(a *Answer, r Request, f *Finding) error {
	a.Decision, a.Revision, a.Catalogue, a.More = f.Decision, f.Stamp.Revision, f.Catalogue, f.More
	c, ok := p.c.Catalogues.Loaded(f.Catalogue)
	if !ok {
		return fmt.Errorf("%w: service catalogue %d is not at hand", ErrNotFoundOut, f.Catalogue)
	}
	a.Instance, _ = c.Find(r.ServiceID, r.ServiceUUID)
	return nil
}

// Explain decides without a record and from the register alone, for people who manage the
// register and look at its rules. Its answer must not be given to anybody who acts on it.
func (p *PDP) Explain(ctx context.Context, r Request) (Answer, decision.Facts, decision.Request, error) {
	if r.At.IsZero() {
		r.At = p.c.Now()
	}
	answer := Answer{At: r.At}
	var facts decision.Facts
	err := p.c.Register.Read(ctx, func(s *register.Snapshot) (err error) {
		f, known, err := p.compute(s, r, everything)
		if err != nil {
			return err
		}
		facts = known
		return p.fill(&answer, r, f)
	})
	if err != nil {
		return Answer{}, facts, decision.Request{}, fmt.Errorf("%w: gathering facts: %w", ErrNotFoundOut, err)
	}
	return answer, facts, p.request(r), nil
}

func (p *PDP) request(r Request) decision.Request {
	d := decision.Request{
		Question: r.Question, At: r.At, Asked: r.Asked, Authentication: r.Login,
		Actor: r.Actor, Intermediary: r.Intermediary, Previous: r.Previous, Establishments: r.Establishments,
		UserChooses: r.UserChooses, Chosen: r.Chosen, ConfirmAt: r.ConfirmAt, Services: r.Services,
		Certified: p.c.Certified, ConfirmHere: p.c.ConfirmHere, TestNetwork: p.c.TestNetwork, OwnElsewhere: p.c.OwnElsewhere,
	}
	if len(r.Represented) > 0 {
		d.Represented = r.Represented[0]
	}
	return d
}

// newID names a record: 128 random bits.
func newID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // crypto/rand never fails
	return hex.EncodeToString(b[:])
}
