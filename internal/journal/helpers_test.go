package journal

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mandated/mandated/internal/postgres"
	"github.com/mandated/mandated/internal/servers"
	"github.com/mandated/mandated/pkg/mandate"
)

var ctx = context.Background()

// One key for all scenes, and the one after a rollover: making one takes longer than
// most of them.
var (
	registerKey = sync.OnceValue(newKey)
	nextKey     = sync.OnceValue(newKey)
)

func newKey() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
}

// place is where a journal is, and a file of checkpoints outside it.
type place struct {
	t       testing.TB
	journal string
	outside string
}

// onBoth plays a scene on either kind of store.
func onBoth(t *testing.T, scene func(t *testing.T, p place)) {
	t.Run("file", func(t *testing.T) { scene(t, newPlace(t)) })
	t.Run("postgres", func(t *testing.T) { scene(t, newDatabase(t)) })
}

func newPlace(t testing.TB) place {
	dir := t.TempDir()
	return place{t, filepath.Join(dir, "journal.db"), filepath.Join(dir, "checkpoints.jsonl")}
}

func newDatabase(t testing.TB) place {
	return place{t, servers.Shared(t).DSN(), filepath.Join(t.TempDir(), "checkpoints.jsonl")}
}

func (p place) isDatabase() bool { return postgres.IsPlace(p.journal) }

// with is the same place in another test.
func (p place) with(t testing.TB) place { p.t = t; return p }

func (p place) options() Options {
	return Options{Signer: registerKey(), Checkpoints: p.outside, Interval: time.Hour, Used: usedIn, Follow: time.Hour}
}

// usedIn reads a body like "used 5 7 at vat". Any other tells of no use.
func usedIn(body []byte) (mandates []mandate.ID, service string, err error) {
	words := strings.Fields(string(body))
	if len(words) == 0 || words[0] != "used" {
		return nil, "", nil
	}
	for i, word := range words[1:] {
		if word == "at" {
			return mandates, words[i+2], nil
		}
		n, err := strconv.ParseInt(word, 10, 64)
		if err != nil {
			return nil, "", err
		}
		mandates = append(mandates, mandate.ID(n))
	}
	return nil, "", errors.New("at which service?")
}

func (p place) open() *Journal { return p.openWith(p.options()) }

func (p place) openWith(o Options) *Journal {
	p.t.Helper()
	j, err := Open(ctx, p.journal, o)
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { _ = j.Close() })
	return j
}

// fill makes a closed journal of n records with a checkpoint after every so many. The
// records are a minute apart and begin at start.
func (p place) fill(n, every int) {
	p.t.Helper()
	o := p.options()
	i := 0
	o.Now = func() time.Time { return start.Add(time.Duration(i) * time.Minute) }
	j := p.openWith(o)
	for i = 1; i <= n; i++ {
		mustAppend(p.t, j, newID(), fmt.Appendf(nil, "decision %d", i))
		if i%every == 0 {
			if err := j.Checkpoint(ctx); err != nil {
				p.t.Fatal(err)
			}
		}
	}
	mustClose(p.t, j)
}

var start = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// filled is a journal in a file.
func filled(t testing.TB, n, every int) place {
	t.Helper()
	p := newPlace(t)
	p.fill(n, every)
	return p
}

// verify reads the checkpoints outside the store.
func (p place) verify(keys ...crypto.PublicKey) Report {
	p.t.Helper()
	f, err := os.Open(p.outside)
	if err != nil {
		p.t.Fatal(err)
	}
	defer f.Close()
	return p.verifyWith(f, keys...)
}

// verifyWith verifies by the register's key if none is given.
func (p place) verifyWith(checkpoints io.Reader, keys ...crypto.PublicKey) Report {
	p.t.Helper()
	if len(keys) == 0 {
		keys = append(keys, registerKey().Public())
	}
	report, err := Verify(ctx, p.journal, checkpoints, keys...)
	if err != nil {
		p.t.Fatal(err)
	}
	return report
}

