package daemon

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/mandated/mandated/internal/loopback"
	"github.com/mandated/mandated/internal/mail"
	"github.com/mandated/mandated/internal/postgres"
	"github.com/mandated/mandated/internal/server"
	"github.com/mandated/mandated/internal/tracing"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/saml"
	"github.com/mandated/mandated/pkg/xmlsec"
)

// Config is everything an operator can set, and the manual of each key. It is read from
// one YAML file; every key that holds a single value can be overridden by an environment
// variable: MANDATED_ and the path of the key in capitals, as in MANDATED_TLS_KEY. Unknown
// keys are refused. Paths are relative to the folder of the file.
type Config struct {
	// Entity is the register's own name in the network. It is fixed when the register
	// is created. Required.
	Entity string `yaml:"entity"`

	// Network is test or production. On a test network services that are not public may
	// be used, and only EntityIDs of test systems (index 9000 and up) belong there.
	// Default: production.
	Network string `yaml:"network"`

	// Address is where others reach us: scheme, host and port, and nothing else. What stands
	// in the Destination of a query must begin with it. It is https:// unless the host is
	// this machine. Required.
	Address string `yaml:"address"`

	// Listen is the address and port of the public listener. Without tls it must be on
	// loopback, for tests or behind nothing at all. Default: 127.0.0.1:8443.
	Listen string `yaml:"listen"`

	// Operations is the address and port of /healthz, /readyz and /metrics. Strangers
	// must not reach it. Default: 127.0.0.1:9443.
	Operations string `yaml:"operations"`

	// Register is where the mandates are: a file on a local disk, or a PostgreSQL database
	// for several nodes, as postgres://user@host/database?passfile=FILE (a password never
	// stands in the address itself). Made by "mandated register create". Default: register.db.
	Register string `yaml:"register"`

	// Standby is a streaming standby of that database. Questions are read from it while it
	// is known to be up to date, and from Register otherwise. The daemon starts and answers
	// without it, and takes it up at a refresh once it is there. Default: none.
	Standby string `yaml:"standby"`

	// Journal is where the record of every decision goes: a file, or a PostgreSQL database,
	// which may be the register's. Checkpoints is the file to which signed checkpoints of it
	// are also written: keep that one somewhere else. Defaults: journal.db, checkpoints.jsonl.
	Journal     string `yaml:"journal"`
	Checkpoints string `yaml:"checkpoints"`

	// Retention is for how many years "mandated journal retire" keeps records. Default: 7,
	// which is what the scheme asks.
	Retention int `yaml:"retention"`

	// Guard remembers which messages were seen, so that none is answered twice: a file, a
	// PostgreSQL database, or the word redis. Nodes that stand side by side share it. What
	// Redis was told last may be lost when it fails over; one that evicts (maxmemory-policy
	// other than noeviction) is refused. Default: guard.db.
	Guard string `yaml:"guard"`

	// Redis is shared by the nodes of a register. It keeps hot decisions, and is never
	// believed: without it, and whatever it says, answers are the same, only slower.
	Redis Redis `yaml:"redis"`

	// Memory is how many MiB of hot decisions a node keeps itself. 0: none. Default: 64.
	Memory int `yaml:"memory"`

	// Lease is how long a node may rely on what it last saw of the register: a revocation
	// is acknowledged when it has passed. It is fixed when the register is created; a
	// shorter one costs more questions to the database. Default: 500ms.
	Lease Duration `yaml:"lease"`

	// Canary is how often a mandate of nobody is granted and revoked, to measure how soon a
	// revocation holds here: a second or more. 0: never. Default: 1m.
	Canary Duration `yaml:"canary"`

	// Unused is after how many months without any use a mandate ends (scheme: 24). Those
	// concerned are told 60 and 30 days before. 0: never. Default: 24.
	Unused int `yaml:"unused"`

	// Mail writes to people of what is done to their mandates.
	Mail Mail `yaml:"mail"`

	// Tracing sends spans to an OpenTelemetry collector.
	Tracing Tracing `yaml:"tracing"`

	// Connections is how many connections to PostgreSQL the register may have, and the
	// standby as many. Journal and guard, which write in groups, have four each. Default: 16.
	Connections int `yaml:"connections"`

	// TLS is the certificate of the public listener. Clients must show a certificate
	// that the metadata of the message's sender list.
	TLS TLS `yaml:"tls"`

	// Browser is a door for users' browsers, through which brokers send queries by artifact.
	// Default: none, and queries come over SOAP alone.
	Browser Browser `yaml:"browser"`

	// Manage lets people and programs of organisations manage mandates themselves.
	Manage Manage `yaml:"manage"`

	// Signing are the keys we sign answers with, the active one first. A next one is
	// published in our metadata before it is used: put it second, and first later.
	Signing []Key `yaml:"signing"`

	// Encryption are the keys to which identifiers for us are encrypted: all are
	// published and all can decrypt, the newest first. They are files: engine and module
	// are for keys that sign.
	Encryption []Key `yaml:"encryption"`

	// Metadata are the files that say who the others are.
	Metadata []Source `yaml:"metadata"`

	// Catalogue is the service catalogue's file.
	Catalogue Source `yaml:"catalogue"`

	// Refresh is how often files are looked at again; SIGHUP does it at once. Default: 5m.
	Refresh Duration `yaml:"refresh"`

	// Certified is the highest level that this register is certified for, such as loa3: it
	// never states a higher one. Default: loa4.
	Certified string `yaml:"certified"`

	// Chain says how chains are handled.
	Chain Chain `yaml:"chain"`

	// Ages bound how old messages may be.
	Ages Ages `yaml:"ages"`

	// XMLSec says how signatures are verified.
	XMLSec XMLSec `yaml:"xmlsec"`

	// Peers are the habits of single participants, by EntityID.
	Peers map[string]Peer `yaml:"peers"`

	// Work is how many queries are worked on at once; as many again may wait, the rest is
	// told to come back. Default: 64.
	Work int `yaml:"work"`

	// Organisation and Contact (an e-mail address of a desk) stand in our metadata, and in
	// letters.
	Organisation string `yaml:"organisation"`
	Contact      string `yaml:"contact"`

	path    string   // of the file
	environ []string // that it was read with
}

