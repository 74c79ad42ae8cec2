package register

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/mandate"
)

// office is an accountant with an employee, Anna, and clients by name.
type office struct {
	*scene
	firm   mandate.Organisation
	anna   mandate.Person
	called map[mandate.OrganisationID]string
	last   int
}

func newOffice(s *scene, names ...string) *office {
	o := &office{scene: s, firm: s.org(1), anna: s.person(1), called: map[mandate.OrganisationID]string{}, last: 1}
	for _, name := range names {
		o.client(name)
	}
	return o
}

// client is a company that lets the firm act, which lets Anna.
func (o *office) client(name string) (b mandate.Organisation) {
	o.last++
	o.change(func(t *Tx) {
		c := company(o.last)
		c.Name = name
		b = must(t.PutOrganisation(c))
		must(t.Grant(assignment(must(t.Grant(chain(b, o.firm), GrantOptions{})), o.anna), GrantOptions{}))
	})
	o.called[b.ID] = name
	return b
}

// pages lists every page of a search, by name, on both roads: they must agree.
func (o *office) pages(k Seeking, size int) (pages [][]string) {
	o.Helper()
	if k.Intermediary == 0 {
		k.Person = o.anna.ID
	}
	if k.Kind == "" {
		k.Kind = mandate.Assignment
	}
	o.read(func(s *Snapshot) {
		sorted, followed := o.walk(k, size, sortedBy(s)), o.walk(k, size, followedBy(s))
		if usual := o.walk(k, size, s.Companies); fmt.Sprint(sorted) != fmt.Sprint(usual) {
			o.Errorf("%+v: a list that is sorted gives %v, and asked for any %v", k, sorted, usual)
		}
		if fmt.Sprint(sorted) != fmt.Sprint(followed) {
			o.Errorf("%+v: a list that is sorted gives %v, the alphabet %v", k, sorted, followed)
		}
		pages = sorted
	})
	return pages
}

type listing func(Seeking, int) ([]Place, bool, error)

func sortedBy(s *Snapshot) listing {
	return func(k Seeking, limit int) ([]Place, bool, error) {
		return s.companies(k, limit, true)
	}
}

func followedBy(s *Snapshot) listing {
	return func(k Seeking, limit int) ([]Place, bool, error) {
		return s.companies(k, limit, false)
	}
}

func (o *office) walk(k Seeking, size int, list listing) (pages [][]string) {
	o.Helper()
	for range 1000 {
		list, more, err := list(k, size)
		if err != nil {
			o.Fatal(err)
		}
		var names []string
		for _, p := range list {
			names = append(names, o.called[p.Organisation])
		}
		pages = append(pages, names)
		if k.After = Following(list, more); !more {
			return pages
		}
	}
	o.Fatal("the list has no end")
	return nil
}

// An accountant finds a client by the beginning of any word of its name, however he writes
// it, and by its number.
func TestClientsAreFoundByAnyWord(t *testing.T) {
	onBoth(t, func(t *testing.T, s *scene) {
		o := newOffice(s, "Bakkerij Jansen B.V.", "Bakkerij De Bakkers", "de Vries & Zonen", "Café 't Hoekje", "'s-Gravenhaagse Zuivel", "Zzp Åse Bakken", "")
		for search, want := range map[string]string{
			"":           "[ Bakkerij De Bakkers Bakkerij Jansen B.V. Café 't Hoekje de Vries & Zonen 's-Gravenhaagse Zuivel Zzp Åse Bakken]",
			"bak":        "[Zzp Åse Bakken Bakkerij De Bakkers Bakkerij Jansen B.V.]",
			"BAKKERIJ":   "[Bakkerij De Bakkers Bakkerij Jansen B.V.]",
			"bakkers":    "[Bakkerij De Bakkers]",
			"bv":         "[Bakkerij Jansen B.V.]",
			"b.v.":       "[Bakkerij Jansen B.V.]",
			"cafe":       "[Café 't Hoekje]",
			"café t":     "[Café 't Hoekje]",
			"hoek":       "[Café 't Hoekje]",
			" De  Vr ":   "[de Vries & Zonen]",
			"zonen":      "[de Vries & Zonen]",
			"ase":        "[Zzp Åse Bakken]",
			"00000003":   "[Bakkerij De Bakkers]",
			"0000 00 03": "[Bakkerij De Bakkers]",
			"0000000":    "[Bakkerij Jansen B.V. Bakkerij De Bakkers de Vries & Zonen Café 't Hoekje 's-Gravenhaagse Zuivel Zzp Åse Bakken ]",
			"jansen z":   "[]",
			"ansen":      "[]",
			"%":          "[ Bakkerij De Bakkers Bakkerij Jansen B.V. Café 't Hoekje de Vries & Zonen 's-Gravenhaagse Zuivel Zzp Åse Bakken]",
		} {
			if got := fmt.Sprint(slices.Concat(o.pages(Seeking{Search: search}, 100)...)); got != want {
				t.Errorf("%q finds %s, want %s", search, got, want)
			}
		}
	})
}

