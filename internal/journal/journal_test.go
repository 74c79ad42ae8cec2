package journal

import (
	"bytes"
	"context"
	"crypto"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// What was appended is found again, in order, each record holding the hash of the
// one before it.
func TestRecordsChain(t *testing.T) {
	onBoth(t, func(t *testing.T, p place) {
		o := p.options()
		at := time.Date(2026, 11, 24, 12, 0, 0, 123456789, time.FixedZone("CET", 3600))
		o.Now = func() time.Time { return at }
		j := p.openWith(o)
		ids := []string{newID(), newID(), newID()}
		for i, id := range ids {
			mustAppend(t, j, id, fmt.Appendf(nil, "decision %d", i))
		}

		records, err := j.Records(ctx, 0, 10)
		if err != nil || len(records) != 3 {
			t.Fatalf("got %d records, %v", len(records), err)
		}
		var previous Hash
		for i, r := range records {
			if r.Sequence != int64(i+1) || r.ID != ids[i] || string(r.Body) != fmt.Sprintf("decision %d", i) {
				t.Errorf("record %d reads %+v", i, r)
			}
			if r.Previous != previous || r.Hash != r.digest() {
				t.Errorf("record %d is not chained", i)
			}
			if !r.At.Equal(at.Truncate(time.Millisecond)) || r.At.Location() != time.UTC {
				t.Errorf("record %d is of %v", i, r.At)
			}
			previous = r.Hash
		}
		if r, err := j.Get(ctx, ids[1]); err != nil || r.Sequence != 2 {
			t.Errorf("Get found %+v, %v", r, err)
		}
		if _, err := j.Get(ctx, newID()); !errors.Is(err, ErrNotFound) {
			t.Errorf("an unknown id: %v", err)
		}
		if next, err := j.Records(ctx, 2, 10); err != nil || len(next) != 1 || next[0].Sequence != 3 {
			t.Errorf("Records after 2: %v, %v", next, err)
		}
	})
}

// The encoding that is hashed is part of the format: a later release must compute the
// same, and so must the database.
func TestDigestStaysTheSame(t *testing.T) {
	r := Record{Sequence: 7, ID: strings.Repeat("ab", 16), At: time.UnixMilli(1_790_000_000_123), Body: []byte("x")}
	const want = "3476442ab09aacf64512bd0ac04dc94fe4d669636ea14d1a85ea6f37481aa4a8"
	if got := r.digest().String(); got != want {
		t.Errorf("got %s", got)
	}
}

// Bodies of every size and with every byte are hashed and come back the same.
func TestAnyBody(t *testing.T) {
	onBoth(t, func(t *testing.T, p place) {
		every := make([]byte, 256)
		for i := range every {
			every[i] = byte(i)
		}
		bodies := [][]byte{nil, {}, {0}, every, bytes.Repeat([]byte("{}"), 1000), bytes.Repeat(every, 20_000)}
		j := p.open()
		for _, body := range bodies {
			mustAppend(t, j, newID(), body)
		}
		records, err := j.Records(ctx, 0, 10)
		if err != nil || len(records) != len(bodies) {
			t.Fatalf("%d records, %v", len(records), err)
		}
		for i, r := range records {
			if !bytes.Equal(r.Body, bodies[i]) {
				t.Errorf("body %d came back as %d bytes", i, len(r.Body))
			}
		}
		mustClose(t, j)
		p.mustBeWhole(int64(len(bodies)))
	})
}

// An id is used once. Who uses it again hears so, and neither the record that is
// there nor others in the same transaction suffer.
func TestIDIsUsedOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, p place) {
		j := p.open()
		id := newID()
		mustAppend(t, j, id, []byte("first"))
		for _, body := range []string{"second", "first"} {
			if err := j.Append(ctx, id, []byte(body)); !errors.Is(err, ErrExists) {
				t.Fatalf("%s: got %v", body, err)
			}
		}

		twice := newID()
		group := []*entry{{id: newID(), body: []byte("a")}, {id: id, body: []byte("b")}, {id: newID()}, {id: twice}, {id: twice}}
		if err := j.write(ctx, group); err != nil {
			t.Fatal(err)
		}
		var taken []int
		for i, e := range group {
			if e.taken {
				taken = append(taken, i)
			}
		}
		if !slices.Equal(taken, []int{1, 4}) {
			t.Errorf("refused were %v", taken)
		}
		records, _ := j.Records(ctx, 0, 10)
		if len(records) != 4 || string(records[0].Body) != "first" || records[3].Sequence != 4 {
			t.Errorf("the journal holds %v", records)
		}
	})
}

