package server

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"github.com/mandated/mandated/pkg/decision"
	"github.com/mandated/mandated/pkg/saml"
	"github.com/mandated/mandated/pkg/xmlsec"
)

// query answers one SOAP message. Everything that happens to it is told to the event,
// which is logged and counted once, at the end. A place for work is taken only when the
// message has arrived: whoever sends slowly keeps nobody waiting.
func (s *Server) query(w http.ResponseWriter, r *http.Request) {
	e := s.newEvent(r)
	defer e.finish()
	defer func() {
		if broken := recover(); broken != nil { // a mistake of ours: told as such, never as an answer
			e.fault(w, faultBroken, fmt.Errorf("server: panic: %v\n%s", broken, debug.Stack()))
		}
	}()
	body, ok := s.receive(w, r, e)
	if !ok {
		return
	}
	if !s.gate.enter(r.Context()) {
		w.Header().Set("Retry-After", "1")
		e.faultAs(w, http.StatusServiceUnavailable, faultBusy, errBusy)
		return
	}
	defer s.gate.leave()
	s.answer(w, r, body, e)
}

// errBusy is the error of a question that found no place, nor room to wait for one.
var errBusy = errors.New("server: too many questions at once")

// receive reads the message, or answers what is no message.
func (s *Server) receive(w http.ResponseWriter, r *http.Request, e *event) ([]byte, bool) {
	if !acceptable(r.Header.Get("Content-Type")) {
		e.plain(w, http.StatusUnsupportedMediaType, "content-type", "Send SOAP 1.1 as text/xml in UTF-8.\n")
		return nil, false
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, int64(xmlsec.MessageLimits.Bytes)))
	if tooLarge := new(http.MaxBytesError); errors.As(err, &tooLarge) {
		e.plain(w, http.StatusRequestEntityTooLarge, "too-large", "A message is at most 256 KiB.\n")
		return nil, false
	}
	if err != nil {
		e.plain(w, http.StatusBadRequest, "unreadable", "The message did not arrive whole.\n")
		return nil, false
	}
	return body, true
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
	if r.TLS != nil && !(len(r.TLS.PeerCertificates) > 0 && state.Receiver.Directory.Lists(r.TLS.PeerCertificates[0], now)) {
		e.fault(w, faultUnbelieved, errStranger) // before any cryptography is spent on him
		return
	}
	in, err := state.Receiver.Receive(body, now)
	if in == nil {
		e.fault(w, faultFor(err), err)
		return
	}
	e.received(in)
	if r.TLS != nil && !in.Sender.Presents(r.TLS.PeerCertificates[0], now) {
		e.fault(w, faultUnbelieved, errStranger)
		return
	}
	// From here on the question is answered and recorded whether or not the sender waits
	// for it: a message is admitted once.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), patience)
	defer cancel()
	signed, err := s.reply(ctx, state, in, err, now, e).Sign(state.Signer)
	if err != nil {
		e.fault(w, faultBroken, err)
		return
	}
	e.respond(w, saml.Wrap(signed))
}

// patience is how long the stores may take for one question.
const patience = 10 * time.Second

// errStranger is the error of a TLS client whose certificate the metadata do not list.
var errStranger = errors.New("server: the client certificate is not one of the issuer's")

// reply finds the answer to a message whose sender is known; problem is what is wrong
// with it, if anything is.
func (s *Server) reply(ctx context.Context, state *State, in *saml.Received, problem error, now time.Time, e *event) saml.Response {
	if problem != nil {
		return s.refuse(in, refusalFor(problem), "", now, e, problem)
	}
	if err := s.admit(ctx, state, in, now); errors.Is(err, s.c.Replayed) {
		return s.refuse(in, refusalReplayed, "", now, e, err)
	} else if err != nil {
		return s.refuse(in, refusalNotFoundOut, "", now, e, err)
	}
	d := &delivery{server: s, state: state, in: in, now: now, assertion: saml.NewID()}
	if err := d.sameNumber(); err != nil {
		return s.refuse(in, refusalFor(err), "", now, e, err)
	}
	answer, err := s.c.Decider.Decide(ctx, d.request(e.trace))
	if err != nil {
		return s.refuse(in, refusalFor(err), "", now, e, err)
	}
	e.decided(answer)
	return d.conclude(answer, e)
}

// admit lets a message in once. It is remembered for longer than it would be accepted, and
// at least for a moment, however slow we were.
func (s *Server) admit(ctx context.Context, state *State, in *saml.Received, now time.Time) error {
	ages := state.Receiver.Ages
	until := in.Query.Issued.Add(ages.Query + 2*ages.Skew)
	if earliest := now.Add(time.Minute); until.Before(earliest) {
		until = earliest
	}
	return s.c.Guard.Admit(ctx, in.Query.Issuer.String(), in.Query.ID, until)
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
