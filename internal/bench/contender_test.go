package bench

import (
	"runtime"
	"slices"
	"syscall"
	"testing"
	"time"
)

// cost is what something takes once. What is not known is zero.
type cost struct {
	CPU    float64 `json:"cpu_us"` // of the process that does it, all threads
	Wall   float64 `json:"wall_us"`
	Allocs float64 `json:"allocs,omitempty"`
	Bytes  float64 `json:"bytes,omitempty"`
	Floors float64 `json:"floors"` // CPU, in what the floor took just before and after
}

// contender is something to measure. Its round does it some times and gives what one of
// them took.
type contender struct {
	name  string
	round func() cost
	costs []cost
}

// race lets all have their turn, round after round, and the floor between any two of them:
// what one takes is told in what the floor takes at that very time. The first round is not
// counted: caches are cold, connections not yet open.
func race(rounds int, floor *contender, all []*contender) {
	for i := range rounds + 1 {
		before := floor.round()
		for _, c := range all {
			taken := c.round()
			after := floor.round()
			taken.Floors = 2 * taken.CPU / (before.CPU + after.CPU)
			if before = after; i > 0 {
				c.costs = append(c.costs, taken)
			}
		}
	}
}

// figure is the middle of what a contender took.
func (c *contender) figure() cost {
	return cost{
		c.middle(func(t cost) float64 { return t.CPU }), c.middle(func(t cost) float64 { return t.Wall }),
		c.middle(func(t cost) float64 { return t.Allocs }), c.middle(func(t cost) float64 { return t.Bytes }),
		c.middle(func(t cost) float64 { return t.Floors }),
	}
}

func (c *contender) middle(of func(cost) float64) float64 {
	list := make([]float64, len(c.costs))
	for i, t := range c.costs {
		list[i] = of(t)
	}
	return median(list)
}

func median(list []float64) float64 {
	if len(list) == 0 {
		return 0
	}
	slices.Sort(list)
	return list[len(list)/2]
}

// turn is how long a contender's round is to take about: the clock of processor time moves
// in steps, and others wait.
const turn = 8 * time.Millisecond

// here makes a contender of work in this process. prepare makes what n of it will use up,
// is not measured and may be nil. How often the work is done in a round follows from how
// long it takes. Garbage of others is collected before, so that nobody pays for it; and since
// that empties pools, the work is done once before it counts.
func here(t *testing.T, name string, prepare func(n int), work func(i int)) *contender {
	t.Helper()
	once := func(n int) cost {
		if prepare != nil {
			prepare(n + 1)
		}
		runtime.GC()
		work(0)
		return measure(n, func(i int) { work(i + 1) })
	}
	once(1)
	n := int(turn.Microseconds() / max(1, int64(once(1).Wall)))
	return &contender{name: name, round: func() cost { return once(min(max(n, 2), 5000)) }}
}

func measure(n int, work func(i int)) cost {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	began, cpu := time.Now(), processCPU()
	for i := range n {
		work(i)
	}
	cpu, wall := processCPU()-cpu, time.Since(began)
	runtime.ReadMemStats(&after)
	each := 1 / float64(n)
	return cost{
		CPU: each * float64(cpu.Nanoseconds()) / 1000, Wall: each * float64(wall.Nanoseconds()) / 1000,
		Allocs: each * float64(after.Mallocs-before.Mallocs), Bytes: each * float64(after.TotalAlloc-before.TotalAlloc),
	}
}

func processCPU() time.Duration {
	var r syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &r) // RUSAGE_SELF cannot fail
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}