// mustBeWhole is a verification that finds nothing, and all that is there proven.
func (p place) mustBeWhole(records int64) {
	p.t.Helper()
	if r := p.verify(); len(r.Problems) > 0 || r.Records != records || r.Proven != records || r.Unproven != 0 {
		p.t.Errorf("verification says %+v, want %d records", r, records)
	}
}

// db is the store as somebody with access to it has it.
func (p place) db() *sql.DB {
	p.t.Helper()
	var db *sql.DB
	var err error
	if p.isDatabase() {
		db, err = postgres.Open(ctx, p.journal, postgres.Options{})
	} else {
		db, err = sql.Open("sqlite", p.journal)
	}
	if err != nil {
		p.t.Fatal(err)
	}
	return db
}

// in writes a statement for the place, as tables does.
func (p place) in(statement string) string {
	prefix := ""
	if p.isDatabase() {
		prefix = "journal_"
	}
	return strings.ReplaceAll(statement, "@", prefix)
}

// tamper does what somebody with access to the store can do.
func (p place) tamper(statements ...string) {
	p.t.Helper()
	db := p.db()
	defer db.Close()
	for _, s := range append(p.unguarded(), statements...) {
		if _, err := db.Exec(p.in(s)); err != nil {
			p.t.Fatalf("%s: %v", s, err)
		}
	}
}

// unguarded takes the triggers away.
func (p place) unguarded() (all []string) {
	if p.isDatabase() {
		return []string{`ALTER TABLE @records DISABLE TRIGGER ALL`, `ALTER TABLE @checkpoints DISABLE TRIGGER ALL`,
			`ALTER TABLE @retired DISABLE TRIGGER ALL`}
	}
	for _, table := range []string{"records", "checkpoints", "retired"} {
		all = append(all, `DROP TRIGGER IF EXISTS `+table+`_stay`, `DROP TRIGGER IF EXISTS `+table+`_remain`)
	}
	return all
}

// bytes is how the place writes bytes.
func (p place) bytes(b []byte) string {
	if p.isDatabase() {
		return fmt.Sprintf(`'\x%x'`, b)
	}
	return fmt.Sprintf(`x'%x'`, b)
}

// copied is the same journal once more, to tamper with.
func (p place) copied() place {
	p.t.Helper()
	c := newPlace(p.t)
	copyFile(p.t, p.outside, c.outside)
	if p.isDatabase() {
		c.journal = p.copiedDatabase()
	} else {
		copyFile(p.t, p.journal, c.journal)
	}
	return c
}

func copyFile(t testing.TB, from, to string) {
	t.Helper()
	data, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(to, data, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// copiedDatabase puts a copy in place of a new, empty database. The server makes one only
// when it has noticed that everybody has left.
func (p place) copiedDatabase() string {
	p.t.Helper()
	dsn := servers.Shared(p.t).DSN()
	name, original := databaseOf(dsn), databaseOf(p.journal)
	admin := place{p.t, strings.Replace(dsn, "/"+name, "/postgres", 1), ""}.db()
	defer admin.Close()
	if _, err := admin.Exec(`DROP DATABASE ` + name); err != nil {
		p.t.Fatal(err)
	}
	waitFor(p.t, "a copy of the database", func() bool {
		_, err := admin.Exec(`CREATE DATABASE ` + name + ` TEMPLATE ` + original)
		return err == nil
	})
	return dsn
}

func databaseOf(dsn string) string {
	u, err := url.Parse(dsn)
	if err != nil {
		panic(err)
	}
	return strings.TrimPrefix(u.Path, "/")
}

func mustAppend(t testing.TB, j *Journal, id string, body []byte) {
	t.Helper()
	if err := j.Append(ctx, id, body); err != nil {
		t.Fatal(err)
	}
}

func mustClose(t testing.TB, j *Journal) {
	t.Helper()
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
}

func newID() string {
	var b [16]byte
	_, _ = rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

func waitFor(t testing.TB, what string, ready func() bool) {
	t.Helper()
	for range 500 {
		if ready() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("waited in vain for %s", what)
}
