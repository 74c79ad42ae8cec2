package catalogue

import (
	"reflect"
	"slices"

	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/xmlsec"
)

// linker makes one catalogue of the parts: it finds what refers to what, and what
// is there twice.
type linker struct {
	*reader
	catalogue *Catalogue
	nodes     map[any]*xmlsec.Node // of providers, definitions and instances

	byInstance map[etoegang.ServiceUUID]*Instance
}

func (l *linker) link() {
	l.indexProviders()
	l.indexDefinitions()
	l.indexInstances()
	for _, i := range l.catalogue.instances {
		if i.Definition = l.definitionOf(i); i.Definition == nil {
			l.fail(l.nodes[i], "does not lead to any known ServiceDefinition")
		}
	}
	for _, i := range l.catalogue.instances {
		if i.Definition != nil {
			l.complete(i)
			l.offers(i.Definition.Service.UUID, i.Provider)
		}
	}
}

func (l *linker) indexProviders() {
	l.catalogue.byOIN = make(map[etoegang.OIN]*Provider, len(l.catalogue.providers))
	for _, p := range l.catalogue.providers {
		if l.catalogue.byOIN[p.OIN] != nil && !p.OIN.IsZero() {
			l.fail(l.nodes[p], "is there twice, with OIN %s", p.OIN)
		}
		l.catalogue.byOIN[p.OIN] = p
	}
}

// indexDefinitions finds definitions by UUID. Providers may share one UUID for a
// service that all of them offer, and then share the mandates on it (scheme page
// "ServiceUUID"). Each then has a definition of its own; since one mandate counts for
// all, they must ask for the same level and the same types of identifiers.
func (l *linker) indexDefinitions() {
	l.catalogue.byUUID = make(map[etoegang.ServiceUUID][]*Definition, len(l.catalogue.definitions))
	l.catalogue.offeredBy = make(map[etoegang.ServiceUUID][]etoegang.OIN, len(l.catalogue.definitions))
	for _, d := range l.catalogue.definitions {
		uuid := d.Service.UUID
		if uuid.IsZero() {
			continue
		}
		for _, other := range l.catalogue.byUUID[uuid] {
			l.compare(d, other)
		}
		l.catalogue.byUUID[uuid] = append(l.catalogue.byUUID[uuid], d)
		l.offers(uuid, d.Provider)
		l.checkBSN(l.nodes[d], d.Service)
	}
}

// offers notes that a provider offers a service.
func (l *linker) offers(uuid etoegang.ServiceUUID, p *Provider) {
	if list := l.catalogue.offeredBy[uuid]; !slices.Contains(list, p.OIN) {
		l.catalogue.offeredBy[uuid] = append(list, p.OIN)
	}
}

func (l *linker) compare(d, other *Definition) {
	switch {
	case d.Provider == other.Provider:
		l.fail(l.nodes[d], "has the same ServiceUUID as another of this provider, %s", d.Service.UUID)
	case d.Service.Level != other.Service.Level:
		l.fail(l.nodes[d], "shares ServiceUUID %s with a provider that asks for another level", d.Service.UUID)
	case !reflect.DeepEqual(d.Service.EntityTypes, other.Service.EntityTypes):
		l.fail(l.nodes[d], "shares ServiceUUID %s with a provider that asks for other types of identifiers", d.Service.UUID)
	}
}

func (l *linker) indexInstances() {
	l.catalogue.byID = make(map[etoegang.ServiceID]*Instance, len(l.catalogue.instances))
	l.byInstance = make(map[etoegang.ServiceUUID]*Instance, len(l.catalogue.instances))
	for _, i := range l.catalogue.instances {
		if !i.ID.IsZero() && l.catalogue.byID[i.ID] != nil {
			l.fail(l.nodes[i], "has the same ServiceID as another, %s", i.ID)
		}
		if !i.UUID.IsZero() && l.byInstance[i.UUID] != nil {
			l.fail(l.nodes[i], "has the same ServiceUUID as another, %s", i.UUID)
		}
		l.catalogue.byID[i.ID] = i
		l.byInstance[i.UUID] = i
	}
}

