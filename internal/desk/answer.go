package desk

import (
	"context"
	"fmt"
	"time"

	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
)

// Narrowing is what somebody makes less of a mandate. What is zero stays as it is.
type Narrowing struct {
	Scope          mandate.Scope
	Establishments []etoegang.EstablishmentNumber
	To             time.Time
}

// Of is the mandate that is left: the same, if nothing is made less of it. Else it is another
// one, which begins today if the other began before.
func (n Narrowing) Of(m mandate.Mandate, now time.Time) mandate.Mandate {
	as := m
	if n.Scope != nil {
		as.Scope = n.Scope
	}
	if n.Establishments != nil {
		as.Establishments = n.Establishments
	}
	if !n.To.IsZero() {
		as.Validity.To = n.To
	}
	as = register.InOrder(as)
	if !as.Same(m) {
		as.Validity = as.Validity.Left(now)
	}
	return as
}

// Accept agrees to a request, as it stands or narrower. What is done is the mandate that is
// in force then, or that waits for the next who must agree: another one if it is narrower.
func (d *Desk) Accept(ctx context.Context, c Caller, why string, id mandate.ID, n Narrowing, consent register.Consent) (done Done, err error) {
	done.Receipt, err = d.change(ctx, c, why, func(t *turn) (err error) {
		done.Mandate, err = t.accept(id, n, consent)
		return err
	})
	return done, err
}

func (t *turn) accept(id mandate.ID, n Narrowing, consent register.Consent) (mandate.Mandate, error) {
	r, company, err := t.request(id)
	if err != nil {
		return r.Mandate, err
	}
	offered, err := t.offered()
	if err != nil {
		return r.Mandate, err
	}
	as := n.Of(r.Mandate, t.Now())
	state, err := r.Accept(as, t.actor, company, offered, t.Now())
	switch {
	case err != nil:
		return r.Mandate, err
	case !as.Same(r.Mandate):
		r.Mandate, r.State = as, state
		as, err = t.replace(r)
	case state != r.State:
		as, err = t.SetState(id, state)
	}
	if err == nil {
		err = t.charge(as)
	}
	if err == nil {
		err = t.wrote(as, mandate.ActAgree, consent, nil)
	}
	if err != nil || as.State != mandate.Active || r.HandsOver == 0 {
		return as, err
	}
	from, err := t.Snapshot().Latest(r.HandsOver)
	if err == nil {
		err = t.mayHand(from)
	}
	if err != nil {
		return as, err
	}
	return t.takeOver(as, from)
}

// request gives a request that concerns the actor, and the company that is to grant it.
func (t *turn) request(id mandate.ID) (r mandate.Request, c mandate.Company, err error) {
	if _, err = t.own(id); err != nil {
		return r, c, err
	}
	if r, err = t.Snapshot().Request(id); err != nil {
		return r, c, err
	}
	c, err = t.company(r.Grantor.ID)
	return r, c, err
}

// replace puts what is left of a mandate in its place.
func (t *turn) replace(r mandate.Request) (mandate.Mandate, error) {
	r.Supersedes, r.ID = r.ID, 0
	return t.grant(r)
}

// Refuse ends a request: the asked reject it, the askers withdraw it.
func (d *Desk) Refuse(ctx context.Context, c Caller, why string, id mandate.ID) (done Done, err error) {
	done.Receipt, err = d.change(ctx, c, why, func(t *turn) error {
		r, _, err := t.request(id)
		if err != nil {
			return err
		}
		state, err := r.Refuse(t.actor)
		if err != nil {
			return err
		}
		if done.Mandate, err = t.SetState(id, state); err != nil {
			return err
		}
		return t.wrote(done.Mandate, mandate.ActRefuse, register.Consent{}, nil)
	})
	return done, err
}

// Suspend stops a mandate for the time being, Resume lets it go on, Revoke ends it. Either
// side may, without the other's consent. When they return, nobody answers as before.
func (d *Desk) Suspend(ctx context.Context, c Caller, why string, id mandate.ID, papers []mandate.Evidence) (Done, error) {
	return d.move(ctx, c, why, id, mandate.ActSuspend, mandate.Suspended, papers)
}

// Resume: see Suspend.
func (d *Desk) Resume(ctx context.Context, c Caller, why string, id mandate.ID, papers []mandate.Evidence) (Done, error) {
	return d.move(ctx, c, why, id, mandate.ActResume, mandate.Active, papers)
}

// Revoke: see Suspend.
func (d *Desk) Revoke(ctx context.Context, c Caller, why string, id mandate.ID, papers []mandate.Evidence) (Done, error) {
	return d.move(ctx, c, why, id, mandate.ActRevoke, mandate.Revoked, papers)
}

func (d *Desk) move(ctx context.Context, c Caller, why string, id mandate.ID, act mandate.Act, to mandate.State, papers []mandate.Evidence) (done Done, err error) {
	done.Receipt, err = d.change(ctx, c, why, func(t *turn) error {
		m, err := t.own(id)
		if err != nil {
			return err
		}
		suspended, err := t.Snapshot().SuspendedBy(id)
		if err != nil {
			return err
		}
		if err := t.actor.Move(m, to, suspended); err != nil {
			return err
		}
		if done.Mandate, err = t.SetState(id, to); err != nil {
			return err
		}
		return t.wrote(done.Mandate, act, register.Consent{}, papers)
	})
	return done, err
}

// Narrow puts a narrower mandate in a mandate's place, at once. Either side may.
func (d *Desk) Narrow(ctx context.Context, c Caller, why string, id mandate.ID, n Narrowing, papers []mandate.Evidence) (done Done, err error) {
	done.Receipt, err = d.change(ctx, c, why, func(t *turn) error {
		m, err := t.own(id)
		if err != nil {
			return err
		}
		offered, err := t.offered()
		if err != nil {
			return err
		}
		as := n.Of(m, t.Now())
		if err := t.actor.Narrow(m, as, offered); err != nil {
			return err
		}
		if done.Mandate, err = t.replace(mandate.Request{Mandate: as}); err != nil {
			return err
		}
		return t.wrote(done.Mandate, mandate.ActNarrow, register.Consent{}, papers)
	})
	return done, err
}

// expiredAtOnce is how many requests end in one change, so that nobody waits long for his
// turn.
const expiredAtOnce = 500

// Expire ends the requests that nobody has answered in time, and tells how many there were.
func (d *Desk) Expire(ctx context.Context) (n int, err error) {
	for some := expiredAtOnce; some == expiredAtOnce && err == nil; n += some {
		some, err = d.expire(ctx)
	}
	return n, err
}

func (d *Desk) expire(ctx context.Context) (n int, err error) {
	author := register.Author{Who: "register", Why: fmt.Sprintf("not answered within %d days", mandate.RequestLife/(24*time.Hour))}
	_, err = d.register.Change(ctx, author, func(t *register.Tx) error {
		list, err := t.Snapshot().Expired(t.Now(), expiredAtOnce)
		for _, id := range list {
			var m mandate.Mandate
			if err == nil {
				m, err = t.Snapshot().Mandate(id)
			}
			if err == nil && m.State.Pending() { // an assignment ends with the request for its chain
				err = endByRule(t, id, mandate.RequestExpired, mandate.ActExpire)
			}
		}
		n = len(list)
		return err
	})
	if err != nil {
		n = 0
	}
	return n, err
}
