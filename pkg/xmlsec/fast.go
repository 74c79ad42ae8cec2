package xmlsec

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"fmt"
	"time"
)

// The fast engine walks over the tokens of the gate: fixed paths, one pass of
// canonicalization into one hash for each signed element, crypto/rsa, and nodes read
// from the tokens whose canonical form was digested.
//
// It must never accept what the reference engine refuses. Where it is stricter:
//
//	what                                        why
//	xmlns="" inside the signed element, used,   goxmldsig writes it into the canonical form and XML
//	where no default namespace is written       does not: the signature fits one of the two forms
//	around it
//	prefixed attributes whose order by          goxmldsig orders them by local name: again the
//	namespace is not that by local name         signature fits one of two forms
//	prefixed attributes of several namespaces   goxmldsig orders them by namespace only if the
//	with one local name                         prefixes are declared on that very element
//
// Peers send neither. FuzzEngines holds both engines against each other.

// found is an element at a place, and its signature, as numbers of elements.
type found struct {
	claim
	element, signature int32
}

func (d *Document) verifyFast(now time.Time, places []Place) ([]Verified, error) {
	all := d.findPlaces(places)
	if err := countFound(all, places); err != nil {
		return nil, err
	}
	if err := d.pair(all); err != nil {
		return nil, err
	}
	for i := range all {
		if err := all[i].judge(d, now); err != nil {
			return nil, fmt.Errorf("place %q: %w", all[i].place.Name, err)
		}
	}
	results := make([]Verified, len(all))
	for i := range all {
		v, err := all[i].verify(d, all)
		if err != nil {
			return nil, fmt.Errorf("place %q: %w", all[i].place.Name, err)
		}
		results[i] = v
	}
	return results, nil
}

// judge makes every check that needs no cryptography, and so refuses most
// forgeries cheaply.
func (f *found) judge(d *Document, now time.Time) error {
	id, err := d.ownID(f.element)
	if err != nil {
		return err
	}
	err = reading{doc: d.doc, tokens: d.tokens, skip: noElement}.lend(f.signature, func(signature *Node) error {
		f.envelope, err = readSignature(signature, id)
		return err
	})
	if err != nil {
		return err
	}
	if f.issuer, err = d.issuer(f.place, f.element); err != nil {
		return err
	}
	f.certificates, err = f.place.certificates(f.issuer, f.envelope, now)
	return err
}

// verify lets the cryptography decide, and then reads what it covers. The digest is
// compared first: a forgery costs no RSA.
func (f *found) verify(d *Document, all []found) (Verified, error) {
	sum, reason := digest(d.doc, d.tokens, f.element, f.signature, f.envelope.prefixes)
	if reason != "" {
		return Verified{}, fmt.Errorf("%w: its canonical form must not be believed: %s", ErrSignature, reason)
	}
	if !bytes.Equal(sum[:], f.envelope.digest) {
		return Verified{}, fmt.Errorf("%w: the digest is another", ErrSignature)
	}
	if err := f.signed(d); err != nil {
		return Verified{}, err
	}
	v, err := f.verified(reading{
		doc: d.doc, tokens: d.tokens, skip: f.signature, bare: nested(all, f.element), verified: true,
	}.read(f.element))
	v.document, v.element = d, f.element
	return v, err
}

// signed tells whether one of the certificates' keys signed SignedInfo, the first part of
// the signature.
func (f *found) signed(d *Document) error {
	sum, _ := digest(d.doc, d.tokens, f.signature+1, noElement, nil) // its shape leaves nothing to disbelieve
	for _, c := range f.certificates {
		public, ok := c.PublicKey.(*rsa.PublicKey)
		if ok && rsa.VerifyPKCS1v15(public, crypto.SHA256, sum[:], f.envelope.signature) == nil {
			return nil
		}
	}
	return fmt.Errorf("%w: no key of the issuer made it", ErrSignature)
}

// nested lists the other elements at places: they are read from their own Verified.
func nested(all []found, but int32) []int32 {
	others := make([]int32, 0, len(all))
	for i := range all {
		if all[i].element != but {
			others = append(others, all[i].element)
		}
	}
	return others
}
