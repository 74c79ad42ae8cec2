package journal

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"database/sql"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// One key for all scenes: making it takes longer than most of them.
var registerKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

// place is a folder with a journal and its checkpoint file.
type place struct {
	t       testing.TB
	journal string
	outside string
}

func newPlace(t testing.TB) place {
	dir := t.TempDir()
	return place{t, filepath.Join(dir, "journal.db"), filepath.Join(dir, "checkpoints.jsonl")}
}

func (p place) options() Options {
	return Options{Signer: registerKey(), Checkpoints: p.outside, Interval: time.Hour}
}

func (p place) open() *Journal { return p.openWith(p.options()) }

func (p place) openWith(o Options) *Journal {
	p.t.Helper()
	j, err := Open(context.Background(), p.journal, o)
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { _ = j.Close() })
	return j
}

// filled makes a closed journal of n records with a checkpoint after every so many.
func filled(t testing.TB, n, every int) place {
	t.Helper()
	p := newPlace(t)
	j := p.open()
	for i := 1; i <= n; i++ {
		mustAppend(t, j, newID(), fmt.Appendf(nil, "decision %d", i))
		if i%every == 0 {
			if err := j.Checkpoint(context.Background()); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	return p
}

// verify reads the checkpoints outside the store.
func (p place) verify() Report {
	p.t.Helper()
	f, err := os.Open(p.outside)
	if err != nil {
		p.t.Fatal(err)
	}
	defer f.Close()
	return p.verifyWith(f)
}

func (p place) verifyWith(checkpoints io.Reader) Report {
	p.t.Helper()
	report, err := Verify(context.Background(), p.journal, checkpoints, registerKey().Public())
	if err != nil {
		p.t.Fatal(err)
	}
	return report
}

// tamper does what somebody with access to the file can do.
func (p place) tamper(statements ...string) {
	p.t.Helper()
	db, err := sql.Open("sqlite", p.journal)
	if err != nil {
		p.t.Fatal(err)
	}
	defer db.Close()
	drop := []string{`DROP TRIGGER records_stay`, `DROP TRIGGER records_remain`}
	for _, s := range append(drop, statements...) {
		if _, err := db.Exec(s); err != nil {
			p.t.Fatalf("%s: %v", s, err)
		}
	}
}

// copied is the same journal once more, to tamper with.
func (p place) copied() place {
	p.t.Helper()
	c := newPlace(p.t)
	for from, to := range map[string]string{p.journal: c.journal, p.outside: c.outside} {
		data, err := os.ReadFile(from)
		if err == nil {
			err = os.WriteFile(to, data, 0o600)
		}
		if err != nil {
			p.t.Fatal(err)
		}
	}
	return c
}

func mustAppend(t testing.TB, j *Journal, id string, body []byte) {
	t.Helper()
	if err := j.Append(context.Background(), id, body); err != nil {
		t.Fatal(err)
	}
}

func newID() string {
	var b [16]byte
	_, _ = rand.Read(b[:])
	return hex.EncodeToString(b[:])
}
