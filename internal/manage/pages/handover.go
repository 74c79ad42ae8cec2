package pages

import (
	"context"
	"fmt"
	"math"

	"github.com/mandated/mandated/internal/desk"
	"github.com/mandated/mandated/internal/look"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
)

// handing is somebody whose clients go to a colleague.
type handing struct {
	id   mandate.PersonID
	who  etoegang.ActingSubject
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
	list, _, err := l.Assigned(h.id, 0, math.MaxInt) // what is agreed to names all
	if err == nil && len(list) == 0 {
		err = register.ErrNotFound
	}
	if err != nil {
		return h, err
	}
	for _, m := range list {
		h.some = append(h.some, m.ID)
	}
	h.who, h.name, h.own = list[0].Person.Subject, v.person(list[0].Person), list[0].Grantor
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

// handOver reads who is to have them, lets the text of that be agreed to, and then begins it.
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
		w := d.personWish()
		to, err = v.personCalled(l, d, w)
		if err == nil && (w.ID == h.id || w.Subject == h.who) {
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
	return v.beginWork(h.at(), &handover{Person: h.id, Some: h.some, To: d, Consent: consent})
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

// handover is the work of giving somebody's clients to a colleague, as somebody has agreed to it.
type handover struct {
	Person  mandate.PersonID `json:"p"`
	Some    []mandate.ID     `json:"s"` // assignments
	To      draft            `json:"t"` // in which the colleague is named
	Consent register.Consent `json:"c"`
	Done    int              `json:"d"` // of these assignments
	Moved   int              `json:"m"`
	Waiting int              `json:"w"`
	Refused []refusal        `json:"r"`
}

func (h *handover) over() bool { return h.Done == len(h.Some) }

// gone is how many the one did not have any more: what came of them could not be kept, or they
// have ended meanwhile.
func (h *handover) gone() int { return h.Done - h.Moved - h.Waiting - len(h.Refused) }

func (h *handover) part(ctx context.Context, v *visit) error {
	some := h.Some[h.Done:min(h.Done+atOnce, len(h.Some))]
	done, err := v.c.Desk.HandOver(ctx, v.caller(), "page: hands over", h.Person, some, h.To.personWish(), h.Consent)
	if err != nil {
		return err
	}
	h.Done, h.Moved, h.Waiting = h.Done+len(some), h.Moved+done.Moved, h.Waiting+done.Waiting
	for _, r := range done.Refused {
		h.Refused = append(h.Refused, v.refusal(r))
	}
	return nil
}

// handedOver hands over the next, and tells how far that is; in the end, what has become of all.
func (v *visit) handedOver() (a answer, err error) {
	var h handover
	if err := v.goOn(v.r.URL.Path, &h); err != nil {
		return a, err
	}
	toClients := look.Link{Text: v.say.Say("place /clients"), Address: "/clients"}
	if !h.over() {
		return v.busy(v.say.Say("handed busy"), v.progress(v.say.Say("handed far"), h.Done, len(h.Some), &h), look.Action{Link: toClients, Kind: look.Secondary}), nil
	}
	done := look.Notice{Kind: look.Done, Title: v.say.Count("handed over", h.Moved)}
	if h.Waiting > 0 {
		done.Items = append(done.Items, v.say.Count("handed waits", h.Waiting))
	}
	if n := h.gone(); n > 0 {
		done.Items = append(done.Items, v.say.Count("handed gone", n))
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
	a.page = look.Page{Title: v.say.Say("handed title"), Parts: append(parts, look.Links{toClients, {Text: v.say.Say("teams"), Address: "/teams"}})}
	return a, err
}
