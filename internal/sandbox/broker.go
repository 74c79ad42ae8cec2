package sandbox

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/harness"
	"github.com/mandated/mandated/pkg/saml"
	"github.com/mandated/mandated/pkg/xmlsec"
)

// Addresses of the broker. They carry the version of the messages, as the scheme wants.
const (
	pathBrokerSignOn   = "/broker/sso/1.13"
	pathBrokerBack     = "/broker/acs/1.13"
	pathBrokerResolve  = "/broker/resolve/1.13"
	pathBrokerMetadata = "/broker/metadata"
)

// broker lets people log in at providers: it sends them to the authentication service and
// then to their register, asks a second register where the first one says so, and gives the
// provider one assertion of it all.
type broker struct {
	*role
	logins waiting[login]
	wishes waiting[string] // names of faults for log-ins to come, by browser
}

// login is one log-in on its way through the broker.
type login struct {
	id       string // RelayState of all that the broker sends
	asker    client
	request  saml.AuthnRequest
	relay    string // the provider's own
	consumer saml.Consumer
	service  harness.Service

	register etoegang.EntityID // the person's; zero as long as visit is nil
	asked    string            // the ID of the request at the authentication service
	visit    *harness.Visit    // at the register; nil: the person has not logged in yet
}

// client is a provider as the broker knows it.
type client struct {
	saml.Participant
	title     string
	services  map[string]harness.Service // by name
	service   string                     // index of the one that is meant if none is asked for
	unsigned  bool                       // its requests need no signature
	numbers   map[int]string             // names of its own services, by index
	own       map[string]harness.Service // services that it has brought along, by name
	clear     bool                       // it wants to read identifiers that are not encrypted, too
	wants     []saml.RequestedAttribute  // what else it wants to know of those that a service here has
	resolvers map[uint16]string          // its ArtifactResolutionServices
	register  bool                       // it is the first register, for its pages
}

// signOn receives a provider's AuthnRequest, in whatever way it comes.
func (b *broker) signOn(w http.ResponseWriter, r *http.Request) error {
	clients := b.sandbox.clients()
	l, err := b.receive(w, r, clients)
	if err != nil {
		return fmt.Errorf("the broker does not accept the provider's AuthnRequest: %w", err)
	}
	return b.begin(w, r, l)
}

// longestForm is how many bytes a form with a message in base64 may have.
const longestForm = 400 << 10

// receive reads a request and finds out whose it is, and where its answer goes.
func (b *broker) receive(w http.ResponseWriter, r *http.Request, clients map[etoegang.EntityID]client) (l login, err error) {
	r.Body = http.MaxBytesReader(w, r.Body, longestForm)
	if err := r.ParseForm(); err != nil {
		return l, err
	}
	l = login{id: token(), relay: r.Form.Get("RelayState")}
	if len(l.relay) > 80 { // the scheme's limit, and that of SAML
		return l, errors.New("RelayState is longer than 80 bytes")
	}
	switch {
	case r.Form.Has("SAMLart"):
		l.request, err = b.receiveArtifact(r.Context(), l.id, r.Form.Get("SAMLart"), clients)
	case r.Method == http.MethodPost:
		l.request, err = b.receivePosted(l.id, r.PostForm.Get("SAMLRequest"), clients)
	default:
		l.request, err = b.receiveRedirected(l.id, r.URL.RawQuery, clients)
	}
	if err != nil {
		return l, err
	}
	l.asker = clients[l.request.Issuer]
	l.consumer, err = l.asker.answerAt(l.request)
	return l, err
}

// receivePosted reads a request that stood in a form.
func (b *broker) receivePosted(id, text string, clients map[etoegang.EntityID]client) (saml.AuthnRequest, error) {
	doc, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return saml.AuthnRequest{}, err
	}
	request, err := b.receiver().ReceiveAuthnRequest(doc, b.sandbox.Network.Now(), func(e etoegang.EntityID) bool { return clients[e].unsigned })
	b.sandbox.record(id, titleOf(clients, request.Issuer), b.title, "HTTP-POST", "AuthnRequest", doc)
	return request, err
}

// receiveRedirected reads a request that stood in an address.
func (b *broker) receiveRedirected(id, query string, clients map[etoegang.EntityID]client) (saml.AuthnRequest, error) {
	at, err := saml.ReadRedirect(query)
	if err != nil {
		return saml.AuthnRequest{}, err
	}
	request, err := b.receiver().ReceiveRedirected(at.Request, b.sandbox.Network.Now(), func(sender saml.Participant) error {
		if !at.Signed() && clients[sender.Entity].unsigned {
			return nil
		}
		return at.Check(sender)
	})
	b.sandbox.record(id, titleOf(clients, request.Issuer), b.title, "HTTP-Redirect", "AuthnRequest", at.Request)
	return request, err
}

