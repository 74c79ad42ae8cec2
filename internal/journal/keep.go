package journal

import (
	"context"
	"crypto"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"time"
)

// soon is after how long a checkpoint that failed is tried again.
const soon = time.Second

// keep makes checkpoints when they are due, until the journal is closed. Records do not wait
// for one that fails, but readiness may: so it is tried again soon, and not only at the next
// occasion. A chain that is broken stays so.
func (j *Journal) keep() {
	clock := time.NewTicker(j.options.Interval)
	defer clock.Stop()
	var again <-chan time.Time
	for {
		due := true
		select {
		case <-j.stop:
			return
		case <-clock.C:
		case <-j.due:
		case <-again:
			due = false
		}
		err := j.checkpoint(context.Background(), due)
		if again = nil; err != nil && !altered(err) {
			again = time.After(soon)
		}
		if err != nil && due {
			j.options.Log.Error("journal checkpoint failed", "cause", err)
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
	return j.checkpoint(ctx, true)
}

// signingTime bounds a checkpoint, so that a store that has gone silent is told as a
// failure.
const signingTime = time.Minute

// checkpoint signs the end of the chain. One that was due and failed is a failure; a try in
// between can only mend it.
func (j *Journal) checkpoint(ctx context.Context, due bool) error {
	ctx, cancel := context.WithTimeout(ctx, signingTime)
	defer cancel()
	j.signing.Lock()
	defer j.signing.Unlock()
	j.waiting.Store(0)
	err := j.signEnd(ctx)
	if err != nil {
		err = fmt.Errorf("journal checkpoint: %w", err)
		if due {
			j.metrics.failures.Inc()
		}
	}
	j.health.judge(err, due)
	return err
}

// signEnd proves the chain up to its end and signs that. Records that are retired by
// another process while we read them look like missing ones; then we begin again from
// the stub in their place.
func (j *Journal) signEnd(ctx context.Context) error {
	at, err := j.anchor(ctx)
	for err == nil {
		var end link
		if end, err = j.store.end(ctx); err != nil || end == j.covered {
			return err
		}
		if err = j.prove(ctx, at, end); err == nil {
			return j.cover(ctx, end)
		}
		before, wrong := at, err
		if at, err = j.anchor(ctx); at == before {
			return wrong
		}
	}
	return err
}

// anchor is the last place in the chain that is known to be right: what we signed
// ourselves or found outside the store, what we read since without coming to the end in
// time, or what another process with our key signed meanwhile.
func (j *Journal) anchor(ctx context.Context) (link, error) {
	ring, err := j.ring()
	if err != nil {
		return link{}, err
	}
	at := j.covered
	if j.proven.sequence > at.sequence {
		at = j.proven
	}
	c, err := j.store.newest(ctx, func(c *Checkpoint) bool { return c.Sequence <= at.sequence || ring.check(c) == nil })
	if err != nil {
		return link{}, err
	}
	s, err := j.store.stub(ctx)
	if err != nil {
		return link{}, err
	}
	if c != nil && c.Sequence > at.sequence {
		at = c.link()
	}
	if s != nil && s.Sequence > at.sequence && ring.check(s) == nil {
		at = s.link()
	}
	return at, nil
}

// ring is the keys that we believe: our own, which may have changed since the last time,
// and those that we were given.
func (j *Journal) ring() (keyring, error) {
	keys := j.options.Keys
	if j.options.Signer != nil {
		keys = append([]crypto.PublicKey{j.options.Signer.Public()}, keys...)
	}
	return newKeyring(keys...)
}

// prove reads the chain from one place to another and tells where it is broken. How far it
// came is remembered: a tail too long for one try is proven in several.
func (j *Journal) prove(ctx context.Context, at, end link) error {
	if end.sequence < at.sequence {
		return fmt.Errorf("%w: that is record %d, and the last is %d", ErrRolledBack, at.sequence, end.sequence)
	}
	for more := true; more && at.sequence < end.sequence; {
		var wrong, err error
		more, err = j.store.page(ctx, at.sequence, page, func(r Record) {
			if wrong == nil && r.Sequence <= end.sequence {
				wrong = at.follow(&r)
			}
		})
		j.proven = at
		if err = errors.Join(err, wrong); err != nil {
			return err
		}
	}
	if at != end {
		return broken(end.sequence, "is not the one at the end")
	}
	return nil
}

// broken names a record that is not as it was written. Nobody can mend a chain.
func broken(sequence int64, what string) error {
	return fmt.Errorf("%w: record %d %s; verify this journal, keep it as evidence and go on with a new one", ErrBroken, sequence, what)
}

// cover signs and stores: outside first, because that is the copy that counts.
func (j *Journal) cover(ctx context.Context, end link) error {
	c, err := newCheckpoint(j.options.Signer, end, j.options.Now())
	if err != nil {
		return err
	}
	if j.options.Checkpoints != "" {
		if err := appendOutside(j.options.Checkpoints, c); err != nil {
			return explainFull(err)
		}
	}
	if err := j.store.sign(ctx, c); err != nil {
		return err
	}
	j.covered = end
	j.metrics.covered.Store(end.sequence)
	return nil
}

// Healthy tells whether checkpoints are made: nil, or why not once several in a row have
// failed, or at once if the chain is broken or was rolled back. Records are written
// meanwhile, but their proof is missing.
func (j *Journal) Healthy() error { return j.health.verdict() }

// health remembers how checkpoints went.
type health struct {
	mu       sync.Mutex
	failures int // in a row
	last     error
}

// tolerated is how many checkpoints in a row may fail before it matters.
const tolerated = 2

func (h *health) judge(err error, due bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch h.last = err; {
	case err == nil:
		h.failures = 0
	case due:
		h.failures++
	}
}

func (h *health) verdict() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.failures > tolerated || altered(h.last) {
		return h.last
	}
	return nil
}

// altered tells whether an error is of a chain that is not as it was written.
func altered(err error) bool { return errors.Is(err, ErrBroken) || errors.Is(err, ErrRolledBack) }

// resume finds the last checkpoint and refuses a journal that lacks what it signed.
// Going on from there would make a second past.
func (j *Journal) resume(ctx context.Context) error {
	ring, err := j.ring()
	if err != nil {
		return fmt.Errorf("opening journal: %w", err)
	}
	c, where, err := j.lastCheckpoint(ctx, ring)
	if err != nil || c == nil {
		return err
	}
	j.covered = c.link()
	fits, err := j.holds(ctx, j.covered)
	if err == nil && !fits {
		err = fmt.Errorf("%w: record %d of %s is not as signed; verify, restore the newer journal, "+
			"or move those checkpoints aside to go on without them", ErrRolledBack, c.Sequence, where)
	}
	return err
}

// lastCheckpoint is the one outside the store, or in it if none are kept outside; nil if
// there is none. In the store we believe only keys that we know: whoever can write there
// can write a checkpoint by any other.
func (j *Journal) lastCheckpoint(ctx context.Context, ring keyring) (c *Checkpoint, where string, err error) {
	where = j.options.Checkpoints
	if where == "" {
		c, err = j.store.newest(ctx, func(c *Checkpoint) bool { return ring.check(c) == nil })
		return c, "the store", err
	}
	c, err = lastOutside(where)
	if err == nil && c != nil && ring[c.KeyID] != nil {
		err = ring.check(c)
	}
	if err != nil {
		err = fmt.Errorf("reading checkpoints %s: %w", where, err)
	}
	return c, where, err
}

// holds tells whether the journal holds a record, or may well have held it before it was
// retired.
func (j *Journal) holds(ctx context.Context, l link) (bool, error) {
	r, err := j.store.bySequence(ctx, l.sequence)
	if !errors.Is(err, sql.ErrNoRows) {
		return r.Hash == l.hash, err
	}
	s, err := j.store.stub(ctx)
	return s != nil && s.Sequence >= l.sequence, err
}