// TLS is a certificate chain and its key, as PEM files.
type TLS struct {
	Certificate string `yaml:"certificate"`
	Key         string `yaml:"key"`
}

// Browser is the door for users' browsers: apart from the listener for programs, which asks
// everybody for a certificate.
type Browser struct {
	// Listen is the address to listen on.
	Listen string `yaml:"listen"`
	// Address is the scheme, host and port that browsers use, as in Config.Address.
	Address string `yaml:"address"`
	// TLS is the certificate that browsers see.
	TLS TLS `yaml:"tls"`
	// PerAddress is how many connections one IP address may have at once (of IPv6 a network
	// of 64 bits), so that nobody takes all 8192; what is more is closed at once. Behind a
	// proxy all visitors come from its address: there it is as many as the proxy may have.
	// Default: 256.
	PerAddress int `yaml:"per_address"`
	// Visit is how long a user may take to choose for which company he logs in, and his log-in
	// is believed: an hour at most. Default: 15m.
	Visit Duration `yaml:"visit"`
}

// Manage are the doors for those who manage mandates. Default: none, and the command line
// does it.
type Manage struct {
	// API is the door for programs: the REST API of /openapi.json.
	API API `yaml:"api"`
	// Pages is the door for people with a browser.
	Pages Pages `yaml:"pages"`
	// PerSecond is how often each address may ask in a second at each of these doors, after ten
	// times as many at once; 0: as often as it likes. Default: 50.
	PerSecond int `yaml:"per_second"`
	// Prices are what mandates cost that are granted there. Default: nothing.
	Prices []Price `yaml:"prices"`
	// Sets are lists of services that belong together, and can be chosen at once.
	Sets []Set `yaml:"sets"`
}

