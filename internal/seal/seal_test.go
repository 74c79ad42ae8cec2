package seal

import (
	"bytes"
	"net/url"
	"testing"

	"pgregory.net/rapid"
)

// What is sealed for a place opens there as it was, and nowhere else, and not after a bit
// of it has changed, nor under another key.
func TestSealed(t *testing.T) {
	one, other := New(bytes.Repeat([]byte{1}, KeySize)), New(bytes.Repeat([]byte{2}, KeySize))
	rapid.Check(t, func(t *rapid.T) {
		plain := rapid.SliceOf(rapid.Byte()).Draw(t, "plain")
		place, elsewhere := rapid.String().Draw(t, "place"), rapid.String().Draw(t, "elsewhere")
		sealed := one.Seal([]byte("before"), plain, place)[len("before"):]
		if got, err := one.Open(sealed, place); err != nil || !bytes.Equal(got, plain) {
			t.Fatalf("opened %q, %v; sealed was %q", got, err, plain)
		}
		text := one.SealText(plain, place)
		if got, err := one.OpenText(text, place); err != nil || !bytes.Equal(got, plain) || url.QueryEscape(text) != text {
			t.Fatalf("the text %q is opened as %q, %v; sealed was %q", text, got, err, plain)
		}
		if _, err := one.OpenText("!"+text, place); err != ErrForeign {
			t.Fatalf("what is no such text opens: %v", err)
		}
		if again := one.Seal(nil, plain, place); bytes.Equal(again, sealed) {
			t.Fatal("the same twice looks the same")
		}
		if len(plain) > 8 && bytes.Contains(sealed, plain) {
			t.Fatal("it can be read")
		}
		if _, err := one.Open(sealed, elsewhere); err != ErrForeign && elsewhere != place {
			t.Fatalf("it opens in another place: %v", err)
		}
		if _, err := other.Open(sealed, place); err != ErrForeign {
			t.Fatalf("it opens under another key: %v", err)
		}
		altered := bytes.Clone(sealed)
		altered[rapid.IntRange(0, len(sealed)-1).Draw(t, "byte")] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
		if _, err := one.Open(altered, place); err != ErrForeign {
			t.Fatalf("it opens when altered: %v", err)
		}
		if _, err := one.Open(sealed[:rapid.IntRange(0, len(sealed)-1).Draw(t, "cut")], place); err != ErrForeign {
			t.Fatalf("it opens when cut: %v", err)
		}
	})
}
