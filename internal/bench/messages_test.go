package bench

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"io"
	"strings"
	"time"

	"github.com/beevik/etree"
	dsig "github.com/russellhaering/goxmldsig"
	"github.com/russellhaering/goxmldsig/etreeutils"

	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/saml"
	"github.com/mandated/mandated/pkg/xmlsec"
)

// The names on the way to the two signed elements of a question.
const (
	spaceSOAP     = "http://schemas.xmlsoap.org/soap/envelope/"
	spaceQuery    = "urn:oasis:xacml:2.0:saml:protocol:schema:os"
	spaceProtocol = "urn:oasis:names:tc:SAML:2.0:protocol"
	spaceContext  = "urn:oasis:names:tc:xacml:2.0:context:schema:os"
	spaceSAML     = "urn:oasis:names:tc:SAML:2.0:assertion"
)

// messages are a question and an answer, which everybody reads and writes who has a part
// in the measurement.
type messages struct {
	s         *stage
	query     []byte
	altered   []byte // the query with another service: no signature fits any more
	directory *saml.Directory
	places    []xmlsec.Place
	answer    saml.Answer
	response  saml.Response
	written   []byte // the answer as we write it
}

func newMessages(s *stage) *messages {
	s.t.Helper()
	m := &messages{s: s, query: s.queries(1)[0], directory: s.directory()}
	m.altered = bytes.Replace(m.query, []byte(":services:1<"), []byte(":services:2<"), 1)
	step := func(space, local string) xmlsec.Step { return xmlsec.Step{{Space: space, Local: local}} }
	path := []xmlsec.Step{step(spaceSOAP, "Envelope"), step(spaceSOAP, "Body"), step(spaceQuery, "XACMLAuthzDecisionQuery")}
	inner := append(path[:3:3], step(spaceProtocol, "Extensions"), step(spaceContext, "Attribute"), step(spaceContext, "AttributeValue"), step(spaceSAML, "Assertion"))
	issuer := xmlsec.Name{Space: spaceSAML, Local: "Issuer"}
	m.places = []xmlsec.Place{
		{Name: "query", Path: path, Issuer: issuer, Keys: keysOf(s.net.Broker.Signer()), Min: 1, Max: 1},
		{Name: "assertion", Path: inner, Issuer: issuer, Keys: keysOf(s.net.Authenticator.Signer()), Min: 1, Max: 1},
	}
	m.compose()
	m.written = m.write(s.net.First.Signer())
	return m
}

func keysOf(s xmlsec.Signer) func(string) []xmlsec.Key {
	keys := []xmlsec.Key{{Name: s.KeyName, Certificate: s.Certificate}}
	return func(string) []xmlsec.Key { return keys }
}

// compose says what a Permit says that brokers mostly get.
func (m *messages) compose() {
	m.s.t.Helper()
	net, vat, now := m.s.net, m.s.vat, time.Now().UTC()
	sealed := func(kind etoegang.EntityType, name string) *xmlsec.Element {
		return must[*xmlsec.Element](m.s.t)(saml.SealName(kind, name, vat.Home.Recipient()))
	}
	m.answer = saml.Answer{
		ID: saml.NewID(), Issuer: net.First.Entity, Subject: saml.NewID(), Issued: now, Until: now.Add(2 * time.Minute), Permit: true, Echo: true,
		Links: []saml.Link{{ID: saml.NewID(), Signature: strings.Repeat("A", 342) + "=="}}, ServiceID: vat.ID, ServiceUUIDs: []etoegang.ServiceUUID{vat.UUID},
		Asked: etoegang.LoA3, Used: etoegang.LoA3, Acting: sealed(etoegang.TypePseudo113, m.s.anna.Subject.Pseudonym.Text()),
		Represented: []*xmlsec.Element{sealed(etoegang.TypeKvKNr, m.s.bakery.KvK.Text()), sealed(etoegang.TypeRSIN, m.s.bakery.RSIN.Text())},
	}
	m.response = saml.Response{
		ID: saml.NewID(), InResponseTo: saml.NewID(), Issuer: net.First.Entity, Issued: now, Destination: net.Broker.Consumer, Status: saml.Success,
	}
}

// write writes the answer and signs it twice.
func (m *messages) write(s xmlsec.Signer) []byte {
	m.s.t.Helper()
	r := m.response
	r.Assertion = must[*xmlsec.Element](m.s.t)(m.answer.Sign(s))
	return saml.Wrap(must[*xmlsec.Element](m.s.t)(r.Sign(s)))
}

// accept fails if the broker would not believe an answer that somebody has written, or if
// it does not say what it should.
func (m *messages) accept(who string, answer []byte) {
	m.s.t.Helper()
	reply, err := saml.ReadReply(answer, m.directory, m.response.InResponseTo, time.Now())
	if err != nil {
		m.s.t.Fatalf("the answer that %s writes: %v in\n%s", who, err, answer)
	}
	if !reply.Permitted() || reply.Statement.ServiceID != m.s.vat.ID {
		m.s.t.Fatalf("the answer that %s writes says something else: %s", who, answer)
	}
}

