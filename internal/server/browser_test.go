package server_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mandated/mandated/internal/guard"
	"github.com/mandated/mandated/internal/server"
	"github.com/mandated/mandated/pkg/decision"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/harness"
	"github.com/mandated/mandated/pkg/pdp"
	"github.com/mandated/mandated/pkg/saml"
	"github.com/mandated/mandated/pkg/xmlsec"
)

// withStore is a house that keeps things in a real store, and asks brokers through a desk of
// the test's.
func (s *scene) withStore(desk fetch, changes ...func(*server.Config)) (house, *guard.Guard) {
	s.t.Helper()
	store := must(guard.Open(ctx, filepath.Join(s.t.TempDir(), "guard.db"), s.n.Now))
	s.t.Cleanup(func() { _ = store.Close() })
	none := decider(func(context.Context, pdp.Request) (pdp.Answer, error) {
		return pdp.Answer{}, errors.New("nobody decides here")
	})
	all := append([]func(*server.Config){func(c *server.Config) {
		c.Absent, c.Fetcher = guard.ErrNotFound, desk
		state := c.State()
		state.Receiver.Addresses.Browser, state.Receiver.Addresses.Resolution = "https://register.test/etoegang/1.13/authz", "https://register.test/etoegang/1.13/resolve"
	}}, changes...)
	return s.newHouse(4, none, store, all...), store
}

type fetch func(from saml.Participant, address string, message []byte) ([]byte, error)

func (f fetch) Fetch(_ context.Context, from saml.Participant, address string, message []byte) ([]byte, error) {
	return f(from, address, message)
}

// resolves asks as that broker for what stands behind an artifact.
func (h house) resolves(t *testing.T, n *harness.Network, as saml.Participant, signer xmlsec.Signer, a saml.Artifact) (*httptest.ResponseRecorder, error) {
	t.Helper()
	asked := saml.Resolving{ID: saml.NewID(), Issuer: as.Entity, Issued: n.Now(), Artifact: a}
	r := httptest.NewRequest(http.MethodPost, server.PathResolution, bytes.NewReader(saml.Wrap(must(asked.Sign(signer)))))
	r.Header.Set("Content-Type", saml.ContentType)
	w := httptest.NewRecorder()
	h.handler.ServeHTTP(w, r)
	if w.Code != http.StatusOK {
		return w, errors.New("a fault")
	}
	directory := saml.NewDirectory(saml.Participant{Entity: n.First.Entity, Signing: keysOf(n.First.Signer())})
	_, err := saml.ReadResolved(w.Body.Bytes(), directory, asked.ID, "_query", n.Now())
	return w, err
}

// Somebody has stolen the artifact on its way. Without the broker's key it is worth nothing;
// another broker gets the same answer as for an artifact that never was, and does not use it
// up.
func TestStolenArtifact(t *testing.T) {
	s := newScene(t, harness.Options{})
	other := s.newRival()
	h, _ := s.withStore(nil, other.known, func(c *server.Config) { c.Work = 1 })
	response := saml.Response{
		ID: saml.NewID(), InResponseTo: "_query", Issuer: s.n.First.Entity, Issued: s.n.Now(), Status: saml.ResponderAuthnFailed, Message: "revoked",
	}
	artifact := must(h.KeepFor(ctx, must(response.Sign(s.n.First.Signer())), s.n.Broker.Entity, s.n.Now()))

	thief := saml.Participant{Entity: other.entity}
	if _, err := h.resolves(t, s.n, thief, other.signer, artifact); !errors.Is(err, saml.ErrNothingThere) {
		t.Errorf("another broker hears %v", err)
	}
	broker := saml.Participant{Entity: s.n.Broker.Entity}
	if _, err := h.resolves(t, s.n, broker, other.signer, artifact); err == nil || errors.Is(err, saml.ErrNothingThere) {
		t.Errorf("without the broker's key: %v", err)
	}
	if _, err := h.resolves(t, s.n, broker, s.n.Broker.Signer(), saml.NewArtifact(s.n.First.Entity, 0)); !errors.Is(err, saml.ErrNothingThere) {
		t.Errorf("a guess: %v", err)
	}
	if w, err := h.resolves(t, s.n, broker, s.n.Broker.Signer(), artifact); err != nil {
		t.Errorf("the broker itself: %v\n%s", err, w.Body)
	}
	if _, err := h.resolves(t, s.n, broker, s.n.Broker.Signer(), artifact); !errors.Is(err, saml.ErrNothingThere) {
		t.Errorf("once more: %v", err)
	}
}

