package daemon

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/mandated/mandated/pkg/catalogue"
	"github.com/mandated/mandated/pkg/decision"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/pdp"
	"github.com/mandated/mandated/pkg/register"
)

// canary grants a mandate of nobody to nobody and revokes it, over and over, on the road
// that every mandate takes. Meanwhile it asks, so that it knows how long this node went on
// permitting what had been revoked.
type canary struct {
	register   *register.Register
	probe      func(context.Context, pdp.Request) (decision.Decision, pdp.Source, error)
	catalogues *catalogues
	now        func() time.Time // the register's clock
	apart      func() error     // why this node's clock is not the database's; nil: it is
	log        *slog.Logger
	lag        prometheus.Gauge
	runs       *prometheus.CounterVec

	silent bool // the last turn was skipped
}

func newCanary(d *Daemon) *canary {
	c := &canary{
		register: d.register, probe: d.pdp.Probe, catalogues: d.catalogues, now: d.now, apart: d.follower.Clock, log: d.log,
		lag: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "mandated_revocation_lag_seconds",
			Help: "How long after its commit the last revocation of the canary was still permitted by this node; NaN if the last run could not measure it.",
		}),
		runs: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "mandated_canary_runs_total", Help: "Mandates of the canary, by what came of them: good, busy (another node's turn), failed, stale, or skipped (this node's clock is wrong).",
		}, []string{"result"}),
	}
	c.lag.Set(math.NaN())
	d.metrics.MustRegister(c.lag, c.runs)
	return c
}

// sing runs the canary every so often until ctx ends.
func (c *canary) sing(ctx context.Context, every time.Duration) {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		c.turn(ctx)
	}
}

// turn runs the canary once, and tells how it went. A node with a wrong clock decides
// nothing and may write nothing, so there is nothing to measure. A run goes on when ctx
// ends, to revoke what it granted.
func (c *canary) turn(ctx context.Context) {
	if err := c.apart(); err != nil {
		if !c.silent {
			c.log.Warn("the canary is skipped until the clocks agree", "cause", err)
		}
		c.silent = true
		c.tell("skipped")
		return
	}
	c.silent = false
	running, done := context.WithTimeout(context.WithoutCancel(ctx), c.patience())
	defer done()
	result, err := c.run(running)
	c.tell(result)
	if err != nil {
		c.log.Error("canary", "result", result, "cause", err)
	}
}

// patience is how long a run may take: it may wait two leases for a hot decision, and has
// to wait more than one for the revocation.
func (c *canary) patience() time.Duration { return 10*time.Second + 4*c.register.Lease() }

// tell counts a run. What an earlier one measured says nothing of one that could not.
func (c *canary) tell(result string) {
	c.runs.WithLabelValues(result).Inc()
	if result == "failed" || result == "skipped" {
		c.lag.Set(math.NaN())
	}
}

// errStale is the one thing that must never happen.
var errStale = errors.New("a revoked mandate was permitted after its revocation was acknowledged: take this node out of service and look into it")

// run grants, asks, revokes, and measures.
func (c *canary) run(ctx context.Context) (result string, err error) {
	var granted mandate.Mandate
	receipt, err := c.change(ctx, "granted", func(t *register.Tx) (err error) {
		granted, err = c.grant(t)
		return err
	})
	if overlap := new(register.OverlapError); errors.As(err, &overlap) {
		return "busy", c.tidy(ctx, overlap.Mandate)
	}
	if err != nil {
		return "failed", err
	}
	question, err := c.question(ctx, granted, receipt.Revision)
	if err == nil {
		err = c.measure(ctx, granted.ID, question)
	}
	switch {
	case err == nil:
		return "good", nil
	case errors.Is(err, errStale):
		return "stale", err
	}
	return "failed", errors.Join(err, c.cleanUp(ctx, granted.ID))
}

func (c *canary) change(ctx context.Context, what string, fn func(*register.Tx) error) (register.Receipt, error) {
	return c.register.Change(ctx, register.Author{Who: "daemon: canary", Why: "to measure revocation: " + what}, fn)
}

func (c *canary) grant(t *register.Tx) (m mandate.Mandate, err error) {
	m = mandate.Mandate{
		Kind: mandate.Direct, State: mandate.Active, Reference: "canary",
		Scope:    mandate.Scope{{Level: etoegang.LoA4}},
		Validity: mandate.Validity{From: t.Now().Truncate(time.Second), To: t.Now().Truncate(time.Second).Add(24 * time.Hour)},
	}
	if m.Grantor, err = t.PutOrganisation(c.register.CanaryOrganisation()); err != nil {
		return m, err
	}
	if m.Person, err = t.PutPerson(c.register.CanaryPerson()); err != nil {
		return m, err
	}
	return t.Grant(m, register.GrantOptions{})
}