// Each page begins where the one before ended, with nobody twice and nobody left out, also
// where many have the same name.
func TestPagesOfClients(t *testing.T) {
	onBoth(t, func(t *testing.T, s *scene) {
		o := newOffice(s, "Bos Bos", "Bos", "Bos", "Bos", "Bos en Bosch")
		for size := 1; size <= 6; size++ {
			for _, search := range []string{"", "bos"} {
				if got := slices.Concat(o.pages(Seeking{Search: search}, size)...); len(got) != 5 {
					t.Errorf("pages of %d for %q give %q", size, search, got)
				}
			}
		}
	})
}

// Only whom the person may have a mandate of is listed, each on its own side, and under the
// name that the company has now.
func TestWhoIsListed(t *testing.T) {
	onBoth(t, func(t *testing.T, s *scene) {
		o := newOffice(s, "Client", "Old Name")
		s.grant(direct(o.firm, o.anna))
		o.called[o.firm.ID] = "the firm"
		stranger := s.org(90)
		s.grant(direct(stranger, s.person(2)))
		s.change(func(t *Tx) {
			renamed := company(3)
			renamed.Name = "Another Name"
			must(t.PutOrganisation(renamed))
		})
		if got := fmt.Sprint(o.pages(Seeking{}, 9)); got != "[[Old Name Client]]" { // called Another Name now
			t.Errorf("clients are %s", got)
		}
		if got := fmt.Sprint(o.pages(Seeking{Search: "old"}, 9)); got != "[[]]" {
			t.Errorf("under its old name is %s", got)
		}
		if got := fmt.Sprint(o.pages(Seeking{Kind: mandate.Direct}, 9)); got != "[[the firm]]" {
			t.Errorf("directly are %s", got)
		}
	})
}

// An intermediary finds the clients of whom something ends soon: what the client has given, or what
// passes it on. What has ended, is over or was only asked for ends no more.
func TestClientsOfWhomSomethingEnds(t *testing.T) {
	onBoth(t, func(t *testing.T, s *scene) {
		o := newOffice(s, "In a year")
		soon := Ending{year().From, year().From.AddDate(0, 0, 60)}
		grants := func(name string, chainDays, assignedDays int, state mandate.State) (given, passed mandate.Mandate) {
			o.last++
			o.change(func(t *Tx) {
				b := must(t.PutOrganisation(mandate.Organisation{KvK: kvk(o.last), Name: name, Active: true}))
				o.called[b.ID] = name
				given = chain(b, o.firm)
				given.Validity.To, given.State = given.Validity.From.AddDate(0, 0, chainDays), state
				given = must(t.Grant(given, GrantOptions{}))
				passed = assignment(given, o.anna)
				passed.Validity.To = passed.Validity.From.AddDate(0, 0, assignedDays)
				passed = must(t.Grant(passed, GrantOptions{}))
			})
			return given, passed
		}
		grants("Theirs", 30, 300, mandate.Active)
		grants("Suspended", 30, 300, mandate.Suspended)
		grants("Ours", 300, 30, mandate.Active)
		grants("Asked for", 30, 30, mandate.Requested)
		grants("On the day", 60, 60, mandate.Active)
		ended, _ := grants("Ended", 30, 30, mandate.Active)
		_, dropped := grants("Dropped", 300, 30, mandate.Active)
		var before Revision
		s.read(func(v *Snapshot) { before = v.Revision() })
		s.change(func(t *Tx) {
			must(t.SetState(ended.ID, mandate.Revoked))
			must(t.SetState(dropped.ID, mandate.Revoked))
		})
		for size := 1; size < 4; size++ {
			if got := fmt.Sprint(slices.Concat(o.pages(Seeking{Intermediary: o.firm.ID, Ending: soon}, size)...)); got != "[Ours Suspended Theirs]" {
				t.Errorf("in pages of %d end %s", size, got)
			}
		}
		if got := fmt.Sprint(o.pages(Seeking{Intermediary: o.firm.ID, Ending: soon, Search: "the"}, 9)); got != "[[Theirs]]" {
			t.Errorf("among those that are searched for end %s", got)
		}
		s.readAt(before, func(v *Snapshot) {
			list, _, err := v.Companies(Seeking{Intermediary: o.firm.ID, Ending: soon}, 9)
			if err != nil || len(list) != 5 {
				t.Errorf("then it were %d, with the ended and the dropped: %v", len(list), err)
			}
		})
		if got := fmt.Sprint(o.pages(Seeking{Intermediary: o.firm.ID, Ending: Ending{soon.After.AddDate(0, 0, 31), soon.Before}}, 9)); got != "[[]]" {
			t.Errorf("when they have ended, %s end", got)
		}
	})
}

