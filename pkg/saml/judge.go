package saml

import (
	"slices"
	"time"

	"github.com/mandated/mandated/pkg/etoegang"
)

// judgeAuthorize holds the log-in against the query (HM-MR, 1.13): it is fresh, meant
// for us, names us as the person's register, and is about the same service and person.
func (r *Receiver) judgeAuthorize(in *Received, login *Authentication, now time.Time) (err error) {
	if err := login.fresh(now, r.Ages.Skew); err != nil {
		return err
	}
	if err := login.givenTo(in.Sender); err != nil {
		return err
	}
	// Providers may share a service; the audience binds the log-in to one of them.
	for _, audience := range []etoegang.EntityID{r.Self, in.Audience} {
		if err := login.meantFor(audience); err != nil {
			return err
		}
	}
	if login.Registry != r.Self {
		return problem(ProblemNotRegistry, "the person's register is %s", login.Registry)
	}
	if err := in.fits(login); err != nil {
		return err
	}
	in.Login = login.Level
	in.Links = []Link{{login.ID, login.signature}}
	if in.Actor, err = login.actor(r.Self, r.Openers); err != nil {
		return err
	}
	return r.readRepresented(in, 0)
}

// givenTo tells whether the log-in was given to that broker: an assertion that another one
// received is worth nothing in his hands.
func (a *Authentication) givenTo(broker Participant) error {
	if !broker.consumes(a.confirmation.Recipient) {
		return problem(ProblemConfirmation, "the log-in was given to another broker")
	}
	return nil
}

// fits compares a query with the log-in it rests on.
func (in *Received) fits(login *Authentication) error {
	switch {
	case !login.Representation:
		return problem(ProblemNotRepresent, "Representation is not true")
	case login.ServiceUUID != in.Query.ServiceUUID:
		return problem(ProblemService, "the log-in is for another service")
	case in.Query.SubjectID != "" && in.Query.SubjectID != login.NameID:
		return problem(ProblemSubject, "the query names another person than the log-in")
	}
	return nil
}

// readRepresented reads the companies that the query names under LegalSubjectID. They
// are one company under several types of identifier.
func (r *Receiver) readRepresented(in *Received, atLeast int) error {
	for _, v := range in.Query.represented {
		if in.Question != AskRecheck && len(v.All(inSAML("EncryptedID"))) == 0 {
			return problem(ProblemEncryption, "LegalSubjectID is not encrypted")
		}
		subject, err := openSubject(v, r.Self, r.Openers)
		if err != nil {
			return err
		}
		in.Represented = append(in.Represented, subject)
	}
	if len(in.Represented) < atLeast {
		return problem(ProblemMalformed, "LegalSubjectID is missing")
	}
	return nil
}

// judgeConfirm holds the first register's statement against the log-in and the query
// (HM-MR chain authorization, 1.13). The log-in was not made for us: what it must show
// is that the first register was the right one to ask.
func (r *Receiver) judgeConfirm(in *Received, login *Authentication, first *Statement, now time.Time) (err error) {
	if err := first.holds(now, r.Ages.Skew); err != nil {
		return err
	}
	if first.Issued.After(now.Add(r.Ages.Skew)) {
		return problem(ProblemFuture, "the first register's statement")
	}
	if login.Issued.After(first.Issued.Add(r.Ages.Skew)) || login.Issued.Before(first.Issued.Add(-r.Ages.Chain)) {
		return problem(ProblemValidity, "the log-in is not of the time of the first register's statement")
	}
	if err := login.givenTo(in.Sender); err != nil {
		return err
	}
	if err := chained(first, login); err != nil {
		return err
	}
	for _, audience := range []etoegang.EntityID{first.Issuer, in.Audience} {
		if err := login.meantFor(audience); err != nil {
			return err
		}
	}
	if first.Decision != "Permit" || first.Confirm != r.Self {
		return problem(ProblemStatement, "no Permit that asks for our confirmation")
	}
	if err := in.fits(login); err != nil {
		return err
	}
	if err := in.sameService(first); err != nil {
		return err
	}
	in.Login, in.Previous, in.Until = login.Level, first.Used, first.NotOnOrAfter
	in.Links = []Link{{first.ID, first.signature}, {login.ID, login.signature}}
	return r.readChain(in, first)
}

// chained tells whether the statement is the named register's, about that log-in.
func chained(first *Statement, login *Authentication) error {
	if login.Registry != first.Issuer {
		return problem(ProblemLink, "the log-in names %s, the statement is of %s", login.Registry, first.Issuer)
	}
	return first.restsOn(&login.assertion)
}

