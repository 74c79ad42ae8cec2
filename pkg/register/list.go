package register

import (
	"fmt"

	"github.com/mandated/mandated/pkg/mandate"
)

// Filter chooses mandates. What is zero does not matter; what is set must all hold.
type Filter struct {
	Organisation mandate.OrganisationID // grantor or intermediary
	Person       mandate.PersonID
	Kind         mandate.Kind
	State        mandate.State
}

// Mandates lists mandates by id: at most limit of those after the given one, and
// whether there are more. It continues where it stopped when called with the last id
// it gave; 0 begins. With an organisation or a person it reads only theirs; without,
// it walks the register until the page is full.
func (s *Snapshot) Mandates(f Filter, after mandate.ID, limit int) (list []mandate.Mandate, more bool, err error) {
	limit = max(limit, 1)
	list, err = s.mandates(allParties, `m.id IN (`+f.page()+`)`+byID, after, limit+1, f.Organisation, f.Person, f.Kind, f.State)
	if len(list) > limit {
		return list[:limit], true, err
	}
	return list, false, err
}

// page selects the ids of one page: those after ?2, at most ?3. For an organisation
// each of its two sides is read in order of id, and the two are merged.
func (f Filter) page() string {
	if f.Organisation == 0 {
		return f.ids(`1 = 1`)
	}
	return fmt.Sprintf(`SELECT id FROM (SELECT id FROM (%s) AS given UNION SELECT id FROM (%s) AS received) AS either ORDER BY id LIMIT ?3`,
		f.ids(`m.grantor = ?4`), f.ids(`m.intermediary = ?4`))
}

func (f Filter) ids(side string) string {
	query := `SELECT m.id FROM mandate m
		JOIN mandate_version v ON v.mandate = m.id AND v.since <= ?1 AND v.until > ?1
		WHERE m.id > ?2 AND ` + side
	if f.Person != 0 {
		query += ` AND m.person = ?5`
	}
	if f.Kind != "" {
		query += ` AND m.kind = ?6`
	}
	if f.State != "" {
		query += ` AND v.state = ?7`
	}
	return query + ` ORDER BY m.id LIMIT ?3`
}
