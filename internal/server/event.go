package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strconv"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/pdp"
	"github.com/mandated/mandated/pkg/register"
	"github.com/mandated/mandated/pkg/saml"
)

// occasion is what a request asks for.
type occasion struct {
	name   string // in logs and traces
	traced bool   // the sender's trace goes on here
	timed  bool   // how long it took is all our doing, and is measured
}

var (
	onQuery   = occasion{"query", true, true}
	onResolve = occasion{"resolve", true, false}
	onArrival = occasion{"arrival", false, false} // a browser is nobody's trace, and we wait for its broker
	onVisit   = occasion{"visit", false, false}
	onChain   = occasion{"chain-information", true, false} // how long it takes is up to the intermediary
)

// event is what happened to one request: filled on the way, logged and counted once.
// Nothing in it names a person or a company.
type event struct {
	server *Server
	occasion
	started time.Time
	level   slog.Level
	span    trace.Span // of the whole query
	trace   pdp.Trace  // where it stands in the sender's trace

	sender, message, question string
	role                      etoegang.Role     // of the sender
	record                    string            // of the journal
	revision                  register.Revision // that the decision is good for; zero without one
	outcome                   string            // Permit, Deny, Choose; or why there is none
	status                    string            // what was answered
	codes                     string
	reference                 string // of a fault
	cause                     error
}

// newEvent begins to follow a request, as a span. The request that it gives back carries
// the span.
func (s *Server) newEvent(w http.ResponseWriter, r *http.Request, on occasion) (*event, *http.Request) {
	var parent trace.SpanContext
	if on.traced {
		parent = parentOf(r.Header)
	}
	ctx, span := s.c.Tracer.Start(trace.ContextWithRemoteSpanContext(r.Context(), parent), on.name, trace.WithSpanKind(trace.SpanKindServer))
	here, state := placeOf(span.SpanContext(), parent), ""
	place := pdp.Trace{ID: here.TraceID().String(), Span: here.SpanID().String()}
	if parent.IsValid() {
		state, place.Parent = stateOf(r.Header), parent.SpanID().String()
	}
	tell(w, here, state)
	e := &event{server: s, occasion: on, started: time.Now(), span: span, trace: place}
	return e, r.WithContext(ctx)
}

// rescue tells of a panic, as an error of our own making: never as an answer. It is deferred.
func (e *event) rescue(answer func(error)) {
	if broken := recover(); broken != nil {
		answer(fmt.Errorf("server: panic: %v\n%s", broken, debug.Stack()))
	}
}

func (e *event) received(in *saml.Received) {
	e.sender, e.message, e.question = in.Query.Issuer.String(), in.Query.ID, string(in.Question)
	e.role = in.Query.Issuer.Role()
}

func (e *event) decided(a pdp.Answer, took time.Duration) {
	e.record, e.outcome, e.codes = a.ID, a.Outcome.String(), join(a.Codes())
	e.revision = max(a.Revision, a.View)
	e.server.c.Metrics.decided(e.question, a, took)
}

// told tells that another register was given a page of a list.
func (e *event) told(p saml.ChainPage) {
	e.status, e.outcome = p.Status.Short(), "complete"
	if p.Next != "" {
		e.outcome = "more"
	}
	e.server.c.Metrics.told(e.outcome)
}

// silent notes which registers did not answer.
func (e *event) silent(d Discovered) {
	e.server.c.Metrics.discovered(d)
	for _, s := range d.Silent {
		problem := fmt.Errorf("%s: %s", s.Register, s.Why)
		if s.Cause != nil {
			problem = fmt.Errorf("%w: %w", problem, s.Cause)
		}
		e.cause = errors.Join(e.cause, problem)
	}
}

// note keeps what went wrong beside an answer that left all the same; nil: nothing did.
func (e *event) note(what, cause error) {
	if cause != nil {
		e.cause = errors.Join(e.cause, fmt.Errorf("%w: %w", what, cause))
	}
}

