package register

import (
	"encoding/hex"
	"time"

	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/mandate"
)

// The canary is a company and a person who do not exist, between whom mandates are
// granted and revoked on the road of all mandates, to measure how long that takes. Only
// lists know them apart: they do not show them.

// canaryKvK is a number that the chamber of commerce does not give out, and
// canaryAuthenticator a participant that cannot be one.
const (
	canaryKvK           = "00000000"
	canaryAuthenticator = "urn:etoegang:AD:00000000000000000000:entities:9999"
)

// notTheCanarys leaves out mandates of the canary's company, which gives no others.
const notTheCanarys = `
	AND coalesce((SELECT organisation FROM organisation_version WHERE kvk = '` + canaryKvK + `' AND version = 1), 0) <> m.grantor`

// ReservedNumber tells whether a company has the canary's number, and ReservedParticipant
// whether somebody logs in with its participant. They hold mandates from each other and from
// nobody else: in no list would anybody see those.
func ReservedNumber(n etoegang.KvKNumber) bool { return n.Text() == canaryKvK }

// ReservedParticipant: see ReservedNumber.
func ReservedParticipant(e etoegang.EntityID) bool { return e.String() == canaryAuthenticator }

func canarys(o mandate.Organisation) bool { return ReservedNumber(o.KvK) }

func singers(p mandate.Person) bool { return ReservedParticipant(p.Subject.Authenticator) }

// isCanary tells whether a company is the canary's as it must be.
func (r *Register) isCanary(o mandate.Organisation) bool {
	o.ID = 0
	return o == r.CanaryOrganisation()
}

// CanaryOrganisation is the company reserved for the canary. It is a value only: whoever
// uses it puts it into the register as any other.
func (r *Register) CanaryOrganisation() mandate.Organisation {
	kvk, err := etoegang.ParseKvKNumber(canaryKvK)
	if err != nil {
		panic(err) // a constant
	}
	return mandate.Organisation{KvK: kvk, Name: "canary", Active: true}
}

// CanaryPerson is the person reserved for the canary in this hour: ask once, and keep him
// for as long as the mandate is followed. There is another every hour, because what a
// person ever held is never forgotten and comes with each question about him.
func (r *Register) CanaryPerson() mandate.Person {
	hour := r.now().Truncate(time.Hour).Format(time.RFC3339)
	authenticator, err := etoegang.ParseEntityID(canaryAuthenticator)
	if err != nil {
		panic(err) // a constant
	}
	pseudonym, err := etoegang.ParsePseudonym(hex.EncodeToString(r.Key("canary " + hour)))
	if err != nil {
		panic(err) // 32 bytes are a pseudonym
	}
	return mandate.Person{Subject: etoegang.ActingSubject{Authenticator: authenticator, Pseudonym: pseudonym}, Name: "canary", Active: true}
}
