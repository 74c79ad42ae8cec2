package guard

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/mandated/mandated/internal/group"
)

// redisStore is a guard in a Redis: single, behind sentinels, or a cluster. Each thing is
// one key, which expires by itself.
type redisStore struct {
	client redis.UniversalClient
	secret []byte
	now    func() time.Time
}

// OpenRedis makes a guard of a Redis; see [CheckRedis] for what that must be. The client
// stays its owner's. It should give up a call soon, since the guard asks again, and must
// ask masters only. The secret, 32 bytes or more, is the same for all nodes: from it the
// names of keys are made. A nil now means time.Now.
func OpenRedis(client redis.UniversalClient, secret []byte, now func() time.Time) (*Guard, error) {
	if len(secret) < 32 {
		return nil, errors.New("opening replay guard: the secret must have at least 32 bytes")
	}
	if now == nil {
		now = time.Now
	}
	return &Guard{&redisStore{client, secret, now}}, nil
}

// name is the key in Redis. Without the secret nobody can tell whether it is that of a
// message he has in mind.
func (r *redisStore) name(kind string, key []byte) string {
	mac := hmac.New(sha256.New, r.secret)
	mac.Write([]byte("mandated:" + kind + ":"))
	mac.Write(key)
	return "mandated:" + kind + ":" + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

func (r *redisStore) admit(ctx context.Context, m *message) error {
	return r.claim(ctx, r.name("guard", m.key), m.token, m.until, ErrReplayed)
}

func (r *redisStore) keep(ctx context.Context, v *value) error {
	return r.claim(ctx, r.name("kept", v.key), v.stored(), v.until, ErrExists)
}

func (r *redisStore) replace(ctx context.Context, v *value) error {
	return r.patiently(ctx, func(ctx context.Context) error {
		left := time.Duration(v.until-r.now().UnixMilli()) * time.Millisecond
		if left < 0 {
			return ErrLate
		}
		return r.client.Set(ctx, r.name("kept", v.key), v.stored(), left+skew).Err()
	})
}

// stored is a value as it lies in Redis.
func (v *value) stored() []byte {
	return append(binary.BigEndian.AppendUint64(bytes.Clone(v.token), uint64(v.until)), v.sealed...)
}

// claim writes a key that must not be there. One that is there is our own if it holds
// what we write, which has our token in it: an earlier try was done and its answer lost.
func (r *redisStore) claim(ctx context.Context, name string, stored []byte, until int64, taken error) error {
	return r.patiently(ctx, func(ctx context.Context) error {
		left := time.Duration(until-r.now().UnixMilli()) * time.Millisecond
		if left < 0 {
			return ErrLate
		}
		written, err := r.client.SetNX(ctx, name, stored, left+skew).Result()
		if err != nil || written {
			return err
		}
		there, err := r.client.Get(ctx, name).Bytes()
		switch {
		case errors.Is(err, redis.Nil):
			return errVanished
		case err != nil || bytes.Equal(there, stored):
			return err
		}
		return taken
	})
}

// header is what stands before a value that is kept: token and moment.
const header = 16 + 8

func (r *redisStore) look(ctx context.Context, key []byte) (sealed []byte, err error) {
	err = r.patiently(ctx, func(ctx context.Context) error {
		stored, err := r.client.Get(ctx, r.name("kept", key)).Bytes()
		if errors.Is(err, redis.Nil) {
			err = ErrNotFound
		}
		if err == nil {
			sealed, err = r.open(stored)
		}
		return err
	})
	return sealed, err
}

func (r *redisStore) take(ctx context.Context, key []byte) (sealed []byte, err error) {
	var tries taking
	err = r.patiently(ctx, func(ctx context.Context) error {
		stored, err := r.client.GetDel(ctx, r.name("kept", key)).Bytes()
		if errors.Is(err, redis.Nil) {
			err = ErrNotFound
		}
		if err == nil {
			sealed, err = r.open(stored)
		}
		return tries.heard(err)
	})
	return sealed, err
}

// open takes the header off. What has expired by our clock is gone, although Redis would
// have had it for a while.
func (r *redisStore) open(stored []byte) ([]byte, error) {
	if len(stored) < header {
		return nil, errForeign
	}
	if int64(binary.BigEndian.Uint64(stored[16:])) < r.now().UnixMilli() {
		return nil, ErrNotFound
	}
	return stored[header:], nil
}

// patiently asks again while Redis is lost, starts, or hands over to another.
func (r *redisStore) patiently(ctx context.Context, ask func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return explain(group.Again(ctx, passing, func() error { return ask(ctx) }))
}

func (r *redisStore) close() error { return nil }
