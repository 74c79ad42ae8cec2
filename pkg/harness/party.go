package harness

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/mandated/mandated/internal/devkeys"
	"github.com/mandated/mandated/pkg/catalogue"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/saml"
	"github.com/mandated/mandated/pkg/xmlsec"
)

// Party is a participant that the harness plays.
type Party struct {
	Name     string // of its files
	Title    string // for people
	Entity   etoegang.EntityID
	Consumer string // its AssertionConsumerService, the default one

	pair      devkeys.Pair
	consumers []saml.Consumer
	foreign   *saml.Participant // somebody else's, with keys that only he has; nil: ours

	mu      sync.Mutex
	clients map[*Party]*http.Client
}

// Signer signs in the party's name.
func (p *Party) Signer() xmlsec.Signer {
	return xmlsec.Signer{Key: p.pair.Key, KeyName: p.pair.KeyName(), Certificate: p.pair.Certificate}
}

func (p *Party) catalogueSigner() xmlsec.Signer {
	s := p.Signer()
	s.X509 = true
	return s
}

// Openers are the keys with which the party reads what is encrypted to it; none of somebody
// else's provider, who alone has them.
func (p *Party) Openers() []xmlsec.Opener {
	if p.foreign != nil {
		return nil
	}
	return []xmlsec.Opener{{KeyName: p.pair.KeyName(), Key: p.pair.Key}}
}

// Recipient is the party as somebody to encrypt to.
func (p *Party) Recipient() xmlsec.Recipient {
	return xmlsec.Recipient{EntityID: p.Entity.String(), KeyName: p.pair.KeyName(), Key: &p.pair.Key.PublicKey}
}

func (p *Party) keys() []xmlsec.Key {
	return []xmlsec.Key{{Name: p.pair.KeyName(), Certificate: p.pair.Certificate}}
}

func (p *Party) signing() []xmlsec.Key {
	if p.foreign != nil {
		return p.foreign.Signing
	}
	return p.keys()
}

func (p *Party) encryption() []xmlsec.Key {
	if p.foreign != nil {
		return p.foreign.Encryption
	}
	return p.keys()
}

// Participant is the party as its metadata describe it.
func (p *Party) Participant() saml.Participant {
	return saml.Participant{Entity: p.Entity, Signing: p.signing(), Encryption: p.encryption(), Consumers: p.consumers}
}

// httpClient shows the party's certificate, and believes the certificate of the register
// it asks. It is made once for each register and keeps its connections.
func (p *Party) httpClient(server *Party) *http.Client {
	p.mu.Lock()
	defer p.mu.Unlock()
	if c, ok := p.clients[server]; ok {
		return c
	}
	c := &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{
		MaxIdleConnsPerHost: 64, TLSClientConfig: p.tlsConfig(server),
	}}
	if p.clients == nil {
		p.clients = map[*Party]*http.Client{}
	}
	p.clients[server] = c
	return c
}

// tlsConfig compares the server's certificate with its metadata, since nobody has signed
// it but itself.
func (p *Party) tlsConfig(server *Party) *tls.Config {
	return &tls.Config{
		MinVersion:         tls.VersionTLS12,
		Certificates:       []tls.Certificate{{Certificate: [][]byte{p.pair.Certificate.Raw}, PrivateKey: p.pair.Key}},
		InsecureSkipVerify: true, // VerifyConnection does it
		VerifyConnection: func(s tls.ConnectionState) error {
			if !s.PeerCertificates[0].Equal(server.pair.Certificate) {
				return fmt.Errorf("the server is not %s", server.Entity)
			}
			return nil
		},
	}
}

// rsaKeys are made once in a process and handed out in turn: they are fresh, and a
// hundred networks in one test run do not take minutes to make theirs.
var rsaKeys struct {
	sync.Mutex
	list []*rsa.PrivateKey
}

func rsaKey(i int) (*rsa.PrivateKey, error) {
	rsaKeys.Lock()
	defer rsaKeys.Unlock()
	for len(rsaKeys.list) <= i {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			return nil, err
		}
		rsaKeys.list = append(rsaKeys.list, key)
	}
	return rsaKeys.list[i], nil
}

