package signin

import (
	"context"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/saml"
)

// patience is how long a log-in may take from its beginning: the user may look for his means,
// and his register gives him a quarter of an hour to choose for whom he acts.
const patience = 30 * time.Minute

// Answer is what a browser brings back, as it stood in the form or the address. Either
// Response or Artifact is there.
type Answer struct {
	Response string // SAMLResponse
	Artifact string // SAMLart
	Relay    string // RelayState
}

// Visitor is who has logged in, for whom.
type Visitor struct {
	Acting  Acting
	Company etoegang.KvKNumber // the represented company
	Name    string             // its name, where the register gave it

	Intermediary     etoegang.Intermediary // zero: he acts for the company itself
	IntermediaryName string

	Level    etoegang.AssuranceLevel // of all that the log-in rests on, as the broker has it: the lowest
	LoggedIn time.Time               // when he showed his means, as his authentication service says

	// Assertion must be remembered until Until, and refused a second time.
	Assertion Used
}

// Acting is the person as a register tells us of him. Two persons are one if both parts are
// equal; one person who acts for two organisations is two.
type Acting struct {
	Register  etoegang.EntityID
	Pseudonym etoegang.SpecificPseudonym
}

// Used names an assertion, and says until when it would be believed again.
type Used struct {
	Issuer etoegang.EntityID
	ID     string
	Until  time.Time
}

// What comes of an answer by which nobody is logged in. Beside these, errors.Is finds
// saml.ErrLevel and saml.ErrEstablishments where the log-in is sound and does not suffice, and
// errors.As a *saml.Refusal with the broker's status and reasons.
var (
	// ErrNotBegun: nothing is pending, or something else than what the answer is to.
	ErrNotBegun = errors.New("signin: this log-in was not begun here")

	// ErrLate: it was begun too long ago. The user may begin again.
	ErrLate = errors.New("signin: the log-in has taken too long")

	// ErrCancelled: the user gave up.
	ErrCancelled = errors.New("signin: the user has cancelled")

	// ErrRefused: he may not act here, says his register or authentication service.
	ErrRefused = errors.New("signin: the user may not log in")

	// ErrNotAnswered: the broker could not find out, or does not understand our request.
	ErrNotAnswered = errors.New("signin: the broker has no answer")

	// ErrUnreached: the broker does not give what stands behind its artifact.
	ErrUnreached = errors.New("signin: the answer cannot be fetched")

	// ErrUnbelieved: it is no answer of our broker to this request, for us, here and now; or
	// it says what nobody has signed. What is wrong is in the error, for the log only.
	ErrUnbelieved = errors.New("signin: the answer is not believed")

	// ErrNotAnew: the user was to log in anew, and did not.
	ErrNotAnew = errors.New("signin: the user has not logged in anew")

	// ErrNoKvK: the company has no KvK number, by which we know companies.
	ErrNoKvK = errors.New("signin: the company has no KvK number")
)

// Finish says who has logged in. The pending log-in is one that Begin has given for this
// browser, and must not be used again, whatever comes of it.
func (d *Door) Finish(ctx context.Context, begun Pending, a Answer) (Visitor, error) {
	p := begun.p
	if p.ID == "" || subtle.ConstantTimeCompare([]byte(a.Relay), []byte(p.Relay)) != 1 {
		return Visitor{}, ErrNotBegun
	}
	now := d.c.Now()
	if now.After(p.Begun.Add(patience)) {
		return Visitor{}, ErrLate
	}
	answer, err := d.receive(ctx, a)
	if err != nil {
		return Visitor{}, err
	}
	told, err := d.receiver.Provided(answer, p.ID, p.Address, d.c.Now())
	if err != nil {
		return Visitor{}, unbelieved(err)
	}
	if err := p.suits(&told, d.c.Service, d.c.Ages.Skew); err != nil {
		return Visitor{}, err
	}
	return d.visitor(&told)
}

