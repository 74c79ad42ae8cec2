package daemon

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/mandated/mandated/pkg/catalogue"
	"github.com/mandated/mandated/pkg/decision"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/freshness"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/pdp"
	"github.com/mandated/mandated/pkg/register"
)

// aviary is a canary with a register of its own. Its node permits what the register says,
// unless a test makes it answer otherwise.
type aviary struct {
	*testing.T
	*canary
	answer   func(context.Context, pdp.Request) (decision.Decision, error) // nil: what the register says
	apart    error
	metrics  *prometheus.Registry
	messages bytes.Buffer
}

func newAviary(t *testing.T, now func() time.Time) *aviary {
	t.Helper()
	a := &aviary{T: t, metrics: prometheus.NewRegistry()}
	entity, err := etoegang.ParseEntityID("urn:etoegang:MR:00000003520354760000:entities:9001")
	a.must(err)
	r, err := register.Create(t.Context(), filepath.Join(t.TempDir(), "register.db"), entity, 20*time.Millisecond, register.Options{Now: now})
	a.must(err)
	t.Cleanup(func() { _ = r.Close() })
	shelf := newCatalogues(now)
	d := &Daemon{register: r, catalogues: shelf, now: now, metrics: a.metrics, log: slog.New(slog.NewTextHandler(&a.messages, nil))}
	a.canary = newCanary(d)
	a.canary.probe, a.canary.apart = a.probe, func() error { return a.apart }

	doc, err := os.ReadFile(filepath.FromSlash("../../testdata/catalogue/small.xml"))
	a.must(err)
	parsed, _, err := catalogue.Parse(doc, catalogue.Trust{File: true}, now())
	a.must(err)
	_, err = r.Change(t.Context(), register.Author{Who: "test", Why: "a catalogue"}, func(tx *register.Tx) error {
		return tx.PutCatalogue(CatalogueVersion(parsed, doc))
	})
	a.must(err)
	return a
}

func (a *aviary) must(err error) {
	a.Helper()
	if err != nil {
		a.Fatal(err)
	}
}

func (a *aviary) probe(ctx context.Context, q pdp.Request) (decision.Decision, pdp.Source, error) {
	answer := a.registered
	if a.answer != nil {
		answer = a.answer
	}
	d, err := answer(ctx, q)
	return d, pdp.FromMemory, err
}

// registered permits what is in force.
func (a *aviary) registered(ctx context.Context, q pdp.Request) (d decision.Decision, err error) {
	err = a.register.Read(ctx, func(s *register.Snapshot) error {
		held, err := s.HeldBy(q.Actor, etoegang.LegalSubject{})
		for _, m := range held.Direct {
			if m.State == mandate.Active {
				d = permit(m.ID)
			}
		}
		return err
	})
	return d, err
}

func permit(id mandate.ID) decision.Decision {
	return decision.Decision{Outcome: decision.Permit, Options: []decision.Option{{Mandates: []mandate.ID{id}}}}
}

// told is how many of the canary's turns came to that.
func (a *aviary) told(result string) float64 { return a.metric("mandated_canary_runs_total", result) }

func (a *aviary) measured() float64 { return a.metric("mandated_revocation_lag_seconds", "") }

// metric gives a metric as operators see it; 0 if there is none with that label.
func (a *aviary) metric(name, label string) float64 {
	a.Helper()
	families, err := a.metrics.Gather()
	a.must(err)
	for _, family := range families {
		for _, m := range family.GetMetric() {
			switch {
			case family.GetName() != name:
			case m.GetGauge() != nil:
				return m.GetGauge().GetValue()
			case m.GetLabel()[0].GetValue() == label:
				return m.GetCounter().GetValue()
			}
		}
	}
	return 0
}

// state is that of the mandate granted first.
func (a *aviary) state() (state mandate.State) {
	a.Helper()
	a.must(a.register.Read(context.Background(), func(s *register.Snapshot) error {
		m, err := s.Mandate(1)
		state = m.State
		return err
	}))
	return state
}