func (in *Received) sameService(s *Statement) error {
	if s.ServiceUUID != in.Query.ServiceUUID || s.ServiceID != in.Query.ServiceID {
		return problem(ProblemService, "the statement of %s is about another service", s.Issuer)
	}
	return nil
}

// readChain reads who is to be represented through whom: the company, one identifier
// encrypted to us, and the intermediary.
func (r *Receiver) readChain(in *Received, first *Statement) error {
	if len(first.represented) != 1 {
		return problem(ProblemStatement, "%d companies under LegalSubjectID", len(first.represented))
	}
	company, err := openSubject(first.represented[0], r.Self, r.Openers)
	if err != nil {
		return err
	}
	in.Represented = []etoegang.LegalSubject{company}
	in.Intermediary, err = first.through(r.Self, r.Openers)
	return err
}

// judgeRecheck looks at what a provider got from its broker. It is evidence of what was
// said, so its own validity may be over; it must hang together, be the provider's own,
// and contain a statement of ours.
func (r *Receiver) judgeRecheck(in *Received, b *Brokered, login *Authentication, statements []Statement, now time.Time) (err error) {
	in.Audience = in.Query.Issuer
	for _, a := range []*assertion{&b.assertion, &login.assertion} {
		if err := a.evidence(now, r.Ages.Recheck, r.Ages.Skew); err != nil {
			return err
		}
	}
	if err := b.meantFor(in.Query.Issuer); err != nil {
		return err
	}
	broker, _ := r.Directory.Find(b.Issuer, now)
	if err := login.givenTo(broker); err != nil {
		return err
	}
	if err := login.meantFor(login.Registry); err != nil {
		return err
	}
	if login.ServiceUUID != in.Query.ServiceUUID || !login.Representation {
		return problem(ProblemService, "the log-in is not a representation at this service")
	}
	first, second, err := orderStatements(login, statements)
	if err != nil {
		return err
	}
	if err := r.readHalves(in, login, first, second); err != nil {
		return err
	}
	in.Login = login.Level
	in.Links = []Link{{b.ID, b.signature}}
	return r.readAsserted(in, first, second)
}

// orderStatements tells the first register's statement from the second's by what they
// rest on, never by position.
func orderStatements(login *Authentication, statements []Statement) (first, second *Statement, err error) {
	i := slices.IndexFunc(statements, func(s Statement) bool { return chained(&s, login) == nil })
	if i < 0 {
		return nil, nil, problem(ProblemLink, "no statement rests on the log-in")
	}
	first = &statements[i]
	if len(statements) == 2 {
		second = &statements[1-i]
		if err := second.restsOn(&first.assertion); err != nil {
			return nil, nil, err
		}
		if first.Confirm != second.Issuer {
			return nil, nil, problem(ProblemLink, "%s was not asked to confirm", second.Issuer)
		}
	} else if !first.Confirm.IsZero() {
		return nil, nil, problem(ProblemStatement, "the confirmation of %s is missing", first.Confirm)
	}
	return first, second, nil
}

// readHalves finds out which half of the answer is ours: the person's if he named this
// register, the company's if our statement is the second one.
func (r *Receiver) readHalves(in *Received, login *Authentication, first, second *Statement) (err error) {
	for _, s := range []*Statement{first, second} {
		if s == nil {
			continue
		}
		if s.Decision != "Permit" {
			return problem(ProblemStatement, "the decision of %s was %.20q", s.Issuer, s.Decision)
		}
		if err := in.sameService(s); err != nil {
			return err
		}
	}
	switch {
	case first.Issuer == r.Self:
		in.Own = Stated{first.ID, first.NameID}
		in.Actor, err = login.actor(r.Self, r.Openers)
		in.Establishments = first.Establishments
	case second != nil && second.Issuer == r.Self:
		in.Own = Stated{second.ID, second.NameID}
		in.Previous = first.Used
	default:
		err = problem(ProblemNotRegistry, "no statement of ours is among the evidence")
	}
	return err
}

// readAsserted reads what the provider says it received, and compares it with the
// statements where that is readable for us: an older first register may have encrypted
// the intermediary, the second one repeats it.
func (r *Receiver) readAsserted(in *Received, first, second *Statement) (err error) {
	if err := r.readRepresented(in, 1); err != nil {
		return err
	}
	stated := first.intermediary
	if stated == "" && second != nil {
		stated = second.intermediary
	}
	if in.Query.intermediary != stated {
		return problem(ProblemIntermediary, "the query and the statements name different ones")
	}
	if in.Query.intermediary != "" {
		if in.Intermediary, err = etoegang.ParseIntermediary(in.Query.intermediary); err != nil {
			return wrap(ProblemIdentifier, err, "IntermediateEntityID")
		}
	}
	return nil
}
