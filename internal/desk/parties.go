package desk

import (
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
)

// Parties searches all organisations, for the register's staff: see register.Snapshot.Parties.
func (l *Look) Parties(search string, after register.Place, limit int) (list []mandate.Organisation, next register.Place, err error) {
	if err := l.actor.Keeps(); err != nil {
		return nil, next, err
	}
	return l.snapshot.Parties(search, after, limit)
}

// Party gives an organisation by its number in the trade register, for the register's staff.
// register.ErrNotFound: there is none.
func (l *Look) Party(number etoegang.KvKNumber) (mandate.Organisation, error) {
	if err := l.actor.Keeps(); err != nil {
		return mandate.Organisation{}, err
	}
	o, err := l.snapshot.Organisation(number.LegalSubject())
	if err == nil && o == nil {
		err = register.ErrNotFound
	}
	if err != nil {
		return mandate.Organisation{}, err
	}
	return *o, nil
}

// Entry is what the trade register says of an organisation, for the register's staff.
func (l *Look) Entry(id mandate.OrganisationID) (e mandate.Entry, err error) {
	if err := l.actor.Keeps(); err != nil {
		return e, err
	}
	return l.snapshot.Entry(id)
}

// Dismissal tells how somebody of any organisation was dismissed, for the register's staff: see
// register.Snapshot.Dismissal.
func (l *Look) Dismissal(id mandate.AppointmentID) (d register.Dismissal, err error) {
	if err := l.actor.Keeps(); err != nil {
		return d, err
	}
	return l.snapshot.Dismissal(id)
}

// AppointmentsIn lists those of an organisation by number, for the register's staff.
func (l *Look) AppointmentsIn(id mandate.OrganisationID, after mandate.AppointmentID, limit int) ([]mandate.Appointment, bool, error) {
	if err := l.actor.Keeps(); err != nil {
		return nil, false, err
	}
	return l.snapshot.Appointments(id, after, limit)
}
