package daemon

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mandated/mandated/pkg/catalogue"
	"github.com/mandated/mandated/pkg/pdp"
	"github.com/mandated/mandated/pkg/register"
)

// catalogues keeps the parsed versions of the service catalogue. One that is not at hand
// is read from the snapshot that names it, where it was verified before it was kept; by
// one request while the others that need it wait, and only once, also if it fails.
type catalogues struct {
	now func() time.Time

	mu      sync.Mutex
	entries map[int64]*catalogueEntry
}

// catalogueEntry is one version; parsed and err are set when once is done.
type catalogueEntry struct {
	once   sync.Once
	parsed *catalogue.Catalogue
	err    error
	ready  atomic.Bool // parsed is set
}

func newCatalogues(now func() time.Time) *catalogues {
	return &catalogues{now: now, entries: map[int64]*catalogueEntry{}}
}

// NewCatalogues finds the catalogues that a register has kept, for those who explain
// decisions without a daemon.
func NewCatalogues(now func() time.Time) pdp.Catalogues { return newCatalogues(now) }

// Of gives the catalogue that was current at the snapshot.
func (c *catalogues) Of(s *register.Snapshot) (*catalogue.Catalogue, error) {
	sequence := s.CatalogueSequence()
	e := c.entry(sequence)
	e.once.Do(func() {
		version, err := s.Catalogue(sequence)
		if err != nil {
			c.forget(sequence) // the store failed, not the catalogue: the next one asks again
			e.err = fmt.Errorf("finding service catalogue %d: %w", sequence, err)
			return
		}
		if e.parsed, _, err = catalogue.Parse(version.Document, catalogue.Trust{File: true}, c.now()); err != nil {
			e.err = fmt.Errorf("reading service catalogue %d again: %w", sequence, err)
			return
		}
		e.ready.Store(true)
	})
	return e.parsed, e.err
}

// Loaded gives a catalogue that has been read without a fault.
func (c *catalogues) Loaded(sequence int64) (*catalogue.Catalogue, bool) {
	c.mu.Lock()
	e := c.entries[sequence]
	c.mu.Unlock()
	if e == nil || !e.ready.Load() {
		return nil, false
	}
	return e.parsed, true
}

func (c *catalogues) entry(sequence int64) *catalogueEntry {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.entries[sequence]
	if !ok {
		e = &catalogueEntry{}
		c.entries[sequence] = e
	}
	return e
}

func (c *catalogues) forget(sequence int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.entries, sequence)
}

// add puts a catalogue at hand before the register names it.
func (c *catalogues) add(parsed *catalogue.Catalogue) {
	e := c.entry(parsed.Sequence())
	e.once.Do(func() {
		e.parsed = parsed
		e.ready.Store(true)
	})
}
