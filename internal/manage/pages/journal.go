package pages

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mandated/mandated/internal/desk"
	"github.com/mandated/mandated/internal/journal"
	"github.com/mandated/mandated/internal/look"
	"github.com/mandated/mandated/pkg/decision"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/pdp"
	"github.com/mandated/mandated/pkg/register"
)

// The page on which staff find a decision that somebody asks about, and why it was made. What
// he reads aloud belongs to him, so it travels in a form and stands in no address.

// searching is how long the journal is looked through for what is not found at once.
const searching = 10 * time.Second

func (v *visit) askRecord() (answer, error) { return v.recordPage("", nil, nil) }

func (v *visit) findRecord() (answer, error) {
	name := v.said("name")
	ctx, cancel := context.WithTimeout(v.ctx(), searching)
	defer cancel()
	record, err := v.c.Works.Record(ctx, name)
	for known, text := range map[error]string{
		journal.ErrNotFound: "journal nothing", journal.ErrSeveral: "journal several", journal.ErrUnreached: "journal unreached",
	} {
		if errors.Is(err, known) {
			return v.recordPage(name, faults{"name": v.say.Say(text)}, nil)
		}
	}
	if err != nil {
		return answer{}, err
	}
	t, err := v.tale(record)
	if err != nil {
		return answer{}, err
	}
	return v.recordPage(name, nil, t)
}

// recordPage asks for a decision, and shows the one that was found.
func (v *visit) recordPage(name string, f faults, found []look.Part) (answer, error) {
	parts := []look.Part{v.form("/journal", look.Form{Search: true, Buttons: []look.Button{{Text: v.say.Say("journal find")}}, Parts: []look.Part{
		look.Field{Name: "name", Label: v.say.Say("journal name"), Hint: v.say.Say("journal hint"), Error: f["name"], Input: look.TextInput{Value: name, MaxLength: 255, Autocomplete: "off"}},
	}})}
	if found == nil {
		parts = append([]look.Part{look.Paragraph{Text: v.say.Say("journal text"), Lead: true}}, parts...)
	}
	return page(look.Page{Title: v.say.Say("journal title"), Parts: append(parts, found...)}, f)
}

// tale is a record in plain words, with what the register knew then: its mandates may be others
// now, and their own pages say so. Where that revision is not known here, it is told with what
// is known now.
func (v *visit) tale(r pdp.Record) (parts []look.Part, err error) {
	tell := func(l *desk.Look) (err error) {
		parts, err = v.told(l, r)
		return err
	}
	err = v.c.Desk.Look(v.ctx(), v.caller(), register.Revision(r.Revision), tell)
	if errors.Is(err, register.ErrNotFound) {
		err = v.look(tell)
	}
	return parts, err
}

func (v *visit) told(l *desk.Look, r pdp.Record) ([]look.Part, error) {
	mandates, err := v.lookedAt(l, r)
	if err != nil {
		return nil, err
	}
	represented, err := v.companyOf(l, r.Represented)
	if err != nil {
		return nil, err
	}
	through, err := v.companyOf(l, r.Intermediary)
	if err != nil {
		return nil, err
	}
	asked := look.Description{}
	for _, line := range []struct{ term, text string }{
		{"when", v.say.Moment(r.At)}, {"journal question", v.say.Say("question " + r.Question)}, {"journal service", v.serviceAsked(r)},
		{"journal caller", r.Caller}, {"who acts", v.personOf(r.Actor)}, {"acts for", represented}, {"journal through", through},
		{"journal login", v.levelNamed(r.Login)}, {"journal level", v.levelNamed(r.Asked)}, {"journal required", v.levelNamed(r.Required)},
	} {
		if line.text != "" {
			asked = append(asked, look.Item{Term: v.say.Say(line.term), Value: look.Cell{Text: line.text}})
		}
	}
	parts := []look.Part{look.Heading{Text: v.say.Say("journal decided")}, look.Notice{Kind: outcomes[r.Outcome], Title: v.say.Say("outcome " + r.Outcome), Text: v.say.Say("outcome text " + r.Outcome)}}
	parts = append(parts, v.whys(r, mandates)...)
	parts = append(parts, look.Heading{Text: v.say.Say("journal asked")}, asked, v.mandatesLookedAt(mandates))
	return append(parts, look.Heading{Text: v.say.Say("journal ground")}, v.ground(r)), nil
}

// outcomes are what a decision means for whoever asked.
var outcomes = map[string]look.Kind{"Permit": look.Done, "Deny": look.Warning, "Choose": look.Info, pdp.Indeterminate: look.Error}

// mostTold is how much is told of one thing: the mandates of a decision, its reasons, or what is
// wrong with an edition.
const mostTold = 50

