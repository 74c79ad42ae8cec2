package pages

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mandated/mandated/internal/look"
	"github.com/mandated/mandated/pkg/catalogue"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
)

func idText[T ~int64](id T) string { return strconv.FormatInt(int64(id), 10) }

// party is how a company is called: by its name, and always by its number.
func (v *visit) party(o mandate.Organisation) string { return v.partyCalled(o.Name, o.KvK.Text()) }

func (v *visit) partyCalled(name, kvk string) string {
	if name == "" {
		return v.say.Say("number", "kvk", kvk)
	}
	return v.say.Say("named", "name", name, "kvk", kvk)
}

// person is how somebody is called: by the name that he was given here, or by his number.
func (v *visit) person(p mandate.Person) string {
	if p.Name == "" {
		return v.say.Say("person number", "number", idText(p.ID))
	}
	return p.Name
}

// receiver is who acts by a mandate.
func (v *visit) receiver(m mandate.Mandate) string {
	if m.Kind == mandate.Chain {
		return v.party(m.Intermediary)
	}
	return v.person(m.Person)
}

// level is how people know a level: EH3.
func (v *visit) level(l etoegang.AssuranceLevel) string { return v.say.Say("level " + l.String()) }

// items are the things that a mandate covers, in words, and in the order of their words.
func (v *visit) items(s mandate.Scope) []string {
	var list []string
	c := v.c.Catalogue()
	for _, i := range s {
		list = append(list, v.say.Say("at level", "what", v.item(c, i), "level", v.level(i.Level)))
	}
	slices.Sort(list)
	return list
}

// item is one of them, without its level. What the catalogue does not know is called by its
// number.
func (v *visit) item(c *catalogue.Catalogue, i mandate.Item) string {
	switch {
	case !i.Service.IsZero():
		if c != nil {
			if d, known := c.Definition(i.Service); known {
				return v.service(d)
			}
		}
		return v.say.Say("service number", "number", i.Service.String())
	case !i.Provider.IsZero():
		return v.say.Say("all of", "provider", v.provider(c, i.Provider))
	}
	return v.say.Say("everything")
}

func (v *visit) service(d *catalogue.Definition) string {
	return v.say.Say("service of", "service", d.Name(string(v.say.Language)), "provider", d.Provider.Name(string(v.say.Language)))
}

func (v *visit) provider(c *catalogue.Catalogue, oin etoegang.OIN) string {
	if c != nil {
		for p := range c.Providers() {
			if p.OIN == oin {
				return p.Name(string(v.say.Language))
			}
		}
	}
	return v.say.Say("provider number", "number", oin.String())
}

// offer are the services that a mandate can be about, in the order of their names: portals are
// opened by mandates for what is behind them.
func (v *visit) offer() (list []*catalogue.Definition) {
	c := v.c.Catalogue()
	if c == nil {
		return nil
	}
	seen := map[etoegang.ServiceUUID]bool{}
	for d := range c.Definitions() {
		if !d.Portal && !seen[d.Service.UUID] {
			seen[d.Service.UUID] = true
			list = append(list, d)
		}
	}
	slices.SortFunc(list, func(a, b *catalogue.Definition) int {
		return cmp.Or(strings.Compare(v.service(a), v.service(b)), strings.Compare(a.Service.UUID.String(), b.Service.UUID.String()))
	})
	return list
}

// providers are those of the offer, in the order of their names.
func (v *visit) providers() (list []look.Option) {
	seen := map[string]bool{}
	for _, d := range v.offer() {
		if oin := d.Provider.OIN.String(); !seen[oin] {
			seen[oin] = true
			list = append(list, look.Option{Value: oin, Label: d.Provider.Name(string(v.say.Language))})
		}
	}
	slices.SortFunc(list, func(a, b look.Option) int { return strings.Compare(a.Label, b.Label) })
	return list
}

// lastDay is the last day on which something that ends at a moment can be used.
func (v *visit) lastDay(to time.Time) string { return v.say.Date(to.Add(-time.Second)) }

// lastDayInput is that day, to be filled in.
func lastDayInput(to time.Time) look.DateInput { return look.DateOf(to.Add(-time.Second)) }

// kvkInput is where a KvK number is filled in, with spaces in between if somebody types them.
func kvkInput(number string) look.NumberInput {
	return look.NumberInput{Value: number, MaxLength: 12}
}

