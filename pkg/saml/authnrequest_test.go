package saml_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/saml"
	"github.com/mandated/mandated/pkg/xmlsec"
)

// authnRequest is a provider's request with all that one can have.
func (w *fuzzWorld) authnRequest() saml.AuthnRequest {
	return saml.AuthnRequest{
		ID: "_asked", Issuer: w.provider.entity, Destination: brokerSignOn, Issued: fuzzTime, Address: providerConsumer, Binding: saml.BindingPOST,
		Service: "2", Level: etoegang.LoA3, Passive: true, Force: true,
		Audience: w.provider.entity, ServiceID: fuzzService, ServiceUUID: fuzzUUID,
	}
}

var sameEntity = cmp.AllowUnexported(etoegang.EntityID{}, etoegang.ServiceID{}, etoegang.ServiceUUID{}, etoegang.OIN{})

// A request is read as it was written, in whichever of three ways it comes.
func TestAuthnRequestTravels(t *testing.T) {
	w := world()
	r, sent := w.as(w.broker), w.authnRequest()
	signed := sure(sent.Sign(w.provider.signer))
	resolved := saml.Resolved{ID: "_resolved", InResponseTo: "_resolve", Issuer: w.provider.entity, Issued: fuzzTime, Message: signed}
	for way, read := range map[string]func() (saml.AuthnRequest, error){
		"in a form": func() (saml.AuthnRequest, error) { return r.ReceiveAuthnRequest(signed.Bytes(), fuzzTime, nil) },
		"behind an artifact": func() (saml.AuthnRequest, error) {
			return r.ReceiveResolvedRequest(saml.Wrap(sure(resolved.Sign(w.provider.signer))), "_resolve", w.provider.entity, fuzzTime)
		},
		"in an address": func() (saml.AuthnRequest, error) {
			return r.ReceiveRedirected(sent.Element().Bytes(), fuzzTime, func(sender saml.Participant) error {
				if sender.Entity != w.provider.entity || len(sender.Signing) != 1 {
					t.Errorf("it is checked with the keys of %v", sender)
				}
				return nil
			})
		},
	} {
		got, err := read()
		if diff := cmp.Diff(sent, got, sameEntity); err != nil || diff != "" {
			t.Errorf("%s: %v %s", way, err, diff)
		}
	}
}

// Nobody's request is believed who is no provider here, or sent another one, or to elsewhere,
// or long ago; whose signature is missing where one is due, or is somebody else's.
func TestAuthnRequestIsRefused(t *testing.T) {
	w := world()
	r := w.as(w.broker)
	for what, change := range map[string]func(*saml.AuthnRequest, *xmlsec.Signer){
		"of a register": func(q *saml.AuthnRequest, s *xmlsec.Signer) { q.Issuer, *s = w.self.entity, w.self.signer },
		"of a stranger": func(q *saml.AuthnRequest, _ *xmlsec.Signer) {
			q.Issuer = sure(etoegang.ParseEntityID("urn:etoegang:DV:00000009000000000001:entities:1"))
		},
		"signed by another": func(_ *saml.AuthnRequest, s *xmlsec.Signer) { *s = w.first.signer },
		"to elsewhere":      func(q *saml.AuthnRequest, _ *xmlsec.Signer) { q.Destination = "https://other.test/sso" },
		"old":               func(q *saml.AuthnRequest, _ *xmlsec.Signer) { q.Issued = fuzzTime.Add(-3 * time.Minute) },
		"of the future":     func(q *saml.AuthnRequest, _ *xmlsec.Signer) { q.Issued = fuzzTime.Add(3 * time.Second) },
	} {
		request, signer := w.authnRequest(), w.provider.signer
		change(&request, &signer)
		if _, err := r.ReceiveAuthnRequest(sure(request.Sign(signer)).Bytes(), fuzzTime, nil); err == nil {
			t.Errorf("%s: it is believed", what)
		}
	}
	stranger := w.authnRequest()
	stranger.Issuer = w.self.entity
	if _, err := r.ReceiveRedirected(stranger.Element().Bytes(), fuzzTime, func(saml.Participant) error { return nil }); err == nil {
		t.Error("a register's request in an address is believed")
	}
	wrong := errors.New("wrong")
	if _, err := r.ReceiveRedirected(w.authnRequest().Element().Bytes(), fuzzTime, func(saml.Participant) error { return wrong }); !errors.Is(err, wrong) {
		t.Errorf("with a wrong signature beside it: %v", err)
	}
	if _, err := r.ReceiveAuthnRequest(w.login("_login", w.self).Bytes(), fuzzTime, nil); err == nil {
		t.Error("an assertion is taken for a request")
	}
}

// Whose request needs no signature the caller says; a signature that is there must be right
// all the same.
func TestUnsignedAuthnRequest(t *testing.T) {
	w := world()
	r := w.as(w.broker)
	bare := w.authnRequest().Element().Bytes()
	may := func(yes bool) func(etoegang.EntityID) bool { return func(etoegang.EntityID) bool { return yes } }
	if _, err := r.ReceiveAuthnRequest(bare, fuzzTime, may(true)); err != nil {
		t.Errorf("where it may be unsigned: %v", err)
	}
	for _, unsigned := range []func(etoegang.EntityID) bool{nil, may(false)} {
		if _, err := r.ReceiveAuthnRequest(bare, fuzzTime, unsigned); err == nil {
			t.Error("where it may not be unsigned it is believed")
		}
	}
	altered := bytes.Replace(sure(w.authnRequest().Sign(w.provider.signer)).Bytes(), []byte(":loa3"), []byte(":loa2"), 1)
	if _, err := r.ReceiveAuthnRequest(altered, fuzzTime, may(true)); err == nil {
		t.Error("altered under its signature it is believed")
	}
}

// Software of providers writes out the format of its name, which says nothing; all else that
// might stand at a name is refused.
func TestIssuerOfAnAuthnRequest(t *testing.T) {
	w := world()
	for attribute, good := range map[string]bool{
		`Format="urn:oasis:names:tc:SAML:2.0:nameid-format:entity"`:    true,
		`Format="urn:oasis:names:tc:SAML:2.0:nameid-format:transient"`: false,
		`NameQualifier="urn:somebody"`:                                 false,
	} {
		doc := strings.Replace(string(w.authnRequest().Element().Bytes()), "<saml:Issuer ", "<saml:Issuer "+attribute+" ", 1)
		_, err := w.as(w.broker).ReceiveRedirected([]byte(doc), fuzzTime, func(saml.Participant) error { return nil })
		if (err == nil) != good {
			t.Errorf("%s: %v", attribute, err)
		}
	}
}
