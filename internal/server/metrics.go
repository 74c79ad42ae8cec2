package server

import (
	"errors"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

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
	duration  prometheus.Histogram
}

// NewMetrics registers the metrics of the public addresses.
func NewMetrics(r prometheus.Registerer) *Metrics {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	}
	m := &Metrics{
		decisions: counter("mandated_decisions_total", "Decisions that were made and recorded.", "question", "outcome"),
		reasons:   counter("mandated_decision_reasons_total", "Denials by reason code; one decision may have several.", "reason"),
		refusals:  counter("mandated_refusals_total", "Messages of known senders, or not SOAP at all, that were refused before a decision.", "why"),
		faults:    counter("mandated_faults_total", "Messages that nobody known has sent, by the defence that refused them.", "defence"),
		duration: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "mandated_query_duration_seconds", Help: "Time from request to answer.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5},
		}),
	}
	r.MustRegister(m.decisions, m.reasons, m.refusals, m.faults, m.duration)
	return m
}

func (m *Metrics) decided(question string, a pdp.Answer) {
	m.decisions.WithLabelValues(question, a.Outcome.String()).Inc()
	if len(a.Options) == 0 {
		for _, code := range a.Codes() {
			m.reasons.WithLabelValues(string(code)).Inc()
		}
	}
}

func (m *Metrics) refused(why string) { m.refusals.WithLabelValues(why).Inc() }

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
		xmlsec.ErrUnknownIssuer, xmlsec.ErrKeyName, xmlsec.ErrWeakKey, xmlsec.ErrCertificate, xmlsec.ErrSignature,
		saml.ErrNotSOAP, saml.ErrMustUnderstand, saml.ErrNoQuery, errStranger,
	} {
		if errors.Is(cause, known) {
			_, text, _ := strings.Cut(known.Error(), ": ")
			return strings.ReplaceAll(text, " ", "-")
		}
	}
	return "other"
}
