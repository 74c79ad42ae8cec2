package desk

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/mandated/mandated/internal/mail"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
)

// told gives what an organisation (nobody: the staff) is told of a mandate, oldest first.
func (s *scene) told(id mandate.ID, to mandate.OrganisationID) (list []mandate.News) {
	s.Helper()
	if err := s.register.Read(ctx, func(v *register.Snapshot) error {
		all, err := v.Told(id)
		for _, n := range all {
			if n.To == to {
				list = append(list, n.News)
			}
		}
		return err
	}); err != nil {
		s.Fatal(err)
	}
	return list
}

// waiting gives all that waits to be told to an organisation.
func (s *scene) waiting(to mandate.OrganisationID) (list []register.Notice) {
	s.Helper()
	if err := s.register.Read(ctx, func(v *register.Snapshot) (err error) { list, err = v.Untold(to, 1000); return err }); err != nil {
		s.Fatal(err)
	}
	return list
}

func (s *scene) warn(want int) {
	s.Helper()
	if n := must(s.Warn(ctx)); n != want {
		s.Errorf("%v: %d are told, want %d", s.clock.Now(), n, want)
	}
}

// A mandate and the appointments behind it come to their end: each company is told of it 60,
// 30 and 7 days before, once, however often somebody looks.
func TestEverybodyIsToldBeforeTheEnd(t *testing.T) {
	s := newScene(t)
	anna := s.appoint(bakery, mandate.Administrator, "")
	s.appoint(office, mandate.Administrator, "")
	done := must(s.Ask(ctx, anna, "books", s.wish(forVAT)))
	short := s.wish(forTaxes)
	short.Validity.To = short.Validity.From.AddDate(0, 0, 20)
	brief := must(s.Ask(ctx, anna, "one month", short))
	m := done.Mandate
	s.warn(0)
	s.clock.advance(14 * 24 * time.Hour)
	s.warn(2) // of the brief one, seven days before: of more it never had
	s.warn(0)
	if got := s.told(brief.Mandate.ID, m.Intermediary.ID); !slices.Equal(got, []mandate.News{mandate.NewsGranted, mandate.NewsEnding}) {
		t.Errorf("of the brief one: %v", got)
	}
	s.clock.ns.Store(m.Validity.To.AddDate(0, 0, -60).UnixNano())
	s.warn(2)
	s.warn(0)
	s.clock.advance(29 * 24 * time.Hour)
	s.warn(0)
	s.clock.advance(24 * time.Hour)
	s.warn(2)
	s.clock.ns.Store(m.Validity.To.AddDate(0, 0, -3).UnixNano()) // nobody looked on the day itself
	s.warn(2)
	s.warn(0)
	s.clock.ns.Store(m.Validity.To.UnixNano())
	s.warn(0)
	var days []int
	for _, n := range s.waiting(m.Grantor.ID) {
		if n.News == mandate.NewsEnding && n.Mandate == m.ID {
			days = append(days, n.Days)
		}
	}
	if !slices.Equal(days, []int{60, 30, 7}) {
		t.Errorf("the bakery is told %v days before", days)
	}
}

// What was renewed in time, or has ended, is no news. What is granted again later is told of
// anew, since it is another mandate.
func TestWhoRenewsIsLeftInPeace(t *testing.T) {
	s := newScene(t)
	anna := s.appoint(bakery, mandate.Administrator, "")
	first := must(s.Ask(ctx, anna, "books", s.wish(forVAT))).Mandate
	s.clock.ns.Store(first.Validity.To.AddDate(0, 0, -61).UnixNano())
	renewed := s.wish(forVAT)
	renewed.Supersedes = first.ID
	second := must(s.Ask(ctx, anna, "renewed", renewed)).Mandate
	s.clock.advance(2 * 24 * time.Hour)
	s.warn(0)
	_ = must(s.Revoke(ctx, anna, "no more", second.ID, nil))
	third := must(s.Ask(ctx, anna, "again", s.wish(forVAT))).Mandate
	s.clock.ns.Store(third.Validity.To.AddDate(0, 0, -60).UnixNano())
	s.warn(2)
	if got := s.told(second.ID, second.Intermediary.ID); !slices.Equal(got, []mandate.News{mandate.NewsGranted, mandate.NewsEnded}) {
		t.Errorf("of the one that was revoked: %v", got)
	}
}

