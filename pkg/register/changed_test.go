package register

import (
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/mandated/mandated/pkg/mandate"
)

// What changed after a revision is just what differs between two snapshots, in the order of
// the revisions, however large the pages are and by whichever of the two ways it is read.
func TestChangedIsTheDifference(t *testing.T) {
	onBoth(t, func(t *testing.T, s *scene) {
		var firms []mandate.Organisation
		for n := range 4 {
			firms = append(firms, s.org(n+1))
		}
		first := s.state()
		var granted []mandate.Mandate
		rapid.Check(t, func(t *rapid.T) {
			for range rapid.IntRange(1, 3).Draw(t, "changes") {
				s.change(func(tx *Tx) {
					for range rapid.IntRange(1, 3).Draw(t, "steps") {
						if len(granted) > 0 && rapid.Bool().Draw(t, "end") {
							to := rapid.SampledFrom([]mandate.State{mandate.Suspended, mandate.Active, mandate.Revoked}).Draw(t, "to")
							_, _ = tx.SetState(rapid.SampledFrom(granted).Draw(t, "which").ID, to)
							continue
						}
						two := rapid.Permutation(firms).Draw(t, "parties")
						m := chain(two[0], two[1])
						m.Reference = fmt.Sprint(len(granted))
						if m, err := tx.Grant(m, GrantOptions{}); err == nil {
							granted = append(granted, m)
						}
					}
				})
			}
			since := Revision(rapid.Int64Range(int64(first), int64(s.state())).Draw(t, "since"))
			at := Revision(rapid.Int64Range(int64(since), int64(s.state())).Draw(t, "at"))
			who := rapid.SampledFrom(firms).Draw(t, "who").ID
			old := map[mandate.ID]mandate.State{}
			s.readAt(since, func(v *Snapshot) {
				for _, m := range everyOne(v, who) {
					old[m.ID] = m.State
				}
			})
			s.readAt(at, func(v *Snapshot) {
				want := map[mandate.ID]mandate.State{}
				for _, m := range everyOne(v, who) {
					if was, known := old[m.ID]; !known || was != m.State || moved(v, m.ID, since) {
						want[m.ID] = m.State
					}
				}
				size := rapid.IntRange(1, 4).Draw(t, "size")
				sorted, followed := changedBy(t, v, who, since, size, true), changedBy(t, v, who, since, size, false)
				if diff := cmp.Diff(sorted, followed, cmp.Comparer(sameChange)); diff != "" {
					t.Fatalf("the two ways differ:\n%s", diff)
				}
				got := map[mandate.ID]mandate.State{}
				last := ChangedPlace{Since: since, Mandate: 1 << 62}
				for _, c := range sorted {
					if here := (ChangedPlace{c.Since, c.Mandate.ID}); !last.before(here) || here.Since > at {
						t.Fatalf("%v after %v, at %d", here, last, at)
					} else {
						last = here
					}
					got[c.Mandate.ID] = c.Mandate.State
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Fatalf("from %d to %d:\n%s", since, at, diff)
				}
			})
		})
	})
}

func sameChange(a, b Changed) bool { return a.Since == b.Since && a.Mandate.ID == b.Mandate.ID }

func (p ChangedPlace) before(other ChangedPlace) bool {
	return p.Since < other.Since || p.Since == other.Since && p.Mandate < other.Mandate
}

func (s *scene) state() (r Revision) {
	s.read(func(v *Snapshot) { r = v.Revision() })
	return r
}

func everyOne(v *Snapshot, o mandate.OrganisationID) []mandate.Mandate {
	list, more, err := v.Mandates(Filter{Organisation: o}, 0, 100_000)
	if err != nil || more {
		panic(fmt.Sprint(more, err))
	}
	return list
}

// moved tells whether a mandate changed after a revision, be it back to what it was.
func moved(v *Snapshot, id mandate.ID, since Revision) bool {
	versions := must(v.History(id))
	return versions[len(versions)-1].Revision > since
}

func changedBy(t *rapid.T, v *Snapshot, o mandate.OrganisationID, since Revision, size int, few bool) (all []Changed) {
	after := ChangedPlace{Since: since}
	for {
		list, more, err := v.changed(o, after, size, few)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, list...)
		if !more {
			return all
		}
		last := list[len(list)-1]
		after = ChangedPlace{last.Since, last.Mandate.ID}
	}
}

