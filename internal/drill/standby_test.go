package drill

import (
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/mandated/mandated/internal/servers"
)

// Questions are read from the replica while that is known to be up to date. One that
// replays nothing any more, and one that is dead, give way to the primary: nothing stale
// is answered, and no broker hears of it.
func TestStandby(t *testing.T) {
	play(t)
	s := set(t, plan{standby: true})
	fresh := func() []*client {
		clients := s.newClients(times(30))
		s.give(s.grant, clients...)
		return clients
	}

	clients, before, asked := fresh(), s.looks(), 0
	// Sessions tell what they did a little later; and when the lease lapses, as it may on a
	// busy machine, the primary is asked. So more is asked until it shows.
	s.until("the replica is seen to look for mandates", func() error {
		news := fresh()
		s.database.WaitReplayed(s.standby)
		s.all("read from the replica", s.askAll(knowing(everywhere(s.nodes[:1], news))), permit)
		asked += len(news)
		return enough(s.looks()-before, times(15))
	})
	if served := s.nodes[0].metric("mandated_standby_reads_total", `result="served"`); served < float64(asked)/2 {
		t.Errorf("of %d questions the replica answered %v", asked, served)
	}
	s.all("what it knows", s.askAll(knowing(everywhere(s.nodes[:1], clients))), permit)
	t.Logf("of %d questions that nobody had asked before, the replica looked for mandates at least %d times", asked, s.looks()-before)

	s.exec(s.standby, `SELECT pg_wal_replay_pause()`)
	s.all("the replica stands still, about what it knows", s.askAll(everywhere(s.nodes, clients)), permit)
	later := fresh()
	s.all("the replica stands still, about what it does not know", s.askAll(knowing(everywhere(s.nodes, later))), permit)
	s.take(s.ways()[0].take, clients...)
	list := s.askAll(everywhere(s.nodes, clients))
	s.all("the replica stands still, and shows what was taken away", list, deny)
	t.Logf("replay paused: %d questions about what was taken away: %v", len(list), list)
	s.exec(s.standby, `SELECT pg_wal_replay_resume()`)

	for _, n := range s.nodes {
		n.replica.Hang()
	}
	list = s.askAtOnce(ctx, knowing(everywhere(s.nodes, later[:4])))
	s.all("the replica hangs", list, permit)
	list = s.askAtOnce(ctx, knowing(everywhere(s.nodes, fresh()[:4])))
	s.all("the replica hangs, about what it does not know", list, permit)
	t.Logf("replica hanging: %d questions: %v, slowest %v", len(list), list, list.slowest())
	for _, n := range s.nodes {
		n.replica.Heal()
	}

	s.standby.Kill()
	list = s.askAll(knowing(everywhere(s.nodes, fresh())))
	s.all("the replica is dead", list, permit)
	t.Logf("replica dead: %d questions: %v, slowest %v", len(list), list, list.slowest())
	s.take(s.ways()[0].take, later...)
	s.all("the replica is dead", s.askAll(everywhere(s.nodes, later)), deny)
}

// looks is how often the replica has looked for mandates: nothing but a question makes it.
func (s *stage) looks() (n int) {
	s.t.Helper()
	c := s.connect(s.standby)
	defer func() { _ = c.Close(ctx) }()
	s.ok("statistics of the replica", c.QueryRow(ctx, `SELECT coalesce(idx_scan, 0) + seq_scan FROM pg_stat_user_tables WHERE relname = 'mandate'`).Scan(&n))
	return n
}

// exec runs a statement with an administrator's rights.
func (s *stage) exec(d *servers.Database, statement string) {
	s.t.Helper()
	c := s.connect(d)
	defer func() { _ = c.Close(ctx) }()
	_, err := c.Exec(ctx, statement)
	s.ok(statement, err)
}

func (s *stage) connect(d *servers.Database) *pgx.Conn {
	s.t.Helper()
	c, err := pgx.Connect(ctx, d.DSN())
	s.ok("connecting as an administrator", err)
	return c
}
