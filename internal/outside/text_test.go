package outside_test

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/harness"
	"github.com/mandated/mandated/pkg/saml"
	"github.com/mandated/mandated/pkg/xmlsec"
)

// Values that one reader takes for another: cut by a comment, an instruction, a CDATA
// section or an element. Comments and their like are put in after signing, since they do
// not break a signature.
func TestHiddenInValues(t *testing.T) {
	t.Parallel()
	s := newStage(t, harness.Options{})
	const tail = ":services:"
	var list []attack
	for name, c := range map[string]struct {
		put  string
		want error
	}{
		"a comment":                  {"<!---->", xmlsec.ErrComment},
		"a comment with words":       {"<!-- evil -->", xmlsec.ErrComment},
		"a comment that never ends":  {"<!--", xmlsec.ErrComment},
		"an instruction":             {"<?evil do?>", xmlsec.ErrInstruction},
		"CDATA":                      {"<![CDATA[]]>", xmlsec.ErrCDATA},
		"CDATA with text":            {"<![CDATA[9]]>", xmlsec.ErrCDATA},
		"an element":                 {"<evil/>", xmlsec.ErrMixedContent},
		"an entity":                  {"&evil;", xmlsec.ErrEntity},
		"an HTML entity":             {"&nbsp;", xmlsec.ErrEntity},
		"a reference to NUL":         {"&#0;", xmlsec.ErrEncoding},
		"a reference to a control":   {"&#x1f;", xmlsec.ErrEncoding},
		"a reference to half a rune": {"&#xD800;", xmlsec.ErrEncoding},
		"a reference to nothing":     {"&#xFFFFFF;", xmlsec.ErrEncoding},
		"a reference without digits": {"&#;", xmlsec.ErrEntity},
		"the end of a CDATA section": {"]]>", xmlsec.ErrMalformed},
	} {
		list = append(list, attack{name + " in the service", func(l *letter) []byte { return l.with(tail, tail+c.put) }, fault(c.want)})
		list = append(list, attack{name + " in the audience of the log-in", func(l *letter) []byte {
			return l.with(":entities:9001</saml:Audience>", ":entities:9001"+c.put+"</saml:Audience>")
		}, fault(c.want)})
	}
	list = append(list,
		attack{"a comment in the ID's element", func(l *letter) []byte { return l.with("<samlp:Extensions", "<!-- x --><samlp:Extensions") }, fault(xmlsec.ErrComment)},
		attack{"a comment before the message", func(l *letter) []byte { return append([]byte("<!-- x -->"), l.bytes()...) }, fault(xmlsec.ErrComment)},
		attack{"a comment after the message", func(l *letter) []byte { return append(l.bytes(), "<!-- x -->"...) }, fault(xmlsec.ErrComment)},
		attack{"a stylesheet", func(l *letter) []byte {
			return append([]byte(`<?xml-stylesheet href="`+s.trap.URL+`/style"?>`), l.bytes()...)
		}, fault(xmlsec.ErrInstruction)},
		attack{"signed elements in a value", func(l *letter) []byte {
			v := child(l.attribute(etoegang.AttributeServiceUUID), "AttributeValue")
			v.Child = nil
			v.AddChild(snippet(foreignXML))
			return l.reseal().bytes()
		}, refused("malformed")},
		attack{"signed elements in a value of the log-in", func(l *letter) []byte {
			v := child(l.said(etoegang.AttributeServiceUUID), "AttributeValue")
			v.Child = nil
			v.AddChild(snippet(foreignXML))
			return l.resign().bytes()
		}, refused("malformed")},
		attack{"XInclude in a value", func(l *letter) []byte {
			v := child(l.attribute(etoegang.AttributeServiceUUID), "AttributeValue")
			v.Child = nil
			v.AddChild(snippet(`<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="` + s.trap.URL + `/include" parse="text"/>`))
			return l.reseal().bytes()
		}, refused("malformed")},
		attack{"XInclude in Extensions", func(l *letter) []byte {
			l.extensions().AddChild(snippet(`<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="` + s.trap.URL + `/include"/>`))
			return l.reseal().bytes()
		}, refused("forbidden-content")},
	)
	s.attacks(t, list)
}

