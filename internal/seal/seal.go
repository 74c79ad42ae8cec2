// Package seal encrypts what lies in places that others can read, or passes through their
// hands: values in a Redis, answers and visits in a store that nodes share, tokens in pages
// and addresses. It owns how that is done (XChaCha20-Poly1305 with a random nonce), and has
// never heard of what is sealed.
package seal

import (
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"errors"

	"golang.org/x/crypto/chacha20poly1305"
)

// KeySize is the length of a key in bytes.
const KeySize = chacha20poly1305.KeySize

// Sealer seals under one key. Its methods may be called by any number of goroutines.
type Sealer struct{ aead cipher.AEAD }

// ErrForeign is the error of what was not sealed under this key and for this place, or was
// altered.
var ErrForeign = errors.New("seal: not sealed here")

// New makes a sealer. The key has KeySize bytes.
func New(key []byte) *Sealer {
	aead, err := chacha20poly1305.NewX(key)
	if err != nil {
		panic(err) // only for a key of another length
	}
	return &Sealer{aead}
}

// Seal appends to dst the sealed form of plain, bound to a place: it opens nowhere else.
func (s *Sealer) Seal(dst, plain []byte, place string) []byte {
	nonce := make([]byte, s.aead.NonceSize())
	_, _ = rand.Read(nonce) // crypto/rand never fails
	return s.aead.Seal(append(dst, nonce...), nonce, plain, []byte(place))
}

// Open gives what was sealed for the place, in memory of its own; or ErrForeign.
func (s *Sealer) Open(sealed []byte, place string) ([]byte, error) {
	if len(sealed) < s.aead.NonceSize() {
		return nil, ErrForeign
	}
	nonce, rest := sealed[:s.aead.NonceSize()], sealed[s.aead.NonceSize():]
	plain, err := s.aead.Open(nil, nonce, rest, []byte(place))
	if err != nil {
		return nil, ErrForeign
	}
	return plain, nil
}

// SealText is Seal for a page or an address: letters, digits, hyphens and underscores.
func (s *Sealer) SealText(plain []byte, place string) string {
	return base64.RawURLEncoding.EncodeToString(s.Seal(nil, plain, place))
}

// OpenText opens what SealText gave; or ErrForeign.
func (s *Sealer) OpenText(text, place string) ([]byte, error) {
	sealed, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return nil, ErrForeign
	}
	return s.Open(sealed, place)
}
