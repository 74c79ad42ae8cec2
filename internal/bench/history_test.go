package bench

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
)

// A figure that takes this many times what is usual is told.
const slower = 1.15

// lastRuns is of how many runs the middle is what is usual.
const lastRuns = 5

// run is what is kept of a run: a line of JSON.
type run struct {
	Commit   string             `json:"commit"` // with -dirty if files had been changed
	At       time.Time          `json:"at"`
	Machine  machine            `json:"machine"`
	Load     string             `json:"load"` // averages of the machine, before
	Rounds   int                `json:"rounds"`
	Costs    map[string]cost    `json:"costs"`
	Bars     map[string]float64 `json:"bars"`
	Pressure *pressure          `json:"pressure,omitempty"`
}

// machine is what figures depend on that no commit changes.
type machine struct {
	CPU   string `json:"cpu"`
	Cores int    `json:"cores"`
	IFMA  bool   `json:"ifma"` // AVX-512 IFMA, with which libcrypto signs two to three times as fast
	Go    string `json:"go"`
	Disk  string `json:"disk"` // what the stores lie on
}

func (m machine) String() string {
	ifma := "without AVX-512 IFMA"
	if m.IFMA {
		ifma = "with AVX-512 IFMA"
	}
	return fmt.Sprintf("%s, %d cores, %s, %s, stores on %s", m.CPU, m.Cores, ifma, m.Go, m.Disk)
}

// thisMachine is what Linux tells of it; elsewhere little more than the architecture.
func thisMachine(folder string) machine {
	m := machine{CPU: runtime.GOARCH, Cores: runtime.NumCPU(), Go: runtime.Version(), Disk: disk(folder)}
	text, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(line, ":")
		switch strings.TrimSpace(name) {
		case "model name":
			m.CPU = strings.TrimSpace(value)
		case "flags":
			m.IFMA = slices.Contains(strings.Fields(value), "avx512ifma")
		}
	}
	return m
}

// disk is the device and kind of the file system that a folder lies in.
func disk(folder string) string {
	mounts, _ := os.ReadFile("/proc/self/mounts")
	best, what := "", "unknown"
	for line := range strings.Lines(string(mounts)) {
		f := strings.Fields(line)
		if len(f) > 2 && len(f[1]) >= len(best) && (f[1] == "/" || folder == f[1] || strings.HasPrefix(folder, f[1]+"/")) {
			best, what = f[1], f[0]+" "+f[2]
		}
	}
	return what
}

// load is how busy the machine has been in the last one, five and fifteen minutes.
func load() string {
	text, _ := os.ReadFile("/proc/loadavg")
	if f := strings.Fields(string(text)); len(f) > 3 {
		return strings.Join(f[:3], " ")
	}
	return "unknown"
}

// commit is what git calls the tree that is measured.
func commit() string {
	name, err := exec.Command("git", "describe", "--always", "--abbrev=12", "--dirty", "--exclude=*").Output()
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(string(name))
}

func (r *results) run(folder, load string, rounds int) run {
	kept := run{
		Commit: commit(), At: time.Now().UTC().Truncate(time.Second), Machine: thisMachine(folder), Load: load, Rounds: rounds,
		Costs: map[string]cost{}, Bars: map[string]float64{}, Pressure: r.pressure,
	}
	for _, c := range r.contenders {
		kept.Costs[c.name] = c.figure()
	}
	for _, b := range bars {
		if value, known := b.value(r); known {
			kept.Bars[b.what] = value
		}
	}
	return kept
}

// historyFile is where runs are kept: in a folder for what can be lost.
func historyFile() (string, error) {
	if path := os.Getenv("MANDATED_BENCH_HISTORY"); path != "" {
		return path, nil
	}
	folder, err := os.UserCacheDir()
	return filepath.Join(folder, "mandated", "bench.jsonl"), err
}

// readHistory gives what was kept, the oldest first. A line of another form is passed by.
func readHistory(path string) (runs []run, err error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		var r run
		if json.Unmarshal(lines.Bytes(), &r) == nil {
			runs = append(runs, r)
		}
	}
	return runs, err
}

// keep adds the run to its history, and writes it beside that as the last one.
func (r run) keep(path string) (last string, err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return "", err
	}
	line, err := json.Marshal(r)
	if err != nil {
		return "", err
	}
	history, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		return "", err
	}
	_, err = history.Write(append(line, '\n'))
	if err := errors.Join(err, history.Close()); err != nil {
		return "", err
	}
	var readable bytes.Buffer
	_ = json.Indent(&readable, line, "", "  ") // it is ours
	last = strings.TrimSuffix(path, ".jsonl") + ".json"
	return last, os.WriteFile(last, readable.Bytes(), 0o644)
}

// usual is what everybody took in the middle of the last runs on such a machine, in floors:
// machines change their speed.
func usual(history []run, m machine) map[string]float64 {
	lists := map[string][]float64{}
	for _, r := range slices.Backward(history) {
		if r.Machine != m {
			continue
		}
		for name, c := range r.Costs {
			if len(lists[name]) < lastRuns {
				lists[name] = append(lists[name], c.Floors)
			}
		}
	}
	middle := map[string]float64{}
	for name, list := range lists {
		middle[name] = median(list)
	}
	return middle
}
