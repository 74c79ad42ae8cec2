package saml

import (
	"slices"
	"time"

	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/xmlsec"
)

// SignedOn is the answer to an AuthnRequest, signatures verified: an authentication
// service's to its broker, or a broker's to its provider.
type SignedOn struct {
	ID           string
	InResponseTo string
	Issuer       etoegang.EntityID
	Destination  string
	Status       Status
	Message      string // StatusMessage

	verified []xmlsec.Verified // the assertion, and those in its advice; empty with any status but Success
}

// answerers are the roles that answer a role's AuthnRequests.
var answerers = map[etoegang.Role][]etoegang.Role{
	etoegang.Provider: {etoegang.Broker},
	etoegang.Broker:   {etoegang.Authenticator},
}

// ReceiveSignedOn reads and verifies an answer that a browser brought in a form.
func (r *Receiver) ReceiveSignedOn(doc []byte, now time.Time) (*SignedOn, error) {
	document, err := readBare(doc, responseName, ErrNoResponse)
	if err != nil {
		return nil, err
	}
	verified, err := r.Verifier.Verify(document, now, r.signonPlaces(now, responseName)...)
	if err != nil {
		return nil, err
	}
	return readSignedOn(verified)
}

// ReceiveResolvedSignedOn is ReceiveSignedOn for an answer that was fetched: body is the
// SOAP answer to the ArtifactResolve asked, and from is whose artifact it was.
// ErrNothingThere: he has no answer for us.
func (r *Receiver) ReceiveResolvedSignedOn(body []byte, asked string, from etoegang.EntityID, now time.Time) (*SignedOn, error) {
	document, err := readEnvelope(body, resolvedName, ErrNoResolved)
	if err != nil {
		return nil, err
	}
	places := r.signonPlaces(now, inBody(resolvedName, responseName)...)
	places[0].Min = 0 // nothing may be there any more
	verified, err := r.Verifier.Verify(document, now, append(places, resolvedPlace(places[0].Keys))...)
	if err != nil {
		return nil, err
	}
	if err := r.judgeResolved(verified, asked, from, now); err != nil {
		return nil, err
	}
	return readSignedOn(verified[1:])
}

// signonPlaces are where such an answer has its signatures. What is in the advice of a
// broker's assertion is signed by those it is of.
func (r *Receiver) signonPlaces(now time.Time, path ...xmlsec.Step) []xmlsec.Place {
	keys := r.keysOf(now, answerers[r.Self.Role()]...)
	assertion := slices.Concat(path, []xmlsec.Step{{inSAML("Assertion")}})
	places := []xmlsec.Place{
		{Name: "response", Path: path, Issuer: inSAML("Issuer"), Keys: keys, Min: 1, Max: 1},
		{Name: placeAssertion, Path: assertion, Issuer: inSAML("Issuer"), Keys: keys, Min: 0, Max: 1},
	}
	if r.Self.Role() == etoegang.Provider {
		places = append(places, xmlsec.Place{
			Name: placeAdvice, Path: slices.Concat(assertion, []xmlsec.Step{{inSAML("Advice")}, {inSAML("Assertion")}}),
			Issuer: inSAML("Issuer"), Keys: r.keysOf(now, etoegang.Authenticator, etoegang.Register), Min: 0, Max: 3,
		})
	}
	return places
}

func readSignedOn(verified []xmlsec.Verified) (*SignedOn, error) {
	reply, err := readResponse(verified[0])
	if err != nil {
		return nil, err
	}
	s := &SignedOn{
		ID: reply.ID, InResponseTo: reply.InResponseTo, Issuer: reply.Issuer, Destination: reply.Destination,
		Status: reply.Status, Message: reply.Message, verified: verified[1:],
	}
	switch {
	case (s.Status == Success) != (len(s.verified) > 0):
		return nil, problem(ProblemMalformed, "an assertion goes with Success, and only with that")
	case len(s.verified) > 0 && s.verified[0].Issuer() != s.Issuer.String():
		return nil, problem(ProblemStatement, "the assertion is of another than the response")
	}
	return s, nil
}

// awaited is the request that an answer must be to, and where it must have arrived.
func (s *SignedOn) awaited(request, address string) error {
	switch {
	case s.InResponseTo != request:
		return problem(ProblemLink, "the answer is to another request")
	case s.Destination != "" && s.Destination != address:
		return problem(ProblemDestination, "%.200q", s.Destination)
	}
	return nil
}

// Authenticated reads an authentication service's answer to a broker's request, that must
// have arrived at that address of the broker, and judges it. The element is the assertion as
// it was received, to be passed on.
func (r *Receiver) Authenticated(s *SignedOn, request, address string, now time.Time) (Authentication, *xmlsec.Element, error) {
	if err := s.awaited(request, address); err != nil {
		return Authentication{}, nil, err
	}
	a, err := ParseAuthentication(s.verified[0])
	if err != nil {
		return a, nil, err
	}
	if err := a.fresh(now, r.Ages.Skew); err != nil {
		return a, nil, err
	}
	if err := a.meantFor(r.Self); err != nil {
		return a, nil, err
	}
	return a, xmlsec.Quote(s.verified[0]), a.confirmation.answers(request, address)
}

// answers tells whether whoever brings the assertion there, as an answer to that request, is
// who it is about.
func (c confirmation) answers(request, address string) error {
	if c.InResponseTo != request || c.Recipient != address {
		return problem(ProblemConfirmation, "the log-in was given for another request or to somebody else")
	}
	return nil
}
