package etoegang

import (
	"errors"
	"strings"
)

// EntityType is the kind of identifier by which somebody is known, as the URN that
// stands in NameQualifier (scheme page "Identificerende kenmerken").
type EntityType string

// The identifier types that the scheme names. This register gives out KvKNr and
// RSIN; the others are known so that a service asking for them can be told so.
const (
	TypeKvKNr           EntityType = "urn:etoegang:1.9:EntityConcernedID:KvKnr"
	TypeRSIN            EntityType = "urn:etoegang:1.9:EntityConcernedID:RSIN"
	TypePseudo          EntityType = "urn:etoegang:1.9:EntityConcernedID:Pseudo"
	TypePseudo113       EntityType = "urn:etoegang:1.13:EntityConcernedID:Pseudo"
	TypeBSN             EntityType = "urn:etoegang:1.12:EntityConcernedID:BSN"
	TypeBSNPlain        EntityType = "urn:etoegang:1.9:EntityConcernedID:BSN"
	TypePseudoID        EntityType = "urn:etoegang:1.12:EntityConcernedID:PseudoID"
	TypeEIDASLegal      EntityType = "urn:etoegang:1.11:EntityConcernedID:eIDASLegalIdentifier"
	TypeIntermediateKvK EntityType = "urn:etoegang:1.9:IntermediateEntityID:KvKnr"
)

// Short is the last part of the URN, for people to read.
func (t EntityType) Short() string { return string(t)[strings.LastIndexByte(string(t), ':')+1:] }

// ErrIdentifierType is returned for an identifier type that this register neither
// stores nor gives out, such as a BSN.
var ErrIdentifierType = errors.New("identifier type not supported by this register")

// LegalSubject is the represented company under one of its identifiers
// (LegalSubjectID).
type LegalSubject struct {
	kind EntityType
	secret
}

// ParseLegalSubject reads a company's identifier of the given type. For a type
// that this register does not hold it returns ErrIdentifierType.
func ParseLegalSubject(kind EntityType, value string) (LegalSubject, error) {
	switch kind {
	case TypeKvKNr:
		n, err := ParseKvKNumber(value)
		return n.LegalSubject(), err
	case TypeRSIN:
		n, err := ParseRSIN(value)
		return n.LegalSubject(), err
	}
	return LegalSubject{}, ErrIdentifierType
}

// LegalSubject is the company with this KvK number.
func (n KvKNumber) LegalSubject() LegalSubject { return LegalSubject{TypeKvKNr, n.secret} }

// LegalSubject is the company with this RSIN.
func (n RSIN) LegalSubject() LegalSubject { return LegalSubject{TypeRSIN, n.secret} }

// Type is the kind of identifier.
func (s LegalSubject) Type() EntityType { return s.kind }

// ActingSubject is the person who acts, as one authentication service knows him:
// his internal pseudonym means nothing without the name of that service.
type ActingSubject struct {
	Authenticator EntityID
	Pseudonym     Pseudonym
}

// IsZero tells whether s names nobody.
func (s ActingSubject) IsZero() bool { return s.Pseudonym.IsZero() }

// Intermediary is the company between the person who acts and the represented
// company. The scheme knows it by its KvK number only.
type Intermediary struct{ KvK KvKNumber }

// ParseIntermediary reads an intermediary's KvK number.
func ParseIntermediary(value string) (Intermediary, error) {
	n, err := ParseKvKNumber(value)
	return Intermediary{n}, err
}

// IsZero tells whether i names nobody.
func (i Intermediary) IsZero() bool { return i.KvK.IsZero() }
