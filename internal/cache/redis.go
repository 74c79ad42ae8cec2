package cache

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	queueLength = 4096 // values that may wait to be written to Redis
	batchLength = 64   // written in one round trip
)

// remote is the layer in Redis. Reading is done by whoever asks; writing by one
// goroutine, fed by a queue that never makes anybody wait.
type remote[V any] struct {
	codec   Codec[V]
	client  redis.UniversalClient
	sealer  *sealer
	timeout time.Duration
	now     func() time.Time
	metrics *metrics
	log     *slog.Logger

	reads, writes *breaker
	told          sync.Map // reason: the hour in which the log heard of it last

	queue chan parcel[V]
	stop  func()
	done  sync.WaitGroup
}

// parcel is a value on its way to Redis.
type parcel[V any] struct {
	key   string
	value V
	until time.Time
}

func newRemote[V any](c Codec[V], o Options, m *metrics) *remote[V] {
	r := &remote[V]{
		codec: c, client: o.Redis, sealer: newSealer(o.Secret), timeout: o.Timeout,
		now: o.Now, metrics: m, log: o.Log,
		queue: make(chan parcel[V], queueLength),
	}
	r.reads = &breaker{way: reading, now: time.Now, open: m.open[reading], log: o.Log}
	r.writes = &breaker{way: writing, now: time.Now, open: m.open[writing], log: o.Log}
	ctx, stop := context.WithCancel(context.Background())
	r.stop = stop
	r.done.Go(func() { r.write(ctx) })
	return r
}

// get asks Redis and opens what it gives.
func (r *remote[V]) get(ctx context.Context, key string) (value V, until time.Time, found bool) {
	pass := r.reads.enter()
	if pass == refused {
		return value, until, false
	}
	name := r.sealer.name(key)
	sealed, err := r.fetch(ctx, name)
	switch {
	case err == nil || redis.HasErrorPrefix(err, "WRONGTYPE"):
		r.reads.succeed(pass)
	case ctx.Err() != nil:
		r.reads.abandon(pass)
		return value, until, false
	default:
		r.reads.fail(pass, r.count(err), err)
		return value, until, false
	}
	if err != nil {
		r.reject(badFormat) // a list or the like: whoever put it there, it is not ours
	} else if len(sealed) > 0 {
		value, until, found = r.open(name, key, sealed)
	}
	r.metrics.redis.count(found)
	return value, until, found
}

// fetch reads at most one byte more than any value of ours has, so that what others
// left under our name does not fill our memory. A name without a value reads as
// empty.
func (r *remote[V]) fetch(ctx context.Context, name string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, r.timeout)
	defer cancel()
	return r.client.GetRange(ctx, name, 0, largest).Bytes()
}

func (r *remote[V]) open(name, key string, sealed []byte) (value V, until time.Time, found bool) {
	plain, until, why := r.sealer.open(name, key, sealed)
	if why != "" {
		r.reject(why)
		return value, until, false
	}
	if !until.After(r.now()) {
		return value, until, false
	}
	value, err := r.codec.Decode(plain)
	if err != nil {
		r.reject(badValue)
		var none V
		return none, until, false
	}
	return value, until, true
}

// reject counts, and tells the first of its kind in an hour: somebody else writes to our
// Redis, or does so with another secret.
func (r *remote[V]) reject(why reason) {
	r.metrics.rejected[why].Inc()
	hour := r.now().Unix() / 3600
	if last, told := r.told.Swap(why, hour); !told || last != hour {
		r.log.Warn("redis holds a value under our key that is not ours: not used, others in this hour are only counted", "why", string(why))
	}
}

func (r *remote[V]) count(err error) failure {
	why := failureOf(err)
	r.metrics.failures[why].Inc()
	return why
}

// put queues a value for writing, or drops it.
func (r *remote[V]) put(key string, v V, until time.Time) {
	select {
	case r.queue <- parcel[V]{key, v, until}:
	default:
		r.metrics.dropped[dropQueue].Inc()
	}
}

func (r *remote[V]) close() {
	r.stop()
	r.done.Wait()
}

// write is the goroutine that writes.
func (r *remote[V]) write(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case first := <-r.queue:
			r.send(ctx, r.collect(first))
		}
	}
}

// collect takes what waits already, so that a busy process makes few round trips.
func (r *remote[V]) collect(first parcel[V]) []parcel[V] {
	batch := []parcel[V]{first}
	for len(batch) < batchLength {
		select {
		case next := <-r.queue:
			batch = append(batch, next)
		default:
			return batch
		}
	}
	return batch
}

func (r *remote[V]) send(ctx context.Context, batch []parcel[V]) {
	pass := r.writes.enter()
	if pass == refused {
		r.metrics.dropped[dropBypassed].Add(float64(len(batch)))
		return
	}
	call, cancel := context.WithTimeout(ctx, r.timeout)
	defer cancel()
	pipe := r.client.Pipeline()
	var sent []*redis.StatusCmd
	for _, p := range batch {
		if command := r.add(call, pipe, p); command != nil {
			sent = append(sent, command)
		}
	}
	_, err := pipe.Exec(call)
	if ctx.Err() != nil || len(sent) == 0 {
		r.writes.abandon(pass)
		return
	}
	r.conclude(pass, sent, err)
}

// add seals a value and adds it to what is sent; nil if it is not fit to be.
func (r *remote[V]) add(ctx context.Context, pipe redis.Pipeliner, p parcel[V]) *redis.StatusCmd {
	left := p.until.Sub(r.now())
	if left <= 0 {
		r.metrics.dropped[dropExpired].Inc()
		return nil
	}
	value, err := r.codec.Encode(p.value)
	if err != nil {
		r.metrics.dropped[dropEncoding].Inc()
		return nil
	}
	name := r.sealer.name(p.key)
	sealed := r.sealer.seal(name, p.key, value, p.until)
	if len(sealed) > largest {
		r.metrics.dropped[dropLarge].Inc()
		return nil
	}
	return pipe.Set(ctx, name, sealed, min(max(left, time.Second), longest))
}

// conclude counts what became of a batch. Stored is what Redis says it stored: when
// no connection can be made, the library leaves the commands without an error, and
// only that of the batch tells. One value stored shows that Redis can be written to:
// a cluster with one part missing is still of use.
func (r *remote[V]) conclude(pass pass, sent []*redis.StatusCmd, err error) {
	var stored int
	var why failure
	for _, command := range sent {
		if command.Val() == "OK" {
			stored++
			continue
		}
		switch {
		case command.Err() != nil:
			err = command.Err()
		case err == nil:
			err = fmt.Errorf("not stored, but %.20q", command.Val())
		}
		why = r.count(err)
		r.metrics.dropped[dropFailed].Inc()
	}
	r.metrics.stored[InRedis].Add(float64(stored))
	if stored > 0 {
		r.writes.succeed(pass)
	} else {
		r.writes.fail(pass, why, err)
	}
}
