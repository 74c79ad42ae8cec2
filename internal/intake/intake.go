// Package intake reads mandates in bulk, from a file into a register.
//
// It owns the columns of the file, and the sentences that tell people which line to
// mend and how; how a file is spelled is for package sheet. It decides nothing about
// mandates: what makes one fit is for package mandate to say, and what is registered
// already for package register, which it asks and changes through the same door as
// everybody else. It never touches SQL, the service catalogue or the network, and no
// sentence of it repeats the number of a person or a company.
//
// A line is judged before anything of it is written, so a refused line leaves no
// trace and does not spoil its neighbours. Lines are written in whole batches, one
// change of the register each: whatever stops an import stops it between two
// batches. Importing the file again is then always right, because a mandate that is
// there already is left alone.
//
// Lines are judged in the order of the file, each with what the lines before it
// brought. So a client's chain mandate stands before the assignments that pass it
// on; an assignment that comes first is refused, and accepted by a second import.
package intake

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/mandated/mandated/internal/intake/sheet"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
)

// Options say how a file comes in.
type Options struct {
	Author    register.Author // who imports, and why: kept with every mandate
	Migrating bool            // the mandates come from another register and keep the dates they had there

	// DryRun judges every line as if, and changes nothing. It does the whole work in
	// one change that is then undone, so that lines see the lines before them as they
	// would in earnest. The results, mandate numbers included, are those of the import
	// proper if nothing else changes in between. Until it is done no other change can
	// be made, and it needs room on the disk for what it undoes.
	DryRun bool

	Batch    int             // lines per change; 0: 5000. Long lines make a batch shorter
	Progress func(lines int) // called after each batch with the lines judged so far; nil: silent
}

// Status is what became of a line.
type Status string

// What can become of a line.
const (
	Granted   Status = "granted"
	Unchanged Status = "unchanged" // the same mandate is there already
	Refused   Status = "refused"
)

// Result is what became of one line.
type Result struct {
	Line    int // where the line begins in the file
	Status  Status
	Mandate mandate.ID     // the mandate granted or found; if refused, the one in the way, or 0
	Problem *sheet.Problem // refused: the column to look at and what to do, in either language
}

// Summary counts what became of all lines. Empty lines do not count.
type Summary struct {
	Lines, Granted, Unchanged, Refused int
	Revision                           register.Revision // of the register after the last batch
}

// Import reads a file into the register: CSV or JSON lines, as package sheet reads
// them. The columns are those of Columns, in any order. A file that cannot be right is
// a *sheet.Problem before anything is done.
//
// A line whose mandate is there already, in force or suspended, is Unchanged. A line
// that differs from a mandate in its way is Refused, and so is one whose mandate was
// registered before and has ended: an old file must not bring back what was revoked.
//
// A granted line brings the names in it. An unchanged one only fills in a name or
// RSIN that the register did not have. Nothing in a file takes away a name, changes
// an RSIN, or makes somebody active again who is not.
//
// report, unless nil, hears of every line in order, once its batch is on disk; its
// error stops the import. It must not change the register. When an import stops with
// an error, the summary tells what was done; the batch at hand was not.
func Import(ctx context.Context, r *register.Register, in io.Reader, o Options, report func(Result) error) (Summary, error) {
	if o.Author.Who == "" || o.Author.Why == "" {
		return Summary{}, register.ErrAuthor
	}
	file, err := openInput(in)
	if err != nil {
		return Summary{}, err
	}
	j := &job{register: r, file: file, options: o, report: report}
	err = r.Read(ctx, func(s *register.Snapshot) error {
		j.summary.Revision = s.Revision()
		return nil
	})
	if err != nil {
		return j.summary, err
	}
	if o.DryRun {
		err = j.rehearse(ctx)
	} else {
		err = j.perform(ctx)
	}
	return j.summary, err
}

// job is one import under way.
type job struct {
	register *register.Register
	file     input
	options  Options
	report   func(Result) error
	summary  Summary
}

// perform makes one change per batch.
func (j *job) perform(ctx context.Context) error {
	return j.eachBatch(ctx, func(batch []wish) (results []Result, err error) {
		receipt, err := j.register.Change(ctx, j.options.Author, func(tx *register.Tx) error {
			results, err = j.judge(tx, batch)
			return err
		})
		if err == nil {
			j.summary.Revision = receipt.Revision
		}
		return results, err
	})
}

// errRehearsal undoes a dry run.
var errRehearsal = errors.New("dry run")

// rehearse does the same in one change, and undoes it.
func (j *job) rehearse(ctx context.Context) error {
	_, err := j.register.Change(ctx, j.options.Author, func(tx *register.Tx) error {
		if err := j.eachBatch(ctx, func(batch []wish) ([]Result, error) {
			return j.judge(tx, batch)
		}); err != nil {
			return err
		}
		return errRehearsal
	})
	if errors.Is(err, errRehearsal) {
		return nil
	}
	return err
}

// eachBatch reads, works and tells, batch after batch.
func (j *job) eachBatch(ctx context.Context, work func([]wish) ([]Result, error)) error {
	for {
		batch, err := j.file.batch(j.options.Batch)
		if len(batch) == 0 || err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		results, err := work(batch)
		if err != nil {
			return fmt.Errorf("importing lines %d to %d: %w", batch[0].line, batch[len(batch)-1].line, err)
		}
		if err := j.tell(results); err != nil {
			return err
		}
	}
}

// tell counts and reports the results of a batch.
func (j *job) tell(results []Result) error {
	for _, result := range results {
		j.summary.count(result.Status)
	}
	for _, result := range results {
		if j.report == nil {
			break
		}
		if err := j.report(result); err != nil {
			return fmt.Errorf("reporting line %d: %w", result.Line, err)
		}
	}
	if j.options.Progress != nil {
		j.options.Progress(j.summary.Lines)
	}
	return nil
}

func (s *Summary) count(status Status) {
	s.Lines++
	switch status {
	case Granted:
		s.Granted++
	case Unchanged:
		s.Unchanged++
	case Refused:
		s.Refused++
	}
}
