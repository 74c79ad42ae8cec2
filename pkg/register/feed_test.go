package register

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/mandate"
)

// Each change names everybody for whom a decision may now differ.
func TestTheFeedNamesWhoWasTouched(t *testing.T) {
	onBoth(t, func(t *testing.T, s *scene) {
		b, a, g := s.org(1), s.org(2), s.person(1)
		org, person := s.OrganisationParty, s.PersonParty
		rsin := must(etoegang.ParseRSIN("123456782"))
		d, c := s.grant(direct(b, g)), s.grant(chain(b, a))
		s.grant(assignment(c, g))
		s.setState(d.ID, mandate.Suspended)
		s.setState(c.ID, mandate.Revoked)
		withRSIN := b
		withRSIN.RSIN = rsin
		s.change(func(t *Tx) { must(t.PutOrganisation(withRSIN)) })
		s.change(func(t *Tx) { must(t.PutOrganisation(b)) })
		s.change(func(t *Tx) { put(t, edition(1)) })

		for i, c := range []struct {
			why  string
			want []Party
		}{
			{"a company", []Party{org(b.KvK)}},
			{"a company", []Party{org(a.KvK)}},
			{"a person", []Party{person(g.Subject)}},
			{"a direct mandate", []Party{org(b.KvK), person(g.Subject)}},
			{"a chain mandate", []Party{org(b.KvK), org(a.KvK)}},
			{"an assignment, and its client", []Party{org(b.KvK), org(a.KvK), person(g.Subject)}},
			{"a state", []Party{org(b.KvK), person(g.Subject)}},
			{"a chain that ends, with its assignments", []Party{org(b.KvK), org(a.KvK), person(g.Subject)}},
			{"an RSIN gained", []Party{org(b.KvK), s.SubjectParty(rsin.LegalSubject())}},
			{"an RSIN lost", []Party{org(b.KvK), s.SubjectParty(rsin.LegalSubject())}},
			{"a catalogue", []Party{s.CatalogueParty()}},
		} {
			rev := Revision(i + 1)
			var got []Party
			for _, line := range must(s.Poll(ctx, rev-1, 1000)).Changes {
				if line.Revision != rev {
					continue
				}
				s.readAt(rev, func(v *Snapshot) {
					if line.Tag != v.Stamp().Tag || line.At != noon {
						t.Errorf("%s: got %+v", c.why, line)
					}
				})
				got = append(got, line.Party)
			}
			if !sameParties(got, c.want) {
				t.Errorf("%s: got %v, want %v", c.why, got, c.want)
			}
		}
		if s.SubjectParty(b.KvK.LegalSubject()) != org(b.KvK) {
			t.Error("a company must have one party, whoever names it")
		}
	})
}

func sameParties(a, b []Party) bool {
	order := func(x, y Party) int { return slices.Compare(x[:], y[:]) }
	return slices.Equal(slices.SortedFunc(slices.Values(a), order), slices.SortedFunc(slices.Values(b), order))
}

// A thousand parties are named; one more and the change is about everybody.
func TestManyPartiesAreEverybody(t *testing.T) {
	onBoth(t, func(t *testing.T, s *scene) {
		put := func(from, n int) {
			s.change(func(t *Tx) {
				for i := range n {
					must(t.PutOrganisation(company(from + i)))
				}
			})
		}
		put(1, 1000)
		put(2001, 1001)
		if got := must(s.Poll(ctx, 0, 5000)).Changes; len(got) != 1001 {
			t.Errorf("a thousand companies and everybody are %d lines", len(got))
		}
		got := must(s.Poll(ctx, 1, 5)).Changes
		if len(got) != 1 || got[0].Party != AllParties || got[0].Party.String() != "*" {
			t.Errorf("a thousand and one: %v", got)
		}
	})
}

// Whoever follows the feed gets whole revisions, in order: all of them, or the newest
// and from where on they are all.
func TestTheFeedComesInWholeRevisions(t *testing.T) {
	onBoth(t, func(t *testing.T, s *scene) {
		for i, n := range []int{1, 3, 1, 5, 2} {
			s.change(func(t *Tx) {
				for j := range n {
					must(t.PutOrganisation(company(10*i + j + 1)))
				}
			})
		}
		all := []Revision{1, 2, 2, 2, 3, 4, 4, 4, 4, 4, 5, 5}
		for known := range Revision(6) {
			for limit := 1; limit < 14; limit++ {
				news := must(s.Poll(ctx, known, limit))
				var got, want []Revision
				for _, line := range news.Changes {
					got = append(got, line.Revision)
				}
				for _, rev := range all {
					if rev > news.After {
						want = append(want, rev)
					}
				}
				if !slices.Equal(got, want) || len(got) > limit || news.After < known || news.Newest.Revision != 5 {
					t.Errorf("after %d, %d at most: got %v after %d", known, limit, got, news.After)
				}
				left := 0
				for _, rev := range all {
					if rev > known && rev <= news.After {
						left++
					}
				}
				if left > 0 && left+len(got) <= limit {
					t.Errorf("after %d, %d at most: %d lines were left out without need", known, limit, left)
				}
			}
		}
	})
}

