package saml_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/saml"
	"github.com/mandated/mandated/pkg/xmlsec"
)

// An artifact names its issuer and where to ask, and is read as it was written. The bytes
// are those of SAML 2.0 bindings, section 3.6.4.
func TestArtifactTravels(t *testing.T) {
	w := world()
	a := saml.NewArtifact(w.broker.entity, 7)
	raw := sure(base64.StdEncoding.DecodeString(a.String()))
	source := saml.SourceID(w.broker.entity)
	if len(raw) != 44 || !bytes.Equal(raw[:4], []byte{0, 4, 0, 7}) || !bytes.Equal(raw[4:24], source[:]) {
		t.Errorf("it is % x", raw)
	}
	if got, err := saml.ParseArtifact(a.String()); got != a || err != nil {
		t.Errorf("read as %v, %v", got, err)
	}
	if b := saml.NewArtifact(w.broker.entity, 7); b.Handle == a.Handle {
		t.Error("two have one handle")
	}
	if p, ok := w.receiver.Directory.Source(a, fuzzTime); !ok || p.Entity != w.broker.entity {
		t.Errorf("it is of %v, %v", p.Entity, ok)
	}
	if _, ok := w.receiver.Directory.Source(saml.Artifact{}, fuzzTime); ok {
		t.Error("an artifact of nobody is somebody's")
	}
	other := bytes.Clone(raw)
	other[1] = 1
	for _, text := range []string{
		"", "AAQ", a.String()[1:], a.String() + "AAAA", " " + a.String(), a.String() + "\n", base64.StdEncoding.EncodeToString(other),
		base64.RawStdEncoding.EncodeToString(raw), strings.ReplaceAll(a.String(), "A", "\u0410"),
	} {
		if _, err := saml.ParseArtifact(text); !errors.Is(err, saml.ErrArtifact) {
			t.Errorf("%q is an artifact: %v", text, err)
		}
	}
}

// browser is the receiver with a front channel.
func (w *fuzzWorld) browser() *saml.Receiver {
	r := *w.receiver
	r.Addresses.Browser, r.Addresses.Resolution = "https://register.test/etoegang/1.13/authz", "https://register.test/etoegang/1.13/resolve"
	return &r
}

// fetched is what a broker answers to the ArtifactResolve "_resolve".
func (w *fuzzWorld) fetched(change func(*saml.Asking, *saml.Resolved)) []byte {
	q := w.asking("_query", w.login("_login", w.self))
	q.Destination = w.browser().Addresses.Browser
	r := saml.Resolved{ID: "_resolved", InResponseTo: "_resolve", Issuer: w.broker.entity, Issued: fuzzTime}
	change(&q, &r)
	if r.Message == nil {
		r.Message = sure(q.Sign(w.broker.signer))
	}
	return saml.Wrap(sure(r.Sign(w.broker.signer)))
}

func untouched(*saml.Asking, *saml.Resolved) {}

// A query that was fetched from the issuer of its artifact is judged like one that was
// sent, with both engines.
func TestQueryIsFetched(t *testing.T) {
	w := world()
	for _, engine := range []xmlsec.Engine{xmlsec.Fast, xmlsec.Reference} {
		r := w.browser()
		r.Verifier = xmlsec.Verifier{Engine: engine, CrossCheck: 1}
		in, err := r.ReceiveResolved(w.fetched(untouched), "_resolve", w.broker.entity, fuzzTime)
		if err != nil {
			t.Fatal(err)
		}
		if in.Question != saml.AskAuthorize || in.Query.ID != "_query" || in.Sender.Entity != w.broker.entity || in.Actor.Pseudonym.Text() != fuzzPerson.Text() {
			t.Errorf("received %+v", in)
		}
		sent, err := w.receiver.Receive(w.honest()["authorize"], fuzzTime)
		if err != nil {
			t.Fatal(err)
		}
		in.Query.ID, in.Query.Destination = sent.Query.ID, sent.Query.Destination
		if meaning(in) != meaning(sent) {
			t.Errorf("fetched it means %s\nsent it means %s", meaning(in), meaning(sent))
		}
	}
}

