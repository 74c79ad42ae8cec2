package cache

import (
	"crypto/tls"
	"runtime"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// ConnectOptions say which Redis and with how much patience. The zero value of each
// time and number suits a cache, which rather does without than waits.
type ConnectOptions struct {
	// Addresses as host:port: of the one server, of the sentinels if Master is
	// given, or of some nodes of the cluster. More than one without Master means a
	// cluster.
	Addresses []string
	Master    string // the name under which the sentinels know the master; empty: no sentinels
	Cluster   bool   // one address, and it is a cluster's

	Username, Password                 string // of an ACL user; both empty: none
	SentinelUsername, SentinelPassword string
	Database                           int         // not with a cluster, which has only 0
	TLS                                *tls.Config // nil: without

	Dial    time.Duration // for connecting, handshake of TLS included; 250 ms if zero
	Timeout time.Duration // for writing a command, and again for reading the answer; 50 ms if zero
	Retries int           // after the first attempt; 1 if zero, none if negative. A cluster's redirects count as such: at least 3 there

	Connections int // at most, to each node; 8 per processor if zero
}

// Connect gives a client for a server, for sentinels or for a cluster. It does not
// wait for any of them: connections are made when something is asked. The caller
// closes it.
//
// The library's own log is switched off, for the whole process: it writes to
// standard error, a line for each failed call, and whoever asked hears it anyway.
func Connect(o ConnectOptions) redis.UniversalClient {
	logging.Disable()
	u := o.universal()
	if o.Master != "" || len(o.Addresses) == 1 && !o.Cluster {
		return redis.NewUniversalClient(u)
	}
	cluster := u.Cluster()
	// Without it the client first asks a node for its whole list of commands, which
	// takes longer than a cache waits and a right that a user of ours need not have.
	cluster.DisableRoutingPolicies = true
	cluster.MaxRedirects = max(o.Retries, 3)
	// Nobody tells a client that a dead node's place was taken, unless a living node
	// is asked for the wrong key: it has to look by itself, in the background.
	cluster.ClusterStateReloadInterval = time.Second
	return redis.NewClusterClient(cluster)
}

func (o ConnectOptions) universal() *redis.UniversalOptions {
	o.complete()
	return &redis.UniversalOptions{
		Addrs: o.Addresses, MasterName: o.Master, IsClusterMode: o.Cluster,
		Username: o.Username, Password: o.Password,
		SentinelUsername: o.SentinelUsername, SentinelPassword: o.SentinelPassword,
		DB: o.Database, TLSConfig: o.TLS,

		DialTimeout: o.Dial, DialerRetries: 1,
		ReadTimeout: o.Timeout, WriteTimeout: o.Timeout, PoolTimeout: o.Timeout,
		ContextTimeoutEnabled: true, // a caller's deadline counts also while a socket is waited for
		MaxRetries:            o.Retries,
		MinRetryBackoff:       time.Millisecond, MaxRetryBackoff: 8 * time.Millisecond,

		PoolSize:         o.Connections,
		PipelinePoolSize: -1, // batches share the connections, or these would be no limit
		ReadBufferSize:   8 << 10, WriteBufferSize: 8 << 10,

		// What a cache asks are strings. The newer protocol, the client's name and
		// the notices of a hosted Redis would only cost rights and round trips.
		Protocol: 2, DisableIdentity: true,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	}
}

func (o *ConnectOptions) complete() {
	if o.Dial <= 0 {
		o.Dial = 250 * time.Millisecond
	}
	if o.Timeout <= 0 {
		o.Timeout = 50 * time.Millisecond
	}
	if o.Connections <= 0 {
		o.Connections = 8 * runtime.GOMAXPROCS(0)
	}
	switch {
	case o.Retries == 0:
		o.Retries = 1
	case o.Retries < 0:
		o.Retries = -1 // what the library takes for none
	}
}
