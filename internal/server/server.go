// Package server answers over HTTP: the SOAP endpoint where brokers and service
// providers ask, the register's own signed metadata, and on a listener of its own what
// operators watch.
//
// SAML and decisions meet here and nowhere lower: a message that package saml believes
// becomes a request to the decision point, and its answer becomes a signed message. The
// package has never heard of SQL or of XML cryptography libraries.
package server

import (
	"context"
	"log/slog"
	"net/http"
	"runtime"
	"time"

	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/pdp"
	"github.com/mandated/mandated/pkg/saml"
	"github.com/mandated/mandated/pkg/xmlsec"
)

// The addresses. The scheme puts its version into the address: one address never serves
// two versions.
const (
	PathQuery    = "/etoegang/1.13/soap"
	PathMetadata = "/etoegang/1.13/metadata"
)

// Decider decides and records. *pdp.PDP is one.
type Decider interface {
	Decide(context.Context, pdp.Request) (pdp.Answer, error)
}

// Guard remembers which messages have been seen. Admit does so in one atomic step; any
// error means that the message must be refused, and errors.Is(err, Replayed) why.
type Guard interface {
	Admit(ctx context.Context, issuer, id string, until time.Time) error
}

// State is what can change while the daemon runs, by a reload. One request uses one
// State from beginning to end. It is never changed, only replaced.
type State struct {
	Receiver *saml.Receiver
	Signer   xmlsec.Signer
	Metadata []byte // our own, signed
	Peers    map[etoegang.EntityID]Peer
}

// Peer is what we know of a participant's habits. The zero value is what the scheme
// says.
type Peer struct {
	// DenyStatement answers a refusal with a signed assertion whose decision is Deny,
	// instead of the status Responder/AuthnFailed without an assertion.
	DenyStatement bool

	// Clear also sends the represented company's KvK number and the person's specific
	// pseudonym unencrypted, as messages of 2020 and 2023 had them.
	Clear bool

	// GCM encrypts identifiers with AES-256-GCM and RSA-OAEP with SHA-256.
	GCM bool

	Leniency saml.Leniency
}

// Config is what a server is made of. Unless it says otherwise, it is required.
type Config struct {
	Self     etoegang.EntityID
	State    func() *State
	Decider  Decider
	Guard    Guard
	Replayed error // what Guard returns for a message that it has seen
	Metrics  *Metrics
	Log      *slog.Logger
	Now      func() time.Time

	// PseudonymKey makes the specific pseudonyms: 32 secret bytes for the whole life
	// of the register.
	PseudonymKey []byte

	// Work bounds how many queries are worked on at once. Of every sender as many again
	// may wait, and senders have their turns one after the other; the rest is sent away
	// at once, to come back later.
	Work int

	// Tracer traces queries. Nil: they are not traced, and still have a place in the
	// trace of whoever asks.
	Tracer trace.Tracer
}

// Server is the handler of the public addresses.
type Server struct {
	c         Config
	verifying *gate // what is only bytes yet, by connection
	deciding  *gate // what is believed, by sender
}

// New makes a server.
func New(c Config) *Server {
	if c.Tracer == nil {
		c.Tracer = noop.NewTracerProvider().Tracer("")
	}
	// Verifying waits for nothing but a processor: more at once would only make each slower.
	processors := min(c.Work, 2*runtime.GOMAXPROCS(0))
	return &Server{
		c:         c,
		verifying: newGate(processors, c.Work, c.Metrics, "verify"),
		deciding:  newGate(c.Work, c.Work, c.Metrics, "decide"),
	}
}

// Handler serves the public addresses.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+PathQuery, s.query)
	mux.HandleFunc("GET "+PathMetadata, s.metadata)
	return mux
}

func (s *Server) metadata(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/samlmetadata+xml")
	_, _ = w.Write(s.c.State().Metadata) // a reader who left is nobody's problem
}
