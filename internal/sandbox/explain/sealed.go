package explain

import (
	"strings"

	"github.com/mandated/mandated/internal/look"
	"github.com/mandated/mandated/pkg/xmlsec"
)

// Sealed is something encrypted in a message, opened where somebody in the play has the key.
type Sealed struct {
	What    string    `json:"what"` // name of what is encrypted: LegalSubjectID
	For     []string  `json:"for"`  // who can read it: names for people
	Opened  bool      `json:"opened"`
	Element string    `json:"element,omitempty"` // what was in it: NameID or Attribute
	Name    string    `json:"name,omitempty"`    // the type of identifier, or the attribute's name
	Values  []string  `json:"values,omitempty"`
	Why     look.Text `json:"why"`

	entities []string // who can read it
}

// open opens everything encrypted that one of the cast can read. Like everybody else here, it
// does so only under a signature that holds: what nobody signed may have been put together
// by somebody who wants to learn what is in it.
func (r *reading) open(signed []*element) {
	covered := map[*element]*xmlsec.Node{}
	for _, e := range signed {
		if v := r.verdicts[e]; v.verified != nil {
			pair(e, v.verified, covered)
		}
	}
	r.root.each(func(e *element) {
		if e.is("EncryptedID", "EncryptedAttribute", "EncryptedAssertion") {
			s := r.opening(e, covered[e])
			r.openings[e] = &s
			r.sealed = append(r.sealed, s)
		}
	})
}

// pair finds the verified twin of every element in a signed one. Those that have a signature of
// their own are empty in it, and have their own twin.
func pair(e *element, twin *xmlsec.Node, into map[*element]*xmlsec.Node) {
	into[e] = twin
	i := 0
	for _, c := range e.children {
		if c.space == spaceDSig && c.local == "Signature" {
			continue // it is not part of what it covers
		}
		if i == len(twin.Children) {
			return
		}
		if n := twin.Children[i]; n.Name.Local == c.local && n.Name.Space == c.space && !hasOwnSignature(c) {
			pair(c, n, into)
		}
		i++
	}
}

func hasOwnSignature(e *element) bool {
	for _, c := range e.children {
		if c.space == spaceDSig && c.local == "Signature" {
			return true
		}
	}
	return false
}

func (r *reading) opening(e *element, twin *xmlsec.Node) Sealed {
	s := Sealed{What: nameOfSealed(e)}
	e.each(func(k *element) {
		if to := k.attr("Recipient"); k.is("EncryptedKey") && to != "" {
			s.entities = append(s.entities, to)
			s.For = append(s.For, cut(r.cast.name(to), longestNote))
		}
	})
	switch {
	case len(s.entities) == 0:
		s.Why = say("Er staat niet bij voor wie dit is versleuteld.", "It does not say for whom this is encrypted.")
	case twin == nil:
		s.Why = say("Versleuteld voor %s. Niet geopend: er is geen handtekening die klopt en die dit beschermt.",
			"Encrypted for %s. Not opened: no signature that holds protects this.", strings.Join(s.For, ", "))
	default:
		r.unlock(&s, twin)
	}
	return s
}

// unlock tries the keys of those for whom it is meant.
func (r *reading) unlock(s *Sealed, twin *xmlsec.Node) {
	readers := strings.Join(s.For, ", ")
	for _, to := range s.entities {
		p := r.cast.find(to)
		if p == nil {
			continue
		}
		plain, err := xmlsec.Open(twin, to, p.Openers)
		if err != nil {
			continue
		}
		s.Opened = true
		s.read(plain)
		s.Why = say("Versleuteld voor %s. Alleen die kan dit lezen; wij laten zien wat erin staat.",
			"Encrypted for %s. Nobody else can read it; we show you what is in it.", readers)
		return
	}
	s.Why = say("Versleuteld voor %s. Met de sleutels van dit spel gaat het niet open.",
		"Encrypted for %s. It does not open with the keys in this play.", readers)
}

// read takes out what was inside: a NameID, or an Attribute with values.
func (s *Sealed) read(plain *xmlsec.Node) {
	s.Element = plain.Name.Local
	if len(plain.Children) == 0 {
		s.Name, _ = plain.Attr("NameQualifier")
		s.Values = []string{cut(plain.Text, longestValue)}
	} else {
		s.Name, _ = plain.Attr("Name")
		for _, v := range plain.Children {
			s.Values = append(s.Values, cut(v.Text, longestValue))
		}
	}
	if s.Name = cut(s.Name, longestValue); s.Element == "Attribute" {
		s.What = short(s.Name)
	}
}

// nameOfSealed is the name of the attribute that an encrypted element is a value of; that of
// what is in an encrypted attribute is only known once it is open.
func nameOfSealed(e *element) string {
	if a := e.parent.above("Attribute"); a != nil && e.parent.is("AttributeValue") && e.parent.parent == a {
		return cut(short(attributeName(a)), longestNote)
	}
	return e.local
}

// attributeName is that of an attribute of SAML or XACML.
func attributeName(e *element) string {
	if name := e.attr("AttributeId"); name != "" {
		return name
	}
	return e.attr("Name")
}

// short is the last part of a URN, which people say.
func short(urn string) string {
	if !strings.HasPrefix(urn, "urn:") {
		return urn
	}
	for _, prefix := range []string{"IntermediateEntityID:", "EntityConcernedID:", "ServiceRestriction:", "attribute-represented:", "attribute-intermediate:"} {
		if i := strings.Index(urn, prefix); i >= 0 {
			return urn[i:]
		}
	}
	return urn[strings.LastIndexByte(urn, ':')+1:]
}
