package catalogue

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/xmlsec"
)

// What was written is read again, every value of it, signed and unsigned.
func TestParseUndoesBuild(t *testing.T) {
	want := network()
	signed, warnings, err := Parse(publisher().sign(t, want), trusted(publisher()), now)
	if err != nil || len(warnings) > 0 {
		t.Fatal(err, warnings)
	}
	for name, c := range map[string]*Catalogue{"signed": signed, "file": mustLocal(t, want)} {
		if diff := cmp.Diff(want, specOf(c)); diff != "" {
			t.Errorf("%s:\n%s", name, diff)
		}
	}
}

// A query names an instance; a mandate is on its definition.
func TestFind(t *testing.T) {
	c := mustLocal(t, network())
	i := mustFind(t, c, serviceID(taxOffice, 1), "20000000-0000-0000-0000-000000000001")
	byDefinition := mustFind(t, c, serviceID(taxOffice, 1), taxReturn)
	if i.Service() != byDefinition.Service() || i.Definition.Name("en") != "Tax return" {
		t.Errorf("found %v and %v", i, byDefinition)
	}
	want := &etoegang.Service{
		UUID: i.Definition.Service.UUID, Provider: i.Provider.OIN, Level: etoegang.LoA3,
		EntityTypes:    [][]etoegang.EntityType{{etoegang.TypeRSIN, etoegang.TypeKvKNr}, {etoegang.TypeKvKNr}},
		Establishments: true, Public: true,
	}
	if diff := cmp.Diff(want, i.Service(), cmp.Comparer(func(a, b etoegang.OIN) bool { return a == b }),
		cmp.Comparer(func(a, b etoegang.ServiceUUID) bool { return a == b })); diff != "" {
		t.Error(diff)
	}
	for id, uuid := range map[string]string{
		serviceID(taxOffice, 2): taxReturn, // unknown
		serviceID(city, 1):      taxReturn, // do not belong together
		serviceID(taxOffice, 1): "20000000-0000-0000-0000-000000000002",
	} {
		if i, ok := find(t, c, id, uuid); ok {
			t.Errorf("%s with %s found %v", id, uuid, i)
		}
	}
}

// An instance may ask for other identifiers than its definition, and may be for test
// networks although the service is not.
func TestInstanceHasTheLastWord(t *testing.T) {
	i := mustFind(t, mustLocal(t, network()), serviceID(city, 1), permits)
	if s := i.Service(); s.Public || len(s.EntityTypes) != 1 || len(i.Definition.Service.EntityTypes) != 2 {
		t.Errorf("got %+v", s)
	}
}

