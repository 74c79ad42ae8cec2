package mandate

import (
	"errors"
	"time"

	"github.com/mandated/mandated/pkg/etoegang"
)

// What keeps somebody from appointing or dismissing.
var (
	ErrMayNotAppoint     = errors.New("this needs an administrator or a director of the organisation; directors and the register's staff are appointed by the register's staff, who appoint no company's programs")
	ErrAboveLevel        = errors.New("nobody grants at a higher level than he was appointed for and has logged in with")
	ErrOutlasts          = errors.New("nobody grants anything that lasts longer than his own appointment")
	ErrInvited           = errors.New("this invitation does not exist or has been withdrawn: ask for a new one")
	ErrInvitationUsed    = errors.New("this invitation was used: whoever has used it logs in, and anybody else asks for one of his own")
	ErrInvitationExpired = errors.New("this invitation has expired: ask for a new one")
	ErrLowLogin          = errors.New("this invitation is for a higher level than that of the log-in: log in again at that level")
	ErrSamePerson        = errors.New("somebody signs once: this log-in or key already stands for a director of this company, or for one of the register's staff")
	ErrOtherCompany      = errors.New("this invitation is for somebody of another company: log in for that one")
	ErrDismissal         = errors.New("somebody of a company is dismissed by the register's staff on evidence: tell of at least one piece")
	ErrLastAdministrator = errors.New("nobody would be left to manage the organisation's mandates, and an appointment would have to be made on paper: confirm that this is meant")
)

// MayAppoint tells whether somebody may make an appointment. The register's staff invite people of
// any company, who then log in for it; software would come in by what its maker shows, and grant
// without any paper or second pair of eyes, so a company's own administrators appoint that.
func (a Actor) MayAppoint(made Appointment, recorded time.Time) error {
	if err := CheckAppointment(made, recorded); err != nil {
		return err
	}
	if a.Role == Staff && made.Role.Software() || a.Role != Staff && !a.disposes(made) {
		return ErrMayNotAppoint
	}
	return a.bounds(made.Level, made.Validity.To)
}

// SignsOnce tells whether nobody may hold this appointment beside a like one: a second director of
// the same company, or a second of the register's staff, is another person (domain of the scheme:
// joint authority; four eyes).
func (a Appointment) SignsOnce(beside Appointment) bool {
	return (a.Role == Director || a.Role == Staff) && beside.Role == a.Role && beside.Organisation.ID == a.Organisation.ID
}

// disposes tells whether somebody has a say in an appointment of his own organisation. Who
// its directors are is not for it to say.
func (a Actor) disposes(made Appointment) bool {
	return (a.Role == Administrator || a.Role == Director) && made.Organisation.ID == a.Organisation && made.Role != Director
}

// MayAccept tells whether somebody who has logged in for a company, at a level, can take up an
// appointment to which he was invited.
func (a Appointment) MayAccept(company etoegang.KvKNumber, login etoegang.AssuranceLevel, now time.Time) error {
	switch {
	case a.State == Appointed:
		return ErrInvitationUsed
	case a.State != Invited:
		return ErrInvited
	case !now.Before(a.Validity.To):
		return ErrInvitationExpired
	case a.Role != Staff && a.Organisation.KvK != company:
		return ErrOtherCompany
	case login < a.Level:
		return ErrLowLogin
	}
	return nil
}

// MayDismiss tells whether somebody may end an appointment. left says that somebody else
// manages the organisation's mandates then (Appointment.Manages), sure that he knows if
// nobody does. The register's staff may end anybody's, say after a report of fraud; what they
// take from somebody of a company, they take on evidence.
func (a Actor) MayDismiss(made Appointment, left, sure bool, evidence []Evidence) error {
	switch {
	case a.Role != Staff && !a.disposes(made):
		return ErrMayNotAppoint
	case a.Role == Staff && made.Role != Staff && made.State == Appointed && len(evidence) == 0:
		return ErrDismissal
	case made.Role.Software() || left || sure:
		return nil
	}
	return ErrLastAdministrator
}
