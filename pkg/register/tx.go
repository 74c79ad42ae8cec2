package register

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"
	"sync"
	"time"
)

// Tx is a change under way. It is for the function it was given to, and for one
// goroutine.
//
// A method that refuses (ErrOverlap, ErrNotFound and the like) has changed nothing,
// and the change may go on without it. When the database itself fails, the change is
// lost: every later call and Change itself return that error.
type Tx struct {
	view   *Snapshot // the register as it stands in this change
	now    time.Time
	before Revision

	touched touched
	narrows bool // something may be refused that was permitted before, or a moment before that
	repeats bool // somebody was put who is so already

	part  part
	queue queue
}

// Receipt says what a change did, and from when on everybody lives by it.
type Receipt struct {
	Stamp
	Committed time.Time // when it was on disk
	Effective time.Time // when the last node had heard of it, if it takes anything away; else Committed
}

// Change runs fn in one transaction and gives the revision it made. Changes take
// turns, also between processes; each takes the next revision when its turn comes.
//
// When Change returns a receipt, the change is on disk, with its author, its history
// and the parties it touched; and if it takes anything away from anybody, no node
// answers as before any more, because 1.1 leases have passed since the commit. When
// fn or the commit fails, or ctx ends before it, nothing has changed. A fn that
// changed nothing uses no revision: Change then gives the current one. Whoever stops
// somebody again waits no less than the first: that one may be waiting still.
//
// ErrClock: the clock of this machine, by which the change would be written down, is not
// the database's.
//
// Two errors tell that the change may stand nevertheless. ErrUnheard: it is on disk,
// and ctx ended before every node had heard of it. ErrUncertain: the database was
// lost during the commit and could not be asked again.
//
// fn must not call Change: it would wait for itself.
func (r *Register) Change(ctx context.Context, a Author, fn func(*Tx) error) (Receipt, error) {
	switch {
	case a.Who == "" || a.Why == "":
		return Receipt{}, ErrAuthor
	case !storable(a.Who) || !storable(a.Why):
		return Receipt{}, ErrText
	case r.writer == nil:
		return Receipt{}, ErrReadOnly
	}
	receipt, narrows, err := r.change(ctx, a, fn)
	if err != nil || !narrows {
		return receipt, err
	}
	return r.heard(ctx, receipt)
}

// heard waits until no node can serve a decision from before the commit: a node does
// so for one lease after it last confirmed its view, and clocks may differ by a tenth
// in speed. The turn to write is free meanwhile.
func (r *Register) heard(ctx context.Context, receipt Receipt) (Receipt, error) {
	timer := time.NewTimer(r.lease + r.lease/10)
	defer timer.Stop()
	select {
	case <-timer.C:
		receipt.Effective = r.now()
		return receipt, nil
	case <-ctx.Done():
		return receipt, fmt.Errorf("revision %d: %w: %w", receipt.Revision, ErrUnheard, ctx.Err())
	}
}

// change waits for its turn and makes the change.
func (r *Register) change(ctx context.Context, a Author, fn func(*Tx) error) (receipt Receipt, narrows bool, err error) {
	s, err := r.writer.take(ctx)
	if err != nil {
		return receipt, false, err
	}
	defer r.writer.give()
	defer s.rollback() // does nothing after a commit
	var t *Tx
	if err := s.use(ctx, func() (err error) { t, err = r.begin(ctx, s, a); return err }); err != nil {
		return receipt, false, fmt.Errorf("beginning a change: %w", r.dialect.explain(err))
	}
	defer t.view.end()

	switch err := fn(t); {
	case t.view.failed != nil:
		return receipt, false, t.view.failed
	case err != nil:
		return receipt, false, err
	case t.touched.none():
		return t.unchanged()
	}
	if err := t.commit(ctx); err != nil {
		return receipt, false, fmt.Errorf("completing a change: %w", r.dialect.explain(err))
	}
	now := r.now()
	return Receipt{Stamp: t.view.Stamp(), Committed: now, Effective: now}, t.narrows, nil
}

// unchanged is the receipt of a change that changed nothing: of the one before it. That may
// have been made a moment ago, by somebody who waits still or has given up. So nobody is
// told that it holds before it does, however often it is asked for.
func (t *Tx) unchanged() (receipt Receipt, narrows bool, err error) {
	var tag []byte
	var at int64
	err = t.view.one([]any{&tag, &at}, `SELECT tag, at FROM revision WHERE revision = ?1`, t.before)
	if err != nil {
		return receipt, false, err
	}
	return Receipt{Stamp: Stamp{t.before, Tag(tag)}, Committed: moment(at), Effective: moment(at)}, t.narrows || t.repeats, nil
}

