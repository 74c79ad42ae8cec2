package sandbox_test

import (
	"maps"
	"os"
	"testing"

	"github.com/mandated/mandated/internal/sandbox"
)

// Whatever the pages say they say in both languages, and a word that is not there is missed.
func TestEverythingIsSaid(t *testing.T) {
	for _, wrong := range sandbox.Texts().Check(os.DirFS(".")) {
		t.Error(wrong)
	}
	for _, word := range []string{"intro", "noOutcome"} { // of a template, and of Go
		less := maps.Clone(sandbox.Texts())
		delete(less, word)
		if len(less.Check(os.DirFS("."))) == 0 {
			t.Errorf("nobody misses %q", word)
		}
	}
}
