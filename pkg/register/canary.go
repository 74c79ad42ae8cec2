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

// notTheCanarys leaves out mandates from, to and for the canary's company.
const notTheCanarys = `
	AND coalesce((SELECT organisation FROM organisation_version WHERE kvk = '` + canaryKvK + `' AND version = 1), 0)
	NOT IN (m.grantor, m.represented, coalesce(m.intermediary, -1))`

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
