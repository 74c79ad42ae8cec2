package journal

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"iter"
	"time"
)

// badLine is a checkpoint that cannot be read: a problem to report, where any other
// error means that the reading itself failed.
type badLine struct {
	where string
	err   error
}

func (b badLine) Error() string { return b.where + ": " + b.err.Error() }

// lines reads the file outside the store. A last line without an end is still being
// written, or was cut short by a power loss; nothing was promised about it.
func lines(r io.Reader) iter.Seq2[*Checkpoint, error] {
	return func(yield func(*Checkpoint, error) bool) {
		in := bufio.NewReaderSize(r, longestLine)
		for n := 1; ; n++ {
			line, err := in.ReadSlice('\n')
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				yield(nil, fmt.Errorf("line %d of the checkpoints: %w", n, err))
				return
			}
			c, err := parseLine(line[:len(line)-1])
			if err != nil {
				err = badLine{fmt.Sprintf("line %d of the checkpoints", n), err}
			}
			if !yield(c, err) {
				return
			}
		}
	}
}

// stored reads the copies in the store, one at a time.
func stored(ctx context.Context, db *sql.DB) iter.Seq2[*Checkpoint, error] {
	return func(yield func(*Checkpoint, error) bool) {
		rows, err := db.QueryContext(ctx, `SELECT sequence, hash, at, key_id, signature FROM checkpoints ORDER BY number`)
		if err != nil {
			yield(nil, err)
			return
		}
		defer rows.Close()
		for rows.Next() {
			if !yield(scanCheckpoint(rows)) {
				return
			}
		}
		if err := rows.Err(); err != nil {
			yield(nil, err)
		}
	}
}

func scanCheckpoint(rows *sql.Rows) (*Checkpoint, error) {
	var c Checkpoint
	var at int64
	var hash []byte
	if err := rows.Scan(&c.Sequence, &hash, &at, &c.KeyID, &c.Signature); err != nil {
		return nil, err
	}
	if len(hash) != len(c.Hash) {
		return nil, badLine{"a stored checkpoint", errors.New("its hash is damaged")}
	}
	c.Hash, c.At = Hash(hash), time.UnixMilli(at).UTC()
	return &c, nil
}
