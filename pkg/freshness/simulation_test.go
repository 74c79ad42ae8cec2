package freshness

import (
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
)

// The simulation shows the promise of the package where it is hardest to keep: on several
// nodes whose clocks differ, jump and stand still, that are paused, cut off and restarted,
// beside a Redis that lies, a register that is restored from a backup and a standby that lags
// behind it. It is
//
//	world_test.go      the scheme in miniature: facts, questions, decisions and their parties
//	ledger_test.go     the register: revisions, tags and the feed; its standby
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

// firstBroken gives the first run in which a promise is broken.
func firstBroken(b build, weather func(seed uint64) func(*rand.Rand) climate) (seed uint64, err error) {
	for ; seed < 150; seed++ {
		if err := newSim(seed, b, weather(seed)).run(steps); err != nil {
			return seed, err
		}
	}
	return seed, nil
}

// What the design assumes not to happen does break its promise: that is why the README
// tells operators of it. It is the assumption that breaks it: with as much of the same
// weather, and nothing beyond what is assumed, the same run is fine.
func TestKnownCounterExamples(t *testing.T) {
	for name, c := range map[string]struct{ more, beyond func(*climate) }{
		"clocks that differ by more than a tenth in speed": {func(*climate) {}, func(c *climate) { c.fastest = 1250 }},
		"a machine of which both clocks stand still": {
			func(c *climate) { c.sleep = .001 }, func(c *climate) { c.stopped = true }},
		"a wall clock set back about the time of a sleep": {
			func(c *climate) { c.sleep, c.jump = .002, .01 }, func(c *climate) { c.setBack = true }},
		"a primary that was replaced and not fenced": {
			func(c *climate) { c.restore = .001 }, func(c *climate) { c.unfenced = true }},
		"a standby of a primary that was replaced, and not fenced": {
			func(c *climate) { c.restore, c.replay = .001, .1 }, func(c *climate) { c.orphaned = true }},
		"a database that loses what it acknowledged": {
			func(c *climate) { c.restore = .001 }, func(c *climate) { c.forgets = true }},
	} {
		t.Run(name, func(t *testing.T) {
			weather := func(changes ...func(*climate)) func(uint64) func(*rand.Rand) climate {
				return func(seed uint64) func(*rand.Rand) climate {
					return func(r *rand.Rand) climate {
						made := anyWeather(seed)(r)
						for _, change := range changes {
							change(&made)
						}
						return made
					}
				}
			}
			seed, err := firstBroken(asDesigned(), weather(c.more, c.beyond))
			if err == nil {
				t.Fatal("the promise holds even so: then why assume otherwise?")
			}
			t.Logf("seed %d: %v", seed, err)
			if err := newSim(seed, asDesigned(), weather(c.more)(seed)).run(steps); err != nil {
				t.Errorf("seed %d, with all that is assumed: %v", seed, err)
			}
		})
	}
}
