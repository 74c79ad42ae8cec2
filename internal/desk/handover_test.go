package desk

import (
	"errors"
	"testing"

	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
)

// leaving is an office of which Eva has two clients, and Tom is to have them.
type leaving struct {
	*scene
	boss, baker Caller
	b, f        mandate.Mandate // of the bakery and the farm
	eva, tom    PersonWish
	consent     register.Consent
}

func newLeaving(t *testing.T) leaving {
	t.Helper()
	s := newScene(t)
	l := leaving{scene: s, boss: s.appoint(office, mandate.Administrator, ""), baker: s.appoint(bakery, mandate.Administrator, ""),
		eva: PersonWish{Subject: subject(1), Name: "Eva"}, tom: PersonWish{Subject: subject(2), Name: "Tom"}, consent: register.Consent{Language: "nl", Text: "alles van Eva naar Tom"}}
	l.b = must(s.Ask(ctx, l.baker, "test", s.wish(forVAT))).Mandate
	w := s.wish(forTaxes)
	w.Grantor = farm
	l.f = must(s.Ask(ctx, s.appoint(farm, mandate.Director, mandate.Alone), "test", w)).Mandate
	return l
}

// gives assigns a client to somebody, for as long as the client's mandate lasts.
func (l leaving) gives(client mandate.ID, to PersonWish, scope mandate.Scope) mandate.Mandate {
	l.Helper()
	return must(l.Ask(ctx, l.boss, "test", Wish{Kind: mandate.Assignment, Grantor: office, Client: client, Person: to, Scope: scope, Validity: l.b.Validity})).Mandate
}

// stand tells how mandates do.
func (l leaving) stand(want map[mandate.ID]mandate.State) {
	l.Helper()
	for id, state := range want {
		if got := l.state(id).State; got != state {
			l.Errorf("mandate %d is %s, want %s", id, got, state)
		}
	}
}

// Eva's clients go to Tom in one change: the same for each, also what is suspended. What is her
// own, and what nobody named, stays as it is.
func TestHandOver(t *testing.T) {
	s := newLeaving(t)
	own := must(s.Ask(ctx, s.boss, "test", Wish{Kind: mandate.Direct, Grantor: office, Person: s.eva, Scope: forVAT, Validity: s.b.Validity})).Mandate
	ofBakery, ofFarm, more := s.gives(s.b.ID, s.eva, forVAT), s.gives(s.f.ID, s.eva, forTaxes), s.gives(s.f.ID, s.eva, forVAT)
	must(s.Suspend(ctx, s.boss, "test", ofBakery.ID, nil))
	some := []mandate.ID{ofBakery.ID, ofFarm.ID, own.ID}

	_, err := s.HandOver(ctx, s.boss, "to herself", own.Person.ID, some, s.eva, s.consent)
	s.refused("to herself", err, ErrPerson)
	_, err = s.HandOver(ctx, s.reader(office), "x", own.Person.ID, some, s.tom, s.consent)
	s.refused("a reader", err, mandate.ErrMayOnlyRead)
	_, err = s.HandOver(ctx, s.baker, "not his", own.Person.ID, some, s.tom, s.consent)
	s.refused("the bakery", err, ErrPerson)
	_, err = s.HandOver(ctx, s.boss, "of nobody", 0, some, s.tom, s.consent)
	s.refused("of nobody in particular", err, ErrPerson)
	must(0, s.Look(ctx, s.boss, 0, func(l *Look) error {
		for limit, want := range map[int]int{1: 1, 2: 2, 3: 3, 9: 3} {
			if list, more, err := l.Assigned(own.Person.ID, 0, limit); len(list) != want || more != (limit < 3) || err != nil {
				t.Errorf("of at most %d Eva has %d, and more: %v (%v)", limit, len(list), more, err)
			}
		}
		if list, _, _ := l.Assigned(own.Person.ID, ofFarm.ID, 9); len(list) != 1 || list[0].ID != more.ID {
			t.Errorf("the last of Eva's: %+v", list)
		}
		if list, _, _ := l.Assigned(0, 0, 9); len(list) != 0 {
			t.Errorf("nobody has %d", len(list))
		}
		return nil
	}))
	if done := must(s.HandOver(ctx, s.boss, "holidays", own.Person.ID, some, s.tom, s.consent)); done.Moved != 2 || done.Waiting+len(done.Refused) != 0 || len(done.Unknown) != 1 || done.Unknown[0] != own.ID {
		t.Fatalf("%+v", done)
	}
	next := s.assigned(s.b.ID, s.person(s.boss, s.tom))
	if next.State != mandate.Suspended || len(next.Scope) != 1 || !next.Validity.To.Equal(ofBakery.Validity.To) || s.steps(next.ID)[0].Consent.Text != s.consent.Text {
		t.Errorf("Tom has %+v", next)
	}
	s.stand(map[mandate.ID]mandate.State{ofBakery.ID: mandate.Revoked, ofFarm.ID: mandate.Revoked, more.ID: mandate.Active, own.ID: mandate.Active})
	if done := must(s.HandOver(ctx, s.boss, "the rest", own.Person.ID, []mandate.ID{ofFarm.ID, more.ID, more.ID, 999}, s.tom, s.consent)); done.Moved != 1 || len(done.Unknown) != 3 {
		t.Errorf("what is left, once more and twice: %+v", done)
	}
	s.stand(map[mandate.ID]mandate.State{more.ID: mandate.Revoked, own.ID: mandate.Active})
}

