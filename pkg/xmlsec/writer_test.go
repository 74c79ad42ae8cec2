package xmlsec

import (
	"bytes"
	"crypto"
	"errors"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// tagOf compiles the start of an element; its values follow.
func tagOf(e *Element) (tag *Tag, values []string) {
	var names []string
	for _, a := range e.attributes {
		name := a.local
		if a.prefix != "" {
			name = a.prefix + ":" + a.local
		}
		names, values = append(names, name), append(values, a.value)
	}
	return NewTag(e.prefix+":"+e.local, names...), values
}

// rewritten is an element as a Writer writes it.
func rewritten(e *Element, listed []string) *Writer {
	tag, values := tagOf(e)
	w := NewWriter(tag, listed, values...)
	w.contentOf(e)
	return w
}

func (w *Writer) contentOf(e *Element) {
	for i, c := range e.content {
		switch {
		case c.element == nil:
			w.Text(c.text)
		case i%3 == 2: // made elsewhere, half of them by a Writer of their own
			made := c.element
			if i%2 == 0 {
				made = rewritten(c.element, nil).Element()
			}
			w.Add(made)
		default:
			tag, values := tagOf(c.element)
			w.Open(tag, values...)
			w.contentOf(c.element)
			w.Close()
		}
	}
}

// A Writer writes what a tree would have been written as: alone, inside others that
// declare the same prefixes or none of them, and signed.
func TestWriterWritesWhatATreeDoes(t *testing.T) {
	signer := someone(t, "broker").signer()
	moved := 0
	rapid.Check(t, func(t *rapid.T) {
		e := anyElement(t, []string{"xsi:type", "xml:lang", "ds:b", "xenc:a", "xsi:a"}, false, 4)
		listed := rapid.SliceOfDistinct(rapid.SampledFrom([]string{"esp", "xacml-saml", "xs"}), rapid.ID).Draw(t, "listed")
		slices.Sort(listed)
		w := rewritten(e, listed).Element()
		e.Declare(listed...)
		for what, around := range map[string]func(*Element) *Element{
			"alone":           func(e *Element) *Element { return e },
			"in an envelope":  envelop,
			"in its own name": func(e *Element) *Element { return E(e.prefix+":Outer", e) },
			"among the same": func(e *Element) *Element {
				return E("ds:Outer", E("xenc:Outer", E("saml:Outer", E("samlp:Outer", A("xsi:nil", ""), e))))
			},
			"among others": func(e *Element) *Element { return E("md:Outer", e).Declare("eme", "xacml-saml") },
		} {
			if got, want := around(w).Bytes(), around(e).Bytes(); !bytes.Equal(got, want) {
				t.Fatalf("%s: wrote\n%s\nwant\n%s", what, got, want)
			}
		}
		if !w.written.fits([]declaration{{"ds", spaceDS}}) {
			moved++
		}
		inDS := func(a Attribute) bool { return a.prefix == "ds" }
		if e.prefix == "ds" || slices.ContainsFunc(e.attributes, inDS) || len(e.content) > 0 && e.content[0].element == nil {
			return // not for signing: it declares ds, or holds text
		}
		e.add(A("ID", "_w"))
		if err := signer.Sign(e); errors.Is(err, ErrUnsignable) {
			return
		} else if err != nil {
			t.Fatal(err)
		}
		unsigned := *e
		unsigned.content = slices.DeleteFunc(slices.Clone(e.content), func(c content) bool { return c.element.is("ds:Signature") })
		signed, err := rewritten(&unsigned, listed).Sign(signer)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := envelop(signed).Bytes(), envelop(e).Bytes(); !bytes.Equal(got, want) {
			t.Fatalf("signed: wrote\n%s\nwant\n%s", got, want)
		}
	})
	if moved == 0 {
		t.Error("nothing was ever placed where its bytes do not fit")
	}
}

// xmlsec1 judges every form of signature that a Writer makes: with and without a prefix
// list and a key name, in front and after the issuer.
func TestXmlsec1VerifiesWhatAWriterSigns(t *testing.T) {
	tool(t, "xmlsec1")
	broker := someone(t, "broker")
	tag, issuer, inner := NewTag("saml:Assertion", "ID"), NewTag("saml:Issuer"), NewTag("saml:Attribute", "xsi:type", "Name")
	for name, c := range map[string]struct {
		listed []string
		signer Signer
		issuer string
	}{
		"with everything":  {[]string{"xacml-saml", "xs"}, broker.signer(), "<urn:&\"x\">"},
		"without a list":   {nil, broker.signer(), "urn:x"},
		"without key name": {[]string{"xs"}, Signer{Key: broker.key}, "urn:x"},
		"certificate":      {nil, Signer{Key: broker.key, Certificate: broker.certificate, X509: true}, "urn:x"},
		"without issuer":   {nil, broker.signer(), ""},
	} {
		w := NewWriter(tag, c.listed, "_w")
		if c.issuer != "" {
			w.Leaf(issuer, c.issuer)
		}
		w.Leaf(inner, "a\r<b>&\"c\"", "xs:string\t\n", `"<&>`)
		e, err := w.Sign(c.signer)
		if err != nil {
			t.Fatal(err)
		}
		for _, doc := range [][]byte{e.Bytes(), envelop(e).Bytes(), E("saml:Advice", E("ds:Object", e)).Declare("xs").Bytes()} {
			out, err := exec.Command("xmlsec1", "--verify", "--id-attr:ID", spaceSAML+":Assertion",
				"--pubkey-cert-pem:"+broker.name, certificateFile(t, broker), writeFile(t, "message.xml", doc)).CombinedOutput()
			if err != nil {
				t.Errorf("%s: %v\n%s\n%s", name, err, out, doc)
			}
		}
	}
}

// What a Writer may not sign, and that it is signed once.
func TestWhatAWriterCannotSign(t *testing.T) {
	key := someone(t, "broker").key
	tag := NewTag("saml:Assertion", "ID")
	for name, c := range map[string]struct {
		w    *Writer
		key  Signer
		want error
	}{
		"no ID":           {NewWriter(NewTag("saml:Assertion"), nil), Signer{Key: key}, ErrUnsignable},
		"bad ID":          {NewWriter(tag, nil, "1"), Signer{Key: key}, ErrUnsignable},
		"long ID":         {NewWriter(tag, nil, strings.Repeat("x", 257)), Signer{Key: key}, ErrUnsignable},
		"ID of a kind":    {NewWriter(NewTag("saml:Assertion", "xml:ID"), nil, "_a"), Signer{Key: key}, ErrUnsignable},
		"1024 bits":       {NewWriter(tag, nil, "_a"), Signer{Key: partyWith(t, "weak", 1024, noon.AddDate(1, 0, 0)).key}, ErrWeakKey},
		"faulty hardware": {NewWriter(tag, nil, "_a"), Signer{Key: faulty{key}}, ErrSignature},
		"and it says so":  {NewWriter(tag, nil, "_a"), Signer{Key: unchecked{faulty{key}}}, ErrSignature},
		"no hardware":     {NewWriter(tag, nil, "_a"), Signer{Key: broken{key}}, errHardware},
	} {
		if e, err := c.w.Sign(c.key); e != nil || !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", name, err, c.want)
		}
	}
	e, err := NewWriter(tag, nil, "_a").Sign(Signer{Key: key})
	if err != nil {
		t.Fatal(err)
	}
	if err := (Signer{Key: key}).Sign(e); !errors.Is(err, ErrUnsignable) {
		t.Errorf("signed twice: got %v", err)
	}
}

