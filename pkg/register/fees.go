package register

import (
	"time"

	"github.com/mandated/mandated/pkg/mandate"
)

// Fee is what a company has to pay for a mandate.
type Fee struct {
	Mandate mandate.Mandate
	At      time.Time // when the mandate came in force
	Cents   mandate.Cents
}

// AddFee writes down what has to be paid for a mandate that comes in force in this change.
// Nothing to pay is not written down.
func (t *Tx) AddFee(id mandate.ID, c mandate.Cents) error {
	if c <= 0 {
		return nil
	}
	return t.insert(inFee, id, t.view.revision, c)
}

const (
	selectFees = `
	SELECT f.mandate, r.at, f.cents FROM fee f JOIN mandate m ON m.id = f.mandate JOIN revision r ON r.revision = f.since
	WHERE f.since <= ?1 AND f.mandate > ?2`
	ofGrantors = ` AND m.grantor = ?4`
	byMandate  = ` ORDER BY f.mandate LIMIT ?3`
)

// Fees lists what an organisation has to pay for what it granted, or everybody if it is 0, by
// mandate: at most limit of those after the given one, and whether there are more.
func (s *Snapshot) Fees(o mandate.OrganisationID, after mandate.ID, limit int) (list []Fee, more bool, err error) {
	var one Fee
	var id mandate.ID
	var at int64
	var ids []mandate.ID
	limit = max(limit, 1)
	query, args := selectFees+byMandate, []any{s.revision, after, limit + 1}
	if o != 0 {
		query, args = selectFees+ofGrantors+byMandate, append(args, o)
	}
	if err := s.each([]any{&id, &at, &one.Cents}, func() error {
		one.At = moment(at)
		list, ids = append(list, one), append(ids, id)
		return nil
	}, query, args...); err != nil {
		return nil, false, err
	}
	if len(list) > limit {
		list, more = list[:limit], true
	}
	for i := range list {
		if list[i].Mandate, err = s.Mandate(ids[i]); err != nil {
			return nil, false, err
		}
	}
	return list, more, nil
}
