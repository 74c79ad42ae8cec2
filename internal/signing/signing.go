// Package signing makes the signatures under our answers, with an engine that the operator
// chooses: Go's own crypto/rsa, OpenSSL's libcrypto, or a security module behind PKCS #11.
//
// It owns private keys while they are in use, the engines, their self-tests and the check
// of every signature before it leaves: one that does not fit its key can give the key
// away, and is nobody's answer. It never touches what is signed: it is given a digest. It
// does not decrypt; keys that do stay in files.
//
// The engines openssl and pkcs11 need cgo, so they are only in programs that are built with
// the tag of that name. Without it, asking for one is an error that says so.
package signing

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
)

// What can be wrong with a key, an engine or what it made.
var (
	// ErrWrongSignature: the engine made a signature that does not fit the public key.
	// It was not given away.
	ErrWrongSignature = errors.New("signing: the engine made a wrong signature")
	// ErrSelfTest: the engine does not sign as it must, or its key is not the
	// certificate's.
	ErrSelfTest = errors.New("signing: the self-test failed")
	// ErrNotBuilt: this program was built without the engine.
	ErrNotBuilt = errors.New("signing: the engine is not in this program")
	// ErrNotOurs: asked for something else than RSA PKCS #1 v1.5 over SHA-256, the one
	// signature of the network.
	ErrNotOurs = errors.New("signing: only PKCS #1 v1.5 with SHA-256 is made here")
)

// Engine is what makes signatures, by its word in the configuration.
type Engine string

// The engines.
const (
	Go      Engine = "go"      // crypto/rsa, in every program
	OpenSSL Engine = "openssl" // libcrypto, three times as fast
	PKCS11  Engine = "pkcs11"  // a security module: the key never leaves it
)

// ParseEngine reads the word of an engine; none means Go.
func ParseEngine(word string) (Engine, error) {
	switch e := Engine(word); e {
	case "":
		return Go, nil
	case Go, OpenSSL, PKCS11:
		return e, nil
	}
	return "", fmt.Errorf("%q is not go, openssl or pkcs11", word)
}

// Options say which key signs.
type Options struct {
	// Public is the key of the certificate under which the signatures will be believed.
	// Required.
	Public *rsa.PublicKey

	// Private is the key itself, for Go and OpenSSL. The signer of OpenSSL does not keep it.
	Private *rsa.PrivateKey

	// Token says where the key is, for PKCS11.
	Token Token

	// Alarm is called with every wrong signature, by whoever asked for it. nil: nobody hears.
	Alarm func(error)
}

// Signer signs with one key of one engine. It may be used by many goroutines. What it
// holds outside of Go's memory is given back when nobody can reach it any more, so that a
// message that is under way when keys change is still signed.
type Signer struct {
	name   Engine
	public *rsa.PublicKey
	engine engine
	alarm  func(error)
}

var _ interface {
	crypto.Signer
	Checked() bool // asked for by pkg/xmlsec
} = &Signer{}

// engine does the arithmetic.
type engine interface {
	// sign gives the signature over a SHA-256. It may be called by many goroutines.
	sign(digest []byte) ([]byte, error)
	// checksItself tells whether sign has compared the signature with the key already.
	checksItself() bool
}

// Open makes ready to sign, and proves that it can: see selfTest. ErrSelfTest,
// ErrNotBuilt, or what stands in the way of reaching the key.
func Open(e Engine, o Options) (*Signer, error) {
	engine, err := open(e, o)
	if err != nil {
		return nil, err
	}
	s := &Signer{name: e, public: o.Public, engine: engine, alarm: o.Alarm}
	if s.alarm == nil {
		s.alarm = func(error) {}
	}
	return s, s.selfTest(o.Private)
}

func open(e Engine, o Options) (engine, error) {
	load := openGo
	switch e {
	case Go:
	case OpenSSL:
		load = openOpenSSL
	case PKCS11:
		return openPKCS11(o.Token)
	default:
		return nil, fmt.Errorf("signing: there is no engine %q", e)
	}
	if err := published(load); err != nil {
		return nil, err
	}
	return load(o.Private)
}

// Engine is what makes the signatures.
func (s *Signer) Engine() Engine { return s.name }

// Public is the certificate's *rsa.PublicKey.
func (s *Signer) Public() crypto.PublicKey { return s.public }

// Checked says that every signature has been compared with Public before Sign returns, so
// that nobody needs to do it again.
func (s *Signer) Checked() bool { return true }

// Sign signs a SHA-256 by PKCS #1 v1.5, which needs no randomness. What it returns fits
// Public. ErrNotOurs, ErrWrongSignature, or what keeps the engine from signing.
func (s *Signer) Sign(_ io.Reader, digest []byte, o crypto.SignerOpts) ([]byte, error) {
	if _, pss := o.(*rsa.PSSOptions); pss || o.HashFunc() != crypto.SHA256 || len(digest) != sha256.Size {
		return nil, ErrNotOurs
	}
	signature, err := s.engine.sign(digest)
	if err == nil && !s.engine.checksItself() && !s.fits(digest, signature) {
		err = ErrWrongSignature
	}
	if errors.Is(err, ErrWrongSignature) {
		s.alarm(err)
	}
	if err != nil {
		return nil, err
	}
	return signature, nil
}

// fits compares with crypto/rsa whatever the engine: the same fault is not in two places.
func (s *Signer) fits(digest, signature []byte) bool {
	return rsa.VerifyPKCS1v15(s.public, crypto.SHA256, digest, signature) == nil
}

// software is crypto/rsa.
type software struct{ key *rsa.PrivateKey }

func openGo(key *rsa.PrivateKey) (engine, error) { return software{key}, nil }

// sign fails only where crypto/rsa finds its own result wrong: whatever else it refuses,
// such as a key that contradicts itself, it has refused in the self-test.
func (s software) sign(digest []byte) ([]byte, error) {
	signature, err := rsa.SignPKCS1v15(nil, s.key, crypto.SHA256, digest)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrWrongSignature, err)
	}
	return signature, nil
}

// checksItself: crypto/rsa raises every signature to the public exponent and compares
// (crypto/internal/fips140/rsa, withCheck), because a fault in one of the two halves of
// its computation gives the key away. A second check would cost 30 microseconds and find
// nothing else; TestCryptoRSAChecksItself shows the first.
func (software) checksItself() bool { return true }
