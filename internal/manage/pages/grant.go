package pages

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/mandated/mandated/internal/desk"
	"github.com/mandated/mandated/internal/look"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
)

// faults are what is wrong with the fields of a form: sentences by the names of fields.
type faults map[string]string

// beginGrant is the first of three steps: who. Nothing is kept yet.
func (v *visit) beginGrant() (answer, error) {
	d, err := v.newDraft()
	if err != nil {
		return answer{}, err
	}
	return v.whoPage(d, v.r.URL.Path, nil)
}

// setOut takes the first step, and keeps a draft from then on.
func (v *visit) setOut() (answer, error) {
	d, err := v.newDraft()
	if err != nil {
		return answer{}, err
	}
	d.id = newName()
	return v.tookWho(d, v.r.URL.Path)
}

// newDraft is a draft of the kind in the address, if it is one that the visitor can begin.
func (v *visit) newDraft() (d draft, err error) {
	d.Kind = v.r.PathValue("kind")
	own := []string{toOffice, toPerson, askIt, assignIt}
	if v.isStaff() {
		own = []string{onPaper}
	}
	if !slices.Contains(own, d.Kind) {
		return d, register.ErrNotFound
	}
	if d.Kind == assignIt {
		err = v.look(func(l *desk.Look) error {
			m, err := l.Mandate(parseID(v.r.FormValue("client")))
			if err == nil && (m.Kind != mandate.Chain || m.Intermediary.ID != l.Actor().Organisation) {
				err = register.ErrNotFound
			}
			if d.Client = m.ID; err != nil {
				return err
			}
			return v.follow(l, &d)
		})
	}
	return d, err
}

// follow lets an assignment take the place of the one in the address, of the same person, if there
// is one there.
func (v *visit) follow(l *desk.Look, d *draft) error {
	if d.Follows = parseID(v.r.FormValue("follows")); d.Follows == 0 {
		return nil
	}
	m, err := l.Mandate(d.Follows)
	if err == nil && m.Client != d.Client {
		err = register.ErrNotFound
	}
	d.Person = m.Person.ID
	return err
}

func (v *visit) who() (answer, error) {
	d, err := v.draft()
	if err != nil {
		return answer{}, err
	}
	if d.Kind == askMany {
		return goTo(manyAt)
	}
	return v.whoPage(d, d.at("who"), nil)
}

func (v *visit) setWho() (answer, error) {
	d, err := v.draft()
	if err != nil {
		return answer{}, err
	}
	return v.tookWho(d, d.at("who"))
}

// tookWho reads who it is for.
func (v *visit) tookWho(d draft, address string) (answer, error) {
	wrong := faults{}
	if !d.toPeople() || d.Kind == onPaper {
		d.KvK, d.Name = v.readKvK("kvk", wrong), v.said("name")
		if tooLong(d.Name) {
			wrong["name"] = v.say.Say("wrong name")
		}
	}
	if d.Kind == onPaper {
		v.readPaper(&d, wrong)
	}
	if d.toPeople() {
		v.readPerson(&d, wrong)
	}
	if len(wrong) > 0 {
		return v.whoPage(d, address, wrong)
	}
	if err := v.save(d); err != nil {
		return answer{}, err
	}
	return goTo(d.at("what"))
}

// readKvK reads a number as people type it: with spaces or points in between.
func (v *visit) readKvK(field string, wrong faults) string {
	text := strings.NewReplacer(" ", "", ".", "", "-", "").Replace(v.said(field))
	if _, err := etoegang.ParseKvKNumber(text); err != nil {
		wrong[field] = v.say.Say("wrong number")
	}
	return text
}

// newPerson is the choice of somebody who has no mandate here yet.
const newPerson = "new"

func (v *visit) readPerson(d *draft, wrong faults) {
	d.Person, d.Authenticator, d.Pseudonym, d.PersonName = 0, v.said("authenticator"), v.said("pseudonym"), v.said("person-name")
	choice := v.said("person")
	if choice != newPerson && choice != "" && d.Kind != onPaper {
		d.Person = mandate.PersonID(parseID(choice))
		switch {
		case d.Person == 0:
			wrong["person"] = v.say.Say("wrong person")
		case d.Authenticator+d.Pseudonym+d.PersonName != "": // nobody guesses whom he means
			wrong["person"] = v.say.Say("wrong two people")
		}
		return
	}
	if e, err := etoegang.ParseEntityID(d.Authenticator); err != nil || e.Role() != etoegang.Authenticator && e.Role() != etoegang.EIDAS {
		wrong["authenticator"] = v.say.Say("wrong authenticator")
	}
	if _, err := etoegang.ParsePseudonym(d.Pseudonym); err != nil {
		wrong["pseudonym"] = v.say.Say("wrong pseudonym")
	}
	if d.PersonName == "" || tooLong(d.PersonName) {
		wrong["person-name"] = v.say.Say("wrong name")
	}
}

