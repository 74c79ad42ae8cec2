package xmlsec

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"time"
)

func TestHonestQueryIsBelieved(t *testing.T) {
	doc := honestQuery(t)
	verified, err := verifyQuery(t, doc)
	if err != nil {
		t.Fatalf("%v\n%s", err, doc)
	}
	if len(verified) != 2 || verified[0].Place() != "query" || verified[1].Place() != "assertion" {
		t.Fatalf("got %+v, want the query and its assertion, in document order", verified)
	}
	if verified[0].Issuer() != brokerID || verified[1].Issuer() != authenticatorID {
		t.Errorf("issuers: got %q and %q", verified[0].Issuer(), verified[1].Issuer())
	}
	if verified[0].Parent() != -1 || verified[1].Parent() != 0 {
		t.Errorf("parents: got %d and %d, want -1 and 0", verified[0].Parent(), verified[1].Parent())
	}
	if got := subjectOf(t, verified[1].Root()); got != "alice" {
		t.Errorf("subject: got %q", got)
	}
	if got := verified[1].SignatureValue(); !strings.Contains(string(doc), ">"+got+"<") {
		t.Errorf("signature value %q is not in the message", got)
	}
}

func subjectOf(t testing.TB, assertion *Node) string {
	t.Helper()
	subject, err := assertion.One(Name{spaceSAML, "Subject"})
	if err != nil {
		t.Fatal(err)
	}
	name, err := subject.One(nameNameID)
	if err != nil {
		t.Fatal(err)
	}
	return name.Text
}

// The query's own signature also covers the assertion in it. Reading the assertion
// from there would skip the question whether its issuer signed it, so it is not
// there to be read.
func TestOuterCopyOfNestedElementIsBare(t *testing.T) {
	verified, err := verifyQuery(t, honestQuery(t))
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	_ = verified[0].Root().each(func(n *Node) error {
		if n.Name == nameAssertion {
			found++
			if len(n.Attrs)+len(n.Children)+len(n.Text) > 0 {
				t.Errorf("the outer copy says %+v", n)
			}
		}
		return nil
	})
	if found != 1 {
		t.Errorf("found %d assertions in the query, want its bare name once", found)
	}
	if !strings.Contains(verified[0].Root().Children[1].Name.Local, "Extensions") {
		t.Errorf("the signature should be gone, got %v", verified[0].Root().Children[1].Name)
	}
}

func TestZeroVerifiedSaysNothing(t *testing.T) {
	if (Verified{}).Root() != nil || (Verified{}).Issuer() != "" {
		t.Error("a Verified nobody verified can be read")
	}
}

// Pieces of the honest message, for wrapping it.

func piece(doc, tag string) string {
	start, end := strings.Index(doc, "<"+tag), strings.LastIndex(doc, "</"+tag+">")
	return doc[start : end+len("</"+tag+">")]
}

// ownSignature is the signature of a signed element: the first in it.
func ownSignature(el string) string {
	start, end := strings.Index(el, "<ds:Signature "), strings.Index(el, "</ds:Signature>")
	return el[start : end+len("</ds:Signature>")]
}

func unsigned(el string) string { return strings.Replace(el, ownSignature(el), "", 1) }

// evil is an assertion about somebody else, under another ID.
func evil(assertion string) string {
	return strings.NewReplacer("alice", "mallory", `ID="_ad1"`, `ID="_evil"`).Replace(unsigned(assertion))
}

func insertAfterIssuer(el, what string) string {
	return strings.Replace(el, "</saml:Issuer>", "</saml:Issuer>"+what, 1)
}

