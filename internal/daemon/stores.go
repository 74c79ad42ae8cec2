package daemon

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/mandated/mandated/internal/cache"
	"github.com/mandated/mandated/internal/guard"
	"github.com/mandated/mandated/internal/loopback"
	"github.com/mandated/mandated/internal/postgres"
	"github.com/mandated/mandated/pkg/freshness"
	"github.com/mandated/mandated/pkg/pdp"
	"github.com/mandated/mandated/pkg/register"
)

// guardInRedis is the word for a replay guard in Redis.
const guardInRedis = "redis"

// checkStores names what contradicts itself about where things are kept.
func (c *Config) checkStores(must func(ok bool, format string, args ...any)) {
	must(c.Register != "", "register: it needs a place, a file or a database")
	must(c.Journal != "", "journal: it needs a place, a file or a database")
	must(c.Checkpoints != "", "checkpoints: they need a file, which proves what the journal alone cannot")
	must(c.Guard != "", "guard: it needs a place, a file or a database, or the word redis")
	must(c.Standby == "" || postgres.IsPlace(c.Standby) && postgres.IsPlace(c.Register),
		"standby: only a register in PostgreSQL can have one")
	must(c.Guard != guardInRedis || len(c.Redis.Addresses) > 0, "guard: redis is not configured")
	must(!postgres.IsPlace(c.Register) || postgres.IsPlace(c.Guard) || c.Guard == guardInRedis,
		"guard: nodes that share a register must share their memory of messages: name its database, or redis")
	must(c.Redis.Master == "" || !c.Redis.Cluster, "redis: there are either sentinels (master) or a cluster")
	must(c.Redis.SentinelUser == "" || c.Redis.SentinelPasswordFile != "" && c.Redis.Master != "",
		"redis.sentinel_user: without sentinel_password_file and sentinels (master) it is shown to nobody")
	must(c.Redis.Database == 0 || !c.Redis.Cluster, "redis: a cluster has only database 0")
	must((c.Redis.Certificate != "") == (c.Redis.Key != ""), "redis: certificate and key go together")
	must(c.Redis.Certificate == "" || c.Redis.CA != "", "redis: a certificate is only shown over TLS: name the ca")
	for _, address := range c.Redis.Addresses {
		host, _, err := net.SplitHostPort(address)
		must(err == nil, "redis: %q is not a host and port", address)
		must(loopback.Is(host) || c.Redis.CA != "" || c.Network == "test", "redis: %s is another machine, so TLS is needed: name the ca", address)
	}
}

// OpenRegister opens the register that a configuration names, and makes sure it is the
// register of that name.
func OpenRegister(ctx context.Context, c Config, now func() time.Time) (*register.Register, error) {
	return c.openRegister(ctx, c.Register, register.Options{Now: now})
}

// LookIntoRegister opens it for reading only.
func LookIntoRegister(ctx context.Context, c Config, now func() time.Time) (*register.Register, error) {
	return c.openRegister(ctx, c.Register, register.Options{Now: now, ReadOnly: true})
}

func (c *Config) openRegister(ctx context.Context, place string, o register.Options) (*register.Register, error) {
	shown := postgres.Shown(c.Path(place))
	o.Connections = c.Connections
	r, err := register.Open(ctx, c.Path(place), o)
	if errors.Is(err, register.ErrMissing) {
		return nil, fmt.Errorf("there is no register yet at %s: make one with \"mandated register create\" (%w)", shown, err)
	}
	if err != nil {
		return nil, fmt.Errorf("opening the register: %w", err)
	}
	if r.EntityID() != c.EntityID() {
		_ = r.Close()
		return nil, fmt.Errorf("%s is the register of %s, and the configuration says %s", shown, r.EntityID(), c.EntityID())
	}
	return r, nil
}

// connectRedis prepares a client; it connects when it is used.
func (c *Config) connectRedis(o cache.ConnectOptions) (redis.UniversalClient, error) {
	var err error
	r := c.Redis
	o.Addresses, o.Master, o.Cluster, o.Database = r.Addresses, r.Master, r.Cluster, r.Database
	o.Username, o.SentinelUsername = r.User, r.SentinelUser
	if o.Password, err = c.secret(r.PasswordFile); err != nil {
		return nil, fmt.Errorf("redis: %w", err)
	}
	if o.SentinelPassword, err = c.secret(r.SentinelPasswordFile); err != nil {
		return nil, fmt.Errorf("redis: %w", err)
	}
	if o.TLS, err = c.redisTLS(); err != nil {
		return nil, fmt.Errorf("redis: %w", err)
	}
	return cache.Connect(o), nil
}

// secret reads a file that holds one secret; "" has none.
func (c *Config) secret(file string) (string, error) {
	if file == "" {
		return "", nil
	}
	text, err := readSecret("password", c.Path(file))
	return strings.TrimRight(string(text), "\r\n"), err
}