// lookedAt are the mandates that a decision speaks of, by number. One that is not known at this
// revision is left out.
func (v *visit) lookedAt(l *desk.Look, r pdp.Record) (list []mandate.Mandate, err error) {
	var ids []mandate.ID
	for _, reason := range r.Reasons {
		ids = append(ids, reason.Mandate)
	}
	for _, o := range r.Options {
		ids = append(ids, o.Mandates...)
	}
	slices.Sort(ids)
	for _, id := range slices.Compact(ids) {
		if id == 0 || len(list) == mostTold {
			continue
		}
		m, err := l.Mandate(id)
		if errors.Is(err, register.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		list = append(list, m)
	}
	return list, nil
}

// whys are the reasons, in the words that the user got, each once.
func (v *visit) whys(r pdp.Record, mandates []mandate.Mandate) []look.Part {
	needs, _ := etoegang.ParseLevelName(r.Required) // what is no level is the lowest
	var list []string
	for _, reason := range r.Reasons {
		var about *mandate.Mandate
		if i := slices.IndexFunc(mandates, func(m mandate.Mandate) bool { return m.ID == reason.Mandate }); i >= 0 {
			about = &mandates[i]
		}
		why, next := v.c.Works.Explain(v.say.Language, decision.Code(reason.Code), about, needs)
		if reason.Mandate != 0 {
			why = v.say.Say("journal of mandate", "number", idText(reason.Mandate), "why", why)
		}
		if line := why + " " + next; !slices.Contains(list, line) && len(list) < mostTold {
			list = append(list, line)
		}
	}
	var parts []look.Part
	if len(list) > 0 {
		parts = append(parts, look.Heading{Text: v.say.Say("journal why"), Sub: true}, look.Paragraph{Text: v.say.Say("journal why text")}, look.List{Items: list})
	}
	if r.More {
		parts = append(parts, look.Paragraph{Text: v.say.Say("journal more")})
	}
	if r.Failure != "" {
		parts = append(parts, look.Paragraph{Text: v.say.Say("journal failure"), Code: r.Failure})
	}
	return parts
}

func (v *visit) mandatesLookedAt(list []mandate.Mandate) look.Table {
	t := look.Table{Caption: v.say.Say("journal mandates"), Empty: &look.Empty{Title: v.say.Say("journal no mandates")}, Columns: []look.Column{
		{Title: v.say.Say("mandate"), Names: true}, {Title: v.say.Say("who acts")}, {Title: v.say.Say("acts for")}, {Title: v.say.Say("covers")}, {Title: v.say.Say("until")}, {Title: v.say.Say("state then")},
	}}
	for _, m := range list {
		who := v.receiver(m)
		if m.Kind != mandate.Chain {
			who = v.say.Say("person number", "number", idText(m.Person.ID)) // whoever needs his name finds it with the mandate
		}
		t.Rows = append(t.Rows, look.Row{
			{Text: v.say.Say("mandate number", "number", idText(m.ID)), Address: "/mandates/" + idText(m.ID)}, {Text: who},
			{Text: v.party(m.Grantor), Note: v.kindOf(m)}, {Text: strings.Join(v.items(m.Scope), "; ")}, {Text: v.lastDay(m.Validity.To)}, {State: v.stateOf(m)},
		})
	}
	return t
}

// ground is on what a decision rests, for whoever decides it again.
func (v *visit) ground(r pdp.Record) look.Description {
	d := look.Description{{Term: v.say.Say("journal record"), Value: look.Cell{Text: r.ID, Code: true}}}
	if r.Revision > 0 {
		d = append(d,
			look.Item{Term: v.say.Say("journal revision"), Value: look.Cell{Text: v.say.Number(r.Revision)}},
			look.Item{Term: v.say.Say("journal edition"), Value: look.Cell{Text: v.say.Number(r.Catalogue)}})
	}
	d = append(d, look.Item{Term: v.say.Say("journal rules"), Value: look.Cell{Text: strconv.Itoa(r.Rules.Version)}})
	if r.Until != nil {
		d = append(d, look.Item{Term: v.say.Say("journal until"), Value: look.Cell{Text: v.say.Moment(*r.Until)}})
	}
	return d
}

// serviceAsked is the service by its name, or as it was asked for.
func (v *visit) serviceAsked(r pdp.Record) string {
	if c := v.c.Catalogue(); c != nil {
		if id, err := etoegang.ParseServiceID(r.Service); err == nil {
			if i, known := c.Instance(id); known {
				return v.service(i.Definition)
			}
		}
	}
	return r.Service
}

// levelNamed is a level as the journal writes it; "": none.
func (v *visit) levelNamed(name string) string {
	l, err := etoegang.ParseLevelName(name)
	if err != nil {
		return ""
	}
	return v.level(l)
}

// personOf is somebody whom a record names: by the register's own number, never by a pseudonym.
func (v *visit) personOf(name string) string {
	switch id, known, _ := pdp.PersonNamed(name); {
	case name == "":
		return ""
	case known:
		return v.say.Say("person number", "number", idText(id))
	}
	return v.say.Say("person unknown")
}

// companyOf is an organisation whom a record names.
func (v *visit) companyOf(l *desk.Look, name string) (string, error) {
	if name == "" {
		return "", nil
	}
	id, known, _ := pdp.OrganisationNamed(name)
	if !known {
		return v.say.Say("company unknown"), nil
	}
	o, err := l.Company(id)
	if errors.Is(err, register.ErrNotFound) {
		return v.say.Say("company unknown"), nil
	}
	return v.party(o), err
}
