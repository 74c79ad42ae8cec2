package desk

import (
	"errors"
	"testing"
	"time"

	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
)

// The office puts Eva and Tom in a team for two clients: each gets what the clients gave, once.
// Tom also is in a team of his own for the farm. Who leaves a team loses what he had by it
// alone.
func TestTeamsAssign(t *testing.T) {
	s := newScene(t)
	boss, baker, farmer := s.appoint(office, mandate.Administrator, ""), s.appoint(bakery, mandate.Administrator, ""), s.appoint(farm, mandate.Director, mandate.Alone)
	b := must(s.Ask(ctx, baker, "test", s.wish(forVAT))).Mandate
	w := s.wish(forTaxes)
	w.Grantor, w.Validity.To = farm, w.Validity.To.AddDate(3, 0, 0) // for longer than the boss is appointed
	f := must(s.Ask(ctx, farmer, "test", w)).Mandate

	team := must(s.PutTeam(ctx, boss, 0, "Everybody")).Team
	own := must(s.PutTeam(ctx, boss, 0, "Farm")).Team
	if !must(s.PutTeam(ctx, boss, own.ID, "Farms")).Changed || must(s.PutTeam(ctx, boss, own.ID, "Farms")).Changed {
		t.Error("a name changes once")
	}
	if done := must(s.AddClients(ctx, boss, team.ID, []etoegang.KvKNumber{bakery.KvK, farm.KvK, bakery.KvK})); done.Added != 2 {
		t.Fatalf("%+v", done)
	}
	must(s.AddClients(ctx, boss, own.ID, []etoegang.KvKNumber{farm.KvK}))
	eva, tom := PersonWish{Subject: subject(1), Name: "Eva"}, PersonWish{Subject: subject(2), Name: "Tom"}
	for _, p := range []PersonWish{eva, tom} {
		must(s.Join(ctx, boss, team.ID, p))
	}
	for _, p := range s.viewOf(boss, team.ID).Members { // nobody has assigned them anything yet: they are known by number all the same
		if p.Name == tom.Name {
			tom = PersonWish{ID: p.ID}
		}
	}
	must(s.Join(ctx, boss, own.ID, tom))
	if must(s.Join(ctx, boss, own.ID, tom)).Changed {
		t.Error("Tom is in his team twice")
	}
	view := func(id mandate.TeamID) TeamView { return s.viewOf(boss, id) }
	if v := view(team.ID); len(v.Members) != 2 || v.Clients != 2 || v.Lacking != 4 {
		t.Fatalf("%+v", v)
	}
	consent := register.Consent{Language: "nl", Text: "alles van onze klanten"}
	fill := func(id mandate.TeamID) (made int) {
		t.Helper()
		for after, more := (register.Gap{}), true; more; {
			done := must(s.FillTeam(ctx, boss, "a new team", id, after, 3, consent))
			made, after, more = made+done.Made, done.Next, done.More
			if len(done.Refused) != 0 {
				t.Fatalf("refused: %+v", done.Refused)
			}
		}
		return made
	}
	if n := fill(team.ID); n != 4 || view(team.ID).Lacking != 0 || view(own.ID).Lacking != 0 {
		t.Errorf("%d assigned", n)
	}
	if n := fill(own.ID); n != 0 {
		t.Errorf("%d assigned twice", n)
	}
	members := view(team.ID).Members
	for client, until := range map[mandate.ID]time.Time{b.ID: b.Validity.To, f.ID: s.clock.Now().AddDate(3, 0, 0)} {
		for _, p := range members {
			a := s.assigned(client, p.ID)
			if a.State != mandate.Active || !a.Validity.To.Equal(until) {
				t.Errorf("%d of %d: %+v", client, p.ID, a)
			}
			if steps := s.steps(a.ID); len(steps) != 1 || steps[0].Consent.Text != consent.Text {
				t.Errorf("written down: %+v", steps)
			}
		}
	}

	must(0, s.Look(ctx, boss, 0, func(l *Look) error {
		for what, n := range map[string][2]int{
			"Eva leaves": {must(l.Loses(team.ID, members[0].ID, 0)), 2}, "Tom leaves": {must(l.Loses(team.ID, members[1].ID, 0)), 1}, "the bakery goes": {must(l.Loses(team.ID, 0, b.Grantor.ID)), 2},
		} {
			if n[0] != n[1] {
				t.Errorf("when %s %d are lost, not %d", what, n[0], n[1])
			}
		}
		return nil
	}))
	sam := must(s.Ask(ctx, boss, "by himself", Wish{Kind: mandate.Assignment, Grantor: office, Client: f.ID, Person: PersonWish{Subject: subject(3)}, Scope: forVAT, Validity: year(s.clock.Now())})).Mandate
	if done := must(s.Leave(ctx, boss, own.ID, sam.Person.ID)); done.Changed || done.Ended != 0 {
		t.Errorf("Sam leaves a team that he is not in: %+v", done)
	}
	if done := must(s.Leave(ctx, boss, team.ID, members[1].ID)); !done.Changed || done.Ended != 1 {
		t.Errorf("Tom keeps the farm by his own team: %+v", done)
	}
	if a, c := s.assigned(b.ID, members[1].ID), s.assigned(f.ID, members[1].ID); a.State != mandate.Revoked || c.State != mandate.Active {
		t.Errorf("Tom has %s and %s", a.State, c.State)
	}
	if done := must(s.DropClient(ctx, boss, team.ID, farm.KvK)); done.Ended != 1 || s.assigned(f.ID, members[0].ID).State != mandate.Revoked {
		t.Errorf("the farm is none of Eva's any more: %+v", done)
	}
	_, err := s.EndTeam(ctx, boss, team.ID)
	s.refused("a team at work", err, ErrTeamAtWork)
	if done := must(s.Offboard(ctx, boss, "she leaves", members[0].ID)); done.Mandates != 1 || len(view(team.ID).Members) != 0 {
		t.Errorf("Eva leaves: %+v", done)
	}
	must(s.EndTeam(ctx, boss, team.ID))
	if _, err := s.FillTeam(ctx, boss, "x", team.ID, register.Gap{}, 1, consent); !errors.Is(err, register.ErrNotFound) {
		t.Errorf("an ended team: %v", err)
	}
}

