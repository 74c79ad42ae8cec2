package sandbox

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/harness"
	"github.com/mandated/mandated/pkg/saml"
	"github.com/mandated/mandated/pkg/xmlsec"
)

// patience is how long a user may take for one step.
const patience = 15 * time.Minute

// role is a participant that the web server plays.
type role struct {
	sandbox    *Sandbox
	entity     etoegang.EntityID
	title      string
	signer     xmlsec.Signer
	openers    []xmlsec.Opener
	signOn     string // where AuthnRequests come in; "": nowhere
	resolution string // its ArtifactResolutionService

	mu   sync.Mutex
	kept map[saml.Artifact]kept
}

// kept is a message behind an artifact: it is given once, to the one it is for.
type kept struct {
	message *xmlsec.Element
	to      etoegang.EntityID
	toTitle string
	login   string // whose messages it belongs to; "": it is not known yet
	until   time.Time
}

// receiver judges what comes to the role.
func (r *role) receiver() *saml.Receiver {
	return &saml.Receiver{
		Self: r.entity, Addresses: saml.Addresses{Browser: r.signOn, Resolution: r.resolution}, Directory: r.sandbox.Directory(),
		Openers: r.openers, Ages: saml.DefaultAges,
	}
}

// keep keeps a message and gives the artifact that travels in its place.
func (r *role) keep(k kept) saml.Artifact {
	a, now := saml.NewArtifact(r.entity, 0), r.sandbox.Network.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.kept == nil {
		r.kept = map[saml.Artifact]kept{}
	}
	for other, old := range r.kept {
		if now.After(old.until) {
			delete(r.kept, other)
		}
	}
	k.until = now.Add(patience)
	r.kept[a] = k
	return a
}

func (r *role) give(asked saml.Resolving) kept {
	r.mu.Lock()
	defer r.mu.Unlock()
	k, known := r.kept[asked.Artifact]
	if !known || k.to != asked.Issuer {
		return kept{}
	}
	delete(r.kept, asked.Artifact)
	return k
}

// handOut is the role's ArtifactResolutionService.
func (r *role) handOut(w http.ResponseWriter, q *http.Request) {
	w.Header().Set("Content-Type", saml.ContentType)
	answer, err := r.resolve(q)
	if err != nil {
		w.WriteHeader(http.StatusInternalServerError)
		_, _ = w.Write(saml.Fault("Client", err.Error(), "-"))
		return
	}
	_, _ = w.Write(answer)
}

func (r *role) resolve(q *http.Request) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(q.Body, int64(xmlsec.MessageLimits.Bytes)+1))
	if err != nil {
		return nil, err
	}
	now := r.sandbox.Network.Now()
	asked, err := r.receiver().ReceiveResolve(body, now)
	if err != nil {
		return nil, err
	}
	k := r.give(asked)
	signed, err := saml.Resolved{ID: saml.NewID(), InResponseTo: asked.ID, Issuer: r.entity, Issued: now, Message: k.message}.Sign(r.signer)
	if err != nil {
		return nil, err
	}
	answer := saml.Wrap(signed)
	if r == r.sandbox.broker.role { // it is party to every message, and notes them all
		r.sandbox.recordExchange(k.login, k.toTitle, r.title, body, answer)
	}
	return answer, nil
}

// fetch asks another participant for what stands behind its artifact. It gives the ID of the
// question and both messages.
func (r *role) fetch(ctx context.Context, a saml.Artifact, at string) (id string, sent, received []byte, err error) {
	asked := saml.Resolving{ID: saml.NewID(), Issuer: r.entity, Destination: at, Issued: r.sandbox.Network.Now(), Artifact: a}
	signed, err := asked.Sign(r.signer)
	if err != nil {
		return "", nil, nil, err
	}
	sent = saml.Wrap(signed)
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, at, bytes.NewReader(sent))
	if err != nil {
		return "", nil, nil, err
	}
	request.Header.Set("Content-Type", saml.ContentType)
	request.Header.Set("SOAPAction", `"http://www.oasis-open.org/committees/security"`)
	response, err := r.sandbox.client.Do(request)
	if err != nil {
		return "", nil, nil, fmt.Errorf("resolving an artifact: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	received, err = io.ReadAll(io.LimitReader(response.Body, int64(xmlsec.MessageLimits.Bytes)+1))
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("resolving an artifact: HTTP %d: %.500s", response.StatusCode, received)
	}
	return asked.ID, sent, received, err
}

// record puts a message into the log.
func (s *Sandbox) record(login, from, to, binding, what string, raw []byte) {
	s.Log.Add(login, Message{At: s.Network.Now(), From: from, To: to, Binding: binding, What: what, Raw: raw})
}

// recordExchange puts the resolution of an artifact into the log.
func (s *Sandbox) recordExchange(login, asker, answerer string, asked, answer []byte) {
	if login == "" { // of nobody whose log-in we know: an artifact that was used before
		return
	}
	s.record(login, asker, answerer, "SOAP", "ArtifactResolve", asked)
	if answer != nil { // somebody answered
		s.record(login, answerer, asker, "SOAP", "ArtifactResponse", answer)
	}
}

// fetched notes that a register has fetched the broker's query, or an answer for its pages.
func (s *Sandbox) fetched(by etoegang.EntityID, relay string, asked, given []byte) {
	title := s.Network.Services[managing.Name].Home.Title
	if node := s.node(by); node != nil {
		title = node.Title
	}
	s.recordExchange(relay, title, s.broker.title, asked, given)
}

// node is the register of that name; nil: there is none.
func (s *Sandbox) node(register etoegang.EntityID) *harness.RegisterNode {
	for _, n := range []*harness.RegisterNode{s.Network.First, s.Network.Second} {
		if n.Entity == register {
			return n
		}
	}
	return nil
}
