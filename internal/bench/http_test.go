package bench

import (
	"bytes"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mandated/mandated/internal/daemon"
	"github.com/mandated/mandated/internal/devkeys"
	"github.com/mandated/mandated/pkg/harness"
	"github.com/mandated/mandated/pkg/saml"
	"github.com/mandated/mandated/pkg/xmlsec"
)

// part is what this program plays in a process of its own: a daemon, or else a server that
// does nothing but the floor.
type part struct {
	Config string // of the daemon
	Sizes  sizes  // of what the floor hashes
	Reply  int    // bytes that it sends
}

func (p part) play() error {
	if p.Config != "" {
		return p.daemon()
	}
	return p.floor()
}

// daemon is "mandated serve --dev".
func (p part) daemon() error {
	c, err := daemon.LoadConfig(p.Config, nil)
	if err != nil {
		return err
	}
	d, err := daemon.Start(ctx, c, daemon.Options{Dev: true, Log: quiet()})
	if err != nil {
		return err
	}
	defer d.Stop(ctx)
	return serve(d.QueryAddress() + " " + d.OperationsAddress())
}

// The addresses of the server of the floor.
const pathSigning, pathWhole = "/signing", "/whole"

// floor serves with and without TLS. It reads as much and sends as much as the daemon, and
// in between does the cryptography only.
func (p part) floor() error {
	f, err := newFloor(p.Sizes)
	if err != nil {
		return err
	}
	reply := bytes.Repeat([]byte("x"), p.Reply)
	handle := func(work func()) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.ReadAll(http.MaxBytesReader(w, r.Body, int64(xmlsec.MessageLimits.Bytes)))
			work()
			w.Header().Set("Content-Type", saml.ContentType)
			_, _ = w.Write(reply)
		}
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+pathSigning, handle(f.signing))
	mux.HandleFunc("POST "+pathWhole, handle(f.whole))
	pair, err := devkeys.New("floor", time.Now())
	if err != nil {
		return err
	}
	secure := &http.Server{Handler: mux, TLSConfig: &tls.Config{
		MinVersion: tls.VersionTLS12, ClientAuth: tls.RequireAnyClientCert,
		Certificates: []tls.Certificate{{Certificate: [][]byte{pair.Certificate.Raw}, PrivateKey: pair.Key}},
	}}
	var listeners [2]net.Listener
	for i := range listeners {
		if listeners[i], err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
			return err
		}
	}
	go func() { _ = http.Serve(listeners[0], mux) }() // until the process ends
	go func() { _ = secure.ServeTLS(listeners[1], "", "") }()
	return serve(fmt.Sprintf("http://%s https://%s", listeners[0].Addr(), listeners[1].Addr()))
}

// perform lets this very program play a part.
func perform(t *testing.T, name string, p part) (w *worker, hello []string) {
	t.Helper()
	text, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command(os.Args[0])
	c.Env = append(os.Environ(), playing+"="+string(text))
	w, line := hire(t, name, c)
	return w, strings.Fields(line)
}

// leave hands a network over to a process of its own, and gives where its register answers
// and where operators look.
func (s *stage) leave(name string) (w *worker, endpoint, operations string) {
	s.t.Helper()
	if err := s.net.Stop(ctx); err != nil {
		s.t.Fatal(err)
	}
	w, hello := perform(s.t, name, part{Config: s.net.First.Config})
	return w, hello[0], hello[1]
}

// caller sends questions over connections that it keeps.
type caller struct {
	s           *stage // whose questions they are
	client      *http.Client
	address     string
	connections int
	wanted      []byte // what must stand in an answer
	stale       []byte // sent over and over to whoever does not mind; nil: each question is a new one
}

func (s *stage) caller(address string, connections int, wanted, stale []byte) *caller {
	shown := s.net.Broker.Signer()
	transport := &http.Transport{
		MaxConnsPerHost: connections, MaxIdleConnsPerHost: connections,
		TLSClientConfig: &tls.Config{
			InsecureSkipVerify: true, // the other end is this program
			Certificates:       []tls.Certificate{{Certificate: [][]byte{shown.Certificate.Raw}, PrivateKey: shown.Key}},
		},
	}
	s.t.Cleanup(transport.CloseIdleConnections)
	return &caller{s, &http.Client{Transport: transport, Timeout: time.Minute}, address, connections, wanted, stale}
}

func (c *caller) queries(n int) [][]byte {
	c.s.t.Helper()
	if c.stale != nil {
		return slices.Repeat([][]byte{c.stale}, n)
	}
	return c.s.queries(n)
}

// ask sends one question, and gives how long its answer took since then.
func (c *caller) ask(query []byte, since time.Time) (time.Duration, error) {
	response, err := c.client.Post(c.address, saml.ContentType, bytes.NewReader(query))
	if err != nil {
		return 0, err
	}
	text, err := io.ReadAll(response.Body)
	took := time.Since(since)
	_ = response.Body.Close()
	if err == nil && (response.StatusCode != http.StatusOK || !bytes.Contains(text, c.wanted)) {
		err = fmt.Errorf("HTTP %d: %s", response.StatusCode, text)
	}
	return took, err
}

