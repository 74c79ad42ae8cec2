package xmlsec

import (
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"time"

	"github.com/beevik/etree"
	dsig "github.com/russellhaering/goxmldsig"
)

// Verified is an element whose signature was verified, read from nothing but the
// canonical bytes that the signature covers. Only [Document.Verify] makes one
// that can be used.
type Verified struct {
	place     string
	issuer    string
	root      *Node
	signature string
	parent    int
	source    *etree.Element // as received, for Quote
}

// Place returns the name of the place the element stood at.
func (v Verified) Place() string { return v.place }

// Issuer returns the issuer as the verified element names it.
func (v Verified) Issuer() string { return v.issuer }

// Root returns the element without its signature. Elements in it that stand at a
// place of their own have only their name: read them from their own Verified.
func (v Verified) Root() *Node { return v.root }

// SignatureValue returns the signature in base64 without white space, as
// LinkedDeclarationSignatureValue wants it.
func (v Verified) SignatureValue() string { return v.signature }

// Parent returns the index, in the result of Verify, of the nearest element this
// one was nested in, or -1.
func (v Verified) Parent() int { return v.parent }

// Verify checks every signature of a document. Every element at one of the places
// must have exactly one, as its direct child, by a key of its issuer whose
// certificate is valid at that time; a signature anywhere else is refused, and so
// is everything else the profile does not name. The result is in document order.
//
// All or nothing: with an error there is no Verified at all. Document and keys are
// only read.
func (d *Document) Verify(now time.Time, places ...Place) ([]Verified, error) {
	found := findStanding(d.root, places)
	if err := countPlaces(found, places); err != nil {
		return nil, err
	}
	if err := pairSignatures(d.root, found); err != nil {
		return nil, err
	}
	for i := range found {
		if err := found[i].judge(now); err != nil {
			return nil, fmt.Errorf("place %q: %w", found[i].place.Name, err)
		}
	}
	results := make([]Verified, len(found))
	for i := range found {
		v, err := found[i].verify(now)
		if err != nil {
			return nil, fmt.Errorf("place %q: %w", found[i].place.Name, err)
		}
		results[i] = v
	}
	return results, nil
}

// judge makes every check that needs no cryptography, and so refuses most
// forgeries cheaply.
func (s *standing) judge(now time.Time) error {
	id, err := ownID(s.node)
	if err != nil {
		return err
	}
	if s.envelope, err = readSignature(s.signature, id); err != nil {
		return err
	}
	if s.issuer, err = s.place.issuer(s.node); err != nil {
		return err
	}
	s.certificates, err = s.place.certificates(s.issuer, s.envelope, now)
	return err
}

// verify lets the cryptography decide, and reads only what it returned.
func (s *standing) verify(now time.Time) (Verified, error) {
	tree, err := validate(s.detach(), s.certificates, now)
	if err != nil {
		return Verified{}, err
	}
	root := newVerified(tree, s.trail)
	issuer, err := s.place.sameIssuer(root, s.issuer)
	if err != nil {
		return Verified{}, err
	}
	return Verified{
		place: s.place.Name, issuer: issuer, root: root,
		signature: s.envelope.value, parent: s.parent, source: s.node.source,
	}, nil
}

// ownID returns the ID attribute a signature must refer to, and refuses elements
// with other identifiers beside it: libraries have taken foo:ID for ID.
func ownID(n *Node) (string, error) {
	for _, a := range n.Attrs {
		if a.Name != (Name{"", "ID"}) && equalFoldID(a.Name.Local) {
			return "", fmt.Errorf("%w: the element has the identifier %s", ErrReference, a.Name)
		}
	}
	id, ok := n.Attr("ID")
	if !ok {
		return "", fmt.Errorf("%w: the element has no ID", ErrReference)
	}
	return id, nil
}

// issuer reads who an element says made it.
func (p *Place) issuer(n *Node) (string, error) {
	if p.Issuer == (Name{}) {
		return "", nil
	}
	issuers := n.All(p.Issuer)
	if len(issuers) != 1 || len(issuers[0].Children) > 0 {
		return "", fmt.Errorf("%w: %d of %s", ErrIssuer, len(issuers), p.Issuer)
	}
	return issuers[0].Text, nil
}

// sameIssuer reads the issuer again, from the verified element: it must be the one
// whose keys were used.
func (p *Place) sameIssuer(verified *Node, asked string) (string, error) {
	issuer, err := p.issuer(verified)
	if err == nil && issuer != asked {
		err = fmt.Errorf("%w: signed for another issuer", ErrIssuer)
	}
	return issuer, err
}

// certificates returns those that may have made the signature: the issuer's, of
// the name the signature hints at, strong enough, and valid now.
func (p *Place) certificates(issuer string, e envelope, now time.Time) ([]*x509.Certificate, error) {
	keys := p.Keys(issuer)
	if len(keys) == 0 {
		return nil, fmt.Errorf("%w: %.200q", ErrUnknownIssuer, issuer)
	}
	var usable []*x509.Certificate
	refusal := fmt.Errorf("%w: %.80q", ErrKeyName, e.keyName)
	for _, k := range keys {
		if e.named && k.Name != "" && k.Name != e.keyName {
			continue
		}
		if err := k.usable(now); err != nil {
			refusal = err
			continue
		}
		usable = append(usable, k.Certificate)
	}
	if len(usable) == 0 {
		return nil, refusal
	}
	return usable, nil
}

func (k Key) usable(now time.Time) error {
	if k.Certificate == nil {
		return fmt.Errorf("%w: key %q has no certificate", ErrCertificate, k.Name)
	}
	public, ok := k.Certificate.PublicKey.(*rsa.PublicKey)
	if !ok || public.N.BitLen() < weakestKey {
		return fmt.Errorf("%w: key %q", ErrWeakKey, k.Name)
	}
	if now.Before(k.Certificate.NotBefore) || now.After(k.Certificate.NotAfter) {
		return fmt.Errorf("%w: key %q", ErrCertificate, k.Name)
	}
	return nil
}

// validate lets goxmldsig judge the signature, with one certificate at a time so
// that it cannot choose, and returns the tree it parsed from the digested bytes.
func validate(el *etree.Element, certificates []*x509.Certificate, now time.Time) (*etree.Element, error) {
	var err error
	for _, c := range certificates {
		store := &dsig.MemoryX509CertificateStore{Roots: []*x509.Certificate{c}}
		context := dsig.NewDefaultValidationContext(store)
		context.Clock = dsig.NewFakeClockAt(now)
		var verified *etree.Element
		if verified, err = context.Validate(el); err == nil {
			return verified, nil
		}
	}
	return nil, fmt.Errorf("%w: %v", ErrSignature, err)
}
