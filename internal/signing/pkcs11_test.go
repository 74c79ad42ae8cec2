//go:build pkcs11 && cgo

package signing_test

import (
	"crypto"
	"crypto/rand"
	"errors"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/pkcs11"

	"github.com/mandated/mandated/internal/servers"
	"github.com/mandated/mandated/internal/signing"
)

// vault is a security module with the key "one" on its token.
type vault struct {
	*servers.SoftHSM
	t     testing.TB
	token string
	pin   string // as the file has it
	now   time.Time
}

func newVault(t testing.TB) *vault {
	t.Helper()
	v := &vault{SoftHSM: servers.NewSoftHSM(t.(servers.HSMTester)), t: t, token: "mandated", pin: servers.PIN, now: time.Unix(1e9, 0)}
	t.Cleanup(signing.Shut)
	v.Token(v.token)
	v.Import(v.token, "signing", "a1", keyring()["one"])
	return v
}

// options are those for a key of that URI, under the certificate of the key "one".
func (v *vault) options(uri string) signing.Options {
	v.t.Helper()
	u, err := signing.ParseURI(uri)
	if err != nil {
		v.t.Fatal(err)
	}
	return signing.Options{
		Public: &keyring()["one"].PublicKey,
		Token:  signing.Token{Module: v.Module, Key: u, PIN: func() (string, error) { return v.pin, nil }},
	}
}

const usual = "pkcs11:token=mandated;object=signing"

// open opens the key, and gives the token a clock that stands still.
func (v *vault) open() *signing.Signer {
	v.t.Helper()
	s, err := signing.Open(signing.PKCS11, v.options(usual))
	if err != nil {
		v.t.Fatal(err)
	}
	signing.SetClock(v.token, func() time.Time { return v.now })
	return s
}

func (v *vault) fails(s *signing.Signer, when string) error {
	v.t.Helper()
	signature, err := s.Sign(rand.Reader, digest(v.t), crypto.SHA256)
	if err == nil || signature != nil {
		v.t.Errorf("%s, it signs: %x, %v", when, signature, err)
	}
	return err
}

// deleteKey takes a key off the token, as somebody does who has logged in to it.
func (v *vault) deleteKey(label string) {
	v.t.Helper()
	module := pkcs11.New(v.Module) // logged in already: that is a matter of the process
	defer module.Destroy()
	slots, err := module.GetSlotList(true)
	if err != nil {
		v.t.Fatal(err)
	}
	for _, slot := range slots {
		session, err := module.OpenSession(slot, pkcs11.CKF_SERIAL_SESSION|pkcs11.CKF_RW_SESSION)
		if err != nil {
			continue // the slot for the next token
		}
		if err := module.FindObjectsInit(session, []*pkcs11.Attribute{pkcs11.NewAttribute(pkcs11.CKA_LABEL, label)}); err != nil {
			v.t.Fatal(err)
		}
		keys, _, err := module.FindObjects(session, 10)
		if err != nil || len(keys) == 0 {
			v.t.Fatalf("%d keys %q: %v", len(keys), label, err)
		}
		for _, key := range keys {
			if err := module.DestroyObject(session, key); err != nil {
				v.t.Fatal(err)
			}
		}
		_ = module.CloseSession(session)
	}
}

func init() {
	signers["pkcs11"] = func(b testing.TB) *signing.Signer { return newVault(b).open() }
}

// The key stays on the token and signs what crypto/rsa would, also for many at once.
func TestTokenSigns(t *testing.T) {
	v := newVault(t)
	s := v.open()
	if s.Engine() != signing.PKCS11 || !keyring()["one"].PublicKey.Equal(s.Public()) {
		t.Errorf("the signer is %s with another key", s.Engine())
	}
	atOnce(t, s, keyring()["one"])
}

