package freshness

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/mandated/mandated/pkg/register"
)

// The scheme in miniature, with every kind of party on which a decision may depend:
// enough for a revocation to be missed in each way in which it could be.
const (
	people    = 4
	companies = 4
	offices   = 2 // intermediaries
	numbers   = 4 // RSINs, 1 and up; a company has one or none

	// Mandates are numbered: company to person, company to office, office to person.
	chains   = people * companies
	assigned = chains + companies*offices
	mandates = assigned + people*companies*offices
)

func direct(person, company int) int { return person*companies + company }
func chain(company, office int) int  { return chains + company*offices + office }
func assign(person, company, office int) int {
	return assigned + chain(company, office) - chains + person*companies*offices
}

// kind is a kind of party.
type kind byte

const (
	nobody kind = iota
	aPerson
	aCompany
	anOffice
	anRSIN
	theCatalogue
)

func party(k kind, n int) register.Party { return register.Party{byte(k), byte(n)} }

// thing is what a Permit may rest on and a change may take away.
type thing struct {
	kind   kind // nobody: a mandate
	number int
	rsin   int // anRSIN: of the company with the number
}

// state of a mandate.
type state byte

const (
	never state = iota
	active
	suspended
	revoked
)

type mandate struct {
	state       state
	level       int
	from, until int64 // nanoseconds on the wall; until 0: for ever
}

// facts are all that a register knows at one revision.
type facts struct {
	edition  int // of the catalogue: an odd one asks for level 3
	blocked  [anOffice + 1][4]bool
	rsin     [companies]int
	mandates [mandates]mandate
}

func (f *facts) holder(rsin int) int {
	for c, n := range f.rsin {
		if n == rsin {
			return c
		}
	}
	return -1
}

// stands tells whether a thing can carry a Permit.
func (f *facts) stands(x thing) bool {
	switch x.kind {
	case nobody:
		return f.mandates[x.number].state == active
	case anRSIN:
		return f.rsin[x.number] == x.rsin
	}
	return !f.blocked[x.kind][x.number]
}

// everything lists all things.
var everything = func() (all []thing) {
	for m := range mandates {
		all = append(all, thing{number: m})
	}
	for k, n := range []int{aPerson: people, aCompany: companies, anOffice: offices} {
		for i := range n {
			all = append(all, thing{kind: kind(k), number: i})
		}
	}
	for c := range companies {
		for n := range numbers {
			all = append(all, thing{anRSIN, c, n + 1})
		}
	}
	return all
}()

// ask is what is asked, without the moment.
type ask struct {
	person  int // -1: the company's half of a chain
	company int // -1: not named by its number
	rsin    int // 0: not named by its RSIN
	office  int // with the company's half
}

func anyAsk(r *rand.Rand) ask {
	a := ask{person: r.IntN(people), company: -1, office: -1}
	switch r.IntN(5) {
	case 0:
	case 1, 2:
		a.company = r.IntN(companies)
	case 3:
		a.rsin = 1 + r.IntN(numbers)
	case 4:
		a.person, a.company, a.office = -1, r.IntN(companies), r.IntN(offices)
	}
	return a
}

// finding is a decision with what it rests on.
type finding struct {
	Claim
	options int
	text    string // all of the decision, to compare
	rests   []thing
}

func (f *finding) permit() bool { return f.options == 1 }

// deciding gathers a finding.
type deciding struct {
	*facts
	ask
	at      int64
	leftOut kind // a mutant's: never a party of the decision
	found   *finding
}

// decide is the decision on the facts, as package pdp makes it: with all whose change
// may change it.
func (f *facts) decide(a ask, at time.Time, leftOut kind) *finding {
	d := deciding{f, a, at.UnixNano(), leftOut, &finding{}}
	d.depends(theCatalogue, 0)
	if a.person >= 0 {
		d.depends(aPerson, a.person)
	}
	company := a.company
	if a.rsin > 0 {
		d.depends(anRSIN, a.rsin)
		if company = f.holder(a.rsin); company < 0 {
			d.found.text = "unknown"
			return d.found
		}
	}
	if company >= 0 {
		d.depends(aCompany, company)
	}
	d.paths(company)
	d.found.text = fmt.Sprintf("%d options, edition %d:%s", d.found.options, f.edition, d.found.text)
	return d.found
}

// paths considers all mandates that the question is about.
func (d *deciding) paths(company int) {
	if d.person < 0 {
		d.depends(anOffice, d.office)
		d.path(company, d.office, chain(company, d.office))
		return
	}
	for c := range companies {
		if company >= 0 && c != company {
			continue
		}
		d.path(c, -1, direct(d.person, c))
		for o := range offices {
			d.path(c, o, assign(d.person, c, o), chain(c, o))
		}
	}
}

func (d *deciding) path(company, office int, links ...int) {
	if d.mandates[links[0]].state == never {
		return
	}
	d.depends(aCompany, company)
	if office >= 0 {
		d.depends(anOffice, office)
	}
	why := ""
	if d.stopped(company, office) {
		why = "blocked"
	}
	for _, l := range links {
		if why == "" {
			why = d.link(d.mandates[l])
		}
		d.edges(d.mandates[l])
	}
	d.found.text += fmt.Sprintf(" %d %s;", links[0], why)
	if why == "" {
		d.option(company, office, links)
	}
}

func (d *deciding) stopped(company, office int) bool {
	return d.blocked[aCompany][company] || office >= 0 && d.blocked[anOffice][office] ||
		d.person >= 0 && d.blocked[aPerson][d.person]
}

func (d *deciding) link(m mandate) string {
	switch {
	case m.state != active:
		return fmt.Sprint("state ", m.state)
	case d.at < m.from:
		return "not yet"
	case m.until != 0 && d.at >= m.until:
		return "expired"
	case m.level < 2+d.edition%2:
		return "level"
	}
	return ""
}

// edges moves From and Until to the moments, before and after, at which the mandate begins
// or ends.
func (d *deciding) edges(m mandate) {
	for _, edge := range []int64{m.from, m.until} {
		moment := time.Unix(0, edge)
		switch {
		case m.state != active || edge == 0:
		case edge <= d.at && moment.After(d.found.From):
			d.found.From = moment
		case edge > d.at && (d.found.Until.IsZero() || moment.Before(d.found.Until)):
			d.found.Until = moment
		}
	}
}

func (d *deciding) option(company, office int, links []int) {
	d.found.options++
	d.found.rests = append(d.found.rests, thing{kind: aCompany, number: company})
	if office >= 0 {
		d.found.rests = append(d.found.rests, thing{kind: anOffice, number: office})
	}
	if d.person >= 0 {
		d.found.rests = append(d.found.rests, thing{kind: aPerson, number: d.person})
	}
	if d.ask.rsin > 0 {
		d.found.rests = append(d.found.rests, thing{anRSIN, company, d.ask.rsin})
	}
	for _, l := range links {
		d.found.rests = append(d.found.rests, thing{number: l})
	}
}

func (d *deciding) depends(k kind, n int) {
	if k != d.leftOut {
		d.found.Parties = append(d.found.Parties, party(k, n))
	}
}
