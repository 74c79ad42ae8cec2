package daemon

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/mandated/mandated/internal/desk"
	"github.com/mandated/mandated/pkg/catalogue"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/mandate"
)

// Price is what a company pays for one mandate, up to a level and a duration. The cheapest
// that covers a mandate counts; what none covers costs nothing.
type Price struct {
	// Kind is direct or chain: nobody pays for an assignment.
	Kind string `yaml:"kind"`
	// Level is the highest that the price is for, such as loa3.
	Level string `yaml:"level"`
	// Years is how long such a mandate lasts at most, 1 to 5.
	Years int `yaml:"years"`
	// Euros is the amount without VAT, such as 20.00.
	Euros Euros `yaml:"euros"`
}

// Euros is an amount as it is written in a configuration: euros, and cents behind a point.
type Euros mandate.Cents

// UnmarshalText reads an amount.
func (e *Euros) UnmarshalText(text []byte) error {
	whole, part, cents := strings.Cut(string(text), ".")
	if !cents {
		part = "00"
	}
	n, err := strconv.ParseUint(whole+part, 10, 40)
	if err != nil || len(part) != 2 || whole == "" {
		return fmt.Errorf("%q is not an amount in euros, such as 20 or 20.00", text)
	}
	*e = Euros(n)
	return nil
}

// Set is a list of services that people can choose at once.
type Set struct {
	// Name is what people call it, in nl and in en.
	Name map[string]string `yaml:"name"`
	// Services are the UUIDs of the services in it.
	Services []string `yaml:"services"`
}

// Unlisted warns of sets with a service that the catalogue does not have: nobody can choose such a set.
func (c *Config) Unlisted(have *catalogue.Catalogue) (warnings []string) {
	terms, _ := c.Manage.terms() // checked when the configuration was read
	for i, s := range terms.Sets {
		for _, u := range s.Services {
			if len(have.OfferedBy(u)) == 0 {
				warnings = append(warnings, fmt.Sprintf("manage.sets, number %d: the service catalogue does not have %s, so nobody can choose this set", i+1, u))
			}
		}
	}
	return warnings
}

// terms are what mandates cost here, and which services belong together.
func (m Manage) terms() (t desk.Terms, err error) {
	for i, p := range m.Prices {
		level, err := etoegang.ParseLevelName(p.Level)
		if err != nil {
			return t, fmt.Errorf("manage.prices, number %d: %w", i+1, err)
		}
		t.Prices = append(t.Prices, mandate.Price{Kind: mandate.Kind(p.Kind), Level: level, Years: p.Years, Cents: mandate.Cents(p.Euros)})
		if err := t.Prices.Check(); err != nil {
			return t, fmt.Errorf("manage.prices, number %d: %w", i+1, err)
		}
	}
	for i, s := range m.Sets {
		set := mandate.ServiceSet{Name: s.Name}
		for _, text := range s.Services {
			service, err := etoegang.ParseServiceUUID(text)
			if err != nil {
				return t, fmt.Errorf("manage.sets, number %d: %w", i+1, err)
			}
			set.Services = append(set.Services, service)
		}
		if err := set.Check(); err != nil {
			return t, fmt.Errorf("manage.sets, number %d: %w", i+1, err)
		}
		t.Sets = append(t.Sets, set)
	}
	return t, nil
}
