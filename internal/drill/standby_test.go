package drill

import (
	"strings"
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

	clients := fresh()
	s.database.WaitReplayed(s.standby)
	before, elsewhere := s.transactions(s.standby), s.transactions(s.database)
	s.all("read from the replica", s.askAll(knowing(everywhere(s.nodes[:1], clients))), permit)
	for _, n := range s.nodes {
		for line := range strings.Lines(n.process.said.String()) {
			if strings.Contains(line, "STANDBY") {
				t.Log(line)
			}
		}
	}
	replica, primary := s.transactions(s.standby)-before, s.transactions(s.database)-elsewhere
	if replica < len(clients) {
		t.Errorf("the replica was asked %d times for %d questions", replica, len(clients))
	}
	t.Logf("%d questions that nobody had asked before: %d statements on the replica, %d on the primary (polls, guard and journal)", len(clients), replica, primary)

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

// transactions is how many transactions a database has ended.
func (s *stage) transactions(d *servers.Database) (n int) {
	s.t.Helper()
	s.query(d, &n, `SELECT pg_stat_force_next_flush(), xact_commit FROM pg_stat_database WHERE datname = current_database()`)
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

func (s *stage) query(d *servers.Database, dest any, statement string) {
	s.t.Helper()
	c := s.connect(d)
	defer func() { _ = c.Close(ctx) }()
	s.ok(statement, c.QueryRow(ctx, statement).Scan(nil, dest))
}

func (s *stage) connect(d *servers.Database) *pgx.Conn {
	s.t.Helper()
	c, err := pgx.Connect(ctx, d.DSN())
	s.ok("connecting as an administrator", err)
	return c
}
