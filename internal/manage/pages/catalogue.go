package pages

import (
	"cmp"
	"io"
	"slices"
	"strings"

	"github.com/mandated/mandated/internal/desk"
	"github.com/mandated/mandated/internal/look"
	"github.com/mandated/mandated/pkg/catalogue"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/register"
)

// The pages on which staff see the editions of the service catalogue, and what a new one would
// change for the mandates that are there. They put none in force: that is a matter of a file
// beside the daemon, which operators put there.

// pathUpload takes a whole edition: its form may be larger than all others.
const pathUpload = "/catalogue/look"

func (v *visit) editions() (answer, error) { return v.editionsPage(nil) }

func (v *visit) editionsPage(f faults) (answer, error) {
	var list []register.CatalogueVersion
	if err := v.look(func(l *desk.Look) (err error) {
		list, err = l.Editions()
		return err
	}); err != nil {
		return answer{}, err
	}
	t := look.Table{Caption: v.say.Say("editions"), Empty: &look.Empty{Title: v.say.Say("editions none")}, Columns: []look.Column{
		{Title: v.say.Say("edition"), Names: true}, {Title: v.say.Say("edition made")}, {Title: v.say.Say("edition since")}, {Title: v.say.Say("state")}, {Title: v.say.Say("do"), Unseen: true},
	}}
	for i, e := range slices.Backward(list) {
		row := look.Row{{Text: v.say.Number(e.Sequence), Note: e.Version}, {Text: v.say.Moment(e.Issued)}, {Text: v.say.Moment(e.Loaded)}, {State: &look.State{Kind: look.Info, Text: v.say.Say("edition before")}}, {}}
		if i == len(list)-1 {
			row[3].State = &look.State{Kind: look.Done, Text: v.say.Say("edition current")}
		}
		if i > 0 {
			row[4].Links = []look.Link{{Text: v.say.Say("edition changes"), About: v.say.Say("edition about", "number", e.Sequence), Address: comparison(list[i-1].Sequence, e.Sequence)}}
		}
		t.Rows = append(t.Rows, row)
	}
	parts := []look.Part{look.Paragraph{Text: v.say.Say("editions text"), Lead: true}, t}
	if len(list) > 1 {
		parts = append(parts, look.Heading{Text: v.say.Say("compare title")}, v.compareForm(list))
	}
	parts = append(parts, look.Heading{Text: v.say.Say("upload title")}, look.Paragraph{Text: v.say.Say("upload text")}, v.form(pathUpload, look.Form{
		Parts:   []look.Part{look.Field{Name: "file", Label: v.say.Say("upload label"), Hint: v.say.Say("upload hint"), Error: f["file"], Input: look.FileInput{Accept: ".xml,application/xml,text/xml"}}},
		Buttons: []look.Button{{Text: v.say.Say("upload do")}},
	}))
	return page(look.Page{Title: v.say.Say("catalogue title"), Parts: parts, Address: "/catalogue"}, f)
}

func comparison(old, new int64) string {
	return "/catalogue/" + idText(old) + "/" + idText(new)
}

// compareForm asks which two editions to compare: at first the last two.
func (v *visit) compareForm(list []register.CatalogueVersion) look.Part {
	var old, new look.SelectInput
	for i, e := range slices.Backward(list) {
		o := look.Option{Value: idText(e.Sequence), Label: v.say.Say("edition option", "number", v.say.Number(e.Sequence), "date", v.say.Date(e.Issued))}
		n := o
		o.Chosen, n.Chosen = i == len(list)-2, i == len(list)-1
		old, new = append(old, o), append(new, n)
	}
	return v.form("/catalogue", look.Form{
		Parts:   []look.Part{look.Field{Name: "old", Label: v.say.Say("compare old"), Input: old}, look.Field{Name: "new", Label: v.say.Say("compare new"), Input: new}},
		Buttons: []look.Button{{Text: v.say.Say("compare do"), Kind: look.Secondary}},
	})
}

// chooseEditions leads to the comparison of two editions, which has an address of its own.
func (v *visit) chooseEditions() (answer, error) {
	return goTo(comparison(int64(parseID(v.said("old"))), int64(parseID(v.said("new")))))
}

func (v *visit) compareEditions() (answer, error) {
	old, err := v.edition("old")
	if err != nil {
		return answer{}, err
	}
	new, err := v.edition("new")
	if err != nil {
		return answer{}, err
	}
	return v.impactPage(old, new, false)
}

