package register

import (
	"time"

	"github.com/mandated/mandated/pkg/mandate"
)

// Blocked lists whom the emergency stop holds, by number: every company and every person,
// save the canary's.
func (s *Snapshot) Blocked() (companies []mandate.Organisation, people []mandate.Person, err error) {
	var o organisationRow
	err = s.each(o.fields(), func() error {
		company, err := o.organisation()
		companies = append(companies, company)
		return err
	}, selectOrganisation+blockedCompanies, s.revision)
	if err != nil {
		return nil, nil, err
	}
	var p personRow
	err = s.each(p.fields(), func() error {
		person, err := p.person()
		people = append(people, person)
		return err
	}, selectPerson+blockedPeople, s.revision)
	return companies, people, err
}

// Stop is an emergency stop as it was made: when, by whom and why.
type Stop struct {
	Revision Revision
	At       time.Time
	Author   Author
}

// OrganisationStop tells of the emergency stop that holds a company. ErrNotFound: none does.
func (s *Snapshot) OrganisationStop(id mandate.OrganisationID) (Stop, error) {
	return s.stop(int64(id), `organisation_version`, `organisation`)
}

// PersonStop tells of the emergency stop that holds a person. ErrNotFound: none does.
func (s *Snapshot) PersonStop(id mandate.PersonID) (Stop, error) {
	return s.stop(int64(id), `person_version`, `person`)
}

// stop finds the first version that is blocked after the last that was not.
func (s *Snapshot) stop(id int64, table, column string) (stop Stop, err error) {
	var at int64
	err = s.one([]any{&stop.Revision, &at, &stop.Author.Who, &stop.Author.Why}, `
		SELECT r.revision, r.at, r.who, r.why
		FROM `+table+` v JOIN revision r ON r.revision = v.since
		WHERE v.`+column+` = ?2 AND v.since <= ?1 AND v.blocked AND v.since > coalesce((
			SELECT max(free.since) FROM `+table+` free
			WHERE free.`+column+` = ?2 AND free.since <= ?1 AND NOT free.blocked), 0)
		ORDER BY v.version LIMIT 1`, s.revision, id)
	stop.At = moment(at)
	return stop, err
}

const (
	blockedCompanies = `o.blocked AND o.kvk <> '` + canaryKvK + `' ORDER BY o.organisation`
	blockedPeople    = `p.blocked AND p.authenticator <> '` + canaryAuthenticator + `' ORDER BY p.person`
)
