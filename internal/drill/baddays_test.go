package drill

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/mandated/mandated/internal/servers"
	"github.com/mandated/mandated/pkg/register"
)

// badDay is something wrong with Redis, and how operators hear of it.
type badDay struct {
	name   string
	begin  func(*stage)
	end    func(*stage)
	metric string
	label  string
	log    []string // that stand in one line
}

func badDays() []badDay {
	return []badDay{
		{
			name: "wrong password",
			begin: func(s *stage) {
				s.redisDo("CONFIG", "SET", "requirepass", "another")
				s.redisDo("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
			},
			end:    func(s *stage) { s.redisDo("CONFIG", "SET", "requirepass", "") },
			metric: "mandated_cache_redis_failures_total", label: `why="auth"`,
			log: []string{"redis is passed by", `"way":"read"`, `"why":"auth"`},
		},
		{
			name:   "full",
			begin:  func(s *stage) { s.redisDo("CONFIG", "SET", "maxmemory", "1") },
			end:    func(s *stage) { s.redisDo("CONFIG", "SET", "maxmemory", "0") },
			metric: "mandated_cache_redis_failures_total", label: `why="full"`,
			log: []string{"redis is passed by", `"way":"write"`, `"why":"full"`},
		},
		{
			name: "a replica, as after a fail-over", // of a master that is gone
			begin: func(s *stage) {
				s.redisDo("REPLICAOF", "127.0.0.1", fmt.Sprint(servers.Free(s.t)))
			},
			end:    func(s *stage) { s.redisDo("REPLICAOF", "NO", "ONE") },
			metric: "mandated_cache_redis_failures_total", label: `why="readonly"`,
			log: []string{"redis is passed by", `"way":"write"`, `"why":"readonly"`},
		},
		{
			name: "foreign values under our keys", begin: (*stage).junk, end: func(s *stage) { s.redis.Flush() },
			metric: "mandated_cache_rejected_total", label: `why="format"`,
			log: []string{"redis holds a value under our key that is not ours", `"why":"format"`},
		},
		{
			name: "our values under one another's keys", begin: (*stage).mixUp, end: func(s *stage) { s.redis.Flush() },
			metric: "mandated_cache_rejected_total", label: `why="seal"`,
			log: []string{"redis holds a value under our key that is not ours", `"why":"seal"`},
		},
	}
}

// Whatever is wrong with Redis, answers are right and no broker hears of it; operators
// do, in metrics and in the log.
func TestBadDaysOfRedis(t *testing.T) {
	play(t)
	s := set(t, plan{nodes: 2, configure: func(n *node, settings map[string]any) { settings["memory"] = 0 }})
	for _, day := range badDays() {
		s.until("Redis is of use", s.useful)
		clients := s.newClients(8)
		s.give(s.grant, clients...)
		s.warm(clients)
		before, heard := s.count(day), s.heard()
		day.begin(s)
		s.take(s.ways()[0].take, clients[4:]...)
		s.all(day.name+", what was taken away", s.askAll(everywhere(s.nodes, clients[4:])), deny)
		s.all(day.name+", what was not", s.askAll(everywhere(s.nodes, clients[:4])), permit)
		asked := 0
		s.until(day.name+" is told", func() error {
			// Of a client whom nobody has asked about, so that there is something to write.
			s.all(day.name, s.askAll(everywhere(s.nodes, s.newClients(1))), deny)
			asked += len(s.nodes)
			return s.told(day, before, heard)
		})
		day.end(s)
		s.t.Logf("Redis with %s: %d answers, all right; %s{%s} grew by %v", day.name, 16+asked, day.metric, day.label, s.count(day)-before)
	}
}

// useful asks something and says whether a node passes Redis by: only a question shows
// that it is back.
func (s *stage) useful() error {
	s.t.Helper()
	s.all("after a bad day", s.askAll(everywhere(s.nodes, s.newClients(1))), deny)
	for _, n := range s.nodes {
		if n.metric("mandated_cache_redis_open") > 0 {
			return fmt.Errorf("%s passes it by", n.name)
		}
	}
	return nil
}

func (s *stage) count(day badDay) (sum float64) {
	for _, n := range s.nodes {
		sum += n.metric(day.metric, day.label)
	}
	return sum
}

// heard is how much each node has said in its log.
func (s *stage) heard() (lengths []int) {
	for _, n := range s.nodes {
		lengths = append(lengths, len(n.process.said.String()))
	}
	return lengths
}

// told says what operators of some node have not heard since the day began.
func (s *stage) told(day badDay, before float64, heard []int) error {
	if s.count(day) <= before {
		return errors.New("not in the metrics")
	}
	for i, n := range s.nodes {
		for line := range strings.Lines(n.process.said.String()[heard[i]:]) {
			if all(line, day.log) {
				return nil
			}
		}
	}
	return errors.New("not in the log")
}

func (s *stage) redisDo(words ...any) {
	s.t.Helper()
	s.ok(fmt.Sprint(words...), s.redis.Client().Do(ctx, words...).Err())
}

func (s *stage) redisKeys() []string {
	s.t.Helper()
	keys, err := s.redis.Client().Keys(ctx, "*").Result()
	s.ok("the keys in Redis", err)
	if len(keys) < 2 {
		s.t.Fatalf("Redis has %d keys: nothing to spoil", len(keys))
	}
	return keys
}

// junk puts what is not ours under every key: text, lists, and much of nothing. None of it
// looks like ours: the log tells each kind once an hour, and another day is about that.
func (s *stage) junk() {
	s.t.Helper()
	for i, key := range s.redisKeys() {
		switch i % 3 {
		case 0:
			s.redisDo("SET", key, `{"permit": true}`)
		case 1:
			s.redisDo("SET", key, strings.Repeat("\x00", 2<<20))
		default:
			s.redisDo("DEL", key)
			s.redisDo("RPUSH", key, "permit")
		}
	}
}

// mixUp gives each key the value of its neighbour.
func (s *stage) mixUp() {
	s.t.Helper()
	keys := s.redisKeys()
	for i, key := range keys[1:] {
		s.redisDo("COPY", keys[i], "aside", "REPLACE")
		s.redisDo("COPY", key, keys[i], "REPLACE")
		s.redisDo("COPY", "aside", key, "REPLACE")
	}
}

// What a daemon cannot work on it refuses at the start, and says what is wrong.
func TestDatabaseThatCannotBeServed(t *testing.T) {
	play(t)
	s := set(t, plan{nodes: 1, standby: true})
	refuses := func(why string, environ []string, want string) {
		t.Helper()
		p, err := serve(s.nodes[0].command(append(environ, "MANDATED_LISTEN="+s.free(), "MANDATED_OPERATIONS="+s.free()), "serve", "--dev"))
		if err == nil {
			p.kill()
			t.Errorf("%s: the daemon starts", why)
		} else if !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v; want %q", why, err, want)
		} else {
			t.Logf("%s: %s", why, strings.TrimSpace(strings.SplitN(err.Error(), "\n", 2)[0]))
		}
	}
	refuses("a standby given as register", []string{"MANDATED_REGISTER=" + s.standby.DSN()}, "the database is a standby: name its primary")
	s.exec(s.database, `INSERT INTO register_schema (version_id, is_applied) VALUES (9999, true)`)
	refuses("a register of a newer program", nil, "written by a newer version of this program")
	s.all("the daemon that runs goes on", s.askAll(everywhere(s.nodes, s.newClients(1))), deny)
}

