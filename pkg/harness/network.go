// Package harness is a network in one process for those who integrate with a mandate
// register: one or two real daemons on real registers with fresh keys, and the other
// roles around them - authentication service, broker, service providers - played with
// real signatures over real HTTP. Time is a clock that the test controls, and mistakes
// are made on purpose by name.
//
//	network := harness.Start(t, harness.Options{})
//	vat := network.Services["vat"]
//	network.First.Direct(bakery, anna, harness.For(vat, etoegang.LoA3))
//	result, err := network.Broker.Authorize(ctx, harness.Question{Person: anna, Service: vat})
//
// The package owns how the roles are played. How a daemon is joined is the daemon's
// own affair.
package harness

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/mandated/mandated/internal/daemon"
	"github.com/mandated/mandated/internal/manage/pages"
	"github.com/mandated/mandated/internal/server"
	"github.com/mandated/mandated/pkg/catalogue"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/register"
	"github.com/mandated/mandated/pkg/saml"
)

// Options say what the network is like. The zero value is a network of one register and
// the services of DefaultServices, at the time of now.
type Options struct {
	Clock        *Clock    // nil: one that stands at the present
	TwoRegisters bool      // for chains of which the halves are held apart
	Services     []Service // nil: DefaultServices
	TLS          bool      // the daemons ask for client certificates, as in production
	Browser      bool      // the daemons have a door for browsers, and the broker keeps queries behind artifacts
	RealTime     bool      // the daemons follow the machine's clock; Clock is not used

	// Nodes is how many daemons the first register has, side by side on the same stores
	// as behind a load balancer. Zero: one.
	Nodes int

	// Consumers tells where answers come back to a broker or provider, by the party's name.
	// nil: at addresses where nobody is.
	Consumers func(party string) []saml.Consumer

	// Fetched is told when a register has fetched a query that the broker kept behind an
	// artifact, or an answer for its pages: by which name it did, the RelayState that travels
	// along, and both messages as they were sent. It is called by several goroutines. nil:
	// nobody wants to know.
	Fetched func(by etoegang.EntityID, relay string, asked, given []byte)

	// Manage is the service for which people log in at the first register to manage mandates,
	// on pages of its own; programs have an API there. The register is the service's provider,
	// under another name and with the same key. It needs Browser, and SignOn. nil: mandates
	// are managed at the command line.
	Manage *Service

	// SignOn is where the broker takes log-ins, as its metadata have it. nil: nowhere.
	SignOn []saml.Endpoint

	// Configure changes a daemon's settings before it starts, as in its YAML file. It is
	// asked for each daemon.
	Configure func(settings map[string]any)

	Log *slog.Logger // nil: nothing is logged
}

// Service is a service to put into the catalogue.
type Service struct {
	Name           string
	Provider       string // providers with the same name are the same
	Level          etoegang.AssuranceLevel
	EntityTypes    [][]etoegang.EntityType // nil: KvK number
	Establishments bool
	Attributes     []string // that may be requested besides
	Behind         []string // names of earlier services: this one is a portal to them

	// What the catalogue calls the service and its provider, by language; nil: Name and
	// Provider. Of services with the same provider the first one says it.
	Titles, ProviderTitles map[string]string

	// Set when the network starts.
	ID   etoegang.ServiceID
	UUID etoegang.ServiceUUID
	Home *Party // the provider
}

// DefaultServices are a tax return that wants KvK number and RSIN, or the KvK number
// alone, and a building permit that may be limited to an establishment.
func DefaultServices() []Service {
	return []Service{
		{Name: "vat", Provider: "tax service", Level: etoegang.LoA3,
			EntityTypes: [][]etoegang.EntityType{{etoegang.TypeKvKNr, etoegang.TypeRSIN}, {etoegang.TypeKvKNr}}},
		{Name: "permit", Provider: "municipality", Level: etoegang.LoA2Plus, Establishments: true},
	}
}

// Network is a running network. It lives in one folder, where everything it consists of
// lies as plain files.
type Network struct {
	Folder   string
	Services map[string]Service

	First, Second *RegisterNode   // Second is nil unless there are two
	Replicas      []*RegisterNode // further daemons of the first register
	Broker        *Broker
	Authenticator *Party
	Providers     map[string]*Party
	Scheme        *Party // signs metadata and catalogue

	options Options
	clock   func() time.Time
	metas   []string // files of metadata
	edition int64    // of the catalogue
	added   []added  // providers that joined later
}

