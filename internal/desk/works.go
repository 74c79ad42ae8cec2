package desk

import (
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
)

// What follows is for the register's own staff (mandate.ErrNotYours: for nobody else).

// Company gives an organisation by the register's own number.
func (l *Look) Company(id mandate.OrganisationID) (mandate.Organisation, error) {
	if err := l.actor.Keeps(); err != nil {
		return mandate.Organisation{}, err
	}
	o, err := l.snapshot.OrganisationNumbered(id)
	if err == nil && o == nil {
		err = register.ErrNotFound
	}
	if err != nil {
		return mandate.Organisation{}, err
	}
	return *o, nil
}

// Counts tells how many mandates stand in which state now; see register.Snapshot.Counts.
func (l *Look) Counts() ([]register.Count, error) {
	if err := l.actor.Keeps(); err != nil {
		return nil, err
	}
	return l.snapshot.Counts(l.desk.register.Now())
}

// Covered tells how many mandates that are in force have which item in their scope; see
// register.Snapshot.Covered.
func (l *Look) Covered() ([]register.Covering, error) {
	if err := l.actor.Keeps(); err != nil {
		return nil, err
	}
	return l.snapshot.Covered(l.desk.register.Now())
}

// Editions lists the editions of the service catalogue that the register has decided by, oldest
// first, without the documents.
func (l *Look) Editions() ([]register.CatalogueVersion, error) {
	if err := l.actor.Keeps(); err != nil {
		return nil, err
	}
	return l.snapshot.CatalogueVersions()
}
