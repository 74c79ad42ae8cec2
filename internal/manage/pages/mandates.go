package pages

import (
	"slices"
	"strings"

	"github.com/mandated/mandated/internal/desk"
	"github.com/mandated/mandated/internal/look"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
)

// overview is where everybody begins: what waits for him, and who acts for his organisation.
func (v *visit) overview() (a answer, err error) {
	err = v.look(func(l *desk.Look) error {
		waiting, more, err := l.ToAnswer(false, 0, perPage)
		if err != nil {
			return err
		}
		var parts []look.Part
		if len(waiting) > 0 {
			title := v.say.Count("waiting for you", len(waiting))
			if more {
				title = v.say.Say("many waiting for you", "n", len(waiting))
			}
			parts = append(parts, look.Notice{Title: title, Links: []look.Link{{Text: v.say.Say("answer them"), Address: "/requests"}}})
		}
		if v.isStaff() {
			a.page = look.Page{Title: v.say.Say("overview staff"), Parts: append(append(parts, v.staffActions()), v.figures(l)...)}
			return nil
		}
		given, err := v.actsForUs(l)
		if err != nil {
			return err
		}
		table, err := v.table(given, v.say.Say("acts for us"), &look.Empty{Title: v.say.Say("acts nobody"), Text: v.say.Say("acts nobody text")})
		a.page = look.Page{Title: v.say.Say("overview", "company", v.session.role.For), Parts: append(parts, v.companyActions(), table,
			look.Links{{Text: v.say.Say("all mandates"), Address: "/mandates"}})}
		return err
	})
	switch { // what the register does not know, for which nothing of it is held
	case err != nil:
	case v.isStaff():
		a.page.Parts = append(a.page.Parts, v.decisionFigures()...)
	default:
		var back []look.Part
		back, err = v.unfinishedNotice()
		a.page.Parts = append(back, a.page.Parts...)
	}
	return a, err
}

func (v *visit) action(text, address string, kind look.ButtonKind) look.Action {
	return look.Action{Link: look.Link{Text: text, Address: address}, Kind: kind}
}

func (v *visit) companyActions() look.Actions {
	return look.Actions{
		v.action(v.say.Say("begin chain"), "/grant/chain", look.Primary),
		v.action(v.say.Say("begin person"), "/grant/person", look.Secondary),
		v.action(v.say.Say("begin ask"), "/grant/ask", look.Secondary),
	}
}

func (v *visit) staffActions() look.Actions {
	return look.Actions{
		v.action(v.say.Say("begin paper"), "/grant/paper", look.Primary),
		v.action(v.say.Say("standing title"), "/standing", look.Secondary),
		v.action(v.say.Say("appoint person title"), appointAt, look.Secondary),
		v.action(v.say.Say("stop title"), "/stop", look.Danger),
	}
}

// fewest is how many of a kind the overview shows.
const fewest = 10

// actsForUs are the first of those who act for the visitor's organisation now: by what it has
// given to them, not by what it was given, nor for its clients.
func (v *visit) actsForUs(l *desk.Look) (list []mandate.Mandate, err error) {
	for _, state := range []mandate.State{mandate.Active, mandate.Suspended} {
		some, _, err := l.Mandates(register.Filter{Side: mandate.GrantorSide, Except: mandate.Assignment, State: state}, 0, fewest)
		if err != nil {
			return nil, err
		}
		list = append(list, some...)
	}
	return list, nil
}

// table lists mandates, whether they are from or to the visitor.
func (v *visit) table(list []mandate.Mandate, caption string, empty *look.Empty) (look.Table, error) {
	t := look.Table{Caption: caption, Empty: empty, Columns: []look.Column{
		{Title: v.say.Say("who acts"), Names: true}, {Title: v.say.Say("acts for")}, {Title: v.say.Say("covers")}, {Title: v.say.Say("until")}, {Title: v.say.Say("state")},
	}}
	used, err := v.lastUse(list...)
	if err != nil {
		return t, err
	}
	if used != nil {
		t.Columns = append(t.Columns, look.Column{Title: v.say.Say("last use")})
	}
	for _, m := range list {
		row := look.Row{
			{Text: v.receiver(m), Address: "/mandates/" + idText(m.ID), About: v.say.Say("mandate number", "number", idText(m.ID))},
			{Text: v.party(m.Grantor), Note: v.kindOf(m)}, {Text: strings.Join(v.items(m.Scope), "; ")},
			{Text: v.lastDay(m.Validity.To)}, {State: v.stateOf(m)},
		}
		if used != nil {
			row = append(row, look.Cell{Text: used[m.ID]})
		}
		t.Rows = append(t.Rows, row)
	}
	return t, nil
}

