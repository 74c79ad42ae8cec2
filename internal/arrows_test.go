package internal

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// module is the name under which our own packages import each other.
const module = "github.com/mandated/mandated/"

// heights are the storeys of the house. A package imports only from lower ones; equal
// heights do not know each other.
var heights = map[string]int{
	"cmd/mandated":      9,
	"internal/sandbox":  8,
	"pkg/harness":       7,
	"internal/daemon":   6,
	"internal/server":   5,
	"internal/desk":     3,
	"internal/notices":  4,
	"pkg/pdp":           4,
	"pkg/freshness":     3,
	"internal/cache":    3,
	"internal/intake":   3,
	"internal/journal":  3,
	"internal/guard":    3,
	"pkg/decision":      2,
	"pkg/register":      2,
	"pkg/mandate":       1,
	"pkg/saml":          1,
	"pkg/catalogue":     1,
	"internal/group":    0,
	"internal/quiet":    0,
	"internal/look":     0,
	"internal/tracing":  1,
	"internal/mail":     1,
	"pkg/etoegang":      0,
	"pkg/xmlsec":        0,
	"internal/schema":   0,
	"internal/postgres": 1,
	"internal/sqlite":   0,
	"internal/devkeys":  0,
	"internal/seal":     0,
	"internal/loopback": 0,
	"internal/signing":  0,

	"internal/sandbox/explain": 2,
	"internal/review":          2,

	"internal/intake/sheet": 0,
	"internal/signin":       2,
	"internal/manage/api":   5,

	"internal/manage/pages": 5,
}

// testOnly are packages that nothing but tests may import; they may look at anything.
var testOnly = map[string]bool{"internal/corpus": true, "internal/outside": true, "internal/servers": true, "internal/drill": true, "internal/load": true, "internal/bench": true, "internal/eyes": true, "internal/fuzzkeys": true}

// strangers are what a room has never heard of.
var strangers = map[string][]string{
	"pkg/etoegang":     {"context", "database/sql", "net/http", "encoding/xml", "github.com/"},
	"pkg/mandate":      {"context", "database/sql", "net/http", "encoding/xml", "github.com/beevik", "github.com/russellhaering"},
	"pkg/decision":     {"context", "database/sql", "net/http", "encoding/xml", "github.com/beevik", "github.com/russellhaering", "os", "math/rand"},
	"pkg/saml":         {"database/sql", "net/http", "github.com/russellhaering"},
	"pkg/catalogue":    {"database/sql", "net/http", "github.com/russellhaering"},
	"pkg/register":     {"encoding/xml", "net/http", "github.com/beevik"},
	"pkg/pdp":          {"database/sql", "net/http", "encoding/xml", "github.com/beevik"},
	"pkg/freshness":    {"database/sql", "net/http", "encoding/xml"},
	"internal/cache":   {"database/sql", "net/http", "encoding/xml"},
	"internal/journal": {"net/http", "encoding/xml"},
	"internal/guard":   {"net/http", "encoding/xml"},
	"internal/mail":    {"database/sql", "net/http", "encoding/xml", "github.com/", module + "pkg"},
	"internal/notices": {"database/sql", "net/http", "encoding/xml", "crypto/tls"},
	"internal/signin":  {"database/sql", "net/http", "encoding/xml", "github.com/beevik", "github.com/russellhaering"},
	"internal/signing": {"context", "database/sql", "net/http", "encoding/xml"},
	"internal/look":    {"context", "database/sql", "encoding/xml"},
	"internal/server":  {"database/sql", "github.com/beevik", "github.com/russellhaering"},
	"internal/sandbox": {"database/sql", "encoding/xml", "github.com/beevik", "github.com/russellhaering"},
	"cmd/mandated":     {"database/sql", "github.com/beevik", "github.com/russellhaering"},

	"internal/manage/api":   {"database/sql", "encoding/xml", "github.com/beevik", "github.com/russellhaering"},
	"internal/manage/pages": {"database/sql", "encoding/xml", "github.com/beevik", "github.com/russellhaering"},
	"internal/intake/sheet": {"context", "database/sql", "net/http", "encoding/xml", "github.com/"},
}

