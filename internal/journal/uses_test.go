package journal

import (
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"pgregory.net/rapid"

	"github.com/mandated/mandated/pkg/mandate"
)

func (j *Journal) mustCatchUp(t testing.TB) {
	t.Helper()
	if err := j.catchUp(ctx); err != nil {
		t.Fatal(err)
	}
}

func (j *Journal) mustLastUse(t testing.TB, ids ...mandate.ID) Uses {
	t.Helper()
	u, err := j.LastUse(ctx, ids)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func mustUse(t testing.TB, j *Journal, body string) {
	t.Helper()
	mustAppend(t, j, newID(), []byte(body))
}

// at opens the journal with a clock that the returned function sets.
func (p place) at() (*Journal, func(time.Time)) {
	o, now := p.options(), start
	var mu sync.Mutex
	o.Now = func() time.Time { mu.Lock(); defer mu.Unlock(); return now }
	return p.openWith(o), func(t time.Time) { mu.Lock(); defer mu.Unlock(); now = t }
}

// When a mandate was last used, and where, is known as soon as the records were read; until
// then it is said how far that has come. What permitted nothing is no use.
func TestLastUse(t *testing.T) {
	onBoth(t, func(t *testing.T, p place) {
		j, clock := p.at()
		if u := j.mustLastUse(t, 1); len(u.Last) > 0 || !u.Since.IsZero() || !u.UpTo.Equal(start) || u.Behind != 0 {
			t.Errorf("of an empty journal: %+v", u)
		}
		for i, body := range []string{"a denial", "used 1 2 at vat", "used 2 at permit"} {
			clock(minute(i))
			mustUse(t, j, body)
		}
		if u := j.mustLastUse(t, 1, 2); len(u.Last) > 0 || !u.UpTo.IsZero() || u.Behind != 3 {
			t.Errorf("before anything was read: %+v", u)
		}
		j.mustCatchUp(t)
		clock(minute(10))
		want := Uses{Since: minute(0), UpTo: minute(10), Last: map[mandate.ID]Use{
			1: {1, minute(1), 2, "vat"}, 2: {2, minute(2), 3, "permit"},
		}}
		if diff := cmp.Diff(want, j.mustLastUse(t, 1, 2, 3)); diff != "" {
			t.Error(diff)
		}
		mustUse(t, j, "used 1 at permit")
		if u := j.mustLastUse(t, 1); u.Behind != 1 || !u.UpTo.Equal(minute(2)) || u.Last[1].Service != "vat" {
			t.Errorf("with a record that was not read: %+v", u)
		}
		mustClose(t, j) // which reads it
		reader := p.openWith(Options{})
		if u := reader.mustLastUse(t, 1); u.Behind != 0 || u.Last[1].Service != "permit" || u.Last[1].Sequence != 4 {
			t.Errorf("after the journal was closed: %+v", u)
		}
	})
}

// A thousand mandates are asked about at once, and more are not answered in part.
func TestMostAsked(t *testing.T) {
	onBoth(t, func(t *testing.T, p place) {
		j := p.open()
		var ids []mandate.ID
		body := "used"
		for id := mandate.ID(1); id <= MostAsked; id++ {
			ids, body = append(ids, id), body+fmt.Sprint(" ", id)
		}
		mustUse(t, j, body+" at vat")
		j.mustCatchUp(t)
		if u := j.mustLastUse(t, ids...); len(u.Last) != MostAsked {
			t.Errorf("%d were used", len(u.Last))
		}
		if u := j.mustLastUse(t); len(u.Last) != 0 {
			t.Errorf("asked about none: %+v", u)
		}
		if _, err := j.LastUse(ctx, append(ids, 1)); err == nil || !strings.Contains(err.Error(), "1000 at a time") {
			t.Errorf("asked about too many: %v", err)
		}
		mustClose(t, j)
		if _, err := j.LastUse(ctx, ids); !errors.Is(err, ErrClosed) {
			t.Errorf("after Close: %v", err)
		}
	})
}

// A clock is set back between two uses: the last use does not go back with it.
func TestUseDoesNotGoBack(t *testing.T) {
	onBoth(t, func(t *testing.T, p place) {
		j, clock := p.at()
		clock(minute(10))
		mustUse(t, j, "used 1 at vat")
		j.mustCatchUp(t)
		clock(minute(5))
		mustUse(t, j, "used 1 at permit")
		j.mustCatchUp(t)
		if u := j.mustLastUse(t, 1); !u.Last[1].At.Equal(minute(10)) || u.Last[1].Service != "vat" || u.Behind != 0 {
			t.Errorf("got %+v", u)
		}
	})
}

// A daemon reads by itself, and only what nobody has read before: a restart goes on where
// the last one stopped.
func TestEachRecordIsReadOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, p place) {
		var mu sync.Mutex
		read := map[string]int{}
		o := p.options()
		o.Follow = time.Millisecond
		o.Used = func(body []byte) ([]mandate.ID, string, error) {
			mu.Lock()
			defer mu.Unlock()
			read[string(body)]++
			return usedIn(body)
		}
		for round := range 3 {
			j := p.openWith(o)
			for i := range 5 {
				mustUse(t, j, fmt.Sprintf("used %d at vat", 5*round+i))
			}
			waitFor(t, "the last use", func() bool {
				return j.mustLastUse(t, mandate.ID(5*round+4)).Last != nil && j.mustLastUse(t).Behind == 0
			})
			mustClose(t, j)
		}
		for i := range 15 {
			if n := read[fmt.Sprintf("used %d at vat", i)]; n != 1 {
				t.Errorf("record %d was read %d times", i+1, n)
			}
		}
	})
}

