package pages

import (
	"encoding/hex"
	"errors"

	"github.com/mandated/mandated/internal/desk"
	"github.com/mandated/mandated/internal/look"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/mandate"
)

// The pages of the register's own staff: what comes on paper, and how companies stand.

// paper is a piece of evidence that a form has fields for, whose names begin with that of the piece.
type paper struct {
	field    string
	kind     mandate.EvidenceKind
	optional bool
}

// papers are those of a mandate on paper.
var papers = []paper{{"form", mandate.SignedForm, false}, {"extract", mandate.Extract, false}, {"seen", mandate.Identified, true}, {"resolution", mandate.Resolution, true}}

// readPaper reads who receives the mandate, and on what it rests. Whether that is enough is
// judged when it is recorded.
func (v *visit) readPaper(d *draft, wrong faults) {
	d.Office = ""
	if v.said("office") != "" {
		d.Office = v.readKvK("office", wrong)
	}
	d.Papers = v.readPapers(papers, wrong)
}

// readPapers reads what is told of each piece of evidence.
func (v *visit) readPapers(papers []paper, wrong faults) (list []mandate.Evidence) {
	for _, p := range papers {
		e := mandate.Evidence{Kind: p.kind, Where: v.said(p.field + "-where")}
		at, err := look.ReadDate(v.r.PostForm, p.field).At()
		switch {
		case errors.Is(err, look.ErrNoDate) && e.Where == "" && p.optional:
			continue
		case err != nil:
			wrong[p.field] = v.say.Say("wrong paper")
		case at.After(v.now):
			wrong[p.field] = v.say.Say("wrong paper future")
		}
		if e.Where == "" || len(e.Where) > 255 {
			wrong[p.field+"-where"] = v.say.Say("wrong paper where")
		}
		e.Dated = at.UTC()
		if sum := v.said(p.field + "-sum"); sum != "" {
			raw, err := hex.DecodeString(sum)
			if err != nil || len(raw) != len(e.SHA256) {
				wrong[p.field+"-sum"] = v.say.Say("wrong paper sum")
			} else {
				e.SHA256 = [32]byte(raw)
			}
		}
		list = append(list, e)
	}
	return list
}

// paperFields ask for the pieces of evidence, with what is known of them, below a text of that name.
func (v *visit) paperFields(text string, papers []paper, known []mandate.Evidence, f faults) (list []look.Part) {
	list = append(list, look.Heading{Text: v.say.Say("papers")}, look.Paragraph{Text: v.say.Say(text)})
	for _, p := range papers {
		var e mandate.Evidence
		for _, k := range known {
			if k.Kind == p.kind {
				e = k
			}
		}
		day, sum, name := look.ReadDate(v.r.PostForm, p.field), v.said(p.field+"-sum"), v.say.Say("evidence "+string(p.kind))
		if !e.Dated.IsZero() {
			day = look.DateOf(e.Dated)
		}
		if e.SHA256 != [32]byte{} {
			sum = hex.EncodeToString(e.SHA256[:])
		}
		list = append(list, look.Heading{Text: name, Sub: true},
			look.Field{Name: p.field, Label: v.say.Say("paper dated", "paper", name), Optional: p.optional, Error: f[p.field], Input: day},
			look.Field{Name: p.field + "-where", Label: v.say.Say("paper where", "paper", name), Optional: p.optional, Error: f[p.field+"-where"], Input: look.TextInput{Value: e.Where, MaxLength: 255}},
			look.Field{Name: p.field + "-sum", Label: v.say.Say("paper sum", "paper", name), Optional: true, Error: f[p.field+"-sum"], Input: look.TextInput{Value: sum, MaxLength: 64}})
	}
	return list
}

// paperTable lists pieces of evidence.
func (v *visit) paperTable(list []mandate.Evidence) look.Table {
	t := look.Table{Caption: v.say.Say("papers"), Columns: []look.Column{{Title: v.say.Say("paper kind"), Names: true}, {Title: v.say.Say("paper date")}, {Title: v.say.Say("paper place")}}}
	for _, e := range list {
		t.Rows = append(t.Rows, look.Row{{Text: v.say.Say("evidence " + string(e.Kind))}, {Text: v.say.Date(e.Dated)}, {Text: e.Where}})
	}
	return t
}

