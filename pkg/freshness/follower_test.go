package freshness

import (
	"context"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/mandated/mandated/pkg/register"
)

// Before the first poll there is nothing to judge by, and a poll that fails changes
// nothing: the view grows no younger.
func TestPollThatFails(t *testing.T) {
	r := newReading(10)
	away := false
	r.source = source(func(known register.Revision, limit int) (register.News, error) {
		if away {
			return register.News{}, errAway
		}
		return r.poll(known, limit, epoch), nil
	})
	claim := Claim{Stamp: r.newest().stamp}
	if rev, why := r.Judge(claim, Question{}); why != NoView || rev != 0 {
		t.Errorf("before the first poll: %q at %d", why, rev)
	}
	if _, ok := r.Confirmed(); ok || r.age() >= 0 {
		t.Error("there is a view before the first poll")
	}
	if err := r.Follower.Poll(context.Background()); err != nil {
		t.Fatal(err)
	}
	away = true
	r.now = Moment{Steady: lease - 1, Wall: epoch.Add(lease - 1)}
	if err := r.Follower.Poll(context.Background()); !errors.Is(err, errAway) {
		t.Errorf("a failed poll says %v", err)
	}
	if _, why := r.Judge(claim, Question{}); why != Serves {
		t.Errorf("after a failed poll, within the lease: %q", why)
	}
	r.now = Moment{Steady: lease, Wall: epoch.Add(lease)}
	if _, why := r.Judge(claim, Question{}); why != Lease {
		t.Errorf("a lease after the last good poll: %q", why)
	}
}

// A restored register is found out by the next poll, which counts as a failure; the one
// after that starts anew, and knows nothing of what was lost.
func TestRegisterThatWasRestored(t *testing.T) {
	r := newReading(10)
	kept, lost := r.touch(party(aPerson, 1)), r.touch(party(aPerson, 2))
	_ = r.read()
	r.restore(int(kept.stamp.Revision))
	again := r.touch(party(aPerson, 3))
	if err := r.read(); err == nil || !strings.Contains(err.Error(), "not the one it was at revision 2") {
		t.Errorf("the poll that finds out says %v", err)
	}
	if _, why := r.Judge(Claim{Stamp: kept.stamp}, Question{}); why != NoView {
		t.Errorf("before the view is made anew: %q", why)
	}
	if err := r.read(); err != nil {
		t.Fatal(err)
	}
	for e, want := range map[*entry]Why{kept: Serves, lost: Unknown, again: Serves} {
		if rev, why := r.Judge(Claim{Stamp: e.stamp}, Question{}); why != want || rev != again.stamp.Revision {
			t.Errorf("%v: %q by revision %d, want %q", e.stamp, why, rev, want)
		}
	}
}

// Confirmed is for those who read from a replica: it says how far the replica has to be.
func TestConfirmed(t *testing.T) {
	r := newReading(10)
	_ = r.read()
	for _, c := range []struct {
		steady, wall time.Duration
		want         bool
	}{{0, 0, true}, {lease - 1, lease - 1, true}, {lease, 0, false}, {0, lease, false}, {0, -1, false}} {
		r.now = Moment{Steady: c.steady, Wall: epoch.Add(c.wall)}
		if stamp, ok := r.Confirmed(); ok != c.want || stamp != r.newest().stamp {
			t.Errorf("after %v and %v by the wall: %v %v", c.steady, c.wall, stamp, ok)
		}
	}
}

// The database's clock was read somewhere between two moments of ours. More than two
// seconds outside of them it is another time than ours, until a poll finds otherwise.
func TestClocksThatDiffer(t *testing.T) {
	r := newReading(10)
	var database time.Duration
	var took time.Duration
	r.source = source(func(known register.Revision, limit int) (register.News, error) {
		r.now.Wall = r.now.Wall.Add(took)
		return r.poll(known, limit, epoch.Add(database)), nil
	})
	for _, c := range []struct {
		database, took time.Duration
		apart          string
	}{
		{0, 0, ""}, {2 * time.Second, 0, ""}, {-2 * time.Second, 0, ""},
		{2*time.Second + time.Millisecond, 0, "2.001s"}, {-10 * time.Minute, 0, "10m0s"},
		{5 * time.Second, 3 * time.Second, ""}, // a slow answer proves nothing
		{6 * time.Second, 3 * time.Second, "3s"},
		{0, 0, ""},
	} {
		r.now, database, took = Moment{Wall: epoch}, c.database, c.took
		_ = r.Follower.Poll(context.Background())
		err := r.Clock()
		if (err == nil) != (c.apart == "") || err != nil && (!errors.Is(err, ErrClock) || !strings.Contains(err.Error(), "("+c.apart+" apart)")) {
			t.Errorf("the database is at %v after %v: %v, want %q", c.database, c.took, err, c.apart)
		}
	}
}

