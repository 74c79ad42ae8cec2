package server

import "slices"

// turns knows who may work and whose turn is next: so many at once, the rest in one queue
// for each sender, and of the queues one after the other. So a sender who floods waits
// for himself, and everybody else is at most one turn away from his place.
//
// It is bookkeeping alone. It never waits itself, and one goroutine at a time may use it.
type turns[T comparable] struct {
	free   int            // places that nobody has
	room   int            // how many of one sender may wait
	queues map[string][]T // of the senders who wait, the first comer first
	order  []string       // the same senders, the next one first
}

// standing is what becomes of somebody who wants a place.
type standing int

const (
	refused standing = iota // his sender's queue is full
	waits
	works
)

func newTurns[T comparable](places, room int) *turns[T] {
	return &turns[T]{free: places, room: room, queues: map[string][]T{}}
}

// enter gives somebody a place, or room to wait for one.
func (t *turns[T]) enter(sender string, who T) standing {
	queue := t.queues[sender]
	switch {
	case t.free > 0: // so nobody waits
		t.free--
		return works
	case len(queue) >= t.room:
		return refused
	case len(queue) == 0:
		t.order = append(t.order, sender)
	}
	t.queues[sender] = append(queue, who)
	return waits
}

// leave gives a place back: to whose turn it is, if anybody waits.
func (t *turns[T]) leave() (next T, somebody bool) {
	if len(t.order) == 0 {
		t.free++
		return next, false
	}
	sender := t.order[0]
	t.order = slices.Delete(t.order, 0, 1)
	next = t.queues[sender][0]
	if t.take(sender, 0) > 0 {
		t.order = append(t.order, sender)
	}
	return next, true
}

// quit takes somebody out of his queue; false if he does not wait.
func (t *turns[T]) quit(sender string, who T) bool {
	at := slices.Index(t.queues[sender], who)
	if at < 0 {
		return false
	}
	if t.take(sender, at) == 0 {
		t.order = slices.DeleteFunc(t.order, func(s string) bool { return s == sender })
	}
	return true
}

// take shortens a queue and gives what is left of it.
func (t *turns[T]) take(sender string, at int) int {
	queue := slices.Delete(t.queues[sender], at, at+1)
	if t.queues[sender] = queue; len(queue) == 0 {
		delete(t.queues, sender)
	}
	return len(queue)
}
