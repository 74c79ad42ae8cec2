package mandate

import (
	"errors"
	"fmt"
	"time"
	_ "time/tzdata" // a bare date means midnight in Amsterdam on every machine
)

// MaxYears is the longest a mandate may last (scheme: "Specificaties voor het
// beheer van bevoegdheden", 3.1.1).
const MaxYears = 5

// Validity is the time a mandate may be used: from From up to, not including, To.
// Both are whole seconds in UTC.
type Validity struct{ From, To time.Time }

// Holds tells whether at falls within the validity.
func (v Validity) Holds(at time.Time) bool { return !at.Before(v.From) && at.Before(v.To) }

// Left is what is left of v: from today, if it began before.
func (v Validity) Left(now time.Time) Validity {
	if today := StartOfDay(now); v.From.Before(today) {
		v.From = today
	}
	return v
}

var amsterdam = func() *time.Location {
	zone, err := time.LoadLocation("Europe/Amsterdam")
	if err != nil {
		panic(err) // the zone data are compiled in
	}
	return zone
}()

// ParseMoment reads a moment as people write it: a bare date, which means midnight
// in Amsterdam, or RFC 3339 with a zone. The result is in UTC, whole seconds.
func ParseMoment(s string) (time.Time, error) {
	if date, err := time.ParseInLocation(time.DateOnly, s, amsterdam); err == nil {
		return date.UTC(), nil
	}
	moment, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return time.Time{}, fmt.Errorf("%q: write a date like 2027-01-31, or a moment like 2027-01-31T09:00:00Z", s)
	}
	return moment.UTC().Truncate(time.Second), nil
}

// StartOfDay is the midnight in Amsterdam that began the day of at.
func StartOfDay(at time.Time) time.Time {
	y, m, d := at.In(amsterdam).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, amsterdam).UTC()
}

// EndOfDay is the midnight in Amsterdam that ends the day of at: whatever lasts until that day,
// and on it still, is over then.
func EndOfDay(at time.Time) time.Time {
	y, m, d := at.In(amsterdam).Date()
	return time.Date(y, m, d+1, 0, 0, 0, 0, amsterdam).UTC()
}

// InAmsterdam is the same moment on the clocks and calendars that people here look at.
func InAmsterdam(at time.Time) time.Time { return at.In(amsterdam) }

// AddYears counts years on the calendar of Amsterdam.
func AddYears(at time.Time, years int) time.Time {
	return at.In(amsterdam).AddDate(years, 0, 0).UTC()
}

// What can be wrong with a validity.
var (
	ErrNoEnd     = errors.New("a mandate needs a start and an end")
	ErrOrder     = errors.New("a mandate must end after it starts")
	ErrTooLong   = fmt.Errorf("a mandate lasts at most %d years", MaxYears)
	ErrBackdated = errors.New("a mandate cannot start in the past: choose today or later")
	ErrPrecision = errors.New("a mandate starts and ends on a whole second")
)

// check judges the validity of a mandate recorded at the given time. A mandate that
// migrates from another register keeps its start in the past.
func (v Validity) check(recorded time.Time, migrating bool) error {
	switch {
	case v.From.IsZero() || v.To.IsZero():
		return ErrNoEnd
	case !v.From.Before(v.To):
		return ErrOrder
	case v.From.Nanosecond() != 0 || v.To.Nanosecond() != 0:
		return ErrPrecision
	case v.To.After(AddYears(v.From, MaxYears)):
		return ErrTooLong
	case !migrating && v.From.Before(StartOfDay(recorded)):
		return ErrBackdated
	}
	return nil
}