// titleOf names a sender, of whom nothing is proven yet.
func titleOf(clients map[etoegang.EntityID]client, e etoegang.EntityID) string {
	if c, known := clients[e]; known {
		return c.title
	}
	return "unknown"
}

func (b *broker) receiveArtifact(ctx context.Context, id, text string, clients map[etoegang.EntityID]client) (saml.AuthnRequest, error) {
	artifact, err := saml.ParseArtifact(text)
	if err != nil {
		return saml.AuthnRequest{}, err
	}
	now := b.sandbox.Network.Now()
	receiver := b.receiver()
	from, known := receiver.Directory.Source(artifact, now)
	asker, joined := clients[from.Entity]
	at := asker.resolvers[artifact.Index]
	if !known || !joined || at == "" {
		return saml.AuthnRequest{}, errors.New("the artifact is of no provider that has an ArtifactResolutionService of its index")
	}
	asked, sent, received, err := b.fetch(ctx, artifact, at)
	if err != nil {
		return saml.AuthnRequest{}, err
	}
	b.sandbox.recordExchange(id, b.title, asker.title, sent, received)
	return receiver.ReceiveResolvedRequest(received, asked, from.Entity, now)
}

// answerAt is where the answer to a request goes: always one of the addresses that the
// provider's metadata list (SAML 2.0 profiles, section 4.1.4.1).
func (c client) answerAt(r saml.AuthnRequest) (saml.Consumer, error) {
	if r.Address == "" {
		if at, ok := c.Participant.Consumer(r.Consumer); ok && answerable(at) {
			return at, nil
		}
		return saml.Consumer{}, fmt.Errorf("the metadata of %s have no AssertionConsumerService with index %.20q for HTTP-Artifact or HTTP-POST", c.Entity, r.Consumer)
	}
	for _, at := range c.Consumers {
		if at.Location == r.Address && answerable(at) && (r.Binding == "" || r.Binding == at.Binding) {
			return at, nil
		}
	}
	return saml.Consumer{}, fmt.Errorf("the metadata of %s do not list the address %.200q with binding %.100q", c.Entity, r.Address, r.Binding)
}

func answerable(c saml.Consumer) bool {
	return c.Binding == saml.BindingArtifact || c.Binding == saml.BindingPOST
}

// begin sends the user to the authentication service.
func (b *broker) begin(w http.ResponseWriter, r *http.Request, l login) error {
	index := l.request.Service
	if index == "" {
		index = l.asker.service
	}
	browser := browserOf(w, r, "broker")
	b.sandbox.Log.change(l.id, func(of *Login) {
		of.Provider, of.request, of.browser, of.Fault = l.asker.title, l.request.ID, browser, b.wished(browser)
	})
	service, offered := l.asker.offered(index)
	if !offered || l.request.Passive || l.request.Level != etoegang.NoLevel && !l.request.Level.Supported() {
		return b.refuse(w, r, l, saml.RequesterUnsupported, "")
	}
	l.service = service
	request := saml.AuthnRequest{
		ID: saml.NewID(), Issuer: b.entity, Destination: b.sandbox.authenticator.role.signOn, Issued: b.sandbox.Network.Now(),
		Consumer: "1", Level: max(l.service.Level, l.request.Level), Force: l.request.Force,
		Audience: l.asker.Entity, ServiceID: l.service.ID, ServiceUUID: l.service.UUID,
	}
	signed, err := request.Sign(b.signer)
	if err != nil {
		return err
	}
	l.asked = request.ID
	b.logins.begin(l.id, browser, l)
	other := b.sandbox.authenticator
	artifact := b.keep(kept{message: signed, to: other.entity, toTitle: other.title, login: l.id})
	return send(w, r, other.role.signOn, artifact, l.id)
}

// back receives the user from the authentication service or from a register.
func (b *broker) back(w http.ResponseWriter, r *http.Request) error {
	artifact, err := saml.ParseArtifact(r.URL.Query().Get("SAMLart"))
	if err != nil {
		return err
	}
	l, err := b.logins.take(r.URL.Query().Get("RelayState"), browserOf(w, r, "broker"))
	if err != nil {
		return err
	}
	if l.visit != nil {
		return b.fromRegister(w, r, l)
	}
	return b.fromAuthenticator(w, r, l, artifact)
}

