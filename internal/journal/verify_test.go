package journal

import (
	"bytes"
	"context"
	"fmt"
	mathrand "math/rand/v2"
	"os"
	"testing"
)

// Somebody with access to the store changes one thing at a random place. Whatever it
// is, it is found, and what is called proven lies before it.
func TestOneChangeIsFound(t *testing.T) {
	onBoth(t, func(t *testing.T, original place) {
		const records, every = 120, 25
		original.fill(records, every)
		original.mustBeWhole(records)
		set := func(what string) func(int64) string {
			return func(n int64) string { return fmt.Sprintf(`UPDATE @records SET %s WHERE sequence = %d`, what, n) }
		}
		other := original.bytes(bytes.Repeat([]byte{7}, 32))
		changes := map[string]func(n int64) string{
			"body":     set(`body = ` + original.bytes([]byte("decision 121"))),
			"id":       set(`id = '` + newID() + `'`),
			"time":     set(`at = at + 1`),
			"hash":     set(`hash = ` + other),
			"previous": set(`previous = ` + original.bytes([]byte{0})),
			"number":   set(`sequence = -sequence`),
			"removed":  func(n int64) string { return fmt.Sprintf(`DELETE FROM @records WHERE sequence = %d`, n) },
			"tail":     func(n int64) string { return fmt.Sprintf(`DELETE FROM @records WHERE sequence >= %d`, n) },
			"front":    func(n int64) string { return fmt.Sprintf(`DELETE FROM @records WHERE sequence <= %d`, n) },
			"swapped": func(n int64) string {
				m := n%records + 1
				return fmt.Sprintf(`UPDATE @records SET sequence = -1 WHERE sequence = %[1]d;
					UPDATE @records SET sequence = %[1]d WHERE sequence = %[2]d;
					UPDATE @records SET sequence = %[2]d WHERE sequence = -1`, n, m)
			},
		}
		rounds := map[bool]int{false: 8, true: 3}[original.isDatabase()]
		for name, change := range changes {
			t.Run(name, func(t *testing.T) {
				for range rounds {
					n := mathrand.Int64N(records) + 1
					p := original.with(t).copied()
					p.tamper(change(n))
					r := p.verify()
					if len(r.Problems) == 0 {
						t.Fatalf("record %d: not found", n)
					}
					if r.Proven >= n && name != "swapped" || r.Proven+r.Unproven != r.Records {
						t.Fatalf("record %d: %+v", n, r)
					}
				}
			})
		}
	})
}

// Whoever can write the store can also compute the whole chain anew. Only the
// signatures outside tell.
func TestRewrittenChainIsFound(t *testing.T) {
	onBoth(t, func(t *testing.T, p place) {
		p.fill(60, 20)
		rewrite(t, p, 30, 60)
		r := p.verify()
		if len(r.Problems) != 2 || r.Problems[0].Sequence != 40 || r.Problems[1].Sequence != 60 {
			t.Errorf("problems: %+v", r.Problems)
		}
		if r.Proven != 20 || r.Unproven != 40 {
			t.Errorf("proven %d, unproven %d", r.Proven, r.Unproven)
		}
		if r := p.verifyWith(nil); len(r.Problems) != 2 {
			t.Errorf("the copies in the store: %+v", r.Problems)
		}
	})
}

// A forged record that is right in itself does not fit the next one, wherever
// checkpoints are.
func TestForgedRecordBreaksTheChain(t *testing.T) {
	onBoth(t, func(t *testing.T, p place) {
		p.fill(60, 20)
		rewrite(t, p, 30, 35)
		r := p.verify()
		if len(r.Problems) != 1 || r.Problems[0].Sequence != 36 || r.Proven != 20 {
			t.Errorf("got %+v", r)
		}
	})
}

// rewrite changes a record and mends every hash from it to another, and what else names
// the end.
func rewrite(t *testing.T, p place, from, to int64) {
	t.Helper()
	j := p.openWith(Options{})
	records, err := j.Records(ctx, from-2, int(to-from)+2)
	if err != nil {
		t.Fatal(err)
	}
	end, err := j.store.end(ctx)
	if err != nil {
		t.Fatal(err)
	}
	records[1].Body = []byte("forged")
	var mend []string
	for i := 1; i < len(records); i++ {
		r := &records[i]
		r.Previous = records[i-1].Hash
		r.Hash = r.digest()
		mend = append(mend, fmt.Sprintf(`UPDATE @records SET body = %s, previous = %s, hash = %s WHERE sequence = %d`,
			p.bytes(r.Body), p.bytes(r.Previous[:]), p.bytes(r.Hash[:]), r.Sequence))
		if p.isDatabase() && r.Sequence == end.sequence {
			mend = append(mend, `UPDATE @head SET hash = `+p.bytes(r.Hash[:]))
		}
	}
	_ = j.Close()
	p.tamper(mend...)
}