// What would fail inside a transaction that others share is kept out of it.
func TestBadEntries(t *testing.T) {
	j := newPlace(t).open()
	for _, bad := range []string{"", "abc", strings.Repeat("G", 32), strings.Repeat("A", 32), strings.Repeat("a", 129)} {
		if err := j.Append(ctx, bad, nil); err == nil {
			t.Errorf("id %q was accepted", bad)
		}
	}
	if err := j.Append(ctx, newID(), make([]byte, maxBody+1)); err == nil {
		t.Error("an endless record was accepted")
	}
}

// Sixty-four goroutines at once: nothing is lost, and the numbers stay dense.
func TestManyAppend(t *testing.T) {
	onBoth(t, func(t *testing.T, p place) {
		o := p.options()
		o.Every = 100
		j := p.openWith(o)
		var all sync.Map
		var work sync.WaitGroup
		for range 64 {
			work.Go(func() {
				for range 50 {
					id := newID()
					if err := j.Append(ctx, id, []byte(id)); err != nil {
						t.Error(err)
					}
					all.Store(id, true)
				}
			})
		}
		work.Wait()
		records, err := j.Records(ctx, 0, 10_000)
		if err != nil || len(records) != 64*50 {
			t.Fatalf("%d records, %v", len(records), err)
		}
		for i, r := range records {
			if _, ok := all.Load(r.ID); !ok || r.Sequence != int64(i+1) || string(r.Body) != r.ID {
				t.Fatalf("record %d is %+v", i, r)
			}
		}
		mustClose(t, j)
		p.mustBeWhole(64 * 50)
	})
}

// Several daemons at one place, as nodes or during a restart: one chain, and each
// daemon's checkpoints cover the records of all.
func TestSeveralDaemonsShareOneChain(t *testing.T) {
	onBoth(t, func(t *testing.T, p place) {
		o := p.options()
		o.Every = 20
		var daemons []*Journal
		var outside []string
		for i := range 3 {
			o.Checkpoints = fmt.Sprint(p.outside, i)
			outside = append(outside, o.Checkpoints)
			daemons = append(daemons, p.openWith(o))
		}
		var work sync.WaitGroup
		for _, j := range slices.Repeat(daemons, 2) {
			work.Go(func() {
				for range 50 {
					if err := j.Append(ctx, newID(), []byte("x")); err != nil {
						t.Error(err)
					}
				}
			})
		}
		work.Wait()
		for _, j := range daemons {
			mustClose(t, j)
		}
		for _, p.outside = range outside {
			p.mustBeWhole(300)
		}
	})
}

// Even somebody with the store open cannot change or delete by a slip.
func TestTriggersRefuseTheSlip(t *testing.T) {
	onBoth(t, func(t *testing.T, p place) {
		p.fill(6, 3)
		if _, err := Retire(ctx, p.journal, start.Add(4*time.Minute), p.options()); err != nil {
			t.Fatal(err)
		}
		db := p.db()
		defer db.Close()
		slips := []string{
			`UPDATE @records SET id = 'x'`, `DELETE FROM @records WHERE sequence = 5`,
			`UPDATE @checkpoints SET key_id = 'x'`, `DELETE FROM @checkpoints`,
			`UPDATE @retired SET at = 1`, `DELETE FROM @retired`,
		}
		if p.isDatabase() {
			slips = append(slips, `TRUNCATE @records`, `TRUNCATE @checkpoints`, `TRUNCATE @retired`)
		}
		for _, s := range slips {
			if _, err := db.Exec(p.in(s)); err == nil || !strings.Contains(err.Error(), " are never ") {
				t.Errorf("%s: %v", s, err)
			}
		}
	})
}

