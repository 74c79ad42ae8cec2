package xmlsec

import (
	"bytes"
	"crypto/sha256"
	"hash"
	"slices"
	"sync"
)

// canonicalizer writes the exclusive canonical form of an element of a document, in one
// pass over its tokens, and digests it: Exclusive XML Canonicalization 1.0, section 3,
// without comments, with a prefix list. (The form of what we write ourselves is Element's
// affair.)
type canonicalizer struct {
	doc    []byte
	tokens *tokens
	listed []string // the prefix list
	skip   int32    // the element that is left out with all it holds, or noElement

	rendered []int32 // declarations written on the elements around here
	root     int32   // where it began
	reason   string  // why the result must not be believed, or empty

	out     []byte
	scratch []byte
	hash    hash.Hash // takes what is written piece by piece
	sum     [sha256.Size]byte
}

const noElement = -1

// flushAt is how much is written before it is digested: a catalogue needs no second copy
// of itself.
const flushAt = 16 << 10

// pooledBuffer is the largest buffer that goes back into the pool.
const pooledBuffer = 128 << 10

var canonicalizers = sync.Pool{New: func() any { return &canonicalizer{hash: sha256.New()} }}

// digest returns the SHA-256 of the canonical form of an element, without the element
// skip in it. The reason tells why the form must not be believed, or is empty.
func digest(doc []byte, t *tokens, i, skip int32, listed []string) (sum [sha256.Size]byte, reason string) {
	c := canonicalizers.Get().(*canonicalizer)
	c.hash.Reset()
	c.begin(doc, t, i, skip, listed)
	c.flush()
	sum, reason = [sha256.Size]byte(c.hash.Sum(c.sum[:0])), c.reason
	c.release()
	return sum, reason
}

// begin writes the element.
func (c *canonicalizer) begin(doc []byte, t *tokens, i, skip int32, listed []string) {
	c.doc, c.tokens, c.listed, c.skip = doc, t, listed, skip
	c.root, c.reason = i, ""
	c.element(i)
}

// poolable says whether the canonicalizer is small enough for the pool.
func (c *canonicalizer) poolable() bool {
	return cap(c.out) <= pooledBuffer && cap(c.scratch) <= pooledBuffer
}

// release puts the canonicalizer back into the pool, without what it looked at.
func (c *canonicalizer) release() {
	if !c.poolable() {
		return
	}
	c.doc, c.tokens, c.listed = nil, nil, nil
	c.out, c.scratch, c.rendered = c.out[:0], c.scratch[:0], c.rendered[:0]
	canonicalizers.Put(c)
}

func (c *canonicalizer) flush() {
	c.hash.Write(c.out)
	c.out = c.out[:0]
}

func (c *canonicalizer) element(i int32) {
	e, outside := &c.tokens.elements[i], len(c.rendered)
	name := e.fullName(c.doc)
	c.out = append(c.out, '<')
	c.out = append(c.out, name...)
	c.declarations(i)
	c.attributes(i)
	c.out = append(c.out, '>')
	c.content(i)
	c.out = append(c.out, '<', '/')
	c.out = append(c.out, name...)
	c.out = append(c.out, '>')
	c.rendered = c.rendered[:outside]
	if len(c.out) >= flushAt {
		c.flush()
	}
}

func (c *canonicalizer) content(i int32) {
	e := &c.tokens.elements[i]
	from := e.inside
	for child := i + 1; child < e.next; {
		inner := &c.tokens.elements[child]
		c.text(c.doc[from:inner.start], e.text)
		if child != c.skip {
			c.element(child)
		}
		from, child = inner.end, inner.next
	}
	c.text(c.doc[from:e.close], e.text)
}

// text writes a run of character data.
func (c *canonicalizer) text(run []byte, is class) {
	if is&(oddText|classGreater) == 0 {
		c.out = append(c.out, run...)
		return
	}
	c.scratch = appendText(c.scratch[:0], run, is)
	c.out = appendEscaped(c.out, c.scratch, textEscapes)
}

