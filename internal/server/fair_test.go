package server_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mandated/mandated/internal/devkeys"
	"github.com/mandated/mandated/internal/server"
	"github.com/mandated/mandated/pkg/decision"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/harness"
	"github.com/mandated/mandated/pkg/pdp"
	"github.com/mandated/mandated/pkg/saml"
	"github.com/mandated/mandated/pkg/xmlsec"
)

// rival is a second broker beside the network's.
type rival struct {
	s        *scene
	entity   etoegang.EntityID
	signer   xmlsec.Signer
	consumer string
}

func (s *scene) newRival() *rival {
	s.t.Helper()
	pair := must(devkeys.Certify("rival", must(rsa.GenerateKey(rand.Reader, 2048)), s.n.Now()))
	return &rival{
		s: s, entity: must(etoegang.ParseEntityID("urn:etoegang:HM:00000003876543210000:entities:9020")), consumer: "https://rival.test/acs/1.13",
		signer: xmlsec.Signer{Key: pair.Key, KeyName: pair.KeyName(), Certificate: pair.Certificate},
	}
}

// known makes the rival one of those who may ask.
func (r *rival) known(c *server.Config) {
	state := c.State()
	state.Receiver.Directory = saml.NewDirectory(append(r.s.participants(), saml.Participant{
		Entity: r.entity, Signing: keysOf(r.signer), Encryption: keysOf(r.signer),
		Consumers: []saml.Consumer{{Endpoint: saml.Endpoint{Binding: saml.BindingArtifact, Location: r.consumer}, Index: 1, Default: true}},
	})...)
}

// query is a question of the rival's about the scene's person.
func (r *rival) query() []byte {
	r.s.t.Helper()
	n, vat := r.s.n, r.s.vat
	now, transient := n.Now(), saml.NewID()
	login := must(saml.Login{
		ID: saml.NewID(), Issuer: n.Authenticator.Entity, NameID: transient, Issued: now, Until: now.Add(time.Minute),
		Recipient: r.consumer, InResponseTo: saml.NewID(), Audiences: []etoegang.EntityID{r.entity, n.First.Entity, vat.Home.Entity},
		Level: etoegang.LoA3, Representation: true, Registry: n.First.Entity, ServiceUUID: vat.UUID,
		Acting: must(saml.SealName(etoegang.TypePseudo, r.s.anna.Subject.Pseudonym.Text(), n.First.Recipient())),
	}.Sign(n.Authenticator.Signer()))
	return saml.Wrap(must(saml.Asking{
		ID: saml.NewID(), Issuer: r.entity, Destination: n.First.Address, Issued: now, Consumer: "1", Audience: vat.Home.Entity,
		SubjectID: transient, Assertions: []*xmlsec.Element{login}, ServiceID: vat.ID, ServiceUUID: vat.UUID,
	}.Sign(r.signer)))
}

// One broker floods: it has every place and as many questions waiting as may wait. The
// other broker's question is not sent away, and has its turn after one of theirs, however
// many more they send meanwhile.
func TestFloodPushesNobodyOut(t *testing.T) {
	s := newScene(t, harness.Options{})
	other := s.newRival()
	const work = 3
	started, release := make(chan etoegang.EntityID, 100), make(chan struct{})
	h := s.newHouse(work, decider(func(_ context.Context, r pdp.Request) (pdp.Answer, error) {
		started <- r.Caller
		<-release
		return pdp.Answer{Decision: decision.Decision{Outcome: decision.Choose}}, nil
	}), open, other.known)
	flood := func() []byte { return must(s.n.Broker.Query(s.question())) }

	var let sync.WaitGroup
	var wrong atomic.Int64
	enter := func(body []byte) {
		let.Go(func() {
			if h.post(ctx, "text/xml", body).Code != http.StatusOK {
				wrong.Add(1)
			}
		})
	}
	for range work {
		enter(flood())
		<-started
	}
	for range work {
		enter(flood())
	}
	until(t, "the flood is as high as it may be", func() bool { return h.Waiting() == work })
	if refused := h.post(ctx, "text/xml", flood()); refused.Code != http.StatusServiceUnavailable || refused.Header().Get("Retry-After") != "1" {
		t.Errorf("beyond that: HTTP %d", refused.Code)
	}
	enter(other.query())
	until(t, "the other waits", func() bool { return h.Waiting() == work+1 })

	release <- struct{}{}
	first := <-started
	enter(flood()) // the flood does not abate
	until(t, "the flood is as high again", func() bool { return h.Waiting() == work+1 })
	release <- struct{}{}
	if second := <-started; first != s.n.Broker.Entity || second != other.entity {
		t.Errorf("the first turn was %s's and the second %s's", first, second)
	}
	close(release)
	let.Wait()
	if wrong.Load() > 0 {
		t.Errorf("%d of those who were let in got no answer", wrong.Load())
	}
}

