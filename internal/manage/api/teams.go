package api

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/mandated/mandated/internal/desk"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
)

// Team is a group of your people who work for the same clients.
type Team struct {
	ID   int64  `json:"id" doc:"its number in this register"`
	Name string `json:"name" doc:"as colleagues know it"`
}

func teamOf(t mandate.Team) Team { return Team{int64(t.ID), t.Name} }

// Teams is a page of them.
type Teams struct {
	Teams []Team `json:"teams" nullable:"false" doc:"in the order of their numbers"`
	Page
}

func (a *api) listTeams(ctx context.Context, in *Paging) (*body[Teams], error) {
	c := callOf(ctx)
	at, err := openCursor[mandate.TeamID](a, c, in.Cursor, "")
	if err != nil {
		return nil, err
	}
	out := Teams{Teams: []Team{}}
	err = a.look(ctx, at.Revision, func(l *desk.Look) error {
		at.Revision = l.Revision()
		list, err := l.Teams()
		rest := slices.DeleteFunc(list, func(t mandate.Team) bool { return t.ID <= at.After })
		for _, t := range rest[:min(in.Limit, len(rest))] {
			out.Teams = append(out.Teams, teamOf(t))
			at.After = t.ID
		}
		out.Page = page(a, c, at, len(rest) > in.Limit, "")
		return err
	})
	return &body[Teams]{out}, err
}

// OneTeam names a team.
type OneTeam struct {
	ID int64 `path:"id" minimum:"1" doc:"the number of the team"`
}

func (o OneTeam) id() mandate.TeamID { return mandate.TeamID(o.ID) }

// TeamView is a team, and how it stands.
type TeamView struct {
	Team     Team     `json:"team"`
	Members  []Person `json:"members" nullable:"false" doc:"in the order of their numbers"`
	Clients  int      `json:"clients" doc:"for how many companies it works"`
	Lacking  int      `json:"lacking" doc:"how many assignments its members lack of its clients' mandates"`
	Revision int64    `json:"revision"`
}

func (a *api) getTeam(ctx context.Context, in *OneTeam) (*body[TeamView], error) {
	out := TeamView{Members: []Person{}}
	err := a.look(ctx, 0, func(l *desk.Look) error {
		v, err := l.Team(in.id())
		for _, p := range v.Members {
			out.Members = append(out.Members, personOf(p))
		}
		out.Team, out.Clients, out.Lacking, out.Revision = teamOf(v.Team), v.Clients, v.Lacking, int64(l.Revision())
		return err
	})
	return &body[TeamView]{out}, err
}

// TeamClients is a page of the companies for which a team works.
type TeamClients struct {
	Clients []Company `json:"clients" nullable:"false" doc:"in the order of their numbers in this register"`
	Page
}

type teamClientsIn struct {
	OneTeam
	Paging
}

func (a *api) listTeamClients(ctx context.Context, in *teamClientsIn) (*body[TeamClients], error) {
	c := callOf(ctx)
	at, err := openCursor[mandate.OrganisationID](a, c, in.Cursor, in.ID)
	if err != nil {
		return nil, err
	}
	out := TeamClients{Clients: []Company{}}
	err = a.look(ctx, at.Revision, func(l *desk.Look) error {
		at.Revision = l.Revision()
		list, more, err := l.TeamClients(in.id(), at.After, in.Limit)
		for _, o := range list {
			out.Clients = append(out.Clients, companyOf(o))
			at.After = o.ID
		}
		out.Page = page(a, c, at, more, in.ID)
		return err
	})
	return &body[TeamClients]{out}, err
}

// TeamChange is what became of a team.
type TeamChange struct {
	Team     Team  `json:"team"`
	Changed  bool  `json:"changed" doc:"false: it was so before"`
	Added    int   `json:"added,omitempty" doc:"how many clients are new to it"`
	Ended    int   `json:"ended" doc:"how many assignments are over, or are no longer asked for"`
	Revision int64 `json:"revision" doc:"the revision of the register that this made"`
}

func changed(t desk.Teamed, err error) (*body[TeamChange], error) {
	if err != nil {
		return nil, err
	}
	return &body[TeamChange]{TeamChange{Team: teamOf(t.Team), Changed: t.Changed, Added: t.Added, Ended: t.Ended, Revision: int64(t.Receipt.Revision)}}, nil
}

// TeamName is what a team is to be called.
type TeamName struct {
	Name string `json:"name" minLength:"1" maxLength:"100" doc:"at most 100 bytes, by which colleagues know it"`
}

// madeTeam is the answer when there is a team more: what it is, and where.
type madeTeam struct {
	Location string `header:"Location" doc:"where the team is"`
	Body     TeamChange
}

func (a *api) makeTeam(ctx context.Context, in *body[TeamName]) (*madeTeam, error) {
	made, err := changed(a.Desk.PutTeam(ctx, callOf(ctx).caller, 0, in.Body.Name))
	if err != nil {
		return nil, err
	}
	return &madeTeam{fmt.Sprintf("%s%s/teams/%d", a.Address, Path, made.Body.Team.ID), made.Body}, nil
}