// What was retired was read before, also if nobody had until then, and its uses stay known.
func TestUsesOutliveRecords(t *testing.T) {
	onBoth(t, func(t *testing.T, p place) {
		j, clock := p.at()
		for i := range 30 {
			clock(minute(i + 1))
			mustUse(t, j, fmt.Sprintf("used %d at vat", i+1))
		}
		if err := j.Checkpoint(ctx); err != nil {
			t.Fatal(err)
		}
		blind := p.options()
		blind.Used = nil
		if _, err := Retire(ctx, p.journal, minute(20), blind); err == nil || !strings.Contains(err.Error(), "last used") {
			t.Errorf("retired unread: %v", err)
		}
		if u := j.mustLastUse(t); u.Behind != 30 {
			t.Fatalf("somebody has read already: %+v", u)
		}
		if r := p.mustRetire(minute(20)); r.Records != 19 {
			t.Errorf("retired %+v", r)
		}
		u := j.mustLastUse(t, 1, 19, 30)
		if len(u.Last) != 3 || !u.Last[1].At.Equal(minute(1)) || !u.Since.Equal(minute(1)) || u.Behind != 0 {
			t.Errorf("afterwards: %+v", u)
		}
		clock(minute(40))
		mustUse(t, j, "used 7 at permit")
		j.mustCatchUp(t)
		if u := j.mustLastUse(t, 1, 7); !u.Last[1].At.Equal(minute(1)) || !u.Last[7].At.Equal(minute(40)) || !u.Since.Equal(minute(1)) {
			t.Errorf("and later: %+v", u)
		}
	})
}

// Somebody has records read again of which the first are retired. What was known stays; but
// since when nothing was missed is no longer the beginning.
func TestReadAgainAfterRetirement(t *testing.T) {
	onBoth(t, func(t *testing.T, p place) {
		p.fill(20, 10)
		p.mustRetire(minute(11))
		p.tamper(`UPDATE @followed SET sequence = 0, at = 0, since = 0`)
		j := p.open()
		j.mustCatchUp(t)
		if u := j.mustLastUse(t); !u.Since.Equal(minute(11)) || u.Behind != 0 {
			t.Errorf("got %+v", u)
		}
	})
}

