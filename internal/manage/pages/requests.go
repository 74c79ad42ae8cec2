package pages

import (
	"slices"

	"github.com/mandated/mandated/internal/desk"
	"github.com/mandated/mandated/internal/look"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
)

// signed tells whether the visitor has signed already, and others must.
func (v *visit) signed(r mandate.Request) bool {
	return slices.ContainsFunc(r.Signed, func(s mandate.Signature) bool { return s.By == v.session.role.Appointment })
}

// requests lists those that wait for the visitor, and those that wait for somebody else.
func (v *visit) requests() (a answer, err error) {
	err = v.look(func(l *desk.Look) error {
		ours, err := v.requestTable(l, false, v.numbered("/requests", ""), look.Table{Caption: v.say.Say("requests ours"), Empty: &look.Empty{Title: v.say.Say("requests none")}})
		if err != nil {
			return err
		}
		others, err := v.requestTable(l, true, v.numbered("/requests", "others-"), look.Table{Caption: v.say.Say("requests others"), Empty: &look.Empty{Title: v.say.Say("requests none others")}})
		a.page = look.Page{Title: v.say.Say("place /requests"), Parts: []look.Part{ours, others}}
		return err
	})
	return a, err
}

func (v *visit) requestTable(l *desk.Look, others bool, place numbered, t look.Table) (look.Table, error) {
	list, more, err := l.ToAnswer(others, place.after, perPage)
	t.Columns = []look.Column{
		{Title: v.say.Say("request"), Names: true}, {Title: v.say.Say("who acts")}, {Title: v.say.Say("acts for")}, {Title: v.say.Say("answer before")}, {Title: v.say.Say("state")},
	}
	for _, r := range list {
		t.Rows = append(t.Rows, look.Row{
			{Text: v.say.Say("request number", "number", idText(r.ID)), Address: "/requests/" + idText(r.ID)},
			{Text: v.receiver(r.Mandate)}, {Text: v.party(r.Grantor)}, {Text: v.say.Date(r.Expires)}, {State: v.stateOf(r.Mandate)},
		})
	}
	t.Paging = place.paging(len(list), lastOf(list).ID, more)
	return t, err
}

// request is one of them, with what can be answered to it.
func (v *visit) request() (a answer, err error) {
	err = v.look(func(l *desk.Look) error {
		r, err := l.Request(v.id())
		if err != nil {
			return err
		}
		a, err = v.requestPage(l, r, lastDayInput(r.Validity.To), r.Scope, nil)
		return err
	})
	return a, err
}

func (v *visit) requestPage(l *desk.Look, r mandate.Request, to look.DateInput, kept mandate.Scope, f faults) (answer, error) {
	d, err := v.askedDeal(l, r.Mandate)
	if err != nil {
		return answer{}, err
	}
	side, err := l.Actor().Side(r.Mandate)
	if err != nil {
		return answer{}, err
	}
	at := "/requests/" + idText(r.ID)
	lines := v.text(d)
	parts := append([]look.Part{look.Description{
		{Term: v.say.Say("state"), Value: look.Cell{State: v.stateOf(r.Mandate)}},
		{Term: v.say.Say("asked by"), Value: look.Cell{Text: v.say.Say("side " + string(r.AskedBy))}},
		{Term: v.say.Say("answer before"), Value: look.Cell{Text: v.say.Date(r.Expires)}},
	}, look.Heading{Text: v.say.Say("in words")}}, shown(lines)...)
	if r.State.Pending() && r.HandsOver != 0 {
		parts = append(parts, look.Notice{Title: v.say.Say("hands over")})
	}
	late := r.State.Pending() && !v.now.Before(r.Expires)
	switch {
	case late:
		parts = append(parts, look.Notice{Title: v.say.Say("wrong request expired")})
	case !r.State.Pending() || r.WaitsFor() != side:
	case v.signed(r) && side == mandate.RegisterSide:
		parts = append(parts, look.Notice{Title: v.say.Say("recorded waits")})
	case v.signed(r):
		parts = append(parts, look.Notice{Title: v.say.Say("signed waits")})
	default:
		form := look.Form{Hidden: []look.Hidden{{Name: "text", Value: sumOf(v.consent(lines))}}, Buttons: []look.Button{{Text: v.say.Say("accept")}}}
		if side == mandate.RegisterSide {
			form.Hidden = append(form.Hidden, look.Hidden{Name: "whole", Value: "1"})
			parts = append(parts, v.evidence(l, r)...)
		} else {
			form.Parts = v.lessFields(r.Mandate, to, kept, f)
			if len(f) == 0 { // what is wrong does not hide
				form.Parts = []look.Part{look.Details{Summary: v.say.Say("accept less"), Parts: form.Parts}}
			}
		}
		parts = append(parts, look.Heading{Text: v.say.Say("answer")}, v.form(at+"/accept", form))
	}
	refuse := ""
	switch {
	case !r.State.Pending():
		parts = append(parts, look.Notice{Title: v.say.Say("request over"), Links: []look.Link{{Text: v.say.Say("mandate number", "number", idText(r.ID)), Address: "/mandates/" + idText(r.ID)}}})
	case late:
	case side == r.AskedBy:
		refuse = v.say.Say("withdraw")
	case side != mandate.RegisterSide:
		refuse = v.say.Say("refuse")
	}
	if refuse != "" {
		parts = append(parts, v.form(at+"/refuse", look.Form{Buttons: []look.Button{{Text: refuse, Kind: look.Secondary}}}))
	}
	return page(look.Page{Title: v.say.Say("request number", "number", idText(r.ID)), Address: at, Parts: parts,
		Crumbs: []look.Link{{Text: v.say.Say("place /"), Address: "/"}, {Text: v.say.Say("place /requests"), Address: "/requests"}}}, f)
}

