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
	"time"

	"github.com/mandated/mandated/pkg/catalogue"
	"github.com/mandated/mandated/pkg/decision"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
)

// Register is where mandates are found. Read gives one snapshot begun after the call,
// in which all facts of a decision are looked up. *register.Register is one.
type Register interface {
	Read(ctx context.Context, fn func(*register.Snapshot) error) error
}

// Catalogues gives the service catalogue that a snapshot names. It may be asked by many
// goroutines, and reads what it does not have at hand from that same snapshot. If it
// cannot, it returns an error: a decision on another catalogue would be about other
// services.
type Catalogues interface {
	Of(s *register.Snapshot) (*catalogue.Catalogue, error)
}

// Journal keeps records. Append returns nil only when the record is durable.
type Journal interface {
	Append(ctx context.Context, id string, body []byte) error
}

// Config is what a decision point is made of. All of it is required.
type Config struct {
	Register   Register
	Catalogues Catalogues
	Journal    Journal
	Now        func() time.Time

	// Key makes the hashes under which the journal names those whom the register
	// does not know: 32 secret bytes that never change.
	Key []byte

	// ConfirmHere is this register's own name if a chain with both halves here is to
	// be answered in two questions; zero to answer it in one.
	ConfirmHere etoegang.EntityID
	TestNetwork bool // services that are not public may be used

	// Certified is the highest level that this register may state. NoLevel: any.
	Certified etoegang.AssuranceLevel
}

// PDP is a decision point. It may be used by many goroutines.
type PDP struct{ c Config }

// New makes a decision point.
func New(c Config) *PDP { return &PDP{c} }

// Request is what is asked, by whom, in the words in which it was asked.
type Request struct {
	Question decision.Question
	Caller   etoegang.EntityID // who asks; zero for the register's own people
	Message  string            // the caller's name for the question, to find it back by
	Trace    string            // W3C trace id; "" if there is none
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

	// What ties the record to the messages around it: the assertion that will carry the
	// answer, those that it rests on, and the provider for whom it is. Each may be left out.
	Assertion string
	RestsOn   []string
	Audience  etoegang.EntityID

	// Deliver prepares what the asker gets with a Permit. If it fails, nothing was
	// permitted and the record says so. Nil: nothing to prepare.
	Deliver func(Answer) error
}

// Answer is a decision with where it came from.
type Answer struct {
	decision.Decision
	ID        string // of the journal record
	At        time.Time
	Revision  register.Revision
	Catalogue int64
	Instance  catalogue.Instance // the service asked for; zero if it is unknown
}

// ErrNotFoundOut is wrapped by every error of Decide: what is asked could not be found
// out. It is neither a Permit nor a Deny.
var ErrNotFoundOut = errors.New("pdp: could not be found out")

// recordPatience is how long the journal may take for one record. After that nothing was
// found out, although the record may still be written: it says decided, not delivered.
const recordPatience = 10 * time.Second

// Decide answers a request. When it returns an Answer, its record is durable. Every
// error is an ErrNotFoundOut; that too is recorded if the journal can be written.
func (p *PDP) Decide(ctx context.Context, r Request) (Answer, error) {
	if r.At.IsZero() {
		r.At = p.c.Now()
	}
	answer := Answer{ID: newID(), At: r.At}
	facts, err := p.gather(ctx, r, &answer)
	if err != nil {
		err = fmt.Errorf("%w: gathering facts: %w", ErrNotFoundOut, err)
	} else {
		answer.Decision = decision.Decide(facts.decided, p.request(r))
		if answer.Outcome == decision.Permit && r.Deliver != nil {
			if err = r.Deliver(answer); err != nil {
				err = fmt.Errorf("%w: preparing the answer: %w", ErrNotFoundOut, err)
			}
		}
	}
	// The record does not depend on whether the asker is still there.
	recordCtx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordPatience)
	defer cancel()
	if recordErr := p.record(recordCtx, r, facts, answer, err); recordErr != nil {
		return Answer{}, fmt.Errorf("%w: recording: %w", ErrNotFoundOut, recordErr)
	}
	if err != nil {
		return Answer{}, err
	}
	return answer, nil
}

