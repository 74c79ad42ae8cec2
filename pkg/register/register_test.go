package register

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/mandated/mandated/internal/servers"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/mandate"
)

// Values of etoegang are opaque; in tests they are compared as Go compares them.
var exact = cmp.Options{
	cmpopts.EquateComparable(etoegang.KvKNumber{}, etoegang.RSIN{}, etoegang.Pseudonym{}, etoegang.EntityID{},
		etoegang.OIN{}, etoegang.ServiceUUID{}, etoegang.EstablishmentNumber{}),
	cmpopts.EquateEmpty(),
}

// Everything that goes in comes out the same: a direct mandate limited to branches,
// a chain, one held elsewhere, an assignment.
func TestWhatIsGrantedIsReadBack(t *testing.T) {
	onBoth(t, func(t *testing.T, s *scene) {
		b, a, g := s.org(1), s.org(2), s.person(1)

		d := direct(b, g, mandate.Item{Service: uwv, Level: etoegang.LoA2Plus}, mandate.Item{Service: tax, Level: etoegang.LoA3},
			mandate.Item{Provider: oin, Level: etoegang.LoA4}, mandate.Everything(etoegang.LoA2))
		d.Establishments = []etoegang.EstablishmentNumber{must(etoegang.ParseEstablishmentNumber("000000000002")), must(etoegang.ParseEstablishmentNumber("000000000001"))}
		d.Reference = "Dossier 7; geen haast"
		d = s.grant(d)
		c := s.grant(chain(b, a))
		elsewhere := chain(b, a)
		elsewhere.Register = mr2
		elsewhere = s.grant(elsewhere)
		as := s.grant(assignment(c, g))

		for _, want := range []mandate.Mandate{d, c, elsewhere, as} {
			s.read(func(v *Snapshot) {
				got, err := v.Mandate(want.ID)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(want, got, exact); diff != "" {
					t.Errorf("%s mandate (-granted +read):\n%s", want.Kind, diff)
				}
			})
		}
		s.read(func(v *Snapshot) {
			held := must(v.HeldBy(g.Subject, etoegang.LegalSubject{}))
			want := Held{Person: &g, Direct: []mandate.Mandate{d}, Assigned: []Assigned{{as, c}}}
			if diff := cmp.Diff(want, held, exact); diff != "" {
				t.Errorf("held by the person:\n%s", diff)
			}
			between := must(v.Between(b.KvK.LegalSubject(), etoegang.Intermediary{KvK: a.KvK}))
			if diff := cmp.Diff([]mandate.Mandate{c, elsewhere}, between, exact); diff != "" {
				t.Errorf("between the companies:\n%s", diff)
			}
		})
	})
}

// What is fixed when a register is made is there again whenever it is opened, and
// belongs to that register alone.
func TestWhatIsFixedForLife(t *testing.T) {
	s, other := newScene(t), newScene(t)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	again := must(Open(ctx, s.place, Options{}))
	defer again.Close()

	if again.EntityID() != mr1 || again.Lease() != lease {
		t.Errorf("got %v and %v", again.EntityID(), again.Lease())
	}
	key := again.Key("pseudonyms")
	switch {
	case len(key) != 32, !bytes.Equal(key, s.Key("pseudonyms")):
		t.Error("a key must be 32 bytes and stay the same")
	case bytes.Equal(key, again.Key("journal")), bytes.Equal(key, other.Key("pseudonyms")):
		t.Error("a key must differ for every purpose and register")
	case again.PersonParty(subject(1)) == other.PersonParty(subject(1)):
		t.Error("a party must not be known outside its register")
	}
}

