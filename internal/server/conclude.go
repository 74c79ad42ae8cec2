package server

import (
	"strings"
	"time"

	"github.com/mandated/mandated/pkg/decision"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/pdp"
	"github.com/mandated/mandated/pkg/register"
	"github.com/mandated/mandated/pkg/saml"
	"github.com/mandated/mandated/pkg/xmlsec"
)

// answerLifetime is how long an answer may be used: what peers' assertions were seen to
// have. It is shorter when a mandate begins or ends sooner.
const answerLifetime = 120 * time.Second

// delivery is one question on its way to its answer. What a Permit needs is prepared before
// the decision is recorded, so that the record never says more than the answer.
type delivery struct {
	server    *Server
	state     *State
	in        *saml.Received
	now       time.Time
	assertion string            // the ID that our assertion will have
	atLeast   register.Revision // that the sender knows of

	user   bool    // is there, and can be shown a page
	visit  *visit  // of the user, if he has seen one
	chosen *chosen // what he has chosen there
	ended  bool    // his visit has ended: the answer is ours to give

	// What prepare has made of a Permit.
	identifiers []*xmlsec.Element
	attributes  []*xmlsec.Element
	acting      *xmlsec.Element
	actingName  string
	clear       bool
}

// request turns what was received into what is asked.
func (d *delivery) request(trace pdp.Trace) (pdp.Request, error) {
	in := d.in
	rests := make([]string, len(in.Links))
	for i, link := range in.Links {
		rests[i] = link.ID
	}
	request := pdp.Request{
		Question: questions[in.Question], Caller: in.Query.Issuer, Message: in.Query.ID, Trace: trace, At: d.now,
		ServiceID: in.Query.ServiceID, ServiceUUID: in.Query.ServiceUUID, Asked: in.Query.Level, Login: in.Login,
		Actor: in.Actor, Represented: in.Represented, Intermediary: in.Intermediary,
		Previous: in.Previous, Establishments: in.Establishments,
		AtLeast:   d.atLeast,
		Assertion: d.assertion, RestsOn: rests, Audience: in.Audience, Deliver: d.prepare,
	}
	request.UserChooses = d.user
	if d.chosen == nil {
		return request, nil
	}
	err := d.chosen.into(&request)
	return request, err
}

// conclude turns a decision into the response.
func (d *delivery) conclude(a pdp.Answer, e *event) saml.Response {
	switch a.Outcome {
	case decision.Permit:
		return d.stated(d.permit(a), e)
	case decision.Choose:
		return d.refuse(refusalChoice, "", e, nil)
	}
	codes := join(a.Codes())
	switch {
	case len(a.Reasons) > 0 && a.Reasons[0].Code.AskersFault():
		return d.refuse(refusalUnsupported, codes, e, nil)
	case d.server.peer(d.state, d.in.Query.Issuer).DenyStatement:
		return d.stated(d.statement(a, codes), e)
	}
	return d.refuse(refusalDenied, codes, e, nil)
}

// refuse is a response without an assertion.
func (d *delivery) refuse(row refusal, message string, e *event, cause error) saml.Response {
	if message == "" {
		message = row.word
	}
	e.refused(row, message, cause)
	response := d.response()
	response.Status, response.Message = row.status, message
	return response
}

func (d *delivery) response() saml.Response {
	return saml.Response{
		ID: saml.NewID(), InResponseTo: d.in.Query.ID, Issuer: d.server.c.Self, Issued: d.now,
		Destination: d.in.Consumer.Location, Status: saml.Success,
	}
}

// stated is a response with a signed assertion.
func (d *delivery) stated(a saml.Answer, e *event) saml.Response {
	assertion, err := a.Sign(d.state.Signer)
	if err != nil {
		return d.refuse(refusalNotFoundOut, "", e, err)
	}
	response := d.response()
	response.Assertion = assertion
	e.status = response.Status.Short()
	return response
}

// statement is what every assertion of ours says: which question it is about, and what
// it rests on. It is a Deny until somebody makes it a Permit.
func (d *delivery) statement(a pdp.Answer, message string) saml.Answer {
	in := d.in
	return saml.Answer{
		ID: d.assertion, Issuer: d.server.c.Self, Subject: saml.NewID(), Issued: d.now, Until: lifetime(d.now, a.Until, in.Until),
		Links: in.Links, Message: message, Echo: in.Query.ReturnContext,
		ServiceID: in.Query.ServiceID, ServiceUUIDs: []etoegang.ServiceUUID{in.Query.ServiceUUID}, Asked: in.Query.Level,
	}
}

// lifetime ends before the facts that the answer rests on may change, and not after the
// statement that it confirms; clocks may differ, so that of the latter a second is always
// left.
func lifetime(now, edge, evidence time.Time) time.Time {
	end := now.Add(answerLifetime)
	if soon := now.Add(time.Second); !evidence.IsZero() && evidence.Before(end) {
		end = evidence
		if end.Before(soon) {
			end = soon
		}
	}
	if !edge.IsZero() && edge.Before(end) {
		end = edge
	}
	return end
}

// permit says who may act for whom, with what prepare has made.
func (d *delivery) permit(a pdp.Answer) saml.Answer {
	o := a.Options[0]
	answer := d.statement(a, "")
	answer.Permit = true
	answer.Used, answer.Establishments, answer.Confirm = o.Used, o.Establishments, o.ConfirmAt
	answer.Subject = StatementName(d.server.c.PseudonymKey, d.assertion, o.Represented.KvK)
	if o.Intermediary != nil {
		answer.Intermediary = etoegang.Intermediary{KvK: o.Intermediary.KvK}
	}
	if a.Instance.Portal {
		answer.ServiceUUIDs = append(answer.ServiceUUIDs, o.Services...)
	}
	answer.Represented, answer.Acting, answer.Attributes = d.identifiers, d.acting, d.attributes
	if d.clear {
		answer.ActingName = d.actingName
		if o.ConfirmAt.IsZero() {
			answer.ClearKvK = o.Represented.KvK
		}
	}
	return answer
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
