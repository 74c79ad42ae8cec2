package desk

import (
	"crypto/sha256"
	"testing"
	"time"

	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
)

// Of many wishes each stands by itself: what is refused has left nothing behind, and what is
// asked for again is there already, also when it could no longer be asked for.
func TestManyWishes(t *testing.T) {
	s := newScene(t)
	bol := s.appoint(office, mandate.Administrator, "")
	first, wrong, stranger := s.wish(forVAT), s.wish(forVAT), s.wish(forVAT)
	wrong.Intermediary, wrong.Grantor = office, Party{KvK: kvk(77), Name: "New"}
	wrong.Validity.To = wrong.Validity.From
	stranger.Intermediary = farm
	ask := func(dry bool) (ids []mandate.ID, there []bool, errs []error) {
		t.Helper()
		_, err := s.Many(ctx, bol, "clients of today", dry, func(m *Many) error {
			for _, w := range []Wish{first, wrong, stranger} {
				got, was, err := m.Ask(w)
				ids, there, errs = append(ids, got.ID), append(there, was), append(errs, err)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		s.refused("the wrong one", errs[1], mandate.ErrOrder)
		s.refused("one between others", errs[2], mandate.ErrNotYours)
		return ids, there, errs
	}
	tried, there, errs := ask(true)
	if errs[0] != nil || there[0] {
		t.Fatalf("tried: %v, %v", there[0], errs[0])
	}
	got, there, errs := ask(false)
	if errs[0] != nil || there[0] || got[0] != tried[0] || s.state(got[0]).State != mandate.Requested {
		t.Fatalf("in earnest: %v, %v, %v", got[0], there[0], errs[0])
	}
	s.clock.advance(48 * time.Hour)
	again, there, errs := ask(false)
	if errs[0] != nil || !there[0] || again[0] != got[0] {
		t.Errorf("two days later: %v, %v, %v", again[0], there[0], errs[0])
	}
	must(s.Refuse(ctx, bol, "not needed", got[0]))
	_, _, errs = ask(false)
	s.refused("what was withdrawn", errs[0], ErrEnded)
	if err := s.register.Read(ctx, func(v *register.Snapshot) error {
		if o := must(v.Organisation(kvk(77).LegalSubject())); o != nil {
			t.Error("the company of the refused wish was registered")
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

// A program is found by what it shows, for as long as it is appointed.
func TestProgramsByWhatTheyShow(t *testing.T) {
	s := newScene(t)
	anna := s.appoint(bakery, mandate.Administrator, "")
	key := []byte("a public key")
	c := register.Credential{Fingerprint: sha256.Sum256(key), Public: key}
	made := must(s.Appoint(ctx, anna, "for the ledger", Appointment{Company: bakery.KvK, Role: mandate.Program, Name: "ledger",
		Level: etoegang.LoA3, Validity: year(s.clock.Now()), Credentials: []register.Credential{c}}))
	list := must(s.Programs(ctx, c.Fingerprint))
	if len(list) != 1 || list[0].Appointment.ID != made.Appointment.ID || string(list[0].Public) != string(key) {
		t.Errorf("found: %+v", list)
	}
	must(s.Dismiss(ctx, anna, "replaced", made.Appointment.ID, false, nil))
	if list := must(s.Programs(ctx, c.Fingerprint)); len(list) != 0 {
		t.Errorf("dismissed, and found: %+v", list)
	}
}
