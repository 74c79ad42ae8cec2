package pdp

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"
)

// flights lets one goroutine find out what several want to know. Whoever asks may share
// what was begun after he asked: an older finding may be from before something that he
// knows of, so it has to be judged like anything that was kept.
type flights struct {
	mu    sync.Mutex
	clock uint64 // counts arrivals and beginnings
	under map[string]*flight
}

// flight is one finding under way; found and err are set when done is closed. next is the
// one shared by all those for whom it was of no use.
type flight struct {
	began uint64
	done  chan struct{}
	found used
	err   error
	next  *flight
}

func (f *flights) tick() uint64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.clock++
	return f.clock
}

// join gives the flight for a key that is under way, or begins one. Those for whom the one
// before was of no use go on together, also if the next has landed when the last of them
// looks for it.
func (f *flights) join(key string, before *flight, fly func(*flight)) *flight {
	f.mu.Lock()
	defer f.mu.Unlock()
	if before != nil && before.next != nil {
		return before.next
	}
	fl, under := f.under[key]
	if !under {
		fl = f.begin(key, fly)
	}
	if before != nil {
		before.next = fl
	}
	return fl
}

func (f *flights) begin(key string, fly func(*flight)) *flight {
	if f.under == nil {
		f.under = map[string]*flight{}
	}
	f.clock++
	own := &flight{began: f.clock, done: make(chan struct{})}
	f.under[key] = own
	go fly(own)
	return own
}

func (f *flights) land(key string, done *flight) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.under, key)
	close(done.done)
}

// share finds an answer together with all who ask the same at this moment. Nobody's
// leaving ends it for the others. Who asks for a revision shares with those who ask for
// the same one.
func (p *PDP) share(ctx context.Context, key string, r Request) (used, error) {
	arrived := p.flights.tick()
	shared := key + fmt.Sprint(r.AtLeast)
	var fl *flight
	for {
		fl = p.flights.join(shared, fl, func(fl *flight) {
			defer p.flights.land(shared, fl)
			defer func() {
				if broken := recover(); broken != nil { // a mistake of ours is no answer, and ends no process
					fl.err = fmt.Errorf("pdp: panic: %v\n%s", broken, debug.Stack())
				}
			}()
			flying, cancel := context.WithTimeout(context.WithoutCancel(ctx), flightPatience)
			defer cancel()
			fl.found, fl.err = p.fresh(flying, key, r)
		})
		select {
		case <-fl.done:
		case <-ctx.Done():
			return used{}, ctx.Err()
		}
		if fl.began > arrived && (fl.err != nil || holdsAt(fl.found, r)) {
			return fl.found, fl.err
		}
		if fl.err == nil {
			if u, ok := p.judge(fl.found.Finding, r, FromMemory); ok {
				return u, nil
			}
		}
	}
}

// holdsAt tells whether a finding, made for another moment, is also one for r's.
func holdsAt(u used, r Request) bool {
	return !r.At.Before(u.From) && (u.Until.IsZero() || r.At.Before(u.Until))
}
