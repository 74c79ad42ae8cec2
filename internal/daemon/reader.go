package daemon

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/mandated/mandated/internal/postgres"
	"github.com/mandated/mandated/pkg/freshness"
	"github.com/mandated/mandated/pkg/register"
)

// reader reads the register's replica while that is known to be up to date, and the
// primary otherwise.
type reader struct {
	*register.Register // the primary
	standby            *register.Register
	follower           *freshness.Follower

	lost atomic.Int64 // when the replica was last found lost, unix nanoseconds
}

// A replica that is there answers in milliseconds. One that is lost may say so or hang: no
// question waits longer for it than standbyPatience, and for standbyRespite none asks it.
const (
	standbyPatience = 500 * time.Millisecond
	standbyRespite  = time.Second
)

// errBehind: the replica has not yet replayed what this node knows of.
var errBehind = errors.New("the replica is behind")

// Read gives a snapshot that holds whatever was acknowledged before the call. What the
// replica cannot do, the primary does, so fn may be called again.
func (r *reader) Read(ctx context.Context, fn func(*register.Snapshot) error) error {
	if r.standby != nil && time.Since(time.Unix(0, r.lost.Load())).Abs() > standbyRespite {
		if view, confirmed := r.follower.Confirmed(); confirmed && r.readStandby(ctx, view, fn) == nil {
			return nil
		}
	}
	return r.Register.Read(ctx, fn)
}

// readStandby reads the replica: the view was confirmed less than a lease ago, so it holds
// whatever was acknowledged, and the replica holds the view.
func (r *reader) readStandby(ctx context.Context, view register.Stamp, fn func(*register.Snapshot) error) error {
	asking, done := context.WithTimeout(ctx, standbyPatience)
	defer done()
	err := r.standby.Read(asking, func(s *register.Snapshot) error {
		if known, err := s.Knows(view); err != nil || !known {
			return errors.Join(errBehind, err)
		}
		return fn(s)
	})
	if postgres.Lost(err) && ctx.Err() == nil {
		r.lost.Store(time.Now().UnixNano())
	}
	return err
}
