package pages

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"github.com/mandated/mandated/internal/desk"
	"github.com/mandated/mandated/internal/look"
	"github.com/mandated/mandated/pkg/decision"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/pdp"
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

// decidedDays is of how many days decisions are shown.
const decidedDays = 14

// shownOutcomes are the parts of the bars, in their order.
var shownOutcomes = []string{decision.Permit.String(), decision.Choose.String(), decision.Deny.String(), pdp.Indeterminate}

// decisionFigures are what the register decided in the last days, and why it refused. As with the
// mandates, nobody is kept from his work for them.
func (v *visit) decisionFigures() []look.Part {
	days, err := v.c.Works.Decisions(v.ctx(), decidedDays)
	if err != nil {
		v.c.Log.Warn("the decisions could not be counted", "cause", err)
		return nil
	}
	byDay := look.Stacks{Title: v.say.Say("figure decisions"), About: v.say.Say("figure decisions about", "when", v.say.Moment(v.now)), What: v.say.Say("day")}
	for _, o := range shownOutcomes {
		byDay.Parts = append(byDay.Parts, look.State{Kind: outcomes[o], Text: v.say.Say("decided " + o)})
	}
	whole, reasons := true, map[decision.Code]int64{}
	for _, d := range days {
		s := look.Stack{Label: v.say.Date(d.Day)}
		for _, o := range shownOutcomes {
			s.Values = append(s.Values, d.Outcomes[o])
		}
		if !d.Whole {
			whole, s.Note = false, v.say.Say("day in part")
		}
		byDay.Rows = append(byDay.Rows, s)
		for code, n := range d.Reasons {
			reasons[code] += n
		}
	}
	parts := []look.Part{byDay}
	if !whole {
		parts = append([]look.Part{look.Notice{Title: v.say.Say("days in part"), Text: v.say.Say("days in part text")}}, parts...)
	}
	if refused := v.refusalFigure(reasons); len(refused.Rows) > 0 {
		parts = append(parts, refused)
	}
	return parts
}

// refusalFigure are the reasons for refusals in those days, the most frequent first.
func (v *visit) refusalFigure(reasons map[decision.Code]int64) look.Bars {
	b := look.Bars{Title: v.say.Say("figure refusals"), About: v.say.Say("figure refusals about"), What: v.say.Say("reason"), Count: v.say.Say("refusals")}
	codes := slices.DeleteFunc(decision.Codes(), func(c decision.Code) bool { return reasons[c] == 0 })
	slices.SortStableFunc(codes, func(a, b decision.Code) int { return cmp.Compare(reasons[b], reasons[a]) })
	for _, c := range codes {
		b.Rows = append(b.Rows, look.Bar{Label: v.say.Say("refusal " + string(c)), Value: reasons[c]})
	}
	return b
}
