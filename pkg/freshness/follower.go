package freshness

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mandated/mandated/pkg/register"
)

// Source is the primary's change feed. *register.Register is one.
type Source interface {
	Poll(ctx context.Context, known register.Revision, limit int) (register.News, error)
}

// ErrClock is wrapped by the error of a node whose clock is not the database's: it
// decides nothing, because it would begin and end mandates at other moments.
var ErrClock = errors.New("the clock of this machine and that of the database differ: set them right, with NTP")

// Follower keeps the view up to date. It may be used by many goroutines; Follow is for
// one at a time.
type Follower struct {
	source Source
	lease  time.Duration
	clock  Clock
	rules  []rule
	bounds bounds

	polling sync.Mutex           // polls take turns: each view grows from the one before
	hurry   chan struct{}        // a poll is wanted before its time
	view    atomic.Pointer[View] // nil: none can be trusted
	told    atomic.Pointer[told] // the time; nil: never
	metrics *metrics
}

// told is the time by the database's clock, read between two moments of ours.
type told struct {
	database       time.Time
	sent, received Moment
}

// New makes a follower of a register's feed with that register's lease.
func New(s Source, lease time.Duration, c Clock) *Follower {
	f := &Follower{source: s, lease: lease, clock: c, rules: rules, bounds: usual, hurry: make(chan struct{}, 1)}
	f.metrics = newMetrics(f)
	return f
}

// Judge tells whether a kept decision may be served for a question that arrived before
// the call, and the newest revision of the view that judged.
func (f *Follower) Judge(c Claim, q Question) (register.Revision, Why) {
	v := f.view.Load()
	why := v.judge(f.rules, f.lease, c, q, f.clock())
	f.metrics.judged(why)
	if v == nil {
		return 0, why
	}
	if c.Stamp.Revision > v.newest.Revision {
		f.hasten()
	}
	return v.newest.Revision, why
}

// hasten asks for a poll now: somebody has seen a later revision than the view.
func (f *Follower) hasten() {
	select {
	case f.hurry <- struct{}{}:
	default:
	}
}

// Confirmed gives the newest revision of the view, if it was confirmed within the lease.
func (f *Follower) Confirmed() (register.Stamp, bool) {
	v := f.view.Load()
	if v == nil {
		return register.Stamp{}, false
	}
	now := f.clock()
	age := now.Wall.Sub(v.confirmed.Wall)
	return v.newest, now.Steady-v.confirmed.Steady < f.lease && age >= 0 && age < f.lease
}

// Clock gives ErrClock if this machine's clock is more than two seconds from the
// database's, as the last poll that succeeded was told it. The monotonic clock has counted
// from there, so a clock that was set since is found out as well, and nobody decides by it
// until the next poll; nor does a machine that has slept.
func (f *Follower) Clock() error {
	t := f.told.Load()
	if t == nil {
		return nil
	}
	if apart := t.apart(f.clock()); apart > register.MostSkew {
		return fmt.Errorf("%w (%v apart)", ErrClock, apart.Round(time.Millisecond))
	}
	return nil
}

// apart is how far the wall clock is, at least, from the time that it must be by now.
func (t *told) apart(now Moment) time.Duration {
	earliest := t.database.Add(now.Steady - t.received.Steady)
	latest := t.database.Add(now.Steady - t.sent.Steady)
	return max(earliest.Sub(now.Wall), now.Wall.Sub(latest), 0)
}

// age is how long ago the view was confirmed; negative if there is none.
func (f *Follower) age() time.Duration {
	if v := f.view.Load(); v != nil {
		return f.clock().Steady - v.confirmed.Steady
	}
	return -1
}

// Poll asks the register once. After an error the view is as it was, and no younger.
func (f *Follower) Poll(ctx context.Context) error {
	f.polling.Lock()
	defer f.polling.Unlock()
	v := f.view.Load()
	known := register.Revision(0)
	if v != nil {
		known = v.newest.Revision
	}
	sent := f.clock()
	news, err := f.source.Poll(ctx, known, f.bounds.window)
	if err != nil {
		f.metrics.polled("failed")
		return fmt.Errorf("following the change feed: %w", err)
	}
	f.told.Store(&told{news.Database, sent, f.clock()})
	if v == nil {
		f.view.Store(first(f.bounds, news, sent))
		f.metrics.polled("confirmed")
		return nil
	}
	w := v.next(news, sent)
	f.view.Store(w)
	if w == nil {
		f.metrics.polled("discarded")
		return fmt.Errorf("the register is not the one it was at revision %d: nothing kept from it counts any more", known)
	}
	f.metrics.polled("confirmed")
	if last := len(news.Changes) - 1; last >= 0 {
		f.metrics.learned(news.Database.Sub(news.Changes[last].At))
	}
	return nil
}

// Follow polls four times a lease until ctx ends, and sooner when there is news that the
// view does not have yet, which hastens things and decides nothing. problem hears of every
// poll: the error, or nil.
func (f *Follower) Follow(ctx context.Context, problem func(error)) {
	ticker := time.NewTicker(max(f.lease/4, time.Millisecond))
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		case <-f.hurry:
		}
		polling, done := context.WithTimeout(ctx, max(f.lease, 50*time.Millisecond))
		err := f.Poll(polling)
		done()
		if ctx.Err() == nil {
			problem(err)
		}
	}
}
