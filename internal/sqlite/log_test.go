package sqlite

import (
	"context"
	"database/sql"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// stored is how large the file is without its log.
func (f *File) stored(t *testing.T) int64 {
	t.Helper()
	var number int
	var name, path string
	if err := f.DB().QueryRow(`PRAGMA database_list`).Scan(&number, &name, &path); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}

// fill commits so many times so many bytes.
func (f *File) fill(t *testing.T, times, bytes int) {
	t.Helper()
	for range times {
		err := f.Write(func(tx *Tx) error { _, err := tx.Exec(`INSERT INTO things VALUES (zeroblob(?))`, bytes); return err })
		if err != nil {
			t.Fatal(err)
		}
	}
}

// The log is copied into the file now and then, by nobody who writes, and a file that is
// closed meanwhile is whole.
func TestLogIsCopiedBesideTheWriter(t *testing.T) {
	f := newBox(t)
	f.fill(t, copyEvery-1, 5000)
	if n := f.stored(t); n > 100_000 {
		t.Fatalf("it was copied early: %d bytes", n)
	}
	f.fill(t, 1, 5000)
	for deadline := time.Now().Add(time.Minute); f.stored(t) < copyEvery*5000; {
		if time.Now().After(deadline) {
			t.Fatalf("it is not copied: %d bytes", f.stored(t))
		}
	}
	f.fill(t, copyEvery, 10) // and copied again while it is closed
	if err := f.Close(); err != nil {
		t.Error(err)
	}
}

// Where the log is never copied whole, the writer does it before the log is endless.
func TestLogHasAnEnd(t *testing.T) {
	f := newBox(t)
	f.copying.Lock() // as if it went on all the time
	f.fill(t, 20, 2_000_000)
	f.copying.Unlock()
	if f.stored(t) < 30_000_000 {
		t.Errorf("after 40 MB, %d bytes of the log have been copied", f.stored(t))
	}
}

// A writer that is killed while the log is copied loses nothing: the copy is only ever of
// what the log has on disk, and the log stays until all of it is copied.
func TestLogIsNoSecondTruth(t *testing.T) {
	path := filepath.Join(t.TempDir(), "box.db")
	f, err := Open(context.Background(), path, things)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	f.fill(t, copyEvery+7, 5000)
	for _, end := range []string{"", "-wal"} { // what a machine that stops now has on disk
		b, err := os.ReadFile(path + end)
		if err == nil {
			err = os.WriteFile(path+".copy"+end, b, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	db, err := sql.Open("sqlite", path+".copy")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	var n int
	var whole string
	if err := db.QueryRow(`SELECT count(*), (SELECT * FROM pragma_integrity_check) FROM things`).Scan(&n, &whole); err != nil || n != copyEvery+7 || whole != "ok" {
		t.Errorf("%d rows, %s, %v", n, whole, err)
	}
}
