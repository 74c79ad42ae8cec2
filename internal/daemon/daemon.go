// Package daemon turns a configuration into a running daemon. It is the one place where
// the rooms are joined: register, journal, guard, decision point and server meet here and
// nowhere else.
//
// It owns the configuration, keys, the loading and reloading of files, listeners and the
// order of starting and stopping. It has no rules: who may act is none of its business.
package daemon

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/redis/go-redis/v9"
	"go.opentelemetry.io/otel/trace"

	"github.com/mandated/mandated/internal/cache"
	"github.com/mandated/mandated/internal/desk"
	"github.com/mandated/mandated/internal/guard"
	"github.com/mandated/mandated/internal/journal"
	"github.com/mandated/mandated/internal/notices"
	"github.com/mandated/mandated/internal/quiet"
	"github.com/mandated/mandated/internal/server"
	"github.com/mandated/mandated/internal/signin"
	"github.com/mandated/mandated/internal/tracing"
	"github.com/mandated/mandated/pkg/freshness"
	"github.com/mandated/mandated/pkg/pdp"
	"github.com/mandated/mandated/pkg/register"
	"github.com/mandated/mandated/pkg/saml"
)

// Options are what a configuration file has no say in.
type Options struct {
	Dev bool // development keys may be used
	Log *slog.Logger
	Now func() time.Time // nil: time.Now

	// Listeners that are open already; nil: the daemon opens those that the configuration says.
	Public, Browser, Operations, API, Pages net.Listener
}

// Daemon is a running daemon.
type Daemon struct {
	config Config
	dev    bool
	log    *slog.Logger
	now    func() time.Time

	register   *register.Register
	reader     *reader // of it, for questions
	journal    *journal.Journal
	guard      *guard.Guard
	guardRedis redis.UniversalClient // that the guard is in; nil: it is elsewhere
	hot        *cache.Cache[*pdp.Finding]
	follower   *freshness.Follower
	catalogues *catalogues
	pdp        *pdp.PDP
	post       *notices.Post // nil: not configured
	terms      desk.Terms
	tracing    *tracing.Tracing // nil: not configured
	clients    []redis.UniversalClient

	// Only refresh touches these two.
	current Config // as it was last read; config is what the daemon was started with
	good    good   // what was last read without a fault

	asRead atomic.Pointer[Config] // current, for everybody else

	pair, browserPair, apiPair, pagesPair atomic.Pointer[tls.Certificate]
	fetcher                               *fetcher
	discovery                             *server.Discovery

	peers    peers
	reading  sync.Mutex // of an edition that staff look at
	tally    tally      // of decisions, for them
	state    atomic.Pointer[server.State]
	signIn   atomic.Pointer[signin.Door] // to the pages where mandates are managed
	watch    *watch
	engines  *engines
	metrics  *prometheus.Registry
	stopping atomic.Bool

	public, browser, operations            *http.Server // browser is nil where no browser may come
	listener, browserListener, opsListener net.Listener
	managers                               []*http.Server // for those who manage mandates
	reloads                                chan chan error
	refreshed                              chan struct{} // closed when nobody hears reloads any more

	stopWork context.CancelFunc // of everything that goes on by itself
	work     sync.WaitGroup
}

// Start starts a daemon. When it returns without an error, both listeners answer. What
// cannot be read is an error here; later it only keeps the last good version in use.
func Start(ctx context.Context, c Config, o Options) (*Daemon, error) {
	d := newDaemon(c, o)
	var err error
	if d.terms, err = c.Manage.terms(); err != nil {
		return nil, err
	}
	if err := d.trace(); err != nil {
		return nil, err
	}
	if err := d.open(ctx); err != nil {
		return nil, d.abandon(err)
	}
	if err := d.listen(o); err != nil {
		return nil, d.abandon(err)
	}
	d.begin()
	return d, nil
}

