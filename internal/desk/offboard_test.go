package desk

import (
	"fmt"
	"slices"
	"testing"

	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/mandate"
)

// Eva leaves the office: whatever it has given her ends in one revision, also what waits for a
// signature. What her next employer gives her, and what the office gave others, stays.
func TestOffboard(t *testing.T) {
	s := newScene(t)
	boss, baker := s.appoint(office, mandate.Administrator, ""), s.appoint(bakery, mandate.Administrator, "")
	director := s.appoint(office, mandate.Director, mandate.Jointly)
	_ = s.appoint(office, mandate.Director, mandate.Jointly)
	chain := must(s.Ask(ctx, baker, "test", s.wish(forVAT))).Mandate
	eva, tom := PersonWish{Subject: subject(1), Name: "Eva"}, PersonWish{Subject: subject(2), Name: "Tom"}

	gives := func(c Caller, from Party, to PersonWish, scope mandate.Scope, client mandate.ID) mandate.Mandate {
		w := Wish{Kind: mandate.Direct, Grantor: from, Person: to, Scope: scope, Validity: year(s.clock.Now()), Client: client}
		if client != 0 {
			w.Kind = mandate.Assignment
		}
		return must(s.Ask(ctx, c, "test", w)).Mandate
	}
	assigned := gives(boss, office, eva, forVAT, chain.ID)
	direct := gives(boss, office, eva, forVAT, 0)
	stopped := gives(boss, office, eva, forTaxes, 0)
	must(s.Suspend(ctx, boss, "test", stopped.ID, nil))
	waits := gives(director, office, eva, mandate.Scope{{Service: permits, Level: etoegang.LoA3}}, 0)
	elsewhere, other := gives(baker, bakery, eva, forVAT, 0), gives(boss, office, tom, forVAT, chain.ID)
	if waits.State != mandate.AwaitingSignatures {
		t.Fatalf("one of two directors has signed: %s", waits.State)
	}

	done := must(s.Offboard(ctx, boss, "she leaves", assigned.Person.ID))
	if done.Mandates != 3 || done.Requests != 1 {
		t.Errorf("%d mandates and %d requests ended", done.Mandates, done.Requests)
	}
	for id, want := range map[mandate.ID]mandate.State{
		assigned.ID: mandate.Revoked, direct.ID: mandate.Revoked, stopped.ID: mandate.Revoked, waits.ID: mandate.Withdrawn,
		elsewhere.ID: mandate.Active, other.ID: mandate.Active, chain.ID: mandate.Active,
	} {
		if got := s.state(id).State; got != want {
			t.Errorf("mandate %d is %s, want %s", id, got, want)
		}
		if steps := s.steps(id); want.Ended() && steps[len(steps)-1].Revision != done.Receipt.Stamp.Revision {
			t.Errorf("mandate %d ended in revision %d, not in the one change", id, steps[len(steps)-1].Revision)
		}
	}
	if done = must(s.Offboard(ctx, boss, "again", assigned.Person.ID)); done.Mandates != 0 || done.Requests != 0 {
		t.Errorf("again, %d mandates and %d requests", done.Mandates, done.Requests)
	}
}

// Many mandates are as easily ended as few.
func TestOffboardMany(t *testing.T) {
	s := newScene(t)
	boss := s.appoint(office, mandate.Administrator, "")
	const many = 120
	var last mandate.Mandate
	for i := range many {
		from := s.clock.Now().AddDate(0, 0, 7*i) // each for the week after the one before
		last = must(s.Ask(ctx, boss, "test", Wish{Kind: mandate.Direct, Grantor: office, Person: PersonWish{Subject: subject(1)},
			Scope: forVAT, Validity: mandate.Validity{From: from, To: from.AddDate(0, 0, 7)}})).Mandate
	}
	if done := must(s.Offboard(ctx, boss, "she leaves", last.Person.ID)); done.Mandates != many {
		t.Errorf("%d of %d ended", done.Mandates, many)
	}
}

// Nobody offboards the people of others, and programs that read offboard nobody.
func TestOffboardOthers(t *testing.T) {
	s := newScene(t)
	boss, baker, staff := s.appoint(office, mandate.Administrator, ""), s.appoint(bakery, mandate.Administrator, ""), s.appoint(Party{}, mandate.Staff, "")
	m := must(s.Ask(ctx, boss, "test", Wish{Kind: mandate.Direct, Grantor: office, Person: PersonWish{Subject: subject(1)}, Scope: forVAT, Validity: year(s.clock.Now())})).Mandate
	for c, want := range map[Caller]error{
		baker: ErrPerson, staff: mandate.ErrNotYours, s.reader(office): mandate.ErrMayOnlyRead, {999, etoegang.LoA3}: mandate.ErrNotAppointed,
	} {
		_, err := s.Offboard(ctx, c, "test", m.Person.ID)
		s.refused(fmt.Sprint("appointment ", c.Appointment), err, want)
	}
	_, err := s.Offboard(ctx, boss, "test", 0)
	s.refused("nobody leaves", err, ErrPerson)
	if s.state(m.ID).State != mandate.Active {
		t.Error("others ended the mandate")
	}
}

// What waits is listed for those whom it concerns, whoever is to answer it, and no longer once
// it is answered. The register's staff see what the register asks.
func TestWaiting(t *testing.T) {
	s := newScene(t)
	boss, baker, farmer := s.appoint(office, mandate.Administrator, ""), s.appoint(bakery, mandate.Administrator, ""), s.appoint(farm, mandate.Administrator, "")
	staff := s.appoint(Party{}, mandate.Staff, "")
	waits := func(c Caller, want ...mandate.ID) {
		t.Helper()
		var got []mandate.ID
		if err := s.Look(ctx, c, 0, func(l *Look) error {
			for _, others := range []bool{false, true} {
				list, _, err := l.ToAnswer(others, 0, 10)
				if err != nil {
					return err
				}
				for _, r := range list {
					got = append(got, r.ID)
				}
			}
			slices.Sort(got)
			return nil
		}); err != nil || !slices.Equal(got, want) {
			t.Errorf("appointment %d sees %v, %v; want %v", c.Appointment, got, err, want)
		}
	}
	asked := must(s.Ask(ctx, boss, "test", s.wish(forVAT))).Mandate.ID
	w := s.wish(forTaxes)
	w.Evidence = []mandate.Evidence{{Kind: mandate.SignedForm, Dated: s.clock.Now(), Where: "box 7"}, {Kind: mandate.Extract, Dated: s.clock.Now(), Where: "box 7"}}
	paper := must(s.Ask(ctx, staff, "test", w)).Mandate.ID
	waits(boss, asked, paper)
	waits(baker, asked, paper)
	waits(farmer)
	waits(staff, paper)
	must(s.Refuse(ctx, baker, "test", asked))
	waits(boss, paper)
}