// A journal that was closed says so; closing twice is no harm.
func TestClosed(t *testing.T) {
	onBoth(t, func(t *testing.T, p place) {
		j := p.open()
		mustAppend(t, j, newID(), []byte("x"))
		if err := errors.Join(j.Close(), j.Close()); err != nil {
			t.Fatal(err)
		}
		_, get := j.Get(ctx, newID())
		_, records := j.Records(ctx, 0, 1)
		_, all := collect(j.All(ctx, 0))
		_, since := collect(j.Since(ctx, start))
		for _, err := range []error{j.Append(ctx, newID(), nil), j.Checkpoint(ctx), get, records, all, since} {
			if !errors.Is(err, ErrClosed) {
				t.Errorf("got %v", err)
			}
		}
	})
}

// A caller whose time is up stops waiting and hears why.
func TestCancelledAppendStopsWaiting(t *testing.T) {
	onBoth(t, func(t *testing.T, p place) {
		j := p.open()
		late, cancel := context.WithCancel(ctx)
		cancel()
		if err := j.Append(late, newID(), []byte("x")); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		mustAppend(t, j, newID(), []byte("y"))
	})
}

// Without the register's key the journal can be read, not written, and not created.
func TestReadingOnly(t *testing.T) {
	onBoth(t, func(t *testing.T, p place) {
		if _, err := Open(ctx, p.journal, Options{}); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("got %v", err)
		}
		p.fill(3, 2)
		j := p.openWith(Options{Keys: []crypto.PublicKey{registerKey().Public()}, Checkpoints: p.outside})
		if r, err := j.Records(ctx, 0, 5); err != nil || len(r) != 3 {
			t.Errorf("%d records, %v", len(r), err)
		}
		_, retired := Retire(ctx, p.journal, start, Options{})
		for _, err := range []error{j.Append(ctx, newID(), nil), j.Checkpoint(ctx), retired} {
			if !errors.Is(err, ErrReadOnly) {
				t.Errorf("got %v", err)
			}
		}
	})
}

// Checkpoints come after so many records, after so much time, and at the end; not
// when there is nothing new.
func TestCheckpointsComeByThemselves(t *testing.T) {
	onBoth(t, func(t *testing.T, p place) {
		o := p.options()
		o.Every = 5
		j := p.openWith(o)
		for range 5 {
			mustAppend(t, j, newID(), []byte("x"))
		}
		waitFor(t, "the checkpoint of five records", func() bool { return slices.Equal(p.sequences(), []int64{5}) })
		mustAppend(t, j, newID(), []byte("x"))
		mustClose(t, j)
		if got := p.sequences(); !slices.Equal(got, []int64{5, 6}) {
			t.Fatalf("after closing: %v", got)
		}

		o.Interval = 10 * time.Millisecond
		j = p.openWith(o)
		if err := j.Checkpoint(ctx); err != nil { // what the clock does, at a moment when nothing is new
			t.Fatal(err)
		}
		if got := p.sequences(); len(got) != 2 {
			t.Errorf("nothing new, and yet %v", got)
		}
		mustAppend(t, j, newID(), []byte("x"))
		waitFor(t, "the checkpoint of the clock", func() bool { return slices.Equal(p.sequences(), []int64{5, 6, 7}) })
		waitFor(t, "its copy in the store", func() bool { // which comes after the one outside
			r := p.verifyWith(nil)
			return len(r.Problems) == 0 && r.Proven == 7
		})
	})
}

// If the place outside cannot be written, appending goes on, the failure is told, and the
// next checkpoint covers all. One failure may pass; several in a row are a bad state.
func TestCheckpointFailureDoesNotStopTheJournal(t *testing.T) {
	onBoth(t, func(t *testing.T, p place) {
		o := p.options()
		registry := prometheus.NewRegistry()
		o.Metrics = registry
		j := p.openWith(o)
		if err := os.Mkdir(p.outside, 0o700); err != nil {
			t.Fatal(err)
		}
		for i := range 4 {
			mustAppend(t, j, newID(), []byte("x"))
			if healthy := j.Healthy() == nil; healthy != (i < 3) {
				t.Errorf("after %d failures: %v", i, j.Healthy())
			}
			if err := j.Checkpoint(ctx); err == nil {
				t.Error("a checkpoint that cannot be written was made")
			}
		}
		if err := os.Remove(p.outside); err != nil {
			t.Fatal(err)
		}
		if err := j.Checkpoint(ctx); err != nil || j.Healthy() != nil {
			t.Fatalf("once it can be written: %v, %v", err, j.Healthy())
		}
		p.mustBeWhole(4)
		if n := gathered(t, registry)["mandated_journal_checkpoint_failures_total"]; n != 4 {
			t.Errorf("%v failures counted", n)
		}
	})
}

