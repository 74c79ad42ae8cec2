package api

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/mandated/mandated/internal/desk"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
)

// token is what a program signs, changed as a test wants.
type token struct {
	method jwt.SigningMethod
	key    any
	header map[string]any
	claims jwt.MapClaims
}

var serial int

func (p *program) token(change func(*token)) string {
	serial++
	now := time.Now()
	k := token{jwt.SigningMethodES256, p.key, map[string]any{"kid": keyName(p.public())},
		jwt.MapClaims{"aud": address, "iat": now.Unix(), "exp": now.Add(time.Minute).Unix(), "jti": fmt.Sprint("token ", serial)}}
	if change != nil {
		change(&k)
	}
	t := jwt.NewWithClaims(k.method, k.claims)
	for name, value := range k.header {
		t.Header[name] = value
	}
	return must(t.SignedString(k.key))
}

func keyName(public []byte) string {
	sum := sha256.Sum256(public)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// with asks who the bearer of a token is, without a certificate.
func (s *scene) with(token string) answer {
	anybody := program{scene: s, client: s.server.Client()}
	return anybody.ask("GET", Path+"/me", nil, "Authorization: Bearer "+token)
}

// A token is believed once, if the registered key has signed it for us a moment ago.
func TestTokens(t *testing.T) {
	s := newScene(t)
	if a := s.with(s.bakery.token(nil)); a.status != 200 || !strings.Contains(string(a.body), bakery.KvK.Text()) {
		t.Fatalf("a good one: %d %s", a.status, a.body)
	}
	public := s.bakery.public()
	rsaKey := must(rsa.GenerateKey(rand.Reader, 2048))
	for what, change := range map[string]func(*token){
		"no signature":            func(k *token) { k.method, k.key = jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType },
		"HMAC with the key":       func(k *token) { k.method, k.key = jwt.SigningMethodHS256, public },
		"HMAC with its name":      func(k *token) { k.method, k.key = jwt.SigningMethodHS256, []byte(keyName(public)) },
		"another key":             func(k *token) { k.key = s.farm.key },
		"another kind of key":     func(k *token) { k.method, k.key = jwt.SigningMethodRS256, rsaKey },
		"another's name":          func(k *token) { k.header["kid"] = keyName(s.farm.public()) },
		"an unknown name":         func(k *token) { k.header["kid"] = keyName([]byte("x")) },
		"no name":                 func(k *token) { delete(k.header, "kid") },
		"a name that is a number": func(k *token) { k.header["kid"] = 7 },
		"a certificate's name": func(k *token) {
			k.header["kid"] = keyName(s.bakery.certificate.Certificate[0])
		},
		"a key of its own": func(k *token) {
			k.key, k.header["jwk"] = s.farm.key, map[string]any{"kty": "EC"}
		},
		"for somebody else":     func(k *token) { k.claims["aud"] = "https://elsewhere.example" },
		"for us and others":     func(k *token) { k.claims["aud"] = []string{address, "https://elsewhere.example"} },
		"for our address below": func(k *token) { k.claims["aud"] = address + Path },
		"for nobody":            func(k *token) { delete(k.claims, "aud") },
		"expired":               func(k *token) { at(k, -10*time.Minute, time.Minute) },
		"from the future":       func(k *token) { at(k, 10*time.Minute, time.Minute) },
		"long-lived":            func(k *token) { at(k, 0, 6*time.Minute) },
		"long-lived and old":    func(k *token) { at(k, -20*time.Minute, 21*time.Minute) },
		"without an end":        func(k *token) { delete(k.claims, "exp") },
		"without a beginning":   func(k *token) { delete(k.claims, "iat") },
		"not yet":               func(k *token) { k.claims["nbf"] = time.Now().Add(time.Hour).Unix() },
		"without a number":      func(k *token) { delete(k.claims, "jti") },
		"with a long number":    func(k *token) { k.claims["jti"] = strings.Repeat("x", 129) },
		"a number for a text":   func(k *token) { k.claims["jti"] = 7 },
	} {
		a := s.with(s.bakery.token(change))
		if a.status != 401 || a.problem().Code != "token-refused" {
			t.Errorf("%s: %d %s", what, a.status, a.body)
		}
	}
	once := s.bakery.token(nil)
	if a := s.with(once); a.status != 200 {
		t.Errorf("once: %d", a.status)
	}
	s.farm.refused("twice", s.with(once), 401, "token-refused")
	for what, text := range map[string]string{"nothing": "", "no token": "a.b.c", "cut off": once[:len(once)-4], "longer": once + "AAAA"} {
		if a := s.with(text); a.status != 401 {
			t.Errorf("%s: %d", what, a.status)
		}
	}
	if a := s.with(s.bakery.token(func(k *token) { k.claims["sub"] = fmt.Sprint(s.farm.appointment.ID) })); a.status != 401 {
		t.Errorf("as the farm: %d %s", a.status, a.body)
	}
	// A token counts before a certificate: nobody is somebody else by accident.
	a := s.farm.ask("GET", Path+"/me", nil, "Authorization: Bearer "+s.bakery.token(nil))
	if !strings.Contains(string(a.body), bakery.KvK.Text()) {
		t.Errorf("a token over a certificate: %s", a.body)
	}
	s.farm.refused("a broken token over a certificate", s.farm.ask("GET", Path+"/me", nil, "Authorization: Bearer x"), 401, "token-refused")
	s.farm.refused("a password", s.farm.ask("GET", Path+"/me", nil, "Authorization: Basic eDp5"), 401, "token-refused")
	if said := s.log.String(); said != "" {
		t.Errorf("logged: %s", said)
	}
}

func at(k *token, from, life time.Duration) {
	start := time.Now().Add(from)
	k.claims["iat"], k.claims["exp"] = start.Unix(), start.Add(life).Unix()
}

// Each kind of key signs by its own algorithms, and weak keys not at all. Whoever appoints a
// program with a key by which nothing would be believed is told so.
func TestKindsOfKeys(t *testing.T) {
	s := newScene(t)
	bits := func(n int) *rsa.PrivateKey { return must(rsa.GenerateKey(rand.Reader, n)) }
	_, edwards, _ := ed25519.GenerateKey(rand.Reader)
	for what, c := range map[string]struct {
		method jwt.SigningMethod
		key    crypto.Signer
		status int
		reads  error // of whoever appoints
	}{
		"PS256": {jwt.SigningMethodPS256, bits(2048), 200, nil}, "RS256": {jwt.SigningMethodRS256, bits(2048), 200, nil}, "EdDSA": {jwt.SigningMethodEdDSA, edwards, 200, nil},
		"PS512": {jwt.SigningMethodPS512, bits(2048), 401, nil}, "1024 bits": {jwt.SigningMethodRS256, bits(1024), 401, desk.ErrUnusableKey},
		"ES256": {jwt.SigningMethodES256, must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)), 200, nil},
		"ES384": {jwt.SigningMethodES384, must(ecdsa.GenerateKey(elliptic.P384(), rand.Reader)), 401, desk.ErrUnusableKey},
	} {
		public := spki(c.key.Public())
		p := s.farm
		s.credential(farm, mandate.Reader, credential(public, public))
		if a := s.with(p.token(func(k *token) {
			k.method, k.key, k.header["kid"] = c.method, any(c.key), keyName(public)
		})); a.status != c.status {
			t.Errorf("%s: %d, want %d: %s", what, a.status, c.status, a.body)
		}
		if _, err := desk.ReadCredential(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public}), time.Now()); !errors.Is(err, c.reads) {
			t.Errorf("%s: whoever appoints with it reads %v", what, err)
		}
	}
}

