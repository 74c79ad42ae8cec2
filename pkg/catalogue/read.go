package catalogue

import (
	"crypto/x509"
	"maps"
	"slices"
	"time"

	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/xmlsec"
)

// How long texts may be, in characters (schema 1.13).
const (
	longestName        = 64
	longestDescription = 1024
	longestURL         = 512
)

// read makes a catalogue of a tree. It is of no use if the reader found problems.
func read(root *xmlsec.Node, now time.Time) (*Catalogue, *reader) {
	r := &reader{now: now, certificates: map[string]*x509.Certificate{}}
	r.strange(root)
	c := &Catalogue{issue: r.issue(root)}
	l := linker{reader: r, catalogue: c, nodes: map[any]*xmlsec.Node{}}
	for _, n := range root.All(name("ServiceProvider")) {
		l.provider(n)
	}
	if len(c.providers) == 0 {
		r.fail(root, "lacks ServiceProvider")
	}
	l.link()
	return c, r
}

// provider reads a provider with all that it offers.
func (l *linker) provider(n *xmlsec.Node) {
	l.strange(n)
	p := &Provider{
		OIN:    one(l.reader, n, "ServiceProviderID", etoegang.ParseOIN),
		Names:  l.texts(n, "OrganizationDisplayName", longestName, 1),
		Public: l.flag(n, "IsPublic", true),
	}
	l.nodes[p] = n
	l.catalogue.providers = append(l.catalogue.providers, p)
	for _, c := range n.All(name("ServiceDefinition")) {
		d := l.definition(c, p)
		l.nodes[d] = c
		l.catalogue.definitions = append(l.catalogue.definitions, d)
	}
	for _, c := range n.All(name("ServiceInstance")) {
		i := l.instance(c, p)
		l.nodes[i] = c
		l.catalogue.instances = append(l.catalogue.instances, i)
	}
}

func (r *reader) definition(n *xmlsec.Node, p *Provider) *Definition {
	r.strange(n)
	d := &Definition{
		Provider:     p,
		Broker:       one(r, n, "HerkenningsmakelaarId", etoegang.ParseOIN),
		Names:        r.texts(n, "ServiceName", longestName, 1),
		Descriptions: r.texts(n, "ServiceDescription", longestDescription, 1),
		URLs:         r.texts(n, "ServiceDescriptionURL", longestURL, 0),
		ActingTypes:  r.sets(n, "ActingSubjectTypesAllowed", 0),
		Restrictions: r.each(n, "ServiceRestrictionsAllowed"),
		Portal:       r.flag(n, "IsPortal", false),
	}
	d.Service = &etoegang.Service{
		UUID:           one(r, n, "ServiceUUID", etoegang.ParseServiceUUID),
		Provider:       p.OIN,
		Level:          one(r, n, "saml:AuthnContextClassRef", etoegang.ParseAssuranceLevel),
		EntityTypes:    r.sets(n, "EntityConcernedTypesAllowed", 1),
		Establishments: slices.Contains(d.Restrictions, etoegang.RestrictionEstablishment),
		Public:         p.Public && r.flag(n, "IsPublic", true),
	}
	for _, c := range n.All(name("RequestedAttribute")) {
		d.Requested = append(d.Requested, r.requested(c))
	}
	if d.Service.Level == etoegang.LoA1 {
		r.warn(n, "asks for loa1, which ended on 1 July 2021; mandates of loa2 and up will do")
	}
	for _, restriction := range d.Restrictions {
		if restriction != etoegang.RestrictionEstablishment {
			r.warn(n, "allows the restriction %.80q, which is unknown and ignored", restriction)
		}
	}
	return d
}

func (r *reader) requested(n *xmlsec.Node) RequestedAttribute {
	r.strange(n)
	attribute, _ := r.required(n, "Name")
	return RequestedAttribute{
		Name:     attribute,
		Required: r.flag(n, "isRequired", false),
		Purposes: r.texts(n, "PurposeStatement", longestDescription, 1),
	}
}

func (r *reader) instance(n *xmlsec.Node, p *Provider) *Instance {
	r.strange(n)
	i := &Instance{
		ID:            one(r, n, "ServiceID", etoegang.ParseServiceID),
		UUID:          one(r, n, "ServiceUUID", etoegang.ParseServiceUUID),
		Provider:      p,
		Public:        r.flag(n, "IsPublic", true),
		Portal:        r.flag(n, "IsPortal", false),
		EntityTypes:   r.sets(n, "EntityConcernedTypesAllowed", 0),
		Broker:        one(r, n, "HerkenningsmakelaarId", etoegang.ParseOIN),
		URLs:          r.texts(n, "ServiceURL", longestURL, 0),
		PrivacyURLs:   r.texts(n, "PrivacyPolicyURL", longestURL, 0),
		of:            r.maybe(n, "InstanceOfService"),
		Intermediated: r.maybe(n, "IntermediatedService"),
		BsnkStructure: r.maybe(n, "BsnkStructureVersion"),
		BsnkKeySet:    r.maybe(n, "BsnkRecipientKeySetVersion"),
		PortalFor:     r.each(n, "PortalForService"),
	}
	for _, c := range n.All(name("AdditionalHerkenningsmakelaarId")) {
		i.AdditionalBrokers = append(i.AdditionalBrokers, parsed(r, c, etoegang.ParseOIN))
	}
	if sso := r.maybe(n, "SSOSupport"); sso != "" {
		i.SingleSignOn = r.boolean(n, "SSOSupport", sso)
	}
	for _, c := range n.All(name("ServiceCertificate")) {
		i.Certificates = append(i.Certificates, r.keys(c)...)
	}
	for _, c := range n.All(name("Classifiers")) {
		r.strange(c)
		i.Classifiers = append(i.Classifiers, r.each(c, "Classifier")...)
	}
	r.intermediation(n, i)
	if !i.ID.IsZero() && i.ID.Provider() != p.OIN {
		r.warn(n, "has a ServiceID that names another provider, %s", i.ID.Provider())
	}
	return i
}

// intermediation reads who may offer this service on the provider's behalf
// (Dienstbemiddeling). It has nothing to do with chains of mandates.
func (r *reader) intermediation(n *xmlsec.Node, i *Instance) {
	i.Intermediation = "noIntermediation"
	for _, c := range n.All(name("ServiceIntermediation")) {
		r.strange(c)
		if value, ok := r.attribute(c, "intermediationAllowed"); ok {
			i.Intermediation = value
		}
		i.Intermediaries = r.each(c, "ServiceIntermediationAllowed")
	}
	switch i.Intermediation {
	case "noIntermediation", "generalAvailable", "serviceProviderOnly", "requiresApproval":
	default:
		r.warn(n, "has intermediationAllowed %.80q, which is unknown", i.Intermediation)
	}
}

// inOrder lists values by their number.
func inOrder[T any](byNumber map[uint64]T) []T {
	var values []T
	for _, number := range slices.Sorted(maps.Keys(byNumber)) {
		values = append(values, byNumber[number])
	}
	return values
}
