package server

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/mandated/mandated/pkg/decision"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/pdp"
	"github.com/mandated/mandated/pkg/register"
	"github.com/mandated/mandated/pkg/saml"
	"github.com/mandated/mandated/pkg/xmlsec"
)

// query answers one SOAP message. Everything that happens to it is told to the event,
// which is logged and counted once, at the end. A place for work is taken only when the
// message has arrived: whoever sends slowly keeps nobody waiting.
func (s *Server) query(w http.ResponseWriter, r *http.Request) {
	e, r := s.newEvent(w, r, onQuery)
	defer e.finish()
	defer e.rescue(func(broken error) { e.fault(w, faultBroken, broken) })
	atLeast, ok := s.atLeast(w, r, e)
	if !ok {
		return
	}
	state := s.c.State()
	in, problem := s.believed(w, r, state, e)
	if in == nil {
		return
	}
	if !s.enter(w, r, s.deciding, in.Query.Issuer.String(), e) {
		return
	}
	d := &delivery{server: s, state: state, in: in, now: s.c.Now(), assertion: saml.NewID(), atLeast: atLeast}
	answer, err := d.answer(r.Context(), problem, e)
	if err != nil {
		e.fault(w, faultBroken, err)
		return
	}
	e.respond(w, saml.Wrap(answer))
}

// enter waits for a place, or answers that there is none. Nothing is remembered of a
// message that found no place: it may be sent again as it is.
func (s *Server) enter(w http.ResponseWriter, r *http.Request, g *gate, sender string, e *event) bool {
	err := g.enter(r.Context(), sender)
	if err != nil {
		w.Header().Set("Retry-After", "1")
		e.faultAs(w, http.StatusServiceUnavailable, faultBusy, err)
	}
	return err == nil
}

// atLeast reads which revision the sender knows of, or answers that he has not said it
// well. It stands outside the signature: it can only make an answer fresher.
func (s *Server) atLeast(w http.ResponseWriter, r *http.Request, e *event) (register.Revision, bool) {
	values := r.Header.Values("At-Least-Revision")
	if len(values) == 0 {
		return 0, true
	}
	n, err := strconv.ParseInt(values[0], 10, 64)
	if err != nil || n < 0 || strconv.FormatInt(n, 10) != values[0] || len(values) > 1 {
		e.plain(w, http.StatusBadRequest, "at-least-revision", "At-Least-Revision is one revision, as a decimal number.\n")
		return 0, false
	}
	return register.Revision(n), true
}

// messages are the buffers that messages are read into. A buffer grows by doubling, so that
// none that is kept is larger than twice the largest message.
var messages = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// believed finds out who has sent a message and what it asks. Without a Received that is
// not known, and the sender is answered. With one the error is what is wrong with the
// message, if anything is.
func (s *Server) believed(w http.ResponseWriter, r *http.Request, state *State, e *event) (in *saml.Received, problem error) {
	looked := s.lookAt(w, r, state, e, func(message []byte) { in, problem = s.verify(r, state, message, e) })
	if looked && in == nil {
		e.fault(w, faultFor(problem), problem)
	}
	return in, problem
}

// lookAt shows a message of which nothing is known yet, or answers why it cannot be looked
// at and gives false. Nothing of the message's bytes may be kept.
//
// How many messages are looked at at once is bounded, and one who is at the other end of
// many connections waits for himself: before his message is believed, a sender is known
// only by the certificate of his connection. The place is given back before anything is
// sent, so that who reads slowly keeps none.
func (s *Server) lookAt(w http.ResponseWriter, r *http.Request, state *State, e *event, look func(message []byte)) bool {
	buffer := messages.Get().(*bytes.Buffer)
	defer messages.Put(buffer)
	buffer.Reset()
	if !s.receive(buffer, w, r, e) || !s.enterUnknown(w, r, state, e) {
		return false
	}
	defer s.verifying.leave()
	look(buffer.Bytes())
	return true
}

// receive reads the message, or answers what is no message.
func (s *Server) receive(into *bytes.Buffer, w http.ResponseWriter, r *http.Request, e *event) bool {
	if !acceptable(r.Header.Get("Content-Type")) {
		e.plain(w, http.StatusUnsupportedMediaType, "content-type", "Send SOAP 1.1 as text/xml in UTF-8.\n")
		return false
	}
	_, err := into.ReadFrom(http.MaxBytesReader(w, r.Body, int64(xmlsec.MessageLimits.Bytes)))
	if tooLarge := new(http.MaxBytesError); errors.As(err, &tooLarge) {
		e.plain(w, http.StatusRequestEntityTooLarge, "too-large", "A message is at most 256 KiB.\n")
		return false
	}
	if err != nil {
		e.plain(w, http.StatusBadRequest, "unreadable", "The message did not arrive whole.\n")
		return false
	}
	return true
}

