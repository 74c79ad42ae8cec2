package mandate

import (
	"errors"
	"time"
	"unicode/utf8"

	"github.com/mandated/mandated/pkg/etoegang"
)

// What can be wrong with a mandate besides its validity.
var (
	ErrParties        = errors.New("a direct mandate and an assignment go to a person, a chain mandate to an organisation")
	ErrSelf           = errors.New("an organisation cannot be its own intermediary")
	ErrClient         = errors.New("an assignment names the client's chain mandate, and nothing else does")
	ErrElsewhere      = errors.New("only a chain mandate can be held by another register")
	ErrEmptyScope     = errors.New("a mandate must cover something: name services, a provider or everything")
	ErrScopeItem      = errors.New("an item of a scope is a service or a provider, not both")
	ErrScopeTwice     = errors.New("the same item stands in the scope twice")
	ErrLevel          = errors.New("the level of a mandate must be loa2 or higher")
	ErrEstablishments = errors.New("only a direct mandate can be limited to establishments")
	ErrReference      = errors.New("a reference is at most 255 bytes of text")
	ErrState          = errors.New("a mandate is registered in a state that it can still leave")
)

// Check tells whether m is fit to be registered at the moment recorded. A mandate
// that migrates from another register keeps the dates it had there.
func Check(m Mandate, recorded time.Time, migrating bool) error {
	for _, rule := range []func(Mandate) error{
		checkParties, checkScope, checkEstablishments, checkText,
	} {
		if err := rule(m); err != nil {
			return err
		}
	}
	return m.Validity.check(recorded, migrating)
}

func checkParties(m Mandate) error {
	toPerson := m.Person.ID != 0 && m.Intermediary.ID == 0
	toOrganisation := m.Person.ID == 0 && m.Intermediary.ID != 0
	switch {
	case m.Grantor.ID == 0:
		return ErrParties
	case m.Kind == Chain && !toOrganisation, m.Kind != Chain && !toPerson:
		return ErrParties
	case m.Kind != Direct && m.Kind != Chain && m.Kind != Assignment:
		return ErrParties
	case m.Kind == Chain && m.Grantor.ID == m.Intermediary.ID:
		return ErrSelf
	case (m.Kind == Assignment) != (m.Client != 0):
		return ErrClient
	case m.Kind != Chain && !m.Register.IsZero():
		return ErrElsewhere
	}
	return nil
}

func checkScope(m Mandate) error {
	if len(m.Scope) == 0 {
		return ErrEmptyScope
	}
	seen := map[Item]bool{}
	for _, item := range m.Scope {
		target := Item{Service: item.Service, Provider: item.Provider}
		switch {
		case !item.Service.IsZero() && !item.Provider.IsZero():
			return ErrScopeItem
		case !item.Level.Supported():
			return ErrLevel
		case seen[target]:
			return ErrScopeTwice
		}
		seen[target] = true
	}
	return nil
}

func checkEstablishments(m Mandate) error {
	if len(m.Establishments) > 0 && m.Kind != Direct {
		return ErrEstablishments
	}
	seen := map[etoegang.EstablishmentNumber]bool{}
	for _, e := range m.Establishments {
		if e.IsZero() || seen[e] {
			return ErrScopeTwice
		}
		seen[e] = true
	}
	return nil
}

func checkText(m Mandate) error {
	switch {
	case len(m.Reference) > 255 || !utf8.ValidString(m.Reference):
		return ErrReference
	case !m.State.Known() || m.State.Ended():
		return ErrState
	}
	return nil
}
