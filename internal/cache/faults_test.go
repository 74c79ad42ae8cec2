package cache

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/mandated/mandated/internal/servers"
)

// frozen plays a cache whose breakers go by the test's clock: a respite lasts until
// the test says so.
func frozen(t testing.TB, o ConnectOptions) *scene {
	t.Helper()
	s := with(t, o)
	s.remote.reads.now, s.remote.writes.now = s.time, s.time
	return s
}

func (s *scene) rest() { s.set(s.time().Add(respite)) }

func (s *scene) failures(t testing.TB, why failure) float64 {
	t.Helper()
	return s.count(t, "mandated_cache_redis_failures_total", "why", string(why))
}

func (s *scene) bypassed(t testing.TB, w way) bool {
	t.Helper()
	return s.count(t, "mandated_cache_redis_open", "way", string(w)) == 1
}

// readsFail looks until Redis is passed by, and checks the cause.
func (s *scene) readsFail(t testing.TB, why failure) {
	t.Helper()
	for range patience {
		s.lacks(t, tuple)
	}
	s.troubled(t, reading, why)
}

// writesFail puts until Redis is passed by, and checks the cause.
func (s *scene) writesFail(t testing.TB, why failure) {
	t.Helper()
	before := s.count(t, "mandated_cache_dropped_total", "why", "failed")
	for i := range patience {
		s.Put(tuple, "permit", time.Time{})
		eventually(t, "a put to fail", func() bool {
			return s.count(t, "mandated_cache_dropped_total", "why", "failed") == before+float64(i)+1
		})
	}
	s.troubled(t, writing, why)
	s.Put(tuple, "permit", time.Time{})
	eventually(t, "a put to be dropped", func() bool {
		return s.count(t, "mandated_cache_dropped_total", "why", "bypassed") > 0
	})
}

// troubled checks that Redis is passed by in this way for this cause, that the log
// has it once, and that nobody waits for it any more.
func (s *scene) troubled(t testing.TB, w way, why failure) {
	t.Helper()
	eventually(t, "redis to be passed by", func() bool { return s.bypassed(t, w) })
	if n := s.failures(t, why); n < patience {
		t.Errorf("%v failures of kind %s", n, why)
	}
	if s.log.times("way="+string(w)+" why="+string(why)) != 1 {
		t.Errorf("log:\n%s", s.log)
	}
	if w != reading {
		return
	}
	before := s.failures(t, why)
	for range 1000 {
		s.lacks(t, tuple)
	}
	if s.failures(t, why) != before {
		t.Error("redis is asked all the same")
	}
}

// recovers waits until Redis is used again, and checks that the log has it.
func (s *scene) recovers(t testing.TB, w way) {
	t.Helper()
	eventually(t, "redis to be used again", func() bool {
		s.rest()
		if w == reading {
			s.Redis(ctx, tuple)
		} else {
			s.Put("whatever", "permit", time.Time{})
		}
		return !s.bypassed(t, w)
	})
	if s.log.times("of use again for hot values\" way="+string(w)) != 1 {
		t.Errorf("log:\n%s", s.log)
	}
}

// A Redis that stands still: after a few waits nobody waits any more, and once it
// goes on it is used again, with what it has.
func TestPaused(t *testing.T) {
	server := servers.Redis(t, servers.RedisOptions{})
	s := frozen(t, ConnectOptions{Addresses: []string{server.Addr()}, Timeout: hasty})
	s.keep(t, tuple, "permit")
	server.Pause()
	s.readsFail(t, failTimeout)
	s.writesFail(t, failTimeout)
	server.Resume()
	s.recovers(t, reading)
	s.recovers(t, writing)
	s.stillHolds(t, "permit")
}

// stillHolds is for a hasty cache on a machine that may be busy: it looks again.
func (s *scene) stillHolds(t testing.TB, want string) {
	t.Helper()
	eventually(t, "the value to be found", func() bool {
		s.rest()
		v, found := s.Redis(ctx, tuple)
		return found && v == want
	})
}

