package saml

import (
	"strconv"
	"time"

	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/xmlsec"
)

// What the other parties send. The command line, the demo and the test harness play
// brokers, authentication services and providers with these; the daemon sends none.

// Login is what an authentication service says when it signs an assertion.
type Login struct {
	ID             string
	Issuer         etoegang.EntityID
	NameID         string // transient
	Issued, Until  time.Time
	LoggedIn       time.Time // when the person showed who he is; zero: when it was issued
	Recipient      string    // the broker's AssertionConsumerService
	InResponseTo   string    // the broker's AuthnRequest
	Audiences      []etoegang.EntityID
	Level          etoegang.AssuranceLevel
	Representation bool
	Registry       etoegang.EntityID // the register of the person
	Acting         *xmlsec.Element   // his pseudonym as EncryptedID, for that register
	ServiceUUID    etoegang.ServiceUUID
}

// Sign builds the assertion and signs it.
func (l Login) Sign(s xmlsec.Signer) (*xmlsec.Element, error) {
	representation := "false"
	if l.Representation {
		representation = "true"
	}
	at := l.LoggedIn
	if at.IsZero() {
		at = l.Issued
	}
	e := xmlsec.E("saml:Assertion",
		xmlsec.A("ID", l.ID), xmlsec.A("Version", "2.0"), xmlsec.A("IssueInstant", stamp(l.Issued)),
		xmlsec.E("saml:Issuer", l.Issuer.String()),
		xmlsec.E("saml:Subject",
			xmlsec.E("saml:NameID", xmlsec.A("Format", formatTransient), l.NameID),
			bearer(l.InResponseTo, l.Recipient, l.Until)),
		conditions(l.Issued, l.Until, l.Audiences),
		authnStatement(at, l.Level, l.Issuer.OIN().String()),
		xmlsec.E("saml:AttributeStatement",
			samlAttribute(etoegang.AttributeRepresentation, representation),
			samlAttribute(etoegang.AttributeRegistryID, l.Registry.String()),
			samlAttribute(etoegang.AttributeActingSubjectID, l.Acting),
			samlAttribute(etoegang.AttributeServiceUUID, l.ServiceUUID.String())),
	)
	return e, s.Sign(e)
}

func bearer(inResponseTo, recipient string, until time.Time) *xmlsec.Element {
	return xmlsec.E("saml:SubjectConfirmation", xmlsec.A("Method", methodBearer),
		xmlsec.E("saml:SubjectConfirmationData", xmlsec.A("InResponseTo", inResponseTo),
			xmlsec.A("NotOnOrAfter", stamp(until)), xmlsec.A("Recipient", recipient)))
}

func conditions(from, until time.Time, audiences []etoegang.EntityID) *xmlsec.Element {
	return xmlsec.E("saml:Conditions", xmlsec.A("NotBefore", stamp(from)), xmlsec.A("NotOnOrAfter", stamp(until)),
		xmlsec.E("saml:AudienceRestriction", each(audiences, func(e etoegang.EntityID) *xmlsec.Element {
			return xmlsec.E("saml:Audience", e.String())
		})))
}

func authnStatement(at time.Time, level etoegang.AssuranceLevel, authority string) *xmlsec.Element {
	return xmlsec.E("saml:AuthnStatement", xmlsec.A("AuthnInstant", stamp(at)),
		xmlsec.E("saml:AuthnContext",
			xmlsec.E("saml:AuthnContextClassRef", level.URN()),
			xmlsec.E("saml:AuthenticatingAuthority", authority)))
}

func samlAttribute(name string, values ...any) *xmlsec.Element {
	parts := []any{xmlsec.A("Name", name)}
	for _, v := range values {
		parts = append(parts, xmlsec.E("saml:AttributeValue", v))
	}
	return xmlsec.E("saml:Attribute", parts...)
}

// Combination is a broker's assertion to a provider, with all others in its Advice.
type Combination struct {
	ID            string
	Issuer        etoegang.EntityID
	NameID        string
	Issued, Until time.Time
	Recipient     string // the provider's AssertionConsumerService
	InResponseTo  string // the provider's AuthnRequest
	Audience      etoegang.EntityID
	Level         etoegang.AssuranceLevel
	Authenticator etoegang.EntityID
	Advice        []*xmlsec.Element // signed assertions, untouched
	ServiceID     etoegang.ServiceID
	ServiceUUID   etoegang.ServiceUUID

	// What the registers have stated, for the provider to find without looking into Advice.
	Acting         *xmlsec.Element   // EncryptedID; nil: left out
	Represented    []*xmlsec.Element // EncryptedIDs, one a type
	Intermediary   etoegang.Intermediary
	Establishments []etoegang.EstablishmentNumber
	ClearKvK       etoegang.KvKNumber // for a provider that cannot decrypt, as in 2020; zero: left out
}

// Sign builds the assertion and signs it.
func (c Combination) Sign(s xmlsec.Signer) (*xmlsec.Element, error) {
	e := xmlsec.E("saml:Assertion",
		xmlsec.A("ID", c.ID), xmlsec.A("Version", "2.0"), xmlsec.A("IssueInstant", stamp(c.Issued)),
		xmlsec.E("saml:Issuer", c.Issuer.String()),
		xmlsec.E("saml:Subject",
			xmlsec.E("saml:NameID", xmlsec.A("Format", formatTransient), c.NameID),
			bearer(c.InResponseTo, c.Recipient, c.Until)),
		conditions(c.Issued, c.Until, []etoegang.EntityID{c.Audience}),
		xmlsec.E("saml:Advice", c.Advice),
		authnStatement(c.Issued, c.Level, c.Authenticator.String()),
		xmlsec.E("saml:AttributeStatement", c.attributes()),
	)
	return e, s.Sign(e)
}

