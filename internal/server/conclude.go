package server

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/mandated/mandated/pkg/decision"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/pdp"
	"github.com/mandated/mandated/pkg/saml"
	"github.com/mandated/mandated/pkg/xmlsec"
)

// answerLifetime is how long an answer may be used: what peers' assertions were seen to
// have. It is shorter when a mandate begins or ends sooner.
const answerLifetime = 120 * time.Second

// conclude turns a decision into the response.
func (s *Server) conclude(state *State, in *saml.Received, a pdp.Answer, now time.Time, e *event) (saml.Response, error) {
	switch a.Outcome {
	case decision.Permit:
		return s.permit(state, in, a, now, e)
	case decision.Choose:
		return s.refuse(in, refusalChoice, "", now, e, nil), nil
	}
	codes := join(a.Codes())
	switch {
	case len(a.Reasons) > 0 && a.Reasons[0].Code.AskersFault():
		return s.refuse(in, refusalUnsupported, codes, now, e, nil), nil
	case s.peer(state, in.Query.Issuer).DenyStatement:
		return s.state(state, in, s.statement(in, a, now, codes), now, e)
	}
	return s.refuse(in, refusalDenied, codes, now, e, nil), nil
}

// refuse is a response without an assertion.
func (s *Server) refuse(in *saml.Received, row refusal, message string, now time.Time, e *event, cause error) saml.Response {
	if message == "" {
		message = row.word
	}
	e.refused(row, message, cause)
	response := s.response(in, now)
	response.Status, response.Message = row.status, message
	return response
}

func (s *Server) response(in *saml.Received, now time.Time) saml.Response {
	return saml.Response{
		ID: saml.NewID(), InResponseTo: in.Query.ID, Issuer: s.c.Self, Issued: now,
		Destination: in.Consumer.Location, Status: saml.Success,
	}
}

// state is a response with a signed assertion.
func (s *Server) state(state *State, in *saml.Received, a saml.Answer, now time.Time, e *event) (saml.Response, error) {
	assertion, err := a.Sign(state.Signer)
	if err != nil {
		return saml.Response{}, fmt.Errorf("signing the assertion: %w", err)
	}
	response := s.response(in, now)
	response.Assertion = assertion
	e.status = response.Status.Short()
	return response, nil
}

// statement is what every assertion of ours says: which question it is about, and what
// it rests on. With a message it is a Deny.
func (s *Server) statement(in *saml.Received, a pdp.Answer, now time.Time, message string) saml.Answer {
	return saml.Answer{
		ID: saml.NewID(), Issuer: s.c.Self, Subject: saml.NewID(), Issued: now, Until: lifetime(now, a.Until),
		Links: in.Links, Permit: message == "", Message: message, Echo: in.Query.ReturnContext,
		ServiceID: in.Query.ServiceID, ServiceUUIDs: []etoegang.ServiceUUID{in.Query.ServiceUUID}, Asked: in.Query.Level,
	}
}

// lifetime ends before the facts that the answer rests on may change.
func lifetime(now, edge time.Time) time.Time {
	end := now.Add(answerLifetime)
	if !edge.IsZero() && edge.Before(end) {
		return edge
	}
	return end
}

// permit says who may act for whom, in identifiers that only the right party can read.
func (s *Server) permit(state *State, in *saml.Received, a pdp.Answer, now time.Time, e *event) (saml.Response, error) {
	o := a.Options[0]
	answer := s.statement(in, a, now, "")
	answer.Used, answer.Establishments, answer.Confirm = o.Used, o.Establishments, o.ConfirmAt
	if o.Intermediary != nil {
		answer.Intermediary = etoegang.Intermediary{KvK: o.Intermediary.KvK}
	}
	if a.Instance.Portal {
		answer.ServiceUUIDs = append(answer.ServiceUUIDs, o.Services...)
	}
	if in.Question != saml.AskRecheck { // a provider that asks again has the identifiers already
		if err := s.identify(state, in, a, &answer, now); errors.Is(err, errNoKey) {
			return s.refuse(in, refusalNoKey, "", now, e, err), nil
		} else if err != nil {
			return saml.Response{}, err
		}
	}
	return s.state(state, in, answer, now, e)
}

// errNoKey is the error of a recipient without a usable encryption key.
var errNoKey = errors.New("server: no valid encryption key")

// identify adds the encrypted identifiers: the company's for the provider, or for the
// register that has to confirm and for nobody else; and from the person's register his
// specific pseudonym for the provider.
func (s *Server) identify(state *State, in *saml.Received, a pdp.Answer, answer *saml.Answer, now time.Time) error {
	o := a.Options[0]
	provider, err := s.provider(state, in, a, now)
	if err != nil {
		return err
	}
	recipient, identifiers := provider, o.Identifiers
	if !o.ConfirmAt.IsZero() {
		identifiers = []etoegang.LegalSubject{o.Represented.KvK.LegalSubject()}
		if recipient, err = s.register(state, o.ConfirmAt, now); err != nil {
			return err
		}
	}
	for _, id := range identifiers {
		sealed, err := saml.SealName(id.Type(), id.Text(), recipient)
		if err != nil {
			return fmt.Errorf("encrypting an identifier: %w", err)
		}
		answer.Represented = append(answer.Represented, sealed)
	}
	clear := s.peer(state, in.Audience).Clear || s.peer(state, in.Query.Issuer).Clear
	if clear && o.ConfirmAt.IsZero() {
		answer.ClearKvK = o.Represented.KvK
	}
	if in.Question == saml.AskConfirm { // the first register has named the person
		return nil
	}
	name := s.pseudonym(in, o)
	if clear {
		answer.ActingName = name
	}
	answer.Acting, err = saml.SealName(etoegang.TypePseudo113, name, provider)
	return err
}

// provider is the service provider as a recipient: with the key that the catalogue has
// for this service, or else one of its metadata.
func (s *Server) provider(state *State, in *saml.Received, a pdp.Answer, now time.Time) (xmlsec.Recipient, error) {
	keys := a.Instance.Certificates
	if len(keys) == 0 {
		p, _ := state.Receiver.Directory.Find(in.Audience, now)
		keys = p.Encryption
	}
	return recipient(in.Audience, keys, s.peer(state, in.Audience).GCM, now)
}

func (s *Server) register(state *State, e etoegang.EntityID, now time.Time) (xmlsec.Recipient, error) {
	p, _ := state.Receiver.Directory.Find(e, now)
	return recipient(e, p.Encryption, s.peer(state, e).GCM, now)
}

// recipient takes the first key whose certificate is valid.
func recipient(e etoegang.EntityID, keys []xmlsec.Key, gcm bool, now time.Time) (xmlsec.Recipient, error) {
	for _, k := range keys {
		if !now.Before(k.Certificate.NotBefore) && !now.After(k.Certificate.NotAfter) {
			return saml.RecipientOf(e, k, gcm), nil
		}
	}
	return xmlsec.Recipient{}, fmt.Errorf("%w of %s", errNoKey, e)
}

// peer gives a participant's habits; providers get their refusals as statements unless
// the configuration says otherwise.
func (s *Server) peer(state *State, e etoegang.EntityID) Peer {
	if p, ok := state.Peers[e]; ok {
		return p
	}
	return DefaultPeer(e.Role())
}

// DefaultPeer is how participants of a role are answered when nothing is configured.
func DefaultPeer(role etoegang.Role) Peer {
	return Peer{DenyStatement: role == etoegang.Provider}
}

func join(codes []decision.Code) string {
	words := make([]string, len(codes))
	for i, c := range codes {
		words[i] = string(c)
	}
	return strings.Join(words, " ")
}
