package pages

import (
	"github.com/mandated/mandated/internal/desk"
	"github.com/mandated/mandated/internal/look"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
)

// The register's staff dismiss somebody who manages a company's mandates, say after a report of
// fraud: with a reason, and on evidence, which whoever looks later sees again.

// dismissalPapers are the pieces of evidence for that, of which one is enough. What was never taken
// up needs none.
var dismissalPapers = []paper{{"notice", mandate.Notice, true}, {"form", mandate.SignedForm, true}, {"resolution", mandate.Resolution, true}}

func appointmentAt(a mandate.Appointment) string {
	return partyAt(a.Organisation.ID) + "/appointments/" + idText(a.ID)
}

// toDismissal leads to where somebody is dismissed, or to how he was.
func (v *visit) toDismissal(a mandate.Appointment) look.Link {
	if a.State.Ended() {
		return look.Link{Text: v.say.Say("dismissed how"), About: a.Name, Address: appointmentAt(a)}
	}
	return look.Link{Text: v.say.Say("dismiss"), About: a.Name, Address: appointmentAt(a) + "/dismiss"}
}

// theirs is the appointment in the address, if it is one of the organisation there.
func (v *visit) theirs(l *desk.Look) (found mandate.Appointment, err error) {
	id := mandate.AppointmentID(v.number("id"))
	if id == 0 {
		return found, register.ErrNotFound
	}
	list, _, err := l.AppointmentsIn(v.whose().Organisation, id-1, 1)
	if err == nil && (len(list) == 0 || list[0].ID != id) {
		err = register.ErrNotFound
	}
	if err != nil {
		return found, err
	}
	return list[0], nil
}

func (v *visit) askDismissTheirs() (answer, error) { return v.dismissTheirsPage(nil, nil) }

// dismissTheirsPage asks for a reason and evidence, or tells how somebody else was quicker.
func (v *visit) dismissTheirsPage(known []mandate.Evidence, f faults) (answer, error) {
	var a mandate.Appointment
	if err := v.look(func(l *desk.Look) (err error) { a, err = v.theirs(l); return err }); err != nil {
		return answer{}, err
	}
	if a.State.Ended() {
		return goTo(appointmentAt(a))
	}
	fields := append([]look.Part{v.whyField(f)}, v.paperFields("dismissal papers", dismissalPapers, known, f)...)
	return v.dismissal(a, partyAt(a.Organisation.ID), appointmentAt(a)+"/dismiss", fields, f)
}

func (v *visit) dismissTheirs() (answer, error) {
	f := faults{}
	if v.said("why") == "" {
		f["why"] = v.say.Say("wrong why")
	}
	known := v.readPapers(dismissalPapers, f)
	if len(f) > 0 {
		return v.dismissTheirsPage(known, f)
	}
	var a mandate.Appointment
	if err := v.look(func(l *desk.Look) (err error) { a, err = v.theirs(l); return err }); err != nil {
		return answer{}, err
	}
	if a.State.Ended() { // somebody else was quicker
		return goTo(appointmentAt(a))
	}
	_, err := v.c.Desk.Dismiss(v.ctx(), v.caller(), v.said("why"), a.ID, v.said("sure") == "yes", known)
	if f := v.beside(err, "why", "notice", "sure"); f != nil {
		return v.dismissTheirsPage(known, f)
	}
	if err != nil {
		return answer{}, err
	}
	return goTo(partyAt(a.Organisation.ID) + "?done=dismissed")
}

// howDismissed tells when and why somebody was dismissed, and on what that rests.
func (v *visit) howDismissed() (a answer, err error) {
	err = v.look(func(l *desk.Look) error {
		made, err := v.theirs(l)
		if err != nil {
			return err
		}
		d, err := l.Dismissal(made.ID)
		if err != nil {
			return err
		}
		parts := []look.Part{look.Description{
			{Term: v.say.Say("role"), Value: look.Cell{Text: v.say.Say("role " + string(made.Role))}},
			{Term: v.say.Say("when"), Value: look.Cell{Text: v.say.Moment(d.At)}},
		}}
		if len(d.Evidence) > 0 { // by the staff, in whose words the reason is; a company's own people give none
			parts[0] = append(parts[0].(look.Description), look.Item{Term: v.say.Say("why"), Value: look.Cell{Text: d.Author.Why}})
			parts = append(parts, v.paperTable(d.Evidence))
		}
		at := partyAt(made.Organisation.ID)
		a.page = look.Page{Title: v.say.Say("dismissed title", "name", made.Name), Parts: parts, Crumbs: []look.Link{
			{Text: v.say.Say("place /"), Address: "/"}, {Text: v.say.Say("place /parties"), Address: "/parties"}, {Text: v.party(made.Organisation), Address: at}}}
		return nil
	})
	return a, err
}