// verify reads a question, verifies both of its signatures and extracts what it says.
func (m *messages) verify(v xmlsec.Verifier, query []byte) (saml.Query, saml.Authentication, error) {
	document, err := xmlsec.Read(query, xmlsec.MessageLimits)
	if err != nil {
		return saml.Query{}, saml.Authentication{}, err
	}
	defer document.Release()
	verified, err := v.Verify(document, time.Now(), m.places...)
	if err != nil {
		return saml.Query{}, saml.Authentication{}, err
	}
	q, err := saml.ParseQuery(verified[0])
	if err != nil {
		return q, saml.Authentication{}, err
	}
	a, err := saml.ParseAuthentication(verified[1])
	return q, a, err
}

// verifies measures verify with one of the engines.
func (m *messages) verifies(name string, v xmlsec.Verifier) *contender {
	t := m.s.t
	t.Helper()
	if q, a, err := m.verify(v, m.query); err != nil || q.ServiceID != m.s.vat.ID || a.Issuer != m.s.net.Authenticator.Entity {
		t.Fatalf("%s: %v, service %v", name, err, q.ServiceID)
	}
	if _, _, err := m.verify(v, m.altered); err == nil {
		t.Fatalf("%s accepts what was altered", name)
	}
	return here(t, name, nil, func(int) {
		if _, _, err := m.verify(v, m.query); err != nil {
			t.Fatal(err)
		}
	})
}

// writes measures write with one signer.
func (m *messages) writes(name string, s xmlsec.Signer) *contender {
	m.s.t.Helper()
	m.accept(name, m.write(s))
	return here(m.s.t, name, nil, func(int) { m.write(s) })
}

// stock writes the same answer as most programs in Go would: a tree of etree's, signed
// twice by goxmldsig. The tree is copied and not built anew, which is a favour.
type stock struct {
	signing *dsig.SigningContext
	tree    *etree.Document // without signatures
}

func (m *messages) stock() *stock {
	t := m.s.t
	t.Helper()
	signer := m.s.net.First.Signer()
	signing := must[*dsig.SigningContext](t)(dsig.NewSigningContext(signer.Key, [][]byte{signer.Certificate.Raw}))
	signing.Canonicalizer = dsig.MakeC14N10ExclusiveCanonicalizerWithPrefixList("")
	s := &stock{signing: signing, tree: etree.NewDocument()}
	if err := s.tree.ReadFromBytes(signatureOf.ReplaceAll(m.written, nil)); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *stock) write() ([]byte, error) {
	document := s.tree.Copy()
	response := document.FindElement("/Envelope/Body/Response")
	for _, element := range []*etree.Element{response.FindElement("Assertion"), response} {
		// A part is signed with the declarations around it.
		detached, err := etreeutils.NSDetatch(mustContext(element), element)
		if err != nil {
			return nil, err
		}
		signature, err := s.signing.ConstructSignature(detached, true)
		if err != nil {
			return nil, err
		}
		element.InsertChildAt(1, signature) // after the issuer
	}
	return document.WriteToBytes()
}

// stocks measures what stock writes.
func (m *messages) stocks(name string) *contender {
	t := m.s.t
	t.Helper()
	s := m.stock()
	m.accept(name, must[[]byte](t)(s.write()))
	return here(t, name, nil, func(int) {
		if _, err := s.write(); err != nil {
			t.Fatal(err)
		}
	})
}

// mustContext are the declarations in force at an element; ours are well-formed.
func mustContext(e *etree.Element) etreeutils.NSContext {
	context, err := etreeutils.NSBuildParentContext(e)
	if err != nil {
		panic(err)
	}
	return context
}

// remembering signs everything once, and remembered decrypts everything once: what is left
// is XML.
type remembering struct {
	crypto.Signer
	known map[string][]byte
}

func (r *remembering) Sign(random io.Reader, digest []byte, o crypto.SignerOpts) ([]byte, error) {
	if signature, ok := r.known[string(digest)]; ok {
		return signature, nil
	}
	signature, err := r.Signer.Sign(random, digest, o)
	r.known[string(digest)] = signature
	return signature, err
}

type remembered struct {
	crypto.Decrypter
	known map[string][]byte
}

func (r *remembered) Decrypt(random io.Reader, text []byte, o crypto.DecrypterOpts) ([]byte, error) {
	if plain, ok := r.known[string(text)]; ok {
		return plain, nil
	}
	plain, err := r.Decrypter.Decrypt(random, text, o)
	r.known[string(text)] = plain
	return plain, err
}

// xml is all that is done to a question and an answer in a decision, but that of four RSA
// operations only verifications are left: two of the question's signatures, and two of our
// own, which are verified before they leave.
func (m *messages) xml(name string) *contender {
	t := m.s.t
	t.Helper()
	first := m.s.net.First
	signer, opener := first.Signer(), first.Openers()[0]
	key := signer.Key.(*rsa.PrivateKey)
	signer.Key = &remembering{key, map[string][]byte{}}
	opener.Key = &remembered{key, map[string][]byte{}}
	receiver := saml.Receiver{
		Self: first.Entity, Addresses: saml.Addresses{Queries: first.Address}, Directory: m.directory, Openers: []xmlsec.Opener{opener}, Ages: saml.DefaultAges,
		Leniency: func(etoegang.EntityID) saml.Leniency { return saml.Leniency{} },
	}
	asked := time.Now()
	return here(t, name, nil, func(int) {
		if _, err := receiver.Receive(m.query, asked); err != nil {
			t.Fatal(err)
		}
		m.write(signer)
	})
}
