package daemon

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/mandated/mandated/internal/journal"
	"github.com/mandated/mandated/internal/manage/pages"
	"github.com/mandated/mandated/pkg/decision"
	"github.com/mandated/mandated/pkg/mandate"
)

// tally counts for the register's staff what was decided on the last days. There is no index on
// what records say, so each is read once and what it told is kept in memory: a bounded number with
// each call, the newest days first. Whoever has more decisions than are read here has metrics.
type tally struct {
	mu   sync.Mutex
	days map[time.Time]*counted
}

// mostCounted is how many records one call reads: in about a second.
const mostCounted = 50_000

// counted is a day, up to a record.
type counted struct {
	pages.Decided
	after  int64 // the last record that was counted; 0: none
	closed bool  // a record of a later day follows
}

// count reads at most so many records on, and gives that many days, of which the first is the one
// of now.
func (t *tally) count(ctx context.Context, j *journal.Journal, now time.Time, days, most int) (list []pages.Decided, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	left, known := most, t.days
	t.days = map[time.Time]*counted{}
	for begin := mandate.StartOfDay(now); len(list) < days; begin = mandate.StartOfDay(begin.Add(-time.Second)) {
		day := known[begin]
		if day == nil {
			day = &counted{Decided: pages.Decided{Day: begin, Outcomes: map[string]int64{}, Reasons: map[decision.Code]int64{}}}
		}
		t.days[begin] = day
		if err == nil {
			err = day.readOn(ctx, j, &left)
		}
		d := day.Decided
		d.Outcomes, d.Reasons = maps.Clone(d.Outcomes), maps.Clone(d.Reasons)
		list = append(list, d)
	}
	return list, err
}

// readOn counts the records of the day that were not counted before, as many as are left.
func (d *counted) readOn(ctx context.Context, j *journal.Journal, left *int) error {
	if d.closed {
		return nil
	}
	d.Whole = false
	if *left == 0 {
		return nil
	}
	records := j.Since(ctx, d.Day)
	if d.after > 0 {
		records = j.All(ctx, d.after)
	}
	end := mandate.EndOfDay(d.Day)
	for r, err := range records {
		if err != nil {
			return err
		}
		if d.closed = !r.At.Before(end); d.closed {
			break
		}
		if *left == 0 {
			return nil
		}
		if err := d.add(r); err != nil {
			return err
		}
		*left--
	}
	d.Whole = true
	return nil
}

func (d *counted) add(entry journal.Record) error {
	record, err := ReadRecord(entry)
	if err != nil {
		return err
	}
	d.after = entry.Sequence
	d.Outcomes[record.Outcome]++
	if record.Outcome != decision.Deny.String() {
		return nil
	}
	var codes []string
	for _, reason := range record.Reasons {
		codes = append(codes, reason.Code)
	}
	slices.Sort(codes)
	for _, code := range slices.Compact(codes) {
		d.Reasons[decision.Code(code)]++
	}
	return nil
}