// Only what somebody has can be handed over: nothing of a colleague's, nothing that still waits for a
// signature, and nothing that is over, of which the register's state says nothing.
func TestHandOverOfWhatIsNotHers(t *testing.T) {
	s := newLeaving(t)
	hers, his := s.gives(s.b.ID, s.eva, forVAT), s.gives(s.f.ID, s.tom, forVAT)
	director := s.appoint(office, mandate.Director, mandate.Jointly)
	_ = s.appoint(office, mandate.Director, mandate.Jointly)
	waits := must(s.Ask(ctx, director, "test", Wish{Kind: mandate.Assignment, Grantor: office, Client: s.f.ID, Person: s.eva, Scope: forTaxes, Validity: s.f.Validity})).Mandate
	if waits.State != mandate.AwaitingSignatures {
		t.Fatalf("it is %s", waits.State)
	}
	hands := func(what string, id mandate.ID) {
		t.Helper()
		if done := must(s.HandOver(ctx, s.boss, "holidays", hers.Person.ID, []mandate.ID{id}, s.tom, s.consent)); len(done.Unknown) != 1 || done.Moved+done.Waiting+len(done.Refused) != 0 {
			t.Errorf("%s: %+v", what, done)
		}
	}
	hands("his own", his.ID)
	hands("what waits", waits.ID)
	must(0, s.Look(ctx, s.appoint(Party{}, mandate.Staff, ""), 0, func(l *Look) error {
		if list, _, _ := l.Assigned(hers.Person.ID, 0, 9); len(list) != 0 {
			t.Errorf("the staff have assigned %+v", list)
		}
		return nil
	}))
	s.clock.advance(hers.Validity.To.Sub(s.clock.Now()))
	hands("what is over", hers.ID)
	s.stand(map[mandate.ID]mandate.State{hers.ID: mandate.Active, his.ID: mandate.Active})
}

// What Tom has already is only taken from Eva: if he has all of it, and for as long.
func TestHandOverWhatHeHas(t *testing.T) {
	s := newLeaving(t)
	ofBakery, ofFarm := s.gives(s.b.ID, s.eva, forVAT), s.gives(s.f.ID, s.eva, forTaxes)
	has := s.gives(s.b.ID, s.tom, forVAT)
	shorter := must(s.Ask(ctx, s.boss, "test", Wish{Kind: mandate.Assignment, Grantor: office, Client: s.f.ID, Person: s.tom, Scope: forTaxes,
		Validity: mandate.Validity{From: s.f.Validity.From, To: s.f.Validity.To.AddDate(0, -6, 0)}})).Mandate
	done := must(s.HandOver(ctx, s.boss, "holidays", ofFarm.Person.ID, []mandate.ID{ofBakery.ID, ofFarm.ID}, s.tom, s.consent))
	if done.Moved != 1 || len(done.Refused) != 1 || done.Refused[0].Client != s.f.ID || !errors.Is(done.Refused[0].Err, register.ErrOverlap) {
		t.Errorf("%+v", done)
	}
	s.stand(map[mandate.ID]mandate.State{ofBakery.ID: mandate.Revoked, has.ID: mandate.Active, ofFarm.ID: mandate.Active, shorter.ID: mandate.Active})
	must(s.Suspend(ctx, s.boss, "test", shorter.ID, nil))
	if done = must(s.HandOver(ctx, s.boss, "again", ofFarm.Person.ID, []mandate.ID{ofFarm.ID}, s.tom, s.consent)); done.Moved != 0 {
		t.Errorf("what Tom may not do for the moment is none that he has: %+v", done)
	}
}

