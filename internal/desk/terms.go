package desk

import (
	"slices"

	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
)

// Terms are on what conditions whoever keeps the register offers what it does.
type Terms struct {
	Prices mandate.PriceList
	Sets   []mandate.ServiceSet
}

// With is the same desk on other terms. One without costs nothing.
func (d *Desk) With(t Terms) *Desk {
	with := *d
	with.terms = t
	return &with
}

// Terms are those of this desk.
func (d *Desk) Terms() Terms { return d.terms }

// charge writes down what has to be paid for a mandate that has come in force.
func (t *turn) charge(m mandate.Mandate) error {
	if m.State != mandate.Active {
		return nil
	}
	before, err := followed(t.Snapshot(), m)
	if err != nil {
		return err
	}
	return t.AddFee(m.ID, t.desk.terms.Prices.Fee(m, before, t.Now()))
}

// Fee is what would have to be paid for a mandate if it came in force now.
func (l *Look) Fee(m mandate.Mandate) (mandate.Cents, error) {
	if m.Supersedes != 0 {
		if _, err := l.own(m.Supersedes); err != nil {
			return 0, err
		}
	}
	before, err := followed(l.snapshot, m)
	if err != nil {
		return 0, err
	}
	return l.desk.terms.Prices.Fee(m, before, l.desk.register.Now()), nil
}

// Fees lists what the caller's organisation has to pay for what it granted, for the staff what
// everybody has to, by mandate: see register.Snapshot.Fees.
func (l *Look) Fees(after mandate.ID, limit int) ([]register.Fee, bool, error) {
	return l.snapshot.Fees(l.actor.Organisation, after, limit)
}

// followed are the mandates that were in force in the place of m, the newest first. Between
// them there may be requests that took each other's place.
func followed(s *register.Snapshot, m mandate.Mandate) (list []mandate.Mandate, err error) {
	for m.Supersedes != 0 {
		versions, err := s.History(m.Supersedes)
		if err != nil {
			return nil, err
		}
		m = versions[0].Mandate
		if slices.ContainsFunc(versions, func(v register.Version) bool { return v.Mandate.State == mandate.Active }) {
			list = append(list, m)
		}
	}
	return list, nil
}
