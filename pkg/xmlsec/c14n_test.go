package xmlsec

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// canonical returns the canonical form of an element as the fast engine sees it, and why
// it must not be believed.
func canonical(d *Document, i, skip int32, list []string) (form []byte, reason string) {
	var all recorder
	c := &canonicalizer{hash: &all}
	c.begin(d.doc, d.tokens, i, skip, list)
	c.flush()
	return all.Bytes(), c.reason
}

// recorder keeps what it is given to digest.
type recorder struct{ bytes.Buffer }

func (r *recorder) Sum(b []byte) []byte { return append(b, r.Bytes()...) }
func (r *recorder) Size() int           { return r.Len() }
func (r *recorder) BlockSize() int      { return 1 }

// TestLibxml2AgreesOnCanonicalForm: of generated documents, of each their root or an
// element inside, without another inside that, and with a prefix list: the bytes are those
// of libxml2, which xmlsec1 has them from.
func TestLibxml2AgreesOnCanonicalForm(t *testing.T) {
	judge := startLibxml2(t)
	random := rand.New(rand.NewPCG(1, 2))
	inside, skipped, listed := 0, 0, 0
	for range 4000 {
		d := mustRead(t, anyDocument(random))
		count := int32(len(d.tokens.elements))
		apex, skip := int32(0), int32(noElement)
		if random.IntN(2) == 0 {
			apex = random.Int32N(count)
			inside++
		}
		if next := d.tokens.elements[apex].next; next > apex+1 && random.IntN(2) == 0 {
			skip = apex + 1 + random.Int32N(next-apex-1)
			skipped++
		}
		var list []string
		for _, p := range generatedPrefixes {
			if p != "" && random.IntN(4) == 0 {
				list = append(list, p)
				listed++
			}
		}
		got, _ := canonical(d, apex, skip, list)
		if want := judge(d.doc, apex, skip, list); !bytes.Equal(got, want) {
			t.Fatalf("element %d without %d, prefixes %q of\n%q\ngot\n%q\nwant\n%q", apex, skip, list, d.doc, got, want)
		}
		d.Release()
	}
	if inside < 1000 || skipped < 500 || listed < 1000 {
		t.Errorf("%d inside, %d with an element left out, %d prefixes: the generator does not generate", inside, skipped, listed)
	}
}

// TestLibxml2AgreesOnTheCorpus: the same for what the fuzzing of both engines has found
// worth keeping, whatever of it is a document.
func TestLibxml2AgreesOnTheCorpus(t *testing.T) {
	judge := startLibxml2(t)
	files, err := filepath.Glob("testdata/fuzz/FuzzEngines/*")
	if err != nil {
		t.Fatal(err)
	}
	limits, compared := MessageLimits, 0
	limits.Comments = true
	for _, file := range files {
		seed, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		quoted := strings.TrimSuffix(strings.TrimPrefix(strings.Split(string(seed), "\n")[1], "[]byte("), ")")
		doc, err := strconv.Unquote(quoted)
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		d, err := Read([]byte(doc), limits)
		if err != nil {
			continue
		}
		for element := range int32(len(d.tokens.elements)) {
			got, _ := canonical(d, element, noElement, nil)
			if want := judge(d.doc, element, noElement, nil); !bytes.Equal(got, want) {
				t.Errorf("%s: element %d of\n%q\ngot\n%q\nwant\n%q", file, element, d.doc, got, want)
			}
			compared++
		}
		d.Release()
	}
	if compared < 200 {
		t.Errorf("%d elements of %d files: the corpus is not there", compared, len(files))
	}
}

// startLibxml2 compiles and starts the judge.
func startLibxml2(t *testing.T) func(doc []byte, apex, skip int32, list []string) []byte {
	t.Helper()
	tool(t, "gcc")
	if _, err := os.Stat("/usr/include/libxml2/libxml/c14n.h"); err != nil {
		if os.Getenv("MANDATED_REQUIRE_SERVERS") == "1" {
			t.Fatal("the headers of libxml2 are not installed")
		}
		t.Skip("the headers of libxml2 are not installed")
	}
	program := filepath.Join(t.TempDir(), "c14n")
	if out, err := exec.Command("gcc", "-O1", "-I/usr/include/libxml2", "-o", program, "testdata/c14n.c", "-lxml2").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	command := exec.Command(program)
	in, err := command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	pipe, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = in.Close()
		if err := command.Wait(); err != nil {
			t.Error(err)
		}
	})
	out := bufio.NewReader(pipe)
	return func(doc []byte, apex, skip int32, list []string) []byte {
		t.Helper()
		_, err := fmt.Fprintf(in, "%d %d %d %s\n%s", apex, skip, len(doc), strings.Join(list, " "), doc)
		if err != nil {
			t.Fatal(err)
		}
		line, err := out.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		length, err := strconv.Atoi(strings.TrimSpace(line))
		if err != nil || length < 0 {
			t.Fatalf("libxml2 cannot: %q for %q", line, doc)
		}
		form := make([]byte, length)
		if _, err := io.ReadFull(out, form); err != nil {
			t.Fatal(err)
		}
		return form
	}
}

