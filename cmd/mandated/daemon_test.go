package main

import (
	"bufio"
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	_ "modernc.org/sqlite" // to tamper with files

	"github.com/mandated/mandated/internal/servers"
)

// process is "mandated serve" in a process of its own.
type process struct {
	*exec.Cmd
	said   *servers.Said
	exited chan struct{} // closed when it has ended
}

// startDaemon starts a daemon and returns when it has said where it answers.
func startDaemon(program string, environ []string, args ...string) (*process, error) {
	p := &process{Cmd: exec.Command(program, append([]string{"serve"}, args...)...), said: &servers.Said{}, exited: make(chan struct{})}
	p.Env = environ
	p.Stderr = p.said
	out, err := p.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := p.Start(); err != nil {
		return nil, err
	}
	answers := make(chan struct{})
	go func() {
		p.listen(out, answers)
		_ = p.Wait()
		close(p.exited)
	}()
	select {
	case <-answers:
		return p, nil
	case <-p.exited:
		return nil, fmt.Errorf("the daemon ended before it answered: %s", p.said)
	case <-time.After(time.Minute):
		_ = p.Process.Kill()
		return nil, fmt.Errorf("the daemon says nothing: %s", p.said)
	}
}

// listen reads what the daemon says until it ends, and tells when all addresses are said.
func (p *process) listen(out io.Reader, answers chan<- struct{}) {
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		_, _ = fmt.Fprintln(p.said, lines.Text())
		if strings.HasPrefix(lines.Text(), "for operators at ") {
			close(answers)
		}
	}
}

// ends waits until the process has ended, and gives its exit code: -1 if a signal ended it.
func (p *process) ends() (int, error) {
	select {
	case <-p.exited:
		return p.ProcessState.ExitCode(), nil
	case <-time.After(time.Minute):
		_ = p.Process.Kill()
		return 0, fmt.Errorf("the daemon does not end: %s", p.said)
	}
}

func (p *process) kill() {
	_ = p.Process.Kill()
	<-p.exited
}

// until asks again and again until the answer is yes. Nothing passes or fails by how
// long it takes; the bound only ends a test that would otherwise hang.
func until(yes func() bool) bool {
	bound, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !yes() {
		select {
		case <-tick.C:
		case <-bound.Done():
			return false
		}
	}
	return true
}

// running is the daemon of each scene.
var running sync.Map // *testscript.TestScript -> *process

// serve [PROGRAM] starts "mandated serve --dev" on the scene's configuration.
func serve(ts *testscript.TestScript, neg bool, args []string) {
	program := "mandated"
	if len(args) == 1 {
		program = args[0]
	}
	environ := append(os.Environ(), "MANDATED_CONFIG="+ts.Getenv("MANDATED_CONFIG"))
	p, err := startDaemon(program, environ, "--dev")
	if neg {
		if err == nil {
			p.kill()
			ts.Fatalf("the daemon started")
		}
		_, _ = fmt.Fprint(ts.Stderr(), err)
		return
	}
	ts.Check(err)
	running.Store(ts, p)
	ts.Defer(func() {
		p.kill()
		running.Delete(ts)
	})
}

func daemonOf(ts *testscript.TestScript) *process {
	p, ok := running.Load(ts)
	if !ok {
		ts.Fatalf("no daemon was started")
	}
	return p.(*process)
}

// signal NAME [PATTERN] sends HUP, TERM or INT to the daemon, and waits until it has said
// the pattern once more than before.
func signalDaemon(ts *testscript.TestScript, neg bool, args []string) {
	signals := map[string]os.Signal{"HUP": syscall.SIGHUP, "TERM": syscall.SIGTERM, "INT": syscall.SIGINT}
	if neg || len(args) == 0 || signals[args[0]] == nil {
		ts.Fatalf("usage: signal HUP|TERM|INT [TEXT]")
	}
	p := daemonOf(ts)
	text := strings.Join(args[1:], " ")
	before := strings.Count(p.said.String(), text)
	ts.Check(p.Process.Signal(signals[args[0]]))
	if text != "" && !until(func() bool { return strings.Count(p.said.String(), text) > before }) {
		ts.Fatalf("the daemon did not say %q: %s", text, p.said)
	}
}

// ended CODE waits for the end of the daemon; what it said is then on stdout.
func ended(ts *testscript.TestScript, neg bool, args []string) {
	p := daemonOf(ts)
	code, err := p.ends()
	ts.Check(err)
	_, _ = fmt.Fprint(ts.Stdout(), p.said)
	if neg || len(args) != 1 || fmt.Sprint(code) != args[0] {
		ts.Fatalf("exit code %d, want %v: %s", code, args, p.said)
	}
}

// get STATUS URL fetches a page; its text is then on stdout.
func get(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: get STATUS URL")
	}
	response, err := http.Get(args[1])
	ts.Check(err)
	defer func() { _ = response.Body.Close() }()
	_, err = io.Copy(ts.Stdout(), response.Body)
	ts.Check(err)
	if fmt.Sprint(response.StatusCode) != args[0] {
		ts.Fatalf("HTTP %d, want %s", response.StatusCode, args[0])
	}
}

// sql FILE STATEMENT... does what somebody with access to the file can do.
func sqlCommand(ts *testscript.TestScript, neg bool, args []string) {
	db, err := sql.Open("sqlite", ts.MkAbs(args[0]))
	ts.Check(err)
	defer func() { _ = db.Close() }()
	for _, statement := range args[1:] {
		if _, err := db.Exec(statement); err != nil != neg {
			ts.Fatalf("%s: %v", statement, err)
		}
	}
}

// exitCode is -1 for a program that a signal ended or that never ran.
func exitCode(err error) int {
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit):
		return exit.ExitCode()
	}
	return -1
}

// hangingUp sends SIGHUP to its own process as soon as the last address is said: as an
// operator's tool does that waits for this line and then asks for a reload.
type hangingUp struct{ io.Writer }

func (h *hangingUp) Write(p []byte) (int, error) {
	n, err := h.Writer.Write(p)
	if bytes.Contains(p, []byte("for operators at ")) {
		_ = syscall.Kill(os.Getpid(), syscall.SIGHUP)
	}
	return n, err
}

func hangupWhileStarting() {
	ctx, stop := context.WithCancel(context.Background())
	errOut := &reloaded{os.Stderr, stop}
	os.Exit(run(ctx, os.Args[1:], os.Environ(), &hangingUp{os.Stdout}, errOut))
}

// reloaded stops the daemon once it has said that it reloaded.
type reloaded struct {
	io.Writer
	stop func()
}

func (r *reloaded) Write(p []byte) (int, error) {
	if bytes.Contains(p, []byte(`"msg":"reloaded"`)) {
		r.stop()
	}
	return r.Writer.Write(p)
}
