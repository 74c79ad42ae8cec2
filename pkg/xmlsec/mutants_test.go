package xmlsec

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// Every check of the gate and of the fast engine is there because a test fails without it.
// The test takes them out one at a time, in a copy of the source that only the compiler
// sees, and lets the other tests run. It takes a minute for every ten or so: run it with
// MANDATED_MUTANTS=1, or with a part of a file's name.

// mutatedFiles hold the checks. In each, every if that does nothing but return is a check, and
// so is every operand of its condition.
var mutatedFiles = []string{
	"scan.go", "scan_tag.go", "scan_namespace.go", "scan_reference.go", "scan_declaration.go", "ids.go", "read.go",
	"fast.go", "fast_place.go", "place.go", "shape.go", "c14n.go", "decode.go", "engine.go", "examine.go",
	"reading.go", "tokens.go", "chars.go",
}

// otherMutants are checks that do not have that form: what stands there, and instead of what.
var otherMutants = []mutant{
	{"fast.go", "f.signature, f.envelope.prefixes)", "noElement, f.envelope.prefixes)", 0},
	{"fast.go", "skip: f.signature, bare", "skip: noElement, bare", 0},
	{"fast.go", "bare: nested(all, f.element), ", "", 0},
	{"fast.go", "f.element, f.signature, f.envelope.prefixes", "f.element, f.signature, nil", 0},
	{"fast.go", "f.envelope.signature) == nil", "f.envelope.signature) != nil || ok", 0},
	{"fast.go", "f.signature+1, noElement", "f.signature, noElement", 0},
	{"reading.go", "verified: r.verified", "verified: true", 0},
	{"engine.go", "rand.IntN(v.CrossCheck) > 0", "rand.IntN(v.CrossCheck) >= 0", 0},
	{"engine.go", "d, now, places)\n\tif detail", "d, now, nil)\n\tif detail", 0},
	{"scan.go", "case '?':\n\t\treturn s.fail(ErrInstruction)\n", "", 0},
	{"scan.go", "s.innermost().text |= c\n", "\n", 0},
	{"scan_tag.go", "parent.parented = true; ", "", 0},
	{"c14n.go", "b >= end", "b >= end && b < 0", 0},
	{"c14n.go", "b >= end", "b >= end || b >= 0", 0},
	{"c14n.go", "c.reason = \"attributes of several namespaces\"", "", 0},
	{"verify.go", "if err != nil {", "if false {", 0},
}

// harmless are mutants that no test can tell from the original, each with its reason.
var harmless = map[string]string{
	"scan_tag.go: if e.local, e.nameEnd, err = s.name(); err != nil { return err": "where no name is, no attribute is either: malformed all the same",
	"fast_place.go: if fit = w.down(i, fit, steps); fit == 0 { return":            "saves the walk below, where nothing fits",
	"shape.go: if !strings.ContainsAny(text, \" \\t\\r\\n\") { return text":       "saves a copy",
	"scan_tag.go: if err := s.count(1); err != nil { return false, false, err":    "there is one more token to come, which then is too many",
	"scan_tag.go: if len(attrs) < 2 { return nil":                                 "saves looking whether one or none is in order",
	"scan_tag.go: if inOrder { return nil":                                        "saves sorting",
	"c14n.go: if c.rendered[j] == b { return":                                     "saves a comparison",
	"decode.go: if c&oddText == 0 { return append(out, run...)":                   "saves a look at each byte",
	"decode.go: if a.text&oddValue == 0 { return a.raw(doc)":                      "saves a copy",
	"decode.go: if a.text&oddValue == 0 { return append(out, value...)":           "saves a look at each byte",
	"scan.go: if len(s.open) == 0 || c&classGreater != 0 && bytes.Contains(run, []byte(\"]]>\")) { return s.fail(ErrMalformed) | c&classGreater != 0":                "saves a search",
	"scan_tag.go: if pos == int(local) || s.at(pos) == ':' || s.at(pos) >= 0x80 { return 0, 0, s.fail(ErrMalformed) | s.at(pos) == ':'":                              "a tag that goes on so after a name is malformed all the same",
	"scan_tag.go: if pos == int(local) || s.at(pos) == ':' || s.at(pos) >= 0x80 { return 0, 0, s.fail(ErrMalformed) | s.at(pos) >= 0x80":                             "a tag that goes on so after a name is malformed all the same",
	"scan_reference.go: } else if b < '0' || b > '9' { return 0, false | b < '0'":                                                                                    "a byte below 0 less 0 is more than any digit",
	"fast.go: if ok && rsa.VerifyPKCS1v15(public, crypto.SHA256, sum[:], f.envelope.signature) == nil { return nil | ok":                                             "keys that are not RSA are not usable",
	"shape.go: if err != nil || len(e.signature) == 0 || len(n.Children) > 0 || attributesBeyond(n, nil) { return shape(n, \"is not base64\") | len(n.Children) > 0": "what holds elements has no text, and so no value",
	"chars.go: if len(text) == 0 || nameBytes[text[0]]&nameStart == 0 { return 0 | len(text) == 0":                                                                   "isNCName has looked",
	"chars.go: if len(text) >= longRun { return classOfLong(text)":                                                                                                   "saves looking at each byte",
	"reading.go: if slices.Contains(r.bare, i) { return":                                                                                                             "saves room",
	"reading.go: if count == 0 { return nil":      "none are none, in a list or without",
	"reading.go: if len(attrs) == 0 { return nil": "none are none, in a list or without",
	"reading.go: if !r.poolable() { return":       "what is too large for the pool is seen in TestPoolsAreCapped",
	"tokens.go: if !t.poolable() { return":        "what is too large for the pool is seen in TestPoolsAreCapped",
	"c14n.go: if !c.poolable() { return":          "what is too large for the pool is seen in TestPoolsAreCapped",
}