func (v *visit) edition(name string) (*catalogue.Catalogue, error) {
	return v.c.Works.Edition(v.ctx(), v.number(name))
}

// lookAtEdition shows what an edition would change that somebody brings. Nothing of it is kept.
func (v *visit) lookAtEdition() (answer, error) {
	file, err := v.upload()
	if err != nil {
		return answer{}, err
	}
	if file == nil {
		return v.editionsPage(faults{"file": v.say.Say("wrong no file")})
	}
	defer func() { _ = file.Close() }()
	document, err := io.ReadAll(file)
	if err != nil {
		return answer{}, err
	}
	new, err := v.c.Works.ReadEdition(document)
	if err != nil {
		return v.refusedEdition(err)
	}
	current := v.c.Catalogue()
	if current == nil {
		return v.editionsPage(faults{"file": v.say.Say("wrong no edition")})
	}
	return v.impactPage(current, new, true)
}

// refusedEdition tells why the register would not take an edition.
func (v *visit) refusedEdition(why error) (answer, error) {
	lines := strings.Split(why.Error(), "\n")
	return answer{status: wrong, page: look.Page{Title: v.say.Say("edition refused"), Address: "/catalogue", Crumbs: v.toEditions(), Parts: []look.Part{
		look.Notice{Kind: look.Error, Title: v.say.Say("edition refused title"), Text: v.say.Say("edition refused text"), Items: lines[:min(len(lines), mostTold)]},
		look.Links{{Text: v.say.Say("catalogue title"), Address: "/catalogue"}},
	}}}, nil
}

func (v *visit) toEditions() []look.Link {
	return []look.Link{{Text: v.say.Say("place /"), Address: "/"}, {Text: v.say.Say("place /catalogue"), Address: "/catalogue"}}
}

// effect is a change, and how many mandates in force it touches.
type effect struct {
	catalogue.Change
	touched int
}

// impactPage tells what changes from one edition to another, first what touches mandates.
func (v *visit) impactPage(old, new *catalogue.Catalogue, brought bool) (answer, error) {
	changes := catalogue.Compare(old, new)
	effects, err := v.effects(changes, new)
	if err != nil {
		return answer{}, err
	}
	var parts []look.Part
	if brought {
		parts = append(parts, look.Notice{Title: v.say.Say("edition only looked"), Text: v.say.Say("edition only looked text")})
		if new.Sequence() <= old.Sequence() {
			parts = append(parts, look.Notice{Kind: look.Warning, Title: v.say.Say("edition not newer"), Text: v.say.Say("edition not newer text", "number", old.Sequence())})
		}
	}
	parts = append(parts, look.Description{v.editionItem("compare old", old), v.editionItem("compare new", new)})
	if len(changes) == 0 {
		parts = append(parts, look.Notice{Title: v.say.Say("no changes")})
		return answer{page: look.Page{Title: v.say.Say("impact title"), Address: "/catalogue", Crumbs: v.toEditions(), Parts: parts}}, nil
	}
	parts = append(parts, v.changesByKind(changes), v.mostTouched(effects), v.effectTable(effects))
	if len(effects) > mostEffects {
		parts = append(parts, look.Paragraph{Text: v.say.Say("impact more", "number", len(effects)-mostEffects)})
	}
	a := look.Page{Title: v.say.Say("impact title"), Crumbs: v.toEditions(), Parts: parts}
	if brought {
		a.Address = "/catalogue"
	}
	return answer{page: a}, nil
}

func (v *visit) editionItem(term string, c *catalogue.Catalogue) look.Item {
	return look.Item{Term: v.say.Say(term), Value: look.Cell{Text: v.say.Say("edition option", "number", v.say.Number(c.Sequence()), "date", v.say.Date(c.Issued())), Note: c.Version()}}
}

// effects counts the mandates that each change touches: where a service goes, those that name
// it, and where its level rises, also those for everything of its provider or of everybody
// whose level is below it. A mandate that covers a service twice is counted twice.
func (v *visit) effects(changes []catalogue.Change, new *catalogue.Catalogue) (list []effect, err error) {
	var covered []register.Covering
	if err := v.look(func(l *desk.Look) (err error) {
		covered, err = l.Covered()
		return err
	}); err != nil {
		return nil, err
	}
	for _, c := range changes {
		list = append(list, effect{c, touched(c, covered, new)})
	}
	slices.SortStableFunc(list, func(a, b effect) int { return cmp.Compare(b.touched, a.touched) })
	return list, nil
}

