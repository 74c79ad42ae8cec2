package register

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// A commit whose answer never came may have been made or not. The revision and its tag
// tell, as soon as the database can be asked again.

// lookFor is how long the database may take to come back.
const lookFor = 10 * time.Second

// look finds out whether the change was made whose commit failed with the connection. It
// gives nil if it was, why it was not, or ErrUncertain if there is nobody to ask.
func (t *Tx) look(ctx context.Context, why error) error {
	ctx, cancel := context.WithTimeout(ctx, lookFor)
	defer cancel()
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	for {
		made, err := t.made(ctx)
		switch {
		case err == nil && made:
			return nil
		case err == nil:
			return fmt.Errorf("nothing was changed: %w", why)
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			return fmt.Errorf("%w: %w (%w)", ErrUncertain, why, err)
		}
	}
}

// made asks on a new connection. It waits for the lock on the head, which our own
// transaction holds for as long as the database has not settled it. And it believes what
// it saw only after a commit of its own: where a standby must have every commit, ours
// may be seen when the wait for the standby was cut off with the connection, but nothing
// that commits later returns before the standby has both.
func (t *Tx) made(ctx context.Context) (made bool, err error) {
	s := newSession(t.view.session.db, t.view.session.dialect)
	defer s.drop()
	err = s.use(ctx, func() (err error) {
		made, err = t.seen(ctx, s)
		return err
	})
	if err == nil {
		err = s.commit()
	}
	return made, err
}

// seen tells whether our revision is there, with our tag.
func (t *Tx) seen(ctx context.Context, s *session) (bool, error) {
	if err := s.begin(ctx, t.view.register.words.change); err != nil {
		return false, err
	}
	var head Revision
	if err := s.rowWithin(ctx, []any{&head}, `SELECT revision FROM head FOR UPDATE`); err != nil {
		return false, err
	}
	var tag []byte
	err := s.row([]any{&tag}, `SELECT tag FROM revision WHERE revision = ?1`, t.view.revision)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil && Tag(tag) == t.view.tag, err
}
