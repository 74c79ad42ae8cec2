package register

import (
	"fmt"

	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/mandate"
)

// Mandates are read with as many of their parties as the question does not know
// already: each party costs a look-up per mandate.
type parties int

const (
	noParties parties = iota
	grantorOnly
	allParties
)

// selectMandates reads mandates as known at revision ?1, a row per item of their
// scope. A condition and an order follow.
var selectMandates = [...]string{
	noParties:   reading(noParties, `mandate m`) + ` AND `,
	grantorOnly: reading(grantorOnly, `mandate m`) + ` AND `,
	allParties:  reading(allParties, `mandate m`) + ` AND `,
}

// selectChosen reads those mandates of which a query gives the ids, each once.
func selectChosen(p parties, ids string) string {
	return reading(p, `(`+ids+`) AS chosen JOIN mandate m ON m.id = chosen.id`)
}

// reading is the statement for mandates from a source. Everything is joined from the
// left, also what is always there: so neither database can begin anywhere but at the few
// mandates of the source, whatever it believes about the size of its tables.
func reading(p parties, source string) string {
	columns, joins := ofMandate, ofState
	if p >= grantorOnly {
		columns, joins = columns+ofGrantor, joins+withGrantor
	}
	if p >= allParties {
		columns, joins = columns+ofReceiver, joins+withReceiver
	}
	return `SELECT` + columns + `
		FROM ` + source + joins + `
		WHERE ` + known
}

const (
	ofMandate = `
		m.id, m.kind, v.state, coalesce(m.client, 0), coalesce(m.register, ''),
		m.valid_from, m.valid_to, m.reference, coalesce(m.supersedes, 0), m.limited, s.service, s.provider, s.level`
	ofState = withState + `
		LEFT JOIN mandate_scope s ON s.mandate = m.id`
	withState = `
		LEFT JOIN mandate_version v ON v.mandate = m.id AND v.since <= ?1 AND v.until > ?1`

	// known leaves out mandates that did not exist at the revision.
	known = `coalesce(v.version, 0) > 0`

	ofGrantor = `,
		g.organisation, g.kvk, coalesce(g.rsin, ''), g.name, g.active, g.blocked`
	withGrantor = `
		LEFT JOIN organisation_version g ON g.organisation = m.grantor AND g.since <= ?1 AND g.until > ?1`

	ofReceiver = `,
		coalesce(i.organisation, 0), coalesce(i.kvk, ''), coalesce(i.rsin, ''), coalesce(i.name, ''),
		coalesce(i.active, FALSE), coalesce(i.blocked, FALSE),
		coalesce(p.person, 0), coalesce(p.authenticator, ''), coalesce(p.pseudonym, ''), coalesce(p.name, ''),
		coalesce(p.active, FALSE), coalesce(p.blocked, FALSE)`
	withReceiver = `
		LEFT JOIN organisation_version i ON i.organisation = m.intermediary AND i.since <= ?1 AND i.until > ?1
		LEFT JOIN person_version p ON p.person = m.person AND p.since <= ?1 AND p.until > ?1`
)

// The orders that keep the rows of one mandate together. The second follows the
// index by person, which costs nothing.
const (
	byID     = ` ORDER BY m.id, s.service, s.provider`
	byHolder = ` ORDER BY m.person, m.represented, m.id, s.service, s.provider`
)

// mandates reads the mandates for which the condition holds. In it, ?1 is the
// snapshot's revision and args begin at ?2.
func (s *Snapshot) mandates(p parties, condition string, args ...any) ([]mandate.Mandate, error) {
	return s.read(p, selectMandates[p]+condition, args...)
}

// chosen reads the mandates of which a query gives the ids, by id.
func (s *Snapshot) chosen(p parties, ids string, args ...any) ([]mandate.Mandate, error) {
	return s.read(p, selectChosen(p, ids)+byID, args...)
}

func (s *Snapshot) read(p parties, query string, args ...any) ([]mandate.Mandate, error) {
	var row mandateRow
	var list []mandate.Mandate
	var limited []int // places in the list of mandates limited to establishments
	err := s.each(row.fields(p), func() error {
		if last := len(list) - 1; last < 0 || list[last].ID != mandate.ID(row.id) {
			m, err := row.mandate()
			if err != nil {
				return fmt.Errorf("reading mandate %d: %w", row.id, err)
			}
			if row.limited {
				limited = append(limited, len(list))
			}
			list = append(list, m)
		}
		item, err := row.item.item()
		if err != nil {
			return fmt.Errorf("reading mandate %d: %w", row.id, err)
		}
		m := &list[len(list)-1]
		m.Scope = append(m.Scope, item)
		return nil
	}, query, append([]any{s.revision}, args...)...)
	for _, place := range limited {
		if err == nil {
			list[place].Establishments, err = s.establishments(list[place].ID)
		}
	}
	return list, err
}

func (s *Snapshot) establishments(id mandate.ID) (list []etoegang.EstablishmentNumber, err error) {
	var text string
	err = s.each([]any{&text}, func() error {
		number, err := etoegang.ParseEstablishmentNumber(text)
		list = append(list, number)
		return err
	}, `SELECT establishment FROM mandate_establishment WHERE mandate = ?1 ORDER BY establishment`, id)
	return list, err
}

// old tells, within a change, whether a mandate was not made in it.
func (s *Snapshot) old(id mandate.ID) bool {
	if s.memory == nil {
		return false
	}
	_, own := s.memory.made[id]
	return !own
}

// Mandate gives one mandate. ErrNotFound: none with this number.
func (s *Snapshot) Mandate(id mandate.ID) (mandate.Mandate, error) {
	var list []mandate.Mandate
	err := s.aside(s.old(id), func() (err error) {
		list, err = s.mandates(allParties, `m.id = ?2`+byID, id)
		return err
	})
	switch {
	case err != nil:
		return mandate.Mandate{}, err
	case len(list) == 0:
		return mandate.Mandate{}, fmt.Errorf("mandate %d: %w", id, ErrNotFound)
	}
	return list[0], nil
}