// tooLong tells whether a name has more than its hundred characters.
func tooLong(name string) bool { return utf8.RuneCountInString(name) > 100 }

func parseID(text string) mandate.ID {
	var id mandate.ID
	for _, c := range text {
		if c < '0' || c > '9' || id > 1<<52 {
			return 0
		}
		id = id*10 + mandate.ID(c-'0')
	}
	return id
}

// steps are those of a grant.
func (v *visit) steps(now int) look.Steps {
	return look.Steps{Now: now, Names: []string{v.say.Say("step who"), v.say.Say("step what"), v.say.Say("step check")}}
}

// page is a page on which something is wrong with a form, or nothing.
func page(p look.Page, f faults) (answer, error) {
	if len(f) > 0 {
		return answer{page: p, status: wrong}, nil
	}
	return answer{page: p}, nil
}

func (v *visit) whoPage(d draft, address string, f faults) (answer, error) {
	var fields []look.Part
	if !d.toPeople() || d.Kind == onPaper {
		fields = append(fields,
			look.Field{Name: "kvk", Label: v.say.Say("kvk " + d.Kind), Hint: v.say.Say("kvk hint"), Error: f["kvk"], Input: kvkInput(d.KvK)},
			look.Field{Name: "name", Label: v.say.Say("company name"), Hint: v.say.Say("company name hint"), Optional: true, Error: f["name"], Input: look.TextInput{Value: d.Name, MaxLength: 100}})
	}
	if d.Kind == onPaper {
		fields = append(fields, look.Field{Name: "office", Label: v.say.Say("paper office"), Hint: v.say.Say("paper office hint"), Optional: true, Error: f["office"],
			Input: kvkInput(d.Office)})
	}
	if d.toPeople() {
		list, err := v.personFields(d, f)
		if err != nil {
			return answer{}, err
		}
		fields = append(fields, list...)
	}
	if d.Kind == onPaper {
		fields = append(fields, v.paperFields("papers text", papers, d.Papers, f)...)
	}
	form := look.Form{Parts: fields, Buttons: []look.Button{{Text: v.say.Say("next")}}, Cancel: v.cancel("/")}
	parts := []look.Part{v.steps(1)}
	if d.Client != 0 {
		form.Hidden = []look.Hidden{{Name: "client", Value: idText(d.Client)}, {Name: "follows", Value: idText(d.Follows)}}
	}
	again := address
	if address == assignAt {
		again = assignTo(d.Client, d.Follows)
	}
	return page(look.Page{Title: v.say.Say("who " + d.Kind), Parts: append(parts, v.form(address, form)), Address: again}, f)
}

// assignAt is where somebody is assigned to a client, and assignTo where that is begun for the
// client who has given that mandate; it may follow an assignment that is there.
const assignAt = "/grant/" + assignIt

func assignTo(client, follows mandate.ID) string {
	at := assignAt + "?client=" + idText(client)
	if follows != 0 {
		at += "&follows=" + idText(follows)
	}
	return at
}

// personFields let somebody choose one of his people, or name a new one.
func (v *visit) personFields(d draft, f faults) (list []look.Part, err error) {
	var known []mandate.Person
	if d.Kind != onPaper {
		if err := v.look(func(l *desk.Look) (err error) { known, err = v.people(l, d.Follows); return err }); err != nil {
			return nil, err
		}
	}
	optional := len(known) > 0 || d.Kind == onPaper
	fresh := []look.Part{
		look.Field{Name: "person-name", Label: v.say.Say("person name"), Optional: optional, Error: f["person-name"], Input: look.TextInput{Value: d.PersonName, MaxLength: 100}},
		look.Field{Name: "authenticator", Label: v.say.Say("authenticator"), Hint: v.say.Say("authenticator hint"), Optional: optional, Error: f["authenticator"], Input: look.TextInput{Value: d.Authenticator, MaxLength: 100}},
		look.Field{Name: "pseudonym", Label: v.say.Say("pseudonym"), Hint: v.say.Say("pseudonym hint"), Optional: optional, Error: f["pseudonym"], Input: look.TextInput{Value: d.Pseudonym, MaxLength: 100}},
	}
	if len(known) == 0 {
		return fresh, nil
	}
	options := look.SelectInput{}
	for i, p := range known {
		label := v.person(p)
		if i > 0 && v.person(known[i-1]) == label || i+1 < len(known) && v.person(known[i+1]) == label {
			label = v.say.Say("person of two", "name", label, "number", idText(p.ID))
		}
		options = append(options, look.Option{Value: idText(p.ID), Label: label, Chosen: p.ID == d.Person})
	}
	options = append(options, look.Option{Value: newPerson, Label: v.say.Say("somebody new"), Chosen: d.Pseudonym != ""})
	list = []look.Part{look.Field{Name: "person", Label: v.say.Say("person"), Error: f["person"], Input: options}}
	if len(f) > 0 || d.Pseudonym != "" { // what is wrong, or filled in, does not hide
		return append(list, fresh...), nil
	}
	return append(list, look.Details{Summary: v.say.Say("somebody new"), Parts: append([]look.Part{look.Paragraph{Text: v.say.Say("somebody new text")}}, fresh...)}), nil
}

