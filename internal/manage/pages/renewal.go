package pages

import (
	"time"

	"github.com/mandated/mandated/internal/desk"
	"github.com/mandated/mandated/internal/look"
	"github.com/mandated/mandated/pkg/mandate"
)

// renewal is a mandate in force that somebody makes last longer: by the next one, of the same
// parties for the same things, which takes its place. Who receives it can only ask for it. An
// intermediary can also ask for what a client lets him do no more.
type renewal struct {
	old  mandate.Mandate
	asks bool
	over bool
}

func (r renewal) at() string { return "/mandates/" + idText(r.old.ID) + "/renew" }

// renewing is the renewal of the mandate in the address.
func (v *visit) renewing(l *desk.Look) (r renewal, err error) {
	if r.old, err = l.Mandate(v.id()); err != nil {
		return r, err
	}
	side, err := l.Actor().Side(r.old)
	r.asks, r.over = side == mandate.ReceiverSide, r.old.State.Ended() || !v.now.Before(r.old.Validity.To)
	if err == nil && r.old.State != mandate.Active && !(r.over && r.asks) {
		err = mandate.ErrNotInForce
	}
	return r, err
}

func (v *visit) askRenewal() (a answer, err error) {
	err = v.look(func(l *desk.Look) error {
		r, err := v.renewing(l)
		if err != nil {
			return err
		}
		from := r.old.Validity.To
		if r.over {
			from = v.now
		}
		end, err := v.usualEnd(l, from, r.asks, r.old.Client)
		a, _ = v.renewalPage(r, lastDayInput(end), nil)
		return err
	})
	return a, err
}

// renewalPage asks until when.
func (v *visit) renewalPage(r renewal, to look.DateInput, f faults) (answer, error) {
	title, text := "renewal title", "renewal text"
	switch {
	case r.asks && r.over:
		title, text = "renewal again title", "renewal again text"
	case r.asks:
		text = "renewal asked text"
	}
	return page(look.Page{Title: v.say.Say(title), Address: r.at(), Parts: []look.Part{
		look.Paragraph{Text: v.say.Say(text, "who", v.receiver(r.old), "grantor", v.party(r.old.Grantor))},
		append(v.between(r.old), look.Item{Term: v.say.Say("until"), Value: look.Cell{Text: v.lastDay(r.old.Validity.To)}}),
		v.form(r.at(), look.Form{Buttons: []look.Button{{Text: v.say.Say("next")}}, Cancel: v.cancel("/mandates/" + idText(r.old.ID)),
			Parts: []look.Part{look.Field{Name: "to", Label: v.say.Say("to"), Hint: v.say.Say("to hint"), Error: f["to"], Input: to}}}),
	}}, f)
}

// renewal reads until when, lets the text of the next mandate be agreed to, and then makes it or
// asks for it. What may be renewed is the desk's to say.
func (v *visit) renewal() (a answer, err error) {
	f := faults{}
	day := look.ReadDate(v.r.PostForm, "to")
	to := v.readLastDay(day, f)
	var r renewal
	var w desk.Wish
	var lines []string
	err = v.look(func(l *desk.Look) (err error) {
		if r, err = v.renewing(l); err != nil || len(f) > 0 {
			return err
		}
		w, lines, err = v.renewed(l, r, to)
		return err
	})
	switch {
	case err != nil:
		return a, err
	case len(f) > 0:
		return v.renewalPage(r, day, f)
	case v.said("text") != sumOf(w.Consent):
		return v.renewalCheck(r, day, lines), nil
	}
	done, err := v.c.Desk.Ask(v.ctx(), v.caller(), "page: renewed", w)
	if f := v.beside(err, "to"); f != nil {
		return v.renewalPage(r, day, f)
	}
	return v.done(done, string(done.Mandate.State), err)
}

// renewed is the next mandate, and the text of it.
func (v *visit) renewed(l *desk.Look, r renewal, to time.Time) (w desk.Wish, lines []string, err error) {
	m := r.old
	m.ID, m.State, m.Supersedes = 0, "", r.old.ID
	if r.old.State.Ended() { // there is no place to take
		m.Supersedes = 0
	}
	m.Validity = mandate.Validity{From: v.now.UTC().Truncate(time.Second), To: to}
	d, err := v.fullDeal(l, m)
	if err == nil {
		d.follows = m.Supersedes
		d.cost, err = v.cost(l, d.grantor, m)
	}
	lines = v.text(d)
	return desk.Wish{Kind: m.Kind, Grantor: desk.Party{KvK: m.Grantor.KvK}, Intermediary: desk.Party{KvK: m.Intermediary.KvK}, Person: desk.PersonWish{ID: m.Person.ID}, Client: m.Client,
		Scope: m.Scope, Establishments: m.Establishments, Validity: m.Validity, Reference: m.Reference, Supersedes: m.Supersedes, Consent: v.consent(lines)}, lines, err
}

// renewalCheck is the text to be agreed to.
func (v *visit) renewalCheck(r renewal, to look.DateInput, lines []string) answer {
	parts, button := shown(lines), v.say.Say("renew")
	if r.asks {
		parts, button = append(parts, look.Notice{Title: v.say.Say("note ask")}), v.say.Say("confirm "+askIt)
	}
	hidden := []look.Hidden{{Name: "text", Value: sumOf(v.consent(lines))}, {Name: "to-day", Value: to.Day}, {Name: "to-month", Value: to.Month}, {Name: "to-year", Value: to.Year}}
	return answer{page: look.Page{Title: v.say.Say("check"), Address: r.at(), Parts: append(parts,
		v.form(r.at(), look.Form{Hidden: hidden, Buttons: []look.Button{{Text: button}}, Cancel: &look.Link{Text: v.say.Say("back"), Address: r.at()}}))}}
}
