package explain_test

import (
	"bytes"
	"compress/flate"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/mandated/mandated/internal/sandbox/explain"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/harness"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/saml"
	"github.com/mandated/mandated/pkg/xmlsec"
)

// The scenes play in a real network of two registers: what is explained is what they really
// sent. What goes between provider, broker and authentication service the scenes make
// themselves, with the keys of those.

var (
	ctx    = context.Background()
	farm   = harness.Company("Boerderij Zonzicht", "23456789", "")
	office = harness.Company("Kantoor Telraam", "87654321", "")
)

type scene struct {
	t    testing.TB
	n    *harness.Network
	vat  harness.Service
	anna mandate.Person
	cast explain.Cast
	log  []explain.Message
}

func must[T any](t testing.TB) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// newScene is a network in which Anna of the office may file the farm's tax return: the office
// says so in the first register, the farm in the second.
func newScene(t testing.TB) *scene {
	n := harness.Start(t, harness.Options{Browser: true, TwoRegisters: true})
	s := &scene{t: t, n: n, vat: n.Services["vat"], anna: n.NewPerson("Anna")}
	scope := harness.For(s.vat, etoegang.LoA3)
	must[mandate.ID](t)(n.Second.Chain(farm, office, scope))
	half := must[mandate.ID](t)(n.First.ChainElsewhere(farm, office, scope, n.Second))
	must[mandate.ID](t)(n.First.Assign(half, office, s.anna, scope))
	for name, p := range map[string]*harness.Party{
		"Inlogdienst": n.Authenticator, "Makelaar": n.Broker.Party, "Register A": n.First.Party, "Register B": n.Second.Party, "Belastingdienst": s.vat.Home,
	} {
		s.cast = append(s.cast, member(name, p))
	}
	return s
}

func member(name string, p *harness.Party) explain.Party {
	signer := p.Signer()
	return explain.Party{
		Entity: p.Entity.String(), Name: name, Openers: p.Openers(),
		Signing: []xmlsec.Key{{Name: signer.KeyName, Certificate: signer.Certificate}},
	}
}

// say writes down a message that went over the wire.
func (s *scene) say(from, to, binding string, raw []byte) {
	s.log = append(s.log, explain.Message{At: s.n.Now(), From: from, To: to, Binding: binding, Raw: raw})
}

func (s *scene) stamp() string { return s.n.Now().UTC().Format(time.RFC3339) }

func (s *scene) sign(p *harness.Party, e *xmlsec.Element) *xmlsec.Element {
	s.t.Helper()
	if err := p.Signer().Sign(e); err != nil {
		s.t.Fatal(err)
	}
	return e
}

// authnRequest asks to log in.
func (s *scene) authnRequest(from *harness.Party, to, id string) *xmlsec.Element {
	return xmlsec.E("samlp:AuthnRequest", xmlsec.A("ID", id), xmlsec.A("Version", "2.0"), xmlsec.A("IssueInstant", s.stamp()),
		xmlsec.A("Destination", to), xmlsec.A("AssertionConsumerServiceIndex", "1"), xmlsec.A("AttributeConsumingServiceIndex", "2"),
		xmlsec.E("saml:Issuer", from.Entity.String()),
		xmlsec.E("samlp:RequestedAuthnContext", xmlsec.A("Comparison", "minimum"),
			xmlsec.E("saml:AuthnContextClassRef", etoegang.LoA3.URN())))
}

// response wraps a signed assertion as its issuer sends it.
func (s *scene) response(from *harness.Party, to, inResponseTo string, assertion *xmlsec.Element) *xmlsec.Element {
	return s.sign(from, xmlsec.E("samlp:Response", xmlsec.A("ID", saml.NewID()), xmlsec.A("Version", "2.0"), xmlsec.A("IssueInstant", s.stamp()),
		xmlsec.A("Destination", to), xmlsec.A("InResponseTo", inResponseTo),
		xmlsec.E("saml:Issuer", from.Entity.String()),
		xmlsec.E("samlp:Status", xmlsec.E("samlp:StatusCode", xmlsec.A("Value", saml.Success.Top))),
		assertion))
}

