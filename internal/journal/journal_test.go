package journal

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mandated/mandated/internal/sqlite"
)

var ctx = context.Background()

// What was appended is found again, in order, each record holding the hash of the
// one before it.
func TestRecordsChain(t *testing.T) {
	p := newPlace(t)
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
}

// The encoding that is hashed is part of the file format: a later release must
// compute the same.
func TestDigestStaysTheSame(t *testing.T) {
	r := Record{Sequence: 7, ID: strings.Repeat("ab", 16), At: time.UnixMilli(1_790_000_000_123), Body: []byte("x")}
	const want = "3476442ab09aacf64512bd0ac04dc94fe4d669636ea14d1a85ea6f37481aa4a8"
	if got := r.digest().String(); got != want {
		t.Errorf("got %s", got)
	}
}

// An id is used once. Who uses it again hears so, and neither the record that is
// there nor others in the same transaction suffer.
func TestIDIsUsedOnce(t *testing.T) {
	p := newPlace(t)
	j := p.open()
	id := newID()
	mustAppend(t, j, id, []byte("first"))
	if err := j.Append(ctx, id, []byte("second")); !errors.Is(err, ErrExists) {
		t.Fatalf("got %v", err)
	}

	group := []*entry{{id: newID(), body: []byte("a")}, {id: id, body: []byte("b")}, {id: newID()}}
	if err := j.write(group); err != nil {
		t.Fatal(err)
	}
	if group[0].taken || !group[1].taken || group[2].taken {
		t.Error("the wrong one was refused")
	}
	records, _ := j.Records(ctx, 0, 10)
	if len(records) != 3 || string(records[0].Body) != "first" || records[2].Sequence != 3 {
		t.Errorf("the journal holds %v", records)
	}
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
	p := newPlace(t)
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
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if r := p.verify(); len(r.Problems) > 0 || r.Proven != 64*50 || r.Unproven != 0 {
		t.Errorf("verification says %+v", r)
	}
}

// Two daemons on one file, as during a restart: one chain.
func TestTwoProcessesShareOneChain(t *testing.T) {
	p := newPlace(t)
	a, b := p.open(), p.open()
	var work sync.WaitGroup
	for _, j := range []*Journal{a, b, a, b} {
		work.Go(func() {
			for range 50 {
				if err := j.Append(ctx, newID(), []byte("x")); err != nil {
					t.Error(err)
				}
			}
		})
	}
	work.Wait()
	if err := errors.Join(a.Close(), b.Close()); err != nil {
		t.Fatal(err)
	}
	if r := p.verify(); len(r.Problems) > 0 || r.Proven != 200 {
		t.Errorf("verification says %+v", r)
	}
}

// Even somebody with the database open cannot change or delete by a slip.
func TestTriggersRefuseTheSlip(t *testing.T) {
	p := filled(t, 3, 3)
	db, err := sql.Open("sqlite", p.journal)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, s := range []string{`UPDATE records SET body = x'00'`, `DELETE FROM records WHERE sequence = 2`} {
		if _, err := db.Exec(s); err == nil || !strings.Contains(err.Error(), "records are never") {
			t.Errorf("%s: %v", s, err)
		}
	}
}

// A journal that was closed says so; closing twice is no harm.
func TestClosed(t *testing.T) {
	p := newPlace(t)
	j := p.open()
	mustAppend(t, j, newID(), []byte("x"))
	if err := errors.Join(j.Close(), j.Close()); err != nil {
		t.Fatal(err)
	}
	_, get := j.Get(ctx, newID())
	_, records := j.Records(ctx, 0, 1)
	for _, err := range []error{j.Append(ctx, newID(), nil), j.Checkpoint(ctx), get, records} {
		if !errors.Is(err, ErrClosed) {
			t.Errorf("got %v", err)
		}
	}
}

// A caller whose time is up stops waiting and hears why.
func TestCancelledAppendStopsWaiting(t *testing.T) {
	j := newPlace(t).open()
	late, cancel := context.WithCancel(ctx)
	cancel()
	if err := j.Append(late, newID(), []byte("x")); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	mustAppend(t, j, newID(), []byte("y"))
}

