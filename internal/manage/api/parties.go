package api

import (
	"context"
	"time"

	"github.com/mandated/mandated/internal/desk"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
)

// The register's staff look somebody up: an organisation by its name or number, a person by the
// register's own number, as his mandates tell it. They write down what the trade register says, and
// stop somebody in an emergency.

// Parties is a page of the organisations of the register.
type Parties struct {
	Parties []Party `json:"parties" nullable:"false" doc:"in the order of the alphabet"`
	Page
}

// Party is an organisation of the register.
type Party struct {
	Company Company `json:"company"`
	Stopped bool    `json:"stopped" doc:"the emergency stop holds it"`
}

type partiesIn struct {
	Search string `query:"search" maxLength:"100" doc:"the beginning of a word of the name, or of the number"`
	Paging
}

func (a *api) listParties(ctx context.Context, in *partiesIn) (*body[Parties], error) {
	c, filter := callOf(ctx), "search "+in.Search
	at, err := openCursor[register.Place](a, c, in.Cursor, filter)
	if err != nil {
		return nil, err
	}
	out := Parties{Parties: []Party{}}
	err = a.look(ctx, at.Revision, func(l *desk.Look) error {
		at.Revision = l.Revision()
		list, next, err := l.Parties(in.Search, at.After, in.Limit)
		for _, o := range list {
			out.Parties = append(out.Parties, Party{companyOf(o), o.Blocked})
		}
		at.After = next
		out.Page = page(a, c, at, next != register.Place{}, filter)
		return err
	})
	return &body[Parties]{out}, err
}

// OneParty names an organisation.
type OneParty struct {
	KvKNumber string `path:"kvkNumber" pattern:"^[0-9]{8}$" doc:"its number in the trade register"`
}

func (o OneParty) number() (etoegang.KvKNumber, error) {
	var m mistakes
	number := parse(&m, "path.kvkNumber", o.KvKNumber, etoegang.ParseKvKNumber)
	return number, m.err()
}

// whose finds the register's own number of an organisation, which it has for life.
func (a *api) whose(ctx context.Context, o OneParty) (w desk.Whose, err error) {
	number, err := o.number()
	if err != nil {
		return w, err
	}
	err = a.look(ctx, 0, func(l *desk.Look) error {
		party, err := l.Party(number)
		w.Organisation = party.ID
		return err
	})
	return w, err
}

// PartyView is an organisation, and how it stands.
type PartyView struct {
	Company  Company  `json:"company"`
	Standing Standing `json:"standing" doc:"what the trade register says of it, as far as it was written down"`
	InForce  int      `json:"inForce" doc:"how many mandates are in force, from and to it"`
	Stop     *Stop    `json:"stop,omitempty" doc:"the emergency stop that holds it; none: none does"`
	Revision int64    `json:"revision"`
}

// Stop is an emergency stop: nothing is permitted to, from or through somebody.
type Stop struct {
	Since    time.Time `json:"since"`
	Why      string    `json:"why"`
	Revision int64     `json:"revision" doc:"the revision that it made"`
}

func stopOf(s *register.Stop) *Stop {
	if s == nil {
		return nil
	}
	return &Stop{s.At, s.Author.Why, int64(s.Revision)}
}

func (a *api) getParty(ctx context.Context, in *OneParty) (out *body[PartyView], err error) {
	w, err := a.whose(ctx, *in)
	if err != nil {
		return nil, err
	}
	err = a.look(ctx, 0, func(l *desk.Look) error {
		e, err := l.Everything(w)
		if err != nil {
			return err
		}
		entry, err := l.Entry(w.Organisation)
		out = &body[PartyView]{PartyView{companyOf(*e.Company), standingOf(entry), e.InForce, stopOf(e.Stop), int64(l.Revision())}}
		return err
	})
	return out, err
}

type partyAppointmentsIn struct {
	OneParty
	Paging
}

func (a *api) listPartyAppointments(ctx context.Context, in *partyAppointmentsIn) (*body[Appointments], error) {
	w, err := a.whose(ctx, in.OneParty)
	if err != nil {
		return nil, err
	}
	return a.appointmentsPage(ctx, in.Paging, w.Organisation, func(l *desk.Look, after mandate.AppointmentID) ([]mandate.Appointment, bool, error) {
		return l.AppointmentsIn(w.Organisation, after, in.Limit)
	})
}

type partyMandatesIn struct {
	OneParty
	Filter
	Paging
}

func (a *api) listPartyMandates(ctx context.Context, in *partyMandatesIn) (*body[Mandates], error) {
	w, err := a.whose(ctx, in.OneParty)
	if err != nil {
		return nil, err
	}
	f := in.filter()
	f.Organisation = w.Organisation
	return a.listed(ctx, f, in.Paging)
}

// Standing is what the trade register says of a company.
type Standing struct {
	Form     string `json:"form" enum:"unknown,sole-proprietorship,partnership,legal-person,public-body" doc:"what kind of organisation it is"`
	Standing string `json:"standing" enum:"normal,moratorium,bankrupt,dissolved,deregistered" doc:"how it stands; what is not normal ends nothing by itself"`
}

// What package mandate says with no word has one here.
const (
	formUnknown    = "unknown"
	standingNormal = "normal"
)

