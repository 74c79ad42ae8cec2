package server_test

import (
	"context"
	"crypto"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/mandated/mandated/internal/server"
	"github.com/mandated/mandated/internal/servers"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/harness"
	"github.com/mandated/mandated/pkg/pdp"
	"github.com/mandated/mandated/pkg/register"
)

const (
	traceOfCaller = "4bf92f3577b34da6a3ce929d0e0e4736"
	spanOfCaller  = "00f067aa0ba902b7"
	callersPlace  = "00-" + traceOfCaller + "-" + spanOfCaller + "-01"
)

// A traceparent is read as the recommendation says: version 00 to the letter, later ones as
// far as they must be alike, and of anything else nothing. Ids go into log and journal, so
// nothing else may come in that way.
func TestTraceparent(t *testing.T) {
	const at = traceOfCaller + "-" + spanOfCaller
	for header, flags := range map[string]string{
		"00-" + at + "-00": "00", "00-" + at + "-01": "01", "00-" + at + "-02": "02", "00-" + at + "-ff": "03", "00-" + at + "-04": "00",
		"01-" + at + "-01": "01", "01-" + at + "-01-": "01", "01-" + at + "-01-what-comes": "01", "fe-" + at + "-01": "01", "0a-" + at + "-01": "01",
	} {
		id, span, got, _ := server.TraceOf(http.Header{"Traceparent": {header}})
		if id != traceOfCaller || span != spanOfCaller || got != flags {
			t.Errorf("%q gives %s, %s, %s", header, id, span, got)
		}
	}
	for _, header := range []string{
		"", "00", traceOfCaller, at, "00-" + at, "00-" + at + "-", "00-" + at + "-0", "00-" + at + "-001", "00-" + at + "-01-", "00-" + at + "-01-00", "00-" + at + "-01 ",
		"ff-" + at + "-01", "0-" + at + "-01", "0g-" + at + "-01", "0A-" + at + "-01", "01-" + at + "-01x", "01-" + at + "-01.", "01-" + at + "-0",
		"00-" + at + "-0g", "00-" + at + "-0A", "00_" + at + "-01", "00-" + traceOfCaller + "_" + spanOfCaller + "-01", "00-" + at + "_01",
		"00-" + strings.ToUpper(at) + "-01", "00-" + strings.Repeat("0", 32) + "-" + spanOfCaller + "-01", "00-" + traceOfCaller + "-" + strings.Repeat("0", 16) + "-01",
		"00-Bakkerij De Korenbloem 123456789-" + spanOfCaller + "-01", " 00-" + at + "-01",
	} {
		if id, span, flags, _ := server.TraceOf(http.Header{"Traceparent": {header}}); id+span+flags != "" {
			t.Errorf("%q gives %s, %s, %s", header, id, span, flags)
		}
	}
	if id, _, _, _ := server.TraceOf(http.Header{"Traceparent": {callersPlace, callersPlace}}); id != "" {
		t.Error("of two one is taken")
	}
	if id, _, _, _ := server.TraceOf(http.Header{}); id != "" {
		t.Error("without any there is a trace")
	}
}

// Whatever stands there: nothing but ids comes in.
func TestTraceparentIsAnIDOrNothing(t *testing.T) {
	shape := regexp.MustCompile(`^([0-9a-f]{32} [0-9a-f]{16} 0[0-3])?$`)
	rapid.Check(t, func(t *rapid.T) {
		header := rapid.OneOf(rapid.String(), rapid.StringMatching(`[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}(-.*)?`)).Draw(t, "header")
		id, span, flags, _ := server.TraceOf(http.Header{"Traceparent": {header}})
		if got := strings.TrimSpace(id + " " + span + " " + flags); !shape.MatchString(got) || !strings.Contains(header, id) || !strings.Contains(header, span) {
			t.Errorf("%q gives %q", header, got)
		}
	})
}

// What else a caller says of his trace is kept whole, or not at all.
func TestTracestate(t *testing.T) {
	for _, c := range []struct {
		headers []string
		want    string
	}{
		{nil, ""}, {[]string{""}, ""}, {[]string{"a=1"}, "a=1"}, {[]string{"a=1,b@c=2"}, "a=1,b@c=2"}, {[]string{"a=1", "b=2"}, "a=1,b=2"},
		{[]string{"a=1, b=2"}, "a=1,b=2"}, {[]string{"a"}, ""}, {[]string{"A=1"}, ""}, {[]string{"a=1,a=2"}, ""}, {[]string{"a=\x01"}, ""},
		{[]string{strings.Repeat("a=1,", 33)}, ""},
	} {
		if _, _, _, got := server.TraceOf(http.Header{"Tracestate": c.headers}); got != c.want {
			t.Errorf("%q gives %q, want %q", c.headers, got, c.want)
		}
	}
}