// Signature wrapping: the signed original is kept where a verifier that searches
// would find it, and a forgery stands where a reader looks. "Breaking SAML: be
// whoever you want to be" (USENIX Security 2012) numbers the variants.
func TestWrappingIsRefused(t *testing.T) {
	doc := string(honestQuery(t))
	query, original := piece(doc, "xacml-samlp:XACMLAuthzDecisionQuery"), piece(doc, "saml:Assertion")
	signature, forged := ownSignature(original), evil(original)
	object := func(inside string) string {
		return strings.Replace(signature, "</ds:Signature>", "<ds:Object>"+inside+"</ds:Object></ds:Signature>", 1)
	}
	at := func(with string) string { return strings.Replace(doc, original, with, 1) }
	evilQuery := strings.NewReplacer(`ID="_q1"`, `ID="_evil"`, "loa3", "loa4").Replace(unsigned(query))

	for _, a := range []struct {
		name, doc string
		want      error
	}{
		{"1: forged query holds the original in its signature", strings.Replace(doc, query, insertAfterIssuer(evilQuery,
			strings.Replace(ownSignature(query), "</ds:Signature>", "<ds:Object>"+unsigned(query)+"</ds:Object></ds:Signature>", 1)), 1), ErrDuplicateID},
		{"2: forged query beside the original", strings.Replace(doc, query, query+evilQuery, 1), ErrDuplicateID},
		{"2: forged query beside an original emptied of its assertion", strings.Replace(doc, query, query+strings.Replace(evilQuery, original, "", 1), 1), ErrPlaceCount},
		{"3: forged assertion before the original", at(forged + original), ErrPlaceCount},
		{"3: forged assertion after the original", at(original + forged), ErrPlaceCount},
		{"4: original inside the forged assertion", at(strings.Replace(forged, "</saml:Assertion>", original+"</saml:Assertion>", 1)), ErrSignatureCount},
		{"5: forged assertion with the original's signature, original beside it", at(insertAfterIssuer(forged, signature) + unsigned(original)), ErrPlaceCount},
		{"6: original in the signature of the forged assertion", at(insertAfterIssuer(forged, strings.Replace(signature, "</ds:Signature>", unsigned(original)+"</ds:Signature>", 1))), ErrSignatureShape},
		{"7: original in an extension of the forged assertion", at(strings.Replace(forged, "<saml:Subject>", "<samlp:Extensions>"+original+"</samlp:Extensions><saml:Subject>", 1)), ErrSignatureCount},
		{"8: original in an Object of the forged assertion's signature", at(insertAfterIssuer(forged, object(unsigned(original)))), ErrSignatureShape},
		{"9: original in KeyInfo", at(insertAfterIssuer(forged, strings.Replace(signature, "</ds:KeyInfo>", unsigned(original)+"</ds:KeyInfo>", 1))), ErrReference},
		{"original moved into the SOAP header", strings.Replace(at(forged), "<soap:Body>", "<soap:Header>"+original+"</soap:Header><soap:Body>", 1), ErrSignatureCount},
		{"original query in a second body", strings.Replace(doc, "</soap:Body>", "</soap:Body><soap:Body>"+evilQuery+"</soap:Body>", 1), ErrDuplicateID},
		{"second signature outside every place", strings.Replace(doc, "<soap:Body>", "<soap:Header>"+signature+"</soap:Header><soap:Body>", 1), ErrSignaturePlace},
		{"second signature in the query", insertInto(doc, query, signature), ErrSignatureCount},
		{"signature one level deeper", strings.Replace(doc, signature, "<saml:Advice>"+signature+"</saml:Advice>", 1), ErrSignatureCount},
		{"no assertion", at(""), ErrPlaceCount},
		{"assertion without signature", at(unsigned(original)), ErrSignatureCount},
		{"assertion in another namespace", at(strings.ReplaceAll(original, "saml:Assertion", "samlp:Assertion")), ErrPlaceCount},
		{"assertion's signature borrowed by the query", strings.Replace(doc, ownSignature(query), signature, 1), ErrReference},
		{"query's signature borrowed by the assertion", strings.Replace(doc, signature, ownSignature(query), 1), ErrReference},
		{"changed subject", strings.Replace(doc, ">alice<", ">mallory<", 1), ErrSignature},
		{"changed query", strings.Replace(doc, "loa3", "loa4", 1), ErrSignature},
		{"changed space in a value", strings.Replace(doc, ">alice<", ">alice <", 1), ErrSignature},
	} {
		t.Run(a.name, func(t *testing.T) {
			if a.doc == doc {
				t.Fatal("the attack changed nothing")
			}
			if _, err := verifyQuery(t, []byte(a.doc)); !errors.Is(err, a.want) {
				t.Errorf("got %v, want %v", err, a.want)
			}
		})
	}
}

func insertInto(doc, query, what string) string {
	return strings.Replace(doc, query, insertAfterIssuer(query, what), 1)
}

// forgery is a signature that is cryptographically right but not built as ours: a
// careless library, asked whether it fits, would say yes.
type forgery struct {
	info      func(info *Element)      // changes SignedInfo before it is signed
	signature func(signature *Element) // changes Signature afterwards
	element   func(e *Element)         // changes the signed element beforehand
}

