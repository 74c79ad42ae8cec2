package drill

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mandated/mandated/pkg/register"
)

// The database dies under load. No answer is wrong meanwhile: without proof that it is
// fresh there is none, and the nodes say that they could not find out. They come back by
// themselves.
func TestDatabaseKilledUnderLoad(t *testing.T) {
	s := set(t, plan{})
	clients := s.newClients(10)
	s.give(s.grant, clients[:5]...)
	s.warm(clients[:5])
	crowd := s.gather(6, s.nodes, clients)
	for range times(2) {
		killed := time.Now()
		s.database.Kill()
		dead := time.Now()
		answers, readiness := s.noticed(crowd, killed)
		s.until("more was asked", func() error { return enough(len(crowd.soFar().since(dead)), 100) })
		s.all("while the database was dead", crowd.soFar().since(dead), unknown)
		down := len(crowd.soFar().since(dead))

		started := time.Now()
		s.database.Start()
		recovered := time.Since(started)
		answersBack, readinessBack := s.recovered(crowd, started)
		t.Logf("database killed: shows in answers after %v, in readiness after %v; %d answers without a database, none decided; "+
			"started, it recovers for %v; from its start on: all nodes answer after %v, all are ready after %v",
			answers, readiness, down, recovered.Round(time.Millisecond), answersBack, readinessBack)
	}
	list := crowd.disperse()
	s.all("under load", list, permit, deny, unknown)
	t.Logf("%d questions: %v", len(list), list)
}

func enough(got, want int) error {
	if got < want {
		return fmt.Errorf("%d of %d", got, want)
	}
	return nil
}

// noticed waits until every node tells that something is wrong, in answers and in
// readiness.
func (s *stage) noticed(c *crowd, began time.Time) (answers, readiness time.Duration) {
	s.t.Helper()
	return s.everyNode(began, func(n *node) bool {
		return c.soFar().of(n).since(began).count(unknown) > 0
	}, func(n *node) bool { return n.ready() != nil })
}

// recovered waits until every node answers again.
func (s *stage) recovered(c *crowd, began time.Time) (answers, readiness time.Duration) {
	s.t.Helper()
	return s.everyNode(began, func(n *node) bool {
		return len(c.soFar().of(n).since(began).others(unknown, fault, silence)) > 0
	}, func(n *node) bool { return n.ready() == nil })
}

// everyNode tells when the last node answered so, and when the last was so ready.
func (s *stage) everyNode(began time.Time, answered, ready func(*node) bool) (answers, readiness time.Duration) {
	s.t.Helper()
	wait := func(condition func(*node) bool) (took time.Duration) {
		for _, n := range s.nodes {
			s.until(n.name+" has turned", func() error {
				if !condition(n) {
					return errors.New("it has not")
				}
				return nil
			})
		}
		return time.Since(began).Round(time.Millisecond)
	}
	return wait(answered), wait(ready)
}

// Daemons and the database are killed, again and again, while rights are given and taken
// away and everybody asks. Whatever was acknowledged is there afterwards, whatever failed
// is as its error says, every answer was right and has its one record, and the journal is
// whole.
func TestNothingAcknowledgedIsLost(t *testing.T) {
	s := set(t, plan{})
	clients := s.newClients(12)
	s.give(s.grant, clients...)
	var all ledger
	for round := range times(5) {
		s.killRound(round, clients, &all)
	}
	s.whole(&all)
	t.Logf("%d rounds: %d changes acknowledged and there, %d failed as they said (%d made, %d not); %d answers with one record each, of %d questions: %v",
		times(5), len(all.receipts), len(all.doubts), all.made, len(all.doubts)-all.made, len(all.replies)-len(all.replies.others(permit, deny)), len(all.replies), all.replies)
}

// ledger is what was acknowledged and answered, and what was not.
type ledger struct {
	receipts []register.Receipt
	doubts   []doubt
	made     int // of the doubts, those that were made nevertheless
	replies  replies
}

// killRound kills a daemon, the database, or both, at a moment when all of them work.
func (s *stage) killRound(round int, clients []*client, l *ledger) {
	s.t.Helper()
	crowd, work := s.gather(4, s.nodes, clients), s.work(clients)
	s.until("all are at work", func() error {
		return errors.Join(enough(len(crowd.soFar()), 40), enough(work.done(), 2))
	})
	<-time.After(rand.N(20 * time.Millisecond)) // somewhere within the next answer
	victim := s.nodes[round%len(s.nodes)]
	if round%3 != 1 {
		victim.kill()
	}
	if round%3 != 0 {
		s.database.Kill()
		s.database.Start()
	}
	if round%3 != 1 {
		victim.start()
	}
	began := time.Now()
	s.recovered(crowd, began)
	s.until("work goes on", func() error { return enough(len(crowd.soFar().since(began)), 40) })
	receipts, doubts := work.end()
	l.receipts, l.doubts = append(l.receipts, receipts...), append(l.doubts, doubts...)
	l.replies = append(l.replies, crowd.disperse()...)
	for _, r := range l.replies.others(permit, deny, unknown) {
		if r.node != victim {
			s.t.Errorf("round %d: %v, and that node was not killed", round, r)
		}
	}
	l.made += s.settle(doubts)
	s.there(receipts)
}

// there makes sure that every acknowledged revision is in the register, with its tag.
func (s *stage) there(receipts []register.Receipt) {
	s.t.Helper()
	for _, r := range receipts {
		news, err := s.register.Poll(ctx, r.Revision, 1)
		if err != nil || news.Known != r.Stamp {
			s.t.Errorf("revision %d was acknowledged, and is not there (%v)", r.Revision, err)
		}
	}
}

// whole verifies the journal with every node's checkpoints, and that every answer has one
// record.
func (s *stage) whole(l *ledger) {
	s.t.Helper()
	for _, n := range s.nodes {
		out, err := n.run("journal", "verify", "--checkpoint", filepath.Join(filepath.Dir(n.at.Config), "checkpoints.jsonl"))
		s.ok("verifying the journal", err)
		s.t.Logf("by the checkpoints of %s: %s", n.name, strings.TrimSpace(strings.ReplaceAll(out, "\n", "; ")))
	}
	recorded := s.recorded()
	for _, r := range l.replies {
		if n := recorded[r.message]; (r.answer == permit || r.answer == deny) && n != 1 {
			s.t.Errorf("%v: it has %d records", r, n)
		}
	}
}

// recorded counts the journal's records by the message that they are about, as an export
// has them.
func (s *stage) recorded() map[string]int {
	s.t.Helper()
	out, err := s.nodes[0].run("journal", "export")
	s.ok("exporting the journal", err)
	count := map[string]int{}
	for line := range strings.Lines(out) {
		var record struct {
			Body struct {
				Request struct {
					Context struct {
						Message string `json:"message"`
					} `json:"context"`
				} `json:"adl.core.request"`
			} `json:"body"`
		}
		s.ok("a line of the export", json.Unmarshal([]byte(line), &record))
		count[record.Body.Request.Context.Message]++
	}
	return count
}
