package outside_test

import (
	"crypto"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"strings"

	"github.com/beevik/etree"
	dsig "github.com/russellhaering/goxmldsig"

	"github.com/mandated/mandated/pkg/xmlsec"
)

const (
	c14nExclusive = "http://www.w3.org/2001/10/xml-exc-c14n#"
	enveloped     = "http://www.w3.org/2000/09/xmldsig#enveloped-signature"
	rsaSHA256     = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
	rsaSHA1       = "http://www.w3.org/2000/09/xmldsig#rsa-sha1"
	hmacSHA256    = "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256"
	digestSHA256  = "http://www.w3.org/2001/04/xmlenc#sha256"
	digestSHA1    = "http://www.w3.org/2000/09/xmldsig#sha1"
	digestSHA512  = "http://www.w3.org/2001/04/xmlenc#sha512"
	spaceDS       = "http://www.w3.org/2000/09/xmldsig#"
)

// pen signs as nobody in the house would: everything about the signature can be made
// otherwise, and what it signs fits all the same.
type pen struct {
	key         *rsa.PrivateKey
	name        string
	certificate *x509.Certificate

	prefix     string              // of the signature's namespace; "-": the default namespace
	c14n       string              // CanonicalizationMethod
	method     string              // SignatureMethod
	digest     string              // DigestMethod
	uri        func(string) string // of the Reference, from the ID; "-" leaves it out
	transforms []string            // instead of the two; XML with the prefix s
	prefixes   string              // PrefixList
	keyInfo    string              // "": the key's name; "-": none; else XML with the prefix s
	last       bool                // stands at the end instead of after Issuer

	info  func(*etree.Element) // the last word on SignedInfo, before it is signed
	after func(*etree.Element) // the last word on Signature, after it is signed
}

func penOf(s xmlsec.Signer) pen {
	return pen{key: s.Key.(*rsa.PrivateKey), name: s.KeyName, certificate: s.Certificate}
}

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// sign takes the signature off an element, if it has one, and puts a new one on.
func (p pen) sign(el *etree.Element) *etree.Element {
	for _, c := range el.ChildElements() {
		if c.Tag == "Signature" && c.NamespaceURI() == spaceDS {
			el.RemoveChild(c)
		}
	}
	signature := snippet(p.xml(el))
	p.place(el, signature)
	info := child(signature, "SignedInfo")
	if p.info != nil {
		p.info(info)
	}
	value := p.over(canonical(info, "", false))
	setText(child(signature, "SignatureValue"), base64.StdEncoding.EncodeToString(value))
	if p.after != nil {
		p.after(signature)
	}
	return signature
}

// place puts the signature after the issuer, or at the end.
func (p pen) place(el, signature *etree.Element) {
	if p.last {
		el.AddChild(signature)
		return
	}
	where := 0
	for _, c := range el.ChildElements() {
		if c.Tag == "Issuer" {
			where = c.Index() + 1
		}
	}
	el.InsertChildAt(where, signature)
}

func (p pen) xml(el *etree.Element) string {
	prefix, declaration := or(p.prefix, "s")+":", "xmlns:"+or(p.prefix, "s")
	if p.prefix == "-" {
		prefix, declaration = "", "xmlns"
	}
	x := fmt.Sprintf(`<s:Signature %s="%s"><s:SignedInfo><s:CanonicalizationMethod Algorithm="%s"/><s:SignatureMethod Algorithm="%s"/>`,
		declaration, spaceDS, or(p.c14n, c14nExclusive), or(p.method, rsaSHA256))
	x += p.reference(el) + `</s:SignedInfo><s:SignatureValue>AA==</s:SignatureValue>` + p.info4() + `</s:Signature>`
	return strings.NewReplacer("<s:", "<"+prefix, "</s:", "</"+prefix).Replace(x)
}

