package mandate

import (
	"errors"
	"slices"
	"time"

	"github.com/mandated/mandated/pkg/etoegang"
)

// RequestLife is how long a request waits for its answer.
const RequestLife = 21 * 24 * time.Hour

// Request is a mandate that is being asked for: State.Pending.
type Request struct {
	Mandate
	AskedBy Side
	Offer   bool // the receiver is to accept what the grantor gives
	Expires time.Time
	Signed  []Signature // who agreed so far, first the one who asked

	// HandsOver is the assignment of a colleague that ends once this one is in force, for the
	// client goes from one to the other. 0: none.
	HandsOver ID
}

// Signature is somebody's consent to a mandate as it stands.
type Signature struct {
	By   AppointmentID
	Side Side
}

// What keeps a step from being taken. Who asks for it is told so: none of it is about
// somebody else's mandate.
var (
	ErrNotAsked       = errors.New("nothing is asked for here any more: it was answered, withdrawn or has ended")
	ErrRequestExpired = errors.New("the request has waited too long and is void: ask again")
	ErrOwnRequest     = errors.New("the other side must answer this request")
	ErrSignedAlready  = errors.New("this was signed already by the same person: somebody else must sign, too")
	ErrFourEyes       = errors.New("what one of the register's staff has recorded, another must confirm as it stands")
	ErrInPerson       = errors.New("a mandate at loa4 is recorded by the register's staff, who see everybody concerned in person")
	ErrNoSigner       = errors.New("the register knows nobody who could sign this for the company: it must be done on paper")
	ErrStanding       = errors.New("the trade register says that this company is bankrupt, being wound up or gone: what it grants must be on paper, signed by whoever binds it now")
	ErrNotInForce     = errors.New("the mandate is not in force")
	ErrOtherSide      = errors.New("only the side that suspended the mandate can let it go on")
	ErrNotNarrower    = errors.New("nothing would change")
	ErrSuccessor      = errors.New("a mandate is followed by one between the same parties, that begins at once: one that begins later is asked for by itself")
)

// Ask is how a mandate begins that somebody wants: its state tells whether it is in force at
// once, because he may grant it himself, or waits for those who must agree. With an offer of
// the company the receiver must, too. Evidence is what the register's staff rest on; nobody
// else brings any.
func Ask(m Mandate, a Actor, offer bool, c Company, evidence []Evidence, now time.Time) (r Request, err error) {
	r = Request{Mandate: m, Expires: now.Add(RequestLife)}
	if r.AskedBy, err = a.acts(m); err != nil {
		return r, err
	}
	switch {
	case r.AskedBy == RegisterSide:
		r.State, err = AwaitingSignatures, CheckEvidence(evidence, m.Scope, now)
	case m.Scope.Highest() >= etoegang.LoA4:
		err = ErrInPerson
	case r.AskedBy == ReceiverSide:
		r.State = Requested
	default:
		r.Offer = offer && m.Kind == Chain
		r.State, err = r.consent(a, nil, c)
	}
	return r, err
}

// consent tells what becomes of a request to which somebody of the grantor agrees: an
// administrator for himself, within his limits; a director together with those who have
// signed before him.
func (r Request) consent(a Actor, signed []AppointmentID, c Company) (State, error) {
	switch c.Standing {
	case Bankrupt, Dissolved, Deregistered:
		return "", ErrStanding
	}
	if a.Role == Director {
		signers := c.Signers(r.Scope.Highest())
		if len(signers) == 0 {
			return "", ErrNoSigner
		}
		if !signers.Met(append(signed, a.Appointment)) {
			return AwaitingSignatures, nil
		}
	} else if err := a.bounds(r.Scope.Highest(), r.Validity.To); err != nil {
		return "", err
	}
	if r.Offer {
		return AwaitingAcceptance, nil
	}
	return Active, nil
}

// bounds holds what somebody grants within what he was given.
func (a Actor) bounds(level etoegang.AssuranceLevel, to time.Time) error {
	switch {
	case level > a.Level:
		return ErrAboveLevel
	case to.After(a.Until):
		return ErrOutlasts
	}
	return nil
}

// Reach is when something ends that he grants until a moment: his own appointment may end before.
// What a director signs is the company's will, and outlasts him.
func (a Actor) Reach(to time.Time) time.Time {
	if a.Role != Director && a.Until.Before(to) {
		return a.Until
	}
	return to
}

