package mandate

import (
	"log/slog"
	"time"
)

// Contact is where the holder of an appointment wants to be written to, and in which
// language: nl or en. The zero value is nowhere. It is personal: it says in logs only that it
// is there.
type Contact struct{ Email, Language string }

// IsZero tells that its holder is written to nowhere.
func (c Contact) IsZero() bool { return c == Contact{} }

// String hides the address.
func (c Contact) String() string {
	if c.IsZero() {
		return "no contact"
	}
	return "contact"
}

// GoString hides the address.
func (c Contact) GoString() string { return c.String() }

// LogValue hides the address.
func (c Contact) LogValue() slog.Value { return slog.StringValue(c.String()) }

// News is what somebody can be told of a mandate, an appointment or a company.
type News string

// All news there is.
const (
	NewsAnswer     News = "answer"     // the other side asks: an answer is needed
	NewsSign       News = "sign"       // somebody of this side agreed: another must, too
	NewsAsked      News = "asked"      // something is asked, and others must answer
	NewsAgreed     News = "agreed"     // somebody agreed, and others must still
	NewsGranted    News = "granted"    // the mandate is in force
	NewsRefused    News = "refused"    // who was asked does not want it
	NewsRecalled   News = "recalled"   // who asked does not want it any more
	NewsUnanswered News = "unanswered" // nobody answered in time
	NewsNarrowed   News = "narrowed"
	NewsPaused     News = "paused" // suspended
	NewsResumed    News = "resumed"
	NewsEnded      News = "ended"  // revoked
	NewsEnding     News = "ending" // its time is nearly over
	NewsUnused     News = "unused" // it will end because nobody uses it
	NewsLapsed     News = "lapsed" // it has

	NewsAppointmentEnding News = "appointment-ending"
	NewsUnmanaged         News = "unmanaged" // nobody is left to manage the company's mandates
	NewsStanding          News = "standing"  // the trade register says something else of the company
)

// AllNews are all of them.
var AllNews = []News{NewsAnswer, NewsSign, NewsAsked, NewsAgreed, NewsGranted, NewsRefused, NewsRecalled,
	NewsUnanswered, NewsNarrowed, NewsPaused, NewsResumed, NewsEnded, NewsEnding, NewsUnused, NewsLapsed,
	NewsAppointmentEnding, NewsUnmanaged, NewsStanding}

// NeedsAnswer tells whether somebody waits for whoever is told.
func (n News) NeedsAnswer() bool { return n == NewsAnswer || n == NewsSign }

// TakesAway tells whether something can be done no longer.
func (n News) TakesAway() bool {
	switch n {
	case NewsNarrowed, NewsPaused, NewsEnded, NewsLapsed, NewsUnmanaged, NewsStanding:
		return true
	}
	return false
}

// Pressing tells whether something is told at once; the rest can wait for a day.
func (n News) Pressing() bool { return n.NeedsAnswer() || n.TakesAway() }

// EndingDays and UnusedDays are how many days before something ends, or would end for want of
// use, those concerned are told.
var (
	EndingDays = []int{60, 30, 7}
	UnusedDays = []int{60, 30}
)

// Warned tells of which of those days the time of somebody who ends at to has come: the
// fewest, so that who was not told in time is not told twice. 0: of none, or all that there
// ever was is less than those days, which is no news.
func Warned(days []int, v Validity, now time.Time) int {
	mark := 0
	for _, n := range days {
		if !now.Before(v.To.AddDate(0, 0, -n)) && (mark == 0 || n < mark) {
			mark = n
		}
	}
	if mark == 0 || !now.Before(v.To) || v.From.After(v.To.AddDate(0, 0, -mark)) {
		return 0
	}
	return mark
}

// Telling is what one side is told.
type Telling struct {
	To   Side
	What News
}

// Told is who is told what of an act that is done: both sides of the mandate, as far as they
// are companies, and the register's staff if one of them must answer. The request is as the
// act has left it. Of those who are told, whoever did it is left out when it is written to
// people.
func (r Request) Told(act Act, by Side) []Telling {
	list := []Telling{{GrantorSide, r.told(GrantorSide, act, by)}}
	if r.Kind == Chain {
		list = append(list, Telling{ReceiverSide, r.told(ReceiverSide, act, by)})
	}
	if r.State.Pending() && r.WaitsFor() == RegisterSide {
		list = append(list, Telling{RegisterSide, r.told(RegisterSide, act, by)})
	}
	return list
}

// told is what an act means to a side.
func (r Request) told(side Side, act Act, by Side) News {
	switch act {
	case ActAsk, ActAgree:
		switch {
		case !r.State.Pending():
			return NewsGranted
		case r.WaitsFor() == side && by == side:
			return NewsSign
		case r.WaitsFor() == side:
			return NewsAnswer
		case act == ActAsk:
			return NewsAsked
		}
		return NewsAgreed
	case ActRefuse:
		if r.State == Withdrawn {
			return NewsRecalled
		}
		return NewsRefused
	}
	return map[Act]News{ActExpire: NewsUnanswered, ActSuspend: NewsPaused, ActResume: NewsResumed,
		ActRevoke: NewsEnded, ActNarrow: NewsNarrowed, ActLapse: NewsLapsed}[act]
}

// Side gives the organisation on a side of a mandate: nobody for the register's own.
func (m Mandate) Side(s Side) (o Organisation) {
	switch {
	case s == GrantorSide:
		return m.Grantor
	case s == ReceiverSide:
		return m.Intermediary
	}
	return o
}

// ToldOf tells whether the holder of an appointment is written to of what concerns his
// organisation now: people are who manage its mandates, and who want it.
func (a Appointment) ToldOf(now time.Time) bool {
	return a.Manages(now) && !a.Contact.IsZero()
}

// Manages tells whether the holder of an appointment can manage his organisation's mandates
// now.
func (a Appointment) Manages(now time.Time) bool {
	return !a.Role.Software() && a.State == Appointed && a.Validity.Holds(now)
}
