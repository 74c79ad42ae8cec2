package sqlite

import (
	"context"
	"errors"
	"sync"
)

// ErrClosed is returned for what is handed over after Close.
var ErrClosed = errors.New("closed")

// groupLimit bounds a group, so that the first of it does not wait for ever.
const groupLimit = 1024

// Group lets many goroutines write through one. While one group is being written
// the next gathers, and all that wait then share a transaction: the busier it is,
// the cheaper each write, and a lone writer never waits for company.
type Group[T any] struct {
	write func([]*T) error
	queue chan request[T]
	stop  chan struct{}
	once  sync.Once
	done  chan struct{}
}

type request[T any] struct {
	item   *T
	answer chan error // with room for one, so that the writer never waits
}

// NewGroup starts the goroutine that calls write with one group after another. An
// error from write is everybody's; what concerns one item is for write to put into
// that item.
func NewGroup[T any](write func([]*T) error) *Group[T] {
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
	r := request[T]{item, make(chan error, 1)}
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
	for len(group) < groupLimit {
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
	err := g.write(items)
	for _, r := range group {
		r.answer <- err
	}
}
