package register

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// Everything here is SQLite's own.

// forever is `until` of a version that is current.
const forever = math.MaxInt64

// How transactions begin. A change locks the file at once, so that it never has to
// give up halfway; a read sees the file as it is at its first question.
const (
	beginChange = `BEGIN IMMEDIATE`
	beginRead   = `BEGIN`
)

// databaseTime is the time by the database's clock, in milliseconds.
const databaseTime = `CAST(unixepoch('subsec') * 1000 AS INTEGER)`

// applicationID marks a SQLite file as a register ("mand").
const applicationID = 1835101796

// use is what a connection is for.
type use int

const (
	forFounding use = iota
	forWriting
	forReading
)

// connect prepares connections to the file; SQLite opens it at the first question.
func connect(path string, u use, o Options) (*sql.DB, error) {
	full, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	wait := o.Wait
	if wait == 0 {
		wait = 5 * time.Second
	}
	mode := "rw" // never creates a file
	if u == forReading {
		mode = "ro"
	}
	q := url.Values{"mode": {mode}, "_pragma": append(pragmas(u), fmt.Sprintf("busy_timeout(%d)", wait.Milliseconds()))}
	dsn := url.URL{Scheme: "file", OmitHost: true, Path: filepath.ToSlash(full), RawQuery: q.Encode()}
	return sql.Open("sqlite", dsn.String())
}

// pragmas are the settings of a connection.
func pragmas(u use) []string {
	list := []string{
		"foreign_keys(1)",
		"recursive_triggers(1)", // REPLACE asks the triggers against deletion too
		"trusted_schema(0)",     // a schema cannot call functions with effects
		"mmap_size(1099511627776)",
	}
	switch u {
	case forFounding:
		return append(list, "journal_mode(WAL)", "synchronous(FULL)")
	case forWriting:
		return append(list, "synchronous(FULL)", "cache_size(-65536)", "journal_size_limit(67108864)")
	}
	return append(list, "query_only(1)")
}

// remove takes away a file that was not completely created, and what SQLite put
// beside it.
func remove(path string) {
	for _, suffix := range []string{"", "-wal", "-shm", "-journal"} {
		_ = os.Remove(path + suffix)
	}
}

// examine looks at the file from outside, where the answers are clearer than
// SQLite's.
func examine(path string, readOnly bool) error {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return ErrMissing
	case err != nil:
		return err
	case !info.Mode().IsRegular():
		return ErrNotRegister
	case readOnly:
		return nil
	}
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return fmt.Errorf("%w (%w)", ErrReadOnly, err)
	}
	return file.Close()
}

// recognise refuses a database that is not a register.
func recognise(ctx context.Context, db *sql.DB) error {
	var id int64
	if err := db.QueryRowContext(ctx, `PRAGMA application_id`).Scan(&id); err != nil {
		return err
	}
	if id != applicationID {
		return ErrNotRegister
	}
	return nil
}

// explain puts our words around SQLite's, where we have any.
func explain(err error) error {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return err
	}
	for code, ours := range map[int]error{
		sqlite3.SQLITE_BUSY:     ErrBusy,
		sqlite3.SQLITE_LOCKED:   ErrBusy,
		sqlite3.SQLITE_FULL:     ErrFull,
		sqlite3.SQLITE_READONLY: ErrReadOnly,
		sqlite3.SQLITE_NOTADB:   ErrNotRegister,
	} {
		if e.Code()&0xff == code && !errors.Is(err, ours) {
			return fmt.Errorf("%w (%w)", ours, err)
		}
	}
	return err
}
