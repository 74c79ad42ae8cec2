package bench

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"fmt"
	"regexp"
)

// floor is the raw cryptography of one decision, by crypto/rsa.
type floor struct {
	key       *rsa.PrivateKey
	digest    [sha256.Size]byte
	signature []byte
	encrypted []byte
	asked     [][]byte // what the signatures of the question cover, or as many other bytes
	answered  [][]byte
}

// Sizes are how many bytes of a question and of its answer are hashed.
type sizes struct{ Asked, Answered []int }

func newFloor(s sizes) (f *floor, err error) {
	f = &floor{asked: blocks(s.Asked), answered: blocks(s.Answered)}
	if f.key, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
		return nil, err
	}
	if f.signature, err = rsa.SignPKCS1v15(nil, f.key, crypto.SHA256, f.digest[:]); err != nil {
		return nil, err
	}
	f.encrypted, err = rsa.EncryptOAEP(sha1.New(), rand.Reader, &f.key.PublicKey, f.digest[:], nil)
	return f, err
}

func blocks(lengths []int) [][]byte {
	list := make([][]byte, len(lengths))
	for i, n := range lengths {
		list[i] = make([]byte, n)
	}
	return list
}

func (f *floor) sign() { _, _ = rsa.SignPKCS1v15(nil, f.key, crypto.SHA256, f.digest[:]) }

func (f *floor) verify() {
	_ = rsa.VerifyPKCS1v15(&f.key.PublicKey, crypto.SHA256, f.digest[:], f.signature)
}

// signing: both signatures of the question verified, both of the answer made, and every
// byte that they cover hashed.
func (f *floor) signing() {
	for _, block := range f.asked {
		sha256.Sum256(block)
	}
	f.verify()
	f.verify()
	for _, block := range f.answered {
		sha256.Sum256(block)
	}
	f.sign()
	f.sign()
}

// whole is all the RSA that this scheme needs: also the person's name opened, and his
// pseudonym, the KvK number and the RSIN sealed for the provider.
func (f *floor) whole() {
	f.signing()
	_, _ = f.key.Decrypt(nil, f.encrypted, &rsa.OAEPOptions{Hash: crypto.SHA1})
	for range 3 {
		_, _ = rsa.EncryptOAEP(sha1.New(), rand.Reader, &f.key.PublicKey, f.digest[:], nil)
	}
}

// The parts of a message with two signatures, one in the other.
var (
	bodyOf      = regexp.MustCompile(`(?s)<soap:Body[^>]*>(.*)</soap:Body>`)
	assertionOf = regexp.MustCompile(`(?s)<saml:Assertion .*</saml:Assertion>`)
	signatureOf = regexp.MustCompile(`(?s)<ds:Signature[ >].*?</ds:Signature>`)
	infoOf      = regexp.MustCompile(`(?s)<ds:SignedInfo[ >].*?</ds:SignedInfo>`)
)

// covered counts the bytes that the signatures of a message cover: each signed element
// without its own signature, and what is signed itself. Our messages are written as they
// are hashed, but for some declarations.
func covered(message []byte) ([]int, error) {
	body, assertion := bodyOf.FindSubmatch(message), assertionOf.Find(message)
	infos := infoOf.FindAll(message, -1)
	if body == nil || assertion == nil || len(infos) != 2 {
		return nil, fmt.Errorf("not a message with two signatures: %s", message)
	}
	lengths := []int{len(infos[0]), len(infos[1])}
	for _, element := range [][]byte{bytes.TrimSpace(body[1]), assertion} {
		lengths = append(lengths, len(element)-len(signatureOf.Find(element)))
	}
	return lengths, nil
}
