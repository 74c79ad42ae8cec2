package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// Format says what kind of file a room keeps. The application id and the version
// stand in the header of every SQLite file, so a file of another kind is known
// before anything in it is touched.
type Format struct {
	Name          string // for people: "journal"
	ApplicationID int32  // of this kind of file, never 0
	Version       int    // of the schema, from 1
	Schema        string // statements that turn an empty file into one of this kind
}

// The ways in which a file can be unfit.
var (
	// ErrForeign is returned for a file that holds something else.
	ErrForeign = errors.New("the file is something else")
	// ErrNewer is returned for a file that a later release has written.
	ErrNewer = errors.New("the file was written by a newer release")
)

// fresh tells whether the database behind q is still empty. A database that is
// neither empty nor of this format is an error.
func (f Format) fresh(ctx context.Context, q queryer) (bool, error) {
	var id, version, tables int
	const header = `SELECT (SELECT application_id FROM pragma_application_id),
		(SELECT user_version FROM pragma_user_version), (SELECT count(*) FROM sqlite_schema)`
	if err := q.QueryRowContext(ctx, header).Scan(&id, &version, &tables); err != nil {
		return false, err
	}
	switch {
	case id == 0 && version == 0 && tables == 0:
		return true, nil
	case id != int(f.ApplicationID) || version < f.Version:
		return false, fmt.Errorf("not a %s: %w", f.Name, ErrForeign)
	case version > f.Version:
		return false, fmt.Errorf("%w: schema version %d, this release knows %d", ErrNewer, version, f.Version)
	}
	return false, nil
}

// create fills an empty database.
func (f Format) create(ctx context.Context, c *sql.Conn) error {
	mark := fmt.Sprintf("PRAGMA application_id = %d; PRAGMA user_version = %d;", f.ApplicationID, f.Version)
	_, err := c.ExecContext(ctx, f.Schema+mark)
	return err
}

type queryer interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}
