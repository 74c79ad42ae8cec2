package journal

import (
	"context"
	"fmt"
	"time"

	"github.com/mandated/mandated/pkg/mandate"
)

// Use is the last record that permitted something by a mandate.
type Use struct {
	Mandate  mandate.ID
	At       time.Time // when the record was written, in whole milliseconds, UTC
	Sequence int64     // the record's number; it may be retired by now
	Service  string    // where the mandate was used
}

// after tells whether u is the later of two uses of one mandate. That does not depend on
// the order in which they are compared, so whoever reads records again finds the same.
func (u Use) after(other Use) bool {
	if !u.At.Equal(other.At) {
		return u.At.After(other.At)
	}
	return u.Sequence > other.Sequence
}

// Uses is what is known of when mandates were last used. What was not found in Last was not
// used between Since and UpTo; about other times nothing is known.
type Uses struct {
	Last map[mandate.ID]Use // of those asked about, the ones that were used

	// Since is the time of the first record from which on none was missed; zero if none was
	// read. A mandate may be older than the journal.
	Since time.Time

	// UpTo is the moment up to which all is known: that of asking, or if records wait to be
	// read that of the last one that was; zero if none was and some wait. Times of records are
	// those of the clocks of whoever wrote them.
	UpTo   time.Time
	Behind int64 // records that wait to be read
}

// MostAsked is how many mandates LastUse may be asked about at once.
const MostAsked = 1000

// LastUse tells when mandates were last used, also if the record of that is retired.
// Records are read some time after they were written, and UpTo says how far: on a standby,
// of what that has. What counts as a use Options.Used says, in the process that read it.
func (j *Journal) LastUse(ctx context.Context, ids []mandate.ID) (Uses, error) {
	if len(ids) > MostAsked {
		return Uses{}, fmt.Errorf("journal: asked about the use of %d mandates: ask about %d at a time", len(ids), MostAsked)
	}
	leave, err := j.enter()
	if err != nil {
		return Uses{}, err
	}
	defer leave()
	u, err := j.lastUse(ctx, ids)
	return u, reading(err)
}

// lastUse asks in an order that makes the answer claim no more than it holds: what is
// written or read meanwhile is not promised, even if it is there.
func (j *Journal) lastUse(ctx context.Context, ids []mandate.ID) (Uses, error) {
	now := milliseconds(j.options.Now())
	end, err := j.store.end(ctx)
	if err != nil {
		return Uses{}, err
	}
	read, err := j.store.followed(ctx)
	if err != nil {
		return Uses{}, err
	}
	last, err := j.store.uses(ctx, ids)
	if err != nil {
		return Uses{}, err
	}
	u := Uses{Last: make(map[mandate.ID]Use, len(last)), Since: read.since, UpTo: now, Behind: max(0, end.sequence-read.sequence)}
	if u.Behind > 0 {
		u.UpTo = read.at
	}
	for _, use := range last {
		u.Last[use.Mandate] = use
	}
	return u, nil
}

// milliseconds is a moment as records have it.
func milliseconds(t time.Time) time.Time { return t.UTC().Truncate(time.Millisecond) }