// An appointment that ends is told of like a mandate; and when it was the last, the staff
// hears that nobody is left, whether it ended by itself or was ended.
func TestTheLastAdministratorIsMissed(t *testing.T) {
	s := newScene(t)
	anna, boris := s.appoint(bakery, mandate.Administrator, ""), s.appoint(bakery, mandate.Director, mandate.Alone)
	bol := s.appoint(office, mandate.Administrator, "")
	_ = must(s.Dismiss(ctx, boris, "left", anna.Appointment, true, nil))
	if list := s.waiting(0); len(list) != 0 {
		t.Errorf("somebody is left, and the staff is told %+v", list)
	}
	_ = must(s.Dismiss(ctx, bol, "closing down", bol.Appointment, true, nil))
	if list := s.waiting(0); len(list) != 1 || list[0].News != mandate.NewsUnmanaged || list[0].Appointment != bol.Appointment {
		t.Errorf("nobody is left, and the staff is told %+v", list)
	}
	end := s.clock.Now().Truncate(time.Second).AddDate(3, 0, 0)
	s.clock.ns.Store(end.AddDate(0, 0, -60).UnixNano())
	s.warn(1)
	s.warn(0)
	s.clock.ns.Store(end.UnixNano())
	s.warn(1)
	s.warn(0)
	if list := s.waiting(0); len(list) != 2 || list[1].Appointment != boris.Appointment {
		t.Errorf("the last one's time is over, and the staff is told %+v", list)
	}
}

// Two administrators' time is over within days of each other: the staff hears once that nobody
// is left.
func TestNobodyLeftIsToldOnce(t *testing.T) {
	s := newScene(t)
	_ = s.appoint(bakery, mandate.Administrator, "")
	s.clock.advance(4 * 24 * time.Hour)
	boris := s.appoint(bakery, mandate.Administrator, "")
	end := s.clock.Now().Truncate(time.Second).AddDate(3, 0, 0)
	s.clock.ns.Store(end.Add(-time.Second).UnixNano())
	must(s.Warn(ctx))
	s.clock.ns.Store(end.UnixNano())
	must(s.Warn(ctx))
	if n := must(s.Warn(ctx)); n != 0 {
		t.Errorf("%d were told again", n)
	}
	unmanaged := 0
	for _, n := range s.waiting(0) {
		if n.News == mandate.NewsUnmanaged {
			unmanaged++
		}
	}
	if unmanaged != 1 {
		t.Errorf("after appointment %d ended the staff was told %d times", boris.Appointment, unmanaged)
	}
}

// The trade register says that the bakery is bankrupt: it and its office are told, and the
// rest of the staff. What stays as it was is no news.
func TestBothSidesHearOfTheTradeRegister(t *testing.T) {
	s := newScene(t)
	anna, staff := s.appoint(bakery, mandate.Administrator, ""), s.appoint(Party{}, mandate.Staff, "")
	m := must(s.Ask(ctx, anna, "books", s.wish(forVAT))).Mandate
	over := s.wish(forTaxes)
	over.Intermediary = farm
	ended := must(s.Ask(ctx, anna, "farm", over)).Mandate
	_ = must(s.Revoke(ctx, anna, "no more", ended.ID, nil))
	for range 2 {
		_ = must(s.PutEntry(ctx, staff, "looked up", bakery.KvK, bankrupt))
	}
	count := func(to mandate.OrganisationID) (n int) {
		for _, notice := range s.waiting(to) {
			if notice.News == mandate.NewsStanding && notice.Company == m.Grantor.ID && notice.Author == staff.Appointment {
				n++
			}
		}
		return n
	}
	for who, c := range map[string]struct {
		to   mandate.OrganisationID
		want int
	}{"the bakery": {m.Grantor.ID, 1}, "the office": {m.Intermediary.ID, 1}, "the staff": {0, 1}, "the farm, which has no mandate any more": {ended.Intermediary.ID, 0}} {
		if got := count(c.to); got != c.want {
			t.Errorf("%s is told %d times", who, got)
		}
	}
}

