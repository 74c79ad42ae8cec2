package register

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"runtime"

	"github.com/pressly/goose/v3"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/mandated/mandated/internal/schema"
)

// file is a register in a SQLite file on a local disk.
type file struct {
	path string
	o    Options
}

var _ dialect = (*file)(nil)

// applicationID marks a SQLite file as a register ("mand").
const applicationID = 1835101796

// words: a change locks the file at once, so that it never has to give up halfway; a read
// sees the file as it is at its first question.
func (f *file) words() words {
	return words{
		change:      `BEGIN IMMEDIATE`,
		read:        `BEGIN`,
		now:         `CAST(unixepoch('subsec') * 1000 AS INTEGER)`,
		placeholder: func(query string) string { return query },
	}
}

func (f *file) line(conn *sql.Conn) line {
	return &fileLine{conn: conn, prepared: map[string]*sql.Stmt{}}
}

// limits: a statement works on this machine and waits for nobody but the disk, and a
// connection costs nothing to keep.
func (f *file) limits() limits { return limits{reads: max(8, 4*runtime.GOMAXPROCS(0))} }

func (f *file) found(ctx context.Context, write func(*sql.DB) error) error {
	if err := f.reserve(); err != nil {
		return err
	}
	err := f.fill(ctx, write)
	if err != nil {
		f.remove()
	}
	return err
}

// reserve makes an empty file that only its owner can read.
func (f *file) reserve() error {
	empty, err := os.OpenFile(f.path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if os.IsExist(err) {
		return ErrExists
	}
	if err != nil {
		return err
	}
	return empty.Close()
}

// fill lays the schema in the empty file.
func (f *file) fill(ctx context.Context, write func(*sql.DB) error) error {
	db, err := f.open(forFounding)
	if err != nil {
		return err
	}
	defer db.Close()
	if err := f.migrate(ctx, db); err != nil {
		return err
	}
	return write(db)
}

// remove takes away a file that was not completely created, and what SQLite put beside
// it.
func (f *file) remove() {
	for _, suffix := range []string{"", "-wal", "-shm", "-journal"} {
		_ = os.Remove(f.path + suffix)
	}
}

// connect looks at the file from outside first, where the answers are clearer than
// SQLite's.
func (f *file) connect(_ context.Context, u use) (*sql.DB, error) {
	if err := f.examine(); err != nil {
		return nil, err
	}
	return f.open(u)
}

func (f *file) examine() error {
	info, err := os.Stat(f.path)
	switch {
	case f.o.Standby:
		return ErrNoStandby
	case errors.Is(err, os.ErrNotExist):
		return ErrMissing
	case err != nil:
		return err
	case !info.Mode().IsRegular():
		return ErrNotRegister
	case f.o.ReadOnly:
		return nil
	}
	opened, err := os.OpenFile(f.path, os.O_RDWR, 0)
	if err != nil {
		return fmt.Errorf("%w (%w)", ErrReadOnly, err)
	}
	return opened.Close()
}

// open prepares connections; SQLite opens the file at the first question.
func (f *file) open(u use) (*sql.DB, error) {
	full, err := filepath.Abs(f.path)
	if err != nil {
		return nil, err
	}
	mode := "rw" // never creates a file
	if u == forReading {
		mode = "ro"
	}
	timeout := fmt.Sprintf("busy_timeout(%d)", f.o.wait().Milliseconds())
	q := url.Values{"mode": {mode}, "_pragma": append(pragmas(u), timeout)}
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

// recognise goes by the mark in the file's header.
func (f *file) recognise(ctx context.Context, db *sql.DB) error {
	var id int64
	if err := db.QueryRowContext(ctx, `PRAGMA application_id`).Scan(&id); err != nil {
		return err
	}
	if id != applicationID {
		return ErrNotRegister
	}
	return nil
}

func (f *file) migrate(ctx context.Context, db *sql.DB) error {
	p, err := schema.Provider(goose.DialectSQLite3, db, steps("sqlite"))
	if err != nil {
		return err
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("bringing the schema up to date: %w", err)
	}
	return nil
}

func (f *file) versions(ctx context.Context, db *sql.DB) (found, known int64, err error) {
	p, err := schema.Provider(goose.DialectSQLite3, db, steps("sqlite"))
	if err != nil {
		return 0, 0, err
	}
	for _, step := range p.ListSources() {
		known = max(known, step.Version)
	}
	err = db.QueryRowContext(ctx, `SELECT coalesce(max(version_id), 0) FROM goose_db_version WHERE is_applied`).Scan(&found)
	return found, known, err
}

func (f *file) explain(err error) error {
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

// lost: there is no wire between us and a file.
func (f *file) lost(error) bool { return false }
