package xmlsec

import (
	"fmt"
	"iter"
	"slices"

	"github.com/beevik/etree"
)

// Name is an expanded XML name: what a prefixed name means once its prefix is
// looked up. Namespaces in XML 1.0, section 2.1.
type Name struct{ Space, Local string }

// String writes the name as {namespace}local.
func (n Name) String() string { return "{" + n.Space + "}" + n.Local }

// Attr is an attribute of a Node. Namespace declarations are not attributes here.
type Attr struct {
	Name  Name
	Value string
}

// Node is an element to read from. There are two kinds, told apart by a private
// mark: nodes of a [Verified], and nodes of [Document.Unverified], which Open
// refuses.
//
// An element holds either elements or text: the gate refuses text beside
// elements, so nothing an element says can hide from a reader. Nodes are shared
// and must not be changed.
type Node struct {
	Name     Name
	Attrs    []Attr
	Children []*Node // elements only
	Text     string  // the whole character data, if there are no Children

	verified bool
	source   *etree.Element // in the reference engine's tree, which Verifieds are not made from
}

// Attr returns the value of the attribute with that local name and no namespace.
// An attribute foo:ID does not answer to ID.
func (n *Node) Attr(local string) (string, bool) {
	for _, a := range n.Attrs {
		if a.Name.Space == "" && a.Name.Local == local {
			return a.Value, true
		}
	}
	return "", false
}

// All returns the direct children with that name, in document order.
func (n *Node) All(name Name) []*Node {
	return slices.Collect(n.Each(name))
}

// Each goes over the direct children with that name, in document order.
func (n *Node) Each(name Name) iter.Seq[*Node] {
	return func(yield func(*Node) bool) {
		for _, c := range n.Children {
			if c.Name == name && !yield(c) {
				return
			}
		}
	}
}

// One returns the only direct child with that name. Having none or several is
// ErrContent.
func (n *Node) One(name Name) (*Node, error) {
	child, err := n.Maybe(name)
	if err == nil && child == nil {
		err = fmt.Errorf("%w: %s lacks %s", ErrContent, n.Name, name)
	}
	return child, err
}

// Maybe returns the only direct child with that name, or nil if there is none.
// Having several is ErrContent.
func (n *Node) Maybe(name Name) (*Node, error) {
	var found *Node
	for _, c := range n.Children {
		if c.Name != name {
			continue
		}
		if found != nil {
			return nil, fmt.Errorf("%w: %s has more than one %s", ErrContent, n.Name, name)
		}
		found = c
	}
	return found, nil
}

// Only returns ErrContent, naming the first direct child whose name is not listed.
func (n *Node) Only(names ...Name) error {
	for _, c := range n.Children {
		if !slices.Contains(names, c.Name) {
			return fmt.Errorf("%w: %s does not belong in %s", ErrContent, c.Name, n.Name)
		}
	}
	return nil
}

// Value returns the text of an element that has no element children; one that
// has is ErrContent. White space is part of the value.
func (n *Node) Value() (string, error) {
	if len(n.Children) > 0 {
		return "", fmt.Errorf("%w: %s holds elements where a value belongs", ErrContent, n.Name)
	}
	return n.Text, nil
}
