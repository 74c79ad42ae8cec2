package xmlsec

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"sync"
	"testing"
	"time"
)

// The people in the tests: a broker asks, an authenticator has asserted who the
// user is, a register answers. Mallory has a key too.

// noon is the time at which all scenes play.
var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

const (
	brokerID        = "urn:etoegang:HM:00000000000000000001:entities:9001"
	providerID      = "urn:etoegang:DV:00000000000000000002:entities:9002"
	registerID      = "urn:etoegang:MR:00000000000000000003:entities:9003"
	authenticatorID = "urn:etoegang:AD:00000000000000000005:entities:9005"
)

// party is somebody with a key and a certificate.
type party struct {
	key         *rsa.PrivateKey
	certificate *x509.Certificate
	name        string
}

func (p party) signer() Signer {
	return Signer{Key: p.key, KeyName: p.name, Certificate: p.certificate}
}

func (p party) verifying() Key { return Key{Name: p.name, Certificate: p.certificate} }

var cast = struct {
	sync.Mutex
	of map[string]party
}{of: map[string]party{}}

// someone returns the party of that name; keys are made once for all tests.
func someone(t testing.TB, name string) party { return partyWith(t, name, 2048, noon.AddDate(1, 0, 0)) }

func partyWith(t testing.TB, name string, bits int, until time.Time) party {
	t.Helper()
	cast.Lock()
	defer cast.Unlock()
	if p, ok := cast.of[name]; ok {
		return p
	}
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		t.Fatal(err)
	}
	p := party{key: key, certificate: certify(t, key, name, until), name: "key-of-" + name}
	cast.of[name] = p
	return p
}

func certify(t testing.TB, key crypto.Signer, name string, until time.Time) *x509.Certificate {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name},
		NotBefore: noon.AddDate(-2, 0, 0), NotAfter: until,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return certificate
}

const (
	spaceSAML    = "urn:oasis:names:tc:SAML:2.0:assertion"
	spaceSAMLP   = "urn:oasis:names:tc:SAML:2.0:protocol"
	spaceXACMLP  = "urn:oasis:xacml:2.0:saml:protocol:schema:os"
	spaceContext = "urn:oasis:names:tc:xacml:2.0:context:schema:os"
	spaceSOAP    = "http://schemas.xmlsoap.org/soap/envelope/"
)

var (
	nameIssuer    = Name{spaceSAML, "Issuer"}
	nameAssertion = Name{spaceSAML, "Assertion"}
	nameNameID    = Name{spaceSAML, "NameID"}
	queryPath     = []Step{
		{{spaceSOAP, "Envelope"}}, {{spaceSOAP, "Body"}}, {{spaceXACMLP, "XACMLAuthzDecisionQuery"}},
	}
	assertionPath = append(append([]Step{}, queryPath...),
		Step{{spaceSAMLP, "Extensions"}}, Step{{spaceContext, "Attribute"}},
		Step{{spaceContext, "AttributeValue"}}, Step{nameAssertion})
)

// assertion is what the authenticator says about the user, before it is signed.
func assertion(subject string) *Element {
	return E("saml:Assertion", A("ID", "_ad1"), A("Version", "2.0"), A("IssueInstant", "2026-01-02T12:00:00Z"),
		E("saml:Issuer", authenticatorID),
		E("saml:Subject", E("saml:NameID", subject)),
		E("saml:AttributeStatement",
			E("saml:Attribute", A("Name", "urn:etoegang:core:Representation"),
				E("saml:AttributeValue", A("xsi:type", "xs:boolean"), "true")),
			padding(20)),
	).Declare("xs")
}

// padding makes messages as large as those in the field.
func padding(n int) []*Element {
	attributes := make([]*Element, n)
	for i := range attributes {
		attributes[i] = E("saml:Attribute", A("Name", "urn:etoegang:core:Something"),
			E("saml:AttributeValue", A("xsi:type", "xs:string"), "a value of an ordinary length"))
	}
	return attributes
}

