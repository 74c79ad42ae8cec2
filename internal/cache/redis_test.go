package cache

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"pgregory.net/rapid"

	"github.com/mandated/mandated/internal/servers"
)

// single is a cache in front of one healthy Redis, and that Redis.
func single(t testing.TB) (*scene, *servers.RedisServer) {
	t.Helper()
	server := servers.Redis(t, servers.RedisOptions{})
	return with(t, ConnectOptions{Addresses: []string{server.Addr()}}), server
}

// plant writes something behind the cache's back.
func plant(t testing.TB, server *servers.RedisServer, name string, value []byte) {
	t.Helper()
	if err := server.Client().Set(ctx, name, value, 0).Err(); err != nil {
		t.Fatal(err)
	}
}

// stored reads what really lies in Redis.
func stored(t testing.TB, server *servers.RedisServer, name string) []byte {
	t.Helper()
	value, err := server.Client().Get(ctx, name).Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return value
}

// What one process puts, another one with the same secret finds, and has in its
// memory from then on.
func TestShared(t *testing.T) {
	one, server := single(t)
	two := play(t, Options{Memory: 1 << 20, Redis: connect(t, ConnectOptions{Addresses: []string{server.Addr()}})})
	one.keep(t, tuple, "permit")
	if _, found := two.Memory(tuple); found {
		t.Error("memory is shared")
	}
	two.holds(t, tuple, "permit")
	if v, found := two.Memory(tuple); !found || v != "permit" {
		t.Errorf("not put into memory: %q %v", v, found)
	}
	two.lacks(t, tuple+"x")
	if yes, no := two.count(t, "mandated_cache_lookups_total", "found", "yes", "layer", "redis"), two.count(t, "mandated_cache_lookups_total", "found", "no", "layer", "redis"); yes != 1 || no != 1 {
		t.Errorf("counted %v found, %v not", yes, no)
	}
	two.rejected(t, "")
}

// Another secret is another cache: neither sees, spoils or is troubled by the other.
func TestAnotherSecret(t *testing.T) {
	one, server := single(t)
	two := play(t, Options{Secret: bytes.Repeat([]byte{7}, secretSize), Redis: connect(t, ConnectOptions{Addresses: []string{server.Addr()}})})
	one.keep(t, tuple, "permit")
	two.lacks(t, tuple)
	two.keep(t, tuple, "deny")
	one.holds(t, tuple, "permit")
	two.holds(t, tuple, "deny")
	two.rejected(t, "")
}

// Nothing is written without an expiry: at most a quarter of an hour, at least a
// second, and what the caller said in between.
func TestExpiryInRedis(t *testing.T) {
	s, server := single(t)
	for _, c := range []struct {
		name             string
		left             time.Duration
		shortest, latest time.Duration
	}{
		{"none", 0, longest - time.Minute, longest},
		{"far", time.Hour, longest - time.Minute, longest},
		{"near", 5 * time.Minute, 4 * time.Minute, 5 * time.Minute},
		{"at once", 50 * time.Millisecond, 51 * time.Millisecond, time.Second},
	} {
		var until time.Time
		if c.left > 0 {
			until = s.time().Add(c.left)
		}
		name := s.remote.sealer.name(c.name)
		var left time.Duration
		eventually(t, "the value to reach redis", func() bool {
			s.Put(c.name, "permit", until) // again: one that lives a second may be gone before it is seen
			left = server.Client().PTTL(ctx, name).Val()
			return left >= c.shortest || left == -1
		})
		if left < 0 || left > c.latest {
			t.Errorf("%s: %v left, want at most %v", c.name, left, c.latest)
		}
	}
}

