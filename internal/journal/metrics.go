package journal

import (
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics of one journal. Nothing in them identifies anybody.
type metrics struct {
	registerer prometheus.Registerer
	all        []prometheus.Collector

	sizes    prometheus.Histogram
	seconds  prometheus.Histogram
	failures prometheus.Counter

	end     atomic.Int64 // the last record that we know of
	covered atomic.Int64 // the last that our checkpoint signed

	read     atomic.Int64 // the last that was read for when mandates were last used
	readUpTo atomic.Int64 // the time up to which all were, in unix milliseconds
}

func newMetrics(j *Journal, end int64, read mark) *metrics {
	m := &metrics{
		registerer: j.options.Metrics,
		sizes: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "mandated_journal_group_size", Help: "Records that were written together.",
			Buckets: prometheus.ExponentialBuckets(1, 2, 11),
		}),
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "mandated_journal_append_seconds", Help: "Time to write a group of records to disk.",
			Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}),
		failures: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "mandated_journal_checkpoint_failures_total", Help: "Checkpoints that could not be made.",
		}),
	}
	m.end.Store(end)
	m.covered.Store(j.covered.sequence)
	m.followed(read, j.options.Now())
	if 0 < read.sequence && read.sequence < end {
		m.followed(read, read.at)
	}
	m.all = []prometheus.Collector{
		m.sizes, m.seconds, m.failures,
		gauge("mandated_journal_queue", "Records that wait to be written or are being written.", j.group.Waiting),
		gauge("mandated_journal_unproven", "Records after our last checkpoint.", func() int64 { return max(0, m.end.Load()-m.covered.Load()) }),
	}
	if j.options.Used != nil {
		m.all = append(m.all,
			gauge("mandated_journal_uses_behind", "Records that were not yet read for when mandates were last used.", func() int64 { return max(0, m.end.Load()-m.read.Load()) }),
			gauge("mandated_journal_uses_behind_seconds", "For how long the last use of mandates has not been known to be complete.", func() int64 { return max(0, j.options.Now().UnixMilli()-m.readUpTo.Load()) / 1000 }),
		)
	}
	if m.registerer != nil {
		m.registerer.MustRegister(m.all...)
	}
	return m
}

func gauge(name, help string, value func() int64) prometheus.Collector {
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, func() float64 { return float64(value()) })
}

// wrote counts a group, whether it was written or not.
func (m *metrics) wrote(records int, took time.Duration) {
	m.sizes.Observe(float64(records))
	m.seconds.Observe(took.Seconds())
}

// followed notes up to where records were read, and up to what time that is all of them.
func (m *metrics) followed(read mark, upTo time.Time) {
	if m == nil { // nobody measures whoever retires
		return
	}
	m.read.Store(read.sequence)
	m.readUpTo.Store(millis(upTo))
}

// forget takes the metrics back, so that the journal may be opened again.
func (m *metrics) forget() {
	if m.registerer == nil {
		return
	}
	for _, c := range m.all {
		m.registerer.Unregister(c)
	}
}
