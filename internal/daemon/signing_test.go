package daemon_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mandated/mandated/internal/daemon"
)

// A key with its engine is refused by name where the two do not go together, before
// anything is opened.
func TestEnginesThatContradictTheirKeys(t *testing.T) {
	const entry = "  - key: keys/signing.key\n    certificate: keys/signing.crt"
	const pin = "?pin-source=pin.txt"
	on := func(uri, more string) string {
		return "  - key: " + uri + "\n    certificate: keys/signing.crt\n" + more
	}
	for why, c := range map[string]struct{ old, new, want string }{
		"an engine nobody knows":     {entry, entry + "\n    engine: libressl", `signing: engine: "libressl" is not go, openssl or pkcs11`},
		"a token without its engine": {entry, on("pkcs11:token=m;object=s"+pin, ""), "are for engine: pkcs11"},
		"a module without a token":   {entry, entry + "\n    module: /lib/m.so", "are for engine: pkcs11"},
		"a module for openssl":       {entry, entry + "\n    module: /lib/m.so\n    engine: openssl", "are for engine: pkcs11"},
		"a file as a token":          {entry, entry + "\n    module: /lib/m.so\n    engine: pkcs11", "begins with pkcs11 and a colon"},
		"no PIN":                     {entry, on("pkcs11:token=m;object=s", "    module: /lib/m.so\n    engine: pkcs11"), "lacks the file with the PIN"},
		"a PIN for everybody":        {entry, on("pkcs11:token=m;object=s?pin-value=4711", "    module: /lib/m.so\n    engine: pkcs11"), "a PIN does not stand in a configuration"},
		"no module":                  {entry, on("pkcs11:token=m;object=s"+pin, "    engine: pkcs11"), "the library of the security module is needed, once"},
		"two modules":                {entry, on("pkcs11:token=m;object=s"+pin+"&module-path=/lib/n.so", "    module: /lib/m.so\n    engine: pkcs11"), "the library of the security module is needed, once"},
		"no certificate":             {entry, "  - key: pkcs11:token=m;object=s" + pin + "\n    module: /lib/m.so\n    engine: pkcs11", "key and certificate are both needed"},
		"an engine that decrypts":    {"keys/encryption.key", "keys/encryption.key\n    engine: openssl", "encryption: keys that decrypt are files"},
		"a token that decrypts":      {"key: keys/encryption.key", "key: pkcs11:token=m;object=s" + pin, "encryption: keys that decrypt are files"},
	} {
		_, err := load(t, nil, c.old, c.new)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "4711") {
			t.Errorf("%s: %v; want %q", why, err, c.want)
		}
	}
	for why, c := range map[string]struct{ old, new string }{
		"the engine by its word":    {entry, entry + "\n    engine: go"},
		"the module beside the URI": {entry, on("pkcs11:token=m;object=s"+pin, "    module: /lib/m.so\n    engine: pkcs11")},
		"the module in the URI":     {entry, on("pkcs11:token=m;object=s"+pin+"&module-path=/lib/m.so", "    engine: pkcs11")},
	} {
		if _, err := load(t, nil, c.old, c.new); err != nil {
			t.Errorf("%s: %v", why, err)
		}
	}
}

// Keys behind other engines are read with the same care: the file with the PIN is a
// secret, a development certificate says so wherever its key is, and a file is a file.
func TestEnginesKeepTheRulesForKeys(t *testing.T) {
	s := newSafe(t)
	s.private("two.key", keyring()["two"], 0o600)
	s.certificate("development.crt", keyring()["one"], "mandated development, not for production")
	s.certificate("weak.crt", keyring()["weak"], "")
	for name, mode := range map[string]os.FileMode{"seen.txt": 0o640, "pin.txt": 0o600} {
		if err := os.WriteFile(filepath.Join(s.folder, name), []byte("1234\n"), mode); err != nil {
			t.Fatal(err)
		}
	}
	token := func(pin string) string {
		return "pkcs11:token=m;object=s?pin-source=" + filepath.Join(s.folder, pin)
	}
	at := func(name string) string { return filepath.Join(s.folder, name) }
	for why, c := range map[string]struct {
		key  daemon.Key
		want string
	}{
		"another key for openssl":       {daemon.Key{Engine: "openssl", Key: at("two.key"), Certificate: at("good.crt")}, "the certificate does not belong to the key"},
		"a development key for openssl": {daemon.Key{Engine: "openssl", Key: at("good.key"), Certificate: at("development.crt")}, "this is a development key"},
		"a development key on a token":  {daemon.Key{Engine: "pkcs11", Key: token("pin.txt"), Module: "/m.so", Certificate: at("development.crt")}, "this is a development key"},
		"a weak key on a token":         {daemon.Key{Engine: "pkcs11", Key: token("pin.txt"), Module: "/m.so", Certificate: at("weak.crt")}, "fewer than 2048 bits"},
		"a token without certificate":   {daemon.Key{Engine: "pkcs11", Key: token("pin.txt"), Module: "/m.so", Certificate: at("absent.crt")}, "absent.crt: no such file"},
	} {
		config := s.config("good.key", "good.crt")
		config.Signing = []daemon.Key{c.key}
		if err := config.CheckKeys(false); err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), c.key.Key) {
			t.Errorf("%s: %v; want %q", why, err, c.want)
		}
	}
}

// What the README says of engines is a configuration that reads.
func TestEnginesOfTheReadme(t *testing.T) {
	readme := string(must(os.ReadFile("../../README.md")))
	_, block, found := strings.Cut(readme, "```yaml engines\n")
	block, _, closed := strings.Cut(block, "```")
	if !found || !closed {
		t.Fatal("the README has no example of engines")
	}
	const signing = "signing:\n  - key: keys/signing.key\n    certificate: keys/signing.crt\n"
	c, err := load(t, nil, signing, block)
	if err != nil {
		t.Fatal(err)
	}
	if engines := strings.Join(c.Engines(), "\n"); !strings.Contains(engines, "engine openssl") || !strings.Contains(engines, "engine pkcs11") {
		t.Errorf("the engines are %s", engines)
	}
}
