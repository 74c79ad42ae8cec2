package saml

import (
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/xmlsec"
)

// Brokered is the assertion that a broker gave to a service provider: the combination
// of all others, which it carries in its Advice (DV-HM response, 1.13).
type Brokered struct {
	assertion
	Level etoegang.AssuranceLevel // of the combination
}

// ParseBrokered reads a broker's assertion. What is in its Advice is signed by others
// and is read from their own Verified.
func ParseBrokered(v xmlsec.Verified) (b Brokered, err error) {
	n := v.Root()
	if b.assertion, err = readAssertion(v); err != nil {
		return b, err
	}
	statement, err := n.One(inSAML("AuthnStatement"))
	if err != nil {
		return b, wrap(ProblemMalformed, err, "assertion")
	}
	b.Level, err = readAuthnLevel(statement)
	return b, err
}
