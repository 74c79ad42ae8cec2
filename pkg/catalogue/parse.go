package catalogue

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/mandated/mandated/pkg/xmlsec"
)

// Trust says whose catalogue is believed.
type Trust struct {
	// Certificates of the keys that may have signed it. If there are any, a
	// signature that is there must be by one of them.
	Certificates []*x509.Certificate

	// File accepts a document without a signature: a local file that the operator
	// vouches for. Without Certificates a signature is then not looked at.
	File bool

	// Verifier says how signatures are verified.
	Verifier xmlsec.Verifier
}

// ErrUnsigned is returned for a catalogue that has no signature where one is needed,
// and when there are no certificates to check it with.
var ErrUnsigned = errors.New("catalogue: no signature that could be trusted")

// Parse reads a catalogue. The signature is verified first, with a certificate
// valid at now, and values are read from nothing but what it covers. Errors of
// xmlsec tell why that failed. Whatever is missing or broken in the content is told
// together, as an *Errors. Warnings are what an operator should know and the
// network can live with.
func Parse(doc []byte, trust Trust, now time.Time) (*Catalogue, []Warning, error) {
	document, err := xmlsec.Read(doc, xmlsec.DocumentLimits)
	if err != nil {
		return nil, nil, fmt.Errorf("reading service catalogue: %w", err)
	}
	root, signer, err := trust.root(document, now)
	if err != nil {
		return nil, nil, fmt.Errorf("verifying service catalogue: %w", err)
	}
	c, r := read(root, now)
	if signer == "" && document.Unverified().All(nameSignature) != nil {
		r.warn(root, "has a signature that was not checked, since no certificate is configured")
	}
	problems, warnings := r.located(root, doc)
	if len(problems) > 0 {
		return nil, warnings, &Errors{List: problems, More: r.problems.more}
	}
	c.sha256, c.signer = sha256.Sum256(doc), signer
	return c, warnings, nil
}

// root returns the only element that values may be read from, and the fingerprint
// of the key that signed it.
func (t Trust) root(document *xmlsec.Document, now time.Time) (*xmlsec.Node, string, error) {
	unverified := document.Unverified()
	if t.File && (len(t.Certificates) == 0 || unverified.All(nameSignature) == nil) {
		if unverified.Name != nameCatalogue {
			return nil, "", fmt.Errorf("catalogue: the document is a %s", unverified.Name)
		}
		return unverified, "", nil
	}
	if len(t.Certificates) == 0 || unverified.All(nameSignature) == nil {
		return nil, "", ErrUnsigned
	}
	return t.verify(document, now)
}

// verify tries one certificate at a time, so that it is known which one it was.
func (t Trust) verify(document *xmlsec.Document, now time.Time) (*xmlsec.Node, string, error) {
	var failures error
	for _, certificate := range t.Certificates {
		verified, err := t.Verifier.Verify(document, now, xmlsec.Place{
			Name: "service catalogue",
			Path: []xmlsec.Step{{nameCatalogue}},
			Keys: func(string) []xmlsec.Key { return []xmlsec.Key{{Certificate: certificate}} },
			Min:  1, Max: 1,
		})
		if err == nil {
			return verified[0].Root(), fingerprint(certificate), nil
		}
		failures = errors.Join(failures, err)
	}
	return nil, "", failures
}

// fingerprint is the SHA-256 of a certificate's public key (RFC 5280, 4.1.2.7).
func fingerprint(certificate *x509.Certificate) string {
	sum := sha256.Sum256(certificate.RawSubjectPublicKeyInfo)
	return hex.EncodeToString(sum[:])
}