// cancel leads out of a form, and toStart out of a page with which one can do nothing.
func (v *visit) cancel(address string) *look.Link {
	return &look.Link{Text: v.say.Say("cancel"), Address: address}
}

func (v *visit) toStart() look.Actions {
	return look.Actions{v.action(v.say.Say("to start"), "/", look.Primary)}
}

// stateOf is how a mandate stands now.
func (v *visit) stateOf(m mandate.Mandate) *look.State {
	name, kind := string(m.State), look.Info
	switch {
	case m.State.Pending():
		kind = look.Warning
	case m.State == mandate.Suspended:
		kind = look.Warning
	case m.State == mandate.Active && !v.now.Before(m.Validity.To):
		name = "expired"
	case m.State == mandate.Active && v.now.Before(m.Validity.From):
		name = "later"
	case m.State == mandate.Active:
		kind = look.Done
	}
	return &look.State{Kind: kind, Text: v.say.Say("state " + name)}
}

// deal is what somebody agrees to.
type deal struct {
	kind                mandate.Kind
	grantor, to, client string
	scope               mandate.Scope
	only                []etoegang.EstablishmentNumber // none: the whole organisation
	validity            mandate.Validity
	cost                string     // to whom it costs what; "": nothing is said of it
	follows             mandate.ID // the mandate that ends once this is in force; 0: none
}

// dealOf is what a mandate that is there says. client is for whom an assignment is.
func (v *visit) dealOf(m mandate.Mandate, client string) deal {
	return deal{kind: m.Kind, grantor: v.party(m.Grantor), to: v.receiver(m), client: client, scope: m.Scope, only: m.Establishments, validity: m.Validity}
}

// text is a deal in plain words, line by line: what is shown, and what is kept of it.
func (v *visit) text(d deal) (lines []string) {
	switch d.kind {
	case mandate.Chain:
		lines = append(lines, v.say.Say("deal chain", "grantor", d.grantor, "to", d.to), v.say.Say("deal chain people", "to", d.to))
	case mandate.Assignment:
		lines = append(lines, v.say.Say("deal assignment", "grantor", d.grantor, "to", d.to, "for", d.client))
	default:
		lines = append(lines, v.say.Say("deal direct", "grantor", d.grantor, "to", d.to))
	}
	lines = append(lines, v.say.Say("deal covers"))
	for _, item := range v.items(d.scope) {
		lines = append(lines, "- "+item)
	}
	if len(d.only) > 0 {
		numbers := make([]string, len(d.only))
		for i, n := range d.only {
			numbers[i] = n.Text()
		}
		lines = append(lines, v.say.Count("deal only", len(numbers), "numbers", strings.Join(numbers, ", ")))
	}
	lines = append(lines, v.say.Say("deal from to", "from", v.say.Date(d.validity.From), "to", v.lastDay(d.validity.To)))
	if d.follows != 0 {
		lines = append(lines, v.say.Say("deal follows", "number", idText(d.follows)))
	}
	if d.cost != "" {
		lines = append(lines, d.cost)
	}
	return append(lines, v.say.Say("deal stop"))
}

// shown are lines as parts of a page: nothing is added and nothing left out.
func shown(lines []string) (parts []look.Part) {
	var list []string
	for _, line := range lines {
		if item, is := strings.CutPrefix(line, "- "); is {
			list = append(list, item)
			continue
		}
		if list != nil {
			parts, list = append(parts, look.List{Items: list}), nil
		}
		parts = append(parts, look.Paragraph{Text: line})
	}
	if list != nil {
		parts = append(parts, look.List{Items: list})
	}
	return parts
}

// consent is the text as it is kept.
func (v *visit) consent(lines []string) register.Consent {
	return register.Consent{Language: string(v.say.Language), Text: strings.Join(lines, "\n")}
}

// plainCode is a code as it was made, however it was typed: in small letters, in groups.
func plainCode(code string) string {
	return strings.ToUpper(strings.NewReplacer(" ", "", "-", "", "\u00a0", "").Replace(code))
}

// inGroups is a code as people can read and type it.
func inGroups(code string) string {
	var groups []string
	for len(code) > 4 {
		groups, code = append(groups, code[:4]), code[4:]
	}
	return strings.Join(append(groups, code), "-")
}
