package outside_test

import (
	"fmt"
	"testing"

	"github.com/beevik/etree"

	"github.com/mandated/mandated/pkg/harness"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/saml"
	"github.com/mandated/mandated/pkg/xmlsec"
)

// Signature wrapping, XSW 1 to 8 and all in between: the signed original is put where a
// search by ID finds it, and a forged copy stands where the reader looks. A wrapping is
// one of each: where the original goes, under which ID the copy stands, who keeps the
// signature.

// Which ID the forged copy has.
const (
	sameID  = "the same ID"
	otherID = "another ID"
	noID    = "no ID"
)

// Who has the original's signature.
const (
	stays = "signature stays"
	moves = "signature moves"
	both  = "signature copied"
)

// hiding is a place for the original, given the forged copy that already stands in its
// stead.
type hiding struct {
	name string
	put  func(l *letter, forged, original *etree.Element)

	shape   error // the message's outer shape is wrong already
	inside  bool  // inside the signature that the copy got
	free    bool  // inside it, where anything may stand since nobody reads it
	atPlace bool  // where a signed element of its own would stand
}

func inside(path ...string) func(*letter, *etree.Element, *etree.Element) {
	return func(_ *letter, forged, original *etree.Element) { at(forged, path...).AddChild(original) }
}

func inHeader(l *letter, original *etree.Element) {
	header := snippet(`<soap:Header xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"/>`)
	header.AddChild(original)
	l.envelope().InsertChildAt(0, header)
}

// wrapIn adds an element around the original to a parent.
func wrapIn(parent *etree.Element, xml string, original *etree.Element) {
	around := snippet(xml)
	inner := around
	for len(inner.ChildElements()) > 0 {
		inner = inner.ChildElements()[0]
	}
	inner.AddChild(original)
	parent.AddChild(around)
}

const (
	objectXML   = `<s:Object xmlns:s="http://www.w3.org/2000/09/xmldsig#"/>`
	bodyXML     = `<soap:Body xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"/>`
	soap12Body  = `<x:Body xmlns:x="http://www.w3.org/2003/05/soap-envelope"/>`
	nestedXML   = `<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body/></soap:Envelope>`
	foreignXML  = `<x:Wrapper xmlns:x="urn:example:wrapper"/>`
	valueXML    = `<c:Attribute xmlns:c="urn:oasis:names:tc:xacml:2.0:context:schema:os" AttributeId="urn:example:x" DataType="x"><c:AttributeValue/></c:Attribute>`
	statusXML   = `<p:StatusDetail xmlns:p="urn:oasis:names:tc:SAML:2.0:protocol"/>`
	adviceXML   = `<a:Advice xmlns:a="urn:oasis:names:tc:SAML:2.0:assertion"/>`
	contentXML  = `<c:ResourceContent xmlns:c="urn:oasis:names:tc:xacml:2.0:context:schema:os"/>`
	manifestXML = `<s:Object xmlns:s="http://www.w3.org/2000/09/xmldsig#"><s:Manifest/></s:Object>`
)

