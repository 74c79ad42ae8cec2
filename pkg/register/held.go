package register

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/mandate"
)

// Held is what a person holds, as far as it can bear on a decision.
type Held struct {
	Person   *mandate.Person   // nil: unknown here
	Direct   []mandate.Mandate // from the companies themselves
	Assigned []Assigned        // from intermediaries, for their clients
}

// Assigned is an assignment with the client's chain mandate that it passes on.
type Assigned struct{ Assignment, Chain mandate.Mandate }

// HeldBy gives every mandate that a person holds, from one company or, with a zero
// represented, from every company: direct ones, and assignments for it as an
// intermediary's client. They come in whatever state and validity, by id, so that a
// decision can say why one does not count; only those rejected, withdrawn, expired
// as a request or superseded are left out. A chain mandate stands beside its
// assignment in any state.
//
// An unknown person or company holds nothing, which is no error.
func (s *Snapshot) HeldBy(subject etoegang.ActingSubject, represented etoegang.LegalSubject) (Held, error) {
	person, err := s.Person(subject)
	if err != nil || person == nil {
		return Held{}, err
	}
	held := Held{Person: person}
	companies := everybody
	if !represented.IsZero() {
		known, err := s.Organisation(represented)
		if err != nil || known == nil {
			return held, err
		}
		companies = among([]mandate.OrganisationID{known.ID})
	}
	_, err = s.fill(&held, companies)
	return held, err
}

// companies says of which companies a person's mandates are read: a condition on their
// column, with parameters from ?3 on.
type companies struct {
	condition string
	args      []any
}

var everybody = companies{}

// among is some companies.
func among(list []mandate.OrganisationID) companies {
	c := companies{args: make([]any, len(list))}
	for i, id := range list {
		c.args[i] = id
	}
	c.condition = ` = ?3`
	if len(list) > 1 {
		c.condition = ` IN (?3`
		for i := range list[1:] {
			c.condition += fmt.Sprintf(", ?%d", i+4)
		}
		c.condition += `)`
	}
	return c
}

// theFirst are the companies up to that of the mandate after the first so many.
func theFirst(mandates int) companies {
	return companies{` <= coalesce((
		SELECT f.represented FROM mandate f WHERE f.person = ?2 AND ` + grantedBy("f") + `
		ORDER BY f.represented LIMIT 1 OFFSET ?3), 9223372036854775807)`, []any{mandates}}
}

// grantedBy tells whether a mandate was there at the revision.
func grantedBy(m string) string {
	return `EXISTS (SELECT 1 FROM mandate_version b WHERE b.mandate = ` + m + `.id AND b.version = 1 AND b.since <= ?1)`
}

// fill reads the mandates to held.Person, and tells how many there are, also those without
// bearing.
func (s *Snapshot) fill(held *Held, c companies) (read int, err error) {
	list, read, err := s.to(*held.Person, c)
	if err != nil {
		return read, err
	}
	var clients []mandate.ID
	for _, m := range list {
		if m.Kind == mandate.Assignment {
			clients = append(clients, m.Client)
		} else {
			held.Direct = append(held.Direct, m)
		}
	}
	chains, err := s.passedOn(held.Person.ID, c, clients)
	for _, m := range list {
		if m.Kind == mandate.Assignment {
			chain := chains[m.Client]
			chain.Intermediary = m.Grantor
			held.Assigned = append(held.Assigned, Assigned{m, chain})
		}
	}
	return read, err
}

// to reads the mandates to a person.
func (s *Snapshot) to(p mandate.Person, c companies) (list []mandate.Mandate, read int, err error) {
	condition := `m.person = ?2`
	if c.condition != "" {
		condition += ` AND m.represented` + c.condition
	}
	list, err = s.mandates(grantorOnly, condition+byHolder, append([]any{p.ID}, c.args...)...)
	read = len(list)
	list = slices.DeleteFunc(list, withoutBearing)
	slices.SortFunc(list, func(a, b mandate.Mandate) int { return cmp.Compare(a.ID, b.ID) })
	for i := range list {
		list[i].Person = p
	}
	return list, read, err
}

// withoutBearing tells whether a mandate gives a decision nothing, not even a reason.
func withoutBearing(m mandate.Mandate) bool { return !m.State.Bears() }

// passedOn reads the chain mandates behind a person's assignments, by their ids. The
// intermediary is the grantor of the assignment. One or two are named, which is quicker
// than looking them up once more.
func (s *Snapshot) passedOn(p mandate.PersonID, c companies, clients []mandate.ID) (map[mandate.ID]mandate.Mandate, error) {
	var list []mandate.Mandate
	var err error
	switch n := len(clients); {
	case n == 0:
		return nil, nil
	case n <= 2:
		list, err = s.mandates(grantorOnly, twoByID, clients[0], clients[n-1])
	default:
		every := everyClient
		if c.condition != "" {
			every += ` AND represented` + c.condition
		}
		list, err = s.chosen(grantorOnly, every, append([]any{p}, c.args...)...)
	}
	chains := make(map[mandate.ID]mandate.Mandate, len(list))
	for _, m := range list {
		chains[m.ID] = m
	}
	return chains, err
}

