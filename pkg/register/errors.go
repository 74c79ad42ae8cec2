package register

import (
	"errors"
	"fmt"

	"github.com/mandated/mandated/internal/postgres"
	"github.com/mandated/mandated/pkg/mandate"
)

// What can be wrong with the place. The text says what to do next.
var (
	ErrExists      = errors.New("there is something at this place already: a register is created once; choose another place, or open what is there")
	ErrMissing     = errors.New("there is no register at this place: check it, or create the register first")
	ErrNotRegister = errors.New("what is at this place is not a register: check it")
	ErrNewerSchema = errors.New("the register was written by a newer version of this program: use that version")
	ErrOlderSchema = errors.New("the register was written by an older version of this program: open it for writing once, which brings it up to date")
	ErrBusy        = errors.New("another process is writing in the register: try again, or see which other program has it open")
	ErrReadOnly    = errors.New("the register cannot be written: it was opened for reading, or its file, folder, disk or database is read-only")
	ErrFull        = errors.New("no room to write in the register: nothing was changed; make room on the disk and try again")
	ErrNoStandby   = errors.New("only a register in PostgreSQL can have a standby")
	ErrClosed      = errors.New("the register, or the change or snapshot it was asked in, is closed")
)

// What can be wrong with a database that others keep, for a question or a change: it did nothing.
// The words are those of whoever speaks with it.
var (
	ErrUnreachable = postgres.ErrUnreachable
	ErrStandby     = postgres.ErrStandby
)

// What can be wrong with a question or a change.
var (
	// ErrUnheard: a change is on disk, but its caller left before every node had heard
	// of it. It holds, at the latest 1.1 leases after it was made.
	ErrUnheard = errors.New("the change is made, but its caller did not wait until every node had heard of it")

	// ErrUncertain: the connection broke during a commit and the database did not come
	// back in time to tell whether the change was made. Look before trying again.
	ErrUncertain = errors.New("the database was lost during a change, which may have been made or not: look before you try again")

	// ErrClock: this machine's time is more than two seconds from the database's.
	ErrClock = errors.New("the clock of this machine and that of the database differ, so nothing was changed: set them right, with NTP, and try again")

	// ErrNotFound: no mandate, catalogue or revision with this number is known at
	// the revision asked about.
	ErrNotFound = errors.New("not found in the register")

	// ErrAuthor: a change without who or why.
	ErrAuthor = errors.New("a change needs an author: who makes it, and why")

	// ErrText: a text that not every database can keep.
	ErrText = errors.New("a name, a reference, who and why must be UTF-8 text without NUL")

	// ErrNoIdentity: an organisation without KvK number, or a person without
	// authentication service or pseudonym.
	ErrNoIdentity = errors.New("an organisation needs a KvK number, a person an authentication service and a pseudonym")

	// ErrUnknownParty: a mandate names an organisation or person that is not
	// registered yet.
	ErrUnknownParty = errors.New("the mandate names an organisation or person that is not registered")

	// ErrReserved: the number or participant is the canary's, which nobody else may use:
	// what concerns it stands in no list.
	ErrReserved = errors.New("KvK number 00000000 and its people are reserved for the register's own canary")

	// ErrRSINTaken: the RSIN belongs to another organisation now.
	ErrRSINTaken = errors.New("another organisation has this RSIN")

	// ErrClient: an assignment passes on something else than a chain mandate, still
	// in force, of which its grantor is the intermediary.
	ErrClient = errors.New("an assignment passes on a chain mandate, not ended, of which its grantor is the intermediary")

	// ErrOverlap: see OverlapError.
	ErrOverlap = errors.New("the same mandate is already registered for part of this time")

	// ErrStaleCatalogue: a service catalogue that is not newer than the current one.
	ErrStaleCatalogue = errors.New("the service catalogue is not newer than the one in the register")

	// ErrDigest: a service catalogue that is not the document its SHA-256 belongs to.
	ErrDigest = errors.New("the service catalogue does not have the SHA-256 that was given")
)

// OverlapError names the mandate that already covers part of what is granted. It is
// an ErrOverlap.
type OverlapError struct{ Mandate mandate.ID }

func (e *OverlapError) Error() string { return fmt.Sprintf("%v: mandate %d", ErrOverlap, e.Mandate) }

// Unwrap makes it an ErrOverlap.
func (e *OverlapError) Unwrap() error { return ErrOverlap }

// TransitionError says that a mandate cannot go from its state to another.
type TransitionError struct {
	Mandate  mandate.ID
	From, To mandate.State
}

func (e *TransitionError) Error() string {
	text := fmt.Sprintf("mandate %d is %s and cannot become %s", e.Mandate, e.From, e.To)
	if e.From == e.To || e.From.Ended() {
		text += "; if it only just became so, not every node may have heard of it yet"
	}
	return text
}
