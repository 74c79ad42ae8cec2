package outside_test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/beevik/etree"

	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/harness"
)

// What differs between honest peers and must not matter. Each habit is one change to an
// honest message, before it is signed; some are habits of the pen that signs it.
type habit struct {
	name string
	kind string // two of one kind exclude each other
	do   func(*letter)
	pens func(broker, authenticator *pen)
}

func habits(s *stage) []habit {
	content := func(name string, do func(*letter)) habit { return habit{name: name, kind: name, do: do} }
	signing := func(kind, name string, set func(*pen)) habit {
		return habit{name: name, kind: kind, pens: func(b, a *pen) { set(b); set(a) }}
	}
	query := func(el string) func(*letter, string) {
		return func(l *letter, v string) { l.query().CreateAttr(el, v) }
	}
	namespace := func(space string) func(*letter) {
		return func(l *letter) { l.query().CreateAttr("xmlns:xacml-samlp", space) }
	}
	return []habit{
		content("nothing", func(*letter) {}),
		{name: "the later draft's namespace", kind: "namespace", do: namespace("urn:oasis:names:tc:xacml:2.0:profile:saml2.0:v2:schema:protocol")},
		{name: "OpenAM's namespace", kind: "namespace", do: namespace("urn:oasis:names:tc:xacml:2.0:saml:protocol:schema:os")},
		{name: "other prefixes", kind: "prefixes", do: func(l *letter) {
			reprefix(l.envelope(), map[string]string{"saml": "a", "samlp": "p", "xacml-context": "ctx", "soap": "S", "xacml-samlp": "xsp"})
		}},
		{name: "ns1 to ns5", kind: "prefixes", do: func(l *letter) {
			reprefix(l.envelope(), map[string]string{"saml": "ns1", "samlp": "ns2", "xacml-context": "ns3", "soap": "ns4", "xacml-samlp": "ns5"})
		}},
		{name: "default namespaces", kind: "prefixes", do: func(l *letter) { l.envelope().CreateAttr("xmlns", "urn:example:default") }},
		content("declarations on the Envelope", func(l *letter) {
			for prefix, space := range map[string]string{"xs": "http://www.w3.org/2001/XMLSchema", "xsi": "http://www.w3.org/2001/XMLSchema-instance", "saml": "urn:oasis:names:tc:SAML:2.0:assertion", "xacml-context": "urn:oasis:names:tc:xacml:2.0:context:schema:os"} {
				l.envelope().CreateAttr("xmlns:"+prefix, space)
			}
		}),
		content("an empty Header", func(l *letter) { l.envelope().InsertChildAt(0, snippet(`<soap:Header xmlns:soap="`+soap+`"/>`)) }),
		content("a header that need not be understood", func(l *letter) {
			if l.envelope().FindElement("./Header") == nil {
				l.envelope().InsertChildAt(0, snippet(`<soap:Header xmlns:soap="`+soap+`"><w:To xmlns:w="http://www.w3.org/2005/08/addressing" soap:mustUnderstand="0">x</w:To></soap:Header>`))
			}
		}),
		content("a schema's location", func(l *letter) {
			l.envelope().CreateAttr("xmlns:xsi", "http://www.w3.org/2001/XMLSchema-instance")
			l.envelope().CreateAttr("xsi:schemaLocation", soap+" "+s.trap.URL+"/soap.xsd")
		}),
		content("fractions of a second", func(l *letter) {
			l.query().CreateAttr("IssueInstant", "2026-03-02T09:29:59.9411148Z")
			l.assertion().CreateAttr("IssueInstant", "2026-03-02T09:29:58.123Z")
			at(l.assertion(), "Conditions").CreateAttr("NotBefore", "2026-03-02T09:29:58.123456Z")
		}),
		content("InputContextOnly written out", func(l *letter) { query("InputContextOnly")(l, "false") }),
		{name: "ReturnContext 1", kind: "context", do: func(l *letter) { query("ReturnContext")(l, "1") }},
		content("Representation 1", func(l *letter) { setText(child(l.said(etoegang.AttributeRepresentation), "AttributeValue"), "1") }),
		content("no subject-id", func(l *letter) { drop(l.attribute(etoegang.AttributeSubjectID)) }),
		content("no level", func(l *letter) { drop(l.attribute(etoegang.AttributeLevel)) }),
		content("no consumer index", func(l *letter) { drop(l.attribute(etoegang.AttributeConsumerIndex)) }),
		content("unknown attributes", func(l *letter) {
			for _, part := range []string{"Subject", "Resource", "Action", "Environment"} {
				child(l.request(), part).AddChild(xacml("urn:oasis:names:tc:xacml:1.0:environment:current-time", "x", "y"))
				child(l.request(), part).AddChild(xacml("urn:oasis:names:tc:xacml:1.0:environment:current-time", "x"))
			}
			l.extensions().AddChild(xacml("urn:example:trace", "1"))
		}),
		content("requested attributes", func(l *letter) {
			l.extensions().AddChild(snippet(`<e:RequestedAttributes xmlns:e="urn:etoegang:1.9:samlp-extension"/>`))
		}),
		content("a subject category", func(l *letter) {
			child(l.request(), "Subject").CreateAttr("SubjectCategory", "urn:oasis:names:tc:xacml:1.0:subject-category:access-subject")
		}),
		content("issuers of attributes", func(l *letter) {
			l.attribute(etoegang.AttributeServiceID).CreateAttr("Issuer", s.net.Broker.Entity.String())
		}),
		content("white space between elements", func(l *letter) { l.doc.Indent(2); joinText(l.query()) }),
		content("typed values", func(l *letter) {
			v := child(l.said(etoegang.AttributeRepresentation), "AttributeValue")
			v.CreateAttr("xmlns:xsi", "http://www.w3.org/2001/XMLSchema-instance")
			v.CreateAttr("xmlns:xs", "http://www.w3.org/2001/XMLSchema")
			v.CreateAttr("xsi:type", "xs:boolean")
		}),
		content("more in the log-in", func(l *letter) {
			child(l.assertion(), "AttributeStatement").AddChild(snippet(`<a:Attribute xmlns:a="urn:oasis:names:tc:SAML:2.0:assertion" Name="urn:etoegang:1.9:attribute:FirstName"><a:AttributeValue/></a:Attribute>`))
			child(l.assertion(), "AuthnStatement").CreateAttr("SessionIndex", "_1")
			at(l.assertion(), "Subject", "NameID").CreateAttr("NameQualifier", s.net.Authenticator.Entity.String())
		}),
		content("a second restriction that includes us", func(l *letter) { twin(at(l.assertion(), "Conditions", "AudienceRestriction")) }),

		signing("place", "signature last", func(p *pen) { p.last = true }),
		signing("signature's prefix", "ds as default namespace", func(p *pen) { p.prefix = "-" }),
		signing("signature's prefix", "dsig", func(p *pen) { p.prefix = "dsig" }),
		signing("key info", "no KeyInfo", func(p *pen) { p.keyInfo = "-" }),
		signing("key info", "X509Data", func(p *pen) { p.keyInfo = p.x509() }),
		signing("key info", "X509Data beside KeyName", func(p *pen) { p.keyInfo = "<s:KeyName>" + p.name + "</s:KeyName>" + p.x509() }),
		signing("key info", "a key value", func(p *pen) { p.keyInfo = p.keyValue() }),
		signing("prefix list", "prefixes that are there", func(p *pen) { p.prefixes = "xs xsi" }),
		signing("prefix list", "prefixes that are not", func(p *pen) { p.prefixes = "xacml-saml nobody" }),
		signing("prefix list", "an empty prefix list", func(p *pen) {
			p.transforms = []string{transform(enveloped, ""), transform(c14nExclusive, `<ec:InclusiveNamespaces xmlns:ec="`+c14nExclusive+`" PrefixList=""></ec:InclusiveNamespaces>`)}
		}),
		signing("id", "an Id on the signature", func(p *pen) {
			p.after = func(g *etree.Element) { g.CreateAttr("Id", fmt.Sprintf("_sig%d", len(g.GetPath()))) }
		}),
		signing("lines", "values in lines", func(p *pen) {
			p.after = func(g *etree.Element) {
				v := child(g, "SignatureValue")
				setText(v, "\n"+strings.Join(chunks(v.Text(), 64), "\n")+"\n")
			}
		}),
	}
}

