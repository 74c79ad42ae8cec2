package pages

import (
	"encoding/hex"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/mandated/mandated/internal/desk"
	"github.com/mandated/mandated/internal/look"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
)

const appointAt = "/appointments/new"

// appointments lists who manages mandates for the organisation, or the register's staff.
func (v *visit) appointments() (a answer, err error) {
	place := v.numbered("/appointments", "")
	err = v.look(func(l *desk.Look) error {
		list, more, err := l.Appointments(mandate.AppointmentID(place.after), perPage)
		if err != nil {
			return err
		}
		t := v.appointmentTable()
		t.Unseen, t.Columns = true, append(t.Columns, look.Column{Title: v.say.Say("do"), Unseen: true})
		for _, m := range list {
			row, err := v.appointmentRow(l, m)
			if err != nil {
				return err
			}
			if !m.State.Ended() {
				row = append(row, look.Cell{Links: []look.Link{{Text: v.say.Say("dismiss"), About: m.Name, Address: "/appointments/" + idText(m.ID) + "/dismiss"}}})
			}
			t.Rows = append(t.Rows, row)
		}
		t.Paging = place.paging(len(list), mandate.ID(lastOf(list).ID), more)
		a.page = look.Page{Title: v.say.Say("place /appointments"), Parts: append(v.happened(), look.Paragraph{Text: v.say.Say("appointments text")},
			look.Actions{v.action(v.say.Say("appoint title"), appointAt, look.Primary), v.action(v.say.Say("contact"), contactAt, look.Secondary)}, t)}
		return nil
	})
	return a, err
}

// appointmentTable is a list of appointments, to be filled with rows.
func (v *visit) appointmentTable() look.Table {
	return look.Table{Caption: v.say.Say("place /appointments"), Columns: []look.Column{
		{Title: v.say.Say("appointed name"), Names: true}, {Title: v.say.Say("role")}, {Title: v.say.Say("level")}, {Title: v.say.Say("until")}, {Title: v.say.Say("state")},
	}}
}

// appointmentRow is one of them; whoever shows a key with the first digits of it.
func (v *visit) appointmentRow(l *desk.Look, m mandate.Appointment) (look.Row, error) {
	row := look.Row{{Text: m.Name}, {Text: v.say.Say("role " + string(m.Role))}, {Text: v.level(m.Level)}, {Text: v.lastDay(m.Validity.To)}, {State: v.appointmentState(m)}}
	if !m.Role.MayShow() {
		return row, nil
	}
	shown, err := l.Credentials(m.ID)
	var notes []string
	for _, c := range shown {
		notes = append(notes, v.say.Say("fingerprint", "digits", hex.EncodeToString(c.Fingerprint[:4])))
	}
	row[1].Note = strings.Join(notes, ", ")
	return row, err
}

func (v *visit) appointmentState(a mandate.Appointment) *look.State {
	name, kind := string(a.State), look.Info
	switch {
	case a.State == mandate.Appointed && !v.now.Before(a.Validity.To):
		name = "expired"
	case a.State == mandate.Appointed:
		kind = look.Done
	case a.State == mandate.Invited:
		kind = look.Warning
	}
	return &look.State{Kind: kind, Text: v.say.Say("state " + name)}
}

// appointable are the roles that somebody can hand out.
func (v *visit) appointable() []mandate.Role {
	if v.isStaff() {
		return []mandate.Role{mandate.Administrator, mandate.Director, mandate.Staff}
	}
	return []mandate.Role{mandate.Administrator, mandate.Program, mandate.Reader}
}

func (v *visit) askAppoint() (answer, error) {
	var end time.Time
	err := v.look(func(l *desk.Look) error {
		end = mandate.StartOfDay(mandate.AddYears(v.now, 1))
		if until := mandate.StartOfDay(l.Actor().Until); until.Before(end) {
			end = until
		}
		return nil
	})
	if err != nil {
		return answer{}, err
	}
	return v.appointPage(lastDayInput(end), nil)
}

