package pdp_test

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/mandated/mandated/internal/corpus"
	"github.com/mandated/mandated/pkg/decision"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/pdp"
	"github.com/mandated/mandated/pkg/register"
)

// life is a register in which one thing after the other changes, and everything that can
// be asked about the few who live in it.
type life struct {
	*node
	*rand.Rand
	companies []mandate.Organisation // the last two are intermediaries
	persons   []mandate.Person
	edition   int
	granted   int // mandates are numbered up to here
	chains    []mandate.Mandate
	questions []pdp.Request
	done      string // the last change
}

func newLife(t *testing.T, seed uint64) *life {
	n, request := nodeOf(t, "chain-two-offices-for-one-client")
	l := &life{node: n, Rand: rand.New(rand.NewPCG(seed, 0)), granted: len(n.idea.World.Mandates)}
	for i := range 5 {
		l.companies = append(l.companies, mandate.Organisation{KvK: must(etoegang.ParseKvKNumber(someCompany(i).Text())), Active: true})
	}
	for i := range 2 {
		l.persons = append(l.persons, mandate.Person{Active: true, Subject: etoegang.ActingSubject{
			Authenticator: corpus.Authenticator, Pseudonym: must(etoegang.ParsePseudonym(fmt.Sprintf("%064x", 100+i))),
		}})
	}
	l.askable(request)
	l.change(l.settle)
	return l
}

// settle registers all but one company, one intermediary and one person, who come later,
// and gives them mandates.
func (l *life) settle(tx *register.Tx) (err error) {
	for i := range l.companies {
		if i != 2 && i != 4 && err == nil {
			l.companies[i], err = tx.PutOrganisation(l.companies[i])
		}
	}
	if err == nil {
		l.persons[0], err = tx.PutPerson(l.persons[0])
	}
	for range 40 {
		_ = l.grant(tx)
	}
	return err
}

// rsins are those that companies get, lose and take over.
var rsins = []etoegang.RSIN{must(etoegang.ParseRSIN("123456782")), must(etoegang.ParseRSIN("111222333"))}

// askable lists every question about everybody.
func (l *life) askable(about pdp.Request) {
	named := [][]etoegang.LegalSubject{nil}
	for _, o := range l.companies[:3] {
		named = append(named, []etoegang.LegalSubject{o.KvK.LegalSubject()})
	}
	for _, r := range rsins {
		a := l.companies[0].KvK.LegalSubject()
		named = append(named, []etoegang.LegalSubject{r.LegalSubject()}, []etoegang.LegalSubject{r.LegalSubject(), a}, []etoegang.LegalSubject{a, r.LegalSubject()})
	}
	offices := []etoegang.Intermediary{{}, {KvK: l.companies[3].KvK}, {KvK: l.companies[4].KvK}}
	for _, company := range named {
		for _, office := range offices {
			r := about
			r.Represented, r.Intermediary, r.Actor = company, office, etoegang.ActingSubject{}
			if company != nil && !office.IsZero() {
				l.ask(r, decision.Confirm, decision.Recheck)
			}
			for _, g := range l.persons {
				if r.Actor = g.Subject; company != nil && office != offices[2] {
					l.ask(r, decision.Recheck)
				}
				if office.IsZero() {
					l.ask(r, decision.Authorize)
				}
			}
		}
	}
}

func (l *life) ask(r pdp.Request, kinds ...decision.Question) {
	r.Previous, r.At = etoegang.LoA3, l.idea.Question.At
	for _, r.Question = range kinds {
		l.questions = append(l.questions, r)
	}
}

// find asks the register everything.
func (l *life) find() (all []*pdp.Finding) {
	l.t.Helper()
	c := l.config
	c.Hot = nil
	point := pdp.New(c)
	for _, q := range l.questions {
		f, _, err := point.Find(ctx, q)
		if err != nil {
			l.t.Fatal(err)
		}
		all = append(all, f)
	}
	return all
}

// goesOn changes one thing, and says what.
func (l *life) goesOn() {
	if l.IntN(20) == 0 {
		l.newEdition()
		return
	}
	l.change(func(tx *register.Tx) (err error) {
		switch l.IntN(8) {
		case 0:
			err = l.putPerson(tx)
		case 1, 2:
			err = l.putCompany(tx)
		case 3, 4, 5:
			err = l.grant(tx)
		default:
			err = l.setState(tx)
		}
		l.done = fmt.Sprint(l.done, " ", err)
		return nil // what is refused has changed nothing
	})
}

func (l *life) newEdition() {
	l.edition++
	s := l.idea.World.Services[l.idea.Service]
	s.Level = etoegang.LoA2 + etoegang.AssuranceLevel(l.IntN(3))
	spec := l.idea.World.Catalogue(l.idea.Question.At.Add(time.Duration(l.edition) * time.Second))
	spec.Version = fmt.Sprintf("urn:etoegang:1.13:service-catalogue:T:%d", l.edition+1)
	l.done = fmt.Sprint("the service needs ", s.Level)
	l.publish(spec)
}

