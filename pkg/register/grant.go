package register

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/mandate"
)

// GrantOptions say how a mandate comes in.
type GrantOptions struct {
	Migrating bool // it comes from another register and keeps the dates it had there

	// Request says how it is asked for; nil if it is not.
	Request *Asked
}

// Asked is how a mandate is asked for: see mandate.Request.
type Asked struct {
	By      mandate.Side
	Offer   bool
	Expires time.Time

	HandsOver mandate.ID
}

// Grant registers a mandate. It must pass mandate.Check at the moment of the change;
// its parties are named by their IDs and must be registered (ErrUnknownParty); an
// assignment passes on a chain mandate, still in force, of which its grantor is the
// intermediary (ErrClient). The same mandate twice is refused (*OverlapError): one
// that has not ended, of the same kind, between the same parties, for the same
// client, register and establishments, with an item of scope in common, its level
// included, and overlapping validity. The one that it supersedes, which must not have ended
// (ErrSuperseded), is not in its way, and ends when the new one is in force.
//
// It gives the mandate as registered: with its ID, its parties in full, and scope and
// establishments in the register's order.
func (t *Tx) Grant(m mandate.Mandate, o GrantOptions) (mandate.Mandate, error) {
	if err := t.view.ready(); err != nil {
		return m, err
	}
	if err := mandate.Check(m, t.now, o.Migrating); err != nil {
		return m, err
	}
	if !storable(m.Reference) {
		return m, ErrText
	}
	if err := t.completeParties(&m); err != nil {
		return m, err
	}
	represented, err := t.representedBy(m)
	if err != nil {
		return m, err
	}
	m = InOrder(m)
	replaced, err := t.replaced(m)
	switch {
	case err != nil:
		return m, err
	case m.Supersedes != 0 && (len(replaced) == 0 || replaced[0].ID != m.Supersedes):
		return m, ErrSuperseded
	}
	if err := t.refuseOverlap(m, represented.ID, replaced, m.State.Pending() || m.Supersedes == 0); err != nil {
		return m, err
	}
	if err := t.writeMandate(&m, represented); err != nil {
		return m, err
	}
	return m, t.writeRequest(m, o.Request)
}

// completeParties looks up the parties, which must be registered.
func (t *Tx) completeParties(m *mandate.Mandate) (err error) {
	if m.Grantor, err = t.organisation(m.Grantor.ID); err != nil {
		return err
	}
	if m.Kind == mandate.Chain {
		m.Intermediary, err = t.organisation(m.Intermediary.ID)
	} else {
		m.Person, err = t.person(m.Person.ID)
	}
	switch {
	case err != nil:
		return err
	case m.Grantor.ID == 0 || (m.Person.ID == 0 && m.Intermediary.ID == 0):
		return ErrUnknownParty
	case canarys(m.Grantor) != singers(m.Person) || canarys(m.Intermediary):
		return ErrReserved
	}
	return nil
}

// representedBy is the company for which the mandate lets somebody act: its grantor,
// or for an assignment the client.
func (t *Tx) representedBy(m mandate.Mandate) (mandate.Organisation, error) {
	if m.Kind != mandate.Assignment {
		return m.Grantor, nil
	}
	chain, err := t.view.Mandate(m.Client)
	switch {
	case errors.Is(err, ErrNotFound):
		return mandate.Organisation{}, ErrClient
	case err != nil:
		return mandate.Organisation{}, err
	case chain.Kind != mandate.Chain, chain.Intermediary.ID != m.Grantor.ID, chain.State.Ended():
		return mandate.Organisation{}, ErrClient
	}
	return chain.Grantor, nil
}

// InOrder sorts scope and establishments as the register gives them back.
func InOrder(m mandate.Mandate) mandate.Mandate {
	m.Scope = slices.Clone(m.Scope)
	slices.SortFunc(m.Scope, func(a, b mandate.Item) int {
		return cmp.Or(cmp.Compare(a.Service.String(), b.Service.String()), cmp.Compare(a.Provider.String(), b.Provider.String()))
	})
	m.Establishments = slices.Clone(m.Establishments)
	slices.SortFunc(m.Establishments, func(a, b etoegang.EstablishmentNumber) int { return cmp.Compare(a.Text(), b.Text()) })
	return m
}

