package server

import (
	"bytes"
	"context"
	"net/http"

	"github.com/mandated/mandated/pkg/saml"
)

// resolve gives a broker the answer that stands behind an artifact of ours. The
// ArtifactResponse has no message when there is none: the artifact was used, or is too old,
// or is for somebody else; who asks cannot tell which.
func (s *Server) resolve(w http.ResponseWriter, r *http.Request) {
	e, r := s.newEvent(w, r, "resolve")
	defer e.finish()
	defer e.rescue(func(broken error) { e.fault(w, faultBroken, broken) })
	state := s.c.State()
	asked, ok := s.asked(w, r, state, e)
	if !ok {
		return
	}
	if !s.enter(w, r, s.deciding, asked.Issuer.String(), e) {
		return
	}
	answer, err := s.resolved(r.Context(), state, asked, e)
	if err != nil {
		e.fault(w, faultBroken, err)
		return
	}
	e.respond(w, answer)
}

// asked reads an ArtifactResolve, or answers what is none.
func (s *Server) asked(w http.ResponseWriter, r *http.Request, state *State, e *event) (saml.Resolving, bool) {
	buffer := messages.Get().(*bytes.Buffer)
	defer messages.Put(buffer)
	buffer.Reset()
	if !s.receive(buffer, w, r, e) || !s.enterUnknown(w, r, state, e) {
		return saml.Resolving{}, false
	}
	asked, err := s.lookAt(r, state, buffer.Bytes())
	if err != nil {
		e.fault(w, faultFor(err), err)
		return asked, false
	}
	e.sender, e.message, e.role = asked.Issuer.String(), asked.ID, asked.Issuer.Role()
	return asked, true
}

// lookAt reads an ArtifactResolve and gives the place back in which that is done.
func (s *Server) lookAt(r *http.Request, state *State, body []byte) (saml.Resolving, error) {
	defer s.verifying.leave()
	now := s.c.Now()
	asked, err := state.Receiver.ReceiveResolve(body, now)
	if err == nil && r.TLS != nil {
		sender, _ := state.Receiver.Directory.Find(asked.Issuer, now)
		if !sender.Presents(r.TLS.PeerCertificates[0], now) {
			err = errStranger
		}
	}
	return asked, err
}

// resolved makes the ArtifactResponse.
func (s *Server) resolved(ctx context.Context, state *State, asked saml.Resolving, e *event) ([]byte, error) {
	defer s.deciding.leave()
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	answer, err := s.artifacts.take(ctx, asked.Artifact, asked.Issuer)
	if err != nil {
		return nil, err
	}
	if e.status, e.outcome = saml.Success.Short(), "resolved"; answer == nil {
		e.outcome = "nothing"
	}
	signed, err := saml.Resolved{
		ID: saml.NewID(), InResponseTo: asked.ID, Issuer: s.c.Self, Issued: s.c.Now(), Message: answer,
	}.Sign(state.Signer)
	if err != nil {
		return nil, err
	}
	return saml.Wrap(signed), nil
}
