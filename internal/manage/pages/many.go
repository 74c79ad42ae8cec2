package pages

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/mandated/mandated/internal/desk"
	"github.com/mandated/mandated/internal/intake"
	"github.com/mandated/mandated/internal/intake/sheet"
	"github.com/mandated/mandated/internal/look"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
)

// An intermediary asks many clients at once: a list of them, then for what and until when as
// for one, then a rehearsal that says beside each line what will become of it.

const (
	manyAt    = "/clients/many"
	mostLines = 1000 // of a list; whoever has more cuts it in pieces
)

// listed is a line of a list: what it says, or what is wrong with it.
type listed struct {
	Line  int       `json:"l"`
	KvK   string    `json:"k"`
	Name  string    `json:"n"`
	To    time.Time `json:"t"` // zero: as is chosen on the page
	Scope string    `json:"s"` // "": as is chosen on the page
	Wrong look.Text `json:"w"`

	Follows mandate.ID `json:"f"` // the mandate that is to last longer; 0: a new one
}

// The columns of a list.
const (
	columnKvK   = "kvk"
	columnName  = "name"
	columnScope = "scope"
	columnTo    = "last day"
)

var listColumns = []sheet.Column{
	{Name: columnKvK, Also: []string{"kvk-nummer", "kvk number", "kvkGever"}, Needed: true},
	{Name: columnName, Also: []string{"naam", "naamGever"}},
	{Name: columnScope, Also: []string{"bereik"}},
	{Name: columnTo, Also: []string{"laatste dag", "tot en met"}},
}

func (v *visit) askList() (answer, error) { return v.listPage(nil) }

func (v *visit) listPage(f faults) (answer, error) {
	return page(look.Page{Title: v.say.Say("begin many"), Address: manyAt, Parts: []look.Part{
		v.steps(1), look.Paragraph{Text: v.say.Say("list text")},
		look.List{Items: []string{v.say.Say("list kvk"), v.say.Say("list name"), v.say.Say("list last day"), v.say.Say("list scope")}},
		v.form(manyAt, look.Form{Cancel: v.cancel("/clients"), Buttons: []look.Button{{Text: v.say.Say("next")}}, Parts: []look.Part{
			look.Field{Name: "list", Label: v.say.Say("list"), Hint: v.say.Say("list hint"), Error: f["list"], Input: look.FileInput{Accept: ".csv,.txt,text/csv,text/plain"}},
		}}),
	}}, f)
}

// takeList reads a list. What is wrong with the file is said beside the field, what is wrong
// with a line later beside that line.
func (v *visit) takeList() (answer, error) {
	in, err := v.upload()
	if err != nil {
		return answer{}, err
	}
	if in == nil {
		return v.listPage(faults{"list": v.say.Say("wrong no list")})
	}
	defer func() { _ = in.Close() }()
	d := draft{Kind: askMany, id: newName()}
	d.Lines, err = readLines(in)
	problem, said := errors.AsType[*sheet.Problem](err)
	switch {
	case said:
		return v.listPage(faults{"list": problem.In(sheet.Language(v.say.Language))})
	case err != nil:
		return answer{}, err
	case len(d.Lines) == 0:
		return v.listPage(faults{"list": v.say.Say("wrong no list")})
	case len(d.Lines) > mostLines:
		return v.listPage(faults{"list": v.say.Say("wrong long list", "most", mostLines)})
	}
	if err := v.save(d); err != nil {
		return answer{}, err
	}
	return goTo(d.at("what"))
}

// readLines reads the lines of a list: one more than there may be, if there are.
func readLines(in io.Reader) (list []listed, err error) {
	rows, err := sheet.Open(in, listColumns...)
	for err == nil && len(list) <= mostLines {
		var row sheet.Row
		if row, err = rows.Next(); err == nil {
			list = append(list, readLine(row, rows.Headings()))
		}
	}
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return list, err
}

func readLine(row sheet.Row, headings map[string]string) (one listed) {
	one.Line = row.Line
	wrong := func(column string, err error) {
		if p, is := errors.AsType[*sheet.Problem](err); is && one.Wrong.IsZero() {
			p.Headings, p.Column = headings, column
			one.Wrong = look.Text{NL: p.In(sheet.Dutch), EN: p.In(sheet.English)}
		}
	}
	if row.Problem != nil {
		wrong(row.Problem.Column, row.Problem)
		return one
	}
	one.KvK, _ = row.Cell(columnKvK)
	_, err := intake.ParseKvK(one.KvK)
	wrong(columnKvK, err)
	one.Name, _ = row.Cell(columnName)
	one.Name = strings.Join(strings.Fields(one.Name), " ")
	if tooLong(one.Name) && one.Wrong.IsZero() {
		one.Wrong = texts["wrong name"]
	}
	if text, _ := row.Cell(columnTo); text != "" {
		day, err := intake.ParseMoment(text)
		wrong(columnTo, err)
		one.To = mandate.EndOfDay(day)
	}
	one.Scope, _ = row.Cell(columnScope)
	_, err = intake.ParseScope(one.Scope)
	wrong(columnScope, err)
	return one
}