// The hour may strike between any two of its steps: the canary goes on asking about whom it
// granted to.
func TestTheHourStrikesWhileItSings(t *testing.T) {
	var hours atomic.Int64
	start := time.Now()
	a := newAviary(t, func() time.Time { return start.Add(time.Duration(hours.Load()) * time.Hour) })
	a.answer = func(ctx context.Context, q pdp.Request) (decision.Decision, error) {
		hours.Add(1)
		return a.registered(ctx, q)
	}
	a.turn(t.Context())
	if a.told("good") != 1 || hours.Load() < 2 {
		t.Errorf("%v good, %d hours struck\n%s", a.told("good"), hours.Load(), &a.messages)
	}

	m := mandate.Mandate{ID: 1, Person: a.register.CanaryPerson()}
	hours.Add(1) // between the grant and the first question
	a.answer = func(_ context.Context, q pdp.Request) (decision.Decision, error) {
		if q.Actor != m.Person.Subject {
			t.Error("asked about whom nothing was granted to")
		}
		return permit(m.ID), nil
	}
	if _, err := a.question(t.Context(), m, 1); err != nil {
		t.Error(err)
	}
}

// A daemon that stops does not stop a run, which would leave its mandate in force.
func TestARunOutlivesItsDaemon(t *testing.T) {
	a := newAviary(t, time.Now)
	stopping, stop := context.WithCancel(t.Context())
	a.answer = func(ctx context.Context, q pdp.Request) (decision.Decision, error) {
		stop()
		return a.registered(ctx, q)
	}
	if a.turn(stopping); a.told("good") != 1 || a.state() != mandate.Revoked {
		t.Errorf("%v good, mandate 1 is %s\n%s", a.told("good"), a.state(), &a.messages)
	}
}

// A run that fails when it has revoked has nothing to clean up, and says only what failed.
func TestARunThatFailsAtItsEnd(t *testing.T) {
	a := newAviary(t, time.Now)
	a.answer = func(ctx context.Context, q pdp.Request) (decision.Decision, error) {
		d, err := a.registered(ctx, q)
		if err == nil && d.Outcome != decision.Permit {
			err = errors.New("the store is away")
		}
		return d, err
	}
	a.turn(t.Context())
	if said := a.messages.String(); a.told("failed") != 1 || !strings.Contains(said, "the store is away") || strings.Contains(said, "cannot become") {
		t.Errorf("%v failed: %s", a.told("failed"), said)
	}
}

// What could not be measured does not look as good as what was measured before. Each run
// leaves nothing in force, also when its own time is up.
func TestARunThatFailsMeasuresNothing(t *testing.T) {
	a := newAviary(t, time.Now)
	if !math.IsNaN(a.measured()) {
		t.Error("something was measured before the first run")
	}
	away, cancel := context.WithCancel(t.Context())
	a.answer = func(context.Context, pdp.Request) (decision.Decision, error) {
		cancel() // and then it fails
		return decision.Decision{}, errors.New("the store is away")
	}
	result, err := a.run(away)
	if result != "failed" || err == nil || strings.Contains(err.Error(), "cancel") || a.state() != mandate.Revoked {
		t.Errorf("%s (%v), and mandate 1 is %s", result, err, a.state())
	}

	a.answer = nil
	a.turn(t.Context())
	if a.told("good") != 1 || math.IsNaN(a.measured()) || a.measured() < 0 {
		t.Errorf("%v good, measured %v", a.told("good"), a.measured())
	}
	a.answer = func(context.Context, pdp.Request) (decision.Decision, error) {
		return decision.Decision{}, errors.New("the store is away")
	}
	a.turn(t.Context())
	if a.told("failed") != 1 || !math.IsNaN(a.measured()) {
		t.Errorf("%v failed, measured %v", a.told("failed"), a.measured())
	}
}

