package api

import (
	"context"
	"time"

	"github.com/mandated/mandated/internal/desk"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
)

type body[T any] struct{ Body T }

// Me is who the caller is.
type Me struct {
	Appointment  Appointment `json:"appointment" doc:"what you were appointed for"`
	Organisation *Company    `json:"organisation,omitempty" doc:"for which organisation; none: for the register"`
	Revision     int64       `json:"revision" doc:"the newest revision of the register"`
}

func (a *api) me(ctx context.Context, _ *struct{}) (out *body[Me], err error) {
	own := callOf(ctx).appointment
	err = a.look(ctx, 0, func(l *desk.Look) error {
		out = &body[Me]{Me{Appointment: appointmentOf(own), Revision: int64(l.Revision())}}
		if own.Organisation.ID != 0 {
			of := companyOf(own.Organisation)
			out.Body.Organisation = &of
		}
		return nil
	})
	return out, err
}

// Which chooses among mandates, whoever has them.
type Which struct {
	Kind  string `query:"kind" enum:"direct,chain,assignment" doc:"only of this kind"`
	State string `query:"state" enum:"draft,requested,awaiting-signatures,awaiting-acceptance,active,suspended,revoked,lapsed-unused,superseded,rejected,withdrawn,request-expired" doc:"only in this state"`
}

// Filter chooses among the mandates of an organisation.
type Filter struct {
	Which
	Side   string `query:"side" enum:"grantor,receiver" doc:"only those that the organisation gives, or receives"`
	Person int64  `query:"person" minimum:"1" doc:"only of the person with this number"`
}

func (f Filter) filter() register.Filter {
	return register.Filter{Kind: mandate.Kind(f.Kind), State: mandate.State(f.State), Side: mandate.Side(f.Side), Person: mandate.PersonID(f.Person)}
}

// Mandates is a page of mandates.
type Mandates struct {
	Mandates []Mandate `json:"mandates" nullable:"false" doc:"in the order of their numbers"`
	Total    int       `json:"total" doc:"how many there are on all pages"`
	Page
}

type mandatesIn struct {
	Filter
	Paging
}

func (a *api) listMandates(ctx context.Context, in *mandatesIn) (*body[Mandates], error) {
	return a.listed(ctx, in.filter(), in.Paging)
}

// listed answers with a page of those that a filter chooses.
func (a *api) listed(ctx context.Context, f register.Filter, in Paging) (*body[Mandates], error) {
	list, total, p, err := a.mandatesPage(ctx, f, in)
	if err != nil {
		return nil, err
	}
	return &body[Mandates]{Mandates{viewedAll(list, callOf(ctx).organisation), total, p}}, nil
}

// mandatesPage reads a page of those that a filter chooses.
func (a *api) mandatesPage(ctx context.Context, f register.Filter, in Paging) (list []mandate.Mandate, total int, p Page, err error) {
	c := callOf(ctx)
	at, err := openCursor[mandate.ID](a, c, in.Cursor, f)
	if err != nil {
		return nil, 0, p, err
	}
	err = a.look(ctx, at.Revision, func(l *desk.Look) (err error) {
		if in.Cursor == "" {
			at.Revision = l.Revision()
			if at.Total, err = l.Total(f); err != nil {
				return err
			}
		}
		var more bool
		list, more, err = l.Mandates(f, at.After, in.Limit)
		if len(list) > 0 {
			at.After = list[len(list)-1].ID
		}
		p = page(a, c, at, more, f)
		return err
	})
	return list, at.Total, p, err
}

// One names a mandate.
type One struct {
	ID int64 `path:"id" minimum:"1" doc:"the number of the mandate"`
}

// Single is a mandate at a revision.
type Single struct {
	Mandate  Mandate `json:"mandate"`
	Revision int64   `json:"revision" doc:"the revision of the register that this shows; after a change, the one that it made"`
}

