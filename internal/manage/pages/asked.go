package pages

import (
	"strings"

	"github.com/mandated/mandated/internal/desk"
	"github.com/mandated/mandated/internal/look"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
)

// askedAt are the clients who still have to answer, each with a letter that tells where.
const askedAt = "/clients/asked"

// unanswered chooses what the organisation has asked of its clients, and waits for.
var unanswered = register.Filter{Kind: mandate.Chain, Side: mandate.ReceiverSide, AskedBy: mandate.ReceiverSide, Pending: true}

// askedOf lists those requests by number: at most limit after the given one, and whether there
// are more.
func askedOf(l *desk.Look, after mandate.ID, limit int) (list []mandate.Request, more bool, err error) {
	all, more, err := l.Mandates(unanswered, after, limit)
	for _, m := range all {
		if err != nil {
			break
		}
		var r mandate.Request
		r, err = l.Request(m.ID)
		list = append(list, r)
	}
	return list, more, err
}

func (v *visit) asked() (a answer, err error) {
	place := v.numbered(askedAt, "")
	err = v.look(func(l *desk.Look) error {
		list, more, err := askedOf(l, place.after, perPage)
		t := look.Table{Caption: v.say.Say("asked"), Unseen: true, Empty: &look.Empty{Title: v.say.Say("asked nobody")}, Columns: []look.Column{
			{Title: v.say.Say("client"), Names: true}, {Title: v.say.Say("covers")}, {Title: v.say.Say("until")}, {Title: v.say.Say("answer before")}, {Title: v.say.Say("do"), Unseen: true},
		}}
		for _, r := range list {
			t.Rows = append(t.Rows, look.Row{{Text: v.party(r.Grantor), Address: "/requests/" + idText(r.ID), About: v.say.Say("request number", "number", idText(r.ID))},
				{Text: strings.Join(v.items(r.Scope), "; ")}, {Text: v.lastDay(r.Validity.To)}, {Text: v.say.Date(r.Expires)},
				{Links: []look.Link{{Text: v.say.Say("print letter"), About: v.party(r.Grantor) + ", " + v.say.Say("request number", "number", idText(r.ID)), Address: "/requests/" + idText(r.ID) + "/letter"}}}})
		}
		t.Paging = place.paging(len(list), lastOf(list).ID, more)
		parts := []look.Part{look.Paragraph{Text: v.say.Say("asked text")}}
		if len(list) > 0 {
			parts = append(parts, look.Actions{v.action(v.say.Say("asked list"), askedAt+"/list", look.Secondary)})
		}
		a.page = look.Page{Title: v.say.Say("asked"), Crumbs: v.teamCrumbs(false), Parts: append(parts, t)}
		return err
	})
	return a, err
}

// answerAt is where a client answers a request: there is nothing in it about anybody.
func (v *visit) answerAt(r mandate.Request) string { return v.c.Address + "/requests/" + idText(r.ID) }

// askedList is the same as a file, to be merged with a letter of one's own.
func (v *visit) askedList() (answer, error) {
	heads := []string{v.say.Say("request"), v.say.Say("kvk"), v.say.Say("client"), v.say.Say("letter who"), v.say.Say("letter what"), v.say.Say("letter to"), v.say.Say("letter where"), v.say.Say("answer before")}
	return v.listFile(v.say.Say("file asked"), heads, func(l *desk.Look, after mandate.ID) (rows [][]string, last mandate.ID, more bool, err error) {
		list, more, err := askedOf(l, after, perFile)
		for _, r := range list {
			rows = append(rows, []string{idText(r.ID), r.Grantor.KvK.Text(), r.Grantor.Name, v.party(r.Intermediary), strings.Join(v.items(r.Scope), "; "), v.lastDay(r.Validity.To), v.answerAt(r), v.say.Date(r.Expires)})
		}
		return rows, lastOf(list).ID, more, err
	})
}

// requestLetter tells a client on paper who asks, what for, until when, and where to answer.
func (v *visit) requestLetter() (a answer, err error) {
	err = v.look(func(l *desk.Look) error {
		r, err := l.Request(v.id())
		if err != nil {
			return err
		}
		if r.Kind != mandate.Chain || r.AskedBy != mandate.ReceiverSide || r.Intermediary.ID != l.Actor().Organisation || !r.State.Pending() {
			return register.ErrNotFound
		}
		about := look.Description{
			{Term: v.say.Say("letter who"), Value: look.Cell{Text: v.party(r.Intermediary)}},
			{Term: v.say.Say("letter what"), Value: look.Cell{Text: strings.Join(v.items(r.Scope), "; ")}},
			{Term: v.say.Say("letter to"), Value: look.Cell{Text: v.lastDay(r.Validity.To)}},
			{Term: v.say.Say("letter where"), Value: look.Cell{Text: v.answerAt(r), Code: true, Note: v.say.Say("letter before", "date", v.say.Date(r.Expires))}},
		}
		parts := []look.Part{look.Paragraph{Text: v.say.Say("letter dear", "name", v.party(r.Grantor))}, look.Paragraph{Text: v.say.Say("letter asks", "office", v.party(r.Intermediary))}, about,
			look.List{Ordered: true, Items: []string{v.say.Say("letter go", "where", v.answerAt(r)), v.say.Say("letter log in", "company", v.party(r.Grantor)), v.say.Say("letter answer")}}}
		cost, err := v.cost(l, v.party(r.Grantor), r.Mandate)
		if cost != "" {
			parts = append(parts, look.Paragraph{Text: cost})
		}
		a.page = look.Page{Title: v.say.Say("letter title"), Crumbs: append(v.teamCrumbs(false), look.Link{Text: v.say.Say("asked"), Address: askedAt}), Parts: append(parts, look.Paragraph{Text: v.say.Say("letter free")})}
		return err
	})
	return a, err
}