func (s *stage) free() string { return net.JoinHostPort("127.0.0.1", fmt.Sprint(servers.Free(s.t))) }

// The connection breaks in the middle of changes: before, while and after the database
// hears of the commit. Each change is acknowledged and there, or its error is true. The
// first commit that is met cannot be asked about either, as the database stays away.
func TestConnectionLostDuringChanges(t *testing.T) {
	play(t)
	s := set(t, plan{nodes: 1})
	link := servers.Link(t, s.database.Addr())
	linked, err := register.Open(ctx, s.database.DSNOver(link), register.Options{})
	s.ok("opening the register", err)
	t.Cleanup(func() { _ = linked.Close() })
	over := *s
	over.register = linked

	clients := s.newClients(6)
	s.give(s.grant, clients...)
	var acknowledged, failed, uncertain, made int
	for i := range times(24) {
		c := clients[i%len(clients)]
		receipt, d := over.cutDuring(link, c, uncertain == 0)
		if d.err == nil {
			acknowledged++
			s.there([]register.Receipt{receipt})
		} else if failed++; errors.Is(d.err, register.ErrUncertain) {
			uncertain++
		}
		made += s.settle([]doubt{d})
	}
	t.Logf("%d cuts: %d changes acknowledged, %d not, %d of them uncertain; made were %d", times(24), acknowledged, failed, uncertain, made)
	if acknowledged == 0 || failed == 0 {
		t.Error("the cuts met no change, or every one: not everything was shown")
	}
}

