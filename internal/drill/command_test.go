package drill

import (
	"errors"
	"fmt"
	"sync"
	"testing"
)

// What is taken away by hand, in a process of its own, holds at all nodes when the command
// has ended: it waits for the same acknowledgement.
func TestTakenAwayByCommand(t *testing.T) {
	play(t)
	s := set(t, plan{configure: byRedis})
	var all replies
	for range times(1) {
		clients := s.newClients(9)
		s.give(s.grant, clients...)
		s.warm(clients)
		all = append(all, s.byCommand(clients)...)
	}
	s.all("after the commands", all, deny)
	s.figure("taken away on the command line: %d questions after the command had ended, %d stale", len(all), all.count(permit))
}

// byCommand takes everybody's rights away, each in a process of its own and those side by
// side, and gives the replies to what all nodes are asked about a client as soon as its
// process has ended.
func (s *stage) byCommand(clients []*client) (list replies) {
	s.t.Helper()
	commands := []func(*client) []string{
		func(c *client) []string { return []string{"revoke", fmt.Sprint(c.mandate)} },
		func(c *client) []string { return []string{"block", "person", fmt.Sprint(c.person.ID)} },
		func(c *client) []string { return []string{"block", "organisation", c.between().KvK.Text()} },
		func(c *client) []string { return []string{"suspend", fmt.Sprint(c.mandate)} },
	}
	var mu sync.Mutex
	var failed error
	var taking sync.WaitGroup
	for i, c := range clients {
		taking.Go(func() {
			_, err := s.nodes[i%len(s.nodes)].run(append(commands[i%len(commands)](c), "--why", "drill")...)
			replies := s.askAtOnce(ctx, everywhere(s.nodes, []*client{c}))
			mu.Lock()
			defer mu.Unlock()
			failed, list = errors.Join(failed, err), append(list, replies...)
		})
	}
	taking.Wait()
	s.ok("taking away", failed)
	return list
}
