package devkeys_test

import (
	"crypto/x509"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/mandated/mandated/internal/devkeys"
)

var now = time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)

func authority(t *testing.T, folder string, at time.Time) devkeys.Authority {
	t.Helper()
	a, err := devkeys.OpenAuthority(folder, "ca", at)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// Who trusts the authority trusts the servers of this machine, under every name that it has.
func TestAuthorityVouchesForThisMachine(t *testing.T) {
	a := authority(t, t.TempDir(), now)
	server, err := a.Server("web", now)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(a.Certificate)
	for _, name := range []string{"127.0.0.1", "localhost", "[::1]"} {
		if _, err := server.Certificate.Verify(x509.VerifyOptions{DNSName: name, Roots: roots, CurrentTime: now}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Its key lies about on a laptop. Whoever gets hold of it can vouch for no other machine with
// it, and for no further authority.
func TestAuthorityVouchesForNothingElse(t *testing.T) {
	a := authority(t, t.TempDir(), now)
	roots := x509.NewCertPool()
	roots.AddCert(a.Certificate)
	for name, change := range map[string]func(*x509.Certificate){
		"a website":         func(c *x509.Certificate) { c.DNSNames, c.IPAddresses = []string{"www.example.nl"}, nil },
		"another machine":   func(c *x509.Certificate) { c.IPAddresses[0][len(c.IPAddresses[0])-4] = 10 },
		"another authority": func(c *x509.Certificate) { c.IsCA, c.BasicConstraintsValid, c.MaxPathLen = true, true, 1 },
	} {
		t.Run(name, func(t *testing.T) {
			forged, err := devkeys.Forge(a, change)
			if err != nil {
				t.Fatal(err)
			}
			intermediates := x509.NewCertPool()
			leaf := forged.Certificate
			if leaf.IsCA {
				intermediates.AddCert(leaf)
				below, err := devkeys.Authority{Pair: forged}.Server("web", now)
				if err != nil {
					t.Fatal(err)
				}
				leaf = below.Certificate
			}
			if _, err := leaf.Verify(x509.VerifyOptions{Roots: roots, Intermediates: intermediates, CurrentTime: now}); err == nil {
				t.Error("it is believed")
			}
		})
	}
}

// People let their browser trust it once: the next time it is the same, until it soon ends.
func TestAuthorityStaysTheSame(t *testing.T) {
	folder := t.TempDir()
	first := authority(t, folder, now)
	if again := authority(t, folder, now.AddDate(1, 0, 0)); !again.Certificate.Equal(first.Certificate) || !again.Key.Equal(first.Key) {
		t.Error("it is another after a year")
	}
	if renewed := authority(t, folder, now.Add(devkeys.Lifetime-24*time.Hour)); renewed.Certificate.Equal(first.Certificate) {
		t.Error("it is the same on its last day")
	}
	if info, err := os.Stat(filepath.Join(folder, "ca.key")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("its key: %v %v", info, err)
	}
}

// What is no authority is not silently replaced: somebody may have put it there.
func TestAuthorityThatIsNone(t *testing.T) {
	folder := t.TempDir()
	authority(t, folder, now)
	if err := os.WriteFile(filepath.Join(folder, "ca.key"), []byte("Dear reader,"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := devkeys.OpenAuthority(folder, "ca", now); err == nil {
		t.Error("it is replaced")
	}
}
