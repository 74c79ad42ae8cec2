package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/mandated/mandated/internal/daemon"
	"github.com/mandated/mandated/internal/journal"
	"github.com/mandated/mandated/internal/postgres"
	"github.com/mandated/mandated/pkg/decision"
	"github.com/mandated/mandated/pkg/pdp"
)

// readJournal opens the journal of the configuration for reading, lets fn look at it and
// closes it.
func (e *environment) readJournal(fn func(daemon.Config, *journal.Journal) error) error {
	c, err := e.load()
	if err != nil {
		return err
	}
	place := c.Path(c.Journal)
	j, err := journal.Open(e.ctx, place, journal.Options{Now: e.now})
	if err != nil {
		return fmt.Errorf("opening the journal at %s, which the daemon makes when it first starts: %w", postgres.Shown(place), err)
	}
	err = fn(c, j)
	if closeErr := j.Close(); err == nil {
		err = closeErr
	}
	return err
}

// find finds a record by what people call it.
func find(e *environment, j *journal.Journal, name string) (journal.Record, pdp.Record, error) {
	entry, record, err := daemon.FindRecord(e.ctx, j, name)
	if errors.Is(err, journal.ErrNotFound) {
		err = fmt.Errorf("the journal has no record %q: the id stands in the daemon's log beside the answer, and in what \"mandated journal export\" writes", name)
	}
	return entry, record, err
}

// entryView is a record with its place in the journal, as programs read it.
type entryView struct {
	Sequence int64           `json:"sequence"`
	ID       string          `json:"id"`
	Written  time.Time       `json:"written"`
	Previous journal.Hash    `json:"previous"`
	Hash     journal.Hash    `json:"hash"`
	Record   json.RawMessage `json:"record"`
}

func viewEntry(r journal.Record) entryView {
	return entryView{r.Sequence, r.ID, r.At, r.Previous, r.Hash, r.Body}
}

type journalShow struct {
	ID string `arg:"" help:"The id of the record or its beginning, as users read it aloud; or the ID of the message or of the assertion that answered it."`
}

func (c journalShow) Run(e *environment) error {
	var entry journal.Record
	var record pdp.Record
	err := e.readJournal(func(_ daemon.Config, j *journal.Journal) (err error) {
		entry, record, err = find(e, j, c.ID)
		return err
	})
	if err != nil {
		return err
	}
	return e.show(viewEntry(entry), func() { tellRecord(e, entry, record) })
}

// tellRecord writes a record in words. What was not said is left out.
func tellRecord(e *environment, entry journal.Record, r pdp.Record) {
	line := func(name string, parts ...string) {
		if text := joined(parts...); text != "" {
			fmt.Fprintf(e.out, "%-10s%s\n", name, text)
		}
	}
	line("record", r.ID, fmt.Sprintf("number %d, written %s", entry.Sequence, entry.At.Format(recordTime)))
	line("question", r.Question, "at "+r.At.UTC().Format(recordTime), with("by ", r.Caller), with("message ", r.Message))
	line("service", r.Service, r.ServiceUUID, with("level asked ", r.Asked), "log-in "+r.Login, with("stated before ", r.Previous))
	line("who", with("", r.Actor), with("for ", r.Represented), with("through ", r.Intermediary))
	line("limited", strings.Join(r.Establishments, " "))
	line("outcome", r.Outcome, with("level required ", r.Required), with("from ", string(r.Hot)))
	for _, o := range r.Options {
		line("", "  "+o.String())
	}
	for _, reason := range r.Reasons {
		line("", "  "+reason.String()+": "+decision.Code(reason.Code).Sentence())
	}
	if r.Until != nil {
		line("until", r.Until.UTC().Format(recordTime))
	}
	line("failure", r.Failure)
	if r.Revision > 0 {
		line("facts", fmt.Sprintf("revision %d", r.Revision), viewed(r), fmt.Sprintf("catalogue %d", r.Catalogue))
	}
	line("by", r.Rules.String())
	line("answer", with("assertion ", r.Assertion), with("rests on ", strings.Join(r.RestsOn, " ")), with("for ", r.Audience))
	line("trace", r.Trace, with("span ", r.Span))
}

// recordTime is a moment as precise as the journal writes it.
const recordTime = "2006-01-02T15:04:05.000Z07:00"

// viewed tells up to where a decision was known to hold, if that is later than its facts.
func viewed(r pdp.Record) string {
	if r.View <= r.Revision {
		return ""
	}
	return fmt.Sprintf("unchanged up to %d", r.View)
}

// with is text after a word, or nothing.
func with(word, text string) string {
	if text == "" {
		return ""
	}
	return word + text
}

// joined joins what is not empty.
func joined(parts ...string) string {
	var said []string
	for _, p := range parts {
		if p != "" {
			said = append(said, p)
		}
	}
	return strings.Join(said, ", ")
}
