package explain

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"

	"github.com/mandated/mandated/internal/look"
)

// What is explained is read twice. Package xmlsec lets nothing through that is not exactly
// as it should be, and judges signatures. Here everything is read that can be read, with the
// prefixes it has, to be shown: what stands before the mistake is what an integrator wants
// to see.

// Bounds of what is shown. Messages that anybody would accept are far smaller.
const (
	largestDocument = 1 << 20
	mostElements    = 4000
	deepest         = 80
)

// element is an element as it is written.
type element struct {
	prefix, local, space string
	attrs                []attr
	scope                map[string]string // namespaces declared here, by prefix; nil: none
	parent               *element
	children             []*element
	text                 []byte
}

type attr struct{ prefix, local, value string }

// name is how it is written.
func (e *element) name() string { return qualified(e.prefix, e.local) }

func qualified(prefix, local string) string {
	if prefix == "" {
		return local
	}
	return prefix + ":" + local
}

// attr is the value of an attribute without a namespace.
func (e *element) attr(local string) string {
	for _, a := range e.attrs {
		if a.prefix == "" && a.local == local {
			return a.value
		}
	}
	return ""
}

// value is the text without the space around it.
func (e *element) value() string { return strings.TrimSpace(string(e.text)) }

// is tells whether it has one of the local names, in a namespace that we know.
func (e *element) is(locals ...string) bool {
	if e == nil || !knownSpaces[e.space] {
		return false
	}
	for _, l := range locals {
		if e.local == l {
			return true
		}
	}
	return false
}

// child is the first child of that name, or nil.
func (e *element) child(local string) *element {
	if e == nil {
		return nil
	}
	for _, c := range e.children {
		if c.is(local) {
			return c
		}
	}
	return nil
}

// each visits the element and all in it, in document order.
func (e *element) each(visit func(*element)) {
	if e == nil {
		return
	}
	visit(e)
	for _, c := range e.children {
		c.each(visit)
	}
}

// above is the nearest element around it, itself included, that has one of the names.
func (e *element) above(locals ...string) *element {
	for ; e != nil; e = e.parent {
		if e.is(locals...) {
			return e
		}
	}
	return nil
}

// lookup finds what a prefix means here.
func (e *element) lookup(prefix string) string {
	for ; e != nil; e = e.parent {
		if space, ok := e.scope[prefix]; ok {
			return space
		}
	}
	return ""
}

// treeReader builds elements out of tokens.
type treeReader struct {
	root, open *element
	depth      int
	elements   int
}

// readTree reads as much as there is, and tells why it stopped where it did.
func readTree(doc []byte) (*element, look.Text) {
	large := len(doc) > largestDocument
	if large {
		doc = doc[:largestDocument]
	}
	decoder := xml.NewDecoder(bytes.NewReader(bytes.TrimPrefix(doc, []byte("\uFEFF"))))
	decoder.CharsetReader = func(_ string, in io.Reader) (io.Reader, error) { return in, nil }
	r := &treeReader{}
	for {
		token, err := decoder.RawToken()
		if errors.Is(err, io.EOF) {
			return r.root, r.end(large)
		}
		if err != nil {
			return r.root, say("Hier houdt de XML op: er staat een fout in (%s). Wat ervoor staat, ziet u hieronder.",
				"The XML ends here: there is a mistake in it (%s). What stands before it is shown below.", cut(err.Error(), longestNote))
		}
		if trouble := r.take(token); !trouble.IsZero() {
			return r.root, trouble
		}
	}
}

// end tells what is missing at the end of the document.
func (r *treeReader) end(large bool) look.Text {
	switch {
	case large:
		return say("Dit bericht is veel te groot. U ziet alleen het begin.", "This message is far too large. You see only its beginning.")
	case r.root == nil:
		return say("Dit is geen XML: er staat geen element in.", "This is not XML: there is no element in it.")
	case r.open != nil:
		return say("Het bericht is afgebroken: <%s> wordt niet gesloten.", "The message was cut off: <%s> is not closed.", cut(r.open.name(), longestNote))
	}
	return look.Text{}
}