// A value does not outlive its end where Redis was made to forget the expiry: the end
// is inside the seal.
func TestEndIsSealed(t *testing.T) {
	s, server := single(t)
	s.Put(tuple, "permit", s.time().Add(time.Minute))
	name := s.remote.sealer.name(tuple)
	eventually(t, "the value to reach redis", func() bool { return server.Client().Persist(ctx, name).Val() })
	s.holds(t, tuple, "permit")
	s.set(s.time().Add(time.Minute))
	s.lacks(t, tuple)
	s.rejected(t, "") // it is ours, only over
}

// Memory forgets a value that came from Redis at the value's own end.
func TestMemoryKeepsTheEndOfRedis(t *testing.T) {
	server := servers.Redis(t, servers.RedisOptions{})
	s := play(t, Options{Memory: 1 << 20, Redis: connect(t, ConnectOptions{Addresses: []string{server.Addr()}})})
	s.Put(tuple, "permit", s.time().Add(time.Minute))
	eventually(t, "the value to reach redis", func() bool { return server.Client().DBSize(ctx).Val() == 1 })
	s.memory.entries.InvalidateAll()
	s.holds(t, tuple, "permit")
	s.set(s.time().Add(time.Minute))
	if v, found := s.Memory(tuple); found {
		t.Errorf("still %q", v)
	}
}

// A process whose clock is ahead cannot make ours keep a value longer than we would
// ourselves.
func TestEndSetByAClockAhead(t *testing.T) {
	server := servers.Redis(t, servers.RedisOptions{})
	s := play(t, Options{Memory: 1 << 20, Redis: connect(t, ConnectOptions{Addresses: []string{server.Addr()}})})
	name := s.remote.sealer.name(tuple)
	plant(t, server, name, s.remote.sealer.seal(name, tuple, []byte("words permit"), s.time().Add(time.Hour)))
	s.holds(t, tuple, "permit")
	s.set(s.time().Add(longest))
	if v, found := s.Memory(tuple); found {
		t.Errorf("still %q", v)
	}
}

// Every lie that can lie under our key is a miss of its own kind, told once, and a
// put sets it right.
func TestLies(t *testing.T) {
	s, server := single(t)
	sealer := s.remote.sealer
	name := sealer.name(tuple)
	other := newSealer(bytes.Repeat([]byte{7}, secretSize))
	until := time.Now().Add(time.Minute)
	good := sealer.seal(name, tuple, []byte("words permit"), until)
	flip := func(i int) []byte {
		altered := bytes.Clone(good)
		altered[i] ^= 0x10
		return altered
	}
	for _, c := range []struct {
		name  string
		value []byte
		want  reason
	}{
		{"foreign text", []byte("OK"), badFormat},
		{"foreign text that starts like ours", []byte("\x01OK"), badSeal},
		{"older format", append([]byte{format - 1}, good[1:]...), badFormat},
		{"newer format", append([]byte{format + 1}, good[1:]...), badFormat},
		{"flipped format", flip(0), badFormat},
		{"flipped nonce", flip(1), badSeal},
		{"flipped end", flip(26), badSeal},
		{"flipped key", flip(40), badSeal},
		{"flipped value", flip(len(good) - 18), badSeal},
		{"flipped tag", flip(len(good) - 1), badSeal},
		{"cut", good[:len(good)-1], badSeal},
		{"longer", append(bytes.Clone(good), 0), badSeal},
		{"another secret", other.seal(name, tuple, []byte("words permit"), until), badSeal},
		{"moved here from another key", sealer.seal(sealer.name("other"), "other", []byte("words permit"), until), badSeal},
		{"another key inside", sealer.seal(name, "other", []byte("words permit"), until), badKey},
		{"not decoded", sealer.seal(name, tuple, []byte("numbers 42"), until), badValue},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := with(t, ConnectOptions{Addresses: []string{server.Addr()}})
			plant(t, server, name, c.value)
			s.lacks(t, tuple)
			s.rejected(t, c.want)
			s.lacks(t, tuple)
			if s.log.times("not ours") != 1 || s.log.times("why="+string(c.want)) != 1 || s.log.times(person) != 0 {
				t.Errorf("log:\n%s", s.log)
			}
			s.keep(t, tuple, "deny")
			s.holds(t, tuple, "deny")
		})
	}
}

