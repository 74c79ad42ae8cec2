package pages_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
)

// Everybody who is appointed says where he wants to be written to, or that he wants no letters,
// and nobody else sees it: neither in an address, nor in the log, nor on a colleague's page.
func TestContact(t *testing.T) {
	s := newScene(t)
	bas := s.comes("Bas Bakker", bakery, mandate.Administrator)
	contact := func() (c mandate.Contact) {
		if err := s.register.Read(ctx, func(v *register.Snapshot) error { c = must(v.Appointment(1)).Contact; return nil }); err != nil {
			t.Fatal(err)
		}
		return c
	}
	bas.visit("/appointments").click(bas.word("contact")).fill("email", "Bas <bas@bakery.example>").press("/contact").is(http.StatusUnprocessableEntity)
	if got := bas.wrongAt("email"); !strings.HasSuffix(got, bas.word("wrong email")) {
		t.Errorf("beside the address stands %q", got)
	}
	bas.fill("email", "bas@bakery.example").fill("language", "fr").press("/contact").is(http.StatusUnprocessableEntity)
	if got := bas.wrongAt("language"); !strings.HasSuffix(got, bas.word("wrong language")) {
		t.Errorf("beside the language stands %q", got)
	}
	bas.fill("email", " bas@BAKERY.example ").fill("language", "nl").press("/contact").is(http.StatusOK).reads(bas.word("done contact"))
	if got := contact(); got != (mandate.Contact{Email: "bas@bakery.example", Language: "nl"}) {
		t.Errorf("he is written to at %q in %q", got.Email, got.Language)
	}
	if value := bas.find(func(n *htmlNode) bool { return attr(n, "name") == "email" }); attr(value, "value") != "bas@bakery.example" {
		t.Error("he does not see where")
	}
	bea := s.comes("Bea Bakker", bakery, mandate.Administrator)
	for _, place := range []string{"/contact", "/appointments"} {
		if strings.Contains(bea.visit(place).text(), "bas@bakery") {
			t.Errorf("a colleague reads it at %s", place)
		}
	}
	bas.visit("/").click(bas.word("contact")).fill("email", "").press("/contact").reads(bas.word("done no-contact"))
	if got := contact(); !got.IsZero() {
		t.Errorf("he is written to at %q", got.Email)
	}
	if strings.Contains(s.log.String(), "bakery.example") || strings.Contains(bas.at.String(), "bakery.example") {
		t.Error("the log or an address says where")
	}
	rik := s.comes("Rik Register", registry, mandate.Staff)
	rik.click(rik.word("contact")).fill("email", "rik@register.example").press("/contact").reads(rik.word("done contact"))
}