func (v *visit) appointPage(to look.DateInput, f faults) (answer, error) {
	title, text, name := "appoint title", "appoint text", "appoint name"
	if v.isStaff() { // a company's programs are its own affair
		title, text, name = "appoint person title", "appoint person text", "appointed name"
	}
	fields := []look.Part{look.Field{Name: "name", Label: v.say.Say(name), Hint: v.say.Say("appoint name hint"), Error: f["name"], Input: look.TextInput{Value: v.said("name"), MaxLength: 100}}}
	role := look.RadioInput{}
	for i, r := range v.appointable() {
		role = append(role, look.Option{Value: string(r), Label: v.say.Say("role " + string(r)), Chosen: string(r) == v.said("role") || v.said("role") == "" && i == 0})
	}
	fields = append(fields, look.Field{Name: "role", Label: v.say.Say("role"), Error: f["role"], Input: role})
	if v.isStaff() {
		authority := look.SelectInput{{Value: "", Label: v.say.Say("authority none")}}
		for _, a := range []mandate.Authority{mandate.Alone, mandate.Jointly, mandate.Limited} {
			authority = append(authority, look.Option{Value: string(a), Label: v.say.Say("authority " + string(a)), Chosen: string(a) == v.said("authority")})
		}
		fields = append(fields,
			look.Field{Name: "kvk", Label: v.say.Say("kvk"), Hint: v.say.Say("appoint kvk hint"), Optional: true, Error: f["kvk"], Input: kvkInput(v.said("kvk"))},
			look.Field{Name: "authority", Label: v.say.Say("authority"), Error: f["authority"], Input: authority})
	}
	if !v.isStaff() {
		fields = append(fields, look.Field{Name: "certificate", Label: v.say.Say("certificate"), Hint: v.say.Say("certificate hint"), Optional: true, Error: f["certificate"], Input: look.AreaInput{Value: v.said("certificate")}})
	}
	levels := v.levels(draft{Level: v.said("level")})
	fields = append(fields,
		look.Field{Name: "level", Label: v.say.Say("appoint level"), Hint: v.say.Say("appoint level hint"), Error: f["level"], Input: levels},
		look.Field{Name: "to", Label: v.say.Say("to"), Error: f["to"], Input: to})
	return page(look.Page{Title: v.say.Say(title), Parts: []look.Part{
		look.Paragraph{Text: v.say.Say(text)},
		v.form(appointAt, look.Form{Parts: fields, Buttons: []look.Button{{Text: v.say.Say("appoint")}}, Cancel: v.cancel("/appointments")}),
	}}, f)
}

// letter is an invitation as it is handed over: the code is told now and never again. It can
// be looked at for a while, by the one who made it, for paper can jam.
type letter struct {
	Code    string    `json:"c"`
	Name    string    `json:"n"`
	Company string    `json:"o"`
	Until   time.Time `json:"u"`
}

const letterLasts = 10 * time.Minute

func (v *visit) placeOfLetter(name string) string { return "letter " + v.holder() + " " + name }

func (v *visit) appoint() (answer, error) {
	f := faults{}
	day := look.ReadDate(v.r.PostForm, "to")
	want := desk.Appointment{Name: v.said("name"), Role: mandate.Role(v.said("role")), Authority: mandate.Authority(v.said("authority")),
		Validity: mandate.Validity{From: v.now.UTC().Truncate(time.Second), To: v.readLastDay(day, f)}}
	want.Level, _ = etoegang.ParseLevelName(v.said("level"))
	switch {
	case !v.isStaff():
		want.Company, _ = etoegang.ParseKvKNumber(v.session.Company)
	case want.Role != mandate.Staff:
		want.Company, _ = etoegang.ParseKvKNumber(v.readKvK("kvk", f))
	}
	want.Credentials = v.readCredentials(f)
	if !slices.Contains(v.appointable(), want.Role) {
		f["role"] = v.say.Say("wrong role")
	}
	if len(f) > 0 {
		return v.appointPage(day, f)
	}
	made, err := v.c.Desk.Appoint(v.ctx(), v.caller(), "page: appointed", want)
	if f := v.beside(err, "name", "role", "kvk", "authority", "certificate", "level", "to"); f != nil {
		return v.appointPage(day, f)
	}
	if err != nil {
		return answer{}, err
	}
	if made.Appointment.Role.Software() {
		return goTo("/appointments?done=program") // nobody is invited
	}
	l := letter{made.Invitation, made.Appointment.Name, v.c.Name, made.Appointment.Validity.To}
	if made.Appointment.Role != mandate.Staff {
		l.Company = v.party(made.Appointment.Organisation)
	}
	name := newName()
	if err := v.keep.keep(v.ctx(), v.placeOfLetter(name), l, v.now.Add(letterLasts)); err != nil {
		return answer{}, err
	}
	return goTo("/letters/" + name)
}