// makeKeys gives every party its key and writes it into the folder.
func (n *Network) makeKeys(all []*Party) error {
	for i, p := range all {
		key, err := rsaKey(i)
		if err != nil {
			return err
		}
		if p.pair, err = devkeys.Certify(p.Name, key, n.Now()); err != nil {
			return err
		}
		if err := p.pair.Write(filepath.Join(n.Folder, "keys")); err != nil {
			return err
		}
	}
	return nil
}

// catalogueSpec describes the services, and gives them their names.
func (n *Network) catalogueSpec(sequence int64) catalogue.Spec {
	spec := catalogue.Spec{ID: saml.NewID(), Version: fmt.Sprintf("urn:etoegang:1.13:service-catalogue:T:%d", sequence), Issued: n.Now()}
	providers := map[string]int{}
	for i, s := range n.options.Services {
		home := n.Providers[s.Provider]
		s.Home = home
		s.UUID = mustParse(etoegang.ParseServiceUUID(fmt.Sprintf("%08d-0000-4000-8000-000000000000", i+1)))
		s.ID = mustParse(etoegang.ParseServiceID(fmt.Sprintf("urn:etoegang:DV:%s:services:%d", home.Entity.OIN(), i+1)))
		if s.EntityTypes == nil {
			s.EntityTypes = [][]etoegang.EntityType{{etoegang.TypeKvKNr}}
		}
		n.Services[s.Name] = s
		at, known := providers[s.Provider]
		if !known {
			at = len(spec.Providers)
			providers[s.Provider] = at
			spec.Providers = append(spec.Providers, catalogue.ProviderSpec{OIN: home.Entity.OIN().String(), Names: titles(s.ProviderTitles, s.Provider), Public: true})
		}
		addService(&spec.Providers[at], s, s.UUID.String(), behind(s, n.Services))
	}
	for i, a := range n.added {
		spec.Providers = append(spec.Providers, a.spec(i))
	}
	return spec
}

func mustParse[T any](v T, err error) T {
	if err != nil {
		panic(err) // the numbers are our own
	}
	return v
}

func both(text string) map[string]string { return map[string]string{"nl": text, "en": text} }

// titles are names by language, or else the one name in all.
func titles(byLanguage map[string]string, name string) map[string]string {
	if byLanguage == nil {
		return both(name)
	}
	return byLanguage
}

func slug(s string) string { return strings.ReplaceAll(strings.ToLower(s), " ", "-") }

// behind are the services of a provider to which s is a portal, as a catalogue names them.
func behind(s Service, services map[string]Service) (list []string) {
	for _, name := range s.Behind {
		list = append(list, services[name].ID.String())
	}
	return list
}

// addService adds a service's definition and its one instance, under that UUID, to its
// provider. behind are those to which it is a portal; nil: it is none.
func addService(p *catalogue.ProviderSpec, s Service, instance string, behind []string) {
	var restrictions []string
	if s.Establishments {
		restrictions = []string{etoegang.RestrictionEstablishment}
	}
	var requested []catalogue.RequestedAttribute
	for _, name := range s.Attributes {
		requested = append(requested, catalogue.RequestedAttribute{Name: name, Purposes: both("to greet the user")})
	}
	sets := make([][]string, len(s.EntityTypes))
	for i, set := range s.EntityTypes {
		for _, t := range set {
			sets[i] = append(sets[i], string(t))
		}
	}
	p.Definitions = append(p.Definitions, catalogue.DefinitionSpec{
		UUID: s.UUID.String(), Names: titles(s.Titles, s.Name), Descriptions: titles(s.Titles, s.Name), Level: s.Level.URN(),
		Broker: networkOIN, EntityTypes: sets, Restrictions: restrictions, Public: true, Requested: requested, Portal: behind != nil,
	})
	p.Instances = append(p.Instances, catalogue.InstanceSpec{
		ID: s.ID.String(), UUID: instance, Of: s.UUID.String(), Broker: networkOIN, Public: true,
		Certificates: s.Home.encryption(), Portal: behind != nil, PortalFor: behind,
	})
}
