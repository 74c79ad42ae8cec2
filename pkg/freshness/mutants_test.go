package freshness

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/mandated/mandated/pkg/register"
)

// without is the rules with one left out.
func without(why Why) (left []rule) {
	for _, r := range rules {
		if r.broken != why {
			left = append(left, r)
		}
	}
	return left
}

// mutants are builds with one thing amiss: each rule by which a view judges, and each step
// around it that the argument leans on.
var mutants = map[string]func(*build){
	"confirmed is taken after the poll": func(b *build) {
		b.spoil = func(n *node, _ *View) {
			v := *n.follower.view.Load()
			v.confirmed = n.moment()
			n.follower.view.Store(&v)
		}
	},
	"a register of another past is taken for the same": func(b *build) {
		b.lie = func(n *node, news *register.News) {
			v := n.follower.view.Load()
			if v == nil || news.Known.Revision != v.newest.Revision {
				return
			}
			if news.Known = v.newest; news.Newest.Revision < v.newest.Revision {
				news.Newest = v.newest
			}
		}
	},
	"only a shorter register is another": func(b *build) {
		b.lie = func(n *node, news *register.News) {
			if v := n.follower.view.Load(); v != nil && news.Newest.Revision >= v.newest.Revision {
				news.Known = v.newest
			}
		}
	},
	"tags are not compared": func(b *build) {
		b.rules = without(Unknown)
		b.rules = append(b.rules, rule{Unknown, func(v *View, _ time.Duration, c Claim, _ Question, _ Moment) bool {
			place := c.Stamp.Revision - v.after
			return place >= 0 && place < register.Revision(len(v.tags))
		}})
	},
	"news that was cut is taken for all": func(b *build) {
		b.lie = func(n *node, news *register.News) {
			if v := n.follower.view.Load(); v != nil {
				news.After = v.newest.Revision
			}
		}
	},
	"the window forgets silently": func(b *build) {
		b.spoil = func(n *node, before *View) {
			v := *n.follower.view.Load()
			if before == nil || v.after <= before.after || v.after >= before.after+register.Revision(len(before.tags)) {
				return
			}
			v.tags = append(append([]register.Tag(nil), before.tags[:v.after-before.after]...), v.tags...)
			v.after = before.after
			n.follower.view.Store(&v)
		}
	},
	"nobody waits before acknowledging":              func(b *build) { b.patience = 0 },
	"half a lease is waited":                         func(b *build) { b.patience = lease / 2 },
	"one lease is waited, without the tenth":         func(b *build) { b.patience = lease },
	"the wait begins before the commit has returned": func(b *build) { b.ackBeforeCommit = true },
	"what is so already is acknowledged at once":     func(b *build) { b.hastyRepeat = true },
	"a decision does not depend on the person":       func(b *build) { b.leftOut = aPerson },
	"a decision does not depend on the represented":  func(b *build) { b.leftOut = aCompany },
	"a decision does not depend on the intermediary": func(b *build) { b.leftOut = anOffice },
	"a decision does not depend on the RSIN":         func(b *build) { b.leftOut = anRSIN },
	"a decision does not depend on the catalogue":    func(b *build) { b.leftOut = theCatalogue },
	"a flight that began before is joined":           func(b *build) { b.joinsEarlier = true },
	"those who know of different revisions share":    func(b *build) { b.sharesAnyRevision = true },
	"a choice is kept":                               func(b *build) { b.keepsChoose = true },
	"seals are not checked":                          func(b *build) { b.unsealed = true },
	"a finding has the stamp of the view": func(b *build) {
		b.stamp = func(n *node, read *entry) register.Stamp {
			if v := n.follower.view.Load(); v != nil {
				return v.newest
			}
			return read.stamp
		}
	},
	"the revision that the asker knows of is ignored": func(b *build) {
		b.ignoresAtLeast = true
		b.asked = func(q Question) Question { q.AtLeast = 0; return q }
	},
}

func init() {
	for _, r := range rules {
		mutants["the rule of "+string(r.broken)+" is left out"] = func(b *build) { b.rules = without(r.broken) }
	}
}

// seldom are the mutants that are found out in one weather only.
var seldom = map[string]func(*rand.Rand) climate{
	"news that was cut is taken for all":     busy,
	"the window forgets silently":            busy,
	"one lease is waited, without the tenth": narrow,
}

// A run that cannot fail proves nothing: whatever rule is broken, some run finds out.
func TestMutants(t *testing.T) {
	for name, change := range mutants {
		t.Run(name, func(t *testing.T) {
			b := asDesigned()
			change(&b)
			err := firstBroken(b, func(uint64) func(*rand.Rand) climate {
				if weather, ok := seldom[name]; ok {
					return weather
				}
				return bad
			})
			if err == nil {
				t.Error("nobody finds out")
			}
			t.Log(err)
		})
	}
}
