package api

import (
	"context"

	"github.com/mandated/mandated/pkg/mandate"
)

type leavingIn struct {
	OnePerson
	Body Reason
}

// Offboarding is what became of the mandates of somebody who leaves.
type Offboarding struct {
	Mandates int   `json:"mandates" doc:"how many were in force, or suspended, and are revoked"`
	Requests int   `json:"requests" doc:"how many were being asked for, and are no longer"`
	Revision int64 `json:"revision" doc:"the revision of the register that this made"`
}

func (a *api) offboard(ctx context.Context, in *leavingIn) (*body[Offboarding], error) {
	done, err := a.Desk.Offboard(ctx, callOf(ctx).caller, in.Body.Why, mandate.PersonID(in.Person))
	if err != nil {
		return nil, err
	}
	return &body[Offboarding]{Offboarding{done.Mandates, done.Requests, int64(done.Receipt.Revision)}}, nil
}