// Any one byte of a checkpoint outside the store being other than it was written is
// found, or makes it one by a key that nobody has; so is a tail that was cut off together
// with the copies in the store.
func TestCheckpointFileIsWatched(t *testing.T) {
	onBoth(t, func(t *testing.T, p place) {
		p.fill(20, 5)
		whole, err := os.ReadFile(p.outside)
		if err != nil {
			t.Fatal(err)
		}
		for range 60 {
			altered := bytes.Clone(whole)
			i := mathrand.IntN(len(altered) - 1) // all but the last line's end
			altered[i] ^= byte(1 << mathrand.IntN(7))
			if r := p.verifyWith(bytes.NewReader(altered)); len(r.Problems) == 0 && r.Unjudged == 0 {
				t.Fatalf("byte %d made %q: not found", i, altered[i])
			}
		}
		cut := []string{`DELETE FROM @records WHERE sequence > 10`, `DELETE FROM @checkpoints WHERE sequence > 10`}
		if p.isDatabase() {
			cut = append(cut, `UPDATE @head SET sequence = 10, hash = (SELECT hash FROM @records WHERE sequence = 10)`)
		}
		p.tamper(cut...)
		if r := p.verifyWith(nil); len(r.Problems) > 0 {
			t.Fatalf("the store alone cannot know: %+v", r)
		}
		r := p.verify()
		if len(r.Problems) != 2 || r.Problems[0].Sequence != 15 || r.Proven != 10 {
			t.Errorf("tail cut off: %+v", r)
		}
	})
}

// After a rollover old checkpoints are good by the old key, if it is given. If it is not,
// they prove nothing, but are no problem where the new key has signed the same records; a
// new one is, for who knows only the old key. And one that does not fit is a problem
// whoever signed it.
func TestKeysOfCheckpoints(t *testing.T) {
	onBoth(t, func(t *testing.T, p place) {
		p.fill(4, 2)
		o := p.options()
		o.Signer = nextKey()
		j := p.openWith(o)
		mustAppend(t, j, newID(), []byte("x"))
		mustClose(t, j)
		old, next := registerKey().Public(), nextKey().Public()
		if r := p.verify(old, next); len(r.Problems) > 0 || r.Proven != 5 || r.Unjudged != 0 {
			t.Errorf("both keys: %+v", r)
		}
		if r := p.verify(next); len(r.Problems) > 0 || r.Proven != 5 || r.Unjudged != 2 {
			t.Errorf("new key alone: %+v", r)
		}
		if r := p.verify(old); len(r.Problems) != 1 || r.Problems[0].Sequence != 5 || r.Proven != 4 || r.Unjudged != 0 {
			t.Errorf("old key alone: %+v", r)
		}
		if _, err := Verify(ctx, p.journal, nil); err == nil {
			t.Error("verified without a key")
		}
		rewrite(t, p, 2, 5)
		p.tamper(`DELETE FROM @checkpoints`)
		again := p.openWith(Options{Signer: nextKey(), Checkpoints: p.outside + "2"})
		mustAppend(t, again, newID(), []byte("over the rewritten past"))
		mustClose(t, again)
		outside, _ := os.ReadFile(p.outside)
		more, _ := os.ReadFile(p.outside + "2")
		r := p.verifyWith(bytes.NewReader(append(outside, more...)), next)
		if len(r.Problems) != 3 || r.Problems[0].Sequence != 2 || r.Problems[1].Sequence != 4 || r.Unjudged != 0 {
			t.Errorf("rewritten before the rollover: %+v", r)
		}
	})
}

// What nobody has signed yet is told apart from what is proven.
func TestRecordsAfterTheLastCheckpointAreUnproven(t *testing.T) {
	onBoth(t, func(t *testing.T, p place) {
		j := p.open()
		for i := range 7 {
			mustAppend(t, j, newID(), []byte("x"))
			if i == 4 {
				if err := j.Checkpoint(ctx); err != nil {
					t.Fatal(err)
				}
			}
		}
		if r := p.verify(); r.Records != 7 || r.Proven != 5 || r.Unproven != 2 || len(r.Problems) > 0 {
			t.Errorf("got %+v", r)
		}
	})
}

// Verification does not need the daemon to stop, and takes nothing of what it is
// doing for a problem.
func TestVerifyWhileAppending(t *testing.T) {
	onBoth(t, func(t *testing.T, p place) {
		o := p.options()
		o.Every = 20
		j := p.openWith(o)
		mustAppend(t, j, newID(), []byte("x"))
		if err := j.Checkpoint(ctx); err != nil {
			t.Fatal(err)
		}
		stop, done := context.WithCancel(ctx)
		appended := make(chan struct{})
		go func() {
			defer close(appended)
			for stop.Err() == nil {
				if err := j.Append(ctx, newID(), []byte("x")); err != nil {
					t.Error(err)
				}
			}
		}()
		for range 20 {
			if r := p.verify(); len(r.Problems) > 0 {
				t.Errorf("got %+v", r)
			}
		}
		done()
		<-appended
	})
}

// A journal altered all over is reported in bounded memory.
func TestProblemsAreBounded(t *testing.T) {
	onBoth(t, func(t *testing.T, p place) {
		j := p.open()
		var group []*entry
		for range 1500 {
			group = append(group, &entry{id: newID(), body: []byte("x")})
		}
		if err := j.write(ctx, group); err != nil {
			t.Fatal(err)
		}
		mustClose(t, j)
		p.tamper(`UPDATE @records SET body = ` + p.bytes([]byte{0}))
		if r := p.verify(); len(r.Problems) != maxProblems || r.Untold != 500 || r.Proven != 0 {
			t.Errorf("%d told, %d untold, %d proven", len(r.Problems), r.Untold, r.Proven)
		}
	})
}