// place reads a traceparent that we send.
func place(t *testing.T, w *httptest.ResponseRecorder) (trace, span, flags string) {
	t.Helper()
	parts := regexp.MustCompile(`^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$`).FindStringSubmatch(w.Header().Get("Traceparent"))
	if parts == nil {
		t.Fatalf("the answer is at %q", w.Header().Get("Traceparent"))
	}
	return parts[1], parts[2], parts[3]
}

// Whatever is answered, the sender hears where in his trace that was, and record and log
// name the same place. What he says of his trace without a place in it is not repeated.
func TestPlaceInTheTrace(t *testing.T) {
	s := newScene(t, harness.Options{})
	var log servers.Said
	var asked []pdp.Trace
	h := s.newHouse(2, decider(func(ctx context.Context, r pdp.Request) (pdp.Answer, error) {
		asked = append(asked, r.Trace)
		return denies(ctx, r)
	}), open, func(c *server.Config) { c.Log = slog.New(slog.NewJSONHandler(&log, nil)) })
	message := func() []byte { return must(s.n.Broker.Query(s.question())) }

	seen := map[string]bool{}
	for _, c := range []struct {
		why         string
		body        []byte
		contentType string
		parent      []string
		trace       string // "": a new one
		flags       string
		state       string
		asked       int
	}{
		{"a question", message(), "text/xml", []string{callersPlace}, traceOfCaller, "01", "a=1,b=2", 1},
		{"the next one", message(), "text/xml", []string{callersPlace}, traceOfCaller, "01", "a=1,b=2", 1},
		{"of a trace that nobody keeps", message(), "text/xml", []string{strings.TrimSuffix(callersPlace, "1") + "0"}, traceOfCaller, "00", "a=1,b=2", 1},
		{"of no trace", message(), "text/xml", nil, "", "00", "", 1},
		{"of a broken one", message(), "text/xml", []string{"00-12345678"}, "", "00", "", 1},
		{"no message", []byte("<a/>"), "text/xml", []string{callersPlace}, traceOfCaller, "01", "a=1,b=2", 0},
		{"nothing to read", []byte("a"), "text/plain", []string{callersPlace}, traceOfCaller, "01", "a=1,b=2", 0},
	} {
		asked = nil
		before := len(log.String())
		w := h.post(ctx, c.contentType, c.body, header("Traceparent", c.parent...), header("Tracestate", "a=1", "b=2"))
		trace, span, flags := place(t, w)
		if c.trace != "" && trace != c.trace || c.trace == "" && (trace == traceOfCaller || seen[trace]) || flags != c.flags {
			t.Errorf("%s: trace %s, flags %s", c.why, trace, flags)
		}
		if span == spanOfCaller || seen[span] {
			t.Errorf("%s: the place is not our own", c.why)
		}
		seen[trace], seen[span] = true, true
		if got := w.Header().Get("Tracestate"); got != c.state {
			t.Errorf("%s: state %q", c.why, got)
		}
		var line struct{ Trace, Span string }
		if err := json.Unmarshal([]byte(log.String()[before:]), &line); err != nil || line.Trace != trace || line.Span != span {
			t.Errorf("%s: the log says %+v (%v)", c.why, line, err)
		}
		if len(asked) != c.asked || len(asked) > 0 && asked[0] != (pdp.Trace{ID: trace, Span: span, Parent: parentIn(trace)}) {
			t.Errorf("%s: asked at %+v", c.why, asked)
		}
	}
}

// The revision that a sender knows of comes in as one decimal number, and his answer says
// for which revision it is good. What is no decision is good for none.
func TestAtLeastRevision(t *testing.T) {
	s := newScene(t, harness.Options{})
	var asked []pdp.Request
	var answer pdp.Answer
	var failure error
	h := s.newHouse(2, decider(func(_ context.Context, r pdp.Request) (pdp.Answer, error) {
		asked = append(asked, r)
		return answer, failure
	}), open)
	message := func() []byte { return must(s.n.Broker.Query(s.question())) }

	for _, c := range []struct {
		header []string
		want   int64
	}{{nil, 0}, {[]string{"0"}, 0}, {[]string{"1"}, 1}, {[]string{"9223372036854775807"}, 9223372036854775807}} {
		asked = nil
		if w := h.post(ctx, "text/xml", message(), header("At-Least-Revision", c.header...)); w.Code != http.StatusOK || len(asked) != 1 || int64(asked[0].AtLeast) != c.want {
			t.Errorf("%q: HTTP %d, asked %+v", c.header, w.Code, asked)
		}
	}
	asked = nil
	wrong := [][]string{{""}, {"-1"}, {"+1"}, {"01"}, {"1.0"}, {"1e3"}, {"0x1"}, {"1_0"}, {" 1"}, {"1,2"}, {"1", "1"}, {"9223372036854775808"}, {"latest"}, {"١"}}
	for _, values := range wrong {
		w := h.post(ctx, "text/xml", message(), header("At-Least-Revision", values...))
		if w.Code != http.StatusBadRequest || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/plain") || len(asked) > 0 {
			t.Errorf("%q: HTTP %d %s, asked %d times", values, w.Code, w.Header().Get("Content-Type"), len(asked))
		}
	}
	if got := h.counted(t, "mandated_refusals_total", "why", "at-least-revision"); got != float64(len(wrong)) {
		t.Errorf("counted %v of %d times", got, len(wrong))
	}

	for why, c := range map[string]struct {
		revision, view int64
		failure        error
		want           string
	}{
		"of the register": {7, 7, nil, "7"}, "kept": {5, 9, nil, "9"}, "newer than the view": {9, 5, nil, "9"},
		"could not be found out": {7, 7, errors.New("disk full"), ""},
	} {
		answer, failure = must(denies(ctx, pdp.Request{})), c.failure
		answer.Revision, answer.View = register.Revision(c.revision), register.Revision(c.view)
		w := h.post(ctx, "text/xml", message())
		if got := w.Header().Get("Register-Revision"); got != c.want || w.Code != http.StatusOK {
			t.Errorf("%s: HTTP %d, good for %q, want %q", why, w.Code, got, c.want)
		}
	}
}

