package xmlsec

import (
	"bytes"
	"os/exec"
	"strings"
	"testing"

	"github.com/beevik/etree"
	dsig "github.com/russellhaering/goxmldsig"
	"pgregory.net/rapid"
)

// anyElement draws a tree to be written. The attributes with a prefix come from
// the given names.
func anyElement(t *rapid.T, prefixed []string, declare bool, depth int) *Element {
	name := rapid.SampledFrom([]string{"saml:A", "samlp:B", "ds:C", "xenc:D", "saml:Issuer"}).Draw(t, "name")
	var parts []any
	for _, a := range rapid.SliceOfNDistinct(rapid.SampledFrom(append([]string{"a", "b", "c", "Z"}, prefixed...)), 0, 4, rapid.ID).Draw(t, "attributes") {
		parts = append(parts, A(a, anyText(t)))
	}
	if depth == 0 || rapid.Bool().Draw(t, "is text") {
		parts = append(parts, anyText(t))
	} else {
		for range rapid.IntRange(0, 3).Draw(t, "children") {
			parts = append(parts, anyElement(t, prefixed, declare, depth-1))
		}
	}
	e := E(name, parts...)
	if declare {
		e.Declare(rapid.SliceOfDistinct(rapid.SampledFrom([]string{"xs", "xsi", "saml", "esp"}), rapid.ID).Draw(t, "declared")...)
	}
	return e
}

func anyText(t *rapid.T) string {
	return rapid.OneOf(
		rapid.StringOf(rapid.SampledFrom([]rune("<>&\"'\t\n\r ax\u0000\u0085\u00a0é\uFFFE\U0001F600]"))),
		rapid.String(),
	).Draw(t, "text")
}

// What Bytes writes is its own canonical form, so what we digest is what a
// receiver will digest: here as goxmldsig sees it.
//
// goxmldsig sorts attributes of different namespaces in a way of its own, so each
// element here has prefixed attributes of one namespace only; xmllint judges the
// others below.
func TestBytesAreCanonical(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := anyElement(t, []string{"xsi:type", "xsi:nil"}, true, 4)
		written := e.Bytes()
		tree := etree.NewDocument()
		if err := tree.ReadFromBytes(written); err != nil {
			t.Fatalf("%v in %s", err, written)
		}
		canonical, err := dsig.MakeC14N10ExclusiveCanonicalizerWithPrefixList("xs xsi saml esp").Canonicalize(tree.Root())
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(written, canonical) {
			t.Fatalf("wrote\n%q\ncanonical\n%q", written, canonical)
		}
	})
}

// What Bytes writes passes our own gate and reads back as it was meant.
func TestBytesReadBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := anyElement(t, []string{"xsi:type", "xml:lang"}, true, 4)
		d, err := Read(e.Bytes(), MessageLimits)
		if err != nil {
			t.Fatalf("%v in %s", err, e.Bytes())
		}
		compareWritten(t, e, d.Unverified())
	})
}

func compareWritten(t *rapid.T, e *Element, n *Node) {
	if n.Name != (Name{e.space, e.local}) || len(n.Attrs) != len(e.attributes) {
		t.Fatalf("wrote %s %s with %d attributes, read %s with %d", e.space, e.local, len(e.attributes), n.Name, len(n.Attrs))
	}
	for _, a := range e.attributes {
		found := false
		for _, b := range n.Attrs {
			found = found || b == Attr{Name{a.space, a.local}, expressible2(a.value)}
		}
		if !found {
			t.Fatalf("wrote %q=%q, read %+v", a.local, a.value, n.Attrs)
		}
	}
	if len(n.Children) == 0 {
		var text strings.Builder
		for _, c := range e.content {
			text.WriteString(expressible2(c.text))
		}
		if n.Text != text.String() {
			t.Fatalf("wrote %q, read %q", text.String(), n.Text)
		}
		return
	}
	for i, c := range e.content {
		compareWritten(t, c.element, n.Children[i])
	}
}

// expressible2 says independently of the writer what XML can express.
func expressible2(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0xFFFE || r == 0xFFFF {
			return 0xFFFD
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
}

// The same judged by libxml2, with attributes of several namespaces on one element.
func TestXmllintAgreesOnCanonicalForm(t *testing.T) {
	tool(t, "xmllint")
	some := rapid.Custom(func(t *rapid.T) *Element {
		return anyElement(t, []string{"xsi:type", "xml:lang", "ds:b", "xenc:a", "xsi:a"}, false, 4)
	})
	for seed := range 25 {
		written := some.Example(seed).Bytes()
		command := exec.Command("xmllint", "--exc-c14n", "-")
		command.Stdin = bytes.NewReader(written)
		canonical, err := command.Output()
		if err != nil {
			t.Fatalf("%v for %s", err, written)
		}
		if !bytes.Equal(written, canonical) {
			t.Fatalf("wrote\n%q\ncanonical\n%q", written, canonical)
		}
	}
}

// Mistakes in our own code are found when it runs for the first time.
func TestMistakesPanic(t *testing.T) {
	for name, mistake := range map[string]func(){
		"unknown prefix":            func() { E("nope:A") },
		"no prefix":                 func() { E("A") },
		"not a name":                func() { E("saml:A B") },
		"unknown attribute prefix":  func() { A("nope:a", "") },
		"namespace as attribute":    func() { A("xmlns", "urn:x") },
		"namespace with a prefix":   func() { A("xmlns:saml", "urn:x") },
		"attribute twice":           func() { E("saml:A", A("a", ""), A("a", "")) },
		"text beside elements":      func() { E("saml:A", "x", E("saml:B")) },
		"part of an unknown kind":   func() { E("saml:A", 1) },
		"declaration of an unknown": func() { E("saml:A").Declare("nope") },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			mistake()
		}()
	}
}

func TestPartsOfAnElement(t *testing.T) {
	var none *Element
	e := E("saml:A", none, []*Element{E("saml:B"), none, E("samlp:C", "x")}, A("xml:lang", "nl"), A("b", `1"<`), "")
	const want = `<saml:A xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" b="1&quot;&lt;" xml:lang="nl">` +
		`<saml:B></saml:B><samlp:C xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol">x</samlp:C></saml:A>`
	if got := string(e.Bytes()); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
