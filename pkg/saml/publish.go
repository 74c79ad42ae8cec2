package saml

import (
	"encoding/base64"
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
	Consumers    []Consumer // brokers and providers: where answers go
}

const bindingSOAP = "urn:oasis:names:tc:SAML:2.0:bindings:SOAP"

// The bindings of what travels through the browser: as an artifact, or itself in a form.
const (
	BindingArtifact = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Artifact"
	BindingPOST     = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"
)

const supports = "urn:oasis:names:tc:SAML:2.0:protocol urn:oasis:xacml:2.0:saml:protocol:schema:os"

// Sign builds the metadata and signs them, with the certificate in the signature as the
// scheme wants it for metadata. The scheme does not say what describes a register; we
// use SAML's own PDPDescriptor with an AuthzService for each way, and an IDPSSODescriptor
// for brokers that look for the way through the browser there.
func (d Description) Sign(s xmlsec.Signer) (*xmlsec.Element, error) {
	s.X509 = true
	e := xmlsec.E("md:EntitiesDescriptor",
		xmlsec.A("ID", d.ID), xmlsec.A("Name", d.Name), xmlsec.A("validUntil", stamp(d.Until)),
		xmlsec.E("md:EntityDescriptor",
			xmlsec.A("entityID", d.Entity.String()), xmlsec.A("eme:version", "1.13"),
			d.roles(),
			xmlsec.E("md:Organization",
				xmlsec.E("md:OrganizationName", xmlsec.A("xml:lang", "nl"), d.Organisation),
				xmlsec.E("md:OrganizationDisplayName", xmlsec.A("xml:lang", "nl"), d.Organisation),
				xmlsec.E("md:OrganizationURL", xmlsec.A("xml:lang", "nl"), "https://github.com/mandated/mandated")),
			xmlsec.E("md:ContactPerson", xmlsec.A("contactType", "administrative"),
				xmlsec.E("md:EmailAddress", "mailto:"+d.Contact)),
		))
	return e, s.Sign(e)
}

// roles describes the participant's one role.
func (d Description) roles() []*xmlsec.Element {
	protocol := xmlsec.A("protocolSupportEnumeration", supports)
	switch d.Entity.Role() {
	case etoegang.Register:
		return d.register(protocol)
	case etoegang.Authenticator:
		// The schema demands a SingleSignOnService; queries never go there.
		return []*xmlsec.Element{xmlsec.E("md:IDPSSODescriptor", protocol, d.keys(),
			xmlsec.E("md:SingleSignOnService", xmlsec.A("Binding", BindingArtifact), xmlsec.A("Location", d.Authz)))}
	}
	return []*xmlsec.Element{xmlsec.E("md:SPSSODescriptor", protocol,
		xmlsec.A("AuthnRequestsSigned", "true"), xmlsec.A("WantAssertionsSigned", "true"), d.keys(), d.resolution(), d.consumers())}
}

// register describes a mandate register: over SOAP alone, or through the browser as well.
func (d Description) register(protocol xmlsec.Attribute) []*xmlsec.Element {
	service := func(name, binding, location string) *xmlsec.Element {
		return xmlsec.E(name, xmlsec.A("Binding", binding), xmlsec.A("Location", location))
	}
	soap := service("md:AuthzService", bindingSOAP, d.Authz)
	if d.Browser == "" {
		return []*xmlsec.Element{xmlsec.E("md:PDPDescriptor", protocol, d.keys(), soap)}
	}
	return []*xmlsec.Element{
		// The schema demands a SingleSignOnService.
		xmlsec.E("md:IDPSSODescriptor", protocol, d.keys(), d.resolution(), service("md:SingleSignOnService", BindingArtifact, d.Browser)),
		xmlsec.E("md:PDPDescriptor", protocol, d.keys(), soap, service("md:AuthzService", BindingArtifact, d.Browser)),
	}
}

func (d Description) resolution() []*xmlsec.Element {
	if d.Resolution == "" {
		return nil
	}
	return []*xmlsec.Element{xmlsec.E("md:ArtifactResolutionService", xmlsec.A("Binding", bindingSOAP), xmlsec.A("Location", d.Resolution),
		xmlsec.A("index", "0"), xmlsec.A("isDefault", "true"))}
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
		isDefault := "false"
		if c.Default {
			isDefault = "true"
		}
		return xmlsec.E("md:AssertionConsumerService", xmlsec.A("Binding", c.Binding), xmlsec.A("Location", c.Location),
			xmlsec.A("index", strconv.Itoa(c.Index)), xmlsec.A("isDefault", isDefault))
	})
}
