package daemon

import (
	"context"
	"crypto"
	"errors"
	"io"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/mandated/mandated/internal/guard"
	"github.com/mandated/mandated/internal/journal"
	"github.com/mandated/mandated/internal/server"
)

// watchedJournal tells the watch whether records can be written: a daemon that cannot
// write them can answer nothing, and load balancers should know.
type watchedJournal struct {
	*journal.Journal
	watch *watch
}

// Append writes a record.
func (j watchedJournal) Append(ctx context.Context, id string, body []byte) error {
	err := j.Journal.Append(ctx, id, body)
	j.watch.set("journal", err)
	return err
}

// watchedGuard tells the watch whether messages can be remembered.
type watchedGuard struct {
	*guard.Guard
	watch *watch
}

// Admit remembers a message.
func (g watchedGuard) Admit(ctx context.Context, issuer, id string, until time.Time) error {
	err := g.Guard.Admit(ctx, issuer, id, until)
	if errors.Is(err, guard.ErrReplayed) || errors.Is(err, guard.ErrLate) {
		g.watch.set("guard", nil)
		return err
	}
	g.watch.set("guard", err)
	return err
}

// Keep holds what is given out once.
func (g watchedGuard) Keep(ctx context.Context, key string, sealed []byte, until time.Time) error {
	err := g.Guard.Keep(ctx, key, sealed, until)
	g.watch.set("guard", err)
	return err
}

// Replace holds something in place of what was there.
func (g watchedGuard) Replace(ctx context.Context, key string, sealed []byte, until time.Time) error {
	err := g.Guard.Replace(ctx, key, sealed, until)
	g.watch.set("guard", err)
	return err
}

// Look gives what is kept, and leaves it.
func (g watchedGuard) Look(ctx context.Context, key string) ([]byte, error) {
	return g.given(g.Guard.Look(ctx, key))
}

// Take gives what is kept, once.
func (g watchedGuard) Take(ctx context.Context, key string) ([]byte, error) {
	return g.given(g.Guard.Take(ctx, key))
}

// given: that nothing is there is an answer.
func (g watchedGuard) given(sealed []byte, err error) ([]byte, error) {
	if errors.Is(err, guard.ErrNotFound) {
		g.watch.set("guard", nil)
		return nil, err
	}
	g.watch.set("guard", err)
	return sealed, err
}

// activeSigner signs checkpoints with the key that signs answers at the moment, so that a
// new key needs no restart.
type activeSigner struct {
	daemon *Daemon
	first  crypto.Signer // until the first refresh
}

func (s activeSigner) key() crypto.Signer {
	if state := s.daemon.state.Load(); state != nil {
		return state.Signer.Key
	}
	return s.first
}

// Public is the active key's.
func (s activeSigner) Public() crypto.PublicKey { return s.key().Public() }

// Sign signs with the active key.
func (s activeSigner) Sign(random io.Reader, digest []byte, o crypto.SignerOpts) ([]byte, error) {
	return s.key().Sign(random, digest, o)
}

// maxConnections bounds how many senders may be connected at once: each may have as many
// messages of 256 KiB under way as one connection may have streams.
const maxConnections = 1024

// maxBrowsers bounds how many browsers may be connected at once. A visitor brings little,
// but his browser keeps the connection after that, and often has several.
const maxBrowsers = 8192

// limited is a listener that accepts only so many connections at once; the rest wait in
// the system's queue.
type limited struct {
	net.Listener
	places chan struct{}
}

func limit(l net.Listener, n int) net.Listener { return &limited{l, make(chan struct{}, n)} }

// Accept waits for a connection and for a place for it.
func (l *limited) Accept() (net.Conn, error) {
	l.places <- struct{}{}
	c, err := l.Listener.Accept()
	if err != nil {
		<-l.places
		return nil, err
	}
	return &placed{Conn: c, leave: sync.OnceFunc(func() { <-l.places })}, nil
}

// placed is a connection that gives its place back.
type placed struct {
	net.Conn
	leave func()
}

// Close closes the connection.
func (c *placed) Close() error {
	defer c.leave()
	return c.Conn.Close()
}

// shared is a listener that lets nobody have more than so many connections at once: what is
// more is closed at once. Behind a proxy all come from its address, and so are one.
type shared struct {
	net.Listener
	most int

	mu   sync.Mutex
	open map[netip.Prefix]int
}

func share(l net.Listener, most int) net.Listener {
	return &shared{Listener: l, most: most, open: map[netip.Prefix]int{}}
}

// Accept waits for a connection from somebody who has not too many.
func (l *shared) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		who := server.Origin(c.RemoteAddr().String())
		if l.enter(who) {
			return &placed{Conn: c, leave: sync.OnceFunc(func() { l.leave(who) })}, nil
		}
		_ = c.Close()
	}
}

func (l *shared) enter(who netip.Prefix) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open[who] >= l.most {
		return false
	}
	l.open[who]++
	return true
}

func (l *shared) leave(who netip.Prefix) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open[who]--; l.open[who] == 0 {
		delete(l.open, who)
	}
}
