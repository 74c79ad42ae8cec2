package daemon_test

import (
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/mandated/mandated/internal/daemon"
	"github.com/mandated/mandated/internal/postgres"
	"github.com/mandated/mandated/internal/servers"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/harness"
	"github.com/mandated/mandated/pkg/register"
)

// onDatabase is a scene whose register is in a database, with a standby if there is a
// place for one. Its clock is the machine's, as the database's is.
func onDatabase(t *testing.T, database *servers.Database, standby string, log *slog.Logger) *scene {
	t.Helper()
	return newScene(t, harness.Options{RealTime: true, Log: log, Configure: func(settings map[string]any) {
		settings["register"], settings["guard"], settings["canary"] = database.DSN(), database.DSN(), "0s"
		if standby != "" {
			settings["standby"] = standby
		}
	}})
}

// reads is how many reads were meant for the standby and came to this.
func (s *scene) reads(result string) int {
	s.t.Helper()
	n, _ := strconv.Atoi(s.metric(`mandated_standby_reads_total{result="` + result + `"}`))
	return n
}

// A standby is optional: while it is away the daemon starts and answers without it, and
// takes it up at the refresh after it came. When it goes silent later, the log says so
// once, and once when it is back. A wire to the primary stands for the standby here: it
// has everything that a standby can have.
func TestStandbyThatComesAndGoes(t *testing.T) {
	database := servers.Shared(t)
	wire := servers.Link(t, database.Addr())
	wire.Cut()
	var log servers.Said
	s := onDatabase(t, database, database.DSNOver(wire), slog.New(slog.NewTextHandler(&log, nil)))
	s.permitted("without the standby")
	if status, text := s.page("/readyz"); status != http.StatusOK {
		t.Errorf("/readyz says %d %q for want of a standby", status, text)
	}
	if got := log.String(); !strings.Contains(got, "going on without the standby") {
		t.Error("nobody was told that the standby is away")
	}

	wire.Heal()
	s.reload()
	// Each question is one that nobody asked before: a person of its own.
	until(t, "a question is read from the standby", func() bool {
		s.stranger()
		return s.reads("served") > 0
	})
	unheard := harness.Question{Person: s.n.NewPerson("Fred"), Service: s.vat, AtLeast: 1 << 40}
	if _, err := s.n.Broker.Authorize(ctx, unheard); err != nil || s.reads("failed") > 0 {
		t.Errorf("a revision that nobody has is taken for a failure of the standby: %v", err)
	}
	wire.Hang()
	until(t, "the standby is found lost", func() bool {
		s.stranger()
		return s.reads("lost") > 0
	})
	served := s.reads("served")
	wire.Heal()
	until(t, "the standby is read again", func() bool {
		s.stranger()
		return s.reads("served") > served
	})
	for _, line := range []string{"the standby cannot be read", "the standby is read again"} {
		if got := strings.Count(log.String(), line); got != 1 {
			t.Errorf("%q stands in the log %d times", line, got)
		}
	}
}

// stranger asks about somebody who has no mandate.
func (s *scene) stranger() {
	s.t.Helper()
	result, err := s.n.Broker.Authorize(ctx, harness.Question{Person: s.n.NewPerson("Fred"), Service: s.vat})
	if err != nil || result.Reply == nil || result.Reply.Permitted() {
		s.t.Fatalf("a stranger is answered %+v, %v", result, err)
	}
}

// What a standby has not replayed yet it will have: the daemon starts. Another register's
// is a mistake, which nobody would notice later.
func TestStandbyThatIsNotReady(t *testing.T) {
	s := onDatabase(t, servers.Shared(t), "", nil)
	start := func(standby string) error {
		s.configure(func(settings map[string]any) { settings["standby"] = standby })
		d, err := daemon.Start(ctx, s.config(), daemon.Options{Dev: true, Log: quiet})
		if err == nil {
			err = d.Stop(ctx)
		}
		return err
	}
	create := func(place, entity string) {
		e, err := etoegang.ParseEntityID(entity)
		if err != nil {
			t.Fatal(err)
		}
		r, err := register.Create(ctx, place, e, time.Second, register.Options{})
		if err != nil {
			t.Fatal(err)
		}
		_ = r.Close()
	}
	if err := s.n.Stop(ctx); err != nil {
		t.Fatal(err)
	}
	empty, older, other := servers.Shared(t).DSN(), servers.Shared(t).DSN(), servers.Shared(t).DSN()
	create(older, s.n.First.Entity.String())
	create(other, "urn:etoegang:MR:00000003876543210000:entities:9002")
	db, err := postgres.Open(ctx, older, postgres.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(`DELETE FROM register_schema WHERE version_id > 0`); err != nil {
		t.Fatal(err)
	}
	_ = db.Close()
	if err := start(empty); err != nil {
		t.Errorf("with a standby that has no register yet: %v", err)
	}
	if err := start(older); err != nil {
		t.Errorf("with a standby whose schema is behind: %v", err)
	}
	if err := start(other); err == nil || !strings.Contains(err.Error(), "standby") || !strings.Contains(err.Error(), "is the register of") {
		t.Errorf("with the standby of another register: %v", err)
	}
}

// forgetful is the setting under which a Redis forgets what it was told.
const forgetful = "allkeys-lru"

func (s *scene) guardIn(address string) {
	s.configure(func(settings map[string]any) {
		settings["guard"], settings["redis"] = "redis", map[string]any{"addresses": []string{address}}
	})
}

// A Redis that forgets when it is full would let copies of messages pass. No daemon starts
// on one; and one that turns out so while the daemon runs takes it out of service.
func TestGuardThatForgets(t *testing.T) {
	redis := servers.Redis(t, servers.RedisOptions{MaxMemory: "50mb", Policy: forgetful})
	policy := func(word string) {
		if err := redis.Client().ConfigSet(ctx, "maxmemory-policy", word).Err(); err != nil {
			t.Fatal(err)
		}
	}
	s := newScene(t, harness.Options{})
	s.guardIn(redis.Addr())
	policy("noeviction")
	s.restart()
	s.permitted("on a Redis that keeps what it is told")

	policy(forgetful)
	if err := s.n.First.Reload(); err == nil || !strings.Contains(err.Error(), "noeviction") {
		t.Errorf("Reload says %v", err)
	}
	if status, text := s.page("/readyz"); status != http.StatusServiceUnavailable || !strings.Contains(text, "noeviction") {
		t.Errorf("/readyz says %d %q", status, text)
	}
	policy("noeviction")
	s.reload()
	s.ready("after the setting was mended")

	policy(forgetful)
	if err := s.startError(); !strings.Contains(err.Error(), "set maxmemory-policy to noeviction") {
		t.Errorf("starting on a Redis that forgets: %v", err)
	}
}

// A Redis that is away only refuses messages: the daemon starts, and looks at it again when
// it can.
func TestGuardThatIsAway(t *testing.T) {
	redis := servers.Redis(t, servers.RedisOptions{MaxMemory: "50mb", Policy: forgetful})
	redis.Stop()
	s := newScene(t, harness.Options{})
	s.guardIn(redis.Addr())
	s.restart()
	s.reload()
	redis.Start()
	if err := s.n.First.Reload(); err == nil || !strings.Contains(err.Error(), "noeviction") {
		t.Errorf("Reload says %v", err)
	}
}
