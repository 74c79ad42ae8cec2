package register

import (
	"fmt"

	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/mandate"
)

// The shapes in which rows leave the database, and how they become our words. A
// value that does not parse was not written by us, and is an error.

type organisationRow struct {
	id              int64
	kvk, rsin, name string
	active, blocked bool
}

func (o *organisationRow) fields() []any {
	return []any{&o.id, &o.kvk, &o.rsin, &o.name, &o.active, &o.blocked}
}

// organisation is the zero Organisation for the row of nobody.
func (o *organisationRow) organisation() (result mandate.Organisation, err error) {
	if o.id == 0 {
		return result, nil
	}
	result.ID, result.Name, result.Active, result.Blocked = mandate.OrganisationID(o.id), o.name, o.active, o.blocked
	if result.KvK, err = etoegang.ParseKvKNumber(o.kvk); err == nil && o.rsin != "" {
		result.RSIN, err = etoegang.ParseRSIN(o.rsin)
	}
	if err != nil {
		return result, fmt.Errorf("reading organisation %d: %w", o.id, err)
	}
	return result, nil
}

type personRow struct {
	id                             int64
	authenticator, pseudonym, name string
	active, blocked                bool
}

func (p *personRow) fields() []any {
	return []any{&p.id, &p.authenticator, &p.pseudonym, &p.name, &p.active, &p.blocked}
}

// person is the zero Person for the row of nobody.
func (p *personRow) person() (result mandate.Person, err error) {
	if p.id == 0 {
		return result, nil
	}
	result.ID, result.Name, result.Active, result.Blocked = mandate.PersonID(p.id), p.name, p.active, p.blocked
	if result.Subject.Authenticator, err = etoegang.ParseEntityID(p.authenticator); err == nil {
		result.Subject.Pseudonym, err = etoegang.ParsePseudonym(p.pseudonym)
	}
	if err != nil {
		return result, fmt.Errorf("reading person %d: %w", p.id, err)
	}
	return result, nil
}

type itemRow struct{ service, provider, level string }

func (i *itemRow) fields() []any { return []any{&i.service, &i.provider, &i.level} }

func (i *itemRow) item() (result mandate.Item, err error) {
	if result.Level, err = etoegang.ParseLevelName(i.level); err != nil {
		return result, err
	}
	switch {
	case i.service != "":
		result.Service, err = etoegang.ParseServiceUUID(i.service)
	case i.provider != "":
		result.Provider, err = etoegang.ParseOIN(i.provider)
	}
	return result, err
}

// mandateRow is a mandate with one item of its scope.
type mandateRow struct {
	id, client, from, to, supersedes int64
	kind, state, register, reference string
	limited                          bool
	grantor, intermediary            organisationRow
	person                           personRow
	item                             itemRow
}

// fields are those that selectMandates gives for p.
func (m *mandateRow) fields(p parties) []any {
	list := []any{&m.id, &m.kind, &m.state, &m.client, &m.register, &m.from, &m.to, &m.reference, &m.supersedes, &m.limited}
	list = append(list, m.item.fields()...)
	if p >= grantorOnly {
		list = append(list, m.grantor.fields()...)
	}
	if p >= allParties {
		list = append(append(list, m.intermediary.fields()...), m.person.fields()...)
	}
	return list
}

// mandate is the mandate without its scope and establishments.
func (m *mandateRow) mandate() (result mandate.Mandate, err error) {
	result = mandate.Mandate{
		ID:         mandate.ID(m.id),
		Kind:       mandate.Kind(m.kind),
		Client:     mandate.ID(m.client),
		State:      mandate.State(m.state),
		Validity:   mandate.Validity{From: moment(m.from), To: moment(m.to)},
		Reference:  m.reference,
		Supersedes: mandate.ID(m.supersedes),
	}
	if m.register != "" {
		if result.Register, err = etoegang.ParseEntityID(m.register); err != nil {
			return result, err
		}
	}
	if result.Grantor, err = m.grantor.organisation(); err != nil {
		return result, err
	}
	if result.Intermediary, err = m.intermediary.organisation(); err != nil {
		return result, err
	}
	result.Person, err = m.person.person()
	return result, err
}