// query is what the broker asks, before it is signed.
func query(assertion *Element) *Element {
	value := func(id, text string) *Element {
		return E("xacml-context:Attribute", A("AttributeId", id), A("DataType", "http://www.w3.org/2001/XMLSchema#string"),
			E("xacml-context:AttributeValue", text))
	}
	return E("xacml-samlp:XACMLAuthzDecisionQuery", A("ID", "_q1"), A("Version", "2.0"),
		A("IssueInstant", "2026-01-02T12:00:00Z"), A("ReturnContext", "true"),
		E("saml:Issuer", brokerID),
		E("samlp:Extensions",
			E("xacml-context:Attribute", A("AttributeId", "urn:etoegang:core:Assertions"),
				A("DataType", "urn:oasis:names:tc:SAML:2.0:assertion#Assertion"),
				E("xacml-context:AttributeValue", assertion))),
		E("xacml-context:Request",
			E("xacml-context:Resource",
				value("urn:etoegang:core:ServiceID", "urn:etoegang:DV:00000000000000000002:services:9002"),
				value("urn:etoegang:core:LevelOfAssurance", "urn:etoegang:core:assurance-class:loa3")),
			E("xacml-context:Environment")))
}

func envelop(message *Element) *Element { return E("soap:Envelope", E("soap:Body", message)) }

func mustSign(t testing.TB, by party, e *Element) *Element {
	t.Helper()
	if err := by.signer().Sign(e); err != nil {
		t.Fatal(err)
	}
	return e
}

// honestQuery is a signed query with a signed assertion in a SOAP envelope.
func honestQuery(t testing.TB) []byte {
	t.Helper()
	return envelop(mustSign(t, someone(t, "broker"),
		query(mustSign(t, someone(t, "authenticator"), assertion("alice"))))).Bytes()
}

// places is where a query has its signatures, and whose keys count there.
func places(t testing.TB) []Place {
	t.Helper()
	keys := func(id, name string) func(string) []Key {
		k := someone(t, name).verifying()
		return func(issuer string) []Key {
			if issuer != id {
				return nil
			}
			return []Key{k}
		}
	}
	return []Place{
		{Name: "query", Path: queryPath, Issuer: nameIssuer, Keys: keys(brokerID, "broker"), Min: 1, Max: 1},
		{Name: "assertion", Path: assertionPath, Issuer: nameIssuer, Keys: keys(authenticatorID, "authenticator"), Min: 1, Max: 1},
	}
}

func mustRead(t testing.TB, doc []byte) *Document {
	t.Helper()
	d, err := Read(doc, MessageLimits)
	if err != nil {
		t.Fatalf("%v in:\n%s", err, doc)
	}
	return d
}

// verifyQuery is what a register does with a query.
func verifyQuery(t testing.TB, doc []byte) ([]Verified, error) {
	t.Helper()
	d, err := Read(doc, MessageLimits)
	if err != nil {
		return nil, err
	}
	return verify(t, d, noon, places(t)...)
}

// verify lets both engines verify a document. They must come to the same result, a
// refusal for the same reason; so every test that uses it is a test of both.
func verify(t testing.TB, d *Document, now time.Time, places ...Place) ([]Verified, error) {
	t.Helper()
	fast, err := Verifier{Engine: Fast}.Verify(d, now, places...)
	reference, refErr := Verifier{Engine: Reference}.Verify(d, now, places...)
	if detail := disagreement(Fast, fast, reference, err, refErr); detail != "" {
		t.Errorf("the engines disagree: %s in\n%s", detail, d.doc)
	}
	if why, refWhy := defence(err), defence(refErr); why != refWhy {
		t.Errorf("fast refuses with %v, reference with %v", err, refErr)
	}
	return fast, err
}

// defence finds which of our errors it is.
func defence(err error) error {
	for _, known := range []error{
		ErrMalformed, ErrPlaceCount, ErrSignatureCount, ErrSignaturePlace, ErrSignatureShape, ErrReference, ErrTransforms,
		ErrAlgorithm, ErrIssuer, ErrUnknownIssuer, ErrKeyName, ErrWeakKey, ErrCertificate, ErrSignature,
	} {
		if errors.Is(err, known) {
			return known
		}
	}
	return err
}

func keyPEM(t testing.TB, p party) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(p.key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}
