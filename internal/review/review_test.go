package review

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/mandated/mandated/internal/devkeys"
	"github.com/mandated/mandated/pkg/saml"
)

const good = `<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" xmlns:ds="http://www.w3.org/2000/09/xmldsig#"
    entityID="urn:etoegang:DV:00000009000000000001:entities:9500" validUntil="2100-01-01T00:00:00Z">
  <md:SPSSODescriptor AuthnRequestsSigned="true" protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">
    <md:KeyDescriptor>
      <ds:KeyInfo>
        <ds:KeyName>key</ds:KeyName>
        <ds:X509Data>
          <ds:X509Certificate>%s</ds:X509Certificate>
        </ds:X509Data>
      </ds:KeyInfo>
    </md:KeyDescriptor>
    <md:AssertionConsumerService index="0" Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://provider.test/acs"/>
    <md:AssertionConsumerService index="1" Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Artifact" Location="http://127.0.0.1:8080/acs"/>
  </md:SPSSODescriptor>
</md:EntityDescriptor>
`

// What is wrong is told with its line and the next step, in both languages; and whatever is
// told as bad is also what keeps the metadata out.
func TestMetadata(t *testing.T) {
	now := time.Now()
	pair, err := devkeys.New("provider", now)
	if err != nil {
		t.Fatal(err)
	}
	certificate := base64.StdEncoding.EncodeToString(pair.Certificate.Raw)
	sound := fmt.Sprintf(good, certificate)
	if f := Metadata([]byte(sound), now); len(f) != 0 {
		t.Fatalf("sound metadata: %+v", f)
	}
	for what, c := range map[string]struct {
		from, to string
		line     int
		bad      bool
		says     string
	}{
		"no XML":                   {sound, "Dear reader,", 0, true, "cannot be read"},
		"something else":           {sound, "<html/>", 1, true, "no SAML metadata"},
		"another root":             {"md:EntityDescriptor", "md:AffiliationDescriptor", 1, true, "no SAML metadata"},
		"a DTD":                    {"<md:EntityDescriptor", "<!DOCTYPE x><md:EntityDescriptor", 0, true, "cannot be read"},
		"a name of another scheme": {"urn:etoegang:DV:00000009000000000001:entities:9500", "https://provider.test", 1, true, "no name of this scheme"},
		"another role":             {"urn:etoegang:DV", "urn:etoegang:AD", 1, true, "There is no IDPSSODescriptor"},
		"no moment":                {"2100-01-01T00:00:00Z", "tomorrow", 1, true, "is not a moment"},
		"expired":                  {"2100-01-01", "2001-01-01", 1, true, "have expired"},
		"a key for something":      {"<md:KeyDescriptor>", `<md:KeyDescriptor use="both">`, 4, true, "does not exist"},
		"a key for signing alone":  {"<md:KeyDescriptor>", `<md:KeyDescriptor use="signing">`, 1, false, "no key to encrypt to"},
		"a key for reading alone":  {"<md:KeyDescriptor>", `<md:KeyDescriptor use="encryption">`, 1, true, "no key to check signatures"},
		"no KeyName":               {"<ds:KeyName>key</ds:KeyName>", "", 4, false, "no KeyName"},
		"no certificate":           {"<ds:X509Certificate>" + certificate + "</ds:X509Certificate>", "", 4, true, "no certificate in this key"},
		"half a certificate":       {certificate, certificate[:100], 8, true, "certificate cannot be read"},
		"no https":                 {"https://provider.test/acs", "http://provider.test/acs", 12, true, "is not https"},
		"no host":                  {"https://provider.test/acs", "https:///acs", 12, true, "is not https"},
		"no number":                {`index="1"`, `index="one"`, 13, true, "is not a number"},
		"a number twice":           {`index="1"`, `index="0"`, 13, false, "stands there twice"},
		"another binding":          {"bindings:HTTP-Artifact", "bindings:PAOS", 13, false, "no answer with binding"},
		"unsigned requests":        {`AuthnRequestsSigned="true"`, `AuthnRequestsSigned="false"`, 3, false, "AuthnRequestsSigned is false"},
		"cut off":                  {"  </md:SPSSODescriptor>\n</md:EntityDescriptor>", "", 0, true, "cannot be read"},
	} {
		doc := strings.ReplaceAll(sound, c.from, c.to)
		findings := Metadata([]byte(doc), now)
		told, bad := false, false
		for _, f := range findings {
			told = told || f.Line == c.line && f.Bad == c.bad && strings.Contains(f.What.EN, c.says)
			bad = bad || f.Bad
			if f.What.NL == "" || f.Next.NL == "" || f.Next.EN == "" {
				t.Errorf("%s: a language is missing in %+v", what, f)
			}
		}
		_, _, refused := saml.ParseMetadata([]byte(doc), saml.Trust{File: true}, now)
		if !told || bad != c.bad || bad != (refused != nil) || doc == sound {
			t.Errorf("%s: %+v, %v", what, findings, refused)
		}
	}
}

// All that is wrong is told at once, in the order of lines.
func TestAllAtOnce(t *testing.T) {
	doc := strings.ReplaceAll(strings.ReplaceAll(fmt.Sprintf(good, "x"), "https:", "ftp:"), "2100", "2001")
	var lines []int
	for _, f := range Metadata([]byte(doc), time.Now()) {
		lines = append(lines, f.Line)
	}
	if fmt.Sprint(lines) != "[1 1 1 8 12]" {
		t.Errorf("lines %v: %+v", lines, Metadata([]byte(doc), time.Now()))
	}
}

// An expired certificate keeps nobody out, and is told; a weak key does.
func TestCertificates(t *testing.T) {
	now := time.Now()
	pair, err := devkeys.New("provider", now)
	if err != nil {
		t.Fatal(err)
	}
	doc := []byte(fmt.Sprintf(strings.Replace(good, "2100", "2999", 1), base64.StdEncoding.EncodeToString(pair.Certificate.Raw)))
	f := Metadata(doc, pair.Certificate.NotAfter.Add(time.Hour))
	if len(f) != 1 || f[0].Bad || !strings.Contains(f[0].What.EN, "is not valid now") {
		t.Errorf("%+v", f)
	}
}
