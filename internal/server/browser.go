package server

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/saml"
	"github.com/mandated/mandated/pkg/xmlsec"
)

// Fetcher asks a participant for what stands behind its artifact: it sends a SOAP message
// and gives the answer, of at most the size of a message. What the answer is worth its
// signature says.
type Fetcher interface {
	Fetch(ctx context.Context, from saml.Participant, address string, message []byte) ([]byte, error)
}

// longestRelayState is how much of its own a broker may let travel along, in bytes
// (eHerkenning interface specifications, "Interface specifications web").
const longestRelayState = 80

// arrival is what a browser brought: an artifact of a query, or where we accept that the
// query itself; and what its sender wants back as it is.
type arrival struct {
	artifact saml.Artifact
	query    []byte // nil: there is an artifact
	relay    string
}

// What can be wrong with what a browser brings.
var (
	errNothingBrought = errors.New("server: neither an artifact nor a query")
	errRelayState     = errors.New("server: a RelayState of more than 80 bytes")
	errNotPosted      = errors.New("server: this sender's queries are not accepted in a form")
	errNoConsumer     = errors.New("server: the sender has no AssertionConsumerService")
	errNoSource       = errors.New("server: the artifact is of nobody who resolves it")
)

// arrive answers a user's browser that a broker has sent: the query is fetched, believed
// and answered like one that came over SOAP, and the browser sent back with an artifact of
// the answer. Where there is nobody to send it back to, the user sees a page.
func (s *Server) arrive(w http.ResponseWriter, r *http.Request) {
	e, r := s.newEvent(w, r, onArrival)
	defer e.finish()
	defer e.rescue(func(broken error) { e.page(w, r, pageBroken, broken) })
	state := s.c.State()
	brought, err := bring(w, r, state.anybodyPosts())
	if err != nil {
		e.page(w, r, pageUnreadable, err)
		return
	}
	in, problem := s.obtain(r, state, brought, e)
	if in == nil {
		e.page(w, r, pageFor(problem), problem)
		return
	}
	if in.Consumer.Location == "" {
		e.page(w, r, pageUnbelieved, errNoConsumer)
		return
	}
	if err := s.deciding.enter(r.Context(), in.Query.Issuer.String()); err != nil {
		e.page(w, r, pageBusy, err)
		return
	}
	d := &delivery{server: s, state: state, in: in, now: s.c.Now(), assertion: saml.NewID()}
	response, err := d.answer(r.Context(), problem, e)
	if err != nil {
		e.page(w, r, pageBroken, err)
		return
	}
	if err := s.sendBack(w, r, in, response, brought.relay, e); err != nil {
		e.page(w, r, pageUndelivered, err)
	}
}

// anybodyPosts tells whether there is a broker whose queries may come in a form.
func (s *State) anybodyPosts() bool {
	for _, p := range s.Peers {
		if p.Post {
			return true
		}
	}
	return false
}

// Bytes that a form may have: one with an artifact, and where queries may come in one, those
// in base64.
const (
	artifactForm = 4 << 10
	queryForm    = 400 << 10
)

// bring reads what the browser brought. A look ahead uses nothing up.
func bring(w http.ResponseWriter, r *http.Request, posts bool) (a arrival, err error) {
	if r.Method == http.MethodHead {
		return a, errNothingBrought
	}
	values := r.URL.Query()
	if r.Method == http.MethodPost {
		limit := int64(artifactForm)
		if posts {
			limit = queryForm
		}
		r.Body = http.MaxBytesReader(w, r.Body, limit)
		if err := r.ParseForm(); err != nil {
			return a, fmt.Errorf("%w: %w", errNothingBrought, err)
		}
		values = r.PostForm
	}
	if a.relay = values.Get("RelayState"); len(a.relay) > longestRelayState {
		return a, errRelayState
	}
	artifact, query := values["SAMLart"], values["SAMLRequest"]
	switch {
	case len(artifact) == 1 && len(query) == 0:
		a.artifact, err = saml.ParseArtifact(artifact[0])
		return a, err
	case len(query) == 1 && len(artifact) == 0 && r.Method == http.MethodPost && posts:
		a.query, err = base64.StdEncoding.DecodeString(query[0])
		return a, err
	}
	return a, errNothingBrought
}

