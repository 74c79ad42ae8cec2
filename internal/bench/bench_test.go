package bench

import (
	"crypto/rsa"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/mandated/mandated/internal/signing"
	"github.com/mandated/mandated/pkg/harness"
	"github.com/mandated/mandated/pkg/xmlsec"
)

// extent is how much is measured: MANDATED_BENCH is "quick", or anything else for all.
type extent struct {
	rounds  int
	pressed int // questions under pressure
}

func extentOf(name string) extent {
	if name == "quick" {
		return extent{rounds: 6, pressed: 250}
	}
	return extent{rounds: 25, pressed: 2000}
}

// What a decision costs, and its parts, beside their floor and beside others.
func TestBench(t *testing.T) {
	name := os.Getenv("MANDATED_BENCH")
	if name == "" {
		t.Skip("MANDATED_BENCH is not set: it measures for minutes and tests nothing else")
	}
	e := extentOf(name)
	began, busy := time.Now(), load()
	r := &results{}
	durable := r.gather(t)
	race(e.rounds, r.pace, r.contenders)
	pressure := durable.press(e.pressed, 0.7)
	r.pressure = &pressure

	path := must[string](t)(historyFile())
	history := must[[]run](t)(readHistory(path))
	now := r.run(durable.s.net.Folder, busy, e.rounds)
	fmt.Printf("\n%v\n", now.Machine)
	fmt.Printf("commit %s, load before %s, middles of %d rounds in turn, in %v\n\n", now.Commit, now.Load, e.rounds, time.Since(began).Round(time.Second))
	r.print(os.Stdout, usual(history, now.Machine))
	fmt.Printf("\nhighest rate over HTTP, those who ask included: %.0f a second; at 70 %% of it p50 %v, p99 %v of %d\n",
		pressure.Most, pressure.P50.Round(10*time.Microsecond), pressure.P99.Round(10*time.Microsecond), pressure.Asked)
	last := must[string](t)(now.keep(path))
	fmt.Printf("kept in %s, with %d earlier runs in %s\n", last, len(history), path)
}

// gather brings together all that is measured.
func (r *results) gather(t *testing.T) (durable *caller) {
	t.Helper()
	fast := set(t, harness.Options{}, nil)
	m := newMessages(fast)
	hashed := sizes{must[[]int](t)(covered(m.query)), must[[]int](t)(covered(m.written))}
	r.floors(t, hashed)
	r.add(
		m.verifies(verifyFast, xmlsec.Verifier{}), m.verifies(verifyReference, xmlsec.Verifier{Engine: xmlsec.Reference}),
		m.writes(writeFast, fast.net.First.Signer()), m.stocks(writeReference), m.xml(workXML), fast.keeps(workKeep),
		fast.decision(decideFast))
	r.hot = append(r.hot, hot(t, decideFast, fast.net.First.Operations))
	decide := func(name string, configure func(settings map[string]any)) {
		t.Helper()
		s := set(t, harness.Options{}, configure)
		r.add(s.decision(name))
		r.hot = append(r.hot, hot(t, name, s.net.First.Operations))
	}
	decide(decideReference, func(settings map[string]any) {
		settings["xmlsec"] = map[string]any{"engine": "reference", "cross_check": 0}
	})
	if signer, ok := r.openssl(t, fast.net.First.Signer()); ok {
		r.add(m.writes(writeOpenSSL, signer))
		decide(decideOpenSSL, func(settings map[string]any) {
			key := maps.Clone(settings["signing"].([]any)[0].(map[string]any)) // it is also the one that decrypts
			key["engine"] = string(signing.OpenSSL)
			settings["signing"] = []any{key}
		})
	}
	r.lookups(t, newLookups(fast))
	r.peers(m, hashed)
	return r.overHTTP(t, hashed, m.query, len(m.written))
}

func (r *results) add(all ...*contender) { r.contenders = append(r.contenders, all...) }

func (r *results) miss(what, needs string) {
	r.missing = append(r.missing, what+": it needs "+needs)
}

func (r *results) floors(t *testing.T, s sizes) {
	t.Helper()
	f := must[*floor](t)(newFloor(s))
	r.pace = here(t, "", nil, func(int) { f.signing() })
	for _, one := range []struct {
		name string
		work func()
	}{{cryptoSign, f.sign}, {cryptoVerify, f.verify}, {floorSigning, f.signing}, {floorWhole, f.whole}} {
		r.add(here(t, one.name, nil, func(int) { one.work() }))
	}
}

// openssl is the same signer by libcrypto, where that is part of this program.
func (r *results) openssl(t *testing.T, s xmlsec.Signer) (xmlsec.Signer, bool) {
	t.Helper()
	private := s.Key.(*rsa.PrivateKey)
	engine, err := signing.Open(signing.OpenSSL, signing.Options{Public: &private.PublicKey, Private: private})
	if errors.Is(err, signing.ErrNotBuilt) {
		r.miss("engine openssl", "the build tag of that name, and cgo")
		return s, false
	}
	if err != nil {
		t.Fatal(err)
	}
	s.Key = engine
	return s, true
}

func (r *results) lookups(t *testing.T, l *lookups) {
	t.Helper()
	add := func(c *contender, counted func() share) {
		r.add(c)
		r.hot = append(r.hot, counted)
	}
	add(l.memory(lookMemory))
	if _, err := exec.LookPath("redis-server"); err == nil {
		add(l.redis(lookRedis))
	} else {
		r.miss("Redis hit", "redis-server")
	}
	add(l.register(lookRegister))
}

func (r *results) peers(m *messages, s sizes) {
	m.s.t.Helper()
	if w, missing := m.libxmlsec1(s); missing == "" {
		r.add(w.does("floor"), w.does("verify"), w.does("sign"))
	} else {
		r.miss(peerXMLSec, missing)
	}
	if w, missing := m.xmlCrypto(); missing == "" {
		r.add(w.does("verify"), w.does("sign"))
	} else {
		r.miss(peerXMLCrypto, missing)
	}
}