// What lies in the store under an artifact is sealed, for that artifact and that broker:
// nobody can read it there, nor put anything in its place.
func TestKeptAnswersAreSealed(t *testing.T) {
	s := newScene(t, harness.Options{})
	h, store := s.withStore(nil)
	answer := must(saml.Response{
		ID: saml.NewID(), InResponseTo: "_query", Issuer: s.n.First.Entity, Issued: s.n.Now(), Status: saml.ResponderAuthnFailed,
	}.Sign(s.n.First.Signer()))
	one := must(h.KeepFor(ctx, answer, s.n.Broker.Entity, s.n.Now()))
	name := "artifact " + one.String() + " " + s.n.Broker.Entity.String()
	sealed := must(store.Take(ctx, name))
	if bytes.Contains(sealed, []byte("InResponseTo")) {
		t.Error("it can be read in the store")
	}
	two := saml.NewArtifact(s.n.First.Entity, 0)
	for artifact, planted := range map[saml.Artifact][]byte{two: sealed, one: append([]byte{sealed[0] ^ 1}, sealed[1:]...)} {
		if err := store.Keep(ctx, "artifact "+artifact.String()+" "+s.n.Broker.Entity.String(), planted, s.n.Now().Add(1e9)); err != nil {
			t.Fatal(err)
		}
		w, err := h.resolves(t, s.n, saml.Participant{Entity: s.n.Broker.Entity}, s.n.Broker.Signer(), artifact)
		if err == nil || errors.Is(err, saml.ErrNothingThere) || w.Code != http.StatusInternalServerError {
			t.Errorf("what somebody else has put there is given away: HTTP %d, %v", w.Code, err)
		}
	}
	if err := store.Keep(ctx, name, []byte("short"), s.n.Now().Add(1e9)); err != nil {
		t.Fatal(err)
	}
	if w, err := h.resolves(t, s.n, saml.Participant{Entity: s.n.Broker.Entity}, s.n.Broker.Signer(), one); err == nil || w.Code != http.StatusInternalServerError {
		t.Errorf("HTTP %d, %v", w.Code, err)
	}
}

// posted is the browser that brings a query itself.
func (h house) posted(query []byte, relay string) *httptest.ResponseRecorder {
	form := url.Values{"SAMLRequest": {base64.StdEncoding.EncodeToString(query)}, "RelayState": {relay}}
	r := httptest.NewRequest(http.MethodPost, server.PathBrowser, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	h.BrowserHandler().ServeHTTP(w, r)
	return w
}

// A query in a form is taken from brokers of whom we have said so, and from nobody else.
func TestQueryInAForm(t *testing.T) {
	s := newScene(t, harness.Options{})
	query := s.bare()
	h, _ := s.withStore(nil)
	if w := h.posted(query, ""); w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), "link werkt niet") {
		t.Errorf("where nobody may: HTTP %d: %s", w.Code, w.Body)
	}
	other := s.newRival()
	h, _ = s.withStore(nil, func(c *server.Config) {
		c.State().Peers = map[etoegang.EntityID]server.Peer{other.entity: {Post: true}}
	})
	if w := h.posted(query, ""); w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), "niet behandelen") {
		t.Errorf("from a broker who may not: HTTP %d: %s", w.Code, w.Body)
	}
	h, _ = s.withStore(nil, func(c *server.Config) {
		c.State().Peers = map[etoegang.EntityID]server.Peer{s.n.Broker.Entity: {Post: true}}
	})
	w := h.posted(query, "relay")
	if w.Code != http.StatusSeeOther || !strings.HasPrefix(w.Header().Get("Location"), s.n.Broker.Consumer+"?") {
		t.Errorf("HTTP %d to %q: %s", w.Code, w.Header().Get("Location"), w.Body)
	}
	altered := bytes.Replace(query, []byte(":services:1"), []byte(":services:2"), 1)
	if w := h.posted(altered, ""); w.Code != http.StatusBadRequest {
		t.Errorf("altered: HTTP %d", w.Code)
	}
}

