// Package cache keeps hot values: in the memory of this process, in front of a
// Redis that several processes share. It owns where they are kept and for how long
// at most, and nothing else.
//
// What it gives back is a claim and no truth: that this very value was once put
// under this very key, by somebody who holds the secret. Whether it still holds is
// for the caller to judge. So losing everything here, or any lie that Redis tells,
// costs time only.
//
// It has never heard of rules, decisions, SAML, HTTP or SQL: a key is a string of
// any bytes, a value is what a [Codec] turns into bytes.
//
// Nothing in Redis can be read or guessed without the secret: its keys are keyed
// hashes and its values are sealed, each to its own key. What cannot be opened, for
// whatever reason, is a miss and counted. A Redis that is slow, away, full or
// unwilling is passed by for a while and never an error.
//
// The user with which it works in Redis needs no more than
//
//	~mandated:1:* +getrange +set      and in a cluster also +cluster|slots
//
// What is left: whoever can write to Redis can put back an older value of the same
// key until that value's own end, which is why the caller judges; and a server that
// only pretends to be Redis may announce an answer of any length, so this trusts
// that the address is a Redis. What honest Redis holds is read to [largest] bytes.
package cache

import (
	"context"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"
)

// longest is how long anything is kept, in either layer.
const longest = 15 * time.Minute

// Layer is a place where a value was found.
type Layer string

// The layers.
const (
	InMemory Layer = "memory"
	InRedis  Layer = "redis"
)

// Codec turns values into bytes and back. Its functions are called by several
// goroutines at once and must not call the cache.
type Codec[V any] struct {
	Encode func(V) ([]byte, error)
	Decode func([]byte) (V, error) // may keep the bytes
	Size   func(V) int             // what the value weighs in memory, in bytes
}

// Options say where values are kept. The zero value keeps nothing; Metrics must be
// given.
type Options struct {
	Memory int64                 // bytes in this process, keys and bookkeeping included; 0: none
	Redis  redis.UniversalClient // of [Connect]; nil: none. Stays its giver's to close

	// Secret is 32 bytes, the same in every process that shares the Redis. Another
	// secret sees nothing of what was kept under this one.
	Secret []byte

	Timeout time.Duration // of one call to Redis, whatever happens; 50 ms if zero

	Now     func() time.Time // for expiry; time.Now if nil
	Metrics prometheus.Registerer
	Log     *slog.Logger // hears when Redis stops and starts being of use; silent if nil
}

// Cache keeps values of one kind. Its methods may be called by any number of
// goroutines.
type Cache[V any] struct {
	memory  *memory[V] // nil: none
	remote  *remote[V] // nil: none
	metrics *metrics
	now     func() time.Time
}

// New makes a cache and starts the goroutines that write to Redis and sweep memory;
// Close ends them. It does not wait for Redis, which need not be there. A secret of
// another length than 32 bytes and metrics that are registered already are mistakes
// of the program and panic.
func New[V any](c Codec[V], o Options) *Cache[V] {
	if o.Timeout <= 0 {
		o.Timeout = 50 * time.Millisecond
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	cache := &Cache[V]{now: o.Now, metrics: newMetrics(o.Metrics)}
	if o.Memory > 0 {
		cache.memory = newMemory(o.Memory, c.Size, o.Now)
		o.Metrics.MustRegister(cache.memory.gauge())
	}
	if o.Redis != nil {
		cache.remote = newRemote(c, o, cache.metrics)
	}
	return cache
}

// Memory looks in this process only. It takes well under a microsecond and does not
// allocate.
func (c *Cache[V]) Memory(key string) (value V, found bool) {
	if c.memory == nil {
		return value, false
	}
	value, found = c.memory.get(key)
	c.metrics.memory.count(found)
	return value, found
}

// Redis asks Redis, and puts what it finds into memory. It waits no longer than
// Options.Timeout, and not at all while Redis is passed by; every failure is a miss.
func (c *Cache[V]) Redis(ctx context.Context, key string) (value V, found bool) {
	if c.remote == nil {
		return value, false
	}
	value, until, found := c.remote.get(ctx, key)
	if found && c.memory != nil {
		c.memory.put(key, value, c.bounded(until)) // a clock ahead of ours may have set it
	}
	return value, found
}

// Put keeps a value until a moment at which it is of no use any more, or 15 minutes
// if that is sooner or the moment is zero. It is in memory when Put returns; Redis
// gets it in the background, or not at all if it cannot keep up. Neither key nor
// value may be changed afterwards.
func (c *Cache[V]) Put(key string, v V, until time.Time) {
	until = c.bounded(until)
	if !until.After(c.now()) {
		return
	}
	if c.memory != nil {
		c.memory.put(key, v, until)
		c.metrics.stored[InMemory].Inc()
	}
	if c.remote != nil {
		c.remote.put(key, v, until)
	}
}

func (c *Cache[V]) bounded(until time.Time) time.Time {
	if last := c.now().Add(longest); until.IsZero() || until.After(last) {
		return last
	}
	return until
}

// Close ends the goroutines and forgets what waits to be written to Redis; the
// client stays open. Afterwards values are kept in memory only. Closing again does
// nothing.
func (c *Cache[V]) Close() {
	if c.remote != nil {
		c.remote.close()
	}
	if c.memory != nil {
		c.memory.close()
	}
}