// The house is only as orderly as its arrows: each import of each file points down.
func TestArrowsPointDown(t *testing.T) {
	seen := map[string]bool{}
	walk(t, func(room, imported string) {
		seen[room] = true
		if testOnly[room] {
			return
		}
		height, known := heights[room]
		if !known {
			t.Errorf("%s is a room without a height: give it one here and draw it in the README", room)
			return
		}
		for _, stranger := range strangers[room] {
			if imported == stranger || strings.HasSuffix(stranger, "/") && strings.HasPrefix(imported, stranger) && !strings.HasPrefix(imported, module) ||
				strings.HasPrefix(imported, stranger+"/") {
				t.Errorf("%s has never heard of %s", room, imported)
			}
		}
		other, ours := strings.CutPrefix(imported, module)
		if !ours {
			return
		}
		if testOnly[other] {
			t.Errorf("%s imports %s, which is for tests only", room, other)
		} else if heights[other] >= height {
			t.Errorf("%s (height %d) imports %s (height %d)", room, height, other, heights[other])
		}
	})
	for room := range heights {
		if !seen[room] {
			t.Errorf("%s has a height and no code", room)
		}
	}
}

// Only xmlsec may touch XML cryptography: one verifying path in the program.
func TestOnlyXMLSecVerifies(t *testing.T) {
	walk(t, func(room, imported string) {
		if room != "pkg/xmlsec" && strings.HasPrefix(imported, "github.com/russellhaering/goxmldsig") {
			t.Errorf("%s imports %s", room, imported)
		}
	})
}

// Examine is for people who look at a message: whoever decides on one must call Verify.
func TestOnlyExplainExamines(t *testing.T) {
	for _, top := range []string{"cmd", "pkg", "internal"} {
		err := filepath.WalkDir(filepath.Join("..", top), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") ||
				strings.Contains(filepath.ToSlash(path), "internal/sandbox/explain/") {
				return err
			}
			source, err := os.ReadFile(path)
			if strings.Contains(string(source), ".Examine(") {
				t.Errorf("%s examines a message instead of verifying it", path)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// walk visits every import of every file that is not a test.
func walk(t *testing.T, visit func(room, imported string)) {
	t.Helper()
	for _, top := range []string{"cmd", "pkg", "internal"} {
		err := filepath.WalkDir(filepath.Join("..", top), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
			if err != nil {
				return err
			}
			room, err := filepath.Rel("..", filepath.Dir(path))
			for _, spec := range file.Imports {
				imported, _ := strconv.Unquote(spec.Path.Value)
				visit(filepath.ToSlash(room), imported)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// The race detector sees a part of what divides its rounds, so that must also run whole: a room
// in the Makefile's WHOLE, or a test that its THINNED_TESTS name in one of THINNED.
func TestWhatIsThinnedOutRunsWhole(t *testing.T) {
	makefile, err := os.ReadFile("../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	set := func(name string) string {
		_, rest, _ := strings.Cut(string(makefile), "\n"+name+" = ")
		value, _, _ := strings.Cut(rest, "\n")
		return value
	}
	whole, rooms, named := strings.Fields(set("WHOLE")), strings.Fields(set("THINNED")), regexp.MustCompile(set("THINNED_TESTS"))
	thinned := 0
	err = filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, "_test.go") || strings.HasSuffix(path, "arrows_test.go") {
			return err
		}
		source, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		room := "./" + filepath.ToSlash(filepath.Dir(path[len("../"):]))
		for _, part := range strings.Split(string(source), "\nfunc ") {
			if !strings.Contains(part, "corpus.Slower") && !strings.Contains(part, "corpus.Part(") {
				continue
			}
			thinned++
			test, _, _ := strings.Cut(part, "(")
			if !slices.Contains(whole, room) && !(slices.Contains(rooms, room) && strings.HasPrefix(test, "Test") && named.MatchString(test)) {
				t.Errorf("the Makefile runs %q of %s nowhere whole", test, room)
			}
		}
		return nil
	})
	if err != nil || thinned == 0 {
		t.Errorf("%d tests, %v", thinned, err)
	}
}
