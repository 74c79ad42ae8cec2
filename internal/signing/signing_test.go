package signing_test

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"errors"
	"reflect"
	"slices"
	"sync"
	"testing"
	"unsafe"

	"github.com/mandated/mandated/internal/signing"
)

// keyring makes the keys of the scenes once: that takes longer than the scenes.
var keyring = sync.OnceValue(func() map[string]*rsa.PrivateKey {
	ring := map[string]*rsa.PrivateKey{}
	for name, bits := range map[string]int{"one": 2048, "two": 2048, "long": 3072} {
		key, err := rsa.GenerateKey(rand.Reader, bits)
		if err != nil {
			panic(err)
		}
		ring[name] = key
	}
	return ring
})

// inFiles are the engines of this build whose keys are files.
func inFiles() (list []signing.Engine) {
	for _, e := range []signing.Engine{signing.Go, signing.OpenSSL} {
		key := keyring()["one"]
		if _, err := signing.Open(e, signing.Options{Public: &key.PublicKey, Private: key}); !errors.Is(err, signing.ErrNotBuilt) {
			list = append(list, e)
		}
	}
	return list
}

// opened is a signer of that engine. What it alarms of is added to alarms.
func opened(t testing.TB, e signing.Engine, key *rsa.PrivateKey, alarms *[]error) *signing.Signer {
	t.Helper()
	s, err := signing.Open(e, signing.Options{Public: &key.PublicKey, Private: key, Alarm: func(err error) {
		if alarms != nil {
			*alarms = append(*alarms, err)
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// digest is one of many.
func digest(t testing.TB) []byte {
	t.Helper()
	d := make([]byte, sha256.Size)
	if _, err := rand.Read(d); err != nil {
		t.Fatal(err)
	}
	return d
}

// likeGo wants the very bytes of crypto/rsa.
func likeGo(t testing.TB, s crypto.Signer, key *rsa.PrivateKey) {
	t.Helper()
	d := digest(t)
	want, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, d)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := s.Sign(rand.Reader, d, crypto.SHA256); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%x is signed as %x, %v; crypto/rsa says %x", d, got, err, want)
	}
}

// These signatures have no randomness in them, so all engines say the same, whatever the
// size of the key: then no answer depends on which one an operator chose.
func TestAllEnginesSignTheSame(t *testing.T) {
	for _, e := range inFiles() {
		for _, name := range []string{"one", "two", "long"} {
			key := keyring()[name]
			s := opened(t, e, key, nil)
			if s.Engine() != e || !key.PublicKey.Equal(s.Public()) || !s.Checked() {
				t.Errorf("%s with key %s: the signer is %s with another key", e, name, s.Engine())
			}
			for range 30 {
				likeGo(t, s, key)
			}
		}
	}
}

// One key serves all questions at once.
func TestManyAtOnce(t *testing.T) {
	key := keyring()["one"]
	for _, e := range inFiles() {
		atOnce(t, opened(t, e, key, nil), key)
	}
}

func atOnce(t *testing.T, s crypto.Signer, key *rsa.PrivateKey) {
	t.Helper()
	var work sync.WaitGroup
	for range 16 {
		work.Go(func() {
			for range 10 {
				likeGo(t, s, key)
			}
		})
	}
	work.Wait()
}

// Whoever believes the certificate would believe nothing that this key signs.
func TestKeyOfAnotherCertificate(t *testing.T) {
	for _, e := range inFiles() {
		_, err := signing.Open(e, signing.Options{Private: keyring()["one"], Public: &keyring()["two"].PublicKey})
		if !errors.Is(err, signing.ErrSelfTest) {
			t.Errorf("%s: %v", e, err)
		}
	}
}

// faults are what broken memory, a broken processor or an attacker does to arithmetic.
var faults = map[string]func(signing.Hand) signing.Hand{
	"a bit is flipped": func(sign signing.Hand) signing.Hand {
		return func(digest []byte) ([]byte, error) {
			signature, err := sign(digest)
			signature[17] ^= 4
			return signature, err
		}
	},
	"something else is signed": func(sign signing.Hand) signing.Hand {
		return func(digest []byte) ([]byte, error) {
			other := slices.Clone(digest)
			other[0]++
			return sign(other)
		}
	},
	"nothing comes back": func(signing.Hand) signing.Hand {
		return func([]byte) ([]byte, error) { return nil, nil }
	},
}

// A wrong signature can give the key away, so it never leaves, and somebody hears of it.
// An engine that is broken from the start does not get to work at all.
func TestWrongSignatureIsNotGivenAway(t *testing.T) {
	key := keyring()["one"]
	for _, e := range inFiles() {
		for what, fault := range faults {
			var alarms []error
			s := opened(t, e, key, &alarms)
			s.Disturb(fault)
			signature, err := s.Sign(rand.Reader, digest(t), crypto.SHA256)
			if !errors.Is(err, signing.ErrWrongSignature) || signature != nil || len(alarms) != 1 || !errors.Is(alarms[0], signing.ErrWrongSignature) {
				t.Errorf("%s, %s: gives %x, %v, and alarms %v", e, what, signature, err, alarms)
			}
			if err := s.SelfTest(nil); !errors.Is(err, signing.ErrSelfTest) {
				t.Errorf("%s, %s: the self-test says %v", e, what, err)
			}
		}
	}
}

// An engine that fails is no engine that is wrong: it comes back, and nobody is alarmed.
func TestFailureIsNoWrongSignature(t *testing.T) {
	broken := errors.New("no power")
	var alarms []error
	s := opened(t, signing.Go, keyring()["one"], &alarms)
	s.Disturb(func(signing.Hand) signing.Hand { return func([]byte) ([]byte, error) { return nil, broken } })
	if _, err := s.Sign(rand.Reader, digest(t), crypto.SHA256); !errors.Is(err, broken) || len(alarms) > 0 {
		t.Errorf("%v, alarms %v", err, alarms)
	}
	if err := s.SelfTest(nil); !errors.Is(err, signing.ErrSelfTest) || !errors.Is(err, broken) {
		t.Errorf("the self-test says %v", err)
	}
}

// Two engines with keys of the same certificate that do not agree are found out, though
// each signature fits: only the private key at hand can tell.
func TestSelfTestComparesWithCryptoRSA(t *testing.T) {
	s := opened(t, signing.Go, keyring()["one"], nil)
	if err := s.SelfTest(keyring()["two"]); !errors.Is(err, signing.ErrSelfTest) {
		t.Errorf("%v", err)
	}
}

// The published example proves the arithmetic without anything of ours. An engine that
// signs for a key of its own choice, or not at all, does not pass.
func TestPublishedExample(t *testing.T) {
	honest := func(key *rsa.PrivateKey) signing.Hand {
		return func(digest []byte) ([]byte, error) { return rsa.SignPKCS1v15(nil, key, crypto.SHA256, digest) }
	}
	if err := signing.Published(honest); err != nil {
		t.Error(err)
	}
	own := func(*rsa.PrivateKey) signing.Hand { return honest(keyring()["one"]) }
	if err := signing.Published(own); !errors.Is(err, signing.ErrSelfTest) {
		t.Errorf("with a key of its own: %v", err)
	}
	for what, fault := range faults {
		if err := signing.Published(func(key *rsa.PrivateKey) signing.Hand { return fault(honest(key)) }); !errors.Is(err, signing.ErrSelfTest) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// The engine go does not check its signatures a second time, because crypto/rsa does. Here
// one half of its computation is disturbed, in the private copy of the key that it works
// with. If this fails with a new release of Go, look whether it still checks.
func TestCryptoRSAChecksItself(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	var alarms []error
	s := opened(t, signing.Go, key, &alarms)
	inner := reflect.ValueOf(&key.Precomputed).Elem().FieldByName("fips")
	if !inner.IsValid() || inner.IsNil() {
		t.Fatal("crypto/rsa keeps its key elsewhere: look whether it still checks its signatures")
	}
	half := inner.Elem().FieldByName("dP")
	if !half.IsValid() || half.Kind() != reflect.Slice || half.Len() == 0 {
		t.Fatal("crypto/rsa computes otherwise: look whether it still checks its signatures")
	}
	*(*byte)(unsafe.Pointer(half.Index(half.Len() - 1).UnsafeAddr())) ^= 2
	signature, err := s.Sign(rand.Reader, digest(t), crypto.SHA256)
	if !errors.Is(err, signing.ErrWrongSignature) || signature != nil || len(alarms) != 1 {
		t.Errorf("a fault in half of the computation gives %x, %v, and alarms %v", signature, err, alarms)
	}
}

// The network knows one signature. Whoever asks for another has mistaken the key.
func TestOnlyTheNetworksSignature(t *testing.T) {
	s := opened(t, signing.Go, keyring()["one"], nil)
	for what, c := range map[string]struct {
		digest []byte
		o      crypto.SignerOpts
	}{
		"PSS":              {digest(t), &rsa.PSSOptions{Hash: crypto.SHA256}},
		"SHA-1":            {digest(t)[:20], crypto.SHA1},
		"SHA-384":          {make([]byte, 48), crypto.SHA384},
		"no digest at all": {nil, crypto.SHA256},
		"not hashed":       {[]byte("a message"), crypto.Hash(0)},
	} {
		if _, err := s.Sign(rand.Reader, c.digest, c.o); !errors.Is(err, signing.ErrNotOurs) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestWordsOfEngines(t *testing.T) {
	for word, want := range map[string]signing.Engine{"": signing.Go, "go": signing.Go, "openssl": signing.OpenSSL, "pkcs11": signing.PKCS11} {
		if e, err := signing.ParseEngine(word); e != want || err != nil {
			t.Errorf("%q is %q, %v", word, e, err)
		}
	}
	for _, word := range []string{"Go", "libressl", "go "} {
		if e, err := signing.ParseEngine(word); err == nil {
			t.Errorf("%q is %q", word, e)
		}
	}
	if _, err := signing.Open("libressl", signing.Options{}); err == nil {
		t.Error("an engine that nobody knows opens")
	}
}