// mostPeople is how many mandates are looked through for people to choose from.
const mostPeople = 1000

// people are those who have a mandate of the visitor's organisation, by name. However many there
// are, who has the one that is to be followed is among them.
func (v *visit) people(l *desk.Look, follows mandate.ID) (list []mandate.Person, err error) {
	seen := map[mandate.PersonID]bool{}
	if follows != 0 {
		m, err := l.Mandate(follows)
		if err != nil {
			return nil, err
		}
		seen[m.Person.ID], list = true, []mandate.Person{m.Person}
	}
	for _, kind := range []mandate.Kind{mandate.Direct, mandate.Assignment} {
		all, _, err := l.Mandates(register.Filter{Kind: kind, Side: mandate.GrantorSide}, 0, mostPeople)
		if err != nil {
			return nil, err
		}
		for _, m := range all {
			if !seen[m.Person.ID] {
				seen[m.Person.ID] = true
				list = append(list, m.Person)
			}
		}
	}
	slices.SortFunc(list, func(a, b mandate.Person) int { return strings.Compare(v.person(a), v.person(b)) })
	return list, nil
}

func (v *visit) what() (answer, error) {
	d, err := v.draft()
	if err != nil {
		return answer{}, err
	}
	return v.whatPage(d, nil)
}

// Of a longer list than mostShown not all is shown: one searches in it, in so many characters.
const (
	mostShown     = 30
	longestSearch = 100
)

func (v *visit) setWhat() (answer, error) {
	d, err := v.draft()
	if err != nil {
		return answer{}, err
	}
	search := v.short("search", longestSearch)
	searches := v.said("do") == "search" || search != "" && search != d.Search // who presses Enter there searches, too
	d.Search, d.Much, d.Provider, d.Level = search, v.said("much"), v.said("provider"), v.said("level")
	d.Services = nil
	for _, s := range v.r.PostForm["services"] {
		if _, err := etoegang.ParseServiceUUID(s); err == nil && !slices.Contains(d.Services, s) && len(d.Services) < 200 {
			d.Services = append(d.Services, s)
		}
	}
	d.Sets = v.readSets()
	f := faults{}
	day := look.ReadDate(v.r.PostForm, "to")
	d.To = v.readLastDay(day, f)
	if searches {
		if err := v.save(d); err != nil {
			return answer{}, err
		}
		return goTo(d.at("what"))
	}
	if level, err := etoegang.ParseLevelName(d.Level); d.Much != asClient && (err != nil || !level.Supported()) {
		f["level"] = v.say.Say("wrong level")
	}
	if d.Much != asClient {
		err := v.listed(d)
		wrong := v.beside(err, "services")
		if err != nil && wrong == nil {
			return answer{}, err
		}
		maps.Copy(f, wrong)
	}
	if len(f) > 0 {
		return v.whatPageWith(d, day, f)
	}
	if err := v.save(d); err != nil {
		return answer{}, err
	}
	return goTo(d.at("check"))
}

// readLastDay reads the last day of something; it ends when that day does.
func (v *visit) readLastDay(day look.DateInput, f faults) time.Time {
	at, err := day.At()
	switch {
	case errors.Is(err, look.ErrNoDate):
		f["to"] = v.say.Say("wrong no end")
	case err != nil:
		f["to"] = v.say.Say("wrong day")
	default:
		if end := mandate.EndOfDay(at); end.After(v.now) {
			return end
		}
		f["to"] = v.say.Say("wrong order")
	}
	return time.Time{}
}

// listed tells whether the catalogue has what was chosen.
func (v *visit) listed(d draft) error {
	s, err := d.scope(mandate.Mandate{}, v.c.Desk.Terms().Sets)
	if err != nil {
		return err
	}
	return v.look(func(l *desk.Look) error { return l.Listed(s, d.Client, d.Follows) })
}

