package freshness

import (
	"math/rand/v2"
	"slices"
	"time"
)

// climate is what may go wrong. Chances are per step.
type climate struct {
	fastest int64 // of two clocks beside the slowest, in thousandths

	pause, sleep, jump, cut, restart float64 // of one of the nodes
	astray                           float64 // a wall clock set to another hour
	mishap, restore, still           float64 // of Redis, of the register, of its replica
	replay                           float64 // of a revision by the replica; 0: there is none

	lost float64 // a message
	lie  float64 // an answer of Redis
	slow float64 // a message that takes long

	spite float64   // something that goes wrong just when a change is made
	worst []climate // one of these

	changes, questions float64 // that begin
	asks               int     // that are repeated
	window             int     // lines of the feed that a node remembers

	// What the design assumes not to happen.
	stopped  bool // the wall clock stands still with the steady one
	setBack  bool // the wall clock is set back about the time of a sleep
	unfenced bool // a database that was replaced goes on answering one of the nodes
	orphaned bool // and the replica of one that a backup has replaced goes on answering all
	forgets  bool // what is lost when a backup is restored was promised to last
}

// bad is all that the design promises to survive. Each seed has a weather of its own, in
// which some things do not happen and others often: much at once hides more than it shows.
func bad(r *rand.Rand) climate {
	often := func(p float64) float64 { return p * []float64{0, 1, 1, 4}[r.IntN(4)] }
	return climate{
		fastest: 1099,
		pause:   often(.0004), sleep: often(.0003), jump: often(.001), cut: often(.0004), restart: often(.0001),
		astray: often(.0001), mishap: often(.0003), restore: often(.0004),
		still: often(.0003), replay: []float64{0, .01, .1}[r.IntN(3)],
		lost: often(.01), lie: often(.1), slow: often(.03),
		spite: often(.2), worst: []climate{{pause: 1}, {cut: 1}, {sleep: 1}, {jump: 1}},
		changes: []float64{.002, .005, .01}[r.IntN(3)], questions: .05,
		asks: []int{1, 3, 6, 20}[r.IntN(4)], window: []int{4, 8, 16, 64}[r.IntN(4)],
	}
}

// busy is a register in which much happens, for nodes that forget it soon and hear nothing
// at times.
func busy(r *rand.Rand) climate {
	return climate{fastest: 1010, cut: .0005, lie: .2, replay: .05, changes: .008, questions: .05, asks: 20, window: 4 + r.IntN(8)}
}

// narrow is a good day but for one thing: from the moment of a change on some nodes hear
// nothing.
func narrow(*rand.Rand) climate {
	return climate{fastest: 1099, spite: 1, worst: []climate{{cut: 1}}, replay: .1, changes: .002, questions: .05, asks: 2, window: 64}
}

// calm is a good day.
func calm(*rand.Rand) climate {
	return climate{fastest: 1010, slow: .001, replay: .1, changes: .0002, questions: .05, asks: 6, window: 64}
}

// weather is what happens to machines, networks and stores.
func (s *sim) weather() {
	s.nodes[s.rand.IntN(len(s.nodes))].happen(s.climate)
	if s.now >= s.standby.still && s.chance(s.climate.replay) {
		s.standby.replay(s.ledger)
	}
}

// spite is bad luck at the worst moment: a change has just been made, and the same befalls
// some of the nodes; or somebody makes the change again.
func (s *sim) spite() {
	if !s.chance(s.climate.spite) {
		return
	}
	misfortune := s.climate.worst[s.rand.IntN(len(s.climate.worst))]
	for _, n := range s.nodes {
		switch s.rand.IntN(4) {
		case 0:
			s.start(n, func(t *task) { n.change(t, true) })
		case 1, 2:
			n.happen(misfortune)
		}
	}
}

func (n *node) happen(c climate) {
	switch {
	case n.chance(c.pause):
		n.paused = n.now + n.upTo(3*lease)
	case n.chance(c.cut):
		n.cut = n.now + n.upTo(5*lease)
	case n.chance(c.sleep):
		n.sleep()
	case n.chance(c.jump):
		n.jump()
	case n.chance(c.astray):
		n.astray()
	case n.chance(c.still):
		n.standby.still = n.now + n.upTo(5*lease)
	case n.chance(c.restart):
		n.boot()
	case n.chance(c.mishap):
		n.redis.mishap()
	case n.chance(c.restore):
		n.restore()
	}
}

// about tells whether a moment is less than a lease of waking time away. A clock that is set
// back while the machine sleeps, or so soon before or after that no view was confirmed in
// between, can hide the sleep: that is one of the things that are assumed not to happen.
func (n *node) about(moment time.Duration) bool { return n.steady-moment < lease }

// sleep lets the machine sleep: its steady clock stands still, its wall clock does not.
func (n *node) sleep() {
	if n.runs() && (n.climate.setBack || !n.about(n.turned)) {
		n.asleep, n.slept = n.now+n.upTo(5*lease), n.steady
	}
}

// jump sets the wall clock: right, or wrong.
func (n *node) jump() {
	to := n.now + n.upTo(6*lease) - 3*lease
	if n.rand.IntN(2) == 0 {
		to = n.now
	}
	n.setWall(to)
}

// astray sets the wall clock minutes from the time there is, until somebody notices.
func (n *node) astray() {
	off := time.Minute + n.upTo(9*time.Minute)
	if n.rand.IntN(2) == 0 {
		off = -off
	}
	if !n.setWall(n.now + off) {
		return
	}
	noticed := n.now + n.upTo(5*lease)
	n.start(nil, func(t *task) { t.wait(func() bool { return n.now >= noticed && n.setWall(n.now) }) })
}

// setWall sets the wall clock, unless it would have to be set back about the time of a sleep.
func (n *node) setWall(to time.Duration) bool {
	back := to < n.wall
	if back && n.about(n.slept) && !n.climate.setBack {
		return false
	}
	n.wall = to
	if n.sets++; back {
		n.turned = n.steady
	}
	return true
}

// restore brings back a backup of the register. It is a change like any other, except that
// it also takes back what was acknowledged; who looks after the register waits as long
// as register.Change until he calls it done.
func (s *sim) restore() {
	if len(s.ledger.branch) < 2 {
		return
	}
	if s.climate.unfenced {
		s.replace()
		return
	}
	lost := 1 + s.rand.IntN(min(8, len(s.ledger.branch)-1))
	e := s.ledger.restore(len(s.ledger.branch) - 1 - lost)
	s.story("a backup of revision %d is restored", e.stamp.Revision)
	if !s.climate.orphaned {
		s.standby.branch = slices.Clone(s.ledger.branch[:1+s.rand.IntN(len(s.ledger.branch))])
	}
	if s.climate.forgets {
		return
	}
	s.committed(e)
	done := s.now + lease + lease/10
	s.start(nil, func(t *task) {
		t.wait(func() bool { return s.now >= done })
		s.acknowledge(e, true)
	})
}

// replace lets a standby take over that has everything; the old primary goes on answering
// one node as if nothing had happened.
func (s *sim) replace() {
	old := *s.ledger
	s.nodes[0].register = &old
}