// twoByID reads one mandate or two.
const twoByID = `m.id IN (?2, ?3)` + byID

// everyClient gives the chain mandates that a person's assignments pass on.
const everyClient = `SELECT DISTINCT client AS id FROM mandate WHERE person = ?2`

// Between gives every chain mandate from a company to an intermediary, also those
// held in another register, by id. As with HeldBy, only those that never came to be
// or that are superseded are left out. An unknown company or intermediary has none.
func (s *Snapshot) Between(represented etoegang.LegalSubject, a etoegang.Intermediary) ([]mandate.Mandate, error) {
	company, err := s.Organisation(represented)
	if err != nil || company == nil {
		return nil, err
	}
	intermediary, err := s.Organisation(a.KvK.LegalSubject())
	if err != nil || intermediary == nil {
		return nil, err
	}
	list, err := s.mandates(noParties, `m.grantor = ?2 AND m.intermediary = ?3`+byID, company.ID, intermediary.ID)
	list = slices.DeleteFunc(list, withoutBearing)
	for i := range list {
		list[i].Grantor, list[i].Intermediary = *company, *intermediary
	}
	return list, err
}

const selectOrganisation = `
	SELECT o.organisation, o.kvk, coalesce(o.rsin, ''), o.name, o.active, o.blocked
	FROM organisation_version o
	WHERE o.since <= ?1 AND o.until > ?1 AND `

// Organisation gives the company that s names, or nil if it is unknown.
func (s *Snapshot) Organisation(subject etoegang.LegalSubject) (*mandate.Organisation, error) {
	switch subject.Type() {
	case etoegang.TypeKvKNr:
		return s.company(subject)
	case etoegang.TypeRSIN:
		return s.organisation(`o.rsin = ?2`, subject.Text())
	}
	return nil, nil
}

// company finds one by its KvK number.
func (s *Snapshot) company(subject etoegang.LegalSubject) (*mandate.Organisation, error) {
	if s.memory == nil {
		return s.organisation(`o.kvk = ?2`, subject.Text())
	}
	number, err := etoegang.ParseKvKNumber(subject.Text())
	if err != nil {
		return nil, err
	}
	o, known := s.memory.companies[number]
	if !known {
		found, err := s.organisation(`o.kvk = ?2`, subject.Text())
		if err != nil {
			return nil, err
		}
		if found == nil {
			remember(s.memory, s.memory.companies, number, o)
			return nil, nil
		}
		o = *found
		s.memory.putCompany(o)
	}
	if o.ID == 0 {
		return nil, s.ready()
	}
	return &o, s.ready()
}

func (s *Snapshot) organisation(condition string, arg any) (*mandate.Organisation, error) {
	var row organisationRow
	if unknown, err := s.find(row.fields(), selectOrganisation+condition, arg); unknown || err != nil {
		return nil, err
	}
	o, err := row.organisation()
	return &o, err
}

const selectPerson = `
	SELECT p.person, p.authenticator, p.pseudonym, p.name, p.active, p.blocked
	FROM person_version p
	WHERE p.since <= ?1 AND p.until > ?1 AND `

// Person gives the person that s names, or nil if he is unknown.
func (s *Snapshot) Person(subject etoegang.ActingSubject) (*mandate.Person, error) {
	read := func() (*mandate.Person, error) {
		return s.person(`p.pseudonym = ?2 AND p.authenticator = ?3`, subject.Pseudonym.Text(), subject.Authenticator.String())
	}
	if s.memory == nil {
		return read()
	}
	p, known := s.memory.people[subject]
	if !known {
		found, err := read()
		if err != nil {
			return nil, err
		}
		if found == nil {
			remember(s.memory, s.memory.people, subject, p)
			return nil, nil
		}
		p = *found
		s.memory.putPerson(p)
	}
	if p.ID == 0 {
		return nil, s.ready()
	}
	return &p, s.ready()
}

func (s *Snapshot) person(condition string, args ...any) (*mandate.Person, error) {
	var row personRow
	if unknown, err := s.find(row.fields(), selectPerson+condition, args...); unknown || err != nil {
		return nil, err
	}
	p, err := row.person()
	return &p, err
}

// find is one for a row that may well be unknown.
func (s *Snapshot) find(dest []any, query string, args ...any) (unknown bool, err error) {
	err = s.one(dest, query, append([]any{s.revision}, args...)...)
	if errors.Is(err, ErrNotFound) {
		return true, nil
	}
	return false, err
}
