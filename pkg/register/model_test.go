package register

import (
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/mandated/mandated/internal/servers"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/mandate"
)

// world is the register as a child would build it: maps, and a copy of them for every
// revision. Companies, people and mandates are known by the numbers they would get.
type world struct {
	companies map[mandate.OrganisationID]mandate.Organisation
	people    map[mandate.PersonID]mandate.Person
	mandates  map[mandate.ID]mandate.Mandate // parties by id only
}

func (w world) copy() world {
	return world{maps.Clone(w.companies), maps.Clone(w.people), maps.Clone(w.mandates)}
}

// whole is a mandate with its parties as they are in this world.
func (w world) whole(id mandate.ID) mandate.Mandate {
	m := w.mandates[id]
	m.Grantor, m.Intermediary, m.Person = w.companies[m.Grantor.ID], w.companies[m.Intermediary.ID], w.people[m.Person.ID]
	return m
}

func (w world) represented(m mandate.Mandate) mandate.OrganisationID {
	if m.Kind == mandate.Assignment {
		return w.mandates[m.Client].Grantor.ID
	}
	return m.Grantor.ID
}

// all gives the mandates that satisfy a condition, by id.
func (w world) all(holds func(mandate.Mandate) bool) (list []mandate.Mandate) {
	for _, id := range slices.Sorted(maps.Keys(w.mandates)) {
		if m := w.mandates[id]; holds(m) && m.State.Bears() {
			list = append(list, w.whole(id))
		}
	}
	return list
}

func (w world) heldBy(p mandate.PersonID, company mandate.OrganisationID) Held {
	person := w.people[p]
	held := Held{Person: &person}
	for _, m := range w.all(func(m mandate.Mandate) bool {
		return m.Person.ID == p && (company == 0 || w.represented(m) == company)
	}) {
		if m.Kind == mandate.Direct {
			held.Direct = append(held.Direct, m)
		} else {
			held.Assigned = append(held.Assigned, Assigned{m, w.whole(m.Client)})
		}
	}
	return held
}

// twin is the first mandate in force that is the same as m, or 0.
func (w world) twin(m mandate.Mandate) mandate.ID {
	for _, o := range w.all(func(o mandate.Mandate) bool {
		return !o.State.Ended() && o.Kind == m.Kind && o.Grantor.ID == m.Grantor.ID && o.Person.ID == m.Person.ID &&
			o.Intermediary.ID == m.Intermediary.ID && o.Client == m.Client && o.Register == m.Register &&
			slices.Equal(o.Establishments, m.Establishments) &&
			o.Validity.From.Before(m.Validity.To) && m.Validity.From.Before(o.Validity.To)
	}) {
		for _, item := range m.Scope {
			if slices.Contains(o.Scope, item) {
				return o.ID
			}
		}
	}
	return 0
}

// play is a register and the world it should agree with, at every revision so far.
type play struct {
	*Register
	now  world
	past []world // by revision
}

// change makes one change in both; fn gives false if it changed nothing.
func (p *play) change(t *rapid.T, fn func(*Tx) bool) {
	changed := false
	receipt, err := p.Change(ctx, desk, func(tx *Tx) error { changed = fn(tx); return nil })
	if err != nil {
		t.Fatal(err)
	}
	if changed {
		p.past = append(p.past, p.now.copy())
	}
	if want := Revision(len(p.past) - 1); receipt.Revision != want {
		t.Fatalf("revision %d, want %d", receipt.Revision, want)
	}
}

func (p *play) putCompany(t *rapid.T) {
	o := company(rapid.IntRange(1, 4).Draw(t, "company"))
	o.Name = rapid.SampledFrom([]string{"old", "new"}).Draw(t, "name")
	o.Blocked = rapid.Bool().Draw(t, "blocked")
	p.change(t, func(tx *Tx) bool {
		got := must(tx.PutOrganisation(o))
		o.ID = got.ID
		changed := p.now.companies[o.ID] != o
		p.now.companies[o.ID] = o
		return changed
	})
}

func (p *play) putPerson(t *rapid.T) {
	g := human(rapid.IntRange(1, 3).Draw(t, "person"))
	g.Active, g.Blocked = rapid.Bool().Draw(t, "active"), rapid.Bool().Draw(t, "blocked")
	p.change(t, func(tx *Tx) bool {
		got := must(tx.PutPerson(g))
		g.ID = got.ID
		changed := p.now.people[g.ID] != g
		p.now.people[g.ID] = g
		return changed
	})
}

