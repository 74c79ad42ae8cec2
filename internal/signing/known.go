package signing

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"sync"
)

// selfDigest is what the self-test signs: nothing that could be mistaken for a message.
var selfDigest = sha256.Sum256([]byte("mandated signing self-test 1"))

// selfTest signs fixed bytes. The certificate's key must accept the result, and where the
// private key is at hand, crypto/rsa must come to the very same: these signatures have
// no randomness in them.
func (s *Signer) selfTest(private *rsa.PrivateKey) error {
	signature, err := s.engine.sign(selfDigest[:])
	if err != nil {
		return fmt.Errorf("%w: %w", ErrSelfTest, err)
	}
	if !s.fits(selfDigest[:], signature) {
		return fmt.Errorf("%w: what it signs does not fit the certificate: the certificate does not belong to the key, or the engine is broken", ErrSelfTest)
	}
	if private == nil {
		return nil
	}
	want, err := rsa.SignPKCS1v15(nil, private, crypto.SHA256, selfDigest[:])
	if err != nil || !bytes.Equal(signature, want) {
		return fmt.Errorf("%w: the engine and crypto/rsa do not sign the same", ErrSelfTest)
	}
	return nil
}

// published lets an engine sign with a key that everybody knows, and compares with what
// others have published: that does not depend on anything of ours.
func published(load func(*rsa.PrivateKey) (engine, error)) error {
	key, err := publishedKey()
	if err != nil {
		return err
	}
	engine, err := load(key)
	if err != nil {
		return err
	}
	signature, err := engine.sign(publishedDigest)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrSelfTest, err)
	}
	if !bytes.Equal(signature, publishedSignature) {
		return fmt.Errorf("%w: the published example comes out otherwise", ErrSelfTest)
	}
	return nil
}

// publishedKey is testRSA2048 of RFC 9500, section 2.1: a key for tests that everybody
// has and nothing trusts.
var publishedKey = sync.OnceValues(func() (*rsa.PrivateKey, error) {
	der, err := base64.StdEncoding.DecodeString(publishedDER)
	if err != nil {
		return nil, err
	}
	return x509.ParsePKCS1PrivateKey(der)
})

// The example is the known answer of the FIPS 140-3 module of Go
// (crypto/internal/fips140/rsa, cast.go).
const publishedDER = "" +
	"MIIEowIBAAKCAQEAsPnoGUOnrpiSqt4XynxA+HRP7S+BSObI6qJ7fQAVSPtRkqsotWxQYLEYzNEx5ZSHTGypibVsJylvCfuToDTf" +
	"Mul8b/CZjP2Ob0LdpYrNH6l5hvFE89FU1nZQF15oVLOpUgA7wGiHuEVawrGfey92UE68mOyUVXGweJIVDdxqdMoPvNNUl86BU02v" +
	"lBiESxOuox+dWmuVV7vfYZ79Toh/LUK43YvJh+rhv4nKuF7iHjVjBd9sB6iDjj70HFldzOQ9r8SRI+9NirupPTkF5AKNe6kUhKJ1" +
	"luB7S27ZkvB3tSTT3P593VVJvnzOjaA1z6Cz+4+eRvcysqhrRgFlwI9TEwIDAQABAoIBAEEYiyDP29vCzx/+dS3LqnI5BjUuJhXU" +
	"nc6AWX/PCgVAO+8A+gZRgvct7PtZb0sM6P9ZcLrweomlGezIFrL0/6xQaa8bBr/ve/a8155OgcjFo6fZEw3Dz7ra5fbSiPmu4/b/" +
	"kvrg+Br1l77Jaun6uUAs1f5B9wW+vbR7tzbT/mxaUeDiBzKpe15GwcvbJtdIVMa2YErtRjc1/5B2BGVXyvlJv0SIlcIEMsHgnAFO" +
	"p1ZgQ08aDzvilLq8XVMOahAhP1O2A3X8hKdXPyrxIVWE9bS9ptTo+eF6eNl+d7htpKGEZHUxinoQpWEBTv+iOoHsVunkEJ3vjLP3" +
	"lyI/fY0NQ1ECgYEA3RBXAjgvIys2gfU3keImF8e/TprLge1I2vbWmV2j6rZCg5r/AS0upii5CvJ5/T5vfJPNgPBy8B/yRDs+6PJO" +
	"1GmnlhOkG9JAIPkv0RBZvR0PMBtbp6nTY3yo1lwamBVBfY6rc0sLTzosZh2aGoLzrHNMQFMGaauORzBFpY5lU50CgYEAzPHlu5DI" +
	"6Xgep1vr8QvCUuEesCOgJg8Yh1UqVoY/SmQh6MYAv1I9bLGwrb3WW/7kqIoDfj0aQV5buVZI2loMomtU9KY5SFIsPV+JuUpy7/+V" +
	"E01ZQM5FdY8wiYCQiVZYju9XWz5LxMNoz+gT7pwlLCsC4N+R8aoBk404aF1gum8CgYAJ7VTq7Zj4TFV7Soa/T1eEk9y8a+kdoYk3" +
	"BASpCHJ29M5R2KEA7YV9wrBklHTz8VzSTFTbKHEQ5W5csAhoL5FoqoHzFFi3Qx7MHESQb9qHyolHEMNx6QdsHUn7rlEnaTTyrXh3" +
	"ifQtD6C0yTmFXUISCW9wKApOrnyKJ9nI0HcuZQKBgQCMtoV6e9VGX4AEfpuHvAAnMYQFgeBiYTkBKltQXwozhH63uMMomUmtSG87" +
	"Sz1TmrXadjAhy8gsG6I0pWaN7QgBuFnzQ/HOkwTm+qKwAsrZt4zeXNwsH7QXHEJCFnCmqw9QzEoZTrNtHJHpNboBuVnYcoueZEJr" +
	"P8OnUG3rUjmopwKBgAqB2KYYMUqAOvYcBnEfLDmyZv9BTVNHbR2lKkMYqv5LlvDaBxVfilE02riO4p6BaAdvzXjKeRrGNEKoHNBp" +
	"OSfYCOM16NjL8hIZB1CaV3WbT5oY+jp7Mzd57d56RZOE+ERK2uz/7JX9VSsM/LbH9pJibd4e8mikDS9ntciqOH/3"

var publishedDigest, publishedSignature = mustHex("0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20"), mustHex("" +
	"169833c7302c0adc0a8d0258ebf97db62aadee6372aa372cb30604dfdb2bbcb1763eeb87ef91ef74696227f324f8e70eb215" +
	"3fa24de20cd4dc2dc11a847c8880b9a92367392e86c0539bc135b3175e6295d6bc2aa6b1cf8f99431f3dd2703f01372bdd69" +
	"1a5c2b047092ea2d8600cb79caafa41cd961213b1ec588fbffbdc73c36a1c68503af474f429e2365246917dbe7b7dc51c630" +
	"40324f71f1622daa98db1114f99c35c316e11ad18c4d8cad0634d28497a40b6e6d199fa7401eb5fc4e1208ecf40713dc5a8c" +
	"d52ad65a2cc9548478348f11fb6ed42745d9fa908283732215ab96130d521cdc17de126f8446bbece3b1a15d8bebe6ae02b8" +
	"76477611612b")

func mustHex(text string) []byte {
	b, err := hex.DecodeString(text)
	if err != nil {
		panic(err) // it stands above
	}
	return b
}