func (a *api) getMandate(ctx context.Context, in *One) (out *body[Single], err error) {
	err = a.look(ctx, 0, func(l *desk.Look) error {
		m, err := l.Mandate(mandate.ID(in.ID))
		out = &body[Single]{Single{viewed(m, callOf(ctx).organisation), int64(l.Revision())}}
		return err
	})
	return out, err
}

// Wished is a mandate that somebody wants.
type Wished struct {
	Kind           string   `json:"kind" enum:"direct,chain,assignment"`
	Grantor        Company  `json:"grantor" doc:"who gives it: your organisation, or the one that you ask for a chain mandate"`
	Intermediary   *Company `json:"intermediary,omitempty" doc:"chain: who receives it"`
	Person         *Person  `json:"person,omitempty" doc:"direct and assignment: who receives it, by number or by authenticator and pseudonym"`
	Client         int64    `json:"client,omitempty" minimum:"1" doc:"assignment: the client's chain mandate to pass on"`
	Scope          []string `json:"scope" minItems:"1" maxItems:"1000" nullable:"false" doc:"<ServiceUUID>@loa3, provider:<OIN>@loa3 or everything@loa3"`
	Establishments []string `json:"establishments,omitempty" maxItems:"1000" doc:"direct: the branches it is limited to"`
	From           string   `json:"from" maxLength:"40" doc:"a date, which begins in Amsterdam, or a moment with a zone" example:"2027-01-01"`
	Until          string   `json:"until" maxLength:"40" doc:"when it is over: at most five years later" example:"2028-01-01"`
	Reference      string   `json:"reference,omitempty" maxLength:"255" doc:"a note for both parties, at most 255 bytes"`
	Supersedes     int64    `json:"supersedes,omitempty" minimum:"1" doc:"the mandate whose place it is to take: to renew or to widen it"`
	Offer          bool     `json:"offer,omitempty" doc:"chain: the intermediary is to accept it first"`
	Papers         []Paper  `json:"papers,omitempty" maxItems:"20" doc:"of the register's staff: the evidence that this rests on"`
	Why            string   `json:"why" minLength:"1" maxLength:"255" doc:"why, without naming anybody: it is kept with the mandate"`
}

// wish is what is wished for.
func (w Wished) wish() (desk.Wish, error) {
	var m mistakes
	wish := desk.Wish{Kind: mandate.Kind(w.Kind), Client: mandate.ID(w.Client), Reference: w.Reference,
		Supersedes: mandate.ID(w.Supersedes), Offer: w.Offer, Grantor: w.Grantor.party(&m, "body.grantor")}
	if w.Intermediary != nil {
		wish.Intermediary = w.Intermediary.party(&m, "body.intermediary")
	}
	if w.Person != nil {
		wish.Person = w.Person.wish(&m, "body.person")
	}
	if (w.Kind == string(mandate.Chain)) != (w.Intermediary != nil) || (w.Kind == string(mandate.Chain)) != (w.Person == nil) {
		return wish, mandate.ErrParties
	}
	wish.Scope = parseAll(&m, "body.scope", w.Scope, mandate.ParseItem)
	wish.Establishments = parseAll(&m, "body.establishments", w.Establishments, etoegang.ParseEstablishmentNumber)
	wish.Validity = mandate.Validity{From: parse(&m, "body.from", w.From, mandate.ParseMoment), To: parse(&m, "body.until", w.Until, mandate.ParseMoment)}
	return wish, m.err()
}

func (c Company) party(m *mistakes, place string) desk.Party {
	return desk.Party{KvK: parse(m, place+".kvkNumber", c.KvKNumber, etoegang.ParseKvKNumber), Name: c.Name}
}

func (a *api) askMandate(ctx context.Context, in *body[Wished]) (*made, error) {
	papers, err := callOf(ctx).evidence(in.Body.Papers)
	if err != nil {
		return nil, err
	}
	wish, err := in.Body.wish()
	if err != nil {
		return nil, err
	}
	wish.Evidence = papers
	return a.done(ctx)(a.Desk.Ask(ctx, callOf(ctx).caller, in.Body.Why, wish))
}

