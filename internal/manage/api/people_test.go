package api

import (
	"fmt"
	"testing"
)

// An employee leaves: one call ends what the office gave her, for itself and for its clients, and
// her place in its teams. What another organisation gave her stays, and is nobody else's to end.
func TestOffboarding(t *testing.T) {
	onBoth(t, func(t *testing.T, s *scene) {
		own := s.office.post("/mandates", direct(office, 1, permits+"@loa3"))
		client := s.bakery.post("/mandates", chain(vat+"@loa3"))
		passed := s.office.post("/mandates", assignment(client.Mandate.ID, 1, vat+"@loa3"))
		other := s.farm.post("/mandates", direct(farm, 1, vat+"@loa3"))
		team := s.office.makeTeam("Shops")
		s.office.add(team+"/members", member(1))
		leaves := fmt.Sprintf("/people/%d/offboardings", own.Mandate.Person.Number)
		s.bakery.refused("by the client", s.bakery.ask("POST", Path+leaves, because), 400, "person-unknown")
		s.office.refused("without a reason", s.office.ask("POST", Path+leaves, object{}), 400, "input-invalid")

		var done Offboarding
		s.office.read(s.office.ask("POST", Path+leaves, because), 200, &done)
		if done.Mandates != 2 || done.Requests != 0 || done.Revision == 0 {
			t.Errorf("she leaves: %+v", done)
		}
		for _, m := range []Single{own, passed} {
			if now := get[Single](s.office, fmt.Sprint("/mandates/", m.Mandate.ID)); now.Mandate.State != "revoked" {
				t.Errorf("mandate %d is %s", m.Mandate.ID, now.Mandate.State)
			}
		}
		if now := get[Single](s.farm, fmt.Sprint("/mandates/", other.Mandate.ID)); now.Mandate.State != "active" {
			t.Errorf("what the farm gave is %s", now.Mandate.State)
		}
		if v := get[TeamView](s.office, team); len(v.Members) != 0 {
			t.Errorf("she is still in the team: %+v", v.Members)
		}
	})
}