// A company is its KvK number: to register it again is to say what changed, and to
// say nothing new is to change nothing.
func TestPartiesAreKnownByTheirNumber(t *testing.T) {
	onBoth(t, func(t *testing.T, s *scene) {
		rsin := must(etoegang.ParseRSIN("123456782"))
		b, g := s.org(1), s.person(1)

		at := s.change(func(t *Tx) {
			same := must(t.PutOrganisation(company(1)))
			if same != b {
				s.Errorf("got %+v, want %+v", same, b)
			}
			if same := must(t.PutPerson(human(1))); same != g {
				s.Errorf("got %+v, want %+v", same, g)
			}
		})
		if at != 2 {
			t.Errorf("nothing changed, yet the register went from revision 2 to %d", at)
		}

		renamed := b
		renamed.Name, renamed.RSIN, renamed.Active = "New name", rsin, false
		s.change(func(t *Tx) { must(t.PutOrganisation(renamed)) })
		s.read(func(v *Snapshot) {
			for _, by := range []etoegang.LegalSubject{b.KvK.LegalSubject(), rsin.LegalSubject()} {
				if got := must(v.Organisation(by)); got == nil || *got != renamed {
					t.Errorf("by %s: got %+v, want %+v", by.Type().Short(), got, renamed)
				}
			}
			if got := must(v.Organisation(kvk(99).LegalSubject())); got != nil {
				t.Errorf("nobody: got %+v", got)
			}
			if got := must(v.Person(subject(99))); got != nil {
				t.Errorf("nobody: got %+v", got)
			}
			if got := must(v.PersonNumbered(g.ID)); got == nil || *got != g {
				t.Errorf("by number: got %+v, want %+v", got, g)
			}
			if got := must(v.PersonNumbered(99)); got != nil {
				t.Errorf("nobody: got %+v", got)
			}
		})
		s.refused(ErrRSINTaken, func(t *Tx) error {
			thief := company(2)
			thief.RSIN = rsin
			_, err := t.PutOrganisation(thief)
			return err
		})
		s.refused(ErrNoIdentity, func(t *Tx) error { _, err := t.PutOrganisation(mandate.Organisation{}); return err })
		s.refused(ErrNoIdentity, func(t *Tx) error { _, err := t.PutPerson(mandate.Person{}); return err })
	})
}

// A person with mandates from two companies is asked for all of them or for one; what
// has ended still shows, because the decision must be able to say why not.
func TestWhatAPersonHolds(t *testing.T) {
	onBoth(t, func(t *testing.T, s *scene) {
		b1, b2, a, g := s.org(1), s.org(2), s.org(3), s.person(1)
		one, two := s.grant(direct(b1, g)), s.grant(direct(b2, g))
		chained := s.grant(chain(b2, a))
		for_ := s.grant(assignment(chained, g))
		asked := direct(b1, g, mandate.Item{Service: tax, Level: etoegang.LoA3})
		asked.State = mandate.Requested
		never := s.grant(asked)
		s.setState(never.ID, mandate.Rejected)
		s.setState(two.ID, mandate.Revoked)

		for _, c := range []struct {
			why              string
			represented      etoegang.LegalSubject
			direct, assigned []mandate.ID
		}{
			{"for every company", etoegang.LegalSubject{}, []mandate.ID{one.ID, two.ID}, []mandate.ID{for_.ID}},
			{"for the first", b1.KvK.LegalSubject(), []mandate.ID{one.ID}, nil},
			{"for the second, also as its intermediary's client", b2.KvK.LegalSubject(), []mandate.ID{two.ID}, []mandate.ID{for_.ID}},
			{"for the intermediary itself", a.KvK.LegalSubject(), nil, nil},
			{"for a stranger", kvk(99).LegalSubject(), nil, nil},
		} {
			s.read(func(v *Snapshot) {
				held := must(v.HeldBy(g.Subject, c.represented))
				var assigned []mandate.Mandate
				for _, pair := range held.Assigned {
					assigned = append(assigned, pair.Assignment)
					if pair.Chain.ID != chained.ID || pair.Chain.Intermediary != a || pair.Chain.Grantor != b2 {
						t.Errorf("%s: the assignment stands beside %+v", c.why, pair.Chain)
					}
				}
				if diff := cmp.Diff([2][]mandate.ID{c.direct, c.assigned}, [2][]mandate.ID{ids(held.Direct), ids(assigned)}); diff != "" {
					t.Errorf("%s:\n%s", c.why, diff)
				}
				if held.Person == nil || *held.Person != g {
					t.Errorf("%s: the person is %+v", c.why, held.Person)
				}
			})
		}
		s.read(func(v *Snapshot) {
			if held := must(v.HeldBy(subject(99), etoegang.LegalSubject{})); held.Person != nil {
				t.Errorf("a stranger is known: %+v", held)
			}
		})
	})
}

