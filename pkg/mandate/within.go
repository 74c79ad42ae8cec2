package mandate

import (
	"errors"
	"fmt"
	"slices"

	"github.com/mandated/mandated/pkg/etoegang"
)

// Offered gives the providers that offer what an item names, as the service catalogue knows them:
// a service, or anything at all. None: the catalogue does not have it. A nil one: no catalogue is
// known.
type Offered func(Item) []etoegang.OIN

// What makes a mandate more than another: an answer may narrow what was asked, and a
// change at once may narrow what was granted. For more, a new approval is needed.
var (
	ErrOthers              = errors.New("that would be a mandate between other parties")
	ErrWidensScope         = errors.New("that covers more services, or a higher level")
	ErrWidensTime          = errors.New("that lasts longer, or begins earlier")
	ErrWidensEstablishment = errors.New("that holds for more establishments")
)

// Within tells whether m is no more than another mandate between the same parties: nothing
// that m permits would be refused by it.
func (m Mandate) Within(other Mandate, offered Offered) error {
	switch {
	case !m.sameParties(other):
		return ErrOthers
	case !m.Scope.within(other.Scope, offered):
		return ErrWidensScope
	case m.Validity.From.Before(other.Validity.From) || m.Validity.To.After(other.Validity.To):
		return ErrWidensTime
	case !withinEstablishments(m.Establishments, other.Establishments):
		return ErrWidensEstablishment
	}
	return nil
}

// Same tells whether two mandates agree in all that was agreed.
func (m Mandate) Same(other Mandate) bool {
	return m.sameParties(other) && slices.Equal(m.Scope, other.Scope) && m.Reference == other.Reference &&
		m.Validity.From.Equal(other.Validity.From) && m.Validity.To.Equal(other.Validity.To) && slices.Equal(m.Establishments, other.Establishments)
}

func (m Mandate) sameParties(other Mandate) bool {
	return m.Kind == other.Kind && m.Grantor.ID == other.Grantor.ID && m.Person.ID == other.Person.ID &&
		m.Intermediary.ID == other.Intermediary.ID && m.Client == other.Client && m.Register == other.Register
}

func withinEstablishments(list, others []etoegang.EstablishmentNumber) bool {
	if len(others) == 0 {
		return true
	}
	return len(list) > 0 && !slices.ContainsFunc(list, func(e etoegang.EstablishmentNumber) bool { return !slices.Contains(others, e) })
}

func (s Scope) within(other Scope, offered Offered) bool {
	return !slices.ContainsFunc(s, func(i Item) bool { return !i.within(other, offered) })
}

// within tells whether a scope covers all that an item does. A service that several
// providers share is covered where it is at each of them.
func (i Item) within(other Scope, offered Offered) bool {
	if i.Service.IsZero() {
		return slices.ContainsFunc(other, func(o Item) bool {
			return o.Service.IsZero() && (o.Provider.IsZero() || o.Provider == i.Provider) && o.Level >= i.Level
		})
	}
	everywhere := []etoegang.OIN{{}} // at least where no provider's name helps
	if offered != nil {
		if providers := offered(i); len(providers) > 0 {
			everywhere = providers
		}
	}
	return !slices.ContainsFunc(everywhere, func(p etoegang.OIN) bool {
		return other.Level(etoegang.Target{UUID: i.Service, Provider: p}) < i.Level
	})
}

// UnlistedError says what the service catalogue does not have.
type UnlistedError struct{ Item Item }

func (e *UnlistedError) Error() string { return fmt.Sprintf("%s: %s", ErrUnlisted, e.Item) }

// Unwrap makes it an ErrUnlisted.
func (e *UnlistedError) Unwrap() error { return ErrUnlisted }

// ErrUnlisted: see UnlistedError.
var ErrUnlisted = errors.New("the service catalogue does not have this service or provider")

// Named are the services and providers that a scope names and that were not agreed to before, be it
// in a mandate that it follows or in a client's that it passes on.
func (s Scope) Named(before Scope) (named Scope) {
	for _, i := range s {
		if i.names() && !i.within(before, nil) {
			named = append(named, i)
		}
	}
	return named
}

// names tells whether an item is about a service or a provider, and not about everything.
func (i Item) names() bool { return !i.Service.IsZero() || !i.Provider.IsZero() }

// Listed tells whether the service catalogue has what a scope names. *UnlistedError: something is
// unknown. What was agreed to before may have left it since: see Named.
func (s Scope) Listed(offered Offered) error {
	for _, i := range s {
		if offered != nil && i.names() && len(offered(i)) == 0 {
			return &UnlistedError{i}
		}
	}
	return nil
}
