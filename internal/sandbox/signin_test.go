package sandbox_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/mandated/mandated/internal/devkeys"
	"github.com/mandated/mandated/internal/sandbox"
	"github.com/mandated/mandated/internal/signin"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/saml"
	"github.com/mandated/mandated/pkg/xmlsec"
)

// pages are pages of our own, whose door asks the sandbox's broker.
type pages struct {
	t    *testing.T
	s    *sandbox.Sandbox
	door *signin.Door

	begun   signin.Pending
	visitor signin.Visitor
	err     error
}

// newPages opens pages under a number, and lets them join. change changes their door.
func newPages(t *testing.T, s *sandbox.Sandbox, oin string, change func(*signin.Config)) *pages {
	t.Helper()
	p := &pages{t: t, s: s}
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.visitor, p.err = p.door.Finish(r.Context(), p.begun, signin.Answer{
			Response: r.PostFormValue("SAMLResponse"), Artifact: r.FormValue("SAMLart"), Relay: r.FormValue("RelayState"),
		})
		_, _ = io.WriteString(w, "<p>Back on our own pages</p>")
	}))
	t.Cleanup(web.Close)
	pair, err := devkeys.New("pages", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	entity := "urn:etoegang:DV:" + oin + ":entities:9501"
	key := []xmlsec.Key{{Name: pair.KeyName(), Certificate: pair.Certificate}}
	service := s.Network.Services["vat"]
	c := signin.Config{
		Broker: s.Network.Broker.Entity, Directory: p.directory(), Artifact: web.URL + "/artifact", Post: web.URL + "/post", Resolve: p.resolve,
		Service: signin.Service{
			Index: 2, UUID: service.UUID, Level: service.Level, Names: map[string]string{"en": "Manage mandates"},
			Wants: []saml.RequestedAttribute{{Name: etoegang.AttributeRepresentedName}},
		},
		Signer:  xmlsec.Signer{Key: pair.Key, KeyName: pair.KeyName(), Certificate: pair.Certificate},
		Signing: key, Encryption: key, Openers: []xmlsec.Opener{{KeyName: pair.KeyName(), Key: pair.Key}},
		Organisation: "Our pages", Contact: "desk@pages.test", Now: time.Now,
	}
	if c.Entity, err = etoegang.ParseEntityID(entity); err != nil {
		t.Fatal(err)
	}
	change(&c)
	if c.Service.ID, err = etoegang.ParseServiceID(fmt.Sprintf("urn:etoegang:DV:%s:services:%d", oin, c.Service.Index)); err != nil {
		t.Fatal(err)
	}
	if p.door, err = signin.New(c); err != nil {
		t.Fatal(err)
	}
	metadata, err := p.door.Metadata()
	if err != nil {
		t.Fatal(err)
	}
	peer{entity: entity}.join(t, s, "pages-"+oin, string(metadata))
	return p
}

// Answers come to the pages behind artifacts, or in forms.
func behindArtifacts(*signin.Config) {}
func inForms(c *signin.Config)       { c.Artifact = "" }

var ways = map[string]func(*signin.Config){"artifact": behindArtifacts, "form": inForms}

// directory is everybody, with the broker as it describes itself to providers.
func (p *pages) directory() *saml.Directory {
	broker, _, err := saml.ParseMetadata([]byte(brokerMetadata(p.t, p.s)), saml.Trust{File: true}, time.Now())
	if err != nil {
		p.t.Fatal(err)
	}
	n := p.s.Network
	return saml.NewDirectory(append(broker, n.Authenticator.Participant(), n.First.Participant(), n.Second.Participant())...)
}

// resolve asks over HTTP, as somebody who trusts the sandbox's certificate.
func (p *pages) resolve(ctx context.Context, address string, envelope []byte) ([]byte, error) {
	ca, err := os.ReadFile(p.s.CA)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(ca)
	client := http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}}
	defer client.CloseIdleConnections()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(envelope))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", saml.ContentType)
	response, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("HTTP %d", response.StatusCode)
	}
	return io.ReadAll(response.Body)
}

// goes begins a log-in in a browser, which ends where it asks who one is.
func (p *pages) goes(b *browser, o signin.Options) *browser {
	p.t.Helper()
	out, begun, err := p.door.Begin(o)
	if err != nil {
		p.t.Fatal(err)
	}
	p.begun = begun
	return b.visit(out.Redirect)
}

// comes is what the pages make of whoever comes back in the browser.
func (p *pages) comes(b *browser) (signin.Visitor, error) {
	p.t.Helper()
	if strings.HasPrefix(b.at.String(), p.s.Address) { // the answer is in a form
		b.press("", nil)
	}
	b.reads("Back on our own pages")
	return p.visitor, p.err
}

