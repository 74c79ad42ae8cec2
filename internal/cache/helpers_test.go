package cache

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"

	"github.com/mandated/mandated/internal/servers"
)

var (
	ctx    = context.Background()
	start  = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	secret = []byte("0123456789abcdef0123456789abcdef")
)

// Parts of a key as the register makes them. Nobody may find them in Redis.
const (
	person  = "pseudonym-of-a-person"
	company = "90000019"
	tuple   = "10:authorize" + "21:" + person + "8:" + company
)

// words is the codec of the tests: a value is a string, in bytes it says so.
var words = Codec[string]{
	Encode: func(v string) ([]byte, error) {
		if v == "unspeakable" {
			return nil, errors.New("cannot be written")
		}
		return []byte("words " + v), nil
	},
	Decode: func(b []byte) (string, error) {
		v, ours := strings.CutPrefix(string(b), "words ")
		if !ours {
			return "half-read", errors.New("not words")
		}
		return v, nil
	},
	Size: func(v string) int { return len(v) },
}

// ticker is a clock that the test sets.
type ticker struct{ atomic.Int64 }

func (c *ticker) set(t time.Time) { c.Store(t.UnixNano()) }
func (c *ticker) time() time.Time { return time.Unix(0, c.Load()) }

// scene is a cache with what surrounds it.
type scene struct {
	*Cache[string]
	*ticker
	log     *diary
	metrics *prometheus.Registry
	asked   atomic.Int64 // puts so far
}

func (s *scene) Put(key, value string, until time.Time) {
	s.asked.Add(1)
	s.Cache.Put(key, value, until)
}

// settled says whether every put so far has reached Redis or is known not to have.
func (s *scene) settled(t testing.TB) bool {
	t.Helper()
	done := s.count(t, "mandated_cache_puts_total", "layer", "redis")
	for _, why := range []dropped{dropQueue, dropBypassed, dropFailed, dropLarge, dropEncoding, dropExpired} {
		done += s.count(t, "mandated_cache_dropped_total", "why", string(why))
	}
	return done == float64(s.asked.Load())
}

func play(t testing.TB, o Options) *scene {
	t.Helper()
	s := &scene{ticker: new(ticker), log: new(diary), metrics: prometheus.NewRegistry()}
	s.set(time.Now())
	if o.Secret == nil {
		o.Secret = secret
	}
	if o.Now == nil {
		o.Now = s.time
	}
	if o.Timeout == 0 {
		o.Timeout = patient
	}
	o.Metrics, o.Log = s.metrics, slog.New(slog.NewTextHandler(s.log, nil))
	s.Cache = New(words, o)
	t.Cleanup(s.Close)
	return s
}

// with plays a cache in front of a Redis. Cache and client have the patience of a
// test on a busy machine unless they are given another.
func with(t testing.TB, o ConnectOptions) *scene {
	t.Helper()
	return play(t, Options{Redis: connect(t, o), Timeout: o.Timeout})
}

const (
	patient = 10 * time.Second
	hasty   = 100 * time.Millisecond // for what is not going to answer
)

func connect(t testing.TB, o ConnectOptions) redis.UniversalClient {
	t.Helper()
	if o.Timeout == 0 {
		o.Timeout, o.Dial = patient, patient
	}
	client := Connect(o)
	t.Cleanup(func() { _ = client.Close() })
	return client
}

// count reads a metric; labels as name, value, name, value.
func (s *scene) count(t testing.TB, name string, labels ...string) float64 {
	t.Helper()
	families, err := s.metrics.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		for _, m := range family.GetMetric() {
			var have []string
			for _, l := range m.GetLabel() {
				have = append(have, l.GetName(), l.GetValue())
			}
			if family.GetName() == name && strings.Join(have, " ") == strings.Join(labels, " ") {
				return m.GetCounter().GetValue() + m.GetGauge().GetValue()
			}
		}
	}
	t.Fatalf("no metric %s %v", name, labels)
	return 0
}

// rejected checks that the only rejection so far was of this kind.
func (s *scene) rejected(t testing.TB, want reason) {
	t.Helper()
	for _, why := range []reason{badFormat, badSeal, badKey, badValue} {
		n := s.count(t, "mandated_cache_rejected_total", "why", string(why))
		if n != 0 && why != want || n == 0 && why == want {
			t.Errorf("%v rejected for %s, want only %q", n, why, want)
		}
	}
}

// keep puts a value and waits until Redis has it, and we know.
func (s *scene) keep(t testing.TB, key, value string) {
	t.Helper()
	s.Put(key, value, time.Time{})
	name := s.remote.sealer.name(key)
	eventually(t, "the value to reach redis", func() bool {
		sealed, err := s.remote.fetch(ctx, name)
		plain, _, why := s.remote.sealer.open(name, key, sealed)
		return err == nil && why == "" && string(plain) == "words "+value && s.settled(t)
	})
}

// holds and lacks check what Redis gives.
func (s *scene) holds(t testing.TB, key, want string) {
	t.Helper()
	if got, found := s.Redis(ctx, key); !found || got != want {
		t.Errorf("%q: got %q %v, want %q", key, got, found, want)
	}
}

func (s *scene) lacks(t testing.TB, key string) {
	t.Helper()
	if got, found := s.Redis(ctx, key); found || got != "" {
		t.Errorf("%q: got %q %v, want nothing", key, got, found)
	}
}

func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !holds(); {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
		time.Sleep(time.Millisecond)
	}
}

// diary is a log in which words are counted.
type diary struct{ servers.Said }

func (d *diary) times(words string) int { return strings.Count(d.String(), words) }
