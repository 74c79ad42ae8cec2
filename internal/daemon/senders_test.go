package daemon_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/mandated/mandated/internal/daemon"
	"github.com/mandated/mandated/pkg/catalogue"
	"github.com/mandated/mandated/pkg/harness"
	"github.com/mandated/mandated/pkg/register"
	"github.com/mandated/mandated/pkg/saml"
)

// connect opens a connection to the daemon and begins a question on it.
func (s *scene) connect(length int) *net.TCPConn {
	s.t.Helper()
	u := must(url.Parse(s.n.First.Address))
	c := must(net.Dial("tcp", u.Host))
	s.t.Cleanup(func() { _ = c.Close() })
	fmt.Fprintf(c, "POST %s HTTP/1.1\r\nHost: x\r\nContent-Type: text/xml\r\nContent-Length: %d\r\n\r\n", u.Path, length)
	return c.(*net.TCPConn)
}

// Two hundred senders who begin a message and never end it hold up nobody else: a place for
// work is taken only by a message that has arrived.
func TestSlowSendersHoldUpNobody(t *testing.T) {
	s := newScene(t, harness.Options{})
	for range 200 {
		_, _ = io.WriteString(s.connect(1000), "<")
	}
	for range 20 {
		s.permitted("beside 200 slow senders")
	}
}

// Whoever ends his half of the connection after asking still wants to hear the answer, and
// the journal has it.
func TestHalfClosedConnectionIsAnswered(t *testing.T) {
	s := newScene(t, harness.Options{})
	const questions = 10
	for range questions {
		message := must(s.n.Broker.Query(s.question()))
		c := s.connect(len(message))
		_, _ = c.Write(message)
		_ = c.CloseWrite()
		answer := must(io.ReadAll(c))
		if !bytes.Contains(answer, []byte(">Permit<")) {
			t.Fatalf("answered with %.300s", answer)
		}
	}
	permits := 0
	for _, record := range s.records() {
		if record.Outcome == "Permit" {
			permits++
		}
	}
	if permits != questions {
		t.Errorf("%d of %d permits are recorded", permits, questions)
	}
}

// Another process has put a catalogue into the register that cannot be read any more. All
// questions are answered, be it that nothing could be found out, and none waits for ever.
func TestUnreadableCatalogueHoldsUpNobody(t *testing.T) {
	s := newScene(t, harness.Options{})
	doc := s.catalogueDocument("7", "vat", s.n.Scheme.Signer())
	version := daemon.CatalogueVersion(must(parse(s, doc)), doc)
	version.Document = []byte("Dear reader,")
	version.SHA256 = sha256.Sum256(version.Document)
	if _, err := s.n.First.Register().Change(ctx, register.Author{Who: "another process", Why: "test"}, func(tx *register.Tx) error {
		return tx.PutCatalogue(version)
	}); err != nil {
		t.Fatal(err)
	}
	var answered sync.WaitGroup
	var unknown atomic.Int64
	for range 60 {
		message := must(s.n.Broker.Query(s.question()))
		answered.Go(func() {
			response, err := http.Post(s.n.First.Address, saml.ContentType, bytes.NewReader(message))
			if err != nil {
				return
			}
			defer func() { _ = response.Body.Close() }()
			body, _ := io.ReadAll(response.Body)
			if strings.Contains(string(body), "status:Responder") && !strings.Contains(string(body), "AuthnFailed") {
				unknown.Add(1)
			}
		})
	}
	answered.Wait()
	if unknown.Load() != 60 {
		t.Errorf("%d of 60 questions were answered with could not be found out", unknown.Load())
	}
}

func parse(s *scene, doc []byte) (*catalogue.Catalogue, error) {
	parsed, _, err := catalogue.Parse(doc, catalogue.Trust{File: true}, s.n.Now())
	return parsed, err
}
