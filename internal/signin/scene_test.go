package signin_test

import (
	"context"
	"crypto"
	"crypto/rsa"
	"encoding/base64"
	"errors"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mandated/mandated/internal/fuzzkeys"
	"github.com/mandated/mandated/internal/signin"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/saml"
	"github.com/mandated/mandated/pkg/xmlsec"
)

// The scenes have a door of ours and, on the other side, a broker, an authentication service and
// a register that say whatever a scene wants. Their messages are built and signed for real.

var morning = time.Date(2026, 3, 2, 9, 30, 0, 0, time.UTC)

const (
	signOn     = "https://broker.test/sso/1.13"
	resolution = "https://broker.test/resolve/1.13"
	byArtifact = "https://mandates.test/acs/artifact"
	byForm     = "https://mandates.test/acs/post"
)

var (
	service     = sure(etoegang.ParseServiceID("urn:etoegang:DV:00000003520354760000:services:1"))
	uuid        = sure(etoegang.ParseServiceUUID("00000001-0000-4000-8000-000000000000"))
	company     = sure(etoegang.ParseKvKNumber("12345678"))
	rsin        = sure(etoegang.ParseRSIN("123456782"))
	internal    = strings.Repeat("0123456789abcdef", 4)
	pseudonym   = internal + "@" + strings.Repeat("fedcba9876543210", 2)
	bakery      = "Bakkerij De Korenbloem"
	branch      = sure(etoegang.ParseEstablishmentNumber("000012345678"))
	accountants = sure(etoegang.ParseIntermediary("65432198"))
)