func (v *visit) kindOf(m mandate.Mandate) string { return v.say.Say("kind " + string(m.Kind)) }

// lastUse says of mandates when each was last used, or since when it was not: nobody knows of
// what was before there were records. nil: nobody knows of any.
func (v *visit) lastUse(list ...mandate.Mandate) (map[mandate.ID]string, error) {
	if v.c.LastUse == nil {
		return nil, nil
	}
	ids := make([]mandate.ID, len(list))
	for i, m := range list {
		ids[i] = m.ID
	}
	known, err := v.c.LastUse(v.ctx(), ids)
	if err != nil {
		return nil, err
	}
	said := map[mandate.ID]string{}
	for _, m := range list {
		since := known.Since
		if m.Validity.From.After(since) {
			since = m.Validity.From
		}
		switch last, used := known.Last[m.ID]; {
		case used:
			said[m.ID] = v.say.Moment(last.At)
		case known.Since.IsZero():
			said[m.ID] = v.say.Say("use unknown")
		case since.After(v.now):
			said[m.ID] = v.say.Say("never used")
		default:
			said[m.ID] = v.say.Say("not used since", "date", v.say.Date(since))
		}
	}
	return said, nil
}

// mandates lists all that the organisation has given or received, by number.
func (v *visit) mandates() (a answer, err error) {
	place := v.numbered("/mandates", "")
	err = v.look(func(l *desk.Look) error {
		list, more, err := l.Mandates(register.Filter{}, place.after, perPage)
		if err != nil {
			return err
		}
		t, err := v.table(list, v.say.Say("all mandates"), &look.Empty{Title: v.say.Say("no mandates"), Text: v.say.Say("acts nobody text")})
		t.Paging = place.paging(len(list), lastOf(list).ID, more)
		a.page = look.Page{Title: v.say.Say("place /mandates"), Parts: []look.Part{v.companyActions(), t}}
		return err
	})
	return a, err
}

// mandate is one of them: what it covers, how it stands, what was done and what can be done.
func (v *visit) mandate() (a answer, err error) {
	err = v.look(func(l *desk.Look) error {
		m, err := l.Mandate(v.id())
		if err != nil {
			return err
		}
		d, err := v.fullDeal(l, m)
		if err != nil {
			return err
		}
		about := append(look.Description{{Term: v.say.Say("state"), Value: look.Cell{State: v.stateOf(m)}}}, v.between(m)...)
		about = append(about,
			look.Item{Term: v.say.Say("from"), Value: look.Cell{Text: v.say.Date(m.Validity.From)}},
			look.Item{Term: v.say.Say("until"), Value: look.Cell{Text: v.lastDay(m.Validity.To)}})
		if m.Reference != "" {
			about = append(about, look.Item{Term: v.say.Say("reference"), Value: look.Cell{Text: m.Reference}})
		}
		used, err := v.lastUse(m)
		if err != nil {
			return err
		}
		if used != nil {
			about = append(about, look.Item{Term: v.say.Say("last use"), Value: look.Cell{Text: used[m.ID]}})
		}
		history, err := v.history(l, m.ID)
		if err != nil {
			return err
		}
		parts := append(v.happened(), about)
		parts = append(parts, look.Heading{Text: v.say.Say("in words")})
		parts = append(parts, shown(v.text(d))...)
		parts = append(parts, v.whatCanBeDone(l, m)...)
		if v.isStaff() {
			parts = append(parts, v.partiesOf(m))
		}
		a.page = look.Page{Title: v.say.Say("mandate number", "number", idText(m.ID)), Parts: append(parts, history),
			Crumbs: []look.Link{{Text: v.say.Say("place /"), Address: "/"}}}
		if !v.isStaff() {
			a.page.Crumbs = append(a.page.Crumbs, look.Link{Text: v.say.Say("place /mandates"), Address: "/mandates"})
		}
		return nil
	})
	return a, err
}

// fullDeal is what a mandate says, with the name of the client of an assignment.
func (v *visit) fullDeal(l *desk.Look, m mandate.Mandate) (deal, error) {
	client := ""
	if m.Client != 0 {
		chain, err := l.Mandate(m.Client)
		if err != nil {
			return deal{}, err
		}
		client = v.party(chain.Grantor)
	}
	return v.dealOf(m, client), nil
}