// Before a message is believed its sender is known by his certificate, or else by his
// address. Who fills the room there with one connection after the other keeps nobody else
// from being heard.
func TestFloodOfTheUnreadPushesNobodyOut(t *testing.T) {
	shows := func(c *x509.Certificate) func(*http.Request) {
		return func(r *http.Request) { r.TLS = &tls.ConnectionState{PeerCertificates: []*x509.Certificate{c}} }
	}
	comesFrom := func(address string) func(*http.Request) {
		return func(r *http.Request) { r.RemoteAddr = address }
	}
	s := newScene(t, harness.Options{})
	other := s.newRival()
	for by, connection := range map[string][2]func(*http.Request){
		"certificate": {shows(s.n.Broker.Signer().Certificate), shows(other.signer.Certificate)},
		"address":     {comesFrom("192.0.2.1:1000"), comesFrom("192.0.2.2:1000")},
	} {
		t.Run(by, func(t *testing.T) {
			reading, release := make(chan struct{}, 10), make(chan struct{})
			h := s.newHouse(1, denies, open, other.known, func(c *server.Config) {
				c.State().Receiver.Leniency = func(e etoegang.EntityID) saml.Leniency {
					if e == s.n.Broker.Entity { // his messages take long to read
						reading <- struct{}{}
						<-release
					}
					return saml.Leniency{}
				}
			})
			flood := func() []byte { return must(s.n.Broker.Query(s.question())) }
			var let sync.WaitGroup
			codes := make(chan int, 3)
			enter := func(body []byte, connection func(*http.Request)) {
				let.Go(func() { codes <- h.post(ctx, "text/xml", body, connection).Code })
			}
			enter(flood(), connection[0])
			<-reading
			enter(flood(), connection[0])
			until(t, "the flood is as high as it may be", func() bool { return h.Looking() == 1 })
			if refused := h.post(ctx, "text/xml", flood(), connection[0]); refused.Code != http.StatusServiceUnavailable {
				t.Errorf("beyond that: HTTP %d", refused.Code)
			}
			if shed := h.counted(t, "mandated_queue_shed_total", "queue", "verify"); shed != 1 {
				t.Errorf("counted %v times", shed)
			}
			enter(other.query(), connection[1])
			until(t, "the other waits", func() bool { return h.Looking() == 2 })
			close(release)
			let.Wait()
			close(codes)
			for code := range codes {
				if code != http.StatusOK {
					t.Errorf("somebody who was let in got HTTP %d", code)
				}
			}
		})
	}
}

// The same over real connections: while a broker sends twenty messages at once, again and
// again, a provider asks one question after the other and is never sent away.
func TestFloodOverTheNetwork(t *testing.T) {
	s := newScene(t, harness.Options{TLS: true, Configure: func(settings map[string]any) { settings["work"] = 2 }})
	first := s.permit(s.question())
	message := string(must(s.n.Broker.Query(s.question()))) // once answered, the rest are copies
	client := s.httpClient(certificateOf(s.n.Broker.Party))
	client.Transport.(*http.Transport).MaxIdleConnsPerHost = 20
	flooding, stop := context.WithCancel(ctx)
	var flood sync.WaitGroup
	var shed atomic.Int64
	for range 20 {
		flood.Go(func() {
			for flooding.Err() == nil {
				response, err := client.Post(s.n.First.Endpoint, saml.ContentType, strings.NewReader(message))
				if err != nil {
					continue
				}
				_, _ = readAll(response)
				_ = response.Body.Close()
				if response.StatusCode == http.StatusServiceUnavailable {
					shed.Add(1)
				}
			}
		})
	}
	until(t, "the flood is too high", func() bool { return shed.Load() > 20 })
	for range 5 {
		if r := must(s.n.Recheck(ctx, s.n.First, first)); r.HTTPStatus != http.StatusOK || !r.Reply.Permitted() {
			t.Errorf("the provider gets HTTP %d, %+v", r.HTTPStatus, r.Reply)
		}
	}
	stop()
	flood.Wait()
}

// slowReader takes an answer only when it is let.
type slowReader struct {
	*httptest.ResponseRecorder
	comes chan struct{} // closed when an answer comes
	takes chan struct{}
}

// Write waits.
func (r slowReader) Write(p []byte) (int, error) {
	close(r.comes)
	<-r.takes
	return r.ResponseRecorder.Write(p)
}

