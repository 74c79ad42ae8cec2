package tracing_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/otel/trace"
	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	spans "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/mandated/mandated/internal/tracing"
)

var ctx = context.Background()

// house is a collector and the log of whoever sends it spans.
type house struct {
	*httptest.Server
	log *slog.Logger

	mu      sync.Mutex
	text    bytes.Buffer
	asked   int
	service string
	spans   []*spans.Span

	hold    func(*http.Request) // before a batch is taken; nil: not held up
	refuses bool                // takes no batch
}

func newHouse(t *testing.T) *house {
	h := &house{}
	h.log = slog.New(slog.NewTextHandler(h, nil))
	h.Server = httptest.NewServer(h)
	t.Cleanup(h.Close)
	return h
}

// Write writes the log.
func (h *house) Write(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.text.Write(p)
}

func (h *house) told() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.text.String()
}

// ServeHTTP takes a batch.
func (h *house) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	hold, refuses := h.hold, h.refuses
	h.asked++
	h.mu.Unlock()
	if hold != nil {
		hold(r)
	}
	var request collector.ExportTraceServiceRequest
	body, _ := io.ReadAll(r.Body)
	if err := proto.Unmarshal(body, &request); err != nil || r.URL.Path != "/v1/traces" || refuses {
		http.Error(w, "not now", http.StatusServiceUnavailable)
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, resource := range request.ResourceSpans {
		for _, a := range resource.Resource.Attributes {
			h.service += a.Key + "=" + a.Value.GetStringValue()
		}
		for _, scope := range resource.ScopeSpans {
			h.spans = append(h.spans, scope.Spans...)
		}
	}
}

