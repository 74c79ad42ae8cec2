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

// Lifted is an emergency stop that holds nobody any more. One of the two is whom it held, as
// known now.
type Lifted struct {
	Company  *mandate.Organisation
	Person   *mandate.Person
	Stop, By Stop // how it was made, and lifted
}

// LiftedStops lists the emergency stops that were lifted, of companies and then of people, in
// the order in which they were.
func (s *Snapshot) LiftedStops() ([]Lifted, error) {
	companies, companyIDs, err := s.lifted(`organisation_version`, `organisation`)
	if err != nil {
		return nil, err
	}
	for i := range companies {
		if companies[i].Company, err = s.organisation(`o.organisation = ?2`, companyIDs[i]); err != nil {
			return nil, err
		}
	}
	people, personIDs, err := s.lifted(`person_version`, `person`)
	if err != nil {
		return nil, err
	}
	for i := range people {
		if people[i].Person, err = s.person(`p.person = ?2`, personIDs[i]); err != nil {
			return nil, err
		}
	}
	return append(companies, people...), nil
}

// lifted reads the runs of versions that are blocked and came to an end.
func (s *Snapshot) lifted(table, column string) (list []Lifted, ids []int64, err error) {
	var l Lifted
	var id, made, lifted int64
	err = s.each([]any{&id, &l.Stop.Revision, &made, &l.Stop.Author.Who, &l.Stop.Author.Why, &l.By.Revision, &lifted, &l.By.Author.Who, &l.By.Author.Why}, func() error {
		l.Stop.At, l.By.At = moment(made), moment(lifted)
		list, ids = append(list, l), append(ids, id)
		return nil
	}, `
		SELECT v.`+column+`, b.revision, b.at, b.who, b.why, e.revision, e.at, e.who, e.why
		FROM `+table+` v
		JOIN revision b ON b.revision = v.since
		JOIN revision e ON e.revision = (
			SELECT min(free.since) FROM `+table+` free
			WHERE free.`+column+` = v.`+column+` AND free.version > v.version AND NOT free.blocked)
		WHERE v.blocked AND e.revision <= ?1 AND NOT EXISTS (
			SELECT 1 FROM `+table+` before
			WHERE before.`+column+` = v.`+column+` AND before.version = v.version - 1 AND before.blocked)
		ORDER BY e.revision, v.`+column, s.revision)
	return list, ids, err
}

const (
	blockedCompanies = `o.blocked AND o.kvk <> '` + canaryKvK + `' ORDER BY o.organisation`
	blockedPeople    = `p.blocked AND p.authenticator <> '` + canaryAuthenticator + `' ORDER BY p.person`
)