func (p pen) reference(el *etree.Element) string {
	uri := "#" + el.SelectAttrValue("ID", "")
	if p.uri != nil {
		uri = p.uri(el.SelectAttrValue("ID", ""))
	}
	attribute := ` URI="` + uri + `"`
	if uri == "-" {
		attribute = ""
	}
	transforms := p.transforms
	if transforms == nil {
		transforms = []string{transform(enveloped, ""), transform(c14nExclusive, p.inclusive())}
	}
	list := `<s:Transforms>` + strings.Join(transforms, "") + `</s:Transforms>`
	return `<s:Reference` + attribute + `>` + list + `<s:DigestMethod Algorithm="` + or(p.digest, digestSHA256) + `"/>` +
		`<s:DigestValue>` + base64.StdEncoding.EncodeToString(p.sum(canonical(el, p.prefixes, false))) + `</s:DigestValue></s:Reference>`
}

func transform(algorithm, content string) string {
	return `<s:Transform Algorithm="` + algorithm + `">` + content + `</s:Transform>`
}

func (p pen) inclusive() string {
	if p.prefixes == "" {
		return ""
	}
	return `<ec:InclusiveNamespaces xmlns:ec="` + c14nExclusive + `" PrefixList="` + p.prefixes + `"></ec:InclusiveNamespaces>`
}

// info4 is the KeyInfo.
func (p pen) info4() string {
	switch p.keyInfo {
	case "":
		return `<s:KeyInfo><s:KeyName>` + p.name + `</s:KeyName></s:KeyInfo>`
	case "-":
		return ""
	}
	return `<s:KeyInfo>` + p.keyInfo + `</s:KeyInfo>`
}

// x509 is the certificate as KeyInfo has it.
func (p pen) x509() string {
	return `<s:X509Data><s:X509Certificate>` + base64.StdEncoding.EncodeToString(p.certificate.Raw) + `</s:X509Certificate></s:X509Data>`
}

// keyValue is the bare public key as KeyInfo has it.
func (p pen) keyValue() string {
	return `<s:KeyValue><s:RSAKeyValue><s:Modulus>` + base64.StdEncoding.EncodeToString(p.key.N.Bytes()) +
		`</s:Modulus><s:Exponent>AQAB</s:Exponent></s:RSAKeyValue></s:KeyValue>`
}

func (p pen) sum(data []byte) []byte {
	switch p.digest {
	case digestSHA1:
		d := sha1.Sum(data)
		return d[:]
	case digestSHA512:
		d := sha512.Sum512(data)
		return d[:]
	}
	d := sha256.Sum256(data)
	return d[:]
}

// over makes the signature's value with the method the signature claims.
func (p pen) over(data []byte) []byte {
	switch p.method {
	case rsaSHA1:
		d := sha1.Sum(data)
		return p.rsa(crypto.SHA1, d[:])
	case hmacSHA256: // the public key is everybody's, and so is this "secret"
		mac := hmac.New(sha256.New, p.certificate.RawSubjectPublicKeyInfo)
		mac.Write(data)
		return mac.Sum(nil)
	}
	d := sha256.Sum256(data)
	return p.rsa(crypto.SHA256, d[:])
}

func (p pen) rsa(hash crypto.Hash, digest []byte) []byte {
	value, err := rsa.SignPKCS1v15(rand.Reader, p.key, hash, digest)
	if err != nil {
		panic(err)
	}
	return value
}

// canonical is an element in exclusive canonical form, in the surroundings it stands in,
// without the signature that is its child.
func canonical(el *etree.Element, prefixes string, comments bool) []byte {
	c := el.Copy()
	for up := el.Parent(); up != nil; up = up.Parent() {
		for _, a := range up.Attr {
			if (a.Space == "xmlns" || a.Space == "" && a.Key == "xmlns") && c.SelectAttr(a.FullKey()) == nil {
				c.Attr = append(c.Attr, a)
			}
		}
	}
	form := dsig.MakeC14N10ExclusiveCanonicalizerWithPrefixList(prefixes)
	if comments {
		form = dsig.MakeC14N10ExclusiveWithCommentsCanonicalizerWithPrefixList(prefixes)
	}
	out, err := form.Canonicalize(c)
	if err != nil {
		panic(err)
	}
	return out
}