// askAll sends questions over all connections at once, on each one after the other, and
// gives how long each took.
func (c *caller) askAll(queries [][]byte) []time.Duration {
	c.s.t.Helper()
	took, errs := make([]time.Duration, len(queries)), make([]error, len(queries))
	var next atomic.Int64
	var asking sync.WaitGroup
	for range c.connections {
		asking.Go(func() {
			for i := next.Add(1) - 1; int(i) < len(queries); i = next.Add(1) - 1 {
				took[i], errs[i] = c.ask(queries[i], time.Now())
			}
		})
	}
	asking.Wait()
	c.good(errs)
	return took
}

func (c *caller) good(errs []error) {
	c.s.t.Helper()
	for _, err := range errs {
		if err != nil {
			c.s.t.Fatal(err)
		}
	}
}

// atLeast is how many questions are sent in a round, for a few connections.
const atLeast = 16

// answers measures what the server's process takes to answer, and how long it takes.
func (c *caller) answers(name string, server *worker) *contender {
	n := max(atLeast, c.connections)
	return &contender{name: name, round: func() cost {
		queries := c.queries(n)
		before := server.used()
		took := c.askAll(queries)
		after := server.used()
		each := 1 / float64(n)
		return cost{
			CPU: each * float64((after.CPU - before.CPU).Nanoseconds()) / 1000, Wall: float64(middle(took, 0.5).Nanoseconds()) / 1000,
			Allocs: each * float64(after.Allocs-before.Allocs), Bytes: each * float64(after.Bytes-before.Bytes),
		}
	}}
}

// middle is how long that share of all took at most.
func middle(took []time.Duration, share float64) time.Duration {
	sorted := slices.Sorted(slices.Values(took))
	return sorted[min(int(share*float64(len(sorted))), len(sorted)-1)]
}

// pressure is how long answers take at a share of the most that the machine can answer,
// those who ask included.
type pressure struct {
	Most  float64       `json:"most_per_second"`
	Share float64       `json:"share"`
	P50   time.Duration `json:"p50_ns"` // since a question was due
	P99   time.Duration `json:"p99_ns"`
	Asked int           `json:"asked"`
}

// press finds the highest rate with some questions, and then asks at a share of it for as
// long. Questions come by chance and do not wait for each other, as those of strangers.
func (c *caller) press(n int, share float64) pressure {
	c.s.t.Helper()
	queries := c.s.queries(n)
	began := time.Now()
	c.askAll(queries)
	p := pressure{Most: float64(n) / time.Since(began).Seconds(), Share: share, Asked: n}

	queries = c.s.queries(n)
	took, errs := make([]time.Duration, n), make([]error, n)
	chance := rand.New(rand.NewPCG(1, 2))
	var asking sync.WaitGroup
	due := time.Now()
	for i, query := range queries {
		due = due.Add(time.Duration(-math.Log(1-chance.Float64()) / (share * p.Most) * float64(time.Second)))
		at := due
		time.Sleep(time.Until(at)) // the rate is what is wanted
		asking.Go(func() { took[i], errs[i] = c.ask(query, at) })
	}
	asking.Wait()
	c.good(errs)
	p.P50, p.P99 = middle(took, 0.5), middle(took, 0.99)
	return p
}

// overHTTP are decisions and floors over connections that are kept, with and without TLS.
// The query is as good as any for the floor, and the reply as long as an answer. durable
// asks the daemon without TLS.
func (r *results) overHTTP(t *testing.T, s sizes, query []byte, reply int) (durable *caller) {
	t.Helper()
	floor, bases := perform(t, "the floor's server", part{Sizes: s, Reply: reply})
	for i, name := range []string{"HTTP", "HTTPS"} {
		scene := set(t, harness.Options{TLS: name == "HTTPS"}, nil)
		server, endpoint, operations := scene.leave("the daemon over " + name)
		r.hot = append(r.hot, hot(t, "over "+name, operations))
		for _, connections := range []int{1, 16, 64} {
			r.add(
				scene.caller(bases[i]+pathSigning, connections, []byte("x"), query).answers(over(overFloor, name, connections), floor),
				scene.caller(bases[i]+pathWhole, connections, []byte("x"), query).answers(over(overWhole, name, connections), floor),
				scene.caller(endpoint, connections, permit, nil).answers(over(overDecision, name, connections), server))
		}
		if name == "HTTP" {
			durable = scene.caller(endpoint, 64, permit, nil)
		}
	}
	return durable
}

// over names what is asked over so many connections.
func over(what, scheme string, connections int) string {
	plural := "s"
	if connections == 1 {
		plural = ""
	}
	return fmt.Sprintf("%s, %s, %d connection%s", what, scheme, connections, plural)
}
