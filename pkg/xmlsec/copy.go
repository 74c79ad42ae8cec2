package xmlsec

import (
	"fmt"
	"strings"
)

// Copy makes of an element that was read one to be written, with IDs of its own: a broker
// repeats an encrypted identifier beside the assertion it took it from, and in one document
// no two elements may answer to one ID. What in it refers to another part of it still does.
// A signature in it would be broken: what is signed is quoted. ErrContent: a namespace that
// we do not write.
func Copy(n *Node) (*Element, error) {
	c := copier{}
	c.rename(n)
	return c.copy(n)
}

// copier knows the new ID of each old one.
type copier map[string]string

func (c copier) rename(n *Node) {
	for _, a := range n.Attrs {
		if isIDName(a.Name.Local) {
			c[a.Value] = randomID()
		}
	}
	for _, child := range n.Children {
		c.rename(child)
	}
}

func (c copier) copy(n *Node) (*Element, error) {
	prefix, err := prefixOf(n.Name)
	if err != nil {
		return nil, err
	}
	e := E(prefix + n.Name.Local)
	for _, a := range n.Attrs {
		name := a.Name.Local
		if a.Name.Space != "" {
			if prefix, err = prefixOf(a.Name); err != nil {
				return nil, err
			}
			name = prefix + name
		}
		e.addAttribute(A(name, c.value(a)))
	}
	for _, child := range n.Children {
		inner, err := c.copy(child)
		if err != nil {
			return nil, err
		}
		e.add(inner)
	}
	if len(n.Children) == 0 {
		e.add(n.Text)
	}
	return e, nil
}

// value is an attribute's value in the copy.
func (c copier) value(a Attr) string {
	if isIDName(a.Name.Local) {
		return c[a.Value]
	}
	if id, refers := strings.CutPrefix(a.Value, "#"); refers && c[id] != "" {
		return "#" + c[id]
	}
	return a.Value
}

// prefixOf is the prefix that we write a name with, and its colon.
func prefixOf(name Name) (string, error) {
	for prefix, space := range prefixes {
		if space == name.Space {
			return prefix + ":", nil
		}
	}
	return "", fmt.Errorf("%w: we do not write %s", ErrContent, name)
}
