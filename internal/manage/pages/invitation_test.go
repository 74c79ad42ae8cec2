package pages_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/mandated/mandated/internal/desk"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
)

// invited is what became of an appointment whose code is in a letter.
func (s *scene) invited(id mandate.AppointmentID) (a mandate.Appointment) {
	s.Helper()
	if err := s.register.Read(ctx, func(v *register.Snapshot) (err error) { a, err = v.Appointment(id); return err }); err != nil {
		s.Fatal(err)
	}
	return a
}

// types takes up an invitation, or reads why not.
func (b *browser) types(code string) *browser {
	b.Helper()
	return b.visit("/invitation").fill("code", code).press("/invitation")
}

// notTaken fails the test unless one reads beside the code that, and has nothing.
func (b *browser) notTaken(word string) {
	b.Helper()
	if got := b.is(http.StatusUnprocessableEntity).wrongAt("code"); !strings.HasSuffix(got, b.word(word)) {
		b.Errorf("beside the code stands %q, not %q", got, b.word(word))
	}
	b.visit("/").reads(b.word("no role"))
}

// A letter lay too long, was used by somebody else, was withdrawn, is for a higher level, or its code is typed wrong: each
// time one reads which it is and whom to ask, and nobody is appointed.
func TestInvitationsThatAreNoGood(t *testing.T) {
	s := newScene(t)
	s.clock.later.Store(int64(-(3*366 + 1) * 24 * time.Hour)) // an appointment lasts three years
	late := s.invites(bakery, mandate.Administrator, "Bea")
	s.clock.later.Store(0)
	bea := s.browser().logIn("Bea Bakker")
	bea.types(late).notTaken("wrong invitation expired")
	if a := s.invited(1); a.State != mandate.Invited {
		t.Errorf("the appointment that is over is %s", a.State)
	}
	bea.types(strings.Repeat("a", len(late))).notTaken("wrong invited")
	bea.types("").notTaken("wrong invited")

	used := s.invites(bakery, mandate.Administrator, "Bas")
	bas := s.browser().logIn("Bas Bakker")
	bas.types(used).is(http.StatusOK).reads(bas.word("place /"))
	bea.types(used).notTaken("wrong invitation used")
	bas.types(used).is(http.StatusUnprocessableEntity).reads(bas.word("wrong invitation used")) // also he himself

	from := s.clock.Now().UTC().Truncate(time.Second)
	high := must(s.desk.AppointAtDesk(ctx, register.Author{Who: "test", Why: "test"}, desk.Appointment{Company: bakery.KvK, Role: mandate.Administrator, Name: "Bea",
		Level: etoegang.LoA4, Validity: mandate.Validity{From: from, To: from.AddDate(3, 0, 0)}}))
	bea.types(high.Invitation).notTaken("wrong low log-in")

	withdrawn := s.invites(bakery, mandate.Administrator, "Bea")
	bas.visit("/appointments/4/dismiss").press("/appointments/4/dismiss").is(http.StatusOK)
	bea.types(withdrawn).notTaken("wrong invited")
}

// Whoever types wrong codes, as many as he likes, or a right one that is not for him, shuts out
// nobody: neither the one who has the letter, nor himself.
func TestNobodyIsLockedOut(t *testing.T) {
	s := newScene(t)
	code, other := s.invites(bakery, mandate.Administrator, "Bas"), s.invites(office, mandate.Administrator, "Bob")
	bob := s.browser().logIn("Bob Boekhouder")
	for i := range 60 {
		bob.types(fmt.Sprint(code[:len(code)-2], "0", i)).is(http.StatusUnprocessableEntity).reads(bob.word("wrong invited"))
	}
	bob.types(code).is(http.StatusUnprocessableEntity).reads(bob.word("wrong other company"))
	bas := s.browser().logIn("Bas Bakker")
	bas.types(code).is(http.StatusOK).reads(bas.word("overview", "company", "Bakkerij De Korenbloem (KvK number 12345678)"))
	bob.types(other).is(http.StatusOK).reads(bob.word("overview", "company", "Administratiekantoor Telraam (KvK number 87654321)"))
}