func (p *play) grant(t *rapid.T) {
	m := p.draw(t)
	client, known := p.now.mandates[m.Client]
	p.change(t, func(tx *Tx) bool {
		got, err := tx.Grant(m, GrantOptions{})
		var overlap *OverlapError
		switch twin := p.now.twin(m); {
		case m.Kind == mandate.Chain && m.Grantor.ID == m.Intermediary.ID:
			if !errors.Is(err, mandate.ErrSelf) {
				t.Fatalf("to itself: %v", err)
			}
		case m.Kind == mandate.Assignment && (!known || client.Kind != mandate.Chain || client.Intermediary.ID != m.Grantor.ID || client.State.Ended()):
			if !errors.Is(err, ErrClient) && !errors.Is(err, mandate.ErrClient) {
				t.Fatalf("client %d: %v", m.Client, err)
			}
		case twin != 0:
			if !errors.As(err, &overlap) || overlap.Mandate != twin {
				t.Fatalf("overlaps %d: %v", twin, err)
			}
		case err != nil:
			t.Fatal(err)
		default:
			m.ID = got.ID
			p.now.mandates[m.ID] = m
			return true
		}
		return false
	})
}

// draw makes up a mandate between parties that exist.
func (p *play) draw(t *rapid.T) mandate.Mandate {
	if len(p.now.companies) == 0 || len(p.now.people) == 0 {
		t.Skip("nobody yet")
	}
	org := func(label string) mandate.Organisation {
		return mandate.Organisation{ID: mandate.OrganisationID(rapid.IntRange(1, len(p.now.companies)).Draw(t, label))}
	}
	m := mandate.Mandate{
		Kind:    rapid.SampledFrom([]mandate.Kind{mandate.Direct, mandate.Chain, mandate.Assignment}).Draw(t, "kind"),
		Grantor: org("grantor"),
		State:   rapid.SampledFrom([]mandate.State{mandate.Requested, mandate.Active}).Draw(t, "state"),
		Scope: rapid.SampledFrom([]mandate.Scope{
			{mandate.Everything(etoegang.LoA3)},
			{{Service: tax, Level: etoegang.LoA3}},
			{{Service: tax, Level: etoegang.LoA3}, {Service: uwv, Level: etoegang.LoA2}},
		}).Draw(t, "scope"),
	}
	m.Validity.From = noon.AddDate(rapid.IntRange(0, 2).Draw(t, "year"), 0, 0)
	m.Validity.To = m.Validity.From.AddDate(1, 0, 0)
	if m.Kind == mandate.Chain {
		m.Intermediary = org("intermediary")
		m.Register = rapid.SampledFrom([]etoegang.EntityID{{}, mr2}).Draw(t, "register")
		return m
	}
	m.Person.ID = mandate.PersonID(rapid.IntRange(1, len(p.now.people)).Draw(t, "to"))
	if m.Kind == mandate.Assignment {
		m.Client = mandate.ID(rapid.IntRange(0, len(p.now.mandates)).Draw(t, "client"))
	} else if rapid.Bool().Draw(t, "limited") {
		m.Establishments = []etoegang.EstablishmentNumber{branch(1)}
	}
	return m
}

func (p *play) setState(t *rapid.T) {
	if len(p.now.mandates) == 0 {
		t.Skip("nothing yet")
	}
	id := mandate.ID(rapid.IntRange(1, len(p.now.mandates)).Draw(t, "mandate"))
	to := rapid.SampledFrom([]mandate.State{mandate.Active, mandate.Suspended, mandate.Revoked, mandate.Superseded,
		mandate.Rejected, mandate.Withdrawn}).Draw(t, "to")
	m := p.now.mandates[id]
	p.change(t, func(tx *Tx) bool {
		_, err := tx.SetState(id, to)
		var transition *TransitionError
		switch {
		case !m.State.CanBecome(to):
			if !errors.As(err, &transition) {
				t.Fatalf("%s to %s: %v", m.State, to, err)
			}
			return false
		case err != nil:
			t.Fatal(err)
		}
		p.now.become(m, to)
		return true
	})
}

// become moves a mandate, and with a chain that ends what passes it on.
func (w world) become(m mandate.Mandate, to mandate.State) {
	m.State = to
	w.mandates[m.ID] = m
	if m.Kind != mandate.Chain || !to.Ended() {
		return
	}
	for id, a := range w.mandates {
		switch {
		case a.Client != m.ID || a.State.Ended():
			continue
		case a.State.Pending():
			a.State = mandate.Withdrawn
		default:
			a.State = mandate.Revoked
		}
		w.mandates[id] = a
	}
}

