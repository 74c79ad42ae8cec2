package server

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/mandated/mandated/pkg/decision"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/pdp"
	"github.com/mandated/mandated/pkg/saml"
	"github.com/mandated/mandated/pkg/xmlsec"
)

// Fetcher asks a participant, for what stands behind its artifact or for chain mandates: it
// sends a SOAP message and gives the answer, of at most the size of a message. What the
// answer is worth its signature says.
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

// evidence is a query as a browser brought it or as we fetched it, with all that is needed
// to believe it once more.
type evidence struct {
	Message []byte `json:"m"`
	Asked   string `json:"a"` // the ID of our ArtifactResolve; "": the browser brought the query itself
	From    string `json:"f"` // whose artifact it was

	Arrived time.Time `json:"t"`
}

// receive reads, verifies and judges the evidence, as of the moment when it came.
func (v evidence) receive(r *saml.Receiver) (*saml.Received, error) {
	if v.Asked == "" {
		return r.ReceivePosted(v.Message, v.Arrived)
	}
	from, err := etoegang.ParseEntityID(v.From)
	if err != nil {
		return nil, err
	}
	return r.ReceiveResolved(v.Message, v.Asked, from, v.Arrived)
}

// arrive answers a user's browser that a broker has sent: the query is fetched, believed
// and answered like one that came over SOAP, and the browser sent back with an artifact of
// the answer. Where there is something to choose or to explain, the user sees a page first;
// and where there is nobody to send him back to, the user sees a page that says so.
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
	in, proof, problem := s.obtain(r, state, brought, e)
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
	d := &delivery{server: s, state: state, in: in, now: s.c.Now(), assertion: saml.NewID(), user: true}
	response, visit, err := s.attend(r.Context(), d, problem, visit{Evidence: proof, Relay: brought.relay}, e)
	switch {
	case err != nil:
		e.page(w, r, pageBroken, err)
	case visit != nil:
		s.welcome(w, visit, e)
	default:
		s.sendBack(w, r, in, response, brought.relay, e)
	}
}

// attend finds out what a query asks. The answer is a response for the broker; or, if the
// user has something to choose or to read first, his visit.
func (s *Server) attend(ctx context.Context, d *delivery, problem error, v visit, e *event) (*xmlsec.Element, *visit, error) {
	defer s.deciding.leave()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	found, err := d.find(ctx, problem, e)
	if err == nil && stays(d.in.Question, found) {
		if found.Outcome == decision.Deny {
			v.Denied, v.Answer, v.Record = found.Codes(), d.assertion, found.ID
		}
		begun, err := s.visits.begin(ctx, v, d.now)
		if err == nil {
			s.c.Metrics.visited("begun")
		}
		return nil, begun, err
	}
	response, err := d.respond(ctx, found, err, e)
	return response, nil, err
}

// stays tells whether the user sees a page before his answer leaves: he chooses among
// companies (GUC4.4) or services behind a portal (GUC4.3), or reads why there is nothing to
// choose (GUC4.2). What no mandate could have helped is the broker's to hear, and no user
// has a part in the second half of a chain (HM-MR chain authorization).
func stays(asked saml.Question, a pdp.Answer) bool {
	if asked != saml.AskAuthorize {
		return false
	}
	if a.Outcome == decision.Deny {
		return len(a.Reasons) == 0 || !a.Reasons[0].Code.AskersFault()
	}
	return a.Outcome == decision.Choose
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
func (s *Server) obtain(r *http.Request, state *State, a arrival, e *event) (*saml.Received, evidence, error) {
	if err := s.visiting.enter(r.Context(), peerOf(r)); err != nil {
		return nil, evidence{}, err
	}
	defer s.visiting.leave()
	in, proof, problem := s.believedOf(r.Context(), state, a)
	if in != nil {
		e.received(in)
	}
	return in, proof, problem
}

func (s *Server) believedOf(ctx context.Context, state *State, a arrival) (*saml.Received, evidence, error) {
	now := s.c.Now()
	if a.query != nil {
		proof := evidence{Message: a.query, Arrived: now}
		in, problem := proof.receive(state.Receiver)
		if in != nil && !(in.Query.Issuer.Role() == etoegang.Broker && s.peer(state, in.Query.Issuer).Post) {
			return nil, proof, errNotPosted
		}
		return in, proof, problem
	}
	from, known := state.Receiver.Directory.Source(a.artifact, now)
	at, resolves := from.Resolver(a.artifact.Index)
	if !known || !resolves || from.Entity.Role() != etoegang.Broker {
		return nil, evidence{}, errNoSource
	}
	asked := saml.Resolving{ID: saml.NewID(), Issuer: s.c.Self, Destination: at.Location, Issued: now, Artifact: a.artifact}
	body, err := s.fetch(ctx, state, from, asked)
	if err != nil {
		return nil, evidence{}, err
	}
	proof := evidence{Message: body, Asked: asked.ID, From: from.Entity.String(), Arrived: s.c.Now()}
	in, problem := proof.receive(state.Receiver)
	return in, proof, problem
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

// way is how a browser goes back to the broker with an answer: to an address with an artifact
// in it, or with a form.
type way struct {
	Location string `json:"l,omitempty"`
	To       string `json:"t,omitempty"` // where the form goes
	Answer   string `json:"a,omitempty"` // what it carries, in base64
	Relay    string `json:"r,omitempty"`
}

// sendBack sends the browser to the broker with the answer, or shows why it cannot.
func (s *Server) sendBack(w http.ResponseWriter, r *http.Request, in *saml.Received, answer *xmlsec.Element, relay string, e *event) {
	back, err := s.wayBack(r.Context(), in, answer, relay)
	if err == nil {
		err = s.follow(w, r, back, e)
	}
	if err != nil {
		e.page(w, r, pageUndelivered, err)
	}
}

// wayBack keeps the answer behind an artifact, or where the broker's metadata say so puts it
// into a form.
func (s *Server) wayBack(ctx context.Context, in *saml.Received, answer *xmlsec.Element, relay string) (way, error) {
	if in.Consumer.Binding == saml.BindingPOST {
		return way{To: in.Consumer.Location, Answer: base64.StdEncoding.EncodeToString(answer.Bytes()), Relay: relay}, nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	artifact, err := s.artifacts.keep(ctx, answer, in.Query.Issuer, s.c.Now())
	if err != nil {
		return way{}, err
	}
	back, err := url.Parse(in.Consumer.Location)
	if err != nil {
		return way{}, err
	}
	parameters := url.Values{"SAMLart": {artifact.String()}}
	if relay != "" {
		parameters.Set("RelayState", relay)
	}
	back.RawQuery = strings.TrimPrefix(back.RawQuery+"&"+parameters.Encode(), "&")
	return way{Location: back.String()}, nil
}

// follow sends the browser that way.
func (s *Server) follow(w http.ResponseWriter, r *http.Request, back way, e *event) error {
	if back.Location == "" {
		return e.form(w, r, back.To, back.Answer, back.Relay)
	}
	w.Header().Set("Location", back.Location)
	e.send(w, http.StatusSeeOther, "text/plain; charset=utf-8", nil)
	return nil
}
