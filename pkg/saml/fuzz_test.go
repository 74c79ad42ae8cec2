package saml_test

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/beevik/etree"
	dsig "github.com/russellhaering/goxmldsig"

	"github.com/mandated/mandated/internal/fuzzkeys"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/saml"
	"github.com/mandated/mandated/pkg/xmlsec"
)

// The fuzz targets hold a receiver with a real directory against bytes that nobody has
// chosen.

var fuzzTime = time.Date(2026, 3, 2, 9, 30, 0, 0, time.UTC)

// fuzzWorld is the network of the targets: a broker, an authentication service, a provider
// and two registers, all with one key each.
type fuzzWorld struct {
	broker, authenticator, provider, first, self fuzzParty
	receiver                                     *saml.Receiver
}

type fuzzParty struct {
	entity etoegang.EntityID
	signer xmlsec.Signer
}

func (p fuzzParty) recipient() xmlsec.Recipient {
	return xmlsec.Recipient{EntityID: p.entity.String(), KeyName: p.signer.KeyName, Key: p.signer.Key.Public().(*rsa.PublicKey)}
}

const (
	fuzzAddress  = "https://register.test/etoegang/1.13/soap"
	fuzzConsumer = "https://broker.test/acs/1.13"
)

var world = sync.OnceValue(func() *fuzzWorld {
	w := &fuzzWorld{}
	var directory []saml.Participant
	for party, name := range map[*fuzzParty]string{
		&w.broker: "HM:00000003520354760000:entities:9004", &w.authenticator: "AD:00000003520354760000:entities:9003",
		&w.provider: "DV:00000001000000010000:entities:9010", &w.first: "MR:00000003876543210000:entities:9002", &w.self: "MR:00000003520354760000:entities:9001",
	} {
		*party = newFuzzParty("urn:etoegang:" + name)
		key := []xmlsec.Key{{Name: party.signer.KeyName, Certificate: party.signer.Certificate}}
		directory = append(directory, saml.Participant{
			Entity: party.entity, Signing: key, Encryption: key,
			Consumers: []saml.Consumer{{Endpoint: saml.Endpoint{Location: fuzzConsumer}, Index: 1, Default: true}},
		})
	}
	w.receiver = &saml.Receiver{
		Self: w.self.entity, Addresses: saml.Addresses{Queries: fuzzAddress}, Directory: saml.NewDirectory(directory...), Ages: saml.DefaultAges,
		Openers:  []xmlsec.Opener{{KeyName: w.self.signer.KeyName, Key: w.self.signer.Key.(crypto.Decrypter)}},
		Leniency: func(etoegang.EntityID) saml.Leniency { return saml.Leniency{} },
		Verifier: xmlsec.Verifier{CrossCheck: 1}, // one refusal of two engines is a finding
	}
	return w
})

func newFuzzParty(name string) fuzzParty {
	return fuzzParty{
		entity: sure(etoegang.ParseEntityID(name)),
		signer: fuzzkeys.Signer(name, name[len(name)-4:], fuzzTime),
	}
}

