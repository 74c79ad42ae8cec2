package saml

import (
	"crypto/x509"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mandated/mandated/internal/devkeys"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/xmlsec"
)

// A real broker's metadata, where a copy of them is at hand: its keys are found under the
// name that its messages hint at, and its places for answers by their index.
func TestRealMetadata(t *testing.T) {
	folder := os.Getenv("MANDATED_SAMPLES")
	if folder == "" {
		t.Skip("MANDATED_SAMPLES names no folder")
	}
	doc, err := os.ReadFile(filepath.Join(folder, "hm-metadata.xml"))
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2023, 6, 1, 0, 0, 0, 0, time.UTC)
	participants, notes, err := ParseMetadata(doc, Trust{File: true}, now)
	if err != nil {
		t.Fatal(err)
	}
	p := participants[0]
	if len(participants) != 1 || p.Entity.Role() != etoegang.Broker || len(p.Signing) == 0 || p.Signing[0].Name == "" {
		t.Errorf("read %d participants, the first %v with %d keys (%v)", len(participants), p.Entity, len(p.Signing), notes)
	}
	if c, ok := p.Consumer("3"); !ok || !strings.HasPrefix(c.Location, "https://") {
		t.Errorf("consumer 3 is %+v", c)
	}
	if len(p.Resolvers) == 0 {
		t.Error("it resolves no artifacts")
	}
	if c, ok := p.Consumer(""); !ok || c.Index != 1 {
		t.Errorf("the default is %+v", c)
	}
	if _, _, err := ParseMetadata(doc, Trust{}, now); err == nil {
		t.Error("metadata were believed without anybody to trust")
	}
}

// A register's metadata say where other registers ask it, in an extension that others pass
// over; nobody else's lead us anywhere.
func TestMetadataNameTheDiscoveryService(t *testing.T) {
	now := time.Date(2026, 3, 2, 9, 30, 0, 0, time.UTC)
	const address = "https://register.test/etoegang/1.13/chaininfo"
	sign, entity := signerFor(t, now), mustEntity("urn:etoegang:MR:00000003520354760000:entities:9001")
	text := func(entity etoegang.EntityID) string {
		key := []xmlsec.Key{{Name: sign.KeyName, Certificate: sign.Certificate}}
		d := Description{ID: NewID(), Entity: entity, Until: now.AddDate(0, 0, 1), Signing: key, Encryption: key, Authz: "https://register.test/soap", Browser: "https://register.test/authz", Chain: address}
		e, err := d.Sign(sign)
		if err != nil {
			t.Fatal(err)
		}
		document := string(e.Bytes())
		start, end := strings.Index(document, "<ds:Signature "), strings.Index(document, "</ds:Signature>")+len("</ds:Signature>")
		return document[:start] + document[end:]
	}
	service := text(entity)[strings.Index(text(entity), "<chain:ChainInformationService"):]
	service = service[:strings.Index(service, "</chain:ChainInformationService>")+len("</chain:ChainInformationService>")]
	for why, c := range map[string]struct {
		from, to string
		want     string // address
		note     string
		wrong    string
	}{
		"as it is":            {"", "", address, "", ""},
		"none":                {service, "", "", "", ""},
		"another extension":   {"chain-information/0", "something-else/0", "", "", ""},
		"the same twice":      {service, service + service, address, "", ""},
		"two":                 {service, service + strings.Replace(service, "register.test", "elsewhere.test", 1), address, "the first is used", ""},
		"of a broker":         {":MR:", ":HM:", "", "only a register", ""},
		"without TLS":         {`Location="` + address, `Location="http://register.test/chaininfo`, "", "", "is not https"},
		"over something else": {`Binding="` + bindingSOAP + `" Location="` + address, `Binding="` + BindingPOST + `" Location="` + address, "", "", "is not SOAP"},
	} {
		document := strings.ReplaceAll(text(entity), c.from, c.to)
		if c.from == "" {
			document = text(entity)
		}
		all, notes, err := ParseMetadata([]byte(document), Trust{File: true}, now)
		if c.wrong != "" {
			if err == nil || !strings.Contains(err.Error(), c.wrong) {
				t.Errorf("%s: %v", why, err)
			}
			continue
		}
		if err != nil || len(all) != 1 || all[0].Chain != c.want || !strings.Contains(strings.Join(notes, "\n"), c.note) {
			t.Errorf("%s: %+v, %q, %v", why, all, notes, err)
		}
	}
}

func mustEntity(name string) etoegang.EntityID {
	e, err := etoegang.ParseEntityID(name)
	if err != nil {
		panic(err)
	}
	return e
}

// signerFor is a key of nobody in particular.
func signerFor(t *testing.T, now time.Time) xmlsec.Signer {
	t.Helper()
	pair, err := devkeys.New("nobody", now)
	if err != nil {
		t.Fatal(err)
	}
	return xmlsec.Signer{Key: pair.Key, KeyName: pair.KeyName(), Certificate: pair.Certificate}
}

// A broker's metadata say where requests to log in go. What else says so, or of no use, is
// passed over: nobody loses his broker over an address that he never visits.
func TestMetadataNameTheSignOn(t *testing.T) {
	now := time.Date(2026, 3, 2, 9, 30, 0, 0, time.UTC)
	sign := signerFor(t, now)
	key := []xmlsec.Key{{Name: sign.KeyName, Certificate: sign.Certificate}}
	read := func(entity string, places ...Endpoint) (Participant, string) {
		d := Description{ID: NewID(), Entity: mustEntity(entity), Until: now.AddDate(0, 0, 1), Signing: key, SignOn: places}
		e, err := d.SignAlone(sign)
		if err != nil {
			t.Fatal(err)
		}
		all, notes, err := ParseMetadata(e.Bytes(), Trust{Certificates: []*x509.Certificate{sign.Certificate}}, now)
		if err != nil {
			t.Fatal(err)
		}
		return all[0], strings.Join(notes, "\n")
	}
	good, useless := Endpoint{BindingRedirect, "https://broker.test/sso"}, Endpoint{BindingPOST, "javascript:alert(1)"}
	p, notes := read("urn:etoegang:HM:00000003520354760000:entities:9004", useless, good)
	if at, ok := p.SignOnAt(BindingRedirect); !ok || at != good.Location || !strings.Contains(notes, "it is not used") {
		t.Errorf("%q, %v, %q", at, ok, notes)
	}
	if at, ok := p.SignOnAt(BindingPOST); ok {
		t.Errorf("a script as an address: %q", at)
	}
	if p, _ := read("urn:etoegang:AD:00000003520354760000:entities:9003", good); len(p.SignOn) != 0 {
		t.Errorf("of an authentication service: %v", p.SignOn)
	}
}