// A list is read page by page; whatever the size of the pages, together they hold
// every mandate once, in order.
func TestListsArePagedWithoutLoss(t *testing.T) {
	onBoth(t, func(t *testing.T, s *scene) {
		a, g := s.org(1), s.person(1)
		var given, received, suspended []mandate.ID
		for n := range 7 {
			b := s.org(10 + n)
			received = append(received, s.grant(chain(b, a)).ID)
			own := direct(a, g, mandate.Item{Service: must(etoegang.ParseServiceUUID(fmt.Sprintf("11111111-2222-3333-4444-%012d", n))), Level: etoegang.LoA3})
			given = append(given, s.grant(own).ID)
			if n%2 == 0 {
				s.setState(given[n], mandate.Suspended)
				suspended = append(suspended, given[n])
			}
		}
		var both []mandate.ID
		for n := range given {
			both = append(both, received[n], given[n])
		}
		for _, c := range []struct {
			why    string
			filter Filter
			want   []mandate.ID
		}{
			{"everything", Filter{}, both},
			{"of a company, on either side", Filter{Organisation: a.ID}, both},
			{"of a person", Filter{Person: g.ID}, given},
			{"of one kind", Filter{Organisation: a.ID, Kind: mandate.Chain}, received},
			{"in one state", Filter{State: mandate.Suspended}, suspended},
			{"all at once", Filter{Organisation: a.ID, Person: g.ID, Kind: mandate.Direct, State: mandate.Suspended}, suspended},
			{"of nobody", Filter{Person: 99}, nil},
		} {
			for limit := 1; limit <= 15; limit++ {
				s.read(func(v *Snapshot) {
					if diff := cmp.Diff(c.want, pages(v, c.filter, limit)); diff != "" {
						t.Errorf("%s, %d a page:\n%s", c.why, limit, diff)
					}
				})
			}
		}
	})
}

func pages(v *Snapshot, f Filter, limit int) (all []mandate.ID) {
	for after := mandate.ID(0); ; {
		list, more, err := v.Mandates(f, after, limit)
		if err != nil || len(list) > limit || more && len(list) < limit {
			panic(fmt.Sprint(len(list), more, err))
		}
		all = append(all, ids(list)...)
		if !more {
			return all
		}
		after = all[len(all)-1]
	}
}

// A change or snapshot ends with the function it was given to.
func TestNothingOutlivesItsFunction(t *testing.T) {
	onBoth(t, func(t *testing.T, s *scene) {
		var kept *Tx
		var seen *Snapshot
		s.change(func(t *Tx) { kept = t; must(t.PutOrganisation(company(1))) })
		s.read(func(v *Snapshot) { seen = v })

		if _, err := kept.PutOrganisation(company(2)); err != ErrClosed {
			t.Errorf("a change that was over: %v", err)
		}
		if _, err := seen.Mandate(1); err != ErrClosed {
			t.Errorf("a snapshot that was over: %v", err)
		}
		_ = s.Close()
		if err := s.Close(); err != nil {
			t.Errorf("closing twice: %v", err)
		}
		if err := s.Read(ctx, func(*Snapshot) error { return nil }); !strings.Contains(fmt.Sprint(err), ErrClosed.Error()) {
			t.Errorf("reading a closed register: %v", err)
		}
		s.refused(ErrClosed, func(*Tx) error { return nil })
	})
}

// The time of a change is fixed when it begins, in the precision that is stored.
func TestAChangeHasOneMoment(t *testing.T) {
	onBoth(t, func(t *testing.T, s *scene) {
		s.clock.advance(123456789 * time.Nanosecond)
		want := noon.Add(123 * time.Millisecond)
		s.change(func(tx *Tx) {
			before := tx.Now()
			s.clock.advance(time.Hour)
			if tx.Now() != before || before != want {
				t.Errorf("got %v then %v, want %v", before, tx.Now(), want)
			}
		})
	})
}

