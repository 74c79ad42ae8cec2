package journal

import (
	"bytes"
	"context"
	"crypto"
	"errors"
	"fmt"
	"math"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// minute is the moment at which fill writes a record with that number.
func minute(n int) time.Time { return start.Add(time.Duration(n) * time.Minute) }

func (p place) mustRetire(before time.Time) Retired {
	p.t.Helper()
	r, err := Retire(ctx, p.journal, before, p.options())
	if err != nil {
		p.t.Fatal(err)
	}
	return r
}

// What is old goes, and what stays is as proven as before: by the store and by the file
// outside it, which still has checkpoints of what is gone.
func TestRetire(t *testing.T) {
	onBoth(t, func(t *testing.T, p place) {
		p.fill(100, 10)
		var told []int64
		o := p.options()
		o.Progress = func(done int64) { told = append(told, done) }
		got, err := Retire(ctx, p.journal, minute(35), o) // the checkpoint that covers record 34 is that of record 40
		if err != nil || got.Records != 34 || got.Stub.Sequence != 34 || !got.Stub.LastAt.Equal(minute(34)) {
			t.Fatalf("retired %+v, %v", got, err)
		}
		if len(told) != 1 || told[0] != 34 {
			t.Errorf("told were %v", told)
		}
		for name, r := range map[string]Report{"outside": p.verify(), "inside": p.verifyWith(nil)} {
			if len(r.Problems) > 0 || r.Retired != 34 || r.Records != 66 || r.Proven != 66 || r.Unproven != 0 {
				t.Errorf("%s: %+v", name, r)
			}
			if want := map[string]int64{"outside": 3}[name]; r.Uncompared != want {
				t.Errorf("%s: %d checkpoints of what is gone", name, r.Uncompared)
			}
		}
		if again := p.mustRetire(minute(35)); again.Records != 0 || again.Stub.Sequence != 34 {
			t.Errorf("again: %+v", again)
		}

		j := p.open() // the chain goes on, and so does retention
		mustAppend(t, j, newID(), []byte("after"))
		mustClose(t, j)
		if more := p.mustRetire(minute(61)); more.Records != 26 || more.Stub.Sequence != 60 {
			t.Errorf("more: %+v", more)
		}
		if r := p.verify(); len(r.Problems) > 0 || r.Retired != 60 || r.Records != 41 || r.Proven != 41 {
			t.Errorf("in the end: %+v", r)
		}
	})
}

// What must not go stays: what is not old, what no good checkpoint covers, what stands
// behind a younger record, and the last record, from which the chain goes on.
func TestWhatStays(t *testing.T) {
	onBoth(t, func(t *testing.T, p place) {
		p.fill(20, 10)
		if r := p.mustRetire(minute(1)); r.Records != 0 || r.Stub != nil {
			t.Errorf("nothing is old: %+v", r)
		}
		o := p.options()
		now := minute(21)
		o.Now = func() time.Time { return now }
		j := p.openWith(o)
		mustAppend(t, j, newID(), []byte("not covered yet"))
		now = minute(90)
		mustAppend(t, j, newID(), []byte("a clock is wrong"))
		now = minute(23)
		mustAppend(t, j, newID(), []byte("behind that"))
		if r := p.mustRetire(minute(50)); r.Records != 20 {
			t.Errorf("covered are twenty: %+v", r)
		}
		mustClose(t, j)
		if r := p.mustRetire(minute(50)); r.Records != 1 {
			t.Errorf("covered now, but behind a younger one: %+v", r)
		}
		for _, want := range []int64{1, 0} {
			if r := p.mustRetire(minute(1000)); r.Records != want {
				t.Errorf("all but the last: %+v, want %d", r, want)
			}
		}
		j = p.open()
		mustAppend(t, j, newID(), []byte("next"))
		mustClose(t, j)
		if r := p.verify(); len(r.Problems) > 0 || r.Retired != 22 || r.Records != 2 || r.Proven != 2 {
			t.Errorf("in the end: %+v", r)
		}
	})
}

// Somebody makes use of the fact that records may be missing at the front.
func TestFalseStubsAreFound(t *testing.T) {
	onBoth(t, func(t *testing.T, original place) {
		original.fill(100, 10)
		full := original.copied() // as a backup would be
		early := original.mustRetire(minute(30)).Stub
		half := original.copied()
		late := original.mustRetire(minute(60)).Stub
		checkpoint := checkpointAt(t, full, 50)
		forged := &Stub{Sequence: 50, Hash: checkpoint.Hash, LastAt: minute(50), At: checkpoint.At, Seal: checkpoint.Seal}
		stranger := &Stub{Sequence: 50, Hash: checkpoint.Hash, LastAt: minute(50), At: checkpoint.At}
		if err := sign(nextKey(), stranger); err != nil {
			t.Fatal(err)
		}
		const unretire, gone = `DELETE FROM @retired`, `DELETE FROM @records WHERE sequence <= %d`
		for _, c := range []struct {
			why        string
			from       place
			statements []string
			want       string
		}{
			{"no stub at all", full, []string{fmt.Sprintf(gone, 50)}, "missing"},
			{"a stub taken away", original, []string{unretire}, "missing"},
			{"a checkpoint's signature", full, []string{fmt.Sprintf(gone, 50), full.insert(forged)}, "does not fit"},
			{"a stranger's signature", full, []string{fmt.Sprintf(gone, 50), full.insert(stranger)}, "not given"},
			{"an earlier stub again", original, []string{unretire, original.insert(early)}, "missing"},
			{"a later stub before its time", half, []string{half.insert(late)}, "there, although"},
			{"a later stub over a gap", full, []string{fmt.Sprintf(gone, 70), full.insert(late)}, "missing, up to record 70"},
			{"the old records put back", full, nil, "was put back"},
			{"the old records put back behind an earlier stub", half, nil, "was put back"},
			{"another hash in the stub", original, []string{`UPDATE @retired SET hash = ` + original.bytes(make([]byte, 32))}, "does not fit"},
			{"a stub moved", original, []string{`UPDATE @retired SET sequence = 60 WHERE sequence = 59`}, "does not fit"},
			{"another time in the stub", original, []string{`UPDATE @retired SET last_at = last_at + 1`}, "does not fit"},
			{"a record altered behind the stub", original, []string{`UPDATE @records SET at = at + 1 WHERE sequence = 60`}, "not as it was written"},
			{"the first record replaced", original, []string{`UPDATE @records SET previous = hash WHERE sequence = 60`}, "does not follow"},
		} {
			t.Run(c.why, func(t *testing.T) {
				p := c.from.with(t).copied()
				copyFile(t, original.outside, p.outside)
				p.tamper(c.statements...)
				r := p.verify()
				for _, found := range r.Problems {
					if strings.Contains(found.What, c.want) {
						return
					}
				}
				t.Errorf("got %+v, want %q", r, c.want)
			})
		}
	})
}

// insert is the statement that puts a stub into the store.
func (p place) insert(s *Stub) string {
	return fmt.Sprintf(`INSERT INTO @retired (sequence, hash, last_at, at, key_id, signature) VALUES (%d, %s, %d, %d, '%s', %s)`,
		s.Sequence, p.bytes(s.Hash[:]), s.LastAt.UnixMilli(), s.At.UnixMilli(), s.KeyID, p.bytes(s.Signature))
}

func checkpointAt(t *testing.T, p place, sequence int64) *Checkpoint {
	t.Helper()
	data, err := os.ReadFile(p.outside)
	if err != nil {
		t.Fatal(err)
	}
	for s, err := range lines(bytes.NewReader(data)) {
		if c, ok := s.(*Checkpoint); ok && err == nil && c.Sequence == sequence {
			return c
		}
	}
	t.Fatalf("no checkpoint at %d", sequence)
	return nil
}

// Evidence is not deleted, and nobody's word is taken for what is gone: over a broken
// chain, a checkpoint that does not fit, or a stub by a key that is not ours, nothing is
// retired.
func TestRetireRefuses(t *testing.T) {
	onBoth(t, func(t *testing.T, original place) {
		original.fill(30, 10)
		stranger := &Stub{Sequence: 5, LastAt: minute(5), At: minute(6)}
		if err := sign(nextKey(), stranger); err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			why, statement string
			want           string
		}{
			{"a record altered", `UPDATE @records SET id = '` + newID() + `' WHERE sequence = 15`, "record 15 is not as it was written"},
			{"a record removed", `DELETE FROM @records WHERE sequence = 3`, "record 3 is missing"},
			{"the front removed", `DELETE FROM @records WHERE sequence <= 3`, "record 1 is missing"},
			{"altered at the checkpoint", `UPDATE @records SET id = '` + newID() + `' WHERE sequence = 10`, "record 10 is not as it was written"},
			{"a stranger's stub", original.insert(stranger), "a key that was not given"},
		} {
			t.Run(c.why, func(t *testing.T) {
				p := original.with(t).copied()
				p.tamper(c.statement)
				before := p.count()
				r, err := Retire(ctx, p.journal, minute(25), p.options())
				if err == nil || !strings.Contains(err.Error(), c.want) || r.Records != 0 || p.count() != before {
					t.Errorf("%+v, %v, %d of %d records left", r, err, p.count(), before)
				}
			})
		}
		p := original.copied() // a whole chain, but not the one that was signed
		rewrite(t, p, 5, 30)
		o := p.options()
		o.Checkpoints = p.outside + " of a new machine"
		if r, err := Retire(ctx, p.journal, minute(25), o); !errors.Is(err, ErrBroken) || r.Records != 0 {
			t.Errorf("rewritten to its end: %+v, %v", r, err)
		}
	})
}

