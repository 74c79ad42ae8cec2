// Package tracing sends spans to a collector, by OTLP over HTTP.
//
// It owns how spans get there: which share of them, in which batches, and what happens
// when they do not. They are gathered in a queue of a fixed length and sent from there, so
// that a collector which is slow or away delays and fails nothing: what the queue cannot
// hold and what does not arrive within a few seconds is lost, and the log says so once.
// What stands in spans is the affair of those who make them.
//
// Headers that a collector wants, such as a key, are taken from the environment variable
// OTEL_EXPORTER_OTLP_HEADERS, and a certificate that it is to be believed by from
// OTEL_EXPORTER_OTLP_CERTIFICATE.
package tracing

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/mandated/mandated/internal/loopback"
)

// Options say where spans go. All are required.
type Options struct {
	// Endpoint is the collector's URL, as in https://collector.example:4318. Without a
	// path it is /v1/traces. Plain HTTP is for a collector on this machine.
	Endpoint string

	// Ratio is the share of the traces that are sent, from 0 to 1. It goes by the trace
	// id, so that everybody with the same ratio sends the same traces. Whether a sender
	// wants his trace to be kept does not count: he has not been believed yet when it
	// begins.
	Ratio float64

	Service string // under which name the collector shows the spans
	Log     *slog.Logger
}

// Check tells what is wrong with the options.
func (o Options) Check() error {
	u, err := url.Parse(o.Endpoint)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.RawQuery != "" || u.Fragment != "" {
		return errors.New("the collector's endpoint is not a URL such as https://collector.example:4318")
	}
	if u.User != nil {
		return errors.New("the collector's endpoint has a name or password in it: give it as a header, by OTEL_EXPORTER_OTLP_HEADERS")
	}
	if u.Scheme == "http" && !loopback.Is(u.Hostname()) {
		return fmt.Errorf("the collector's endpoint %q is on another machine: begin it with https://", o.Endpoint)
	}
	if !(o.Ratio >= 0 && o.Ratio <= 1) {
		return fmt.Errorf("the ratio of traces %v is not between 0 and 1", o.Ratio)
	}
	return nil
}

// url is the endpoint with its path.
func (o Options) url() string {
	if u, err := url.Parse(o.Endpoint); err == nil && strings.Trim(u.Path, "/") == "" {
		return u.JoinPath("v1", "traces").String()
	}
	return o.Endpoint
}

// How much waits for the collector, and how long for its answer. A batch that it did not
// take is not sent again.
const (
	queue    = 2048
	batch    = 512
	delay    = time.Second
	patience = 3 * time.Second
)

// Tracing is an open way to a collector. It may be used by many goroutines.
type Tracing struct {
	provider *sdk.TracerProvider
	exporter *exporter
}

// Start opens the way. Whether a collector is there shows only later, in the log.
func Start(o Options) (*Tracing, error) {
	if err := o.Check(); err != nil {
		return nil, err
	}
	way, err := otlptracehttp.New(context.Background(), otlptracehttp.WithEndpointURL(o.url()),
		otlptracehttp.WithTimeout(patience), otlptracehttp.WithRetry(otlptracehttp.RetryConfig{Enabled: false}))
	if err != nil {
		return nil, fmt.Errorf("tracing: %w", err)
	}
	e := &exporter{SpanExporter: way, log: o.Log}
	e.stopped, e.stop = context.WithCancel(context.Background())
	return &Tracing{exporter: e, provider: sdk.NewTracerProvider(
		sdk.WithSampler(sdk.TraceIDRatioBased(o.Ratio)),
		sdk.WithResource(resource.NewSchemaless(attribute.String("service.name", o.Service))),
		sdk.WithBatcher(e, sdk.WithMaxQueueSize(queue), sdk.WithMaxExportBatchSize(batch), sdk.WithBatchTimeout(delay), sdk.WithExportTimeout(patience)),
	)}, nil
}

// Tracer makes spans. Every span has its ids, whether or not it is sent.
func (t *Tracing) Tracer() trace.Tracer { return t.provider.Tracer("github.com/mandated/mandated") }

// Shutdown sends what is still in the queue, until ctx ends; the rest is lost.
func (t *Tracing) Shutdown(ctx context.Context) error {
	defer t.exporter.stop()
	if err := t.provider.Shutdown(ctx); err != nil {
		return fmt.Errorf("sending the last spans: %w", err)
	}
	return nil
}

// exporter keeps failures to itself and tells the log when they begin and end: nobody else
// could do anything about them.
type exporter struct {
	sdk.SpanExporter
	log *slog.Logger

	stopped context.Context // when nothing is to be waited for any more
	stop    func()

	failed bool // the last batch; batches are sent one at a time
}

// ExportSpans sends a batch, or loses it.
func (e *exporter) ExportSpans(ctx context.Context, spans []sdk.ReadOnlySpan) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(e.stopped, cancel)()
	e.tell(e.SpanExporter.ExportSpans(ctx, spans))
	return nil
}

func (e *exporter) tell(err error) {
	switch {
	case err != nil && !e.failed:
		e.log.Warn("the collector does not take our spans: they are lost until it does", "cause", fmt.Sprintf("%.300s", err))
	case err == nil && e.failed:
		e.log.Info("the collector takes our spans again")
	}
	e.failed = err != nil
}
