package xmlsec

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
)

// Each row is one attack and the one defence that must refuse it. A row whose
// defence is taken out fails: either the document passes, or another defence,
// meant for something else, answers in its place.
var attacks = []struct {
	name, doc string
	want      error
}{
	{"nothing", "", ErrMalformed},
	{"only space", " \n", ErrMalformed},
	{"larger than a message may be", "<a>" + strings.Repeat(" ", 256<<10) + "</a>", ErrTooLarge},

	{"UTF-16 with its mark", "\xff\xfe<\x00a\x00/\x00>\x00", ErrEncoding},
	{"overlong slash", "<a>\xc0\xaf</a>", ErrEncoding},
	{"lone surrogate", "<a>\xed\xa0\x80</a>", ErrEncoding},
	{"NUL", "<a>\x00</a>", ErrEncoding},
	{"escape character", "<a b='\x1b'/>", ErrEncoding},
	{"non-character FFFE", "<a>\uFFFE</a>", ErrEncoding},
	{"non-character FFFF", "<a>\uFFFF</a>", ErrEncoding},
	{"Latin-1 by name", "<?xml version='1.0' encoding='ISO-8859-1'?><a/>", ErrEncoding},
	{"UTF-7 by name", `<?xml version="1.0" encoding="utf-7"?><a/>`, ErrEncoding},
	{"NUL by reference", "<a>&#0;</a>", ErrEncoding},
	{"surrogate by reference", "<a>&#xD800;</a>", ErrEncoding},
	{"non-character by reference", "<a b='&#xFFFF;'/>", ErrEncoding},
	{"beyond Unicode by reference", "<a>&#x110000;</a>", ErrEncoding},

	{"DOCTYPE", "<!DOCTYPE a><a/>", ErrDirective},
	{"DOCTYPE with entity", `<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>`, ErrDirective},
	{"directive inside", "<a><!ELEMENT b></a>", ErrDirective},
	{"broken comment start", "<a><!-x--></a>", ErrDirective},
	{"stylesheet", "<?xml-stylesheet href='http://x.example'?><a/>", ErrInstruction},
	{"instruction inside", "<a>v<?x y?></a>", ErrInstruction},
	{"instruction after", "<a/><?x y?>", ErrInstruction},
	{"second declaration", "<?xml version='1.0'?><?xml version='1.0'?><a/>", ErrInstruction},
	{"late declaration", " <?xml version='1.0'?><a/>", ErrInstruction},
	{"XML 1.1", "<?xml version='1.1'?><a/>", ErrInstruction},
	{"attribute pollution in the declaration", "<?xml version='1.0' encoding='UTF-8' encoding='UTF-7'?><a/>", ErrInstruction},
	{"comment in a value", "<a>victim<!---->.evil</a>", ErrComment},
	{"comment before the root", "<!-- x --><a/>", ErrComment},
	{"CDATA", "<a><![CDATA[x]]></a>", ErrCDATA},
	{"undeclared entity", "<a>&nbsp;</a>", ErrEntity},
	{"undeclared entity with digits", "<a>&n65;</a>", ErrEntity},
	{"lone ampersand", "<a>a & b</a>", ErrEntity},
	{"ampersand at the end of a value", "<a b='&'/>", ErrEntity},
	{"reference without number", "<a>&#;</a>", ErrEntity},
	{"reference without hexadecimal number", "<a>&#x;</a>", ErrEntity},
	{"reference with a sign", "<a>&#+65;</a>", ErrEntity},
	{"reference with a separator", "<a>&#6_5;</a>", ErrEntity},
	{"decimal reference with a letter", "<a>&#6a;</a>", ErrEntity},
	{"hexadecimal reference with what comes after 9", "<a>&#x:1;</a>", ErrEntity},
	{"endless reference", "<a>&#" + strings.Repeat("0", 40) + "65;</a>", ErrEntity},
	{"entity in capitals", "<a>&AMP;</a>", ErrEntity},

	{"deeper than 64", strings.Repeat("<a>", 65) + strings.Repeat("</a>", 65), ErrTooDeep},
	{"1001 elements", "<a>" + strings.Repeat("<b/>", 1000) + "</a>", ErrTooMany},
	{"65 attributes", "<a" + numbered(65, " a%d='x'") + "/>", ErrTooMany},
	{"65 namespaces", "<a" + numbered(65, " xmlns:a%d='u:x'") + "/>", ErrTooMany},
	{"65 namespaces in scope", "<a" + numbered(40, " xmlns:a%d='u:x'") + "><b" + numbered(25, " xmlns:b%d='u:x'") + "/></a>", ErrTooMany},
	{"attribute over 16 KiB", "<a b='" + strings.Repeat("x", 16<<10+1) + "'/>", ErrLongAttribute},

	{"attribute twice", "<a b='1' b='2'/>", ErrDuplicateAttribute},
	{"attribute twice by meaning", "<a xmlns:p='u:x' xmlns:q='u:x' p:b='1' q:b='2'/>", ErrDuplicateAttribute},
	{"namespace declared twice", "<a xmlns:p='u:x' xmlns:p='u:y'/>", ErrDuplicateAttribute},
	{"default namespace declared twice", "<a xmlns='u:x' xmlns='u:y'/>", ErrDuplicateAttribute},

	{"relative namespace", "<a xmlns='x'/>", ErrNamespace},
	{"relative namespace with a colon late", "<a xmlns='x/y:z'/>", ErrNamespace},
	{"namespace of a scheme only", "<a xmlns='urn:'/>", ErrNamespace},
	{"scheme that begins with a digit", "<a xmlns:p='1:x'/>", ErrNamespace},
	{"empty scheme", "<a xmlns:p=':x'/>", ErrNamespace},
	{"scheme with an underscore", "<a xmlns:p='a_b:x'/>", ErrNamespace},
	{"namespace with a reference", "<a xmlns:p='urn:&#120;'/>", ErrNamespace},
	{"namespace with a space", "<a xmlns:p='urn:x y'/>", ErrNamespace},
	{"namespace with a quote", `<a xmlns:p='urn:"'/>`, ErrNamespace},
	{"namespace beyond ASCII", "<a xmlns:p='urn:é'/>", ErrNamespace},
	{"prefix undeclared by emptying", "<a xmlns:p=''/>", ErrNamespace},
	{"unknown element prefix", "<p:a/>", ErrNamespace},
	{"unknown attribute prefix", "<a p:b='1'/>", ErrNamespace},
	{"prefix known only to a sibling", "<a><b xmlns:p='u:x'/><p:c/></a>", ErrNamespace},
	{"xml bound to something else", "<a xmlns:xml='u:x'/>", ErrNamespace},
	{"xmlns bound", "<a xmlns:xmlns='u:x'/>", ErrNamespace},
	{"prefix bound to the xml namespace", "<a xmlns:p='" + xmlSpace + "'/>", ErrNamespace},
	{"default bound to the xml namespace", "<a xmlns='" + xmlSpace + "'/>", ErrNamespace},
	{"prefix bound to the xmlns namespace", "<a xmlns:p='" + xmlnsSpace + "'/>", ErrNamespace},
	{"element called xmlns:a", "<xmlns:a/>", ErrNamespace},

	{"text before an element", "<a>x<b/></a>", ErrMixedContent},
	{"text after an element", "<a><b/>x</a>", ErrMixedContent},
	{"space by reference beside an element", "<a><b/>&#32;</a>", ErrMixedContent},

	{"second root", "<a/><b/>", ErrMalformed},
	{"text after the root", "<a/>x", ErrMalformed},
	{"text before the root", "x<a/>", ErrMalformed},
	{"no end tag", "<a><b></b>", ErrMalformed},
	{"wrong end tag", "<a></b>", ErrMalformed},
	{"longer end tag", "<a></ab>", ErrMalformed},
	{"end tag too many", "<a/></a>", ErrMalformed},
	{"end tag with an attribute", "<a></a b='1'>", ErrMalformed},
	{"end tag with another prefix", "<p:a xmlns:p='u:x' xmlns:q='u:x'></q:a>", ErrMalformed},
	{"no space between attributes", "<a b='1'c='2'/>", ErrMalformed},
	{"attribute without name", "<a ='1'/>", ErrMalformed},
	{"attribute without value", "<a b/>", ErrMalformed},
	{"attribute without quotes", "<a b=1/>", ErrMalformed},
	{"attribute between letters", "<a b=x1x/>", ErrMalformed},
	{"attribute without end", "<a b='1/>", ErrMalformed},
	{"less-than in an attribute", "<a b='<'/>", ErrMalformed},
	{"slash inside a tag", "<a / >", ErrMalformed},
	{"slash inside a tag inside", "<b><a/ ></b>", ErrMalformed},
	{"attribute without equals sign", "<a b'1'/>", ErrMalformed},
	{"cut off in a tag", "<a", ErrMalformed},
	{"cut off after less-than", "<a><", ErrMalformed},
	{"two colons", "<a:b:c xmlns:a='u:x'/>", ErrMalformed},
	{"leading colon", "<:a/>", ErrMalformed},
	{"trailing colon", "<a: xmlns:a='u:x'/>", ErrMalformed},
	{"colon before a digit", "<a:1 xmlns:a='u:x'/>", ErrMalformed},
	{"name that begins with a digit", "<1a/>", ErrMalformed},
	{"name beyond ASCII", "<a\u0430/>", ErrMalformed},
	{"end of CDATA in text", "<a>]]></a>", ErrMalformed},

	{"one ID twice", "<a ID='x'><b ID='x'/></a>", ErrDuplicateID},
	{"one ID as ID and Id", "<a ID='x'><b Id='x'/></a>", ErrDuplicateID},
	{"one ID as ID and id", "<a ID='x'><b id='x'/></a>", ErrDuplicateID},
	{"one ID as ID and xml:id", "<a ID='x'><b xml:id='x'/></a>", ErrDuplicateID},
	{"one ID as ID and wsu:Id", "<a ID='x' xmlns:wsu='u:x'><b wsu:Id='x'/></a>", ErrDuplicateID},
	{"one element with two", "<a ID='x' Id='x'/>", ErrDuplicateID},
	{"empty ID", "<a ID=''/>", ErrBadID},
	{"ID with a colon", "<a ID='a:b'/>", ErrBadID},
	{"ID that begins with a digit", "<a ID='1'/>", ErrBadID},
	{"ID with a space", "<a ID='a '/>", ErrBadID},
	{"ID of 257 characters", "<a ID='" + strings.Repeat("x", 257) + "'/>", ErrBadID},
}

