package desk

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"time"

	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
)

// What can be wrong with what a program is to show.
var (
	ErrNoKey            = errors.New("a CERTIFICATE or a PUBLIC KEY is needed, as PEM, from its BEGIN to its END")
	ErrSecretKey        = errors.New("there is a private key in it, which belongs nowhere but with the program: give its certificate or public key alone")
	ErrDamagedKey       = errors.New("the certificate or key cannot be read: copy it once more, whole")
	ErrEndedCertificate = errors.New("the certificate has ended, or has not begun: no program is let in with it")
)

// ReadCredential reads with what a program shows who it is, as PEM: the fingerprint is that of
// the certificate, or of the key. Of a chain of certificates the first is the program's own.
func ReadCredential(text []byte, now time.Time) (c register.Credential, err error) {
	if bytes.Contains(text, []byte("PRIVATE KEY-----")) {
		return c, ErrSecretKey
	}
	block, _ := pem.Decode(text)
	switch {
	case block != nil && block.Type == "CERTIFICATE":
		certificate, err := x509.ParseCertificate(block.Bytes)
		switch {
		case err != nil:
			return c, fmt.Errorf("%w: %w", ErrDamagedKey, err)
		case now.Before(certificate.NotBefore) || now.After(certificate.NotAfter):
			return c, ErrEndedCertificate
		}
		return register.Credential{Fingerprint: sha256.Sum256(certificate.Raw), Public: certificate.RawSubjectPublicKeyInfo}, nil
	case block != nil && block.Type == "PUBLIC KEY":
		if _, err := x509.ParsePKIXPublicKey(block.Bytes); err != nil {
			return c, fmt.Errorf("%w: %w", ErrDamagedKey, err)
		}
		return register.Credential{Fingerprint: sha256.Sum256(block.Bytes), Public: block.Bytes}, nil
	case block == nil && bytes.Contains(text, []byte("-----BEGIN ")):
		return c, ErrDamagedKey
	}
	return c, ErrNoKey
}

// Credentials are those of an appointment in the caller's organisation; for the register's staff
// in any.
func (l *Look) Credentials(id mandate.AppointmentID) ([]register.Credential, error) {
	a, err := l.snapshot.Appointment(id)
	if err == nil && l.actor.Role != mandate.Staff && a.Organisation.ID != l.actor.Organisation {
		err = fmt.Errorf("appointment %d: %w", id, register.ErrNotFound)
	}
	if err != nil {
		return nil, err
	}
	return l.snapshot.Credentials(id)
}
