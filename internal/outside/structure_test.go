package outside_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/beevik/etree"

	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/harness"
	"github.com/mandated/mandated/pkg/mandate"
)

// spaces gives every namespace one short name, whatever prefix a message gives it.
var spaces = map[string]string{
	"urn:oasis:names:tc:SAML:2.0:assertion":          "saml",
	"urn:oasis:names:tc:SAML:2.0:protocol":           "samlp",
	"urn:oasis:names:tc:xacml:2.0:context:schema:os": "context",
	"urn:oasis:names:tc:xacml:2.0:policy:schema:os":  "policy",
	spaceDS:                             "ds",
	c14nExclusive:                       "ec",
	"http://www.w3.org/2001/04/xmlenc#": "xenc",
	"http://www.w3.org/2001/XMLSchema-instance": "xsi",
}

// telling are the attributes whose values are names of the protocol and not of anybody:
// they belong to the structure.
var telling = []string{"Format", "DataType", "AttributeId", "Algorithm", "Type", "Value", "Version", "NameQualifier", "SubjectCategory", "PrefixList", "ObligationId", "FulfillOn"}

// structure writes an element as lines: one for each element, with its attributes in the
// order of their names, and with no value that belongs to one message only.
func structure(el *etree.Element) (lines []string) {
	var walk func(el *etree.Element, path string)
	walk = func(el *etree.Element, path string) {
		line := path + label(el)
		lines = append(lines, line)
		for _, c := range el.ChildElements() {
			walk(c, line[:len(path)]+short(el)+"/")
		}
	}
	walk(el, "")
	return lines
}

// short is an element's name, and for an attribute of XACML which one it is.
func short(el *etree.Element) string {
	name := spaces[el.NamespaceURI()] + ":" + el.Tag
	if id := el.SelectAttrValue("AttributeId", ""); id != "" {
		name += "(" + id[strings.LastIndexByte(id, ':')+1:] + ")"
	}
	return name
}

func label(el *etree.Element) string {
	var attributes []string
	for _, a := range el.Attr {
		if a.Space == "xmlns" || a.Key == "xmlns" {
			continue
		}
		text := "@" + a.Key
		if a.Space == "xsi" {
			_, local, _ := strings.Cut(a.Value, ":")
			text = "@xsi:type=" + local
		} else if slices.Contains(telling, a.Key) {
			text += "=" + nameless(a.Value)
		}
		attributes = append(attributes, text)
	}
	slices.Sort(attributes)
	line := strings.Join(append([]string{short(el)}, attributes...), " ")
	if el.Tag == "Decision" {
		line += " " + el.Text()
	}
	return line
}

// nameless takes participants out of a value: which one it is differs between messages.
func nameless(value string) string {
	if e, err := etoegang.ParseEntityID(value); err == nil {
		return "<" + string(e.Role()) + ">"
	}
	return value
}

// registerAssertion finds the assertion of a mandate register in a message.
func registerAssertion(t *testing.T, message []byte) *etree.Element {
	t.Helper()
	for _, a := range tree(message).FindElements("//Assertion") {
		if strings.HasPrefix(strings.TrimSpace(child(a, "Issuer").Text()), "urn:etoegang:MR:") {
			return a
		}
	}
	t.Fatal("the message has no assertion of a register")
	return nil
}

// difference is a line that one side has and the other has not, and why that is meant.
type difference struct{ line, why string }

// compare wants the lines of two structures to differ as listed and in nothing else, and
// those that both have to come in the same order.
func compare(t *testing.T, ours, theirs []string, lacking, more []difference) {
	t.Helper()
	check := func(what string, have, other []string, meant []difference) {
		var found []string
		for _, line := range have {
			if !slices.Contains(other, line) && !slices.Contains(found, line) {
				found = append(found, line)
			}
		}
		for _, line := range found {
			if !slices.ContainsFunc(meant, func(d difference) bool { return strings.Contains(line, d.line) }) {
				t.Errorf("%s, and nobody meant it: %s", what, line)
			}
		}
		for _, d := range meant {
			if !slices.ContainsFunc(found, func(line string) bool { return strings.Contains(line, d.line) }) {
				t.Errorf("%s should be listed no more: %s (%s)", what, d.line, d.why)
			}
		}
	}
	check("they have it and we lack it", theirs, ours, lacking)
	check("we have it and they lack it", ours, theirs, more)
	if a, b := common(ours, theirs), common(theirs, ours); !slices.Equal(a, b) {
		t.Errorf("what both have comes in another order:\nours\n%s\ntheirs\n%s", strings.Join(a, "\n"), strings.Join(b, "\n"))
	}
}

// common are the lines of the first that the second has too, each once, without those
// inside Request: the order of XACML attributes has no meaning.
func common(a, b []string) (lines []string) {
	for _, line := range a {
		if slices.Contains(b, line) && !slices.Contains(lines, line) && !strings.Contains(line, "context:Request/") {
			lines = append(lines, line)
		}
	}
	return lines
}

