package servers

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/jackc/pgx/v5"
)

// PostgresOptions says what kind of cluster Postgres makes. The zero value is for small
// data and quick: it lives in memory where there is room, and writes nothing through.
type PostgresOptions struct {
	// Durable writes through to the disk before a commit is acknowledged, as in
	// production. That a killed server loses nothing committed holds either way, because
	// the kernel still has its writes; what differs is the speed, and the room.
	Durable bool
	// Settings go to postgresql.conf after our own, and are those of its standbys too.
	Settings map[string]string
}

// Database is one database in a PostgreSQL cluster of our own. Its faults befall the
// whole cluster.
type Database struct {
	cluster *process
	t       TB
	root    func() (string, error) // where it and its standbys live
	bin     string
	data    string
	name    string
	port    int
}

// Postgres makes and starts a cluster that is this test's alone, and removes it at the
// test's end. Its database is "postgres", and empty.
func Postgres(t TB, o PostgresOptions) *Database {
	t.Helper()
	return newCluster(t, postgresBinaries(t), o)
}

func newCluster(t TB, bin string, o PostgresOptions) *Database {
	t.Helper()
	root := memory
	if o.Durable {
		root = disk
	}
	d := newDatabase(t, bin, root)
	d.run("initdb", "--pgdata="+d.data, "--username=postgres", "--auth=trust",
		"--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions")
	d.configure(o)
	d.cluster.start()
	return d
}

// newDatabase prepares a cluster that has no data yet.
func newDatabase(t TB, bin string, root func() (string, error)) *Database {
	t.Helper()
	as := postgresUser(t)
	folder := folder(t, root, "postgres")
	if as != nil {
		if err := os.Chown(folder, int(as.Uid), int(as.Gid)); err != nil {
			t.Fatalf("a folder for PostgreSQL: %v", err)
		}
	}
	d := &Database{t: t, bin: bin, root: root, data: filepath.Join(folder, "data"), name: "postgres", port: Free(t)}
	d.cluster = &process{
		t: t, name: fmt.Sprintf("PostgreSQL on port %d", d.port), folder: folder, as: as,
		argv: []string{filepath.Join(bin, "postgres"), "-D", d.data, "-p", strconv.Itoa(d.port)},
		quit: syscall.SIGINT, drop: syscall.SIGQUIT, answer: d.answers,
	}
	t.Cleanup(d.remove)
	return d
}

