// Package register keeps mandates: who gave which mandate to whom, in which state,
// and everything that was ever known about it.
//
// The package owns all SQL about mandates. It never sees XML or HTTP, and it does
// not decide who may act: it hands out what is known, complete, for one moment in
// its own time, and package decision judges.
//
// Time runs twice. A mandate says when it is valid; the register says when it knew
// what. The register's time is counted in revisions: every change takes the next
// one, without gaps, in the order of commits. A row is known from one revision
// until another, so "what did we know at revision 812" is the same question as
// "what do we know now", with another number in it. Nothing is overwritten and
// nothing is deleted; the database itself refuses (schema/).
//
// A change and its history, its author, its revision and the list of parties it
// touched are one transaction on disk: after a crash all of it is there or none.
// Reading never waits for writing.
//
// The store is a SQLite file on a local disk, opened by one or more processes on that
// machine (network file systems lie about locks and must not be used), or a PostgreSQL
// database, opened by processes on as many machines as there are. Which of the two it is
// shows nowhere outside: the same questions get the same answers.
package register

import (
	"context"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"fmt"
	"time"

	"github.com/mandated/mandated/internal/postgres"
	"github.com/mandated/mandated/pkg/etoegang"
)

// Revision numbers the changes of a register: 0 is the empty register, and every
// change takes the next number.
type Revision int64

// Tag is the random mark of a revision. Two registers that agree on a revision's
// number and tag agree on everything up to it; after a backup was restored the same
// numbers return with other tags.
type Tag [16]byte

// Stamp names what a register knew at a moment: a revision and its mark.
type Stamp struct {
	Revision Revision
	Tag      Tag
}

// Author is who makes a change and why. Both are required and are kept for good, so
// name a role or an account, not a person's particulars.
type Author struct{ Who, Why string }

// Options are what a process chooses about a register. The zero value is ready.
type Options struct {
	Now      func() time.Time // nil: time.Now
	ReadOnly bool             // opens it for reading only: every Change fails with ErrReadOnly

	// Standby opens a streaming replica, for reading only. What it shows is a register as
	// it was: its newest revision may be older than one that was acknowledged.
	Standby bool

	// Wait is how long a change waits while another process writes, before it fails
	// with ErrBusy. 0: five seconds.
	Wait time.Duration

	// Connections is how many connections to PostgreSQL there are at most, one of which
	// writes, and one of which follows the change feed if there are three or more. 0: sixteen.
	Connections int

	elsewhen bool // Now is another time than the database's, which only a test may want
}

// Register is an open register. It is safe for use by many goroutines: changes take
// turns, and reads run beside them and beside each other.
type Register struct {
	dialect dialect
	words   words
	now     func() time.Time
	writer  *writer // nil: read-only
	readers *readers

	entity etoegang.EntityID
	lease  time.Duration
	secret []byte
	party  []byte // key of the parties in the change feed
}

// Create makes a new register at a place, a path or a postgres:// address, and opens it.
// It refuses a place that has one (ErrExists), and a file that is anything. The name of
// the register, its lease (whole milliseconds) and the secret drawn here are fixed for
// its life. A database whose clock is not ours is refused as by Change (ErrClock).
//
// The store holds that secret and people's names. A file is made for its owner only; who
// may see a database is up to its administrator.
func Create(ctx context.Context, place string, entity etoegang.EntityID, lease time.Duration, o Options) (*Register, error) {
	shown := postgres.Shown(place)
	switch {
	case entity.Role() != etoegang.Register:
		return nil, fmt.Errorf("creating register %s: its EntityID must have role MR, like urn:etoegang:MR:<OIN>:entities:<index>", shown)
	case lease <= 0 || lease%time.Millisecond != 0:
		return nil, fmt.Errorf("creating register %s: the lease must be whole milliseconds, at least one", shown)
	case o.ReadOnly || o.Standby:
		return nil, fmt.Errorf("creating register %s: %w", shown, ErrReadOnly)
	}
	d := dialectOf(place, o)
	if err := d.found(ctx, func(db *sql.DB) error { return settle(ctx, d, db, entity, lease, clock(o)) }); err != nil {
		return nil, fmt.Errorf("creating register %s: %w", shown, d.explain(err))
	}
	return Open(ctx, place, o)
}

