package xmlsec

import (
	"fmt"
	"slices"
	"strings"
)

// Element is XML to be written. Build it with E and A; mistakes that only a
// programmer can make panic. Characters XML cannot express become U+FFFD.
//
// An Element must not be changed by two goroutines at once, and not be placed
// into another before it is signed itself.
type Element struct {
	prefix, local string
	space         string
	attributes    []Attribute
	declared      []declaration
	content       []content
	quoted        bool // written as it was received; its declarations are its own affair

	// written is what stands after the start tag, where a Writer made it; there is no
	// content then.
	written *written
}

// content is an element, or text if there is none.
type content struct {
	element *Element
	text    string
}

// Attribute is an attribute to be written.
type Attribute struct {
	prefix, local, space string
	value                string
}

// E makes an element. Its name is "prefix:local", the prefix out of the one table
// of namespaces we write. Parts are Attribute (see A), []Attribute, *Element, []*Element
// and string, which is text; a nil *Element is skipped. Anything else, an attribute
// given twice, and text beside elements panic: our own gate would refuse to read it.
func E(name string, parts ...any) *Element {
	prefix, local := splitName(name)
	if prefix == "" {
		panic(fmt.Sprintf("xmlsec: element %q has no prefix", name))
	}
	e := &Element{prefix: prefix, local: local, space: spaceOf(prefix)}
	for _, part := range parts {
		e.add(part)
	}
	e.checkContent()
	return e
}

// A makes an attribute. Its name is "local" or "prefix:local".
func A(name, value string) Attribute {
	prefix, local := splitName(name)
	a := Attribute{prefix: prefix, local: local, value: value}
	if prefix != "" {
		a.space = spaceOf(prefix)
	}
	if name == "xmlns" {
		panic("xmlsec: namespaces are declared by Declare")
	}
	return a
}

// Declare makes the element declare prefixes although no name uses them: those in
// values, as in xsi:type. They go into the PrefixList of signatures around them.
// It returns the element.
func (e *Element) Declare(prefixes ...string) *Element {
	for _, p := range prefixes {
		d := declaration{p, spaceOf(p)}
		if !slices.Contains(e.declared, d) {
			e.declared = append(e.declared, d)
		}
	}
	return e
}

// Declared returns the prefixes that the element and those in it declare although no name
// uses them, sorted: what a signature around it has to list.
func (e *Element) Declared() []string {
	list := []string{}
	e.eachDeclared(func(d declaration) {
		if !slices.Contains(list, d.prefix) {
			list = append(list, d.prefix)
		}
	})
	slices.Sort(list)
	return list
}

func (e *Element) add(part any) {
	switch part := part.(type) {
	case Attribute:
		e.addAttribute(part)
	case []Attribute:
		for _, a := range part {
			e.addAttribute(a)
		}
	case *Element:
		if part != nil {
			e.content = append(e.content, content{element: part})
		}
	case []*Element:
		for _, child := range part {
			e.add(child)
		}
	case string:
		if part != "" {
			e.content = append(e.content, content{text: part})
		}
	default:
		panic(fmt.Sprintf("xmlsec: %T cannot be part of an element", part))
	}
}

func (e *Element) addAttribute(a Attribute) {
	for _, b := range e.attributes {
		if a.space == b.space && a.local == b.local {
			panic(fmt.Sprintf("xmlsec: attribute %q given twice", a.local))
		}
	}
	e.attributes = append(e.attributes, a)
}

func (e *Element) checkContent() {
	texts := 0
	for _, c := range e.content {
		if c.element == nil {
			texts++
		}
	}
	if texts > 0 && texts < len(e.content) {
		panic(fmt.Sprintf("xmlsec: text beside elements in %s:%s", e.prefix, e.local))
	}
}

// attribute returns the value of an attribute without a namespace, or nothing.
func (e *Element) attribute(local string) string {
	for _, a := range e.attributes {
		if a.prefix == "" && a.local == local {
			return a.value
		}
	}
	return ""
}

func splitName(name string) (prefix, local string) {
	prefix, local, ok := strings.Cut(name, ":")
	if !ok {
		prefix, local = "", name
	}
	if !isNCName(local) {
		panic(fmt.Sprintf("xmlsec: %q is not a name", name))
	}
	return prefix, local
}
