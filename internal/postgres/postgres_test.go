package postgres

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/mandated/mandated/internal/servers"
)

var ctx = context.Background()

func open(t *testing.T, place string, o Options) *sql.DB {
	t.Helper()
	db, err := Open(ctx, place, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func exec(t *testing.T, db *sql.DB, statements ...string) {
	t.Helper()
	for _, statement := range statements {
		if _, err := db.ExecContext(ctx, statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}

func show(t *testing.T, db *sql.DB, setting string) (value string) {
	t.Helper()
	if err := db.QueryRowContext(ctx, `SELECT current_setting($1)`, setting).Scan(&value); err != nil {
		t.Fatal(err)
	}
	return value
}

// A place in the configuration is a file or a database, and messages show it without
// anything that could be a secret.
func TestPlaces(t *testing.T) {
	for place, shown := range map[string]string{
		"postgres://db/mandates":                              "postgres://db/mandates",
		"postgresql://us@a:5432,b:5433/m?sslmode=verify-full": "postgresql://us@a:5432,b:5433/m",
		"postgres://us:secret@db/m?password=secret":           "postgres://us@db/m",
		"postgres://us:se:cr@et/?@db/m":                       "postgres://us@et/",
		"postgres://":                                         "postgres://",
		"register.db":                                         "register.db",
		"/var/postgres://x.db":                                "/var/postgres://x.db",
	} {
		if got := Shown(place); got != shown || strings.Contains(got, "secret") {
			t.Errorf("%s is shown as %s", place, got)
		}
		if got := IsPlace(place); got != strings.HasPrefix(place, "postgres") {
			t.Errorf("%s is a database: %v", place, got)
		}
	}
}

// A password has no business in a configuration file, and what is refused is not shown.
func TestAPasswordIsRefused(t *testing.T) {
	for _, place := range []string{
		"postgres://us:topsecret@127.0.0.1:1/m", "postgres://us:@127.0.0.1:1/m", "postgres://127.0.0.1:1/m?password=topsecret",
		"postgres://127.0.0.1:1/m?sslkey=k&sslpassword=topsecret", "postgres://127.0.0.1:1/m?a=%zz",
	} {
		_, err := Open(ctx, place, Options{})
		if !errors.Is(err, ErrPassword) || strings.Contains(err.Error(), "topsecret") {
			t.Errorf("%v", err)
		}
	}
}

// What the database promises about a commit does not depend on how its administrator or
// the place has set the sessions of others; what is stronger than ours stays.
func TestCommitsAreDurable(t *testing.T) {
	place := servers.Shared(t).DSN()
	for set, want := range map[string]string{"off": "on", "local": "on", "remote_write": "on", "on": "on", "remote_apply": "remote_apply"} {
		db := open(t, place+"&synchronous_commit="+set, Options{})
		if got := show(t, db, "synchronous_commit"); got != want {
			t.Errorf("set to %s, a session has %s, not %s", set, got, want)
		}
	}
}

// The manners of a session, those of the room among them; the place may differ in what
// is a matter of taste.
func TestManners(t *testing.T) {
	place := servers.Shared(t).DSN()
	db := open(t, place+"&statement_timeout=7s&lock_timeout=9s", Options{Wait: 250 * time.Millisecond, Settings: map[string]string{"jit": "off"}})
	for setting, want := range map[string]string{
		"TimeZone": "UTC", "application_name": "mandated", "lock_timeout": "250ms", "statement_timeout": "7s",
		"idle_in_transaction_session_timeout": "3s", "jit": "off", "default_transaction_read_only": "off",
	} {
		if got := show(t, db, setting); got != want {
			t.Errorf("%s is %s, not %s", setting, got, want)
		}
	}
}

func TestReadingOnly(t *testing.T) {
	place := servers.Shared(t).DSN()
	db := open(t, place+"&default_transaction_read_only=off", Options{ReadOnly: true})
	if _, err := db.ExecContext(ctx, `CREATE TABLE t (x int)`); !errors.Is(Explain(err), ErrReadOnly) {
		t.Errorf("got %v", err)
	}
}

// Connections are bounded: who comes too many waits for his turn, and is not the reason
// that the database has no room for somebody else.
func TestConnectionsAreBounded(t *testing.T) {
	db := open(t, servers.Shared(t).DSN(), Options{Connections: 2})
	for range 2 {
		conn, err := db.Conn(ctx)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
	}
	short, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
	defer cancel()
	if _, err := db.Conn(short); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a third: %v", err)
	}
}

// Whoever mistypes a place, has no rights or meets a full server is told which it was.
func TestOpenSaysWhatIsWrong(t *testing.T) {
	server := servers.Postgres(t, servers.PostgresOptions{Settings: map[string]string{"max_connections": "5", "superuser_reserved_connections": "0"}})
	address := fmt.Sprintf("127.0.0.1:%d", server.Port())
	at := func(user, host, database string) string {
		return fmt.Sprintf("postgres://%s@%s/%s?sslmode=disable", user, host, database)
	}
	for _, c := range []struct {
		why, place string
		want       error
	}{
		{"nobody listens", at("postgres", fmt.Sprintf("127.0.0.1:%d", servers.Free(t)), "postgres"), ErrUnreachable},
		{"no such host", at("postgres", "nowhere.invalid", "postgres"), ErrUnreachable},
		{"no such database", at("postgres", address, "none"), ErrMissing},
		{"no such user", at("nobody", address, "postgres"), ErrAccess},
	} {
		if _, err := Open(ctx, c.place, Options{}); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", c.why, err, c.want)
		}
	}
	full := open(t, at("postgres", address, "postgres"), Options{})
	var err error
	for err == nil {
		_, err = full.Conn(ctx)
	}
	if !errors.Is(Explain(err), ErrBusy) {
		t.Errorf("a server without room: %v", err)
	}
	if _, err := Open(ctx, "postgres://"+address+"/postgres?sslmode=perhaps", Options{}); err == nil {
		t.Error("a setting that does not exist is accepted")
	}
}

// A standby does not pass for its primary; where a place names both, in whatever order,
// the primary is found. Who asks for a standby gets one, for reading.
func TestStandbys(t *testing.T) {
	primary := servers.Postgres(t, servers.PostgresOptions{})
	standby := primary.Standby(t)
	if _, err := Open(ctx, standby.DSN(), Options{}); !errors.Is(err, ErrStandby) {
		t.Errorf("a standby: %v", err)
	}
	both := fmt.Sprintf("postgres://postgres@127.0.0.1:%d,127.0.0.1:%d/postgres?sslmode=disable", standby.Port(), primary.Port())
	exec(t, open(t, both, Options{}), `CREATE TABLE t (x int)`)

	reader := open(t, standby.DSN(), Options{Standby: true})
	if _, err := reader.ExecContext(ctx, `CREATE TABLE u (x int)`); !errors.Is(Explain(err), ErrReadOnly) {
		t.Errorf("writing to a standby: %v", err)
	}
	if _, err := Open(ctx, both+"&target_session_attrs=read-only", Options{}); !errors.Is(err, ErrStandby) {
		t.Errorf("a standby by its attributes: %v", err)
	}
}

// The errors that a healthy connection meets are told apart, and none of them counts as
// losing it.
func TestErrorsOfAHealthyConnection(t *testing.T) {
	place := servers.Shared(t).DSN()
	db := open(t, place+"&statement_timeout=200ms", Options{Wait: 20 * time.Millisecond})
	exec(t, db, `CREATE TABLE t (x int PRIMARY KEY)`)
	holder, err := db.BeginTx(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = holder.Rollback() }()
	if _, err := holder.ExecContext(ctx, `LOCK TABLE t`); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		why, statement string
		want           error
	}{
		{"a lock", `SELECT * FROM t`, ErrBusy},
		{"a long statement", `SELECT pg_sleep(5)`, ErrBusy},
		{"no such table", `SELECT * FROM nothing`, ErrMissing},
		{"a full disk", `DO $$ BEGIN RAISE SQLSTATE '53100'; END $$`, ErrFull},
		{"no rights", `DO $$ BEGIN RAISE SQLSTATE '42501'; END $$`, ErrAccess},
		{"a mistake", `SELEC`, nil},
	} {
		_, err := db.ExecContext(ctx, c.statement)
		if explained := Explain(err); explained == nil || c.want != nil && !errors.Is(explained, c.want) || Lost(err) {
			t.Errorf("%s: %v, lost %v", c.why, explained, Lost(err))
		}
	}
	if Explain(nil) != nil || Lost(nil) || Lost(sql.ErrNoRows) {
		t.Error("nothing is wrong, yet something is said")
	}
}

// Whatever way a connection breaks, it is known as lost.
func TestLostConnections(t *testing.T) {
	server := servers.Postgres(t, servers.PostgresOptions{})
	wire := servers.Link(t, fmt.Sprintf("127.0.0.1:%d", server.Port()))
	db := open(t, "postgres://postgres@"+wire.Addr()+"/postgres?sslmode=disable", Options{})
	pid := func(conn *sql.Conn) (pid int) {
		if err := conn.QueryRowContext(ctx, `SELECT pg_backend_pid()`).Scan(&pid); err != nil {
			t.Fatal(err)
		}
		return pid
	}
	for _, c := range []struct {
		why     string
		break_  func(*sql.Conn)
		restore func()
	}{
		{"ended by an administrator", func(conn *sql.Conn) {
			exec(t, open(t, server.DSN(), Options{}), fmt.Sprintf(`SELECT pg_terminate_backend(%d, 5000)`, pid(conn)))
		}, func() {}},
		{"idle in a transaction", func(conn *sql.Conn) {
			session, other := pid(conn), open(t, server.DSN(), Options{})
			if _, err := conn.ExecContext(ctx, `SET idle_in_transaction_session_timeout = 1; BEGIN`); err != nil {
				t.Fatal(err)
			}
			for there := true; there; {
				if err := other.QueryRowContext(ctx, `SELECT count(*) > 0 FROM pg_stat_activity WHERE pid = $1`, session).Scan(&there); err != nil {
					t.Fatal(err)
				}
			}
		}, func() {}},
		{"a cut wire", func(*sql.Conn) { wire.Cut() }, wire.Heal},
		{"a killed server", func(*sql.Conn) { server.Kill() }, server.Start},
		{"a server that stands still", func(*sql.Conn) { server.Pause() }, server.Resume},
	} {
		conn, err := db.Conn(ctx)
		if err != nil {
			t.Fatalf("before %s: %v", c.why, err)
		}
		c.break_(conn)
		short, cancel := context.WithTimeout(ctx, 200*time.Millisecond)
		_, err = conn.ExecContext(short, `SELECT 1`)
		cancel()
		if !Lost(err) || !errors.Is(Explain(err), ErrUnreachable) {
			t.Errorf("%s: %v", c.why, err)
		}
		if _, err = conn.ExecContext(ctx, `SELECT 1`); !Lost(err) {
			t.Errorf("%s, asked again: %v", c.why, err)
		}
		_ = conn.Close()
		c.restore()
	}
	leaving, leave := context.WithCancel(ctx)
	leave()
	if _, err := db.ExecContext(leaving, `SELECT 1`); Explain(err) != err || errors.Is(Explain(err), ErrUnreachable) {
		t.Errorf("a caller who left is told %v", Explain(err))
	}
	if !Lost(driver.ErrBadConn) || !Lost(&net.OpError{Op: "read", Err: os.ErrDeadlineExceeded}) {
		t.Error("a bad connection is not lost")
	}
}

// steps are a schema in two steps, of which the second needs the first.
func steps(n int) fs.FS {
	all := fstest.MapFS{"00001_one.sql": {Data: []byte("CREATE TABLE t (x int);")}}
	if n > 1 {
		all["00002_two.sql"] = &fstest.MapFile{Data: []byte("INSERT INTO t VALUES (1);")}
	}
	return all
}

// Nodes that start together bring the schema up to date once, and each finds it so.
func TestNodesStartTogether(t *testing.T) {
	place := servers.Shared(t).DSN()
	var together sync.WaitGroup
	for range 6 {
		db := open(t, place, Options{Wait: time.Millisecond})
		together.Go(func() {
			if err := Migrate(ctx, db, steps(2), "t_schema"); err != nil {
				t.Error(err)
			}
			if got := show(t, db, "statement_timeout"); got != "10s" {
				t.Errorf("afterwards a statement may take %s", got)
			}
		})
	}
	together.Wait()
	db := open(t, place, Options{})
	var rows int
	if err := db.QueryRowContext(ctx, `SELECT count(*) FROM t`).Scan(&rows); err != nil || rows != 1 {
		t.Errorf("the second step was taken %d times (%v)", rows, err)
	}
}

// Versions tells none, older, same and newer apart, and writes nothing.
func TestVersions(t *testing.T) {
	place := servers.Shared(t).DSN()
	db, reader := open(t, place, Options{}), open(t, place, Options{ReadOnly: true})
	check := func(known int, wantFound int64) {
		t.Helper()
		found, last, err := Versions(ctx, reader, steps(known), "t_schema")
		if err != nil || found != wantFound || last != int64(known) {
			t.Errorf("found %d of %d (%v), want %d", found, last, err, wantFound)
		}
	}
	check(2, 0)
	for n := 1; n <= 2; n++ {
		if err := Migrate(ctx, db, steps(n), "t_schema"); err != nil {
			t.Fatal(err)
		}
		check(2, int64(n))
	}
	if err := Migrate(ctx, db, steps(1), "t_schema"); err != nil {
		t.Errorf("a newer schema: %v", err)
	}
	check(1, 2)
}

// The password stands in a file that the place names.
func TestThePasswordFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pass")
	if err := os.WriteFile(path, []byte("127.0.0.1:*:*:us:topsecret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	config, err := configure("postgres://us@127.0.0.1/m?passfile="+path, Options{})
	if err != nil || config.Password != "topsecret" {
		t.Errorf("got %v", err)
	}
}
