package cache

import (
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

var errDown = errors.New("connection refused")

// fuse is a breaker by itself, with a clock that is set.
type fuse struct {
	*breaker
	*ticker
	log  *diary
	open prometheus.Gauge
}

func newFuse() fuse {
	f := fuse{ticker: new(ticker), log: new(diary), open: prometheus.NewGauge(prometheus.GaugeOpts{Name: "open"})}
	f.set(start)
	f.breaker = &breaker{way: reading, now: f.time, open: f.open, log: slog.New(slog.NewTextHandler(f.log, nil))}
	return f
}

// fails makes n calls that fail.
func (f fuse) fails(t *testing.T, n int, why failure) {
	t.Helper()
	for range n {
		p := f.enter()
		if p == refused {
			t.Fatal("shut too early")
		}
		f.fail(p, why, errDown)
	}
}

// A few failures in a row shut it; a good answer in between does not count them
// together.
func TestBreakerShutsAfterAFewInARow(t *testing.T) {
	f := newFuse()
	f.fails(t, patience-1, failTimeout)
	f.succeed(f.enter())
	f.fails(t, patience-1, failTimeout)
	if f.enter() != through || f.log.String() != "" {
		t.Fatalf("shut too early: %s", f.log)
	}
	f.fails(t, 1, failTimeout)
	if f.enter() != refused {
		t.Error("open after a few failures in a row")
	}
	f.set(start.Add(respite - time.Nanosecond))
	if f.enter() != refused {
		t.Error("open before the respite is over")
	}
}

// When the respite is over one caller finds out, and the others still need not wait
// for what he finds.
func TestBreakerLetsOneTry(t *testing.T) {
	f := newFuse()
	f.fails(t, patience, failTimeout)
	f.set(start.Add(respite))
	if f.enter() != trial {
		t.Fatal("nobody may try")
	}
	if f.enter() != refused {
		t.Error("two try at once")
	}
	f.fail(trial, failTimeout, errDown)
	if f.enter() != refused {
		t.Error("open though the trial failed")
	}
	f.set(start.Add(2 * respite))
	if f.enter() != trial {
		t.Fatal("nobody may try again")
	}
	f.succeed(trial)
	for range 2 {
		if f.enter() != through {
			t.Error("shut though Redis answered")
		}
	}
}

// A caller who went away in the middle of the trial leaves it to the next one, and
// nobody is locked out for ever.
func TestBreakerAbandonedTrial(t *testing.T) {
	f := newFuse()
	f.fails(t, patience, failTimeout)
	f.set(start.Add(respite))
	f.abandon(f.enter())
	if f.enter() != trial {
		t.Error("the trial is nobody's")
	}
}

// Calls that were on their way when it shut end later. Their failures are old news:
// they neither put off the next trial nor let a second one in.
func TestBreakerLateFailures(t *testing.T) {
	f := newFuse()
	late := []pass{f.enter(), f.enter()}
	f.fails(t, patience, failTimeout)
	f.set(start.Add(respite - time.Millisecond))
	f.fail(late[0], failTimeout, errDown)
	f.set(start.Add(respite))
	if f.enter() != trial {
		t.Error("a late failure put off the trial")
	}
	f.fail(late[1], failTimeout, errDown)
	if f.enter() != refused {
		t.Error("a late failure let a second one try")
	}
}

// The log hears when it starts and when it is over, and another cause in between; not
// every call. The metric agrees.
func TestBreakerTellsOnce(t *testing.T) {
	f := newFuse()
	f.fails(t, patience, failConnection)
	for i := range 100 {
		f.set(start.Add(time.Duration(i+1) * respite))
		why := failConnection
		if i > 50 {
			why = failAuth
		}
		f.fail(f.enter(), why, errDown)
	}
	if f.log.times("passed by") != 2 || f.log.times("why=connection") != 1 || f.log.times("why=auth") != 1 {
		t.Errorf("log:\n%s", f.log)
	}
	if !f.shows(1) {
		t.Error("the metric says open")
	}
	f.set(start.Add(time.Hour))
	f.succeed(f.enter())
	f.succeed(f.enter())
	if f.log.times("of use again") != 1 || !f.shows(0) {
		t.Errorf("log:\n%s", f.log)
	}
	f.fails(t, patience, failConnection)
	if f.log.times("why=connection") != 2 {
		t.Errorf("a second trouble is not told:\n%s", f.log)
	}
}

func (f fuse) shows(want float64) bool {
	registry := prometheus.NewRegistry()
	registry.MustRegister(f.open)
	families, err := registry.Gather()
	return err == nil && families[0].GetMetric()[0].GetGauge().GetValue() == want
}
