package xmlsec

import (
	"fmt"

	"github.com/beevik/etree"
)

// Document is a document that passed the gate. It is not changed after Read, so
// any number of goroutines may use it.
type Document struct {
	root *Node
}

// Read is the gate: everything that can be refused before a tree exists is
// refused here, then the one tree is built that everything else looks at. The
// error tells which defence refused.
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
	s, err := newScanner(doc, limits)
	if err != nil {
		return nil, err
	}
	if err := s.run(); err != nil {
		return nil, err
	}
	if s.untidy {
		doc = tidy(doc)
	}
	tree := etree.NewDocument()
	tree.ReadSettings.MaxDepth = limits.Depth
	if err := tree.ReadFromBytes(doc); err != nil {
		return nil, fmt.Errorf("%w: %v", ErrMalformed, err)
	}
	d := &Document{root: newNode(tree.Root(), s.elements)}
	return d, uniqueIDs(d.root)
}

// Unverified shows the document before anything is known to be true: to see which
// kind of message it is and whose keys to look up. Nothing may be decided on it,
// and Open refuses its nodes.
func (d *Document) Unverified() *Node { return d.root }
