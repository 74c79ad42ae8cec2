package register

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

// line is the way to a database over one connection: it takes statements as we write
// them and brings back rows.
type line interface {
	// rows runs a statement, reads each row it gives into dest, and calls fn after each.
	// It is failed if the database did, and stopped with what fn returned.
	rows(ctx context.Context, dest []any, fn func() error, query string, args []any) (failed, stopped error)

	// exec runs a statement that gives nothing. It may be put off until the next rows or
	// flush, which then also tells how it went.
	exec(ctx context.Context, query string, args []any) error
	flush(ctx context.Context) error

	// rollback forgets what was put off and ends the transaction.
	rollback(ctx context.Context) error

	close()
}

// fileLine runs prepared statements one by one: in a file parsing costs as much as
// running, and nothing is far away.
type fileLine struct {
	conn     *sql.Conn
	prepared map[string]*sql.Stmt
}

func (l *fileLine) prepare(ctx context.Context, query string) (*sql.Stmt, error) {
	if statement, ok := l.prepared[query]; ok {
		return statement, nil
	}
	statement, err := l.conn.PrepareContext(ctx, query)
	if err == nil {
		l.prepared[query] = statement
	}
	return statement, err
}

func (l *fileLine) rows(ctx context.Context, dest []any, fn func() error, query string, args []any) (failed, stopped error) {
	statement, err := l.prepare(ctx, query)
	if err != nil {
		return err, nil
	}
	rows, err := statement.QueryContext(ctx, args...)
	if err != nil {
		return err, nil
	}
	defer rows.Close()
	for rows.Next() {
		if err := rows.Scan(dest...); err != nil {
			return err, nil
		}
		if err := fn(); err != nil {
			return nil, err
		}
	}
	return rows.Err(), nil
}

func (l *fileLine) exec(ctx context.Context, query string, args []any) error {
	statement, err := l.prepare(ctx, query)
	if err == nil {
		_, err = statement.ExecContext(ctx, args...)
	}
	return err
}

func (l *fileLine) flush(context.Context) error { return nil }

func (l *fileLine) rollback(ctx context.Context) error { return l.exec(ctx, `ROLLBACK`, nil) }

func (l *fileLine) close() {
	for _, statement := range l.prepared {
		_ = statement.Close()
	}
}

// serverLine speaks to PostgreSQL past database/sql, whose connection it borrows: pgx
// prepares each statement once for the connection, and can send several for the price of
// one round trip. So statements that give nothing are put off until somebody waits.
type serverLine struct {
	conn  *sql.Conn
	text  map[string]string // statements with their parameters as PostgreSQL wants them
	batch *pgx.Batch        // what is put off
}

// mostPutOff bounds what is put off.
const mostPutOff = 256

// on runs fn on the connection.
func (l *serverLine) on(fn func(*pgx.Conn) error) error {
	return l.conn.Raw(func(its any) error { return fn(its.(*stdlib.Conn).Conn()) })
}

func (l *serverLine) say(query string) string {
	text, known := l.text[query]
	if !known {
		text = inItsWords(query)
		l.text[query] = text
	}
	return text
}

func (l *serverLine) rows(ctx context.Context, dest []any, fn func() error, query string, args []any) (failed, stopped error) {
	failed = l.on(func(conn *pgx.Conn) error {
		rows, done, err := l.query(ctx, conn, query, args)
		if err != nil {
			return err
		}
		defer done()
		defer rows.Close()
		for rows.Next() {
			if err := rows.Scan(dest...); err != nil {
				return err
			}
			if stopped = fn(); stopped != nil {
				return nil
			}
		}
		return rows.Err()
	})
	return failed, stopped
}

// query runs a statement, after what was put off. done ends it once its rows are read.
func (l *serverLine) query(ctx context.Context, conn *pgx.Conn, query string, args []any) (rows pgx.Rows, done func(), err error) {
	if l.batch.Len() == 0 {
		rows, err = conn.Query(ctx, l.say(query), args...)
		return rows, func() {}, err
	}
	l.batch.Queue(l.say(query), args...)
	results, err := l.send(ctx, conn, l.batch.Len()-1)
	if err != nil {
		return nil, nil, err
	}
	if rows, err = results.Query(); err != nil {
		_ = results.Close()
	}
	return rows, func() { _ = results.Close() }, err
}

// send sends all that was put off and awaits the first n results.
func (l *serverLine) send(ctx context.Context, conn *pgx.Conn, n int) (pgx.BatchResults, error) {
	results := conn.SendBatch(ctx, l.batch)
	l.batch = &pgx.Batch{}
	for range n {
		if _, err := results.Exec(); err != nil {
			_ = results.Close()
			return nil, err
		}
	}
	return results, nil
}

func (l *serverLine) exec(ctx context.Context, query string, args []any) error {
	l.batch.Queue(l.say(query), args...)
	if l.batch.Len() < mostPutOff {
		return nil
	}
	return l.flush(ctx)
}

func (l *serverLine) flush(ctx context.Context) error {
	if l.batch.Len() == 0 {
		return nil
	}
	return l.on(func(conn *pgx.Conn) error {
		results, err := l.send(ctx, conn, l.batch.Len())
		if err != nil {
			return err
		}
		return results.Close()
	})
}

func (l *serverLine) rollback(ctx context.Context) error {
	l.batch = &pgx.Batch{}
	return l.on(func(conn *pgx.Conn) error {
		if _, err := conn.PgConn().Exec(ctx, `ROLLBACK`).ReadAll(); err != nil {
			return fmt.Errorf("%w: %w", driver.ErrBadConn, err) // nobody knows what it would do next
		}
		return nil
	})
}

func (l *serverLine) close() {}