// generatedPrefixes and generatedSpaces make many collisions: one prefix for several
// namespaces, several prefixes for one, and the default one declared and undeclared.
var (
	generatedPrefixes = []string{"", "a", "b", "xs", "a-b", "zz"}
	generatedSpaces   = []string{"u:x", "u:y", "urn:a", "http://x.example/a?b=c"}
)

// anyDocument writes a document as nobody would: everything canonicalization has to put
// right is in it.
func anyDocument(r *rand.Rand) []byte {
	g := &generator{r: r}
	g.out.WriteString(pick(r, "", "<?xml version='1.0'?>\n", "\n"))
	g.element(map[string]string{}, 4)
	g.out.WriteString(pick(r, "", "\n"))
	return g.out.Bytes()
}

type generator struct {
	r   *rand.Rand
	out bytes.Buffer
}

func pick[T any](r *rand.Rand, from ...T) T { return from[r.IntN(len(from))] }

func (g *generator) element(around map[string]string, levels int) {
	scope, declared := map[string]string{}, ""
	for prefix, space := range around {
		scope[prefix] = space
	}
	for _, prefix := range generatedPrefixes {
		if g.r.IntN(4) > 0 {
			continue
		}
		space := pick(g.r, generatedSpaces...)
		switch {
		case prefix == "" && g.r.IntN(2) == 0:
			space = ""
			fallthrough
		case prefix == "":
			declared += g.space() + "xmlns" + g.equals() + g.quoted(space)
		default:
			declared += g.space() + "xmlns:" + prefix + g.equals() + g.quoted(space)
		}
		scope[prefix] = space
	}
	name := g.prefixed(scope) + pick(g.r, "n", "m", "Name")
	g.out.WriteString("<" + name)
	attributes := g.attributes(scope)
	if g.r.IntN(2) == 0 {
		attributes, declared = declared, attributes
	}
	g.out.WriteString(declared + attributes)
	if g.r.IntN(4) == 0 {
		g.out.WriteString("/>")
		return
	}
	g.out.WriteString(pick(g.r, ">", " >", "\n>"))
	if levels == 0 || g.r.IntN(4) == 0 {
		g.out.WriteString(g.text())
	} else {
		for range g.r.IntN(4) {
			g.out.WriteString(pick(g.r, "", " ", "\n\t", "\r\n"))
			g.element(scope, levels-1)
		}
		g.out.WriteString(pick(g.r, "", " ", "\r"))
	}
	g.out.WriteString("</" + name + pick(g.r, ">", " >"))
}

// attributes writes some, no two with one meaning.
func (g *generator) attributes(scope map[string]string) string {
	text, seen := "", map[string]bool{}
	for range g.r.IntN(5) {
		prefix, local := pick(g.r, "", g.prefixed(scope), "xml:"), pick(g.r, "b", "a", "B", "type")
		meaning := scope[strings.TrimSuffix(prefix, ":")] + " " + local
		if prefix == "" {
			meaning = local
		} else if prefix == "xml:" {
			meaning = "xml " + local
		}
		if !seen[meaning] {
			seen[meaning] = true
			text += g.space() + prefix + local + g.equals() + g.quoted(g.text())
		}
	}
	return text
}

// prefixed returns a prefix that has a meaning here, with its colon, or none.
func (g *generator) prefixed(scope map[string]string) string {
	prefix := pick(g.r, generatedPrefixes...)
	if prefix == "" || scope[prefix] == "" {
		return ""
	}
	return prefix + ":"
}

func (g *generator) space() string  { return pick(g.r, " ", " ", "\n  ", "\t", "\r\n") }
func (g *generator) equals() string { return pick(g.r, "=", "=", " = ") }

func (g *generator) quoted(value string) string {
	if strings.Contains(value, `"`) {
		return "'" + strings.ReplaceAll(value, "'", "&#39;") + "'"
	}
	return `"` + value + `"`
}

func (g *generator) text() string {
	text := ""
	for range g.r.IntN(5) {
		text += pick(g.r, "x", "value", " ", "\n", "\r\n", "\r", "\t", "&#13;", "&#xA;", "&#9;", "&amp;", "&lt;", "&gt;", "&quot;", "&apos;",
			">", "'", `"`, "é", "\U0001F600", "&#233;", "&#x1F600;", "]]", "\u00a0", "\u0085")
	}
	return strings.ReplaceAll(text, "]]>", "]]")
}