// The lag begins at the commit. A node that goes on permitting has the whole wait as its
// lag, and more.
func TestTheLagBeginsAtTheCommit(t *testing.T) {
	a := newAviary(t, time.Now)
	a.answer = func(context.Context, pdp.Request) (decision.Decision, error) { return permit(1), nil }
	a.turn(t.Context())
	if wait := a.register.Lease().Seconds(); a.told("stale") != 1 || a.measured() < wait {
		t.Errorf("%v stale, measured %v s, and the lease is %v s", a.told("stale"), a.measured(), wait)
	}
	if !strings.Contains(a.messages.String(), errStale.Error()) {
		t.Errorf("it is not told: %s", &a.messages)
	}
}

// An answer that comes after the acknowledgement counts in the lag, also when there were
// good ones in between.
func TestTheLagGoesOnAfterTheAcknowledgement(t *testing.T) {
	a := newAviary(t, time.Now)
	lease := a.register.Lease()
	var waiting context.Context // of the questions between revocation and acknowledgement
	a.answer = func(ctx context.Context, q pdp.Request) (decision.Decision, error) {
		d, err := a.registered(ctx, q)
		switch {
		case d.Outcome == decision.Permit:
			return d, err
		case waiting == nil:
			waiting = ctx
		case ctx != waiting:
			return permit(1), err
		}
		return d, err
	}
	if a.turn(t.Context()); a.told("stale") != 1 || a.measured() < lease.Seconds() {
		t.Errorf("%v stale, measured %v s, and the lease is %v", a.told("stale"), a.measured(), lease)
	}
}

// ahead is a feed from a database whose clock is ten minutes ahead.
type ahead struct{ *register.Register }

func (a ahead) Poll(ctx context.Context, known register.Revision, limit int) (register.News, error) {
	news, err := a.Register.Poll(ctx, known, limit)
	news.Database = news.Database.Add(10 * time.Minute)
	return news, err
}

// A daemon's canary goes by what its node knows of the database's clock.
func TestTheCanaryAsksItsNodeForTheTime(t *testing.T) {
	a := newAviary(t, time.Now)
	d := &Daemon{register: a.register, now: time.Now, metrics: prometheus.NewRegistry(), log: a.log}
	d.follower = freshness.New(ahead{a.register}, a.register.Lease(), freshness.Machine)
	a.must(d.follower.Poll(t.Context()))
	a.canary, a.metrics = newCanary(d), d.metrics
	if a.turn(t.Context()); a.told("skipped") != 1 {
		t.Errorf("it was not skipped: %s", &a.messages)
	}
}

// While clocks differ the canary writes nothing, and says so once.
func TestTheCanaryIsSkippedWhileClocksDiffer(t *testing.T) {
	a := newAviary(t, time.Now)
	a.turn(t.Context())
	before := a.newest()
	a.apart = errors.New("ten minutes apart")
	for range 3 {
		a.turn(t.Context())
	}
	if a.told("skipped") != 3 || !math.IsNaN(a.measured()) || a.newest() != before {
		t.Errorf("%v skipped, measured %v, revision %d after %d", a.told("skipped"), a.measured(), a.newest(), before)
	}
	if n := strings.Count(a.messages.String(), "ten minutes apart"); n != 1 || !strings.Contains(a.messages.String(), "level=WARN") {
		t.Errorf("told %d times:\n%s", n, &a.messages)
	}
	a.apart = nil
	a.turn(t.Context())
	if a.told("good") != 2 || math.IsNaN(a.measured()) {
		t.Errorf("with good clocks: %v good, measured %v", a.told("good"), a.measured())
	}
	a.apart = errors.New("ten minutes apart")
	a.turn(t.Context())
	if n := strings.Count(a.messages.String(), "ten minutes apart"); n != 2 {
		t.Errorf("the second time they differ it is told %d times", n-1)
	}
}

func (a *aviary) newest() (rev register.Revision) {
	a.Helper()
	a.must(a.register.Read(context.Background(), func(s *register.Snapshot) error { rev = s.Revision(); return nil }))
	return rev
}