func sure[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

type party struct {
	entity etoegang.EntityID
	signer xmlsec.Signer
}

func newParty(name string) party {
	return party{sure(etoegang.ParseEntityID("urn:etoegang:" + name)), fuzzkeys.Signer(name, "key", morning)}
}

func (p party) recipient() xmlsec.Recipient {
	return xmlsec.Recipient{EntityID: p.entity.String(), KeyName: p.signer.KeyName, Key: p.signer.Key.Public().(*rsa.PublicKey)}
}

func (p party) keys() []xmlsec.Key {
	return []xmlsec.Key{{Name: p.signer.KeyName, Certificate: p.signer.Certificate}}
}

func (p party) participant() saml.Participant {
	return saml.Participant{Entity: p.entity, Signing: p.keys(), Encryption: p.keys()}
}

// cast are the parties: their keys are made once.
var cast = sync.OnceValue(func() (c struct{ ours, broker, rival, authenticator, register party }) {
	c.ours, c.broker, c.rival = newParty("DV:00000003520354760000:entities:9020"), newParty("HM:00000003520354760000:entities:9004"), newParty("HM:00000003876543210000:entities:9005")
	c.authenticator, c.register = newParty("AD:00000003520354760000:entities:9003"), newParty("MR:00000003520354760000:entities:9001")
	return c
})

// scene is a door at a moment.
type scene struct {
	t       testing.TB
	now     time.Time
	config  signin.Config
	door    *signin.Door
	resolve func(body []byte) ([]byte, error) // the broker's ArtifactResolutionService
}

// at opens a door at that moment. change changes what it is made of.
func at(t testing.TB, now time.Time, change func(*signin.Config)) *scene {
	t.Helper()
	s := &scene{t: t, now: now}
	s.config = s.good()
	change(&s.config)
	var err error
	if s.door, err = signin.New(s.config); err != nil {
		t.Fatal(err)
	}
	return s
}

func asIs(*signin.Config) {}

// inForms makes a door to which answers come in forms alone.
func inForms(c *signin.Config) { c.Artifact = "" }

func (s *scene) good() signin.Config {
	c := cast()
	broker := c.broker.participant()
	broker.SignOn = []saml.Endpoint{{Binding: saml.BindingPOST, Location: signOn}, {Binding: saml.BindingRedirect, Location: signOn}}
	broker.Resolvers = []saml.Resolver{{Endpoint: saml.Endpoint{Location: resolution}, Index: 0}}
	return signin.Config{
		Entity: c.ours.entity, Broker: c.broker.entity, Artifact: byArtifact, Post: byForm,
		Directory: saml.NewDirectory(broker, c.rival.participant(), c.authenticator.participant(), c.register.participant()),
		Resolve: func(_ context.Context, address string, envelope []byte) ([]byte, error) {
			if address != resolution {
				return nil, errors.New("nobody lives at " + address)
			}
			return s.resolve(envelope)
		},
		Service: signin.Service{
			Index: 10, ID: service, UUID: uuid, Level: etoegang.LoA3, Highest: etoegang.LoA4, Names: map[string]string{"nl": "Machtigingen beheren", "en": "Manage mandates"},
			Wants: []saml.RequestedAttribute{{Name: etoegang.AttributeRepresentedName}},
		},
		Signer: c.ours.signer, Signing: c.ours.keys(), Encryption: c.ours.keys(),
		Openers:      []xmlsec.Opener{{KeyName: c.ours.signer.KeyName, Key: c.ours.signer.Key.(crypto.Decrypter)}},
		Organisation: "Mandated", Contact: "desk@mandates.test", Verifier: xmlsec.Verifier{CrossCheck: 1},
		Now: func() time.Time { return s.now },
	}
}

// begin begins a log-in, and gives the request as the broker reads it.
func (s *scene) begin(o signin.Options) (saml.AuthnRequest, signin.Pending) {
	s.t.Helper()
	out, pending, err := s.door.Begin(o)
	if err != nil {
		s.t.Fatal(err)
	}
	return s.read(out, pending), pending
}

// read is the broker reading what the browser brings.
func (s *scene) read(out signin.Outgoing, pending signin.Pending) (request saml.AuthnRequest) {
	s.t.Helper()
	c := cast()
	broker := saml.Receiver{
		Self: c.broker.entity, Addresses: saml.Addresses{Browser: signOn}, Directory: saml.NewDirectory(c.ours.participant()), Ages: saml.DefaultAges,
	}
	if out.Form != nil {
		request, err := broker.ReceiveAuthnRequest(out.Form.Request, s.now, nil)
		if err != nil || out.Form.Action != signOn || out.Form.Relay != pending.Relay() || out.Redirect != "" {
			s.t.Fatalf("the broker reads %v of %v", err, out)
		}
		return request
	}
	address := sure(url.Parse(out.Redirect))
	query, err := saml.ReadRedirect(address.RawQuery)
	if err != nil || query.Relay != pending.Relay() {
		s.t.Fatalf("the broker reads %v, RelayState %q", err, query.Relay)
	}
	if request, err = broker.ReceiveRedirected(query.Request, s.now, query.Check); err != nil {
		s.t.Fatalf("the broker reads %v", err)
	}
	return request
}

// says is all that stands in an answer, before any of it is signed.
type says struct {
	login     saml.Login
	statement saml.Answer
	combined  saml.Combination
	response  saml.Response
	by, of    party // whose signatures those of the broker are: on the response and on the assertion
}

// answer is the broker's answer to a request, to that address, as bytes.
func (s *scene) answer(request, address string, change func(*says)) []byte {
	c := cast()
	until := s.now.Add(2 * time.Minute)
	a := says{
		login: saml.Login{
			ID: "_login", Issuer: c.authenticator.entity, NameID: "_name", Issued: s.now, Until: until, Recipient: "https://broker.test/acs", InResponseTo: "_brokers",
			Audiences: []etoegang.EntityID{c.broker.entity, c.register.entity, c.ours.entity}, Level: etoegang.LoA4, Representation: true, Registry: c.register.entity,
			Acting: sure(saml.SealName(etoegang.TypePseudo, internal, c.register.recipient())), ServiceUUID: uuid,
		},
		statement: saml.Answer{
			ID: "_statement", Issuer: c.register.entity, Subject: "_subject", Issued: s.now, Until: until, Permit: true, Echo: true,
			ServiceID: service, ServiceUUIDs: []etoegang.ServiceUUID{uuid}, Used: etoegang.LoA3, Acting: person(pseudonym), Represented: companies(company.LegalSubject(), rsin.LegalSubject()),
			Attributes: []*xmlsec.Element{sure(saml.SealAttribute(etoegang.AttributeRepresentedName, bakery, c.ours.recipient()))},
		},
		combined: saml.Combination{
			ID: "_combined", Issuer: c.broker.entity, NameID: "_name", Issued: s.now, Until: until, Recipient: address, InResponseTo: request, Audience: c.ours.entity,
			Level: etoegang.LoA3, Authenticator: c.authenticator.entity, ServiceID: service, ServiceUUID: uuid,
			Acting: person(pseudonym), Represented: companies(company.LegalSubject(), rsin.LegalSubject()),
		},
		response: saml.Response{ID: "_response", InResponseTo: request, Issuer: c.broker.entity, Destination: address, Issued: s.now, Status: saml.Success},
		by:       c.broker, of: c.broker,
	}
	change(&a)
	login := sure(a.login.Sign(c.authenticator.signer))
	a.statement.Links = []saml.Link{{ID: "_login", Signature: signatureOf(login)}}
	a.combined.Advice = []*xmlsec.Element{login, sure(a.statement.Sign(c.register.signer))}
	if a.response.Status == saml.Success {
		a.response.Assertion = sure(a.combined.Sign(a.of.signer))
	}
	return sure(a.response.SignAround(a.by.signer)).Bytes()
}

func person(name string) *xmlsec.Element {
	return sure(saml.SealName(etoegang.TypePseudo113, name, cast().ours.recipient()))
}

func companies(subjects ...etoegang.LegalSubject) (list []*xmlsec.Element) {
	for _, subject := range subjects {
		list = append(list, sure(saml.SealName(subject.Type(), subject.Text(), cast().ours.recipient())))
	}
	return list
}

func signatureOf(e *xmlsec.Element) string {
	_, rest, _ := strings.Cut(string(e.Bytes()), "<ds:SignatureValue>")
	value, _, _ := strings.Cut(rest, "</ds:SignatureValue>")
	return value
}

func asItIs(*says) {}

// inForm is an answer as a browser brings it in a form.
func inForm(doc []byte, pending signin.Pending) signin.Answer {
	return signin.Answer{Response: base64.StdEncoding.EncodeToString(doc), Relay: pending.Relay()}
}

// behindArtifact puts an answer behind an artifact of the broker's, and gives what the browser
// brings. change changes what stands around the answer.
func (s *scene) behindArtifact(doc []byte, pending signin.Pending, change func(*saml.Resolved)) signin.Answer {
	c := cast()
	s.resolve = func(envelope []byte) ([]byte, error) {
		broker := saml.Receiver{Self: c.broker.entity, Addresses: saml.Addresses{Resolution: resolution}, Directory: saml.NewDirectory(c.ours.participant()), Ages: saml.DefaultAges}
		asked, err := broker.ReceiveResolve(envelope, s.now)
		if err != nil {
			return nil, err
		}
		resolved := saml.Resolved{ID: "_resolved", InResponseTo: asked.ID, Issuer: c.broker.entity, Issued: s.now, Message: sure(xmlsec.Restore(doc))}
		change(&resolved)
		return saml.Wrap(sure(resolved.Sign(c.broker.signer))), nil
	}
	return signin.Answer{Artifact: saml.NewArtifact(c.broker.entity, 0).String(), Relay: pending.Relay()}
}