func chunks(text string, n int) (list []string) {
	for len(text) > n {
		list, text = append(list, text[:n]), text[n:]
	}
	return append(list, text)
}

// joinText takes away the white space that indenting put around values.
func joinText(el *etree.Element) {
	for _, c := range el.FindElements(".//*") {
		if text := strings.TrimSpace(c.Text()); len(c.ChildElements()) == 0 && c.Text() != text {
			setText(c, text)
		}
	}
}

// reprefix gives namespaces other prefixes, all over a message.
func reprefix(el *etree.Element, names map[string]string) {
	if to, ok := names[el.Space]; ok {
		el.Space = to
	}
	for i, a := range el.Attr {
		if to, ok := names[a.Key]; ok && a.Space == "xmlns" {
			el.Attr[i].Key = to
		}
	}
	for _, c := range el.ChildElements() {
		reprefix(c, names)
	}
}

// with plays the habits on an honest letter.
func (s *stage) with(l *letter, habits ...habit) []byte {
	broker, authenticator := l.brokerPen(), l.authenticatorPen()
	for _, h := range habits {
		if h.do != nil {
			h.do(l)
		}
		if h.pens != nil {
			h.pens(&broker, &authenticator)
		}
	}
	authenticator.sign(l.assertion())
	broker.sign(l.query())
	return l.bytes()
}

