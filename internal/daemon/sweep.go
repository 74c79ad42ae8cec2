package daemon

import (
	"context"
	"errors"
	"time"

	"github.com/mandated/mandated/internal/desk"
	"github.com/mandated/mandated/pkg/mandate"
)

// What time does to requests, mandates and appointments somebody has to write down, and tell.
// sweepEvery is how often somebody looks; nothing depends on it but lists: whoever answers a
// request that is too old is told so before. What ends soon is days away, and what nobody has
// used for years can wait for a day.
const (
	sweepEvery = 10 * time.Minute
	warnEvery  = time.Hour
	lapseEvery = 24 * time.Hour
)

// sweeper is when each was last done.
type sweeper struct{ warned, lapsed time.Time }

// sweeping sweeps until ctx ends. Nodes take turns at it as at every change, and who comes
// second finds nothing.
func (d *Daemon) sweeping(ctx context.Context) {
	ticker := time.NewTicker(sweepEvery)
	defer ticker.Stop()
	var s sweeper
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			d.sweep(ctx)
			d.foresee(ctx, &s)
		}
	}
}

// sweep ends the requests that nobody has answered.
func (d *Daemon) sweep(ctx context.Context) {
	switch n, err := d.desk().Expire(ctx); {
	case ctx.Err() != nil:
	case err != nil:
		d.log.Warn("requests that have waited too long could not be ended", "cause", err)
	case n > 0:
		d.log.Info("requests that have waited too long were ended", "requests", n)
	}
}

func (d *Daemon) desk() *desk.Desk {
	return desk.New(d.register, d.catalogues).With(d.terms)
}

// foresee tells of what ends soon, and ends what nobody uses, if it is time for that. What
// could not be done is tried again at the next sweep.
func (d *Daemon) foresee(ctx context.Context, s *sweeper) {
	now := d.now()
	if now.Sub(s.warned) >= warnEvery && d.warn(ctx) {
		s.warned = now
	}
	if d.config.Unused > 0 && now.Sub(s.lapsed) >= lapseEvery && d.lapse(ctx) {
		s.lapsed = now
	}
}

func (d *Daemon) warn(ctx context.Context) bool {
	n, err := d.desk().Warn(ctx)
	switch {
	case ctx.Err() != nil:
	case err != nil:
		d.log.Warn("those whose mandates end soon could not be told", "cause", err)
	case n > 0:
		d.log.Info("those concerned are told of what ends soon", "notices", n)
	}
	return err == nil
}

func (d *Daemon) lapse(ctx context.Context) bool {
	warned, ended, err := d.desk().Lapse(ctx, d.config.Unused, d.used)
	switch {
	case ctx.Err() != nil:
	case errors.Is(err, desk.ErrUsesBehind):
		d.log.Warn("no mandate ends for want of use until all uses are known", "cause", err)
	case err != nil:
		d.log.Warn("mandates that nobody uses could not be ended", "cause", err)
	}
	if warned+ended > 0 {
		d.log.Info("mandates that nobody uses", "warned", warned, "ended", ended)
	}
	return err == nil
}

// used asks the journal when mandates were last used.
func (d *Daemon) used(ctx context.Context, ids []mandate.ID) (u desk.Used, err error) {
	known, err := d.journal.LastUse(ctx, ids)
	if err != nil {
		return u, err
	}
	u = desk.Used{Last: make(map[mandate.ID]time.Time, len(known.Last)), Since: known.Since, UpTo: known.UpTo}
	for id, use := range known.Last {
		u.Last[id] = use.At
	}
	return u, nil
}