// By object, by id, by serial: any of them that names one key.
func TestTokenKeysByName(t *testing.T) {
	v := newVault(t)
	v.Import(v.token, "other", "a2", keyring()["two"])
	v.Import(v.token, "twin", "a3", keyring()["one"])
	v.Import(v.token, "twin", "a4", keyring()["two"])
	for _, uri := range []string{usual, usual + ";id=%A1", "pkcs11:token=mandated;id=%A1", "pkcs11:token=mandated;object=twin;id=%A3"} {
		if _, err := signing.Open(signing.PKCS11, v.options(uri)); err != nil {
			t.Errorf("%s: %v", uri, err)
		}
	}
	for uri, want := range map[string]string{
		"pkcs11:token=mandated;object=absent":           "there is no such private key",
		"pkcs11:token=mandated;object=signing;id=%A2":   "there is no such private key",
		"pkcs11:token=mandated;object=twin":             "several private keys go by that name",
		"pkcs11:token=elsewhere;object=signing":         "the module has no such token",
		"pkcs11:token=mandated;object=other":            "the certificate does not belong to the key",
		"pkcs11:token=mandated;object=twin;id=%A4":      "the certificate does not belong to the key",
		"pkcs11:serial=0000000000000000;object=signing": "the module has no such token",
	} {
		if _, err := signing.Open(signing.PKCS11, v.options(uri)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v; want %q", uri, err, want)
		}
	}
	absent := v.options(usual)
	absent.Token.Module += ".absent"
	if _, err := signing.Open(signing.PKCS11, absent); err == nil || !strings.Contains(err.Error(), absent.Token.Module) {
		t.Errorf("without a module: %v", err)
	}
}

// Somebody pulls the token out and puts it back: what is asked meanwhile fails, and what
// is asked afterwards is signed, without a restart and without logging in more than once.
func TestTokenGoneAndBack(t *testing.T) {
	v := newVault(t)
	s := v.open()
	v.Remove()
	v.fails(s, "with the token gone")
	v.fails(s, "with the token still gone")
	v.PutBack()
	v.now = v.now.Add(signing.Breath)
	var work sync.WaitGroup
	for range 8 {
		work.Go(func() { likeGo(t, s, keyring()["one"]) })
	}
	work.Wait()
	if n, open := signing.Openings(v.token); n != 2 || !open {
		t.Errorf("the token was opened %d times", n)
	}
}

// Sessions that were closed from the other side, as a security module does that was
// restarted, cost nobody an answer: whoever finds out opens the token again and signs.
func TestSessionsClosedFromTheOtherSide(t *testing.T) {
	v := newVault(t)
	o := v.options(usual)
	o.Token.Sessions = 1 // so that the next signature takes the one that was closed
	s, err := signing.Open(signing.PKCS11, o)
	if err != nil {
		t.Fatal(err)
	}
	signing.SetClock(v.token, func() time.Time { return v.now })
	likeGo(t, s, keyring()["one"])
	other := pkcs11.New(v.Module) // the same module in the same process: its sessions are the same
	defer other.Destroy()
	slots, err := other.GetSlotList(true)
	if err != nil {
		t.Fatal(err)
	}
	for _, slot := range slots {
		_ = other.CloseAllSessions(slot) // one of the two slots has no token, and none
	}
	atOnce(t, s, keyring()["one"])
	if n, _ := signing.Openings(v.token); n != 2 {
		t.Errorf("the token was opened %d times", n)
	}
}

// Many find a token lost at the same moment, and one of them opens it: the others use that.
func TestLostTokenIsOpenedOnce(t *testing.T) {
	v := newVault(t)
	s := v.open()
	for range 3 {
		if err := signing.Reopen(v.token, 1); err != nil {
			t.Error(err)
		}
	}
	if n, open := signing.Openings(v.token); n != 2 || !open {
		t.Errorf("the token was opened %d times", n)
	}
	likeGo(t, s, keyring()["one"])
}

// While a token stays away, it is looked for once per breath: opening is slow, one at a
// time, and may count as an attempt to log in.
func TestTokenIsGivenBreath(t *testing.T) {
	v := newVault(t)
	s := v.open()
	v.Remove()
	v.fails(s, "with the token gone")
	v.PutBack()
	v.now = v.now.Add(signing.Breath - 1)
	v.fails(s, "a moment too early")
	v.now = v.now.Add(1)
	likeGo(t, s, keyring()["one"])
}

