package drill

import (
	"slices"
	"testing"
	"time"
)

// redisState is something that befalls Redis while rights are taken away.
type redisState struct {
	name  string
	begin func(*stage, []*node) // after the nodes have warmed up
	then  func(*stage)          // between the acknowledgement and the questions; nil: nothing
	end   func(*stage, []*node)
}

func redisStates() []redisState {
	nothing := func(*stage, []*node) {}
	links := func(do func(n *node)) func(*stage, []*node) {
		return func(_ *stage, nodes []*node) {
			for _, n := range nodes {
				do(n)
			}
		}
	}
	var dump []byte
	return []redisState{
		{name: "healthy", begin: nothing, end: nothing},
		{
			name: "slow", // below the patience of the cache for one node, and above it for the others
			begin: func(_ *stage, nodes []*node) {
				for i, n := range nodes {
					n.cache.Delay([]time.Duration{10 * time.Millisecond, 100 * time.Millisecond, 300 * time.Millisecond}[i%3])
				}
			},
			end: links(func(n *node) { n.cache.Heal() }),
		},
		{
			name:  "killed",
			begin: func(s *stage, _ []*node) { s.redis.Kill() },
			end:   func(s *stage, _ []*node) { s.redis.Start() },
		},
		{name: "flushed", begin: func(s *stage, _ []*node) { s.redis.Flush() }, end: nothing},
		{
			name:  "partitioned", // what is on its way arrives when the partition ends
			begin: links(func(n *node) { n.cache.Hang() }),
			end:   links(func(n *node) { n.cache.Heal() }),
		},
		{
			name:  "restored from an old dump", // in which everything is permitted
			begin: func(s *stage, _ []*node) { dump = s.redis.Dump() },
			then:  func(s *stage) { s.redis.Restore(dump) },
			end:   nothing,
		},
	}
}

// Once it is acknowledged that a right was taken away, no node permits it any more,
// whatever befalls Redis meanwhile; and no broker hears of it. The last node has no memory
// of its own and lives by Redis alone.
func TestRedisHasNoPart(t *testing.T) {
	play(t)
	s := set(t, plan{configure: func(n *node, settings map[string]any) {
		if n.name == "node 3" {
			settings["memory"] = 0
		}
	}})
	for _, state := range redisStates() {
		began, memory, redis := time.Now(), s.hot("memory"), s.hot("redis")
		first, later := s.redisRounds(state)
		memory, redis = s.hot("memory")-memory, s.hot("redis")-redis
		if memory == 0 || redis == 0 {
			t.Errorf("%s: hot decisions from memory %d, from Redis %d: without them nothing is shown", state.name, memory, redis)
		}
		t.Logf("Redis %s: %d questions right after an acknowledgement, %d when all was over: %d Permits; before, hot Permits from memory %d, from Redis %d; %v",
			state.name, len(first), len(later), first.count(permit)+later.count(permit), memory, redis, time.Since(began).Round(time.Second/10))
	}
}

// redisRounds takes rights away again and again, each time by another road, while Redis
// is in that state. It gives the replies to the questions asked right after the
// acknowledgement, and to those asked when Redis was well again.
func (s *stage) redisRounds(state redisState) (first, later replies) {
	s.t.Helper()
	clients, give := s.newClients(20), s.grant
	for round := 0; len(first)+len(later) < times(1000); round++ {
		way := s.ways()[round%len(s.ways())]
		s.give(give, clients...)
		s.warm(clients)
		state.begin(s, s.nodes)
		s.take(way.take, clients...)
		if state.then != nil {
			state.then(s)
		}
		at := s.askAll(slices.Repeat(everywhere(s.nodes, clients), 2))
		state.end(s, s.nodes)
		after := s.askAll(everywhere(s.nodes, clients))
		s.all(way.name+" while Redis is "+state.name, at, deny)
		s.all(way.name+" after Redis was "+state.name, after, deny)
		first, later, give = append(first, at...), append(later, after...), way.give
	}
	return first, later
}

// warm asks until the nodes hold what they permit: the first node has asked the register,
// the others find it in Redis, and a few are found in memory.
func (s *stage) warm(clients []*client) {
	s.t.Helper()
	for _, n := range s.nodes {
		s.all("before", s.askAll(knowing(everywhere([]*node{n}, clients))), permit)
	}
	s.all("before", s.askAll(knowing(everywhere(s.nodes, clients[:min(5, len(clients))]))), permit)
}

// hot is how many Permits of the nodes were kept ones, from memory or from redis.
func (s *stage) hot(source string) (sum int) {
	s.t.Helper()
	for _, n := range s.nodes {
		sum += int(n.metric("mandated_decisions_total", `outcome="Permit"`, `source="`+source+`"`))
	}
	return sum
}
