package main

import (
	"crypto"
	"fmt"
	"io"
	"os"

	"github.com/mandated/mandated/internal/daemon"
	"github.com/mandated/mandated/internal/journal"
)

type journalCommands struct {
	Verify journalVerify `cmd:"" help:"Find any altered, missing or reordered record."`
}

type journalVerify struct {
	Checkpoint string   `help:"File of signed checkpoints, kept outside the store. Default: the copies in the store, which prove less." type:"existingfile" placeholder:"FILE"`
	Trust      []string `help:"PEM file with the certificate that signed them. May be repeated. Default: our signing keys." type:"existingfile" placeholder:"FILE"`
}

func (c journalVerify) Run(e *environment) error {
	config, err := e.load()
	if err != nil {
		return err
	}
	keys, err := c.keys(config)
	if err != nil {
		return err
	}
	var checkpoints io.Reader
	if c.Checkpoint != "" {
		file, err := os.Open(c.Checkpoint)
		if err != nil {
			return err
		}
		defer func() { _ = file.Close() }()
		checkpoints = file
	}
	report, err := journal.Verify(e.ctx, config.Path(config.Journal), checkpoints, keys...)
	if err != nil {
		return err
	}
	if err := e.show(viewReport(report), func() { tellReport(e.out, report) }); err != nil {
		return err
	}
	if len(report.Problems) > 0 {
		return quietError{}
	}
	return nil
}

func (c journalVerify) keys(config daemon.Config) (keys []crypto.PublicKey, err error) {
	files := c.Trust
	for _, k := range config.Signing {
		if len(c.Trust) == 0 {
			files = append(files, config.Path(k.Certificate))
		}
	}
	for _, file := range files {
		certificates, err := daemon.ReadCertificates(file)
		if err != nil {
			return nil, err
		}
		for _, certificate := range certificates {
			keys = append(keys, certificate.PublicKey)
		}
	}
	return keys, nil
}

// reportView is what was found, as programs read it.
type reportView struct {
	Records  int64         `json:"records"`
	Proven   int64         `json:"proven"`
	Unproven int64         `json:"unproven"`
	Problems []problemView `json:"problems"`
	Untold   int64         `json:"untold_problems"`
}

type problemView struct {
	Sequence int64  `json:"sequence"`
	What     string `json:"what"`
}

func viewReport(r journal.Report) reportView {
	v := reportView{Records: r.Records, Proven: r.Proven, Unproven: r.Unproven, Untold: r.Untold, Problems: []problemView{}}
	for _, p := range r.Problems {
		v.Problems = append(v.Problems, problemView{p.Sequence, p.What})
	}
	return v
}

func tellReport(out io.Writer, r journal.Report) {
	fmt.Fprintf(out, "%d records, %d proven by a signed checkpoint, %d not yet\n", r.Records, r.Proven, r.Unproven)
	for _, p := range r.Problems {
		fmt.Fprintf(out, "problem at record %d: %s\n", p.Sequence, p.What)
	}
	if r.Untold > 0 {
		fmt.Fprintf(out, "and %d more problems\n", r.Untold)
	}
	if len(r.Problems) == 0 {
		fmt.Fprintln(out, "the journal is whole")
	}
}
