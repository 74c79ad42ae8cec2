package saml

import (
	"crypto/rand"
	"encoding/hex"
	"time"

	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/xmlsec"
)

// NewID makes an identifier for a message or an assertion, or a transient name: 128
// random bits, so that none recurs within the twelve months the scheme asks for.
func NewID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // crypto/rand never fails
	return "_" + hex.EncodeToString(b[:])
}

// Response is an answer to one query.
type Response struct {
	ID           string
	InResponseTo string
	Issuer       etoegang.EntityID
	Destination  string // "": left out
	Issued       time.Time
	Status       Status
	Message      string          // StatusMessage; "": left out
	Assertion    *xmlsec.Element // signed; nil with any status but Success
}

// The tags of responses and of our assertions, compiled once.
var (
	tagResponse = xmlsec.NewTag("samlp:Response", "ID", "Version", "IssueInstant", "InResponseTo")
	tagSent     = xmlsec.NewTag("samlp:Response", "ID", "Version", "IssueInstant", "InResponseTo", "Destination")
	tagStatus   = xmlsec.NewTag("samlp:Status")
	tagCode     = xmlsec.NewTag("samlp:StatusCode", "Value")
	tagMessage  = xmlsec.NewTag("samlp:StatusMessage")

	tagAssertion  = xmlsec.NewTag("saml:Assertion", "ID", "Version", "IssueInstant")
	tagIssuer     = xmlsec.NewTag("saml:Issuer")
	tagSubject    = xmlsec.NewTag("saml:Subject")
	tagNameID     = xmlsec.NewTag("saml:NameID", "Format")
	tagConditions = xmlsec.NewTag("saml:Conditions", "NotBefore", "NotOnOrAfter")
	tagAdvice     = xmlsec.NewTag("saml:Advice")
	tagReference  = xmlsec.NewTag("saml:AssertionIDRef")
	tagStatement  = xmlsec.NewTag("saml:Statement", "xsi:type")
	tagAttributes = xmlsec.NewTag("saml:AttributeStatement")

	tagContextResponse = xmlsec.NewTag("xacml-context:Response")
	tagResult          = xmlsec.NewTag("xacml-context:Result")
	tagDecision        = xmlsec.NewTag("xacml-context:Decision")
	tagContextStatus   = xmlsec.NewTag("xacml-context:Status")
	tagContextCode     = xmlsec.NewTag("xacml-context:StatusCode", "Value")
	tagContextMessage  = xmlsec.NewTag("xacml-context:StatusMessage")
	tagObligations     = xmlsec.NewTag("xacml-policy:Obligations")
	tagObligation      = xmlsec.NewTag("xacml-policy:Obligation", "ObligationId", "FulfillOn")
	tagAssignment      = xmlsec.NewTag("xacml-policy:AttributeAssignment", "AttributeId", "DataType")

	tagRequest        = xmlsec.NewTag("xacml-context:Request")
	tagContextSubject = xmlsec.NewTag("xacml-context:Subject")
	tagResource       = xmlsec.NewTag("xacml-context:Resource")
	tagAction         = xmlsec.NewTag("xacml-context:Action")
	tagEnvironment    = xmlsec.NewTag("xacml-context:Environment")
	tagAsked          = xmlsec.NewTag("xacml-context:Attribute", "AttributeId", "DataType")
	tagOurs           = xmlsec.NewTag("xacml-context:Attribute", "AttributeId", "DataType", "Issuer")
	tagValue          = xmlsec.NewTag("xacml-context:AttributeValue")
)

// Sign writes the response and signs it (HM-MR response, 1.13).
func (r Response) Sign(s xmlsec.Signer) (*xmlsec.Element, error) {
	var listed []string
	if r.Assertion != nil {
		listed = r.Assertion.Declared()
	}
	tag, values := tagResponse, []string{r.ID, "2.0", stamp(r.Issued), r.InResponseTo}
	if r.Destination != "" {
		tag, values = tagSent, append(values, r.Destination)
	}
	w := xmlsec.NewWriter(tag, listed, values...)
	w.Leaf(tagIssuer, r.Issuer.String())
	w.Open(tagStatus)
	w.Open(tagCode, r.Status.Top)
	if r.Status.Second != "" {
		w.Leaf(tagCode, "", r.Status.Second)
	}
	w.Close()
	if r.Message != "" {
		w.Leaf(tagMessage, r.Message)
	}
	w.Close()
	w.Add(r.Assertion)
	return w.Sign(s)
}