// What is fetched must be the answer to what was asked, by him who was asked, with a query
// of his own, just now: whatever else a browser brings us artifacts of, nobody is believed.
func TestWhatIsFetchedAndNotBelieved(t *testing.T) {
	w := world()
	honest := w.fetched(untouched)
	rival := w.second()
	stolen := sure(w.honestQuery().Sign(w.broker.signer))
	failed := xmlsec.E("samlp:ArtifactResponse", xmlsec.A("ID", "_resolved"), xmlsec.A("Version", "2.0"),
		xmlsec.A("IssueInstant", fuzzTime.Format(time.RFC3339)), xmlsec.A("InResponseTo", "_resolve"),
		xmlsec.E("saml:Issuer", w.broker.entity.String()),
		xmlsec.E("samlp:Status", xmlsec.E("samlp:StatusCode", xmlsec.A("Value", saml.ResponderFailed.Top))), sure(w.honestQuery().Sign(w.broker.signer)))
	if err := w.broker.signer.Sign(failed); err != nil {
		t.Fatal(err)
	}
	full := xmlsec.E("samlp:ArtifactResponse", xmlsec.A("ID", "_resolved"), xmlsec.A("Version", "2.0"),
		xmlsec.A("IssueInstant", fuzzTime.Format(time.RFC3339)), xmlsec.A("InResponseTo", "_resolve"),
		xmlsec.E("saml:Issuer", w.broker.entity.String()),
		xmlsec.E("samlp:Status", xmlsec.E("samlp:StatusCode", xmlsec.A("Value", saml.Success.Top))), xmlsec.E("samlp:Response"))
	if err := w.broker.signer.Sign(full); err != nil {
		t.Fatal(err)
	}
	w = w.with(rival)
	for name, c := range map[string]struct {
		body []byte
		want error
	}{
		"the answer to another question":   {w.fetched(func(_ *saml.Asking, r *saml.Resolved) { r.InResponseTo = "_other" }), nil},
		"the answer of a rival":            {rival.resolved(w.honestQueryOf(rival)), nil},
		"a rival's answer with our query":  {rival.resolved(stolen), nil},
		"nothing, of a rival":              {rival.resolved(nil), nil},
		"a rival's query":                  {w.fetched(func(_ *saml.Asking, r *saml.Resolved) { r.Message = w.honestQueryOf(rival) }), nil},
		"an old answer":                    {w.fetched(func(_ *saml.Asking, r *saml.Resolved) { r.Issued = fuzzTime.Add(-time.Hour) }), nil},
		"an answer of the future":          {w.fetched(func(_ *saml.Asking, r *saml.Resolved) { r.Issued = fuzzTime.Add(time.Hour) }), nil},
		"an altered query":                 {bytes.Replace(honest, []byte(":services:1"), []byte(":services:2"), 1), nil},
		"an altered answer":                {bytes.Replace(honest, []byte(`InResponseTo="_resolve"`), []byte(`InResponseTo="_resolvf"`), 1), nil},
		"a failure":                        {saml.Wrap(failed), nil},
		"something else":                   {saml.Wrap(full), nil},
		"a query without an answer around": {w.honest()["authorize"], saml.ErrNoResolved},
		"nothing":                          {w.empty(), saml.ErrNothingThere},
	} {
		in, err := w.browser().ReceiveResolved(c.body, "_resolve", w.broker.entity, fuzzTime)
		if in != nil || err == nil || c.want != nil && !errors.Is(err, c.want) || c.want == nil && errors.Is(err, saml.ErrNothingThere) {
			t.Errorf("%s: %v, %v", name, in, err)
		}
	}
	if in, err := w.browser().ReceiveResolved(honest, "_resolve", w.first.entity, fuzzTime); in != nil || err == nil {
		t.Errorf("asked another: %v, %v", in, err)
	}
	if in, err := w.browser().ReceiveResolved(honest, "_resolf", w.broker.entity, fuzzTime); in != nil || err == nil {
		t.Errorf("asked something else: %v, %v", in, err)
	}
}

// rival is another broker of good standing.
type rival struct{ fuzzParty }

func (w *fuzzWorld) second() rival {
	return rival{newFuzzParty("urn:etoegang:HM:00000003999999990000:entities:9005")}
}

// with is the world with a rival in it.
func (w *fuzzWorld) with(r rival) *fuzzWorld {
	more, receiver := *w, *w.receiver
	var all []saml.Participant
	for _, p := range []fuzzParty{w.broker, w.authenticator, w.provider, w.first, w.self, r.fuzzParty} {
		key := []xmlsec.Key{{Name: p.signer.KeyName, Certificate: p.signer.Certificate}}
		all = append(all, saml.Participant{Entity: p.entity, Signing: key, Encryption: key})
	}
	receiver.Directory = saml.NewDirectory(all...)
	more.receiver = &receiver
	return &more
}

func (w *fuzzWorld) honestQuery() saml.Asking {
	q := w.asking("_query", w.login("_login", w.self))
	q.Destination = w.browser().Addresses.Browser
	return q
}

// honestQueryOf is the same, asked and signed by the rival.
func (w *fuzzWorld) honestQueryOf(r rival) *xmlsec.Element {
	q := w.honestQuery()
	q.Issuer = r.entity
	return sure(q.Sign(r.signer))
}

