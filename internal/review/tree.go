package review

import (
	"bytes"
	"encoding/xml"
)

const (
	spaceMetadata = "urn:oasis:names:tc:SAML:2.0:metadata"
	spaceDSig     = "http://www.w3.org/2000/09/xmldsig#"
)

// node is an element as people see it: where it stands, and what it says. Nothing is
// believed of it.
type node struct {
	line        int
	space, name string
	attributes  map[string]string // those without a namespace
	text        string
	children    []*node
}

// deepest is how far elements may be nested. The reader of messages refuses long before.
const deepest = 64

// readTree reads a document as far as it is XML. nil: there is no element in it.
func readTree(doc []byte) *node {
	tokens := xml.NewDecoder(bytes.NewReader(doc))
	top := &node{}
	open := []*node{top}
	for len(open) < deepest {
		line, _ := tokens.InputPos()
		token, err := tokens.Token()
		if err != nil {
			break
		}
		in := open[len(open)-1]
		switch t := token.(type) {
		case xml.StartElement:
			n := &node{line: line, space: t.Name.Space, name: t.Name.Local, attributes: map[string]string{}}
			for _, a := range t.Attr {
				if a.Name.Space == "" {
					n.attributes[a.Name.Local] = a.Value
				}
			}
			in.children = append(in.children, n)
			open = append(open, n)
		case xml.EndElement:
			open = open[:len(open)-1]
		case xml.CharData:
			in.text += string(t)
		}
	}
	if len(top.children) == 0 {
		return nil
	}
	return top.children[0]
}

// all are the children of that name.
func (n *node) all(space, name string) (list []*node) {
	for _, c := range n.children {
		if c.space == space && c.name == name {
			list = append(list, c)
		}
	}
	return list
}

// only is the one below n at the end of that path of names in one namespace; nil: there is
// none, or not one.
func (n *node) only(space string, path ...string) *node {
	for _, name := range path {
		list := n.all(space, name)
		if len(list) != 1 {
			return nil
		}
		n = list[0]
	}
	return n
}