// begin starts the transaction and takes the next revision before anything else.
func (r *Register) begin(ctx context.Context, s *session, a Author) (*Tx, error) {
	if err := s.begin(ctx, r.words.change); err != nil {
		return nil, err
	}
	t := &Tx{
		view: &Snapshot{register: r, session: s, ctx: ctx, memory: newMemory()},
		now:  r.now(),
	}
	t.view.before = t.flush
	_, _ = rand.Read(t.view.tag[:]) // never fails
	var database int64
	if err := s.rowWithin(ctx, []any{&t.view.revision, &database, &t.view.catalogue}, `
		UPDATE head SET revision = revision + 1 WHERE one = 1
		RETURNING revision, `+r.words.now+`, coalesce((SELECT max(sequence) FROM catalogue_version), 0)`); err != nil {
		return nil, err
	}
	if err := together(s.limits, t.now, moment(database), r.now()); err != nil {
		return nil, err
	}
	t.before = t.view.revision - 1
	// A clock that was set back does not turn the order of revisions.
	return t, s.exec(`
		INSERT INTO revision (revision, tag, at, who, why)
		SELECT ?1, ?2, CASE WHEN at > ?3 THEN at ELSE ?3 END, ?4, ?5 FROM revision WHERE revision = ?6`,
		t.view.revision, t.view.tag[:], t.now.UnixMilli(), a.Who, a.Why, t.before)
}

// together tells whether the database's clock, read between two moments of ours, shows the
// same time (ErrClock). A revision from the future would hide for as long, from whoever asks
// what was known when, that anything changed after it.
func together(l limits, before, database, after time.Time) error {
	apart := max(before.Sub(database), database.Sub(after))
	if l.skew == 0 || apart <= l.skew {
		return nil
	}
	return fmt.Errorf("%w (%v apart)", ErrClock, apart)
}

// commit writes the parties touched and makes the change last.
func (t *Tx) commit(ctx context.Context) error {
	if err := t.writeFeed(); err != nil {
		return err
	}
	if err := t.flush(); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	err := t.view.session.commit()
	if err == nil || !t.view.session.lost {
		return err
	}
	return t.look(ctx, err)
}

// Now is the moment at which the change began: the same for all of it.
func (t *Tx) Now() time.Time { return t.now }

// Snapshot answers questions within the change: it sees what was done earlier in it.
func (t *Tx) Snapshot() *Snapshot { return t.view }

// exec changes something, after all that was put off. The first failure is the end of the
// change, and may be told later than by the call that caused it.
func (t *Tx) exec(query string, args ...any) error {
	if err := t.comeTo(); err != nil {
		return err
	}
	return t.do(query, args...)
}

// comeTo writes what was put off, because something else is about to be written.
func (t *Tx) comeTo() error {
	if err := t.flush(); err != nil || t.part != ahead {
		return err
	}
	return t.savepoint()
}

// do is exec for what has its place already.
func (t *Tx) do(query string, args ...any) error {
	if err := t.view.ready(); err != nil {
		return err
	}
	return t.view.fail("writing in", t.view.session.exec(query, args...))
}

// number gives the next number of a table. Changes take turns, so nobody else gives out
// the same one.
func (t *Tx) number(table string) (int64, error) {
	last, known := t.view.memory.numbers[table]
	if !known {
		if err := t.view.one([]any{&last}, `SELECT coalesce(max(id), 0) FROM `+table); err != nil {
			return 0, err
		}
	}
	remember(t.view.memory, t.view.memory.numbers, table, last+1)
	return last + 1, nil
}

// mostRows is how many rows one statement changes.
const mostRows = 16

// places are those of so many rows: (?1, ?2), (?3, ?4).
func places(rows, columns, first int) string {
	asked := [...]int{rows, columns, first}
	if known, ok := placesOf.Load(asked); ok {
		return known.(string)
	}
	list := make([]string, rows)
	for i := range list {
		row := make([]string, columns)
		for j := range row {
			row[j] = fmt.Sprintf("?%d", i*columns+j+first)
		}
		list[i] = "(" + strings.Join(row, ", ") + ")"
	}
	text := strings.Join(list, ", ")
	placesOf.Store(asked, text)
	return text
}

// placesOf keeps the few that there are.
var placesOf sync.Map
