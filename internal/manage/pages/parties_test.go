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
