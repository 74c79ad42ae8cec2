package bench

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"
)

// playing is the variable that makes this very program play a part in a process of its
// own; its value is a part in JSON.
const playing = "MANDATED_BENCH_PLAY"

func TestMain(m *testing.M) {
	text := os.Getenv(playing)
	if text == "" {
		os.Exit(m.Run())
	}
	var p part
	err := json.Unmarshal([]byte(text), &p)
	if err == nil {
		err = p.play()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// worker is a process that does as it is told: a line in, a line out. It ends when its
// standard input does, and so with us.
type worker struct {
	t    *testing.T
	name string
	in   io.Writer
	out  *bufio.Reader
}

// hire starts a worker, whose first line says that it is ready.
func hire(t *testing.T, name string, c *exec.Cmd) (w *worker, hello string) {
	t.Helper()
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	c.Stderr = os.Stderr
	if err := c.Start(); err != nil {
		t.Fatalf("starting %s: %v", name, err)
	}
	t.Cleanup(func() {
		_ = in.Close()
		_ = c.Wait() // it ends because its input does
	})
	w = &worker{t: t, name: name, in: in, out: bufio.NewReader(out)}
	return w, w.hear()
}

// ask tells the worker what to do and gives what it says when it has done so.
func (w *worker) ask(format string, args ...any) string {
	w.t.Helper()
	if _, err := fmt.Fprintf(w.in, format+"\n", args...); err != nil {
		w.t.Fatalf("%s: %v", w.name, err)
	}
	return w.hear()
}

func (w *worker) hear() string {
	w.t.Helper()
	line, err := w.out.ReadString('\n')
	if err != nil {
		w.t.Fatalf("%s says nothing: %v", w.name, err)
	}
	return strings.TrimSpace(line)
}

// does makes a contender of what the worker does and measures itself: it is told how often,
// and says what all of that took of processor and wall time, in microseconds.
func (w *worker) does(what string) *contender {
	w.t.Helper()
	once := func(n int) (c cost) {
		w.t.Helper()
		line := w.ask("%s %d", what, n)
		if _, err := fmt.Sscan(line, &c.CPU, &c.Wall); err != nil {
			w.t.Fatalf("%s, asked to %s: %q", w.name, what, line)
		}
		c.CPU, c.Wall = c.CPU/float64(n), c.Wall/float64(n)
		return c
	}
	once(1)
	n := min(max(int(float64(turn.Microseconds())/once(2).Wall), 2), 5000)
	return &contender{name: w.name + ": " + what, round: func() cost { return once(n) }}
}

// used is what a part has used of its process since that began.
type used struct {
	CPU           time.Duration
	Allocs, Bytes uint64
}

// serve answers whoever asks over standard input what was used, until that ends.
func serve(hello string) error {
	fmt.Println(hello)
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		if err := json.NewEncoder(os.Stdout).Encode(used{processCPU(), m.Mallocs, m.TotalAlloc}); err != nil {
			return err
		}
	}
	return nil
}

// used asks a part what it has used.
func (w *worker) used() (u used) {
	w.t.Helper()
	if line := w.ask("used"); json.Unmarshal([]byte(line), &u) != nil {
		w.t.Fatalf("%s: %q", w.name, line)
	}
	return u
}
