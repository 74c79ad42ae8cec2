package register

import "github.com/mandated/mandated/pkg/mandate"

// Changed is a mandate with the revision that made it what it is.
type Changed struct {
	Since   Revision
	Mandate mandate.Mandate
}

// ChangedPlace is a place in the list of what changed. The zero value is before everything.
type ChangedPlace struct {
	Since   Revision
	Mandate mandate.ID
}

// Changed lists the mandates that an organisation has given or received and that were
// granted, or changed their state, after a place, in the order in which they did: at most
// limit of them, and whether there are more. Each is there once, as the snapshot has it.
// To go on, ask again in a snapshot of the same revision, after the last that was given. A
// place of only a revision stands after everything which that revision changed.
func (s *Snapshot) Changed(o mandate.OrganisationID, after ChangedPlace, limit int) (list []Changed, more bool, err error) {
	few, err := s.fewMandates(o)
	if err != nil {
		return nil, false, err
	}
	return s.changed(o, after, limit, few)
}

func (s *Snapshot) changed(o mandate.OrganisationID, after ChangedPlace, limit int, few bool) (list []Changed, more bool, err error) {
	if after.Mandate == 0 {
		after = ChangedPlace{after.Since + 1, 0}
	}
	query := changedFollowed
	if few {
		query = changedSorted
	}
	var row Changed
	err = s.each([]any{&row.Mandate.ID, &row.Since}, func() error {
		list = append(list, row)
		return nil
	}, query, s.revision, o, after.Since, after.Mandate, limit+1)
	if more = len(list) > limit; more {
		list = list[:limit]
	}
	for i := range list {
		if err == nil {
			list[i].Mandate, err = s.Mandate(list[i].Mandate.ID)
		}
	}
	return list, more, err
}

// fewMandates tells whether an organisation's mandates are read whole and sorted: as with
// companies, for somebody who has very many it is less work to follow the revisions, past
// what they changed for others.
func (s *Snapshot) fewMandates(o mandate.OrganisationID) (bool, error) {
	var n int
	err := s.one([]any{&n}, `SELECT count(*) FROM (SELECT 1 FROM (`+itsMandates+`) AS its LIMIT ?2) AS counted`, o, mostSorted+1)
	return n <= mostSorted, err
}

const (
	itsMandates = `SELECT id FROM mandate WHERE grantor = ?1 UNION ALL SELECT id FROM mandate WHERE intermediary = ?1`

	changedAfter = ` v.since >= ?3 AND (v.since > ?3 OR v.mandate > ?4) AND v.since <= ?1 AND v.until > ?1`
	inThatOrder  = ` ORDER BY v.since, v.mandate LIMIT ?5`

	changedSorted = `
		SELECT v.mandate, v.since FROM (
			SELECT id FROM mandate WHERE grantor = ?2 UNION SELECT id FROM mandate WHERE intermediary = ?2) AS chosen
		JOIN mandate_version v ON v.mandate = chosen.id
		WHERE` + changedAfter + inThatOrder
	changedFollowed = `
		SELECT v.mandate, v.since FROM mandate_version v
		LEFT JOIN mandate m ON m.id = v.mandate
		WHERE` + changedAfter + ` AND (coalesce(m.grantor, 0) = ?2 OR coalesce(m.intermediary, 0) = ?2)` + inThatOrder
)
