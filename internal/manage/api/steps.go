package api

import (
	"context"
	"fmt"

	"github.com/mandated/mandated/internal/desk"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
)

// What can be done to a mandate is a sub-resource of it, named for what comes of it:
// suspensions, revocations. To do it is to add one.

// Reason is why a step is taken.
type Reason struct {
	Why string `json:"why" minLength:"1" maxLength:"255" doc:"why, without naming anybody: it is kept, and the other side sees it"`
}

// Narrower is what somebody makes less of a mandate.
type Narrower struct {
	Scope          []string `json:"scope,omitempty" maxItems:"1000" doc:"what is left of the scope; none: all of it"`
	Establishments []string `json:"establishments,omitempty" maxItems:"1000" doc:"direct: the branches that are left; none: as it is"`
	Until          string   `json:"until,omitempty" maxLength:"40" doc:"an earlier end; none: as it is"`
	Reason
}

func (n Narrower) narrowing() (desk.Narrowing, error) {
	var m mistakes
	less := desk.Narrowing{
		Establishments: parseAll(&m, "body.establishments", n.Establishments, etoegang.ParseEstablishmentNumber),
		To:             parse(&m, "body.until", n.Until, mandate.ParseMoment),
	}
	if items := parseAll(&m, "body.scope", n.Scope, mandate.ParseItem); len(items) > 0 {
		less.Scope = items
	}
	return less, m.err()
}

// Grounds are why a step is taken, and of the register's staff on what it rests.
type Grounds struct {
	Papers []Paper `json:"papers,omitempty" maxItems:"20" doc:"of the register's staff: the evidence that this rests on"`
	Reason
}

// evidence reads the papers that a caller tells of. Nobody but the register's staff has any.
func (c *call) evidence(papers []Paper) ([]mandate.Evidence, error) {
	var m mistakes
	if len(papers) > 0 && c.appointment.Role != mandate.Staff {
		m = append(m, Mistake{"body.papers", "only the register's staff record what is on paper"})
	}
	list := evidenceOf(&m, "body.papers", papers)
	return list, m.err()
}

type reasonIn struct {
	One
	Body Reason
}

type narrowerIn struct {
	One
	Body Narrower
}

type groundsIn struct {
	One
	Body Grounds
}

// NarrowerMandate is what somebody makes less of a mandate in force, and on what that rests.
type NarrowerMandate struct {
	Papers []Paper `json:"papers,omitempty" maxItems:"20" doc:"of the register's staff: the evidence that this rests on"`
	Narrower
}

type narrowingIn struct {
	One
	Body NarrowerMandate
}

func (a *api) accept(ctx context.Context, in *narrowerIn) (*made, error) {
	less, err := in.Body.narrowing()
	if err != nil {
		return nil, err
	}
	return a.done(ctx)(a.Desk.Accept(ctx, callOf(ctx).caller, in.Body.Why, mandate.ID(in.ID), less, register.Consent{}))
}

func (a *api) narrow(ctx context.Context, in *narrowingIn) (*made, error) {
	less, err := in.Body.narrowing()
	if err != nil {
		return nil, err
	}
	papers, err := callOf(ctx).evidence(in.Body.Papers)
	if err != nil {
		return nil, err
	}
	return a.done(ctx)(a.Desk.Narrow(ctx, callOf(ctx).caller, in.Body.Why, mandate.ID(in.ID), less, papers))
}

func (a *api) refuse(ctx context.Context, in *reasonIn) (*made, error) {
	return a.done(ctx)(a.Desk.Refuse(ctx, callOf(ctx).caller, in.Body.Why, mandate.ID(in.ID)))
}

func (a *api) suspend(ctx context.Context, in *groundsIn) (*made, error) {
	return a.move(ctx, in, a.Desk.Suspend)
}

func (a *api) resume(ctx context.Context, in *groundsIn) (*made, error) {
	return a.move(ctx, in, a.Desk.Resume)
}

func (a *api) revoke(ctx context.Context, in *groundsIn) (*made, error) {
	return a.move(ctx, in, a.Desk.Revoke)
}

// move takes a step with a mandate that leaves it what it is.
func (a *api) move(ctx context.Context, in *groundsIn, step func(context.Context, desk.Caller, string, mandate.ID, []mandate.Evidence) (desk.Done, error)) (*made, error) {
	papers, err := callOf(ctx).evidence(in.Body.Papers)
	if err != nil {
		return nil, err
	}
	return a.done(ctx)(step(ctx, callOf(ctx).caller, in.Body.Why, mandate.ID(in.ID), papers))
}

// done answers with what became of a step.
func (a *api) done(ctx context.Context) func(desk.Done, error) (*made, error) {
	return func(d desk.Done, err error) (*made, error) {
		if err != nil {
			return nil, err
		}
		return &made{
			Location: fmt.Sprintf("%s%s/mandates/%d", a.Address, Path, d.Mandate.ID),
			Body:     Single{viewed(d.Mandate, callOf(ctx).organisation), int64(d.Receipt.Revision)},
		}, nil
	}
}
