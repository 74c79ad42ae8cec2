// Package sandbox is the whole eHerkenning network on one machine, for people with a
// browser: two service providers, a broker, an authentication service and two mandate
// registers. The registers are real daemons with their own doors, the first one also for those
// who manage mandates; the other roles share one web server. All of them send each other real
// messages with real signatures, and other people's service-provider software can join.
//
// The package owns the web server, its pages and what goes from one role to the next through
// a browser. What stands in the messages is the affair of pkg/saml and pkg/harness, how a
// register decides that of the daemons; nothing here verifies a signature by itself.
// Everybody and every company in it is made up, everything lies in one folder and in memory,
// and it listens on the loopback alone.
package sandbox

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/mandated/mandated/internal/devkeys"
	"github.com/mandated/mandated/internal/loopback"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/harness"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/saml"
)

// Options say how a sandbox is opened. The zero value is good.
type Options struct {
	// Listen is the address and port of the web server, on the loopback. "": 127.0.0.1 and
	// the first free port from 8443 on.
	Listen string

	Log *slog.Logger // of the registers; nil: nothing is logged
}

// Sandbox is a running network.
type Sandbox struct {
	Address string // of the start page
	Network *harness.Network
	Log     *Log   // of messages
	CA      string // path of the certificate that browsers have to trust

	folder    string
	authority devkeys.Authority
	programs  map[string]*x509.Certificate // of what manages mandates by the API, by name
	web       *http.Server
	client    *http.Client // asks other roles and providers that joined

	scene     sync.RWMutex // held for reading by every step, and by whoever changes what follows
	persons   []*Person
	companies []mandate.Organisation // in the order of their numbers

	broker        *broker
	authenticator *authenticator
	sites         []*site

	mu     sync.Mutex // of those that join
	joined map[string]*joined
}

// The services of the sandbox. A provider asks for one by its index here, counted from 1, as
// AttributeConsumingServiceIndex.
var services = []harness.Service{
	{Name: "permit", Provider: "municipality", Level: etoegang.LoA2Plus, Establishments: true, Attributes: names,
		Titles: map[string]string{"nl": "Vergunning", "en": "Permit"}, ProviderTitles: map[string]string{"nl": "Gemeente", "en": "Municipality"}},
	{Name: "vat", Provider: "tax service", Level: etoegang.LoA3, Attributes: names,
		EntityTypes: [][]etoegang.EntityType{{etoegang.TypeKvKNr, etoegang.TypeRSIN}, {etoegang.TypeKvKNr}},
		Titles:      map[string]string{"nl": "Btw-aangifte", "en": "VAT return"}, ProviderTitles: map[string]string{"nl": "Belastingdienst", "en": "Tax service"}},
	{Name: "subsidy", Provider: "province", Level: etoegang.LoA3, Attributes: names,
		Titles: map[string]string{"nl": "Subsidie", "en": "Subsidy"}, ProviderTitles: map[string]string{"nl": "Provincie", "en": "Province"}},
	{Name: "notice", Provider: "province", Level: etoegang.LoA3, Attributes: names, Titles: map[string]string{"nl": "Melding", "en": "Notice"}},
	{Name: "portal", Provider: "province", Level: etoegang.LoA3, Attributes: names, Behind: []string{"subsidy", "notice"},
		Titles: map[string]string{"nl": "Portaal", "en": "Portal"}},
}

// counters are the services that have pages of their own, one at each provider.
var counters = []string{"permit", "vat", "portal"}

// names are what every provider may know besides.
var names = []string{etoegang.AttributeRepresentedName, etoegang.AttributeIntermediaryName}

// defaultService is what somebody uses who does not say what.
const defaultService = "2"

// indexes lists the services with their indexes.
func indexes() string {
	var list []string
	for i, s := range services {
		list = append(list, fmt.Sprintf("%d is %s", i+1, s.Name))
	}
	return strings.Join(list, ", ")
}

// serviceName is the service of that index.
func serviceName(index string) (string, bool) {
	if index == "" {
		index = defaultService
	}
	i, err := strconv.Atoi(index)
	if err != nil || i < 1 || i > len(services) {
		return "", false
	}
	return services[i-1].Name, true
}

// Open starts a network whose files lie in a folder: the certificate that people trust
// (ca.crt) and the providers that joined (providers) stay there, the rest is made anew each
// time. Stop must be called in the end.
func Open(ctx context.Context, folder string, o Options) (*Sandbox, error) {
	l, err := listen(o.Listen)
	if err != nil {
		return nil, err
	}
	s := &Sandbox{Address: "https://" + l.Addr().String(), Log: &Log{}, folder: folder, joined: map[string]*joined{}}
	if err := s.open(ctx, l, o); err != nil {
		return nil, errors.Join(err, l.Close(), s.Stop(context.WithoutCancel(ctx)))
	}
	return s, nil
}

