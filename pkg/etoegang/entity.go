package etoegang

import (
	"strconv"
	"strings"
)

// Role is what a participant does in the network.
type Role string

// The roles that an EntityID can name.
const (
	Provider      Role = "DV" // dienstverlener: offers services
	Broker        Role = "HM" // herkenningsmakelaar: asks on behalf of providers
	Authenticator Role = "AD" // authenticatiedienst: says who logged in
	Register      Role = "MR" // machtigingenregister: says who may act for whom
	EIDAS         Role = "EB" // eIDAS-berichtenservice: authenticator and register for foreign users
)

// EntityID names a participant in one role. Its grammar:
//
//	urn:etoegang:<role>:<OIN>:entities:<index>
//
// with role DV, HM, AD, MR or EB, an OIN of twenty digits and an index of one to
// four digits; 9000 and up are test systems (scheme page "EntityID").
type EntityID struct{ text string }

// ParseEntityID reads an EntityID.
func ParseEntityID(s string) (EntityID, error) {
	role, rest, _ := strings.Cut(strings.TrimPrefix(s, "urn:etoegang:"), ":")
	oin, index, ok := strings.Cut(rest, ":entities:")
	switch {
	case !strings.HasPrefix(s, "urn:etoegang:") || !ok:
		return EntityID{}, &SyntaxError{"EntityID", "must look like urn:etoegang:MR:<OIN>:entities:<index>"}
	case !Role(role).valid():
		return EntityID{}, &SyntaxError{"EntityID", "the role must be DV, HM, AD, MR or EB"}
	case len(oin) != 20 || !isDigits(oin):
		return EntityID{}, &SyntaxError{"EntityID", "the OIN must be exactly 20 digits"}
	case len(index) > 4 || !isDigits(index):
		return EntityID{}, &SyntaxError{"EntityID", "the index must be one to four digits"}
	}
	return EntityID{s}, nil
}

func (r Role) valid() bool {
	switch r {
	case Provider, Broker, Authenticator, Register, EIDAS:
		return true
	}
	return false
}

// String gives the URN.
func (e EntityID) String() string { return e.text }

// IsZero tells whether e was never parsed.
func (e EntityID) IsZero() bool { return e.text == "" }

// Role is the role the participant has under this name.
func (e EntityID) Role() Role {
	if e.IsZero() {
		return ""
	}
	return Role(e.text[len("urn:etoegang:"):][:2])
}

// OIN identifies the organisation behind the role.
func (e EntityID) OIN() OIN {
	if e.IsZero() {
		return OIN{}
	}
	return OIN{e.text[len("urn:etoegang:XX:"):][:20]}
}

// Test tells whether the index is in the range reserved for test systems.
func (e EntityID) Test() bool {
	n, err := strconv.Atoi(e.text[strings.LastIndexByte(e.text, ':')+1:])
	return err == nil && n >= 9000
}