// Once the place outside can be written again the journal is healthy within seconds, though
// no checkpoint is due for an hour; and what was tried in between made nothing worse.
func TestFailedCheckpointIsSoonMade(t *testing.T) {
	onBoth(t, func(t *testing.T, p place) {
		o := p.options()
		registry := prometheus.NewRegistry()
		o.Metrics, o.Every, o.Interval = registry, 1, time.Hour
		j := p.openWith(o)
		if err := os.Mkdir(p.outside, 0o700); err != nil {
			t.Fatal(err)
		}
		for due := range 3 {
			mustAppend(t, j, newID(), []byte("x"))
			waitFor(t, "the failure", func() bool {
				return gathered(t, registry)["mandated_journal_checkpoint_failures_total"] == float64(due+1)
			})
		}
		if j.Healthy() == nil {
			t.Error("healthy after three failures")
		}
		if err := os.Remove(p.outside); err != nil {
			t.Fatal(err)
		}
		waitFor(t, "health", func() bool { return j.Healthy() == nil })
		p.mustBeWhole(3)
	})
}

// What fails between two occasions is no further failure.
func TestTriesInBetweenAreNoFailures(t *testing.T) {
	var h health
	for range 10 {
		h.judge(errors.New("disk full"), false)
	}
	if h.verdict() != nil {
		t.Error("a bad state, and no checkpoint was due")
	}
}

// Before anything is signed the chain is read again. One that was changed meanwhile gets
// no checkpoint, and that is told at once.
func TestNoCheckpointOverABrokenChain(t *testing.T) {
	for name, change := range map[string]struct {
		statement string
		want      error
	}{
		"altered":  {`UPDATE @records SET at = at + 1 WHERE sequence = 5`, ErrBroken},
		"removed":  {`DELETE FROM @records WHERE sequence = 4`, ErrBroken},
		"replaced": {`UPDATE @records SET hash = previous, previous = hash WHERE sequence = 4`, ErrBroken},
		"tail":     {`DELETE FROM @records WHERE sequence >= 2`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			onBoth(t, func(t *testing.T, p place) {
				j := p.open()
				for i := range 6 {
					mustAppend(t, j, newID(), []byte("x"))
					if i == 2 {
						if err := j.Checkpoint(ctx); err != nil {
							t.Fatal(err)
						}
					}
				}
				p.tamper(change.statement)
				err, want := j.Checkpoint(ctx), change.want
				if want == nil { // a database knows that its end is lost, a file only that it was signed
					want = map[bool]error{true: ErrBroken, false: ErrRolledBack}[p.isDatabase()]
				}
				if !errors.Is(err, want) || j.Healthy() == nil {
					t.Errorf("got %v; healthy: %v", err, j.Healthy())
				}
				if got := p.sequences(); !slices.Equal(got, []int64{3}) {
					t.Errorf("signed were %v", got)
				}
			})
		})
	}
}

// However many checkpoints by others stand behind it, our last one is found.
func TestOurCheckpointAmongManyOfOthers(t *testing.T) {
	onBoth(t, func(t *testing.T, p place) {
		j := p.open()
		for range 25 { // more than are read at once, twice
			mustAppend(t, j, newID(), []byte("x"))
			if err := j.Checkpoint(ctx); err != nil {
				t.Fatal(err)
			}
		}
		for _, last := range []int64{1, 14, 25} {
			c, err := j.store.newest(ctx, func(c *Checkpoint) bool { return c.Sequence <= last })
			if err != nil || c == nil || c.Sequence != last {
				t.Errorf("up to %d: %+v, %v", last, c, err)
			}
		}
	})
}

