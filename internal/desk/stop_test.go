package desk

import (
	"testing"

	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
)

// The office is broken into. The register's staff stop it: what it has stays as it is and
// counts for nothing, whoever it is from or for, and its own people manage nothing, until the
// staff lift the stop. Others neither stop nor look.
func TestEmergencyStop(t *testing.T) {
	s := newScene(t)
	anna, boss, staff := s.appoint(bakery, mandate.Administrator, ""), s.appoint(office, mandate.Administrator, ""), s.appoint(Party{}, mandate.Staff, "")
	received := must(s.Ask(ctx, anna, "books", s.wish(forVAT))).Mandate
	tom := must(s.Ask(ctx, boss, "tom", Wish{Kind: mandate.Direct, Grantor: office, Person: PersonWish{Subject: subject(2)}, Scope: forVAT, Validity: year(s.clock.Now())})).Mandate
	everything := func(c Caller, w Whose) (e Everything, err error) {
		err = s.Look(ctx, c, 0, func(l *Look) (err error) { e, err = l.Everything(w); return err })
		return e, err
	}
	whose := Whose{Organisation: received.Intermediary.ID}
	for what, w := range map[string]Whose{"nobody": {}, "both": {1, 1}, "a stranger": {Person: 99}, "a strange company": {Organisation: 99}} {
		_, err := s.Block(ctx, staff, "x", w)
		s.refused(what, err, register.ErrNotFound)
	}
	_, err := s.Block(ctx, anna, "x", whose)
	s.refused("by a client", err, mandate.ErrNotYours)
	_, err = everything(boss, whose)
	s.refused("a look at oneself", err, mandate.ErrNotYours)
	_, err = s.Block(ctx, staff, "", whose)
	s.refused("without a reason", err, ErrWhy)

	must(s.Block(ctx, staff, "break-in", whose))
	if e := must(everything(staff, whose)); e.InForce != 2 || !e.Company.Blocked || e.Stop.Author.Why != "break-in" {
		t.Errorf("stopped: %+v", e)
	}
	_, err = s.Revoke(ctx, boss, "x", tom.ID, nil)
	s.refused("by somebody of the office", err, mandate.ErrNotAppointed)
	if s.state(received.ID).State != mandate.Active {
		t.Error("a stop changes no mandate")
	}
	must(s.Unblock(ctx, staff, "looked into", whose))
	must(s.Revoke(ctx, boss, "x", tom.ID, nil))
	if e := must(everything(staff, whose)); e.InForce != 1 || e.Company.Blocked || e.Stop != nil {
		t.Errorf("lifted: %+v", e)
	}
	his := Whose{Person: tom.Person.ID}
	must(s.Block(ctx, staff, "his means was stolen", his))
	if e := must(everything(staff, his)); !e.Person.Blocked || e.Stop == nil || e.InForce != 0 {
		t.Errorf("Tom: %+v", e)
	}
	must(s.Unblock(ctx, staff, "he has another", his))
}