// forge signs a query with it, the way Sign does.
func forge(t *testing.T, by party, f forgery) []byte {
	t.Helper()
	e := query(mustSign(t, someone(t, "authenticator"), assertion("alice")))
	if f.element != nil {
		f.element(e)
	}
	list := e.gatherDeclared()
	info := signedInfo("_q1", list, digestOf(e.canonical(list)))
	if f.info != nil {
		f.info(info)
	}
	value, err := by.signer().sign(info.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	signature := E("ds:Signature", info, E("ds:SignatureValue", base64.StdEncoding.EncodeToString(value)), E("ds:KeyInfo", E("ds:KeyName", by.name)))
	if f.signature != nil {
		f.signature(signature)
	}
	e.insert(signature)
	return envelop(e).Bytes()
}

// at walks to a child of a child.
func at(e *Element, path ...int) *Element {
	for _, i := range path {
		e = e.content[i].element
	}
	return e
}

func setAttribute(e *Element, name, value string) {
	for i := range e.attributes {
		if e.attributes[i].local == name {
			e.attributes[i].value = value
		}
	}
}

func dropAttribute(e *Element) { e.attributes = nil }

func TestOddSignaturesAreRefused(t *testing.T) {
	const (
		method, sigMethod, reference = 0, 1, 2 // in SignedInfo
		transforms, digest, value    = 0, 1, 2 // in Reference
	)
	set := func(to string, path ...int) forgery {
		return forgery{info: func(info *Element) { setAttribute(at(info, path...), "Algorithm", to) }}
	}
	uri := func(to string) forgery {
		return forgery{info: func(info *Element) { setAttribute(at(info, reference), "URI", to) }}
	}
	add := func(what any, path ...int) forgery {
		return forgery{info: func(info *Element) { at(info, path...).add(what) }}
	}
	outside := func(change func(*Element)) forgery { return forgery{signature: change} }
	swap := func(e *Element, i, j int) { e.content[i], e.content[j] = e.content[j], e.content[i] }
	drop := func(e *Element, i int) { e.content = append(e.content[:i:i], e.content[i+1:]...) }
	inclusive := func(list string) *Element { return E("ec:InclusiveNamespaces", A("PrefixList", list)) }
	text := func(e *Element, to string) { e.content = []content{{text: to}} }
	parameters := func(with ...*Element) forgery { // of the canonicalization
		return forgery{info: func(info *Element) {
			c14n := at(info, reference, transforms, 1)
			c14n.content = nil
			c14n.add(with)
		}}
	}
	mallory := someone(t, "mallory")

	for _, a := range []struct {
		name    string
		forgery forgery
		want    error
	}{
		{"nothing odd", forgery{}, nil},
		{"a blank where nothing belongs", add(" \n", reference, digest), nil},
		{"an Id on the signature", outside(func(s *Element) { s.add(A("Id", "_sig")) }), nil},
		{"no key info", outside(func(s *Element) { drop(s, 2) }), nil},
		{"an attribute that comes before the ID", forgery{element: func(e *Element) { e.add(A("Consent", "urn:x")) }}, nil},
		{"empty prefix list", parameters(inclusive("")), ErrSignature}, // well built, but does not fit: xs is declared
		{"signature value in lines", outside(func(s *Element) {
			v := at(s, 1)
			text(v, "\n  "+v.content[0].text[:76]+"\n  "+v.content[0].text[76:]+"\n")
		}), nil},

		{"canonicalization with comments", set(algorithmC14n+"WithComments", method), ErrAlgorithm},
		{"inclusive canonicalization", set("http://www.w3.org/TR/2001/REC-xml-c14n-20010315", method), ErrAlgorithm},
		{"prefix list for SignedInfo", add(inclusive("ds"), method), ErrAlgorithm},
		{"RSA-SHA1", set("http://www.w3.org/2000/09/xmldsig#rsa-sha1", sigMethod), ErrAlgorithm},
		{"HMAC with the public key", set("http://www.w3.org/2000/09/xmldsig#hmac-sha1", sigMethod), ErrAlgorithm},
		{"HMAC-SHA256", set("http://www.w3.org/2001/04/xmldsig-more#hmac-sha256", sigMethod), ErrAlgorithm},
		{"algorithm in other letters", set(strings.ToUpper(algorithmRSASHA256), sigMethod), ErrAlgorithm},
		{"algorithm with a space", set(algorithmRSASHA256+" ", sigMethod), ErrAlgorithm},
		{"truncated output", add(E("saml:Audience", "1"), sigMethod), ErrAlgorithm},
		{"text in the signature method", add("1", sigMethod), ErrAlgorithm},
		{"no algorithm", forgery{info: func(i *Element) { dropAttribute(at(i, sigMethod)) }}, ErrAlgorithm},
		{"twin of the algorithm", add(A("xsi:Algorithm", algorithmRSASHA256), sigMethod), ErrAlgorithm},
		{"signature method twice", forgery{info: func(i *Element) {
			i.content = append(i.content[:2:2], i.content[1:]...)
		}}, ErrSignatureShape},
		{"SHA-1 digest", set(algorithmSHA1, reference, digest), ErrAlgorithm},
		{"twin of the digest algorithm", add(A("xsi:Algorithm", algorithmSHA256), reference, digest), ErrAlgorithm},
		{"digest of nothing", forgery{info: func(i *Element) { at(i, reference, value).content = nil }}, ErrSignatureShape},
		{"digest of 20 bytes", forgery{info: func(i *Element) { text(at(i, reference, value), "2jmj7l5rSw0yVb/vlWAYkK/YBwk=") }}, ErrSignatureShape},
		{"digest that is not base64", forgery{info: func(i *Element) { text(at(i, reference, value), "!") }}, ErrSignatureShape},
		{"digest that is right as far as it is base64", forgery{info: func(i *Element) {
			v := at(i, reference, value)
			text(v, v.content[0].text+"!")
		}}, ErrSignatureShape},
		{"digest with an attribute", add(A("Encoding", "x"), reference, value), ErrSignatureShape},

		{"empty URI", uri(""), ErrReference},
		{"question mark for the number sign", uri("?_q1"), ErrReference},
		{"ID for the URI", uri("_q1"), ErrReference},
		{"URI of the nested assertion", uri("#_ad1"), ErrReference},
		{"URI of nothing", uri("#_none"), ErrReference},
		{"xpointer", uri("#xpointer(id('_q1'))"), ErrReference},
		{"external URI", uri("http://x.example/#_q1"), ErrReference},
		{"no URI", forgery{info: func(i *Element) { dropAttribute(at(i, reference)) }}, ErrReference},
		{"twin of the URI", add(A("xsi:URI", "#_q1"), reference), ErrSignatureShape},
		{"type of the reference", add(A("Type", "x"), reference), ErrSignatureShape},
		{"two references", forgery{info: func(i *Element) { i.add(at(i, reference)) }}, ErrSignatureShape},
		{"no reference", forgery{info: func(i *Element) { drop(i, reference) }}, ErrSignatureShape},
		{"no digest value", forgery{info: func(i *Element) { drop(at(i, reference), value) }}, ErrSignatureShape},
		{"no transforms", forgery{info: func(i *Element) { drop(at(i, reference), transforms) }}, ErrSignatureShape},
		{"digest before transforms", forgery{info: func(i *Element) { swap(at(i, reference), 0, 1) }}, ErrSignatureShape},

		{"only one transform", forgery{info: func(i *Element) { drop(at(i, reference, transforms), 1) }}, ErrTransforms},
		{"transforms swapped", forgery{info: func(i *Element) { swap(at(i, reference, transforms), 0, 1) }}, ErrTransforms},
		{"three transforms", forgery{info: func(i *Element) {
			all := at(i, reference, transforms)
			all.add(at(all, 1))
		}}, ErrTransforms},
		{"XPath", set("http://www.w3.org/TR/1999/REC-xpath-19991116", reference, transforms, 0), ErrTransforms},
		{"XSLT", set("http://www.w3.org/TR/1999/REC-xslt-19991116", reference, transforms, 1), ErrTransforms},
		{"canonicalization of the element with comments", set(algorithmC14n+"WithComments", reference, transforms, 1), ErrTransforms},
		{"attribute of the transforms", add(A("Type", "x"), reference, transforms), ErrTransforms},
		{"twin of the transform", add(A("xsi:Algorithm", algorithmC14n), reference, transforms, 0), ErrTransforms},
		{"parameter of the enveloped transform", add(inclusive("xs"), reference, transforms, 0), ErrTransforms},
		{"text in the canonicalization", forgery{info: func(i *Element) { text(at(i, reference, transforms, 1), "x") }}, ErrTransforms},
		{"two prefix lists", parameters(inclusive("xs"), inclusive("xs")), ErrTransforms},
		{"default namespace in the prefix list", parameters(inclusive("#default xs")), ErrTransforms},
		{"prefix list split by a no-break space", parameters(inclusive("xs\u00a0xsi")), ErrTransforms},
		{"prefix list split by a letter that ends like a space", parameters(inclusive("xs\u0120xsi")), ErrTransforms},
		{"prefix list with more", parameters(E("ec:InclusiveNamespaces", A("PrefixList", "xs"), A("Other", "x"))), ErrTransforms},
		{"prefix list missing", parameters(E("ec:InclusiveNamespaces")), ErrTransforms},
		{"other parameter", parameters(E("saml:Audience", A("PrefixList", "xs"))), ErrTransforms},
		{"text in the prefix list", parameters(E("ec:InclusiveNamespaces", A("PrefixList", "xs"), "x")), ErrTransforms},
		{"transform under another name", forgery{info: func(i *Element) { at(i, reference, transforms, 1).local = "Other" }}, ErrTransforms},

		{"two SignedInfo", outside(func(s *Element) { s.content = append(s.content[:1:1], s.content...) }), ErrSignatureShape},
		{"two signature values", outside(func(s *Element) { s.content = append(s.content[:2:2], s.content[1:]...) }), ErrSignatureShape},
		{"two KeyInfo", outside(func(s *Element) { s.add(at(s, 2)) }), ErrSignatureShape},
		{"an Object", outside(func(s *Element) { s.add(E("ds:Object")) }), ErrSignatureShape},
		{"an Object for KeyInfo", outside(func(s *Element) { s.content[2].element = E("ds:Object") }), ErrSignatureShape},
		{"KeyInfo before the value", outside(func(s *Element) { swap(s, 1, 2) }), ErrSignatureShape},
		{"no value", outside(func(s *Element) { s.content = s.content[:1] }), ErrSignatureShape},
		{"value in another namespace", outside(func(s *Element) { at(s, 1).space, at(s, 1).prefix = spaceSAML, "saml" }), ErrSignatureShape},
		{"SignedInfo in another namespace", forgery{info: func(i *Element) { i.space, i.prefix = spaceSAML, "saml" }}, ErrSignatureShape},
		{"foreign attribute of the signature", outside(func(s *Element) { s.add(A("xsi:Id", "_sig")) }), ErrSignatureShape},
		{"attribute of SignedInfo", forgery{info: func(i *Element) { i.add(A("Id", "_info")) }}, ErrSignatureShape},
		{"empty value", outside(func(s *Element) { at(s, 1).content = nil }), ErrSignatureShape},
		{"value with an attribute", outside(func(s *Element) { at(s, 1).add(A("Id", "_v")) }), ErrSignatureShape},
		{"value that is not base64", outside(func(s *Element) { text(at(s, 1), "!") }), ErrSignatureShape},
		{"value with stray bits at the end", outside(func(s *Element) { text(at(s, 1), strayBits(at(s, 1).content[0].text)) }), ErrSignatureShape},
		{"value cut short", outside(func(s *Element) { text(at(s, 1), "AAAA") }), ErrSignature},

		{"two key names", outside(func(s *Element) { at(s, 2).add(E("ds:KeyName", "other")) }), ErrSignatureShape},
		{"elements in the key name", outside(func(s *Element) { at(s, 2, 0).content = []content{{element: E("ds:KeyName")}} }), ErrSignatureShape},
		{"unknown key name", outside(func(s *Element) { text(at(s, 2, 0), "other") }), ErrKeyName},
		{"empty key name", outside(func(s *Element) { at(s, 2, 0).content = nil }), ErrKeyName},
		{"key name with a space", outside(func(s *Element) { text(at(s, 2, 0), " "+at(s, 2, 0).content[0].text) }), ErrKeyName},

		{"no ID", forgery{element: func(e *Element) { e.attributes = e.attributes[1:] }}, ErrReference},
		{"no ID, and a URI to match", forgery{
			element: func(e *Element) { e.attributes = e.attributes[1:] },
			info:    func(i *Element) { setAttribute(at(i, reference), "URI", "#") },
		}, ErrReference},
		{"twin of the ID", forgery{element: func(e *Element) { e.add(A("xsi:ID", "_twin")) }}, ErrReference},
		{"Id beside the ID", forgery{element: func(e *Element) { e.add(A("Id", "_twin")) }}, ErrReference},
		{"two issuers", forgery{element: func(e *Element) { e.add(E("saml:Issuer", authenticatorID)) }}, ErrIssuer},
		{"no issuer", forgery{element: func(e *Element) { e.content = e.content[1:] }}, ErrIssuer},
		{"issuer with elements", forgery{element: func(e *Element) { at(e, 0).content = []content{{element: E("saml:NameID", brokerID)}} }}, ErrIssuer},
		{"issuer nobody knows", forgery{element: func(e *Element) { text(at(e, 0), "urn:x") }}, ErrUnknownIssuer},
		{"issuer with a space", forgery{element: func(e *Element) { text(at(e, 0), brokerID+" ") }}, ErrUnknownIssuer},
		{"issuer of another role", forgery{element: func(e *Element) { text(at(e, 0), authenticatorID) }}, ErrUnknownIssuer},
		{"certificate of a stranger", outside(func(s *Element) {
			s.content[2].element = Signer{X509: true, Certificate: mallory.certificate}.keyInfo()
		}), nil}, // ignored: the broker's own key did sign
	} {
		t.Run(a.name, func(t *testing.T) {
			_, err := verifyQuery(t, forge(t, someone(t, "broker"), a.forgery))
			if !errors.Is(err, a.want) {
				t.Errorf("got %v, want %v", err, a.want)
			}
		})
	}
}

// strayBits spells the same bytes another way: 256 bytes of base64 leave four
// bits at the end that nobody reads.
func strayBits(value string) string {
	return value[:len(value)-3] + string(value[len(value)-3]+1) + "=="
}

// Mallory signs as the broker, with her own key and whatever she can say about it.
func TestStrangersKeyIsRefused(t *testing.T) {
	mallory, broker := someone(t, "mallory"), someone(t, "broker")
	for name, info := range map[string]*Element{
		"nothing":                   nil,
		"her certificate":           Signer{X509: true, Certificate: mallory.certificate}.keyInfo(),
		"the broker's certificate":  Signer{X509: true, Certificate: broker.certificate}.keyInfo(),
		"the broker's key name":     Signer{KeyName: broker.name}.keyInfo(),
		"name and her certificate":  E("ds:KeyInfo", E("ds:KeyName", broker.name), at(Signer{X509: true, Certificate: mallory.certificate}.keyInfo(), 0)),
		"a place to fetch one from": E("ds:KeyInfo", E("ds:RetrievalMethod", A("URI", "http://x.example/"))),
	} {
		doc := forge(t, mallory, forgery{signature: func(s *Element) {
			s.content = s.content[:2]
			s.add(info)
		}})
		if _, err := verifyQuery(t, doc); !errors.Is(err, ErrSignature) {
			t.Errorf("%s: got %v, want %v", name, err, ErrSignature)
		}
	}
}

// A registered party with a good key is still only itself: the authenticator
// cannot sign for the broker.
func TestOneIssuersKeyDoesNotSignForAnother(t *testing.T) {
	doc := forge(t, someone(t, "authenticator"), forgery{signature: func(s *Element) { s.content = s.content[:2] }})
	if _, err := verifyQuery(t, doc); !errors.Is(err, ErrSignature) {
		t.Errorf("got %v, want %v", err, ErrSignature)
	}
}

// Forged digests hidden behind comments (SAMLStorm, CVE-2025-29775) do not pass the
// gate.
func TestCommentedDigestIsRefused(t *testing.T) {
	doc := strings.Replace(string(honestQuery(t)), "<ds:DigestValue>", "<ds:DigestValue><!--forged-->", 1)
	if _, err := verifyQuery(t, []byte(doc)); !errors.Is(err, ErrComment) {
		t.Errorf("got %v, want %v", err, ErrComment)
	}
}

// Whose keys count, and when.
func TestOnlyGoodKeysCount(t *testing.T) {
	doc := honestQuery(t)
	broker := someone(t, "broker")
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	named := func(c party) Key { return Key{Name: broker.name, Certificate: c.certificate} }
	good := broker.verifying()
	weak := named(partyWith(t, "weak", 1024, noon.AddDate(1, 0, 0)))
	expired := Key{broker.name, certify(t, broker.key, "expired", noon.Add(-time.Second))}
	elliptic := Key{broker.name, certify(t, curve, "curve", noon.AddDate(1, 0, 0))}
	nothing := Key{Name: broker.name}

	for name, c := range map[string]struct {
		keys []Key
		want error
	}{
		"the broker's":                        {[]Key{good}, nil},
		"the broker's, among others":          {[]Key{nothing, weak, expired, named(someone(t, "mallory")), good}, nil},
		"none":                                {nil, ErrUnknownIssuer},
		"empty":                               {[]Key{}, ErrUnknownIssuer},
		"1024 bits":                           {[]Key{weak}, ErrWeakKey},
		"no RSA":                              {[]Key{elliptic}, ErrWeakKey},
		"no certificate":                      {[]Key{nothing}, ErrCertificate},
		"the right key without a name":        {[]Key{{"", broker.certificate}}, nil},
		"expired a second ago":                {[]Key{expired}, ErrCertificate},
		"another key of that name":            {[]Key{named(someone(t, "mallory"))}, ErrSignature},
		"the right key under another name":    {[]Key{{"other", broker.certificate}}, ErrKeyName},
		"another name and an expired of this": {[]Key{{"other", broker.certificate}, expired}, ErrCertificate},
	} {
		places := places(t)
		places[0].Keys = func(string) []Key { return c.keys }
		if _, err := verify(t, mustRead(t, doc), noon, places...); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", name, err, c.want)
		}
	}
}