// happened tells what has just been done, for whoever did it.
func (v *visit) happened() []look.Part {
	done := v.r.URL.Query().Get("done")
	if _, known := texts["done "+done]; !known {
		return nil
	}
	return []look.Part{look.Notice{Kind: look.Done, Title: v.say.Say("done " + done)}}
}

// whatCanBeDone are the steps that fit the state of a mandate. Whether this visitor may take
// one is asked when he does.
func (v *visit) whatCanBeDone(l *desk.Look, m mandate.Mandate) (parts []look.Part) {
	at := "/mandates/" + idText(m.ID)
	switch m.State {
	case mandate.Active:
		parts = append(parts, v.form(at+"/suspend", look.Form{Buttons: []look.Button{{Text: v.say.Say("suspend"), Kind: look.Secondary}}}))
	case mandate.Suspended:
		parts = append(parts, v.form(at+"/resume", look.Form{Buttons: []look.Button{{Text: v.say.Say("resume"), Kind: look.Secondary}}}))
	default:
		if m.State.Pending() {
			parts = append(parts, look.Actions{v.action(v.say.Say("see request"), "/requests/"+idText(m.ID), look.Primary)})
		}
		return parts
	}
	var actions look.Actions
	if m.State == mandate.Active && !v.isStaff() { // they do it on paper
		actions = append(actions, v.action(v.say.Say("renew"), at+"/renew", look.Secondary))
	}
	actions = append(actions, v.action(v.say.Say("narrow"), at+"/narrow", look.Secondary), v.action(v.say.Say("revoke"), at+"/revoke", look.Danger))
	if own := m.Grantor.ID == l.Actor().Organisation; own && m.Kind != mandate.Chain {
		actions = append(actions, v.action(v.say.Say("offboard", "name", v.person(m.Person)), "/people/"+idText(m.Person.ID)+"/offboard", look.Secondary))
	}
	if m.Kind == mandate.Chain && m.Intermediary.ID == l.Actor().Organisation {
		actions = append(look.Actions{v.action(v.say.Say("assign"), assignTo(m.ID, 0), look.Primary)}, actions...)
	}
	return append([]look.Part{look.Heading{Text: v.say.Say("can be done")}}, append(parts, actions)...)
}

// history are the steps that were taken.
func (v *visit) history(l *desk.Look, id mandate.ID) (t look.Table, err error) {
	steps, err := l.Steps(id)
	t = look.Table{Caption: v.say.Say("history"), Empty: &look.Empty{Title: v.say.Say("no history")}, Columns: []look.Column{
		{Title: v.say.Say("when"), Names: true}, {Title: v.say.Say("what was done")}, {Title: v.say.Say("by whom")},
	}}
	for _, s := range steps {
		row := look.Row{{Text: v.say.Moment(s.At)}, {Text: v.say.Say("act " + string(s.Act))}, {Text: v.say.Say("side " + string(s.Side))}}
		if len(s.Evidence) > 0 && v.isStaff() {
			row[1].Note = v.say.Count("pieces", len(s.Evidence))
		}
		t.Rows = append(t.Rows, row)
	}
	return t, err
}

// done is where a step leads to.
func (v *visit) done(d desk.Done, what string, err error) (answer, error) {
	if err != nil {
		return answer{}, err
	}
	return goTo("/mandates/" + idText(d.Mandate.ID) + "?done=" + what)
}

func (v *visit) suspend() (answer, error) {
	d, err := v.c.Desk.Suspend(v.ctx(), v.caller(), "page: suspended", v.id(), nil)
	return v.done(d, "suspended", err)
}

func (v *visit) resume() (answer, error) {
	d, err := v.c.Desk.Resume(v.ctx(), v.caller(), "page: resumed", v.id(), nil)
	return v.done(d, "resumed", err)
}

func (v *visit) revoke() (answer, error) {
	d, err := v.c.Desk.Revoke(v.ctx(), v.caller(), "page: revoked", v.id(), nil)
	return v.done(d, "revoked", err)
}

