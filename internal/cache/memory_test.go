package cache

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// What was put is there at once, and only under its own key.
func TestMemory(t *testing.T) {
	s := play(t, Options{Memory: 1 << 20})
	s.Put(tuple, "permit", time.Time{})
	if v, found := s.Memory(tuple); !found || v != "permit" {
		t.Errorf("got %q %v", v, found)
	}
	for _, other := range []string{"", tuple + "x", tuple[1:]} {
		if v, found := s.Memory(other); found || v != "" {
			t.Errorf("%q: got %q", other, v)
		}
	}
	s.Put(tuple, "deny", time.Time{})
	if v, _ := s.Memory(tuple); v != "deny" {
		t.Errorf("after another put: %q", v)
	}
	if yes, no := s.count(t, "mandated_cache_lookups_total", "found", "yes", "layer", "memory"), s.count(t, "mandated_cache_lookups_total", "found", "no", "layer", "memory"); yes != 2 || no != 3 {
		t.Errorf("counted %v found, %v not", yes, no)
	}
}

// A value is given until its end, and never after it; without one, or with a far
// one, for a quarter of an hour. A second put brings its own end.
func TestMemoryExpires(t *testing.T) {
	for _, c := range []struct {
		name  string
		until time.Duration
		lasts time.Duration
	}{
		{"end", time.Minute, time.Minute},
		{"short", time.Millisecond, time.Millisecond},
		{"far", time.Hour, longest},
		{"none", 0, longest},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := play(t, Options{Memory: 1 << 20})
			s.set(start)
			s.Put(tuple, "old", start.Add(time.Second))
			var until time.Time
			if c.until > 0 {
				until = start.Add(c.until)
			}
			s.Put(tuple, "new", until)
			s.set(start.Add(c.lasts - 1))
			if v, found := s.Memory(tuple); !found || v != "new" {
				t.Errorf("just before: %q %v", v, found)
			}
			s.set(start.Add(c.lasts))
			if _, found := s.Memory(tuple); found {
				t.Error("given at its end")
			}
		})
	}
}

// What is over already is not kept, and does not shorten the life of what is there.
func TestPutTooLate(t *testing.T) {
	s := play(t, Options{Memory: 1 << 20})
	s.Put(tuple, "permit", s.time())
	s.Put(tuple, "permit", s.time().Add(-time.Hour))
	if _, found := s.Memory(tuple); found {
		t.Error("kept")
	}
}

// A cache without layers has nothing and keeps nothing.
func TestNoLayers(t *testing.T) {
	s := play(t, Options{})
	s.Put(tuple, "permit", time.Time{})
	_, inMemory := s.Memory(tuple)
	_, inRedis := s.Redis(ctx, tuple)
	if inMemory || inRedis {
		t.Error("found something")
	}
}

// Whatever is put, the weight stays within the bound; a value that alone is too
// heavy is not kept.
func TestMemoryWeighsNoMore(t *testing.T) {
	const bound = 64 << 10
	rapid.Check(t, func(r *rapid.T) {
		s := play(t, Options{Memory: bound})
		defer s.Close()
		for i := range rapid.IntRange(1, 400).Draw(r, "values") {
			size := rapid.SampledFrom([]int{0, 10, 1000, 20_000, bound, 2 * bound}).Draw(r, "size")
			s.Put(fmt.Sprint("key", i%300), strings.Repeat("x", size), time.Time{})
		}
		s.memory.entries.CleanUp()
		if w := s.count(t, "mandated_cache_memory_bytes"); w > bound {
			r.Fatalf("weighs %v", w)
		}
	})
}

// The bound means the heap, keys and bookkeeping included: filled many times over
// with small values, where bookkeeping weighs most, the process does not grow much
// beyond it.
func TestMemoryKeepsItsBound(t *testing.T) {
	const bound = 8 << 20
	s := play(t, Options{Memory: bound})
	before := heap()
	for i := range 4 * bound / 300 {
		s.Put(fmt.Sprintf("%0100d", i), strings.Repeat("x", 50), time.Time{})
		if i%100 == 0 {
			s.memory.entries.CleanUp() // what a process does between two decisions
		}
	}
	s.memory.entries.CleanUp()
	grown := heap() - before
	n := s.memory.entries.EstimatedSize()
	t.Logf("%d values in %d bytes: %d each", n, grown, grown/n)
	if grown > bound*5/4 {
		t.Errorf("grown by %d bytes where %d are allowed", grown, bound)
	}
	if n < bound/500 {
		t.Errorf("only %d values kept", n)
	}
	runtime.KeepAlive(s)
}

func heap() int {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

// Hot means hot: a look allocates nothing, found or not.
func TestMemoryDoesNotAllocate(t *testing.T) {
	s := play(t, Options{Memory: 1 << 20})
	s.Put(tuple, "permit", time.Time{})
	if n := testing.AllocsPerRun(10_000, func() { s.Memory(tuple); s.Memory("nobody") }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
