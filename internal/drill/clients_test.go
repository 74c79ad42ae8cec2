package drill

import (
	"fmt"
	"sync"
	"time"

	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/harness"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
)

// client is a company and a person who may act for it by one road only, with what the
// scene knows of it.
type client struct {
	company mandate.Organisation
	through mandate.Organisation // the intermediary that the person works for; zero: he has the company's own mandate
	person  mandate.Person

	mu       sync.Mutex
	chain    mandate.ID        // the intermediary's; zero if there is none
	mandate  mandate.ID        // the person's
	standing answer            // what a question must be answered now; "" while that is open
	changes  int               // how often standing has changed
	given    register.Revision // that gave the mandate
}

// standing is a client at one moment.
type standing struct {
	answer  answer
	changes int
	given   register.Revision
}

func (c *client) now() standing {
	c.mu.Lock()
	defer c.mu.Unlock()
	return standing{c.standing, c.changes, c.given}
}

// become says what holds from now on; given is the revision that gave, if one did.
func (c *client) become(a answer, given register.Revision) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.standing = a
	c.changes++
	c.given = max(c.given, given)
}

// chained tells whether the client is represented by an intermediary.
func (c *client) chained() bool { return !c.through.KvK.IsZero() }

// between is who gave the person his mandate: the intermediary, or the company itself.
func (c *client) between() mandate.Organisation {
	if c.chained() {
		return c.through
	}
	return c.company
}

// newClients makes clients and registers them, without any mandate. Every third is
// represented by an intermediary of its own.
func (s *stage) newClients(n int) []*client {
	s.t.Helper()
	list := make([]*client, n)
	for i := range list {
		s.clients++
		list[i] = &client{
			company:  harness.Company(fmt.Sprintf("Company %d", s.clients), fmt.Sprintf("%08d", 10000000+s.clients), ""),
			person:   s.network.NewPerson(fmt.Sprintf("Person %d", s.clients)),
			standing: deny,
		}
		if i%3 == 2 {
			list[i].through = harness.Company(fmt.Sprintf("Intermediary %d", s.clients), fmt.Sprintf("%08d", 20000000+s.clients), "")
		}
	}
	_, err := s.change("clients", func(t *register.Tx) error {
		for _, c := range list {
			if err := c.put(t); err != nil {
				return err
			}
		}
		return nil
	})
	s.ok("making clients", err)
	return list
}

// put registers everybody of a client.
func (c *client) put(t *register.Tx) (err error) {
	if c.company, err = t.PutOrganisation(c.company); err != nil {
		return err
	}
	if c.chained() {
		if c.through, err = t.PutOrganisation(c.through); err != nil {
			return err
		}
	}
	c.person, err = t.PutPerson(c.person)
	return err
}

func (s *stage) change(why string, fn func(*register.Tx) error) (register.Receipt, error) {
	return s.register.Change(ctx, register.Author{Who: "drill", Why: why}, fn)
}

// taking is a way to take away what a client may do, and to give it back.
type taking struct {
	name       string
	take, give func(*register.Tx, *client) error
}

// ways are all of them: each narrows by another road, and those of a company narrow at
// its intermediary where it has one.
func (s *stage) ways() []taking {
	state := func(of func(*client) mandate.ID, to mandate.State) func(*register.Tx, *client) error {
		return func(t *register.Tx, c *client) error {
			_, err := t.SetState(of(c), to)
			return err
		}
	}
	persons := func(c *client) mandate.ID { return c.mandate }
	companys := func(c *client) mandate.ID {
		if c.chained() {
			return c.chain
		}
		return c.mandate
	}
	person := func(blocked bool) func(*register.Tx, *client) error {
		return func(t *register.Tx, c *client) error {
			p := c.person
			p.Blocked = blocked
			_, err := t.PutPerson(p)
			return err
		}
	}
	company := func(of func(*client) mandate.Organisation, blocked bool) func(*register.Tx, *client) error {
		return func(t *register.Tx, c *client) error {
			o := of(c)
			o.Blocked = blocked
			_, err := t.PutOrganisation(o)
			return err
		}
	}
	represented := func(c *client) mandate.Organisation { return c.company }
	return []taking{
		{"revoked", state(persons, mandate.Revoked), s.renew},
		{"suspended", state(persons, mandate.Suspended), state(persons, mandate.Active)},
		{"revoked by the company", state(companys, mandate.Revoked), s.grant},
		{"person blocked", person(true), person(false)},
		{"company blocked", company(represented, true), company(represented, false)},
		{"intermediary blocked", company((*client).between, true), company((*client).between, false)},
	}
}

// grant gives a client all that the person needs: the company's mandate, to him or to the
// intermediary, and then the intermediary's.
func (s *stage) grant(t *register.Tx, c *client) (err error) {
	if c.chained() {
		c.chain, err = s.grantOne(t, mandate.Mandate{Kind: mandate.Chain, Grantor: c.company, Intermediary: c.through})
	}
	if err != nil {
		return err
	}
	return s.renew(t, c)
}

// renew gives the person again what he had himself.
func (s *stage) renew(t *register.Tx, c *client) (err error) {
	if c.chained() {
		c.mandate, err = s.grantOne(t, mandate.Mandate{Kind: mandate.Assignment, Client: c.chain, Grantor: c.through, Person: c.person})
		return err
	}
	c.mandate, err = s.grantOne(t, mandate.Mandate{Kind: mandate.Direct, Grantor: c.company, Person: c.person})
	return err
}

func (s *stage) grantOne(t *register.Tx, m mandate.Mandate) (mandate.ID, error) {
	from := t.Now().Truncate(time.Second)
	m.State, m.Scope = mandate.Active, harness.For(s.vat(), etoegang.LoA3)
	m.Validity = mandate.Validity{From: from, To: mandate.AddYears(from, 1)}
	m, err := t.Grant(m, register.GrantOptions{})
	return m.ID, err
}

func (s *stage) vat() harness.Service { return s.network.Services["vat"] }

// give lets clients act, and take no longer: in one change each, which is acknowledged
// when they return.
func (s *stage) give(how func(*register.Tx, *client) error, clients ...*client) {
	s.t.Helper()
	_, err := s.alter(permit, how, clients)
	s.ok("giving", err)
}

func (s *stage) take(how func(*register.Tx, *client) error, clients ...*client) {
	s.t.Helper()
	_, err := s.alter(deny, how, clients)
	s.ok("taking", err)
}

// alter makes a change of clients. What they may do is open meanwhile, and afterwards if
// the change fails.
func (s *stage) alter(to answer, how func(*register.Tx, *client) error, clients []*client) (register.Receipt, error) {
	for _, c := range clients {
		c.become("", 0)
	}
	receipt, err := s.change("now "+string(to), func(t *register.Tx) error {
		for _, c := range clients {
			if err := how(t, c); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return receipt, err
	}
	given := register.Revision(0)
	if to == permit {
		given = receipt.Revision
	}
	for _, c := range clients {
		c.become(to, given)
	}
	return receipt, nil
}