// The time that a call may take is the cache's, however patient the client is.
func TestPatientClient(t *testing.T) {
	server := servers.Redis(t, servers.RedisOptions{})
	client := connect(t, ConnectOptions{Addresses: []string{server.Addr()}, Timeout: time.Hour, Dial: time.Hour, Retries: 9})
	s := play(t, Options{Redis: client, Timeout: hasty})
	s.remote.reads.now, s.remote.writes.now = s.time, s.time
	s.keep(t, tuple, "permit")
	server.Pause()
	s.readsFail(t, failTimeout)
	s.writesFail(t, failTimeout)
}

// A partition: connections are there or can be made, and nothing comes back.
func TestPartition(t *testing.T) {
	server := servers.Redis(t, servers.RedisOptions{})
	link := servers.Link(t, server.Addr())
	link.Hang()
	s := frozen(t, ConnectOptions{Addresses: []string{link.Addr()}, Timeout: hasty})
	s.readsFail(t, failTimeout)
	s.writesFail(t, failTimeout)
	link.Heal()
	s.recovers(t, reading)
	s.recovers(t, writing)
	s.keep(t, tuple, "permit")
	link.Cut()
	eventually(t, "the cut to be noticed", func() bool { s.Redis(ctx, tuple); return s.bypassed(t, reading) })
	link.Heal()
	s.stillHolds(t, "permit")
}

// A Redis that is killed and comes back empty, and one that is emptied.
func TestKilledAndFlushed(t *testing.T) {
	server := servers.Redis(t, servers.RedisOptions{})
	s := frozen(t, ConnectOptions{Addresses: []string{server.Addr()}})
	s.keep(t, tuple, "permit")
	server.Kill()
	s.readsFail(t, failConnection)
	s.writesFail(t, failConnection)
	server.Start()
	s.recovers(t, reading)
	s.recovers(t, writing)
	s.keep(t, tuple, "deny")
	s.holds(t, tuple, "deny")
	server.Flush()
	s.lacks(t, tuple)
	s.rejected(t, "")
}

// One put back from an old dump gives what was put then: a claim, and ours. What has
// ended since is not given.
func TestRestored(t *testing.T) {
	server := servers.Redis(t, servers.RedisOptions{})
	s := frozen(t, ConnectOptions{Addresses: []string{server.Addr()}})
	s.keep(t, tuple, "permit")
	dump := server.Dump()
	s.keep(t, tuple, "deny")
	server.Restore(dump)
	eventually(t, "the older value", func() bool { v, found := s.Redis(ctx, tuple); return found && v == "permit" })
	s.set(s.time().Add(longest))
	s.lacks(t, tuple)
	s.rejected(t, "")
}

// A wrong password, or none where one is asked, is told as that, without the
// password; when it is put right nobody needs to restart anything.
func TestWrongPassword(t *testing.T) {
	for name, password := range map[string]string{"wrong": "guessed", "none": ""} {
		t.Run(name, func(t *testing.T) {
			server := servers.Redis(t, servers.RedisOptions{Password: "correct"})
			s := frozen(t, ConnectOptions{Addresses: []string{server.Addr()}, Password: password})
			s.readsFail(t, failAuth)
			s.writesFail(t, failAuth)
			if s.log.times("guessed") != 0 {
				t.Errorf("log:\n%s", s.log)
			}
			if err := server.Client().ConfigSet(ctx, "requirepass", password).Err(); err != nil {
				t.Fatal(err)
			}
			s.recovers(t, reading)
			s.recovers(t, writing)
		})
	}
}

// A user needs two commands on our keys and nothing else; with less each way fails
// by itself.
func TestUserRights(t *testing.T) {
	server := servers.Redis(t, servers.RedisOptions{Users: []string{
		"enough on >secret ~mandated:1:* +getrange +set",
		"reader on >secret ~mandated:1:* +getrange",
		"stranger on >secret ~other:* +@all",
	}})
	as := func(t *testing.T, user string) *scene {
		t.Helper()
		return frozen(t, ConnectOptions{Addresses: []string{server.Addr()}, Username: user, Password: "secret"})
	}
	enough := as(t, "enough")
	enough.keep(t, tuple, "permit")
	enough.holds(t, tuple, "permit")
	reader := as(t, "reader")
	reader.writesFail(t, failAuth)
	reader.holds(t, tuple, "permit")
	stranger := as(t, "stranger")
	stranger.readsFail(t, failAuth)
	stranger.writesFail(t, failAuth)
}