// uses is a journal that somebody keeps by hand.
type uses struct {
	Used
	lag   time.Duration
	clock *clockwork
	err   error
}

func (u *uses) ask(_ context.Context, ids []mandate.ID) (Used, error) {
	found := u.Used
	found.UpTo = u.clock.Now().Add(-u.lag)
	return found, u.err
}

// However long the months are, the first warning comes on its day.
func TestWarnedOnTheDay(t *testing.T) {
	s := newScene(t)
	granted := time.Date(2026, 12, 31, 12, 0, 0, 0, time.UTC)
	s.clock.ns.Store(granted.UnixNano())
	_ = must(s.Ask(ctx, s.appoint(bakery, mandate.Administrator, ""), "books", s.wish(forVAT)))
	u := &uses{Used: Used{Since: monday}, clock: s.clock}
	s.clock.ns.Store(granted.AddDate(0, 3, -60).UnixNano())
	if warned, ended, err := s.Lapse(ctx, 3, u.ask); warned != 1 || ended != 0 || err != nil {
		t.Errorf("sixty days before, %d are warned of and %d end: %v", warned, ended, err)
	}
}

// A mandate that nobody uses ends after two years, and not before those concerned were told
// twice. One use is enough to keep it.
func TestWhatNobodyUsesEnds(t *testing.T) {
	s := newScene(t)
	anna := s.appoint(bakery, mandate.Administrator, "")
	wish := s.wish(forVAT)
	wish.Validity.To = wish.Validity.From.AddDate(2, 11, 0)
	idle := must(s.Ask(ctx, anna, "books", wish)).Mandate
	wish.Scope = forTaxes
	busy := must(s.Ask(ctx, anna, "taxes", wish)).Mandate
	u := &uses{Used: Used{Last: map[mandate.ID]time.Time{}, Since: monday.Add(-time.Hour)}, clock: s.clock}
	look := func(warned, ended int) {
		t.Helper()
		if w, e, err := s.Lapse(ctx, 24, u.ask); w != warned || e != ended || err != nil {
			t.Errorf("%v: %d warned, %d ended (%v), want %d and %d", s.clock.Now(), w, e, err, warned, ended)
		}
	}
	look(0, 0)
	end := monday.AddDate(2, 0, 0)
	u.Last[busy.ID] = monday.AddDate(1, 0, 0)
	s.clock.ns.Store(end.AddDate(0, 0, -61).UnixNano())
	look(0, 0)
	s.clock.ns.Store(end.AddDate(0, 0, -60).UnixNano())
	look(1, 0)
	look(0, 0)
	s.clock.ns.Store(end.AddDate(0, 0, -30).UnixNano())
	look(1, 0)
	s.clock.ns.Store(end.Add(-time.Second).UnixNano())
	look(0, 0)
	s.clock.advance(time.Second)
	u.lag = time.Minute
	look(0, 0) // of this minute nothing is known
	u.lag = 2 * time.Hour
	if _, _, err := s.Lapse(ctx, 24, u.ask); !errors.Is(err, ErrUsesBehind) || s.state(idle.ID).State != mandate.Active {
		t.Errorf("although not all uses are known: %v, %s", err, s.state(idle.ID).State)
	}
	u.lag, u.err = 0, errors.New("lost")
	if _, _, err := s.Lapse(ctx, 24, u.ask); !errors.Is(err, u.err) {
		t.Errorf("although the journal is lost: %v", err)
	}
	u.err = nil
	look(0, 1)
	look(0, 0)
	if got := s.state(idle.ID).State; got != mandate.LapsedUnused {
		t.Errorf("the one that nobody used is %s", got)
	}
	if steps := s.steps(idle.ID); steps[len(steps)-1].Act != mandate.ActLapse || steps[len(steps)-1].Side != mandate.RuleSide {
		t.Errorf("it ended by %+v", steps[len(steps)-1])
	}
	want := []mandate.News{mandate.NewsGranted, mandate.NewsUnused, mandate.NewsUnused, mandate.NewsLapsed}
	if a, b := s.told(idle.ID, idle.Grantor.ID), s.told(idle.ID, idle.Intermediary.ID); !slices.Equal(a, want) || !slices.Equal(b, want) {
		t.Errorf("they are told %v and %v", a, b)
	}
	if got := s.state(busy.ID).State; got != mandate.Active {
		t.Errorf("the one that was used is %s", got)
	}
}

