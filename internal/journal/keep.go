package journal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// keep makes checkpoints when they are due, until the journal is closed. One that
// fails is tried again at the next occasion: records do not wait for checkpoints.
func (j *Journal) keep() {
	clock := time.NewTicker(j.options.Interval)
	defer clock.Stop()
	for {
		select {
		case <-j.stop:
			return
		case <-clock.C:
		case <-j.due:
		}
		if err := j.checkpoint(context.Background()); err != nil {
			j.options.Log.Error("journal checkpoint failed", "error", err)
		}
	}
}

// Checkpoint signs the end of the chain now, unless that has been done. When it
// returns nil the checkpoint is on disk in the file outside the store and in it.
func (j *Journal) Checkpoint(ctx context.Context) error {
	leave, err := j.enter()
	if err != nil {
		return err
	}
	defer leave()
	if j.group == nil {
		return ErrReadOnly
	}
	return j.checkpoint(ctx)
}

func (j *Journal) checkpoint(ctx context.Context) error {
	j.signing.Lock()
	defer j.signing.Unlock()
	j.waiting.Store(0)
	r, err := j.uncovered(ctx)
	if err == nil && r != nil {
		err = j.cover(ctx, r)
	}
	if err != nil {
		return fmt.Errorf("journal checkpoint: %w", err)
	}
	return nil
}

// uncovered returns the last record, or nil if a checkpoint of ours covers it.
func (j *Journal) uncovered(ctx context.Context) (*Record, error) {
	r, err := scan(j.file.DB().QueryRowContext(ctx, columns+`ORDER BY sequence DESC LIMIT 1`))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil || r.Sequence == j.covered {
		return nil, err
	}
	return &r, nil
}

// cover signs and stores: outside first, because that is the copy that counts.
func (j *Journal) cover(ctx context.Context, r *Record) error {
	c, err := sign(j.options.Signer, r, j.options.Now())
	if err != nil {
		return err
	}
	if j.options.Checkpoints != "" {
		if err := appendOutside(j.options.Checkpoints, c); err != nil {
			return err
		}
	}
	if err := j.group.Do(ctx, &entry{checkpoint: c}); err != nil {
		return err
	}
	j.covered = c.Sequence
	return nil
}
