package bench

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/mandated/mandated/internal/cache"
	"github.com/mandated/mandated/internal/daemon"
	"github.com/mandated/mandated/internal/servers"
	"github.com/mandated/mandated/pkg/decision"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/freshness"
	"github.com/mandated/mandated/pkg/pdp"
)

// lookups are decisions without messages, by where they come from.
type lookups struct {
	s      *stage
	config pdp.Config
}

func newLookups(s *stage) *lookups {
	t := s.t
	t.Helper()
	r := s.net.First.Register()
	c := must[daemon.Config](t)(daemon.LoadConfig(s.net.First.Config, nil))
	l := &lookups{s: s, config: daemon.Explainer(c, r, r.Key("journal"), time.Now)}
	l.config.Freshness = freshness.New(r, r.Lease(), freshness.Machine)
	if err := l.config.Freshness.Poll(ctx); err != nil {
		t.Fatal(err)
	}
	following, stop := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		l.config.Freshness.Follow(following, func(error) {})
		close(done)
	}()
	t.Cleanup(func() { stop(); <-done })
	return l
}

func (l *lookups) request() pdp.Request {
	return pdp.Request{
		Question: decision.Authorize, ServiceID: l.s.vat.ID, ServiceUUID: l.s.vat.UUID, Login: etoegang.LoA3,
		Actor: l.s.anna.Subject, Represented: []etoegang.LegalSubject{l.s.bakery.KvK.LegalSubject()},
	}
}

// from measures a decision that comes from there, and counts how many do.
func (l *lookups) from(name string, hot pdp.Hot, source pdp.Source) (*contender, func() share) {
	t := l.s.t
	t.Helper()
	config, request := l.config, l.request()
	if hot != nil { // or else it would be something that is nothing
		config.Hot = hot
	}
	point := pdp.New(config)
	probe := func() pdp.Source {
		found, from, err := point.Probe(ctx, request)
		if err != nil || found.Outcome != decision.Permit {
			t.Fatalf("%s: %v, %v", name, found.Outcome, err)
		}
		return from
	}
	for deadline := time.Now().Add(10 * time.Second); probe() != source; {
		if time.Now().After(deadline) {
			t.Fatalf("%s: decisions never come from there", name)
		}
	}
	counted := share{what: name}
	return here(t, name, nil, func(int) {
		counted.all++
		if probe() == source {
			counted.hot++
		}
	}), func() share { return counted }
}

func (l *lookups) cache(o cache.Options) *cache.Cache[*pdp.Finding] {
	o.Secret, o.Metrics = l.s.net.First.Register().Key("hot decisions"), prometheus.NewRegistry()
	c := cache.New(cache.Codec[*pdp.Finding]{Encode: (*pdp.Finding).Encode, Decode: pdp.DecodeFinding, Size: (*pdp.Finding).Size}, o)
	l.s.t.Cleanup(c.Close)
	return c
}

func (l *lookups) memory(name string) (*contender, func() share) {
	l.s.t.Helper()
	return l.from(name, l.cache(cache.Options{Memory: 1 << 20}), pdp.FromMemory)
}

func (l *lookups) redis(name string) (*contender, func() share) {
	l.s.t.Helper()
	client := cache.Connect(cache.ConnectOptions{Addresses: []string{servers.Redis(l.s.t, servers.RedisOptions{}).Addr()}})
	l.s.t.Cleanup(func() { _ = client.Close() })
	return l.from(name, l.cache(cache.Options{Redis: client}), pdp.FromRedis)
}

// register measures a decision that nobody has kept.
func (l *lookups) register(name string) (*contender, func() share) {
	l.s.t.Helper()
	return l.from(name, nil, pdp.FromRegister)
}
