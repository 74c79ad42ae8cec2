package drill

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/mandated/mandated/pkg/harness"
	"github.com/mandated/mandated/pkg/register"
	"github.com/mandated/mandated/pkg/saml"
)

// answer is what came of a question.
type answer string

const (
	permit  answer = "Permit"
	deny    answer = "Deny"
	unknown answer = "could not be found out" // signed, neither of the two
	fault   answer = "fault"                  // not an answer: busy, or anything else that is an error to a broker
	silence answer = "no answer"              // the connection broke or was refused
)

// question is one client's, at one node.
type question struct {
	node    *node
	client  *client
	atLeast register.Revision
}

// reply is what came of it.
type reply struct {
	question
	answer
	asked   time.Time
	took    time.Duration
	message string // that was answered
	detail  string
}

func (r reply) String() string {
	return fmt.Sprintf("%s about %s: %s after %v %s", r.node.name, r.client.company.Name, r.answer, r.took.Round(time.Millisecond), r.detail)
}

// ask asks one signed question, as a broker does.
func (s *stage) ask(q question) reply { return s.askWithin(ctx, q) }

func (s *stage) askWithin(ctx context.Context, q question) reply {
	r := reply{question: q, asked: time.Now()}
	result, err := s.network.Broker.Authorize(ctx, harness.Question{
		Person: q.client.person, Service: s.vat(), At: q.node.at, AtLeast: q.atLeast,
	})
	r.took = time.Since(r.asked)
	switch {
	case err != nil:
		r.answer, r.detail = silence, err.Error()
	case result.Reply == nil:
		r.answer, r.detail = fault, fmt.Sprintf("%d %s", result.HTTPStatus, http.StatusText(result.HTTPStatus))
	default:
		r.message = result.Reply.InResponseTo
		r.answer, r.detail = read(result.Reply)
	}
	return r
}

// read tells what a signed answer says.
func read(reply *saml.Reply) (answer, string) {
	switch {
	case reply.Permitted():
		return permit, ""
	case reply.Status == saml.ResponderAuthnFailed && reply.Message != "choice-needed":
		return deny, reply.Message
	case reply.Status == saml.ResponderFailed:
		return unknown, reply.Message
	}
	return fault, fmt.Sprintf("%v %s", reply.Status, reply.Message)
}

// askers is how many questions are under way at once: enough to keep two processors busy,
// few enough that an answer's time is its own.
const askers = 8

// askAll asks many questions, in that order and several at once.
func (s *stage) askAll(questions []question) replies { return s.askBy(ctx, askers, questions) }

// askAtOnce asks them all together: for those that may take long.
func (s *stage) askAtOnce(ctx context.Context, questions []question) replies {
	return s.askBy(ctx, len(questions), questions)
}

func (s *stage) askBy(ctx context.Context, askers int, questions []question) replies {
	list := make(replies, len(questions))
	next := make(chan int)
	var asking sync.WaitGroup
	for range askers {
		asking.Go(func() {
			for i := range next {
				list[i] = s.askWithin(ctx, questions[i])
			}
		})
	}
	for i := range questions {
		next <- i
	}
	close(next)
	asking.Wait()
	return list
}

// everywhere are questions about clients at nodes: the first client's at all nodes, then
// the second's.
func everywhere(nodes []*node, clients []*client) (list []question) {
	for _, c := range clients {
		for _, n := range nodes {
			list = append(list, question{node: n, client: c})
		}
	}
	return list
}

// knowing is the same of an asker who knows what was given, and wants no older answer.
func knowing(list []question) []question {
	for i, q := range list {
		list[i].atLeast = q.client.now().given
	}
	return list
}

type replies []reply

func (l replies) count(a answer) (n int) {
	for _, r := range l {
		if r.answer == a {
			n++
		}
	}
	return n
}

func (l replies) of(n *node) replies {
	return slices.DeleteFunc(slices.Clone(l), func(r reply) bool { return r.node != n })
}

// since are those to questions that were asked at that moment or later.
func (l replies) since(t time.Time) replies {
	return slices.DeleteFunc(slices.Clone(l), func(r reply) bool { return r.asked.Before(t) })
}

// slowest is how long the slowest of them took.
func (l replies) slowest() (d time.Duration) {
	for _, r := range l {
		d = max(d, r.took)
	}
	return d.Round(time.Millisecond)
}

// others are those that are none of these.
func (l replies) others(good ...answer) replies {
	return slices.DeleteFunc(slices.Clone(l), func(r reply) bool { return slices.Contains(good, r.answer) })
}

// String counts, and shows the first few.
func (l replies) String() string {
	counts := map[answer]int{}
	for _, r := range l {
		counts[r.answer]++
	}
	return fmt.Sprint(counts)
}

// some are a few of them in full, for the message of a failure.
func (l replies) some() string {
	var text strings.Builder
	for _, r := range l[:min(5, len(l))] {
		fmt.Fprintf(&text, "\n\t%v", r)
	}
	return text.String()
}

// all fails the scene unless every answer is one of these.
func (s *stage) all(when string, l replies, good ...answer) {
	s.t.Helper()
	if bad := l.others(good...); len(bad) > 0 {
		s.t.Errorf("%s: %v, want only %v:%s", when, l, good, bad.some())
	}
}

// crowd asks without pause, until it is called off. Each answer is held against what the
// scene knows of the client.
type crowd struct {
	stage *stage
	off   chan struct{}
	all   sync.WaitGroup

	mu      sync.Mutex
	replies replies
	wrong   []string
}

// gather lets so many askers ask about clients at nodes, at random.
func (s *stage) gather(askers int, nodes []*node, clients []*client) *crowd {
	c := &crowd{stage: s, off: make(chan struct{})}
	for range askers {
		c.all.Go(func() {
			for {
				select {
				case <-c.off:
					return
				default:
					c.ask(nodes[rand.IntN(len(nodes))], clients[rand.IntN(len(clients))])
				}
			}
		})
	}
	return c
}

// ask asks once. An answer is judged if what is right did not change while it was
// on its way: then only that, or that it could not be found out, is right.
func (c *crowd) ask(n *node, about *client) {
	before := about.now()
	r := c.stage.ask(question{n, about, before.given})
	c.mu.Lock()
	defer c.mu.Unlock()
	c.replies = append(c.replies, r)
	decided := r.answer == permit || r.answer == deny
	if before.answer != "" && decided && r.answer != before.answer && about.now() == before {
		c.wrong = append(c.wrong, fmt.Sprintf("%v, want %s", r, before.answer))
	}
}

// so far are the replies that have come.
func (c *crowd) soFar() replies {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.replies)
}

// disperse calls the crowd off, and fails the scene if any answer was wrong.
func (c *crowd) disperse() replies {
	c.stage.t.Helper()
	close(c.off)
	c.all.Wait()
	if len(c.wrong) > 0 {
		c.stage.t.Errorf("%d wrong answers of %d: %s", len(c.wrong), len(c.replies), strings.Join(c.wrong[:min(5, len(c.wrong))], "\n\t"))
	}
	return c.replies
}
