package register

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"sync"
	"time"
)

// session is one connection and what it is used for at the moment. It serves one
// goroutine at a time.
//
// Statements run without the caller's context: each is short, and in a file a context
// that can end costs more than the statement. Between statements the context counts; and
// where there is a wire that can go silent, no statement outlives the caller's deadline.
// A statement that is cut off takes the connection with it.
type session struct {
	db       *sql.DB
	dialect  dialect
	limits   limits
	conn     *sql.Conn // nil: none yet
	line     line      // over conn
	born     time.Time
	deadline time.Time // the caller's; zero: none
	open     bool      // a transaction may be open
	lost     bool      // the connection broke
}

func newSession(db *sql.DB, d dialect) *session {
	return &session{db: db, dialect: d, limits: d.limits()}
}

// use makes the session the caller's and tries what he begins with. When that shows that
// a connection made earlier has broken meanwhile, as all have when the database was
// restarted, it is tried once more on a new one.
func (s *session) use(ctx context.Context, try func() error) error {
	s.deadline, _ = ctx.Deadline()
	fresh := s.conn == nil
	for {
		if err := s.connect(ctx); err != nil {
			return err
		}
		err := try()
		if err == nil || fresh || !s.lost || ctx.Err() != nil {
			return err
		}
		fresh = true
	}
}

// connect makes a connection if there is none, or none that works.
func (s *session) connect(ctx context.Context) error {
	if s.conn != nil && !s.lost {
		return nil
	}
	s.drop()
	conn, err := s.db.Conn(ctx)
	if err != nil {
		return err
	}
	s.conn, s.line, s.born = conn, s.dialect.line(conn), time.Now()
	return nil
}

// drop throws the connection away, and with it whatever state it was in.
func (s *session) drop() {
	if s.conn != nil {
		_ = s.conn.Raw(func(any) error { return driver.ErrBadConn })
	}
	s.conn, s.line, s.open, s.lost = nil, nil, false, false
}

// worn tells whether the connection should not be used again.
func (s *session) worn() bool {
	return s.conn == nil || s.lost || s.limits.lifetime > 0 && time.Since(s.born) > s.limits.lifetime
}

// patience gives the context of one statement, within another.
func (s *session) patience(ctx context.Context) (context.Context, context.CancelFunc) {
	if s.limits.patience == 0 {
		return ctx, func() {}
	}
	deadline := time.Now().Add(s.limits.patience)
	if !s.deadline.IsZero() && s.deadline.Before(deadline) {
		deadline = s.deadline
	}
	return context.WithDeadline(ctx, deadline)
}

// note remembers when an error took the connection with it.
func (s *session) note(err error) error {
	if err != nil && err != sql.ErrNoRows && s.dialect.lost(err) {
		s.lost = true
	}
	return err
}

// rows runs a statement, reads each row it gives into dest, and calls fn after each.
func (s *session) rows(dest []any, fn func() error, query string, args ...any) (failed, stopped error) {
	return s.rowsWithin(context.Background(), dest, fn, query, args)
}

// rowsWithin is rows for a statement that waits for others, for as long as ctx lasts.
func (s *session) rowsWithin(ctx context.Context, dest []any, fn func() error, query string, args []any) (failed, stopped error) {
	ctx, done := s.patience(ctx)
	defer done()
	failed, stopped = s.line.rows(ctx, dest, fn, query, args)
	return s.note(failed), stopped
}

// row runs a statement that gives at most one row, and reads it into dest. No row is
// sql.ErrNoRows.
func (s *session) row(dest []any, query string, args ...any) error {
	return s.rowWithin(context.Background(), dest, query, args...)
}

// rowWithin is row for a statement that waits for others.
func (s *session) rowWithin(ctx context.Context, dest []any, query string, args ...any) error {
	found := false
	err, _ := s.rowsWithin(ctx, dest, func() error { found = true; return nil }, query, args)
	if err == nil && !found {
		return sql.ErrNoRows
	}
	return err
}

// exec runs a statement that gives nothing. How it went may be told later: by what is
// asked next, or by the commit.
func (s *session) exec(query string, args ...any) error {
	ctx, done := s.patience(context.Background())
	defer done()
	return s.note(s.line.exec(ctx, query, args))
}

// begin opens a transaction, if the statement that does so is not empty. ctx may end the
// wait for it.
func (s *session) begin(ctx context.Context, statement string) error {
	if statement == "" {
		return nil
	}
	ctx, done := s.patience(ctx)
	defer done()
	s.open = true
	return s.note(s.line.exec(ctx, statement, nil))
}

