package register

import (
	"testing"

	"github.com/mandated/mandated/pkg/mandate"
)

// An office with two teams: what each lacks, what each gave, and what is left of both.
func TestTeams(t *testing.T) {
	onBoth(t, func(t *testing.T, s *scene) {
		b, other, a, anna, bob := s.org(1), s.org(3), s.org(2), s.person(1), s.person(2)
		c, d := s.grant(chain(b, a)), s.grant(chain(other, a))
		_ = s.grant(direct(b, anna))
		var vat, wages mandate.Team
		s.change(func(t *Tx) {
			vat, wages = must(t.PutTeam(mandate.Team{Organisation: a, Name: "VAT"})), must(t.PutTeam(mandate.Team{Organisation: a, Name: "Wages"}))
			for _, o := range []mandate.OrganisationID{b.ID, other.ID} {
				must(t.AddClient(vat.ID, o))
			}
			must(t.AddMember(vat.ID, anna.ID))
			must(t.AddMember(vat.ID, bob.ID))
			must(t.AddMember(wages.ID, anna.ID))
			must(t.AddClient(wages.ID, other.ID))
		})
		s.change(func(t *Tx) {
			if must(t.AddMember(vat.ID, bob.ID)) || must(t.DropMember(wages.ID, bob.ID)) {
				s.Error("it was so before")
			}
		})
		s.refused(mandate.ErrTeam, func(t *Tx) error { _, err := t.PutTeam(mandate.Team{Organisation: a}); return err })
		s.refused(ErrNotFound, func(t *Tx) error { _, err := t.PutTeam(mandate.Team{ID: 9, Organisation: a, Name: "x"}); return err })
		s.refused(ErrText, func(t *Tx) error { _, err := t.PutTeam(mandate.Team{Organisation: a, Name: "x\x00"}); return err })
		s.refused(ErrUnknownParty, func(t *Tx) error {
			_, err := t.PutTeam(mandate.Team{Organisation: mandate.Organisation{ID: 99}, Name: "x"})
			return err
		})
		s.refused(ErrNotFound, func(t *Tx) error { return t.EndTeam(9) })
		both := []mandate.PersonID{anna.ID, bob.ID}
		lacks := func(team mandate.Team, want ...Gap) {
			t.Helper()
			s.read(func(v *Snapshot) {
				var got []Gap
				for after := (Gap{}); ; { // one by one, as pages do
					list := must(v.Gaps(team.ID, both, s.Now(), after, 1))
					if len(list) == 0 {
						break
					}
					got, after = append(got, list...), list[0]
				}
				if len(got) != len(want) || must(v.GapsLeft(team.ID, s.Now())) != len(want) {
					t.Fatalf("%s lacks %v, want %v", team.Name, got, want)
				}
				for i := range want {
					if got[i] != want[i] {
						t.Errorf("%s lacks %v, want %v", team.Name, got, want)
					}
				}
			})
		}
		gave := func(team mandate.Team, p mandate.Person, client mandate.OrganisationID, want ...mandate.ID) {
			t.Helper()
			s.read(func(v *Snapshot) {
				got := must(v.TeamGave(team.ID, p.ID, client))
				if len(got) != len(want) || len(got) > 0 && got[0] != want[0] {
					t.Errorf("%s gave %v, want %v", team.Name, got, want)
				}
			})
		}
		lacks(vat, Gap{c.ID, anna.ID}, Gap{c.ID, bob.ID}, Gap{d.ID, anna.ID}, Gap{d.ID, bob.ID})
		lacks(wages, Gap{d.ID, anna.ID})
		s.read(func(v *Snapshot) {
			if got := must(v.Gaps(vat.ID, both[1:], s.Now(), Gap{}, 9)); len(got) != 2 || got[0].Person != bob.ID || got[1].Person != bob.ID {
				t.Errorf("Bob alone lacks %v", got)
			}
			if got := must(v.Gaps(vat.ID, []mandate.PersonID{}, s.Now(), Gap{}, 9)); len(got) != 0 {
				t.Errorf("nobody lacks %v", got)
			}
			if got := must(v.Gaps(vat.ID, nil, s.Now(), Gap{}, 9)); len(got) != 4 {
				t.Errorf("all lack %v", got)
			}
		})
		forB, forOther := s.grant(assignment(c, anna)), s.grant(assignment(d, anna))
		lacks(vat, Gap{c.ID, bob.ID}, Gap{d.ID, bob.ID})
		lacks(wages)
		gave(vat, anna, 0, forB.ID) // the other she has of both
		gave(vat, anna, b.ID, forB.ID)
		gave(vat, anna, other.ID)
		gave(vat, bob, 0)
		s.change(func(t *Tx) { must(t.DropMember(wages.ID, anna.ID)) })
		gave(vat, anna, other.ID, forOther.ID)
		s.setState(forB.ID, mandate.Revoked)
		s.setState(d.ID, mandate.Revoked)
		gave(vat, anna, 0)
		lacks(vat, Gap{c.ID, anna.ID}, Gap{c.ID, bob.ID})

		before := s.state()
		s.change(func(t *Tx) {
			must(t.PutTeam(mandate.Team{ID: wages.ID, Organisation: a, Name: "Wages and VAT"}))
			if err := t.EndTeam(vat.ID); err != nil {
				panic(err)
			}
		})
		s.read(func(v *Snapshot) {
			if list := must(v.Teams(a.ID)); len(list) != 1 || list[0].Name != "Wages and VAT" || list[0].Organisation != a {
				t.Errorf("left: %+v", list)
			}
			if m, c := must2(v.TeamSize(vat.ID)); m+c != 0 {
				t.Errorf("an ended team has %d members and %d clients", m, c)
			}
			if list := must(v.TeamsOf(a.ID, bob.ID)); len(list) != 0 {
				t.Errorf("Bob is in %+v", list)
			}
		})
		s.readAt(before, func(v *Snapshot) {
			list, more := must2(v.TeamClients(vat.ID, 0, 1))
			if people := must(v.TeamMembers(vat.ID)); len(people) != 2 || people[1] != bob || len(list) != 1 || !more {
				t.Errorf("before: %+v, %+v", people, list)
			}
			if list, more := must2(v.TeamClients(vat.ID, list[0].ID, 1)); len(list) != 1 || more {
				t.Errorf("and then: %+v", list)
			}
			if list := must(v.TeamsOf(a.ID, bob.ID)); len(list) != 1 || list[0] != vat {
				t.Errorf("Bob was in %+v", list)
			}
		})
	})
}

// What has to be paid is written when a mandate comes in force, and stays when that ends.
func TestFees(t *testing.T) {
	onBoth(t, func(t *testing.T, s *scene) {
		b, other, a := s.org(1), s.org(3), s.org(2)
		var one, two mandate.Mandate
		s.change(func(t *Tx) {
			one, two = paid(t, chain(b, a)), paid(t, chain(other, a))
			if err := t.AddFee(must(t.Grant(chain(a, b), GrantOptions{})).ID, 0); err != nil {
				panic(err)
			}
		})
		s.setState(one.ID, mandate.Revoked)
		s.read(func(v *Snapshot) {
			list, more := must2(v.Fees(0, 0, 1))
			if len(list) != 1 || !more || list[0].Mandate.ID != one.ID || list[0].Cents != 2000 || list[0].Mandate.State != mandate.Revoked || list[0].At.IsZero() {
				t.Errorf("%+v", list)
			}
			if list, more := must2(v.Fees(0, one.ID, 10)); len(list) != 1 || more {
				t.Errorf("%+v", list)
			}
			if list, _ := must2(v.Fees(other.ID, 0, 10)); len(list) != 1 || list[0].Mandate.ID != two.ID {
				t.Errorf("%+v", list)
			}
		})
	})
}
