// Package server answers over HTTP: the SOAP endpoints where brokers and service providers
// ask, artifacts are resolved and other registers find chain mandates, the register's own
// signed metadata, on a listener of its own the addresses that users' browsers visit, and on
// another what operators watch. It also asks: brokers for queries, registers for chain mandates.
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

	"github.com/mandated/mandated/internal/seal"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/pdp"
	"github.com/mandated/mandated/pkg/saml"
	"github.com/mandated/mandated/pkg/xmlsec"
)

// The addresses. The scheme puts its version into the address: one address never serves
// two versions.
const (
	PathQuery      = "/etoegang/1.13/soap"
	PathMetadata   = "/etoegang/1.13/metadata"
	PathResolution = "/etoegang/1.13/resolve"
	PathChain      = "/etoegang/1.13/chaininfo"
	PathBrowser    = "/etoegang/1.13/authz"
	PathChoose     = "/etoegang/1.13/choose" // and the name of a visit
)

// Decider decides and records, and lists what a user may choose from. *pdp.PDP is one.
type Decider interface {
	Decide(context.Context, pdp.Request) (pdp.Answer, error)
	Choices(context.Context, pdp.Request, pdp.Page) (pdp.Choices, error)
}

// Guard remembers which messages have been seen, and keeps what is given out once. Admit
// does so in one atomic step; any error means that the message must be refused, and
// errors.Is(err, Replayed) why. Look gives what Keep or Replace has kept and Take gives it
// to one caller, and an error that is Absent when there is nothing.
type Guard interface {
	Admit(ctx context.Context, issuer, id string, until time.Time) error
	Keep(ctx context.Context, key string, sealed []byte, until time.Time) error
	Replace(ctx context.Context, key string, sealed []byte, until time.Time) error
	Look(ctx context.Context, key string) ([]byte, error)
	Take(ctx context.Context, key string) ([]byte, error)
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

	// Post lets a broker send its queries through the browser in a form, without an artifact.
	Post bool

	// GCM encrypts identifiers with AES-256-GCM and RSA-OAEP with SHA-256.
	GCM bool

	Leniency saml.Leniency
}

// Config is what a server is made of. Unless it says otherwise, it is required.
type Config struct {
	Self     etoegang.EntityID
	State    func() *State
	Decider  Decider
	Register Register // that other registers are told from
	Guard    Guard
	Replayed error   // what Guard returns for a message that it has seen
	Absent   error   // and for a key under which nothing is kept
	Fetcher  Fetcher // asks brokers; needed for BrowserHandler alone
	Metrics  *Metrics
	Log      *slog.Logger
	Now      func() time.Time

	// PseudonymKey makes the specific pseudonyms: 32 secret bytes for the whole life
	// of the register.
	PseudonymKey []byte

	// SealingKey seals answers that wait for their brokers, visits of users who choose, what
	// their pages send back, and how far another register has read a list: 32 secret bytes
	// that all nodes of the register have.
	SealingKey []byte

	// Discover asks other registers for clients of an organisation that has mandated the user
	// itself. Nil: users are not offered that.
	Discover func(context.Context, saml.ChainFilter) Discovered

	// Visit is how long a user may take to choose. Needed for BrowserHandler alone.
	Visit time.Duration

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
	artifacts *artifacts
	visits    *visits
	cursors   cursors
	visiting  *gate // browsers, until what they bring is believed, by address
	seeking   *gate // users who wait for other registers, by person
	telling   *gate // other registers that ask for lists, which takes longer than a decision
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
		artifacts: newArtifacts(&c),
		visits:    newVisits(&c),
		cursors:   cursors{seal.New(c.SealingKey)},
		visiting:  newGate(c.Work, c.Work, c.Metrics, "visit"),
		seeking:   newGate(c.Work, c.Work, c.Metrics, "seek"),
		telling:   newGate(max(1, c.Work/8), c.Work, c.Metrics, "tell"),
		verifying: newGate(processors, c.Work, c.Metrics, "verify"),
		deciding:  newGate(c.Work, c.Work, c.Metrics, "decide"),
	}
}

// Handler serves the addresses for programs.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+PathQuery, s.query)
	mux.HandleFunc("POST "+PathResolution, s.resolve)
	mux.HandleFunc("POST "+PathChain, s.chain)
	mux.HandleFunc("GET "+PathMetadata, s.metadata)
	return mux
}

// BrowserHandler serves the addresses for people's browsers. Those have no certificate to
// show, so they come in at a door of their own.
func (s *Server) BrowserHandler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+PathBrowser, s.arrive)
	mux.HandleFunc("POST "+PathBrowser, s.arrive)
	mux.HandleFunc("GET "+PathChoose+"/{visit}", s.offer)
	mux.HandleFunc("POST "+PathChoose+"/{visit}", s.choose)
	return private(mux)
}

func (s *Server) metadata(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/samlmetadata+xml")
	_, _ = w.Write(s.c.State().Metadata) // a reader who left is nobody's problem
}