// evidence is what a request of the register's staff rests on, for who must look at it, too.
func (v *visit) evidence(l *desk.Look, r mandate.Request) []look.Part {
	steps, err := l.Steps(r.ID)
	if err != nil || len(steps) == 0 {
		return nil
	}
	return []look.Part{v.paperTable(steps[0].Evidence), look.Notice{Title: v.say.Say("four eyes")}}
}

// accept agrees to a request. Whoever wants less first sees the text of that, and agrees to it.
func (v *visit) accept() (a answer, err error) {
	f := faults{}
	var n desk.Narrowing
	var consent register.Consent
	err = v.look(func(l *desk.Look) error {
		r, err := l.Request(v.id())
		if err != nil {
			return err
		}
		var day look.DateInput
		var kept mandate.Scope
		if v.said("whole") == "" {
			n, day, kept = v.readLess(r.Mandate, f)
		}
		if len(f) > 0 {
			a, err = v.requestPage(l, r, day, kept, f)
			return err
		}
		d, err := v.askedDeal(l, n.Of(r.Mandate, v.now))
		if err != nil {
			return err
		}
		lines := v.text(d)
		if consent = v.consent(lines); v.said("text") != sumOf(consent) {
			a = v.lessPage(r, lines, day, kept)
			f["text"] = "to be read first"
		}
		return nil
	})
	if err != nil || len(f) > 0 {
		return a, err
	}
	d, err := v.c.Desk.Accept(v.ctx(), v.caller(), "page: accepted", v.id(), n, consent)
	if f := v.beside(err, "to", "services"); f != nil {
		return v.refusedAnswer(f)
	}
	return v.done(d, string(d.Mandate.State), err)
}

// refusedAnswer shows a request again with what is wrong with the answer.
func (v *visit) refusedAnswer(f faults) (a answer, err error) {
	err = v.look(func(l *desk.Look) error {
		r, err := l.Request(v.id())
		if err != nil {
			return err
		}
		_, day, kept := v.readLess(r.Mandate, faults{})
		a, err = v.requestPage(l, r, day, kept, f)
		return err
	})
	return a, err
}

// lessPage is what is left of a request, in words, to be agreed to.
func (v *visit) lessPage(r mandate.Request, lines []string, day look.DateInput, kept mandate.Scope) answer {
	at := "/requests/" + idText(r.ID)
	hidden := []look.Hidden{{Name: "text", Value: sumOf(v.consent(lines))}, {Name: "to-day", Value: day.Day}, {Name: "to-month", Value: day.Month}, {Name: "to-year", Value: day.Year}}
	for _, i := range kept {
		hidden = append(hidden, look.Hidden{Name: "services", Value: i.String()})
	}
	return answer{page: look.Page{Title: v.say.Say("check"), Address: at, Parts: append(shown(lines),
		v.form(at+"/accept", look.Form{Hidden: hidden, Buttons: []look.Button{{Text: v.say.Say("accept this")}}, Cancel: &look.Link{Text: v.say.Say("back"), Address: at}}))}}
}

func (v *visit) refuse() (answer, error) {
	d, err := v.c.Desk.Refuse(v.ctx(), v.caller(), "page: refused", v.id())
	return v.done(d, string(d.Mandate.State), err)
}
