package guard

import (
	"bytes"
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"

	"github.com/mandated/mandated/internal/postgres"
	"github.com/mandated/mandated/internal/servers"
)

var (
	ctx   = context.Background()
	start = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
)

// The Redis library writes a line to standard error for each failed call.
func init() { logging.Disable() }

const broker = "urn:etoegang:HM:00000003520354760000:entities:9001"

// clock is set by the test.
type clock struct{ atomic.Int64 }

func (c *clock) set(t time.Time) { c.Store(t.UnixNano()) }
func (c *clock) now() time.Time  { return time.Unix(0, c.Load()) }

// scene is a place where guards can be opened, with a clock that all of them have.
type scene struct {
	t     *testing.T
	clock clock
	begun time.Time
	place string // of a file or database
	open  func() (*Guard, error)
	skew  time.Duration         // how much longer the store remembers
	pass  func(until time.Time) // lets the store's time pass that moment, and its skew
	found func() []byte         // everything that is stored
}

// onAll plays a scene on every kind of store.
func onAll(t *testing.T, play func(t *testing.T, s *scene)) {
	for name, set := range map[string]func(*scene){"file": (*scene).onFile, "postgres": (*scene).onDatabase, "redis": (*scene).onRedis} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			set(s)
			play(t, s)
		})
	}
}

func newScene(t *testing.T) *scene {
	s := &scene{t: t, begun: time.Now()}
	s.clock.set(start)
	s.pass = func(until time.Time) { s.clock.set(until.Add(s.skew + 2*time.Millisecond)) }
	s.open = func() (*Guard, error) { return Open(ctx, s.place, s.clock.now) }
	return s
}

func (s *scene) onFile() {
	s.place = filepath.Join(s.t.TempDir(), "guard.db")
	s.found = func() []byte { return s.dump("admitted", "kept") }
}

func (s *scene) onDatabase() {
	s.place, s.skew = servers.Shared(s.t).DSN(), skew
	s.found = func() []byte { return s.dump("guard_admitted", "guard_kept") }
}

func (s *scene) onRedis() {
	server := servers.Redis(s.t, servers.RedisOptions{})
	s.skew = skew
	secret := []byte(rand.Text() + rand.Text())
	s.open = func() (*Guard, error) { return OpenRedis(s.client(server.Addr()), secret, s.clock.now) }
	s.pass = func(until time.Time) {
		left := until.Add(skew).Sub(s.clock.now())
		s.clock.set(until.Add(skew + 2*time.Millisecond))
		s.expire(server.Client(), left)
	}
	s.found = func() (all []byte) {
		for _, key := range s.keys(server.Client()) {
			stored, err := server.Client().Get(ctx, key).Bytes()
			if err != nil {
				s.t.Fatal(err)
			}
			all = append(append(all, key...), stored...)
		}
		return all
	}
}

// client is a Redis client as a daemon would make it for a guard.
func (s *scene) client(address string) redis.UniversalClient {
	c := redis.NewClient(&redis.Options{
		Addr: address, Protocol: 2, DisableIdentity: true, ContextTimeoutEnabled: true,
		DialTimeout: 500 * time.Millisecond, DialerRetries: 1, ReadTimeout: 500 * time.Millisecond, WriteTimeout: 500 * time.Millisecond,
	})
	s.t.Cleanup(func() { _ = c.Close() })
	return c
}

func (s *scene) keys(admin *redis.Client) []string {
	s.t.Helper()
	keys, err := admin.Keys(ctx, "*").Result()
	if err != nil {
		s.t.Fatal(err)
	}
	return keys
}

// expire checks that Redis will keep every key as long as it must and no longer, counted
// from some moment since the scene began, and then lets Redis do it now: its clock is not
// ours to set.
func (s *scene) expire(admin *redis.Client, must time.Duration) {
	s.t.Helper()
	for _, key := range s.keys(admin) {
		left, err := admin.PTTL(ctx, key).Result()
		if err != nil || left > must+time.Millisecond || left < must-time.Since(s.begun)-time.Millisecond {
			s.t.Errorf("a key that must stay %v has %v left, %v", must, left, err)
		}
		if err := admin.PExpire(ctx, key, time.Millisecond).Err(); err != nil {
			s.t.Fatal(err)
		}
	}
	waitFor(s.t, "Redis to forget", func() bool { return len(s.keys(admin)) == 0 })
}

// guard opens the place once more, as another process would.
func (s *scene) guard() *Guard {
	s.t.Helper()
	g, err := s.open()
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = g.Close() })
	return g
}

// admit asks and compares.
func (s *scene) admit(g *Guard, id string, until time.Time, want error) {
	s.t.Helper()
	if err := g.Admit(ctx, broker, id, until); !errors.Is(err, want) {
		s.t.Errorf("%s at %v: %v, want %v", id, s.clock.now(), err, want)
	}
}

func (s *scene) db() *sql.DB {
	s.t.Helper()
	var db *sql.DB
	var err error
	if postgres.IsPlace(s.place) {
		db, err = postgres.Open(ctx, s.place, postgres.Options{})
	} else {
		db, err = sql.Open("sqlite", s.place)
	}
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = db.Close() })
	return db
}

func (s *scene) rows(table string) (n int) {
	s.t.Helper()
	if err := s.db().QueryRow(`SELECT count(*) FROM ` + table).Scan(&n); err != nil {
		s.t.Fatal(err)
	}
	return n
}

// dump is everything that is in the tables.
func (s *scene) dump(tables ...string) []byte {
	s.t.Helper()
	var all bytes.Buffer
	for _, table := range tables {
		rows, err := s.db().Query(`SELECT * FROM ` + table)
		if err != nil {
			s.t.Fatal(err)
		}
		columns, _ := rows.Columns()
		for rows.Next() {
			row := make([]any, len(columns))
			for i := range row {
				row[i] = new(any)
			}
			if err := rows.Scan(row...); err != nil {
				s.t.Fatal(err)
			}
			for _, field := range row {
				if value, ok := (*field.(*any)).([]byte); ok {
					all.Write(value)
				} else {
					fmt.Fprint(&all, *field.(*any))
				}
			}
		}
		_ = rows.Close()
	}
	return all.Bytes()
}

// link is the scene's database behind a wire that can be cut.
func (s *scene) link() *servers.Proxy {
	d := servers.Shared(s.t)
	server := fmt.Sprintf("127.0.0.1:%d", d.Port())
	wire := servers.Link(s.t, server)
	s.place, s.skew = strings.Replace(d.DSN(), server, wire.Addr(), 1), skew
	return wire
}

func waitFor(t testing.TB, what string, ready func() bool) {
	t.Helper()
	for range 1000 {
		if ready() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("waited in vain for %s", what)
}
