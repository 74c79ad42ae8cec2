package outside_test

import (
	"bytes"
	"strings"
	"time"

	"github.com/beevik/etree"

	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/saml"
	"github.com/mandated/mandated/pkg/xmlsec"
)

// letter is a message in the making: an honest one, as a tree that a test may take apart.
type letter struct {
	stage *stage
	who   mandate.Person
	doc   *etree.Document
}

// login is an honest log-in of a person, ready to be changed and signed.
func (s *stage) login(who mandate.Person) saml.Login {
	s.t.Helper()
	acting := must[*xmlsec.Element](s.t)(saml.SealName(etoegang.TypePseudo, who.Subject.Pseudonym.Text(), s.net.First.Recipient()))
	now := s.clock.Now()
	return saml.Login{
		ID: saml.NewID(), Issuer: s.net.Authenticator.Entity, NameID: saml.NewID(), Issued: now, Until: now.Add(2 * time.Minute),
		Recipient: s.net.Broker.Consumer, InResponseTo: saml.NewID(),
		Audiences: []etoegang.EntityID{s.net.Broker.Entity, s.net.First.Entity, s.vat.Home.Entity},
		Level:     etoegang.LoA3, Representation: true, Registry: s.net.First.Entity, Acting: acting, ServiceUUID: s.vat.UUID,
	}
}

// asking is an honest query about a log-in.
func (s *stage) asking(login saml.Login, assertions ...*xmlsec.Element) saml.Asking {
	return saml.Asking{
		ID: saml.NewID(), Issuer: s.net.Broker.Entity, Destination: s.net.First.Address, Issued: s.clock.Now(), Consumer: "1",
		Audience: s.vat.Home.Entity, SubjectID: login.NameID, Assertions: assertions,
		ServiceID: s.vat.ID, ServiceUUID: s.vat.UUID, Level: etoegang.LoA3,
	}
}

// letter is an honest question about a person, signed by all who have to.
func (s *stage) letter(who mandate.Person) *letter {
	s.t.Helper()
	login := s.login(who)
	assertion := must[*xmlsec.Element](s.t)(login.Sign(s.net.Authenticator.Signer()))
	return s.open(s.asking(login, assertion), s.net.Broker.Signer(), who)
}

// open signs a query and lays it open.
func (s *stage) open(q saml.Asking, by xmlsec.Signer, who mandate.Person) *letter {
	s.t.Helper()
	query := must[*xmlsec.Element](s.t)(q.Sign(by))
	return &letter{stage: s, who: who, doc: tree(saml.Wrap(query))}
}

// copy gives a letter of its own to every attack.
func (l *letter) copy() *letter { return &letter{stage: l.stage, who: l.who, doc: l.doc.Copy()} }

func (l *letter) envelope() *etree.Element   { return l.doc.Root() }
func (l *letter) body() *etree.Element       { return child(l.envelope(), "Body") }
func (l *letter) query() *etree.Element      { return child(l.body(), "XACMLAuthzDecisionQuery") }
func (l *letter) extensions() *etree.Element { return child(l.query(), "Extensions") }
func (l *letter) request() *etree.Element    { return child(l.query(), "Request") }

// holder is the XACML attribute that carries the assertions.
func (l *letter) holder() *etree.Element { return l.attribute(etoegang.AttributeAssertions) }

// assertion is the log-in inside the query.
func (l *letter) assertion() *etree.Element { return l.holder().FindElement("./*/Assertion") }

// attribute finds an XACML attribute of the query, wherever it stands in it.
func (l *letter) attribute(id string) *etree.Element {
	for _, a := range l.query().FindElements(".//Attribute") {
		if a.SelectAttrValue("AttributeId", "") == id {
			return a
		}
	}
	panic("no attribute " + id)
}

// said finds a SAML attribute of the log-in.
func (l *letter) said(name string) *etree.Element {
	for _, a := range l.assertion().FindElements("./AttributeStatement/Attribute") {
		if a.SelectAttrValue("Name", "") == name {
			return a
		}
	}
	panic("no attribute " + name)
}

// resign lets both signers sign anew what was changed.
func (l *letter) resign() *letter {
	if a := l.holder().FindElement("./*/Assertion"); a != nil {
		l.authenticatorPen().sign(a)
	}
	l.brokerPen().sign(l.query())
	return l
}

// reseal lets only the broker sign anew.
func (l *letter) reseal() *letter {
	l.brokerPen().sign(l.query())
	return l
}

func (l *letter) brokerPen() pen        { return penOf(l.stage.net.Broker.Signer()) }
func (l *letter) authenticatorPen() pen { return penOf(l.stage.net.Authenticator.Signer()) }

func (l *letter) bytes() []byte {
	out, err := l.doc.WriteToBytes()
	if err != nil {
		panic(err)
	}
	return out
}

// with replaces text in the bytes of the letter, after it was signed.
func (l *letter) with(old, new string) []byte {
	message := l.bytes()
	if !bytes.Contains(message, []byte(old)) {
		panic("nothing to replace: " + old)
	}
	return bytes.Replace(message, []byte(old), []byte(new), 1)
}

// tree reads XML that the test itself has made.
func tree(doc []byte) *etree.Document {
	d := etree.NewDocument()
	d.ReadSettings.MaxDepth = 1 << 16
	d.WriteSettings = etree.WriteSettings{CanonicalAttrVal: true, CanonicalEndTags: true, CanonicalText: true}
	if err := d.ReadFromBytes(doc); err != nil {
		panic(err)
	}
	return d
}

// snippet reads one element.
func snippet(xml string) *etree.Element { return tree([]byte(xml)).Root().Copy() }

// child is the first direct child with that local name.
func child(el *etree.Element, local string) *etree.Element {
	for _, c := range el.ChildElements() {
		if c.Tag == local {
			return c
		}
	}
	panic(el.Tag + " has no " + local)
}

// at walks down by local names.
func at(el *etree.Element, path ...string) *etree.Element {
	for _, local := range path {
		el = child(el, local)
	}
	return el
}

// drop removes an element from its parent.
func drop(el *etree.Element) *etree.Element {
	if p := el.Parent(); p != nil {
		p.RemoveChild(el)
	}
	return el
}

// twin puts a copy of an element right after it.
func twin(el *etree.Element) *etree.Element {
	c := el.Copy()
	el.Parent().InsertChildAt(el.Index()+1, c)
	return c
}

// setText replaces all an element holds.
func setText(el *etree.Element, text string) {
	el.Child = nil
	el.CreateText(text)
}

// xacml is an XACML attribute with text values.
func xacml(id string, values ...string) *etree.Element {
	var b strings.Builder
	b.WriteString(`<c:Attribute xmlns:c="urn:oasis:names:tc:xacml:2.0:context:schema:os" AttributeId="` + id + `" DataType="http://www.w3.org/2001/XMLSchema#string">`)
	for _, v := range values {
		b.WriteString("<c:AttributeValue>" + v + "</c:AttributeValue>")
	}
	b.WriteString("</c:Attribute>")
	return snippet(b.String())
}

// stampOf writes a moment as messages have it.
func stampOf(at time.Time) string { return at.UTC().Format(time.RFC3339Nano) }
