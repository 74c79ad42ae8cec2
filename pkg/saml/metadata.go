package saml

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/mandated/mandated/internal/loopback"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/xmlsec"
)

// Trust says when metadata may be believed. They are the root of all other trust.
type Trust struct {
	Certificates []*x509.Certificate // of whom we let tell us who is who
	File         bool                // a local file that somebody put there may be unsigned
	Verifier     xmlsec.Verifier     // how signatures are verified
}

// ErrExpired is returned for metadata that may not be used any more.
var ErrExpired = errors.New("saml: these metadata have expired")

// ErrUnsigned is returned for metadata without a signature that needed one.
var ErrUnsigned = errors.New("saml: metadata are not signed, and this entry does not say trust: file")

// Keys gives the trusted certificates to xmlsec, without key names of their own: who
// signs metadata is known by certificate alone.
func (t Trust) Keys(string) []xmlsec.Key {
	keys := make([]xmlsec.Key, len(t.Certificates))
	for i, c := range t.Certificates {
		keys[i] = xmlsec.Key{Certificate: c}
	}
	return keys
}

// ParseMetadata reads the metadata of participants (SAML 2.0 metadata; scheme page
// "Metadata for participants"): an EntitiesDescriptor or one EntityDescriptor, signed as
// a whole. The notes tell in plain words what is odd; an error tells what is wrong. All
// or nothing: with an error there are no participants.
func ParseMetadata(doc []byte, trust Trust, now time.Time) (participants []Participant, notes []string, err error) {
	document, err := xmlsec.Read(doc, xmlsec.DocumentLimits)
	if err != nil {
		return nil, nil, fmt.Errorf("reading metadata: %w", err)
	}
	root := document.Unverified()
	if root.Name != inMetadata("EntitiesDescriptor") && root.Name != inMetadata("EntityDescriptor") {
		return nil, nil, fmt.Errorf("reading metadata: the document is %q, not an EntitiesDescriptor or EntityDescriptor", root.Name.Local)
	}
	signed := len(root.All(inDSig("Signature"))) > 0
	switch {
	case signed && (len(trust.Certificates) > 0 || !trust.File):
		place := xmlsec.Place{Name: "metadata", Path: []xmlsec.Step{{root.Name}}, Keys: trust.Keys, Min: 1, Max: 1}
		verified, err := trust.Verifier.Verify(document, now, place)
		if err != nil {
			return nil, nil, fmt.Errorf("verifying the metadata's signature: %w", err)
		}
		root = verified[0].Root()
	case !trust.File:
		return nil, nil, ErrUnsigned
	case signed:
		notes = append(notes, "the signature was not checked, since no certificate to trust was named: believed only because of trust: file")
	default:
		notes = append(notes, "unsigned: believed only because of trust: file")
	}
	r := metadataReader{now: now, notes: notes}
	if err := r.read(root, time.Time{}); err != nil {
		return nil, r.notes, err
	}
	if len(r.participants) == 0 {
		return nil, r.notes, errors.New("the metadata describe nobody")
	}
	return r.participants, r.notes, nil
}

type metadataReader struct {
	now          time.Time
	participants []Participant
	notes        []string
}

func (r *metadataReader) note(format string, args ...any) {
	r.notes = append(r.notes, fmt.Sprintf(format, args...))
}

// read walks EntitiesDescriptors down to EntityDescriptors. The earliest validUntil on
// the way counts.
func (r *metadataReader) read(n *xmlsec.Node, until time.Time) error {
	if s, ok := n.Attr("validUntil"); ok {
		own, err := time.Parse(time.RFC3339Nano, s)
		if err != nil {
			return fmt.Errorf("validUntil %q is not a moment", s)
		}
		if until.IsZero() || own.Before(until) {
			until = own
		}
	}
	if n.Name == inMetadata("EntityDescriptor") {
		return r.entity(n, until)
	}
	for _, c := range n.Children {
		if c.Name != inMetadata("EntityDescriptor") && c.Name != inMetadata("EntitiesDescriptor") {
			continue
		}
		if err := r.read(c, until); err != nil {
			return err
		}
	}
	return nil
}

