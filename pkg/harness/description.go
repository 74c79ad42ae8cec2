package harness

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/mandated/mandated/internal/daemon"
	"github.com/mandated/mandated/internal/devkeys"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/mandate"
)

// descriptionFile says who plays what in a network's folder, so that another process can
// ask the same daemons.
const descriptionFile = "network.json"

type description struct {
	TLS           bool                 `json:"tls"`
	Scheme        partyDescription     `json:"scheme"`
	Authenticator partyDescription     `json:"authenticator"`
	Broker        partyDescription     `json:"broker"`
	Providers     []partyDescription   `json:"providers"`
	Registers     []partyDescription   `json:"registers"`
	Replicas      []string             `json:"replicas,omitempty"` // where further daemons of the first register answer queries
	Services      []serviceDescription `json:"services"`
	Persons       []personDescription  `json:"persons"`
}

type partyDescription struct {
	Name     string `json:"name"`
	Title    string `json:"title"`
	Entity   string `json:"entity"`
	Consumer string `json:"consumer"`
	Address  string `json:"address,omitempty"`  // registers: as queries name it
	Endpoint string `json:"endpoint,omitempty"` // registers: where the first daemon answers queries
}

type serviceDescription struct {
	Name     string `json:"name"`
	Provider string `json:"provider"`
	Level    string `json:"level"`
	ID       string `json:"service_id"`
	UUID     string `json:"service_uuid"`
}

type personDescription struct {
	Name      string `json:"name"`
	Pseudonym string `json:"pseudonym"` // made up: nobody real has it
}

// Save writes down who plays what, with the people that can log in, for Attach.
func (n *Network) Save(people ...mandate.Person) error {
	d := description{
		TLS: n.options.TLS, Scheme: describe(n.Scheme), Authenticator: describe(n.Authenticator), Broker: describe(n.Broker.Party),
	}
	for _, p := range n.Providers {
		d.Providers = append(d.Providers, describe(p))
	}
	for _, r := range n.registers() {
		register := describe(r.Party)
		register.Address, register.Endpoint = r.Address, r.Endpoint
		d.Registers = append(d.Registers, register)
	}
	for _, r := range n.Replicas {
		d.Replicas = append(d.Replicas, r.Endpoint)
	}
	for _, s := range n.Services {
		d.Services = append(d.Services, serviceDescription{s.Name, s.Provider, s.Level.String(), s.ID.String(), s.UUID.String()})
	}
	for _, p := range people {
		d.Persons = append(d.Persons, personDescription{p.Name, p.Subject.Pseudonym.Text()})
	}
	text, err := json.MarshalIndent(d, "", "  ")
	if err != nil {
		return err
	}
	return n.write(descriptionFile, text)
}

func describe(p *Party) partyDescription {
	return partyDescription{Name: p.Name, Title: p.Title, Entity: p.Entity.String(), Consumer: p.Consumer}
}

// Attach reads the folder of a network whose daemons run in another process, and the
// people who can log in, by name. Its registers can be asked but not changed.
func Attach(folder string) (*Network, map[string]mandate.Person, error) {
	text, err := os.ReadFile(filepath.Join(folder, descriptionFile))
	if err != nil {
		return nil, nil, fmt.Errorf("reading the network: %w", err)
	}
	var d description
	if err := json.Unmarshal(text, &d); err != nil {
		return nil, nil, fmt.Errorf("%s: %w", descriptionFile, err)
	}
	n := &Network{Folder: folder, Services: map[string]Service{}, Providers: map[string]*Party{}, clock: time.Now, options: Options{TLS: d.TLS}}
	people, err := n.attach(d)
	return n, people, err
}

func (n *Network) attach(d description) (people map[string]mandate.Person, err error) {
	if n.Scheme, err = n.restore(d.Scheme); err != nil {
		return nil, err
	}
	if n.Authenticator, err = n.restore(d.Authenticator); err != nil {
		return nil, err
	}
	broker, err := n.restore(d.Broker)
	if err != nil {
		return nil, err
	}
	n.Broker = &Broker{Party: broker, network: n}
	for _, p := range d.Providers {
		if n.Providers[p.Title], err = n.restore(p); err != nil {
			return nil, err
		}
	}
	for i, r := range d.Registers {
		party, err := n.restore(r)
		if err != nil {
			return nil, err
		}
		node := &RegisterNode{Party: party, Address: r.Address, Endpoint: r.Endpoint, network: n}
		if i == 0 {
			n.First = node
		} else {
			n.Second = node
		}
	}
	for _, endpoint := range d.Replicas {
		n.Replicas = append(n.Replicas, &RegisterNode{Party: n.First.Party, Address: n.First.Address, Endpoint: endpoint, network: n})
	}
	if err := n.restoreServices(d.Services); err != nil {
		return nil, err
	}
	people = map[string]mandate.Person{}
	for _, p := range d.Persons {
		pseudonym, err := etoegang.ParsePseudonym(p.Pseudonym)
		if err != nil {
			return nil, err
		}
		people[p.Name] = mandate.Person{Name: p.Name, Active: true, Subject: etoegang.ActingSubject{Authenticator: n.Authenticator.Entity, Pseudonym: pseudonym}}
	}
	return people, nil
}

func (n *Network) restore(d partyDescription) (*Party, error) {
	p := &Party{Name: d.Name, Title: d.Title, Consumer: d.Consumer}
	var err error
	if d.Entity != "" { // the scheme signs and never asks: it has no name in the network
		if p.Entity, err = etoegang.ParseEntityID(d.Entity); err != nil {
			return nil, err
		}
	}
	pair := devkeys.Pair{Name: d.Name}
	folder := filepath.Join(n.Folder, "keys")
	pair.Key, pair.Certificate, err = daemon.ReadKey(filepath.Join(folder, pair.KeyFile()), filepath.Join(folder, pair.CertificateFile()))
	p.pair = pair
	return p, err
}

func (n *Network) restoreServices(list []serviceDescription) (err error) {
	for _, d := range list {
		s := Service{Name: d.Name, Provider: d.Provider, Home: n.Providers[d.Provider]}
		if s.Home == nil {
			return fmt.Errorf("service %s: provider %q is not in the network", d.Name, d.Provider)
		}
		if s.Level, err = etoegang.ParseLevelName(d.Level); err != nil {
			return err
		}
		if s.ID, err = etoegang.ParseServiceID(d.ID); err != nil {
			return err
		}
		if s.UUID, err = etoegang.ParseServiceUUID(d.UUID); err != nil {
			return err
		}
		n.Services[s.Name] = s
	}
	return nil
}
