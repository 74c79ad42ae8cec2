// Package catalogue reads the service catalogue of eHerkenning (schema 1.13,
// namespace urn:etoegang:1.13:service-catalog): which services exist, what each
// demands, and with which certificates identifiers for it are encrypted. It owns
// that document's form, in both directions.
//
// It has never heard of mandates, decisions or HTTP. It fetches nothing and keeps
// nothing: a catalogue is parsed from bytes and then only read.
//
// A definition says what a service is, and mandates live on its UUID. An instance
// is how one endpoint runs it, and what a query names. Values come only from the
// element that the signature covers, unless the operator trusts a local file.
//
// The scheme's page warns that the schema it prints is not correct. So what is
// unknown is a warning; what is missing or broken is an error, because a service
// that is half understood would be decided upon wrongly.
package catalogue

import (
	"iter"
	"maps"
	"slices"
	"time"

	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/xmlsec"
)

// Catalogue is a parsed service catalogue. It never changes and may be read by any
// number of goroutines; the same goes for all that it gives out.
type Catalogue struct {
	issue  issue
	sha256 [32]byte
	signer string

	providers   []*Provider
	definitions []*Definition
	instances   []*Instance

	byOIN     map[etoegang.OIN]*Provider
	byUUID    map[etoegang.ServiceUUID][]*Definition // several if providers share a service
	byID      map[etoegang.ServiceID]*Instance
	offeredBy map[etoegang.ServiceUUID][]etoegang.OIN // who defines a service, or runs it for another
}

// Sequence orders the editions: a smaller one than before must not be loaded.
func (c *Catalogue) Sequence() int64 { return c.issue.sequence }

// Version is the edition's name as the document has it.
func (c *Catalogue) Version() string { return c.issue.version }

// Environment is the network that the edition is for, T being test; empty if the
// version does not say.
func (c *Catalogue) Environment() string { return c.issue.environment }

// Issued is when the edition was made, as it says itself.
func (c *Catalogue) Issued() time.Time { return c.issue.at }

// SHA256 identifies the bytes that were parsed.
func (c *Catalogue) SHA256() [32]byte { return c.sha256 }

// Signer is the SHA-256, in hexadecimal digits, of the public key whose signature
// was verified. It is empty for a local file whose signature was not.
func (c *Catalogue) Signer() string { return c.signer }

// Find resolves what a query names. The uuid may be the instance's or its
// definition's, since the scheme's pages differ on which one a message carries. It
// is false if there is no such instance, or if the two do not belong together.
func (c *Catalogue) Find(id etoegang.ServiceID, uuid etoegang.ServiceUUID) (Instance, bool) {
	i, known := c.Instance(id)
	if !known || uuid != i.UUID && uuid != i.Definition.Service.UUID {
		return Instance{}, false
	}
	return i, true
}

// Instance returns the instance with that ServiceID.
func (c *Catalogue) Instance(id etoegang.ServiceID) (Instance, bool) {
	if i := c.byID[id]; i != nil {
		return *i, true
	}
	return Instance{}, false
}

// Definition returns the definition with that UUID; if providers share it, that of
// the first in the document.
func (c *Catalogue) Definition(uuid etoegang.ServiceUUID) (*Definition, bool) {
	if shared := c.byUUID[uuid]; len(shared) > 0 {
		return shared[0], true
	}
	return nil, false
}

// Provider returns the provider with that OIN.
func (c *Catalogue) Provider(oin etoegang.OIN) (*Provider, bool) {
	p, known := c.byOIN[oin]
	return p, known
}

// OfferedBy tells who offers the service with that UUID: who defines it, and who runs an instance
// of it. Nobody if the catalogue does not have it.
func (c *Catalogue) OfferedBy(uuid etoegang.ServiceUUID) []etoegang.OIN { return c.offeredBy[uuid] }

// Definitions lists all definitions, in the order of the document.
func (c *Catalogue) Definitions() iter.Seq[*Definition] { return slices.Values(c.definitions) }

// Providers lists all providers, in the order of the document.
func (c *Catalogue) Providers() iter.Seq[*Provider] { return slices.Values(c.providers) }

// Instances lists all instances, in the order of the document.
func (c *Catalogue) Instances() iter.Seq[Instance] {
	return func(yield func(Instance) bool) {
		for _, i := range c.instances {
			if !yield(*i) {
				return
			}
		}
	}
}

// Provider is an organisation that offers services.
type Provider struct {
	OIN    etoegang.OIN
	Names  map[string]string // by language
	Public bool              // false: for test networks
}

// Name is the provider's name in the wanted language, else in Dutch, English, or any.
func (p *Provider) Name(lang string) string { return inLanguage(p.Names, lang) }

// Definition says what a service is.
type Definition struct {
	// Service is what the definition alone demands. Its Underlying is nil: services
	// behind a portal are named by instances.
	Service  *etoegang.Service
	Provider *Provider
	Broker   etoegang.OIN // HerkenningsmakelaarId

	Names, Descriptions, URLs map[string]string // by language

	ActingTypes  [][]etoegang.EntityType // ActingSubjectTypesAllowed, by setNumber
	Restrictions []string                // ServiceRestrictionsAllowed, as written
	Requested    []RequestedAttribute
	Portal       bool
}

// Name is the service's name in the wanted language, else in Dutch, English, or any.
func (d *Definition) Name(lang string) string { return inLanguage(d.Names, lang) }

// Description tells users what the service is for, in the same order of languages.
func (d *Definition) Description(lang string) string { return inLanguage(d.Descriptions, lang) }

// RequestedAttribute is something the provider wants to know about its users.
type RequestedAttribute struct {
	Name     string
	Required bool
	Purposes map[string]string // by language
}

// Instance is how one endpoint runs a service.
type Instance struct {
	ID         etoegang.ServiceID
	UUID       etoegang.ServiceUUID // its own; mandates are on that of the definition
	Definition *Definition
	Provider   *Provider // who runs it

	Public, Portal bool // what the instance says; a portal also if its definition says so

	// Certificates are the keys with which identifiers for this endpoint are encrypted.
	Certificates []xmlsec.Key

	// EntityTypes are the instance's own sets if it has any, else its definition's.
	EntityTypes [][]etoegang.EntityType

	Broker            etoegang.OIN
	AdditionalBrokers []etoegang.OIN
	URLs, PrivacyURLs map[string]string // by language
	SingleSignOn      bool
	Intermediated     string   // IntermediatedService: the UUID of a supplier's instance
	Intermediation    string   // intermediationAllowed; noIntermediation if absent
	Intermediaries    []string // ServiceIntermediationAllowed: OINs
	Classifiers       []string
	BsnkStructure     string   // BsnkStructureVersion
	BsnkKeySet        string   // BsnkRecipientKeySetVersion
	PortalFor         []string // PortalForService, as written

	of      string // InstanceOfService, as written
	service *etoegang.Service
}

// Service is what a decision needs to know: the definition, as this instance runs
// it. It is public only if the instance, the definition and its provider are.
func (i Instance) Service() *etoegang.Service { return i.service }

// inLanguage chooses among texts. Any is the first in the order of language codes.
func inLanguage(texts map[string]string, lang string) string {
	for _, l := range []string{lang, "nl", "en"} {
		if text, ok := texts[l]; ok {
			return text
		}
	}
	for _, l := range slices.Sorted(maps.Keys(texts)) {
		return texts[l]
	}
	return ""
}
