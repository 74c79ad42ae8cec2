package freshness

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/mandated/mandated/pkg/register"
)

// reading is a follower of a model register, and what it has read as a child would keep
// it: a copy of everything.
type reading struct {
	*ledger
	*Follower
	seen []*entry          // the register as it was at the last good poll
	gap  register.Revision // up to which a poll told nothing; 0: there is none
	now  Moment
}

func newReading(window int) *reading {
	r := &reading{ledger: newLedger(rand.New(rand.NewPCG(1, 1))), now: Moment{Wall: epoch}}
	r.Follower = New(r, lease, func() Moment { return r.now })
	r.Follower.bounds = bounds{window: window, recent: window / 3}
	return r
}

// Poll is that of the register; the follower's is read.
func (r *reading) Poll(_ context.Context, known register.Revision, limit int) (register.News, error) {
	news := r.poll(known, limit, epoch)
	if news.After != known || known == 0 {
		r.gap = news.After
	}
	return news, nil
}

func (r *reading) read() error {
	err := r.Follower.Poll(context.Background())
	if r.seen = nil; err == nil {
		r.seen = slices.Clone(r.branch)
	}
	return err
}

// touch makes a revision that touches these parties, and nothing else.
func (r *reading) touch(parties ...register.Party) *entry {
	return r.commit(edit{touched: parties}, epoch)
}

// changed looks through everything for a change of one of the parties after a revision.
func (r *reading) changed(parties []register.Party, after register.Revision) bool {
	for _, e := range r.seen[after+1:] {
		for _, c := range e.lines {
			if c.Party == register.AllParties || slices.Contains(parties, c.Party) {
				return true
			}
		}
	}
	return false
}

// within tells whether all that came after a revision fits in the window, and the revision
// itself was told of.
func (r *reading) within(rev register.Revision) bool {
	lines := 0
	for _, e := range r.seen[rev+1:] {
		lines += len(e.lines)
	}
	return lines <= r.bounds.window && (r.gap == 0 || rev > r.gap)
}

// want is the verdict on a claim, and whether the view may as well say that it does not
// know the revision.
func (r *reading) want(c Claim) (why Why, orUnknown bool) {
	switch rev := int(c.Stamp.Revision); {
	case r.seen == nil:
		return NoView, false
	case rev >= len(r.seen) || r.seen[rev].stamp != c.Stamp:
		return Unknown, false
	case r.changed(c.Parties, c.Stamp.Revision):
		return Changed, !r.within(c.Stamp.Revision)
	}
	return Serves, !r.within(c.Stamp.Revision)
}

func (r *reading) check(t *rapid.T) {
	c := Claim{Stamp: rapid.SampledFrom(r.all).Draw(t, "of").stamp, Parties: someParties(t, 0)}
	switch rapid.IntRange(0, 9).Draw(t, "forged") {
	case 0:
		c.Stamp.Tag[0]++
	case 1:
		c.Stamp.Tag = register.Tag{}
	}
	want, orUnknown := r.want(c)
	if _, got := r.Judge(c, Question{}); got != want && (got != Unknown || !orUnknown) {
		t.Fatalf("a claim of revision %d about %v: %q, want %q", c.Stamp.Revision, c.Parties, got, want)
	}
}

// someParties draws a few of a few parties, now and then one twice, or everybody.
func someParties(t *rapid.T, least int) (list []register.Party) {
	for _, n := range rapid.SliceOfN(rapid.IntRange(0, 12), least, 4).Draw(t, "parties") {
		list = append(list, register.Party{0: byte(n), 1: byte(min(n, 1))})
	}
	return list
}

// Whatever is written, lost and read in whatever order: the view says what somebody would
// say who had kept everything, and within its window it says no less.
func TestViewAgreesWithAllThatHappened(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := newReading(rapid.IntRange(1, 30).Draw(t, "window"))
		t.Repeat(map[string]func(*rapid.T){
			"write": func(t *rapid.T) {
				for range rapid.IntRange(1, 8).Draw(t, "revisions") {
					r.touch(someParties(t, 1)...)
				}
			},
			"restore": func(t *rapid.T) {
				r.restore(rapid.IntRange(max(0, len(r.branch)-5), len(r.branch)-1).Draw(t, "to"))
			},
			"read": func(t *rapid.T) {
				had, lost := r.seen, false
				if had != nil {
					newest := had[len(had)-1]
					lost = !r.holds(newest)
				}
				if err := r.read(); (err != nil) != lost {
					t.Fatalf("the register is another: %v; the poll says %v", lost, err)
				}
			},
			"": r.check,
		})
	})
}