// A full Redis takes nothing more and still gives what it has; when there is room
// again it is used.
func TestFull(t *testing.T) {
	server := servers.Redis(t, servers.RedisOptions{MaxMemory: "3mb", Policy: "noeviction"})
	s := frozen(t, ConnectOptions{Addresses: []string{server.Addr()}})
	s.keep(t, tuple, "permit")
	for i := 0; server.Client().Set(ctx, fmt.Sprint("filler", i), strings.Repeat("x", 100_000), 0).Err() == nil; i++ {
		if i > 1000 {
			t.Fatal("redis does not get full")
		}
	}
	// Now there may still be room for something small: take that too.
	if err := server.Client().ConfigSet(ctx, "maxmemory", "1mb").Err(); err != nil {
		t.Fatal(err)
	}
	s.writesFail(t, failFull)
	s.holds(t, tuple, "permit")
	if s.bypassed(t, reading) {
		t.Error("what it has is not read")
	}
	if err := server.Client().ConfigSet(ctx, "maxmemory", "0").Err(); err != nil {
		t.Fatal(err)
	}
	s.recovers(t, writing)
}

// A replica, as an address may lead to after a fail-over: it gives and does not take.
func TestReadonly(t *testing.T) {
	master := servers.Redis(t, servers.RedisOptions{Settings: []string{"repl-diskless-sync-delay 0"}})
	host, port, _ := net.SplitHostPort(master.Addr())
	replica := servers.Redis(t, servers.RedisOptions{Settings: []string{"replicaof " + host + " " + port}})
	with(t, ConnectOptions{Addresses: []string{master.Addr()}}).keep(t, tuple, "permit")
	s := frozen(t, ConnectOptions{Addresses: []string{replica.Addr()}})
	eventually(t, "the replica to have the value", func() bool { _, found := s.Redis(ctx, tuple); return found })
	s.writesFail(t, failReadonly)
	s.holds(t, tuple, "permit")
	if s.bypassed(t, reading) {
		t.Error("what it has is not read")
	}
	if err := replica.Client().ReplicaOf(ctx, "no", "one").Err(); err != nil {
		t.Fatal(err)
	}
	s.recovers(t, writing)
}

// Every answer that Redis has for such occasions, and what is no answer at all, is a
// miss, sorted.
func TestAnswersThatAreNone(t *testing.T) {
	for reply, want := range map[string]failure{
		"-LOADING Redis is loading the dataset in memory\r\n":                         failLoading,
		"-CLUSTERDOWN The cluster is down\r\n":                                        failCluster,
		"-MOVED 1 127.0.0.1:1\r\n":                                                    failCluster,
		"-ASK 1 127.0.0.1:1\r\n":                                                      failCluster,
		"-TRYAGAIN Multiple keys request during rehashing of slot\r\n":                failCluster,
		"-MASTERDOWN Link with MASTER is down and replica-serve-stale-data is no\r\n": failCluster,
		"-NOAUTH Authentication required.\r\n":                                        failAuth,
		"-WRONGPASS invalid username-password pair or user is disabled.\r\n":          failAuth,
		"-NOPERM this user has no permissions to run the 'getrange' command\r\n":      failAuth,
		"-READONLY You can't write against a read only replica.\r\n":                  failReadonly,
		"-OOM command not allowed when used memory > 'maxmemory'.\r\n":                failFull,
		"-BUSY Redis is busy running a script.\r\n":                                   failOther,
		"-MISCONF Redis is configured to save RDB snapshots, but cannot\r\n":          failOther,
		"-ERR max number of clients reached\r\n":                                      failConnection,
		"HTTP/1.1 400 Bad Request\r\n\r\n":                                            failConnection,
		"$-7\r\n":                                                                     failConnection,
		"$10\r\nx":                                                                    failTimeout, // and nothing follows
		"":                                                                            failTimeout,
	} {
		t.Run(string(want), func(t *testing.T) {
			o := ConnectOptions{Addresses: []string{impostor(t, reply)}}
			if want == failTimeout {
				o.Timeout = hasty
			}
			s := frozen(t, o)
			s.readsFail(t, want)
		})
	}
	t.Run("closed", func(t *testing.T) {
		s := frozen(t, ConnectOptions{Addresses: []string{fmt.Sprint("127.0.0.1:", servers.Free(t))}})
		s.readsFail(t, failConnection)
		s.writesFail(t, failConnection)
	})
}

