package desk

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/mandated/mandated/internal/corpus"
	"github.com/mandated/mandated/internal/servers"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
)

// paper is a mandate as somebody with pencil and paper would keep it.
type paper struct {
	assignment  bool
	state       mandate.State
	scope       string
	from, to    time.Time
	supersedes  mandate.ID
	client      mandate.ID
	person      int // of the office's people, if it is an assignment
	askedBy     mandate.Side
	offer       bool
	expires     time.Time
	signed      []string
	suspendedBy mandate.Side
}

// The scopes that are drawn; each covers those after it.
var scopes = []string{"everything", "taxes", "vat"}

func scopeOf(name string) mandate.Scope {
	return map[string]mandate.Scope{"everything": {mandate.Everything(etoegang.LoA3)}, "taxes": forTaxes, "vat": forVAT}[name]
}

func covers(wide, narrow string) bool {
	return slices.Index(scopes, wide) <= slices.Index(scopes, narrow)
}

// somebody is one of those who play, with what pencil and paper know of him.
type somebody struct {
	Caller
	side  mandate.Side
	role  mandate.Role
	until time.Time
}

// play is one history: a bakery and an office, with everybody who has a say, and paper.
type play struct {
	*Desk
	clock  *clockwork
	people map[string]somebody
	bakery Party
	office Party
	paper  map[mandate.ID]*paper
	moved  map[mandate.ID]*paper // what took the place of an assignment, by that
	broke  bool                  // the bakery is bankrupt

	members  [3]mandate.PersonID // of the office; 0: it has given him nothing yet
	idle     map[mandate.ID]*idleness
	passed   int            // days
	happened map[string]int // how often what was tried was done, in all histories of the register
}

// idleness is what is known of the use of a mandate that is in force, or was.
type idleness struct {
	since, used time.Time
	warned      []warning // all that there were
}

type warning struct {
	at   time.Time
	days int
}

// someone acts: three times in four one of those who perhaps may.
func (p *play) someone(t *rapid.T, may ...mandate.Side) (string, somebody) {
	all := slices.Sorted(maps.Keys(p.people))
	some := slices.DeleteFunc(slices.Clone(all), func(name string) bool { return !slices.Contains(may, p.people[name].side) })
	name := evenly(t, evenly(t, [][]string{some, some, some, all}, "of"), "who")
	return name, p.people[name]
}

// evenly draws one of a list, each as often: by itself rapid prefers the first ones, and most
// would hardly happen.
func evenly[T any](t *rapid.T, list []T, what string) T {
	return rapid.Custom(func(t *rapid.T) T {
		const draws = 10
		n := 0
		for range draws {
			if n *= 2; rapid.Bool().Draw(t, "") {
				n++
			}
		}
		return list[n*len(list)>>draws]
	}).Draw(t, what)
}

// some gives a mandate: three times in four one that has not ended.
func (p *play) some(t *rapid.T) (mandate.ID, *paper) {
	all := slices.Sorted(maps.Keys(p.paper))
	some := slices.DeleteFunc(slices.Clone(all), func(id mandate.ID) bool { return p.paper[id].state.Ended() })
	if len(some) == 0 {
		some = all
	}
	id := evenly(t, evenly(t, [][]mandate.ID{some, some, some, all}, "of"), "mandate")
	return id, p.paper[id]
}

// expected compares what was done with whether it should have been.
func (p *play) expected(t *rapid.T, who, act string, id mandate.ID, err error, may bool) bool {
	if (err == nil) != may {
		t.Fatalf("%s: %s %d: %v, and it should be possible: %v", who, act, id, err, may)
	}
	if may {
		p.happened[act]++
	}
	return may
}

// twin tells whether the same is in force already between the same, beside itself and what it
// replaces; for what is new or is asked for also whether the same is asked for.
func (p *play) twin(m *paper, self mandate.ID) bool {
	requests := self == 0 && (m.state.Pending() || m.supersedes == 0)
	skip := map[mandate.ID]bool{self: true}
	for id := m.supersedes; id != 0; id = p.paper[id].supersedes {
		skip[id] = true
	}
	for id, o := range p.paper {
		if !skip[id] && !o.state.Ended() && (requests || !o.state.Pending()) && o.client == m.client && o.person == m.person && o.scope == m.scope && o.from.Before(m.to) && m.from.Before(o.to) {
			return true
		}
	}
	return false
}

