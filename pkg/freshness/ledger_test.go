package freshness

import (
	"math/rand/v2"
	"slices"
	"time"

	"github.com/mandated/mandated/pkg/register"
)

// entry is one revision of the model register.
type entry struct {
	place int // among all that ever was, in the order of commits
	stamp register.Stamp
	facts *facts
	lines []register.Change

	noticed *ask // a question that has another answer since
}

// ledger is the model register: package register with everything but revisions, tags and
// the feed left out.
type ledger struct {
	rand   *rand.Rand
	branch []*entry // what it holds: each revision at its number
	all    []*entry // what it ever held, also what was lost when a backup was restored
}

func newLedger(r *rand.Rand) *ledger {
	l := &ledger{rand: r}
	f := &facts{}
	for m := range mandates {
		if r.IntN(5) < 2 {
			f.mandates[m] = mandate{state: active, level: 3}
		}
	}
	for c := range companies {
		f.rsin[c] = c + 1
	}
	l.append(&entry{facts: f})
	return l
}

func (l *ledger) newest() *entry { return l.branch[len(l.branch)-1] }

func (l *ledger) append(e *entry) {
	e.place = len(l.all)
	e.stamp = register.Stamp{Revision: register.Revision(len(l.branch))}
	for i := range e.stamp.Tag {
		e.stamp.Tag[i] = byte(l.rand.Uint32())
	}
	for i := range e.lines {
		e.lines[i].Stamp = e.stamp
	}
	l.branch, l.all = append(l.branch, e), append(l.all, e)
}

// holds tells whether a revision is still part of the register.
func (l *ledger) holds(e *entry) bool {
	return int(e.stamp.Revision) < len(l.branch) && l.branch[e.stamp.Revision].stamp == e.stamp
}

// commit makes the next revision.
func (l *ledger) commit(e edit, now time.Time) *entry {
	made := &entry{facts: &e.facts}
	for _, p := range e.touched {
		made.lines = append(made.lines, register.Change{Party: p, At: now})
	}
	l.append(made)
	return made
}

// restore puts a backup in the register's place. What it holds is held anew.
func (l *ledger) restore(rev int) *entry {
	again := *l.branch[rev]
	again.place = len(l.all)
	l.branch = append(slices.Clone(l.branch[:rev]), &again)
	l.all = append(l.all, &again)
	return &again
}

// reserve takes a number that belongs to a change which has not been committed yet: a
// mutant's, whose transactions do not take turns.
func (l *ledger) reserve() *entry {
	taken := &entry{facts: l.newest().facts}
	l.append(taken)
	return taken
}

// commitLate commits a change whose number was passed: all that came after it stays where
// it is, and the register holds more from now on. It is nil if the number is gone.
func (l *ledger) commitLate(taken *entry, e edit, now time.Time) *entry {
	if !l.holds(taken) {
		return nil
	}
	for _, p := range e.touched {
		taken.lines = append(taken.lines, register.Change{Stamp: taken.stamp, Party: p, At: now})
	}
	made := *l.newest()
	made.place, made.facts = len(l.all), &e.facts
	l.branch[len(l.branch)-1] = &made
	l.all = append(l.all, &made)
	return &made
}

// standby is a replica of the register: it holds what that held some time ago.
type standby struct {
	branch []*entry
	still  time.Duration // until when it replays nothing
}

func (s *standby) newest() *entry { return s.branch[len(s.branch)-1] }

// replay takes over the next revision, if there is one.
func (s *standby) replay(primary *ledger) {
	if n := len(s.branch); n < len(primary.branch) {
		s.branch = append(s.branch, primary.branch[n])
	}
}

// knows is register.Snapshot.Knows.
func (s *standby) knows(stamp register.Stamp) bool {
	return int(stamp.Revision) < len(s.branch) && s.branch[stamp.Revision].stamp == stamp
}

