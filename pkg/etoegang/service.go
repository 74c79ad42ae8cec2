package etoegang

import "strings"

// ServiceUUID identifies a service definition, which is what mandates are
// registered on. Its grammar is 8-4-4-4-12 hexadecimal digits; letter case is
// kept and counts (scheme page "ServiceUUID").
type ServiceUUID struct{ text string }

// ParseServiceUUID reads a ServiceUUID.
func ParseServiceUUID(s string) (ServiceUUID, error) {
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' ||
		!isHex(s[:8]) || !isHex(s[9:13]) || !isHex(s[14:18]) || !isHex(s[19:23]) || !isHex(s[24:]) {
		return ServiceUUID{}, &SyntaxError{"ServiceUUID", "must look like 11111111-2222-3333-4444-555555555555"}
	}
	return ServiceUUID{s}, nil
}

// String gives the UUID as it was written.
func (u ServiceUUID) String() string { return u.text }

// IsZero tells whether u was never parsed.
func (u ServiceUUID) IsZero() bool { return u.text == "" }

// ServiceID names one instance of a service at its provider. Its grammar:
//
//	urn:etoegang:DV:<OIN>:services:<index>
//
// with an index of one to nine digits, at least 1.
type ServiceID struct{ text string }

// ParseServiceID reads a ServiceID.
func ParseServiceID(s string) (ServiceID, error) {
	oin, index, ok := strings.Cut(strings.TrimPrefix(s, "urn:etoegang:DV:"), ":services:")
	switch {
	case !strings.HasPrefix(s, "urn:etoegang:DV:") || !ok:
		return ServiceID{}, &SyntaxError{"ServiceID", "must look like urn:etoegang:DV:<OIN>:services:<index>"}
	case len(oin) != 20 || !isDigits(oin):
		return ServiceID{}, &SyntaxError{"ServiceID", "the OIN must be exactly 20 digits"}
	case len(index) > 9 || !isDigits(index) || strings.Trim(index, "0") == "":
		return ServiceID{}, &SyntaxError{"ServiceID", "the index must be a number from 1"}
	}
	return ServiceID{s}, nil
}

// String gives the URN.
func (s ServiceID) String() string { return s.text }

// IsZero tells whether s was never parsed.
func (s ServiceID) IsZero() bool { return s.text == "" }

// Provider is the organisation that offers the service.
func (s ServiceID) Provider() OIN {
	if s.IsZero() {
		return OIN{}
	}
	return OIN{s.text[len("urn:etoegang:DV:"):][:20]}
}

// Service is what a service demands of those who use it, as its definition in the
// catalogue says. Values are shared and must not be changed.
type Service struct {
	UUID     ServiceUUID // of the definition
	Provider OIN
	Level    AssuranceLevel // the most a request may ask for, and the default

	// EntityTypes are the sets of identifier types by which the provider wants to
	// know the represented company, in order of preference: all types of one set
	// are needed together (EntityConcernedTypesAllowed, by setNumber).
	EntityTypes [][]EntityType

	Establishments bool // ServiceRestrictionsAllowed: mandates limited to establishments can be used here
	Public         bool // IsPublic: false is for test networks only

	// Underlying is nil for an ordinary service. For a portal (IsPortal) it lists
	// the services behind it: a mandate for one of them opens the portal.
	Underlying []Target
}

// Target is a service that a mandate may cover.
type Target struct {
	UUID     ServiceUUID
	Provider OIN
}

// Portal tells whether the service is an entrance to others.
func (s *Service) Portal() bool { return s.Underlying != nil }

// Targets are the services of which at least one must be covered by a mandate:
// the service itself, or those behind a portal.
func (s *Service) Targets() []Target {
	if s.Portal() {
		return s.Underlying
	}
	return []Target{{s.UUID, s.Provider}}
}
