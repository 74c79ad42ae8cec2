package saml

import (
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
	for name, a := range sampleAnswers(self, now) {
		if err := readBack(a, directory, s, now); err != nil {
			return fmt.Errorf("self-test: reading an answer (%s) that we wrote: %w", name, err)
		}
	}
	return nil
}

// sampleAnswers are all that an answer may say, and as little as it can. Characters that
// must be escaped are in both.
func sampleAnswers(self etoegang.EntityID, now time.Time) map[string]Answer {
	const odd = "a & b < c > d \"e\" 'f'\t\r\n\u00e9"
	least := Answer{ID: NewID(), Issuer: self, Subject: odd, Issued: now, Until: now.Add(time.Minute), Message: odd}
	most := least
	most.Permit, most.Echo, most.Confirm = true, true, self
	most.Links = []Link{{NewID(), odd}, {NewID(), odd}}
	most.ServiceUUIDs = make([]etoegang.ServiceUUID, 2)
	most.Asked, most.Used, most.ActingName = etoegang.LoA4, etoegang.LoA3, odd
	most.Acting = xmlsec.E("saml:EncryptedID", xmlsec.E("xenc:EncryptedData", xmlsec.A("Id", NewID()), xmlsec.E("ds:KeyInfo", odd)))
	most.Represented = []*xmlsec.Element{xmlsec.E("saml:EncryptedID"), xmlsec.E("saml:EncryptedID")}
	most.Establishments = make([]etoegang.EstablishmentNumber, 2)
	most.Attributes = []*xmlsec.Element{xmlsec.E("saml:EncryptedAttribute", xmlsec.E("xenc:EncryptedData", xmlsec.A("Id", NewID()), xmlsec.E("ds:KeyInfo", odd)))}
	return map[string]Answer{"least": least, "most": most}
}

// readBack signs an answer in a response, and verifies both with both engines.
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
	document, err := xmlsec.Read(Wrap(response), xmlsec.MessageLimits)
	if err != nil {
		return err
	}
	defer document.Release()
	_, err = xmlsec.Verifier{CrossCheck: 1}.Verify(document, now, replyPlaces(d, now)...)
	return err
}
