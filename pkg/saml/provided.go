package saml

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/xmlsec"
)

// Provided is what a service provider reads in its broker's answer (DV-HM response, 1.13):
// who acts for whom, through whom, and on whose word.
type Provided struct {
	Brokered
	Represented    []etoegang.LegalSubject // one company, under each type of identifier that the service wants
	Acting         etoegang.SpecificPseudonym
	Intermediary   etoegang.Intermediary // zero for a direct mandate
	Establishments []etoegang.EstablishmentNumber
	ServiceID      etoegang.ServiceID
	ServiceUUID    etoegang.ServiceUUID
	Names          map[string]string // further attributes that registers gave, by name

	Login      Authentication // in the advice
	Statements []Statement    // in the advice, that of the person's own register first
}

// Refusal is the error of an answer by which nobody is logged in. It is the broker's, and to
// the request that was made.
type Refusal struct {
	Status  Status
	Message string // StatusMessage
}

// MessageCancelled is what a register says of a user who gave up there.
const MessageCancelled = "cancelled"

func (r *Refusal) Error() string {
	return fmt.Sprintf("saml: nobody is logged in: %.200q", r.Status.Short())
}

// Cancelled tells whether the user gave up. The scheme has one status for that and for a user
// who may not act (Error handling, 1.13); who refuses says why in the message.
func (r *Refusal) Cancelled() bool {
	return r.Status == ResponderAuthnFailed && (r.Message == "" || r.Message == MessageCancelled)
}

// Provided reads a broker's answer to a provider's request, that must have arrived at that
// address of the provider, judges it and decrypts what is for the provider. A *Refusal is the
// error of an answer by which nobody is logged in.
func (r *Receiver) Provided(s *SignedOn, request, address string, now time.Time) (p Provided, err error) {
	if err := s.awaited(request, address); err != nil {
		return p, err
	}
	if s.Status != Success {
		return p, &Refusal{s.Status, s.Message}
	}
	if p.Brokered, err = ParseBrokered(s.verified[0]); err != nil {
		return p, err
	}
	if err := p.holds(now, r.Ages.Skew); err != nil {
		return p, err
	}
	if err := p.meantFor(r.Self); err != nil {
		return p, err
	}
	n := s.verified[0].Root()
	c, err := readConfirmation(n)
	if err != nil {
		return p, err
	}
	if err := c.holds(now, r.Ages.Skew); err != nil {
		return p, err
	}
	if err := c.answers(request, address); err != nil {
		return p, err
	}
	if err := p.readAdvice(r, s.verified[1:]); err != nil {
		return p, err
	}
	if err := p.readAttributes(r, n); err != nil {
		return p, err
	}
	return p, p.judge(r, now)
}

// judge holds what the broker says against what others have signed: the broker may neither
// raise a level, nor put another company or person in the place of the registers', nor hand on
// what was said to another provider or long ago.
func (p *Provided) judge(r *Receiver, now time.Time) error {
	if err := p.Login.meantFor(r.Self); err != nil {
		return err
	}
	if err := p.Login.recent(now, r.Ages.Skew); err != nil {
		return err
	}
	first, second, err := orderStatements(&p.Login, p.Statements)
	if err != nil {
		return err
	}
	last := first
	if second != nil {
		last = second
		p.Statements = []Statement{*first, *second}
	}
	if err := p.judgeStatements(r, now); err != nil {
		return err
	}
	if err := p.judgeActing(r, first); err != nil {
		return err
	}
	return p.judgeCompany(r, last)
}

// judgeStatements looks at what all statements must have in common, and at the level.
func (p *Provided) judgeStatements(r *Receiver, now time.Time) error {
	level := p.Login.Level
	for i := range p.Statements {
		s := &p.Statements[i]
		if s.Decision != "Permit" || s.ServiceUUID != p.ServiceUUID || s.ServiceID != p.ServiceID {
			return problem(ProblemStatement, "%s permits something else", s.Issuer)
		}
		if err := s.evidence(now, maxAuthenticationAge, r.Ages.Skew); err != nil {
			return err
		}
		level = min(level, s.Used)
	}
	if p.Level > level {
		return problem(ProblemStatement, "the level is raised")
	}
	return nil
}

// judgeActing: the person is who his own register says. The broker repeats that, or leaves it
// to be read there.
func (p *Provided) judgeActing(r *Receiver, first *Statement) error {
	stated, err := first.actingFor(r)
	if err != nil {
		return err
	}
	if p.Acting.IsZero() {
		p.Acting = stated
	}
	if p.Acting != stated {
		return problem(ProblemStatement, "the register has stated another person")
	}
	return nil
}

// actingFor reads the person's pseudonym for the provider; zero if the statement has none.
func (s *Statement) actingFor(r *Receiver) (etoegang.SpecificPseudonym, error) {
	name, err := s.OpenActing(r.Self, r.Openers)
	if err != nil || name == "" {
		return etoegang.SpecificPseudonym{}, err
	}
	pseudonym, err := etoegang.ParseSpecificPseudonym(name)
	if err != nil {
		return pseudonym, wrap(ProblemIdentifier, err, "ActingSubjectID")
	}
	return pseudonym, nil
}

