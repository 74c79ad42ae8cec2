package pages_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/mandated/mandated/pkg/catalogue"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
)

// nowhere is a service that no catalogue has.
const nowhere = "99999999-9999-9999-9999-999999999999"

// catalogued lets the register know the edition of the scene.
func (s *scene) catalogued() {
	s.Helper()
	e := s.edition
	_ = must(s.register.Change(ctx, register.Author{Who: "test", Why: "test"}, func(t *register.Tx) error {
		return t.PutCatalogue(register.CatalogueVersion{Sequence: e.Sequence(), Version: e.Version(), Issued: e.Issued(), SHA256: e.SHA256(), Document: s.document})
	}))
}

// Whoever sends a service or a provider that the catalogue does not have reads that beside the
// field, and nothing is kept of it.
func TestUnknownService(t *testing.T) {
	s := newScene(t)
	s.catalogued()
	baker := s.comes("Bas Bakker", bakery, mandate.Administrator)
	vat := s.sandbox.Network.Services["vat"].UUID.String()
	before := s.revision()
	baker.visit("/grant/chain").fill("kvk", "87654321").press("/grant/chain")
	check := strings.TrimSuffix(baker.at.Path, "what") + "check"
	for what, fills := range map[string]map[string][]string{
		"a service": {"services": {nowhere}}, "one of two": {"services": {vat, nowhere}}, "a provider": {"much": {"provider"}, "provider": {"00000009999999999999"}},
	} {
		for field, values := range fills {
			baker.fill(field, values...)
		}
		if got := baker.next().is(http.StatusUnprocessableEntity).wrongAt("services"); !strings.HasSuffix(got, baker.word("wrong unknown service")) {
			t.Errorf("%s: beside the services stands %q", what, got)
		}
		if baker.visit(check); baker.title() != baker.word("what") {
			t.Errorf("%s: he can go on to %q", what, baker.title())
		}
	}
	if s.revision() != before {
		t.Error("something was recorded")
	}
	baker.fill("much", "services").fill("services", vat).next().is(http.StatusOK).reads("VAT return")
}

// In a list of clients it is said beside the line, and the others are asked.
func TestUnknownServiceInAList(t *testing.T) {
	s := newScene(t)
	s.catalogued()
	bob := s.comes("Bob Boekhouder", office, mandate.Administrator)
	vat := s.sandbox.Network.Services["vat"].UUID.String()
	list := "kvk;bereik\n12345678;" + nowhere + "@loa3\n40000001;" + vat + "@loa3\n40000002;provider:00000009999999999999@loa3\n40000003;everything@loa3\n"
	bob.visit("/clients/many").uploads("/clients/many", list).is(http.StatusOK).fill("much", "everything").next().is(http.StatusOK)
	bob.reads("2 clients will be asked", "2 lines cannot be done")
	refused := bob.word("line refused") + " " + bob.word("wrong unknown service")
	for line, want := range map[int]bool{2: true, 3: false, 4: true, 5: false} {
		row := bob.find(func(n *htmlNode) bool { return n.Data == "tr" && strings.HasPrefix(textOf(n), fmt.Sprint(line, " ")) })
		if row == nil || strings.HasSuffix(textOf(row), refused) != want {
			t.Errorf("line %d: %v", line, row)
		}
	}
	bob.next().reads("2 clients were asked")
	if all := s.all(register.Filter{}); len(all) != 2 {
		t.Errorf("%d are asked", len(all))
	}
}

// Where a catalogue is so long that one must search in it, whoever goes on without a service reads
// what is wrong all the same.
func TestNothingChosenOfMany(t *testing.T) {
	s := newScene(t)
	spec := catalogue.Spec{Version: "urn:etoegang:1.13:1", Issued: s.clock.Now()}
	p := catalogue.ProviderSpec{OIN: "00000001823288444000", Public: true, Names: map[string]string{"en": "City"}}
	for i := range 31 {
		p.Definitions = append(p.Definitions, catalogue.DefinitionSpec{UUID: fmt.Sprintf("10000000-0000-0000-0000-%012d", i), Public: true, Level: etoegang.LoA3.URN(), Broker: "00000003520354760000",
			EntityTypes: [][]string{{string(etoegang.TypeKvKNr)}}, Names: map[string]string{"en": fmt.Sprint("Permit ", i)}, Descriptions: map[string]string{"en": "For companies"}})
	}
	spec.Providers = []catalogue.ProviderSpec{p}
	s.works.editions = map[int64]*catalogue.Catalogue{1: must(s.works.ReadEdition(catalogue.Build(spec).Bytes()))}
	baker := s.comes("Bas Bakker", bakery, mandate.Administrator)
	baker.visit("/grant/chain").fill("kvk", "87654321").press("/grant/chain")
	baker.next().is(http.StatusUnprocessableEntity).reads(baker.word("wrong nothing chosen"))
	if got := baker.wrongAt("much"); !strings.HasSuffix(got, baker.word("wrong nothing chosen")) {
		t.Errorf("beside how much stands %q", got)
	}
	baker.fill("search", "permit 7").next().fill("services", "10000000-0000-0000-0000-000000000007").next().is(http.StatusOK).reads("Permit 7")
}