// RegisterNode is one daemon of a register. Whoever asks it tells the register's address,
// which all of its daemons have in common, and sends the question to this one.
type RegisterNode struct {
	*Party
	Address    string // of the register, as queries name it
	Endpoint   string // where this daemon answers queries
	Operations string // where operators look
	Door       string // where browsers bring artifacts of queries, as queries name it; "": nowhere
	Pages, API string // where people and programs manage mandates; "": nowhere

	// DoorEndpoint is where browsers come to this daemon.
	DoorEndpoint string
	Config       string // path of its configuration

	network *Network
	folder  string // of its files
	daemon  *daemon.Daemon

	// The listeners are open before the daemon starts, since its addresses stand in its
	// configuration and metadata: nobody can take their ports in between.
	public, browser, operations net.Listener
	listens                     [3]string // their addresses, in that order
	pages, api                  net.Listener
}

// reserve opens the listeners on ports that are free. A register is known by the address
// of its first daemon.
func (r *RegisterNode) reserve() (err error) {
	if r.public, err = listen(); err != nil {
		return err
	}
	if r.operations, err = listen(); err != nil {
		_ = r.public.Close()
		return err
	}
	if r.network.options.Browser {
		if r.browser, err = listen(); err != nil {
			return errors.Join(err, r.public.Close(), r.operations.Close())
		}
		r.listens[1] = r.browser.Addr().String()
		r.DoorEndpoint = r.network.scheme() + r.browser.Addr().String() + server.PathBrowser
		if r.Door == "" {
			r.Door = r.DoorEndpoint
		}
	}
	if r == r.network.First && r.network.options.Manage != nil {
		if err := r.reserveManaging(); err != nil {
			return errors.Join(err, r.public.Close(), r.operations.Close(), r.browser.Close())
		}
	}
	r.listens[0], r.listens[2] = r.public.Addr().String(), r.operations.Addr().String()
	r.Endpoint, r.Operations = r.network.scheme()+r.public.Addr().String()+server.PathQuery, "http://"+r.operations.Addr().String()
	if r.Address == "" {
		r.Address = r.Endpoint
	}
	return nil
}

// reserveManaging does the same for the doors of those who manage mandates, and tells where
// people come back to who have logged in.
func (r *RegisterNode) reserveManaging() (err error) {
	if r.pages, err = listen(); err != nil {
		return err
	}
	if r.api, err = listen(); err != nil {
		return errors.Join(err, r.pages.Close())
	}
	r.Pages, r.API = "https://"+r.pages.Addr().String(), "https://"+r.api.Addr().String()
	home := r.network.Providers[r.network.options.Manage.Provider]
	home.Consumer = r.Pages + pages.PathReturn
	home.consumers = []saml.Consumer{
		{Endpoint: saml.Endpoint{Binding: saml.BindingArtifact, Location: home.Consumer}, Index: 1, Default: true},
		{Endpoint: saml.Endpoint{Binding: saml.BindingPOST, Location: home.Consumer}, Index: 2},
	}
	return nil
}

// listen opens a port below those that systems give to clients by themselves: it stands in
// the daemon's configuration, and must still be free when a daemon is started on that again.
func listen() (l net.Listener, err error) {
	for range 1000 {
		if l, err = net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", 20000+rand.IntN(12000))); err == nil {
			return l, nil
		}
	}
	return nil, err
}

// TB is the part of testing.TB that Start needs.
type TB interface {
	Helper()
	TempDir() string
	Cleanup(func())
	Fatalf(format string, args ...any)
}

// Start starts a network in a temporary folder, and stops it when the test ends. Any
// failure to start ends the test.
func Start(t TB, o Options) *Network {
	t.Helper()
	n, err := Open(context.Background(), t.TempDir(), o)
	if err != nil {
		t.Fatalf("starting the network: %v", err)
	}
	t.Cleanup(func() {
		if err := n.Stop(context.Background()); err != nil {
			t.Fatalf("stopping the network: %v", err)
		}
	})
	return n
}

