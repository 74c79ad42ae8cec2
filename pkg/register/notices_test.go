package register

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/mandate"
)

// A notice waits until it is in a letter; the same is not told twice; and a letter goes from
// hand to hand until it has an end, after which nothing becomes of it.
func TestFromNoticeToLetter(t *testing.T) {
	onBoth(t, func(t *testing.T, s *scene) {
		b, a := s.org(1), s.org(2)
		m := s.grant(chain(b, a))
		year := mandate.Validity{From: noon, To: noon.AddDate(1, 0, 0)}
		var anna mandate.Appointment
		s.change(func(t *Tx) {
			anna = must(t.Appoint(mandate.Appointment{Organisation: b, Role: mandate.Administrator, Name: "Anna", Level: etoegang.LoA3, Validity: year}, Digest{1}, nil))
			pressing := Notice{News: mandate.NewsAnswer, To: b.ID, Mandate: m.ID, Author: anna.ID, Once: "a"}
			for n, want := range map[Notice]bool{pressing: true, {News: mandate.NewsUnmanaged, Appointment: anna.ID, Once: "b"}: true} {
				if told := must(t.AddNotice(n)); told != want {
					panic("not told")
				}
			}
			if must(t.AddNotice(pressing)) {
				panic("told twice in one change")
			}
			must(t.AddNotice(Notice{News: mandate.NewsGranted, To: a.ID, Mandate: m.ID, Days: 3, Once: "c"}))
		})
		s.change(func(t *Tx) {
			if must(t.AddNotice(Notice{News: mandate.NewsEnded, Mandate: m.ID, Once: "a"})) {
				panic("told twice")
			}
			for _, n := range []Notice{{News: mandate.NewsEnded, Once: "x"}, {News: mandate.NewsEnded, Mandate: 1, Company: 1, Once: "x"}, {News: mandate.NewsEnded, Mandate: 1}} {
				if _, err := t.AddNotice(n); !errors.Is(err, ErrNotice) {
					panic(err)
				}
			}
		})
		at := s.Now()
		s.read(func(v *Snapshot) {
			due := func(now, rest time.Time) []mandate.OrganisationID {
				list := must(v.Due(now, rest, 100))
				slices.Sort(list)
				return list
			}
			if got := due(at, at.Add(-time.Hour)); !slices.Equal(got, []mandate.OrganisationID{0, b.ID}) {
				t.Errorf("at once: %v", got)
			}
			if got := due(at, at); !slices.Equal(got, []mandate.OrganisationID{0, b.ID, a.ID}) {
				t.Errorf("later: %v", got)
			}
			if got := due(at.Add(-time.Hour), at.Add(-time.Hour)); len(got) != 0 {
				t.Errorf("before it happened: %v", got)
			}
			if list := must(v.Untold(a.ID, 10)); len(list) != 1 || list[0].Days != 3 || list[0].Mandate != m.ID || list[0].At.IsZero() {
				t.Errorf("%+v", list)
			}
			if days, first, err := v.Warned(m.ID, mandate.NewsGranted, time.Time{}.Add(time.Hour)); days != 3 || first.IsZero() || err != nil {
				t.Errorf("%d %v %v", days, first, err)
			}
			if days, first, err := v.Warned(m.ID, mandate.NewsGranted, at.Add(time.Hour)); days != 0 || !first.IsZero() || err != nil {
				t.Errorf("%d %v %v", days, first, err)
			}
		})

		var l Letter
		s.change(func(t *Tx) {
			waiting := must(t.Snapshot().Untold(b.ID, 10))
			l = must(t.WriteLetter(anna.ID, []NoticeID{waiting[0].ID}))
			if err := t.EndNotices([]NoticeID{waiting[0].ID}); err != nil {
				panic(err)
			}
		})
		s.read(func(v *Snapshot) {
			if len(must(v.Untold(b.ID, 10))) != 0 || len(must(v.Untold(a.ID, 10))) != 1 {
				t.Error("what is in a letter waits on")
			}
			if in := must(v.NoticesIn(l.ID)); len(in) != 1 || in[0].Once != "a" || in[0].Author != anna.ID {
				t.Errorf("in the letter: %+v", in)
			}
			if n, oldest, err := v.Backlog(); n != 1 || !oldest.Equal(l.At) || err != nil {
				t.Errorf("%d since %v (%v)", n, oldest, err)
			}
			if _, err := v.Letter(99); !errors.Is(err, ErrNotFound) {
				t.Error(err)
			}
		})
		set := func(state LetterState, tries int, due time.Time) {
			l.State, l.Tries, l.Due = state, tries, due
			s.change(func(t *Tx) {
				if err := t.SetLetter(l); err != nil {
					panic(err)
				}
			})
			s.read(func(v *Snapshot) {
				if got := must(v.Letter(l.ID)); got != l {
					t.Errorf("%+v, want %+v", got, l)
				}
				open := state == LetterWaiting || state == LetterTaken
				if got := len(must(v.OpenLetters(due, 10))) == 1; got != open {
					t.Errorf("%s: to be delivered: %v", state, got)
				}
				if len(must(v.OpenLetters(due.Add(-time.Millisecond), 10))) != 0 {
					t.Errorf("%s: too early", state)
				}
			})
		}
		set(LetterTaken, 1, at.Add(time.Hour))
		set(LetterWaiting, 1, at.Add(2*time.Hour))
		set(LetterSent, 2, at.Add(2*time.Hour))
		if _, err := s.Change(ctx, desk, func(t *Tx) error { return t.SetLetter(Letter{ID: l.ID, State: LetterWaiting, Tries: 3}) }); err == nil {
			t.Error("a letter that was sent is sent again")
		}
	})
}

