package explain

import (
	"cmp"
	"slices"
	"strings"

	"github.com/mandated/mandated/internal/look"
	"github.com/mandated/mandated/pkg/etoegang"
)

// Reading is one thing that a provider reads in a message.
type Reading struct {
	Name      string    `json:"name"`                // short: LegalSubjectID
	Attribute string    `json:"attribute,omitempty"` // the whole name
	Values    []string  `json:"values,omitempty"`
	Meaning   look.Text `json:"meaning,omitzero"`
	By        string    `json:"by"`              // who states it: a name for people
	Hidden    look.Text `json:"hidden,omitzero"` // why the provider cannot read it
}

// provider tells what the provider reads: the attributes of the broker's assertion, and where
// it leaves them there those of the registers' in its Advice; of a register's decision alone,
// what will become of it.
func (r *reading) provider(kind Kind, message *element) []Reading {
	switch kind {
	case KindCombination:
		main := message.child("Assertion")
		list := r.statedIn(main, nil)
		if advice := main.child("Advice"); advice != nil {
			for _, a := range slices.Backward(advice.children) { // the last register spoke for all links
				if a.is("Assertion") && roleOf(a) == etoegang.Register {
					list = r.statedIn(a, list)
				}
			}
		}
		return inOrder(list)
	case KindStatement:
		return inOrder(r.statedIn(message.child("Assertion"), nil))
	case KindRefusal:
		return r.refusal(message)
	}
	return nil
}

// worth are what a provider does something with, in the order in which it is told.
var worth = []string{
	etoegang.AttributeLegalSubjectID, etoegang.AttributeIntermediateKvKNr, etoegang.AttributeIntermediateKvK, etoegang.AttributeIntermediateSubject,
	etoegang.AttributeActingSubjectID, etoegang.AttributeActingEntityID, etoegang.RestrictionEstablishment,
	"urn:etoegang:1.9:ServiceRestriction:SubdossierNr", etoegang.AttributeRepresentedName, etoegang.AttributeIntermediaryName,
	string(etoegang.TypeKvKNr), string(etoegang.TypeRSIN),
	etoegang.AttributeServiceID, etoegang.AttributeServiceUUID, levelOfLogin, etoegang.AttributeLevelUsed,
}

// levelOfLogin is how SAML names the level of a log-in.
const levelOfLogin = "AuthnContextClassRef"

// inOrder puts what matters most first.
func inOrder(list []Reading) []Reading {
	slices.SortStableFunc(list, func(a, b Reading) int {
		return cmp.Compare(slices.Index(worth, a.whole()), slices.Index(worth, b.whole()))
	})
	return list
}

// whole is the name by which it is known.
func (s Reading) whole() string { return cmp.Or(s.Attribute, s.Name) }

// statedIn adds what an assertion states to what is known. What was said nearer to the provider
// stays, unless it could not be read.
func (r *reading) statedIn(assertion *element, list []Reading) []Reading {
	by := ""
	if issuer := assertion.child("Issuer"); issuer != nil {
		by = cut(r.cast.name(issuer.value()), longestNote)
	}
	stated := map[string]*Reading{}
	own(assertion, func(e *element) {
		switch {
		case e.is("EncryptedAttribute"):
			r.addSealed(stated, "", e)
		case e.is("AttributeValue") && e.parent.is("Attribute"):
			r.addValue(stated, attributeName(e.parent), e)
		case e.is(levelOfLogin):
			add(stated, e.local).Values = []string{cut(e.value(), longestValue)}
		}
	})
	for _, name := range worth {
		s := stated[name]
		if s == nil || says(list, name) {
			continue
		}
		s.Name, s.By = cut(short(name), longestNote), by
		if strings.HasPrefix(name, "urn:") {
			s.Attribute = name
			s.Meaning = named[name].Text
		} else {
			s.Meaning = elements[name].Text
		}
		list = append(list, *s)
	}
	return list
}

// says tells whether something that can be read stands in the list under that name.
func says(list []Reading, name string) bool {
	for _, s := range list {
		if s.whole() == name && len(s.Values) > 0 {
			return true
		}
	}
	return false
}

// own visits what an assertion itself states, and not the assertions in it.
func own(assertion *element, visit func(*element)) {
	if assertion == nil {
		return
	}
	for _, c := range assertion.children {
		if c.is("Assertion") {
			continue
		}
		visit(c)
		own(c, visit)
	}
}

func add(stated map[string]*Reading, name string) *Reading {
	if stated[name] == nil {
		stated[name] = &Reading{}
	}
	return stated[name]
}

// addValue adds the value of an attribute: readable, or encrypted.
func (r *reading) addValue(stated map[string]*Reading, name string, value *element) {
	if len(value.children) == 0 {
		s := add(stated, name)
		s.Values = append(s.Values, cut(value.value(), longestValue))
		return
	}
	for _, c := range value.children {
		switch {
		case c.is("EncryptedID", "EncryptedAttribute"):
			r.addSealed(stated, name, c)
		case c.is("NameID"):
			s := add(stated, name)
			s.Values = append(s.Values, ofKind(cut(c.attr("NameQualifier"), longestNote), cut(c.value(), longestValue)))
		}
	}
}

// addSealed adds what is encrypted, if a provider can read it.
func (r *reading) addSealed(stated map[string]*Reading, name string, e *element) {
	sealed := r.openings[e]
	if sealed == nil {
		return
	}
	if name == "" {
		if name = sealed.Name; name == "" {
			return // nobody knows what it is
		}
	}
	s := add(stated, name)
	switch {
	case !r.forProvider(sealed):
		s.Hidden = say("De dienstverlener kan dit niet lezen: het is versleuteld voor %s.", "The provider cannot read this: it is encrypted for %s.", strings.Join(sealed.For, ", "))
	case !sealed.Opened:
		s.Hidden = sealed.Why
	case sealed.Element == "NameID":
		s.Values = append(s.Values, ofKind(sealed.Name, strings.Join(sealed.Values, ", ")))
	default:
		s.Values = append(s.Values, sealed.Values...)
	}
}

// forProvider tells whether somebody who offers services can read it: everybody else in the
// network has one of the other roles.
func (r *reading) forProvider(s *Sealed) bool {
	for _, e := range s.entities {
		if role := roleIn(e); role == etoegang.Provider || role == "" {
			return true
		}
	}
	return false
}

// ofKind writes an identifier with its kind.
func ofKind(qualifier, value string) string {
	if qualifier == "" {
		return value
	}
	return short(qualifier) + " " + value
}

// refusal tells what a provider reads where nothing is stated.
func (r *reading) refusal(response *element) []Reading {
	var list []Reading
	by := ""
	if issuer := response.child("Issuer"); issuer != nil {
		by = cut(r.cast.name(issuer.value()), longestNote)
	}
	response.child("Status").each(func(e *element) {
		switch {
		case e.is("StatusCode"):
			list = append(list, Reading{Name: "StatusCode", Values: []string{cut(e.attr("Value"), longestValue)}, Meaning: statuses[e.attr("Value")].Text, By: by})
		case e.is("StatusMessage"):
			list = append(list, Reading{Name: "StatusMessage", Values: []string{cut(e.value(), longestValue)}, Meaning: elements["StatusMessage"].Text, By: by})
		}
	})
	return list
}