// A certificate counts from its first second to its last.
func TestCertificateTimes(t *testing.T) {
	doc, c := honestQuery(t), someone(t, "broker").certificate
	for at, want := range map[time.Time]error{
		c.NotBefore: nil, c.NotBefore.Add(-time.Second): ErrCertificate,
		c.NotAfter: nil, c.NotAfter.Add(time.Second): ErrCertificate,
	} {
		if _, err := verify(t, mustRead(t, doc), at, places(t)...); !errors.Is(err, want) {
			t.Errorf("at %v: got %v, want %v", at, err, want)
		}
	}
}

// A weak key's signature would fit: only its size speaks against it.
func TestWeakKeyIsRefusedThoughItsSignatureFits(t *testing.T) {
	weak := partyWith(t, "weak", 1024, noon.AddDate(1, 0, 0))
	if err := weak.signer().Sign(assertion("alice")); !errors.Is(err, ErrWeakKey) {
		t.Errorf("signing: got %v, want %v", err, ErrWeakKey)
	}
}

// Without a key name every key of the issuer is tried: old and new during a
// rollover.
func TestWithoutKeyNameEveryKeyIsTried(t *testing.T) {
	doc := forge(t, someone(t, "broker"), forgery{signature: func(s *Element) { s.content = s.content[:2] }})
	places := places(t)
	places[0].Keys = func(string) []Key {
		return []Key{someone(t, "mallory").verifying(), someone(t, "broker").verifying()}
	}
	if _, err := verify(t, mustRead(t, doc), noon, places...); err != nil {
		t.Error(err)
	}
}

