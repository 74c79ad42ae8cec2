package harness_test

import (
	"errors"
	"testing"
	"time"

	"github.com/mandated/mandated/internal/devkeys"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/harness"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/saml"
	"github.com/mandated/mandated/pkg/xmlsec"
)

// joiner is somebody else's provider, with a key that only it has.
func joiner(t *testing.T, entity string) (saml.Participant, []xmlsec.Opener) {
	t.Helper()
	pair := must[devkeys.Pair](t)(devkeys.New("joiner", time.Now()))
	key := []xmlsec.Key{{Name: pair.KeyName(), Certificate: pair.Certificate}}
	return saml.Participant{
		Entity: must[etoegang.EntityID](t)(etoegang.ParseEntityID(entity)), Signing: key, Encryption: key,
		Consumers: []saml.Consumer{{Endpoint: saml.Endpoint{Binding: saml.BindingPOST, Location: "https://joiner.test/acs"}, Index: 0, Default: true}},
	}, []xmlsec.Opener{{KeyName: pair.KeyName(), Key: pair.Key}}
}

// A provider that joins a running network is known to every daemon. What companies have
// mandated for a service holds there too, and its own key alone reads for whom.
func TestProviderJoinsLater(t *testing.T) {
	n := harness.Start(t, harness.Options{TwoRegisters: true, Nodes: 2})
	anna, eva := n.NewPerson("Anna"), n.NewPerson("Eva")
	scope := harness.For(n.Services["vat"], etoegang.LoA3)
	must[mandate.ID](t)(n.First.Direct(bakery, anna, scope))
	chain := must[mandate.ID](t)(n.First.ChainElsewhere(bakery, office, scope, n.Second))
	must[mandate.ID](t)(n.First.Assign(chain, office, eva, scope))
	must[mandate.ID](t)(n.Second.Chain(bakery, office, scope))

	who, opener := joiner(t, "urn:etoegang:DV:00000009000000000001:entities:9500")
	offers := must[map[string]harness.Service](t)(n.AddProvider(who, "joiner", false, nil))
	reads := func(r *harness.Result) {
		t.Helper()
		if r.Reply == nil || !r.Reply.Permitted() {
			t.Fatalf("not permitted: %+v %s", r.Reply, r.Fault)
		}
		got, err := r.Reply.Statement.OpenRepresented(who.Entity, opener)
		if err != nil || len(got) == 0 || got[0].Text() != bakery.KvK.Text() || !r.Reply.Statement.ClearKvK().IsZero() {
			t.Errorf("it reads %v, %v", got, err)
		}
	}
	for _, node := range []*harness.RegisterNode{n.First, n.Replicas[0]} {
		reads(must[*harness.Result](t)(n.Broker.Authorize(ctx, harness.Question{Person: anna, Service: offers["vat"], At: node})))
	}
	half := must[*harness.Result](t)(n.Broker.Authorize(ctx, harness.Question{Person: eva, Service: offers["vat"]}))
	reads(must[*harness.Result](t)(n.Broker.Confirm(ctx, half, n.Second)))
	if r := must[*harness.Result](t)(n.Broker.Authorize(ctx, harness.Question{Person: anna, Service: n.Services["vat"]})); !r.Reply.Permitted() {
		t.Errorf("at the provider that was there first: %v", r.Reply.Codes())
	}
}

// A provider that cannot decrypt gets the number in the clear as well, from every daemon; one
// that joins again is as it says now, key and wish.
func TestProviderJoinsAgain(t *testing.T) {
	n := harness.Start(t, harness.Options{Nodes: 2})
	anna := n.NewPerson("Anna")
	must[mandate.ID](t)(n.First.Direct(bakery, anna, harness.For(n.Services["vat"], etoegang.LoA3)))
	for _, clear := range []bool{true, false} {
		who, opener := joiner(t, "urn:etoegang:DV:00000009000000000001:entities:9500")
		offers := must[map[string]harness.Service](t)(n.AddProvider(who, "joiner", clear, nil))
		for _, node := range []*harness.RegisterNode{n.First, n.Replicas[0]} {
			r := must[*harness.Result](t)(n.Broker.Authorize(ctx, harness.Question{Person: anna, Service: offers["vat"], At: node}))
			if got := r.Reply.Statement.ClearKvK(); got.IsZero() == clear {
				t.Errorf("clear %v: the number in the clear is %q", clear, got.Text())
			}
			if got, err := r.Reply.Statement.OpenRepresented(who.Entity, opener); err != nil || len(got) == 0 {
				t.Errorf("clear %v: it reads %v, %v", clear, got, err)
			}
		}
	}
}

