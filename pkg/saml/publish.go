package saml

import (
	"encoding/base64"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/xmlsec"
)

// Description is what a participant publishes of itself.
type Description struct {
	ID           string
	Name         string // urn:etoegang:<version>:<P or T>:<sequence>
	Entity       etoegang.EntityID
	Until        time.Time
	Organisation string
	Contact      string       // e-mail address, of a desk and not of a person
	Signing      []xmlsec.Key // the active one and the next
	Encryption   []xmlsec.Key
	Authz        string     // registers: where queries go (SOAP)
	Browser      string     // registers: where a browser brings artifacts of queries; "": nowhere
	Resolution   string     // where artifacts are resolved (SOAP, index 0); "": it makes none
	Chain        string     // registers: where other registers ask for chain mandates (SOAP); "": nowhere
	Consumers    []Consumer // brokers and providers: where answers go
	SignOn       []Endpoint // brokers and authentication services: where AuthnRequests go
	Offers       []Offer    // providers: what users can log in for
}

// Offer is one service in a provider's metadata (AttributeConsumingService): requests name it
// by its index.
type Offer struct {
	Index   int
	Default bool              // what is meant by a request that names none
	Names   map[string]string // by language; one at least
	Wants   []RequestedAttribute
}

const bindingSOAP = "urn:oasis:names:tc:SAML:2.0:bindings:SOAP"

// The bindings of what travels through the browser: as an artifact, or itself in a form or
// in an address.
const (
	BindingArtifact = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Artifact"
	BindingPOST     = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"
	BindingRedirect = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"
)

const supports = "urn:oasis:names:tc:SAML:2.0:protocol urn:oasis:xacml:2.0:saml:protocol:schema:os"

// Sign builds the metadata and signs them, with the certificate in the signature as the
// scheme wants it for metadata. The scheme does not say what describes a register; we
// use SAML's own PDPDescriptor with an AuthzService for each way, and an IDPSSODescriptor
// for brokers that look for the way through the browser there.
func (d Description) Sign(s xmlsec.Signer) (*xmlsec.Element, error) {
	s.X509 = true
	e := xmlsec.E("md:EntitiesDescriptor",
		xmlsec.A("ID", d.ID), xmlsec.A("Name", d.Name), xmlsec.A("validUntil", stamp(d.Until)), d.entity())
	return e, s.Sign(e)
}

// SignAlone is Sign without the descriptor of many around that of the one: what software of
// providers wants of its broker.
func (d Description) SignAlone(s xmlsec.Signer) (*xmlsec.Element, error) {
	s.X509 = true
	e := d.entity(xmlsec.A("ID", d.ID), xmlsec.A("validUntil", stamp(d.Until)))
	return e, s.Sign(e)
}

func (d Description) entity(more ...xmlsec.Attribute) *xmlsec.Element {
	return xmlsec.E("md:EntityDescriptor", more,
		xmlsec.A("entityID", d.Entity.String()), xmlsec.A("eme:version", "1.13"),
		d.roles(),
		xmlsec.E("md:Organization",
			xmlsec.E("md:OrganizationName", xmlsec.A("xml:lang", "nl"), d.Organisation),
			xmlsec.E("md:OrganizationDisplayName", xmlsec.A("xml:lang", "nl"), d.Organisation),
			xmlsec.E("md:OrganizationURL", xmlsec.A("xml:lang", "nl"), "https://github.com/mandated/mandated")),
		xmlsec.E("md:ContactPerson", xmlsec.A("contactType", "administrative"),
			xmlsec.E("md:EmailAddress", "mailto:"+d.Contact)),
	)
}

// roles describes what the participant does: a broker takes log-ins of providers and, as a
// provider itself, answers of registers.
func (d Description) roles() []*xmlsec.Element {
	protocol := xmlsec.A("protocolSupportEnumeration", supports)
	switch d.Entity.Role() {
	case etoegang.Register:
		return d.register(protocol)
	case etoegang.Authenticator:
		return []*xmlsec.Element{d.signOn(protocol)}
	}
	provider := xmlsec.E("md:SPSSODescriptor", protocol,
		xmlsec.A("AuthnRequestsSigned", "true"), xmlsec.A("WantAssertionsSigned", "true"), d.keys(), d.resolution(), d.consumers(), each(d.Offers, Offer.element))
	switch {
	case len(d.SignOn) == 0:
		return []*xmlsec.Element{provider}
	case len(d.Consumers) == 0:
		return []*xmlsec.Element{d.signOn(protocol)}
	}
	return []*xmlsec.Element{d.signOn(protocol), provider}
}