func (r rival) resolved(message *xmlsec.Element) []byte {
	return saml.Wrap(sure(saml.Resolved{
		ID: "_resolved", InResponseTo: "_resolve", Issuer: r.entity, Issued: fuzzTime, Message: message,
	}.Sign(r.signer)))
}

// empty is the answer of a broker that has nothing under the artifact any more.
func (w *fuzzWorld) empty() []byte {
	r := saml.Resolved{ID: "_resolved", InResponseTo: "_resolve", Issuer: w.broker.entity, Issued: fuzzTime}
	return saml.Wrap(sure(r.Sign(w.broker.signer)))
}

// A query says by which way it goes: one that was meant for the browser is not accepted
// over SOAP, nor the other way round.
func TestQueryGoesItsOwnWay(t *testing.T) {
	w := world()
	over := func(q *saml.Asking, _ *saml.Resolved) { q.Destination = fuzzAddress }
	in, err := w.browser().ReceiveResolved(w.fetched(over), "_resolve", w.broker.entity, fuzzTime)
	if in == nil || problemOf(err) != saml.ProblemDestination {
		t.Errorf("a query for SOAP through the browser: %v", err)
	}
	q := w.asking("_query", w.login("_login", w.self))
	q.Destination = w.browser().Addresses.Browser
	in, err = w.browser().Receive(saml.Wrap(sure(q.Sign(w.broker.signer))), fuzzTime)
	if in == nil || problemOf(err) != saml.ProblemDestination {
		t.Errorf("a query for the browser over SOAP: %v", err)
	}
}

func problemOf(err error) saml.Problem {
	var e *saml.Error
	if errors.As(err, &e) {
		return e.Problem
	}
	return ""
}