func (s *Sandbox) open(ctx context.Context, l net.Listener, o Options) error {
	server, err := s.prepare()
	if err != nil {
		return err
	}
	if s.Network, err = harness.Open(ctx, filepath.Join(s.folder, "network"), harness.Options{
		TwoRegisters: true, TLS: true, Browser: true, RealTime: true, Services: services, Log: o.Log,
		Consumers: s.consumers, Fetched: s.fetched, Configure: s.door, Manage: &managing,
		SignOn: []saml.Endpoint{{Binding: saml.BindingRedirect, Location: s.Address + pathBrokerSignOn}},
	}); err != nil {
		return err
	}
	if err := s.populate(); err != nil {
		return err
	}
	s.roles()
	s.web = &http.Server{
		Handler: s.routes(), ReadHeaderTimeout: 10 * time.Second, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError),
		TLSConfig: &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{{
			Certificate: [][]byte{server.Certificate.Raw}, PrivateKey: server.Key,
		}}},
	}
	go func() { _ = s.web.ServeTLS(l, "", "") }()
	return nil
}

// prepare makes the folder and the certificates.
func (s *Sandbox) prepare() (server devkeys.Pair, err error) {
	if err := os.RemoveAll(filepath.Join(s.folder, "network")); err != nil {
		return server, err
	}
	if err := os.MkdirAll(s.Providers(), 0o755); err != nil {
		return server, err
	}
	if s.authority, err = devkeys.OpenAuthority(s.folder, "ca", time.Now()); err != nil {
		return server, err
	}
	s.CA = filepath.Join(s.folder, s.authority.CertificateFile())
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool()
	}
	roots.AddCert(s.authority.Certificate)
	s.client = &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}}
	if server, err = s.authority.Server("web", time.Now()); err != nil {
		return server, err
	}
	return server, errors.Join(server.Write(filepath.Join(s.folder, "network", "web")), s.makePrograms())
}

// door gives a register's doors for browsers and programs a certificate that they trust, and
// lets users look for clients at the other register.
func (s *Sandbox) door(settings map[string]any) {
	settings["chain"] = map[string]any{"elsewhere": "mandated"}
	trusted := map[string]any{"key": "../web/web.key", "certificate": "../web/web.crt"}
	settings["browser"].(map[string]any)["tls"] = trusted
	if manage, there := settings["manage"].(map[string]any); there {
		settings["organisation"] = registerName
		for _, door := range manage {
			door.(map[string]any)["tls"] = trusted
		}
	}
}

// listen opens the web server's listener.
func listen(address string) (l net.Listener, err error) {
	if address != "" {
		host, _, err := net.SplitHostPort(address)
		if err != nil {
			return nil, fmt.Errorf("listening on %q: %w", address, err)
		}
		if !loopback.Is(host) {
			return nil, fmt.Errorf("listening on %q: its people can log in as anybody, so others must not reach it; take 127.0.0.1", address)
		}
		return net.Listen("tcp", address)
	}
	for port := 8443; port < 8543; port++ {
		if l, err = net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port))); err == nil {
			return l, nil
		}
	}
	return nil, err
}

// consumers are where answers come back to the roles of the web server.
func (s *Sandbox) consumers(party string) []saml.Consumer {
	artifact := func(path string) saml.Consumer {
		return saml.Consumer{Endpoint: saml.Endpoint{Binding: saml.BindingArtifact, Location: s.Address + path}, Index: 1, Default: true}
	}
	switch party {
	case "broker":
		return []saml.Consumer{artifact(pathBrokerBack)}
	case "provider-municipality":
		return append([]saml.Consumer{artifact("/permit" + pathBack)}, posting(s.Address+"/permit"+pathPosted))
	case "provider-province":
		return append([]saml.Consumer{artifact("/portal" + pathBack)}, posting(s.Address+"/portal"+pathPosted))
	case "provider-tax-service":
		return append([]saml.Consumer{artifact("/vat" + pathBack)}, posting(s.Address+"/vat"+pathPosted))
	}
	return nil
}

func posting(address string) saml.Consumer {
	return saml.Consumer{Endpoint: saml.Endpoint{Binding: saml.BindingPOST, Location: address}, Index: 2}
}

// Stop stops everything. The folder stays.
func (s *Sandbox) Stop(ctx context.Context) error {
	var err error
	if s.web != nil {
		err = s.web.Close()
	}
	if s.Network != nil {
		err = errors.Join(err, s.Network.Stop(ctx))
	}
	return err
}
