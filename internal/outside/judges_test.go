package outside_test

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/tls"
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/beevik/etree"
	crewjam "github.com/crewjam/saml"

	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/harness"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/saml"
)

// Other people's software is the judge of what we send: xmlsec1 of the signatures and the
// encryption, xmllint and published schemas of the form, crewjam/saml as a reader.

// tool finds a program or a file of other people. Where it is absent the test is skipped,
// unless the surroundings promise that it is there.
func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if strings.HasPrefix(name, "/") {
		path = name
		_, err = os.Stat(name)
	}
	if err == nil {
		return path
	}
	if os.Getenv("MANDATED_REQUIRE_SERVERS") == "1" {
		t.Fatalf("%s is needed: %v", name, err)
	}
	t.Skipf("%s is not here: %v", name, err)
	return ""
}

// specimen is a message as it went over the wire, and whom its signatures belong to.
type specimen struct {
	name    string
	message []byte
	signers []*harness.Party // of its signed elements, in the order of the document
}

// specimens plays scenes until one of each kind of message was sent.
type specimens struct {
	t    *testing.T
	net  *harness.Network
	list []specimen
}

func collect(t *testing.T, o harness.Options) *specimens {
	t.Helper()
	o.TwoRegisters, o.Browser, o.Clock = true, true, harness.NewClock(time.Now().UTC().Truncate(time.Second))
	s := &specimens{t: t, net: harness.Start(t, o)}
	s.direct()
	s.chain()
	s.browser()
	s.discovery()
	s.published()
	return s
}

func (s *specimens) add(name string, message []byte, signers ...*harness.Party) {
	s.list = append(s.list, specimen{name, message, signers})
}

func (s *specimens) ask(q harness.Question) *harness.Result {
	s.t.Helper()
	return must[*harness.Result](s.t)(s.net.Broker.Authorize(ctx, q))
}

func (s *specimens) recheck(at *harness.RegisterNode, results ...*harness.Result) *harness.Result {
	s.t.Helper()
	return must[*harness.Result](s.t)(s.net.Recheck(ctx, at, results...))
}

// direct: a Permit, its recheck, and after revocation a status and a signed Deny.
func (s *specimens) direct() {
	n, vat := s.net, s.net.Services["vat"]
	broker, provider, authenticator, register := n.Broker.Party, vat.Home, n.Authenticator, n.First.Party
	anna := n.NewPerson("Anna")
	id := must[mandate.ID](s.t)(n.First.Direct(bakery, anna, harness.For(vat, etoegang.LoA3)))
	permit := s.ask(harness.Question{Person: anna, Service: vat, Asked: etoegang.LoA3})
	s.add("query", permit.Sent, broker, authenticator)
	s.add("permit", permit.Received, register, register)
	s.add("query for a company", s.ask(harness.Question{Person: anna, Service: vat, Company: bakery.KvK}).Sent, broker, authenticator)
	again := s.recheck(n.First, permit)
	s.add("recheck", again.Sent, provider, broker, authenticator, register)
	s.add("recheck permitted", again.Received, register, register)
	if err := n.First.Revoke(id); err != nil {
		s.t.Fatal(err)
	}
	s.add("denied by status", s.ask(harness.Question{Person: anna, Service: vat}).Received, register)
	s.add("denied by statement", s.recheck(n.First, permit).Received, register, register)
	s.add("refused", s.ask(harness.Question{Person: anna, Service: vat, Mistake: harness.Expired}).Received, register)
	s.add("fault", s.ask(harness.Question{Person: anna, Service: vat, Mistake: harness.Altered}).Received)
}

// browser: the broker fetches an answer that went through the user's browser.
func (s *specimens) browser() {
	n, vat := s.net, s.net.Services["vat"]
	gijs := n.NewPerson("Gijs")
	must[mandate.ID](s.t)(n.First.Direct(bakery, gijs, harness.For(vat, etoegang.LoA3)))
	v := must[*harness.Visit](s.t)(n.Broker.Send(harness.Question{Person: gijs, Service: vat}, "relay"))
	stays := http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport:     &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}, // development keys
	}
	back := must[*http.Response](s.t)(stays.Get(v.Address))
	_ = back.Body.Close()
	if err := n.Broker.Receive(ctx, v, back.Header.Get("Location")); err != nil {
		s.t.Fatal(err)
	}
	s.add("resolve", v.Sent, n.Broker.Party)
	s.add("resolved", v.Received, n.First.Party, n.First.Party, n.First.Party)
}

