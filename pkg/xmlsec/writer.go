package xmlsec

import (
	"fmt"
	"slices"
	"strings"
	"sync"
)

// Tag is the start of an element that is written often, compiled once: its name, and its
// attributes in the order of the canonical form. It is only read.
type Tag struct {
	name       string
	declared   declaration   // of the name's prefix
	others     []declaration // of the attributes' prefixes
	attributes []tagAttribute
}

// tagAttribute is an attribute's literal, up to the quote, and which of the values given
// to Open is its value.
type tagAttribute struct {
	literal string
	value   int
	order   Attribute
}

// NewTag compiles a tag. Names are those of E and A.
func NewTag(name string, attributes ...string) *Tag {
	e := E(name)
	t := &Tag{name: name, declared: declaration{e.prefix, e.space}}
	for i, attribute := range attributes {
		a := A(attribute, "")
		e.addAttribute(a) // panics if it is there already
		if a.prefix != "" {
			t.others = append(t.others, declaration{a.prefix, a.space})
		}
		t.attributes = append(t.attributes, tagAttribute{" " + attribute + `="`, i, a})
	}
	slices.SortFunc(t.attributes, func(a, b tagAttribute) int { return inCanonicalOrder(a.order, b.order) })
	return t
}

// Writer writes one element in canonical form, from the outside to the inside, without
// building a tree: for what is written once for every question. It is used by one
// goroutine, for one element.
type Writer struct {
	writer
	open     []opened
	root     *Tag
	values   []string // of the root's attributes
	declared []string // prefixes declared on the root though no name uses them
	inside   int      // where the root's content begins
	issuer   int      // where its saml:Issuer ends, or inside
	prefix   []string // prefixes declared inside
}

// opened is an element that is not closed yet.
type opened struct {
	tag   *Tag
	scope int // how many declarations stand around it
}

var writers = sync.Pool{New: func() any { return new(Writer) }}

// NewWriter starts an element: its tag, the prefixes that it declares although no name uses
// them (see Element.Declare), and the values of its attributes. The Writer must be ended
// with Sign or Element.
func NewWriter(root *Tag, declared []string, values ...string) *Writer {
	w := writers.Get().(*Writer)
	w.root, w.declared, w.values = root, declared, append(w.values[:0], values...)
	w.begin(root, declared, values)
	w.inside = len(w.out)
	w.issuer = w.inside
	return w
}

// Open starts an element inside. The values are those of its attributes, in the order in
// which they were named to NewTag.
func (w *Writer) Open(t *Tag, values ...string) {
	outside := len(w.scope)
	w.begin(t, nil, values)
	for _, d := range w.scope[outside:] {
		w.prefix = append(w.prefix, d.prefix)
	}
}

func (w *Writer) begin(t *Tag, declared, values []string) {
	if len(values) != len(t.attributes) {
		panic(fmt.Sprintf("xmlsec: %s has %d attributes and is given %d", t.name, len(t.attributes), len(values)))
	}
	w.open = append(w.open, opened{t, len(w.scope)})
	w.out = append(append(w.out, '<'), t.name...)
	from := len(w.scope)
	w.need(t.declared)
	for _, d := range t.others {
		w.need(d)
	}
	for _, prefix := range declared {
		w.need(declaration{prefix, spaceOf(prefix)})
	}
	w.declare(from)
	for i := range t.attributes {
		a := &t.attributes[i]
		w.out = append(w.out, a.literal...)
		w.out = appendEscaped(w.out, expressible(values[a.value]), valueEscapes)
		w.out = append(w.out, '"')
	}
	w.out = append(w.out, '>')
}

// Text writes character data.
func (w *Writer) Text(text string) {
	w.out = appendEscaped(w.out, expressible(text), textEscapes)
}

// Close ends the innermost element.
func (w *Writer) Close() {
	last := w.open[len(w.open)-1]
	w.open = w.open[:len(w.open)-1]
	w.out = append(append(append(w.out, "</"...), last.tag.name...), '>')
	w.scope = w.scope[:last.scope]
	w.note(last.tag.name == "saml:Issuer")
}

// note remembers where the root's issuer ends: its signature belongs there.
func (w *Writer) note(issuer bool) {
	if issuer && len(w.open) == 1 && w.issuer == w.inside {
		w.issuer = len(w.out)
	}
}

// Leaf writes an element that holds text.
func (w *Writer) Leaf(t *Tag, text string, values ...string) {
	w.Open(t, values...)
	w.Text(text)
	w.Close()
}