func numbered(n int, format string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, format, i)
	}
	return b.String()
}

func TestGateRefuses(t *testing.T) {
	for _, a := range attacks {
		t.Run(a.name, func(t *testing.T) {
			if _, err := Read([]byte(a.doc), MessageLimits); !errors.Is(err, a.want) {
				t.Errorf("got %v, want %v", err, a.want)
			}
			// The parser behind the scanner must not be what refuses.
			if err := scanOnly(a.doc); err == nil && a.want != ErrBadID && a.want != ErrDuplicateID {
				t.Error("the scanner lets it through")
			}
		})
	}
}

func scanOnly(doc string) error {
	s, err := newScanner([]byte(doc), MessageLimits, new(tokens))
	if err != nil {
		return err
	}
	return s.run()
}

// Every limit is met exactly by a document that passes, and passed by one more.
func TestLimitsAreExact(t *testing.T) {
	limits := Limits{Bytes: 60, Depth: 2, Elements: 3, Attributes: 2, Namespaces: 2, Tokens: 8, AttributeBytes: 5, Comments: true}
	for _, c := range []struct {
		name, at, beyond string
		want             error
	}{
		{"bytes", "<a>" + strings.Repeat(" ", 53) + "</a>", "<a>" + strings.Repeat(" ", 54) + "</a>", ErrTooLarge},
		{"depth", "<a><b/></a>", "<a><b><c/></b></a>", ErrTooDeep},
		{"elements", "<a><b/><b/></a>", "<a><b/><b/><b/></a>", ErrTooMany},
		{"attributes", "<a b='' c=''/>", "<a b='' c='' d=''/>", ErrTooMany},
		{"namespaces", "<a xmlns='u:x'><b xmlns='u:x'/></a>", "<a xmlns='u:x'><b xmlns='u:x' xmlns:c='u:y'/></a>", ErrTooMany},
		{"tokens of text", "<a> <b> </b><b/></a>", "<a> <b> </b> <b/></a>", ErrTooMany},
		{"tokens of attributes", "<a b='' c=''><b b=''/> </a>", "<a b='' c=''><b b='' c=''/> </a>", ErrTooMany},
		{"tokens of comments", "<a><!----><b/><!----><b/></a>", "<a><!----><b/><!----><b/><!----></a>", ErrTooMany},
		{"tokens of empty elements", "<a><b/><b/><!----><!----></a>", "<a><b/> <b/><!----><!----></a>", ErrTooMany},
		{"attribute bytes", "<a b='12345'/>", "<a b='123456'/>", ErrLongAttribute},
	} {
		if _, err := Read([]byte(c.at), limits); err != nil {
			t.Errorf("%s at the limit: %v", c.name, err)
		}
		if _, err := Read([]byte(c.beyond), limits); !errors.Is(err, c.want) {
			t.Errorf("%s beyond the limit: got %v, want %v", c.name, err, c.want)
		}
	}
}

