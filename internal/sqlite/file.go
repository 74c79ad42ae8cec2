package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"sync"

	_ "modernc.org/sqlite" // the driver
)

// File is an open SQLite file. Any number of goroutines may read, and those that
// write take turns. Other processes may read and write the same file.
type File struct {
	db *sql.DB

	writing sync.Mutex
	tx      *Tx // the writer's connection; nil until needed and after an error
	commits int // since the log was last copied
	copying sync.Mutex
}

// Open opens the file at path for reading and writing. A file that is absent or
// empty becomes one of this format, readable by its owner only. The folder must
// exist. A file that holds something else is left exactly as it was.
func Open(ctx context.Context, path string, format Format) (*File, error) {
	f, err := open(ctx, path, format)
	if err != nil {
		return nil, fmt.Errorf("opening %s %s: %w", format.Name, path, err)
	}
	return f, nil
}

func open(ctx context.Context, path string, format Format) (*File, error) {
	if err := touch(path); err != nil {
		return nil, err
	}
	if _, err := inspect(ctx, path, format); err != nil {
		return nil, err
	}
	f, err := connect(path, "rw", "journal_mode(WAL)", "synchronous(FULL)", fmt.Sprintf("wal_autocheckpoint(%d)", longestLog))
	if err != nil {
		return nil, err
	}
	// An empty transaction proves that the file can be written.
	err = f.Write(func(tx *Tx) error {
		if fresh, err := format.fresh(ctx, tx.conn); err != nil || !fresh {
			return err
		}
		return format.create(ctx, tx.conn)
	})
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// OpenReadOnly opens an existing file for reading alone; another process may be
// writing it.
func OpenReadOnly(ctx context.Context, path string, format Format) (*File, error) {
	f, err := openReadOnly(ctx, path, format)
	if err != nil {
		return nil, fmt.Errorf("opening %s %s: %w", format.Name, path, err)
	}
	return f, nil
}

func openReadOnly(ctx context.Context, path string, format Format) (*File, error) {
	if _, err := os.Stat(path); err != nil {
		return nil, err
	}
	fresh, err := inspect(ctx, path, format)
	if err != nil {
		return nil, err
	}
	if fresh {
		return nil, fmt.Errorf("empty, not a %s: %w", format.Name, ErrForeign)
	}
	return connect(path, "ro")
}

// touch makes sure that there is a file and that it can be opened for writing.
func touch(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("the file is read-only for this process: %w", err)
	}
	if err != nil {
		return err
	}
	return f.Close()
}

// inspect looks at the file without changing it, and tells whether it is empty.
func inspect(ctx context.Context, path string, format Format) (bool, error) {
	f, err := connect(path, "ro")
	if err != nil {
		return false, err
	}
	fresh, err := format.fresh(ctx, f.db)
	return fresh, errors.Join(err, f.Close())
}

// connect prepares connections; none is made yet.
func connect(path, mode string, pragmas ...string) (*File, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	query := url.Values{
		"mode":    {mode},
		"_pragma": append([]string{"busy_timeout(5000)", "trusted_schema(OFF)"}, pragmas...),
	}
	source := url.URL{Scheme: "file", Path: path, RawQuery: query.Encode()}
	db, err := sql.Open("sqlite", source.String())
	if err != nil {
		return nil, err
	}
	return &File{db: db}, nil
}

// DB is for reading. Each statement sees what was committed when it began.
func (f *File) DB() *sql.DB { return f.db }

// Write runs do in a transaction that has the file's write lock from its start,
// so nothing read in it can be outdated when it commits. All of what do wrote is
// on disk when Write returns nil, and none of it is there when do fails or the
// file cannot be written. The one exception is a commit whose fsync failed: a crash
// soon after may still bring it back.
//
// After an error the connection is thrown away, so whatever state it was in, the
// next Write starts afresh.
//
// Write takes no context: once begun, half a transaction helps nobody.
func (f *File) Write(do func(*Tx) error) error {
	f.writing.Lock()
	defer f.writing.Unlock()
	if f.tx == nil {
		conn, err := f.db.Conn(context.Background())
		if err != nil {
			return err
		}
		f.tx = &Tx{conn: conn, prepared: map[string]*sql.Stmt{}}
	}
	if err := f.tx.run(do); err != nil {
		f.tx.discard()
		f.tx = nil
		return err
	}
	f.committed()
	return nil
}

// Close closes all connections. Nothing may be reading or writing.
func (f *File) Close() error {
	f.writing.Lock()
	defer f.writing.Unlock()
	if f.tx != nil {
		f.tx.discard()
	}
	f.copying.Lock()
	defer f.copying.Unlock()
	return f.db.Close()
}