func (p place) count() (n int) {
	p.t.Helper()
	db := p.db()
	defer db.Close()
	if err := db.QueryRow(p.in(`SELECT count(*) FROM @records`)).Scan(&n); err != nil {
		p.t.Fatal(err)
	}
	return n
}

// After a rollover what the old key signed is believed if the old key is given; else what
// the new key signed covers it.
func TestRetireAfterRollover(t *testing.T) {
	onBoth(t, func(t *testing.T, p place) {
		p.fill(20, 10)
		p.mustRetire(minute(5))
		o := p.options()
		o.Signer = nextKey()
		if _, err := Retire(ctx, p.journal, minute(15), o); err == nil || !strings.Contains(err.Error(), "not given") {
			t.Errorf("an unknown stub: %v", err)
		}
		o.Keys = []crypto.PublicKey{registerKey().Public()}
		if r, err := Retire(ctx, p.journal, minute(10), o); err != nil || r.Stub.Sequence != 9 {
			t.Errorf("with the old key: %+v, %v", r, err)
		}
		o.Keys = nil // the stub is by the new key now, no checkpoint is
		if r, err := Retire(ctx, p.journal, minute(15), o); err != nil || r.Records != 0 {
			t.Errorf("no checkpoint by the new key: %+v, %v", r, err)
		}
		j := p.openWith(o)
		mustAppend(t, j, newID(), []byte("x"))
		mustClose(t, j)
		if r, err := Retire(ctx, p.journal, minute(15), o); err != nil || r.Stub.Sequence != 14 {
			t.Errorf("a checkpoint by the new key: %+v, %v", r, err)
		}
		if r := p.verify(nextKey().Public()); len(r.Problems) > 0 || r.Retired != 14 || r.Proven != 7 || r.Unjudged == 0 {
			t.Errorf("the new key alone: %+v", r)
		}
	})
}