// The emergency stop is written down like everything else: who it holds and when, and
// that it was lifted.
func TestTheEmergencyStop(t *testing.T) {
	onBoth(t, func(t *testing.T, s *scene) {
		b, g := s.org(1), s.person(1)
		s.org(2)
		stopped, held := b, g
		stopped.Blocked, held.Blocked = true, true
		s.change(func(t *Tx) { must(t.PutOrganisation(stopped)) })
		both := s.change(func(t *Tx) { must(t.PutPerson(held)) })
		s.change(func(t *Tx) { must(t.PutOrganisation(b)) })
		lifted := s.change(func(t *Tx) { must(t.PutPerson(g)) })

		for _, c := range []struct {
			rev       Revision
			companies []mandate.Organisation
			people    []mandate.Person
		}{
			{both - 2, nil, nil},
			{both - 1, []mandate.Organisation{stopped}, nil},
			{both, []mandate.Organisation{stopped}, []mandate.Person{held}},
			{lifted - 1, nil, []mandate.Person{held}},
			{lifted, nil, nil},
		} {
			s.readAt(c.rev, func(v *Snapshot) {
				companies, people, err := v.Blocked()
				if diff := cmp.Diff(c.companies, companies, exact) + cmp.Diff(c.people, people, exact); diff != "" || err != nil {
					t.Errorf("at revision %d (%v):\n%s", c.rev, err, diff)
				}
			})
		}
		for rev, want := range map[Revision]error{both - 2: ErrNotFound, both - 1: nil, both: nil, lifted - 1: ErrNotFound} {
			s.readAt(rev, func(v *Snapshot) {
				if stop, err := v.OrganisationStop(stopped.ID); !errors.Is(err, want) || err == nil && stop.Revision != both-1 {
					t.Errorf("at revision %d the company's stop is %+v, %v", rev, stop, err)
				}
				if stop, err := v.PersonStop(held.ID); (err == nil) != (rev >= both) || err == nil && stop.Revision != both {
					t.Errorf("at revision %d the person's stop is %+v, %v", rev, stop, err)
				}
			})
		}
		for rev, want := range map[Revision]int{both: 0, lifted - 1: 1, lifted: 2} {
			s.readAt(rev, func(v *Snapshot) {
				got, err := v.LiftedStops()
				if err != nil || len(got) != want {
					t.Errorf("at revision %d %d stops were lifted, want %d (%v)", rev, len(got), want, err)
				}
				if want == 2 && (got[0].Company.ID != b.ID || got[0].Stop.Revision != both-1 || got[0].By.Revision != lifted-1 ||
					got[1].Person.ID != g.ID || got[1].Stop.Revision != both || got[1].By.Revision != lifted) {
					t.Errorf("lifted: %+v", got)
				}
			})
		}
		s.readAt(both, func(v *Snapshot) {
			if o, p := must(v.Organisation(b.KvK.LegalSubject())), must(v.Person(g.Subject)); *o != stopped || *p != held {
				t.Errorf("got %+v and %+v", *o, *p)
			}
		})
	})
}