// fromAuthenticator sends a user who has logged in to his register.
func (b *broker) fromAuthenticator(w http.ResponseWriter, r *http.Request, l login, artifact saml.Artifact) error {
	other, now, receiver := b.sandbox.authenticator, b.sandbox.Network.Now(), b.receiver()
	asked, sent, received, err := b.fetch(r.Context(), artifact, other.resolution)
	if err != nil {
		return err
	}
	b.sandbox.recordExchange(l.id, b.title, other.title, sent, received)
	answer, err := receiver.ReceiveResolvedSignedOn(received, asked, other.entity, now)
	if err != nil {
		return fmt.Errorf("the broker does not accept the authentication service's answer: %w", err)
	}
	if answer.Status != saml.Success {
		return b.refuse(w, r, l, answer.Status, answer.Message)
	}
	who, assertion, err := receiver.Authenticated(answer, l.asked, b.sandbox.Address+pathBrokerBack, now)
	if err != nil {
		return fmt.Errorf("the broker does not accept the authentication service's answer: %w", err)
	}
	at := b.sandbox.node(who.Registry)
	if at == nil {
		return fmt.Errorf("the authentication service names a register that nobody knows, %s", who.Registry)
	}
	l.register = at.Entity
	l.visit, err = b.sandbox.Network.Broker.Send(harness.Question{
		Service: l.service, Asked: l.request.Level, At: at,
		Requested: l.asker.wants,
		LoggedIn:  &harness.LogIn{Assertion: assertion, ID: who.ID, NameID: who.NameID, Level: who.Level},
		Mistake:   mistakeOf(b.sandbox.Log.fault(l.id)),
	}, l.id)
	if err == nil && l.visit.Before != "" {
		_, err = b.sandbox.Network.Visitor().Open(r.Context(), l.visit.Before)
	}
	if err != nil {
		return err
	}
	b.logins.begin(l.id, browserOf(w, r, "broker"), l)
	http.Redirect(w, r, l.visit.Address, http.StatusSeeOther)
	return nil
}

// fromRegister gives the provider what the register says.
func (b *broker) fromRegister(w http.ResponseWriter, r *http.Request, l login) error {
	results, err := b.hear(r, l)
	if err != nil { // nobody knows whether the user may log in
		b.trouble(l, err)
		return b.refuse(w, r, l, saml.ResponderFailed, "")
	}
	last := results[len(results)-1].Reply
	if !last.Permitted() {
		status := last.Status
		if status == saml.Success { // a Deny in a statement
			status = saml.ResponderAuthnFailed
		}
		return b.refuse(w, r, l, status, strings.Join(last.Codes(), " "))
	}
	fault := b.sandbox.Log.fault(l.id)
	if fault == answerUnasked {
		l.request.ID = saml.NewID()
	}
	assertion, err := b.sandbox.Network.Broker.Combine(results, harness.Handover{
		InResponseTo: l.request.ID, Recipient: l.consumer.Location, Mistake: handover(fault),
	})
	if err != nil {
		return err
	}
	return b.answer(w, r, l, saml.Response{Status: saml.Success, Assertion: assertion})
}

// trouble notes what went wrong, for whoever looks at the log-in.
func (b *broker) trouble(l login, err error) {
	b.sandbox.Log.change(l.id, func(of *Login) { of.Troubles = append(of.Troubles, err.Error()) })
}

// hear reads what the register says, and asks the second one where it has to.
func (b *broker) hear(r *http.Request, l login) ([]*harness.Result, error) {
	from := b.sandbox.node(l.register)
	switch b.sandbox.Log.fault(l.id) {
	case registerDown:
		l.visit.At(from.Unreachable())
	case stolenArtifact: // by somebody who has the broker's key besides
		if err := b.fetchReply(r, l, from.Title); err != nil {
			return nil, err
		}
	}
	if err := b.fetchReply(r, l, from.Title); err != nil {
		return nil, err
	}
	first := &l.visit.Result
	if !first.Reply.Permitted() || first.Reply.Statement.Confirm.IsZero() {
		return []*harness.Result{first}, nil
	}
	second, err := b.confirm(r.Context(), l, first)
	return []*harness.Result{first, second}, err
}

// fetchReply fetches the register's answer.
func (b *broker) fetchReply(r *http.Request, l login, from string) error {
	err := b.sandbox.Network.Broker.Receive(r.Context(), l.visit, b.sandbox.Address+r.URL.RequestURI())
	b.sandbox.recordExchange(l.id, b.title, from, l.visit.Sent, l.visit.Received)
	if err != nil {
		return fmt.Errorf("the broker does not accept the register's answer: %w", err)
	}
	return nil
}