// judgeCompany: the company is the one that the last register stated.
func (p *Provided) judgeCompany(r *Receiver, last *Statement) error {
	stated, err := last.OpenRepresented(r.Self, r.Openers)
	if err != nil {
		return err
	}
	if !slices.Equal(stated, p.Represented) || last.Intermediary() != p.Intermediary || !slices.Equal(last.Establishments, p.Establishments) {
		return problem(ProblemStatement, "the register has stated something else")
	}
	if !last.Confirm.IsZero() {
		return problem(ProblemStatement, "%s has not confirmed it", last.Confirm)
	}
	return nil
}

// Demand is what a provider wants of whoever it lets in.
type Demand struct {
	ServiceID      etoegang.ServiceID
	ServiceUUID    etoegang.ServiceUUID
	Level          etoegang.AssuranceLevel // at least
	Establishments bool                    // mandates that are limited to establishments are of use
}

// What may be missing of it.
var (
	ErrService        = errors.New("saml: it is about another service")
	ErrLevel          = errors.New("saml: the level is too low")
	ErrNoCompany      = errors.New("saml: it names no company")
	ErrEstablishments = errors.New("saml: it is limited to an establishment, and this service cannot be")
)

// Meets tells what a provider must look at itself before it lets somebody in. The errors are
// those above.
func (p *Provided) Meets(d Demand) error {
	switch {
	case p.ServiceID != d.ServiceID || p.ServiceUUID != d.ServiceUUID:
		return ErrService
	case p.Level < d.Level:
		return fmt.Errorf("%w: it is %s, and %s is needed", ErrLevel, p.Level, d.Level)
	case len(p.Represented) == 0:
		return ErrNoCompany
	case len(p.Establishments) > 0 && !d.Establishments:
		return ErrEstablishments
	}
	return nil
}

// readAdvice reads what the broker's assertion rests on.
func (p *Provided) readAdvice(r *Receiver, advice []xmlsec.Verified) error {
	var all brought
	for _, v := range advice {
		issuer, err := etoegang.ParseEntityID(v.Issuer())
		if err != nil {
			return wrap(ProblemIdentifier, err, "Issuer")
		}
		if err := all.add(issuer.Role(), v); err != nil {
			return err
		}
	}
	if len(all.logins) != 1 || len(all.statements) == 0 {
		return problem(ProblemAssertions, "%d log-ins and %d statements in advice", len(all.logins), len(all.statements))
	}
	p.Login, p.Statements, p.Names = all.logins[0], all.statements, map[string]string{}
	for _, s := range p.Statements {
		names, err := s.OpenAttributes(r.Self, r.Openers)
		if err != nil {
			return err
		}
		maps.Copy(p.Names, names)
	}
	return nil
}

func (p *Provided) readAttributes(r *Receiver, n *xmlsec.Node) error {
	statement, err := n.One(inSAML("AttributeStatement"))
	if err != nil {
		return wrap(ProblemMalformed, err, "assertion")
	}
	for _, v := range attributeValues(statement, etoegang.AttributeLegalSubjectID) {
		subject, err := openSubject(v, r.Self, r.Openers)
		if err != nil {
			return err
		}
		p.Represented = append(p.Represented, subject)
	}
	acting := Statement{acting: attributeValues(statement, etoegang.AttributeActingSubjectID)}
	if p.Acting, err = acting.actingFor(r); err != nil {
		return err
	}
	for _, v := range attributeValues(statement, etoegang.AttributeIntermediateKvKNr) {
		if p.Intermediary, err = etoegang.ParseIntermediary(v.Text); err != nil {
			return wrap(ProblemIdentifier, err, "IntermediateEntityID")
		}
	}
	for _, v := range attributeValues(statement, etoegang.RestrictionEstablishment) {
		e, err := etoegang.ParseEstablishmentNumber(v.Text)
		if err != nil {
			return wrap(ProblemIdentifier, err, "Vestigingsnr")
		}
		p.Establishments = append(p.Establishments, e)
	}
	return p.readService(statement)
}

func (p *Provided) readService(statement *xmlsec.Node) error {
	id, err := attributeValue(statement, etoegang.AttributeServiceID)
	if err != nil {
		return err
	}
	if p.ServiceID, err = etoegang.ParseServiceID(id.Text); err != nil {
		return wrap(ProblemIdentifier, err, "ServiceID")
	}
	uuid, err := attributeValue(statement, etoegang.AttributeServiceUUID)
	if err != nil {
		return err
	}
	if p.ServiceUUID, err = etoegang.ParseServiceUUID(uuid.Text); err != nil {
		return wrap(ProblemIdentifier, err, "ServiceUUID")
	}
	return nil
}

// attributeValues gathers the values of the SAML attribute with that name.
func attributeValues(statement *xmlsec.Node, name string) (values []*xmlsec.Node) {
	for a := range statement.Each(inSAML("Attribute")) {
		if got, _ := a.Attr("Name"); got == name {
			values = append(values, a.All(inSAML("AttributeValue"))...)
		}
	}
	return values
}
