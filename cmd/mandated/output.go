package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
)

// show writes data: as JSON when asked, else in the words that text writes.
func (e *environment) show(data any, text func()) error {
	if !e.json {
		text()
		return nil
	}
	encoder := json.NewEncoder(e.out)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(data)
}

// table writes aligned columns, the first row being their names.
func (e *environment) table(rows [][]string) {
	w := tabwriter.NewWriter(e.out, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		fmt.Fprintln(w, strings.TrimRight(strings.Join(row, "\t"), "\t "))
	}
	_ = w.Flush() // a reader who left needs nothing more
}

// date writes a moment for people: a bare date when it is midnight in Amsterdam.
func date(at time.Time) string {
	if at.IsZero() {
		return "-"
	}
	if at.Equal(mandate.StartOfDay(at)) {
		return at.Add(12 * time.Hour).UTC().Format(time.DateOnly)
	}
	return at.UTC().Format(time.RFC3339)
}

// receiptView is what a change did, as programs read it.
type receiptView struct {
	Revision  register.Revision `json:"revision"`
	Committed time.Time         `json:"committed_at"`
	Effective time.Time         `json:"effective_at"` // from then on no node answers as before
}

func viewReceipt(r register.Receipt) receiptView {
	return receiptView{r.Revision, r.Committed.UTC(), r.Effective.UTC()}
}

// String is for people: when everybody has heard of it matters only if it takes
// something away.
func (r receiptView) String() string {
	text := fmt.Sprintf("revision %d", r.Revision)
	if r.Effective.After(r.Committed) {
		text += ", effective everywhere since " + r.Effective.Format("15:04:05.000Z07:00")
	}
	return text
}

// mandateView is a mandate as programs read it.
type mandateView struct {
	ID             mandate.ID `json:"id"`
	Kind           string     `json:"kind"`
	Grantor        partyView  `json:"grantor"`
	Intermediary   *partyView `json:"intermediary,omitempty"`
	Person         *partyView `json:"person,omitempty"`
	Client         mandate.ID `json:"client,omitempty"`
	Register       string     `json:"register,omitempty"`
	Scope          []string   `json:"scope"`
	Establishments []string   `json:"establishments,omitempty"`
	State          string     `json:"state"`
	From           time.Time  `json:"from"`
	Until          time.Time  `json:"until"`
	Reference      string     `json:"reference,omitempty"`
}

// partyView is an organisation or a person.
type partyView struct {
	Number int64  `json:"number"`
	KvK    string `json:"kvk,omitempty"`
	Name   string `json:"name,omitempty"`
}

func viewOf(m mandate.Mandate) mandateView {
	v := mandateView{
		ID: m.ID, Kind: string(m.Kind), Grantor: organisationView(m.Grantor), Client: m.Client,
		Register: m.Register.String(), State: string(m.State), From: m.Validity.From, Until: m.Validity.To, Reference: m.Reference,
	}
	if m.Intermediary.ID != 0 {
		a := organisationView(m.Intermediary)
		v.Intermediary = &a
	}
	if m.Person.ID != 0 {
		v.Person = &partyView{Number: int64(m.Person.ID), Name: m.Person.Name}
	}
	for _, item := range m.Scope {
		v.Scope = append(v.Scope, item.String())
	}
	for _, n := range m.Establishments {
		v.Establishments = append(v.Establishments, n.Text())
	}
	return v
}

func organisationView(o mandate.Organisation) partyView {
	return partyView{Number: int64(o.ID), KvK: o.KvK.Text(), Name: o.Name}
}

// String is a party as people read it.
func (p partyView) String() string {
	switch {
	case p.Name != "" && p.KvK != "":
		return p.Name + " (" + p.KvK + ")"
	case p.Name != "":
		return fmt.Sprintf("%s (%d)", p.Name, p.Number)
	case p.KvK != "":
		return p.KvK
	}
	return fmt.Sprintf("person %d", p.Number)
}

// receiver is who receives a mandate.
func (v mandateView) receiver() string {
	switch {
	case v.Intermediary != nil:
		return v.Intermediary.String()
	case v.Person != nil && v.Client != 0:
		return fmt.Sprintf("%s, client of %d", v.Person, v.Client)
	case v.Person != nil:
		return v.Person.String()
	}
	return "-"
}

func mandateRow(v mandateView) []string {
	state := v.State
	if v.Register != "" {
		state += ", held by " + v.Register
	}
	return []string{fmt.Sprint(v.ID), v.Kind, v.Grantor.String(), v.receiver(), strings.Join(v.Scope, " "), date(v.From), date(v.Until), state}
}

var mandateHeader = []string{"ID", "KIND", "FROM", "TO", "COVERS", "SINCE", "UNTIL", "STATE"}
