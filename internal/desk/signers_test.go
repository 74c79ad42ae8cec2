package desk

import (
	"crypto/sha256"
	"testing"

	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
)

// Where two must sign or look, two people do: one log-in is appointed once, and one key stands for
// one director or one of the staff, whatever certificate it is in.
func TestNobodySignsTwice(t *testing.T) {
	s := newScene(t)
	rik := s.appoint(Party{}, mandate.Staff, "")
	for what, w := range map[string]Appointment{
		"one of the staff": {Role: mandate.Staff},
		"a director":       {Role: mandate.Director, Authority: mandate.Jointly, Company: bakery.KvK},
	} {
		w.Name, w.Level, w.Validity = what, etoegang.LoA3, year(s.clock.Now())
		somebody := s.visitor(bakery, 5+len(what))
		first, second := must(s.Appoint(ctx, rik, "test", w)), must(s.Appoint(ctx, rik, "test", w))
		must(s.AcceptInvitation(ctx, somebody, first.Invitation))
		_, err := s.AcceptInvitation(ctx, somebody, second.Invitation)
		s.refused(what+", for the second time", err, mandate.ErrSamePerson)
		must(s.AcceptInvitation(ctx, s.visitor(bakery, 90+len(what)), second.Invitation)) // the letter is as good as before

		shows := func(certificate string) Appointment {
			w.Credentials = []register.Credential{{Fingerprint: sha256.Sum256([]byte(certificate)), Public: []byte("key of " + what)}}
			return w
		}
		must(s.AppointAtDesk(ctx, keeper, shows("one")))
		_, err = s.AppointAtDesk(ctx, keeper, shows("another"))
		s.refused(what+" with the key of another", err, mandate.ErrSamePerson)
	}
}

// An assignment that is renewed or narrowed while a handover waits is still what is handed over; what
// the register's staff suspended goes to nobody, by whom it could be let go on.
func TestHandOverOfWhatHasMoved(t *testing.T) {
	s := newLeaving(t)
	first, second := s.appoint(office, mandate.Director, mandate.Jointly), s.appoint(office, mandate.Director, mandate.Jointly)
	ofFarm, ofBakery := s.gives(s.f.ID, s.eva, forTaxes), s.gives(s.b.ID, s.eva, forVAT)
	must(s.HandOver(ctx, first, "holidays", ofFarm.Person.ID, []mandate.ID{ofFarm.ID, ofBakery.ID}, s.tom, s.consent))
	less := must(s.Narrow(ctx, s.boss, "less", ofFarm.ID, Narrowing{Scope: forVAT}, nil)).Mandate
	tom := s.person(s.boss, s.tom)
	must(s.Accept(ctx, second, "test", s.assigned(s.f.ID, tom).ID, Narrowing{}, s.consent))
	s.stand(map[mandate.ID]mandate.State{less.ID: mandate.Revoked, s.assigned(s.f.ID, tom).ID: mandate.Active})

	rik := s.appoint(Party{}, mandate.Staff, "")
	must(s.Suspend(ctx, rik, "a report", ofBakery.ID, nil))
	_, err := s.Accept(ctx, second, "test", s.assigned(s.b.ID, tom).ID, Narrowing{}, s.consent)
	s.refused("what the staff suspended, by the second signature", err, mandate.ErrOtherSide)
	done := must(s.HandOver(ctx, first, "again", ofBakery.Person.ID, []mandate.ID{ofBakery.ID}, s.tom, s.consent))
	if len(done.Refused) != 1 {
		t.Fatalf("handed over again: %+v", done)
	}
	s.refused("what the staff suspended", done.Refused[0].Err, mandate.ErrOtherSide)
	s.stand(map[mandate.ID]mandate.State{ofBakery.ID: mandate.Suspended})
}