// Whatever the names and whatever is typed, both roads find what a reader of the list
// would.
func TestSearchAgainstAReader(t *testing.T) {
	onBoth(t, func(t *testing.T, s *scene) {
		o := newOffice(s)
		word := rapid.StringMatching(`[abAB1é.'&-]{0,4}`)
		rapid.Check(t, func(t *rapid.T) {
			name := strings.Join(rapid.SliceOfN(word, 0, 4).Draw(t, "name"), " ")
			o.client(name)
			search := rapid.OneOf(word, rapid.StringMatching(`[abé]{1,2} [abé]?`)).Draw(t, "search")
			got := slices.Concat(o.pages(Seeking{Search: search}, rapid.IntRange(1, 5).Draw(t, "size"))...)
			slices.Sort(got)
			var want []string
			for _, name := range o.called {
				if begins(name, sought(search)) {
					want = append(want, name)
				}
			}
			for id := 2; id <= o.last; id++ {
				if number, search := kvk(id).Text(), sought(search); search != "" && strings.HasPrefix(number, search) {
					want = append(want, o.called[mandate.OrganisationID(id)])
				}
			}
			if slices.Sort(want); !slices.Equal(got, want) {
				t.Errorf("%q finds %q, want %q", search, got, want)
			}
		})
	})
}

// begins tells whether a name goes on like that from one of its words.
func begins(name, search string) bool {
	if search == "" {
		return true
	}
	words := strings.Fields(plain(name))
	for i := range words {
		if strings.HasPrefix(strings.Join(words[i:], " "), search) {
			return true
		}
	}
	return false
}

// A name is found by as much of it as the index holds, and longer texts harm nothing.
func TestLongNames(t *testing.T) {
	onBoth(t, func(t *testing.T, s *scene) {
		long := strings.Repeat("é", 100)
		o := newOffice(s, long, strings.Repeat("woord ", 30)+"slot")
		if got := o.pages(Seeking{Search: long + long}, 5); len(got[0]) != 1 {
			t.Errorf("found %q", got)
		}
		if got := o.pages(Seeking{Search: "woord"}, 5); len(got[0]) != 1 {
			t.Errorf("found %q", got)
		}
	})
}

