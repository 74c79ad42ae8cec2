package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
)

type showCommand struct {
	ID int64 `arg:"" help:"Number of the mandate."`
}

// historyView is all that is known of one mandate.
type historyView struct {
	Versions []versionView `json:"versions"`
	Steps    []stepView    `json:"steps"`
	Told     []toldView    `json:"told"`
}

// versionView is one version of a mandate in its history.
type versionView struct {
	Revision register.Revision `json:"revision"`
	At       time.Time         `json:"at"`
	By       string            `json:"by"`
	Why      string            `json:"why"`
	Mandate  mandateView       `json:"mandate"`
}

// stepView is what somebody did to it, and on what that rests.
type stepView struct {
	At          time.Time             `json:"at"`
	Act         mandate.Act           `json:"act"`
	Side        mandate.Side          `json:"side"`
	Appointment mandate.AppointmentID `json:"appointment,omitempty"`
	Language    string                `json:"language,omitempty"`
	Consent     string                `json:"consent,omitempty"`
	Catalogue   int64                 `json:"catalogue,omitempty"`
	Evidence    []evidenceView        `json:"evidence,omitempty"`
}

type evidenceView struct {
	Kind   mandate.EvidenceKind `json:"kind"`
	Dated  time.Time            `json:"dated"`
	Where  string               `json:"where"`
	SHA256 string               `json:"sha256,omitempty"`
}

// toldView is what an organisation was told of it, or is to be.
type toldView struct {
	At           time.Time              `json:"at"`
	News         mandate.News           `json:"news"`
	Organisation mandate.OrganisationID `json:"organisation,omitempty"` // none: the register's staff
}

func viewStep(s register.Step) stepView {
	v := stepView{At: s.At, Act: s.Act, Side: s.Side, Appointment: s.Appointment, Language: s.Consent.Language, Consent: s.Consent.Text, Catalogue: s.Catalogue}
	for _, e := range s.Evidence {
		view := evidenceView{Kind: e.Kind, Dated: e.Dated, Where: e.Where}
		if e.SHA256 != [32]byte{} {
			view.SHA256 = fmt.Sprintf("%x", e.SHA256)
		}
		v.Evidence = append(v.Evidence, view)
	}
	return v
}

// rests says in a few words on what a step rests.
func (v stepView) rests() string {
	var list []string
	if v.Consent != "" {
		list = append(list, "a text in "+v.Language)
	}
	for _, e := range v.Evidence {
		list = append(list, fmt.Sprintf("%s of %s (%s)", e.Kind, date(e.Dated), e.Where))
	}
	return strings.Join(list, ", ")
}

func (c showCommand) Run(e *environment) error {
	var history historyView
	err := e.read(func(s *register.Snapshot) error {
		versions, err := s.History(mandate.ID(c.ID))
		if err != nil {
			return err
		}
		for _, v := range versions {
			history.Versions = append(history.Versions, versionView{v.Revision, v.At, v.Author.Who, v.Author.Why, viewOf(v.Mandate)})
		}
		steps, err := s.Steps(mandate.ID(c.ID))
		for _, step := range steps {
			history.Steps = append(history.Steps, viewStep(step))
		}
		if err != nil {
			return err
		}
		told, err := s.Told(mandate.ID(c.ID))
		for _, n := range told {
			history.Told = append(history.Told, toldView{n.At, n.News, n.To})
		}
		return err
	})
	if errors.Is(err, register.ErrNotFound) {
		return fmt.Errorf("there is no mandate %d: \"mandated list\" shows them", c.ID)
	}
	if err != nil {
		return err
	}
	return e.show(history, func() { history.tell(e) })
}

func (h historyView) tell(e *environment) {
	e.table([][]string{mandateHeader, mandateRow(h.Versions[len(h.Versions)-1].Mandate)})
	fmt.Fprintln(e.out)
	rows := [][]string{{"REVISION", "AT", "STATE", "BY", "WHY"}}
	for _, v := range h.Versions {
		rows = append(rows, []string{fmt.Sprint(v.Revision), v.At.UTC().Format(time.RFC3339), v.Mandate.State, v.By, v.Why})
	}
	e.table(rows)
	if len(h.Steps) > 0 {
		h.tellSteps(e)
	}
	if len(h.Told) > 0 {
		h.tellTold(e)
	}
}

func (h historyView) tellSteps(e *environment) {
	fmt.Fprintln(e.out)
	rows := [][]string{{"AT", "STEP", "SIDE", "APPOINTMENT", "RESTS ON"}}
	for _, s := range h.Steps {
		appointment := "-"
		if s.Appointment != 0 {
			appointment = fmt.Sprint(s.Appointment)
		}
		rows = append(rows, []string{s.At.UTC().Format(time.RFC3339), string(s.Act), string(s.Side), appointment, s.rests()})
	}
	e.table(rows)
}

func (h historyView) tellTold(e *environment) {
	fmt.Fprintln(e.out)
	rows := [][]string{{"AT", "NEWS", "TO ORGANISATION"}}
	for _, n := range h.Told {
		to := "the staff"
		if n.Organisation != 0 {
			to = fmt.Sprint(n.Organisation)
		}
		rows = append(rows, []string{n.At.UTC().Format(time.RFC3339), string(n.News), to})
	}
	e.table(rows)
}