// Open starts a network in an empty folder. Stop must be called in the end.
func Open(ctx context.Context, folder string, o Options) (*Network, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	if o.Services == nil {
		o.Services = DefaultServices()
	}
	if o.Manage != nil && (!o.Browser || len(o.SignOn) == 0) {
		return nil, errors.New("harness: Manage needs Browser and SignOn: people come to the register's pages from the broker")
	}
	if o.Manage != nil {
		o.Services = append(slices.Clip(o.Services), *o.Manage)
	}
	n := &Network{Folder: folder, Services: map[string]Service{}, Providers: map[string]*Party{}, options: o}
	n.clock = time.Now
	if !o.RealTime {
		if n.options.Clock == nil {
			n.options.Clock = NewClock(time.Now().UTC())
		}
		n.clock = n.options.Clock.Now
	}
	if err := n.people(); err != nil {
		return nil, err
	}
	if err := n.publish(); err != nil {
		return nil, err
	}
	for _, r := range n.registers() {
		if err := n.launch(ctx, r); err != nil {
			return nil, fmt.Errorf("starting %s: %w", r.Name, err)
		}
	}
	for _, r := range n.Replicas {
		if err := n.join(ctx, r); err != nil {
			return nil, fmt.Errorf("starting %s: %w", r.folder, err)
		}
	}
	return n, nil
}

// Clock is the clock of the whole network; nil when it follows the machine's.
func (n *Network) Clock() *Clock { return n.options.Clock }

// Now is the time in the network.
func (n *Network) Now() time.Time { return n.clock() }

func (n *Network) registers() []*RegisterNode {
	if n.Second == nil {
		return []*RegisterNode{n.First}
	}
	return []*RegisterNode{n.First, n.Second}
}

// nodes are all daemons.
func (n *Network) nodes() []*RegisterNode { return append(n.registers(), n.Replicas...) }

// The organisations behind the roles, by their OIN.
const (
	schemeOIN   = "00000004000000001000"
	networkOIN  = "00000003520354760000"
	secondOIN   = "00000003876543210000"
	providerOIN = "0000000100000%03d0000"
)

// people makes the participants with their keys.
func (n *Network) people() (err error) {
	n.Scheme = &Party{Name: "scheme"}
	n.Authenticator = n.party("authenticator", etoegang.Authenticator, networkOIN, 9003)
	n.Broker = &Broker{Party: n.party("broker", etoegang.Broker, networkOIN, 9004), network: n}
	n.First = n.node(n.party("register", etoegang.Register, networkOIN, 9001), "register")
	all := []*Party{n.Scheme, n.Authenticator, n.Broker.Party, n.First.Party}
	if n.options.TwoRegisters {
		n.Second = n.node(n.party("second-register", etoegang.Register, secondOIN, 9002), "second-register")
		all = append(all, n.Second.Party)
	}
	for _, s := range n.options.Services {
		if n.Providers[s.Provider] == nil {
			p := n.party("provider-"+slug(s.Provider), etoegang.Provider, fmt.Sprintf(providerOIN, len(n.Providers)+1), 9010+len(n.Providers))
			p.Title = s.Provider
			n.Providers[s.Provider] = p
			if m := n.options.Manage; m == nil || m.Provider != s.Provider {
				all = append(all, p)
			}
		}
	}
	if err := n.makeKeys(all); err != nil {
		return err
	}
	if m := n.options.Manage; m != nil {
		n.Providers[m.Provider].pair = n.First.pair
	}
	return nil
}

func (n *Network) node(p *Party, folder string) *RegisterNode {
	return &RegisterNode{Party: p, network: n, folder: folder}
}

func (n *Network) party(name string, role etoegang.Role, oin string, index int) *Party {
	entity, err := etoegang.ParseEntityID(fmt.Sprintf("urn:etoegang:%s:%s:entities:%d", role, oin, index))
	if err != nil {
		panic(err) // the numbers are our own
	}
	p := &Party{Name: name, Title: name, Entity: entity, consumers: []saml.Consumer{
		{Endpoint: saml.Endpoint{Binding: saml.BindingArtifact, Location: "https://" + name + ".test/acs/1.13"}, Index: 1, Default: true},
	}}
	if n.options.Consumers != nil {
		if own := n.options.Consumers(name); len(own) > 0 {
			p.consumers = own
		}
	}
	p.Consumer = p.consumers[0].Location
	return p
}

// publish writes everybody's metadata and the catalogue, signed by the scheme.
func (n *Network) publish() error {
	for _, r := range n.registers() {
		if err := r.reserve(); err != nil {
			return err
		}
	}
	for i := 2; i <= n.options.Nodes; i++ {
		r := n.node(n.First.Party, fmt.Sprintf("%s-%d", n.First.Name, i))
		r.Address, r.Door = n.First.Address, n.First.Door
		if err := r.reserve(); err != nil {
			return err
		}
		n.Replicas = append(n.Replicas, r)
	}
	if n.options.Browser {
		if err := n.Broker.open(); err != nil {
			return err
		}
	}
	for _, p := range n.participants() {
		if err := n.writeMetadata(p); err != nil {
			return fmt.Errorf("metadata of %s: %w", p.Name, err)
		}
	}
	return n.writeCatalogue()
}

