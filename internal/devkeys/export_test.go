package devkeys

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"time"
)

// Forge signs with the authority's key what the authority itself would not.
func Forge(a Authority, change func(*x509.Certificate)) (Pair, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return Pair{}, err
	}
	template, err := describe("forged", a.Certificate.NotBefore.Add(24*time.Hour))
	if err != nil {
		return Pair{}, err
	}
	change(template)
	if template.IsCA {
		template.KeyUsage |= x509.KeyUsageCertSign
	}
	return sign("forged", key, template, a.Certificate, a.Key)
}
