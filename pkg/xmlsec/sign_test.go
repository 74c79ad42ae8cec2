package xmlsec

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// tool skips a test whose judge is not installed, unless the run demands all of them.
func tool(t *testing.T, name string) {
	t.Helper()
	if _, err := exec.LookPath(name); err == nil {
		return
	}
	if os.Getenv("MANDATED_REQUIRE_SERVERS") == "1" {
		t.Fatalf("%s is not installed", name)
	}
	t.Skipf("%s is not installed", name)
}

func writeFile(t *testing.T, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func certificateFile(t *testing.T, p party) string {
	t.Helper()
	return writeFile(t, "certificate.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: p.certificate.Raw}))
}

// The receiver's software is not ours. xmlsec1 stands for it.
func TestXmlsec1VerifiesWhatWeSign(t *testing.T) {
	tool(t, "xmlsec1")
	for name, doc := range map[string][]byte{
		"query":                   honestQuery(t),
		"prefix declared outside": envelop(mustSign(t, someone(t, "broker"), query(mustSign(t, someone(t, "authenticator"), assertion("alice"))).Declare("xs", "xacml-saml"))).Bytes(),
	} {
		for element, by := range map[string]string{"XACMLAuthzDecisionQuery": "broker", "Assertion": "authenticator"} {
			out, err := exec.Command("xmlsec1", "--verify",
				"--id-attr:ID", spaceXACMLP+":XACMLAuthzDecisionQuery", "--id-attr:ID", spaceSAML+":Assertion",
				"--node-xpath", "//*[local-name()='"+element+"']/*[local-name()='Signature']",
				"--pubkey-cert-pem:"+someone(t, by).name, certificateFile(t, someone(t, by)),
				writeFile(t, "message.xml", doc)).CombinedOutput()
			if err != nil {
				t.Errorf("%s of %s: %v\n%s", element, name, err, out)
			}
		}
	}
}

// And what xmlsec1 signs, with line breaks where we would have none, we verify.
func TestWeVerifyWhatXmlsec1Signs(t *testing.T) {
	tool(t, "xmlsec1")
	authority := someone(t, "authority")
	key := writeFile(t, "key.pem", keyPEM(t, authority))
	template := `<?xml version="1.0"?>
<e:List xmlns:e="urn:e" xmlns:xs="urn:xs" xmlns:unused="urn:u" ID="_l"
    e:note="broken
    over lines">
  <Signature xmlns="http://www.w3.org/2000/09/xmldsig#">
    <SignedInfo>
      <CanonicalizationMethod Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/>
      <SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"/>
      <Reference URI="#_l">
        <Transforms>
          <Transform Algorithm="http://www.w3.org/2000/09/xmldsig#enveloped-signature"/>
          <Transform Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"><InclusiveNamespaces xmlns="http://www.w3.org/2001/10/xml-exc-c14n#" PrefixList="xs xsd"/></Transform>
        </Transforms>
        <DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/>
        <DigestValue/>
      </Reference>
    </SignedInfo>
    <SignatureValue/>
    <KeyInfo><KeyName>` + authority.name + `</KeyName></KeyInfo>
  </Signature>
  <item xmlns="urn:i"><plain xmlns="">a &amp; b&#13; &gt;</plain></item>
</e:List>`
	signed, err := exec.Command("xmlsec1", "--sign", "--id-attr:ID", "urn:e:List",
		"--privkey-pem:"+authority.name, key, writeFile(t, "template.xml", []byte(template))).Output()
	if err != nil {
		t.Fatal(err)
	}
	verified, err := verify(t, mustRead(t, signed), noon, Place{Name: "list", Path: []Step{{{"urn:e", "List"}}}, Min: 1, Max: 1,
		Keys: func(string) []Key { return []Key{authority.verifying()} }})
	if err != nil {
		t.Fatalf("%v\n%s", err, signed)
	}
	if got := verified[0].Root().Children[0].Children[0]; got.Name != (Name{"", "plain"}) || got.Text != "a & b\r >" {
		t.Errorf("got %v %q", got.Name, got.Text)
	}
}

func TestSignatureStandsAfterTheIssuer(t *testing.T) {
	signed := mustSign(t, someone(t, "authenticator"), assertion("alice"))
	if !at(signed, 0).is("saml:Issuer") || !at(signed, 1).is("ds:Signature") {
		t.Errorf("got\n%s", signed.Bytes())
	}
	first := mustSign(t, someone(t, "authority"), E("md:EntitiesDescriptor", A("ID", "_m"), E("md:EntityDescriptor")))
	if !at(first, 0).is("ds:Signature") {
		t.Errorf("got\n%s", first.Bytes())
	}
}

// Messages carry a key name only; metadata carries the certificate only.
func TestKeyInfoSaysOneThing(t *testing.T) {
	p := someone(t, "authority")
	for _, c := range []struct {
		signer   Signer
		has, not string
	}{
		{Signer{Key: p.key, KeyName: "n", Certificate: p.certificate}, "<ds:KeyInfo><ds:KeyName>n</ds:KeyName></ds:KeyInfo>", "X509"},
		{Signer{Key: p.key, KeyName: "n", Certificate: p.certificate, X509: true}, "<ds:X509Certificate>", "KeyName"},
		{Signer{Key: p.key}, "</ds:SignatureValue></ds:Signature>", "KeyInfo"},
	} {
		e := assertion("alice")
		if err := c.signer.Sign(e); err != nil {
			t.Fatal(err)
		}
		if text := string(e.Bytes()); !strings.Contains(text, c.has) || strings.Contains(text, c.not) {
			t.Errorf("got\n%s", text)
		}
	}
}

// The PrefixList names what values use, and only then is there one.
func TestPrefixListNamesDeclaredPrefixes(t *testing.T) {
	with := query(mustSign(t, someone(t, "authenticator"), assertion("alice"))).Declare("xacml-saml")
	if text := string(mustSign(t, someone(t, "broker"), with).Bytes()); !strings.Contains(text, `PrefixList="xacml-saml xs"`) {
		t.Errorf("got\n%s", text)
	}
	without := E("saml:Assertion", A("ID", "_a"))
	if text := string(mustSign(t, someone(t, "broker"), without).Bytes()); strings.Contains(text, "InclusiveNamespaces") {
		t.Errorf("got\n%s", text)
	}
}

// faulty is a key whose hardware flips a bit. A signature made so can give an RSA
// key away to whoever sees it.
type faulty struct{ crypto.Signer }

func (f faulty) Sign(r io.Reader, digest []byte, o crypto.SignerOpts) ([]byte, error) {
	s, err := f.Signer.Sign(r, digest, o)
	if err == nil {
		s[10] ^= 1
	}
	return s, err
}

var errHardware = errors.New("module is gone")

type broken struct{ crypto.Signer }

func (broken) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) { return nil, errHardware }

func TestWhatCannotBeSigned(t *testing.T) {
	good := someone(t, "broker").key
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	weak := partyWith(t, "weak", 1024, noon.AddDate(1, 0, 0)).key
	signed := mustSign(t, someone(t, "broker"), assertion("alice"))
	for name, c := range map[string]struct {
		key  crypto.Signer
		e    *Element
		want error
	}{
		"no ID":           {good, E("saml:Assertion"), ErrUnsignable},
		"bad ID":          {good, E("saml:Assertion", A("ID", "1")), ErrUnsignable},
		"long ID":         {good, E("saml:Assertion", A("ID", strings.Repeat("x", 257))), ErrUnsignable},
		"ID of a kind":    {good, E("saml:Assertion", A("xml:ID", "_a")), ErrUnsignable},
		"text":            {good, E("saml:Assertion", A("ID", "_a"), "x"), ErrUnsignable},
		"signed already":  {good, signed, ErrUnsignable},
		"1024 bits":       {weak, assertion("alice"), ErrWeakKey},
		"elliptic curve":  {curve, assertion("alice"), ErrWeakKey},
		"faulty hardware": {faulty{good}, assertion("alice"), ErrSignature},
		"no hardware":     {broken{good}, assertion("alice"), errHardware},
	} {
		before := len(c.e.content)
		if err := (Signer{Key: c.key}).Sign(c.e); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", name, err, c.want)
		}
		if len(c.e.content) != before {
			t.Errorf("%s: the element was changed", name)
		}
	}
}