// The issuer whose keys were used must be the one the verified bytes name. The
// two cannot differ while canonicalization works; this is for when it does not.
func TestIssuerIsReadFromTheVerifiedBytes(t *testing.T) {
	p := Place{Issuer: nameIssuer}
	verified := &Node{Children: []*Node{{Name: nameIssuer, Text: authenticatorID}}}
	if _, err := p.sameIssuer(verified, brokerID); !errors.Is(err, ErrIssuer) {
		t.Errorf("got %v, want %v", err, ErrIssuer)
	}
	if v, err := (&claim{place: &p, issuer: brokerID}).verified(verified); !errors.Is(err, ErrIssuer) || v.Root() != nil {
		t.Errorf("got %v, want %v", err, ErrIssuer)
	}
}

// A peer may declare its prefixes far outside and name them in a PrefixList; the
// assertion alone, cut out of its message, would not verify.
func TestPrefixesMayBeDeclaredOutside(t *testing.T) {
	inner := assertion("alice")
	mustSign(t, someone(t, "authenticator"), inner)
	outer := query(inner).Declare("xs", "xacml-saml")
	mustSign(t, someone(t, "broker"), outer)
	doc := envelop(outer).Bytes()
	if n := strings.Count(string(doc), "xmlns:xs="); n != 1 {
		t.Fatalf("xs is declared %d times, want once, outside the assertion", n)
	}
	if _, err := verifyQuery(t, doc); err != nil {
		t.Error(err)
	}
}

