package journal

import (
	"context"
	"errors"
	"fmt"
)

var (
	// ErrSeveral is returned when what was given names more than one record.
	ErrSeveral = errors.New("journal: more than one record begins so")
	// ErrUnreached is returned when there was no time to look through all records.
	ErrUnreached = errors.New("journal: not among the newest records, and the others were not reached")
)

// Beginning returns the only record whose id begins so: what people read aloud is not all of
// it. ErrNotFound: there is none. ErrSeveral: it is too short.
func (j *Journal) Beginning(ctx context.Context, id string) (Record, error) {
	if id == "" || !isLowerHex(id) {
		return Record{}, ErrNotFound
	}
	leave, err := j.enter()
	if err != nil {
		return Record{}, err
	}
	defer leave()
	list, err := j.store.beginning(ctx, id, 2)
	switch {
	case err != nil:
		return Record{}, reading(err)
	case len(list) == 0:
		return Record{}, ErrNotFound
	case len(list) > 1:
		return Record{}, ErrSeveral
	}
	return list[0], nil
}

// stretch is how many records are looked through in one statement: few enough that one who
// looks for something holds nothing for long.
const stretch = 5000

// Newest returns the newest record with that text in its body which fits, or ErrNotFound. It
// looks through the records from the end on, since there is no index on what they say: that
// would cost whoever appends. So the deadline of ctx bounds how far back it looks, and then
// there is ErrUnreached.
func (j *Journal) Newest(ctx context.Context, text []byte, fits func(Record) bool) (Record, error) {
	if len(text) == 0 {
		return Record{}, ErrNotFound
	}
	first, upTo, err := j.bounds(ctx)
	if err != nil {
		return Record{}, err
	}
	for ; upTo > first; upTo -= j.stretch {
		r, err := j.look(ctx, text, max(first, upTo-j.stretch), upTo, fits)
		switch {
		case err == nil:
			return r, nil
		case errors.Is(ctx.Err(), context.DeadlineExceeded):
			return Record{}, fmt.Errorf("%w: %w", ErrUnreached, err)
		case !errors.Is(err, ErrNotFound):
			return Record{}, err
		}
	}
	return Record{}, ErrNotFound
}

// bounds are the number after which there are records, and that of the last one.
func (j *Journal) bounds(ctx context.Context) (first, last int64, err error) {
	leave, err := j.enter()
	if err != nil {
		return 0, 0, err
	}
	defer leave()
	end, err := j.store.end(ctx)
	if err != nil {
		return 0, 0, reading(err)
	}
	stub, err := j.store.stub(ctx)
	if err == nil && stub != nil {
		first = stub.Sequence
	}
	return first, end.sequence, reading(err)
}

// look looks through one stretch for the newest record that fits.
func (j *Journal) look(ctx context.Context, text []byte, after, upTo int64, fits func(Record) bool) (found Record, err error) {
	leave, err := j.enter()
	if err != nil {
		return Record{}, err
	}
	defer leave()
	there := false
	err = j.store.with(ctx, text, after, upTo, func(r Record) bool {
		if there = fits(r); there {
			found = r
		}
		return there
	})
	if err == nil && !there {
		return Record{}, ErrNotFound
	}
	return found, reading(err)
}
