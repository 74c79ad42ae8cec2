package harness

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/mandated/mandated/pkg/catalogue"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/saml"
)

// added is a provider that joined when the network was running.
type added struct {
	home     *Party
	services map[string]Service // by name
	clear    bool
}

// ErrTaken: a provider cannot join under the number of another organisation.
var ErrTaken = errors.New("another provider has this OIN")

// AddProvider lets a provider of somebody else's take part, as its metadata describe it.
// Under its own ServiceIDs it offers every service that the network has, except Manage, and what
// companies have mandated for a service holds at this provider too. It may bring services of its
// own along, each under the number that its ServiceID ends in, which is 10 or more; they get
// their UUIDs by that number, so that mandates hold when it joins again. With clear, registers
// also tell it in the clear what it cannot decrypt. All daemons know it when this returns.
// Whoever joined under the same EntityID before is replaced. It must not be called twice at a
// time.
func (n *Network) AddProvider(p saml.Participant, title string, clear bool, own map[int]Service) (map[string]Service, error) {
	if len(p.Consumers) == 0 {
		return nil, errors.New("there is no AssertionConsumerService, so nothing can be answered")
	}
	if len(p.Encryption) == 0 {
		return nil, errors.New("there is no key to encrypt to")
	}
	a := added{clear: clear, services: map[string]Service{}, home: &Party{
		Name: "added-" + p.Entity.OIN().String(), Title: title,
		Entity: p.Entity, Consumer: p.Consumers[0].Location, consumers: p.Consumers, foreign: &p,
	}}
	for i, s := range n.options.Services {
		if n.options.Manage != nil && s.Name == n.options.Manage.Name {
			continue // only the register has it
		}
		shared := n.Services[s.Name]
		shared.Home, shared.Provider = a.home, title
		shared.ID = mustParse(etoegang.ParseServiceID(fmt.Sprintf("urn:etoegang:DV:%s:services:%d", p.Entity.OIN(), i+1)))
		a.services[s.Name] = shared
	}
	for number, s := range own {
		if err := a.bring(number, s); err != nil {
			return nil, err
		}
	}
	if err := n.take(a); err != nil {
		return nil, err
	}
	return a.services, n.spread(a.home)
}

// firstOwn is the lowest number of a service that a provider brings along.
const firstOwn = 10

// bring adds a service of the provider's own.
func (a added) bring(number int, s Service) error {
	if _, taken := a.services[s.Name]; taken || s.Name == "" {
		return fmt.Errorf("there is a service %q already, or it has no name", s.Name)
	}
	if number < firstOwn || number > 65535 {
		return fmt.Errorf("service %s: its number %d is not between %d and 65535", s.Name, number, firstOwn)
	}
	oin := a.home.Entity.OIN().String()
	s.Home, s.Provider = a.home, a.home.Title
	s.ID = mustParse(etoegang.ParseServiceID(fmt.Sprintf("urn:etoegang:DV:%s:services:%d", oin, number)))
	s.UUID = mustParse(etoegang.ParseServiceUUID(fmt.Sprintf("%08d-%s-4%s-8%s-%s", number, oin[:4], oin[4:7], oin[7:10], oin[8:])))
	if s.EntityTypes == nil {
		s.EntityTypes = [][]etoegang.EntityType{{etoegang.TypeKvKNr}}
	}
	a.services[s.Name] = s
	return nil
}

// take gives a provider its place.
func (n *Network) take(a added) error {
	for _, p := range n.Providers {
		if p.Entity.OIN() == a.home.Entity.OIN() {
			return ErrTaken
		}
	}
	for i, other := range n.added {
		if other.home.Entity == a.home.Entity {
			n.added[i] = a
			return nil
		}
		if other.home.Entity.OIN() == a.home.Entity.OIN() {
			return ErrTaken
		}
	}
	n.added = append(n.added, a)
	return nil
}

// spread lets every daemon know.
func (n *Network) spread(p *Party) error {
	if err := errors.Join(n.writeMetadata(p), n.writeCatalogue()); err != nil {
		return err
	}
	for _, r := range n.nodes() {
		if err := errors.Join(n.writeConfig(r), r.Reload()); err != nil {
			return fmt.Errorf("telling %s: %w", r.Name, err)
		}
	}
	return nil
}

// spec describes the provider's services. Instances have UUIDs of their own, though what
// they are instances of is shared.
func (a added) spec(number int) catalogue.ProviderSpec {
	p := catalogue.ProviderSpec{OIN: a.home.Entity.OIN().String(), Names: both(a.home.Title), Public: true}
	for i, name := range slices.Sorted(maps.Keys(a.services)) {
		s := a.services[name]
		addService(&p, s, fmt.Sprintf("%08d-%04d-4000-8000-000000000000", i+1, number+1), behind(s, a.services))
	}
	return p
}

// clear are the settings of those who also read what is not encrypted.
func (n *Network) clear() map[string]any {
	settings := map[string]any{}
	for _, a := range n.added {
		if a.clear {
			settings[a.home.Entity.String()] = map[string]any{"clear_identifiers": true}
		}
	}
	return settings
}