func (c *Config) redisTLS() (*tls.Config, error) {
	if c.Redis.CA == "" {
		return nil, nil
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if c.Redis.CA != "system" {
		var err error
		if config.RootCAs, err = c.pool(c.Redis.CA); err != nil {
			return nil, err
		}
	}
	if c.Redis.Certificate != "" {
		pair, err := readPair(c.Path(c.Redis.Certificate), c.Path(c.Redis.Key))
		if err != nil {
			return nil, err
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return config, nil
}

// pool reads a file of certificates that are trusted to sign others.
func (c *Config) pool(file string) (*x509.CertPool, error) {
	certificates, err := ReadCertificates(c.Path(file))
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	for _, certificate := range certificates {
		pool.AddCert(certificate)
	}
	return pool, nil
}

// readPair reads a certificate and its key of any kind, which only its owner can read.
func readPair(certificateFile, keyFile string) (tls.Certificate, error) {
	key, err := readSecret("key", keyFile)
	if err != nil {
		return tls.Certificate{}, err
	}
	certificate, err := os.ReadFile(certificateFile)
	if err != nil {
		return tls.Certificate{}, err
	}
	return tls.X509KeyPair(certificate, key)
}

// CheckRedis reads the passwords and keys for Redis as the daemon would, and says which
// are not good. It connects to nothing.
func (c *Config) CheckRedis() error {
	_, password := c.secret(c.Redis.PasswordFile)
	_, sentinels := c.secret(c.Redis.SentinelPasswordFile)
	_, keys := c.redisTLS()
	if err := errors.Join(password, sentinels, keys); err != nil {
		return fmt.Errorf("redis: %w", err)
	}
	return nil
}

// openGuard opens the replay guard where the configuration says.
func (d *Daemon) openGuard(ctx context.Context) error {
	if d.config.Guard != guardInRedis {
		var err error
		d.guard, err = guard.Open(ctx, d.config.Path(d.config.Guard), d.now)
		return err
	}
	// A message is refused if it cannot be remembered, so this client waits for a Redis
	// that fails over, where the cache's does without.
	client, err := d.config.connectRedis(cache.ConnectOptions{Dial: time.Second, Timeout: time.Second, Retries: -1})
	if err != nil {
		return err
	}
	d.clients = append(d.clients, client)
	d.guardRedis = client
	d.guard, err = guard.OpenRedis(client, d.register.Key("guard"), d.now)
	return err
}

// refreshGuard looks whether the replay guard's Redis is fit to be one, and still is: it
// may have been away the last time, or be another since a fail-over. One that forgets what
// it was told would let copies of messages pass. One that is away only refuses them.
func (d *Daemon) refreshGuard(ctx context.Context) error {
	warning, err := guard.CheckRedis(ctx, d.guardRedis)
	switch {
	case warning != "":
		d.log.Warn("replay guard in Redis", "note", warning)
	case errors.Is(err, guard.ErrUnreachable):
		d.log.Warn("the replay guard's Redis could not be looked at: it is again at the next refresh", "cause", err)
		return nil
	}
	return err
}

// openHot begins to keep hot decisions, and to follow the register for them.
func (d *Daemon) openHot(ctx context.Context) error {
	options := cache.Options{
		Memory: int64(d.config.Memory) << 20, Secret: d.register.Key("hot decisions"),
		Now: d.now, Metrics: d.metrics, Log: d.log,
	}
	if len(d.config.Redis.Addresses) > 0 {
		client, err := d.config.connectRedis(cache.ConnectOptions{})
		if err != nil {
			return err
		}
		d.clients = append(d.clients, client)
		options.Redis = client
	}
	d.hot = cache.New(cache.Codec[*pdp.Finding]{
		Encode: (*pdp.Finding).Encode, Decode: pdp.DecodeFinding, Size: (*pdp.Finding).Size,
	}, options)
	d.follower = freshness.New(d.register, d.register.Lease(), freshness.Machine)
	d.metrics.MustRegister(d.follower)
	return d.follower.Poll(ctx)
}

// standbyOpening is how long a standby may take to be opened.
const standbyOpening = 3 * time.Second

// openStandby opens the standby if there is to be one that is not open yet. Nothing
// depends on it: one that is away, or has not replayed enough to be a register of ours, is
// tried again at the next refresh. One of another register is a mistake.
func (d *Daemon) openStandby(ctx context.Context) error {
	if d.config.Standby == "" || d.reader.standby.Load() != nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, standbyOpening)
	defer cancel()
	standby, err := d.config.openRegister(ctx, d.config.Standby, register.Options{Now: d.now, Standby: true})
	switch {
	case notYet(err):
		d.log.Warn("going on without the standby: it is tried again at the next refresh", "cause", err)
		return nil
	case err != nil:
		return fmt.Errorf("opening the standby: %w", err)
	}
	d.reader.standby.Store(standby)
	d.log.Info("the standby is open")
	return nil
}

// notYet tells whether a standby that could not be opened may be there later.
func notYet(err error) bool {
	return slices.ContainsFunc([]error{
		postgres.ErrUnreachable, postgres.ErrBusy, register.ErrBusy, register.ErrMissing, register.ErrOlderSchema,
		context.DeadlineExceeded,
	}, func(passing error) bool { return errors.Is(err, passing) })
}