// Document types: to expand, to fetch, or only to hide what follows.
func TestDocumentType(t *testing.T) {
	t.Parallel()
	s := newStage(t, harness.Options{})
	var list []attack
	for name, dtd := range map[string]string{
		"empty":               `<!DOCTYPE soap:Envelope>`,
		"of a file":           `<!DOCTYPE x SYSTEM "file:///etc/passwd">`,
		"of an address":       `<!DOCTYPE x SYSTEM "` + s.trap.URL + `/dtd">`,
		"public":              `<!DOCTYPE x PUBLIC "-//X//EN" "` + s.trap.URL + `/dtd">`,
		"with an entity":      `<!DOCTYPE x [<!ENTITY e "evil">]>`,
		"with an outer one":   `<!DOCTYPE x [<!ENTITY e SYSTEM "` + s.trap.URL + `/e">]>`,
		"with a parameter":    `<!DOCTYPE x [<!ENTITY % p SYSTEM "` + s.trap.URL + `/p"> %p;]>`,
		"with default values": `<!DOCTYPE x [<!ATTLIST x ID CDATA "_other">]>`,
		"with IDs":            `<!DOCTYPE x [<!ATTLIST y z ID #IMPLIED>]>`,
		"with laughs":         `<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;">]>`,
		"with quotes":         `<!DOCTYPE x [<!NOTATION n SYSTEM '"'>]>`,
		"of one letter":       `<!D>`,
	} {
		list = append(list, attack{name + " in front", func(l *letter) []byte { return append([]byte(dtd), l.bytes()...) }, fault(xmlsec.ErrDirective)})
		list = append(list, attack{name + " after the declaration", func(l *letter) []byte {
			return append([]byte("<?xml version=\"1.0\"?>\n"+dtd), l.bytes()...)
		}, fault(xmlsec.ErrDirective)})
		list = append(list, attack{name + " inside", func(l *letter) []byte { return l.with("<soap:Body>", dtd+"<soap:Body>") }, fault(xmlsec.ErrDirective)})
	}
	s.attacks(t, list)
}

// Bytes that say one thing in one encoding and another in another.
func TestEncodings(t *testing.T) {
	t.Parallel()
	s := newStage(t, harness.Options{})
	declared := func(declaration string) func(*letter) []byte {
		return func(l *letter) []byte { return append([]byte(declaration), l.bytes()...) }
	}
	inText := func(raw string) func(*letter) []byte {
		return func(l *letter) []byte { return l.with(":services:", ":services:"+raw) }
	}
	list := []attack{
		{"UTF-16, little end first", func(l *letter) []byte { return inUTF16(l.bytes(), false) }, fault(xmlsec.ErrEncoding)},
		{"UTF-16, big end first", func(l *letter) []byte { return inUTF16(l.bytes(), true) }, fault(xmlsec.ErrEncoding)},
		{"two byte order marks", declared("\uFEFF\uFEFF"), fault(xmlsec.ErrMalformed)},
		{"a declaration after white space", declared(` <?xml version="1.0"?>`), fault(xmlsec.ErrInstruction)},
		{"two declarations", declared(`<?xml version="1.0"?><?xml version="1.0"?>`), fault(xmlsec.ErrInstruction)},
		{"XML 1.1", declared(`<?xml version="1.1"?>`), fault(xmlsec.ErrInstruction)},
		{"XML in capitals", declared(`<?XML version="1.0"?>`), fault(xmlsec.ErrInstruction)},
		{"a declaration with more in it", declared(`<?xml version="1.0" evil="yes"?>`), fault(xmlsec.ErrInstruction)},
		{"NUL", inText("\x00"), fault(xmlsec.ErrEncoding)},
		{"a control", inText("\x08"), fault(xmlsec.ErrEncoding)},
		{"an overlong digit", inText("\xc0\xb1"), fault(xmlsec.ErrEncoding)},
		{"an overlong less-than", inText("\xc0\xbc"), fault(xmlsec.ErrEncoding)},
		{"half a rune", inText("\xed\xa0\x80"), fault(xmlsec.ErrEncoding)},
		{"Latin-1", inText("\xe9"), fault(xmlsec.ErrEncoding)},
		{"beyond Unicode", inText("\xf4\x90\x80\x80"), fault(xmlsec.ErrEncoding)},
		{"no character", inText("\uFFFF"), fault(xmlsec.ErrEncoding)},
	}
	for _, label := range []string{"UTF-7", "UTF-16", "iso-8859-1", "windows-1252", "us-ascii", "EBCDIC-CP-NL", "utf8", "cp65001"} {
		list = append(list, attack{"called " + label, declared(`<?xml version="1.0" encoding="` + label + `"?>`), fault(xmlsec.ErrEncoding)})
	}
	s.attacks(t, list)
}