// The sets are in the order of their numbers, whatever the order in the document;
// without a number it is 0.
func TestSetsAreInOrderOfTheirNumbers(t *testing.T) {
	doc := string(Build(network()).Bytes())
	kvk, rsin := string(etoegang.TypeKvKNr), string(etoegang.TypeRSIN)
	first := strings.Index(doc, "<esc:EntityConcernedTypesAllowed")
	last := strings.Index(doc, "<esc:ActingSubjectTypesAllowed")
	doc = doc[:first] + `<esc:EntityConcernedTypesAllowed setNumber="10">` + rsin + `</esc:EntityConcernedTypesAllowed>
		<esc:EntityConcernedTypesAllowed setNumber="9">` + kvk + `</esc:EntityConcernedTypesAllowed>
		<esc:EntityConcernedTypesAllowed>` + kvk + `</esc:EntityConcernedTypesAllowed>
		<esc:EntityConcernedTypesAllowed setNumber="0">` + rsin + `</esc:EntityConcernedTypesAllowed>` + doc[last:]
	c, _, err := Parse([]byte(doc), Trust{File: true}, now)
	if err != nil {
		t.Fatal(err)
	}
	got := mustFind(t, c, serviceID(taxOffice, 1), taxReturn).Service().EntityTypes
	want := [][]etoegang.EntityType{{etoegang.TypeKvKNr, etoegang.TypeRSIN}, {etoegang.TypeKvKNr}, {etoegang.TypeRSIN}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// Behind a portal stand other services, named in any of the ways that are seen. A
// portal to nothing known opens for nobody, and says so.
func TestPortals(t *testing.T) {
	for _, named := range []string{serviceID(city, 1), "20000000-0000-0000-0000-000000000002", permits} {
		c, warnings, err := local(change(func(s *Spec) {
			s.Providers[1].Instances[1].PortalFor = []string{named, serviceID(city, 99), named}
		}))
		if err != nil {
			t.Fatal(err)
		}
		portal := mustFind(t, c, serviceID(city, 2), cityPortal).Service()
		if !portal.Portal() || len(portal.Targets()) != 1 || portal.Targets()[0].UUID.String() != permits {
			t.Errorf("%s: leads to %v", named, portal.Targets())
		}
		if !says(warnings, "unknown service", "services:99") || len(warnings) != 1 {
			t.Errorf("%s: %v", named, warnings)
		}
	}
	c, warnings, err := local(change(func(s *Spec) { s.Providers[1].Instances[1].PortalFor = nil }))
	if err != nil {
		t.Fatal(err)
	}
	portal := mustFind(t, c, serviceID(city, 2), cityPortal).Service()
	if !portal.Portal() || len(portal.Targets()) != 0 || !says(warnings, "nobody can use it") {
		t.Errorf("leads to %v, %v", portal.Underlying, warnings)
	}
}

// Two providers may offer one service and share the mandates on it, if they agree on
// what it takes. An instance belongs to the definition of its own provider.
func TestSharedDefinition(t *testing.T) {
	share := func(s *Spec) {
		shared := s.Providers[0].Definitions[0]
		s.Providers[1].Definitions[0] = shared
		s.Providers[1].Instances[0].Of = taxReturn
	}
	c := mustLocal(t, change(share))
	i := mustFind(t, c, serviceID(city, 1), taxReturn)
	if i.Definition.Provider.OIN.String() != city || i.Service().Provider.String() != city {
		t.Errorf("the city's instance is of %v", i.Definition.Provider)
	}
	if d, ok := c.Definition(i.Definition.Service.UUID); !ok || d.Provider.OIN.String() != taxOffice {
		t.Errorf("the first definition is of %v", d.Provider)
	}
	if by := c.OfferedBy(i.Definition.Service.UUID); len(by) != 2 || by[0].String() != taxOffice || by[1].String() != city {
		t.Errorf("offered by %v", by)
	}
	for want, disagree := range map[string]func(d *DefinitionSpec){
		"another level": func(d *DefinitionSpec) { d.Level = "urn:etoegang:core:assurance-class:loa4" },
		"other types":   func(d *DefinitionSpec) { d.EntityTypes = d.EntityTypes[1:] },
	} {
		_, _, err := local(change(func(s *Spec) { share(s); disagree(&s.Providers[1].Definitions[0]) }))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}

// An instance without InstanceOfService carries its definition's UUID, or runs the
// service of a supplier.
func TestInstancesWithoutInstanceOfService(t *testing.T) {
	c := mustLocal(t, change(func(s *Spec) {
		i := &s.Providers[0].Instances[0]
		i.UUID, i.Of = taxReturn, ""
		j := &s.Providers[1].Instances[0]
		j.Of, j.Intermediated = "", taxReturn
	}))
	if i := mustFind(t, c, serviceID(taxOffice, 1), taxReturn); i.Definition.Name("en") != "Tax return" {
		t.Errorf("got %v", i.Definition)
	}
	i := mustFind(t, c, serviceID(city, 1), taxReturn)
	if i.Definition.Name("en") != "Tax return" {
		t.Errorf("got %v", i.Definition)
	}
	if by := c.OfferedBy(i.Definition.Service.UUID); !slices.Contains(by, i.Provider.OIN) {
		t.Errorf("who runs it for another does not offer it: %v", by)
	}
	if p, known := c.Provider(i.Provider.OIN); !known || p != i.Provider {
		t.Errorf("the city is %v", p)
	}
}

func TestEdition(t *testing.T) {
	for version, want := range map[string]struct {
		environment string
		sequence    int64
		ok          bool
	}{
		"urn:etoegang:1.11:service-catalogue:T:1":  {"T", 1, true},
		"urn:etoegang:1.13:53":                     {"", 53, true},
		"urn:etoegang:1.13:service-catalogue:P:-1": {},
		"urn:etoegang:1.13:service-catalogue:P:+1": {},
		"urn:etoegang:1.13:service-catalogue::1":   {},
		"urn:etoegang:1.13":                        {},
		"urn:etoegang:1.13:99999999999999999999":   {},
		"53":                                       {},
		"":                                         {},
	} {
		c, _, err := local(change(func(s *Spec) { s.Version = version }))
		if (err == nil) != want.ok {
			t.Errorf("%s: %v", version, err)
		}
		if err == nil && (c.Environment() != want.environment || c.Sequence() != want.sequence || c.Version() != version) {
			t.Errorf("%s: environment %q, sequence %d", version, c.Environment(), c.Sequence())
		}
	}
	doc := publisher().sign(t, network())
	c, _, err := Parse(doc, trusted(stranger(), publisher()), now)
	if err != nil {
		t.Fatal(err)
	}
	if c.SHA256() != sha256.Sum256(doc) || c.Signer() != fingerprint(publisher().certificate) || !c.Issued().Equal(now.Add(-time.Hour)) {
		t.Errorf("signer %q, issued %v", c.Signer(), c.Issued())
	}
}

// Only a catalogue that the right key signed, with a certificate that is valid, is
// read at all.
func TestSignatures(t *testing.T) {
	signed := publisher().sign(t, network())
	altered := bytes.Replace(signed, []byte("loa3"), []byte("loa2"), 1)
	unsigned := Build(network()).Bytes()
	late := newParty("expired", now.Add(-time.Minute))

	for name, c := range map[string]struct {
		doc   []byte
		trust Trust
		want  error
	}{
		"signed":                      {signed, trusted(publisher()), nil},
		"signed, several keys":        {signed, trusted(stranger(), publisher()), nil},
		"signed, also files":          {signed, Trust{Certificates: trusted(publisher()).Certificates, File: true}, nil},
		"altered":                     {altered, trusted(publisher()), xmlsec.ErrSignature},
		"altered file":                {altered, Trust{Certificates: trusted(publisher()).Certificates, File: true}, xmlsec.ErrSignature},
		"by another key":              {stranger().sign(t, network()), trusted(publisher()), xmlsec.ErrSignature},
		"by an expired key":           {late.sign(t, network()), trusted(late), xmlsec.ErrCertificate},
		"unsigned":                    {unsigned, trusted(publisher()), ErrUnsigned},
		"unsigned file":               {unsigned, Trust{File: true}, nil},
		"unsigned file, certificates": {unsigned, Trust{Certificates: trusted(publisher()).Certificates, File: true}, nil},
		"nobody is trusted":           {signed, Trust{}, ErrUnsigned},
	} {
		if _, _, err := Parse(c.doc, c.trust, now); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	catalogue, warnings, err := Parse(altered, Trust{File: true}, now)
	if err != nil || catalogue.Signer() != "" || !says(warnings, "signature that was not checked") {
		t.Errorf("a file whose signature nobody can check: %v, %v", warnings, err)
	}
	if _, _, err := Parse([]byte(`<a xmlns="urn:x:y"/>`), Trust{File: true}, now); err == nil {
		t.Error("another document was taken for a catalogue")
	}
}

// All mistakes are told at once, each with its line.
func TestEveryMistakeIsToldWithItsLine(t *testing.T) {
	broken := change(func(s *Spec) {
		s.Providers[0].OIN = "123"
		d := &s.Providers[0].Definitions[0]
		d.Level = "urn:etoegang:core:assurance-class:loa5"
		d.Names = map[string]string{"nl": strings.Repeat("é", 65)}
		d.Broker = ""
		s.Providers[1].Definitions[0].UUID = "not-a-uuid"
		s.Providers[1].Definitions[1].UUID = taxReturn
		s.Providers[1].Instances[1].ID = serviceID(city, 1)
		s.Providers[1].Instances[1].UUID = s.Providers[1].Instances[0].UUID
	})
	doc := oneElementPerLine(Build(broken).Bytes())
	doc = bytes.Replace(doc, []byte("MII"), []byte("???"), 1)
	doc = bytes.Replace(doc, []byte(` esc:IsPublic="true"`), []byte(` esc:IsPublic="perhaps"`), 1)

	_, _, err := Parse(doc, Trust{File: true}, now)
	var all *Errors
	if !errors.As(err, &all) {
		t.Fatal(err)
	}
	lines := strings.Split(string(doc), "\n")
	for _, want := range []struct{ text, line string }{
		{"ServiceProvider has IsPublic \"perhaps\"", "perhaps"},
		{"ServiceProviderID is \"123\"", ">123<"},
		{"AuthnContextClassRef is", "loa5"},
		{"ServiceName has 65 characters", "ééé"},
		{"HerkenningsmakelaarId is empty", "<esc:HerkenningsmakelaarId>"},
		{"ServiceUUID is \"not-a-uuid\"", "not-a-uuid"},
		{"X509Certificate is not a certificate", "???"},
		{"shares ServiceUUID", "<esc:ServiceDefinition"},
		{"same ServiceID", "<esc:ServiceInstance"},
		{"same ServiceUUID", "<esc:ServiceInstance"},
		{"does not lead to any known ServiceDefinition", "<esc:ServiceInstance"},
	} {
		i := slices.IndexFunc(all.List, func(p Problem) bool { return strings.Contains(p.Text, want.text) })
		if i < 0 {
			t.Errorf("nobody told that it %s", want.text)
			continue
		}
		if line := all.List[i].Line; line < 1 || !strings.Contains(lines[line-1], want.line) {
			t.Errorf("%s: line %d does not have %s", want.text, line, want.line)
		}
		if !strings.Contains(err.Error(), all.List[i].Text) {
			t.Errorf("the error does not say %s", all.List[i].Text)
		}
	}
}

// Lines are right in a signed document as well, whose values come from canonical
// bytes without its signature.
func TestLinesOfSignedDocument(t *testing.T) {
	s := change(func(s *Spec) { s.Providers[1].Instances[1].Of = "30000000-0000-0000-0000-000000000000" })
	signed := publisher().sign(t, s)
	// Between attributes white space is free: the signature still holds.
	doc := bytes.ReplaceAll(signed, []byte(" esc:IsPublic="), []byte("\n esc:IsPublic="))
	doc = bytes.ReplaceAll(doc, []byte("<ds:SignedInfo"), []byte("<ds:SignedInfo\n"))
	_, _, err := Parse(doc, trusted(publisher()), now)
	var all *Errors
	if !errors.As(err, &all) || len(all.List) != 1 {
		t.Fatal(err)
	}
	before, _, _ := bytes.Cut(doc, []byte(serviceID(city, 2)))
	want := 1 + bytes.Count(before[:bytes.LastIndex(before, []byte("<esc:ServiceInstance"))], []byte("\n"))
	if all.List[0].Line != want {
		t.Errorf("line %d, want %d", all.List[0].Line, want)
	}
}

// A document that is wrong all over is told about in bounds.
func TestMistakesAreBounded(t *testing.T) {
	s := many(150, 1)
	for i := range s.Providers {
		s.Providers[i].Definitions[0].Level = "high"
	}
	_, _, err := local(s)
	var all *Errors
	if !errors.As(err, &all) || len(all.List) != maxFindings || all.More != 50 {
		t.Errorf("%v", err)
	}
}

// What the network can live with is told and does not stop the register.
func TestWarnings(t *testing.T) {
	for _, c := range []struct {
		want    string
		mention string
		change  func(s *Spec)
		edit    [2]string
	}{
		{want: "unknown and ignored", mention: "Colour", edit: [2]string{` esc:IsPublic="true"`, ` Colour="red" esc:IsPublic="true"`}},
		{want: "does not belong in ServiceProvider", mention: "Extra", edit: [2]string{`</esc:ServiceProviderID>`, `</esc:ServiceProviderID><esc:Extra/>`}},
		{want: "does not belong in ServiceProvider", mention: "Foreign", edit: [2]string{`</esc:ServiceProviderID>`, `</esc:ServiceProviderID><Foreign xmlns="urn:x:y"><a/></Foreign>`}},
		{want: "does not say its language", edit: [2]string{` xml:lang="en"`, ``}},
		{want: "twice in language", edit: [2]string{` xml:lang="en"`, ` xml:lang="nl"`}},
		{want: "BSN at loa2", change: func(s *Spec) {
			d := &s.Providers[0].Definitions[0]
			d.Level = "urn:etoegang:core:assurance-class:loa2"
			d.EntityTypes = append(d.EntityTypes, []string{string(etoegang.TypeBSN)})
		}},
		{want: "loa1, which ended", change: func(s *Spec) { s.Providers[0].Definitions[0].Level = "urn:etoegang:core:assurance-class:loa1" }},
		{want: "restriction", change: func(s *Spec) { s.Providers[0].Definitions[0].Restrictions = []string{"urn:x"} }},
		{want: "names another provider", change: func(s *Spec) { s.Providers[0].Instances[0].ID = serviceID(broker, 7) }},
		{want: "not for encryption", edit: [2]string{`use="encryption"`, `use="signing"`}},
		{want: "is not a portal", change: func(s *Spec) { s.Providers[0].Instances[0].PortalFor = []string{permits} }},
		{want: "intermediationAllowed", change: func(s *Spec) { s.Providers[0].Instances[0].Intermediation = "sometimes" }},
		{want: "issued in the future", change: func(s *Spec) { s.Issued = now.Add(time.Hour) }},
		{want: "expired on", change: func(s *Spec) {
			s.Providers[0].Instances[0].Certificates[0].Certificate = newParty("old", now.Add(-time.Minute)).certificate
		}},
	} {
		s := network()
		if c.change != nil {
			c.change(&s)
		}
		doc := bytes.Replace(Build(s).Bytes(), []byte(c.edit[0]), []byte(c.edit[1]), 1)
		_, warnings, err := Parse(doc, Trust{File: true}, now)
		if err != nil || !says(warnings, c.want, c.mention) {
			t.Errorf("%s: %v, %v", c.want, warnings, err)
		}
	}
}

// What cannot be understood is refused, not guessed.
func TestRefused(t *testing.T) {
	for _, c := range []struct {
		want     string
		old, new string
	}{
		{"lacks the attribute Version", ` esc:Version="urn:etoegang:1.13:service-catalogue:T:42"`, ``},
		{"has IsPublic twice", ` esc:IsPublic="true"`, ` esc:IsPublic="true" IsPublic="false"`},
		{"not a time with a zone", `11:00:00Z`, `11:00:00`},
		{"has 0 of ServiceProviderID", `<esc:ServiceProviderID>` + taxOffice + `</esc:ServiceProviderID>`, ``},
		{"has 2 of ServiceProviderID", `<esc:ServiceProviderID>`, `<esc:ServiceProviderID>1</esc:ServiceProviderID><esc:ServiceProviderID>`},
		{"is there twice, with OIN", city + `</esc:ServiceProviderID>`, taxOffice + `</esc:ServiceProviderID>`},
		{"lacks OrganizationDisplayName", `<esc:OrganizationDisplayName xml:lang="nl">Gemeente</esc:OrganizationDisplayName>`, ``},
		{"holds elements", taxReturn, `<esc:a/>`},
		{"setNumber", `setNumber="1"`, `setNumber="-1"`},
		{"lacks the attribute Name", ` Name=`, ` FriendlyName=`},
		{"neither true nor false", `<esc:SSOSupport>true`, `<esc:SSOSupport>ja`},
		{"stands here more than once", `<esc:SSOSupport>`, `<esc:SSOSupport>true</esc:SSOSupport><esc:SSOSupport>`},
		{"has 0 of X509Data", `<ds:X509Data>`, `<ds:X509Data></ds:X509Data><ds:X509Data>`},
		{"definition that it is not an instance of", `<esc:ServiceUUID>20000000-0000-0000-0000-000000000001`, `<esc:ServiceUUID>` + permits},
	} {
		doc := bytes.Replace(Build(network()).Bytes(), []byte(c.old), []byte(c.new), 1)
		if c.want == "has 0 of X509Data" {
			doc = withoutX509Data(doc)
		}
		if _, _, err := Parse(doc, Trust{File: true}, now); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.want, err)
		}
	}
}

func withoutX509Data(doc []byte) []byte {
	from, to := bytes.Index(doc, []byte("<ds:X509Data>")), bytes.Index(doc, []byte("</ds:KeyInfo>"))
	return slices.Concat(doc[:from], doc[to:])
}

// Attributes with and without the namespace are the same; white space around values
// is layout.
func TestLenientWhereItIsHarmless(t *testing.T) {
	doc := bytes.ReplaceAll(Build(network()).Bytes(), []byte(" esc:"), []byte(" "))
	doc = bytes.ReplaceAll(doc, []byte("<esc:ServiceUUID>"), []byte("<esc:ServiceUUID>\n\t"))
	c, warnings, err := Parse(doc, Trust{File: true}, now)
	if err != nil || len(warnings) > 0 {
		t.Fatal(err, warnings)
	}
	if diff := cmp.Diff(network(), specOf(c)); diff != "" {
		t.Error(diff)
	}
}

// A file as people write it, with a warning that points at the right line of it.
func TestHandwrittenFile(t *testing.T) {
	doc, err := os.ReadFile("../../testdata/catalogue/small.xml")
	if err != nil {
		t.Fatal(err)
	}
	c, warnings, err := Parse(doc, Trust{File: true}, now)
	if err != nil {
		t.Fatal(err)
	}
	if len(warnings) != 1 || warnings[0].Line != 29 || !says(warnings, "Sticker") {
		t.Errorf("warnings: %v", warnings)
	}
	i := mustFind(t, c, serviceID(city, 9001), "0f8fad5b-d9cb-469f-a165-70867728950e")
	s := i.Service()
	if c.Sequence() != 53 || s.Public || !s.Establishments || len(s.EntityTypes[0]) != 2 || i.Definition.Name("en") != "Apply for a permit" {
		t.Errorf("read as %+v", s)
	}
}

func TestLanguages(t *testing.T) {
	texts := map[string]string{"nl": "n", "en": "e", "de": "d"}
	for lang, want := range map[string]string{"de": "d", "nl": "n", "fr": "n", "": "n"} {
		if got := inLanguage(texts, lang); got != want {
			t.Errorf("%q: %q", lang, got)
		}
	}
	if got := inLanguage(map[string]string{"pl": "p", "de": "d"}, "fr"); got != "d" {
		t.Errorf("any: %q", got)
	}
	if got := inLanguage(nil, "nl"); got != "" {
		t.Errorf("none: %q", got)
	}
}

// What we write is valid by the schema that providers use. The schema and those it
// imports are not part of this repository: MANDATED_SAMPLES names the folder with
// service-catalogue-1.13.xsd; Debian's opensaml-schemas and xmltooling-schemas have
// the others.
func TestBuiltDocumentIsValidBySchema(t *testing.T) {
	samples := os.Getenv("MANDATED_SAMPLES")
	schema, err := os.ReadFile(filepath.Join(samples, "service-catalogue-1.13.xsd"))
	if samples == "" || err != nil {
		t.Skip("MANDATED_SAMPLES does not name a folder with the schema")
	}
	dir := t.TempDir()
	document := filepath.Join(dir, "catalogue.xml")
	files := map[string][]byte{
		document:                         publisher().sign(t, network()),
		filepath.Join(dir, "schema.xsd"): schema,
	}
	for _, pattern := range []string{"opensaml/saml-schema-*-2.0.xsd", "xmltooling/*.xsd"} {
		imported, _ := filepath.Glob("/usr/share/xml/" + pattern)
		if len(imported) == 0 {
			t.Skipf("no /usr/share/xml/%s", pattern)
		}
		for _, path := range imported {
			if files[filepath.Join(dir, filepath.Base(path))], err = os.ReadFile(path); err != nil {
				t.Fatal(err)
			}
		}
	}
	for path, data := range files {
		if err := os.WriteFile(path, localImports(data), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	out, err := exec.Command("xmllint", "--nonet", "--noout", "--schema", filepath.Join(dir, "schema.xsd"), document).CombinedOutput()
	if errors.Is(err, exec.ErrNotFound) {
		t.Skip("no xmllint")
	}
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// localImports makes imports of schemas on the web imports of the file beside.
func localImports(schema []byte) []byte {
	for _, site := range []string{
		"http://www.w3.org/TR/2002/REC-xmldsig-core-20020212/", "http://www.w3.org/TR/2002/REC-xmlenc-core-20021210/",
		"http://www.w3.org/2001/", "http://www.w3.org/TR/xmldsig-core/",
	} {
		schema = bytes.ReplaceAll(schema, []byte(`schemaLocation="`+site), []byte(`schemaLocation="`))
	}
	return schema
}

// many makes a large catalogue of plain services: with all that the network above
// has, thirty thousand would not fit into the 64 MiB that are let in.
func many(providers, servicesEach int) Spec {
	s := Spec{Version: "urn:etoegang:1.13:1", Issued: now}
	definition, instance := network().Providers[1].Definitions[0], network().Providers[1].Instances[0]
	for p := range providers {
		oin := fmt.Sprintf("%020d", p+1)
		next := ProviderSpec{OIN: oin, Public: true, Names: map[string]string{"nl": "Gemeente"}}
		for n := range servicesEach {
			d, i := definition, instance
			d.UUID = fmt.Sprintf("10000000-0000-0000-%04x-%012x", p, n)
			i.UUID = fmt.Sprintf("20000000-0000-0000-%04x-%012x", p, n)
			i.ID, i.Of, i.EntityTypes = serviceID(oin, n+1), d.UUID, nil
			if n%4 == 0 {
				i.Certificates = []xmlsec.Key{{Name: "key-1", Certificate: endpoint().certificate}}
			}
			next.Definitions = append(next.Definitions, d)
			next.Instances = append(next.Instances, i)
		}
		s.Providers = append(s.Providers, next)
	}
	return s
}

// Twenty times what there is.
func TestThirtyThousandServices(t *testing.T) {
	if testing.Short() || underRace {
		t.Skip("takes long, and runs in one goroutine")
	}
	c := mustLocal(t, many(1500, 20))
	if i := mustFind(t, c, serviceID(fmt.Sprintf("%020d", 1500), 20), "10000000-0000-0000-05db-000000000013"); i.Service() == nil {
		t.Error("the last service is not there")
	}
}

func BenchmarkParse30000(b *testing.B) {
	doc := publisher().sign(b, many(1500, 20))
	for name, trust := range map[string]Trust{"signed": trusted(publisher()), "file": {File: true}} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(doc)))
			b.ReportAllocs()
			var c *Catalogue
			before := heap()
			for b.Loop() {
				var err error
				if c, _, err = Parse(doc, trust, now); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric((heap()-before)/1e6, "MB-kept")
			b.ReportMetric(float64(len(doc))/1e6, "MB-document")
			runtime.KeepAlive(c)
		})
	}
}

// heap is how many bytes are in use.
func heap() float64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc)
}