// Add writes an element that was made elsewhere; nil is nothing.
func (w *Writer) Add(e *Element) {
	if e == nil {
		return
	}
	e.eachDeclaration(func(d declaration) {
		if !w.has(d) {
			w.prefix = append(w.prefix, d.prefix)
		}
	})
	w.element(e)
	w.note(e.prefix == "saml" && e.local == "Issuer")
}

// Element ends the writing and returns what was written.
func (w *Writer) Element() *Element {
	w.Close()
	e := w.finish()
	w.release()
	return e
}

// Sign ends the writing, and puts the signature where Signer.Sign puts it. The errors are
// those of Signer.Sign, and ErrUnsignable also for what was added with declarations that
// no name uses and the root does not have: they are no part of the canonical form, which
// is what a Writer writes. A root that declares ds or ec itself panics.
func (w *Writer) Sign(s Signer) (*Element, error) {
	defer w.release()
	if w.has(declaration{"ds", spaceDS}) || w.has(declaration{"ec", spaceC14n}) {
		panic(fmt.Sprintf("xmlsec: %s cannot be signed by a Writer", w.root.name))
	}
	id := w.value("ID")
	if !isNCName(id) || len(id) > longestID {
		return nil, fmt.Errorf("%w: it has no usable ID", ErrUnsignable)
	}
	if w.unused {
		return nil, fmt.Errorf("%w: what was added declares prefixes that no name uses", ErrUnsignable)
	}
	w.Close()
	signature, err := s.signature(id, w.declared, w.out)
	if err != nil {
		return nil, err
	}
	w.out = slices.Insert(w.out, w.issuer, signature...)
	w.prefix = append(w.prefix, "ds", "ec")
	return w.finish(), nil
}

// value returns the value of one of the root's attributes.
func (w *Writer) value(local string) string {
	for _, a := range w.root.attributes {
		if a.order.prefix == "" && a.order.local == local {
			return w.values[a.value]
		}
	}
	return ""
}

// finish makes an Element of what was written: its start tag apart, since what it declares
// depends on where it is placed.
func (w *Writer) finish() *Element {
	prefix, local, _ := strings.Cut(w.root.name, ":")
	e := &Element{prefix: prefix, local: local, space: w.root.declared.space}
	e.Declare(w.declared...)
	e.attributes = make([]Attribute, 0, len(w.root.attributes))
	for _, a := range w.root.attributes {
		a.order.value = w.values[a.value]
		e.attributes = append(e.attributes, a.order)
	}
	slices.Sort(w.prefix)
	e.written = &written{rest: slices.Clone(w.out[w.inside:]), prefixes: slices.Clone(slices.Compact(w.prefix))}
	return e
}

func (w *Writer) release() {
	if cap(w.out) > pooledBuffer {
		return
	}
	clear(w.values)
	*w = Writer{writer: writer{out: w.out[:0], scope: w.scope[:0]}, open: w.open[:0], values: w.values[:0], prefix: w.prefix[:0]}
	writers.Put(w)
}

// written is all of an element after its start tag, in canonical form, for every place
// where none of these prefixes is declared around it.
type written struct {
	rest     []byte
	prefixes []string
}

// fits says whether the bytes are canonical in a scope.
func (b *written) fits(scope []declaration) bool {
	for _, d := range scope {
		if slices.Contains(b.prefixes, d.prefix) {
			return false
		}
	}
	return true
}

// tree is a written element as one that can be placed anywhere.
func (e *Element) tree() *Element {
	tree, err := Restore(e.Bytes())
	if err != nil {
		panic(fmt.Sprintf("xmlsec: we do not read what we wrote: %v", err))
	}
	return tree
}

// Restore gives back an element that we wrote ourselves, with Bytes, and kept where nobody
// else can write: its signature is not looked at. The error is the gate's.
func Restore(written []byte) (*Element, error) {
	d, err := Read(written, DocumentLimits)
	if err != nil {
		return nil, err
	}
	defer d.Release()
	return d.quote(0), nil
}

// eachDeclaration visits every declaration that the element and those in it may need.
func (e *Element) eachDeclaration(visit func(declaration)) {
	visit(declaration{e.prefix, e.space})
	for _, a := range e.attributes {
		if a.prefix != "" {
			visit(declaration{a.prefix, a.space})
		}
	}
	for _, d := range e.declared {
		visit(d)
	}
	if e.written != nil {
		for _, prefix := range e.written.prefixes {
			visit(declaration{prefix, spaceOf(prefix)})
		}
	}
	for _, c := range e.content {
		if c.element != nil {
			c.element.eachDeclaration(visit)
		}
	}
}