// impostor answers everything but the greeting alike.
func impostor(t *testing.T, reply string) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	stop, end := context.WithCancel(ctx)
	all.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			context.AfterFunc(stop, func() { _ = conn.Close() })
			all.Go(func() { pretend(conn, reply) })
		}
	})
	t.Cleanup(func() { end(); _ = listener.Close(); all.Wait() })
	return listener.Addr().String()
}

func pretend(conn net.Conn, reply string) {
	defer conn.Close()
	for r := bufio.NewReader(conn); ; {
		command, err := readCommand(r)
		if err != nil {
			return
		}
		answer := reply
		if strings.EqualFold(command, "hello") {
			answer = "-ERR unknown command 'hello'\r\n"
		}
		if _, err := io.WriteString(conn, answer); err != nil {
			return
		}
	}
}

// readCommand reads one command of the protocol and gives its first word.
func readCommand(r *bufio.Reader) (first string, err error) {
	words, err := readSize(r)
	for i := 0; i < words && err == nil; i++ {
		var size int
		if size, err = readSize(r); err != nil {
			break
		}
		word := make([]byte, size+2)
		if _, err = io.ReadFull(r, word); i == 0 {
			first = string(word[:size])
		}
	}
	return first, err
}

func readSize(r *bufio.Reader) (int, error) {
	line, err := r.ReadString('\n')
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(strings.TrimSpace(line[1:]))
}

// TLS: with the right trust it works; without, nothing is sent and it is told as a
// failed connection.
func TestTLS(t *testing.T) {
	server := servers.Redis(t, servers.RedisOptions{TLS: true, Password: "correct"})
	s := with(t, ConnectOptions{Addresses: []string{server.Addr()}, Password: "correct", TLS: server.TLSConfig()})
	s.keep(t, tuple, "permit")
	s.holds(t, tuple, "permit")
	untrusting := frozen(t, ConnectOptions{Addresses: []string{server.Addr()}, Password: "correct", TLS: &tls.Config{ServerName: "elsewhere.example"}})
	untrusting.readsFail(t, failConnection)
}

// A caller who goes away shows nothing about Redis.
func TestCallerGivesUp(t *testing.T) {
	server := servers.Redis(t, servers.RedisOptions{})
	s := frozen(t, ConnectOptions{Addresses: []string{server.Addr()}})
	s.keep(t, tuple, "permit")
	server.Pause()
	for range 2 * patience {
		gone, cancel := context.WithTimeout(ctx, time.Millisecond)
		if _, found := s.Redis(gone, tuple); found {
			t.Error("found in a redis that stands still")
		}
		cancel()
	}
	if s.bypassed(t, reading) || s.failures(t, failTimeout) != 0 {
		t.Error("counted against redis")
	}
	server.Resume()
	s.holds(t, tuple, "permit")
}

