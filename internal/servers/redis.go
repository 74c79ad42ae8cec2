package servers

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/redis/go-redis/v9"
)

// RedisOptions says what kind of Redis to start. The zero value is one without password
// that keeps nothing over a kill.
type RedisOptions struct {
	Password   string   // of the user "default"; empty: none is asked
	Users      []string // ACL rules, each as "NAME on >SECRET ~keys:* +@all"
	MaxMemory  string   // as "2mb"; empty: no limit
	Policy     string   // what goes when memory is full, as "allkeys-lru"; empty: nothing does
	TLS        bool     // listens with TLS only; see TLSConfig
	AppendOnly bool     // writes through to the disk before it answers, and has it back after a kill
	Settings   []string // further lines of redis.conf
}

// RedisServer is one Redis of our own.
type RedisServer struct {
	server *process
	t      TB
	o      RedisOptions
	port   int
	tls    *tls.Config
	admin  *redis.Client
	secret string
}

// Redis starts a Redis that is this test's alone, and removes it at the test's end.
func Redis(t TB, o RedisOptions) *RedisServer {
	t.Helper()
	r := newRedis(t, o)
	r.server.start()
	return r
}

// newRedis prepares a server and its redis.conf.
func newRedis(t TB, o RedisOptions, mode ...string) *RedisServer {
	t.Helper()
	binary := redisBinary(t)
	r := &RedisServer{t: t, o: o, port: Free(t), secret: rand.Text()}
	folder := folder(t, disk, "redis")
	conf := filepath.Join(folder, "redis.conf")
	r.server = &process{
		t: t, name: fmt.Sprintf("Redis on port %d", r.port), folder: folder,
		argv: append([]string{binary, conf}, mode...),
		quit: syscall.SIGTERM, drop: syscall.SIGKILL, answer: r.answers,
	}
	t.Cleanup(r.server.remove)
	if err := os.WriteFile(conf, []byte(r.conf(folder)), 0o600); err != nil {
		t.Fatalf("configuring Redis: %v", err)
	}
	r.admin = redis.NewClient(&redis.Options{
		Addr: r.Addr(), Username: admin, Password: r.secret, TLSConfig: r.tls,
		MaxRetries: -1, DialerRetries: 1, ContextTimeoutEnabled: true, ReadTimeout: startTime,
	})
	t.Cleanup(func() { r.admin.Close() })
	return r
}

// admin is the user under whom this package itself works: whatever rights a test gives
// to others, it still sees whether the server is there.
const admin = "servers"

func (r *RedisServer) conf(folder string) string {
	r.t.Helper()
	lines := []string{"bind 127.0.0.1", `save ""`, "dir " + folder, "user " + admin + " on >" + r.secret + " ~* &* +@all"}
	add := func(wanted bool, more ...string) {
		if wanted {
			lines = append(lines, more...)
		}
	}
	add(!r.o.TLS, fmt.Sprintf("port %d", r.port))
	if r.o.TLS {
		files := r.makeTLS(folder)
		lines = append(lines, "port 0", fmt.Sprintf("tls-port %d", r.port), "tls-auth-clients no",
			"tls-cert-file "+files.cert, "tls-key-file "+files.key, "tls-ca-cert-file "+files.cert)
	}
	add(r.o.Password != "", "requirepass "+r.o.Password)
	add(r.o.MaxMemory != "", "maxmemory "+r.o.MaxMemory)
	add(r.o.Policy != "", "maxmemory-policy "+r.o.Policy)
	add(r.o.AppendOnly, "appendonly yes", "appendfsync always")
	for _, u := range r.o.Users {
		lines = append(lines, "user "+u)
	}
	return strings.Join(append(lines, r.o.Settings...), "\n") + "\n"
}

// Addr is where it listens, as host:port; it stays the same over kill and start.
func (r *RedisServer) Addr() string { return loopback(r.port) }

