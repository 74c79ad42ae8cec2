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

// Sign builds the response and signs it (HM-MR response, 1.13).
func (r Response) Sign(s xmlsec.Signer) (*xmlsec.Element, error) {
	status := xmlsec.E("samlp:StatusCode", xmlsec.A("Value", r.Status.Top))
	if r.Status.Second != "" {
		status = xmlsec.E("samlp:StatusCode", xmlsec.A("Value", r.Status.Top),
			xmlsec.E("samlp:StatusCode", xmlsec.A("Value", r.Status.Second)))
	}
	parts := []any{
		xmlsec.A("ID", r.ID), xmlsec.A("Version", "2.0"), xmlsec.A("IssueInstant", stamp(r.Issued)),
		xmlsec.A("InResponseTo", r.InResponseTo),
		xmlsec.E("saml:Issuer", r.Issuer.String()),
		xmlsec.E("samlp:Status", status, optional("samlp:StatusMessage", r.Message)),
		r.Assertion,
	}
	if r.Destination != "" {
		parts = append(parts, xmlsec.A("Destination", r.Destination))
	}
	e := xmlsec.E("samlp:Response", parts...)
	return e, s.Sign(e)
}

// optional is an element with text, or nothing without text.
func optional(name, text string) *xmlsec.Element {
	if text == "" {
		return nil
	}
	return xmlsec.E(name, text)
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
}

// Sign builds the assertion and signs it. Its prefixes are declared on itself and
// xacml-saml, which stands in a value only, is in the PrefixList: so it survives being
// moved into the broker's assertion.
func (a Answer) Sign(s xmlsec.Signer) (*xmlsec.Element, error) {
	advice := xmlsec.E("saml:Advice", each(a.Links, func(l Link) *xmlsec.Element {
		return xmlsec.E("saml:AssertionIDRef", l.ID)
	}))
	e := xmlsec.E("saml:Assertion",
		xmlsec.A("ID", a.ID), xmlsec.A("Version", "2.0"), xmlsec.A("IssueInstant", stamp(a.Issued)),
		xmlsec.E("saml:Issuer", a.Issuer.String()),
		xmlsec.E("saml:Subject", xmlsec.E("saml:NameID", xmlsec.A("Format", formatTransient), a.Subject)),
		xmlsec.E("saml:Conditions", xmlsec.A("NotBefore", stamp(a.Issued)), xmlsec.A("NotOnOrAfter", stamp(a.Until))),
		advice,
		xmlsec.E("saml:Statement", xmlsec.A("xsi:type", statementType), a.result(), a.request()),
	).Declare("xacml-saml")
	return e, s.Sign(e)
}

func (a Answer) result() *xmlsec.Element {
	decision := "Deny"
	if a.Permit {
		decision = "Permit"
	}
	return xmlsec.E("xacml-context:Response", xmlsec.E("xacml-context:Result",
		xmlsec.E("xacml-context:Decision", decision),
		xmlsec.E("xacml-context:Status",
			xmlsec.E("xacml-context:StatusCode", xmlsec.A("Value", statusOK)),
			optional("xacml-context:StatusMessage", a.Message)),
		a.obligation(),
	))
}

// obligation names the next register, under the obligation's own name as attribute.
func (a Answer) obligation() *xmlsec.Element {
	if a.Confirm.IsZero() {
		return nil
	}
	return xmlsec.E("xacml-policy:Obligations", xmlsec.E("xacml-policy:Obligation",
		xmlsec.A("ObligationId", etoegang.ObligationConfirm), xmlsec.A("FulfillOn", "Permit"),
		xmlsec.E("xacml-policy:AttributeAssignment",
			xmlsec.A("AttributeId", etoegang.ObligationConfirm), xmlsec.A("DataType", etoegang.DataString),
			a.Confirm.String())))
}

