package catalogue

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/xmlsec"
)

// told is a comparison in a line: what comes, goes or is different, by the end of its UUID.
func told(changes []Change) string {
	var list []string
	for _, c := range changes {
		what := fmt.Sprint(c.What)
		switch {
		case c.Comes():
			what = "comes"
		case c.Goes():
			what = "goes"
		}
		list = append(list, c.Definition().Service.UUID.String()[35:]+" "+what)
	}
	return strings.Join(list, ", ")
}

// Who puts a new edition in force wants to know what changes for whom, and nothing else: each
// thing of a service that can be different is told by its own word, and twice the same is no
// change.
func TestCompare(t *testing.T) {
	en := func(text string) map[string]string { return map[string]string{"en": text} }
	for _, c := range []struct {
		name, want string
		change     func(s *Spec)
	}{
		{"nothing but the number", "", func(s *Spec) { s.Version = strings.Replace(s.Version, ":42", ":43", 1) }},
		{"providers in another order", "", func(s *Spec) { slices.Reverse(s.Providers) }},
		{"a higher level", "1 [level]", func(s *Spec) { s.Providers[0].Definitions[0].Level = strings.Replace(loa3, "loa3", "loa4", 1) }},
		{"a service that is no longer public", "1 [public]", func(s *Spec) { s.Providers[0].Definitions[0].Public = false }},
		{"a provider that is no longer public", "2 [public], 3 [public]", func(s *Spec) { s.Providers[1].Public = false }},
		{"other identifiers", "1 [identifiers]", func(s *Spec) { d := &s.Providers[0].Definitions[0]; d.EntityTypes = d.EntityTypes[1:] }},
		{"others who act", "1 [identifiers]", func(s *Spec) { s.Providers[0].Definitions[0].ActingTypes = nil }},
		{"no establishments", "1 [restrictions]", func(s *Spec) { s.Providers[0].Definitions[0].Restrictions = nil }},
		{"other attributes", "1 [attributes]", func(s *Spec) { s.Providers[0].Definitions[0].Requested = nil }},
		{"other words", "1 [words]", func(s *Spec) { s.Providers[0].Definitions[0].Descriptions = en("Taxes") }},
		{"a provider with another name", "2 [words], 3 [words]", func(s *Spec) { s.Providers[1].Names = en("City") }},
		{"another address", "1 [instances]", func(s *Spec) { s.Providers[0].Instances[0].URLs = en("https://other.example") }},
		{"other keys", "1 [instances]", func(s *Spec) {
			s.Providers[0].Instances[0].Certificates = []xmlsec.Key{{Name: "key-2", Certificate: publisher().certificate}}
		}},
		{"another broker", "1 [instances]", func(s *Spec) { s.Providers[0].Definitions[0].Broker = city }},
		{"one more endpoint", "2 [instances]", func(s *Spec) {
			more := s.Providers[1].Instances[0]
			more.ID, more.UUID = serviceID(city, 7), "20000000-0000-0000-0000-000000000007"
			s.Providers[1].Instances = append(s.Providers[1].Instances, more)
		}},
		{"a service that comes", "4 comes", func(s *Spec) {
			more := s.Providers[1].Definitions[0]
			more.UUID = "10000000-0000-0000-0000-000000000004"
			s.Providers[1].Definitions = append(s.Providers[1].Definitions, more)
		}},
		{"a provider that goes", "1 goes", func(s *Spec) { s.Providers = s.Providers[1:] }},
		{"two things at once", "1 [level words]", func(s *Spec) {
			d := &s.Providers[0].Definitions[0]
			d.Level, d.Names = strings.Replace(loa3, "loa3", "loa2", 1), en("Taxes")
		}},
	} {
		if got := told(Compare(mustLocal(t, network()), mustLocal(t, change(c.change)))); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

// Mandates become too low only where a level rises.
func TestRises(t *testing.T) {
	low := mustLocal(t, change(func(s *Spec) { s.Providers[0].Definitions[0].Level = etoegang.LoA2.URN() }))
	high := mustLocal(t, network())
	if up, down := Compare(low, high), Compare(high, low); len(up) != 1 || !up[0].Rises() || len(down) != 1 || down[0].Rises() {
		t.Errorf("up: %+v, down: %+v", up, down)
	}
	for _, c := range Compare(high, mustLocal(t, change(func(s *Spec) { s.Providers = s.Providers[1:] }))) {
		if c.Rises() {
			t.Error("what goes rises")
		}
	}
}
