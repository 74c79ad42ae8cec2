package register

import (
	"errors"
	"fmt"
	"time"

	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/mandate"
)

// Account stands for somebody who logs in: a keyed hash of who he is to us. It says nothing
// about him.
type Account [32]byte

// Digest is the SHA-256 of a secret that was handed out once, or of a key.
type Digest [32]byte

// Credential is with what a program shows who it is: the digest of its certificate or of its
// public key, and that key in DER.
type Credential struct {
	Fingerprint Digest
	Public      []byte
}

// What can be wrong with an appointment in the register.
var (
	ErrCredential = errors.New("a program needs a certificate or a key to show who it is, and nobody else has one")
	ErrInvitation = errors.New("an invitation has a secret of its own, and is for a person")
)

// AppointmentError says that an appointment cannot go from its state to another.
type AppointmentError struct {
	Appointment mandate.AppointmentID
	From, To    mandate.AppointmentState
}

func (e *AppointmentError) Error() string {
	return fmt.Sprintf("appointment %d is %s and cannot become %s", e.Appointment, e.From, e.To)
}

// Appoint makes an appointment. That of a person begins with an invitation, which waits for
// him to log in; that of a program with what it shows.
func (t *Tx) Appoint(a mandate.Appointment, invitation Digest, credentials []Credential) (mandate.Appointment, error) {
	program := a.Role.Software()
	switch err := mandate.CheckAppointment(a, t.now); {
	case err != nil:
		return a, err
	case !storable(a.Name) || !storable(a.Contact.Email):
		return a, ErrText
	case program != (len(credentials) > 0):
		return a, ErrCredential
	case program != (invitation == Digest{}):
		return a, ErrInvitation
	}
	if a.Organisation.ID != 0 {
		o, err := t.organisation(a.Organisation.ID)
		if err != nil {
			return a, err
		}
		if o.ID == 0 || canarys(o) {
			return a, ErrUnknownParty
		}
		a.Organisation = o
	}
	a.State = mandate.Invited
	if program {
		a.State = mandate.Appointed
	}
	return a, t.writeAppointment(&a, invitation, credentials)
}

func (t *Tx) writeAppointment(a *mandate.Appointment, invitation Digest, credentials []Credential) error {
	id, err := t.number("appointment")
	if err != nil {
		return err
	}
	a.ID = mandate.AppointmentID(id)
	a.Validity.From, a.Validity.To = a.Validity.From.UTC(), a.Validity.To.UTC()
	var secret any
	if invitation != (Digest{}) {
		secret = invitation[:]
	}
	if err := t.exec(`
		INSERT INTO appointment (id, organisation, role, authority, name, level, valid_from, valid_to, invitation)
		VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)`,
		a.ID, idOrNull(a.Organisation.ID), a.Role, a.Authority, a.Name, a.Level.String(),
		a.Validity.From.UnixMilli(), a.Validity.To.UnixMilli(), secret); err != nil {
		return err
	}
	if err := t.writeAppointmentState(*a, Account{}); err != nil {
		return err
	}
	for _, c := range credentials {
		if err := t.exec(`INSERT INTO credential (fingerprint, appointment, public) VALUES (?1, ?2, ?3)`,
			c.Fingerprint[:], a.ID, c.Public); err != nil {
			return err
		}
	}
	return nil
}

// TakeUp appoints whoever has taken up an invitation. *AppointmentError: it was taken up before,
// or has ended. ErrNotFound: no appointment with this number.
func (t *Tx) TakeUp(id mandate.AppointmentID, who Account) (mandate.Appointment, error) {
	a, err := t.becomes(id, mandate.Appointed)
	if err != nil {
		return a, err
	}
	return a, t.nextAppointment(a, who)
}

// Dismiss ends an appointment, and writes down on which papers that rests, if on any.
// *AppointmentError: it has ended. ErrNotFound: no appointment with this number.
func (t *Tx) Dismiss(id mandate.AppointmentID, papers []mandate.Evidence) (mandate.Appointment, error) {
	a, err := t.becomes(id, mandate.Dismissed)
	if err == nil {
		err = t.checkPapers(papers)
	}
	if err != nil {
		return a, err
	}
	who, err := t.view.account(id)
	if err != nil {
		return a, err
	}
	if err := t.nextAppointment(a, who); err != nil {
		return a, err
	}
	return a, t.writeEvidence(`INSERT INTO dismissal_evidence (number, kind, sha256, dated, place, appointment) VALUES (?1, ?2, ?3, ?4, ?5, ?6)`, papers, id)
}

