package journal

import (
	"bufio"
	"context"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/mandated/mandated/internal/postgres"
	"github.com/mandated/mandated/internal/servers"
	"github.com/mandated/mandated/internal/sqlite"
	"github.com/mandated/mandated/pkg/mandate"
)

// A daemon is killed again and again in the middle of its work. What it acknowledged is
// there, the chain is whole, and the next daemon goes on.
func TestKillLosesNothing(t *testing.T) {
	if at := os.Getenv("JOURNAL_TEST_CHILD"); at != "" {
		appendUntilKilled(t, at)
	}
	onBoth(t, func(t *testing.T, p place) {
		var acknowledged []string
		for range kills() {
			acknowledged = append(acknowledged, killedChild(t, p)...)
			p.goesOn(acknowledged)
		}
	})
}

// goesOn looks for what was acknowledged, and lets the next daemon write and sign.
func (p place) goesOn(acknowledged []string) {
	p.t.Helper()
	j := p.openWith(Options{})
	for _, id := range acknowledged {
		if _, err := j.Get(ctx, id); err != nil {
			p.t.Fatalf("%s was acknowledged: %v", id, err)
		}
	}
	_ = j.Close()
	j = p.open()
	mustAppend(p.t, j, newID(), []byte("after the crash"))
	mustClose(p.t, j)
	if r := p.verify(); len(r.Problems) > 0 || r.Unproven != 0 {
		p.t.Fatalf("verification says %+v", r)
	}
}

// kills is how often the process dies: more where there is time for it (make soak).
func kills() int {
	if os.Getenv("MANDATED_SOAK") == "1" {
		return 50
	}
	return 5
}

