package xmlsec

import "fmt"

// prefixes is every namespace we write, each with its one prefix in everything we
// send: receivers that compare prefixes instead of namespaces exist.
var prefixes = map[string]string{
	"samlp":         "urn:oasis:names:tc:SAML:2.0:protocol",
	"saml":          "urn:oasis:names:tc:SAML:2.0:assertion",
	"xacml-samlp":   "urn:oasis:xacml:2.0:saml:protocol:schema:os",
	"xacml-saml":    "urn:oasis:xacml:2.0:saml:assertion:schema:os",
	"xacml-context": "urn:oasis:names:tc:xacml:2.0:context:schema:os",
	"xacml-policy":  "urn:oasis:names:tc:xacml:2.0:policy:schema:os",
	"ds":            spaceDS,
	"ec":            spaceC14n,
	"xenc":          spaceXEnc,
	"xenc11":        spaceXEnc11,
	"md":            "urn:oasis:names:tc:SAML:2.0:metadata",
	"mdattr":        "urn:oasis:names:tc:SAML:metadata:attribute",
	"query":         "urn:oasis:names:tc:SAML:metadata:ext:query",
	"eme":           "urn:etoegang:1.13:metadata-extension",
	"esp":           "urn:etoegang:1.9:samlp-extension",
	"esc":           "urn:etoegang:1.13:service-catalog",
	"chain":         "https://github.com/mandated/mandated/ns/chain-information/0", // provisional, as package saml tells
	"soap":          "http://schemas.xmlsoap.org/soap/envelope/",
	"xsi":           "http://www.w3.org/2001/XMLSchema-instance",
	"xs":            "http://www.w3.org/2001/XMLSchema",
	"xml":           xmlSpace,
}

// spaceOf returns the namespace of a prefix we write. Any other is a mistake in
// our own code.
func spaceOf(prefix string) string {
	space, ok := prefixes[prefix]
	if !ok {
		panic(fmt.Sprintf("xmlsec: no namespace for prefix %q", prefix))
	}
	return space
}