// outcome is what becomes of a line.
type outcome struct {
	ID    mandate.ID `json:"i"` // of the request; 0: refused
	There bool       `json:"t"` // it was asked for before
	Why   string     `json:"w"` // the text that says why it was refused; "": what is wrong with the line does
}

// wishes are what lines of a list ask for, each with its text, and the revision at which that is
// so; a line with which something is wrong asks nothing.
func (v *visit) wishes(d draft, lines []listed) (list []desk.Wish, at register.Revision, err error) {
	err = v.look(func(l *desk.Look) error {
		at = l.Revision()
		own, err := l.Organisation()
		if err != nil {
			return err
		}
		list = make([]desk.Wish, len(lines))
		for i, one := range lines {
			if !one.Wrong.IsZero() {
				continue
			}
			if list[i], err = v.wishOfLine(l, *own, d, one); err != nil {
				return err
			}
		}
		return nil
	})
	return list, at, err
}

// firstText is the text of the first line that asks something.
func firstText(wishes []desk.Wish) register.Consent {
	for _, w := range wishes {
		if w.Consent.Text != "" {
			return w.Consent
		}
	}
	return register.Consent{}
}

// wishOfLine is what a line asks for, with the text of it.
func (v *visit) wishOfLine(l *desk.Look, own mandate.Organisation, d draft, one listed) (w desk.Wish, err error) {
	w = desk.Wish{Kind: mandate.Chain, Grantor: desk.Party{Name: one.Name}, Intermediary: desk.Party{KvK: own.KvK, Name: own.Name}, Supersedes: one.Follows,
		Validity: mandate.Validity{From: mandate.StartOfDay(v.now), To: one.To}} // the day: a list that comes twice asks once
	if w.Grantor.KvK, err = etoegang.ParseKvKNumber(one.KvK); err != nil {
		return w, err
	}
	if one.To.IsZero() {
		w.Validity.To = d.To
	}
	if one.Scope == "" {
		w.Scope, err = d.scope(mandate.Mandate{}, v.c.Desk.Terms().Sets)
	} else {
		w.Scope, err = mandate.ParseScope(one.Scope)
	}
	if err == nil && w.Supersedes != 0 {
		var old mandate.Mandate
		old, err = l.Mandate(w.Supersedes)
		w.Reference = old.Reference
	}
	if err != nil {
		return w, err
	}
	as := deal{kind: w.Kind, grantor: v.partyCalled(one.Name, one.KvK), to: v.party(own), scope: w.Scope, only: w.Establishments, validity: w.Validity, follows: w.Supersedes}
	as.cost, err = v.cost(l, as.grantor, mandate.Mandate{Kind: w.Kind, Scope: w.Scope, Validity: w.Validity, Supersedes: w.Supersedes})
	w.Consent = v.consent(v.text(as))
	return w, err
}

// askLines asks what lines of a list say in one change, or only rehearses it.
func (v *visit) askLines(ctx context.Context, lines []listed, wishes []desk.Wish, dry bool) (list []outcome, err error) {
	why := "page: many"
	if lines[0].Follows != 0 {
		why = "page: renews many"
	}
	_, err = v.c.Desk.Many(ctx, v.caller(), why, dry, func(m *desk.Many) error {
		if err := m.Expect(wishes); err != nil {
			return err
		}
		for i, w := range wishes {
			var o outcome
			if lines[i].Wrong.IsZero() {
				o = v.askOne(m, w)
			}
			list = append(list, o)
		}
		return nil
	})
	return list, err
}

// rehearse tells what would become of a list, in parts: others have their turn in between.
func (v *visit) rehearse(d draft, wishes []desk.Wish) (list []outcome, err error) {
	for lines := range slices.Chunk(d.Lines, atOnce) {
		part, err := v.askLines(v.ctx(), lines, wishes[len(list):][:len(lines)], true)
		if err != nil {
			return nil, err
		}
		list = append(list, part...)
	}
	return list, nil
}