// poll is what register.Poll finds.
func (l *ledger) poll(known register.Revision, limit int, now time.Time) register.News {
	news := register.News{Newest: l.newest().stamp, Known: register.Stamp{Revision: known}, After: known, Database: now}
	if int(known) < len(l.branch) {
		news.Known = l.branch[known].stamp
	}
	for rev := len(l.branch) - 1; rev > int(known); rev-- {
		if lines := l.branch[rev].lines; len(news.Changes)+len(lines) <= limit {
			news.Changes = append(slices.Clone(lines), news.Changes...)
			continue
		}
		news.After = register.Revision(rev)
		break
	}
	return news
}

// edit is what a change does: the facts after it and whom it touched.
type edit struct {
	facts
	touched []register.Party
	narrows bool // as package register has it
	ends    bool // what was suspended before
}

// anyEdit changes one thing, as register.Tx does, or several at once.
func anyEdit(f *facts, now time.Time, r *rand.Rand) edit {
	e := edit{facts: *f}
	switch r.IntN(20) {
	case 0:
		e.edition++
		e.narrows = true
		e.touch(theCatalogue, 0)
	case 1:
		for range 3 {
			e.turn(r.IntN(mandates), now, r)
		}
		e.touched = []register.Party{register.AllParties} // as if they were too many to name
	case 2, 3, 4:
		e.move(r.IntN(companies), r.IntN(numbers+1))
	case 5, 6, 7, 8:
		e.block(r)
	default:
		e.turn(r.IntN(mandates), now, r)
	}
	return e
}

func (e *edit) touch(k kind, n int) { e.touched = append(e.touched, party(k, n)) }

// block stops somebody, or lets him go on.
func (e *edit) block(r *rand.Rand) {
	k := aPerson + kind(r.IntN(3))
	n := r.IntN(map[kind]int{aPerson: people, aCompany: companies, anOffice: offices}[k])
	e.blocked[k][n] = !e.blocked[k][n]
	e.narrows = e.narrows || e.blocked[k][n]
	e.touch(k, n)
}

// move gives a company an RSIN, which another loses, or takes its own away.
func (e *edit) move(company, rsin int) {
	if e.rsin[company] == rsin {
		rsin = 0
	}
	if from := e.holder(rsin); rsin > 0 && from >= 0 {
		e.touch(aCompany, from)
		e.rsin[from] = 0
	}
	for _, n := range []int{e.rsin[company], rsin} {
		if n > 0 {
			e.touch(anRSIN, n)
		}
	}
	e.rsin[company] = rsin
	e.narrows = true
	e.touch(aCompany, company)
}

// turn takes a mandate away, or gives it. One that is suspended may be taken away for good,
// and may be so since a moment that not every node knows of.
func (e *edit) turn(n int, now time.Time, r *rand.Rand) {
	m := &e.mandates[n]
	switch {
	case m.state == active:
		e.narrows = true
		m.state = suspended + state(r.IntN(2))
	case m.state == suspended && r.IntN(2) == 0:
		e.narrows, e.ends = true, true
		m.state = revoked
	default:
		*m = mandate{state: active, level: 2 + r.IntN(2)}
		if r.IntN(2) == 0 {
			m.from = now.UnixNano() + r.Int64N(int64(4*lease)) - int64(2*lease)
		}
		if r.IntN(2) == 0 {
			m.until = now.UnixNano() + r.Int64N(int64(8*lease))
		}
	}
	e.touchMandate(n)
	if n >= chains && n < assigned && m.state == revoked {
		e.endAssignments(n)
	}
}

func (e *edit) endAssignments(chainNumber int) {
	for p := range people {
		n := chainNumber + (p+1)*companies*offices
		if s := &e.mandates[n].state; *s == active || *s == suspended {
			*s = revoked
			e.touchMandate(n)
		}
	}
}

// touchMandate names everybody for whom a decision may change with a mandate.
func (e *edit) touchMandate(n int) {
	if n < chains {
		e.touch(aPerson, n/companies)
		e.touch(aCompany, n%companies)
		return
	}
	between := (n - chains) % (companies * offices)
	e.touch(aCompany, between/offices)
	e.touch(anOffice, between%offices)
	if n >= assigned {
		e.touch(aPerson, (n-assigned)/(companies*offices))
	}
}
