package eyes

import (
	"bufio"
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
)

//go:embed driver.mjs
var program string

// errMissing: something is not installed that we cannot look without.
var errMissing = errors.New("not installed")

// driver is the process of Node.js that drives the browser of this test process. Orders may
// be given from several goroutines at once.
type driver struct {
	in io.WriteCloser

	mu      sync.Mutex
	last    int // number that was given out
	waiting map[int]chan reply
	ended   error // nil while it works
}

// reply answers an order. Its complaints are what went wrong for the user by itself.
type reply struct {
	Number     int             `json:"number"`
	Value      json.RawMessage `json:"value"`
	Error      string          `json:"error"`
	Complaints []string        `json:"complaints"`
}

// theDriver starts the one driver. When the test process ends in whatever way, its input
// ends, and with that the driver and the browser.
var theDriver = sync.OnceValues(startDriver)

func startDriver() (*driver, error) {
	node, chromium, modules, err := installed()
	if err != nil {
		return nil, err
	}
	places, err := json.Marshal(map[string]string{"modules": modules, "chromium": chromium})
	if err != nil {
		return nil, err
	}
	c := exec.Command(node, "--input-type=module", "--eval", program)
	c.Env = append(os.Environ(), "MANDATED_EYES="+string(places))
	said := &bytes.Buffer{}
	c.Stderr = said
	in, err := c.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := c.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := c.Start(); err != nil {
		return nil, fmt.Errorf("starting node: %w", err)
	}
	d := &driver{in: in, waiting: map[int]chan reply{}}
	go func() {
		read := d.listen(out)
		d.end(fmt.Errorf("the driver of the browser ended: %w", errors.Join(read, c.Wait(), errors.New(said.String()))))
	}()
	return d, nil
}

// installed finds the programs, and the folder with playwright-core and axe-core.
func installed() (node, chromium, modules string, err error) {
	if node, err = exec.LookPath("node"); err != nil {
		return "", "", "", fmt.Errorf("node is %w", errMissing)
	}
	// Without the windows that nobody sees, the same pages take two thirds of the time.
	if chromium, err = exec.LookPath("chromium-headless-shell"); err != nil {
		if chromium, err = exec.LookPath("chromium"); err != nil {
			return "", "", "", fmt.Errorf("chromium is %w", errMissing)
		}
	}
	if modules = os.Getenv("MANDATED_NODE_MODULES"); modules == "" {
		root, err := exec.Command("npm", "root", "-g").Output()
		if err != nil {
			return "", "", "", fmt.Errorf("npm is %w, and MANDATED_NODE_MODULES not set", errMissing)
		}
		modules = strings.TrimSpace(string(root))
	}
	for _, name := range []string{"playwright-core", "axe-core"} {
		if _, err := os.Stat(filepath.Join(modules, name)); err != nil {
			return "", "", "", fmt.Errorf("%s is %w in %s", name, errMissing, modules)
		}
	}
	return node, chromium, modules, nil
}

// listen hands out replies until there are no more.
func (d *driver) listen(out io.Reader) error {
	lines := bufio.NewReader(out)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return err
		}
		var r reply
		if err := json.Unmarshal(line, &r); err != nil {
			return fmt.Errorf("reading %q: %w", line, err)
		}
		d.mu.Lock()
		d.waiting[r.Number] <- r
		delete(d.waiting, r.Number)
		d.mu.Unlock()
	}
}

// end lets everybody know who still waits.
func (d *driver) end(why error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ended = why
	for _, c := range d.waiting {
		c <- reply{Error: why.Error()}
	}
}

// order gives an order and waits until it is done.
func (d *driver) order(name string, with map[string]any) reply {
	d.mu.Lock()
	if d.ended != nil {
		defer d.mu.Unlock()
		return reply{Error: d.ended.Error()}
	}
	d.last++
	with["order"], with["number"] = name, d.last
	answer := make(chan reply, 1)
	d.waiting[d.last] = answer
	line, err := json.Marshal(with)
	if err == nil {
		_, err = d.in.Write(append(line, '\n'))
	}
	if err != nil {
		delete(d.waiting, d.last)
		d.mu.Unlock()
		return reply{Error: err.Error()}
	}
	d.mu.Unlock()
	return <-answer
}