// The first look at what a person holds reads whole companies, and tells whether there is
// more.
func TestHeldFirst(t *testing.T) {
	onBoth(t, func(t *testing.T, s *scene) {
		o := newOffice(s, "A", "B", "C", "D")
		for _, scope := range []mandate.Item{mandate.Everything(etoegang.LoA2), mandate.Everything(etoegang.LoA2Plus)} {
			s.grant(direct(o.firm, o.anna, scope)) // the firm is the first company, with two mandates of its own
		}
		s.read(func(v *Snapshot) {
			for mandates, want := range map[int]string{1: "2+0 false", 2: "2+1 false", 3: "2+2 false", 4: "2+3 false", 5: "2+4 true", 6: "2+4 true", 99: "2+4 true"} {
				held, whole, err := v.HeldFirst(o.anna.Subject, mandates)
				if got := fmt.Sprintf("%d+%d %v", len(held.Direct), len(held.Assigned), whole); err != nil || got != want {
					t.Errorf("the first %d: %s %v, want %s", mandates, got, err, want)
				}
			}
			if held, whole, err := v.HeldFirst(subject(9), 5); held.Person != nil || !whole || err != nil {
				t.Errorf("of nobody: %+v %v %v", held, whole, err)
			}
		})
	})
}

// What was the first look stays it: mandates that are granted later have no part in it.
func TestHeldFirstThen(t *testing.T) {
	onBoth(t, func(t *testing.T, s *scene) {
		o := newOffice(s, "A", "B", "C")
		var then Revision
		s.read(func(v *Snapshot) { then = v.Revision() })
		for range 3 {
			s.grant(direct(o.firm, o.anna, item(o.last))) // before all others, by the number of its grantor
			o.last++
		}
		s.readAt(then, func(v *Snapshot) {
			held, whole, err := v.HeldFirst(o.anna.Subject, 1)
			if len(held.Assigned) != 2 || len(held.Direct) != 0 || whole || err != nil {
				t.Errorf("%d+%d %v %v", len(held.Direct), len(held.Assigned), whole, err)
			}
			if _, whole, err := v.HeldFirst(o.anna.Subject, 2); !whole || err != nil {
				t.Errorf("what came later is waited for: %v %v", whole, err)
			}
		})
	})
}

// The mandates for some companies are those of HeldBy for each.
func TestHeldFor(t *testing.T) {
	onBoth(t, func(t *testing.T, s *scene) {
		o := newOffice(s, "A", "B", "C", "D")
		s.read(func(v *Snapshot) {
			held := must(v.HeldFor(o.anna.Subject, []mandate.OrganisationID{2, 4, 5}))
			var got []string
			for _, a := range held.Assigned {
				got = append(got, a.Chain.Grantor.Name)
			}
			if strings.Join(got, "") != "ACD" {
				t.Errorf("held for three: %s", got)
			}
			one := must(v.HeldFor(o.anna.Subject, []mandate.OrganisationID{3}))
			if by := must(v.HeldBy(o.anna.Subject, kvk(3).LegalSubject())); fmt.Sprint(one.Assigned) != fmt.Sprint(by.Assigned) {
				t.Errorf("for one %+v, by one %+v", one, by)
			}
			if none := must(v.HeldFor(o.anna.Subject, nil)); none.Person == nil || len(none.Assigned) != 0 {
				t.Errorf("for none %+v", none)
			}
		})
	})
}

// A list of an earlier revision has who was a client then. Who was known already and became one
// later is not on it, on either road, for the firm or for Anna.
func TestClientsOfThen(t *testing.T) {
	onBoth(t, func(t *testing.T, s *scene) {
		o := newOffice(s, "Client A", "Client C")
		later := company(99)
		later.Name = "Client B"
		s.change(func(t *Tx) { later = must(t.PutOrganisation(later)) })
		o.called[later.ID] = "Client B"
		var then Revision
		s.read(func(v *Snapshot) { then = v.Revision() })
		c := s.grant(chain(later, o.firm))
		s.grant(assignment(c, o.anna))
		lists := func(want string) func(*Snapshot) {
			return func(v *Snapshot) {
				for _, k := range []Seeking{{Intermediary: o.firm.ID}, {Person: o.anna.ID, Kind: mandate.Assignment}, {Intermediary: o.firm.ID, Search: "client"}} {
					for way, list := range map[string]listing{"sorted": sortedBy(v), "by the alphabet": followedBy(v)} {
						if got := fmt.Sprint(o.walk(k, 9, list)); got != want {
							t.Errorf("%s %+v at %d: %s, want %s", way, k, v.Revision(), got, want)
						}
					}
				}
			}
		}
		s.readAt(then, lists("[[Client A Client C]]"))
		s.read(lists("[[Client A Client B Client C]]"))
	})
}
