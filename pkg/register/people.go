package register

import (
	"strings"
	"unicode/utf8"

	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/mandate"
)

// PutOrganisation registers a company, known by its KvK number, or writes a new
// version of it if its name, RSIN, activity or emergency stop differ. It gives the organisation as
// registered, ID filled in; the ID given does not count. ErrRSINTaken: the RSIN
// belongs to another company.
func (t *Tx) PutOrganisation(o mandate.Organisation) (mandate.Organisation, error) {
	switch {
	case o.KvK.IsZero():
		return o, ErrNoIdentity
	case !storable(o.Name):
		return o, ErrText
	case canarys(o) && !t.view.register.isCanary(o):
		return o, ErrReserved
	}
	known, err := t.view.Organisation(o.KvK.LegalSubject())
	switch {
	case err != nil:
		return o, err
	case known != nil:
		if o.ID = known.ID; o == *known {
			t.again(o.Active, o.Blocked)
			return o, nil
		}
	}
	if err := t.rsinFree(o); err != nil {
		return o, err
	}
	return o, t.writeOrganisation(&o, known)
}

// again notes that somebody was put who is so already. That he may not take part can be as
// new as a moment, and then not every node knows.
func (t *Tx) again(active, blocked bool) {
	t.repeats = true
	t.narrows = t.narrows || !active || blocked
}

// rsinFree tells whether no other company has the RSIN now.
func (t *Tx) rsinFree(o mandate.Organisation) error {
	if o.RSIN.IsZero() {
		return nil
	}
	holder, err := t.view.Organisation(o.RSIN.LegalSubject())
	if err == nil && holder != nil && holder.KvK != o.KvK {
		return ErrRSINTaken
	}
	return err
}

// writeOrganisation writes the next version; known is the current one, if any.
func (t *Tx) writeOrganisation(o, known *mandate.Organisation) error {
	if known == nil {
		id, err := t.number("organisation")
		if err != nil {
			return err
		}
		o.ID = mandate.OrganisationID(id)
		remember(t.view.memory, t.view.memory.bareCompany, o.ID, true)
		if err := t.insert(inOrganisation, o.ID); err != nil {
			return err
		}
	} else if err := t.exec(`UPDATE organisation_version SET until = ?1 WHERE organisation = ?2 AND `+isCurrent,
		t.view.revision, o.ID); err != nil {
		return err
	}
	t.narrows = t.narrows || known != nil && (!o.Active || o.Blocked || known.RSIN != o.RSIN)
	t.view.memory.putCompany(*o)
	t.touchOrganisation(*o)
	t.touchRSIN(o, known)
	if known == nil {
		if err := t.insert(inOrganisationVersion, o.ID, 1, t.view.revision, int64(forever), o.KvK.Text(), orNull(o.RSIN.Text()), o.Name, o.Active, o.Blocked); err != nil {
			return err
		}
	} else if err := t.exec(`
		INSERT INTO organisation_version (organisation, version, since, until, kvk, rsin, name, active, blocked)
		SELECT ?1, coalesce(max(version), 0) + 1, ?2, ?3, ?4, ?5, ?6, ?7, ?8 FROM organisation_version WHERE organisation = ?1`,
		o.ID, t.view.revision, int64(forever), o.KvK.Text(), orNull(o.RSIN.Text()), o.Name, o.Active, o.Blocked); err != nil {
		return err
	}
	return t.writeNames(*o, known == nil)
}

func (t *Tx) touchOrganisation(o mandate.Organisation) {
	t.touched.add(t.view.register.OrganisationParty(o.KvK))
}

// touchRSIN names the RSINs by which the company can be found now, or no longer.
func (t *Tx) touchRSIN(o, known *mandate.Organisation) {
	if known != nil && known.RSIN == o.RSIN {
		return
	}
	if !o.RSIN.IsZero() {
		t.touched.add(t.view.register.SubjectParty(o.RSIN.LegalSubject()))
	}
	if known != nil && !known.RSIN.IsZero() {
		t.touched.add(t.view.register.SubjectParty(known.RSIN.LegalSubject()))
	}
}

