package api

import (
	"context"
	"slices"
	"strings"

	"github.com/mandated/mandated/pkg/catalogue"
	"github.com/mandated/mandated/pkg/register"
)

// Service is one of the catalogue.
type Service struct {
	UUID         string            `json:"uuid" doc:"what a scope names"`
	Names        map[string]string `json:"names" doc:"by language"`
	Descriptions map[string]string `json:"descriptions" doc:"by language"`
	Provider     Provider          `json:"provider"`
	Level        string            `json:"level" doc:"the level that it asks of its users"`
	Public       bool              `json:"public" doc:"false: it is for test networks only"`
}

// Provider is who offers a service.
type Provider struct {
	OIN   string            `json:"oin"`
	Names map[string]string `json:"names" doc:"by language"`
}

// Services is a page of the catalogue.
type Services struct {
	Services []Service `json:"services" nullable:"false" doc:"in the order of the catalogue"`
	Total    int       `json:"total"`
	Edition  int64     `json:"edition" doc:"the sequence of the catalogue: all pages of the list are of one"`
	Next     string    `json:"next,omitempty" doc:"the cursor of the next page; none: this is the last"`
}

type servicesIn struct {
	Search   string `query:"search" maxLength:"100" doc:"the beginning of a word of a name, in any language"`
	Provider string `query:"provider" pattern:"^[0-9]{20}$" doc:"only of the provider with this OIN"`
	Paging
}

// listServices reads a page of one edition. When another has come meanwhile, the cursor is
// of a list that is no more.
func (a *api) listServices(ctx context.Context, in *servicesIn) (*body[Services], error) {
	c := a.Catalogue()
	if c == nil {
		return nil, &refusedCatalogue
	}
	filter := []any{in.Search, in.Provider, c.Sequence()}
	at, err := openCursor[int](a, callOf(ctx), in.Cursor, filter)
	if err != nil {
		return nil, err
	}
	list := slices.Collect(found(c, in))
	out := Services{Services: []Service{}, Total: len(list), Edition: c.Sequence()}
	rest := list[min(at.After, len(list)):]
	for _, d := range rest[:min(in.Limit, len(rest))] {
		out.Services = append(out.Services, serviceOf(d))
	}
	at.After += len(out.Services)
	out.Next = page(a, callOf(ctx), at, at.After < len(list), filter).Next
	return &body[Services]{out}, nil
}

// found are the services that a search finds.
func found(c *catalogue.Catalogue, in *servicesIn) func(func(*catalogue.Definition) bool) {
	return func(yield func(*catalogue.Definition) bool) {
		for d := range c.Definitions() {
			if (in.Provider == "" || d.Service.Provider.String() == in.Provider) && named(d, in.Search) && !yield(d) {
				return
			}
		}
	}
}

func named(d *catalogue.Definition, search string) bool {
	if strings.TrimSpace(search) == "" || register.Matches("", d.Service.UUID.String(), search) {
		return true
	}
	for _, name := range d.Names {
		if register.Matches(name, "", search) {
			return true
		}
	}
	return false
}

func serviceOf(d *catalogue.Definition) Service {
	s := Service{UUID: d.Service.UUID.String(), Names: orEmpty(d.Names), Descriptions: orEmpty(d.Descriptions),
		Level: d.Service.Level.String(), Public: d.Service.Public}
	s.Provider = Provider{OIN: d.Service.Provider.String(), Names: map[string]string{}}
	if d.Provider != nil {
		s.Provider.Names = orEmpty(d.Provider.Names)
	}
	return s
}

func orEmpty(texts map[string]string) map[string]string {
	if texts == nil {
		return map[string]string{}
	}
	return texts
}