// obtain finds out who asks what: see Receiver.Receive. How many browsers are attended to at
// once is bounded, and whoever is behind many of them waits for himself: before a query is
// believed a visitor is known only by his address. Nothing of the other door is taken.
func (s *Server) obtain(r *http.Request, state *State, a arrival, e *event) (*saml.Received, error) {
	if err := s.visiting.enter(r.Context(), peerOf(r)); err != nil {
		return nil, err
	}
	defer s.visiting.leave()
	in, problem := s.believedOf(r.Context(), state, a)
	if in != nil {
		e.received(in)
	}
	return in, problem
}

func (s *Server) believedOf(ctx context.Context, state *State, a arrival) (*saml.Received, error) {
	if a.query != nil {
		return s.posted(state, a.query)
	}
	from, known := state.Receiver.Directory.Source(a.artifact, s.c.Now())
	at, resolves := from.Resolver(a.artifact.Index)
	if !known || !resolves || from.Entity.Role() != etoegang.Broker {
		return nil, errNoSource
	}
	asked := saml.Resolving{ID: saml.NewID(), Issuer: s.c.Self, Destination: at.Location, Issued: s.c.Now(), Artifact: a.artifact}
	body, err := s.fetch(ctx, state, from, asked)
	if err != nil {
		return nil, err
	}
	return state.Receiver.ReceiveResolved(body, asked.ID, from.Entity, s.c.Now())
}

// errNotFetched: a broker could not be asked.
var errNotFetched = errors.New("server: an artifact could not be resolved")

// fetch asks for what stands behind an artifact.
func (s *Server) fetch(ctx context.Context, state *State, from saml.Participant, asked saml.Resolving) ([]byte, error) {
	signed, err := asked.Sign(state.Signer)
	if err != nil {
		return nil, err
	}
	ctx, span := s.c.Tracer.Start(ctx, "fetch")
	defer span.End()
	body, err := s.c.Fetcher.Fetch(ctx, from, asked.Destination, saml.Wrap(signed))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errNotFetched, err)
	}
	return body, nil
}

// posted believes a query that the browser itself brought, of a broker that may do that.
func (s *Server) posted(state *State, query []byte) (*saml.Received, error) {
	in, problem := state.Receiver.ReceivePosted(query, s.c.Now())
	if in != nil && !(in.Query.Issuer.Role() == etoegang.Broker && s.peer(state, in.Query.Issuer).Post) {
		return nil, errNotPosted
	}
	return in, problem
}

// sendBack sends the browser to the broker with the answer: by an artifact, or where the
// broker's metadata say so in a form.
func (s *Server) sendBack(w http.ResponseWriter, r *http.Request, in *saml.Received, answer *xmlsec.Element, relay string, e *event) error {
	if in.Consumer.Binding == saml.BindingPOST {
		return e.form(w, r, in.Consumer.Location, base64.StdEncoding.EncodeToString(answer.Bytes()), relay)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), patience)
	defer cancel()
	artifact, err := s.artifacts.keep(ctx, answer, in.Query.Issuer, s.c.Now())
	if err != nil {
		return err
	}
	back, err := url.Parse(in.Consumer.Location)
	if err != nil {
		return err
	}
	parameters := url.Values{"SAMLart": {artifact.String()}}
	if relay != "" {
		parameters.Set("RelayState", relay)
	}
	back.RawQuery = strings.TrimPrefix(back.RawQuery+"&"+parameters.Encode(), "&")
	w.Header().Set("Location", back.String())
	e.send(w, http.StatusSeeOther, "text/plain; charset=utf-8", nil)
	return nil
}