// signOn describes who logs people in: an authentication service, or a broker as its
// providers know it.
func (d Description) signOn(protocol xmlsec.Attribute) *xmlsec.Element {
	return xmlsec.E("md:IDPSSODescriptor", protocol, xmlsec.A("WantAuthnRequestsSigned", "true"), d.keys(), d.resolution(),
		each(d.SignOn, func(e Endpoint) *xmlsec.Element {
			return xmlsec.E("md:SingleSignOnService", xmlsec.A("Binding", e.Binding), xmlsec.A("Location", e.Location))
		}))
}

// register describes a mandate register: over SOAP alone, or through the browser as well.
func (d Description) register(protocol xmlsec.Attribute) []*xmlsec.Element {
	service := func(name, binding, location string) *xmlsec.Element {
		return xmlsec.E(name, xmlsec.A("Binding", binding), xmlsec.A("Location", location))
	}
	soap := service("md:AuthzService", bindingSOAP, d.Authz)
	if d.Browser == "" {
		return []*xmlsec.Element{xmlsec.E("md:PDPDescriptor", protocol, d.chain(), d.keys(), soap)}
	}
	return []*xmlsec.Element{
		// The schema demands a SingleSignOnService.
		xmlsec.E("md:IDPSSODescriptor", protocol, d.keys(), d.resolution(), service("md:SingleSignOnService", BindingArtifact, d.Browser)),
		xmlsec.E("md:PDPDescriptor", protocol, d.chain(), d.keys(), soap, service("md:AuthzService", BindingArtifact, d.Browser)),
	}
}

func (d Description) resolution() []*xmlsec.Element {
	if d.Resolution == "" {
		return nil
	}
	return []*xmlsec.Element{xmlsec.E("md:ArtifactResolutionService", xmlsec.A("Binding", bindingSOAP), xmlsec.A("Location", d.Resolution),
		xmlsec.A("index", "0"), xmlsec.A("isDefault", "true"))}
}

// chain names the discovery service in an extension. SAML has no element for it, and among
// the AuthzServices others would send it queries.
func (d Description) chain() *xmlsec.Element {
	if d.Chain == "" {
		return nil
	}
	return xmlsec.E("md:Extensions",
		xmlsec.E("chain:ChainInformationService", xmlsec.A("Binding", bindingSOAP), xmlsec.A("Location", d.Chain)))
}

func (d Description) keys() []*xmlsec.Element {
	var out []*xmlsec.Element
	for _, k := range d.Signing {
		out = append(out, keyDescriptor("signing", k))
	}
	for _, k := range d.Encryption {
		out = append(out, keyDescriptor("encryption", k))
	}
	return out
}

func keyDescriptor(use string, k xmlsec.Key) *xmlsec.Element {
	return xmlsec.E("md:KeyDescriptor", xmlsec.A("use", use),
		xmlsec.E("ds:KeyInfo", optional("ds:KeyName", k.Name),
			xmlsec.E("ds:X509Data", xmlsec.E("ds:X509Certificate", base64.StdEncoding.EncodeToString(k.Certificate.Raw)))))
}

func (d Description) consumers() []*xmlsec.Element {
	return each(d.Consumers, func(c Consumer) *xmlsec.Element {
		return xmlsec.E("md:AssertionConsumerService", xmlsec.A("Binding", c.Binding), xmlsec.A("Location", c.Location),
			xmlsec.A("index", strconv.Itoa(c.Index)), xmlsec.A("isDefault", strconv.FormatBool(c.Default)))
	})
}

func (o Offer) element() *xmlsec.Element {
	var names []*xmlsec.Element
	for _, language := range slices.Sorted(maps.Keys(o.Names)) {
		names = append(names, xmlsec.E("md:ServiceName", xmlsec.A("xml:lang", language), o.Names[language]))
	}
	return xmlsec.E("md:AttributeConsumingService", xmlsec.A("index", strconv.Itoa(o.Index)), xmlsec.A("isDefault", strconv.FormatBool(o.Default)),
		names, each(o.Wants, requestedAttribute))
}