func (r *metadataReader) entity(n *xmlsec.Node, until time.Time) error {
	name, _ := n.Attr("entityID")
	entity, err := etoegang.ParseEntityID(name)
	if err != nil {
		return fmt.Errorf("entityID %q: %w", name, err)
	}
	p := Participant{Entity: entity, Until: until}
	if !fitsRole(n, entity.Role()) {
		return fmt.Errorf("%s: no descriptor of the role %s: one of %s is needed", entity, entity.Role(), strings.Join(descriptors[entity.Role()], ", "))
	}
	p.organisation(n)
	for _, descriptor := range n.Children {
		if !strings.HasSuffix(descriptor.Name.Local, "Descriptor") || descriptor.Name.Space != spaceMetadata {
			continue
		}
		if err := r.descriptor(&p, descriptor); err != nil {
			return fmt.Errorf("%s: %s: %w", entity, descriptor.Name.Local, err)
		}
	}
	if len(p.Signing) == 0 {
		return fmt.Errorf("%s: there is no signing key, so nothing it sends can be verified", entity)
	}
	if entity.Role() == etoegang.Broker && len(p.Consumers) == 0 {
		r.note("%s: a broker without AssertionConsumerService cannot be answered through the browser", entity)
	}
	if !until.IsZero() && !r.now.Before(until) {
		return fmt.Errorf("%s: %w: they were valid until %s; ask for newer ones", entity, ErrExpired, stamp(until))
	}
	r.participants = append(r.participants, p)
	return nil
}

// descriptors are those by which metadata may describe a participant's role. What
// describes a register the scheme does not say: SAML's own for decision points, or that of
// an identity provider.
var descriptors = map[etoegang.Role][]string{
	etoegang.Broker:        {"SPSSODescriptor", "IDPSSODescriptor"},
	etoegang.Provider:      {"SPSSODescriptor"},
	etoegang.Authenticator: {"IDPSSODescriptor"},
	etoegang.Register:      {"PDPDescriptor", "IDPSSODescriptor", "RoleDescriptor"},
	etoegang.EIDAS:         {"IDPSSODescriptor", "PDPDescriptor"},
}

func fitsRole(entity *xmlsec.Node, role etoegang.Role) bool {
	for _, name := range descriptors[role] {
		if len(entity.All(inMetadata(name))) > 0 {
			return true
		}
	}
	return false
}

// organisation takes the first name for people that stands here, if there is none yet. What
// is longer than a name in the attribute catalogue is none.
func (p *Participant) organisation(n *xmlsec.Node) {
	for _, o := range n.All(inMetadata("Organization")) {
		for _, name := range o.All(inMetadata("OrganizationDisplayName")) {
			if p.Name == "" && utf8.RuneCountInString(name.Text) <= longestName {
				p.Name = name.Text
			}
		}
	}
}

