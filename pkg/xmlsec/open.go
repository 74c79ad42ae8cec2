package xmlsec

import (
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/rsa"
)

// Opener is a key of ours that peers encrypt to.
type Opener struct {
	KeyName string
	Key     crypto.Decrypter // RSA; may live in a security module
}

// sealedLimits is for what may be inside what is encrypted: a NameID, or an attribute
// with a few values.
var sealedLimits = Limits{
	Bytes: 64 << 10, Depth: 8, Elements: 64, Attributes: 32, Namespaces: 64,
	Tokens: 512, AttributeBytes: 4 << 10,
}

// Open decrypts a verified saml:EncryptedID or saml:EncryptedAttribute that is encrypted
// to that recipient (our EntityID) under one of our keys, and returns the element in it,
// read through the same gate as messages. The result cannot be opened again: nothing in the
// scheme is encrypted twice.
//
// ErrUnverified: the node does not come from a Verified; CBC is only safe to
// decrypt when the sender is known. ErrAlgorithm, ErrEncryption and ErrNotForUs are
// found before any key is used. Everything after that is ErrUndecryptable and
// nothing more, after the same work: a padding oracle needs a difference.
func Open(encrypted *Node, recipient string, keys []Opener) (*Node, error) {
	if encrypted == nil || !encrypted.verified {
		return nil, ErrUnverified
	}
	s, err := readSealed(encrypted, recipient)
	if err != nil {
		return nil, err
	}
	openers, err := s.openers(keys)
	if err != nil {
		return nil, err
	}
	plain, good := s.data.decrypt(s.contentKey(openers))
	document, err := Read(plain, sealedLimits)
	if !good || err != nil {
		return nil, ErrUndecryptable
	}
	defer document.Release()
	return document.Unverified(), nil
}

// contentKey unwraps the content key with the first of our keys that fits. If none
// does, it is a random one, and the work goes on as if nothing had happened.
func (s sealed) contentKey(openers []Opener) []byte {
	key := randomBytes(contentKeySize)
	options := &rsa.OAEPOptions{Hash: s.key.hash, MGFHash: s.key.mgf}
	for _, o := range openers {
		unwrapped, err := o.Key.Decrypt(rand.Reader, s.key.value, options)
		if err == nil && len(unwrapped) == contentKeySize {
			return unwrapped
		}
	}
	return key
}

// openers chooses among our keys by the name the sender gave, or takes all.
func (s sealed) openers(keys []Opener) ([]Opener, error) {
	var fit []Opener
	for _, k := range keys {
		if s.key.name == "" || k.KeyName == s.key.name {
			fit = append(fit, k)
		}
	}
	if len(fit) == 0 {
		return nil, ErrNotForUs
	}
	return fit, nil
}

// decrypt returns the plaintext, and whether it is one. If it is not, the bytes
// are still returned so that the caller can do the same work on them.
func (d sealedData) decrypt(key []byte) (plain []byte, good bool) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, false
	}
	if d.gcm {
		return openGCM(block, d.value)
	}
	return openCBC(block, d.value)
}

func openGCM(block cipher.Block, value []byte) ([]byte, bool) {
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, false
	}
	plain, err := aead.Open(nil, nil, value, nil)
	return plain, err == nil
}

// openCBC removes the padding of XML Encryption, of which only the last byte, the
// length, has a set value (XML Encryption 1.1, section 5.2).
func openCBC(block cipher.Block, value []byte) ([]byte, bool) {
	if len(value) < 2*aes.BlockSize || len(value)%aes.BlockSize != 0 {
		return nil, false
	}
	plain := make([]byte, len(value)-aes.BlockSize)
	cipher.NewCBCDecrypter(block, value[:aes.BlockSize]).CryptBlocks(plain, value[aes.BlockSize:])
	padding := int(plain[len(plain)-1])
	if padding < 1 || padding > aes.BlockSize {
		return plain, false
	}
	return plain[:len(plain)-padding], true
}
