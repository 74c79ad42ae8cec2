package servers

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

type keyFiles struct{ cert, key string }

// makeTLS makes a certificate for 127.0.0.1 that signs itself, and the configuration that
// trusts it and nothing else.
func (r *RedisServer) makeTLS(folder string) keyFiles {
	r.t.Helper()
	files := keyFiles{filepath.Join(folder, "cert.pem"), filepath.Join(folder, "key.pem")}
	made, err := selfSigned()
	if err == nil {
		err = errors.Join(os.WriteFile(files.cert, made.cert, 0o600), os.WriteFile(files.key, made.key, 0o600))
	}
	if err != nil {
		r.t.Fatalf("a certificate for Redis: %v", err)
	}
	r.tls = &tls.Config{RootCAs: made.pool}
	return files
}

// pair is a certificate and its key as PEM, and the pool that trusts it and nothing else.
type pair struct {
	cert, key []byte
	pool      *x509.CertPool
}

// selfSigned makes a certificate for 127.0.0.1 that signs itself.
func selfSigned() (pair, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return pair{}, err
	}
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		Subject:               pkix.Name{CommonName: "server of a test"},
		IPAddresses:           []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore:             time.Now().Add(-time.Hour),
		NotAfter:              time.Now().Add(24 * time.Hour),
		IsCA:                  true,
		BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return pair{}, err
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return pair{}, err
	}
	made := pair{
		cert: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		key:  pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}),
		pool: x509.NewCertPool(),
	}
	made.pool.AppendCertsFromPEM(made.cert)
	return made, nil
}
