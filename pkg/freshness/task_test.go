package freshness

import "iter"

// task is something under way on a node, or in the world if node is nil. It is written
// down as it would be in a program, and stands still wherever it waits: there the world
// goes on, for as long as it likes. All tasks share one thread, so the same draws of the
// simulation's dice give the same run.
type task struct {
	*sim
	node  *node
	until func() bool // what it waits for
	yield func(struct{}) bool
	next  func() (struct{}, bool)
	stop  func()
}

// killed unwinds a task whose process has died.
type killed struct{}

// start begins a task. It takes its first step when its turn comes.
func (s *sim) start(n *node, run func(*task)) {
	t := &task{sim: s, node: n, until: atOnce}
	t.next, t.stop = iter.Pull(func(yield func(struct{}) bool) {
		defer func() {
			if r := recover(); r != nil && r != any(killed{}) {
				panic(r)
			}
		}()
		t.yield = yield
		run(t)
	})
	s.tasks = append(s.tasks, t)
}

func atOnce() bool { return true }

// wait stands still until something is so and the task gets its turn.
func (t *task) wait(until func() bool) {
	t.until = until
	if !t.yield(struct{}{}) {
		panic(killed{})
	}
}

// pause may be over at once, or take any time: the scheduler of the machine, a garbage
// collection, a debugger.
func (t *task) pause() { t.wait(atOnce) }

// travel is the way of a message. It tells whether it arrived.
func (t *task) travel(lost float64) bool {
	due := t.now + t.delay()
	t.wait(func() bool { return t.now >= due })
	return t.rand.Float64() >= lost
}

// turn lets one task that can go on take a step, if there is one.
func (s *sim) turn() bool {
	first := s.rand.IntN(len(s.tasks) + 1)
	for i := range s.tasks {
		t := s.tasks[(first+i)%len(s.tasks)]
		if t.node != nil && !t.node.runs() || !t.until() {
			continue
		}
		s.current = t
		if _, more := t.next(); !more {
			s.drop(t)
		}
		s.current = nil
		return true
	}
	return false
}

func (s *sim) drop(t *task) {
	for i := range s.tasks {
		if s.tasks[i] == t {
			s.tasks = append(s.tasks[:i], s.tasks[i+1:]...)
			return
		}
	}
}

// kill ends the tasks of a process that died; of nil, all.
func (s *sim) kill(n *node) {
	var left []*task
	for _, t := range s.tasks {
		if n == nil || t.node == n {
			t.stop()
		} else {
			left = append(left, t)
		}
	}
	s.tasks = left
}