// Reading stops before a record that is missing or cannot be read, with what came before it
// kept, and says so: in an error, in a metric, and to whoever asks.
func TestReadingStopsAndSaysSo(t *testing.T) {
	for name, c := range map[string]struct{ statement, want string }{
		"missing":   {`DELETE FROM @records WHERE sequence = 3`, "record 3 is missing"},
		"no record": {`UPDATE @records SET body = %s WHERE sequence = 3`, "record 3 cannot be read"},
	} {
		t.Run(name, func(t *testing.T) {
			onBoth(t, func(t *testing.T, p place) {
				registry := prometheus.NewRegistry()
				o, i := p.options(), 0
				o.Metrics, o.Now = registry, func() time.Time { return minute(i) }
				j := p.openWith(o)
				for i = 1; i <= 5; i++ {
					mustUse(t, j, "used 1 at vat")
					if i == 2 && name == "missing" {
						j.mustCatchUp(t)
					}
				}
				statement := c.statement
				if strings.Contains(statement, "%s") {
					statement = fmt.Sprintf(statement, p.bytes([]byte("used x at vat")))
				}
				p.tamper(statement)
				i = 10
				err := j.catchUp(ctx)
				if err == nil || !strings.Contains(err.Error(), c.want) || errors.Is(err, ErrBroken) != (name == "missing") {
					t.Errorf("got %v", err)
				}
				u := j.mustLastUse(t, 1)
				if u.Last[1].Sequence != 2 || u.Behind != 3 || !u.UpTo.Equal(minute(2)) {
					t.Errorf("known is %+v", u)
				}
				measured := gathered(t, registry)
				if n, s := measured["mandated_journal_uses_behind"], measured["mandated_journal_uses_behind_seconds"]; n != 3 || s != 8*60 {
					t.Errorf("measured are %v records and %v seconds", n, s)
				}
				_ = j.Close()
			})
		})
	}
}

// Who was overtaken does nothing: what he read has been kept, or will be read again.
func TestOvertaken(t *testing.T) {
	onBoth(t, func(t *testing.T, p place) {
		j := p.open()
		for range 3 {
			mustUse(t, j, "used 1 at vat")
		}
		j.mustCatchUp(t)
		stale := []Use{{1, minute(99), 99, "elsewhere"}, {2, minute(99), 99, "elsewhere"}}
		moved, err := j.store.follow(ctx, mark{sequence: 1}, mark{sequence: 2}, stale)
		if err != nil || moved {
			t.Errorf("moved %v, %v", moved, err)
		}
		if u := j.mustLastUse(t, 1, 2); len(u.Last) != 1 || u.Last[1].Sequence != 3 || u.Behind != 0 {
			t.Errorf("known is %+v", u)
		}
	})
}

// toldBy is what the records up to a number tell, read one after the other.
func toldBy(t testing.TB, j *Journal, upTo int64) map[mandate.ID]Use {
	t.Helper()
	last := map[mandate.ID]Use{}
	for r, err := range j.All(ctx, 0) {
		if err != nil {
			t.Fatal(err)
		}
		if r.Sequence > upTo {
			break
		}
		mandates, service, err := usedIn(r.Body)
		if err != nil {
			t.Fatal(err)
		}
		for _, id := range mandates {
			if u := (Use{id, r.At, r.Sequence, service}); u.after(last[id]) {
				last[id] = u
			}
		}
	}
	return last
}

