// Package review tells people what is wrong with their metadata: line by line, all of it at
// once, in plain words and with the next step.
//
// It owns those words and nothing else. Whether metadata are accepted saml.ParseMetadata
// decides, which stops at the first thing; what it refuses is refused here too, and this
// reading is for people alone. It fetches nothing and reads no clock.
package review

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/mandated/mandated/internal/look"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/saml"
)

// Text is a text in the languages of pages.
type Text = look.Text

// Finding is one thing that is wrong, or odd.
type Finding struct {
	Line int  `json:"line"` // on which the element begins, from 1; 0: the whole document
	Bad  bool `json:"bad"`  // the metadata are refused for it; false: they work, but look at it
	What Text `json:"what"`
	Next Text `json:"next"` // what to do about it
}

// Metadata looks through the metadata of one or more participants.
func Metadata(doc []byte, now time.Time) []Finding {
	_, _, err := saml.ParseMetadata(doc, saml.Trust{File: true}, now)
	r := reviewer{now: now}
	if root := readTree(doc); root != nil {
		r.root(root)
	}
	if err != nil && !slices.ContainsFunc(r.findings, func(f Finding) bool { return f.Bad }) {
		what := strings.TrimPrefix(err.Error(), "saml: ")
		r.add(0, true, Text{NL: "Het bestand is niet te lezen: " + what, EN: "The file cannot be read: " + what},
			Text{NL: "Laat uw software de metadata opnieuw maken, of maak ze na met een voorbeeld.", EN: "Let your software make the metadata again, or start from an example."})
	}
	slices.SortStableFunc(r.findings, func(a, b Finding) int { return a.Line - b.Line })
	return r.findings
}

type reviewer struct {
	now      time.Time
	findings []Finding
}

func (r *reviewer) add(line int, bad bool, what, next Text) {
	r.findings = append(r.findings, Finding{line, bad, what, next})
}

// say is a text with the same values in both languages.
func say(nl, en string, values ...any) Text {
	return Text{NL: fmt.Sprintf(nl, values...), EN: fmt.Sprintf(en, values...)}
}

func (r *reviewer) root(n *node) {
	switch {
	case n.space != spaceMetadata || n.name != "EntityDescriptor" && n.name != "EntitiesDescriptor":
		r.add(n.line, true, say("Dit zijn geen SAML-metadata: het bestand begint met %.60q.", "These are no SAML metadata: the file begins with %.60q.", n.name),
			say("Stuur het bestand dat begint met EntityDescriptor.", "Send the file that begins with EntityDescriptor."))
	case n.name == "EntityDescriptor":
		r.entity(n)
	default:
		for _, c := range n.all(spaceMetadata, "EntityDescriptor") {
			r.entity(c)
		}
	}
}

// descriptors are those that fit a role best.
var descriptors = map[etoegang.Role][]string{
	etoegang.Provider: {"SPSSODescriptor"}, etoegang.Broker: {"SPSSODescriptor", "IDPSSODescriptor"},
	etoegang.Authenticator: {"IDPSSODescriptor"}, etoegang.Register: {"PDPDescriptor", "IDPSSODescriptor", "RoleDescriptor"},
	etoegang.EIDAS: {"IDPSSODescriptor", "PDPDescriptor"},
}

func (r *reviewer) entity(n *node) {
	entity, err := etoegang.ParseEntityID(n.attributes["entityID"])
	if err != nil {
		r.add(n.line, true, say("De entityID %.120q is geen naam van dit stelsel.", "The entityID %.120q is no name of this scheme.", n.attributes["entityID"]),
			say("Gebruik urn:etoegang:DV:<OIN van 20 cijfers>:entities:<nummer van 4 cijfers>.", "Use urn:etoegang:DV:<OIN of 20 digits>:entities:<number of 4 digits>."))
	}
	r.until(n)
	signing, encryption, found := 0, 0, false
	for _, d := range n.children {
		if d.space != spaceMetadata || !strings.HasSuffix(d.name, "Descriptor") {
			continue
		}
		found = found || slices.Contains(descriptors[entity.Role()], d.name)
		s, e := r.descriptor(d, entity.Role())
		signing, encryption = signing+s, encryption+e
	}
	if err == nil && !found {
		r.add(n.line, true, say("Er is geen %s, en die hoort bij de rol %s.", "There is no %s, which goes with the role %s.", strings.Join(descriptors[entity.Role()], "/"), entity.Role()),
			say("Zet de beschrijving van deze rol in de metadata, of gebruik de entityID van de juiste rol.", "Put the descriptor of this role into the metadata, or use the entityID of the right role."))
	}
	r.keys(n, signing, encryption)
}

// until looks how long the metadata may be used.
func (r *reviewer) until(n *node) {
	text, there := n.attributes["validUntil"]
	if !there {
		return
	}
	until, err := time.Parse(time.RFC3339Nano, text)
	switch {
	case err != nil:
		r.add(n.line, true, say("validUntil %.60q is geen tijdstip.", "validUntil %.60q is not a moment.", text),
			say("Schrijf het als 2030-01-31T12:00:00Z.", "Write it as 2030-01-31T12:00:00Z."))
	case !r.now.Before(until):
		r.add(n.line, true, say("Deze metadata zijn verlopen: ze golden tot %s.", "These metadata have expired: they were valid until %s.", until.UTC().Format(time.DateTime)),
			say("Laat uw software nieuwe metadata maken.", "Let your software make new metadata."))
	}
}

// keys looks whether the participant has those it needs.
func (r *reviewer) keys(n *node, signing, encryption int) {
	if signing == 0 {
		r.add(n.line, true, say("Er is geen sleutel om handtekeningen mee te controleren.", "There is no key to check signatures with."),
			say("Voeg een KeyDescriptor toe met use=\"signing\", of zonder use.", "Add a KeyDescriptor with use=\"signing\", or without use."))
	}
	if encryption == 0 {
		r.add(n.line, false, say("Er is geen sleutel om voor te versleutelen: identificaties kunnen niet naar u toe.", "There is no key to encrypt to: identifiers cannot be sent to you."),
			say("Voeg een KeyDescriptor toe met use=\"encryption\", of zonder use.", "Add a KeyDescriptor with use=\"encryption\", or without use."))
	}
}