func sure[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

var (
	fuzzService = sure(etoegang.ParseServiceID("urn:etoegang:DV:00000001000000010000:services:1"))
	fuzzUUID    = sure(etoegang.ParseServiceUUID("00000001-0000-4000-8000-000000000000"))
	fuzzCompany = sure(etoegang.ParseKvKNumber("12345678"))
	fuzzPerson  = sure(etoegang.ParsePseudonym("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"))
)

// login is what the authentication service says, to that register.
func (w *fuzzWorld) login(id string, at fuzzParty) *xmlsec.Element {
	return sure(w.saying(id, at).Sign(w.authenticator.signer))
}

func (w *fuzzWorld) saying(id string, at fuzzParty) saml.Login {
	return saml.Login{
		ID: id, Issuer: w.authenticator.entity, NameID: "_name", Issued: fuzzTime, Until: fuzzTime.Add(2 * time.Minute), Recipient: fuzzConsumer, InResponseTo: "_asked",
		Audiences: []etoegang.EntityID{w.broker.entity, at.entity, w.provider.entity}, Level: etoegang.LoA3, Representation: true, Registry: at.entity,
		Acting: sure(saml.SealName(etoegang.TypePseudo, fuzzPerson.Text(), at.recipient())), ServiceUUID: fuzzUUID,
	}
}

func (w *fuzzWorld) asking(id string, assertions ...*xmlsec.Element) saml.Asking {
	return saml.Asking{
		ID: id, Issuer: w.broker.entity, Destination: fuzzAddress, Issued: fuzzTime, Consumer: "1", Audience: w.provider.entity, SubjectID: "_name",
		Assertions: assertions, ServiceID: fuzzService, ServiceUUID: fuzzUUID, Level: etoegang.LoA3,
	}
}

// statement is a register's Permit that rests on a log-in; confirm names who must confirm.
func (w *fuzzWorld) statement(id string, by fuzzParty, login *xmlsec.Element, loginID string, confirm etoegang.EntityID) *xmlsec.Element {
	a := saml.Answer{
		ID: id, Issuer: by.entity, Subject: "_subject", Issued: fuzzTime, Until: fuzzTime.Add(2 * time.Minute), Permit: true, Echo: true, Confirm: confirm,
		Links:     []saml.Link{{ID: loginID, Signature: signatureOf(login)}},
		ServiceID: fuzzService, ServiceUUIDs: []etoegang.ServiceUUID{fuzzUUID}, Asked: etoegang.LoA3, Used: etoegang.LoA3,
		Represented: []*xmlsec.Element{sure(saml.SealName(etoegang.TypeKvKNr, fuzzCompany.Text(), w.self.recipient()))},
	}
	if !confirm.IsZero() {
		a.Intermediary = sure(etoegang.ParseIntermediary("65432198"))
	}
	return sure(a.Sign(by.signer))
}

func signatureOf(e *xmlsec.Element) string {
	doc := etree.NewDocument()
	if err := doc.ReadFromBytes(e.Bytes()); err != nil {
		panic(err)
	}
	return doc.FindElement("./Assertion/Signature/SignatureValue").Text()
}

// honest are one message of each question.
func (w *fuzzWorld) honest() map[string][]byte {
	own, theirs := w.login("_login", w.self), w.login("_theirs", w.first)
	preferred := w.asking("_preferring", own)
	preferred.Represented = []*xmlsec.Element{sure(saml.SealName(etoegang.TypeKvKNr, fuzzCompany.Text(), w.self.recipient()))}
	combined := sure(saml.Combination{
		ID: "_combined", Issuer: w.broker.entity, NameID: "_name", Issued: fuzzTime, Until: fuzzTime.Add(2 * time.Minute), Recipient: fuzzConsumer, InResponseTo: "_asked",
		Audience: w.provider.entity, Level: etoegang.LoA3, Authenticator: w.authenticator.entity, ServiceID: fuzzService, ServiceUUID: fuzzUUID,
		Advice: []*xmlsec.Element{own, w.statement("_stated", w.self, own, "_login", etoegang.EntityID{})},
	}.Sign(w.broker.signer))
	recheck := w.asking("_recheck", combined)
	recheck.Issuer, recheck.Audience, recheck.SubjectID = w.provider.entity, etoegang.EntityID{}, ""
	recheck.Represented = []*xmlsec.Element{saml.PlainName(fuzzCompany.LegalSubject())}
	late := w.asking("_late", own)
	late.Issued = fuzzTime.Add(-time.Hour)
	return map[string][]byte{
		"authorize": saml.Wrap(sure(w.asking("_authorize", own).Sign(w.broker.signer))),
		"preferred": saml.Wrap(sure(preferred.Sign(w.broker.signer))),
		"confirm":   saml.Wrap(sure(w.asking("_confirm", theirs, w.statement("_first", w.first, theirs, "_theirs", w.self.entity)).Sign(w.broker.signer))),
		"recheck":   saml.Wrap(sure(recheck.Sign(w.provider.signer))),
		"late":      saml.Wrap(sure(late.Sign(w.broker.signer))),
	}
}

// meaning is what a decision would rest on. Two messages of one meaning may differ in
// white space, prefixes and the like, which nobody reads.
func meaning(in *saml.Received) string {
	q := in.Query
	text := fmt.Sprint(q.ID, q.Issuer, q.Destination, q.Issued, q.ReturnContext, q.Audience, q.SubjectID, q.ServiceID, q.ServiceUUID, q.Level,
		in.Question, in.Login, in.Actor.Authenticator, in.Actor.Pseudonym.Text(), in.Intermediary.KvK.Text(), in.Previous, in.Audience, in.Consumer)
	for _, r := range in.Represented {
		text += " " + string(r.Type()) + r.Text()
	}
	for _, l := range in.Links {
		text += " " + l.ID // its signature is compared by whoever rests on it
	}
	return text
}

// FuzzReceive: no bytes make the receiver fall over, and none are believed but those that
// mean exactly what somebody signed.
func FuzzReceive(f *testing.F) {
	w := world()
	signed := map[string]bool{}
	for name, message := range w.honest() {
		in, err := w.receiver.Receive(message, fuzzTime)
		if in == nil || (err != nil) != (name == "late") {
			f.Fatalf("%s: %v", name, err)
		}
		signed[meaning(in)] = true
		f.Add(message)
		f.Add(bytes.Replace(message, []byte("<soap:Body>"), []byte("<soap:Header/><soap:Body>"), 1))
		f.Add(append([]byte("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"), message...))
		f.Add(bytes.Replace(message, []byte("_name"), []byte("_na<!-- -->me"), 1))
		f.Add(bytes.Replace(message, []byte(":services:1"), []byte(":services:&#49;"), 1))
	}
	// A worker did not make the honest messages that it is given, but another process with
	// the same keys: encryption is random, what is meant is not.
	f.Fuzz(func(t *testing.T, message []byte) {
		in, err := w.receiver.Receive(message, fuzzTime)
		if in == nil && err == nil {
			t.Fatal("neither a message nor an error")
		}
		if in != nil && !signed[meaning(in)] {
			t.Fatalf("believed (%v) what nobody signed: %s\n%s", err, meaning(in), message)
		}
	})
}

// FuzzQuery: a broker signs whatever the fuzzer writes. It never makes the receiver fall
// over, and a question that is believed rests on what the authentication service said.
func FuzzQuery(f *testing.F) {
	w := world()
	for name, message := range w.honest() {
		start, end := bytes.Index(message, []byte("<xacml-samlp:")), bytes.Index(message, []byte("</soap:Body>"))
		query := message[start:end]
		f.Add(query)
		again, ok := w.signed(query)
		if _, err := w.receiver.Receive(again, fuzzTime); ok && err != nil && (name == "authorize" || name == "confirm") {
			f.Fatalf("%s, signed anew: %v", name, err)
		}
	}
	f.Fuzz(func(t *testing.T, query []byte) {
		message, ok := w.signed(query)
		if !ok {
			return
		}
		in, err := w.receiver.Receive(message, fuzzTime)
		if in == nil && err == nil {
			t.Fatal("neither a message nor an error")
		}
		if err != nil {
			return
		}
		q := in.Query
		switch {
		case in.Question == saml.AskAuthorize && (in.Actor.Pseudonym.Text() != fuzzPerson.Text() || in.Actor.Authenticator != w.authenticator.entity):
			t.Fatal("another person than the one who logged in")
		case in.Question == saml.AskConfirm && !in.Actor.IsZero():
			t.Fatal("a person of another register")
		case in.Question == saml.AskRecheck:
			t.Fatal("a broker asked a provider's question")
		case in.Login != etoegang.LoA3 || q.ServiceUUID != fuzzUUID || q.Destination != fuzzAddress || q.SubjectID != "" && q.SubjectID != "_name":
			t.Fatalf("believed %s", meaning(in))
		case in.Audience != w.provider.entity && in.Audience.OIN() != q.ServiceID.Provider():
			t.Fatal("identifiers would go to another provider")
		}
	})
}

const (
	fuzzC14n = "http://www.w3.org/2001/10/xml-exc-c14n#"
	fuzzDSig = "http://www.w3.org/2000/09/xmldsig#"
)

// signed puts the broker's signature into a query and the query into an envelope; false
// for what is no XML.
func (w *fuzzWorld) signed(query []byte) ([]byte, bool) { return w.broker.signed(query) }

// signed puts the party's signature into a message and the message into an envelope.
func (p fuzzParty) signed(query []byte) ([]byte, bool) {
	doc := etree.NewDocument()
	if len(query) > 64<<10 || doc.ReadFromBytes(query) != nil || doc.Root() == nil {
		return nil, false
	}
	root := doc.Root()
	var old *etree.Element
	for _, c := range root.ChildElements() {
		if c.Tag == "Signature" {
			old = c
		}
	}
	where := 0
	if old != nil {
		where = old.Index()
		root.RemoveChild(old)
	}
	signature, ok := p.sign(root)
	if !ok {
		return nil, false
	}
	root.InsertChildAt(where, signature)
	doc.Child = nil
	doc.SetRoot(root)
	text, err := doc.WriteToBytes()
	return bytes.Join([][]byte{[]byte(`<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body>`), text, []byte(`</soap:Body></soap:Envelope>`)}, nil), err == nil
}

// sign makes the signature over an element, in canonical forms that goxmldsig makes.
func (p fuzzParty) sign(root *etree.Element) (*etree.Element, bool) {
	form := dsig.MakeC14N10ExclusiveCanonicalizerWithPrefixList("")
	canonical, err := form.Canonicalize(root.Copy())
	if err != nil {
		return nil, false
	}
	digest := sha256.Sum256(canonical)
	info := `<ds:SignedInfo xmlns:ds="` + fuzzDSig + `"><ds:CanonicalizationMethod Algorithm="` + fuzzC14n + `"></ds:CanonicalizationMethod>` +
		`<ds:SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"></ds:SignatureMethod><ds:Reference URI="#` + root.SelectAttrValue("ID", "") + `"><ds:Transforms>` +
		`<ds:Transform Algorithm="` + fuzzDSig + `enveloped-signature"></ds:Transform><ds:Transform Algorithm="` + fuzzC14n + `"></ds:Transform></ds:Transforms>` +
		`<ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"></ds:DigestMethod><ds:DigestValue>` + base64.StdEncoding.EncodeToString(digest[:]) + `</ds:DigestValue></ds:Reference></ds:SignedInfo>`
	sum := sha256.Sum256([]byte(info))
	value, err := p.signer.Key.Sign(rand.Reader, sum[:], crypto.SHA256)
	if err != nil {
		return nil, false
	}
	doc := etree.NewDocument()
	err = doc.ReadFromString(`<ds:Signature xmlns:ds="` + fuzzDSig + `">` + info + `<ds:SignatureValue>` + base64.StdEncoding.EncodeToString(value) + `</ds:SignatureValue></ds:Signature>`)
	return doc.Root(), err == nil
}
