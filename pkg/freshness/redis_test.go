package freshness

import (
	"maps"
	"time"

	"github.com/mandated/mandated/pkg/register"
)

// value is what lies in Redis: sealed for its key by one of us, or not.
type value struct {
	sealed ask // zero person and all: whatever it was sealed for
	ours   bool
	found  *finding
}

// hostile is the Redis of the simulation: it loses, delays, doubles, mixes up, brings back
// and invents. What it cannot do is seal.
type hostile struct {
	*sim
	values map[ask]value
	old    map[ask]value   // an old dump
	ever   map[ask][]value // all that was ever written
}

func (r *hostile) put(a ask, f *finding) {
	v := value{a, true, f}
	times := 1
	if r.chance(r.climate.lie) {
		times = r.rand.IntN(3)
	}
	for range times {
		r.start(nil, func(t *task) {
			if t.travel(r.climate.lost) {
				r.values[a] = v
				r.ever[a] = append(r.ever[a], v)
			}
		})
	}
}

// get asks Redis and opens what comes back, as package cache does.
func (r *hostile) get(t *task, a ask) *finding {
	if !t.travel(r.climate.lost) {
		return nil
	}
	v, there := r.values[a]
	if r.chance(r.climate.lie) {
		v, there = r.lie(a), true
	}
	if !t.travel(r.climate.lost) || !there {
		return nil
	}
	if r.build.unsealed || v.ours && (v.sealed == a || r.build.sealedForAny) {
		return v.found
	}
	return nil
}

// lie is an answer that suits whoever wants to see a Permit: an old one, somebody else's,
// or one made up for the occasion.
func (r *hostile) lie(a ask) value {
	if r.rand.IntN(4) == 0 {
		a = anyAsk(r.rand)
	}
	if old := r.ever[a]; len(old) > 0 && r.rand.IntN(4) > 0 {
		return old[r.rand.IntN(len(old))]
	}
	newest := r.ledger.newest()
	return value{a, false, &finding{
		Claim:   Claim{Stamp: newest.stamp, Parties: []register.Party{party(theCatalogue, 0)}, From: epoch},
		options: 1, text: "invented", rests: []thing{{kind: aPerson, number: max(a.person, 0)}},
	}}
}

// mishap loses everything, keeps a dump, or brings one back.
func (r *hostile) mishap() {
	switch r.rand.IntN(4) {
	case 0:
		r.values = map[ask]value{}
	case 1:
		r.values = maps.Clone(r.old)
	default:
		r.old = maps.Clone(r.values)
	}
}

func newHostile(s *sim) *hostile {
	return &hostile{sim: s, values: map[ask]value{}, old: map[ask]value{}, ever: map[ask][]value{}}
}

var epoch = time.Unix(1_800_000_000, 0).UTC()
