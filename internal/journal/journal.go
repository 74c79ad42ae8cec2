// Package journal is the append-only journal of decisions: every answer has a
// durable record here before it leaves. It owns its records, in an SQLite file apart
// from the register's so that an import never delays an answer, or in tables of a
// PostgreSQL database; and one file of signed checkpoints outside either.
//
// It stores opaque bytes under an id. It has never heard of rules, SAML or HTTP, and does
// not look into what it keeps. When a mandate was last used it is told by a function that
// can read a record, and keeps beside the records (LastUse).
//
// Each record holds the hash of its predecessor. A chain without a key proves
// nothing to a stranger, since whoever can write the store can compute it anew; so
// every so many records, every so often and at shutdown the end of the chain is
// signed with the register's key and that checkpoint is also appended to the
// outside file, which an operator ships elsewhere. Before anything is signed the
// chain is read again from the last checkpoint on, each record once by each process:
// none is ever put over a chain that was found broken. [Verify] finds any altered,
// missing or reordered record before the last checkpoint, and says how many after it are
// unproven. What it cannot find: records written after the last checkpoint that its
// holder never saw.
//
// There is one chain, however many processes append to it: on PostgreSQL one row is
// locked while a group of records joins the end. A chain per process would save them
// waiting for each other, at the price of joining the chains again: which process had
// how many records, and whether all of one were removed, would be known only from
// checkpoints that name every chain. One chain is proven by one number and one hash,
// and each process's checkpoint covers the records of all. The price is that groups
// of all processes follow each other, one fsync of the database each.
//
// Records leave in one way: [Retire] deletes those at the front that are old enough,
// and leaves a [Stub] there, signed in words of its own.
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

	"github.com/prometheus/client_golang/prometheus"

	"github.com/mandated/mandated/internal/group"
	"github.com/mandated/mandated/pkg/mandate"
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
	// ErrRolledBack is returned for a journal that does not hold what its own last
	// checkpoint signed: an older copy was put back, or its tail is lost.
	ErrRolledBack = errors.New("journal: does not reach or fit its last checkpoint")
	// ErrBroken is returned for a chain that is not as it was written. Nothing is
	// signed or deleted over it.
	ErrBroken = errors.New("journal: the chain is broken")
)

// Options say how a journal is kept. The zero value reads only.
type Options struct {
	// Signer is the register's key, RSA of 2048 bits or more. Without it the
	// journal is opened for reading only and must exist.
	Signer crypto.Signer

	// Keys are others that may have signed, such as those before a rollover. Open
	// compares the last checkpoint outside the store with the journal whoever signed
	// it, but checks its signature only if the key is Signer's or one of these.
	// Retire believes no checkpoint and no stub by another. Verify takes its own keys.
	Keys []crypto.PublicKey

	// Checkpoints is the path of the file outside the store to which every
	// checkpoint is also appended, one JSON line each, mode 0600. Best on another
	// disk or machine; each node has its own. Empty: checkpoints are in the store
	// only, and a tail that is cut off together with its checkpoints is not noticed.
	Checkpoints string

	Every    int           // records per checkpoint; 1000 if zero
	Interval time.Duration // the longest that a record waits for a checkpoint; a minute if zero

	// Used reads from a record's body by which mandates it permitted something, and at
	// which service; none if it permitted nothing. With it an open journal keeps when
	// mandates were last used, as LastUse tells, and looks for new records that often:
	// every second if Follow is zero. A body that it cannot read ends that there, and the
	// log says so. Retire needs it, so that no use is forgotten with its record.
	Used   func(body []byte) (mandates []mandate.ID, service string, err error)
	Follow time.Duration

	Now     func() time.Time      // time.Now if nil
	Log     *slog.Logger          // hears of checkpoints that failed; silent if nil
	Metrics prometheus.Registerer // where the journal's metrics are registered; nowhere if nil

	// Progress hears from Retire, after each batch, how many records are gone.
	Progress func(done int64)
}

// Journal is an open journal. All methods may be called at the same time. Several
// processes may append to one place: each group continues from what is there.
type Journal struct {
	options Options
	store   store
	group   *group.Group[entry] // nil when reading only
	metrics *metrics

	gate   sync.RWMutex // held for reading by whoever uses the journal, for writing by Close
	closed bool

	signing sync.Mutex // one checkpoint at a time
	covered link       // what our last checkpoint signed; owned by signing
	proven  link       // up to where the chain was read since and found right; owned by signing
	health  health

	stretch int64 // how many records Newest looks through in one statement

	waiting atomic.Int64  // records written here since the last checkpoint
	due     chan struct{} // tells the keeper that Every is reached
	stop    chan struct{}
	kept    sync.WaitGroup

	unfollow context.CancelFunc // ends the reading of records; nil when nobody reads
}

// Open opens the journal at place, a file or a PostgreSQL database. With a signer it
// is created if absent and the goroutines that write and make checkpoints are started;
// Close ends them. A place that holds something else or was written by a newer release,
// one that cannot be written, and a journal behind its own checkpoints (ErrRolledBack)
// are refused.
func Open(ctx context.Context, place string, o Options) (*Journal, error) {
	j, err := open(ctx, place, o)
	if err != nil {
		return nil, err
	}
	if o.Signer == nil {
		return j, nil
	}
	end, err := j.store.end(ctx)
	if err != nil {
		return nil, errors.Join(err, j.store.close())
	}
	read, err := j.store.followed(ctx)
	if err != nil {
		return nil, errors.Join(err, j.store.close())
	}
	j.group = group.New(j.write)
	j.metrics = newMetrics(j, end.sequence, read)
	j.kept.Go(j.keep)
	if o.Used != nil {
		following, stop := context.WithCancel(context.Background())
		j.unfollow = stop
		j.kept.Go(func() { j.follow(following) })
	}
	return j, nil
}

// open opens the store and compares it with what was signed.
func open(ctx context.Context, place string, o Options) (*Journal, error) {
	o.complete()
	if o.Signer != nil {
		if _, err := keyID(o.Signer.Public()); err != nil {
			return nil, fmt.Errorf("opening journal: signing key: %w", err)
		}
	}
	store, err := openStore(ctx, place, o.Signer == nil)
	if err != nil {
		return nil, err
	}
	j := &Journal{options: o, store: store, stretch: stretch, due: make(chan struct{}, 1), stop: make(chan struct{})}
	if err := j.resume(ctx); err != nil {
		return nil, errors.Join(err, store.close())
	}
	return j, nil
}

func (o *Options) complete() {
	if o.Every <= 0 {
		o.Every = 1000
	}
	if o.Interval <= 0 {
		o.Interval = time.Minute
	}
	if o.Follow <= 0 {
		o.Follow = time.Second
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Progress == nil {
		o.Progress = func(int64) {}
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

// Close waits for what is being appended, makes a last checkpoint, reads the last records
// and closes the store. It returns what went wrong with the checkpoint, but closes
// nevertheless.
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
		if j.unfollow != nil {
			j.unfollow()
		}
		j.kept.Wait()
		j.group.Close()
		last = j.checkpoint(context.Background(), true)
		j.readLast()
		j.metrics.forget()
	}
	return errors.Join(last, j.store.close())
}