// redirect is an address with a compressed message and a signature beside it.
func (s *scene) redirect(by *harness.Party, message *xmlsec.Element, relay string) []byte {
	var packed bytes.Buffer
	w, _ := flate.NewWriter(&packed, flate.BestCompression)
	_, _ = w.Write(message.Bytes())
	_ = w.Close()
	query := "SAMLRequest=" + url.QueryEscape(base64.StdEncoding.EncodeToString(packed.Bytes())) +
		"&RelayState=" + url.QueryEscape(relay) + "&SigAlg=" + url.QueryEscape("http://www.w3.org/2001/04/xmldsig-more#rsa-sha256")
	sum := sha256.Sum256([]byte(query))
	signature := must[[]byte](s.t)(by.Signer().Key.Sign(rand.Reader, sum[:], crypto.SHA256))
	return []byte("https://broker.test/sso/1.13?" + query + "&Signature=" + url.QueryEscape(base64.StdEncoding.EncodeToString(signature)))
}

// exchanged writes down that an artifact came through the browser and was exchanged.
func (s *scene) exchanged(from, to *harness.Party, address string, message *xmlsec.Element) {
	artifact := saml.NewArtifact(from.Entity, 0)
	s.say("browser", to.Entity.String(), "HTTP-Artifact", []byte(address+"?SAMLart="+url.QueryEscape(artifact.String())+"&RelayState=rs-1"))
	asked := saml.Resolving{ID: saml.NewID(), Issuer: to.Entity, Destination: "https://" + from.Name + ".test/resolve/1.13", Issued: s.n.Now(), Artifact: artifact}
	s.say(to.Entity.String(), from.Entity.String(), "SOAP", saml.Wrap(must[*xmlsec.Element](s.t)(asked.Sign(to.Signer()))))
	answer := saml.Resolved{ID: saml.NewID(), InResponseTo: asked.ID, Issuer: from.Entity, Issued: s.n.Now(), Message: message}
	s.say(from.Entity.String(), to.Entity.String(), "SOAP", saml.Wrap(must[*xmlsec.Element](s.t)(answer.Sign(from.Signer()))))
}

var inResponseTo = regexp.MustCompile(`<samlp:Response [^>]*InResponseTo="([^"]+)"`)

// logIn plays a whole log-in across both registers, and writes down every message.
func (s *scene) logIn() {
	n, broker := s.n, s.n.Broker.Party
	provider := s.vat.Home
	asked, wanted := saml.NewID(), saml.NewID()
	s.say("browser", broker.Entity.String(), "HTTP-Redirect", s.redirect(provider, s.authnRequest(provider, "https://broker.test/sso/1.13", asked), "rs-1"))
	s.say("browser", n.Authenticator.Entity.String(), "HTTP-POST", []byte("SAMLRequest="+url.QueryEscape(base64.StdEncoding.EncodeToString(
		s.sign(broker, s.authnRequest(broker, "https://authenticator.test/sso/1.13", wanted)).Bytes()))))

	visit := must[*harness.Visit](s.t)(n.Broker.Send(harness.Question{Person: s.anna, Service: s.vat}, "rs-1"))
	back := s.through(visit.Address)
	if err := n.Broker.Receive(ctx, visit, back); err != nil {
		s.t.Fatal(err)
	}
	confirmed := must[*harness.Result](s.t)(n.Broker.Confirm(ctx, &visit.Result, n.Second))
	login := s.loginIn(confirmed.Sent)

	s.exchanged(n.Authenticator, broker, broker.Consumer, s.response(n.Authenticator, broker.Consumer, wanted, login))
	s.say("browser", n.First.Entity.String(), "HTTP-Artifact", []byte(visit.Address))
	query := saml.Asking{
		ID: inResponseTo.FindStringSubmatch(string(visit.Received))[1], Issuer: broker.Entity, Destination: n.First.Door, Issued: n.Now(), Consumer: "1",
		Audience: provider.Entity, Assertions: []*xmlsec.Element{login}, ServiceID: s.vat.ID, ServiceUUID: s.vat.UUID, Level: etoegang.LoA3,
	}
	signed := must[*xmlsec.Element](s.t)(query.Sign(broker.Signer()))
	fetching := saml.Resolving{ID: saml.NewID(), Issuer: n.First.Entity, Issued: n.Now(), Artifact: visit.Artifact()}
	s.say(n.First.Entity.String(), broker.Entity.String(), "SOAP", saml.Wrap(must[*xmlsec.Element](s.t)(fetching.Sign(n.First.Signer()))))
	fetched := saml.Resolved{ID: saml.NewID(), InResponseTo: fetching.ID, Issuer: broker.Entity, Issued: n.Now(), Message: signed}
	s.say(broker.Entity.String(), n.First.Entity.String(), "SOAP", saml.Wrap(must[*xmlsec.Element](s.t)(fetched.Sign(broker.Signer()))))

	s.say("browser", broker.Entity.String(), "HTTP-Artifact", []byte(back))
	s.say(broker.Entity.String(), n.First.Entity.String(), "SOAP", visit.Sent)
	s.say(n.First.Entity.String(), broker.Entity.String(), "SOAP", visit.Received)
	s.say(broker.Entity.String(), n.Second.Entity.String(), "SOAP", confirmed.Sent)
	s.say(n.Second.Entity.String(), broker.Entity.String(), "SOAP", confirmed.Received)

	combination := saml.Combination{
		ID: saml.NewID(), Issuer: broker.Entity, NameID: saml.NewID(), Issued: n.Now(), Until: n.Now().Add(2 * time.Minute),
		Recipient: provider.Consumer, InResponseTo: asked, Audience: provider.Entity, Level: etoegang.LoA3, Authenticator: n.Authenticator.Entity,
		Advice:    []*xmlsec.Element{login, visit.Reply.Assertion, confirmed.Reply.Assertion},
		ServiceID: s.vat.ID, ServiceUUID: s.vat.UUID,
	}
	assertion := must[*xmlsec.Element](s.t)(combination.Sign(broker.Signer()))
	s.exchanged(broker, provider, provider.Consumer, s.response(broker, provider.Consumer, asked, assertion))
}