// The log hears of foreign values once an hour of each kind: somebody who looks at it months
// after the first must find that it goes on.
func TestLiesAreToldAgain(t *testing.T) {
	s, server := single(t)
	noon := time.Now().Truncate(time.Hour)
	for i, at := range []time.Time{noon, noon.Add(59 * time.Minute), noon.Add(time.Hour)} {
		s.set(at)
		plant(t, server, s.remote.sealer.name(tuple), []byte("OK"))
		s.lacks(t, tuple)
		if want := []int{1, 1, 2}[i]; s.log.times("not ours") != want {
			t.Errorf("at %v it was told %d times, want %d", at, s.log.times("not ours"), want)
		}
	}
}

// A list under our key is no failure of Redis, which answers well; it is not ours.
func TestForeignType(t *testing.T) {
	s, server := single(t)
	if err := server.Client().LPush(ctx, s.remote.sealer.name(tuple), "x").Err(); err != nil {
		t.Fatal(err)
	}
	for range 2 * patience {
		s.lacks(t, tuple)
	}
	s.rejected(t, badFormat)
	if s.count(t, "mandated_cache_redis_open", "way", "read") != 0 || s.count(t, "mandated_cache_redis_failures_total", "why", "other") != 0 {
		t.Error("taken for a failure of redis")
	}
	s.keep(t, tuple, "permit")
	s.holds(t, tuple, "permit")
}

// Somebody left very much under our key: we do not carry it all.
func TestForeignWeight(t *testing.T) {
	s, server := single(t)
	plant(t, server, s.remote.sealer.name(tuple), bytes.Repeat([]byte{format}, 16*largest))
	before := sent(t, server)
	s.lacks(t, tuple)
	s.rejected(t, badSeal)
	if carried := sent(t, server) - before; carried > 2*largest {
		t.Errorf("carried %d bytes", carried)
	}
}

// sent is how many bytes the server has sent since it began.
func sent(t *testing.T, server *servers.RedisServer) (n int) {
	t.Helper()
	info, err := server.Client().Info(ctx, "stats").Result()
	_, rest, _ := strings.Cut(info, "total_net_output_bytes:")
	if _, scan := fmt.Sscan(rest, &n); err != nil || scan != nil {
		t.Fatal(err, scan)
	}
	return n
}

// A value that is moved within Redis, key and all, is not taken for that of the
// other key: a Permit for one company is none for another.
func TestMovedInRedis(t *testing.T) {
	s, server := single(t)
	s.keep(t, "somebody's", "permit")
	s.keep(t, "nobody's", "deny")
	names := s.remote.sealer
	if err := server.Client().Rename(ctx, names.name("somebody's"), names.name("nobody's")).Err(); err != nil {
		t.Fatal(err)
	}
	s.lacks(t, "nobody's")
	s.rejected(t, badSeal)
}

// What cannot be encoded or is too large to be read back is not written, and does
// not keep its neighbours from being written.
func TestUnwritable(t *testing.T) {
	s, server := single(t)
	s.Put("a", "unspeakable", time.Time{})
	s.Put("b", strings.Repeat("x", largest), time.Time{})
	s.keep(t, "c", "permit")
	s.holds(t, "c", "permit")
	for _, why := range []dropped{dropEncoding, dropLarge} {
		eventually(t, "a drop to be counted", func() bool {
			return s.count(t, "mandated_cache_dropped_total", "why", string(why)) == 1
		})
	}
	if n := server.Client().DBSize(ctx).Val(); n != 1 {
		t.Errorf("%d keys in redis", n)
	}
}

