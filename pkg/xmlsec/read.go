package xmlsec

import "sync"

// Document is a document that passed the gate. It is not changed after Read, so
// any number of goroutines may use it.
//
// It looks into the bytes it was read from, which must not be changed while it is in use.
// What it gives away (nodes, a Verified) are copies and may be kept.
type Document struct {
	doc      []byte
	limits   Limits
	tokens   *tokens
	comments bool

	// Made when first asked for.
	unverified struct {
		sync.Once
		root *Node
	}
	parsed struct {
		sync.Once
		root *Node // the reference engine's tree
		err  error
	}
}

// Read is the gate: everything that can be refused before anything is known of who sent
// it is refused here. The error tells which defence refused.
//
// A document is UTF-8 (a leading byte order mark is accepted and dropped, as
// editors write one into metadata), has at most the XML declaration before its
// one root, no DTD, CDATA or other instruction, names without stray colons,
// absolute namespaces, no attribute twice, no text beside elements, and no two
// elements with one ID.
func Read(doc []byte, limits Limits) (*Document, error) {
	if len(doc) > 3 && string(doc[:3]) == "\uFEFF" {
		doc = doc[3:]
	}
	d := &Document{doc: doc, limits: limits, tokens: newTokens()}
	if err := d.scan(); err != nil {
		d.tokens.release()
		return nil, err
	}
	return d, nil
}

func (d *Document) scan() error {
	s, err := newScanner(d.doc, d.limits, d.tokens)
	if err != nil {
		return err
	}
	if err := s.run(); err != nil {
		return err
	}
	d.comments = s.comments
	return d.tokens.uniqueIDs(d.doc)
}

// Unverified shows the document before anything is known to be true: to see which
// kind of message it is and whose keys to look up. Nothing may be decided on it,
// and Open refuses its nodes.
func (d *Document) Unverified() *Node {
	d.mustBeHeld()
	d.unverified.Do(func() { d.unverified.root = reading{doc: d.doc, tokens: d.tokens, skip: noElement}.read(0) })
	return d.unverified.root
}

// Outline is Unverified for those who need no more than the first levels of elements, the
// root being one: what lies deeper is left out.
func (d *Document) Outline(levels int) *Node {
	d.mustBeHeld()
	return reading{doc: d.doc, tokens: d.tokens, skip: noElement, levels: levels}.read(0)
}

// Release lets the next document have the memory of this one. It is called when nobody
// uses the document any more: whoever does so after it panics. Nodes and Verifieds are
// copies and stay, but Quote needs the document, unless the reference engine verified it.
// Without Release the garbage collector does the same, later.
func (d *Document) Release() {
	if d.tokens != nil {
		d.tokens.release()
		d.tokens, d.doc = nil, nil
	}
}

// mustBeHeld panics after Release: the memory is another document's by then.
func (d *Document) mustBeHeld() {
	if d.tokens == nil {
		panic("xmlsec: the document was released")
	}
}