func queryHidings() []hiding {
	within := func(xml string, path ...string) func(*letter, *etree.Element, *etree.Element) {
		return func(_ *letter, forged, original *etree.Element) { wrapIn(at(forged, path...), xml, original) }
	}
	return []hiding{
		{name: "in the signature", put: inside("Signature"), inside: true},
		{name: "in an Object", put: within(objectXML, "Signature"), inside: true},
		{name: "in a Manifest", put: within(manifestXML, "Signature"), inside: true},
		{name: "in KeyInfo", put: inside("Signature", "KeyInfo"), inside: true},
		{name: "in Extensions", put: inside("Extensions")},
		{name: "in a foreign element of Extensions", put: within(foreignXML, "Extensions")},
		{name: "in a value of an extension", put: within(valueXML, "Extensions")},
		{name: "in a StatusDetail", put: within(statusXML)},
		{name: "in the Request", put: inside("Request")},
		{name: "in a value of the Subject", put: within(valueXML, "Request", "Subject")},
		{name: "in the ResourceContent", put: within(contentXML, "Request", "Resource")},
		{name: "as the first child", put: func(_ *letter, forged, original *etree.Element) { forged.InsertChildAt(0, original) }},
		{name: "as the last child", put: inside()},
		{name: "around the copy", put: func(l *letter, forged, original *etree.Element) {
			l.body().RemoveChild(forged)
			l.body().AddChild(original)
			child(original, "Extensions").AddChild(forged)
		}},
		{name: "before it in the Body", put: func(l *letter, _, original *etree.Element) { l.body().InsertChildAt(0, original) }, shape: saml.ErrNoQuery},
		{name: "after it in the Body", put: func(l *letter, _, original *etree.Element) { l.body().AddChild(original) }, shape: saml.ErrNoQuery},
		{name: "in a foreign element before it", put: func(l *letter, _, original *etree.Element) {
			wrapIn(l.body(), foreignXML, original)
		}, shape: saml.ErrNoQuery},
		{name: "in the SOAP header", put: func(l *letter, _, original *etree.Element) { inHeader(l, original) }},
		{name: "in a second Body", put: func(l *letter, _, original *etree.Element) { wrapIn(l.envelope(), bodyXML, original) }, shape: saml.ErrNotSOAP},
		{name: "in a first Body", put: func(l *letter, _, original *etree.Element) {
			wrapIn(l.envelope(), bodyXML, original)
			moveFirst(l.envelope())
		}, shape: saml.ErrNotSOAP},
		{name: "in a foreign Body", put: func(l *letter, _, original *etree.Element) { wrapIn(l.envelope(), soap12Body, original) }, shape: saml.ErrNotSOAP},
		{name: "in a nested Envelope", put: func(l *letter, _, original *etree.Element) { wrapIn(l.body(), nestedXML, original) }, shape: saml.ErrNoQuery},
		{name: "in a nested Envelope of the header", put: func(l *letter, _, original *etree.Element) {
			envelope := snippet(nestedXML)
			at(envelope, "Body").AddChild(original)
			inHeader(l, envelope)
		}},
		{name: "in the real Body, the copy in the header", put: func(l *letter, forged, original *etree.Element) {
			inHeader(l, drop(forged))
			l.body().AddChild(original)
		}},
	}
}

// moveFirst makes the last child the first.
func moveFirst(el *etree.Element) {
	children := el.ChildElements()
	last := children[len(children)-1]
	el.RemoveChild(last)
	el.InsertChildAt(0, last)
}

// wrapping is a case of the product.
type wrapping struct {
	hiding
	id, signature string
}

func (w wrapping) name() string { return fmt.Sprintf("%s, %s, %s", w.hiding.name, w.id, w.signature) }

func wrappings(hidings []hiding) (all []wrapping) {
	for _, h := range hidings {
		for _, id := range []string{sameID, otherID, noID} {
			for _, signature := range []string{stays, moves, both} {
				if h.inside && signature == stays {
					continue // the copy has no signature to hide anything in
				}
				all = append(all, wrapping{h, id, signature})
			}
		}
	}
	return all
}

// disguise gives the copy its ID and shares out the signature.
func (w wrapping) disguise(forged, original *etree.Element) {
	switch w.id {
	case otherID:
		forged.CreateAttr("ID", saml.NewID())
	case noID:
		forged.RemoveAttr("ID")
	case sameID:
		forged.CreateAttr("ID", original.SelectAttrValue("ID", ""))
	}
	signature := child(original, "Signature")
	if own := child(forged, "Signature"); w.signature != stays {
		index := own.Index()
		forged.RemoveChild(own)
		forged.InsertChildAt(index, signature.Copy())
	} else {
		forged.RemoveChild(own)
	}
	if w.signature == moves {
		original.RemoveChild(signature)
	}
}

