package intake

import (
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/mandate"
)

// parties are those whom a line names, as the register knows them. Who has no ID is
// not registered yet.
type parties struct {
	grantor, intermediary mandate.Organisation
	person                mandate.Person
	enrolled              bool // somebody was registered for this line
}

// allKnown tells whether there can be mandates between the parties already.
func (p parties) allKnown() bool {
	return p.grantor.ID != 0 && (p.intermediary.ID != 0 || p.person.ID != 0)
}

// lookUp finds the parties and judges what the line says about them.
func (d *desk) lookUp(w wish) (p parties, err error) {
	if p.grantor, err = d.organisation(w.mandate.Grantor.KvK); err != nil {
		return p, err
	}
	if w.mandate.Kind == mandate.Chain {
		p.intermediary, err = d.organisation(w.mandate.Intermediary.KvK)
	} else {
		p.person, err = d.person(w.mandate.Person.Subject)
	}
	if err != nil {
		return p, err
	}
	return p, d.judgeRSIN(w.mandate.Grantor, p.grantor)
}

// judgeRSIN refuses an RSIN that is another than the register knows. One of the two
// is a mistake, and nobody should become another company by a line in a file.
func (d *desk) judgeRSIN(told, known mandate.Organisation) error {
	switch {
	case told.RSIN.IsZero(), told.RSIN == known.RSIN:
		return nil
	case !known.RSIN.IsZero():
		return refuse(grantorRSIN, "other-rsin", nil)
	}
	holder, err := d.view.Organisation(told.RSIN.LegalSubject())
	if err == nil && holder != nil {
		return refuse(grantorRSIN, "rsin-of-another", nil)
	}
	return err
}

// organisation finds a company; without ID it is not registered.
func (d *desk) organisation(n etoegang.KvKNumber) (mandate.Organisation, error) {
	found, err := d.view.Organisation(n.LegalSubject())
	if err != nil {
		return mandate.Organisation{}, err
	}
	if found == nil {
		return mandate.Organisation{KvK: n}, nil
	}
	return *found, nil
}

// person finds a person; without ID he is not registered.
func (d *desk) person(s etoegang.ActingSubject) (mandate.Person, error) {
	found, err := d.view.Person(s)
	if err != nil {
		return mandate.Person{}, err
	}
	if found == nil {
		return mandate.Person{Subject: s}, nil
	}
	return *found, nil
}

// standIns are IDs by which a mandate can be judged before its parties have one.
func (p parties) standIns(m mandate.Mandate) (g, i mandate.OrganisationID, person mandate.PersonID) {
	const nobodyYet = 1 << 62
	g, i, person = p.grantor.ID, p.intermediary.ID, p.person.ID
	if g == 0 {
		g = nobodyYet
	}
	switch {
	case m.Kind != mandate.Chain && person == 0:
		person = nobodyYet
	case m.Kind == mandate.Chain && m.Intermediary.KvK == m.Grantor.KvK:
		i = g
	case m.Kind == mandate.Chain && i == 0:
		i = nobodyYet + 1
	}
	return g, i, person
}

// enrol registers those who are not registered yet.
func (d *desk) enrol(m mandate.Mandate, p parties) (_ parties, err error) {
	if p.grantor.ID == 0 {
		p.enrolled = true
		if p.grantor, err = d.tx.PutOrganisation(m.Grantor); err != nil {
			return p, err
		}
	}
	switch {
	case m.Kind == mandate.Chain && p.intermediary.ID == 0:
		p.enrolled = true
		p.intermediary, err = d.tx.PutOrganisation(m.Intermediary)
	case m.Kind != mandate.Chain && p.person.ID == 0:
		p.enrolled = true
		p.person, err = d.tx.PutPerson(m.Person)
	}
	return p, err
}

// extent is how much of what a line says about known parties is taken over.
type extent int

const (
	onlyBlanks extent = iota // what the register does not have
	everything               // names that differ, too
)

// complete takes over what the line says about its parties.
func (d *desk) complete(m mandate.Mandate, p parties, e extent) error {
	grantor := p.grantor
	grantor.Name = e.name(p.grantor.Name, m.Grantor.Name)
	if grantor.RSIN.IsZero() {
		grantor.RSIN = m.Grantor.RSIN
	}
	intermediary, person := p.intermediary, p.person
	intermediary.Name = e.name(p.intermediary.Name, m.Intermediary.Name)
	person.Name = e.name(p.person.Name, m.Person.Name)

	var err error
	if grantor != p.grantor {
		_, err = d.tx.PutOrganisation(grantor)
	}
	if err == nil && intermediary != p.intermediary {
		_, err = d.tx.PutOrganisation(intermediary)
	}
	if err == nil && person != p.person {
		_, err = d.tx.PutPerson(person)
	}
	return err
}

// name chooses between the name known and the name told.
func (e extent) name(known, told string) string {
	if told == "" || (known != "" && e == onlyBlanks) {
		return known
	}
	return told
}