// Many batches, with daemons that write and a verification that reads meanwhile: nobody
// takes what is gone for missing, nothing that is written is lost, and the daemon's
// checkpoints go on.
func TestRetireBesideEverybody(t *testing.T) {
	onBoth(t, func(t *testing.T, p place) {
		const old = 5*batch + 10
		o := p.options()
		var now atomic.Int64
		now.Store(start.UnixMilli())
		o.Now = func() time.Time { return time.UnixMilli(now.Load()) }
		o.Every = 50
		j := p.openWith(o)
		var group []*entry
		for range old {
			group = append(group, &entry{id: newID(), body: []byte("old")})
		}
		if err := j.write(ctx, group); err != nil {
			t.Fatal(err)
		}
		if err := j.Checkpoint(ctx); err != nil {
			t.Fatal(err)
		}
		now.Store(minute(60).UnixMilli())
		stop, done := context.WithCancel(ctx)
		var beside sync.WaitGroup
		var written atomic.Int64
		beside.Go(func() {
			for stop.Err() == nil {
				if err := j.Append(ctx, newID(), []byte("new")); err != nil {
					t.Error(err)
					return
				}
				written.Add(1)
			}
		})
		beside.Go(func() {
			for stop.Err() == nil {
				r := p.verify()
				if len(r.Problems) > 0 || r.Retired+r.Records > old+written.Load()+1 {
					t.Errorf("beside the retirement: %+v, %d written", r, written.Load())
					return
				}
			}
		})
		waitFor(t, "the first new record", func() bool { return written.Load() > 0 })
		steps := 0
		ro := p.options()
		ro.Progress = func(int64) { steps++ }
		r, err := Retire(ctx, p.journal, minute(30), ro)
		if err != nil || r.Records != old || steps != 6 {
			t.Errorf("%+v in %d steps, %v", r, steps, err)
		}
		done()
		beside.Wait()
		mustClose(t, j)
		if r := p.verify(); len(r.Problems) > 0 || r.Retired != old || r.Records != written.Load() || r.Unproven != 0 {
			t.Errorf("in the end: %+v, %d written", r, written.Load())
		}
	})
}

// Records that are retired under somebody who reads them are told to be gone, and not
// left out.
func TestReadingWhatIsRetired(t *testing.T) {
	onBoth(t, func(t *testing.T, p place) {
		p.fillOld(2*page + 10)
		read, last := 0, error(nil)
		for _, err := range p.openWith(Options{}).All(ctx, 0) {
			if read++; read == 1 {
				p.mustRetire(minute(30))
			}
			last = err
		}
		if read != page+1 || last == nil || !strings.Contains(last.Error(), "are gone") {
			t.Errorf("read %d, %v", read, last)
		}
	})
}

