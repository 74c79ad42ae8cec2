package xmlsec

import (
	"slices"

	"github.com/beevik/etree"
)

// detach prepares an element for goxmldsig: a root of its own that declares every
// namespace its place in the document gives it, so that a PrefixList can be
// honoured.
//
// The signature moves to the front, because goxmldsig looks for it among the first
// thousand elements; it is not part of what is digested, so its position has no
// effect. Its KeyInfo goes, because goxmldsig wants a certificate in it, and the
// white space in its value, which goxmldsig does not accept everywhere.
//
// Only the signature is copied. The other children are shared with the document,
// still knowing their old parent and position: goxmldsig begins with a copy of the
// whole, in which both are right.
func (s *standing) detach() *etree.Element {
	from := s.node.source
	el := rooted(from)
	el.AddChild(bareSignature(s.signature, s.envelope))
	for _, c := range from.Child {
		if c != etree.Token(s.signature.source) {
			el.Child = append(el.Child, c)
		}
	}
	return el
}

// rooted copies an element without what is in it, as a root that declares every namespace
// in scope.
func rooted(from *etree.Element) *etree.Element {
	el := etree.NewElement(from.FullTag())
	el.Attr = append(slices.DeleteFunc(slices.Clone(from.Attr), func(a etree.Attr) bool {
		_, ok := declares(a)
		return ok
	}), inScope(from)...)
	return el
}

// bareSignature copies a signature without its KeyInfo.
func bareSignature(signature *Node, e envelope) *etree.Element {
	bare := etree.NewElement(signature.source.FullTag())
	bare.Attr = slices.Clone(signature.source.Attr)
	for _, part := range signature.Children {
		switch part.Name {
		case nameSignedInfo:
			bare.AddChild(part.source.Copy())
		case nameSignatureValue:
			value := etree.NewElement(part.source.FullTag())
			value.Attr = slices.Clone(part.source.Attr)
			value.SetText(e.value)
			bare.AddChild(value)
		}
	}
	return bare
}

// inScope returns the namespace declarations in force at an element, the nearest
// of each prefix. That the default namespace is undeclared need not be said at a
// root.
func inScope(el *etree.Element) []etree.Attr {
	var found []etree.Attr
	known := func(prefix string) bool {
		return slices.ContainsFunc(found, func(a etree.Attr) bool {
			p, _ := declares(a)
			return p == prefix
		})
	}
	for ; el != nil; el = el.Parent() {
		for _, a := range el.Attr {
			if prefix, ok := declares(a); ok && !known(prefix) {
				found = append(found, a)
			}
		}
	}
	return slices.DeleteFunc(found, func(a etree.Attr) bool { return a.Value == "" })
}
