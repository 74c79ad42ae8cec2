package pages_test

import (
	"crypto/sha256"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/mandated/mandated/internal/desk"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
)

// Eva's clients go to Tom in one action: the office reads how many, agrees, and Eva has none.
func TestHandOver(t *testing.T) {
	s := newScene(t)
	bob := s.comes("Bob Boekhouder", office, mandate.Administrator)
	baker := s.comes("Bas Bakker", bakery, mandate.Administrator)
	s.grants(baker)
	s.assigns(bob, "1")
	if bob.visit("/people/1/handover"); strings.Contains(bob.text(), "appointment ends") {
		t.Errorf("nothing ends sooner: %s", bob.text())
	}
	bob.visit("/people/1/offboard").click("First hand over the clients of Eva Elshout").reads("Eva Elshout has 1 mandate for a client now")
	bob.fill("person", "1").press("/people/1/handover").is(http.StatusUnprocessableEntity)
	if got := bob.wrongAt("person"); !strings.HasSuffix(got, bob.word("wrong person")) {
		t.Errorf("beside herself stands %q", got)
	}
	tom := s.people["Bea Bakker"]
	bob.fill("person", "new").fill("person-name", "Tom").fill("authenticator", tom.Authenticator.String()).fill("pseudonym", tom.Pseudonym.Text()).press("/people/1/handover").is(http.StatusOK)
	bob.reads("lets Tom log in and act for all clients", "It is about 1 mandate", "Hand over 1 mandate").press("/people/1/handover").is(http.StatusOK).reads("1 mandate was handed over")
	if old, next := s.mandate(2), s.mandate(3); old.State != mandate.Revoked || next.State != mandate.Active || next.Person.Name != "Tom" || next.Client != 1 {
		t.Errorf("Eva's is %s, and the next %+v", old.State, next)
	}
	if text := s.steps(3)[0].Consent.Text; !strings.Contains(text, "lets Tom log in") {
		t.Errorf("kept is %q", text)
	}
	baker.visit(bob.at.Path).is(http.StatusNotFound)
	bob.visit("/people/1/handover").is(http.StatusNotFound) // she has nothing
}

// However many clients Eva has, they go in parts, and the page tells how far that is. What a part
// has done that could not be kept is not passed over: Eva did not have it any more.
func TestHandOverInParts(t *testing.T) {
	s := newScene(t)
	bob := s.comes("Bob Boekhouder", office, mandate.Administrator)
	s.clientele(451)
	s.filling(bob)
	for range 2 {
		bob.visit(bob.at.Path)
	}
	eva, tom := s.people["Eva Elshout"], s.people["Bea Bakker"]
	herself := bob.visit("/people/1/handover").fill("person", "new").fill("person-name", "Eva").fill("authenticator", eva.Authenticator.String()).fill("pseudonym", eva.Pseudonym.Text())
	if herself.press("/people/1/handover").is(http.StatusUnprocessableEntity); bob.wrongAt("person") == "" {
		t.Error("she is to have her own clients")
	}
	bob.visit("/people/1/handover").fill("person", "new").fill("person-name", "Tom").fill("authenticator", tom.Authenticator.String()).fill("pseudonym", tom.Pseudonym.Text())
	bob.press("/people/1/handover").press("/people/1/handover").reads(bob.word("handed busy"), "200 of 450")
	place := bob.at.Path
	s.store.lost.Store("replace")
	bob.visit(place).is(http.StatusServiceUnavailable)
	s.store.lost.Store("")
	bob.visit(place).reads("400 of 450").visit(place).reads("250 mandates were handed over", "200 were no longer there")
	his := 0
	for _, m := range s.all(register.Filter{Kind: mandate.Assignment, State: mandate.Active}) {
		if m.Person.Name == "Tom" {
			his++
		}
	}
	if his != 450 {
		t.Errorf("Tom has %d", his)
	}
}

// What Eva has for longer than the one who hands it over is appointed stays hers: an end that
// somebody else gave it is not cut on the way. Bob reads which, and whom to ask.
func TestWhatLastsLongerIsNotHandedOver(t *testing.T) {
	s := newScene(t)
	bob := s.comes("Bob Boekhouder", office, mandate.Administrator) // for three years
	s.longAssigned()
	tom := s.people["Bea Bakker"]
	bob.visit("/people/1/handover").fill("person", "new").fill("person-name", "Tom").fill("authenticator", tom.Authenticator.String()).fill("pseudonym", tom.Pseudonym.Text())
	bob.press("/people/1/handover").press("/people/1/handover").reads("1 was not handed over", bob.word("wrong outlasts"))
	if kept := s.mandate(2); kept.State != mandate.Active {
		t.Errorf("Eva's is %s", kept.State)
	}
}

// longAssigned lets Eva act for the bakery for four years.
func (s *scene) longAssigned() {
	s.Helper()
	now := s.clock.Now().UTC().Truncate(time.Second)
	_ = must(s.register.Change(ctx, register.Author{Who: "test", Why: "test"}, func(t *register.Tx) error {
		m := mandate.Mandate{Kind: mandate.Chain, State: mandate.Active, Grantor: must(t.PutOrganisation(bakery)), Intermediary: must(t.PutOrganisation(office)),
			Scope: mandate.Scope{mandate.Everything(etoegang.LoA3)}, Validity: mandate.Validity{From: now, To: now.AddDate(4, 0, 0)}}
		chain := must(t.Grant(m, register.GrantOptions{}))
		m.Kind, m.Grantor, m.Intermediary, m.Client = mandate.Assignment, chain.Intermediary, mandate.Organisation{}, chain.ID
		m.Person = must(t.PutPerson(mandate.Person{Subject: s.people["Eva Elshout"], Name: "Eva Elshout", Active: true}))
		_ = must(t.Grant(m, register.GrantOptions{}))
		return nil
	}))
}

// A director hands over what another must sign, too. Until then Eva keeps her client, and whoever
// looks at the request reads that she will lose him.
func TestHandOverThatWaits(t *testing.T) {
	s := newScene(t)
	bob := s.comes("Bob Boekhouder", office, mandate.Director)
	from := s.clock.Now().UTC().Truncate(time.Second)
	_ = must(s.desk.AppointAtDesk(ctx, register.Author{Who: "test", Why: "test"}, desk.Appointment{
		Company: office.KvK, Role: mandate.Director, Authority: mandate.Jointly, Name: "Ans", Level: etoegang.LoA3, Validity: mandate.Validity{From: from, To: from.AddDate(3, 0, 0)},
		Credentials: []register.Credential{{Fingerprint: sha256.Sum256([]byte("Ans")), Public: []byte("Ans")}},
	}))
	s.longAssigned()
	tom := s.people["Bea Bakker"]
	bob.visit("/people/1/handover").fill("person", "new").fill("person-name", "Tom").fill("authenticator", tom.Authenticator.String()).fill("pseudonym", tom.Pseudonym.Text())
	bob.press("/people/1/handover").press("/people/1/handover").is(http.StatusOK)
	bob.visit("/requests/3").reads(bob.word("hands over"), bob.word("signed waits"))
	if kept := s.mandate(2); kept.State != mandate.Active {
		t.Errorf("Eva's is %s", kept.State)
	}
}
