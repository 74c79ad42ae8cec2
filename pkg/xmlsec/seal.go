package xmlsec

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"hash"
)

// contentKeySize is that of AES-256, in bytes.
const contentKeySize = 32

// Recipient is whom an element is encrypted to, with the key its metadata or the
// service catalogue gives for that.
type Recipient struct {
	EntityID string
	KeyName  string
	Key      *rsa.PublicKey

	// GCM chooses AES-256-GCM and RSA-OAEP with SHA-256 throughout. Without it:
	// AES-256-CBC and RSA-OAEP with SHA-1, which is what the network sends today.
	GCM bool
}

// Seal encrypts an element to one or more recipients under one fresh content key
// and returns a saml:EncryptedID, or of a saml:Attribute a saml:EncryptedAttribute
// (SAML 2.0 core, sections 2.2.4 and 2.7.3.2). The plaintext carries its own namespace
// declarations, so it can be read where it is decrypted.
//
// One recipient: EncryptedData refers to its EncryptedKey by a RetrievalMethod, as
// seen in the field. Several: SAML 2.0 errata, E43, all keys carrying one key name.
//
// ErrWeakKey: a key is not RSA of 2048 bits. ErrEncryption: there is no recipient,
// or they do not agree on GCM.
func Seal(plain *Element, to ...Recipient) (*Element, error) {
	if err := checkRecipients(to); err != nil {
		return nil, err
	}
	s := sealing{
		outer:  tagEncryptedID,
		key:    randomBytes(contentKeySize),
		dataID: randomID(),
		keyIDs: make([]string, len(to)),
		shared: len(to) > 1,
		gcm:    to[0].GCM,
	}
	for i := range s.keyIDs {
		s.keyIDs[i] = randomID()
	}
	if plain.is("saml:Attribute") {
		s.outer = tagEncryptedAttribute
	}
	ciphertext, err := s.encrypt(plain.Bytes())
	if err != nil {
		return nil, fmt.Errorf("encrypting an element: %w", err)
	}
	return s.write(ciphertext, to)
}

// write writes the encrypted element, its content key encrypted to everybody.
func (s sealing) write(ciphertext []byte, to []Recipient) (*Element, error) {
	w := NewWriter(s.outer, nil)
	s.writeData(w, ciphertext)
	for i, r := range to {
		if err := s.writeKey(w, s.keyIDs[i], r); err != nil {
			w.release()
			return nil, fmt.Errorf("encrypting to %s: %w", r.EntityID, err)
		}
	}
	return w.Element(), nil
}

func checkRecipients(to []Recipient) error {
	if len(to) == 0 {
		return fmt.Errorf("%w: no recipient", ErrEncryption)
	}
	for _, r := range to {
		if r.GCM != to[0].GCM {
			return fmt.Errorf("%w: recipients of one element want different algorithms", ErrEncryption)
		}
		if r.Key == nil || r.Key.N.BitLen() < WeakestKey {
			return fmt.Errorf("%w: encryption key %q of %s", ErrWeakKey, r.KeyName, r.EntityID)
		}
	}
	return nil
}

// sealing is one element being encrypted.
type sealing struct {
	outer  *Tag
	key    []byte
	dataID string
	keyIDs []string
	shared bool // by several recipients
	gcm    bool
}

// carriedName is what the keys of several recipients call the content key. It has
// to be unique in the message only.
func (s sealing) carriedName() string { return "content" + s.dataID }

// The tags of encrypted elements, compiled once.
var (
	tagEncryptedID        = NewTag("saml:EncryptedID")
	tagEncryptedAttribute = NewTag("saml:EncryptedAttribute")
	tagEncryptedData      = NewTag("xenc:EncryptedData", "Id", "Type")
	tagMethod             = NewTag("xenc:EncryptionMethod", "Algorithm")
	tagKeyInfo            = NewTag("ds:KeyInfo")
	tagKeyName            = NewTag("ds:KeyName")
	tagRetrievalMethod    = NewTag("ds:RetrievalMethod", "Type", "URI")
	tagCipherData         = NewTag("xenc:CipherData")
	tagCipherValue        = NewTag("xenc:CipherValue")
	tagEncryptedKey       = NewTag("xenc:EncryptedKey", "Id", "Recipient")
	tagDigestMethod       = NewTag("ds:DigestMethod", "Algorithm")
	tagMGF                = NewTag("xenc11:MGF", "Algorithm")
	tagReferenceList      = NewTag("xenc:ReferenceList")
	tagDataReference      = NewTag("xenc:DataReference", "URI")
	tagCarriedKeyName     = NewTag("xenc:CarriedKeyName")
)

