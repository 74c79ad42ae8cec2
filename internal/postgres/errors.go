package postgres

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"

	"github.com/jackc/pgx/v5/pgconn"
)

// What can be wrong with a database. The text says what to do next.
var (
	ErrUnreachable = errors.New("the database cannot be reached, or was lost: see whether it runs and whether the network lets us through")
	ErrStandby     = errors.New("the database is a standby: name its primary")
	ErrReadOnly    = errors.New("the database cannot be written: it is a standby, or it or our sessions are set read-only")
	ErrFull        = errors.New("no room to write in the database: nothing was changed; make room on its disk and try again")
	ErrBusy        = errors.New("the database did not get round to it in time: try again, and see who else holds locks or connections there")
	ErrAccess      = errors.New("the database does not let us in: check user, password file, certificate and rights")
	ErrMissing     = errors.New("there is no such database, schema or table: check the place, or create it first")
)

// states are the errors of PostgreSQL for which we have a word, by SQLSTATE or its class
// (postgresql.org/docs, "PostgreSQL Error Codes").
var states = map[string]error{
	"08":    ErrUnreachable, // connection exceptions
	"25P03": ErrUnreachable, // idle too long in a transaction: the session is ended
	"57P01": ErrUnreachable, // shut down by its administrator
	"57P02": ErrUnreachable, // crashed beside us
	"57P03": ErrUnreachable, // still starting
	"57P05": ErrUnreachable, // idle too long: the session is ended
	"25006": ErrReadOnly,
	"53100": ErrFull,
	"53300": ErrBusy, // too many connections
	"55P03": ErrBusy, // waited too long for a lock
	"57014": ErrBusy, // took too long
	"40001": ErrBusy, // a standby had to choose between us and its primary
	"40P01": ErrBusy, // each waited for the other
	"28":    ErrAccess,
	"42501": ErrAccess,
	"3D000": ErrMissing,
	"3F000": ErrMissing,
	"42P01": ErrMissing,
}

// Explain puts our words around the database's, where we have any. A caller who went away
// is no fault of the database: that error stays as it is.
func Explain(err error) error {
	ours := meaning(err)
	if ours == nil || errors.Is(err, ours) || errors.Is(err, context.Canceled) {
		return err
	}
	return fmt.Errorf("%w (%w)", ours, err)
}

// Lost tells whether the connection broke: whether a statement that was under way was
// done is then not known, and nothing more can be asked on that connection.
func Lost(err error) bool { return errors.Is(meaning(err), ErrUnreachable) }

// Passing tells whether a database may do later what it did not do now: it was lost, or is
// handing over to another.
func Passing(err error) bool {
	return Lost(err) || errors.Is(Explain(err), ErrReadOnly) || errors.Is(err, ErrStandby)
}

// meaning is the sentinel for an error, nil if there is none.
func meaning(err error) error {
	var state *pgconn.PgError
	switch {
	case err == nil:
		return nil
	case errors.Is(err, ErrStandby), errors.Is(err, pgconn.ErrStandbyConnection):
		return ErrStandby
	case errors.Is(err, pgconn.ErrReadOnlyConnection):
		return ErrReadOnly
	case errors.As(err, &state):
		return ofState(state.Code)
	case broken(err):
		return ErrUnreachable
	}
	return nil
}

func ofState(code string) error {
	if ours, known := states[code]; known {
		return ours
	}
	return states[code[:min(2, len(code))]]
}

// broken tells whether an error is the connection's and not the database's. A context that
// ended during a statement has broken the connection too.
func broken(err error) bool {
	var network net.Error
	var connecting *pgconn.ConnectError
	if errors.As(err, &network) || errors.As(err, &connecting) || pgconn.Timeout(err) {
		return true
	}
	for _, sign := range []error{
		driver.ErrBadConn, sql.ErrConnDone, pgconn.ErrConnClosed, net.ErrClosed, io.EOF, io.ErrUnexpectedEOF,
		syscall.ECONNRESET, syscall.EPIPE, context.DeadlineExceeded, context.Canceled,
	} {
		if errors.Is(err, sign) {
			return true
		}
	}
	return false
}
