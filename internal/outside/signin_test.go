package outside_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"encoding/xml"
	"errors"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	crewjam "github.com/crewjam/saml"

	"github.com/mandated/mandated/internal/devkeys"
	"github.com/mandated/mandated/internal/signin"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/saml"
	"github.com/mandated/mandated/pkg/xmlsec"
)

// Where our own pages live, and the broker whom they send people to.
const (
	signOn   = "https://broker.test/sso"
	artifact = "https://mandates.test/acs/artifact"
	inForm   = "https://mandates.test/acs/post"
)

// door is that of our own pages, to a broker that takes requests in one way.
func door(t *testing.T, binding string) *signin.Door {
	t.Helper()
	pair := must[devkeys.Pair](t)(devkeys.New("pages", time.Now()))
	keys := []xmlsec.Key{{Name: pair.KeyName(), Certificate: pair.Certificate}}
	broker := saml.Participant{
		Entity: must[etoegang.EntityID](t)(etoegang.ParseEntityID("urn:etoegang:HM:00000003520354760000:entities:9004")), Signing: keys,
		SignOn: []saml.Endpoint{{Binding: binding, Location: signOn}},
	}
	return must[*signin.Door](t)(signin.New(signin.Config{
		Entity: must[etoegang.EntityID](t)(etoegang.ParseEntityID("urn:etoegang:DV:00000003520354760000:entities:9020")),
		Broker: broker.Entity, Directory: saml.NewDirectory(broker), Artifact: artifact, Post: inForm, Resolve: nobodyResolves,
		Service: signin.Service{
			Index: 10, ID: must[etoegang.ServiceID](t)(etoegang.ParseServiceID("urn:etoegang:DV:00000003520354760000:services:10")),
			UUID:  must[etoegang.ServiceUUID](t)(etoegang.ParseServiceUUID("00000001-0000-4000-8000-000000000000")),
			Level: etoegang.LoA3, Highest: etoegang.LoA4, Names: map[string]string{"en": "Manage mandates"},
			Wants: []saml.RequestedAttribute{{Name: etoegang.AttributeRepresentedName}},
		},
		Signer:  xmlsec.Signer{Key: pair.Key, KeyName: pair.KeyName(), Certificate: pair.Certificate},
		Signing: keys, Encryption: keys, Openers: []xmlsec.Opener{{KeyName: pair.KeyName(), Key: pair.Key}},
		Organisation: "Mandated", Contact: "desk@mandates.test", Now: time.Now,
	}))
}

// nobodyResolves: no answer comes here.
func nobodyResolves(context.Context, string, []byte) ([]byte, error) {
	return nil, errors.New("nobody answers")
}

// known are the providers that a broker of crewjam's knows.
type known map[string]*crewjam.EntityDescriptor

func (k known) GetServiceProvider(_ *http.Request, id string) (*crewjam.EntityDescriptor, error) {
	if e, ok := k[id]; ok {
		return e, nil
	}
	return nil, os.ErrNotExist
}

// A broker made of crewjam/saml reads our metadata as a provider, and with them accepts our
// request to log somebody in, in an address or in a form. It looks at no signatures of requests:
// crypto/rsa and xmlsec1 do, with the certificate that it has read.
func TestOurLogInReadByCrewjam(t *testing.T) {
	for name, binding := range map[string]string{"in an address": saml.BindingRedirect, "in a form": saml.BindingPOST} {
		t.Run(name, func(t *testing.T) {
			d := door(t, binding)
			us := describedToCrewjam(t, must[[]byte](t)(d.Metadata()))
			out, pending, err := d.Begin(signin.Options{Force: true})
			if err != nil {
				t.Fatal(err)
			}
			its := must[devkeys.Pair](t)(devkeys.New("broker", time.Now()))
			broker := &crewjam.IdentityProvider{Key: its.Key, Certificate: its.Certificate, SSOURL: *must[*url.URL](t)(url.Parse(signOn)), ServiceProviderProvider: known{us.EntityID: us}}
			asked := must[*crewjam.IdpAuthnRequest](t)(crewjam.NewIdpAuthnRequest(broker, sent(t, out)))
			if err := asked.Validate(); err != nil {
				t.Fatalf("it refuses %s: %v", asked.RequestBuffer, err)
			}
			r := asked.Request
			if r.Issuer.Value != us.EntityID || r.Destination != signOn || asked.RelayState != pending.Relay() || r.ForceAuthn == nil || !*r.ForceAuthn {
				t.Errorf("read as %+v, RelayState %q", r, asked.RelayState)
			}
			if c := r.RequestedAuthnContext; c == nil || c.Comparison != "minimum" || c.AuthnContextClassRef != etoegang.LoA3.URN() {
				t.Errorf("the level is read as %+v", c)
			}
			if asked.ACSEndpoint.Location != artifact || asked.ACSEndpoint.Binding != crewjam.HTTPArtifactBinding || r.AttributeConsumingServiceIndex != "10" {
				t.Errorf("it is for service %s and answered at %+v", r.AttributeConsumingServiceIndex, asked.ACSEndpoint)
			}
			signedByUs(t, out, us)

			delete(broker.ServiceProviderProvider.(known), us.EntityID)
			if asked.Validate() == nil {
				t.Error("it accepts requests of whom it does not know")
			}
		})
	}
}

