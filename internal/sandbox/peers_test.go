package sandbox_test

import (
	"bytes"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/mandated/mandated/internal/devkeys"
	"github.com/mandated/mandated/internal/sandbox"
	"github.com/mandated/mandated/internal/servers"
)

// peer is a provider of somebody else's software.
type peer struct {
	entity string
	at     string // its address
	port   int
	pair   devkeys.Pair
}

func newPeer(t *testing.T, oin string) peer {
	t.Helper()
	pair, err := devkeys.New("peer", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	port := servers.Free(t)
	return peer{"urn:etoegang:DV:" + oin + ":entities:9500", fmt.Sprintf("http://127.0.0.1:%d", port), port, pair}
}

// certificate and key are the peer's as PEM.
func (p peer) certificate() string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: p.pair.Certificate.Raw}))
}

func (p peer) key() string {
	der, _ := x509.MarshalPKCS8PrivateKey(p.pair.Key) // an RSA key
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// metadata describes the peer. wish is what its AttributeConsumingService requests.
func (p peer) metadata(binding, path, wish string) string {
	return fmt.Sprintf(`<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" xmlns:ds="http://www.w3.org/2000/09/xmldsig#" entityID="%[1]s">
  <md:SPSSODescriptor AuthnRequestsSigned="true" WantAssertionsSigned="true" protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">
    <md:KeyDescriptor><ds:KeyInfo><ds:X509Data><ds:X509Certificate>%[2]s</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>
    <md:AssertionConsumerService index="0" isDefault="true" Binding="urn:oasis:names:tc:SAML:2.0:bindings:%[3]s" Location="%[4]s%[5]s"/>
    <md:AttributeConsumingService index="2" isDefault="true">
      <md:ServiceName xml:lang="en">VAT return</md:ServiceName>
      <md:RequestedAttribute Name="%[6]s"/>
    </md:AttributeConsumingService>
  </md:SPSSODescriptor>
</md:EntityDescriptor>
`, p.entity, base64.StdEncoding.EncodeToString(p.pair.Certificate.Raw), binding, p.at, path, wish)
}

// join puts the peer's metadata into the sandbox's folder.
func (p peer) join(t *testing.T, s *sandbox.Sandbox, name, metadata string) {
	t.Helper()
	path := s.Providers() + "/" + name + ".xml"
	if err := os.WriteFile(path, []byte(metadata), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Remove(path) }) // a test may have done so itself
	newBrowser(t, s).visit(s.Address + "/").reads(name + ".xml takes part: " + p.entity)
}

// brokerMetadata is what the sandbox tells peers.
func brokerMetadata(t *testing.T, s *sandbox.Sandbox) string {
	t.Helper()
	response, err := newBrowser(t, s).http.Get(s.Address + "/broker/metadata")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	var text bytes.Buffer
	if _, err := text.ReadFrom(response.Body); err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("metadata of the broker: %d %v", response.StatusCode, err)
	}
	return text.String()
}

// tell shows what a peer's software has said, where a test fails.
func tell(t *testing.T, site *servers.Site) {
	if t.Failed() {
		t.Log(site.Log())
	}
}

const clearKvK = "urn:etoegang:1.9:EntityConcernedID:KvKnr"

// app is the application behind mod_auth_mellon, which hands it an EncryptedID as it is: it
// opens that with the provider's key.
const app = `#!/bin/sh
printf 'Content-Type: text/html\n\n<pre>'
env | grep '^MELLON_[A-Z].*=[0-9]*$'
printf 'LegalSubjectID reads '
printf '%s' "$MELLON_LegalSubjectID" | xmlsec1 --decrypt --privkey-pem sp.key --id-attr:Id EncryptedKey /dev/stdin 2>&1 | sed 's/<[^>]*>//g'
`

// mod_auth_mellon asks by an address and fetches the answer behind an artifact.
func TestMellonLogsIn(t *testing.T) {
	s := open(t)
	p := newPeer(t, "00000009000000000001")
	const path = "/mellon/artifactResponse"
	metadata := p.metadata("HTTP-Artifact", path, clearKvK)
	ca, err := os.ReadFile(s.CA)
	if err != nil {
		t.Fatal(err)
	}
	site := servers.Apache(t, p.port, []string{"auth_mellon"}, `
MellonLockFile "@FOLDER@/mellon.lock"
ScriptAlias /app @FOLDER@/app.sh
<Directory "@FOLDER@">
  Require all granted
</Directory>
<Location />
  AuthType Mellon
  MellonEnable auth
  Require valid-user
  MellonEndpointPath /mellon
  MellonSPMetadataFile @FOLDER@/sp.xml
  MellonSPPrivateKeyFile @FOLDER@/sp.key
  MellonSPCertFile @FOLDER@/sp.crt
  MellonIdPMetadataFile @FOLDER@/broker.xml
  MellonIdPCAFile @FOLDER@/ca.crt
  MellonSetEnv LegalSubjectID urn:etoegang:core:LegalSubjectID
  MellonSetEnv KvKnr `+clearKvK+`
  MellonSetEnv IntermediateEntityID urn:etoegang:1.9:IntermediateEntityID:KvKnr
</Location>
`, map[string]string{
		"sp.xml": metadata, "sp.key": p.key(), "sp.crt": p.certificate(), "broker.xml": brokerMetadata(t, s), "ca.crt": string(ca),
		"app.sh": app,
	})
	t.Cleanup(func() { tell(t, site) })
	p.join(t, s, "mellon", metadata)
	b := newBrowser(t, s).visit(p.at+"/app").choose("Elif Yilmaz", "")
	b.reads("KvKnr=34567890", "LegalSubjectID reads 34567890", "IntermediateEntityID=87654321")
}

