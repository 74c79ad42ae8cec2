package xmlsec

import (
	"crypto/x509"
	"fmt"

	"github.com/beevik/etree"
)

// Verified is an element whose signature was verified, read from nothing but what the
// signature covers. Only a [Verifier] makes one that can be used.
type Verified struct {
	place     string
	issuer    string
	root      *Node
	signature string
	parent    int

	// Where it came from, for Quote: one of both.
	document *Document
	element  int32
	source   *etree.Element
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

// claim is what an element at a place says of itself before anything is verified.
type claim struct {
	place  *Place
	parent int // index of the nearest enclosing element at a place, or -1

	// What judging it found.
	envelope     envelope
	issuer       string
	certificates []*x509.Certificate
}

// verified makes the claim a fact: the cryptography has decided, and root is what the
// signature covers.
func (c *claim) verified(root *Node) (Verified, error) {
	issuer, err := c.place.sameIssuer(root, c.issuer)
	if err != nil {
		return Verified{}, err
	}
	return Verified{
		place: c.place.Name, issuer: issuer, root: root,
		signature: c.envelope.value, parent: c.parent,
	}, nil
}

func errOtherID(name Name) error {
	return fmt.Errorf("%w: the element has the identifier %s", ErrReference, name)
}

func errNoID() error { return fmt.Errorf("%w: the element has no ID", ErrReference) }