// A clock that was set is found out by the one that cannot be, and before the next poll. A
// machine that has slept knows the time no better until it has asked. Without polls, time
// goes by as it always did.
func TestClockSetBetweenPolls(t *testing.T) {
	r := newReading(10)
	for _, c := range []struct {
		idea         string
		steady, wall time.Duration
		wrong        bool
	}{
		{"nothing happened", 0, 0, false},
		{"an hour without a poll", time.Hour, time.Hour, false},
		{"two seconds ahead", time.Second, 3 * time.Second, false},
		{"more", time.Second, 3*time.Second + 1, true},
		{"two seconds back", 2 * time.Second, 0, false},
		{"further back", 2*time.Second + 1, 0, true},
		{"it slept", 0, time.Minute, true},
	} {
		r.now = Moment{Wall: epoch}
		_ = r.read()
		r.now = Moment{Steady: c.steady, Wall: epoch.Add(c.wall)}
		if err := r.Clock(); errors.Is(err, ErrClock) != c.wrong {
			t.Errorf("%s: %v", c.idea, err)
		}
	}
}

// Four times a lease the register is asked, well or not, and whoever follows hears how it
// went; until he stops.
func TestFollow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLedger(rand.New(rand.NewPCG(1, 1)))
		polls, failures := 0, 0
		f := New(source(func(known register.Revision, limit int) (register.News, error) {
			if polls++; polls%2 == 0 {
				return register.News{}, errAway
			}
			return l.poll(known, limit, time.Now()), nil
		}), lease, Machine)
		following, stop := context.WithCancel(context.Background())
		done := make(chan struct{})
		go func() {
			defer close(done)
			f.Follow(following, func(err error) {
				if err != nil {
					failures++
				}
			})
		}()
		time.Sleep(2*lease + time.Millisecond) // of the bubble's own time
		stop()
		<-done
		if polls != 8 || failures != 4 {
			t.Errorf("%d polls in two leases, of which %d failed", polls, failures)
		}
	})
}

// Who sees a claim of a revision that the view does not have yet need not wait for the next
// poll in turn: it is asked for at once, and once only.
func TestNewsHastensThePoll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newReading(10)
		r.Follower = New(r, lease, Machine)
		_ = r.Follower.Poll(context.Background())
		claim := Claim{Stamp: r.touch(party(aPerson, 1)).stamp}
		following, stop := context.WithCancel(context.Background())
		polls := 0
		go r.Follow(following, func(error) { polls++ })
		synctest.Wait()
		r.Judge(claim, Question{})
		r.Judge(claim, Question{})
		synctest.Wait()
		if _, why := r.Judge(claim, Question{}); why != Serves || polls < 1 || polls > 2 {
			t.Errorf("after %d polls and no time at all: %q", polls, why)
		}
		stop()
		synctest.Wait()
	})
}

// A poll that hangs is given up after a lease: the next one may find the register back.
func TestFollowGivesUpAPollThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := New(hanging{}, lease, Machine)
		following, stop := context.WithCancel(context.Background())
		var heard []error
		go f.Follow(following, func(err error) { heard = append(heard, err) })
		time.Sleep(3*lease + time.Millisecond)
		stop()
		synctest.Wait()
		if len(heard) != 2 || !errors.Is(heard[0], context.DeadlineExceeded) {
			t.Errorf("in three leases it heard %v", heard)
		}
	})
}

// hanging is a register that never answers.
type hanging struct{}

func (hanging) Poll(ctx context.Context, _ register.Revision, _ int) (register.News, error) {
	<-ctx.Done()
	return register.News{}, ctx.Err()
}

// Operators see how old the view is, at which revision, and why kept decisions were not
// served; every reason stands there from the start.
func TestMetrics(t *testing.T) {
	r := newReading(10)
	metrics := prometheus.NewRegistry()
	metrics.MustRegister(r.Follower)
	if got := gathered(t, metrics)["mandated_view_age_seconds"]; got != -1e-9 {
		t.Errorf("without a view its age is %v", got)
	}
	r.Judge(Claim{}, Question{})
	r.touch(party(aPerson, 1))
	_ = r.read() // what was there before is no news
	r.touch(party(aPerson, 1))
	_ = r.read()
	r.Judge(Claim{Stamp: r.newest().stamp}, Question{})
	r.now = Moment{Steady: time.Second, Wall: epoch.Add(time.Second)}
	r.Judge(Claim{Stamp: r.newest().stamp}, Question{})
	r.now.Wall = r.now.Wall.Add(3 * time.Second)
	got := gathered(t, metrics)
	for name, want := range map[string]float64{
		"mandated_view_age_seconds":           1,
		"mandated_view_revision":              2,
		"mandated_clock_apart_seconds":        3,
		"mandated_lease_seconds":              lease.Seconds(),
		"mandated_hot_judged_total served":    1,
		"mandated_hot_judged_total lease":     1,
		"mandated_hot_judged_total no-view":   1,
		"mandated_hot_judged_total unheardof": 0,
		"mandated_feed_polls_total confirmed": 2,
		"mandated_revision_lag_seconds":       1, // of the revision that was news
	} {
		if value, there := got[name]; !there || value != want {
			t.Errorf("%s is %v (%v), want %v", name, value, there, want)
		}
	}
}

// gathered gives all metrics by name and label.
func gathered(t *testing.T, from prometheus.Gatherer) map[string]float64 {
	t.Helper()
	families, err := from.Gather()
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]float64{}
	for _, family := range families {
		for _, m := range family.GetMetric() {
			name := family.GetName()
			for _, label := range m.GetLabel() {
				name += " " + label.GetValue()
			}
			all[name] = m.GetCounter().GetValue() + m.GetGauge().GetValue() + float64(m.GetHistogram().GetSampleCount())
		}
	}
	return all
}