// bare is a query for the browser, without anything around it.
func (s *scene) bare() []byte {
	s.t.Helper()
	return must(s.n.Broker.Bare(s.question(), "https://register.test/etoegang/1.13/authz"))
}

// Where a broker's metadata say so the answer goes back in a form to that address, with
// everything in it escaped. Where the broker sends the browser on to is its own affair, and
// who the form is from it may know.
func TestAnswerInAForm(t *testing.T) {
	s := newScene(t, harness.Options{})
	h, _ := s.withStore(nil, func(c *server.Config) {
		state := c.State()
		state.Peers = map[etoegang.EntityID]server.Peer{s.n.Broker.Entity: {Post: true}}
		all := s.participants()
		for i := range all {
			for j := range all[i].Consumers {
				all[i].Consumers[j].Binding = saml.BindingPOST
			}
		}
		state.Receiver.Directory = saml.NewDirectory(all...)
	})
	relay := `"><script>alert(1)</script>`
	w := h.posted(s.bare(), relay)
	page := w.Body.String()
	if w.Code != http.StatusOK || strings.Contains(page, "<script") || w.Header().Get("Referrer-Policy") != "strict-origin" || !strings.Contains(w.Header().Get("Content-Security-Policy"), "form-action https:;") {
		t.Errorf("HTTP %d, %v: %s", w.Code, w.Header(), page)
	}
	value := func(field string) string {
		return html.UnescapeString(regexp.MustCompile(`name="` + field + `" value="([^"]*)"`).FindStringSubmatch(page)[1])
	}
	answer, err := base64.StdEncoding.DecodeString(value("SAMLResponse"))
	if err != nil || !bytes.Contains(answer, []byte("status:Responder")) || value("RelayState") != relay ||
		!strings.Contains(page, `action="`+s.n.Broker.Consumer+`"`) {
		t.Errorf("%v: %s", err, page)
	}
}

// forgetful is a store that loses where visits led.
type forgetful struct{ *guard.Guard }

func (f forgetful) Keep(ctx context.Context, name string, value []byte, until time.Time) error {
	if strings.HasPrefix(name, "ended ") {
		return errors.New("no room")
	}
	return f.Guard.Keep(ctx, name, value, until)
}

// A user cancels, and where his visit led cannot be kept for a second press of the button.
// He goes back to his broker all the same: the answer waits there.
func TestEndIsForgotten(t *testing.T) {
	s := newScene(t, harness.Options{})
	h, _ := s.withStore(nil, func(c *server.Config) {
		c.State().Peers = map[etoegang.EntityID]server.Peer{s.n.Broker.Entity: {Post: true}}
		c.Guard, c.Visit = forgetful{c.Guard.(*guard.Guard)}, time.Minute
		c.Decider = decider(func(context.Context, pdp.Request) (pdp.Answer, error) {
			return pdp.Answer{ID: "record", Decision: decision.Decision{Outcome: decision.Choose}}, nil
		})
	})
	arrived := h.posted(s.bare(), "relay")
	r := httptest.NewRequestWithContext(ctx, http.MethodPost, arrived.Header().Get("Location"), strings.NewReader("leave=1"))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for _, cookie := range arrived.Result().Cookies() {
		r.AddCookie(cookie)
	}
	w := httptest.NewRecorder()
	h.BrowserHandler().ServeHTTP(w, r)
	if w.Code != http.StatusSeeOther || !strings.HasPrefix(w.Header().Get("Location"), s.n.Broker.Consumer+"?") {
		t.Errorf("HTTP %d to %q: %s", w.Code, w.Header().Get("Location"), w.Body)
	}
}

// brings is a browser from that address with an artifact of the broker's.
func (h house) brings(ctx context.Context, from string, a saml.Artifact) *httptest.ResponseRecorder {
	r := httptest.NewRequestWithContext(ctx, http.MethodGet, server.PathBrowser+"?"+url.Values{"SAMLart": {a.String()}}.Encode(), nil)
	r.RemoteAddr = from + ":40000"
	w := httptest.NewRecorder()
	h.BrowserHandler().ServeHTTP(w, r)
	return w
}

