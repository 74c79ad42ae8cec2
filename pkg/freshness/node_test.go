package freshness

import (
	"context"
	"errors"
	"time"

	"github.com/mandated/mandated/pkg/register"
)

// node is a process that decides, on a machine of its own.
type node struct {
	*sim
	number   int
	register *ledger // that it reads from

	// The two clocks of the machine, and how fast they run, in thousandths of true time.
	steady, wall         time.Duration
	steadyRate, wallRate int64
	turned, slept        time.Duration // when last, by the steady clock: the wall clock back, the machine
	sets                 int           // how often the wall clock was set

	paused, asleep, cut time.Duration // until when, in true time

	// The process.
	follower *Follower
	memory   map[ask]*finding
	flights  map[flightKey]*flight
	ticks    int
	listens  bool   // to questions: not before the first poll
	opened   *entry // a mutant's: what was read last
}

type flightKey struct {
	ask
	atLeast register.Revision
}

type flight struct {
	began int
	done  bool
	found *finding
	kept  bool
	err   error
	next  *flight
}

// boot starts the process: it has forgotten everything.
func (n *node) boot() {
	n.kill(n)
	n.follower = New(n, n.build.lease(n.number), n.clock)
	n.follower.rules, n.follower.bounds = n.build.rules, bounds{window: n.climate.window, recent: n.climate.window / 3}
	n.listens, n.opened = false, nil
	n.memory, n.flights = map[ask]*finding{}, map[flightKey]*flight{}
	n.start(n, n.follow)
}

func (n *node) runs() bool { return n.now >= n.paused && n.now >= n.asleep }

// pass lets time go by.
func (n *node) pass(d time.Duration) {
	awake := n.now >= n.asleep
	if awake || !n.climate.stopped {
		n.wall += d * time.Duration(n.wallRate) / 1000
	}
	if awake {
		n.steady += d * time.Duration(n.steadyRate) / 1000
	}
}

func (n *node) moment() Moment { return Moment{Steady: n.steady, Wall: epoch.Add(n.wall)} }

// clock is the clock that the follower reads. Whoever reads it may have been put off on
// the way there.
func (n *node) clock() Moment {
	if n.current != nil && n.rand.IntN(4) == 0 {
		n.current.pause()
	}
	return n.moment()
}

// follow is Follower.Follow after a first poll, without which a daemon does not start.
func (n *node) follow(t *task) {
	for {
		before := n.follower.view.Load()
		if n.follower.Poll(context.Background()) == nil {
			n.listens = true
			n.build.spoil(n, before)
		}
		due := n.steady + lease/4
		t.wait(func() bool { return n.steady >= due })
	}
}

var errLost = errors.New("lost on the way")

// Poll makes a node the source of its own follower: it is the way to the register.
func (n *node) Poll(_ context.Context, known register.Revision, limit int) (register.News, error) {
	t := n.current
	if !t.travel(n.climate.lost) || n.now < n.cut {
		return register.News{}, errLost
	}
	asked := n.register
	if n.build.followsStandby {
		asked = &ledger{branch: n.standby.branch}
	}
	news := asked.poll(known, limit, epoch.Add(n.now))
	if !t.travel(n.climate.lost) || n.now < n.cut {
		return register.News{}, errLost
	}
	n.build.lie(n, &news)
	return news, nil
}

// change makes a change and acknowledges it, as register.Change does. What is wanted may
// be so already.
func (n *node) change(t *task, again bool) {
	begun := n.steady
	if !t.travel(n.climate.lost) || n.now < n.cut {
		return
	}
	made, e := n.write(again)
	if !t.travel(n.climate.lost) || n.now < n.cut {
		return // it may have been made or not: nobody acknowledges it
	}
	n.known(made)
	if !n.build.ackBeforeCommit {
		begun = n.steady
	}
	if e.narrows && !(again && n.build.hastyRepeat) && !(e.ends && n.build.hastyEnd) {
		t.wait(func() bool { return n.steady >= begun+n.build.patience })
	}
	n.acknowledge(made, e.narrows)
}

// write is the transaction: a new revision or, if what is wanted is so already, the one
// that there is.
func (n *node) write(again bool) (made *entry, e edit) {
	if again {
		return n.ledger.newest(), edit{narrows: true}
	}
	if n.build.overtakes {
		n.start(n, n.late(n.ledger.reserve()))
	}
	var noticed *ask
	e, noticed = n.edit()
	made = n.ledger.commit(e, epoch.Add(n.now))
	made.noticed = noticed
	if n.build.feedLater {
		n.tellLater(made)
	}
	n.committed(made)
	n.everybodyAsks(made)
	return made, e
}

// late is a change that took its number before another one, and is committed after it.
func (n *node) late(taken *entry) func(*task) {
	return func(t *task) {
		if !t.travel(n.climate.lost) {
			return
		}
		e, noticed := n.edit()
		made := n.ledger.commitLate(taken, e, epoch.Add(n.now))
		if made == nil {
			return
		}
		made.noticed = noticed
		n.committed(made)
		due := n.steady + n.build.patience
		t.wait(func() bool { return n.steady >= due })
		n.acknowledge(made, e.narrows)
	}
}

// tellLater writes the feed in a transaction of its own.
func (n *node) tellLater(made *entry) {
	lines := made.lines
	made.lines = nil
	n.start(n, func(t *task) {
		t.travel(0)
		made.lines = lines
	})
}

// edit is a change, preferably one that somebody would notice, and who.
func (n *node) edit() (e edit, noticed *ask) {
	f, now := n.ledger.newest().facts, epoch.Add(n.now)
	for range 10 {
		e = anyEdit(f, now, n.rand)
		for _, a := range n.wanted {
			if e.decide(a, now, nobody).text != f.decide(a, now, nobody).text {
				return e, &a
			}
		}
	}
	return e, nil
}

