package register

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/mandate"
)

// rows gives all that the parts of a change write, in the order in which it is numbered.
func rows(t *testing.T, place string) string {
	t.Helper()
	db := raw(t, place)
	var b strings.Builder
	for _, query := range []string{
		`SELECT organisation || ' ' || version || ' ' || kvk || ' ' || name FROM organisation_version ORDER BY organisation, version`,
		`SELECT organisation || ' ' || version || ' ' || word || ' ' || text FROM organisation_name ORDER BY organisation, version, word`,
		`SELECT person || ' ' || version || ' ' || pseudonym || ' ' || name FROM person_version ORDER BY person, version`,
		`SELECT m.id || ' ' || m.kind || ' ' || m.grantor || ' ' || coalesce(m.person, 0) || ' ' || coalesce(m.intermediary, 0) || ' ' || coalesce(m.client, 0) FROM mandate m ORDER BY m.id`,
		`SELECT mandate || ' ' || version || ' ' || state FROM mandate_version ORDER BY mandate, version`,
		`SELECT mandate || ' ' || level FROM mandate_scope ORDER BY mandate`,
		`SELECT mandate || ' ' || number || ' ' || act FROM step ORDER BY mandate, number`,
		`SELECT id || ' ' || once FROM notice ORDER BY id`,
	} {
		all, err := db.Query(query)
		if err != nil {
			t.Fatal(err)
		}
		for all.Next() {
			var row string
			if err := all.Scan(&row); err != nil {
				t.Fatal(err)
			}
			b.WriteString(row + "\n")
		}
		if err := errors.Join(all.Err(), all.Close()); err != nil {
			t.Fatal(err)
		}
	}
	return b.String()
}

// act is something that a part of a change does. It tells what it was told, so that what a
// change believes can be compared, too.
type act func(*Tx) string

// drawAct draws one among a few parties, so that the same come back.
func drawAct(t *rapid.T) act {
	n, other := rapid.IntRange(1, 4).Draw(t, "n"), rapid.IntRange(1, 4).Draw(t, "other")
	which := mandate.ID(rapid.IntRange(1, 6).Draw(t, "which"))
	c, p := kvk(n).LegalSubject(), subject(other)
	parties := func(tx *Tx) (mandate.Organisation, mandate.Organisation, mandate.Person, bool) {
		o, a, g := must(tx.Snapshot().Organisation(c)), must(tx.Snapshot().Organisation(kvk(other).LegalSubject())), must(tx.Snapshot().Person(p))
		if o == nil || a == nil || g == nil {
			return mandate.Organisation{}, mandate.Organisation{}, mandate.Person{}, false
		}
		return *o, *a, *g, true
	}
	told := func(v any, err error) string { return fmt.Sprint(v, err) }
	return rapid.SampledFrom([]act{
		func(tx *Tx) string { return told(tx.PutOrganisation(company(n))) },
		func(tx *Tx) string {
			o := company(n)
			o.Name = "Another name"
			return told(tx.PutOrganisation(o))
		},
		func(tx *Tx) string { return told(tx.PutPerson(human(other))) },
		func(tx *Tx) string {
			o, _, g, ok := parties(tx)
			if !ok {
				return ""
			}
			return told(tx.Grant(direct(o, g), GrantOptions{}))
		},
		func(tx *Tx) string {
			o, a, _, ok := parties(tx)
			if !ok {
				return ""
			}
			return told(tx.Grant(chain(o, a), GrantOptions{}))
		},
		func(tx *Tx) string {
			return fmt.Sprint(tx.AddStep(which, Step{Act: mandate.ActSuspend, Side: mandate.GrantorSide}))
		},
		func(tx *Tx) string {
			if _, err := tx.Snapshot().Mandate(which); err != nil {
				return ""
			}
			return told(tx.AddNotice(Notice{News: mandate.NewsPaused, Mandate: which, Once: fmt.Sprint("mandate ", which, " once ", other)}))
		},
		func(tx *Tx) string { return told(tx.SetState(which, mandate.Suspended)) },
		func(tx *Tx) string { return told(tx.Snapshot().Mandate(which)) },
		func(tx *Tx) string {
			_, _, g, ok := parties(tx)
			c, err := tx.Snapshot().Mandate(which)
			if err != nil || !ok || c.Kind != mandate.Chain {
				return ""
			}
			alike, err := tx.Snapshot().Alike(assignment(c, g))
			return told(alike, err) + told(tx.Grant(assignment(c, g), GrantOptions{}))
		},
		func(tx *Tx) string {
			o, a, g, ok := parties(tx)
			if !ok {
				return ""
			}
			between, err := tx.Snapshot().Alike(chain(o, a))
			return told(between, err) + told(tx.Snapshot().Alike(direct(o, g)))
		},
		func(tx *Tx) string {
			held, err := tx.Snapshot().HeldBy(p, c)
			return told(held.Direct, err)
		},
		func(tx *Tx) string { return fmt.Sprint(parties(tx)) },
	}).Draw(t, "act")
}

// A change of which some parts come to nothing writes what one does that never had them, and
// believes the same all the way: whether it has looked ahead or not, and whatever was put off
// when a part ended.
func TestPartsThatCameToNothingNeverWere(t *testing.T) {
	onBoth(t, func(t *testing.T, whole *scene) {
		kind := newScene
		if onServer(raw(t, whole.place)) {
			kind = newServerScene
		}
		plain := kind(t)
		no := errors.New("no")
		undone := 0
		rapid.Check(t, func(r *rapid.T) {
			var believed [2][]string
			type step struct {
				acts  []act
				stays bool
				ahead bool
			}
			var list []step
			for range rapid.IntRange(1, 6).Draw(r, "parts") {
				var s step
				s.stays, s.ahead = rapid.Bool().Draw(r, "stays"), rapid.Bool().Draw(r, "ahead")
				for range rapid.IntRange(1, 4).Draw(r, "acts") {
					s.acts = append(s.acts, drawAct(r))
				}
				list = append(list, s)
			}
			whole.change(func(tx *Tx) {
				for _, s := range list {
					if s.ahead {
						everybody, everyone := []etoegang.KvKNumber{kvk(1), kvk(2), kvk(3), kvk(4)}, []etoegang.ActingSubject{subject(1), subject(2), subject(3), subject(4)}
						if err := tx.Expect(everybody, everyone); err != nil {
							t.Fatal(err)
						}
					}
					err := tx.Try(func() error {
						for _, do := range s.acts {
							if said := do(tx); s.stays {
								believed[0] = append(believed[0], said)
							}
						}
						if s.stays {
							return nil
						}
						undone++
						return no
					})
					if (err == nil) != s.stays {
						t.Fatal(err)
					}
				}
			})
			plain.change(func(tx *Tx) {
				for _, s := range list {
					for _, do := range s.acts {
						if s.stays {
							believed[1] = append(believed[1], do(tx))
						}
					}
				}
			})
			if got, want := fmt.Sprint(believed[0]), fmt.Sprint(believed[1]); got != want {
				t.Fatalf("believed:\n%s\nnot\n%s", got, want)
			}
		})
		if got, want := rows(t, whole.place), rows(t, plain.place); got != want || undone == 0 {
			t.Errorf("%d parts undone; written:\n%s\nnot\n%s", undone, got, want)
		}
	})
}