func (l *life) putPerson(tx *register.Tx) error {
	p := &l.persons[l.IntN(len(l.persons))]
	p.Active, p.Blocked, p.Name = l.IntN(8) > 0, l.IntN(8) == 0, fmt.Sprint(l.IntN(3))
	l.done = fmt.Sprintf("person %v", *p)
	known, err := tx.PutPerson(*p)
	p.ID = known.ID
	return err
}

func (l *life) putCompany(tx *register.Tx) error {
	o := &l.companies[l.IntN(len(l.companies))]
	wanted := *o
	wanted.Active, wanted.Blocked, wanted.Name, wanted.RSIN = l.IntN(16) > 0, l.IntN(16) == 0, fmt.Sprint(l.IntN(3)), etoegang.RSIN{}
	if l.IntN(2) == 0 {
		wanted.RSIN = rsins[l.IntN(len(rsins))]
	}
	l.done = fmt.Sprintf("company %v", wanted)
	known, err := tx.PutOrganisation(wanted)
	if err == nil {
		*o = known
	}
	return err
}

func (l *life) grant(tx *register.Tx) error {
	at := l.idea.Question.At
	m := mandate.Mandate{
		Kind: mandate.Direct, State: mandate.Active, Grantor: l.companies[l.IntN(4)],
		Scope:    mandate.Scope{mandate.Everything(etoegang.LoA2Plus + etoegang.AssuranceLevel(min(1, l.IntN(5))))},
		Validity: mandate.Validity{From: at.AddDate(0, l.IntN(9)-8, 0).Add(time.Second).Truncate(time.Second), To: at.AddDate(1, 0, 0).Truncate(time.Second)},
	}
	if l.IntN(9) == 0 {
		m.State = mandate.Requested
	}
	switch l.IntN(3) {
	case 0:
		m.Person = l.persons[l.IntN(2)]
	case 1:
		m.Kind, m.Intermediary = mandate.Chain, l.companies[3+l.IntN(2)]
		if l.IntN(4) == 0 {
			m.Register = corpus.Elsewhere
		}
	case 2:
		if len(l.chains) == 0 {
			return nil
		}
		client := l.chains[l.IntN(len(l.chains))]
		m.Kind, m.Person, m.Client, m.Grantor = mandate.Assignment, l.persons[l.IntN(2)], client.ID, client.Intermediary
	}
	l.done = fmt.Sprintf("granted %+v", m)
	m, err := tx.Grant(m, register.GrantOptions{Migrating: true})
	if err != nil {
		return err
	}
	l.granted++
	if m.Kind == mandate.Chain {
		l.chains = append(l.chains, m)
	}
	return nil
}

func (l *life) setState(tx *register.Tx) error {
	id := mandate.ID(1 + l.IntN(l.granted))
	states := []mandate.State{mandate.Active, mandate.Suspended, mandate.Active, mandate.Suspended, mandate.Active, mandate.Suspended,
		mandate.Revoked, mandate.Superseded, mandate.LapsedUnused, mandate.Rejected, mandate.Withdrawn}
	to := states[l.IntN(len(states))]
	l.done = fmt.Sprint("mandate ", id, " becomes ", to)
	_, err := tx.SetState(id, to)
	return err
}

// touched are the parties of all changes after a revision.
func (l *life) touched(since register.Revision) (list []register.Party) {
	l.t.Helper()
	news, err := l.register.Poll(ctx, since, 1000)
	if err != nil {
		l.t.Fatal(err)
	}
	for _, c := range news.Changes {
		list = append(list, c.Party)
	}
	return list
}

// A decision depends on everybody whose change can change it: whatever happens in a
// register, if the answer to a question is another one afterwards, then the feed names one
// of the parties of the answer before. Else that one would have been served still.
func TestDecisionNamesAllWhoseChangeChangesIt(t *testing.T) {
	const lives = max(1, 3/corpus.Slower)
	changed := map[decision.Outcome]int{}
	for seed := range uint64(lives) {
		l := newLife(t, seed)
		before := l.find()
		for range 120 {
			since := before[0].Stamp.Revision
			l.goesOn()
			touched := l.touched(since)
			after := l.find()
			for i, was := range before {
				is := after[i]
				if same(was, is) {
					continue
				}
				changed[is.Decision.Outcome]++
				if !slices.ContainsFunc(touched, func(p register.Party) bool { return slices.Contains(was.Parties, p) }) {
					t.Fatalf("seed %d: after %s\n%+v\nis answered by %+v\nand no longer by %+v,\nand nobody on whom that one depends has changed", seed, l.done, l.questions[i], is, was)
				}
			}
			before = after
		}
	}
	if changed[decision.Permit] < 34*lives || changed[decision.Deny] < 34*lives || changed[decision.Choose] < 7*lives {
		t.Errorf("answers changed to %v: too few to prove anything", changed)
	}
}

// same tells whether two findings are one answer with one record.
func same(a, b *pdp.Finding) bool {
	x, y := *a, *b
	x.Claim, y.Claim = a.Claim, a.Claim
	return reflect.DeepEqual(x, y)
}
