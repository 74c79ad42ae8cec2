package saml

import (
	"time"

	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/xmlsec"
)

// Authentication is an authentication service's assertion: who logged in, at which
// level, for which service, and which register knows his mandates (HM-AD, 1.13).
type Authentication struct {
	assertion
	confirmation   confirmation
	Level          etoegang.AssuranceLevel
	LoggedIn       time.Time // AuthnInstant: when the person showed who he is
	sessionEnd     time.Time // zero if none is stated
	Representation bool
	Registry       etoegang.EntityID
	ServiceUUID    etoegang.ServiceUUID
	acting         *xmlsec.Node // EncryptedID, for the register
}

// ParseAuthentication reads an authentication service's assertion.
func ParseAuthentication(v xmlsec.Verified) (a Authentication, err error) {
	n := v.Root()
	if a.assertion, err = readAssertion(v); err != nil {
		return a, err
	}
	if a.confirmation, err = readConfirmation(n); err != nil {
		return a, err
	}
	if err := a.readAuthn(n); err != nil {
		return a, err
	}
	return a, a.readAttributes(n)
}

func (a *Authentication) readAuthn(n *xmlsec.Node) (err error) {
	statement, err := n.One(inSAML("AuthnStatement"))
	if err != nil {
		return wrap(ProblemMalformed, err, "assertion")
	}
	if a.LoggedIn, err = moment(statement, "AuthnInstant"); err != nil {
		return err
	}
	if _, ok := statement.Attr("SessionNotOnOrAfter"); ok {
		if a.sessionEnd, err = moment(statement, "SessionNotOnOrAfter"); err != nil {
			return err
		}
	}
	a.Level, err = readAuthnLevel(statement)
	return err
}

func readAuthnLevel(statement *xmlsec.Node) (etoegang.AssuranceLevel, error) {
	context, err := statement.One(inSAML("AuthnContext"))
	if err != nil {
		return etoegang.NoLevel, wrap(ProblemMalformed, err, "AuthnStatement")
	}
	class, err := text(context, inSAML("AuthnContextClassRef"))
	if err != nil {
		return etoegang.NoLevel, err
	}
	level, err := etoegang.ParseAssuranceLevel(class)
	if err != nil {
		return level, wrap(ProblemIdentifier, err, "AuthnContextClassRef")
	}
	return level, nil
}

// readAttributes reads the four attributes we need, each exactly once with one value.
func (a *Authentication) readAttributes(n *xmlsec.Node) error {
	statement, err := n.One(inSAML("AttributeStatement"))
	if err != nil {
		return wrap(ProblemMalformed, err, "assertion")
	}
	values := map[string]*xmlsec.Node{}
	for _, name := range [...]string{etoegang.AttributeRepresentation, etoegang.AttributeRegistryID, etoegang.AttributeServiceUUID, etoegang.AttributeActingSubjectID} {
		if values[name], err = attributeValue(statement, name); err != nil {
			return err
		}
	}
	representation, err := value(values[etoegang.AttributeRepresentation])
	if err != nil {
		return err
	}
	a.Representation, _ = boolean(representation)
	registry, err := value(values[etoegang.AttributeRegistryID])
	if err != nil {
		return err
	}
	if a.Registry, err = etoegang.ParseEntityID(registry); err != nil {
		return wrap(ProblemIdentifier, err, "AuthorizationRegistryID")
	}
	uuid, err := value(values[etoegang.AttributeServiceUUID])
	if err != nil {
		return err
	}
	if a.ServiceUUID, err = etoegang.ParseServiceUUID(uuid); err != nil {
		return wrap(ProblemIdentifier, err, "ServiceUUID")
	}
	if a.acting, err = values[etoegang.AttributeActingSubjectID].One(inSAML("EncryptedID")); err != nil {
		return wrap(ProblemMalformed, err, "ActingSubjectID")
	}
	return nil
}

// attributeValue finds the one value of the one SAML attribute with that name.
func attributeValue(statement *xmlsec.Node, name string) (*xmlsec.Node, error) {
	var found *xmlsec.Node
	for a := range statement.Each(inSAML("Attribute")) {
		if got, _ := a.Attr("Name"); got != name {
			continue
		}
		if found != nil {
			return nil, problem(ProblemMalformed, "attribute %s stands there twice", name)
		}
		var err error
		if found, err = a.One(inSAML("AttributeValue")); err != nil {
			return nil, wrap(ProblemMalformed, err, "attribute %s", name)
		}
	}
	if found == nil {
		return nil, problem(ProblemMalformed, "attribute %s is missing", name)
	}
	return found, nil
}

// maxAuthenticationAge bounds how long ago the person may have logged in when an
// assertion about it is made. The scheme gives no figure; a working day is generous
// and yesterday is refused.
const maxAuthenticationAge = 12 * time.Hour

// fresh judges the times of a log-in that is used now.
func (a *Authentication) fresh(now time.Time, skew time.Duration) error {
	if err := a.holds(now, skew); err != nil {
		return err
	}
	if err := a.recent(now, skew); err != nil {
		return err
	}
	return a.confirmation.holds(now, skew)
}

// recent judges when the person logged in, where the assertion itself may be over: he may
// take his time at his register.
func (a *Authentication) recent(now time.Time, skew time.Duration) error {
	switch {
	case a.Issued.After(now.Add(skew)), a.LoggedIn.After(now.Add(skew)):
		return problem(ProblemFuture, "the log-in")
	case a.LoggedIn.Before(now.Add(-maxAuthenticationAge)):
		return problem(ProblemValidity, "the log-in is too long ago")
	case !a.sessionEnd.IsZero() && !now.Add(-skew).Before(a.sessionEnd):
		return problem(ProblemValidity, "the session of the log-in is over")
	}
	return nil
}

// actor decrypts who the person is. Only the register that the authentication service
// encrypted to can do this.
func (a *Authentication) actor(self etoegang.EntityID, keys []xmlsec.Opener) (etoegang.ActingSubject, error) {
	n, err := xmlsec.Open(a.acting, self.String(), keys)
	if err != nil {
		return etoegang.ActingSubject{}, wrap(ProblemEncryption, err, "ActingSubjectID")
	}
	_, name, err := readName(n) // what the qualifier of an internal pseudonym must be is not known
	if err != nil {
		return etoegang.ActingSubject{}, wrap(ProblemEncryption, err, "ActingSubjectID")
	}
	pseudonym, err := etoegang.ParsePseudonym(name)
	if err != nil {
		return etoegang.ActingSubject{}, wrap(ProblemEncryption, err, "ActingSubjectID")
	}
	return etoegang.ActingSubject{Authenticator: a.Issuer, Pseudonym: pseudonym}, nil
}
