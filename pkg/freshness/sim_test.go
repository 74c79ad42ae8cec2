package freshness

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/mandated/mandated/pkg/register"
)

const lease = 500 * time.Millisecond

// build is the design as it was built. A mutant is a build with one thing amiss.
type build struct {
	rules    []rule
	patience time.Duration                             // until a narrowing change is acknowledged
	leftOut  kind                                      // of the parties of a decision
	spoil    func(n *node, before *View)               // after each good poll
	lie      func(n *node, news *register.News)        // of what a poll brings
	clock    func(*node) error                         // is it right?
	judge    func(*node, Claim, Question) Why          // what was kept
	stamp    func(n *node, read *entry) register.Stamp // of a finding
	snapshot func(*node) *entry                        // of the primary, to read
	lease    func(number int) time.Duration            // of a node
	key      func(ask) ask                             // under which a finding is kept

	ackBeforeCommit, hastyRepeat, hastyEnd, overtakes, feedLater bool
	joinsEarlier, sharesAnyRevision, ignoresAtLeast              bool
	keepsChoose, unsealed, sealedForAny, guesses                 bool
	unconfirmed, anyReplica, followsStandby                      bool
}

func asDesigned() build {
	return build{
		rules: rules, patience: lease + lease/10,
		spoil: func(*node, *View) {},
		lie:   func(*node, *register.News) {},
		clock: func(n *node) error { return n.follower.Clock() },
		judge: func(n *node, c Claim, q Question) Why {
			_, why := n.follower.Judge(c, q)
			return why
		},
		stamp:    func(_ *node, read *entry) register.Stamp { return read.stamp },
		snapshot: func(n *node) *entry { return n.register.newest() },
		lease:    func(int) time.Duration { return lease },
		key:      func(a ask) ask { return a },
	}
}

// sim is one run: several nodes, one register and a replica of it, one Redis, on one thread. Everything that
// happens is drawn from the dice, so that a seed is a run.
type sim struct {
	build   build
	climate climate
	rand    *rand.Rand
	now     time.Duration // true time

	ledger  *ledger
	standby *standby
	redis   *hostile
	nodes   []*node
	tasks   []*task
	current *task

	// What was promised.
	floor   int                     // the place of the newest revision of which everybody is said to have heard
	died    map[thing]int           // at which place, of all that does not stand
	gone    map[thing]time.Duration // since when that is acknowledged
	receipt []register.Revision     // of changes, the latest last
	wanted  []ask                   // worth asking again, the latest last

	served, kept int   // answers that may be kept, and those that had been
	broken       error // the first promise that was
	story        func(format string, args ...any)
}

func newSim(seed uint64, b build, c func(*rand.Rand) climate) *sim {
	dice := rand.New(rand.NewPCG(seed, 0))
	s := &sim{
		build: b, climate: c(dice), rand: dice,
		died: map[thing]int{}, gone: map[thing]time.Duration{}, story: func(string, ...any) {},
	}
	s.ledger = newLedger(s.rand)
	s.standby = &standby{branch: slices.Clone(s.ledger.branch)}
	s.redis = newHostile(s)
	for _, x := range everything {
		if !s.ledger.newest().facts.stands(x) {
			s.died[x] = 0
		}
	}
	for i := range 3 {
		n := &node{sim: s, number: i, register: s.ledger, turned: -time.Hour, slept: -time.Hour}
		n.steadyRate, n.wallRate = s.rates(i)
		s.nodes = append(s.nodes, n)
		n.boot()
	}
	return s
}

// rates are how fast the clocks of a machine run: the first has the slowest there are, the
// second the fastest, and those of the third do not agree.
func (s *sim) rates(number int) (steady, wall int64) {
	any := func() int64 { return 1000 + s.rand.Int64N(s.climate.fastest-1000+1) }
	return []int64{1000, s.climate.fastest, any()}[number], []int64{1000, s.climate.fastest, any()}[number]
}

func (s *sim) chance(p float64) bool { return s.rand.Float64() < p }

// delay is how long a message is on its way.
func (s *sim) delay() time.Duration {
	if s.chance(s.climate.slow) {
		return s.upTo(3 * lease)
	}
	return s.upTo([]time.Duration{lease / 50, lease / 1000}[s.rand.IntN(2)])
}

// upTo is a time in whole microseconds, so that clocks of any speed count it exactly.
func (s *sim) upTo(d time.Duration) time.Duration {
	return time.Duration(s.rand.Int64N(int64(d/time.Microsecond)+1)) * time.Microsecond
}

// run takes steps until a promise is broken.
func (s *sim) run(steps int) error {
	defer s.kill(nil)
	for range steps {
		if s.step(); s.broken != nil {
			break
		}
	}
	return s.broken
}

// step lets something happen, or time go by.
func (s *sim) step() {
	s.weather()
	s.life()
	if s.turn() {
		s.pass(s.upTo(lease / 2000))
	} else {
		s.pass(s.upTo(lease / 100))
	}
}

