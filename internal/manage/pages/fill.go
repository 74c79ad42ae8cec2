package pages

import (
	"context"
	"time"

	"github.com/mandated/mandated/internal/desk"
	"github.com/mandated/mandated/internal/look"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
)

// filling is the work of assigning to a team what it lacks, as somebody has agreed to it. What
// lacks is found anew for each part.
type filling struct {
	Team    mandate.TeamID     `json:"t"`
	Members []mandate.PersonID `json:"p"` // whom the consent names
	Consent register.Consent   `json:"c"`
	Of      int                `json:"n"` // that lacked when it began: nobody has agreed to more
	After   register.Gap       `json:"a"`
	Made    int                `json:"m"`
	Refused []refusedGap       `json:"r"` // the first of them
	Others  int                `json:"o"` // that were refused, too
	Over    bool               `json:"v"`
}

func (f *filling) refused() int { return len(f.Refused) + f.Others }
func (f *filling) done() int    { return f.Made + f.refused() }
func (f *filling) over() bool   { return f.Over }

// refusal is a client's mandate that could not be assigned, and the text that says why.
type refusal struct {
	Client mandate.ID `json:"c"`
	Why    string     `json:"w"`
}

// refusedGap is one that could not be assigned to a member of a team.
type refusedGap struct {
	refusal
	Person mandate.PersonID `json:"p"`
}

const mostRefused = 100 // that are shown

// fillText is what somebody agrees to who lets a team have what it lacks.
func (v *visit) fillText() (team desk.TeamView, lines []string, err error) {
	err = v.look(func(l *desk.Look) (err error) {
		if team, err = l.Team(v.teamID()); err != nil {
			return err
		}
		office := v.party(team.Organisation)
		lines = []string{v.say.Say("fill agree", "office", office, "team", team.Name)}
		for _, p := range team.Members {
			lines = append(lines, "- "+v.person(p))
		}
		lines = append(lines, v.say.Say("fill each", "office", office))
		lines = append(lines, v.endsSooner(l.Actor(), mandate.AddYears(v.now, mandate.MaxYears))...)
		lines = append(lines, v.say.Count("fill many", team.Lacking), v.say.Say("deal stop"))
		return nil
	})
	return team, lines, err
}

// endsSooner says that what was to last until a moment ends with the appointment of who grants
// it, if it does.
func (v *visit) endsSooner(who mandate.Actor, to time.Time) []string {
	if end := who.Reach(to); end.Before(to) {
		return []string{v.say.Say("deal sooner", "until", v.lastDay(end))}
	}
	return nil
}

func (v *visit) askFill() (answer, error) {
	team, lines, err := v.fillText()
	if err != nil {
		return answer{}, err
	}
	if team.Lacking == 0 {
		return goTo(teamAt(team.ID, ""))
	}
	at := teamAt(team.ID, "/fill")
	return answer{page: look.Page{Title: v.say.Say("fill title", "name", team.Name), Address: at, Parts: append(shown(lines), v.form(at, look.Form{
		Hidden: []look.Hidden{{Name: "text", Value: sumOf(v.consent(lines))}}, Buttons: []look.Button{{Text: v.say.Say("fill team")}}, Cancel: v.cancel(teamAt(team.ID, "")),
	}))}}, nil
}

func (v *visit) beginFill() (answer, error) {
	team, lines, err := v.fillText()
	if err != nil {
		return answer{}, err
	}
	f := &filling{Team: team.ID, Members: team.Numbers(), Consent: v.consent(lines), Of: team.Lacking}
	if v.said("text") != sumOf(f.Consent) {
		return v.shownAnew(v.askFill())
	}
	return v.beginWork(teamAt(team.ID, "/fill"), f)
}

// fill does the next part, and tells how far it is.
func (v *visit) fill() (answer, error) {
	var f filling
	if err := v.goOn(v.r.URL.Path, &f); err != nil {
		return answer{}, err
	}
	return v.fillPage(&f)
}

func (f *filling) part(ctx context.Context, v *visit) error {
	done, err := v.c.Desk.FillTeam(ctx, v.caller(), "page: a team", f.Team, f.Members, f.After, min(atOnce, f.Of-f.done()), f.Consent)
	if err == nil {
		v.came(f, done)
	}
	return err
}

// came adds up what a part has brought.
func (v *visit) came(f *filling, done desk.Filled) {
	f.Made, f.After = f.Made+done.Made, done.Next
	for _, r := range done.Refused {
		if len(f.Refused) == mostRefused {
			f.Others++
			continue
		}
		f.Refused = append(f.Refused, refusedGap{v.refusal(r), r.Person})
	}
	f.Over = !done.More || f.done() >= f.Of
}

func (v *visit) refusal(r desk.Refusal) refusal { return refusal{r.Client, v.whyNot(r.Err)} }

// whyNot is the text that says why something of many was refused.
func (v *visit) whyNot(err error) string {
	e, known := explained(err)
	if !known {
		v.note(err, e, known)
	}
	return e.name
}

func (v *visit) fillPage(f *filling) (a answer, err error) {
	far, back := v.progress(v.say.Say("fill progress"), f.done(), f.Of, f), v.action(v.say.Say("to team"), teamAt(f.Team, ""), look.Secondary)
	if !f.over() {
		return v.busy(v.say.Say("fill busy"), far, back), nil
	}
	parts := []look.Part{far}
	made := look.Notice{Kind: look.Done, Title: v.say.Count("fill made", f.Made)}
	if n := f.refused(); n > 0 {
		made.Kind, made.Text = look.Warning, v.say.Count("fill refused", n)
	}
	err = v.look(func(l *desk.Look) error {
		team, err := l.Team(f.Team)
		if err != nil {
			return err
		}
		if team.Lacking > f.refused() {
			made.Kind, made.Items = look.Warning, []string{v.say.Say("fill grown")}
		}
		parts = append(parts, made)
		if len(f.Refused) > 0 {
			t, err := v.refusedTable(l, team, f.Refused)
			parts = append(parts, t)
			return err
		}
		return nil
	})
	return answer{page: look.Page{Title: v.say.Say("fill over"), Parts: append(parts, look.Actions{back})}}, err
}

// refusedTable says for which client and whom something could not be assigned, and why.
func (v *visit) refusedTable(l *desk.Look, team desk.TeamView, list []refusedGap) (look.Table, error) {
	t := look.Table{Caption: v.say.Say("refused"), Columns: []look.Column{{Title: v.say.Say("client"), Names: true}, {Title: v.say.Say("person")}, {Title: v.say.Say("why not")}}}
	names := map[mandate.PersonID]string{}
	for _, p := range team.Members {
		names[p.ID] = v.person(p)
	}
	for _, r := range list {
		name := names[r.Person]
		if name == "" {
			name = v.say.Say("person number", "number", idText(r.Person))
		}
		client, err := v.refusedClient(l, r.refusal, name)
		if err != nil {
			return t, err
		}
		t.Rows = append(t.Rows, look.Row{client, {Text: name}, {Text: v.say.Say(r.Why)}})
	}
	return t, nil
}

// refusedClient names the client of a refusal. about tells two of one client apart.
func (v *visit) refusedClient(l *desk.Look, r refusal, about string) (look.Cell, error) {
	m, err := l.Mandate(r.Client)
	number := v.say.Say("mandate number", "number", idText(r.Client))
	if about != "" {
		number += ", " + about
	}
	return look.Cell{Text: v.party(m.Grantor), Address: "/mandates/" + idText(r.Client), About: number}, err
}
