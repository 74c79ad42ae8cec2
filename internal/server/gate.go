package server

import (
	"context"
	"errors"
	"net/http"
	"net/netip"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
)

// errBusy is the error of a question that found no place, nor room to wait for one.
var errBusy = errors.New("server: too many questions of this sender at once")

// gate bounds work, fairly among senders. It may be used by many goroutines.
type gate struct {
	mu    sync.Mutex
	turns *turns[chan struct{}]

	working, waiting prometheus.Gauge
	shed             prometheus.Counter
}

// newGate makes a gate with so many places; of each sender as many again may wait.
func newGate(places, room int, m *Metrics, name string) *gate {
	return &gate{
		turns:   newTurns[chan struct{}](places, room),
		working: m.working.WithLabelValues(name), waiting: m.waiting.WithLabelValues(name), shed: m.shed.WithLabelValues(name),
	}
}

// enter waits for a place. Without an error the caller has one and must leave. The error
// is errBusy, at once, when there is no room to wait, or the context's if it ends first.
func (g *gate) enter(ctx context.Context, sender string) error {
	called := make(chan struct{})
	switch g.ask(sender, called) {
	case works:
		return nil
	case refused:
		return errBusy
	}
	select {
	case <-called:
		return nil
	case <-ctx.Done():
	}
	if !g.quit(sender, called) { // he was called at the same moment
		g.leave()
	}
	return ctx.Err()
}

func (g *gate) ask(sender string, called chan struct{}) standing {
	g.mu.Lock()
	defer g.mu.Unlock()
	standing := g.turns.enter(sender, called)
	switch standing {
	case works:
		g.working.Inc()
	case waits:
		g.waiting.Inc()
	case refused:
		g.shed.Inc()
	}
	return standing
}

func (g *gate) quit(sender string, called chan struct{}) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.turns.quit(sender, called) {
		return false
	}
	g.waiting.Dec()
	return true
}

// leave gives the caller's place to whose turn it is.
func (g *gate) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	next, somebody := g.turns.leave()
	if !somebody {
		g.working.Dec()
		return
	}
	g.waiting.Dec()
	close(next)
}

// peerOf names whoever is at the other end of a connection, before anything is known of
// his message: by the certificate he showed, or else by the origin of his address.
func peerOf(r *http.Request) string {
	if r.TLS != nil && len(r.TLS.PeerCertificates) > 0 {
		return string(r.TLS.PeerCertificates[0].Raw)
	}
	return Origin(r.RemoteAddr).String()
}

// Origin is whom an address with a port belongs to: of IPv6 a subscriber has at least the 64
// bits that end it. All that are no such addresses are one.
func Origin(address string) netip.Prefix {
	remote, err := netip.ParseAddrPort(address)
	if err != nil {
		return netip.Prefix{}
	}
	ip, bits := remote.Addr().Unmap().WithZone(""), 32
	if ip.Is6() {
		bits = 64
	}
	return netip.PrefixFrom(ip, bits).Masked()
}
