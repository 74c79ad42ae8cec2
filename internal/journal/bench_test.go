package journal

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mandated/mandated/internal/servers"
)

// BenchmarkAppend appends records of 2 KB from one and from many goroutines, with
// checkpoints as in a daemon: as many as it can, and at the rate at which two cores sign.
// Each is run with and without somebody who reads for when mandates were last used, of
// which each record tells of two others. It reports the time of one append beside the time that an fsync takes on the same disk
// meanwhile (fsync-p50-µs, fsync-p99-µs).
func BenchmarkAppend(b *testing.B) {
	b.Run("file", func(b *testing.B) {
		benchmarkAppend(b, func() place { return newPlace(b) })
	})
	b.Run("postgres", func(b *testing.B) {
		d := servers.Postgres(b, servers.PostgresOptions{Durable: true})
		benchmarkAppend(b, func() place { return place{b, d.DSN(), newPlace(b).outside} })
	})
}

func benchmarkAppend(b *testing.B, fresh func() place) {
	for _, c := range []struct {
		parallel int
		rate     int // records a second; 0: no bound
	}{{1, 0}, {16, 0}, {64, 0}, {16, signingRate}, {64, signingRate}} {
		for _, read := range []bool{false, true} {
			b.Run(fmt.Sprintf("parallel=%d/rate=%d/read=%v", c.parallel, c.rate, read), func(b *testing.B) {
				p := fresh().with(b)
				o := p.options()
				if o.Follow = time.Second; !read {
					o.Used = nil
				}
				j := p.openWith(o)
				disk := fsyncs(b)
				b.ResetTimer()
				took := appendAll(b, j, c.parallel, pace(b.N, c.rate))
				b.StopTimer()
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "records/s")
				report(b, "append", took)
				report(b, "fsync", disk())
			})
		}
	}
}

// signingRate is how many answers two cores sign in a second.
const signingRate = 1100

// pace gives the moments at which n records are to be appended, as soon as they come.
func pace(n, rate int) <-chan time.Time {
	moments := make(chan time.Time)
	go func() {
		defer close(moments)
		began := time.Now()
		for i := range n {
			if rate > 0 {
				time.Sleep(time.Until(began.Add(time.Duration(i) * time.Second / time.Duration(rate))))
			}
			moments <- time.Now()
		}
	}()
	return moments
}

func appendAll(b *testing.B, j *Journal, parallel int, moments <-chan time.Time) (took []time.Duration) {
	text := strings.Repeat("0123456789abcdef", 125)
	var number atomic.Int64
	var mu sync.Mutex
	var writers sync.WaitGroup
	for range parallel {
		writers.Go(func() {
			for began := range moments {
				n := number.Add(1)
				mustAppend(b, j, newID(), fmt.Appendf(nil, "used %d %d at vat %s", 2*n, 2*n+1, text))
				mu.Lock()
				took = append(took, time.Since(began))
				mu.Unlock()
			}
		})
	}
	writers.Wait()
	return took
}

func report(b *testing.B, what string, took []time.Duration) {
	slices.Sort(took)
	for _, p := range []int{50, 99} {
		b.ReportMetric(float64(took[len(took)*p/100].Microseconds()), fmt.Sprintf("%s-p%d-µs", what, p))
	}
}

// fsyncs measures the disk until the returned function is called: now and then a page is
// written and made durable.
func fsyncs(b *testing.B) (stop func() []time.Duration) {
	f, err := os.Create(filepath.Join(b.TempDir(), "fsync"))
	if err != nil {
		b.Fatal(err)
	}
	var took []time.Duration
	stopped, done := make(chan bool), make(chan bool)
	go func() {
		defer close(done)
		for {
			began := time.Now()
			_, err := f.WriteAt(make([]byte, 4096), 0)
			if err := errors.Join(err, f.Sync()); err != nil {
				b.Error(err)
			}
			took = append(took, time.Since(began))
			select {
			case <-stopped:
				return
			case <-time.After(10 * time.Millisecond):
			}
		}
	}()
	return func() []time.Duration {
		close(stopped)
		<-done
		_ = f.Close()
		return took
	}
}
