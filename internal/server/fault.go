package server

import (
	"errors"
	"log/slog"
	"net/http"

	"github.com/mandated/mandated/pkg/pdp"
	"github.com/mandated/mandated/pkg/saml"
	"github.com/mandated/mandated/pkg/xmlsec"
)

// This file is the one table from what went wrong to what is answered. The outside gets
// a status and at most one stable word; the log gets everything.

// refusal is a row: how a message is answered whose sender is known.
type refusal struct {
	status saml.Status
	word   string // StatusMessage; "" says nothing
	level  slog.Level
}

// Refusals that come from no problem of the message.
var (
	refusalNotFoundOut = refusal{saml.ResponderFailed, "", slog.LevelError} // neither Permit nor Deny
	refusalReplayed    = refusal{saml.RequesterUnsupported, "replayed", slog.LevelWarn}
	refusalDenied      = refusal{saml.ResponderAuthnFailed, "", slog.LevelInfo}
	refusalCancelled   = refusal{saml.ResponderAuthnFailed, saml.MessageCancelled, slog.LevelInfo}
	refusalChoice      = refusal{saml.ResponderAuthnFailed, "choice-needed", slog.LevelInfo}
	refusalUnsupported = refusal{saml.RequesterUnsupported, "", slog.LevelInfo}
	refusalNoKey       = refusal{saml.ResponderUnsupported, "no-encryption-key", slog.LevelError}
	refusalCompany     = refusal{saml.RequesterFailed, "other-company", slog.LevelWarn}
	refusalAttribute   = refusal{saml.ResponderUnsupported, "requested-attribute", slog.LevelWarn}
	refusalCursor      = refusal{saml.RequesterUnsupported, "cursor", slog.LevelWarn}      // another register's list must be begun again
	refusalBehind      = refusal{saml.ResponderFailed, "revision-unknown", slog.LevelWarn} // At-Least-Revision names one that is not there
)

// refusals has a row for every problem a message can have. What concerns decryption is
// answered like any other broken identifier, so that nobody can tell them apart.
var refusals = map[saml.Problem]refusal{
	saml.ProblemMalformed:    {saml.RequesterFailed, "malformed", slog.LevelWarn},
	saml.ProblemVersion:      {saml.RequesterFailed, "version", slog.LevelWarn},
	saml.ProblemForbidden:    {saml.RequesterFailed, "forbidden-content", slog.LevelWarn},
	saml.ProblemDestination:  {saml.RequesterFailed, "destination", slog.LevelWarn},
	saml.ProblemExpired:      {saml.RequesterUnsupported, "expired", slog.LevelWarn},
	saml.ProblemFuture:       {saml.RequesterUnsupported, "from-the-future", slog.LevelWarn},
	saml.ProblemConsumer:     {saml.RequesterFailed, "consumer-service", slog.LevelWarn},
	saml.ProblemAudience:     {saml.RequesterFailed, "audience", slog.LevelWarn},
	saml.ProblemAssertions:   {saml.RequesterFailed, "assertions", slog.LevelWarn},
	saml.ProblemValidity:     {saml.RequesterUnsupported, "assertion-validity", slog.LevelWarn},
	saml.ProblemConfirmation: {saml.RequesterFailed, "subject-confirmation", slog.LevelWarn},
	saml.ProblemNotRegistry:  {saml.RequesterUnsupported, "not-this-register", slog.LevelWarn},
	saml.ProblemNotRepresent: {saml.RequesterUnsupported, "no-representation", slog.LevelWarn},
	saml.ProblemService:      {saml.RequesterFailed, "service-mismatch", slog.LevelWarn},
	saml.ProblemSubject:      {saml.RequesterFailed, "subject-mismatch", slog.LevelWarn},
	saml.ProblemLink:         {saml.RequesterFailed, "assertion-link", slog.LevelWarn},
	saml.ProblemStatement:    {saml.RequesterFailed, "statement", slog.LevelWarn},
	saml.ProblemEncryption:   {saml.RequesterFailed, "identifier", slog.LevelWarn},
	saml.ProblemIdentifier:   {saml.RequesterFailed, "identifier", slog.LevelWarn},
	saml.ProblemIntermediary: {saml.RequesterFailed, "intermediary-unclear", slog.LevelWarn},
}