// whatPage is the second step, with what most people want filled in.
func (v *visit) whatPage(d draft, f faults) (answer, error) {
	if d.Much == "" {
		d.Much = someServices
		if d.Kind == assignIt {
			d.Much = asClient
		}
	}
	if d.To.IsZero() {
		asks := d.Kind == askIt || d.Kind == askMany
		if err := v.look(func(l *desk.Look) (err error) { d.To, err = v.usualEnd(l, v.now, asks, d.Client); return err }); err != nil {
			return answer{}, err
		}
	}
	return v.whatPageWith(d, lastDayInput(d.To), f)
}

// usualEnd is a year from a day on, or as long as any mandate can last; for who does not only ask
// when he can grant no longer, and for an assignment when the client's mandate ends.
func (v *visit) usualEnd(l *desk.Look, from time.Time, asks bool, client mandate.ID) (time.Time, error) {
	end := mandate.AddYears(from, 1)
	if most := mandate.AddYears(v.now, mandate.MaxYears); most.Before(end) {
		end = most
	}
	if !asks {
		end = l.Actor().Reach(end)
	}
	end = mandate.StartOfDay(end)
	if client == 0 {
		return end, nil
	}
	m, err := l.Mandate(client)
	if err == nil && m.Validity.To.Before(end) {
		end = m.Validity.To
	}
	return end, err
}

func (v *visit) whatPageWith(d draft, to look.DateInput, f faults) (answer, error) {
	much := look.RadioInput{}
	if d.Kind == assignIt {
		much = append(much, look.Option{Value: asClient, Label: v.say.Say("much client"), Chosen: d.Much == asClient})
	}
	for _, m := range []string{someServices, allOfOne, allThereIs} {
		much = append(much, look.Option{Value: m, Label: v.say.Say("much " + m), Chosen: d.Much == m})
	}
	services, more := v.serviceChoice(d)
	wrongMuch := ""
	if len(services) == 0 { // there is no such field to say it beside
		wrongMuch = f["services"]
	}
	fields := []look.Part{look.Field{Name: "much", Label: v.say.Say("much"), Error: wrongMuch, Input: much}}
	if sets := v.setChoice(d); len(sets) > 0 {
		fields = append(fields, look.Field{Name: "sets", Label: v.say.Say("sets"), Hint: v.say.Say("sets hint"), Input: sets})
	}
	buttons := []look.Button{{Text: v.say.Say("next")}}
	if more {
		fields = append(fields, look.Field{Name: "search", Label: v.say.Say("search service"), Hint: v.say.Say("search service hint"), Optional: true, Input: look.TextInput{Type: "search", Value: d.Search, MaxLength: longestSearch}})
		buttons = append(buttons, look.Button{Text: v.say.Say("search"), Kind: look.Secondary, Name: "do", Value: "search"})
	}
	if len(services) > 0 {
		fields = append(fields, look.Field{Name: "services", Label: v.say.Say("services"), Error: f["services"], Input: services})
	} else {
		fields = append(fields, look.Paragraph{Text: v.say.Say("no services")})
	}
	if providers := v.providers(); len(providers) > 0 {
		for i := range providers {
			providers[i].Chosen = providers[i].Value == d.Provider
		}
		fields = append(fields, look.Field{Name: "provider", Label: v.say.Say("provider"), Hint: v.say.Say("provider hint"), Input: look.SelectInput(providers)})
	}
	fields = append(fields,
		look.Field{Name: "level", Label: v.say.Say("level"), Hint: v.say.Say("level hint"), Error: f["level"], Input: v.levels(d)},
		look.Field{Name: "to", Label: v.say.Say("to"), Hint: v.say.Say("to hint"), Error: f["to"], Input: to})
	return page(look.Page{Title: v.say.Say("what"), Address: d.at("what"), Parts: []look.Part{
		v.steps(2),
		v.form(d.at("what"), look.Form{Parts: fields, Buttons: buttons, Cancel: &look.Link{Text: v.say.Say("back"), Address: d.at("who")}}),
	}}, f)
}

// serviceChoice are services to choose from: those that were chosen, and what was searched for.
// more tells that there are others.
func (v *visit) serviceChoice(d draft) (list look.CheckInput, more bool) {
	all := v.offer()
	words := strings.Fields(strings.ToLower(d.Search))
	found := 0
	for _, s := range all {
		uuid, name := s.Service.UUID.String(), v.service(s)
		chosen := slices.Contains(d.Services, uuid)
		fits := len(all) <= mostShown || len(words) > 0 && !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(strings.ToLower(name), w) })
		if !chosen && (!fits || found == mostShown) {
			continue
		}
		if !chosen {
			found++
		}
		list = append(list, look.Option{Value: uuid, Label: name, Chosen: chosen})
	}
	return list, len(all) > mostShown
}