// confirm asks the second register, over the back channel.
func (b *broker) confirm(ctx context.Context, l login, first *harness.Result) (*harness.Result, error) {
	at := b.sandbox.node(first.Reply.Statement.Confirm)
	if at == nil {
		return nil, fmt.Errorf("a register that nobody knows has to confirm, %s", first.Reply.Statement.Confirm)
	}
	asked := at
	switch b.sandbox.Log.fault(l.id) {
	case secondDown:
		asked = at.Unreachable()
	case revokedBetween:
		again, err := revoke(ctx, first, at)
		if err != nil {
			return nil, fmt.Errorf("revoking the client's mandate: %w", err)
		}
		defer func() {
			if err := again(); err != nil {
				b.trouble(l, fmt.Errorf("giving the client's mandate again: %w", err))
			}
		}()
	}
	second, err := b.sandbox.Network.Broker.Confirm(ctx, first, asked)
	b.sandbox.record(l.id, b.title, at.Title, "SOAP", "XACMLAuthzDecisionQuery", second.Sent)
	if err != nil {
		return nil, fmt.Errorf("asking the second register: %w", err)
	}
	b.sandbox.record(l.id, at.Title, b.title, "SOAP", "Response", second.Received)
	if second.Reply == nil {
		return nil, fmt.Errorf("the second register answers with a fault: %s", second.Fault)
	}
	return second, nil
}

// refuse tells the provider that nobody is logged in.
func (b *broker) refuse(w http.ResponseWriter, r *http.Request, l login, status saml.Status, message string) error {
	return b.answer(w, r, l, saml.Response{Status: status, Message: message})
}

// answer sends the user back to the provider.
func (b *broker) answer(w http.ResponseWriter, r *http.Request, l login, response saml.Response) error {
	response.ID, response.InResponseTo, response.Issuer = saml.NewID(), l.request.ID, b.entity
	response.Destination, response.Issued = l.consumer.Location, b.sandbox.Network.Now()
	signed, err := b.sign(response, b.sandbox.Log.fault(l.id))
	if err != nil {
		return err
	}
	b.sandbox.Log.change(l.id, func(of *Login) { of.Outcome = &Outcome{Status: response.Status.Short(), Message: response.Message} })
	if l.consumer.Binding == saml.BindingPOST {
		b.sandbox.record(l.id, b.title, l.asker.title, "HTTP-POST", "Response", signed.Bytes())
		post(w, r, l.consumer.Location, "SAMLResponse", signed, l.relay)
		return nil
	}
	return send(w, r, l.consumer.Location, b.artifactFor(l, signed), l.relay)
}

// artifactFor keeps an answer for a provider. A register fetches what is for its pages where
// it fetches queries: there it is known by its certificate.
func (b *broker) artifactFor(l login, answer *xmlsec.Element) saml.Artifact {
	if l.asker.register {
		return b.sandbox.Network.Broker.Keep(answer, l.asker.Entity, l.id)
	}
	return b.keep(kept{message: answer, to: l.asker.Entity, toTitle: l.asker.title, login: l.id})
}

// sign signs an answer to a provider, or does that badly.
func (b *broker) sign(response saml.Response, fault string) (*xmlsec.Element, error) {
	signer := b.signer
	if fault == answerWrongKey {
		signer.Key = b.sandbox.authenticator.signer.Key
	}
	signed, err := response.SignAround(signer)
	if err == nil && fault == answerAltered && response.Assertion != nil {
		return harness.Alter(signed)
	}
	return signed, err
}

// send sends a browser on with an artifact.
func send(w http.ResponseWriter, r *http.Request, to string, artifact saml.Artifact, relay string) error {
	address, err := url.Parse(to)
	if err != nil {
		return err
	}
	query := address.Query()
	query.Set("SAMLart", artifact.String())
	if relay != "" {
		query.Set("RelayState", relay)
	}
	address.RawQuery = query.Encode()
	http.Redirect(w, r, address.String(), http.StatusSeeOther)
	return nil
}

// post lets the browser carry a message itself, at the press of a button.
func post(w http.ResponseWriter, r *http.Request, to, field string, message *xmlsec.Element, relay string) {
	show(w, r, http.StatusOK, "form.html", map[string]string{
		"To": to, "Field": field, "Message": base64.StdEncoding.EncodeToString(message.Bytes()), "Relay": relay,
	})
}

// metadata are what a provider must know of the broker.
func (b *broker) metadata(w http.ResponseWriter, _ *http.Request) error {
	d := b.description()
	d.Resolution = b.resolution
	for _, binding := range []string{saml.BindingRedirect, saml.BindingPOST, saml.BindingArtifact} {
		d.SignOn = append(d.SignOn, saml.Endpoint{Binding: binding, Location: b.role.signOn})
	}
	return publish(w, d, b.signer)
}
