// Package guard keeps what may be used only once. It remembers which messages were
// seen, so that a copy of one is refused; and it holds values that are given out once,
// to whichever node asks first, such as what stands behind an artifact or what a user's
// visit began with. It owns one
// SQLite file, or tables of a PostgreSQL database, or keys in a Redis, because a
// restart must not forget what somebody may still send again.
//
// It has never heard of SAML or HTTP: it is given an issuer, an id and the moment
// until which the message would be believed, or a key and a value sealed by whoever
// keeps it. It stores hashes of issuer, id and key, and in a Redis hashes that only our
// own secret can make; nothing else of them.
//
// It is asked after the signature held and before anything is decided, and looks
// and stores in one step: a look-up followed by a store loses the race between two
// copies that arrive together. If it cannot be asked, the message is refused. A store
// that is lost for a moment is asked again as long as the caller waits: each call has a
// token of its own, stored beside what it admits, so that it knows its own earlier try
// from somebody else's.
//
// What it rests on: the clock is not set back past a moment that was already reached,
// since what has expired may be forgotten; and the clocks of nodes that share a store
// differ by less than five seconds, for which each thing is remembered longer.
//
// A file and a database forget nothing that was acknowledged. A Redis can: it sends its
// writes to its replicas after it has answered, so when a master dies and a replica
// takes over, what was admitted in the last moments may be admitted once more; and after
// a restart it knows what was on its disk. Who cannot accept that keeps the guard in the
// database.
package guard

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/mandated/mandated/internal/postgres"
)

var (
	// ErrReplayed is returned for a message that was admitted before.
	ErrReplayed = errors.New("guard: message was seen before")
	// ErrLate is returned for what may be used only until a moment that has passed: to
	// remember it would promise nothing.
	ErrLate = errors.New("guard: no longer acceptable")
	// ErrExists is returned for a key under which something is kept.
	ErrExists = errors.New("guard: something is kept under this key")
	// ErrNotFound is returned for a key under which nothing is kept: never, no longer,
	// or because it was taken.
	ErrNotFound = errors.New("guard: nothing is kept under this key")
)

// skew is how much the clocks of two nodes that share a store may differ.
const skew = 5 * time.Second

// patience is how long a store that is lost is asked again, if the caller waits longer.
const patience = 10 * time.Second

// Guard is an open guard. Its methods may be called by any number of goroutines,
// except that nothing may be asked once Close has been called. Several processes
// may share one place.
type Guard struct{ backend backend }

// backend is where things are remembered. Whatever the error, nothing was promised.
type backend interface {
	// admit remembers a message, or says ErrReplayed or ErrLate.
	admit(ctx context.Context, m *message) error

	// keep holds a value, or says ErrExists or ErrLate.
	keep(ctx context.Context, v *value) error

	// replace holds a value in place of what was there, or says ErrLate.
	replace(ctx context.Context, v *value) error

	// look gives a value that has not expired, or ErrNotFound; take gives it no more.
	look(ctx context.Context, key []byte) ([]byte, error)
	take(ctx context.Context, key []byte) ([]byte, error)

	close() error
}

var _, _, _ backend = &fileStore{}, &databaseStore{}, &redisStore{}

// Open opens the guard at place, a file or a PostgreSQL database, or creates it. A nil
// now means time.Now. A place that holds something else or cannot be written is refused.
func Open(ctx context.Context, place string, now func() time.Time) (*Guard, error) {
	if now == nil {
		now = time.Now
	}
	open := openFile
	if postgres.IsPlace(place) {
		open = openDatabase
	}
	b, err := open(ctx, place, now)
	if err != nil {
		return nil, err
	}
	return &Guard{b}, nil
}

