package pages_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/mandated/mandated/internal/manage/pages"
	"github.com/mandated/mandated/pkg/mandate"
)

// One of the register's staff looks somebody up, by any word of the name or by the number: what
// he types stands in no address. Where several could be meant, he chooses from a list, page by
// page; on the page of one he sees how it stands, who manages its mandates and which those are.
func TestParties(t *testing.T) {
	s := newScene(t)
	s.grants(s.comes("Bas Bakker", bakery, mandate.Administrator))
	bob := s.comes("Bob Boekhouder", office, mandate.Administrator)
	s.assigns(bob, "1")
	s.clientele(30)
	rik := s.comes("Rik Register", registry, mandate.Staff)

	rik.click(rik.word("place /parties")).press("/parties").is(http.StatusUnprocessableEntity)
	if got := rik.wrongAt("search"); !strings.HasSuffix(got, rik.word("wrong no search")) {
		t.Errorf("beside the field stands %q", got)
	}
	rik.fill("search", "korenbl").press("/parties").is(http.StatusOK).reads("Bakkerij De Korenbloem (KvK number 12345678)", "Bas Bakker", rik.word("mandates given"), "Mandate 1", rik.word("stop off"))
	rik.visit("/parties").fill("search", "client").press("/parties").is(http.StatusOK).reads("40000000", "1 to 25")
	if strings.Contains(rik.at.String(), "client") {
		t.Errorf("the address says whom he looks for: %s", rik.at)
	}
	rik.click("Next").reads("26 to 30").click("Client 9").reads("Client 9 (KvK number 40000009)", rik.word("nobody manages"))
	rik.visit("/parties").fill("search", "8765 4321").press("/parties").reads("Administratiekantoor Telraam", "Bob Boekhouder", rik.word("mandates received"))
	rik.click("Next").reads("26 to 31", "Bob Boekhouder")

	// From there he writes down how it stands, stops it, and goes on to a person.
	rik.click("Change").fill("standing", "bankrupt").fill("why", "published").press("/standing").reads(rik.word("done written"))
	rik.visit("/organisations/2/stop").fill("why", "break-in").fill("act", "whatever").press("/organisations/2/stop").is(http.StatusConflict)
	rik.visit("/organisations/2/stop").fill("why", "break-in").press("/organisations/2/stop").reads(rik.word("done stopped"))
	rik.visit("/organisations/2").reads(rik.word("standing bankrupt"), rik.word("stop on"), "break-in")
	rik.visit("/stop").fill("search", "client").press("/stop").click("Client 0").reads("1 mandate of Client 0")
	rik.visit("/mandates/2").click(rik.word("all of party", "name", "Eva Elshout")).reads("Eva Elshout", "Mandate 2", rik.word("stop off"))
	rik.visit("/organisations/99").is(http.StatusNotFound)
	rik.visit("/people/99").is(http.StatusNotFound)
	rik.visit("/standing?of=99").is(http.StatusNotFound)
	s.clock.advance(pages.Fresh + 1)
	rik.visit("/organisations/2").is(http.StatusOK)
}

// Bas turns out to be a fraud. The register's staff dismiss him: with a reason, on what was
// reported, knowing that nobody is left, and logged in a moment ago. At once he can do nothing more;
// and whoever of the staff looks later sees why, and where the report lies.
func TestStaffDismiss(t *testing.T) {
	s := newScene(t)
	bas := s.comes("Bas Bakker", bakery, mandate.Administrator)
	bob := s.comes("Bob Boekhouder", office, mandate.Administrator)
	s.grants(bas)
	rik := s.comes("Rik Register", registry, mandate.Staff)
	const at = "/organisations/1/appointments/1"

	ria := s.comes("Ria Register", registry, mandate.Staff).visit(at + "/dismiss")
	rik.visit(at).is(http.StatusNotFound) // there is nothing yet to tell
	rik.visit("/organisations/1").click(rik.word("dismiss")).reads(rik.word("dismiss keeps"))
	if rik.at.Path != at+"/dismiss" {
		t.Fatalf("he is at %s", rik.at)
	}
	if rik.press(at + "/dismiss").is(http.StatusUnprocessableEntity); !strings.HasSuffix(rik.wrongAt("why"), rik.word("wrong why")) {
		t.Errorf("beside the reason stands %q", rik.wrongAt("why"))
	}
	if rik.fill("why", "fraud").press(at + "/dismiss").is(http.StatusUnprocessableEntity); !strings.HasSuffix(rik.wrongAt("notice"), rik.word("wrong dismissal")) {
		t.Errorf("beside the evidence stands %q", rik.wrongAt("notice"))
	}
	today := s.clock.Now()
	told := func(year string) *browser {
		return rik.fill("notice-day", today.Format("2")).fill("notice-month", today.Format("1")).fill("notice-year", year).fill("notice-where", "box 7").press(at + "/dismiss")
	}
	if told(today.AddDate(1, 0, 0).Format("2006")).is(http.StatusUnprocessableEntity); !strings.HasSuffix(rik.wrongAt("notice"), rik.word("wrong paper future")) {
		t.Errorf("beside a report of next year stands %q", rik.wrongAt("notice"))
	}
	if told(today.Format("2006")).is(http.StatusUnprocessableEntity); !strings.HasSuffix(rik.wrongAt("sure"), rik.word("wrong last administrator")) {
		t.Errorf("of the last one stands there %q", rik.wrongAt("sure"))
	}
	bas.visit("/mandates").is(http.StatusOK)
	rik.reads(rik.word("dismiss last")).fill("sure", "yes").press(at+"/dismiss").is(http.StatusOK).reads(rik.word("done dismissed"), rik.word("state dismissed"))
	if bas.visit("/mandates"); strings.Contains(bas.text(), "Administratiekantoor") {
		t.Errorf("he still sees: %s", bas.text())
	}
	if m := s.mandate(1); m.State != mandate.Active {
		t.Errorf("what he granted is %s", m.State)
	}
	ria.fill("notice-day", today.Format("2")).fill("notice-month", today.Format("1")).fill("notice-year", today.Format("2006")).fill("notice-where", "box 8")
	ria.fill("why", "fraud, too").press(at+"/dismiss").is(http.StatusOK).reads("Bas Bakker", "fraud", ria.word("evidence notice"), ria.say(today), "box 7")
	ria.visit("/organisations/1").click(ria.word("dismissed how"))
	if ria.at.Path != at || strings.Contains(ria.text(), "too") {
		t.Errorf("at %s one reads %s", ria.at, ria.text())
	}

	// It is of that organisation, and nobody's but the staff's.
	for _, path := range []string{"/organisations/2/appointments/1", "/organisations/2/appointments/1/dismiss", "/organisations/1/appointments/2/dismiss", "/organisations/1/appointments/99", "/organisations/1/appointments/x/dismiss"} {
		ria.visit(path).is(http.StatusNotFound)
	}
	bob.visit("/organisations/2/appointments/2/dismiss").is(http.StatusNotFound)
	s.clock.advance(pages.Fresh + 1)
	ria.visit("/organisations/2/appointments/2/dismiss").is(http.StatusForbidden).reads(ria.word("log in anew"))
	s.clock.advance(-pages.Fresh - 1)

	// Whom the company itself dismisses, it need not say why.
	bob.visit("/appointments/2/dismiss").press("/appointments/2/dismiss").fill("sure", "yes").press("/appointments/2/dismiss")
	if ria.visit("/organisations/2/appointments/2").is(http.StatusOK); strings.Contains(ria.text(), "page:") {
		t.Errorf("one reads what is not for people: %s", ria.text())
	}
}
