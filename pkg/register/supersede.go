package register

import (
	"github.com/mandated/mandated/pkg/mandate"
)

// replaced are the mandates, not ended, whose place m takes: the one that it names, and if
// that is or was only being asked for, the one that it would have replaced.
func (t *Tx) replaced(m mandate.Mandate) (list []mandate.Mandate, err error) {
	for next := m.Supersedes; next != 0; {
		other, err := t.view.Mandate(next)
		switch {
		case err != nil:
			return nil, err
		case other.State == mandate.Superseded: // what it had replaced in force has ended, too
		case other.State.Ended():
			return list, nil
		default:
			list = append(list, other)
		}
		next = other.Supersedes
	}
	return list, nil
}

// takePlace ends what m supersedes: a request as soon as another request stands in its
// place, a mandate once m is in force. The assignments of a chain go over to the chain that
// takes its place, as they are: nobody loses his clients because a mandate was renewed. Those
// that are still being asked for are withdrawn.
func (t *Tx) takePlace(m mandate.Mandate) error {
	if m.State.Ended() {
		return nil
	}
	list, err := t.replaced(m)
	for _, other := range list {
		if err == nil && (!m.State.Pending() || other.State.Pending()) {
			err = t.giveWay(other, m)
		}
	}
	return err
}

// giveWay ends a mandate in whose place another stands.
func (t *Tx) giveWay(other, successor mandate.Mandate) error {
	represented, err := t.represented(other)
	if err != nil {
		return err
	}
	if err := t.writeState(&other, mandate.Superseded, represented); err != nil {
		return err
	}
	if other.Kind != mandate.Chain {
		return nil
	}
	list, err := t.view.mandates(allParties, `m.client = ?2`+byID, other.ID)
	for _, assigned := range list {
		switch {
		case err != nil || assigned.State.Ended():
		case assigned.State.Pending(): // what was signed so far was signed for the other
			err = t.writeState(&assigned, mandate.Withdrawn, successor.Grantor)
		default:
			err = t.passOn(assigned, successor)
		}
	}
	return err
}

// passOn gives an assignment of a chain that is superseded to its successor.
func (t *Tx) passOn(assigned, successor mandate.Mandate) error {
	next := assigned
	next.Client, next.Supersedes = successor.ID, assigned.ID
	return t.writeMandate(&next, successor.Grantor)
}

// Latest gives the mandate that stands in the place of one now: the one itself, unless another in
// force took its place, or had taken it.
func (s *Snapshot) Latest(id mandate.ID) (mandate.Mandate, error) {
	m, err := s.Mandate(id)
	for err == nil && m.State == mandate.Superseded {
		var next []mandate.Mandate
		next, err = s.mandates(allParties, `m.supersedes = ?2 AND coalesce(v.state, '') NOT IN (`+pending+`, 'rejected', 'withdrawn', 'request-expired')`+byID, m.ID)
		if err == nil && len(next) == 0 {
			return m, nil
		}
		if err == nil {
			m = next[0]
		}
	}
	return m, err
}