// SignAround is Sign for an assertion in which others are quoted, as a broker's is: what those
// declare is part of no canonical form that can be written at once.
func (r Response) SignAround(s xmlsec.Signer) (*xmlsec.Element, error) {
	code := xmlsec.E("samlp:StatusCode", xmlsec.A("Value", r.Status.Top))
	if r.Status.Second != "" {
		code = xmlsec.E("samlp:StatusCode", xmlsec.A("Value", r.Status.Top), xmlsec.E("samlp:StatusCode", xmlsec.A("Value", r.Status.Second)))
	}
	e := xmlsec.E("samlp:Response", protocolHeader(r.ID, r.Issued, "Destination", r.Destination), xmlsec.A("InResponseTo", r.InResponseTo),
		xmlsec.E("saml:Issuer", r.Issuer.String()),
		xmlsec.E("samlp:Status", code, optional("samlp:StatusMessage", r.Message)),
		r.Assertion)
	return e, s.Sign(e)
}

// Answer is what a register's assertion says.
type Answer struct {
	ID      string
	Issuer  etoegang.EntityID
	Subject string // a fresh transient name
	Issued  time.Time
	Until   time.Time // NotOnOrAfter
	Links   []Link    // what it rests on, the nearest first

	Permit  bool
	Message string            // why not
	Confirm etoegang.EntityID // obligation: ask this register before believing the Permit

	// Echo is false when the asker does not want his request back (ReturnContext);
	// the rest is then left out.
	Echo bool

	ServiceID    etoegang.ServiceID
	ServiceUUIDs []etoegang.ServiceUUID // the one asked for, then those behind a portal that may be used
	Asked        etoegang.AssuranceLevel
	Used         etoegang.AssuranceLevel // NoLevel: left out

	// ActingName is the specific pseudonym in the clear, ClearKvK the represented
	// company's number in the clear: for peers that still read messages of 2020.
	// Empty by default.
	ActingName string
	ClearKvK   etoegang.KvKNumber

	Acting         *xmlsec.Element   // EncryptedID; nil: left out
	Represented    []*xmlsec.Element // EncryptedIDs, one a type
	Intermediary   etoegang.Intermediary
	Establishments []etoegang.EstablishmentNumber

	Attributes []*xmlsec.Element // EncryptedAttributes, what else the provider gets to know
}

// prefixesInValues stand in values of our assertions and in no name.
var prefixesInValues = []string{"xacml-saml"}

// Sign writes the assertion and signs it. Its prefixes are declared on itself and
// xacml-saml, which stands in a value only, is in the PrefixList: so it survives being
// moved into the broker's assertion.
func (a Answer) Sign(s xmlsec.Signer) (*xmlsec.Element, error) {
	w := xmlsec.NewWriter(tagAssertion, prefixesInValues, a.ID, "2.0", stamp(a.Issued))
	w.Leaf(tagIssuer, a.Issuer.String())
	w.Open(tagSubject)
	w.Leaf(tagNameID, a.Subject, formatTransient)
	w.Close()
	w.Leaf(tagConditions, "", stamp(a.Issued), stamp(a.Until))
	w.Open(tagAdvice)
	for _, l := range a.Links {
		w.Leaf(tagReference, l.ID)
	}
	w.Close()
	w.Open(tagStatement, statementType)
	a.writeResult(w)
	if a.Echo {
		a.writeRequest(w)
	}
	w.Close()
	if len(a.Attributes) > 0 { // after the decision: some read no further
		w.Open(tagAttributes)
		for _, e := range a.Attributes {
			w.Add(e)
		}
		w.Close()
	}
	return w.Sign(s)
}

func (a Answer) writeResult(w *xmlsec.Writer) {
	decision := "Deny"
	if a.Permit {
		decision = "Permit"
	}
	w.Open(tagContextResponse)
	w.Open(tagResult)
	w.Leaf(tagDecision, decision)
	w.Open(tagContextStatus)
	w.Leaf(tagContextCode, "", statusOK)
	if a.Message != "" {
		w.Leaf(tagContextMessage, a.Message)
	}
	w.Close()
	if !a.Confirm.IsZero() {
		a.writeObligation(w)
	}
	w.Close()
	w.Close()
}