// What honest peers and people send passes, and says what it says.
func TestGateAccepts(t *testing.T) {
	for name, doc := range map[string]string{
		"declaration":             "<?xml version=\"1.0\" encoding=\"utf-8\" standalone='yes' ?>\n<a>v</a>\n",
		"byte order mark":         "\uFEFF<?xml version='1.0'?><a>v</a>",
		"references":              "<a>&#118;</a>",
		"hexadecimal reference":   "<a>&#x76;</a>",
		"space in tags":           "<a\n\tb = 'x'\r\n>v</a >",
		"comments in a document":  "<!--> a --><a><!-- \"' -->v<!-- > --></a><!---->",
		"undeclared default":      "<a xmlns=''>v</a>",
		"IDs of two kinds":        "<a ID='x' xml:id='y'>v</a>",
		"names like ID":           "<a I='1' IDs='1' ad='1' is='1'>v</a>",
		"scheme with a plus":      "<a xmlns:p='a+b:x'>v</a>",
		"names like xmlns":        "<a xmlns:other='u:x' xmlnsb='1' other:b='1' local='1'>v</a>",
		"empty value around":      "<a b=''>v</a>",
		"quotes within quotes":    `<a b='"' c="'">v</a>`,
		"characters beyond ASCII": "<a b='é\U0001F600'>v</a>",
	} {
		d, err := Read([]byte(doc), DocumentLimits)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := d.Unverified(); got.Name.Local != "a" || got.Text != "v" {
			t.Errorf("%s: got %s %q", name, got.Name, got.Text)
		}
	}
}