// Putting never waits: what Redis does not take in time is dropped and counted, and
// each value is either stored or dropped.
func TestQueueIsBounded(t *testing.T) {
	server := servers.Redis(t, servers.RedisOptions{})
	release := make(chan struct{})
	slow := words
	slow.Encode = func(v string) ([]byte, error) { <-release; return words.Encode(v) }
	s := &scene{metrics: prometheus.NewRegistry()}
	s.Cache = New(slow, Options{Redis: connect(t, ConnectOptions{Addresses: []string{server.Addr()}}), Secret: secret, Metrics: s.metrics, Timeout: patient})
	t.Cleanup(s.Close)
	const puts = 2 * queueLength
	for i := range puts {
		s.Put(fmt.Sprint(i), "permit", time.Time{})
	}
	dropped := s.count(t, "mandated_cache_dropped_total", "why", "queue")
	if dropped < puts-queueLength-batchLength || dropped > puts-queueLength {
		t.Errorf("%v dropped of %d", dropped, puts)
	}
	close(release)
	eventually(t, "the rest to be stored", func() bool {
		return s.count(t, "mandated_cache_puts_total", "layer", "redis")+s.count(t, "mandated_cache_dropped_total", "why", "failed")+dropped == puts
	})
	if n := server.Client().DBSize(ctx).Val(); float64(n) != s.count(t, "mandated_cache_puts_total", "layer", "redis") {
		t.Errorf("%d values in redis, counted otherwise", n)
	}
}

// What waited until its end is not written any more.
func TestExpiredInTheQueue(t *testing.T) {
	server := servers.Redis(t, servers.RedisOptions{})
	s := with(t, ConnectOptions{Addresses: []string{server.Addr()}})
	pipe := s.remote.client.Pipeline()
	s.remote.add(ctx, pipe, parcel[string]{tuple, "permit", s.time()})
	if pipe.Len() != 0 || s.count(t, "mandated_cache_dropped_total", "why", "expired") != 1 {
		t.Error("written at its end")
	}
}

// Closing waits for nothing that Redis owes, may be done twice, and does not make the
// next put or look a mistake.
func TestClose(t *testing.T) {
	server := servers.Redis(t, servers.RedisOptions{})
	s := play(t, Options{Memory: 1 << 22, Redis: connect(t, ConnectOptions{Addresses: []string{server.Addr()}}), Timeout: hasty})
	s.keep(t, tuple, "permit")
	server.Pause()
	for i := range 2 * queueLength {
		s.Put(fmt.Sprint(i), "permit", time.Time{})
	}
	s.Close()
	s.Close()
	for i := range 2 * queueLength {
		s.Put(fmt.Sprint(i), "deny", time.Time{})
	}
	s.Put(tuple, "deny", time.Time{})
	if v, found := s.Memory(tuple); !found || v != "deny" {
		t.Errorf("after closing: %q %v", v, found)
	}
}

// Many at once, while Redis is flushed, stopped and killed underneath: nobody ever
// gets a value of another key.
func TestManyAtOnce(t *testing.T) {
	server := servers.Redis(t, servers.RedisOptions{})
	s := play(t, Options{Memory: 20_000, Redis: connect(t, ConnectOptions{Addresses: []string{server.Addr()}}), Timeout: hasty})
	var callers sync.WaitGroup
	stop, end := context.WithCancel(ctx)
	defer end()
	for who := range 8 {
		callers.Go(func() {
			for i := 0; stop.Err() == nil; i++ {
				key := fmt.Sprint("key", (i*7+who)%200)
				v, found := s.Memory(key)
				if !found {
					v, found = s.Redis(stop, key)
				}
				if found && !strings.HasPrefix(v, key+" ") {
					t.Errorf("%q gives %q", key, v)
					return
				}
				s.Put(key, key+" is "+strings.Repeat("x", i%50), time.Time{})
			}
		})
	}
	traffic := func() {
		t.Helper()
		before := s.count(t, "mandated_cache_puts_total", "layer", "redis")
		eventually(t, "traffic", func() bool { return s.count(t, "mandated_cache_puts_total", "layer", "redis") > before+500 })
	}
	traffic()
	server.Flush()
	traffic()
	server.Pause()
	eventually(t, "the pause to be noticed", func() bool { return s.bypassed(t, writing) })
	server.Resume()
	traffic()
	server.Kill()
	eventually(t, "the loss to be noticed", func() bool { return s.bypassed(t, writing) })
	server.Start()
	traffic()
	end()
	callers.Wait()
	s.rejected(t, "")
}
