package mandate

import (
	"bytes"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mandated/mandated/pkg/etoegang"
)

// Who is told what of each act, as a table that somebody can read who writes no code.
func TestWhoIsTold(t *testing.T) {
	for _, c := range []struct {
		why      string
		kind     Kind
		state    State // after the act
		askedBy  Side
		act      Act
		by       Side
		grantor  News
		receiver News
		staff    News
	}{
		{"the office asks the bakery", Chain, Requested, ReceiverSide, ActAsk, ReceiverSide, NewsAnswer, NewsAsked, ""},
		{"the bakery gives at once", Chain, Active, "", ActAsk, GrantorSide, NewsGranted, NewsGranted, ""},
		{"the bakery offers", Chain, AwaitingAcceptance, GrantorSide, ActAsk, GrantorSide, NewsAsked, NewsAnswer, ""},
		{"one of two directors signs first", Chain, AwaitingSignatures, GrantorSide, ActAsk, GrantorSide, NewsSign, NewsAsked, ""},
		{"one of two directors agrees to what was asked", Chain, AwaitingSignatures, ReceiverSide, ActAgree, GrantorSide, NewsSign, NewsAgreed, ""},
		{"the last who must agree to an offer does", Chain, AwaitingAcceptance, GrantorSide, ActAgree, GrantorSide, NewsAgreed, NewsAnswer, ""},
		{"the office accepts", Chain, Active, GrantorSide, ActAgree, ReceiverSide, NewsGranted, NewsGranted, ""},
		{"the staff records paper", Chain, AwaitingSignatures, RegisterSide, ActAsk, RegisterSide, NewsAsked, NewsAsked, NewsSign},
		{"another of the staff confirms it", Chain, Active, RegisterSide, ActAgree, RegisterSide, NewsGranted, NewsGranted, ""},
		{"the bakery wants no mandate", Chain, Rejected, ReceiverSide, ActRefuse, GrantorSide, NewsRefused, NewsRefused, ""},
		{"the office wants none any more", Chain, Withdrawn, ReceiverSide, ActRefuse, ReceiverSide, NewsRecalled, NewsRecalled, ""},
		{"nobody answers", Chain, RequestExpired, ReceiverSide, ActExpire, RuleSide, NewsUnanswered, NewsUnanswered, ""},
		{"either suspends", Chain, Suspended, "", ActSuspend, ReceiverSide, NewsPaused, NewsPaused, ""},
		{"and lets it go on", Chain, Active, "", ActResume, ReceiverSide, NewsResumed, NewsResumed, ""},
		{"either ends it", Chain, Revoked, "", ActRevoke, GrantorSide, NewsEnded, NewsEnded, ""},
		{"either narrows it", Chain, Active, "", ActNarrow, GrantorSide, NewsNarrowed, NewsNarrowed, ""},
		{"nobody uses it", Chain, LapsedUnused, "", ActLapse, RuleSide, NewsLapsed, NewsLapsed, ""},
		{"a mandate of a person has no second company", Direct, Revoked, "", ActRevoke, RegisterSide, NewsEnded, "", ""},
		{"nor has what the office passes on", Assignment, Active, "", ActAsk, GrantorSide, NewsGranted, "", ""},
	} {
		want := []Telling{{GrantorSide, c.grantor}}
		if c.receiver != "" {
			want = append(want, Telling{ReceiverSide, c.receiver})
		}
		if c.staff != "" {
			want = append(want, Telling{RegisterSide, c.staff})
		}
		r := Request{Mandate: Mandate{Kind: c.kind, State: c.state}, AskedBy: c.askedBy}
		if got := r.Told(c.act, c.by); !slices.Equal(got, want) {
			t.Errorf("%s: %v is told, want %v", c.why, got, want)
		}
	}
}

// What is told before an end is told when the day has come, of the fewest days only, and not
// of what never was to last that long.
func TestWarned(t *testing.T) {
	end := recorded.AddDate(1, 0, 0)
	day := func(n int) time.Time { return end.AddDate(0, 0, -n) }
	for _, c := range []struct {
		why       string
		from, now time.Time
		days      int
	}{
		{"long before", recorded, day(61), 0},
		{"a second too soon", recorded, day(60).Add(-time.Second), 0},
		{"on the day", recorded, day(60), 60},
		{"the day after", recorded, day(59), 60},
		{"the second time", recorded, day(30), 30},
		{"nobody looked for weeks", recorded, day(5), 7},
		{"the last second", recorded, end.Add(-time.Second), 7},
		{"it is over", recorded, end, 0},
		{"it never lasted so long", day(59), day(59), 0},
		{"and soon does", day(59), day(30), 30},
		{"it lasts for so long and no longer", day(60), day(60), 60},
		{"a mandate of a week", day(6), day(5), 0},
	} {
		if got := Warned(EndingDays, Validity{c.from, end}, c.now); got != c.days {
			t.Errorf("%s: %d days, want %d", c.why, got, c.days)
		}
	}
}

// Only people are written to, while they are appointed, and only those who want it.
func TestWhoIsWrittenTo(t *testing.T) {
	anna := Appointment{Role: Administrator, State: Appointed, Validity: Validity{recorded, recorded.AddDate(1, 0, 0)},
		Contact: Contact{"anna@bakery.example", "nl"}}
	if !anna.ToldOf(recorded) {
		t.Error("Anna is not written to")
	}
	for why, change := range map[string]func(*Appointment){
		"without an address":          func(a *Appointment) { a.Contact = Contact{} },
		"an invitation":               func(a *Appointment) { a.State = Invited },
		"somebody who left":           func(a *Appointment) { a.State = Dismissed },
		"a program":                   func(a *Appointment) { a.Role = Program },
		"somebody whose time is over": func(a *Appointment) { a.Validity.To = recorded },
	} {
		a := anna
		change(&a)
		if a.ToldOf(recorded) {
			t.Errorf("%s is written to", why)
		}
	}
}

// An address has a language, is a person's, and is nowhere to be seen in logs.
func TestContact(t *testing.T) {
	a := Appointment{Organisation: Organisation{ID: 1}, Role: Administrator, Name: "Anna", Level: etoegang.LoA3,
		Validity: Validity{recorded, recorded.AddDate(1, 0, 0)}, Contact: Contact{"anna@bakery.example", "en"}}
	if err := CheckAppointment(a, recorded); err != nil {
		t.Error(err)
	}
	for _, c := range []Contact{{"anna@bakery.example", ""}, {"", "nl"}, {"anna@bakery.example", "fr"}, {strings.Repeat("a", 255), "nl"}, {"a\xff", "nl"}} {
		b := a
		b.Contact = c
		if err := CheckAppointment(b, recorded); err != ErrContact {
			t.Errorf("%d bytes in %q: %v", len(c.Email), c.Language, err)
		}
	}
	a.Role = Program
	if err := CheckAppointment(a, recorded); err != ErrContact {
		t.Errorf("a program is written to: %v", err)
	}
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "contact", a.Contact)
	text := log.String() + fmt.Sprintf("%v %+v %#v %s", a.Contact, a, a, a.Contact)
	if strings.Contains(text, "anna@") {
		t.Error(text)
	}
}
