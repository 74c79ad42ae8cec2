package pdp_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mandated/mandated/pkg/catalogue"
	"github.com/mandated/mandated/pkg/decision"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/pdp"
	"github.com/mandated/mandated/pkg/register"
)

// gate is a register and its catalogues, which let nobody through until they are opened:
// before a snapshot begins, or when it has.
type gate struct {
	pdp.Register
	pdp.Catalogues
	before, within chan struct{} // nil: open
	reads          atomic.Int64
	broken         any   // panic
	failing        error // of a read
}

func (g *gate) Read(ctx context.Context, fn func(*register.Snapshot) error) error {
	g.reads.Add(1)
	if g.before != nil {
		select {
		case <-g.before:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if g.failing != nil {
		return g.failing
	}
	return g.Register.Read(ctx, fn)
}

func (g *gate) Of(s *register.Snapshot) (*catalogue.Catalogue, error) {
	if g.within != nil {
		<-g.within
	}
	if g.broken != nil {
		panic(g.broken)
	}
	return g.Catalogues.Of(s)
}

// behind puts a node behind a gate.
func behind(n *node) *gate {
	g := &gate{Register: n.config.Register, Catalogues: n.config.Catalogues}
	n.config.Register, n.config.Catalogues = g, g
	n.PDP = pdp.New(n.config)
	return g
}

// crowd are people who ask at once.
type crowd struct {
	sync.WaitGroup
	mu      sync.Mutex
	answers []pdp.Answer
	errs    []error
}

func (c *crowd) ask(n *node, ctx context.Context, r pdp.Request, count int) {
	for range count {
		c.Go(func() {
			answer, err := n.Decide(ctx, r)
			c.mu.Lock()
			defer c.mu.Unlock()
			if c.errs = append(c.errs, err); err == nil {
				c.answers = append(c.answers, answer)
			}
		})
	}
}

// all waits for everybody and wants the same outcome for each.
func (c *crowd) all(t *testing.T, count int, want decision.Outcome) {
	t.Helper()
	c.Wait()
	for _, a := range c.answers {
		if a.Outcome != want {
			t.Errorf("one of %d is told %v, want %v", count, a.Outcome, want)
		}
	}
	if len(c.answers) != count {
		t.Errorf("%d answers, want %d: %v", len(c.answers), count, errors.Join(c.errs...))
	}
}

// scene plays on a node behind a gate, with the time of a bubble: synctest.Wait returns when
// everybody waits for something.
func atTheGate(t *testing.T, name string, play func(n *node, g *gate, r pdp.Request)) {
	t.Helper()
	n, request := nodeOf(t, name)
	if _, _, _, err := n.Explain(ctx, request); err != nil { // opens the connection outside the bubble
		t.Fatal(err)
	}
	n.hot.forget()
	g := behind(n)
	synctest.Test(t, func(*testing.T) { play(n, g, request) })
}

// However many ask the same at once, the register is read once; each has his own record.
func TestManyWhoAskTheSameShareOneRead(t *testing.T) {
	atTheGate(t, "chain-permit", func(n *node, g *gate, r pdp.Request) {
		g.before = make(chan struct{})
		var c crowd
		c.ask(n, ctx, r, 64)
		synctest.Wait()
		close(g.before)
		c.all(t, 64, decision.Permit)
		if g.reads.Load() != 1 || len(n.journal.list(t)) != 64 || len(n.hot.until) != 1 {
			t.Errorf("%d reads, %d records, kept %d times", g.reads.Load(), len(n.journal.list(t)), len(n.hot.until))
		}
	})
}

// A choice is never kept, also not by a flight for those who arrived after it began: they
// share the next one.
func TestManyWhoHaveToChoose(t *testing.T) {
	atTheGate(t, "choose-among-clients", func(n *node, g *gate, r pdp.Request) {
		g.before = make(chan struct{})
		var c crowd
		c.ask(n, ctx, r, 64)
		synctest.Wait()
		close(g.before)
		c.all(t, 64, decision.Choose)
		for _, a := range c.answers {
			if a.Hot != pdp.FromRegister {
				t.Errorf("a choice from %q", a.Hot)
			}
		}
		if g.reads.Load() != 2 {
			t.Errorf("%d reads", g.reads.Load())
		}
	})
}

// Who asks for other things, or knows of another revision, does not wait for each other.
func TestOthersDoNotShare(t *testing.T) {
	atTheGate(t, "chain-permit", func(n *node, g *gate, r pdp.Request) {
		g.before = make(chan struct{})
		knowing, lower := r, r
		knowing.AtLeast, lower.Login = 1, 0
		var c crowd
		for _, r := range []pdp.Request{r, knowing, lower} {
			c.ask(n, ctx, r, 3)
		}
		synctest.Wait()
		if g.reads.Load() != 3 {
			t.Errorf("%d reads for three different questions", g.reads.Load())
		}
		close(g.before)
		c.Wait()
	})
}

// A snapshot that began before a question arrived is from before what its asker may know.
// Without a view that vouches for it he waits for the next one, together with all who
// came meanwhile.
func TestNobodySharesWhatBeganBeforeHeArrived(t *testing.T) {
	atTheGate(t, "chain-permit", func(n *node, g *gate, r pdp.Request) {
		g.within = make(chan struct{})
		n.steady.Add(int64(lease)) // the view vouches for nothing
		n.wall.Add(int64(lease))
		var early, late crowd
		early.ask(n, ctx, r, 1)
		synctest.Wait() // he has his snapshot, and looks at it

		n.change(func(tx *register.Tx) error {
			_, err := tx.SetState(1, mandate.Revoked)
			return err
		})
		late.ask(n, ctx, r, 20)
		synctest.Wait()
		close(g.within)
		early.all(t, 1, decision.Permit)
		late.all(t, 20, decision.Deny)
		if g.reads.Load() != 2 {
			t.Errorf("%d reads", g.reads.Load())
		}
	})
}

// Who asks about another moment shares only what holds at his as well.
func TestOtherMomentsAreOtherAnswers(t *testing.T) {
	atTheGate(t, "chain-permit", func(n *node, g *gate, r pdp.Request) {
		first, _, _, err := n.Explain(ctx, r)
		if err != nil || first.Until.IsZero() {
			t.Fatal(first.Until, err)
		}
		g.before = make(chan struct{})
		n.steady.Add(int64(lease)) // the view vouches for nothing
		n.wall.Add(int64(lease))
		ended := r
		ended.At = first.Until
		var early, now, then crowd
		early.ask(n, ctx, r, 1)
		synctest.Wait()
		now.ask(n, ctx, r, 5)
		then.ask(n, ctx, ended, 5)
		synctest.Wait()
		close(g.before)
		early.all(t, 1, decision.Permit)
		now.all(t, 5, decision.Permit)
		then.all(t, 5, decision.Deny)
	})
}

// Somebody who leaves ends nothing for the others, also if it was he who began.
func TestWhoLeavesEndsNothingForTheOthers(t *testing.T) {
	atTheGate(t, "chain-permit", func(n *node, g *gate, r pdp.Request) {
		g.before = make(chan struct{})
		leaving, leave := context.WithCancel(ctx)
		var gone, staying crowd
		gone.ask(n, leaving, r, 1)
		synctest.Wait()
		staying.ask(n, ctx, r, 10)
		gone.ask(n, leaving, r, 1)
		synctest.Wait()
		leave()
		gone.Wait()
		for _, err := range gone.errs {
			if !errors.Is(err, context.Canceled) || !errors.Is(err, pdp.ErrNotFoundOut) {
				t.Errorf("who left is told %v", err)
			}
		}
		if len(staying.errs) > 0 {
			t.Fatal("the others were told something before the register was read")
		}
		close(g.before)
		staying.all(t, 10, decision.Permit)
		if g.reads.Load() != 1 || len(n.journal.list(t)) != 12 {
			t.Errorf("%d reads, %d records", g.reads.Load(), len(n.journal.list(t)))
		}
	})
}

// A mistake of ours is an error for all who share it, and the end of nothing else.
func TestPanicIsAnErrorForAllWhoShare(t *testing.T) {
	atTheGate(t, "chain-permit", func(n *node, g *gate, r pdp.Request) {
		g.within, g.broken = make(chan struct{}), "index out of range"
		var c crowd
		c.ask(n, ctx, r, 1)
		synctest.Wait()
		c.ask(n, ctx, r, 5)
		synctest.Wait()
		close(g.within)
		c.Wait()
		for _, err := range c.errs {
			if !errors.Is(err, pdp.ErrNotFoundOut) || !strings.Contains(fmt.Sprint(err), "panic: index out of range") {
				t.Errorf("told %v", err)
			}
		}
		if len(c.errs) != 6 || len(n.journal.list(t)) != 6 || len(n.hot.until) != 0 {
			t.Errorf("%d errors, %d records, kept %d times", len(c.errs), len(n.journal.list(t)), len(n.hot.until))
		}
		g.broken = nil
		n.wants("afterwards", r, decision.Permit, pdp.FromRegister)
	})
}

// A failure that began before somebody arrived is not his: the register may be back.
func TestFailureOfThoseBefore(t *testing.T) {
	atTheGate(t, "chain-permit", func(n *node, g *gate, r pdp.Request) {
		g.before, g.failing = make(chan struct{}), errBroken
		var early, late crowd
		early.ask(n, ctx, r, 1)
		synctest.Wait()
		late.ask(n, ctx, r, 10)
		synctest.Wait()
		g.before <- struct{}{} // the first read fails
		synctest.Wait()
		g.failing = nil
		close(g.before)
		early.Wait()
		if len(early.errs) != 1 || !errors.Is(early.errs[0], errBroken) {
			t.Errorf("the first is told %v", early.errs)
		}
		late.all(t, 10, decision.Permit)
		if g.reads.Load() != 2 {
			t.Errorf("%d reads", g.reads.Load())
		}
	})
}

// A register that does not answer is given up for all who wait, and the next who asks
// tries anew.
func TestRegisterThatHangs(t *testing.T) {
	atTheGate(t, "chain-permit", func(n *node, g *gate, r pdp.Request) {
		g.before = make(chan struct{})
		began := time.Now() // in the bubble's own time
		var c crowd
		c.ask(n, ctx, r, 1)
		c.Wait()
		if !errors.Is(c.errs[0], context.DeadlineExceeded) || time.Since(began) != 10*time.Second {
			t.Errorf("after %v he is told %v", time.Since(began), c.errs[0])
		}
		close(g.before)
		n.wants("afterwards", r, decision.Permit, pdp.FromRegister)
	})
}
