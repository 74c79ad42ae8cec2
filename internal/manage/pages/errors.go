package pages

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"slices"

	"github.com/mandated/mandated/internal/desk"
	"github.com/mandated/mandated/internal/guard"
	"github.com/mandated/mandated/internal/look"
	"github.com/mandated/mandated/internal/mail"
	"github.com/mandated/mandated/internal/signin"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
	"github.com/mandated/mandated/pkg/saml"
)

// explanation is what a page says about an error: a text that ends with what to do next, the
// field that it belongs to, and the status.
type explanation struct {
	err    error
	name   string // of the text
	field  string // "": none, the page as a whole
	status int
}

const (
	wrong  = http.StatusUnprocessableEntity
	denied = http.StatusForbidden
	late   = http.StatusConflict
	absent = http.StatusNotFound
	down   = http.StatusServiceUnavailable
	tooBig = http.StatusRequestEntityTooLarge
)

// explanations is the one table from errors to what people read. The first that fits counts.
var explanations = []explanation{
	{errStale, "wrong stale", "", late},
	{errUnderWay, "wrong under way", "", late},
	{errGone, "wrong gone", "", absent},
	{errChanged, "wrong changed", "", late},
	{errTooMuch, "wrong too much", "", tooBig},
	{errBigList, "wrong big list", "", tooBig},
	{errBigEdition, "wrong big edition", "", tooBig},
	{errStore, "wrong ours", "", down},

	{signin.ErrCancelled, "wrong cancelled", "", http.StatusOK},
	{signin.ErrNotBegun, "wrong not begun", "", denied},
	{signin.ErrLate, "wrong login late", "", denied},
	{signin.ErrNotAnew, "wrong not anew", "", denied},
	{signin.ErrNoKvK, "wrong no kvk", "", denied},
	{saml.ErrLevel, "wrong login level", "", denied},
	{saml.ErrEstablishments, "wrong login establishments", "", denied},
	{signin.ErrRefused, "wrong login refused", "", denied},
	{signin.ErrNotAnswered, "wrong login unanswered", "", down},
	{signin.ErrUnreached, "wrong login unanswered", "", down},
	{signin.ErrNoBroker, "wrong login unanswered", "", down},
	{signin.ErrUnbelieved, "wrong login unbelieved", "", denied},

	{mandate.ErrInvited, "wrong invited", "code", wrong},
	{mandate.ErrInvitationUsed, "wrong invitation used", "code", wrong},
	{mandate.ErrInvitationExpired, "wrong invitation expired", "code", wrong},
	{mandate.ErrLowLogin, "wrong low log-in", "code", wrong},
	{mandate.ErrSamePerson, "wrong same person", "code", wrong},
	{mandate.ErrOtherCompany, "wrong other company", "code", wrong},
	{desk.ErrPerson, "wrong person", "person", wrong},
	{desk.ErrWhy, "wrong why", "why", wrong},
	{desk.ErrNoKey, "wrong no key", "certificate", wrong},
	{desk.ErrSecretKey, "wrong secret key", "certificate", wrong},
	{desk.ErrDamagedKey, "wrong damaged key", "certificate", wrong},
	{desk.ErrUnusableKey, "wrong unusable key", "certificate", wrong},
	{desk.ErrEndedCertificate, "wrong ended certificate", "certificate", wrong},
	{register.ErrCredential, "wrong credential", "certificate", wrong},
	{desk.ErrNotClient, "wrong not client", "client", wrong},
	{desk.ErrTeamAtWork, "wrong team at work", "", late},
	{desk.ErrEnded, "wrong ended", "to", late},

	{mandate.ErrNotAppointed, "wrong not appointed", "", denied},
	{mandate.ErrNotYours, "wrong not found", "", absent},
	{mandate.ErrMayOnlyRead, "wrong only read", "", denied},
	{mandate.ErrMayNotAppoint, "wrong may not appoint", "role", wrong},
	{mandate.ErrLastAdministrator, "wrong last administrator", "sure", wrong},
	{mandate.ErrAboveLevel, "wrong above level", "level", wrong},
	{mandate.ErrOutlasts, "wrong outlasts", "to", wrong},
	{mandate.ErrRole, "wrong role", "role", wrong},
	{mandate.ErrAuthority, "wrong authority", "authority", wrong},
	{mandate.ErrName, "wrong name", "name", wrong},
	{mail.ErrAddress, "wrong email", "email", wrong},
	{mandate.ErrContact, "wrong language", "language", wrong},
	{mandate.ErrTeam, "wrong team", "name", wrong},

	{mandate.ErrParties, "wrong parties", "kvk", wrong},
	{mandate.ErrSelf, "wrong self", "kvk", wrong},
	{mandate.ErrClient, "wrong client", "", late},
	{register.ErrClient, "wrong client", "", late},
	{mandate.ErrElsewhere, "wrong elsewhere", "", wrong},
	{mandate.ErrEmptyScope, "wrong nothing chosen", "services", wrong},
	{mandate.ErrUnlisted, "wrong unknown service", "services", wrong},
	{mandate.ErrScopeItem, "wrong scope", "services", wrong},
	{mandate.ErrScopeTwice, "wrong scope", "services", wrong},
	{mandate.ErrLevel, "wrong level", "level", wrong},
	{mandate.ErrEstablishments, "wrong establishments", "", wrong},
	{mandate.ErrReference, "wrong reference", "", wrong},

	{mandate.ErrNoEnd, "wrong no end", "to", wrong},
	{mandate.ErrOrder, "wrong order", "to", wrong},
	{mandate.ErrTooLong, "wrong too long", "to", wrong},
	{mandate.ErrBackdated, "wrong changed", "", late},
	{mandate.ErrPrecision, "wrong day", "to", wrong},

	{mandate.ErrNotAsked, "wrong not asked", "", late},
	{mandate.ErrRequestExpired, "wrong request expired", "", late},
	{mandate.ErrOwnRequest, "wrong own request", "", denied},
	{mandate.ErrSignedAlready, "wrong signed already", "", denied},
	{mandate.ErrFourEyes, "wrong four eyes", "", denied},
	{mandate.ErrInPerson, "wrong in person", "level", wrong},
	{mandate.ErrNoSigner, "wrong no signer", "", denied},
	{mandate.ErrStanding, "wrong standing", "", denied},
	{mandate.ErrNotInForce, "wrong not in force", "", late},
	{mandate.ErrOtherSide, "wrong other side", "", denied},
	{mandate.ErrNotNarrower, "wrong not narrower", "services", wrong},
	{mandate.ErrSuccessor, "wrong successor", "", late},
	{register.ErrSuperseded, "wrong successor", "", late},
	{mandate.ErrOthers, "wrong changed", "", late},
	{mandate.ErrWidensScope, "wrong widens scope", "services", wrong},
	{mandate.ErrWidensTime, "wrong widens time", "to", wrong},
	{mandate.ErrWidensEstablishment, "wrong establishments", "", wrong},
	{mandate.ErrEvidence, "wrong evidence", "form-where", wrong},
	{mandate.ErrDismissal, "wrong dismissal", "notice", wrong},
	{mandate.ErrOldExtract, "wrong old extract", "extract", wrong},
	{mandate.ErrPaper, "wrong paper", "form", wrong},

	{register.ErrOverlap, "wrong overlap", "services", late},
	{register.ErrNoIdentity, "wrong number", "kvk", wrong},
	{register.ErrReserved, "wrong reserved", "kvk", wrong},
	{register.ErrUnknownParty, "wrong unknown party", "kvk", wrong},
	{register.ErrText, "wrong text", "name", wrong},
	{register.ErrEntry, "wrong entry", "form", wrong},
	{register.ErrConsent, "wrong consent", "services", wrong},
	{register.ErrNotFound, "wrong not found", "", absent},
	{register.ErrUnheard, "wrong unheard", "", down},
	{register.ErrUncertain, "wrong uncertain", "", down},
	{register.ErrBusy, "wrong busy", "", down},
	{register.ErrUnreachable, "wrong busy", "", down},
	{register.ErrStandby, "wrong busy", "", down},
	{register.ErrClock, "wrong busy", "", down},
	{register.ErrFull, "wrong busy", "", down},
	{register.ErrReadOnly, "wrong busy", "", down},
	{register.ErrClosed, "wrong busy", "", down},
}

