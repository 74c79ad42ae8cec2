package server

import (
	"context"
	"net/http"

	"github.com/mandated/mandated/pkg/saml"
)

// resolve gives a broker the answer that stands behind an artifact of ours. The
// ArtifactResponse has no message when there is none: the artifact was used, or is too old,
// or is for somebody else; who asks cannot tell which.
func (s *Server) resolve(w http.ResponseWriter, r *http.Request) {
	e, r := s.newEvent(w, r, onResolve)
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
func (s *Server) asked(w http.ResponseWriter, r *http.Request, state *State, e *event) (asked saml.Resolving, ok bool) {
	var err error
	if !s.lookAt(w, r, state, e, func(message []byte) { asked, err = s.verifyResolve(r, state, message) }) {
		return asked, false
	}
	if err != nil {
		e.fault(w, faultFor(err), err)
		return asked, false
	}
	e.sender, e.message, e.role = asked.Issuer.String(), asked.ID, asked.Issuer.Role()
	return asked, true
}

// verifyResolve reads an ArtifactResolve.
func (s *Server) verifyResolve(r *http.Request, state *State, message []byte) (saml.Resolving, error) {
	now := s.c.Now()
	asked, err := state.Receiver.ReceiveResolve(message, now)
	if err != nil {
		return asked, err
	}
	if sender, _ := state.Receiver.Directory.Find(asked.Issuer, now); !presents(r, sender, now) {
		return asked, errStranger
	}
	return asked, nil
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
