package main

import (
	"fmt"
	"time"

	"github.com/mandated/mandated/internal/daemon"
	"github.com/mandated/mandated/internal/journal"
	"github.com/mandated/mandated/pkg/mandate"
)

type journalUse struct {
	Mandates []mandate.ID `arg:"" name:"mandate" help:"Numbers of mandates, a thousand at most."`
}

// usesView is when mandates were last used, as programs read it.
type usesView struct {
	Uses   []useView  `json:"uses"`
	Since  *time.Time `json:"since"`          // of what was used before nothing is known; null: no record was read
	UpTo   *time.Time `json:"complete_up_to"` // nor of what was used later; null: no record was read yet, and some wait
	Behind int64      `json:"behind"`         // records that wait to be read
}

// useView is the last Permit that rested on a mandate; without one, only the mandate.
type useView struct {
	Mandate  mandate.ID `json:"mandate"`
	At       *time.Time `json:"last_used"`
	Service  string     `json:"service,omitempty"`
	Sequence int64      `json:"sequence,omitempty"`
	Record   string     `json:"record,omitempty"` // missing if it is retired
}

func (c journalUse) Run(e *environment) error {
	var view usesView
	err := e.readJournal(func(_ daemon.Config, j *journal.Journal) error {
		found, err := j.LastUse(e.ctx, c.Mandates)
		if err != nil {
			return err
		}
		view = usesView{Since: known(found.Since), UpTo: known(found.UpTo), Behind: found.Behind}
		for _, id := range c.Mandates {
			v := useView{Mandate: id}
			if use, used := found.Last[id]; used {
				v, err = viewUse(e, j, use)
			}
			if err != nil {
				return err
			}
			view.Uses = append(view.Uses, v)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return e.show(view, func() { view.tell(e) })
}

// viewUse finds the record, which may be retired.
func viewUse(e *environment, j *journal.Journal, u journal.Use) (useView, error) {
	v := useView{Mandate: u.Mandate, At: known(u.At), Service: u.Service, Sequence: u.Sequence}
	next, err := j.Records(e.ctx, u.Sequence-1, 1)
	if len(next) == 1 && next[0].Sequence == u.Sequence {
		v.Record = next[0].ID
	}
	return v, err
}

// known is a moment, or nil if there is none.
func known(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func (v usesView) tell(e *environment) {
	rows := [][]string{{"MANDATE", "LAST USED", "SERVICE", "RECORD"}}
	for _, u := range v.Uses {
		row := []string{fmt.Sprint(u.Mandate), "-", "-", "-"}
		if u.At != nil {
			row = []string{fmt.Sprint(u.Mandate), u.At.Format(time.RFC3339), u.Service, u.Record}
			if u.Record == "" {
				row[3] = "retired"
			}
		}
		rows = append(rows, row)
	}
	e.table(rows)
	switch {
	case v.Since != nil:
		fmt.Fprintf(e.err, "what was used before %s is not in this journal\n", v.Since.Format(time.RFC3339))
	case v.Behind == 0:
		fmt.Fprintln(e.err, "the journal is empty")
	}
	if v.Behind == 0 {
		return
	}
	upTo := "not complete"
	if v.UpTo != nil {
		upTo = "complete up to " + v.UpTo.Format(time.RFC3339)
	}
	fmt.Fprintf(e.err, "%s: %d records wait to be read, which a running daemon does\n", upTo, v.Behind)
}