// Whoever can appoint a program with a certificate has one with which it comes in, also of keys
// by which no token would be believed.
func TestKindsOfCertificates(t *testing.T) {
	s := newScene(t)
	_, edwards, _ := ed25519.GenerateKey(rand.Reader)
	for what, key := range map[string]crypto.Signer{
		"RSA": must(rsa.GenerateKey(rand.Reader, 2048)), "Ed25519": edwards,
		"P-384": must(ecdsa.GenerateKey(elliptic.P384(), rand.Reader)), "P-521": must(ecdsa.GenerateKey(elliptic.P521(), rand.Reader)),
	} {
		shown := certify(key, time.Now().Add(-time.Hour), time.Now().Add(time.Hour))
		c := must(desk.ReadCredential(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: shown.Certificate[0]}), time.Now()))
		s.credential(farm, mandate.Reader, c)
		if p := (program{scene: s, client: s.showing(shown)}); p.ask("GET", Path+"/me", nil).status != 200 {
			t.Errorf("%s: it does not come in", what)
		}
	}
}

// credential appoints a program that shows something.
func (s *scene) credential(of desk.Party, role mandate.Role, c register.Credential) mandate.Appointment {
	from := time.Now().Truncate(time.Second)
	return must(s.desk.AppointAtDesk(ctx, keeper, desk.Appointment{Company: of.KvK, Role: role, Name: "another", Level: etoegang.LoA3,
		Validity: mandate.Validity{From: from, To: from.AddDate(1, 0, 0)}, Credentials: []register.Credential{c}})).Appointment
}

