package api

import (
	"context"

	"github.com/mandated/mandated/internal/desk"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
)

// HandingOver says to whom somebody's clients go.
type HandingOver struct {
	To       Person  `json:"to" doc:"the colleague, by number or by authenticator and pseudonym"`
	Mandates []int64 `json:"mandates,omitempty" minItems:"1" maxItems:"1000" doc:"which assignments; none: all of his that are in force or suspended, which for some thousands takes too long for one call: name up to 1,000 at a time then"`
	Reason
}

// Handover is what became of somebody's assignments.
type Handover struct {
	Moved    int             `json:"moved" doc:"how many the colleague has now, and he no longer"`
	Waiting  int             `json:"waiting" doc:"how many wait for another's signature, with which he loses them"`
	Refused  []NotHandedOver `json:"refused" nullable:"false" doc:"what stays as it is"`
	Revision int64           `json:"revision" doc:"the revision of the register that this made"`
}

// NotHandedOver is why an assignment stays as it is.
type NotHandedOver struct {
	Mandate int64    `json:"mandate" doc:"the assignment"`
	Client  int64    `json:"client,omitempty" doc:"the client's chain mandate"`
	Problem *Problem `json:"problem"`
}

type handingIn struct {
	OnePerson
	Body HandingOver
}

func (a *api) handOver(ctx context.Context, in *handingIn) (*body[Handover], error) {
	var m mistakes
	to := in.Body.To.named(&m, "body.to")
	if err := m.err(); err != nil {
		return nil, err
	}
	var some []mandate.ID
	for _, id := range in.Body.Mandates {
		some = append(some, mandate.ID(id))
	}
	done, err := a.Desk.HandOver(ctx, callOf(ctx).caller, in.Body.Why, mandate.PersonID(in.Person), some, to, register.Consent{})
	if err != nil {
		return nil, err
	}
	return &body[Handover]{Handover{done.Moved, done.Waiting, a.notHandedOver(ctx, done), int64(done.Receipt.Revision)}}, nil
}

func (a *api) notHandedOver(ctx context.Context, done desk.HandedOver) []NotHandedOver {
	list := []NotHandedOver{}
	for _, r := range done.Refused {
		list = append(list, NotHandedOver{int64(r.Mandate), int64(r.Client), a.problem(ctx, r.Err)})
	}
	for _, id := range done.Unknown {
		list = append(list, NotHandedOver{Mandate: int64(id), Problem: a.problem(ctx, register.ErrNotFound)})
	}
	return list
}
