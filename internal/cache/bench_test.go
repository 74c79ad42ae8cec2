package cache

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// decision is a value as long as a usual Permit.
var decision = strings.Repeat("x", 600)

func BenchmarkMemoryHit(b *testing.B) {
	s := play(b, Options{Memory: 64 << 20, Now: time.Now})
	keys := make([]string, 50_000)
	for i := range keys {
		keys[i] = fmt.Sprint(tuple, i)
		s.Put(keys[i], decision, time.Time{})
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		s.Memory(keys[i%len(keys)])
	}
}

func BenchmarkMemoryHitParallel(b *testing.B) {
	s := play(b, Options{Memory: 64 << 20, Now: time.Now})
	s.Put(tuple, decision, time.Time{})
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			s.Memory(tuple)
		}
	})
}

// The bar is 100 microseconds for a look into Redis.
func BenchmarkRedisHit(b *testing.B) {
	s, _ := single(b)
	s.keep(b, tuple, decision)
	b.ReportAllocs()
	for b.Loop() {
		if _, found := s.Redis(ctx, tuple); !found {
			b.Fatal("lost")
		}
	}
}

func BenchmarkRedisMiss(b *testing.B) {
	s, _ := single(b)
	for b.Loop() {
		s.Redis(ctx, "nobody")
	}
}

// BenchmarkPut measures what the caller waits for: memory, and the queue to Redis.
func BenchmarkPut(b *testing.B) {
	s := play(b, Options{Memory: 64 << 20, Now: time.Now})
	keys := make([]string, 50_000)
	for i := range keys {
		keys[i] = fmt.Sprint(tuple, i)
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		s.Put(keys[i%len(keys)], decision, time.Time{})
	}
}

// BenchmarkWrite measures how many values per second reach Redis.
func BenchmarkWrite(b *testing.B) {
	s, _ := single(b)
	s.keep(b, tuple, decision)
	batch := make([]parcel[string], batchLength)
	for b.Loop() {
		for i := range batch {
			batch[i] = parcel[string]{fmt.Sprint(tuple, i), decision, s.time().Add(time.Minute)}
		}
		s.remote.send(ctx, batch)
	}
	b.ReportMetric(float64(b.N*batchLength)/b.Elapsed().Seconds(), "values/s")
}
