// Package mandate says what a mandate is and what makes one fit to be registered.
//
// A mandate lets somebody act for a company at certain services, at a level of
// assurance, for a limited time. There are three kinds, and together they make at
// most one intermediary:
//
//	Direct      company B  -> person G
//	Chain       company B  -> intermediary A
//	Assignment  company A  -> person G, for one client's Chain mandate
//
// The package owns the rules of a single mandate: its parts, its limits, the states
// it passes through. It never decides who may act now (package decision does), and
// it has never heard of clocks, databases or XML: time is always a parameter.
package mandate

import (
	"github.com/mandated/mandated/pkg/etoegang"
)

// ID is a mandate's number within one register. It says nothing about anybody.
type ID int64

// Kind tells between whom a mandate is.
type Kind string

// The kinds of mandate.
const (
	Direct     Kind = "direct"     // company -> person
	Chain      Kind = "chain"      // company -> intermediary
	Assignment Kind = "assignment" // intermediary -> its own person, for one client
)

// Mandate is one mandate as the register knows it. Grantor is the company that
// gives it: the represented company, or for an Assignment the intermediary.
type Mandate struct {
	ID      ID
	Kind    Kind
	Grantor Organisation

	Person       Person       // Direct, Assignment: who receives it
	Intermediary Organisation // Chain: who receives it
	Client       ID           // Assignment: the Chain mandate it passes on

	// Register is zero for a mandate held here. A Chain may instead be held by
	// another register, which alone can confirm it: what stands here is then what
	// the intermediary told us, so that its people can find the client.
	Register etoegang.EntityID

	Scope Scope
	// Establishments limit a Direct mandate to branches of the grantor; none means
	// the whole company. (Scheme: a chain cannot be limited to a branch.)
	Establishments []etoegang.EstablishmentNumber

	State     State
	Validity  Validity
	Reference string // the parties' own note, at most 255 bytes

	// Supersedes is the mandate whose place this one takes once it is in force: to last
	// longer, or to cover more or less. 0: none.
	Supersedes ID
}

// OrganisationID is the register's own number for an organisation.
type OrganisationID int64

// Organisation is a company as the register knows it. The zero value is nobody.
type Organisation struct {
	ID     OrganisationID
	KvK    etoegang.KvKNumber
	RSIN   etoegang.RSIN // zero for sole proprietors, who have none
	Name   string
	Active bool // it exists and takes part; false stops every mandate from, to and through it

	// Blocked is the emergency stop of the register's own people. It stops what Active
	// false stops, says nothing about the company itself, and can be lifted.
	Blocked bool
}

// Identifier gives the organisation's identifier of one type, if it has one.
func (o Organisation) Identifier(t etoegang.EntityType) (etoegang.LegalSubject, bool) {
	switch {
	case t == etoegang.TypeKvKNr && !o.KvK.IsZero():
		return o.KvK.LegalSubject(), true
	case t == etoegang.TypeRSIN && !o.RSIN.IsZero():
		return o.RSIN.LegalSubject(), true
	}
	return etoegang.LegalSubject{}, false
}

// Is tells whether the organisation is the company that s names.
func (o Organisation) Is(s etoegang.LegalSubject) bool {
	own, ok := o.Identifier(s.Type())
	return ok && own == s
}

// PersonID is the register's own number for a person.
type PersonID int64

// Person is somebody who can act, as one authentication service knows him.
type Person struct {
	ID      PersonID
	Subject etoegang.ActingSubject
	Name    string // for those who manage mandates; empty if they gave none
	Active  bool   // he takes part; false stops every mandate to this person
	Blocked bool   // the emergency stop, as for an Organisation: every mandate to this person
}
