package journal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/mandated/mandated/internal/sqlite"
)

// Append writes a record. When it returns nil the record is on disk. The id is made
// by the caller: at least 16 random bytes as lower-case hexadecimal digits; one that
// is taken is ErrExists. The body must not be changed afterwards.
//
// All that wait share a transaction and an fsync. If ctx ends first, Append stops
// waiting, and the record may still be written. Any other error means that it is not
// there; a later Append works again as soon as the disk does.
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

// entry is what the writing goroutine is given: a record or a checkpoint.
type entry struct {
	id    string
	body  []byte
	taken bool // answer: the id has a record already

	checkpoint *Checkpoint
}

// write is the one place where the journal grows.
func (j *Journal) write(entries []*entry) error {
	var written int64
	err := j.file.Write(func(tx *sqlite.Tx) (err error) {
		written, err = writeEntries(tx, j.options.Now(), entries)
		return err
	})
	if err == nil && j.waiting.Add(written) >= int64(j.options.Every) {
		select {
		case j.due <- struct{}{}:
		default:
		}
	}
	return err
}

func writeEntries(tx *sqlite.Tx, now time.Time, entries []*entry) (written int64, err error) {
	last, err := lastRecord(tx)
	if err != nil {
		return 0, err
	}
	for _, e := range entries {
		if e.checkpoint != nil {
			err = insertCheckpoint(tx, e.checkpoint)
		} else {
			next := follow(last, now, e)
			if e.taken, err = insertRecord(tx, next); err == nil && !e.taken {
				last, written = next, written+1
			}
		}
		if err != nil {
			return 0, err
		}
	}
	return written, nil
}

func follow(last *Record, now time.Time, e *entry) *Record {
	next := &Record{
		Sequence: last.Sequence + 1,
		ID:       e.id,
		At:       now.UTC().Truncate(time.Millisecond),
		Body:     e.body,
		Previous: last.Hash,
	}
	next.Hash = next.digest()
	return next
}

// lastRecord gives sequence and hash of the end of the chain; zero if it is empty.
func lastRecord(tx *sqlite.Tx) (*Record, error) {
	var r Record
	var hash []byte
	err := tx.Row(`SELECT sequence, hash FROM records ORDER BY sequence DESC LIMIT 1`, nil, &r.Sequence, &hash)
	if errors.Is(err, sql.ErrNoRows) {
		return &r, nil
	}
	if err == nil && copy(r.Hash[:], hash) != len(r.Hash) {
		err = errors.New("the last record is damaged")
	}
	return &r, err
}

func insertRecord(tx *sqlite.Tx, r *Record) (taken bool, err error) {
	body := r.Body
	if body == nil {
		body = []byte{} // nil would be NULL
	}
	rows, err := tx.Exec(`INSERT INTO records (sequence, id, at, body, previous, hash) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO NOTHING`, r.Sequence, r.ID, r.At.UnixMilli(), body, r.Previous[:], r.Hash[:])
	return rows == 0, err
}

func insertCheckpoint(tx *sqlite.Tx, c *Checkpoint) error {
	_, err := tx.Exec(`INSERT INTO checkpoints (sequence, hash, at, key_id, signature) VALUES (?, ?, ?, ?, ?)`,
		c.Sequence, c.Hash[:], c.At.UnixMilli(), c.KeyID, c.Signature)
	return err
}
