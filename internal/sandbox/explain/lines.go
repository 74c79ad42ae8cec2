package explain

import (
	"encoding/xml"
	"strings"

	"github.com/mandated/mandated/pkg/etoegang"
)

// folded are elements of which the inside is of use to few: it is kept apart.
func folded(e *element) bool {
	return e.is("Signature") && e.space == spaceDSig || e.is("EncryptedData", "EncryptedKey")
}

// lines writes the message in lines, each with its meaning.
func (r *reading) lines() []Line {
	var list []Line
	var walk func(e *element, depth int)
	walk = func(e *element, depth int) {
		if !folded(e) {
			list = append(list, r.linesOf(e, depth)...)
			for _, c := range e.children {
				walk(c, depth+1)
			}
			return
		}
		kept := list
		list = nil
		for _, c := range e.children {
			walk(c, depth+1)
		}
		own := r.linesOf(e, depth)
		own[0].Inside = append(own[1:len(own):len(own)], list...)
		list = append(kept, own[0])
	}
	walk(r.root, 0)
	return list
}

// linesOf are those of one element: its tag, and below it the attributes that mean something
// by themselves.
func (r *reading) linesOf(e *element, depth int) []Line {
	var tag strings.Builder
	tag.WriteString("<" + cut(e.name(), longestNote))
	var below []Line
	for _, a := range e.attrs {
		text := cut(qualified(a.prefix, a.local), longestNote) + `="` + escape(cut(a.value, longestValue)) + `"`
		m, known := r.attributeMeaning(e, a)
		if !known {
			tag.WriteString(" " + text)
			continue
		}
		below = append(below, Line{Depth: depth + 1, XML: text, Meaning: m.Text, Source: m.source, Notes: r.attributeNotes(e, a)})
	}
	if len(below) > 0 {
		tag.WriteString(" …") // they follow
	}
	tag.WriteString(ending(e))
	m := elementMeaning(e)
	first := Line{Depth: depth, XML: tag.String(), Meaning: m.Text, Source: m.source, Notes: r.elementNotes(e)}
	return append([]Line{first}, below...)
}

// ending is the rest of an element's line: its text, or that there is none.
func ending(e *element) string {
	switch {
	case len(e.children) > 0:
		return ">"
	case e.value() == "":
		return "/>"
	}
	return ">" + escape(cut(e.value(), longestValue)) + "</" + cut(e.name(), longestNote) + ">"
}

// escape writes a value as it stands in XML.
func escape(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s)) // a Builder does not fail
	return strings.NewReplacer("&#34;", `"`, "&#39;", "'", "&gt;", ">").Replace(b.String())
}

// elementMeaning finds what an element means: by the name of the attribute it is, by its place,
// or by its own name. What we do not know has none.
func elementMeaning(e *element) meaning {
	if e.space == "" && e.above("Fault") != nil { // SOAP 1.1: the parts of a Fault have no namespace
		return elements[e.local]
	}
	if !knownSpaces[e.space] {
		return meaning{}
	}
	if e.local == "Attribute" || e.local == "RequestedAttribute" {
		if m, ok := named[attributeName(e)]; ok {
			return m
		}
	}
	if e.parent != nil {
		if m, ok := elements[e.parent.local+"/"+e.local]; ok {
			return m
		}
	}
	return elements[e.local]
}

func (r *reading) attributeMeaning(e *element, a attr) (meaning, bool) {
	if a.prefix != "" || !knownSpaces[e.space] {
		return meaning{}, false
	}
	if m, ok := attributes[e.local+"/"+a.local]; ok {
		return m, true
	}
	m, ok := attributes[a.local]
	return m, ok
}

// elementNotes tells what can be said of an element in this message.
func (r *reading) elementNotes(e *element) []Note {
	if s := r.openings[e]; s != nil {
		return s.notes()
	}
	if !knownSpaces[e.space] {
		return nil
	}
	switch {
	case e.is("Signature"):
		return r.signatureNotes(e)
	case e.is("Issuer", "Audience", "AuthenticatingAuthority", "AttributeAssignment", "RequesterID"):
		return r.who(e.value())
	case e.is("AssertionIDRef"):
		return r.known.reference(e.value())
	case e.is("Decision"):
		return decided(e.value())
	case e.is("StatusMessage"):
		return refused(e.value())
	case e.is("AuthnContextClassRef"):
		return level(e.value())
	case e.is("Artifact"):
		return r.artifact(e.value())
	case e.is("AttributeValue"):
		return r.valueNotes(e)
	}
	return nil
}

func (r *reading) attributeNotes(e *element, a attr) []Note {
	switch a.local {
	case "ID":
		return r.again(e)
	case "IssueInstant", "AuthnInstant":
		return r.moment(a.value)
	case "NotBefore", "NotOnOrAfter", "SessionNotOnOrAfter":
		return r.limit(a.local, a.value)
	case "InResponseTo":
		return r.known.reference(a.value)
	case "Value":
		if m, ok := statuses[a.value]; ok {
			return note(m.Text)
		}
	case "Recipient":
		return r.who(a.value)
	case "NameQualifier":
		if t, ok := qualifiers[a.value]; ok {
			return note(t)
		}
	}
	return nil
}

// valueNotes explains the value of an attribute, by the attribute's name.
func (r *reading) valueNotes(e *element) []Note {
	value := e.value()
	switch attributeName(e.parent) {
	case etoegang.AttributeLevel, etoegang.AttributeLevelUsed:
		return level(value)
	case etoegang.AttributeIntendedAudience, etoegang.AttributeRegistryID:
		return r.who(value)
	case etoegang.AttributeLinkedDeclaration:
		return r.known.linked(value)
	case etoegang.AttributeServiceID:
		return r.service(value)
	}
	return nil
}

// parameterLines are those of an address or a form.
func (r *reading) parameterLines() []Line {
	var list []Line
	for _, p := range r.parameters {
		m := parameterMeanings[p.name]
		l := Line{XML: cut(p.name, longestNote) + "=" + cut(p.value, longestValue), Meaning: m.Text, Source: m.source}
		switch p.name {
		case "SAMLart":
			l.Notes = r.artifact(p.value)
		case "RelayState":
			if len(p.value) > longestRelayState {
				l.Notes = bad(say("Dit zijn %d bytes. Dat is te veel.", "These are %d bytes. That is too many.", len(p.value)))
			}
		}
		list = append(list, l)
	}
	return list
}

// longestRelayState is how long a RelayState may be, in bytes (eHerkenning interface
// specifications, "Interface specifications web").
const longestRelayState = 80
