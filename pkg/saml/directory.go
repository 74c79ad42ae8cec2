package saml

import (
	"bytes"
	"crypto/rsa"
	"crypto/x509"
	"slices"
	"strings"
	"time"

	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/xmlsec"
)

// Participant is what the metadata of one participant says of it, in its one role.
type Participant struct {
	Entity     etoegang.EntityID
	Name       string       // of the organisation, for people; "": its metadata name none
	Signing    []xmlsec.Key // what it signs and identifies itself with
	Encryption []xmlsec.Key // what to encrypt to it with
	Consumers  []Consumer   // AssertionConsumerServices
	Resolvers  []Resolver   // ArtifactResolutionServices
	Services   []Endpoint   // where queries go (AuthzService), for registers
	SignOn     []Endpoint   // where AuthnRequests go (SingleSignOnService), for brokers
	Chain      string       // where other registers ask for chain mandates, for registers; "": nowhere
	Until      time.Time    // after this the metadata may not be used; zero: no end
}

// Endpoint is an address with its binding.
type Endpoint struct{ Binding, Location string }

// Consumer is an AssertionConsumerService: where answers go.
type Consumer struct {
	Endpoint
	Index   int
	Default bool
}

// Resolver is an ArtifactResolutionService: where the messages behind artifacts are fetched.
type Resolver struct {
	Endpoint
	Index uint16
}

// Directory is everybody we know, by EntityID. It is built once and only read
// afterwards; a new one takes its place when metadata change.
type Directory struct {
	participants map[etoegang.EntityID]Participant
	sources      map[[20]byte]etoegang.EntityID // by their names in artifacts
}

// NewDirectory makes a directory. Of two entries with the same name the later counts.
func NewDirectory(participants ...Participant) *Directory {
	d := &Directory{
		participants: make(map[etoegang.EntityID]Participant, len(participants)),
		sources:      make(map[[20]byte]etoegang.EntityID, len(participants)),
	}
	for _, p := range participants {
		d.participants[p.Entity] = p
		d.sources[SourceID(p.Entity)] = p.Entity
	}
	return d
}

// Find gives a participant whose metadata are still valid.
func (d *Directory) Find(e etoegang.EntityID, now time.Time) (Participant, bool) {
	p, ok := d.participants[e]
	if !ok || !p.Until.IsZero() && !now.Before(p.Until) {
		return Participant{}, false
	}
	return p, true
}

// Registers gives all mandate registers by name, also those whose metadata have ended.
func (d *Directory) Registers() (list []Participant) {
	for _, p := range d.participants {
		if p.Entity.Role() == etoegang.Register {
			list = append(list, p)
		}
	}
	slices.SortFunc(list, func(a, b Participant) int { return strings.Compare(a.Entity.String(), b.Entity.String()) })
	return list
}

// keys gives the signing keys of a participant if it has one of the roles: a key
// speaks for its owner in its own role and in no other.
func (d *Directory) keys(issuer string, now time.Time, roles ...etoegang.Role) []xmlsec.Key {
	entity, err := etoegang.ParseEntityID(issuer)
	if err != nil {
		return nil
	}
	for _, role := range roles {
		if entity.Role() == role {
			p, _ := d.Find(entity, now)
			return p.Signing
		}
	}
	return nil
}

// Presents tells whether the participant's metadata list the certificate, which a TLS
// client showed, and it is valid.
func (p Participant) Presents(c *x509.Certificate, now time.Time) bool {
	for _, key := range p.Signing {
		if bytes.Equal(key.Certificate.Raw, c.Raw) {
			return !now.Before(c.NotBefore) && !now.After(c.NotAfter)
		}
	}
	return false
}

// Lists tells whether anybody's metadata list the certificate, so that more may be spent on
// whoever showed it.
func (d *Directory) Lists(c *x509.Certificate, now time.Time) bool {
	for _, p := range d.participants {
		if p.Presents(c, now) {
			return true
		}
	}
	return false
}

// Consumer gives the AssertionConsumerService with that index, or for "" the default
// one. A participant without any has none to give.
func (p Participant) Consumer(indexText string) (Consumer, bool) {
	if indexText == "" {
		for _, c := range p.Consumers {
			if c.Default {
				return c, true
			}
		}
		if len(p.Consumers) > 0 {
			return p.Consumers[0], true
		}
		return Consumer{}, false
	}
	wanted, ok := index(indexText)
	for _, c := range p.Consumers {
		if ok && c.Index == wanted {
			return c, true
		}
	}
	return Consumer{}, false
}

// SignOnAt gives the address where the participant takes AuthnRequests by that binding.
func (p Participant) SignOnAt(binding string) (address string, ok bool) {
	for _, e := range p.SignOn {
		if e.Binding == binding {
			return e.Location, true
		}
	}
	return "", false
}

// consumes tells whether the address is one of the participant's own.
func (p Participant) consumes(location string) bool {
	for _, c := range p.Consumers {
		if c.Location == location {
			return true
		}
	}
	return false
}

// RecipientOf makes a recipient of encrypted identifiers out of a key.
func RecipientOf(e etoegang.EntityID, key xmlsec.Key, gcm bool) xmlsec.Recipient {
	public, _ := key.Certificate.PublicKey.(*rsa.PublicKey) // others are refused when metadata and catalogue are read
	return xmlsec.Recipient{EntityID: e.String(), KeyName: key.Name, Key: public, GCM: gcm}
}