// asking is a question and all that decides whether its answer is right.
type asking struct {
	ask
	Question
	arrived time.Duration
	floor   int // the newest acknowledged when it arrived
	sets    int // of the node's clock until then
}

// question asks once.
func (n *node) question(a ask, atLeast register.Revision) func(*task) {
	q := asking{ask: a, arrived: n.now, floor: n.floor, sets: n.sets, Question: Question{At: n.moment().Wall, AtLeast: atLeast}}
	return func(t *task) {
		if !n.listens {
			return
		}
		f, kept, err := n.find(t, q)
		if err == nil {
			n.answer(n, q, f, kept)
		}
	}
}

// find is find of package pdp, with join, fresh and ask below: the same steps, and a pause
// wherever the world may go on.
func (n *node) find(t *task, q asking) (f *finding, kept bool, err error) {
	if err := n.build.clock(n); err != nil {
		return nil, false, err
	}
	if f, ok := n.memory[n.build.key(q.ask)]; ok {
		t.pause()
		if n.judge(f, q) {
			return f, true, nil
		}
	}
	f, kept, err = n.share(t, q)
	if guess := n.memory[n.build.key(q.ask)]; err != nil && guess != nil && n.build.guesses {
		return guess, true, nil
	}
	return f, kept, err
}

func (n *node) judge(f *finding, q asking) bool {
	if f.options > 1 && !n.build.keepsChoose {
		return false
	}
	return n.build.judge(n, f.Claim, q.Question) == Serves
}

func (n *node) share(t *task, q asking) (f *finding, kept bool, err error) {
	n.ticks++
	arrived, key := n.ticks, flightKey{n.build.key(q.ask), q.AtLeast}
	if n.build.sharesAnyRevision || n.build.ignoresAtLeast {
		key.atLeast = 0
	}
	var fl *flight
	for {
		t.pause()
		fl = n.join(key, fl, q)
		t.wait(func() bool { return fl.done })
		if (fl.began > arrived || n.build.joinsEarlier) && (fl.err != nil || holdsAt(fl.found, q)) {
			return fl.found, fl.kept, fl.err
		}
		if fl.err == nil && n.judge(fl.found, q) {
			return fl.found, true, nil
		}
	}
}

func (n *node) join(key flightKey, before *flight, q asking) *flight {
	if before != nil && before.next != nil {
		return before.next
	}
	fl := n.flights[key]
	if fl == nil {
		fl = n.begin(key, q)
	}
	if before != nil {
		before.next = fl
	}
	return fl
}

func (n *node) begin(key flightKey, q asking) *flight {
	n.ticks++
	own := &flight{began: n.ticks}
	n.flights[key] = own
	n.start(n, func(t *task) {
		own.found, own.kept, own.err = n.fresh(t, q)
		t.pause()
		delete(n.flights, key)
		own.done = true
	})
	return own
}

func holdsAt(f *finding, q asking) bool {
	return !q.At.Before(f.From) && (f.Until.IsZero() || q.At.Before(f.Until))
}

func (n *node) fresh(t *task, q asking) (f *finding, kept bool, err error) {
	key := n.build.key(q.ask)
	if f := n.redis.get(t, key); f != nil {
		n.memory[key] = f
		t.pause()
		if n.judge(f, q) {
			return f, true, nil
		}
	}
	f, err = n.read(t, q)
	if err == nil && (f.options < 2 || n.build.keepsChoose) {
		t.pause()
		n.memory[key] = f
		n.redis.put(key, f)
	}
	return f, false, err
}

var errBehind = errors.New("the register does not have the revision asked for")

// read is reader.Read of package daemon: the replica is asked when that may be, and the
// primary when the replica does not answer. Not every node has a replica at all times.
func (n *node) read(t *task, q asking) (*finding, error) {
	if n.climate.replay > 0 && n.rand.IntN(2) == 0 {
		if f, err := n.readStandby(t, q); err == nil {
			return f, nil
		}
	}
	return n.readPrimary(t, q)
}

// readStandby goes a way of its own: who is cut off from the primary may still go it.
func (n *node) readStandby(t *task, q asking) (*finding, error) {
	view, confirmed := n.follower.Confirmed()
	if !confirmed && !n.build.unconfirmed {
		return nil, errBehind
	}
	if !t.travel(n.climate.lost) {
		return nil, errLost
	}
	if !n.standby.knows(view) && !n.build.anyReplica {
		return nil, errBehind
	}
	f, err := n.decideFrom(n.standby.newest(), q)
	if !t.travel(n.climate.lost) {
		return nil, errLost
	}
	return f, err
}

func (n *node) readPrimary(t *task, q asking) (*finding, error) {
	if !t.travel(n.climate.lost) || n.now < n.cut {
		return nil, errLost
	}
	snapshot := n.build.snapshot(n)
	f, err := n.decideFrom(snapshot, q)
	if !t.travel(n.climate.lost) || n.now < n.cut {
		return nil, errLost
	}
	if err == nil {
		f.Stamp = n.build.stamp(n, snapshot)
	}
	return f, err
}

func (n *node) decideFrom(snapshot *entry, q asking) (*finding, error) {
	if snapshot.stamp.Revision < q.AtLeast && !n.build.ignoresAtLeast {
		return nil, errBehind
	}
	f := snapshot.facts.decide(q.ask, q.At, n.build.leftOut)
	f.Stamp = snapshot.stamp
	return f, nil
}
