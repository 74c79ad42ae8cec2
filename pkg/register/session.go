package register

import (
	"context"
	"database/sql"
	"errors"
	"runtime"
	"sync"
)

// session is one connection and the statements prepared on it so far. It serves one
// goroutine at a time.
//
// Statements run without the caller's context: each is short, and a context that
// can end costs a goroutine per statement. Between statements the context counts.
type session struct {
	conn     *sql.Conn
	prepared map[string]*sql.Stmt
}

func newSession(ctx context.Context, db *sql.DB) (*session, error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	return &session{conn, map[string]*sql.Stmt{}}, nil
}

func (s *session) prepare(query string) (*sql.Stmt, error) {
	if statement, ok := s.prepared[query]; ok {
		return statement, nil
	}
	statement, err := s.conn.PrepareContext(context.Background(), query)
	if err == nil {
		s.prepared[query] = statement
	}
	return statement, err
}

// query runs a statement that gives rows.
func (s *session) query(query string, args ...any) (*sql.Rows, error) {
	statement, err := s.prepare(query)
	if err != nil {
		return nil, err
	}
	return statement.Query(args...)
}

// row runs a statement that gives at most one row, and reads it into dest. No row is
// sql.ErrNoRows.
func (s *session) row(dest []any, query string, args ...any) error {
	statement, err := s.prepare(query)
	if err != nil {
		return err
	}
	return statement.QueryRow(args...).Scan(dest...)
}

// exec runs a statement that gives nothing.
func (s *session) exec(query string, args ...any) error {
	statement, err := s.prepare(query)
	if err != nil {
		return err
	}
	_, err = statement.Exec(args...)
	return err
}

// rollback ends a transaction if one is open. SQLite may have ended it already.
func (s *session) rollback() { _ = s.exec(`ROLLBACK`) }

func (s *session) close() error {
	for _, statement := range s.prepared {
		_ = statement.Close()
	}
	return s.conn.Close()
}

// readers are the connections that read. The one used last is used first, because
// its statements are prepared and its pages warm.
type readers struct {
	db    *sql.DB
	slots chan struct{} // one per read under way

	mu     sync.Mutex
	idle   []*session
	closed bool
}

func newReaders(db *sql.DB) *readers {
	return &readers{db: db, slots: make(chan struct{}, max(8, 4*runtime.GOMAXPROCS(0)))}
}

// take gives a session, waiting for one while all are busy.
func (p *readers) take(ctx context.Context) (*session, error) {
	select {
	case p.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	s, err := p.pop(ctx)
	if err != nil {
		<-p.slots
	}
	return s, err
}

func (p *readers) pop(ctx context.Context) (*session, error) {
	p.mu.Lock()
	last := len(p.idle) - 1
	switch {
	case p.closed:
		p.mu.Unlock()
		return nil, ErrClosed
	case last >= 0:
		s := p.idle[last]
		p.idle = p.idle[:last]
		p.mu.Unlock()
		return s, nil
	}
	p.mu.Unlock()
	return newSession(ctx, p.db)
}

// give takes a session back.
func (p *readers) give(s *session) {
	p.mu.Lock()
	p.idle = append(p.idle, s)
	p.mu.Unlock()
	<-p.slots
}

// close waits for the reads under way and closes all connections.
func (p *readers) close() error {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	for range cap(p.slots) {
		p.slots <- struct{}{}
	}
	var errs []error
	for _, s := range p.idle {
		errs = append(errs, s.close())
	}
	p.idle = nil
	errs = append(errs, p.db.Close())
	for range cap(p.slots) {
		<-p.slots
	}
	return errors.Join(errs...)
}

// writer is the one connection that writes.
type writer struct {
	db      *sql.DB
	session *session
	turn    chan struct{} // full while somebody writes
	closed  bool          // owned by whoever has the turn
}

// newWriter opens the register for writing and brings its schema up to date.
func newWriter(ctx context.Context, path string, o Options) (*writer, error) {
	db, err := connect(path, forWriting, o)
	if err != nil {
		return nil, err
	}
	w := &writer{db: db, turn: make(chan struct{}, 1)}
	if err := w.open(ctx); err != nil {
		_ = db.Close()
		return nil, err
	}
	return w, nil
}

func (w *writer) open(ctx context.Context) error {
	found, known, err := schemaVersions(ctx, w.db)
	if err != nil {
		return err
	}
	if found < known {
		if err := migrate(ctx, w.db); err != nil {
			return err
		}
	}
	w.session, err = newSession(ctx, w.db)
	return err
}

// take waits for the turn to write.
func (w *writer) take(ctx context.Context) (*session, error) {
	select {
	case w.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if w.closed {
		<-w.turn
		return nil, ErrClosed
	}
	return w.session, nil
}

// give ends the turn.
func (w *writer) give() { <-w.turn }

func (w *writer) close() error {
	w.turn <- struct{}{}
	defer w.give()
	if w.closed {
		return nil
	}
	w.closed = true
	return errors.Join(w.session.close(), w.db.Close())
}
