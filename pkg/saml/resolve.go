package saml

import (
	"errors"
	"fmt"
	"time"

	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/xmlsec"
)

// Resolving is an ArtifactResolve: somebody asks the issuer of an artifact for the message
// that it stands for (SAML 2.0 core, section 3.5.1).
type Resolving struct {
	ID          string
	Issuer      etoegang.EntityID // who asks
	Destination string            // "": left out
	Issued      time.Time
	Artifact    Artifact
}

// Sign writes the message and signs it.
func (r Resolving) Sign(s xmlsec.Signer) (*xmlsec.Element, error) {
	e := xmlsec.E("samlp:ArtifactResolve", protocolHeader(r.ID, r.Issued, "Destination", r.Destination),
		xmlsec.E("saml:Issuer", r.Issuer.String()), xmlsec.E("samlp:Artifact", r.Artifact.String()))
	return e, s.Sign(e)
}

// Resolved is an ArtifactResponse: what stands behind an artifact. Its own status is
// always Success (eHerkenning interface specifications, "Bindings"), also when there is
// nothing (any more): it then has no message.
type Resolved struct {
	ID           string
	InResponseTo string
	Issuer       etoegang.EntityID
	Issued       time.Time
	Message      *xmlsec.Element // signed; nil: nothing stands behind it
}

// Sign writes the message and signs it.
func (r Resolved) Sign(s xmlsec.Signer) (*xmlsec.Element, error) {
	e := xmlsec.E("samlp:ArtifactResponse", protocolHeader(r.ID, r.Issued, "InResponseTo", r.InResponseTo),
		xmlsec.E("saml:Issuer", r.Issuer.String()),
		xmlsec.E("samlp:Status", xmlsec.E("samlp:StatusCode", xmlsec.A("Value", Success.Top))),
		r.Message)
	return e, s.Sign(e)
}

// protocolHeader is what every message of the protocol has, and one attribute that some have.
func protocolHeader(id string, issued time.Time, name, value string) []xmlsec.Attribute {
	h := []xmlsec.Attribute{xmlsec.A("ID", id), xmlsec.A("Version", "2.0"), xmlsec.A("IssueInstant", stamp(issued))}
	if value != "" {
		h = append(h, xmlsec.A(name, value))
	}
	return h
}

// What can be wrong with the resolution of an artifact before its message is looked at.
var (
	ErrNoResolve  = errors.New("saml: the SOAP body is not one ArtifactResolve")
	ErrNoResolved = errors.New("saml: the SOAP body is not one ArtifactResponse")

	// ErrNothingThere: the issuer of the artifact keeps nothing under it. It was used
	// before, or is too old.
	ErrNothingThere = errors.New("saml: nothing stands behind the artifact")
)

var (
	resolveName  = xmlsec.Step{inProtocol("ArtifactResolve")}
	resolvedName = xmlsec.Step{inProtocol("ArtifactResponse")}
)

// resolvers are the roles that fetch what stands behind the artifacts of a role.
var resolvers = map[etoegang.Role][]etoegang.Role{
	etoegang.Register:      {etoegang.Broker},
	etoegang.Broker:        {etoegang.Register, etoegang.Authenticator, etoegang.Provider},
	etoegang.Authenticator: {etoegang.Broker},
	etoegang.Provider:      {etoegang.Broker},
}