// resolving lets the directory know where brokers resolve their artifacts.
func (s *scene) resolving(c *server.Config) {
	all := s.participants()
	for i := range all {
		if all[i].Entity.Role() == etoegang.Broker {
			all[i].Resolvers = []saml.Resolver{{Endpoint: saml.Endpoint{Location: "https://broker.test/resolve"}}}
		}
	}
	c.State().Receiver.Directory = saml.NewDirectory(all...)
}

// Anybody can make artifacts of a broker. Whoever brings many at once waits for himself: the
// next visitor has his turn as soon as one of them has been dealt with.
func TestVisitorsHaveTheirTurns(t *testing.T) {
	s := newScene(t, harness.Options{})
	asked, answer := make(chan bool, 100), make(chan bool)
	h, _ := s.withStore(func(saml.Participant, string, []byte) ([]byte, error) {
		asked <- true
		<-answer
		return nil, errors.New("nothing")
	}, s.resolving)
	var visits sync.WaitGroup
	codes := make(chan int, 100)
	junk := func() {
		visits.Go(func() { codes <- h.brings(ctx, "192.0.2.1", saml.NewArtifact(s.n.Broker.Entity, 0)).Code })
	}
	for range 4 { // as many as there are places
		junk()
		<-asked
	}
	for range 4 { // and as many as may wait
		junk()
	}
	for h.Visiting() < 4 {
		runtime.Gosched()
	}
	if w := h.brings(ctx, "192.0.2.1", saml.NewArtifact(s.n.Broker.Entity, 0)); w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") != "" {
		t.Errorf("one more of the same: HTTP %d", w.Code)
	}
	visits.Go(func() { codes <- h.brings(ctx, "192.0.2.2", saml.NewArtifact(s.n.Broker.Entity, 0)).Code })
	for h.Visiting() < 5 {
		runtime.Gosched()
	}
	close(answer)
	visits.Wait()
	close(codes)
	for code := range codes {
		if code != http.StatusBadGateway {
			t.Errorf("HTTP %d: somebody was not attended to", code)
		}
	}
}

// However a visit ends, its place is given back, and the page says how.
func TestVisitsGiveTheirPlaceBack(t *testing.T) {
	s := newScene(t, harness.Options{})
	var fetched func() ([]byte, error)
	h, _ := s.withStore(func(saml.Participant, string, []byte) ([]byte, error) { return fetched() }, s.resolving, func(c *server.Config) { c.Work = 1 })
	for name, c := range map[string]struct {
		fetched func() ([]byte, error)
		status  int
		says    string
	}{
		"away":    {func() ([]byte, error) { return nil, errors.New("no route") }, http.StatusBadGateway, "geen antwoord"},
		"rubbish": {func() ([]byte, error) { return []byte("<"), nil }, http.StatusBadRequest, "niet behandelen"},
		"broken":  {func() ([]byte, error) { panic("a mistake") }, http.StatusInternalServerError, "storing"},
	} {
		for range 3 {
			fetched = c.fetched
			w := h.brings(ctx, "192.0.2.1", saml.NewArtifact(s.n.Broker.Entity, 0))
			if w.Code != c.status || !strings.Contains(w.Body.String(), c.says) {
				t.Errorf("%s: HTTP %d: %s", name, w.Code, w.Body)
			}
		}
	}
	for range 3 {
		if w := h.brings(ctx, "192.0.2.1", saml.Artifact{}); w.Code != http.StatusBadRequest {
			t.Errorf("of nobody: HTTP %d", w.Code)
		}
	}
}

