package cache

import "github.com/prometheus/client_golang/prometheus"

// dropped is why a value did not reach Redis.
type dropped string

const (
	dropQueue    dropped = "queue"    // more were put than Redis takes
	dropBypassed dropped = "bypassed" // Redis is passed by
	dropFailed   dropped = "failed"   // Redis refused or did not answer
	dropLarge    dropped = "large"    // larger than what is read back
	dropEncoding dropped = "encoding" // the codec failed
	dropExpired  dropped = "expired"  // its end came while it waited
)

// metrics counts what is asked, kept and refused. Everything is prepared once: the
// counting in memory must not cost more than the look itself. All labels come from
// closed lists; none identifies anybody.
type metrics struct {
	memory, redis looks
	stored        map[Layer]prometheus.Counter
	dropped       map[dropped]prometheus.Counter
	rejected      map[reason]prometheus.Counter
	failures      map[failure]prometheus.Counter
	open          map[way]prometheus.Gauge
}

// looks counts the looks into one layer.
type looks struct{ found, missed prometheus.Counter }

func (l looks) count(found bool) {
	if found {
		l.found.Inc()
	} else {
		l.missed.Inc()
	}
}

func newMetrics(r prometheus.Registerer) *metrics {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		vec := prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
		r.MustRegister(vec)
		return vec
	}
	lookups := counter("mandated_cache_lookups_total", "Looks for a hot value, by layer and whether there was one.", "layer", "found")
	look := func(l Layer) looks {
		return looks{lookups.WithLabelValues(string(l), "yes"), lookups.WithLabelValues(string(l), "no")}
	}
	open := prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "mandated_cache_redis_open", Help: "1 while Redis is passed by, since it failed several times in a row.",
	}, []string{"way"})
	r.MustRegister(open)
	return &metrics{
		memory: look(InMemory), redis: look(InRedis),
		stored: each(counter("mandated_cache_puts_total", "Hot values that were kept, by layer.", "layer").WithLabelValues,
			InMemory, InRedis),
		dropped: each(counter("mandated_cache_dropped_total", "Hot values that did not reach Redis.", "why").WithLabelValues,
			dropQueue, dropBypassed, dropFailed, dropLarge, dropEncoding, dropExpired),
		rejected: each(counter("mandated_cache_rejected_total", "Values in Redis that were not ours, or not what they should be.", "why").WithLabelValues,
			badFormat, badSeal, badKey, badValue),
		failures: each(counter("mandated_cache_redis_failures_total", "Calls to Redis that failed.", "why").WithLabelValues,
			failTimeout, failAuth, failReadonly, failFull, failLoading, failCluster, failConnection, failOther),
		open: each(open.WithLabelValues, reading, writing),
	}
}

// each gives the metric of every label value, so that all are shown from the start.
func each[L ~string, M any](of func(...string) M, labels ...L) map[L]M {
	all := map[L]M{}
	for _, label := range labels {
		all[label] = of(string(label))
	}
	return all
}
