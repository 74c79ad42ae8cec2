package sqlite

import (
	"context"
	"errors"
	"path/filepath"
	"sync"
	"testing"
)

var (
	ctx    = context.Background()
	things = Format{Name: "box", ApplicationID: 7, Version: 1, Schema: `CREATE TABLE things (n INTEGER);`}
)

func newBox(t *testing.T) *File {
	t.Helper()
	f, err := Open(ctx, filepath.Join(t.TempDir(), "a box?.db"), things)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

func (f *File) count(t *testing.T) (n int) {
	t.Helper()
	if err := f.DB().QueryRow(`SELECT count(*) FROM things`).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// A power loss must not take back what was acknowledged; that is two settings.
func TestFilesAreDurable(t *testing.T) {
	f := newBox(t)
	var mode string
	var synchronous int
	err := f.Write(func(tx *Tx) error {
		return errors.Join(tx.Row(`PRAGMA journal_mode`, nil, &mode), tx.Row(`PRAGMA synchronous`, nil, &synchronous))
	})
	if err != nil || mode != "wal" || synchronous != 2 {
		t.Errorf("journal_mode %s, synchronous %d, %v", mode, synchronous, err)
	}
}

// What failed half-way left nothing, and the next write is not touched by it.
func TestFailedWriteLeavesNothing(t *testing.T) {
	f := newBox(t)
	failure := errors.New("half-way")
	err := f.Write(func(tx *Tx) error {
		_, err := tx.Exec(`INSERT INTO things VALUES (1)`)
		return errors.Join(err, failure)
	})
	if !errors.Is(err, failure) || f.count(t) != 0 {
		t.Errorf("%v, %d rows", err, f.count(t))
	}
	err = f.Write(func(tx *Tx) error { _, err := tx.Exec(`INSERT INTO things VALUES (2)`); return err })
	if err != nil || f.count(t) != 1 {
		t.Errorf("%v, %d rows", err, f.count(t))
	}
}

// While one group is being written the next gathers: a hundred that wait are
// written in one go, and an error is everybody's.
func TestGroupGathers(t *testing.T) {
	busy, goOn := make(chan bool, 200), make(chan bool)
	var sizes []int
	failure := errors.New("disk on fire")
	g := NewGroup(func(items []*int) error {
		busy <- true
		<-goOn
		sizes = append(sizes, len(items))
		if len(items) > 1 {
			return failure
		}
		return nil
	})
	var waiting sync.WaitGroup
	waiting.Go(func() {
		if err := g.Do(ctx, new(int)); err != nil {
			t.Error(err)
		}
	})
	<-busy
	started := make(chan bool)
	for range 100 {
		waiting.Go(func() {
			started <- true
			if err := g.Do(ctx, new(int)); err != nil && !errors.Is(err, failure) {
				t.Error(err)
			}
		})
	}
	for range 100 {
		<-started
	}
	close(goOn)
	waiting.Wait()
	g.Close()
	g.Close()
	if sizes[0] != 1 || len(sizes) > 50 {
		t.Errorf("groups of %v", sizes)
	}
	if err := g.Do(ctx, new(int)); !errors.Is(err, ErrClosed) {
		t.Errorf("closed: %v", err)
	}
}

// Who stops waiting is let go while the writer is still busy with others.
func TestWaitingEndsWithTheContext(t *testing.T) {
	goOn := make(chan bool)
	g := NewGroup(func([]*int) error { <-goOn; return nil })
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
