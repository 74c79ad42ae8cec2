package register

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"regexp"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/mandated/mandated/internal/postgres"
)

// server is a register in a PostgreSQL database, in the schema that is current there.
// The database may hold other rooms' tables beside it.
type server struct {
	place string
	o     Options
}

var _ dialect = (*server)(nil)

// schemaTable is where goose notes what it has done.
const schemaTable = "register_schema"

// defaultConnections is how many connections a process has if nobody says otherwise.
const defaultConnections = 16

// inItsWords gives a statement as PostgreSQL reads it: ?1 is $1.
func inItsWords(query string) string { return parameter.ReplaceAllString(query, `$$$1`) }

var parameter = regexp.MustCompile(`\?([0-9]+)`)

// words: a change reads what is committed when each statement begins, so that after it
// has waited for its turn it sees what the others did.
//
// A read needs no transaction. It begins by learning the newest revision, and the rows
// known at a revision are the same for ever: later changes add rows with a later `since`,
// and set `until` only to a later revision. So single statements, one after the other,
// show one moment, each costs one round trip, and no reader holds up the cleaning of old
// rows.
func (p *server) words() words {
	return words{
		change:      `BEGIN ISOLATION LEVEL READ COMMITTED, READ WRITE`,
		now:         `CAST(floor(extract(epoch FROM clock_timestamp()) * 1000) AS bigint)`,
		placeholder: inItsWords,
	}
}

func (p *server) line(conn *sql.Conn) line {
	return &serverLine{conn: conn, text: map[string]string{}, batch: &pgx.Batch{}}
}

// limits: one connection writes, the others read. What the database itself does not end
// in time (ten seconds) has lost its database.
func (p *server) limits() limits {
	l := limits{reads: max(1, p.connections()-1), patience: 15 * time.Second, lifetime: 30 * time.Minute, skew: MostSkew}
	if p.o.elsewhen {
		l.skew = 0
	}
	return l
}

func (p *server) connections() int {
	if p.o.Connections == 0 {
		return defaultConnections
	}
	return p.o.Connections
}

// planning leaves nothing to the statistics of the moment. Every question of ours finds
// few rows by an index, then what belongs to each, in the order in which its joins are
// written. That is the plan of all of them, made once for each connection: the same on an
// empty register, after an import and before anybody has gathered statistics.
var planning = map[string]string{
	"plan_cache_mode":                 "force_generic_plan",
	"join_collapse_limit":             "1",
	"enable_seqscan":                  "off",
	"enable_hashjoin":                 "off",
	"enable_mergejoin":                "off",
	"enable_material":                 "off",
	"jit":                             "off",
	"max_parallel_workers_per_gather": "0",
}

// connect also greets the database, so that a database that is away is told at once.
func (p *server) connect(ctx context.Context, u use) (*sql.DB, error) {
	o := postgres.Options{Connections: 2, Wait: p.o.wait(), Settings: planning}
	if u == forReading {
		o.Connections, o.ReadOnly, o.Standby = p.limits().reads, true, p.o.Standby
	}
	return postgres.Open(ctx, p.place, o)
}

// found goes on where an earlier attempt was cut off: before the last step there is
// nothing that passes for a register.
func (p *server) found(ctx context.Context, write func(*sql.DB) error) error {
	db, err := p.connect(ctx, forFounding)
	if err != nil {
		return err
	}
	defer db.Close()
	if err := p.vacant(ctx, db); err != nil {
		return err
	}
	if err := p.migrate(ctx, db); err != nil {
		return err
	}
	if err := upToDate(ctx, p, db); err != nil {
		return err
	}
	if err := write(db); err != nil {
		if taken := p.vacant(ctx, db); taken != nil {
			return taken // somebody else was quicker
		}
		return err
	}
	return nil
}

// vacant tells whether a register can be made here.
func (p *server) vacant(ctx context.Context, db *sql.DB) error {
	switch err := p.recognise(ctx, db); {
	case err == nil:
		return ErrExists
	case !errors.Is(err, ErrMissing):
		return err
	}
	var encoding string
	if err := db.QueryRowContext(ctx, `SHOW server_encoding`).Scan(&encoding); err != nil {
		return err
	}
	if encoding != "UTF8" {
		return fmt.Errorf("the encoding of the database is %s: make one with ENCODING 'UTF8'", encoding)
	}
	return nil
}

// recognise: a register is a schema of ours with its row of settings in it.
func (p *server) recognise(ctx context.Context, db *sql.DB) error {
	var ours, named, settled bool
	err := db.QueryRowContext(ctx, `SELECT to_regclass($1) IS NOT NULL, to_regclass('register') IS NOT NULL`, schemaTable).Scan(&ours, &named)
	switch {
	case err != nil:
		return err
	case named && !ours:
		return ErrNotRegister
	case !named:
		return ErrMissing
	}
	err = db.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM register)`).Scan(&settled)
	if err == nil && !settled {
		return ErrMissing
	}
	return err
}

func (p *server) migrate(ctx context.Context, db *sql.DB) error {
	return postgres.Migrate(ctx, db, steps("postgres"), schemaTable)
}

func (p *server) versions(ctx context.Context, db *sql.DB) (found, known int64, err error) {
	return postgres.Versions(ctx, db, steps("postgres"), schemaTable)
}

// explain prefers the register's own words to those of any database.
func (p *server) explain(err error) error {
	explained := postgres.Explain(err)
	for theirs, ours := range map[error]error{
		postgres.ErrBusy:     ErrBusy,
		postgres.ErrFull:     ErrFull,
		postgres.ErrReadOnly: ErrReadOnly,
		postgres.ErrMissing:  ErrMissing,
	} {
		if errors.Is(explained, theirs) && !errors.Is(err, ours) {
			return fmt.Errorf("%w (%w)", ours, err)
		}
	}
	return explained
}

func (p *server) lost(err error) bool { return postgres.Lost(err) }