// Where a decision was found and who makes which mistakes is counted, in words from closed
// lists.
func TestCountingBySourceAndRole(t *testing.T) {
	s := newScene(t, harness.Options{})
	var from pdp.Source
	h := s.newHouse(2, decider(func(ctx context.Context, r pdp.Request) (pdp.Answer, error) {
		a, err := denies(ctx, r)
		a.Hot = from
		return a, err
	}), open)
	for source, name := range map[pdp.Source]string{pdp.FromRegister: "register", pdp.FromMemory: "memory", pdp.FromRedis: "redis"} {
		from = source
		h.post(ctx, "text/xml", must(s.n.Broker.Query(s.question())))
		if decisions, durations := h.counted(t, "mandated_decisions_total", "source", name), h.observed(t, "mandated_decision_duration_seconds", "source", name); decisions != 1 || durations != 1 {
			t.Errorf("from %s: %v decisions, %v durations", name, decisions, durations)
		}
	}

	old := s.question()
	old.Mistake = harness.Expired
	h.post(ctx, "text/xml", must(s.n.Broker.Query(old)))
	for label, value := range map[string]string{"role": "HM", "why": "expired"} {
		if got := h.counted(t, "mandated_peer_failures_total", label, value); got != 1 {
			t.Errorf("a broker's old message is counted %v times under %s", got, value)
		}
	}

	ours := s.newHouse(2, decider(func(context.Context, pdp.Request) (pdp.Answer, error) { return pdp.Answer{}, errors.New("disk full") }), open)
	ours.post(ctx, "text/xml", must(s.n.Broker.Query(s.question())))
	if got := ours.counted(t, "mandated_peer_failures_total", "role", "HM"); got != 0 || ours.counted(t, "mandated_refusals_total", "why", pdp.Indeterminate) != 1 {
		t.Errorf("our own failure is counted %v times as the broker's", got)
	}
}

// stumbling is a key that fails the first time.
type stumbling struct {
	crypto.Signer
	tried *bool
}

// Sign fails once.
func (s stumbling) Sign(random io.Reader, digest []byte, o crypto.SignerOpts) ([]byte, error) {
	if !*s.tried {
		*s.tried = true
		return nil, errors.New("the key is not at hand")
	}
	return s.Signer.Sign(random, digest, o)
}

// A decision whose statement could not be signed is none for the sender: he hears that it
// could not be found out, and of no revision.
func TestUnsignedStatementIsGoodForNothing(t *testing.T) {
	s := newScene(t, harness.Options{})
	tried := false
	h := s.newHouse(1, decider(func(ctx context.Context, r pdp.Request) (pdp.Answer, error) {
		a, err := denies(ctx, r)
		a.Revision = 7
		return a, err
	}), open, func(c *server.Config) {
		state := c.State()
		state.Signer.Key = stumbling{state.Signer.Key, &tried}
		state.Peers = map[etoegang.EntityID]server.Peer{s.n.Broker.Entity: {DenyStatement: true}}
	})
	w := h.post(ctx, "text/xml", must(s.n.Broker.Query(s.question())))
	if !tried || !strings.Contains(w.Body.String(), "status:Responder\"") || strings.Contains(w.Body.String(), "<saml:Assertion") || w.Header().Get("Register-Revision") != "" {
		t.Errorf("HTTP %d, good for %q: %s", w.Code, w.Header().Get("Register-Revision"), w.Body)
	}
	if w = h.post(ctx, "text/xml", must(s.n.Broker.Query(s.question()))); w.Header().Get("Register-Revision") != "7" || !strings.Contains(w.Body.String(), "<saml:Assertion") {
		t.Errorf("the next one: HTTP %d, good for %q: %s", w.Code, w.Header().Get("Register-Revision"), w.Body)
	}
}

// parentIn is the span that asked, in the caller's trace; in a new one nobody did.
func parentIn(trace string) string {
	if trace == traceOfCaller {
		return spanOfCaller
	}
	return ""
}
