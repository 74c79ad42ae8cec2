package register

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

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
