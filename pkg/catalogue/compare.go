package catalogue

import (
	"cmp"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/mandated/mandated/pkg/etoegang"
)

// Change is what becomes of one provider's service from one edition to another.
type Change struct {
	Old, New *Definition // nil: it comes, or goes
	What     []Aspect    // that is different; none if it comes or goes
}

// Aspect is something of a service that can change.
type Aspect string

// The aspects, in the order in which they are told.
const (
	AspectLevel        Aspect = "level"
	AspectPublic       Aspect = "public"
	AspectPortal       Aspect = "portal"
	AspectIdentifiers  Aspect = "identifiers"  // by which the represented company and the person are known
	AspectRestrictions Aspect = "restrictions" // establishments, for one
	AspectAttributes   Aspect = "attributes"   // that the provider wants to know
	AspectInstances    Aspect = "instances"    // where it is run, how, and by which broker
	AspectWords        Aspect = "words"        // names and explanations
)

// Comes and Goes tell whether the service is in only one of the editions.
func (c Change) Comes() bool { return c.Old == nil }
func (c Change) Goes() bool  { return c.New == nil }

// Definition is the service, as the newer edition that has it says.
func (c Change) Definition() *Definition {
	if c.New != nil {
		return c.New
	}
	return c.Old
}

// Rises tells whether mandates need a higher level than before.
func (c Change) Rises() bool {
	return !c.Comes() && !c.Goes() && c.New.Service.Level > c.Old.Service.Level
}

// Compare tells what changes from one edition to another: one entry for each provider's
// service that comes, goes or is different, by provider and UUID. What an instance says of
// itself counts with its service.
func Compare(old, new *Catalogue) (changes []Change) {
	before, after := old.offers(), new.offers()
	all := maps.Clone(before)
	maps.Copy(all, after)
	keys := slices.SortedFunc(maps.Keys(all), func(a, b offer) int {
		return cmp.Or(strings.Compare(a.provider.String(), b.provider.String()), strings.Compare(a.service.String(), b.service.String()))
	})
	for _, k := range keys {
		b, a := before[k], after[k]
		c := Change{Old: b.Definition, New: a.Definition}
		if c.Old != nil && c.New != nil {
			c.What = different(b, a)
		}
		if c.Old == nil || c.New == nil || len(c.What) > 0 {
			changes = append(changes, c)
		}
	}
	return changes
}

// offer is a service of a provider: several may share one.
type offer struct {
	provider etoegang.OIN
	service  etoegang.ServiceUUID
}

// offered is how it stands in one edition.
type offered struct {
	*Definition
	instances map[etoegang.ServiceID]Instance
}

func (c *Catalogue) offers() map[offer]offered {
	all := map[offer]offered{}
	of := map[*Definition]offer{}
	for _, d := range c.definitions {
		of[d] = offer{d.Provider.OIN, d.Service.UUID}
		all[of[d]] = offered{d, map[etoegang.ServiceID]Instance{}}
	}
	for _, i := range c.instances {
		all[of[i.Definition]].instances[i.ID] = *i
	}
	return all
}

// different are the aspects in which two of the same service differ.
func different(old, new offered) (list []Aspect) {
	for _, a := range []struct {
		aspect   Aspect
		old, new any
	}{
		{AspectLevel, old.Service.Level, new.Service.Level},
		{AspectPublic, old.Service.Public && old.Provider.Public, new.Service.Public && new.Provider.Public},
		{AspectPortal, old.Portal, new.Portal},
		{AspectIdentifiers, [2]any{old.Service.EntityTypes, old.ActingTypes}, [2]any{new.Service.EntityTypes, new.ActingTypes}},
		{AspectRestrictions, old.Restrictions, new.Restrictions},
		{AspectAttributes, old.Requested, new.Requested},
		{AspectInstances, [2]any{old.Broker, runs(old.instances)}, [2]any{new.Broker, runs(new.instances)}},
		{AspectWords, words(old.Definition), words(new.Definition)},
	} {
		if !reflect.DeepEqual(a.old, a.new) {
			list = append(list, a.aspect)
		}
	}
	return list
}

// runs is what instances say, without what they point to and what they have from there.
func runs(instances map[etoegang.ServiceID]Instance) map[etoegang.ServiceID]Instance {
	plain := map[etoegang.ServiceID]Instance{}
	for id, i := range instances {
		if reflect.DeepEqual(i.EntityTypes, i.Definition.Service.EntityTypes) {
			i.EntityTypes = nil
		}
		i.Portal = i.Portal && !i.Definition.Portal
		i.Definition, i.Provider, i.service = nil, nil, nil
		plain[id] = i
	}
	return plain
}

func words(d *Definition) any {
	return [...]map[string]string{d.Names, d.Descriptions, d.URLs, d.Provider.Names}
}
