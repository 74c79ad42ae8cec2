package saml

import (
	"errors"
	"fmt"
	"time"

	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/xmlsec"
)

// SelfTest writes answers of every form, as the register with that name and key would, and
// reads them with both verifying engines, of which one is none of ours: what we digest
// while we write it is its canonical form. A daemon that fails it must not start. The
// signer needs its certificate; the test plays at a time when that is valid.
func SelfTest(self etoegang.EntityID, s xmlsec.Signer) error {
	now := s.Certificate.NotAfter
	own := Participant{Entity: self, Signing: []xmlsec.Key{{Name: s.KeyName, Certificate: s.Certificate}}}
	directory := NewDirectory(own)
	answers, err := sampleAnswers(self, s, now)
	if err != nil {
		return fmt.Errorf("self-test: writing an answer: %w", err)
	}
	for name, a := range answers {
		if err := readBack(a, directory, s, now); err != nil {
			return fmt.Errorf("self-test: reading an answer (%s) that we wrote: %w", name, err)
		}
	}
	return nil
}

// sampleAnswers are all that an answer may say, and as little as it can. Characters that
// must be escaped are in both, and what is encrypted is encrypted to ourselves in both ways.
func sampleAnswers(self etoegang.EntityID, s xmlsec.Signer, now time.Time) (all map[string]Answer, err error) {
	const odd = "a & b < c > d \"e\" 'f'\t\r\n\u00e9"
	least := Answer{ID: NewID(), Issuer: self, Subject: odd, Issued: now, Until: now.Add(time.Minute), Message: odd}
	most := least
	most.Permit, most.Echo, most.Confirm = true, true, self
	most.Links = []Link{{NewID(), odd}, {NewID(), odd}}
	most.ServiceUUIDs = make([]etoegang.ServiceUUID, 2)
	most.Asked, most.Used, most.ActingName = etoegang.LoA4, etoegang.LoA3, odd
	most.Establishments = make([]etoegang.EstablishmentNumber, 2)
	key := xmlsec.Key{Name: odd, Certificate: s.Certificate}
	for _, gcm := range []bool{false, true} {
		to := RecipientOf(self, key, gcm)
		if most.Acting, err = SealName(etoegang.TypePseudo113, odd, to); err != nil {
			return nil, err
		}
		company, err := SealName(etoegang.TypeKvKNr, odd, to)
		if err != nil {
			return nil, err
		}
		name, err := SealAttribute(etoegang.AttributeRepresentedName, odd, to)
		if err != nil {
			return nil, err
		}
		most.Represented, most.Attributes = append(most.Represented, company), append(most.Attributes, name)
	}
	return map[string]Answer{"least": least, "most": most}, nil
}

// readBack signs an answer in a response, and that in what an artifact is resolved to, and
// verifies all of it with both engines.
func readBack(a Answer, d *Directory, s xmlsec.Signer, now time.Time) error {
	assertion, err := a.Sign(s)
	if err != nil {
		return err
	}
	response, err := Response{
		ID: NewID(), InResponseTo: NewID(), Issuer: a.Issuer, Destination: a.Message, Issued: now, Status: ResponderAuthnFailed,
		Message: a.Message, Assertion: assertion,
	}.Sign(s)
	if err != nil {
		return err
	}
	kept, err := xmlsec.Restore(response.Bytes())
	if err != nil {
		return err
	}
	resolved, err := Resolved{ID: NewID(), InResponseTo: NewID(), Issuer: a.Issuer, Issued: now, Message: kept}.Sign(s)
	if err != nil {
		return err
	}
	return errors.Join(verifies(response, now, replyPlaces(d, now)), verifies(resolved, now, resolvedPlaces(d, now)))
}

func verifies(message *xmlsec.Element, now time.Time, places []xmlsec.Place) error {
	document, err := xmlsec.Read(Wrap(message), xmlsec.MessageLimits)
	if err != nil {
		return err
	}
	defer document.Release()
	_, err = xmlsec.Verifier{CrossCheck: 1}.Verify(document, now, places...)
	return err
}
