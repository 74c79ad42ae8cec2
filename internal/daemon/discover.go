package daemon

import (
	"context"
	"errors"
	"fmt"

	"github.com/mandated/mandated/internal/server"
	"github.com/mandated/mandated/pkg/saml"
)

// Discover asks the other registers which companies have mandated an intermediary there.
func (d *Daemon) Discover(ctx context.Context, f saml.ChainFilter) server.Discovered {
	return d.discovery.Discover(ctx, f)
}

// Discover is that for a command: with the keys and metadata of the configuration, and
// without a daemon. Metadata that cannot be read are an error, since who is missing from
// them could not be named.
func Discover(ctx context.Context, c Config, o Options, f saml.ChainFilter) (server.Discovered, error) {
	d := newDaemon(c, o)
	defer d.fetcher.close()
	now := d.now()
	if err := errors.Join(d.refreshKeys(), d.refreshMetadata(now), d.refreshState(now)); err != nil {
		return server.Discovered{}, fmt.Errorf("preparing to ask: %w", err)
	}
	return d.Discover(ctx, f), nil
}