// writeObligation names the next register, under the obligation's own name as attribute.
func (a Answer) writeObligation(w *xmlsec.Writer) {
	w.Open(tagObligations)
	w.Open(tagObligation, etoegang.ObligationConfirm, "Permit")
	w.Leaf(tagAssignment, a.Confirm.String(), etoegang.ObligationConfirm, etoegang.DataString)
	w.Close()
	w.Close()
}

func (a Answer) writeRequest(w *xmlsec.Writer) {
	c := contextWriter{w, a.Issuer.String()}
	w.Open(tagRequest)
	w.Open(tagContextSubject)
	a.writeSubject(c)
	w.Close()
	w.Open(tagResource)
	a.writeResource(c)
	w.Close()
	w.Open(tagAction)
	c.asked(etoegang.AttributeActionID, etoegang.ActionAuthenticate)
	w.Close()
	w.Leaf(tagEnvironment, "")
	w.Close()
}

func (a Answer) writeSubject(c contextWriter) {
	if a.ActingName != "" {
		c.ours(etoegang.AttributeActingEntityID, a.ActingName)
	}
	if a.Acting != nil {
		c.sealed(etoegang.AttributeActingSubjectID, a.Acting)
	}
	if len(a.Links) > 0 {
		c.attribute(tagOurs, []string{a.Links[0].Signature}, etoegang.AttributeLinkedDeclaration, etoegang.DataBase64, c.self)
	}
	if len(a.Represented) > 0 {
		c.sealed(etoegang.AttributeLegalSubjectID, a.Represented...)
	}
}

func (a Answer) writeResource(c contextWriter) {
	c.asked(etoegang.AttributeServiceID, a.ServiceID.String())
	c.asked(etoegang.AttributeServiceUUID, each(a.ServiceUUIDs, etoegang.ServiceUUID.String)...)
	if a.Asked != etoegang.NoLevel {
		c.asked(etoegang.AttributeLevel, a.Asked.URN())
	}
	if len(a.Establishments) > 0 {
		c.ours(etoegang.RestrictionEstablishment, each(a.Establishments, etoegang.EstablishmentNumber.Text)...)
	}
	if !a.ClearKvK.IsZero() {
		c.ours(string(etoegang.TypeKvKNr), a.ClearKvK.Text())
	}
	if !a.Intermediary.IsZero() {
		c.ours(etoegang.AttributeIntermediateKvKNr, a.Intermediary.KvK.Text())
	}
	if a.Used != etoegang.NoLevel {
		c.ours(etoegang.AttributeLevelUsed, a.Used.URN())
	}
}

// contextWriter writes XACML attributes; what we add ourselves is marked with our own name
// as its issuer, what the asker said is not.
type contextWriter struct {
	*xmlsec.Writer
	self string
}

func (c contextWriter) asked(id string, values ...string) {
	c.attribute(tagAsked, values, id, etoegang.DataString)
}

func (c contextWriter) ours(id string, values ...string) {
	c.attribute(tagOurs, values, id, etoegang.DataString, c.self)
}

func (c contextWriter) attribute(tag *xmlsec.Tag, values []string, attributes ...string) {
	c.Open(tag, attributes...)
	for _, v := range values {
		c.Leaf(tagValue, v)
	}
	c.Close()
}

func (c contextWriter) sealed(id string, identifiers ...*xmlsec.Element) {
	c.Open(tagOurs, id, etoegang.DataEncryptedID, c.self)
	for _, e := range identifiers {
		c.Open(tagValue)
		c.Add(e)
		c.Close()
	}
	c.Close()
}

// SealName encrypts an identifier of the given type to its recipients.
func SealName(kind etoegang.EntityType, name string, to ...xmlsec.Recipient) (*xmlsec.Element, error) {
	return xmlsec.Seal(xmlsec.E("saml:NameID",
		xmlsec.A("Format", formatPersistent), xmlsec.A("NameQualifier", string(kind)), name), to...)
}

// SealAttribute encrypts an attribute of one value to its recipients.
func SealAttribute(name, value string, to ...xmlsec.Recipient) (*xmlsec.Element, error) {
	return xmlsec.Seal(samlAttribute(name, value), to...)
}

func each[T, U any](list []T, f func(T) U) []U {
	out := make([]U, len(list))
	for i, v := range list {
		out[i] = f(v)
	}
	return out
}
