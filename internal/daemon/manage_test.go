package daemon_test

import (
	"bytes"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mandated/mandated/internal/desk"
	"github.com/mandated/mandated/internal/devkeys"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/harness"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
)

// managed is a network whose register lets others manage mandates: the bakery's ledger is
// appointed, and shows a certificate.
type managed struct {
	*scene
	api, pages string // addresses
	ledger     tls.Certificate
	trusted    *x509.CertPool
	settings   map[string]any
}

func newManaged(t *testing.T) *managed {
	t.Helper()
	m := &managed{trusted: x509.NewCertPool(), api: free(t), pages: free(t)}
	folder := t.TempDir()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	ca, err := devkeys.OpenAuthority(folder, "ca", time.Now())
	must(err)
	m.trusted.AddCert(ca.Certificate)
	server, err := ca.Server("doors", time.Now())
	must(err)
	must(server.Write(folder))
	pair := map[string]any{"certificate": filepath.Join(folder, server.CertificateFile()), "key": filepath.Join(folder, server.KeyFile())}
	m.settings = map[string]any{
		"api": map[string]any{"listen": m.api, "address": "https://" + m.api, "tls": pair},
		"pages": map[string]any{"listen": m.pages, "address": "https://" + m.pages, "tls": pair,
			"entity": "urn:etoegang:DV:00000003520354760000:entities:9321", "broker": "urn:etoegang:HM:00000003520354760000:entities:9001",
			"service": "urn:etoegang:DV:00000001000000010000:services:1"},
	}
	m.scene = newScene(t, harness.Options{RealTime: true, Configure: func(settings map[string]any) { settings["manage"] = m.settings }})

	ledger, err := devkeys.New("ledger", time.Now())
	must(err)
	m.ledger = tls.Certificate{Certificate: [][]byte{ledger.Certificate.Raw}, PrivateKey: ledger.Key}
	from := time.Now().Truncate(time.Second)
	_, err = desk.New(m.n.First.Register(), nil).AppointAtDesk(ctx, register.Author{Who: "test", Why: "test"}, desk.Appointment{
		Company: bakery.KvK, Role: mandate.Program, Name: "Ledger", Level: etoegang.LoA3, Validity: mandate.Validity{From: from, To: from.AddDate(1, 0, 0)},
		Credentials: []register.Credential{{Fingerprint: sha256.Sum256(ledger.Certificate.Raw), Public: ledger.Certificate.RawSubjectPublicKeyInfo}},
	})
	must(err)
	return m
}

// free is an address on this machine where nobody listens.
func free(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

// get asks for a page or a resource, with a certificate or without.
func (m *managed) get(address, path string, show ...tls.Certificate) (status int, body string) {
	m.t.Helper()
	client := http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: m.trusted, Certificates: show}}}
	defer client.CloseIdleConnections()
	response, err := client.Get("https://" + address + path)
	if err != nil {
		m.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		m.t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

// Programs and people have doors of their own, and each is let in by what he shows there.
func TestManagersComeIn(t *testing.T) {
	m := newManaged(t)
	if status, body := m.get(m.api, "/openapi.json"); status != http.StatusOK || !json.Valid([]byte(body)) || !strings.Contains(body, `"/mandates`) {
		t.Errorf("the document: %d, %.200s", status, body)
	}
	if status, _ := m.get(m.api, "/api/v1/me"); status != http.StatusUnauthorized {
		t.Errorf("without a certificate: %d", status)
	}
	if status, body := m.get(m.api, "/api/v1/me", m.ledger); status != http.StatusOK || !strings.Contains(body, bakery.KvK.Text()) {
		t.Errorf("the ledger: %d, %s", status, body)
	}
	if status, body := m.get(m.api, "/api/v1/mandates", m.ledger); status != http.StatusOK || !strings.Contains(body, `"direct"`) {
		t.Errorf("its mandates: %d, %s", status, body)
	}
	if status, body := m.get(m.pages, "/"); status != http.StatusOK || !strings.Contains(body, "eHerkenning") {
		t.Errorf("the start page: %d, %.300s", status, body)
	}
	// The broker of this network says nowhere where it takes log-ins: readiness tells, and so
	// does the page.
	if status, text := m.get(m.pages, "/metadata"); status != http.StatusServiceUnavailable || !strings.Contains(text, "add its metadata first") {
		t.Errorf("metadata for a broker that is not known: %d, %s", status, text)
	}
	if status, _ := m.get(m.pages, "/login"); status != http.StatusServiceUnavailable {
		t.Errorf("a log-in without broker: %d", status)
	}
	if _, text := m.page("/readyz"); !strings.Contains(text, "log-in to pages") {
		t.Errorf("ready: %s", text)
	}
	if status, _ := m.get(m.pages, "/api/v1/me", m.ledger); status != http.StatusNotFound {
		t.Errorf("the API at the people's door: %d", status)
	}
}

// What people are to log in for must be in the catalogue: whoever configures that wrong hears
// of it at once, and not from the first who cannot come in.
func TestLogInForWhatIsNotOffered(t *testing.T) {
	m := newManaged(t)
	config := m.read("register/mandated.yaml")
	m.write("register/mandated.yaml", bytes.ReplaceAll(config, []byte("services:1"), []byte("services:777")))
	if err := m.n.First.Restart(ctx); err == nil || !strings.Contains(err.Error(), "services:777") {
		t.Errorf("started again: %v", err)
	}
}

// Whoever asks without end is told to wait, at both doors.
func TestManagersArePaced(t *testing.T) {
	m := newManaged(t)
	config := m.read("register/mandated.yaml")
	m.write("register/mandated.yaml", bytes.Replace(config, []byte("manage:\n"), []byte("manage:\n    per_second: 1\n"), 1))
	if err := m.n.First.Restart(ctx); err != nil {
		t.Fatal(err)
	}
	for door, at := range map[string]string{m.api: "/openapi.json", m.pages: "/"} {
		until(t, "somebody who asks too often waits", func() bool {
			status, body := m.get(door, at)
			if status != http.StatusTooManyRequests {
				return false
			}
			if !strings.Contains(body, "too-often") && !strings.Contains(body, "te veel aanvragen") {
				t.Errorf("%s", body)
			}
			return true
		})
	}
}