// viewOf is a team as its leader does.
func (s *scene) viewOf(c Caller, id mandate.TeamID) (v TeamView) {
	must(0, s.Look(ctx, c, 0, func(l *Look) (err error) { v, err = l.Team(id); return err }))
	return v
}

// assigned is what somebody has of a client's mandate.
func (s *scene) assigned(client mandate.ID, p mandate.PersonID) (m mandate.Mandate) {
	s.Helper()
	must(0, s.register.Read(ctx, func(v *register.Snapshot) error {
		list, _, err := v.Mandates(register.Filter{Person: p}, 0, 100)
		for _, one := range list {
			if one.Client == client {
				m = one
			}
		}
		return err
	}))
	return m
}

// Whose team it is not, for him it does not exist; and no team works for a stranger, nor
// assigns what its leader could not assign himself.
func TestTeamsOfOthers(t *testing.T) {
	s := newScene(t)
	boss, baker, reader, staff := s.appoint(office, mandate.Administrator, ""), s.appoint(bakery, mandate.Administrator, ""), s.reader(office), s.appoint(Party{}, mandate.Staff, "")
	team := must(s.PutTeam(ctx, boss, 0, "Everybody")).Team
	_, err := s.AddClients(ctx, boss, team.ID, []etoegang.KvKNumber{bakery.KvK})
	var stranger *NotClientError
	if !errors.As(err, &stranger) || stranger.Company != bakery.KvK {
		t.Errorf("a stranger: %v", err)
	}
	asked := must(s.Ask(ctx, boss, "test", s.wish(forVAT))).Mandate
	must(s.AddClients(ctx, boss, team.ID, []etoegang.KvKNumber{bakery.KvK}))
	must(s.Refuse(ctx, baker, "test", asked.ID))
	if !must(s.DropClient(ctx, boss, team.ID, bakery.KvK)).Changed {
		t.Error("the team works on for who refused")
	}
	_, err = s.AddClients(ctx, boss, team.ID, []etoegang.KvKNumber{bakery.KvK})
	s.refused("who refused", err, ErrNotClient)
	for what, number := range map[string]etoegang.KvKNumber{"who refused, again": bakery.KvK, "nobody": kvk(99)} {
		_, err = s.DropClient(ctx, boss, team.ID, number)
		s.refused(what, err, ErrNotClient)
	}
	_ = must(s.Ask(ctx, baker, "test", s.wish(forVAT)))
	must(s.AddClients(ctx, boss, team.ID, []etoegang.KvKNumber{bakery.KvK}))
	must(s.Join(ctx, boss, team.ID, PersonWish{Subject: subject(1)}))
	for what, c := range map[string]Caller{"the baker": baker, "staff": staff} {
		for act, err := range map[string]error{
			"renames": second(s.PutTeam(ctx, c, team.ID, "x")), "ends": second(s.EndTeam(ctx, c, team.ID)),
			"joins": second(s.Join(ctx, c, team.ID, PersonWish{Subject: subject(2)})), "leaves": second(s.Leave(ctx, c, team.ID, 1)),
			"adds": second(s.AddClients(ctx, c, team.ID, nil)), "drops": second(s.DropClient(ctx, c, team.ID, bakery.KvK)),
			"looks":       s.Look(ctx, c, 0, func(l *Look) error { return second(l.Team(team.ID)) }),
			"lists":       s.Look(ctx, c, 0, func(l *Look) error { _, _, err := l.TeamClients(team.ID, 0, 10); return err }),
			"counts":      s.Look(ctx, c, 0, func(l *Look) error { return second(l.Loses(team.ID, 0, 0)) }),
			"is generous": second(s.FillTeam(ctx, c, "x", team.ID, register.Gap{}, 10, register.Consent{})),
		} {
			if !errors.Is(err, register.ErrNotFound) {
				t.Errorf("%s %s: %v", what, act, err)
			}
		}
	}
	_, err = s.PutTeam(ctx, reader, team.ID, "x")
	s.refused("a reader renames", err, mandate.ErrMayOnlyRead)
	_, err = s.PutTeam(ctx, staff, 0, "x")
	s.refused("staff make one", err, mandate.ErrNotYours)
	low := boss
	low.Level = etoegang.LoA2
	if done := must(s.FillTeam(ctx, low, "x", team.ID, register.Gap{}, 10, register.Consent{})); len(done.Refused) != 1 || !errors.Is(done.Refused[0].Err, mandate.ErrAboveLevel) || done.Made != 0 {
		t.Errorf("at a low level: %+v", done)
	}
	must(0, s.Look(ctx, boss, 0, func(l *Look) error {
		if teams, err := l.Teams(); len(teams) != 1 || err != nil {
			t.Errorf("%+v %v", teams, err)
		}
		return nil
	}))
}

