package daemon

import (
	"fmt"
	"net/http"
	"testing"
	"time"
)

// Whoever asks too often waits, and nobody else does; who has waited may ask again. However
// many come, the daemon keeps no more of them than it wants to.
func TestPace(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	p := newPace(2, func() time.Time { return now })
	from := func(address string) *http.Request { return &http.Request{RemoteAddr: address + ":1234"} }
	ask := func(address string) (answered int) {
		for range 100 {
			if p.allows(from(address)) == 0 {
				answered++
			}
		}
		return answered
	}
	if n := ask("192.0.2.1"); n != 20 {
		t.Errorf("%d at once", n)
	}
	if n := ask("192.0.2.2"); n != 20 {
		t.Errorf("another has %d", n)
	}
	now = now.Add(time.Second)
	if n := ask("192.0.2.1"); n != 2 {
		t.Errorf("%d a second later", n)
	}
	if n, m := ask("[2001:db8::1]"), ask("[2001:db8::2]"); n != 20 || m != 0 {
		t.Errorf("one subscriber has %d and %d", n, m)
	}
	for i := range 2 * mostKnown {
		p.allows(from(fmt.Sprintf("10.%d.%d.%d", i>>16, i>>8&255, i&255)))
	}
	if len(p.known) > mostKnown {
		t.Errorf("%d are remembered", len(p.known))
	}
	if n := ask("192.0.2.9"); n != 0 {
		t.Errorf("in a crowd that has asked too much, somebody new asks %d times", n)
	}
	now = now.Add(time.Minute)
	if n := ask("192.0.2.9"); n != 20 || len(p.known) != 1 {
		t.Errorf("when it is quiet again: %d, and %d are remembered", n, len(p.known))
	}
	if n := newPace(0, nil).allows(from("192.0.2.1")); n != 0 {
		t.Errorf("without a bound: %v", n)
	}
}
