package desk

import (
	"context"

	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
)

// Wish is a mandate that somebody wants.
type Wish struct {
	Kind         mandate.Kind
	Grantor      Party
	Intermediary Party      // Chain
	Person       PersonWish // Direct, Assignment
	Client       mandate.ID // Assignment: the client's chain mandate

	Scope          mandate.Scope
	Establishments []etoegang.EstablishmentNumber
	Validity       mandate.Validity
	Reference      string

	Supersedes mandate.ID // the mandate that this one follows: to renew or to widen it
	Offer      bool       // the intermediary is to accept what the company gives

	handsOver mandate.ID // see HandOver

	Consent  register.Consent   // the text that was agreed to
	Evidence []mandate.Evidence // of the register's staff
}

// Party names a company. The name counts only where the register does not know one yet.
type Party struct {
	KvK  etoegang.KvKNumber
	Name string
}

// PersonWish names a person: by his number, if the organisation knows him, or as his
// authentication service knows him.
type PersonWish struct {
	ID      mandate.PersonID
	Subject etoegang.ActingSubject
	Name    string
}

// Ask begins a mandate: in force at once where the caller may grant it himself, else as a
// request that waits for those who must agree. The state of what is done tells which.
func (d *Desk) Ask(ctx context.Context, c Caller, why string, w Wish) (done Done, err error) {
	done.Receipt, err = d.change(ctx, c, why, func(t *turn) (err error) {
		done.Mandate, err = t.ask(w)
		return err
	})
	return done, err
}

func (t *turn) ask(w Wish) (mandate.Mandate, error) {
	m := mandate.Mandate{Kind: w.Kind, Client: w.Client, Scope: w.Scope, Establishments: w.Establishments,
		Validity: w.Validity, Reference: w.Reference, Supersedes: w.Supersedes}
	if err := t.parties(&m, w); err != nil {
		return m, err
	}
	if err := t.follows(m); err != nil {
		return m, err
	}
	if err := listed(m.Scope, []mandate.ID{m.Client, m.Supersedes}, t.own, t.offered); err != nil {
		return m, err
	}
	return t.begin(m, w)
}

// begin begins a mandate of which the parties are known.
func (t *turn) begin(m mandate.Mandate, w Wish) (mandate.Mandate, error) {
	company, err := t.signing(m)
	if err != nil {
		return m, err
	}
	r, err := mandate.Ask(m, t.actor, w.Offer, company, w.Evidence, t.Now())
	if err != nil {
		return m, err
	}
	r.HandsOver = w.handsOver
	if m, err = t.grant(r); err != nil {
		return m, err
	}
	if err := t.charge(m); err != nil {
		return m, err
	}
	r.Mandate = m
	return m, t.wroteOf(r, mandate.ActAsk, w.Consent, w.Evidence)
}

// signing gathers what counts of the grantor if the actor signs for it; else nothing does.
func (t *turn) signing(m mandate.Mandate) (c mandate.Company, err error) {
	if side, err := t.actor.Side(m); err != nil || side != mandate.GrantorSide {
		return c, nil // whether he may ask, package mandate tells
	}
	return t.company(m.Grantor.ID)
}

// grant registers a mandate, as a request if it is one.
func (t *turn) grant(r mandate.Request) (mandate.Mandate, error) {
	var o register.GrantOptions
	if r.State.Pending() {
		o.Request = &register.Asked{By: r.AskedBy, Offer: r.Offer, Expires: r.Expires, HandsOver: r.HandsOver}
	}
	return t.Grant(r.Mandate, o)
}

// parties finds who the mandate is between. A company of which only the number is known is
// registered with it: that is all that a mandate needs.
func (t *turn) parties(m *mandate.Mandate, w Wish) (err error) {
	if m.Grantor, err = party(t.Tx, w.Grantor); err != nil {
		return err
	}
	if w.Kind == mandate.Chain {
		m.Intermediary, err = party(t.Tx, w.Intermediary)
		return err
	}
	if w.Kind == mandate.Assignment {
		if _, err := t.own(w.Client); err != nil {
			return err
		}
	}
	m.Person, err = t.person(m.Grantor.ID, w.Person)
	return err
}

func party(t *register.Tx, p Party) (mandate.Organisation, error) {
	if p.KvK.IsZero() {
		return mandate.Organisation{}, register.ErrNoIdentity
	}
	known, err := t.Snapshot().Organisation(p.KvK.LegalSubject())
	if err != nil {
		return mandate.Organisation{}, err
	}
	if known != nil {
		return *known, nil
	}
	return t.PutOrganisation(mandate.Organisation{KvK: p.KvK, Name: p.Name, Active: true})
}

// person finds who receives a mandate. By number an organisation names only people who have
// had a mandate of it, or are in a team of its: numbers are easily mistaken.
func (t *turn) person(grantor mandate.OrganisationID, w PersonWish) (mandate.Person, error) {
	if w.ID == 0 {
		known, err := t.Snapshot().Person(w.Subject)
		if err != nil {
			return mandate.Person{}, err
		}
		if known != nil {
			return *known, nil
		}
		return t.PutPerson(mandate.Person{Subject: w.Subject, Name: w.Name, Active: true})
	}
	list, _, err := t.Snapshot().Mandates(register.Filter{Organisation: grantor, Person: w.ID}, 0, 1)
	switch {
	case err != nil:
		return mandate.Person{}, err
	case len(list) == 0:
		return t.colleague(grantor, w.ID)
	}
	return list[0].Person, nil
}

// colleague is somebody who is in a team of the organisation, and has had no mandate of it yet.
func (t *turn) colleague(o mandate.OrganisationID, id mandate.PersonID) (mandate.Person, error) {
	teams, err := t.Snapshot().TeamsOf(o, id)
	if err != nil {
		return mandate.Person{}, err
	}
	p, err := t.Snapshot().PersonNumbered(id)
	if err == nil && (p == nil || len(teams) == 0) {
		err = ErrPerson
	}
	if err != nil {
		return mandate.Person{}, err
	}
	return *p, nil
}

// follows tells whether m may take the place of the mandate that it names.
func (t *turn) follows(m mandate.Mandate) error {
	if m.Supersedes == 0 {
		return nil
	}
	other, err := t.own(m.Supersedes)
	if err != nil {
		return err
	}
	return m.Succeeds(other, t.Now())
}

// Listed tells whether the catalogue has what somebody wishes for, but for what was agreed to before:
// in the mandates named, of which one is a client's that he passes on, or one that he renews. 0
// names none. See mandate.Scope.Named.
func (l *Look) Listed(s mandate.Scope, before ...mandate.ID) error {
	return listed(s, before, l.own, l.offered)
}

func listed(s mandate.Scope, before []mandate.ID, own func(mandate.ID) (mandate.Mandate, error), offers func() (mandate.Offered, error)) error {
	var agreed mandate.Scope
	for _, id := range before {
		if id == 0 {
			continue
		}
		m, err := own(id)
		if err != nil {
			return err
		}
		agreed = append(agreed, m.Scope...)
	}
	named := s.Named(agreed)
	if len(named) == 0 {
		return nil
	}
	offered, err := offers()
	if err != nil {
		return err
	}
	return named.Listed(offered)
}
