package xmlsec

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
)

// Signer signs elements with one key. It may be used by many goroutines if Key may.
type Signer struct {
	Key     crypto.Signer // RSA of at least 2048 bits; may live in a security module
	KeyName string        // as the metadata of our role has it

	// Certificate is written instead of the key name if X509 is set: metadata and
	// catalogues carry X509Data only, messages a KeyName only (eHerkenning
	// interface specifications, "Digital signature").
	Certificate *x509.Certificate
	X509        bool
}

// Sign puts an enveloped signature into the element, after its saml:Issuer or, if
// it has none, in front. The element needs an ID, which the signature refers to;
// after this it must not be changed. Nested elements are signed before they are
// placed.
//
// ErrUnsignable: no usable ID, or signed already. ErrWeakKey: not RSA of 2048
// bits. ErrSignature: the key made a signature that does not fit its own public
// key; a faulty one could give the key away and is not sent.
func (s Signer) Sign(e *Element) error {
	id := e.attribute("ID")
	if !isNCName(id) || len(id) > longestID {
		return fmt.Errorf("%w: it has no usable ID", ErrUnsignable)
	}
	if slices.ContainsFunc(e.content, func(c content) bool {
		return c.element == nil || c.element.is("ds:Signature")
	}) {
		return fmt.Errorf("%w: it holds text or a signature", ErrUnsignable)
	}
	if e.written != nil {
		return fmt.Errorf("%w: it is written already", ErrUnsignable)
	}
	list := e.gatherDeclared()
	info := signedInfo(id, list, digestOf(e.canonical(list)))
	value, err := s.sign(info.Bytes())
	if err != nil {
		return err
	}
	e.insert(E("ds:Signature", info, E("ds:SignatureValue", base64.StdEncoding.EncodeToString(value)), s.keyInfo()))
	return nil
}

// SignText signs a text that is no XML, with RSA and SHA-256, as Sign signs an element: for
// what stands in an address.
func (s Signer) SignText(text []byte) ([]byte, error) { return s.sign(text) }

// sign returns the signature over the canonical SignedInfo, checked against the public key.
func (s Signer) sign(info []byte) ([]byte, error) {
	public, ok := s.Key.Public().(*rsa.PublicKey)
	if !ok || public.N.BitLen() < WeakestKey {
		return nil, fmt.Errorf("%w: signing key %q", ErrWeakKey, s.KeyName)
	}
	digest := sha256.Sum256(info)
	signature, err := s.Key.Sign(rand.Reader, digest[:], crypto.SHA256)
	if err != nil {
		return nil, fmt.Errorf("signing with key %q: %w", s.KeyName, err)
	}
	if !checksItself(s.Key) && rsa.VerifyPKCS1v15(public, crypto.SHA256, digest[:], signature) != nil {
		return nil, fmt.Errorf("%w: made by our own key %q", ErrSignature, s.KeyName)
	}
	return signature, nil
}

// checksItself tells whether a key lets no wrong signature out. crypto/rsa applies the public
// exponent to its result before giving it away (crypto/internal/fips140/rsa,
// DecryptWithCheck); others say so.
func checksItself(key crypto.Signer) bool {
	switch key := key.(type) {
	case *rsa.PrivateKey:
		return true
	case interface{ Checked() bool }:
		return key.Checked()
	}
	return false
}

func (s Signer) keyInfo() *Element {
	switch {
	case s.X509:
		certificate := base64.StdEncoding.EncodeToString(s.Certificate.Raw)
		return E("ds:KeyInfo", E("ds:X509Data", E("ds:X509Certificate", certificate)))
	case s.KeyName != "":
		return E("ds:KeyInfo", E("ds:KeyName", s.KeyName))
	}
	return nil
}

// signedInfo says what is signed and how. XML Signature Syntax, section 4.3.
func signedInfo(id string, list []string, digest string) *Element {
	c14n := E("ds:Transform", A("Algorithm", algorithmC14n))
	if len(list) > 0 {
		c14n.add(E("ec:InclusiveNamespaces", A("PrefixList", strings.Join(list, " "))))
	}
	return E("ds:SignedInfo",
		E("ds:CanonicalizationMethod", A("Algorithm", algorithmC14n)),
		E("ds:SignatureMethod", A("Algorithm", algorithmRSASHA256)),
		E("ds:Reference", A("URI", "#"+id),
			E("ds:Transforms", E("ds:Transform", A("Algorithm", algorithmEnveloped)), c14n),
			E("ds:DigestMethod", A("Algorithm", algorithmSHA256)),
			E("ds:DigestValue", digest)))
}

func digestOf(canonical []byte) string {
	digest := sha256.Sum256(canonical)
	return base64.StdEncoding.EncodeToString(digest[:])
}

// gatherDeclared declares on the element itself what anything below it declares,
// and returns the prefixes, sorted, never nil. Only then is the canonical form the
// same whether or not an element around it declares them too: a listed prefix is
// written as far out as it is in scope.
func (e *Element) gatherDeclared() []string {
	list := e.Declared()
	e.Declare(list...)
	return list
}

func (e *Element) eachDeclared(visit func(declaration)) {
	if e.quoted {
		return
	}
	for _, d := range e.declared {
		visit(d)
	}
	for _, c := range e.content {
		if c.element != nil {
			c.element.eachDeclared(visit)
		}
	}
}

// insert places a signature where SAML wants it: right after the issuer.
func (e *Element) insert(signature *Element) {
	at := 1 + slices.IndexFunc(e.content, func(c content) bool {
		return c.element != nil && c.element.is("saml:Issuer")
	})
	e.content = slices.Insert(e.content, at, content{element: signature})
}

func (e *Element) is(name string) bool {
	prefix, local := splitName(name)
	return e.local == local && e.space == spaceOf(prefix)
}
