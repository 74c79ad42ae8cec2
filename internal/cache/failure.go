package cache

import (
	"context"
	"errors"
	"net"
	"strings"

	"github.com/redis/go-redis/v9"
)

// failure is why a call to Redis failed.
type failure string

const (
	failTimeout    failure = "timeout"
	failAuth       failure = "auth"     // wrong password, or a user without the right
	failReadonly   failure = "readonly" // a replica, as after a fail-over
	failFull       failure = "full"     // no memory left
	failLoading    failure = "loading"  // starting up
	failCluster    failure = "cluster"  // slots without a master, or elsewhere
	failConnection failure = "connection"
	failOther      failure = "other"
)

// failureOf sorts an error. A timeout while connecting is a timeout.
func failureOf(err error) failure {
	var network net.Error
	switch {
	case redis.IsAuthError(err), redis.IsPermissionError(err):
		return failAuth
	case redis.IsReadOnlyError(err):
		return failReadonly
	case redis.IsOOMError(err):
		return failFull
	case redis.IsLoadingError(err):
		return failLoading
	case outOfPlace(err):
		return failCluster
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, redis.ErrPoolTimeout),
		errors.As(err, &network) && network.Timeout():
		return failTimeout
	case isAnswer(err) && !redis.IsMaxClientsError(err):
		return failOther
	}
	return failConnection
}

// outOfPlace says whether a node was asked for what it does not serve, or nobody
// knows which does.
func outOfPlace(err error) bool {
	_, moved := redis.IsMovedError(err)
	_, asked := redis.IsAskError(err)
	return moved || asked || redis.IsClusterDownError(err) || redis.IsTryAgainError(err) || redis.IsMasterDownError(err) ||
		redis.HasErrorPrefix(err, "This instance has cluster support disabled") || strings.HasSuffix(err.Error(), "cluster has no nodes")
}

// isAnswer says whether the error is what a Redis has said, and not what befell the
// connection to it.
func isAnswer(err error) bool {
	var answer redis.Error
	return errors.As(err, &answer)
}
