package decision

import (
	"cmp"
	"slices"
	"time"

	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/mandate"
)

// Version is the number of the rules. It must be raised with every change after which the
// same facts and request may give another Decision, be it in one reason only: it stands in
// the key of every hot decision, so that no kept answer outlives the rules that gave it,
// and in every record, so that one can tell under which rules it was decided.
const Version = 1

// judgeService looks at the service and the level asked for, before any mandate. The
// answer is a code that ends the matter, or nothing.
func judgeService(s *etoegang.Service, r Request) Code {
	switch {
	case s == nil:
		return ServiceUnknown
	case !s.Public && !r.TestNetwork:
		return ServiceNotPublic
	case r.Asked != etoegang.NoLevel && !r.Asked.Supported():
		return LevelUnsupported
	case r.Asked > max(s.Level, etoegang.LoA2): // a request may lower the catalogue's level, never raise it
		return LevelAboveCatalogue
	case r.Certified != etoegang.NoLevel && required(s, r) > r.Certified: // HM-MR: never a level we are not certified for
		return LevelUnsupported
	}
	return ""
}

// required is the level that every link must reach: what is asked, or what the catalogue
// says. loa1 has ended, so that nothing needs less than loa2.
func required(s *etoegang.Service, r Request) etoegang.AssuranceLevel {
	return cmp.Or(r.Asked, max(s.Level, etoegang.LoA2))
}

// judgeRequest gathers what stands in the way whatever the mandates say. mandates
// tells whether any mandate was there to be considered.
func judgeRequest(f Facts, r Request, required etoegang.AssuranceLevel, mandates bool) []Reason {
	var reasons []Reason
	add := func(c Code) { reasons = append(reasons, Reason{Code: c}) }
	if r.Authentication < required {
		add(AuthenticationTooLow)
	}
	switch {
	case !r.Represented.IsZero() && f.Represented == nil && !(mandates && r.choosesElsewhere()):
		add(RepresentedUnknown)
	case !mandates && r.personsHalf():
		add(NoMandateToPerson)
	case !mandates:
		add(NoMandateToCompany)
	}
	if r.personsHalf() && f.Person != nil {
		reasons = append(reasons, judgeParty(f.Person.Active, f.Person.Blocked, 0)...)
	}
	if !r.personsHalf() && r.Previous < required {
		add(AssuranceTooLow)
	}
	return reasons
}

// found is a path that holds for one target service.
type found struct {
	path        path
	target      etoegang.ServiceUUID
	identifiers []etoegang.LegalSubject
	used        etoegang.AssuranceLevel
}

// consider applies every rule to one path and gathers all reasons, without an early
// exit: whoever repairs a mandate wants to hear everything at once.
func consider(p path, s *etoegang.Service, r Request, required etoegang.AssuranceLevel) ([]found, []Reason) {
	var reasons []Reason
	for _, m := range p.links {
		reasons = append(reasons, judgeState(m, r.At)...)
		reasons = append(reasons, judgeParty(m.Grantor.Active, m.Grantor.Blocked, m.ID)...)
	}
	if p.through != nil { // of two links it gave the first, and has been told of there
		reasons = append(reasons, judgeParty(p.through.Active, p.through.Blocked, p.links[0].ID)...)
	}
	if p.informative == len(p.links) { // the company has given no link here, and may be known here still
		reasons = append(reasons, judgeParty(p.grantor.Active, p.grantor.Blocked, p.links[0].ID)...)
	}
	company := p.links[len(p.links)-1] // the link that the represented company gave
	held, uncovered := judgeScope(p, wanted(s.Targets(), r), required)
	reasons = append(reasons, uncovered...)
	identifiers, code := chooseIdentifiers(p, s.EntityTypes)
	if !judgeEstablishments(p, s, r) {
		reasons = append(reasons, Reason{EstablishmentMismatch, company.ID})
	}
	if code != "" {
		reasons = append(reasons, Reason{code, company.ID})
	}
	if len(reasons) > 0 {
		return nil, reasons
	}
	for i := range held {
		held[i].identifiers = identifiers
		if !r.personsHalf() {
			held[i].used = min(held[i].used, r.Previous)
		}
	}
	return held, nil
}

// judgeParty looks at whether somebody may take part at all, and tells both ways in which
// he may not: they are lifted by different people.
func judgeParty(active, blocked bool, m mandate.ID) []Reason {
	var reasons []Reason
	if !active {
		reasons = append(reasons, Reason{PartyInactive, m})
	}
	if blocked {
		reasons = append(reasons, Reason{PartyBlocked, m})
	}
	return reasons
}

