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
	s := set(t, plan{})
	var list replies
	for range times(3) {
		list = append(list, s.pausedAcross()...)
	}
	s.all("asked while it stood still", list, deny, unknown)
	t.Logf("a node paused across %d revocations, with %d questions waiting for it: %v", times(3), len(list), list)
}

// pausedAcross lets a node stand still while rights are taken away, and gives its replies
// to questions that waited in its sockets when it went on. It is a little further from
// its database than the others are, so that it hears no news before it has looked at what
// waited.
func (s *stage) pausedAcross() replies {
	s.t.Helper()
	clients, last := s.newClients(askers), s.nodes[len(s.nodes)-1]
	s.give(s.grant, clients...)
	s.warm(clients)
	last.primary.Delay(25 * time.Millisecond)
	defer last.primary.Heal()
	s.all("a little further away", s.askAll(everywhere([]*node{last}, clients)), permit)

	last.pause()
	s.take(s.ways()[0].take, clients...)
	var sent sync.WaitGroup
	sent.Add(len(clients))
	asking := httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		WroteRequest: func(httptrace.WroteRequestInfo) { sent.Done() },
	})
	answered := make(chan replies)
	go func() { answered <- s.askAtOnce(asking, everywhere([]*node{last}, clients)) }()
	sent.Wait()
	last.resume()
	return <-answered
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
	s.t.Logf("%s: the fault shows in answers after %v, in readiness after %v; healed, answers are back after %v, readiness after %v",
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
	s := set(t, plan{binary: leaseless, standby: true})
	last := s.nodes[2]
	stale := func(scene string, list replies) {
		n := list.of(last).count(permit)
		if n == 0 {
			t.Errorf("%s: no stale Permit without the lease rule, so the scene proves nothing: %v", scene, list.of(last))
		}
		t.Logf("without the lease rule, %s: %d stale Permits of %d", scene, n, len(list.of(last)))
	}
	var paused replies
	for range 5 { // what waited may still come second to the first poll
		if paused = append(paused, s.pausedAcross()...); paused.count(permit) > 0 {
			break
		}
	}
	stale("paused", paused)
	for _, wire := range ends {
		taken := s.newClients(6)
		stale(wire.name, s.cutOff(wire.end, taken, nil))
	}
}
