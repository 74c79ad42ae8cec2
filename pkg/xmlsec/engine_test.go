package xmlsec

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"os/exec"
	"strings"
	"sync"
	"testing"
)

// oddForms are elements whose canonical form is one thing to XML and another to goxmldsig.
var oddForms = map[string]string{
	"a default namespace undeclared where none is": `<e:List xmlns:e="urn:e" ID="_l"><plain xmlns="">x</plain></e:List>`,
	"the same deeper, and below one that is used":  `<e:List xmlns:e="urn:e" ID="_l"><e:x xmlns="urn:d"><plain xmlns="">x</plain></e:x></e:List>`,
	"attributes of two namespaces":                 `<e:List xmlns:e="urn:e" ID="_l"><e:x xmlns:a="urn:2" xmlns:b="urn:1" a:a="" b:b=""></e:x></e:List>`,
	"two of one name":                              `<e:List xmlns:e="urn:e" ID="_l"><e:v xmlns:a="urn:2" a:k=""><e:w xmlns:b="urn:1" b:k=""><e:x a:a="" b:a=""></e:x></e:w></e:v></e:List>`,
	"one of xml and one of another":                `<e:List xmlns:e="urn:e" ID="_l"><e:x xmlns:z="urn:z" xml:lang="nl" z:a=""></e:x></e:List>`,
}

