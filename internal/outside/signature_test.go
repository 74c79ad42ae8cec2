package outside_test

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"github.com/beevik/etree"

	"github.com/mandated/mandated/pkg/harness"
	"github.com/mandated/mandated/pkg/saml"
	"github.com/mandated/mandated/pkg/xmlsec"
)

// penCase is something odd about a signature that otherwise fits.
type penCase struct {
	name string
	set  func(*pen)
	want error
}

// Each oddity is tried on the query's own signature and on that of the log-in in a query
// which its broker has signed as it should.
func TestSignatureProfile(t *testing.T) {
	t.Parallel()
	s := newStage(t, harness.Options{})
	var list []attack
	for _, c := range penCases(s.trap.URL) {
		list = append(list, attack{"query: " + c.name, func(l *letter) []byte {
			p := l.brokerPen()
			c.set(&p)
			p.sign(l.query())
			return l.bytes()
		}, fault(c.want)}, attack{"log-in: " + c.name, func(l *letter) []byte {
			p := l.authenticatorPen()
			c.set(&p)
			p.sign(l.assertion())
			return l.reseal().bytes()
		}, fault(c.want)})
	}
	s.attacks(t, list)
}

func penCases(trap string) []penCase {
	return append(append(append(algorithmCases(), referenceCases(trap)...), transformCases()...), shapeCases(trap)...)
}