// Somebody suspends a mandate, and before every node has heard of it somebody else revokes
// it. He is not told that it is revoked while a node may still permit.
func TestEndingWhatIsBeingSuspendedWaits(t *testing.T) {
	const lease = 200 * time.Millisecond
	at := filepath.Join(t.TempDir(), "register.db")
	first := must(Create(ctx, at, mr1, lease, Options{}))
	defer first.Close()
	other := must(Open(ctx, at, Options{}))
	defer other.Close()
	var id mandate.ID
	must(first.Change(ctx, desk, func(t *Tx) error {
		m, now := direct(must(t.PutOrganisation(company(1))), must(t.PutPerson(human(1)))), t.Now().Truncate(time.Second)
		m.Validity = mandate.Validity{From: now, To: now.Add(24 * time.Hour)}
		granted, err := t.Grant(m, GrantOptions{})
		id = granted.ID
		return err
	}))

	done := make(chan error, 1)
	go func() {
		done <- second(first.Change(ctx, desk, func(t *Tx) error { return second(t.SetState(id, mandate.Suspended)) }))
	}()
	for suspended := false; !suspended; {
		err := other.Read(ctx, func(v *Snapshot) error {
			m, err := v.Mandate(id)
			suspended = m.State == mandate.Suspended
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	seen := time.Now() // after the suspension was written
	receipt := must(other.Change(ctx, desk, func(t *Tx) error { return second(t.SetState(id, mandate.Revoked)) }))
	if waited := time.Since(seen); waited < lease+lease/10 || !receipt.Effective.After(receipt.Committed) {
		t.Errorf("told after %v: %+v", waited, receipt)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// What takes something away is acknowledged only after every node has heard of it; what
// gives or lifts is not waited for.
func TestWhatNarrows(t *testing.T) {
	onBoth(t, func(t *testing.T, s *scene) {
		b, g := s.org(1), s.person(1)
		m, rsin := s.grant(direct(b, g)), must(etoegang.ParseRSIN("123456782"))
		put := func(change func(*mandate.Organisation, *mandate.Person)) func(*Tx) error {
			return func(t *Tx) error {
				o, p := b, g
				change(&o, &p)
				if _, err := t.PutOrganisation(o); err != nil {
					return err
				}
				return second(t.PutPerson(p))
			}
		}
		for _, c := range []struct {
			why     string
			change  func(*Tx) error
			narrows bool
		}{
			{"a company is blocked", put(func(o *mandate.Organisation, _ *mandate.Person) { o.Blocked = true }), true},
			{"it is blocked already", put(func(o *mandate.Organisation, _ *mandate.Person) { o.Blocked = true }), true},
			{"it still is when another comes", func(t *Tx) error {
				o := b
				o.Blocked = true
				if _, err := t.PutOrganisation(o); err != nil {
					return err
				}
				return second(t.PutOrganisation(company(2)))
			}, true},
			{"the block is lifted", put(func(*mandate.Organisation, *mandate.Person) {}), false},
			{"a person is blocked", put(func(_ *mandate.Organisation, p *mandate.Person) { p.Blocked = true }), true},
			{"and stays so under another name", put(func(_ *mandate.Organisation, p *mandate.Person) { p.Blocked, p.Name = true, "New" }), true},
			{"and once more", put(func(_ *mandate.Organisation, p *mandate.Person) { p.Blocked, p.Name = true, "New" }), true},
			{"the block is lifted too", put(func(*mandate.Organisation, *mandate.Person) {}), false},
			{"what was lifted is lifted", put(func(*mandate.Organisation, *mandate.Person) {}), true}, // nobody knows what came before
			{"a company gets a number of its own", put(func(o *mandate.Organisation, _ *mandate.Person) { o.RSIN = rsin }), true},
			{"it has that already", put(func(o *mandate.Organisation, _ *mandate.Person) { o.RSIN = rsin }), true},
			{"a company ends", put(func(o *mandate.Organisation, _ *mandate.Person) { o.Active = false }), true},
			{"it has ended", put(func(o *mandate.Organisation, _ *mandate.Person) { o.Active = false }), true},
			{"a person ends with it", put(func(o *mandate.Organisation, p *mandate.Person) { o.Active, p.Active = false, false }), true},
			{"both have ended", put(func(o *mandate.Organisation, p *mandate.Person) { o.Active, p.Active = false, false }), true},
			{"somebody new beside those who are there", func(t *Tx) error {
				if _, err := t.PutOrganisation(company(2)); err != nil {
					return err
				}
				return second(t.PutOrganisation(company(3)))
			}, false},
			{"nothing", func(*Tx) error { return nil }, false},
			{"a mandate is suspended", func(t *Tx) error { return second(t.SetState(m.ID, mandate.Suspended)) }, true},
			{"and in force again", func(t *Tx) error { return second(t.SetState(m.ID, mandate.Active)) }, false},
			{"it is suspended once more", func(t *Tx) error { return second(t.SetState(m.ID, mandate.Suspended)) }, true},
			{"and then revoked", func(t *Tx) error { return second(t.SetState(m.ID, mandate.Revoked)) }, true},
			{"one that was only asked for is withdrawn", func(t *Tx) error {
				wanted := direct(b, g)
				wanted.State = mandate.Requested
				asked, err := t.Grant(wanted, GrantOptions{})
				if err != nil {
					return err
				}
				return second(t.SetState(asked.ID, mandate.Withdrawn))
			}, false},
		} {
			_, narrows, err := s.Register.change(ctx, desk, c.change)
			if err != nil || narrows != c.narrows {
				t.Errorf("%s: narrows %v (%v)", c.why, narrows, err)
			}
		}
	})
}

// One operator stops somebody, and before every node has heard of it another does the same.
// That changes nothing, and yet he is not told that it is done before it is.
func TestASecondStopWaitsNoLess(t *testing.T) {
	places := map[string]func(*testing.T) string{
		"SQLite":     func(t *testing.T) string { return filepath.Join(t.TempDir(), "register.db") },
		"PostgreSQL": func(t *testing.T) string { return servers.Shared(t).DSN() },
	}
	for name, place := range places {
		t.Run(name, func(t *testing.T) {
			const lease = 200 * time.Millisecond
			at := place(t)
			first := must(Create(ctx, at, mr1, lease, Options{}))
			defer first.Close()
			other := must(Open(ctx, at, Options{}))
			defer other.Close()
			g := human(1)
			must(first.Change(ctx, desk, func(t *Tx) error { return second(t.PutPerson(g)) }))
			stop := func(t *Tx) error {
				held := g
				held.Blocked = true
				return second(t.PutPerson(held))
			}

			done := make(chan error, 1)
			go func() { done <- second(first.Change(ctx, desk, stop)) }()
			patient, cancel := context.WithTimeout(ctx, 20*time.Second)
			defer cancel()
			for stopped := false; !stopped; {
				err := other.Read(patient, func(v *Snapshot) error {
					p, err := v.Person(g.Subject)
					stopped = err == nil && p.Blocked
					return err
				})
				if err != nil {
					t.Fatal(err)
				}
			}
			seen := time.Now() // after the first commit
			receipt := must(other.Change(ctx, desk, stop))
			if waited := time.Since(seen); waited < lease+lease/10 || !receipt.Effective.After(receipt.Committed) {
				t.Errorf("the second was told after %v, %+v", waited, receipt)
			}
			if err := <-done; err != nil || receipt.Revision != 2 {
				t.Errorf("revision %d, and the first: %v", receipt.Revision, err)
			}
		})
	}
}

// Whoever would end what has ended is refused, and not left to believe that everybody knows.
func TestEndedIsNotHeardOf(t *testing.T) {
	onBoth(t, func(t *testing.T, s *scene) {
		m := s.grant(direct(s.org(1), s.person(1)))
		for _, to := range []mandate.State{mandate.Suspended, mandate.Revoked} {
			s.setState(m.ID, to)
			_, err := s.Change(ctx, desk, func(t *Tx) error { return second(t.SetState(m.ID, to)) })
			if refused := new(TransitionError); !errors.As(err, &refused) || !strings.Contains(err.Error(), "not every node may have heard of it yet") {
				t.Errorf("%s twice: %v", to, err)
			}
		}
	})
}

// Slow reads that hold every connection do not keep the change feed from being followed:
// without it no node serves a hot decision.
func TestReadsDoNotHoldUpThePoll(t *testing.T) {
	onBoth(t, func(t *testing.T, s *scene) {
		patient, cancel := context.WithTimeout(ctx, 20*time.Second)
		defer cancel()
		var reading sync.WaitGroup
		begun, finish := make(chan bool), make(chan bool)
		for range cap(s.readers.slots) {
			reading.Go(func() {
				err := s.Read(patient, func(*Snapshot) error { begun <- true; <-finish; return nil })
				if err != nil {
					t.Error(err)
				}
			})
			<-begun
		}
		news, err := s.Poll(patient, 0, 10)
		if err != nil || news.Newest.Revision != 0 {
			t.Errorf("while all read: %+v, %v", news, err)
		}
		close(finish)
		reading.Wait()
	})
}

// Two connections are one for each use: polls and reads share the one.
func TestTwoConnections(t *testing.T) {
	s := newServerScene(t)
	o := s.clock.options()
	o.Connections = 2
	r := must(Open(ctx, s.place, o))
	must(r.Change(ctx, desk, func(t *Tx) error { return second(t.PutOrganisation(company(1))) }))
	patient, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	for range 3 {
		news := must(r.Poll(patient, 0, 10))
		if err := r.Read(patient, func(v *Snapshot) error { return nil }); err != nil || len(news.Changes) != 1 {
			t.Errorf("%+v, %v", news, err)
		}
	}
	if open := r.readers.db.Stats().MaxOpenConnections; open != 1 {
		t.Errorf("it may have %d connections to read", open)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
}

// Whoever closes a register waits for a poll as for a read: its connection is not taken from
// under it.
func TestCloseWaitsForAPoll(t *testing.T) {
	s := newServerScene(t)
	r := must(Open(ctx, s.place, s.clock.options()))
	polling := must(r.readers.take(ctx, r.readers.polls))
	closed := make(chan error)
	go func() { closed <- r.Close() }()
	var n int
	if err := polling.row([]any{&n}, `SELECT 1`); err != nil {
		t.Errorf("a poll under way: %v", err)
	}
	select {
	case err := <-closed:
		t.Errorf("closed while a poll is under way: %v", err)
	case <-time.After(100 * time.Millisecond): // it would have been by now
	}
	r.readers.give(polling, r.readers.polls)
	if err := <-closed; err != nil {
		t.Error(err)
	}
}

// The canary sings on the road of all mandates, and no list shows it.
func TestTheCanaryIsNotListed(t *testing.T) {
	onBoth(t, func(t *testing.T, s *scene) {
		b, a, g := s.org(1), s.org(2), s.person(1)
		real := []mandate.ID{s.grant(direct(b, g)).ID}
		var bird mandate.Organisation
		var singer mandate.Person
		s.change(func(t *Tx) {
			bird, singer = must(t.PutOrganisation(s.CanaryOrganisation())), must(t.PutPerson(s.CanaryPerson()))
		})
		own := s.grant(direct(bird, singer))
		real = append(real, s.grant(chain(b, a)).ID)
		s.read(func(v *Snapshot) {
			for _, filter := range []Filter{{}, {Organisation: bird.ID}, {Person: singer.ID}, {Organisation: a.ID}, {Person: g.ID}, {State: mandate.Active}} {
				for _, id := range pages(v, filter, 2) {
					if id != real[0] && id != real[1] {
						t.Errorf("%+v lists mandate %d", filter, id)
					}
				}
			}
			if got := pages(v, Filter{}, 1); len(got) != 2 {
				t.Errorf("listed: %v", got)
			}
			if held := must(v.HeldBy(singer.Subject, bird.KvK.LegalSubject())); len(held.Direct) != 1 || held.Direct[0].ID != own.ID {
				t.Errorf("a decision does not find it: %+v", held)
			}
		})
		if again := s.CanaryPerson(); again.Subject != singer.Subject {
			t.Error("there is another person within the hour")
		}
		s.clock.advance(time.Hour)
		if later := s.CanaryPerson(); later.Subject == singer.Subject {
			t.Error("the same person for ever holds ever more")
		}
	})
}

// What the canary holds stands in no list: so nobody else may use its company and its
// people, to be in no list either.
func TestTheCanaryIsReserved(t *testing.T) {
	onBoth(t, func(t *testing.T, s *scene) {
		b, g := s.org(1), s.person(1)
		var bird mandate.Organisation
		var singer mandate.Person
		s.change(func(t *Tx) {
			bird, singer = must(t.PutOrganisation(s.CanaryOrganisation())), must(t.PutPerson(s.CanaryPerson()))
		})
		named, stopped, ended := bird, bird, bird
		named.Name, stopped.Blocked, ended.Active = "Somebody", true, false
		hushed, gone := singer, singer
		hushed.Blocked, gone.Active = true, false
		s.change(func(tx *Tx) {
			for why, err := range map[string]error{
				"another name":           second(tx.PutOrganisation(named)),
				"its company is blocked": second(tx.PutOrganisation(stopped)),
				"its company ends":       second(tx.PutOrganisation(ended)),
				"its person is blocked":  second(tx.PutPerson(hushed)),
				"its person ends":        second(tx.PutPerson(gone)),
				"to somebody real":       second(tx.Grant(direct(bird, g), GrantOptions{})),
				"from somebody real":     second(tx.Grant(direct(b, singer), GrantOptions{})),
				"through its company":    second(tx.Grant(chain(b, bird), GrantOptions{})),
				"through a real one":     second(tx.Grant(chain(bird, b), GrantOptions{})),
			} {
				if !errors.Is(err, ErrReserved) {
					t.Errorf("%s: %v", why, err)
				}
			}
		})
	})
}

// A text that one of the databases cannot keep is refused by both, and the change may go
// on without it.
func TestTextThatCannotBeKept(t *testing.T) {
	onBoth(t, func(t *testing.T, s *scene) {
		b, g := s.org(1), s.person(1)
		for _, text := range []string{"a\x00b", "caf\xe9"} {
			s.change(func(tx *Tx) {
				o, p, m := company(2), human(2), direct(b, g)
				o.Name, p.Name, m.Reference = text, text, "a\x00b"
				v := edition(1)
				v.Signer = text
				for _, err := range []error{
					second(tx.PutOrganisation(o)), second(tx.PutPerson(p)), second(tx.Grant(m, GrantOptions{})), tx.PutCatalogue(v),
				} {
					if !errors.Is(err, ErrText) {
						t.Errorf("%q: got %v", text, err)
					}
				}
				must(tx.PutOrganisation(company(3)))
			})
			if _, err := s.Change(ctx, Author{Who: "desk", Why: text}, func(*Tx) error { return nil }); !errors.Is(err, ErrText) {
				t.Errorf("why %q: got %v", text, err)
			}
		}
	})
}

// Two identifiers are the same if and only if their letters are, capitals included, and
// lists have one order everywhere.
func TestLettersCount(t *testing.T) {
	onBoth(t, func(t *testing.T, s *scene) {
		small := human(0xabcdef)
		large := small
		large.Subject.Pseudonym = must(etoegang.ParsePseudonym(strings.ToUpper(small.Subject.Pseudonym.Text())))
		s.change(func(t *Tx) { small = must(t.PutPerson(small)) })
		var same mandate.Person
		s.change(func(t *Tx) { same = must(t.PutPerson(large)) })
		if equal := small.Subject == large.Subject; equal != (same.ID == small.ID) {
			t.Errorf("equal %v, yet numbers %d and %d", equal, small.ID, same.ID)
		}
		for _, p := range []mandate.Person{small, same} {
			s.read(func(v *Snapshot) {
				if got := must(v.Person(p.Subject)); got == nil || *got != p {
					t.Errorf("got %+v, want %+v", got, p)
				}
			})
		}
	})
}

// Whatever is written meanwhile, all answers of a snapshot belong to its revision.
func TestASnapshotStandsStill(t *testing.T) {
	onBoth(t, func(t *testing.T, s *scene) {
		b, a, g := s.org(1), s.org(2), s.person(1)
		d, c := s.grant(direct(b, g)), s.grant(chain(b, a))
		s.change(func(t *Tx) { put(t, edition(1)) })
		look := func(v *Snapshot) []any {
			companies, people, err := v.Blocked()
			if _, unknown := v.Mandate(c.ID + 1); err != nil || !errors.Is(unknown, ErrNotFound) {
				t.Errorf("%v, %v", err, unknown)
			}
			return []any{
				must(v.HeldBy(g.Subject, etoegang.LegalSubject{})), must(v.HeldBy(g.Subject, b.KvK.LegalSubject())),
				must(v.Between(b.KvK.LegalSubject(), etoegang.Intermediary{KvK: a.KvK})), must(v.History(d.ID)),
				must(v.CatalogueVersions()), v.CatalogueSequence(), companies, people,
				pages(v, Filter{}, 2), pages(v, Filter{Organisation: b.ID}, 10), pages(v, Filter{State: mandate.Active}, 10),
				must(v.Organisation(b.KvK.LegalSubject())), must(v.Person(g.Subject)), must(v.Organisation(kvk(3).LegalSubject())),
			}
		}
		s.read(func(v *Snapshot) {
			before := look(v)
			for _, change := range []func(*Tx){
				func(t *Tx) { must(t.SetState(d.ID, mandate.Revoked)) },
				func(t *Tx) { must(t.Grant(assignment(c, g), GrantOptions{})) },
				func(t *Tx) { must(t.SetState(c.ID, mandate.Revoked)) },
				func(t *Tx) { o := b; o.Blocked, o.Name = true, "New"; must(t.PutOrganisation(o)) },
				func(t *Tx) { p := g; p.Active, p.Blocked = false, true; must(t.PutPerson(p)) },
				func(t *Tx) { must(t.PutOrganisation(company(3))) },
				func(t *Tx) { put(t, edition(2)) },
			} {
				s.change(change)
				if diff := cmp.Diff(before, look(v), exact); diff != "" {
					t.Errorf("it moved:\n%s", diff)
				}
			}
		})
	})
}