// becomes gives an appointment in another state, if mandate.AppointmentState.CanBecome allows it.
func (t *Tx) becomes(id mandate.AppointmentID, to mandate.AppointmentState) (mandate.Appointment, error) {
	a, err := t.view.Appointment(id)
	if err == nil && !a.State.CanBecome(to) {
		err = &AppointmentError{id, a.State, to}
	}
	a.State = to
	return a, err
}

// SetContact writes down where the holder of an appointment wants to be written to: nowhere, if
// the contact is zero. ErrNotFound: no appointment with this number.
func (t *Tx) SetContact(id mandate.AppointmentID, c mandate.Contact) (mandate.Appointment, error) {
	a, err := t.view.Appointment(id)
	if err != nil || a.Contact == c {
		return a, err
	}
	a.Contact = c
	switch {
	case a.State.Ended():
		return a, &AppointmentError{id, a.State, a.State}
	case !c.Fits(a.Role):
		return a, mandate.ErrContact
	case !storable(c.Email):
		return a, ErrText
	}
	who, err := t.view.account(id)
	if err != nil {
		return a, err
	}
	return a, t.nextAppointment(a, who)
}

// nextAppointment ends the current version of an appointment and writes the next.
func (t *Tx) nextAppointment(a mandate.Appointment, who Account) error {
	if err := t.exec(`UPDATE appointment_version SET until = ?1 WHERE appointment = ?2 AND `+isCurrent,
		t.view.revision, a.ID); err != nil {
		return err
	}
	return t.writeAppointmentState(a, who)
}

func (t *Tx) writeAppointmentState(a mandate.Appointment, who Account) error {
	var account any
	if who != (Account{}) {
		account = who[:]
	}
	t.touchAppointment(a)
	return t.exec(`
		INSERT INTO appointment_version (appointment, version, since, until, state, account, email, language)
		SELECT ?1, coalesce(max(version), 0) + 1, ?2, ?3, ?4, ?5, ?6, ?7 FROM appointment_version WHERE appointment = ?1`,
		a.ID, t.view.revision, int64(forever), a.State, account, a.Contact.Email, a.Contact.Language)
}

// touchAppointment names the organisation, or the register's staff: no decision depends on
// it, and those who manage mandates hear of it.
func (t *Tx) touchAppointment(a mandate.Appointment) {
	if a.Organisation.ID == 0 {
		t.touched.add(t.view.register.hash("staff"))
		return
	}
	t.touchOrganisation(a.Organisation)
}

// selectAppointments reads appointments as known at revision ?1; a condition follows.
// selectPrograms reads those of programs that show ?2: joined from the left, so that the
// database begins there.
const (
	ofAppointment = `
		SELECT a.id, a.role, a.authority, a.name, a.level, a.valid_from, a.valid_to, v.state, v.email, v.language,
			coalesce(o.organisation, 0), coalesce(o.kvk, ''), coalesce(o.rsin, ''), coalesce(o.name, ''),
			coalesce(o.active, FALSE), coalesce(o.blocked, FALSE)
		FROM `
	withVersion = ` JOIN appointment_version v ON v.appointment = a.id AND v.since <= ?1 AND v.until > ?1
		LEFT JOIN organisation_version o ON o.organisation = a.organisation AND o.since <= ?1 AND o.until > ?1
		WHERE `
	selectAppointments = ofAppointment + `appointment a` + withVersion
	selectPrograms     = ofAppointment + `(SELECT c.appointment FROM credential c WHERE c.fingerprint = ?2) AS shown
		LEFT JOIN appointment a ON a.id = shown.appointment
		LEFT` + withVersion + `coalesce(v.state, '') = 'appointed' ORDER BY a.id`
)

func (s *Snapshot) appointments(condition string, args ...any) ([]mandate.Appointment, error) {
	return s.readAppointments(selectAppointments+condition, args...)
}

func (s *Snapshot) readAppointments(query string, args ...any) (list []mandate.Appointment, err error) {
	var a mandate.Appointment
	var o organisationRow
	var level string
	var from, to int64
	fields := append([]any{&a.ID, &a.Role, &a.Authority, &a.Name, &level, &from, &to, &a.State, &a.Contact.Email, &a.Contact.Language}, o.fields()...)
	err = s.each(fields, func() (err error) {
		a.Validity = mandate.Validity{From: moment(from), To: moment(to)}
		if a.Level, err = etoegang.ParseLevelName(level); err == nil {
			a.Organisation, err = o.organisation()
		}
		list = append(list, a)
		return err
	}, query, append([]any{s.revision}, args...)...)
	return list, err
}

