package freshness

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
)

// The simulation shows the promise of the package where it is hardest to keep: on several
// nodes whose clocks differ, jump and stand still, that are paused, cut off and restarted,
// beside a Redis that lies and a register that is restored from a backup. It is
//
//	world_test.go      the scheme in miniature: facts, questions, decisions and their parties
//	ledger_test.go     the register: revisions, tags and the feed
//	node_test.go       a node: the real Follower, and the steps of package pdp around it
//	redis_test.go      a Redis that must not matter
//	weather_test.go    what goes wrong, and what is assumed not to
//	task_test.go       how all of it takes turns on one thread
//	sim_test.go        a run, and the promises that it checks
//	mutants_test.go    builds in which a promise is broken, to see that a run finds it
//
// Every answer that somebody hears is held against what the register would have said. With
// a seed, a run is the same on every machine.

const steps = 20_000 // of one run

// seeds gives those to run with. MANDATED_SEED names one, to see it happen; MANDATED_SOAK
// asks for ten times as many.
func seeds(t *testing.T, count uint64) (list []uint64) {
	if one := os.Getenv("MANDATED_SEED"); one != "" {
		seed, err := strconv.ParseUint(one, 10, 64)
		if err != nil {
			t.Fatalf("MANDATED_SEED: %v", err)
		}
		return []uint64{seed}
	}
	if os.Getenv("MANDATED_SOAK") != "" {
		count *= 10
	}
	for seed := range count {
		list = append(list, seed)
	}
	return list
}

// weather gives a seed its weather: every other one the worst.
func anyWeather(seed uint64) func(*rand.Rand) climate {
	return []func(*rand.Rand) climate{bad, busy, bad, narrow}[seed%4]
}

func TestSimulation(t *testing.T) {
	all := seeds(t, 24)
	served, kept := 0, 0
	for _, seed := range all {
		s := newSim(seed, asDesigned(), anyWeather(seed))
		if len(all) == 1 {
			s.story = func(format string, args ...any) { t.Logf("%12v "+format, append([]any{s.now}, args...)...) }
		}
		if err := s.run(steps); err != nil {
			t.Errorf("%v\nsee it happen with MANDATED_SEED=%d go test -v -run TestSimulation ./pkg/freshness", err, seed)
		}
		served, kept = served+s.served, kept+s.kept
	}
	t.Logf("%d steps, %d answers, %d of them kept ones", len(all)*steps, served, kept)
	if len(all) > 1 && kept < served/3 {
		t.Errorf("%d of %d answers were kept ones: too few to prove anything", kept, served)
	}
}

// What is never served is never stale. On a good day nearly all questions that are asked
// again are answered with what was kept.
func TestGoodDay(t *testing.T) {
	s := newSim(1, asDesigned(), calm)
	if err := s.run(steps); err != nil {
		t.Error(err)
	}
	if s.served < 500 || s.kept < s.served*9/10 {
		t.Errorf("%d of %d answers were kept ones", s.kept, s.served)
	}
}

// broken gives the first run in which a promise is broken.
func firstBroken(b build, weather func(seed uint64) func(*rand.Rand) climate) error {
	for seed := range uint64(150) {
		if err := newSim(seed, b, weather(seed)).run(steps); err != nil {
			return fmt.Errorf("seed %d: %w", seed, err)
		}
	}
	return nil
}

// What the design assumes not to happen does break its promise: that is why the README
// tells operators of it.
func TestKnownCounterExamples(t *testing.T) {
	for name, change := range map[string]func(*climate){
		"clocks that differ by more than a tenth in speed": func(c *climate) { c.fastest = 1500 },
		"a machine of which both clocks stand still":       func(c *climate) { c.stopped, c.sleep = true, .001 },
		"a wall clock set back about the time of a sleep":  func(c *climate) { c.setBack, c.sleep, c.jump = true, .002, .01 },
		"a primary that was replaced and not fenced":       func(c *climate) { c.unfenced, c.restore = true, .001 },
		"a database that loses what it acknowledged":       func(c *climate) { c.forgets, c.restore = true, .001 },
	} {
		t.Run(name, func(t *testing.T) {
			err := firstBroken(asDesigned(), func(seed uint64) func(*rand.Rand) climate {
				return func(r *rand.Rand) climate {
					c := anyWeather(seed)(r)
					change(&c)
					return c
				}
			})
			if err == nil {
				t.Error("the promise holds even so: then why assume otherwise?")
			}
			t.Log(err)
		})
	}
}
