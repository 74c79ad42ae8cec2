package drill

import (
	"context"
	"net/http/httptrace"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/mandated/mandated/internal/servers"
)

// A node that stood still while a right was taken away does not permit it when it goes
// on, although the question was there before it could hear of anything.
func TestNodePausedAcrossARevocation(t *testing.T) {
	play(t)
	s := set(t, plan{configure: roomy})
	var all replies
	paused := 0
	for round := 0; len(all) < times(1000); round++ {
		way := s.ways()[round%len(s.ways())]
		waited, others := s.pausedAcross(way, 28)
		s.all(way.name+" while it stood still", waited, deny, unknown)
		s.all(way.name+" while another stood still", others, deny)
		all, paused = slices.Concat(all, waited, others), paused+len(waited)
	}
	s.figure("node paused (SIGSTOP): %d questions after an acknowledgement, %d of them waiting for the paused node, %d stale", len(all), paused, all.count(permit))
	t.Logf("%v", all)
}

// roomy lets more questions of one asker wait than usual.
func roomy(_ *node, settings map[string]any) { settings["work"] = 256 }

// pausedAcross lets a node stand still while rights are taken away, and gives its replies
// to questions that waited in its sockets when it went on, four about each client, and
// those of the others. It is a little further from its database than they are, so that it
// hears no news before it has looked at what waited.
func (s *stage) pausedAcross(way taking, n int) (waited, others replies) {
	s.t.Helper()
	clients, end := s.newClients(n), len(s.nodes)-1
	last := s.nodes[end]
	s.give(s.grant, clients...)
	s.warm(clients)
	last.primary.Delay(25 * time.Millisecond)
	defer last.primary.Heal()
	s.all("a little further away", s.askAll(everywhere(s.nodes[end:], clients)), permit)

	last.pause()
	s.take(way.take, clients...)
	questions := slices.Repeat(everywhere(s.nodes[end:], clients), 4)
	var sent sync.WaitGroup
	sent.Add(len(questions))
	asking := httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		WroteRequest: func(httptrace.WroteRequestInfo) { sent.Done() },
	})
	answered := make(chan replies)
	go func() { answered <- s.askAtOnce(asking, questions) }()
	others = s.askAll(everywhere(s.nodes[:end], clients))
	sent.Wait()
	last.resume()
	return <-answered, others
}

// ends are the ways in which a wire to the database fails: one tells at once, one never.
var ends = []struct {
	name string
	end  func(*servers.Proxy)
}{
	{"connections refused", (*servers.Proxy).Cut},
	{"connections hanging", (*servers.Proxy).Hang},
}

// A node that is cut off from the primary serves nothing stale, although it still has its
// memory, Redis, and a replica: it says that it could not find out. The others go on, and
// it comes back by itself.
func TestNodeCutOff(t *testing.T) {
	play(t)
	s := set(t, plan{standby: true})
	others, last := s.nodes[:2], s.nodes[2]
	for _, wire := range ends {
		taken, kept := s.newClients(6), s.newClients(2)
		list := s.cutOff(wire.end, taken, kept)
		s.all(wire.name+", the node cut off", list.of(last), unknown)
		for _, r := range list {
			if want := r.client.now().answer; r.node != last && r.answer != want {
				t.Errorf("%s, another node: %v, want %s", wire.name, r, want)
			}
		}
		s.measureCut(wire.name, func() { wire.end(last.primary) }, last, kept[0])
		s.all("when all is over", s.askAll(everywhere(s.nodes, taken)), deny)
		s.all("when all is over", s.askAll(everywhere(s.nodes, kept)), permit)
		t.Logf("%s: cut off: %v, slowest %v; the others: %v, slowest %v", wire.name, list.of(last), list.of(last).slowest(),
			append(list.of(others[0]), list.of(others[1])...), append(list.of(others[0]), list.of(others[1])...).slowest())
	}
}

// cutOff cuts the last node off, takes the rights of some clients away and leaves those
// of others, and gives the replies of all nodes to questions asked right after the
// acknowledgement.
func (s *stage) cutOff(end func(*servers.Proxy), taken, kept []*client) replies {
	s.t.Helper()
	last := s.nodes[len(s.nodes)-1]
	both := slices.Concat(taken, kept)
	s.give(s.grant, both...)
	s.warm(both)
	end(last.primary)
	s.take(s.ways()[0].take, taken...)
	list := s.askAtOnce(ctx, everywhere(s.nodes, both))
	last.primary.Heal()
	s.until("the node is back", last.ready)
	return list
}

// measureCut measures how soon a fault shows in answers and in readiness, and how soon
// service is back.
func (s *stage) measureCut(name string, end func(), n *node, c *client) {
	s.t.Helper()
	s.until("the node follows the register", n.follows)
	began := time.Now()
	end()
	answers, readiness := s.turn(began, n, c, false)
	began = time.Now()
	n.primary.Heal()
	answersBack, readinessBack := s.turn(began, n, c, true)
	s.figure("one node's %s: the fault shows in answers after %v, in readiness after %v; healed, answers are back after %v, readiness after %v",
		name, answers, readiness, answersBack, readinessBack)
}

// turn measures since when a node's answers and readiness are good, or bad.
func (s *stage) turn(began time.Time, n *node, c *client, good bool) (answers, readiness time.Duration) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(ctx, bound)
	defer cancel()
	var watching sync.WaitGroup
	watching.Go(func() {
		answers = since(ctx, began, func() bool { return (s.ask(question{node: n, client: c}).answer == permit) == good })
	})
	watching.Go(func() { readiness = since(ctx, began, func() bool { return (n.ready() == nil) == good }) })
	watching.Wait()
	if ctx.Err() != nil {
		s.t.Fatalf("%s: good %v: not within %v", n.name, good, bound)
	}
	return answers, readiness
}

// since looks again and again until a condition is true, and tells how long that took.
func since(ctx context.Context, began time.Time, condition func() bool) time.Duration {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !condition() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return 0
		}
	}
	return time.Since(began).Round(time.Millisecond)
}

// These scenes can fail: a node that lives without the lease rule permits what was
// taken away, in each of them.
func TestWithoutTheLeaseRule(t *testing.T) {
	play(t)
	s := set(t, plan{binary: leaseless, standby: true, configure: func(n *node, settings map[string]any) {
		byRedis(n, settings)
		roomy(n, settings)
	}})
	stale := func(scene string, list replies) {
		n := list.count(permit)
		if n == 0 {
			t.Errorf("%s: no stale Permit without the lease rule, so the scene proves nothing: %v", scene, list)
		}
		s.figure("without the lease rule, %s: %d questions after an acknowledgement, %d stale", scene, len(list), n)
	}
	ways, end := s.ways(), len(s.nodes)-1
	for i, state := range redisStates() {
		clients := s.newClients(6)
		s.give(s.grant, clients...)
		s.warm(clients)
		first, _ := s.redisRound(state, ways[i%len(ways)], clients, s.nodes[1:])
		stale("redis "+state.name, first)
	}
	var paused replies
	for i := range 5 { // what waited may still come second to the first poll
		waited, _ := s.pausedAcross(ways[i], 12)
		if paused = append(paused, waited...); paused.count(permit) > 0 {
			break
		}
	}
	stale("node paused (SIGSTOP)", paused)
	for _, wire := range ends {
		taken := s.newClients(6)
		stale(wire.name, s.cutOff(wire.end, taken, nil).of(s.nodes[end]))
	}
}