// mutant is a piece of source and what takes its place; at is where the piece begins, or 0
// where it is found once.
type mutant struct {
	file, old, new string
	at             int
}

// said is how harmless names a mutant: the file, what stood there, and of what is taken out
// of its condition the part, unless that is all.
func (m mutant) said() string {
	name := m.file + ": " + strings.Join(strings.Fields(m.old), " ")
	if _, operand, ok := strings.Cut(m.new, without); ok {
		operand, _, _ = strings.Cut(operand, "*/")
		name += " | " + strings.Join(strings.Fields(operand), " ")
	}
	return name
}

// without stands in a mutant before the operand that it lacks.
const without = "/* without "

// allMutants are those listed and those found.
func allMutants(t *testing.T) []mutant {
	t.Helper()
	all := slices.Clone(otherMutants)
	for _, file := range mutatedFiles {
		all = append(all, checksIn(t, file)...)
	}
	return all
}

func TestEveryCheckHasATest(t *testing.T) {
	only := os.Getenv("MANDATED_MUTANTS")
	if only == "" {
		t.Skip("takes minutes; MANDATED_MUTANTS=1 runs it")
	}
	for i, m := range allMutants(t) {
		name := fmt.Sprintf("%03d %s", i, m.said())
		if only != "1" && !strings.Contains(name, only) || harmless[m.said()] != "" {
			continue
		}
		if failed := m.failing(t); failed == "" {
			t.Errorf("%s: no test fails without it", name)
		} else {
			t.Logf("%s: %s", name, failed)
		}
	}
}

// Whatever is said of the source must still be in it.
func TestMutantsFitTheSource(t *testing.T) {
	for _, m := range otherMutants {
		if count := strings.Count(readSource(t, m.file), m.old); count != 1 {
			t.Errorf("%s has %q %d times", m.file, m.old, count)
		}
	}
	said := map[string]bool{}
	for _, m := range allMutants(t) {
		said[m.said()] = true
	}
	for name := range harmless {
		if !said[name] {
			t.Errorf("harmless names what is no mutant: %s", name)
		}
	}
}

func readSource(t *testing.T, file string) string {
	t.Helper()
	source, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(source)
}

