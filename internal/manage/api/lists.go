package api

import (
	"context"
	"time"

	"github.com/mandated/mandated/internal/desk"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
)

// Asked is a mandate that waits for somebody's answer.
type Asked struct {
	Mandate Mandate    `json:"mandate"`
	AskedBy string     `json:"askedBy" enum:"grantor,receiver,register" doc:"which side asked"`
	Answer  string     `json:"answer" enum:"ours,theirs" doc:"whose answer it waits for: your side's or another's"`
	Offer   bool       `json:"offer" doc:"the intermediary is to accept what the company gives"`
	Signed  int        `json:"signed" doc:"how many have agreed to it as it stands, with the one who asked"`
	Expires *time.Time `json:"expires,omitempty" doc:"when it is void if nobody has answered; none: it waits for good"`
}

// Requests is a page of what is asked for.
type Requests struct {
	Requests []Asked `json:"requests" nullable:"false" doc:"in the order of their numbers"`
	Total    int     `json:"total"`
	Page
}

func (a *api) listRequests(ctx context.Context, in *Paging) (*body[Requests], error) {
	f := register.Filter{Pending: true}
	if callOf(ctx).appointment.Role == mandate.Staff { // of everybody, what the register asks
		f.AskedBy = mandate.RegisterSide
	}
	list, total, p, err := a.mandatesPage(ctx, f, *in)
	if err != nil {
		return nil, err
	}
	out := Requests{Requests: []Asked{}, Total: total, Page: p}
	err = a.look(ctx, register.Revision(p.Revision), func(l *desk.Look) error {
		for _, m := range list {
			asked, err := a.asked(ctx, l, m)
			if err != nil {
				return err
			}
			out.Requests = append(out.Requests, asked)
		}
		return nil
	})
	return &body[Requests]{out}, err
}

// asked tells how a mandate is asked for. One that came in as it was elsewhere, without who
// asked and until when, waits for the register's staff.
func (a *api) asked(ctx context.Context, l *desk.Look, m mandate.Mandate) (Asked, error) {
	r, err := l.Request(m.ID)
	if isNotFound(err) {
		r, err = mandate.Request{Mandate: m, AskedBy: mandate.RegisterSide}, nil
	}
	if err != nil {
		return Asked{}, err
	}
	side, err := l.Actor().Side(m)
	answer := "theirs"
	if side == r.WaitsFor() {
		answer = "ours"
	}
	return Asked{viewed(m, callOf(ctx).organisation), string(r.AskedBy), answer, r.Offer, len(r.Signed), moment(r.Expires)}, err
}

// Clients is a page of those for whom your people may act.
type Clients struct {
	Clients []ClientView `json:"clients" nullable:"false" doc:"in the order of the alphabet"`
	Total   int          `json:"total" doc:"how many clients your organisation has, whatever is looked for"`
	Page
}

// ClientView is a client with both halves of what your people may do for it.
type ClientView struct {
	Company Company     `json:"company"`
	Chains  []ChainView `json:"chains" nullable:"false" doc:"its chain mandates to your organisation, or those of them that are looked for; but none that came to nothing or were replaced"`
}

// ChainView is a chain mandate, its assignments, and whether the two fit.
type ChainView struct {
	Mandate     Mandate   `json:"mandate" doc:"from the client to your organisation"`
	Assignments []Mandate `json:"assignments" nullable:"false" doc:"from your organisation to its people"`
	Fits        bool      `json:"fits" doc:"your people together can do all that it permits"`
	Usable      bool      `json:"usable" doc:"somebody can act now, be it for less"`
	Misfit      string    `json:"misfit,omitempty" doc:"what is in the way" enum:"chain-requested,chain-ended,chain-suspended,chain-not-begun,chain-expired,client-stopped,person-stopped,assignment-missing,assignment-narrower,assignment-lower,assignment-suspended,assignment-requested,assignment-not-begun,assignment-expired"`
	Edit        *EditView `json:"edit,omitempty" doc:"the one edit that mends it; none: time does, or the register's staff"`
}

