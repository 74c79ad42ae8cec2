package intake

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// examples are the files of testdata/import, which people copy from.
func examples(t testing.TB) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join("..", "..", "testdata", "import"))
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names
}

// The good examples come in whole, and again as nothing new. The README shows the
// first: mandates that migrate, so that they are in force when somebody tries them.
// The second is what a Dutch spreadsheet saves, for mandates that begin later, and the
// third what Excel calls Unicode text. The last is from a program.
func TestGoodExamples(t *testing.T) {
	for name, migrating := range map[string]bool{"mandates.csv": true, "semicolons.csv": false, "unicode-text.txt": false, "mandates.jsonl": true} {
		s := newScene(t)
		text := example(t, name)
		out := s.try(text, Options{Migrating: migrating})
		if out.err != nil || out.Refused != 0 || out.Granted != out.Lines || out.Lines < 3 {
			t.Errorf("%s: %+v %v\n%s", name, out.Summary, out.err, out.problems())
		}
		if again := s.try(text, Options{Migrating: migrating}); again.Unchanged != out.Lines {
			t.Errorf("%s again: %+v", name, again.Summary)
		}
	}
}

// The bad examples are refused, and the sentences are the ones people get.
func TestBadExamples(t *testing.T) {
	s := newScene(t)
	out := s.try(example(t, "bad-lines.csv"), Options{})
	s.want(out, "granted refused refused refused refused refused refused granted")
	for name, says := range map[string]string{
		"bad-columns.csv": "scope",
		"bad-latin1.csv":  "UTF-8",
		"bad-header.csv":  "must name columns",
	} {
		if out := s.try(example(t, name), Options{}); out.err == nil || !strings.Contains(out.err.Error(), says) || out.Lines != 0 {
			t.Errorf("%s: %v", name, out.err)
		}
	}
}
