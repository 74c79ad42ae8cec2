package register

import (
	"fmt"
	"strings"
	"time"

	"github.com/mandated/mandated/pkg/mandate"
)

// Gap is a client's chain mandate that a member of the client's team has not been assigned.
type Gap struct {
	Client mandate.ID // the chain mandate
	Person mandate.PersonID
}

// standing leaves out what is over for good. A version comes before it.
const standing = `.state IN (` + pending + `, 'active', 'suspended')`

const (
	// gaps selects what is missing in a team's assignments at a moment.
	gaps = `
	SELECT m.id, p.person
	FROM team t JOIN team_client c ON c.team = t.id JOIN team_member p ON p.team = t.id
	JOIN mandate m ON m.grantor = c.organisation AND m.intermediary = t.organisation
	JOIN mandate_version v ON v.mandate = m.id AND v.since <= ?1 AND v.until > ?1
	WHERE t.id = ?2 AND c.since <= ?1 AND c.until > ?1 AND p.since <= ?1 AND p.until > ?1
	AND m.valid_to > ?3 AND v.state IN ('active', 'suspended')
	AND NOT EXISTS (
		SELECT 1 FROM mandate a JOIN mandate_version w ON w.mandate = a.id AND w.since <= ?1 AND w.until > ?1
		WHERE a.client = m.id AND a.person = p.person AND a.valid_to > ?3 AND w` + standing + `)`

	afterGap = ` AND (m.id, p.person) > (?4, ?5) ORDER BY m.id, p.person LIMIT ?6`

	// given selects the assignments that a member has because of a team alone: for its
	// clients that are not those of another team of his.
	given = `
	SELECT a.id FROM team t JOIN team_client c ON c.team = t.id
	JOIN team_member p ON p.team = t.id AND p.person = ?3 AND p.since <= ?1 AND p.until > ?1
	JOIN mandate a ON a.person = ?3 AND a.represented = c.organisation AND a.grantor = t.organisation
	JOIN mandate_version v ON v.mandate = a.id AND v.since <= ?1 AND v.until > ?1
	WHERE t.id = ?2 AND c.since <= ?1 AND c.until > ?1 AND (c.organisation = ?4 OR ?4 = 0) AND a.kind = 'assignment' AND v` + standing + `
	AND NOT EXISTS (
		SELECT 1 FROM team u JOIN team_member n ON n.team = u.id AND n.person = ?3 AND n.since <= ?1 AND n.until > ?1
		JOIN team_client d ON d.team = u.id AND d.organisation = c.organisation AND d.since <= ?1 AND d.until > ?1
		WHERE u.organisation = t.organisation AND u.id <> t.id)
	ORDER BY a.id`
)

// Gaps lists what is missing in the assignments of some members of a team at a moment, or of all
// (nil), by chain mandate and person: at most limit of those after the given one. A member has what
// was assigned to him of a mandate, be it less than all of it. Who is no longer a member lacks
// nothing.
func (s *Snapshot) Gaps(id mandate.TeamID, members []mandate.PersonID, now time.Time, after Gap, limit int) (list []Gap, err error) {
	args, which := []any{s.revision, id, now.UnixMilli(), after.Client, after.Person, limit}, ""
	if members != nil {
		numbers := make([]string, len(members))
		for i, p := range members {
			args = append(args, p)
			numbers[i] = fmt.Sprintf("?%d", len(args))
		}
		which = ` AND p.person IN (` + strings.Join(append(numbers, "NULL"), ", ") + `)`
	}
	var one Gap
	err = s.each([]any{&one.Client, &one.Person}, func() error { list = append(list, one); return nil },
		gaps+which+afterGap, args...)
	return list, err
}

// GapsLeft is how many there are, of all members.
func (s *Snapshot) GapsLeft(id mandate.TeamID, now time.Time) (n int, err error) {
	err = s.one([]any{&n}, `SELECT count(*) FROM (`+gaps+`) AS missing`, s.revision, id, now.UnixMilli())
	return n, err
}

// TeamGave lists the assignments that a member of a team has for its clients, or for one of
// them, and for none of them by another team: those that he loses when he leaves it, or when
// it no longer works for that client.
func (s *Snapshot) TeamGave(id mandate.TeamID, p mandate.PersonID, client mandate.OrganisationID) (list []mandate.ID, err error) {
	var one mandate.ID
	err = s.each([]any{&one}, func() error { list = append(list, one); return nil }, given, s.revision, id, p, client)
	return list, err
}