type teamNameIn struct {
	OneTeam
	Body TeamName
}

func (a *api) renameTeam(ctx context.Context, in *teamNameIn) (*body[TeamChange], error) {
	return changed(a.Desk.PutTeam(ctx, callOf(ctx).caller, in.id(), in.Body.Name))
}

func (a *api) endTeam(ctx context.Context, in *OneTeam) (*body[TeamChange], error) {
	return changed(a.Desk.EndTeam(ctx, callOf(ctx).caller, in.id()))
}

type memberIn struct {
	OneTeam
	Body Person
}

func (a *api) addMember(ctx context.Context, in *memberIn) (*body[TeamChange], error) {
	var m mistakes
	who := in.Body.named(&m, "body")
	if err := m.err(); err != nil {
		return nil, err
	}
	return changed(a.Desk.Join(ctx, callOf(ctx).caller, in.id(), who))
}

type memberOut struct {
	OneTeam
	Person int64 `path:"person" minimum:"1" doc:"the number of the member"`
}

func (a *api) dropMember(ctx context.Context, in *memberOut) (*body[TeamChange], error) {
	return changed(a.Desk.Leave(ctx, callOf(ctx).caller, in.id(), mandate.PersonID(in.Person)))
}

// Companies are for whom a team is to work.
type Companies struct {
	KvKNumbers []string `json:"kvkNumbers" nullable:"false" minItems:"1" maxItems:"1000" doc:"companies that have given your organisation a mandate, or have been asked for one"`
}

type companiesIn struct {
	OneTeam
	Body Companies
}

func (a *api) addClients(ctx context.Context, in *companiesIn) (*body[TeamChange], error) {
	var m mistakes
	companies := parseAll(&m, "body.kvkNumbers", in.Body.KvKNumbers, etoegang.ParseKvKNumber)
	if err := m.err(); err != nil {
		return nil, err
	}
	done, err := a.Desk.AddClients(ctx, callOf(ctx).caller, in.id(), companies)
	if stranger, ok := errors.AsType[*desk.NotClientError](err); ok { // told by its place, not by its number
		p := a.problem(ctx, err)
		p.Errors = []Mistake{{fmt.Sprintf("body.kvkNumbers[%d]", slices.Index(companies, stranger.Company)), p.Title}}
		return nil, p
	}
	return changed(done, err)
}

type clientOut struct {
	OneTeam
	KvKNumber string `path:"kvkNumber" pattern:"^[0-9]{8}$" doc:"the client's number in the trade register"`
}

func (a *api) dropClient(ctx context.Context, in *clientOut) (*body[TeamChange], error) {
	var m mistakes
	company := parse(&m, "path.kvkNumber", in.KvKNumber, etoegang.ParseKvKNumber)
	if err := m.err(); err != nil {
		return nil, err
	}
	return changed(a.Desk.DropClient(ctx, callOf(ctx).caller, in.id(), company))
}

// mostAssigned is how many assignments are made at once: a change holds up all others.
const mostAssigned = 200

const aboutFilling = `At most 200 at once: go on with next as the cursor until there is none. Each assignment is all of a client's mandate, from today until that mandate or your own appointment ends. What somebody has been assigned of a mandate already stays as it is; what is refused keeps nothing else back.`

// Filling asks for what the members of a team lack.
type Filling struct {
	Cursor string `json:"cursor,omitempty" maxLength:"2000" doc:"next of the answer before; none: from the beginning"`
	Reason
}

// Filled is how far the assignments of a team have come.
type Filled struct {
	Made     int           `json:"made" doc:"how many were assigned, in force or waiting for another's signature"`
	Refused  []NotAssigned `json:"refused" nullable:"false" doc:"what could not be"`
	Next     string        `json:"next,omitempty" doc:"the cursor to go on with; none: this was the last"`
	Revision int64         `json:"revision" doc:"the revision of the register that this made"`
}

// NotAssigned is why somebody was not assigned a client's mandate.
type NotAssigned struct {
	Client  int64    `json:"client" doc:"the client's chain mandate"`
	Person  int64    `json:"person" doc:"the number of the member"`
	Problem *Problem `json:"problem"`
}

type fillingIn struct {
	OneTeam
	Body Filling
}

func (a *api) fillTeam(ctx context.Context, in *fillingIn) (*body[Filled], error) {
	c := callOf(ctx)
	at, err := openCursor[register.Gap](a, c, in.Body.Cursor, in.ID)
	if err != nil {
		return nil, err
	}
	done, err := a.Desk.FillTeam(ctx, c.caller, in.Body.Why, in.id(), nil, at.After, mostAssigned, register.Consent{})
	if err != nil {
		return nil, err
	}
	out := Filled{Made: done.Made, Refused: []NotAssigned{}, Revision: int64(done.Receipt.Revision)}
	for _, r := range done.Refused {
		out.Refused = append(out.Refused, NotAssigned{int64(r.Client), int64(r.Person), a.problem(ctx, r.Err)})
	}
	at.After = done.Next
	out.Next = page(a, c, at, done.More, in.ID).Next
	return &body[Filled]{out}, nil
}
