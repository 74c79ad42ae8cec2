package journal

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"
)

// Somebody reads the beginning of a record's id aloud. That is enough where no other record
// begins so.
func TestBeginning(t *testing.T) {
	onBoth(t, func(t *testing.T, p place) {
		j := p.open()
		for _, id := range []string{"aaaa0000000000000000000000000001", "aaaa0000000000000000000000000002", "bbbb0000000000000000000000000001"} {
			mustAppend(t, j, id, []byte(id[:4]))
		}
		if r, err := j.Beginning(ctx, "bb"); err != nil || string(r.Body) != "bbbb" {
			t.Errorf("found %q: %v", r.Body, err)
		}
		if r, err := j.Beginning(ctx, "aaaa0000000000000000000000000002"); err != nil || r.Sequence != 2 {
			t.Errorf("a whole id finds record %d: %v", r.Sequence, err)
		}
		for id, want := range map[string]error{"aaaa": ErrSeveral, "cc": ErrNotFound, "": ErrNotFound, "b%": ErrNotFound, "BB": ErrNotFound} {
			if _, err := j.Beginning(ctx, id); !errors.Is(err, want) {
				t.Errorf("%q: %v, want %v", id, err, want)
			}
		}
	})
}

// looked notes through which stretches of a store somebody looks: after and up to which number.
type looked struct {
	store
	stretches [][2]int64
}

func (l *looked) with(ctx context.Context, text []byte, after, upTo int64, use func(Record) (enough bool)) error {
	l.stretches = append(l.stretches, [2]int64{after, upTo})
	return l.store.with(ctx, text, after, upTo, use)
}

// search opens a journal for those who only look, in stretches of five records.
func (p place) search() (*Journal, *looked) {
	p.t.Helper()
	j := p.openWith(Options{})
	l := &looked{store: j.store}
	j.store, j.stretch = l, 5
	return j, l
}

func anyRecord(Record) bool { return true }

// Somebody knows a word that stands in a record. The newest one that fits is found, in
// whichever stretch it lies. Where the first records are gone, nobody looks for them.
func TestNewest(t *testing.T) {
	onBoth(t, func(t *testing.T, p place) {
		p.fill(16, 4)
		p.mustRetire(minute(4))
		j, l := p.search()
		for n := int64(4); n <= 16; n++ {
			if r, err := j.Newest(ctx, fmt.Appendf(nil, "decision %d", n), anyRecord); err != nil || r.Sequence != n {
				t.Errorf("decision %d: record %d, %v", n, r.Sequence, err)
			}
		}
		if r, err := j.Newest(ctx, []byte("decision 1"), anyRecord); err != nil || r.Sequence != 16 {
			t.Errorf("of several: record %d, %v", r.Sequence, err)
		}
		fits := func(r Record) bool { return r.Sequence < 14 }
		if r, err := j.Newest(ctx, []byte("decision 1"), fits); err != nil || r.Sequence != 13 {
			t.Errorf("the one that fits: %d, %v", r.Sequence, err)
		}
		for _, text := range []string{"", "DECISION", "decision 3", "decision 17"} {
			l.stretches = nil
			if _, err := j.Newest(ctx, []byte(text), anyRecord); !errors.Is(err, ErrNotFound) {
				t.Errorf("%q: %v", text, err)
			}
			if want := [][2]int64{{11, 16}, {6, 11}, {3, 6}}; text != "" && !slices.Equal(l.stretches, want) {
				t.Errorf("%q is looked for in %v, want %v", text, l.stretches, want)
			}
		}
	})
}

// running is a time limit that a test lets run out.
type running struct {
	context.Context
	out chan struct{}
}

func (r running) Done() <-chan struct{} { return r.out }

func (r running) Err() error {
	select {
	case <-r.out:
		return context.DeadlineExceeded
	default:
		return nil
	}
}

// Who runs out of time on his way back is told that older records were not reached. Who cannot
// even learn how many there are has met a store that does not answer: that is a failure, and
// says nothing about records.
func TestNewestWithoutTime(t *testing.T) {
	onBoth(t, func(t *testing.T, p place) {
		p.fill(12, 12)
		j, _ := p.search()
		limit := running{ctx, make(chan struct{})}
		late := func(Record) bool {
			close(limit.out)
			return false
		}
		if _, err := j.Newest(limit, []byte("decision 12"), late); !errors.Is(err, ErrUnreached) {
			t.Errorf("on the way: %v", err)
		}
		if _, err := j.Newest(limit, []byte("decision 12"), anyRecord); !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, ErrUnreached) {
			t.Errorf("at once: %v", err)
		}
		mustClose(t, j)
		if _, err := j.Newest(ctx, []byte("decision 12"), anyRecord); !errors.Is(err, ErrClosed) {
			t.Errorf("closed: %v", err)
		}
	})
}

// BenchmarkNewest looks for what is in none of a hundred thousand records of 2 KB.
func BenchmarkNewest(b *testing.B) {
	p := newPlace(b)
	o := p.options()
	o.Every = 1 << 30
	j := p.openWith(o)
	const n = 100_000
	body := make([]byte, 2000)
	for i := range body {
		body[i] = 'a' + byte(i%26)
	}
	appendMany(b, j, n, body)
	for b.Loop() {
		began := time.Now()
		if _, err := j.Newest(ctx, []byte(`"_0123456789abcdef"`), anyRecord); !errors.Is(err, ErrNotFound) {
			b.Fatal(err)
		}
		b.ReportMetric(float64(n)/time.Since(began).Seconds(), "records/s")
	}
}

func appendMany(b *testing.B, j *Journal, n int, body []byte) {
	b.Helper()
	done := make(chan error, 64)
	for w := range cap(done) {
		go func() {
			for i := w; i < n; i += cap(done) {
				if err := j.Append(ctx, newID(), fmt.Appendf(nil, "%d %s", i, body)); err != nil {
					done <- err
					return
				}
			}
			done <- nil
		}()
	}
	for range cap(done) {
		if err := <-done; err != nil {
			b.Fatal(err)
		}
	}
}