// API is the door for programs, which show a certificate or sign with a key that their
// organisation has registered.
type API struct {
	// Listen is the address and port to listen on.
	Listen string `yaml:"listen"`
	// Address is the scheme, host and port that programs use; their tokens are for it. It
	// begins with https://.
	Address string `yaml:"address"`
	// TLS is the certificate that programs see. Required.
	TLS TLS `yaml:"tls"`
}

// Pages is the door for people, who log in with their eHerkenning means as at any service
// provider: a broker tells who acts for whom. With the signing and encryption keys of the
// register we are that provider.
type Pages struct {
	// Listen is the address and port to listen on.
	Listen string `yaml:"listen"`
	// Address is the scheme, host and port that browsers use; it stands in letters, too. It
	// begins with https://.
	Address string `yaml:"address"`
	// TLS is the certificate that browsers see. Required.
	TLS TLS `yaml:"tls"`
	// Entity is our name as a service provider (DV), and Broker that of the broker (HM) whom
	// our metadata were given to. The broker's own must be among the metadata here, with where
	// it takes requests.
	Entity string `yaml:"entity"`
	Broker string `yaml:"broker"`
	// Service is the ServiceID in the catalogue for which people log in here.
	Service string `yaml:"service"`
	// Level is the lowest level with which anybody comes in. Default: loa3.
	Level string `yaml:"level"`
}

// Redis is one server, a set under sentinels, or a cluster.
type Redis struct {
	// Addresses are host:port of the server, of the sentinels, or of some of the cluster's
	// nodes. None: no Redis.
	Addresses []string `yaml:"addresses"`
	// Master is the name under which the sentinels know it. Default: no sentinels.
	Master string `yaml:"master"`
	// Cluster says that a single address is a cluster's. Default: false.
	Cluster bool `yaml:"cluster"`
	// User and PasswordFile are those of an ACL user; the file holds the password alone.
	User         string `yaml:"user"`
	PasswordFile string `yaml:"password_file"`
	// SentinelUser and SentinelPasswordFile are those of the sentinels, if they ask for a
	// password: of an ACL user of theirs, or without SentinelUser of anybody.
	SentinelUser         string `yaml:"sentinel_user"`
	SentinelPasswordFile string `yaml:"sentinel_password_file"`
	// Database is the number of the database. Default: 0.
	Database int `yaml:"database"`
	// CA is a PEM file of who may have signed the server's certificate, or the word system;
	// with it connections use TLS. Default: no TLS, for a Redis on the same machine.
	CA string `yaml:"ca"`
	// Certificate and Key are shown to a Redis that asks for them.
	Certificate string `yaml:"certificate"`
	Key         string `yaml:"key"`
}

// Tracing sends spans to an OpenTelemetry collector. What is in the journal does not
// depend on it.
type Tracing struct {
	// Endpoint is the collector's address for OTLP over HTTP. Default: none, nothing is sent.
	Endpoint string `yaml:"endpoint"`
	// Percent is how many of a hundred questions are traced, chosen by their trace id.
	// Default: 1.
	Percent int `yaml:"percent"`
}

// Key is a key, its certificate and the name under which metadata know it.
type Key struct {
	// Name is the KeyName in messages and metadata. Default: the certificate's SHA-1 in
	// hexadecimal, as is common in the network.
	Name string `yaml:"name"`
	// Key is a PEM file (PKCS #8) that only its owner may read. For the engine pkcs11 it is
	// the PKCS #11 URI (RFC 7512) of a private key on a token, as in
	// pkcs11:token=mandated;object=signing?pin-source=pin.txt. The file with the PIN is one
	// that only its owner may read, too.
	Key string `yaml:"key"`
	// Engine makes the signatures: go; openssl, which takes a third of the time; or pkcs11,
	// for a key in a security module. The last two are in programs that were built with the
	// tag of that name. Default: go.
	Engine string `yaml:"engine"`
	// Module is the library of the security module, for the engine pkcs11; it may stand in
	// the URI instead, as module-path. It and the token stay in use while the daemon runs.
	Module string `yaml:"module"`
	// Certificate is a PEM file.
	Certificate string `yaml:"certificate"`
}