// goxmldsig looks at a thousand elements at most, and a catalogue has more than
// that before its signature comes.
func TestLargeCatalogueSignedLate(t *testing.T) {
	authority := someone(t, "authority")
	e := E("esc:ServiceCatalogue", A("ID", "_c"))
	for range 3000 {
		e.add(E("esc:ServiceDefinition", E("esc:ServiceName", A("xml:lang", "nl"), "Vergunning")))
	}
	signer := authority.signer()
	signer.X509 = true
	if err := signer.Sign(e); err != nil {
		t.Fatal(err)
	}
	e.content = append(e.content[1:], e.content[0])
	d, err := Read(append([]byte("\uFEFF<?xml version='1.0'?>\n<!-- made by hand -->\n"), e.Bytes()...), DocumentLimits)
	if err != nil {
		t.Fatal(err)
	}
	place := Place{Name: "catalogue", Path: []Step{{{prefixes["esc"], "ServiceCatalogue"}}}, Min: 1, Max: 1,
		Keys: func(issuer string) []Key {
			if issuer != "" {
				t.Errorf("asked for the keys of %q, want none", issuer)
			}
			return []Key{authority.verifying()}
		}}
	verified, err := verify(t, d, noon, place)
	if err != nil {
		t.Fatal(err)
	}
	if got := len(verified[0].Root().Children); got != 3000 {
		t.Errorf("got %d definitions", got)
	}
}