// A query that the browser itself brings is believed by its signature alone.
func TestQueryIsPosted(t *testing.T) {
	w := world()
	q := w.asking("_query", w.login("_login", w.self))
	q.Destination = w.browser().Addresses.Browser
	posted := sure(q.Sign(w.broker.signer)).Bytes()
	in, err := w.browser().ReceivePosted(posted, fuzzTime)
	if err != nil || in.Question != saml.AskAuthorize || in.Query.ID != "_query" {
		t.Errorf("received %+v, %v", in, err)
	}
	altered := bytes.Replace(posted, []byte(":services:1"), []byte(":services:2"), 1)
	for name, body := range map[string][]byte{"altered": altered, "in SOAP": w.honest()["authorize"], "no XML": []byte("x")} {
		if in, err := w.browser().ReceivePosted(body, fuzzTime); in != nil || err == nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Who is where, as metadata say it: a broker keeps what its artifacts stand for, a register
// is asked over SOAP and through the browser.
func TestArtifactsInMetadata(t *testing.T) {
	w := world()
	for _, p := range []fuzzParty{w.broker, w.self} {
		d := saml.Description{
			ID: "_m", Name: "urn:etoegang:1.13:T:1", Entity: p.entity, Until: fuzzTime.Add(time.Hour), Organisation: "x", Contact: "desk@x.test",
			Signing: []xmlsec.Key{{Name: p.signer.KeyName, Certificate: p.signer.Certificate}},
			Authz:   fuzzAddress, Browser: w.browser().Addresses.Browser, Resolution: "https://x.test/resolve",
			Consumers: []saml.Consumer{{Endpoint: saml.Endpoint{Binding: saml.BindingArtifact, Location: fuzzConsumer}, Index: 1}},
		}
		doc := sure(d.Sign(p.signer)).Bytes()
		list, _, err := saml.ParseMetadata(doc, saml.Trust{File: true}, fuzzTime)
		if err != nil {
			t.Fatal(err)
		}
		if r, ok := list[0].Resolver(0); !ok || r.Location != "https://x.test/resolve" {
			t.Errorf("%s resolves at %+v", p.entity, r)
		}
		if _, ok := list[0].Resolver(1); ok {
			t.Errorf("%s has a second service", p.entity)
		}
		bad := bytes.Replace(doc, []byte(`index="0"`), []byte(`index="x"`), 1)
		if _, _, err := saml.ParseMetadata(bad, saml.Trust{File: true}, fuzzTime); err == nil {
			t.Error("an index may be anything")
		}
	}
}

// Each role of a participant counts its ArtifactResolutionServices from nought. A broker
// sends queries as a service provider, so that one of its artifacts is resolved there; a
// service of somebody whose artifacts nobody resolves is not looked at.
func TestTwoServicesOfOneIndex(t *testing.T) {
	w := world()
	d := saml.Description{
		ID: "_m", Name: "urn:etoegang:1.13:T:1", Entity: w.broker.entity, Until: fuzzTime.Add(time.Hour), Organisation: "x", Contact: "desk@x.test",
		Signing: []xmlsec.Key{{Name: w.broker.signer.KeyName, Certificate: w.broker.signer.Certificate}}, Resolution: "https://x.test/sp",
		Consumers: []saml.Consumer{{Endpoint: saml.Endpoint{Binding: saml.BindingArtifact, Location: fuzzConsumer}, Index: 1}},
	}
	doc := string(sure(d.Sign(w.broker.signer)).Bytes())
	begin, end := strings.Index(doc, "<md:SPSSODescriptor"), strings.Index(doc, "</md:SPSSODescriptor>")+len("</md:SPSSODescriptor>")
	provider := doc[begin:end]
	other := strings.ReplaceAll(strings.ReplaceAll(provider, "SPSSODescriptor", "IDPSSODescriptor"), "x.test/sp", "x.test/idp")
	for name, both := range map[string]string{"the provider last": other + provider, "the provider first": provider + other} {
		list, notes, err := saml.ParseMetadata([]byte(doc[:begin]+both+doc[end:]), saml.Trust{File: true}, fuzzTime)
		if err != nil {
			t.Fatal(err)
		}
		if r, ok := list[0].Resolver(0); !ok || r.Location != "https://x.test/sp" || len(list[0].Resolvers) != 1 {
			t.Errorf("%s: it resolves at %+v", name, list[0].Resolvers)
		}
		if !strings.Contains(strings.Join(notes, "\n"), "two ArtifactResolutionServices have index 0") {
			t.Errorf("%s: nobody is told: %q", name, notes)
		}
	}

	authenticator := strings.ReplaceAll(strings.ReplaceAll(strings.ReplaceAll(doc, "SPSSODescriptor", "IDPSSODescriptor"), w.broker.entity.String(), w.authenticator.entity.String()), "https://x.test/sp", "javascript:alert(1)")
	list, _, err := saml.ParseMetadata([]byte(authenticator), saml.Trust{File: true}, fuzzTime)
	if err != nil || len(list) != 1 || len(list[0].Resolvers) != 0 {
		t.Errorf("of an authentication service: %v, %+v", err, list)
	}
}

// Our own artifacts are resolved for brokers that ask for one of ours, just now and here.
func TestResolveIsRead(t *testing.T) {
	w := world()
	ask := func(change func(*saml.Resolving)) []byte {
		r := saml.Resolving{
			ID: "_resolve", Issuer: w.broker.entity, Destination: w.browser().Addresses.Resolution, Issued: fuzzTime,
			Artifact: saml.NewArtifact(w.self.entity, 0),
		}
		change(&r)
		signer := w.broker.signer
		if r.Issuer == w.provider.entity {
			signer = w.provider.signer
		}
		return saml.Wrap(sure(r.Sign(signer)))
	}
	var wanted saml.Artifact
	honest := ask(func(r *saml.Resolving) { wanted = r.Artifact })
	got, err := w.browser().ReceiveResolve(honest, fuzzTime)
	if err != nil || got.ID != "_resolve" || got.Issuer != w.broker.entity || got.Artifact != wanted {
		t.Errorf("read %+v, %v", got, err)
	}
	if _, err := w.browser().ReceiveResolve(ask(func(r *saml.Resolving) { r.Destination = "" }), fuzzTime); err != nil {
		t.Errorf("without a destination: %v", err)
	}
	for name, body := range map[string][]byte{
		"sent elsewhere":          ask(func(r *saml.Resolving) { r.Destination = fuzzAddress }),
		"old":                     ask(func(r *saml.Resolving) { r.Issued = fuzzTime.Add(-time.Hour) }),
		"of the future":           ask(func(r *saml.Resolving) { r.Issued = fuzzTime.Add(time.Hour) }),
		"another's artifact":      ask(func(r *saml.Resolving) { r.Artifact = saml.NewArtifact(w.first.entity, 0) }),
		"asked by a provider":     ask(func(r *saml.Resolving) { r.Issuer = w.provider.entity }),
		"signed by somebody else": ask(func(r *saml.Resolving) { r.Issuer = etoegang.EntityID(w.first.entity) }),
		"altered":                 bytes.Replace(honest, []byte(wanted.String()), []byte(saml.NewArtifact(w.self.entity, 0).String()), 1),
		"a query":                 w.honest()["authorize"],
		"no XML":                  []byte("<"),
	} {
		if got, err := w.browser().ReceiveResolve(body, fuzzTime); err == nil {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// Whatever stands where an artifact belongs is read or refused, and read it is written as
// it was.
func FuzzArtifact(f *testing.F) {
	f.Add(saml.NewArtifact(world().broker.entity, 3).String())
	f.Add("AAQAAA==")
	f.Fuzz(func(t *testing.T, text string) {
		if a, err := saml.ParseArtifact(text); err == nil && a.String() != text {
			t.Errorf("%q is written as %q", text, a)
		}
	})
}