// Whatever the bytes, Parse does not panic; what it accepts can be used, and what it
// refuses it can point at.
func FuzzParse(f *testing.F) {
	whole := Build(network()).Bytes()
	small, err := os.ReadFile("../../testdata/catalogue/small.xml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(small)
	f.Add(whole)
	f.Add(oneElementPerLine(whole))
	f.Add(publisher().sign(f, network()))
	for _, cut := range []string{"ServiceInstance", "InstanceOfService", "EntityConcernedTypesAllowed", "xml:lang"} {
		f.Add(bytes.ReplaceAll(whole, []byte(cut), []byte("Other")))
	}
	f.Add([]byte(`<ServiceCatalogue xmlns="urn:etoegang:1.13:service-catalog"/>`))
	f.Fuzz(func(t *testing.T, doc []byte) {
		c, _, err := Parse(doc, Trust{File: true}, now)
		var all *Errors
		if errors.As(err, &all) {
			for _, p := range all.List {
				if p.Line < 1 || p.Line > 1+bytes.Count(doc, []byte("\n")) {
					t.Errorf("line %d of %q: %s", p.Line, doc, p.Text)
				}
			}
		}
		if err != nil {
			return
		}
		for i := range c.Instances() {
			found, ok := c.Find(i.ID, i.Definition.Service.UUID)
			if !ok || found.Service() == nil || found.Service().Portal() != i.Portal {
				t.Errorf("instance %s cannot be used", i.ID)
			}
		}
	})
}

func oneElementPerLine(doc []byte) []byte { return bytes.ReplaceAll(doc, []byte("><"), []byte(">\n<")) }
