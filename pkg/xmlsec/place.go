package xmlsec

import (
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"time"
)

// Step is one step of a path: the names an element may have there. There are
// several where peers spell one namespace in several ways.
type Step []Name

// Place says where signed elements of one kind stand in a kind of message, and
// whose keys may have signed them. Places are fixed by the caller before the
// message is looked at: nothing is ever searched for.
type Place struct {
	Name string // for errors and for Verified.Place
	Path []Step // from the document's root to the signed element, both included

	// Issuer is the direct child that names the issuer. The zero Name means the
	// element names none; Keys is then asked for "".
	Issuer Name

	// Keys returns the only keys that may have signed an element of this issuer at
	// this place: the caller looks at the issuer and at its role. None means
	// ErrUnknownIssuer.
	Keys func(issuer string) []Key

	// How many such elements must and may stand there. Two places must not share a
	// path: the first would have all the elements.
	Min, Max int
}

// Key is a key an issuer has registered, with the name its signatures may hint at. A key
// without a name answers to every hint: whoever signs metadata is known by certificate.
type Key struct {
	Name        string
	Certificate *x509.Certificate
}

// allows says whether so many elements may stand at the place.
func (p *Place) allows(count int) error {
	if count < p.Min || count > p.Max {
		return fmt.Errorf("%w: %d at place %q", ErrPlaceCount, count, p.Name)
	}
	return nil
}

// issuer reads who an element says made it.
func (p *Place) issuer(n *Node) (string, error) {
	if p.Issuer == (Name{}) {
		return "", nil
	}
	issuers := n.All(p.Issuer)
	if len(issuers) != 1 || len(issuers[0].Children) > 0 {
		return "", p.noIssuer(len(issuers))
	}
	return issuers[0].Text, nil
}

func (p *Place) noIssuer(count int) error {
	return fmt.Errorf("%w: %d of %s", ErrIssuer, count, p.Issuer)
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
	var refusal error
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
	switch {
	case len(usable) > 0:
		return usable, nil
	case refusal != nil:
		return nil, refusal
	}
	return nil, fmt.Errorf("%w: %.80q", ErrKeyName, e.keyName)
}

func (k Key) usable(now time.Time) error {
	if k.Certificate == nil {
		return fmt.Errorf("%w: key %q has no certificate", ErrCertificate, k.Name)
	}
	public, ok := k.Certificate.PublicKey.(*rsa.PublicKey)
	if !ok || public.N.BitLen() < WeakestKey {
		return fmt.Errorf("%w: key %q", ErrWeakKey, k.Name)
	}
	if now.Before(k.Certificate.NotBefore) || now.After(k.Certificate.NotAfter) {
		return fmt.Errorf("%w: key %q", ErrCertificate, k.Name)
	}
	return nil
}