// organisation gives a registered company by id, the zero Organisation if unknown.
func (t *Tx) organisation(id mandate.OrganisationID) (mandate.Organisation, error) {
	if o, ok := t.view.memory.companyByID[id]; ok {
		return o, nil
	}
	o, err := t.view.organisation(`o.organisation = ?2`, id)
	if err != nil || o == nil {
		return mandate.Organisation{}, err
	}
	t.view.memory.putCompany(*o)
	return *o, nil
}

// PutPerson registers a person, known by his pseudonym at an authentication service,
// or writes a new version of him if his name, activity or emergency stop differ. It
// gives the person as registered, ID filled in; the ID given does not count.
func (t *Tx) PutPerson(p mandate.Person) (mandate.Person, error) {
	switch {
	case p.Subject.IsZero() || !authenticates(p.Subject.Authenticator):
		return p, ErrNoIdentity
	case !storable(p.Name):
		return p, ErrText
	case singers(p) && (p.Blocked || !p.Active):
		return p, ErrReserved
	}
	known, err := t.view.Person(p.Subject)
	switch {
	case err != nil:
		return p, err
	case known != nil:
		if p.ID = known.ID; p == *known {
			t.again(p.Active, p.Blocked)
			return p, nil
		}
	}
	return p, t.writePerson(&p, known)
}

// authenticates tells whether a participant gives out pseudonyms.
func authenticates(e etoegang.EntityID) bool {
	return e.Role() == etoegang.Authenticator || e.Role() == etoegang.EIDAS
}

// writePerson writes the next version; known is the current one, if any.
func (t *Tx) writePerson(p, known *mandate.Person) error {
	if known == nil {
		id, err := t.number("person")
		if err != nil {
			return err
		}
		p.ID = mandate.PersonID(id)
		remember(t.view.memory, t.view.memory.barePerson, p.ID, true)
		if err := t.insert(inPerson, p.ID); err != nil {
			return err
		}
	} else if err := t.exec(`UPDATE person_version SET until = ?1 WHERE person = ?2 AND `+isCurrent,
		t.view.revision, p.ID); err != nil {
		return err
	}
	t.narrows = t.narrows || known != nil && (!p.Active || p.Blocked)
	t.view.memory.putPerson(*p)
	t.touchPerson(*p)
	if known == nil {
		return t.insert(inPersonVersion, p.ID, 1, t.view.revision, int64(forever),
			p.Subject.Authenticator.String(), p.Subject.Pseudonym.Text(), p.Name, p.Active, p.Blocked)
	}
	return t.exec(`
		INSERT INTO person_version (person, version, since, until, authenticator, pseudonym, name, active, blocked)
		SELECT ?1, coalesce(max(version), 0) + 1, ?2, ?3, ?4, ?5, ?6, ?7, ?8 FROM person_version WHERE person = ?1`,
		p.ID, t.view.revision, int64(forever), p.Subject.Authenticator.String(), p.Subject.Pseudonym.Text(), p.Name, p.Active, p.Blocked)
}

func (t *Tx) touchPerson(p mandate.Person) {
	t.touched.add(t.view.register.PersonParty(p.Subject))
}

// person gives a registered person by id, the zero Person if unknown.
func (t *Tx) person(id mandate.PersonID) (mandate.Person, error) {
	if p, ok := t.view.memory.personByID[id]; ok {
		return p, nil
	}
	p, err := t.view.person(`p.person = ?2`, id)
	if err != nil || p == nil {
		return mandate.Person{}, err
	}
	t.view.memory.putPerson(*p)
	return *p, nil
}

// storable tells whether a text can be kept, here and in any other database.
func storable(text string) bool { return utf8.ValidString(text) && !strings.Contains(text, "\x00") }

// orNull stores an empty text as NULL.
func orNull(text string) any {
	if text == "" {
		return nil
	}
	return text
}