// A key that was deleted is looked for in one fresh opening per breath, not one per
// signature: each takes the token from all keys on it.
func TestKeyThatIsGone(t *testing.T) {
	v := newVault(t)
	v.Import(v.token, "other", "a2", keyring()["two"])
	s := v.open()
	v.deleteKey("signing")
	for range 20 {
		v.fails(s, "without its key")
	}
	if n, open := signing.Openings(v.token); n != 2 || !open {
		t.Errorf("for one breath the token was opened %d times", n)
	}
	v.now = v.now.Add(signing.Breath)
	if err := v.fails(s, "without its key"); !strings.Contains(err.Error(), "no such private key") {
		t.Error(err)
	}
	if n, _ := signing.Openings(v.token); n != 3 {
		t.Errorf("after a breath the token was opened %d times", n)
	}
	v.Import(v.token, "signing", "a1", keyring()["one"])
	v.now = v.now.Add(signing.Breath)
	likeGo(t, s, keyring()["one"])
}

// More signatures at once than the token has sessions for wait their turn.
func TestTokenWithOneSession(t *testing.T) {
	v := newVault(t)
	o := v.options(usual)
	o.Token.Sessions = 1
	s, err := signing.Open(signing.PKCS11, o)
	if err != nil {
		t.Fatal(err)
	}
	atOnce(t, s, keyring()["one"])
}

// A wrong PIN is told, and tried once: tokens lock after a few attempts. The right one, in
// the same file, is tried at once.
func TestWrongPIN(t *testing.T) {
	v := newVault(t)
	v.pin = "4711"
	_, err := signing.Open(signing.PKCS11, v.options(usual))
	if err == nil || !strings.Contains(err.Error(), "the PIN is not right") || strings.Contains(err.Error(), "4711") {
		t.Errorf("a wrong PIN: %v", err)
	}
	_, err = signing.Open(signing.PKCS11, v.options(usual))
	if err == nil || !strings.Contains(err.Error(), "has refused this PIN before") {
		t.Errorf("the same once more: %v", err)
	}
	v.pin = servers.PIN
	likeGo(t, v.open(), keyring()["one"])
	v.pin = "4712"
	if s := v.open(); s == nil { // whoever is logged in stays so
		t.Error("no signer")
	}
}

// A file with the PIN that cannot be read is told as such.
func TestPINThatCannotBeRead(t *testing.T) {
	v := newVault(t)
	o, unreadable := v.options(usual), errors.New("others can read the PIN file")
	o.Token.PIN = func() (string, error) { return "", unreadable }
	if _, err := signing.Open(signing.PKCS11, o); !errors.Is(err, unreadable) {
		t.Errorf("%v", err)
	}
}

// Two keys of one token share it, and it is closed when nobody can use it any more: only
// then can its module be unloaded.
func TestTokenIsLeft(t *testing.T) {
	v := newVault(t)
	one, two := v.open(), v.open()
	if n, _ := signing.Openings(v.token); n != 1 {
		t.Errorf("opened %d times for two keys", n)
	}
	likeGo(t, one, keyring()["one"])
	one = nil
	runtime.GC()
	likeGo(t, two, keyring()["one"])
	two = nil
	for deadline := time.Now().Add(time.Minute); ; runtime.Gosched() {
		runtime.GC()
		if _, open := signing.Openings(v.token); !open {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("nobody uses the token, and it is still open")
		}
	}
	likeGo(t, v.open(), keyring()["one"])
}

// A module that makes wrong signatures is found out like any engine.
func TestTokenThatIsBroken(t *testing.T) {
	v := newVault(t)
	var alarms []error
	o := v.options(usual)
	o.Alarm = func(err error) { alarms = append(alarms, err) }
	s, err := signing.Open(signing.PKCS11, o)
	if err != nil {
		t.Fatal(err)
	}
	s.Disturb(faults["a bit is flipped"])
	if err := v.fails(s, "with a broken module"); !errors.Is(err, signing.ErrWrongSignature) || len(alarms) != 1 {
		t.Errorf("%v, alarms %v", err, alarms)
	}
}
