package freshness

import (
	"maps"
	"time"

	"github.com/mandated/mandated/pkg/register"
)

// bounds are how much a view holds.
type bounds struct {
	window int // lines of the feed that it remembers
	recent int // parties in the map that every poll copies
}

var usual = bounds{window: 100_000, recent: 2000}

// View is what one poll and those before it have told about the register. It never
// changes; the next poll makes the next view.
type View struct {
	newest    register.Stamp    // complete up to here
	after     register.Revision // and from here on, without this one
	confirmed Moment            // read before the poll was sent

	// tags are those of the revisions from after on; one that is not known is zero. Views
	// share the array, of which the later ones see more.
	tags []register.Tag

	// When a party changed last: in recent, else in settled. A poll copies the small map
	// only, and now and then both are laid together.
	settled, recent map[register.Party]register.Revision
	everybody       register.Revision // when all parties changed last
	lines           []line            // of the feed, to forget the oldest
	bounds          bounds
}

type line struct {
	revision register.Revision
	party    register.Party
}

// rule is one condition under which a claim may be served.
type rule struct {
	broken Why
	holds  func(v *View, lease time.Duration, c Claim, q Question, now Moment) bool
}

// rules are all conditions. Each is needed: the simulation in the tests finds a stale
// answer when any of them is left out.
var rules = []rule{
	{Lease, func(v *View, lease time.Duration, _ Claim, _ Question, now Moment) bool {
		return now.Steady-v.confirmed.Steady < lease
	}},
	{Slept, func(v *View, lease time.Duration, _ Claim, _ Question, now Moment) bool {
		age := now.Wall.Sub(v.confirmed.Wall)
		return age >= 0 && age < lease
	}},
	{Unknown, func(v *View, _ time.Duration, c Claim, _ Question, _ Moment) bool { return v.knows(c.Stamp) }},
	{Changed, func(v *View, _ time.Duration, c Claim, _ Question, _ Moment) bool {
		return c.Stamp.Revision == v.newest.Revision || !v.changed(c.Parties, c.Stamp.Revision)
	}},
	{Expired, func(_ *View, _ time.Duration, c Claim, q Question, _ Moment) bool {
		return c.Until.IsZero() || q.At.Before(c.Until)
	}},
	{Early, func(_ *View, _ time.Duration, c Claim, q Question, _ Moment) bool { return !q.At.Before(c.From) }},
	{Unheardof, func(v *View, _ time.Duration, _ Claim, q Question, _ Moment) bool {
		return v.newest.Revision >= q.AtLeast
	}},
}

// judge gives the first rule that the claim breaks.
func (v *View) judge(list []rule, lease time.Duration, c Claim, q Question, now Moment) Why {
	if v == nil {
		return NoView
	}
	for _, r := range list {
		if !r.holds(v, lease, c, q, now) {
			return r.broken
		}
	}
	return Serves
}

// knows tells whether a stamp is one of the past that the view remembers.
func (v *View) knows(s register.Stamp) bool {
	place := s.Revision - v.after
	return place >= 0 && place < register.Revision(len(v.tags)) && v.tags[place] == s.Tag && s.Tag != register.Tag{}
}

// changed tells whether one of the parties changed after a revision.
func (v *View) changed(parties []register.Party, rev register.Revision) bool {
	if v.everybody > rev {
		return true
	}
	for _, p := range parties {
		if v.recent[p] > rev || v.settled[p] > rev {
			return true
		}
	}
	return false
}

// first makes a view of what a poll about revision 0 brought.
func first(b bounds, news register.News, sent Moment) *View {
	v := &View{after: news.After, tags: []register.Tag{{}}, bounds: b}
	if news.After == news.Known.Revision {
		v.tags[0] = news.Known.Tag
	}
	return v.learn(news, sent)
}

// next is the view after a poll about the newest revision of v. It is nil if the
// register is not the one it was: it has lost that revision, or has another in its place.
func (v *View) next(news register.News, sent Moment) *View {
	switch {
	case news.Known != v.newest || news.Newest.Revision < v.newest.Revision:
		return nil
	case news.After > v.newest.Revision: // more has happened than could be told
		return first(v.bounds, news, sent)
	}
	return v.learn(news, sent)
}

// learn adds what changed. All revisions after v.newest are among the news, since each
// touches somebody.
func (v *View) learn(news register.News, sent Moment) *View {
	w := *v
	w.newest, w.confirmed = news.Newest, sent
	if len(news.Changes) == 0 {
		return &w
	}
	w.recent = maps.Clone(v.recent)
	if w.recent == nil {
		w.recent = map[register.Party]register.Revision{}
	}
	for _, c := range news.Changes {
		w.tag(c.Stamp)
		if c.Party == register.AllParties {
			w.everybody = c.Revision
		} else {
			w.recent[c.Party] = c.Revision
		}
		w.lines = append(w.lines, line{c.Revision, c.Party})
	}
	return w.settle()
}

// tag remembers a revision's tag; a revision that was not told of has none.
func (v *View) tag(s register.Stamp) {
	for end := v.after + register.Revision(len(v.tags)); end < s.Revision; end++ {
		v.tags = append(v.tags, register.Tag{})
	}
	if s.Revision == v.after+register.Revision(len(v.tags)) {
		v.tags = append(v.tags, s.Tag)
	}
}

// settle lays the maps together when the small one has grown, and forgets what is older
// than the window.
func (v *View) settle() *View {
	if len(v.recent) <= v.bounds.recent && len(v.lines) <= v.bounds.window+v.bounds.recent {
		return v
	}
	if excess := len(v.lines) - v.bounds.window; excess > 0 {
		v.forget(v.lines[excess-1].revision)
	}
	v.settled = make(map[register.Party]register.Revision, len(v.lines))
	for _, l := range v.lines {
		v.settled[l.party] = l.revision
	}
	v.recent = nil
	return v
}

// forget leaves out revisions up to and including one.
func (v *View) forget(rev register.Revision) {
	keep := 0
	for keep < len(v.lines) && v.lines[keep].revision <= rev {
		keep++
	}
	v.lines = append([]line(nil), v.lines[keep:]...)
	v.tags = append([]register.Tag(nil), v.tags[rev-v.after:]...)
	v.after = rev
}
