package guard

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mandated/mandated/internal/sqlite"
)

var (
	ctx   = context.Background()
	start = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
)

const broker = "urn:etoegang:HM:00000003520354760000:entities:9001"

// clock is set by the test.
type clock struct{ atomic.Int64 }

func (c *clock) set(t time.Time) { c.Store(t.UnixNano()) }
func (c *clock) now() time.Time  { return time.Unix(0, c.Load()) }

func open(t testing.TB, path string) (*Guard, *clock) {
	t.Helper()
	var c clock
	c.set(start)
	g, err := Open(ctx, path, c.now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = g.Close() })
	return g, &c
}

func newPath(t testing.TB) string { return filepath.Join(t.TempDir(), "guard.db") }

func rows(t *testing.T, g *Guard) (n int) {
	t.Helper()
	if err := g.file.DB().QueryRow(`SELECT count(*) FROM admitted`).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// A message is admitted once; the same id of another issuer is another message,
// however the two are cut.
func TestOnce(t *testing.T) {
	g, _ := open(t, newPath(t))
	until := start.Add(time.Minute)
	for _, m := range []struct {
		issuer, id string
		want       error
	}{
		{broker, "_1", nil},
		{broker, "_1", ErrReplayed},
		{broker, "_2", nil},
		{broker + "_", "1", nil},
		{"", broker + "_1", nil},
		{broker, "_1", ErrReplayed},
	} {
		if err := g.Admit(ctx, m.issuer, m.id, until); !errors.Is(err, m.want) {
			t.Errorf("(%q, %q): got %v, want %v", m.issuer, m.id, err, m.want)
		}
	}
}

// At the last moment a copy is still refused; only after it the message is
// forgotten. Fractions of a millisecond count for the guard, never against it.
func TestRememberedToTheLastMoment(t *testing.T) {
	g, c := open(t, newPath(t))
	until := start.Add(time.Minute + 300*time.Microsecond)
	if err := g.Admit(ctx, broker, "_1", until); err != nil {
		t.Fatal(err)
	}
	for _, m := range []time.Time{start.Add(time.Minute), until, until.Add(700 * time.Microsecond)} {
		c.set(m)
		if err := g.Admit(ctx, broker, "_1", until.Add(time.Hour)); !errors.Is(err, ErrReplayed) {
			t.Errorf("at %v: %v", m, err)
		}
	}
	c.set(until.Add(2 * time.Millisecond))
	if err := g.Admit(ctx, broker, "_1", until.Add(time.Hour)); err != nil {
		t.Errorf("afterwards: %v", err)
	}
	if err := g.Admit(ctx, broker, "_1", until.Add(time.Hour)); !errors.Is(err, ErrReplayed) {
		t.Errorf("and again: %v", err)
	}
}

// A row that expired and happens to be there still must not refuse.
func TestExpiredRowGivesWay(t *testing.T) {
	g, c := open(t, newPath(t))
	for i := range 10 {
		if err := g.Admit(ctx, broker, fmt.Sprint(i), start.Add(time.Duration(i+1)*time.Second)); err != nil {
			t.Fatal(err)
		}
	}
	c.set(start.Add(time.Minute))
	last := message{key: keyOf(broker, "9"), until: start.Add(time.Hour).UnixMilli()}
	if err := g.write([]*message{&last}); err != nil || last.refusal != nil {
		t.Errorf("got %v, %v", err, last.refusal)
	}
	if n := rows(t, g); n != 8 {
		t.Errorf("%d rows left: two should be swept for one that is admitted", n)
	}
}

// What is past is swept away bit by bit, so the file does not grow for ever.
func TestSweeping(t *testing.T) {
	g, c := open(t, newPath(t))
	for i := range 300 {
		c.set(start.Add(time.Duration(i) * time.Second))
		if err := g.Admit(ctx, broker, fmt.Sprint(i), c.now().Add(20*time.Second)); err != nil {
			t.Fatal(err)
		}
	}
	if n := rows(t, g); n > 25 {
		t.Errorf("%d rows where 21 count", n)
	}
}

// A message that is too old to be accepted cannot be remembered in any way that
// helps, so it is refused here too.
func TestLate(t *testing.T) {
	g, _ := open(t, newPath(t))
	if err := g.Admit(ctx, broker, "_1", start); err != nil {
		t.Errorf("at the limit: %v", err)
	}
	if err := g.Admit(ctx, broker, "_2", start.Add(-time.Millisecond)); !errors.Is(err, ErrLate) {
		t.Errorf("past it: %v", err)
	}
}

// Sixteen copies at once, a thousand times: exactly one is admitted, and the others
// hear that they are copies.
func TestSixteenCopies(t *testing.T) {
	g, _ := open(t, newPath(t))
	for round := range 1000 {
		var admitted atomic.Int32
		var copies sync.WaitGroup
		for range 16 {
			copies.Go(func() {
				err := g.Admit(ctx, broker, fmt.Sprint("_", round), start.Add(time.Minute))
				switch {
				case err == nil:
					admitted.Add(1)
				case !errors.Is(err, ErrReplayed):
					t.Error(err)
				}
			})
		}
		copies.Wait()
		if n := admitted.Load(); n != 1 {
			t.Fatalf("round %d: %d admitted", round, n)
		}
	}
}

// Two daemons with one file are one guard.
func TestTwoProcesses(t *testing.T) {
	path := newPath(t)
	a, _ := open(t, path)
	b, _ := open(t, path)
	if err := a.Admit(ctx, broker, "_1", start.Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if err := b.Admit(ctx, broker, "_1", start.Add(time.Minute)); !errors.Is(err, ErrReplayed) {
		t.Errorf("got %v", err)
	}
}

// A restart forgets nothing. Neither does a crash: the file is copied while the
// guard is open, which is what a power loss leaves behind.
func TestNothingIsForgotten(t *testing.T) {
	path := newPath(t)
	g, _ := open(t, path)
	if err := g.Admit(ctx, broker, "_1", start.Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	crashed := newPath(t)
	for _, suffix := range []string{"", "-wal"} {
		data, err := os.ReadFile(path + suffix)
		if err == nil {
			err = os.WriteFile(crashed+suffix, data, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := g.Close(); err != nil {
		t.Fatal(err)
	}
	for name, path := range map[string]string{"restart": path, "crash": crashed} {
		again, _ := open(t, path)
		if err := again.Admit(ctx, broker, "_1", start.Add(time.Minute)); !errors.Is(err, ErrReplayed) {
			t.Errorf("after a %s: %v", name, err)
		}
	}
}

// A guard that cannot answer must not be taken for one that says "seen before",
// nor for one that admits.
func TestUnusableFileIsAFaultOfItsOwn(t *testing.T) {
	path := newPath(t)
	g, _ := open(t, path)
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(`ALTER TABLE admitted RENAME TO gone`); err != nil {
		t.Fatal(err)
	}
	if err := g.Admit(ctx, broker, "_1", start.Add(time.Minute)); err == nil || errors.Is(err, ErrReplayed) {
		t.Errorf("without its table: %v", err)
	}
	if _, err := db.Exec(`ALTER TABLE gone RENAME TO admitted`); err != nil {
		t.Fatal(err)
	}
	if err := g.Admit(ctx, broker, "_1", start.Add(time.Minute)); err != nil {
		t.Errorf("once it is back: %v", err)
	}
	if err := g.Close(); err != nil {
		t.Fatal(err)
	}
	if err := g.Admit(ctx, broker, "_2", start.Add(time.Minute)); !errors.Is(err, sqlite.ErrClosed) {
		t.Errorf("closed: %v", err)
	}
}

func TestOpenRefusesWhatIsNotAGuard(t *testing.T) {
	path := newPath(t)
	if err := os.WriteFile(path, []byte("something else altogether, and long enough to be looked at\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(ctx, path, nil); err == nil {
		t.Error("opened a text file")
	}
	if _, err := Open(ctx, filepath.Join(path, "below"), nil); err == nil {
		t.Error("opened a file inside a file")
	}
}

// Nobody can tell from the file who asked.
func TestOnlyHashesAreStored(t *testing.T) {
	path := newPath(t)
	g, _ := open(t, path)
	if err := g.Admit(ctx, broker, "_a-very-telling-id", start.Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	var key []byte
	if err := g.file.DB().QueryRow(`SELECT key FROM admitted`).Scan(&key); err != nil || len(key) != 32 {
		t.Errorf("%x, %v", key, err)
	}
}

func BenchmarkAdmit(b *testing.B) {
	for _, parallel := range []int{1, 16} {
		b.Run(fmt.Sprintf("parallel=%d", parallel), func(b *testing.B) {
			g, _ := open(b, newPath(b))
			work := make(chan int, parallel)
			var askers sync.WaitGroup
			for range parallel {
				askers.Go(func() {
					for i := range work {
						if err := g.Admit(ctx, broker, fmt.Sprint(i), start.Add(time.Minute)); err != nil {
							b.Error(err)
						}
					}
				})
			}
			i := 0
			for b.Loop() {
				work <- i
				i++
			}
			close(work)
			askers.Wait()
		})
	}
}
