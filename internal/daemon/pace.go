package daemon

import (
	"net/http"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/mandated/mandated/internal/server"
)

// pace lets whoever comes ask so often in a second, after a burst of ten times as much: so that
// nobody, by mistake or on purpose, takes the time of all others. Whoever has been quiet is
// forgotten. It is safe for use by many goroutines.
type pace struct {
	perSecond int
	now       func() time.Time

	mu     sync.Mutex
	known  map[netip.Prefix]*rate.Limiter
	looked time.Time     // when it was last looked who can be forgotten
	crowd  *rate.Limiter // of all that are too many to be told apart
}

// mostKnown is how many are told apart.
const mostKnown = 10_000

func newPace(perSecond int, now func() time.Time) *pace {
	p := &pace{perSecond: perSecond, now: now, known: map[netip.Prefix]*rate.Limiter{}}
	p.crowd = p.limiter()
	return p
}

func (p *pace) limiter() *rate.Limiter {
	return rate.NewLimiter(rate.Limit(p.perSecond), 10*p.perSecond)
}

// allows tells how long whoever sends a request is to wait; 0: it may be answered.
func (p *pace) allows(r *http.Request) time.Duration {
	if p.perSecond == 0 {
		return 0
	}
	now := p.now()
	own := p.of(server.Origin(r.RemoteAddr), now)
	if own.AllowN(now, 1) {
		return 0
	}
	return time.Second
}

// of is the limiter of one origin.
func (p *pace) of(who netip.Prefix, now time.Time) *rate.Limiter {
	p.mu.Lock()
	defer p.mu.Unlock()
	if l := p.known[who]; l != nil {
		return l
	}
	if len(p.known) >= mostKnown && now.Sub(p.looked) >= time.Second { // a crowd costs no look for each of it
		p.forget(now)
	}
	if len(p.known) >= mostKnown {
		return p.crowd
	}
	l := p.limiter()
	p.known[who] = l
	return l
}

// forget lets go of those who have asked nothing for so long that it makes no difference.
func (p *pace) forget(now time.Time) {
	p.looked = now
	for who, l := range p.known {
		if l.TokensAt(now) >= float64(l.Burst()) {
			delete(p.known, who)
		}
	}
}
