package cache

import (
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

const (
	patience = 5           // failures in a row until Redis is passed by
	respite  = time.Second // until it is tried again, by one caller at a time
)

// way is a direction of traffic with Redis. Each has a breaker of its own, since a
// Redis that refuses to be written to (full, or a replica after a fail-over) may
// well be read.
type way string

const (
	reading way = "read"
	writing way = "write"
)

// breaker keeps callers from waiting for a Redis that is of no use.
type breaker struct {
	way  way
	now  func() time.Time // with a monotonic reading: a respite is real time
	open prometheus.Gauge
	log  *slog.Logger

	mu       sync.Mutex
	failures int // in a row
	shut     bool
	until    time.Time        // shut: when it may be tried again
	trying   bool             // shut: somebody does
	told     map[failure]bool // shut: causes that the log has heard
}

// pass is a leave to call Redis.
type pass int

const (
	refused pass = iota
	through
	trial // the one call that finds out whether Redis is back
)

// enter says whether Redis may be called now. Whoever was not refused must call one
// of succeed, fail and abandon.
func (b *breaker) enter() pass {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.shut {
		return through
	}
	if b.trying || b.now().Before(b.until) {
		return refused
	}
	b.trying = true
	return trial
}

// abandon is for a caller who gave up before Redis had its time: that shows nothing.
func (b *breaker) abandon(p pass) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.end(p)
}

func (b *breaker) succeed(p pass) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.end(p)
	b.failures = 0
	if b.shut {
		b.shut = false
		b.log.Info("redis is of use again for hot values", "way", string(b.way))
		b.open.Set(0)
	}
}

// fail tells each cause once between one good answer and the next: a Redis that
// comes back with another password is worth a second line, not a thousand.
func (b *breaker) fail(p pass, why failure, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.end(p)
	if b.shut && p != trial {
		return // sent before it was shut: nothing new
	}
	if b.failures++; b.failures < patience {
		return
	}
	if !b.shut {
		b.shut, b.told = true, map[failure]bool{}
	}
	b.until = b.now().Add(respite)
	if !b.told[why] {
		b.told[why] = true
		b.log.Warn("redis is passed by for hot values: answers take longer and stay right", "way", string(b.way), "why", string(why), "err", err)
	}
	b.open.Set(1)
}

func (b *breaker) end(p pass) {
	if p == trial {
		b.trying = false
	}
}
