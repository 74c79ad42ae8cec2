package server

import (
	"crypto/rand"
	"encoding/hex"
	"net/http"
	"strings"

	"go.opentelemetry.io/otel/trace"
)

// This file speaks W3C Trace Context: where a question stands in the trace of whoever
// asks it. What he says of that goes into log and journal, so only what has the shape of
// an id comes in.

// parentOf reads the traceparent header. The result is not valid if there is none, more
// than one, or no good one: then a new trace begins (Trace Context, 4.3). Of versions that
// are not known yet it reads what they must have in common with ours (3.2.4).
func parentOf(h http.Header) (none trace.SpanContext) {
	values := h.Values("Traceparent")
	if len(values) != 1 {
		return none
	}
	text := values[0]
	if len(text) < 55 || text[2] != '-' || text[35] != '-' || text[52] != '-' {
		return none
	}
	version, flags := octet(text[:2]), octet(text[53:55])
	later := version > 0 && version < 0xff
	if flags < 0 || version != 0 && !later || len(text) > 55 && !(later && text[55] == '-') {
		return none
	}
	id, err := trace.TraceIDFromHex(text[3:35])
	if err != nil {
		return none
	}
	span, err := trace.SpanIDFromHex(text[36:52])
	if err != nil {
		return none
	}
	return trace.NewSpanContext(trace.SpanContextConfig{
		TraceID: id, SpanID: span, TraceFlags: trace.TraceFlags(flags) & (trace.FlagsSampled | trace.FlagsRandom), Remote: true,
	})
}

// octet reads two hexadecimal digits, which are small letters; -1 if they are not.
func octet(text string) int {
	b, err := hex.DecodeString(text)
	if err != nil || strings.ToLower(text) != text {
		return -1
	}
	return int(b[0])
}

// stateOf reads the tracestate headers; "" if they are not well formed.
func stateOf(h http.Header) string {
	state, err := trace.ParseTraceState(strings.Join(h.Values("Tracestate"), ","))
	if err != nil {
		return ""
	}
	return state.String()
}

// placeOf is where we stand in the trace: where our span does if somebody traces, or else
// at a random place. Log and journal have one whether or not anybody looks at traces.
func placeOf(span, parent trace.SpanContext) trace.SpanContext {
	if span.IsValid() && span.SpanID() != parent.SpanID() {
		return span
	}
	c := trace.SpanContextConfig{TraceID: parent.TraceID(), TraceFlags: parent.TraceFlags()}
	if !parent.IsValid() {
		_, _ = rand.Read(c.TraceID[:]) // crypto/rand never fails
	}
	_, _ = rand.Read(c.SpanID[:])
	return trace.NewSpanContext(c)
}

// tell lets the sender know where in his trace the answer was made, and gives him back
// what else he said of it.
func tell(w http.ResponseWriter, here trace.SpanContext, state string) {
	w.Header().Set("Traceparent", "00-"+here.TraceID().String()+"-"+here.SpanID().String()+"-"+here.TraceFlags().String())
	if state != "" {
		w.Header().Set("Tracestate", state)
	}
}