// stopped is the defence that a wrapped query must meet. IDs are compared before anything
// is looked at; then the shape of the SOAP message; then how many signatures stand where.
// The original always brings a signature that belongs nowhere, its log-in's, if not its
// own too.
func (w wrapping) stopped() error {
	switch {
	case w.id == sameID:
		return xmlsec.ErrDuplicateID
	case w.shape != nil:
		return w.shape
	case w.hiding.name == "around the copy" || w.hiding.name == "in the real Body, the copy in the header":
		if w.signature == moves { // now it is the original that stands at its place, unsigned
			return xmlsec.ErrSignatureCount
		}
		return xmlsec.ErrSignaturePlace
	case w.signature == stays:
		return xmlsec.ErrSignatureCount
	}
	return xmlsec.ErrSignaturePlace
}

func TestWrappedQuery(t *testing.T) {
	t.Parallel()
	s := newStage(t, harness.Options{})
	var list []attack
	for _, w := range wrappings(queryHidings()) {
		list = append(list, attack{w.name(), func(l *letter) []byte {
			// The copy brings a log-in of its own that really was signed: Anna's.
			forged := s.letter(s.anna).query().Copy()
			original := drop(l.query())
			l.body().AddChild(forged)
			w.disguise(forged, original)
			w.put(l, forged, original)
			return l.bytes()
		}, fault(w.stopped())})
	}
	s.attacks(t, list)
}

func assertionHidings() []hiding {
	return []hiding{
		{name: "in the signature", put: inside("Signature"), inside: true},
		{name: "in an Object", put: func(_ *letter, forged, original *etree.Element) {
			wrapIn(child(forged, "Signature"), objectXML, original)
		}, inside: true},
		{name: "in KeyInfo", put: inside("Signature", "KeyInfo"), inside: true, free: true},
		{name: "in Advice", put: func(_ *letter, forged, original *etree.Element) { wrapIn(forged, adviceXML, original) }, atPlace: true},
		{name: "as the first child", put: func(_ *letter, forged, original *etree.Element) { forged.InsertChildAt(0, original) }},
		{name: "as the last child", put: inside()},
		{name: "in the Subject", put: inside("Subject")},
		{name: "in a SubjectConfirmationData", put: inside("Subject", "SubjectConfirmation", "SubjectConfirmationData")},
		{name: "before it in one value", put: func(_ *letter, forged, original *etree.Element) {
			forged.Parent().InsertChildAt(0, original)
		}, atPlace: true},
		{name: "after it in one value", put: func(_ *letter, forged, original *etree.Element) {
			forged.Parent().AddChild(original)
		}, atPlace: true},
		{name: "in a second value", put: func(l *letter, forged, original *etree.Element) {
			value := twin(forged.Parent())
			value.Child = nil
			value.AddChild(original)
		}, atPlace: true},
		{name: "in a second attribute", put: func(l *letter, forged, original *etree.Element) {
			other := twin(l.holder())
			value := child(other, "AttributeValue")
			value.Child = nil
			value.AddChild(original)
		}, atPlace: true},
		{name: "in an attribute of another name", put: func(l *letter, forged, original *etree.Element) {
			wrapIn(l.extensions(), valueXML, original)
		}, atPlace: true},
		{name: "directly in Extensions", put: func(l *letter, _, original *etree.Element) { l.extensions().AddChild(original) }},
		{name: "directly in the query", put: func(l *letter, _, original *etree.Element) { l.query().AddChild(original) }},
		{name: "in the Request's Subject", put: func(l *letter, _, original *etree.Element) {
			wrapIn(at(l.request(), "Subject"), valueXML, original)
		}},
		{name: "in the SOAP header", put: func(l *letter, _, original *etree.Element) { inHeader(l, original) }},
		{name: "around the copy, in Advice", put: func(l *letter, forged, original *etree.Element) {
			value := forged.Parent()
			value.RemoveChild(forged)
			value.AddChild(original)
			wrapIn(original, adviceXML, forged)
		}, atPlace: true},
	}
}

// stoppedAssertion is the defence that a wrapped log-in must meet in a query that its
// broker signed as it is. A signature in the wrong element refers to the other ID.
func (w wrapping) stoppedAssertion() error {
	switch {
	case w.id == sameID:
		return xmlsec.ErrDuplicateID
	case w.signature == stays, w.signature == moves && w.atPlace:
		return xmlsec.ErrSignatureCount
	case w.signature == both && !w.atPlace:
		return xmlsec.ErrSignaturePlace
	case w.inside && !w.free && w.id != noID:
		return xmlsec.ErrSignatureShape
	}
	return xmlsec.ErrReference
}