// A view forgets whole revisions, and says so: of the last one that it forgot it still
// knows all that came after, of earlier ones nothing.
func TestViewForgetsWholeRevisions(t *testing.T) {
	r := newReading(4)
	a, b := party(aPerson, 1), party(aPerson, 2)
	var made []*entry
	for range 8 {
		made = append(made, r.touch(a, b))
		if err := r.read(); err != nil {
			t.Fatal(err)
		}
	}
	for i, e := range made {
		_, why := r.Judge(Claim{Stamp: e.stamp}, Question{})
		if want := map[bool]Why{true: Serves, false: Unknown}[i >= 5]; why != want {
			t.Errorf("of %d revisions with two lines each the view of four lines says %q about number %d, want %q", len(made), why, i+1, want)
		}
	}
}

// A node that was away for longer than the window does not know what it missed. It starts
// anew from what it was told.
func TestViewAfterAGap(t *testing.T) {
	r := newReading(3)
	old := r.touch(party(aPerson, 1))
	_ = r.read()
	for range 4 {
		r.touch(party(aPerson, 2))
	}
	_ = r.read()
	for e, want := range map[*entry]Why{old: Unknown, r.branch[2]: Unknown, r.branch[4]: Changed, r.newest(): Serves} {
		if _, why := r.Judge(Claim{Stamp: e.stamp, Parties: []register.Party{party(aPerson, 2)}}, Question{}); why != want {
			t.Errorf("revision %d: %q, want %q", e.stamp.Revision, why, want)
		}
	}
}

// The boundaries of the rules, one nanosecond to each side.
func TestRulesAtTheirEdges(t *testing.T) {
	r := newReading(10)
	_ = r.read()
	at := epoch
	holds := Claim{Stamp: r.newest().stamp, From: at.Add(-time.Hour), Until: at.Add(time.Hour)}
	for _, c := range []struct {
		idea         string
		steady, wall time.Duration
		at           time.Time
		atLeast      register.Revision
		want         Why
	}{
		{"just confirmed", 0, 0, at, 0, Serves},
		{"nearly a lease ago", lease - 1, lease - 1, at, 0, Serves},
		{"a lease ago", lease, lease - 1, at, 0, Lease},
		{"a lease ago by the wall clock", lease - 1, lease, at, 0, Slept},
		{"the wall clock was set back", lease - 1, -1, at, 0, Slept},
		{"the moment it was made for", 0, 0, holds.From, 0, Serves},
		{"a moment earlier", 0, 0, holds.From.Add(-1), 0, Early},
		{"the last moment", 0, 0, holds.Until.Add(-1), 0, Serves},
		{"the end", 0, 0, holds.Until, 0, Expired},
		{"the revision that the view has", 0, 0, at, r.newest().stamp.Revision, Serves},
		{"one that it has not", 0, 0, at, r.newest().stamp.Revision + 1, Unheardof},
	} {
		r.now = Moment{Steady: c.steady, Wall: epoch.Add(c.wall)}
		if _, why := r.Judge(holds, Question{At: c.at, AtLeast: c.atLeast}); why != c.want {
			t.Errorf("%s: %q, want %q", c.idea, why, c.want)
		}
	}
}

// One reads the feed, more than one hurries it on, and many judge meanwhile. Once a poll
// that began after a change has returned, nobody serves what it ended.
func TestJudgingWhileTheFeedIsRead(t *testing.T) {
	var mu sync.Mutex
	l := newLedger(rand.New(rand.NewPCG(1, 1)))
	f := New(source(func(known register.Revision, limit int) (register.News, error) {
		mu.Lock()
		defer mu.Unlock()
		return l.poll(known, limit, time.Now()), nil
	}), time.Hour, Machine)
	f.bounds = bounds{window: 30, recent: 10}
	write := func(p register.Party) (before register.Stamp) {
		mu.Lock()
		defer mu.Unlock()
		before = l.newest().stamp
		l.commit(edit{touched: []register.Party{p}}, epoch)
		return before
	}

	var working sync.WaitGroup
	for w := range 4 {
		working.Go(func() {
			mine := party(aPerson, w)
			for i := range 300 {
				before := write(mine)
				if err := f.Poll(context.Background()); err != nil {
					t.Error(err)
				}
				if _, why := f.Judge(Claim{Stamp: before, Parties: []register.Party{mine}}, Question{}); why != Changed && why != Unknown {
					t.Errorf("change %d is read, and a claim from before it: %q", i, why)
				}
				f.Judge(Claim{Stamp: before, Parties: []register.Party{party(aPerson, 100)}}, Question{})
			}
		})
	}
	working.Wait()
}

// source is a register made of one function.
type source func(known register.Revision, limit int) (register.News, error)

func (s source) Poll(_ context.Context, known register.Revision, limit int) (register.News, error) {
	return s(known, limit)
}

var errAway = errors.New("connection refused")