// Source is a signed file and whom we believe.
type Source struct {
	File string `yaml:"file"`
	// Trust is a PEM file with the certificates that may have signed it, or the word
	// "file": then an unsigned file is believed because it is there. Required.
	Trust string `yaml:"trust"`
}

// Chain says how chains are handled.
type Chain struct {
	// SameRegister is complete (both halves are decided in one question, the default) or
	// confirm (the broker is told to ask us again for the company's half).
	SameRegister string `yaml:"same_register"`
	// Elsewhere is assigned (a person may act for a client whose mandate is at another register
	// if his office has recorded that client here and assigned it to him, the default) or
	// mandated (also if the office has mandated him itself for the service: he may then let the
	// other registers be asked for its clients, and choose one; the other register decides).
	Elsewhere string `yaml:"elsewhere"`
	// Discovery is how long other registers may take, all together, to tell which companies
	// have mandated an intermediary there. Who has not answered by then is named. Default: 2s.
	Discovery Duration `yaml:"discovery"`
}

// Ages bound how old messages may be.
type Ages struct {
	Query   Duration `yaml:"query"`   // since a query was sent. Default: 120s
	Skew    Duration `yaml:"skew"`    // between clocks. Default: 2s
	Chain   Duration `yaml:"chain"`   // between log-in and the first register's statement. Default: 15m
	Recheck Duration `yaml:"recheck"` // of the evidence a provider brings. Default: 12h
}

// XMLSec says how signatures are verified.
type XMLSec struct {
	// Engine is fast, or reference: goxmldsig, which takes ten times as long. Both accept
	// the same, but that fast refuses two things that nobody sends. Default: fast.
	Engine string `yaml:"engine"`
	// CrossCheck lets the other engine look at one in so many messages as well; if the two
	// do not agree, the message is refused and the log says so. 0: none. Default: 1000.
	CrossCheck int `yaml:"cross_check"`
}

// Peer are the habits of one participant.
type Peer struct {
	// Refusals is status (a Response without assertion; default for brokers) or statement
	// (a signed Deny; default for providers).
	Refusals string `yaml:"refusals"`
	// ClearIdentifiers also sends KvK number and pseudonym unencrypted. Default: false.
	ClearIdentifiers bool `yaml:"clear_identifiers"`
	// Encryption is cbc (what the network uses, the default) or gcm.
	Encryption string `yaml:"encryption"`
	// Allow lists what its queries may leave out (no-destination, no-return-context,
	// no-environment), and for a broker post: they may come through the browser without an
	// artifact.
	Allow []string `yaml:"allow"`
}

// Duration is a length of time as people write it: 500ms, 2s, 15m.
type Duration time.Duration

// UnmarshalYAML reads a duration in the file, and says on which line there is none.
func (d *Duration) UnmarshalYAML(node *yaml.Node) error {
	var text string
	if err := node.Decode(&text); err != nil {
		return err
	}
	if err := d.UnmarshalText([]byte(text)); err != nil {
		return &yaml.TypeError{Errors: []string{fmt.Sprintf("line %d: %v", node.Line, err)}}
	}
	return nil
}

// UnmarshalText reads a duration.
func (d *Duration) UnmarshalText(text []byte) error {
	v, err := time.ParseDuration(string(text))
	*d = Duration(v)
	return err
}

// MarshalText writes a duration.
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

func defaults() Config {
	a := saml.DefaultAges
	return Config{
		Network: "production", Listen: "127.0.0.1:8443", Operations: "127.0.0.1:9443",
		Register: "register.db", Journal: "journal.db", Checkpoints: "checkpoints.jsonl", Guard: "guard.db",
		Lease: Duration(500 * time.Millisecond), Refresh: Duration(5 * time.Minute), Canary: Duration(time.Minute),
		Unused: 24, Mail: Mail{Security: mail.StartTLS, Digest: Duration(24 * time.Hour)},
		Retention: 7, Memory: 64, Connections: 16, Tracing: Tracing{Percent: 1},
		Browser: Browser{PerAddress: 256, Visit: Duration(15 * time.Minute)}, Manage: Manage{Pages: Pages{Level: "loa3"}, PerSecond: 50}, Certified: "loa4", Chain: Chain{"complete", "assigned", Duration(2 * time.Second)}, Work: 64,
		Ages:   Ages{Duration(a.Query), Duration(a.Skew), Duration(a.Chain), Duration(a.Recheck)},
		XMLSec: XMLSec{Engine: xmlsec.Fast.String(), CrossCheck: 1000},
	}
}

