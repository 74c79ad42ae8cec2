package journal

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"database/sql"
	"fmt"
	mathrand "math/rand/v2"
	"os"
	"strings"
	"testing"
)

// Somebody with access to the file changes one thing at a random place. Whatever it
// is, it is found, and what is called proven lies before it.
func TestOneChangeIsFound(t *testing.T) {
	const records, every = 120, 25
	original := filled(t, records, every)
	if r := original.verify(); len(r.Problems) > 0 || r.Proven != records || r.Unproven != 0 {
		t.Fatalf("untouched: %+v", r)
	}
	changes := map[string]func(n int64) string{
		"body": func(n int64) string {
			return fmt.Sprintf(`UPDATE records SET body = CAST(body || '!' AS BLOB) WHERE sequence = %d`, n)
		},
		"id": func(n int64) string {
			return fmt.Sprintf(`UPDATE records SET id = '%s' WHERE sequence = %d`, newID(), n)
		},
		"time": func(n int64) string { return fmt.Sprintf(`UPDATE records SET at = at + 1 WHERE sequence = %d`, n) },
		"hash": func(n int64) string {
			return fmt.Sprintf(`UPDATE records SET hash = randomblob(32) WHERE sequence = %d`, n)
		},
		"previous": func(n int64) string { return fmt.Sprintf(`UPDATE records SET previous = x'00' WHERE sequence = %d`, n) },
		"removed":  func(n int64) string { return fmt.Sprintf(`DELETE FROM records WHERE sequence = %d`, n) },
		"tail":     func(n int64) string { return fmt.Sprintf(`DELETE FROM records WHERE sequence >= %d`, n) },
		"number": func(n int64) string {
			return fmt.Sprintf(`UPDATE records SET sequence = -%[1]d WHERE sequence = %[1]d`, n)
		},
		"swapped": func(n int64) string {
			m := n%records + 1
			return fmt.Sprintf(`UPDATE records SET sequence = -1 WHERE sequence = %[1]d;
				UPDATE records SET sequence = %[1]d WHERE sequence = %[2]d;
				UPDATE records SET sequence = %[2]d WHERE sequence = -1`, n, m)
		},
	}
	for name, change := range changes {
		t.Run(name, func(t *testing.T) {
			for range 25 {
				n := mathrand.Int64N(records) + 1
				p := original
				p.t = t
				p = p.copied()
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
}

// Whoever can write the file can also compute the whole chain anew. Only the
// signatures outside tell.
func TestRewrittenChainIsFound(t *testing.T) {
	p := filled(t, 60, 20)
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
}

// A forged record that is right in itself does not fit the next one, wherever
// checkpoints are.
func TestForgedRecordBreaksTheChain(t *testing.T) {
	p := filled(t, 60, 20)
	rewrite(t, p, 30, 35)
	r := p.verify()
	if len(r.Problems) != 1 || r.Problems[0].Sequence != 36 || r.Proven != 20 {
		t.Errorf("got %+v", r)
	}
}

// rewrite changes a record and mends every hash from it to another.
func rewrite(t *testing.T, p place, from, to int64) {
	t.Helper()
	j := p.openWith(Options{})
	records, err := j.Records(ctx, from-2, int(to-from)+2)
	if err != nil {
		t.Fatal(err)
	}
	records[1].Body = []byte("forged")
	var mend []string
	for i := 1; i < len(records); i++ {
		r := &records[i]
		r.Previous = records[i-1].Hash
		r.Hash = r.digest()
		mend = append(mend, fmt.Sprintf(`UPDATE records SET body = x'%x', previous = x'%x', hash = x'%x' WHERE sequence = %d`,
			r.Body, r.Previous[:], r.Hash[:], r.Sequence))
	}
	_ = j.Close()
	p.tamper(mend...)
}

// Any one byte of a checkpoint outside the store being other than it was written is
// found; so is a tail that was cut off together with the copies in the store.
func TestCheckpointFileIsWatched(t *testing.T) {
	p := filled(t, 20, 5)
	whole, err := os.ReadFile(p.outside)
	if err != nil {
		t.Fatal(err)
	}
	for range 200 {
		altered := bytes.Clone(whole)
		i := mathrand.IntN(len(altered) - 1) // all but the last line's end
		altered[i] ^= byte(1 << mathrand.IntN(7))
		if r := p.verifyWith(bytes.NewReader(altered)); len(r.Problems) == 0 {
			t.Fatalf("byte %d made %q: not found", i, altered[i])
		}
	}
	p.tamper(`DELETE FROM records WHERE sequence > 10`, `DELETE FROM checkpoints WHERE sequence > 10`)
	if r := p.verifyWith(nil); len(r.Problems) > 0 {
		t.Fatalf("the store alone cannot know: %+v", r)
	}
	r := p.verify()
	if len(r.Problems) != 2 || r.Problems[0].Sequence != 15 || r.Proven != 10 {
		t.Errorf("tail cut off: %+v", r)
	}
}

// After a rollover old checkpoints are good by the old key, if it is given. A key
// that is not given proves nothing.
func TestKeysOfCheckpoints(t *testing.T) {
	p := filled(t, 4, 2)
	next, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	o := p.options()
	o.Signer = next
	j := p.openWith(o)
	mustAppend(t, j, newID(), []byte("x"))
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	outside, _ := os.ReadFile(p.outside)
	both, err := Verify(ctx, p.journal, bytes.NewReader(outside), registerKey().Public(), next.Public())
	if err != nil || len(both.Problems) > 0 || both.Proven != 5 {
		t.Errorf("both keys: %+v, %v", both, err)
	}
	if r := p.verifyWith(bytes.NewReader(outside)); len(r.Problems) != 1 || r.Proven != 4 {
		t.Errorf("old key alone: %+v", r)
	}
	if _, err := Verify(ctx, p.journal, nil); err == nil {
		t.Error("verified without a key")
	}
}

// What nobody has signed yet is told apart from what is proven.
func TestRecordsAfterTheLastCheckpointAreUnproven(t *testing.T) {
	p := newPlace(t)
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
}

// Verification does not need the daemon to stop, and takes nothing of what it is
// doing for a problem.
func TestVerifyWhileAppending(t *testing.T) {
	p := newPlace(t)
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
}

// A journal altered all over is reported in bounded memory.
func TestProblemsAreBounded(t *testing.T) {
	p := newPlace(t)
	j := p.open()
	var group []*entry
	for range 1500 {
		group = append(group, &entry{id: newID(), body: []byte("x")})
	}
	if err := j.write(group); err != nil {
		t.Fatal(err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	p.tamper(`UPDATE records SET body = x'00'`)
	if r := p.verify(); len(r.Problems) != maxProblems || r.Untold != 500 || r.Proven != 0 {
		t.Errorf("%d told, %d untold, %d proven", len(r.Problems), r.Untold, r.Proven)
	}
}

// A file that is no journal is an error, not a clean bill.
func TestVerifyRefusesWhatIsNotAJournal(t *testing.T) {
	path := newPlace(t).journal
	if _, err := Verify(ctx, path, nil, registerKey().Public()); err == nil {
		t.Error("verified nothing at all")
	}
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Verify(ctx, path, nil, registerKey().Public()); err == nil || !strings.Contains(err.Error(), "empty") {
		t.Errorf("an empty file: %v", err)
	}
	db, _ := sql.Open("sqlite", path)
	_, _ = db.Exec(`CREATE TABLE records (a)`)
	_ = db.Close()
	if _, err := Verify(ctx, path, nil, registerKey().Public()); err == nil {
		t.Error("verified somebody else's table")
	}
}
