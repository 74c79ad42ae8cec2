package catalogue

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"strings"
	"time"

	"github.com/mandated/mandated/pkg/xmlsec"
)

// keys reads a ServiceCertificate: one md:KeyDescriptor for encryption with a
// certificate. A key that is for signing only is of no use here.
func (r *reader) keys(n *xmlsec.Node) []xmlsec.Key {
	r.strange(n)
	descriptor := r.child(n, "md:KeyDescriptor")
	if descriptor == nil {
		return nil
	}
	if use, _ := r.attribute(descriptor, "use"); use != "" && use != "encryption" {
		r.warn(descriptor, "is for %.20q and not for encryption; it is ignored", use)
		return nil
	}
	info := r.child(descriptor, "ds:KeyInfo")
	if info == nil {
		return nil
	}
	data := r.child(info, "ds:X509Data")
	if data == nil {
		return nil
	}
	found := r.child(data, "ds:X509Certificate")
	if found == nil {
		return nil
	}
	certificate := r.certificate(found)
	if certificate == nil {
		return nil
	}
	return []xmlsec.Key{{Name: r.maybe(info, "ds:KeyName"), Certificate: certificate}}
}

// child returns the child that must be there once.
func (r *reader) child(n *xmlsec.Node, child string) *xmlsec.Node {
	all := n.All(name(child))
	if len(all) != 1 {
		r.fail(n, "has %d of %s, exactly one is needed", len(all), name(child).Local)
		return nil
	}
	return all[0]
}

func (r *reader) certificate(n *xmlsec.Node) *x509.Certificate {
	text := r.text(n)
	certificate, known := r.certificates[text]
	if !known {
		certificate = parseCertificate(text)
		r.certificates[text] = certificate
	}
	switch {
	case certificate == nil:
		r.fail(n, "is not a certificate")
	case !strongEnough(certificate):
		r.fail(n, "has a key that is not RSA of at least 2048 bits")
	case r.now.After(certificate.NotAfter):
		r.warn(n, "expired on %s", certificate.NotAfter.UTC().Format(time.DateOnly))
	}
	return certificate
}

// parseCertificate reads base64 with white space in it; nil if it is not that.
func parseCertificate(text string) *x509.Certificate {
	der, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), ""))
	if err != nil {
		return nil
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return nil
	}
	return certificate
}

func strongEnough(certificate *x509.Certificate) bool {
	key, ok := certificate.PublicKey.(*rsa.PublicKey)
	return ok && key.N.BitLen() >= xmlsec.WeakestKey
}
