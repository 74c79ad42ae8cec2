package register

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"math"
	"time"

	"github.com/mandated/mandated/internal/postgres"
)

// forever is `until` of a version that is current.
const forever = math.MaxInt64

// isCurrent chooses the version that is current. The number stands in the text: SQLite prepares
// a statement anew each time it is used if a parameter may decide whether an index serves it,
// and some indexes are of current versions alone.
const isCurrent = `until = 9223372036854775807`

// dialect is one kind of place for a register: the few things in which the two kinds
// differ. Everything else is written once, with ?1, ?2, ... for parameters.
type dialect interface {
	// found makes room for a register where there is none (ErrExists), lets write fill it,
	// and leaves nothing behind that would pass for one when that fails.
	found(ctx context.Context, write func(*sql.DB) error) error

	// connect prepares connections for a use, and recognise refuses what is not a register
	// (ErrMissing, ErrNotRegister).
	connect(ctx context.Context, u use) (*sql.DB, error)
	recognise(ctx context.Context, db *sql.DB) error

	// migrate brings the schema up to date, leaving a newer one alone. versions gives the
	// version of what is there and the version of this program, and only reads.
	migrate(ctx context.Context, db *sql.DB) error
	versions(ctx context.Context, db *sql.DB) (found, known int64, err error)

	// line is the way statements take over a connection.
	line(conn *sql.Conn) line

	words() words
	limits() limits

	// explain puts our words around the database's errors, where we have any. lost tells
	// whether the connection is gone with the error, and with it all that was not committed.
	explain(err error) error
	lost(err error) bool
}

// use is what a connection is for.
type use int

const (
	forFounding use = iota
	forWriting
	forReading
)

// words are what the two say differently.
type words struct {
	change      string                    // begins a transaction that changes
	read        string                    // begins one that reads; empty: none is needed
	now         string                    // the time by the database's clock, in milliseconds
	placeholder func(query string) string // puts the parameters as the database wants them
}

// MostSkew is how far the clock of a machine may be from that of the database, when they are
// not one: for writing down what changed, and for deciding.
const MostSkew = 2 * time.Second

// limits are those of a process's connections.
type limits struct {
	reads    int           // connections that read
	patience time.Duration // of one statement; 0: as long as it takes
	lifetime time.Duration // of a connection; 0: as long as the register is open
	skew     time.Duration // between our clock and the database's; 0: they are one clock
}

// dialectOf tells by the place which of the two it is.
func dialectOf(place string, o Options) dialect {
	if postgres.IsPlace(place) {
		return &server{place, o}
	}
	return &file{place, o}
}

// wait is how long a change waits for others.
func (o Options) wait() time.Duration {
	if o.Wait == 0 {
		return 5 * time.Second
	}
	return o.Wait
}

//go:embed schema/sqlite/*.sql schema/postgres/*.sql
var folders embed.FS

// steps are the numbered steps from nothing to the schema of this program.
func steps(dialect string) fs.FS {
	sub, err := fs.Sub(folders, "schema/"+dialect)
	if err != nil {
		panic(err) // both are embedded
	}
	return sub
}

// upToDate tells whether the schema is the one this program knows.
func upToDate(ctx context.Context, d dialect, db *sql.DB) error {
	found, known, err := d.versions(ctx, db)
	switch {
	case err != nil:
		return err
	case found > known:
		return fmt.Errorf("%w (schema %d, this program knows %d)", ErrNewerSchema, found, known)
	case found < known:
		return fmt.Errorf("%w (schema %d, this program needs %d)", ErrOlderSchema, found, known)
	}
	return nil
}