// explained finds what to say about an error.
func explained(err error) (explanation, bool) {
	if err == nil {
		return explanation{}, false
	}
	for _, e := range explanations {
		if errors.Is(err, e.err) {
			return e, true
		}
	}
	var state *register.TransitionError
	var appointment *register.AppointmentError
	if errors.As(err, &state) || errors.As(err, &appointment) {
		return explanation{err, "wrong not in force", "", late}, true
	}
	return explanation{err, "wrong ours", "", http.StatusInternalServerError}, false
}

// beside is what to say of an error beside one of those fields; nil: it belongs to none of them.
func (v *visit) beside(err error, fields ...string) faults {
	if e, known := explained(err); known && slices.Contains(fields, e.field) {
		return faults{e.field: v.say.Say(e.name)}
	}
	return nil
}

// explain makes a page of an error that no field can show.
func (v *visit) explain(err error) answer {
	e, known := explained(err)
	v.note(err, e, known)
	parts := []look.Part{look.Paragraph{Text: v.say.Say(e.name), Lead: true}}
	switch {
	case (e.err == errStale || e.status == tooBig) && v.r.Method == http.MethodPost:
		parts = append(parts, look.Actions{{Link: look.Link{Text: v.say.Say("open anew"), Address: v.formAt()}}})
	case v.session == nil:
		parts = append(parts, look.Actions{{Link: look.Link{Text: v.say.Say("log in"), Address: "/login"}}})
	default:
		parts = append(parts, v.toStart())
	}
	title := "cannot"
	switch e.status {
	case absent:
		title = "not found"
	case http.StatusOK:
		title = "cancelled"
	case down, http.StatusInternalServerError:
		title = "trouble"
	}
	return answer{status: e.status, page: look.Page{Title: v.say.Say(title), Parts: parts, Address: "/"}}
}