// pysaml2 asks in a form and gets its answer in one.
func TestPySAML2LogsIn(t *testing.T) {
	s := open(t)
	p := newPeer(t, "00000009000000000002")
	metadata := p.metadata("HTTP-POST", "/acs", clearKvK)
	site := servers.Python(t, p.port, "saml2", pysaml2, map[string]string{
		"sp.key": p.key(), "sp.crt": p.certificate(), "broker.xml": brokerMetadata(t, s), "entity": p.entity,
	})
	p.join(t, s, "pysaml2", metadata)
	t.Cleanup(func() { tell(t, site) })
	b := newBrowser(t, s).visit(p.at+"/").press("", nil).choose("Elif Yilmaz", "").press("", nil)
	b.reads("RelayState=here", clearKvK+"=34567890", "urn:etoegang:core:LegalSubjectID=34567890",
		"urn:etoegang:1.9:IntermediateEntityID:KvKnr=87654321", "Administratiekantoor Telraam")
}

// pysaml2 is an application of that library, as its documentation has it. What the library
// leaves encrypted the application opens with the program that the library verifies with.
const pysaml2 = `
import html, http.server, re, subprocess, sys, urllib.parse
import xml.etree.ElementTree as ET
from saml2 import BINDING_HTTP_POST, sigver
from saml2.client import Saml2Client
from saml2.config import SPConfig

SAML = "{urn:oasis:names:tc:SAML:2.0:assertion}"


class Known:
    """Holds against the schema all of a message but the registers' statements: their type
    is XACML's, which pysaml2 does not know, and it loses the prefix when it writes a message
    anew for this. Signatures are verified over the message as it came."""

    def __init__(self, schema):
        self.schema = schema

    def validate(self, text):
        self.schema.validate(re.sub(r"<(\w+):Statement .*?</\1:Statement>", "", text, flags=re.DOTALL))


for name, schema in sigver.node_to_schema.items():
    sigver.node_to_schema[name] = Known(schema)

port = int(sys.argv[1])
at = "http://127.0.0.1:%d" % port
client = Saml2Client(config=SPConfig().load({
    "entityid": open("entity").read(),
    "key_file": "sp.key", "cert_file": "sp.crt",
    "encryption_keypairs": [{"key_file": "sp.key", "cert_file": "sp.crt"}],
    "xmlsec_binary": "/usr/bin/xmlsec1",
    "allow_unknown_attributes": True,
    "metadata": {"local": ["broker.xml"]},
    "service": {"sp": {
        "endpoints": {"assertion_consumer_service": [(at + "/acs", BINDING_HTTP_POST)]},
        "authn_requests_signed": True, "want_assertions_signed": True, "want_response_signed": True,
        "signing_algorithm": "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
        "digest_algorithm": "http://www.w3.org/2001/04/xmlenc#sha256",
    }},
}))
outstanding = {}

# pysaml2 hands its own object to what wants the text of it, and ends there.
decrypt = client.sec.decrypt
client.sec.decrypt = lambda what, key_file=None: decrypt(str(what), key_file)


class Application(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        broker = list(client.metadata.identity_providers())[0]
        number, info = client.prepare_for_authenticate(broker, relay_state="here", binding=BINDING_HTTP_POST)
        outstanding[number] = "/"
        self.say(info["data"])

    def do_POST(self):
        form = urllib.parse.parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        answer = client.parse_authn_request_response(form["SAMLResponse"][0], BINDING_HTTP_POST, outstanding)
        reads = ["RelayState=" + form["RelayState"][0]]
        for name, values in answer.ava.items():
            reads += ["%s=%s" % (name, v) for v in values if isinstance(v, str)]
        for attribute in answer.assertion.attribute_statement[0].attribute:
            for value in attribute.attribute_value:
                for encrypted in value.extension_elements:
                    opened = ET.fromstring(client.sec.decrypt(encrypted.to_string().decode()))
                    reads.append("%s=%s" % (attribute.name, opened.find(".//" + SAML + "NameID").text))
        self.say("<p>%s</p>" % html.escape(" ".join(reads)))

    def say(self, page):
        if isinstance(page, list):
            page = "".join(page)
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(page.encode())


http.server.HTTPServer(("127.0.0.1", port), Application).serve_forever()
`
