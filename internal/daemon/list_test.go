package daemon_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/harness"
	"github.com/mandated/mandated/pkg/mandate"
)

// employers are companies that have mandated Anna themselves, in the order of the alphabet,
// before anybody else.
func (s *scene) employers(n int, level etoegang.AssuranceLevel) {
	s.t.Helper()
	for i := range n {
		company := harness.Company(fmt.Sprintf("Aannemer %02d", i), fmt.Sprintf("%08d", 66600000+i), "")
		s.grantThis(mandate.Mandate{Kind: mandate.Direct, Grantor: company, Person: s.anna, Scope: mandate.Scope{mandate.Everything(level)}})
	}
}

// That nobody on the first page can be chosen says nothing about the pages after it.
func TestAFirstPageOfWhatCannotBeChosen(t *testing.T) {
	s := withClients(t, harness.Options{}, "Zagerij Zwart")
	s.employers(30, etoegang.LoA2)
	v := s.send("")
	page := s.arrives(s.n.Visitor(), v)
	if page.Title != "Voor welke organisatie logt u in?" || strings.Contains(page.Text, "Terug naar de website") {
		t.Errorf("%q: %s", page.Title, page.Text)
	}
	last := s.sees(page.Follow(ctx, "Volgende organisaties"))
	if reply := s.answered(v, s.sees(last.Choose(ctx, "Zagerij Zwart"))); !reply.Permitted() {
		t.Errorf("%+v", reply)
	}
}

// A list that fills its page exactly has no next one.
func TestAPageThatIsJustFull(t *testing.T) {
	for clients, more := range map[int]bool{0: false, 1: true} {
		s := withClients(t, harness.Options{}, []string{"Zagerij Zwart"}[:clients]...)
		s.employers(24, etoegang.LoA3)
		page := s.arrives(s.n.Visitor(), s.send(""))
		next, err := page.Follow(ctx, "Volgende organisaties")
		if len(page.Offers) != 25 || (err == nil) != more || more && len(next.Offers) != clients {
			t.Errorf("with %d clients: %d companies, then %v", clients, len(page.Offers), err)
		}
	}
}

// A mandate ends while its company is being chosen. The user is told so in a sentence that
// has an end.
func TestExpiredWhileChoosing(t *testing.T) {
	clock := harness.NewClock(time.Date(2026, 11, 24, 11, 0, 0, 0, time.UTC))
	s := withClients(t, harness.Options{Clock: clock})
	short := harness.Company("Kort Geldig", "55500012", "")
	s.grantThis(mandate.Mandate{Kind: mandate.Direct, Grantor: short, Person: s.anna, Scope: mandate.Scope{mandate.Everything(etoegang.LoA3)},
		Validity: mandate.Validity{From: clock.Now().AddDate(0, -1, 0), To: clock.Now().Add(5 * time.Minute)}})
	page := s.arrives(s.n.Visitor(), s.send(""))
	clock.Advance(6 * time.Minute)
	lost := s.sees(page.Choose(ctx, "Kort Geldig"))
	if !strings.Contains(lost.Text, "Kort Geldig kunt u niet meer kiezen De machtiging is verlopen. Vraag") || !strings.Contains(lost.Text, "De machtiging is verlopen op 24 november 2026.") {
		t.Errorf("%s", lost.Text)
	}
}
