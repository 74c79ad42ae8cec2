package pages

import (
	"slices"
	"strings"
	"time"

	"github.com/mandated/mandated/internal/desk"
	"github.com/mandated/mandated/internal/look"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
)

// renewAt is where an intermediary asks many clients for the next mandate.
const renewAt = "/clients/renew"

// endsSoon is how long before a mandate ends one thinks of the next.
const endsSoon = 60 * 24 * time.Hour

// ending lists the clients' mandates in force that end before a moment, by number: at most limit
// after the given one, and whether there are more. Whose next one is being asked for is not
// among them.
func (v *visit) ending(l *desk.Look, before time.Time, after mandate.ID, limit int) ([]mandate.Mandate, bool, error) {
	return l.Mandates(register.Filter{Kind: mandate.Chain, Side: mandate.ReceiverSide, State: mandate.Active, Unfollowed: true, EndsAfter: v.now, EndsBefore: before}, after, limit)
}

// endingList is the list of what ends soon, or of all that ends some day, and the other of the two.
func (v *visit) endingList() (before time.Time, place numbered, other look.Link) {
	if v.r.FormValue("all") == "" {
		return v.now.Add(endsSoon), v.numbered(renewAt, ""), look.Link{Text: v.say.Say("renew all"), Address: renewAt + "?all=1"}
	}
	return time.Time{}, v.numbered(renewAt+"?all=1", ""), look.Link{Text: v.say.Say("renew soon"), Address: renewAt}
}

func (v *visit) askRenew() (answer, error) {
	return v.renewPage(lastDayInput(mandate.StartOfDay(mandate.AddYears(v.now, 1))), nil)
}

func (v *visit) renewPage(to look.DateInput, f faults) (a answer, err error) {
	before, place, other := v.endingList()
	err = v.look(func(l *desk.Look) error {
		list, more, err := v.ending(l, before, place.after, perPage)
		if err != nil {
			return err
		}
		parts := []look.Part{look.Paragraph{Text: v.say.Say("renew text")}}
		if len(list) == 0 {
			parts = append(parts, look.Empty{Title: v.say.Say("renew none")})
		} else {
			options := look.CheckInput{}
			for _, m := range list {
				options = append(options, look.Option{Value: idText(m.ID), Hint: strings.Join(v.items(m.Scope), "; "), Chosen: slices.Contains(v.r.PostForm["mandate"], idText(m.ID)),
					Label: v.say.Say("renew label", "client", v.party(m.Grantor), "number", idText(m.ID), "until", v.lastDay(m.Validity.To))})
			}
			form := look.Form{Cancel: v.cancel("/clients"), Hidden: place.hidden(),
				Parts: []look.Part{
					look.Field{Name: "mandate", Label: v.say.Say("renew which"), Error: f["mandate"], Input: options},
					look.Field{Name: "to", Label: v.say.Say("to"), Hint: v.say.Say("to hint"), Error: f["to"], Input: to},
				},
				Buttons: []look.Button{{Text: v.say.Say("renew ticked")}, {Text: v.say.Say("renew shown", "most", mostLines), Kind: look.Secondary, Name: "do", Value: "all"}}}
			if before.IsZero() {
				form.Hidden = append(form.Hidden, look.Hidden{Name: "all", Value: "1"})
			}
			parts = append(parts, v.form(renewAt, form))
		}
		links := append(v.onward(place.paging(len(list), lastOf(list).ID, more)), other)
		a, _ = page(look.Page{Title: v.say.Say("renew many"), Address: place.here(), Crumbs: v.teamCrumbs(false), Parts: append(parts, links)}, f)
		return nil
	})
	return a, err
}

// renew makes a list of what was ticked, which is then checked and asked for as any other.
func (v *visit) renew() (answer, error) {
	f := faults{}
	day := look.ReadDate(v.r.PostForm, "to")
	d := draft{Kind: askMany, id: newName(), To: v.readLastDay(day, f)}
	err := v.look(func(l *desk.Look) error {
		if v.said("do") == "all" {
			list, _, err := v.ending(l, v.now.Add(endsSoon), 0, mostLines)
			d.follow(list...)
			return err
		}
		for _, text := range v.r.PostForm["mandate"] {
			m, err := l.Mandate(parseID(text))
			if err != nil {
				return err
			}
			if len(d.Lines) < perPage && m.Kind == mandate.Chain && m.Intermediary.ID == l.Actor().Organisation {
				d.follow(m)
			}
		}
		return nil
	})
	if err != nil {
		return answer{}, err
	}
	if len(d.Lines) == 0 {
		f["mandate"] = v.say.Say("wrong no one")
	}
	if len(f) > 0 {
		return v.renewPage(day, f)
	}
	if err := v.save(d); err != nil {
		return answer{}, err
	}
	return goTo(d.at("check"))
}

// follow adds lines that ask for what mandates cover, for longer.
func (d *draft) follow(list ...mandate.Mandate) {
	for _, m := range list {
		d.Lines = append(d.Lines, listed{Line: len(d.Lines) + 1, KvK: m.Grantor.KvK.Text(), Name: m.Grantor.Name, Scope: m.Scope.String(), Follows: m.ID})
	}
}
