package server

import (
	"errors"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/pdp"
	"github.com/mandated/mandated/pkg/saml"
	"github.com/mandated/mandated/pkg/xmlsec"
)

// Metrics counts what is answered. No label ever identifies anybody: all of them come
// from closed lists.
type Metrics struct {
	decisions *prometheus.CounterVec
	reasons   *prometheus.CounterVec
	refusals  *prometheus.CounterVec
	faults    *prometheus.CounterVec
	failures  *prometheus.CounterVec
	visits    *prometheus.CounterVec
	asked     *prometheus.CounterVec
	pages     *prometheus.CounterVec
	duration  prometheus.Histogram
	deciding  *prometheus.HistogramVec

	working, waiting *prometheus.GaugeVec
	shed             *prometheus.CounterVec
}

// NewMetrics registers the metrics of the public addresses.
func NewMetrics(r prometheus.Registerer) *Metrics {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	}
	gauge := func(name, help string, labels ...string) *prometheus.GaugeVec {
		return prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: help}, labels)
	}
	m := &Metrics{
		decisions: counter("mandated_decisions_total", "Decisions that were made and recorded, by where they were found.", "question", "outcome", "source"),
		reasons:   counter("mandated_decision_reasons_total", "Denials by reason code; one decision may have several.", "reason"),
		refusals:  counter("mandated_refusals_total", "Messages of known senders, or not SOAP at all, that were refused before a decision.", "why"),
		faults:    counter("mandated_faults_total", "Messages that nobody known has sent, by the defence that refused them.", "defence"),
		failures:  counter("mandated_peer_failures_total", "Those refusals that are the sender's own doing, by his role.", "role", "why"),
		visits:    counter("mandated_visits_total", "Visits of users who see a page before their answer leaves, by how far they came.", "stage"),
		pages:     counter("mandated_chain_pages_total", "Pages of chain mandates that other registers were given: the last of a list (complete), or one with more after it.", "page"),
		asked:     counter("mandated_discoveries_total", "Other registers that were asked for an intermediary's clients while a user waited, by what came of it.", "result"),
		duration: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "mandated_query_duration_seconds", Help: "Time from request to answer.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5},
		}),
		deciding: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "mandated_decision_duration_seconds", Help: "Time to find a decision and to record it, by where it was found.",
			Buckets: []float64{.00005, .0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, 1, 2.5},
		}, []string{"source"}),
		working: gauge("mandated_queue_working", "Messages that are worked on.", "queue"),
		waiting: gauge("mandated_queue_waiting", "Messages that wait for a place.", "queue"),
		shed:    counter("mandated_queue_shed_total", "Messages that found no room to wait and were told to come back.", "queue"),
	}
	r.MustRegister(m.decisions, m.reasons, m.refusals, m.faults, m.failures, m.visits, m.asked, m.pages, m.duration, m.deciding, m.working, m.waiting, m.shed)
	return m
}

func (m *Metrics) decided(question string, a pdp.Answer, took time.Duration) {
	source := sourceOf(a)
	m.decisions.WithLabelValues(question, a.Outcome.String(), source).Inc()
	m.deciding.WithLabelValues(source).Observe(took.Seconds())
	if len(a.Options) == 0 {
		for _, code := range a.Codes() {
			m.reasons.WithLabelValues(string(code)).Inc()
		}
	}
}

// sourceOf names where a decision was found.
func sourceOf(a pdp.Answer) string {
	if a.Hot == pdp.FromRegister {
		return "register"
	}
	return string(a.Hot)
}

func (m *Metrics) failed(role etoegang.Role, why string) {
	m.failures.WithLabelValues(string(role), why).Inc()
}

// visited counts a visit that has begun, or how it has ended.
func (m *Metrics) visited(stage string) { m.visits.WithLabelValues(stage).Inc() }

// discovered counts the registers that did not answer, and those of which something was found.
func (m *Metrics) discovered(d Discovered) {
	for _, s := range d.Silent {
		m.asked.WithLabelValues(string(s.Why)).Inc()
	}
	answered := map[etoegang.EntityID]bool{}
	for _, r := range d.Found {
		answered[r.Register] = true
	}
	m.asked.WithLabelValues("found").Add(float64(len(answered)))
}

func (m *Metrics) refused(why string) { m.refusals.WithLabelValues(why).Inc() }

func (m *Metrics) told(page string) { m.pages.WithLabelValues(page).Inc() }

func (m *Metrics) took(d time.Duration) { m.duration.Observe(d.Seconds()) }

func (m *Metrics) faulted(cause error) { m.faults.WithLabelValues(defence(cause)).Inc() }

// defence names what refused a message: the sentinel behind the error, as one word.
func defence(cause error) string {
	for _, known := range []error{
		xmlsec.ErrTooLarge, xmlsec.ErrEncoding, xmlsec.ErrDirective, xmlsec.ErrInstruction, xmlsec.ErrComment,
		xmlsec.ErrCDATA, xmlsec.ErrEntity, xmlsec.ErrTooDeep, xmlsec.ErrTooMany, xmlsec.ErrLongAttribute,
		xmlsec.ErrDuplicateAttribute, xmlsec.ErrNamespace, xmlsec.ErrMixedContent, xmlsec.ErrDuplicateID, xmlsec.ErrBadID,
		xmlsec.ErrMalformed, xmlsec.ErrPlaceCount, xmlsec.ErrSignatureCount, xmlsec.ErrSignaturePlace,
		xmlsec.ErrSignatureShape, xmlsec.ErrReference, xmlsec.ErrTransforms, xmlsec.ErrAlgorithm, xmlsec.ErrIssuer,
		xmlsec.ErrUnknownIssuer, xmlsec.ErrKeyName, xmlsec.ErrWeakKey, xmlsec.ErrCertificate, xmlsec.ErrSignature, xmlsec.ErrDisagreement,
		saml.ErrNotSOAP, saml.ErrMustUnderstand, saml.ErrNoQuery, errStranger,
		saml.ErrArtifact, saml.ErrNoResolve, saml.ErrNoResolved, saml.ErrNothingThere, saml.ErrNoChainQuery,
		errNothingBrought, errRelayState, errNotPosted, errNoConsumer, errNoSource, errNotFetched,
	} {
		if errors.Is(cause, known) {
			_, text, _ := strings.Cut(known.Error(), ": ")
			return strings.ReplaceAll(text, " ", "-")
		}
	}
	return "other"
}
