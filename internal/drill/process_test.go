package drill

import (
	"bufio"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mandated/mandated/internal/servers"
)

// TestMain gives the binaries a folder for as long as the process lives.
func TestMain(m *testing.M) {
	flag.Parse()
	_ = flag.Set("test.parallel", fmt.Sprint(sideBySide))
	var err error
	if binaries, err = os.MkdirTemp("", "mandated-drill-*"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	_ = os.RemoveAll(binaries)
	os.Exit(code)
}

// sideBySide is how many scenes play at once: more than there are processors on a small
// machine, since they wait much of their time.
const sideBySide = 3

var binaries string

// The two binaries: the one that people run, and one that does without the lease rule.
var (
	honest    = sync.OnceValues(func() (string, error) { return build("mandated") })
	leaseless = sync.OnceValues(func() (string, error) {
		return build("mandated-without-lease", "-tags", "mandated_without_lease")
	})
)

func build(name string, flags ...string) (string, error) {
	path := filepath.Join(binaries, name)
	command := exec.Command("go", append(append([]string{"build", "-trimpath", "-o", path}, flags...), "../../cmd/mandated")...)
	command.Env = append(os.Environ(), "CGO_ENABLED=0") // as make build does it
	if out, err := command.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building %s: %w\n%s", name, err, out)
	}
	return path, nil
}

// process is "mandated serve" in a process of its own.
type process struct {
	*exec.Cmd
	said   *servers.Said
	exited chan struct{} // closed when it has ended
}

// tail is the end of what was said that is not as usual.
func tail(s *servers.Said) string {
	lines := slices.DeleteFunc(strings.Split(strings.TrimSpace(s.String()), "\n"), func(line string) bool {
		return strings.Contains(line, `"level":"INFO"`)
	})
	return strings.Join(lines[max(0, len(lines)-5):], "\n")
}

// command is the binary with a configuration, and nothing of our environment that would
// override it.
func command(binary, config string, environ []string, args ...string) *exec.Cmd {
	c := exec.Command(binary, append([]string{"--config", config}, args...)...)
	c.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"), "TMPDIR=" + os.TempDir()}, environ...)
	mortal(c)
	return c
}

// serve starts a daemon and returns when it has said where it answers, or has ended
// without.
func serve(c *exec.Cmd) (*process, error) {
	p := &process{Cmd: c, said: &servers.Said{}, exited: make(chan struct{})}
	p.Stderr = p.said
	out, err := p.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := begin(c); err != nil {
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
	case <-time.After(bound):
		p.kill()
		return nil, fmt.Errorf("the daemon says nothing: %s", p.said)
	}
}

// listen reads what the daemon says until it ends, and tells when all addresses are said.
func (p *process) listen(out io.Reader, answers chan<- struct{}) {
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if strings.HasPrefix(lines.Text(), "for operators at ") {
			close(answers)
		}
	}
}

// kill ends the process in the middle of what it does, also a paused one.
func (p *process) kill() {
	_ = p.Process.Kill()
	<-p.exited
}

// begin starts a command from the one thread that does so. Children are told to die with
// the thread that started them (mortal), and this one lives as long as the process.
func begin(c *exec.Cmd) error {
	started := make(chan error)
	beginning() <- func() { started <- c.Start() }
	return <-started
}

var beginning = sync.OnceValue(func() chan<- func() {
	work := make(chan func())
	go func() {
		runtime.LockOSThread()
		for start := range work {
			start()
		}
	}()
	return work
})
