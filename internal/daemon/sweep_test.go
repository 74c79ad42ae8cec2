package daemon

import (
	"strings"
	"testing"
	"time"

	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
)

// A request that nobody answers ends when its time is over, and the log says how many did,
// and not whose.
func TestSweep(t *testing.T) {
	e := newEnding(t)
	over := e.begin.Add(mandate.RequestLife)
	asked := e.chain(mandate.Requested, mandate.Everything(etoegang.LoA3), 1, register.GrantOptions{Request: &register.Asked{By: mandate.ReceiverSide, Expires: over}})

	e.set(over.Add(-time.Second))
	e.sweep(t.Context())
	if got := e.stateOf(asked); got != mandate.Requested || e.said.Len() > 0 {
		t.Errorf("too early: %s, %s", got, &e.said)
	}
	e.set(over)
	e.sweep(t.Context())
	if got := e.stateOf(asked); got != mandate.RequestExpired || !strings.Contains(e.said.String(), "requests=1") || strings.Contains(e.said.String(), "12345678") {
		t.Errorf("in time: %s, %s", got, &e.said)
	}
	e.must(e.register.Close())
	e.sweep(t.Context())
	if !strings.Contains(e.said.String(), "could not be ended") {
		t.Errorf("a register that is lost: %s", &e.said)
	}
}
