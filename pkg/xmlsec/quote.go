package xmlsec

import (
	"slices"
	"strings"
)

// Quote returns a verified element as it was received, signature included, to be
// placed into something we send: a broker hands an authenticator's assertion on.
// It declares everything its old surroundings declared, so the signature still
// fits in the new ones. Quoting what the fast engine verified in a document that
// was released panics.
func Quote(v Verified) *Element {
	if v.source != nil {
		return quoteTree(v.source)
	}
	d := v.document
	d.mustBeHeld()
	e := d.quote(v.element)
	e.declared = d.inScope(v.element)
	return e
}

// quote copies an element with the prefixes and declarations it has.
func (d *Document) quote(i int32) *Element {
	t := &d.tokens.elements[i]
	prefix, local := qualified(t.fullName(d.doc))
	e := &Element{prefix: prefix, local: local, space: string(d.tokens.space(d.doc, t.space)), quoted: true}
	e.declared = d.declared(i)
	for _, a := range d.tokens.attrsOf(i) {
		prefix, local := qualified(a.fullName(d.doc))
		space := string(d.tokens.space(d.doc, a.space))
		e.attributes = append(e.attributes, Attribute{prefix: prefix, local: local, space: space, value: string(a.meaning(d.doc))})
	}
	from := t.inside
	for c := i + 1; c < t.next; {
		inner := &d.tokens.elements[c]
		e.content = append(e.content, d.quoteText(t, from, inner.start), content{element: d.quote(c)})
		from, c = inner.end, inner.next
	}
	e.content = append(e.content, d.quoteText(t, from, t.close))
	return e
}

func (d *Document) quoteText(t *element, from, to int32) content {
	return content{text: string(appendText(nil, d.doc[from:to], t.text))}
}

// qualified takes a name apart.
func qualified(name []byte) (prefix, local string) {
	prefix, local, ok := strings.Cut(string(name), ":")
	if !ok {
		return "", prefix
	}
	return prefix, local
}

// declared returns the namespace declarations of an element.
func (d *Document) declared(i int32) []declaration {
	var list []declaration
	from, to := d.tokens.bindingsOf(i)
	for j := from; j < to; j++ {
		b := &d.tokens.bindings[j]
		list = append(list, declaration{string(b.prefixIn(d.doc)), string(b.uriIn(d.doc))})
	}
	return list
}

// inScope returns the namespace declarations in force at an element, the nearest of each
// prefix.
func (d *Document) inScope(i int32) []declaration {
	var list []declaration
	for ; i >= 0; i = d.tokens.elements[i].parent {
		for _, b := range d.declared(i) {
			if !slices.ContainsFunc(list, func(a declaration) bool { return a.prefix == b.prefix }) {
				list = append(list, b)
			}
		}
	}
	return slices.DeleteFunc(list, func(a declaration) bool { return a.space == "" })
}
