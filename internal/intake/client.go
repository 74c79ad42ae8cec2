package intake

import (
	"slices"

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
		return 0, refuse(clientKvK, "this client has no chain mandate to the company in %s, or it has ended; check both, and write the client's chain mandate on an earlier line", grantorKvK)
	case len(fitting) > 1:
		return 0, refuse(scope, "chain mandates %d and %d of this client both have this; narrow scope, from or until so that it fits in one of them only", fitting[0].ID, fitting[1].ID)
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
func (d *desk) misfit(m mandate.Mandate, chains []mandate.Mandate) *problem {
	nearest := chains[0]
	for _, chain := range chains {
		if coversAll(chain.Scope, m.Scope, possibly) {
			nearest = chain
		}
	}
	var p *problem
	switch {
	case !coversAll(nearest.Scope, m.Scope, possibly):
		p = refuse(scope, "this client's chain mandate %d does not have all of this, or not at this level; write what it has, or less", nearest.ID)
	case m.Validity.From.Before(nearest.Validity.From):
		p = refuse(from, "this client's chain mandate %d starts later; write its start or a later date", nearest.ID)
	default:
		p = refuse(until, "this client's chain mandate %d ends earlier; write its end or an earlier date", nearest.ID)
	}
	return p.inTheWay(nearest.ID)
}