func (a Answer) request() *xmlsec.Element {
	if !a.Echo {
		return nil
	}
	return xmlsec.E("xacml-context:Request",
		xmlsec.E("xacml-context:Subject", a.subject()),
		xmlsec.E("xacml-context:Resource", a.resource()),
		xmlsec.E("xacml-context:Action", contextOf(etoegang.AttributeActionID, etoegang.DataString, "", etoegang.ActionAuthenticate)),
		xmlsec.E("xacml-context:Environment"),
	)
}

func (a Answer) subject() []*xmlsec.Element {
	self := a.Issuer.String()
	var out []*xmlsec.Element
	if a.ActingName != "" {
		out = append(out, contextOf(etoegang.AttributeActingEntityID, etoegang.DataString, self, a.ActingName))
	}
	if a.Acting != nil {
		out = append(out, contextOf(etoegang.AttributeActingSubjectID, etoegang.DataEncryptedID, self, a.Acting))
	}
	if len(a.Links) > 0 {
		out = append(out, contextOf(etoegang.AttributeLinkedDeclaration, etoegang.DataBase64, self, a.Links[0].Signature))
	}
	if len(a.Represented) > 0 {
		out = append(out, contextOf(etoegang.AttributeLegalSubjectID, etoegang.DataEncryptedID, self, each(a.Represented, anything)...))
	}
	return out
}

func anything(e *xmlsec.Element) any { return e }

func (a Answer) resource() []*xmlsec.Element {
	self := a.Issuer.String()
	out := []*xmlsec.Element{
		contextOf(etoegang.AttributeServiceID, etoegang.DataString, "", a.ServiceID.String()),
		contextOf(etoegang.AttributeServiceUUID, etoegang.DataString, "",
			each(a.ServiceUUIDs, func(u etoegang.ServiceUUID) any { return u.String() })...),
	}
	if a.Asked != etoegang.NoLevel {
		out = append(out, contextOf(etoegang.AttributeLevel, etoegang.DataString, "", a.Asked.URN()))
	}
	if len(a.Establishments) > 0 {
		out = append(out, contextOf(etoegang.RestrictionEstablishment, etoegang.DataString, self,
			each(a.Establishments, func(n etoegang.EstablishmentNumber) any { return n.Text() })...))
	}
	if !a.ClearKvK.IsZero() {
		out = append(out, contextOf(string(etoegang.TypeKvKNr), etoegang.DataString, self, a.ClearKvK.Text()))
	}
	if !a.Intermediary.IsZero() {
		out = append(out, contextOf(etoegang.AttributeIntermediateKvKNr, etoegang.DataString, self, a.Intermediary.KvK.Text()))
	}
	if a.Used != etoegang.NoLevel {
		out = append(out, contextOf(etoegang.AttributeLevelUsed, etoegang.DataString, self, a.Used.URN()))
	}
	return out
}

// contextOf is an XACML attribute; what we add ourselves is marked with our own name
// as its issuer, what the asker said is not.
func contextOf(id, dataType, issuer string, values ...any) *xmlsec.Element {
	parts := []any{xmlsec.A("AttributeId", id), xmlsec.A("DataType", dataType)}
	if issuer != "" {
		parts = append(parts, xmlsec.A("Issuer", issuer))
	}
	for _, v := range values {
		parts = append(parts, xmlsec.E("xacml-context:AttributeValue", v))
	}
	return xmlsec.E("xacml-context:Attribute", parts...)
}

// SealName encrypts an identifier of the given type to its recipients.
func SealName(kind etoegang.EntityType, name string, to ...xmlsec.Recipient) (*xmlsec.Element, error) {
	return xmlsec.Seal(xmlsec.E("saml:NameID",
		xmlsec.A("Format", formatPersistent), xmlsec.A("NameQualifier", string(kind)), name), to...)
}

func each[T, U any](list []T, f func(T) U) []U {
	out := make([]U, len(list))
	for i, v := range list {
		out[i] = f(v)
	}
	return out
}
