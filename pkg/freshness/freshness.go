// Package freshness knows whether a decision made earlier may be served again. It
// follows the register's change feed and owns one immutable view of it, and the rules
// by which that view judges.
//
// It never sees what was decided, and knows neither caches nor HTTP. Whatever keeps
// decisions may lose, mix up or invent them: what is judged here is only a claim.
//
// # Why no node permits what has been revoked
//
// A change that takes something away is acknowledged when its commit has returned and
// 1.1 leases have passed (package register). A question asked after the
// acknowledgement is served a kept decision only by a view that was confirmed less than
// one lease before. The poll that confirmed it was sent less than a lease before, so
// after the commit had returned, and what it brought back holds the change: the view
// knows that a party of the decision changed after the decision was made, and does not
// serve it. Otherwise the register is asked, in a snapshot that begins after the
// question arrived and so holds the change as well.
//
// Neither Redis nor the network takes part in that argument. It assumes that the clocks
// of two machines differ in speed by less than a tenth; that a monotonic clock stands
// still only while the wall clock runs on (a machine that slept), and that nobody sets
// the wall clock back meanwhile, or within a lease before or after; that a database
// server which was replaced answers nobody any more, nor does a standby of it; and that
// the database loses no commit that it acknowledged.
package freshness

import (
	"time"

	"github.com/mandated/mandated/pkg/register"
)

// Moment is one reading of the two clocks of a machine.
type Moment struct {
	Steady time.Duration // since some fixed moment; never goes back
	Wall   time.Time     // without a monotonic reading
}

// Clock reads both clocks.
type Clock func() Moment

var began = time.Now()

// Machine is the clock of this machine.
func Machine() Moment {
	now := time.Now()
	return Moment{Steady: now.Sub(began), Wall: now.Round(0)}
}

// Claim is what a kept decision says of itself.
type Claim struct {
	Stamp   register.Stamp   // of the snapshot it was computed in
	Parties []register.Party // that it depends on
	From    time.Time        // since when the same facts have given this answer; zero: always
	Until   time.Time        // when they may give another; zero: never
}

// Question is what a claim is to be served for.
type Question struct {
	At      time.Time         // the moment that the answer is about
	AtLeast register.Revision // the asker knows of this revision, and wants no older answer
}

// Why says why a claim is not served. It is a closed list, also for metrics.
type Why string

// The reasons.
const (
	Serves    Why = ""          // it is served
	NoView    Why = "no-view"   // the feed was not read yet, or the register is another than it was
	Lease     Why = "lease"     // the view was not confirmed within the lease
	Slept     Why = "slept"     // the same by the wall clock
	Unknown   Why = "unknown"   // the view does not know the revision: too old, too new, or of another past
	Changed   Why = "changed"   // a party changed since
	Expired   Why = "expired"   // a mandate began or ended between then and the moment asked about
	Early     Why = "early"     // the moment asked about is before a mandate began or ended
	Unheardof Why = "unheardof" // the asker knows of a later revision than the view
)
