package xmlsec

import (
	"cmp"
	"slices"
	"strings"
	"unicode/utf8"
)

// Bytes writes the element as a document, in exclusive canonical form: written so,
// the text is its own canonical form, and what is digested is what is sent.
// Exclusive XML Canonicalization 1.0, section 3, and Canonical XML 1.0, section 2.3.
func (e *Element) Bytes() []byte {
	return e.canonical(nil)
}

// canonical writes the exclusive canonical form of the element. A prefix that is
// declared though no name uses it is written if it is listed; nil lists all.
func (e *Element) canonical(listed []string) []byte {
	w := &writer{listed: listed, out: make([]byte, 0, e.room())}
	w.element(e)
	return w.out
}

// room is about as much as the element takes when it is written.
func (e *Element) room() int {
	room := 256
	if e.written != nil {
		room += len(e.written.rest)
	}
	for _, c := range e.content {
		room += len(c.text)
		if c.element != nil {
			room += c.element.room()
		}
	}
	return room
}

// writer writes canonical XML. scope holds the declarations written on the elements
// around the current one.
type writer struct {
	out    []byte
	scope  []declaration
	listed []string // of the declarations that no name uses, those to write; nil: all
	unused bool     // one was written that is not in scope around it
}

func (w *writer) element(e *Element) {
	if e.written != nil && !e.written.fits(w.scope) {
		e = e.tree()
	}
	outside := len(w.scope)
	w.out = append(w.out, '<')
	w.name(e.prefix, e.local)
	w.declarations(e)
	w.attributes(e)
	w.out = append(w.out, '>')
	if e.written != nil {
		w.out = append(w.out, e.written.rest...)
		w.scope = w.scope[:outside]
		return
	}
	for _, c := range e.content {
		if c.element != nil {
			w.element(c.element)
		} else {
			w.out = appendEscaped(w.out, expressible(c.text), textEscapes)
		}
	}
	w.out = append(w.out, "</"...)
	w.name(e.prefix, e.local)
	w.out = append(w.out, '>')
	w.scope = w.scope[:outside]
}

func (w *writer) name(prefix, local string) {
	if prefix != "" {
		w.out = append(w.out, prefix...)
		w.out = append(w.out, ':')
	}
	w.out = append(w.out, local...)
}

// declarations writes the namespaces the element needs and does not inherit,
// sorted by prefix.
func (w *writer) declarations(e *Element) {
	from := len(w.scope)
	w.need(declaration{e.prefix, e.space})
	for _, a := range e.attributes {
		if a.prefix != "" {
			w.need(declaration{a.prefix, a.space})
		}
	}
	for _, d := range e.declared {
		if w.has(d) || w.listed != nil && !slices.Contains(w.listed, d.prefix) {
			continue
		}
		w.unused = true
		w.need(d)
	}
	w.declare(from)
}

// declare writes the declarations that were put into scope from there on.
func (w *writer) declare(from int) {
	written := w.scope[from:]
	if len(written) > 1 {
		slices.SortFunc(written, func(a, b declaration) int { return cmp.Compare(a.prefix, b.prefix) })
	}
	for _, d := range written {
		w.out = append(w.out, " xmlns"...)
		if d.prefix != "" {
			w.out = append(w.out, ':')
			w.out = append(w.out, d.prefix...)
		}
		w.value(d.space)
	}
}

// need puts a declaration into scope unless it is there already.
func (w *writer) need(d declaration) {
	if !w.has(d) {
		w.scope = append(w.scope, d)
	}
}

// has says whether a declaration is in scope, or need not be.
func (w *writer) has(d declaration) bool {
	if d.prefix == "xml" {
		return true
	}
	for i := len(w.scope) - 1; i >= 0; i-- {
		if w.scope[i].prefix == d.prefix {
			return w.scope[i].space == d.space
		}
	}
	return d.prefix == "" && d.space == ""
}

// attributes writes the attributes sorted by namespace, then by local name; those
// without a namespace come first.
func (w *writer) attributes(e *Element) {
	sorted := e.attributes
	if !slices.IsSortedFunc(sorted, inCanonicalOrder) {
		sorted = slices.SortedFunc(slices.Values(sorted), inCanonicalOrder)
	}
	for _, a := range sorted {
		w.out = append(w.out, ' ')
		w.name(a.prefix, a.local)
		w.value(a.value)
	}
}

func inCanonicalOrder(a, b Attribute) int {
	return cmp.Or(cmp.Compare(a.space, b.space), cmp.Compare(a.local, b.local))
}

func (w *writer) value(v string) {
	w.out = append(w.out, '=', '"')
	w.out = appendEscaped(w.out, expressible(v), valueEscapes)
	w.out = append(w.out, '"')
}

// What must be escaped in text and in attribute values, and how: Canonical XML
// 1.0, section 2.3. Exactly these, exactly so.
var (
	textEscapes  = escapes(map[byte]string{'&': "&amp;", '<': "&lt;", '>': "&gt;", '\r': "&#xD;"})
	valueEscapes = escapes(map[byte]string{'&': "&amp;", '<': "&lt;", '"': "&quot;", '\t': "&#x9;", '\n': "&#xA;", '\r': "&#xD;"})
)

// escapes fills a table for ASCII; what XML cannot express becomes U+FFFD.
func escapes(of map[byte]string) *[utf8.RuneSelf]string {
	var table [utf8.RuneSelf]string
	for b := range table {
		if !validChar(rune(b)) {
			table[b] = "\uFFFD"
		}
	}
	for b, escape := range of {
		table[b] = escape
	}
	return &table
}

// appendEscaped appends text as it is written, escapes for what stands in the table.
func appendEscaped[T string | []byte](out []byte, text T, table *[utf8.RuneSelf]string) []byte {
	done := 0
	for i := 0; i < len(text); i++ {
		if text[i] >= utf8.RuneSelf || table[text[i]] == "" {
			continue
		}
		out = append(out, text[done:i]...)
		out = append(out, table[text[i]]...)
		done = i + 1
	}
	return append(out, text[done:]...)
}

// expressible replaces what is not UTF-8, and the two non-characters XML excludes.
func expressible(text string) string {
	text = strings.ToValidUTF8(text, "\uFFFD")
	if strings.Contains(text, "\xEF\xBF") {
		text = nonCharacters.Replace(text)
	}
	return text
}

var nonCharacters = strings.NewReplacer("\uFFFE", "\uFFFD", "\uFFFF", "\uFFFD")