// LoadConfig reads a configuration file and the environment, and refuses what
// contradicts itself. environ is as os.Environ gives it.
func LoadConfig(path string, environ []string) (Config, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return Config{}, fmt.Errorf("reading the configuration: %w", err)
	}
	c := defaults()
	c.path, c.environ = path, environ
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	decoder.KnownFields(true)
	if err := decoder.Decode(&c); err != nil && !errors.Is(err, io.EOF) { // an empty file lacks everything, and is told so
		return Config{}, fmt.Errorf("%s: %w", path, err)
	}
	if err := override(&c, environ); err != nil {
		return Config{}, err
	}
	if err := c.check(); err != nil {
		return Config{}, fmt.Errorf("%s: %w", path, err)
	}
	return c, nil
}

// again reads the configuration anew, for a daemon that runs. Keys, files to read, peers and
// ages may have changed; what the daemon has opened already may not.
func (c *Config) again() (Config, error) {
	fresh, err := LoadConfig(c.path, c.environ)
	if err != nil {
		return *c, err
	}
	fixed := func(c *Config) string {
		return fmt.Sprint(c.Entity, c.Network, c.Address, c.Listen, c.Operations, c.Register, c.Standby, c.Journal, c.Checkpoints,
			c.Guard, c.Redis, c.Memory, c.Canary, c.Tracing, c.Connections,
			c.Unused, c.Mail, c.Certified, c.Chain, c.Work, c.Refresh, c.TLS.Certificate != "",
			c.Browser.Listen, c.Browser.Address, c.Browser.PerAddress, c.Browser.Visit, c.Browser.TLS.Certificate != "",
			c.Manage.API.Listen, c.Manage.API.Address, c.Manage.Pages.Listen, c.Manage.Pages.Address, c.Manage.PerSecond, c.Manage.Prices, c.Manage.Sets)
	}
	if fixed(&fresh) != fixed(c) {
		return *c, fmt.Errorf("%s: what a running daemon has opened or was made of (entity, network, addresses, stores, redis, memory, canary, unused, mail, manage.per_second, manage.prices, manage.sets, tracing, certified, chain, work, refresh) changes only with a restart", c.path)
	}
	return fresh, nil
}

