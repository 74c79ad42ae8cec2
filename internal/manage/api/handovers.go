package api

import (
	"context"

	"github.com/mandated/mandated/internal/desk"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
)

const aboutHandovers = `At most 200 at once: go on with next as the cursor until there is none. The colleague gets the same for each client, for the time that is left. What he cannot be assigned stays as it is, and keeps nothing else back. When the answer comes, nobody decides any more by what has moved.`

// HandingOver says to whom somebody's clients go.
type HandingOver struct {
	To       Person  `json:"to" doc:"the colleague, by number or by authenticator and pseudonym"`
	Mandates []int64 `json:"mandates,omitempty" minItems:"1" maxItems:"200" doc:"which assignments; none: all of his that are in force or suspended"`
	Cursor   string  `json:"cursor,omitempty" maxLength:"2000" doc:"of all: next of the answer before; none: from the beginning"`
	Reason
}

// Handover is what became of somebody's assignments.
type Handover struct {
	Moved    int             `json:"moved" doc:"how many the colleague has now, and he no longer"`
	Waiting  int             `json:"waiting" doc:"how many wait for another's signature, with which he loses them"`
	Refused  []NotHandedOver `json:"refused" nullable:"false" doc:"what stays as it is"`
	Next     string          `json:"next,omitempty" doc:"of all: the cursor to go on with; none: these were the last"`
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
	if in.Body.Cursor != "" && len(in.Body.Mandates) > 0 {
		m = append(m, Mistake{"body.cursor", "it goes on with all, and not with mandates that are named"})
	}
	if err := m.err(); err != nil {
		return nil, err
	}
	some, next, err := a.handed(ctx, in)
	if err != nil {
		return nil, err
	}
	done, err := a.Desk.HandOver(ctx, callOf(ctx).caller, in.Body.Why, mandate.PersonID(in.Person), some, to, register.Consent{})
	if err != nil {
		return nil, err
	}
	return &body[Handover]{Handover{done.Moved, done.Waiting, a.notHandedOver(ctx, done), next, int64(done.Receipt.Revision)}}, nil
}

// handed are the assignments that are meant: those named, or the next of all, with where those go on.
func (a *api) handed(ctx context.Context, in *handingIn) (some []mandate.ID, next string, err error) {
	for _, id := range in.Body.Mandates {
		some = append(some, mandate.ID(id))
	}
	if len(some) > 0 {
		return some, "", nil
	}
	c := callOf(ctx)
	at, err := openCursor[mandate.ID](a, c, in.Body.Cursor, in.Person)
	if err != nil {
		return nil, "", err
	}
	err = a.look(ctx, 0, func(l *desk.Look) error {
		list, more, err := l.Assigned(mandate.PersonID(in.Person), at.After, mostAssigned)
		for _, m := range list {
			some, at.After = append(some, m.ID), m.ID
		}
		next = page(a, c, at, more, in.Person).Next
		return err
	})
	return some, next, err
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