// chain: the first register's statement and the second's.
func (s *specimens) chain() {
	n, permit := s.net, s.net.Services["vat"]
	broker, authenticator := n.Broker.Party, n.Authenticator
	scope := harness.For(permit, etoegang.LoA3)
	daan := n.NewPerson("Daan")
	relation := must[mandate.ID](s.t)(n.First.ChainElsewhere(bakery, office, scope, n.Second))
	must[mandate.ID](s.t)(n.First.Assign(relation, office, daan, scope))
	must[mandate.ID](s.t)(n.Second.Chain(bakery, office, scope))
	first := s.ask(harness.Question{Person: daan, Service: permit})
	second := must[*harness.Result](s.t)(n.Broker.Confirm(ctx, first, n.Second))
	if !first.Reply.Permitted() || !second.Reply.Permitted() {
		s.t.Fatalf("the chain is not permitted: %s %s", first.Received, second.Received)
	}
	s.add("chain, first statement", first.Received, n.First.Party, n.First.Party)
	s.add("chain, query to confirm", second.Sent, broker, authenticator, n.First.Party)
	s.add("chain, second statement", second.Received, n.Second.Party, n.Second.Party)
	again := s.recheck(n.First, first, second)
	s.add("chain, recheck", again.Sent, permit.Home, broker, authenticator, n.First.Party, n.Second.Party)
	s.add("chain, recheck permitted", again.Received, n.First.Party, n.First.Party)
}

// discovery: what the second register asks the first about an office's clients, and two pages
// of what it is told.
func (s *specimens) discovery() {
	n := s.net
	for i := range 300 {
		must[mandate.ID](s.t)(n.First.Chain(harness.Company(fmt.Sprintf("Client %d", i), fmt.Sprintf("%08d", 30_000_000+i), ""), office, mandate.Scope{mandate.Everything(etoegang.LoA3)}))
	}
	q := askedBy(n.Second, n.First, n.Now())
	q.Represented, q.Level, q.Service = bakery.KvK.LegalSubject(), etoegang.LoA2, n.Services["vat"].UUID
	s.add("discovery, one client", askChain(s.t, q, n.Second, n.First), n.Second.Party)
	for _, name := range []string{"discovery, first page", "discovery, last page"} {
		q := askedBy(n.Second, n.First, n.Now())
		if at := len(s.list) - 1; name == "discovery, last page" {
			q.Cursor = regexp.MustCompile(` Next="([^"]+)"`).FindStringSubmatch(string(s.list[at].message))[1]
		}
		query := askChain(s.t, q, n.Second, n.First)
		s.add(name+", asked", query, n.Second.Party)
		r := postChain(s.t, n.First, query)
		s.add(name, r.body, n.First.Party)
	}
}

// published: the metadata that the harness wrote for everybody, and what each daemon
// publishes of itself.
func (s *specimens) published() {
	for _, file := range must[[]string](s.t)(filepath.Glob(filepath.Join(s.net.Folder, "metadata-*.xml"))) {
		s.add(filepath.Base(file), must[[]byte](s.t)(os.ReadFile(file)), s.net.Scheme)
	}
	for _, r := range []*harness.RegisterNode{s.net.First, s.net.Second} {
		s.add("published by "+r.Name, get(s.t, strings.Replace(r.Address, "/soap", "/metadata", 1)), r.Party)
	}
}

func get(t *testing.T, address string) []byte {
	t.Helper()
	response := must[*http.Response](t)(http.Get(address))
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Fatalf("%s answers %s", address, response.Status)
	}
	return must[[]byte](t)(io.ReadAll(response.Body))
}

// run runs a tool and gives all it says.
func run(t *testing.T, environment []string, name string, arguments ...string) (string, error) {
	t.Helper()
	command := exec.Command(name, arguments...)
	command.Env = append(os.Environ(), environment...)
	out, err := command.CombinedOutput()
	return string(out), err
}

