package pages

import (
	"github.com/mandated/mandated/internal/desk"
	"github.com/mandated/mandated/internal/look"
	"github.com/mandated/mandated/pkg/mandate"
)

const contactAt = "/contact"

// askContact is where everybody who is appointed says where he wants to be written to.
func (v *visit) askContact() (answer, error) {
	var own mandate.Appointment
	err := v.look(func(l *desk.Look) (err error) { own, err = l.Appointment(); return err })
	if err != nil {
		return answer{}, err
	}
	return v.contactPage(own.Contact, nil)
}

func (v *visit) contactPage(c mandate.Contact, f faults) (answer, error) {
	if c.Language == "" {
		c.Language = string(v.say.Language)
	}
	languages := look.RadioInput{}
	for _, l := range []look.Language{look.Dutch, look.English} {
		languages = append(languages, look.Option{Value: string(l), Label: v.say.Say("language " + string(l)), Chosen: c.Language == string(l)})
	}
	return page(look.Page{Title: v.say.Say("contact"), Parts: append(v.happened(),
		look.Paragraph{Text: v.say.Say("contact text")},
		v.form(contactAt, look.Form{
			Parts: []look.Part{
				look.Field{Name: "email", Label: v.say.Say("email"), Hint: v.say.Say("email hint"), Optional: true, Error: f["email"], Input: look.TextInput{Type: "email", Autocomplete: "email", Value: c.Email, MaxLength: 254}},
				look.Field{Name: "language", Label: v.say.Say("letter language"), Error: f["language"], Input: languages},
			},
			Buttons: []look.Button{{Text: v.say.Say("save")}}, Cancel: v.cancel("/"),
		}))}, f)
}

// setContact keeps what was filled in: nothing is nowhere, in no language.
func (v *visit) setContact() (answer, error) {
	c, done := mandate.Contact{Email: v.said("email"), Language: v.said("language")}, "contact"
	if c.Email == "" {
		c, done = mandate.Contact{}, "no-contact"
	}
	_, err := v.c.Desk.SetContact(v.ctx(), v.caller(), c)
	if f := v.beside(err, "email", "language"); f != nil {
		return v.contactPage(c, f)
	}
	if err != nil {
		return answer{}, err
	}
	return goTo(contactAt + "?done=" + done)
}