// mustBeTold wants what is known to be exactly what the records up to the mark tell.
func mustBeTold(t testing.TB, j *Journal, ids []mandate.ID) mark {
	t.Helper()
	m, err := j.store.followed(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(toldBy(t, j, m.sequence), j.mustLastUse(t, ids...).Last); diff != "" {
		t.Fatalf("up to record %d (-want +got):\n%s", m.sequence, diff)
	}
	return m
}

// Several nodes append and read at the same time. Nothing is lost, nothing is counted that
// is not there, and nobody is in the way of another.
func TestNodesReadTogether(t *testing.T) {
	onBoth(t, func(t *testing.T, p place) {
		var nodes []*Journal
		for i := range 3 {
			o := p.options()
			o.Follow, o.Checkpoints = time.Millisecond, fmt.Sprint(p.outside, i)
			nodes = append(nodes, p.openWith(o))
		}
		var writers sync.WaitGroup
		for n, j := range nodes {
			writers.Go(func() {
				for i := range 60 {
					mustUse(t, j, fmt.Sprintf("used %d %d at node%d", i%7+1, i%5+1, n))
				}
			})
		}
		writers.Wait()
		waitFor(t, "all to be read", func() bool { return nodes[0].mustLastUse(t).Behind == 0 })
		if m := mustBeTold(t, nodes[1], []mandate.ID{1, 2, 3, 4, 5, 6, 7}); m.sequence != 180 {
			t.Errorf("read were %d", m.sequence)
		}
	})
}

// Whatever was written, whatever the clocks said, in whatever pieces it was read and by
// whom: what is known is what all records tell, and reading everything again from nothing
// gives the same.
func TestReadingAgainGivesTheSame(t *testing.T) {
	onBoth(t, func(t *testing.T, p place) {
		one, clock := p.at()
		other := p.open()
		db := p.db()
		defer db.Close()
		ids := []mandate.ID{1, 2, 3, 4, 5}
		rapid.Check(t, func(rt *rapid.T) {
			one.mustCatchUp(rtb{t, rt})
			base, err := one.store.followed(ctx) // earlier rounds are behind us
			if err != nil {
				rt.Fatal(err)
			}
			alter(rt, db, p.in(`DELETE FROM @uses`))
			want := map[mandate.ID]Use{}
			for n := base.sequence + 1; n <= base.sequence+rapid.Int64Range(1, 12).Draw(rt, "records"); n++ {
				at := minute(rapid.IntRange(0, 4).Draw(rt, "minute"))
				clock(at)
				used := rapid.SliceOfNDistinct(rapid.SampledFrom(ids), 0, 3, rapid.ID).Draw(rt, "used")
				body := "nothing"
				if len(used) > 0 {
					body = fmt.Sprintf("used %s at s%d", strings.Trim(fmt.Sprint(used), "[]"), at.Minute())
				}
				mustUse(rtb{t, rt}, one, body)
				for _, id := range used {
					if u := (Use{id, at, n, fmt.Sprintf("s%d", at.Minute())}); u.after(want[id]) {
						want[id] = u
					}
				}
				if limit := rapid.IntRange(0, 3).Draw(rt, "read"); limit > 0 {
					reader := rapid.SampledFrom([]*Journal{one, other}).Draw(rt, "by")
					if _, _, err := reader.readOn(ctx, limit); err != nil {
						rt.Fatal(err)
					}
				}
			}
			same := func(when string) {
				other.mustCatchUp(rtb{t, rt})
				u := one.mustLastUse(rtb{t, rt}, ids...)
				if diff := cmp.Diff(want, u.Last); diff != "" || u.Behind != 0 {
					rt.Fatalf("%s, %d behind (-want +got):\n%s", when, u.Behind, diff)
				}
			}
			same("as it came")
			alter(rt, db, p.in(`UPDATE @followed SET sequence = $1`), base.sequence)
			same("once more over what was known")
			alter(rt, db, p.in(`DELETE FROM @uses`))
			alter(rt, db, p.in(`UPDATE @followed SET sequence = $1`), base.sequence)
			same("from nothing")
		})
	})
}

// rtb lets helpers of tests fail a round of rapid.
type rtb struct {
	testing.TB
	round *rapid.T
}

func (r rtb) Fatal(args ...any) { r.round.Fatal(args...) }

func alter(t *rapid.T, db *sql.DB, statement string, args ...any) {
	t.Helper()
	if _, err := db.Exec(statement, args...); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

// The answer to what was kept is lost on the way: reading goes on as if it had come.
func TestLostAnswerOfReading(t *testing.T) {
	p, wire, j := behindLink(t)
	near := p.open()
	for i := range 3 {
		mustUse(t, near, fmt.Sprintf("used 1 %d at vat", i+2))
		from, err := j.store.followed(ctx)
		if err != nil {
			t.Fatal(err)
		}
		read, _, err := j.gather(ctx, from, 1)
		if err != nil {
			t.Fatal(err)
		}
		if moved, err := j.store.follow(ctx, mark{sequence: -1}, mark{}, nil); moved || err != nil { // the connection is warm
			t.Fatal(moved, err)
		}
		wire.HangAnswers()
		answer := make(chan error)
		go func() {
			_, err := j.store.follow(ctx, from, read.to, read.uses())
			answer <- err
		}()
		waitFor(t, "the use to be kept", func() bool { return near.mustLastUse(t).Behind == 0 })
		wire.Cut()
		wire.Heal()
		if err := <-answer; err == nil {
			t.Error("an answer came over a wire that was cut")
		}
		mustUse(t, near, "used 1 at permit")
		waitFor(t, "the way back", func() bool { return j.catchUp(ctx) == nil })
		mustBeTold(t, near, []mandate.ID{1, 2, 3, 4})
	}
}
