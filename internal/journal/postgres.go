package journal

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/mandated/mandated/internal/group"
	"github.com/mandated/mandated/internal/postgres"
)

//go:embed schema/postgres/*.sql
var schema embed.FS

// schemaTable is where the steps of our schema are noted that a database has.
const schemaTable = "journal_schema"

// patience is how long a group is tried when the database is lost meanwhile.
const patience = 10 * time.Second

// postgresStore is a journal in a PostgreSQL database, whose other tables it does not
// know.
type postgresStore struct{ tables }

func openPostgres(ctx context.Context, place string, readOnly bool) (store, error) {
	s, err := connect(ctx, place, readOnly)
	if err != nil {
		return nil, fmt.Errorf("opening journal %s: %w", postgres.Shown(place), err)
	}
	return s, nil
}

func connect(ctx context.Context, place string, readOnly bool) (*postgresStore, error) {
	o := postgres.Options{Connections: 4}
	if readOnly {
		// Who only reads may ask a standby, and may ask for years at once.
		o.ReadOnly, o.Standby, o.Settings = true, true, map[string]string{"statement_timeout": "1h"}
	}
	db, err := postgres.Open(ctx, place, o)
	if err != nil {
		return nil, err
	}
	s := &postgresStore{tables{db, "journal_", `SELECT n::bigint FROM json_array_elements_text($1) AS listed (n)`, `position($1::bytea IN body) > 0`, postgres.Explain}}
	if err := s.prepare(ctx, readOnly); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return s, nil
}

// prepare makes the tables unless only reading, and refuses those of another release.
func (s *postgresStore) prepare(ctx context.Context, readOnly bool) error {
	steps, err := fs.Sub(schema, "schema/postgres")
	if err != nil {
		return err
	}
	if !readOnly {
		if err := postgres.Migrate(ctx, s.db, steps, schemaTable); err != nil {
			return err
		}
	}
	found, known, err := postgres.Versions(ctx, s.db, steps, schemaTable)
	switch {
	case err != nil:
		return err
	case found == 0:
		return fmt.Errorf("the database holds no journal: %w", fs.ErrNotExist)
	case found > known:
		return fmt.Errorf("the journal was written by a newer release: schema version %d, this release knows %d", found, known)
	case found < known:
		return fmt.Errorf("the journal's schema version is %d, this release reads %d: open it for writing first", found, known)
	}
	return nil
}

func (s *postgresStore) append(ctx context.Context, now time.Time, entries []*entry) (last int64, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	again := false
	err = group.Again(ctx, postgres.Passing, func() error {
		last, err = s.appendOnce(ctx, now, entries, again)
		again = true
		return err
	})
	return last, postgres.Explain(err)
}

// appendOnce is one try. A record that is there with the same body is our own when we
// have tried before: the answer was lost and not the record.
func (s *postgresStore) appendOnce(ctx context.Context, now time.Time, entries []*entry, again bool) (last int64, err error) {
	ids, bodies := make([]string, len(entries)), make([][]byte, len(entries))
	for i, e := range entries {
		ids[i], bodies[i] = e.id, notNull(e.body)
	}
	rows, err := s.db.QueryContext(ctx, `SELECT place, outcome FROM journal_append($1, $2, $3)`, ids, now.UnixMilli(), bodies)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	for i := 0; rows.Next(); i++ {
		var place int64
		var outcome string
		if err := rows.Scan(&place, &outcome); err != nil {
			return 0, err
		}
		entries[i].taken = outcome == "taken" || outcome == "same" && !again
		last = max(last, place)
	}
	return last, rows.Err()
}

func (s *postgresStore) sign(ctx context.Context, c *Checkpoint) error {
	return postgres.Explain(s.insertCheckpoint(s.executor(ctx, s.db), c))
}

// The lock keeps two that retire apart, and nobody else.
func (s *postgresStore) retire(ctx context.Context, stub *Stub) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return postgres.Explain(err)
	}
	defer func() { _ = tx.Rollback() }()
	if _, err := tx.ExecContext(ctx, `LOCK TABLE journal_retired IN SHARE ROW EXCLUSIVE MODE`); err != nil {
		return postgres.Explain(err)
	}
	if err := s.retireRecords(s.executor(ctx, tx), stub); err != nil {
		return postgres.Explain(err)
	}
	return postgres.Explain(tx.Commit())
}

// follow is one statement, so that no lock is held while a program thinks. What is kept
// depends on the mark's having moved, which is therefore done first.
func (s *postgresStore) follow(ctx context.Context, from, to mark, uses []Use) (moved bool, err error) {
	mandates, ats, sequences, services := make([]int64, len(uses)), make([]int64, len(uses)), make([]int64, len(uses)), make([]string, len(uses))
	for i, u := range uses {
		mandates[i], ats[i], sequences[i], services[i] = int64(u.Mandate), millis(u.At), u.Sequence, u.Service
	}
	err = s.db.QueryRowContext(ctx, s.in(`WITH moved AS (`+moveMark+` RETURNING one), kept AS (
			INSERT INTO @uses (mandate, at, sequence, service)
			SELECT * FROM unnest($5::bigint[], $6::bigint[], $7::bigint[], $8::text[]) WHERE EXISTS (SELECT 1 FROM moved) `+keepLater+`)
		SELECT EXISTS (SELECT 1 FROM moved)`),
		from.sequence, to.sequence, millis(to.at), millis(to.since), mandates, ats, sequences, services).Scan(&moved)
	return moved, postgres.Explain(err)
}

type runner interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

func (s *postgresStore) executor(ctx context.Context, r runner) executor {
	return func(query string, args ...any) (int64, error) {
		result, err := r.ExecContext(ctx, query, args...)
		if err != nil {
			return 0, err
		}
		return result.RowsAffected()
	}
}

// end is what the head says, if it agrees with the records; else the greater of the two.
func (s *postgresStore) end(ctx context.Context) (link, error) {
	var l link
	var hash []byte
	var last int64
	err := s.db.QueryRowContext(ctx, `SELECT sequence, hash, (SELECT coalesce(max(sequence), 0) FROM journal_records)
		FROM journal_head`).Scan(&l.sequence, &hash, &last)
	if l, err = l.read(hash, err); err != nil {
		return l, postgres.Explain(err)
	}
	if l.sequence != last {
		l.sequence = max(l.sequence, last)
		err = broken(l.sequence, "is not both the last and the one that the head names")
	}
	return l, err
}

func (s *postgresStore) close() error { return s.db.Close() }
