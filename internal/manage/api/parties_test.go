package api

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mandated/mandated/pkg/mandate"
)

// One of the register's staff is called: the bakery is broken into, and its receiver says that it
// is bankrupt. He finds it, stops it, writes that down, and lifts the stop when it is over. The
// mandates stay, and others are not held up.
func TestTheStaffStopAParty(t *testing.T) {
	onBoth(t, func(t *testing.T, s *scene) {
		rik := s.appoint(itself, mandate.Staff)
		given := s.bakery.post("/mandates", chain(vat+"@loa3"))
		found := get[Parties](rik, "/parties?search=vroeg").Parties
		if len(found) != 1 || found[0].Company.KvKNumber != bakery.KvK.Text() || found[0].Company.Name != bakery.Name || found[0].Stopped {
			t.Fatalf("found: %+v", found)
		}
		at := "/parties/" + bakery.KvK.Text()
		if v := get[PartyView](rik, at); v.InForce != 1 || v.Stop != nil || v.Standing != (Standing{"unknown", "normal"}) || v.Company.Name != bakery.Name || v.Revision == 0 {
			t.Errorf("before: %+v", v)
		}
		rik.refused("without a reason", rik.ask("POST", Path+at+"/stops", object{}), 400, "input-invalid")
		rik.refused("of a stranger", rik.ask("POST", Path+"/parties/"+kvk(9).Text()+"/stops", because), 404, "not-found")

		var done Stopped
		rik.read(rik.ask("POST", Path+at+"/stops", object{"why": "break-in"}), 200, &done)
		v := get[PartyView](rik, at)
		if !done.Stopped || v.Stop == nil || v.Stop.Why != "break-in" || v.Stop.Revision != done.Revision || v.Stop.Since.IsZero() || v.InForce != 1 {
			t.Errorf("stopped: %+v, %+v", done, v)
		}
		s.bakery.refused("its program", s.bakery.ask("GET", Path+"/mandates", nil), 403, "appointment-over")
		if found = get[Parties](rik, "/parties?search=vroeg").Parties; !found[0].Stopped {
			t.Error("a search does not show the stop")
		}
		if m := get[Single](s.office, fmt.Sprint("/mandates/", given.Mandate.ID)); m.Mandate.State != "active" {
			t.Errorf("the mandate is %s", m.Mandate.State)
		}
		rik.read(rik.ask("POST", Path+at+"/liftings", object{"why": "looked into"}), 200, &done)
		if v := get[PartyView](rik, at); done.Stopped || v.Stop != nil {
			t.Errorf("lifted: %+v, %+v", done, v)
		}

		write := func(what object) (w WrittenStanding) {
			what["why"] = "extract of today"
			rik.read(rik.ask("PUT", Path+at+"/standing", what), 200, &w)
			return w
		}
		write(object{"form": "legal-person"})
		if w := write(object{"standing": "bankrupt"}); w.Standing != (Standing{"legal-person", "bankrupt"}) || get[PartyView](rik, at).Standing != w.Standing {
			t.Errorf("written: %+v", w)
		}
		s.bakery.refused("a bankrupt's mandate", s.bakery.ask("POST", Path+"/mandates", direct(bakery, 1, vat+"@loa3")), 403, "on-paper")
		rik.refused("that says nothing", rik.ask("PUT", Path+at+"/standing", because), 400, "input-invalid")
		if w := write(object{"standing": "normal", "form": "unknown"}); w.Standing != (Standing{"unknown", "normal"}) {
			t.Errorf("as it was: %+v", w)
		}
		s.bakery.post("/mandates", direct(bakery, 1, vat+"@loa3"))
		if said := s.log.String(); said != "" {
			t.Errorf("logged: %s", said)
		}
	})
}