// Passes is for how long somebody passes on what lasts for v: from today, if it began before,
// and within his reach.
func (a Actor) Passes(v Validity, now time.Time) Validity {
	v = v.Left(now)
	v.To = a.Reach(v.To)
	return v
}

// Accept tells what becomes of a request to which somebody agrees, as it stands or
// narrower, never wider. When it is narrower, as takes the place of what was asked, and
// whoever signed before has not signed that.
func (r Request) Accept(as Mandate, a Actor, c Company, offered Offered, now time.Time) (State, error) {
	if err := r.answerable(a, now); err != nil {
		return "", err
	}
	if err := as.Within(r.Mandate, offered); err != nil {
		return "", err
	}
	switch r.WaitsFor() {
	case RegisterSide:
		if !as.Same(r.Mandate) || slices.Contains(r.signers(RegisterSide), a.Appointment) {
			return "", ErrFourEyes
		}
		return Active, nil
	case ReceiverSide:
		return Active, nil
	}
	signed := r.signers(GrantorSide)
	if !as.Same(r.Mandate) {
		signed = nil
	} else if slices.Contains(signed, a.Appointment) {
		return "", ErrSignedAlready
	}
	r.Mandate = as
	return r.consent(a, signed, c)
}

// answerable tells whether somebody can answer the request.
func (r Request) answerable(a Actor, now time.Time) error {
	side, err := a.acts(r.Mandate)
	switch {
	case err != nil:
		return err
	case !r.State.Pending():
		return ErrNotAsked
	case !now.Before(r.Expires):
		return ErrRequestExpired
	case side != r.WaitsFor():
		return ErrOwnRequest
	}
	return nil
}

// WaitsFor is the side whose answer a request waits for, as long as it waits.
func (r Request) WaitsFor() Side {
	switch {
	case r.State == AwaitingAcceptance:
		return ReceiverSide
	case r.AskedBy == RegisterSide:
		return RegisterSide
	}
	return GrantorSide
}

func (r Request) signers(side Side) (list []AppointmentID) {
	for _, s := range r.Signed {
		if s.Side == side {
			list = append(list, s.By)
		}
	}
	return list
}

// Refuse tells what becomes of a request that somebody does not want: the asked reject it, the
// askers withdraw it. The register's staff answer for what they have recorded, and not for others.
func (r Request) Refuse(a Actor) (State, error) {
	side, err := a.acts(r.Mandate)
	switch {
	case err != nil:
		return "", err
	case !r.State.Pending():
		return "", ErrNotAsked
	case side == r.AskedBy:
		return Withdrawn, nil
	case side == RegisterSide:
		return "", ErrOtherSide
	}
	return Rejected, nil
}

// Move tells whether somebody may suspend a mandate, let it go on, or revoke it. Either side
// may, without the other's consent; but what one has suspended the other cannot let go on.
// suspended is the side that did.
func (a Actor) Move(m Mandate, to State, suspended Side) error {
	side, err := a.acts(m)
	switch {
	case err != nil:
		return err
	case !m.State.CanBecome(to) || m.State.Pending():
		return ErrNotInForce
	case to == Active && side != suspended:
		return ErrOtherSide
	case to == Active && m.Scope.Highest() > a.Level:
		return ErrAboveLevel
	}
	return nil
}

// Narrow tells whether somebody may put a narrower mandate in a mandate's place. Either side
// may, at once.
func (a Actor) Narrow(m, as Mandate, offered Offered) error {
	_, err := a.acts(m)
	switch {
	case err != nil:
		return err
	case m.State != Active && m.State != Suspended:
		return ErrNotInForce
	case as.Same(m):
		return ErrNotNarrower
	}
	return as.Within(m, offered)
}

// Succeeds tells whether m can take the place of a mandate once it is granted: to last
// longer, or to cover more. Until then the other stands.
func (m Mandate) Succeeds(other Mandate, now time.Time) error {
	switch {
	case other.State.Ended() || other.State.Pending():
		return ErrNotInForce
	case !m.sameParties(other), m.Validity.From.After(now): // the other ends as soon as this one is granted
		return ErrSuccessor
	}
	return nil
}

// Act is what somebody does to a mandate.
type Act string

// The acts.
const (
	ActAsk     Act = "ask"
	ActAgree   Act = "agree" // accepts, or signs as one of several
	ActRefuse  Act = "refuse"
	ActExpire  Act = "expire"
	ActSuspend Act = "suspend"
	ActResume  Act = "resume"
	ActRevoke  Act = "revoke"
	ActNarrow  Act = "narrow"
	ActLapse   Act = "lapse" // ends for want of use
)
