package cache

import (
	"math"
	"time"

	"github.com/maypok86/otter/v2"
	"github.com/prometheus/client_golang/prometheus"
)

// overhead is what an entry weighs beside its key and value: the node, its place in
// the table and the value's end. Measured; TestMemoryKeepsItsBound compares it with
// the heap.
const overhead = 160

// memory is the layer in this process, bounded by bytes. Keys are compared as they
// are, not by a hash.
type memory[V any] struct {
	entries *otter.Cache[string, entry[V]]
}

type entry[V any] struct {
	value V
	until int64 // unix nanoseconds
}

func newMemory[V any](bytes int64, size func(V) int, now func() time.Time) *memory[V] {
	weigh := func(key string, e entry[V]) uint32 {
		return uint32(min(uint64(len(key)+overhead)+uint64(max(size(e.value), 0)), math.MaxUint32))
	}
	remaining := func(e otter.Entry[string, entry[V]]) time.Duration {
		return time.Duration(e.Value.until - e.SnapshotAtNano)
	}
	return &memory[V]{entries: otter.Must(&otter.Options[string, entry[V]]{
		MaximumWeight:    uint64(bytes),
		Weigher:          weigh,
		ExpiryCalculator: otter.ExpiryWritingFunc(remaining),
		Clock:            clock{now},
	})}
}

func (m *memory[V]) get(key string) (V, bool) {
	e, found := m.entries.GetIfPresent(key)
	return e.value, found
}

func (m *memory[V]) put(key string, v V, until time.Time) {
	m.entries.Set(key, entry[V]{v, until.UnixNano()})
}

func (m *memory[V]) close() { m.entries.StopAllGoroutines() }

func (m *memory[V]) gauge() prometheus.Collector {
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "mandated_cache_memory_bytes", Help: "What the hot values in this process weigh, with their keys.",
	}, func() float64 { return float64(m.entries.WeightedSize()) })
}

// clock lets the entries expire by the given clock; they are swept by the real one.
type clock struct{ now func() time.Time }

func (c clock) NowNano() int64                        { return c.now().UnixNano() }
func (c clock) Tick(d time.Duration) <-chan time.Time { return time.Tick(d) }
