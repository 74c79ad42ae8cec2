package harness

import (
	"sync"
	"time"
)

// Clock is a time that stands still until it is moved. It may be used by many
// goroutines.
type Clock struct {
	mu sync.Mutex
	at time.Time
}

// NewClock makes a clock that shows at.
func NewClock(at time.Time) *Clock { return &Clock{at: at} }

// Now is what the clock shows.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

// Advance moves the clock on.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}