func (h *house) start(t *testing.T, ratio float64) *tracing.Tracing {
	t.Helper()
	tr, err := tracing.Start(tracing.Options{Endpoint: h.URL, Ratio: ratio, Service: "mandated", Log: h.log})
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

// end waits for the spans under way.
func end(t *testing.T, tr *tracing.Tracing) {
	t.Helper()
	patient, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	if err := tr.Shutdown(patient); err != nil {
		t.Fatal(err)
	}
}

// What is traced arrives, under the service's name and nothing else about us.
func TestSpansArrive(t *testing.T) {
	h := newHouse(t)
	tr := h.start(t, 1)
	outer, parent := tr.Tracer().Start(ctx, "query")
	_, child := tr.Tracer().Start(outer, "decide")
	child.End()
	parent.End()
	end(t, tr)
	if h.service != "service.name=mandated" || len(h.spans) != 2 {
		t.Fatalf("from %q arrived %v", h.service, h.spans)
	}
	inner, id := h.spans[0], parent.SpanContext().SpanID()
	if inner.Name != "decide" || !bytes.Equal(inner.ParentSpanId, id[:]) || h.spans[1].Name != "query" {
		t.Errorf("arrived: %v", h.spans)
	}
}

// A collector may have another path.
func TestPathOfTheCollector(t *testing.T) {
	for path, want := range map[string]string{"": "/v1/traces", "/": "/v1/traces", "/ours/v1/traces": "/ours/v1/traces"} {
		h := newHouse(t)
		paths := make(chan string, 1)
		h.hold = func(r *http.Request) { paths <- r.URL.Path }
		tr, err := tracing.Start(tracing.Options{Endpoint: h.URL + path, Ratio: 1, Service: "mandated", Log: h.log})
		if err != nil {
			t.Fatal(err)
		}
		_, span := tr.Tracer().Start(ctx, "query")
		span.End()
		end(t, tr)
		if got := <-paths; got != want {
			t.Errorf("%q sends to %q, want %q", path, got, want)
		}
	}
}

// The ratio goes by the trace id alone: a trace is sent by everybody or by nobody, and its
// sender's wish does not count. What is not sent has its ids as well.
func TestRatioGoesByTheTrace(t *testing.T) {
	h := newHouse(t)
	none, some, others := h.start(t, 0), h.start(t, .5), h.start(t, .5)
	sent := map[bool]int{}
	for i := range byte(100) {
		id := trace.TraceID{1, 8: i * 5, 9: 1} // spread over all ids
		remote := trace.NewSpanContext(trace.SpanContextConfig{TraceID: id, SpanID: trace.SpanID{1}, Remote: true, TraceFlags: trace.FlagsSampled})
		within := trace.ContextWithRemoteSpanContext(ctx, remote)
		_, first := some.Tracer().Start(within, "a")
		_, second := others.Tracer().Start(within, "a")
		_, not := none.Tracer().Start(within, "a")
		if first.SpanContext().IsSampled() != second.SpanContext().IsSampled() {
			t.Errorf("trace %s is sent by one only", id)
		}
		sent[first.SpanContext().IsSampled()]++
		if c := not.SpanContext(); c.IsSampled() || c.TraceID() != id || !c.HasSpanID() || c.SpanID() == remote.SpanID() {
			t.Errorf("with a ratio of none: %v", c)
		}
	}
	if sent[true] < 30 || sent[false] < 30 {
		t.Errorf("half of the traces are %d of 100", sent[true])
	}
	for _, tr := range []*tracing.Tracing{none, some, others} {
		end(t, tr)
	}
}

// While the collector holds a batch in its hands, spans end as fast as ever: what the
// queue cannot hold is lost, and what it holds arrives.
func TestSlowCollectorHoldsUpNobody(t *testing.T) {
	h := newHouse(t)
	release := make(chan struct{})
	h.hold = func(*http.Request) { <-release }
	tr := h.start(t, 1)
	const many = 20_000
	for range many {
		_, span := tr.Tracer().Start(ctx, "query")
		span.End()
	}
	close(release)
	end(t, tr)
	if got := len(h.spans); got < 2048 || got > many/2 {
		t.Errorf("%d of %d spans have arrived", got, many)
	}
}

// Who stops does not wait for a collector that never answers.
func TestStoppingDoesNotWait(t *testing.T) {
	h := newHouse(t)
	holding, left := make(chan struct{}), make(chan struct{})
	h.hold = func(r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // only then does the server notice that somebody leaves
		close(holding)
		<-r.Context().Done()
		close(left)
	}
	tr := h.start(t, 1)
	_, span := tr.Tracer().Start(ctx, "query")
	span.End()
	<-holding
	hasty, cancel := context.WithCancel(ctx)
	cancel()
	if err := tr.Shutdown(hasty); !errors.Is(err, context.Canceled) {
		t.Errorf("stopped with %v", err)
	}
	<-left
}

// The log says when spans begin to be lost and when they arrive again, once each.
func TestFailuresAreToldOnce(t *testing.T) {
	h := newHouse(t)
	h.refuses = true
	tr := h.start(t, 1)
	batches := func(n int, until func() bool) {
		t.Helper()
		bound, cancel := context.WithTimeout(ctx, time.Minute)
		defer cancel()
		for range n * 512 {
			_, span := tr.Tracer().Start(ctx, "query")
			span.End()
		}
		for !until() {
			select {
			case <-bound.Done():
				t.Fatalf("it never came about; the log: %s", h.told())
			case <-time.After(time.Millisecond):
			}
		}
	}
	seen := func(n int) func() bool {
		return func() bool {
			h.mu.Lock()
			defer h.mu.Unlock()
			return h.asked >= n
		}
	}
	batches(3, seen(3))
	h.mu.Lock()
	h.refuses = false
	h.mu.Unlock()
	batches(2, func() bool { return strings.Contains(h.told(), "again") })
	end(t, tr)
	if lost, again := strings.Count(h.told(), "they are lost"), strings.Count(h.told(), "takes our spans again"); lost != 1 || again != 1 {
		t.Errorf("told %d and %d times: %s", lost, again, h.told())
	}
}

// A collector that is not there fails nothing.
func TestDeadCollector(t *testing.T) {
	h := newHouse(t)
	h.Close()
	tr := h.start(t, 1)
	_, span := tr.Tracer().Start(ctx, "query")
	span.End()
	end(t, tr)
	if !strings.Contains(h.told(), "does not take our spans") {
		t.Errorf("the log: %q", h.told())
	}
}

// A way that is none, or not a safe one, is refused before anything starts.
func TestCheck(t *testing.T) {
	for _, c := range []struct {
		endpoint string
		ratio    float64
		wrong    string
	}{
		{"https://collector.example", .1, ""}, {"https://collector.example:4318/v1/traces", 1, ""},
		{"http://127.0.0.1:4318", 0, ""}, {"http://[::1]:4318", 1, ""}, {"http://localhost:4318", 1, ""},
		{"", 1, "not a URL"}, {"collector:4318", 1, "not a URL"}, {"ftp://collector", 1, "not a URL"}, {"https://", 1, "not a URL"},
		{"https://collector?key=secret", 1, "not a URL"}, {"https://collector#a", 1, "not a URL"}, {"https://a b", 1, "not a URL"},
		{"http://collector:4318", 1, "https://"}, {"http://10.0.0.1:4318", 1, "https://"},
		{"https://me:secret@collector", 1, "OTEL_EXPORTER_OTLP_HEADERS"},
		{"https://collector", -.1, "ratio"}, {"https://collector", 1.1, "ratio"}, {"https://collector", math.NaN(), "ratio"},
	} {
		err := tracing.Options{Endpoint: c.endpoint, Ratio: c.ratio}.Check()
		if (err == nil) != (c.wrong == "") || err != nil && !strings.Contains(err.Error(), c.wrong) {
			t.Errorf("%q at %v: %v", c.endpoint, c.ratio, err)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("the error tells the password: %v", err)
		}
		if _, started := tracing.Start(tracing.Options{Endpoint: c.endpoint, Ratio: c.ratio, Log: slog.New(slog.DiscardHandler)}); (started == nil) != (err == nil) {
			t.Errorf("%q at %v is started with %v", c.endpoint, c.ratio, started)
		}
	}
}
