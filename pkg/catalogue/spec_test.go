package catalogue

import "github.com/mandated/mandated/pkg/etoegang"

// specOf describes a catalogue that was parsed, so that it can be compared with what
// was written.
func specOf(c *Catalogue) Spec {
	s := Spec{ID: "catalogue", Version: c.Version(), Issued: c.Issued()}
	for p := range c.Providers() {
		s.Providers = append(s.Providers, providerSpec(c, p))
	}
	return s
}

func providerSpec(c *Catalogue, p *Provider) ProviderSpec {
	s := ProviderSpec{OIN: p.OIN.String(), Names: p.Names, Public: p.Public}
	for d := range c.Definitions() {
		if d.Provider == p {
			s.Definitions = append(s.Definitions, definitionSpec(d))
		}
	}
	for i := range c.Instances() {
		if i.Provider == p {
			s.Instances = append(s.Instances, instanceSpec(i))
		}
	}
	return s
}

func definitionSpec(d *Definition) DefinitionSpec {
	return DefinitionSpec{
		UUID: d.Service.UUID.String(), Names: d.Names, Descriptions: d.Descriptions, URLs: some(d.URLs),
		Level: d.Service.Level.URN(), Broker: d.Broker.String(),
		EntityTypes: plainSets(d.Service.EntityTypes), ActingTypes: plainSets(d.ActingTypes),
		Restrictions: d.Restrictions, Requested: d.Requested, Public: d.Service.Public, Portal: d.Portal,
	}
}

func instanceSpec(i Instance) InstanceSpec {
	s := InstanceSpec{
		ID: i.ID.String(), UUID: i.UUID.String(), Of: i.Definition.Service.UUID.String(), Intermediated: i.Intermediated,
		URLs: some(i.URLs), PrivacyURLs: some(i.PrivacyURLs), Broker: i.Broker.String(), SingleSignOn: i.SingleSignOn,
		Certificates: i.Certificates, Intermediation: i.Intermediation, Intermediaries: i.Intermediaries,
		Classifiers: i.Classifiers, BsnkStructure: i.BsnkStructure, BsnkKeySet: i.BsnkKeySet,
		PortalFor: i.PortalFor, Public: i.Public, Portal: i.Portal,
	}
	for _, b := range i.AdditionalBrokers {
		s.AdditionalBrokers = append(s.AdditionalBrokers, b.String())
	}
	if len(i.EntityTypes) != len(i.Definition.Service.EntityTypes) {
		s.EntityTypes = plainSets(i.EntityTypes)
	}
	return s
}

// some makes no texts and no map the same.
func some(texts map[string]string) map[string]string {
	if len(texts) == 0 {
		return nil
	}
	return texts
}

func plainSets(sets [][]etoegang.EntityType) (plain [][]string) {
	for _, set := range sets {
		var types []string
		for _, t := range set {
			types = append(types, string(t))
		}
		plain = append(plain, types)
	}
	return plain
}
