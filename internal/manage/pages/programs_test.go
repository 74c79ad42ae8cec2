package pages_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/mandated/mandated/internal/devkeys"
	"github.com/mandated/mandated/pkg/mandate"
)

// An administrator appoints a program by pasting what it shows, which can take more than other
// fields hold. Whatever else he pastes is explained beside the field; a private key is not even
// shown again. The list tells programs apart by their fingerprints.
func TestProgramIsAppointed(t *testing.T) {
	s := newScene(t)
	bas := s.comes("Bas Bakker", bakery, mandate.Administrator)
	pair := must(devkeys.New("ledger", time.Now()))
	text := func(kind string, der []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
	}
	certificate := text("CERTIFICATE", pair.Certificate.Raw)
	key := text("PUBLIC KEY", pair.Certificate.RawSubjectPublicKeyInfo)
	secret := text("PRIVATE KEY", must(x509.MarshalPKCS8PrivateKey(pair.Key)))

	bas.visit("/appointments/new").fill("name", "Ledger").fill("role", "program")
	for _, c := range []struct{ what, pasted, wrong string }{
		{"nothing", "", "wrong credential"},
		{"something else", "ssh-ed25519 AAAA", "wrong no key"},
		{"a request for a certificate", text("CERTIFICATE REQUEST", pair.Certificate.Raw), "wrong no key"},
		{"half of it", certificate[:len(certificate)/2], "wrong damaged key"},
		{"another thing in it", text("CERTIFICATE", []byte("x")), "wrong damaged key"},
		{"a key that is too short", text("PUBLIC KEY", must(x509.MarshalPKIXPublicKey(must(rsa.GenerateKey(rand.Reader, 1024)).Public()))), "wrong unusable key"},
		{"all there is", certificate + secret, "wrong secret key"},
	} {
		bas.fill("certificate", c.pasted).press("/appointments/new").is(http.StatusUnprocessableEntity)
		if got := bas.wrongAt("certificate"); !strings.HasSuffix(got, bas.word(c.wrong)) {
			t.Errorf("beside %s stands %q", c.what, got)
		}
	}
	if field := bas.find(func(n *htmlNode) bool { return attr(n, "name") == "certificate" }); textOf(field) != "" {
		t.Error("the private key is shown again")
	}
	bas.fill("role", "administrator").fill("certificate", certificate).press("/appointments/new").is(http.StatusUnprocessableEntity)
	if got := bas.wrongAt("certificate"); !strings.HasSuffix(got, bas.word("wrong credential")) {
		t.Errorf("beside the certificate of a person stands %q", got)
	}
	whole := strings.ReplaceAll(certificate+strings.Repeat(key, 20), "\n", "\r\n") // as browsers send it, of a long chain
	bas.fill("role", "program").fill("certificate", whole).press("/appointments/new").is(http.StatusOK).reads(bas.word("done program"), "Ledger")
	shown := sha256.Sum256(pair.Certificate.Raw)
	bas.reads("Ledger Program Fingerprint " + hex.EncodeToString(shown[:4]))
	list := must(s.desk.Programs(ctx, shown))
	if len(list) != 1 || list[0].Appointment.Role != mandate.Program || list[0].Appointment.Organisation.KvK != bakery.KvK {
		t.Errorf("who shows it is %+v", list)
	}

	bas.visit("/appointments/new").fill("name", "Reports").fill("role", "reader").fill("certificate", key).press("/appointments/new").is(http.StatusOK)
	shown = sha256.Sum256(pair.Certificate.RawSubjectPublicKeyInfo)
	bas.reads(bas.word("done program"), "Reports", bas.word("role reader"), "Fingerprint "+hex.EncodeToString(shown[:4]))

	// One of the register's staff would come in by himself with a program of his: it is not his to appoint.
	rik := s.comes("Rik Register", registry, mandate.Staff)
	for _, role := range []string{"reader", "program"} {
		rik.visit("/appointments/new").fill("name", "Reports").fill("role", role).fill("kvk", "12345678").press("/appointments/new").is(http.StatusUnprocessableEntity)
		if got := rik.wrongAt("role"); !strings.HasSuffix(got, rik.word("wrong role")) {
			t.Errorf("beside the role %s stands %q", role, got)
		}
	}
	if strings.Contains(s.log.String(), "BEGIN") {
		t.Error("the log has what was pasted")
	}
}
