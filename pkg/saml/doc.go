// Package saml reads and builds the messages between brokers, authentication
// services, service providers and mandate registers: XACMLAuthzDecisionQuery, the
// assertions it carries, Response, and the metadata that says who may send what with
// which keys.
//
// A message is read only from an xmlsec.Verified, each signed element from its own.
// Whether a message may be believed (who sent it, to whom, when, and how its parts
// hang together) is judged here; what its answer is, is not: the package has never
// heard of mandates, decisions or HTTP.
//
// The messages follow the scheme's interface specifications HM-MR and HM-MR chain
// authorization, version 1.13, the SAML 2.0 profile of XACML 2.0 (OASIS 2005) and
// SAML 2.0 core. Where the scheme's text is silent a comment says what we do.
package saml

import "github.com/mandated/mandated/pkg/xmlsec"

// Namespaces of what we read. What we write has its prefixes in package xmlsec.
const (
	spaceSOAP     = "http://schemas.xmlsoap.org/soap/envelope/"
	spaceSAML     = "urn:oasis:names:tc:SAML:2.0:assertion"
	spaceProtocol = "urn:oasis:names:tc:SAML:2.0:protocol"
	spaceContext  = "urn:oasis:names:tc:xacml:2.0:context:schema:os"
	spacePolicy   = "urn:oasis:names:tc:xacml:2.0:policy:schema:os"
	spaceMetadata = "urn:oasis:names:tc:SAML:2.0:metadata"
	spaceDSig     = "http://www.w3.org/2000/09/xmldsig#"
	spaceSAMLP    = "urn:etoegang:1.9:samlp-extension"
)

func inSAML(local string) xmlsec.Name     { return xmlsec.Name{Space: spaceSAML, Local: local} }
func inProtocol(local string) xmlsec.Name { return xmlsec.Name{Space: spaceProtocol, Local: local} }
func inContext(local string) xmlsec.Name  { return xmlsec.Name{Space: spaceContext, Local: local} }
func inPolicy(local string) xmlsec.Name   { return xmlsec.Name{Space: spacePolicy, Local: local} }
func inMetadata(local string) xmlsec.Name { return xmlsec.Name{Space: spaceMetadata, Local: local} }
func inDSig(local string) xmlsec.Name     { return xmlsec.Name{Space: spaceDSig, Local: local} }
func inSOAP(local string) xmlsec.Name     { return xmlsec.Name{Space: spaceSOAP, Local: local} }

// queryNames are the spellings of the query's namespace in the field: the 2005
// profile's, which is what we send, the later drafts', and that of OpenAM's
// descendants.
var queryNames = xmlsec.Step{
	{Space: "urn:oasis:xacml:2.0:saml:protocol:schema:os", Local: "XACMLAuthzDecisionQuery"},
	{Space: "urn:oasis:names:tc:xacml:2.0:profile:saml2.0:v2:schema:protocol", Local: "XACMLAuthzDecisionQuery"},
	{Space: "urn:oasis:names:tc:xacml:2.0:saml:protocol:schema:os", Local: "XACMLAuthzDecisionQuery"},
}

// Values that SAML and XACML fix.
const (
	formatTransient  = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"
	formatPersistent = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"
	methodBearer     = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
	statusOK         = "urn:oasis:names:tc:xacml:1.0:status:ok"
	statementType    = "xacml-saml:XACMLAuthzDecisionStatementType"
)
