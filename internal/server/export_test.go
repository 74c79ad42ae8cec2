package server

import (
	"log/slog"
	"time"

	"github.com/mandated/mandated/pkg/saml"
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

// Defence is the label under which a fault is counted.
func Defence(err error) string { return defence(err) }

// SpecificPseudonym derives a pseudonym from its parts.
func SpecificPseudonym(key []byte, parts ...string) string { return specificPseudonym(key, parts...) }

// Lifetime is when an answer ends.
func Lifetime(now, edge, evidence time.Time) time.Time { return lifetime(now, edge, evidence) }

// Acceptable tells whether a content type is SOAP 1.1.
func Acceptable(contentType string) bool { return acceptable(contentType) }

// TraceID reads a traceparent header.
func TraceID(header string) string { return traceID(header) }

// Waiting counts the questions that wait for a place.
func (s *Server) Waiting() int { return len(s.gate.waiting) }
