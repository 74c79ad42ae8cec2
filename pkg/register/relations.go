package register

import (
	"fmt"
	"strings"
	"time"

	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/mandate"
)

// Relations asks for an intermediary's clients. What is zero does not matter, but for the
// intermediary and the moment.
type Relations struct {
	Intermediary etoegang.Intermediary
	Represented  etoegang.LegalSubject   // the client
	Service      etoegang.ServiceUUID    // that a mandate names, or covers with all others
	Level        etoegang.AssuranceLevel // at least, for that service or else for any
	At           time.Time
}

// Relations lists the chain mandates, held in this register, that an intermediary can rely
// on at a moment, by id: in force, between companies that both take part and that no
// emergency stop holds. It gives at most limit of those after the given one, and whether
// there are more; it continues where it stopped when called with the last id it gave.
//
// With a service it also gives the mandates for all services of a provider, of any: which
// provider offers the service the register does not know. An unknown company has none.
func (s *Snapshot) Relations(f Relations, after mandate.ID, limit int) (list []mandate.Mandate, more bool, err error) {
	limit = max(limit, 1)
	a, err := s.Organisation(f.Intermediary.KvK.LegalSubject())
	if err != nil || !takesPart(a) {
		return nil, false, err
	}
	var client *mandate.Organisation
	if !f.Represented.IsZero() {
		if client, err = s.Organisation(f.Represented); err != nil || client == nil {
			return nil, false, err
		}
	}
	ids, args := f.page(a.ID, client, after, limit+1)
	list, err = s.chosen(grantorOnly, ids, args...)
	for i := range list {
		list[i].Intermediary = *a
	}
	if len(list) > limit {
		return list[:limit], true, err
	}
	return list, false, err
}

func takesPart(o *mandate.Organisation) bool { return o != nil && o.Active && !o.Blocked }

// page selects the ids of one page: those after ?2, at most ?3.
func (f Relations) page(a mandate.OrganisationID, client *mandate.Organisation, after mandate.ID, most int) (query string, args []any) {
	args = []any{after, most, a, f.At.UnixMilli()}
	also := ``
	if client != nil {
		args = append(args, client.ID)
		also = fmt.Sprintf(` AND m.grantor = ?%d`, len(args)+1) // ?1 is the revision
	}
	if !f.Service.IsZero() || f.Level != etoegang.NoLevel {
		var covered string
		covered, args = f.covered(args)
		also += ` AND EXISTS (SELECT 1 FROM mandate_scope c WHERE c.mandate = m.id` + covered + `)`
	}
	return `SELECT m.id FROM mandate m` + withState + withGrantor + `
		WHERE ` + known + ` AND m.id > ?2 AND m.intermediary = ?4 AND m.register IS NULL
		AND v.state = '` + string(mandate.Active) + `' AND m.valid_from <= ?5 AND m.valid_to > ?5
		AND g.active AND NOT g.blocked` + also + `
		ORDER BY m.id LIMIT ?3`, args
}

// covered is the condition on one item of a scope.
func (f Relations) covered(args []any) (condition string, all []any) {
	if !f.Service.IsZero() {
		args = append(args, f.Service.String())
		condition = fmt.Sprintf(` AND c.service IN ('', ?%d)`, len(args)+1)
	}
	if f.Level != etoegang.NoLevel {
		var levels []string
		for l := f.Level; l <= etoegang.LoA4; l++ {
			args = append(args, l.String())
			levels = append(levels, fmt.Sprintf(`?%d`, len(args)+1))
		}
		condition += ` AND c.level IN (` + strings.Join(levels, `, `) + `)`
	}
	return condition, args
}
