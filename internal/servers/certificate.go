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
	pool, err := selfSigned(files)
	if err != nil {
		r.t.Fatalf("a certificate for Redis: %v", err)
	}
	r.tls = &tls.Config{RootCAs: pool}
	return files
}

func selfSigned(files keyFiles) (*x509.CertPool, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		Subject:               pkix.Name{CommonName: "Redis of a test"},
		IPAddresses:           []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore:             time.Now().Add(-time.Hour),
		NotAfter:              time.Now().Add(24 * time.Hour),
		IsCA:                  true,
		BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	cert := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(cert)
	return pool, errors.Join(
		os.WriteFile(files.cert, cert, 0o600),
		os.WriteFile(files.key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}), 0o600))
}