// listSigned puts the authority's signature over that form into a list, and list reads and
// verifies it.
func listSigned(t *testing.T, doc string, form []byte) []byte {
	t.Helper()
	info := signedInfo("_l", nil, digestOf(form))
	value, err := someone(t, "authority").signer().sign(info.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	signature := E("ds:Signature", info, E("ds:SignatureValue", base64.StdEncoding.EncodeToString(value))).Bytes()
	return []byte(strings.Replace(doc, `ID="_l">`, `ID="_l">`+string(signature), 1))
}

func list(t *testing.T, v Verifier, doc []byte) ([]Verified, error) {
	t.Helper()
	return v.Verify(mustRead(t, doc), noon, Place{Name: "list", Path: []Step{{{"urn:e", "List"}}}, Min: 1, Max: 1,
		Keys: func(string) []Key { return []Key{someone(t, "authority").verifying()} }})
}

// Where XML and goxmldsig have different canonical forms, the fast engine accepts neither:
// that of goxmldsig is wrong, and what goxmldsig refuses is not accepted.
func TestFastIsStricterWhereFormsDiffer(t *testing.T) {
	for name, doc := range oddForms {
		d := mustRead(t, []byte(doc))
		proper, reason := canonical(d, 0, noElement, nil)
		wrong := referenceForm(t, d, 0, nil)
		if bytes.Equal(proper, wrong) || reason == "" {
			t.Errorf("%s: both forms are %s, and the reason is %q", name, proper, reason)
			continue
		}
		if _, err := list(t, Verifier{}, listSigned(t, doc, proper)); !errors.Is(err, ErrSignature) {
			t.Errorf("%s, signed as XML has it: got %v", name, err)
		}
		if _, err := list(t, Verifier{}, listSigned(t, doc, wrong)); !errors.Is(err, ErrSignature) {
			t.Errorf("%s, signed as goxmldsig has it: got %v", name, err)
		}
		if _, err := list(t, Verifier{Engine: Reference}, listSigned(t, doc, wrong)); err != nil {
			t.Errorf("%s: the reference engine refuses its own form: %v", name, err)
		}
	}
}

// ordinaryForms are close to those.
var ordinaryForms = map[string]string{
	"a default namespace undeclared where one is":  `<e:List xmlns:e="urn:e" ID="_l"><x xmlns="urn:d"><plain xmlns="">x</plain></x></e:List>`,
	"undeclared on the signed element itself":      `<List xmlns="urn:e" ID="_l"><e:x xmlns:e="urn:e" xmlns="">x</e:x></List>`,
	"undeclared on the signed element, and used":   `<e:List xmlns:e="urn:e" xmlns="" ID="_l"><plain>x</plain></e:List>`,
	"undeclared and not used":                      `<e:List xmlns:e="urn:e" ID="_l"><e:x xmlns="">x</e:x></e:List>`,
	"attributes of two namespaces, in both orders": `<e:List xmlns:e="urn:e" ID="_l"><e:x xmlns:a="urn:2" xmlns:b="urn:1" b:a="" a:b=""></e:x></e:List>`,
	"two prefixes of one namespace":                `<e:List xmlns:e="urn:e" ID="_l"><e:x xmlns:a="urn:1" xmlns:b="urn:1" b:a="" a:b=""></e:x></e:List>`,
}

// What is close to those is accepted by both.
func TestOrdinaryFormsAreBelieved(t *testing.T) {
	for name, doc := range ordinaryForms {
		d := mustRead(t, []byte(doc))
		form, reason := canonical(d, 0, noElement, nil)
		if reason != "" {
			t.Errorf("%s: %s", name, reason)
		}
		if _, err := list(t, Verifier{CrossCheck: 1}, listSigned(t, doc, form)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What both engines accept xmlsec1 accepts: forms that are only just ordinary, and comments in
// odd places.
func TestXmlsec1AcceptsWhatWeAccept(t *testing.T) {
	tool(t, "xmlsec1")
	authority := someone(t, "authority")
	certificate := certificateFile(t, authority)
	forms := maps.Clone(ordinaryForms)
	for name, text := range commentsApart {
		forms[name] = `<e:List xmlns:e="urn:e" ID="_l"><e:x>` + text + `</e:x></e:List>`
	}
	for name, doc := range forms {
		d, err := Read([]byte(doc), DocumentLimits)
		if err != nil {
			t.Fatal(err)
		}
		form, _ := canonical(d, 0, noElement, nil)
		signed := listSigned(t, doc, form)
		out, err := exec.Command("xmlsec1", "--verify", "--id-attr:ID", d.Unverified().Name.Space+":List",
			"--pubkey-cert-pem:"+authority.name, certificate, writeFile(t, "message.xml", signed)).CombinedOutput()
		if err != nil {
			t.Errorf("%s: %v\n%s\n%s", name, err, out, signed)
		}
	}
}

// commentsApart stand between characters that would mean something together.
var commentsApart = map[string]string{
	"line break":         "\r<!-- -->\n",
	"line breaks":        "\r\r<!-- -->><!-- -->>",
	"end of CDATA":       "]]<!-- -->>",
	"end of CDATA early": "]<!-- -->]>",
	"end of CDATA twice": "]<!-- -->]<!-- -->>",
}

// A comment between two characters does not let them mean something together, and the
// signature of a peer who knows that fits.
func TestCommentsKeepApart(t *testing.T) {
	for name, text := range commentsApart {
		doc := `<e:List xmlns:e="urn:e" ID="_l"><e:x>` + text + `</e:x></e:List>`
		d, err := Read([]byte(doc), DocumentLimits)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		form, _ := canonical(d, 0, noElement, nil)
		signed, err := Read(listSigned(t, doc, form), DocumentLimits)
		if err != nil {
			t.Fatal(err)
		}
		v, err := verify(t, signed, noon, Place{Path: []Step{{{"urn:e", "List"}}}, Max: 1, Keys: func(string) []Key { return []Key{someone(t, "authority").verifying()} }})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		want := strings.ReplaceAll(strings.ReplaceAll(text, "<!-- -->", ""), "\r", "\n")
		if got := v[0].Root().Children[0].Text; got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}

// The other engine looks, whichever is the first, and one refusal is enough.
func TestCrossCheck(t *testing.T) {
	doc := oddForms["attributes of two namespaces"]
	odd := listSigned(t, doc, referenceForm(t, mustRead(t, []byte(doc)), 0, nil)) // fast refuses, reference accepts
	for _, engine := range []Engine{Fast, Reference} {
		v := Verifier{Engine: engine, CrossCheck: 1}
		d := mustRead(t, honestQuery(t))
		if verified, err := v.Verify(d, noon, places(t)...); err != nil || len(verified) != 2 {
			t.Errorf("%v refuses an honest query: %v", engine, err)
		}
		verified, err := list(t, v, odd)
		var disagreement *DisagreementError
		if verified != nil || !errors.Is(err, ErrDisagreement) || !errors.As(err, &disagreement) {
			t.Fatalf("%v: got %v, %v", engine, verified, err)
		}
		sum := sha256.Sum256(odd)
		if disagreement.ID != "_l" || disagreement.Digest != hex.EncodeToString(sum[:]) || !strings.Contains(disagreement.Detail, "fast refuses") {
			t.Errorf("%v: got %+v", engine, disagreement)
		}
		if strings.Contains(err.Error(), "urn:") || strings.Contains(err.Error(), "List") {
			t.Errorf("the error quotes the message: %v", err)
		}
		forged := bytes.Replace(odd, []byte("_l"), []byte("_m"), 1)
		if _, err := list(t, v, forged); err == nil || errors.Is(err, ErrDisagreement) {
			t.Errorf("%v: two refusals are an agreement, got %v", engine, err)
		}
	}
}

// What an engine quotes in its refusal stays out of the alarm: a log keeps it for years.
func TestAlarmQuotesNothing(t *testing.T) {
	for _, err := range []error{
		fmt.Errorf("%w: %q", ErrAlgorithm, "the bakery"),
		fmt.Errorf("at %q: %w", "the bakery", fmt.Errorf("%w: %w", ErrAlgorithm, errors.New("the bakery"))),
	} {
		for _, detail := range []string{disagreement(Fast, nil, nil, err, nil), disagreement(Reference, nil, nil, nil, err)} {
			if detail != "fast refuses: "+ErrAlgorithm.Error() {
				t.Errorf("got %q", detail)
			}
		}
	}
}

// An alarm names the message by its ID. What only looks like one is the sender's choice.
func TestAlarmNamesNoOtherID(t *testing.T) {
	d := mustRead(t, []byte(`<e:List xmlns:e="urn:e" e:ID="_l"/>`))
	err := newDisagreement(d, []Place{{Path: []Step{{{"urn:e", "List"}}}}}, "")
	if disagreement := new(DisagreementError); !errors.As(err, &disagreement) || disagreement.ID != "" {
		t.Errorf("got %v, want no ID", err)
	}
}

func TestEnginesHaveNames(t *testing.T) {
	for _, engine := range []Engine{Fast, Reference} {
		if got, err := ParseEngine(engine.String()); got != engine || err != nil {
			t.Errorf("%v is read as %v, %v", engine, got, err)
		}
	}
	if _, err := ParseEngine("openssl"); err == nil {
		t.Error("any word is an engine")
	}
}

// Which documents are looked at twice is chance: with one in two, of two hundred some are
// and some are not.
func TestCrossCheckChoosesByChance(t *testing.T) {
	doc := oddForms["two of one name"]
	odd := listSigned(t, doc, referenceForm(t, mustRead(t, []byte(doc)), 0, nil))
	checked := 0
	for range 200 {
		if _, err := list(t, Verifier{Engine: Reference, CrossCheck: 2}, odd); err != nil {
			checked++
		}
	}
	if checked == 0 || checked == 200 {
		t.Errorf("%d of 200 were checked", checked)
	}
}

// Reading different things is a disagreement too, in whatever they differ.
func TestDisagreementOnWhatIsRead(t *testing.T) {
	node := func(change func(*Node)) Verified {
		n := &Node{Name: Name{"u:x", "a"}, Attrs: []Attr{{Name{"", "b"}, "1"}, {Name{"", "c"}, "2"}}, Children: []*Node{{Text: "x"}}}
		change(n)
		return Verified{place: "p", issuer: "i", root: n, signature: "s", parent: -1}
	}
	same := func(*Node) {}
	agreed := []Verified{node(func(n *Node) { n.Attrs[0], n.Attrs[1] = n.Attrs[1], n.Attrs[0] })}
	if detail := disagreement(Fast, []Verified{node(same)}, agreed, nil, nil); detail != "" {
		t.Errorf("the order of attributes is none: %s", detail)
	}
	other := map[string]Verified{
		"name":      node(func(n *Node) { n.Name.Space = "u:y" }),
		"text":      node(func(n *Node) { n.Children[0].Text = "y" }),
		"child":     node(func(n *Node) { n.Children = nil }),
		"attribute": node(func(n *Node) { n.Attrs[0].Value = "3" }),
		"fewer":     node(func(n *Node) { n.Attrs = n.Attrs[:1] }),
		"more":      node(func(n *Node) { n.Attrs = append(n.Attrs, Attr{Name{"", "d"}, "3"}) }),
	}
	for what, change := range map[string]func(*Verified){
		"place": func(v *Verified) { v.place = "q" }, "issuer": func(v *Verified) { v.issuer = "j" },
		"signature": func(v *Verified) { v.signature = "t" }, "parent": func(v *Verified) { v.parent = 0 },
	} {
		v := node(same)
		change(&v)
		other[what] = v
	}
	for what, v := range other {
		if disagreement(Fast, []Verified{node(same)}, []Verified{v}, nil, nil) == "" {
			t.Errorf("another %s is no disagreement", what)
		}
	}
	if disagreement(Fast, []Verified{node(same)}, nil, nil, nil) == "" {
		t.Error("one more is no disagreement")
	}
}

// What was verified may be kept: neither the bytes it came from nor the next documents
// change it.
func TestVerifiedOutlivesItsDocument(t *testing.T) {
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 20 {
				body := honestQuery(t)
				d := mustRead(t, body)
				verified, err := d.Verify(noon, places(t)...)
				if err != nil {
					t.Error(err)
					return
				}
				unverified, outline := d.Unverified(), d.Outline(3)
				want, err := verifyQuery(t, bytes.Clone(body))
				if err != nil {
					t.Error(err)
					return
				}
				d.Release()
				d.Release() // once more does no harm
				for i := range body {
					body[i] = 'x'
				}
				mustRead(t, []byte("<a b='1'><c d='2'>text</c></a>")).Release()
				if !sameVerified(verified, want) || verified[0].SignatureValue() != want[0].SignatureValue() {
					t.Error("what was verified has changed")
				}
				if unverified.Children[0].Children[0].Name.Local != "XACMLAuthzDecisionQuery" || outline.Children[0].Children[0].Name.Local != "XACMLAuthzDecisionQuery" {
					t.Error("what was read has changed")
				}
			}
		})
	}
	all.Wait()
}

func TestOutlineEndsAtItsLevel(t *testing.T) {
	d := mustRead(t, []byte("<a x='1'><b y='2'><c z='3'/></b><b>text</b></a>"))
	two := d.Outline(2)
	if len(two.Children) != 2 || len(two.Children[0].Children) != 0 || len(two.Children[0].Attrs) != 1 || two.Children[1].Text != "text" {
		t.Errorf("got %+v", two.Children)
	}
	if one := d.Outline(1); len(one.Children) != 0 || len(one.Attrs) != 1 {
		t.Errorf("got %+v", one)
	}
	if !sameNode(d.Outline(3), d.Unverified()) {
		t.Error("three levels are all there is")
	}
}

// Memory of a document that was released is somebody else's.
func TestReleasedDocumentsAreNotLookedAt(t *testing.T) {
	d := mustRead(t, honestQuery(t))
	verified, err := d.Verify(noon, places(t)...)
	if err != nil {
		t.Fatal(err)
	}
	d.Unverified() // once looked at is not looked at for ever
	d.Release()
	for name, use := range map[string]func(){
		"quoting":      func() { Quote(verified[1]) },
		"verifying":    func() { _, _ = d.Verify(noon, places(t)...) },
		"by reference": func() { _, _ = Verifier{Engine: Reference}.Verify(d, noon, places(t)...) },
		"outlining":    func() { d.Outline(1) },
		"viewing":      func() { d.Unverified() },
	} {
		func() {
			defer func() {
				if said := recover(); said != "xmlsec: the document was released" {
					t.Errorf("%s: %v", name, said)
				}
			}()
			use()
		}()
	}
}

// A catalogue's memory is not kept for messages.
func TestPoolsAreCapped(t *testing.T) {
	large := []byte("<a>" + strings.Repeat("<b c='d'/>", 3000) + "</a>")
	d, err := Read(large, DocumentLimits)
	if err != nil {
		t.Fatal(err)
	}
	if d.tokens.poolable() {
		t.Error("the tokens of a large document would be kept")
	}
	if mustRead(t, honestQuery(t)).tokens.poolable() == false {
		t.Error("the tokens of a message would not be kept")
	}
	if (&canonicalizer{out: make([]byte, pooledBuffer+1)}).poolable() || (&canonicalizer{scratch: make([]byte, pooledBuffer+1)}).poolable() {
		t.Error("large buffers would be kept")
	}
	if (&reading{room: room{nodes: make([]Node, pooledElements+1)}}).poolable() {
		t.Error("large nodes would be kept")
	}
}

func TestTooManyPlacesPanic(t *testing.T) {
	for _, engine := range []Engine{Fast, Reference} {
		func() {
			defer func() {
				if said := recover(); said != "xmlsec: 65 places" {
					t.Errorf("%v: %v", engine, said)
				}
			}()
			_, _ = Verifier{Engine: engine}.Verify(mustRead(t, honestQuery(t)), noon, make([]Place, maxPlaces+1)...)
		}()
	}
}
