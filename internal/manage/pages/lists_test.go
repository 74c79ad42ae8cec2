package pages_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/mandated/mandated/internal/desk"
	"github.com/mandated/mandated/internal/journal"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
)

// asks lets the office ask the bakery for so many mandates.
func (s *scene) asks(who mandate.AppointmentID, many int) {
	s.Helper()
	from := s.clock.Now().UTC().Truncate(time.Second)
	_ = must(s.desk.Many(ctx, desk.Caller{Appointment: who, Level: etoegang.LoA3}, "test", false, func(m *desk.Many) error {
		for i := range many {
			service := must(etoegang.ParseServiceUUID(fmt.Sprintf("11111111-2222-3333-4444-%012d", i)))
			_, _ = must2(m.Ask(desk.Wish{Kind: mandate.Chain, Grantor: desk.Party{KvK: bakery.KvK}, Intermediary: desk.Party{KvK: office.KvK},
				Scope: mandate.Scope{{Service: service, Level: etoegang.LoA3}}, Validity: mandate.Validity{From: from, To: from.AddDate(1, 0, 0)}}))
		}
		return nil
	}))
}

// However many requests wait, each is found: on the pages of the one who must answer, and on
// those of the one who waits.
func TestManyRequests(t *testing.T) {
	s := newScene(t)
	bob := s.comes("Bob Boekhouder", office, mandate.Administrator)
	s.asks(1, 60)
	baker := s.comes("Bas Bakker", bakery, mandate.Administrator)
	baker.reads(baker.word("many waiting for you", "n", 25)).click(baker.word("answer them"))
	for _, b := range []*browser{baker, bob.visit("/requests")} {
		seen := 0
		for {
			for n := range b.page.Descendants() {
				if n.Data == "a" && strings.HasPrefix(attr(n, "href"), "/requests/") {
					if seen++; textOf(n) != fmt.Sprint("Request ", seen) {
						t.Fatalf("after %d comes %q", seen-1, textOf(n))
					}
				}
			}
			next := b.find(func(n *htmlNode) bool {
				return n.Data == "a" && strings.Contains(attr(n, "href"), "after=") && !has(n, "lang")
			})
			if next == nil {
				break
			}
			b.visit(attr(next, "href"))
		}
		if seen != 60 {
			t.Errorf("%d of 60 are found", seen)
		}
	}
	if b := bob.visit("/requests"); !strings.Contains(b.text(), b.word("requests none")) {
		t.Errorf("what he has asked waits for himself: %s", b.text())
	}
}

// Who acts for the bakery is told from what it has given: that others let the bakery act for
// them, however often, neither is that nor hides it. Lists say since when a mandate was not used,
// by one question for all.
func TestWhoActsForUs(t *testing.T) {
	s := newScene(t)
	now := s.clock.Now().UTC().Truncate(time.Second)
	gives := func(from, to mandate.Organisation, since time.Time) (m mandate.Mandate) {
		_ = must(s.register.Change(ctx, register.Author{Who: "test", Why: "test"}, func(t *register.Tx) error {
			m = must(t.Grant(mandate.Mandate{Kind: mandate.Chain, State: mandate.Active, Grantor: must(t.PutOrganisation(from)), Intermediary: must(t.PutOrganisation(to)),
				Scope: mandate.Scope{mandate.Everything(etoegang.LoA3)}, Validity: mandate.Validity{From: since, To: now.AddDate(1, 0, 0)}}, register.GrantOptions{}))
			return nil
		}))
		return m
	}
	for i := range 12 {
		_ = gives(mandate.Organisation{KvK: must(etoegang.ParseKvKNumber(fmt.Sprint(40000000 + i))), Name: "A client of the bakery", Active: true}, bakery, now)
	}
	used := gives(bakery, office, mandate.StartOfDay(now))
	s.uses = journal.Uses{Since: now.AddDate(0, -2, 0), UpTo: now, Last: map[mandate.ID]journal.Use{used.ID: {Mandate: used.ID, At: now}}}
	_ = gives(bakery, mandate.Organisation{KvK: must(etoegang.ParseKvKNumber("40000020")), Name: "Of today", Active: true}, mandate.StartOfDay(now))
	b := s.comes("Bas Bakker", bakery, mandate.Administrator)
	s.asked = 0
	b.visit("/").reads(office.Name, "Of today", b.word("not used since", "date", b.say(mandate.StartOfDay(now))))
	if strings.Contains(b.text(), "A client of the bakery") {
		t.Errorf("those for whom the bakery acts are listed as acting for it: %s", b.text())
	}
	b.visit("/mandates").reads("A client of the bakery", office.Name)
	if s.asked != 2 {
		t.Errorf("for two lists it was asked %d times when mandates were used", s.asked)
	}
	s.uses.Last, s.uses.Since = nil, time.Time{}
	b.visit("/mandates/13").reads(b.word("use unknown"))
}

// A request that has waited for three weeks can no longer be agreed to, also while nobody has swept it
// away: whoever opens it reads so, and has nothing to press.
func TestRequestThatIsTooOld(t *testing.T) {
	s := newScene(t)
	s.clock.later.Store(-int64(22 * 24 * time.Hour))
	bob := s.comes("Bob Boekhouder", office, mandate.Administrator)
	bob.click(bob.word("begin ask")).fill("kvk", "12345678").press("/grant/ask")
	bob.fill("much", "everything").next()
	bob.next().reads(bob.word("done requested"))
	s.clock.later.Store(0)
	baker := s.comes("Bas Bakker", bakery, mandate.Administrator).visit("/requests/1")
	baker.reads(baker.word("wrong request expired"))
	if form := baker.find(func(n *htmlNode) bool { return strings.HasPrefix(attr(n, "action"), "/requests/1/") }); form != nil {
		t.Errorf("one can still press %s", attr(form, "action"))
	}
}