// askOne asks for one of many. What is refused is its outcome; a failure of the register is the
// end of the whole part, which it tells itself.
func (v *visit) askOne(m *desk.Many, w desk.Wish) outcome {
	made, there, err := m.Ask(w)
	if err != nil {
		return outcome{Why: v.whyNot(err)}
	}
	return outcome{ID: made.ID, There: there}
}

// checkMany shows what would become of each line.
func (v *visit) checkMany(d draft) (answer, error) {
	wishes, _, err := v.wishes(d, d.Lines)
	var list []outcome
	if err == nil {
		list, err = v.rehearse(d, wishes)
	}
	if err != nil {
		return v.backTo(d, err)
	}
	asked, there, refused := count(list)
	first := firstText(wishes)
	parts := []look.Part{v.steps(3), v.manyNotice(asked, there, refused, "many will")}
	if first.Text != "" {
		parts = append(parts, look.Heading{Text: v.say.Say("many each")})
		parts = append(parts, shown(strings.Split(first.Text, "\n"))...)
	}
	for _, note := range append([]string{v.say.Say("note ask")}, v.setNotes(d)...) {
		parts = append(parts, look.Notice{Title: note})
	}
	parts = append(parts, v.outcomeTable(d, list, true), v.changeMany(d))
	if asked > 0 {
		parts = append(parts, v.form(d.at("check"), look.Form{Hidden: []look.Hidden{{Name: "text", Value: sumOf(first)}},
			Buttons: []look.Button{{Text: v.say.Count("confirm many", asked)}}, Cancel: v.cancel("/clients")}))
	}
	return answer{page: look.Page{Title: v.say.Say("check"), Address: d.at("check"), Parts: parts}}, nil
}

// changeMany leads back to what was chosen.
func (v *visit) changeMany(d draft) look.Links {
	if d.Lines[0].Follows != 0 {
		return look.Links{{Text: v.say.Say("choose anew"), Address: renewAt}}
	}
	return look.Links{{Text: v.say.Say("another list"), Address: manyAt}, {Text: v.say.Say("change what"), Address: d.at("what")}}
}

func count(list []outcome) (asked, there, refused int) {
	for _, o := range list {
		switch {
		case o.ID == 0:
			refused++
		case o.There:
			there++
		default:
			asked++
		}
	}
	return asked, there, refused
}

// manyNotice says in numbers what becomes of a list, or has become of it.
func (v *visit) manyNotice(asked, there, refused int, tense string) look.Notice {
	n := look.Notice{Kind: look.Done, Title: v.say.Count(tense, asked)}
	if there > 0 {
		n.Items = append(n.Items, v.say.Count("many there", there))
	}
	if refused > 0 {
		n.Kind, n.Items = look.Warning, append(n.Items, v.say.Count("many refused", refused))
	}
	return n
}

// outcomeTable says beside each line what becomes of it, or only of those that are refused.
func (v *visit) outcomeTable(d draft, list []outcome, all bool) look.Table {
	t := look.Table{Caption: v.say.Say("lines"), Columns: []look.Column{
		{Title: v.say.Say("line"), Names: true}, {Title: v.say.Say("client")}, {Title: v.say.Say("covers")}, {Title: v.say.Say("until")}, {Title: v.say.Say("line answer")},
	}}
	for i, o := range list {
		if !all && o.ID != 0 {
			continue
		}
		one := d.Lines[i]
		client, what, until := one.KvK, v.say.Say("as chosen"), v.lastDay(d.To)
		if one.Wrong.IsZero() {
			client = v.partyCalled(one.Name, one.KvK)
		}
		if s, err := mandate.ParseScope(one.Scope); err == nil && len(s) > 0 {
			what = strings.Join(v.items(s), "; ")
		}
		if !one.To.IsZero() {
			until = v.lastDay(one.To)
		}
		answer := look.Cell{State: &look.State{Kind: look.Done, Text: v.say.Say("line asked")}}
		switch {
		case o.There:
			answer.State = &look.State{Kind: look.Info, Text: v.say.Say("line there")}
		case o.ID == 0:
			answer.State, answer.Note = &look.State{Kind: look.Warning, Text: v.say.Say("line refused")}, v.whyLine(one, o)
		}
		t.Rows = append(t.Rows, look.Row{{Text: idText(int64(one.Line))}, {Text: client}, {Text: what}, {Text: until}, answer})
	}
	return t
}

func (v *visit) whyLine(one listed, o outcome) string {
	if o.Why == "" {
		return one.Wrong.In(v.say.Language)
	}
	return v.say.Say(o.Why)
}
