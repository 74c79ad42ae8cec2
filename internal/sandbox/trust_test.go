package sandbox_test

import (
	"crypto/tls"
	"crypto/x509"
	"net/url"
	"os"
	"testing"
)

// Whoever trusts the one certificate of the sandbox can go wherever a log-in leads: the web
// server and the doors of both registers show certificates that it vouches for, and that
// nobody else does.
func TestOneCertificateIsEnough(t *testing.T) {
	s := open(t)
	ca, err := os.ReadFile(s.CA)
	if err != nil {
		t.Fatal(err)
	}
	trusted := x509.NewCertPool()
	if !trusted.AppendCertsFromPEM(ca) {
		t.Fatalf("%s is no certificate", s.CA)
	}
	for _, address := range []string{s.Address, s.Network.First.DoorEndpoint, s.Network.Second.DoorEndpoint} {
		at, err := url.Parse(address)
		if err != nil || at.Scheme != "https" {
			t.Fatalf("%s: %v", address, err)
		}
		shake := func(roots *x509.CertPool) error {
			c, err := tls.Dial("tcp", at.Host, &tls.Config{RootCAs: roots, ServerName: at.Hostname()})
			if err == nil {
				err = c.Close()
			}
			return err
		}
		if err := shake(trusted); err != nil {
			t.Errorf("%s: %v", address, err)
		}
		if err := shake(x509.NewCertPool()); err == nil {
			t.Errorf("%s is believed by those who trust nobody", address)
		}
	}
}