// Without the register's key the journal can be read, not written, and not created.
func TestReadingOnly(t *testing.T) {
	p := filled(t, 3, 2)
	j := p.openWith(Options{Public: registerKey().Public(), Checkpoints: p.outside})
	if r, err := j.Records(ctx, 0, 5); err != nil || len(r) != 3 {
		t.Errorf("%d records, %v", len(r), err)
	}
	if err := errors.Join(j.Append(ctx, newID(), nil), j.Checkpoint(ctx)); !errors.Is(err, ErrReadOnly) {
		t.Errorf("got %v", err)
	}
	if _, err := Open(ctx, filepath.Join(t.TempDir(), "none"), Options{}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

// What is not a journal is refused and left as it was.
func TestOpenRefusesWhatIsNotAJournal(t *testing.T) {
	dir := t.TempDir()
	text := filepath.Join(dir, "text")
	if err := os.WriteFile(text, bytes.Repeat([]byte("no database\n"), 1000), 0o600); err != nil {
		t.Fatal(err)
	}
	other := filepath.Join(dir, "other.db")
	execute(t, other, `CREATE TABLE mandates (id TEXT)`)
	newer := filled(t, 1, 1).journal
	execute(t, newer, `PRAGMA user_version = 99`)

	for path, want := range map[string]error{text: nil, other: sqlite.ErrForeign, newer: sqlite.ErrNewer} {
		before, _ := os.ReadFile(path)
		_, err := Open(ctx, path, Options{Signer: registerKey()})
		if err == nil || want != nil && !errors.Is(err, want) {
			t.Errorf("%s: %v", path, err)
		}
		if after, _ := os.ReadFile(path); !bytes.Equal(before, after) {
			t.Errorf("%s was changed", path)
		}
	}
	if _, err := Open(ctx, filepath.Join(dir, "absent", "journal.db"), Options{Signer: registerKey()}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no folder: %v", err)
	}
}

func TestOpenRefusesReadOnlyFile(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("nothing is read-only for root")
	}
	p := filled(t, 1, 1)
	if err := os.Chmod(p.journal, 0o400); err != nil {
		t.Fatal(err)
	}
	_, err := Open(ctx, p.journal, p.options())
	if !errors.Is(err, os.ErrPermission) || !strings.Contains(err.Error(), "read-only") {
		t.Errorf("got %v", err)
	}
}

// The journal says who may do what with whose data: nobody else reads it.
func TestFilesAreTheOwnersOnly(t *testing.T) {
	p := filled(t, 1, 1)
	for _, path := range []string{p.journal, p.outside} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", path, info.Mode(), err)
		}
	}
}

// Checkpoints come after so many records, after so much time, and at the end; not
// when there is nothing new.
func TestCheckpointsComeByThemselves(t *testing.T) {
	p := newPlace(t)
	o := p.options()
	o.Every = 5
	j := p.openWith(o)
	for range 5 {
		mustAppend(t, j, newID(), []byte("x"))
	}
	waitFor(t, "the checkpoint of five records", func() bool { return slices.Equal(p.sequences(), []int64{5}) })
	mustAppend(t, j, newID(), []byte("x"))
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
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
}

// If the place outside cannot be written, appending goes on, the failure is told,
// and the next checkpoint covers all.
func TestCheckpointFailureDoesNotStopTheJournal(t *testing.T) {
	p := newPlace(t)
	j := p.open()
	if err := os.Mkdir(p.outside, 0o700); err != nil {
		t.Fatal(err)
	}
	mustAppend(t, j, newID(), []byte("x"))
	if err := j.Checkpoint(ctx); err == nil {
		t.Error("a checkpoint that cannot be written was made")
	}
	mustAppend(t, j, newID(), []byte("y"))
	if err := os.Remove(p.outside); err != nil {
		t.Fatal(err)
	}
	if err := j.Checkpoint(ctx); err != nil {
		t.Fatal(err)
	}
	if r := p.verify(); len(r.Problems) > 0 || r.Proven != 2 {
		t.Errorf("verification says %+v", r)
	}
}

// A power loss can leave half a line; the next checkpoint starts on a clean one.
func TestUnfinishedLineIsNoHarm(t *testing.T) {
	p := filled(t, 2, 1)
	f, _ := os.OpenFile(p.outside, os.O_APPEND|os.O_WRONLY, 0)
	_, _ = f.WriteString(`{"sequence":3,"ha`)
	_ = f.Close()
	if r := p.verify(); len(r.Problems) > 0 || r.Proven != 2 {
		t.Errorf("with half a line: %+v", r)
	}
	j := p.open()
	mustAppend(t, j, newID(), []byte("x"))
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if r := p.verify(); len(r.Problems) > 0 || r.Proven != 3 {
		t.Errorf("after the next checkpoint: %+v", r)
	}
}

// A backup that was put back is older than the checkpoints outside. Appending to it
// would make a second past, so it is refused.
func TestOpenRefusesOlderCopy(t *testing.T) {
	p := filled(t, 3, 3)
	older := p.copied()
	j := p.open()
	mustAppend(t, j, newID(), []byte("x"))
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
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
}

// sequences lists the records that checkpoints outside the store were made of.
func (p place) sequences() (all []int64) {
	data, _ := os.ReadFile(p.outside)
	for c, err := range lines(bytes.NewReader(data)) {
		if err != nil {
			p.t.Fatal(err)
		}
		all = append(all, c.Sequence)
	}
	return all
}

func execute(t *testing.T, path, statement string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err == nil {
		_, err = db.Exec(statement)
	}
	if err = errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
}

func waitFor(t *testing.T, what string, ready func() bool) {
	t.Helper()
	for range 500 {
		if ready() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("waited in vain for %s", what)
}

func BenchmarkAppend(b *testing.B) {
	body := bytes.Repeat([]byte("x"), 1500)
	for _, parallel := range []int{1, 16} {
		b.Run(fmt.Sprintf("parallel=%d", parallel), func(b *testing.B) {
			j := newPlace(b).open()
			work := make(chan struct{}, parallel)
			var writers sync.WaitGroup
			for range parallel {
				writers.Go(func() {
					for range work {
						mustAppend(b, j, newID(), body)
					}
				})
			}
			for b.Loop() {
				work <- struct{}{}
			}
			close(work)
			writers.Wait()
		})
	}
}