// Who does not take his answers keeps no place for work with them, be they signed ones or
// faults.
func TestSlowReadersKeepNoPlace(t *testing.T) {
	s := newScene(t, harness.Options{})
	h := s.newHouse(1, denies, open)
	for why, body := range map[string][]byte{"an answer": must(s.n.Broker.Query(s.question())), "a fault": []byte("<a/>")} {
		slow := slowReader{httptest.NewRecorder(), make(chan struct{}), make(chan struct{})}
		request := httptest.NewRequest(http.MethodPost, server.PathQuery, bytes.NewReader(body))
		request.Header.Set("Content-Type", saml.ContentType)
		var reading sync.WaitGroup
		reading.Go(func() { h.handler.ServeHTTP(slow, request) })
		<-slow.comes
		impatient, cancel := context.WithCancel(ctx)
		cancel() // whoever has to wait is gone
		if w := h.post(impatient, "text/xml", must(s.n.Broker.Query(s.question()))); w.Code != http.StatusOK {
			t.Errorf("while %s is not taken the next question gets HTTP %d", why, w.Code)
		}
		close(slow.takes)
		reading.Wait()
	}
}

// Somebody leaves at the moment at which his turn comes: whichever it is, the place is
// neither lost nor given twice.
func TestPlaceOfWhoLeavesAtHisTurn(t *testing.T) {
	g := server.NewGate(1, 1)
	left := 0
	for range 500 {
		if err := g.Enter(ctx, "a"); err != nil {
			t.Fatal(err)
		}
		impatient, leave := context.WithCancel(ctx)
		entered := make(chan error)
		go func() { entered <- g.Enter(impatient, "b") }()
		for g.Waiting() == 0 {
			runtime.Gosched()
		}
		leave()
		g.Leave()
		if err := <-entered; err == nil {
			g.Leave()
		} else {
			left++
		}
		gone, cancel := context.WithCancel(ctx)
		cancel()
		if err := g.Enter(gone, "a"); err != nil { // who finds a free place does not look whether he may wait
			t.Fatalf("the place is lost: %v", err)
		}
		g.Leave()
	}
	if left == 0 {
		t.Error("nobody has left")
	}
}

// Who leaves while he waits was not sent away, and may come back with the same message.
func TestWhoLeavesIsNotCountedAsShed(t *testing.T) {
	s := newScene(t, harness.Options{})
	release, working := make(chan struct{}), make(chan struct{}, 1)
	h := s.newHouse(1, decider(func(context.Context, pdp.Request) (pdp.Answer, error) {
		working <- struct{}{}
		<-release
		return pdp.Answer{Decision: decision.Decision{Outcome: decision.Choose}}, nil
	}), open)
	var let sync.WaitGroup
	first, second := must(s.n.Broker.Query(s.question())), must(s.n.Broker.Query(s.question()))
	let.Go(func() { h.post(ctx, "text/xml", first) })
	<-working
	impatient, leave := context.WithCancel(ctx)
	let.Go(func() { h.post(impatient, "text/xml", second) })
	until(t, "he waits", func() bool { return h.Waiting() == 1 })
	leave()
	until(t, "he has left", func() bool { return h.counted(t, "mandated_queue_waiting", "queue", "decide") == 0 })
	close(release)
	let.Wait()
	if shed := h.counted(t, "mandated_queue_shed_total", "queue", "decide"); shed != 0 {
		t.Errorf("counted %v times", shed)
	}
	until(t, "the place is free", func() bool { return h.counted(t, "mandated_queue_working", "queue", "decide") == 0 })
	if again := h.post(ctx, "text/xml", second); again.Code != http.StatusOK {
		t.Errorf("when he comes back with it: HTTP %d", again.Code)
	}
}

// Whoever has many addresses is one visitor where they are one subscriber's.
func TestVisitorsByTheirAddress(t *testing.T) {
	for _, c := range []struct {
		a, b string
		same bool
	}{
		{"192.0.2.1:1", "192.0.2.1:2", true},
		{"192.0.2.1:1", "192.0.2.2:1", false},
		{"192.0.2.1:1", "[::ffff:192.0.2.1]:1", true},
		{"[2001:db8::1]:1", "[2001:db8::ffff:2]:1", true},
		{"[2001:db8::1]:1", "[2001:db8:0:1::1]:1", false},
	} {
		if got := server.PeerOf(c.a) == server.PeerOf(c.b); got != c.same {
			t.Errorf("%s and %s are one: %v", c.a, c.b, got)
		}
	}
}