// killedChild runs this test in a process of its own, kills it, and returns what
// that process said was written.
func killedChild(t *testing.T, p place) (ids []string) {
	t.Helper()
	child := exec.Command(os.Args[0], "-test.run=^TestKillLosesNothing$")
	child.Env = append(os.Environ(), "JOURNAL_TEST_CHILD="+p.journal)
	out, err := child.StdoutPipe()
	if err == nil {
		err = child.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	enough := 30 + mathrand.IntN(100)
	for lines := bufio.NewScanner(out); lines.Scan(); {
		id, whole := strings.CutSuffix(lines.Text(), ".")
		if !whole {
			continue
		}
		if ids = append(ids, id); len(ids) == enough {
			_ = child.Process.Kill()
		}
	}
	_ = child.Wait()
	if len(ids) < enough {
		t.Fatalf("the child ended by itself, after %d records", len(ids))
	}
	return ids
}

// appendUntilKilled makes no checkpoints, because it has no key that the parent knows.
func appendUntilKilled(t *testing.T, at string) {
	j, err := Open(ctx, at, Options{Signer: newKey(), Every: 1 << 30, Interval: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	var print sync.Mutex
	for range 8 {
		go func() {
			for {
				id := newID()
				if err := j.Append(ctx, id, make([]byte, mathrand.IntN(20_000))); err != nil {
					panic(err)
				}
				print.Lock()
				fmt.Printf("%s.\n", id)
				print.Unlock()
			}
		}()
	}
	select {}
}

// The database is killed under a daemon that writes, and comes back. What was acknowledged
// is there, once; the daemon goes on by itself.
func TestDatabaseKilledLosesNothing(t *testing.T) {
	d := servers.Postgres(t, servers.PostgresOptions{Durable: true})
	p := place{t, d.DSN(), newPlace(t).outside}
	j := p.open()
	var acknowledged []string
	for range kills() {
		stop, done := context.WithCancel(ctx)
		var writers sync.WaitGroup
		var mu sync.Mutex
		for range 8 {
			writers.Go(func() {
				for stop.Err() == nil {
					id := newID()
					if err := j.Append(ctx, id, make([]byte, mathrand.IntN(20_000))); err == nil {
						mu.Lock()
						acknowledged = append(acknowledged, id)
						mu.Unlock()
					}
				}
			})
		}
		count := func() int { mu.Lock(); defer mu.Unlock(); return len(acknowledged) }
		before := count()
		waitFor(t, "records before the kill", func() bool { return count() >= before+50+mathrand.IntN(50) })
		d.Kill()
		d.Start()
		before = count()
		waitFor(t, "records after the kill", func() bool { return count() > before })
		done()
		writers.Wait()
	}
	mustClose(t, j)
	p.goesOn(acknowledged)
}

// Whoever retires records is killed in the middle of it. The journal is whole, with what
// was told to be gone gone, and the next one finishes.
func TestKilledRetirement(t *testing.T) {
	if at := os.Getenv("JOURNAL_TEST_RETIRE"); at != "" {
		retireUntilKilled(t, at)
	}
	onBoth(t, func(t *testing.T, p place) {
		const old = 12 * batch
		p.fillOld(old)
		killed := 0
		for ; killed < kills(); killed++ {
			done := killedRetirement(t, p)
			r := p.verify()
			if len(r.Problems) > 0 || r.Retired < done || r.Retired+r.Records != old || r.Unproven != 0 {
				t.Fatalf("%d were told to be gone: %+v", done, r)
			}
			if r.Records == 1 {
				break
			}
		}
		if killed == 0 {
			t.Error("it was never killed in the middle: the test says little")
		}
		p.mustRetire(minute(30))
		if r := p.verify(); len(r.Problems) > 0 || r.Retired != old-1 || r.Records != 1 {
			t.Errorf("in the end: %+v", r)
		}
	})
}

// killedRetirement returns how many records were gone, by the word of who was killed and
// of those before him.
func killedRetirement(t *testing.T, p place) (gone int64) {
	t.Helper()
	before := p.retired()
	keyFile := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(keyFile, x509.MarshalPKCS1PrivateKey(registerKey()), 0o600); err != nil {
		t.Fatal(err)
	}
	child := exec.Command(os.Args[0], "-test.run=^TestKilledRetirement$")
	child.Env = append(os.Environ(), "JOURNAL_TEST_RETIRE="+p.journal, "JOURNAL_TEST_KEY="+keyFile)
	told, err := child.StdoutPipe()
	if err == nil {
		err = child.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	enough := before + batch*mathrand.Int64N(3)
	for lines := bufio.NewScanner(told); lines.Scan(); {
		var done int64
		if _, err := fmt.Sscanf(lines.Text(), "gone %d.", &done); err != nil {
			continue
		}
		if gone = before + done; gone >= enough {
			_ = child.Process.Kill()
		}
	}
	_ = child.Wait()
	return gone
}

// retired is how many records the stub in the store stands for.
func (p place) retired() int64 {
	p.t.Helper()
	j := p.openWith(Options{})
	defer func() { _ = j.Close() }()
	s, err := j.store.stub(ctx)
	if err != nil {
		p.t.Fatal(err)
	}
	if s == nil {
		return 0
	}
	return s.Sequence
}

func retireUntilKilled(t *testing.T, at string) {
	der, err := os.ReadFile(os.Getenv("JOURNAL_TEST_KEY"))
	if err != nil {
		t.Fatal(err)
	}
	key, err := x509.ParsePKCS1PrivateKey(der)
	if err != nil {
		t.Fatal(err)
	}
	progress := func(done int64) { fmt.Printf("gone %d.\n", done) }
	if _, err := Retire(ctx, at, minute(30), Options{Signer: key, Progress: progress, Used: usedIn}); err != nil {
		t.Fatal(err)
	}
}

// A process that appends and reads is killed again and again. What it left is what the
// records up to its mark tell, no more and no less, and the next one goes on from there.
func TestKilledReading(t *testing.T) {
	if at := os.Getenv("JOURNAL_TEST_READER"); at != "" {
		readUntilKilled(t, at)
	}
	onBoth(t, func(t *testing.T, p place) {
		var ids []mandate.ID
		for id := range mandate.ID(childsMandates) {
			ids = append(ids, id)
		}
		read, unread := int64(0), int64(0)
		for range kills() {
			killedReader(t, p)
			j := p.open()
			m := mustBeTold(t, j, ids)
			if m.sequence < read {
				t.Errorf("read were %d records, and now %d", read, m.sequence)
			}
			read, unread = m.sequence, unread+j.mustLastUse(t).Behind
			j.mustCatchUp(t)
			mustBeTold(t, j, ids)
			mustClose(t, j)
		}
		t.Logf("%d records were read, %d more than the killed had come to", read, unread)
	})
}

// childsMandates is of how many mandates the child tells.
const childsMandates = 50

// killedReader runs this test in a process of its own and kills it in the middle.
func killedReader(t *testing.T, p place) {
	t.Helper()
	child := exec.Command(os.Args[0], "-test.run=^TestKilledReading$")
	child.Env = append(os.Environ(), "JOURNAL_TEST_READER="+p.journal)
	out, err := child.StdoutPipe()
	if err == nil {
		err = child.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	enough, told := 100+mathrand.IntN(200), 0
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if told++; told == enough {
			_ = child.Process.Kill()
		}
	}
	_ = child.Wait()
	if told < enough {
		t.Fatalf("the child ended by itself, after %d records", told)
	}
}

// readUntilKilled appends from several goroutines while two readers overtake each other.
func readUntilKilled(t *testing.T, at string) {
	o := Options{Signer: newKey(), Every: 1 << 30, Interval: time.Hour, Used: usedIn, Follow: time.Millisecond}
	for range 2 {
		j, err := Open(ctx, at, o)
		if err != nil {
			t.Fatal(err)
		}
		for range 4 {
			go func() {
				for {
					body := fmt.Sprintf("used %d at s%d", mathrand.IntN(childsMandates), mathrand.IntN(9))
					if err := j.Append(ctx, newID(), []byte(body)); err != nil {
						panic(err)
					}
					fmt.Println("appended")
				}
			}()
		}
	}
	select {}
}

// The disk fills up: every waiter gets the error and no half of a group is there.
// Once there is room again the journal goes on where it was.
func TestFullDisk(t *testing.T) {
	p := newPlace(t)
	j := p.open()
	mustAppend(t, j, newID(), []byte("before"))

	makeRoom := fillDisk(t, p.journal+"-wal")
	var failed sync.WaitGroup
	for range 16 {
		failed.Go(func() {
			// More than the whole log may hold, also when it begins anew.
			if err := j.Append(ctx, newID(), make([]byte, 1<<20)); err == nil {
				t.Error("written to a full disk")
			}
		})
	}
	failed.Wait()
	makeRoom()

	mustAppend(t, j, newID(), []byte("after"))
	records, err := j.Records(ctx, 0, 100)
	if err != nil || len(records) != 2 || string(records[1].Body) != "after" {
		t.Errorf("%d records, %v", len(records), err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if r := p.verify(); len(r.Problems) > 0 || r.Proven != 2 {
		t.Errorf("verification says %+v", r)
	}
}

// Whoever runs out of room hears so, in the file and outside it, and that nothing was
// written.
func TestFullIsTold(t *testing.T) {
	p := newPlace(t)
	j := p.open()
	mustAppend(t, j, newID(), []byte("before"))
	limit := func(pages string) {
		err := j.store.(*fileStore).file.Write(func(tx *sqlite.Tx) error {
			var now int64
			return tx.Row(`PRAGMA max_page_count = `+pages, nil, &now)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	limit("1") // which means those that there are
	err := j.Append(ctx, newID(), random(100_000))
	if !errors.Is(err, ErrFull) || !strings.Contains(err.Error(), "make room") {
		t.Errorf("a file that cannot grow: %v", err)
	}
	mustAppend(t, j, newID(), []byte("after")) // on a new connection, which knows of no limit

	j.options.Checkpoints = "/dev/full"
	if err := j.Checkpoint(ctx); !errors.Is(err, ErrFull) {
		t.Errorf("no room for a checkpoint outside: %v", err)
	}
	j.options.Checkpoints = p.outside
	mustClose(t, j)
	p.mustBeWhole(2)
}

// The database's disk fills up: the same, and it says what is wrong.
func TestFullDatabase(t *testing.T) {
	d := servers.Postgres(t, servers.PostgresOptions{}) // or this is not the machine for it
	disk := smallDisk(t)
	p := place{t, d.DSN(), newPlace(t).outside}
	db := p.db()
	defer db.Close()
	for _, s := range []string{
		`CREATE TABLESPACE small LOCATION '` + disk + `'`,
		`ALTER DATABASE ` + databaseOf(p.journal) + ` SET default_tablespace = small`,
		`CREATE TABLE filler (b bytea) TABLESPACE small`,
	} {
		if _, err := db.Exec(s); err != nil {
			t.Fatal(err)
		}
	}
	j := p.open()
	mustAppend(t, j, newID(), []byte("before"))
	full := func() bool {
		_, err := db.Exec(`INSERT INTO filler SELECT convert_to(repeat(random()::text, 50), 'UTF8') FROM generate_series(1, 100)`)
		return err != nil
	}
	waitFor(t, "a full disk", full)

	var failed sync.WaitGroup
	for range 16 {
		failed.Go(func() {
			if err := j.Append(ctx, newID(), random(100_000)); !errors.Is(err, postgres.ErrFull) {
				t.Errorf("on a full disk: %v", err)
			}
		})
	}
	failed.Wait()
	if _, err := db.Exec(`DROP TABLE filler`); err != nil { // whose file is emptied at once, and removed later
		t.Fatal(err)
	}
	mustAppend(t, j, newID(), random(100_000))
	mustClose(t, j)
	p.mustBeWhole(2)
}

// smallDisk is a file system of a few megabytes that PostgreSQL may write to.
func smallDisk(t *testing.T) string {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can make a small file system")
	}
	folder, err := os.MkdirTemp("", "small")
	if err == nil {
		err = syscall.Mount("small", folder, "tmpfs", 0, "size=4m,mode=0777")
	}
	if errors.Is(err, syscall.EPERM) {
		t.Skipf("this root may not mount a small file system: %v", err)
	}
	if err != nil {
		t.Fatalf("a small file system: %v", err)
	}
	t.Cleanup(func() { _, _ = syscall.Unmount(folder, 0), os.Remove(folder) })
	postgres, err := user.Lookup("postgres")
	if err != nil {
		t.Fatalf("PostgreSQL runs, and nobody is called postgres: %v", err)
	}
	uid, _ := strconv.Atoi(postgres.Uid)
	if err := os.Chown(folder, uid, -1); err != nil {
		t.Fatal(err)
	}
	return folder
}

func random(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b)
	return b
}

// fillDisk lets no file of this process grow beyond what the given one has now.
func fillDisk(t *testing.T, path string) (makeRoom func()) {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	var before syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &before); err != nil {
		t.Fatal(err)
	}
	signal.Ignore(syscall.SIGXFSZ)
	limit := syscall.Rlimit{Cur: uint64(info.Size()) + 1000, Max: before.Max}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &before); err != nil {
			t.Fatal(err)
		}
		signal.Reset(syscall.SIGXFSZ)
	}
}
