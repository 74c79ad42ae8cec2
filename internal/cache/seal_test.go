package cache

import (
	"bytes"
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var end = start.Add(time.Minute)

// What was sealed comes out again, with its end: any bytes, none included.
func TestSealRoundTrip(t *testing.T) {
	s := newSealer(secret)
	rapid.Check(t, func(t *rapid.T) {
		key := string(rapid.SliceOf(rapid.Byte()).Draw(t, "key"))
		value := rapid.SliceOf(rapid.Byte()).Draw(t, "value")
		name := s.name(key)
		got, until, why := s.open(name, key, s.seal(name, key, value, end))
		if why != "" || !bytes.Equal(got, value) || !until.Equal(end) {
			t.Fatalf("got %q until %v, %q", got, until, why)
		}
	})
}

// Nothing of the key or the value can be read, and the same value never looks the
// same twice: nobody can tell that an answer has not changed.
func TestSealHides(t *testing.T) {
	s := newSealer(secret)
	name := s.name(tuple)
	first, second := s.seal(name, tuple, []byte("permit"), end), s.seal(name, tuple, []byte("permit"), end)
	for _, part := range []string{person, company, "authorize", "permit"} {
		if strings.Contains(name, part) || bytes.Contains(first, []byte(part)) {
			t.Errorf("%q can be read", part)
		}
	}
	if bytes.Equal(first[1:], second[1:]) || bytes.Equal(first[len(first)-16:], second[len(second)-16:]) {
		t.Error("sealed alike twice")
	}
}

// A name is a keyed hash: one key one name, and nobody without the secret can try
// all company numbers to find whose it is.
func TestNames(t *testing.T) {
	a, b := newSealer(secret), newSealer(bytes.Repeat([]byte{7}, secretSize))
	name := a.name(tuple)
	if name != newSealer(secret).name(tuple) || name == a.name(tuple+"x") || a.name("") == a.name("\x00") {
		t.Error("not one name for one key")
	}
	if a.name(tuple) == b.name(tuple) {
		t.Error("the name does not depend on the secret")
	}
	hash, ours := strings.CutPrefix(a.name(tuple), "mandated:1:")
	if raw, err := base64.RawURLEncoding.DecodeString(hash); !ours || err != nil || len(raw) != 32 {
		t.Errorf("name %q", a.name(tuple))
	}
}

// One bit anywhere, a byte less or more, another name, another secret: refused.
func TestSealHoldsEverywhere(t *testing.T) {
	s := newSealer(secret)
	name := s.name(tuple)
	sealed := s.seal(name, tuple, []byte("permit"), end)
	for i := range sealed {
		for bit := range 8 {
			altered := bytes.Clone(sealed)
			altered[i] ^= 1 << bit
			want := badSeal
			if i == 0 {
				want = badFormat
			}
			if value, _, why := s.open(name, tuple, altered); why != want || value != nil {
				t.Fatalf("byte %d bit %d: %q", i, bit, why)
			}
		}
		if _, _, why := s.open(name, tuple, sealed[:i]); why == "" {
			t.Fatalf("cut to %d bytes: opened", i)
		}
	}
	other := newSealer(bytes.Repeat([]byte{7}, secretSize))
	for what, open := range map[string]func() ([]byte, time.Time, reason){
		"a byte more":    func() ([]byte, time.Time, reason) { return s.open(name, tuple, append(bytes.Clone(sealed), 0)) },
		"another name":   func() ([]byte, time.Time, reason) { return s.open(s.name("other"), "other", sealed) },
		"another secret": func() ([]byte, time.Time, reason) { return other.open(name, tuple, sealed) },
	} {
		if value, _, why := open(); why != badSeal || value != nil {
			t.Errorf("%s: %q", what, why)
		}
	}
}

// Should two keys ever share a name, the key inside tells them apart.
func TestKeyInsideIsCompared(t *testing.T) {
	s := newSealer(secret)
	name := s.name(tuple)
	for _, other := range []string{"", "x", tuple[:len(tuple)-1], tuple + "x", strings.ToUpper(tuple)} {
		if value, _, why := s.open(name, tuple, s.seal(name, other, []byte("permit"), end)); why != badKey || value != nil {
			t.Errorf("%q: %q", other, why)
		}
	}
}

// What is sealed with our own key and yet no value of ours does not bring us down.
func TestSealedNonsense(t *testing.T) {
	s := newSealer(secret)
	name := s.name("")
	for _, plain := range []string{"", "1234567", "12345678", "12345678\x00\x00\x00", "12345678\x00\x00\x00\x01", "12345678\xff\xff\xff\xffabc"} {
		if value, _, why := s.open(name, "", s.wrap(name, []byte(plain))); why != badValue || value != nil {
			t.Errorf("%q: %q", plain, why)
		}
	}
}

// The secret's length is settled: a shorter one is a mistake that must not pass.
func TestSecretOfAnotherLength(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("taken")
		}
	}()
	newSealer(secret[:16])
}

// Whatever lies in Redis under our name, what it opens to is what was sealed for that
// name and key, by this process or another.
func FuzzOpen(f *testing.F) {
	s := newSealer(secret)
	name := s.name(tuple)
	sealed := s.seal(name, tuple, []byte("permit"), end)
	for _, seed := range [][]byte{nil, {format}, sealed, sealed[:25], sealed[:40], append([]byte{format + 1}, sealed[1:]...), bytes.Repeat([]byte{format}, 100)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, stored []byte) {
		value, until, why := s.open(name, tuple, stored)
		if why == "" && (string(value) != "permit" || !until.Equal(end)) {
			t.Errorf("%q opens to %q until %v", stored, value, until)
		}
		if why != "" && value != nil {
			t.Errorf("%q is refused for %s and gives %q", stored, why, value)
		}
	})
}