// note writes down what operators should know: not what people do wrong, but what we do, and
// answers to log-ins that are not believed.
func (v *visit) note(err error, e explanation, known bool) {
	level := slog.LevelDebug
	switch {
	case errors.Is(err, context.Canceled): // he left
	case !known || e.status == down:
		level = slog.LevelError
	case errors.Is(err, guard.ErrReplayed), errors.Is(err, signin.ErrUnbelieved):
		level = slog.LevelWarn
	}
	v.c.Log.Log(v.ctx(), level, "page not given", "page", v.r.Pattern, "error", err)
}

// nowhere is an address that leads nowhere.
func (v *visit) nowhere() (answer, error) { return answer{}, register.ErrNotFound }

// tooOften is a page of which somebody asks too many.
func (v *visit) tooOften() answer {
	return answer{status: http.StatusTooManyRequests, page: look.Page{Title: v.say.Say("cannot"), Address: "/", Parts: []look.Part{
		look.Paragraph{Text: v.say.Say("wrong too often"), Lead: true},
		v.toStart(),
	}}}
}

// crossed is a form of another site.
func (v *visit) crossed() (answer, error) {
	return answer{status: denied, page: look.Page{Title: v.say.Say("cannot"), Address: "/", Parts: []look.Part{
		look.Paragraph{Text: v.say.Say("wrong crossed"), Lead: true},
		v.toStart(),
	}}}, nil
}
