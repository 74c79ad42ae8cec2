package mandate

// State is where a mandate is in its life.
type State string

// The states, from first wish to end. Expired is not stored: it follows from the
// validity and the time of asking.
const (
	Draft              State = "draft"
	Requested          State = "requested"
	AwaitingSignatures State = "awaiting-signatures"
	AwaitingAcceptance State = "awaiting-acceptance"
	Active             State = "active"
	Suspended          State = "suspended"

	Revoked        State = "revoked"
	LapsedUnused   State = "lapsed-unused" // not used for 24 months
	Superseded     State = "superseded"    // its successor speaks for it
	Rejected       State = "rejected"
	Withdrawn      State = "withdrawn"
	RequestExpired State = "request-expired"
)

// next lists, for every state, the states it may become. A state without an entry
// is an end: nothing ever leaves it.
var next = map[State][]State{
	Draft:              {Requested, Withdrawn},
	Requested:          {AwaitingSignatures, AwaitingAcceptance, Active, Superseded, Rejected, Withdrawn, RequestExpired},
	AwaitingSignatures: {AwaitingAcceptance, Active, Superseded, Rejected, Withdrawn, RequestExpired},
	AwaitingAcceptance: {Active, Superseded, Rejected, Withdrawn, RequestExpired},
	Active:             {Suspended, Revoked, LapsedUnused, Superseded},
	Suspended:          {Active, Revoked, LapsedUnused, Superseded},
	Revoked:            nil,
	LapsedUnused:       nil,
	Superseded:         nil,
	Rejected:           nil,
	Withdrawn:          nil,
	RequestExpired:     nil,
}

// CanBecome tells whether a mandate in state s may go to state to.
func (s State) CanBecome(to State) bool {
	for _, state := range next[s] {
		if state == to {
			return true
		}
	}
	return false
}

// Known tells whether s is one of the states above.
func (s State) Known() bool {
	_, known := next[s]
	return known
}

// Ended tells whether nothing can leave s any more.
func (s State) Ended() bool { return s.Known() && next[s] == nil }

// Pending tells whether the mandate is still being asked for.
func (s State) Pending() bool {
	switch s {
	case Draft, Requested, AwaitingSignatures, AwaitingAcceptance:
		return true
	}
	return false
}

// Bears tells whether a mandate in state s bears on a decision, be it as a reason why not.
// A request that came to nothing never was a mandate, and of a superseded one its
// successor speaks.
func (s State) Bears() bool {
	switch s {
	case Superseded, Rejected, Withdrawn, RequestExpired:
		return false
	}
	return true
}
