package daemon

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/mandated/mandated/pkg/saml"
)

// watch gathers what is wrong with the daemon's surroundings, for readiness and metrics.
type watch struct {
	now func() time.Time

	mu       sync.Mutex
	problems map[string]error
	since    map[string]time.Time // of the last time each was noted

	healthy      *prometheus.GaugeVec
	metadata     prometheus.Gauge
	certificates *prometheus.GaugeVec
}

func newWatch(r prometheus.Registerer, now func() time.Time) *watch {
	w := &watch{
		now: now, problems: map[string]error{}, since: map[string]time.Time{},
		healthy: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "mandated_source_healthy", Help: "1 if nothing is wrong with it. 0: a file whose last good version stands in for it, a journal or guard that failed a moment ago, a listener that has ended.",
		}, []string{"source"}),
		metadata: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "mandated_metadata_valid_until_timestamp_seconds", Help: "When the first of the participants' metadata stop being valid.",
		}),
		certificates: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "mandated_certificate_not_after_timestamp_seconds", Help: "When the first certificate of that use expires.",
		}, []string{"use"}),
	}
	r.MustRegister(w.healthy, w.metadata, w.certificates)
	return w
}

// set notes a problem, or that it is over.
func (w *watch) set(source string, problem error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if problem == nil {
		delete(w.problems, source)
		w.healthy.WithLabelValues(source).Set(1)
		return
	}
	w.problems[source], w.since[source] = problem, w.now()
	w.healthy.WithLabelValues(source).Set(0)
}

// retry is how long a store that failed keeps the daemon from being ready. Only a question
// can show that it works again, and no load balancer sends one before readiness returns.
const retry = 10 * time.Second

// forgive drops what was wrong with a store if it has not failed again since.
func (w *watch) forgive(stores ...string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, store := range stores {
		if w.problems[store] != nil && w.now().Sub(w.since[store]) >= retry {
			delete(w.problems, store)
			w.healthy.WithLabelValues(store).Set(1)
		}
	}
}

// problem is what is wrong with one source; nil if nothing is.
func (w *watch) problem(source string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.problems[source]
}

// list gives the problems, in the order of their sources.
func (w *watch) list() []error {
	w.mu.Lock()
	defer w.mu.Unlock()
	var sources []string
	for source := range w.problems {
		sources = append(sources, source)
	}
	slices.Sort(sources)
	var list []error
	for _, source := range sources {
		list = append(list, fmt.Errorf("%s: %w", source, w.problems[source]))
	}
	return list
}

// participants measures how long what is in use will still be valid.
func (w *watch) participants(all []saml.Participant) {
	first := map[string]int64{}
	earliest := func(use string, at int64) {
		if old, ok := first[use]; !ok || at < old {
			first[use] = at
		}
	}
	for _, p := range all {
		if !p.Until.IsZero() {
			earliest("metadata", p.Until.Unix())
		}
		for _, k := range p.Signing {
			earliest("signing", k.Certificate.NotAfter.Unix())
		}
		for _, k := range p.Encryption {
			earliest("encryption", k.Certificate.NotAfter.Unix())
		}
	}
	w.metadata.Set(float64(first["metadata"]))
	for _, use := range []string{"signing", "encryption"} {
		w.certificates.WithLabelValues(use).Set(float64(first[use]))
	}
}