// A means of somebody was stolen: nothing is permitted to him, whoever gave it, until the stop is
// lifted.
func TestTheStaffStopAPerson(t *testing.T) {
	onBoth(t, func(t *testing.T, s *scene) {
		rik := s.appoint(itself, mandate.Staff)
		own := s.bakery.post("/mandates", direct(bakery, 1, vat+"@loa3")).Mandate
		s.farm.post("/mandates", direct(farm, 1, permits+"@loa3"))
		at := fmt.Sprint("/people/", own.Person.Number)
		rik.refused("of nobody", rik.ask("POST", Path+"/people/999/stops", because), 404, "not-found")
		rik.refused("the mandates of nobody", rik.ask("GET", Path+"/people/999/mandates", nil), 404, "not-found")

		var done Stopped
		rik.read(rik.ask("POST", Path+at+"/stops", object{"why": "stolen"}), 200, &done)
		if v := get[PersonView](rik, at); v.Stop == nil || v.Stop.Why != "stolen" || v.InForce != 2 || v.Person.Name != "Employee 1" {
			t.Errorf("stopped: %+v", v)
		}
		if list := get[Mandates](rik, at+"/mandates?state=active"); list.Total != 2 || list.Mandates[1].Grantor.Name != farm.Name || list.Mandates[0].Side != "register" {
			t.Errorf("his: %+v", list)
		}
		if list := get[Mandates](rik, at+"/mandates?kind=chain"); list.Total != 0 {
			t.Errorf("his chains: %+v", list)
		}
		rik.read(rik.ask("POST", Path+at+"/liftings", object{"why": "he has another"}), 200, &done)
		if v := get[PersonView](rik, at); v.Stop != nil {
			t.Errorf("lifted: %+v", v)
		}
	})
}

// The staff's lists go on page after page, each at one revision, whatever is written meanwhile.
func TestTheStaffsLists(t *testing.T) {
	onBoth(t, func(t *testing.T, s *scene) {
		rik := s.appoint(itself, mandate.Staff)
		for n := range 3 {
			s.bakery.post("/mandates", direct(bakery, n, vat+"@loa3"))
		}
		at, person := "/parties/"+bakery.KvK.Text(), 100
		s.office.post("/mandates", chain(vat+"@loa3"))
		for path, fewest := range map[string]int{"/parties?search=1000": 3, at + "/mandates?kind=direct": 3, at + "/mandates?side=grantor": 4, at + "/appointments?": 2, "/people/1/mandates?": 1} {
			want, all := rik.everything(path)
			var got []string
			for next, more := "", true; more; more = next != "" {
				rows, p := rik.everything(path + "&limit=1&cursor=" + next)
				if next = p.Next; p.Revision < all.Revision || len(got) > 0 && p.Revision != all.Revision {
					t.Errorf("%s: a page of %d after one of %d", path, p.Revision, all.Revision)
				}
				all, got, person = p, append(got, rows...), person+1
				w := direct(bakery, person, vat+"@loa3")
				s.bakery.post("/mandates", w)
			}
			if diff := cmp.Diff(want, got); diff != "" || len(got) < fewest {
				t.Errorf("%s (-at once, +page by page):\n%s", path, diff)
			}
		}
		if rows, _ := rik.everything(at + "/mandates?side=receiver"); len(rows) != 0 {
			t.Errorf("it receives %v", rows)
		}
		cursor := get[Mandates](rik, at+"/mandates?limit=1").Next
		rik.refused("the cursor of another party", rik.ask("GET", Path+"/parties/"+farm.KvK.Text()+"/mandates?cursor="+cursor, nil), 400, "cursor-invalid")
	})
}

// everything reads a page of one of the staff's lists, whatever is in it, by its numbers.
func (p *program) everything(path string) (rows []string, of Page) {
	p.Helper()
	list := get[struct {
		Parties      []Party
		Mandates     []Mandate
		Appointments []Appointment
		Page
	}](p, path)
	for _, one := range list.Parties {
		rows = append(rows, one.Company.KvKNumber)
	}
	for _, one := range list.Mandates {
		rows = append(rows, fmt.Sprint(one.ID))
	}
	for _, one := range list.Appointments {
		rows = append(rows, fmt.Sprint(one.Number))
	}
	return rows, list.Page
}

