package guard

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/redis/go-redis/v9"
)

// The ways in which a Redis can be unfit. The text says what to do next.
var (
	ErrUnreachable = errors.New("the replay guard's Redis cannot be reached, or was lost: see whether it runs and whether the network lets us through")
	ErrAccess      = errors.New("the replay guard's Redis does not let us in: check user, password and rights")
	ErrFull        = errors.New("the replay guard's Redis is full: give it more memory")
	ErrReadOnly    = errors.New("the replay guard's Redis cannot be written: it is a replica, or its replicas are away")
	ErrEvicts      = errors.New("the replay guard's Redis forgets when it is full: set maxmemory-policy to noeviction")
	ErrOld         = errors.New("the replay guard's Redis is too old: it must be 6.2 or later")
)

// What a Redis can do to us that is no failure of a call.
var (
	errVanished = errors.New("a key was there and is gone: Redis has lost it, and perhaps others")
	errForeign  = errors.New("something else stands under our key")
)

// meaning is our word for an error of Redis or of the way to it; nil if it is none, or
// one that we have no word for.
func meaning(err error) error {
	_, moved := redis.IsMovedError(err)
	_, asked := redis.IsAskError(err)
	var answer redis.Error
	switch {
	case err == nil, slices.ContainsFunc([]error{
		ErrLate, ErrReplayed, ErrExists, ErrNotFound, errVanished, errForeign, errGone,
	}, func(ours error) bool { return errors.Is(err, ours) }):
		return nil
	case redis.IsAuthError(err), redis.IsPermissionError(err):
		return ErrAccess
	case redis.IsOOMError(err):
		return ErrFull
	case redis.IsReadOnlyError(err), redis.IsNoReplicasError(err):
		return ErrReadOnly
	case redis.IsLoadingError(err), redis.IsClusterDownError(err), redis.IsTryAgainError(err),
		redis.IsMasterDownError(err), redis.IsMaxClientsError(err), moved, asked:
		return ErrUnreachable
	case errors.As(err, &answer), errors.Is(err, redis.ErrClosed):
		return nil
	}
	return ErrUnreachable
}

// passing tells whether Redis may answer later what it did not answer now: it was lost,
// starts, or hands over to another.
func passing(err error) bool {
	ours := meaning(err)
	return ours == ErrUnreachable || ours == ErrReadOnly
}

// explain puts our words around those of Redis, where we have any.
func explain(err error) error {
	if ours := meaning(err); ours != nil {
		return fmt.Errorf("%w (%w)", ours, err)
	}
	return err
}

// CheckRedis tells whether a Redis is fit to be a guard: one that can be asked and that
// does not forget by itself what has not expired. The warning, if any, is for the
// operator: the guard works, but a promise depends on something that he should know.
func CheckRedis(ctx context.Context, client redis.UniversalClient) (warning string, err error) {
	cluster, ok := client.(*redis.ClusterClient)
	if !ok {
		return checkMaster(ctx, client)
	}
	var mu sync.Mutex
	err = cluster.ForEachMaster(ctx, func(ctx context.Context, master *redis.Client) error {
		w, err := checkMaster(ctx, master)
		mu.Lock()
		defer mu.Unlock()
		if w != "" {
			warning = w
		}
		return err
	})
	return warning, explainOnce(err)
}

func checkMaster(ctx context.Context, master redis.Cmdable) (warning string, err error) {
	info, err := master.Info(ctx, "everything").Result()
	if redis.IsPermissionError(err) {
		return "our user of the replay guard's Redis may not ask INFO: whether it evicts and what it keeps over a restart is not known", nil
	}
	if err != nil {
		return "", explain(err)
	}
	if !recent(field(info, "redis_version")) {
		return "", ErrOld
	}
	if policy := field(info, "maxmemory_policy"); policy != "noeviction" {
		return "", fmt.Errorf("%w (it is %s)", ErrEvicts, policy)
	}
	if field(info, "aof_enabled") != "1" {
		return "the replay guard's Redis does not write what it is told to disk at once (appendonly is off): after a restart of it, copies of messages may be admitted", nil
	}
	return "", nil
}

// explainOnce leaves what checkMaster has explained as it is.
func explainOnce(err error) error {
	for _, ours := range []error{ErrUnreachable, ErrAccess, ErrFull, ErrReadOnly, ErrEvicts, ErrOld} {
		if errors.Is(err, ours) {
			return err
		}
	}
	return explain(err)
}

// field is a line of what INFO answers.
func field(info, name string) string {
	for line := range strings.Lines(info) {
		if value, ok := strings.CutPrefix(line, name+":"); ok {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// recent tells whether a version knows GETDEL.
func recent(version string) bool {
	major, rest, _ := strings.Cut(version, ".")
	minor, _, _ := strings.Cut(rest, ".")
	a, err1 := strconv.Atoi(major)
	b, err2 := strconv.Atoi(minor)
	return err1 == nil && err2 == nil && (a > 6 || a == 6 && b >= 2)
}
