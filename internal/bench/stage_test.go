package bench

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mandated/mandated/internal/guard"
	"github.com/mandated/mandated/internal/journal"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/harness"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/saml"
)

var ctx = context.Background()

func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// stage is a network with one question that is asked over and over, each time in a message
// of its own: may Anna file the bakery's tax return?
type stage struct {
	t      *testing.T
	net    *harness.Network
	anna   mandate.Person
	bakery mandate.Organisation
	vat    harness.Service
}

// set starts a network whose daemon is configured like this. It logs as in production, to
// nobody.
func set(t *testing.T, o harness.Options, configure func(settings map[string]any)) *stage {
	t.Helper()
	o.RealTime, o.Log = true, quiet()
	o.Configure = func(settings map[string]any) {
		settings["canary"] = "0s"
		if configure != nil {
			configure(settings)
		}
	}
	s := &stage{t: t, net: harness.Start(t, o), bakery: harness.Company("Bakkerij De Korenbloem", "12345678", "123456782")}
	s.anna, s.vat = s.net.NewPerson("Anna"), s.net.Services["vat"]
	must[mandate.ID](t)(s.net.First.Direct(s.bakery, s.anna, harness.For(s.vat, etoegang.LoA3)))
	return s
}

func quiet() *slog.Logger { return slog.New(slog.NewJSONHandler(io.Discard, nil)) }

// question is one that is asked like this.
func (s *stage) question() harness.Question {
	return harness.Question{Person: s.anna, Service: s.vat, Asked: etoegang.LoA3}
}

// queries makes signed messages, which can be sent within two minutes.
func (s *stage) queries(n int) [][]byte {
	s.t.Helper()
	list, errs := make([][]byte, n), make([]error, n)
	var making sync.WaitGroup
	for k := range runtime.GOMAXPROCS(0) {
		making.Go(func() {
			for i := k; i < n; i += runtime.GOMAXPROCS(0) {
				list[i], errs[i] = s.net.Broker.Query(s.question())
			}
		})
	}
	making.Wait()
	for _, err := range errs {
		if err != nil {
			s.t.Fatal(err)
		}
	}
	return list
}

// directory are all participants, as the register knows them.
func (s *stage) directory() *saml.Directory {
	s.t.Helper()
	var all []saml.Participant
	for _, file := range must[[]string](s.t)(filepath.Glob(filepath.Join(s.net.Folder, "metadata-*.xml"))) {
		some, _, err := saml.ParseMetadata(must[[]byte](s.t)(os.ReadFile(file)), saml.Trust{File: true}, time.Now())
		if err != nil {
			s.t.Fatal(err)
		}
		all = append(all, some...)
	}
	return saml.NewDirectory(all...)
}

// decision is a whole decision in this process: a signed question in, a signed and recorded
// answer out.
func (s *stage) decision(name string) *contender {
	s.t.Helper()
	handler := s.net.First.Handler()
	request := httptest.NewRequest(http.MethodPost, s.net.First.Address, nil)
	request.Header.Set("Content-Type", saml.ContentType)
	var queue [][]byte
	var sent body
	answer := sink{header: http.Header{}}
	request.Body = &sent
	return here(s.t, name, func(n int) { queue = s.queries(n) }, func(i int) {
		answer.reset()
		sent.Reset(queue[i])
		request.ContentLength = int64(len(queue[i]))
		handler.ServeHTTP(&answer, request)
		if answer.status != http.StatusOK || !bytes.Contains(answer.written, permit) {
			s.t.Fatalf("HTTP %d: %s", answer.status, answer.written)
		}
	})
}

// keeps is what a decision keeps for good, each in a write of its own: that its question was
// answered, and the record.
func (s *stage) keeps(name string) *contender {
	t := s.t
	t.Helper()
	folder := t.TempDir()
	g := must[*guard.Guard](t)(guard.Open(ctx, filepath.Join(folder, "guard.db"), time.Now))
	j := must[*journal.Journal](t)(journal.Open(ctx, filepath.Join(folder, "journal.db"), journal.Options{
		Signer: s.net.First.Signer().Key, Checkpoints: filepath.Join(folder, "checkpoints.jsonl"),
	}))
	t.Cleanup(func() {
		if err := errors.Join(g.Close(), j.Close()); err != nil {
			t.Error(err)
		}
	})
	record := bytes.Repeat([]byte("0123456789abcdef"), 128) // as long as most
	return here(t, name, nil, func(int) {
		id := saml.NewID()
		admitted := g.Admit(ctx, s.net.Broker.Entity.String(), id, time.Now().Add(2*time.Minute))
		if err := errors.Join(admitted, j.Append(ctx, id[1:], record)); err != nil {
			t.Fatal(err)
		}
	})
}

// permit stands in an answer that lets Anna act.
var permit = []byte(">Permit<")

// body is what is sent.
type body struct{ bytes.Reader }

func (*body) Close() error { return nil }

// sink takes an answer without costing anything itself.
type sink struct {
	header  http.Header
	status  int
	written []byte
}

func (s *sink) reset() {
	clear(s.header)
	s.status, s.written = http.StatusOK, s.written[:0]
}

func (s *sink) Header() http.Header    { return s.header }
func (s *sink) WriteHeader(status int) { s.status = status }
func (s *sink) Write(p []byte) (int, error) {
	s.written = append(s.written, p...)
	return len(p), nil
}

// share is how many of all were what their figure says.
type share struct {
	what     string
	all, hot float64
}

// hot counts in the end how many decisions of a daemon were hot since now. All but a few
// are, unless the machine stood still for longer than the lease.
func hot(t *testing.T, what, operations string) func() share {
	t.Helper()
	allBefore, hotBefore := decided(t, operations)
	return func() share {
		t.Helper()
		all, hot := decided(t, operations)
		return share{what, all - allBefore, hot - hotBefore}
	}
}

// decided is how many decisions a daemon has made, and how many of them were hot.
func decided(t *testing.T, operations string) (all, hot float64) {
	t.Helper()
	response, err := http.Get(operations + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	for lines := bufio.NewScanner(response.Body); lines.Scan(); {
		if what, number, _ := strings.Cut(lines.Text(), "} "); strings.HasPrefix(what, "mandated_decisions_total{") {
			n := must[float64](t)(strconv.ParseFloat(number, 64))
			all += n
			if strings.Contains(what, `source="memory"`) {
				hot += n
			}
		}
	}
	return all, hot
}