// check names every contradiction at once.
func (c *Config) check() error {
	var wrong []error
	must := func(ok bool, format string, args ...any) {
		if !ok {
			wrong = append(wrong, fmt.Errorf(format, args...))
		}
	}
	entity, err := etoegang.ParseEntityID(c.Entity)
	must(err == nil && entity.Role() == etoegang.Register, "entity: %q is not the EntityID of a register (MR)", c.Entity)
	must(c.Network == "test" || c.Network == "production", "network: %q is not test or production", c.Network)
	must(err != nil || c.Network != "production" || !entity.Test(), "entity: index 9000 and up is for test systems; set network: test")
	host, _, err := net.SplitHostPort(c.Listen)
	must(err == nil, "listen: %q is not an address and port", c.Listen)
	secure := c.TLS.Certificate != ""
	must(secure == (c.TLS.Key != ""), "tls: certificate and key go together")
	must(secure || loopback.Is(host), "listen: %q is reachable for others, so tls is needed", c.Listen)
	checkAddress(must, "address", c.Address, secure)
	c.checkBrowser(must)
	c.checkManage(must)
	must(len(c.Signing) > 0, "signing: at least one key is needed")
	must(len(c.Encryption) > 0, "encryption: at least one key is needed")
	for _, k := range append(slices.Clone(c.Signing), c.Encryption...) {
		must(k.Key != "" && k.Certificate != "", "signing or encryption %q: key and certificate are both needed", k.Name)
	}
	c.checkEngines(must)
	must(len(c.Metadata) > 0, "metadata: without any nobody can ask")
	for i, s := range append(slices.Clone(c.Metadata), c.Catalogue) {
		must(s.File != "" && s.Trust != "", "metadata %d or catalogue: file and trust are both needed", i+1)
	}
	must(c.Chain.Elsewhere == "assigned" || c.Chain.Elsewhere == "mandated", "chain.elsewhere: %q is not assigned or mandated", c.Chain.Elsewhere)
	must(c.Chain.SameRegister == "complete" || c.Chain.SameRegister == "confirm", "chain.same_register: %q is not complete or confirm", c.Chain.SameRegister)
	must(c.Chain.Discovery > 0, "chain.discovery: %v leaves nobody time to answer", time.Duration(c.Chain.Discovery))
	must(c.certified().Supported(), "certified: %q is not a level of assurance", c.Certified)
	must(c.Work > 0 && c.Lease > 0 && c.Refresh > 0, "work, lease and refresh must be positive")
	must(c.Canary == 0 || c.Canary >= Duration(time.Second), "canary: %v is not a second or more, or 0 for never", time.Duration(c.Canary))
	must(c.Memory >= 0 && c.Retention > 0 && c.Connections > 1, "memory cannot be negative; retention is at least a year, connections at least 2")
	must(c.Tracing.Percent >= 0 && c.Tracing.Percent <= 100, "tracing.percent: %d is not a percentage", c.Tracing.Percent)
	if c.Tracing.Endpoint != "" {
		err := c.tracing(nil).Check()
		must(err == nil, "tracing: %v", err)
	}
	c.checkMail(must)
	c.checkStores(must)
	must(c.Ages.Query > 0 && c.Ages.Skew >= 0 && c.Ages.Chain > 0 && c.Ages.Recheck > 0, "ages must be positive")
	_, err = xmlsec.ParseEngine(c.XMLSec.Engine)
	must(err == nil && c.XMLSec.CrossCheck >= 0, "xmlsec: engine is fast or reference, and cross_check not negative")
	for name, p := range c.Peers {
		if _, err := p.habits(name); err != nil {
			wrong = append(wrong, err)
		}
	}
	return errors.Join(wrong...)
}

func (c *Config) checkBrowser(must func(ok bool, format string, args ...any)) {
	b := c.Browser
	if b == defaults().Browser {
		return
	}
	must(b.Visit > 0, "browser.visit: in %v nobody chooses anything", time.Duration(b.Visit))
	must(b.Visit <= Duration(time.Hour), "browser.visit: %v is longer than a log-in should be believed; an hour is the most", time.Duration(b.Visit))
	must(b.PerAddress > 0, "browser.per_address: %d connections let nobody in", b.PerAddress)
	host, _, err := net.SplitHostPort(b.Listen)
	must(err == nil, "browser.listen: %q is not an address and port", b.Listen)
	must(b.Address != c.Address, "browser.address: browsers need an address of their own, since programs must show a certificate at the other")
	secure := b.TLS.Certificate != ""
	must(secure == (b.TLS.Key != ""), "browser.tls: certificate and key go together")
	must(secure || loopback.Is(host), "browser.listen: %q is reachable for others, so browser.tls is needed", b.Listen)
	checkAddress(must, "browser.address", b.Address, secure)
}