// newDaemon is one that has opened and read nothing yet.
func newDaemon(c Config, o Options) *Daemon {
	if o.Now == nil {
		o.Now = time.Now
	}
	d := &Daemon{
		config: c, current: c, dev: o.Dev, log: slog.New(quiet.New(o.Log.Handler())), now: o.Now, metrics: prometheus.NewRegistry(),
		reloads: make(chan chan error), refreshed: make(chan struct{}),
	}
	d.asRead.Store(&c)
	d.metrics.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	d.watch, d.engines, d.fetcher = newWatch(d.metrics, d.now), newEngines(d.metrics, d.log), newFetcher(d)
	d.discovery = &server.Discovery{
		Self: c.EntityID(), State: d.state.Load, Fetcher: d.fetcher, Now: d.now, Patience: time.Duration(c.Chain.Discovery),
	}
	return d
}

// abandon closes what was opened before something stood in the way of starting.
func (d *Daemon) abandon(err error) error {
	_ = d.closeStores()
	if d.tracing != nil {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = d.tracing.Shutdown(ctx)
	}
	return err
}

// trace opens the way to the collector, if there is one.
func (d *Daemon) trace() (err error) {
	if d.config.Tracing.Endpoint == "" {
		return nil
	}
	d.tracing, err = tracing.Start(d.config.tracing(d.log))
	return err
}

// begin starts everything that goes on by itself.
func (d *Daemon) begin() {
	working, stop := context.WithCancel(context.Background())
	d.stopWork = stop
	d.work.Go(func() { d.refreshing(working) })
	d.work.Go(func() { d.follower.Follow(working, d.followed()) })
	d.work.Go(func() { d.sweeping(working) })
	if d.post != nil {
		d.work.Go(func() { d.post.Run(working, postEvery) })
	}
	if every := time.Duration(d.config.Canary); every > 0 {
		d.work.Go(func() { newCanary(d).sing(working, every) })
	}
}

// followed tells the log when the register can no longer be followed, and when it can
// again.
func (d *Daemon) followed() func(error) {
	lost := false
	return func(err error) {
		switch {
		case err != nil && !lost:
			d.log.Error("the register cannot be followed: hot decisions are not used after the lease", "cause", err)
		case err == nil && lost:
			d.log.Info("the register is followed again")
		}
		lost = err != nil
	}
}

// open opens the stores and reads all files.
func (d *Daemon) open(ctx context.Context) (err error) {
	signing, err := d.config.loadSigning(d.dev, d.engines.alarm)
	if err != nil {
		return fmt.Errorf("reading signing keys: %w", err)
	}
	if d.register, err = OpenRegister(ctx, d.config, d.now); err != nil {
		return err
	}
	if d.journal, err = journal.Open(ctx, d.config.Path(d.config.Journal), journal.Options{
		Signer: activeSigner{d, signing[0].key}, Checkpoints: d.config.Path(d.config.Checkpoints), Now: d.now, Log: d.log, Metrics: d.metrics,
		Used: pdp.Used,
	}); err != nil {
		return fmt.Errorf("opening the journal: %w", err)
	}
	if err := d.openGuard(ctx); err != nil {
		return fmt.Errorf("opening the replay guard: %w", err)
	}
	if err := d.openHot(ctx); err != nil {
		return fmt.Errorf("preparing hot decisions: %w", err)
	}
	d.catalogues = newCatalogues(d.now)
	d.reader = newReader(d.register, d.catalogues, d.follower, d.metrics, d.log)
	config := d.config.decisionPoint(d.reader, d.register.Key("journal"), d.catalogues, watchedJournal{d.journal, d.watch}, d.now)
	config.Hot, config.Freshness = d.hot, d.follower
	d.pdp = pdp.New(config)
	if err := d.openPost(); err != nil {
		return fmt.Errorf("preparing mail: %w", err)
	}
	if err := d.openStandby(ctx); err != nil {
		return err
	}
	if err := d.refresh(ctx); err != nil {
		return d.tolerate(ctx, err)
	}
	return nil
}

