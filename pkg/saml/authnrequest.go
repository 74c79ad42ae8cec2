package saml

import (
	"time"

	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/xmlsec"
)

// AuthnRequest asks for somebody to be logged in: a provider asks its broker, and that an
// authentication service (DV-HM and HM-AD, 1.13; SAML 2.0 core, section 3.4.1).
type AuthnRequest struct {
	ID          string
	Issuer      etoegang.EntityID
	Destination string // "": left out
	Issued      time.Time

	// Where the answer goes: an index of the asker's metadata, or one of the addresses in
	// them and the binding. All "": what the metadata have as the default.
	Consumer, Address, Binding string

	Service string                  // AttributeConsumingServiceIndex: what the user wants to use; "": left out
	Level   etoegang.AssuranceLevel // the lowest that will do; NoLevel: left out
	Passive bool                    // nothing may be shown to the user
	Force   bool                    // ForceAuthn: he has to log in anew, whatever he did before

	// A broker tells the authentication service for which provider and which of its services
	// it asks; zero: left out. How is not known; we do it as in a query (HM-MR).
	Audience    etoegang.EntityID
	ServiceID   etoegang.ServiceID
	ServiceUUID etoegang.ServiceUUID
}

// Element writes the request without a signature, as it travels in an address, which has
// one of its own (SAML 2.0 bindings, section 3.4.4.1).
func (r AuthnRequest) Element() *xmlsec.Element {
	attributes := protocolHeader(r.ID, r.Issued, "Destination", r.Destination)
	for _, a := range [][2]string{
		{"AssertionConsumerServiceIndex", r.Consumer}, {"AssertionConsumerServiceURL", r.Address},
		{"ProtocolBinding", r.Binding}, {"AttributeConsumingServiceIndex", r.Service},
	} {
		if a[1] != "" {
			attributes = append(attributes, xmlsec.A(a[0], a[1]))
		}
	}
	if r.Passive {
		attributes = append(attributes, xmlsec.A("IsPassive", "true"))
	}
	if r.Force {
		attributes = append(attributes, xmlsec.A("ForceAuthn", "true"))
	}
	var context *xmlsec.Element
	if r.Level != etoegang.NoLevel {
		context = xmlsec.E("samlp:RequestedAuthnContext", xmlsec.A("Comparison", "minimum"),
			xmlsec.E("saml:AuthnContextClassRef", r.Level.URN()))
	}
	return xmlsec.E("samlp:AuthnRequest", attributes, xmlsec.E("saml:Issuer", r.Issuer.String()), r.extensions(), context)
}

func (r AuthnRequest) extensions() *xmlsec.Element {
	if r.Audience.IsZero() {
		return nil
	}
	return xmlsec.E("samlp:Extensions",
		contextOf(etoegang.AttributeIntendedAudience, etoegang.DataString, r.Audience.String()),
		contextOf(etoegang.AttributeServiceID, etoegang.DataString, r.ServiceID.String()),
		contextOf(etoegang.AttributeServiceUUID, etoegang.DataString, r.ServiceUUID.String()))
}

// Sign writes the request and signs it.
func (r AuthnRequest) Sign(s xmlsec.Signer) (*xmlsec.Element, error) {
	e := r.Element()
	return e, s.Sign(e)
}

var requestName = xmlsec.Step{inProtocol("AuthnRequest")}

var errNoRequest = problem(ProblemMalformed, "it is no AuthnRequest")

// askers are the roles that send AuthnRequests to a role.
var askers = map[etoegang.Role][]etoegang.Role{
	etoegang.Broker:        {etoegang.Provider},
	etoegang.Authenticator: {etoegang.Broker},
}

// ReceiveAuthnRequest reads, verifies and judges a request that a browser brought in a form.
// unsigned tells whose requests need no signature; nil: nobody's.
func (r *Receiver) ReceiveAuthnRequest(doc []byte, now time.Time, unsigned func(etoegang.EntityID) bool) (AuthnRequest, error) {
	document, err := readBare(doc, requestName, errNoRequest)
	if err != nil {
		return AuthnRequest{}, err
	}
	defer document.Release()
	if bare := document.Unverified(); unsigned != nil && len(bare.All(inDSig("Signature"))) == 0 {
		request, err := r.judgeRequest(bare, now)
		if err != nil || unsigned(request.Issuer) {
			return request, err
		}
	}
	verified, err := r.Verifier.Verify(document, now, r.requestPlace(now, requestName))
	if err != nil {
		return AuthnRequest{}, err
	}
	return r.judgeRequest(verified[0].Root(), now)
}

// ReceiveRedirected is ReceiveAuthnRequest for a request that stood in an address. Its
// signature stands beside it there: check says whether it is the sender's.
func (r *Receiver) ReceiveRedirected(doc []byte, now time.Time, check func(sender Participant) error) (AuthnRequest, error) {
	document, err := readBare(doc, requestName, errNoRequest)
	if err != nil {
		return AuthnRequest{}, err
	}
	defer document.Release()
	request, err := r.judgeRequest(document.Unverified(), now)
	if err != nil {
		return request, err
	}
	sender, _ := r.Directory.Find(request.Issuer, now)
	return request, check(sender)
}