func (r *metadataReader) descriptor(p *Participant, n *xmlsec.Node) error {
	p.organisation(n)
	for _, c := range n.Children {
		var err error
		switch c.Name {
		case inMetadata("KeyDescriptor"):
			err = r.key(p, c)
		case inMetadata("AssertionConsumerService"):
			err = readConsumer(p, c)
		case inMetadata("ArtifactResolutionService"):
			err = r.resolver(p, n, c)
		case inMetadata("SingleSignOnService"):
			r.signOn(p, c)
		case inMetadata("AuthzService"):
			var e Endpoint
			e, err = readEndpoint(c)
			p.Services = append(p.Services, e)
		case inMetadata("Extensions"):
			err = r.chain(p, c)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (r *metadataReader) key(p *Participant, n *xmlsec.Node) error {
	use, _ := n.Attr("use")
	if use != "" && use != "signing" && use != "encryption" {
		return fmt.Errorf("a key for %q: use must be signing or encryption", use)
	}
	key, err := ReadKeyInfo(n)
	if err != nil {
		return err
	}
	if r.now.After(key.Certificate.NotAfter) {
		r.note("%s: the certificate of key %q expired on %s", p.Entity, key.Name, stamp(key.Certificate.NotAfter))
	}
	if key.Name == "" {
		r.note("%s: a key without KeyName: signatures that name their key will not find it", p.Entity)
	}
	if use != "encryption" {
		p.Signing = appendKey(p.Signing, key)
	}
	if use != "signing" {
		p.Encryption = appendKey(p.Encryption, key)
	}
	return nil
}

// appendKey adds a key once: brokers repeat theirs in each of their descriptors.
func appendKey(keys []xmlsec.Key, key xmlsec.Key) []xmlsec.Key {
	for _, k := range keys {
		if k.Name == key.Name && k.Certificate.Equal(key.Certificate) {
			return keys
		}
	}
	return append(keys, key)
}

// ReadKeyInfo reads the KeyName and the certificate of a KeyDescriptor: RSA of at least
// 2048 bits.
func ReadKeyInfo(descriptor *xmlsec.Node) (key xmlsec.Key, err error) {
	info, err := descriptor.One(inDSig("KeyInfo"))
	if err != nil {
		return key, err
	}
	if name, err := info.Maybe(inDSig("KeyName")); err != nil {
		return key, err
	} else if name != nil {
		key.Name = name.Text
	}
	data, err := info.One(inDSig("X509Data"))
	if err != nil {
		return key, err
	}
	encoded, err := data.One(inDSig("X509Certificate"))
	if err != nil {
		return key, err
	}
	der, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(encoded.Text), ""))
	if err != nil {
		return key, fmt.Errorf("the certificate of key %q is not base64: %w", key.Name, err)
	}
	if key.Certificate, err = x509.ParseCertificate(der); err != nil {
		return key, fmt.Errorf("the certificate of key %q: %w", key.Name, err)
	}
	if public, ok := key.Certificate.PublicKey.(*rsa.PublicKey); !ok || public.N.BitLen() < xmlsec.WeakestKey {
		return key, fmt.Errorf("the certificate of key %q is not RSA of at least 2048 bits", key.Name)
	}
	return key, nil
}

func readConsumer(p *Participant, n *xmlsec.Node) (err error) {
	var c Consumer
	if c.Endpoint, err = readEndpoint(n); err != nil {
		return err
	}
	text, _ := n.Attr("index")
	var ok bool
	if c.Index, ok = index(text); !ok {
		return fmt.Errorf("AssertionConsumerService: index %q is not a number", text)
	}
	isDefault, _ := n.Attr("isDefault")
	c.Default, _ = boolean(isDefault)
	p.Consumers = append(p.Consumers, c)
	return nil
}

// signOn reads where a broker takes AuthnRequests. Most who read metadata never send it any,
// so that an address of no use is passed over.
func (r *metadataReader) signOn(p *Participant, n *xmlsec.Node) {
	if p.Entity.Role() != etoegang.Broker {
		return
	}
	found, err := readEndpoint(n)
	if err != nil {
		r.note("%s: %v: it is not used", p.Entity, err)
		return
	}
	p.SignOn = append(p.SignOn, found)
}

// resolver reads an ArtifactResolutionService, of those whose artifacts are ever resolved. Each
// role of a participant counts its own: where two have one index, that of the service provider
// counts, as which a broker sends queries.
func (r *metadataReader) resolver(p *Participant, descriptor, n *xmlsec.Node) (err error) {
	if role := p.Entity.Role(); role != etoegang.Broker && role != etoegang.Register {
		return nil
	}
	var found Resolver
	if found.Endpoint, err = readEndpoint(n); err != nil {
		return err
	}
	text, _ := n.Attr("index")
	i, ok := index(text)
	if !ok {
		return fmt.Errorf("ArtifactResolutionService: index %q is not a number", text)
	}
	if found.Binding != bindingSOAP {
		return fmt.Errorf("ArtifactResolutionService: binding %q is not SOAP", found.Binding)
	}
	found.Index = uint16(i) // index reads no more than 16 bits
	for at, other := range p.Resolvers {
		if other.Index != found.Index {
			continue
		}
		if other.Location != found.Location {
			r.note("%s: two ArtifactResolutionServices have index %d: that of SPSSODescriptor is used", p.Entity, found.Index)
		}
		if descriptor.Name == inMetadata("SPSSODescriptor") {
			p.Resolvers[at] = found
		}
		return nil
	}
	p.Resolvers = append(p.Resolvers, found)
	return nil
}

// chain reads where a register tells others of chain mandates, among extensions that are
// not ours to judge.
func (r *metadataReader) chain(p *Participant, extensions *xmlsec.Node) error {
	for _, n := range extensions.All(inChain("ChainInformationService")) {
		found, err := readEndpoint(n)
		switch {
		case err != nil:
			return err
		case p.Entity.Role() != etoegang.Register:
			r.note("%s: only a register has a ChainInformationService: it is not used", p.Entity)
		case found.Binding != bindingSOAP:
			return fmt.Errorf("ChainInformationService: binding %q is not SOAP", found.Binding)
		case p.Chain != "" && p.Chain != found.Location:
			r.note("%s: two ChainInformationServices: the first is used", p.Entity)
		default:
			p.Chain = found.Location
		}
	}
	return nil
}

// readEndpoint reads an address: https, or http on this machine itself. Script
// addresses and the like could otherwise reach a browser.
func readEndpoint(n *xmlsec.Node) (Endpoint, error) {
	binding, _ := n.Attr("Binding")
	location, _ := n.Attr("Location")
	u, err := url.Parse(location)
	if err != nil || u.Host == "" || u.Scheme != "https" && !(u.Scheme == "http" && loopback.Is(u.Hostname())) {
		return Endpoint{}, fmt.Errorf("%s: the address %q is not https", n.Name.Local, location)
	}
	return Endpoint{Binding: binding, Location: location}, nil
}