// tolerate decides whether the daemon can start although something is wrong. It can without
// a participant whose metadata have expired: he is refused, and readiness tells; and if that
// is the broker of our own pages, nobody logs in there. It can
// without a readable catalogue if the register has kept an earlier version. Anything else
// somebody has just configured wrong, and had better hear at once.
func (d *Daemon) tolerate(ctx context.Context, problem error) error {
	for _, source := range []string{"configuration", "keys", "guard redis"} {
		if d.watch.problem(source) != nil {
			return problem
		}
	}
	if err := d.watch.problem("log-in to pages"); err != nil && !errors.Is(err, signin.ErrNoBroker) {
		return problem
	}
	if !expiredOnly(d.watch.problem("metadata")) {
		return problem
	}
	if d.watch.problem("catalogue") == nil {
		return nil
	}
	var kept int64
	err := d.register.Read(ctx, func(s *register.Snapshot) error {
		kept = s.CatalogueSequence()
		return nil
	})
	if err != nil || kept == 0 {
		return errors.Join(problem, err)
	}
	d.log.Error("starting with the service catalogue that the register has kept", "sequence", kept, "cause", problem)
	return nil
}

// expiredOnly tells whether nothing is wrong but metadata that have expired.
func expiredOnly(err error) bool {
	if err == nil {
		return true
	}
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return errors.Is(err, saml.ErrExpired)
	}
	for _, one := range joined.Unwrap() {
		if !errors.Is(one, saml.ErrExpired) {
			return false
		}
	}
	return true
}

// Explainer joins a decision point that explains and replays, but records nothing.
func Explainer(c Config, r pdp.Register, key []byte, now func() time.Time) pdp.Config {
	return c.decisionPoint(r, key, newCatalogues(now), nil, now)
}

func (c *Config) decisionPoint(r pdp.Register, key []byte, catalogues pdp.Catalogues, j pdp.Journal, now func() time.Time) pdp.Config {
	config := pdp.Config{
		Register: r, Catalogues: catalogues, Journal: j, Now: now,
		Key: key, TestNetwork: c.Network == "test", Certified: c.certified(),
	}
	if c.Chain.SameRegister == "confirm" {
		config.ConfirmHere = c.EntityID()
	}
	config.OwnElsewhere = c.Chain.Elsewhere == "mandated"
	return config
}

// listen opens both listeners and serves on them.
func (d *Daemon) listen(o Options) (err error) {
	var tracer trace.Tracer
	if d.tracing != nil {
		tracer = d.tracing.Tracer()
	}
	var discover func(context.Context, saml.ChainFilter) server.Discovered
	if d.config.Chain.Elsewhere == "mandated" {
		forUsers := *d.discovery
		forUsers.Most = server.MostFound
		discover = forUsers.Discover
	}
	s := server.New(server.Config{
		Tracer: tracer, Discover: discover,
		Self: d.config.EntityID(), State: d.state.Load, Decider: d.pdp, Register: d.register, Guard: watchedGuard{d.guard, d.watch}, Replayed: guard.ErrReplayed, Absent: guard.ErrNotFound,
		Metrics: server.NewMetrics(d.metrics), Log: d.log, Now: d.now,
		PseudonymKey: d.register.Key("pseudonym"), SealingKey: d.register.Key("sealing"), Work: d.config.Work,
		Fetcher: d.fetcher, Visit: time.Duration(d.config.Browser.Visit),
	})
	if d.listener, err = open(o.Public, d.config.Listen); err != nil {
		return fmt.Errorf("listening: %w", err)
	}
	d.listener = limit(d.listener, maxConnections)
	if d.opsListener, err = open(o.Operations, d.config.Operations); err != nil {
		_ = d.listener.Close()
		return fmt.Errorf("listening for operators: %w", err)
	}
	if err := d.listenForBrowsers(o.Browser, s); err != nil {
		return errors.Join(err, d.listener.Close(), d.opsListener.Close())
	}
	if err := d.listenForManagers(o); err != nil {
		return errors.Join(err, d.closeDoors(), d.listener.Close(), d.opsListener.Close())
	}
	d.public = patient(s.Handler(), d.log)
	d.operations = patient(server.Operations(d.problems, d.metrics), d.log)
	serve := d.public.Serve
	if d.config.TLS.Certificate != "" {
		d.public.TLSConfig = d.tls()
		serve = func(l net.Listener) error { return d.public.ServeTLS(l, "", "") }
	}
	go d.serving("public", serve, d.listener)
	go d.serving("operations", d.operations.Serve, d.opsListener)
	return nil
}