func TestWrappedLogin(t *testing.T) {
	t.Parallel()
	s := newStage(t, harness.Options{})
	var list []attack
	for _, w := range wrappings(assertionHidings()) {
		list = append(list, attack{w.name(), func(l *letter) []byte {
			forged, original := forgedLogin(l), l.assertion().Copy()
			value := l.assertion().Parent()
			value.RemoveChild(l.assertion())
			value.AddChild(forged)
			w.disguise(forged, original)
			w.put(l, forged, original)
			return l.reseal().bytes()
		}, fault(w.stoppedAssertion())})
	}
	s.attacks(t, list)
}

// forgedLogin is the letter's log-in with another person in it: Anna, who may do more
// than Bob, or Bob himself.
func forgedLogin(l *letter) *etree.Element {
	other := l.stage.bob
	if l.who.Name == other.Name {
		other = l.stage.anna
	}
	forged := l.assertion().Copy()
	theirs := l.stage.letter(other).said("urn:etoegang:core:ActingSubjectID").Copy()
	for _, a := range forged.FindElements("./AttributeStatement/Attribute") {
		if a.SelectAttrValue("Name", "") == "urn:etoegang:core:ActingSubjectID" {
			a.Parent().AddChild(theirs)
			drop(a)
		}
	}
	return forged
}

// Several log-ins, of which not all are signed, or not all are wanted.
func TestSeveralAssertions(t *testing.T) {
	t.Parallel()
	s := newStage(t, harness.Options{})
	add := func(l *letter, a *etree.Element) *letter {
		value := twin(l.assertion().Parent())
		value.Child = nil
		value.AddChild(a)
		return l
	}
	stranger := func(l *letter, who mandate.Person) *etree.Element { return s.letter(who).assertion().Copy() }
	s.attacks(t, []attack{
		{"a second one, unsigned", func(l *letter) []byte {
			a := stranger(l, s.anna)
			drop(child(a, "Signature"))
			return add(l, a).reseal().bytes()
		}, fault(xmlsec.ErrSignatureCount)},
		{"a second one, signed", func(l *letter) []byte { return add(l, stranger(l, s.anna)).reseal().bytes() }, refused("assertions")},
		{"three of them", func(l *letter) []byte {
			return add(add(l, stranger(l, s.anna)), stranger(l, s.bob)).reseal().bytes()
		}, fault(xmlsec.ErrPlaceCount)},
		{"none at all", func(l *letter) []byte { drop(l.holder()); return l.reseal().bytes() }, refused("assertions")},
		{"the same one twice", func(l *letter) []byte { return add(l, l.assertion().Copy()).reseal().bytes() }, fault(xmlsec.ErrDuplicateID)},
		{"only under another name", func(l *letter) []byte {
			l.holder().CreateAttr("AttributeId", "urn:etoegang:core:Assertion")
			return l.reseal().bytes()
		}, refused("assertions")},
		{"beside another element in its value", func(l *letter) []byte {
			l.assertion().Parent().AddChild(snippet(foreignXML))
			return l.reseal().bytes()
		}, refused("assertions")},
		{"with a stranger's element in another value", func(l *letter) []byte {
			return add(l, snippet(foreignXML)).reseal().bytes()
		}, refused("assertions")},
		{"with others in its Advice", func(l *letter) []byte {
			wrapIn(l.assertion(), adviceXML, stranger(l, s.anna))
			return l.resign().bytes()
		}, refused("assertions")},
		{"as an EncryptedAssertion", func(l *letter) []byte {
			value := l.assertion().Parent()
			value.Child = nil
			value.AddChild(snippet(`<a:EncryptedAssertion xmlns:a="urn:oasis:names:tc:SAML:2.0:assertion"/>`))
			return l.reseal().bytes()
		}, refused("assertions")},
	})
}
