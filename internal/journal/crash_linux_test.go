package journal

import (
	"bufio"
	"fmt"
	mathrand "math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// A daemon is killed again and again in the middle of its work. What it acknowledged is
// there, the chain is whole, and the next daemon goes on.
func TestKillLosesNothing(t *testing.T) {
	if path := os.Getenv("JOURNAL_TEST_CHILD"); path != "" {
		appendUntilKilled(t, path)
	}
	p := newPlace(t)
	var acknowledged []string
	for range kills() {
		acknowledged = append(acknowledged, killedChild(t, p)...)
		j := p.openWith(Options{})
		for _, id := range acknowledged {
			if _, err := j.Get(ctx, id); err != nil {
				t.Fatalf("%s was acknowledged: %v", id, err)
			}
		}
		_ = j.Close()
		j = p.open()
		mustAppend(t, j, newID(), []byte("after the crash"))
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
		if r := p.verify(); len(r.Problems) > 0 || r.Unproven != 0 {
			t.Fatalf("verification says %+v", r)
		}
	}
	if len(acknowledged) < 100 {
		t.Errorf("only %d appends before the kills: the test says little", len(acknowledged))
	}
}

// kills is how often the process dies: more where there is time for it (make soak).
func kills() int {
	if os.Getenv("MANDATED_SOAK") == "1" {
		return 200
	}
	return 10
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
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		id, whole := strings.CutSuffix(lines.Text(), ".")
		if !whole {
			continue
		}
		if ids = append(ids, id); len(ids) == 1 {
			time.AfterFunc(time.Duration(mathrand.IntN(100))*time.Millisecond, func() { _ = child.Process.Kill() })
		}
	}
	_ = child.Wait()
	return ids
}

// appendUntilKilled makes no checkpoints, because it has no key that the parent knows.
func appendUntilKilled(t *testing.T, path string) {
	j, err := Open(ctx, path, Options{Signer: registerKey(), Every: 1 << 30, Interval: time.Hour})
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
			if err := j.Append(ctx, newID(), make([]byte, 10_000)); err == nil {
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
