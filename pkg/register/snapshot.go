package register

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// Snapshot is the register as it was known at one revision. Every answer taken from
// one snapshot belongs together, whatever is written meanwhile. It is for the
// function it was given to, and for one goroutine.
type Snapshot struct {
	register  *Register
	session   *session // nil once the snapshot has ended
	ctx       context.Context
	failed    error // the first failure of the database, which ends the snapshot
	revision  Revision
	earlier   bool // it may not be the newest
	tag       Tag
	catalogue int64

	// Within a change: what it knows, and what writes what it has put off. Else nil.
	memory *memory
	before func() error
}

// Read runs fn against the newest revision. The snapshot begins after Read was
// called, so it holds every change acknowledged before. It never waits for a change
// under way, only for its turn when very many reads run at once. ctx is looked at
// between questions.
func (r *Register) Read(ctx context.Context, fn func(*Snapshot) error) error {
	return r.read(ctx, r.readers.slots, fn, snapshotNow)
}

// ReadAt runs fn against an earlier revision: the same questions, answered with what
// was known then. ErrNotFound: there is no such revision.
func (r *Register) ReadAt(ctx context.Context, rev Revision, fn func(*Snapshot) error) error {
	return r.read(ctx, r.readers.slots, func(s *Snapshot) error { s.earlier = true; return fn(s) }, snapshotAt, rev)
}

const (
	snapshotNow = `
		SELECT r.revision, r.tag, coalesce((SELECT max(sequence) FROM catalogue_version), 0)
		FROM head h JOIN revision r ON r.revision = h.revision`
	snapshotAt = `
		SELECT r.revision, r.tag, coalesce((SELECT max(sequence) FROM catalogue_version WHERE since <= r.revision), 0)
		FROM revision r WHERE r.revision = ?1`
)

func (r *Register) read(ctx context.Context, slots chan struct{}, fn func(*Snapshot) error, which string, args ...any) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	session, err := r.readers.take(ctx, slots)
	if err != nil {
		return fmt.Errorf("reading the register: %w", r.dialect.explain(err))
	}
	defer r.readers.give(session, slots)
	defer session.rollback()

	s := &Snapshot{register: r, session: session, ctx: ctx}
	if err := session.use(ctx, func() error { return s.begin(which, args) }); err != nil {
		return fmt.Errorf("reading the register: %w", r.dialect.explain(err))
	}
	defer s.end()
	return fn(s)
}

// begin fixes what the snapshot sees, by its first question.
func (s *Snapshot) begin(which string, args []any) error {
	if err := s.session.begin(context.Background(), s.register.words.read); err != nil {
		return err
	}
	var tag []byte
	switch err := s.session.row([]any{&s.revision, &tag, &s.catalogue}, which, args...); {
	case errors.Is(err, sql.ErrNoRows):
		return fmt.Errorf("revision: %w", ErrNotFound)
	case err != nil:
		return err
	}
	s.tag = Tag(tag)
	return nil
}

func (s *Snapshot) end() { s.session = nil }

// Revision is the revision that the snapshot shows.
func (s *Snapshot) Revision() Revision { return s.revision }

// Stamp is that revision with its tag.
func (s *Snapshot) Stamp() Stamp { return Stamp{s.revision, s.tag} }

// CatalogueSequence is the sequence of the service catalogue that was current, or 0
// if none was loaded yet.
func (s *Snapshot) CatalogueSequence() int64 { return s.catalogue }

// RevisionAt gives the last revision of which the change began at or before the
// moment. ErrNotFound: the register did not exist yet.
func (r *Register) RevisionAt(ctx context.Context, at time.Time) (rev Revision, err error) {
	err = r.Read(ctx, func(s *Snapshot) error {
		return s.one([]any{&rev}, `
			SELECT revision FROM revision WHERE at <= ?1 AND revision <= ?2
			ORDER BY at DESC, revision DESC LIMIT 1`, at.UnixMilli(), s.revision)
	})
	return rev, err
}

// ready tells whether questions can still be asked.
func (s *Snapshot) ready() error {
	switch {
	case s.failed != nil:
		return s.failed
	case s.session == nil:
		return ErrClosed
	}
	return s.ctx.Err()
}

// ask prepares for a question.
func (s *Snapshot) ask() error {
	if err := s.ready(); err != nil || s.before == nil {
		return err
	}
	return s.before()
}

// aside asks what nothing has to do with that was put off, if so: that can wait.
func (s *Snapshot) aside(so bool, ask func() error) error {
	if before := s.before; so {
		s.before = nil
		defer func() { s.before = before }()
	}
	return ask()
}

// fail remembers a failure of the database, which may have ended the transaction with
// it: nothing that follows would belong to this snapshot.
func (s *Snapshot) fail(doing string, err error) error {
	if err != nil {
		s.failed = fmt.Errorf("%s the register: %w", doing, s.register.dialect.explain(err))
	}
	return s.failed
}

// one reads a row into dest. No row is ErrNotFound.
func (s *Snapshot) one(dest []any, query string, args ...any) error {
	if err := s.ask(); err != nil {
		return err
	}
	err := s.session.row(dest, query, args...)
	if errors.Is(err, sql.ErrNoRows) {
		return ErrNotFound
	}
	return s.fail("reading", err)
}

// each reads every row into dest and calls fn after each.
func (s *Snapshot) each(dest []any, fn func() error, query string, args ...any) error {
	if err := s.ask(); err != nil {
		return err
	}
	failed, stopped := s.session.rows(dest, fn, query, args...)
	if stopped != nil {
		return stopped
	}
	return s.fail("reading", failed)
}

// moment reads a stored moment.
func moment(ms int64) time.Time { return time.UnixMilli(ms).UTC() }