// Nobody joins under somebody else's number, or with nowhere to be answered.
func TestProviderThatCannotJoin(t *testing.T) {
	n := harness.Start(t, harness.Options{})
	first, _ := joiner(t, "urn:etoegang:DV:00000009000000000001:entities:9500")
	must[map[string]harness.Service](t)(n.AddProvider(first, "joiner", false, nil))
	for _, entity := range []string{n.Services["vat"].Home.Entity.String(), "urn:etoegang:DV:00000009000000000001:entities:9501"} {
		who, _ := joiner(t, entity)
		if _, err := n.AddProvider(who, "second", false, nil); !errors.Is(err, harness.ErrTaken) {
			t.Errorf("%s: %v", entity, err)
		}
	}
	mute, _ := joiner(t, "urn:etoegang:DV:00000009000000000002:entities:9500")
	mute.Consumers = nil
	open, _ := joiner(t, "urn:etoegang:DV:00000009000000000002:entities:9500")
	open.Encryption = nil
	for _, who := range []saml.Participant{mute, open} {
		if _, err := n.AddProvider(who, "third", false, nil); err == nil {
			t.Errorf("%+v joins", who)
		}
	}
}

// What the broker hands the provider has the lowest level of all who spoke, and the provider
// reads in it what the registers have stated.
func TestCombinedAssertion(t *testing.T) {
	n := harness.Start(t, harness.Options{})
	anna := n.NewPerson("Anna")
	must[mandate.ID](t)(n.First.Direct(bakery, anna, harness.For(n.Services["vat"], etoegang.LoA3)))
	for login, want := range map[etoegang.AssuranceLevel]etoegang.AssuranceLevel{etoegang.LoA3: etoegang.LoA3, etoegang.LoA4: etoegang.LoA3} {
		result := must[*harness.Result](t)(n.Broker.Authorize(ctx, harness.Question{Person: anna, Service: n.Services["vat"], Login: login}))
		home := n.Services["vat"].Home
		assertion := must[*xmlsec.Element](t)(n.Broker.Combine([]*harness.Result{result}, harness.Handover{InResponseTo: "_asked", Recipient: home.Consumer}))
		response := must[*xmlsec.Element](t)(saml.Response{
			ID: saml.NewID(), InResponseTo: "_asked", Issuer: n.Broker.Entity, Destination: home.Consumer, Issued: n.Now(), Status: saml.Success, Assertion: assertion,
		}.SignAround(n.Broker.Signer()))
		r := saml.Receiver{
			Self: home.Entity, Openers: home.Openers(), Ages: saml.DefaultAges,
			Directory: saml.NewDirectory(n.Broker.Participant(), n.Authenticator.Participant(), n.First.Participant()),
		}
		answer := must[*saml.SignedOn](t)(r.ReceiveSignedOn(response.Bytes(), n.Now()))
		told, err := r.Provided(answer, "_asked", home.Consumer, n.Now())
		if err != nil || told.Level != want || len(told.Represented) != 2 || told.Represented[0].Text() != bakery.KvK.Text() || told.Acting.IsZero() {
			t.Errorf("after a log-in at %s: %+v, %v", login, told, err)
		}
	}
}

// A provider may bring services along: companies mandate for them as for any other, and the
// mandates hold when it joins again.
func TestProviderBringsServices(t *testing.T) {
	n := harness.Start(t, harness.Options{})
	anna := n.NewPerson("Anna")
	who, opener := joiner(t, "urn:etoegang:DV:00000009000000000001:entities:9500")
	own := map[int]harness.Service{12: {Name: "parking", Level: etoegang.LoA2Plus}}
	offers := must[map[string]harness.Service](t)(n.AddProvider(who, "joiner", false, own))
	must[mandate.ID](t)(n.First.Direct(bakery, anna, harness.For(offers["parking"], etoegang.LoA2Plus)))
	own[11] = harness.Service{Name: "boats", Level: etoegang.LoA3}
	again := must[map[string]harness.Service](t)(n.AddProvider(who, "joiner", false, own))
	r := must[*harness.Result](t)(n.Broker.Authorize(ctx, harness.Question{Person: anna, Service: again["parking"]}))
	if r.Reply == nil || !r.Reply.Permitted() || again["parking"].ID.String() != "urn:etoegang:DV:00000009000000000001:services:12" {
		t.Fatalf("%v: %+v", again["parking"].ID, r.Reply)
	}
	if got, err := r.Reply.Statement.OpenRepresented(who.Entity, opener); err != nil || len(got) != 1 {
		t.Errorf("it reads %v, %v", got, err)
	}
	r = must[*harness.Result](t)(n.Broker.Authorize(ctx, harness.Question{Person: anna, Service: again["boats"]}))
	if r.Reply.Permitted() {
		t.Error("a mandate for one service holds for another")
	}
	for number, s := range map[int]harness.Service{9: {Name: "low"}, 70000: {Name: "high"}, 13: {Name: "vat"}, 14: {}} {
		s.Level = etoegang.LoA3
		if _, err := n.AddProvider(who, "joiner", false, map[int]harness.Service{number: s}); err == nil {
			t.Errorf("%d %q is taken", number, s.Name)
		}
	}
}
