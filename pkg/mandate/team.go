package mandate

import (
	"errors"
	"unicode/utf8"
)

// TeamID is a team's number within one register.
type TeamID int64

// Team is a group of an intermediary's employees who work for the same clients. It is how an
// intermediary gives out its assignments, and not a mandate itself: what somebody may do
// follows from the assignments alone.
type Team struct {
	ID           TeamID
	Organisation Organisation // the intermediary
	Name         string       // as colleagues know it
}

// ErrTeam: a team that nobody could tell from others.
var ErrTeam = errors.New("a team needs a name of at most 100 bytes, by which colleagues know it")

// CheckTeam tells whether t is fit to be made.
func CheckTeam(t Team) error {
	if t.Organisation.ID == 0 || t.Name == "" || len(t.Name) > 100 || !utf8.ValidString(t.Name) {
		return ErrTeam
	}
	return nil
}

// Leads tells whether somebody disposes of the people of an organisation: who is in which team
// and for which clients it works, and who leaves. The register's staff have no people of their
// own; for emergencies there is the stop.
func (a Actor) Leads(o OrganisationID) error {
	switch {
	case a.Role == Reader:
		return ErrMayOnlyRead
	case a.Role == Staff || a.Organisation != o:
		return ErrNotYours
	}
	return nil
}