// checksIn finds the conditions that lead to nothing but a return.
func checksIn(t *testing.T, file string) []mutant {
	t.Helper()
	source := readSource(t, file)
	files := token.NewFileSet()
	tree, err := parser.ParseFile(files, file, source, 0)
	if err != nil {
		t.Fatal(err)
	}
	var found []mutant
	take := func(condition ast.Expr, body []ast.Stmt) {
		if len(body) != 1 {
			return
		}
		if _, ok := body[0].(*ast.ReturnStmt); !ok {
			return
		}
		from, to := files.Position(condition.Pos()).Offset, files.Position(condition.End()).Offset
		end := files.Position(body[0].End()).Offset
		start := strings.LastIndexByte(source[:from], '\n') + 1
		old := source[start:end]
		found = append(found, mutant{file, old, source[start:from] + "(" + source[from:to] + ") && never" + source[to:end], start})
		for _, o := range operandsOf(condition) {
			a, b := files.Position(o.Pos()).Offset, files.Position(o.End()).Offset
			found = append(found, mutant{file, old, source[start:a] + "(" + source[a:b] + o.gone + without + source[a:b] + " */)" + source[b:end], start})
		}
	}
	ast.Inspect(tree, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.IfStmt:
			take(n.Cond, n.Body.List)
		case *ast.SwitchStmt:
			for _, s := range n.Body.List {
				if c := s.(*ast.CaseClause); n.Tag == nil && len(c.List) == 1 {
					take(c.List[0], c.Body)
				}
			}
		}
		return true
	})
	return found
}

// operand is one side of a condition that has several, and what makes it count for nothing.
type operand struct {
	ast.Expr
	gone string
}

// operandsOf takes a condition apart, down to what holds neither || nor &&.
func operandsOf(condition ast.Expr) (all []operand) {
	if inner, ok := condition.(*ast.ParenExpr); ok {
		return operandsOf(inner.X)
	}
	both, ok := condition.(*ast.BinaryExpr)
	if !ok || both.Op != token.LAND && both.Op != token.LOR {
		return nil
	}
	gone := " && never"
	if both.Op == token.LAND {
		gone = " || !never"
	}
	for _, side := range []ast.Expr{both.X, both.Y} {
		inner := operandsOf(side)
		if len(inner) == 0 {
			inner = []operand{{side, gone}}
		}
		all = append(all, inner...)
	}
	return all
}

// quickTests notice most of what is missing; all are only asked if these do not.
const quickTests = "Gate|Limits|Odd|Wrapping|Key|Outer|Cross|Forms|Disagreement|Comments|Normalized|Issuer|Quoted|Place|Certificate|Unverified|Declared|Outlives|Released"

// failedTest finds the names of tests that failed, or did not end.
var failedTest = regexp.MustCompile(`(?m)^\s*(?:--- FAIL:|running tests:\n) *\t*(\S+)`)

// failing runs the tests with the mutant in place and returns the name of one that fails.
func (m mutant) failing(t *testing.T) string {
	t.Helper()
	source := readSource(t, m.file)
	at := m.at
	if at == 0 {
		at = strings.Index(source, m.old)
	}
	folder := t.TempDir()
	changed, overlay := filepath.Join(folder, m.file), filepath.Join(folder, "overlay.json")
	text := source[:at] + m.new + source[at+len(m.old):]
	if strings.Contains(m.new, "never") {
		text += "\nvar never = len(prefixes) == 0\n"
	}
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	list, err := json.Marshal(map[string]map[string]string{"Replace": {filepath.Join(here, m.file): changed}})
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{changed: []byte(text), overlay: list} {
		if err := os.WriteFile(name, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var out []byte
	for _, tests := range []string{quickTests, "."} {
		command := exec.Command("go", "test", "-overlay", overlay, "-vet=off", "-failfast", "-timeout", "1m", "-run", tests, ".")
		command.Env = append(os.Environ(), "MANDATED_MUTANTS=")
		if out, err = command.CombinedOutput(); err != nil {
			break
		}
	}
	switch {
	case err == nil:
		return ""
	case bytes.Contains(out, []byte("[build failed]")):
		t.Errorf("%s without %q does not compile:\n%s", m.file, m.old, out)
	}
	names := failedTest.FindAllSubmatch(out, -1)
	if len(names) == 0 {
		t.Logf("%s: a panic or a timeout in no test:\n%.2000s", m.said(), out)
		return ""
	}
	return string(names[len(names)-1][1])
}
