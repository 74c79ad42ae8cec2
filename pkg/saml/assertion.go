package saml

import (
	"slices"
	"time"

	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/xmlsec"
)

// assertion is what all assertions have in common.
type assertion struct {
	header
	NameID string
	window
	audiences [][]string // one list a restriction: all restrictions must hold
	signature string     // base64 of the SignatureValue
}

// window is a time from one moment up to, not including, another.
type window struct{ NotBefore, NotOnOrAfter time.Time }

func readAssertion(v xmlsec.Verified) (a assertion, err error) {
	n := v.Root()
	if a.header, err = readHeader(n); err != nil {
		return a, err
	}
	a.signature = v.SignatureValue()
	subject, err := n.One(inSAML("Subject"))
	if err != nil {
		return a, wrap(ProblemMalformed, err, "assertion")
	}
	if a.NameID, err = text(subject, inSAML("NameID")); err != nil {
		return a, err
	}
	conditions, err := n.One(inSAML("Conditions"))
	if err != nil {
		return a, wrap(ProblemValidity, err, "assertion")
	}
	return a, a.readConditions(conditions)
}

// readConditions reads both ends of the validity and the audiences. A condition that
// is not known cannot be judged, so it refuses (SAML core 2.5.1.1).
func (a *assertion) readConditions(n *xmlsec.Node) (err error) {
	if err := n.Only(inSAML("AudienceRestriction")); err != nil {
		return wrap(ProblemValidity, err, "a condition that is not known")
	}
	if a.NotBefore, err = moment(n, "NotBefore"); err != nil {
		return err
	}
	if a.NotOnOrAfter, err = moment(n, "NotOnOrAfter"); err != nil {
		return err
	}
	if !a.NotBefore.Before(a.NotOnOrAfter) {
		return problem(ProblemValidity, "the validity ends before it begins")
	}
	for _, restriction := range n.All(inSAML("AudienceRestriction")) {
		if err := restriction.Only(inSAML("Audience")); err != nil {
			return wrap(ProblemAudience, err, "AudienceRestriction")
		}
		var names []string
		for _, audience := range restriction.Children {
			name, err := value(audience)
			if err != nil {
				return err
			}
			names = append(names, name)
		}
		a.audiences = append(a.audiences, names)
	}
	return nil
}

// holds judges the validity at a moment; clocks may differ by the skew.
func (w window) holds(now time.Time, skew time.Duration) error {
	switch {
	case now.Add(skew).Before(w.NotBefore):
		return problem(ProblemValidity, "not valid yet")
	case !now.Add(-skew).Before(w.NotOnOrAfter):
		return problem(ProblemValidity, "no longer valid")
	}
	return nil
}

// meantFor tells whether every restriction names the participant; without any
// restriction the assertion is meant for nobody.
func (a *assertion) meantFor(e etoegang.EntityID) error {
	if len(a.audiences) == 0 {
		return problem(ProblemAudience, "the assertion of %s has no audience", a.Issuer)
	}
	for _, names := range a.audiences {
		if !slices.Contains(names, e.String()) {
			return problem(ProblemAudience, "the assertion of %s is not meant for %s", a.Issuer, e)
		}
	}
	return nil
}

// evidence judges an assertion whose own validity is over but which still proves what
// was said: it must be no older than that, and not from the future.
func (a *assertion) evidence(now time.Time, age, skew time.Duration) error {
	switch {
	case a.Issued.After(now.Add(skew)):
		return problem(ProblemFuture, "the assertion of %s", a.Issuer)
	case a.Issued.Before(now.Add(-age)):
		return problem(ProblemValidity, "the assertion of %s is too old to rest on", a.Issuer)
	}
	return nil
}

// confirmation is the bearer SubjectConfirmation of a log-in.
type confirmation struct {
	Recipient    string
	InResponseTo string
	NotOnOrAfter time.Time
}

// readConfirmation reads the one bearer confirmation. Where it is missing, anybody
// could bring the assertion, so absence is a refusal.
func readConfirmation(n *xmlsec.Node) (c confirmation, err error) {
	subject, err := n.One(inSAML("Subject"))
	if err != nil {
		return c, wrap(ProblemMalformed, err, "assertion")
	}
	element, err := subject.One(inSAML("SubjectConfirmation"))
	if err != nil {
		return c, wrap(ProblemConfirmation, err, "Subject")
	}
	if method, _ := element.Attr("Method"); method != methodBearer {
		return c, problem(ProblemConfirmation, "the method is not bearer")
	}
	data, err := element.One(inSAML("SubjectConfirmationData"))
	if err != nil {
		return c, wrap(ProblemConfirmation, err, "SubjectConfirmation")
	}
	if _, ok := data.Attr("NotBefore"); ok { // SAML profiles, 4.1.4.2: not for bearers
		return c, problem(ProblemConfirmation, "SubjectConfirmationData has NotBefore")
	}
	if c.Recipient, err = attribute(data, "Recipient"); err != nil {
		return c, wrap(ProblemConfirmation, err, "SubjectConfirmationData")
	}
	if c.InResponseTo, err = attribute(data, "InResponseTo"); err != nil {
		return c, wrap(ProblemConfirmation, err, "SubjectConfirmationData")
	}
	if c.NotOnOrAfter, err = moment(data, "NotOnOrAfter"); err != nil {
		return c, wrap(ProblemConfirmation, err, "SubjectConfirmationData")
	}
	return c, nil
}

// holds judges whether the assertion may still be brought.
func (c confirmation) holds(now time.Time, skew time.Duration) error {
	if !now.Add(-skew).Before(c.NotOnOrAfter) {
		return problem(ProblemConfirmation, "the confirmation is no longer valid")
	}
	return nil
}

// readName reads a NameID that names somebody for good: its qualifier is the type of
// the identifier (Identificerende kenmerken).
func readName(n *xmlsec.Node) (qualifier etoegang.EntityType, name string, err error) {
	if n.Name != inSAML("NameID") {
		return "", "", problem(ProblemIdentifier, "%s is no NameID", n.Name.Local)
	}
	if format, _ := n.Attr("Format"); format != formatPersistent {
		return "", "", problem(ProblemIdentifier, "the NameID is not persistent")
	}
	q, _ := n.Attr("NameQualifier")
	name, err = value(n)
	return etoegang.EntityType(q), name, err
}
