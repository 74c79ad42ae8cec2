package journal

import (
	"context"
	"fmt"
	"time"

	"github.com/mandated/mandated/pkg/mandate"
)

// When a mandate was last used stands in the records, and finding it there each time would
// mean reading all of them. So they are read once, after they were written and by nobody
// who waits for an answer, and the last use of each mandate is kept beside them, with the
// mark up to which that was done. Any process may read on: the mark is compared before it
// is moved, in the transaction that keeps what was read, so one that was overtaken, or is
// killed, has done nothing. Of two uses the later stays, whichever is read first: reading
// everything again, after the mark was set back to zero, gives what is there. Records that
// are retired were read before, and what they told stays.

// mark is up to where records were read. Zero: none was.
type mark struct {
	sequence int64     // of the last one
	at       time.Time // its time
	since    time.Time // the time of the first one from which on none was missed
}

// followBatch is how many records are read in one go: few enough that a file is not held
// for long by the transaction that keeps what they told.
const followBatch = 100

// lastReading bounds how long Close reads on.
const lastReading = 5 * time.Second

// follow reads on now and then, until ctx ends. Nothing hastens it: a transaction for each
// group of records would cost whoever appends a second fsync.
func (j *Journal) follow(ctx context.Context) {
	clock := time.NewTicker(j.options.Follow)
	defer clock.Stop()
	lost := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-clock.C:
		}
		err := j.catchUp(ctx)
		if ctx.Err() != nil {
			return
		}
		switch {
		case err != nil && !lost:
			j.options.Log.Error("records are no longer read for when mandates were last used", "cause", err)
		case err == nil && lost:
			j.options.Log.Info("records are read again for when mandates were last used")
		}
		lost = err != nil
	}
}

// catchUp reads what was there when it began: whoever appends faster than this reads does
// not keep it for ever. Of a long way half the time belongs to those who append.
func (j *Journal) catchUp(ctx context.Context) error {
	end, err := j.store.end(ctx)
	if err != nil {
		return fmt.Errorf("finding the end of the journal: %w", err)
	}
	for {
		began := time.Now()
		upTo, more, err := j.readOn(ctx, followBatch)
		if err != nil {
			return fmt.Errorf("reading records for the last use of mandates: %w", err)
		}
		if !more || upTo >= end.sequence {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Since(began)):
		}
	}
}

// readLast reads what was appended since the last time, so that whoever looks at a journal
// that is not in use finds all. What is left then is read by the next process.
func (j *Journal) readLast() {
	if j.options.Used == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), lastReading)
	defer cancel()
	if err := j.catchUp(ctx); err != nil {
		j.options.Log.Warn("the last records were not read for when mandates were last used: the next start goes on", "cause", err)
	}
}

// readOn reads so many records at most, and tells up to which all are read and whether there
// may be more.
func (j *Journal) readOn(ctx context.Context, limit int) (upTo int64, more bool, err error) {
	known := milliseconds(j.options.Now())
	from, err := j.store.followed(ctx)
	if err != nil {
		return 0, false, err
	}
	read, more, err := j.gather(ctx, from, limit)
	if err != nil {
		return 0, false, err
	}
	if read.to != from {
		moved, err := j.store.follow(ctx, from, read.to, read.uses())
		if err != nil || !moved {
			return from.sequence, true, err
		}
	}
	if more {
		known = read.to.at
	}
	j.metrics.followed(read.to, known)
	return read.to.sequence, more, nil
}

// gather reads what the next records tell, up to one that cannot be read: that is an error
// when it is the next.
func (j *Journal) gather(ctx context.Context, from mark, limit int) (read *told, more bool, err error) {
	var records []Record
	more, err = j.store.page(ctx, from.sequence, limit, func(r Record) { records = append(records, r) })
	if err == nil {
		err = j.joins(ctx, from, records)
	}
	read = &told{to: from, last: map[mandate.ID]Use{}}
	for i := 0; err == nil && i < len(records); i++ {
		if err = read.add(records[i], j.options.Used); err != nil && i > 0 {
			return read, true, nil
		}
	}
	return read, more, err
}

// joins tells why records are not those that follow what was read. What is missing before
// the first must be retired.
func (j *Journal) joins(ctx context.Context, from mark, records []Record) error {
	for i := 1; i < len(records); i++ {
		if next := records[i-1].Sequence + 1; records[i].Sequence != next {
			return broken(next, "is missing")
		}
	}
	if len(records) == 0 || records[0].Sequence == from.sequence+1 {
		return nil
	}
	s, err := j.store.stub(ctx)
	if err == nil && (s == nil || s.Sequence < records[0].Sequence-1) {
		err = broken(from.sequence+1, "is missing")
	}
	return err
}

// told is what some records tell.
type told struct {
	to   mark
	last map[mandate.ID]Use
}

// add reads the next record. Where it does not follow the one before, knowledge begins anew.
func (t *told) add(r Record, used func([]byte) ([]mandate.ID, string, error)) error {
	mandates, service, err := used(r.Body)
	if err != nil {
		return fmt.Errorf("record %d cannot be read, verify the journal: %w", r.Sequence, err)
	}
	if t.to.sequence == 0 || r.Sequence != t.to.sequence+1 {
		t.to.since = r.At
	}
	t.to.sequence, t.to.at = r.Sequence, r.At
	for _, id := range mandates {
		u := Use{id, r.At, r.Sequence, service}
		if u.after(t.last[id]) {
			t.last[id] = u
		}
	}
	return nil
}

func (t *told) uses() []Use {
	all := make([]Use, 0, len(t.last))
	for _, u := range t.last {
		all = append(all, u)
	}
	return all
}
