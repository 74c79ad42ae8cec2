package main

import (
	"fmt"
	"time"

	"github.com/mandated/mandated/internal/daemon"
	"github.com/mandated/mandated/internal/journal"
	"github.com/mandated/mandated/pkg/pdp"
	"github.com/mandated/mandated/pkg/register"
)

type replayCommand struct {
	ID   string `arg:"" help:"The id of the record or its beginning; or the ID of the message or of the assertion that answered it."`
	With string `help:"What to decide on: then (everything as it was, and the answers must agree) or now (what would change)." enum:"then,now" default:"then"`
}

// replayView is a recorded question decided again, as programs read it.
type replayView struct {
	ID          string      `json:"id"`
	With        string      `json:"with"`
	Agrees      bool        `json:"agrees"`
	Differences []string    `json:"differences"`
	Notes       []string    `json:"notes"`
	Recorded    pdp.Record  `json:"recorded"`
	Replayed    *pdp.Record `json:"replayed,omitempty"` // missing if it could not be asked again
}

func (c replayCommand) Run(e *environment) error {
	record, err := c.record(e)
	if err != nil {
		return err
	}
	with := map[string]pdp.When{"then": pdp.Then, "now": pdp.Now}[c.With]
	var replayed pdp.Replayed
	err = e.look(func(config daemon.Config, r *register.Register) (err error) {
		replayed, err = pdp.Replay(e.ctx, daemon.Explainer(config, r, r.Key("journal"), e.now), r, record, with)
		return err
	})
	if err != nil {
		return err
	}
	view := replayView{
		ID: record.ID, With: c.With, Agrees: len(replayed.Differences) == 0, Recorded: record,
		Differences: append([]string{}, replayed.Differences...), Notes: append([]string{}, replayed.Notes...),
	}
	if replayed.Record.Outcome != "" {
		view.Replayed = &replayed.Record
	}
	if err := e.show(view, func() { view.tell(e) }); err != nil {
		return err
	}
	if !view.Agrees {
		return quietError{}
	}
	return nil
}

func (c replayCommand) record(e *environment) (pdp.Record, error) {
	var record pdp.Record
	err := e.readJournal(func(_ daemon.Config, j *journal.Journal) (err error) {
		_, record, err = find(e, j, c.ID)
		return err
	})
	return record, err
}

func (v replayView) tell(e *environment) {
	told := func(word string, r pdp.Record) {
		fmt.Fprintf(e.out, "%-9s %s, for %s, on revision %d and catalogue %d\n", word, r.Outcome, r.At.UTC().Format(time.RFC3339), r.Revision, r.Catalogue)
	}
	told("recorded", v.Recorded)
	if v.Replayed != nil {
		told("replayed", *v.Replayed)
	}
	for _, note := range v.Notes {
		fmt.Fprintf(e.out, "note      %s\n", note)
	}
	for _, line := range v.Differences {
		fmt.Fprintf(e.out, "  %s\n", line)
	}
	switch {
	case v.Recorded.Outcome == pdp.Indeterminate: // there is nothing to compare
	case !v.Agrees:
		fmt.Fprintln(e.out, "differs")
	case v.With == "now":
		fmt.Fprintln(e.out, "nothing would change")
	default:
		fmt.Fprintln(e.out, "agrees")
	}
}
