package catalogue

import (
	"strings"

	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/xmlsec"
)

// spaces are the namespaces of a catalogue, by the prefixes used below.
var spaces = map[string]string{
	"esc":  etoegang.NamespaceCatalogue,
	"ds":   "http://www.w3.org/2000/09/xmldsig#",
	"md":   "urn:oasis:names:tc:SAML:2.0:metadata",
	"saml": "urn:oasis:names:tc:SAML:2.0:assertion",
	"xml":  "http://www.w3.org/XML/1998/namespace",
	"xsi":  "http://www.w3.org/2001/XMLSchema-instance",
}

// name reads "prefix:local"; without a prefix it is in the catalogue's namespace.
func name(s string) xmlsec.Name {
	prefix, local, ok := strings.Cut(s, ":")
	if !ok {
		prefix, local = "esc", s
	}
	return xmlsec.Name{Space: spaces[prefix], Local: local}
}

var (
	nameCatalogue = name("ServiceCatalogue")
	nameSignature = name("ds:Signature")
)

// shape is what an element may have: everything else is told as a warning.
type shape struct {
	attributes, children map[xmlsec.Name]bool
}

func shaped(attributes, children string) shape {
	s := shape{map[xmlsec.Name]bool{}, map[xmlsec.Name]bool{}}
	for _, a := range strings.Fields(attributes) {
		s.attributes[name(a)] = true
	}
	for _, c := range strings.Fields(children) {
		s.children[name(c)] = true
	}
	return s
}

// shapes is the schema, as far as names go.
var shapes = map[xmlsec.Name]shape{
	name("ServiceCatalogue"): shaped("IssueInstant Version ID", "ds:Signature ServiceProvider"),
	name("ServiceProvider"):  shaped("IsPublic", "ServiceProviderID OrganizationDisplayName ServiceDefinition ServiceInstance"),
	name("ServiceDefinition"): shaped("IsPublic IsPortal", `ServiceUUID ServiceName ServiceDescription
		ServiceDescriptionURL saml:AuthnContextClassRef HerkenningsmakelaarId EntityConcernedTypesAllowed
		ActingSubjectTypesAllowed ServiceRestrictionsAllowed RequestedAttribute`),
	name("ServiceInstance"): shaped("IsPublic IsPortal", `ServiceID ServiceUUID InstanceOfService IntermediatedService
		ServiceURL PrivacyPolicyURL HerkenningsmakelaarId AdditionalHerkenningsmakelaarId SSOSupport
		EntityConcernedTypesAllowed ServiceCertificate ServiceIntermediation Classifiers BsnkStructureVersion
		BsnkRecipientKeySetVersion PortalForService`),
	name("RequestedAttribute"):    shaped("Name NameFormat FriendlyName isRequired", "PurposeStatement saml:AttributeValue"),
	name("ServiceCertificate"):    shaped("", "md:KeyDescriptor"),
	name("ServiceIntermediation"): shaped("intermediationAllowed", "ServiceIntermediationAllowed"),
	name("Classifiers"):           shaped("", "Classifier"),

	name("OrganizationDisplayName"):     shaped("xml:lang", ""),
	name("ServiceName"):                 shaped("xml:lang", ""),
	name("ServiceDescription"):          shaped("xml:lang", ""),
	name("ServiceDescriptionURL"):       shaped("xml:lang", ""),
	name("ServiceURL"):                  shaped("xml:lang", ""),
	name("PrivacyPolicyURL"):            shaped("xml:lang", ""),
	name("PurposeStatement"):            shaped("xml:lang", ""),
	name("EntityConcernedTypesAllowed"): shaped("setNumber", ""),
	name("ActingSubjectTypesAllowed"):   shaped("setNumber", ""),
}

// strange warns about what the schema does not know. Attributes are accepted with
// and without the catalogue's namespace; those for schema tools mean nothing here.
func (r *reader) strange(n *xmlsec.Node) {
	s := shapes[n.Name]
	for _, a := range n.Attrs {
		known := a.Name
		if known.Space == "" {
			known.Space = spaces["esc"]
		}
		if !s.attributes[known] && known.Space != spaces["xsi"] {
			r.warn(n, "has an attribute %s, which is unknown and ignored", a.Name)
		}
	}
	for _, c := range n.Children {
		if !s.children[c.Name] {
			r.warn(c, "does not belong in %s and is ignored", n.Name.Local)
		}
	}
}