// attributes are those in the names of which providers look for who acts for whom.
func (c Combination) attributes() (list []*xmlsec.Element) {
	add := func(present bool, name string, values ...any) {
		if present {
			list = append(list, samlAttribute(name, values...))
		}
	}
	add(c.Acting != nil, etoegang.AttributeActingSubjectID, c.Acting)
	add(len(c.Represented) > 0, etoegang.AttributeLegalSubjectID, each(c.Represented, anything)...)
	add(!c.Intermediary.IsZero(), etoegang.AttributeIntermediateKvKNr, c.Intermediary.KvK.Text())
	add(len(c.Establishments) > 0, etoegang.RestrictionEstablishment, each(c.Establishments, func(e etoegang.EstablishmentNumber) any { return e.Text() })...)
	add(!c.ClearKvK.IsZero(), string(etoegang.TypeKvKNr), c.ClearKvK.Text())
	add(true, etoegang.AttributeServiceID, c.ServiceID.String())
	add(true, etoegang.AttributeServiceUUID, c.ServiceUUID.String())
	return list
}

// Asking is a query to be sent.
type Asking struct {
	ID          string
	Issuer      etoegang.EntityID
	Destination string
	Issued      time.Time
	Consumer    string // index of the AssertionConsumerService; "": left out
	Audience    etoegang.EntityID
	SubjectID   string // the transient name in the log-in; "": left out
	Assertions  []*xmlsec.Element
	Represented []*xmlsec.Element // EncryptedID or NameID
	ServiceID   etoegang.ServiceID
	ServiceUUID etoegang.ServiceUUID
	Level       etoegang.AssuranceLevel // NoLevel: left out
	Through     etoegang.Intermediary
	Requested   []RequestedAttribute
}

// Sign builds the query and signs it (HM-MR, 1.13).
func (q Asking) Sign(s xmlsec.Signer) (*xmlsec.Element, error) {
	var extensions, subject []*xmlsec.Element
	if q.Consumer != "" {
		extensions = append(extensions, contextOf(etoegang.AttributeConsumerIndex, etoegang.DataString, q.Consumer))
	}
	if !q.Audience.IsZero() {
		extensions = append(extensions, contextOf(etoegang.AttributeIntendedAudience, etoegang.DataString, q.Audience.String()))
	}
	extensions = append(extensions, contextOf(etoegang.AttributeAssertions, etoegang.DataAssertion, each(q.Assertions, anything)...))
	if len(q.Requested) > 0 {
		extensions = append(extensions, xmlsec.E("esp:RequestedAttributes", each(q.Requested, requestedAttribute)))
	}
	if q.SubjectID != "" {
		subject = append(subject, contextOf(etoegang.AttributeSubjectID, etoegang.DataString, q.SubjectID))
	}
	if len(q.Represented) > 0 {
		subject = append(subject, contextOf(etoegang.AttributeLegalSubjectID, etoegang.DataEncryptedID, each(q.Represented, anything)...))
	}
	resource := []*xmlsec.Element{
		contextOf(etoegang.AttributeServiceID, etoegang.DataString, q.ServiceID.String()),
		contextOf(etoegang.AttributeServiceUUID, etoegang.DataString, q.ServiceUUID.String()),
	}
	if q.Level != etoegang.NoLevel {
		resource = append(resource, contextOf(etoegang.AttributeLevel, etoegang.DataString, q.Level.URN()))
	}
	if !q.Through.IsZero() {
		resource = append(resource, contextOf(etoegang.AttributeIntermediateKvKNr, etoegang.DataString, q.Through.KvK.Text()))
	}
	e := xmlsec.E("xacml-samlp:XACMLAuthzDecisionQuery",
		xmlsec.A("ID", q.ID), xmlsec.A("Version", "2.0"), xmlsec.A("IssueInstant", stamp(q.Issued)),
		xmlsec.A("Destination", q.Destination), xmlsec.A("ReturnContext", "true"),
		xmlsec.E("saml:Issuer", q.Issuer.String()),
		xmlsec.E("samlp:Extensions", extensions),
		xmlsec.E("xacml-context:Request",
			xmlsec.E("xacml-context:Subject", subject),
			xmlsec.E("xacml-context:Resource", resource),
			xmlsec.E("xacml-context:Action", contextOf(etoegang.AttributeActionID, etoegang.DataString, etoegang.ActionAuthenticate)),
			xmlsec.E("xacml-context:Environment")),
	)
	return e, s.Sign(e)
}

// PlainName is a company's identifier that a provider has decrypted, as it asks about it.
func PlainName(s etoegang.LegalSubject) *xmlsec.Element {
	return xmlsec.E("saml:NameID", xmlsec.A("Format", formatPersistent), xmlsec.A("NameQualifier", string(s.Type())), s.Text())
}

func requestedAttribute(a RequestedAttribute) *xmlsec.Element {
	return xmlsec.E("md:RequestedAttribute", xmlsec.A("Name", a.Name), xmlsec.A("isRequired", strconv.FormatBool(a.Required)))
}

// contextOf is an XACML attribute.
func contextOf(id, dataType string, values ...any) *xmlsec.Element {
	parts := []any{xmlsec.A("AttributeId", id), xmlsec.A("DataType", dataType)}
	for _, v := range values {
		parts = append(parts, xmlsec.E("xacml-context:AttributeValue", v))
	}
	return xmlsec.E("xacml-context:Attribute", parts...)
}

func anything(e *xmlsec.Element) any { return e }

// optional is an element with text, or nothing without text.
func optional(name, text string) *xmlsec.Element {
	if text == "" {
		return nil
	}
	return xmlsec.E(name, text)
}
