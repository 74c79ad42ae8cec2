package desk

import (
	"testing"

	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
)

// The register's staff find any organisation and see what it has; nobody else does, not even of
// his own.
func TestPartiesAreForTheStaff(t *testing.T) {
	s := newScene(t)
	anna, staff := s.appoint(bakery, mandate.Administrator, ""), s.appoint(Party{}, mandate.Staff, "")
	looks := func(c Caller) (found, managers int, errs [4]error) {
		if err := s.Look(ctx, c, 0, func(l *Look) error {
			own := mandate.OrganisationID(1)
			list, _, err := l.Parties(bakery.KvK.Text(), register.Place{}, 5)
			all, _, err2 := l.AppointmentsIn(own, 0, 5)
			_, err3 := l.Entry(own)
			o, err4 := l.Party(bakery.KvK)
			if (o.KvK == bakery.KvK) != (err4 == nil) {
				t.Errorf("by number: %+v, %v", o, err4)
			}
			found, managers, errs = len(list), len(all), [4]error{err, err2, err3, err4}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		return found, managers, errs
	}
	if found, managers, errs := looks(staff); found != 1 || managers != 1 || errs != [4]error{} {
		t.Errorf("the staff find %d with %d: %v", found, managers, errs)
	}
	s.refused("a strange number", s.Look(ctx, staff, 0, func(l *Look) error { _, err := l.Party(kvk(9)); return err }), register.ErrNotFound)
	found, managers, errs := looks(anna)
	for _, err := range errs {
		s.refused("of an administrator", err, mandate.ErrNotYours)
	}
	if found+managers != 0 {
		t.Errorf("an administrator finds %d with %d", found, managers)
	}
}