// Our own pages let people in with the log-in of the sandbox's broker, which fetches and posts
// its answers: the employee of an office for its client, under one name each time.
func TestOurOwnPages(t *testing.T) {
	s := open(t)
	seen := map[signin.Acting]bool{}
	for answer, way := range ways {
		p := newPages(t, s, "00000009000000000021", way)
		before := time.Now()
		v, err := p.comes(p.goes(newBrowser(t, s), signin.Options{Force: true}).choose("Elif Yilmaz", ""))
		if err != nil {
			t.Fatalf("%s: %v", answer, err)
		}
		if v.Company.Text() != "34567890" || v.Name != "Bloemisterij Tulp" || v.Intermediary.KvK.Text() != "87654321" || v.IntermediaryName != "Administratiekantoor Telraam" {
			t.Errorf("%s: he acts for %s through %s", answer, v.Name, v.IntermediaryName)
		}
		if v.Level != etoegang.LoA3 || v.Acting.Register != s.Network.First.Entity || v.LoggedIn.Before(before.Add(-2*time.Second)) {
			t.Errorf("%s: %s at %v, by %s", answer, v.Level, v.LoggedIn, v.Acting.Register)
		}
		seen[v.Acting] = true
	}
	if len(seen) != 1 {
		t.Errorf("one person is %d", len(seen))
	}
}

// A log-in is as good as the weakest that it rests on, and a means that is too weak lets nobody
// in.
func TestLevelsOfOurOwnPages(t *testing.T) {
	s := open(t)
	p := newPages(t, s, "00000009000000000022", behindArtifacts)
	v, err := p.comes(p.goes(newBrowser(t, s), signin.Options{}).choose("Anna de Vries", "loa4"))
	if err != nil || v.Level != etoegang.LoA3 { // her mandate's
		t.Errorf("a strong means gives %v, %v", v.Level, err)
	}
	if _, err := p.comes(p.goes(newBrowser(t, s), signin.Options{}).choose("Anna de Vries", "loa2").press("1", nil)); !errors.Is(err, signin.ErrRefused) {
		t.Errorf("a weak means: %v", err)
	}
}

// Who gives up at the authentication service has not logged in, and nothing is wrong.
func TestCancelledOnOurOwnPages(t *testing.T) {
	s := open(t)
	p := newPages(t, s, "00000009000000000023", behindArtifacts)
	_, err := p.comes(p.goes(newBrowser(t, s), signin.Options{}).press("cancel", url.Values{}))
	if !errors.Is(err, signin.ErrCancelled) {
		t.Errorf("%v", err)
	}
}

// Of the providers only the register fetches its answers as a register does, whatever the
// others call their services.
func TestServiceWithTheNameOfTheRegisters(t *testing.T) {
	s := open(t)
	beside := s.Providers() + "/pages-00000009000000000025.yaml"
	if err := os.WriteFile(beside, []byte("services:\n  - {index: 10, name: manage, level: loa3}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Remove(beside) })
	p := newPages(t, s, "00000009000000000025", func(c *signin.Config) { c.Service.Index = 10 })
	if _, err := p.comes(p.goes(newBrowser(t, s), signin.Options{}).press("cancel", url.Values{})); !errors.Is(err, signin.ErrCancelled) {
		t.Errorf("%v", err)
	}
}

// Whatever is wrong with the broker's answer on its way to us, nobody comes in by it.
func TestFaultyAnswersToOurOwnPages(t *testing.T) {
	s := open(t)
	for answer, way := range ways {
		p := newPages(t, s, "00000009000000000024", way)
		for fault, want := range map[string]error{
			"answer-expired": signin.ErrUnbelieved, "answer-wrong-audience": signin.ErrUnbelieved, "answer-unasked": signin.ErrUnbelieved,
			"answer-altered": signin.ErrUnbelieved, "answer-wrong-key": signin.ErrUnbelieved, "register-down": signin.ErrNotAnswered, "replayed": signin.ErrNotAnswered,
		} {
			b := newBrowser(t, s).visit(s.Address + "/").choosesFault(fault)
			if _, err := p.comes(p.goes(b, signin.Options{}).choose("Anna de Vries", "")); !errors.Is(err, want) {
				t.Errorf("%s by %s: %v", fault, answer, err)
			}
		}
		if _, err := p.comes(p.goes(newBrowser(t, s), signin.Options{}).choose("Anna de Vries", "")); err != nil {
			t.Errorf("the log-in by %s after that: %v", answer, err)
		}
	}
}