// What another daemon with our key signed need not be read again, but what it signed must
// be there; what somebody else put there counts for nothing.
func TestCheckpointsOfOthersAreBelievedByTheirKey(t *testing.T) {
	onBoth(t, func(t *testing.T, p place) {
		a, b := p.open(), p.open()
		for range 4 {
			mustAppend(t, a, newID(), []byte("x"))
		}
		if err := b.Checkpoint(ctx); err != nil {
			t.Fatal(err)
		}
		if at, err := a.anchor(ctx); err != nil || at.sequence != 4 {
			t.Errorf("our own key: begins at %d, %v", at.sequence, err)
		}
		forged := &Checkpoint{Sequence: 9, Seal: Seal{KeyID: b.mustKeyID(t), Signature: []byte("forged")}}
		if err := b.store.sign(ctx, forged); err != nil {
			t.Fatal(err)
		}
		if at, err := a.anchor(ctx); err != nil || at.sequence != 4 {
			t.Errorf("a forged one: begins at %d, %v", at.sequence, err)
		}
		if err := a.Checkpoint(ctx); err != nil {
			t.Error(err)
		}
	})
}

func (j *Journal) mustKeyID(t *testing.T) string {
	t.Helper()
	id, err := keyID(j.options.Signer.Public())
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// A backup that was put back is older than the checkpoints outside. Appending to it
// would make a second past, so it is refused.
func TestOpenRefusesOlderCopy(t *testing.T) {
	onBoth(t, func(t *testing.T, p place) {
		p.fill(3, 3)
		p.mustRetire(minute(2)) // what is retired is no excuse for what is lost
		older := p.copied()
		j := p.open()
		mustAppend(t, j, newID(), []byte("x"))
		mustClose(t, j)
		o := older.options()
		o.Checkpoints = p.outside
		if _, err := Open(ctx, older.journal, o); !errors.Is(err, ErrRolledBack) {
			t.Errorf("got %v", err)
		}
		if err := os.WriteFile(p.outside, []byte("something else\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(ctx, p.journal, p.options()); err == nil {
			t.Error("a file that holds no checkpoints was accepted as theirs")
		}
	})
}

// The journal is read in pieces of bounded size, from a number or from a moment, and
// nobody waits for whoever reads it.
func TestReadingAll(t *testing.T) {
	onBoth(t, func(t *testing.T, p place) {
		o := p.options()
		now := start
		o.Now = func() time.Time { return now }
		j := p.openWith(o)
		const n = 2*page + 7
		var group []*entry
		for range n {
			group = append(group, &entry{id: newID(), body: []byte("x")})
		}
		for i, e := range group[:10] {
			now = start.Add(time.Duration(i) * time.Minute)
			mustAppend(t, j, e.id, e.body)
		}
		now = start.Add(3*time.Minute + time.Second) // a clock that was set back
		if err := j.write(ctx, group[10:]); err != nil {
			t.Fatal(err)
		}
		for after, want := range map[int64]int64{0: n, 10: n - 10, page: n - page, n: 0, n + 5: 0} {
			got, err := collect(j.All(ctx, after))
			if err != nil || int64(len(got)) != want || want > 0 && got[0] != after+1 {
				t.Errorf("after %d: %d records, %v", after, len(got), err)
			}
		}
		for _, c := range []struct {
			since time.Time
			want  int
		}{
			{start, n}, {start.Add(-time.Hour), n}, {start.Add(time.Nanosecond), n - 1},
			{start.Add(3*time.Minute + time.Second), n - 4}, {start.Add(4 * time.Minute), 6},
			{start.Add(9 * time.Minute), 1}, {start.Add(time.Hour), 0},
		} {
			if got, err := collect(j.Since(ctx, c.since)); err != nil || len(got) != c.want {
				t.Errorf("since %v: %d records, %v, want %d", c.since, len(got), err, c.want)
			}
		}
		next := 0
		for r, err := range j.All(ctx, 0) { // whoever reads slowly keeps nobody from writing
			if next++; err != nil || r.Sequence != int64(next) {
				t.Fatalf("record %d, %v", r.Sequence, err)
			}
			if next < 5 {
				mustAppend(t, j, newID(), []byte("y"))
			}
		}
		if next != n+4 {
			t.Errorf("read %d records", next)
		}
	})
}

// A page is bounded by bytes too, and a record that is larger than a page still comes.
func TestPagesAreBounded(t *testing.T) {
	onBoth(t, func(t *testing.T, p place) {
		j := p.open()
		for range 7 {
			mustAppend(t, j, newID(), make([]byte, pageBytes/3))
		}
		mustAppend(t, j, newID(), make([]byte, pageBytes+1))
		if first, more, err := j.page(ctx, 0, 100); err != nil || len(first) != 4 || !more {
			t.Errorf("a page of %d records, more %v, %v", len(first), more, err)
		}
		if all, err := j.Records(ctx, 0, 100); err != nil || len(all) != 8 {
			t.Errorf("%d records, %v", len(all), err)
		}
	})
}

// What an operator watches: how many wait, how they are written, and what is not proven.
func TestMetrics(t *testing.T) {
	onBoth(t, func(t *testing.T, p place) {
		o := p.options()
		registry := prometheus.NewRegistry()
		o.Metrics = registry
		for range 2 { // the second time is after a restart in the same process
			j := p.openWith(o)
			before := j.metrics.end.Load()
			for range 3 {
				mustAppend(t, j, newID(), []byte("x"))
			}
			got := gathered(t, registry)
			for name, want := range map[string]float64{
				"mandated_journal_queue": 0, "mandated_journal_group_size": 3, "mandated_journal_append_seconds": 3,
				"mandated_journal_checkpoint_failures_total": 0, "mandated_journal_unproven": 3,
			} {
				if value, ok := got[name]; !ok || value != want {
					t.Errorf("%s is %v, want %v", name, value, want)
				}
			}
			if err := j.Checkpoint(ctx); err != nil {
				t.Fatal(err)
			}
			if n := gathered(t, registry)["mandated_journal_unproven"]; n != 0 || j.metrics.end.Load() != before+3 {
				t.Errorf("after the checkpoint %v are unproven, the end is %d", n, j.metrics.end.Load())
			}
			mustClose(t, j)
		}
	})
}

// gathered gives the values by name: of a histogram, how often something was observed.
func gathered(t *testing.T, r *prometheus.Registry) map[string]float64 {
	t.Helper()
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]float64{}
	for _, f := range families {
		m := f.GetMetric()[0]
		values[f.GetName()] = m.GetGauge().GetValue() + m.GetCounter().GetValue() + float64(m.GetHistogram().GetSampleCount())
	}
	return values
}

// collect gives the numbers of what is read.
func collect(records func(func(Record, error) bool)) (sequences []int64, err error) {
	for r, err := range records {
		if err != nil {
			return sequences, err
		}
		sequences = append(sequences, r.Sequence)
	}
	return sequences, nil
}

// sequences lists the records that checkpoints outside the store were made of.
func (p place) sequences() (all []int64) {
	data, _ := os.ReadFile(p.outside)
	for s, err := range lines(bytes.NewReader(data)) {
		if err != nil {
			p.t.Fatal(err)
		}
		all = append(all, s.link().sequence)
	}
	return all
}

// hurried is a store that lets its reader run out of time after one page.
type hurried struct {
	store
	leave context.CancelFunc // nil: takes its time
	after []int64            // where pages began
}

func (h *hurried) page(ctx context.Context, after int64, limit int, use func(Record)) (bool, error) {
	h.after = append(h.after, after)
	if err := ctx.Err(); err != nil {
		return false, err
	}
	if h.leave != nil {
		defer h.leave()
	}
	return h.store.page(ctx, after, limit, use)
}

// A tail that is too long to be read in the time that a checkpoint has is proven in
// several tries: each goes on where the one before stopped.
func TestLongTailIsProvenInPieces(t *testing.T) {
	p := newPlace(t)
	o := p.options()
	o.Every = 1 << 30 // nothing comes by itself
	j := p.openWith(o)
	var writers sync.WaitGroup
	for range 50 {
		writers.Go(func() {
			for range (2*page + 500) / 50 {
				if err := j.Append(ctx, newID(), []byte("decision")); err != nil {
					t.Error(err)
				}
			}
		})
	}
	writers.Wait()
	slow := &hurried{store: j.store}
	j.store = slow
	for range 2 {
		var short context.Context
		short, slow.leave = context.WithCancel(ctx)
		if err := j.Checkpoint(short); !errors.Is(err, context.Canceled) {
			t.Fatalf("without time for all: %v", err)
		}
	}
	slow.leave, slow.after = nil, nil
	if err := j.Checkpoint(ctx); err != nil {
		t.Fatal(err)
	}
	if want := []int64{2 * page}; !slices.Equal(slow.after, want) {
		t.Errorf("the third try reads from %v, want %v", slow.after, want)
	}
	mustClose(t, j)
	p.mustBeWhole(2*page + 500)
}
