package decision

import (
	"cmp"
	"slices"

	"github.com/mandated/mandated/pkg/mandate"
)

// Code says why, in one stable word: one per thing that a person can repair. Codes go
// into messages, metrics and the journal.
type Code string

// The reasons, in the order in which they are told.
const (
	ServiceUnknown      Code = "service-unknown"
	ServiceNotPublic    Code = "service-not-public"
	LevelUnsupported    Code = "level-not-supported"   // the asker's fault, not a matter of mandates
	LevelAboveCatalogue Code = "level-above-catalogue" // the asker's fault, not a matter of mandates

	AuthenticationTooLow Code = "authentication-too-low"
	RepresentedUnknown   Code = "represented-unknown"
	NoMandateToPerson    Code = "no-mandate-to-person"
	NoMandateToCompany   Code = "no-mandate-to-intermediary"

	PartyInactive          Code = "party-inactive"
	PartyBlocked           Code = "party-blocked"
	NotYetGranted          Code = "not-yet-granted"
	Revoked                Code = "revoked"
	LapsedUnused           Code = "lapsed-unused"
	Suspended              Code = "suspended"
	NotYetValid            Code = "not-yet-valid"
	Expired                Code = "expired"
	ServiceNotCovered      Code = "service-not-covered"
	AssuranceTooLow        Code = "assurance-too-low"
	EstablishmentMismatch  Code = "establishment-mismatch"
	IdentifierNotAvailable Code = "identifier-type-not-available"
)

// sentences explain the codes to people who manage mandates.
var sentences = map[Code]string{
	ServiceUnknown:         "the service is not in the service catalogue",
	ServiceNotPublic:       "the service is not public and this is not a test network",
	LevelUnsupported:       "the level has ended, or this register is not certified for it",
	LevelAboveCatalogue:    "the request asks for a higher level than the service has in the catalogue",
	AuthenticationTooLow:   "the person logged in at a lower level than the service needs",
	RepresentedUnknown:     "the company is not known in this register",
	NoMandateToPerson:      "nobody has mandated this person",
	NoMandateToCompany:     "the company has not mandated this intermediary",
	PartyInactive:          "somebody on this path no longer takes part",
	PartyBlocked:           "the register has blocked somebody on this path",
	NotYetGranted:          "the mandate has been asked for and not granted yet",
	Revoked:                "the mandate has been revoked",
	LapsedUnused:           "the mandate ended because it was not used",
	Suspended:              "the mandate is suspended",
	NotYetValid:            "the mandate has not begun yet",
	Expired:                "the mandate has expired",
	ServiceNotCovered:      "the mandate does not cover this service",
	AssuranceTooLow:        "the mandate was registered at a lower level than the service needs",
	EstablishmentMismatch:  "the mandate is limited to establishments, and that does not fit here",
	IdentifierNotAvailable: "the company has none of the identifiers that the service wants",
}

// Sentence explains the code in plain English.
func (c Code) Sentence() string { return sentences[c] }

// AskersFault tells whether the request itself could not be supported, so that no
// mandate could ever have helped (SAML: Requester/RequestUnsupported).
func (c Code) AskersFault() bool { return c == LevelUnsupported || c == LevelAboveCatalogue }

// Codes lists all reason codes in the order in which they are told.
func Codes() []Code { return slices.Clone(order) }

var order = []Code{
	ServiceUnknown, ServiceNotPublic, LevelUnsupported, LevelAboveCatalogue,
	AuthenticationTooLow, RepresentedUnknown, NoMandateToPerson, NoMandateToCompany,
	PartyInactive, PartyBlocked, NotYetGranted, Revoked, LapsedUnused, Suspended, NotYetValid, Expired,
	ServiceNotCovered, AssuranceTooLow, EstablishmentMismatch, IdentifierNotAvailable,
}

// Reason is a code and the mandate that it is about; 0 when it is about the request.
type Reason struct {
	Code    Code
	Mandate mandate.ID
}

// Codes lists the different codes of the decision's reasons, in order.
func (d Decision) Codes() []Code {
	var codes []Code
	for _, c := range order {
		if slices.ContainsFunc(d.Reasons, func(r Reason) bool { return r.Code == c }) {
			codes = append(codes, c)
		}
	}
	return codes
}

// tidy orders reasons by mandate, then by the order of the rules, each once: two
// clients' paths may fail on the same assignment.
func tidy(reasons []Reason) []Reason {
	slices.SortFunc(reasons, func(a, b Reason) int {
		return cmp.Or(cmp.Compare(a.Mandate, b.Mandate), cmp.Compare(rank(a.Code), rank(b.Code)))
	})
	return slices.Compact(reasons)
}

func rank(c Code) int { return slices.Index(order, c) }
