package xmlsec

import (
	"bytes"
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/beevik/etree"
	dsig "github.com/russellhaering/goxmldsig"
)

// FuzzEngines holds the fast engine against the reference one, on whatever the gate lets
// through. With the element, the prefix list and the comments chosen by the fuzzer:
//
//   - the canonical form of the element is goxmldsig's, byte for byte, or the fast engine
//     says why it must not be believed;
//   - what is read from the tokens is what that form says;
//   - the engines agree on the signatures of the document;
//   - and, for one in so many as this takes long, on those of the document signed anew.
func FuzzEngines(f *testing.F) {
	for _, doc := range engineSeeds(f) {
		f.Add(doc, uint16(0), "", false)
		f.Add(doc, uint16(7), "xs xacml-saml", true)
	}
	places := places(f)
	f.Fuzz(func(t *testing.T, doc []byte, number uint16, prefixes string, comments bool) {
		limits := MessageLimits
		limits.Comments = comments
		d, err := Read(doc, limits)
		if err != nil {
			return
		}
		defer d.Release()
		var list []string
		for _, p := range strings.Fields(prefixes) {
			if isNCName(p) {
				list = append(list, p)
			}
		}
		i := int32(number) % int32(len(d.tokens.elements))
		compareForms(t, d, i, list)
		agree(t, d, places...)
		if len(doc)%64 == 1 && len(doc) < 20000 {
			signedAnew(t, d, i, list)
		}
	})
}

// agree lets both engines verify.
func agree(t *testing.T, d *Document, places ...Place) {
	t.Helper()
	fast, err := Verifier{Engine: Fast}.Verify(d, noon, places...)
	reference, refErr := Verifier{Engine: Reference}.Verify(d, noon, places...)
	if err != nil && refErr == nil && strings.Contains(err.Error(), "must not be believed") {
		return // stricter, as listed
	}
	if detail := disagreement(Fast, fast, reference, err, refErr); detail != "" {
		t.Fatalf("%s in\n%q", detail, d.doc)
	}
}

// engineSeeds are honest messages, hostile documents and, where there are any, messages
// seen in the field.
func engineSeeds(f *testing.F) [][]byte {
	seeds := [][]byte{
		honestQuery(f),
		[]byte("\uFEFF<?xml version='1.0' encoding='utf-8'?><!-- a --><a xmlns:p='u:x' p:b=\"'&#10;\n\"><p:c/> <!-- -->\r\n</a>"),
		[]byte("<a>\r<!-- -->\n]]<!-- -->></a>"),
		[]byte("<p:a xmlns:p='u:x'><b xmlns=''><c xmlns='u:y'><d xmlns=''/></c></b></p:a>"),
		[]byte("<a xmlns:p='u:x' xmlns:q='u:w' p:a='' q:b='' q:c='' b='' xml:lang='nl'/>"),
	}
	for _, a := range attacks {
		if len(a.doc) < 4000 {
			seeds = append(seeds, []byte(a.doc))
		}
	}
	folders := []string{"../../testdata/messages"}
	if samples := os.Getenv("MANDATED_SAMPLES"); samples != "" {
		folders = append(folders, samples)
	}
	for _, folder := range folders {
		files, err := filepath.Glob(filepath.Join(folder, "*.xml"))
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range files {
			doc, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			if len(doc) <= MessageLimits.Bytes {
				seeds = append(seeds, doc)
			}
		}
	}
	return seeds
}

// compareForms holds the canonical form of an element, and what is read from its tokens,
// against goxmldsig and what it would let be read.
func compareForms(t *testing.T, d *Document, i int32, list []string) {
	t.Helper()
	form, reason := canonical(d, i, noElement, list)
	if reason != "" {
		return
	}
	reference := referenceForm(t, d, i, list)
	if !bytes.Equal(form, reference) {
		t.Fatalf("element %d, prefixes %q of\n%q\nfast\n%q\nreference\n%q", i, list, d.doc, form, reference)
	}
	tree := etree.NewDocument()
	if err := tree.ReadFromBytes(form); err != nil {
		t.Fatal(err)
	}
	read := reading{doc: d.doc, tokens: d.tokens, skip: noElement, verified: true}.read(i)
	if !sameNode(read, newVerified(tree.Root(), trail{})) {
		t.Fatalf("element %d of\n%q\nis read as something else than its canonical form says", i, d.doc)
	}
}

// referenceForm is the canonical form of an element as goxmldsig makes it.
func referenceForm(t *testing.T, d *Document, i int32, list []string) []byte {
	t.Helper()
	tree, err := d.tree()
	if err != nil {
		t.Fatalf("the parser refuses what the scanner lets through: %v\n%q", err, d.doc)
	}
	from := nth(tree, &i).source
	el := rooted(from)
	el.Child = from.Child
	form, err := dsig.MakeC14N10ExclusiveCanonicalizerWithPrefixList(strings.Join(list, " ")).Canonicalize(el.Copy())
	if err != nil {
		t.Fatalf("goxmldsig cannot: %v\n%q", err, d.doc)
	}
	return form
}

// signedAnew signs an element in its place as goxmldsig would, and lets both engines verify
// that: what the reference engine refuses, the fast one must not accept.
func signedAnew(t *testing.T, d *Document, i int32, list []string) {
	t.Helper()
	e := &d.tokens.elements[i]
	id, ok := d.attr(i, "ID")
	if _, signatures := d.child(i, &nameSignature); !ok || signatures > 0 || !e.parented || e.text&classValue != 0 {
		return
	}
	info := signedInfo(id, list, digestOf(referenceForm(t, d, i, list)))
	value, err := someone(t, "broker").signer().sign(info.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	signature := E("ds:Signature", info, E("ds:SignatureValue", base64.StdEncoding.EncodeToString(value)))
	message := splice(d.doc, int(e.inside), int(e.inside), signature.Bytes())
	limits := DocumentLimits
	again, err := Read(message, limits)
	if err != nil {
		return // a little too large now
	}
	var path []Step
	for at := i; at >= 0; at = d.tokens.elements[at].parent {
		el := &d.tokens.elements[at]
		path = append([]Step{{{string(d.tokens.space(d.doc, el.space)), string(d.doc[el.local:el.nameEnd])}}}, path...)
	}
	agree(t, again, Place{Name: "signed anew", Path: path, Max: 1000, Keys: func(string) []Key { return []Key{someone(t, "broker").verifying()} }})
}

// nth finds an element by its number in document order.
func nth(n *Node, left *int32) *Node {
	if *left == 0 {
		return n
	}
	*left--
	for _, c := range n.Children {
		if found := nth(c, left); found != nil {
			return found
		}
	}
	return nil
}
