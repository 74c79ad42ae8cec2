package api

import (
	"fmt"
	"testing"

	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
)

// Eva goes on leave, and her clients go to Tom: one of them first, then the others. What Tom has of
// another extent stays hers, and what is nobody's to hand over is told by its number.
func TestHandOver(t *testing.T) {
	onBoth(t, func(t *testing.T, s *scene) {
		var hers []Mandate
		for n, of := range []*program{s.bakery, s.farm} {
			w := chain(vat+"@loa3", permits+"@loa3")
			w["grantor"] = []object{company(bakery), company(farm)}[n]
			client := of.post("/mandates", w)
			for _, scope := range []string{vat, permits} {
				hers = append(hers, s.office.post("/mandates", assignment(client.Mandate.ID, 1, scope+"@loa3")).Mandate)
			}
		}
		his := s.office.post("/mandates", assignment(hers[3].Client, 2, vat+"@loa3", permits+"@loa3")).Mandate
		s.office.post(fmt.Sprintf("/mandates/%d/suspensions", his.ID), because)
		own := s.office.post("/mandates", direct(office, 1, permits+"@loa3")).Mandate
		at := Path + fmt.Sprintf("/people/%d/handovers", own.Person.Number)
		hand := func(some ...int64) (v Handover) {
			what := object{"why": "on leave", "to": member(2)}
			if some != nil {
				what["mandates"] = some
			}
			s.office.read(s.office.ask("POST", at, what), 200, &v)
			return v
		}
		s.office.refused("to nobody", s.office.ask("POST", at, object{"why": "on leave", "to": object{"name": "Tom"}}), 400, "input-invalid")
		s.office.refused("to herself", s.office.ask("POST", at, object{"why": "on leave", "to": member(1)}), 400, "person-unknown")
		s.office.refused("nothing", s.office.ask("POST", at, object{"why": "on leave", "to": member(2), "mandates": []int64{}}), 400, "input-invalid")
		s.officesReader.refused("by a reader", s.officesReader.ask("POST", at, object{"why": "on leave", "to": member(2)}), 403, "may-only-read")

		done := hand(hers[0].ID, own.ID)
		if done.Moved != 1 || done.Waiting != 0 || len(done.Refused) != 1 || done.Refused[0].Mandate != own.ID || done.Refused[0].Problem.Code != "not-found" || done.Revision == 0 {
			t.Errorf("one: %+v", done)
		}
		done = hand()
		if done.Moved != 1 || len(done.Refused) != 2 || done.Refused[0].Mandate != hers[2].ID || done.Refused[0].Client != hers[2].Client ||
			done.Refused[0].Problem.Code != "overlap" || done.Refused[0].Problem.Mandate != his.ID {
			t.Errorf("the others: %+v", done)
		}
		for i, state := range []string{"revoked", "revoked", "active", "active"} {
			if now := get[Single](s.office, fmt.Sprint("/mandates/", hers[i].ID)).Mandate; now.State != state {
				t.Errorf("hers of %d is %s, want %s", i, now.State, state)
			}
		}
		if list := get[Mandates](s.office, fmt.Sprintf("/mandates?state=active&person=%d", his.Person.Number)); list.Total != 2 {
			t.Errorf("Tom has %+v", list)
		}
		if done = hand(hers[0].ID); done.Moved != 0 || len(done.Refused) != 1 {
			t.Errorf("what she has no more: %+v", done)
		}
	})
}

// Two directors sign together: what the first hands over waits, and she keeps it until the second
// has signed.
func TestHandOverIsSigned(t *testing.T) {
	onBoth(t, func(t *testing.T, s *scene) {
		first, second := s.appoint(office, mandate.Director), s.appoint(office, mandate.Director)
		client := s.bakery.post("/mandates", chain(vat+"@loa3"))
		hers := s.office.post("/mandates", assignment(client.Mandate.ID, 1, vat+"@loa3")).Mandate
		var done Handover
		first.read(first.ask("POST", Path+fmt.Sprintf("/people/%d/handovers", hers.Person.Number), object{"why": "on leave", "to": member(2)}), 200, &done)
		if done.Waiting != 1 || done.Moved != 0 || len(done.Refused) != 0 {
			t.Fatalf("with one signature: %+v", done)
		}
		state := func() string { return get[Single](s.office, fmt.Sprint("/mandates/", hers.ID)).Mandate.State }
		if state() != "active" {
			t.Errorf("with one signature hers is %s", state())
		}
		waits := get[Requests](second, "/requests").Requests
		second.post(fmt.Sprintf("/mandates/%d/acceptances", waits[0].Mandate.ID), because)
		if state() != "revoked" {
			t.Errorf("with two hers is %s", state())
		}
	})
}

// Whoever hands over more than one change may hold goes on with the cursor where he was, also past
// what stays as it is.
func TestHandOversGoOn(t *testing.T) {
	onBoth(t, func(t *testing.T, s *scene) {
		c := s.bakery.post("/mandates", chain(vat+"@loa3"))
		hers := s.office.post("/mandates", assignment(c.Mandate.ID, 1, permits+"@loa3")).Mandate
		his := s.office.post("/mandates", assignment(c.Mandate.ID, 2, permits+"@loa3")).Mandate
		s.office.post(fmt.Sprintf("/mandates/%d/suspensions", his.ID), because) // so hers stays
		const days = mostAssigned + 1
		_ = must(s.register.Change(ctx, keeper, func(tx *register.Tx) error {
			m := must(tx.Snapshot().Mandate(mandate.ID(hers.ID)))
			m.ID, m.Scope = 0, mandate.Scope{must(mandate.ParseItem(vat + "@loa3"))}
			for range days { // each after the one before
				m.Validity = mandate.Validity{From: m.Validity.From.AddDate(0, 0, 1), To: m.Validity.From.AddDate(0, 0, 2)}
				must(tx.Grant(m, register.GrantOptions{}))
			}
			return nil
		}))
		at := Path + fmt.Sprintf("/people/%d/handovers", hers.Person.Number)
		on := object{"why": "on leave", "to": member(2)}
		var first, rest Handover
		s.office.read(s.office.ask("POST", at, on), 200, &first)
		if first.Moved != mostAssigned-1 || len(first.Refused) != 1 || first.Refused[0].Mandate != hers.ID || first.Next == "" {
			t.Fatalf("at first: %d moved, %+v, next %q", first.Moved, first.Refused, first.Next)
		}
		on["cursor"] = first.Next
		s.office.refused("a cursor for somebody else", s.office.ask("POST", Path+fmt.Sprintf("/people/%d/handovers", his.Person.Number), object{"why": "x", "to": member(1), "cursor": first.Next}), 400, "cursor-invalid")
		s.office.read(s.office.ask("POST", at, on), 200, &rest)
		if rest.Moved != 2 || len(rest.Refused) != 0 || rest.Next != "" || rest.Revision <= first.Revision {
			t.Errorf("then: %+v", rest)
		}
		on["mandates"] = []int64{hers.ID}
		s.office.refused("a cursor and mandates", s.office.ask("POST", at, on), 400, "input-invalid")
	})
}