// ask lets somebody begin a mandate, or renew one.
func (p *play) ask(t *rapid.T) {
	name, who := p.someone(t, mandate.GrantorSide, mandate.ReceiverSide, mandate.RegisterSide)
	now := p.clock.Now().Truncate(time.Second)
	m := &paper{scope: evenly(t, scopes, "scope"), from: now, askedBy: who.side,
		offer: rapid.Bool().Draw(t, "offer"), expires: p.clock.Now().Add(mandate.RequestLife), signed: []string{name}}
	m.to = now.AddDate(rapid.IntRange(1, 4).Draw(t, "years"), 0, 0)
	w := Wish{Kind: mandate.Chain, Grantor: p.bakery, Intermediary: p.office, Scope: scopeOf(m.scope),
		Validity: mandate.Validity{From: m.from, To: m.to}, Offer: m.offer}
	follows := true
	if len(p.paper) > 0 && rapid.Bool().Draw(t, "renew") {
		id, old := p.some(t)
		w.Supersedes, m.supersedes = id, id
		follows = !old.assignment && !old.state.Ended() && !old.state.Pending()
	}
	if who.role == mandate.Staff {
		w.Evidence = []mandate.Evidence{{Kind: mandate.SignedForm, Dated: now, Where: "a"}, {Kind: mandate.Extract, Dated: now, Where: "b"}}
	}
	done, err := p.Ask(ctx, who.Caller, "asked", w)
	may := who.side != "" && follows
	switch who.side {
	case mandate.GrantorSide:
		may = may && !p.broke && (who.role == mandate.Director || !m.to.After(who.until))
		m.state = p.consented(m, who)
	case mandate.ReceiverSide:
		m.state, m.offer = mandate.Requested, false
	default:
		m.state, m.offer = mandate.AwaitingSignatures, false
	}
	if p.expected(t, name, "ask", 0, err, may && !p.twin(m, 0)) {
		p.paper[done.Mandate.ID] = m
		p.became(done.Mandate.ID)
	}
}

// consented is what becomes of a mandate to which somebody of the company agrees that gives it:
// its administrator alone, its directors both.
func (p *play) consented(m *paper, who somebody) mandate.State {
	director := "director "
	if m.assignment {
		director = "office director "
	}
	both := slices.Contains(m.signed, director+"1") && slices.Contains(m.signed, director+"2")
	switch {
	case who.role == mandate.Director && !both:
		return mandate.AwaitingSignatures
	case m.offer:
		return mandate.AwaitingAcceptance
	}
	return mandate.Active
}

// became ends what a mandate replaces, and lets the assignments go along.
func (p *play) became(made mandate.ID) {
	m := p.paper[made]
	for id := m.supersedes; id != 0; id = p.paper[id].supersedes {
		old := p.paper[id]
		if old.state.Ended() || m.state.Pending() && !old.state.Pending() {
			continue
		}
		old.state = mandate.Superseded
		for i, a := range p.paper {
			switch {
			case a.client != id || a.state.Ended():
			case a.state.Pending():
				a.state = mandate.Withdrawn
			default:
				moved := *a
				moved.client, moved.supersedes = made, i
				p.moved[i] = &moved
				a.state = mandate.Superseded
			}
		}
	}
}

// over ends what passes on a mandate that has ended.
func (p *play) over(id mandate.ID) {
	for _, a := range p.paper {
		switch {
		case a.client != id || a.state.Ended():
		case a.state.Pending():
			a.state = mandate.Withdrawn
		default:
			a.state = mandate.Revoked
		}
	}
}

