package servers

import (
	"bytes"
	"crypto/x509"
	_ "embed"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
)

// MailOptions says what kind of mail server to start. The zero value, with Security none,
// takes every letter from everybody.
type MailOptions struct {
	// Security is starttls (before which it does nothing else), tls or none.
	Security string
	// User and Password are asked of everybody, if there is a user.
	User, Password string
	// Without are mechanisms of AUTH that it does not offer: of LOGIN and PLAIN.
	Without []string
	// Answers are what it says instead of 250 to "MAIL ADDRESS", "RCPT ADDRESS", or "DATA
	// ADDRESS" after a letter to that address; or what it does: "hang up", "say nothing".
	Answers map[string]string
}

// MailServer is one mail server of our own, which keeps what it gets.
type MailServer struct {
	site *Site
	t    TB
	port int
	pool *x509.CertPool
}

// Received is a letter as the server got it, and as Python's email package reads it.
type Received struct {
	From       string            // of the envelope, as To
	To         []string          //
	Options    []string          // of MAIL and RCPT
	Hello      string            // what the sender called itself
	Connection int               // counted from 1
	TLS        bool              // whether it came over TLS
	User       string            // who was let in; empty: nobody was asked
	Content    []byte            // as it came
	Headers    map[string]string // decoded
	Text       string            // decoded
	Defects    []string          // what the parser has to say about its form
}

//go:embed mail.py
var mailProgram string

// Mail starts a mail server (Debian's python3-aiosmtpd) that is this test's alone, and
// removes it at the test's end.
func Mail(t TB, o MailOptions) *MailServer {
	t.Helper()
	made, err := selfSigned()
	if err != nil {
		t.Fatalf("a certificate for a mail server: %v", err)
	}
	if o.Without == nil {
		o.Without = []string{}
	}
	if o.Answers == nil {
		o.Answers = map[string]string{}
	}
	settings, err := json.Marshal(o)
	if err != nil {
		t.Fatalf("settings of a mail server: %v", err)
	}
	m := &MailServer{t: t, port: Free(t), pool: made.pool}
	m.site = Python(t, m.port, "aiosmtpd", mailProgram, map[string]string{
		"settings.json": string(settings), "cert.pem": string(made.cert), "key.pem": string(made.key),
	})
	return m
}

// Addr is its host and port. Its certificate is for that host.
func (m *MailServer) Addr() string { return loopback(m.port) }

// CA is what trusts its certificate and nothing else.
func (m *MailServer) CA() *x509.CertPool { return m.pool }

// Certificate is that certificate, as PEM.
func (m *MailServer) Certificate() []byte {
	m.t.Helper()
	text, err := os.ReadFile(filepath.Join(m.site.Folder, "cert.pem"))
	if err != nil {
		m.t.Fatalf("the certificate of a mail server: %v", err)
	}
	return text
}

// Received are the letters that it has confirmed so far.
func (m *MailServer) Received() []Received {
	m.t.Helper()
	text, err := os.ReadFile(filepath.Join(m.site.Folder, "received"))
	if err != nil && !os.IsNotExist(err) {
		m.t.Fatalf("what a mail server got: %v", err)
	}
	var all []Received
	for d := json.NewDecoder(bytes.NewReader(text)); d.More(); {
		var one Received
		if err := d.Decode(&one); err != nil {
			m.t.Fatalf("what a mail server got: %v", err)
		}
		all = append(all, one)
	}
	return all
}

// Logins are the mechanisms by which a password was shown to it, right or wrong.
func (m *MailServer) Logins() []string {
	m.t.Helper()
	text, err := os.ReadFile(filepath.Join(m.site.Folder, "logins"))
	if err != nil && !os.IsNotExist(err) {
		m.t.Fatalf("who logged in at a mail server: %v", err)
	}
	return strings.Fields(string(text))
}

// AwaitSilence waits until the server owes somebody an answer that it does not give.
func (m *MailServer) AwaitSilence() {
	m.t.Helper()
	until(m.t, "a mail server that says nothing", func() error {
		_, err := os.Stat(filepath.Join(m.site.Folder, "silent"))
		return err
	})
}

// Log is what the server has said.
func (m *MailServer) Log() string { return m.site.Log() }

// Kill ends it at once; Start lets it come back on the same port.
func (m *MailServer) Kill() {
	m.t.Helper()
	m.site.server.kill()
}

// Start starts it again.
func (m *MailServer) Start() {
	m.t.Helper()
	m.site.server.start()
}
