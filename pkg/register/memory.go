package register

import (
	"slices"

	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/mandate"
)

// memory is what a change knows without asking again. Changes take turns, so what one has read
// stays true but for what it does itself; and of what it has made itself there was nothing
// before. Where the database is on another machine, questions cost more than anything else.
type memory struct {
	numbers map[string]int64 // the last number given out, by table

	companies   map[etoegang.KvKNumber]mandate.Organisation // without ID: not registered
	people      map[etoegang.ActingSubject]mandate.Person
	companyByID map[mandate.OrganisationID]mandate.Organisation
	personByID  map[mandate.PersonID]mandate.Person
	bareCompany map[mandate.OrganisationID]bool // made here, and without a mandate
	barePerson  map[mandate.PersonID]bool
	made        map[mandate.ID]made
	written     map[string]bool // notices, by Once
	agreed      map[Digest]bool // texts that are kept
	undo        []func()        // forgets what a part has done: see Try
	partly      bool            // a part is under way
}

// made is a mandate that the change itself has made.
type made struct {
	grantor, intermediary etoegang.KvKNumber
	steps                 int64 // written about it
}

// mostRemembered keeps a change that does very much from taking all memory: a test has less.
var mostRemembered = 50_000

func newMemory() *memory {
	m := &memory{numbers: map[string]int64{}}
	m.forget()
	return m
}

// forget leaves everything to be asked again.
func (m *memory) forget() {
	m.companies, m.people = map[etoegang.KvKNumber]mandate.Organisation{}, map[etoegang.ActingSubject]mandate.Person{}
	m.companyByID, m.personByID = map[mandate.OrganisationID]mandate.Organisation{}, map[mandate.PersonID]mandate.Person{}
	m.bareCompany, m.barePerson = map[mandate.OrganisationID]bool{}, map[mandate.PersonID]bool{}
	m.made, m.written, m.agreed = map[mandate.ID]made{}, map[string]bool{}, map[Digest]bool{}
}

// remember keeps something, until the part comes to nothing that it belongs to.
func remember[K comparable, V any](m *memory, in map[K]V, key K, value V) {
	if before, known := in[key]; m.partly {
		m.undo = append(m.undo, func() {
			if in[key] = before; !known {
				delete(in, key)
			}
		})
	}
	in[key] = value
}

func (m *memory) putCompany(o mandate.Organisation) {
	remember(m, m.companies, o.KvK, o)
	remember(m, m.companyByID, o.ID, o)
}

func (m *memory) putPerson(p mandate.Person) {
	remember(m, m.people, p.Subject, p)
	remember(m, m.personByID, p.ID, p)
}

// putMandate remembers that a mandate was made, and between whom.
func (m *memory) putMandate(of mandate.Mandate) {
	remember(m, m.made, of.ID, made{grantor: of.Grantor.KvK, intermediary: of.Intermediary.KvK})
	remember(m, m.bareCompany, of.Grantor.ID, false)
	remember(m, m.bareCompany, of.Intermediary.ID, false)
	remember(m, m.barePerson, of.Person.ID, false)
}

// bare tells whether one of the parties has no mandate yet, and so none with the other.
func (m *memory) bare(of mandate.Mandate) bool {
	if of.Kind == mandate.Chain {
		return m.bareCompany[of.Grantor.ID] || m.bareCompany[of.Intermediary.ID]
	}
	return m.barePerson[of.Person.ID]
}

// begin begins a part, and end ends it: unless it stands, what it put is forgotten.
func (m *memory) begin() { m.partly, m.undo = true, m.undo[:0] }

func (m *memory) end(stands bool) {
	if !stands {
		for _, undo := range slices.Backward(m.undo) {
			undo()
		}
	}
	m.partly = false
}

// untouched tells whether the change has made no mandate between the parties of one.
func (m *memory) untouched(of mandate.Mandate) bool {
	if of.Kind != mandate.Chain {
		_, person := m.barePerson[of.Person.ID]
		return !person
	}
	_, grantor := m.bareCompany[of.Grantor.ID]
	_, intermediary := m.bareCompany[of.Intermediary.ID]
	return !grantor || !intermediary
}

// mostExpected is how many are read at once; fewer are read by the same statement.
const mostExpected = 64

var (
	expectedCompanies = selectOrganisation + `o.kvk IN ` + places(1, mostExpected, 2)
	expectedPeople    = selectPerson + `p.pseudonym IN ` + places(1, mostExpected, 2)
)

// Expect reads companies and people together for whom the change will ask, or whom it will
// write. It changes no answer.
func (t *Tx) Expect(companies []etoegang.KvKNumber, people []etoegang.ActingSubject) error {
	m := t.view.memory
	if len(m.companies)+len(m.people)+len(m.made) > mostRemembered {
		if err := t.flush(); err != nil { // what is put off is remembered: see Snapshot.aside
			return err
		}
		m.forget()
	}
	var row organisationRow
	if err := expect(t.view, m.companies, companies, etoegang.KvKNumber.Text, row.fields(), func() error {
		o, err := row.organisation()
		m.putCompany(o)
		return err
	}, expectedCompanies); err != nil {
		return err
	}
	var person personRow
	return expect(t.view, m.people, people, func(s etoegang.ActingSubject) string { return s.Pseudonym.Text() }, person.fields(), func() error {
		p, err := person.person()
		m.putPerson(p)
		return err
	}, expectedPeople)
}

// expect reads those that are not known yet. Who is not found is known not to be there.
func expect[K comparable, V any](s *Snapshot, known map[K]V, list []K, text func(K) string, row []any, found func() error, query string) error {
	var nobody V
	var asked []any
	for i, key := range list {
		if _, there := known[key]; !there {
			remember(s.memory, known, key, nobody)
			asked = append(asked, text(key))
		}
		if last := i == len(list)-1; len(asked) == 0 || len(asked) < mostExpected && !last {
			continue
		}
		for len(asked) < mostExpected {
			asked = append(asked, asked[0])
		}
		if err := s.each(row, found, query, append([]any{s.revision}, asked...)...); err != nil {
			return err
		}
		asked = nil
	}
	return nil
}
