package xmlsec

import (
	"strings"

	"github.com/beevik/etree"
)

// builder makes Nodes out of a tree, looking up prefixes on the way down.
type builder struct {
	scope    []declaration
	nodes    []Node // allocated together
	verified bool
}

// declaration is a namespace declaration in a tree; the default one has no prefix.
type declaration struct{ prefix, space string }

// newNode makes the unverified view of a tree of that many elements.
func newNode(root *etree.Element, elements int) *Node {
	b := builder{nodes: make([]Node, 0, elements)}
	return b.node(root, trail{})
}

// newVerified makes the view of a tree that verification returned. Elements that
// stand at another place, as the trail knows, are left bare.
func newVerified(root *etree.Element, t trail) *Node {
	b := builder{verified: true}
	return b.node(root, t)
}

func (b *builder) node(el *etree.Element, t trail) *Node {
	outside := len(b.scope)
	defer func() { b.scope = b.scope[:outside] }()
	b.declare(el)

	n := b.allocate()
	n.Name, n.verified = Name{b.lookup(el.Space), el.Tag}, b.verified
	if !b.verified {
		n.source = el
	}
	n.Attrs = b.attributes(el, len(el.Attr)-(len(b.scope)-outside))
	b.content(n, el, t)
	return n
}

func (b *builder) allocate() *Node {
	if len(b.nodes) == cap(b.nodes) {
		b.nodes = make([]Node, 0, 64)
	}
	b.nodes = b.nodes[:len(b.nodes)+1]
	return &b.nodes[len(b.nodes)-1]
}

// content fills in the children, or the text of an element that has none.
func (b *builder) content(n *Node, el *etree.Element, t trail) {
	var text []string
	for _, token := range el.Child {
		switch token := token.(type) {
		case *etree.Element:
			n.Children = append(n.Children, b.child(token, t))
		case *etree.CharData:
			text = append(text, token.Data)
		}
	}
	if len(n.Children) == 0 {
		n.Text = strings.Join(text, "")
	}
}

// child makes the node of a child, or a bare one if it stands at a place of its
// own: what it says is only to be read from its own Verified.
func (b *builder) child(el *etree.Element, t trail) *Node {
	if t.empty() {
		return b.node(el, t)
	}
	name := Name{b.peek(el), el.Tag}
	below := t.down(name)
	if below.place() != nil {
		bare := b.allocate()
		bare.Name, bare.verified = name, b.verified
		return bare
	}
	return b.node(el, below)
}

// declare takes up the namespace declarations of an element.
func (b *builder) declare(el *etree.Element) {
	for _, a := range el.Attr {
		if prefix, ok := declares(a); ok {
			b.scope = append(b.scope, declaration{prefix, a.Value})
		}
	}
}

// peek looks up the namespace of an element whose declarations are not in scope yet.
func (b *builder) peek(el *etree.Element) string {
	outside := len(b.scope)
	b.declare(el)
	space := b.lookup(el.Space)
	b.scope = b.scope[:outside]
	return space
}

func (b *builder) lookup(prefix string) string {
	if prefix == "xml" {
		return xmlSpace
	}
	for i := len(b.scope) - 1; i >= 0; i-- {
		if b.scope[i].prefix == prefix {
			return b.scope[i].space
		}
	}
	return ""
}

func (b *builder) attributes(el *etree.Element, count int) []Attr {
	if count == 0 {
		return nil
	}
	attrs := make([]Attr, 0, count)
	for _, a := range el.Attr {
		if _, ok := declares(a); ok {
			continue
		}
		name := Name{Local: a.Key}
		if a.Space != "" {
			name.Space = b.lookup(a.Space)
		}
		attrs = append(attrs, Attr{name, a.Value})
	}
	return attrs
}

// declares reports whether an attribute is a namespace declaration, and of which
// prefix.
func declares(a etree.Attr) (prefix string, ok bool) {
	switch {
	case a.Space == "xmlns":
		return a.Key, true
	case a.Space == "" && a.Key == "xmlns":
		return "", true
	}
	return "", false
}