// readCredentials reads with what a program shows who it is. A private key is not shown again.
func (v *visit) readCredentials(f faults) []register.Credential {
	text := v.said("certificate")
	if text == "" {
		return nil
	}
	c, err := desk.ReadCredential([]byte(text), v.now)
	if errors.Is(err, desk.ErrSecretKey) {
		v.r.PostForm.Del("certificate")
	}
	maps.Copy(f, v.beside(err, "certificate"))
	return []register.Credential{c}
}

func (v *visit) letter() (answer, error) {
	var l letter
	err := v.keep.look(v.ctx(), v.placeOfLetter(v.r.PathValue("letter")), &l)
	if errors.Is(err, errGone) {
		return answer{}, register.ErrNotFound
	}
	if err != nil {
		return answer{}, err
	}
	where := v.c.Address + "/invitation"
	return answer{page: look.Page{Title: v.say.Say("letter"), Parts: []look.Part{
		look.Notice{Kind: look.Warning, Title: v.say.Say("letter once"), Text: v.say.Say("letter once text")},
		look.Paragraph{Text: v.say.Say("letter dear", "name", l.Name)},
		look.Paragraph{Text: v.say.Say("letter text", "company", l.Company)},
		look.List{Ordered: true, Items: []string{v.say.Say("letter go", "where", where), v.say.Say("letter log in", "company", l.Company), v.say.Say("letter type")}},
		look.Paragraph{Text: v.say.Say("letter code"), Code: inGroups(l.Code)},
		look.Paragraph{Text: v.say.Say("letter until", "until", v.lastDay(l.Until))},
		look.Links{{Text: v.say.Say("place /appointments"), Address: "/appointments"}},
	}}}, nil
}

// colleague is the appointment in the address, if it is one of the visitor's organisation.
func (v *visit) colleague() (found mandate.Appointment, err error) {
	id := mandate.AppointmentID(v.number("id"))
	if id == 0 {
		return found, register.ErrNotFound
	}
	err = v.look(func(l *desk.Look) error {
		list, _, err := l.Appointments(id-1, 1)
		if err == nil && (len(list) == 0 || list[0].ID != id) {
			err = register.ErrNotFound
		}
		if err == nil {
			found = list[0]
		}
		return err
	})
	return found, err
}

func (v *visit) askDismiss() (answer, error) {
	a, err := v.colleague()
	if err != nil {
		return answer{}, err
	}
	return v.dismissPage(a, nil)
}

func (v *visit) dismissPage(a mandate.Appointment, f faults) (answer, error) {
	return v.dismissal(a, "/appointments", "/appointments/"+idText(a.ID)+"/dismiss", nil, f)
}

// dismissal asks once more before somebody is dismissed, with the fields that it takes. Whether
// somebody knows that nobody is left is asked when that is so.
func (v *visit) dismissal(a mandate.Appointment, from, address string, fields []look.Part, f faults) (answer, error) {
	consequences := []string{v.say.Say("dismiss now", "name", a.Name), v.say.Say("dismiss keeps")}
	if sure := v.said("sure") == "yes"; sure || f["sure"] != "" {
		consequences = append(consequences, v.say.Say("dismiss last"))
		fields = append(fields, look.Field{Name: "sure", Label: v.say.Say("sure"), Error: f["sure"], Input: look.CheckInput{{Value: "yes", Label: v.say.Say("sure nobody left"), Chosen: sure}}})
	}
	return page(look.Page{Title: v.say.Say("dismiss title", "name", a.Name), Parts: []look.Part{look.Confirm{
		Title: v.say.Say("dismiss sure", "name", a.Name), Consequences: consequences,
		About: look.Description{{Term: v.say.Say("role"), Value: look.Cell{Text: v.say.Say("role " + string(a.Role))}}, {Term: v.say.Say("until"), Value: look.Cell{Text: v.lastDay(a.Validity.To)}}},
		Form:  v.form(address, look.Form{Parts: fields, Buttons: []look.Button{{Text: v.say.Say("dismiss")}}, Cancel: v.cancel(from)}),
	}}}, f)
}

func (v *visit) dismiss() (answer, error) {
	a, err := v.colleague()
	if err != nil {
		return answer{}, err
	}
	_, err = v.c.Desk.Dismiss(v.ctx(), v.caller(), "page: dismissed", a.ID, v.said("sure") == "yes", nil)
	if f := v.beside(err, "sure"); f != nil {
		return v.dismissPage(a, f)
	}
	if err != nil {
		return answer{}, err
	}
	if a.ID == v.session.role.Appointment { // he has dismissed himself
		v.session.role = nil
		return answer{to: "/"}, v.seen(v.session)
	}
	return goTo("/appointments?done=dismissed")
}
