package server

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/mandated/mandated/pkg/pdp"
	"github.com/mandated/mandated/pkg/saml"
)

// event is what happened to one request: filled on the way, logged and counted once.
// Nothing in it names a person or a company.
type event struct {
	server  *Server
	started time.Time
	level   slog.Level
	trace   string

	sender, message, question string
	record                    string // of the journal
	outcome                   string // Permit, Deny, Choose; or why there is none
	status                    string // what was answered
	codes                     string
	reference                 string // of a fault
	cause                     error
}

func (s *Server) newEvent(r *http.Request) *event {
	return &event{server: s, started: time.Now(), trace: traceID(r.Header.Get("traceparent"))}
}

// traceID takes the trace id out of a W3C traceparent header (version 00), or gives "".
func traceID(header string) string {
	parts := strings.Split(header, "-")
	if len(parts) != 4 || parts[0] != "00" || len(parts[1]) != 32 || strings.Trim(parts[1], "0123456789abcdef") != "" {
		return ""
	}
	return parts[1]
}

func (e *event) received(in *saml.Received) {
	e.sender, e.message, e.question = in.Query.Issuer.String(), in.Query.ID, string(in.Question)
}

func (e *event) decided(a pdp.Answer) {
	e.record, e.outcome, e.codes = a.ID, a.Outcome.String(), join(a.Codes())
	e.server.c.Metrics.decided(e.question, a)
}

// refused tells how a message of a known sender was refused. A refusal with a cause is one
// without a decision, or one that takes a decision's place.
func (e *event) refused(row refusal, word string, cause error) {
	e.level, e.status, e.cause = row.level, row.status.Short(), cause
	if cause == nil {
		return
	}
	if e.outcome = word; row == refusalNotFoundOut {
		e.outcome = pdp.Indeterminate
	}
	e.server.c.Metrics.refused(e.outcome)
}

// respond sends a signed answer.
func (e *event) respond(w http.ResponseWriter, body []byte) {
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
		e.outcome = "busy"
		e.server.c.Metrics.refused(e.outcome)
	default:
		e.outcome = "not-believed"
	}
	if f != faultBusy {
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
	e.server.c.Metrics.took(took)
	attributes := []slog.Attr{
		slog.String("outcome", e.outcome), slog.String("status", e.status), slog.Float64("seconds", took.Seconds()),
	}
	for _, a := range []slog.Attr{
		slog.String("sender", e.sender), slog.String("message", e.message), slog.String("question", e.question),
		slog.String("reasons", e.codes), slog.String("record", e.record),
		slog.String("trace", e.trace), slog.String("reference", e.reference),
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
	e.server.c.Log.LogAttrs(context.Background(), e.level, "query", attributes...)
}