func algorithmCases() (list []penCase) {
	named := func(name string, set func(*pen)) { list = append(list, penCase{name, set, xmlsec.ErrAlgorithm}) }
	for _, method := range []string{
		rsaSHA1, hmacSHA256, "http://www.w3.org/2000/09/xmldsig#hmac-sha1", "http://www.w3.org/2001/04/xmldsig-more#rsa-md5",
		"http://www.w3.org/2001/04/xmldsig-more#rsa-sha512", "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256",
		"http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1", "http://www.w3.org/2000/09/xmldsig#dsa-sha1",
		"HTTP://WWW.W3.ORG/2001/04/xmldsig-more#rsa-sha256", rsaSHA256 + " ", "none", "",
	} {
		named("method "+method, func(p *pen) { p.method = method + strings.Repeat("?", b2i(method == "")) })
	}
	for _, digest := range []string{
		digestSHA1, digestSHA512, "http://www.w3.org/2001/04/xmldsig-more#md5", "http://www.w3.org/2001/04/xmldsig-more#sha384", "http://www.w3.org/2001/04/xmlenc#sha257",
	} {
		named("digest "+digest, func(p *pen) { p.digest = digest })
	}
	for _, c14n := range []string{
		c14nExclusive + "WithComments", "http://www.w3.org/TR/2001/REC-xml-c14n-20010315", "http://www.w3.org/2006/12/xml-c14n11",
		"http://www.w3.org/TR/1999/REC-xslt-19991116", "http://www.w3.org/TR/1999/REC-xpath-19991116",
	} {
		named("canonicalization "+c14n, func(p *pen) { p.c14n = c14n })
	}
	named("HMACOutputLength", func(p *pen) {
		p.info = func(info *etree.Element) {
			child(info, "SignatureMethod").AddChild(snippet(`<s:HMACOutputLength xmlns:s="` + spaceDS + `">1</s:HMACOutputLength>`))
		}
	})
	named("a PrefixList for the SignedInfo", func(p *pen) {
		p.info = func(info *etree.Element) {
			child(info, "CanonicalizationMethod").AddChild(snippet(`<ec:InclusiveNamespaces xmlns:ec="` + c14nExclusive + `" PrefixList="saml"/>`))
		}
	})
	named("a namespaced twin of Algorithm", func(p *pen) {
		p.info = func(info *etree.Element) {
			m := child(info, "SignatureMethod")
			m.CreateAttr("xmlns:x", "urn:example:x")
			m.CreateAttr("x:Algorithm", rsaSHA1)
		}
	})
	return list
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

func referenceCases(trap string) (list []penCase) {
	for name, uri := range map[string]func(string) string{
		"missing":      func(string) string { return "-" },
		"empty":        func(string) string { return "" },
		"hash alone":   func(string) string { return "#" },
		"?id":          func(id string) string { return "?" + id },
		"xid":          func(id string) string { return "x" + id },
		"id alone":     func(id string) string { return id },
		"xpointer id":  func(id string) string { return "#xpointer(id('" + id + "'))" },
		"xpointer all": func(string) string { return "#xpointer(/)" },
		"another id":   func(string) string { return "#_ffffffffffffffffffffffffffffffff" },
		"id and space": func(id string) string { return "#" + id + " " },
		"two hashes":   func(id string) string { return "##" + id },
		"this page":    func(id string) string { return "message.xml#" + id },
		"encoded":      func(id string) string { return "#%5F" + id[1:] },
		"an address":   func(string) string { return trap + "/reference" },
		"a file":       func(string) string { return "file:///etc/passwd" },
		"cid":          func(id string) string { return "cid:" + id },
	} {
		list = append(list, penCase{"reference " + name, func(p *pen) { p.uri = uri }, xmlsec.ErrReference})
	}
	return list
}

func transformCases() (list []penCase) {
	env, exc := transform(enveloped, ""), transform(c14nExclusive, "")
	for name, transforms := range map[string][]string{
		"none":                    {},
		"enveloped only":          {env},
		"canonicalization only":   {exc},
		"the other way round":     {exc, env},
		"enveloped twice":         {env, env},
		"three":                   {env, exc, exc},
		"fifty":                   append([]string{env}, strings.Split(strings.TrimSuffix(strings.Repeat(exc+"|", 49), "|"), "|")...),
		"with comments":           {env, transform(c14nExclusive+"WithComments", "")},
		"inclusive":               {env, transform("http://www.w3.org/TR/2001/REC-xml-c14n-20010315", "")},
		"XPath":                   {env, transform("http://www.w3.org/TR/1999/REC-xpath-19991116", `<s:XPath>not(ancestor-or-self::Request)</s:XPath>`)},
		"XPath filter":            {env, transform("http://www.w3.org/2002/06/xmldsig-filter2", "")},
		"XSLT":                    {env, transform("http://www.w3.org/TR/1999/REC-xslt-19991116", `<xsl:stylesheet xmlns:xsl="http://www.w3.org/1999/XSL/Transform" version="1.0"/>`)},
		"base64":                  {env, transform("http://www.w3.org/2000/09/xmldsig#base64", "")},
		"decryption":              {env, transform("http://www.w3.org/2002/07/decrypt#XML", "")},
		"enveloped with content":  {transform(enveloped, "<s:XPath>1</s:XPath>"), exc},
		"a prefix that is none":   {env, transform(c14nExclusive, `<ec:InclusiveNamespaces xmlns:ec="`+c14nExclusive+`" PrefixList="1a"/>`)},
		"the default namespace":   {env, transform(c14nExclusive, `<ec:InclusiveNamespaces xmlns:ec="`+c14nExclusive+`" PrefixList="#default"/>`)},
		"two prefix lists":        {env, transform(c14nExclusive, strings.Repeat(`<ec:InclusiveNamespaces xmlns:ec="`+c14nExclusive+`" PrefixList="saml"/>`, 2))},
		"a prefix list elsewhere": {env, transform(c14nExclusive, `<ec:InclusiveNamespaces xmlns:ec="urn:example:ec" PrefixList="saml"/>`)},
		"no prefix list in it":    {env, transform(c14nExclusive, `<ec:InclusiveNamespaces xmlns:ec="`+c14nExclusive+`"/>`)},
	} {
		list = append(list, penCase{"transforms " + name, func(p *pen) { p.transforms = transforms }, xmlsec.ErrTransforms})
	}
	return list
}

// shapeCases are signatures with a part too many, too few, or in the wrong place. Those
// that stand outside SignedInfo do not break the signature at all.
func shapeCases(trap string) (list []penCase) {
	signed := func(name string, do func(info *etree.Element)) {
		list = append(list, penCase{name, func(p *pen) { p.info = do }, xmlsec.ErrSignatureShape})
	}
	after := func(name string, want error, do func(signature *etree.Element)) {
		list = append(list, penCase{name, func(p *pen) { p.after = do }, want})
	}
	part := func(xml string) *etree.Element {
		return snippet(strings.Replace(xml, ">", ` xmlns:s="`+spaceDS+`">`, 1))
	}
	signed("two references", func(i *etree.Element) { twin(child(i, "Reference")) })
	signed("two references, the first to nothing", func(i *etree.Element) { twin(child(i, "Reference")); child(i, "Reference").CreateAttr("URI", "#_0") })
	signed("no reference", func(i *etree.Element) { drop(child(i, "Reference")) })
	signed("a manifest as reference type", func(i *etree.Element) {
		child(i, "Reference").CreateAttr("Type", "http://www.w3.org/2000/09/xmldsig#Manifest")
	})
	signed("two methods", func(i *etree.Element) { twin(child(i, "SignatureMethod")) })
	signed("two methods, one of SHA-1", func(i *etree.Element) { twin(child(i, "SignatureMethod")).CreateAttr("Algorithm", rsaSHA1) })
	signed("two canonicalizations", func(i *etree.Element) { twin(child(i, "CanonicalizationMethod")) })
	signed("two digest methods", func(i *etree.Element) { twin(at(i, "Reference", "DigestMethod")) })
	signed("two digests", func(i *etree.Element) { twin(at(i, "Reference", "DigestValue")) })
	signed("two lists of transforms", func(i *etree.Element) { twin(at(i, "Reference", "Transforms")) })
	signed("no transforms", func(i *etree.Element) { drop(at(i, "Reference", "Transforms")) })
	signed("no digest", func(i *etree.Element) { drop(at(i, "Reference", "DigestValue")) })
	signed("an empty digest", func(i *etree.Element) { setText(at(i, "Reference", "DigestValue"), "") })
	signed("half a digest", func(i *etree.Element) { setText(at(i, "Reference", "DigestValue"), "AAAAAAAAAAAAAAAAAAAAAA==") })
	signed("a digest in hexadecimal", func(i *etree.Element) { setText(at(i, "Reference", "DigestValue"), strings.Repeat("0a", 32)) })
	signed("an element in the digest", func(i *etree.Element) {
		d := at(i, "Reference", "DigestValue")
		d.Child = nil
		d.AddChild(snippet(foreignXML))
	})
	signed("an ID on SignedInfo", func(i *etree.Element) { i.CreateAttr("Id", "_info") })
	signed("an ID on the reference", func(i *etree.Element) { child(i, "Reference").CreateAttr("Id", "_ref") })
	after("two SignedInfo", xmlsec.ErrSignatureShape, func(s *etree.Element) { twin(child(s, "SignedInfo")) })
	after("a forged SignedInfo first", xmlsec.ErrSignatureShape, func(s *etree.Element) {
		s.InsertChildAt(0, part(`<s:SignedInfo><s:Reference/></s:SignedInfo>`))
	})
	after("a forged SignedInfo last", xmlsec.ErrSignatureShape, func(s *etree.Element) {
		s.AddChild(part(`<s:SignedInfo><s:Reference/></s:SignedInfo>`))
	})
	after("two values", xmlsec.ErrSignatureShape, func(s *etree.Element) { twin(child(s, "SignatureValue")) })
	after("two KeyInfo", xmlsec.ErrSignatureShape, func(s *etree.Element) { twin(child(s, "KeyInfo")) })
	after("two key names", xmlsec.ErrSignatureShape, func(s *etree.Element) { twin(at(s, "KeyInfo", "KeyName")) })
	after("an Object", xmlsec.ErrSignatureShape, func(s *etree.Element) { s.AddChild(snippet(objectXML)) })
	after("a Manifest", xmlsec.ErrSignatureShape, func(s *etree.Element) { s.AddChild(snippet(manifestXML)) })
	after("SignatureProperties", xmlsec.ErrSignatureShape, func(s *etree.Element) {
		s.AddChild(part(`<s:Object><s:SignatureProperties/></s:Object>`))
	})
	after("a foreign element", xmlsec.ErrSignatureShape, func(s *etree.Element) { s.AddChild(snippet(foreignXML)) })
	after("an attribute of no use", xmlsec.ErrSignatureShape, func(s *etree.Element) { s.CreateAttr("Target", "x") })
	after("no value", xmlsec.ErrSignatureShape, func(s *etree.Element) { drop(child(s, "SignatureValue")) })
	after("an empty value", xmlsec.ErrSignatureShape, func(s *etree.Element) { setText(child(s, "SignatureValue"), "") })
	after("a value that is not base64", xmlsec.ErrSignatureShape, func(s *etree.Element) { setText(child(s, "SignatureValue"), "!!!!") })
	after("an element in the value", xmlsec.ErrSignatureShape, func(s *etree.Element) {
		v := child(s, "SignatureValue")
		v.Child = nil
		v.AddChild(snippet(foreignXML))
	})
	after("SignedInfo of another namespace", xmlsec.ErrSignatureShape, func(s *etree.Element) {
		i := child(s, "SignedInfo")
		i.CreateAttr("xmlns:y", "urn:example:y")
		i.Space = "y"
	})
	after("a value of zeros", xmlsec.ErrSignature, func(s *etree.Element) {
		setText(child(s, "SignatureValue"), base64.StdEncoding.EncodeToString(make([]byte, 256)))
	})
	after("a value of one byte", xmlsec.ErrSignature, func(s *etree.Element) { setText(child(s, "SignatureValue"), "AQ==") })
	after("a value too long", xmlsec.ErrSignature, func(s *etree.Element) {
		setText(child(s, "SignatureValue"), base64.StdEncoding.EncodeToString(make([]byte, 257)))
	})
	after("a value with a bit changed", xmlsec.ErrSignature, func(s *etree.Element) {
		v, _ := base64.StdEncoding.DecodeString(child(s, "SignatureValue").Text())
		v[100] ^= 1
		setText(child(s, "SignatureValue"), base64.StdEncoding.EncodeToString(v))
	})
	after("a comment in the digest", xmlsec.ErrComment, func(s *etree.Element) {
		at(s, "SignedInfo", "Reference", "DigestValue").CreateComment("forged")
	})
	after("a retrieval method only", xmlsec.ErrSignature, func(s *etree.Element) {
		setText(child(s, "SignatureValue"), "AQ==")
		k := child(s, "KeyInfo")
		k.Child = nil
		k.AddChild(part(`<s:RetrievalMethod URI="` + trap + `/key"></s:RetrievalMethod>`))
	})
	return list
}

// The right form by the wrong hand.
func TestWrongHand(t *testing.T) {
	t.Parallel()
	s := newStage(t, harness.Options{})
	provider, rival := penOf(s.vat.Home.Signer()), penOf(s.rival.signer())
	nobody := pen{key: strangersKey(4), name: "nobody", certificate: s.rival.pair.Certificate}
	weak := pen{key: weakPair().Key, name: "weak", certificate: weakPair().Certificate}
	unnamed := func(p pen) pen { p.keyInfo = "-"; return p }
	with := func(p pen, keyInfo string) pen { p.keyInfo = keyInfo; return p }
	borrowing := func(p pen, owner pen) pen { p.keyInfo = `<s:KeyName>` + owner.name + `</s:KeyName>`; return p }
	broker, authenticator := penOf(s.net.Broker.Signer()), penOf(s.net.Authenticator.Signer())

	query := func(p pen) func(*letter) []byte {
		return func(l *letter) []byte { p.sign(l.query()); return l.bytes() }
	}
	login := func(p pen) func(*letter) []byte {
		return func(l *letter) []byte { p.sign(l.assertion()); return l.reseal().bytes() }
	}
	as := func(issuer string, p pen) func(*letter) []byte {
		return func(l *letter) []byte {
			setText(child(l.query(), "Issuer"), issuer)
			p.sign(l.query())
			return l.bytes()
		}
	}
	loginAs := func(issuer string, p pen) func(*letter) []byte {
		return func(l *letter) []byte {
			setText(child(l.assertion(), "Issuer"), issuer)
			p.sign(l.assertion())
			return l.reseal().bytes()
		}
	}
	entity := func(p *harness.Party) string { return p.Entity.String() }
	list := []attack{
		{"a rival broker's key, by its name", query(rival), fault(xmlsec.ErrKeyName)},
		{"a rival broker's key, without a name", query(unnamed(rival)), fault(xmlsec.ErrSignature)},
		{"a rival broker's key, under the broker's name", query(borrowing(rival, broker)), fault(xmlsec.ErrSignature)},
		{"the authenticator's key on a broker's query", query(unnamed(authenticator)), fault(xmlsec.ErrSignature)},
		{"the provider's key on a broker's query", query(unnamed(provider)), fault(xmlsec.ErrSignature)},
		{"a key nobody knows", query(nobody), fault(xmlsec.ErrKeyName)},
		{"a key nobody knows, with its certificate", query(with(nobody, nobody.x509())), fault(xmlsec.ErrSignature)},
		{"a key nobody knows, with a certificate and the broker's name", query(with(nobody, `<s:KeyName>`+broker.name+`</s:KeyName>`+nobody.x509())), fault(xmlsec.ErrSignature)},
		{"a key nobody knows, as RSAKeyValue", query(with(nobody, nobody.keyValue())), fault(xmlsec.ErrSignature)},
		{"a key nobody knows, as RSAKeyValue beside the broker's certificate", query(with(nobody, nobody.keyValue()+broker.x509())), fault(xmlsec.ErrSignature)},
		{"a key to be fetched", query(with(nobody, `<s:RetrievalMethod URI="`+s.trap.URL+`/key" Type="http://www.w3.org/2000/09/xmldsig#rawX509Certificate"/>`)), fault(xmlsec.ErrSignature)},
		{"a weak key", query(weak), fault(xmlsec.ErrKeyName)},
		{"a weak key with its certificate", query(with(weak, weak.x509())), fault(xmlsec.ErrSignature)},
		{"an authenticator that asks", as(entity(s.net.Authenticator), authenticator), fault(xmlsec.ErrUnknownIssuer)},
		{"the register itself that asks", as(entity(s.net.First.Party), penOf(s.net.First.Signer())), fault(xmlsec.ErrUnknownIssuer)},
		{"a broker nobody knows", as("urn:etoegang:HM:00000009999999990000:entities:9999", nobody), fault(xmlsec.ErrUnknownIssuer)},
		{"an issuer that is no EntityID", as("https://broker.test/", broker), fault(xmlsec.ErrUnknownIssuer)},
		{"an issuer with a space", as(entity(s.net.Broker.Party)+" ", broker), fault(xmlsec.ErrUnknownIssuer)},
		{"an issuer in capitals", as(strings.ToUpper(entity(s.net.Broker.Party)), broker), fault(xmlsec.ErrUnknownIssuer)},
		{"a broker whose certificate has expired", as(s.expired.entity.String(), penOf(s.expired.signer())), fault(xmlsec.ErrCertificate)},
		{"a broker whose metadata have expired", as(s.forgotten.entity.String(), penOf(s.forgotten.signer())), fault(xmlsec.ErrUnknownIssuer)},
		{"a rival broker with somebody else's log-in", as(s.rival.entity.String(), rival), refused("subject-confirmation")},
		{"the provider with a bare log-in", as(entity(s.vat.Home), provider), refused("assertions")},

		{"log-in: the broker's key", login(unnamed(broker)), fault(xmlsec.ErrSignature)},
		{"log-in: the broker's key, by its name", login(broker), fault(xmlsec.ErrKeyName)},
		{"log-in: the provider's key", login(unnamed(provider)), fault(xmlsec.ErrSignature)},
		{"log-in: a key nobody knows, with its certificate", login(with(nobody, nobody.x509())), fault(xmlsec.ErrSignature)},
		{"log-in: a key nobody knows, as RSAKeyValue", login(with(nobody, nobody.keyValue())), fault(xmlsec.ErrSignature)},
		{"log-in: a weak key with its certificate", login(with(weak, weak.x509())), fault(xmlsec.ErrSignature)},
		{"log-in: the provider as authenticator", loginAs(entity(s.vat.Home), provider), fault(xmlsec.ErrUnknownIssuer)},
		{"log-in: an authenticator nobody knows", loginAs("urn:etoegang:AD:00000009999999990000:entities:9999", nobody), fault(xmlsec.ErrUnknownIssuer)},
		{"log-in: the broker as authenticator", loginAs(entity(s.net.Broker.Party), broker), refused("assertions")},
		{"log-in: a rival broker as authenticator", loginAs(s.rival.entity.String(), rival), refused("assertions")},
		{"log-in: the register as authenticator", loginAs(entity(s.net.First.Party), penOf(s.net.First.Signer())), refused("forbidden-content")},
	}
	s.attacks(t, list)
}

// Signatures that are missing, doubled, borrowed or astray, and issuers and IDs that are
// not exactly one.
func TestSignaturesAndIDs(t *testing.T) {
	t.Parallel()
	s := newStage(t, harness.Options{})
	edit := func(do func(l *letter)) func(*letter) []byte {
		return func(l *letter) []byte { do(l); return l.bytes() }
	}
	signed := func(do func(l *letter)) func(*letter) []byte {
		return func(l *letter) []byte { do(l); return l.reseal().bytes() }
	}
	signature := func(el *etree.Element) *etree.Element { return child(el, "Signature") }
	list := []attack{
		{"no signature on the query", edit(func(l *letter) { drop(signature(l.query())) }), fault(xmlsec.ErrSignatureCount)},
		{"no signature on the log-in", signed(func(l *letter) { drop(signature(l.assertion())) }), fault(xmlsec.ErrSignatureCount)},
		{"no signature at all", edit(func(l *letter) { drop(signature(l.query())); drop(signature(l.assertion())) }), fault(xmlsec.ErrSignatureCount)},
		{"two on the query", edit(func(l *letter) { twin(signature(l.query())) }), fault(xmlsec.ErrSignatureCount)},
		{"two on the log-in", signed(func(l *letter) { twin(signature(l.assertion())) }), fault(xmlsec.ErrSignatureCount)},
		{"the log-in's for the query", edit(func(l *letter) {
			drop(signature(l.query()))
			l.query().AddChild(signature(l.assertion()).Copy())
		}), fault(xmlsec.ErrReference)},
		{"the query's for the log-in", edit(func(l *letter) {
			own := signature(l.query()).Copy()
			drop(signature(l.assertion()))
			l.assertion().AddChild(own)
		}), fault(xmlsec.ErrReference)},
		{"another query's", edit(func(l *letter) {
			drop(signature(l.query()))
			l.query().AddChild(signature(s.letter(s.anna).query()).Copy())
		}), fault(xmlsec.ErrReference)},
		{"another query's, and its ID", edit(func(l *letter) {
			other := s.letter(s.anna).query()
			drop(signature(l.query()))
			l.query().CreateAttr("ID", other.SelectAttrValue("ID", ""))
			l.query().AddChild(signature(other).Copy())
		}), fault(xmlsec.ErrSignature)},
		{"one beside the query", edit(func(l *letter) { l.body().AddChild(drop(signature(l.query()))) }), fault(saml.ErrNoQuery)},
		{"one deep inside the query", edit(func(l *letter) { at(l.request(), "Subject").AddChild(drop(signature(l.query()))) }), fault(xmlsec.ErrSignatureCount)},
		{"one more, in the Request", edit(func(l *letter) { at(l.request(), "Subject").AddChild(signature(l.query()).Copy()) }), fault(xmlsec.ErrSignaturePlace)},
		{"one of another namespace", edit(func(l *letter) {
			g := signature(l.query())
			g.CreateAttr("xmlns:ds", "http://www.w3.org/2000/09/xmldsig##")
		}), fault(xmlsec.ErrSignatureCount)},

		{"no issuer", signed(func(l *letter) { drop(child(l.query(), "Issuer")) }), fault(xmlsec.ErrIssuer)},
		{"two issuers", signed(func(l *letter) { twin(child(l.query(), "Issuer")) }), fault(xmlsec.ErrIssuer)},
		{"two issuers that differ", signed(func(l *letter) {
			setText(twin(child(l.query(), "Issuer")), s.rival.entity.String())
		}), fault(xmlsec.ErrIssuer)},
		{"an element in the issuer", signed(func(l *letter) {
			i := child(l.query(), "Issuer")
			i.Child = nil
			i.AddChild(snippet(foreignXML))
		}), fault(xmlsec.ErrIssuer)},
		{"an empty issuer", signed(func(l *letter) { setText(child(l.query(), "Issuer"), "") }), fault(xmlsec.ErrUnknownIssuer)},
		{"log-in: two issuers", func(l *letter) []byte { twin(child(l.assertion(), "Issuer")); return l.resign().bytes() }, fault(xmlsec.ErrIssuer)},

		{"no ID", signed(func(l *letter) { l.query().RemoveAttr("ID") }), fault(xmlsec.ErrReference)},
		{"an empty ID", signed(func(l *letter) { l.query().CreateAttr("ID", "") }), fault(xmlsec.ErrBadID)},
		{"an ID that is a number", signed(func(l *letter) { l.query().CreateAttr("ID", "1") }), fault(xmlsec.ErrBadID)},
		{"an ID with a colon", signed(func(l *letter) { l.query().CreateAttr("ID", "a:b") }), fault(xmlsec.ErrBadID)},
		{"an ID of 300 letters", signed(func(l *letter) { l.query().CreateAttr("ID", strings.Repeat("a", 300)) }), fault(xmlsec.ErrBadID)},
		{"an ID in other letters", signed(func(l *letter) { l.query().CreateAttr("ID", "_é") }), fault(xmlsec.ErrBadID)},
		{"a namespaced ID beside it", signed(func(l *letter) {
			l.query().CreateAttr("xmlns:foo", "urn:example:foo")
			l.query().CreateAttr("foo:ID", "_other")
		}), fault(xmlsec.ErrReference)},
		{"a namespaced ID instead", signed(func(l *letter) {
			l.query().CreateAttr("xmlns:foo", "urn:example:foo")
			l.query().CreateAttr("foo:ID", l.query().SelectAttrValue("ID", ""))
			l.query().RemoveAttr("ID")
		}), fault(xmlsec.ErrReference)},
		{"an Id beside it", signed(func(l *letter) { l.query().CreateAttr("Id", "_other") }), fault(xmlsec.ErrReference)},
		{"an xml:id beside it", signed(func(l *letter) { l.query().CreateAttr("xml:id", "_other") }), fault(xmlsec.ErrReference)},
	}
	for _, attribute := range []string{"ID", "Id", "id", "iD", "xml:id", "foo:ID", "wsu:Id"} {
		list = append(list, attack{"the query's ID again, as " + attribute, edit(func(l *letter) {
			block := snippet(`<x:h xmlns:x="urn:example:h" xmlns:foo="urn:example:foo" xmlns:wsu="http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"/>`)
			block.CreateAttr(attribute, l.query().SelectAttrValue("ID", ""))
			inHeader(l, block)
		}), fault(xmlsec.ErrDuplicateID)}, attack{"the log-in's ID again, as " + attribute, signed(func(l *letter) {
			value := snippet(`<x:h xmlns:x="urn:example:h" xmlns:foo="urn:example:foo" xmlns:wsu="http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"/>`)
			value.CreateAttr(attribute, l.assertion().SelectAttrValue("ID", ""))
			at(l.request(), "Subject").AddChild(value)
		}), fault(xmlsec.ErrDuplicateID)})
	}
	s.attacks(t, list)
}

// Whatever letter of an honest message is changed, the signature over it no longer fits.
// The few places that something else looks at first say so.
func TestAnyLetterChanged(t *testing.T) {
	t.Parallel()
	s := newStage(t, harness.Options{})
	honest := s.letter(s.anna)
	for i, c := range changes(honest) {
		t.Run(fmt.Sprintf("%d %s", i, c.name), func(t *testing.T) {
			l := honest.copy()
			c.do(changes(l)[i].el)
			s.repels(t, l.bytes(), fault(c.want))
		})
	}
	s.answers(t, honest.bytes(), s.anna)
}

// change is one value of a message, altered.
type change struct {
	name string
	el   *etree.Element
	do   func(*etree.Element)
	want error
}

func changes(l *letter) (list []change) {
	for _, el := range l.query().FindElements(".//*") {
		if inSignature(el) {
			continue
		}
		if text := el.Text(); strings.TrimSpace(text) != "" && len(el.ChildElements()) == 0 {
			want := xmlsec.ErrSignature
			if el.Tag == "Issuer" {
				want = xmlsec.ErrUnknownIssuer
			}
			list = append(list, change{"text of " + el.Tag, el, func(el *etree.Element) { setText(el, other(text)) }, want})
		}
		for _, a := range el.Attr {
			if a.Space == "xmlns" || a.Key == "xmlns" {
				continue
			}
			want := xmlsec.ErrSignature
			if a.Key == "ID" {
				want = xmlsec.ErrReference
			}
			name := a.FullKey()
			list = append(list, change{name + " of " + el.Tag, el, func(el *etree.Element) { el.CreateAttr(name, other(a.Value)) }, want})
		}
	}
	return list
}

func inSignature(el *etree.Element) bool {
	for ; el != nil; el = el.Parent() {
		if el.Tag == "Signature" {
			return true
		}
	}
	return false
}

// other changes the last letter or digit of a text.
func other(text string) string {
	b := []byte(text)
	last := len(b) - 1
	for last > 0 && !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", rune(b[last])) {
		last--
	}
	if b[last]++; strings.ContainsRune(":[{", rune(b[last])) {
		b[last] -= 2
	}
	return string(b)
}
