// Package notices turns what people are to be told into letters, and sees to it that the mail
// server gets them.
//
// The register keeps the notices, written in the change of which they tell, and the letters
// that are made of them. This room decides when notices become letters, who gets one and what
// it says, and when a letter is tried again. Package mail delivers. Whether somebody is to be
// told anything was decided before, by the desk.
//
// What needs an answer or takes something away is told at once, with all else that waits for
// the same reader; the rest waits until a digest is due, so that nobody gets a letter for every
// mandate. A letter is taken before it is sent, in a change, so that of several nodes one sends
// it; and settled afterwards, in another. Whoever is stopped in between has perhaps sent it:
// it is sent again, with the same Message-ID, when his time is over.
//
// Letters go to those who manage the mandates of an organisation now, and who have said where
// they want to be written to. Nothing in a subject or a log tells about whom.
package notices

import (
	"context"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/mandated/mandated/internal/mail"
	"github.com/mandated/mandated/pkg/register"
)

// Sender delivers letters, and tells for each what became of it, as mail.Sender does.
type Sender interface {
	Send(ctx context.Context, letters []mail.Letter) []error
}

var _ Sender = (*mail.Sender)(nil)

// Config says for which register letters are written, and by whom they are sent.
type Config struct {
	Register *register.Register
	Sender   Sender
	Digest   time.Duration // for how long what does not press waits
	Pages    string        // address of the pages where mandates are managed; "": there are none
	Desk     string        // to whom people turn: a name and an address; "": nobody is named
	Log      *slog.Logger
	Metrics  prometheus.Registerer // nil: nobody counts
}

// Post is a post office. It is for one goroutine; several may work on one register.
type Post struct {
	Config
	metrics *metrics
	failing bool // the last turn was told to the log as a failure
}

// New opens a post office. It does nothing by itself.
func New(c Config) *Post {
	p := &Post{Config: c, metrics: newMetrics()}
	if c.Metrics != nil {
		c.Metrics.MustRegister(p.metrics.all()...)
	}
	return p
}

// Run looks for something to do every so often, until ctx ends.
func (p *Post) Run(ctx context.Context, every time.Duration) {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		err := p.Turn(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil && !p.failing:
			p.Log.Error("letters cannot be written or sent now: they wait", "cause", err)
		case err == nil && p.failing:
			p.Log.Info("letters are written and sent again")
		}
		p.failing = err != nil
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// Turn makes letters of all notices that are due, and tries all letters that are. An error is
// what stood in the way of some; what was sent is sent.
func (p *Post) Turn(ctx context.Context) error {
	defer p.measure(ctx)
	for more := true; more; {
		var err error
		if more, err = p.write(ctx); err != nil {
			return err
		}
	}
	for more := true; more; {
		var err error
		if more, err = p.deliver(ctx); err != nil {
			return err
		}
	}
	return nil
}
