package server_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mandated/mandated/internal/server"
	"github.com/mandated/mandated/pkg/catalogue"
	"github.com/mandated/mandated/pkg/decision"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/harness"
	"github.com/mandated/mandated/pkg/pdp"
)

// Work is bounded: so many questions are worked on, as many again of one sender wait, and
// what he asks beyond that is sent away at once and told when to come back. Nobody who was
// let in is lost.
func TestBusy(t *testing.T) {
	s := newScene(t, harness.Options{})
	const work = 2
	var now, most atomic.Int64
	release := make(chan struct{})
	h := s.newHouse(work, decider(func(context.Context, pdp.Request) (pdp.Answer, error) {
		if n := now.Add(1); n > most.Load() {
			most.Store(n)
		}
		<-release
		now.Add(-1)
		return pdp.Answer{Decision: decision.Decision{Outcome: decision.Choose}}, nil
	}), open)
	message := func() []byte { return must(s.n.Broker.Query(s.question())) }

	var let sync.WaitGroup
	answers := make(chan int, 3*work)
	enter := func(ctx context.Context) {
		body := message()
		let.Go(func() { answers <- h.post(ctx, "text/xml", body).Code })
	}
	for range 2 * work {
		enter(ctx)
	}
	until(t, "the house is full", func() bool { return now.Load() == work && h.Waiting() == work })

	beyond := message()
	refused := h.post(ctx, "text/xml", beyond)
	if refused.Code != http.StatusServiceUnavailable || refused.Header().Get("Retry-After") != "1" || !strings.Contains(refused.Body.String(), "soap:Server") {
		t.Errorf("with a full house: HTTP %d, Retry-After %q, %s", refused.Code, refused.Header().Get("Retry-After"), refused.Body)
	}
	if shed, working, waiting := h.counted(t, "mandated_queue_shed_total", "queue", "decide"), h.counted(t, "mandated_queue_working", "queue", "decide"),
		h.counted(t, "mandated_queue_waiting", "queue", "decide"); shed != 1 || working != work || waiting != work {
		t.Errorf("counted: %v shed, %v worked on, %v waiting", shed, working, waiting)
	}
	close(release)
	let.Wait()
	if again := h.post(ctx, "text/xml", beyond); again.Code != http.StatusOK {
		t.Errorf("sent again as it was, the question is answered with HTTP %d", again.Code)
	}
	if working, waiting := h.counted(t, "mandated_queue_working", "queue", "decide"), h.counted(t, "mandated_queue_waiting", "queue", "decide"); working != 0 || waiting != 0 {
		t.Errorf("afterwards %v are worked on and %v wait", working, waiting)
	}
	close(answers)
	for code := range answers {
		if code != http.StatusOK {
			t.Errorf("somebody who was let in got HTTP %d", code)
		}
	}
	if most.Load() != work {
		t.Errorf("%d questions were worked on at once", most.Load())
	}
}

// Whoever leaves while he waits makes room for the next.
func TestWhoLeavesMakesRoom(t *testing.T) {
	s := newScene(t, harness.Options{})
	release, working := make(chan struct{}), make(chan struct{}, 2)
	h := s.newHouse(1, decider(func(context.Context, pdp.Request) (pdp.Answer, error) {
		working <- struct{}{}
		<-release
		return pdp.Answer{Decision: decision.Decision{Outcome: decision.Choose}}, nil
	}), open)
	var let sync.WaitGroup
	post := func(ctx context.Context) {
		body := must(s.n.Broker.Query(s.question()))
		let.Go(func() { h.post(ctx, "text/xml", body) })
	}
	post(ctx)
	<-working
	impatient, leave := context.WithCancel(ctx)
	post(impatient)
	until(t, "somebody waits", func() bool { return h.Waiting() == 1 })
	leave()
	until(t, "he has left", func() bool { return h.Waiting() == 0 })
	post(ctx)
	until(t, "the next one waits", func() bool { return h.Waiting() == 1 })
	close(release)
	<-working
	let.Wait()
}

// What is no message is told in plain words, before anything is read into it.
func TestWhatIsNoMessage(t *testing.T) {
	s := newScene(t, harness.Options{})
	h := s.newHouse(4, decider(func(context.Context, pdp.Request) (pdp.Answer, error) {
		t.Error("somebody decided")
		return pdp.Answer{}, nil
	}), open)
	for _, c := range []struct {
		why, contentType, body string
		want                   int
		counted                string
	}{
		{"another content type", "application/soap+xml", "<a/>", http.StatusUnsupportedMediaType, "content-type"},
		{"another alphabet", "text/xml; charset=iso-8859-1", "<a/>", http.StatusUnsupportedMediaType, "content-type"},
		{"too much of it", "text/xml", "<a>" + strings.Repeat(" ", 256<<10) + "</a>", http.StatusRequestEntityTooLarge, "too-large"},
	} {
		w := h.post(ctx, c.contentType, []byte(c.body))
		if w.Code != c.want || h.counted(t, "mandated_refusals_total", "why", c.counted) == 0 || !strings.Contains(w.Header().Get("Cache-Control"), "no-store") {
			t.Errorf("%s: HTTP %d %v", c.why, w.Code, w.Header())
		}
	}
	for _, body := range []string{"", "Dear reader,", "<a/>", "<a"} {
		w := h.post(ctx, "text/xml", []byte(body))
		if w.Code != http.StatusInternalServerError || !strings.Contains(w.Body.String(), "soap:Client") || w.Header().Get("Content-Type") != "text/xml" {
			t.Errorf("%q: HTTP %d %s", body, w.Code, w.Body)
		}
	}
	for _, r := range []*http.Request{httptest.NewRequest(http.MethodGet, server.PathQuery, nil), httptest.NewRequest(http.MethodPost, "/etoegang/1.11/soap", nil)} {
		w := httptest.NewRecorder()
		h.handler.ServeHTTP(w, r)
		if w.Code != http.StatusMethodNotAllowed && w.Code != http.StatusNotFound {
			t.Errorf("%s %s: HTTP %d", r.Method, r.URL, w.Code)
		}
	}
}

