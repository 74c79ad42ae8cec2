package group

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

var ctx = context.Background()

// While one group is being written the next gathers: a hundred that wait are
// written in one go, and an error is everybody's.
func TestGroupGathers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		goOn := make(chan bool)
		var sizes []int
		failure := errors.New("disk on fire")
		g := New(func(_ context.Context, items []*int) error {
			<-goOn
			sizes = append(sizes, len(items))
			if len(items) > 1 {
				return failure
			}
			return nil
		})
		ask := func(want error) {
			if err := g.Do(t.Context(), new(int)); !errors.Is(err, want) {
				t.Errorf("got %v, want %v", err, want)
			}
		}
		go ask(nil)
		synctest.Wait()
		for range 100 {
			go ask(failure)
		}
		synctest.Wait()
		if n := g.Waiting(); n != 101 {
			t.Errorf("%d wait", n)
		}
		close(goOn)
		synctest.Wait()
		if len(sizes) != 2 || sizes[0] != 1 || sizes[1] != 100 {
			t.Errorf("groups of %v", sizes)
		}
		g.Close()
		g.Close()
		ask(ErrClosed)
		if n := g.Waiting(); n != 0 {
			t.Errorf("%d wait, and nobody is there", n)
		}
	})
}

// Who stops waiting is let go while the writer is still busy with others.
func TestWaitingEndsWithTheContext(t *testing.T) {
	goOn := make(chan bool)
	g := New(func(context.Context, []*int) error { <-goOn; return nil })
	short, cancel := context.WithCancel(ctx)
	first := make(chan error)
	go func() { first <- g.Do(short, new(int)) }()
	second := make(chan error)
	go func() { second <- g.Do(short, new(int)) }()
	cancel()
	for _, c := range []chan error{first, second} {
		if err := <-c; !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	}
	close(goOn)
	g.Close()
}

// A writer that keeps trying does so as long as one of its group still waits, and
// no longer.
func TestWriterIsAsPatientAsTheLast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var writing context.Context
		g := New(func(ctx context.Context, _ []*int) error {
			writing = ctx
			<-ctx.Done()
			return ctx.Err()
		})
		defer g.Close()
		early, leaveEarly := context.WithCancel(t.Context())
		late, leaveLate := context.WithCancel(t.Context())
		go g.commit([]request[int]{
			{early, new(int), make(chan error, 1)},
			{late, new(int), make(chan error, 1)},
		})
		leaveEarly()
		synctest.Wait()
		if writing.Err() != nil {
			t.Error("given up while one still waits")
		}
		leaveLate()
		synctest.Wait()
		if writing.Err() == nil {
			t.Error("still trying when nobody waits")
		}
	})
}

// What passes is tried until it has passed; what does not is an error at once; and
// nobody tries for longer than he is waited for.
func TestAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lost, wrong := errors.New("lost"), errors.New("wrong")
		passing := func(err error) bool { return errors.Is(err, lost) }
		answers := func(errs ...error) (func() error, *int) {
			tries := 0
			return func() error { tries++; return errs[min(tries, len(errs))-1] }, &tries
		}
		for _, c := range []struct {
			answers []error
			want    error
			tries   int
		}{
			{[]error{nil}, nil, 1},
			{[]error{lost, lost, lost, nil}, nil, 4},
			{[]error{lost, wrong, nil}, wrong, 2},
		} {
			try, tries := answers(c.answers...)
			if err := Again(t.Context(), passing, try); !errors.Is(err, c.want) || *tries != c.tries {
				t.Errorf("answers %v: %v after %d tries", c.answers, err, *tries)
			}
		}
		short, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		try, tries := answers(lost)
		err := Again(short, passing, try)
		if !errors.Is(err, lost) || !errors.Is(err, context.DeadlineExceeded) || *tries < 4 || *tries > 20 {
			t.Errorf("a database that stays away: %v after %d tries", err, *tries)
		}

		cut, cancel := context.WithCancel(t.Context())
		first := true
		err = Again(cut, func(error) bool { return true }, func() error {
			if first {
				first = false
				return lost
			}
			cancel()
			return cut.Err()
		})
		if !errors.Is(err, lost) {
			t.Errorf("the last try was cut short: %v", err)
		}
	})
}
