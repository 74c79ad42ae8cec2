package desk

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
)

// manyClients are of the office, in all conditions in which the halves of a mandate can be: some
// have given two of them, some nothing that was ever agreed to.
func (s *scene) manyClients(n int) {
	s.Helper()
	random := rand.New(rand.NewPCG(3, 4))
	one := func(chances ...mandate.State) mandate.State { return chances[random.IntN(len(chances))] }
	now := s.clock.Now()
	during := func() mandate.Validity { return mandate.Validity{From: now, To: now.AddDate(0, 0, 1+random.IntN(120))} }
	_ = must(s.register.Change(ctx, keeper, func(t *register.Tx) error {
		firm := must(party(t, office))
		eva := must(t.PutPerson(mandate.Person{Subject: subject(1), Active: true}))
		for i := range n {
			b := must(t.PutOrganisation(mandate.Organisation{KvK: kvk(100 + i), Name: fmt.Sprint("Client ", i%7, " of ", i), Active: i%29 != 0}))
			for range 1 + random.IntN(2) {
				scope := mandate.Scope{{Service: vat, Level: etoegang.LoA3}}
				chain, err := t.Grant(mandate.Mandate{Kind: mandate.Chain, Grantor: b, Intermediary: firm, State: one("active", "active", "active", "requested"), Scope: scope, Validity: during()}, register.GrantOptions{})
				if err != nil {
					continue // the same twice
				}
				if random.IntN(4) > 0 {
					scope[0].Level = []etoegang.AssuranceLevel{etoegang.LoA3, etoegang.LoA3, etoegang.LoA2}[random.IntN(3)]
					a := must(t.Grant(mandate.Mandate{Kind: mandate.Assignment, Grantor: firm, Client: chain.ID, Person: eva, State: "active", Scope: scope, Validity: during()}, register.GrantOptions{}))
					if to := one("active", "active", "suspended", "revoked"); to != "active" {
						_ = must(t.SetState(a.ID, to))
					}
				}
				if to := one("active", "active", "active", "suspended", "revoked"); chain.State == mandate.Active && to != mandate.Active {
					_ = must(t.SetState(chain.ID, to))
				} else if chain.State.Pending() && random.IntN(2) == 0 {
					_ = must(t.SetState(chain.ID, mandate.Rejected))
				}
			}
		}
		return nil
	}))
	s.clock.advance(1000 * 3600e9) // some are over by now
}

// Whatever is chosen, and however small the pages and however few clients are looked at for each:
// together they have the clients and mandates, once and in order, that a reader of everything picks.
func TestChosenClients(t *testing.T) {
	s := newScene(t)
	bol := s.appoint(office, mandate.Administrator, "")
	s.manyClients(200)
	now := s.clock.Now()
	soon := register.Ending{After: now, Before: now.AddDate(0, 0, 60)}
	seen := map[mandate.Misfit]bool{}
	for _, search := range []string{"", "client 3", "nobody"} {
		for what, c := range map[string]Choice{
			"all": {}, "attention": {Attention: true}, "ending": {Ending: soon}, "both": {Attention: true, Ending: soon},
		} {
			c.Search = search
			var want []string
			total := 0
			err := s.Look(ctx, bol, 0, func(l *Look) error {
				everybody, _, err := l.Clients(search, register.Place{}, 10_000)
				total = len(everybody)
				for _, client := range everybody {
					its := must(l.fits(client))
					for _, f := range its {
						seen[f.Misfit] = true
					}
					picked := slices.DeleteFunc(slices.Clone(its), func(f Fitting) bool {
						attention := f.Misfit != mandate.Fits && !f.Chain.State.Ended()
						ends := inForceUntil(f.Chain, soon) || slices.ContainsFunc(f.Assignments, func(a mandate.Mandate) bool { return inForceUntil(a, soon) })
						bears := (f.Chain.State == mandate.Active || f.Chain.State == mandate.Suspended) && f.Chain.Validity.To.After(now)
						return c.Attention && !attention || what != "all" && what != "attention" && !(ends && bears)
					})
					if len(picked) > 0 || what == "all" {
						want = append(want, lineOf(client.Company, picked))
					}
				}
				return err
			})
			if err != nil || what == "all" && search == "" && total != 200 || what != "all" && search == "" && (len(want) < 20 || len(want) > 180) {
				t.Fatalf("%s: %d of %d clients, %v", what, len(want), total, err)
			}
			for _, size := range [][2]int{{7, 30}, {30, 7}, {1000, 1000}} {
				if got, looked := s.chosen(bol, c, size[0], size[1]); !slices.Equal(got, want) || looked > total {
					t.Errorf("%s of %q, %d a page and %d looks: %d clients, not %d; looked at %d of %d", what, search, size[0], size[1], len(got), len(want), looked, total)
				}
			}
		}
	}
	if len(seen) < 9 {
		t.Errorf("only %d kinds of misfits were among them: %v", len(seen), seen)
	}
}

// inForceUntil tells whether a mandate that counts ends within a time.
func inForceUntil(m mandate.Mandate, e register.Ending) bool {
	counts := m.State == mandate.Active || m.State == mandate.Suspended
	return counts && cmp.Compare(m.Validity.To.Unix(), e.After.Unix()) > 0 && cmp.Compare(m.Validity.To.Unix(), e.Before.Unix()) < 0
}

func lineOf(o mandate.Organisation, list []Fitting) string {
	line := o.KvK.Text()
	for _, f := range list {
		line += fmt.Sprint(" ", f.Chain.ID, f.Misfit, len(f.Assignments))
	}
	return line
}

// chosen are all pages of a choice, line by line, and at how many clients was looked for them.
func (s *scene) chosen(c Caller, choice Choice, limit, looks int) (list []string, looked int) {
	s.Helper()
	after := register.Place{}
	for range 10_000 {
		var page FittedPage
		if err := s.Look(ctx, c, 0, func(l *Look) (err error) { page, err = l.Fitted(choice, after, limit, looks); return err }); err != nil {
			s.Fatal(err)
		}
		if len(page.Clients) > limit || page.Looked > looks {
			s.Fatalf("a page of %d clients, for which were looked at %d", len(page.Clients), page.Looked)
		}
		for _, one := range page.Clients {
			list = append(list, lineOf(one.Company, one.Fittings))
		}
		looked += page.Looked
		if after = page.Next; after == (register.Place{}) {
			return list, looked
		}
	}
	s.Fatal("the list has no end")
	return nil, 0
}
