package devkeys

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// Authority signs certificates of servers on this machine, so that people can let their
// browser trust all of them at once. It can vouch for nothing else: its own certificate says
// so to whoever trusts it.
type Authority struct{ Pair }

// OpenAuthority takes the authority that lies in a folder under that name, or makes one
// there, so that what people trust stays the same. One that soon expires is replaced.
func OpenAuthority(folder, name string, now time.Time) (Authority, error) {
	a := Authority{Pair{Name: name}}
	err := a.read(folder)
	if err == nil && now.Add(30*24*time.Hour).Before(a.Certificate.NotAfter) {
		return a, nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return a, fmt.Errorf("reading the certificate authority: %w", err)
	}
	if err := os.Remove(filepath.Join(folder, a.KeyFile())); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return a, err
	}
	if a.Pair, err = newAuthority(name, now); err != nil {
		return a, err
	}
	return a, a.Write(folder)
}

func (a *Authority) read(folder string) error {
	key, err := readPEM(filepath.Join(folder, a.KeyFile()))
	if err != nil {
		return err
	}
	certificate, err := readPEM(filepath.Join(folder, a.CertificateFile()))
	if err != nil {
		return err
	}
	parsed, err := x509.ParsePKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	var ok bool
	if a.Key, ok = parsed.(*rsa.PrivateKey); !ok {
		return fmt.Errorf("%s is no RSA key", a.KeyFile())
	}
	a.Certificate, err = x509.ParseCertificate(certificate)
	return err
}

func readPEM(path string) ([]byte, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, fmt.Errorf("%s is not PEM", path)
	}
	return block.Bytes, nil
}

func newAuthority(name string, now time.Time) (Pair, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return Pair{}, fmt.Errorf("making key %s: %w", name, err)
	}
	template, err := describe("mandated development authority", now)
	if err != nil {
		return Pair{}, err
	}
	template.IsCA, template.BasicConstraintsValid, template.MaxPathLenZero = true, true, true
	template.KeyUsage, template.ExtKeyUsage = x509.KeyUsageCertSign, nil
	template.PermittedDNSDomainsCritical = true
	template.PermittedDNSDomains, template.DNSNames = template.DNSNames, nil
	template.IPAddresses = nil
	template.PermittedIPRanges = []*net.IPNet{
		{IP: net.IPv4(127, 0, 0, 0).To4(), Mask: net.CIDRMask(8, 32)}, {IP: net.IPv6loopback, Mask: net.CIDRMask(128, 128)},
	}
	return sign(name, key, template, template, key)
}

// Server makes a key and a certificate for servers on this machine, signed by the authority.
func (a Authority) Server(name string, now time.Time) (Pair, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return Pair{}, fmt.Errorf("making key %s: %w", name, err)
	}
	template, err := describe(name, now)
	if err != nil {
		return Pair{}, err
	}
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	return sign(name, key, template, a.Certificate, a.Key)
}

// describe is what certificates of this machine have in common.
func describe(name string, now time.Time) (*x509.Certificate, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, err
	}
	return &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: name, OrganizationalUnit: []string{Unit}},
		NotBefore:    now.Add(-24 * time.Hour).UTC(), NotAfter: now.Add(Lifetime).UTC(),
		KeyUsage:    x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		DNSNames:    []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
	}, nil
}

// sign makes the certificate of a key.
func sign(name string, key *rsa.PrivateKey, template, parent *x509.Certificate, by *rsa.PrivateKey) (Pair, error) {
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, by)
	if err != nil {
		return Pair{}, fmt.Errorf("making certificate %s: %w", name, err)
	}
	certificate, err := x509.ParseCertificate(der)
	return Pair{name, key, certificate}, err
}
