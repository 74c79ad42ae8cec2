package drill

import (
	"errors"
	"testing"
	"time"

	"github.com/mandated/mandated/internal/servers"
)

// A master of a Redis Cluster dies under load, and a replica takes its place. Brokers
// notice nothing, also where the replay guard lives in that Redis: there a message waits
// until it can be remembered.
func TestClusterFailsOver(t *testing.T) {
	play(t)
	c := servers.RedisCluster(t)
	s := set(t, failing(map[string]any{"addresses": c.Addrs(), "cluster": true}))
	s.failOver(func(i int) (replaced func() bool) {
		dead := c.KillMaster(i % 3)
		return func() bool { return c.Master(i%3) != dead }
	}, c.Restart)
}

// The same of a master under sentinels.
func TestSentinelFailsOver(t *testing.T) {
	play(t)
	watched := servers.Sentinel(t)
	s := set(t, failing(map[string]any{"addresses": watched.SentinelAddrs(), "master": watched.MasterName()}))
	s.failOver(func(int) (replaced func() bool) {
		dead := watched.KillMaster()
		return func() bool { return watched.Master() != dead }
	}, watched.Restart)
}

// failing are nodes of which one lives by Redis alone and keeps its guard there as well.
func failing(redis map[string]any) plan {
	return plan{redis: redis, configure: func(n *node, settings map[string]any) {
		if n.name == "node 3" {
			settings["guard"], settings["memory"] = "redis", 0
		}
	}}
}

// failOver kills masters under load. Every answer is a decision, and right.
func (s *stage) failOver(kill func(i int) (replaced func() bool), mend func()) {
	s.t.Helper()
	clients := s.newClients(12)
	s.give(s.grant, clients[:6]...)
	s.warm(clients[:6])
	crowd := s.gather(6, s.nodes, clients)
	for i := range times(1) {
		s.until("all are at work", func() error { return enough(len(crowd.soFar()), (i+1)*50) })
		began := time.Now()
		replaced := kill(i)
		s.until("another master is in its place", func() error {
			if !replaced() {
				return errors.New("there is none")
			}
			return nil
		})
		took := time.Since(began)
		mend()
		over := time.Now()
		for _, n := range s.nodes {
			s.until("work goes on", func() error { return enough(len(crowd.soFar().of(n).since(over)), 20) })
		}
		during := crowd.soFar().since(began)
		s.figure("%s: a master killed, and replaced after %v: %d questions in that time", s.t.Name(), took.Round(time.Millisecond), len(during)-len(during.since(began.Add(took))))
	}
	list := crowd.disperse()
	s.all("during the fail-over", list, permit, deny)
	for _, n := range s.nodes {
		s.t.Logf("%s: %d questions: %v, slowest %v", n.name, len(list.of(n)), list.of(n), list.of(n).slowest())
	}
}
