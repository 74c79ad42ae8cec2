package intake

import (
	"slices"

	"github.com/mandated/mandated/internal/intake/sheet"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/mandate"
)

// chains reads the chain mandates from a company to an intermediary.
func (d *desk) chains(between pair) ([]mandate.Mandate, error) {
	if list, ok := d.between[between]; ok {
		return list, nil
	}
	list, err := d.view.Between(between.client.LegalSubject(), etoegang.Intermediary{KvK: between.intermediary})
	if err == nil {
		d.between[between] = list
	}
	return list, err
}

// client finds the chain mandate that an assignment passes on: the one of the client
// in which the assignment fits.
func (d *desk) client(w wish) (mandate.ID, error) {
	all, err := d.chains(pair{w.client, w.mandate.Grantor.KvK})
	if err != nil {
		return 0, err
	}
	list := slices.DeleteFunc(slices.Clone(all), func(c mandate.Mandate) bool { return c.State.Ended() })
	fitting := within(w.mandate, list)
	switch {
	case len(list) == 0:
		return 0, refuse(clientKvK, "no-client-chain", nil)
	case len(fitting) > 1:
		return 0, refuse(scope, "several-client-chains", with{"first": fitting[0].ID, "second": fitting[1].ID})
	case len(fitting) == 1:
		return fitting[0].ID, nil
	}
	return 0, d.misfit(w.mandate, list)
}

// within chooses the chain mandates in which an assignment fits. Those that cover it
// whatever the catalogue says go before those that do if its services belong to the
// providers they name: here nobody knows the catalogue.
func within(m mandate.Mandate, chains []mandate.Mandate) (fitting []mandate.Mandate) {
	for _, test := range []func(chain, item mandate.Item) bool{certainly, possibly} {
		for _, chain := range chains {
			if lasts(chain, m) && coversAll(chain.Scope, m.Scope, test) {
				fitting = append(fitting, chain)
			}
		}
		if len(fitting) > 0 {
			break
		}
	}
	return fitting
}

// lasts tells whether the chain mandate is there for the whole of the assignment.
func lasts(chain, m mandate.Mandate) bool {
	return !m.Validity.From.Before(chain.Validity.From) && !m.Validity.To.After(chain.Validity.To)
}

func coversAll(chain, assigned mandate.Scope, test func(chain, item mandate.Item) bool) bool {
	return !slices.ContainsFunc(assigned, func(item mandate.Item) bool {
		return !slices.ContainsFunc(chain, func(c mandate.Item) bool { return c.Level >= item.Level && test(c, item) })
	})
}

func certainly(chain, item mandate.Item) bool {
	all := chain.Service.IsZero() && chain.Provider.IsZero()
	return all || (chain.Service == item.Service && chain.Provider == item.Provider)
}

func possibly(chain, item mandate.Item) bool {
	return certainly(chain, item) || (!chain.Provider.IsZero() && !item.Service.IsZero())
}

// misfit says in which column an assignment does not fit in the client's mandates.
func (d *desk) misfit(m mandate.Mandate, chains []mandate.Mandate) *sheet.Problem {
	nearest := chains[0]
	for _, chain := range chains {
		if coversAll(chain.Scope, m.Scope, possibly) {
			nearest = chain
		}
	}
	args := with{inTheWay: nearest.ID}
	switch {
	case !coversAll(nearest.Scope, m.Scope, possibly):
		return refuse(scope, "wider-than-client", args)
	case m.Validity.From.Before(nearest.Validity.From):
		return refuse(from, "earlier-than-client", args)
	}
	return refuse(until, "later-than-client", args)
}
