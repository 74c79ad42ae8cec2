package catalogue

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/xmlsec"
)

var now = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

const (
	loa3       = "urn:etoegang:core:assurance-class:loa3"
	taxOffice  = "00000001002220647000"
	city       = "00000001823288444000"
	broker     = "00000003520354760000"
	taxReturn  = "10000000-0000-0000-0000-000000000001" // definitions
	permits    = "10000000-0000-0000-0000-000000000002"
	cityPortal = "10000000-0000-0000-0000-000000000003"
)

// party is somebody with a key and a certificate for it.
type party struct {
	key         *rsa.PrivateKey
	certificate *x509.Certificate
}

func newParty(commonName string, until time.Time) party {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: commonName},
		NotBefore: now.Add(-time.Hour), NotAfter: until,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		panic(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		panic(err)
	}
	return party{key, certificate}
}

// The parties of all scenes: the scheme's administrator who publishes the
// catalogue, somebody else, and a provider.
var (
	publisher = sync.OnceValue(func() party { return newParty("beheerorganisatie", now.Add(time.Hour)) })
	stranger  = sync.OnceValue(func() party { return newParty("somebody", now.Add(time.Hour)) })
	endpoint  = sync.OnceValue(func() party { return newParty("endpoint", now.Add(time.Hour)) })
)

func (p party) sign(t testing.TB, s Spec) []byte {
	t.Helper()
	document := Build(s)
	if err := (xmlsec.Signer{Key: p.key, Certificate: p.certificate, X509: true}).Sign(document); err != nil {
		t.Fatal(err)
	}
	return document.Bytes()
}

func trusted(parties ...party) (t Trust) {
	for _, p := range parties {
		t.Certificates = append(t.Certificates, p.certificate)
	}
	return t
}

// network is a catalogue with everything in it: an ordinary service, a shared
// restriction, a portal with one service behind it.
func network() Spec {
	nl := func(text string) map[string]string { return map[string]string{"nl": text} }
	kvk := [][]string{{string(etoegang.TypeRSIN), string(etoegang.TypeKvKNr)}, {string(etoegang.TypeKvKNr)}}
	return Spec{
		ID: "catalogue", Version: "urn:etoegang:1.13:service-catalogue:T:42", Issued: now.Add(-time.Hour),
		Providers: []ProviderSpec{{
			OIN: taxOffice, Public: true, Names: map[string]string{"nl": "Belastingdienst", "en": "Tax office"},
			Definitions: []DefinitionSpec{{
				UUID: taxReturn, Public: true, Level: loa3, Broker: broker, EntityTypes: kvk,
				Names:        map[string]string{"nl": "Aangifte <doen> & meer", "en": "Tax return"},
				Descriptions: nl("Aangifte doen voor een bedrijf"), URLs: nl("https://tax.example/uitleg"),
				ActingTypes:  [][]string{{string(etoegang.TypePseudo)}},
				Restrictions: []string{etoegang.RestrictionEstablishment},
				Requested: []RequestedAttribute{{
					Name: "urn:etoegang:1.11:attribute-represented:CompanyName", Required: true, Purposes: nl("Aanhef"),
				}},
			}},
			Instances: []InstanceSpec{{
				ID: serviceID(taxOffice, 1), UUID: "20000000-0000-0000-0000-000000000001", Of: taxReturn, Public: true,
				URLs: nl("https://tax.example"), PrivacyURLs: nl("https://tax.example/privacy"), Broker: broker,
				AdditionalBrokers: []string{city}, SingleSignOn: true,
				Certificates:   []xmlsec.Key{{Name: "key-1", Certificate: endpoint().certificate}, {Certificate: endpoint().certificate}},
				Intermediation: "serviceProviderOnly", Intermediaries: []string{city},
				Classifiers: []string{"eIDAS-inbound"}, BsnkStructure: "1", BsnkKeySet: "20261101",
			}},
		}, {
			OIN: city, Public: true, Names: nl("Gemeente"),
			Definitions: []DefinitionSpec{
				{UUID: permits, Public: true, Level: loa3, Broker: broker, EntityTypes: kvk,
					Names: nl("Vergunning"), Descriptions: nl("Vergunning aanvragen")},
				{UUID: cityPortal, Public: true, Portal: true, Level: loa3, Broker: broker, EntityTypes: kvk,
					Names: nl("Portaal"), Descriptions: nl("Ingang")},
			},
			Instances: []InstanceSpec{
				{ID: serviceID(city, 1), UUID: "20000000-0000-0000-0000-000000000002", Of: permits, Public: false,
					Broker: broker, Intermediation: "noIntermediation", EntityTypes: kvk[1:]},
				{ID: serviceID(city, 2), UUID: "20000000-0000-0000-0000-000000000003", Of: cityPortal, Public: true,
					Portal: true, Broker: broker, Intermediation: "noIntermediation", PortalFor: []string{serviceID(city, 1)}},
			},
		}},
	}
}

// change is the network with one thing different.
func change(what func(s *Spec)) Spec {
	s := network()
	what(&s)
	return s
}

func serviceID(oin string, index int) string {
	return fmt.Sprintf("urn:etoegang:DV:%s:services:%d", oin, index)
}

// local parses an unsigned document as a file that the operator vouches for.
func local(s Spec) (*Catalogue, []Warning, error) {
	return Parse(Build(s).Bytes(), Trust{File: true}, now)
}

func mustLocal(t testing.TB, s Spec) *Catalogue {
	t.Helper()
	c, _, err := local(s)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// find asks for an instance by its number and a UUID.
func find(t testing.TB, c *Catalogue, id, uuid string) (Instance, bool) {
	t.Helper()
	i, err := etoegang.ParseServiceID(id)
	u, err2 := etoegang.ParseServiceUUID(uuid)
	if err := errors.Join(err, err2); err != nil {
		t.Fatal(err)
	}
	return c.Find(i, u)
}

func mustFind(t testing.TB, c *Catalogue, id, uuid string) Instance {
	t.Helper()
	i, ok := find(t, c, id, uuid)
	if !ok {
		t.Fatalf("%s is not there", id)
	}
	return i
}

// says tells whether one of the warnings has all these words.
func says(warnings []Warning, words ...string) bool {
	for _, w := range warnings {
		all := true
		for _, word := range words {
			all = all && strings.Contains(w.Text, word)
		}
		if all {
			return true
		}
	}
	return false
}
