package daemon

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/mandated/mandated/internal/devkeys"
	"github.com/mandated/mandated/pkg/xmlsec"
)

// What can be wrong with a key.
var (
	errMismatch       = errors.New("the certificate does not belong to the key")
	errWeakKey        = errors.New("the key has fewer than 2048 bits")
	errDevelopmentKey = errors.New("this is a development key: start with --dev to use it, and never in production")
)

// keyPair is a private key with its certificate and name.
type keyPair struct {
	name        string
	private     *rsa.PrivateKey
	certificate *x509.Certificate
}

func (k keyPair) public() xmlsec.Key { return xmlsec.Key{Name: k.name, Certificate: k.certificate} }

// loadKeys reads keys and refuses those that are not safe or do not fit.
func (c *Config) loadKeys(keys []Key, dev bool) ([]keyPair, error) {
	out := make([]keyPair, len(keys))
	for i, k := range keys {
		pair, err := loadKey(c.Path(k.Key), c.Path(k.Certificate), k.Name, dev)
		if err != nil {
			return nil, fmt.Errorf("key %s: %w", k.Key, err)
		}
		out[i] = pair
	}
	return out, nil
}

func loadKey(keyFile, certificateFile, name string, dev bool) (keyPair, error) {
	private, certificate, err := ReadKey(keyFile, certificateFile)
	if err != nil {
		return keyPair{}, err
	}
	if err := allowed(certificate, dev); err != nil {
		return keyPair{}, err
	}
	return keyPair{nameOf(certificate, name), private, certificate}, nil
}

func allowed(certificate *x509.Certificate, dev bool) error {
	if !dev && slices.Contains(certificate.Subject.OrganizationalUnit, devkeys.Unit) {
		return errDevelopmentKey
	}
	return nil
}

// nameOf is the name under which metadata know a key: the one that was given, or the
// certificate's digest.
func nameOf(certificate *x509.Certificate, given string) string {
	if given != "" {
		return given
	}
	sum := sha1.Sum(certificate.Raw) // a name, not a protection
	return hex.EncodeToString(sum[:])
}

// ReadKey reads a private key and the certificate that belongs to it.
func ReadKey(keyFile, certificateFile string) (*rsa.PrivateKey, *x509.Certificate, error) {
	private, err := readPrivateKey(keyFile)
	if err != nil {
		return nil, nil, err
	}
	certificates, err := ReadCertificates(certificateFile)
	if err != nil {
		return nil, nil, err
	}
	switch {
	case !private.PublicKey.Equal(certificates[0].PublicKey):
		return nil, nil, errMismatch
	case private.N.BitLen() < xmlsec.WeakestKey:
		return nil, nil, errWeakKey
	}
	return private, certificates[0], nil
}

// readPrivateKey reads an RSA key that only its owner can read.
func readPrivateKey(file string) (*rsa.PrivateKey, error) {
	data, err := readSecret("key", file)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(data)
	if block == nil {
		return nil, errors.New("not a PEM file")
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, errors.New("not a private key in PKCS #8")
	}
	private, ok := parsed.(*rsa.PrivateKey)
	if !ok {
		return nil, errors.New("not an RSA key")
	}
	return private, nil
}

// readSecret reads a key or a password, which kind tells, that only its owner can read.
func readSecret(kind, file string) ([]byte, error) {
	info, err := os.Stat(file)
	if err != nil {
		return nil, err
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("%s: others can read the %s file: chmod 600 it, and if others could read it before, make a new %[2]s", file, kind)
	}
	return os.ReadFile(file)
}

// ReadCertificates reads the certificates of a PEM file, at least one.
func ReadCertificates(file string) ([]*x509.Certificate, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var certificates []*x509.Certificate
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" {
			continue
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		certificates = append(certificates, c)
	}
	if len(certificates) == 0 {
		return nil, fmt.Errorf("%s: there is no certificate in it", file)
	}
	return certificates, nil
}

// openers are the keys that can decrypt what is meant for us.
func openers(pairs []keyPair) []xmlsec.Opener {
	out := make([]xmlsec.Opener, len(pairs))
	for i, p := range pairs {
		out[i] = xmlsec.Opener{KeyName: p.name, Key: crypto.Decrypter(p.private)}
	}
	return out
}

func publicKeys[K interface{ public() xmlsec.Key }](keys []K) []xmlsec.Key {
	out := make([]xmlsec.Key, len(keys))
	for i, p := range keys {
		out[i] = p.public()
	}
	return out
}

// CheckKeys reads every key as the daemon would, and says which are not good.
func (c *Config) CheckKeys(dev bool) error {
	_, signing := c.loadSigning(dev, nil)
	_, encryption := c.loadKeys(c.Encryption, dev)
	_, queries := c.loadTLS("tls", c.TLS, dev)
	_, browsers := c.loadTLS("browser.tls", c.Browser.TLS, dev)
	return errors.Join(signing, encryption, queries, browsers)
}

// loadTLS reads the key and the certificates of a listener, by the same rules as all keys.
// Without a certificate there is nothing to read, and nothing wrong.
func (c *Config) loadTLS(name string, t TLS, dev bool) (*tls.Certificate, error) {
	if t.Certificate == "" {
		return nil, nil
	}
	pair, err := loadKey(c.Path(t.Key), c.Path(t.Certificate), "", dev)
	if err != nil {
		return nil, fmt.Errorf("%s key %s: %w", name, t.Key, err)
	}
	chain, err := ReadCertificates(c.Path(t.Certificate))
	if err != nil {
		return nil, err
	}
	out := &tls.Certificate{PrivateKey: pair.private, Leaf: pair.certificate}
	for _, certificate := range chain {
		out.Certificate = append(out.Certificate, certificate.Raw)
	}
	return out, nil
}
