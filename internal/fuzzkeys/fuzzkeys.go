// Package fuzzkeys derives RSA keys from seeds, for fuzz targets: a fuzzer's workers are
// processes of their own and share inputs, so the keys must be the same in all of them. They
// protect nothing: anybody can make them again. Nothing but tests may import it.
package fuzzkeys

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/binary"
	"math/big"
	"time"

	"github.com/mandated/mandated/pkg/xmlsec"
)

// Signer has the key of a seed, and a certificate for it that is valid at that time.
func Signer(seed, keyName string, at time.Time) xmlsec.Signer {
	key := derive(seed)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: at.Add(-time.Hour), NotAfter: at.AddDate(1, 0, 0)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		panic(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		panic(err)
	}
	return xmlsec.Signer{Key: key, KeyName: keyName, Certificate: certificate}
}

// derive finds an RSA key from a seed.
func derive(seed string) *rsa.PrivateKey {
	p, q := prime(seed+" p"), prime(seed+" q")
	one, e := big.NewInt(1), big.NewInt(65537)
	phi := new(big.Int).Mul(new(big.Int).Sub(p, one), new(big.Int).Sub(q, one))
	key := &rsa.PrivateKey{
		PublicKey: rsa.PublicKey{N: new(big.Int).Mul(p, q), E: 65537},
		D:         new(big.Int).ModInverse(e, phi), Primes: []*big.Int{p, q},
	}
	key.Precompute()
	if err := key.Validate(); err != nil {
		panic(err)
	}
	return key
}

func prime(seed string) *big.Int {
	raw := make([]byte, 0, 128)
	for i := uint32(0); len(raw) < 128; i++ {
		block := sha256.Sum256(binary.BigEndian.AppendUint32([]byte(seed), i))
		raw = append(raw, block[:]...)
	}
	raw[0] |= 0xC0
	raw[127] |= 1
	p, e := new(big.Int).SetBytes(raw), big.NewInt(65537)
	for ; ; p.Add(p, big.NewInt(2)) {
		if p.ProbablyPrime(10) && new(big.Int).Mod(new(big.Int).Sub(p, big.NewInt(1)), e).Sign() != 0 {
			return p
		}
	}
}
