package journal

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"
)

// Retired is what Retire did.
type Retired struct {
	Records int64 // that were deleted by this call
	Stub    *Stub // what stands at the front now; nil if nothing was ever retired
}

// batch is how many records go in one transaction: few enough that appending goes on
// between them.
const batch = 500

// Retire deletes the records at the front of the journal at place that are older than
// before, and leaves a signed stub in their place, which is also appended to the file
// outside the store. Options need the register's key, and Used: what the records tell of
// mandates is read before they go, and stays.
//
// Only records go that a good checkpoint covers, by the register's key or one of
// Options.Keys, and the chain is read again before: a broken one is evidence, and stays
// as it is (ErrBroken). The last record always stays, since the chain goes on from it. A
// record with a later time, such as one written while a clock was wrong, holds back those
// after it.
//
// The journal may be in use. It is one in each moment: the stub is written in the
// transaction that deletes what it stands for, batch by batch, and whoever stops half-way
// goes on the next time. What was done by then is in Retired, also if there is an error.
func Retire(ctx context.Context, place string, before time.Time, o Options) (done Retired, err error) {
	if o.Signer == nil {
		return Retired{}, ErrReadOnly
	}
	if o.Used == nil {
		return Retired{}, errors.New("journal: records are not retired by who cannot read them: when mandates were last used would be lost")
	}
	existing, err := openStore(ctx, place, true)
	if err == nil {
		err = existing.close()
	}
	if err != nil {
		return Retired{}, err
	}
	j, err := open(ctx, place, o)
	if err != nil {
		return Retired{}, err
	}
	defer func() { err = errors.Join(err, j.store.close()) }()
	r := &retirement{journal: j, before: before}
	err = r.run(ctx)
	if err != nil && r.overtaken(ctx) {
		err = errElsewhere
	}
	if err != nil {
		err = fmt.Errorf("retiring records: %w", err)
	}
	return r.done, errors.Join(err, r.tellOutside())
}

// errElsewhere: two that retire at the same time would only be in each other's way.
var errElsewhere = errors.New("records are being retired elsewhere at this moment")

// retirement walks along the chain and deletes what lies behind.
type retirement struct {
	journal *Journal
	before  time.Time
	done    Retired

	ring keyring
	end  link // the last record when we began, which stays
	at   link // the record just seen
	gone link // the last that was deleted

	old    link // the last record that is old, with only old ones before it
	young  bool // seen one that is not
	proven link // the last record that is old and under a good checkpoint
}

func (r *retirement) run(ctx context.Context) error {
	if err := r.begin(ctx); err != nil {
		return err
	}
	if err := r.journal.catchUp(ctx); err != nil { // past the end at which we began, and nothing behind that goes
		return err
	}
	next, stop := iter.Pull2(r.journal.store.checkpoints(ctx, r.at.sequence))
	defer stop()
	signed := &cursor{next: next}
	for more := true; more && !r.finished(); {
		var records []Record
		var err error
		more, err = r.journal.store.page(ctx, r.at.sequence, page, func(r Record) { records = append(records, r) })
		for i := 0; err == nil && i < len(records) && !r.finished(); i++ {
			err = r.pass(&records[i], signed)
		}
		if err != nil {
			return err
		}
		if err := r.delete(ctx); err != nil {
			return err
		}
	}
	return nil
}

// overtaken tells whether somebody else has put a stub behind ours: what we miss since
// then is no sign of anything.
func (r *retirement) overtaken(ctx context.Context) bool {
	s, err := r.journal.store.stub(ctx)
	return err == nil && s != nil && s.Sequence > r.gone.sequence
}

// begin stands at the stub of the last time. One that nobody vouches for must not be
// followed by one that is good.
func (r *retirement) begin(ctx context.Context) (err error) {
	if r.ring, err = r.journal.ring(); err != nil {
		return err
	}
	if r.end, err = r.journal.store.end(ctx); err != nil {
		return err
	}
	if r.done.Stub, err = r.journal.store.stub(ctx); err != nil || r.done.Stub == nil {
		return err
	}
	r.gone = r.done.Stub.link()
	r.at, r.old, r.proven = r.gone, r.gone, r.gone
	if err := r.ring.check(r.done.Stub); err != nil {
		return fmt.Errorf("the stub in place of the records up to %d proves nothing: %w", r.gone.sequence, err)
	}
	return nil
}

// finished tells whether all that is old is proven too.
func (r *retirement) finished() bool { return r.young && r.proven == r.old }

// pass looks at the next record.
func (r *retirement) pass(next *Record, signed *cursor) error {
	if err := r.at.follow(next); err != nil {
		return err
	}
	if r.young = r.young || !next.At.Before(r.before) || next.Sequence >= r.end.sequence; !r.young {
		r.old = r.at
	}
	good, err := signed.covers(r.at, r.ring)
	if good {
		r.proven = r.old
	}
	return err
}

// cursor walks along the checkpoints beside the records.
type cursor struct {
	next    func() (*Checkpoint, error, bool)
	current *Checkpoint
}

// covers tells whether a good checkpoint was made of that record.
func (c *cursor) covers(l link, ring keyring) (good bool, err error) {
	for {
		if c.current != nil && c.current.Sequence > l.sequence {
			return good, nil
		}
		if c.current != nil && c.current.Sequence == l.sequence && ring.check(c.current) == nil {
			if c.current.Hash != l.hash {
				return false, broken(l.sequence, "is not the one that a checkpoint signed")
			}
			good = true
		}
		var more bool
		if c.current, err, more = c.next(); err != nil || !more {
			return good, err
		}
	}
}

// delete retires all that is proven.
func (r *retirement) delete(ctx context.Context) error {
	for r.gone.sequence < r.proven.sequence {
		began := time.Now()
		if err := r.deleteBatch(ctx); err != nil {
			return err
		}
		r.journal.options.Progress(r.done.Records)
		select { // half of the time belongs to those who append
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Since(began)):
		}
	}
	return nil
}

func (r *retirement) deleteBatch(ctx context.Context) error {
	last, err := r.journal.store.bySequence(ctx, min(r.gone.sequence+batch, r.proven.sequence))
	if err != nil {
		return err
	}
	stub, err := newStub(r.journal.options.Signer, &last, r.journal.options.Now())
	if err != nil {
		return err
	}
	if err := r.journal.store.retire(ctx, stub); err != nil {
		return err
	}
	r.done.Records += last.Sequence - r.gone.sequence
	r.done.Stub, r.gone = stub, last.link()
	return nil
}

// tellOutside appends the stub of this time to the file outside the store. One line is
// enough for all batches. If the process dies before, the stub in the store stands for
// itself.
func (r *retirement) tellOutside() error {
	if r.done.Records == 0 || r.journal.options.Checkpoints == "" {
		return nil
	}
	return appendOutside(r.journal.options.Checkpoints, r.done.Stub)
}
