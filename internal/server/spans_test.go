package server_test

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	spans "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/mandated/mandated/internal/server"
	"github.com/mandated/mandated/internal/tracing"
	"github.com/mandated/mandated/pkg/harness"
	"github.com/mandated/mandated/pkg/pdp"
)

// gallery is a collector that keeps what it gets.
type gallery struct {
	t  *testing.T
	tr *tracing.Tracing

	mu    sync.Mutex
	raw   []byte
	spans []*spans.Span
}

// newGallery opens a collector and a way to it. hold, if any, is waited for before a batch
// is taken.
func newGallery(t *testing.T, ratio float64, hold <-chan struct{}) *gallery {
	t.Helper()
	g := &gallery{t: t}
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := readAll(&http.Response{Body: r.Body})
		if hold != nil {
			<-hold
		}
		var request collector.ExportTraceServiceRequest
		if err = errors.Join(err, proto.Unmarshal(body, &request)); err != nil {
			t.Error(err)
		}
		g.mu.Lock()
		defer g.mu.Unlock()
		g.raw = append(g.raw, body...)
		for _, resource := range request.ResourceSpans {
			for _, scope := range resource.ScopeSpans {
				g.spans = append(g.spans, scope.Spans...)
			}
		}
	}))
	t.Cleanup(s.Close)
	g.tr = must(tracing.Start(tracing.Options{Endpoint: s.URL, Ratio: ratio, Service: "mandated", Log: quiet}))
	return g
}

// traced lets a server be traced.
func (g *gallery) traced(c *server.Config) { c.Tracer = g.tr.Tracer() }

// close waits for the spans under way.
func (g *gallery) close() {
	g.t.Helper()
	bound, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	if err := g.tr.Shutdown(bound); err != nil {
		g.t.Fatal(err)
	}
}

// of gives the spans of one query, the whole one first, and its children by name.
func (g *gallery) of(trace string) (query *spans.Span, children []string) {
	g.t.Helper()
	for _, span := range g.spans {
		if hex.EncodeToString(span.TraceId) == trace && span.Name == "query" {
			query = span
		}
	}
	for _, span := range g.spans {
		if query != nil && string(span.ParentSpanId) == string(query.SpanId) {
			children = append(children, span.Name)
			if len(span.Attributes) > 0 || len(span.Events) > 0 || span.Kind != spans.Span_SPAN_KIND_INTERNAL {
				g.t.Errorf("%s says more than how long it took: %v", span.Name, span)
			}
		}
	}
	return query, children
}

func said(span *spans.Span) string {
	var words []string
	for _, a := range span.Attributes {
		words = append(words, a.Key+"="+a.Value.GetStringValue())
	}
	slices.Sort(words)
	return strings.Join(words, " ")
}

