package desk

import (
	"testing"

	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
)

// Eva's clients go to Tom in one change: the same for each, also what is suspended. What he has
// already, and what is her own, stays as it is.
func TestHandOver(t *testing.T) {
	s := newScene(t)
	boss, baker, farmer := s.appoint(office, mandate.Administrator, ""), s.appoint(bakery, mandate.Administrator, ""), s.appoint(farm, mandate.Director, mandate.Alone)
	eva, tom := PersonWish{Subject: subject(1), Name: "Eva"}, PersonWish{Subject: subject(2), Name: "Tom"}
	w := s.wish(forTaxes)
	b := must(s.Ask(ctx, baker, "test", w)).Mandate
	w.Grantor = farm
	f := must(s.Ask(ctx, farmer, "test", w)).Mandate
	gives := func(client mandate.ID, to PersonWish, scope mandate.Scope) mandate.Mandate {
		w := Wish{Kind: mandate.Assignment, Grantor: office, Client: client, Person: to, Scope: scope, Validity: b.Validity}
		if client == 0 {
			w.Kind = mandate.Direct
		}
		return must(s.Ask(ctx, boss, "test", w)).Mandate
	}
	ofBakery, ofFarm, own := gives(b.ID, eva, forVAT), gives(f.ID, eva, forTaxes), gives(0, eva, forVAT)
	must(s.Suspend(ctx, boss, "test", ofBakery.ID, nil))
	consent := register.Consent{Language: "nl", Text: "alles van Eva naar Tom"}

	_, err := s.HandOver(ctx, boss, "to herself", own.Person.ID, eva, consent)
	s.refused("to herself", err, ErrPerson)
	_, err = s.HandOver(ctx, s.reader(office), "x", own.Person.ID, tom, consent)
	s.refused("a reader", err, mandate.ErrMayOnlyRead)
	if done := must(s.HandOver(ctx, baker, "not his", own.Person.ID, tom, consent)); done.Moved+len(done.Refused) != 0 {
		t.Errorf("the bakery hands over %+v", done)
	}
	must(0, s.Look(ctx, boss, 0, func(l *Look) error {
		if list := must(l.Assigned(own.Person.ID)); len(list) != 2 {
			t.Errorf("Eva has %d", len(list))
		}
		return nil
	}))
	has := gives(f.ID, tom, forTaxes)
	done := must(s.HandOver(ctx, boss, "holidays", own.Person.ID, tom, consent))
	if done.Moved != 1 || done.Waiting != 0 || len(done.Refused) != 1 || done.Refused[0].Client != f.ID {
		t.Fatalf("%+v", done)
	}
	next := s.assigned(b.ID, has.Person.ID)
	if next.State != mandate.Suspended || len(next.Scope) != 1 || !next.Validity.To.Equal(ofBakery.Validity.To) || s.steps(next.ID)[0].Consent.Text != consent.Text {
		t.Errorf("Tom has %+v", next)
	}
	for id, want := range map[mandate.ID]mandate.State{ofBakery.ID: mandate.Revoked, ofFarm.ID: mandate.Active, own.ID: mandate.Active} {
		if got := s.state(id).State; got != want {
			t.Errorf("mandate %d is %s, want %s", id, got, want)
		}
	}
}
