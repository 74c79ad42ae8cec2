package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
)

// Tx is the writer's connection inside a transaction. It keeps the statements it
// has prepared, because parsing SQL costs as much as running it here.
type Tx struct {
	conn     *sql.Conn
	prepared map[string]*sql.Stmt
}

func (t *Tx) run(do func(*Tx) error) error {
	if _, err := t.Exec("BEGIN IMMEDIATE"); err != nil {
		return err
	}
	if err := do(t); err != nil {
		return err
	}
	_, err := t.Exec("COMMIT")
	return err
}

// Exec runs a statement and tells how many rows it changed.
func (t *Tx) Exec(query string, args ...any) (int64, error) {
	s, err := t.prepare(query)
	if err != nil {
		return 0, err
	}
	result, err := s.ExecContext(context.Background(), args...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// Row runs a query that gives at most one row, and puts it into dest. No row is
// sql.ErrNoRows.
func (t *Tx) Row(query string, args []any, dest ...any) error {
	s, err := t.prepare(query)
	if err != nil {
		return err
	}
	return s.QueryRowContext(context.Background(), args...).Scan(dest...)
}

func (t *Tx) prepare(query string) (*sql.Stmt, error) {
	if s := t.prepared[query]; s != nil {
		return s, nil
	}
	s, err := t.conn.PrepareContext(context.Background(), query)
	if err == nil {
		t.prepared[query] = s
	}
	return s, err
}

// discard closes the connection for good. A transaction that was open in it is
// rolled back by that.
func (t *Tx) discard() {
	for _, s := range t.prepared {
		_ = s.Close()
	}
	_ = t.conn.Raw(func(any) error { return driver.ErrBadConn })
}
