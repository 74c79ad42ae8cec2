// Package servers starts real PostgreSQL, Redis and mail servers for tests, from the
// binaries that are installed, on free ports of the loopback, and breaks them on demand:
// killed, paused, cut off, restored from an old dump.
//
// The package is for tests only. It owns the servers' processes, their folders and their
// ports; it never knows what is kept in them, and never touches a server it did not
// start. A binary that is missing skips the test, or fails it where the environment says
// MANDATED_REQUIRE_SERVERS.
//
// All folders of one test process lie below a root in the temporary folder, or in memory.
// A keeper waits beside the process, and once it is gone in whatever way, kills all that
// works below the root and removes it (keeper.go). Which processes are a server's is read
// from the folder they work in, which needs the /proc of Linux; elsewhere tests are
// skipped. Servers listen on 127.0.0.1 and PostgreSQL asks no password there: nothing
// but made-up data belongs in them.
package servers

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"
)

// TB is what this package needs of a test. What it cannot do ends the test by Fatalf, so
// the methods of servers belong on the test's own goroutine.
type TB interface {
	Helper()
	Cleanup(func())
	Fatalf(format string, args ...any)
	Skipf(format string, args ...any)
	Logf(format string, args ...any)
}

// startTime is how long a server may take to answer, and a fault to take hold. It bounds
// a wait for a condition and is never slept through.
const startTime = 60 * time.Second

// patience is how long one look at a server may take, so that others are looked at when
// one is paused.
const patience = 2 * time.Second

// Free returns a port of the loopback on which nothing listens. Ports come from below the
// range out of which the kernel takes the near end of connections: otherwise a client
// that keeps calling a killed server may be given the server's own port, and the server
// cannot come back. Each process walks a range of its own, so that test processes side by
// side do not hand out the same port.
func Free(t TB) int {
	t.Helper()
	ports.Lock()
	defer ports.Unlock()
	for range portsEach {
		ports.next++
		port := firstPort + os.Getpid()%portRanges*portsEach + ports.next%portsEach
		if l, err := net.Listen("tcp", loopback(port)); err == nil {
			l.Close()
			return port
		}
	}
	t.Fatalf("all %d ports of this process are taken", portsEach)
	return 0
}

// The ranges end at 32000; Linux gives the near ends from 32768.
const firstPort, portsEach, portRanges = 12000, 200, 100

var ports struct {
	sync.Mutex
	next int
}

func loopback(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

// unavailable skips the test, or fails it where servers are required.
func unavailable(t TB, format string, args ...any) {
	t.Helper()
	if os.Getenv("MANDATED_REQUIRE_SERVERS") != "" {
		t.Fatalf(format, args...)
	}
	t.Skipf(format, args...)
}

// redisBinary returns the path of redis-server.
func redisBinary(t TB) string {
	t.Helper()
	path, err := exec.LookPath("redis-server")
	if err != nil {
		unavailable(t, "redis is not installed: %v", err)
	}
	return path
}

// postgresBinaries returns the folder of initdb and its fellows: the one in PATH, else
// the newest that a Debian package installed.
func postgresBinaries(t TB) string {
	t.Helper()
	if path, err := exec.LookPath("initdb"); err == nil {
		if path, err = filepath.EvalSymlinks(path); err == nil {
			return filepath.Dir(path)
		}
	}
	newest, folder := 0, ""
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	for _, path := range found {
		bin := filepath.Dir(path)
		if version, err := strconv.Atoi(filepath.Base(filepath.Dir(bin))); err == nil && version > newest {
			newest, folder = version, bin
		}
	}
	if folder == "" {
		unavailable(t, "postgresql is not installed: no initdb in PATH or /usr/lib/postgresql")
	}
	return folder
}

// until waits for a condition, and fails the test with its last error when it does not
// come true in time.
func until(t TB, what string, condition func() error) {
	t.Helper()
	if err := wait(condition); err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

func wait(condition func() error) error {
	deadline := time.Now().Add(startTime)
	for {
		err := condition()
		if err == nil || time.Now().After(deadline) {
			return err
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// tail returns the end of a server's log, for the message of a failure.
func tail(path string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	if len(lines) > 30 {
		lines = lines[len(lines)-30:]
	}
	return fmt.Sprintf("the end of its log:\n%s", strings.Join(lines, "\n"))
}