// EditView is one change that mends what is in the way.
type EditView struct {
	Act     string     `json:"act" enum:"ask,agree,resume" doc:"ask: ask for a mandate, or assign one; agree, resume: do that to the mandate named"`
	Turn    string     `json:"turn" enum:"ours,client,register" doc:"whose turn it is"`
	Mandate int64      `json:"mandate,omitempty" doc:"which mandate; with ask: the one to supersede"`
	Kind    string     `json:"kind,omitempty" enum:"chain,assignment" doc:"ask: what to ask for"`
	Scope   []string   `json:"scope,omitempty" doc:"ask: with what scope"`
	Until   *time.Time `json:"until,omitempty" doc:"ask: until when at most"`
}

// WhichClients chooses among them. What is given must all hold.
type WhichClients struct {
	Search     string `query:"search" maxLength:"100" doc:"the beginning of a word of the name, or of the number"`
	Attention  bool   `query:"attention" doc:"only chain mandates that have not ended, and of which the halves do not fit. No more than 1,000 clients are looked at for one page, so it may have few or none and still a next"`
	EndsBefore string `query:"endsBefore" maxLength:"40" doc:"only chain mandates in force of which one half ends before: a date, which begins in Amsterdam, or a moment with a zone"`
}

func (w WhichClients) choice(now time.Time) (desk.Choice, error) {
	var m mistakes
	c := desk.Choice{Search: w.Search, Attention: w.Attention}
	if before := parse(&m, "query.endsBefore", w.EndsBefore, mandate.ParseMoment); !before.IsZero() {
		c.Ending = register.Ending{After: now, Before: before}
	}
	return c, m.err()
}

type clientsIn struct {
	WhichClients
	Paging
}

func (a *api) listClients(ctx context.Context, in *clientsIn) (*body[Clients], error) {
	c := callOf(ctx)
	choice, err := in.choice(a.Now())
	if err != nil {
		return nil, err
	}
	at, err := openCursor[register.Place](a, c, in.Cursor, in.WhichClients)
	if err != nil {
		return nil, err
	}
	out := Clients{Clients: []ClientView{}}
	err = a.look(ctx, at.Revision, func(l *desk.Look) error {
		if at.Revision == 0 {
			if at.Total, err = l.CountClients(); err != nil {
				return err
			}
		}
		at.Revision = l.Revision()
		found, err := l.Fitted(choice, at.After, in.Limit, desk.MostLooked)
		for _, one := range found.Clients {
			out.Clients = append(out.Clients, clientOf(one, c.organisation))
		}
		at.After, out.Total = found.Next, at.Total
		out.Page = page(a, c, at, found.Next != register.Place{}, in.WhichClients)
		return err
	})
	return &body[Clients]{out}, err
}

func clientOf(c desk.Fitted, o mandate.OrganisationID) ClientView {
	v := ClientView{Company: companyOf(c.Company), Chains: []ChainView{}}
	for _, f := range c.Fittings {
		v.Chains = append(v.Chains, ChainView{viewed(f.Chain, o), viewedAll(f.Assignments, o), f.Misfit == mandate.Fits, f.Usable, string(f.Misfit), edit(f.Edit)})
	}
	return v
}

func edit(e *mandate.Edit) *EditView {
	if e == nil {
		return nil
	}
	turn := map[mandate.Side]string{mandate.GrantorSide: "client", mandate.ReceiverSide: "ours", mandate.RegisterSide: "register"}[e.Side]
	v := &EditView{Act: string(e.Act), Turn: turn, Mandate: int64(e.Mandate), Kind: string(e.Kind), Until: moment(e.Until)}
	if len(e.Scope) > 0 {
		v.Scope = itemsOf(e.Scope)
	}
	return v
}

