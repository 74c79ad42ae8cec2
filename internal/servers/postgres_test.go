package servers

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Tests that share a cluster do not see each other, and leave it as they found it.
func TestShared(t *testing.T) {
	var gone []string
	t.Run("apart", func(t *testing.T) {
		one, two := Shared(t), Shared(t)
		gone = []string{one.name, two.name}
		for _, d := range []*Database{one, two} {
			if err := d.exec("CREATE TABLE mandates (n integer)"); err != nil {
				t.Errorf("%s: %v", d.DSN(), err)
			}
		}
		// A connection that a test forgot does not keep its database.
		forgotten, err := pgx.Connect(t.Context(), one.DSN())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { forgotten.Close(context.Background()) })
	})
	d := Shared(t)
	var left int
	if err := d.query(&left, "SELECT count(*) FROM pg_database WHERE datname = ANY($1)", gone); err != nil || left != 0 {
		t.Errorf("%d of %q are left (%v)", left, gone, err)
	}
}

// A test that breaks what others use is wrong, whatever it wants to show.
func TestSharedIsNobodysToBreak(t *testing.T) {
	d := Shared(t)
	for name, harm := range map[string]func(*Database){
		"Kill": (*Database).Kill, "Stop": (*Database).Stop, "Pause": (*Database).Pause,
	} {
		w := watch(t, func(t TB) {
			mine := *d
			mine.t = t
			harm(&mine)
		})
		if !strings.Contains(w.failed, "take one of your own") {
			t.Errorf("%s: failed with %q", name, w.failed)
		}
	}
	if err := d.answers(); err != nil {
		t.Error(err)
	}
}

// What a durable cluster acknowledged is there after kill -9 in the middle of writing.
func TestKillLosesNothingCommitted(t *testing.T) {
	d := Postgres(t, PostgresOptions{Durable: true, Settings: map[string]string{"application_name": "it's us"}})
	for setting, want := range map[string]string{"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on", "application_name": "it's us"} {
		var got string
		if err := d.query(&got, "SELECT current_setting($1)", setting); err != nil || got != want {
			t.Errorf("%s is %q (%v), want %q", setting, got, err, want)
		}
	}
	if err := d.exec("CREATE TABLE journal (n integer)"); err != nil {
		t.Fatal(err)
	}
	var acknowledged atomic.Int64
	ended := write(t, d, &acknowledged)
	until(t, "some writes", func() error {
		if acknowledged.Load() < 20 {
			return errors.New("too few")
		}
		return nil
	})
	d.Kill()
	if err := <-ended; err == nil {
		t.Error("the writer did not notice")
	}
	if err := d.answers(); err == nil {
		t.Error("a killed cluster answers")
	}
	d.Start()
	var found int64
	if err := d.query(&found, "SELECT count(*) FROM journal WHERE n <= $1", acknowledged.Load()); err != nil || found != acknowledged.Load() {
		t.Errorf("%d of %d acknowledged rows were found (%v)", found, acknowledged.Load(), err)
	}
}

// write inserts 1, 2, 3, ... until the cluster is gone.
func write(t *testing.T, d *Database, acknowledged *atomic.Int64) <-chan error {
	t.Helper()
	ctx := t.Context()
	conn, err := pgx.Connect(ctx, d.DSN())
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() {
		defer conn.Close(context.Background())
		for n := int64(1); ; n++ {
			if _, err := conn.Exec(ctx, "INSERT INTO journal VALUES ($1)", n); err != nil {
				ended <- err
				return
			}
			acknowledged.Store(n)
		}
	}()
	return ended
}

// A paused cluster keeps its connections and answers late; one that is stopped while
// paused is not stuck.
func TestPause(t *testing.T) {
	d := Postgres(t, PostgresOptions{})
	conn, err := pgx.Connect(t.Context(), d.DSN())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	d.Pause()
	answered := make(chan error, 1)
	go func() { answered <- conn.Ping(context.Background()) }()
	select {
	case err := <-answered:
		t.Errorf("a paused cluster answers: %v", err)
	case <-time.After(100 * time.Millisecond):
	}
	d.Resume()
	if err := <-answered; err != nil {
		t.Errorf("after the pause: %v", err)
	}
	d.Pause()
	d.Stop()
	d.Start()
}

// Was it committed? A client whose connection broke while it waited cannot know: here it
// was.
func TestAnswerLostOnTheWay(t *testing.T) {
	d := Shared(t)
	if err := d.exec("CREATE TABLE mandates (n integer)"); err != nil {
		t.Fatal(err)
	}
	link := Link(t, d.Addr())
	conn, err := pgx.Connect(t.Context(), d.DSNOver(link))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	link.HangAnswers()
	answered := make(chan error, 1)
	go func() {
		_, err := conn.Exec(context.Background(), "INSERT INTO mandates VALUES (1)", pgx.QueryExecModeSimpleProtocol)
		answered <- err
	}()
	until(t, "the row of a client without answer", func() error {
		var n int
		return d.query(&n, "SELECT n FROM mandates")
	})
	link.Cut()
	if err := <-answered; err == nil {
		t.Error("the client had an answer")
	}
}

// A standby has what the primary has, refuses to write, and catches up with what it
// missed while it was dead.
func TestStandby(t *testing.T) {
	primary := Postgres(t, PostgresOptions{Settings: map[string]string{"max_connections": "17"}})
	if err := primary.exec("CREATE TABLE mandates AS SELECT 1 AS n"); err != nil {
		t.Fatal(err)
	}
	standby := primary.Standby(t)
	standby.Kill()
	if err := primary.exec("INSERT INTO mandates VALUES (2)"); err != nil {
		t.Fatal(err)
	}
	standby.Start()
	primary.WaitReplayed(standby)
	var sum int
	if err := standby.query(&sum, "SELECT sum(n) FROM mandates"); err != nil || sum != 3 {
		t.Errorf("the standby has a sum of %d (%v), want 3", sum, err)
	}
	var refused *pgconn.PgError
	if err := standby.exec("INSERT INTO mandates VALUES (3)"); !errors.As(err, &refused) || refused.Code != "25006" {
		t.Errorf("writing to a standby: %v", err)
	}
	var settings string
	if err := standby.query(&settings, "SELECT current_setting('max_connections')"); err != nil || settings != "17" {
		t.Errorf("its connections: %s (%v)", settings, err)
	}
}