func (n *Network) participants() []*Party {
	all := []*Party{n.Authenticator, n.Broker.Party}
	for _, p := range n.Providers {
		all = append(all, p)
	}
	for _, r := range n.registers() {
		all = append(all, r.Party)
	}
	return all
}

func (n *Network) writeMetadata(p *Party) error {
	d := saml.Description{
		ID: saml.NewID(), Name: "urn:etoegang:1.13:T:1", Entity: p.Entity, Until: n.Now().Add(365 * 24 * time.Hour),
		Organisation: p.Title, Contact: "desk@" + p.Name + ".test",
		Signing: p.signing(), Encryption: p.encryption(), Consumers: p.consumers,
	}
	if p.Entity.Role() == etoegang.Authenticator { // the schema demands it; registers never go there
		d.SignOn = []saml.Endpoint{{Binding: saml.BindingArtifact, Location: "https://" + p.Name + ".test/sso/1.13"}}
	}
	for _, r := range n.registers() {
		if r.Party == p {
			d.Authz, d.Chain = r.Address, r.chain()
			if r.Door != "" {
				d.Browser, d.Resolution = r.Door, r.resolution()
			}
		}
	}
	if p == n.Broker.Party {
		d.Resolution, d.SignOn = n.Broker.desk.resolution, n.options.SignOn
	}
	signed, err := d.Sign(n.Scheme.Signer())
	if err != nil {
		return err
	}
	file := "metadata-" + p.Name + ".xml"
	if !slices.Contains(n.metas, file) {
		n.metas = append(n.metas, file)
	}
	return n.write(file, signed.Bytes())
}

func (n *Network) scheme() string {
	if n.options.TLS {
		return "https://"
	}
	return "http://"
}

func (n *Network) writeCatalogue() error {
	n.edition++
	spec := n.catalogueSpec(n.edition)
	e := catalogue.Build(spec)
	if err := n.Scheme.catalogueSigner().Sign(e); err != nil {
		return err
	}
	return n.write("catalogue.xml", e.Bytes())
}

func (n *Network) write(file string, data []byte) error {
	path := filepath.Join(n.Folder, file)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, data, 0o644)
}

// launch writes a daemon's configuration, makes its register and starts it, all by the
// same roads as a real one.
func (n *Network) launch(ctx context.Context, r *RegisterNode) error {
	if err := n.writeConfig(r); err != nil {
		return err
	}
	c, err := daemon.LoadConfig(r.Config, nil)
	if err != nil {
		return err
	}
	made, err := register.Create(ctx, c.Path(c.Register), r.Entity, time.Duration(c.Lease), register.Options{Now: n.clock})
	if err != nil {
		return err
	}
	if err := made.Close(); err != nil {
		return err
	}
	return r.start(ctx)
}

// join starts a daemon beside the first one, on the same stores.
func (n *Network) join(ctx context.Context, r *RegisterNode) error {
	if err := n.writeConfig(r); err != nil {
		return err
	}
	return r.start(ctx)
}

func (r *RegisterNode) start(ctx context.Context) error {
	c, err := daemon.LoadConfig(r.Config, nil)
	if err != nil {
		return err
	}
	r.daemon, err = daemon.Start(ctx, c, daemon.Options{
		Dev: true, Log: r.network.options.Log, Now: r.network.clock, Public: r.public, Browser: r.browser, Operations: r.operations,
		Pages: r.pages, API: r.api,
	})
	r.public, r.browser, r.operations, r.pages, r.api = nil, nil, nil, nil, nil // they are the daemon's now, and a restart opens its own
	if err != nil {
		return err
	}
	r.Endpoint, r.DoorEndpoint, r.Operations = r.daemon.QueryAddress(), r.daemon.BrowserAddress(), r.daemon.OperationsAddress()
	return nil
}

