package mandate

import (
	"errors"
	"slices"

	"github.com/mandated/mandated/pkg/etoegang"
)

// ServiceSet is a list of services that belong together, under a name that people know
// (DigiD Machtigen calls it a dienstenset). It spares them from choosing one by one: a
// mandate covers what was in the set on the day it was granted, and no more when the set
// grows.
type ServiceSet struct {
	Name     map[string]string // by language
	Services []etoegang.ServiceUUID
}

// ErrServiceSet: a set that cannot be offered.
var ErrServiceSet = errors.New("a set of services has a name in nl and en, and at least one service, each named once")

// Check tells whether the set can be offered.
func (s ServiceSet) Check() error {
	for i, u := range s.Services {
		if u.IsZero() || slices.Contains(s.Services[:i], u) {
			return ErrServiceSet
		}
	}
	if s.Name["nl"] == "" || s.Name["en"] == "" || len(s.Services) == 0 {
		return ErrServiceSet
	}
	return nil
}

// At is the scope of all that is in the set, at one level.
func (s ServiceSet) At(level etoegang.AssuranceLevel) (scope Scope) {
	for _, u := range s.Services {
		scope = append(scope, Item{Service: u, Level: level})
	}
	return scope
}
