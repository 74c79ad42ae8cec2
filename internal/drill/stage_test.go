package drill

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/mandated/mandated/internal/servers"
	"github.com/mandated/mandated/pkg/harness"
	"github.com/mandated/mandated/pkg/register"
)

var ctx = context.Background()

// bound ends a wait for what does not come. Nothing passes by being quicker.
const bound = 60 * time.Second

// soak asks for the full figures.
var soak = os.Getenv("MANDATED_SOAK") != ""

// times is how often something is done: ten times as often in a soak.
func times(n int) int {
	if soak {
		return 10 * n
	}
	return n
}

// plan says what a stage is like. The zero value is three nodes on one register, with a
// Redis that they share.
type plan struct {
	binary  func() (string, error) // nil: the honest one
	nodes   int                    // 0: three
	standby bool                   // questions may be read from a replica
	redis   map[string]any         // settings of another kind of Redis; nil: a single one, behind links
	open    servers.RedisOptions   // how the single one is started

	prepare   func(*stage)                           // works on the empty database
	configure func(n *node, settings map[string]any) // has the last word
}

// stage is a register with its nodes, each a process with wires of its own.
type stage struct {
	t        *testing.T
	plan     plan
	binary   string
	database *servers.Database
	standby  *servers.Database    // nil: none
	redis    *servers.RedisServer // nil: the scene has brought its own kind
	network  *harness.Network
	register *register.Register // straight at the database: here the scene makes its changes
	nodes    []*node
	clients  int // that were made
}

// node is a daemon of the register.
type node struct {
	stage   *stage
	name    string
	at      *harness.RegisterNode
	process *process // nil: none runs

	primary *servers.Proxy // to the register
	stores  *servers.Proxy // to journal and guard, in the same database
	replica *servers.Proxy // to the standby; nil: none
	cache   *servers.Proxy // to Redis; nil: the scene has brought its own kind
}

// play is where every scene begins. Scenes mostly wait, so they play side by side, except
// in a soak, whose figures are to be their own.
func play(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("real processes and servers: not in short tests")
	}
	if !soak {
		t.Parallel()
	}
}

// set sets a stage: the servers, the register, keys and metadata of all, and the nodes.
func set(t *testing.T, p plan) *stage {
	t.Helper()
	if p.nodes == 0 {
		p.nodes = 3
	}
	if p.binary == nil {
		p.binary = honest
	}
	s := &stage{t: t, plan: p}
	s.database = servers.Postgres(t, servers.PostgresOptions{Settings: map[string]string{"max_connections": "300"}})
	if p.redis == nil {
		s.redis = servers.Redis(t, p.open)
	}
	if p.prepare != nil {
		p.prepare(s)
	}
	if p.standby {
		s.standby = s.database.Standby(t)
	}
	var err error
	s.binary, err = p.binary()
	s.ok("the binary", err)
	s.build()
	for _, n := range s.nodes {
		n.start()
	}
	return s
}

// build makes everything that lies in files, and the register. The harness can only do so
// by running the network for a moment, in this process.
func (s *stage) build() {
	s.t.Helper()
	var err error
	s.network, err = harness.Open(ctx, s.t.TempDir(), harness.Options{RealTime: true, Nodes: s.plan.nodes, Configure: s.configure})
	s.ok("making the network", err)
	s.ok("handing it over to processes", s.network.Stop(ctx))
	for i, at := range append([]*harness.RegisterNode{s.network.First}, s.network.Replicas...) {
		s.nodes[i].at = at
	}
	s.register, err = register.Open(ctx, s.database.DSN(), register.Options{Connections: 8})
	s.ok("opening the register", err)
	s.t.Cleanup(func() { _ = s.register.Close() })
}

// configure gives the next node its wires.
func (s *stage) configure(settings map[string]any) {
	n := &node{stage: s, name: fmt.Sprintf("node %d", len(s.nodes)+1)}
	s.nodes = append(s.nodes, n)
	n.primary, n.stores = servers.Link(s.t, s.database.Addr()), servers.Link(s.t, s.database.Addr())
	settings["register"] = s.database.DSNOver(n.primary)
	settings["journal"], settings["guard"] = s.database.DSNOver(n.stores), s.database.DSNOver(n.stores)
	settings["canary"], settings["connections"] = "0s", 8
	if s.standby != nil {
		n.replica = servers.Link(s.t, s.standby.Addr())
		settings["standby"] = s.standby.DSNOver(n.replica)
	}
	settings["redis"] = s.plan.redis
	if s.redis != nil {
		n.cache = servers.Link(s.t, s.redis.Addr())
		settings["redis"] = map[string]any{"addresses": []string{n.cache.Addr()}}
	}
	if s.plan.configure != nil {
		s.plan.configure(n, settings)
	}
}