func (r *treeReader) take(token xml.Token) look.Text {
	switch token := token.(type) {
	case xml.StartElement:
		return r.start(token)
	case xml.EndElement:
		if r.open == nil || r.open.local != token.Name.Local || r.open.prefix != token.Name.Space {
			return say("De XML klopt niet: </%s> sluit iets wat niet open is.", "The XML is wrong: </%s> closes what is not open.",
				cut(qualified(token.Name.Space, token.Name.Local), longestNote))
		}
		r.open = r.open.parent
		r.depth--
	case xml.CharData:
		if r.open != nil {
			r.open.text = append(r.open.text, token...)
		}
	case xml.Directive:
		return say("Er staat een DOCTYPE of andere declaratie in het bericht. Dat mag niet: daarmee worden systemen aangevallen.",
			"There is a DOCTYPE or another declaration in the message. That is not allowed: it is a way to attack systems.")
	}
	return look.Text{}
}

func (r *treeReader) start(token xml.StartElement) look.Text {
	switch {
	case r.root != nil && r.open == nil:
		return say("Na het einde van het bericht komt nog iets.", "Something comes after the end of the message.")
	case r.elements == mostElements:
		return say("Het bericht heeft meer dan %d elementen. De rest ziet u niet.", "The message has more than %d elements. The rest is not shown.", mostElements)
	case r.depth == deepest:
		return say("De elementen staan meer dan %d diep in elkaar. De rest ziet u niet.", "The elements are nested more than %d deep. The rest is not shown.", deepest)
	}
	e := &element{prefix: token.Name.Space, local: token.Name.Local, parent: r.open}
	for _, a := range token.Attr {
		e.give(a)
	}
	e.space = e.lookup(e.prefix)
	if r.root == nil {
		r.root = e
	} else {
		r.open.children = append(r.open.children, e)
	}
	r.open = e
	r.depth++
	r.elements++
	return look.Text{}
}

// give adds an attribute, or a namespace that is declared.
func (e *element) give(a xml.Attr) {
	prefix, declares := a.Name.Local, a.Name.Space == "xmlns"
	if a.Name.Space == "" && a.Name.Local == "xmlns" {
		prefix, declares = "", true
	}
	if !declares {
		e.attrs = append(e.attrs, attr{a.Name.Space, a.Name.Local, a.Value})
		return
	}
	if e.scope == nil {
		e.scope = map[string]string{}
	}
	e.scope[prefix] = cut(a.Value, longestValue) // none that we know is as long
}

// Namespaces of what we read.
const (
	spaceSAML     = "urn:oasis:names:tc:SAML:2.0:assertion"
	spaceProtocol = "urn:oasis:names:tc:SAML:2.0:protocol"
	spaceDSig     = "http://www.w3.org/2000/09/xmldsig#"
	spaceSOAP     = "http://schemas.xmlsoap.org/soap/envelope/"
)

// knownSpaces are those whose elements we can explain, in every spelling that is in use.
var knownSpaces = map[string]bool{
	spaceSAML: true, spaceProtocol: true, spaceDSig: true, spaceSOAP: true,
	"http://www.w3.org/2001/10/xml-exc-c14n#":                          true,
	"http://www.w3.org/2001/04/xmlenc#":                                true,
	"http://www.w3.org/2009/xmlenc11#":                                 true,
	"urn:oasis:names:tc:SAML:2.0:metadata":                             true,
	"urn:etoegang:1.9:samlp-extension":                                 true,
	"urn:oasis:names:tc:xacml:2.0:context:schema:os":                   true,
	"urn:oasis:names:tc:xacml:2.0:policy:schema:os":                    true,
	"urn:oasis:xacml:2.0:saml:protocol:schema:os":                      true,
	"urn:oasis:names:tc:xacml:2.0:profile:saml2.0:v2:schema:protocol":  true,
	"urn:oasis:names:tc:xacml:2.0:saml:protocol:schema:os":             true,
	"urn:oasis:xacml:2.0:saml:assertion:schema:os":                     true,
	"urn:oasis:names:tc:xacml:2.0:profile:saml2.0:v2:schema:assertion": true,
	"urn:oasis:names:tc:xacml:2.0:saml:assertion:schema:os":            true,
}
