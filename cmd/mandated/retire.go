package main

import (
	"bufio"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/mandated/mandated/internal/daemon"
	"github.com/mandated/mandated/internal/journal"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/pdp"
)

type journalRetire struct {
	Before string   `help:"Delete records written before this moment. Default: as many years ago as the configuration's retention." placeholder:"DATE"`
	Trust  []string `help:"PEM file with the certificate of an earlier key, that signed checkpoints. May be repeated." type:"existingfile" placeholder:"FILE"`
	Yes    bool     `help:"Do not ask."`
	Dev    bool     `help:"Sign with a development key."`
}

// retiredView is what was retired, as programs read it.
type retiredView struct {
	Before  time.Time `json:"before"`
	Records int64     `json:"records"` // deleted this time
	Retired int64     `json:"retired"` // in all
}

func (c journalRetire) Run(e *environment) error {
	config, err := e.load()
	if err != nil {
		return err
	}
	before, err := c.before(e, config)
	if err != nil {
		return err
	}
	options, err := c.options(e, config)
	if err != nil {
		return err
	}
	if err := c.confirm(e, config, before); err != nil {
		return err
	}
	progress := newProgress(e.err, "records deleted")
	options.Progress = progress.at
	done, err := journal.Retire(e.ctx, config.Path(config.Journal), before, options)
	progress.end()
	if err != nil {
		return fmt.Errorf("%w (%d records had been deleted by then)", err, done.Records)
	}
	view := retiredView{Before: before, Records: done.Records}
	if done.Stub != nil {
		view.Retired = done.Stub.Sequence
	}
	return e.show(view, func() {
		fmt.Fprintf(e.out, "%d records deleted, %d in all; the journal goes on from a signed stub\n", view.Records, view.Retired)
	})
}

// before is the moment up to which records go.
func (c journalRetire) before(e *environment, config daemon.Config) (time.Time, error) {
	if c.Before != "" {
		return mandate.ParseMoment(c.Before)
	}
	return kept(e, config), nil
}

// kept is the moment from which on the configuration wants records kept.
func kept(e *environment, config daemon.Config) time.Time {
	return mandate.StartOfDay(mandate.AddYears(e.now(), -config.Retention))
}

// options are those with which the daemon keeps the journal.
func (c journalRetire) options(e *environment, config daemon.Config) (o journal.Options, err error) {
	if err := config.CheckKeys(c.Dev); err != nil {
		return o, err
	}
	key, err := config.OpenActive(c.Dev)
	if err != nil {
		return o, err
	}
	o = journal.Options{Signer: key, Checkpoints: config.Path(config.Checkpoints), Now: e.now, Used: pdp.Used}
	o.Keys, err = publicKeys(append(ownCertificates(config), c.Trust...))
	return o, err
}

// confirm asks once, since what is deleted is gone.
func (c journalRetire) confirm(e *environment, config daemon.Config, before time.Time) error {
	if c.Yes {
		return nil
	}
	fmt.Fprintf(e.err, "Delete for good every record of the journal written before %s?", date(before))
	if before.After(kept(e, config)) {
		fmt.Fprintf(e.err, " The configuration keeps them for %d years.", config.Retention)
	}
	fmt.Fprint(e.err, " [yes/no] ")
	answer, _ := bufio.NewReader(os.Stdin).ReadString('\n')
	if strings.TrimSpace(answer) != "yes" {
		return fmt.Errorf("nothing was deleted: answer yes, or say so with --yes")
	}
	return nil
}