// encoding/xml leaves line breaks in attribute values alone. XML does not, and nor
// did the peer that signed them: schemaLocation is often broken over lines.
func TestAttributeValuesAreNormalized(t *testing.T) {
	d, err := Read([]byte("<a b='1\n2\t3\r\n4\r5&#10;6' c=\"it's\n\"><!-- '\n -->\n'\n</a>"), DocumentLimits)
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := d.Unverified().Attr("b"); got != "1 2 3 4 5\n6" {
		t.Errorf("got %q", got)
	}
	if got, _ := d.Unverified().Attr("c"); got != "it's " {
		t.Errorf("got %q", got)
	}
	if got := d.Unverified().Text; got != "\n'\n" {
		t.Errorf("text: got %q", got)
	}
}

// Even where comments may occur they must be comments.
func TestBrokenCommentsAreRefused(t *testing.T) {
	for _, doc := range []string{"<a><!-- -- --></a>", "<a><!-- ", "<a><!--->", "<a><!---></a>", "<a><!-- --->"} {
		if _, err := Read([]byte(doc), DocumentLimits); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: got %v, want %v", doc, err, ErrMalformed)
		}
	}
}

// A comment in a document hides nothing: the value is what stands around it.
func TestCommentDoesNotCutAValue(t *testing.T) {
	d, err := Read([]byte("<a>victim<!-- -->.evil</a>"), DocumentLimits)
	if err != nil {
		t.Fatal(err)
	}
	if got := d.Unverified().Text; got != "victim.evil" {
		t.Errorf("got %q", got)
	}
}

