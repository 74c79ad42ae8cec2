package register

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/mandate"
)

// Staff see how many mandates there are of each kind, and which services are relied upon: those
// that are over, suspended or not begun are no longer, and the canary's never were.
func TestCountsAndCovered(t *testing.T) {
	onBoth(t, func(t *testing.T, s *scene) {
		b, a, anna, bob := s.org(1), s.org(2), s.person(1), s.person(2)
		service := mandate.Item{Service: tax, Level: etoegang.LoA2}
		given := s.grant(chain(b, a, service, mandate.Item{Provider: oin, Level: etoegang.LoA3}))
		s.grant(assignment(given, anna, service))
		suspended := s.grant(direct(b, anna, mandate.Item{Service: uwv, Level: etoegang.LoA3}))
		s.setState(suspended.ID, mandate.Suspended)
		later := direct(b, bob)
		later.Validity = mandate.Validity{From: noon.AddDate(1, 0, 0), To: noon.AddDate(2, 0, 0)}
		before := s.state()
		s.grant(later)
		s.sing()

		counts := func(rev Revision, at time.Time) (text string) {
			s.readAt(rev, func(v *Snapshot) {
				for _, c := range must(v.Counts(at)) {
					text += fmt.Sprintf("%s %t %t %d; ", c.State, c.Later, c.Over, c.Mandates)
				}
			})
			return text
		}
		if got, want := counts(s.state(), noon), "active false false 2; active true false 1; suspended false false 1; "; got != want {
			t.Errorf("now: %s, want %s", got, want)
		}
		if got, want := counts(before, noon.AddDate(1, 0, 0)), "active false true 2; suspended false true 1; "; got != want {
			t.Errorf("a year later, without the last: %s, want %s", got, want)
		}
		s.read(func(v *Snapshot) {
			want := []Covering{{mandate.Item{Provider: oin, Level: etoegang.LoA3}, 1}, {service, 2}}
			if diff := cmp.Diff(want, must(v.Covered(noon)), cmp.Comparer(func(a, b mandate.Item) bool { return a == b })); diff != "" {
				t.Error(diff)
			}
			if got := must(v.Covered(noon.AddDate(1, 0, 0))); len(got) != 1 || got[0] != (Covering{mandate.Everything(later.Scope[0].Level), 1}) {
				t.Errorf("a year later: %+v", got)
			}
		})
	})
}

// sing grants a mandate as the canary does.
func (s *scene) sing() {
	s.Helper()
	s.change(func(t *Tx) {
		o, p := must(t.PutOrganisation(s.CanaryOrganisation())), must(t.PutPerson(s.CanaryPerson()))
		_ = must(t.Grant(direct(o, p), GrantOptions{}))
	})
}

func BenchmarkCounts(b *testing.B) {
	onBig(b, func(b *testing.B, r *Register, _ size) {
		for what, ask := range map[string]func(*Snapshot) error{
			"states":   func(s *Snapshot) error { return second(s.Counts(noon)) },
			"services": func(s *Snapshot) error { return second(s.Covered(noon)) },
		} {
			b.Run(what, func(b *testing.B) {
				measure(b, func(*rand.Rand) error { return r.Read(ctx, ask) })
			})
		}
	})
}