// Representatives is a page of those who may act for your organisation.
type Representatives struct {
	Representatives []Representative `json:"representatives" nullable:"false" doc:"in the order of their mandates' numbers"`
	Total           int              `json:"total"`
	Known
	Page
}

// Representative is somebody who may act for your organisation: a person of its own, or an
// intermediary. Of that, its people are not named.
type Representative struct {
	Mandate Mandate `json:"mandate" doc:"by which mandate: one in force"`
	Now     bool    `json:"now" doc:"it has begun and is not over"`
	Use
}

func (a *api) listRepresentatives(ctx context.Context, in *Paging) (*body[Representatives], error) {
	f := register.Filter{Side: mandate.GrantorSide, Except: mandate.Assignment, State: mandate.Active}
	list, total, p, err := a.mandatesPage(ctx, f, *in)
	if err != nil {
		return nil, err
	}
	out := Representatives{Representatives: []Representative{}, Total: total, Page: p}
	uses := map[mandate.ID]Use{}
	if a.LastUse != nil {
		ids := make([]mandate.ID, 0, len(list))
		for _, m := range list {
			ids = append(ids, m.ID)
		}
		if uses, out.Known, err = a.uses(ctx, ids); err != nil {
			return nil, err
		}
	}
	for _, m := range list {
		out.Representatives = append(out.Representatives, Representative{viewed(m, callOf(ctx).organisation), m.Validity.Holds(a.Now()), uses[m.ID]})
	}
	return &body[Representatives]{out}, nil
}

// Appointment is what a colleague, or a program, may do for your organisation.
type Appointment struct {
	Number    int64     `json:"number" doc:"its number in this register"`
	Role      string    `json:"role" enum:"administrator,director,program,reader,staff"`
	Authority string    `json:"authority,omitempty" doc:"director: how far he binds the organisation" enum:"alone,jointly,limited"`
	Name      string    `json:"name" doc:"as colleagues know him, or what the program is for"`
	Level     string    `json:"level" doc:"the highest level at which it can grant" enum:"loa2,loa2plus,loa3,loa4"`
	State     string    `json:"state" enum:"invited,appointed,dismissed"`
	From      time.Time `json:"from"`
	Until     time.Time `json:"until"`
}

func appointmentOf(m mandate.Appointment) Appointment {
	return Appointment{int64(m.ID), string(m.Role), string(m.Authority), m.Name, m.Level.String(), string(m.State), m.Validity.From, m.Validity.To}
}

// Appointments is a page of them.
type Appointments struct {
	Appointments []Appointment `json:"appointments" nullable:"false" doc:"in the order of their numbers, dismissed ones too"`
	Page
}

func (a *api) listAppointments(ctx context.Context, in *Paging) (*body[Appointments], error) {
	return a.appointmentsPage(ctx, *in, callOf(ctx).organisation, func(l *desk.Look, after mandate.AppointmentID) ([]mandate.Appointment, bool, error) {
		return l.Appointments(after, in.Limit)
	})
}

// appointmentsPage reads a page of those in an organisation.
func (a *api) appointmentsPage(ctx context.Context, in Paging, of mandate.OrganisationID,
	list func(*desk.Look, mandate.AppointmentID) ([]mandate.Appointment, bool, error)) (*body[Appointments], error) {
	c := callOf(ctx)
	at, err := openCursor[mandate.AppointmentID](a, c, in.Cursor, of)
	if err != nil {
		return nil, err
	}
	out := Appointments{Appointments: []Appointment{}}
	err = a.look(ctx, at.Revision, func(l *desk.Look) error {
		at.Revision = l.Revision()
		some, more, err := list(l, at.After)
		for _, m := range some {
			out.Appointments = append(out.Appointments, appointmentOf(m))
			at.After = m.ID
		}
		out.Page = page(a, c, at, more, of)
		return err
	})
	return &body[Appointments]{out}, err
}