// accept lets somebody agree, perhaps to less.
func (p *play) accept(t *rapid.T) {
	id, m := p.some(t)
	asked := m.asked()
	name, who := p.someone(t, asked)
	as := *m
	as.scope = evenly(t, append([]string{m.scope, m.scope, m.scope}, scopes...), "scope")
	as.to = m.to.AddDate(0, 0, evenly(t, []int{0, 0, 0, -30, 30}, "days"))
	same := as.scope == m.scope && as.to.Equal(m.to)
	done, err := p.Accept(ctx, who.Caller, "agreed", id, Narrowing{Scope: scopeOf(as.scope), To: as.to}, register.Consent{Language: "nl", Text: "ja"})

	may := m.state.Pending() && p.clock.Now().Before(m.expires) && m.concerned(who) == asked &&
		covers(m.scope, as.scope) && !as.to.After(m.to)
	switch asked {
	case mandate.RegisterSide:
		may = may && same && !slices.Contains(m.signed, name)
		as.state = mandate.Active
	case mandate.ReceiverSide:
		as.state = mandate.Active
	default:
		if same {
			may = may && !slices.Contains(m.signed, name)
			as.signed = append(slices.Clone(m.signed), name)
		} else {
			as.signed = []string{name}
		}
		may = may && (m.assignment || !p.broke) && (who.role == mandate.Director || !as.to.After(who.until))
		as.state = p.consented(&as, who)
	}
	if same && as.state == mandate.Active {
		may = may && !p.twin(&as, id) // something may have come beside it meanwhile
	}
	if !same {
		as.supersedes = id
		if today := mandate.StartOfDay(p.clock.Now()); as.from.Before(today) {
			as.from = today
		}
		may = may && as.from.Before(as.to) && !p.twin(&as, 0)
	}
	switch ok := p.expected(t, name, "accept", id, err, may); {
	case ok && same:
		*m = as
		p.became(id)
	case ok:
		p.paper[done.Mandate.ID] = &as
		p.became(done.Mandate.ID)
	}
}

// asked is the side that is to answer a request.
func (m *paper) asked() mandate.Side {
	switch {
	case m.state == mandate.AwaitingAcceptance:
		return mandate.ReceiverSide
	case m.askedBy == mandate.RegisterSide:
		return mandate.RegisterSide
	}
	return mandate.GrantorSide
}

func (p *play) refuse(t *rapid.T) {
	id, m := p.some(t)
	name, who := p.someone(t, m.asked())
	_, err := p.Refuse(ctx, who.Caller, "refused", id)
	may := m.state.Pending() && (m.concerned(who) == mandate.RegisterSide && m.askedBy == mandate.RegisterSide ||
		m.concerned(who) != "" && m.concerned(who) != mandate.RegisterSide)
	if p.expected(t, name, "refuse", id, err, may) {
		m.state = mandate.Rejected
		if m.concerned(who) == m.askedBy {
			m.state = mandate.Withdrawn
		}
		p.over(id)
	}
}

// concerned is the side on which somebody is of a mandate, if any.
func (m *paper) concerned(who somebody) mandate.Side {
	switch {
	case !m.assignment:
		return who.side
	case who.side == mandate.ReceiverSide:
		return mandate.GrantorSide // the office gives its people assignments
	case who.side == mandate.RegisterSide:
		return mandate.RegisterSide
	}
	return ""
}

func (p *play) move(t *rapid.T) {
	id, m := p.some(t)
	name, who := p.someone(t, mandate.GrantorSide, mandate.ReceiverSide)
	side := m.concerned(who)
	often := mandate.Suspended
	if m.state == mandate.Suspended {
		often = mandate.Active
	}
	to := evenly(t, []mandate.State{often, often, mandate.Suspended, mandate.Active, mandate.Revoked}, "to")
	var err error
	may := side != "" && !m.state.Pending() && !m.state.Ended()
	switch to {
	case mandate.Suspended:
		_, err = p.Suspend(ctx, who.Caller, "wait", id, nil)
		may = may && m.state == mandate.Active
	case mandate.Active:
		_, err = p.Resume(ctx, who.Caller, "go on", id, nil)
		may = may && m.state == mandate.Suspended && m.suspendedBy == side
	default:
		_, err = p.Revoke(ctx, who.Caller, "over", id, nil)
	}
	if !p.expected(t, name, fmt.Sprint("make ", to), id, err, may) {
		return
	}
	m.state = to
	if to == mandate.Suspended {
		m.suspendedBy = side
	}
	if to == mandate.Revoked {
		p.over(id)
	}
}

