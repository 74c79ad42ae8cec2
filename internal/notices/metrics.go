package notices

import (
	"context"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/mandated/mandated/pkg/register"
)

// metrics of one post office. Nothing in them identifies anybody.
type metrics struct {
	waiting, oldest prometheus.Gauge
	outcomes        *prometheus.CounterVec
}

func newMetrics() *metrics {
	m := &metrics{
		waiting: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "mandated_letters_waiting", Help: "Letters that are written and not delivered yet.",
		}),
		oldest: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "mandated_letters_oldest_seconds", Help: "How long ago the oldest letter was written that is not delivered yet; 0 if there is none.",
		}),
		outcomes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "mandated_letters_total", Help: "Tries to deliver a letter, by what came of them: sent, refused, given-up, or waiting (it is tried again).",
		}, []string{"outcome"}),
	}
	for _, state := range []register.LetterState{register.LetterSent, register.LetterRefused, register.LetterGivenUp, register.LetterWaiting} {
		m.outcomes.WithLabelValues(string(state))
	}
	return m
}

func (m *metrics) all() []prometheus.Collector {
	return []prometheus.Collector{m.waiting, m.oldest, m.outcomes}
}

func (m *metrics) count(s register.LetterState) { m.outcomes.WithLabelValues(string(s)).Inc() }

// measure looks how many letters wait. If the register cannot be asked, what was known stays.
func (p *Post) measure(ctx context.Context) {
	_ = p.Register.Read(ctx, func(s *register.Snapshot) error {
		n, oldest, err := s.Backlog()
		if err != nil {
			return err
		}
		p.metrics.waiting.Set(float64(n))
		p.metrics.oldest.Set(0)
		if n > 0 {
			p.metrics.oldest.Set(p.Register.Now().Sub(oldest).Seconds())
		}
		return nil
	})
}