// unchecked tells that it lets any signature out.
type unchecked struct{ crypto.Signer }

func (unchecked) Checked() bool { return false }

// What is added may bring declarations that no name uses: a quoted message does, which
// declares all that was declared around it. A Writer cannot write them and digest the
// canonical form without them, and says so; it never makes a signature that does not fit.
func TestWriterSignsWhatWasMadeElsewhere(t *testing.T) {
	someone := someone(t, "broker")
	quoted, err := Read([]byte(`<x:Envelope xmlns:x="urn:x" xmlns:xs="urn:other"><saml:Issuer xmlns:saml="`+spaceSAML+`">i</saml:Issuer></x:Envelope>`), DocumentLimits)
	if err != nil {
		t.Fatal(err)
	}
	signs := 0
	rapid.Check(t, func(t *rapid.T) {
		e := anyElement(t, []string{"xenc:a"}, false, 2)
		unused := rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"xs", "xsi", "xenc", "eme"}), 0, 2, rapid.ID).Draw(t, "unused")
		e.Declare(unused...)
		if rapid.Bool().Draw(t, "quoted") {
			e = quoted.quote(1)
			e.declared = quoted.inScope(1)
		}
		declared := rapid.SliceOfDistinct(rapid.SampledFrom([]string{"xs", "xsi", "xenc", "eme"}), rapid.ID).Draw(t, "declared")
		slices.Sort(declared)
		w := NewWriter(NewTag("samlp:Response", "ID"), declared, "_w")
		w.Add(e)
		signed, err := w.Sign(someone.signer())
		switch {
		case errors.Is(err, ErrUnsignable):
			return
		case err != nil:
			t.Fatal(err)
		}
		signs++
		doc, err := Read(E("md:Outer", signed).Bytes(), DocumentLimits)
		if err != nil {
			t.Fatal(err)
		}
		place := Place{Path: []Step{{{prefixes["md"], "Outer"}}, {{prefixes["samlp"], "Response"}}}, Min: 1, Max: 1,
			Keys: func(string) []Key { return []Key{someone.verifying()} }}
		if _, err := (Verifier{CrossCheck: 1}).Verify(doc, noon, place); err != nil {
			t.Fatalf("%v\n%s", err, signed.Bytes())
		}
	})
	if signs == 0 {
		t.Error("nothing was ever signed")
	}

	w := NewWriter(NewTag("samlp:Response", "ID"), nil, "_w")
	w.Add(E("saml:Subject", "x").Declare("xs"))
	if e, err := w.Sign(someone.signer()); e != nil || !errors.Is(err, ErrUnsignable) {
		t.Errorf("with a declaration that no name uses: %v", err)
	}
}

func TestWriterMistakesPanic(t *testing.T) {
	signer := someone(t, "broker").signer()
	for name, mistake := range map[string]func(){
		"too few values":  func() { NewWriter(NewTag("saml:A", "b", "c"), nil, "1") },
		"too many values": func() { NewWriter(NewTag("saml:A"), nil).Open(NewTag("saml:B"), "1") },
		"unknown prefix":  func() { NewTag("nope:A") },
		"attribute twice": func() { NewTag("saml:A", "b", "b") },
		"signing in ds":   func() { _, _ = NewWriter(NewTag("ds:A", "ID"), nil, "_a").Sign(signer) },
		"signing in ec":   func() { _, _ = NewWriter(NewTag("saml:A", "ID"), []string{"ec"}, "_a").Sign(signer) },
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
