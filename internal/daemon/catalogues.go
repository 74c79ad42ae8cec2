package daemon

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/mandated/mandated/pkg/catalogue"
	"github.com/mandated/mandated/pkg/register"
)

// catalogues keeps the parsed versions of the service catalogue that were asked for last;
// tens of megabytes each. One that is not at hand is read from the snapshot that names it,
// where it was verified before it was kept: by one request while the others that need it
// wait, and only once, also if it fails.
type catalogues struct {
	now func() time.Time

	mu      sync.Mutex
	entries map[int64]*catalogueEntry
	used    []int64 // of entries, the one asked for last at the end
}

// keptCatalogues is how many stay at hand: the current one, the one before it, which
// snapshots just begun may still name, and one that somebody looks back at.
const keptCatalogues = 3

// catalogueEntry is one version; parsed and err are set when done is closed.
type catalogueEntry struct {
	done   chan struct{}
	parsed *catalogue.Catalogue
	err    error
}

func newCatalogues(now func() time.Time) *catalogues {
	return &catalogues{now: now, entries: map[int64]*catalogueEntry{}}
}

// Of gives the catalogue that was current at the snapshot, if need be when it has been
// parsed.
func (c *catalogues) Of(s *register.Snapshot) (*catalogue.Catalogue, error) {
	e := c.find(s)
	<-e.done
	return e.parsed, e.err
}

// find finds the entry of the catalogue that was current at the snapshot. If there is
// none the document is read, and is being parsed from then on.
func (c *catalogues) find(s *register.Snapshot) *catalogueEntry {
	return c.edition(s, s.CatalogueSequence())
}

// edition finds the entry of an edition that the snapshot knows.
func (c *catalogues) edition(s *register.Snapshot, sequence int64) *catalogueEntry {
	e, mine := c.entry(sequence)
	if !mine {
		return e
	}
	version, err := s.Catalogue(sequence)
	if err != nil {
		c.forget(sequence, e) // the store failed, not the catalogue: the next one asks again
		e.err = fmt.Errorf("finding service catalogue %d: %w", sequence, err)
		close(e.done)
		return e
	}
	go c.parse(e, version)
	return e
}

func (c *catalogues) parse(e *catalogueEntry, version register.CatalogueVersion) {
	defer close(e.done)
	defer func() {
		if broken := recover(); broken != nil { // a mistake of ours is no answer, and ends no process
			e.err = fmt.Errorf("reading service catalogue %d again: panic: %v", version.Sequence, broken)
		}
	}()
	var err error
	if e.parsed, _, err = catalogue.Parse(version.Document, catalogue.Trust{File: true}, c.now()); err != nil {
		e.err = fmt.Errorf("reading service catalogue %d again: %w", version.Sequence, err)
	}
}

// ready tells whether it is known what came of an entry.
func (e *catalogueEntry) ready() bool {
	select {
	case <-e.done:
		return true
	default:
		return false
	}
}

// Loaded gives a catalogue that has been read without a fault.
func (c *catalogues) Loaded(sequence int64) (*catalogue.Catalogue, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.entries[sequence]
	if e == nil || !e.ready() || e.err != nil {
		return nil, false
	}
	c.use(sequence)
	return e.parsed, true
}

// entry finds an entry or makes one, which is then the caller's to finish.
func (c *catalogues) entry(sequence int64) (e *catalogueEntry, mine bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.entries[sequence]
	if !ok {
		e = &catalogueEntry{done: make(chan struct{})}
		c.entries[sequence] = e
	}
	c.use(sequence)
	return e, !ok
}

// use puts an entry last, and lets those go that nobody has asked for in a long time. One
// that somebody waits for stays. The caller holds the lock.
func (c *catalogues) use(sequence int64) {
	if last := len(c.used) - 1; last >= 0 && c.used[last] == sequence {
		return
	}
	c.used = slices.DeleteFunc(c.used, func(n int64) bool { return n == sequence })
	c.used = append(c.used, sequence)
	for i := 0; len(c.used) > keptCatalogues && i < len(c.used)-1; {
		if oldest := c.used[i]; c.entries[oldest].ready() {
			c.drop(oldest)
			continue
		}
		i++
	}
}

func (c *catalogues) drop(sequence int64) {
	delete(c.entries, sequence)
	c.used = slices.DeleteFunc(c.used, func(n int64) bool { return n == sequence })
}

// forget drops an entry, unless another has taken its place.
func (c *catalogues) forget(sequence int64, e *catalogueEntry) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.entries[sequence] == e {
		c.drop(sequence)
	}
}

// add puts a catalogue at hand before the register names it. The entry is nil if that
// version was at hand already.
func (c *catalogues) add(parsed *catalogue.Catalogue) *catalogueEntry {
	e, mine := c.entry(parsed.Sequence())
	if !mine {
		return nil
	}
	e.parsed = parsed
	close(e.done)
	return e
}

// wait waits until it is worth asking again. When whoever read the catalogue went away,
// that is no failure of those who waited.
func (e *catalogueEntry) wait(ctx context.Context) error {
	select {
	case <-e.done:
	case <-ctx.Done():
		return ctx.Err()
	}
	if errors.Is(e.err, context.Canceled) || errors.Is(e.err, context.DeadlineExceeded) {
		return nil
	}
	return e.err
}
