package servers

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// witness is a test whose end is looked at from outside.
type witness struct {
	TB
	failed, skipped string
}

func (w *witness) Fatalf(format string, args ...any) {
	w.failed = fmt.Sprintf(format, args...)
	runtime.Goexit()
}

func (w *witness) Skipf(format string, args ...any) {
	w.skipped = fmt.Sprintf(format, args...)
	runtime.Goexit()
}

// watch runs a test and returns how it ended.
func watch(t *testing.T, test func(TB)) *witness {
	w := &witness{TB: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		test(w)
	}()
	<-done
	return w
}

// A developer without servers is told what was skipped; a machine that has to have them
// fails instead, so that nothing goes untested there in silence.
func TestWithoutServers(t *testing.T) {
	start := func(t TB) { Redis(t, RedisOptions{}) }
	t.Setenv("PATH", "")
	t.Setenv("MANDATED_REQUIRE_SERVERS", "")
	if w := watch(t, start); !strings.Contains(w.skipped, "redis is not installed") {
		t.Errorf("skipped %q, failed %q", w.skipped, w.failed)
	}
	t.Setenv("MANDATED_REQUIRE_SERVERS", "1")
	if w := watch(t, start); !strings.Contains(w.failed, "redis is not installed") {
		t.Errorf("where servers are required: skipped %q, failed %q", w.skipped, w.failed)
	}
}

// A port that the kernel may give to a client is none for a server that comes and goes.
func TestFree(t *testing.T) {
	given := map[int]bool{}
	for range 50 {
		port := Free(t)
		if given[port] || port < firstPort || port >= firstPort+portsEach*portRanges {
			t.Errorf("port %d", port)
		}
		given[port] = true
	}
	text, err := os.ReadFile("/proc/sys/net/ipv4/ip_local_port_range")
	if err != nil {
		t.Skip("the range of the kernel is unknown")
	}
	var low int
	if fmt.Sscan(string(text), &low); firstPort+portsEach*portRanges > low {
		t.Errorf("the kernel gives clients ports from %d", low)
	}
}

// A server that cannot start says why in the test's own words: its log is gone by then.
func TestServerThatCannotStart(t *testing.T) {
	w := watch(t, func(t TB) { Redis(t, RedisOptions{Settings: []string{"no-such-setting 1"}}) })
	if !strings.Contains(w.failed, "no-such-setting") {
		t.Errorf("failed with %q", w.failed)
	}
}

// victim is set in the environment of a test process that is to be killed.
const victim = "MANDATED_TEST_VICTIM"

// The process of a test is killed while one of its servers stands still, which no signal
// but SIGKILL moves: the keeper ends all of them, and leaves neither folder nor memory.
func TestKeeper(t *testing.T) {
	if os.Getenv(victim) != "" {
		beKilled(t)
	}
	postgresBinaries(t)
	redisBinary(t)
	test := exec.Command(os.Args[0], "-test.run=^TestKeeper$")
	test.Env = append(os.Environ(), victim+"=1")
	out, err := test.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := test.Start(); err != nil {
		t.Fatal(err)
	}
	var redis, postgres, memory string
	fmt.Fscan(out, &redis, &postgres, &memory)
	if len(inside(redis)) != 1 || len(inside(postgres)) < 2 || !hasMemory(t, memory) {
		t.Errorf("servers in %q and %q, shared memory %q", redis, postgres, memory)
	}
	test.Process.Kill()
	test.Wait()
	until(t, "what a killed process leaves", func() error {
		for _, folder := range []string{redis, postgres} {
			root := filepath.Dir(folder)
			if _, err := os.Stat(root); len(inside(root)) > 0 || !os.IsNotExist(err) {
				return fmt.Errorf("%s: %v, processes %v", root, err, inside(root))
			}
		}
		if hasMemory(t, memory) {
			return fmt.Errorf("shared memory %s", memory)
		}
		return nil
	})
}

// beKilled starts servers, tells where they are and waits for its end.
func beKilled(t *testing.T) {
	r, d := Redis(t, RedisOptions{}), Postgres(t, PostgresOptions{})
	d.Pause()
	fmt.Println(r.server.folder, d.cluster.folder, sharedMemory(filepath.Join(d.data, "postmaster.pid")))
	select {}
}

// hasMemory tells whether a piece of System V memory exists: its number is the second
// column of what the kernel lists.
func hasMemory(t *testing.T, id string) bool {
	t.Helper()
	text, err := os.ReadFile("/proc/sysvipc/shm")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if f := strings.Fields(line); len(f) > 1 && f[1] == id {
			return true
		}
	}
	return false
}

// Keepers are killed too. What such a process left goes when the next one starts; what
// a living one has, stays.
func TestSweep(t *testing.T) {
	parent := t.TempDir()
	left, kept := leave(t, parent, "left"), leave(t, parent, "kept")
	lock, err := claim(kept)
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Close()
	gone, err := claim(left)
	if err != nil {
		t.Fatal(err)
	}
	gone.Close()

	sweep(parent)
	if _, err := os.Stat(left); !os.IsNotExist(err) || len(inside(left)) > 0 {
		t.Errorf("what was left: %v, processes %v", err, inside(left))
	}
	if _, err := os.Stat(kept); err != nil || len(inside(kept)) != 1 {
		t.Errorf("what is kept: %v, processes %v", err, inside(kept))
	}
}

// leave makes a folder of servers with a process in it.
func leave(t *testing.T, parent, name string) string {
	t.Helper()
	folder := filepath.Join(parent, prefix+name)
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	server := exec.Command("sleep", "600")
	server.Dir = folder
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		server.Process.Kill()
		server.Wait()
	})
	return folder
}