// interrupted is a store in which something happens after the first page was read.
type interrupted struct {
	store
	happen func()
}

func (s *interrupted) page(ctx context.Context, after int64, limit int, use func(Record)) (bool, error) {
	more, err := s.store.page(ctx, after, limit, use)
	s.happen()
	s.happen = func() {}
	return more, err
}

// Records that are retired under a verification are not missing: it goes on from the stub
// that stands for them now, and counts what is left.
func TestVerifyWhileRetiring(t *testing.T) {
	onBoth(t, func(t *testing.T, p place) {
		p.fillOld(2*page + 10)
		store, err := openStore(ctx, p.journal, true)
		if err != nil {
			t.Fatal(err)
		}
		defer store.close()
		ring, err := newKeyring(registerKey().Public())
		if err != nil {
			t.Fatal(err)
		}
		v := &verifier{store: &interrupted{store, func() { p.mustRetire(minute(30)) }}, ring: ring, firstBad: math.MaxInt64}
		err = v.run(ctx, nil)
		if r := v.report; err != nil || len(r.Problems) > 0 || r.Retired != 2*page+9 || r.Records != 1 || r.Proven != 1 {
			t.Errorf("got %+v, %v", r, err)
		}
	})
}

// The same under a daemon that is about to sign.
func TestCheckpointWhileRetiring(t *testing.T) {
	onBoth(t, func(t *testing.T, p place) {
		o := p.options()
		o.Every = 1 << 30
		j := p.openWith(o)
		var group []*entry
		for range 2*page + 10 {
			group = append(group, &entry{id: newID(), body: []byte("old")})
		}
		if err := j.write(ctx, group); err != nil {
			t.Fatal(err)
		}
		j.store = &interrupted{j.store, func() {
			other := p.options()
			other.Checkpoints += " of another daemon"
			d := p.openWith(other)
			mustClose(t, d) // which signs the end
			if _, err := Retire(ctx, p.journal, time.Now().Add(time.Hour), other); err != nil {
				t.Error(err)
			}
		}}
		if err := j.Checkpoint(ctx); err != nil || j.Healthy() != nil {
			t.Errorf("got %v", err)
		}
		mustClose(t, j)
		if r := p.verify(); len(r.Problems) > 0 || r.Retired != 2*page+9 || r.Proven != 1 {
			t.Errorf("got %+v", r)
		}
	})
}

// Who stops half-way has done half, and says so outside; the next goes on.
func TestRetireStopped(t *testing.T) {
	onBoth(t, func(t *testing.T, p place) {
		p.fillOld(3 * batch)
		stop, cancel := context.WithCancel(ctx)
		o := p.options()
		o.Progress = func(int64) { cancel() }
		r, err := Retire(stop, p.journal, minute(30), o)
		if !errors.Is(err, context.Canceled) || r.Records != batch {
			t.Errorf("%+v, %v", r, err)
		}
		if r := p.verify(); len(r.Problems) > 0 || r.Retired != batch || r.Proven != 2*batch {
			t.Errorf("half-way: %+v", r)
		}
		if r := p.mustRetire(minute(30)); r.Records != 2*batch-1 {
			t.Errorf("the rest: %+v", r)
		}
		if r := p.verify(); len(r.Problems) > 0 || r.Retired != 3*batch-1 || r.Proven != 1 {
			t.Errorf("in the end: %+v", r)
		}
	})
}

// fillOld makes a closed journal of n records of one moment and one checkpoint.
func (p place) fillOld(n int) {
	p.t.Helper()
	o := p.options()
	o.Now = func() time.Time { return start }
	j := p.openWith(o)
	var group []*entry
	for range n {
		group = append(group, &entry{id: newID(), body: []byte("old")})
	}
	if err := j.write(ctx, group); err != nil {
		p.t.Fatal(err)
	}
	mustClose(p.t, j)
}

// Two that retire at the same time: the records go once, and whoever comes second says so
// or has nothing left to do.
func TestTwoRetire(t *testing.T) {
	onBoth(t, func(t *testing.T, p place) {
		p.fillOld(3 * batch)
		var both sync.WaitGroup
		var gone atomic.Int64
		for range 2 {
			both.Go(func() {
				o := p.options()
				o.Checkpoints = ""
				r, err := Retire(ctx, p.journal, minute(30), o)
				gone.Add(r.Records)
				if err != nil && !errors.Is(err, errElsewhere) {
					t.Error(err)
				}
			})
		}
		both.Wait()
		rest := p.mustRetire(minute(30)).Records
		if n := gone.Load() + rest; n != 3*batch-1 {
			t.Errorf("%d records were retired", n)
		}
		if r := p.verify(); len(r.Problems) > 0 || r.Retired != 3*batch-1 {
			t.Errorf("in the end: %+v", r)
		}
	})
}