// A browser is nobody's trace, and its broker's time is not ours: what it brings begins a
// trace of its own, and only queries count as queries in the measure of time.
func TestBrowserHasNoTrace(t *testing.T) {
	s := newScene(t, harness.Options{})
	h, _ := s.withStore(nil)
	r := httptest.NewRequestWithContext(ctx, http.MethodGet, server.PathBrowser, nil)
	r.Header.Set("Traceparent", callersPlace)
	r.Header.Set("Tracestate", "a=1")
	w := httptest.NewRecorder()
	h.BrowserHandler().ServeHTTP(w, r)
	if trace, _, _ := place(t, w); trace == traceOfCaller || w.Header().Get("Tracestate") != "" {
		t.Errorf("the browser's trace goes on as %s, %q", trace, w.Header().Get("Tracestate"))
	}
	if n := h.observed(t, "mandated_query_duration_seconds", "", ""); n != 0 {
		t.Errorf("%v arrivals are measured as queries", n)
	}
	h.post(ctx, "text/xml", must(s.n.Broker.Query(s.question())))
	if n := h.observed(t, "mandated_query_duration_seconds", "", ""); n != 1 {
		t.Errorf("one query is measured %v times", n)
	}
}

// A page that is reloaded before it came is nobody's fault, and none is counted.
func TestBrowserThatLeaves(t *testing.T) {
	s := newScene(t, harness.Options{})
	leaving, leave := context.WithCancel(ctx)
	h, _ := s.withStore(func(saml.Participant, string, []byte) ([]byte, error) {
		leave()
		return nil, context.Canceled
	}, s.resolving)
	h.brings(leaving, "192.0.2.1", saml.NewArtifact(s.n.Broker.Entity, 0))
	families := must(h.registry.Gather())
	for _, f := range families {
		if f.GetName() == "mandated_faults_total" {
			t.Errorf("counted: %v", f)
		}
	}
}

// A broker to which nobody can be sent back is told to the user, who is the only one there.
func TestBrokerWithoutAnAddress(t *testing.T) {
	s := newScene(t, harness.Options{})
	h, _ := s.withStore(nil, func(c *server.Config) {
		state := c.State()
		state.Peers = map[etoegang.EntityID]server.Peer{s.n.Broker.Entity: {Post: true}}
		all := s.participants()
		for i := range all {
			all[i].Consumers = nil
		}
		state.Receiver.Directory = saml.NewDirectory(all...)
	})
	if w := h.posted(s.bare(), ""); w.Code != http.StatusBadRequest || w.Header().Get("Location") != "" {
		t.Errorf("HTTP %d to %q", w.Code, w.Header().Get("Location"))
	}
}

// Over TLS an artifact is resolved for who shows a certificate of the sender's own: a broker
// that has got hold of another's message cannot use it.
func TestResolveOverAnothersConnection(t *testing.T) {
	s := newScene(t, harness.Options{})
	other := s.newRival()
	h, _ := s.withStore(nil, other.known)
	artifact := must(h.KeepFor(ctx, must(saml.Response{
		ID: saml.NewID(), InResponseTo: "_query", Issuer: s.n.First.Entity, Issued: s.n.Now(), Status: saml.ResponderAuthnFailed,
	}.Sign(s.n.First.Signer())), s.n.Broker.Entity, s.n.Now()))
	asked := saml.Wrap(must(saml.Resolving{ID: saml.NewID(), Issuer: s.n.Broker.Entity, Issued: s.n.Now(), Artifact: artifact}.Sign(s.n.Broker.Signer())))
	for _, c := range []struct {
		shown *x509.Certificate
		want  int
	}{{other.signer.Certificate, http.StatusInternalServerError}, {s.n.Broker.Signer().Certificate, http.StatusOK}} {
		r := httptest.NewRequest(http.MethodPost, server.PathResolution, bytes.NewReader(asked))
		r.Header.Set("Content-Type", saml.ContentType)
		r.TLS = &tls.ConnectionState{PeerCertificates: []*x509.Certificate{c.shown}}
		w := httptest.NewRecorder()
		if h.handler.ServeHTTP(w, r); w.Code != c.want {
			t.Errorf("with the certificate of %s: HTTP %d", c.shown.Subject.CommonName, w.Code)
		}
	}
}

// Every page has its words in every language.
func TestPagesHaveWords(t *testing.T) {
	for _, language := range []string{"nl", "en"} {
		for name, said := range server.Words(language) {
			for i, text := range said {
				if text == "" {
					t.Errorf("%s of %s: text %d is missing", name, language, i)
				}
			}
		}
		for _, name := range append(server.PageNames(), "form") {
			if server.Words(language)[name] == nil {
				t.Errorf("%s has no words in %s", name, language)
			}
		}
	}
}
