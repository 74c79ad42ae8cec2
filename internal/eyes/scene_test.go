package eyes_test

import (
	"context"
	"crypto/x509"
	"encoding/base64"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/mandated/mandated/internal/eyes"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/harness"
	"github.com/mandated/mandated/pkg/saml"
)

var ctx = context.Background()

// scene is a network in which Anna may act for the bakery, by way of her browser.
type scene struct {
	t *testing.T
	n *harness.Network
	q harness.Question
}

func newScene(t *testing.T, secure bool) *scene {
	t.Helper()
	n := harness.Start(t, harness.Options{Browser: true, TLS: secure})
	s := &scene{t, n, harness.Question{Person: n.NewPerson("Anna"), Service: n.Services["vat"]}}
	bakery := harness.Company("Bakkerij De Korenbloem", "12345678", "123456782")
	if _, err := n.First.Direct(bakery, s.q.Person, harness.For(s.q.Service, etoegang.LoA3)); err != nil {
		t.Fatal(err)
	}
	return s
}

// send prepares a visit of Anna's.
func (s *scene) send(relay string) *harness.Visit {
	s.t.Helper()
	v, err := s.n.Broker.Send(s.q, relay)
	if err != nil {
		s.t.Fatal(err)
	}
	return v
}

// brings is where a browser goes that brings an artifact.
func (s *scene) brings(a saml.Artifact) string {
	return s.n.First.DoorEndpoint + "?" + url.Values{"SAMLart": {a.String()}}.Encode()
}

// participant is what the metadata in the network's folder say of one.
func (s *scene) participant(file string) saml.Participant {
	s.t.Helper()
	text, err := os.ReadFile(filepath.Join(s.n.Folder, file))
	if err != nil {
		s.t.Fatal(err)
	}
	trust := saml.Trust{Certificates: []*x509.Certificate{s.n.Scheme.Signer().Certificate}}
	list, _, err := saml.ParseMetadata(text, trust, s.n.Now())
	if err != nil || len(list) != 1 {
		s.t.Fatalf("%s: %d participants, %v", file, len(list), err)
	}
	return list[0]
}

// wantForms lets the broker's metadata say that answers come to it in forms.
func (s *scene) wantForms() {
	s.t.Helper()
	broker := s.participant("metadata-broker.xml")
	signed, err := saml.Description{
		ID: saml.NewID(), Name: "urn:etoegang:1.13:T:2", Entity: broker.Entity, Until: s.n.Now().Add(24 * time.Hour),
		Organisation: "broker", Contact: "desk@broker.test", Signing: broker.Signing, Encryption: broker.Encryption,
		Resolution: broker.Resolvers[0].Location,
		Consumers:  []saml.Consumer{{Endpoint: saml.Endpoint{Binding: saml.BindingPOST, Location: s.n.Broker.Consumer}, Index: 1, Default: true}},
	}.Sign(s.n.Scheme.Signer())
	if err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(s.n.Folder, "metadata-broker.xml"), signed.Bytes(), 0o644); err != nil {
		s.t.Fatal(err)
	}
	if err := s.n.First.Reload(); err != nil {
		s.t.Fatal(err)
	}
}

// posted is what the broker reads in a form that a browser posted to it.
func (s *scene) posted(a eyes.Arrival) *saml.Reply {
	s.t.Helper()
	answer, err := base64.StdEncoding.DecodeString(a.Form.Get("SAMLResponse"))
	if err != nil {
		s.t.Fatal(err)
	}
	to := regexp.MustCompile(`InResponseTo="([^"]*)"`).FindSubmatch(answer)
	if to == nil {
		s.t.Fatalf("the form brings %q", answer)
	}
	soap := `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>` + string(answer) + `</s:Body></s:Envelope>`
	reply, err := saml.ReadReply([]byte(soap), saml.NewDirectory(s.participant("metadata-register.xml")), string(to[1]), s.n.Now())
	if err != nil {
		s.t.Fatal(err)
	}
	return reply
}

// looks are the ways in which every page is looked at, by name: those that leave a page the
// least room.
var looks = map[string]eyes.Options{
	"phone":  {Width: 320, Height: 640},
	"zoomed": {Zoom: 4, Script: true},
}

// everyLook looks in both languages, in every way.
func everyLook(t *testing.T, scene func(user *eyes.Browser, language, look string)) {
	t.Helper()
	for _, language := range []string{"nl", "en"} {
		for look := range looks {
			lookAs(t, language, look, scene)
		}
	}
}

// bothLooks looks in each way and in each language once, where all four would take long and
// show little more: a page is as wide at 400 % as on a phone.
func bothLooks(t *testing.T, scene func(user *eyes.Browser, language, look string)) {
	t.Helper()
	lookAs(t, "nl", "phone", scene)
	lookAs(t, "en", "zoomed", scene)
}

func lookAs(t *testing.T, language, look string, scene func(user *eyes.Browser, language, look string)) {
	t.Helper()
	o := looks[look]
	o.Language = language
	scene(eyes.Open(t, o), language, language+"-"+look)
}
