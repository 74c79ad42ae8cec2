package sqlite

import (
	"context"
	"errors"
	"path/filepath"
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