func (n *Network) writeConfig(r *RegisterNode) error {
	r.Config = filepath.Join(n.Folder, r.folder, "mandated.yaml")
	key := map[string]any{"key": "../keys/" + r.Name + ".key", "certificate": "../keys/" + r.Name + ".crt"}
	settings := map[string]any{
		"entity": r.Entity.String(), "network": "test",
		"address": strings.TrimSuffix(r.Address, server.PathQuery), "listen": r.listens[0], "operations": r.listens[2],
		"signing": []any{key}, "encryption": []any{key},
		"catalogue":    map[string]any{"file": "../catalogue.xml", "trust": "../keys/scheme.crt"},
		"organisation": r.Title, "contact": "desk@" + r.Name + ".test",
	}
	var metadata []any
	for _, file := range n.metas {
		if file != "metadata-"+r.Name+".xml" {
			metadata = append(metadata, map[string]any{"file": "../" + file, "trust": "../keys/scheme.crt"})
		}
	}
	settings["metadata"] = metadata
	if slices.Contains(n.Replicas, r) { // on the stores of the first
		for _, store := range []string{"register", "journal", "guard"} {
			settings[store] = filepath.Join("..", n.First.folder, store+".db")
		}
	}
	if n.options.TLS {
		settings["tls"] = key
	}
	if clear := n.clear(); len(clear) > 0 {
		settings["peers"] = clear
	}
	if r.listens[1] != "" {
		door := map[string]any{"listen": r.listens[1], "address": strings.TrimSuffix(r.Door, server.PathBrowser)}
		if n.options.TLS {
			door["tls"] = key
		}
		settings["browser"] = door
	}
	if r.Pages != "" {
		manage := n.Services[n.options.Manage.Name]
		settings["manage"] = map[string]any{
			"pages": map[string]any{"listen": strings.TrimPrefix(r.Pages, "https://"), "address": r.Pages, "tls": key,
				"entity": manage.Home.Entity.String(), "broker": n.Broker.Entity.String(), "service": manage.ID.String()},
			"api": map[string]any{"listen": strings.TrimPrefix(r.API, "https://"), "address": r.API, "tls": key},
		}
	}
	if n.options.Configure != nil {
		n.options.Configure(settings)
	}
	text, err := yaml.Marshal(settings)
	if err != nil {
		return err
	}
	return n.write(filepath.Join(r.folder, "mandated.yaml"), text)
}

// Stop stops the daemons. The folder stays.
func (n *Network) Stop(ctx context.Context) error {
	for _, r := range n.nodes() {
		if r.daemon == nil {
			continue
		}
		if err := r.Stop(ctx); err != nil {
			return err
		}
	}
	return n.Broker.Leave()
}

// Reload lets the daemon look at its files again, as SIGHUP does.
func (r *RegisterNode) Reload() error { return r.daemon.Reload() }

// Stop stops the daemon, which can be started again.
func (r *RegisterNode) Stop(ctx context.Context) error {
	err := r.daemon.Stop(ctx)
	r.daemon = nil
	return err
}

// Restart stops the daemon and starts it again on the same files.
func (r *RegisterNode) Restart(ctx context.Context) error {
	if err := r.daemon.Stop(ctx); err != nil {
		return err
	}
	return r.start(ctx)
}

// Empty starts the daemon again with nothing in its stores, which must be files of its own.
func (r *RegisterNode) Empty(ctx context.Context) error {
	if r.daemon != nil { // or it did not start the last time
		if err := r.Stop(ctx); err != nil {
			return err
		}
	}
	if err := os.RemoveAll(filepath.Join(r.network.Folder, r.folder)); err != nil {
		return err
	}
	return r.network.launch(ctx, r)
}

// Unreachable is the same register where nobody answers questions.
func (r *RegisterNode) Unreachable() *RegisterNode {
	away := *r
	away.Endpoint = r.network.scheme() + "127.0.0.1:1" + server.PathQuery // a port that nobody uses
	return &away
}

// Handler is what the daemon serves, for those who ask without a network in between.
func (r *RegisterNode) Handler() http.Handler { return r.daemon.Handler() }

// Discover lets the register ask the others of the network which companies have mandated an
// intermediary there. silent tells in a word why whose answer is missing: without any, found
// is all there is.
func (r *RegisterNode) Discover(ctx context.Context, f saml.ChainFilter) (found []saml.Relation, silent map[etoegang.EntityID]string) {
	all := r.daemon.Discover(ctx, f)
	silent = map[etoegang.EntityID]string{}
	for _, s := range all.Silent {
		silent[s.Register] = string(s.Why)
	}
	return all.Found, silent
}

// Register is the mandate register itself, to put mandates in.
func (r *RegisterNode) Register() *register.Register { return r.daemon.Register() }
