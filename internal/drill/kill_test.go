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
// fresh there is none. Questions wait for a database that is soon back; else the nodes say
// that they could not find out. They come back by themselves.
func TestDatabaseKilledUnderLoad(t *testing.T) {
	play(t)
	s := set(t, plan{})
	clients := s.newClients(10)
	s.give(s.grant, clients[:5]...)
	s.warm(clients[:5])
	crowd := s.gather(9, s.nodes, clients)
	for range times(1) {
		s.outage("for a moment", crowd, func(time.Time) {})
		s.outage("until questions are given up", crowd, func(dead time.Time) {
			for _, n := range s.nodes {
				s.until(n.name+" gives a question up", func() error { return enough(len(crowd.soFar().of(n).since(dead)), 1) })
			}
			list := crowd.soFar().since(dead)
			s.all("while the database was dead", list, unknown)
			t.Logf("while the database was dead: %v, after %v", list, list.slowest())
		})
	}
	list := crowd.disperse()
	s.all("under load", list, permit, deny, unknown)
	t.Logf("%d questions: %v, slowest %v", len(list), list, list.slowest())
}

// outage kills the database and starts it again when whatever is to happen meanwhile is
// over, and measures.
func (s *stage) outage(how string, crowd *crowd, meanwhile func(dead time.Time)) {
	s.t.Helper()
	s.until("all are at work", func() error { return enough(len(crowd.soFar()), 20) })
	killed := time.Now()
	s.database.Kill()
	dead := time.Now()
	noticed := s.everyNode(killed, func(n *node) bool { return n.ready() != nil })
	meanwhile(dead)
	s.database.Start()
	started := time.Now()
	answers := s.recovered(crowd, started)
	ready := s.everyNode(started, func(n *node) bool { return n.ready() == nil })
	s.figure("database killed %s: it shows in readiness after %v; up again, all nodes answer after %v and all are ready after %v",
		how, noticed, answers, ready)
}

// recovered waits until every node decides again, and tells how long that took.
func (s *stage) recovered(c *crowd, began time.Time) time.Duration {
	s.t.Helper()
	return s.everyNode(began, func(n *node) bool {
		return len(c.soFar().of(n).since(began).others(unknown, fault, silence)) > 0
	})
}

// everyNode waits until something is so at every node, and tells when it was at the last.
func (s *stage) everyNode(began time.Time, so func(*node) bool) time.Duration {
	s.t.Helper()
	for _, n := range s.nodes {
		s.until(n.name+" has turned", func() error {
			if !so(n) {
				return errors.New("it has not")
			}
			return nil
		})
	}
	return time.Since(began).Round(time.Millisecond)
}

func enough(got, want int) error {
	if got < want {
		return fmt.Errorf("%d of %d", got, want)
	}
	return nil
}

// Daemons and the database are killed, again and again, while rights are given and taken
// away and everybody asks. Whatever was acknowledged is there afterwards, whatever failed
// is as its error says, every answer was right and has its one record, and the journal is
// whole.
func TestNothingAcknowledgedIsLost(t *testing.T) {
	play(t)
	s := set(t, plan{})
	clients := s.newClients(12)
	s.give(s.grant, clients...)
	var all ledger
	for round := range times(5) {
		s.killRound(round, clients, &all)
	}
	for _, n := range s.nodes {
		n.stop()
		report := n.verify("--checkpoint", filepath.Join(filepath.Dir(n.at.Config), "checkpoints.jsonl"))
		t.Logf("by the checkpoints of %s: %d records, %d proven", n.name, report.Records, report.Proven)
	}
	s.figure("%d kills of daemon, database or both: %d changes acknowledged and there, %d failed as they said (%d made, %d not); %d answers with one record each, of %d questions: %v",
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
	list := crowd.disperse()
	l.replies = append(l.replies, list...)
	for _, r := range list.others(permit, deny, unknown) {
		if r.node != victim || round%3 == 1 {
			s.t.Errorf("round %d: %v, and that node was not killed", round, r)
		}
	}
	l.made += s.settle(doubts)
	s.there(l.receipts)
	s.recordedOnce(l.replies)
	s.nodes[0].verify()
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

// report is what "mandated journal verify" finds.
type report struct {
	Records  int   `json:"records"`
	Proven   int   `json:"proven"`
	Problems []any `json:"problems"`
}

// verify verifies the journal.
func (n *node) verify(flags ...string) (r report) {
	n.stage.t.Helper()
	out, err := n.run(append([]string{"--json", "journal", "verify"}, flags...)...)
	n.stage.ok("verifying the journal", err)
	n.stage.ok("reading the report", json.Unmarshal([]byte(out), &r))
	if len(r.Problems) > 0 {
		n.stage.t.Errorf("the journal: %v", r.Problems)
	}
	return r
}

// recordedOnce makes sure that every answer has one record.
func (s *stage) recordedOnce(list replies) {
	s.t.Helper()
	recorded := s.recorded()
	for _, r := range list {
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
