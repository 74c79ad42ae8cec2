package pages

import (
	"context"
	"errors"
	"fmt"

	"github.com/mandated/mandated/internal/desk"
	"github.com/mandated/mandated/internal/look"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
)

// handing is somebody whose clients go to a colleague.
type handing struct {
	id   mandate.PersonID
	name string
	some []mandate.ID // assignments
	own  mandate.Organisation
}

// agreed stands for what was agreed to: a text, about just these assignments.
func (h handing) agreed(c register.Consent) string {
	c.Text += fmt.Sprint(h.some)
	return sumOf(c)
}

func (v *visit) handing(l *desk.Look) (h handing, err error) {
	h.id = mandate.PersonID(v.number("person"))
	list, err := l.Assigned(h.id)
	if err == nil && (h.id == 0 || len(list) == 0) {
		err = register.ErrNotFound
	}
	if err != nil {
		return h, err
	}
	for _, m := range list {
		h.some = append(h.some, m.ID)
	}
	h.name, h.own = v.person(list[0].Person), list[0].Grantor
	return h, nil
}

func (h handing) at() string { return "/people/" + idText(h.id) + "/handover" }

func (v *visit) askHandOver() (answer, error) { return v.handOverPage(draft{Kind: assignIt}, nil) }

// handOverPage asks who is to have somebody's clients.
func (v *visit) handOverPage(d draft, f faults) (answer, error) {
	var h handing
	if err := v.look(func(l *desk.Look) (err error) { h, err = v.handing(l); return err }); err != nil {
		return answer{}, err
	}
	fields, err := v.personFields(d, f)
	if err != nil {
		return answer{}, err
	}
	return page(look.Page{Title: v.say.Say("hand over title", "name", h.name), Address: h.at(), Parts: []look.Part{
		look.Paragraph{Text: v.say.Count("hand over many", len(h.some), "name", h.name)},
		v.form(h.at(), look.Form{Parts: fields, Buttons: []look.Button{{Text: v.say.Say("next")}}, Cancel: v.cancel("/mandates")}),
	}}, f)
}

// handOver reads who is to have them, lets the text of that be agreed to, and then does it.
func (v *visit) handOver() (answer, error) {
	d, f := draft{Kind: assignIt}, faults{}
	if v.readPerson(&d, f); len(f) > 0 {
		return v.handOverPage(d, f)
	}
	var h handing
	var to string
	err := v.look(func(l *desk.Look) (err error) {
		if h, err = v.handing(l); err != nil {
			return err
		}
		to, err = v.personCalled(l, d, d.personWish())
		if err == nil && d.Person == h.id {
			err = desk.ErrPerson
		}
		return err
	})
	if f := v.beside(err, "person"); f != nil {
		return v.handOverPage(d, f)
	}
	if err != nil {
		return answer{}, err
	}
	lines := []string{v.say.Say("hand over agree", "office", v.party(h.own), "from", h.name, "to", to), v.say.Count("hand over gets", len(h.some), "to", to),
		v.say.Say("hand over loses", "from", h.name, "to", to), v.say.Say("deal stop")}
	consent := v.consent(lines)
	if v.said("text") != h.agreed(consent) {
		return v.handOverCheck(h, d, lines), nil
	}
	done, err := v.c.Desk.HandOver(v.ctx(), v.caller(), "page: hands over", h.id, h.some, d.personWish(), consent)
	if f := v.beside(err, "person"); f != nil {
		return v.handOverPage(d, f)
	}
	if err != nil {
		return answer{}, err
	}
	kept, name := handed{Moved: done.Moved, Waiting: done.Waiting}, newName()
	for _, r := range done.Refused {
		kept.Refused = append(kept.Refused, v.refusal(r))
	}
	if err := v.keep.put(context.WithoutCancel(v.ctx()), v.placeOfHanded(name), kept, v.session.Until); err != nil {
		return answer{}, err
	}
	return goTo(h.at() + "/" + name)
}

// handOverCheck is the text to be agreed to, with how many clients it is about.
func (v *visit) handOverCheck(h handing, d draft, lines []string) answer {
	hidden := []look.Hidden{{Name: "text", Value: h.agreed(v.consent(lines))}, {Name: "person", Value: newPerson}}
	if d.Person != 0 {
		hidden[1].Value = idText(d.Person)
	} else {
		hidden = append(hidden, look.Hidden{Name: "person-name", Value: d.PersonName}, look.Hidden{Name: "authenticator", Value: d.Authenticator}, look.Hidden{Name: "pseudonym", Value: d.Pseudonym})
	}
	return answer{page: look.Page{Title: v.say.Say("check"), Address: h.at(), Parts: append(shown(lines),
		look.Notice{Title: v.say.Say("hand over team", "name", h.name)},
		v.form(h.at(), look.Form{Hidden: hidden, Buttons: []look.Button{{Text: v.say.Count("hand over do", len(h.some))}}, Cancel: &look.Link{Text: v.say.Say("back"), Address: h.at()}}))}}
}

// handed is what has become of it.
type handed struct {
	Moved   int       `json:"m"`
	Waiting int       `json:"w"`
	Refused []refusal `json:"r"`
}

func (v *visit) placeOfHanded(name string) string { return "handed " + v.holder() + " " + name }

func (v *visit) handedOver() (a answer, err error) {
	var h handed
	if err := v.keep.look(v.ctx(), v.placeOfHanded(v.r.PathValue("handover")), &h); errors.Is(err, errGone) {
		return a, register.ErrNotFound
	} else if err != nil {
		return a, err
	}
	done := look.Notice{Kind: look.Done, Title: v.say.Count("handed over", h.Moved)}
	if h.Waiting > 0 {
		done.Items = append(done.Items, v.say.Count("handed waits", h.Waiting))
	}
	parts := []look.Part{done}
	if len(h.Refused) > 0 {
		t := look.Table{Caption: v.say.Count("handed not", len(h.Refused)), Columns: []look.Column{{Title: v.say.Say("client"), Names: true}, {Title: v.say.Say("why not")}}}
		err = v.look(func(l *desk.Look) error {
			for _, r := range h.Refused {
				client, err := v.refusedClient(l, r, "")
				if err != nil {
					return err
				}
				t.Rows = append(t.Rows, look.Row{client, {Text: v.say.Say(r.Why)}})
			}
			return nil
		})
		done.Kind = look.Warning
		parts = []look.Part{done, t}
	}
	a.page = look.Page{Title: v.say.Say("handed title"), Parts: append(parts, look.Links{{Text: v.say.Say("place /clients"), Address: "/clients"}, {Text: v.say.Say("teams"), Address: "/teams"}})}
	return a, err
}