// cutDuring changes what a client may do, over a link that is cut at some moment from
// just before the last statements, of which the commit is one, until a little after them.
func (s *stage) cutDuring(link *servers.Proxy, c *client, stays bool) (register.Receipt, doubt) {
	const away = 10 * time.Millisecond // so that a statement takes twice as long
	revoking := s.ways()[0]
	d := doubt{client: c, from: c.now().answer, to: permit}
	how := revoking.give
	if d.from == permit {
		d.to, how = deny, revoking.take
	}
	link.Delay(away)
	var cut chan struct{} // closed when it is done; nil: the change never got that far
	var receipt register.Receipt
	receipt, d.err = s.alter(d.to, func(t *register.Tx, c *client) error {
		if err := how(t, c); err != nil {
			return err
		}
		cut = make(chan struct{})
		time.AfterFunc(rand.N(15*away), func() {
			defer close(cut)
			link.Cut()
			if !stays {
				link.Heal()
			}
		})
		return nil
	}, []*client{c})
	if cut != nil {
		<-cut
	}
	link.Heal()
	return receipt, d
}

// A node whose clock is ten minutes from the database's decides nothing and says why; the
// others go on, and it comes back when the clocks agree. Since a process cannot be given
// a clock of its own, it is given a database whose clock is wrong for it alone.
func TestClocksApart(t *testing.T) {
	play(t)
	const clock = `CREATE OR REPLACE FUNCTION public.clock_timestamp() RETURNS timestamptz VOLATILE LANGUAGE sql
		AS $$ SELECT pg_catalog.clock_timestamp() + interval '%s' $$`
	s := set(t, plan{
		nodes:   2,
		prepare: func(s *stage) { s.exec(s.database, fmt.Sprintf(clock, "0 s")) },
		configure: func(n *node, settings map[string]any) {
			if n.name == "node 2" {
				settings["register"] = settings["register"].(string) + "&search_path=public,pg_catalog"
			}
		},
	})
	good, wrong := s.nodes[:1], s.nodes[1:]
	clients := s.newClients(4)
	s.give(s.grant, clients...)
	s.warm(clients)

	began := time.Now()
	s.exec(s.database, fmt.Sprintf(clock, "10 minutes"))
	s.until("it is told", func() error {
		if err := s.nodes[1].ready(); err == nil || !strings.Contains(err.Error(), "clock") {
			return fmt.Errorf("readiness: %v", err)
		}
		return nil
	})
	t.Logf("ten minutes off: told after %v: %v", time.Since(began).Round(time.Millisecond), s.nodes[1].ready())
	s.all("the node with the wrong clock", s.askAll(everywhere(wrong, clients)), unknown)
	s.all("the other", s.askAll(everywhere(good, clients)), permit)

	s.exec(s.database, fmt.Sprintf(clock, "0 s"))
	s.until("it is back", s.nodes[1].ready)
	s.all("when the clocks agree", s.askAll(everywhere(s.nodes, clients)), permit)
}
