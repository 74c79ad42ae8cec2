package drill

import (
	"slices"
	"testing"
	"time"
)

// redisState is something that befalls Redis while rights are taken away.
type redisState struct {
	name  string
	begin func(*stage) // after the nodes have warmed up
	then  func(*stage) // between the acknowledgement and the questions; nil: nothing
	end   func(*stage)
}

func redisStates() []redisState {
	nothing := func(*stage) {}
	links := func(do func(n *node)) func(*stage) {
		return func(s *stage) {
			for _, n := range s.nodes {
				do(n)
			}
		}
	}
	var dump []byte
	return []redisState{
		{name: "healthy", begin: nothing, end: nothing},
		{
			name: "slow", // below the patience of the cache for one node, and above it for the others
			begin: func(s *stage) {
				for i, n := range s.nodes {
					n.cache.Delay([]time.Duration{100 * time.Millisecond, 10 * time.Millisecond, 300 * time.Millisecond}[i%3])
				}
			},
			end: links(func(n *node) { n.cache.Heal() }),
		},
		{
			name:  "killed",
			begin: func(s *stage) { s.redis.Kill() },
			end:   func(s *stage) { s.redis.Start() },
		},
		{name: "flushed", begin: func(s *stage) { s.redis.Flush() }, end: nothing},
		{
			name:  "partitioned", // what is on its way arrives when the partition ends
			begin: links(func(n *node) { n.cache.Hang() }),
			end:   links(func(n *node) { n.cache.Heal() }),
		},
		{
			name:  "restored from an old dump", // in which everything is permitted
			begin: func(s *stage) { dump = s.redis.Dump() },
			then:  func(s *stage) { s.redis.Restore(dump) },
			end:   nothing,
		},
	}
}

// byRedis lets the second node have no memory of its own: it lives by Redis alone.
func byRedis(n *node, settings map[string]any) {
	if n.name == "node 2" {
		settings["memory"] = 0
	}
}

// Once it is acknowledged that a right was taken away, no node permits it any more,
// whatever befalls Redis meanwhile; and no broker hears of it.
func TestRedisHasNoPart(t *testing.T) {
	play(t)
	s := set(t, plan{configure: byRedis})
	for _, state := range redisStates() {
		began, memory, redis := time.Now(), s.hot("memory"), s.hot("redis")
		list := s.redisRounds(state)
		memory, redis = s.hot("memory")-memory, s.hot("redis")-redis
		if memory == 0 || redis == 0 {
			t.Errorf("%s: hot decisions from memory %d, from Redis %d: without them nothing is shown", state.name, memory, redis)
		}
		s.figure("redis %s: %d questions after an acknowledgement, %d stale", state.name, len(list), list.count(permit))
		t.Logf("Redis %s: %v; before, hot Permits from memory %d, from Redis %d; %v",
			state.name, list, memory, redis, time.Since(began).Round(time.Second/10))
	}
}

// redisRounds takes rights away again and again, each time by another road, while Redis
// is in that state, and gives the replies to what was asked in it. In half of the rounds,
// and in time on every road, two nodes hear nothing from the register until after the
// acknowledgement.
func (s *stage) redisRounds(state redisState) (all replies) {
	s.t.Helper()
	clients, ways, give := s.newClients(19), s.ways(), s.grant
	for round := 0; len(all) < times(1000); round++ {
		way, deaf := ways[round%len(ways)], s.nodes[:0]
		if (round+round/len(ways))%2 == 1 {
			deaf = s.nodes[1:]
		}
		s.give(give, clients...)
		s.warm(clients)
		first, again := s.redisRound(state, way, clients, deaf)
		s.right(way.name+" while Redis is "+state.name, first, deaf)
		s.all(way.name+" while Redis is still "+state.name, again, deny)
		s.all(way.name+" after Redis was "+state.name, s.askAll(everywhere(s.nodes, clients)), deny)
		all, give = slices.Concat(all, first, again), way.give
	}
	return all
}

// redisRound takes rights away while Redis is in that state and the deaf nodes have a
// wire to the register that hangs. Right after the acknowledgement it asks all nodes
// about everybody at once, heals the wires when the nodes that hear have answered, and
// asks again.
func (s *stage) redisRound(state redisState, way taking, clients []*client, deaf []*node) (first, again replies) {
	s.t.Helper()
	for _, n := range deaf {
		n.primary.Hang()
	}
	state.begin(s)
	s.take(way.take, clients...)
	if state.then != nil {
		state.then(s)
	}
	first = s.askUntilHealed(clients, deaf)
	for _, n := range deaf {
		s.until(n.name+" is back", n.ready)
	}
	again = s.askAll(slices.Repeat(everywhere(s.nodes, clients), 2))
	state.end(s)
	return first, again
}

// askUntilHealed asks all nodes about everybody at once. A deaf node that knows that it
// may not serve what it has kept waits for the register, so that is given back to it.
func (s *stage) askUntilHealed(clients []*client, deaf []*node) replies {
	hearing := slices.DeleteFunc(slices.Clone(s.nodes), func(n *node) bool { return slices.Contains(deaf, n) })
	waiting := make(chan replies)
	go func() { waiting <- s.askAtOnce(ctx, everywhere(deaf, clients)) }()
	list := s.askAtOnce(ctx, everywhere(hearing, clients))
	for _, n := range deaf {
		n.primary.Heal()
	}
	return append(list, <-waiting...)
}

// right fails the scene unless every answer is what holds now; a deaf node may also say
// that it could not find out.
func (s *stage) right(when string, list replies, deaf []*node) {
	s.t.Helper()
	for _, n := range s.nodes {
		good := []answer{deny}
		if slices.Contains(deaf, n) {
			good = append(good, unknown)
		}
		s.all(when+", "+n.name, list.of(n), good...)
	}
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
