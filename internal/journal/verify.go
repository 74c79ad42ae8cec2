package journal

import (
	"bytes"
	"context"
	"crypto"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/mandated/mandated/internal/sqlite"
)

// Report is what Verify found.
type Report struct {
	Records int64 // in the journal when Verify began

	// Proven is how many of them a good checkpoint covers, with nothing wrong before
	// it: they are what the holder of the key saw. Unproven are the others.
	Proven, Unproven int64

	Problems []Problem // at most a thousand; empty is good
	Untold   int64     // problems beyond those
}

// Problem is something that honest operation does not bring about.
type Problem struct {
	Sequence int64  // the record concerned; 0 if none can be named
	What     string // for people
}

const maxProblems = 1000

// Verify reads the journal at path from its beginning and compares it with the
// checkpoints: those of the file outside the store, or the copies in the store if
// checkpoints is nil. Each must be signed by one of the keys. An error means that
// Verify could not finish; what is wrong with the journal is in the report.
//
// The file is opened for reading only and may be in use. Memory does not grow with
// the journal. The tail being cut off together with all checkpoints over it can only
// be found with checkpoints from elsewhere.
func Verify(ctx context.Context, path string, checkpoints io.Reader, keys ...crypto.PublicKey) (report Report, err error) {
	ring, err := newKeyring(keys)
	if err == nil && len(ring) == 0 {
		err = errors.New("no key given")
	}
	if err != nil {
		return Report{}, fmt.Errorf("verifying the journal: %w", err)
	}
	file, err := sqlite.OpenReadOnly(ctx, path, format)
	if err != nil {
		return Report{}, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	v := &verifier{db: file.DB(), ring: ring, firstBad: math.MaxInt64}
	if err := v.run(ctx, checkpoints); err != nil {
		return Report{}, fmt.Errorf("verifying the journal: %w", err)
	}
	return v.report, nil
}

// verifier walks the chain once, in pages so that it does not hold the daemon's
// write-ahead log, and then looks up what each checkpoint signed.
type verifier struct {
	db     *sql.DB
	ring   keyring
	report Report

	end      int64 // sequence of the last record when we began
	last     int64 // the record just seen, 0 before the first
	hash     Hash  // its hash
	firstBad int64 // the first record that is not as written
	proven   int64 // the last record under a good checkpoint
}

const page = 1000

func (v *verifier) run(ctx context.Context, outside io.Reader) error {
	if err := v.walk(ctx); err != nil {
		return err
	}
	checkpoints := stored(ctx, v.db)
	if outside != nil {
		checkpoints = lines(outside)
	}
	for c, err := range checkpoints {
		if err := v.compare(ctx, c, err); err != nil {
			return err
		}
	}
	v.report.Proven = v.proven
	v.report.Unproven = v.report.Records - v.proven
	return nil
}

// walk checks every record and that it follows from the one before it.
func (v *verifier) walk(ctx context.Context) error {
	const end = `SELECT coalesce(max(sequence), 0) FROM records`
	if err := v.db.QueryRowContext(ctx, end).Scan(&v.end); err != nil {
		return err
	}
	after, more := int64(math.MinInt64), true
	for more {
		more = false
		err := eachRecord(ctx, v.db, after, page, func(r Record) {
			if r.Sequence <= v.end {
				v.record(r)
				after, more = r.Sequence, true
			}
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (v *verifier) record(r Record) {
	v.report.Records++
	if r.digest() != r.Hash {
		v.bad(r.Sequence, "the record is not as it was written")
	}
	switch expected := v.last + 1; {
	case r.Sequence < expected:
		v.bad(r.Sequence, "the record has a number below 1")
		return
	case r.Sequence == expected && r.Previous != v.hash:
		v.bad(r.Sequence, "the record does not follow from the one before it")
	case r.Sequence > expected:
		v.bad(expected, fmt.Sprintf("missing, up to record %d", r.Sequence-1))
	}
	v.last, v.hash = r.Sequence, r.Hash
}

// compare judges one checkpoint, or the reason why it could not be read.
func (v *verifier) compare(ctx context.Context, c *Checkpoint, unreadable error) error {
	var bad badLine
	if errors.As(unreadable, &bad) {
		v.tell(0, bad.Error())
		return nil
	}
	if unreadable != nil {
		return unreadable
	}
	if err := v.ring.check(c); err != nil {
		v.tell(c.Sequence, err.Error())
		return nil
	}
	hash, err := hashOf(ctx, v.db, c.Sequence)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		v.tell(c.Sequence, fmt.Sprintf("missing, although a checkpoint signed it; the journal ends at record %d", v.last))
	case err != nil:
		return err
	case !bytes.Equal(hash, c.Hash[:]):
		v.tell(c.Sequence, "the record is not the one that the checkpoint signed")
	case c.Sequence < v.firstBad && c.Sequence <= v.end:
		v.proven = max(v.proven, c.Sequence)
	}
	return nil
}

// bad is a problem of the chain: no checkpoint proves anything from there on.
func (v *verifier) bad(sequence int64, what string) {
	v.firstBad = min(v.firstBad, sequence)
	v.tell(sequence, what)
}

func (v *verifier) tell(sequence int64, what string) {
	if len(v.report.Problems) == maxProblems {
		v.report.Untold++
		return
	}
	v.report.Problems = append(v.report.Problems, Problem{sequence, what})
}
