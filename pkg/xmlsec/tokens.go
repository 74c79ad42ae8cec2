package xmlsec

import (
	"bytes"
	"hash/maphash"
	"sync"
)

// tokens is what the scanner found in a document, as offsets into it: flat lists, so
// that a document costs no tree, and the same memory serves one document after another.
// It is filled by one scanner and only read afterwards.
type tokens struct {
	elements []element   // in document order: those inside an element follow it
	attrs    []attribute // of all elements; of one element in canonical order
	bindings []binding   // all namespace declarations, in document order
	ids      []int32     // the attributes that identify, in document order

	// What the scanner works with.
	open  []int32 // elements whose end tag has not come yet, from the root
	scope []int32 // bindings in scope, innermost last
	named map[uint64]struct{}
}

// element is an element as written. Offsets are into the document; the elements inside
// are those from the next one up to, not including, next.
type element struct {
	start          int32 // of the start tag
	local, nameEnd int32 // of the name; the prefix, if any, is from start+1 to local-1
	inside, close  int32 // what it holds; the end tag begins at close
	end            int32
	parent, next   int32 // the root's parent is -1; next may be the number of elements
	attrs          int32 // its first attribute; the last one stands before that of the next element
	bindings       int32 // its first namespace declaration, likewise
	space          int32 // the binding that its name uses, or noSpace or xmlBinding
	text           class // of the character data directly in it
	parented       bool  // holds elements
}

// attribute is an attribute as written, its value without the quotes. Namespace
// declarations are bindings instead.
type attribute struct {
	name, local, nameEnd int32
	value, valueEnd      int32
	space                int32
	text                 class
}

// binding is a namespace declaration; the default one has no prefix.
type binding struct{ prefix, prefixEnd, uri, uriEnd int32 }

// Names that no declaration in the document gives a meaning to.
const (
	noSpace    = -1
	xmlBinding = -2
)

// The room of tokens that go back into the pool: messages fit, catalogues are left to
// the garbage collector.
const (
	pooledElements   = 1 << 11
	pooledAttributes = 1 << 13
	pooledIDs        = 1 << 10
)

var tokensPool = sync.Pool{New: func() any { return new(tokens) }}

func newTokens() *tokens { return tokensPool.Get().(*tokens) }

// poolable says whether the tokens are small enough for the pool.
func (t *tokens) poolable() bool {
	return cap(t.elements) <= pooledElements && cap(t.attrs) <= pooledAttributes &&
		cap(t.bindings) <= pooledAttributes && len(t.named) <= pooledIDs
}

// release gives the tokens back. Nobody may look at them any more.
func (t *tokens) release() {
	if !t.poolable() {
		return
	}
	clear(t.named)
	*t = tokens{
		elements: t.elements[:0], attrs: t.attrs[:0], bindings: t.bindings[:0], ids: t.ids[:0],
		open: t.open[:0], scope: t.scope[:0], named: t.named,
	}
	tokensPool.Put(t)
}

// attrsOf returns the attributes of an element, in canonical order.
func (t *tokens) attrsOf(i int32) []attribute {
	end := int32(len(t.attrs))
	if int(i)+1 < len(t.elements) {
		end = t.elements[i+1].attrs
	}
	return t.attrs[t.elements[i].attrs:end]
}

// bindingsOf returns the numbers of the first declaration of an element and of the
// first after it.
func (t *tokens) bindingsOf(i int32) (from, to int32) {
	to = int32(len(t.bindings))
	if int(i)+1 < len(t.elements) {
		to = t.elements[i+1].bindings
	}
	return t.elements[i].bindings, to
}

// lookup finds what a prefix means at an element, going outwards.
func (t *tokens) lookup(doc []byte, i int32, prefix string) int32 {
	for ; i >= 0; i = t.elements[i].parent {
		from, to := t.bindingsOf(i)
		for b := from; b < to; b++ {
			if string(t.bindings[b].prefixIn(doc)) == prefix {
				return b
			}
		}
	}
	return noSpace
}

// space returns the namespace that a name with that binding is in.
func (t *tokens) space(doc []byte, binding int32) []byte {
	switch binding {
	case noSpace:
		return nil
	case xmlBinding:
		return xmlSpaceBytes
	}
	return t.bindings[binding].uriIn(doc)
}

// is reports whether an element has that name.
func (t *tokens) is(doc []byte, i int32, name *Name) bool {
	e := &t.elements[i]
	return string(doc[e.local:e.nameEnd]) == name.Local && string(t.space(doc, e.space)) == name.Space
}

func (b *binding) prefixIn(doc []byte) []byte { return doc[b.prefix:b.prefixEnd] }
func (b *binding) uriIn(doc []byte) []byte    { return doc[b.uri:b.uriEnd] }

func (e *element) fullName(doc []byte) []byte    { return doc[e.start+1 : e.nameEnd] }
func (a *attribute) fullName(doc []byte) []byte  { return doc[a.name:a.nameEnd] }
func (a *attribute) localName(doc []byte) []byte { return doc[a.local:a.nameEnd] }
func (a *attribute) raw(doc []byte) []byte       { return doc[a.value:a.valueEnd] }

func (a *attribute) prefixed() bool { return a.local > a.name }

// compare puts attributes into canonical order: by namespace, those without one first,
// then by local name (Canonical XML 1.0, section 2.3).
func (t *tokens) compare(doc []byte, a, b *attribute) int {
	if a.space != b.space {
		if order := bytes.Compare(t.space(doc, a.space), t.space(doc, b.space)); order != 0 {
			return order
		}
	}
	return bytes.Compare(a.localName(doc), b.localName(doc))
}

// idSeed makes the hashes of IDs unpredictable, so that nobody can choose two that meet.
var idSeed = maphash.MakeSeed()

// firstTime reports whether an ID has not been seen in this document before. Two IDs
// of the same 64-bit hash would count as one, which refuses and never accepts.
func (t *tokens) firstTime(id []byte) bool {
	if t.named == nil {
		t.named = make(map[uint64]struct{})
	}
	sum := maphash.Bytes(idSeed, id)
	_, seen := t.named[sum]
	t.named[sum] = struct{}{}
	return !seen
}
