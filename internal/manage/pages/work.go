package pages

import (
	"context"
	"errors"
	"time"

	"github.com/mandated/mandated/internal/look"
)

// work is what somebody has agreed to and takes long. It is done in parts, with each look at its
// page one more: others have their turn in between. How far it has come is kept after each part,
// so whoever leaves the page finds it where it was, and the overview leads back to it. That a
// look does something is safe here: the address is known only to the one who has agreed to just
// this.
type work interface {
	// part does the next part: all of it, or else nothing.
	part(context.Context, *visit) error

	over() bool
}

const (
	atOnce = 200 // mandates in one part, which is one change

	// longestPart is how long a part may last, and longestTurn how long another look at the page
	// leaves it alone at most: longer, for in the end it must be kept.
	longestPart = 30 * time.Second
	longestTurn = time.Minute
)

func (v *visit) placeOfWork(at string) string { return "work " + v.holder() + " " + at }

// placeOfUnfinished has the address of the work at which somebody was last, until it is over.
func (v *visit) placeOfUnfinished() string { return "unfinished " + v.holder() }

// beginWork keeps work that was agreed to, and leads to its page below an address.
func (v *visit) beginWork(below string, w work) (answer, error) {
	at := below + "/" + newName()
	if err := v.keepWork(v.ctx(), at, w); err != nil {
		return answer{}, err
	}
	return goTo(at)
}

// goOn does the next part of the work at an address. While another look does that, this one only
// tells how far it was. Who leaves meanwhile has lost nothing.
func (v *visit) goOn(at string, w work) error {
	place := v.placeOfWork(at)
	if err := v.keep.look(v.ctx(), place, w); err != nil || w.over() {
		return err
	}
	ctx, turn := context.WithoutCancel(v.ctx()), "turn of "+place
	switch err := v.keep.keep(ctx, turn, at, v.now.Add(longestTurn)); {
	case errors.Is(err, errKept):
		return nil
	case err != nil:
		return err
	}
	err := v.keep.look(ctx, place, w) // as the turn before has left it
	if err == nil && !w.over() {
		err = v.doPart(ctx, at, w)
	}
	if e := v.keep.take(ctx, turn, new(string)); err == nil && !errors.Is(e, errGone) {
		err = e
	}
	return err
}

func (v *visit) doPart(ctx context.Context, at string, w work) error {
	within, cancel := context.WithTimeout(ctx, longestPart)
	defer cancel()
	if err := w.part(within, v); err != nil {
		return err
	}
	return v.keepWork(ctx, at, w)
}

// keepWork keeps how far work has come, and the way back to it until it is over.
func (v *visit) keepWork(ctx context.Context, at string, w work) error {
	until := v.session.Until
	if err := v.keep.put(ctx, v.placeOfWork(at), w, until); err != nil {
		return err
	}
	if !w.over() {
		return v.keep.put(ctx, v.placeOfUnfinished(), at, until)
	}
	last, err := v.unfinished(ctx)
	if err == nil && last == at {
		err = v.keep.take(ctx, v.placeOfUnfinished(), &last)
	}
	if errors.Is(err, errGone) {
		err = nil
	}
	return err
}

// unfinished is the address of the work at which the visitor was last; "": it is over.
func (v *visit) unfinished(ctx context.Context) (at string, err error) {
	if err = v.keep.look(ctx, v.placeOfUnfinished(), &at); errors.Is(err, errGone) {
		return "", nil
	}
	return at, err
}

// unfinishedNotice leads back to work that is not over.
func (v *visit) unfinishedNotice() ([]look.Part, error) {
	at, err := v.unfinished(v.ctx())
	if err != nil || at == "" {
		return nil, err
	}
	return []look.Part{look.Notice{Title: v.say.Say("work unfinished"), Links: []look.Link{{Text: v.say.Say("work go on"), Address: at}}}}, nil
}

// progress tells how far work has come.
func (v *visit) progress(what string, done, of int, w work) look.Progress {
	return look.Progress{What: what, Done: int64(done), Of: int64(of), Every: 2 * time.Second, Finished: w.over()}
}

// busy is the page of work that is not over.
func (v *visit) busy(title string, far look.Progress, elsewhere look.Action) answer {
	return answer{page: look.Page{Title: title, Parts: []look.Part{far, look.Paragraph{Text: v.say.Say("work leave")}, look.Actions{elsewhere}}}}
}
