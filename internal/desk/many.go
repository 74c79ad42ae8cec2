package desk

import (
	"context"
	"errors"

	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
)

// Many is one change in which one caller asks for many mandates. A wish that is refused has
// done nothing, and does not spoil the others. It is for the function it was given to.
type Many struct{ turn *turn }

// errRehearsal undoes what was only tried.
var errRehearsal = errors.New("dry run")

// Many lets somebody ask for many mandates in one change. dry undoes all of it in the end:
// the outcomes are those of asking in earnest, as long as nothing else changes in between.
func (d *Desk) Many(ctx context.Context, c Caller, why string, dry bool, do func(*Many) error) (register.Receipt, error) {
	receipt, err := d.change(ctx, c, why, func(t *turn) error {
		if err := do(&Many{t}); err != nil || !dry {
			return err
		}
		return errRehearsal
	})
	if errors.Is(err, errRehearsal) {
		err = nil
	}
	return receipt, err
}

// EndedError says that just this mandate was there and has ended. An old list that is asked
// for again must not bring back what was revoked.
type EndedError struct{ Mandate mandate.Mandate }

func (e *EndedError) Error() string { return ErrEnded.Error() }

// Unwrap makes it an ErrEnded.
func (e *EndedError) Unwrap() error { return ErrEnded }

// ErrEnded: see EndedError.
var ErrEnded = errors.New("this mandate was there before and has ended: to have it again, choose another start or end")

// Expect looks up together whom wishes name. It changes no outcome.
func (m *Many) Expect(wishes []Wish) error {
	var companies []etoegang.KvKNumber
	var people []etoegang.ActingSubject
	for _, w := range wishes {
		for _, p := range []Party{w.Grantor, w.Intermediary} {
			if !p.KvK.IsZero() {
				companies = append(companies, p.KvK)
			}
		}
		if !w.Person.Subject.IsZero() {
			people = append(people, w.Person.Subject)
		}
	}
	return m.turn.Expect(companies, people)
}

// Ask is Desk.Ask. A mandate that is there already, in force or asked for, stays as it is,
// also when by now it could no longer be asked for: there is true.
func (m *Many) Ask(w Wish) (result mandate.Mandate, there bool, err error) {
	err = m.turn.Try(func() (err error) {
		if result, there, err = m.turn.there(w); there || err != nil {
			return err
		}
		result, err = m.turn.ask(w)
		return err
	})
	return result, there, err
}

// there finds the mandate that is wished for. Whoever is named and is not known has none.
func (t *turn) there(w Wish) (mandate.Mandate, bool, error) {
	m := mandate.Mandate{Kind: w.Kind, Client: w.Client, Scope: w.Scope, Establishments: w.Establishments, Validity: w.Validity, Reference: w.Reference}
	known, err := t.known(&m, w)
	if !known || err != nil {
		return m, false, err
	}
	others, err := t.Snapshot().Alike(m)
	if err != nil {
		return m, false, err
	}
	m = register.InOrder(m)
	var ended error
	for _, other := range others {
		switch {
		case !m.Same(other) || other.State == mandate.Superseded:
		case other.State.Ended():
			ended = &EndedError{other}
		default:
			return other, true, nil
		}
	}
	return m, false, ended
}

// known looks up who a wish names, as far as the caller is one of them.
func (t *turn) known(m *mandate.Mandate, w Wish) (bool, error) {
	look := func(into *mandate.Organisation, p Party) (bool, error) {
		if p.KvK.IsZero() {
			return false, nil
		}
		o, err := t.Snapshot().Organisation(p.KvK.LegalSubject())
		if o == nil {
			return false, err
		}
		*into = *o
		return true, err
	}
	if ok, err := look(&m.Grantor, w.Grantor); !ok {
		return false, err
	}
	if m.Kind == mandate.Chain {
		if ok, err := look(&m.Intermediary, w.Intermediary); !ok {
			return false, err
		}
	}
	if _, err := t.actor.Side(*m); err != nil {
		return false, nil
	}
	if m.Kind == mandate.Chain {
		return true, nil
	}
	if m.Kind == mandate.Assignment {
		if _, err := t.own(m.Client); errors.Is(err, register.ErrNotFound) {
			return false, nil
		} else if err != nil {
			return false, err
		}
	}
	if m.Person.ID = w.Person.ID; m.Person.ID != 0 {
		return true, nil
	}
	p, err := t.Snapshot().Person(w.Person.Subject)
	if p == nil {
		return false, err
	}
	m.Person = *p
	return true, err
}