func open(listener net.Listener, address string) (net.Listener, error) {
	if listener != nil {
		return listener, nil
	}
	return net.Listen("tcp", address)
}

// listenForBrowsers opens the door for users' browsers, where there is one.
func (d *Daemon) listenForBrowsers(l net.Listener, s *server.Server) (err error) {
	if d.config.Browser.Listen == "" {
		return nil
	}
	if d.browserListener, err = open(l, d.config.Browser.Listen); err != nil {
		return fmt.Errorf("listening for browsers: %w", err)
	}
	d.browserListener = limit(share(d.browserListener, d.config.Browser.PerAddress), maxBrowsers)
	d.browser = brisk(s.BrowserHandler(), d.log)
	serve := d.browser.Serve
	if d.config.Browser.TLS.Certificate != "" {
		d.browser.TLSConfig = &tls.Config{
			MinVersion:     tls.VersionTLS12,
			GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return d.browserPair.Load(), nil },
		}
		serve = func(l net.Listener) error { return d.browser.ServeTLS(l, "", "") }
	}
	go d.serving("browser", serve, d.browserListener)
	return nil
}

// closeDoors closes the doors that were opened, where another could not be.
func (d *Daemon) closeDoors() (err error) {
	if d.browser != nil {
		err = d.browser.Close()
	}
	for _, s := range d.managers {
		err = errors.Join(err, s.Close())
	}
	return err
}

// patient is an HTTP server with an end to everything.
func patient(h http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler: h, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second,
		WriteTimeout: 30 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 16 << 10,
		HTTP2:    &http.HTTP2Config{MaxConcurrentStreams: 32},       // one connection is one client
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug), // strangers' handshakes; what is ours is logged where it happens
	}
}

// brisk is a patient server for browsers. They keep a connection for as long as they may, and
// a visitor comes once: his place is for the next one soon.
func brisk(h http.Handler, log *slog.Logger) *http.Server {
	s := patient(h, log)
	s.IdleTimeout = 10 * time.Second
	return s
}

// tls asks every client for a certificate. Which ones are good depends on the sender of
// the message, so the server compares; here the client only proves that it has the key.
// Our own pair is the one that was last read without a fault, so that a renewed one needs
// no restart.
func (d *Daemon) tls() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12, ClientAuth: tls.RequireAnyClientCert,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return d.pair.Load(), nil },
	}
}

func (d *Daemon) serving(name string, serve func(net.Listener) error, l net.Listener) {
	if err := serve(l); !errors.Is(err, http.ErrServerClosed) {
		d.watch.set(name+" listener", err)
		d.log.Error("listener ended", "listener", name, "cause", err)
	}
}

// problems is what stands in the way of answering. The register only does when it can
// neither be followed nor read.
func (d *Daemon) problems() []error {
	d.watch.forgive("journal", "guard")
	list := d.watch.list()
	if d.stopping.Load() {
		list = append(list, errors.New("stopping"))
	}
	if err := d.follower.Clock(); err != nil {
		list = append(list, fmt.Errorf("clock: %w", err))
	}
	if err := d.journal.Healthy(); err != nil {
		list = append(list, fmt.Errorf("checkpoints: %w", err))
	}
	if _, confirmed := d.follower.Confirmed(); confirmed {
		return list
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if err := d.register.Read(ctx, func(*register.Snapshot) error { return nil }); err != nil {
		list = append(list, fmt.Errorf("register: %w", err))
	}
	return list
}

// refreshing looks at the files now and then, and whenever Reload asks.
func (d *Daemon) refreshing(ctx context.Context) {
	defer close(d.refreshed)
	ticker := time.NewTicker(time.Duration(d.config.Refresh))
	defer ticker.Stop()
	for {
		var asked chan error
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		case asked = <-d.reloads:
		}
		err := errors.Join(d.refresh(ctx), d.openStandby(ctx))
		if err != nil {
			d.log.Error("refresh: the last good version stays in use", "cause", err)
		}
		if asked != nil {
			asked <- err
		}
	}
}

