package harness

import (
	"context"
	"fmt"
	"time"

	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
)

// Company makes a company. rsin may be "" for a sole proprietor. It panics on a number
// that is none: a test should see that at once.
func Company(name, kvk, rsin string) mandate.Organisation {
	o := mandate.Organisation{Name: name, Active: true, KvK: mustParse(etoegang.ParseKvKNumber(kvk))}
	if rsin != "" {
		o.RSIN = mustParse(etoegang.ParseRSIN(rsin))
	}
	return o
}

// For is what a mandate covers: one service at a level.
func For(s Service, level etoegang.AssuranceLevel) mandate.Scope {
	return mandate.Scope{{Service: s.UUID, Level: level}}
}

// Direct records a mandate from a company to a person, valid for a year from now.
func (r *RegisterNode) Direct(from mandate.Organisation, to mandate.Person, scope mandate.Scope) (mandate.ID, error) {
	return r.Grant(mandate.Mandate{Kind: mandate.Direct, Grantor: from, Person: to, Scope: scope})
}

// Chain records a mandate from a company to an intermediary, valid for a year from now.
func (r *RegisterNode) Chain(from, to mandate.Organisation, scope mandate.Scope) (mandate.ID, error) {
	return r.Grant(mandate.Mandate{Kind: mandate.Chain, Grantor: from, Intermediary: to, Scope: scope})
}

// ChainElsewhere records that a company has mandated an intermediary in another register,
// which alone can confirm it.
func (r *RegisterNode) ChainElsewhere(from, to mandate.Organisation, scope mandate.Scope, elsewhere *RegisterNode) (mandate.ID, error) {
	return r.Grant(mandate.Mandate{Kind: mandate.Chain, Grantor: from, Intermediary: to, Scope: scope, Register: elsewhere.Entity})
}

// Assign records that an intermediary lets one of its people act for a client.
func (r *RegisterNode) Assign(client mandate.ID, from mandate.Organisation, to mandate.Person, scope mandate.Scope) (mandate.ID, error) {
	return r.Grant(mandate.Mandate{Kind: mandate.Assignment, Client: client, Grantor: from, Person: to, Scope: scope})
}

// Grant records a mandate and whoever is in it. What it leaves open is filled in: active,
// for a year from now.
func (r *RegisterNode) Grant(m mandate.Mandate) (mandate.ID, error) {
	if m.State == "" {
		m.State = mandate.Active
	}
	if m.Validity.From.IsZero() {
		m.Validity.From = r.network.Now().UTC().Truncate(time.Second)
	}
	if m.Validity.To.IsZero() {
		m.Validity.To = mandate.AddYears(m.Validity.From, 1)
	}
	err := r.change("granting", func(t *register.Tx) error {
		if err := put(t, &m); err != nil {
			return err
		}
		granted, err := t.Grant(m, register.GrantOptions{Migrating: true})
		m.ID = granted.ID
		return err
	})
	return m.ID, err
}

// put makes sure that everybody in a mandate is registered.
func put(t *register.Tx, m *mandate.Mandate) (err error) {
	if m.Grantor, err = t.PutOrganisation(m.Grantor); err != nil {
		return err
	}
	if !m.Intermediary.KvK.IsZero() {
		if m.Intermediary, err = t.PutOrganisation(m.Intermediary); err != nil {
			return err
		}
	}
	if !m.Person.Subject.IsZero() {
		m.Person, err = t.PutPerson(m.Person)
	}
	return err
}

// Revoke ends a mandate.
func (r *RegisterNode) Revoke(id mandate.ID) error { return r.setState(id, mandate.Revoked) }

// Suspend stops a mandate for the time being.
func (r *RegisterNode) Suspend(id mandate.ID) error { return r.setState(id, mandate.Suspended) }

// Resume lets a suspended mandate go on.
func (r *RegisterNode) Resume(id mandate.ID) error { return r.setState(id, mandate.Active) }

func (r *RegisterNode) setState(id mandate.ID, to mandate.State) error {
	return r.change(string(to), func(t *register.Tx) error {
		_, err := t.SetState(id, to)
		return err
	})
}

// change changes the register. When it returns, all of its daemons answer by the change, also
// to those whom they have denied a moment before.
func (r *RegisterNode) change(why string, fn func(*register.Tx) error) error {
	ctx := context.Background()
	_, err := r.Register().Change(ctx, register.Author{Who: "harness", Why: why}, fn)
	for _, node := range r.network.nodes() {
		if err == nil && node.Entity == r.Entity && node.daemon != nil {
			err = node.daemon.CatchUp(ctx)
		}
	}
	if err != nil {
		return fmt.Errorf("%s at %s: %w", why, r.Name, err)
	}
	return nil
}
