package mandate

import (
	"errors"
	"time"
	"unicode/utf8"

	"github.com/mandated/mandated/pkg/etoegang"
)

// AppointmentID is an appointment's number within one register.
type AppointmentID int64

// Role is what somebody was appointed for.
type Role string

// The roles. All but Staff are roles in an organisation; Staff are the register's own
// people.
const (
	Administrator Role = "administrator" // manages the organisation's mandates (machtigingenbeheerder)
	Director      Role = "director"      // binds the organisation by law: signs
	Program       Role = "program"       // the organisation's software, which acts as an administrator
	Reader        Role = "reader"        // its software, which looks and changes nothing
	Staff         Role = "staff"         // keeps the register: paper, emergencies, questions
)

// Authority is how far a director binds his organisation (Handelsregister:
// bevoegdheid alleen, gezamenlijk, beperkt).
type Authority string

// The kinds of authority. Only directors have one.
const (
	Alone   Authority = "alone"
	Jointly Authority = "jointly"
	Limited Authority = "limited"
)

// Appointment is what somebody may do for an organisation, or for the register. It is
// limited as a mandate is: what its holder grants is at its level or below, and ends
// when it ends (scheme: "Specificaties voor het beheer van bevoegdheden", 3.1.1).
type Appointment struct {
	ID           AppointmentID
	Organisation Organisation // nobody: the register itself
	Role         Role
	Authority    Authority // of a Director
	Name         string    // as colleagues know him, or what the program is for
	Level        etoegang.AssuranceLevel
	Validity     Validity
	State        AppointmentState
	Contact      Contact // where its holder wants to be written to
}

// AppointmentState is where an appointment is in its life. That it has expired follows
// from its validity.
type AppointmentState string

// The states of an appointment.
const (
	Invited   AppointmentState = "invited"   // nobody has logged in as this yet
	Appointed AppointmentState = "appointed" // somebody has, and may use it
	Dismissed AppointmentState = "dismissed" // for good
)

// Ended tells whether nothing can follow the state.
func (s AppointmentState) Ended() bool { return s == Dismissed }

// CanBecome tells whether an appointment in state s may go to state to.
func (s AppointmentState) CanBecome(to AppointmentState) bool {
	return s == Invited && to == Appointed || !s.Ended() && to == Dismissed
}

// What can be wrong with an appointment.
var (
	ErrRole      = errors.New("an appointment is that of an administrator, a director, a program or a reader of an organisation, or of the register's own staff")
	ErrAuthority = errors.New("a director binds his organisation alone, jointly or in a limited way, and nobody else does")
	ErrName      = errors.New("an appointment needs a name of at most 100 bytes, by which colleagues know it")
	ErrContact   = errors.New("somebody is written to at one e-mail address, in nl or en; a program is not")
)

// CheckAppointment tells whether a is fit to be made at the moment recorded.
func CheckAppointment(a Appointment, recorded time.Time) error {
	switch {
	case !a.Role.known() || (a.Role == Staff) != (a.Organisation.ID == 0):
		return ErrRole
	case (a.Role == Director) != (a.Authority != "") || a.Authority != "" && !a.Authority.known():
		return ErrAuthority
	case a.Name == "" || len(a.Name) > 100 || !utf8.ValidString(a.Name):
		return ErrName
	case !a.Level.Supported():
		return ErrLevel
	case !a.Contact.Fits(a.Role):
		return ErrContact
	}
	return a.Validity.check(recorded, false)
}

// Fits tells whether somebody of that role can be written to there. Whether the address is
// one, whoever writes the letters knows.
func (c Contact) Fits(r Role) bool {
	known := c.Language == "nl" || c.Language == "en"
	return c.IsZero() || known && c.Email != "" && len(c.Email) <= 254 && utf8.ValidString(c.Email) && !r.Software()
}

func (r Role) known() bool {
	return r == Administrator || r == Director || r == Staff || r.Software()
}

// Software tells whether a program has the role, and no person.
func (r Role) Software() bool { return r == Program || r == Reader }

// MayShow tells whether somebody of that role may show a certificate or key in place of logging
// in: software must. A director, and one of the register's staff, may act through software of his
// own. An administrator's software acts as a program, by an appointment of its own.
func (r Role) MayShow() bool { return r.Software() || r == Director || r == Staff }

func (a Authority) known() bool { return a == Alone || a == Jointly || a == Limited }

// Actor is somebody who takes a step: an appointment in use.
type Actor struct {
	Appointment  AppointmentID
	Role         Role
	Organisation OrganisationID // 0: the register
	Level        etoegang.AssuranceLevel
	Until        time.Time
}

// ErrNotAppointed: somebody uses an appointment that he has no more, or not yet.
var ErrNotAppointed = errors.New("this appointment does not hold now: ask the one who made it")

// Act is the appointment in use at a moment, by somebody who logged in at a level. He
// acts at the lower of the two.
func (a Appointment) Act(login etoegang.AssuranceLevel, now time.Time) (Actor, error) {
	stopped := a.Role != Staff && (!a.Organisation.Active || a.Organisation.Blocked)
	if a.State != Appointed || !a.Validity.Holds(now) || stopped || !login.Supported() {
		return Actor{}, ErrNotAppointed
	}
	return Actor{a.ID, a.Role, a.Organisation.ID, min(a.Level, login), a.Validity.To}, nil
}

// Side is whose will a step is.
type Side string

// The sides. Rule is nobody's will: time has passed.
const (
	GrantorSide  Side = "grantor"  // the one who gives the mandate
	ReceiverSide Side = "receiver" // the one who receives it
	RegisterSide Side = "register" // the register's own people
	RuleSide     Side = "rule"
)

// Known tells whether s is one of the sides.
func (s Side) Known() bool {
	return s == GrantorSide || s == ReceiverSide || s == RegisterSide || s == RuleSide
}

// ErrNotYours: a step in a mandate of others. Whoever asks is not told that it exists.
var ErrNotYours = errors.New("the mandate is neither from nor to this organisation")

// ErrMayOnlyRead: a program that was appointed to look wants to change something.
var ErrMayOnlyRead = errors.New("this program may only read: an administrator can appoint one that may also change something")

// Keeps tells whether somebody may do what only the register's own people do: write down what
// the trade register says, and stop somebody in an emergency.
func (a Actor) Keeps() error {
	if a.Role != Staff {
		return ErrNotYours
	}
	return nil
}

// acts tells for which side of a mandate somebody takes a step.
func (a Actor) acts(m Mandate) (Side, error) {
	if a.Role == Reader {
		return "", ErrMayOnlyRead
	}
	return a.Side(m)
}

// Side tells on which side of a mandate somebody is (ErrNotYours: on none).
func (a Actor) Side(m Mandate) (Side, error) {
	switch {
	case a.Role == Staff:
		return RegisterSide, nil
	case a.Organisation == m.Grantor.ID:
		return GrantorSide, nil
	case m.Kind == Chain && a.Organisation == m.Intermediary.ID:
		return ReceiverSide, nil
	}
	return "", ErrNotYours
}
