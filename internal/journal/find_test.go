package journal

import (
	"context"
	"errors"
	"fmt"
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

// Somebody knows a word that stands in a record. The newest one that fits is found, in
// whichever stretch it lies, and also when the first records are gone.
func TestNewest(t *testing.T) {
	onBoth(t, func(t *testing.T, p place) {
		p.fill(12, 12)
		j := p.open()
		any := func(Record) bool { return true }
		for text, want := range map[string]int64{"decision 1": 12, "decision 12": 12, "decision 3": 3} {
			if r, err := j.Newest(ctx, []byte(text), any); err != nil || r.Sequence != want {
				t.Errorf("%s: record %d, %v, want %d", text, r.Sequence, err, want)
			}
		}
		fits := func(r Record) bool { return string(r.Body) == "decision 1" }
		if r, err := j.Newest(ctx, []byte("decision 1"), fits); err != nil || r.Sequence != 1 {
			t.Errorf("the one that fits: %d, %v", r.Sequence, err)
		}
		short, cancel := context.WithDeadline(ctx, time.Unix(0, 0))
		defer cancel()
		if _, err := j.Newest(short, []byte("decision 1"), any); !errors.Is(err, ErrUnreached) {
			t.Errorf("without time: %v", err)
		}
		for _, text := range []string{"decision 13", "", "DECISION"} {
			if _, err := j.Newest(ctx, []byte(text), any); !errors.Is(err, ErrNotFound) {
				t.Errorf("%q: %v", text, err)
			}
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
		if _, err := j.Newest(ctx, []byte(`"_0123456789abcdef"`), func(Record) bool { return true }); !errors.Is(err, ErrNotFound) {
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