// TLSConfig is what a client of a server with TLS needs to trust it, and nil without TLS.
func (r *RedisServer) TLSConfig() *tls.Config { return r.tls.Clone() }

// Client is a client with all rights, to look behind the back of what is tested. It does
// not retry, and is closed at the test's end.
func (r *RedisServer) Client() *redis.Client { return r.admin }

// Kill ends the server by SIGKILL. Without AppendOnly its values are lost.
func (r *RedisServer) Kill() { r.t.Helper(); r.server.kill() }

// Stop ends the server in order. Without AppendOnly its values are lost.
func (r *RedisServer) Stop() { r.t.Helper(); r.server.stop() }

// Start starts a server that was killed or stopped, on the same port, and returns when it
// answers.
func (r *RedisServer) Start() { r.t.Helper(); r.server.start() }

// Pause makes the server stand still (SIGSTOP): it accepts connections, as far as the
// kernel does so for it, and answers nothing.
func (r *RedisServer) Pause() { r.t.Helper(); r.server.pause() }

// Resume lets a paused server go on.
func (r *RedisServer) Resume() { r.t.Helper(); r.server.resume() }

// Flush removes all values.
func (r *RedisServer) Flush() {
	r.t.Helper()
	r.do("FLUSHALL", "SYNC")
}

// Dump returns all values as they are now, for Restore.
func (r *RedisServer) Dump() []byte {
	r.t.Helper()
	r.do("SAVE")
	dump, err := os.ReadFile(r.dumpFile())
	if err == nil {
		// Else a server that forgets what it had would have it back after a kill.
		err = os.Remove(r.dumpFile())
	}
	if err != nil {
		r.t.Fatalf("dumping Redis: %v", err)
	}
	return dump
}

// Restore kills the server, running or not, and starts it with the values of an older
// dump and no others.
func (r *RedisServer) Restore(dump []byte) {
	r.t.Helper()
	r.Kill()
	err := os.RemoveAll(filepath.Join(r.server.folder, "appendonlydir"))
	if err := errors.Join(err, os.WriteFile(r.dumpFile(), dump, 0o600)); err != nil {
		r.t.Fatalf("restoring Redis: %v", err)
	}
	// A server that appends looks at nothing else when it starts.
	r.server.start("--appendonly", "no")
	if r.o.AppendOnly {
		r.append()
	}
	if err := os.Remove(r.dumpFile()); err != nil {
		r.t.Fatalf("restoring Redis: %v", err)
	}
}

// append makes a running server append, and waits until what it has is written: before
// that it refuses to be stopped.
func (r *RedisServer) append() {
	r.t.Helper()
	r.do("CONFIG", "SET", "appendonly", "yes")
	until(r.t, "Redis writes what was restored", func() error {
		info, err := r.ask("INFO", "persistence")
		if err == nil && field(info, "aof_rewrite_in_progress")+field(info, "aof_rewrite_scheduled") != "00" {
			err = fmt.Errorf("it is still writing")
		}
		return err
	})
}

func (r *RedisServer) dumpFile() string { return filepath.Join(r.server.folder, "dump.rdb") }

// answers reports whether the server takes commands; while it loads its values it does
// not.
func (r *RedisServer) answers() error {
	// The client would log each time that nobody listens yet.
	conn, err := net.DialTimeout("tcp", r.Addr(), patience)
	if err != nil {
		return err
	}
	conn.Close()
	_, err = r.ask("PING")
	return err
}

// do runs a command whose failure ends the test.
func (r *RedisServer) do(args ...any) any {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), startTime)
	defer cancel()
	got, err := r.admin.Do(ctx, args...).Result()
	if err != nil {
		r.t.Fatalf("%s: %v: %v", r.server.name, args[0], err)
	}
	return got
}

// ask runs a command that answers in text, and is repeated by whoever waits for a state.
func (r *RedisServer) ask(args ...any) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return r.admin.Do(ctx, args...).Text()
}