// receive reads and verifies what the browser brings.
func (d *Door) receive(ctx context.Context, a Answer) (*saml.SignedOn, error) {
	if (a.Response == "") == (a.Artifact == "") {
		return nil, fmt.Errorf("%w: neither a SAMLResponse nor a SAMLart, or both", ErrUnbelieved)
	}
	if a.Artifact != "" {
		return d.fetch(ctx, a.Artifact)
	}
	doc, err := base64.StdEncoding.DecodeString(a.Response)
	if err != nil {
		return nil, unbelieved(err)
	}
	answer, err := d.receiver.ReceiveSignedOn(doc, d.c.Now())
	if err != nil {
		return nil, unbelieved(err)
	}
	if answer.Issuer != d.c.Broker {
		return nil, fmt.Errorf("%w: it is of %s, whom we have not asked", ErrUnbelieved, answer.Issuer)
	}
	return answer, nil
}

// fetch asks the broker for the answer behind its artifact.
func (d *Door) fetch(ctx context.Context, text string) (*saml.SignedOn, error) {
	artifact, err := saml.ParseArtifact(text)
	if err != nil {
		return nil, unbelieved(err)
	}
	now := d.c.Now()
	broker, known := d.c.Directory.Source(artifact, now)
	if !known || broker.Entity != d.c.Broker {
		return nil, fmt.Errorf("%w: the artifact is not our broker's", ErrUnbelieved)
	}
	at, known := broker.Resolver(artifact.Index)
	if !known || d.c.Resolve == nil {
		return nil, fmt.Errorf("%w: there is no ArtifactResolutionService %d, or we take no artifacts", ErrUnbelieved, artifact.Index)
	}
	asked := saml.Resolving{ID: saml.NewID(), Issuer: d.c.Entity, Destination: at.Location, Issued: now, Artifact: artifact}
	signed, err := asked.Sign(d.c.Signer)
	if err != nil {
		return nil, fmt.Errorf("%w: signing the question: %w", ErrUnreached, err)
	}
	received, err := d.c.Resolve(ctx, at.Location, saml.Wrap(signed))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnreached, err)
	}
	answer, err := d.receiver.ReceiveResolvedSignedOn(received, asked.ID, broker.Entity, d.c.Now())
	if errors.Is(err, saml.ErrNothingThere) {
		return nil, fmt.Errorf("%w: %w", ErrUnreached, err)
	}
	if err != nil {
		return nil, unbelieved(err)
	}
	return answer, nil
}

// unbelieved says which of our errors it is that an answer does not hold, or says no.
func unbelieved(err error) error {
	var refusal *saml.Refusal
	switch {
	case !errors.As(err, &refusal):
		return fmt.Errorf("%w: %w", ErrUnbelieved, err)
	case refusal.Cancelled():
		return fmt.Errorf("%w: %w", ErrCancelled, err)
	case refusal.Status == saml.ResponderAuthnFailed:
		return fmt.Errorf("%w: %w", ErrRefused, err)
	}
	return fmt.Errorf("%w: %w", ErrNotAnswered, err)
}

// suits tells whether a log-in is what was asked for.
func (p pending) suits(told *saml.Provided, s Service, skew time.Duration) error {
	err := told.Meets(saml.Demand{ServiceID: s.ID, ServiceUUID: s.UUID, Level: s.Level})
	switch {
	case errors.Is(err, saml.ErrService), errors.Is(err, saml.ErrNoCompany):
		return unbelieved(err)
	case err != nil:
		return fmt.Errorf("signin: the log-in does not suffice: %w", err)
	case told.Acting.IsZero():
		return fmt.Errorf("%w: it names nobody who acts", ErrUnbelieved)
	case p.Force && told.Login.LoggedIn.Before(p.Begun.Add(-skew)):
		return ErrNotAnew
	}
	return nil
}

func (d *Door) visitor(told *saml.Provided) (Visitor, error) {
	v := Visitor{
		Acting:       Acting{told.Statements[0].Issuer, told.Acting},
		Name:         told.Names[etoegang.AttributeRepresentedName],
		Intermediary: told.Intermediary, IntermediaryName: told.Names[etoegang.AttributeIntermediaryName],
		Level: told.Level, LoggedIn: told.Login.LoggedIn,
		Assertion: Used{told.Issuer, told.ID, told.NotOnOrAfter.Add(d.c.Ages.Skew)},
	}
	for _, subject := range told.Represented {
		if subject.Type() == etoegang.TypeKvKNr {
			v.Company, _ = etoegang.ParseKvKNumber(subject.Text()) // it was parsed as one
		}
	}
	if v.Company.IsZero() {
		return Visitor{}, ErrNoKvK
	}
	return v, nil
}