// permitted asks for a Permit, with or without identifiers in the clear, for a mandate
// limited to an establishment.
func permitted(t *testing.T, clear bool) []byte {
	t.Helper()
	n := harness.Start(t, harness.Options{Configure: func(settings map[string]any) {
		settings["peers"] = map[string]any{"urn:etoegang:HM:00000003520354760000:entities:9004": map[string]any{"clear_identifiers": clear}}
	}})
	service := n.Services["permit"]
	anna := n.NewPerson("Anna")
	branch := must[etoegang.EstablishmentNumber](t)(etoegang.ParseEstablishmentNumber("000012345678"))
	must[mandate.ID](t)(n.First.Grant(mandate.Mandate{Kind: mandate.Direct, Grantor: bakery, Person: anna, Scope: harness.For(service, etoegang.LoA3), Establishments: []etoegang.EstablishmentNumber{branch}}))
	r := must[*harness.Result](t)(n.Broker.Authorize(ctx, harness.Question{Person: anna, Service: service, Asked: etoegang.LoA2Plus}))
	if r.Reply == nil || !r.Reply.Permitted() {
		t.Fatalf("not permitted: %s", r.Received)
	}
	return r.Received
}

// Our assertion is built as the skeleton says, which is our own reading of the scheme: a
// change of the message is a change of that file.
func TestStructureOfOurAssertion(t *testing.T) {
	t.Parallel()
	for name, clear := range map[string]bool{"assertion.txt": false, "assertion-clear.txt": true} {
		ours := structure(registerAssertion(t, permitted(t, clear)))
		file := filepath.Join("..", "..", "testdata", "messages", name)
		want := must[[]byte](t)(os.ReadFile(file))
		if got := strings.Join(ours, "\n") + "\n"; got != string(want) {
			t.Errorf("the structure is not that of %s:\n%s", file, got)
		}
	}
}

// What real registers sent in 2020 and in 2023 differs from what we send only as meant.
func TestStructureOfRealAssertions(t *testing.T) {
	t.Parallel()
	folder := os.Getenv("MANDATED_SAMPLES")
	if folder == "" {
		t.Skip("MANDATED_SAMPLES names no folder of real messages")
	}
	for _, clear := range []bool{true, false} {
		ours := structure(registerAssertion(t, permitted(t, clear)))
		for _, c := range realAssertions(clear) {
			t.Run(fmt.Sprintf("%s, clear identifiers %v", c.file, clear), func(t *testing.T) {
				theirs := structure(registerAssertion(t, must[[]byte](t)(os.ReadFile(filepath.Join(folder, c.file)))))
				compare(t, ours, theirs, c.lacking, c.more)
			})
		}
	}
}

type realAssertion struct {
	file          string
	lacking, more []difference
}

// realAssertions says how we differ from each and why.
func realAssertions(clear bool) []realAssertion {
	const text = " @DataType=http://www.w3.org/2001/XMLSchema#string"
	echo := func(name, issuer, why string) difference {
		return difference{"Attribute(" + name + ") @AttributeId=urn:etoegang:core:" + name + text + issuer, why}
	}
	const marked = "what the asker said is not marked with an issuer, so that ours and his can be told apart"
	old := realAssertion{file: "hm-response-2020.xml",
		lacking: []difference{echo("ServiceID", " @Issuer", marked), echo("ServiceUUID", " @Issuer", marked), echo("LevelOfAssurance", " @Issuer", marked)},
		more: []difference{
			{"ec:InclusiveNamespaces @PrefixList=xacml-saml", "the prefix in xsi:type must survive being moved into the broker's assertion"},
			echo("ServiceID", "", marked), echo("ServiceUUID", "", marked), echo("LevelOfAssurance", "", marked),
			{"Attribute(Vestigingsnr)", "the mandate of our scene is limited to a branch"},
		}}
	young := realAssertion{file: "hm-artifactresponse-2023.xml",
		lacking: []difference{
			{"saml:Subject/saml:NameID @Format=urn:oasis:names:tc:SAML:2.0:nameid-format:transient @NameQualifier=<MR>", "the scheme's page asks for no qualifier on a transient name"},
			{"context:Subject @SubjectCategory=urn:oasis:names:tc:xacml:1.0:subject-category:access-subject", "it is the default value"},
			{"AttributeValue/saml:NameID", "whoever published the message has decrypted its identifiers"},
			{"Attribute(SubdossierNr)", "mandates here hold no sub-file numbers, so there is none to send along"},
		},
		more: []difference{
			{"saml:Subject/saml:NameID @Format=urn:oasis:names:tc:SAML:2.0:nameid-format:transient", "the scheme's page asks for no qualifier on a transient name"},
			{"context:Request/context:Subject", "the category is left to its default"},
			{"saml:EncryptedID", "ours have not been decrypted"},
		}}
	const inClear = "identifiers in the clear are sent only to peers that still need them (clear_identifiers)"
	if clear {
		old.lacking = append(old.lacking, echo("ActingEntityID", "", "what we add is marked with our own name"))
		old.more = append(old.more, echo("ActingEntityID", " @Issuer", "what we add is marked with our own name"))
		return []realAssertion{old, young}
	}
	for _, r := range []*realAssertion{&old, &young} {
		r.lacking = append(r.lacking, difference{"Attribute(ActingEntityID)", inClear}, difference{"Attribute(KvKnr)", inClear})
	}
	return []realAssertion{old, young}
}
