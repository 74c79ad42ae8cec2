//go:build openssl && pkcs11 && cgo

package daemon_test

import (
	"crypto/rsa"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mandated/mandated/internal/daemon"
	"github.com/mandated/mandated/internal/servers"
	"github.com/mandated/mandated/internal/signing"
	"github.com/mandated/mandated/pkg/harness"
)

// withToken is a scene with a security module that has the register's key on its token,
// and a file with the PIN beside the configuration.
func withToken(t *testing.T) (*scene, *servers.SoftHSM, map[string]any) {
	hsm := servers.NewSoftHSM(t)
	t.Cleanup(signing.Shut) // after the daemon has stopped
	s := newScene(t, harness.Options{})
	private, _, err := daemon.ReadKey(s.file("keys/register.key"), s.file("keys/register.crt"))
	if err != nil {
		t.Fatal(err)
	}
	hsm.Token("mandated")
	hsm.Import("mandated", "signing", "a1", private)
	s.write("register/pin.txt", []byte(servers.PIN+"\n"))
	return s, hsm, map[string]any{
		"engine": "pkcs11", "key": "pkcs11:token=mandated;object=signing?pin-source=pin.txt", "module": hsm.Module, "certificate": "../keys/register.crt",
	}
}

// inFile is the register's key in its file, with another engine.
func inFile(engine string) map[string]any {
	return map[string]any{"engine": engine, "key": "../keys/register.key", "certificate": "../keys/register.crt"}
}

// An operator changes the engine without a restart. Whoever asks cannot tell: the answers
// are signed by the same key, which xmlsec1 confirms, and the journal stays provable.
func TestEnginesAnswer(t *testing.T) {
	s, _, token := withToken(t)
	for _, c := range []struct {
		engine string
		key    map[string]any
	}{{"openssl", inFile("openssl")}, {"pkcs11", token}, {"go", inFile("go")}, {"pkcs11", token}} {
		s.swapSigning(c.key)
		s.permitted("signed by " + c.engine)
		if s.metric(`mandated_signing_engine{engine="`+c.engine+`"}`) != "1" || s.metric("mandated_signatures_wrong_total") != "0" {
			t.Errorf("%s: the metrics say otherwise", c.engine)
		}
		byXMLSec1(t, s.file("keys/register.crt"), s.ask().Received)
	}
	s.restart()
	s.permitted("after a restart")
	if report := s.verify(); len(report.Problems) > 0 {
		t.Errorf("the journal: %v", report.Problems)
	}
}

// byXMLSec1 lets somebody else verify both signatures of an answer.
func byXMLSec1(t *testing.T, certificate string, answer []byte) {
	t.Helper()
	xmlsec1, err := exec.LookPath("xmlsec1")
	if err != nil {
		if os.Getenv("MANDATED_REQUIRE_SERVERS") == "1" {
			t.Fatalf("xmlsec1 is needed: %v", err)
		}
		t.Logf("not verified by others: %v", err)
		return
	}
	file := filepath.Join(t.TempDir(), "answer.xml")
	if err := os.WriteFile(file, answer, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, n := range []string{"1", "2"} {
		out, err := exec.Command(xmlsec1, "--verify", "--pubkey-cert-pem", certificate,
			"--id-attr:ID", "urn:oasis:names:tc:SAML:2.0:protocol:Response", "--id-attr:ID", "urn:oasis:names:tc:SAML:2.0:assertion:Assertion",
			"--node-xpath", `(//*[local-name()="Signature"])[`+n+`]`, file).CombinedOutput()
		if err != nil {
			t.Errorf("signature %s: %v\n%s", n, err, out)
		}
	}
}

// With its token gone the daemon answers nothing, and its keys are told as the problem at
// the next look. It needs nobody when the token is back.
func TestEnginesWithoutToken(t *testing.T) {
	s, hsm, token := withToken(t)
	s.swapSigning(token)
	s.permitted("with the token")
	hsm.Remove()
	if r := s.ask(); r.Reply != nil || r.Fault == "" {
		t.Errorf("without the token, the answer is HTTP %d, %+v", r.HTTPStatus, r.Reply)
	}
	if err := s.n.First.Reload(); err == nil {
		t.Error("a reload without the token says nothing")
	}
	if status, text := s.page("/readyz"); status == 200 || !strings.Contains(text, "keys") {
		t.Errorf("/readyz says %d %q", status, text)
	}
	hsm.PutBack()
	for deadline := time.Now().Add(time.Minute); ; {
		if r := s.ask(); r.Reply != nil && r.Reply.Permitted() {
			break
		} else if time.Now().After(deadline) {
			t.Fatalf("with the token back, the answer is HTTP %d, %s", r.HTTPStatus, r.Received)
		}
	}
	s.reload()
	s.ready("with the token back")
}

// The file with the PIN is a secret like a key, and the error does not tell it.
func TestEnginesKeepThePIN(t *testing.T) {
	s, _, token := withToken(t)
	s.configure(func(settings map[string]any) { settings["signing"] = []any{token} }) // nobody has logged in
	for what, c := range map[string]struct {
		spoil func(file string) error
		want  string
	}{
		"others can read it": {func(file string) error { return os.Chmod(file, 0o644) }, "others can read the PIN file: chmod 600 it"},
		"it is not there":    {os.Remove, "pin.txt: no such file"},
		"it is wrong":        {func(file string) error { return os.WriteFile(file, []byte("4711"), 0o600) }, "the PIN is not right"},
	} {
		s.write("register/pin.txt", []byte(servers.PIN))
		if err := c.spoil(s.file("register/pin.txt")); err != nil {
			t.Fatal(err)
		}
		config := s.config()
		if err := config.CheckKeys(true); err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "4711") {
			t.Errorf("%s: %v; want %q", what, err, c.want)
		}
		_ = os.Remove(s.file("register/pin.txt")) // one of them has done so
	}
}

// Retiring the journal signs with the active key, wherever it is.
func TestEnginesForCommands(t *testing.T) {
	s, _, token := withToken(t)
	s.configure(func(settings map[string]any) { settings["signing"] = []any{token, inFile("openssl")} })
	config := s.config()
	signer, err := config.OpenActive(true)
	if err != nil {
		t.Fatal(err)
	}
	certificates := must(daemon.ReadCertificates(s.file("keys/register.crt")))
	if !certificates[0].PublicKey.(*rsa.PublicKey).Equal(signer.Public()) {
		t.Error("another key is active")
	}
	want := []string{"signing key pkcs11:token=mandated;object=signing?pin-source=pin.txt: engine pkcs11", "signing key ../keys/register.key: engine openssl"}
	if got := config.Engines(); strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("the engines are %q", got)
	}
}