// Two directors sign together. When the first has handed over, Eva keeps her clients, however
// often he does it again; with the second signature they are Tom's, as they were, and not hers.
func TestHandOverIsSigned(t *testing.T) {
	s := newLeaving(t)
	first, second := s.appoint(office, mandate.Director, mandate.Jointly), s.appoint(office, mandate.Director, mandate.Jointly)
	ofBakery, ofFarm := s.gives(s.b.ID, s.eva, forVAT), s.gives(s.f.ID, s.eva, forTaxes)
	must(s.Suspend(ctx, s.boss, "test", ofFarm.ID, nil))
	for range 2 {
		if done := must(s.HandOver(ctx, first, "holidays", ofFarm.Person.ID, []mandate.ID{ofBakery.ID, ofFarm.ID}, s.tom, s.consent)); done.Waiting != 2 || done.Moved+len(done.Refused) != 0 {
			t.Fatalf("%+v", done)
		}
	}
	s.stand(map[mandate.ID]mandate.State{ofBakery.ID: mandate.Active, ofFarm.ID: mandate.Suspended})

	tom := s.person(s.boss, s.tom)
	for client, state := range map[mandate.ID]mandate.State{s.b.ID: mandate.Active, s.f.ID: mandate.Suspended} {
		next := must(s.Accept(ctx, second, "test", s.assigned(client, tom).ID, Narrowing{}, s.consent)).Mandate
		if next.State != state {
			t.Errorf("of %d Tom's is %s, want %s", client, next.State, state)
		}
	}
	s.stand(map[mandate.ID]mandate.State{ofBakery.ID: mandate.Revoked, ofFarm.ID: mandate.Revoked})
	if steps := s.steps(ofBakery.ID); steps[len(steps)-1].Act != mandate.ActRevoke || steps[len(steps)-1].Appointment != second.Appointment {
		t.Errorf("of Eva's is known %+v", steps)
	}
}

// What is signed as less than was asked for is handed over all the same; what Eva has lost
// meanwhile is not in the way.
func TestHandOverIsNarrowed(t *testing.T) {
	s := newLeaving(t)
	first, second := s.appoint(office, mandate.Director, mandate.Jointly), s.appoint(office, mandate.Director, mandate.Jointly)
	ofBakery, ofFarm := s.gives(s.b.ID, s.eva, forVAT), s.gives(s.f.ID, s.eva, forTaxes)
	must(s.HandOver(ctx, first, "holidays", ofFarm.Person.ID, []mandate.ID{ofBakery.ID, ofFarm.ID}, s.tom, s.consent))
	tom := s.person(s.boss, s.tom)
	less := must(s.Accept(ctx, second, "less", s.assigned(s.f.ID, tom).ID, Narrowing{Scope: forVAT}, s.consent)).Mandate
	s.stand(map[mandate.ID]mandate.State{ofFarm.ID: mandate.Active, less.ID: mandate.AwaitingSignatures})
	must(s.Accept(ctx, first, "well", less.ID, Narrowing{}, s.consent))
	s.stand(map[mandate.ID]mandate.State{ofFarm.ID: mandate.Revoked, less.ID: mandate.Active})

	must(s.Revoke(ctx, s.boss, "test", ofBakery.ID, nil))
	must(s.Accept(ctx, second, "test", s.assigned(s.b.ID, tom).ID, Narrowing{}, s.consent))
	s.stand(map[mandate.ID]mandate.State{s.assigned(s.b.ID, tom).ID: mandate.Active})
}

// Nobody loses a client early because whoever handed it over is not appointed for as long.
func TestHandOverKeepsItsEnd(t *testing.T) {
	s := newLeaving(t)
	director := s.appoint(office, mandate.Director, mandate.Alone)
	w := s.wish(forVAT)
	w.Grantor, w.Validity.To = Party{KvK: kvk(4), Name: "De Molen"}, w.Validity.To.AddDate(3, 0, 0)
	long := must(s.Ask(ctx, s.appoint(w.Grantor, mandate.Director, mandate.Alone), "test", w)).Mandate
	given := must(s.Ask(ctx, director, "test", Wish{Kind: mandate.Assignment, Grantor: office, Client: long.ID, Person: s.eva, Scope: forVAT, Validity: long.Validity})).Mandate
	some := []mandate.ID{given.ID}
	if done := must(s.HandOver(ctx, s.boss, "holidays", given.Person.ID, some, s.tom, s.consent)); len(done.Refused) != 1 || !errors.Is(done.Refused[0].Err, mandate.ErrOutlasts) {
		t.Errorf("by an administrator: %+v", done)
	}
	must(s.HandOver(ctx, director, "holidays", given.Person.ID, some, s.tom, s.consent))
	if next := s.assigned(long.ID, s.person(s.boss, s.tom)); next.State != mandate.Active || !next.Validity.To.Equal(long.Validity.To) {
		t.Errorf("Tom has %+v", next)
	}
}

// person is somebody's number.
func (s *scene) person(c Caller, w PersonWish) (id mandate.PersonID) {
	s.Helper()
	must(0, s.Look(ctx, c, 0, func(l *Look) error {
		p, err := l.snapshot.Person(w.Subject)
		if err == nil && p != nil {
			id = p.ID
		}
		return err
	}))
	return id
}
