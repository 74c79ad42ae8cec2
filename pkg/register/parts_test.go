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
		`SELECT id FROM organisation ORDER BY id`,
		`SELECT id FROM person ORDER BY id`,
		`SELECT organisation || ' ' || version || ' ' || kvk || ' ' || coalesce(rsin, '') || ' ' || name FROM organisation_version ORDER BY organisation, version`,
		`SELECT organisation || ' ' || version || ' ' || word || ' ' || text FROM organisation_name ORDER BY organisation, version, word`,
		`SELECT person || ' ' || version || ' ' || pseudonym || ' ' || name FROM person_version ORDER BY person, version`,
		`SELECT m.id || ' ' || m.kind || ' ' || m.grantor || ' ' || coalesce(m.person, 0) || ' ' || coalesce(m.intermediary, 0) || ' ' || coalesce(m.client, 0) FROM mandate m ORDER BY m.id`,
		`SELECT mandate || ' ' || version || ' ' || state FROM mandate_version ORDER BY mandate, version`,
		`SELECT mandate || ' ' || level FROM mandate_scope ORDER BY mandate`,
		`SELECT mandate || ' ' || cents FROM fee ORDER BY mandate`,
		`SELECT mandate || ' ' || asked_by || ' ' || coalesce(hands_over, 0) FROM request ORDER BY mandate`,
		`SELECT mandate || ' ' || number || ' ' || act || ' ' || coalesce(text, '') FROM step s LEFT JOIN consent c ON c.sha256 = s.consent ORDER BY mandate, number`,
		`SELECT text FROM consent ORDER BY text`,
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
		func(tx *Tx) string { // an RSIN that another company may have had, and lost
			o := company(n)
			if o.RSIN = must(etoegang.ParseRSIN("123456782")); other > 2 {
				o.RSIN = etoegang.RSIN{}
			}
			return told(tx.PutOrganisation(o))
		},
		func(tx *Tx) string {
			everybody, everyone := []etoegang.KvKNumber{kvk(1), kvk(2), kvk(3), kvk(4)}, []etoegang.ActingSubject{subject(1), subject(2), subject(3), subject(4)}
			return fmt.Sprint(tx.Expect(everybody, everyone))
		},
		func(tx *Tx) string { return told(tx.PutPerson(human(other))) },
		func(tx *Tx) string {
			o, _, g, ok := parties(tx)
			if !ok {
				return ""
			}
			m, err := tx.Grant(direct(o, g), GrantOptions{})
			if err == nil {
				err = tx.AddFee(m.ID, mandate.Cents(100*n))
			}
			return told(m, err)
		},
		func(tx *Tx) string {
			o, a, _, ok := parties(tx)
			if !ok {
				return ""
			}
			return told(tx.Grant(chain(o, a), GrantOptions{}))
		},
		func(tx *Tx) string {
			o, a, _, ok := parties(tx)
			if !ok {
				return ""
			}
			asked := chain(o, a)
			asked.State = mandate.Requested
			return told(tx.Grant(asked, GrantOptions{Request: &Asked{By: mandate.ReceiverSide, Expires: noon}}))
		},
		func(tx *Tx) string {
			return fmt.Sprint(tx.AddStep(which, Step{Act: mandate.ActSuspend, Side: mandate.GrantorSide, Consent: Consent{"nl", fmt.Sprint("tekst ", other)}}))
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
		much := rememberLess(t)
		no := errors.New("no")
		undone := 0
		rapid.Check(t, func(r *rapid.T) {
			mostRemembered = rapid.SampledFrom([]int{3, much}).Draw(r, "most remembered")
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

// A part asks, and by that writes what was put off before it; what it puts off itself then is
// gone with it, and what stood before it stands.
func TestPartAsksAndComesToNothing(t *testing.T) {
	onBoth(t, func(t *testing.T, s *scene) {
		no := errors.New("no")
		s.change(func(tx *Tx) {
			must(tx.PutOrganisation(company(1)))
			if err := tx.Try(func() error {
				must(tx.Snapshot().CatalogueVersions())
				must(tx.PutOrganisation(company(2)))
				return no
			}); !errors.Is(err, no) {
				t.Fatal(err)
			}
		})
		s.read(func(v *Snapshot) {
			if one, two := must(v.Organisation(kvk(1).LegalSubject())), must(v.Organisation(kvk(2).LegalSubject())); one == nil || two != nil {
				t.Errorf("there are %v and %v", one, two)
			}
		})
	})
}

// A part that looks ahead and comes to nothing has not looked: who is there is there still.
func TestPartThatLookedAhead(t *testing.T) {
	onBoth(t, func(t *testing.T, s *scene) {
		there := s.org(1)
		s.change(func(tx *Tx) {
			_ = tx.Try(func() error {
				must(0, tx.Expect([]etoegang.KvKNumber{there.KvK, kvk(2)}, nil))
				return errors.New("no")
			})
			if again := must(tx.PutOrganisation(company(1))); again != there {
				t.Errorf("it is %v, and was %v", again, there)
			}
		})
	})
}

// rememberLess lets a test have changes remember less than the most, which it gives.
func rememberLess(t *testing.T) (most int) {
	most = mostRemembered
	t.Cleanup(func() { mostRemembered = most })
	return most
}

// A text that was agreed to in a part that came to nothing is kept when somebody agrees to it
// again.
func TestTextIsAgreedToAgain(t *testing.T) {
	onBoth(t, func(t *testing.T, s *scene) {
		m := s.grant(direct(s.org(1), s.person(1)))
		agreed := Step{Act: mandate.ActAgree, Side: mandate.GrantorSide, Consent: Consent{"nl", "ja"}}
		s.change(func(tx *Tx) {
			_ = tx.Try(func() error {
				must(0, tx.AddStep(m.ID, agreed))
				return errors.New("no")
			})
			for range 2 {
				must(0, tx.AddStep(m.ID, agreed))
			}
		})
		s.read(func(v *Snapshot) {
			if steps := must(v.Steps(m.ID)); len(steps) != 2 || steps[0].Consent != agreed.Consent || steps[1].Consent != agreed.Consent {
				t.Errorf("known is %+v", steps)
			}
		})
	})
}

// What a change has made it finds again, although nothing of it is written yet and the parties
// were there before: the same is not made twice, however little the change remembers.
func TestTwiceInOneChange(t *testing.T) {
	onBoth(t, func(t *testing.T, s *scene) {
		var overlap *OverlapError
		for n, most := range []int{rememberLess(t), 0} {
			mostRemembered = most
			b, a, g := s.org(1+10*n), s.org(2+10*n), s.person(1+10*n)
			before := s.grant(chain(s.org(3+10*n), a))
			for what, m := range map[string]mandate.Mandate{"chain": chain(b, a), "direct": direct(b, g), "assignment": assignment(before, g)} {
				s.change(func(tx *Tx) {
					if alike := must(tx.Snapshot().Alike(m)); len(alike) != 0 {
						t.Errorf("%s: there is %v", what, alike)
					}
					made := must(tx.Grant(m, GrantOptions{}))
					must(0, tx.Expect(nil, nil))
					if _, err := tx.Grant(m, GrantOptions{}); !errors.As(err, &overlap) || overlap.Mandate != made.ID {
						t.Errorf("%s twice: %v", what, err)
					}
					if alike := must(tx.Snapshot().Alike(m)); len(alike) != 1 || alike[0].ID != made.ID {
						t.Errorf("%s: found %v", what, alike)
					}
				})
			}
		}
	})
}

// A step that is refused has written nothing, not even the text that was agreed to.
func TestRefusedStepWritesNothing(t *testing.T) {
	onBoth(t, func(t *testing.T, s *scene) {
		m := s.grant(direct(s.org(1), s.person(1)))
		agreed := Step{Act: mandate.ActAgree, Side: mandate.GrantorSide, Consent: Consent{"nl", "ja"}}
		unreadable := agreed
		unreadable.Evidence = []mandate.Evidence{{Kind: mandate.Notice, Dated: noon, Where: "box \xff"}}
		before := rows(t, s.place)
		s.change(func(tx *Tx) {
			if err := tx.AddStep(99, agreed); !errors.Is(err, ErrNotFound) {
				t.Errorf("of nothing: %v", err)
			}
			if err := tx.AddStep(m.ID, unreadable); !errors.Is(err, ErrText) {
				t.Errorf("on what cannot be read: %v", err)
			}
			must(tx.PutPerson(human(2)))
		})
		if after := rows(t, s.place); strings.Contains(after, "ja\n") || strings.Contains(after, string(mandate.ActAgree)) {
			t.Errorf("written:\n%s\nbefore:\n%s", after, before)
		}
	})
}