func (p *play) narrow(t *rapid.T) {
	id, m := p.some(t)
	name, who := p.someone(t, mandate.GrantorSide, mandate.ReceiverSide)
	as := *m
	as.scope = evenly(t, scopes, "scope")
	done, err := p.Narrow(ctx, who.Caller, "less", id, Narrowing{Scope: scopeOf(as.scope)}, nil)
	as.supersedes = id
	if today := mandate.StartOfDay(p.clock.Now()); as.from.Before(today) {
		as.from = today
	}
	may := m.concerned(who) != "" && (m.state == mandate.Active || m.state == mandate.Suspended) && as.scope != m.scope && covers(m.scope, as.scope) &&
		as.from.Before(as.to) && !p.twin(&as, 0)
	if m.assignment {
		client := p.paper[m.client]
		may = may && !client.state.Ended()
	}
	if p.expected(t, name, "narrow", id, err, may) {
		p.paper[done.Mandate.ID] = &as
		p.became(done.Mandate.ID)
	}
}

// assign gives one of the office's people a client.
func (p *play) assign(t *rapid.T) {
	name, who := p.someone(t, mandate.ReceiverSide)
	id, m := p.some(t)
	person := rapid.IntRange(1, len(p.members)).Draw(t, "person")
	now := p.clock.Now().Truncate(time.Second)
	a := &paper{assignment: true, scope: m.scope, from: now, to: now.AddDate(1, 0, 0), client: id, person: person,
		askedBy: mandate.GrantorSide, expires: p.clock.Now().Add(mandate.RequestLife), signed: []string{name}}
	a.state = p.consented(a, who)
	done, err := p.Ask(ctx, who.Caller, "assigned", Wish{Kind: mandate.Assignment, Grantor: p.office, Client: id, Scope: scopeOf(a.scope),
		Person: PersonWish{Subject: etoegang.ActingSubject{Authenticator: ad, Pseudonym: must(etoegang.ParsePseudonym(fmt.Sprintf("%064x", person)))}}, Validity: mandate.Validity{From: a.from, To: a.to}})
	may := who.side == mandate.ReceiverSide && !m.assignment && !m.state.Ended() && !p.twin(a, 0)
	if who.side == mandate.RegisterSide {
		may = false // it brings no evidence
	}
	if p.expected(t, name, "assign", id, err, may) {
		p.paper[done.Mandate.ID] = a
		p.members[person-1] = done.Mandate.Person.ID
	}
}

// offboard ends all that the office has given to one of its people.
func (p *play) offboard(t *rapid.T) {
	name, who := p.someone(t, mandate.ReceiverSide)
	person := rapid.IntRange(1, len(p.members)).Draw(t, "person")
	done, err := p.Offboard(ctx, who.Caller, "he leaves", p.members[person-1])
	var want Offboarded
	may := who.side == mandate.ReceiverSide && p.members[person-1] != 0
	if may {
		for _, a := range p.paper {
			switch {
			case a.person != person || a.state.Ended():
			case a.state.Pending():
				a.state = mandate.Withdrawn
				want.Requests++
			default:
				a.state = mandate.Revoked
				want.Mandates++
			}
		}
	}
	p.happened["offboard and end"] += want.Mandates + want.Requests
	if p.expected(t, name, "offboard", mandate.ID(person), err, may) && (done.Mandates != want.Mandates || done.Requests != want.Requests) {
		t.Fatalf("%s offboards %d: %+v, on paper %+v", name, person, done, want)
	}
}

// unusedMonths is after how many months of no use a mandate lapses in these histories.
const unusedMonths = 3