// settle writes the one row of settings and revision 0.
func settle(ctx context.Context, d dialect, db *sql.DB, entity etoegang.EntityID, lease time.Duration, clock func() time.Time) error {
	secret, tag := make([]byte, 32), make([]byte, 16)
	_, _ = rand.Read(secret) // never fails
	_, _ = rand.Read(tag)

	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	now := clock()
	var database int64
	if err := tx.QueryRowContext(ctx, `SELECT `+d.words().now).Scan(&database); err != nil {
		return err
	}
	if err := together(d.limits(), now, moment(database), clock()); err != nil {
		return err
	}
	for _, row := range []struct {
		insert string
		args   []any
	}{
		{`INSERT INTO register (one, entity, lease, secret, created) VALUES (1, ?1, ?2, ?3, ?4)`,
			[]any{entity.String(), lease.Milliseconds(), secret, now.UnixMilli()}},
		{`INSERT INTO revision (revision, tag, at, who, why) VALUES (0, ?1, ?2, 'mandated', 'register created')`,
			[]any{tag, now.UnixMilli()}},
		{`INSERT INTO head (one, revision) VALUES (1, 0)`, nil},
	} {
		if _, err := tx.ExecContext(ctx, d.words().placeholder(row.insert), row.args...); err != nil {
			return err
		}
	}
	return tx.Commit()
}

// Open opens the register at a place, a path or a postgres:// address, and brings an
// older schema up to date unless it is for reading only. It looks at a few rows only,
// however large the register is.
//
// It tells apart: nothing there (ErrMissing), something that is not a register
// (ErrNotRegister), one written by a newer program (ErrNewerSchema) or, read-only, by an
// older one (ErrOlderSchema), one that another process has locked (ErrBusy), and one that
// may not be written (ErrReadOnly). A database that is away, refuses us or is a standby
// is told in the words of package postgres.
func Open(ctx context.Context, place string, o Options) (*Register, error) {
	o.ReadOnly = o.ReadOnly || o.Standby
	d := dialectOf(place, o)
	r, err := open(ctx, d, o)
	if err != nil {
		return nil, fmt.Errorf("opening register %s: %w", postgres.Shown(place), d.explain(err))
	}
	return r, nil
}

func open(ctx context.Context, d dialect, o Options) (*Register, error) {
	reading, err := d.connect(ctx, forReading)
	if err != nil {
		return nil, err
	}
	r := &Register{dialect: d, words: d.words(), now: clock(o), readers: newReaders(reading, d)}
	if err := d.recognise(ctx, reading); err != nil {
		return nil, closing(r, err)
	}
	if !o.ReadOnly {
		if r.writer, err = newWriter(ctx, d); err != nil {
			return nil, closing(r, err)
		}
	}
	if err := r.prepare(ctx, reading); err != nil {
		return nil, closing(r, err)
	}
	if err := r.readers.warm(ctx); err != nil {
		return nil, closing(r, err)
	}
	return r, nil
}

// prepare checks the schema, now that it had its chance to be brought up to date,
// and reads what is fixed for life.
func (r *Register) prepare(ctx context.Context, db *sql.DB) error {
	if err := upToDate(ctx, r.dialect, db); err != nil {
		return err
	}
	var entity string
	var lease int64
	err := db.QueryRowContext(ctx, `SELECT entity, lease, secret FROM register`).Scan(&entity, &lease, &r.secret)
	if err == sql.ErrNoRows {
		return fmt.Errorf("%w: it was never completely created; remove it and create it again", ErrNotRegister)
	}
	if err != nil {
		return err
	}
	r.lease = time.Duration(lease) * time.Millisecond
	r.party = r.derive("party")
	r.entity, err = etoegang.ParseEntityID(entity)
	return err
}

// Close waits for the changes and reads that are under way and closes the register.
// Calls after it fail.
func (r *Register) Close() error {
	err := r.readers.close()
	if r.writer == nil {
		return err
	}
	if e := r.writer.close(); e != nil {
		err = e
	}
	return err
}

// Now is the moment by the clock that changes are written down with.
func (r *Register) Now() time.Time { return r.now() }

// EntityID is the register's name in the network.
func (r *Register) EntityID() etoegang.EntityID { return r.entity }

// Lease is how long a decision made from this register may be served again without
// asking whether the register has changed.
func (r *Register) Lease() time.Duration { return r.lease }

// Key gives 32 secret bytes for one purpose, the same for the register's whole life
// and different for every purpose and every register. It is HKDF-SHA256 of the
// register's secret.
func (r *Register) Key(purpose string) []byte { return r.derive("key for " + purpose) }

func (r *Register) derive(info string) []byte {
	key, err := hkdf.Key(sha256.New, r.secret, nil, "mandated register: "+info, 32)
	if err != nil {
		panic(err) // 32 bytes are never too many
	}
	return key
}

// clock gives the time as the register writes it down: UTC, whole milliseconds.
func clock(o Options) func() time.Time {
	now := o.Now
	if now == nil {
		now = time.Now
	}
	return func() time.Time { return now().UTC().Truncate(time.Millisecond) }
}

// closing closes what was opened so far and gives back the error that stopped it.
func closing(r *Register, err error) error {
	_ = r.Close()
	return err
}
