package explain

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/mandated/mandated/internal/look"
	"github.com/mandated/mandated/pkg/xmlsec"
)

// Signature is one signature of a message, and whether it holds.
type Signature struct {
	Over   string    `json:"over"` // the element it covers, or how the message travelled
	ID     string    `json:"id,omitempty"`
	Issuer string    `json:"issuer"` // who says that he signed: a name for people
	Entity string    `json:"entity,omitempty"`
	Holds  bool      `json:"holds"`
	Why    look.Text `json:"why"` // what that means, or what is wrong with it
}

// verdict is what a signed element turned out to be.
type verdict struct {
	Signature
	verified *xmlsec.Node // what the signature covers; nil unless it holds
}

// judge looks at every signature of the message, and opens what is encrypted under those that
// hold.
func (r *reading) judge() {
	r.judgeDetached()
	signed, places := r.signed()
	if len(signed) == 0 {
		r.open(nil)
		return
	}
	examined, refusal := r.examine(places)
	for i, e := range signed {
		v := &verdict{Signature: r.claim(e)}
		switch {
		case refusal != nil:
			v.Why = say("Niet gecontroleerd: dit bericht wordt al eerder geweigerd. %s", "Not checked: this message is refused before that. %s", reasonOf(refusal))
		case len(examined) != len(signed):
			v.Why = say("Niet gecontroleerd: het bericht is op twee manieren te lezen.", "Not checked: the message can be read in two ways.")
		case examined[i].Err != nil:
			v.Why = reasonOf(examined[i].Err)
		default:
			v.Holds, v.verified = true, examined[i].Verified.Root()
			v.Why = say("De handtekening klopt: dit is door %s gemaakt en daarna niet veranderd.",
				"The signature holds: %s made this, and it was not changed afterwards.", v.Issuer)
		}
		r.verdicts[e] = v
		r.signatures = append(r.signatures, v.Signature)
	}
	r.open(signed)
}

// mostPlaces is how many kinds of places package xmlsec looks at in one message.
const mostPlaces = 64

// signed finds the elements that have a signature or stand where another one has, in document
// order, and tells where they stand.
func (r *reading) signed() (elements []*element, places []xmlsec.Place) {
	paths, of := pathsOf(r.root)
	wanted := map[int]bool{}
	r.root.each(func(e *element) {
		if e.space != spaceDSig || e.local != "Signature" || e.parent == nil {
			return
		}
		path := of[e.parent]
		if wanted[path] || len(places) == mostPlaces {
			return
		}
		wanted[path] = true
		places = append(places, xmlsec.Place{Name: e.parent.local, Path: paths[path], Issuer: issuerOf(e.parent), Keys: r.cast.signing, Max: mostElements})
	})
	if len(places) == 0 {
		return nil, nil
	}
	r.root.each(func(e *element) {
		if wanted[of[e]] {
			elements = append(elements, e)
		}
	})
	return elements, places
}

// pathsOf numbers the ways from the root, and tells which of them leads to each element.
func pathsOf(root *element) (paths [][]xmlsec.Step, of map[*element]int) {
	type step struct {
		from int
		name xmlsec.Name
	}
	numbers := map[step]int{}
	of = map[*element]int{}
	root.each(func(e *element) {
		s := step{-1, xmlsec.Name{Space: e.space, Local: e.local}}
		var way []xmlsec.Step
		if e.parent != nil {
			s.from = of[e.parent]
			way = paths[s.from]
		}
		if _, known := numbers[s]; !known {
			numbers[s] = len(paths)
			paths = append(paths, append(slices.Clone(way), xmlsec.Step{s.name}))
		}
		of[e] = numbers[s]
	})
	return paths, of
}

// issuerOf finds which child names who made an element: Issuer, or in messages that are not
// SAML the one that names a participant.
func issuerOf(e *element) xmlsec.Name {
	for _, c := range e.children {
		if !c.is("Issuer") && strings.HasPrefix(c.value(), "urn:etoegang:") && !knownSpaces[c.space] {
			return xmlsec.Name{Space: c.space, Local: c.local}
		}
	}
	return xmlsec.Name{Space: spaceSAML, Local: "Issuer"}
}

// claim is what a signed element says of itself.
func (r *reading) claim(e *element) Signature {
	s := Signature{Over: e.local, ID: cut(e.attr("ID"), longestNote)}
	name := issuerOf(e)
	for _, c := range e.children {
		if c.space == name.Space && c.local == name.Local {
			s.Entity = cut(c.value(), longestNote)
		}
	}
	s.Issuer = r.cast.name(s.Entity)
	return s
}

