package pages

import (
	"slices"
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
			parts = append(parts, look.Actions{v.action(v.say.Say("print letters"), askedAt+"/letters", look.Secondary), v.action(v.say.Say("asked list"), askedAt+"/list", look.Secondary)})
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
	return listFile(v, v.say.Say("file asked"), heads, func(l *desk.Look, after mandate.ID) (rows [][]string, last mandate.ID, more bool, err error) {
		list, more, err := askedOf(l, after, perFile)
		for _, r := range list {
			rows = append(rows, []string{idText(r.ID), r.Grantor.KvK.Text(), r.Grantor.Name, v.party(r.Intermediary), strings.Join(v.items(r.Scope), "; "), v.lastDay(r.Validity.To), v.answerAt(r), v.say.Date(r.Expires)})
		}
		return rows, lastOf(list).ID, more, err
	})
}

// requestLetter is the letter to one client.
func (v *visit) requestLetter() (a answer, err error) {
	err = v.look(func(l *desk.Look) error {
		r, err := l.Request(v.id())
		if err == nil && !waitsForClient(l, r) {
			err = register.ErrNotFound
		}
		if err != nil {
			return err
		}
		parts, err := v.letterOf(l, r)
		a.page = look.Page{Title: v.say.Say("letter title"), Crumbs: v.askedCrumbs(), Parts: parts}
		return err
	})
	return a, err
}

// waitsForClient tells whether the visitor's organisation has asked this of a client, who has not
// answered yet.
func waitsForClient(l *desk.Look, r mandate.Request) bool {
	return r.Kind == mandate.Chain && r.AskedBy == mandate.ReceiverSide && r.Intermediary.ID == l.Actor().Organisation && r.State.Pending()
}

func (v *visit) askedCrumbs() []look.Link {
	return append(v.teamCrumbs(false), look.Link{Text: v.say.Say("asked"), Address: askedAt})
}

// letterOf tells a client on paper who asks, what for, until when, and where to answer.
func (v *visit) letterOf(l *desk.Look, r mandate.Request) ([]look.Part, error) {
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
	return append(parts, look.Paragraph{Text: v.say.Say("letter paper")}, look.Paragraph{Text: v.say.Say("letter free")}), err
}

// perPrint is how many letters are printed at once.
const perPrint = 100

// askedLetters are the letters to all clients who still have to answer, each on paper of its own.
func (v *visit) askedLetters() (a answer, err error) {
	place := v.numbered(askedAt+"/letters", "")
	err = v.look(func(l *desk.Look) error {
		list, more, err := askedOf(l, place.after, perPrint)
		if err == nil {
			a, err = v.lettersPage(l, list, place.paging(len(list), lastOf(list).ID, more))
		}
		return err
	})
	return a, err
}

// manyLetters are those to the clients of one list who were asked by it, as far as that is, and
// still have to answer.
func (v *visit) manyLetters() (a answer, err error) {
	var w asking
	if err := v.keep.look(v.ctx(), v.placeOfWork(v.askingAt()), &w); err != nil {
		return a, err
	}
	place := v.numbered(v.askingAt()+"/letters", "")
	var ids []mandate.ID
	for _, o := range w.Came {
		if o.ID > place.after && !o.There {
			ids = append(ids, o.ID)
		}
	}
	slices.Sort(ids)
	more := len(ids) > perPrint
	ids = ids[:min(perPrint, len(ids))]
	err = v.look(func(l *desk.Look) error {
		var list []mandate.Request
		for _, id := range ids {
			r, err := l.Request(id)
			if err != nil {
				return err
			}
			if waitsForClient(l, r) {
				list = append(list, r)
			}
		}
		a, err = v.lettersPage(l, list, place.paging(len(list), lastOf(ids), more))
		return err
	})
	return a, err
}

func (v *visit) lettersPage(l *desk.Look, list []mandate.Request, paging *look.Paging) (answer, error) {
	parts := []look.Part{look.Paragraph{Text: v.say.Count("letters text", len(list))}}
	if links := v.onward(paging); links != nil {
		parts = append(parts, look.Paragraph{Text: v.say.Say("letters more", "most", perPrint)}, links)
	}
	for _, r := range list {
		letter, err := v.letterOf(l, r)
		if err != nil {
			return answer{}, err
		}
		parts = append(parts, look.Sheet{Before: v.c.Name, Title: v.say.Say("letter title"), Parts: letter})
	}
	return answer{page: look.Page{Title: v.say.Say("letters title"), Crumbs: v.askedCrumbs(), Parts: parts}}, nil
}
