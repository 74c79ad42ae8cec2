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
	Show   journalShow   `cmd:"" help:"Show one record: what was asked, what was answered, and on what ground."`
	Export journalExport `cmd:"" help:"Write records as lines of JSON, for an archive or another log."`
	Use    journalUse    `cmd:"" help:"Tell when mandates were last used, and where."`
	Verify journalVerify `cmd:"" help:"Find any altered, missing or reordered record."`
	Retire journalRetire `cmd:"" help:"Delete records that need not be kept any longer, and leave a signed stub."`
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
	trust := c.Trust
	if len(trust) == 0 {
		trust = ownCertificates(config)
	}
	keys, err := publicKeys(trust)
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

// ownCertificates are the files with the certificates of our signing keys.
func ownCertificates(config daemon.Config) (files []string) {
	for _, k := range config.Signing {
		files = append(files, config.Path(k.Certificate))
	}
	return files
}

// publicKeys are those of the certificates in the files.
func publicKeys(files []string) (keys []crypto.PublicKey, err error) {
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
	Records    int64         `json:"records"`
	Retired    int64         `json:"retired"` // that stood before them
	Proven     int64         `json:"proven"`
	Unproven   int64         `json:"unproven"`
	Unjudged   int64         `json:"unjudged_signatures"`
	Uncompared int64         `json:"uncompared_checkpoints"`
	Problems   []problemView `json:"problems"`
	Untold     int64         `json:"untold_problems"`
}

type problemView struct {
	Sequence int64  `json:"sequence"`
	What     string `json:"what"`
}

func viewReport(r journal.Report) reportView {
	v := reportView{
		Records: r.Records, Retired: r.Retired, Proven: r.Proven, Unproven: r.Unproven,
		Unjudged: r.Unjudged, Uncompared: r.Uncompared, Untold: r.Untold, Problems: []problemView{},
	}
	for _, p := range r.Problems {
		v.Problems = append(v.Problems, problemView{p.Sequence, p.What})
	}
	return v
}

func tellReport(out io.Writer, r journal.Report) {
	fmt.Fprintf(out, "%d records, %d proven by a signed checkpoint, %d not yet\n", r.Records, r.Proven, r.Unproven)
	if r.Retired > 0 {
		fmt.Fprintf(out, "%d records before them were retired, as a signed stub says\n", r.Retired)
	}
	if r.Uncompared > 0 {
		fmt.Fprintf(out, "%d checkpoints speak of retired records and could not be compared\n", r.Uncompared)
	}
	if r.Unjudged > 0 {
		fmt.Fprintf(out, "%d signatures are by a key that was not given (--trust FILE), and later ones prove the same\n", r.Unjudged)
	}
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
