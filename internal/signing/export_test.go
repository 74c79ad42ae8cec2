package signing

import "crypto/rsa"

// The private doors that tests of this room go through.

// Hand is the arithmetic of an engine, in the hands of a test.
type Hand func(digest []byte) ([]byte, error)

func (h Hand) sign(digest []byte) ([]byte, error) { return h(digest) }

func (Hand) checksItself() bool { return false }

// Disturb puts a hand in front of the signer's engine.
func (s *Signer) Disturb(disturb func(Hand) Hand) { s.engine = disturb(s.engine.sign) }

// SelfTest tests again.
func (s *Signer) SelfTest(private *rsa.PrivateKey) error { return s.selfTest(private) }

// Published lets a hand sign the published example.
func Published(load func(*rsa.PrivateKey) Hand) error {
	return published(func(key *rsa.PrivateKey) (engine, error) { return load(key), nil })
}
