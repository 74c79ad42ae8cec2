package desk

import (
	"slices"

	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
)

// Client is a company that has mandated an intermediary: both halves of what its people may
// do for it.
type Client struct {
	Company     mandate.Organisation
	Chains      []mandate.Mandate // from the company to the intermediary
	Assignments []mandate.Mandate // from the intermediary to its people
}

// Fitting is a client's chain mandate with the assignments that pass it on, and how the two
// halves fit.
type Fitting struct {
	Chain       mandate.Mandate
	Assignments []mandate.Mandate
	mandate.Fit
}

// NeedsAttention tells whether something is in the way of what the client permits. A mandate that
// has ended permits nothing.
func (f Fitting) NeedsAttention() bool { return f.Misfit != mandate.Fits && !f.Chain.State.Ended() }

// Ends tells whether one of the halves ends within a time while the client's is in force, as
// register.Seeking finds it.
func (f Fitting) Ends(within register.Ending) bool {
	c := f.Chain
	if c.State != mandate.Active && c.State != mandate.Suspended || !c.Validity.To.After(within.After) {
		return false
	}
	return within.Holds(c) || slices.ContainsFunc(f.Assignments, within.Holds)
}

// Clients lists the companies that have mandated the caller's organisation as their
// intermediary, in the order of the alphabet, with every mandate of theirs. A search is
// the beginning of any word of the name, or of the number. See register.Snapshot.Companies.
func (l *Look) Clients(search string, after register.Place, limit int) (list []Client, next register.Place, err error) {
	places, more, err := l.snapshot.Companies(register.Seeking{Intermediary: l.actor.Organisation, Search: search, After: after}, limit)
	for _, p := range places {
		if err != nil {
			break
		}
		var c Client
		c, err = l.client(p.Organisation)
		list = append(list, c)
	}
	return list, register.Following(places, more), err
}

// CountClients tells how many clients there are now, whatever is searched for.
func (l *Look) CountClients() (int, error) { return l.snapshot.CountClients(l.actor.Organisation) }

func (l *Look) client(id mandate.OrganisationID) (c Client, err error) {
	c.Chains, c.Assignments, err = l.snapshot.Passed(id, l.actor.Organisation)
	if err == nil && len(c.Chains) > 0 {
		c.Company = c.Chains[0].Grantor
	}
	return c, err
}

// fits tells of each chain mandate of a client how the two halves fit now: of all but those that
// came to nothing or were replaced.
func (l *Look) fits(c Client) (list []Fitting, err error) {
	offered, err := l.offered()
	if err != nil {
		return nil, err
	}
	for _, m := range c.Chains {
		if !m.State.Bears() {
			continue
		}
		f := Fitting{Chain: m}
		for _, a := range c.Assignments {
			if a.Client == m.ID && a.State.Bears() {
				f.Assignments = append(f.Assignments, a)
			}
		}
		chain, err := l.halves(m)
		if err != nil {
			return nil, err
		}
		its, err := l.halves(f.Assignments...)
		if err != nil {
			return nil, err
		}
		f.Fit = chain[0].Fit(its, offered, l.now)
		list = append(list, f)
	}
	return list, nil
}

// halves are mandates with who suspended what is suspended.
func (l *Look) halves(list ...mandate.Mandate) (halves []mandate.Half, err error) {
	for _, m := range list {
		h := mandate.Half{Mandate: m}
		if m.State == mandate.Suspended && err == nil {
			h.SuspendedBy, err = l.snapshot.SuspendedBy(m.ID)
		}
		halves = append(halves, h)
	}
	return halves, err
}

// Choice says which clients are sought. What is zero does not matter; what is set must all hold.
type Choice struct {
	Search    string          // as Clients has it
	Attention bool            // only what needs attention
	Ending    register.Ending // only what ends then
}

func (c Choice) has(f Fitting) bool {
	return (!c.Attention || f.NeedsAttention()) && (c.Ending == register.Ending{} || f.Ends(c.Ending))
}

// everyClient tells that a client is in it whatever mandates he has given.
func (c Choice) everyClient() bool { return !c.Attention && c.Ending == register.Ending{} }

// Fitted is a client, and those of his chain mandates that were sought.
type Fitted struct {
	Company  mandate.Organisation
	Fittings []Fitting
}

// FittedPage is a part of a list of clients.
type FittedPage struct {
	Clients []Fitted
	Looked  int            // at how many clients
	Next    register.Place // where the list goes on; zero: this was its end
}

// MostLooked is at how many clients a page may look at most, so that nobody waits long for it.
const MostLooked = 1000

// Fitted lists the clients of a choice as Clients does, with how both halves fit. What needs
// attention is found only by looking: so it looks at no more clients than it is told, and a page
// may end before it is full.
func (l *Look) Fitted(c Choice, after register.Place, limit, looks int) (page FittedPage, err error) {
	if !c.Attention { // each that is looked at is one of them
		looks = min(looks, limit)
	}
	if !c.Attention { // whoever is found is sought
		looks = min(looks, limit)
	}
	places, more, err := l.snapshot.Companies(register.Seeking{Intermediary: l.actor.Organisation, Search: c.Search, Ending: c.Ending, After: after}, looks)
	for _, p := range places {
		if err != nil {
			return page, err
		}
		if len(page.Clients) == limit {
			more = true
			break
		}
		var one Fitted
		one, err = l.fitted(c, p.Organisation)
		if len(one.Fittings) > 0 || c.everyClient() {
			page.Clients = append(page.Clients, one)
		}
		page.Looked++
	}
	page.Next = register.Following(places[:page.Looked], more)
	return page, err
}

func (l *Look) fitted(c Choice, id mandate.OrganisationID) (one Fitted, err error) {
	client, err := l.client(id)
	if err != nil {
		return one, err
	}
	one.Company = client.Company
	list, err := l.fits(client)
	for _, f := range list {
		if c.has(f) {
			one.Fittings = append(one.Fittings, f)
		}
	}
	return one, err
}