// What is reported to the register its staff do with anybody's mandate, on the evidence they were
// shown: the company reads that it was done and not on what, and cannot let it go on by itself.
func TestTheStaffActForAParty(t *testing.T) {
	onBoth(t, func(t *testing.T, s *scene) {
		rik := s.appoint(itself, mandate.Staff)
		given := s.bakery.post("/mandates", chain(vat+"@loa3", permits+"@loa3"))
		at := fmt.Sprint("/mandates/", given.Mandate.ID)
		notice := object{"kind": "notice", "dated": day(-1), "where": "box 9"}
		grounds := object{"why": "a report of fraud", "papers": []object{notice}}
		for _, step := range []string{"suspensions", "resumptions", "revocations", "narrowings"} {
			s.bakery.refused(step+" on paper by the company", s.bakery.ask("POST", Path+at+"/"+step, object{"why": "x", "papers": []object{notice}, "until": day(9)}), 400, "input-invalid")
		}
		rik.refused("on a paper of tomorrow", rik.ask("POST", Path+at+"/suspensions", object{"why": "x", "papers": []object{{"kind": "notice", "dated": day(2), "where": "box 9"}}}), 400, "papers")

		if v := rik.post(at+"/suspensions", grounds); v.Mandate.State != "suspended" || v.Mandate.Side != "register" {
			t.Errorf("suspended: %+v", v)
		}
		s.bakery.refused("the company lets it go on", s.bakery.ask("POST", Path+at+"/resumptions", because), 403, "other-side")
		rik.post(at+"/resumptions", because)
		less := rik.post(at+"/narrowings", object{"why": "as reported", "scope": []string{vat + "@loa3"}, "papers": []object{notice}})
		at = fmt.Sprint("/mandates/", less.Mandate.ID)
		if use := get[OneUse](rik, at+"/use"); use.LastUsed != nil || use.Since == nil {
			t.Errorf("use: %+v", use)
		}
		if fees := get[Fees](rik, "/fees"); len(fees.Fees) == 0 {
			t.Error("nobody has to pay anything")
		}
		if v := rik.post(at+"/revocations", grounds); v.Mandate.State != "revoked" {
			t.Errorf("revoked: %+v", v)
		}
		steps, told := get[History](rik, at+"/history").Steps, get[History](s.bakery, at+"/history").Steps
		if len(steps) != 2 || len(steps[0].Papers) != 1 || len(steps[1].Papers) != 1 || steps[1].Papers[0].Where != "box 9" || steps[1].Appointment == 0 {
			t.Errorf("the staff read %+v", steps)
		}
		for _, step := range told {
			if step.Side != "register" || step.Papers != nil || step.Appointment != 0 || step.Why == "" {
				t.Errorf("the company reads %+v", step)
			}
		}
	})
}

// What the staff have recorded and nobody has confirmed yet is theirs to list, and nothing that
// waits for others is.
func TestWhatTheStaffMustConfirm(t *testing.T) {
	onBoth(t, func(t *testing.T, s *scene) {
		rik, ria := s.appoint(itself, mandate.Staff), s.appoint(itself, mandate.Staff)
		s.office.post("/mandates", chain(vat+"@loa3"))
		s.bakery.post("/mandates", direct(bakery, 50, vat+"@loa3"))
		var made []Single
		for n := range 3 {
			made = append(made, rik.post("/mandates", onPaper(direct(bakery, n, vat+"@loa3"), object{"kind": "signed-form", "dated": day(-3), "where": "box 7"},
				object{"kind": "extract", "dated": day(-1), "where": "box 8"})))
		}
		one := get[Requests](ria, "/requests?limit=1")
		if len(one.Requests) != 1 || one.Total != 3 || one.Requests[0].Answer != "ours" || one.Requests[0].AskedBy != "register" || one.Requests[0].Mandate.ID != made[0].Mandate.ID {
			t.Fatalf("what waits: %+v", one)
		}
		ria.post(fmt.Sprint("/mandates/", made[1].Mandate.ID, "/acceptances"), because)
		if rest := get[Requests](ria, "/requests?cursor="+one.Next); len(rest.Requests) != 2 || rest.Total != 3 || rest.Revision != one.Revision {
			t.Errorf("the next page, as it was: %+v", rest)
		}
		if now := get[Requests](rik, "/requests"); len(now.Requests) != 2 || now.Total != 2 {
			t.Errorf("now: %+v", now)
		}
	})
}
