package catalogue

import (
	"crypto/x509"
	"encoding/base64"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/mandated/mandated/pkg/xmlsec"
)

// Spec describes a catalogue to be written, for test networks. Values are written
// as they are, also wrong ones: Parse is what judges.
type Spec struct {
	ID        string // what a signature refers to; "catalogue" if empty
	Version   string // urn:etoegang:1.13:service-catalogue:T:1
	Issued    time.Time
	Providers []ProviderSpec
}

// ProviderSpec describes a provider.
type ProviderSpec struct {
	OIN         string
	Names       map[string]string // by language
	Public      bool
	Definitions []DefinitionSpec
	Instances   []InstanceSpec
}

// DefinitionSpec describes what a service is.
type DefinitionSpec struct {
	UUID                      string
	Names, Descriptions, URLs map[string]string // by language
	Level                     string            // its URN
	Broker                    string            // OIN
	EntityTypes               [][]string        // sets, numbered from 1
	ActingTypes               [][]string        // sets, numbered from 1
	Restrictions              []string
	Requested                 []RequestedAttribute
	Public, Portal            bool
}

// InstanceSpec describes how an endpoint runs a service. What is empty is left out.
type InstanceSpec struct {
	ID, UUID                  string
	Of                        string // UUID of the definition
	Intermediated             string
	URLs, PrivacyURLs         map[string]string // by language
	Broker                    string            // OIN
	AdditionalBrokers         []string
	SingleSignOn              bool
	EntityTypes               [][]string // sets, numbered from 1
	Certificates              []xmlsec.Key
	Intermediation            string
	Intermediaries            []string
	Classifiers               []string
	BsnkStructure, BsnkKeySet string
	PortalFor                 []string
	Public, Portal            bool
}

// Build writes a catalogue without its signature, in the order of the schema. Sign
// it with an xmlsec.Signer; catalogues carry X509Data.
func Build(s Spec) *xmlsec.Element {
	if s.ID == "" {
		s.ID = "catalogue"
	}
	return xmlsec.E("esc:ServiceCatalogue",
		xmlsec.A("ID", s.ID),
		xmlsec.A("esc:Version", s.Version),
		xmlsec.A("esc:IssueInstant", s.Issued.UTC().Format(time.RFC3339)),
		each(s.Providers, buildProvider))
}

func buildProvider(p ProviderSpec) *xmlsec.Element {
	return xmlsec.E("esc:ServiceProvider",
		xmlsec.A("esc:IsPublic", strconv.FormatBool(p.Public)),
		xmlsec.E("esc:ServiceProviderID", p.OIN),
		localized("esc:OrganizationDisplayName", p.Names),
		each(p.Definitions, buildDefinition),
		each(p.Instances, buildInstance))
}

func buildDefinition(d DefinitionSpec) *xmlsec.Element {
	return xmlsec.E("esc:ServiceDefinition",
		xmlsec.A("esc:IsPublic", strconv.FormatBool(d.Public)),
		xmlsec.A("esc:IsPortal", strconv.FormatBool(d.Portal)),
		xmlsec.E("esc:ServiceUUID", d.UUID),
		localized("esc:ServiceName", d.Names),
		localized("esc:ServiceDescription", d.Descriptions),
		localized("esc:ServiceDescriptionURL", d.URLs),
		xmlsec.E("saml:AuthnContextClassRef", d.Level),
		xmlsec.E("esc:HerkenningsmakelaarId", d.Broker),
		numbered("esc:EntityConcernedTypesAllowed", d.EntityTypes),
		numbered("esc:ActingSubjectTypesAllowed", d.ActingTypes),
		plain("esc:ServiceRestrictionsAllowed", d.Restrictions...),
		each(d.Requested, buildRequested))
}

func buildRequested(a RequestedAttribute) *xmlsec.Element {
	return xmlsec.E("esc:RequestedAttribute",
		xmlsec.A("Name", a.Name),
		xmlsec.A("isRequired", strconv.FormatBool(a.Required)),
		localized("esc:PurposeStatement", a.Purposes))
}

func buildInstance(i InstanceSpec) *xmlsec.Element {
	return xmlsec.E("esc:ServiceInstance",
		xmlsec.A("esc:IsPublic", strconv.FormatBool(i.Public)),
		xmlsec.A("esc:IsPortal", strconv.FormatBool(i.Portal)),
		xmlsec.E("esc:ServiceID", i.ID),
		xmlsec.E("esc:ServiceUUID", i.UUID),
		plain("esc:InstanceOfService", i.Of),
		plain("esc:IntermediatedService", i.Intermediated),
		localized("esc:ServiceURL", i.URLs),
		localized("esc:PrivacyPolicyURL", i.PrivacyURLs),
		xmlsec.E("esc:HerkenningsmakelaarId", i.Broker),
		plain("esc:AdditionalHerkenningsmakelaarId", i.AdditionalBrokers...),
		xmlsec.E("esc:SSOSupport", strconv.FormatBool(i.SingleSignOn)),
		numbered("esc:EntityConcernedTypesAllowed", i.EntityTypes),
		each(i.Certificates, buildKey),
		buildIntermediation(i),
		buildClassifiers(i.Classifiers),
		plain("esc:BsnkStructureVersion", i.BsnkStructure),
		plain("esc:BsnkRecipientKeySetVersion", i.BsnkKeySet),
		plain("esc:PortalForService", i.PortalFor...))
}

func buildIntermediation(i InstanceSpec) *xmlsec.Element {
	if i.Intermediation == "" {
		return nil
	}
	return xmlsec.E("esc:ServiceIntermediation", xmlsec.A("intermediationAllowed", i.Intermediation),
		plain("esc:ServiceIntermediationAllowed", i.Intermediaries...))
}

func buildClassifiers(values []string) *xmlsec.Element {
	if len(values) == 0 {
		return nil
	}
	return xmlsec.E("esc:Classifiers", plain("esc:Classifier", values...))
}

func buildKey(k xmlsec.Key) *xmlsec.Element {
	return xmlsec.E("esc:ServiceCertificate",
		xmlsec.E("md:KeyDescriptor", xmlsec.A("use", "encryption"),
			xmlsec.E("ds:KeyInfo",
				plain("ds:KeyName", k.Name),
				xmlsec.E("ds:X509Data", certificate(k.Certificate)))))
}

func certificate(c *x509.Certificate) *xmlsec.Element {
	return xmlsec.E("ds:X509Certificate", base64.StdEncoding.EncodeToString(c.Raw))
}

func each[T any](all []T, build func(T) *xmlsec.Element) []*xmlsec.Element {
	elements := make([]*xmlsec.Element, len(all))
	for n, one := range all {
		elements[n] = build(one)
	}
	return elements
}

// plain writes an element for each value that is not empty.
func plain(name string, values ...string) (elements []*xmlsec.Element) {
	for _, value := range values {
		if value != "" {
			elements = append(elements, xmlsec.E(name, value))
		}
	}
	return elements
}

// localized writes an element for each language, in the order of their codes.
func localized(name string, texts map[string]string) (elements []*xmlsec.Element) {
	for _, lang := range slices.Sorted(maps.Keys(texts)) {
		elements = append(elements, xmlsec.E(name, xmlsec.A("xml:lang", lang), texts[lang]))
	}
	return elements
}

func numbered(name string, sets [][]string) (elements []*xmlsec.Element) {
	for n, set := range sets {
		for _, value := range set {
			elements = append(elements, xmlsec.E(name, xmlsec.A("setNumber", strconv.Itoa(n+1)), value))
		}
	}
	return elements
}