// compare asks register and world the same questions about some revision.
func (p *play) compare(t *rapid.T) {
	rev := Revision(len(p.past) - 1 - rapid.IntRange(0, len(p.past)-1).Draw(t, "ago"))
	then := p.past[rev]
	err := p.ReadAt(ctx, rev, func(v *Snapshot) error {
		for g := range then.people {
			for company := mandate.OrganisationID(0); int(company) <= len(then.companies); company++ {
				var represented etoegang.LegalSubject
				if company != 0 {
					represented = then.companies[company].KvK.LegalSubject()
				}
				got := must(v.HeldBy(then.people[g].Subject, represented))
				if diff := cmp.Diff(then.heldBy(g, company), got, exact); diff != "" {
					t.Fatalf("at revision %d, held by %d for %d:\n%s", rev, g, company, diff)
				}
			}
		}
		p.compareBlocked(t, v, then)
		return p.compareChains(t, v, then)
	})
	if err != nil {
		t.Fatal(err)
	}
}

func (p *play) compareBlocked(t *rapid.T, v *Snapshot, then world) {
	var companies []mandate.Organisation
	for _, id := range slices.Sorted(maps.Keys(then.companies)) {
		if then.companies[id].Blocked {
			companies = append(companies, then.companies[id])
		}
	}
	var people []mandate.Person
	for _, id := range slices.Sorted(maps.Keys(then.people)) {
		if then.people[id].Blocked {
			people = append(people, then.people[id])
		}
	}
	gotCompanies, gotPeople, err := v.Blocked()
	if diff := cmp.Diff(companies, gotCompanies, exact) + cmp.Diff(people, gotPeople, exact); diff != "" || err != nil {
		t.Fatalf("at revision %d, blocked (%v):\n%s", v.Revision(), err, diff)
	}
}

func (p *play) compareChains(t *rapid.T, v *Snapshot, then world) error {
	for b := range then.companies {
		for a := range then.companies {
			want := then.all(func(m mandate.Mandate) bool { return m.Grantor.ID == b && m.Intermediary.ID == a })
			got, err := v.Between(then.companies[b].KvK.LegalSubject(), etoegang.Intermediary{KvK: then.companies[a].KvK})
			if err != nil {
				return err
			}
			if diff := cmp.Diff(want, got, exact); diff != "" {
				t.Fatalf("at revision %d, between %d and %d:\n%s", v.Revision(), b, a, diff)
			}
		}
	}
	return nil
}

// Whatever is done to it, in whatever order, the register agrees with a few maps
// about everything that was ever true.
func TestTheRegisterAgreesWithAFewMaps(t *testing.T) {
	t.Run("SQLite", func(t *testing.T) {
		dir, round := t.TempDir(), 0
		rapid.Check(t, func(t *rapid.T) {
			round++
			path := filepath.Join(dir, fmt.Sprint(round))
			defer func() { _ = os.Remove(path) }()
			playAt(t, path)
		})
	})
	// Each world is a schema of one database.
	t.Run("PostgreSQL", func(t *testing.T) {
		place := servers.Shared(t).DSN()
		db, worlds := raw(t, place), 0
		fewer(t)
		rapid.Check(t, func(t *rapid.T) {
			worlds++
			schema := fmt.Sprintf("world_%d", worlds)
			if _, err := db.Exec(`CREATE SCHEMA ` + schema); err != nil {
				t.Fatal(err)
			}
			playAt(t, place+"&search_path="+schema)
		})
	})
}

// fewer makes this test a quarter as long: a server costs more than a file.
func fewer(t *testing.T) {
	t.Helper()
	checks := flag.Lookup("rapid.checks").Value
	n := must(strconv.Atoi(checks.String()))
	_ = checks.Set(strconv.Itoa(max(1, n/4)))
	t.Cleanup(func() { _ = checks.Set(strconv.Itoa(n)) })
}

// playAt makes a register at a place and lets chance play with it.
func playAt(t *rapid.T, place string) {
	r, err := Create(ctx, place, mr1, lease, newClock().options())
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	empty := world{map[mandate.OrganisationID]mandate.Organisation{}, map[mandate.PersonID]mandate.Person{}, map[mandate.ID]mandate.Mandate{}}
	p := &play{r, empty, []world{empty.copy()}}
	t.Repeat(map[string]func(*rapid.T){
		"company": p.putCompany, "person": p.putPerson, "grant": p.grant, "grant again": p.grant,
		"state": p.setState, "compare": p.compare,
	})
	p.compare(t)
}