// A part of a change that is refused has done nothing, and what follows knows it.
func TestTryUndoesAPart(t *testing.T) {
	onBoth(t, func(t *testing.T, s *scene) {
		b, g := s.org(1), s.person(1)
		no := errors.New("no")
		s.change(func(tx *Tx) {
			err := tx.Try(func() error {
				must(tx.PutOrganisation(company(2)))
				must(tx.PutPerson(human(2)))
				must(tx.Grant(direct(b, g), GrantOptions{}))
				return no
			})
			if err != no {
				t.Errorf("the error of the part: %v", err)
			}
			if err := tx.Try(func() error {
				o := must(tx.PutOrganisation(company(3)))
				if o.ID != b.ID+1 {
					t.Errorf("company 3 has number %d: one that was undone keeps its number", o.ID)
				}
				m, err := tx.Grant(chain(b, o), GrantOptions{})
				if m.ID != 1 {
					t.Errorf("the mandate has number %d", m.ID)
				}
				return err
			}); err != nil {
				t.Error(err)
			}
		})
		s.read(func(v *Snapshot) {
			if o := must(v.Organisation(kvk(2).LegalSubject())); o != nil {
				t.Error("company 2 is registered")
			}
			if list := everyOne(v, b.ID); len(list) != 1 || list[0].Kind != mandate.Chain {
				t.Errorf("mandates: %+v", list)
			}
		})
		before := s.state()
		s.change(func(tx *Tx) { _ = tx.Try(func() error { must(tx.PutOrganisation(company(4))); return no }) })
		if s.state() != before {
			t.Error("a change of which nothing was left has taken a revision")
		}
	})
}

// Each narrower list is that part of the whole that it says.
func TestFilters(t *testing.T) {
	onBoth(t, func(t *testing.T, s *scene) {
		a, b, g := s.org(1), s.org(2), s.person(1)
		given, received, own := s.grant(chain(a, b)), s.grant(chain(b, a)), s.grant(direct(a, g))
		passed := s.grant(assignment(received, g))
		asked := chain(a, b)
		asked.State, asked.Validity.From, asked.Validity.To = mandate.Requested, asked.Validity.To, asked.Validity.To.AddDate(1, 0, 0)
		s.change(func(t *Tx) {
			asked = must(t.Grant(asked, GrantOptions{Request: &Asked{By: mandate.ReceiverSide, Expires: asked.Validity.To}}))
		})
		// The renewal of the one that was given is asked for, and that request gave way to another.
		renewal := given
		renewal.ID, renewal.Supersedes, renewal.State, renewal.Validity.To = 0, given.ID, mandate.AwaitingSignatures, given.Validity.To.AddDate(0, 0, -1)
		renewal = s.grant(renewal)
		less := renewal
		less.ID, less.Supersedes, less.Validity.To = 0, renewal.ID, given.Validity.To.AddDate(0, 0, -2)
		less = s.grant(less)
		for why, c := range map[string]struct {
			f    Filter
			want []mandate.ID
		}{
			"all":                {Filter{}, []mandate.ID{given.ID, received.ID, own.ID, passed.ID, asked.ID, renewal.ID, less.ID}},
			"granted":            {Filter{Side: mandate.GrantorSide}, []mandate.ID{given.ID, own.ID, passed.ID, asked.ID, renewal.ID, less.ID}},
			"received":           {Filter{Side: mandate.ReceiverSide}, []mandate.ID{received.ID}},
			"who may act for it": {Filter{Side: mandate.GrantorSide, Except: mandate.Assignment, State: mandate.Active}, []mandate.ID{given.ID, own.ID}},
			"asked for":          {Filter{Pending: true}, []mandate.ID{asked.ID, less.ID}},
			"by the receiver":    {Filter{AskedBy: mandate.ReceiverSide}, []mandate.ID{asked.ID}},
			"by the register":    {Filter{AskedBy: mandate.RegisterSide}, nil},
			"not being renewed":  {Filter{Unfollowed: true, State: mandate.Active}, []mandate.ID{received.ID, own.ID, passed.ID}},
			"later than these":   {Filter{EndsAfter: given.Validity.To}, []mandate.ID{asked.ID}},
			"sooner":             {Filter{EndsBefore: given.Validity.To}, []mandate.ID{renewal.ID, less.ID}},
			"in between":         {Filter{EndsAfter: less.Validity.To, EndsBefore: given.Validity.To}, []mandate.ID{renewal.ID}},
		} {
			c.f.Organisation = a.ID
			s.read(func(v *Snapshot) {
				list, _, err := v.Mandates(c.f, 0, 100)
				if diff := cmp.Diff(c.want, ids(list)); diff != "" || err != nil || must(v.Total(c.f)) != len(c.want) {
					t.Errorf("%s: %v %s", why, err, diff)
				}
			})
		}
		s.read(func(v *Snapshot) {
			for _, m := range []mandate.Mandate{given, received, own, passed} {
				list := must(v.Alike(m))
				if len(list) == 0 || list[0].ID != m.ID {
					t.Errorf("alike to %d: %v", m.ID, ids(list))
				}
			}
		})
	})
}
