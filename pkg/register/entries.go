package register

import (
	"errors"

	"github.com/mandated/mandated/pkg/mandate"
)

// ErrEntry: an entry of the trade register that says something unknown.
var ErrEntry = errors.New("the legal form, or how the company stands in the trade register, is none that is known here")

// PutEntry writes down what the trade register says of a company. It ends no mandate.
func (t *Tx) PutEntry(id mandate.OrganisationID, e mandate.Entry) error {
	if !e.Form.Known() || !e.Standing.Known() {
		return ErrEntry
	}
	o, err := t.organisation(id)
	switch {
	case err != nil:
		return err
	case o.ID == 0:
		return ErrUnknownParty
	}
	known, err := t.view.Entry(id)
	if err != nil || known == e {
		return err
	}
	t.touchOrganisation(o)
	if err := t.exec(`UPDATE entry_version SET until = ?1 WHERE organisation = ?2 AND `+isCurrent,
		t.view.revision, id); err != nil {
		return err
	}
	return t.exec(`
		INSERT INTO entry_version (organisation, version, since, until, form, standing)
		SELECT ?1, coalesce(max(version), 0) + 1, ?2, ?3, ?4, ?5 FROM entry_version WHERE organisation = ?1`,
		id, t.view.revision, int64(forever), e.Form, e.Standing)
}

// Entry is what the trade register said of a company, as far as it was written down.
func (s *Snapshot) Entry(id mandate.OrganisationID) (e mandate.Entry, err error) {
	_, err = s.find([]any{&e.Form, &e.Standing},
		`SELECT form, standing FROM entry_version WHERE organisation = ?2 AND since <= ?1 AND until > ?1`, id)
	return e, err
}