func (c *canary) revoke(ctx context.Context, id mandate.ID) (register.Receipt, error) {
	return c.change(ctx, "revoked", func(t *register.Tx) error {
		_, err := t.SetState(id, mandate.Revoked)
		return err
	})
}

// cleanUp revokes what a run that failed may have left, in a time of its own: that of the
// run may be over. If this fails too, the mandate of nobody stays until another run finds it
// (tidy), at most for its day.
func (c *canary) cleanUp(ctx context.Context, id mandate.ID) error {
	ctx, done := context.WithTimeout(context.WithoutCancel(ctx), c.patience())
	defer done()
	_, err := c.revoke(ctx, id)
	if ended := new(register.TransitionError); errors.As(err, &ended) {
		return nil // the run came so far
	}
	return err
}

// forgotten is how old a canary's mandate must be for its node to have died over it: older
// than a run and its cleaning up may take.
func (c *canary) forgotten() time.Duration { return time.Minute + 8*c.register.Lease() }

// tidy revokes what a node has left behind, within the hour, that was stopped between grant
// and revocation.
func (c *canary) tidy(ctx context.Context, id mandate.ID) error {
	old := false
	err := c.register.Read(ctx, func(s *register.Snapshot) error {
		history, err := s.History(id)
		old = err == nil && c.now().Sub(history[0].At) > c.forgotten()
		return err
	})
	if err != nil || !old {
		return err
	}
	_, err = c.revoke(ctx, id)
	return err
}

// question finds a service that the canary may use, and gives the question that the
// mandate permits now, at a revision that holds its grant.
func (c *canary) question(ctx context.Context, m mandate.Mandate, granted register.Revision) (q pdp.Request, err error) {
	services, err := c.services(ctx)
	if err != nil {
		return q, err
	}
	asked := 0
	for instance := range services.Instances() {
		q = pdp.Request{
			Question: decision.Authorize, ServiceID: instance.ID, ServiceUUID: instance.UUID, Login: etoegang.LoA4,
			Actor: m.Person.Subject, AtLeast: granted,
		}
		d, _, err := c.probe(ctx, q)
		if err != nil {
			return q, err
		}
		if permits(d, m.ID) {
			return q, c.warm(ctx, q)
		}
		if asked++; asked == 100 {
			break
		}
	}
	return q, fmt.Errorf("no service in the catalogue is one that a company with a KvK number may use, of %d tried", asked)
}

// warm asks until the answer is a hot decision, as that of a company which acts often is;
// no longer than two leases, in case none are kept here.
func (c *canary) warm(ctx context.Context, q pdp.Request) error {
	warming, done := context.WithTimeout(ctx, 2*c.register.Lease())
	defer done()
	for {
		if _, source, err := c.probe(ctx, q); err != nil || source != pdp.FromRegister {
			return err
		}
		select {
		case <-warming.Done():
			return ctx.Err()
		case <-time.After(c.register.Lease() / 50):
		}
	}
}

func (c *canary) services(ctx context.Context) (services *catalogue.Catalogue, err error) {
	err = c.register.Read(ctx, func(s *register.Snapshot) error {
		services, err = c.catalogues.Of(s)
		return err
	})
	return services, err
}

// measure revokes, and asks all the while. After the acknowledgement it asks once more:
// that answer is the promise (errStale).
func (c *canary) measure(ctx context.Context, id mandate.ID, q pdp.Request) error {
	asking, stop := context.WithCancel(ctx)
	defer stop()
	last := make(chan time.Time, 1)
	go func() { last <- c.lastPermit(asking, id, q) }()
	receipt, err := c.revoke(ctx, id)
	stop()
	permitted := <-last
	if err != nil {
		return err
	}
	asked := c.now()
	d, _, err := c.probe(ctx, q)
	if err != nil {
		return err
	}
	if permits(d, id) {
		permitted, err = asked, errStale
	}
	c.lag.Set(max(0, permitted.Sub(receipt.Committed)).Seconds())
	return err
}

// permits tells whether a decision rests on that mandate: as soon as it is revoked, another
// node may have granted the next.
func permits(d decision.Decision, id mandate.ID) bool {
	return d.Outcome == decision.Permit && slices.Contains(d.Options[0].Mandates, id)
}

// lastPermit asks until ctx ends, and gives the moment at which the last question that the
// mandate permitted had been asked.
func (c *canary) lastPermit(ctx context.Context, id mandate.ID, q pdp.Request) (last time.Time) {
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	for {
		asked := c.now()
		if d, _, err := c.probe(ctx, q); err == nil && permits(d, id) {
			last = asked
		}
		select {
		case <-ctx.Done():
			return last
		case <-ticker.C:
		}
	}
}
