package drill

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// Each node measures how soon a revocation holds, on a mandate of nobody that nobody sees.
func TestCanary(t *testing.T) {
	play(t)
	s := set(t, plan{configure: func(n *node, settings map[string]any) { settings["canary"] = "2s" }})
	clients := s.newClients(1)
	s.give(s.grant, clients...)
	for _, n := range s.nodes {
		s.until(n.name+" has measured", func() error {
			return enough(int(n.metric("mandated_canary_runs_total", `result="good"`)), 2)
		})
	}
	for _, n := range s.nodes {
		if stale := n.metric("mandated_canary_runs_total", `result="stale"`); stale > 0 {
			t.Errorf("%s: %v stale", n.name, stale)
		}
		page, _, err := n.operators("/metrics")
		s.ok("metrics", err)
		if !strings.Contains(page, "\nmandated_revocation_lag_seconds ") {
			t.Errorf("%s does not tell the lag", n.name)
		}
		t.Logf("%s: good %v, busy %v, failed %v; lag %.3f s", n.name,
			n.metric("mandated_canary_runs_total", `result="good"`), n.metric("mandated_canary_runs_total", `result="busy"`),
			n.metric("mandated_canary_runs_total", `result="failed"`), n.metric("mandated_revocation_lag_seconds"))
	}
	var list struct {
		Mandates []struct {
			ID int64 `json:"id"`
		} `json:"mandates"`
	}
	out, err := s.nodes[0].run("--json", "list")
	s.ok("listing", err)
	s.ok("reading the list", json.Unmarshal([]byte(out), &list))
	if got := fmt.Sprint(list.Mandates); got != fmt.Sprintf("[{%d}]", clients[0].mandate) {
		t.Errorf("mandated list shows %s", out)
	}
}
