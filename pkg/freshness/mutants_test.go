package freshness

import (
	"math/rand/v2"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/mandated/mandated/pkg/register"
)

// without is the rules with some left out.
func without(some ...Why) (left []rule) {
	for _, r := range rules {
		if !slices.Contains(some, r.broken) {
			left = append(left, r)
		}
	}
	return left
}

// only is some of the rules.
func only(some ...Why) (left []rule) {
	for _, r := range rules {
		if slices.Contains(some, r.broken) {
			left = append(left, r)
		}
	}
	return left
}

// mutant is a build with one thing amiss.
type mutant struct {
	name    string
	change  func(*build)
	weather func(*rand.Rand) climate // in which it is found out; nil: when much goes wrong
}

// mutants break section 5 of the design rule by rule, in its order. What they cannot show is
// shown elsewhere:
//
//	a number is taken in a locked row     pkg/register/server_test.go TestWritersInManyProcesses
//	the feed names all who are touched    pkg/register/feed_test.go TestTheFeedNamesWhoWasTouched
//	more than 1,000 are everybody         pkg/register/feed_test.go TestManyPartiesAreEverybody
//	all on whom a decision depends        pkg/pdp/parties_test.go TestDecisionNamesAllWhoseChangeChangesIt
//	all that is in the key                pkg/pdp/hot_test.go TestKeyHoldsWhatEntersTheDecision,
//	                                      TestKeysOfDifferentQuestionsDiffer
//	the catalogue of the same snapshot    pkg/pdp/hot_test.go TestHitNeedsItsCatalogue
//	what a seal is                        internal/cache/seal_test.go TestSealHoldsEverywhere
//	every use has its record              pkg/pdp/hot_test.go TestEachHitHasItsRecord
//	four polls a lease                    TestFollow in this package
//	the lease is the register's for good  pkg/register/register_test.go TestWhatIsFixedForLife
//
// That Redis has no part in it needs no mutant: in every run it lies.
var mutants = []mutant{
	// Revisions and the feed.
	{name: "a number is taken before its turn to commit", change: func(b *build) { b.overtakes = true }},
	{name: "the feed is written after the change", change: func(b *build) { b.feedLater = true }},
	{name: "a change of everybody is one of nobody", change: func(b *build) {
		b.lie = func(_ *node, news *register.News) {
			news.Changes = slices.Clone(news.Changes)
			for i, c := range news.Changes {
				if c.Party == register.AllParties {
					news.Changes[i].Party = register.Party{15: 1}
				}
			}
		}
	}},

	// What is kept.
	{name: "a choice is kept", change: func(b *build) { b.keepsChoose = true }},
	{name: "a finding has the stamp of the view", change: func(b *build) {
		b.stamp = func(n *node, read *entry) register.Stamp {
			if v := n.follower.view.Load(); v != nil {
				return v.newest
			}
			return read.stamp
		}
	}},
	{name: "a decision does not depend on the person", change: func(b *build) { b.leftOut = aPerson }},
	{name: "a decision does not depend on the represented", change: func(b *build) { b.leftOut = aCompany }},
	{name: "a decision does not depend on the intermediary", change: func(b *build) { b.leftOut = anOffice }},
	{name: "a decision does not depend on the RSIN", change: func(b *build) { b.leftOut = anRSIN }},
	{name: "a decision does not depend on the catalogue", change: func(b *build) { b.leftOut = theCatalogue }},
	{name: "seals are not checked", change: func(b *build) { b.unsealed = true }},
	{name: "a seal counts under any key", change: func(b *build) { b.sealedForAny = true }},
	{name: "the key does not hold the person", change: func(b *build) {
		b.key = func(a ask) ask { a.person = min(a.person, 0); return a }
	}},
	{name: "the key does not hold the represented", change: func(b *build) {
		b.key = func(a ask) ask { a.company, a.rsin = min(a.company, 0), min(a.rsin, 1); return a }
	}},
	{name: "the key does not hold the intermediary", change: func(b *build) {
		b.key = func(a ask) ask { a.office = min(a.office, 0); return a }
	}},

	// The view.
	{name: "the standby's feed is followed", change: func(b *build) { b.followsStandby = true }},
	{name: "news that was cut is taken for all", weather: busy, change: func(b *build) {
		b.lie = func(n *node, news *register.News) {
			if v := n.follower.view.Load(); v != nil {
				news.After = v.newest.Revision
			}
		}
	}},
	{name: "the window forgets silently", weather: busy, change: func(b *build) {
		b.spoil = func(n *node, before *View) {
			v := *n.follower.view.Load()
			if before == nil || v.after <= before.after || v.after >= before.after+register.Revision(len(before.tags)) {
				return
			}
			v.tags = append(append([]register.Tag(nil), before.tags[:v.after-before.after]...), v.tags...)
			v.after = before.after
			n.follower.view.Store(&v)
		}
	}},
	{name: "confirmed is taken after the poll", change: func(b *build) {
		b.spoil = func(n *node, _ *View) {
			v := *n.follower.view.Load()
			v.confirmed = n.moment()
			n.follower.view.Store(&v)
		}
	}},
	{name: "a register of another past is taken for the same", change: func(b *build) {
		b.lie = func(n *node, news *register.News) {
			v := n.follower.view.Load()
			if v == nil || news.Known.Revision != v.newest.Revision {
				return
			}
			if news.Known = v.newest; news.Newest.Revision < v.newest.Revision {
				news.Newest = v.newest
			}
		}
	}},
	{name: "only a shorter register is another", change: func(b *build) {
		b.lie = func(n *node, news *register.News) {
			if v := n.follower.view.Load(); v != nil && news.Newest.Revision >= v.newest.Revision {
				news.Known = v.newest
			}
		}
	}},

	// When what was kept is served.
	{name: "a view judges what changed, a later one the lease", change: func(b *build) {
		b.judge = func(n *node, c Claim, q Question) Why {
			if why := n.follower.view.Load().judge(without(Lease, Slept), lease, c, q, n.moment()); why != Serves {
				return why
			}
			n.current.pause()
			return n.follower.view.Load().judge(only(Lease, Slept), lease, c, q, n.moment())
		}
	}},
	leftOut(Lease), leftOut(Slept), leftOut(Unknown),
	{name: "tags are not compared", change: func(b *build) {
		b.rules = without(Unknown)
		b.rules = append(b.rules, rule{Unknown, func(v *View, _ time.Duration, c Claim, _ Question, _ Moment) bool {
			place := c.Stamp.Revision - v.after
			return place >= 0 && place < register.Revision(len(v.tags))
		}})
	}},
	leftOut(Changed), leftOut(Expired), leftOut(Early),

	// Otherwise the register is asked.
	{name: "a snapshot that began earlier is read", change: func(b *build) {
		b.snapshot = func(n *node) *entry {
			before := n.opened
			if n.opened = n.register.newest(); before == nil {
				return n.opened
			}
			return before
		}
	}},
	{name: "a flight that began before is joined", change: func(b *build) { b.joinsEarlier = true }},
	{name: "a standby is read whenever the view was confirmed", change: func(b *build) { b.unconfirmed = true }},
	{name: "a standby is read whatever it has replayed", change: func(b *build) { b.anyReplica = true }},
	{name: "who cannot find out guesses", change: func(b *build) { b.guesses = true }},

	// The lease, and when a change is acknowledged.
	{name: "nodes have leases of their own", change: func(b *build) {
		b.lease = func(number int) time.Duration { return lease * time.Duration(1+number) }
	}},
	{name: "nobody waits before acknowledging", change: func(b *build) { b.patience = 0 }},
	{name: "half a lease is waited", change: func(b *build) { b.patience = lease / 2 }},
	{name: "one lease is waited, without the tenth", weather: narrow, change: func(b *build) { b.patience = lease }},
	{name: "the wait begins before the commit has returned", change: func(b *build) { b.ackBeforeCommit = true }},
	{name: "what is so already is acknowledged at once", change: func(b *build) { b.hastyRepeat = true }},
	{name: "what was suspended is ended at once", change: func(b *build) { b.hastyEnd = true }},

	// Clocks.
	{name: "who has another time than the database decides", change: func(b *build) {
		b.clock = func(*node) error { return nil }
	}},
	{name: "a clock set since the last poll is not noticed", change: func(b *build) {
		b.clock = func(n *node) error {
			if t := n.follower.told.Load(); t.apart(t.received) > register.MostSkew {
				return ErrClock
			}
			return nil
		}
	}},

	// The revision that an asker knows of.
	leftOut(Unheardof),
	{name: "the revision that the asker knows of is ignored", change: func(b *build) {
		b.ignoresAtLeast = true
		b.judge = func(n *node, c Claim, q Question) Why {
			_, why := n.follower.Judge(c, Question{At: q.At})
			return why
		}
	}},
	{name: "those who know of different revisions share", change: func(b *build) { b.sharesAnyRevision = true }},
}

