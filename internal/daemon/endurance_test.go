package daemon_test

import (
	"bytes"
	"crypto/tls"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"testing"

	"github.com/mandated/mandated/pkg/harness"
	"github.com/mandated/mandated/pkg/saml"
)

// A broker that comes back does not pay for a whole handshake: its session is resumed, and
// it is still known by its certificate.
func TestTLSSessionsAreResumed(t *testing.T) {
	s := newScene(t, harness.Options{TLS: true})
	pair, err := tls.LoadX509KeyPair(s.file("keys/broker.crt"), s.file("keys/broker.key"))
	if err != nil {
		t.Fatal(err)
	}
	config := &tls.Config{
		Certificates: []tls.Certificate{pair}, InsecureSkipVerify: true, // whose it is, is not what this is about
		ClientSessionCache: tls.NewLRUClientSessionCache(1),
	}
	for _, resumed := range []bool{false, true, true} {
		client := http.Client{Transport: &http.Transport{TLSClientConfig: config}}
		query, err := s.n.Broker.Query(s.question())
		if err != nil {
			t.Fatal(err)
		}
		response, err := client.Post(s.n.First.Endpoint, saml.ContentType, bytes.NewReader(query))
		if err != nil {
			t.Fatal(err)
		}
		answer, err := io.ReadAll(response.Body)
		_ = response.Body.Close()
		client.CloseIdleConnections()
		if err != nil || response.StatusCode != http.StatusOK || !bytes.Contains(answer, []byte(">Permit<")) {
			t.Errorf("HTTP %d, %v: %s", response.StatusCode, err, answer)
		}
		if response.TLS.DidResume != resumed {
			t.Errorf("the session was resumed: %v, want %v", response.TLS.DidResume, resumed)
		}
	}
}

// However many questions a daemon has answered, it holds what it held after the first few:
// nothing of a question stays behind but what is on disk. make soak asks 30,000.
func TestNothingGrowsWithQuestions(t *testing.T) {
	asked := 300
	if os.Getenv("MANDATED_SOAK") != "" {
		asked = 30_000
	}
	s := newScene(t, harness.Options{})
	handler := s.n.First.Handler()
	ask := func(n int) {
		for range n {
			query, err := s.n.Broker.Query(s.question())
			if err != nil {
				t.Fatal(err)
			}
			request := httptest.NewRequest(http.MethodPost, s.n.First.Address, bytes.NewReader(query))
			request.Header.Set("Content-Type", saml.ContentType)
			answer := httptest.NewRecorder()
			if handler.ServeHTTP(answer, request); !bytes.Contains(answer.Body.Bytes(), []byte(">Permit<")) {
				t.Fatalf("HTTP %d: %s", answer.Code, answer.Body)
			}
		}
	}
	held := func() (heap uint64, routines int) {
		var m runtime.MemStats
		for range 3 { // pools are emptied by the second
			runtime.GC()
		}
		runtime.ReadMemStats(&m)
		return m.HeapAlloc, runtime.NumGoroutine()
	}
	ask(100)
	before, routines := held()
	ask(asked)
	after, more := held()
	t.Logf("after 100 questions %d KB and %d goroutines, after %d more %d KB and %d", before>>10, routines, asked, after>>10, more)
	if grown := int64(after) - int64(before); grown > 1<<20 {
		t.Errorf("%d KB are held that were not, by %d questions", grown>>10, asked)
	}
	if more > routines+8 {
		t.Errorf("%d goroutines, and before %d", more, routines)
	}
}
