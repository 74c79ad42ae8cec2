package xmlsec

import (
	"bytes"
	"testing"

	"pgregory.net/rapid"
)

// Long runs are classed in another way than short ones, to the same end.
func TestClassesOfLongRuns(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		odd := rapid.SliceOfN(rapid.SampledFrom([]byte("&\r>\t\n\"< x\xc3")), 0, 4).Draw(t, "odd")
		filler := rapid.SampledFrom([]byte(" x\n")).Draw(t, "filler")
		at := rapid.IntRange(0, longRun).Draw(t, "at")
		text := bytes.Repeat([]byte{filler}, longRun)
		text = append(append(bytes.Clone(text[:at]), odd...), text[at:]...)
		var want class
		for _, b := range text {
			want |= classes[b]
		}
		if got := classOf(text); got != want {
			t.Fatalf("%q: got %b, want %b", text, got, want)
		}
	})
}

// Text is judged eight bytes at a time, and the rest one by one: the same at every place.
func TestValidTextAtEveryPlace(t *testing.T) {
	for length := range 40 {
		for at := range length {
			for b := range 0x80 {
				text := bytes.Repeat([]byte("x"), length)
				text[at] = byte(b)
				if got, want := validText(text), validChar(rune(b)); got != want {
					t.Fatalf("%q: got %v", text, got)
				}
			}
			if text := bytes.Repeat([]byte("x"), length); true {
				text[at] = 0xff
				if validText(text) {
					t.Fatalf("%q is no UTF-8", text)
				}
			}
		}
	}
}