// refusalFor finds the row of an error: of a message that was seen before, or of any other.
func (s *Server) refusalFor(err error) refusal {
	if errors.Is(err, s.c.Replayed) {
		return refusalReplayed
	}
	return refusalFor(err)
}

// refusalFor finds the row of a problem. An error without one is our own failure.
func refusalFor(err error) refusal {
	switch {
	case errors.Is(err, errNoKey):
		return refusalNoKey
	case errors.Is(err, errAttribute):
		return refusalAttribute
	case errors.Is(err, errCompany):
		return refusalCompany
	case errors.Is(err, errCursor):
		return refusalCursor
	case errors.Is(err, pdp.ErrBehind):
		return refusalBehind
	}
	var problem *saml.Error
	if errors.As(err, &problem) {
		if row, ok := refusals[problem.Problem]; ok {
			return row
		}
	}
	return refusalNotFoundOut
}

// fault is how a message is answered whose sender is not known: with a SOAP fault that
// is the same whatever was wrong.
type fault struct {
	code, text string
	level      slog.Level
}

var (
	faultUnbelieved = fault{"Client", "The message was refused: it is no valid query of a known sender.", slog.LevelWarn}
	faultHeader     = fault{"MustUnderstand", "A header that must be understood is not known here.", slog.LevelWarn}
	faultBusy       = fault{"Server", "Too many questions at once. Ask again.", slog.LevelWarn}
	faultBroken     = fault{"Server", "The question could not be answered. Ask again later.", slog.LevelError}
)

// faultDisagreed is an unbelieved message for its sender, and an alarm for us.
var faultDisagreed = fault{faultUnbelieved.code, faultUnbelieved.text, slog.LevelError}

func faultFor(err error) fault {
	if errors.Is(err, xmlsec.ErrDisagreement) {
		return faultDisagreed
	}
	if errors.Is(err, saml.ErrMustUnderstand) {
		return faultHeader
	}
	return faultUnbelieved
}

// page is how a browser is answered that cannot be sent back to a broker: the same few
// words whatever was wrong, and a reference that our log has.
type page struct {
	status int
	name   string // of its texts
	level  slog.Level
}

// The pages.
var (
	pageUnreadable  = page{http.StatusBadRequest, "unreadable", slog.LevelWarn}
	pageUnbelieved  = page{http.StatusBadRequest, "unbelieved", slog.LevelWarn}
	pageDisagreed   = page{http.StatusBadRequest, "unbelieved", slog.LevelError}
	pageGone        = page{http.StatusGone, "gone", slog.LevelInfo}
	pageOver        = page{http.StatusGone, "over", slog.LevelInfo}
	pageElsewhere   = page{http.StatusForbidden, "elsewhere", slog.LevelWarn}
	pageAway        = page{http.StatusBadGateway, "away", slog.LevelWarn}
	pageBusy        = page{http.StatusServiceUnavailable, "busy", slog.LevelWarn}
	pageBroken      = page{http.StatusInternalServerError, "broken", slog.LevelError}
	pageUndelivered = page{http.StatusInternalServerError, "undelivered", slog.LevelError} // recorded, and not kept for the broker
)

// pageFor finds the page of a message whose sender is not known.
func pageFor(err error) page {
	switch {
	case errors.Is(err, saml.ErrNothingThere):
		return pageGone
	case errors.Is(err, errNotFetched):
		return pageAway
	case errors.Is(err, errBusy):
		return pageBusy
	case faultFor(err) == faultDisagreed:
		return pageDisagreed
	}
	return pageUnbelieved
}

// pageOfVisit finds the page of a visit that cannot go on.
func pageOfVisit(err error) page {
	switch {
	case errors.Is(err, errVisitOver):
		return pageOver
	case errors.Is(err, errOtherBrowser):
		return pageElsewhere
	case errors.Is(err, errNoLonger):
		return pageUnbelieved
	case errors.Is(err, errBusy):
		return pageBusy
	}
	return pageBroken
}