// Every habit alone, and a third of all pairs: each habit meets a dozen others.
func TestHabits(t *testing.T) {
	t.Parallel()
	s := newStage(t, harness.Options{})
	all := habits(s)
	for i, first := range all {
		for j, second := range all[i:] {
			if first.name != second.name && (first.kind == second.kind || j%3 != 0) {
				continue
			}
			t.Run(first.name+" and "+second.name, func(t *testing.T) {
				l := s.letter(s.anna)
				if first.name == second.name {
					s.answers(t, s.with(l, first), s.anna)
					return
				}
				s.answers(t, s.with(l, first, second), s.anna)
			})
		}
	}
}

// Habits of bytes and of HTTP, which no signature covers.
func TestHabitsOfHTTP(t *testing.T) {
	t.Parallel()
	s := newStage(t, harness.Options{})
	for name, change := range map[string]func([]byte) []byte{
		"a declaration": func(m []byte) []byte { return append([]byte("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"), m...) },
		"a declaration in small": func(m []byte) []byte {
			return append([]byte("<?xml version='1.0' encoding='utf-8' standalone='yes'?>"), m...)
		},
		"a byte order mark":          func(m []byte) []byte { return append([]byte("\uFEFF"), m...) },
		"white space around":         func(m []byte) []byte { return append(append([]byte("\n "), m...), "\r\n"...) },
		"white space in tags":        func(m []byte) []byte { return bytes.ReplaceAll(m, []byte("<soap:Body>"), []byte("<soap:Body\n\t>")) },
		"a character as a reference": func(m []byte) []byte { return bytes.Replace(m, []byte(":services:1"), []byte(":services:&#49;"), 1) },
		"one in hexadecimal":         func(m []byte) []byte { return bytes.Replace(m, []byte(":services:1"), []byte(":services:&#x31;"), 1) },
		"single quotes":              func(m []byte) []byte { return bytes.Replace(m, []byte(`Version="2.0"`), []byte(`Version='2.0'`), 1) },
		"much white space (200 KiB)": func(m []byte) []byte { return append(m, bytes.Repeat([]byte(" "), 200<<10)...) },
	} {
		t.Run(name, func(t *testing.T) { s.answers(t, change(s.letter(s.anna).bytes()), s.anna) })
	}
	for name, header := range map[string]http.Header{
		"charset":             {"Content-Type": {"text/xml; charset=utf-8"}},
		"charset in capitals": {"Content-Type": {`text/xml; charset="UTF-8"`}},
		"type in capitals":    {"Content-Type": {"Text/XML"}},
		"no SOAPAction":       {"Content-Type": {"text/xml"}},
		"an empty SOAPAction": {"Content-Type": {"text/xml"}, "SOAPAction": {`""`}},
		"a bare SOAPAction":   {"Content-Type": {"text/xml"}, "SOAPAction": {"http://www.oasis-open.org/committees/security"}},
		"other headers":       {"Content-Type": {"text/xml"}, "Accept": {"text/xml"}, "Expect": {""}, "Cookie": {"a=b"}},
	} {
		t.Run(name, func(t *testing.T) {
			request := must[*http.Request](t)(http.NewRequest("POST", s.to.Address, bytes.NewReader(s.letter(s.anna).bytes())))
			request.Header = header
			s.wantPermit(t, s.do(request))
		})
	}
	t.Run("absolute request line", func(t *testing.T) { s.wantPermit(t, s.speak(t, s.to.Address, s.letter(s.anna).bytes())) })
}

func (s *stage) wantPermit(t *testing.T, r reply) {
	t.Helper()
	played.honest.Add(1)
	if r.status != 200 || !s.read(t, r.body).Permitted() || r.header.Get("Content-Type") != "text/xml" {
		t.Errorf("answered %d %q %s", r.status, r.header.Get("Content-Type"), r.body)
	}
	s.recorded()
	s.grown()
}

// speak sends a request with a request line of its own.
func (s *stage) speak(t *testing.T, target string, message []byte) reply {
	t.Helper()
	u := must[*http.Request](t)(http.NewRequest("POST", s.to.Address, nil)).URL
	c := must[net.Conn](t)(net.Dial("tcp", u.Host))
	defer c.Close()
	fmt.Fprintf(c, "POST %s HTTP/1.0\r\nHost: %s\r\nContent-Type: text/xml\r\nContent-Length: %d\r\n\r\n%s", target, u.Host, len(message), message)
	answer := must[[]byte](t)(io.ReadAll(c))
	head, body, _ := bytes.Cut(answer, []byte("\r\n\r\n"))
	r := reply{header: http.Header{"Content-Type": {"text/xml"}}, body: body}
	_, _ = fmt.Sscanf(string(head), "HTTP/1.0 %d", &r.status)
	return r
}