// The mandates that may be the same as a new one: ?2 and ?3 say between whom; they
// end after ?4 and begin before ?5.
const (
	sameHolder = `
		SELECT m.id, v.state FROM mandate m` + withState + `
		WHERE ` + known + ` AND m.person = ?2 AND m.represented = ?3 AND m.valid_to > ?4 AND m.valid_from < ?5
		AND m.kind = ?6 AND coalesce(m.client, 0) = ?7 ORDER BY m.id`
	sameIntermediary = `
		SELECT m.id, v.state FROM mandate m` + withState + `
		WHERE ` + known + ` AND m.intermediary = ?2 AND m.grantor = ?3 AND m.valid_to > ?4 AND m.valid_from < ?5
		AND coalesce(m.register, '') = ?6 ORDER BY m.id`
)

// refuseOverlap refuses a mandate of which a part is registered already, beside those that it
// replaces. Requests that wait are in the way of a new mandate, and of another request; they
// keep nobody from narrowing what is in force.
func (t *Tx) refuseOverlap(m mandate.Mandate, represented mandate.OrganisationID, replaced []mandate.Mandate, requests bool) error {
	others, err := t.similar(m, represented)
	for _, id := range others {
		if err != nil {
			return err
		}
		if slices.ContainsFunc(replaced, func(m mandate.Mandate) bool { return m.ID == id }) {
			continue
		}
		var other mandate.Mandate
		other, err = t.view.Mandate(id)
		if err == nil && (requests || !other.State.Pending()) && slices.Equal(other.Establishments, m.Establishments) && shareItem(other.Scope, m.Scope) {
			return &OverlapError{id}
		}
	}
	return err
}

// similar finds mandates, not ended, between the same parties in the same time.
func (t *Tx) similar(m mandate.Mandate, represented mandate.OrganisationID) (list []mandate.ID, err error) {
	if t.view.memory.bare(m) {
		return nil, nil
	}
	query, args := sameHolder, []any{t.view.revision, m.Person.ID, represented,
		m.Validity.From.UnixMilli(), m.Validity.To.UnixMilli(), m.Kind, m.Client}
	if m.Kind == mandate.Chain {
		query, args = sameIntermediary, []any{t.view.revision, m.Intermediary.ID, represented,
			m.Validity.From.UnixMilli(), m.Validity.To.UnixMilli(), m.Register.String()}
	}
	var id mandate.ID
	var state mandate.State
	err = t.view.aside(t.view.memory.untouched(m), func() error {
		return t.view.each([]any{&id, &state}, func() error {
			if !state.Ended() {
				list = append(list, id)
			}
			return nil
		}, query, args...)
	})
	return list, err
}

// refuseDoubling refuses to put a request in force of which a part is in force meanwhile, such
// as when the mandate that it was to follow was narrowed: it would not follow that.
func (t *Tx) refuseDoubling(m mandate.Mandate, represented mandate.OrganisationID) error {
	replaced, err := t.replaced(m)
	if err != nil {
		return err
	}
	return t.refuseOverlap(m, represented, append(replaced, m), false)
}

func shareItem(a, b mandate.Scope) bool {
	return slices.ContainsFunc(a, func(i mandate.Item) bool { return slices.Contains(b, i) })
}

// writeMandate writes the mandate and its first version.
func (t *Tx) writeMandate(m *mandate.Mandate, represented mandate.Organisation) error {
	id, err := t.number("mandate")
	if err != nil {
		return err
	}
	m.ID = mandate.ID(id)
	if err := t.insert(inMandate,
		m.ID, m.Kind, m.Grantor.ID, represented.ID, idOrNull(m.Person.ID), idOrNull(m.Intermediary.ID), idOrNull(m.Client),
		orNull(m.Register.String()), len(m.Establishments) > 0,
		m.Validity.From.UnixMilli(), m.Validity.To.UnixMilli(), m.Reference, idOrNull(m.Supersedes)); err != nil {
		return err
	}
	m.Validity.From, m.Validity.To = m.Validity.From.UTC(), m.Validity.To.UTC()
	t.touch(*m, represented)
	t.view.memory.putMandate(*m)
	if err := t.insert(inMandateVersion, m.ID, 1, t.view.revision, int64(forever), m.State); err != nil {
		return err
	}
	if err := t.writeCover(*m); err != nil {
		return err
	}
	return t.takePlace(*m)
}

