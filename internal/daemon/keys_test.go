package daemon_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mandated/mandated/internal/daemon"
	"github.com/mandated/mandated/internal/devkeys"
)

// keyring makes the keys of the scenes once: that takes longer than the scenes.
var keyring = sync.OnceValue(func() map[string]*rsa.PrivateKey {
	ring := map[string]*rsa.PrivateKey{}
	for name, bits := range map[string]int{"one": 2048, "two": 2048, "weak": 1024} {
		ring[name] = must(rsa.GenerateKey(rand.Reader, bits))
	}
	return ring
})

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// safe is a folder with the keys of a register.
type safe struct {
	t      *testing.T
	folder string
}

// newSafe has a key that may be used in production, with its certificate.
func newSafe(t *testing.T) safe {
	s := safe{t, t.TempDir()}
	s.private("good.key", keyring()["one"], 0o600)
	s.certificate("good.crt", keyring()["one"], "")
	return s
}

func (s safe) write(name, kind string, der []byte, mode os.FileMode) {
	s.t.Helper()
	path := filepath.Join(s.folder, name)
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), mode); err != nil {
		s.t.Fatal(err)
	}
}

func (s safe) private(name string, key any, mode os.FileMode) {
	s.t.Helper()
	s.write(name, "PRIVATE KEY", must(x509.MarshalPKCS8PrivateKey(key)), mode)
}

func (s safe) certificate(name string, key *rsa.PrivateKey, unit string) {
	s.t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Unix(0, 0), NotAfter: time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC),
	}
	if unit != "" {
		template.Subject.OrganizationalUnit = []string{"Keys", unit}
	}
	s.write(name, "CERTIFICATE", must(x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)), 0o644)
}

// config uses the key for everything, as in a file next to it.
func (s safe) config(key, certificate string) daemon.Config {
	s.t.Helper()
	c := sample(s.t, "test.yaml")
	pair := daemon.Key{Key: filepath.Join(s.folder, key), Certificate: filepath.Join(s.folder, certificate)}
	c.Signing, c.Encryption = []daemon.Key{pair}, []daemon.Key{pair}
	return c
}

// A key is used only if nobody else can have read it and everybody can believe it. Each
// refusal tells which file is meant and what is wrong.
func TestKeysThatAreNotGood(t *testing.T) {
	s := newSafe(t)
	s.private("group.key", keyring()["one"], 0o640)
	s.private("world.key", keyring()["one"], 0o604)
	s.private("two.key", keyring()["two"], 0o600)
	s.private("weak.key", keyring()["weak"], 0o600)
	s.certificate("weak.crt", keyring()["weak"], "")
	s.certificate("development.crt", keyring()["one"], devkeys.Unit)
	s.private("elliptic.key", must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)), 0o600)
	s.write("older.key", "RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(keyring()["one"]), 0o600)
	s.write("broken.crt", "CERTIFICATE", []byte("nonsense"), 0o644)
	for _, letter := range []string{"letter.key", "letter.crt"} {
		if err := os.WriteFile(filepath.Join(s.folder, letter), []byte("Dear reader,"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct{ key, certificate, want string }{
		{"group.key", "good.crt", "others can read the key file: chmod 600 it"},
		{"world.key", "good.crt", "others can read the key file: chmod 600 it"},
		{"two.key", "good.crt", "the certificate does not belong to the key"},
		{"good.key", "development.crt", "this is a development key: start with --dev"},
		{"weak.key", "weak.crt", "fewer than 2048 bits"},
		{"letter.key", "good.crt", "not a PEM file"},
		{"elliptic.key", "good.crt", "not an RSA key"},
		{"older.key", "good.crt", "not a private key in PKCS #8"},
		{"good.crt", "good.crt", "others can read the key file"},
		{"good.key", "letter.crt", "there is no certificate in it"},
		{"good.key", "good.key", "there is no certificate in it"},
		{"good.key", "broken.crt", "broken.crt: x509"},
		{"absent.key", "good.crt", "absent.key: no such file"},
		{"good.key", "absent.crt", "absent.crt: no such file"},
	} {
		config := s.config(c.key, c.certificate)
		err := config.CheckKeys(false)
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), c.key) {
			t.Errorf("%s with %s: %v; want %q", c.key, c.certificate, err, c.want)
		}
	}
}

// A key of one's own is good anywhere; a development key only where somebody said --dev.
func TestKeysThatAreGood(t *testing.T) {
	s := newSafe(t)
	s.certificate("development.crt", keyring()["one"], devkeys.Unit)
	good, development := s.config("good.key", "good.crt"), s.config("good.key", "development.crt")
	for why, err := range map[string]error{
		"in production": good.CheckKeys(false), "with --dev": good.CheckKeys(true), "a development key with --dev": development.CheckKeys(true),
	} {
		if err != nil {
			t.Errorf("%s: %v", why, err)
		}
	}
}

// The TLS key is a secret like the others: whoever reads it can pose as this register.
// The same rules hold for it.
func TestTLSKeyIsKeptLikeTheOthers(t *testing.T) {
	s := newSafe(t)
	s.private("world.key", keyring()["one"], 0o644)
	s.private("two.key", keyring()["two"], 0o600)
	s.certificate("development.crt", keyring()["one"], devkeys.Unit)
	for _, c := range []struct{ key, certificate, want string }{
		{"world.key", "good.crt", "others can read the key file"},
		{"good.key", "development.crt", "this is a development key"},
		{"two.key", "good.crt", "TLS"},
		{"absent.key", "good.crt", "TLS"},
	} {
		config := s.config("good.key", "good.crt")
		config.TLS = daemon.TLS{Key: filepath.Join(s.folder, c.key), Certificate: filepath.Join(s.folder, c.certificate)}
		if err := config.CheckKeys(false); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("TLS with %s and %s: %v; want %q", c.key, c.certificate, err, c.want)
		}
	}
}

// What opens Redis is a secret too, and told by its own name.
func TestSecretsOfRedisAreKeptLikeTheOthers(t *testing.T) {
	s := newSafe(t)
	s.private("world.key", keyring()["one"], 0o644)
	for name, mode := range map[string]os.FileMode{"password": 0o600, "seen": 0o640} {
		if err := os.WriteFile(filepath.Join(s.folder, name), []byte("secret\n"), mode); err != nil {
			t.Fatal(err)
		}
	}
	at := func(name string) string { return filepath.Join(s.folder, name) }
	for _, c := range []struct {
		redis daemon.Redis
		want  string // "": nothing is wrong
	}{
		{daemon.Redis{}, ""},
		{daemon.Redis{PasswordFile: at("password"), CA: at("good.crt"), Certificate: at("good.crt"), Key: at("good.key")}, ""},
		{daemon.Redis{PasswordFile: at("seen")}, "others can read the password file: chmod 600 it"},
		{daemon.Redis{SentinelPasswordFile: at("seen")}, "others can read the password file: chmod 600 it"},
		{daemon.Redis{PasswordFile: at("absent")}, "absent: no such file"},
		{daemon.Redis{CA: at("good.crt"), Certificate: at("good.crt"), Key: at("world.key")}, "others can read the key file: chmod 600 it"},
		{daemon.Redis{CA: at("password")}, "there is no certificate in it"},
	} {
		config := s.config("good.key", "good.crt")
		config.Redis = c.redis
		if err := config.CheckRedis(); (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v; want %q", c.redis, err, c.want)
		}
	}
}
