package servers

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// SoftHSM is a security module in software, with its tokens in a folder of its own. It
// runs inside of the process that loads it, so it is one test's at a time, and not for
// tests in parallel.
type SoftHSM struct {
	t      HSMTester
	Module string // path of the library
	folder string
}

// HSMTester is what a security module needs of a test.
type HSMTester interface {
	TB
	TempDir() string
	Setenv(name, value string)
}

// PIN is that of every token.
const PIN = "1234"

// NewSoftHSM prepares a security module without any token.
func NewSoftHSM(t HSMTester) *SoftHSM {
	t.Helper()
	h := &SoftHSM{t: t, folder: t.TempDir()}
	if _, err := exec.LookPath("softhsm2-util"); err != nil {
		unavailable(t, "SoftHSM is not installed: %v", err)
	}
	found, _ := filepath.Glob("/usr/lib*/softhsm/libsofthsm2.so")
	if len(found) == 0 {
		unavailable(t, "SoftHSM's library is not in /usr/lib/softhsm")
	}
	h.Module = found[0]
	conf := filepath.Join(h.folder, "softhsm2.conf")
	if err := os.Mkdir(h.tokens(), 0o700); err != nil {
		t.Fatalf("preparing SoftHSM: %v", err)
	}
	if err := os.WriteFile(conf, fmt.Appendf(nil, "directories.tokendir = %s\nlog.level = ERROR\n", h.tokens()), 0o600); err != nil {
		t.Fatalf("configuring SoftHSM: %v", err)
	}
	t.Setenv("SOFTHSM2_CONF", conf)
	return h
}

func (h *SoftHSM) tokens() string { return filepath.Join(h.folder, "tokens") }

// Token makes a token of that label.
func (h *SoftHSM) Token(label string) {
	h.t.Helper()
	h.run("--init-token", "--free", "--label", label, "--pin", PIN, "--so-pin", "567890")
}

// Import puts a key on a token, under a label and an id in hexadecimal.
func (h *SoftHSM) Import(token, label, id string, key *rsa.PrivateKey) {
	h.t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		h.t.Fatalf("importing a key: %v", err)
	}
	file := filepath.Join(h.folder, label+".pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600); err != nil {
		h.t.Fatalf("importing a key: %v", err)
	}
	h.run("--import", file, "--token", token, "--label", label, "--id", id, "--pin", PIN)
}

func (h *SoftHSM) run(arguments ...string) {
	h.t.Helper()
	if out, err := exec.Command("softhsm2-util", arguments...).CombinedOutput(); err != nil {
		h.t.Fatalf("softhsm2-util %s: %v\n%s", arguments[0], err, out)
	}
}

// Remove takes all tokens out.
func (h *SoftHSM) Remove() { h.move(h.tokens(), h.tokens()+".away") }

// PutBack puts them in again.
func (h *SoftHSM) PutBack() { h.move(h.tokens()+".away", h.tokens()) }

func (h *SoftHSM) move(from, to string) {
	h.t.Helper()
	if err := os.Rename(from, to); err != nil {
		h.t.Fatalf("moving the tokens: %v", err)
	}
}
