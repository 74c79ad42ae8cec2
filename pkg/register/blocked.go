package register

import (
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

const (
	blockedCompanies = `o.blocked AND o.kvk <> '` + canaryKvK + `' ORDER BY o.organisation`
	blockedPeople    = `p.blocked AND p.authenticator <> '` + canaryAuthenticator + `' ORDER BY p.person`
)
