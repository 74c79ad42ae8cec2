package daemon

import (
	"context"

	"github.com/mandated/mandated/internal/look"
	"github.com/mandated/mandated/internal/manage/pages"
	"github.com/mandated/mandated/internal/server"
	"github.com/mandated/mandated/pkg/catalogue"
	"github.com/mandated/mandated/pkg/decision"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/pdp"
	"github.com/mandated/mandated/pkg/register"
)

// works is what the register's staff see of a running daemon.
type works struct{ *Daemon }

var _ pages.Works = works{}

// Record finds a decision by what people call it.
func (w works) Record(ctx context.Context, name string) (pdp.Record, error) {
	_, record, err := FindRecord(ctx, w.journal, name)
	return record, err
}

// Decisions are those of the last days, as far as they are counted.
func (w works) Decisions(ctx context.Context, days int) ([]pages.Decided, error) {
	return w.tally.count(ctx, w.journal, w.now(), days, mostCounted)
}

// Explain says why something was refused, as the pages for users do.
func (works) Explain(l look.Language, code decision.Code, m *mandate.Mandate, needs etoegang.AssuranceLevel) (why, next string) {
	return server.Explain(l, code, m, needs)
}

// Peers are the files with metadata, and whom they describe.
func (w works) Peers() []pages.Source { return w.peers.list() }

// Edition is an edition of the service catalogue that the register has decided by.
func (w works) Edition(ctx context.Context, sequence int64) (*catalogue.Catalogue, error) {
	var e *catalogueEntry
	if err := w.register.Read(ctx, func(s *register.Snapshot) error {
		e = w.catalogues.edition(s, sequence)
		return nil
	}); err != nil {
		return nil, err
	}
	<-e.done
	return e.parsed, e.err
}

// ReadEdition reads an edition as the daemon would if it were put in its place, and leaves it at
// that: one at a time, since a big one takes much memory.
func (w works) ReadEdition(document []byte) (*catalogue.Catalogue, error) {
	w.reading.Lock()
	defer w.reading.Unlock()
	c := w.asRead.Load()
	trust, err := c.trust(c.Catalogue)
	if err != nil {
		return nil, err
	}
	read, _, err := catalogue.Parse(document, catalogue.Trust(trust), w.now())
	return read, err
}