// Guard and decider are asked in this order, and each failure is answered in its own way.
func TestOrderOfTheSteps(t *testing.T) {
	s := newScene(t, harness.Options{})
	full := errors.New("disk full")
	for _, c := range []struct {
		why     string
		guard   error
		decider error
		decided int
		want    []string
		counted string
	}{
		{"a copy", errSeen, full, 0, []string{"RequestUnsupported", ">replayed<"}, "replayed"},
		{"a guard that is down", full, full, 0, []string{"status:Responder\""}, pdp.Indeterminate},
		{"a decider that is down", nil, full, 1, []string{"status:Responder\""}, pdp.Indeterminate},
		{"a revision that the register never had", nil, fmt.Errorf("%w: 9 (disk)", pdp.ErrBehind), 1, []string{"status:Responder\"", ">revision-unknown<"}, "revision-unknown"},
	} {
		decided := 0
		h := s.newHouse(1, decider(func(context.Context, pdp.Request) (pdp.Answer, error) {
			decided++
			return pdp.Answer{}, c.decider
		}), admit(func(context.Context, string, string, time.Time) error { return c.guard }))
		w := h.post(ctx, "text/xml", must(s.n.Broker.Query(s.question())))
		if found := contains(w.Body.String(), c.want); w.Code != http.StatusOK || len(found) != len(c.want) || decided != c.decided {
			t.Errorf("%s: HTTP %d, %d decisions, %s", c.why, w.Code, decided, w.Body)
		}
		if leaked := contains(w.Body.String(), []string{"disk", "<saml:Assertion"}); len(leaked) > 0 {
			t.Errorf("%s: the answer tells %v", c.why, leaked)
		}
		if h.counted(t, "mandated_refusals_total", "why", c.counted) != 1 {
			t.Errorf("%s is not counted as %s", c.why, c.counted)
		}
	}
}

// The guard must remember a message for as long as it could be sent again and believed.
func TestGuardRemembersLongEnough(t *testing.T) {
	s := newScene(t, harness.Options{})
	var until time.Time
	h := s.newHouse(1, decider(func(context.Context, pdp.Request) (pdp.Answer, error) { return pdp.Answer{}, nil }),
		admit(func(_ context.Context, _, _ string, at time.Time) error { until = at; return errSeen }))
	h.post(ctx, "text/xml", must(s.n.Broker.Query(s.question())))
	if last := s.n.Now().Add(2 * time.Minute); until.Before(last) {
		t.Errorf("remembered until %v, and believed until %v", until, last)
	}
}

// A Permit whose identifiers nobody can read is not given. What went wrong is said, and
// counted as what it is: not as a Permit.
func TestProviderWithoutKey(t *testing.T) {
	s := newScene(t, harness.Options{})
	h := s.newHouse(1, decider(func(_ context.Context, r pdp.Request) (pdp.Answer, error) {
		expired := *keysOf(s.vat.Home.Signer())[0].Certificate
		expired.NotAfter = s.n.Now().Add(-time.Hour)
		keys := keysOf(s.vat.Home.Signer())
		keys[0].Certificate = &expired
		a := pdp.Answer{
			Decision: decision.Decision{Outcome: decision.Permit, Options: []decision.Option{{Represented: bakery, Identifiers: []etoegang.LegalSubject{bakery.KvK.LegalSubject()}}}},
			Instance: catalogue.Instance{Certificates: keys},
		}
		if r.Deliver == nil {
			return a, nil
		}
		return a, r.Deliver(a)
	}), open)
	w := h.post(ctx, "text/xml", must(s.n.Broker.Query(s.question())))
	if found := contains(w.Body.String(), []string{"status:Responder", "RequestUnsupported", ">no-encryption-key<"}); len(found) != 3 || strings.Contains(w.Body.String(), "<saml:Assertion") {
		t.Errorf("HTTP %d %s", w.Code, w.Body)
	}
	if h.counted(t, "mandated_refusals_total", "why", "Permit") != 0 || h.counted(t, "mandated_refusals_total", "why", "no-encryption-key") != 1 {
		t.Error("a refusal for want of a key is not counted as no-encryption-key")
	}
}

// A mistake of ours while a question is worked on is told as a fault of ours: the sender
// asks again later, and the next question is answered.
func TestOurOwnMistakeIsAFault(t *testing.T) {
	s := newScene(t, harness.Options{})
	h := s.newHouse(2, decider(func(context.Context, pdp.Request) (pdp.Answer, error) { panic("a mistake") }), open)
	for range 5 { // more than there are places
		broken := h.post(ctx, "text/xml", must(s.n.Broker.Query(s.question())))
		if broken.Code != http.StatusInternalServerError || !strings.Contains(broken.Body.String(), "soap:Server") || strings.Contains(broken.Body.String(), "mistake") {
			t.Fatalf("HTTP %d: %s", broken.Code, broken.Body)
		}
	}
}
