package server_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	model "github.com/prometheus/client_model/go"

	"github.com/mandated/mandated/internal/server"
	"github.com/mandated/mandated/pkg/decision"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/harness"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/pdp"
	"github.com/mandated/mandated/pkg/saml"
	"github.com/mandated/mandated/pkg/xmlsec"
)

var (
	ctx    = context.Background()
	bakery = harness.Company("Bakkerij De Korenbloem", "12345678", "123456782")
	farm   = harness.Company("Boerderij Zonzicht", "23456789", "")
	office = harness.Company("Kantoor Telraam", "87654321", "249566758")

	quiet = slog.New(slog.NewTextHandler(io.Discard, nil))
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// scene is a network with Anna, who may act for the bakery at the tax service and the
// municipality.
type scene struct {
	t       *testing.T
	n       *harness.Network
	vat     harness.Service
	anna    mandate.Person
	mandate mandate.ID
}

func newScene(t *testing.T, o harness.Options) *scene {
	t.Helper()
	s := &scene{t: t, n: harness.Start(t, o)}
	s.vat, s.anna = s.n.Services["vat"], s.n.NewPerson("Anna Vertrouwelijk")
	s.mandate = s.grant(mandate.Mandate{Kind: mandate.Direct, Grantor: bakery, Person: s.anna, Scope: mandate.Scope{mandate.Everything(etoegang.LoA3)}})
	return s
}

func (s *scene) grant(m mandate.Mandate) mandate.ID {
	s.t.Helper()
	id, err := s.n.First.Grant(m)
	if err != nil {
		s.t.Fatal(err)
	}
	return id
}

// client lets somebody of the office act for a client.
func (s *scene) client(company mandate.Organisation, person mandate.Person) {
	s.t.Helper()
	everything := mandate.Scope{mandate.Everything(etoegang.LoA3)}
	chain := s.grant(mandate.Mandate{Kind: mandate.Chain, Grantor: company, Intermediary: office, Scope: everything})
	s.grant(mandate.Mandate{Kind: mandate.Assignment, Client: chain, Grantor: office, Person: person, Scope: everything})
}

func (s *scene) question() harness.Question { return harness.Question{Person: s.anna, Service: s.vat} }

func (s *scene) ask(q harness.Question) *harness.Result {
	s.t.Helper()
	r, err := s.n.Broker.Authorize(ctx, q)
	if err != nil {
		s.t.Fatal(err)
	}
	return r
}

// permit asks, and wants a Permit.
func (s *scene) permit(q harness.Question) *harness.Result {
	s.t.Helper()
	r := s.ask(q)
	if r.Reply == nil || !r.Reply.Permitted() {
		s.t.Fatalf("no Permit: HTTP %d, %+v", r.HTTPStatus, r.Reply)
	}
	return r
}

// house is a server without a daemon around it: its decisions and its guard are made by
// the test, and nothing goes over a network.
type house struct {
	*server.Server
	handler  http.Handler
	registry *prometheus.Registry
}

var errSeen = errors.New("seen before")

// newHouse serves the scene's register under its own keys, after the changes.
func (s *scene) newHouse(work int, decider server.Decider, guard server.Guard, changes ...func(*server.Config)) house {
	s.t.Helper()
	registry := prometheus.NewRegistry()
	state := &server.State{
		Receiver: &saml.Receiver{
			Self: s.n.First.Entity, Addresses: saml.Addresses{Queries: s.n.First.Address}, Directory: saml.NewDirectory(s.participants()...), Openers: s.n.First.Openers(),
			Ages: saml.DefaultAges, Leniency: func(etoegang.EntityID) saml.Leniency { return saml.Leniency{} },
		},
		Signer: s.n.First.Signer(),
	}
	c := server.Config{
		Self: s.n.First.Entity, State: func() *server.State { return state }, Decider: decider, Guard: guard, Replayed: errSeen,
		Metrics: server.NewMetrics(registry), Log: quiet, Now: s.n.Now, PseudonymKey: make([]byte, 32), SealingKey: make([]byte, 32), Work: work,
	}
	for _, change := range changes {
		change(&c)
	}
	h := house{registry: registry, Server: server.New(c)}
	h.handler = h.Handler()
	return h
}

// participants reads the metadata that lie in the network's folder.
func (s *scene) participants() []saml.Participant {
	s.t.Helper()
	files, err := filepath.Glob(filepath.Join(s.n.Folder, "metadata-*.xml"))
	if err != nil {
		s.t.Fatal(err)
	}
	trust := saml.Trust{Certificates: []*x509.Certificate{s.n.Scheme.Signer().Certificate}}
	var all []saml.Participant
	for _, file := range files {
		participants, _, err := saml.ParseMetadata(must(os.ReadFile(file)), trust, s.n.Now())
		if err != nil {
			s.t.Fatal(err)
		}
		all = append(all, participants...)
	}
	return all
}

// post sends a message to the handler, after the changes to its request.
func (h house) post(ctx context.Context, contentType string, body []byte, changes ...func(*http.Request)) *httptest.ResponseRecorder {
	request := httptest.NewRequestWithContext(ctx, http.MethodPost, server.PathQuery, bytes.NewReader(body))
	request.Header.Set("Content-Type", contentType)
	for _, change := range changes {
		change(request)
	}
	w := httptest.NewRecorder()
	h.handler.ServeHTTP(w, request)
	return w
}

// header gives a request a header, once for each value.
func header(name string, values ...string) func(*http.Request) {
	return func(r *http.Request) { r.Header[http.CanonicalHeaderKey(name)] = values }
}

// denies is a decision point that finds no mandate.
var denies decider = func(context.Context, pdp.Request) (pdp.Answer, error) {
	return pdp.Answer{ID: "record", Decision: decision.Decision{Reasons: []decision.Reason{{Code: decision.NoMandateToPerson}}}}, nil
}

// counted gives a counter's or a gauge's value.
func (h house) counted(t *testing.T, name, label, value string) float64 {
	t.Helper()
	m := h.metric(t, name, label, value)
	return m.GetCounter().GetValue() + m.GetGauge().GetValue()
}

// observed tells how often a histogram was told something.
func (h house) observed(t *testing.T, name, label, value string) uint64 {
	t.Helper()
	return h.metric(t, name, label, value).GetHistogram().GetSampleCount()
}

// metric finds a metric by one of its labels, or by none; nil if nothing was counted.
func (h house) metric(t *testing.T, name, label, value string) *model.Metric {
	t.Helper()
	families, err := h.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		for _, m := range family.GetMetric() {
			if family.GetName() == name && label == "" {
				return m
			}
			for _, l := range m.GetLabel() {
				if family.GetName() == name && l.GetName() == label && l.GetValue() == value {
					return m
				}
			}
		}
	}
	return nil
}

