package harness_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/harness"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/saml"
)

// naming are services of which one may know the names of companies.
func naming() []harness.Service {
	names := []string{etoegang.AttributeRepresentedName, etoegang.AttributeIntermediaryName, "urn:etoegang:1.9:attribute-represented:Shoe"}
	return append(harness.DefaultServices(), harness.Service{Name: "portal", Provider: "tax service", Level: etoegang.LoA3, Attributes: names})
}

func wants(names ...string) (list []saml.RequestedAttribute) {
	for _, name := range names {
		name, required := strings.CutSuffix(name, "!")
		list = append(list, saml.RequestedAttribute{Name: name, Required: required})
	}
	return list
}

// told is what the provider reads besides.
func told(t *testing.T, r *harness.Result) map[string]string {
	t.Helper()
	if r.Reply == nil || !r.Reply.Permitted() {
		t.Fatalf("not permitted: %+v", r.Reply)
	}
	return must[map[string]string](t)(r.Attributes())
}

// A provider reads the names that it asked for and that its service may know, and nothing
// that it did not ask for.
func TestCompanyName(t *testing.T) {
	n := harness.Start(t, harness.Options{Services: naming()})
	anna, portal, vat := n.NewPerson("Anna"), n.Services["portal"], n.Services["vat"]
	nameless := harness.Company("", "34567890", "")
	for _, company := range []mandate.Organisation{bakery, nameless} {
		for _, s := range []harness.Service{portal, vat} {
			must[mandate.ID](t)(n.First.Direct(company, anna, harness.For(s, etoegang.LoA3)))
		}
	}
	ask := func(s harness.Service, company mandate.Organisation, names ...string) *harness.Result {
		return must[*harness.Result](t)(n.Broker.Authorize(ctx, harness.Question{Person: anna, Service: s, Company: company.KvK, Requested: wants(names...)}))
	}
	name := etoegang.AttributeRepresentedName
	for _, asked := range []string{name, name + "!"} {
		if got := told(t, ask(portal, bakery, asked)); !maps.Equal(got, map[string]string{name: bakery.Name}) {
			t.Errorf("asked for %s it reads %v", asked, got)
		}
	}
	for what, r := range map[string]*harness.Result{
		"not asked":           ask(portal, bakery),
		"without a name":      ask(portal, nameless, name),
		"what we do not know": ask(portal, bakery, "urn:etoegang:1.9:attribute-represented:Shoe"),
		"without a chain":     ask(portal, bakery, etoegang.AttributeIntermediaryName),
	} {
		if got := told(t, r); len(got) != 0 {
			t.Errorf("%s, it reads %v", what, got)
		}
	}
	for what, r := range map[string]*harness.Result{
		"required, and not known here":    ask(portal, bakery, "urn:etoegang:1.9:attribute-represented:Shoe!"),
		"required, of one without":        ask(portal, nameless, name+"!"),
		"required, without a chain":       ask(portal, bakery, etoegang.AttributeIntermediaryName+"!"),
		"not declared for the service":    ask(vat, bakery, name),
		"declared beside one that is not": ask(portal, bakery, name, "urn:etoegang:1.9:attribute-represented:Hat"),
	} {
		if r.Reply.Status != saml.ResponderUnsupported || !slices.Equal(r.Reply.Codes(), []string{"requested-attribute"}) {
			t.Errorf("%s: %s %v", what, r.Reply.Status.Short(), r.Reply.Codes())
		}
	}
}

// With a chain the name of the intermediary comes along unasked, from the register of the
// person. The company's comes from its own register: in one answer when both are one, and
// of two registers from the second, which the first does not speak for, however much it is
// required.
func TestNamesInAChain(t *testing.T) {
	whole := map[string]string{etoegang.AttributeRepresentedName: bakery.Name, etoegang.AttributeIntermediaryName: office.Name}
	first := map[string]string{etoegang.AttributeIntermediaryName: office.Name}
	second := map[string]string{etoegang.AttributeRepresentedName: bakery.Name}

	n := harness.Start(t, harness.Options{Services: naming(), TwoRegisters: true})
	scope, required := harness.For(n.Services["portal"], etoegang.LoA3), wants(etoegang.AttributeRepresentedName+"!")
	one, two := n.NewPerson("Daan"), n.NewPerson("Eva")
	held := must[mandate.ID](t)(n.First.Chain(bakery, office, scope))
	must[mandate.ID](t)(n.First.Assign(held, office, one, scope))
	relation := must[mandate.ID](t)(n.First.ChainElsewhere(farm, office, scope, n.Second))
	must[mandate.ID](t)(n.First.Assign(relation, office, two, scope))
	renamed := farm
	renamed.Name = bakery.Name // as its own register has it
	must[mandate.ID](t)(n.Second.Chain(renamed, office, scope))

	ask := func(who mandate.Person) *harness.Result {
		return must[*harness.Result](t)(n.Broker.Authorize(ctx, harness.Question{Person: who, Service: n.Services["portal"], Requested: required}))
	}
	if got := told(t, ask(one)); !maps.Equal(got, whole) {
		t.Errorf("in one register: %v", got)
	}
	answer := ask(two)
	if got := told(t, answer); !maps.Equal(got, first) {
		t.Errorf("the first register: %v", got)
	}
	if got := told(t, must[*harness.Result](t)(n.Broker.Confirm(ctx, answer, n.Second))); !maps.Equal(got, second) {
		t.Errorf("the second register: %v", got)
	}
}
