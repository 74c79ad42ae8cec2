package register

import (
	"fmt"
	"strings"
	"time"

	"github.com/mandated/mandated/pkg/mandate"
)

// Filter chooses mandates. What is zero does not matter; what is set must all hold.
type Filter struct {
	Organisation mandate.OrganisationID // grantor or intermediary
	Person       mandate.PersonID
	Kind         mandate.Kind
	Except       mandate.Kind // every kind but this one
	State        mandate.State
	Pending      bool         // only what is still being asked for
	AskedBy      mandate.Side // only what this side has asked for
	Unfollowed   bool         // only what no request waits to take the place of
	EndsAfter    time.Time
	EndsBefore   time.Time
	Side         mandate.Side // with an organisation: only what it grants, or only what it receives
}

// Mandates lists mandates by id: at most limit of those after the given one, and
// whether there are more. It continues where it stopped when called with the last id
// it gave; 0 begins. With an organisation or a person it reads only theirs, and of
// everybody's only what waits if that is asked for; else it walks the register until the page
// is full. The canary's are not in it.
func (s *Snapshot) Mandates(f Filter, after mandate.ID, limit int) (list []mandate.Mandate, more bool, err error) {
	limit = max(limit, 1)
	ids, args := f.page(after, limit+1)
	list, err = s.chosen(allParties, ids, args...)
	if len(list) > limit {
		return list[:limit], true, err
	}
	return list, false, err
}

// unfollowed leaves out mandates in whose place another is being asked for: at once, or in the
// place of a request that had been asked for before it.
const unfollowed = ` AND NOT EXISTS (
		WITH RECURSIVE later (id) AS (
			SELECT n.id FROM mandate n WHERE n.supersedes = m.id
			UNION ALL SELECT n.id FROM later JOIN mandate n ON n.supersedes = later.id)
		SELECT 1 FROM later JOIN mandate_version w ON w.mandate = later.id AND w.since <= ?1 AND w.until > ?1 AND w.state IN (` + pending + `))`

// waited leaves only those that wait now, of which there are few, and those that have changed since
// the revision: all that waited then are among them.
const waited = ` AND m.id IN (
		SELECT mandate FROM mandate_version WHERE until = 9223372036854775807 AND state IN (` + pending + `) AND mandate > ?2
		UNION ALL SELECT mandate FROM mandate_version WHERE since > ?1)`

// page selects the ids of one page: those after ?2, at most ?3. For an organisation
// each of its two sides is read in order of id, and the two are merged.
func (f Filter) page(after mandate.ID, most int) (query string, args []any) {
	var where strings.Builder
	args = []any{after, most}
	must := func(condition string, arg any) {
		args = append(args, arg)
		fmt.Fprintf(&where, " AND %s ?%d", condition, len(args)+1) // ?1 is the revision
	}
	if f.Person != 0 {
		must(`m.person =`, f.Person)
	}
	if f.Kind != "" {
		must(`m.kind =`, f.Kind)
	}
	if f.State != "" {
		must(`coalesce(v.state, '') =`, f.State)
	}
	if f.Except != "" {
		must(`m.kind <>`, f.Except)
	}
	if f.Pending {
		where.WriteString(` AND coalesce(v.state, '') IN (` + pending + `)`)
		if f.Organisation == 0 {
			where.WriteString(waited)
		}
	}
	if f.AskedBy != "" {
		must(`(SELECT q.asked_by FROM request q WHERE q.mandate = m.id) =`, f.AskedBy)
	}
	if f.Unfollowed {
		where.WriteString(unfollowed)
	}
	if !f.EndsAfter.IsZero() {
		must(`m.valid_to >`, f.EndsAfter.UnixMilli())
	}
	if !f.EndsBefore.IsZero() {
		must(`m.valid_to <`, f.EndsBefore.UnixMilli())
	}
	side := func(also string) string {
		return `SELECT m.id FROM mandate m` + withState + `
		WHERE ` + known + ` AND m.id > ?2` + also + where.String() + notTheCanarys + ` ORDER BY m.id LIMIT ?3`
	}
	if f.Organisation == 0 {
		return side(``), args
	}
	args = append(args, f.Organisation)
	its := fmt.Sprintf(` = ?%d`, len(args)+1)
	switch f.Side {
	case mandate.GrantorSide:
		return side(` AND m.grantor` + its), args
	case mandate.ReceiverSide:
		return side(` AND m.intermediary` + its), args
	}
	return fmt.Sprintf(`SELECT id FROM (SELECT id FROM (%s) AS given UNION SELECT id FROM (%s) AS received) AS either ORDER BY id LIMIT ?3`,
		side(` AND m.grantor`+its), side(` AND m.intermediary`+its)), args
}