func inUTF16(text []byte, bigEnd bool) []byte {
	var out bytes.Buffer
	for _, u := range append([]uint16{0xFEFF}, utf16.Encode([]rune(string(text)))...) {
		high, low := byte(u>>8), byte(u)
		if !bigEnd {
			high, low = low, high
		}
		out.WriteByte(high)
		out.WriteByte(low)
	}
	return out.Bytes()
}

// Identifiers that look like others, all of them properly signed and encrypted: the
// sender himself tries them.
func TestIdentifiers(t *testing.T) {
	t.Parallel()
	s := newStage(t, harness.Options{})
	var list []attack
	add := func(name string, do func(l *letter) []byte, want verdict) {
		list = append(list, attack{name, do, want})
	}
	numbers := map[string]string{
		"in full width": "１２３４５６７８", "with a zero-width space": "1234\u200b5678", "with a space": "12345678 ", "after a space": " 12345678",
		"with a no-break space": "12345678\u00a0", "with a line break": "12345678\n", "with a sign": "+1234567", "without its first digit": "2345678",
		"with a zero in front": "012345678", "with a soft hyphen": "1234\u00ad5678", "in Arabic digits": "١٢٣٤٥٦٧٨", "with a direction mark": "12345678\u202e",
		"with a quote": "1234567'", "in hexadecimal": "0xbc614e", "with an exponent": "12345e78", "as a list": "12345678,87654321", "empty": "",
	}
	for name, number := range numbers {
		add("a KvK number "+name, prefers(etoegang.TypeKvKNr, number), refused("identifier"))
	}
	for kind, number := range map[etoegang.EntityType]string{
		etoegang.TypeRSIN: "123456789", etoegang.TypeBSN: "123456782", etoegang.TypePseudo: "12345678", etoegang.TypeEIDASLegal: "NL/NL/12345678",
		"urn:etoegang:1.9:EntityConcernedID:kvknr": "12345678", "urn:etoegang:1.9:EntityConcernedID:KvKnr ": "12345678", "KvKnr": "12345678", "": "12345678",
	} {
		add("a company known by "+string(kind), prefers(kind, number), refused("identifier"))
	}
	pseudonym := func(l *letter) string { return l.who.Subject.Pseudonym.Text() }
	for name, alter := range map[string]func(string) string{
		"in full width": func(p string) string { return string(rune(p[0])-'!'+'！') + p[1:] }, "with a space": func(p string) string { return p + " " },
		"too short": func(p string) string { return p[1:] }, "too long": func(p string) string { return p + "0" },
		"with a zero-width joiner": func(p string) string { return p[:32] + "\u200d" + p[32:] }, "that is a number": func(string) string { return "12345678" },
		"with another one": func(p string) string { return p + "@" + p[:32] },
	} {
		add("a pseudonym "+name, func(l *letter) []byte { return l.acting(etoegang.TypePseudo, alter(pseudonym(l))).resign().bytes() }, refused("identifier"))
	}
	for name, urn := range map[string]string{
		"in capitals": strings.ToUpper(s.vat.ID.String()), "with a space": s.vat.ID.String() + " ", "in full width": strings.Replace(s.vat.ID.String(), ":services:1", ":services:１", 1),
		"of index 0": strings.Replace(s.vat.ID.String(), ":services:1", ":services:0", 1), "of a broker": strings.Replace(s.vat.ID.String(), ":DV:", ":HM:", 1), "that is a word": "vat",
	} {
		add("a service "+name, says(etoegang.AttributeServiceID, urn), refused("identifier"))
	}
	for name, uuid := range map[string]string{
		"with braces": "{" + s.vat.UUID.String() + "}", "without dashes": strings.ReplaceAll(s.vat.UUID.String(), "-", ""), "with a space": s.vat.UUID.String() + " ",
	} {
		add("a ServiceUUID "+name, says(etoegang.AttributeServiceUUID, uuid), refused("identifier"))
		add("a ServiceUUID of the log-in "+name, tells(etoegang.AttributeServiceUUID, uuid), refused("identifier"))
	}
	for name, level := range map[string]string{
		"unknown": "urn:etoegang:core:assurance-class:loa5", "in capitals": "urn:etoegang:core:assurance-class:LOA3", "short": "loa3",
		"of SAML": "urn:oasis:names:tc:SAML:2.0:ac:classes:SmartcardPKI", "with a space": etoegang.LoA3.URN() + " ", "of none": "urn:etoegang:core:assurance-class:none",
	} {
		add("a level "+name, says(etoegang.AttributeLevel, level), refused("identifier"))
		add("a level of the log-in "+name, func(l *letter) []byte {
			setText(at(l.assertion(), "AuthnStatement", "AuthnContext", "AuthnContextClassRef"), level)
			return l.resign().bytes()
		}, refused("identifier"))
	}
	for name, entity := range map[string]string{
		"with a space": s.vat.Home.Entity.String() + " ", "in capitals": strings.ToUpper(s.vat.Home.Entity.String()), "of an address": "https://provider.test",
		"of an unknown role": strings.Replace(s.vat.Home.Entity.String(), ":DV:", ":XX:", 1),
	} {
		add("an audience "+name, says(etoegang.AttributeIntendedAudience, entity), refused("identifier"))
		add("a registry "+name, tells(etoegang.AttributeRegistryID, entity), refused("identifier"))
	}
	s.attacks(t, list)
}