// lapse ends what nobody has used for too long, if those concerned were warned long enough ago;
// else it warns them. Before that time passes, and perhaps something is used.
func (p *play) lapse(t *rapid.T) {
	p.passes(evenly(t, []int{0, 31, 62}, "days"))
	now := p.clock.Now().Truncate(time.Millisecond) // as the register counts
	if known := slices.Sorted(maps.Keys(p.idle)); len(known) > 0 && evenly(t, []bool{false, false, false, true}, "used") {
		p.idle[evenly(t, known, "mandate")].used = now
	}
	last := map[mandate.ID]time.Time{}
	warned, ended, err := p.Lapse(ctx, unusedMonths, func(_ context.Context, ids []mandate.ID) (Used, error) {
		for _, id := range ids {
			if last[id] = now; p.paper[id] != nil { // those of other histories are used all the time
				last[id] = p.idle[id].used
			}
		}
		return Used{Last: last, Since: time.Unix(1, 0), UpTo: now}, nil
	})
	wantWarned, wantEnded, onPaper := 0, 0, ""
	for _, id := range slices.Sorted(maps.Keys(p.idle)) { // a chain before what passes it on
		if p.paper[id].state != mandate.Active {
			continue
		}
		days, ends := p.idle[id].due(now)
		if ends || days > 0 {
			onPaper += fmt.Sprintf("\nmandate %d, in %d days: %+v", id, days, *p.idle[id])
		}
		switch {
		case ends:
			p.paper[id].state = mandate.LapsedUnused
			p.over(id)
			wantEnded++
		case days > 0:
			p.idle[id].warned = append(p.idle[id].warned, warning{now, days})
			wantWarned++
		}
	}
	if err != nil || warned != wantWarned || ended != wantEnded {
		t.Fatalf("%v: for want of use %d are warned of and %d end (%v), on paper %d and %d:%s", now, warned, ended, err, wantWarned, wantEnded, onPaper)
	}
	p.happened["warn of no use"] += warned
	p.happened["lapse"] += ended
}

// due tells of how many days is to be warned, if of any, or whether the mandate ends.
func (i *idleness) due(now time.Time) (days int, ends bool) {
	since := i.since
	if i.used.After(since) {
		since = i.used
	}
	var told []warning
	for _, w := range i.warned {
		if !w.at.Before(since) {
			told = append(told, w)
		}
	}
	end := mandate.InAmsterdam(since).AddDate(0, unusedMonths, 0).UTC()
	switch {
	case !now.Before(end) && len(told) > 0:
		return 0, !now.Before(told[0].at.AddDate(0, 0, 30))
	case !now.Before(end.AddDate(0, 0, -30)):
		days = 30
	case !now.Before(end.AddDate(0, 0, -60)):
		days = 60
	}
	if len(told) > 0 && told[len(told)-1].days <= days {
		days = 0
	}
	return days, false
}

// passes lets days pass, as far as no mandate ends of old age.
func (p *play) passes(days int) {
	if p.clock.real || p.passed+days > 160 {
		return
	}
	p.passed += days
	p.clock.advance(time.Duration(days) * 24 * time.Hour)
}

func (p *play) wait(t *rapid.T) {
	p.passes(rapid.IntRange(1, 12).Draw(t, "days"))
	if rapid.Bool().Draw(t, "sweep") {
		return
	}
	if _, err := p.Expire(ctx); err != nil {
		t.Fatal(err)
	}
	for _, id := range slices.Sorted(maps.Keys(p.paper)) { // a chain before what passes it on
		if m := p.paper[id]; m.state.Pending() && !p.clock.Now().Before(m.expires) {
			m.state = mandate.RequestExpired
			p.happened["expire"]++
			p.over(id)
		}
	}
}

func (p *play) trade(t *rapid.T) {
	p.broke = evenly(t, []bool{false, false, false, true}, "bankrupt")
	stands := func(e *mandate.Entry) { e.Standing = mandate.Normal }
	if p.broke {
		stands = bankrupt
	}
	if _, err := p.PutEntry(ctx, p.people["staff 1"].Caller, "trade register", p.bakery.KvK, stands); err != nil {
		t.Fatal(err)
	}
}

