package pages

import (
	"sync"
	"time"

	"github.com/mandated/mandated/internal/desk"
	"github.com/mandated/mandated/internal/look"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
)

// The figures on the first page of the staff.

// countedFor is how long a count is shown: counting reads all mandates.
const countedFor = 5 * time.Minute

// counted is the last count of the mandates.
type counted struct {
	mu   sync.Mutex
	at   time.Time
	list []register.Count
}

// of gives the count, and counts anew if it is old. Whoever comes meanwhile waits for it: two
// would take twice as long.
func (c *counted) of(l *desk.Look, now time.Time) ([]register.Count, time.Time, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.at.IsZero() || now.Sub(c.at).Abs() >= countedFor {
		list, err := l.Counts()
		if err != nil {
			return nil, now, err
		}
		c.list, c.at = list, now
	}
	return c.list, c.at, nil
}

// shownStates are the bars, in their order. What is asked for and not answered is one.
var shownStates = []string{"active", "later", "suspended", "waiting", "expired", "revoked", "lapsed-unused", "superseded", "refused"}

// figures are how many mandates there are, by how they stand. Nobody is kept from his work when
// they cannot be counted in time.
func (v *visit) figures(l *desk.Look) []look.Part {
	list, at, err := v.counts.of(l, v.now)
	if err != nil {
		v.c.Log.Warn("the mandates could not be counted", "cause", err)
		return nil
	}
	sums := map[string]int64{}
	for _, c := range list {
		sums[barOf(c)] += int64(c.Mandates)
	}
	b := look.Bars{Title: v.say.Say("figure mandates"), About: v.say.Say("figure about", "when", v.say.Moment(at)), What: v.say.Say("state"), Count: v.say.Say("impact mandates")}
	for _, name := range shownStates {
		b.Rows = append(b.Rows, look.Bar{Label: v.say.Say("bar " + name), Value: sums[name]})
	}
	return []look.Part{b}
}

// barOf is the bar in which mandates are counted.
func barOf(c register.Count) string {
	switch {
	case c.State.Pending():
		return "waiting"
	case c.State == mandate.Rejected, c.State == mandate.Withdrawn, c.State == mandate.RequestExpired:
		return "refused"
	case c.State == mandate.Active && c.Over, c.State == mandate.Suspended && c.Over:
		return "expired"
	case c.State == mandate.Active && c.Later:
		return "later"
	}
	return string(c.State)
}
