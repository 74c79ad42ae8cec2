package drill

import (
	"errors"
	"slices"
	"sync"

	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
)

// doubt is a change that was not acknowledged.
type doubt struct {
	client   *client
	from, to answer
	err      error
}

// workers is how many people change the register at once, each for clients of his own.
const workers = 4

// work is changing the register, until it is ended.
type work struct {
	stage *stage
	off   chan struct{}
	all   sync.WaitGroup

	mu       sync.Mutex
	receipts []register.Receipt
	doubts   []doubt
}

// work gives what was taken and takes what was given. A client whose change fails is left
// alone from then on.
func (s *stage) work(clients []*client) *work {
	w := &work{stage: s, off: make(chan struct{})}
	for i := range workers {
		var own []*client
		for j := i; j < len(clients); j += workers {
			own = append(own, clients[j])
		}
		w.all.Go(func() { w.run(own) })
	}
	return w
}

func (w *work) run(own []*client) {
	for next := 0; len(own) > 0; next++ {
		select {
		case <-w.off:
			return
		default:
		}
		i := next % len(own)
		if !w.change(own[i]) {
			own = slices.Delete(own, i, i+1)
		}
	}
}

// change changes what a client may do, and tells whether that was acknowledged.
func (w *work) change(c *client) bool {
	revoking := w.stage.ways()[0]
	from, to, how := c.now().answer, permit, revoking.give
	if from == permit {
		to, how = deny, revoking.take
	}
	receipt, err := w.stage.alter(to, how, []*client{c})
	w.mu.Lock()
	defer w.mu.Unlock()
	if err != nil {
		w.doubts = append(w.doubts, doubt{c, from, to, err})
		return false
	}
	w.receipts = append(w.receipts, receipt)
	return true
}

func (w *work) done() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.receipts)
}

// end waits for the changes under way.
func (w *work) end() ([]register.Receipt, []doubt) {
	close(w.off)
	w.all.Wait()
	return w.receipts, w.doubts
}

// settle holds what came of changes against what the register has now: without an error it
// was made, with one it was not, and only an error that says so leaves that open. It tells
// how many were made.
func (s *stage) settle(doubts []doubt) (made int) {
	s.t.Helper()
	for _, d := range doubts {
		now := s.truth(d.client)
		if now == d.to {
			made++
		}
		if (now == d.to) != (d.err == nil) && !errors.Is(d.err, register.ErrUncertain) {
			s.t.Errorf("%s was to become %s and is now %s, but the error was: %v", d.client.company.Name, d.to, now, d.err)
		}
		d.client.become(now, 0)
	}
	return made
}

// truth is what the register says of a client.
func (s *stage) truth(c *client) (a answer) {
	s.t.Helper()
	a = deny
	s.ok("looking into the register", s.register.Read(ctx, func(r *register.Snapshot) error {
		list, _, err := r.Mandates(register.Filter{Person: c.person.ID, State: mandate.Active}, 0, 2)
		if len(list) > 0 {
			a, c.mandate = permit, list[0].ID
		}
		return err
	}))
	return a
}
