package sandbox

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/mandated/mandated/pkg/mandate"
)

// A step of a log-in reads people and registers while somebody else may add people, or begin
// everything again. Steps hold the scene for reading. What other parties fetch over the back
// channel while a step waits for them holds nothing, so that nobody waits for himself.

// during lets a step hold the scene.
func (s *Sandbox) during(next step) step {
	return func(w http.ResponseWriter, r *http.Request) error {
		s.scene.RLock()
		defer s.scene.RUnlock()
		return next(w, r)
	}
}

// Reset lets everything begin again: both registers are emptied and filled with the people of
// the stories, and log-ins, wishes and whoever was added are forgotten. Providers that joined
// stay, since their files do. Log-ins that are under way come to nothing.
func (s *Sandbox) Reset(ctx context.Context) error {
	s.scene.Lock()
	defer s.scene.Unlock()
	s.mu.Lock() // nobody joins meanwhile
	defer s.mu.Unlock()
	if err := errors.Join(s.Network.First.Empty(ctx), s.Network.Second.Empty(ctx)); err != nil {
		return fmt.Errorf("emptying the registers: %w", err)
	}
	s.Log.forget()
	s.broker.wishes.forget()
	s.broker.logins.forget()
	s.authenticator.guests.forget()
	return s.populate()
}

// person is the one of that name; nil: there is none. The scene must be held.
func (s *Sandbox) person(name string) *Person {
	i := slices.IndexFunc(s.persons, func(p *Person) bool { return p.Name == name })
	if i < 0 {
		return nil
	}
	return s.persons[i]
}

// people are all who can log in. The scene must be held.
func (s *Sandbox) people() []*Person { return s.persons }

// company is the one of that KvK number. The scene must be held.
func (s *Sandbox) company(kvk string) (mandate.Organisation, bool) {
	i, found := slices.BinarySearchFunc(s.companies, kvk, byNumber)
	if !found {
		return mandate.Organisation{}, false
	}
	return s.companies[i], true
}

// keepCompany remembers a company. The scene must be held for writing.
func (s *Sandbox) keepCompany(o mandate.Organisation) {
	i, found := slices.BinarySearchFunc(s.companies, o.KvK.Text(), byNumber)
	if found {
		s.companies[i] = o
		return
	}
	s.companies = slices.Insert(s.companies, i, o)
}

func byNumber(o mandate.Organisation, kvk string) int { return cmp.Compare(o.KvK.Text(), kvk) }