func write(t *testing.T, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// signedIDs are the elements whose ID a signature may refer to.
var signedIDs = []string{
	"--id-attr:ID", "urn:oasis:names:tc:SAML:2.0:protocol:Response",
	"--id-attr:ID", "urn:oasis:names:tc:SAML:2.0:protocol:ArtifactResolve",
	"--id-attr:ID", "urn:oasis:names:tc:SAML:2.0:protocol:ArtifactResponse",
	"--id-attr:ID", "urn:oasis:names:tc:SAML:2.0:assertion:Assertion",
	"--id-attr:ID", "urn:oasis:xacml:2.0:saml:protocol:schema:os:XACMLAuthzDecisionQuery",
	"--id-attr:ID", "https://github.com/mandated/mandated/ns/chain-information/0:ChainInformationQuery",
	"--id-attr:ID", "https://github.com/mandated/mandated/ns/chain-information/0:ChainInformationResponse",
	"--id-attr:ID", "urn:oasis:names:tc:SAML:2.0:metadata:EntitiesDescriptor",
	"--id-attr:ID", "urn:oasis:names:tc:SAML:2.0:metadata:EntityDescriptor",
}

// xmlsec1 verifies every signature of every message, given nothing but the certificate of
// whoever must have made it; and no other certificate fits.
func TestSignaturesByXMLSec1(t *testing.T) {
	t.Parallel()
	xmlsec1 := tool(t, "xmlsec1")
	s := collect(t, harness.Options{})
	verify := func(t *testing.T, file string, n int, by *harness.Party) error {
		arguments := append([]string{"--verify", "--pubkey-cert-pem:" + by.Signer().KeyName, filepath.Join(s.net.Folder, "keys", by.Name+".crt"),
			"--enabled-key-data", "key-name", "--node-xpath", fmt.Sprintf(`(//*[local-name()="Signature"])[%d]`, n+1)}, signedIDs...)
		out, err := run(t, nil, xmlsec1, append(arguments, file)...)
		if err != nil {
			return fmt.Errorf("%w: %s", err, out)
		}
		return nil
	}
	for _, m := range s.list {
		t.Run(m.name, func(t *testing.T) {
			file := write(t, "message.xml", m.message)
			if n := strings.Count(string(m.message), "<ds:Signature "); n != len(m.signers) {
				t.Fatalf("%d signatures, want %d", n, len(m.signers))
			}
			for i, by := range m.signers {
				if err := verify(t, file, i, by); err != nil {
					t.Errorf("signature %d of %s: %v", i+1, by.Name, err)
				}
				other := s.net.Scheme
				if by == other {
					other = s.net.First.Party
				}
				if verify(t, file, i, other) == nil {
					t.Errorf("signature %d also fits %s", i+1, other.Name)
				}
			}
		})
	}
}

const schemas = "../../testdata/schema/"

// xmllint validates every message, fetching nothing: the SOAP envelope and all in it.
func TestFormByXMLLint(t *testing.T) {
	t.Parallel()
	xmllint := tool(t, "xmllint")
	for _, schema := range []string{"/usr/share/xml/opensaml/saml-schema-protocol-2.0.xsd", "/usr/share/xml/xmltooling/soap-envelope.xsd"} {
		tool(t, schema)
	}
	validate := func(t *testing.T, message []byte) (string, error) {
		return run(t, []string{"XML_CATALOG_FILES=" + schemas + "catalog.xml"}, xmllint,
			"--nonet", "--noout", "--schema", schemas+"message.xsd", write(t, "message.xml", message))
	}
	for _, m := range append(collect(t, harness.Options{}).list, specimen{name: "permit with clear identifiers", message: permitted(t, true)}) {
		t.Run(m.name, func(t *testing.T) {
			if out, err := validate(t, m.message); err != nil {
				t.Errorf("%v\n%s\n%s", err, out, m.message)
			}
			if m.name != "fault" { // of which SOAP's schema lets nearly everything pass
				broken := strings.Replace(string(m.message), "saml:Issuer>", "saml:Isuer>", 2)
				broken = strings.Replace(broken, "<md:KeyDescriptor ", "<md:KeyDescriptor unknown=\"1\" ", 1)
				if _, err := validate(t, []byte(broken)); err == nil {
					t.Error("a broken message is valid too: the schema does not look at it")
				}
			}
		})
	}
}

// identifiers are who must read what in which message, and who must not.
func (s *specimens) identifiers() []identifier {
	provider, second, broker := s.net.Services["vat"].Home, s.net.Second.Party, s.net.Broker.Party
	company := []string{bakery.KvK.Text(), bakery.RSIN.Text()}
	return []identifier{
		{"permit", etoegang.AttributeLegalSubjectID, provider, broker, company},
		{"permit", etoegang.AttributeActingSubjectID, provider, broker, []string{"@"}},
		{"chain, first statement", etoegang.AttributeLegalSubjectID, second, provider, company[:1]},
		{"chain, second statement", etoegang.AttributeLegalSubjectID, provider, second, company},
	}
}

type identifier struct {
	message, attribute string
	reader, other      *harness.Party
	want               []string
}

// Only the one whom an identifier is for can read it, with xmlsec1 and the key file: the
// provider the company and the person, the second register the company.
func TestIdentifiersByXMLSec1(t *testing.T) {
	t.Parallel()
	xmlsec1 := tool(t, "xmlsec1")
	s := collect(t, harness.Options{})
	for _, c := range s.identifiers() {
		sealed := s.sealed(t, c.message, c.attribute)
		if len(sealed) != len(c.want) {
			t.Errorf("%s: %d identifiers under %s, want %d", c.message, len(sealed), c.attribute, len(c.want))
			continue
		}
		for i, el := range sealed {
			got, err := s.decrypt(t, xmlsec1, el, c.reader)
			if err != nil || !strings.Contains(got, c.want[i]) || !strings.Contains(got, "NameQualifier=") {
				t.Errorf("%s: %s reads %v %s", c.message, c.reader.Name, err, got)
			}
			if got, err := s.decrypt(t, xmlsec1, el, c.other); err == nil {
				t.Errorf("%s: %s reads %s", c.message, c.other.Name, got)
			}
		}
	}
}

// The newer encryption, of which Debian's xmlsec1 does not know the key transport: openssl
// opens the key, and the standard library the content.
func TestIdentifiersByOpenSSL(t *testing.T) {
	t.Parallel()
	openssl := tool(t, "openssl")
	s := collect(t, harness.Options{Configure: func(settings map[string]any) {
		peers := map[string]any{}
		for _, name := range []string{"urn:etoegang:DV:00000001000000010000:entities:9010", "urn:etoegang:MR:00000003876543210000:entities:9002"} {
			peers[name] = map[string]any{"encryption": "gcm"}
		}
		settings["peers"] = peers
	}})
	for _, c := range s.identifiers() {
		for i, el := range s.sealed(t, c.message, c.attribute) {
			values := tree([]byte(el)).FindElements("//CipherValue")
			content := must[[]byte](t)(base64.StdEncoding.DecodeString(values[0].Text()))
			wrapped := must[[]byte](t)(base64.StdEncoding.DecodeString(values[1].Text()))
			opened := filepath.Join(t.TempDir(), "key")
			if out, err := run(t, nil, openssl, "pkeyutl", "-decrypt", "-inkey", filepath.Join(s.net.Folder, "keys", c.reader.Name+".key"), "-in", write(t, "wrapped", wrapped),
				"-out", opened, "-pkeyopt", "rsa_padding_mode:oaep", "-pkeyopt", "rsa_oaep_md:sha256", "-pkeyopt", "rsa_mgf1_md:sha256"); err != nil {
				t.Fatalf("%s: %v %s\n%s", c.message, err, out, el)
			}
			block := must[cipher.Block](t)(aes.NewCipher(must[[]byte](t)(os.ReadFile(opened))))
			gcm := must[cipher.AEAD](t)(cipher.NewGCM(block))
			plain := must[[]byte](t)(gcm.Open(nil, content[:gcm.NonceSize()], content[gcm.NonceSize():], nil))
			if !strings.Contains(string(plain), c.want[i]) {
				t.Errorf("%s: %s reads %s", c.message, c.reader.Name, plain)
			}
		}
	}
}

// sealed are the EncryptedIDs of a message under one attribute, each a document.
func (s *specimens) sealed(t *testing.T, name, attribute string) (list []string) {
	t.Helper()
	for _, m := range s.list {
		if m.name != name {
			continue
		}
		for _, a := range registerAssertion(t, m.message).FindElements(".//Attribute") {
			if a.SelectAttrValue("AttributeId", "") == attribute {
				for _, el := range a.FindElements(".//EncryptedID") {
					doc := etree.NewDocument()
					doc.SetRoot(el.Copy())
					text := must[string](t)(doc.WriteToString())
					if el.SelectAttr("xmlns:saml") == nil {
						text = strings.Replace(text, "<saml:EncryptedID", `<saml:EncryptedID xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion"`, 1)
					}
					list = append(list, text)
				}
			}
		}
	}
	return list
}

func (s *specimens) decrypt(t *testing.T, xmlsec1, element string, reader *harness.Party) (string, error) {
	t.Helper()
	return run(t, nil, xmlsec1, "--decrypt", "--privkey-pem:"+reader.Signer().KeyName, filepath.Join(s.net.Folder, "keys", reader.Name+".key"),
		"--id-attr:Id", "http://www.w3.org/2001/04/xmlenc#:EncryptedKey", write(t, "sealed.xml", []byte(element)))
}

// crewjam/saml, which many providers in Go use, reads our metadata and our Response.
func TestReadByCrewjam(t *testing.T) {
	t.Parallel()
	s := collect(t, harness.Options{})
	for _, m := range s.list {
		switch {
		case strings.HasPrefix(m.name, "metadata-"), strings.HasPrefix(m.name, "published by "):
			t.Run(m.name, func(t *testing.T) { readDescriptor(t, m) })
		case m.name == "permit":
			t.Run(m.name, func(t *testing.T) { readResponse(t, s, m) })
		}
	}
}

func readDescriptor(t *testing.T, m specimen) {
	t.Helper()
	var all crewjam.EntitiesDescriptor
	if err := xml.Unmarshal(m.message, &all); err != nil || len(all.EntityDescriptors) != 1 {
		t.Fatalf("%d descriptors, %v", len(all.EntityDescriptors), err)
	}
	e := all.EntityDescriptors[0]
	if !strings.HasPrefix(e.EntityID, "urn:etoegang:") || e.Organization == nil || e.ContactPerson == nil {
		t.Errorf("read as %+v", e)
	}
	var keys []crewjam.KeyDescriptor
	for _, d := range e.SPSSODescriptors {
		keys = append(keys, d.KeyDescriptors...)
		if len(d.AssertionConsumerServices) != 1 {
			t.Errorf("consumers %+v", d.AssertionConsumerServices)
		}
	}
	register := len(e.PDPDescriptors) > 0
	for _, d := range e.IDPSSODescriptors {
		keys = append(keys, d.KeyDescriptors...)
		if register && (len(d.ArtifactResolutionServices) != 1 || !strings.HasSuffix(d.SingleSignOnServices[0].Location, "/etoegang/1.13/authz")) {
			t.Errorf("through the browser: %+v, %+v", d.ArtifactResolutionServices, d.SingleSignOnServices)
		}
	}
	for _, d := range e.PDPDescriptors {
		if !reflect.DeepEqual(d.KeyDescriptors, keys) {
			t.Errorf("in one role it has other keys than in the other: %+v", d.KeyDescriptors)
		}
		if len(d.AuthzServices) != 2 || !strings.HasSuffix(d.AuthzServices[0].Location, "/etoegang/1.13/soap") ||
			!strings.HasSuffix(d.AuthzServices[1].Location, "/etoegang/1.13/authz") {
			t.Errorf("services %+v", d.AuthzServices)
		}
	}
	if len(keys) != 2 || len(keys[0].KeyInfo.X509Data.X509Certificates) != 1 {
		t.Errorf("keys %+v", keys)
	}
}

func readResponse(t *testing.T, s *specimens, m specimen) {
	t.Helper()
	body := child(tree(m.message).Root(), "Body").ChildElements()[0]
	doc := etree.NewDocument()
	doc.SetRoot(body.Copy())
	var r crewjam.Response
	if err := xml.Unmarshal(must[[]byte](t)(doc.WriteToBytes()), &r); err != nil {
		t.Fatal(err)
	}
	if r.Status.StatusCode.Value != saml.Success.Top || r.Issuer.Value != s.net.First.Entity.String() || r.Destination != s.net.Broker.Consumer {
		t.Errorf("response %+v", r)
	}
	a := r.Assertion
	if a == nil || a.Issuer.Value != s.net.First.Entity.String() || a.Subject.NameID.Format != "urn:oasis:names:tc:SAML:2.0:nameid-format:transient" || a.Conditions.NotOnOrAfter.Sub(a.Conditions.NotBefore) != 2*time.Minute {
		t.Errorf("assertion %+v", a)
	}
}