var (
	legalForms = []mandate.LegalForm{mandate.FormUnknown, mandate.SoleProprietorship, mandate.Partnership, mandate.LegalPerson, mandate.PublicBody}
	standings  = []mandate.Standing{mandate.Normal, mandate.Moratorium, mandate.Bankrupt, mandate.Dissolved, mandate.Deregistered}
)

// asItIs is the choice to change nothing of a field: who knows one thing of a company leaves the
// others as they are.
const asItIs = "as-it-is"

// askStanding asks it of whichever company, or of the one with that number in the register.
func (v *visit) askStanding() (answer, error) {
	of := v.r.URL.Query().Get("of")
	if of == "" {
		return v.standingPage("", nil)
	}
	var e desk.Everything
	err := v.look(func(l *desk.Look) (err error) {
		e, err = l.Everything(desk.Whose{Organisation: mandate.OrganisationID(parseID(of))})
		return err
	})
	if err != nil {
		return answer{}, err
	}
	return v.standingPage(e.Company.KvK.Text(), nil)
}

// entryInput lets somebody choose what the trade register says, or that it stays as it is.
func entryInput[T ~string](v *visit, field string, all []T) look.SelectInput {
	list := look.SelectInput{{Value: asItIs, Label: v.say.Say("as it is")}}
	chosen, changes := v.entrySaid(field)
	for _, one := range all {
		list = append(list, look.Option{Value: string(one), Label: v.say.Say(field + " " + string(one)), Chosen: changes && chosen == string(one)})
	}
	return list
}

// entrySaid is what somebody chose, and whether that changes anything.
func (v *visit) entrySaid(field string) (chosen string, changes bool) {
	chosen = v.said(field)
	return chosen, v.r.PostForm.Has(field) && chosen != asItIs
}

func (v *visit) standingPage(kvk string, f faults) (answer, error) {
	return page(look.Page{Title: v.say.Say("standing title"), Parts: append(v.happened(), look.Paragraph{Text: v.say.Say("standing text")}, v.form("/standing", look.Form{
		Parts: []look.Part{
			look.Field{Name: "kvk", Label: v.say.Say("kvk"), Hint: v.say.Say("kvk hint"), Error: f["kvk"], Input: kvkInput(kvk)},
			look.Field{Name: "form", Label: v.say.Say("legal form"), Error: f["form"], Input: entryInput(v, "form", legalForms)},
			look.Field{Name: "standing", Label: v.say.Say("standing label"), Error: f["standing"], Input: entryInput(v, "standing", standings)},
			v.whyField(f),
		},
		Buttons: []look.Button{{Text: v.say.Say("write down")}}, Cancel: v.cancel("/"),
	}))}, f)
}

func (v *visit) putStanding() (answer, error) {
	f := faults{}
	company, _ := etoegang.ParseKvKNumber(v.readKvK("kvk", f))
	if v.said("why") == "" {
		f["why"] = v.say.Say("wrong why")
	}
	form, otherForm := v.entrySaid("form")
	standing, otherStanding := v.entrySaid("standing")
	if !otherForm && !otherStanding {
		f["standing"] = v.say.Say("wrong nothing written")
	}
	if len(f) > 0 {
		return v.standingPage(v.said("kvk"), f)
	}
	_, err := v.c.Desk.PutEntry(v.ctx(), v.caller(), v.said("why"), company, func(e *mandate.Entry) {
		if otherForm {
			e.Form = mandate.LegalForm(form)
		}
		if otherStanding {
			e.Standing = mandate.Standing(standing)
		}
	})
	if f := v.beside(err, "kvk", "form", "why"); f != nil {
		return v.standingPage(v.said("kvk"), f)
	}
	if err != nil {
		return answer{}, err
	}
	return goTo("/standing?done=written")
}