// A key that serves several says for whom; and to register somebody's key under one's own
// name, or one's own key under somebody's, makes nobody him.
func TestSharedKeys(t *testing.T) {
	s := newScene(t)
	first := s.bakery.appointment
	second := s.appointAs(s.bakery, farm, mandate.Reader)
	s.bakery.refused("which one", s.bakery.ask("GET", Path+"/me", nil), 403, "several-appointments")
	s.bakery.refused("which one, by token", s.with(s.bakery.token(nil)), 403, "several-appointments")
	for number, of := range map[mandate.AppointmentID]desk.Party{first.ID: bakery, second.ID: farm} {
		if a := s.bakery.ask("GET", Path+"/me", nil, HeaderAppointment+": "+fmt.Sprint(number)); !strings.Contains(string(a.body), of.KvK.Text()) {
			t.Errorf("as appointment %d: %s", number, a.body)
		}
		if a := s.with(s.bakery.token(func(k *token) { k.claims["sub"] = fmt.Sprint(number) })); !strings.Contains(string(a.body), of.KvK.Text()) {
			t.Errorf("as appointment %d, by token: %s", number, a.body)
		}
	}
	s.bakery.refused("as somebody else", s.bakery.ask("GET", Path+"/me", nil, HeaderAppointment+": "+fmt.Sprint(s.office.appointment.ID)), 401, "caller-unknown")

	// The farm registers its key under the fingerprint of the office's.
	forged := credential(s.office.public(), s.farm.public())
	liar := s.credential(farm, mandate.Program, forged)
	if a := s.with(s.office.token(nil)); a.status != 200 || !strings.Contains(string(a.body), office.KvK.Text()) {
		t.Errorf("the office's token: %d %s", a.status, a.body)
	}
	for _, sub := range []string{"", fmt.Sprint(s.office.appointment.ID), fmt.Sprint(liar.ID)} {
		a := s.with(s.farm.token(func(k *token) { k.header["kid"], k.claims["sub"] = keyName(s.office.public()), sub }))
		s.farm.refused("the farm's key under the office's name", a, 401, "token-refused")
	}
	// And under one that is only appointed later.
	late := s.newProgram(time.Now().Add(-time.Hour), time.Now().Add(time.Hour))
	s.credential(farm, mandate.Program, credential(late.public(), s.farm.public()))
	s.appointAs(late, office, mandate.Program)
	if a := s.with(late.token(nil)); a.status != 200 || !strings.Contains(string(a.body), office.KvK.Text()) {
		t.Errorf("the late one's token: %d %s", a.status, a.body)
	}
	a := s.with(s.farm.token(func(k *token) {
		k.header["kid"], k.claims["sub"] = keyName(late.public()), fmt.Sprint(late.appointment.ID)
	}))
	s.farm.refused("the farm's key under the late one's name", a, 401, "token-refused")
}
