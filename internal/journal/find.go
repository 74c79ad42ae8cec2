package journal

import (
	"context"
	"errors"
	"fmt"
	"math"
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
	upTo, first := int64(math.MaxInt64), int64(0)
	for {
		list, from, err := j.look(ctx, text, upTo, &first)
		if err != nil && errors.Is(ctx.Err(), context.DeadlineExceeded) {
			return Record{}, fmt.Errorf("%w: %w", ErrUnreached, err)
		}
		if err != nil {
			return Record{}, fmt.Errorf("looking through the journal: %w", err)
		}
		for _, r := range list {
			if fits(r) {
				return r, nil
			}
		}
		if from <= first {
			return Record{}, ErrNotFound
		}
		upTo = from
	}
}

// look looks through one stretch, which ends at number upTo, and tells after which number it
// began. first becomes the number after which there are records.
func (j *Journal) look(ctx context.Context, text []byte, upTo int64, first *int64) (list []Record, from int64, err error) {
	leave, err := j.enter()
	if err != nil {
		return nil, 0, err
	}
	defer leave()
	if upTo == math.MaxInt64 {
		end, err := j.store.end(ctx)
		if err != nil {
			return nil, 0, err
		}
		stub, err := j.store.stub(ctx)
		if err != nil {
			return nil, 0, err
		}
		if upTo = end.sequence; stub != nil {
			*first = stub.Sequence
		}
	}
	from = max(*first, upTo-stretch)
	list, err = j.store.with(ctx, text, from, upTo)
	return list, from, err
}