// decider and admit are a decision point and a guard made of a function.
type decider func(context.Context, pdp.Request) (pdp.Answer, error)

func (d decider) Decide(ctx context.Context, r pdp.Request) (pdp.Answer, error) { return d(ctx, r) }

func (decider) Choices(context.Context, pdp.Request, pdp.Page) (pdp.Choices, error) {
	return pdp.Choices{}, errors.ErrUnsupported
}

type admit func(context.Context, string, string, time.Time) error

func (a admit) Admit(ctx context.Context, issuer, id string, until time.Time) error {
	return a(ctx, issuer, id, until)
}

// Keep and Take have no part in those tests.
func (admit) Keep(context.Context, string, []byte, time.Time) error    { return errors.ErrUnsupported }
func (admit) Replace(context.Context, string, []byte, time.Time) error { return errors.ErrUnsupported }
func (admit) Look(context.Context, string) ([]byte, error)             { return nil, errors.ErrUnsupported }
func (admit) Take(context.Context, string) ([]byte, error)             { return nil, errors.ErrUnsupported }

// open lets every message in.
var open admit = func(context.Context, string, string, time.Time) error { return nil }

// until looks again until something is so; the bound only ends a test that would hang.
func until(t *testing.T, what string, so func() bool) {
	t.Helper()
	bound, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for !so() {
		select {
		case <-bound.Done():
			t.Fatalf("it never came about: %s", what)
		case <-time.After(time.Millisecond):
		}
	}
}

// contains names those of the words that stand in a text.
func contains(text string, words []string) (found []string) {
	for _, w := range words {
		if strings.Contains(text, w) {
			found = append(found, w)
		}
	}
	return found
}

func keysOf(s xmlsec.Signer) []xmlsec.Key {
	return []xmlsec.Key{{Name: s.KeyName, Certificate: s.Certificate}}
}
