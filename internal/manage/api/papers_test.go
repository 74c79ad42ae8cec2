package api

import (
	"fmt"
	"testing"

	"github.com/mandated/mandated/pkg/mandate"
)

// onPaper is a wish with papers.
func onPaper(wish object, papers ...object) object {
	wish["papers"] = papers
	return wish
}

// What comes on paper one of the register's staff records through his own software, and another,
// who has looked at the papers, confirms through hers. The company sees the mandate, and no papers.
func TestPaper(t *testing.T) {
	onBoth(t, func(t *testing.T, s *scene) {
		rik, ria := s.appoint(itself, mandate.Staff), s.appoint(itself, mandate.Staff)
		if me := get[Me](rik, "/me"); me.Organisation != nil || me.Appointment.Role != "staff" {
			t.Errorf("he is %+v", me)
		}
		form, extract := object{"kind": "signed-form", "dated": day(-3), "where": "box 7", "sha256": pseudonym(7)}, object{"kind": "extract", "dated": day(-1), "where": "box 8"}
		ask := func(by *program, papers ...object) answer {
			return by.ask("POST", Path+"/mandates", onPaper(direct(bakery, 1, vat+"@loa3"), papers...))
		}
		s.bakery.refused("by the company", ask(s.bakery, form, extract), 400, "input-invalid")
		rik.refused("without an extract", ask(rik, form), 400, "papers")
		rik.refused("with an old one", ask(rik, form, object{"kind": "extract", "dated": day(-20), "where": "box 8"}), 400, "papers")
		rik.refused("with no sum", ask(rik, object{"kind": "signed-form", "dated": day(-3), "where": "box 7", "sha256": "7"}, extract), 400, "input-invalid")

		var made Single
		rik.read(ask(rik, form, extract), 201, &made)
		if made.Mandate.State != "awaiting-signatures" || made.Mandate.Side != "register" {
			t.Fatalf("recorded is %+v", made.Mandate)
		}
		at := fmt.Sprint("/mandates/", made.Mandate.ID)
		rik.refused("by the same", rik.ask("POST", Path+at+"/acceptances", because), 403, "four-eyes")
		s.bakery.refused("by the company", s.bakery.ask("POST", Path+at+"/acceptances", because), 403, "other-side")
		papers := get[History](ria, at+"/history").Steps[0].Papers
		if len(papers) != 2 || papers[0].Kind != "signed-form" || papers[0].SHA256 != pseudonym(7) || papers[1].Where != "box 8" {
			t.Errorf("she reads %+v", papers)
		}
		if v := ria.post(at+"/acceptances", because); v.Mandate.State != "active" {
			t.Errorf("confirmed it is %s", v.Mandate.State)
		}
		for _, step := range get[History](s.bakery, at+"/history").Steps {
			if step.Side != "register" || step.Papers != nil || step.Appointment != 0 {
				t.Errorf("the company reads %+v", step)
			}
		}
		s.farm.refused("by others", s.farm.ask("GET", Path+at, nil), 404, "not-found")
	})
}

// Two directors sign through software of their own: what one has signed waits for the other.
func TestTwoDirectorsSign(t *testing.T) {
	onBoth(t, func(t *testing.T, s *scene) {
		first, second := s.appoint(bakery, mandate.Director), s.appoint(bakery, mandate.Director)
		made := first.post("/mandates", direct(bakery, 1, vat+"@loa3"))
		at := fmt.Sprint("/mandates/", made.Mandate.ID)
		if made.Mandate.State != "awaiting-signatures" {
			t.Fatalf("after one signature it is %s", made.Mandate.State)
		}
		first.refused("the same director", first.ask("POST", Path+at+"/acceptances", because), 409, "signed-already")
		asked := get[Requests](second, "/requests").Requests
		if len(asked) != 1 || asked[0].Answer != "ours" || asked[0].Signed != 1 {
			t.Errorf("the other reads %+v", asked)
		}
		if v := second.post(at+"/acceptances", because); v.Mandate.State != "active" {
			t.Errorf("after two it is %s", v.Mandate.State)
		}
	})
}