// writeCover writes what the mandate covers and where.
func (t *Tx) writeCover(m mandate.Mandate) error {
	for _, i := range m.Scope {
		if err := t.insert(inMandateScope, m.ID, i.Service.String(), i.Provider.String(), i.Level.String()); err != nil {
			return err
		}
	}
	for _, e := range m.Establishments {
		if err := t.insert(inMandateEstablishment, m.ID, e.Text()); err != nil {
			return err
		}
	}
	return nil
}

// touch names everybody for whom a decision may change with this mandate.
func (t *Tx) touch(m mandate.Mandate, represented mandate.Organisation) {
	t.touchOrganisation(m.Grantor)
	if represented.ID != m.Grantor.ID {
		t.touchOrganisation(represented)
	}
	if m.Kind == mandate.Chain {
		t.touchOrganisation(m.Intermediary)
	} else {
		t.touchPerson(m.Person)
	}
}

// SetState moves a mandate to another state, if mandate.State.CanBecome allows it
// (*TransitionError). A request does not come in force beside the same mandate (*OverlapError).
// When a chain mandate ends, its assignments end with it, in the
// same revision: those in force are revoked, those still being asked for withdrawn.
// ErrNotFound: no mandate with this number.
func (t *Tx) SetState(id mandate.ID, to mandate.State) (mandate.Mandate, error) {
	m, err := t.view.Mandate(id)
	switch {
	case err != nil:
		return m, err
	case !m.State.CanBecome(to):
		return m, &TransitionError{id, m.State, to}
	}
	represented, err := t.represented(m)
	if err != nil {
		return m, err
	}
	if m.State.Pending() && to == mandate.Active {
		if err := t.refuseDoubling(m, represented.ID); err != nil {
			return m, err
		}
	}
	if err := t.writeState(&m, to, represented); err != nil {
		return m, err
	}
	if m.Kind == mandate.Chain && to.Ended() {
		return m, t.endAssignments(m)
	}
	return m, t.takePlace(m)
}

// represented is representedBy for a mandate that is registered already.
func (t *Tx) represented(m mandate.Mandate) (mandate.Organisation, error) {
	if m.Kind != mandate.Assignment {
		return m.Grantor, nil
	}
	chain, err := t.view.Mandate(m.Client)
	return chain.Grantor, err
}

// writeState ends the current version of a mandate and writes the next.
func (t *Tx) writeState(m *mandate.Mandate, to mandate.State, represented mandate.Organisation) error {
	// What was suspended may be so since a moment ago: then not every node knows.
	t.narrows = t.narrows || to != mandate.Active && !m.State.Pending()
	m.State = to
	t.touch(*m, represented)
	if err := t.exec(`UPDATE mandate_version SET until = ?1 WHERE mandate = ?2 AND `+isCurrent,
		t.view.revision, m.ID); err != nil {
		return err
	}
	return t.exec(`
		INSERT INTO mandate_version (mandate, version, since, until, state)
		SELECT ?1, max(version) + 1, ?2, ?3, ?4 FROM mandate_version WHERE mandate = ?1`,
		m.ID, t.view.revision, int64(forever), to)
}

// endAssignments ends what passes on a chain mandate that has ended.
func (t *Tx) endAssignments(chain mandate.Mandate) error {
	list, err := t.view.mandates(allParties, `m.client = ?2`+byID, chain.ID)
	if err != nil {
		return fmt.Errorf("ending the assignments of mandate %d: %w", chain.ID, err)
	}
	for _, m := range list {
		to := mandate.Revoked
		if m.State.Pending() {
			to = mandate.Withdrawn
		}
		if m.State.Ended() {
			continue
		}
		if err := t.writeState(&m, to, chain.Grantor); err != nil {
			return err
		}
	}
	return nil
}

// idOrNull stores the number of nobody as NULL.
func idOrNull[N ~int64](id N) any {
	if id == 0 {
		return nil
	}
	return int64(id)
}
