package register

import "github.com/mandated/mandated/pkg/mandate"

// PersonNumbered gives the person with a number of the register's own, or nil if there
// is none.
func (s *Snapshot) PersonNumbered(id mandate.PersonID) (*mandate.Person, error) {
	return s.person(`p.person = ?2`, id)
}

// OrganisationNumbered gives the organisation with a number of the register's own, or nil
// if there is none.
func (s *Snapshot) OrganisationNumbered(id mandate.OrganisationID) (*mandate.Organisation, error) {
	return s.organisation(`o.organisation = ?2`, id)
}