// Explain decides without a record, for people who manage the register and look at its
// rules. Its answer must not be given to anybody who acts on it.
func (p *PDP) Explain(ctx context.Context, r Request) (Answer, decision.Facts, decision.Request, error) {
	if r.At.IsZero() {
		r.At = p.c.Now()
	}
	answer := Answer{At: r.At}
	facts, err := p.gather(ctx, r, &answer)
	if err != nil {
		return Answer{}, facts.decided, decision.Request{}, fmt.Errorf("%w: gathering facts: %w", ErrNotFoundOut, err)
	}
	request := p.request(r)
	answer.Decision = decision.Decide(facts.decided, request)
	return answer, facts.decided, request, nil
}

func (p *PDP) request(r Request) decision.Request {
	d := decision.Request{
		Question: r.Question, At: r.At, Asked: r.Asked, Authentication: r.Login,
		Actor: r.Actor, Intermediary: r.Intermediary, Previous: r.Previous, Establishments: r.Establishments,
		Certified: p.c.Certified, ConfirmHere: p.c.ConfirmHere, TestNetwork: p.c.TestNetwork,
	}
	if len(r.Represented) > 0 {
		d.Represented = r.Represented[0]
	}
	return d
}

// facts are those that are decided on, and whom the register knows of those asked about.
type facts struct {
	decided      decision.Facts
	intermediary *mandate.Organisation
}

// gather looks everything up in one snapshot.
func (p *PDP) gather(ctx context.Context, r Request, a *Answer) (f facts, err error) {
	err = p.c.Register.Read(ctx, func(s *register.Snapshot) error {
		a.Revision, a.Catalogue = s.Revision(), s.CatalogueSequence()
		if err := p.service(s, r, a, &f.decided); err != nil {
			return err
		}
		if f.decided.Represented, err = company(s, r.Represented); err != nil {
			return err
		}
		if !r.Intermediary.IsZero() {
			if f.intermediary, err = s.Organisation(r.Intermediary.KvK.LegalSubject()); err != nil {
				return err
			}
		}
		if r.Actor.IsZero() {
			f.decided.Chain, err = s.Between(first(r.Represented), r.Intermediary)
			return err
		}
		held, err := s.HeldBy(r.Actor, first(r.Represented))
		f.decided.Person, f.decided.Direct = held.Person, held.Direct
		for _, assigned := range held.Assigned {
			f.decided.Assigned = append(f.decided.Assigned, decision.Assigned(assigned))
		}
		return err
	})
	return f, err
}

func (p *PDP) service(s *register.Snapshot, r Request, a *Answer, f *decision.Facts) error {
	if a.Catalogue == 0 {
		return errors.New("the register has no service catalogue yet")
	}
	c, err := p.c.Catalogues.Of(s)
	if err != nil {
		return err
	}
	instance, ok := c.Find(r.ServiceID, r.ServiceUUID)
	if ok {
		a.Instance, f.Service = instance, instance.Service()
	}
	return nil
}

// company finds the organisation that all identifiers name together; nil if nobody has
// them all.
func company(s *register.Snapshot, subjects []etoegang.LegalSubject) (*mandate.Organisation, error) {
	if len(subjects) == 0 {
		return nil, nil
	}
	o, err := s.Organisation(subjects[0])
	if err != nil || o == nil {
		return nil, err
	}
	for _, other := range subjects[1:] {
		if !o.Is(other) {
			return nil, nil
		}
	}
	return o, nil
}

func first(subjects []etoegang.LegalSubject) etoegang.LegalSubject {
	if len(subjects) == 0 {
		return etoegang.LegalSubject{}
	}
	return subjects[0]
}

// newID names a record: 128 random bits.
func newID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // crypto/rand never fails
	return hex.EncodeToString(b[:])
}
