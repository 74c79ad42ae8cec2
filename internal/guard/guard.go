// Package guard remembers which messages were seen, so that a copy of one is
// refused. It owns one SQLite file, because a restart or a power loss must not
// forget what somebody may still send again.
//
// It has never heard of SAML or HTTP: it is given an issuer, an id and the moment
// until which the message would be believed. It keeps a SHA-256 of the first two
// and the third, nothing else.
//
// It is asked after the signature held and before anything is decided, and looks
// and stores in one step: a look-up followed by a store loses the race between two
// copies that arrive together. If it cannot be asked, the message is refused.
//
// What it rests on: the clock is not set back past a moment that was already
// reached, since what has expired may be forgotten.
package guard

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/mandated/mandated/internal/sqlite"
)

var (
	// ErrReplayed is returned for a message that was admitted before.
	ErrReplayed = errors.New("guard: message was seen before")
	// ErrLate is returned for a message whose moment has passed: to remember it
	// would promise nothing.
	ErrLate = errors.New("guard: message is no longer acceptable")
)

// Guard is an open guard. Its methods may be called by any number of goroutines,
// except that nothing may be admitted once Close has been called. Several processes
// may share one file.
type Guard struct {
	file  *sqlite.File
	group *sqlite.Group[message]
	now   func() time.Time
}

// Open opens the guard's file at path, or creates it, and starts the goroutine that
// writes. A nil now means time.Now. A file that holds something else or cannot be
// written is refused.
func Open(ctx context.Context, path string, now func() time.Time) (*Guard, error) {
	file, err := sqlite.Open(ctx, path, format)
	if err != nil {
		return nil, err
	}
	if now == nil {
		now = time.Now
	}
	g := &Guard{file: file, now: now}
	g.group = sqlite.NewGroup(g.write)
	return g, nil
}

// Admit remembers (issuer, id) until the given moment, that moment included. When
// it returns nil this is on disk, and no other call with the same two, in this
// process or another, returns nil before the moment has passed.
//
// ErrReplayed: it was there. ErrLate: the moment has passed. Any other error means
// that the guard could not be asked; if ctx ended, the message may be remembered
// nevertheless. Whatever the error, the caller refuses the message.
func (g *Guard) Admit(ctx context.Context, issuer, id string, until time.Time) error {
	m := &message{key: keyOf(issuer, id), until: roundUp(until)}
	if err := g.group.Do(ctx, m); err != nil {
		return fmt.Errorf("asking the replay guard: %w", err)
	}
	return m.refusal
}

// Close finishes what is being admitted and closes the file. Closing again does
// nothing.
func (g *Guard) Close() error {
	g.group.Close()
	return g.file.Close()
}

// message is what the writing goroutine is given.
type message struct {
	key     []byte
	until   int64 // unix milliseconds
	refusal error // answer
}

// keyOf hashes both, each after its length, so that no two pairs look alike.
func keyOf(issuer, id string) []byte {
	h := sha256.New()
	for _, part := range []string{issuer, id} {
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