// commit ends the transaction for good. It takes its own time: when the caller's is up,
// it is too late to stop.
func (s *session) commit() error {
	s.deadline = time.Time{}
	ctx, done := s.patience(context.Background())
	defer done()
	err := s.line.exec(ctx, `COMMIT`, nil)
	if err == nil {
		err = s.line.flush(ctx)
	}
	s.open = err != nil
	return s.note(err)
}

// rollback ends a transaction if one is open. The database may have ended it already.
func (s *session) rollback() {
	if s.open && !s.lost {
		s.deadline = time.Time{}
		ctx, done := s.patience(context.Background())
		defer done()
		_ = s.note(s.line.rollback(ctx))
	}
	s.open = false
}

func (s *session) close() error {
	if s.conn == nil {
		return nil
	}
	s.line.close()
	return s.conn.Close()
}

// readers are the connections that read. The one used last is used first, because its
// statements are prepared and its pages warm.
type readers struct {
	db      *sql.DB
	dialect dialect
	slots   chan struct{} // one per read under way
	polls   chan struct{} // the same for polls of the change feed: reads must not hold them up

	mu     sync.Mutex
	idle   []*session
	closed bool
}

// newReaders keeps one connection for polls if there are two.
func newReaders(db *sql.DB, d dialect) *readers {
	p := &readers{db: db, dialect: d}
	if n := d.limits().reads; n > 1 {
		p.slots, p.polls = make(chan struct{}, n-1), make(chan struct{}, 1)
	} else {
		p.slots = make(chan struct{}, 1)
		p.polls = p.slots
	}
	return p
}

// warm makes the first session. From then on no connection lies about that could have
// broken unnoticed: each belongs to a session, which looks after it.
func (p *readers) warm(ctx context.Context) error {
	s := newSession(p.db, p.dialect)
	if err := s.connect(ctx); err != nil {
		return err
	}
	p.idle = append(p.idle, s)
	p.db.SetMaxIdleConns(0)
	return nil
}

// take gives a session, waiting for one while all slots are taken.
func (p *readers) take(ctx context.Context, slots chan struct{}) (*session, error) {
	select {
	case slots <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	s, err := p.pop()
	if err != nil {
		<-slots
	}
	return s, err
}

func (p *readers) pop() (*session, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	last := len(p.idle) - 1
	switch {
	case p.closed:
		return nil, ErrClosed
	case last < 0:
		return newSession(p.db, p.dialect), nil
	}
	s := p.idle[last]
	p.idle = p.idle[:last]
	return s, nil
}

// give takes a session back, and keeps it if it is still good.
func (p *readers) give(s *session, slots chan struct{}) {
	if s.worn() {
		s.drop()
	} else {
		p.mu.Lock()
		p.idle = append(p.idle, s)
		p.mu.Unlock()
	}
	<-slots
}

// close waits for the reads under way and closes all connections.
func (p *readers) close() error {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	defer p.all()()
	var errs []error
	for _, s := range p.idle {
		errs = append(errs, s.close())
	}
	p.idle = nil
	errs = append(errs, p.db.Close())
	return errors.Join(errs...)
}

// all waits until nobody reads, and keeps it so until it is told to let go.
func (p *readers) all() (letGo func()) {
	kinds := []chan struct{}{p.slots}
	if p.polls != p.slots {
		kinds = append(kinds, p.polls)
	}
	for _, slots := range kinds {
		for range cap(slots) {
			slots <- struct{}{}
		}
	}
	return func() {
		for _, slots := range kinds {
			for range cap(slots) {
				<-slots
			}
		}
	}
}

// writer is the one connection that writes.
type writer struct {
	session *session
	turn    chan struct{} // full while somebody writes
	closed  bool          // owned by whoever has the turn
}

// newWriter opens the register for writing and brings its schema up to date.
func newWriter(ctx context.Context, d dialect) (*writer, error) {
	db, err := d.connect(ctx, forWriting)
	if err != nil {
		return nil, err
	}
	found, known, err := d.versions(ctx, db)
	if err == nil && found < known {
		err = d.migrate(ctx, db)
	}
	w := &writer{session: newSession(db, d), turn: make(chan struct{}, 1)}
	if err == nil {
		err = w.session.connect(ctx)
	}
	if err != nil {
		_ = db.Close()
		return nil, err
	}
	db.SetMaxIdleConns(0) // see readers.warm
	return w, nil
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
func (w *writer) give() {
	if w.session.worn() {
		w.session.drop()
	}
	<-w.turn
}

func (w *writer) close() error {
	w.turn <- struct{}{}
	defer func() { <-w.turn }()
	if w.closed {
		return nil
	}
	w.closed = true
	return errors.Join(w.session.close(), w.session.db.Close())
}