// Something between us and Redis may answer anything at all. What is not OK was not stored.
func TestAnswersThatAreNoAnswers(t *testing.T) {
	s, _ := single(t)
	odd := redis.NewStatusCmd(ctx)
	odd.SetVal("QUEUED")
	s.remote.conclude(through, []*redis.StatusCmd{odd}, nil)
	if n := s.count(t, "mandated_cache_dropped_total", "why", string(dropFailed)); n != 1 {
		t.Errorf("%v drops", n)
	}
}

// The largest value that is written can be read back.
func TestLargest(t *testing.T) {
	s, _ := single(t)
	frame := len(s.remote.sealer.seal("", tuple, []byte("words "), s.time()))
	value := strings.Repeat("x", largest-frame)
	s.keep(t, tuple, value)
	s.holds(t, tuple, value)
}

// With everything that lies in Redis in hand, keys, values and all, nobody finds a
// person, a company or what was asked.
func TestNothingPersonal(t *testing.T) {
	s, server := single(t)
	for i := range 50 {
		s.keep(t, fmt.Sprint(tuple, i), "permit for "+company)
	}
	dump := server.Dump()
	for _, part := range []string{person, company, "authorize", "permit", "words"} {
		if bytes.Contains(dump, []byte(part)) {
			t.Errorf("%q stands in the dump", part)
		}
	}
	names, err := server.Client().Keys(ctx, "*").Result()
	if err != nil || len(names) != 50 {
		t.Fatalf("%d names, %v", len(names), err)
	}
	for _, name := range names {
		if !bytes.Contains(dump, []byte(name)) || !strings.HasPrefix(name, namePrefix) {
			t.Errorf("%q: the dump is not what redis holds", name)
		}
		for _, part := range []string{person, company, "authorize", "permit", "words"} {
			if strings.Contains(name, part) || bytes.Contains(stored(t, server, name), []byte(part)) {
				t.Errorf("%q stands in %q", part, name)
			}
		}
	}
}

// Whatever anybody does in Redis (moves values, copies, alters, cuts, puts back older
// ones) what is given for a key is one of the values once put under that very key, or
// nothing.
func TestOnlyWhatWasPut(t *testing.T) {
	s, server := single(t)
	keys := []string{"", "a", "b", "ab", tuple}
	rapid.Check(t, func(r *rapid.T) {
		server.Flush()
		ours := map[string]map[string]bool{}
		var seen [][]byte // every value that ever lay in Redis
		for i := range rapid.IntRange(1, 12).Draw(r, "steps") {
			key := rapid.SampledFrom(keys).Draw(r, "key")
			name := s.remote.sealer.name(key)
			if len(seen) == 0 || rapid.Bool().Draw(r, "put") {
				value := fmt.Sprint("value ", i)
				s.keep(t, key, value)
				if ours[key] == nil {
					ours[key] = map[string]bool{}
				}
				ours[key][value] = true
				seen = append(seen, stored(t, server, name))
			} else {
				plant(t, server, name, lie(r, seen))
			}
			for _, key := range keys {
				if got, found := s.Redis(ctx, key); found && !ours[key][got] {
					r.Fatalf("%q gives %q, which was never put there", key, got)
				}
			}
		}
	})
}

// lie makes something of what was seen, or of nothing.
func lie(r *rapid.T, seen [][]byte) []byte {
	value := bytes.Clone(rapid.SampledFrom(seen).Draw(r, "seen"))
	at := rapid.IntRange(0, len(value)-1).Draw(r, "at")
	switch rapid.IntRange(0, 4).Draw(r, "lie") {
	case 0:
		return value // an older one, or another key's
	case 1:
		value[at] ^= 1 << rapid.IntRange(0, 7).Draw(r, "bit")
		return value
	case 2:
		return value[:at]
	case 3: // the head of one and the tail of another
		other := rapid.SampledFrom(seen).Draw(r, "other")
		return append(value[:at], other[min(at, len(other)):]...)
	}
	return rapid.SliceOf(rapid.Byte()).Draw(r, "bytes")
}