// through lets a browser visit the register, and tells where it is sent.
func (s *scene) through(address string) string {
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.Get(address)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusSeeOther {
		s.t.Fatalf("HTTP %d", response.StatusCode)
	}
	return response.Header.Get("Location")
}

// loginIn takes the log-in out of a query, to be handed on.
func (s *scene) loginIn(query []byte) *xmlsec.Element {
	s.t.Helper()
	document := must[*xmlsec.Document](s.t)(xmlsec.Read(query, xmlsec.MessageLimits))
	name := func(space, local string) xmlsec.Step { return xmlsec.Step{{Space: space, Local: local}} }
	const context, assertion = "urn:oasis:names:tc:xacml:2.0:context:schema:os", "urn:oasis:names:tc:SAML:2.0:assertion"
	path := []xmlsec.Step{
		name("http://schemas.xmlsoap.org/soap/envelope/", "Envelope"), name("http://schemas.xmlsoap.org/soap/envelope/", "Body"),
		name("urn:oasis:xacml:2.0:saml:protocol:schema:os", "XACMLAuthzDecisionQuery"), name("urn:oasis:names:tc:SAML:2.0:protocol", "Extensions"),
		name(context, "Attribute"), name(context, "AttributeValue"), name(assertion, "Assertion"),
	}
	place := func(path []xmlsec.Step) xmlsec.Place {
		return xmlsec.Place{Path: path, Issuer: xmlsec.Name{Space: assertion, Local: "Issuer"}, Max: 2, Keys: func(issuer string) []xmlsec.Key {
			for _, p := range s.cast {
				if p.Entity == issuer {
					return p.Signing
				}
			}
			return nil
		}}
	}
	verified := must[[]xmlsec.Verified](s.t)(document.Verify(s.n.Now(), place(path[:3]), place(path)))
	return xmlsec.Quote(verified[1])
}

// lines are all lines of a message, those in details included.
func lines(list []explain.Line) (all []explain.Line) {
	for _, l := range list {
		all = append(append(all, l), lines(l.Inside)...)
	}
	return all
}

// line finds the first line with that text.
func line(t testing.TB, e explain.Explained, part string) explain.Line {
	t.Helper()
	for _, l := range lines(append(e.Parameters, e.Lines...)) {
		if strings.Contains(l.XML, part) {
			return l
		}
	}
	t.Fatalf("message %d has no line with %s", e.Number, part)
	return explain.Line{}
}

// noted tells whether a note of the line says something, in English.
func noted(l explain.Line, tone explain.Tone, part string) bool {
	for _, n := range l.Notes {
		if n.Tone == tone && strings.Contains(n.EN, part) {
			return true
		}
	}
	return false
}