func (s sealing) writeData(w *Writer, ciphertext []byte) {
	algorithm := algorithmCBC
	if s.gcm {
		algorithm = algorithmGCM
	}
	w.Open(tagEncryptedData, s.dataID, typeElement)
	w.Leaf(tagMethod, "", algorithm)
	w.Open(tagKeyInfo)
	if s.shared {
		w.Leaf(tagKeyName, s.carriedName())
	} else {
		w.Leaf(tagRetrievalMethod, "", typeEncryptedKey, "#"+s.keyIDs[0])
	}
	w.Close()
	writeCipher(w, ciphertext)
	w.Close()
}

func (s sealing) writeKey(w *Writer, id string, r Recipient) error {
	newHash := sha1.New
	if s.gcm {
		newHash = sha256.New
	}
	wrapped, err := s.wrap(r.Key, newHash())
	if err != nil {
		return err
	}
	w.Open(tagEncryptedKey, id, r.EntityID)
	s.writeMethod(w)
	if r.KeyName != "" {
		w.Open(tagKeyInfo)
		w.Leaf(tagKeyName, r.KeyName)
		w.Close()
	}
	writeCipher(w, wrapped)
	w.Open(tagReferenceList)
	w.Leaf(tagDataReference, "", "#"+s.dataID)
	w.Close()
	if s.shared {
		w.Leaf(tagCarriedKeyName, s.carriedName())
	}
	w.Close()
	return nil
}

// writeMethod says how the content key is encrypted.
func (s sealing) writeMethod(w *Writer) {
	if !s.gcm {
		w.Open(tagMethod, algorithmOAEPMGF1)
		w.Leaf(tagDigestMethod, "", algorithmSHA1)
		w.Close()
		return
	}
	w.Open(tagMethod, algorithmOAEP)
	w.Leaf(tagDigestMethod, "", algorithmSHA256)
	w.Leaf(tagMGF, "", algorithmMGF256)
	w.Close()
}

func writeCipher(w *Writer, value []byte) {
	w.Open(tagCipherData)
	w.Leaf(tagCipherValue, base64.StdEncoding.EncodeToString(value))
	w.Close()
}

func (s sealing) wrap(to *rsa.PublicKey, h hash.Hash) ([]byte, error) {
	return rsa.EncryptOAEP(h, rand.Reader, to, s.key, nil)
}

// encrypt puts a random initialization vector in front of the ciphertext: XML
// Encryption 1.1, sections 5.2.2 and 5.2.4.
func (s sealing) encrypt(plain []byte) ([]byte, error) {
	block, err := aes.NewCipher(s.key)
	if err != nil {
		return nil, err
	}
	if s.gcm {
		aead, err := cipher.NewGCMWithRandomNonce(block)
		if err != nil {
			return nil, err
		}
		return aead.Seal(nil, nil, plain, nil), nil
	}
	padding := aes.BlockSize - len(plain)%aes.BlockSize
	plain = append(plain, make([]byte, padding)...)
	plain[len(plain)-1] = byte(padding)
	out := append(randomBytes(aes.BlockSize), plain...)
	cipher.NewCBCEncrypter(block, out[:aes.BlockSize]).CryptBlocks(out[aes.BlockSize:], plain)
	return out, nil
}

func randomID() string { return "_" + hex.EncodeToString(randomBytes(16)) }

// randomBytes cannot fail: since Go 1.24 crypto/rand ends the program instead.
func randomBytes(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b)
	return b
}
