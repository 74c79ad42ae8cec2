package xmlsec

import "github.com/beevik/etree"

// quoteTree is Quote for what the reference engine verified.
func quoteTree(source *etree.Element) *Element {
	b := &builder{}
	for _, a := range inScope(source) {
		prefix, _ := declares(a)
		b.scope = append(b.scope, declaration{prefix, a.Value})
	}
	e := quoted(source, b)
	e.declared = b.scope
	return e
}

// quoted copies an element with the prefixes and declarations it has.
func quoted(el *etree.Element, b *builder) *Element {
	outside := len(b.scope)
	defer func() { b.scope = b.scope[:outside] }()
	b.declare(el)

	e := &Element{prefix: el.Space, local: el.Tag, space: b.lookup(el.Space), quoted: true}
	e.declared = append(e.declared, b.scope[outside:]...)
	for _, a := range el.Attr {
		if _, ok := declares(a); ok {
			continue
		}
		copied := Attribute{prefix: a.Space, local: a.Key, value: a.Value}
		if a.Space != "" {
			copied.space = b.lookup(a.Space)
		}
		e.attributes = append(e.attributes, copied)
	}
	for _, token := range el.Child {
		switch token := token.(type) {
		case *etree.Element:
			e.content = append(e.content, content{element: quoted(token, b)})
		case *etree.CharData:
			e.content = append(e.content, content{text: token.Data})
		}
	}
	return e
}