// made is the answer to a step: what became of the mandate, and where it is found.
type made struct {
	Location string `header:"Location" doc:"where the mandate is"`
	Body     Single
}

// History is what was done to a mandate.
type History struct {
	Steps    []Step    `json:"steps" nullable:"false" doc:"what was done, oldest first; nothing where the register's own command line did it"`
	Versions []Version `json:"versions" nullable:"false" doc:"the states it has had, oldest first"`
	Revision int64     `json:"revision"`
}

// Step is one act.
type Step struct {
	Act         string    `json:"act" enum:"ask,agree,refuse,expire,suspend,resume,revoke,narrow,lapse" doc:"what was done; lapse: nobody used it for too long"`
	Side        string    `json:"side" enum:"grantor,receiver,register,rule" doc:"in whose name; rule: time has passed"`
	At          time.Time `json:"at"`
	Revision    int64     `json:"revision" doc:"the revision that it made"`
	Why         string    `json:"why"`
	Appointment int64     `json:"appointment,omitempty" doc:"who did it, if that was one of your organisation"`
	Catalogue   int64     `json:"catalogue,omitempty" doc:"the edition of the service catalogue by which it was read"`
	Papers      []Paper   `json:"papers,omitempty" doc:"the evidence that it rests on, for the register's staff"`
}

// Version is a state that a mandate had from one revision on.
type Version struct {
	Revision int64     `json:"revision"`
	At       time.Time `json:"at"`
	State    string    `json:"state"`
}

func (a *api) getHistory(ctx context.Context, in *One) (out *body[History], err error) {
	h := History{Steps: []Step{}, Versions: []Version{}}
	err = a.look(ctx, 0, func(l *desk.Look) error {
		h.Revision = int64(l.Revision())
		steps, err := l.Steps(mandate.ID(in.ID))
		if err != nil {
			return err
		}
		for _, s := range steps {
			h.Steps = append(h.Steps, Step{string(s.Act), string(s.Side), s.At, int64(s.Revision), s.Author.Why, int64(s.Appointment), s.Catalogue, papersOf(s.Evidence)})
		}
		versions, err := l.History(mandate.ID(in.ID))
		for _, v := range versions {
			h.Versions = append(h.Versions, Version{int64(v.Revision), v.At, string(v.Mandate.State)})
		}
		return err
	})
	return &body[History]{h}, err
}

// Use is when a mandate was last used. By whom is not told: the people of an intermediary
// are its own affair.
type Use struct {
	LastUsed *time.Time `json:"lastUsed,omitempty" doc:"when it was last used; none: not between since and upTo"`
	Service  string     `json:"service,omitempty" doc:"where it was used then"`
}

// Known is of which time all uses are known.
type Known struct {
	Since *time.Time `json:"since,omitempty" doc:"from when on all uses are known; none: of no time"`
	UpTo  *time.Time `json:"upTo,omitempty" doc:"up to when all uses are known"`
}

// OneUse is the use of one mandate.
type OneUse struct {
	Use
	Known
}

func (a *api) getUse(ctx context.Context, in *One) (*body[OneUse], error) {
	id := mandate.ID(in.ID)
	if err := a.look(ctx, 0, func(l *desk.Look) error { _, err := l.Mandate(id); return err }); err != nil {
		return nil, err
	}
	uses, known, err := a.uses(ctx, []mandate.ID{id})
	return &body[OneUse]{OneUse{uses[id], known}}, err
}

// uses tells of mandates when they were last used.
func (a *api) uses(ctx context.Context, ids []mandate.ID) (map[mandate.ID]Use, Known, error) {
	found, err := a.LastUse(ctx, ids)
	if err != nil {
		return nil, Known{}, err
	}
	uses := map[mandate.ID]Use{}
	for id, u := range found.Last {
		uses[id] = Use{moment(u.At), u.Service}
	}
	return uses, Known{moment(found.Since), moment(found.UpTo)}, nil
}

func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
