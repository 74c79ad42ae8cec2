package journal

import (
	"context"
	"fmt"
	"time"
)

// Append writes a record. When it returns nil the record is on disk. The id is made
// by the caller: at least 16 random bytes as lower-case hexadecimal digits; one that
// is taken is ErrExists. The body must not be changed afterwards.
//
// All that wait share a transaction and an fsync. A database that is lost meanwhile is
// asked again until ctx ends, or patience: the record is there once, however often it
// was sent. If ctx ends first, or the database stays away, the record may be written or
// not, and the caller does not know. After any other error it is not there. A later
// Append works again as soon as the store does.
func (j *Journal) Append(ctx context.Context, id string, body []byte) error {
	if err := checkEntry(id, body); err != nil {
		return err
	}
	leave, err := j.enter()
	if err != nil {
		return err
	}
	defer leave()
	if j.group == nil {
		return ErrReadOnly
	}
	e := &entry{id: id, body: body}
	if err := j.group.Do(ctx, e); err != nil {
		return fmt.Errorf("appending to the journal: %w", err)
	}
	if e.taken {
		return ErrExists
	}
	return nil
}

// entry is what the writing goroutine is given.
type entry struct {
	id    string
	body  []byte
	taken bool // answer: the id had a record already
}

// write is the one place where the journal grows.
func (j *Journal) write(ctx context.Context, entries []*entry) error {
	began := time.Now()
	last, err := j.store.append(ctx, j.options.Now(), entries)
	j.metrics.wrote(len(entries), time.Since(began))
	if err != nil {
		return err
	}
	j.metrics.end.Store(max(last, j.metrics.end.Load()))
	var written int64
	for _, e := range entries {
		if !e.taken {
			written++
		}
	}
	if j.waiting.Add(written) >= int64(j.options.Every) {
		select {
		case j.due <- struct{}{}:
		default:
		}
	}
	return nil
}