// An assertion handed on inside another message keeps its signature, whichever
// prefixes its maker chose.
func TestQuotedElementStaysVerifiable(t *testing.T) {
	verified, err := verifyQuery(t, honestQuery(t))
	if err != nil {
		t.Fatal(err)
	}
	again := envelop(mustSign(t, someone(t, "broker"), query(Quote(verified[1])))).Bytes()
	second, err := verifyQuery(t, again)
	if err != nil {
		t.Fatalf("%v\n%s", err, again)
	}
	if second[1].SignatureValue() != verified[1].SignatureValue() {
		t.Error("the assertion was signed anew")
	}
}

// respell gives an element other prefixes than we would: one of its own for
// attribute names, none at all for element names.
func respell(e *Element) {
	e.prefix = ""
	for i := range e.attributes {
		if e.attributes[i].prefix == "xsi" {
			e.attributes[i].prefix = "q"
		}
	}
	for _, c := range e.content {
		if c.element != nil {
			respell(c.element)
		}
	}
}

func TestQuotedElementKeepsItsSpelling(t *testing.T) {
	foreign := assertion("alice")
	foreign.add(E("saml:Advice"))
	respell(foreign)
	bare := at(foreign, len(foreign.content)-1)
	bare.space = "" // an element without a namespace, among those of a default one
	bare.add(E("saml:Audience"))
	mustSign(t, someone(t, "authenticator"), foreign)
	outer := envelop(mustSign(t, someone(t, "broker"), query(foreign)))

	verified, err := verifyQuery(t, outer.Bytes())
	if err != nil {
		t.Fatalf("%v\n%s", err, outer.Bytes())
	}
	again := envelop(mustSign(t, someone(t, "broker"), query(Quote(verified[1])).Declare("xs", "esp"))).Bytes()
	second, err := verifyQuery(t, again)
	if err != nil {
		t.Fatalf("%v\n%s", err, again)
	}
	if !sameNode(verified[1].Root(), second[1].Root()) {
		t.Errorf("got\n%s", again)
	}
}

// Places are matched by name at every step, any of the spellings listed.
func TestPlaceStepsHaveAlternatives(t *testing.T) {
	places := places(t)
	places[0].Path = append([]Step{}, places[0].Path...)
	places[0].Path[2] = Step{{"urn:other-spelling", "XACMLAuthzDecisionQuery"}, places[0].Path[2][0]}
	if _, err := verify(t, mustRead(t, honestQuery(t)), noon, places...); err != nil {
		t.Error(err)
	}
	places[0].Path[2] = places[0].Path[2][:1]
	if _, err := verify(t, mustRead(t, honestQuery(t)), noon, places...); !errors.Is(err, ErrPlaceCount) {
		t.Errorf("got %v, want %v", err, ErrPlaceCount)
	}
}
