package main

import (
	"fmt"
	"io"
	"os"

	"github.com/mandated/mandated/internal/daemon"
	"github.com/mandated/mandated/internal/intake"
	"github.com/mandated/mandated/pkg/register"
)

type importCommand struct {
	File      string `arg:"" help:"CSV file whose first line names the columns, or JSON lines; - reads standard input."`
	Migrating bool   `help:"The mandates come from another register and keep the dates they had there."`
	DryRun    bool   `help:"Judge every line and change nothing."`
	All       bool   `help:"Also report the lines that were granted or were there already."`
}

// lineView is what became of one line.
type lineView struct {
	Line    int    `json:"line"`
	Status  string `json:"status"`
	Mandate int64  `json:"mandate,omitempty"`
	Column  string `json:"column,omitempty"`
	Code    string `json:"code,omitempty"`
	Problem string `json:"problem,omitempty"`
}

func lineViewOf(r intake.Result) lineView {
	view := lineView{Line: r.Line, Status: string(r.Status), Mandate: int64(r.Mandate)}
	if p := r.Problem; p != nil {
		view.Column, view.Code, view.Problem = p.Column, p.Code, p.Error()
	}
	return view
}

func (c importCommand) Run(e *environment) error {
	in, err := c.open()
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }()
	lines := []lineView{}
	var summary intake.Summary
	err = e.with(func(_ daemon.Config, r *register.Register) (err error) {
		options := intake.Options{
			Author: e.author("import"), Migrating: c.Migrating, DryRun: c.DryRun,
			Progress: func(n int) { fmt.Fprintf(e.err, "%d lines\n", n) },
		}
		summary, err = intake.Import(e.ctx, r, in, options, func(result intake.Result) error {
			if c.All || result.Status == intake.Refused {
				lines = append(lines, lineViewOf(result))
			}
			return nil
		})
		return err
	})
	if err != nil {
		return err
	}
	if err := e.show(map[string]any{
		"lines": lines, "read": summary.Lines, "granted": summary.Granted, "unchanged": summary.Unchanged,
		"refused": summary.Refused, "revision": summary.Revision,
	}, func() { c.tell(e, lines, summary) }); err != nil {
		return err
	}
	if summary.Refused > 0 {
		return quietError{}
	}
	return nil
}

func (c importCommand) open() (io.ReadCloser, error) {
	if c.File == "-" {
		return io.NopCloser(os.Stdin), nil
	}
	return os.Open(c.File)
}

func (c importCommand) tell(e *environment, lines []lineView, s intake.Summary) {
	for _, l := range lines {
		switch {
		case l.Problem == "":
			fmt.Fprintf(e.out, "line %d: %s, mandate %d\n", l.Line, l.Status, l.Mandate)
		case l.Column == "":
			fmt.Fprintf(e.out, "line %d: %s: %s\n", l.Line, l.Status, l.Problem)
		default:
			fmt.Fprintf(e.out, "line %d, %s: %s: %s\n", l.Line, l.Column, l.Status, l.Problem)
		}
	}
	fmt.Fprintf(e.out, "%d lines: %d granted, %d there already, %d refused\n", s.Lines, s.Granted, s.Unchanged, s.Refused)
	if c.DryRun {
		fmt.Fprintln(e.out, "Nothing was changed: this was a dry run.")
	}
}