// Appointment gives one appointment. ErrNotFound: none with this number.
func (s *Snapshot) Appointment(id mandate.AppointmentID) (mandate.Appointment, error) {
	return onlyOne(s.appointments(`a.id = ?2`, id))
}

// Invited gives the appointment to which an invitation belongs, in whatever state.
// ErrNotFound: there is none.
func (s *Snapshot) Invited(invitation Digest) (mandate.Appointment, error) {
	return onlyOne(s.appointments(`a.invitation = ?2`, invitation[:]))
}

func onlyOne(list []mandate.Appointment, err error) (mandate.Appointment, error) {
	switch {
	case err != nil:
		return mandate.Appointment{}, err
	case len(list) == 0:
		return mandate.Appointment{}, fmt.Errorf("appointment: %w", ErrNotFound)
	}
	return list[0], nil
}

// Appointments lists those of an organisation, or of the register's staff if it is 0, by
// number: at most limit of those after the given one, dismissed ones too, and whether there
// are more.
func (s *Snapshot) Appointments(o mandate.OrganisationID, after mandate.AppointmentID, limit int) (list []mandate.Appointment, more bool, err error) {
	of, args := `a.organisation = ?4`, []any{after, limit + 1, o}
	if o == 0 {
		of, args = `a.organisation IS NULL`, args[:2]
	}
	list, err = s.appointments(of+` AND a.id > ?2 ORDER BY a.id LIMIT ?3`, args...)
	if len(list) > limit {
		return list[:limit], true, err
	}
	return list, false, err
}

// EveryAppointment visits those of an organisation, or of the register's staff if it is 0, by
// number, dismissed ones too.
func (s *Snapshot) EveryAppointment(o mandate.OrganisationID, visit func(mandate.Appointment)) error {
	const page = 100
	for after, more := mandate.AppointmentID(0), true; more; {
		var list []mandate.Appointment
		var err error
		if list, more, err = s.Appointments(o, after, page); err != nil {
			return err
		}
		for _, a := range list {
			visit(a)
			after = a.ID
		}
	}
	return nil
}

// AppointmentsOf lists the appointments that somebody has accepted and not lost, by number.
func (s *Snapshot) AppointmentsOf(who Account) ([]mandate.Appointment, error) {
	return s.appointments(`v.account = ?2 AND v.state = 'appointed' ORDER BY a.id`, who[:])
}

// Programs lists the appointments of programs that show a certificate or key with this
// fingerprint, with what they show, by number.
func (s *Snapshot) Programs(fingerprint Digest) ([]mandate.Appointment, error) {
	return s.readAppointments(selectPrograms, fingerprint[:])
}

// Dismissal is how an appointment was ended: when, by whom and why, and on which papers that
// rests, if on any.
type Dismissal struct {
	Revision Revision
	At       time.Time
	Author   Author
	Evidence []mandate.Evidence
}

// Dismissal tells how an appointment was ended. ErrNotFound: it was not.
func (s *Snapshot) Dismissal(id mandate.AppointmentID) (d Dismissal, err error) {
	var at int64
	if err := s.one([]any{&d.Revision, &at, &d.Author.Who, &d.Author.Why}, `
		SELECT r.revision, r.at, r.who, r.why FROM appointment_version v JOIN revision r ON r.revision = v.since
		WHERE v.appointment = ?2 AND v.since <= ?1 AND v.until > ?1 AND v.state = 'dismissed'`, s.revision, id); err != nil {
		return d, err
	}
	d.At = moment(at)
	d.Evidence, err = s.evidence(`dismissal_evidence WHERE appointment = ?1`, id)
	return d, err
}

// Credentials are those of an appointment.
func (s *Snapshot) Credentials(id mandate.AppointmentID) (list []Credential, err error) {
	var sum, public []byte
	err = s.each([]any{&sum, &public}, func() error {
		list = append(list, Credential{Digest(sum), append([]byte(nil), public...)})
		return nil
	}, `SELECT fingerprint, public FROM credential WHERE appointment = ?1 ORDER BY fingerprint`, id)
	return list, err
}

// account is who has accepted an appointment, or nobody.
func (s *Snapshot) account(id mandate.AppointmentID) (who Account, err error) {
	var stored []byte
	err = s.one([]any{&stored}, `SELECT account FROM appointment_version WHERE appointment = ?2 AND since <= ?1 AND until > ?1`, s.revision, id)
	copy(who[:], stored)
	return who, err
}
