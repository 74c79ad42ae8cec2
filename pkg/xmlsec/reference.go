package xmlsec

import (
	"crypto/x509"
	"fmt"
	"time"

	"github.com/beevik/etree"
	dsig "github.com/russellhaering/goxmldsig"
)

// The reference engine: a tree of etree's, and goxmldsig as the judge of signatures. What
// goxmldsig would accept and we do not is refused before it is asked.

// standing is an element found at a place.
type standing struct {
	claim
	node      *Node
	trail     trail // how we came here
	signature *Node
}

func (d *Document) verifyByReference(now time.Time, places []Place) ([]Verified, error) {
	root, err := d.tree()
	if err != nil {
		return nil, err
	}
	found := findStanding(root, places)
	if err := countPlaces(found, places); err != nil {
		return nil, err
	}
	if err := pairSignatures(root, found); err != nil {
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

// tree parses the document once more, into the tree that this engine looks at. What the
// gate let through the parser reads the same way.
func (d *Document) tree() (*Node, error) {
	d.parsed.Do(func() {
		doc := d.doc
		if d.untidy() {
			doc = tidy(doc)
		}
		tree := etree.NewDocument()
		tree.ReadSettings.MaxDepth = d.limits.Depth
		if err := tree.ReadFromBytes(doc); err != nil {
			d.parsed.err = fmt.Errorf("%w: %v", ErrMalformed, err)
			return
		}
		d.parsed.root = newNode(tree.Root(), len(d.tokens.elements))
	})
	return d.parsed.root, d.parsed.err
}

// untidy reports whether there is something tidy has to put right.
func (d *Document) untidy() bool {
	for i := range d.tokens.attrs {
		if d.tokens.attrs[i].text&(classReturn|classBreak) != 0 {
			return true
		}
	}
	return d.comments
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
	v, err := s.verified(newVerified(tree, s.trail))
	v.source = s.node.source
	return v, err
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
