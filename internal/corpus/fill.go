package corpus

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/mandated/mandated/pkg/catalogue"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
)

// Fill puts the world's parties and mandates into an empty register, by its own door: so
// a world that no register would hold is found out. The numbers come out as in the file.
// Whoever stands there as unblocked really is blocked first, and in a later revision no
// longer: the register's history goes into the answer.
func (w *World) Fill(ctx context.Context, r *register.Register) error {
	_, err := r.Change(ctx, register.Author{Who: "corpus", Why: "a world"}, func(t *register.Tx) error {
		if err := w.fillParties(t); err != nil {
			return err
		}
		return w.fillMandates(t)
	})
	if err != nil || len(w.unblocked) == 0 {
		return err
	}
	_, err = r.Change(ctx, register.Author{Who: "corpus", Why: "blocks are lifted"}, w.unblock)
	return err
}

func (w *World) fillParties(t *register.Tx) error {
	for _, o := range w.Companies {
		o.Blocked = o.Blocked || slices.Contains(w.unblocked, o.Name)
		got, err := t.PutOrganisation(o)
		if err != nil || got.ID != o.ID {
			return fmt.Errorf("company %s: number %d (%v)", o.Name, got.ID, err)
		}
	}
	for _, p := range w.Persons {
		p.Blocked = p.Blocked || slices.Contains(w.unblocked, p.Name)
		got, err := t.PutPerson(p)
		if err != nil || got.ID != p.ID {
			return fmt.Errorf("person %s: number %d (%v)", p.Name, got.ID, err)
		}
	}
	return nil
}

// unblock leaves everybody as the world has them.
func (w *World) unblock(t *register.Tx) error {
	for _, name := range w.unblocked {
		var err error
		if o := w.company(name); o != nil {
			_, err = t.PutOrganisation(*o)
		} else {
			_, err = t.PutPerson(*w.person(name))
		}
		if err != nil {
			return fmt.Errorf("unblocking %s: %w", name, err)
		}
	}
	return nil
}

// fillMandates grants everything in order and ends what has ended: at once, or after the
// assignments below it, which are granted while the client's mandate is alive.
func (w *World) fillMandates(t *register.Tx) error {
	for _, m := range w.Mandates {
		alive := m
		if m.State.Ended() {
			alive.State = mandate.Active
		}
		got, err := t.Grant(alive, register.GrantOptions{Migrating: true})
		if err != nil || got.ID != m.ID {
			return fmt.Errorf("mandate %d: number %d: %w", m.ID, got.ID, err)
		}
		if !w.hasAssignments(m.ID) {
			if err := end(t, m); err != nil {
				return err
			}
		}
	}
	for _, m := range w.Mandates {
		if err := end(t, m); err != nil {
			return err
		}
	}
	return nil
}

func (w *World) hasAssignments(id mandate.ID) bool {
	return slices.ContainsFunc(w.Mandates, func(m mandate.Mandate) bool { return m.Client == id })
}

// end ends a mandate that has ended in the world, if it has not already: assignments end
// with their client's mandate.
func end(t *register.Tx, m mandate.Mandate) error {
	if !m.State.Ended() {
		return nil
	}
	known, err := t.Snapshot().Mandate(m.ID)
	if err == nil && !known.State.Ended() {
		_, err = t.SetState(m.ID, m.State)
	}
	return err
}

// Catalogue describes the world's services as a service catalogue document.
func (w *World) Catalogue(issued time.Time) catalogue.Spec {
	spec := catalogue.Spec{Version: "urn:etoegang:1.13:service-catalogue:T:1", Issued: issued}
	for i, name := range w.providers {
		p := catalogue.ProviderSpec{OIN: w.provider(name).String(), Names: map[string]string{"nl": name}, Public: true}
		for _, service := range w.Order {
			if s := w.Services[service]; s.Provider == w.provider(w.providers[i]) {
				w.describe(&p, service, s)
			}
		}
		spec.Providers = append(spec.Providers, p)
	}
	return spec
}

func (w *World) describe(p *catalogue.ProviderSpec, name string, s *etoegang.Service) {
	var restrictions []string
	if s.Establishments {
		restrictions = []string{etoegang.RestrictionEstablishment}
	}
	sets := make([][]string, len(s.EntityTypes))
	for i, set := range s.EntityTypes {
		for _, t := range set {
			sets[i] = append(sets[i], string(t))
		}
	}
	d := catalogue.DefinitionSpec{
		UUID: s.UUID.String(), Names: map[string]string{"nl": name}, Descriptions: map[string]string{"nl": name}, Level: s.Level.URN(),
		Broker: p.OIN, EntityTypes: sets, Restrictions: restrictions, Public: s.Public, Portal: s.Portal(),
	}
	own := fmt.Sprintf("%08d-1111-4000-8000-000000000000", slices.Index(w.Order, name)+1)
	instance := catalogue.InstanceSpec{ID: w.Instances[name], UUID: own, Of: s.UUID.String(), Broker: p.OIN, Public: s.Public, Portal: s.Portal()}
	for _, t := range s.Underlying {
		instance.PortalFor = append(instance.PortalFor, w.Instances[w.serviceName(t.UUID)])
	}
	p.Definitions, p.Instances = append(p.Definitions, d), append(p.Instances, instance)
}

// Asked names the service of the question as a message would. A service that the world
// does not have gets names that nobody else has.
func (c *Case) Asked() (etoegang.ServiceID, etoegang.ServiceUUID) {
	if s := c.World.Services[c.Service]; s != nil {
		return must(etoegang.ParseServiceID(c.World.Instances[c.Service])), s.UUID
	}
	return must(etoegang.ParseServiceID("urn:etoegang:DV:00000001000000010000:services:999999")),
		must(etoegang.ParseServiceUUID("99999999-0000-4000-8000-000000000000"))
}