// agree holds register and paper against each other, and both against what must always be
// true (domain rules c to f).
func (p *play) agree(t *rapid.T) {
	err := p.register.Read(ctx, func(s *register.Snapshot) error {
		for _, company := range []Party{p.office} {
			o := must(s.Organisation(company.KvK.LegalSubject()))
			list, more := must2(s.Mandates(register.Filter{Organisation: o.ID}, 0, 1000))
			if more {
				t.Fatal("too long a history")
			}
			for _, m := range list {
				p.same(t, s, m)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func must2[A, B any](a A, b B, err error) (A, B) {
	if err != nil {
		panic(err)
	}
	return a, b
}

func (p *play) same(t *rapid.T, s *register.Snapshot, m mandate.Mandate) {
	w := p.paper[m.ID]
	if w == nil && p.moved[m.Supersedes] != nil { // it went along with its client's new mandate
		w = p.moved[m.Supersedes]
		p.paper[m.ID] = w
	}
	if w == nil {
		t.Fatalf("mandate %d came from nowhere: %+v", m.ID, m)
	}
	if m.State.Pending() {
		_ = must(s.Request(m.ID)) // whoever is asked can answer
	}
	if m.State != w.state || m.Scope.String() != scopeOf(w.scope).String() || !m.Validity.To.Equal(w.to) || !m.Validity.From.Equal(w.from) || m.Client != w.client || m.Supersedes != w.supersedes {
		t.Fatalf("mandate %d is %+v, on paper %+v", m.ID, m, w)
	}
	p.goesOn(m)
	steps := must(s.Steps(m.ID))
	p.told(t, s, m, steps)
	if m.Kind == mandate.Chain && len(steps) == 0 {
		t.Fatalf("nobody is known to have made mandate %d", m.ID)
	}
	// Whoever agreed to what is in force could: somebody of the bakery did, or two of the staff.
	if m.Kind != mandate.Chain || m.State != mandate.Active || steps[0].Act == mandate.ActNarrow {
		return
	}
	staff, company := map[mandate.AppointmentID]bool{}, false
	for _, step := range steps {
		company = company || step.Side == mandate.GrantorSide
		if step.Side == mandate.RegisterSide && (step.Act == mandate.ActAsk || step.Act == mandate.ActAgree) {
			staff[step.Appointment] = true
		}
	}
	accepted := steps[0].Side == mandate.ReceiverSide && w.offer // a narrower answer to what the bakery offered
	if !company && len(staff) < 2 && !accepted {
		t.Fatalf("mandate %d is in force, and nobody of the bakery agreed: %+v", m.ID, steps)
	}
}

// goesOn notes since when a mandate is in force; zero: it is not.
func (p *play) goesOn(m mandate.Mandate) {
	i := p.idle[m.ID]
	if i == nil {
		i = &idleness{}
		p.idle[m.ID] = i
	}
	switch {
	case m.State != mandate.Active:
		i.since = time.Time{}
	case i.since.IsZero():
		i.since = p.clock.Now().Truncate(time.Millisecond)
	}
}

// told checks that each company with a side in a mandate is told of each step, of whoever
// takes it, once and in its order; and the staff of what one of them asks. Each of them is
// warned as often as on paper that nobody uses it.
func (p *play) told(t *rapid.T, s *register.Snapshot, m mandate.Mandate, steps []register.Step) {
	notices, warnings := map[mandate.OrganisationID][]register.Notice{}, map[mandate.OrganisationID]int{}
	for _, n := range must(s.Told(m.ID)) {
		if n.News == mandate.NewsUnused {
			warnings[n.To]++
		} else {
			notices[n.To] = append(notices[n.To], n)
		}
	}
	wanted := map[mandate.OrganisationID]int{m.Grantor.ID: len(steps)}
	if m.Kind == mandate.Chain {
		wanted[m.Intermediary.ID] = len(steps)
	}
	if len(steps) > 0 && steps[0].Act == mandate.ActAsk && steps[0].Side == mandate.RegisterSide {
		wanted[0] = 1
	}
	if len(wanted) < len(notices) {
		t.Fatalf("mandate %d: others are told: %+v", m.ID, notices)
	}
	for to, n := range wanted {
		if warned := p.idle[m.ID].warned; to != 0 && warnings[to] != len(warned) {
			t.Fatalf("mandate %d: organisation %d is warned %d times, on paper %+v", m.ID, to, warnings[to], warned)
		}
		if len(notices[to]) != n {
			t.Fatalf("mandate %d: organisation %d is told %+v of the steps %+v", m.ID, to, notices[to], steps)
		}
		for i, notice := range notices[to] {
			if notice.Author != steps[i].Appointment || !notice.At.Equal(steps[i].At) || !fits(notice.News, steps[i], to, m) {
				t.Fatalf("mandate %d: organisation %d is told %+v of step %+v", m.ID, to, notice, steps[i])
			}
		}
	}
}

// fits tells whether that can be told of a step.
func fits(n mandate.News, step register.Step, to mandate.OrganisationID, m mandate.Mandate) bool {
	switch step.Act {
	case mandate.ActAsk, mandate.ActAgree:
		other := to != 0 && step.Side != mandate.RegisterSide && to != m.Side(step.Side).ID
		return n == mandate.NewsGranted || n == mandate.NewsAsked && step.Act == mandate.ActAsk || n == mandate.NewsAgreed && step.Act == mandate.ActAgree ||
			n == mandate.NewsSign && !other || n == mandate.NewsAnswer && other
	}
	return n == map[mandate.Act]mandate.News{mandate.ActSuspend: mandate.NewsPaused, mandate.ActResume: mandate.NewsResumed,
		mandate.ActRevoke: mandate.NewsEnded, mandate.ActNarrow: mandate.NewsNarrowed, mandate.ActExpire: mandate.NewsUnanswered, mandate.ActLapse: mandate.NewsLapsed,
		mandate.ActRefuse: map[mandate.State]mandate.News{mandate.Withdrawn: mandate.NewsRecalled, mandate.Rejected: mandate.NewsRefused}[m.State]}[step.Act]
}

// acts are those that there is something for; what matters more can be drawn twice.
func (p *play) acts() map[string]func(*rapid.T) {
	acts := map[string]func(*rapid.T){"ask": p.ask}
	if len(p.paper) > 0 {
		maps.Copy(acts, map[string]func(*rapid.T){"accept": p.accept, "accept again": p.accept, "refuse": p.refuse, "move": p.move, "move again": p.move,
			"narrow": p.narrow, "assign": p.assign, "offboard": p.offboard, "trade": p.trade})
	}
	if len(p.paper) > 0 && !p.clock.real { // a real one cannot be moved
		maps.Copy(acts, map[string]func(*rapid.T){"lapse": p.lapse, "lapse again": p.lapse, "wait": p.wait})
	}
	return acts
}

// begin makes the people of one history in one change.
func begin(d *Desk, clock *clockwork, n int, happened map[string]int) *play {
	p := &play{Desk: d, clock: clock, people: map[string]somebody{}, paper: map[mandate.ID]*paper{}, moved: map[mandate.ID]*paper{},
		idle: map[mandate.ID]*idleness{}, happened: happened,
		bakery: Party{KvK: kvk(10 * n)}, office: Party{KvK: kvk(10*n + 1)}}
	now := clock.Now().Truncate(time.Second)
	until := now.AddDate(2, 0, 0)
	_ = must(d.register.Change(ctx, keeper, func(t *register.Tx) error {
		appoint := func(name string, company Party, role mandate.Role, authority mandate.Authority, side mandate.Side) {
			a := mandate.Appointment{Role: role, Authority: authority, Name: name, Level: etoegang.LoA3, Validity: mandate.Validity{From: now, To: until}}
			if role != mandate.Staff {
				a.Organisation = must(party(t, company))
			}
			var secret register.Digest
			copy(secret[:], fmt.Sprint(n, name))
			a = must(t.Appoint(a, secret, nil))
			must(t.TakeUp(a.ID, register.Account{1}))
			p.people[name] = somebody{Caller{a.ID, etoegang.LoA3}, side, role, until}
		}
		appoint("anna", p.bakery, mandate.Administrator, "", mandate.GrantorSide)
		appoint("director 1", p.bakery, mandate.Director, mandate.Jointly, mandate.GrantorSide)
		appoint("director 2", p.bakery, mandate.Director, mandate.Jointly, mandate.GrantorSide)
		appoint("bol", p.office, mandate.Administrator, "", mandate.ReceiverSide)
		appoint("office director 1", p.office, mandate.Director, mandate.Jointly, mandate.ReceiverSide)
		appoint("office director 2", p.office, mandate.Director, mandate.Jointly, mandate.ReceiverSide)
		appoint("stranger", Party{KvK: kvk(10*n + 2)}, mandate.Administrator, "", "")
		appoint("staff 1", Party{}, mandate.Staff, "", mandate.RegisterSide)
		appoint("staff 2", Party{}, mandate.Staff, "", mandate.RegisterSide)
		return nil
	}))
	return p
}

// Whatever people do with mandates, in whatever order, what becomes of them is what
// somebody with pencil and paper would have written down.
func TestEveryHistoryIsAsOnPaper(t *testing.T) {
	histories := 2000 / (corpus.Slower * corpus.Slower) // most of it is the database's code
	if os.Getenv("MANDATED_SOAK") != "" {
		histories = 50_000
	}
	draws(t, min(histories, oneRegister), oneHistory)
	happens := []string{"ask", "accept", "refuse", "make suspended", "make active", "make revoked", "narrow", "assign", "offboard", "offboard and end"}
	t.Run("SQLite", func(t *testing.T) {
		live(t, func(t *testing.T) (string, *clockwork) {
			return filepath.Join(t.TempDir(), "register.db"), &clockwork{}
		}, histories,
			append(happens, "expire", "warn of no use", "lapse")...)
	})
	// A database has a clock of its own, which nobody moves: nothing expires there or lapses.
	t.Run("PostgreSQL", func(t *testing.T) {
		live(t, func(t *testing.T) (string, *clockwork) { return servers.Shared(t).DSN(), &clockwork{real: true} }, histories, happens...)
	})
}

// draws sets how much package rapid draws, which has one setting for all tests.
func draws(t *testing.T, checks, steps int) {
	for name, n := range map[string]int{"rapid.checks": checks, "rapid.steps": steps} {
		value := flag.Lookup(name).Value
		before := value.String()
		_ = value.Set(strconv.Itoa(n))
		t.Cleanup(func() { _ = value.Set(before) })
	}
}

// oneHistory is how many acts a history has on average; one in twenty has more than thirty.
const oneHistory = 10

// oneRegister is how many histories are lived in one register: each has companies of its own.
// Months pass in them, so that after some two thousand the register's clock would be where
// nanoseconds end, in 2262.
const oneRegister = 500

// live lives histories, in which all that happens which should: several registers at once, since
// most of the time one waits.
func live(t *testing.T, place func(*testing.T) (string, *clockwork), histories int, should ...string) {
	happened := map[string]int{}
	var counting sync.Mutex
	for n := range max(1, histories/oneRegister) {
		t.Run(fmt.Sprint("register ", n+1), func(t *testing.T) {
			t.Parallel()
			dsn, clock := place(t)
			its := liveAt(t, dsn, clock)
			counting.Lock()
			defer counting.Unlock()
			for what, n := range its {
				happened[what] += n
			}
		})
	}
	t.Cleanup(func() { // when all are over
		t.Logf("in %d histories: %v", histories, happened)
		for _, what := range should {
			if happened[what] == 0 && histories >= 2*oneRegister { // in a few there is not room for all
				t.Errorf("in %d histories nobody could %s", histories, what)
			}
		}
	})
}

// liveAt lives them in one register, and counts what was done.
func liveAt(t *testing.T, place string, clock *clockwork) (happened map[string]int) {
	clock.ns.Store(time.Now().UnixNano())
	r := must(register.Create(ctx, place, mr, time.Millisecond, register.Options{Now: clock.Now}))
	defer func() { _ = r.Close() }()
	d := New(r, services(r))
	happened = map[string]int{}
	n := 0
	rapid.Check(t, func(t *rapid.T) {
		n++
		p := begin(d, clock, n, happened)
		t.Repeat(map[string]func(*rapid.T){"": p.agree, "act": func(t *rapid.T) {
			acts := p.acts()
			acts[evenly(t, slices.Sorted(maps.Keys(acts)), "act")](t)
		}})
	})
	return happened
}
