// Package devkeys makes keys and certificates for development, demo and tests. Their
// private keys lie about on laptops, so each certificate says what it is, and the daemon
// refuses them unless it is told to accept them.
//
// It owns nothing but the files in the folder it is given: keys with mode 0600,
// certificates readable. It is never used for anything that production trusts.
package devkeys

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// Unit is the organizational unit in every development certificate.
const Unit = "mandated development, not for production"

// Pair is a private key with its certificate.
type Pair struct {
	Name        string // of its files
	Key         *rsa.PrivateKey
	Certificate *x509.Certificate
}

// KeyName is the name by which messages and metadata know the key: the SHA-1 of the
// certificate in hexadecimal, as is common in the network.
func (p Pair) KeyName() string {
	sum := sha1.Sum(p.Certificate.Raw) // a name, not a protection
	return hex.EncodeToString(sum[:])
}

// Lifetime is how long development certificates are valid.
const Lifetime = 2 * 365 * 24 * time.Hour

// New makes a key and a self-signed certificate, valid from a day before now, for
// servers on this machine and for clients. Scheme participants are trusted by their
// metadata and not by who signed their certificate.
func New(name string, now time.Time) (Pair, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return Pair{}, fmt.Errorf("making key %s: %w", name, err)
	}
	return Certify(name, key, now)
}

// Certify makes a self-signed certificate for a key that exists.
func Certify(name string, key *rsa.PrivateKey, now time.Time) (Pair, error) {
	template, err := describe(name, now)
	if err != nil {
		return Pair{}, err
	}
	return sign(name, key, template, template, key)
}

// KeyFile is where Write puts the key, in the folder it is given.
func (p Pair) KeyFile() string { return p.Name + ".key" }

// CertificateFile is where Write puts the certificate.
func (p Pair) CertificateFile() string { return p.Name + ".crt" }

// Write writes key and certificate as PEM into a folder that it makes if needed, and
// refuses to write over a key.
func (p Pair) Write(folder string) error {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	der, err := x509.MarshalPKCS8PrivateKey(p.Key)
	if err != nil {
		return err
	}
	key := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	file, err := os.OpenFile(filepath.Join(folder, p.KeyFile()), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if _, err := file.Write(key); err != nil {
		_ = file.Close()
		return err
	}
	if err := file.Close(); err != nil {
		return err
	}
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: p.Certificate.Raw})
	return os.WriteFile(filepath.Join(folder, p.CertificateFile()), certificate, 0o644)
}