func leftOut(why Why) mutant {
	return mutant{name: "the rule of " + string(why) + " is left out", change: func(b *build) { b.rules = without(why) }}
}

// No rule may be forgotten above.
func TestEveryRuleIsLeftOutOnce(t *testing.T) {
	for _, r := range rules {
		if n := len(without(r.broken)); n != len(rules)-1 {
			t.Errorf("without %s there are %d of %d rules", r.broken, n, len(rules))
		}
		if !slices.ContainsFunc(mutants, func(m mutant) bool { return m.name == leftOut(r.broken).name }) {
			t.Errorf("no mutant leaves out the rule of %s", r.broken)
		}
	}
}

// A run that cannot fail proves nothing: whatever rule is broken, some run finds out, and
// nothing is wrong with the same run when the rule is kept. Each of them takes seconds: "make
// mutants" has all, and every other run one in eight.
func TestMutants(t *testing.T) {
	for i, m := range mutants {
		if i%8 != 0 && os.Getenv("MANDATED_MUTANTS") == "" {
			continue
		}
		t.Run(m.name, func(t *testing.T) {
			weather := m.weather
			if weather == nil {
				weather = bad
			}
			b := asDesigned()
			m.change(&b)
			seed, err := firstBroken(b, func(uint64) func(*rand.Rand) climate { return weather })
			if err == nil {
				t.Fatal("nobody finds out")
			}
			t.Logf("seed %d: %v", seed, err)
			if err := newSim(seed, asDesigned(), weather).run(steps); err != nil {
				t.Errorf("seed %d, with the rule kept: %v", seed, err)
			}
		})
	}
}
