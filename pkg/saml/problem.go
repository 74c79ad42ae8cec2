package saml

import "fmt"

// Problem is what is wrong with a message whose sender is known and whose signatures
// hold. It is one stable word, for logs and metrics; what the sender is told is
// decided at the outer wall.
type Problem string

// The problems of messages.
const (
	ProblemMalformed    Problem = "malformed"         // an element or value is missing, doubled or not what it must be
	ProblemVersion      Problem = "version"           // not SAML 2.0
	ProblemForbidden    Problem = "forbidden-content" // Consent, InputContextOnly, qualifiers on the Issuer, unknown extensions
	ProblemDestination  Problem = "destination"       // not one of our addresses
	ProblemExpired      Problem = "expired"           // sent too long ago
	ProblemFuture       Problem = "from-the-future"   // sent later than now
	ProblemConsumer     Problem = "consumer-service"  // no such AssertionConsumerService in the sender's metadata
	ProblemAudience     Problem = "audience"          // not meant for us, or for another provider
	ProblemAssertions   Problem = "assertions"        // not exactly those that the question needs
	ProblemValidity     Problem = "assertion-validity"
	ProblemConfirmation Problem = "subject-confirmation"
	ProblemNotRegistry  Problem = "not-this-register"    // the authentication names another register
	ProblemNotRepresent Problem = "no-representation"    // the person acts for himself
	ProblemService      Problem = "service-mismatch"     // query and assertion name different services
	ProblemSubject      Problem = "subject-mismatch"     // query and assertion name different persons
	ProblemLink         Problem = "assertion-link"       // an assertion does not rest on the one before it
	ProblemStatement    Problem = "statement"            // the first register's statement is no Permit that names us
	ProblemEncryption   Problem = "undecryptable"        // an identifier is not encrypted to us
	ProblemIdentifier   Problem = "identifier"           // an identifier breaks its syntax
	ProblemIntermediary Problem = "intermediary-unclear" // no intermediary, or two that differ
)

// Error is a problem together with what a maintainer wants to know. The detail may
// quote names of elements and participants, never of persons or companies.
type Error struct {
	Problem Problem
	Detail  string
	Cause   error
}

func (e *Error) Error() string {
	s := "saml: " + string(e.Problem) + ": " + e.Detail
	if e.Cause != nil {
		s += ": " + e.Cause.Error()
	}
	return s
}

func (e *Error) Unwrap() error { return e.Cause }

func problem(p Problem, format string, args ...any) error {
	return &Error{Problem: p, Detail: fmt.Sprintf(format, args...)}
}

func wrap(p Problem, cause error, format string, args ...any) error {
	return &Error{Problem: p, Detail: fmt.Sprintf(format, args...), Cause: cause}
}
