package daemon

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/mandated/mandated/internal/postgres"
	"github.com/mandated/mandated/pkg/freshness"
	"github.com/mandated/mandated/pkg/pdp"
	"github.com/mandated/mandated/pkg/register"
)

// reader reads the register's standby while that is known to be up to date, and the
// primary otherwise.
type reader struct {
	*register.Register // the primary
	catalogues         *catalogues
	follower           *freshness.Follower
	log                *slog.Logger

	standby atomic.Pointer[register.Register] // nil: none, or not there yet
	reads   *prometheus.CounterVec            // of the standby, by what came of them
	lost    atomic.Int64                      // when the standby was last found lost, unix nanoseconds
	failing atomic.Bool                       // the log was told so
}

func newReader(primary *register.Register, c *catalogues, f *freshness.Follower, metrics prometheus.Registerer, log *slog.Logger) *reader {
	r := &reader{Register: primary, catalogues: c, follower: f, log: log, reads: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "mandated_standby_reads_total",
		Help: "Questions that the standby was meant for, by what came of it: served, or why the primary was read.",
	}, []string{"result"})}
	metrics.MustRegister(r.reads)
	return r
}

// What can come of a read of the standby.
const (
	standbyServed      = "served"
	standbyUnconfirmed = "unconfirmed" // nobody knows what a standby must have replayed
	standbyResting     = "resting"     // it was lost a moment ago
	standbyLagging     = "lagging"
	standbyLost        = "lost"
	standbyFailed      = "failed" // it answered with an error
	standbyLeft        = "left"   // whoever asked went away
)

// A standby that is there answers in milliseconds. One that is lost may say so or hang: no
// question waits longer for it than standbyPatience, and for standbyRespite none asks it.
const (
	standbyPatience = 500 * time.Millisecond
	standbyRespite  = time.Second
)

// errLagging: the standby has not yet replayed what this node knows of.
var errLagging = errors.New("the standby has not yet replayed what this node knows of")

// errUnread: the service catalogue of a snapshot is not at hand.
var errUnread = errors.New("the service catalogue is being read")

// Read gives a snapshot that holds whatever was acknowledged before the call, and whose
// service catalogue is at hand. What the standby cannot do, the primary does, so fn may be
// called again. Nobody waits inside a snapshot for a catalogue to be parsed, which would
// keep its connection from others: he asks again afterwards, in a later snapshot.
func (r *reader) Read(ctx context.Context, fn func(*register.Snapshot) error) error {
	for {
		var unread *catalogueEntry
		err := r.readOnce(ctx, func(s *register.Snapshot) error {
			if s.CatalogueSequence() != 0 {
				e := r.catalogues.find(s)
				if !e.ready() {
					unread = e
					return errUnread
				}
				if e.err != nil {
					return e.err
				}
			}
			return fn(s)
		})
		if !errors.Is(err, errUnread) {
			return err
		}
		if err := unread.wait(ctx); err != nil {
			return err
		}
	}
}

func (r *reader) readOnce(ctx context.Context, fn func(*register.Snapshot) error) error {
	if standby := r.standby.Load(); standby != nil {
		if err := r.readStandby(ctx, standby, fn); err == nil || errors.Is(err, errUnread) {
			return err
		}
	}
	return r.Register.Read(ctx, fn)
}

// readStandby reads the standby, and counts what comes of it.
func (r *reader) readStandby(ctx context.Context, standby *register.Register, fn func(*register.Snapshot) error) error {
	if time.Since(time.Unix(0, r.lost.Load())).Abs() <= standbyRespite {
		r.reads.WithLabelValues(standbyResting).Inc()
		return errLagging
	}
	view, confirmed := r.follower.Confirmed()
	if !confirmed {
		r.reads.WithLabelValues(standbyUnconfirmed).Inc()
		return errLagging
	}
	err := replayed(ctx, standby, view, fn)
	result := resultOf(ctx, err)
	if result == standbyLost {
		r.lost.Store(time.Now().UnixNano())
	}
	r.reads.WithLabelValues(result).Inc()
	r.tell(result, err)
	return err
}

// replayed reads the standby: the view was confirmed less than a lease ago, so it holds
// whatever was acknowledged, and the standby holds the view.
func replayed(ctx context.Context, standby *register.Register, view register.Stamp, fn func(*register.Snapshot) error) error {
	asking, done := context.WithTimeout(ctx, standbyPatience)
	defer done()
	return standby.Read(asking, func(s *register.Snapshot) error {
		if known, err := s.Knows(view); err != nil || !known {
			return errors.Join(errLagging, err)
		}
		return fn(s)
	})
}

func resultOf(ctx context.Context, err error) string {
	switch {
	case err == nil, errors.Is(err, errUnread):
		return standbyServed
	case ctx.Err() != nil:
		return standbyLeft
	case postgres.Lost(err):
		return standbyLost
	case errors.Is(err, errLagging), errors.Is(err, pdp.ErrBehind):
		return standbyLagging
	}
	return standbyFailed
}

// tell tells the log when the standby begins to fail, and when it serves again. One that
// lags comes and goes with every change: the metric counts it.
func (r *reader) tell(result string, err error) {
	switch result {
	case standbyLost, standbyFailed:
		if !r.failing.Swap(true) {
			r.log.Warn("the standby cannot be read: the primary is, until it can", "cause", err)
		}
	case standbyServed:
		if r.failing.Load() && r.failing.Swap(false) {
			r.log.Info("the standby is read again")
		}
	}
}

// close closes the standby; the primary is its owner's.
func (r *reader) close() error {
	if standby := r.standby.Load(); standby != nil {
		return standby.Close()
	}
	return nil
}