// A query is a span in the trace of its sender, with its steps as children. It says what
// was asked and what came of it, in words from closed lists, and names nobody. The span is
// the place that the sender and the record have.
func TestSpansOfAQuery(t *testing.T) {
	s := newScene(t, harness.Options{})
	g := newGallery(t, 1, nil)
	var asked []pdp.Trace
	var failure error
	h := s.newHouse(2, decider(func(ctx context.Context, r pdp.Request) (pdp.Answer, error) {
		asked = append(asked, r.Trace)
		if failure != nil {
			return pdp.Answer{}, failure
		}
		return denies(ctx, r)
	}), open, g.traced)
	message := func(m harness.Mistake) []byte {
		q := s.question()
		q.Company, q.Mistake = bakery.KvK, m
		return must(s.n.Broker.Query(q))
	}

	cases := []struct {
		why      string
		body     []byte
		failure  error
		children []string
		said     string
		code     spans.Status_StatusCode
	}{
		{"a question", message(""), nil, []string{"receive", "admit", "decide", "sign"}, "outcome=Deny question=authorize status=Responder/AuthnFailed", 0},
		{"an old message", message(harness.Expired), nil, []string{"receive", "sign"}, "outcome=expired status=Requester/RequestUnsupported", 0},
		{"a fault of ours", message(""), errors.New("12345678"), []string{"receive", "admit", "decide", "sign"},
			"outcome=Indeterminate question=authorize status=Responder", spans.Status_STATUS_CODE_ERROR},
		{"a stranger's message", []byte("<a/>"), nil, []string{"receive"}, "outcome=not-believed status=fault Client", 0},
	}
	for i, c := range cases {
		failure = c.failure
		h.post(ctx, "text/xml", c.body, header("Traceparent", fmt.Sprintf("00-%032x-%s-00", i+1, spanOfCaller)), header("Tracestate", "kvk=12345678"))
	}
	root, _, _ := place(t, h.post(ctx, "text/plain", nil))
	g.close()

	for i, c := range cases {
		query, children := g.of(fmt.Sprintf("%032x", i+1))
		if query == nil || query.Kind != spans.Span_SPAN_KIND_SERVER || hex.EncodeToString(query.ParentSpanId) != spanOfCaller {
			t.Errorf("%s: %v", c.why, query)
			continue
		}
		slices.Sort(children)
		slices.Sort(c.children)
		if !slices.Equal(children, c.children) || said(query) != c.said || query.Status.GetCode() != c.code || query.Status.GetMessage() != "" {
			t.Errorf("%s: children %v, said %q, status %v", c.why, children, said(query), query.Status)
		}
		if i == 0 && asked[0] != (pdp.Trace{ID: hex.EncodeToString(query.TraceId), Span: hex.EncodeToString(query.SpanId), Parent: hex.EncodeToString(query.ParentSpanId)}) {
			t.Errorf("the record stands at %+v", asked[0])
		}
	}
	if query, _ := g.of(root); query == nil || len(query.ParentSpanId) > 0 {
		t.Errorf("without a caller's place: %v", query)
	}
	if found := contains(string(g.raw), []string{"12345678", "Korenbloem", s.anna.Subject.Pseudonym.Text(), "Vertrouwelijk", "urn:etoegang"}); len(found) > 0 || len(g.raw) == 0 {
		t.Errorf("the spans tell %q", found)
	}
}

// Records have their place in the trace whatever share of the traces is kept, and whether
// or not any are.
func TestPlaceDoesNotDependOnTracing(t *testing.T) {
	s := newScene(t, harness.Options{})
	for why, ratio := range map[string]float64{"none are kept": 0, "all are": 1, "nobody traces": -1} {
		var asked pdp.Trace
		var changes []func(*server.Config)
		g := newGallery(t, max(ratio, 0), nil)
		if ratio >= 0 {
			changes = append(changes, g.traced)
		}
		h := s.newHouse(2, decider(func(ctx context.Context, r pdp.Request) (pdp.Answer, error) {
			asked = r.Trace
			return denies(ctx, r)
		}), open, changes...)
		h.post(ctx, "text/xml", must(s.n.Broker.Query(s.question())), header("Traceparent", callersPlace))
		first := asked
		h.post(ctx, "text/xml", must(s.n.Broker.Query(s.question())))
		g.close()
		if first.ID != traceOfCaller || first.Span == spanOfCaller || len(first.Span) != 16 || len(asked.ID) != 32 || asked.ID == traceOfCaller || len(asked.Span) != 16 || asked.Span == first.Span {
			t.Errorf("when %s: %+v and then %+v", why, first, asked)
		}
		if (len(g.spans) > 0) != (ratio > 0) {
			t.Errorf("when %s: %d spans", why, len(g.spans))
		}
	}
}

// The collector holds what it was sent in its hands and does not let go, and the queue to
// it is full: every question is answered all the same.
func TestAnswersDoNotWaitForTheCollector(t *testing.T) {
	s := newScene(t, harness.Options{})
	release := make(chan struct{})
	g := newGallery(t, 1, release)
	h := s.newHouse(2, denies, open, g.traced)
	for range 5000 {
		_, span := g.tr.Tracer().Start(ctx, "filler")
		span.End()
	}
	for range 5 {
		if w := h.post(ctx, "text/xml", must(s.n.Broker.Query(s.question()))); w.Code != http.StatusOK {
			t.Errorf("HTTP %d", w.Code)
		}
	}
	close(release)
	g.close()
	if len(g.spans) == 0 {
		t.Error("nothing has arrived in the end")
	}
}