// levels to choose from: the highest only where somebody is seen in person.
func (v *visit) levels(d draft) (list look.RadioInput) {
	all := []etoegang.AssuranceLevel{etoegang.LoA2, etoegang.LoA2Plus, etoegang.LoA3}
	if d.Kind == onPaper {
		all = append(all, etoegang.LoA4)
	}
	chosen := d.Level
	if chosen == "" {
		chosen = min(etoegang.LoA3, max(etoegang.LoA2, v.session.level())).String()
	}
	for _, l := range all {
		list = append(list, look.Option{Value: l.String(), Label: v.level(l), Chosen: l.String() == chosen})
	}
	return list
}

// check is the third step: the very text that is agreed to.
func (v *visit) check() (answer, error) {
	d, err := v.draft()
	if err != nil {
		return answer{}, err
	}
	if d.To.IsZero() {
		return goTo(d.at("what"))
	}
	if d.Kind == askMany {
		return v.checkMany(d)
	}
	var made ready
	if err := v.look(func(l *desk.Look) (err error) { made, err = v.make(l, d); return err }); err != nil {
		return v.backTo(d, err)
	}
	lines := v.text(made.deal)
	parts := append([]look.Part{v.steps(3)}, shown(lines)...)
	for _, note := range v.notes(d) {
		parts = append(parts, look.Notice{Title: note})
	}
	return answer{page: look.Page{Title: v.say.Say("check"), Address: d.at("check"), Parts: append(parts,
		look.Links{{Text: v.say.Say("change who"), Address: d.at("who")}, {Text: v.say.Say("change what"), Address: d.at("what")}},
		v.form(d.at("check"), look.Form{
			Hidden:  []look.Hidden{{Name: "text", Value: sumOf(v.consent(lines))}},
			Buttons: []look.Button{{Text: v.say.Say("confirm " + d.Kind)}}, Cancel: v.cancel("/"),
		}),
	)}}, nil
}

// notes are what else somebody should know before he confirms.
func (v *visit) notes(d draft) (list []string) {
	switch d.Kind {
	case askIt:
		list = append(list, v.say.Say("note ask"))
	case onPaper:
		list = append(list, v.say.Say("note paper"))
	}
	if d.Much == allThereIs {
		list = append(list, v.say.Say("note everything"))
	}
	return append(list, v.setNotes(d)...)
}

// sumOf names a text that was shown.
func sumOf(c register.Consent) string {
	sum := sha256.Sum256([]byte(c.Language + "\n" + c.Text))
	return hex.EncodeToString(sum[:])
}

// confirm makes the mandate, or asks for it. What is recorded is what was shown: if that would
// be another text now, it is shown anew.
func (v *visit) confirm() (answer, error) {
	d, err := v.draft()
	if err != nil {
		return answer{}, err
	}
	if d.Kind == askMany {
		return v.beginAsking(d)
	}
	var made ready
	if err := v.look(func(l *desk.Look) (err error) { made, err = v.make(l, d); return err }); err != nil {
		return v.backTo(d, err)
	}
	made.wish.Consent = v.consent(v.text(made.deal))
	if v.said("text") != sumOf(made.wish.Consent) {
		return v.shownAnew(v.check())
	}
	done, err := v.c.Desk.Ask(v.ctx(), v.caller(), "page: "+d.Kind, made.wish)
	if err != nil {
		return v.backTo(d, err)
	}
	return goTo("/mandates/" + idText(done.Mandate.ID) + "?done=" + string(done.Mandate.State))
}

// shownAnew says above a page that what is on it has changed.
func (v *visit) shownAnew(a answer, err error) (answer, error) {
	a.status = late
	a.page.Parts = append([]look.Part{look.Notice{Kind: look.Warning, Title: v.say.Say("wrong changed")}}, a.page.Parts...)
	return a, err
}

// backTo shows the step to which an error belongs, with what is wrong beside its field.
func (v *visit) backTo(d draft, err error) (answer, error) {
	first, second := []string{"kvk", "form", "form-where", "extract"}, []string{"level", "to"}
	if d.toPeople() {
		first = append(first, "person")
	}
	if len(v.offer()) > 0 {
		second = append(second, "services")
	}
	if f := v.beside(err, first...); f != nil {
		return v.whoPage(d, d.at("who"), f)
	}
	if f := v.beside(err, second...); f != nil {
		return v.whatPage(d, f)
	}
	return answer{}, err
}
