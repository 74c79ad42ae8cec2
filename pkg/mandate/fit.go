package mandate

import (
	"slices"
	"time"

	"github.com/mandated/mandated/pkg/etoegang"
)

// Half is a mandate that is one half of what an intermediary's people may do for a client.
type Half struct {
	Mandate
	SuspendedBy Side // if it is suspended
}

// Misfit says why an intermediary's people cannot do all that a client's chain mandate
// permits now. The empty one says that they can.
type Misfit string

// What can be in the way. Of several things the one is named that must be mended first, or
// that is least work.
const (
	Fits Misfit = ""

	ChainAsked     Misfit = "chain-requested" // the client, or who else must, has not agreed yet
	ChainEnded     Misfit = "chain-ended"
	ChainSuspended Misfit = "chain-suspended"
	ChainNotYet    Misfit = "chain-not-begun"
	ChainOver      Misfit = "chain-expired"
	ClientStopped  Misfit = "client-stopped" // the company, or the intermediary, takes no part
	PersonStopped  Misfit = "person-stopped" // nobody takes part to whom it is assigned

	NotAssigned         Misfit = "assignment-missing"
	AssignmentNarrower  Misfit = "assignment-narrower"
	AssignmentLower     Misfit = "assignment-lower"
	AssignmentSuspended Misfit = "assignment-suspended"
	AssignmentAsked     Misfit = "assignment-requested"
	AssignmentNotYet    Misfit = "assignment-not-begun"
	AssignmentOver      Misfit = "assignment-expired"
)

// Edit is one change that mends a misfit.
type Edit struct {
	Act     Act   // ActAsk: a mandate is asked for or assigned anew; others as they are named
	Mandate ID    // to which; for ActAsk the one that the new one follows, or 0
	Side    Side  // of the chain mandate: whose turn it is
	Kind    Kind  // of the mandate that is asked for
	Scope   Scope // of the mandate that is asked for
	Until   time.Time
}

// Fit tells of a chain mandate and its assignments whether the two halves fit.
type Fit struct {
	Misfit Misfit
	Usable bool  // somebody can act now, be it for less than the client permits
	Edit   *Edit // what mends it; nil: nothing to mend, or nothing that an edit mends
}

// Fit judges both halves at a moment: the chain mandate c of a client and the assignments
// that pass it on. Providers of services are looked up in the catalogue.
func (c Half) Fit(assignments []Half, offered Offered, now time.Time) Fit {
	if misfit, edit := c.chainMisfit(now); misfit != Fits {
		return Fit{Misfit: misfit, Edit: edit}
	}
	var bears []Half
	for _, a := range assignments {
		if !a.State.Ended() {
			bears = append(bears, a)
		}
	}
	if len(bears) == 0 {
		return Fit{Misfit: NotAssigned, Edit: c.assign(0)}
	}
	var together Scope
	var best *Half
	lacks, stopped := 0, true
	for i, a := range bears {
		if a.Person.Active && !a.Person.Blocked {
			stopped = false
		}
		if !a.inForce(now) {
			continue
		}
		together = append(together, a.Scope...)
		if n := c.lacking(a, offered); best == nil || n < lacks {
			best, lacks = &bears[i], n
		}
	}
	switch {
	case stopped:
		return Fit{Misfit: PersonStopped, Edit: c.assign(0)}
	case best == nil:
		return c.dormant(bears, now)
	case c.Scope.within(together, offered):
		return Fit{Usable: true}
	}
	f := Fit{Misfit: AssignmentNarrower, Usable: c.Scope.meets(together, offered), Edit: c.assign(best.ID)}
	if c.Scope.at(etoegang.LoA2).within(together, offered) {
		f.Misfit = AssignmentLower
	}
	return f
}

// chainMisfit tells what is wrong with the client's half alone.
func (c Half) chainMisfit(now time.Time) (Misfit, *Edit) {
	stopped := func(o Organisation) bool { return !o.Active || o.Blocked }
	switch {
	case stopped(c.Grantor) || stopped(c.Intermediary):
		return ClientStopped, nil
	case c.State.Pending():
		return ChainAsked, &Edit{Act: ActAgree, Mandate: c.ID, Side: GrantorSide}
	case c.State.Ended():
		return ChainEnded, c.again(0)
	case !now.Before(c.Validity.To):
		return ChainOver, c.again(c.ID)
	case c.State == Suspended:
		return ChainSuspended, &Edit{Act: ActResume, Mandate: c.ID, Side: c.SuspendedBy}
	case now.Before(c.Validity.From):
		return ChainNotYet, nil // time mends it
	}
	return Fits, nil
}

// again asks the client for the same, for as long as it lasted.
func (c Half) again(follows ID) *Edit {
	return &Edit{Act: ActAsk, Mandate: follows, Side: GrantorSide, Kind: Chain, Scope: c.Scope}
}

// assign gives somebody of the intermediary all that the client permits.
func (c Half) assign(follows ID) *Edit {
	return &Edit{Act: ActAsk, Mandate: follows, Side: ReceiverSide, Kind: Assignment, Scope: c.Scope, Until: c.Validity.To}
}

// dormant tells why none of the assignments counts now, of the one that is nearest to it.
func (c Half) dormant(list []Half, now time.Time) Fit {
	f, nearest := Fit{}, 5
	for _, a := range list {
		follows := a.ID
		if a.State.Pending() {
			follows = 0 // nothing takes the place of what is only being asked for
		}
		var misfit Misfit
		var edit *Edit
		var rank int
		switch {
		case !a.Person.Active || a.Person.Blocked:
			continue
		case !now.Before(a.Validity.To):
			misfit, edit, rank = AssignmentOver, c.assign(follows), 4
		case now.Before(a.Validity.From):
			misfit, edit, rank = AssignmentNotYet, c.assign(follows), 3
		case a.State.Pending():
			misfit, edit, rank = AssignmentAsked, &Edit{Act: ActAgree, Mandate: a.ID, Side: ReceiverSide}, 2
		default:
			misfit, edit, rank = AssignmentSuspended, &Edit{Act: ActResume, Mandate: a.ID, Side: ReceiverSide}, 1
			if a.SuspendedBy == RegisterSide {
				edit.Side = RegisterSide
			}
		}
		if rank < nearest {
			f, nearest = Fit{Misfit: misfit, Edit: edit}, rank
		}
	}
	return f
}

// inForce tells whether somebody can act by the mandate now, as far as it goes.
func (h Half) inForce(now time.Time) bool {
	return h.State == Active && h.Validity.Holds(now) && h.Person.Active && !h.Person.Blocked
}

// lacking counts the items of the client's mandate that an assignment does not cover.
func (c Half) lacking(a Half, offered Offered) (n int) {
	for _, i := range c.Scope {
		if !i.within(a.Scope, offered) {
			n++
		}
	}
	return n
}

// at is the scope at a level.
func (s Scope) at(l etoegang.AssuranceLevel) Scope {
	s = slices.Clone(s)
	for i := range s {
		s[i].Level = l
	}
	return s
}

// meets tells whether two scopes have anything in common.
func (s Scope) meets(other Scope, offered Offered) bool {
	touches := func(a, b Scope) bool {
		return slices.ContainsFunc(a.at(etoegang.LoA2), func(i Item) bool { return i.within(b, offered) })
	}
	return touches(s, other) || touches(other, s)
}
