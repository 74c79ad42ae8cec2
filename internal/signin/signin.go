// Package signin lets people log in to our own pages with eHerkenning: we are then a service
// provider of the network, and a broker tells us who acts for whom. It owns the request, the
// judgement of the answer and our metadata as a provider (DV-HM, 1.13).
//
// Requests and metadata are of our own making. What crewjam/saml makes for providers has no signed
// metadata, no names of keys, no AttributeConsumingService and no index of where answers go, always
// asks with a NameIDPolicy, and signs with an RSA key in memory alone, never in a security module.
// It reads ours (internal/outside).
//
// It never touches sessions, cookies, pages or mandates, opens no connection and writes no
// log. Whoever calls it keeps what it began on the server, bound to the browser that began it,
// gives that back once, and remembers which assertions were used.
package signin

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/saml"
	"github.com/mandated/mandated/pkg/xmlsec"
)

// Config is what a door is made of. Unless it says otherwise, it is required.
type Config struct {
	Entity etoegang.EntityID // our name as a provider, urn:etoegang:DV:…
	Broker etoegang.EntityID // the one we ask, and the only one whose answers count

	// Directory has the broker, with the addresses where it takes requests, and all whose word
	// its answers rest on: authentication services and registers, our own among them.
	Directory *saml.Directory

	// Where browsers come back to: with an artifact of the answer, or with the answer itself
	// in a form. One of the two may be ""; if both are there, we ask for an artifact. Artifacts
	// need Resolve.
	Artifact, Post string

	// Resolve sends an ArtifactResolve, in its SOAP envelope, to an address of the broker and
	// gives what comes back. It bounds time and size itself.
	Resolve func(ctx context.Context, address string, envelope []byte) ([]byte, error)

	Service Service // what people log in for

	Signer     xmlsec.Signer   // in our name, with its certificate
	Signing    []xmlsec.Key    // as we publish them: the one of Signer and the next
	Encryption []xmlsec.Key    // to which registers encrypt who acts for whom
	Openers    []xmlsec.Opener // the keys of those, the newest first

	Organisation string // its name, for people who read our metadata
	Contact      string // e-mail address of a desk there

	Ages     saml.Ages // only Query and Skew count; zero: saml.DefaultAges
	Verifier xmlsec.Verifier
	Now      func() time.Time
}

// Service is what people log in for, as the catalogue has it. Who may act for some
// establishments only is not let in.
type Service struct {
	Index   int // in our metadata and requests, from 1
	ID      etoegang.ServiceID
	UUID    etoegang.ServiceUUID
	Level   etoegang.AssuranceLevel // the lowest that will do
	Highest etoegang.AssuranceLevel // the catalogue's: registers refuse a request for more; NoLevel: as Level
	Names   map[string]string       // by language, for the metadata
	Wants   []saml.RequestedAttribute
}

// Door is where people come in. It is read-only and may be used by many goroutines; when keys
// or the directory change, a new one takes its place, and finishes what the old one began.
type Door struct {
	c        Config
	receiver *saml.Receiver
}

// New makes a door, after it has read its own metadata as the broker would.
func New(c Config) (*Door, error) {
	if c.Ages == (saml.Ages{}) {
		c.Ages = saml.DefaultAges
	}
	if err := c.check(); err != nil {
		return nil, fmt.Errorf("signin: %w", err)
	}
	d := &Door{c, &saml.Receiver{Self: c.Entity, Directory: c.Directory, Openers: c.Openers, Ages: c.Ages, Verifier: c.Verifier}}
	metadata, err := d.Metadata()
	if err != nil {
		return nil, fmt.Errorf("signin: signing our metadata: %w", err)
	}
	trust := saml.Trust{Certificates: []*x509.Certificate{c.Signer.Certificate}, Verifier: c.Verifier}
	if _, _, err := saml.ParseMetadata(metadata, trust, c.Now()); err != nil {
		return nil, fmt.Errorf("signin: nobody could read our metadata: %w", err)
	}
	return d, nil
}

func (c *Config) check() error {
	switch {
	case c.Entity.Role() != etoegang.Provider:
		return fmt.Errorf("%s is no service provider: a name urn:etoegang:DV:<OIN>:entities:<index> is needed", c.Entity)
	case c.Broker.Role() != etoegang.Broker:
		return fmt.Errorf("%s is no broker: a name urn:etoegang:HM:<OIN>:entities:<index> is needed", c.Broker)
	case c.Artifact == "" && c.Post == "":
		return errors.New("there is no address for answers: give one for artifacts or for forms")
	case c.Artifact != "" && c.Resolve == nil:
		return errors.New("there is an address for artifacts, and no way to resolve them")
	case c.Signer.Certificate == nil || !slices.ContainsFunc(c.Signing, func(k xmlsec.Key) bool { return k.Certificate.Equal(c.Signer.Certificate) }):
		return errors.New("the key that signs is not among those that we publish, so the broker would believe nothing of ours")
	case len(c.Openers) == 0 || len(c.Encryption) == 0:
		return errors.New("there is no key to encrypt to, so nobody could tell us who logs in")
	}
	if _, _, err := c.where(c.Now()); err != nil {
		return err
	}
	if err := c.Service.check(c.Entity); err != nil {
		return fmt.Errorf("the service: %w", err)
	}
	return nil
}

func (s Service) check(of etoegang.EntityID) error {
	switch {
	case s.Index < 1 || s.Index > 65535:
		return errors.New("its index is not between 1 and 65535")
	case s.ID.Provider() != of.OIN():
		return fmt.Errorf("%s is of another organisation than %s", s.ID, of)
	case s.UUID.IsZero():
		return errors.New("it has no ServiceUUID: take it from the catalogue")
	case !s.Level.Supported():
		return fmt.Errorf("its level is %s: loa2, loa2plus, loa3 or loa4 is needed", s.Level)
	case s.Highest != etoegang.NoLevel && (s.Highest < s.Level || !s.Highest.Supported()):
		return fmt.Errorf("the catalogue has it at %s, and %s is to be the lowest that will do", s.Highest, s.Level)
	case len(s.Names) == 0:
		return errors.New("it has no name in any language")
	}
	return nil
}