// acceptable: SOAP 1.1 is text/xml, in UTF-8 when a charset is given.
func acceptable(contentType string) bool {
	media, parameters, err := mime.ParseMediaType(contentType)
	charset := parameters["charset"]
	return err == nil && media == saml.ContentType && (charset == "" || strings.EqualFold(charset, "utf-8"))
}

// enterUnknown waits for a place in which a message is looked at of which nothing is known
// yet, or answers.
func (s *Server) enterUnknown(w http.ResponseWriter, r *http.Request, state *State, e *event) bool {
	if r.TLS != nil && !(len(r.TLS.PeerCertificates) > 0 && state.Receiver.Directory.Lists(r.TLS.PeerCertificates[0], s.c.Now())) {
		e.fault(w, faultUnbelieved, errStranger) // before any cryptography is spent on him
		return false
	}
	return s.enter(w, r, s.verifying, peerOf(r), e)
}

// verify reads a message.
func (s *Server) verify(r *http.Request, state *State, message []byte, e *event) (*saml.Received, error) {
	_, span := s.c.Tracer.Start(r.Context(), "receive")
	defer span.End()
	now := s.c.Now()
	in, problem := state.Receiver.Receive(message, now)
	if in == nil {
		return nil, problem
	}
	e.received(in)
	if !presents(r, in.Sender, now) {
		return nil, errStranger
	}
	return in, problem
}

// presents tells whether a sender is at the other end himself. Without TLS of our own that
// is for the proxy before us to see to.
func presents(r *http.Request, sender saml.Participant, now time.Time) bool {
	return r.TLS == nil || sender.Presents(r.TLS.PeerCertificates[0], now)
}

// patience is how long the stores may take for one question.
const patience = 10 * time.Second

// errStranger is the error of a TLS client whose certificate the metadata do not list.
var errStranger = errors.New("server: the client certificate is not one of the issuer's")

// answer makes the signed answer to a message whose sender is known; problem is what is
// wrong with it, if anything is. From here on the question is answered and recorded whether
// or not the sender waits for it: a message is admitted once. The place that was taken for
// it is given back before anything is sent, so that who reads slowly keeps none.
func (d *delivery) answer(ctx context.Context, problem error, e *event) (*xmlsec.Element, error) {
	defer d.server.deciding.leave()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	found, err := d.find(ctx, problem, e)
	return d.respond(ctx, found, err, e)
}

// respond makes the signed response to what was found, or says why nothing was.
func (d *delivery) respond(ctx context.Context, found pdp.Answer, err error, e *event) (*xmlsec.Element, error) {
	_, span := d.server.c.Tracer.Start(ctx, "sign")
	defer span.End()
	var response saml.Response
	if err != nil {
		response = d.refuse(d.server.refusalFor(err), "", e, err)
	} else {
		response = d.conclude(found, e)
	}
	return response.Sign(d.state.Signer)
}

// find admits a message in which nothing is wrong, and finds out what it asks.
func (d *delivery) find(ctx context.Context, problem error, e *event) (pdp.Answer, error) {
	if problem != nil {
		return pdp.Answer{}, problem
	}
	if err := d.server.admit(ctx, d.state, d.in.Query.Issuer, d.in.Query.ID, d.in.Query.Issued, d.now); err != nil {
		return pdp.Answer{}, err
	}
	if err := d.sameNumber(); err != nil {
		return pdp.Answer{}, err
	}
	return d.decide(ctx, e)
}

// decide decides and records.
func (d *delivery) decide(ctx context.Context, e *event) (pdp.Answer, error) {
	ctx, span := d.server.c.Tracer.Start(ctx, "decide")
	defer span.End()
	request, err := d.request(e.trace)
	if err != nil {
		return pdp.Answer{}, err
	}
	started := time.Now()
	answer, err := d.server.c.Decider.Decide(ctx, request)
	if err == nil {
		e.decided(answer, time.Since(started))
	}
	return answer, err
}

// admit lets a message in once. It is remembered for longer than it would be accepted, and
// at least for a moment, however slow we were.
func (s *Server) admit(ctx context.Context, state *State, issuer etoegang.EntityID, id string, issued, now time.Time) error {
	ctx, span := s.c.Tracer.Start(ctx, "admit")
	defer span.End()
	ages := state.Receiver.Ages
	until := issued.Add(ages.Query + 2*ages.Skew)
	if earliest := now.Add(time.Minute); until.Before(earliest) {
		until = earliest
	}
	return s.c.Guard.Admit(ctx, issuer.String(), id, until)
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