// A peer may sign a message as large as the limits allow, with as many namespaces.
func TestWorstSignedMessageIsBounded(t *testing.T) {
	e := query(mustSign(t, someone(t, "authenticator"), assertion("alice")))
	for range 850 {
		e.add(E("saml:Audience", "x"))
	}
	doc := string(envelop(mustSign(t, someone(t, "broker"), e)).Bytes())
	doc = strings.Replace(doc, "<soap:Envelope", "<soap:Envelope"+numbered(55, " xmlns:n%d='u:x'"), 1)
	costAtMost(t, []byte(doc), 32<<20)
}

// costAtMost verifies an honest document with each engine and looks at what that
// allocated. (What it takes in time stands in the benchmarks.)
func costAtMost(t *testing.T, doc []byte, bytes uint64) {
	t.Helper()
	for _, engine := range []Engine{Fast, Reference} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		d := mustRead(t, doc)
		if _, err := (Verifier{Engine: engine}).Verify(d, noon, places(t)...); err != nil {
			t.Fatalf("%v: the padding should not matter: %v", engine, err)
		}
		d.Release()
		runtime.ReadMemStats(&after)
		if got := after.TotalAlloc - before.TotalAlloc; got > bytes {
			t.Errorf("%v: %d bytes allocated for a message of %d", engine, got, len(doc))
		}
	}
}

// The worst documents that strangers can make of a message they have seen stay cheap: 16 MiB.
func TestWorstDocumentsAreCheap(t *testing.T) {
	signed := string(honestQuery(t))
	inflated := func(inside string) string { // whatever the signature does not cover
		return strings.Replace(signed, "<soap:Body>", "<soap:Header>"+inside+"</soap:Header><soap:Body>", 1)
	}
	declared := func(on string) string { // unused namespaces are not covered either
		return strings.ReplaceAll(signed, on, on+numbered(50, " xmlns:n%d='u:x'"))
	}
	for name, doc := range map[string]string{
		"many elements":    inflated(strings.Repeat("<a> </a> ", 800)),
		"many attributes":  inflated(strings.Repeat("<a"+numbered(60, " a%d=''")+"/>", 80)),
		"deep":             inflated(strings.Repeat(strings.Repeat("<a>", 60)+strings.Repeat("</a>", 60), 13)),
		"declared outside": declared("<soap:Envelope"),
		"declared inside":  declared("<saml:AttributeValue"),
		"references":       inflated("<a>" + strings.Repeat("&#65;", 50000) + "</a>"),
	} {
		t.Run(name, func(t *testing.T) {
			costAtMost(t, []byte(doc), 16<<20)
		})
	}
}