func standingOf(e mandate.Entry) Standing {
	s := Standing{string(e.Form), string(e.Standing)}
	if e.Form == mandate.FormUnknown {
		s.Form = formUnknown
	}
	if e.Standing == mandate.Normal {
		s.Standing = standingNormal
	}
	return s
}

// NewStanding is what the register's staff write down of what the trade register says.
type NewStanding struct {
	Form     string `json:"form,omitempty" enum:"unknown,sole-proprietorship,partnership,legal-person,public-body" doc:"what kind of organisation it is; none: as it is"`
	Standing string `json:"standing,omitempty" enum:"normal,moratorium,bankrupt,dissolved,deregistered" doc:"how it stands; none: as it is"`
	Reason
}

// amend changes what is written there, and leaves what it says nothing of.
func (s NewStanding) amend(e *mandate.Entry) {
	switch s.Form {
	case "":
	case formUnknown:
		e.Form = mandate.FormUnknown
	default:
		e.Form = mandate.LegalForm(s.Form)
	}
	switch s.Standing {
	case "":
	case standingNormal:
		e.Standing = mandate.Normal
	default:
		e.Standing = mandate.Standing(s.Standing)
	}
}

type standingIn struct {
	OneParty
	Body NewStanding
}

// WrittenStanding is what is written down now.
type WrittenStanding struct {
	Standing Standing `json:"standing"`
	Revision int64    `json:"revision" doc:"the revision of the register that this made"`
}

func (a *api) putStanding(ctx context.Context, in *standingIn) (*body[WrittenStanding], error) {
	number, err := in.number()
	if err != nil {
		return nil, err
	}
	if in.Body.Form == "" && in.Body.Standing == "" {
		return nil, mistakes{{"body", "say the form, how it stands, or both"}}
	}
	var now mandate.Entry
	done, err := a.Desk.PutEntry(ctx, callOf(ctx).caller, in.Body.Why, number, func(e *mandate.Entry) {
		in.Body.amend(e)
		now = *e
	})
	if err != nil {
		return nil, err
	}
	return &body[WrittenStanding]{WrittenStanding{standingOf(now), int64(done.Revision)}}, nil
}

// PersonView is a person, and how much he has.
type PersonView struct {
	Person   Person `json:"person"`
	InForce  int    `json:"inForce" doc:"how many mandates are in force to him"`
	Stop     *Stop  `json:"stop,omitempty" doc:"the emergency stop that holds him; none: none does"`
	Revision int64  `json:"revision"`
}

// OnePerson names a person.
type OnePerson struct {
	Person int64 `path:"person" minimum:"1" doc:"the number of the person, as mandates and teams tell it"`
}

func (o OnePerson) whose() desk.Whose { return desk.Whose{Person: mandate.PersonID(o.Person)} }

func (a *api) getPerson(ctx context.Context, in *OnePerson) (out *body[PersonView], err error) {
	err = a.look(ctx, 0, func(l *desk.Look) error {
		e, err := l.Everything(in.whose())
		if err != nil {
			return err
		}
		out = &body[PersonView]{PersonView{personOf(*e.Person), e.InForce, stopOf(e.Stop), int64(l.Revision())}}
		return nil
	})
	return out, err
}

type personMandatesIn struct {
	OnePerson
	Which
	Paging
}

func (a *api) listPersonMandates(ctx context.Context, in *personMandatesIn) (*body[Mandates], error) {
	if err := a.look(ctx, 0, func(l *desk.Look) error { _, err := l.Everything(in.whose()); return err }); err != nil {
		return nil, err
	}
	return a.listed(ctx, Filter{Which: in.Which, Person: in.Person}.filter(), in.Paging)
}

// Stopped tells whether the emergency stop holds somebody now.
type Stopped struct {
	Stopped  bool  `json:"stopped"`
	Revision int64 `json:"revision" doc:"the revision of the register that this made"`
}

func stopped(now bool, done register.Receipt, err error) (*body[Stopped], error) {
	if err != nil {
		return nil, err
	}
	return &body[Stopped]{Stopped{now, int64(done.Revision)}}, nil
}

type partyReasonIn struct {
	OneParty
	Body Reason
}

func (a *api) stopParty(ctx context.Context, in *partyReasonIn) (*body[Stopped], error) {
	w, err := a.whose(ctx, in.OneParty)
	if err != nil {
		return nil, err
	}
	done, err := a.Desk.Block(ctx, callOf(ctx).caller, in.Body.Why, w)
	return stopped(true, done, err)
}

func (a *api) liftParty(ctx context.Context, in *partyReasonIn) (*body[Stopped], error) {
	w, err := a.whose(ctx, in.OneParty)
	if err != nil {
		return nil, err
	}
	done, err := a.Desk.Unblock(ctx, callOf(ctx).caller, in.Body.Why, w)
	return stopped(false, done, err)
}

type personReasonIn struct {
	OnePerson
	Body Reason
}

func (a *api) stopPerson(ctx context.Context, in *personReasonIn) (*body[Stopped], error) {
	done, err := a.Desk.Block(ctx, callOf(ctx).caller, in.Body.Why, in.whose())
	return stopped(true, done, err)
}

func (a *api) liftPerson(ctx context.Context, in *personReasonIn) (*body[Stopped], error) {
	done, err := a.Desk.Unblock(ctx, callOf(ctx).caller, in.Body.Why, in.whose())
	return stopped(false, done, err)
}