// examine lets package xmlsec judge the signatures, as strictly as a participant does.
func (r *reading) examine(places []xmlsec.Place) ([]xmlsec.Examined, error) {
	document, err := xmlsec.Read(r.document, xmlsec.MessageLimits)
	if err != nil {
		return nil, err
	}
	defer document.Release()
	return document.Examine(r.message.At, places...), nil
}

// reasons are what is wrong, in words, by the error of package xmlsec.
var reasons = []struct {
	err  error
	text look.Text
}{
	{xmlsec.ErrSignature, look.Text{NL: "De handtekening klopt niet: het bericht is na het ondertekenen veranderd, of met een andere sleutel ondertekend.", EN: "The signature does not hold: the message was changed after it was signed, or signed with another key."}},
	{xmlsec.ErrUnknownIssuer, look.Text{NL: "De handtekening is niet te controleren: van deze afzender zijn geen sleutels bekend.", EN: "The signature cannot be checked: no keys of this sender are known."}},
	{xmlsec.ErrKeyName, look.Text{NL: "De handtekening telt niet: de KeyName is niet die van een sleutel in de metadata van de afzender.", EN: "The signature does not count: its KeyName is not that of a key in the sender's metadata."}},
	{xmlsec.ErrSignatureCount, look.Text{NL: "Hier hoort precies één handtekening te staan, en dat is niet zo.", EN: "Exactly one signature belongs here, and that is not so."}},
	{xmlsec.ErrIssuer, look.Text{NL: "Er staat niet precies één Issuer bij, dus het is niet bekend wiens handtekening dit moet zijn.", EN: "There is not exactly one Issuer, so it is not known whose signature this should be."}},
	{xmlsec.ErrReference, look.Text{NL: "De handtekening gaat over een ander element dan waar zij in staat. Zo wordt geprobeerd om valse inhoud mee te smokkelen.", EN: "The signature is over another element than the one it stands in. That is a way to smuggle in false content."}},
	{xmlsec.ErrAlgorithm, look.Text{NL: "De handtekening gebruikt een algoritme dat niet mag. Alleen RSA-SHA256 met SHA-256 mag.", EN: "The signature uses an algorithm that is not allowed. Only RSA-SHA256 with SHA-256 is."}},
	{xmlsec.ErrTransforms, look.Text{NL: "De transformaties in de handtekening zijn niet de twee die mogen: enveloped-signature en exclusieve c14n.", EN: "The transforms in the signature are not the two that are allowed: enveloped signature and exclusive c14n."}},
	{xmlsec.ErrSignatureShape, look.Text{NL: "De handtekening is niet opgebouwd zoals het afsprakenstelsel voorschrijft.", EN: "The signature is not built as the scheme says."}},
	{xmlsec.ErrWeakKey, look.Text{NL: "De sleutel is te zwak: RSA van ten minste 2048 bits is nodig.", EN: "The key is too weak: RSA of at least 2048 bits is needed."}},
	{xmlsec.ErrCertificate, look.Text{NL: "Het certificaat van de afzender is nu niet geldig.", EN: "The sender's certificate is not valid now."}},

	{xmlsec.ErrTooLarge, look.Text{NL: "Het bericht is te groot.", EN: "The message is too large."}},
	{xmlsec.ErrEncoding, look.Text{NL: "Het bericht is geen UTF-8, of bevat tekens die in XML niet mogen.", EN: "The message is not UTF-8, or has characters that XML does not allow."}},
	{xmlsec.ErrMalformed, look.Text{NL: "Het is geen geldige XML.", EN: "It is not well-formed XML."}},
	{xmlsec.ErrDirective, look.Text{NL: "Er staat een DOCTYPE of andere declaratie in.", EN: "There is a DOCTYPE or another declaration in it."}},
	{xmlsec.ErrInstruction, look.Text{NL: "Er staat een verwerkingsinstructie in.", EN: "There is a processing instruction in it."}},
	{xmlsec.ErrComment, look.Text{NL: "Er staat commentaar in. Dat mag niet in berichten: commentaar kan waarden doormidden knippen.", EN: "There is a comment in it. Messages must not have any: a comment can cut values in two."}},
	{xmlsec.ErrCDATA, look.Text{NL: "Er staat een CDATA-sectie in.", EN: "There is a CDATA section in it."}},
	{xmlsec.ErrEntity, look.Text{NL: "Er staat een entiteit in die XML niet kent.", EN: "There is an entity in it that XML does not know."}},
	{xmlsec.ErrTooDeep, look.Text{NL: "De elementen staan te diep in elkaar.", EN: "The elements are nested too deeply."}},
	{xmlsec.ErrTooMany, look.Text{NL: "Er staan te veel elementen of attributen in.", EN: "There are too many elements or attributes in it."}},
	{xmlsec.ErrLongAttribute, look.Text{NL: "Er is een attribuut dat te lang is.", EN: "An attribute is too long."}},
	{xmlsec.ErrDuplicateAttribute, look.Text{NL: "Er staat een attribuut dubbel.", EN: "An attribute is given twice."}},
	{xmlsec.ErrNamespace, look.Text{NL: "Een namespace ontbreekt of mag niet.", EN: "A namespace is missing or not allowed."}},
	{xmlsec.ErrMixedContent, look.Text{NL: "Er staat tekst naast elementen.", EN: "There is text beside elements."}},
	{xmlsec.ErrDuplicateID, look.Text{NL: "Twee elementen hebben hetzelfde ID. Dan is niet zeker over welk element een handtekening gaat.", EN: "Two elements have the same ID. Then it is not certain which of them a signature is over."}},
	{xmlsec.ErrBadID, look.Text{NL: "Een ID is geen korte XML-naam.", EN: "An ID is not a short XML name."}},
}