// definitionOf follows InstanceOfService. An instance without it either carries the
// UUID of its definition or, when it runs a supplier's service, names the supplier's
// instance (IntermediatedService).
func (l *linker) definitionOf(i *Instance) *Definition {
	d := l.named(i)
	if d == nil && i.of == "" && i.Intermediated != "" {
		d = l.supplied(i)
	}
	if l.catalogue.byUUID[i.UUID] != nil && (d == nil || d.Service.UUID != i.UUID) {
		l.fail(l.nodes[i], "has the ServiceUUID of a definition that it is not an instance of, %s", i.UUID)
	}
	return d
}

// named is the definition that the instance names itself, or nil.
func (l *linker) named(i *Instance) *Definition {
	if i.of == "" {
		return l.definitionBy(i.UUID.String(), i.Provider)
	}
	return l.definitionBy(i.of, i.Provider)
}

// definitionBy prefers the provider's own definition of a shared service.
func (l *linker) definitionBy(text string, p *Provider) *Definition {
	uuid, err := etoegang.ParseServiceUUID(text)
	shared := l.catalogue.byUUID[uuid]
	if err != nil || len(shared) == 0 {
		return nil
	}
	if own := slices.IndexFunc(shared, func(d *Definition) bool { return d.Provider == p }); own >= 0 {
		return shared[own]
	}
	return shared[0]
}

// supplied is the definition behind the supplier's instance; one step, no further.
func (l *linker) supplied(i *Instance) *Definition {
	uuid, err := etoegang.ParseServiceUUID(i.Intermediated)
	supplier := l.byInstance[uuid]
	if err != nil || supplier == nil {
		return nil
	}
	return l.named(supplier)
}

// complete fills in what an instance takes from its definition, and from others.
func (l *linker) complete(i *Instance) {
	i.Portal = i.Portal || i.Definition.Portal
	service := *i.Definition.Service
	service.Public = i.Public && service.Public && i.Provider.Public
	if i.EntityTypes != nil {
		service.EntityTypes = i.EntityTypes
		l.checkBSN(l.nodes[i], &service)
	}
	i.EntityTypes = service.EntityTypes
	if i.Portal {
		service.Underlying = l.underlying(i)
	} else if len(i.PortalFor) > 0 {
		l.warn(l.nodes[i], "has PortalForService but is not a portal; it is ignored")
	}
	i.service = &service
}

// underlying finds the services behind a portal. It is never nil: a portal to
// nothing known lets nobody in.
func (l *linker) underlying(i *Instance) []etoegang.Target {
	targets := []etoegang.Target{}
	for _, text := range i.PortalFor {
		d := l.definitionBehind(text)
		if d == nil {
			l.warn(l.nodes[i], "is a portal for the unknown service %.100q", text)
			continue
		}
		target := etoegang.Target{UUID: d.Service.UUID, Provider: d.Service.Provider}
		if !slices.Contains(targets, target) {
			targets = append(targets, target)
		}
	}
	if len(targets) == 0 {
		l.warn(l.nodes[i], "is a portal without any known service behind it: nobody can use it")
	}
	return targets
}

// definitionBehind reads a PortalForService: the ServiceID or UUID of an instance,
// or the UUID of a definition.
func (l *linker) definitionBehind(text string) *Definition {
	if id, err := etoegang.ParseServiceID(text); err == nil {
		if i := l.catalogue.byID[id]; i != nil {
			return i.Definition
		}
		return nil
	}
	if uuid, err := etoegang.ParseServiceUUID(text); err == nil {
		if i := l.byInstance[uuid]; i != nil {
			return i.Definition
		}
	}
	return l.definitionBy(text, nil)
}

// checkBSN warns about services that ask for a citizen service number below
// substantial (scheme page "Betrouwbaarheidsniveaus").
func (l *linker) checkBSN(n *xmlsec.Node, s *etoegang.Service) {
	if s.Level >= etoegang.LoA3 {
		return
	}
	for _, set := range s.EntityTypes {
		if slices.Contains(set, etoegang.TypeBSN) || slices.Contains(set, etoegang.TypeBSNPlain) {
			l.warn(n, "asks for the BSN at %s; loa3 is the least that is allowed for it", s.Level)
			return
		}
	}
}
