package pages

import (
	"time"

	"github.com/mandated/mandated/internal/desk"
	"github.com/mandated/mandated/internal/look"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
)

// filling is the work of assigning to a team what it lacks, as somebody has agreed to it. It is
// done in parts: with each look at its page one more. Whoever leaves the page has lost nothing,
// since what lacks is found anew.
type filling struct {
	Team    mandate.TeamID   `json:"t"`
	Consent register.Consent `json:"c"`
	Of      int              `json:"n"` // that lacked when it began
	After   register.Gap     `json:"a"`
	Made    int              `json:"m"`
	Refused []refusedGap     `json:"r"` // the first of them
	Others  int              `json:"o"` // that were refused, too
	Over    bool             `json:"v"`
}

// refusedGap is what could not be assigned, and the text that says why.
type refusedGap struct {
	Client mandate.ID       `json:"c"`
	Person mandate.PersonID `json:"p"`
	Why    string           `json:"w"`
}

const (
	atOnce      = 200 // assignments in one change: others have their turn in between
	mostRefused = 100 // that are shown
)

func (v *visit) placeOfFilling(name string) string { return "filling " + v.holder() + " " + name }

// fillText is what somebody agrees to who lets a team have what it lacks.
func (v *visit) fillText(team desk.TeamView) []string {
	office := v.party(team.Organisation)
	lines := []string{v.say.Say("fill agree", "office", office, "team", team.Name)}
	for _, p := range team.Members {
		lines = append(lines, "- "+v.person(p))
	}
	return append(lines, v.say.Say("fill each", "office", office), v.say.Count("fill many", team.Lacking), v.say.Say("deal stop"))
}

func (v *visit) askFill() (answer, error) {
	team, err := v.ownTeam()
	if err != nil {
		return answer{}, err
	}
	if team.Lacking == 0 {
		return goTo(teamAt(team.ID, ""))
	}
	lines, at := v.fillText(team), teamAt(team.ID, "/fill")
	return answer{page: look.Page{Title: v.say.Say("fill title", "name", team.Name), Address: at, Parts: append(shown(lines), v.form(at, look.Form{
		Hidden: []look.Hidden{{Name: "text", Value: sumOf(v.consent(lines))}}, Buttons: []look.Button{{Text: v.say.Say("fill team")}}, Cancel: v.cancel(teamAt(team.ID, "")),
	}))}}, nil
}

func (v *visit) beginFill() (answer, error) {
	team, err := v.ownTeam()
	if err != nil {
		return answer{}, err
	}
	f := filling{Team: team.ID, Consent: v.consent(v.fillText(team)), Of: team.Lacking}
	if v.said("text") != sumOf(f.Consent) {
		return v.shownAnew(v.askFill())
	}
	name := newName()
	if err := v.keep.put(v.ctx(), v.placeOfFilling(name), f, v.session.Until); err != nil {
		return answer{}, err
	}
	return goTo(teamAt(team.ID, "/fill/"+name))
}

// fill does the next part, and tells how far it is. That a look does something is safe here:
// its address is known only to the one who has agreed to just this.
func (v *visit) fill() (answer, error) {
	var f filling
	place := v.placeOfFilling(v.r.PathValue("filling"))
	if err := v.keep.look(v.ctx(), place, &f); err != nil {
		return answer{}, err
	}
	if !f.Over {
		done, err := v.c.Desk.FillTeam(v.ctx(), v.caller(), "page: a team", f.Team, f.After, atOnce, f.Consent)
		if err != nil {
			return answer{}, err
		}
		v.came(&f, done)
		if err := v.keep.put(v.ctx(), place, f, v.session.Until); err != nil {
			return answer{}, err
		}
	}
	return v.fillPage(f)
}

// came adds up what a part has brought.
func (v *visit) came(f *filling, done desk.Filled) {
	f.Made, f.After, f.Over = f.Made+done.Made, done.Next, !done.More
	for _, r := range done.Refused {
		if len(f.Refused) == mostRefused {
			f.Others++
			continue
		}
		f.Refused = append(f.Refused, refusedGap{r.Client, r.Person, v.whyNot(r.Err)})
	}
}

// whyNot is the text that says why something of many was refused.
func (v *visit) whyNot(err error) string {
	e, known := explained(err)
	if !known {
		v.note(err, e, known)
	}
	return e.name
}

func (v *visit) fillPage(f filling) (a answer, err error) {
	refused := len(f.Refused) + f.Others
	parts := []look.Part{look.Progress{What: v.say.Say("fill progress"), Done: int64(f.Made + refused), Of: int64(f.Of), Every: 2 * time.Second, Finished: f.Over}}
	back := look.Actions{v.action(v.say.Say("to team"), teamAt(f.Team, ""), look.Secondary)}
	if !f.Over {
		return answer{page: look.Page{Title: v.say.Say("fill busy"), Parts: append(parts, back)}}, nil
	}
	made := look.Notice{Kind: look.Done, Title: v.say.Count("fill made", f.Made)}
	if refused == 0 {
		parts = append(parts, made)
	} else {
		made.Kind, made.Text = look.Warning, v.say.Count("fill refused", refused)
		t, err := v.refusedTable(f)
		if err != nil {
			return a, err
		}
		parts = append(parts, made, t)
	}
	return answer{page: look.Page{Title: v.say.Say("fill over"), Parts: append(parts, back)}}, nil
}

// refusedTable says for which client and whom something could not be assigned, and why.
func (v *visit) refusedTable(f filling) (t look.Table, err error) {
	t = look.Table{Caption: v.say.Say("refused"), Columns: []look.Column{{Title: v.say.Say("client"), Names: true}, {Title: v.say.Say("person")}, {Title: v.say.Say("why not")}}}
	err = v.look(func(l *desk.Look) error {
		team, err := l.Team(f.Team)
		names := map[mandate.PersonID]string{}
		for _, p := range team.Members {
			names[p.ID] = v.person(p)
		}
		for _, r := range f.Refused {
			if err != nil {
				break
			}
			var m mandate.Mandate
			m, err = l.Mandate(r.Client)
			name := names[r.Person]
			if name == "" {
				name = v.say.Say("person number", "number", idText(r.Person))
			}
			t.Rows = append(t.Rows, look.Row{{Text: v.party(m.Grantor), Address: "/mandates/" + idText(r.Client), About: v.say.Say("mandate number", "number", idText(r.Client)) + ", " + name}, {Text: name}, {Text: v.say.Say(r.Why)}})
		}
		return err
	})
	return t, err
}