// ReceiveResolvedRequest is ReceiveAuthnRequest for a request that was fetched: body is the
// SOAP answer to the ArtifactResolve asked, and from is whose artifact it was.
// ErrNothingThere: he has no request for us.
func (r *Receiver) ReceiveResolvedRequest(body []byte, asked string, from etoegang.EntityID, now time.Time) (AuthnRequest, error) {
	document, err := readEnvelope(body, resolvedName, ErrNoResolved)
	if err != nil {
		return AuthnRequest{}, err
	}
	defer document.Release()
	request := r.requestPlace(now, inBody(resolvedName, requestName)...)
	request.Min = 0 // nothing may be there any more
	verified, err := r.Verifier.Verify(document, now, request, resolvedPlace(request.Keys))
	if err != nil {
		return AuthnRequest{}, err
	}
	if err := r.judgeResolved(verified, asked, from, now); err != nil {
		return AuthnRequest{}, err
	}
	return r.judgeRequest(verified[1].Root(), now)
}

// requestPlace is where an AuthnRequest has its signature.
func (r *Receiver) requestPlace(now time.Time, path ...xmlsec.Step) xmlsec.Place {
	return xmlsec.Place{
		Name: "request", Path: path, Issuer: inSAML("Issuer"), Min: 1, Max: 1, Keys: r.keysOf(now, askers[r.Self.Role()]...),
	}
}

// judgeRequest reads a request, and judges who sent it, when and where to.
func (r *Receiver) judgeRequest(n *xmlsec.Node, now time.Time) (request AuthnRequest, err error) {
	if request, err = ParseAuthnRequest(n); err != nil {
		return request, err
	}
	if r.Directory.keys(request.Issuer.String(), now, askers[r.Self.Role()]...) == nil {
		return request, problem(ProblemIdentifier, "%s is nobody whose requests we answer", request.Issuer)
	}
	if request.Destination != "" && request.Destination != r.Addresses.Browser {
		return request, problem(ProblemDestination, "%.200q", request.Destination)
	}
	return request, r.Ages.judge(request.Issued, now)
}

// formatEntity is the format of every issuer's name, which software of providers writes out
// though the scheme forbids it.
const formatEntity = "urn:oasis:names:tc:SAML:2.0:nameid-format:entity"

// ParseAuthnRequest reads an AuthnRequest. Who signed it is its reader's affair.
func ParseAuthnRequest(n *xmlsec.Node) (r AuthnRequest, err error) {
	h, err := readHeaderOf(n)
	if err != nil {
		return r, err
	}
	issuer, _ := n.One(inSAML("Issuer"))
	for _, a := range issuer.Attrs {
		if a.Name != (xmlsec.Name{Local: "Format"}) || a.Value != formatEntity {
			return r, problem(ProblemForbidden, "Issuer has %s", a.Name.Local)
		}
	}
	r.ID, r.Issued, r.Issuer = h.ID, h.Issued, h.Issuer
	for name, into := range map[string]*string{
		"Destination": &r.Destination, "AssertionConsumerServiceIndex": &r.Consumer, "AssertionConsumerServiceURL": &r.Address,
		"ProtocolBinding": &r.Binding, "AttributeConsumingServiceIndex": &r.Service,
	} {
		*into, _ = n.Attr(name)
	}
	passive, _ := n.Attr("IsPassive")
	r.Passive, _ = boolean(passive)
	force, _ := n.Attr("ForceAuthn")
	r.Force, _ = boolean(force)
	if err := r.readExtensions(n); err != nil {
		return r, err
	}
	context, err := n.Maybe(inProtocol("RequestedAuthnContext"))
	if err != nil || context == nil {
		return r, err
	}
	class, err := text(context, inSAML("AuthnContextClassRef"))
	if err != nil {
		return r, err
	}
	if r.Level, err = etoegang.ParseAssuranceLevel(class); err != nil {
		return r, wrap(ProblemIdentifier, err, "AuthnContextClassRef")
	}
	return r, nil
}

// readExtensions reads for whom a broker asks. What else stands there is not looked at.
func (r *AuthnRequest) readExtensions(n *xmlsec.Node) error {
	extensions, err := n.Maybe(inProtocol("Extensions"))
	if err != nil || extensions == nil {
		return err
	}
	audience, err := contextText(extensions, etoegang.AttributeIntendedAudience)
	if err != nil || audience == "" {
		return err
	}
	if r.Audience, err = etoegang.ParseEntityID(audience); err != nil {
		return wrap(ProblemIdentifier, err, "IntendedAudience")
	}
	id, err := contextText(extensions, etoegang.AttributeServiceID)
	if err != nil {
		return err
	}
	if r.ServiceID, err = etoegang.ParseServiceID(id); err != nil {
		return wrap(ProblemIdentifier, err, "ServiceID")
	}
	uuid, err := contextText(extensions, etoegang.AttributeServiceUUID)
	if err != nil {
		return err
	}
	if r.ServiceUUID, err = etoegang.ParseServiceUUID(uuid); err != nil {
		return wrap(ProblemIdentifier, err, "ServiceUUID")
	}
	return nil
}