// A poll says what the register knows of the revision that the asker believes in, so
// that he notices a register that was put back in time.
func TestAPollKnowsTheTagOfWhatIsKnown(t *testing.T) {
	onBoth(t, func(t *testing.T, s *scene) {
		first := must(s.Change(ctx, desk, func(t *Tx) error { return couple(t, 1) }))
		second := must(s.Change(ctx, desk, func(t *Tx) error { return couple(t, 5) }))
		news := must(s.Poll(ctx, first.Revision, 10))
		if news.Known != first.Stamp || news.Newest != second.Stamp || first.Tag == second.Tag {
			t.Errorf("got %v, want %v and %v", news, first, second)
		}
		if age := time.Since(news.Database).Abs(); age > time.Minute {
			t.Errorf("the database is %v off", age)
		}
		if ahead := must(s.Poll(ctx, 3, 10)); ahead.Known.Tag != (Tag{}) || len(ahead.Changes) != 0 {
			t.Errorf("a revision that is not there: %v", ahead)
		}
	})
}

// Sixteen writers at once: every revision is given out once, none is skipped, and
// readers beside them see each change whole or not at all.
func TestSixteenWritersAndSomeReaders(t *testing.T) {
	onBoth(t, func(t *testing.T, s *scene) {
		const writers, each = 16, 6
		got := make(chan Revision, writers*each)
		stop := make(chan struct{})
		var writing, reading sync.WaitGroup
		for w := range writers {
			writing.Go(func() {
				for i := range each {
					rev, err := s.Change(ctx, desk, func(t *Tx) error { return couple(t, 1+1000*w+2*i) })
					if err != nil {
						t.Error(err)
					}
					got <- rev.Revision
				}
			})
		}
		for range 3 {
			reading.Go(func() { watch(t, s.Register, stop) })
		}
		writing.Wait()
		close(stop)
		reading.Wait()
		close(got)

		var revisions []Revision
		for rev := range got {
			revisions = append(revisions, rev)
		}
		slices.Sort(revisions)
		for i, rev := range revisions {
			if rev != Revision(i+1) {
				t.Fatalf("revision %d is where %d should be", rev, i+1)
			}
		}
		sound(t, s.place)
	})
}

// couple registers two companies and a chain mandate between them.
func couple(t *Tx, n int) error {
	b, err := t.PutOrganisation(company(n))
	if err != nil {
		return err
	}
	a, err := t.PutOrganisation(company(n + 1))
	if err != nil {
		return err
	}
	_, err = t.Grant(chain(b, a), GrantOptions{})
	return err
}

// watch reads until told to stop: at revision r there are r mandates and 2r
// companies, and they stay so for the whole snapshot.
func watch(t *testing.T, r *Register, stop chan struct{}) {
	last := Revision(0)
	for {
		select {
		case <-stop:
			return
		default:
		}
		err := r.Read(ctx, func(s *Snapshot) error {
			for range 2 {
				var companies, feed int64
				if err := s.one([]any{&companies, &feed}, `SELECT
					(SELECT count(*) FROM organisation_version WHERE since <= ?1 AND until > ?1),
					(SELECT count(*) FROM change_feed WHERE revision <= ?1)`, s.Revision()); err != nil {
					return err
				}
				list, _, err := s.Mandates(Filter{}, 0, 1000)
				if err != nil {
					return err
				}
				if int64(len(list)) != int64(s.Revision()) || companies != 2*int64(s.Revision()) || feed != companies {
					return fmt.Errorf("at revision %d: %d mandates, %d companies, %d lines", s.Revision(), len(list), companies, feed)
				}
			}
			if s.Revision() < last {
				return errors.New("a later snapshot shows an earlier revision")
			}
			last = s.Revision()
			return nil
		})
		if err != nil {
			t.Error(err)
			return
		}
	}
}
