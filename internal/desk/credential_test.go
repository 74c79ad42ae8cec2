package desk

import (
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"math/big"
	"testing"
	"time"

	"github.com/mandated/mandated/internal/devkeys"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
)

// A certificate counts from its first moment to its last, as it does where the program comes in.
func TestCertificateThatHasEnded(t *testing.T) {
	pair := must(devkeys.New("ledger", time.Now()))
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: pair.Certificate.Raw})
	from, to := pair.Certificate.NotBefore, pair.Certificate.NotAfter
	for at, want := range map[time.Time]error{from.Add(-1): ErrEndedCertificate, from: nil, to: nil, to.Add(1): ErrEndedCertificate} {
		if _, err := ReadCredential(text, at); !errors.Is(err, want) {
			t.Errorf("at %s: %v, want %v", at, err, want)
		}
	}
}

// Nobody appoints a program that could never come in: with a key it signs tokens, with a
// certificate it opens a connection, and each takes other keys. A key that is too weak or of a
// kind that signs nothing is good for neither.
func TestKeysThatLetNobodyIn(t *testing.T) {
	on := func(c elliptic.Curve) crypto.Signer { return must(ecdsa.GenerateKey(c, rand.Reader)) }
	bits := func(n int) crypto.Signer { return must(rsa.GenerateKey(rand.Reader, n)) }
	_, edwards, _ := ed25519.GenerateKey(rand.Reader)
	for what, c := range map[string]struct {
		key          crypto.Signer
		signs, opens bool
	}{
		"RSA 2048": {bits(2048), true, true}, "RSA 2047": {bits(2047), false, false}, "RSA 1024": {bits(1024), false, false},
		"P-256": {on(elliptic.P256()), true, true}, "P-384": {on(elliptic.P384()), false, true}, "P-521": {on(elliptic.P521()), false, true},
		"P-224": {on(elliptic.P224()), false, false}, "Ed25519": {edwards, true, true},
	} {
		template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
		for kind, way := range map[string]struct {
			der []byte
			in  bool
		}{
			"PUBLIC KEY":  {must(x509.MarshalPKIXPublicKey(c.key.Public())), c.signs},
			"CERTIFICATE": {must(x509.CreateCertificate(rand.Reader, template, template, c.key.Public(), c.key)), c.opens},
		} {
			_, err := ReadCredential(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: way.der}), time.Now())
			if way.in && err != nil || !way.in && !errors.Is(err, ErrUnusableKey) {
				t.Errorf("%s, %s: %v", what, kind, err)
			}
		}
	}
	agrees := must(x509.MarshalPKIXPublicKey(must(ecdh.X25519().GenerateKey(rand.Reader)).PublicKey()))
	if _, err := ReadCredential(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: agrees}), time.Now()); !errors.Is(err, ErrUnusableKey) {
		t.Errorf("a key that signs nothing: %v", err)
	}
}

// With what a program shows who it is, its own organisation and the register's staff can see.
func TestCredentials(t *testing.T) {
	s := newScene(t)
	boss, baker, staff := s.appoint(office, mandate.Administrator, ""), s.appoint(bakery, mandate.Administrator, ""), s.appoint(Party{}, mandate.Staff, "")
	reader := s.reader(office)
	for what, c := range map[string]struct {
		by  Caller
		err error
	}{"its own": {boss, nil}, "others": {baker, register.ErrNotFound}, "the staff": {staff, nil}} {
		s.refused(what, s.Look(ctx, c.by, 0, func(l *Look) error {
			list, err := l.Credentials(reader.Appointment)
			if (len(list) == 1) != (c.err == nil) {
				t.Errorf("%s see %d", what, len(list))
			}
			return err
		}), c.err)
	}
}

// Who signs by law, or keeps the register, logs in. That one of them shows a key in place of that
// only whoever keeps the register says, at its command line.
func TestWhoMayShowAKey(t *testing.T) {
	s := newScene(t)
	staff := s.appoint(Party{}, mandate.Staff, "")
	wish := Appointment{Company: bakery.KvK, Role: mandate.Director, Authority: mandate.Jointly, Name: "Anna", Level: etoegang.LoA3, Validity: year(s.clock.Now()),
		Credentials: []register.Credential{{Fingerprint: sha256.Sum256([]byte("key")), Public: []byte("key")}}}
	_, err := s.Appoint(ctx, staff, "x", wish)
	s.refused("by the staff", err, register.ErrCredential)
	made := must(s.AppointAtDesk(ctx, keeper, wish))
	if made.Appointment.State != mandate.Appointed || made.Invitation != "" {
		t.Errorf("at the command line: %s, with the invitation %q", made.Appointment.State, made.Invitation)
	}
	wish.Role, wish.Authority = mandate.Administrator, ""
	_, err = s.AppointAtDesk(ctx, keeper, wish)
	s.refused("for an administrator", err, register.ErrCredential)
}
