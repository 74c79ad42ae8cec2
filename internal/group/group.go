// Package group owns how many goroutines share one writer: what waits together is
// written together, so that one fsync serves them all.
//
// It also owns how a writer tries again what was lost on the way. It has never heard of
// what is written or where to: the journal and the replay guard use it for whichever
// store they stand on.
package group

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
)

// ErrClosed is returned for what is handed over after Close.
var ErrClosed = errors.New("closed")

// limit bounds a group, so that the first of it does not wait for ever.
const limit = 1024

// Group lets many goroutines write through one. While one group is being written
// the next gathers, and all that wait then are written together: the busier it is,
// the cheaper each write, and a lone writer never waits for company.
type Group[T any] struct {
	write   func(context.Context, []*T) error
	queue   chan request[T]
	stop    chan struct{}
	once    sync.Once
	done    chan struct{}
	waiting atomic.Int64
}

type request[T any] struct {
	ctx    context.Context
	item   *T
	answer chan error // with room for one, so that the writer never waits
}

// New starts the goroutine that calls write with one group after another. An error
// from write is everybody's; what concerns one item is for write to put into that
// item. The context that write is given ends when nobody waits for the group any
// more: it bounds how often write may try again.
func New[T any](write func(context.Context, []*T) error) *Group[T] {
	g := &Group[T]{
		write: write,
		queue: make(chan request[T]),
		stop:  make(chan struct{}),
		done:  make(chan struct{}),
	}
	go g.run()
	return g
}

// Do hands item over and waits until its group is written. If ctx ends sooner, Do
// stops waiting: item may then be written or not, and belongs to the writer.
func (g *Group[T]) Do(ctx context.Context, item *T) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	g.waiting.Add(1)
	defer g.waiting.Add(-1)
	r := request[T]{ctx, item, make(chan error, 1)}
	select {
	case g.queue <- r:
	case <-ctx.Done():
		return ctx.Err()
	case <-g.stop:
		return ErrClosed
	}
	select {
	case err := <-r.answer:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Waiting tells how many items wait or are being written at this moment.
func (g *Group[T]) Waiting() int64 { return g.waiting.Load() }

// Close refuses what comes later, finishes what was handed over and returns when
// the goroutine has ended. Closing again does nothing.
func (g *Group[T]) Close() {
	g.once.Do(func() { close(g.stop) })
	<-g.done
}

func (g *Group[T]) run() {
	defer close(g.done)
	for {
		select {
		case r := <-g.queue:
			g.commit(g.gather(r))
		case <-g.stop:
			return
		}
	}
}

// gather takes everybody who is waiting at this moment.
func (g *Group[T]) gather(first request[T]) []request[T] {
	group := []request[T]{first}
	for len(group) < limit {
		select {
		case r := <-g.queue:
			group = append(group, r)
		default:
			return group
		}
	}
	return group
}

func (g *Group[T]) commit(group []request[T]) {
	items := make([]*T, len(group))
	for i, r := range group {
		items[i] = r.item
	}
	ctx, leave := patience(group)
	err := g.write(ctx, items)
	leave()
	for _, r := range group {
		r.answer <- err
	}
}

// patience is a context that ends when the last of the group has stopped waiting.
func patience[T any](group []request[T]) (context.Context, func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var left atomic.Int64
	left.Store(int64(len(group)))
	stops := make([]func() bool, len(group))
	for i, r := range group {
		stops[i] = context.AfterFunc(r.ctx, func() {
			if left.Add(-1) == 0 {
				cancel()
			}
		})
	}
	return ctx, func() {
		for _, stop := range stops {
			stop()
		}
		cancel()
	}
}