// refused tells how a message of a known sender was refused. A refusal with a cause is one
// without a decision, or one that takes a decision's place.
func (e *event) refused(row refusal, word string, cause error) {
	e.level, e.status, e.cause = row.level, row.status.Short(), cause
	if cause == nil {
		return
	}
	e.revision = 0
	if e.outcome = word; row == refusalNotFoundOut {
		e.outcome = pdp.Indeterminate
	}
	e.server.c.Metrics.refused(e.outcome)
	if row.level == slog.LevelWarn { // what an operator of ours can do nothing about
		e.server.c.Metrics.failed(e.role, e.outcome)
	}
}

// respond sends a signed answer. One to a decision says for which revision it is good.
func (e *event) respond(w http.ResponseWriter, body []byte) {
	if e.revision > 0 {
		w.Header().Set("Register-Revision", strconv.FormatInt(int64(e.revision), 10))
	}
	e.send(w, http.StatusOK, saml.ContentType, body)
}

// fault sends a SOAP fault, which HTTP carries as 500 (SOAP 1.1, section 6.2).
func (e *event) fault(w http.ResponseWriter, f fault, cause error) {
	e.faultAs(w, http.StatusInternalServerError, f, cause)
}

func (e *event) faultAs(w http.ResponseWriter, status int, f fault, cause error) {
	e.level, e.status, e.cause, e.reference = f.level, "fault "+f.code, cause, newReference()
	switch f {
	case faultBroken:
		e.outcome = pdp.Indeterminate
	case faultBusy:
		if e.outcome = "left"; errors.Is(cause, errBusy) {
			e.outcome = "busy"
		}
	default:
		e.outcome = "not-believed"
	}
	if f != faultBusy { // the gate has counted those
		e.server.c.Metrics.faulted(cause)
	}
	e.send(w, status, saml.ContentType, saml.Fault(f.code, f.text, e.reference))
}

// plain answers what never became a message.
func (e *event) plain(w http.ResponseWriter, status int, outcome, text string) {
	e.level, e.outcome, e.status = slog.LevelWarn, outcome, http.StatusText(status)
	e.server.c.Metrics.refused(outcome)
	e.send(w, status, "text/plain; charset=utf-8", []byte(text))
}

func (e *event) send(w http.ResponseWriter, status int, contentType string, body []byte) {
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Cache-Control", "no-cache, no-store")
	w.WriteHeader(status)
	_, _ = w.Write(body) // a sender who left gets nothing, and his question stays recorded
}

func (e *event) finish() {
	took := time.Since(e.started)
	if e.timed {
		e.server.c.Metrics.took(took)
	}
	e.endSpan()
	attributes := []slog.Attr{
		slog.String("outcome", e.outcome), slog.String("status", e.status), slog.Float64("seconds", took.Seconds()),
	}
	for _, a := range []slog.Attr{
		slog.String("sender", e.sender), slog.String("message", e.message), slog.String("question", e.question),
		slog.String("reasons", e.codes), slog.String("record", e.record),
		slog.String("trace", e.trace.ID), slog.String("span", e.trace.Span), slog.String("reference", e.reference),
	} {
		if a.Value.String() != "" {
			attributes = append(attributes, a)
		}
	}
	if e.cause != nil {
		attributes = append(attributes, slog.String("cause", e.cause.Error()))
		var problem *saml.Error
		if errors.As(e.cause, &problem) {
			attributes = append(attributes, slog.String("problem", string(problem.Problem)))
		}
	}
	e.server.c.Log.LogAttrs(context.Background(), e.level, e.name, attributes...)
}

// endSpan tells the trace what became of the query, in words from closed lists alone.
func (e *event) endSpan() {
	e.span.SetAttributes(attribute.String("outcome", e.outcome), attribute.String("status", e.status))
	if e.question != "" {
		e.span.SetAttributes(attribute.String("question", e.question))
	}
	if e.level == slog.LevelError {
		e.span.SetStatus(codes.Error, "")
	}
	e.span.End()
}