func (c *Config) checkManage(must func(ok bool, format string, args ...any)) {
	door := func(key, listen, address string, t TLS) {
		_, _, err := net.SplitHostPort(listen)
		must(err == nil, "%s.listen: %q is not an address and port", key, listen)
		must(t.Certificate != "" && t.Key != "", "%s.tls: certificate and key are needed: nobody manages mandates in the open", key)
		must(address != c.Address && address != c.Browser.Address, "%s.address: it needs an address of its own", key)
		checkAddress(must, key+".address", address, true)
	}
	must(c.Manage.PerSecond >= 0, "manage.per_second: %d is less than never", c.Manage.PerSecond)
	_, err := c.Manage.terms()
	must(err == nil, "%v", err)
	if a := c.Manage.API; a != (API{}) {
		door("manage.api", a.Listen, a.Address, a.TLS)
	}
	p := c.Manage.Pages
	if p == defaults().Manage.Pages {
		return
	}
	door("manage.pages", p.Listen, p.Address, p.TLS)
	must(p.Address != c.Manage.API.Address, "manage.pages.address: browsers need another address than programs")
	entity, err := etoegang.ParseEntityID(p.Entity)
	must(err == nil && entity.Role() == etoegang.Provider, "manage.pages.entity: %q is not the EntityID of a service provider (DV)", p.Entity)
	broker, err := etoegang.ParseEntityID(p.Broker)
	must(err == nil && broker.Role() == etoegang.Broker, "manage.pages.broker: %q is not the EntityID of a broker (HM)", p.Broker)
	_, err = etoegang.ParseServiceID(p.Service)
	must(err == nil, "manage.pages.service: %q is not a ServiceID", p.Service)
	level, err := etoegang.ParseLevelName(p.Level)
	must(err == nil && level.Supported(), "manage.pages.level: %q is not a level of assurance", p.Level)
}

// checkAddress names what is wrong with an address at which others reach us. It stands in our
// metadata, which everybody refuses with another.
func checkAddress(must func(ok bool, format string, args ...any), key, text string, secure bool) {
	u, err := url.Parse(text)
	if err != nil || u.Hostname() == "" || u.Scheme+"://"+u.Host != text {
		must(false, "%s: %q is not a scheme, host and port alone", key, text)
		return
	}
	must(u.Scheme == "https" || !secure, "%s: with tls it begins with https://", key)
	must(u.Scheme == "https" || u.Scheme == "http" && loopback.Is(u.Hostname()),
		"%s: %q begins neither with https:// nor, on this machine, with http://", key, text)
}

// habits turns the setting of a peer into what the server works with.
func (p Peer) habits(name string) (server.Peer, error) {
	entity, err := etoegang.ParseEntityID(name)
	if err != nil {
		return server.Peer{}, fmt.Errorf("peers: %q: %w", name, err)
	}
	habits := server.DefaultPeer(entity.Role())
	habits.Clear = p.ClearIdentifiers
	switch p.Refusals {
	case "":
	case "status", "statement":
		habits.DenyStatement = p.Refusals == "statement"
	default:
		return habits, fmt.Errorf("peers: %s: refusals: %q is not status or statement", name, p.Refusals)
	}
	switch p.Encryption {
	case "", "cbc", "gcm":
		habits.GCM = p.Encryption == "gcm"
	default:
		return habits, fmt.Errorf("peers: %s: encryption: %q is not cbc or gcm", name, p.Encryption)
	}
	for _, word := range p.Allow {
		switch word {
		case "no-destination":
			habits.Leniency.NoDestination = true
		case "no-return-context":
			habits.Leniency.NoReturnContext = true
		case "no-environment":
			habits.Leniency.NoEnvironment = true
		case "post":
			if entity.Role() != etoegang.Broker {
				return habits, fmt.Errorf("peers: %s: allow: post is for brokers, who alone send queries through browsers", name)
			}
			habits.Post = true
		default:
			return habits, fmt.Errorf("peers: %s: allow: %q is not known", name, word)
		}
	}
	return habits, nil
}

// Path gives a path of the configuration, relative to the folder of its file. The address
// of a database stays as it is.
func (c *Config) Path(p string) string {
	if filepath.IsAbs(p) || postgres.IsPlace(p) {
		return p
	}
	return filepath.Join(filepath.Dir(c.path), p)
}

func (c *Config) tracing(log *slog.Logger) tracing.Options {
	return tracing.Options{Endpoint: c.Tracing.Endpoint, Ratio: float64(c.Tracing.Percent) / 100, Service: "mandated", Log: log}
}

func (c *Config) certified() etoegang.AssuranceLevel {
	level, _ := etoegang.ParseLevelName(c.Certified) // checked when the configuration was read
	return level
}

// EntityID is the register's own name.
func (c *Config) EntityID() etoegang.EntityID {
	e, _ := etoegang.ParseEntityID(c.Entity) // checked when the configuration was read
	return e
}