func (s *sim) pass(d time.Duration) {
	s.now += d
	for _, n := range s.nodes {
		n.pass(d)
	}
}

// life is what people and programs do.
func (s *sim) life() {
	n := s.nodes[s.rand.IntN(len(s.nodes))]
	if len(s.tasks) > 150 || !n.runs() {
		return
	}
	switch p := s.rand.Float64(); {
	case p < s.climate.changes:
		s.start(n, func(t *task) { n.change(t, s.rand.IntN(20) == 0) })
	case p < s.climate.changes+s.climate.questions:
		s.start(n, n.question(s.anAsk(), s.aRevision()))
	}
}

// anAsk is a question: mostly one that was asked lately, or about what changed lately.
func (s *sim) anAsk() ask {
	if len(s.wanted) > 0 && s.rand.IntN(200) > 0 {
		return s.wanted[s.rand.IntN(len(s.wanted))]
	}
	a := anyAsk(s.rand)
	s.want(a)
	return a
}

func (s *sim) want(a ask) {
	if s.wanted = append(s.wanted, a); len(s.wanted) > s.climate.asks {
		s.wanted = s.wanted[1:]
	}
}

// aRevision is none, or one that somebody was told of.
func (s *sim) aRevision() register.Revision {
	if len(s.receipt) == 0 || s.rand.IntN(3) > 0 {
		return 0
	}
	return s.receipt[s.rand.IntN(len(s.receipt))]
}

func (s *sim) known(e *entry) {
	if s.receipt = append(s.receipt, e.stamp.Revision); len(s.receipt) > 3 {
		s.receipt = s.receipt[1:]
	}
}

// committed notes what has ended and what stands again.
func (s *sim) committed(e *entry) {
	s.story("revision %d", e.stamp.Revision)
	for _, x := range everything {
		_, dead := s.died[x]
		switch {
		case e.facts.stands(x):
			delete(s.died, x)
			delete(s.gone, x)
		case !dead:
			s.died[x] = e.place
		}
	}
	s.spite()
}

// acknowledge is the moment from which a promise counts.
func (s *sim) acknowledge(e *entry, narrows bool) {
	defer s.everybodyAsks(e)
	if !narrows || !s.ledger.holds(e) {
		return
	}
	s.story("revision %d is acknowledged", e.stamp.Revision)
	s.floor = max(s.floor, e.place)
	for x, place := range s.died {
		if _, told := s.gone[x]; place <= e.place && !told {
			s.gone[x] = s.now
		}
	}
}

// everybodyAsks asks all nodes, at a moment when one of them could be wrong, what the change
// has changed.
func (s *sim) everybodyAsks(e *entry) {
	for _, n := range s.nodes {
		if n.runs() && e.noticed != nil && s.chance(.7) {
			atLeast := e.stamp.Revision * register.Revision(s.rand.IntN(4)/3)
			s.start(n, n.question(*e.noticed, atLeast))
		}
	}
}

// answer is the moment at which somebody hears. Here promises are kept or broken.
func (s *sim) answer(n *node, q asking, f *finding, kept bool) {
	if f.options < 2 {
		s.served++
	}
	if kept {
		s.kept++
	}
	s.story("node %d answers %+v at least %d, asked at %v: %s (kept %v, revision %d)", n.number, q.ask, q.AtLeast, q.arrived, f.text, kept, f.Stamp.Revision)
	for _, x := range f.rests {
		if since, told := s.gone[x]; f.permit() && told && since <= q.arrived {
			s.fail("node %d permits at revision %d what rests on %+v, ended at place %d and acknowledged %v before the question", n.number, f.Stamp.Revision, x, s.died[x], q.arrived-since)
		}
	}
	if off := q.At.Sub(epoch.Add(q.arrived)).Abs(); off > register.MostSkew+slack && n.sets == q.sets {
		s.fail("node %d answers about a moment %v from the one at which it was asked", n.number, off)
	}
	if kept && f.options > 1 {
		s.fail("a choice was kept")
	}
	if !s.right(q, f) {
		s.fail("node %d answers %+v at least %d with %q of revision %d: the register did not say that at any moment from place %d until now", n.number, q.ask, q.AtLeast, f.text, f.Stamp.Revision, q.floor)
	}
}

// slack is what a clock may be off beyond register.MostSkew: a poll that is long on its way tells
// the time no better than that.
const slack = 4 * lease

// right tells whether the register would have said the same at some revision since the one
// that was acknowledged last when the question arrived, and not before the one asked for.
func (s *sim) right(q asking, f *finding) bool {
	for place := len(s.ledger.all) - 1; place >= q.floor; place-- {
		e := s.ledger.all[place]
		if e.stamp.Revision >= q.AtLeast && e.facts.decide(q.ask, q.At, nobody).text == f.text {
			return true
		}
	}
	return false
}

func (s *sim) fail(format string, args ...any) {
	if s.broken == nil {
		s.broken = fmt.Errorf("after %v: "+format, append([]any{s.now}, args...)...)
	}
}
