package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/mandated/mandated/internal/daemon"
	"github.com/mandated/mandated/internal/journal"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/pdp"
)

type journalExport struct {
	Since  string `help:"Only records written at this moment or later." xor:"from" placeholder:"MOMENT"`
	Until  string `help:"Only records written before this moment." placeholder:"MOMENT"`
	After  int64  `help:"Only records after this number: go on where an earlier export ended." xor:"from" placeholder:"SEQUENCE"`
	Format string `help:"Form of the lines: adl (Logius Authorization Decision Log) or raw (as they stand in the journal, with their hashes)." enum:"adl,raw" default:"adl"`
}

// export is one under way.
type export struct {
	journalExport
	since, until time.Time // zero: no bound
	form         func(journal.Record) ([]byte, error)
	out          *bufio.Writer
	progress     *progress

	written int64
	last    int64 // the number of the last record that was looked at
}

func (c journalExport) Run(e *environment) (err error) {
	x := &export{journalExport: c, form: rawLine, out: bufio.NewWriterSize(e.out, 1<<16), progress: newProgress(e.err, "lines"), last: c.After}
	if x.since, err = optionalMoment(c.Since); err != nil {
		return err
	}
	if x.until, err = optionalMoment(c.Until); err != nil {
		return err
	}
	err = e.readJournal(func(config daemon.Config, j *journal.Journal) error {
		if c.Format == "adl" {
			x.form = func(r journal.Record) ([]byte, error) { return adlLine(config, r) }
		}
		if x.since.IsZero() {
			return x.run(e, j.All(e.ctx, c.After))
		}
		return x.run(e, j.Since(e.ctx, x.since))
	})
	x.progress.end()
	if flushErr := x.out.Flush(); flushErr != nil { // where the last whole line ends is not known
		return fmt.Errorf("the export is not complete: %w", errors.Join(err, flushErr))
	}
	if err != nil && x.last > c.After {
		return fmt.Errorf("the export is not complete, it ends after record %d (go on with --after %d): %w", x.last, x.last, err)
	}
	if err == nil {
		fmt.Fprintf(e.err, "%d lines, up to record %d\n", x.written, x.last)
	}
	return err
}

func optionalMoment(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	return mandate.ParseMoment(text)
}

// run writes every record that is wanted, as a line each.
func (x *export) run(e *environment, records iter.Seq2[journal.Record, error]) error {
	begun := false
	for r, err := range records {
		if err == nil && !begun {
			err = x.begin(e, r)
			begun = true
		}
		if err == nil {
			err = x.write(r)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// begin looks at the first record. Those before it may have been retired: whoever wants
// everything is told, and whoever goes on from a record has missed some.
func (x *export) begin(e *environment, r journal.Record) error {
	switch {
	case !x.since.IsZero() || r.Sequence == x.After+1:
	case x.After > 0:
		return fmt.Errorf("records %d to %d are no longer in the journal: begin anew, without --after", x.After+1, r.Sequence-1)
	default:
		fmt.Fprintf(e.err, "records 1 to %d are retired\n", r.Sequence-1)
	}
	return nil
}

// write writes one record. Records stand in the order in which they were written, but a
// clock may have been set back between two: so the end is the journal's, and not the first
// record that is late enough.
func (x *export) write(r journal.Record) error {
	if x.until.IsZero() || r.At.Before(x.until) {
		line, err := x.form(r)
		if err != nil {
			return err
		}
		if _, err := x.out.Write(append(line, '\n')); err != nil {
			return err
		}
		x.written++
		x.progress.at(x.written)
	}
	x.last = r.Sequence
	return nil
}

func rawLine(r journal.Record) ([]byte, error) { return json.Marshal(viewEntry(r)) }

func adlLine(c daemon.Config, r journal.Record) ([]byte, error) {
	record, err := daemon.ReadRecord(r)
	if err != nil {
		return nil, err
	}
	return pdp.ADL(c.EntityID(), record)
}
