package server

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/mandated/mandated/internal/look"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/register"
	"github.com/mandated/mandated/pkg/saml"
	"github.com/mandated/mandated/pkg/xmlsec"
)

// The private doors that tests of this room go through.

// Answered is a row of the table of refusals.
type Answered struct {
	Status saml.Status
	Word   string
	Level  slog.Level
}

// RefusalOf finds how an error is answered.
func RefusalOf(err error) Answered {
	row := refusalFor(err)
	return Answered{row.status, row.word, row.level}
}

// HasRow tells whether the table knows a problem.
func HasRow(p saml.Problem) bool {
	_, ok := refusals[p]
	return ok
}

// Rows counts the table.
func Rows() int { return len(refusals) }

// FaultCode is the SOAP fault code with which an error is answered.
func FaultCode(err error) string { return faultFor(err).code }

// FaultText and FaultLevel are what its sender is told, and how loud the log is.
func FaultText(err error) string      { return faultFor(err).text }
func FaultLevel(err error) slog.Level { return faultFor(err).level }

// Defence is the label under which a fault is counted.
func Defence(err error) string { return defence(err) }

// SpecificPseudonym derives a pseudonym from its parts.
func SpecificPseudonym(key []byte, parts ...string) string { return specificPseudonym(key, parts...) }

// Lifetime is when an answer ends.
func Lifetime(now, edge, evidence time.Time) time.Time { return lifetime(now, edge, evidence) }

// Acceptable tells whether a content type is SOAP 1.1.
func Acceptable(contentType string) bool { return acceptable(contentType) }

// TraceOf reads the trace headers: trace id, span id and flags of the sender, and what
// else he says. All are empty if he stands in no trace.
func TraceOf(h http.Header) (id, span, flags, state string) {
	parent := parentOf(h)
	if !parent.IsValid() {
		return "", "", "", stateOf(h)
	}
	return parent.TraceID().String(), parent.SpanID().String(), parent.TraceFlags().String(), stateOf(h)
}

// Waiting counts the questions that wait for a decision, and Looking the messages that
// wait to be verified.
func (s *Server) Waiting() int { return s.deciding.Waiting() }
func (s *Server) Looking() int { return s.verifying.Waiting() }

// PeerOf names who is at the other end.
func PeerOf(remote string) string { return peerOf(&http.Request{RemoteAddr: remote}) }

// Visiting counts the browsers that wait to be attended to.
func (s *Server) Visiting() int { return s.visiting.Waiting() }

// Waiting counts those who wait for a place.
func (g *gate) Waiting() (n int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, queue := range g.turns.queues {
		n += len(queue)
	}
	return n
}

// Turns are turns of numbered people.
type Turns = turns[int]

// NewTurns makes turns with so many places; of each sender so many may wait.
func NewTurns(places, room int) *Turns { return newTurns[int](places, room) }

// Enter tells in one word what becomes of somebody who wants a place.
func (t *turns[T]) Enter(sender string, who T) string {
	return map[standing]string{refused: "refused", waits: "waits", works: "works"}[t.enter(sender, who)]
}

// Leave gives a place back, and tells who has it now.
func (t *turns[T]) Leave() (T, bool) { return t.leave() }

// Quit takes somebody out of his queue.
func (t *turns[T]) Quit(sender string, who T) bool { return t.quit(sender, who) }

// Gate is a gate.
type Gate = gate

// NewGate makes a gate with so many places and as much room.
func NewGate(places, room int) *Gate {
	return newGate(places, room, NewMetrics(prometheus.NewRegistry()), "test")
}

// Enter waits for a place.
func (g *gate) Enter(ctx context.Context, sender string) error { return g.enter(ctx, sender) }

// Leave gives a place back.
func (g *gate) Leave() { g.leave() }

// KeepFor keeps an answer for a broker, as after a visit.
func (s *Server) KeepFor(ctx context.Context, answer *xmlsec.Element, broker etoegang.EntityID, now time.Time) (saml.Artifact, error) {
	return s.artifacts.keep(ctx, answer, broker, now)
}

// PageNames are the pages that tell of something wrong, as a page is chosen.
func PageNames() (names []string) {
	for _, p := range []page{pageUnreadable, pageUnbelieved, pageDisagreed, pageGone, pageAway, pageOver, pageElsewhere, pageBusy, pageBroken, pageUndelivered} {
		names = append(names, p.name)
	}
	return names
}

// Words are what the pages of a language say, by page.
func Words(language string) map[string][]string {
	words := map[string][]string{}
	for name, t := range texts[look.Language(language)] {
		last := t.Reference
		if name == "form" {
			last = t.Button
		}
		words[name] = []string{t.Title, t.Message, t.Next, last}
	}
	return words
}

// CursorAt is a cursor of this server's to a snapshot, as if a list had been begun there.
func (s *Server) CursorAt(q *saml.ChainQuery, stamp register.Stamp, at time.Time) string {
	return s.cursors.write(q, place{stamp: stamp, at: at})
}
