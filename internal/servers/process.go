package servers

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
)

// process is one server: a command that works in a folder of its own, with all that it
// forks. Faults may befall it from any goroutine; they wait for one another.
type process struct {
	t      TB
	name   string // in messages
	folder string // where it works, with its data and its log; removed at cleanup
	as     *syscall.Credential
	argv   []string
	quit   syscall.Signal // ends it in order
	drop   syscall.Signal // ends it at once, when nobody wants its data any more
	answer func() error   // nil when the server answers

	mu     sync.Mutex
	cmd    *exec.Cmd     // nil before the first start
	exited chan struct{} // closed when cmd has ended
}

// folder makes a folder for a server below a root of this process.
func folder(t TB, root func() (string, error), name string) string {
	t.Helper()
	at, err := root()
	if err != nil {
		unavailable(t, "no place for servers: %v", err)
	}
	folder, err := os.MkdirTemp(at, name+"-*")
	if err != nil {
		t.Fatalf("a folder for %s: %v", name, err)
	}
	return folder
}

func (p *process) log() string { return filepath.Join(p.folder, "log") }

// start runs the command and waits until the server answers.
func (p *process) start(more ...string) {
	p.t.Helper()
	if err := p.launch(more...); err != nil {
		p.t.Fatalf("%s does not start: %v", p.name, err)
	}
}

// launch is start for any goroutine: it leaves the test alone.
func (p *process) launch(more ...string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.running() {
		return fmt.Errorf("it runs already")
	}
	log, err := os.OpenFile(p.log(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := command(p.folder, p.as, append(slices.Clone(p.argv), more...)...)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		return err
	}
	exited := make(chan struct{})
	p.cmd, p.exited = cmd, exited
	go func() {
		cmd.Wait()
		close(exited)
	}()
	if err := p.answers(); err != nil {
		return fmt.Errorf("%w\n%s", err, tail(p.log()))
	}
	return nil
}

// answers waits until the server answers or has ended.
func (p *process) answers() error {
	var ended error
	err := wait(func() error {
		if !p.running() {
			ended = fmt.Errorf("it ended")
			return nil
		}
		return p.answer()
	})
	if ended != nil {
		return ended
	}
	return err
}

// command is a command in a folder, as somebody or (nil) as ourselves. It has a group of
// its own, so that a Ctrl-C at the terminal reaches the tests and not the servers under
// them, and nothing of the environment that libpq would listen to.
func command(folder string, as *syscall.Credential, argv ...string) *exec.Cmd {
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Dir = folder
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Credential: as}
	return cmd
}

// runs tells whether the server was started and has not ended.
func (p *process) runs() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.running()
}

func (p *process) running() bool {
	if p.cmd == nil {
		return false
	}
	select {
	case <-p.exited:
		return false
	default:
		return true
	}
}

// all returns the server's processes.
func (p *process) all() []int { return inside(p.folder) }

// kill ends the server and all it forked by SIGKILL, paused or not.
func (p *process) kill() {
	p.t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := kill(p.all); err != nil {
		p.t.Fatalf("killing %s: %v", p.name, err)
	}
	if p.cmd != nil {
		<-p.exited
	}
}

// stop ends the server in order; one that is paused is resumed first.
func (p *process) stop() {
	p.t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.end(p.quit); err != nil {
		p.t.Fatalf("stopping %s: %v\n%s", p.name, err, tail(p.log()))
	}
}

// remove ends the server at once and takes its folder away.
func (p *process) remove() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.end(p.drop); err != nil {
		kill(p.all)
	}
	os.RemoveAll(p.folder)
}

// end sends a signal to the command, moving or paused, and waits until nothing of it is
// left.
func (p *process) end(signal syscall.Signal) error {
	if p.cmd == nil {
		return nil
	}
	p.cmd.Process.Signal(signal)
	p.signal(syscall.SIGCONT)
	return wait(func() error {
		if left := p.all(); len(left) > 0 || p.running() {
			return fmt.Errorf("processes %v are left", left)
		}
		return nil
	})
}

// signal sends a signal to every process of the server.
func (p *process) signal(signal syscall.Signal) {
	for _, pid := range p.all() {
		syscall.Kill(pid, signal)
	}
}

// pause stops all of the server's processes where they are (SIGSTOP) and returns when
// they stand still. Connections stay open and nobody answers.
func (p *process) pause() {
	p.t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	until(p.t, "pausing "+p.name, func() error {
		var moving []int
		for _, pid := range p.all() {
			if !still(pid) {
				moving = append(moving, pid)
				syscall.Kill(pid, syscall.SIGSTOP)
			}
		}
		if len(moving) > 0 {
			return fmt.Errorf("processes %v still move", moving)
		}
		return nil
	})
}

// resume lets paused processes go on.
func (p *process) resume() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.signal(syscall.SIGCONT)
}

// kill sends SIGKILL until none is left: a server may fork while we look.
func kill(all func() []int) error {
	return wait(func() error {
		left := all()
		for _, pid := range left {
			syscall.Kill(pid, syscall.SIGKILL)
		}
		if len(left) > 0 {
			return fmt.Errorf("processes %v are left", left)
		}
		return nil
	})
}

// inside returns the processes that work in a folder or below it. One that has ended and
// waits for its parent works nowhere, and is not among them.
func inside(folder string) []int {
	var pids []int
	entries, _ := os.ReadDir("/proc")
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		at, err := os.Readlink(filepath.Join("/proc", e.Name(), "cwd"))
		if err == nil && (at == folder || strings.HasPrefix(at, folder+"/")) {
			pids = append(pids, pid)
		}
	}
	return pids
}

// still tells whether a process is stopped by a signal: the first field of
// /proc/PID/stat behind the name, which may hold anything and stands in brackets.
func still(pid int) bool {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	end := strings.LastIndex(string(text), ") ")
	return end >= 0 && strings.HasPrefix(string(text[end:]), ") T")
}