func touched(c catalogue.Change, covered []register.Covering, new *catalogue.Catalogue) (n int) {
	if !c.Goes() && !c.Rises() {
		return 0
	}
	service, provider := c.Definition().Service.UUID, c.Definition().Provider.OIN
	if _, others := new.Definition(service); c.Goes() && others {
		return 0 // another provider offers it still
	}
	for _, k := range covered {
		named := k.Item.Service == service
		all := k.Item.Service.IsZero() && (k.Item.Provider.IsZero() || k.Item.Provider == provider)
		if c.Goes() && named || c.Rises() && (named || all) && k.Item.Level < c.New.Service.Level {
			n += k.Mandates
		}
	}
	return n
}

// changesByKind is a figure of how many services come, go and change.
func (v *visit) changesByKind(changes []catalogue.Change) look.Bars {
	counts := map[string]int64{}
	for _, c := range changes {
		counts[kindOf(c)]++
	}
	b := look.Bars{Title: v.say.Say("impact kinds"), About: v.say.Say("impact kinds about"), What: v.say.Say("impact what"), Count: v.say.Say("impact services")}
	for _, kind := range []string{"comes", "goes", "rises", "falls", "other"} {
		b.Rows = append(b.Rows, look.Bar{Label: v.say.Say("change " + kind), Value: counts[kind]})
	}
	return b
}

// kindOf is what a change is in one word.
func kindOf(c catalogue.Change) string {
	switch {
	case c.Comes():
		return "comes"
	case c.Goes():
		return "goes"
	case c.Rises():
		return "rises"
	case slices.Contains(c.What, catalogue.AspectLevel):
		return "falls"
	}
	return "other"
}

// mostTouched is a figure of the services whose change touches most mandates.
func (v *visit) mostTouched(effects []effect) look.Part {
	b := look.Bars{Title: v.say.Say("impact most"), About: v.say.Say("impact most about"), What: v.say.Say("journal service"), Count: v.say.Say("impact mandates")}
	for _, e := range effects[:min(len(effects), fewest)] {
		if e.touched > 0 {
			b.Rows = append(b.Rows, look.Bar{Label: v.service(e.Definition()), Value: int64(e.touched)})
		}
	}
	if len(b.Rows) == 0 {
		return look.Notice{Kind: look.Done, Title: v.say.Say("impact none"), Text: v.say.Say("impact none text")}
	}
	return b
}

// mostEffects is how many changes are listed.
const mostEffects = 500

func (v *visit) effectTable(effects []effect) look.Table {
	t := look.Table{Caption: v.say.Say("impact table"), Columns: []look.Column{
		{Title: v.say.Say("journal service"), Names: true}, {Title: v.say.Say("impact what")}, {Title: v.say.Say("impact level")}, {Title: v.say.Say("impact mandates"), Number: true},
	}}
	for _, e := range effects[:min(len(effects), mostEffects)] {
		d := e.Definition()
		what := look.Cell{State: &look.State{Kind: look.Info, Text: v.say.Say("change " + kindOf(e.Change))}}
		switch {
		case e.Goes():
			what.State.Kind, what.Note = look.Error, v.say.Say("change goes note")
		case e.Rises():
			what.State.Kind, what.Note = look.Warning, v.say.Say("change rises note")
		}
		if aspects := v.aspects(e.What); aspects != "" {
			what.Note = strings.TrimSpace(what.Note + " " + aspects)
		}
		t.Rows = append(t.Rows, look.Row{{Text: v.service(d), Note: d.Service.UUID.String()}, what, {Text: v.levelChange(e.Change)}, {Text: v.say.Number(int64(e.touched))}})
	}
	return t
}

// aspects are the things that are different beside the level, in words.
func (v *visit) aspects(what []catalogue.Aspect) string {
	var list []string
	for _, a := range what {
		if a != catalogue.AspectLevel {
			list = append(list, v.say.Say("aspect "+string(a)))
		}
	}
	if len(list) == 0 {
		return ""
	}
	return v.say.Say("aspects", "list", strings.Join(list, ", "))
}

// levelChange is the level of a service, and what becomes of it.
func (v *visit) levelChange(c catalogue.Change) string {
	of := func(d *catalogue.Definition) string { return v.level(max(d.Service.Level, etoegang.LoA2)) }
	if c.Comes() || c.Goes() || c.Old.Service.Level == c.New.Service.Level {
		return of(c.Definition())
	}
	return v.say.Say("level from to", "old", of(c.Old), "new", of(c.New))
}