func second[T any](_ T, err error) error { return err }

// The bakery pays when its mandate comes in force, and what it pays is told before. Ending
// costs nothing, and nothing that is owed keeps anybody from it.
func TestFees(t *testing.T) {
	s := newScene(t)
	s.Desk = s.With(Terms{Prices: mandate.PriceList{{Kind: mandate.Chain, Level: etoegang.LoA3, Years: 1, Cents: 2000}, {Kind: mandate.Chain, Level: etoegang.LoA3, Years: 3, Cents: 5000}}})
	baker, boss, staff := s.appoint(bakery, mandate.Administrator, ""), s.appoint(office, mandate.Administrator, ""), s.appoint(Party{}, mandate.Staff, "")
	fees := func(c Caller) (list []register.Fee) {
		must(0, s.Look(ctx, c, 0, func(l *Look) (err error) { list, _, err = l.Fees(0, 10); return err }))
		return list
	}
	would := func(m mandate.Mandate) (c mandate.Cents) {
		must(0, s.Look(ctx, baker, 0, func(l *Look) (err error) { c, err = l.Fee(m); return err }))
		return c
	}
	asked := must(s.Ask(ctx, boss, "test", s.wish(forTaxes))).Mandate
	if c := would(asked); c != 2000 || len(fees(staff)) != 0 {
		t.Errorf("what is only asked for would cost %d, and costs %+v", c, fees(staff))
	}
	less := must(s.Accept(ctx, baker, "less", asked.ID, Narrowing{Scope: forVAT}, register.Consent{})).Mandate
	renewal := s.wish(forVAT)
	renewal.Supersedes, renewal.Validity.To = less.ID, renewal.Validity.To.AddDate(1, 0, 0)
	if c := would(mandate.Mandate{Kind: mandate.Chain, Scope: forVAT, Validity: renewal.Validity, Supersedes: less.ID}); c != 3000 {
		t.Errorf("two years would cost %d, less what is paid for", c)
	}
	again := must(s.Ask(ctx, baker, "longer", renewal)).Mandate
	s.clock.advance(365 * 24 * time.Hour) // half of it
	half := must(s.Narrow(ctx, baker, "less", again.ID, Narrowing{Scope: mandate.Scope{{Service: vat, Level: etoegang.LoA2}}}, nil)).Mandate
	next := mandate.Mandate{Kind: mandate.Chain, Scope: half.Scope, Validity: year(s.clock.Now()), Supersedes: half.ID}
	next.Validity.To = next.Validity.To.AddDate(1, 0, 0)
	if c := would(next); c < 2450 || c > 2550 { // half of two years are left, also of what was narrowed today
		t.Errorf("two more years would cost %d", c)
	}
	must(s.Revoke(ctx, baker, "over", half.ID, nil))
	for what, c := range map[string]Caller{"bakery": baker, "staff": staff} {
		if list := fees(c); len(list) != 2 || list[0].Mandate.ID != less.ID || list[0].Cents != 2000 || list[1].Mandate.ID != again.ID || list[1].Cents != 3000 {
			t.Errorf("%s: %+v", what, list)
		}
	}
	if list := fees(boss); len(list) != 0 {
		t.Errorf("the office pays nothing: %+v", list)
	}
	if err := s.Look(ctx, s.appoint(farm, mandate.Administrator, ""), 0, func(l *Look) error { return second(l.Fee(mandate.Mandate{Supersedes: less.ID})) }); !errors.Is(err, register.ErrNotFound) {
		t.Errorf("others learn of it: %v", err)
	}
}
