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

// client is a company, a person, and the one mandate between them, with what the scene
// knows of it.
type client struct {
	company mandate.Organisation
	person  mandate.Person

	mu       sync.Mutex
	mandate  mandate.ID
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

// newClients makes clients and registers them, without any mandate.
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
	}
	_, err := s.change("clients", func(t *register.Tx) (err error) {
		for _, c := range list {
			if c.company, err = t.PutOrganisation(c.company); err != nil {
				return err
			}
			if c.person, err = t.PutPerson(c.person); err != nil {
				return err
			}
		}
		return nil
	})
	s.ok("making clients", err)
	return list
}

func (s *stage) change(why string, fn func(*register.Tx) error) (register.Receipt, error) {
	return s.register.Change(ctx, register.Author{Who: "drill", Why: why}, fn)
}

// taking is a way to take away what a client may do, and to give it back.
type taking struct {
	name       string
	take, give func(*register.Tx, *client) error
}

// ways are all of them: each narrows by another road.
func (s *stage) ways() []taking {
	state := func(to mandate.State) func(*register.Tx, *client) error {
		return func(t *register.Tx, c *client) error {
			_, err := t.SetState(c.mandate, to)
			return err
		}
	}
	person := func(change func(*mandate.Person)) func(*register.Tx, *client) error {
		return func(t *register.Tx, c *client) error {
			p := c.person
			change(&p)
			_, err := t.PutPerson(p)
			return err
		}
	}
	company := func(change func(*mandate.Organisation)) func(*register.Tx, *client) error {
		return func(t *register.Tx, c *client) error {
			o := c.company
			change(&o)
			_, err := t.PutOrganisation(o)
			return err
		}
	}
	return []taking{
		{"revoked", state(mandate.Revoked), s.grant},
		{"suspended", state(mandate.Suspended), state(mandate.Active)},
		{"person blocked", person(func(p *mandate.Person) { p.Blocked = true }), person(func(*mandate.Person) {})},
		{"company blocked", company(func(o *mandate.Organisation) { o.Blocked = true }), company(func(*mandate.Organisation) {})},
	}
}

// grant gives a client a new mandate.
func (s *stage) grant(t *register.Tx, c *client) error {
	from := t.Now().Truncate(time.Second)
	m, err := t.Grant(mandate.Mandate{
		Kind: mandate.Direct, State: mandate.Active, Grantor: c.company, Person: c.person,
		Scope: harness.For(s.vat(), etoegang.LoA3), Validity: mandate.Validity{From: from, To: mandate.AddYears(from, 1)},
	}, register.GrantOptions{})
	c.mandate = m.ID
	return err
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
