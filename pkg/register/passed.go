package register

import (
	"math"

	"github.com/mandated/mandated/pkg/mandate"
)

// Passed gives both halves of what an intermediary's people may do for a company: the chain
// mandates between the two, and the assignments that pass them on, each by id.
func (s *Snapshot) Passed(represented, intermediary mandate.OrganisationID) (chains, assignments []mandate.Mandate, err error) {
	chains, err = s.between(represented, intermediary)
	for _, chain := range chains {
		if err != nil {
			break
		}
		var list []mandate.Mandate
		list, err = s.mandates(allParties, `m.client = ?2`+byID, chain.ID)
		assignments = append(assignments, list...)
	}
	return chains, assignments, err
}

// Total is how many mandates there are that a filter chooses, as Mandates lists them.
func (s *Snapshot) Total(f Filter) (n int, err error) {
	query, args := f.page(0, math.MaxInt32)
	err = s.one([]any{&n}, `SELECT count(*) FROM (`+query+`) AS listed`, append([]any{s.revision}, args...)...)
	return n, err
}

func (s *Snapshot) between(represented, intermediary mandate.OrganisationID) ([]mandate.Mandate, error) {
	return s.mandates(allParties, `m.grantor = ?2 AND m.intermediary = ?3`+byID, represented, intermediary)
}

// samePersons are the mandates of one kind of a person for a company, and of one client's
// chain mandate.
const samePersons = `m.person = ?2 AND m.represented = ?3 AND m.kind = ?4 AND coalesce(m.client, 0) = ?5 AND m.grantor = ?6` + byID

// Alike gives the mandates of the same kind between the same parties and for the same
// client as m, in whatever state, by id. Those are named by their numbers.
func (s *Snapshot) Alike(m mandate.Mandate) (list []mandate.Mandate, err error) {
	represented := m.Grantor.ID
	if m.Kind == mandate.Assignment {
		chain, err := s.Mandate(m.Client)
		if err != nil {
			return nil, err
		}
		represented = chain.Grantor.ID
	}
	err = s.aside(s.memory != nil && s.memory.untouched(m), func() (err error) {
		if m.Kind == mandate.Chain {
			list, err = s.between(m.Grantor.ID, m.Intermediary.ID)
			return err
		}
		list, err = s.mandates(allParties, samePersons, m.Person.ID, represented, m.Kind, m.Client, m.Grantor.ID)
		return err
	})
	return list, err
}