// prefers lets the broker name a company, encrypted to the register or somebody else.
func prefers(kind etoegang.EntityType, number string, to ...xmlsec.Recipient) func(*letter) []byte {
	return func(l *letter) []byte {
		if to == nil {
			to = []xmlsec.Recipient{l.stage.net.First.Recipient()}
		}
		sealed := must[*xmlsec.Element](l.stage.t)(saml.SealName(kind, number, to...))
		a := xacml(etoegang.AttributeLegalSubjectID, "")
		child(a, "AttributeValue").AddChild(snippet(string(sealed.Bytes())))
		child(l.request(), "Subject").AddChild(a)
		return l.reseal().bytes()
	}
}

// says lets the query say something else.
func says(id, text string) func(*letter) []byte {
	return func(l *letter) []byte {
		setText(child(l.attribute(id), "AttributeValue"), text)
		return l.reseal().bytes()
	}
}

// tells lets the log-in say something else.
func tells(name, text string) func(*letter) []byte {
	return func(l *letter) []byte {
		setText(child(l.said(name), "AttributeValue"), text)
		return l.resign().bytes()
	}
}

// acting lets the log-in name somebody, encrypted to the register.
func (l *letter) acting(kind etoegang.EntityType, name string, to ...xmlsec.Recipient) *letter {
	if to == nil {
		to = []xmlsec.Recipient{l.stage.net.First.Recipient()}
	}
	sealed := must[*xmlsec.Element](l.stage.t)(saml.SealName(kind, name, to...))
	v := child(l.said(etoegang.AttributeActingSubjectID), "AttributeValue")
	v.Child = nil
	v.AddChild(snippet(string(sealed.Bytes())))
	return l
}
