package main

import (
	"strings"
	"testing"
)

// Where nobody looks, as in the log of a nightly export, there is a line for each hundred
// thousand, however many come at once.
func TestProgressWithoutTerminal(t *testing.T) {
	var out strings.Builder
	p := newProgress(&out, "lines")
	for _, n := range []int64{1, 99_999, 100_000, 100_001, 199_999, 200_500, 550_000} {
		p.at(n)
	}
	p.end()
	if want := "100000 lines\n200500 lines\n550000 lines\n"; out.String() != want {
		t.Errorf("it says %q, want %q", out.String(), want)
	}
}