// Admit remembers (issuer, id) at least until the given moment, that moment included.
// When it returns nil the store has it, and no other call with the same two, in this
// process or another, returns nil before the moment has passed.
//
// ErrReplayed: it was there. ErrLate: the moment has passed. Any other error means
// that the guard could not be asked, and the message may be remembered nevertheless.
// Whatever the error, the caller refuses the message.
func (g *Guard) Admit(ctx context.Context, issuer, id string, until time.Time) error {
	m := &message{key: hash(issuer, id), token: newToken(), until: roundUp(until)}
	return asked(g.backend.admit(ctx, m))
}

// Keep holds a value until the given moment, that moment included, for whoever takes it
// first. The key must be one that nobody can guess, and is used once. The value is
// stored as it is: the caller seals it.
//
// ErrExists: the key is in use. ErrLate: the moment has passed. After any other error
// the value may be there or not.
func (g *Guard) Keep(ctx context.Context, key string, sealed []byte, until time.Time) error {
	v := &value{key: hash(key), token: newToken(), sealed: sealed, until: roundUp(until)}
	return asked(g.backend.keep(ctx, v))
}

// Replace is Keep for a value that takes the place of what was kept under its key: of two
// at the same time one stays.
func (g *Guard) Replace(ctx context.Context, key string, sealed []byte, until time.Time) error {
	v := &value{key: hash(key), token: newToken(), sealed: sealed, until: roundUp(until)}
	return asked(g.backend.replace(ctx, v))
}

// Look gives what is kept under the key, and leaves it there. ErrNotFound: there is nothing,
// or it is too late.
func (g *Guard) Look(ctx context.Context, key string) ([]byte, error) {
	sealed, err := g.backend.look(ctx, hash(key))
	return sealed, asked(err)
}

// Take gives what is kept under the key, to one caller only, in this process or another.
//
// ErrNotFound: there is nothing, or it is too late. After any other error the value may
// be there or gone: it is given at most once, and an answer that was lost on the way does
// not come again.
func (g *Guard) Take(ctx context.Context, key string) ([]byte, error) {
	sealed, err := g.backend.take(ctx, hash(key))
	return sealed, asked(err)
}

// Close finishes what is being asked and closes the store. A Redis client is its
// owner's to close. Closing again does nothing.
func (g *Guard) Close() error { return g.backend.close() }

// asked says what was being done when an error is not one of ours.
func asked(err error) error {
	for _, ours := range []error{nil, ErrReplayed, ErrLate, ErrExists, ErrNotFound} {
		if err == ours {
			return err
		}
	}
	return fmt.Errorf("asking the replay guard: %w", err)
}

// message is what is to be admitted.
type message struct {
	key     []byte
	token   []byte
	until   int64 // unix milliseconds
	refusal error // answer of a store that writes many at once
}

// value is what is to be kept.
type value struct {
	key    []byte
	token  []byte
	sealed []byte
	until  int64
}

// taking remembers that the answer to a try was lost: what is not there afterwards may
// have been given to us.
type taking struct{ lost error }

func (t *taking) heard(err error) error {
	if err == ErrNotFound && t.lost != nil {
		return fmt.Errorf("%w (%v)", errGone, t.lost)
	}
	t.lost = err
	return err
}

// errGone does not pass: to ask again would be of no use.
var errGone = errors.New("the value is gone, perhaps by a try whose answer was lost")

// notNull is a value as a table has it: a nil slice would be NULL.
func notNull(value []byte) []byte {
	if value == nil {
		return []byte{}
	}
	return value
}

// newToken is how a call knows its own earlier tries.
func newToken() []byte {
	token := make([]byte, 16)
	_, _ = rand.Read(token) // never fails
	return token
}

// hash hashes the parts, each after its length, so that no two lists look alike.
func hash(parts ...string) []byte {
	h := sha256.New()
	for _, part := range parts {
		h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(part))))
		h.Write([]byte(part))
	}
	return h.Sum(nil)
}

// roundUp gives the first millisecond that is not before t: nothing is forgotten
// a fraction too early.
func roundUp(t time.Time) int64 {
	return t.Add(time.Millisecond - 1).UnixMilli()
}
