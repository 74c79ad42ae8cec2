package harness_test

import (
	"slices"
	"testing"

	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/harness"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/saml"
)

// One call goes the whole way, also through two registers, and tells what the provider reads.
func TestComplete(t *testing.T) {
	n := harness.Start(t, harness.Options{TwoRegisters: true})
	eva, scope := n.NewPerson("Eva"), harness.For(n.Services["vat"], etoegang.LoA3)
	chain := must[mandate.ID](t)(n.First.ChainElsewhere(bakery, office, scope, n.Second))
	must[mandate.ID](t)(n.First.Assign(chain, office, eva, scope))
	held := must[mandate.ID](t)(n.Second.Chain(bakery, office, scope))
	question := harness.Question{Person: eva, Service: n.Services["vat"]}
	o := must[*harness.Outcome](t)(n.Broker.Complete(ctx, question))
	if o.Status != saml.Success || len(o.Steps) != 2 || o.Told.Represented[0].Text() != bakery.KvK.Text() || o.Told.Intermediary.KvK != office.KvK {
		t.Fatalf("%+v", o)
	}
	if err := n.Second.Revoke(held); err != nil {
		t.Fatal(err)
	}
	o = must[*harness.Outcome](t)(n.Broker.Complete(ctx, question))
	if o.Status != saml.ResponderAuthnFailed || !slices.Equal(o.Codes, []string{"revoked"}) || len(o.Told.Represented) != 0 {
		t.Errorf("after revocation: %+v", o)
	}
	question.Mistake = harness.Altered
	if o = must[*harness.Outcome](t)(n.Broker.Complete(ctx, question)); o.Status != saml.ResponderFailed {
		t.Errorf("altered: %+v", o)
	}
}

// A register that is emptied knows nobody any more, under the same address.
func TestEmpty(t *testing.T) {
	n := harness.Start(t, harness.Options{})
	anna, scope := n.NewPerson("Anna"), harness.For(n.Services["vat"], etoegang.LoA3)
	must[mandate.ID](t)(n.First.Direct(bakery, anna, scope))
	where := n.First.Endpoint
	if err := n.First.Empty(ctx); err != nil {
		t.Fatal(err)
	}
	question := harness.Question{Person: anna, Service: n.Services["vat"]}
	if o := must[*harness.Outcome](t)(n.Broker.Complete(ctx, question)); o.Status == saml.Success || n.First.Endpoint != where {
		t.Errorf("at %s: %+v", n.First.Endpoint, o)
	}
	must[mandate.ID](t)(n.First.Direct(bakery, anna, scope))
	if o := must[*harness.Outcome](t)(n.Broker.Complete(ctx, question)); o.Status != saml.Success {
		t.Errorf("granted anew: %+v", o)
	}
	if r, err := n.Broker.Authorize(ctx, harness.Question{Person: anna, Service: n.Services["vat"], At: n.First.Unreachable()}); err == nil {
		t.Errorf("where nobody is somebody answers: %+v", r)
	}
}