// declarations writes the namespaces that the element's names and the prefix list need,
// and that are not written around it with the same meaning; sorted by prefix.
func (c *canonicalizer) declarations(i int32) {
	from := len(c.rendered)
	e := &c.tokens.elements[i]
	c.need(e.space)
	attrs := c.tokens.attrsOf(i)
	for j := range attrs {
		if attrs[j].prefixed() {
			c.need(attrs[j].space)
		}
	}
	if len(c.listed) > 0 {
		c.needListed(i)
	}
	written := c.rendered[from:]
	if len(written) > 1 {
		slices.SortFunc(written, func(a, b int32) int {
			return bytes.Compare(c.tokens.bindings[a].prefixIn(c.doc), c.tokens.bindings[b].prefixIn(c.doc))
		})
	}
	for _, b := range written {
		c.declaration(&c.tokens.bindings[b])
	}
}

func (c *canonicalizer) declaration(b *binding) {
	c.out = append(c.out, " xmlns"...)
	if prefix := b.prefixIn(c.doc); len(prefix) > 0 {
		c.out = append(c.out, ':')
		c.out = append(c.out, prefix...)
	}
	c.out = append(c.out, '=', '"')
	c.out = append(c.out, b.uriIn(c.doc)...) // the gate leaves nothing in it to escape
	c.out = append(c.out, '"')
}

// needListed takes up the listed prefixes: at the root all that are in scope, further
// inside those declared anew.
func (c *canonicalizer) needListed(i int32) {
	if i == c.root {
		for _, prefix := range c.listed {
			c.need(c.tokens.lookup(c.doc, i, prefix))
		}
		return
	}
	from, to := c.tokens.bindingsOf(i)
	for b := from; b < to; b++ {
		if slices.Contains(c.listed, string(c.tokens.bindings[b].prefixIn(c.doc))) {
			c.need(b)
		}
	}
}

// need puts a declaration among the rendered ones unless it is there already.
func (c *canonicalizer) need(b int32) {
	if b < 0 {
		return // none, or that of xml, which is never written
	}
	wanted := &c.tokens.bindings[b]
	prefix := wanted.prefixIn(c.doc)
	for j := len(c.rendered) - 1; j >= 0; j-- {
		if c.rendered[j] == b {
			return
		}
		around := &c.tokens.bindings[c.rendered[j]]
		if bytes.Equal(around.prefixIn(c.doc), prefix) {
			if !bytes.Equal(around.uriIn(c.doc), wanted.uriIn(c.doc)) {
				c.rendered = append(c.rendered, b)
			}
			return
		}
	}
	if wanted.uri == wanted.uriEnd {
		c.undeclared(b)
		return
	}
	c.rendered = append(c.rendered, b)
}

// undeclared judges xmlns="" where no default namespace is written around: nothing is
// written then. The reference engine writes it all the same, if it stands inside.
func (c *canonicalizer) undeclared(b int32) {
	if _, end := c.tokens.bindingsOf(c.root); b >= end {
		c.reason = "a default namespace is undeclared where none is"
	}
}

// attributes writes the attributes, which are in canonical order. The reference engine
// orders those with prefixes by local name alone.
func (c *canonicalizer) attributes(i int32) {
	attrs := c.tokens.attrsOf(i)
	for j := range attrs {
		a := &attrs[j]
		if j > 0 && attrs[j-1].prefixed() && bytes.Compare(attrs[j-1].localName(c.doc), a.localName(c.doc)) >= 0 {
			c.reason = "attributes of several namespaces"
		}
		c.out = append(c.out, ' ')
		c.out = append(c.out, a.fullName(c.doc)...)
		c.out = append(c.out, '=', '"')
		if a.text&(oddValue|classQuote) == 0 {
			c.out = append(c.out, a.raw(c.doc)...)
		} else {
			c.scratch = a.appendValue(c.scratch[:0], c.doc)
			c.out = appendEscaped(c.out, c.scratch, valueEscapes)
		}
		c.out = append(c.out, '"')
	}
}