// reasonOf says in words what package xmlsec found.
func reasonOf(err error) look.Text {
	for _, r := range reasons {
		if errors.Is(err, r.err) {
			return r.text
		}
	}
	return say("Er klopt iets niet.", "Something is wrong.")
}

// algorithmRSASHA256 is the only one that the scheme allows (interface specifications,
// "Digital signature").
const algorithmRSASHA256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"

// judgeDetached looks at the signature that an address has beside the message: it is over the
// parameters as they are written, not over XML (SAML 2.0 bindings, section 3.4.4.1).
func (r *reading) judgeDetached() {
	value := r.parameter("Signature")
	if value == nil || r.root == nil {
		return
	}
	s := Signature{Over: "SAMLRequest, RelayState, SigAlg"}
	if issuer := r.root.child("Issuer"); issuer != nil {
		s.Entity = cut(issuer.value(), longestNote)
	}
	s.Issuer = r.cast.name(s.Entity)
	keys := r.cast.signing(s.Entity)
	algorithm := r.parameter("SigAlg")
	switch {
	case algorithm == nil || algorithm.value != algorithmRSASHA256:
		s.Why = reasonOf(xmlsec.ErrAlgorithm)
	case len(keys) == 0:
		s.Why = reasonOf(xmlsec.ErrUnknownIssuer)
	case !detachedFits(r.signedParameters(), value.value, keys, r.message.At):
		s.Why = reasonOf(xmlsec.ErrSignature)
	default:
		s.Holds = true
		s.Why = say("De handtekening in het adres klopt: dit is door %s gemaakt en daarna niet veranderd.",
			"The signature in the address holds: %s made this, and it was not changed afterwards.", s.Issuer)
	}
	r.signatures = append(r.signatures, s)
}

// parameter is the first of that name, or nil.
func (r *reading) parameter(name string) *parameter {
	for i := range r.parameters {
		if r.parameters[i].name == name {
			return &r.parameters[i]
		}
	}
	return nil
}

func (r *reading) signedParameters() string {
	var parts []string
	for _, name := range []string{"SAMLRequest", "SAMLResponse", "RelayState", "SigAlg"} {
		if p := r.parameter(name); p != nil {
			parts = append(parts, name+"="+p.raw)
		}
	}
	return strings.Join(parts, "&")
}

func detachedFits(signed, value string, keys []xmlsec.Key, at time.Time) bool {
	signature, err := base64.StdEncoding.DecodeString(value)
	if err != nil {
		return false
	}
	sum := sha256.Sum256([]byte(signed))
	for _, k := range keys {
		if k.Certificate == nil || at.Before(k.Certificate.NotBefore) || at.After(k.Certificate.NotAfter) {
			continue
		}
		public, ok := k.Certificate.PublicKey.(*rsa.PublicKey)
		if ok && public.N.BitLen() >= xmlsec.WeakestKey && rsa.VerifyPKCS1v15(public, crypto.SHA256, sum[:], signature) == nil {
			return true
		}
	}
	return false
}