func (s *stage) ok(what string, err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatalf("%s: %v", what, err)
	}
}

// figure writes down what was counted or measured, in a line that people look for.
func (s *stage) figure(format string, args ...any) {
	s.t.Helper()
	s.t.Logf("figure: "+format, args...)
}

// until waits for a condition, which says what is still amiss.
func (s *stage) until(what string, condition func() error) {
	s.t.Helper()
	deadline := time.Now().Add(bound)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		err := condition()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("waiting until %s: %v", what, err)
		}
		<-tick.C
	}
}

// start starts the node's process and waits until it answers.
func (n *node) start() {
	n.stage.t.Helper()
	p, err := serve(n.command(nil, "serve", "--dev"))
	n.stage.ok("starting "+n.name, err)
	n.process = p
	n.stage.t.Cleanup(func() {
		p.kill()
		if n.stage.t.Failed() {
			n.stage.t.Logf("the end of what %s said:\n%s", n.name, tail(p.said))
		}
	})
}

// kill ends the node's process in the middle of what it does.
func (n *node) kill() { n.process.kill() }

// stop ends it in order.
func (n *node) stop() {
	n.stage.t.Helper()
	n.signal(syscall.SIGINT)
	<-n.process.exited
	if code := n.process.ProcessState.ExitCode(); code != 0 {
		n.stage.t.Errorf("%s ends with %d: %s", n.name, code, tail(n.process.said))
	}
}

// pause lets the process stand still, and resume lets it go on.
func (n *node) pause()  { n.signal(syscall.SIGSTOP) }
func (n *node) resume() { n.signal(syscall.SIGCONT) }

func (n *node) signal(signal syscall.Signal) {
	n.stage.t.Helper()
	n.stage.ok("a signal to "+n.name, n.process.Process.Signal(signal))
}

// command is the binary on the node's configuration.
func (n *node) command(environ []string, args ...string) *exec.Cmd {
	return command(n.stage.binary, n.at.Config, environ, args...)
}

// run runs a command to its end and gives what it wrote.
func (n *node) run(args ...string) (out string, err error) {
	var words strings.Builder
	var data strings.Builder
	c := n.command(nil, args...)
	c.Stdout, c.Stderr = &data, &words
	if err = begin(c); err == nil {
		err = c.Wait()
	}
	if err != nil {
		err = fmt.Errorf("mandated %s: %w: %s%s", strings.Join(args, " "), err, data.String(), words.String())
	}
	return data.String(), err
}

// operators is what a page for operators says.
func (n *node) operators(page string) (text string, status int, err error) {
	client := http.Client{Timeout: 5 * time.Second}
	response, err := client.Get(n.at.Operations + page)
	if err != nil {
		return "", 0, err
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	return string(body), response.StatusCode, err
}

// ready is what stands in the way of answering, as the node tells its operators.
func (n *node) ready() error {
	text, status, err := n.operators("/readyz")
	switch {
	case err != nil:
		return err
	case status != http.StatusOK:
		return errors.New(strings.TrimSpace(text))
	}
	return nil
}

// follows says why the node cannot serve hot decisions.
func (n *node) follows() error {
	if age, lease := n.metric("mandated_view_age_seconds"), n.metric("mandated_lease_seconds"); age < 0 || age > lease/2 {
		return fmt.Errorf("its view is %v s old", age)
	}
	return nil
}

// metric adds up what a metric counts under all these labels, as `verdict="served"`.
func (n *node) metric(name string, labels ...string) (sum float64) {
	n.stage.t.Helper()
	text, _, err := n.operators("/metrics")
	n.stage.ok("metrics of "+n.name, err)
	for line := range strings.Lines(text) {
		what, number, _ := strings.Cut(strings.TrimSpace(line), " ")
		if base, _, _ := strings.Cut(what, "{"); base != name || !all(what, labels) {
			continue
		}
		value, err := strconv.ParseFloat(number, 64)
		n.stage.ok("metric "+name, err)
		sum += value
	}
	return sum
}

func all(text string, parts []string) bool {
	for _, part := range parts {
		if !strings.Contains(text, part) {
			return false
		}
	}
	return true
}
