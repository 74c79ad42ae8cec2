package freshness

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics tell operators how fresh the view is and why hot decisions were not served.
type metrics struct {
	follower *Follower
	why      map[Why]prometheus.Counter
	judging  *prometheus.CounterVec
	polls    *prometheus.CounterVec
	lag      prometheus.Histogram
}

func newMetrics(f *Follower) *metrics {
	m := &metrics{
		follower: f,
		why:      map[Why]prometheus.Counter{},
		judging: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "mandated_hot_judged_total", Help: "Kept decisions that were judged: served, or why not.",
		}, []string{"verdict"}),
		polls: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "mandated_feed_polls_total", Help: "Polls of the change feed, by what came of them.",
		}, []string{"result"}),
		lag: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "mandated_revision_lag_seconds", Help: "From the making of a revision until this node knew of it.",
			Buckets: []float64{.01, .025, .05, .1, .2, .5, 1, 2, 5, 10},
		}),
	}
	for _, why := range []Why{NoView, Lease, Slept, Unknown, Changed, Expired, Early, Unheardof} {
		m.why[why] = m.judging.WithLabelValues(string(why))
	}
	m.why[Serves] = m.judging.WithLabelValues("served")
	return m
}

func (m *metrics) judged(why Why)          { m.why[why].Inc() }
func (m *metrics) polled(result string)    { m.polls.WithLabelValues(result).Inc() }
func (m *metrics) learned(d time.Duration) { m.lag.Observe(max(d, 0).Seconds()) }

// Describe and Collect make a Follower a prometheus.Collector.
func (f *Follower) Describe(to chan<- *prometheus.Desc) { prometheus.DescribeByCollect(f, to) }

var (
	ageOfView = prometheus.NewDesc("mandated_view_age_seconds",
		"Since the view of the register was last confirmed; hot decisions are served below the lease. Negative: there is no view.", nil, nil)
	revisionOfView = prometheus.NewDesc("mandated_view_revision", "The newest revision that this node knows of.", nil, nil)
	clockApart     = prometheus.NewDesc("mandated_clock_apart_seconds",
		"How far this machine's clock is from the database's, at least; above 2 nothing is decided.", nil, nil)
	leaseOfView = prometheus.NewDesc("mandated_lease_seconds", "The register's lease.", nil, nil)
)

// Collect gives the metrics as they are.
func (f *Follower) Collect(to chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, value float64) {
		to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value)
	}
	gauge(ageOfView, f.age().Seconds())
	gauge(leaseOfView, f.lease.Seconds())
	if v := f.view.Load(); v != nil {
		gauge(revisionOfView, float64(v.newest.Revision))
	}
	if t := f.told.Load(); t != nil {
		gauge(clockApart, t.apart(f.clock()).Seconds())
	}
	f.metrics.judging.Collect(to)
	f.metrics.polls.Collect(to)
	f.metrics.lag.Collect(to)
}
