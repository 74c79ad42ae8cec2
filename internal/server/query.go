package server

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/mandated/mandated/pkg/decision"
	"github.com/mandated/mandated/pkg/pdp"
	"github.com/mandated/mandated/pkg/saml"
	"github.com/mandated/mandated/pkg/xmlsec"
)

// query answers one SOAP message. Everything that happens to it is told to the event,
// which is logged and counted once, at the end.
func (s *Server) query(w http.ResponseWriter, r *http.Request) {
	e := s.newEvent(r)
	defer e.finish()
	if !s.gate.enter(r.Context()) {
		e.plain(w, http.StatusServiceUnavailable, "busy", "Too many questions at once. Ask again.\n")
		return
	}
	defer s.gate.leave()

	if !acceptable(r.Header.Get("Content-Type")) {
		e.plain(w, http.StatusUnsupportedMediaType, "content-type", "Send SOAP 1.1 as text/xml in UTF-8.\n")
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, int64(xmlsec.MessageLimits.Bytes)))
	if tooLarge := new(http.MaxBytesError); errors.As(err, &tooLarge) {
		e.plain(w, http.StatusRequestEntityTooLarge, "too-large", "A message is at most 256 KiB.\n")
		return
	}
	if err != nil {
		e.plain(w, http.StatusBadRequest, "unreadable", "The message did not arrive whole.\n")
		return
	}
	s.answer(w, r, body, e)
}

// acceptable: SOAP 1.1 is text/xml, in UTF-8 when a charset is given.
func acceptable(contentType string) bool {
	media, parameters, err := mime.ParseMediaType(contentType)
	charset := parameters["charset"]
	return err == nil && media == saml.ContentType && (charset == "" || strings.EqualFold(charset, "utf-8"))
}

// answer does the steps of one question in their order: believe, admit, decide, reply.
func (s *Server) answer(w http.ResponseWriter, r *http.Request, body []byte, e *event) {
	now, state := s.c.Now(), s.c.State()
	in, err := state.Receiver.Receive(body, now)
	if in == nil {
		e.fault(w, faultFor(err), err)
		return
	}
	e.received(in)
	if err := authenticated(r, in); err != nil {
		e.fault(w, faultUnbelieved, err)
		return
	}
	reply := s.reply(r.Context(), state, in, err, now, e)
	signed, err := reply.Sign(state.Signer)
	if err != nil {
		e.fault(w, faultBroken, err)
		return
	}
	e.respond(w, saml.Wrap(signed))
}

// errStranger is the error of a TLS client whose certificate its metadata do not list.
var errStranger = errors.New("server: the client certificate is not one of the issuer's")

// authenticated compares the TLS client with the issuer of the message. Without TLS the
// listener is on loopback, which the configuration has made sure of.
func authenticated(r *http.Request, in *saml.Received) error {
	if r.TLS == nil {
		return nil
	}
	if len(r.TLS.PeerCertificates) == 0 || !in.Sender.Presents(r.TLS.PeerCertificates[0]) {
		return errStranger
	}
	return nil
}

// reply finds the answer to a message whose sender is known; problem is what is wrong
// with it, if anything is.
func (s *Server) reply(ctx context.Context, state *State, in *saml.Received, problem error, now time.Time, e *event) saml.Response {
	if problem != nil {
		return s.refuse(in, refusalFor(problem), "", now, e, problem)
	}
	ages := state.Receiver.Ages
	until := in.Query.Issued.Add(ages.Query + 2*ages.Skew)
	if err := s.c.Guard.Admit(ctx, in.Query.Issuer.String(), in.Query.ID, until); errors.Is(err, s.c.Replayed) {
		return s.refuse(in, refusalReplayed, "", now, e, err)
	} else if err != nil {
		return s.refuse(in, refusalNotFoundOut, "", now, e, err)
	}
	answer, err := s.c.Decider.Decide(ctx, request(in, now, e.trace))
	if err != nil {
		return s.refuse(in, refusalNotFoundOut, "", now, e, err)
	}
	e.decided(answer)
	response, err := s.conclude(state, in, answer, now, e)
	if err != nil {
		return s.refuse(in, refusalNotFoundOut, "", now, e, err)
	}
	return response
}

// request turns what was received into what is asked.
func request(in *saml.Received, now time.Time, trace string) pdp.Request {
	return pdp.Request{
		Question: questions[in.Question], Caller: in.Query.Issuer, Message: in.Query.ID, Trace: trace, At: now,
		ServiceID: in.Query.ServiceID, ServiceUUID: in.Query.ServiceUUID, Asked: in.Query.Level, Login: in.Login,
		Actor: in.Actor, Represented: in.Represented, Intermediary: in.Intermediary,
		Previous: in.Previous, Establishments: in.Establishments,
	}
}

var questions = map[saml.Question]decision.Question{
	saml.AskAuthorize: decision.Authorize,
	saml.AskConfirm:   decision.Confirm,
	saml.AskRecheck:   decision.Recheck,
}

// newReference names a fault, so that whoever got it can ask about it.
func newReference() string {
	var b [8]byte
	_, _ = rand.Read(b[:]) // crypto/rand never fails
	return hex.EncodeToString(b[:])
}