// Nothing ends without a warning, also if nobody looked for years; nor for a time of which
// there are no records.
func TestNothingEndsWithoutAWarning(t *testing.T) {
	s := newScene(t)
	anna := s.appoint(bakery, mandate.Administrator, "")
	wish := s.wish(forVAT)
	wish.Validity.To = wish.Validity.From.AddDate(2, 11, 0)
	m := must(s.Ask(ctx, anna, "books", wish)).Mandate
	s.clock.ns.Store(monday.AddDate(2, 1, 0).UnixNano())
	u := &uses{clock: s.clock}
	look := func(why string, warned, ended int) {
		t.Helper()
		if w, e, err := s.Lapse(ctx, 24, u.ask); w != warned || e != ended || err != nil {
			t.Errorf("%s: %d warned, %d ended (%v)", why, w, e, err)
		}
	}
	look("there are no records at all", 0, 0)
	u.Since = monday.AddDate(1, 0, 0)
	look("there are records of a year", 0, 0)
	u.Since = monday
	look("nobody was warned", 1, 0)
	s.clock.advance(30*24*time.Hour - time.Second)
	look("a second too soon", 0, 0)
	u.Last = map[mandate.ID]time.Time{m.ID: s.clock.Now()}
	s.clock.advance(time.Second)
	look("somebody used it just in time", 0, 0)
	u.Last = nil
	look("nobody did", 0, 1)
}

// Whoever is appointed says himself where he wants to be written to.
func TestContactIsOnesOwn(t *testing.T) {
	s := newScene(t)
	anna := s.appoint(bakery, mandate.Administrator, "")
	done := must(s.SetContact(ctx, anna, mandate.Contact{Email: " Anna@BAKERY.example ", Language: "nl"}))
	if got := done.Appointment.Contact.Email; got != "Anna@bakery.example" {
		t.Errorf("the address is kept as %q", got)
	}
	_, err := s.SetContact(ctx, anna, mandate.Contact{Email: "anna", Language: "nl"})
	s.refused("no address", err, mail.ErrAddress)
	_, err = s.SetContact(ctx, anna, mandate.Contact{Email: "anna@bakery.example"})
	s.refused("no language", err, mandate.ErrContact)
	_, err = s.SetContact(ctx, Caller{99, anna.Level}, mandate.Contact{})
	s.refused("nobody", err, mandate.ErrNotAppointed)
	if done = must(s.SetContact(ctx, anna, mandate.Contact{})); !done.Appointment.Contact.IsZero() {
		t.Error("he wants no letters any more")
	}
	made := must(s.AppointAtDesk(ctx, keeper, Appointment{Company: office.KvK, Role: mandate.Administrator, Name: "Bol", Level: anna.Level,
		Validity: year(monday), Contact: mandate.Contact{Email: "bol@office.example", Language: "en"}}))
	a := must(s.AcceptInvitation(ctx, s.visitor(office, 50), made.Invitation))
	if a.Contact.Email != "bol@office.example" || a.Contact.Language != "en" {
		t.Error("what was known of him at his appointment is forgotten")
	}
}
