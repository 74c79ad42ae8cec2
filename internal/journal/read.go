package journal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"time"
)

// Get returns the record with that id, or ErrNotFound.
func (j *Journal) Get(ctx context.Context, id string) (Record, error) {
	leave, err := j.enter()
	if err != nil {
		return Record{}, err
	}
	defer leave()
	r, err := j.store.byID(ctx, id)
	if errors.Is(err, sql.ErrNoRows) {
		return Record{}, ErrNotFound
	}
	return r, reading(err)
}

// Records returns the records that follow sequence number after, in order and at
// most limit of them. Fewer than limit means that the end was reached.
func (j *Journal) Records(ctx context.Context, after int64, limit int) ([]Record, error) {
	if limit < 1 {
		return nil, fmt.Errorf("journal: cannot read %d records", limit)
	}
	var records []Record
	for more := true; more && len(records) < limit; {
		page, rest, err := j.page(ctx, after, limit-len(records))
		if err != nil {
			return nil, err
		}
		if records, more = append(records, page...), rest; more {
			after = page[len(page)-1].Sequence
		}
	}
	return records, nil
}

// All gives the records that follow sequence number after, in order, up to the end at
// the moment when it gets there. It reads in pages and holds nothing while its caller
// looks at a record. If records are retired under it, that is an error and no gap.
func (j *Journal) All(ctx context.Context, after int64) iter.Seq2[Record, error] {
	return j.each(ctx, func() (int64, error) { return after, nil }, func(*Record) bool { return true })
}

// Since is like All, and gives the records that were written at that time or later.
func (j *Journal) Since(ctx context.Context, t time.Time) iter.Seq2[Record, error] {
	return j.each(ctx, func() (int64, error) { return j.before(ctx, t) }, func(r *Record) bool { return !r.At.Before(t) })
}

// before is the number of a record before all that were written at t or later.
func (j *Journal) before(ctx context.Context, t time.Time) (int64, error) {
	leave, err := j.enter()
	if err != nil {
		return 0, err
	}
	defer leave()
	first, err := j.store.since(ctx, t)
	if err == nil && first == 0 {
		var end link
		end, err = j.store.end(ctx)
		first = end.sequence + 1
	}
	return first - 1, reading(err)
}

func (j *Journal) each(ctx context.Context, start func() (int64, error), wanted func(*Record) bool) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		after, err := start()
		begun := false
		for more := true; more && err == nil; {
			var records []Record
			records, more, err = j.page(ctx, after, page)
			for _, r := range records {
				if begun && r.Sequence != after+1 {
					yield(Record{}, fmt.Errorf("reading the journal: records %d to %d are gone", after+1, r.Sequence-1))
					return
				}
				after, begun = r.Sequence, true
				if wanted(&r) && !yield(r, nil) {
					return
				}
			}
		}
		if err != nil {
			yield(Record{}, err)
		}
	}
}

// page is how many records are read at once.
const page = 1000

func (j *Journal) page(ctx context.Context, after int64, limit int) (records []Record, more bool, err error) {
	leave, err := j.enter()
	if err != nil {
		return nil, false, err
	}
	defer leave()
	more, err = j.store.page(ctx, after, limit, func(r Record) { records = append(records, r) })
	return records, more, reading(err)
}

func reading(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("reading the journal: %w", err)
}
