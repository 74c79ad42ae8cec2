// Package journal is the append-only journal of decisions: every answer has a
// durable record here before it leaves. It owns one SQLite file, apart from the
// register's so that an import never delays an answer, and one file of signed
// checkpoints outside it.
//
// It stores opaque bytes under an id. It has never heard of rules, SAML or HTTP,
// and does not look into what it keeps.
//
// Each record holds the hash of its predecessor. A chain without a key proves
// nothing to a stranger, since whoever can write the file can compute it anew; so
// every so many records, every so often and at shutdown the end of the chain is
// signed with the register's key and that checkpoint is also appended to the
// outside file, which an operator ships elsewhere. [Verify] finds any altered,
// missing or reordered record before the last checkpoint, and says how many after
// it are unproven. What it cannot find: records written after the last checkpoint
// that its holder never saw.
package journal

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mandated/mandated/internal/sqlite"
)

var (
	// ErrNotFound is returned for an id that has no record.
	ErrNotFound = errors.New("journal: no such record")
	// ErrExists is returned for an id that has a record already. The record that
	// was there is untouched.
	ErrExists = errors.New("journal: id has a record already")
	// ErrClosed is returned after Close.
	ErrClosed = errors.New("journal: closed")
	// ErrReadOnly is returned for writing to a journal opened without a signer.
	ErrReadOnly = errors.New("journal: opened without a signing key, for reading only")
	// ErrRolledBack is returned by Open for a journal that does not hold what its
	// own last checkpoint signed: an older copy was put back, or its tail is lost.
	ErrRolledBack = errors.New("journal: does not reach or fit its last checkpoint outside the store")
)

// Options say how a journal is kept. The zero value reads only.
type Options struct {
	// Signer is the register's key, RSA of 2048 bits or more. Without it the
	// journal is opened for reading only and must exist.
	Signer crypto.Signer

	// Public is the key that signed the last checkpoint outside the store, which
	// Open compares the journal with. Nil means the key of Signer. A checkpoint by
	// yet another key, left from before a rollover, is compared but its signature
	// is not checked by Open; Verify takes all keys.
	Public crypto.PublicKey

	// Checkpoints is the path of the file outside the store to which every
	// checkpoint is also appended, one JSON line each, mode 0600. Best on another
	// disk or machine. Empty: checkpoints are in the store only, and a tail that
	// is cut off together with its checkpoints is not noticed.
	Checkpoints string

	Every    int           // records per checkpoint; 1000 if zero
	Interval time.Duration // the longest that a record waits for a checkpoint; a minute if zero

	Now func() time.Time // time.Now if nil
	Log *slog.Logger     // hears of checkpoints that failed; silent if nil
}

// Journal is an open journal. All methods may be called at the same time. Several
// processes may append to one file: each transaction continues from what is there.
type Journal struct {
	options Options
	file    *sqlite.File
	group   *sqlite.Group[entry] // nil when reading only

	gate   sync.RWMutex // held for reading by whoever uses the journal, for writing by Close
	closed bool

	signing sync.Mutex // one checkpoint at a time
	covered int64      // sequence of the last checkpoint; owned by signing

	waiting atomic.Int64  // records written here since the last checkpoint
	due     chan struct{} // tells the keeper that Every is reached
	stop    chan struct{}
	kept    sync.WaitGroup
}

// Open opens the journal at path. With a signer it is created if absent and the
// goroutines that write and make checkpoints are started; Close ends them. A file
// that holds something else or was written by a newer release, a file that cannot
// be written, and a journal behind its own checkpoints (ErrRolledBack) are refused.
func Open(ctx context.Context, path string, o Options) (*Journal, error) {
	o.complete()
	if o.Signer != nil {
		if _, err := keyID(o.Signer.Public()); err != nil {
			return nil, fmt.Errorf("opening journal: signing key: %w", err)
		}
	}
	open := sqlite.Open
	if o.Signer == nil {
		open = sqlite.OpenReadOnly
	}
	file, err := open(ctx, path, format)
	if err != nil {
		return nil, err
	}
	j := &Journal{options: o, file: file, due: make(chan struct{}, 1), stop: make(chan struct{})}
	if err := j.resume(ctx); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	if o.Signer != nil {
		j.group = sqlite.NewGroup(j.write)
		j.kept.Go(j.keep)
	}
	return j, nil
}

func (o *Options) complete() {
	if o.Public == nil && o.Signer != nil {
		o.Public = o.Signer.Public()
	}
	if o.Every <= 0 {
		o.Every = 1000
	}
	if o.Interval <= 0 {
		o.Interval = time.Minute
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
}

// enter keeps the journal from being closed until the returned function is called.
func (j *Journal) enter() (leave func(), err error) {
	j.gate.RLock()
	if j.closed {
		j.gate.RUnlock()
		return nil, ErrClosed
	}
	return j.gate.RUnlock, nil
}

// Close waits for what is being appended, makes a last checkpoint and closes the
// file. It returns what went wrong with the checkpoint, but closes nevertheless.
// Closing again does nothing.
func (j *Journal) Close() error {
	j.gate.Lock()
	defer j.gate.Unlock()
	if j.closed {
		return nil
	}
	j.closed = true
	var last error
	if j.group != nil {
		close(j.stop)
		j.kept.Wait()
		last = j.checkpoint(context.Background())
		j.group.Close()
	}
	return errors.Join(last, j.file.Close())
}