// judgeState looks at where the mandate is in its life, and at its validity. A mandate
// that has ended for good has only that one reason.
func judgeState(m mandate.Mandate, at time.Time) []Reason {
	switch {
	case m.State == mandate.LapsedUnused:
		return []Reason{{LapsedUnused, m.ID}}
	case m.State.Pending():
		return []Reason{{NotYetGranted, m.ID}}
	case m.State != mandate.Active && m.State != mandate.Suspended: // also one that nobody knows
		return []Reason{{Revoked, m.ID}}
	}
	var reasons []Reason
	if m.State == mandate.Suspended {
		reasons = append(reasons, Reason{Suspended, m.ID})
	}
	if at.Before(m.Validity.From) {
		reasons = append(reasons, Reason{NotYetValid, m.ID})
	} else if !m.Validity.Holds(at) {
		reasons = append(reasons, Reason{Expired, m.ID})
	}
	return reasons
}

// judgeScope looks for target services that every link covers at the required level.
// One is enough (a portal has several). The level of the path is that of its lowest
// link; a link that another register must confirm has no level here. Without any such
// service, each link that stands in the way gets its reason.
func judgeScope(p path, targets []etoegang.Target, required etoegang.AssuranceLevel) (held []found, reasons []Reason) {
	for _, t := range targets {
		if used := p.level(t); used >= required {
			held = append(held, found{path: p, target: t.UUID, used: used})
		}
	}
	if held != nil {
		return held, nil
	}
	for i, m := range p.links {
		best := etoegang.NoLevel
		for _, t := range targets {
			best = max(best, m.Scope.Level(t))
		}
		if best == etoegang.NoLevel {
			reasons = append(reasons, Reason{ServiceNotCovered, m.ID})
		} else if best < required && i != p.informative {
			reasons = append(reasons, Reason{AssuranceTooLow, m.ID})
		}
	}
	if reasons == nil { // a portal: the links reach different services behind it
		reasons = []Reason{{ServiceNotCovered, p.links[0].ID}}
	}
	return nil, reasons
}

// level is the lowest level at which the links cover t, or NoLevel if one does not.
func (p path) level(t etoegang.Target) etoegang.AssuranceLevel {
	lowest := etoegang.LoA4
	for i, m := range p.links {
		l := m.Scope.Level(t)
		if l == etoegang.NoLevel {
			return l
		}
		if i != p.informative {
			lowest = min(lowest, l)
		}
	}
	return lowest
}

// judgeEstablishments: a mandate limited to establishments helps only at a service
// that knows the restriction (ServiceRestrictionsAllowed), and holds up an earlier
// answer only if that was limited to the same establishments or fewer.
func judgeEstablishments(p path, s *etoegang.Service, r Request) bool {
	if len(p.establish) == 0 {
		return true
	}
	if !s.Establishments {
		return false
	}
	return r.Question != Recheck || len(r.Establishments) > 0 && containsAll(p.establish, r.Establishments)
}

func containsAll[T comparable](set, wanted []T) bool {
	for _, w := range wanted {
		if !slices.Contains(set, w) {
			return false
		}
	}
	return true
}

// chooseIdentifiers fills the first set of identifier types that the company has
// altogether; the code tells why there is none. A mandate limited to establishments needs
// a set with the KvK number, without which an establishment number means nothing. A path
// that another register confirms needs no identifiers: that register gives them.
func chooseIdentifiers(p path, sets [][]etoegang.EntityType) ([]etoegang.LegalSubject, Code) {
	if p.informative >= 0 {
		return nil, ""
	}
	code := IdentifierNotAvailable
	for _, set := range sets {
		filled, ok := fill(p.grantor, set)
		switch {
		case !ok:
		case len(p.establish) > 0 && !slices.Contains(set, etoegang.TypeKvKNr):
			code = EstablishmentMismatch // without the limit it would do
		default:
			return filled, ""
		}
	}
	return nil, code
}

func fill(o mandate.Organisation, set []etoegang.EntityType) ([]etoegang.LegalSubject, bool) {
	filled := make([]etoegang.LegalSubject, 0, len(set))
	for _, t := range set {
		id, ok := o.Identifier(t)
		if !ok {
			return nil, false
		}
		filled = append(filled, id)
	}
	return filled, len(filled) > 0
}
