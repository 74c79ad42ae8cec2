package pages

import (
	"context"
	"time"

	"github.com/mandated/mandated/internal/desk"
	"github.com/mandated/mandated/internal/look"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
)

// asking is the work of asking all clients of a list, as somebody has agreed to it: on that day and
// in that language, however its page is looked at later.
type asking struct {
	List     draft             `json:"l"`
	At       time.Time         `json:"a"`
	Language look.Language     `json:"g"`
	Since    register.Revision `json:"r"`
	Agreed   []string          `json:"s"` // to the texts that these sums name, line by line
	Came     []outcome         `json:"o"` // what became of the lines, so far
}

func (w *asking) over() bool { return len(w.Came) == len(w.List.Lines) }

func (v *visit) askingAt() string { return manyAt + "/" + v.r.PathValue("asking") }

// beginAsking begins to ask all clients of a list, if that is what was shown.
func (v *visit) beginAsking(d draft) (answer, error) {
	wishes, at, err := v.wishes(d, d.Lines)
	if err != nil {
		return v.backTo(d, err)
	}
	if v.said("text") != sumOf(firstText(wishes)) {
		return v.shownAnew(v.check())
	}
	w := &asking{List: d, At: v.now, Language: v.say.Language, Since: at}
	for _, wish := range wishes {
		w.Agreed = append(w.Agreed, sumOf(wish.Consent))
	}
	return v.beginWork(manyAt, w)
}

// part asks the next clients. A line of which the text is no longer what was agreed to asks nothing.
func (w *asking) part(ctx context.Context, v *visit) error {
	as := *v
	as.now, as.say = w.At, texts.In(w.Language)
	begin := len(w.Came)
	lines := w.List.Lines[begin:min(begin+atOnce, len(w.List.Lines))]
	wishes, _, err := as.wishes(w.List, lines)
	if err != nil {
		return err
	}
	for i, wish := range wishes {
		if lines[i].Wrong.IsZero() && sumOf(wish.Consent) != w.Agreed[begin+i] {
			lines[i].Wrong = texts["wrong changed"]
		}
	}
	came, err := v.askLines(ctx, lines, wishes, false)
	if err == nil {
		err = v.findAsked(w, wishes, came)
	}
	if err == nil {
		w.Came = append(w.Came, came...)
	}
	return err
}

// findAsked finds, among what was there, what this very list has asked before: in a part that
// could not be kept. It is neither another's nor older, and no line that came twice.
func (v *visit) findAsked(w *asking, wishes []desk.Wish, came []outcome) error {
	told := map[mandate.ID]bool{}
	for _, o := range w.Came {
		told[o.ID] = true
	}
	return v.look(func(l *desk.Look) error {
		for i, o := range came {
			if o.There && !told[o.ID] {
				steps, err := l.Steps(o.ID)
				if err != nil {
					return err
				}
				came[i].There = len(steps) == 0 || steps[0].Revision <= w.Since || steps[0].Appointment != v.caller().Appointment || steps[0].Consent != wishes[i].Consent
			}
			told[o.ID] = true
		}
		return nil
	})
}

// askedThem asks the next clients of a list, and tells how far that is; in the end, what became of
// all of them.
func (v *visit) askedThem() (answer, error) {
	var w asking
	if err := v.goOn(v.askingAt(), &w); err != nil {
		return answer{}, err
	}
	if !w.over() {
		return v.busy(v.say.Say("many busy"), v.progress(v.say.Say("many far"), len(w.Came), len(w.List.Lines), &w), v.action(v.say.Say("place /clients"), "/clients", look.Secondary)), nil
	}
	asked, there, refused := count(w.Came)
	actions := look.Actions{v.action(v.say.Say("asked"), askedAt, look.Primary), v.action(v.say.Say("another list"), manyAt, look.Secondary)}
	if asked > 0 {
		actions = append(look.Actions{v.action(v.say.Say("print letters"), v.askingAt()+"/letters", look.Secondary)}, actions...)
	}
	parts := []look.Part{v.manyNotice(asked, there, refused, "many done"), look.Paragraph{Text: v.say.Say("many next")}, actions}
	if refused > 0 {
		parts = append(parts, v.outcomeTable(w.List, w.Came, false))
	}
	return answer{page: look.Page{Title: v.say.Say("many over"), Parts: parts}}, nil
}
