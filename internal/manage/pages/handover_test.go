package pages_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/mandated/mandated/pkg/mandate"
)

// Eva's clients go to Tom in one action: the office reads how many, agrees, and Eva has none.
func TestHandOver(t *testing.T) {
	s := newScene(t)
	bob := s.comes("Bob Boekhouder", office, mandate.Administrator)
	baker := s.comes("Bas Bakker", bakery, mandate.Administrator)
	s.grants(baker)
	s.assigns(bob, "1")
	bob.visit("/people/1/offboard").click("First hand over the clients of Eva Elshout").reads("Eva Elshout has 1 mandate for a client now")
	bob.fill("person", "1").press("/people/1/handover").is(http.StatusUnprocessableEntity)
	if got := bob.wrongAt("person"); !strings.HasSuffix(got, bob.word("wrong person")) {
		t.Errorf("beside herself stands %q", got)
	}
	tom := s.people["Bea Bakker"]
	bob.fill("person", "new").fill("person-name", "Tom").fill("authenticator", tom.Authenticator.String()).fill("pseudonym", tom.Pseudonym.Text()).press("/people/1/handover").is(http.StatusOK)
	bob.reads("lets Tom log in and act for all clients", "It is about 1 mandate", "Hand over 1 mandate").press("/people/1/handover").is(http.StatusOK).reads("Tom has 1 mandate more now")
	if old, next := s.mandate(2), s.mandate(3); old.State != mandate.Revoked || next.State != mandate.Active || next.Person.Name != "Tom" || next.Client != 1 {
		t.Errorf("Eva's is %s, and the next %+v", old.State, next)
	}
	if text := s.steps(3)[0].Consent.Text; !strings.Contains(text, "lets Tom log in") {
		t.Errorf("kept is %q", text)
	}
	baker.visit(bob.at.Path).is(http.StatusNotFound)
	bob.visit("/people/1/handover").is(http.StatusNotFound) // she has nothing
}