// describedToCrewjam reads our metadata.
func describedToCrewjam(t *testing.T, metadata []byte) *crewjam.EntityDescriptor {
	t.Helper()
	e := &crewjam.EntityDescriptor{}
	if err := xml.Unmarshal(metadata, e); err != nil || len(e.SPSSODescriptors) != 1 {
		t.Fatalf("%d descriptors of a provider: %v", len(e.SPSSODescriptors), err)
	}
	p := e.SPSSODescriptors[0]
	if p.AuthnRequestsSigned == nil || !*p.AuthnRequestsSigned || p.WantAssertionsSigned == nil || !*p.WantAssertionsSigned || time.Until(e.ValidUntil) < time.Hour {
		t.Errorf("it may use them until %v: %+v", e.ValidUntil, p)
	}
	var uses []string
	for _, k := range p.KeyDescriptors {
		uses = append(uses, k.Use)
	}
	if slices.Sort(uses); !slices.Equal(uses, []string{"encryption", "signing"}) {
		t.Errorf("keys for %q", uses)
	}
	if a := p.AssertionConsumerServices; len(a) != 2 || a[0].Location != artifact || a[0].IsDefault == nil || !*a[0].IsDefault || a[1].Location != inForm || a[1].Binding != crewjam.HTTPPostBinding {
		t.Errorf("answers come to %+v", a)
	}
	if s := p.AttributeConsumingServices; len(s) != 1 || s[0].Index != 10 || s[0].ServiceNames[0].Value != "Manage mandates" || s[0].RequestedAttributes[0].Name != etoegang.AttributeRepresentedName {
		t.Errorf("services %+v", s)
	}
	return e
}

// sent is what a browser brings the broker.
func sent(t *testing.T, out signin.Outgoing) *http.Request {
	t.Helper()
	if out.Form == nil {
		return must[*http.Request](t)(http.NewRequest(http.MethodGet, out.Redirect, nil))
	}
	form := url.Values{"SAMLRequest": {base64.StdEncoding.EncodeToString(out.Form.Request)}, "RelayState": {out.Form.Relay}}
	r := must[*http.Request](t)(http.NewRequest(http.MethodPost, out.Form.Action, strings.NewReader(form.Encode())))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return r
}

// signedByUs checks the signature: over the address up to it (SAML 2.0 bindings, section
// 3.4.4.1), or in the form.
func signedByUs(t *testing.T, out signin.Outgoing, us *crewjam.EntityDescriptor) {
	t.Helper()
	keys := us.SPSSODescriptors[0].KeyDescriptors
	signing := keys[slices.IndexFunc(keys, func(k crewjam.KeyDescriptor) bool { return k.Use == "signing" })]
	text := strings.Join(strings.Fields(signing.KeyInfo.X509Data.X509Certificates[0].Data), "")
	certificate := must[*x509.Certificate](t)(x509.ParseCertificate(must[[]byte](t)(base64.StdEncoding.DecodeString(text))))
	if out.Form == nil {
		query, signature, _ := strings.Cut(must[*url.URL](t)(url.Parse(out.Redirect)).RawQuery, "&Signature=")
		bits := must[[]byte](t)(base64.StdEncoding.DecodeString(must[string](t)(url.QueryUnescape(signature))))
		digest := sha256.Sum256([]byte(query))
		if err := rsa.VerifyPKCS1v15(certificate.PublicKey.(*rsa.PublicKey), crypto.SHA256, digest[:], bits); err != nil {
			t.Errorf("the signature in the address: %v", err)
		}
		return
	}
	verify := func(message []byte) (string, error) {
		return run(t, nil, tool(t, "xmlsec1"), "--verify", "--pubkey-cert-pem", write(t, "pages.crt", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Raw})),
			"--id-attr:ID", "urn:oasis:names:tc:SAML:2.0:protocol:AuthnRequest", write(t, "request.xml", message))
	}
	if said, err := verify(out.Form.Request); err != nil {
		t.Errorf("the signature in the form: %v: %s", err, said)
	}
	if _, err := verify(bytes.Replace(out.Form.Request, []byte("minimum"), []byte("exact"), 1)); err == nil {
		t.Error("it holds for another level as well")
	}
}