// ReceiveResolve reads, verifies and judges an ArtifactResolve for one of our artifacts,
// and tells who asks. Nothing of it is in body. With an error nobody is known to have
// sent it, and the only answer is a SOAP fault.
func (r *Receiver) ReceiveResolve(body []byte, now time.Time) (Resolving, error) {
	document, err := readEnvelope(body, resolveName, ErrNoResolve)
	if err != nil {
		return Resolving{}, err
	}
	defer document.Release()
	verified, err := r.Verifier.Verify(document, now, xmlsec.Place{
		Name: "resolve", Path: inBody(resolveName),
		Issuer: inSAML("Issuer"), Min: 1, Max: 1, Keys: r.keysOf(now, resolvers[r.Self.Role()]...),
	})
	if err != nil {
		return Resolving{}, err
	}
	n := verified[0].Root()
	h, err := readHeader(n)
	if err != nil {
		return Resolving{}, err
	}
	asked := Resolving{ID: h.ID, Issuer: h.Issuer, Issued: h.Issued}
	asked.Destination, _ = n.Attr("Destination")
	if asked.Destination != "" && asked.Destination != r.Addresses.Resolution {
		return asked, problem(ProblemDestination, "%.200q", asked.Destination)
	}
	if err := r.Ages.judge(asked.Issued, now); err != nil {
		return asked, err
	}
	artifact, err := text(n, inProtocol("Artifact"))
	if err != nil {
		return asked, err
	}
	if asked.Artifact, err = ParseArtifact(artifact); err != nil {
		return asked, wrap(ProblemMalformed, err, "Artifact")
	}
	if asked.Artifact.Source != SourceID(r.Self) {
		return asked, problem(ProblemIdentifier, "the artifact is of another participant")
	}
	return asked, nil
}

// ReceiveResolved is Receive for a query that was fetched: body is the SOAP answer to
// what we asked, and from is whose artifact it was. The ArtifactResponse and the query in
// it are both signed by him. ErrNothingThere: he has no query for us.
func (r *Receiver) ReceiveResolved(body []byte, asked string, from etoegang.EntityID, now time.Time) (*Received, error) {
	document, err := readEnvelope(body, resolvedName, ErrNoResolved)
	if err != nil {
		return nil, err
	}
	defer document.Release()
	places := append(r.places(now, pathsFetched), resolvedPlace(r.keysOf(now, etoegang.Broker)))
	places[0].Min = 0 // nothing may be there any more
	verified, err := r.Verifier.Verify(document, now, places...)
	if err != nil {
		return nil, err
	}
	if err := r.judgeResolved(verified, asked, from, now); err != nil {
		return nil, err
	}
	return r.judge(verified, 1, r.Addresses.Browser, now)
}

// resolvedPlace is where an ArtifactResponse has its signature.
func resolvedPlace(keys func(issuer string) []xmlsec.Key) xmlsec.Place {
	return xmlsec.Place{Name: placeResolved, Path: inBody(resolvedName), Issuer: inSAML("Issuer"), Min: 1, Max: 1, Keys: keys}
}

// nothingIn tells that an ArtifactResponse is empty, or what it holds that was not asked for.
func nothingIn(n *xmlsec.Node) error {
	if err := n.Only(inSAML("Issuer"), inProtocol("Extensions"), inProtocol("Status")); err != nil {
		return wrap(ProblemForbidden, err, "ArtifactResponse")
	}
	return ErrNothingThere
}

// judgeResolved looks at an ArtifactResponse itself, and whose the message in it is.
func (r *Receiver) judgeResolved(verified []xmlsec.Verified, asked string, from etoegang.EntityID, now time.Time) error {
	n := verified[0].Root()
	h, err := readHeader(n)
	if err != nil {
		return err
	}
	if h.Issuer != from {
		return fmt.Errorf("saml: the artifact is of %s, and %s answers", from, h.Issuer)
	}
	if to, _ := n.Attr("InResponseTo"); to != asked {
		return problem(ProblemLink, "the ArtifactResponse is to another ArtifactResolve")
	}
	status, _, err := readStatus(n)
	if err == nil && status != Success {
		err = fmt.Errorf("saml: %s does not resolve its artifact: %s", from, status.Short())
	}
	if err != nil {
		return err
	}
	if err := r.Ages.judge(h.Issued, now); err != nil {
		return err
	}
	if len(verified) == 1 {
		return nothingIn(n)
	}
	if issuer := verified[1].Issuer(); issuer != from.String() {
		return problem(ProblemLink, "%s has sent a message of %.100q", from, issuer)
	}
	return nil
}
