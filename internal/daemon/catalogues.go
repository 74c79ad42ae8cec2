package daemon

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/mandated/mandated/pkg/catalogue"
	"github.com/mandated/mandated/pkg/pdp"
	"github.com/mandated/mandated/pkg/register"
)

// catalogues keeps the parsed versions of the service catalogue. One that is not at hand
// is read from the register, where it was verified before it was kept.
type catalogues struct {
	register *register.Register
	now      func() time.Time

	mu     sync.Mutex
	parsed map[int64]*catalogue.Catalogue
}

// At gives the catalogue with that sequence number.
func (c *catalogues) At(ctx context.Context, sequence int64) (*catalogue.Catalogue, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if known, ok := c.parsed[sequence]; ok {
		return known, nil
	}
	var version register.CatalogueVersion
	err := c.register.Read(ctx, func(s *register.Snapshot) (err error) {
		version, err = s.Catalogue(sequence)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("finding service catalogue %d: %w", sequence, err)
	}
	parsed, _, err := catalogue.Parse(version.Document, catalogue.Trust{File: true}, c.now())
	if err != nil {
		return nil, fmt.Errorf("reading service catalogue %d again: %w", sequence, err)
	}
	c.parsed[sequence] = parsed
	return parsed, nil
}

// add keeps a catalogue at hand, unless one with its number is there already.
func (c *catalogues) add(parsed *catalogue.Catalogue) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.parsed[parsed.Sequence()]; !ok {
		c.parsed[parsed.Sequence()] = parsed
	}
}

func newCatalogues(r *register.Register, now func() time.Time) *catalogues {
	return &catalogues{register: r, now: now, parsed: map[int64]*catalogue.Catalogue{}}
}

// NewCatalogues finds the catalogues that a register has kept, for those who explain
// decisions without a daemon.
func NewCatalogues(r *register.Register, now func() time.Time) pdp.Catalogues {
	return newCatalogues(r, now)
}