// Reload looks at keys, metadata and catalogue again, without dropping a request. An
// error tells what is wrong; the last good version stays in use.
func (d *Daemon) Reload() error {
	answer := make(chan error, 1)
	select {
	case d.reloads <- answer:
		return <-answer
	case <-d.refreshed:
		return errors.New("the daemon has stopped")
	}
}

// Stop turns readiness off, lets requests under way end, signs a last checkpoint and
// closes everything. The door for browsers is closed first: whoever is under way there is
// sent back to a broker that comes to the other for the answer. ctx bounds how long requests
// may take to end and the last spans to be sent; each door has its share of that. What the
// stores then still have to do takes its own time, since it would be lost otherwise: with
// healthy ones a moment, with ones that are lost two minutes at most.
func (d *Daemon) Stop(ctx context.Context) error {
	d.stopping.Store(true)
	var err error
	if d.browser != nil {
		err = shut(ctx, d.browser, 3)
	}
	for _, s := range d.managers {
		err = errors.Join(err, shut(ctx, s, 3))
	}
	err = errors.Join(err, shut(ctx, d.public, 2))
	d.stopWork()
	d.work.Wait()
	d.fetcher.close()
	err = errors.Join(err, d.operations.Shutdown(ctx), d.closeStores())
	if d.tracing != nil {
		err = errors.Join(err, d.tracing.Shutdown(ctx))
	}
	return err
}

// shut lets requests under way end, for one part in so many of the time that is left.
func shut(ctx context.Context, s *http.Server, parts time.Duration) error {
	if end, bounded := ctx.Deadline(); bounded {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Until(end)/parts)
		defer cancel()
	}
	return s.Shutdown(ctx)
}

func (d *Daemon) closeStores() error {
	var errs []error
	if d.guard != nil {
		errs = append(errs, d.guard.Close())
	}
	if d.journal != nil {
		errs = append(errs, d.journal.Close())
	}
	if d.hot != nil {
		d.hot.Close()
	}
	for _, client := range d.clients {
		errs = append(errs, client.Close())
	}
	if d.reader != nil {
		errs = append(errs, d.reader.close())
	}
	if d.register != nil {
		errs = append(errs, d.register.Close())
	}
	return errors.Join(errs...)
}

// QueryAddress is where queries are answered, with the port that was really opened.
func (d *Daemon) QueryAddress() string { return d.base() + server.PathQuery }

// BrowserAddress is where browsers bring artifacts of queries, with the port that was really
// opened; "" when they do not.
func (d *Daemon) BrowserAddress() string {
	if d.browser == nil {
		return ""
	}
	scheme := "http://"
	if d.config.Browser.TLS.Certificate != "" {
		scheme = "https://"
	}
	return scheme + d.browserListener.Addr().String() + server.PathBrowser
}

// MetadataAddress is where our metadata are.
func (d *Daemon) MetadataAddress() string { return d.base() + server.PathMetadata }

func (d *Daemon) base() string {
	scheme := "http://"
	if d.config.TLS.Certificate != "" {
		scheme = "https://"
	}
	return scheme + d.listener.Addr().String()
}

// Handler is what the public listener serves, for those who ask in process.
func (d *Daemon) Handler() http.Handler { return d.public.Handler }

// OperationsAddress is where operators look.
func (d *Daemon) OperationsAddress() string { return "http://" + d.opsListener.Addr().String() }

// Register is the register the daemon works on, for those who start one in process.
func (d *Daemon) Register() *register.Register { return d.register }

// CatchUp lets the daemon hear now of every change that was acknowledged before. It would by
// itself within a lease, and until then may say no again to what has just been granted.
func (d *Daemon) CatchUp(ctx context.Context) error { return d.follower.Poll(ctx) }
