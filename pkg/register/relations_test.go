package register

import (
	"slices"
	"testing"
	"time"

	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/mandate"
)

// relations reads a whole list, in pages of a size.
func (s *scene) relations(rev Revision, f Relations, size int) (list []mandate.Mandate) {
	s.Helper()
	after := mandate.ID(0)
	for {
		var page []mandate.Mandate
		var more bool
		s.readAt(rev, func(v *Snapshot) {
			var err error
			if page, more, err = v.Relations(f, after, size); err != nil {
				s.Fatal(err)
			}
		})
		list = append(list, page...)
		if !more {
			return list
		}
		if len(page) != size {
			s.Fatalf("a page of %d that is not the last, where %d were asked", len(page), size)
		}
		after = page[len(page)-1].ID
	}
}

// An intermediary's relations are the mandates it can rely on: in force, now, held here,
// between companies that both take part.
func TestRelationsAreWhatCanBeReliedOn(t *testing.T) {
	onBoth(t, func(t *testing.T, s *scene) {
		a := s.org(1)
		good := s.grant(chain(s.org(2), a))
		also := s.grant(chain(s.org(3), a, mandate.Item{Service: tax, Level: etoegang.LoA3}))

		elsewhere := chain(s.org(4), a)
		elsewhere.Register = mr2
		s.grant(elsewhere) // another register's to tell
		later := chain(s.org(5), a)
		later.Validity.From = noon.AddDate(0, 1, 0)
		s.grant(later)
		soon := chain(s.org(6), a)
		soon.Validity.To = noon.Add(time.Hour)
		ending := s.grant(soon)
		s.setState(s.grant(chain(s.org(7), a)).ID, mandate.Revoked)
		s.setState(s.grant(chain(s.org(8), a)).ID, mandate.Suspended)
		requested := chain(s.org(9), a)
		requested.State = mandate.Requested
		s.grant(requested)
		s.grant(direct(s.org(10), s.person(1)))
		s.grant(chain(s.org(11), s.org(12))) // of another
		s.grant(assignment(good, s.person(1)))
		blocked, inactive := company(13), company(14)
		s.grant(chain(s.org(13), a))
		s.grant(chain(s.org(14), a))
		blocked.Blocked, inactive.Active = true, false
		rev := s.change(func(t *Tx) { must(t.PutOrganisation(blocked)); must(t.PutOrganisation(inactive)) })

		f := Relations{Intermediary: etoegang.Intermediary{KvK: a.KvK}, At: noon}
		for _, size := range []int{1, 2, 3, 10} {
			if got, want := ids(s.relations(rev, f, size)), []mandate.ID{good.ID, also.ID, ending.ID}; !slices.Equal(got, want) {
				t.Errorf("in pages of %d: mandates %v, want %v", size, got, want)
			}
		}
		f.At = noon.Add(time.Hour)
		if got, want := ids(s.relations(rev, f, 10)), []mandate.ID{good.ID, also.ID}; !slices.Equal(got, want) {
			t.Errorf("an hour later: mandates %v, want %v", got, want)
		}
		list := s.relations(rev, f, 10)
		if list[0].Grantor != good.Grantor || list[0].Intermediary != a || len(list[1].Scope) != 1 || list[1].Scope[0].Service != tax {
			t.Errorf("told in full: %+v", list)
		}
		for why, stopped := range map[string]mandate.Organisation{
			"blocked":  {KvK: a.KvK, Name: a.Name, Active: true, Blocked: true},
			"inactive": {KvK: a.KvK, Name: a.Name},
		} {
			rev := s.change(func(t *Tx) { must(t.PutOrganisation(stopped)) })
			if got := s.relations(rev, f, 10); len(got) != 0 {
				t.Errorf("an intermediary that is %s has relations %v", why, ids(got))
			}
		}
		if got := ids(s.relations(rev, f, 10)); len(got) != 2 {
			t.Errorf("as it was known before: %v", got)
		}
	})
}

// A filter leaves out what does not bear on the question, and a service is covered by name
// or with all others.
func TestRelationsAreFiltered(t *testing.T) {
	onBoth(t, func(t *testing.T, s *scene) {
		a := s.org(1)
		grant := func(n int, scope ...mandate.Item) mandate.ID { return s.grant(chain(s.org(n), a, scope...)).ID }
		low := grant(2, mandate.Item{Service: tax, Level: etoegang.LoA2})
		high := grant(3, mandate.Item{Service: tax, Level: etoegang.LoA4}, mandate.Item{Service: uwv, Level: etoegang.LoA2})
		other := grant(4, mandate.Item{Service: uwv, Level: etoegang.LoA3})
		wide := grant(5, mandate.Item{Provider: oin, Level: etoegang.LoA3})
		all := grant(6)
		rsin := must(etoegang.ParseRSIN("123456782"))
		s.change(func(t *Tx) {
			c := company(4)
			c.RSIN = rsin
			must(t.PutOrganisation(c))
		})
		var rev Revision
		s.read(func(v *Snapshot) { rev = v.Revision() })
		for _, c := range []struct {
			why  string
			f    Relations
			want []mandate.ID
		}{
			{"everything", Relations{}, []mandate.ID{low, high, other, wide, all}},
			{"a service", Relations{Service: tax}, []mandate.ID{low, high, wide, all}},
			{"a service at a level", Relations{Service: tax, Level: etoegang.LoA2Plus}, []mandate.ID{high, wide, all}},
			{"the level is of that service", Relations{Service: uwv, Level: etoegang.LoA4}, nil},
			{"a level", Relations{Level: etoegang.LoA4}, []mandate.ID{high}},
			{"a client", Relations{Represented: kvk(3).LegalSubject()}, []mandate.ID{high}},
			{"a client by RSIN", Relations{Represented: rsin.LegalSubject()}, []mandate.ID{other}},
			{"a client and a service", Relations{Represented: kvk(4).LegalSubject(), Service: tax}, nil},
			{"an unknown client", Relations{Represented: kvk(99).LegalSubject()}, nil},
		} {
			c.f.Intermediary, c.f.At = etoegang.Intermediary{KvK: a.KvK}, noon
			if got := ids(s.relations(rev, c.f, 2)); !slices.Equal(got, c.want) {
				t.Errorf("%s: mandates %v, want %v", c.why, got, c.want)
			}
		}
		if got := s.relations(rev, Relations{Intermediary: etoegang.Intermediary{KvK: kvk(98)}, At: noon}, 2); len(got) != 0 {
			t.Errorf("an unknown intermediary has %v", ids(got))
		}
	})
}