// postgresUser is whom PostgreSQL runs as: ourselves (nil), or the user of its package
// when we are root, whom it refuses to serve.
func postgresUser(t TB) *syscall.Credential {
	t.Helper()
	if os.Geteuid() != 0 {
		return nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		unavailable(t, "PostgreSQL does not run as root, and has no user here: %v", err)
	}
	uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
	gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
	if err := errors.Join(err1, err2); err != nil {
		t.Fatalf("user postgres: %v", err)
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
}

// run runs one of PostgreSQL's programs to its end.
func (d *Database) run(program string, args ...string) {
	d.t.Helper()
	cmd := command(d.cluster.folder, d.cluster.as, append([]string{filepath.Join(d.bin, program)}, args...)...)
	if out, err := cmd.CombinedOutput(); err != nil {
		d.t.Fatalf("%s: %v\n%s", program, err, out)
	}
}

// configure adds to postgresql.conf what holds for every start. Shared memory for queries
// is made of files of the cluster, because what a killed cluster has in the memory of the
// machine would stay there.
func (d *Database) configure(o PostgresOptions) {
	d.t.Helper()
	var b strings.Builder
	set := func(name, value string) {
		fmt.Fprintf(&b, "%s = '%s'\n", name, strings.ReplaceAll(value, "'", "''"))
	}
	set("listen_addresses", "127.0.0.1")
	set("unix_socket_directories", "")
	set("dynamic_shared_memory_type", "mmap")
	if !o.Durable {
		set("fsync", "off")
		set("full_page_writes", "off")
		set("min_wal_size", "32MB")
		set("max_wal_size", "128MB")
	}
	for name, value := range o.Settings {
		set(name, value)
	}
	file, err := os.OpenFile(filepath.Join(d.data, "postgresql.conf"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		d.t.Fatalf("configuring PostgreSQL: %v", err)
	}
	_, err = file.WriteString(b.String())
	if err := errors.Join(err, file.Close()); err != nil {
		d.t.Fatalf("configuring PostgreSQL: %v", err)
	}
}

// Shared makes a new, empty database in the one cluster of this test process, and drops
// it at the test's end. The cluster is started with the first database, is not Durable,
// and ends with the process. It is everybody's: breaking it fails the test.
func Shared(t TB) *Database {
	t.Helper()
	bin := postgresBinaries(t)
	postgresUser(t)
	shared.once.Do(func() {
		shared.cluster = newCluster(lasting{t}, bin, PostgresOptions{Settings: map[string]string{"max_connections": "300"}})
	})
	if shared.cluster == nil {
		t.Fatalf("the shared PostgreSQL did not start for an earlier test")
	}
	d := *shared.cluster
	d.t, d.cluster = t, nil
	d.name = fmt.Sprintf("mandated_%d", shared.made.Add(1))
	if err := shared.cluster.exec("CREATE DATABASE " + d.name); err != nil {
		t.Fatalf("a database: %v", err)
	}
	t.Cleanup(func() {
		if err := shared.cluster.exec("DROP DATABASE " + d.name + " WITH (FORCE)"); err != nil {
			t.Logf("dropping a database: %v", err)
		}
	})
	return &d
}

var shared struct {
	once    sync.Once
	cluster *Database
	made    atomic.Int64
}

// lasting is a test whose end changes nothing: the keeper cleans up.
type lasting struct{ TB }

func (lasting) Cleanup(func()) {}

// DSN is the address of the database as pgx takes it. It asks for no password.
func (d *Database) DSN() string { return d.dsn(loopback(d.port)) }

// DSNOver is the address of the database at the other end of a link to Addr.
func (d *Database) DSNOver(p *Proxy) string { return d.dsn(p.Addr()) }

func (d *Database) dsn(addr string) string {
	return fmt.Sprintf("postgres://postgres@%s/%s?sslmode=disable", addr, d.name)
}

// Addr is where the cluster listens, as host:port, for Link.
func (d *Database) Addr() string { return loopback(d.port) }

// Port is where the cluster listens on 127.0.0.1; it stays the same over kill and start.
func (d *Database) Port() int { return d.port }

// Kill ends the cluster's processes by SIGKILL, in the middle of what they do.
func (d *Database) Kill() { d.t.Helper(); d.own().kill() }

// Stop shuts the cluster down in order: open transactions are rolled back, connections
// closed, everything is written.
func (d *Database) Stop() { d.t.Helper(); d.own().stop() }

// Start starts a cluster that was killed or stopped on the same data and port, and
// returns when it answers, its recovery done.
func (d *Database) Start() { d.t.Helper(); d.own().start() }

// Pause makes the cluster stand still (SIGSTOP): it accepts connections, as far as the
// kernel does so for it, and answers nothing.
func (d *Database) Pause() { d.t.Helper(); d.own().pause() }

// Resume lets a paused cluster go on.
func (d *Database) Resume() { d.t.Helper(); d.own().resume() }

// own is the cluster, if it is this test's to break.
func (d *Database) own() *process {
	d.t.Helper()
	if d.cluster == nil {
		d.t.Fatalf("the shared PostgreSQL is not one test's to break: take one of your own with Postgres")
	}
	return d.cluster
}

// Standby makes a streaming replica of the cluster, answering reads, with the same
// settings. The primary keeps for it what it has not received while it is down.
func (d *Database) Standby(t TB) *Database {
	t.Helper()
	d.own()
	s := newDatabase(t, d.bin, d.root)
	s.run("pg_basebackup", "--pgdata="+s.data, "--host=127.0.0.1", "--port="+strconv.Itoa(d.port), "--username=postgres",
		"--checkpoint=fast", "--no-sync", "--write-recovery-conf", "--create-slot", fmt.Sprintf("--slot=standby_%d", s.port))
	s.cluster.start()
	return s
}

// WaitReplayed waits until a standby shows everything that is committed in this cluster
// at the moment of the call.
func (d *Database) WaitReplayed(standby *Database) {
	d.t.Helper()
	var at string
	until(d.t, "the position of the primary", func() error {
		return d.query(&at, "SELECT pg_current_wal_lsn()::text")
	})
	until(d.t, "waiting for the standby", func() error {
		var there bool
		err := standby.query(&there, "SELECT coalesce(pg_last_wal_replay_lsn() >= $1::text::pg_lsn, false)", at)
		if err == nil && !there {
			err = fmt.Errorf("it has not reached %s", at)
		}
		return err
	})
}

func (d *Database) answers() error {
	var one int
	return d.query(&one, "SELECT 1")
}

// exec and query work on a connection of their own.
func (d *Database) exec(sql string) error {
	ctx, cancel := context.WithTimeout(context.Background(), startTime)
	defer cancel()
	conn, err := pgx.Connect(ctx, d.DSN())
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, sql)
	return err
}

func (d *Database) query(into any, sql string, args ...any) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	conn, err := pgx.Connect(ctx, d.DSN())
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	return conn.QueryRow(ctx, sql, args...).Scan(into)
}

// remove ends the cluster. One that was killed, and not started since, leaves a small
// piece of System V memory, of which a machine has only so many.
func (d *Database) remove() {
	if !d.cluster.runs() {
		if id := sharedMemory(filepath.Join(d.data, "postmaster.pid")); id != "" {
			exec.Command("ipcrm", "-m", id).Run()
		}
	}
	d.cluster.remove()
}

// sharedMemory reads the number of that memory out of what a running or killed server has
// written down: key and number are the seventh line.
func sharedMemory(pidFile string) string {
	text, err := os.ReadFile(pidFile)
	lines := strings.Split(string(text), "\n")
	if err != nil || len(lines) < 7 {
		return ""
	}
	if fields := strings.Fields(lines[6]); len(fields) == 2 {
		return fields[1]
	}
	return ""
}
