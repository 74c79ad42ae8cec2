package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"

	"github.com/mandated/mandated/internal/schema"
)

// Migrate brings a schema up to date: it takes the numbered steps that the database does
// not have yet, each in one transaction, and notes them in the table named. Nodes may
// start together: one takes the steps and the others wait for it. It leaves a newer
// schema alone.
func Migrate(ctx context.Context, db *sql.DB, steps fs.FS, table string) error {
	p, err := provider(db, steps, table)
	if err != nil {
		return err
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("bringing the schema up to date: %w", Explain(err))
	}
	return nil
}

// Versions gives the number of the last step that the database has, 0 if it has none, and
// of the last that this program knows. It only reads.
func Versions(ctx context.Context, db *sql.DB, steps fs.FS, table string) (found, known int64, err error) {
	p, err := provider(db, steps, table)
	if err != nil {
		return 0, 0, err
	}
	for _, step := range p.ListSources() {
		known = max(known, step.Version)
	}
	var exists bool
	if err := db.QueryRowContext(ctx, `SELECT to_regclass($1) IS NOT NULL`, table).Scan(&exists); err != nil || !exists {
		return 0, known, Explain(err)
	}
	err = db.QueryRowContext(ctx, `SELECT coalesce(max(version_id), 0) FROM `+table+` WHERE is_applied`).Scan(&found)
	return found, known, Explain(err)
}

func provider(db *sql.DB, steps fs.FS, table string) (*goose.Provider, error) {
	return schema.Provider(goose.DialectPostgres, db, steps, goose.WithTableName(table), goose.WithSessionLocker(turn{table}))
}

// turn is the turn to change one schema: an advisory lock, which the database gives back
// by itself when the session ends.
type turn struct{ table string }

// theTurn is for this schema only: another room's may be brought up to date meanwhile.
const theTurn = `hashtextextended('mandated schema ' || current_schema() || '.' || $1, 0)`

// SessionLock waits for the turn. A step may take as long as it needs, unlike a question.
func (t turn) SessionLock(ctx context.Context, conn *sql.Conn) error {
	const patient = `SET statement_timeout = 0; SET lock_timeout = '60s'; SET idle_in_transaction_session_timeout = 0`
	if _, err := conn.ExecContext(ctx, patient); err != nil {
		return err
	}
	_, err := conn.ExecContext(ctx, `SELECT pg_advisory_lock(`+theTurn+`)`, t.table)
	return err
}

// SessionUnlock gives the turn back, and the session its usual manners.
func (t turn) SessionUnlock(ctx context.Context, conn *sql.Conn) error {
	_, err := conn.ExecContext(ctx, `SELECT pg_advisory_unlock(`+theTurn+`)`, t.table)
	_, again := conn.ExecContext(ctx, `RESET statement_timeout; RESET lock_timeout; RESET idle_in_transaction_session_timeout`)
	return errors.Join(err, again)
}