// askRevoke asks once more: what ends has ended for good.
func (v *visit) askRevoke() (answer, error) {
	m, err := v.own()
	switch {
	case err != nil:
		return answer{}, err
	case m.State.Ended() || m.State.Pending():
		return answer{}, mandate.ErrNotInForce
	}
	at := "/mandates/" + idText(m.ID)
	consequences := []string{v.say.Say("revoke now", "who", v.receiver(m)), v.say.Say("revoke good"), v.say.Say("revoke instead")}
	if m.Kind == mandate.Chain {
		consequences = append(consequences, v.say.Say("revoke chain", "who", v.receiver(m)))
	}
	return answer{page: look.Page{Title: v.say.Say("revoke title"), Parts: []look.Part{look.Confirm{
		Title: v.say.Say("revoke sure"), Consequences: consequences,
		About: append(v.between(m), look.Item{Term: v.say.Say("covers"), Value: look.Cell{Text: strings.Join(v.items(m.Scope), "; ")}}),
		Form:  v.form(at+"/revoke", look.Form{Buttons: []look.Button{{Text: v.say.Say("revoke")}}, Cancel: v.cancel(at)}),
	}}}}, nil
}

// between says who acts for whom by a mandate.
func (v *visit) between(m mandate.Mandate) look.Description {
	return look.Description{
		{Term: v.say.Say("who acts"), Value: look.Cell{Text: v.receiver(m)}},
		{Term: v.say.Say("acts for"), Value: look.Cell{Text: v.party(m.Grantor), Note: v.kindOf(m)}},
	}
}

func (v *visit) askNarrow() (answer, error) {
	m, err := v.own()
	if err != nil {
		return answer{}, err
	}
	return v.narrowPage(m, lastDayInput(m.Validity.To), m.Scope, nil)
}

func (v *visit) narrowPage(m mandate.Mandate, to look.DateInput, kept mandate.Scope, f faults) (answer, error) {
	at := "/mandates/" + idText(m.ID)
	return page(look.Page{Title: v.say.Say("narrow title"), Parts: []look.Part{
		look.Paragraph{Text: v.say.Say("narrow text", "who", v.receiver(m))},
		v.form(at+"/narrow", look.Form{Parts: v.lessFields(m, to, kept, f), Buttons: []look.Button{{Text: v.say.Say("narrow do")}},
			Cancel: v.cancel(at)}),
	}}, f)
}

// lessFields let somebody keep a part of a mandate.
func (v *visit) lessFields(m mandate.Mandate, to look.DateInput, kept mandate.Scope, f faults) []look.Part {
	c := v.c.Catalogue()
	options := look.CheckInput{}
	for _, i := range m.Scope {
		label := v.say.Say("at level", "what", v.item(c, i), "level", v.level(i.Level))
		options = append(options, look.Option{Value: i.String(), Label: label, Chosen: slices.Contains(kept, i)})
	}
	return []look.Part{
		look.Field{Name: "services", Label: v.say.Say("keep services"), Hint: v.say.Say("keep hint"), Error: f["services"], Input: options},
		look.Field{Name: "to", Label: v.say.Say("to"), Hint: v.say.Say("keep to hint"), Error: f["to"], Input: to},
	}
}

// readLess reads what is to be kept of a mandate. What is as it was stays zero.
func (v *visit) readLess(m mandate.Mandate, f faults) (n desk.Narrowing, day look.DateInput, kept mandate.Scope) {
	for _, i := range m.Scope {
		for _, text := range v.r.PostForm["services"] {
			if text == i.String() {
				kept = append(kept, i)
			}
		}
	}
	if len(kept) == 0 {
		f["services"] = v.say.Say("wrong nothing left")
	}
	if len(kept) < len(m.Scope) {
		n.Scope = kept
	}
	day = look.ReadDate(v.r.PostForm, "to")
	if to := v.readLastDay(day, f); !to.IsZero() && v.lastDay(to) != v.lastDay(m.Validity.To) {
		n.To = to
	}
	return n, day, kept
}

func (v *visit) narrow() (answer, error) {
	m, err := v.own()
	if err != nil {
		return answer{}, err
	}
	f := faults{}
	n, day, kept := v.readLess(m, f)
	var d desk.Done
	if len(f) == 0 {
		if d, err = v.c.Desk.Narrow(v.ctx(), v.caller(), "page: narrowed", m.ID, n, nil); err == nil {
			return v.done(d, "narrowed", nil)
		}
		if f = v.beside(err, "services", "to"); f == nil {
			return answer{}, err
		}
	}
	return v.narrowPage(m, day, kept, f)
}

// own is the mandate in the address.
func (v *visit) own() (m mandate.Mandate, err error) {
	err = v.look(func(l *desk.Look) (err error) { m, err = l.Mandate(v.id()); return err })
	return m, err
}