// Where somebody wants to be written to is known from one revision to another, and goes along
// with his appointment. A dismissed one has no say.
func TestContactHasVersions(t *testing.T) {
	onBoth(t, func(t *testing.T, s *scene) {
		b := s.org(1)
		year := mandate.Validity{From: noon, To: noon.AddDate(1, 0, 0)}
		home := mandate.Contact{Email: "anna@bakery.example", Language: "nl"}
		s.change(func(t *Tx) {
			must(t.Appoint(mandate.Appointment{Organisation: b, Role: mandate.Administrator, Name: "Anna", Level: etoegang.LoA3, Validity: year}, Digest{1}, nil))
		})
		s.change(func(t *Tx) { must(t.TakeUp(1, Account{7})) })
		var before Revision
		s.read(func(v *Snapshot) { before = v.Revision() })
		s.change(func(t *Tx) {
			must(t.SetContact(1, home))
			for _, c := range []mandate.Contact{{Email: "x", Language: "fr"}, {Email: strings.Repeat("x", 255), Language: "nl"}} {
				if _, err := t.SetContact(1, c); !errors.Is(err, mandate.ErrContact) {
					panic(err)
				}
			}
			if _, err := t.SetContact(1, mandate.Contact{Email: "a\x00", Language: "nl"}); !errors.Is(err, ErrText) {
				panic(err)
			}
		})
		s.read(func(v *Snapshot) {
			if list := must(v.AppointmentsOf(Account{7})); len(list) != 1 || list[0].Contact != home || list[0].State != mandate.Appointed {
				t.Errorf("now: %+v", list)
			}
		})
		s.readAt(before, func(v *Snapshot) {
			if a := must(v.Appointment(1)); !a.Contact.IsZero() {
				t.Errorf("before: %+v", a)
			}
		})
		s.change(func(t *Tx) { must(t.Dismiss(1, nil)) })
		ended := new(AppointmentError)
		if _, err := s.Change(ctx, desk, func(t *Tx) error { _, err := t.SetContact(1, mandate.Contact{}); return err }); !errors.As(err, &ended) {
			t.Error(err)
		}
	})
}

// What ends is listed page by page in the order in which it ends, without what was told, what
// has ended, and what was never to last.
func TestEnding(t *testing.T) {
	onBoth(t, func(t *testing.T, s *scene) {
		b, g := s.org(1), s.person(1)
		var made []mandate.ID
		for n := range 7 {
			m := direct(b, g)
			m.Validity.To = m.Validity.From.AddDate(0, 0, 70-n/2) // several end together
			m.Scope = mandate.Scope{{Level: etoegang.LoA3, Service: must(etoegang.ParseServiceUUID(fmt.Sprintf("11111111-2222-3333-4444-%012d", n)))}}
			made = append(made, s.grant(m).ID)
		}
		s.setState(made[1], mandate.Revoked)
		s.change(func(t *Tx) {
			must(t.AddNotice(Notice{News: mandate.NewsEnding, To: b.ID, Mandate: made[3], Days: 60, Once: "x"}))
		})
		now := noon.AddDate(0, 0, 30)
		s.read(func(v *Snapshot) {
			var all []mandate.ID
			for after := (Last{To: now}); ; {
				list, next, err := v.Ending(after, now.AddDate(0, 0, 60), 60, 2)
				all, after = append(all, list...), next
				if err != nil || len(list) < 2 {
					must(0, err)
					break
				}
			}
			if want := []mandate.ID{made[6], made[4], made[5], made[2], made[0]}; !slices.Equal(all, want) {
				t.Errorf("%v, want %v", all, want)
			}
			if list, _, _ := v.Ending(Last{To: now}, now.AddDate(0, 0, 60), 30, 10); len(list) != 6 {
				t.Errorf("30 days before, what was told 60 days before counts: %v", list)
			}
			if list, _, _ := v.Ending(Last{To: now}, now.AddDate(0, 0, 60), 71, 10); len(list) != 0 {
				t.Errorf("never to last so long: %v", list)
			}
			idle, next := must2(v.InForceSince(s.Now(), now, 0, 3))
			if len(idle) != 3 || next != idle[2].Mandate || idle[0].Mandate != made[0] || idle[0].Since.Before(noon.AddDate(0, 0, -1)) {
				t.Errorf("in force: %+v", idle)
			}
			if idle, next := must2(v.InForceSince(s.Now().AddDate(0, 0, -7), now, 0, 10)); len(idle) != 0 || next != 0 {
				t.Errorf("in force since long before: %+v", idle)
			}
		})
	})
}
